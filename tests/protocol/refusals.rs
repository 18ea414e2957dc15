//! What a reader of chunks refuses: everything that a writer does not make, or that was not asked for.

use super::messages::noise;
use super::transfer::{Spool, answer, get, sample_item, source_item};
use notesferry::base::limits::{CHUNK_BYTES, CHUNK_WRITTEN_BYTES, NOTE_BYTES};
use notesferry::model::content::SourceItemId;
use notesferry::model::folder::{Folder, FolderId, FolderPath, FolderRole};
use notesferry::model::loss::{SetAside, SetAsideReason};
use notesferry::notes::item::{Item, ItemFlags, ItemType};
use notesferry::protocol::action::Action;
use notesferry::protocol::ids::ChunkNumber;
use notesferry::protocol::transfer::{
    Arrived, Chunk, ChunkError, ChunkReader, End, Failure, FailureKind, ReadError, SourceFacts,
};

const LIST: Action = Action::ListItems { after: None, limit: 1 };

/// What keeps the chunks from being an answer to the action.
#[track_caller]
fn refusal(action: &Action, chunks: &[Chunk]) -> String {
    let mut reader = ChunkReader::new(action);
    let mut spool = Spool::default();
    let error = chunks.iter().find_map(|chunk| reader.read(chunk, &mut spool).err());
    let error = error.expect("it was not refused");
    assert!(reader.is_closed());
    // Nothing goes on after an error.
    assert!(reader.read(&chunks[0], &mut spool).is_err());
    assert!(!spool.arrived.iter().any(|arrived| matches!(arrived, Arrived::End(_))));
    match error {
        ReadError::Chunk(ChunkError::Unexpected { why, .. }) => why.to_owned(),
        ReadError::Chunk(error) => error.to_string(),
        ReadError::Receiver(never) => match never {},
    }
}

fn items(ids: impl IntoIterator<Item = u64>) -> Vec<Chunk> {
    answer(&End::default(), |to| {
        ids.into_iter().for_each(|id| to.item(SourceItemId(id), &sample_item()).unwrap());
    })
}

fn two_chunks() -> Vec<Chunk> {
    let body = Item {
        name: "Body".to_owned(),
        flags: ItemFlags(0),
        item_type: ItemType::COMPOSITE,
        value: noise(5, CHUNK_WRITTEN_BYTES + 100),
    };
    let item = source_item(vec![body], Vec::new());
    answer(&End::default(), |to| to.item(SourceItemId(1), &item).unwrap())
}

#[test]
fn chunks_out_of_order() {
    let [first, second] = two_chunks().try_into().unwrap();
    assert_eq!(refusal(&get([1]), std::slice::from_ref(&second)), "chunk 2 arrived where chunk 1 was due");
    assert_eq!(refusal(&get([1]), &[first.clone(), first]), "chunk 1 arrived where chunk 2 was due");
}

#[test]
fn a_chunk_whose_bytes_number_or_end_mark_changed() {
    let chunk = items([1]).remove(0);
    let body = postcard::to_stdvec(&chunk).unwrap();
    for at in [0, 1, 2, 33, 40, body.len() - 1] {
        let mut changed = body.clone();
        changed[at] ^= 1;
        let Ok(changed) = postcard::from_bytes::<Chunk>(&changed) else { continue };
        assert!(!changed.is_intact(), "byte {at}");
        let mut reader = ChunkReader::new(&get([1]));
        assert!(reader.read(&changed, &mut Spool::default()).is_err(), "byte {at}");
    }
}

#[test]
fn empty_and_oversized_chunks() {
    assert_eq!(refusal(&LIST, &[Chunk::new(ChunkNumber(1), false, Vec::new())]), "chunk 1 is damaged");
    let large = Chunk::new(ChunkNumber(1), false, vec![0; CHUNK_BYTES + 1]);
    assert_eq!(refusal(&LIST, &[large]), "chunk 1 is damaged");
}

#[test]
fn an_end_mark_in_the_wrong_place() {
    let [first, second] = two_chunks().try_into().unwrap();
    let marked = Chunk::new(ChunkNumber(1), true, first.payload().to_vec());
    let unmarked = Chunk::new(ChunkNumber(2), false, second.payload().to_vec());
    let differ = "the mark of the last chunk and the end differ";
    assert_eq!(refusal(&get([1]), &[marked]), differ);
    let mut spool = Spool::default();
    let mut reader = ChunkReader::new(&get([1]));
    reader.read(&first, &mut spool).unwrap();
    assert!(reader.read(&unmarked, &mut spool).unwrap_err().to_string().ends_with(differ));
}

