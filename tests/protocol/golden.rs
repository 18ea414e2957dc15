//! The bytes of every message of protocol version 1, in `tests/protocol/golden`. What was released never changes; a
//! change is a new version. `BLESS=1` rewrites the files: read the difference.

use super::messages::HELD;
use super::transfer::{Spool, answer, sample_item};
use notesferry::base::secret::Secret;
use notesferry::model::content::{ListedItem, SourceItemId};
use notesferry::model::folder::{Folder, FolderId, FolderPath, FolderRole};
use notesferry::model::item::ItemVersion;
use notesferry::model::loss::{SetAside, SetAsideReason};
use notesferry::protocol::Versions;
use notesferry::protocol::action::{Action, ActionRequest, DataAnswer, DataRequest, Lease, Order};
use notesferry::protocol::calls::{
    AliveAnswer, AliveRequest, Command, Connector, ConnectorsAnswer, ConnectorsRequest, Credentials,
    EnrolAnswer, EnrolRequest, ExtractorLimits, FoundAnswer, FoundMailbox, FoundRequest, HelloAnswer,
    HelloRequest, Migration, MigrationsAnswer, MigrationsRequest, NotifyAnswer, NotifyRequest, TestAnswer,
    TestRequest,
};
use notesferry::protocol::frame::{self, Reason, Refusal};
use notesferry::protocol::ids::{
    ActionId, ChunkNumber, ConnectorId, Epoch, ExtractorId, MigrationId, MigratorId, NotifyMark,
};
use notesferry::protocol::transfer::{Chunk, ChunkReader, End, Failure, FailureKind, SourceFacts};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt::Debug;
use std::path::{Path, PathBuf};

use crate::support::messages::origin;

/// A message with its name, its bytes, and what decodes and encodes its type.
struct Sample {
    name: &'static str,
    body: Vec<u8>,
    again: fn(&[u8]) -> Option<Vec<u8>>,
}

fn sample<M: Serialize + DeserializeOwned + Debug>(name: &'static str, message: &M) -> Sample {
    let again = |body: &[u8]| {
        let message: M = frame::decode(body).ok()?;
        Some(frame::encode(&message).expect("what was read can be written"))
    };
    Sample { name, body: frame::encode(message).unwrap(), again }
}

fn text(text: &str) -> String {
    text.to_owned()
}

fn secret(text: &str) -> Secret {
    Secret::new(text)
}

fn steering() -> Vec<Sample> {
    let credentials = || Credentials { user: text("jane"), password: secret("p") };
    vec![
        sample(
            "enrol-request",
            &EnrolRequest { code: secret("1234"), host: text("notes1"), program_version: text("0.1.0") },
        ),
        sample("enrol-answer", &EnrolAnswer { extractor: ExtractorId(3), token: secret("t0ken") }),
        sample(
            "hello-request",
            &HelloRequest {
                program_version: text("0.1.0"),
                speaks: Versions { oldest: 1, newest: 1 },
                host: text("notes1"),
                source_roots: vec![text("/mail"), text("D:\\Data")],
                free_slots: 30,
                source_answered_unix_ms: Some(1_700_000_000_000),
                restarted_because: Some(text("no heartbeat for 60 s")),
            },
        ),
        sample(
            "hello-answer",
            &HelloAnswer {
                limits: ExtractorLimits { migrators: 30, hello_seconds: 30, alive_seconds: 20 },
                newest_program_version: text("0.2.0"),
                commands: vec![Command::Update, Command::Drain],
            },
        ),
        sample("connectors-request", &ConnectorsRequest {}),
        sample(
            "connectors-answer",
            &ConnectorsAnswer {
                connectors: vec![Connector {
                    id: ConnectorId(5),
                    name: text("Files"),
                    kind: text("nsf"),
                    location: text("/mail"),
                    credentials: Some(credentials()),
                }],
            },
        ),
        sample("migrations-request", &MigrationsRequest { connector: ConnectorId(5) }),
        sample(
            "migrations-answer",
            &MigrationsAnswer {
                migrations: vec![
                    Migration { id: MigrationId(7), mailbox: text("jane.nsf"), credentials: None },
                    Migration {
                        id: MigrationId(8),
                        mailbox: text("joe.nsf"),
                        credentials: Some(credentials()),
                    },
                ],
            },
        ),
        sample(
            "found-request",
            &FoundRequest {
                page: 1,
                last: true,
                mailboxes: vec![
                    FoundMailbox {
                        root: text("/mail"),
                        path: text("a/jane.nsf"),
                        title: text("Jane"),
                        owner: Some(text("CN=Jane/O=Example")),
                        bytes: 1 << 33,
                        in_use: Some(text("process 7")),
                        unreadable: None,
                    },
                    FoundMailbox {
                        root: text("/mail"),
                        path: text("b.nsf"),
                        title: String::new(),
                        owner: None,
                        bytes: 3,
                        in_use: None,
                        unreadable: Some(text("cut")),
                    },
                ],
            },
        ),
        sample("found-answer", &FoundAnswer {}),
        sample("notify-request", &NotifyRequest { heard: NotifyMark(0) }),
        sample(
            "notify-answer",
            &NotifyAnswer { mark: NotifyMark(9), migrations: vec![MigrationId(7)], ask_all: true },
        ),
        sample(
            "test-request",
            &TestRequest { migration: MigrationId(7), nonce: 1 << 40, program_version: text("0.1.0") },
        ),
        sample(
            "test-answer",
            &TestAnswer {
                nonce: 1 << 40,
                program_version: text("0.1.0"),
                server_unix_ms: 1_700_000_000_000,
                outdated: true,
            },
        ),
        sample("alive-request", &AliveRequest { held: HELD, bytes_read: 1 << 33 }),
        sample("alive-answer", &AliveAnswer { stop: true }),
    ]
}

