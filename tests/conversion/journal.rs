//! Pages of a notebook: J01 to J03.

use crate::support::document::{Document, document};
use crate::support::rich_text::records;
use notesferry::conversion::Choices;
use notesferry::model::loss::LossKind;
use notesferry::notes::timedate::Timedate;

const PNG: &[u8] = b"\x89PNG\r\n\x1A\n";
/// Days from 1970-01-01 to 2019-03-03.
const DAY: i64 = 17_958;

fn page() -> Document {
    document()
        .text("Form", "JournalEntry")
        .text("Subject", "Ideas")
        .timedate("DiaryDate", Timedate::from_unix_day(DAY))
        .list("Categories", &["Work"])
        .rich_text("Body", records().text("A picture:").graphic().image(4, 4, PNG, PNG.len() as u32).build())
        .file("plan.txt", b"hello")
        .modified("2019-03-04T08:00:00Z")
}

#[test]
fn j01_a_page_is_mail_in_the_notebook() {
    let page = page().unread().convert();
    assert_eq!(page.folders(), ["Notebook"]);
    assert!(page.has_line("Date: Sun, 03 Mar 2019 12:00:00 +0000"), "{}", page.text());
    assert!(page.has_line("Subject: Ideas") && page.has_line("Keywords: Work"));
    assert!(page.html().contains("<img"), "{}", page.html());
    assert_eq!(page.attachments(), [("plan.txt".to_owned(), b"hello".to_vec())]);
    assert!(page.converted.flags.seen && !page.converted.flags.draft);
    assert!(page.converted.object.is_none());
    assert_eq!(page.losses(), []);
}

#[test]
fn j02_a_page_as_an_object_has_its_words() {
    let page = page().choose(Choices { vjournal: true, ..Choices::default() }).convert();
    let journal = page.calendar();
    for line in [
        "BEGIN:VJOURNAL",
        "DTSTART;VALUE=DATE:20190303",
        "SUMMARY:Ideas",
        "CATEGORIES:Work",
        "CLASS:PRIVATE",
        "STATUS:FINAL",
        "DTSTAMP:20190304T080000Z",
    ] {
        assert!(journal.lines().any(|own| own == line), "{line} in {journal}");
    }
    assert!(journal.contains("\nDESCRIPTION:A picture:"), "{journal}");
    let lost: Vec<LossKind> =
        page.converted.object.as_ref().unwrap().losses.iter().map(|loss| loss.kind).collect();
    assert_eq!(lost, [LossKind::ImageDropped, LossKind::FormattingDropped, LossKind::AttachmentDropped]);
    // The mail is made all the same, for targets that store nothing else.
    assert!(page.html().contains("<img"));
}

#[test]
fn j03_a_page_without_a_date_is_of_the_day_it_was_made() {
    let page = page().without("DiaryDate").time("$Created", "2018-05-06T21:30:00Z", 180);
    let journal = page.choose(Choices { vjournal: true, ..Choices::default() }).convert();
    assert!(journal.has_line("Date: Mon, 07 May 2018 00:30:00 +0300"), "{}", journal.text());
    assert!(journal.calendar().contains("\nDTSTART;VALUE=DATE:20180507\n"));
}

#[test]
fn a_page_without_a_subject_is_called_by_its_first_line() {
    let page = document().text("Form", "JournalEntry").text("Body", "\n Monday \nmore").convert();
    assert!(page.has_line("Subject: Monday"));
}
