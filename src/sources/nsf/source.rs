//! A Notes database as a source of items.

use super::access;
use super::attachment;
use super::census::Census;
use super::daos::DaosFolders;
use super::database::{Database, OpenError, Walked, open_header, walked_id};
use super::file::DatabaseFile;
use super::folders::{FolderContents, read_folders};
use super::header::Header;
use super::in_use;
use super::related;
use super::superblock::Superblock;
use super::unread::{UnreadList, read_unread_lists};
use crate::base::limits::PROFILES;
use crate::model::content::{Content, File, ListedItem, SourceItem, SourceItemId};
use crate::model::folder::{Folder, FolderId};
use crate::model::item::{ItemVersion, Origin};
use crate::model::loss::{Loss, LossKind};
use crate::notes::document::{Note, NoteStatus};
use crate::notes::file_object::FileObject;
use crate::notes::ids::{NoteId, ReplicaId, Unid};
use crate::notes::value::Value;
use crate::sources::access::AccessEntry;
use crate::sources::contacts::{self, Contacts};
use crate::sources::{Cursor, Glance, Page, Source, SourceError, SourceInfo, Traits};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

/// What a look at the file from outside shows; two equal looks mean that nobody wrote in between.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Look {
    length: u64,
    modified: Option<SystemTime>,
    write_count: Option<u32>,
}

/// An open database.
pub struct NsfSource {
    path: PathBuf,
    database: Arc<Database>,
    census: Census,
    /// `None` for a database in memory.
    look: Option<Look>,
    folders: Vec<FolderContents>,
    /// Membership in folders, ascending by note.
    filed: Vec<(NoteId, FolderId)>,
    owner: Option<String>,
    unread: Option<UnreadList>,
    warnings: Vec<String>,
    /// Digests over the versions of whole series, by their entries; looked up for the first listing.
    series: Option<HashMap<NoteId, u64>>,
    /// Made when the first document asks for it.
    contacts: Option<Contacts>,
    daos: Option<DaosFolders>,
}

impl NsfSource {
    /// Opens a database and reads its folders and unread marks.
    ///
    /// # Errors
    /// When the file cannot be opened, is no Notes database, or is encrypted on disk.
    pub fn open(path: &Path) -> Result<Self, SourceError> {
        let database = Database::open(path).map_err(|error| open_error(path, error))?;
        let look = look(path, &database)?;
        Ok(Self { look: Some(look), ..Self::new(path, database) })
    }

    /// A database in memory, which nobody else can change.
    ///
    /// # Errors
    /// As [`NsfSource::open`].
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self, SourceError> {
        let path = Path::new("(memory)");
        let database = Database::from_bytes(bytes).map_err(|error| open_error(path, error))?;
        Ok(Self::new(path, database))
    }

    fn new(path: &Path, database: Database) -> Self {
        let census = Census::take(&database);
        let (folders, mut odd) = read_folders(&database, &census.views);
        let mut warnings = database.warnings().to_vec();
        warnings.extend(census.warning(&database));
        warnings.append(&mut odd);
        let filed = folders.iter().flat_map(|f| f.notes.iter().map(|note| (*note, f.folder.id)));
        let mut filed: Vec<_> = filed.collect();
        filed.sort_unstable();
        let (unread, mut odd) = read_unread_lists(&database);
        warnings.append(&mut odd);
        let owner = find_owner(&database, &census);
        Self {
            path: path.to_owned(),
            database: Arc::new(database),
            look: None,
            folders,
            filed,
            unread: unread_list(unread, owner.as_deref()),
            owner,
            census,
            warnings,
            series: None,
            contacts: None,
            daos: None,
        }
    }

    /// The source with the folder in which the server kept attachments of this database.
    pub fn with_daos(self, daos: Option<DaosFolders>) -> Self {
        Self { daos, ..self }
    }

    pub fn database(&self) -> &Arc<Database> {
        &self.database
    }

    /// What the database holds, design included.
    pub fn census(&self) -> &Census {
        &self.census
    }

    pub fn replica_id(&self) -> ReplicaId {
        self.database.header().replica_id
    }

    /// The owner of the mail file as a Notes name, from its calendar profile.
    pub fn owner(&self) -> Option<&str> {
        self.owner.as_deref()
    }

    fn folders_of(&self, id: NoteId) -> Vec<FolderId> {
        let start = self.filed.partition_point(|(note, _)| *note < id);
        self.filed[start..].iter().take_while(|(note, _)| *note == id).map(|(_, folder)| *folder).collect()
    }

    fn is_unread(&self, id: NoteId) -> Option<bool> {
        self.unread.as_ref().map(|list| list.notes.binary_search(&id).is_ok())
    }

