//! The reader of Domino XML (DXL): exports of mail files as text, read as a stream and never written.
//!
//! Reading order: `source` is the contract; `index` finds the documents in a first pass, `document` reads one of them at
//! its place, with `richtext`, `fonts` and `value` for what it holds; below them `xml` gives elements, `data` long character
//! data as a stream, and `text` the file as UTF-8.
//!
//! Notes documents come out as from a database: items with types and stored values. Memory grows with the number of
//! documents only; nothing of a DTD is loaded.

mod access;
mod data;
mod document;
mod fonts;
mod index;
mod richtext;
mod source;
mod text;
mod value;
mod xml;

pub use source::{DxlSource, RECOGNITION_BYTES, glance, is_dxl, is_dxl_file};
