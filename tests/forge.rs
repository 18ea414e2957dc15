//! What the forge writes is what readers see: ours and an independent one.

use notesferry::forge::access::Access;
use notesferry::forge::database::{Attachment, Compression, Options, Writer};
use notesferry::forge::from_mails::{self, FromMailsOptions};
use notesferry::forge::mailbox::{self, MailboxOptions};
use notesferry::forge::note::{ItemSpec, NoteSpec, Placement};
use notesferry::forge::version::Version;
use notesferry::model::content::{Content, FileBody, ListedItem, SourceItem};
use notesferry::model::loss::LossKind;
use notesferry::notes::document::{Note, NoteClass, NoteStatus};
use notesferry::notes::ids::{NoteId, Unid};
use notesferry::notes::item::{ItemFlags, ItemType};
use notesferry::notes::mime_part::MimePart;
use notesferry::notes::richtext::record::Records;
use notesferry::notes::timedate::Timedate;
use notesferry::notes::value::Value;
use notesferry::sources::Source;
use notesferry::sources::access::AccessEntry;
use notesferry::sources::nsf::NsfSource;
use notesferry::sources::nsf::database::Database;
use notesferry::sources::nsf::unread::read_unread_lists;
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
        writer.file(inbox, NoteId(*expected.keys().next().unwrap()), unid(0), time(61));
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

fn assert_same(note: &Note, spec: &NoteSpec) {
    assert_eq!((note.unid, note.class, note.sequence), (spec.unid, spec.class, spec.sequence));
    let times = [note.sequence_time, note.modified, note.added];
    assert_eq!(times, [spec.sequence_time, spec.modified, spec.added]);
    assert_eq!(note.parent, spec.parent);
    assert_eq!(note.items.len(), spec.items.len(), "{}", spec.unid);
    for (read, written) in note.items.iter().zip(&spec.items) {
        assert_eq!((&*read.name, read.item_type), (&*written.name, written.item_type));
        assert!(read.value == written.value, "{} {}", spec.unid, read.name);
        assert_eq!(read.flags.0 & 0x7F7, written.flags.0);
    }
}

/// Notes of all shapes: each placement, typed and compressed values, repeated names, sizes up to the largest.
fn shapes() -> Vec<NoteSpec> {
    let rich = |bytes: usize| ItemSpec::rich_text("Body", (0..bytes).map(|k| (k / 3 % 251) as u8).collect());
    let mut notes = Vec::new();
    for placement in [Placement::Automatic, Placement::Inline, Placement::Bucket, Placement::File] {
        for bytes in [1, 100, 300, 5_000, 20_000, 32_500, 65_000] {
            let mut note = memo(notes.len() as u32).with([rich(bytes), rich(bytes / 2), rich(bytes / 3)]);
            note.placement = placement;
            notes.push(note);
        }
    }
    for summary in [2_000, 8_000, 9_000, 16_000, 20_000, 32_000, 60_000] {
        let text = "a long text ".repeat(summary / 12);
        notes.push(memo(100 + summary as u32).with([ItemSpec::text("Long", &text)]));
    }
    let design = [
        ItemSpec::text("$TITLE", "Memo").typed(),
        ItemSpec::new("$Formula", ItemType::FORMULA, b"SELECT @All ".repeat(200)).compressed(),
        ItemSpec::rich_text("$Body", (0..9_000u32).map(|k| ((k * k) >> 9) as u8).collect()).compressed(),
        ItemSpec::texts("Subject", &["a type unlike the usual one"]),
        ItemSpec::number("$Empty", 0.0).flagged(ItemFlags::PROTECTED),
    ];
    notes.push(NoteSpec::design(0x8004, unid(200), time(200)).with(design));
    let ghost = NoteStatus(NoteStatus::GHOST.0 | NoteStatus::NAMED.0);
    let profile =
        [ItemSpec::text("Form", "CalendarProfile"), ItemSpec::text("Owner", "CN=Jane Doe/O=Example")];
    notes.push(NoteSpec { status: ghost, ..NoteSpec::document(unid(201), time(201)).with(profile) });
    let version_2 = NoteSpec { sequence: 7, sequence_time: time(900), modified: time(901), ..memo(202) };
    notes.push(NoteSpec { parent: Some(NoteId(0x8F6)), ..version_2 });
    notes
}

