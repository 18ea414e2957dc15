//! Documents that exist more than once: losers of conflicts, doubles in an archive, members of a series that change;
//! and documents that answer each other.

use crate::support::dxl;
use notesferry::forge::database::{Options, Writer};
use notesferry::forge::note::{ItemSpec, NoteSpec};
use notesferry::forge::values;
use notesferry::forge::version::Version;
use notesferry::model::folder::FolderRole;
use notesferry::notes::ids::{NoteId, ReplicaId, Unid};
use notesferry::notes::item::ItemType;
use notesferry::notes::timedate::Timedate;
use notesferry::sources::Source;
use notesferry::sources::nsf::NsfSource;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

const MAIL_FILE: u64 = 0x8025_8B00_0001_0001;
const ARCHIVE: u64 = 0x8025_8B00_0002_0002;

fn at(unix_seconds: i64) -> Timedate {
    Timedate::from_unix_ms(unix_seconds * 1000, 0)
}

fn document(unid: u8, items: impl IntoIterator<Item = ItemSpec>) -> NoteSpec {
    let mut note = NoteSpec::document(Unid([unid; 16]), at(1_500_000_000)).with(items);
    note.sequence = 2;
    note
}

/// A received mail.
fn mail(unid: u8, message_id: &str, body: &str) -> NoteSpec {
    document(
        unid,
        [
            ItemSpec::text("Form", "Memo"),
            ItemSpec::text("From", "ann@example.com"),
            ItemSpec::text("SendTo", "jane@example.com"),
            ItemSpec::text("Subject", "Offer"),
            ItemSpec::time("PostedDate", at(1_500_000_000)),
            ItemSpec::time("DeliveredDate", at(1_500_000_060)),
            ItemSpec::text("$MessageID", message_id),
            ItemSpec::text("Body", body),
        ],
    )
}

fn shortened(mail: NoteSpec) -> NoteSpec {
    mail.with([ItemSpec::number("$OrigSize", 900_000.0)])
}

fn answer(mut note: NoteSpec, parent: NoteId, unid: u8) -> NoteSpec {
    note.parent = Some(parent);
    note.with([ItemSpec::new("$REF", ItemType::NOTEREF_LIST, values::note_refs(&[Unid([unid; 16])]))])
}

fn conflict(note: NoteSpec, winner: NoteId, unid: u8) -> NoteSpec {
    answer(note, winner, unid).with([ItemSpec::text("$Conflict", "")])
}

/// A note, made of the ids of those before it.
type Make<'a> = &'a dyn Fn(&[NoteId]) -> NoteSpec;

/// Writes a database; each note may be made of the ids of those before it.
fn database(path: &Path, replica: u64, notes: &[Make<'_>]) -> Vec<NoteId> {
    let options = Options { version: Version::Ods52, replica_id: ReplicaId(replica), ..Options::default() };
    let _ = fs::remove_file(path);
    let mut writer = Writer::create(path, options).unwrap();
    let mut ids = Vec::new();
    for note in notes {
        let id = writer.add_note(&note(&ids)).unwrap();
        ids.push(id);
    }
    writer.finish().unwrap();
    ids
}

struct Bench {
    folder: TempDir,
}

impl Bench {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a database, and if it is wanted as DXL an export of it; gives the name of the file.
    fn write(&self, as_dxl: bool, notes: &[Make<'_>]) -> &'static str {
        database(&self.path("mail.nsf"), MAIL_FILE, notes);
        if as_dxl { self.export() } else { "mail.nsf" }
    }

    /// Exports the database as DXL.
    fn export(&self) -> &'static str {
        let mut source = NsfSource::open(&self.path("mail.nsf")).unwrap();
        let listed = source.list(None, u32::MAX).unwrap().items;
        let documents: Vec<String> =
            listed.iter().map(|listed| dxl::render(&source.open(listed.id).unwrap(), false)).collect();
        fs::write(self.path("mail.dxl"), dxl::database(&documents)).unwrap();
        "mail.dxl"
    }

    /// Migrates a database into the one target; gives found, delivered, already there.
    fn migrate(&self, source: &str, options: &[&str]) -> [u64; 3] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_notesferry"));
        command.arg("migrate").arg(self.path(source)).arg(format!("eml:{}", self.path("target").display()));
        command.arg("--state-dir").arg(self.path("state")).arg("--json").args(options);
        let output = command.output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let end: Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
        assert_eq!((output.status.code(), &end["set_aside"]), (Some(0), &0.into()), "{text}");
        ["found", "delivered", "already_there"].map(|name| end[name].as_u64().unwrap())
    }

    /// The messages and entries at the target.
    fn arrived(&self) -> Vec<String> {
        let mut texts = Vec::new();
        let mut folders = vec![self.path("target")];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
                match entry.is_dir() {
                    true => folders.push(entry),
                    false => texts.push(String::from_utf8_lossy(&fs::read(entry).unwrap()).into_owned()),
                }
            }
        }
        texts
    }
}

