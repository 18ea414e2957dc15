//! What the forge writes is what readers see: ours and an independent one.

use notesferry::forge::database::{Attachment, Compression, Options, Writer};
use notesferry::forge::note::{ItemSpec, NoteSpec, Placement};
use notesferry::forge::version::Version;
use notesferry::notes::document::{NoteClass, NoteStatus};
use notesferry::notes::ids::Unid;
use notesferry::notes::item::ItemFlags;
use notesferry::notes::timedate::Timedate;
use std::collections::BTreeMap;
use std::path::Path;

const VERSIONS: [Version; 2] = [Version::Ods43, Version::Ods52];
const DAY: u32 = 0x0025_8C00;

fn time(hundredths: u32) -> Timedate {
    Timedate([hundredths, DAY | 0x4100_0000])
}

/// A UNID as Notes makes them: the second half is a time.
fn unid(number: u32) -> Unid {
    let random = u64::from(number).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let mut stored = random.to_le_bytes().to_vec();
    stored.extend_from_slice(&time(number).to_stored());
    Unid::from_stored(stored.try_into().unwrap())
}

fn memo(number: u32) -> NoteSpec {
    let subject = format!("Message {number} of a forged database");
    NoteSpec::document(unid(number), time(number)).with([
        ItemSpec::text("Form", "Memo"),
        ItemSpec::text("Subject", &subject),
        ItemSpec::text("From", "CN=Jane Doe/OU=Sales/O=Example").flagged(ItemFlags::NAMES),
        ItemSpec::texts("SendTo", &["CN=Bob Ray/O=Example", "someone@example.org"]),
        ItemSpec::time("PostedDate", time(number)),
        ItemSpec::number("Count", f64::from(number)),
        ItemSpec::text("Padding", &"so that notes differ in size ".repeat(number as usize % 40)),
    ])
}

/// What was written, by note id.
type Expected = BTreeMap<u32, NoteSpec>;

fn forge(path: &Path, version: Version, notes: impl Iterator<Item = NoteSpec>) -> Expected {
    let mut writer = Writer::create(path, Options { version, ..Options::default() }).unwrap();
    let expected = notes.map(|note| (writer.add_note(&note).unwrap().0, note)).collect();
    writer.finish().unwrap();
    expected
}

/// Puts the true nibbles back into buckets and descriptor pages outside the superblock: the other reader knows of
/// neither. Written from the description of the format, apart from forge and reader.
fn put_nibbles_back(file: &mut [u8]) {
    fn restore(file: &mut [u8], first: usize, size: usize, saved: impl Fn(usize) -> u8) {
        for (sector, at) in (first..first + size).step_by(512).enumerate() {
            file[at] = file[at] & 0xF0 | saved(sector);
        }
    }
    let word = |file: &[u8], at: usize| u32::from_le_bytes(file[at..at + 4].try_into().unwrap()) as usize;
    let nibble = |byte: u8, sector: usize| if sector.is_multiple_of(2) { byte >> 4 } else { byte & 15 };
    for at in (0..file.len()).step_by(4096) {
        let size = if file[at..].starts_with(&[2, 0x42]) { word(file, at + 6) } else { continue };
        let footer: Vec<u8> = file[at..at + size].iter().rev().take(size / 1024).copied().collect();
        restore(file, at + 0x42, size - 0x42, |sector| nibble(footer[sector / 2], sector));
    }
    let database = sherlock_nsf_parser::Database::open(file).unwrap();
    let pages = database.freshest_superblock().unwrap().unwrap().1.number_of_summary_bucket_descriptor_pages;
    let body = database.decompressed_superblock_body().unwrap().unwrap();
    for page in 0..pages as usize - 1 {
        let at = word(&body, 14 * page) * 256;
        let saved = file[at + 22..at + 30].to_vec();
        restore(file, at + 0x28, 8192 - 0x28, |sector| nibble(saved[sector / 2], sector));
    }
}

/// Compares every note with what sherlock-nsf-parser sees: ids, UNIDs, classes, status, and names, flags and values
/// of the summary items. It does not understand check nibbles (put back before), values outside the summary, type
/// words and compression (compared as stored), LMBCS (texts here are ASCII), folders, objects, unread lists and
/// deletion stubs (shorter than the note header it knows).
fn assert_seen_by_sherlock(path: &Path, expected: &Expected) {
    let mut file = std::fs::read(path).unwrap();
    put_nibbles_back(&mut file);
    let database = sherlock_nsf_parser::Database::open(&file).unwrap();
    let names = database.bucket_descriptor_block().unwrap().unwrap();
    let seen = database.enumerate_notes().unwrap();
    let notes: BTreeMap<u32, _> = seen.notes.iter().map(|note| (note.rrv_identifier, note)).collect();
    for (id, spec) in expected {
        let note = notes.get(id).unwrap_or_else(|| panic!("note {id:X} is not seen"));
        let mut stored_unid = Vec::new();
        for half in [note.header.file_identifier, note.header.note_identifier] {
            stored_unid.extend_from_slice(&half.innards0.to_le_bytes());
            stored_unid.extend_from_slice(&half.innards1.to_le_bytes());
        }
        assert_eq!(Unid::from_stored(stored_unid.try_into().unwrap()), spec.unid);
        assert_eq!(note.header.note_class, spec.class.0);
        assert_eq!(note.header.sequence_number, spec.sequence);
        assert_eq!(usize::from(note.header.number_of_note_items), spec.items.len());
        let in_order = spec.items.iter().all(|item| item.flags.has(ItemFlags::SUMMARY));
        for (item, of_spec) in database.note_items(note).iter().zip(&spec.items) {
            // It ends the name table four bytes early, so the last name of a database is lost to it.
            let is_last = usize::from(item.name_id) + 1 == names.unk_names.len();
            assert!(
                is_last || names.name(item.name_id) == Some(&*of_spec.name),
                "note {id:X} {}",
                of_spec.name
            );
            assert_eq!(item.type_flags & 0x7F7, of_spec.flags.0, "note {id:X} {}", of_spec.name);
            if in_order && item.type_flags & 0x8008 == 0x0008 {
                assert!(item.value == of_spec.value, "note {id:X} {}", of_spec.name);
            }
        }
    }
    let objects = seen.file_position_total as usize;
    assert_eq!(seen.notes.len() + objects, expected.len() + objects);
}

