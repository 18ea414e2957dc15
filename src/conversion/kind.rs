//! The kind of a document: from its form first, then from its items; never from the folder it lies in.

use crate::conversion::report::Report;
use crate::notes::document::Note;

/// What a document is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Something that people read as mail.
    Mail(MailForm),
    /// Anything else, with the words for the report.
    Other(&'static str),
}

/// How a document is mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MailForm {
    /// Memo and reply: what people write.
    Written,
    /// What the system writes.
    System,
    /// Workflow of meetings and to-dos.
    Notice,
    Report(Report),
    PhoneMessage,
    /// A form that we do not know, with items of mail.
    Foreign,
}

/// Items of which one makes a document of an unknown form mail.
const MAIL_ITEMS: [&str; 5] = ["SendTo", "From", "PostedDate", "DeliveredDate", "Body"];

/// The kind of a document.
pub fn kind(note: &Note) -> Kind {
    const CALENDAR: Kind = Kind::Other("calendar entries are not converted yet");
    const SETTINGS: Kind = Kind::Other("settings and caches are not content");
    const ROOMS: Kind = Kind::Other("documents of a room database are out of scope");
    match form(note).to_ascii_lowercase().as_str() {
        "memo" | "reply" | "reply with history" => Kind::Mail(MailForm::Written),
        "phone message" => Kind::Mail(MailForm::PhoneMessage),
        "nondelivery report" => Kind::Mail(MailForm::Report(Report::NotDelivered)),
        "delivery report" => Kind::Mail(MailForm::Report(Report::Delivered)),
        "return receipt" => Kind::Mail(MailForm::Report(Report::Read)),
        "notice" | "(replynotice)" | "tasknotice" => Kind::Mail(MailForm::Notice),
        "trace report" | "quota report" | "database entry" | "bookmark" => Kind::Mail(MailForm::System),
        "appointment" | "_calendar entry" => CALENDAR,
        "task" => Kind::Other("to-dos are not converted yet"),
        "person" | "group" => Kind::Other("contacts are not converted yet"),
        "journalentry" => Kind::Other("journal entries are not converted yet"),
        "mailrule" => Kind::Other("mail rules are not content"),
        "calendarprofile" | "delegationprofile" | "repeatcache" => SETTINGS,
        "reservation" | "resource" => ROOMS,
        _ if MAIL_ITEMS.iter().any(|name| note.has(name)) => Kind::Mail(MailForm::Foreign),
        _ => Kind::Other("no form of a mail file and no items of mail"),
    }
}

/// The form without blanks; empty where the document holds its own form.
pub fn form(note: &Note) -> String {
    note.text("Form").trim().to_owned()
}
