//! An open database: every structure joined, so that a note is found by its id and read with all its items.
//!
//! Nothing changes after opening but caches, so one database serves many readers at once. Memory does not grow with
//! the file beyond the maps of buckets and the list of live documents.

use super::bucket::{Bucket, BucketKind};
use super::buckets::Buckets;
use super::file::DatabaseFile;
use super::header::Header;
use super::names::{BucketDescriptorBlock, ItemName};
use super::note::NoteHead;
use super::rrv::{Place, Rrv};
use super::superblock::Superblock;
use super::view::{Damage, View};
use crate::notes::document::{Note, NoteStatus};
use crate::notes::ids::{NoteId, Unid};
use std::collections::BTreeMap;
use std::ops::Deref;
use std::path::Path;
use std::sync::{Arc, OnceLock};

/// Why a file could not be opened as a database.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("{0}")]
    Io(#[from] std::io::Error),
    #[error("{0}")]
    NotADatabase(Damage),
    #[error("the database is encrypted on disk")]
    LocallyEncrypted,
    /// Written by Notes 1 to 4, in another layout.
    #[error("its on-disk structure ({ods}) is older than Notes 5")]
    TooOld { ods: u32 },
}

/// Below this, entries of the record relocation vector have another size and no sample was seen.
const OLDEST_ODS: u32 = 22;

/// A database, open for reading.
pub struct Database {
    file: DatabaseFile,
    header: Header,
    names: Vec<ItemName>,
    rrv: Rrv,
    buckets: Buckets,
    /// The ids of all live documents, ascending; `None` where the list is lost.
    documents: Option<Vec<NoteId>>,
    /// The newest superblock is lost, so the lists of ids may lack what was written last.
    outdated: bool,
    write_count: Option<u32>,
    warnings: Vec<String>,
    recovered: OnceLock<BTreeMap<NoteId, Place>>,
}

/// One note met on a walk.
pub type Walked = Result<NoteHead, (NoteId, Damage)>;

/// A part of a walk over all notes.
pub struct WalkStep {
    /// In ascending order of ids; deletion stubs and objects are left out.
    pub notes: Vec<Walked>,
    /// Where the walk goes on; `None` at its end.
    pub next: Option<NoteId>,
}

/// The id of a note met on a walk, read or not.
pub fn walked_id(walked: &Walked) -> NoteId {
    match walked {
        Ok(head) => head.note_id,
        Err((id, _)) => *id,
    }
}

/// The bytes of a note record: in a bucket, or alone.
enum Record {
    Slot { bucket: Arc<Bucket>, slot: u32 },
    Alone(Vec<u8>),
}

/// The header of a database that this reader takes; nothing else of it is read.
///
/// # Errors
/// As [`Database::open`], as far as the header shows it.
pub fn open_header(path: &Path) -> Result<Header, OpenError> {
    read_header(&DatabaseFile::open(path)?)
}

fn read_header(file: &DatabaseFile) -> Result<Header, OpenError> {
    let header = Header::read(file).map_err(OpenError::NotADatabase)?;
    match header.ods < OLDEST_ODS {
        true => Err(OpenError::TooOld { ods: header.ods }),
        false => Ok(header),
    }
}

