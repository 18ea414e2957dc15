//! One item as a source hands it over: uninterpreted, so that conversion can be improved and run again.

use crate::model::blob::Blob;
use crate::model::folder::FolderId;
use crate::model::item::{ItemVersion, Origin};
use crate::model::loss::Loss;
use crate::notes::document::Note;
use crate::notes::file_object::FileObject;
use crate::notes::ids::Unid;

/// The id by which a source finds an item again; meaningful only to the source that made it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceItemId(pub u64);

/// One line of a source's list: everything that is known without reading the item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedItem {
    pub id: SourceItemId,
    pub origin: Origin,
    pub version: ItemVersion,
    /// The folders whose lists name the item.
    pub folders: Vec<FolderId>,
    /// A digest over the versions of the documents that belong to it (see [`SourceItem::related`]), so that a change of
    /// one of them shows in the listing; 0 where there are none or the source does not look.
    pub relatives: u64,
    /// Whether the owner has not read it; `None` where the source does not know.
    pub unread: Option<bool>,
}

/// One item with everything the source knows of it.
#[derive(Clone, Debug)]
pub struct SourceItem {
    pub origin: Origin,
    pub version: ItemVersion,
    pub content: Content,
    /// The Message-ID of the document that this one answers, where the source knows both.
    pub parent_message_id: Option<(Unid, String)>,
    /// The documents that belong to this one: if it is a calendar entry or a task, those of its series, and answers; if
    /// it lost a replication conflict, the winner.
    pub related: Vec<Note>,
    /// What could not be read; the rest of the item stands.
    pub losses: Vec<Loss>,
}

/// The content of an item.
#[derive(Clone, Debug)]
pub enum Content {
    /// A Notes document and the bytes of its files, in the order of its `$FILE` items.
    Note { note: Box<Note>, files: Vec<File> },
}

/// A file of a Notes document.
#[derive(Clone, Debug)]
pub struct File {
    pub descriptor: FileObject,
    pub body: FileBody,
}

/// The bytes of a file, or why they are not there.
#[derive(Clone, Debug)]
pub enum FileBody {
    Read(Blob),
    /// Nothing usable is stored; the loss says why (elsewhere, compressed in an unknown way, damaged).
    Lost(Loss),
}
