//! The kind of a document: from its form first, then from its items; never from the folder it lies in.

use crate::conversion::report::Report;
use crate::notes::document::Note;

/// What a document is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Something that people read as mail.
    Mail(MailForm),
    /// Something that stands in a calendar or in a list of tasks.
    Entry(EntryKind),
    /// Something that stands in an address book.
    Contact(ContactKind),
    /// A page of a notebook.
    Journal,
    /// Anything else, with the words for the report.
    Other(&'static str),
}

/// Whether a document says how Notes works for its owner, and nothing that another mail system could hold.
pub fn is_settings(note: &Note) -> bool {
    const FORMS: [&str; 4] = ["mailrule", "calendarprofile", "delegationprofile", "repeatcache"];
    FORMS.contains(&form(note).to_ascii_lowercase().as_str())
}

/// What kind of entry a document is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryKind {
    Appointment,
    Anniversary,
    AllDay,
    Meeting,
    Reminder,
    Task,
}

/// Whom a contact stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContactKind {
    Person,
    Group,
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
    /// A link that was kept as a document.
    Bookmark,
    /// A form that we do not know, with items of mail.
    Foreign,
}

/// Items of which one makes a document of an unknown form mail.
const MAIL_ITEMS: [&str; 5] = ["SendTo", "From", "PostedDate", "DeliveredDate", "Body"];

/// The kind of a document.
pub fn kind(note: &Note) -> Kind {
    const SETTINGS: Kind = Kind::Other("settings and caches are not content");
    const ROOMS: Kind = Kind::Other("documents of a room database are out of scope");
    let form = form(note).to_ascii_lowercase();
    match form.as_str() {
        "memo" | "reply" | "reply with history" => Kind::Mail(MailForm::Written),
        "phone message" => Kind::Mail(MailForm::PhoneMessage),
        "nondelivery report" => Kind::Mail(MailForm::Report(Report::NotDelivered)),
        "delivery report" => Kind::Mail(MailForm::Report(Report::Delivered)),
        "return receipt" => Kind::Mail(MailForm::Report(Report::Read)),
        // The client turns an invitation into an entry where it lies.
        "notice" if note.has("CalendarDateTime") && note.has("$BusyName") => Kind::Entry(entry_kind(note)),
        "notice" | "(replynotice)" | "tasknotice" => Kind::Mail(MailForm::Notice),
        "bookmark" => Kind::Mail(MailForm::Bookmark),
        "trace report" | "quota report" | "database entry" => Kind::Mail(MailForm::System),
        "appointment" | "_calendar entry" => Kind::Entry(entry_kind(note)),
        "task" => Kind::Entry(EntryKind::Task),
        "person" => Kind::Contact(ContactKind::Person),
        "group" => Kind::Contact(ContactKind::Group),
        "journalentry" => Kind::Journal,
        // Documents of address books tell their type too.
        "location" | "connection" | "account" | "certificate" | "server" | "database"
            if note.text("Type").trim().eq_ignore_ascii_case(&form) =>
        {
            Kind::Other("settings of an address book are not content")
        }
        "mailrule" => Kind::Other("mail rules are not content"),
        "calendarprofile" | "delegationprofile" | "repeatcache" => SETTINGS,
        "reservation" | "resource" => ROOMS,
        _ if MAIL_ITEMS.iter().any(|name| note.has(name)) => Kind::Mail(MailForm::Foreign),
        _ => Kind::Other("no form of a mail file and no items of mail"),
    }
}

/// The kind of a calendar entry: what it says itself, else its icon in views, else the letter that organizers write.
pub fn entry_kind(note: &Note) -> EntryKind {
    let by_type = match note.text("AppointmentType").trim() {
        "0" => Some(EntryKind::Appointment),
        "1" => Some(EntryKind::Anniversary),
        "2" => Some(EntryKind::AllDay),
        "3" => Some(EntryKind::Meeting),
        "4" => Some(EntryKind::Reminder),
        _ => None,
    };
    let by_icon = || match note.number("_ViewIcon")? as i64 {
        160 => Some(EntryKind::Appointment),
        63 => Some(EntryKind::Anniversary),
        9 => Some(EntryKind::AllDay),
        158 => Some(EntryKind::Meeting),
        10 => Some(EntryKind::Reminder),
        _ => None,
    };
    let by_letter = || match note.text("OrgTable").chars().next()? {
        'P' => Some(EntryKind::AllDay),
        'A' => Some(EntryKind::Anniversary),
        _ => None,
    };
    by_type.or_else(by_icon).or_else(by_letter).unwrap_or(EntryKind::Appointment)
}

/// The form without blanks; empty where the document holds its own form.
pub fn form(note: &Note) -> String {
    note.text("Form").trim().to_owned()
}
