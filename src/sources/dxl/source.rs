//! DXL files as a source of items.

use super::document::{self, Document};
use super::index::{Entry, Index, first_title, looks_like_dxl, series_digest};
use super::text::TextFile;
use super::xml::{Node, Xml, XmlError};
use crate::base::limits::{DXL_DOCUMENTS, SERIES_BYTES, SERIES_DOCUMENTS};
use crate::model::content::{Content, ListedItem, SourceItem, SourceItemId};
use crate::model::folder::Folder;
use crate::model::item::{ItemVersion, Origin};
use crate::notes::document::Note;
use crate::notes::ids::Unid;
use crate::sources::access::AccessEntry;
use crate::sources::contacts::{self, Contacts};
use crate::sources::kin::{self, Kin, kin};
use crate::sources::nsf::file::DatabaseFile;
use crate::sources::{Cursor, Glance, Page, Source, SourceError, SourceInfo, Traits};
use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

/// Bytes of a file in which its first element is looked for, behind comments.
pub const RECOGNITION_BYTES: usize = 16 << 10;

/// Whether a file that begins with these bytes is DXL.
pub fn is_dxl(head: &[u8]) -> bool {
    let head = &head[..head.len().min(RECOGNITION_BYTES)];
    // Saves the parser for what is no text at all.
    let plausible = head.iter().take(4).any(|&byte| byte == b'<' || byte == 0xFE || byte == 0xEF)
        || head.first().is_some_and(u8::is_ascii_whitespace);
    plausible
        && TextFile::new(DatabaseFile::memory(head.to_vec()))
            .is_ok_and(|file| looks_like_dxl(&Arc::new(file)))
}

/// Whether a file can be read and is DXL.
pub fn is_dxl_file(path: &Path) -> bool {
    read_head(path).is_ok_and(|head| is_dxl(&head))
}

/// A file, and how it looked when its index was made.
struct DxlFile {
    path: PathBuf,
    length: u64,
    modified: Option<SystemTime>,
}

/// One DXL file, or the DXL files of a folder.
pub struct DxlSource {
    /// Empty for a file in memory.
    files: Vec<DxlFile>,
    path: PathBuf,
    index: Index,
    /// Places in the index of the documents that can be read, ascending by UNID.
    by_unid: Vec<(Unid, usize)>,
    /// Losers of conflicts by the UNIDs of their winners, with their places in the index.
    conflicts: Vec<(Unid, usize)>,
    /// A digest over the versions of the documents that belong together, by places in the index.
    versions: HashMap<usize, u64>,
    owner: Option<String>,
    /// The file that was read last.
    open: Option<(u32, Arc<TextFile>)>,
    /// Made when the first document asks for it.
    contacts: Option<Contacts>,
}

impl DxlSource {
    /// Opens a file, or all files of a folder that are DXL, and finds their documents.
    ///
    /// # Errors
    /// When nothing there can be opened, or nothing is DXL.
    pub fn open(path: &Path) -> Result<Self, SourceError> {
        let mut source = Self::empty(path);
        let paths = paths(path, &mut source.index.warnings)?;
        for path in paths {
            let file = open_file(&path)?;
            let modified = fs::metadata(&path).ok().and_then(|metadata| metadata.modified().ok());
            source.add(&file, &path.file_name().unwrap_or(path.as_os_str()).to_string_lossy())?;
            source.files.push(DxlFile { path, length: file.len(), modified });
        }
        Ok(source.ready())
    }

    /// A file in memory, which nobody else can change.
    ///
    /// # Errors
    /// As [`DxlSource::open`].
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self, SourceError> {
        let mut source = Self::empty(Path::new("(memory)"));
        let file = TextFile::new(DatabaseFile::memory(bytes));
        let file = Arc::new(file.map_err(|error| open_error(&source.path, error))?);
        source.add(&file, "(memory)")?;
        source.open = Some((0, file));
        Ok(source.ready())
    }

    fn empty(path: &Path) -> Self {
        Self {
            files: Vec::new(),
            path: path.to_owned(),
            index: Index::default(),
            by_unid: Vec::new(),
            conflicts: Vec::new(),
            versions: HashMap::new(),
            owner: None,
            open: None,
            contacts: None,
        }
    }

