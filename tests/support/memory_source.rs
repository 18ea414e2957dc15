//! A source in memory, which can be changed between two passes as a mailbox is.

use notesferry::conversion::Converted;
use notesferry::model::content::{Content, ListedItem, SourceItem, SourceItemId};
use notesferry::model::delivery::Flags;
use notesferry::model::folder::{Folder, FolderId, FolderPath, FolderRole};
use notesferry::model::item::ItemVersion;
use notesferry::model::loss::{SetAside, SetAsideReason};
use notesferry::model::rendered::{Rendered, Segment};
use notesferry::notes::document::Note;
use notesferry::notes::item::{Item, ItemFlags, ItemType};
use notesferry::sources::{Cursor, Page, Source, SourceError, SourceInfo, Traits};

use crate::support::messages::{DATE_MS, message_bytes, origin};

/// A document.
#[derive(Clone, Debug)]
pub struct Mail {
    pub number: u32,
    pub sequence: u32,
    pub body: String,
    /// Indexes of folders.
    pub folders: Vec<u32>,
    pub unread: Option<bool>,
    /// The text of a document that belongs to it, and its digest in the listing.
    pub related: String,
    pub relatives: u64,
    pub is_mail: bool,
    pub damaged: bool,
}

/// A mailbox with two folders.
#[derive(Clone, Debug, Default)]
pub struct MemorySource {
    pub mails: Vec<Mail>,
    /// How often an item was opened.
    pub opened: usize,
}

const FOLDERS: [&str; 2] = ["Projects", "Letters"];

impl MemorySource {
    /// Mails in no folder, one folder, the other, both, and so on.
    pub fn with_mails(count: u32) -> Self {
        let mail = |number: u32| Mail {
            number,
            sequence: 1,
            body: format!("body of {number}"),
            folders: (0..2).filter(|folder| number & (1 << folder) != 0).collect(),
            unread: None,
            related: String::new(),
            relatives: 0,
            is_mail: true,
            damaged: false,
        };
        Self { mails: (0..count).map(mail).collect(), opened: 0 }
    }

    /// How many placements the mails have.
    pub fn placements(&self) -> usize {
        self.mails.iter().map(|mail| mail.folders.len().max(1)).sum()
    }

    pub fn all_folders() -> Vec<Folder> {
        let folder = |(id, name): (u32, &str)| Folder {
            id: FolderId(id),
            path: FolderPath::new([name]),
            role: FolderRole::User,
            documents: 0,
        };
        (0..).zip(FOLDERS).map(folder).collect()
    }

    fn mail(&self, id: SourceItemId) -> Option<&Mail> {
        self.mails.iter().find(|mail| u64::from(mail.number) == id.0)
    }
}

fn text(name: &str, value: &str) -> Item {
    let (flags, value) = (ItemFlags(0), value.as_bytes().to_vec());
    Item { name: name.to_owned(), flags, item_type: ItemType::TEXT, value }
}

fn version(mail: &Mail) -> ItemVersion {
    ItemVersion { sequence: mail.sequence, time: [0, 0] }
}

impl Source for MemorySource {
    fn traits(&self) -> Traits {
        Traits { folders: true, unread_marks: true }
    }

    fn info(&self) -> SourceInfo {
        SourceInfo { title: "memory".to_owned(), ..SourceInfo::default() }
    }

    fn changed(&mut self) -> Result<Option<String>, SourceError> {
        Ok(None)
    }

    fn folders(&mut self) -> Result<Vec<Folder>, SourceError> {
        let mut folders = Self::all_folders();
        for folder in &mut folders {
            let inside = self.mails.iter().filter(|mail| mail.folders.contains(&folder.id.0));
            folder.documents = inside.count() as u64;
        }
        Ok(folders)
    }

    fn list(&mut self, from: Option<Cursor>, limit: u32) -> Result<Page, SourceError> {
        let start = from.map_or(0, |cursor| cursor.0.0 + 1);
        let rest: Vec<&Mail> = self.mails.iter().filter(|mail| u64::from(mail.number) >= start).collect();
        let items: Vec<ListedItem> = rest
            .iter()
            .take(limit as usize)
            .map(|mail| ListedItem {
                relatives: mail.relatives,
                id: SourceItemId(mail.number.into()),
                origin: origin(mail.number),
                version: version(mail),
                folders: mail.folders.iter().map(|&folder| FolderId(folder)).collect(),
                unread: mail.unread,
            })
            .collect();
        let next = items.last().filter(|_| rest.len() > items.len()).map(|last| Cursor(last.id));
        Ok(Page { items, unreadable: Vec::new(), next })
    }

    fn open(&mut self, id: SourceItemId) -> Result<SourceItem, SourceError> {
        self.opened += 1;
        let unreadable = || SourceError::Unreadable { id, why: "damaged".to_owned() };
        let mail = self.mail(id).filter(|mail| !mail.damaged).ok_or_else(unreadable)?;
        let form = if mail.is_mail { "Memo" } else { "Order" };
        let items = vec![text("Form", form), text("Body", &mail.body)];
        let related = match mail.related.as_str() {
            "" => Vec::new(),
            text_of_it => vec![Note { items: vec![text("Body", text_of_it)], ..Note::default() }],
        };
        Ok(SourceItem {
            origin: origin(mail.number),
            version: version(mail),
            content: Content::Note { note: Box::new(Note { items, ..Note::default() }), files: Vec::new() },
            parent_message_id: None,
            related,
            losses: Vec::new(),
        })
    }
}

/// A conversion that is easy to check: the body is the text of `Body`, and of that in what belongs to it; without a folder it belongs in INBOX.
pub fn convert(listed: &ListedItem, item: &SourceItem) -> Result<Converted, SetAside> {
    let Content::Note { note, .. } = &item.content;
    if note.text("Form") != "Memo" {
        return Err(SetAside::new(SetAsideReason::UnknownForm, note.text("Form")));
    }
    let number = listed.id.0 as u32;
    let related: String = item.related.iter().map(|note| note.text("Body")).collect();
    let body = format!("{}{related}", note.text("Body"));
    let mut placements: Vec<FolderPath> =
        listed.folders.iter().map(|id| FolderPath::new([FOLDERS[id.0 as usize]])).collect();
    if placements.is_empty() {
        placements.push(FolderPath::inbox());
    }
    Ok(Converted {
        object: None,
        rendered: Rendered::new(vec![Segment::Bytes(message_bytes(number, &body))]),
        placements,
        flags: Flags { seen: listed.unread == Some(false), ..Flags::default() },
        internal_date_ms: DATE_MS,
        message_id: format!("{number}@example.com"),
        subject: format!("Message {number}"),
        stands_for: Vec::new(),
        losses: Vec::new(),
    })
}
