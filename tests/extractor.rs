//! `notesferry extract` as a user starts it, against a server that does what the test says.

use crate::protocol::transfer::{Spool, get};
use crate::support::extractor_server::{CODE, ExtractorServer, Fault};
use crate::support::long;
use blake3::Hash;
use notesferry::extractor::client::{Address, Client, ClientError, Fingerprint};
use notesferry::extractor::migrator::perform::{Opened, perform};
use notesferry::forge::database::{Attachment, Compression, Options, Writer};
use notesferry::forge::mailbox::{self, MailboxOptions};
use notesferry::forge::note::{ItemSpec, NoteSpec};
use notesferry::forge::version::Version;
use notesferry::model::content::{Content, ListedItem, SourceItemId};
use notesferry::notes::ids::Unid;
use notesferry::notes::timedate::Timedate;
use notesferry::protocol::action::Action;
use notesferry::protocol::calls::{ConnectorsAnswer, ConnectorsRequest};
use notesferry::protocol::frame::encode;
use notesferry::protocol::transfer::{Arrived, Chunk, ChunkWriter, End, FailureKind};
use notesferry::sources::Source;
use notesferry::sources::nsf::NsfSource;
use rustix::process::{Pid, Signal, kill_process};
use std::collections::{BTreeMap, VecDeque};
use std::convert::Infallible;
use std::fs;
use std::io::{self, Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant, SystemTime};
use tempfile::TempDir;

/// Enough for an answer of several chunks.
const MAILS: u64 = 150;
const MAILBOX: &str = "staff/jane.nsf";

/// A source folder with a mailbox, and a state folder.
struct Site {
    folder: TempDir,
    before: BTreeMap<PathBuf, (u64, Hash, SystemTime)>,
}

impl Site {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("mail/staff")).unwrap();
        fs::create_dir(folder.path().join("elsewhere")).unwrap();
        let options = MailboxOptions { version: Version::Ods52, mails: MAILS, seed: 5 };
        mailbox::forge(&folder.path().join("mail").join(MAILBOX), &options).unwrap();
        let before = files(&folder.path().join("mail"));
        Self { folder, before }
    }

    fn root(&self) -> PathBuf {
        self.folder.path().canonicalize().unwrap().join("mail")
    }

    fn server(&self) -> ExtractorServer {
        ExtractorServer::start(self.root().to_str().unwrap())
    }

    fn open(&self) -> NsfSource {
        NsfSource::open(&self.root().join(MAILBOX)).unwrap()
    }

    fn command(&self, url: &str, options: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_notesferry"));
        command.args(["extract", "--server", url, "--source"]).arg(self.root());
        command.arg("--state-dir").arg(self.folder.path().join("state"));
        command.args(["--heartbeat-seconds", "0.1", "--check-seconds", "0.1", "--retry-seconds", "0.05"]);
        command.args(options);
        command
    }

    fn start(&self, server: &ExtractorServer, options: &[&str]) -> Extractor {
        self.start_at(&server.url(), &[&["--enrol", CODE], options].concat())
    }

    fn start_at(&self, url: &str, options: &[&str]) -> Extractor {
        Extractor(self.command(url, options).stderr(Stdio::null()).spawn().unwrap())
    }

    fn run(&self, url: &str, options: &[&str]) -> Output {
        self.command(url, options).output().unwrap()
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        if !thread::panicking() {
            assert!(files(&self.folder.path().join("mail")) == self.before, "invariant G");
        }
    }
}

/// Every file and folder below a folder with size, digest and time of change.
fn files(root: &Path) -> BTreeMap<PathBuf, (u64, Hash, SystemTime)> {
    let modified = |path: &Path| path.metadata().unwrap().modified().unwrap();
    let mut found = BTreeMap::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        found.insert(folder.clone(), (0, blake3::hash(b""), modified(&folder)));
        for path in fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let mut hasher = blake3::Hasher::new();
            let bytes = io::copy(&mut fs::File::open(&path).unwrap(), &mut hasher).unwrap();
            let time = modified(&path);
            found.insert(path, (bytes, hasher.finalize(), time));
        }
    }
    found
}

