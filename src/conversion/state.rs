//! Draft, sent or received; and the flags of a stored message.

use crate::model::delivery::Flags;
use crate::notes::document::Note;
use crate::notes::item::ItemType;

/// What a document is to its owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Draft,
    /// Stationery.
    Template,
    Sent,
    Received,
}

impl State {
    /// The client stamps `PostedDate` when a document is mailed, the router `DeliveredDate` when it arrives.
    /// `mail_form` tells whether the form is one that people write mail with.
    pub fn of(note: &Note, mail_form: bool) -> Self {
        // Mail that was fetched from the Internet may never have met a router.
        if note.has("DeliveredDate") || note.has("Received") {
            return Self::Received;
        }
        if note.has("PostedDate") {
            return Self::Sent;
        }
        if note.flag("IsMailStationery") {
            return Self::Template;
        }
        let internet = note.items.iter().any(|item| item.item_type == ItemType::RFC822_TEXT);
        if internet || note.has("$MIMETrack") || !mail_form { Self::Received } else { Self::Draft }
    }

    /// The owner wrote it.
    pub fn is_own(self) -> bool {
        !matches!(self, Self::Received)
    }
}

/// The flags of a document that is a mail.
pub fn flags(note: &Note, state: State, unread: Option<bool>, receipt_disarmed: bool) -> Flags {
    let responded = note.text("$RespondedTo");
    let responded = match note.number("$RespondedTo") {
        Some(number) => number as i64,
        None => responded.trim().parse().unwrap_or(0),
    };
    let mut keywords: Vec<String> = note.texts("Categories").iter().filter_map(|c| keyword(c)).collect();
    if matches!(responded, 2 | 3) {
        keywords.push("$Forwarded".to_owned());
    }
    if receipt_disarmed {
        keywords.push("$MDNSent".to_owned());
    }
    keywords.sort();
    keywords.dedup();
    Flags {
        seen: state.is_own() || unread != Some(true),
        answered: matches!(responded, 1 | 3),
        flagged: !note.text("FollowUpStatus").trim().is_empty(),
        draft: matches!(state, State::Draft | State::Template),
        keywords,
    }
}

/// A category as an IMAP atom (RFC 9051 section 9); `None` if nothing of it can be one.
fn keyword(category: &str) -> Option<String> {
    let atom: String = category
        .trim()
        .chars()
        .map(|c| if c.is_ascii_graphic() && !"(){%*\"\\]$".contains(c) { c } else { '_' })
        .collect();
    atom.contains(|c: char| c.is_ascii_alphanumeric()).then_some(atom)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn categories_become_atoms() {
        assert_eq!(keyword("Q1 2024"), Some("Q1_2024".into()));
        assert_eq!(keyword("$MDNSent"), Some("_MDNSent".into()));
        assert_eq!(keyword("\u{E4}\u{F6}"), None);
        assert_eq!(keyword(""), None);
    }
}
