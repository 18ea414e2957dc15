//! Any bytes as the records of a text, a font table and links: they become one message, the same every time.
#![no_main]

use libfuzzer_sys::fuzz_target;
use notesferry::conversion::{Context, Directory, convert};
use notesferry::model::content::{Content, SourceItem};
use notesferry::model::item::{ItemVersion, Origin};
use notesferry::notes::document::{Note, NoteClass};
use notesferry::notes::ids::{ReplicaId, Unid};
use notesferry::notes::item::{Item, ItemFlags, ItemType};

fuzz_target!(|input: &[u8]| {
    // The first byte tells where the first item ends.
    let Some((&at, records)) = input.split_first() else { return };
    let (first, second) = records.split_at(records.len() * usize::from(at) / 256);
    let item = |name: &str, item_type, value: &[u8]| Item {
        name: name.to_owned(),
        flags: ItemFlags::default(),
        item_type,
        value: value.to_vec(),
    };
    let note = Note {
        class: NoteClass::DOCUMENT,
        items: vec![
            item("Form", ItemType::TEXT, b"Memo"),
            item("Body", ItemType::COMPOSITE, first),
            item("Body", ItemType::COMPOSITE, second),
            item("$Fonts", ItemType::COMPOSITE, first),
            item("$Links", ItemType::NOTELINK_LIST, second),
        ],
        ..Note::default()
    };
    let replica = ReplicaId::default();
    let item = SourceItem {
        origin: Origin::Notes { replica, unid: Unid::default() },
        version: ItemVersion::default(),
        content: Content::Note { note: Box::new(note), files: Vec::new() },
        parent_message_id: None,
        related: Vec::new(),
        losses: Vec::new(),
    };
    let directory = Directory::default();
    let context = Context::bare(replica, &directory, 1_800_000_000_000);
    let message = || {
        let converted = convert(&item, &[], None, &context).expect("a memo becomes a message");
        let mut bytes = Vec::new();
        converted.rendered.write_to(&mut bytes).expect("memory takes everything");
        assert_eq!(bytes.len() as u64, converted.rendered.len());
        bytes
    };
    assert!(message() == message());
});
