//! What nobody outside Notes' makers could tell us so far: each question with the rule that stands until it is settled.
//!
//! Written by hand, beside the rule that it is about; read by those who have a mail file that can settle one. A test
//! keeps the table honest: the file of each rule exists and holds the word that the rule is found by.

/// A fact about Notes data that could not be confirmed.
#[derive(Clone, Copy, Debug)]
pub struct OpenQuestion {
    pub question: &'static str,
    /// What the program does until it is settled.
    pub present_rule: &'static str,
    /// The file of the rule and a word in it.
    pub found_at: (&'static str, &'static str),
    /// What would settle it.
    pub settled_by: &'static str,
}

/// Every open question.
pub const OPEN_QUESTIONS: &[OpenQuestion] = &[
    OpenQuestion {
        question: "Which formulas select the views ($Sent) and ($Drafts)?",
        present_rule: "PostedDate, DeliveredDate and the mark of stationery tell draft, sent and received",
        found_at: ("src/conversion/state.rs", "PostedDate"),
        settled_by: "a mail file whose view indexes are compared with our states",
    },
    OpenQuestion {
        question: "What do the items of a follow-up hold?",
        present_rule: "any text in FollowUpStatus is a flag; date and text go into a header",
        found_at: ("src/conversion/state.rs", "FollowUpStatus"),
        settled_by: "three mails flagged in a client",
    },
    OpenQuestion {
        question: "What do the values of DueState and of a task's Importance mean?",
        present_rule: "9 is completed, 8 rejected; everything else is told by the dates",
        found_at: ("src/conversion/calendar/task.rs", "DueState"),
        settled_by: "five tasks made in a client",
    },
    OpenQuestion {
        question: "Which form and items has a notebook page?",
        present_rule: "the form JournalEntry with Subject, Body and DiaryDate",
        found_at: ("src/conversion/calendar/journal.rs", "DiaryDate"),
        settled_by: "a notebook made in a client",
    },
    OpenQuestion {
        question: "How are the items of groups, further addresses and photos of contacts called?",
        present_rule: "the names that several public programs use",
        found_at: ("src/conversion/contact/mod.rs", "ListName"),
        settled_by: "an address book made in a client",
    },
    OpenQuestion {
        question: "Do all-day events last from 4:00 to 20:00 as anniversaries do?",
        present_rule: "yes: an alarm counts from 4:00 of the day",
        found_at: ("src/conversion/calendar/alarm.rs", "midnight"),
        settled_by: "an all-day event with an alarm",
    },
    OpenQuestion {
        question: "How do SequenceNum and the UID of a meeting look in the mail that Notes sends for it?",
        present_rule: "SEQUENCE is SequenceNum less one, UID is ApptUNID as it is",
        found_at: ("src/conversion/calendar/event.rs", "SequenceNum"),
        settled_by: "a meeting and the mail that was sent for it",
    },
    OpenQuestion {
        question: "Which form has an invitation once it was accepted?",
        present_rule: "the form does not count: what stands in the calendar of somebody is an entry",
        found_at: ("src/conversion/kind.rs", "CalendarDateTime"),
        settled_by: "an invitation before and after it was accepted",
    },
    OpenQuestion {
        question: "Which letters stand in RepeatUnit, and how is the last week told?",
        present_rule: "those of both vendor texts; a rule counts only if it gives the stored dates",
        found_at: ("src/conversion/calendar/rule.rs", "\"YD\""),
        settled_by: "a series of each kind",
    },
    OpenQuestion {
        question: "Does DeliveryReport hold letters or digits?",
        present_rule: "both are understood",
        found_at: ("src/conversion/headers/mod.rs", "DeliveryReport"),
        settled_by: "a mail of each kind",
    },
    OpenQuestion {
        question: "Do MIME parts of more than 64 KB lie in a file or in further items?",
        present_rule: "both are read",
        found_at: ("src/conversion/mime.rs", "continu"),
        settled_by: "a large mail that came by SMTP",
    },
    OpenQuestion {
        question: "Which code pages do the groups of the Notes character set have beyond those that occur in samples?",
        present_rule: "those of ICU's converter",
        found_at: ("src/notes/lmbcs/pages.rs", "ICU"),
        settled_by: "text of each script typed in a client",
    },
    OpenQuestion {
        question: "Which items does a phone message have?",
        present_rule: "every item that a person filled in is a line above the text",
        found_at: ("src/conversion/listing.rs", "person filled in"),
        settled_by: "a phone message",
    },
    OpenQuestion {
        question: "How does the vendor's draft write a link into a database?",
        present_rule: "notes://server/replica/view/document, which clients open",
        found_at: ("src/conversion/link.rs", "notes://"),
        settled_by: "the text of draft-dconmy-notes-uri-scheme",
    },
    OpenQuestion {
        question: "Which name space does DXL have, and does it hold what lies in folders?",
        present_rule: "any name space is read; mail goes to INBOX, Sent or Drafts",
        found_at: ("src/sources/dxl/index.rs", "lotus.com/dxl"),
        settled_by: "an export made by a client",
    },
    OpenQuestion {
        question: "Is the table of unread marks in a copy of a file always that of its owner?",
        present_rule: "the table under the owner's name counts; without one everything is read",
        found_at: ("src/sources/nsf/unread.rs", "unread"),
        settled_by: "copies of one mail file made by client and server",
    },
    OpenQuestion {
        question: "What do the low six bits of a run of patterns in an old bitmap mean?",
        present_rule: "they are zero in all 22 bitmaps that we have; where they are not, the rest of the bitmap counts as damaged",
        found_at: ("src/notes/richtext/bitmap.rs", "0b01"),
        settled_by: "a bitmap in which they are not zero",
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_is_where_the_table_says() {
        for OpenQuestion { question, found_at: (file, word), .. } in OPEN_QUESTIONS {
            let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
            let text = std::fs::read_to_string(&path).unwrap_or_default();
            assert!(text.contains(word), "{file} holds no {word}: {question}");
        }
    }
}
