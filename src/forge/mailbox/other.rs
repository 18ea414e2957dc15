//! Documents of a mail file that are neither mails nor entries: contacts, groups, pages of a notebook, phone messages,
//! and forms nobody knows.

use super::images::PNG;
use super::people::{OWNER, Person};
use super::{Mailbox, ZONE_MINUTES};
use crate::forge::ForgeError;
use crate::forge::database::{Attachment, Compression};
use crate::forge::note::{ItemSpec, NoteSpec};
use crate::forge::richtext::{Font, RichText, Style};
use crate::notes::item::ItemFlags;
use crate::notes::timedate::Timedate;

const DAY_MS: i64 = 86_400_000;

/// Writes one such document; the kinds take turns.
pub(super) fn write(mailbox: &mut Mailbox, number: u64) -> Result<(), ForgeError> {
    let (unid, time) = mailbox.next_identity();
    if number % 2 == 1 {
        let items = [ItemSpec::text("Form", "Parking Permit"), ItemSpec::number("Space", number as f64)];
        return mailbox.writer.add_note(&NoteSpec::document(unid, time).with(items)).map(drop);
    }
    let turn = number / 2;
    let someone = Person::choose(&mut mailbox.random);
    let items = match turn % 4 {
        0 => contact(mailbox, &Card::of(Person::by_number(turn / 4)), time)?,
        1 => ideas(time),
        2 => phone_message(someone, time),
        _ => lunch(),
    };
    let mut note = NoteSpec::document(unid, time).with(items);
    note.items.push(ItemSpec::texts("$UpdatedBy", &[OWNER.in_notes()]).flagged(ItemFlags::NAMES));
    mailbox.writer.add_note(&note).map(drop)
}

/// What a directory and a personal address book both say of somebody.
pub(super) fn person(person: Person) -> Vec<ItemSpec> {
    let (first, last) = person.shown.split_once(' ').unwrap_or(("", person.shown));
    let full_name = person.notes_name.unwrap_or(person.shown);
    vec![
        ItemSpec::text("Form", "Person"),
        ItemSpec::text("Type", "Person"),
        ItemSpec::text("FirstName", first),
        ItemSpec::text("LastName", last),
        ItemSpec::texts("FullName", &[full_name, person.shown]),
        ItemSpec::text("InternetAddress", person.address),
    ]
}

/// What the owner noted of somebody.
pub(super) struct Card {
    pub who: Person,
    pub job: &'static str,
    pub phone: &'static str,
    pub mobile: &'static str,
    pub comment: &'static str,
    /// A PNG.
    pub photo: Vec<u8>,
}

impl Card {
    fn of(who: Person) -> Self {
        Self {
            who,
            job: "Lead",
            phone: "+1 555 0100",
            mobile: "+1 555 0101",
            comment: "Met at the fair.\nLikes tea.",
            photo: PNG.to_vec(),
        }
    }
}

/// An entry of the owner's own address book, with a photo.
pub(super) fn contact(
    mailbox: &mut Mailbox,
    card: &Card,
    time: Timedate,
) -> Result<Vec<ItemSpec>, ForgeError> {
    let unix_day = time.unix_ms().unwrap_or_default() / DAY_MS;
    let mut items = person(card.who);
    items.extend([
        ItemSpec::text("CompanyName", "Example, Inc."),
        ItemSpec::text("JobTitle", card.job),
        ItemSpec::text("OfficePhoneNumber", card.phone),
        ItemSpec::text("CellPhoneNumber", card.mobile),
        ItemSpec::text("OfficeStreetAddress", "Main Street 1; second floor"),
        ItemSpec::text("OfficeCity", "Springfield"),
        ItemSpec::text("OfficeZIP", "12345"),
        ItemSpec::text("OfficeCountry", "USA"),
        ItemSpec::time("Birthday", Timedate::from_unix_day(unix_day - 14_000)),
        ItemSpec::text("WebSite", "https://www.example.com/"),
        ItemSpec::text("Comment", card.comment),
        ItemSpec::texts("Categories", &["Business"]),
    ]);
    items.push(mailbox.writer.attach(Attachment {
        name: "ContactPhoto",
        data: &mut &card.photo[..],
        bytes: card.photo.len() as u64,
        compression: Compression::None,
        flags: 0,
        modified: time,
    })?);
    Ok(items)
}

fn lunch() -> Vec<ItemSpec> {
    let inside = Person::by_number(0).in_notes();
    let members = [inside.as_str(), "mary@example.org", "news@lists.example.org"];
    group("Lunch on Friday", "Who comes along", &members)
}

/// A group of the owner's own address book.
pub(super) fn group(name: &str, description: &str, members: &[&str]) -> Vec<ItemSpec> {
    vec![
        ItemSpec::text("Form", "Group"),
        ItemSpec::text("Type", "Group"),
        ItemSpec::text("GroupType", "0"),
        ItemSpec::text("ListName", name),
        ItemSpec::text("ListDescription", description),
        ItemSpec::texts("Members", members),
    ]
}

fn ideas(time: Timedate) -> Vec<ItemSpec> {
    let mut body = RichText::new();
    body.paragraph(Style::Left);
    body.text(Font::PLAIN, "What to ask at the next meeting:");
    body.line("- who owns the printer");
    body.line("- when the new office opens");
    page("Ideas", "Work", body, time)
}

/// A page of the owner's notebook.
pub(super) fn page(subject: &str, category: &str, body: RichText, time: Timedate) -> Vec<ItemSpec> {
    vec![
        ItemSpec::text("Form", "JournalEntry"),
        ItemSpec::text("Subject", subject),
        ItemSpec::time("DiaryDate", Timedate::from_unix_day(time.unix_ms().unwrap_or_default() / DAY_MS)),
        ItemSpec::texts("Categories", &[category]),
        ItemSpec::rich_text("Body", body.bytes()),
    ]
}

/// A call that a colleague took.
pub(super) fn phone_message(caller: Person, time: Timedate) -> Vec<ItemSpec> {
    let colleague = Person::by_number(1);
    let called = Timedate::from_unix_ms(time.unix_ms().unwrap_or_default() - 600_000, ZONE_MINUTES);
    vec![
        ItemSpec::text("Form", "Phone Message"),
        ItemSpec::text("From", &colleague.in_notes()).flagged(ItemFlags::NAMES),
        ItemSpec::text("INetFrom", colleague.address),
        ItemSpec::texts("SendTo", &[OWNER.in_notes()]).flagged(ItemFlags::NAMES),
        ItemSpec::texts("INetSendTo", &[OWNER.address]),
        ItemSpec::text("Subject", &format!("Call from {}", caller.shown)),
        ItemSpec::time("PostedDate", time),
        ItemSpec::time("DeliveredDate", time),
        ItemSpec::text("Contact", caller.shown),
        ItemSpec::text("Phone", "+1 555 0199"),
        ItemSpec::time("CallTime", called),
        ItemSpec::text("Body", "Please call back."),
    ]
}
