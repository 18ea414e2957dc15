//! Bytes of known length that need not be in memory: an attachment in a database, a spooled body.
//!
//! A blob can be read any number of times, so a message can be written again and a batch split in halves.

use std::fmt;
use std::io::{self, Cursor, Read};
use std::sync::Arc;

/// Where the bytes of a large blob come from.
pub trait OpenBlob: Send + Sync {
    /// A reader over the whole blob from its first byte.
    ///
    /// # Errors
    /// Whatever kept the first block from being read.
    fn open(&self) -> io::Result<Box<dyn Read + Send + '_>>;
}

#[derive(Clone)]
enum Bytes {
    Memory(Arc<[u8]>),
    Stored(Arc<dyn OpenBlob>),
}

/// A blob: its exact length, its first bytes, and a way to read it.
#[derive(Clone)]
pub struct Blob {
    length: u64,
    head: Arc<[u8]>,
    bytes: Bytes,
}

impl Blob {
    /// How many of the first bytes are at hand without reading, for recognising the content.
    pub const HEAD_BYTES: usize = 512;

    /// A blob that is already in memory.
    pub fn memory(bytes: impl Into<Arc<[u8]>>) -> Self {
        let bytes = bytes.into();
        let head = bytes[..bytes.len().min(Self::HEAD_BYTES)].into();
        Self { length: bytes.len() as u64, head, bytes: Bytes::Memory(bytes) }
    }

    /// A blob that stays where it is. `length` must be exact: lengths of messages are computed from it, and a
    /// reader that gives fewer or more bytes makes writing fail.
    pub fn stored(length: u64, head: &[u8], source: Arc<dyn OpenBlob>) -> Self {
        let head = head[..head.len().min(Self::HEAD_BYTES)].into();
        Self { length, head, bytes: Bytes::Stored(source) }
    }

    pub fn len(&self) -> u64 {
        self.length
    }

    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// The first bytes, at most [`Blob::HEAD_BYTES`].
    pub fn head(&self) -> &[u8] {
        &self.head
    }

    /// The bytes, if they are in memory.
    pub fn in_memory(&self) -> Option<&[u8]> {
        match &self.bytes {
            Bytes::Memory(bytes) => Some(bytes),
            Bytes::Stored(_) => None,
        }
    }

    /// A reader from the first byte.
    ///
    /// # Errors
    /// As [`OpenBlob::open`].
    pub fn open(&self) -> io::Result<Box<dyn Read + Send + '_>> {
        match &self.bytes {
            Bytes::Memory(bytes) => Ok(Box::new(Cursor::new(&bytes[..]))),
            Bytes::Stored(source) => source.open(),
        }
    }
}

impl fmt::Debug for Blob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Blob({} bytes)", self.length)
    }
}
