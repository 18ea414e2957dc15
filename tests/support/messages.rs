//! Small messages with a key header, as conversion would make them.

use notesferry::model::delivery::{Delivery, Flags};
use notesferry::model::folder::FolderPath;
use notesferry::model::item::{ItemKey, MailboxId, Origin};
use notesferry::model::rendered::{Rendered, Segment};
use notesferry::notes::ids::{ReplicaId, Unid};
use std::sync::Arc;

/// 2024-03-09 16:00 UTC.
pub const DATE_MS: i64 = 1_710_000_000_000;

pub fn mailbox() -> MailboxId {
    MailboxId("test:/mailbox".to_owned())
}

pub fn origin(number: u32) -> Origin {
    let mut unid = [0; 16];
    unid[..4].copy_from_slice(&number.to_be_bytes());
    Origin::Notes { replica: ReplicaId(0x8525_6A2B_0012_3456), unid: Unid(unid) }
}

pub fn key(number: u32) -> ItemKey {
    ItemKey { mailbox: mailbox(), origin: origin(number) }
}

pub fn folder(parts: &[&str]) -> FolderPath {
    FolderPath::new(parts.iter().copied())
}

/// The bytes of message `number` with a body.
pub fn message_bytes(number: u32, body: &str) -> Vec<u8> {
    let origin = origin(number);
    format!("X-Notesferry-Key: {origin}\r\nSubject: Message {number}\r\n\r\n{body}\r\n").into_bytes()
}

pub fn delivery(number: u32, folder: &FolderPath, body: &str) -> Delivery {
    Delivery {
        key: key(number),
        folder: folder.clone(),
        rendered: Arc::new(Rendered::new(vec![Segment::Bytes(message_bytes(number, body))])),
        object: None,
        flags: Flags { seen: true, ..Flags::default() },
        internal_date_ms: DATE_MS,
        message_id: format!("{number}@example.com"),
        subject: format!("Message {number}"),
    }
}
