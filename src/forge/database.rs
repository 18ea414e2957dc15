//! The writer of a database: notes, attachments, folders and unread marks in, one NSF file out.
//!
//! Notes are written as they come. Held in memory are the buckets being filled, 14 bytes for each of at most 570
//! summary buckets, four for each document, and the lists of folders and unread marks.

use super::blocks::{BITMAP_DESCRIPTOR_BYTES, NameTable, Superblock};
use super::bucket::{Bucket, BucketKind};
use super::descriptors::{NonSummaryMap, SummaryMap};
use super::fields::Fields;
use super::header::{Area, Header, Layout, NextIds, SPECIAL_IDS, SPECIAL_NAMED_OBJECTS, layout};
use super::note::{EncodedNote, ItemSpec, NON_SUMMARY_HEAD_BYTES, NoteSpec, Placement, stub};
use super::object::{self, Filed, ObjectKind};
use super::output::{Output, UNIT};
use super::rrv::{self, IdKind, Place, RrvBucket};
use super::version::Version;
use super::{ForgeError, huffman, values};
use crate::notes::document::{NoteClass, NoteStatus};
use crate::notes::id_table::IdTable;
use crate::notes::ids::{NoteId, ReplicaId, Unid};
use crate::notes::item::ItemType;
use crate::notes::lmbcs;
use crate::notes::timedate::Timedate;
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
/// One bitmap covers as many units as it has bits.
const BITMAP_BYTES: usize = 4096;
const BITMAP_UNITS: u64 = BITMAP_BYTES as u64 * 8;

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

/// The relocation vector while it grows.
struct Ids {
    data: RrvBucket,
    non_data: RrvBucket,
    /// The last written bucket of each kind.
    previous: [u32; 2],
    buckets: u32,
    /// Position with kind bit, and first id, of the written buckets.
    written: Vec<[u32; 2]>,
}

impl Ids {
    fn new() -> Self {
        Self {
            non_data: RrvBucket::new(rrv::first_id_of(0)),
            data: RrvBucket::new(rrv::first_id_of(1)),
            previous: [0; 2],
            buckets: 2,
            written: Vec::new(),
        }
    }

    fn bucket(&mut self, kind: IdKind) -> &mut RrvBucket {
        match kind {
            IdKind::Data => &mut self.data,
            IdKind::NonData => &mut self.non_data,
        }
    }

    fn take(&mut self, kind: IdKind, output: &mut Output) -> Result<NoteId, ForgeError> {
        if self.bucket(kind).is_full() {
            self.write(kind, false, output)?;
            *self.bucket(kind) = RrvBucket::new(rrv::first_id_of(self.buckets));
            self.buckets += 1;
        }
        Ok(self.bucket(kind).take())
    }

    /// Writes the current bucket of a kind, or an empty one in its place.
    fn write(&mut self, kind: IdKind, blank: bool, output: &mut Output) -> Result<u32, ForgeError> {
        let previous = self.previous[kind as usize];
        let bucket = self.bucket(kind);
        let first = bucket.first;
        let stored = if blank { RrvBucket::new(first).stored(previous) } else { bucket.stored(previous) };
        let position = output.append(&stored, BUCKET_ALIGNMENT)?;
        self.previous[kind as usize] = position;
        self.written.push([position | u32::from(kind == IdKind::NonData), first.0]);
        Ok(position)
    }

