//! `notesferry migrate` as a user calls it.

use crate::support::corpus;
use notesferry::forge::mailbox::{self, MailboxOptions};
use notesferry::forge::version::Version;
use notesferry::store::StateStore;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use tempfile::TempDir;

/// Mails of the forged mailbox; other documents come with them.
const MAILS: u64 = 150;
/// Its calendar entries and tasks as they arrive, notices among them.
const ENTRIES: u64 = 17;
/// Documents that are part of an entry that another document carries: two of each series.
const PARTS: u64 = 4;
/// Contacts, a group, pages of a notebook and phone messages.
const OTHERS: u64 = 4;
const DELIVERED: u64 = MAILS + ENTRIES + OTHERS;

/// A folder with a forged mailbox, where targets and states can be made.
struct Bench {
    folder: TempDir,
    source: PathBuf,
    source_bytes: Vec<u8>,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let source = folder.path().join("jane.nsf");
        mailbox::forge(&source, &MailboxOptions { version: Version::Ods52, mails: MAILS, seed: 5 }).unwrap();
        let source_bytes = fs::read(&source).unwrap();
        Self { folder, source, source_bytes }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn command(&self, target: &str, state: &str, options: &[&str]) -> Command {
        let (kind, directory) = target.split_once(':').unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_notesferry"));
        command.arg("migrate").arg(&self.source);
        command.arg(format!("{kind}:{}", self.path(directory).display()));
        command.arg("--state-dir").arg(self.path(state)).args(options);
        command
    }

    /// Runs to the end and gives the exit code and the last object.
    fn run(&self, target: &str, state: &str, options: &[&str]) -> (i32, Value) {
        let output = self.command(target, state, options).arg("--json").output().unwrap();
        assert_eq!(fs::read(&self.source).unwrap(), self.source_bytes, "invariant G");
        (output.status.code().unwrap(), last_object(&output))
    }
}

fn last_object(output: &Output) -> Value {
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    let last = text.lines().last().unwrap_or_else(|| panic!("{}", String::from_utf8_lossy(&output.stderr)));
    serde_json::from_str(last).unwrap()
}

fn counts(end: &Value) -> [u64; 4] {
    ["found", "delivered", "already_there", "set_aside"].map(|name| end[name].as_u64().unwrap())
}

/// Every message below a target by its path without flags; fails on one that is there twice or half written.
fn messages(root: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let path = entry.path();
            let name = entry.file_name().into_string().unwrap();
            if path.is_dir() {
                folders.push(path);
            } else if path.parent().unwrap().ends_with("tmp") {
                panic!("{path:?}");
            } else if name.contains(".notesferry,")
                || [".eml", ".ics", ".vcf"].iter().any(|ending| name.ends_with(ending))
            {
                let name = name.split(":2,").next().unwrap().to_owned();
                let path = path.strip_prefix(root).unwrap().with_file_name(name);
                let twice = found.insert(path, fs::read(entry.path()).unwrap());
                assert!(twice.is_none());
            }
        }
    }
    found
}

/// Invariant C: no folder holds a key twice.
fn assert_each_key_once_a_folder(messages: &BTreeMap<PathBuf, Vec<u8>>) {
    let mut seen = BTreeMap::new();
    for (path, bytes) in messages {
        let text = String::from_utf8_lossy(bytes);
        let keys = ["X-Notesferry-Key: ", "X-NOTESFERRY-KEY:"];
        let key = |line: &str| keys.iter().find_map(|name| line.strip_prefix(name)).map(str::to_owned);
        let key = text.lines().find_map(key).unwrap();
        let other = seen.insert((path.parent().unwrap().to_owned(), key), path);
        assert!(other.is_none(), "{path:?} and {other:?}");
    }
}