    fn origin(&self, unid: Unid) -> Origin {
        Origin::Notes { replica: self.replica_id(), unid }
    }
}

/// What the header of a database shows; its owner would take a walk over all notes.
///
/// # Errors
/// As [`NsfSource::open`], as far as the header shows it.
pub fn glance(path: &Path) -> Result<Glance, SourceError> {
    let header = open_header(path).map_err(|error| open_error(path, error))?;
    Ok(Glance { title: header.title, owner: None, in_use: in_use::writer_of(path) })
}

fn open_error(path: &Path, error: OpenError) -> SourceError {
    let path = path.to_owned();
    match error {
        OpenError::Io(error) if in_use::is_sharing_violation(&error) => {
            SourceError::InUse { path, why: "another program holds it open".to_owned() }
        }
        OpenError::Io(error) => SourceError::Open { path, error },
        OpenError::NotADatabase(damage) => SourceError::NotADatabase { path, why: damage.0 },
        OpenError::TooOld { ods } => SourceError::TooOld { path, ods },
        OpenError::LocallyEncrypted => SourceError::LocallyEncrypted { path },
    }
}

fn look(path: &Path, database: &Database) -> Result<Look, SourceError> {
    let metadata = std::fs::metadata(path);
    let metadata = metadata.map_err(|error| SourceError::Read { path: path.to_owned(), error })?;
    Ok(Look {
        length: metadata.len(),
        modified: metadata.modified().ok(),
        write_count: database.write_count(),
    })
}

/// The owner's unread list, or the only one there is.
fn unread_list(mut lists: Vec<UnreadList>, owner: Option<&str>) -> Option<UnreadList> {
    let Some(owner) = owner else { return lists.pop().filter(|_| lists.is_empty()) };
    lists.into_iter().find(|list| owner.eq_ignore_ascii_case(&list.user))
}

/// The owner named in the calendar profile, which is a named note and so never listed as a document.
fn find_owner(database: &Database, census: &Census) -> Option<String> {
    census.named.iter().find_map(|id| {
        let (note, _) = database.note(*id).ok()?;
        let profile = note.text("Form").eq_ignore_ascii_case("CalendarProfile");
        Some(note.text("Owner")).filter(|owner| profile && !owner.is_empty())
    })
}

fn descriptors(note: &Note) -> impl Iterator<Item = FileObject> {
    note.all("$FILE").filter_map(|item| match item.value() {
        Ok(Value::File(descriptor)) => Some(descriptor),
        _ => None,
    })
}

fn all_contacts(database: &Database) -> Contacts {
    let mut contacts = Contacts::default();
    for_each_document(database, |_| true, |note| contacts.add(u64::from(note.note_id.0), note));
    contacts
}

/// Reads the live documents whose head is `wanted`.
fn for_each_document(database: &Database, wanted: impl Fn(NoteStatus) -> bool, mut take: impl FnMut(&Note)) {
    let mut from = Some(NoteId(0));
    while let Some(at) = from {
        let step = database.walk(at);
        from = step.next;
        for head in step.notes.into_iter().flatten() {
            let live = head.is_user_document() && database.is_listed(head.note_id) && wanted(head.status);
            if let Some((note, _)) = live.then(|| database.note(head.note_id).ok()).flatten() {
                take(&note);
            }
        }
    }
}

impl Source for NsfSource {
    fn traits(&self) -> Traits {
        Traits { folders: true, unread_marks: true }
    }

    fn info(&self) -> SourceInfo {
        SourceInfo {
            title: self.database.header().title.clone(),
            owner: self.owner.clone(),
            warnings: self.warnings.clone(),
            // Looks through all processes, so only when it is asked for.
            in_use: self.look.and_then(|_| in_use::writer_of(&self.path)),
        }
    }

    fn external_files(&mut self) -> u64 {
        let (database, mut files) = (&self.database, 0);
        let external = |descriptor: &FileObject| attachment::has_external_body(database, descriptor);
        let has_files = |status: NoteStatus| status.has(NoteStatus::HAS_OBJECTS);
        for_each_document(database, has_files, |note| {
            files += descriptors(note).filter(external).count() as u64;
        });
        files
    }

    fn changed(&mut self) -> Result<Option<String>, SourceError> {
        let Some(before) = self.look else { return Ok(None) };
        let read = |error| SourceError::Read { path: self.path.clone(), error };
        let file = DatabaseFile::open(&self.path).map_err(read)?;
        let mut now = look(&self.path, &self.database)?;
        now.write_count = Header::read(&file).ok().and_then(|h| Superblock::newest_write_count(&file, &h));
        if before.write_count.is_none() {
            now.write_count = None;
        }
        Ok((now != before).then(|| "the file was written while it was read".to_owned()))
    }