#[test]
fn our_reader_reads_back_every_note() {
    let folder = tempfile::tempdir().unwrap();
    for version in VERSIONS {
        for newest_ids_in_superblock_only in [false, true] {
            let path = folder.path().join(format!("{}{newest_ids_in_superblock_only}.nsf", version.number()));
            let options = Options { version, newest_ids_in_superblock_only, ..Options::default() };
            let mut writer = Writer::create(&path, options.clone()).unwrap();
            let mut expected = Expected::new();
            for note in shapes().into_iter().chain((300..1500).map(memo)) {
                expected.insert(writer.add_note(&note).unwrap().0, note);
            }
            writer.add_stub(unid(9_000), 3, time(9_000)).unwrap();
            let written = writer.finish().unwrap();
            let database = Database::open(&path).unwrap();
            assert_eq!(database.warnings(), [""; 0]);
            assert_eq!(database.listed_documents(), Some(written.documents as usize));
            assert_eq!(database.header().replica_id, options.replica_id);
            assert_eq!(database.header().title, options.title);
            for (id, spec) in &expected {
                let (note, losses) = database.note(NoteId(*id)).unwrap();
                assert_eq!(losses, [""; 0]);
                assert_same(&note, spec);
            }
        }
    }
}

/// Lists and opens everything.
fn read_all(source: &mut NsfSource) -> Vec<(ListedItem, SourceItem)> {
    let mut items = Vec::new();
    let mut from = None;
    loop {
        let page = source.list(from, 100).unwrap();
        assert_eq!(page.unreadable, []);
        for listed in page.items {
            let opened = source.open(listed.id).unwrap();
            items.push((listed, opened));
        }
        from = page.next;
        if from.is_none() {
            return items;
        }
    }
}

fn files_of(item: &SourceItem) -> Vec<(String, Vec<u8>)> {
    let Content::Note { files, .. } = &item.content;
    let read = |body: &FileBody| match body {
        FileBody::Read(blob) => {
            let mut bytes = Vec::new();
            std::io::Read::read_to_end(&mut blob.open().unwrap(), &mut bytes).unwrap();
            bytes
        }
        FileBody::Lost(loss) => panic!("{loss:?}"),
    };
    files.iter().map(|file| (file.descriptor.name.text.clone(), read(&file.body))).collect()
}

#[test]
fn our_reader_reads_back_attachments_folders_and_marks() {
    let folder = tempfile::tempdir().unwrap();
    for version in VERSIONS {
        let path = folder.path().join(format!("{}.nsf", version.number()));
        let mut writer = Writer::create(&path, Options { version, ..Options::default() }).unwrap();
        let sizes = [0usize, 1, 3_000, 70_000, 5 << 20];
        let content = |k: usize| (0..sizes[k]).map(|at| ((at * at) >> 7) as u8 & 0x7F).collect::<Vec<u8>>();
        let inbox = writer.add_folder("($Inbox)", "F", unid(500), time(500));
        let nested = writer.add_folder("Projects\\Apollo|apollo", "F", unid(501), time(500));
        let empty = writer.add_folder("Empty", "F", unid(502), time(500));
        let _ = empty;
        let user = "CN=Jane Doe/OU=Sales/O=Example";
        writer.add_reader(user);
        for number in 0..300u32 {
            let mut note = memo(number);
            let (k, huffman) = (number as usize % sizes.len(), number % 2 == 0);
            if number < 10 {
                for name in ["a.bin", "b.bin"] {
                    let data = content(k);
                    let compression = if huffman { Compression::Huffman } else { Compression::None };
                    let (bytes, mut data) = (data.len() as u64, &data[..]);
                    let flags = Attachment::IN_DOCUMENT;
                    let attachment =
                        Attachment { name, data: &mut data, bytes, compression, flags, modified: time(1) };
                    note.items.push(writer.attach(attachment).unwrap());
                }
            }
            let id = writer.add_note(&note).unwrap();
            if number % 2 == 0 {
                writer.file(inbox, id, note.unid, time(600));
            }
            if number % 3 == 0 {
                writer.file(nested, id, note.unid, time(601));
            }
            if number % 5 == 0 {
                writer.mark_unread(user, id);
                writer.mark_unread("CN=Bob Ray/O=Example", id);
            }
        }
        let profile = NoteSpec {
            status: NoteStatus(NoteStatus::GHOST.0 | NoteStatus::NAMED.0),
            ..NoteSpec::document(unid(700), time(700))
                .with([ItemSpec::text("Form", "CalendarProfile"), ItemSpec::text("Owner", user)])
        };
        writer.add_note(&profile).unwrap();
        writer.finish().unwrap();

        let mut source = NsfSource::open(&path).unwrap();
        assert_eq!((source.info().warnings, source.owner()), (Vec::new(), Some(user)));
        let folders = source.folders().unwrap();
        let shown: Vec<_> = folders.iter().map(|f| (f.path.to_string(), f.documents)).collect();
        let expected = [("($Inbox)", 150), ("Projects/Apollo", 100), ("Empty", 0)];
        assert_eq!(shown, expected.map(|(name, count)| (name.to_owned(), count)));
        let items = read_all(&mut source);
        assert_eq!(items.len(), 300);
        for (number, (listed, item)) in items.iter().enumerate() {
            let filed = |nth: usize| listed.folders.contains(&folders[nth].id);
            assert_eq!((filed(0), filed(1)), (number % 2 == 0, number % 3 == 0));
            assert_eq!(listed.unread, Some(number % 5 == 0));
            let expected = if number < 10 { ["a.bin", "b.bin"].to_vec() } else { Vec::new() };
            let expected: Vec<_> =
                expected.iter().map(|name| ((*name).to_owned(), content(number % sizes.len()))).collect();
            assert!(files_of(item) == expected, "note {number}");
            assert!(item.losses.is_empty());
        }
    }
}