/// A running extractor; nothing of it is left when this is dropped.
struct Extractor(Child);

impl Extractor {
    /// Ends it as a service manager does.
    fn terminate(&mut self) -> ExitStatus {
        signal(self.0.id(), Signal::TERM);
        self.0.wait().unwrap()
    }

    /// The process of a part, when there is one that `other_than` does not name.
    #[track_caller]
    fn part(&self, name: &str, other_than: Option<u32>) -> u32 {
        eventually(&format!("a {name}"), || {
            let mut parts = processes_below(self.0.id()).into_iter();
            let is_part = |line: &str| line.contains(&format!("extract-part\0{name}"));
            parts.find(|(pid, line)| is_part(line) && Some(*pid) != other_than).map(|(pid, _)| pid)
        })
    }
}

impl Drop for Extractor {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn signal(pid: u32, signal: Signal) {
    kill_process(Pid::from_raw(pid as i32).unwrap(), signal).unwrap();
}

#[track_caller]
fn eventually<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < deadline, "waited in vain for: {what}");
        thread::sleep(Duration::from_millis(5));
    }
}

/// The state of a process and its parent; `None` if it is gone.
fn state_and_parent(pid: u32) -> Option<(char, u32)> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name before them may hold anything, and ends with the last parenthesis.
    let mut words = stat.rsplit_once(") ")?.1.split(' ');
    Some((words.next()?.chars().next()?, words.next()?.parse().ok()?))
}

fn is_alive(pid: u32) -> bool {
    state_and_parent(pid).is_some_and(|(state, _)| state != 'Z' && state != 'X')
}

/// Children and their children, with their command lines.
fn processes_below(ancestor: u32) -> Vec<(u32, String)> {
    let names = fs::read_dir("/proc").unwrap().flatten().map(|entry| entry.file_name());
    let pids: Vec<u32> = names.filter_map(|name| name.to_str()?.parse().ok()).collect();
    let is_below = |pid: u32| {
        let parent = |pid| state_and_parent(pid).map(|(_, parent)| parent);
        parent(pid).is_some_and(|above| above == ancestor || parent(above) == Some(ancestor))
    };
    let line = |pid: &u32| fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    pids.into_iter().filter(|&pid| is_below(pid)).map(|pid| (pid, line(&pid))).collect()
}

fn end_of(spool: &Spool) -> &End {
    match spool.arrived.last() {
        Some(Arrived::End(end)) => end,
        other => panic!("{other:?}"),
    }
}

fn all(source: &mut NsfSource) -> Vec<ListedItem> {
    let page = source.list(None, 1_000_000).unwrap();
    assert!(page.next.is_none() && page.unreadable.is_empty());
    page.items
}

fn get_all(listed: &[ListedItem]) -> Action {
    get(listed.iter().map(|listed| listed.id.0))
}

/// What this process answers to an action.
fn answer_here(source: NsfSource, action: &Action) -> Vec<Chunk> {
    let mut chunks = Vec::new();
    let mut opened: Opened = Box::new(source);
    let mut writer = ChunkWriter::new(|chunk| {
        chunks.push(chunk);
        Ok::<(), Infallible>(())
    });
    let end = perform(action, || Ok(&mut opened), &mut writer).unwrap();
    writer.end(&end).unwrap();
    chunks
}