#[test]
fn a_forged_mailbox_arrives_once_in_each_kind_of_target() {
    let bench = Bench::new();
    let mut placements = Vec::new();
    for kind in ["maildir", "eml"] {
        let target = format!("{kind}:{kind}");
        let (exit, end) = bench.run(&target, "state", &[]);
        let [found, delivered, already_there, set_aside] = counts(&end);
        assert_eq!((exit, delivered, already_there), (1, DELIVERED, PARTS), "{end}");
        assert!(found == delivered + already_there + set_aside && set_aside > 0, "{end}");
        let arrived = messages(&bench.path(kind));
        let objects = arrived.keys().filter(|path| path.extension().is_some_and(|ending| ending == "ics"));
        assert_eq!(objects.count(), if kind == "eml" { 13 } else { 0 });
        let cards = arrived.keys().filter(|path| path.extension().is_some_and(|ending| ending == "vcf"));
        assert_eq!(cards.count(), if kind == "eml" { 2 } else { 0 });
        assert_each_key_once_a_folder(&arrived);
        placements.push(arrived.len());

        let (_, again) = bench.run(&target, "state", &[]);
        assert_eq!(counts(&again), [found, 0, DELIVERED + PARTS, set_aside], "the second run");
        let (exit, all) = bench.run(&target, "state", &["--all-documents"]);
        assert_eq!((exit, counts(&all)), (0, [found, set_aside, DELIVERED + PARTS, 0]), "all documents");
        let (exit, lost) = bench.run(&target, "another state", &["--all-documents"]);
        assert_eq!((exit, counts(&lost)), (0, [found, 0, found, 0]), "the ledger is lost");
        assert_each_key_once_a_folder(&messages(&bench.path(kind)));
    }
    assert!(placements[0] == placements[1] && placements[0] as u64 >= MAILS, "{placements:?}");
}

#[test]
fn a_dry_run_writes_nothing() {
    let bench = Bench::new();
    let (exit, end) = bench.run("maildir:mail", "state", &["--dry-run"]);
    assert_eq!((exit, end["delivered"].as_u64()), (1, Some(DELIVERED)), "{end}");
    assert!(
        end["by_folder"]["INBOX"].as_u64() > Some(0) && end["by_form"]["Memo"].as_u64() > Some(0),
        "{end}"
    );
    assert!(!bench.path("mail").exists() && !bench.path("state").exists());
}

#[test]
fn a_report_tells_the_same_of_every_run() {
    let bench = Bench::new();
    let mut losses = Vec::new();
    for (run, options) in [("dry", &["--dry-run"][..]), ("first", &[]), ("second", &[])] {
        let folder = bench.path(run);
        let report = ["--report", folder.to_str().unwrap()];
        let (_, end) = bench.run("maildir:mail", "state", &[options, &report].concat());
        let told: Value = serde_json::from_slice(&fs::read(folder.join("report.json")).unwrap()).unwrap();
        for (name, in_report) in [("found", "found"), ("delivered", "delivered"), ("set_aside", "set_aside")]
        {
            assert_eq!(told["sum"][in_report], end[name], "{run}");
        }
        let table = fs::read_to_string(folder.join("documents.csv")).unwrap();
        let set_aside = told["set_aside"].as_array().unwrap();
        assert_eq!(Some(set_aside.len() as u64), end["set_aside"].as_u64(), "{run}");
        assert_eq!(Some(table.matches("\r\n").count() as u64 - 1), end["found"].as_u64(), "{run}");
        let placements = |target: &Value| target["messages_at_target"].as_u64().unwrap();
        let at_target: u64 = told["folders"].as_array().unwrap().iter().map(placements).sum();
        assert!(at_target >= DELIVERED, "{run}: {at_target}");
        let page = fs::read_to_string(folder.join("report.html")).unwrap();
        assert!(page.contains(end["sentence"].as_str().unwrap().split('\'').next().unwrap()), "{run}");
        losses.push(told["losses"].clone());
    }
    assert!(losses[0].as_array().is_some_and(|groups| !groups.is_empty()));
    // A dry run does not ask the target what it keeps.
    assert!(losses[0].as_array().unwrap().iter().all(|group| losses[1].as_array().unwrap().contains(group)));
    assert!(losses[1] == losses[2], "what was lost earlier is still told");
}