impl Database {
    /// Opens a file.
    ///
    /// # Errors
    /// [`OpenError`] if it cannot be opened, is no Notes database, or is encrypted as a whole. Lesser damage is told
    /// by [`Database::warnings`].
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        Self::read(DatabaseFile::open(path)?)
    }

    /// Opens a database in memory.
    ///
    /// # Errors
    /// As [`Database::open`].
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self, OpenError> {
        Self::read(DatabaseFile::memory(bytes))
    }

    fn read(file: DatabaseFile) -> Result<Self, OpenError> {
        let header = read_header(&file)?;
        let mut warnings = Vec::new();
        let superblock = Superblock::read(&file, &header);
        let names = BucketDescriptorBlock::read(&file, &header);
        // Byte 646 alone does not decide: one plain database has leftover memory there.
        if superblock.is_err() && names.is_err() && header.local_encryption != 0 {
            return Err(OpenError::LocallyEncrypted);
        }
        let mut keep = |what: &str, damage: Damage| warnings.push(format!("{what}: {damage}"));
        let mut superblock = superblock.map_err(|damage| keep("the superblock is damaged", damage)).ok();
        let names = names.unwrap_or_else(|damage| {
            keep("the names of items are damaged", damage);
            BucketDescriptorBlock::default()
        });
        if let Some(damage) = &names.newer_damage {
            warnings
                .push(format!("the newest table of item names is damaged, an older one is used: {damage}"));
        }
        if let Some(superblock) = &mut superblock {
            warnings.append(&mut superblock.warnings);
        }
        let outdated = superblock.as_ref().is_none_or(|superblock| superblock.outdated);
        let rrv = Rrv::new(
            &file,
            header.rrv_bucket_bytes,
            &names.rrv_buckets,
            [header.non_data_rrv, header.data_rrv],
            superblock.as_ref().and_then(|superblock| superblock.rrv_bucket.as_deref()),
            &mut warnings,
        );
        let buckets = Buckets::new(&file, superblock.as_mut());
        warnings.append(&mut buckets.differences());
        let write_count = superblock.as_ref().map(|superblock| superblock.write_count);
        // An outdated list would call the newest documents deleted.
        let newest = superblock.filter(|_| !outdated);
        let documents = newest.and_then(|superblock| superblock.documents).map(|table| {
            let mut ids = table.ids;
            ids.sort_unstable();
            ids
        });
        let recovered = OnceLock::new();
        Ok(Self {
            file,
            header,
            names: names.names,
            rrv,
            buckets,
            documents,
            outdated,
            write_count,
            warnings,
            recovered,
        })
    }

    pub fn file(&self) -> &DatabaseFile {
        &self.file
    }

    pub fn header(&self) -> &Header {
        &self.header
    }

    /// What is odd about the file as a whole, in sentences.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// The write count of the superblock that was read: another one means that the file was written since.
    pub fn write_count(&self) -> Option<u32> {
        self.write_count
    }

    /// The number of ids in the database's own list of live documents.
    pub fn listed_documents(&self) -> Option<usize> {
        self.documents.as_ref().map(Vec::len)
    }

    /// Whether the list of live documents names this id; true where the list is lost.
    pub fn is_listed(&self, id: NoteId) -> bool {
        self.documents.as_ref().is_none_or(|documents| documents.binary_search(&id).is_ok())
    }

    /// The ids of the list of live documents in a range.
    pub fn listed_between(&self, from: NoteId, to: Option<NoteId>) -> &[NoteId] {
        let Some(documents) = &self.documents else { return &[] };
        let start = documents.partition_point(|id| *id < from);
        let end = to.map_or(documents.len(), |to| documents.partition_point(|id| *id < to));
        &documents[start..end.max(start)]
    }

    /// Where an id lies.
    ///
    /// # Errors
    /// [`Damage`] if the part of the vector that would tell is unreadable.
    pub fn place(&self, id: NoteId) -> Result<Option<Place>, Damage> {
        self.rrv.place(&self.file, id)
    }

    /// The notes of the next bucket of ids at or after `from`. A note that cannot be read is an entry of its own;
    /// where a bucket of ids is unreadable, its notes are looked for in the buckets of notes.
    pub fn walk(&self, from: NoteId) -> WalkStep {
        let Some(bucket) = self.rrv.next_bucket(&self.file, from.0) else {
            return WalkStep { notes: self.walk_recovered(from), next: None };
        };
        let next = bucket.after.map(NoteId);
        let notes = match bucket.places {
            Ok(places) => places.into_iter().filter_map(|(id, place)| self.walk_one(id, place)).collect(),
            Err(damage) => self.walk_lost(from, next, &damage),
        };
        let notes = if self.outdated { self.walk_found(from, next, notes) } else { notes };
        WalkStep { notes, next }
    }

    fn walk_one(&self, id: NoteId, place: Place) -> Option<Walked> {
        match self.head_at(id, place) {
            Ok(Some(head)) => (!head.is_stub()).then_some(Ok(head)),
            // Objects share the vector; only a listed id must be a note.
            Ok(None) if self.documents.is_some() && self.is_listed(id) => {
                Some(Err((id, Damage::new("no note lies where it should be"))))
            }
            Ok(None) => None,
            Err(damage) => match self.recovered().get(&id).map(|&place| self.head_at(id, place)) {
                Some(Ok(Some(head))) => (!head.is_stub()).then_some(Ok(head)),
                _ => Some(Err((id, damage))),
            },
        }
    }

    /// The notes of an unreadable bucket of ids, as far as they are found otherwise.
    fn walk_lost(&self, from: NoteId, to: Option<NoteId>, damage: &Damage) -> Vec<Walked> {
        let listed = self.listed_between(from, to).iter().map(|&id| Err((id, damage.clone()))).collect();
        self.walk_found(from, to, listed)
    }

    /// The notes of a range of ids together with those that only the buckets of notes tell of.
    fn walk_found(&self, from: NoteId, to: Option<NoteId>, notes: Vec<Walked>) -> Vec<Walked> {
        let mut notes: BTreeMap<NoteId, Walked> =
            notes.into_iter().map(|walked| (walked_id(&walked), walked)).collect();
        let found = self.recovered().range(from..).take_while(|(id, _)| to.is_none_or(|to| **id < to));
        for (&id, &place) in found.filter(|(id, _)| !matches!(notes.get(id), Some(Ok(_)))).collect::<Vec<_>>()
        {
            if let Ok(Some(head)) = self.head_at(id, place)
                && !head.is_stub()
            {
                notes.insert(id, Ok(head));
            }
        }
        notes.into_values().collect()
    }

    /// All notes found in buckets, for a file without any list of ids.
    fn walk_recovered(&self, from: NoteId) -> Vec<Walked> {
        if self.rrv.capacity() > 0 {
            return Vec::new();
        }
        self.walk_lost(from, None, &Damage::new("the list of notes is lost"))
    }

    /// The places of all notes as the buckets themselves tell them.
    fn recovered(&self) -> &BTreeMap<NoteId, Place> {
        self.recovered.get_or_init(|| {
            let mut places = BTreeMap::new();
            for bucket in self.buckets.all_summary(&self.file) {
                let number = bucket.head.number;
                for (slot, bytes) in bucket.slots() {
                    let view = View::new(bytes, "note");
                    if let (Ok(NoteHead::SIGNATURE), Ok(id)) = (view.array(0), view.u32(6)) {
                        places.insert(NoteId(id), Place::Bucket { number, slot });
                    }
                }
            }
            places
        })
    }

    /// The head of the note at a place; `None` if an object lies there.
    fn head_at(&self, id: NoteId, place: Place) -> Result<Option<NoteHead>, Damage> {
        match self.record(place)? {
            Some(record) => NoteHead::parse(&record, id).map(Some),
            None => Ok(None),
        }
    }

    /// The UNID of a live note.
    pub fn note_unid(&self, id: NoteId) -> Option<Unid> {
        let head = self.head_at(id, self.place(id).ok()??).ok()??;
        (!head.is_stub()).then_some(head.unid)
    }

    /// The live note of a UNID; walks over all notes.
    pub fn find(&self, unid: Unid) -> Option<NoteId> {
        let mut from = Some(NoteId(0));
        while let Some(at) = from {
            let step = self.walk(at);
            if let Some(head) = step.notes.iter().flatten().find(|head| head.unid == unid) {
                return Some(head.note_id);
            }
            from = step.next;
        }
        None
    }

    fn record(&self, place: Place) -> Result<Option<Record>, Damage> {
        match place {
            Place::Bucket { number, slot } => {
                let bucket = self.buckets.get(&self.file, BucketKind::Summary, number)?;
                bucket.slot(slot)?;
                Ok(Some(Record::Slot { bucket, slot }))
            }
            Place::File(position) => {
                let head = self.file.read(position.bytes(), 6, "note")?;
                let view = View::new(&head, "note");
                if view.array(0)? != NoteHead::SIGNATURE {
                    return Ok(None);
                }
                let size = u64::from(view.u32(2)?);
                Ok(Some(Record::Alone(self.file.read(position.bytes(), size, "note")?)))
            }
        }
    }

    /// Reads a note with all its items. Items that cannot be read are named in the list beside it.
    ///
    /// # Errors
    /// [`Damage`] if there is no such note, or its record cannot be read.
    pub fn note(&self, id: NoteId) -> Result<(Note, Vec<String>), Damage> {
        let first = match self.place(id) {
            Ok(Some(place)) => self.note_at(id, place),
            Ok(None) => Err(Damage(format!("note {id} is not in the database"))),
            Err(damage) => Err(damage),
        };
        first.or_else(|damage| match self.recovered().get(&id) {
            Some(&place) => self.note_at(id, place),
            None => Err(damage),
        })
    }

    /// A note with the items that views show, without reading its larger values; `None` if it cannot be read.
    pub fn summary(&self, id: NoteId) -> Option<Note> {
        let place = self.place(id).ok().flatten().or_else(|| self.recovered().get(&id).copied())?;
        let record = self.record(place).ok()??;
        let head = NoteHead::parse(&record, id).ok()?;
        head.read_items(&record, &[], &self.names, &mut Vec::new()).ok()
    }

    fn note_at(&self, id: NoteId, place: Place) -> Result<(Note, Vec<String>), Damage> {
        let record = self.record(place)?.ok_or_else(|| Damage(format!("{id} is no note but an object")))?;
        let head = NoteHead::parse(&record, id)?;
        let mut losses = Vec::new();
        let non_summary = self.non_summary(&head, &record).unwrap_or_else(|damage| {
            losses.push(format!("the larger values of the note: {damage}"));
            Record::Alone(Vec::new())
        });
        let skip = if matches!(non_summary, Record::Slot { .. }) { NON_SUMMARY_HEAD_BYTES } else { 0 };
        for part in [&record, &non_summary] {
            if let Record::Slot { bucket, .. } = part
                && bucket.torn
            {
                losses
                    .push(format!("bucket {} was not written completely (a torn write)", bucket.head.number));
            }
        }
        let values = non_summary.get(skip..).unwrap_or_default();
        let note = head.read_items(&record, values, &self.names, &mut losses)?;
        Ok((note, losses))
    }

    /// The values of a note that lie outside its record, from the first value on; in a slot their head comes before.
    fn non_summary(&self, head: &NoteHead, record: &Record) -> Result<Record, Damage> {
        let (id, bytes) = (head.non_summary_id, head.non_summary_bytes);
        if bytes == 0 {
            return Ok(Record::Alone(Vec::new()));
        }
        if head.status.has(NoteStatus::INLINE_NON_SUMMARY) {
            let values = View::new(record, "note").slice(id as usize, (bytes & 0xFFFF) as usize)?;
            return Ok(Record::Alone(values.to_vec()));
        }
        if id & IN_BUCKET != 0 {
            let slot = (id >> 24) & 0x7F;
            let bucket = self.buckets.get(&self.file, BucketKind::NonSummary, id & 0x00FF_FFFF)?;
            check_non_summary_head(bucket.slot(slot)?, head.note_id)?;
            return Ok(Record::Slot { bucket, slot });
        }
        let at = u64::from(id) * 256;
        let bytes = self.file.read(at, NON_SUMMARY_HEAD_BYTES as u64, "non-summary data")?;
        let size = check_non_summary_head(&bytes, head.note_id)?;
        let skip = NON_SUMMARY_HEAD_BYTES as u64;
        Ok(Record::Alone(self.file.read(at + skip, size.saturating_sub(skip), "non-summary data")?))
    }
}

