//! What travels from a source to a destination; no input or output, no outside forms.
//!
//! `sources` make [`content::SourceItem`], `conversion` turns it into [`rendered::Rendered`], `destinations` store
//! that, and `store` remembers the [`outcome::Outcome`]. Nothing here is serializable: `store::record` owns the forms
//! on disk.

pub mod blob;
pub mod content;
pub mod delivery;
pub mod explanation;
pub mod filter;
pub mod folder;
pub mod item;
pub mod loss;
pub mod object;
pub mod outcome;
pub mod rendered;
pub mod rich_text;
pub mod summary;
