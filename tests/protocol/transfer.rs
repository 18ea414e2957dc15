//! Content goes through chunks and comes out as it was, in memory that the chunks bound.

use super::messages::noise;
use crate::support::messages::origin;
use notesferry::base::limits::{CHUNK_WRITTEN_BYTES, FILE_BLOCK_BYTES, NOTE_BYTES};
use notesferry::model::blob::{Blob, OpenBlob};
use notesferry::model::content::{Content, File, FileBody, ListedItem, SourceItem, SourceItemId};
use notesferry::model::folder::{Folder, FolderId, FolderPath, FolderRole};
use notesferry::model::item::ItemVersion;
use notesferry::model::loss::{Loss, LossKind, SetAside, SetAsideReason};
use notesferry::notes::document::{Note, NoteClass, NoteStatus};
use notesferry::notes::file_object::{Compression, FileObject};
use notesferry::notes::ids::{NoteId, Unid};
use notesferry::notes::item::{Item, ItemFlags, ItemType};
use notesferry::notes::timedate::Timedate;
use notesferry::notes::value::Text;
use notesferry::protocol::action::Action;
use notesferry::protocol::ids::ChunkNumber;
use notesferry::protocol::transfer::{
    Arrived, Chunk, ChunkReader, ChunkWriter, End, FileBlock, Place, Receiver, SourceFacts, WriteError,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::io::{self, Read};
use std::sync::Arc;

type Writer<'a> = ChunkWriter<&'a mut dyn FnMut(Chunk) -> Result<(), Infallible>>;

/// The chunks of an answer.
pub fn answer(end: &End, write: impl FnOnce(&mut Writer<'_>)) -> Vec<Chunk> {
    let mut chunks = Vec::new();
    let mut send = |chunk| {
        chunks.push(chunk);
        Ok(())
    };
    let mut writer: Writer<'_> = ChunkWriter::new(&mut send);
    write(&mut writer);
    writer.end(end).unwrap();
    chunks
}

/// A receiver that keeps everything in memory.
#[derive(Default)]
pub struct Spool {
    pub arrived: Vec<Arrived>,
    pub places: Vec<(Place, Vec<u8>)>,
    files: BTreeMap<(u32, u32), Vec<u8>>,
}

impl Receiver for Spool {
    type Error = Infallible;

    fn arrived(&mut self, arrived: Arrived) -> Result<(), Infallible> {
        self.arrived.push(arrived);
        Ok(())
    }

    fn file_block(&mut self, block: FileBlock<'_>) -> Result<(), Infallible> {
        assert!(block.bytes.len() <= FILE_BLOCK_BYTES || block.offset == 0);
        let file = self.files.entry((block.item, block.file)).or_default();
        assert_eq!(file.len() as u64, block.offset);
        file.extend(block.bytes);
        self.places.push((block.place, block.bytes[..block.bytes.len().min(64)].to_vec()));
        Ok(())
    }

    fn file_end(&mut self, item: u32, file: u32, length: u64) -> Result<Blob, Infallible> {
        let bytes = self.files.remove(&(item, file)).unwrap_or_default();
        assert_eq!(bytes.len() as u64, length);
        Ok(Blob::memory(bytes))
    }
}

impl Spool {
    /// Everything that `chunks` hold in answer to `action`.
    #[track_caller]
    pub fn of(action: &Action, chunks: &[Chunk]) -> Self {
        let mut spool = Self::default();
        let mut reader = ChunkReader::new(action);
        chunks.iter().for_each(|chunk| reader.read(chunk, &mut spool).unwrap());
        assert!(reader.is_closed());
        spool
    }

    pub fn items(&self) -> Vec<(SourceItemId, &SourceItem)> {
        let item = |arrived| match arrived {
            &Arrived::Item { id, ref item } => Some((id, &**item)),
            _ => None,
        };
        self.arrived.iter().filter_map(item).collect()
    }
}

pub fn get(ids: impl IntoIterator<Item = u64>) -> Action {
    Action::GetItems { ids: ids.into_iter().map(SourceItemId).collect(), max_bytes: u64::MAX }
}

fn bytes_of(body: &FileBody) -> Result<Vec<u8>, Loss> {
    match body {
        FileBody::Lost(loss) => Err(loss.clone()),
        FileBody::Read(blob) => {
            let mut bytes = Vec::new();
            blob.open().unwrap().read_to_end(&mut bytes).unwrap();
            assert_eq!(bytes.len() as u64, blob.len());
            Ok(bytes)
        }
    }
}

#[track_caller]
fn assert_same(left: &SourceItem, right: &SourceItem) {
    let head =
        |item: &SourceItem| (item.origin, item.version, item.parent_message_id.clone(), item.losses.clone());
    assert_eq!(head(left), head(right));
    assert!(left.related == right.related, "the related documents differ");
    let Content::Note { note: left, files: left_files } = &left.content;
    let Content::Note { note: right, files: right_files } = &right.content;
    assert!(left == right, "the notes differ");
    assert_eq!(left_files.len(), right_files.len());
    for (left, right) in left_files.iter().zip(right_files) {
        assert_eq!(left.descriptor, right.descriptor);
        assert!(bytes_of(&left.body) == bytes_of(&right.body), "{} differs", left.descriptor.name.text);
    }
}

fn item_of(name: &str, value: Vec<u8>) -> Item {
    Item { name: name.to_owned(), flags: ItemFlags::SUMMARY, item_type: ItemType::TEXT, value }
}

fn descriptor(name: &str) -> FileObject {
    FileObject {
        object_id: 0x1234,
        name: Text { text: name.to_owned(), damaged: false },
        host: 1,
        compression: Compression::Huffman,
        attributes: 2,
        flags: FileObject::FLAG_IN_DOCUMENT,
        size: 9,
        created: Timedate([1, 2]),
        modified: Timedate([3, 4]),
    }
}

pub fn file(name: &str, body: FileBody) -> File {
    File { descriptor: descriptor(name), body }
}

fn read(bytes: Vec<u8>) -> FileBody {
    FileBody::Read(Blob::memory(bytes))
}

pub fn source_item(items: Vec<Item>, files: Vec<File>) -> SourceItem {
    let note = Note {
        note_id: NoteId(10),
        unid: Unid([7; 16]),
        sequence: 3,
        sequence_time: Timedate([0x80, 0x8525_1234]),
        status: NoteStatus::HAS_OBJECTS,
        class: NoteClass::DOCUMENT,
        modified: Timedate([5, 6]),
        added: Timedate([7, 8]),
        parent: Some(NoteId(11)),
        items,
    };
    SourceItem {
        origin: origin(10),
        version: ItemVersion { sequence: 3, time: [0x80, 0x8525_1234] },
        content: Content::Note { note: Box::new(note), files },
        parent_message_id: Some((Unid([8; 16]), "p@example.com".to_owned())),
        related: Vec::new(),
        losses: vec![Loss::new(LossKind::TextDamaged, "Subject")],
    }
}

/// An item with every kind of part.
pub fn sample_item() -> SourceItem {
    let items = vec![item_of("Form", b"Memo".to_vec()), item_of("Body", Vec::new())];
    let lost = FileBody::Lost(Loss::new(LossKind::AttachmentMissing, "gone"));
    let files = vec![file("a.txt", read(b"hello".to_vec())), file("b", lost), file("c", read(vec![]))];
    let instance =
        Note { unid: Unid([9; 16]), items: vec![item_of("Form", b"A".to_vec())], ..Note::default() };
    SourceItem { related: vec![instance, Note::default()], ..source_item(items, files) }
}

fn any_loss() -> impl Strategy<Value = Loss> {
    (0..LossKind::ALL.len(), any::<String>())
        .prop_map(|(kind, detail)| Loss::new(LossKind::ALL[kind], detail))
}

fn any_item() -> impl Strategy<Value = Item> {
    // Half of the values are small, some are larger than a block.
    let value = (any::<u64>(), prop_oneof![0..100_usize, 0..2 * FILE_BLOCK_BYTES + 9]);
    (any::<String>(), any::<(u16, u16)>(), value).prop_map(|(name, (flags, item_type), (seed, count))| Item {
        name,
        flags: ItemFlags(flags),
        item_type: ItemType(item_type),
        value: noise(seed, count),
    })
}

fn any_file() -> impl Strategy<Value = File> {
    let bytes = (any::<u64>(), 0..900_000_usize).prop_map(|(seed, count)| read(noise(seed, count)));
    let body = prop_oneof![bytes, any_loss().prop_map(FileBody::Lost)];
    (any::<(String, bool)>(), any::<[u32; 6]>(), any::<[u16; 4]>(), body).prop_map(
        |(name, words, halves, body)| {
            let descriptor = FileObject {
                object_id: words[0],
                name: Text { text: name.0, damaged: name.1 },
                host: halves[0],
                compression: Compression::from_stored(halves[1]),
                attributes: halves[2],
                flags: halves[3],
                size: words[1],
                created: Timedate([words[2], words[3]]),
                modified: Timedate([words[4], words[5]]),
            };
            File { descriptor, body }
        },
    )
}

fn any_source_item() -> impl Strategy<Value = SourceItem> {
    let related = vec(vec(any_item(), 0..3), 0..3);
    let parts = (vec(any_item(), 0..8), vec(any_file(), 0..4), vec(any_loss(), 0..4), related);
    let head = (any::<[u32; 9]>(), any::<[u16; 2]>(), option::of(any::<String>()), option::of(any::<u32>()));
    (parts, head).prop_map(|((items, files, losses, related), (words, halves, parent, parent_note))| {
        let note = Note {
            note_id: NoteId(words[0]),
            unid: Unid([words[1] as u8; 16]),
            sequence: words[2],
            sequence_time: Timedate([words[3], words[4]]),
            status: NoteStatus(halves[0]),
            class: NoteClass(halves[1]),
            modified: Timedate([words[5], words[6]]),
            added: Timedate([words[7], words[8]]),
            parent: parent_note.map(NoteId),
            items,
        };
        let related = related.into_iter().map(|items| Note { items, ..note.clone() }).collect();
        SourceItem {
            origin: origin(words[0]),
            version: ItemVersion { sequence: words[2], time: [words[3], words[4]] },
            content: Content::Note { note: Box::new(note), files },
            parent_message_id: parent.map(|message_id| (Unid([1; 16]), message_id)),
            related,
            losses,
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn items_come_back(items in vec(any_source_item(), 1..6)) {
        let ids: Vec<u64> = (0..items.len() as u64).map(|id| id * 17).collect();
        let chunks = answer(&End::default(), |to| {
            ids.iter().zip(&items).for_each(|(id, item)| to.item(SourceItemId(*id), item).unwrap());
        });
        let spool = Spool::of(&get(ids.clone()), &chunks);
        let back = spool.items();
        prop_assert_eq!(back.iter().map(|(id, _)| id.0).collect::<Vec<_>>(), ids);
        back.iter().zip(&items).for_each(|((_, left), right)| assert_same(left, right));
    }

    #[test]
    fn listings_come_back(
        lines in vec((any::<(u64, u32, [u32; 2])>(), vec(any::<u32>(), 0..9), option::of(any::<bool>())), 0..99),
        paths in vec((vec(any::<String>(), 0..6), any::<(u32, u64)>()), 0..30),
        next in option::of(any::<u64>()),
    ) {
        let lines: Vec<ListedItem> = lines.into_iter().map(|((id, sequence, time), folders, unread)| ListedItem {
            relatives: 7,
            id: SourceItemId(id),
            origin: origin(sequence),
            version: ItemVersion { sequence, time },
            folders: folders.into_iter().map(FolderId).collect(),
            unread,
        }).collect();
        let next = next.filter(|_| !lines.is_empty());
        let end = End { next: next.map(SourceItemId), ..End::default() };
        let chunks = answer(&end, |to| lines.iter().for_each(|line| to.listed(line).unwrap()));
        let spool = Spool::of(&Action::ListItems { after: None, limit: 99 }, &chunks);
        let back = spool.arrived.iter().filter_map(|arrived| match arrived {
            Arrived::Listed(line) => Some(line),
            _ => None,
        });
        prop_assert!(back.eq(&lines));
        prop_assert!(matches!(spool.arrived.last(), Some(Arrived::End(last)) if *last == end));

        let folders: Vec<Folder> = paths.iter().map(|(path, (id, documents))| Folder {
            id: FolderId(*id),
            path: FolderPath::new(path.iter().map(String::as_str)),
            role: FolderRole::Hidden,
            documents: *documents,
        }).collect();
        let chunks = answer(&End::default(), |to| {
            to.source(&SourceFacts::default()).unwrap();
            folders.iter().for_each(|folder| to.folder(folder).unwrap());
        });
        let spool = Spool::of(&Action::ListFolders, &chunks);
        let back = spool.arrived.iter().filter_map(|arrived| match arrived {
            Arrived::Folder(folder) => Some(folder),
            _ => None,
        });
        prop_assert!(back.eq(&folders));
    }
}

/// A large blob that nobody holds: byte `n` is a function of `n`.
struct Pattern {
    length: u64,
    /// Where reading fails.
    fails_at: u64,
}

impl OpenBlob for Pattern {
    fn open(&self) -> io::Result<Box<dyn Read + Send + '_>> {
        Ok(Box::new(PatternReader { at: 0, blob: self }))
    }
}

struct PatternReader<'a> {
    at: u64,
    blob: &'a Pattern,
}

impl Read for PatternReader<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let count = (out.len() as u64).min(self.blob.length - self.at) as usize;
        if self.at + count as u64 > self.blob.fails_at {
            return Err(io::Error::other("a bad sector"));
        }
        (self.at..).zip(&mut out[..count]).for_each(|(at, byte)| *byte = (at ^ at >> 8 ^ at >> 16) as u8);
        self.at += count as u64;
        Ok(count)
    }
}

fn pattern(length: u64, fails_at: u64) -> FileBody {
    FileBody::Read(Blob::stored(length, &[], Arc::new(Pattern { length, fails_at })))
}

#[test]
fn an_attachment_larger_than_several_chunks() {
    let length = 3 * CHUNK_WRITTEN_BYTES as u64 + 12_345;
    let item = source_item(vec![item_of("Form", vec![1])], vec![file("large", pattern(length, u64::MAX))]);
    let chunks = answer(&End::default(), |to| {
        to.item(SourceItemId(1), &item).unwrap();
        assert!(to.written_bytes() > length && to.written_bytes() < length + 10_000);
    });
    assert_eq!(chunks.len(), 4);
    // Chunks before the last one are filled but for less than the shortest block.
    assert!(chunks[..3].iter().all(|chunk| CHUNK_WRITTEN_BYTES - chunk.payload().len() < 5_000));
    let spool = Spool::of(&get([1]), &chunks);
    assert_same(spool.items()[0].1, &item);
    for (place, head) in &spool.places {
        let chunk = &chunks[place.chunk.0 as usize - 1];
        assert_eq!(chunk.payload()[place.offset..][..head.len()], head[..]);
    }
}

#[test]
fn a_note_with_a_value_of_50_megabytes() {
    let items = vec![item_of("Body", noise(3, 50 << 20)), item_of("After", b"x".to_vec())];
    let item = source_item(items, Vec::new());
    let chunks = answer(&End::default(), |to| to.item(SourceItemId(1), &item).unwrap());
    assert_eq!(chunks.len(), (50 << 20) / CHUNK_WRITTEN_BYTES + 1);
    assert!(chunks.iter().all(|chunk| chunk.payload().len() <= CHUNK_WRITTEN_BYTES));
    assert_same(Spool::of(&get([1]), &chunks).items()[0].1, &item);
}

#[test]
fn a_record_longer_than_a_chunk_as_written() {
    let name = "n".repeat(CHUNK_WRITTEN_BYTES + 1);
    let item = source_item(vec![item_of("Form", vec![1])], vec![file(&name, pattern(3, u64::MAX))]);
    let chunks = answer(&End::default(), |to| to.item(SourceItemId(1), &item).unwrap());
    assert_eq!(chunks.len(), 3);
    assert!(chunks.iter().all(Chunk::is_intact) && chunks[1].payload().len() > CHUNK_WRITTEN_BYTES);
    assert_same(Spool::of(&get([1]), &chunks).items()[0].1, &item);
}

#[test]
fn ten_thousand_small_items_in_few_chunks() {
    let item = |id: u64| source_item(vec![item_of("Subject", format!("Message {id}").into_bytes())], vec![]);
    let chunks = answer(&End::default(), |to| {
        (0..10_000).for_each(|id| to.item(SourceItemId(id), &item(id)).unwrap());
    });
    assert!(chunks.len() <= 2, "{} chunks", chunks.len());
    let spool = Spool::of(&get(0..10_000), &chunks);
    assert_eq!(spool.items().len(), 10_000);
    spool.items().iter().for_each(|(id, back)| assert_same(back, &item(id.0)));
}

#[test]
fn chunks_are_numbered_from_one_and_the_last_one_says_so() {
    let value = noise(1, 5 * CHUNK_WRITTEN_BYTES / 2);
    let large = source_item(vec![item_of("Body", value)], Vec::new());
    let chunks = answer(&End::default(), |to| to.item(SourceItemId(1), &large).unwrap());
    assert!(chunks.iter().map(Chunk::number).eq((1..=3).map(ChunkNumber)));
    assert!(chunks.iter().map(Chunk::is_last).eq([false, false, true]));
    assert!(chunks.iter().all(Chunk::is_intact));
}

#[test]
fn an_item_that_fails_on_the_way_is_taken_back_and_the_rest_goes_on() {
    let broken = source_item(Vec::new(), vec![file("bad", pattern(9 << 20, 5 << 20))]);
    let set_aside = SetAside::new(SetAsideReason::UnreadableNote, "a bad sector");
    let chunks = answer(&End::default(), |to| {
        to.item(SourceItemId(1), &sample_item()).unwrap();
        let error = to.item(SourceItemId(2), &broken).unwrap_err();
        assert_eq!(error.to_string(), "bad cannot be read: a bad sector");
        to.set_aside(SourceItemId(2), &set_aside).unwrap();
        to.item(SourceItemId(3), &sample_item()).unwrap();
    });
    let spool = Spool::of(&get([1, 2, 3]), &chunks);
    assert!(spool.items().iter().map(|(id, _)| id.0).eq([1, 3]));
    spool.items().iter().for_each(|(_, item)| assert_same(item, &sample_item()));
    let taken_back = Arrived::SetAside { id: SourceItemId(2), set_aside };
    assert_eq!(format!("{:?}", spool.arrived[1]), format!("{taken_back:?}"));
}

#[test]
fn a_blob_that_is_longer_than_it_says_is_no_attachment() {
    let longer = Blob::stored(10, &[], Arc::new(Pattern { length: 11, fails_at: u64::MAX }));
    let item = source_item(Vec::new(), vec![file("a", FileBody::Read(longer))]);
    let set_aside = SetAside::new(SetAsideReason::UnreadableNote, "");
    answer(&End::default(), |to| {
        assert!(matches!(to.item(SourceItemId(1), &item), Err(WriteError::File { .. })));
        to.set_aside(SourceItemId(1), &set_aside).unwrap();
    });
}

#[test]
fn a_note_beyond_the_limit_is_refused_before_its_first_byte() {
    let half = || item_of("Body", vec![0; NOTE_BYTES as usize / 2]);
    let item = source_item(vec![half(), half()], Vec::new());
    let set_aside = SetAside::new(SetAsideReason::TooLarge, "");
    let chunks = answer(&End::default(), |to| {
        assert!(matches!(to.item(SourceItemId(1), &item), Err(WriteError::TooLarge(_))));
        assert_eq!(to.written_bytes(), 0);
        to.set_aside(SourceItemId(1), &set_aside).unwrap();
    });
    assert!(matches!(Spool::of(&get([1]), &chunks).arrived[..], [Arrived::SetAside { .. }, Arrived::End(_)]));
}

#[test]
fn a_chunk_that_does_not_get_through_ends_the_writing() {
    let mut writer = ChunkWriter::new(|_| Err("no line"));
    let large = source_item(vec![item_of("Body", noise(1, 9 << 20))], Vec::new());
    assert!(matches!(writer.item(SourceItemId(1), &large), Err(WriteError::Send("no line"))));
}
