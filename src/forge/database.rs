//! The writer of a database: notes, attachments, folders and unread marks in, one NSF file out.
//!
//! Notes are written as they come. Held in memory are the buckets being filled, 14 bytes for each of at most 570
//! summary buckets, four for each document, and the lists of folders and unread marks.

mod closing;
mod ids;

use super::access::{self, Access};
use super::blocks::NameTable;
use super::bucket::{Bucket, BucketKind};
use super::descriptors::{NonSummaryMap, SummaryMap};
use super::fields::Fields;
use super::header::{Layout, SPECIAL_ACCESS, SPECIAL_IDS, layout};
use super::note::{EncodedNote, ItemSpec, NON_SUMMARY_HEAD_BYTES, NoteSpec, Placement, stub};
use super::object::{self, Filed, ObjectKind};
use super::output::{Output, UNIT};
use super::rrv::{IdKind, Place};
use super::version::Version;
use super::{ForgeError, huffman};
use crate::notes::document::{NoteClass, NoteStatus};
use crate::notes::ids::{NoteId, ReplicaId, Unid};
use crate::notes::item::ItemType;
use crate::notes::lmbcs;
use crate::notes::timedate::Timedate;
use ids::Ids;
use sha1::{Digest, Sha1};
use std::collections::BTreeMap;
use std::fmt;
use std::io::Read;
use std::path::Path;

/// Buckets lie on multiples of 4 KiB in every sample.
const BUCKET_ALIGNMENT: u64 = 4096;
const MIN_BUCKET_BYTES: usize = 8 << 10;
const MAX_BUCKET_BYTES: usize = 32 << 10;
const NON_SUMMARY_BUCKET_BYTES: usize = 32 << 10;
/// What [`Placement::Automatic`] puts inside the note record and, failing that, in a bucket.
const INLINE_BYTES: usize = 256;
const IN_BUCKET_BYTES: usize = 8 << 10;
/// Files are compressed in memory; larger ones are stored as they are.
const COMPRESS_BYTES: u64 = 16 << 20;
const COPY_BYTES: usize = 64 << 10;
const FILE_GROWTH: u64 = 0x1_0000;

/// What a database is called and how it is written.
#[derive(Clone, Debug)]
pub struct Options {
    pub version: Version,
    pub title: String,
    /// The name of the template whose design it takes over; empty for none.
    pub inherits: String,
    pub replica_id: ReplicaId,
    /// Not later than any note.
    pub created: Timedate,
    /// Leave the newest bucket of the relocation vector blank at its own place, as young databases do: then the
    /// superblock alone has it.
    pub newest_ids_in_superblock_only: bool,
}

impl Default for Options {
    fn default() -> Self {
        let created = Timedate([0, 0x0025_8B00]);
        Self {
            version: Version::default(),
            title: "Forged database".to_owned(),
            inherits: String::new(),
            replica_id: ReplicaId(0x8025_8B00_0001_0001),
            created,
            newest_ids_in_superblock_only: false,
        }
    }
}

/// How an attachment is stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Compression {
    #[default]
    None = 0,
    Huffman = 1,
}

/// An attachment to be written. `data` must give exactly `bytes` bytes.
pub struct Attachment<'a> {
    /// Unique inside the note.
    pub name: &'a str,
    pub data: &'a mut dyn Read,
    pub bytes: u64,
    pub compression: Compression,
    /// See [`Attachment::IN_DOCUMENT`] and [`Attachment::MIME_PART`].
    pub flags: u16,
    pub modified: Timedate,
}

impl Attachment<'_> {
    /// A hotspot in the rich text shows the file.
    pub const IN_DOCUMENT: u16 = 2;
    /// The file is the body of a MIME part.
    pub const MIME_PART: u16 = 4;
}

/// A folder of the database being written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FolderHandle(usize);

struct OpenFolder {
    note: NoteSpec,
    changed: Timedate,
    filed: Vec<Filed>,
}