#[test]
fn many_users_have_their_lists() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("users.nsf");
    let mut writer = Writer::create(&path, Options::default()).unwrap();
    let id = writer.add_note(&memo(1)).unwrap();
    for number in 0..100 {
        writer.mark_unread(&format!("CN=User {number:03} of a larger company/OU=Sales/O=Example"), id);
    }
    writer.finish().unwrap();
    let (lists, warnings) = read_unread_lists(&Database::open(&path).unwrap());
    assert_eq!((lists.len(), warnings.len()), (100, 0));
    for (number, list) in lists.iter().enumerate() {
        assert_eq!(list.user, format!("CN=User {number:03} of a larger company/OU=Sales/O=Example"));
        assert_eq!(list.notes, [id]);
    }
}

#[test]
fn a_forged_mailbox_reads_back_without_a_loss() {
    let folder = tempfile::tempdir().unwrap();
    for version in VERSIONS {
        let path = folder.path().join(format!("{}.nsf", version.number()));
        let written = mailbox::forge(&path, &MailboxOptions { version, mails: 400, seed: 3 }).unwrap();
        let mut source = NsfSource::open(&path).unwrap();
        assert_eq!(source.info().warnings, [""; 0]);
        assert_eq!(source.owner(), Some("CN=Jane Doe/OU=Sales/O=Example"));
        let titles: Vec<String> = source.folders().unwrap().iter().map(|f| f.path.to_string()).collect();
        assert!(titles.contains(&"Projects/Apollo".to_owned()) && titles.contains(&"($Inbox)".to_owned()));
        let items = read_all(&mut source);
        assert_eq!((items.len() as u64, written.documents), (475, 475));
        let mut forms: BTreeMap<String, u32> = BTreeMap::new();
        let mut unread = 0;
        for (listed, item) in &items {
            assert!(item.losses.is_empty(), "{:?}", item.losses);
            files_of(item);
            let Content::Note { note, .. } = &item.content;
            *forms.entry(note.text("Form")).or_default() += 1;
            unread += u32::from(listed.unread == Some(true));
            for item in &note.items {
                if let Value::RichText(records) = item.value().unwrap() {
                    let mut records = Records::new(records);
                    assert!(records.by_ref().count() > 0 && !records.damaged());
                }
            }
        }
        let others = ["Appointment", "Notice", "Task", "Parking Permit"];
        assert_eq!(others.map(|form| forms[form]), [40, 10, 5, 10]);
        let others = ["Person", "JournalEntry", "Phone Message", "Group"];
        assert_eq!(others.map(|form| forms[form]), [3, 3, 2, 2]);
        assert!(forms["Memo"] > 100 && forms["Reply"] > 50 && unread > 10);
        let two_folders = items.iter().filter(|(listed, _)| listed.folders.len() == 2).count();
        assert!(two_folders > 5);
    }
}

#[test]
fn a_mailbox_follows_from_its_seed() {
    let folder = tempfile::tempdir().unwrap();
    let forged = |name: &str, seed| {
        let path = folder.path().join(name);
        mailbox::forge(&path, &MailboxOptions { version: Version::Ods52, mails: 30, seed }).unwrap();
        std::fs::read(path).unwrap()
    };
    let first = forged("a.nsf", 1);
    assert!(first == forged("b.nsf", 1));
    assert!(first != forged("c.nsf", 2));
}