#[test]
fn a_mailbox_is_found_listed_and_read() {
    let site = Site::new();
    let server = site.server();
    let mut extractor = site.start(&server, &[]);
    let found = server.until("the listing", |state| state.found.pop());
    let [jane] = &found[..] else { panic!("{found:?}") };
    assert_eq!((jane.root.as_str(), jane.path.as_str()), (site.root().to_str().unwrap(), MAILBOX));
    assert_eq!((jane.title.as_str(), &jane.unreadable), (site.open().info().title.as_str(), &None));

    server.add(7, MAILBOX);
    let test = Action::Test { nonce: 99 };
    assert!(matches!(Spool::of(&test, &server.perform(7, test.clone())).arrived[0], Arrived::Nonce(99)));
    let mut here = site.open();
    let folders = Spool::of(&Action::ListFolders, &server.perform(7, Action::ListFolders));
    let Arrived::Source(facts) = &folders.arrived[0] else { panic!("{:?}", folders.arrived[0]) };
    assert_eq!((&facts.owner, &facts.in_use), (&here.info().owner, &None));
    assert_eq!(folders.arrived.len(), here.folders().unwrap().len() + 2);

    let mut listed = Vec::new();
    let mut after = None;
    loop {
        let action = Action::ListItems { after, limit: 40 };
        let page = Spool::of(&action, &server.perform(7, action.clone()));
        let lines = page.arrived.iter().filter_map(|arrived| match arrived {
            Arrived::Listed(listed) => Some(listed.clone()),
            _ => None,
        });
        listed.extend(lines);
        after = end_of(&page).next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(listed, all(&mut here));

    let action = get_all(&listed);
    let chunks = server.perform(7, action.clone());
    assert!(chunks.len() > 1, "the mailbox is too small for this test");
    let read = Spool::of(&action, &chunks);
    assert_eq!(end_of(&read), &End::default());
    assert_eq!(read.items().len(), listed.len());
    for (id, item) in read.items() {
        let Content::Note { note, .. } = &item.content;
        let Content::Note { note: expected, .. } = &here.open(id).unwrap().content;
        assert!(note == expected, "{id:?}");
    }
    let state = server.state();
    assert!(state.asked.iter().all(|asked| asked.alone), "the lock is held");
    assert!(state.greetings.last().unwrap().source_answered_unix_ms.is_some());
    drop(state);
    assert_eq!(extractor.terminate().code(), Some(7));
}

#[test]
fn a_limit_of_bytes_lets_one_item_of_any_size_through() {
    let site = Site::new();
    let mut source = site.open();
    let ids: Vec<SourceItemId> = all(&mut source).iter().map(|listed| listed.id).collect();
    let action = Action::GetItems { ids: ids.clone(), max_bytes: 1 };
    let spool = Spool::of(&action, &answer_here(source, &action));
    assert_eq!(spool.items().iter().map(|(id, _)| *id).collect::<Vec<_>>(), ids[..1]);
}

/// What a resumed answer leaves out has to be what was sent before.
#[test]
fn the_same_action_gives_the_same_bytes() {
    let site = Site::new();
    let listed = all(&mut site.open());
    for action in [Action::ListFolders, Action::ListItems { after: None, limit: 50 }, get_all(&listed)] {
        let (first, second) = (answer_here(site.open(), &action), answer_here(site.open(), &action));
        assert!(first == second, "{action:?}");
    }
}

#[test]
fn chunks_arrive_in_order_whatever_the_server_answers() {
    let site = Site::new();
    let server = site.server();
    let _extractor = site.start(&server, &[]);
    let mut here = site.open();
    let action = get_all(&all(&mut here));
    let expected = answer_here(here, &action);
    server.add(7, MAILBOX);
    // The last one needs chunks that the migrator no longer has.
    server.state().faults = VecDeque::from([
        Fault::TryLater,
        Fault::TryLater,
        Fault::SendAgain,
        Fault::LoseAnswer,
        Fault::Forget(0),
    ]);
    assert!(server.perform(7, action.clone()) == expected);
    let state = server.state();
    assert!(state.faults.is_empty());
    assert_eq!(state.arrived[..6], [1, 1, 1, 1, 2, 1], "the lost answer was asked about, not sent again");
    assert_eq!(state.tests, 1, "by one migrator");
}

#[test]
fn a_migrator_ends_when_it_is_told_to() {
    let site = Site::new();
    let server = site.server();
    let extractor = site.start(&server, &[]);
    server.add(7, MAILBOX);
    let migrator = extractor.part("migrator", None);
    server.state().faults.push_back(Fault::Stop);
    server.order(7, Action::ListFolders);
    eventually("the end of the migrator", || (!is_alive(migrator)).then_some(()));
    assert_eq!(server.state().arrived, [1]);

    server.add(8, MAILBOX);
    let migrator = extractor.part("migrator", None);
    server.perform(8, Action::ListFolders);
    let mut state = server.state();
    let mut job = state.jobs.remove(&8).unwrap();
    job.end = Some(Action::Done);
    state.jobs.insert(8, job);
    drop(state);
    server.order(8, Action::Test { nonce: 1 });
    eventually("the end of the other", || (!is_alive(migrator)).then_some(()));
}

#[test]
fn a_stop_reaches_a_migrator_that_is_busy() {
    let site = Site::new();
    let server = site.server();
    let extractor = site.start(&server, &[]);
    server.add(7, MAILBOX);
    let migrator = extractor.part("migrator", None);
    let mut state = server.state();
    // It gets no chunk through and so is busy for ever.
    state.faults = std::iter::repeat_n(Fault::TryLater, 1_000_000).collect();
    state.alive_stops = true;
    drop(state);
    server.order(7, get_all(&all(&mut site.open())));
    eventually("the end of the migrator", || (!is_alive(migrator)).then_some(()));
    assert!(server.state().alive > 0);
}

#[test]
fn a_server_that_is_not_there_or_goes_is_waited_for() {
    let site = Site::new();
    let server = site.server();
    let address = server.address();
    let output = site.run(&server.url(), &["--enrol", CODE, "--check"]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("1 databases") && said.contains("accepts extractor 3"), "{said}");
    drop(server);

    let _extractor = site.start_at(&format!("http://{address}"), &[]);
    let server = ExtractorServer::start_at(&address, site.root().to_str().unwrap());
    server.add(7, MAILBOX);
    let expected = answer_here(site.open(), &Action::ListFolders);
    assert!(server.perform(7, Action::ListFolders) == expected);
    let greetings = server.state().greetings.len();
    server.state().down = true;
    server.order(7, Action::ListFolders);
    server.state().down = false;
    server.until("the answer", |state| state.jobs.get_mut(&7)?.answers.pop());
    server.until("a greeting", |state| (state.greetings.len() > greetings).then_some(()));
}

#[test]
fn a_wrong_code_and_no_token_are_told_with_what_to_do() {
    let site = Site::new();
    let server = site.server();
    let run = |options: &[&str]| {
        let output = site.run(&server.url(), options);
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let (exit, said) = run(&[]);
    assert_eq!(exit, Some(5));
    assert!(said.contains("page Extractors"), "{said}");
    let (exit, said) = run(&["--enrol", "wrong"]);
    assert_eq!(exit, Some(5));
    assert!(said.contains("the code is unknown"), "{said}");
    let (exit, said) = run(&["--enrol", "wrong.wrong"]);
    assert_eq!((exit, said.contains("64 hexadecimal digits")), (Some(2), true), "{said}");
    drop(site.run(&server.url(), &["--enrol", CODE, "--check"]));
    let path = site.folder.path().join("state/enrolment.json");
    let kept = fs::read_to_string(&path).unwrap();
    fs::write(&path, kept.replace("t0ken", "revoked")).unwrap();
    assert_eq!(run(&["--check"]).0, Some(5), "a revoked token");
}

#[test]
fn a_second_extractor_on_the_state_folder_is_refused() {
    let site = Site::new();
    let server = site.server();
    let _extractor = site.start(&server, &[]);
    server.until("a greeting", |state| (!state.greetings.is_empty()).then_some(()));
    let output = site.run(&server.url(), &[]);
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("another extractor uses"), "{said}");
}

#[test]
fn a_path_outside_of_the_source_folders_is_refused() {
    let site = Site::new();
    let elsewhere = site.folder.path().canonicalize().unwrap().join("elsewhere/joe.nsf");
    fs::copy(site.root().join(MAILBOX), &elsewhere).unwrap();
    let server = site.server();
    let _extractor = site.start(&server, &[]);
    server.state().location = elsewhere.parent().unwrap().to_str().unwrap().to_owned();
    server.add(7, "joe.nsf");
    let answer = Spool::of(&Action::ListFolders, &server.perform(7, Action::ListFolders));
    let failure = end_of(&answer).failure.clone().unwrap();
    assert_eq!(failure.kind, FailureKind::CannotOpen);
    assert!(failure.detail.contains("outside of the folders"), "{}", failure.detail);
}

#[test]
fn a_source_that_another_program_writes_is_in_use() {
    let site = Site::new();
    let server = site.server();
    let _extractor = site.start(&server, &[]);
    let writer = fs::OpenOptions::new().append(true).open(site.root().join(MAILBOX)).unwrap();
    server.add(7, MAILBOX);
    let list = Action::ListItems { after: None, limit: 10 };
    for action in [Action::ListFolders, list] {
        let answer = Spool::of(&action, &server.perform(7, action.clone()));
        assert_eq!(end_of(&answer).failure.as_ref().unwrap().kind, FailureKind::InUse);
    }
    drop(writer);
    let answer = Spool::of(&Action::ListFolders, &server.perform(7, Action::ListFolders));
    assert_eq!(end_of(&answer).failure, None);
}

#[test]
fn an_action_of_a_newer_server_is_answered_as_not_understood() {
    let site = Site::new();
    let action = Action::Unknown(900);
    let answer = Spool::of(&action, &answer_here(site.open(), &action));
    assert_eq!(end_of(&answer).failure.as_ref().unwrap().kind, FailureKind::NotUnderstood);
}

#[test]
fn a_killed_migrator_is_started_again_and_its_action_goes_to_the_new_one() {
    let site = Site::new();
    let server = site.server();
    let extractor = site.start(&server, &[]);
    server.add(7, MAILBOX);
    let first = extractor.part("migrator", None);
    let action = get_all(&all(&mut site.open()));
    // It stays at the second chunk until it is killed.
    server.state().faults = std::iter::repeat_n(Fault::Forget(1), 1_000_000).collect();
    server.order(7, action.clone());
    server.until("a chunk", |state| (!state.arrived.is_empty()).then_some(()));
    signal(first, Signal::KILL);
    server.state().faults.clear();
    let chunks = server.until("the answer", |state| state.jobs.get_mut(&7)?.answers.pop());
    assert!(chunks == answer_here(site.open(), &action));
    let state = server.state();
    assert_eq!(state.tests, 2);
    let (old, new) = (&state.asked[0], state.asked.last().unwrap());
    assert!(old.migrator != new.migrator && new.alone);
}

#[test]
fn a_killed_coordinator_is_started_again_and_the_server_is_told() {
    let site = Site::new();
    let server = site.server();
    let extractor = site.start(&server, &[]);
    server.add(7, MAILBOX);
    let migrator = extractor.part("migrator", None);
    let coordinator = extractor.part("coordinator", None);
    signal(coordinator, Signal::KILL);
    let why = server.until("the reason", |state| {
        state.greetings.iter().find_map(|greeting| greeting.restarted_because.clone())
    });
    assert!(why.contains("ended by itself"), "{why}");
    eventually("the end of the old migrator", || (!is_alive(migrator)).then_some(()));
    extractor.part("coordinator", Some(coordinator));
    assert!(server.perform(7, Action::ListFolders) == answer_here(site.open(), &Action::ListFolders));
    server.until("a greeting without it", |state| {
        state.greetings.last().is_some_and(|greeting| greeting.restarted_because.is_none()).then_some(())
    });
}

#[test]
fn a_source_that_answers_no_more_starts_everything_again() {
    let site = Site::new();
    let server = site.server();
    let _extractor = site.start(&server, &["--silent-seconds", "0.5"]);
    server.until("a greeting", |state| (!state.greetings.is_empty()).then_some(()));
    let away = site.folder.path().join("away");
    fs::rename(site.root(), &away).unwrap();
    let why = server.until("the reason", |state| {
        state.greetings.iter().find_map(|greeting| greeting.restarted_because.clone())
    });
    assert!(why.starts_with("the mail source has not answered"), "{why}");
    fs::rename(&away, site.folder.path().join("mail")).unwrap();
}

#[test]
fn a_frozen_coordinator_is_silent_too() {
    let site = Site::new();
    let server = site.server();
    let extractor = site.start(&server, &["--silent-seconds", "0.5"]);
    server.add(7, MAILBOX);
    let (coordinator, migrator) = (extractor.part("coordinator", None), extractor.part("migrator", None));
    signal(migrator, Signal::STOP);
    signal(coordinator, Signal::STOP);
    for pid in [coordinator, migrator] {
        eventually("the end of what is frozen", || (!is_alive(pid)).then_some(()));
    }
    assert!(!server.perform(7, Action::ListFolders).is_empty());
}

#[test]
fn nothing_outlives_the_guardian() {
    for end in [Signal::KILL, Signal::TERM] {
        let site = Site::new();
        let server = site.server();
        let mut extractor = site.start(&server, &[]);
        server.add(7, MAILBOX);
        let parts = [extractor.part("migrator", None), extractor.part("coordinator", None)];
        signal(extractor.0.id(), end);
        extractor.0.wait().unwrap();
        for pid in parts {
            eventually("the end of a part", || (!is_alive(pid)).then_some(()));
        }
    }
}

#[test]
fn a_drained_extractor_ends_when_its_migrators_did() {
    let site = Site::new();
    let server = site.server();
    let mut extractor = site.start(&server, &[]);
    server.add(7, MAILBOX);
    server.perform(7, Action::ListFolders);
    let mut state = server.state();
    state.drain = true;
    state.jobs.get_mut(&7).unwrap().end = Some(Action::Done);
    drop(state);
    server.order(7, Action::ListFolders);
    assert_eq!(extractor.0.wait().unwrap().code(), Some(0));
}

/// A mailbox of one mail with an attachment that cannot be compressed.
fn forge_attachment(path: &Path, bytes: u64) {
    struct Noise(fastrand::Rng);
    impl Read for Noise {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            self.0.fill(into);
            Ok(into.len())
        }
    }
    let time = Timedate([1, 0x0025_8B00]);
    let mut writer = Writer::create(path, Options::default()).unwrap();
    let mut data = Noise(fastrand::Rng::with_seed(1)).take(bytes);
    let compression = Compression::None;
    let attachment =
        Attachment { name: "a.bin", data: &mut data, bytes, compression, flags: 0, modified: time };
    let file = writer.attach(attachment).unwrap();
    let note = NoteSpec::document(Unid([7; 16]), time).with([ItemSpec::text("Form", "Memo"), file]);
    writer.add_note(&note).unwrap();
    writer.finish().unwrap();
}