    fn next(&mut self, kind: IdKind) -> NextIds {
        let position = self.previous[kind as usize];
        let bucket = self.bucket(kind);
        NextIds { position, first: bucket.first.0, next: bucket.next_id().0, free: bucket.free() }
    }
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
    pub fn attach(&mut self, attachment: Attachment<'_>) -> Result<ItemSpec, ForgeError> {
        let bytes = u32::try_from(attachment.bytes).map_err(|_| ForgeError::TooLarge)?;
        let small = (1..=COMPRESS_BYTES).contains(&attachment.bytes);
        let squeeze = attachment.compression == Compression::Huffman && small;
        let compression = if squeeze { Compression::Huffman } else { Compression::None };
        let value = file_value(&attachment, bytes, compression);
        let id = if squeeze {
            let mut plain = Vec::with_capacity(bytes as usize);
            read_exactly(attachment.data, attachment.bytes, attachment.name, |part| {
                plain.extend_from_slice(part);
                Ok(())
            })?;
            self.add_object(object::FILE, &huffman::encode(&plain))?
        } else {
            self.stream_object(attachment)?
        };
        self.written.attachments += 1;
        let mut item = ItemSpec::new("$FILE", ItemType::OBJECT, value).typed();
        item.value.put_u32(2, id.0);
        Ok(item)
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

    /// Writes a file as it is read; its name in an attachment store is known only afterwards.
    fn stream_object(&mut self, attachment: Attachment<'_>) -> Result<NoteId, ForgeError> {
        let version = self.options.version;
        let bytes = attachment.bytes as u32;
        let position = self.output.append(&object::header(version, object::FILE, bytes, None), UNIT)?;
        let mut hash = Sha1::new();
        let output = &mut self.output;
        read_exactly(attachment.data, attachment.bytes, attachment.name, |part| {
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

    /// Folder notes with their two objects; the result is the folder directory.
    fn write_folders(&mut self) -> Result<Vec<u8>, ForgeError> {
        let mut directory = Vec::new();
        for mut folder in std::mem::take(&mut self.folders) {
            let (unid, changed) = (folder.note.unid, folder.changed);
            self.touch(changed);
            let contents = object::folder(self.options.replica_id, unid, changed, &folder.filed);
            let contents = self.add_object(object::FOLDER, &contents)?;
            let ids = self.add_object(object::FOLDER_IDS, &object::folder_ids(changed, &folder.filed))?;
            for (name, object_type, id) in [
                ("$FolderObject", object::FOLDER_OBJECT, contents),
                ("$FolderIDTable", object::FOLDER_ID_TABLE, ids),
            ] {
                let value = values::object(object_type, id);
                folder.note.items.push(ItemSpec::new(name, ItemType::OBJECT, value).typed());
            }
            self.add_note(&folder.note)?;
            self.written.folders += 1;
            directory.push((unid, changed));
        }
        Ok(object::folder_directory(&directory))
    }

    fn write_unread_lists(&mut self) -> Result<(), ForgeError> {
        let mut lists = Vec::new();
        for (user, mut ids) in std::mem::take(&mut self.unread) {
            ids.sort_unstable();
            ids.dedup();
            let list = self.add_object(object::UNREAD, &IdTable::encode(&ids, self.changed))?;
            lists.push((lmbcs::encode(&user), list));
        }
        let mut positions = Vec::new();
        for page in object::index_pages(&lists) {
            positions.push(self.output.append(&page, BUCKET_ALIGNMENT)?);
        }
        let index = self.add_object(object::INDEX, &object::index(&positions))?;
        self.special[SPECIAL_NAMED_OBJECTS] = index.0;
        Ok(())
    }

    /// An older and the newest bucket descriptor block.
    fn write_descriptor_blocks(&mut self) -> Result<[Area; 2], ForgeError> {
        let [older, newest] = self.layout.bdbs;
        let empty = NameTable::default().stored(&[], self.options.created, 1);
        self.output.write_at(older.at(), &empty)?;
        let block = self.names.stored(&self.ids.written, self.changed, 2);
        let newest = self.write_into(newest, &block)?;
        Ok([older, newest])
    }

    /// Writes a block into its area, or into a new one if it is too large.
    fn write_into(&mut self, area: Area, block: &[u8]) -> Result<Area, ForgeError> {
        if block.len() <= area.bytes as usize {
            self.output.write_at(area.at(), block)?;
            return Ok(area);
        }
        let position = self.output.append(block, BUCKET_ALIGNMENT)?;
        Ok(Area { position, bytes: block.len() as u32 })
    }

    /// An older superblock, of the database when it was empty, and the newest.
    fn write_superblocks(
        &mut self,
        newest_ids: Vec<u8>,
        directory: Vec<u8>,
    ) -> Result<[Area; 3], ForgeError> {
        let [older, middle, newest] = self.layout.superblocks;
        let empty = RrvBucket::new(rrv::first_id_of(1)).stored(0);
        let mut block = self.superblock(empty, object::folder_directory(&[]));
        (block.time, block.write_count) = (self.options.created, 1);
        (block.summary_map, block.summary_buckets, block.summary_pages) =
            (SummaryMap::default().stored(), 0, 1);
        block.non_summary_buckets = 0;
        block.document_ids = IdTable::encode(&[], Timedate::default());
        self.output.write_at(older.at(), &block.stored())?;

        let mut block = self.superblock(newest_ids, directory);
        // The bitmaps tell how long the file is, so room for the superblock is set aside before they are made.
        let room = block.stored_at_most(self.output.end().div_ceil(UNIT * BITMAP_UNITS) as usize + 1);
        let newest = if room <= newest.bytes as usize {
            newest
        } else {
            let position = self.output.append(&vec![0; room], BUCKET_ALIGNMENT)?;
            Area { position, bytes: room as u32 }
        };
        (block.bitmaps, block.bitmap_map, block.bitmap) = self.write_bitmaps()?;
        self.output.write_at(newest.at(), &block.stored())?;
        Ok([older, middle, newest])
    }

    fn superblock(&mut self, newest_ids: Vec<u8>, folder_directory: Vec<u8>) -> Superblock {
        let (log_slots, log_bytes) = self.layout.log;
        let mut modified_log = vec![0; log_bytes];
        modified_log.put_u32(0, log_slots);
        let (version, map) = (self.options.version, &self.non_summary_map);
        Superblock {
            time: self.changed,
            write_count: 2,
            summary_buckets: self.summary_map.resident_count(),
            summary_pages: self.summary_map.page_count(),
            summary_map: self.summary_map.stored(),
            non_summary_buckets: map.count(),
            non_summary_map: if version == Version::Ods43 { map.stored() } else { Vec::new() },
            bitmaps: 1,
            bitmap_map: describe_bitmap(self.layout.bitmap.position, 0),
            rrv: newest_ids,
            rrv_position: self.ids.previous[IdKind::Data as usize],
            rrv_ids: [self.ids.data.first.0, self.ids.data.last_id().0],
            bitmap: vec![0; BITMAP_BYTES],
            document_ids: IdTable::encode(&self.documents, Timedate::default()),
            modified_log,
            folder_directory,
        }
    }

    /// Writes the allocation bitmaps, in which a set bit is a free unit, and gives their number, their descriptors
    /// and the last one. All that the file has is in use.
    fn write_bitmaps(&mut self) -> Result<(u32, Vec<u8>, Vec<u8>), ForgeError> {
        let mut positions = vec![self.layout.bitmap.position];
        let units = |end: u64| end.next_multiple_of(FILE_GROWTH) / UNIT;
        while positions.len() as u64 * BITMAP_UNITS < units(self.output.end()) {
            positions.push(self.output.append(&[0; BITMAP_BYTES], BUCKET_ALIGNMENT)?);
        }
        let used = (units(self.output.end()) - (positions.len() as u64 - 1) * BITMAP_UNITS) as usize;
        let mut last = vec![0xFF; BITMAP_BYTES];
        last[..used / 8].fill(0);
        let last_position = positions[positions.len() - 1];
        self.output.write_at(u64::from(last_position) * UNIT, &last)?;
        let free = BITMAP_UNITS as usize - used;
        let describe =
            |&position| describe_bitmap(position, if position == last_position { free } else { 0 });
        let descriptors = positions.iter().flat_map(describe).collect();
        Ok((positions.len() as u32, descriptors, last))
    }

    fn header(&mut self, superblocks: [Area; 3], bdbs: [Area; 2]) -> Result<Vec<u8>, ForgeError> {
        let mut info = lmbcs::encode(&self.options.title);
        if !self.options.inherits.is_empty() {
            info.extend_from_slice(b"\n#2");
            info.extend(lmbcs::encode(&self.options.inherits));
        }
        let file_units = u32::try_from(self.output.end() / UNIT).map_err(|_| ForgeError::TooLarge)?;
        let header = Header {
            version: self.options.version,
            replica_id: self.options.replica_id,
            created: self.options.created,
            changed: self.changed,
            info: &info,
            data_ids: self.ids.next(IdKind::Data),
            non_data_ids: self.ids.next(IdKind::NonData),
            special: self.special,
            superblocks,
            bdbs,
            file_units,
        };
        Ok(header.stored())
    }
}

/// The smallest bucket that takes a record; `None` if it needs a place of its own.
fn bucket_bytes_for(record: usize) -> Option<usize> {
    let sizes = std::iter::successors(Some(MIN_BUCKET_BYTES), |size| Some(size * 2));
    sizes.take_while(|size| *size <= MAX_BUCKET_BYTES).find(|size| record <= Bucket::capacity(*size))
}

fn describe_bitmap(position: u32, free_units: usize) -> Vec<u8> {
    let mut descriptor = vec![0; BITMAP_DESCRIPTOR_BYTES];
    descriptor.put_u32(0, position);
    descriptor.put_u16(6, free_units as u16);
    descriptor.put_u16(10, free_units as u16);
    descriptor
}

/// The value of a `$FILE` item, whose object id is still open.
fn file_value(attachment: &Attachment<'_>, bytes: u32, compression: Compression) -> Vec<u8> {
    const FIXED_BYTES: usize = 36;
    const SHOWN_AS_FILE: u16 = 0;
    let name = lmbcs::encode(attachment.name);
    let mut value = vec![0; FIXED_BYTES];
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

fn read_exactly(
    data: &mut dyn Read,
    expected: u64,
    name: &str,
    mut put: impl FnMut(&[u8]) -> Result<(), ForgeError>,
) -> Result<(), ForgeError> {
    let mut buffer = vec![0; COPY_BYTES];
    let mut present = 0;
    loop {
        let count = match data.read(&mut buffer) {
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
