//! Documents of a mail file that are neither mails nor entries: contacts and forms nobody knows.

use super::Mailbox;
use super::people::Person;
use crate::forge::ForgeError;
use crate::forge::note::{ItemSpec, NoteSpec};

/// Writes one such document; the kinds take turns.
pub(super) fn write(mailbox: &mut Mailbox, number: u64) -> Result<(), ForgeError> {
    let (unid, time) = mailbox.next_identity();
    let items = match number % 2 {
        0 => person(Person::choose(&mut mailbox.random)),
        _ => vec![ItemSpec::text("Form", "Parking Permit"), ItemSpec::number("Space", number as f64)],
    };
    mailbox.writer.add_note(&NoteSpec::document(unid, time).with(items)).map(drop)
}

fn person(person: Person) -> Vec<ItemSpec> {
    let (first, last) = person.shown.split_once(' ').unwrap_or(("", person.shown));
    vec![
        ItemSpec::text("Form", "Person"),
        ItemSpec::text("Type", "Person"),
        ItemSpec::text("FirstName", first),
        ItemSpec::text("LastName", last),
        ItemSpec::texts("FullName", &[person.in_notes()]),
        ItemSpec::text("InternetAddress", person.address),
    ]
}