/// The anonymous memory of an extractor's processes together.
fn anonymous_bytes(extractor: &Extractor) -> u64 {
    let parts = processes_below(extractor.0.id()).into_iter().map(|(pid, _)| pid);
    let bytes = |pid: u32| -> Option<u64> {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"))?;
        Some(line.split_whitespace().next()?.parse::<u64>().ok()? << 10)
    };
    parts.chain([extractor.0.id()]).filter_map(bytes).sum()
}

/// Waits for an answer and gives the most memory that was seen meanwhile.
fn peak_while(server: &ExtractorServer, extractor: &Extractor, action: Action) -> u64 {
    let before = server.order(7, action);
    let mut peak = 0;
    eventually("an answer", || {
        peak = peak.max(anonymous_bytes(extractor));
        let mut state = server.state();
        let answers = &mut state.jobs.get_mut(&7).unwrap().answers;
        (answers.len() > before).then(|| answers.clear())
    });
    peak
}

#[test]
fn memory_grows_with_no_attachment_and_no_mailbox() {
    let mut site = Site::new();
    let attachment_bytes = if long() { 1 << 30 } else { 100 << 20 };
    forge_attachment(&site.folder.path().join("mail/large.nsf"), attachment_bytes);
    let mails = if long() { 20_000 } else { 1_000 };
    let many = MailboxOptions { version: Version::Ods52, mails, seed: 6 };
    mailbox::forge(&site.folder.path().join("mail/many.nsf"), &many).unwrap();
    site.before = files(&site.folder.path().join("mail"));
    let server = site.server();
    server.state().forgetful = true;
    let mut peak = 0;
    for name in ["large.nsf", "many.nsf"] {
        server.add(7, name);
        let extractor = site.start(&server, &[]);
        let listed = all(&mut NsfSource::open(&site.root().join(name)).unwrap());
        for page in listed.chunks(1_000) {
            let list = Action::ListItems { after: None, limit: 1_000 };
            peak = peak.max(peak_while(&server, &extractor, list));
            peak = peak.max(peak_while(&server, &extractor, get_all(page)));
        }
        println!("{name}: {} KiB", peak >> 10);
        assert!(peak < 64 << 20, "{name}: {peak} bytes");
    }
}