const IN_BUCKET: u32 = 0x8000_0000;
const NON_SUMMARY_HEAD_BYTES: usize = 68;

/// Checks the head of non-summary data and gives its size with the head.
fn check_non_summary_head(bytes: &[u8], note_id: NoteId) -> Result<u64, Damage> {
    let view = View::new(bytes, "non-summary data");
    view.expect_signature([0x10, 0x00])?;
    let found = NoteId(view.u32(6)?);
    if found != note_id {
        return Err(Damage(format!(
            "the larger values of note {found} lie where those of {note_id} should be"
        )));
    }
    Ok(u64::from(view.u32(2)?))
}

impl Deref for Record {
    type Target = [u8];

    /// The record, cut to the size that it gives itself.
    fn deref(&self) -> &[u8] {
        let bytes = match self {
            Self::Slot { bucket, slot } => bucket.slot(*slot).unwrap_or_default(),
            Self::Alone(bytes) => return bytes,
        };
        let size = View::new(bytes, "record").u32(2).map_or(0, |size| size as usize);
        &bytes[..size.min(bytes.len())]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_of_notes_4_is_refused_by_name() {
        let mut bytes = vec![0; 2048];
        bytes[..10].copy_from_slice(&[0x1A, 0, 0, 4, 0, 0, 20, 0, 0, 0]);
        assert!(matches!(Database::from_bytes(bytes), Err(OpenError::TooOld { ods: 20 })));
    }
}