#[test]
fn what_nobody_asked_for_is_left_out_counted_and_carried_later() {
    let bench = Bench::new();
    let report = bench.path("report.json");
    let options = ["--only", "calendar,tasks", "--since", "2019-09-01", "--report", report.to_str().unwrap()];
    let (exit, dry) = bench.run("maildir:mail", "state", &[&options[..], &["--dry-run"]].concat());
    assert_eq!(exit, 0, "{dry}");
    let (exit, end) = bench.run("maildir:mail", "state", &options);
    let [found, delivered, _, set_aside] = counts(&end);
    assert_eq!((exit, set_aside), (0, 0), "{end}");
    assert!(delivered > 0 && delivered < ENTRIES, "{end}");
    assert_eq!(dry["filtered_out"], end["filtered_out"]);
    let told: Value = serde_json::from_slice(&fs::read(&report).unwrap()).unwrap();
    let reasons = told["filtered_out"].as_object().unwrap();
    assert!(reasons["of a kind that was not asked for"].as_u64() > Some(MAILS), "{reasons:?}");
    assert!(reasons["before the first day"].as_u64() > Some(0), "{reasons:?}");
    let all: u64 = reasons.values().map(|count| count.as_u64().unwrap()).sum();
    assert_eq!(
        (Some(all), told["settings"]["--since"].as_str()),
        (end["filtered_out"].as_u64(), Some("2019-09-01"))
    );
    // Without the options the rest follows, and nothing twice.
    let (_, end) = bench.run("maildir:mail", "state", &[]);
    assert_eq!(counts(&end)[0], found);
    assert_eq!(counts(&end)[1], DELIVERED - delivered, "{end}");
    assert_each_key_once_a_folder(&messages(&bench.path("mail")));
    let (exit, text) = failure(&mut bench.command(
        "maildir:mail",
        "state",
        &["--since", "2020-01-01", "--before", "2019-01-01"],
    ));
    assert!(exit == 2 && text.contains("nothing lies"), "{exit}: {text}");
}

#[test]
fn folders_get_the_names_of_the_folder_map() {
    let bench = Bench::new();
    fs::write(bench.path("map.txt"), "# names\nSent=Mail/Sent 2019\n").unwrap();
    let map = bench.path("map.txt");
    let options = ["--folder-map", map.to_str().unwrap(), "--folder-map", "INBOX=Old/Inbox"];
    bench.run("eml:mail", "state", &options);
    assert!(bench.path("mail/Old/Inbox").is_dir() && bench.path("mail/Mail/Sent 2019").is_dir());
    assert!(!bench.path("mail/INBOX").exists() && !bench.path("mail/Sent").exists());
    let (exit, text) = failure(&mut bench.command("eml:mail", "state", &["--folder-map", "=x"]));
    assert!(exit == 2 && text.contains("OLD=NEW"), "{exit}: {text}");
}

/// Starts a run and reads `lines` of its output.
fn start(mut command: Command, lines: usize) -> Child {
    let mut child = command.arg("--json").stdout(Stdio::piped()).spawn().unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    for _ in 0..lines {
        output.read_line(&mut String::new()).unwrap();
    }
    // The rest is read too, so that the program does not end because nobody listens.
    std::thread::spawn(move || std::io::copy(&mut output, &mut std::io::sink()));
    child
}

/// Files below a folder, the unfinished ones too.
fn files(folder: &Path) -> usize {
    let Ok(entries) = fs::read_dir(folder) else { return 0 };
    entries.flatten().map(|entry| if entry.path().is_dir() { files(&entry.path()) } else { 1 }).sum()
}

#[test]
fn killed_anywhere_the_next_run_completes_what_is_missing() {
    let bench = Bench::new();
    bench.run("maildir:undisturbed", "state of the undisturbed", &["--all-documents"]);
    let expected = messages(&bench.path("undisturbed"));
    let mut random = fastrand::Rng::with_seed(20);
    let mut interrupted = 0;
    for round in 0..10 {
        let name = format!("mail {round}");
        let (target, state) = (format!("maildir:{name}"), format!("state {round}"));
        for _ in 0..2 {
            let enough = random.usize(0..expected.len());
            let mut child = start(bench.command(&target, &state, &["--all-documents"]), 0);
            while files(&bench.path(&name)) < enough && child.try_wait().unwrap().is_none() {}
            child.kill().unwrap();
            interrupted += usize::from(child.wait().unwrap().code().is_none());
        }
        let (exit, end) = bench.run(&target, &state, &["--all-documents"]);
        assert_eq!(exit, 0, "round {round}: {end}");
        let arrived = messages(&bench.path(&name));
        assert_each_key_once_a_folder(&arrived);
        assert!(arrived == expected, "round {round}: {} of {}", arrived.len(), expected.len());
    }
    assert!(interrupted > 10, "{interrupted}");
}