/// An HTTPS server that answers one call with no connectors; it may lose the connection instead.
fn https(key: &rcgen::CertifiedKey<rcgen::KeyPair>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let private = rustls::pki_types::PrivateKeyDer::try_from(key.signing_key.serialize_der()).unwrap();
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![key.cert.der().clone()], private)
        .unwrap();
    thread::spawn(move || {
        let (tcp, _) = listener.accept().unwrap();
        let connection = rustls::ServerConnection::new(Arc::new(config)).unwrap();
        let mut stream = rustls::StreamOwned::new(connection, tcp);
        let request = encode(&ConnectorsRequest {}).unwrap();
        let mut received = Vec::new();
        while !received.ends_with(&[b"\r\n\r\n", &request[..]].concat()) {
            let mut byte = [0];
            if stream.read_exact(&mut byte).is_err() {
                return;
            }
            received.extend(byte);
        }
        let body = encode(&ConnectorsAnswer { connectors: Vec::new() }).unwrap();
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
        stream.write_all(&[head.as_bytes(), &body].concat()).unwrap();
        stream.flush().unwrap();
    });
    port
}

#[test]
fn a_server_with_a_certificate_of_its_own_is_known_by_its_fingerprint() {
    // Another name than the one that is asked for, which does not matter here.
    let key = rcgen::generate_simple_self_signed(vec!["appliance.example.com".to_owned()]).unwrap();
    let call = |fingerprint: Option<Fingerprint>| {
        let mut address = Address::parse(&format!("https://127.0.0.1:{}", https(&key)), None).unwrap();
        address.fingerprint = fingerprint;
        Client::new(&address, None).unwrap().call(&ConnectorsRequest {})
    };
    assert!(call(Some(Fingerprint::of(key.cert.der()))).unwrap().connectors.is_empty());
    let unreachable = |fingerprint| match call(fingerprint) {
        Err(ClientError::Unreachable { why, .. }) => why,
        other => panic!("{other:?}"),
    };
    let why = unreachable(Some(Fingerprint::of(b"another")));
    assert!(why.contains("another certificate than at enrolment"), "{why}");
    let why = unreachable(None);
    assert!(why.contains("certificate"), "{why}");
}
