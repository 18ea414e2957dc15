//! Documents that are no mail, and forms that are nearly mail.

use crate::support::document::{document, memo};
use crate::support::rich_text::records;
use notesferry::model::loss::SetAsideReason;
use notesferry::notes::item::ItemType;

fn set_aside(form: &str) -> String {
    let set_aside = document().text("Form", form).text("Subject", "x").try_convert().unwrap_err();
    assert_eq!(set_aside.reason, SetAsideReason::UnknownForm);
    set_aside.detail
}

#[test]
fn documents_of_other_kinds_are_set_aside_with_a_sentence() {
    assert_eq!(set_aside("mailrule"), "mailrule: mail rules are not content");
    assert_eq!(set_aside("FooBar"), "FooBar: no form of a mail file and no items of mail");
    assert_eq!(set_aside(" "), "(no form): no form of a mail file and no items of mail");
}

#[test]
fn with_all_documents_their_items_are_listed() {
    let mail = document()
        .text("Form", "Reservation")
        .text("FullName", "CN=Jane Doe/O=Acme")
        .list("Phones", &["1", "2"])
        .number("Age", 42.0)
        .time("Since", "2014-08-08T17:18:33Z", 0)
        .rich_text("Body", records().text("about her").build())
        .rich_text("Comment", records().text("more").build())
        .file("photo.png", b"\x89PNG\r\n\x1A\n")
        .all_documents()
        .convert();
    assert!(mail.has_line("Subject: CN=Jane Doe/O=Acme"));
    assert!(mail.has_line("X-Notes-Form: Reservation"));
    assert_eq!(mail.folders(), ["All Documents"]);
    assert!(mail.converted.flags.seen && !mail.converted.flags.draft);
    assert_eq!(
        mail.plain(),
        "about her\n\nForm: Reservation\nFullName: CN=Jane Doe/O=Acme\nPhones: 1; 2\nAge: 42\n\
         Since: 2014-08-08T17:18:33Z\nComment:\nmore\n"
    );
    assert_eq!(mail.attachments().len(), 1);
}

#[test]
fn a_document_without_name_is_called_by_form_and_unid() {
    let mail = document().text("Form", "FooBar").number("Age", 1.0).all_documents().convert();
    assert!(mail.has_line("Subject: FooBar 8FD8E55C12D1A9764F03FE20DF203FE7"));
    assert_eq!(mail.converted.subject, "FooBar 8FD8E55C12D1A9764F03FE20DF203FE7");
}

#[test]
fn mail_stays_mail_with_all_documents() {
    assert_eq!(memo().text("Body", "x").all_documents().convert().plain(), "x\n");
}

#[test]
fn a_phone_message_shows_its_fields() {
    let mail = document()
        .text("Form", "Phone Message")
        .text("Contact", "Mr. Ray")
        .text("Phone", "555")
        .text("Body", "call back")
        .convert();
    assert!(mail.has_line("X-Notes-Form: Phone Message"));
    assert_eq!(mail.plain(), "Contact: Mr. Ray\nPhone: 555\ncall back\n");
}

#[test]
fn a_bookmark_is_a_mail_with_its_link() {
    let link = [&1_u16.to_le_bytes()[..], &[0; 40]].concat();
    let mail = document()
        .text("Form", "Bookmark")
        .text("Subject", "Our team room")
        .text("URL", "https://example.com/team")
        .item("$Links", ItemType::NOTELINK_LIST, link)
        .convert();
    assert_eq!(mail.plain(), "notes:///0000000000000000\nURL: https://example.com/team\n");
    assert!(mail.has_line("Subject: Our team room"));
}

#[test]
fn a_settings_document_of_an_address_book_is_no_content() {
    let location = document().text("Form", "Location").text("Type", "Location").try_convert().unwrap_err();
    assert_eq!(location.detail, "Location: settings of an address book are not content");
    // An application may call its documents so too.
    let other = document().text("Form", "Location").text("Body", "Room 2").convert();
    assert_eq!(other.plain(), "Room 2\n");
}

#[test]
fn stationery_without_a_subject_has_its_name() {
    let template = document()
        .text("Form", "Memo")
        .text("IsMailStationery", "1")
        .text("MailStationeryName", "Weekly report")
        .text("From", "jane@example.com")
        .text("Body", "Dear all")
        .convert();
    assert_eq!(template.folders(), ["Templates"]);
    assert!(template.converted.flags.draft);
    assert!(template.has_line("Subject: Weekly report"));
}

#[test]
fn rich_text_of_an_application_is_carried_wherever_it_is() {
    let mail = document()
        .text("Form", "Report")
        .text("From", "jane@example.com")
        .rich_text("Summary", records().text("fine").build())
        .rich_text("Findings", records().text("all is well").build())
        .convert();
    assert_eq!(mail.plain(), "all is well\nSummary:\nfine\n");
    assert!(mail.html().contains("all is well"));
}
