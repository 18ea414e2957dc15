//! The Notes world without any input or output: ids, times, text, item values, rich-text records.
//!
//! Readers (`sources`) fill these types, `conversion` and `inspect` interpret them, `forge` builds them.

pub mod address_book;
pub mod bytes;
pub mod document;
pub mod encode;
pub mod file_object;
pub mod id_table;
pub mod ids;
pub mod item;
pub mod lmbcs;
pub mod mime_part;
pub mod names;
pub mod richtext;
pub mod timedate;
pub mod value;
