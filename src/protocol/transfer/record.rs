//! The records inside chunks: the outside forms of what `model` and `notes` hold, and their conversions.
//!
//! Members of an enum and fields of a struct travel by position, so both only change with the protocol's version.
//! Texts and bytes stay borrowed from the chunk; whatever holds most bytes stands last.

use super::numbers;
use super::{End, Failure, SourceFacts};
use crate::model::content::{Content, File, FileBody, ListedItem, SourceItem, SourceItemId};
use crate::model::folder::{Folder, FolderId, FolderPath};
use crate::model::item::{ItemVersion, Origin};
use crate::model::loss::{Loss, SetAside};
use crate::notes::document::{Note, NoteClass, NoteStatus};
use crate::notes::file_object::{Compression, FileObject};
use crate::notes::ids::{NoteId, ReplicaId, Unid};
use crate::notes::item::{Item, ItemFlags, ItemType};
use crate::notes::timedate::Timedate;
use crate::notes::value::Text;
use crate::protocol::forms::bounded_list;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
pub enum Record<'a> {
    Nonce(u64),
    Source(SourceFacts),
    #[serde(borrow)]
    Folder(FolderForm<'a>),
    Listed(ListedForm),
    SetAside(SetAsideForm<'a>),
    ItemHead(ItemHead<'a>),
    Loss(LossForm<'a>),
    Value(ValueHead<'a>),
    ValueBlock(ValueBlock<'a>),
    File(FileHead<'a>),
    FileBlock(FileBlockForm<'a>),
    /// With the number of the item, from 0 in each answer.
    ItemEnd(u32),
    End(EndForm),
    /// Another document that belongs to the item; its values follow.
    Related(NoteHead),
}

#[derive(Serialize, Deserialize)]
pub struct FolderForm<'a> {
    id: u32,
    #[serde(borrow, with = "bounded_list")]
    path: Vec<&'a str>,
    role: u16,
    documents: u64,
}

#[derive(Serialize, Deserialize)]
enum OriginForm {
    Notes { replica: u64, unid: [u8; 16] },
}

#[derive(Serialize, Deserialize)]
struct VersionForm {
    sequence: u32,
    time: [u32; 2],
}

#[derive(Serialize, Deserialize)]
pub struct ListedForm {
    id: u64,
    origin: OriginForm,
    version: VersionForm,
    folders: Vec<u32>,
    unread: Option<bool>,
    relatives: u64,
}

#[derive(Serialize, Deserialize)]
pub struct SetAsideForm<'a> {
    pub id: u64,
    reason: u16,
    detail: &'a str,
}

#[derive(Serialize, Deserialize)]
pub struct LossForm<'a> {
    kind: u16,
    pub detail: &'a str,
}

/// What is known of an item before its parts, and how many parts follow.
#[derive(Serialize, Deserialize)]
pub struct ItemHead<'a> {
    /// Counts the items of an answer from 0.
    pub item: u32,
    pub id: u64,
    origin: OriginForm,
    version: VersionForm,
    #[serde(borrow)]
    parent_message_id: Option<([u8; 16], &'a str)>,
    losses: u32,
    related: u32,
    content: ContentHead,
}

#[derive(Serialize, Deserialize)]
enum ContentHead {
    Note(NoteHead),
}

#[derive(Serialize, Deserialize)]
pub struct NoteHead {
    note_id: u32,
    unid: [u8; 16],
    sequence: u32,
    sequence_time: [u32; 2],
    status: u16,
    class: u16,
    modified: [u32; 2],
    added: [u32; 2],
    parent: Option<u32>,
    items: u32,
    files: u32,
}

/// An item of a note with the first bytes of its value.
#[derive(Serialize, Deserialize)]
pub struct ValueHead<'a> {
    pub name: &'a str,
    flags: u16,
    item_type: u16,
    /// Of the whole value.
    pub length: u64,
    #[serde(with = "serde_bytes")]
    pub bytes: &'a [u8],
}

/// More of the value.
#[derive(Serialize, Deserialize)]
pub struct ValueBlock<'a> {
    pub offset: u64,
    #[serde(with = "serde_bytes")]
    pub bytes: &'a [u8],
}

#[derive(Serialize, Deserialize)]
pub struct FileHead<'a> {
    pub name: &'a str,
    name_damaged: bool,
    object_id: u32,
    host: u16,
    compression: u16,
    attributes: u16,
    flags: u16,
    size: u32,
    created: [u32; 2],
    modified: [u32; 2],
    #[serde(borrow)]
    pub body: BodyForm<'a>,
}

#[derive(Serialize, Deserialize)]
pub enum BodyForm<'a> {
    /// The length; the bytes follow in blocks.
    Read(u64),
    #[serde(borrow)]
    Lost(LossForm<'a>),
}

#[derive(Serialize, Deserialize)]
pub struct FileBlockForm<'a> {
    pub item: u32,
    pub file: u32,
    pub offset: u64,
    #[serde(with = "serde_bytes")]
    pub bytes: &'a [u8],
}

