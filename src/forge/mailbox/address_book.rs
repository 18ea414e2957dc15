//! The directory of the company that [`super::forge`] makes mailboxes of: its people, a group and a room.

use super::other;
use super::people::{OWNER, Person};
use super::{START_MS, ZONE_MINUTES};
use crate::forge::ForgeError;
use crate::forge::database::{Options, Summary, Writer};
use crate::forge::note::{ItemSpec, NoteSpec, unid};
use crate::forge::version::Version;
use crate::notes::ids::ReplicaId;
use crate::notes::timedate::Timedate;
use std::path::Path;

/// Forges the directory (`names.nsf`) of the company.
///
/// # Errors
/// If `path` exists or cannot be written.
pub fn forge_address_book(path: &Path, version: Version) -> Result<Summary, ForgeError> {
    let created = Timedate::from_unix_ms(START_MS, ZONE_MINUTES);
    let mut writer = Writer::create(
        path,
        Options {
            version,
            title: "Example's Directory".to_owned(),
            inherits: "StdR9PublicAddressBook".to_owned(),
            replica_id: ReplicaId::from_innards([1, created.0[1]]),
            created,
            newest_ids_in_superblock_only: true,
        },
    )?;
    let mut entries: Vec<Vec<ItemSpec>> = Person::company().map(listed).collect();
    entries.push(vec![
        ItemSpec::text("Form", "Group"),
        ItemSpec::text("Type", "Group"),
        ItemSpec::text("ListName", "Sales Team"),
        ItemSpec::texts("Members", &[OWNER.in_notes(), Person::by_number(0).in_notes()]),
    ]);
    entries.push(vec![
        ItemSpec::text("Form", "Database"),
        ItemSpec::text("Type", "Database"),
        ItemSpec::text("FullName", "CN=Blue Room/O=Munich"),
        ItemSpec::text("InternetAddress", "blue.room@example.com"),
    ]);
    entries.push(vec![ItemSpec::text("Form", "Server"), ItemSpec::text("Type", "Server")]);
    for (number, items) in (1..).zip(entries) {
        let time = Timedate::from_unix_ms(START_MS + number * 1_000, ZONE_MINUTES);
        writer.add_note(&NoteSpec::document(unid(number as u64, time), time).with(items))?;
    }
    writer.finish()
}

fn listed(person: Person) -> Vec<ItemSpec> {
    let mut items = other::person(person);
    items.push(ItemSpec::text("MailDomain", "Example"));
    items
}
