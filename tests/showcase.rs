//! The week of a forged mailbox that is written by hand arrives as it was meant: conversations hang together, pictures
//! and links lead somewhere, the calendar holds what was planned, and nothing is lost on the way but what files cannot hold.

use mail_parser::{Message, MessageParser, MimeHeaders};
use notesferry::forge::mailbox::{self, Extras, MailboxOptions};
use notesferry::forge::version::Version;
use std::fs;
use std::path::Path;
use std::process::Command;
use tempfile::TempDir;

/// Carries the week alone into a folder of files and gives the report.
fn migrated() -> (TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("jane.nsf");
    let options = MailboxOptions { version: Version::Ods52, mails: 0, seed: 1 };
    mailbox::forge_with(&source, &options, &Extras { showcase: true, ..Extras::default() }).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_notesferry"))
        .arg("migrate")
        .arg(&source)
        .arg(format!("eml:{}", folder.path().join("files").display()))
        .arg("--state-dir")
        .arg(folder.path().join("state"))
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{text}{}", String::from_utf8_lossy(&output.stderr));
    (folder, text)
}

/// The bytes of all files with this ending, in one folder or in all.
fn files(root: &Path, ending: &str) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()) {
        if entry.is_dir() {
            found.extend(files(&entry, ending));
        } else if entry.extension().is_some_and(|own| own == ending) {
            found.push(fs::read(&entry).unwrap());
        }
    }
    found
}

fn html(message: &Message<'_>) -> String {
    message.body_html(0).unwrap().into_owned()
}

#[test]
fn a_week_worth_looking_at_arrives_whole() {
    let (folder, report) = migrated();
    // A draft has no date and no time to look its addresses up; files have no keywords.
    for loss in ["link dropped", "image dropped", "construct dropped", "damaged"] {
        assert!(!report.contains(loss), "{report}");
    }
    let root = folder.path().join("files");
    let mails = files(&root, "eml");
    let mails: Vec<Message<'_>> =
        mails.iter().map(|bytes| MessageParser::default().parse(bytes).unwrap()).collect();
    conversations_hang_together(&mails);
    formatted_text_is_shown(&mails);
    the_calendar_holds_what_was_planned(&root);
    contacts_have_photos(&root);
}

fn conversations_hang_together(mails: &[Message<'_>]) {
    for (subject, letters) in [("Lamps for Harbour Street", 6), ("Summer party: who does what?", 4)] {
        let thread: Vec<&Message<'_>> =
            mails.iter().filter(|mail| mail.subject().is_some_and(|own| own.ends_with(subject))).collect();
        let is_known = |id: &str| thread.iter().any(|mail| mail.message_id() == Some(id));
        assert_eq!(thread.len(), letters, "{subject}");
        let answers: Vec<_> = thread.iter().filter(|mail| mail.subject() != Some(subject)).collect();
        assert_eq!(answers.len(), letters - 1, "{subject}");
        for answer in answers {
            let before = answer.references().as_text_list().unwrap();
            assert!(before.iter().all(|id| is_known(id)), "{before:?}");
            assert_eq!(answer.in_reply_to().as_text(), before.last().map(AsRef::as_ref));
            // What was written before stands below.
            assert_eq!(html(answer).matches("<b>Subject: </b>").count(), before.len());
        }
    }
}

fn formatted_text_is_shown(mails: &[Message<'_>]) {
    let with = |words: &str| {
        let found = mails.iter().filter(|mail| html(mail).contains(words));
        found.max_by_key(|mail| mail.date().map(mail_parser::DateTime::to_timestamp)).unwrap()
    };
    let offer = mails
        .iter()
        .find(|mail| {
            mail.attachments().any(|part| part.attachment_name().is_some_and(|name| name.ends_with(".csv")))
        })
        .unwrap();
    let page = html(offer).replace("\r\n", "\n");
    assert!(page.contains("rowspan=\"2\"") && page.contains("colspan=\"2\""), "{page}");
    for (at, _) in page.match_indices("src=\"cid:") {
        let id = page[at + 9..].split('"').next().unwrap();
        assert!(offer.parts.iter().any(|part| part.content_id() == Some(id)), "{id}");
    }
    assert!(page.contains("src=\"cid:") && page.contains("alt=\"consumption"), "{page}");
    assert!(page.contains("<li>measure the yard\n<ol>\n<li>ask the caretaker"), "{page}");
    let customer = html(with("Calculation of the offer"));
    assert!(customer.contains("https://www.example.com/lamps"), "{customer}");
    assert!(html(with("How I came to that")).contains("12,723.60"));
}

fn the_calendar_holds_what_was_planned(root: &Path) {
    let entries: Vec<String> =
        files(root, "ics").into_iter().map(|bytes| String::from_utf8(bytes).unwrap()).collect();
    let entry = |subject: &str| {
        let line = format!("SUMMARY:{subject}\r\n");
        let found: Vec<&String> = entries.iter().filter(|entry| entry.contains(&line)).collect();
        assert_eq!(found.len(), 1, "{subject}");
        found[0]
    };
    let has = |subject: &str, lines: &[&str]| {
        let entry = entry(subject).replace("\r\n ", "");
        lines.iter().for_each(|line| assert!(entry.contains(line), "{line} in {entry}"));
    };
    has(
        "Sales round",
        &["RRULE:FREQ=WEEKLY", "EXDATE;TZID=", "20240226T100000", "RECURRENCE-ID;TZID=", "20240129T150000"],
    );
    has("Visit to the plant in Munich", &["20240117T100000", "SEQUENCE:1", "PARTSTAT=ACCEPTED", "ORGANIZER"]);
    has("Review of the offer", &["20240111T140000", "PARTSTAT=ACCEPTED", "PARTSTAT=TENTATIVE", "Blue Room"]);
    has("Ten years of Example Company", &["DTSTART;VALUE=DATE:20240118"]);
    has("Fair in Lyon", &["DTSTART;VALUE=DATE:20240206", "DTEND;VALUE=DATE:20240209"]);
    has("Order the lamps for Harbour Street", &["BEGIN:VTODO", "DUE"]);
    has("Measure the yard", &["STATUS:COMPLETED"]);
}

fn contacts_have_photos(root: &Path) {
    let cards: Vec<String> =
        files(root, "vcf").into_iter().map(|bytes| String::from_utf8(bytes).unwrap()).collect();
    let [photos, groups] = ["PHOTO", "MEMBER"]
        .map(|name| cards.iter().filter(|card| card.contains(&format!("\r\n{name}"))).count());
    assert_eq!((cards.len(), photos, groups), (4, 3, 1));
}