/// What was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    pub documents: u64,
    pub notes: u64,
    pub attachments: u64,
    pub folders: u64,
    pub bytes: u64,
    /// Files that were given as messages and are none.
    pub skipped: u64,
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { documents, attachments, folders, bytes, skipped, .. } = self;
        write!(f, "{documents} documents, {attachments} attachments and {folders} folders in {bytes} bytes")?;
        if *skipped > 0 { write!(f, "; {skipped} files were no messages") } else { Ok(()) }
    }
}

/// Writes one database.
pub struct Writer {
    options: Options,
    layout: Layout,
    output: Output,
    names: NameTable,
    summary: Option<Bucket>,
    summary_buckets: u32,
    summary_map: SummaryMap,
    non_summary: Option<Bucket>,
    non_summary_map: NonSummaryMap,
    ids: Ids,
    documents: Vec<NoteId>,
    folders: Vec<OpenFolder>,
    unread: BTreeMap<String, Vec<NoteId>>,
    special: [u32; SPECIAL_IDS],
    changed: Timedate,
    written: Summary,
}

impl Writer {
    /// Begins a database. The file gets its name when [`Writer::finish`] has written all of it.
    ///
    /// # Errors
    /// If `path` exists or its folder cannot be written.
    pub fn create(path: &Path, options: Options) -> Result<Self, ForgeError> {
        let layout = layout(options.version);
        Ok(Self {
            output: Output::create(path, layout.end)?,
            changed: options.created,
            options,
            layout,
            names: NameTable::default(),
            summary: None,
            summary_buckets: 0,
            summary_map: SummaryMap::default(),
            non_summary: None,
            non_summary_map: NonSummaryMap::default(),
            ids: Ids::new(),
            documents: Vec::new(),
            folders: Vec::new(),
            unread: BTreeMap::new(),
            special: [0; SPECIAL_IDS],
            written: Summary::default(),
        })
    }

    /// Writes a note and returns its id.
    ///
    /// # Errors
    /// If an item value is too long, names run out, or the file cannot be written.
    pub fn add_note(&mut self, spec: &NoteSpec) -> Result<NoteId, ForgeError> {
        let kind = if spec.class.is_document() { IdKind::Data } else { IdKind::NonData };
        let id = self.ids.take(kind, &mut self.output)?;
        let note = EncodedNote::new(spec, id, &mut self.names)?;
        self.touch(spec.modified);
        let place = self.place_note(&note, spec)?;
        self.ids.bucket(kind).set(id, place);
        self.written.notes += 1;
        if spec.class.is_document() && !spec.status.has(NoteStatus(NoteStatus::GHOST.0 | NoteStatus::NAMED.0))
        {
            self.documents.push(id);
            self.written.documents += 1;
        }
        if spec.class.0 & NoteSpec::DEFAULT != 0 {
            self.special[spec.class.kind().0.trailing_zeros() as usize & 15] = id.0;
        }
        Ok(id)
    }