#[test]
fn x14_a_conflict_copy_that_says_the_same_is_skipped_and_counted() {
    let bench = Bench::new();
    let same = || mail(2, "<a@example.com>", "text");
    let other = || mail(3, "<a@example.com>", "another text");
    database(
        &bench.path("mail.nsf"),
        MAIL_FILE,
        &[&|_| mail(1, "<a@example.com>", "text"), &|ids| conflict(same(), ids[0], 1), &|ids| {
            conflict(other(), ids[0], 1)
        }],
    );
    let report = bench.path("report.json");
    assert_eq!(bench.migrate("mail.nsf", &["--report", report.to_str().unwrap()]), [3, 2, 1]);
    let told: Value = serde_json::from_slice(&fs::read(&report).unwrap()).unwrap();
    assert_eq!(
        (&told["losses"][0]["kind"], &told["losses"][0]["items"]),
        (&"conflict copy skipped".into(), &1.into())
    );
    assert_eq!(bench.migrate("mail.nsf", &[]), [3, 0, 3]);
    assert_eq!(bench.arrived().len(), 2);
}

#[test]
fn x16_documents_that_answer_each_other_are_both_delivered() {
    let bench = Bench::new();
    let path = bench.path("mail.nsf");
    let mut ids = Vec::new();
    // The ids are known once the database was written.
    for _ in 0..2 {
        let known = ids.clone();
        let parent = |at: usize| known.get(at).copied().unwrap_or(NoteId(0x8F6));
        ids = database(
            &path,
            MAIL_FILE,
            &[
                &|_| answer(mail(1, "<a@example.com>", "one"), parent(1), 2),
                &|_| answer(mail(2, "<b@example.com>", "two"), parent(0), 1),
                &|_| conflict(mail(3, "<c@example.com>", "three"), parent(2), 3),
                &|_| answer(occurrences(4, 0), parent(4), 5),
                &|_| answer(occurrences(5, 1), parent(3), 4),
            ],
        );
    }
    let [found, delivered, there] = bench.migrate("mail.nsf", &[]);
    assert_eq!((found, delivered + there), (5, 5));
    assert!(delivered >= 4, "three mails and the entry: {delivered}");
    assert!(bench.arrived().iter().any(|text| text.contains("In-Reply-To: <b@example.com>")));
}

#[test]
fn doubles_of_an_archive_are_delivered_once() {
    let bench = Bench::new();
    let one = || mail(1, "<a@example.com>", "text");
    database(&bench.path("mail.nsf"), MAIL_FILE, &[&|_| one(), &|_| mail(2, "<b@example.com>", "only here")]);
    let edited = || mail(3, "<a@example.com>", "edited in the archive");
    let copied = || mail(7, "<a@example.com>", "text");
    database(
        &bench.path("archive.nsf"),
        ARCHIVE,
        &[&|_| one(), &|_| copied(), &|_| edited(), &|_| mail(4, "<d@example.com>", "old")],
    );
    assert_eq!(bench.migrate("mail.nsf", &[]), [2, 2, 0]);
    assert_eq!(bench.migrate("archive.nsf", &[]), [4, 2, 2], "the edited copy and the old mail");
    for source in ["mail.nsf", "archive.nsf"] {
        let [found, delivered, there] = bench.migrate(source, &[]);
        assert_eq!((delivered, there), (0, found), "{source}");
    }
    assert_eq!(bench.arrived().len(), 4);
}

