//! Notes documents to standard text: pure functions without clock, thread, socket or file.
//!
//! Called by `modes::migrate` (later by the server's pool) with an item that a source opened; gives a finished
//! message or the reason why there is none. What could not be carried over is in the list of losses, always.

mod attachment;
mod composite;
mod date;
mod filing;
mod font;
mod html;
mod image;
mod link;
mod losses;
mod message;
mod plain;
mod state;

use crate::model::content::SourceItem;
use crate::model::delivery::Flags;
use crate::model::folder::{Folder, FolderPath};
use crate::model::loss::{Loss, SetAside, SetAsideReason};
use crate::model::rendered::Rendered;
use crate::notes::ids::{ReplicaId, Unid};

/// Counts the changes of conversion rules; the ledger keeps it with each item. A new version re-delivers only on
/// order.
pub const CONVERTER_VERSION: u32 = 1;

/// What conversion knows beside the item itself.
pub struct Context<'a> {
    pub replica: ReplicaId,
    /// The owner of the mail file as a Notes name, where it is known.
    pub owner: Option<&'a str>,
    /// The time of the run, for the check of implausible dates: milliseconds since 1970-01-01 00:00 UTC.
    pub now_unix_ms: i64,
    /// Also convert documents that are no mail, as messages that list their items.
    pub all_documents: bool,
    /// The folders of the source, for the placement of the item.
    pub folders: &'a [Folder],
    /// The Message-ID of a document of the same file.
    pub message_id_of: &'a dyn Fn(Unid) -> Option<String>,
}

/// A document that became a message.
#[derive(Clone, Debug)]
pub struct Converted {
    pub rendered: Rendered,
    /// Where it belongs at the target, each folder once; never empty.
    pub placements: Vec<FolderPath>,
    pub flags: Flags,
    /// INTERNALDATE: milliseconds since 1970-01-01 00:00 UTC.
    pub internal_date_ms: i64,
    pub message_id: String,
    pub subject: String,
    pub losses: Vec<Loss>,
}

/// Converts one item. `folders` of the listing and the unread state come with it, because they are not part of
/// the document.
///
/// # Errors
/// The reason why this item gives no message; it is set aside, never dropped.
pub fn convert(
    item: &SourceItem,
    folders: &[crate::model::folder::FolderId],
    unread: Option<bool>,
    context: &Context<'_>,
) -> Result<Converted, SetAside> {
    let _ = (item, folders, unread, context);
    Err(SetAside::new(SetAsideReason::UnknownForm, ""))
}