#[test]
fn another_reader_sees_the_notes() {
    let folder = tempfile::tempdir().unwrap();
    for version in VERSIONS {
        let path = folder.path().join(format!("{}.nsf", version.number()));
        let design = NoteSpec::design(0x8008, unid(9), time(9)).with([ItemSpec::text("$TITLE", "All")]);
        let expected = forge(&path, version, (0..1200).map(memo).chain([design]));
        assert_seen_by_sherlock(&path, &expected);
    }
}

#[test]
fn another_reader_sees_notes_beyond_the_first_descriptor_page() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("large.nsf");
    let filler = "x".repeat(5000);
    let notes = (0..1200).map(|k| memo(k).with([ItemSpec::text("Filler", &filler)]));
    let expected = forge(&path, Version::Ods52, notes);
    let file = std::fs::read(&path).unwrap();
    let superblock =
        sherlock_nsf_parser::Database::open(&file).unwrap().freshest_superblock().unwrap().unwrap().1;
    assert_eq!(superblock.number_of_summary_bucket_descriptor_pages, 3);
    assert_seen_by_sherlock(&path, &expected);
}

#[test]
fn the_same_calls_give_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str| {
        let path = folder.path().join(name);
        forge(&path, Version::Ods43, (0..300).map(memo));
        std::fs::read(path).unwrap()
    };
    assert!(write("a.nsf") == write("b.nsf"));
}

#[test]
fn an_existing_file_is_refused_and_nothing_half_done_is_left() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mail.nsf");
    let writer = Writer::create(&path, Options::default()).unwrap();
    drop(writer);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    std::fs::write(&path, "mine").unwrap();
    assert!(Writer::create(&path, Options::default()).is_err());
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "mine");
}

#[test]
fn an_attachment_of_another_length_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = Writer::create(&folder.path().join("mail.nsf"), Options::default()).unwrap();
    for compression in [Compression::None, Compression::Huffman] {
        let mut data = &b"four"[..];
        let attachment =
            Attachment { name: "a.txt", data: &mut data, bytes: 5, compression, flags: 0, modified: time(1) };
        assert!(writer.attach(attachment).is_err());
    }
}

/// Attachments, all places of values, ghosts and stubs in one database, so that the other reader stumbles over none.
#[test]
fn another_reader_passes_by_what_it_does_not_know() {
    let folder = tempfile::tempdir().unwrap();
    for version in VERSIONS {
        let path = folder.path().join(format!("{}.nsf", version.number()));
        let mut writer = Writer::create(&path, Options { version, ..Options::default() }).unwrap();
        let mut expected = Expected::new();
        for (number, placement) in
            [Placement::Inline, Placement::Bucket, Placement::File, Placement::Automatic]
                .into_iter()
                .enumerate()
        {
            let mut data = &[7; 3000][..];
            let attachment = Attachment {
                name: "a.txt",
                data: &mut data,
                bytes: 3000,
                compression: Compression::Huffman,
                flags: 0,
                modified: time(1),
            };
            let file = writer.attach(attachment).unwrap();
            let body = ItemSpec::rich_text("Body", vec![0x81, 2, 0x85, 0xFF, 6, 0, b'h', b'i']);
            let note = NoteSpec { placement, ..memo(number as u32) }.with([file, body]);
            expected.insert(writer.add_note(&note).unwrap().0, note);
        }
        let ghost = NoteStatus(NoteStatus::GHOST.0 | NoteStatus::NAMED.0);
        let profile = NoteSpec { status: ghost, ..memo(50) };
        expected.insert(writer.add_note(&profile).unwrap().0, profile);
        let inbox = writer.add_folder("($Inbox)", "F", unid(60), time(60));
        writer.file(
            inbox,
            notesferry::notes::ids::NoteId(*expected.keys().next().unwrap()),
            unid(0),
            time(61),
        );
        writer.finish().unwrap();
        let mut file = std::fs::read(&path).unwrap();
        put_nibbles_back(&mut file);
        let seen = sherlock_nsf_parser::Database::open(&file).unwrap().enumerate_notes().unwrap();
        let classes: Vec<u16> = seen.notes.iter().map(|note| note.header.note_class).collect();
        assert_eq!(classes.iter().filter(|class| **class == NoteClass::DOCUMENT.0).count(), expected.len());
        assert_eq!(classes.iter().filter(|class| **class == NoteClass::VIEW.0).count(), 1);
        // Four attachments, two objects of the folder, the index of named objects.
        assert_eq!((seen.file_position_total, seen.unresolved), (7, 7));
    }
}
