//! How content travels: an action is answered by a run of records, which is cut into numbered chunks.
//!
//! The migrator writes with a [`ChunkWriter`] and sends each chunk as a `data` call; `server::communication` checks
//! number and checksum and keeps the bytes; `server::migration` reads them with a [`ChunkReader`]. Neither side holds
//! more than one chunk beside the note that is being put together, and attachments are never whole in memory.
//!
//! ```text
//! answer  = nonce | source folder* | (listed | set-aside)* | (item | set-aside)*   and then   end
//! item    = item-head loss* note (related note)* (file file-block*)* item-end
//! note    = (value value-block*)*
//! ```
//!
//! A record never spans two chunks. An item whose reading fails on the way is taken back by a set-aside in its place.

mod expected;
mod numbers;
mod open_item;
mod reader;
mod record;
mod writer;

pub use reader::{ChunkError, ChunkReader, FileBlock, Place, ReadError, Receiver};
pub use writer::{ChunkWriter, WriteError};

use super::forms::{bounded_list, numbered};
use super::ids::ChunkNumber;
use crate::base::limits::CHUNK_BYTES;
use crate::model::content::{ListedItem, SourceItem, SourceItemId};
use crate::model::folder::Folder;
use crate::model::loss::SetAside;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A numbered piece of an answer.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chunk {
    number: ChunkNumber,
    last: bool,
    checksum: [u8; 32],
    #[serde(with = "serde_bytes")]
    payload: Vec<u8>,
}

impl Chunk {
    /// A chunk with its checksum. Made by [`ChunkWriter`], and by the data buffer out of what it kept.
    pub fn new(number: ChunkNumber, last: bool, payload: Vec<u8>) -> Self {
        Self { number, last, checksum: checksum(number, last, &payload), payload }
    }

    pub fn number(&self) -> ChunkNumber {
        self.number
    }

    /// Whether the answer ends with this chunk.
    pub fn is_last(&self) -> bool {
        self.last
    }

    /// The records; at most [`CHUNK_BYTES`].
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// Whether it is what the writer made: of a fitting size, with the right checksum.
    pub fn is_intact(&self) -> bool {
        let fits = (1..=CHUNK_BYTES).contains(&self.payload.len());
        fits && self.checksum == checksum(self.number, self.last, &self.payload)
    }
}

impl fmt::Debug for Chunk {
    /// Without the content, which is somebody's mail.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Chunk({}, {} bytes, last: {})", self.number, self.payload.len(), self.last)
    }
}

/// BLAKE3 over number, end mark and records, so that a chunk cannot pass for another one.
fn checksum(number: ChunkNumber, last: bool, payload: &[u8]) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new_derive_key("notesferry chunk 1");
    hasher.update(&number.0.to_le_bytes()).update(&[u8::from(last)]).update(payload);
    *hasher.finalize().as_bytes()
}

/// What a source says of itself before its folders.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceFacts {
    /// The title of a database.
    pub title: String,
    /// The owner of the mail file as a Notes name, where the source names one.
    pub owner: Option<String>,
    /// What is odd about the source as a whole, in sentences.
    #[serde(with = "bounded_list")]
    pub warnings: Vec<String>,
    /// Another program changes the source right now; it is not to be read as if it were complete.
    pub in_use: Option<String>,
}

/// How an answer ends.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct End {
    /// The last id of a page of the listing, if more may follow.
    pub next: Option<SourceItemId>,
    /// The source changed since it was opened, in a sentence: the pass is not final.
    pub changed: Option<String>,
    /// The action could not be done, or not to its end. What was sent before stands.
    pub failure: Option<Failure>,
}

/// Why an action could not be done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    pub kind: FailureKind,
    /// For a person.
    pub detail: String,
}

numbered! {
    /// What the server decides by; an unknown kind is tried again like `ReadFailed`.
    FailureKind {
        /// The source cannot be opened: missing, no permission, no connection.
        CannotOpen = 1,
        /// It is not what the connector says it is.
        WrongKind = 2,
        /// Another program has it open or changes it.
        InUse = 3,
        /// It is encrypted as a whole.
        Encrypted = 4,
        /// Reading began and failed.
        ReadFailed = 5,
        /// The migrator does not know this action.
        NotUnderstood = 6,
    }
}

/// What a reader makes of the records.
#[derive(Clone, Debug)]
pub enum Arrived {
    /// The number of a test action.
    Nonce(u64),
    Source(SourceFacts),
    Folder(Folder),
    Listed(ListedItem),
    /// The item is listed but cannot be read. Blocks that came before of an item with this id are void.
    SetAside {
        id: SourceItemId,
        set_aside: SetAside,
    },
    /// A whole item.
    Item {
        id: SourceItemId,
        item: Box<SourceItem>,
    },
    /// Nothing follows.
    End(End),
}

/// What one part of an item (an item of its note, a loss, a file without its body) counts in memory, so that a great
/// many small ones are limited like a few large ones. `bytes` are those of its texts and value.
fn weight(bytes: usize) -> u64 {
    const PART_BYTES: u64 = 128;
    PART_BYTES + bytes as u64
}
