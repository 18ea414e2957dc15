//! The native reader of Notes databases (NSF, NTF): no Notes client, no memory map, never a write.
//!
//! Reading order: `header` leads to `superblock` (maps) and `names` (item names, list of RRV buckets); `rrv` tells
//! where a note lies, `buckets` and `bucket` give its record, `note` its items; `object`, `attachment`, `packing`,
//! `huffman` and `daos` give what lies outside notes; `folders` and `unread` what belongs to users, `access`
//! who may do what; `source` is the contract.
//!
//! Damage costs what is damaged: every size is checked against the file, and what cannot be read is named.

mod access;
mod attachment;
mod bucket;
mod buckets;
pub mod census;
pub mod cx;
mod daos;
pub mod database;
pub(in crate::sources) mod file;
pub mod folders;
mod header;
pub mod huffman;
mod in_use;
mod names;
mod note;
mod object;
pub(in crate::sources) mod packing;
mod related;
mod rrv;
mod source;
mod superblock;
pub mod unread;
pub(in crate::sources) mod view;

pub use daos::DaosFolders;
pub use source::{NsfSource, glance};
