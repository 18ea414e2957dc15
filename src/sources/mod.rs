//! The contract of every kind of source: bytes of others become `model`.
//!
//! Implementations never write to what they read. The kit in `tests/support/source_kit.rs` tests what they claim.

pub mod access;
mod contacts;
pub mod dxl;
mod kin;
pub mod nsf;
pub mod registry;

use crate::model::content::{ListedItem, SourceItem, SourceItemId};
use crate::model::folder::Folder;
use crate::notes::document::Note;
use access::AccessEntry;
use std::path::PathBuf;

/// What a kind of source can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Traits {
    /// Folders come with the documents they list.
    pub folders: bool,
    /// The source may know which items the owner has not read.
    pub unread_marks: bool,
}

/// What a source says of itself before the first item.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SourceInfo {
    /// Shown to people: the title of a database.
    pub title: String,
    /// The owner of the mail file as a Notes name, where the source names one.
    pub owner: Option<String>,
    /// What is odd about the source as a whole, in sentences; shown and reported.
    pub warnings: Vec<String>,
    /// The source is being changed by another program right now, so it must not be read as if it were complete.
    pub in_use: Option<String>,
}

/// What the head of a source shows, for a list of what there is: nothing else of it is read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Glance {
    pub title: String,
    /// As in [`SourceInfo`], where the head names one.
    pub owner: Option<String>,
    /// As in [`SourceInfo`].
    pub in_use: Option<String>,
}

/// Where a listing goes on: the last id of the page before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor(pub SourceItemId);

/// One page of a listing.
#[derive(Clone, Debug, Default)]
pub struct Page {
    pub items: Vec<ListedItem>,
    /// Items that are listed by the source but cannot be read, with the reason.
    pub unreadable: Vec<(SourceItemId, String)>,
    /// Where the next page starts; `None` after the last.
    pub next: Option<Cursor>,
}

/// Why a source did not give what was asked.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    #[error("{path} cannot be opened: {error}")]
    Open { path: PathBuf, error: std::io::Error },
    #[error("{path} is not a Notes database: {why}")]
    NotADatabase { path: PathBuf, why: String },
    /// Another program has the source open or changes it.
    #[error("{path} is in use: {why}")]
    InUse { path: PathBuf, why: String },
    #[error("{path} is encrypted on disk; make a copy without local encryption and use that")]
    LocallyEncrypted { path: PathBuf },
    #[error(
        "{path} was written by Notes 4 or older (ODS {ods}); compact a copy with Notes 5 or later and use that"
    )]
    TooOld { path: PathBuf, ods: u32 },
    #[error("reading {path} failed: {error}")]
    Read { path: PathBuf, error: std::io::Error },
    /// One item is damaged; the others can be read.
    #[error("item {id:?} cannot be read: {why}")]
    Unreadable { id: SourceItemId, why: String },
}

/// One mailbox, opened for reading. Implementations never write to it.
pub trait Source {
    /// What this kind of mailbox can do; the kit tests exactly what is claimed.
    fn traits(&self) -> Traits;

    /// What the source says of itself.
    fn info(&self) -> SourceInfo;

    /// How many attachments have their bytes outside the source. Takes a look at every document with attachments.
    fn external_files(&mut self) -> u64 {
        0
    }

    /// Looks again whether the source changed since it was opened; a sentence if it did. A pass whose source
    /// changed while it ran is not final.
    ///
    /// # Errors
    /// When the source cannot be looked at any more.
    fn changed(&mut self) -> Result<Option<String>, SourceError>;

    /// The folders. Their documents are named by the listed items.
    ///
    /// # Errors
    /// When the source as a whole cannot be read.
    fn folders(&mut self) -> Result<Vec<Folder>, SourceError>;

    /// The owner's settings, which are documents and no items: profiles of calendar, delegation and the like. None where
    /// the source does not know them.
    fn profiles(&mut self) -> Vec<Note> {
        Vec::new()
    }

    /// Who has which access to the database. Nobody where the source does not know.
    ///
    /// # Errors
    /// A sentence when there is a list and it cannot be read.
    fn access(&mut self) -> Result<Vec<AccessEntry>, String> {
        Ok(Vec::new())
    }

    /// Up to `limit` items after `from`, in an order that repeats on every run.
    ///
    /// # Errors
    /// When the source as a whole cannot be read; a damaged item is a line in the page.
    fn list(&mut self, from: Option<Cursor>, limit: u32) -> Result<Page, SourceError>;

    /// One item. A part of it that cannot be read becomes a loss inside the item.
    ///
    /// # Errors
    /// When nothing of the item can be read.
    fn open(&mut self, id: SourceItemId) -> Result<SourceItem, SourceError>;
}