    fn folders(&mut self) -> Result<Vec<Folder>, SourceError> {
        Ok(self.folders.iter().map(|contents| contents.folder.clone()).collect())
    }

    fn profiles(&mut self) -> Vec<Note> {
        let named = self.census.named.iter().take(PROFILES);
        named.filter_map(|id| self.database.note(*id).ok()).map(|(note, _)| note).collect()
    }

    fn access(&mut self) -> Result<Vec<AccessEntry>, String> {
        access::read(&self.database).map_err(|damage| damage.0)
    }

    fn list(&mut self, from: Option<Cursor>, limit: u32) -> Result<Page, SourceError> {
        if self.series.is_none() {
            self.series = Some(related::versions(&self.database, &self.census));
        }
        let mut page = Page::default();
        let mut last = None;
        let mut next = Some(match from {
            Some(Cursor(last)) => NoteId((last.0 as u32).saturating_add(1)),
            None => NoteId(0),
        });
        while let Some(at) = next {
            let step = self.database.walk(at);
            next = step.next;
            for walked in step.notes {
                if page.items.len() + page.unreadable.len() >= limit as usize {
                    page.next = last.map(Cursor);
                    return Ok(page);
                }
                last = Some(SourceItemId(u64::from(walked_id(&walked).0)));
                self.list_one(walked, &mut page);
            }
        }
        Ok(page)
    }

    fn open(&mut self, id: SourceItemId) -> Result<SourceItem, SourceError> {
        let note = self.database.note(NoteId(id.0 as u32));
        let (note, odd) = note.map_err(|damage| SourceError::Unreadable { id, why: damage.0 })?;
        let losses = odd.into_iter().map(|what| Loss::new(LossKind::TextDamaged, what)).collect();
        let files = self.read_files(&note);
        let parent_message_id = self.parent_message_id(&note);
        let mut related = related::of(&self.database, &self.census, &note);
        related.extend(self.contacts_of(&note));
        Ok(SourceItem {
            origin: self.origin(note.unid),
            version: ItemVersion { sequence: note.sequence, time: note.sequence_time.0 },
            content: Content::Note { note: Box::new(note), files },
            parent_message_id,
            related,
            losses,
        })
    }
}

impl NsfSource {
    fn list_one(&self, walked: Walked, page: &mut Page) {
        match walked {
            Ok(head) if head.is_user_document() && self.database.is_listed(head.note_id) => {
                page.items.push(ListedItem {
                    id: SourceItemId(u64::from(head.note_id.0)),
                    origin: self.origin(head.unid),
                    version: ItemVersion { sequence: head.sequence, time: head.sequence_time.0 },
                    folders: self.folders_of(head.note_id),
                    relatives: self
                        .series
                        .as_ref()
                        .and_then(|all| all.get(&head.note_id))
                        .copied()
                        .unwrap_or(0),
                    unread: self.is_unread(head.note_id),
                });
            }
            // In no sample; so it is neither taken for live nor forgotten.
            Ok(head) if head.is_user_document() => {
                let why = "it is not in the database's own list of live documents";
                page.unreadable.push((SourceItemId(u64::from(head.note_id.0)), why.to_owned()));
            }
            Ok(_) => {}
            // What the list of live documents does not name is design or deleted; its loss costs nobody a mail.
            Err((id, damage)) if self.database.is_listed(id) => {
                page.unreadable.push((SourceItemId(u64::from(id.0)), damage.0));
            }
            Err(_) => {}
        }
    }

    /// Looked up for answers only, so that most documents cost one read.
    fn parent_message_id(&self, note: &Note) -> Option<(Unid, String)> {
        let parent = note.parent.filter(|_| note.has("$REF"))?;
        let (parent, _) = self.database.note(parent).ok()?;
        let message_id = parent.text("$MessageID");
        (!message_id.is_empty()).then_some((parent.unid, message_id))
    }

    /// The contacts that a group names.
    fn contacts_of(&mut self, note: &Note) -> Vec<Note> {
        if !contacts::names_others(note) {
            return Vec::new();
        }
        let database = &self.database;
        let known = self.contacts.get_or_insert_with(|| all_contacts(database));
        let read = |id| database.note(NoteId(id as u32)).ok().map(|(note, _)| contacts::known_by(note));
        known.named_by(note).into_iter().filter_map(read).collect()
    }

    fn read_files(&self, note: &Note) -> Vec<File> {
        descriptors(note)
            .map(|descriptor| {
                let body = attachment::read_body(&self.database, &descriptor, self.daos.as_ref());
                File { descriptor, body }
            })
            .collect()
    }
}