#[test]
fn the_whole_mail_of_an_archive_takes_the_place_of_the_shortened_one() {
    for archive_first in [false, true] {
        let bench = Bench::new();
        let short = || shortened(mail(1, "<a@example.com>", "beginning"));
        database(&bench.path("mail.nsf"), MAIL_FILE, &[&|_| short()]);
        let whole = || mail(1, "<a@example.com>", "beginning and end");
        database(&bench.path("archive.nsf"), ARCHIVE, &[&|_| whole()]);
        let order = if archive_first { ["archive.nsf", "mail.nsf"] } else { ["mail.nsf", "archive.nsf"] };
        assert_eq!(bench.migrate(order[0], &[]), [1, 1, 0]);
        let delivered = u64::from(!archive_first);
        assert_eq!(bench.migrate(order[1], &[]), [1, delivered, 1 - delivered]);
        let arrived = bench.arrived();
        assert!(arrived.len() == 1 && arrived[0].contains("beginning and end"), "{arrived:?}");
        for source in order {
            assert_eq!(bench.migrate(source, &[]), [1, 0, 1], "{source}");
        }
        assert_eq!(bench.arrived(), arrived);
    }
}

#[test]
fn an_entry_in_two_databases_stays_one() {
    let bench = Bench::new();
    let mut later = appointment(1, "Blue Room");
    later.modified = at(1_600_000_000);
    let later = || later.clone();
    database(&bench.path("mail.nsf"), MAIL_FILE, &[&|_| appointment(1, "Red Room")]);
    database(&bench.path("archive.nsf"), ARCHIVE, &[&|_| later()]);
    assert_eq!(bench.migrate("mail.nsf", &[]), [1, 1, 0]);
    assert_eq!(bench.migrate("archive.nsf", &[]), [1, 1, 0]);
    assert_eq!(bench.migrate("mail.nsf", &[]), [1, 0, 1]);
    let arrived = bench.arrived();
    assert!(arrived.len() == 1 && arrived[0].contains("Blue Room"), "{arrived:?}");
}

fn appointment(unid: u8, place: &str) -> NoteSpec {
    document(
        unid,
        [
            ItemSpec::text("Form", "Appointment"),
            ItemSpec::text("AppointmentType", "0"),
            ItemSpec::text("Subject", "Talk"),
            ItemSpec::text("Location", place),
            ItemSpec::text("ApptUNID", "4711"),
            ItemSpec::text("StartTimeZone", "Z=0$DO=0$ZN=UTC"),
            ItemSpec::times("CalendarDateTime", &[at(1_700_000_000)]),
            ItemSpec::times("StartDateTime", &[at(1_700_000_000)]),
            ItemSpec::times("EndDateTime", &[at(1_700_003_600)]),
        ],
    )
}

/// Days of a series: the first is day 0.
fn days(days: impl IntoIterator<Item = i64>, seconds: i64) -> Vec<Timedate> {
    days.into_iter().map(|day| at(1_700_000_000 + day * 86_400 + seconds)).collect()
}

/// An instance document of one day, moved by some hours.
fn occurrences(unid: u8, hours: i64) -> NoteSpec {
    let day = i64::from(unid);
    let mut note = appointment(unid, "Room");
    note.items.retain(|item| !["StartDateTime", "EndDateTime"].contains(&&*item.name));
    note.with([
        ItemSpec::times("RepeatInstanceDates", &days([day], 0)),
        ItemSpec::times("StartDateTime", &days([day], hours * 3600)),
        ItemSpec::times("EndDateTime", &days([day], hours * 3600 + 1800)),
    ])
}

fn series(path: &Path, moved_by: i64, sequence: u32) {
    let parent = || {
        let mut note = appointment(1, "Room");
        note.items.push(ItemSpec::times("RepeatDates", &days(2..7, 0)));
        note.with([ItemSpec::text("RepeatUnit", "D"), ItemSpec::text("RepeatInterval", "1")])
    };
    let regular = |ids: &[NoteId]| {
        let mut note = occurrences(2, 0);
        note.items.retain(|item| !item.name.ends_with("DateTime") && item.name != "RepeatInstanceDates");
        let note = note.with([
            ItemSpec::times("RepeatInstanceDates", &days([2, 3, 4, 6], 0)),
            ItemSpec::times("CalendarDateTime", &days([2, 3, 4, 6], 0)),
            ItemSpec::times("StartDateTime", &days([2, 3, 4, 6], 0)),
            ItemSpec::times("EndDateTime", &days([2, 3, 4, 6], 1800)),
        ]);
        answer(note, ids[0], 1)
    };
    let moved = |ids: &[NoteId]| {
        let mut note = occurrences(5, moved_by);
        note.sequence = sequence;
        answer(note, ids[0], 1)
    };
    database(path, MAIL_FILE, &[&|_| parent(), &regular, &moved]);
}