    fn add(&mut self, file: &Arc<TextFile>, name: &str) -> Result<(), SourceError> {
        let number = u32::try_from(self.files.len()).unwrap_or(u32::MAX);
        self.index.add(number, name, file);
        if self.index.full {
            let why = format!("it holds more than {DXL_DOCUMENTS} documents; export it in several parts");
            return Err(SourceError::NotADatabase { path: self.path.clone(), why });
        }
        Ok(())
    }

    fn ready(mut self) -> Self {
        let readable = self.index.entries.iter().enumerate().filter(|(_, entry)| entry.damage.is_none());
        self.by_unid = readable.map(|(number, entry)| (entry.unid, number)).collect();
        self.by_unid.sort_unstable();
        self.index.series.sort_unstable();
        self.conflicts = self.find_conflicts();
        self.versions = self.versions();
        self.owner = self.find_owner();
        self
    }

    /// The owner named in the calendar profile.
    fn find_owner(&mut self) -> Option<String> {
        let profiles = std::mem::take(&mut self.index.calendar_profiles);
        profiles.into_iter().find_map(|(file, at)| {
            let document = self.read(file, at, Some("Owner")).ok()?;
            Some(document.note.text("Owner")).filter(|owner| !owner.is_empty())
        })
    }

    fn file(&mut self, number: u32) -> io::Result<Arc<TextFile>> {
        if let Some((open, file)) = &self.open
            && *open == number
        {
            return Ok(Arc::clone(file));
        }
        let path =
            self.files.get(number as usize).map(|file| file.path.as_path()).ok_or(io::ErrorKind::NotFound)?;
        let file = Arc::new(TextFile::new(DatabaseFile::open(path)?)?);
        self.open = Some((number, Arc::clone(&file)));
        Ok(file)
    }

    /// Reads the document at a place.
    fn read(&mut self, file: u32, at: u64, only: Option<&str>) -> Result<Document, XmlError> {
        let file = self.file(file).map_err(|error| XmlError::Io { at, error })?;
        let mut xml = Xml::new(file, at);
        match xml.next()? {
            Node::Start(element) => {
                xml.enter_document();
                document::read(&mut xml, &element, only)
            }
            _ => Err(XmlError::Ends),
        }
    }

    fn entry(&self, id: SourceItemId) -> Option<&Entry> {
        self.index.entries.get(usize::try_from(id.0.checked_sub(1)?).ok()?)
    }

    /// Looked up for answers only, so that most documents cost one read.
    fn parent_message_id(&mut self, note: &Note) -> Option<(Unid, String)> {
        let parent = note.parent_unid()?;
        let entry = self.index.entries.get(self.place_of(parent)?)?;
        let (file, at) = (entry.file, entry.at);
        let message_id = self.read(file, at, Some("$MessageID")).ok()?.note.text("$MessageID");
        (!message_id.is_empty()).then_some((parent, message_id))
    }

    /// The documents that belong to one. What cannot be read is left out: it is told when that document itself is read.
    fn related(&mut self, note: &Note) -> Vec<Note> {
        let numbers = match kin(note) {
            Some(Kin::Series) => self.series_of(note),
            Some(Kin::Conflict) => self.rivals(note),
            None => return Vec::new(),
        };
        let (mut related, mut bytes) = (Vec::new(), 0);
        for number in numbers.into_iter().take(SERIES_DOCUMENTS) {
            let Some(other) = self.note(number as u64).filter(|other| other.unid != note.unid) else {
                continue;
            };
            bytes += other.items.iter().map(|item| item.value.len()).sum::<usize>();
            related.push(other);
            if bytes >= SERIES_BYTES {
                break;
            }
        }
        related
    }

    /// The places of the documents of a series, and of the answers to it.
    fn series_of(&self, note: &Note) -> Vec<usize> {
        let Some(series) = series_digest(&note.text("ApptUNID")) else { return Vec::new() };
        let start = self.index.series.partition_point(|(own, _)| *own < series);
        let members = self.index.series[start..].iter().take_while(|(own, _)| *own == series);
        members.map(|(_, number)| *number).collect()
    }

    /// The places of the winner of a conflict and of all that lost to it.
    fn rivals(&self, note: &Note) -> Vec<usize> {
        let winner = note.parent_unid().filter(|_| note.has("$Conflict")).unwrap_or(note.unid);
        let start = self.conflicts.partition_point(|(own, _)| *own < winner);
        let losers = self.conflicts[start..].iter().take_while(|(own, _)| *own == winner);
        self.place_of(winner).into_iter().chain(losers.map(|(_, number)| *number)).collect()
    }