    /// Writes what remains of a deleted note.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn add_stub(&mut self, unid: Unid, sequence: u32, deleted: Timedate) -> Result<NoteId, ForgeError> {
        let id = self.ids.take(IdKind::Data, &mut self.output)?;
        self.touch(deleted);
        let record = stub(unid, id, NoteClass::DOCUMENT, sequence, deleted);
        let place = self.place_record(&record, deleted, 0)?;
        self.ids.bucket(IdKind::Data).set(id, place);
        Ok(id)
    }

    /// Writes the bytes of an attachment and returns the `$FILE` item for its note.
    ///
    /// # Errors
    /// If `data` does not give the promised number of bytes, or the file cannot be written.
    pub fn attach(&mut self, mut attachment: Attachment<'_>) -> Result<ItemSpec, ForgeError> {
        let bytes = u32::try_from(attachment.bytes).map_err(|_| ForgeError::TooLarge)?;
        let (compression, id) = match attachment.compression {
            Compression::Huffman if attachment.bytes <= COMPRESS_BYTES => {
                self.compress_object(&mut attachment)?
            }
            _ => (Compression::None, self.stream_object(&mut attachment)?),
        };
        self.written.attachments += 1;
        let value = file_value(&attachment, id, bytes, compression);
        Ok(ItemSpec::new("$FILE", ItemType::OBJECT, value).typed())
    }

    /// Writes a file whose bytes a server keeps elsewhere. Gives its item, and the name of the bytes there, which only
    /// databases of Notes 8.5 and later hold.
    ///
    /// # Errors
    /// If the data cannot be read or the file not be written.
    pub fn attach_outside(
        &mut self,
        mut attachment: Attachment<'_>,
    ) -> Result<(ItemSpec, String), ForgeError> {
        let bytes = u32::try_from(attachment.bytes).map_err(|_| ForgeError::TooLarge)?;
        let mut hash = Sha1::new();
        read_exactly(&mut attachment, |part| {
            hash.update(part);
            Ok(())
        })?;
        let name = store_name(&hash.finalize(), attachment.bytes);
        let header = object::header(self.options.version, object::FILE, 0, Some(&name));
        let position = self.output.append(&header, UNIT)?;
        let id = self.add_object_id(position)?;
        self.written.attachments += 1;
        let value = file_value(&attachment, id, bytes, Compression::None);
        Ok((ItemSpec::new("$FILE", ItemType::OBJECT, value).typed(), name))
    }

    /// A folder; documents are put in with [`Writer::file`]. `title` may nest with backslashes and carry aliases
    /// after bars; the flags are the text of `$Flags`, for which `F` makes a plain shared folder.
    pub fn add_folder(&mut self, title: &str, flags: &str, unid: Unid, time: Timedate) -> FolderHandle {
        let items = [ItemSpec::text("$TITLE", title), ItemSpec::text("$Flags", flags)];
        let note = NoteSpec::design(NoteClass::VIEW.0, unid, time).with(items);
        self.folders.push(OpenFolder { note, changed: time, filed: Vec::new() });
        FolderHandle(self.folders.len() - 1)
    }

    /// Puts a document into a folder.
    pub fn file(&mut self, folder: FolderHandle, note_id: NoteId, unid: Unid, added: Timedate) {
        let folder = &mut self.folders[folder.0];
        folder.filed.push(Filed { unid, note_id, added });
        if added.order() > folder.changed.order() {
            folder.changed = added;
        }
    }

    /// Marks a document as unread by a user.
    pub fn mark_unread(&mut self, user: &str, note_id: NoteId) {
        match self.unread.get_mut(user) {
            Some(list) => list.push(note_id),
            None => drop(self.unread.insert(user.to_owned(), vec![note_id])),
        }
    }

    /// Writes who may do what; the first entry is that of `-Default-`.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn add_access_list(&mut self, roles: &[&str], entries: &[Access<'_>]) -> Result<(), ForgeError> {
        let list = self.add_object(object::ACCESS, &access::list(roles, entries))?;
        self.special[SPECIAL_ACCESS] = list.0;
        Ok(())
    }

    /// Gives a user an unread list even if nothing is unread.
    pub fn add_reader(&mut self, user: &str) {
        self.unread.entry(user.to_owned()).or_default();
    }

    /// Writes folders, marks and all that describes the database, and gives the file its name.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn finish(mut self) -> Result<Summary, ForgeError> {
        let directory = self.write_folders()?;
        self.write_unread_lists()?;
        if let Some(bucket) = self.summary.take() {
            self.write_summary_bucket(bucket)?;
        }
        if let Some(bucket) = self.non_summary.take() {
            self.write_non_summary_bucket(bucket)?;
        }
        let newest = self.ids.data.stored(self.ids.previous[IdKind::Data as usize]);
        self.ids.write(IdKind::NonData, false, &mut self.output)?;
        let blank = self.options.newest_ids_in_superblock_only;
        self.ids.write(IdKind::Data, blank, &mut self.output)?;
        let bdbs = self.write_descriptor_blocks()?;
        let superblocks = self.write_superblocks(newest, directory)?;
        self.output.pad_to(FILE_GROWTH)?;
        let header = self.header(superblocks, bdbs)?;
        self.output.write_at(0, &header)?;
        self.written.bytes = self.output.end();
        let written = self.written;
        self.output.finish()?;
        Ok(written)
    }

    fn touch(&mut self, time: Timedate) {
        if time.order() > self.changed.order() {
            self.changed = time;
        }
    }

    fn place_note(&mut self, note: &EncodedNote, spec: &NoteSpec) -> Result<Place, ForgeError> {
        let bytes = note.non_summary.len();
        if bytes == 0 {
            return self.place_record(&note.record(0, 0), spec.modified, 0);
        }
        if spec.placement == Placement::Inline
            || spec.placement == Placement::Automatic && bytes <= INLINE_BYTES
        {
            let record = note.inline_record();
            if record.len() <= Bucket::capacity(MAX_BUCKET_BYTES) {
                return self.place_record(&record, spec.modified, 0);
            }
        }
        let headed = note.headed_non_summary();
        let (id, bucket) = match self.place_in_bucket(&headed, spec)? {
            Some((bucket, slot)) => (1 << 31 | u32::from(slot) << 24 | bucket, bucket),
            None => (self.output.append(&headed, UNIT)?, 0),
        };
        self.place_record(&note.record(id, headed.len() as u32), spec.modified, bucket)
    }

    /// Puts non-summary data into a bucket where the version has such and it fits.
    fn place_in_bucket(&mut self, headed: &[u8], spec: &NoteSpec) -> Result<Option<(u32, u16)>, ForgeError> {
        let wanted = match spec.placement {
            Placement::Bucket => true,
            Placement::Automatic => headed.len() <= IN_BUCKET_BYTES + NON_SUMMARY_HEAD_BYTES,
            Placement::Inline | Placement::File => false,
        };
        let possible = self.options.version == Version::Ods43
            && headed.len() <= Bucket::capacity(NON_SUMMARY_BUCKET_BYTES)
            && self.non_summary_map.has_room();
        if !wanted || !possible {
            return Ok(None);
        }
        if let Some(full) = self.non_summary.take_if(|bucket| !bucket.fits(headed)) {
            self.write_non_summary_bucket(full)?;
        }
        let number = self.non_summary_map.count() + 1;
        let new =
            || Bucket::new(BucketKind::NonSummary, number, NON_SUMMARY_BUCKET_BYTES, Timedate::default());
        let bucket = self.non_summary.get_or_insert_with(new);
        Ok(Some((bucket.number(), bucket.add(headed, spec.modified))))
    }

    fn place_record(&mut self, record: &[u8], time: Timedate, non_summary: u32) -> Result<Place, ForgeError> {
        let Some(size) = bucket_bytes_for(record.len()) else {
            return Ok(Place::File(self.output.append(record, UNIT)?));
        };
        if let Some(full) = self.summary.take_if(|bucket| !bucket.fits(record)) {
            self.write_summary_bucket(full)?;
        }
        let bucket = self.summary.get_or_insert_with(|| {
            self.summary_buckets += 1;
            Bucket::new(BucketKind::Summary, self.summary_buckets, size, self.options.created)
        });
        let slot = bucket.add(record, time);
        Ok(Place::Slot { bucket: bucket.number(), slot, non_summary })
    }

    fn write_summary_bucket(&mut self, bucket: Bucket) -> Result<(), ForgeError> {
        let bucket = bucket.seal();
        let position = self.output.append(&bucket.bytes, BUCKET_ALIGNMENT)?;
        if let Some(page) = self.summary_map.push(position, &bucket) {
            let position = self.output.append(&page, BUCKET_ALIGNMENT)?;
            self.summary_map.page_written(position);
        }
        Ok(())
    }

    fn write_non_summary_bucket(&mut self, bucket: Bucket) -> Result<(), ForgeError> {
        let bucket = bucket.seal();
        let position = self.output.append(&bucket.bytes, BUCKET_ALIGNMENT)?;
        self.non_summary_map.push(position, &bucket);
        Ok(())
    }

    fn add_object(&mut self, kind: ObjectKind, data: &[u8]) -> Result<NoteId, ForgeError> {
        let name = (kind.object_type() == object::FILE_TYPE)
            .then(|| store_name(&Sha1::digest(data), data.len() as u64));
        let size = u32::try_from(data.len()).map_err(|_| ForgeError::TooLarge)?;
        let header = object::header(self.options.version, kind, size, name.as_deref());
        let position = self.output.append(&header, UNIT)?;
        self.output.extend(data)?;
        self.add_object_id(position)
    }

    fn add_object_id(&mut self, position: u32) -> Result<NoteId, ForgeError> {
        let id = self.ids.take(IdKind::NonData, &mut self.output)?;
        self.ids.non_data.set(id, Place::File(position));
        Ok(id)
    }

    /// Writes a file compressed if that makes it smaller: data of the file's own size counts as not compressed.
    fn compress_object(
        &mut self,
        attachment: &mut Attachment<'_>,
    ) -> Result<(Compression, NoteId), ForgeError> {
        let mut plain = Vec::new();
        read_exactly(attachment, |part| {
            plain.extend_from_slice(part);
            Ok(())
        })?;
        let packed = huffman::encode(&plain);
        Ok(if packed.len() < plain.len() {
            (Compression::Huffman, self.add_object(object::FILE, &packed)?)
        } else {
            (Compression::None, self.add_object(object::FILE, &plain)?)
        })
    }

    /// Writes a file as it is read; its name in an attachment store is known only afterwards.
    fn stream_object(&mut self, attachment: &mut Attachment<'_>) -> Result<NoteId, ForgeError> {
        let version = self.options.version;
        let bytes = attachment.bytes as u32;
        let position = self.output.append(&object::header(version, object::FILE, bytes, None), UNIT)?;
        let mut hash = Sha1::new();
        let output = &mut self.output;
        read_exactly(attachment, |part| {
            hash.update(part);
            output.extend(part)
        })?;
        if version == Version::Ods52 {
            let name = store_name(&hash.finalize(), attachment.bytes);
            let header = object::header(version, object::FILE, bytes, Some(&name));
            self.output.write_at(u64::from(position) * UNIT, &header)?;
        }
        self.add_object_id(position)
    }
}