fn get_items() -> Action {
    Action::GetItems { ids: vec![SourceItemId(10), SourceItemId(300)], max_bytes: 64 << 20 }
}

fn work() -> Vec<Sample> {
    let lease =
        Lease { action: ActionId(300), epoch: Epoch(2), seconds: 180, last_kept: Some(ChunkNumber(4)) };
    let leased = |action| Order { action, lease: Some(lease) };
    let bare = |action| Order { action, lease: None };
    vec![
        sample(
            "action-request",
            &ActionRequest { migration: MigrationId(7), migrator: MigratorId(1 << 50), alone: true },
        ),
        sample("action-answer-test", &leased(Action::Test { nonce: 5 })),
        sample("action-answer-wait", &bare(Action::Wait { milliseconds: 30_000 })),
        sample("action-answer-list-folders", &leased(Action::ListFolders)),
        sample(
            "action-answer-list-items",
            &leased(Action::ListItems { after: Some(SourceItemId(10)), limit: 1_000 }),
        ),
        sample("action-answer-get-items", &leased(get_items())),
        sample("action-answer-stop", &bare(Action::Stop)),
        sample("action-answer-done", &bare(Action::Done)),
        sample(
            "data-request",
            &DataRequest { held: HELD, chunk: Chunk::new(ChunkNumber(1), false, vec![0, 1, 2]) },
        ),
        sample("data-answer-kept", &DataAnswer::Kept { next: None }),
        sample("data-answer-kept-next", &DataAnswer::Kept { next: Some(leased(Action::ListFolders)) }),
        sample("data-answer-try-later", &DataAnswer::TryLater { milliseconds: 5_000 }),
        sample("data-answer-send-again", &DataAnswer::SendAgain { last_kept: Some(ChunkNumber(4)) }),
        sample("data-answer-stop", &DataAnswer::Stop),
    ]
}

/// The content of the chunks that answer each kind of action; all of them fit into one.
fn payloads() -> Vec<(&'static str, Action, Vec<u8>)> {
    let only = |chunks: Vec<Chunk>| {
        let [chunk] = chunks.try_into().expect("one chunk");
        chunk.payload().to_vec()
    };
    let facts = SourceFacts {
        title: text("Jane"),
        owner: Some(text("CN=Jane/O=Example")),
        warnings: vec![text("odd")],
        in_use: None,
    };
    let folder =
        |id, name, role| Folder { id: FolderId(id), path: FolderPath::new(["A", name]), role, documents: 2 };
    let folders = [folder(1, "B", FolderRole::User), folder(2, "C", FolderRole::Inbox)];
    let listed = ListedItem {
        relatives: 300,
        id: SourceItemId(10),
        origin: origin(10),
        version: ItemVersion { sequence: 3, time: [0x80, 0x8525_1234] },
        folders: vec![FolderId(1), FolderId(2)],
        unread: Some(true),
    };
    let set_aside = SetAside::new(SetAsideReason::UnreadableNote, "cut");
    let page = End { next: Some(SourceItemId(300)), ..End::default() };
    let failure = Failure { kind: FailureKind::InUse, detail: text("by another program") };
    let failed = End { failure: Some(failure), ..End::default() };
    let items = End { changed: Some(text("it was written")), ..End::default() };
    let whole = End::default();
    vec![
        ("answer-test", Action::Test { nonce: 5 }, only(answer(&whole, |to| to.nonce(5).unwrap()))),
        (
            "answer-list-folders",
            Action::ListFolders,
            only(answer(&whole, |to| {
                to.source(&facts).unwrap();
                folders.iter().for_each(|folder| to.folder(folder).unwrap());
            })),
        ),
        (
            "answer-list-items",
            Action::ListItems { after: None, limit: 2 },
            only(answer(&page, |to| {
                to.listed(&listed).unwrap();
                to.set_aside(SourceItemId(300), &set_aside).unwrap();
            })),
        ),
        (
            "answer-get-items",
            get_items(),
            only(answer(&items, |to| {
                to.item(SourceItemId(10), &sample_item()).unwrap();
                to.set_aside(SourceItemId(300), &set_aside).unwrap();
            })),
        ),
        ("answer-failure", Action::ListFolders, only(answer(&failed, |_| ()))),
    ]
}

