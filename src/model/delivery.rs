//! One placement on its way to a destination, and what is remembered of it before it goes.

use crate::model::folder::FolderPath;
use crate::model::item::{ItemKey, PlacementId};
use crate::model::object::ObjectKind;
use crate::model::rendered::Rendered;
use std::sync::Arc;

/// The flags of a stored message (RFC 9051 section 2.3.2), with keywords.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Flags {
    pub seen: bool,
    pub answered: bool,
    pub flagged: bool,
    pub draft: bool,
    /// `$Forwarded`, `$MDNSent`, `$Junk` and the user's own, as IMAP atoms.
    pub keywords: Vec<String>,
}

/// A message, or an object of another kind, with everything that one destination folder needs to store it.
#[derive(Clone, Debug)]
pub struct Delivery {
    pub key: ItemKey,
    pub folder: FolderPath,
    pub rendered: Arc<Rendered>,
    /// What `rendered` is if it is no message; only for destinations that said they store such.
    pub object: Option<ObjectKind>,
    pub flags: Flags,
    /// INTERNALDATE, in milliseconds since 1970-01-01 00:00 UTC.
    pub internal_date_ms: i64,
    pub message_id: String,
    /// For destinations that name files after it.
    pub subject: String,
}

impl Delivery {
    pub fn placement(&self) -> PlacementId {
        PlacementId::new(&self.key.origin, &self.folder)
    }
}

/// What is durable about a placement before its bytes leave us.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InFlight {
    pub key: ItemKey,
    pub folder: FolderPath,
    /// The folder as it was before the batch.
    pub state: FolderState,
    pub message_id: String,
    /// Length of the message in bytes.
    pub size: u64,
    /// Digest of the item at its source, so that the ledger can be completed after a crash.
    pub source_digest: [u8; 32],
    /// The older copy that this one takes the place of; reconciliation never answers with it.
    pub replaces: Option<Location>,
}

/// What a destination folder says of itself. Folders of files have neither number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FolderState {
    /// RFC 9051 section 2.3.1.1: when it changes, all UIDs are void.
    pub uid_validity: Option<u32>,
    /// A bound below which no new UID can be.
    pub uid_next: Option<u32>,
}

/// Where a placement was stored.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Location {
    /// A file, by its path below the target's root, `/` between parts, without what a mail program may change
    /// (Maildir: no `new`/`cur`, no flags).
    File {
        path: String,
    },
    Uid {
        uid_validity: u32,
        uid: u32,
    },
}