#[cfg(unix)]
#[test]
fn ctrl_c_finishes_the_batch_and_the_next_run_goes_on() {
    let bench = Bench::new();
    let mut child = start(bench.command("maildir:mail", "state", &[]), 1);
    Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(7));
    let (_, end) = bench.run("maildir:mail", "state", &[]);
    let [_, delivered, already_there, _] = counts(&end);
    assert_eq!(delivered + already_there, DELIVERED + PARTS, "{end}");
}

/// The exit code and the standard error of a run that cannot work.
fn failure(command: &mut Command) -> (i32, String) {
    let output = command.output().unwrap();
    (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn what_cannot_work_ends_with_its_own_code_and_a_sentence() {
    let bench = Bench::new();
    let (exit, text) = failure(&mut bench.command("mbox:x", "state", &[]));
    assert!(exit == 2 && text.contains("does not write to mbox yet"), "{exit}: {text}");
    let (exit, text) = failure(&mut bench.command("maildir:mail", "state", &["--no-such-option"]));
    assert!(exit == 2 && text.contains("--no-such-option"), "{exit}: {text}");

    fs::write(bench.path("file"), "in the way").unwrap();
    let (exit, text) = failure(&mut bench.command("maildir:file/mail", "state", &[]));
    assert!(exit == 4 && text.contains("cannot be reached"), "{exit}: {text}");

    let held = StateStore::open(&bench.path("held")).unwrap();
    let (exit, text) = failure(&mut bench.command("maildir:mail", "held", &[]));
    assert!(exit == 2 && text.contains("in use by another notesferry"), "{exit}: {text}");
    drop(held);

    for (name, content) in [("missing.nsf", None), ("letter.nsf", Some("Dear Jane"))] {
        let source = bench.path(name);
        if let Some(content) = content {
            fs::write(&source, content).unwrap();
        }
        let other = Bench { folder: tempfile::tempdir().unwrap(), source, source_bytes: Vec::new() };
        let (exit, text) = failure(&mut other.command("maildir:mail", "state", &[]));
        assert!(exit == 3 && text.contains(name), "{exit}: {text}");
        assert!(!other.path("mail").exists());
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_database_that_another_program_writes_is_not_read() {
    let bench = Bench::new();
    let writer = fs::File::options().append(true).open(&bench.source).unwrap();
    let (exit, text) = failure(&mut bench.command("maildir:mail", "state", &[]));
    assert!(exit == 3 && text.contains("is in use") && text.contains("copy"), "{exit}: {text}");
    drop(writer);
    assert!(!bench.path("mail").exists());
}

#[test]
fn the_real_messages_arrive_and_the_last_line_says_so() {
    let Some(folder) = corpus::folder() else { return };
    let target = tempfile::tempdir().unwrap();
    let mail = target.path().join("mail");
    for (columns, count) in [("3 delivered.", 3), ("0 delivered, 3 already there.", 3)] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_notesferry"));
        command.arg("migrate").arg(format!("nsf:{}", folder.join("nsf/capi_MIMEMsg.nsf").display()));
        command
            .arg(format!("maildir:{}", mail.display()))
            .arg("--state-dir")
            .arg(target.path().join("state"));
        let output = command.output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let mailbox = mail.canonicalize().unwrap();
        let sentence =
            format!("All 3 documents of capi_MIMEMsg.nsf are in maildir:{}: {columns}", mailbox.display());
        assert_eq!((output.status.code(), text.lines().last()), (Some(0), Some(sentence.as_str())));
        assert_eq!(messages(&mail).len(), count);
    }
}
