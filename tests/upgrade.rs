//! Files that earlier schemas wrote still open, and every record in them reads as it was meant.
//!
//! Each file in `upgrade/` was written by the release that introduced its schema: `forge --mails 12 --seed 3`, carried
//! into `maildir:/srv/mail/jane`.

use notesferry::model::folder::FolderPath;
use notesferry::model::item::MailboxId;
use notesferry::model::outcome::Outcome;
use notesferry::store::{Entry, StateStore};
use std::fs;

#[test]
fn the_ledger_of_schema_1_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let packed = &include_bytes!("upgrade/state-schema-1.redb.zst")[..];
    let path = folder.path().join(StateStore::FILE_NAME);
    fs::write(&path, zstd::stream::decode_all(packed).unwrap()).unwrap();
    let mailbox = MailboxId("maildir:/srv/mail/jane".to_owned());
    // The second time it is a file of the present schema.
    for _ in 0..2 {
        let store = StateStore::open(folder.path()).unwrap();
        let entries = store.entries(&mailbox, None, 100).unwrap();
        assert_eq!(entries.len(), 13);
        let delivered = entries.iter().filter(|(_, entry)| entry.outcome == Outcome::Delivered);
        assert!(delivered.clone().all(|(_, entry)| entry.pass.is_none() && !entry.placements.is_empty()));
        assert_eq!(delivered.count(), 12);
        assert!(store.knows_folder(&mailbox, &FolderPath::inbox()).unwrap());
        let page = store.entries(&mailbox, Some(&entries[4].0.to_string()), 5).unwrap();
        assert_eq!(page, entries[5..10]);
    }
}

#[test]
fn the_ledger_of_schema_3_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let packed = &include_bytes!("upgrade/state-schema-3.redb.zst")[..];
    fs::write(folder.path().join(StateStore::FILE_NAME), zstd::stream::decode_all(packed).unwrap()).unwrap();
    let mailbox = MailboxId("maildir:/srv/mail/jane".to_owned());
    for _ in 0..2 {
        let store = StateStore::open(folder.path()).unwrap();
        let entries = store.entries(&mailbox, None, 100).unwrap();
        assert_eq!(entries.len(), 17);
        let is_delivered = |entry: &Entry| entry.outcome == Outcome::Delivered && entry.left_out.is_none();
        assert!(entries.iter().all(|(_, entry)| is_delivered(entry)));
    }
}