// The member that changed is no item of its own; the leader, whose document nobody touched, carries it.
#[test]
fn a_changed_member_of_a_series_delivers_its_leader_again() {
    for as_dxl in [false, true] {
        let bench = Bench::new();
        let write = |moved_by, sequence| {
            series(&bench.path("mail.nsf"), moved_by, sequence);
            if as_dxl { bench.export() } else { "mail.nsf" }
        };
        let name = write(1, 2);
        assert_eq!(bench.migrate(name, &[]), [3, 1, 2], "{name}");
        assert!(bench.arrived()[0].contains("RECURRENCE-ID"), "{:?}", bench.arrived());
        let first = bench.arrived();
        assert_eq!(bench.migrate(name, &[]), [3, 0, 3], "{name}");
        write(3, 3);
        assert_eq!(bench.migrate(name, &[]), [3, 1, 2], "{name}: the series with the later hour");
        let arrived = bench.arrived();
        assert_eq!(arrived.len(), 1);
        assert_ne!(arrived, first);
        assert_eq!(bench.migrate(name, &[]), [3, 0, 3], "{name}");
    }
}

fn saved(mut note: NoteSpec, sequence: u32, unix_seconds: i64) -> NoteSpec {
    (note.sequence, note.modified) = (sequence, at(unix_seconds));
    note
}

fn person(unid: u8, place: &str) -> NoteSpec {
    document(
        unid,
        [
            ItemSpec::text("Form", "Person"),
            ItemSpec::text("FullName", "Ann Doe"),
            ItemSpec::text("InternetAddress", "ann@example.com"),
            ItemSpec::text("OfficeCity", place),
        ],
    )
}

// Never two with one identity, whichever of the two documents was saved last.
#[test]
fn of_an_entry_or_contact_with_a_conflict_the_later_saved_one_arrives() {
    let without_uid = |unid, place: &str| {
        let mut note = appointment(unid, place);
        note.items.retain(|item| item.name != "ApptUNID");
        note
    };
    let kinds: [fn(u8, &str) -> NoteSpec; 3] = [appointment, without_uid, person];
    for (as_dxl, make) in [false, true].into_iter().flat_map(|as_dxl| kinds.map(|make| (as_dxl, make))) {
        let bench = Bench::new();
        let loser = |ids: &[NoteId]| conflict(saved(make(2, "Bluefield"), 2, 1_500_000_200), ids[0], 1);
        let identity = |text: &str| {
            let lines = text.lines().filter(|line| line.starts_with("UID:"));
            lines.map(str::to_owned).collect::<Vec<_>>()
        };
        let mut identities = Vec::new();
        let steps =
            [("Redfield", 2, 1_500_000_100, "Bluefield"), ("Greenfield", 3, 1_500_000_300, "Greenfield")];
        for (place, sequence, time, expected) in steps {
            let name = bench.write(as_dxl, &[&|_| saved(make(1, place), sequence, time), &loser]);
            assert_eq!(bench.migrate(name, &[]), [2, 1, 1], "{name} {place}");
            let arrived = bench.arrived();
            assert!(arrived.len() == 1 && arrived[0].contains(expected), "{name}: {arrived:?}");
            identities.push(identity(&arrived[0]));
            assert_eq!(bench.migrate(name, &[]), [2, 0, 2], "{name} {place}");
            assert_eq!(bench.arrived(), arrived);
        }
        assert!(identities[0].len() <= 1 && identities[0] == identities[1], "{identities:?}");
    }
}

