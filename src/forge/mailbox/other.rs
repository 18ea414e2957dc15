//! Documents of a mail file that are no mails: appointments, contacts, tasks and forms nobody knows.

use super::people::{OWNER, Person};
use super::prose::Prose;
use super::{Mailbox, ZONE_MINUTES};
use crate::forge::ForgeError;
use crate::forge::note::{ItemSpec, NoteSpec};
use crate::notes::timedate::Timedate;

const HOUR_MS: i64 = 3_600_000;

/// Writes one such document; the kinds take turns.
pub(super) fn write(mailbox: &mut Mailbox, number: u64) -> Result<(), ForgeError> {
    let (unid, time) = mailbox.next_identity();
    let prose = Prose::choose(&mut mailbox.random);
    let subject = ItemSpec::text("Subject", &prose.subject(&mut mailbox.random));
    let items = match number % 4 {
        0 => appointment(subject, time, mailbox.now_ms, &unid.to_string()),
        1 => person(Person::choose(&mut mailbox.random)),
        2 => vec![
            ItemSpec::text("Form", "Task"),
            subject,
            ItemSpec::text("TaskType", "1"),
            ItemSpec::time(
                "DueDateTime",
                Timedate::from_unix_ms(mailbox.now_ms + 48 * HOUR_MS, ZONE_MINUTES),
            ),
            ItemSpec::text("Importance", "2"),
        ],
        _ => vec![ItemSpec::text("Form", "Parking Permit"), ItemSpec::number("Space", number as f64)],
    };
    mailbox.writer.add_note(&NoteSpec::document(unid, time).with(items)).map(drop)
}

fn appointment(subject: ItemSpec, start: Timedate, start_ms: i64, unid: &str) -> Vec<ItemSpec> {
    let zone = "Z=-1$DO=1$DL=3 -1 1 10 -1 1$ZX=224$ZN=W. Europe";
    vec![
        ItemSpec::text("Form", "Appointment"),
        ItemSpec::text("AppointmentType", "0"),
        subject,
        ItemSpec::text("Chair", &OWNER.in_notes()),
        ItemSpec::times("StartDateTime", &[start]),
        ItemSpec::times("EndDateTime", &[Timedate::from_unix_ms(start_ms + HOUR_MS, ZONE_MINUTES)]),
        ItemSpec::times("CalendarDateTime", &[start]),
        ItemSpec::text("ApptUNID", unid),
        ItemSpec::text("StartTimeZone", zone),
    ]
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