#[derive(Serialize, Deserialize)]
pub struct EndForm {
    next: Option<u64>,
    changed: Option<String>,
    failure: Option<Failure>,
}

impl From<&Origin> for OriginForm {
    fn from(origin: &Origin) -> Self {
        match origin {
            Origin::Notes { replica, unid } => Self::Notes { replica: replica.0, unid: unid.0 },
        }
    }
}

impl From<OriginForm> for Origin {
    fn from(form: OriginForm) -> Self {
        match form {
            OriginForm::Notes { replica, unid } => {
                Self::Notes { replica: ReplicaId(replica), unid: Unid(unid) }
            }
        }
    }
}

impl From<ItemVersion> for VersionForm {
    fn from(version: ItemVersion) -> Self {
        Self { sequence: version.sequence, time: version.time }
    }
}

impl From<VersionForm> for ItemVersion {
    fn from(form: VersionForm) -> Self {
        Self { sequence: form.sequence, time: form.time }
    }
}

impl<'a> From<&'a Folder> for FolderForm<'a> {
    fn from(folder: &'a Folder) -> Self {
        Self {
            id: folder.id.0,
            path: folder.path.parts().iter().map(String::as_str).collect(),
            role: numbers::role_number(folder.role),
            documents: folder.documents,
        }
    }
}

impl From<FolderForm<'_>> for Folder {
    fn from(form: FolderForm<'_>) -> Self {
        Self {
            id: FolderId(form.id),
            path: FolderPath::new(form.path),
            role: numbers::role(form.role),
            documents: form.documents,
        }
    }
}

impl From<&ListedItem> for ListedForm {
    fn from(listed: &ListedItem) -> Self {
        Self {
            id: listed.id.0,
            origin: OriginForm::from(&listed.origin),
            version: listed.version.into(),
            folders: listed.folders.iter().map(|folder| folder.0).collect(),
            unread: listed.unread,
            relatives: listed.relatives,
        }
    }
}

impl From<ListedForm> for ListedItem {
    fn from(form: ListedForm) -> Self {
        Self {
            id: SourceItemId(form.id),
            origin: form.origin.into(),
            version: form.version.into(),
            folders: form.folders.into_iter().map(FolderId).collect(),
            unread: form.unread,
            relatives: form.relatives,
        }
    }
}

impl<'a> SetAsideForm<'a> {
    pub fn new(id: SourceItemId, set_aside: &'a SetAside) -> Self {
        Self { id: id.0, reason: numbers::reason_number(set_aside.reason), detail: &set_aside.detail }
    }

    pub fn set_aside(&self) -> SetAside {
        numbers::set_aside(self.reason, self.detail)
    }
}

impl<'a> From<&'a Loss> for LossForm<'a> {
    fn from(loss: &'a Loss) -> Self {
        Self { kind: numbers::loss_number(loss.kind), detail: &loss.detail }
    }
}

impl From<&LossForm<'_>> for Loss {
    fn from(form: &LossForm<'_>) -> Self {
        numbers::loss(form.kind, form.detail)
    }
}

impl<'a> ItemHead<'a> {
    /// The head of the item that is number `item` of the answer.
    pub fn new(item: u32, id: SourceItemId, source: &'a SourceItem, note: &Note, files: &[File]) -> Self {
        let parent = source.parent_message_id.as_ref();
        Self {
            item,
            id: id.0,
            origin: OriginForm::from(&source.origin),
            version: source.version.into(),
            parent_message_id: parent.map(|(unid, message_id)| (unid.0, message_id.as_str())),
            losses: source.losses.len() as u32,
            related: source.related.len() as u32,
            content: ContentHead::Note(NoteHead::new(note, files)),
        }
    }