/// The body of a native MIME document, files as they are.
fn mime_body(item: &SourceItem) -> Vec<u8> {
    let Content::Note { note, .. } = &item.content;
    let files: BTreeMap<String, Vec<u8>> = files_of(item).into_iter().collect();
    let mut body = Vec::new();
    for item in note.all("Body") {
        let Ok(Value::MimePart(part)) = item.value() else { panic!("{:?}", item.item_type) };
        body.extend_from_slice(part.boundary);
        body.extend_from_slice(part.headers);
        match part {
            MimePart { body: name, .. } if part.body_in_object() => {
                body.extend_from_slice(&files[&String::from_utf8(name.to_vec()).unwrap()]);
                body.extend_from_slice(b"\r\n");
            }
            MimePart { body: text, .. } => body.extend_from_slice(text),
        }
    }
    body
}

#[test]
fn messages_of_a_maildir_become_documents() {
    let folder = tempfile::tempdir().unwrap();
    let mails = folder.path().join("Maildir");
    let put = |path: &str, text: &str| {
        let path = mails.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    let head = "From: Jo <jo@example.org>\nSubject: =?UTF-8?Q?Gr=C3=BC=C3=9Fe?=\nDate: Fri, 8 Aug 2014 13:18:33 -0400\n";
    let plain = "Content-Type: text/plain; charset=utf-8\n\nHello\n";
    let mixed = "Content-Type: multipart/mixed; boundary=b\n\n--b\n\nsee there\n--b\n\
        Content-Type: application/zip; name=a.zip\nContent-Transfer-Encoding: base64\n\naGVsbG8=\n--b--\n";
    put("cur/1420070400.M1.host:2,FRS", &format!("{head}{plain}"));
    put(".Archive.Gro&AN8-e/new/1420070401.M2.host", &format!("{head}{mixed}"));
    put(".Sent/cur/1420070402.M3.host:2,S", &format!("{head}{plain}"));
    put(".Drafts/cur/1420070403.M4.host:2,DS", &format!("{head}{plain}"));
    put("dovecot-uidlist", "no message");
    put("tmp/1420070404.M5.host", "no message yet");

    let path = folder.path().join("mail.nsf");
    let options = FromMailsOptions { version: Version::Ods43, seed: 1, mails: &mails };
    from_mails::forge(&path, &options).unwrap();
    let mut source = NsfSource::open(&path).unwrap();
    assert_eq!(source.info().warnings, [""; 0]);
    let folders: BTreeMap<_, _> =
        source.folders().unwrap().into_iter().map(|f| (f.id, f.path.to_string())).collect();
    let items = read_all(&mut source);
    let told: Vec<_> = items
        .iter()
        .map(|(listed, item)| {
            let Content::Note { note, .. } = &item.content;
            let folder = listed.folders.first().map(|id| folders[id].as_str());
            (
                folder,
                listed.unread.unwrap(),
                note.has("PostedDate"),
                note.has("DeliveredDate"),
                note.text("$RespondedTo"),
            )
        })
        .collect();
    let row = |folder, unread, posted, delivered, responded: &str| {
        (folder, unread, posted, delivered, responded.to_owned())
    };
    let expected = [
        row(Some("Archive/Gro\u{df}e"), true, true, true, ""),
        row(None, false, false, false, ""),
        row(Some("($Sent)"), false, true, false, ""),
        row(Some("($Inbox)"), false, true, true, "1"),
    ];
    assert_eq!(told, expected);
    let expected = mixed
        .replace('\n', "\r\n")
        .replace("Content-Transfer-Encoding: base64", "Content-Transfer-Encoding: binary")
        .replace("aGVsbG8=", "hello");
    assert_eq!(String::from_utf8(mime_body(&items[0].1)).unwrap(), expected);
}

#[test]
fn a_file_that_would_not_shrink_is_stored_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("noise.nsf");
    let mut writer = Writer::create(&path, Options::default()).unwrap();
    let noise: Vec<u8> = (0..4096u32).map(|k| (k.wrapping_mul(0x9E37_79B1) >> 13) as u8).collect();
    let mut note = memo(1);
    for (name, mut data) in [("noise.bin", &noise[..]), ("zeros.bin", &[0; 4096][..])] {
        let (bytes, compression) = (data.len() as u64, Compression::Huffman);
        let attachment =
            Attachment { name, data: &mut data, bytes, compression, flags: 0, modified: time(1) };
        note.items.push(writer.attach(attachment).unwrap());
    }
    writer.add_note(&note).unwrap();
    writer.finish().unwrap();
    let items = read_all(&mut NsfSource::open(&path).unwrap());
    let Content::Note { files, .. } = &items[0].1.content;
    let words: Vec<u16> = files.iter().map(|file| file.descriptor.compression.code()).collect();
    assert_eq!(words, [0, 1]);
    let expected = [("noise.bin".to_owned(), noise), ("zeros.bin".to_owned(), vec![0; 4096])];
    assert!(files_of(&items[0].1) == expected);
}