#[test]
fn records_after_the_end() {
    let ended = items([1]).remove(0);
    let twice = Chunk::new(ChunkNumber(1), true, [ended.payload(), ended.payload()].concat());
    let mut spool = Spool::default();
    let error = ChunkReader::new(&get([1])).read(&twice, &mut spool).unwrap_err();
    assert!(error.to_string().ends_with("a record follows the end"), "{error}");
}

#[test]
fn what_was_not_asked_for() {
    let unasked = "an item that was not asked for";
    assert_eq!(refusal(&get([2]), &items([1])), unasked);
    assert_eq!(refusal(&get([1, 2]), &items([2])), unasked);
    assert_eq!(refusal(&get([1]), &items([1, 1])), unasked);
    for action in
        [LIST, Action::ListFolders, Action::Test { nonce: 1 }, Action::Wait { milliseconds: 1 }, Action::Stop]
    {
        assert_eq!(refusal(&action, &items([1])), unasked);
    }
    let nonce = answer(&End::default(), |to| to.nonce(4).unwrap());
    assert_eq!(refusal(&Action::Test { nonce: 5 }, &nonce), "a number that was not asked for");
    let folder = Folder { id: FolderId(1), path: FolderPath::inbox(), role: FolderRole::Inbox, documents: 0 };
    let folders = answer(&End::default(), |to| to.folder(&folder).unwrap());
    assert_eq!(refusal(&Action::ListFolders, &folders), "a folder that was not asked for");
    let facts = answer(&End::default(), |to| to.source(&SourceFacts::default()).unwrap());
    assert_eq!(refusal(&LIST, &facts), "facts of a source that were not asked for");
    let set_aside = SetAside::new(SetAsideReason::UnreadableNote, "");
    let lines = answer(&End::default(), |to| {
        (1..=2).for_each(|id| to.set_aside(SourceItemId(id), &set_aside).unwrap());
    });
    assert_eq!(refusal(&LIST, &lines), unasked);
}

#[test]
fn a_next_page_where_it_leads_nowhere() {
    let end = End { next: Some(SourceItemId(1)), ..End::default() };
    assert_eq!(refusal(&LIST, &answer(&end, |_| ())), "a next page after nothing");
    let page = answer(&end, |to| to.item(SourceItemId(1), &sample_item()).unwrap());
    let error = ChunkReader::new(&get([1])).read(&page[0], &mut Spool::default()).unwrap_err();
    assert!(error.to_string().ends_with("a next page after nothing"), "{error}");
}

#[test]
fn an_end_without_an_answer_needs_a_reason() {
    let nothing = answer(&End::default(), |_| ());
    let failure = Failure { kind: FailureKind::CannotOpen, detail: "no such file".to_owned() };
    let failed = End { failure: Some(failure), ..End::default() };
    let reason = answer(&failed, |_| ());
    for action in [get([1]), Action::ListFolders, Action::Test { nonce: 1 }] {
        assert_eq!(refusal(&action, &nothing), "the end comes before the answer");
        assert!(matches!(&Spool::of(&action, &reason).arrived[..], [Arrived::End(end)] if *end == failed));
    }
    // An empty mailbox has an empty listing, and what is left of the items is asked for again.
    Spool::of(&LIST, &nothing);
    Spool::of(&get([1, 2, 3]), &items([1, 2]));
}