fn golden_path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/protocol/golden").join(format!("{name}.hex"))
}

fn check_golden(name: &str, bytes: &[u8]) {
    let path = golden_path(name);
    let hex: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let lines: Vec<String> = hex.chunks(32).map(|line| line.concat()).collect();
    let lines = lines.join("\n") + "\n";
    if std::env::var_os("BLESS").is_some_and(|value| value == "1") {
        std::fs::write(&path, &lines).unwrap();
    }
    let golden = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(lines, golden, "{} differs; a released message never changes", path.display());
}

#[test]
fn every_message_has_its_bytes() {
    for Sample { name, body, again } in steering().into_iter().chain(work()) {
        check_golden(name, &body);
        assert_eq!(again(&body).as_deref(), Some(&body[..]), "{name}");
    }
    check_golden("refusal", &Refusal::new(Reason::NotAuthorised, "the token is unknown").encode());
}

#[test]
fn every_answer_has_its_bytes() {
    for (name, action, payload) in payloads() {
        check_golden(name, &payload);
        let mut spool = Spool::default();
        let chunk = Chunk::new(ChunkNumber::FIRST, true, payload);
        ChunkReader::new(&action).read(&chunk, &mut spool).unwrap();
    }
}

// What a compressor makes may change with its version, so this body is only read.
#[test]
fn a_compressed_message_of_the_first_release_is_read() {
    let hex = std::fs::read_to_string(golden_path("compressed")).unwrap().replace('\n', "");
    let byte = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
    let body: Vec<u8> = (0..hex.len()).step_by(2).map(byte).collect();
    assert_eq!(body[..2], [1, 1]);
    let chunk = Chunk::new(ChunkNumber(2), true, b"all work and no play ".repeat(100));
    assert_eq!(frame::decode::<DataRequest>(&body).unwrap(), DataRequest { held: HELD, chunk });
}

/// All ways to cut a text of bytes, and to change one of them in a telling way.
fn damaged(bytes: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    let cuts = (0..bytes.len()).map(|end| bytes[..end].to_vec());
    let changes = (0..bytes.len()).flat_map(move |at| {
        (1..=u8::MAX).map(move |change| {
            let mut changed = bytes.to_vec();
            changed[at] ^= change;
            changed
        })
    });
    cuts.chain(changes)
}

#[test]
fn a_damaged_message_is_refused_or_is_another_message() {
    for Sample { name, body, again } in steering().into_iter().chain(work()) {
        let mut refused = 0;
        for bytes in damaged(&body) {
            match again(&bytes) {
                Some(other) => assert_eq!(again(&other).as_ref(), Some(&other), "{name}: {bytes:02x?}"),
                None => refused += 1,
            }
        }
        assert!(refused > 0, "{name}");
    }
}

// The checksum is made anew each time, as a hostile extractor would.
#[test]
fn a_damaged_answer_is_refused_or_is_another_answer() {
    for (name, action, payload) in payloads() {
        let mut refused = 0;
        for bytes in damaged(&payload) {
            let chunk = Chunk::new(ChunkNumber::FIRST, true, bytes);
            refused += usize::from(ChunkReader::new(&action).read(&chunk, &mut Spool::default()).is_err());
        }
        assert!(refused >= payload.len(), "{name}");
    }
}