#[test]
fn a_skipped_copy_of_a_mail_arrives_once_the_winner_says_something_else() {
    for as_dxl in [false, true] {
        let bench = Bench::new();
        let loser = |ids: &[NoteId]| conflict(mail(2, "<a@example.com>", "text"), ids[0], 1);
        let name = bench.write(as_dxl, &[&|_| mail(1, "<a@example.com>", "text"), &loser]);
        assert_eq!(bench.migrate(name, &[]), [2, 1, 1], "{name}");
        let changed = || saved(mail(1, "<a@example.com>", "another text"), 3, 1_500_000_300);
        bench.write(as_dxl, &[&|_| changed(), &loser]);
        assert_eq!(bench.migrate(name, &[]), [2, 2, 0], "{name}");
        assert_eq!(bench.migrate(name, &[]), [2, 0, 2], "{name}");
        assert_eq!(bench.arrived().len(), 2);
    }
}

#[test]
fn instances_whose_parent_is_gone_are_one_series() {
    for as_dxl in [false, true] {
        let bench = Bench::new();
        let gone = NoteId(0x7FFE);
        let write = |hours, sequence| {
            let moved = || saved(occurrences(4, hours), sequence, 1_500_000_100);
            bench.write(
                as_dxl,
                &[&|_| answer(occurrences(2, 0), gone, 9), &|_| answer(occurrences(3, 0), gone, 9), &|_| {
                    answer(moved(), gone, 9)
                }],
            )
        };
        let name = write(1, 2);
        assert_eq!(bench.migrate(name, &[]), [3, 1, 2], "{name}");
        assert!(bench.arrived()[0].contains("RECURRENCE-ID"), "{:?}", bench.arrived());
        assert_eq!(bench.migrate(name, &[]), [3, 0, 3], "{name}");
        write(2, 3);
        assert_eq!(bench.migrate(name, &[]), [3, 1, 2], "{name}");
        assert_eq!(bench.arrived().len(), 1);
    }
}

// The document that leads a series is the one with most occurrences, which changes when one is moved.
#[test]
fn another_leader_of_a_series_takes_the_place_of_the_first() {
    for as_dxl in [false, true] {
        let bench = Bench::new();
        let instance = |unid: u8, range: std::ops::Range<i64>, sequence| {
            let mut note = occurrences(unid, 0);
            note.items.retain(|item| item.name != "StartDateTime" && item.name != "EndDateTime");
            note.items.retain(|item| item.name != "RepeatInstanceDates");
            let note = note.with([
                ItemSpec::times("RepeatInstanceDates", &days(range.clone(), 0)),
                ItemSpec::times("StartDateTime", &days(range.clone(), 0)),
                ItemSpec::times("EndDateTime", &days(range, 1800)),
            ]);
            answer(saved(note, sequence, 1_500_000_100), NoteId(0x7FFE), 9)
        };
        let write = |first, second, sequence| {
            bench.write(
                as_dxl,
                &[&|_| instance(2, 0..first, sequence), &|_| instance(3, first..second, sequence)],
            )
        };
        let name = write(5, 8, 2);
        assert_eq!(bench.migrate(name, &[]), [2, 1, 1], "{name}");
        write(3, 8, 3);
        assert_eq!(bench.migrate(name, &[])[0], 2, "{name}");
        assert_eq!(bench.arrived().len(), 1, "{name}");
        assert_eq!(bench.migrate(name, &[]), [2, 0, 2], "{name}");
    }
}

// A mailbox whose rules are the only documents that stay behind is migrated completely.
#[test]
fn mail_rules_are_left_out_and_nothing_is_set_aside() {
    let bench = Bench::new();
    let rule = || document(2, [ItemSpec::text("Form", "Mailrule"), ItemSpec::text("Subject", "Rule")]);
    let name = bench.write(false, &[&|_| mail(1, "<a@example.com>", "text"), &|_| rule()]);
    assert_eq!(bench.migrate(name, &["--dry-run"]), [2, 1, 0]);
    for delivered in [1, 0] {
        assert_eq!(bench.migrate(name, &[]), [2, delivered, 1 - delivered]);
    }
}

#[test]
fn f11_the_alias_tells_the_inbox_whatever_its_title() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mail.nsf");
    let mut writer = Writer::create(&path, Options::default()).unwrap();
    writer.add_folder("Bo\u{EE}te de r\u{E9}ception|($Inbox)", "F", Unid([9; 16]), at(1_500_000_000));
    writer.finish().unwrap();
    let folders = NsfSource::open(&path).unwrap().folders().unwrap();
    assert_eq!(folders.iter().map(|folder| folder.role).collect::<Vec<_>>(), [FolderRole::Inbox]);
}