/// A document with every construct that the forge writes, read from a file and converted.
#[test]
fn every_forged_construct_is_what_it_was_in_the_message() {
    use notesferry::forge::richtext::{Cell, Font, ImageKind, RichText, Style};
    let mut rich = RichText::new();
    for style in [
        Style::Left,
        Style::Centred,
        Style::Right,
        Style::Full,
        Style::Indented,
        Style::Hanging,
        Style::RightToLeft,
        Style::Hidden,
        Style::Bulleted,
        Style::Circle,
        Style::Square,
        Style::Checked,
        Style::Unchecked,
        Style::Numbered,
        Style::InnerNumbered,
        Style::RomanUpper,
        Style::RomanLower,
        Style::AlphaUpper,
        Style::AlphaLower,
    ] {
        rich.paragraph(style);
        rich.text(Font::PLAIN, &format!("{style:?} text"));
    }
    rich.rule();
    rich.section("Old mail");
    rich.line("in the section");
    rich.end_section();
    rich.begin_table(true);
    rich.cell(Cell { column_span: 2, background: Some([1, 2, 3]), ..Cell::at(0, 0) });
    rich.text(Font::PLAIN, "wide");
    rich.tab_label("First tab");
    rich.cell(Cell { covered: true, ..Cell::at(0, 1) });
    rich.cell(Cell { lines: false, ..Cell::at(1, 0) });
    rich.begin_table(false);
    rich.cell(Cell::at(0, 0));
    rich.text(Font::PLAIN, "inner");
    rich.end_table();
    rich.cell(Cell::at(1, 1));
    rich.end_table();
    rich.line("");
    rich.url("https://example.com/", "link");
    rich.link(0, "document");
    rich.popup("tip", "word");
    rich.button("Approve");
    rich.anchor("here");
    rich.true_coloured([0x12, 0x34, 0x56], "coloured");
    rich.html("<b>typed</b><script>x</script>");
    rich.paragraph(Style::Left);
    rich.field("Author");
    for kind in [ImageKind::Gif, ImageKind::Jpeg, ImageKind::Bmp, ImageKind::Png] {
        rich.image(kind, 3, 2, format!("{kind:?} bytes").as_bytes());
    }
    rich.bitmap(100, &[[255, 0, 0], [0, 0, 255]], &[[0; 100], [1; 100]].concat());
    rich.alt_text("red and blue");
    rich.caption("A flag");
    rich.metafile();
    rich.file("ATT1.txt", "a.txt");
    rich.unknown();
    let links = notesferry::forge::values::note_links(&[(Default::default(), Unid::default(), unid(9))]);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rich.nsf");
    let mut writer = Writer::create(&path, Options::default()).unwrap();
    let attachment = Attachment {
        name: "ATT1.txt",
        data: &mut &b"file"[..],
        bytes: 4,
        compression: Compression::None,
        flags: Attachment::IN_DOCUMENT,
        modified: time(1),
    };
    let file = writer.attach(attachment).unwrap();
    let note = memo(1).with([
        ItemSpec::text("Author", "Jane Doe"),
        ItemSpec::new("$Links", ItemType::NOTELINK_LIST, links).outside_summary(),
        ItemSpec::rich_text("Body", rich.bytes()),
        file,
    ]);
    writer.add_note(&note).unwrap();
    writer.finish().unwrap();

    let mut source = NsfSource::open(&path).unwrap();
    let listed = source.list(None, 10).unwrap().items[0].id;
    let mail = crate::support::dxl::outcome(&source.open(listed).unwrap());
    let (html, plain) = (mail.html(), mail.plain().replace(" \n", " "));
    for part in [
        "<p style=\"text-align:center\">Centred text",
        "<p style=\"text-align:right\">",
        "text-align:justify",
        "margin-left:36pt\">Indented",
        "margin-left:36pt;text-indent:-36pt\">Hanging",
        "<p dir=\"rtl\">",
        "<ul>\n<li>Bulleted",
        "list-style-type:circle",
        "list-style-type:square",
        "&#x2611; Checked",
        "&#x2610; Unchecked",
        "<ol>\n<li>Numbered text\n<ol>\n<li>Inner",
        "<ol type=\"I\">",
        "<ol type=\"i\">",
        "<ol type=\"A\">",
        "<ol type=\"a\">",
        "<hr>",
        "<div><b>Old mail</b>",
        "colspan=\"2\" bgcolor=\"#010203\" style=\"border:1px solid\"><p><b>First tab</b></p>",
        "<a href=\"https://example.com/\">",
        "<a href=\"notes://",
        "<span title=\"tip\">word",
        "[Approve]",
        "<a id=\"here\">",
        "color:#123456",
        "<b>typed</b>",
        "Jane Doe",
        "width=\"3\" height=\"2\"",
        "alt=\"red and blue\">",
        "A flag",
        "[image]",
        "[attachment: a.txt]",
    ] {
        assert!(html.contains(part), "{part} is not in {html}");
    }
    assert!(!html.contains("Hidden") && !html.contains("script"));
    assert_eq!((html.matches("<table").count(), html.matches("<img").count()), (2, 5));
    assert!(
        ["Left text", "in the section", "inner", "word (tip)", "A flag"]
            .iter()
            .all(|part| plain.contains(part))
    );
    assert_eq!(mail.attachments(), [("a.txt".to_owned(), b"file".to_vec())]);
    assert!(mail.text().contains("Content-Type: image/png"));
    let losses = [LossKind::ConstructDropped, LossKind::ActionDropped, LossKind::ImageDropped];
    assert!(mail.losses().ends_with(&losses), "{:?}", mail.converted.losses);
}