/// The smallest bucket that takes a record; `None` if it needs a place of its own.
fn bucket_bytes_for(record: usize) -> Option<usize> {
    let sizes = std::iter::successors(Some(MIN_BUCKET_BYTES), |size| Some(size * 2));
    sizes.take_while(|size| *size <= MAX_BUCKET_BYTES).find(|size| record <= Bucket::capacity(*size))
}

/// The value of a `$FILE` item.
fn file_value(attachment: &Attachment<'_>, id: NoteId, bytes: u32, compression: Compression) -> Vec<u8> {
    const FIXED_BYTES: usize = 36;
    const SHOWN_AS_FILE: u16 = 0;
    let name = lmbcs::encode(attachment.name);
    let mut value = vec![0; FIXED_BYTES];
    value.put_u16(0, object::FILE_TYPE);
    value.put_u32(2, id.0);
    value.put_u16(6, name.len() as u16);
    value.put_u16(8, SHOWN_AS_FILE);
    value.put_u16(10, compression as u16);
    value.put_u16(14, attachment.flags);
    value.put_u32(16, bytes);
    value.put_time(20, attachment.modified);
    value.put_time(28, attachment.modified);
    value.extend_from_slice(&name);
    value
}

/// The name that a file has in an attachment store: the digest and the size of its stored bytes.
fn store_name(digest: &[u8], bytes: u64) -> String {
    let digest: String = digest.iter().map(|byte| format!("{byte:02X}")).collect();
    format!("{digest}{bytes:08X}")
}

/// Reads an attachment in blocks and checks its length.
fn read_exactly(
    attachment: &mut Attachment<'_>,
    mut put: impl FnMut(&[u8]) -> Result<(), ForgeError>,
) -> Result<(), ForgeError> {
    let (name, expected) = (attachment.name, attachment.bytes);
    let mut buffer = vec![0; COPY_BYTES];
    let mut present = 0;
    loop {
        let count = match attachment.data.read(&mut buffer) {
            Ok(count) => count,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(ForgeError::Read { path: name.into(), error }),
        };
        present += count as u64;
        if count == 0 || present > expected {
            break;
        }
        put(&buffer[..count])?;
    }
    if present == expected {
        return Ok(());
    }
    Err(ForgeError::Attachment { name: name.to_owned(), expected, present })
}