#[test]
fn an_open_item_and_something_else() {
    let whole = items([1]).remove(0);
    // The item without its end: the end record of the item is two bytes, that of the answer four.
    let open = &whole.payload()[..whole.payload().len() - 6];
    let end = &whole.payload()[whole.payload().len() - 4..];
    let chunk = |tail: &[u8]| Chunk::new(ChunkNumber(1), true, [open, tail].concat());
    assert_eq!(refusal(&get([1]), &[chunk(end)]), "an item is not finished");
    assert_eq!(refusal(&get([1]), &[chunk(open)]), "an item is not finished");
    // Set aside (4), item 9, reason 1, no detail.
    assert_eq!(refusal(&get([1]), &[chunk(&[4, 9, 1, 0])]), "another item is set aside than the open one");
    // Item end (11) of item 1; value block (8) and file block (10) that belong to nothing; a value (7) too many.
    assert_eq!(refusal(&get([1]), &[chunk(&[11, 1])]), "an item ends before its parts");
    assert_eq!(refusal(&get([1]), &[chunk(&[8, 0, 1, 7])]), "a block without a value");
    assert_eq!(refusal(&get([1]), &[chunk(&[10, 0, 0, 0, 1, 7])]), "a block without a file");
    assert_eq!(refusal(&get([1]), &[chunk(&[7, 0, 0, 0, 0, 0])]), "more parts than were announced");
    assert_eq!(refusal(&get([1]), &[chunk(&[6, 1, 0])]), "more parts than were announced");
    let lonely = Chunk::new(ChunkNumber(1), true, vec![8, 0, 1, 7]);
    assert_eq!(refusal(&get([1]), &[lonely]), "a part of an item without an item");
    let unknown = Chunk::new(ChunkNumber(1), true, vec![99]);
    assert!(refusal(&get([1]), &[unknown]).contains("cannot be decoded"));
}

/// The head of item 1 without losses, with so many values and files to come.
fn head(values: u32, files: u32) -> Vec<u8> {
    let mut item = source_item(Vec::new(), Vec::new());
    item.losses.clear();
    let chunk = answer(&End::default(), |to| to.item(SourceItemId(1), &item).unwrap()).remove(0);
    let payload = chunk.payload();
    // Item end, end, and the two counts at the end of the head are taken off.
    let mut head = payload[..payload.len() - 6 - 2].to_vec();
    head.extend(postcard::to_stdvec(&(values, files)).unwrap());
    head
}

#[test]
fn a_note_that_grows_beyond_the_limit() {
    // Value: empty name, no flags, type 0, a length beyond the limit, no bytes.
    let mut long = head(1, 0);
    long.extend([7, 0, 0, 0]);
    long.extend(postcard::to_stdvec(&(NOTE_BYTES + 1)).unwrap());
    long.push(0);
    assert_eq!(refusal(&get([1]), &[Chunk::new(ChunkNumber(1), false, long)]), "the note is too large");

    // A million empty items: each costs memory, so each counts.
    let empty = [7_u8, 0, 0, 0, 0, 0];
    let mut many = head(u32::MAX, 0);
    many.extend(empty.repeat((CHUNK_BYTES - many.len()) / empty.len()));
    let more = empty.repeat(CHUNK_BYTES / empty.len());
    let payloads = [many, more.clone(), more];
    let chunk = |(number, payload)| Chunk::new(ChunkNumber(number), false, payload);
    let chunks: Vec<Chunk> = (1..).zip(payloads).map(chunk).collect();
    assert_eq!(refusal(&get([1]), &chunks), "the note is too large");
}

#[test]
fn blocks_that_do_not_fit_together() {
    let refused = |head: Vec<u8>, records: &[&[u8]]| {
        let payload = [head, records.concat()].concat();
        refusal(&get([1]), &[Chunk::new(ChunkNumber(1), false, payload)])
    };
    // A value of two bytes with its first byte; a file of two bytes without a name.
    let value: &[u8] = &[7, 0, 0, 0, 2, 1, b'a'];
    let file: &[u8] = &[9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2];
    assert_eq!(refused(head(1, 0), &[value, &[8, 0, 1, b'b']]), "a block of a value is missing");
    assert_eq!(refused(head(1, 0), &[value, &[8, 1, 2, b'b', b'c']]), "a block without a value");
    assert_eq!(refused(head(1, 0), &[value, &[8, 1, 0]]), "a block without a value");
    assert_eq!(refused(head(2, 0), &[value, value]), "a value or file is not finished");
    assert_eq!(refused(head(0, 2), &[file, file]), "a value or file is not finished");
    assert_eq!(refused(head(1, 1), &[file]), "files come after the values");
    for block in [[10, 1, 0, 0, 1, b'a'], [10, 0, 1, 0, 1, b'a'], [10, 0, 0, 1, 1, b'a']] {
        assert_eq!(refused(head(0, 1), &[file, &block]), "a block of a file is missing");
    }
    for block in [&[10, 0, 0, 0, 0][..], &[10, 0, 0, 0, 3, 1, 2, 3]] {
        assert_eq!(refused(head(0, 1), &[file, block]), "a file is longer than announced");
    }
    assert_eq!(
        refused(head(0, 1), &[file, &[10, 0, 0, 0, 1, b'a'], &[11, 0]]),
        "an item ends before its parts"
    );
}