fn who(name: &str, level: &str, rights: &[&'static str], roles: &[&str]) -> AccessEntry {
    let roles = roles.iter().map(|role| (*role).to_owned()).collect();
    AccessEntry { name: name.to_owned(), level: level.to_owned(), rights: rights.to_vec(), roles }
}

#[test]
fn our_reader_reads_who_may_do_what() {
    const EVERY_FLAG: u16 = 0x1605;
    let folder = tempfile::tempdir().unwrap();
    for version in VERSIONS {
        let path = folder.path().join(format!("{version:?}.nsf"));
        let mut writer = Writer::create(&path, Options { version, ..Options::default() }).unwrap();
        let people: Vec<String> = (0..40).map(|number| format!("CN=Person {number}/O=Example")).collect();
        let mut entries = vec![Access { name: "-Default-", level: 0, flags: 0x0200, roles: &[] }];
        entries.extend((1..=6).map(|level| Access { name: "All", level, flags: EVERY_FLAG, roles: &[] }));
        entries.push(Access { name: "J\u{fc}rgen", level: 3, flags: 0, roles: &[0, 11] });
        entries.extend(people.iter().map(|name| Access { name, level: 9, flags: 0, roles: &[1] }));
        let roles: Vec<String> = (0..12).map(|number| format!("Role {number}")).collect();
        let roles: Vec<&str> = roles.iter().map(String::as_str).collect();
        writer.add_access_list(&roles, &entries).unwrap();
        writer.finish().unwrap();

        let read = NsfSource::open(&path).unwrap().access().unwrap();
        assert_eq!(read.len(), entries.len());
        let no_copies = "may not replicate or copy documents";
        let (reads, writes) = ("may read public documents", "may write public documents");
        let expected = [
            who("-Default-", "No Access", &[reads], &[]),
            who("All", "Depositor", &[reads, writes], &[]),
            who("All", "Reader", &[writes, no_copies], &[]),
            who("All", "Author", &[writes, no_copies], &[]),
            who("All", "Editor", &[no_copies], &[]),
            who("All", "Designer", &[no_copies], &[]),
            who("All", "Manager", &[no_copies], &[]),
            who(
                "J\u{fc}rgen",
                "Author",
                &["may create documents", "may delete documents"],
                &["[Role 0]", "[Role 11]"],
            ),
            who("CN=Person 0/O=Example", "level 9", &[], &["[Role 1]"]),
        ];
        assert_eq!(read[..expected.len()], expected);
    }
}