    /// The item without its parts, and how many of them follow.
    pub fn into_item(self) -> (SourceItem, Parts) {
        let ContentHead::Note(head) = self.content;
        let Self { losses, related, .. } = self;
        let parts = Parts { losses, items: head.items, related, files: head.files };
        let item = SourceItem {
            origin: self.origin.into(),
            version: self.version.into(),
            content: Content::Note { note: Box::new(head.into()), files: Vec::new() },
            parent_message_id: self.parent_message_id.map(|(unid, id)| (Unid(unid), id.to_owned())),
            related: Vec::new(),
            losses: Vec::new(),
        };
        (item, parts)
    }
}

/// How many parts of an item are still to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parts {
    pub losses: u32,
    /// Of the note that is arriving.
    pub items: u32,
    pub related: u32,
    pub files: u32,
}

impl NoteHead {
    /// The head of a note, which its items and files follow.
    pub fn new(note: &Note, files: &[File]) -> Self {
        Self {
            note_id: note.note_id.0,
            unid: note.unid.0,
            sequence: note.sequence,
            sequence_time: note.sequence_time.0,
            status: note.status.0,
            class: note.class.0,
            modified: note.modified.0,
            added: note.added.0,
            parent: note.parent.map(|id| id.0),
            items: note.items.len() as u32,
            files: files.len() as u32,
        }
    }
}

impl NoteHead {
    /// How many items follow.
    pub fn items(&self) -> u32 {
        self.items
    }
}

impl From<NoteHead> for Note {
    fn from(head: NoteHead) -> Self {
        Self {
            note_id: NoteId(head.note_id),
            unid: Unid(head.unid),
            sequence: head.sequence,
            sequence_time: Timedate(head.sequence_time),
            status: NoteStatus(head.status),
            class: NoteClass(head.class),
            modified: Timedate(head.modified),
            added: Timedate(head.added),
            parent: head.parent.map(NoteId),
            items: Vec::new(),
        }
    }
}

impl<'a> ValueHead<'a> {
    /// The head of an item with the first `count` bytes of its value.
    pub fn new(item: &'a Item, count: usize) -> Self {
        Self {
            name: &item.name,
            flags: item.flags.0,
            item_type: item.item_type.0,
            length: item.value.len() as u64,
            bytes: &item.value[..count],
        }
    }

    /// The item with what is there of its value.
    pub fn item(&self) -> Item {
        Item {
            name: self.name.to_owned(),
            flags: ItemFlags(self.flags),
            item_type: ItemType(self.item_type),
            value: self.bytes.to_vec(),
        }
    }
}

impl<'a> From<&'a File> for FileHead<'a> {
    fn from(file: &'a File) -> Self {
        let descriptor = &file.descriptor;
        Self {
            name: &descriptor.name.text,
            name_damaged: descriptor.name.damaged,
            object_id: descriptor.object_id,
            host: descriptor.host,
            compression: descriptor.compression.code(),
            attributes: descriptor.attributes,
            flags: descriptor.flags,
            size: descriptor.size,
            created: descriptor.created.0,
            modified: descriptor.modified.0,
            body: match &file.body {
                FileBody::Read(blob) => BodyForm::Read(blob.len()),
                FileBody::Lost(loss) => BodyForm::Lost(loss.into()),
            },
        }
    }
}

impl FileHead<'_> {
    pub fn descriptor(&self) -> FileObject {
        FileObject {
            object_id: self.object_id,
            name: Text { text: self.name.to_owned(), damaged: self.name_damaged },
            host: self.host,
            compression: Compression::from_stored(self.compression),
            attributes: self.attributes,
            flags: self.flags,
            size: self.size,
            created: Timedate(self.created),
            modified: Timedate(self.modified),
        }
    }
}

impl From<&End> for EndForm {
    fn from(end: &End) -> Self {
        Self { next: end.next.map(|id| id.0), changed: end.changed.clone(), failure: end.failure.clone() }
    }
}

impl From<EndForm> for End {
    fn from(form: EndForm) -> Self {
        Self { next: form.next.map(SourceItemId), changed: form.changed, failure: form.failure }
    }
}
