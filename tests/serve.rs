//! `notesferry serve` and `notesferry admin` as a user calls them: processes in a folder of their own.

use notesferry::forge::mailbox::{self, MailboxOptions};
use notesferry::forge::version::Version;
use serde_json::{Value, json};
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use tempfile::TempDir;

/// A running server with its data folder.
struct Server {
    process: Child,
    address: String,
    folder: TempDir,
}

fn notesferry() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_notesferry"));
    command.stdin(Stdio::null()).env_remove("NOTESFERRY_TARGET_PASSWORD");
    command
}

impl Server {
    fn start(settings: &str) -> Self {
        Self::start_in(tempfile::tempdir().unwrap(), settings)
    }

    fn start_in(folder: TempDir, settings: &str) -> Self {
        let data = folder.path().join("data");
        fs::create_dir_all(&data).unwrap();
        fs::write(data.join("notesferry.toml"), settings).unwrap();
        let mut command = notesferry();
        command.arg("serve").arg("--data-dir").arg(&data).args(["--http", "--listen", "127.0.0.1:0"]);
        let mut process = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut ready = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut ready).unwrap();
        let address = ready.trim().strip_prefix("notesferry serves http://").unwrap().to_owned();
        Self { process, address, folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn admin(&self, arguments: &[&str]) -> Output {
        let mut command = notesferry();
        command.arg("admin").arg("--data-dir").arg(self.path("data")).args(arguments);
        command.output().unwrap()
    }

    /// What a command prints that works.
    #[track_caller]
    fn works(&self, arguments: &[&str]) -> String {
        let output = self.admin(arguments);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    #[track_caller]
    fn json(&self, arguments: &[&str]) -> Value {
        serde_json::from_str(&self.works(&[arguments, &["--json"]].concat())).unwrap()
    }

    /// The exit code and the sentence of a command that fails.
    #[track_caller]
    fn fails(&self, arguments: &[&str]) -> (i32, String) {
        let output = self.admin(arguments);
        assert!(output.stdout.is_empty(), "{output:?}");
        (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
    }

    /// Sends it a signal and waits for its end.
    fn end(mut self, signal: &str) -> (Option<i32>, TempDir) {
        Command::new("kill").args(["-s", signal]).arg(self.process.id().to_string()).status().unwrap();
        let exit = self.process.wait().unwrap().code();
        let folder = std::mem::replace(&mut self.folder, tempfile::tempdir().unwrap());
        (exit, folder)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The exit code and the standard error of a server that cannot start.
fn start_fails(arguments: &[&str], folder: &TempDir) -> (i32, String) {
    let mut command = notesferry();
    command.arg("serve").arg("--data-dir").arg(folder.path().join("data")).args(arguments);
    let output = command.output().unwrap();
    (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn behind_a_proxy_the_server_names_the_address_of_the_proxy() {
    let settings = "trusted_proxies = [\"192.0.2.1\"]\npublic_address = \"http://migration.example.com\"\n";
    let server = Server::start(settings);
    assert_eq!(server.address, "migration.example.com");
    assert_eq!(server.json(&["enrol-code"])["server"], "http://migration.example.com");
    let folder = tempfile::tempdir().unwrap();
    let (exit, text) = start_fails(&["--http", "--listen", "0.0.0.0:0"], &folder);
    assert!(exit == 2 && text.contains("--trusted-proxy"), "{exit}: {text}");
}

#[test]
fn a_server_starts_answers_and_stops() {
    let server = Server::start("");
    let info = server.json(&["info"]);
    assert_eq!(info["address"], format!("http://{}", server.address));
    let mode = |name: &str| fs::metadata(server.path(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("data"), mode("data/admin.sock"), mode("data/gate.sock")), (0o700, 0o600, 0o600));
    let (exit, text) = start_fails(&["--http", "--listen", "127.0.0.1:0"], &server.folder);
    assert!(exit == 2 && text.contains("another notesferry uses the data folder"), "{exit}: {text}");
    assert_eq!(server.json(&["info"]), info, "the first one goes on");

    // A poll that is held open does not hold up the end.
    let mut watch = notesferry();
    watch.arg("admin").arg("--data-dir").arg(server.path("data")).args(["pass", "watch"]);
    let mut watching = watch.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let (exit, folder) = server.end("TERM");
    assert_eq!(exit, Some(0));
    assert_eq!(watching.wait().unwrap().code(), Some(4));
    let (_, folder) = Server::start_in(folder, "").end("KILL");
    let server = Server::start_in(folder, "");
    assert_eq!(server.json(&["info"])["connectors"], 0, "what a killed server left is no obstacle");
}

#[test]
fn a_server_that_cannot_start_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let (exit, text) = start_fails(&["--http", "--listen", "0.0.0.0:0"], &folder);
    assert!(exit == 2 && text.contains("127.0.0.1"), "{exit}: {text}");
    let config = folder.path().join("my.toml");
    fs::write(&config, "[passes]\nat_onse = 4\n").unwrap();
    let (exit, text) = start_fails(&["--config", config.to_str().unwrap()], &folder);
    assert!(exit == 2 && text.contains("my.toml") && text.contains("at_onse"), "{exit}: {text}");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let (exit, text) = start_fails(&["--http", "--listen", &address], &folder);
    assert!(exit == 2 && text.contains(&address), "{exit}: {text}");
}

#[test]
fn without_a_server_admin_says_how_to_start_one() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = notesferry();
    let output = command.arg("admin").arg("--data-dir").arg(folder.path()).arg("info").output().unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.code() == Some(4) && text.contains("notesferry serve --data-dir"), "{text}");
}

#[test]
fn wrong_orders_are_refused_in_a_sentence() {
    let server = Server::start("");
    for (arguments, exit, words) in [
        (&["connector", "add", "HQ", "/srv/notes"][..], 2, "enrol-code"),
        (&["connector", "add", "HQ", "/srv/notes", "--extractor", "7"], 2, "There is no extractor 7."),
        (&["connector", "remove", "HQ"], 2, "no connector `HQ`"),
        (&["mailbox", "add", "jane.nsf", "eml:x"], 2, "CONNECTOR:PATH"),
        (&["mailbox", "add", "HQ:jane.nsf", "smtp://example.com"], 2, "does not write to smtp"),
        (&["mailbox", "add", "HQ:jane.nsf", "imaps://jane@example.com"], 2, "--password-file"),
        (&["directory", "add", "names.nsf"], 2, "CONNECTOR:PATH"),
        (&["directory", "add", "HQ:names.nsf"], 2, "no connector `HQ`"),
        (&["directory", "remove", "1"], 2, "There is no directory 1."),
        (&["mailbox", "test", "1"], 2, "There is no mailbox 1."),
        (&["pass", "start", "1"], 2, "There is no mailbox 1."),
        (&["pass", "stop", "1"], 2, "There is no pass 1."),
        (&["pass", "watch", "1"], 2, "there is no pass 1"),
        (&["set-aside", "1"], 2, "There is no mailbox 1."),
        (&["extractors", "revoke", "1"], 2, "There is no extractor 1."),
    ] {
        let (code, text) = server.fails(arguments);
        assert!(code == exit && text.contains(words), "{arguments:?}: {code}: {text}");
    }
    assert!(server.works(&["extractors"]).contains("enrol-code"));
}

#[test]
fn the_public_port_serves_extractors_alone() {
    let server = Server::start("");
    let ask = |head: &str| {
        let mut stream = TcpStream::connect(&server.address).unwrap();
        write!(
            stream,
            "{head} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
        )
        .unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        String::from_utf8_lossy(&answer).into_owned()
    };
    for head in ["GET /api/v1/server", "POST /api/v1/extractors/enrol-code"] {
        let answer = ask(head);
        assert!(answer.starts_with("HTTP/1.1 401 ") && answer.contains("not_logged_in"), "{answer}");
    }
    assert!(ask("GET /none").starts_with("HTTP/1.1 404 "));
    assert!(ask("POST /extractor/v1/hello").starts_with("HTTP/1.1 200 "), "a refusal is a frame");
}

const OPTIONS: MailboxOptions = MailboxOptions { version: Version::Ods52, mails: 30, seed: 5 };

/// A server whose own extractor reads one mailbox, which is connector `HQ`; and the folder of its databases.
fn with_a_mailbox() -> (Server, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let notes = folder.path().join("notes");
    fs::create_dir(&notes).unwrap();
    mailbox::forge(&notes.join("jane.nsf"), &OPTIONS).unwrap();
    let settings = format!("builtin.sources = [{:?}]", notes.to_str().unwrap());
    let server = Server::start_in(folder, &settings);
    // Each look waits for an answer of the server, and the extractor enrols meanwhile.
    while server.json(&["extractors"])["extractors"].as_array().unwrap().is_empty() {}
    server.works(&["connector", "add", "HQ", notes.to_str().unwrap()]);
    (server, notes)
}

#[test]
fn a_retry_opens_what_was_chosen_and_nothing_else() {
    let (server, notes) = with_a_mailbox();
    let target = format!("maildir:{}", server.path("mail").display());
    server.works(&["mailbox", "add", "HQ:jane.nsf", &target]);
    assert_eq!(server.admin(&["pass", "start", "1", "--wait"]).status.code(), Some(1), "some are set aside");
    let (_, later) = mailbox::forge_later(&server.path("later.nsf"), &OPTIONS).unwrap();
    fs::rename(server.path("later.nsf"), notes.join("jane.nsf")).unwrap();
    let key = server.json(&["set-aside", "1"])["set_aside"][0]["key"].as_str().unwrap().to_owned();
    server.admin(&["pass", "retry", "1", "--item", &key, "--wait"]);
    let passes = server.json(&["pass", "list"]);
    let count = |pass: usize, name: &str| passes["passes"][pass]["tally"][name].as_u64().unwrap();
    assert_eq!([count(1, "delivered"), count(1, "set_aside")], [0, count(0, "set_aside")], "{passes}");
    assert!(later.added > 0 && count(1, "still_to_do") >= later.added, "{passes}");
    let (exit, text) = server.fails(&["pass", "retry", "1"]);
    assert!(exit == 2 && text.contains("--item"), "{exit}: {text}");
}

#[test]
fn what_admin_leaves_out_and_renames_follows_once_it_is_asked_for() {
    let (server, _) = with_a_mailbox();
    let target = format!("eml:{}", server.path("mail").display());
    let options = ["--only", "mail", "--before", "2031-01-01", "--folder-map", "INBOX=Old/Inbox"];
    server.works(&[&["mailbox", "add", "HQ:jane.nsf", &target][..], &options].concat());
    let tally = |pass: usize| server.json(&["pass", "list"])["passes"][pass]["tally"].clone();
    server.admin(&["pass", "start", "1", "--wait"]);
    assert!(server.path("mail/Old/Inbox").is_dir() && !server.path("mail/INBOX").exists());
    assert!(!server.path("mail/Contacts").exists());
    let left_out = tally(0)["filtered_out"].as_u64().unwrap();
    assert!(left_out > 0, "{}", tally(0));
    server.admin(&["pass", "start", "1", "--wait"]);
    assert_eq!((tally(1)["filtered_out"].as_u64(), &tally(1)["delivered"]), (Some(left_out), &json!(0)));
    let (exit, text) = server.fails(&["mailbox", "change", "1", "--only", "mail", "--clear", "only"]);
    assert!(exit == 2 && text.contains("at once"), "{exit}: {text}");
    let (exit, text) = server.fails(&["mailbox", "change", "1", "--folder-map", "=x"]);
    assert!(exit == 2 && text.contains("OLD=NEW"), "{exit}: {text}");
    server.works(&["mailbox", "change", "1", "--clear", "only,before,folder-map"]);
    server.admin(&["pass", "start", "1", "--wait"]);
    assert_eq!(tally(2)["filtered_out"], 0);
    assert!(tally(2)["delivered"].as_u64() > Some(0) && server.path("mail/Contacts").is_dir());
}

#[test]
fn the_builtin_extractor_carries_a_mailbox() {
    let (server, _) = with_a_mailbox();
    let target = format!("maildir:{}", server.path("mail").display());
    server.works(&["mailbox", "add", "HQ:jane.nsf", &target, "--all-documents"]);
    assert!(server.works(&["mailbox", "test", "1"]).contains("needs no log-in"));
    let (exit, text) = server.fails(&["connector", "remove", "HQ"]);
    assert!(exit == 2 && text.contains("1 mailboxes"), "{text}");

    for (columns, pass) in [(" delivered", "1"), (": 0 delivered", "2")] {
        let shown = server.works(&["pass", "start", "1", "--wait"]);
        let last = shown.lines().last().unwrap();
        assert!(last.starts_with("All ") && last.contains(&target) && last.contains(columns), "{shown}");
        assert!(shown.contains(&format!("Pass {pass} of mailbox 1, ")), "{shown}");
    }
    let passes = server.json(&["pass", "list"]);
    let found = passes["passes"][0]["tally"]["found"].as_u64().unwrap();
    assert!(found >= 30 && passes["passes"][1]["tally"]["already_there"] == found, "{passes}");
    assert_eq!(server.works(&["set-aside", "1"]).trim(), "Nothing is set aside.");

    server.works(&["mailbox", "remove", "1"]);
    server.works(&["connector", "remove", "HQ"]);
    let data = server.path("data");
    let (exit, _folder) = server.end("TERM");
    assert_eq!(exit, Some(0));
    // The lock of the extractor is free, so it ended with the server.
    let lock = fs::File::open(data.join("builtin-extractor/extractor.lock")).unwrap();
    lock.try_lock().unwrap();
}
