//! Our own NSF writer: synthetic databases for demo, rehearsal, benchmarks and tests.
//!
//! Written only from the description of the format, and it shares nothing with the reader in `sources::nsf`, so that
//! the two cannot share a wrong belief unnoticed. What the forge writes never depends on clock or machine: the same
//! calls give the same bytes.
//!
//! [`database::Writer`] is the container, [`mailbox`] fills one with a believable company's mail, [`from_mails`] with
//! the messages of a Maildir or of any tree of message files.

pub mod access;
mod blocks;
mod bucket;
mod cx;
pub mod database;
mod descriptors;
mod fields;
pub mod from_mails;
mod header;
pub mod headers;
mod huffman;
pub mod mailbox;
pub mod mime;
mod nibbles;
pub mod note;
mod object;
mod output;
pub mod richtext;
mod rrv;
pub mod values;
pub mod version;

use std::path::PathBuf;

/// Why a database could not be written.
#[derive(Debug, thiserror::Error)]
pub enum ForgeError {
    #[error("{path} exists already; the forge never overwrites a file")]
    Exists { path: PathBuf },
    #[error("{path} cannot be written: {error}")]
    Write { path: PathBuf, error: std::io::Error },
    #[error("{path} cannot be read: {error}")]
    Read { path: PathBuf, error: std::io::Error },
    #[error("the data of attachment {name} has {present} bytes instead of {expected}")]
    Attachment { name: String, expected: u64, present: u64 },
    #[error("the value of item {name} is longer than 65,535 bytes")]
    Value { name: String },
    #[error("the database has more than 65,536 item names")]
    Names,
    #[error("the database would be larger than its positions can tell")]
    TooLarge,
}