    /// The place of the document of a UNID.
    fn place_of(&self, unid: Unid) -> Option<usize> {
        let found = self.by_unid.binary_search_by_key(&unid, |(unid, _)| *unid).ok()?;
        Some(self.by_unid.get(found)?.1)
    }

    /// The losers of conflicts by their winners.
    fn find_conflicts(&mut self) -> Vec<(Unid, usize)> {
        let numbers = std::mem::take(&mut self.index.conflicts);
        let winner = |number: usize| {
            let (file, at) = self.index.entries.get(number).map(|entry| (entry.file, entry.at))?;
            Some((self.read(file, at, Some("$REF")).ok()?.note.parent_unid()?, number))
        };
        let mut conflicts: Vec<_> = numbers.into_iter().filter_map(winner).collect();
        conflicts.sort_unstable();
        conflicts
    }

    /// For every document that belongs to others, a digest over the versions of them all.
    fn versions(&self) -> HashMap<usize, u64> {
        let series = self.index.series.chunk_by(|(one, _), (other, _)| one == other);
        let series = series.map(|group| group.iter().map(|(_, number)| *number).collect::<Vec<_>>());
        let conflicts = self.conflicts.chunk_by(|(one, _), (other, _)| one == other).map(|group| {
            let winner = group.first().and_then(|(winner, _)| self.place_of(*winner));
            winner.into_iter().chain(group.iter().map(|(_, number)| *number)).collect()
        });
        let mut versions: HashMap<usize, u64> = HashMap::new();
        for family in series.chain(conflicts).filter(|family| family.len() > 1) {
            let entries = family.iter().filter_map(|number| self.index.entries.get(*number));
            let digest =
                kin::digest(entries.map(|entry| (entry.unid, entry.sequence, entry.sequence_time)).collect());
            for number in family {
                let version = versions.entry(number).or_default();
                *version = version.wrapping_add(digest);
            }
        }
        versions
    }

    /// The contacts that a group names.
    fn contacts_of(&mut self, note: &Note) -> Vec<Note> {
        if !contacts::names_others(note) {
            return Vec::new();
        }
        let known = match self.contacts.take() {
            Some(known) => known,
            None => self.all_contacts(),
        };
        let ids = known.named_by(note);
        self.contacts = Some(known);
        ids.into_iter().filter_map(|id| self.note(id)).map(contacts::known_by).collect()
    }

    fn all_contacts(&mut self) -> Contacts {
        let mut contacts = Contacts::default();
        for id in 0..self.index.entries.len() as u64 {
            if let Some(note) = self.note(id) {
                contacts.add(id, &note);
            }
        }
        contacts
    }

    /// The document of an entry, if it can be read.
    fn note(&mut self, number: u64) -> Option<Note> {
        let entry = self.index.entries.get(usize::try_from(number).ok()?)?;
        let (file, at, unid) = (entry.file, entry.at, entry.unid);
        let Document { note, .. } = self.read(file, at, None).ok()?;
        Some(Note { unid, ..note })
    }
}

/// What the head of a file shows: the title of its database.
///
/// # Errors
/// As [`DxlSource::open`], as far as the head shows it.
pub fn glance(path: &Path) -> Result<Glance, SourceError> {
    let path = paths(path, &mut Vec::new())?.swap_remove(0);
    let file = open_file(&path)?;
    Ok(Glance { title: first_title(&file), owner: None, in_use: None })
}

/// The file itself; of a folder the files that are DXL, in the order of their names.
fn paths(path: &Path, warnings: &mut Vec<String>) -> Result<Vec<PathBuf>, SourceError> {
    let read = |error| SourceError::Open { path: path.to_owned(), error };
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut entries: Vec<PathBuf> = fs::read_dir(path)
        .map_err(read)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()
        .map_err(read)?;
    entries.sort();
    let all = entries.len();
    entries.retain(|path| path.is_file() && is_dxl_file(path));
    if entries.is_empty() {
        let why = "no file in it is DXL".to_owned();
        return Err(SourceError::NotADatabase { path: path.to_owned(), why });
    }
    if entries.len() < all {
        warnings.push(format!("{} of {all} entries of the folder are no DXL files", all - entries.len()));
    }
    Ok(entries)
}

fn read_head(path: &Path) -> io::Result<Vec<u8>> {
    let file = DatabaseFile::open(path)?;
    let mut head = vec![0; RECOGNITION_BYTES.min(usize::try_from(file.len()).unwrap_or(usize::MAX))];
    file.read_at(0, &mut head)?;
    Ok(head)
}

fn open_file(path: &Path) -> Result<Arc<TextFile>, SourceError> {
    let head = read_head(path).map_err(|error| open_error(path, error))?;
    let file = DatabaseFile::open(path).and_then(TextFile::new).map_err(|error| open_error(path, error))?;
    if is_dxl(&head) {
        return Ok(Arc::new(file));
    }
    let why = "it is no DXL either: its first element is none of DXL".to_owned();
    Err(SourceError::NotADatabase { path: path.to_owned(), why })
}

fn open_error(path: &Path, error: io::Error) -> SourceError {
    let path = path.to_owned();
    match error.kind() {
        io::ErrorKind::Unsupported => SourceError::NotADatabase { path, why: error.to_string() },
        _ => SourceError::Open { path, error },
    }
}

fn origin(entry: &Entry) -> Origin {
    Origin::Notes { replica: entry.replica, unid: entry.unid }
}

fn version(entry: &Entry) -> ItemVersion {
    ItemVersion { sequence: entry.sequence, time: entry.sequence_time.0 }
}

impl Source for DxlSource {
    fn traits(&self) -> Traits {
        // DXL has folders without their documents, and no unread marks.
        Traits { folders: false, unread_marks: false }
    }

    fn info(&self) -> SourceInfo {
        SourceInfo {
            title: self.index.title.clone(),
            owner: self.owner.clone(),
            warnings: self.index.warnings.clone(),
            in_use: None,
        }
    }

    fn changed(&mut self) -> Result<Option<String>, SourceError> {
        for file in &self.files {
            let metadata = fs::metadata(&file.path);
            let metadata = metadata.map_err(|error| SourceError::Read { path: file.path.clone(), error })?;
            if (metadata.len(), metadata.modified().ok()) != (file.length, file.modified) {
                return Ok(Some(format!("{} was written while it was read", file.path.display())));
            }
        }
        Ok(None)
    }

    fn folders(&mut self) -> Result<Vec<Folder>, SourceError> {
        Ok(Vec::new())
    }

    fn access(&mut self) -> Result<Vec<AccessEntry>, String> {
        Ok(self.index.access.clone())
    }

    fn list(&mut self, from: Option<Cursor>, limit: u32) -> Result<Page, SourceError> {
        let start = from.map_or(0, |Cursor(last)| last.0);
        let skipped = usize::try_from(start).unwrap_or(usize::MAX);
        let entries = self.index.entries.iter().skip(skipped).take(limit as usize);
        let mut page = Page::default();
        let mut last = start;
        for (number, entry) in (skipped..).zip(entries) {
            let id = SourceItemId(number as u64 + 1);
            last = id.0;
            match &entry.damage {
                Some(why) if entry.unid == Unid::default() => {
                    page.unreadable.push((id, format!("the document at byte {}: {why}", entry.at)));
                }
                _ => page.items.push(ListedItem {
                    relatives: self.versions.get(&number).copied().unwrap_or(0),
                    id,
                    origin: origin(entry),
                    version: version(entry),
                    folders: Vec::new(),
                    unread: None,
                }),
            }
        }
        page.next = (last < self.index.entries.len() as u64).then_some(Cursor(SourceItemId(last)));
        Ok(page)
    }

    fn open(&mut self, id: SourceItemId) -> Result<SourceItem, SourceError> {
        let unreadable = |why: String| SourceError::Unreadable { id, why };
        let entry = self.entry(id).ok_or_else(|| unreadable("there is no such document".to_owned()))?;
        if let Some(why) = &entry.damage {
            return Err(unreadable(format!("the document at byte {}: {why}", entry.at)));
        }
        let (file, at, origin, version) = (entry.file, entry.at, origin(entry), version(entry));
        let document = self.read(file, at, None);
        let Document { mut note, files, losses } =
            document.map_err(|error| unreadable(format!("the document at byte {at}: {error}")))?;
        let Origin::Notes { unid, .. } = origin;
        note.unid = unid;
        let parent_message_id = self.parent_message_id(&note);
        let mut related = self.related(&note);
        related.extend(self.contacts_of(&note));
        let content = Content::Note { note: Box::new(note), files };
        Ok(SourceItem { origin, version, content, parent_message_id, related, losses })
    }
}
