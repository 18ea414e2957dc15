//! The page in a real browser: the whole first run, from the code on the console to mail that has arrived.

use crate::support::browser::Browser;
use notesferry::forge::mailbox::{self, MailboxOptions};
use notesferry::forge::version::Version;
use serde_json::json;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use tempfile::TempDir;

const USER_PASSWORD: &str = "correct horse battery";
const MAILS: u64 = 30;

/// A program that ends with the test.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A server that was never started before, in a folder with two mailboxes, and the browser in front of it.
struct Bench {
    browser: Browser,
    _server: Process,
    address: String,
    folder: TempDir,
}

impl Bench {
    /// With the first administrator logged in, or nothing where there is no browser.
    fn start() -> Option<Self> {
        let browser = Browser::start()?;
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("notes/mail")).unwrap();
        for name in ["ann", "ben"] {
            let options = MailboxOptions { version: Version::Ods52, mails: MAILS, seed: 5 };
            mailbox::forge(&folder.path().join(format!("notes/mail/{name}.nsf")), &options).unwrap();
        }
        let mut command = notesferry();
        command.arg("serve").arg("--data-dir").arg(folder.path().join("data"));
        let mut server =
            command.args(["--http", "--listen", "127.0.0.1:0"]).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(server.stdout.take().unwrap()).lines().map(Result::unwrap);
        let ready = lines.next().unwrap();
        let address = ready.strip_prefix("notesferry serves ").unwrap().to_owned();
        let code = lines.next().unwrap().rsplit(' ').next().unwrap().to_owned();
        thread::spawn(move || lines.for_each(drop));
        let bench = Self { browser, _server: Process(server), address, folder };
        bench.browser.open(&bench.address);
        bench.become_administrator(&code);
        Some(bench)
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    fn become_administrator(&self, code: &str) {
        let Self { browser, .. } = self;
        browser.see("Welcome aboard");
        for (name, text) in
            [("code", code), ("name", "ann"), ("password", USER_PASSWORD), ("again", USER_PASSWORD)]
        {
            browser.fill(name, text);
        }
        browser.press("Make administrator and log in");
        browser.see("Where does the mail go?");
    }

    /// Step 2: runs the command that the page shows.
    fn connect_extractor(&self) -> Process {
        let Self { browser, .. } = self;
        browser.see("Connect the machine with the Notes data");
        browser.fill("source", &self.path("notes"));
        browser.press("Make an enrolment code");
        browser.see("--enrol");
        let shown = browser.run("return document.querySelector('.command code').textContent", json!([]));
        let mut arguments = shown.as_str().unwrap().split(' ');
        assert_eq!(arguments.next(), Some("./notesferry"));
        let mut command = notesferry();
        let extractor = command.args(arguments).arg("--state-dir").arg(self.path("state")).spawn().unwrap();
        // It turns green by itself.
        browser.see("2 mailboxes found");
        browser.press("Continue");
        Process(extractor)
    }

    /// Steps 3 to 5, each with a reload before it goes on.
    fn choose_try_and_start(&self) {
        let Self { browser, .. } = self;
        browser.see("2 mailboxes found");
        browser.click("thead input");
        browser.see("2 mailboxes found, 2 chosen");
        browser.press("Add and continue");
        browser.see("Try 10 items first");
        self.reload();
        browser.press("Carry 10 items");
        browser.see("arrived.");
        self.reload();
        browser.see("arrived.");
        browser.press("Continue");
        browser.see("Ready to carry 2 mailboxes");
        self.reload();
        browser.press("Start now");
        browser.see("2 of 2 mailboxes finished.");
    }

    fn reload(&self) {
        self.browser.run("location.reload()", json!([]));
    }
}

fn notesferry() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_notesferry"));
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

fn files_below(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.map(|path| if path.is_dir() { files_below(&path) } else { 1 }).sum()
}

#[test]
fn the_first_run_ends_with_mail_in_a_maildir() {
    let Some(bench) = Bench::start() else { return };
    bench.browser.click("[value=maildir]");
    bench.browser.fill("folder", &bench.path("mail/{name}"));
    bench.browser.press("Test and continue");
    let _extractor = bench.connect_extractor();
    bench.choose_try_and_start();
    for name in ["ann", "ben"] {
        assert!(files_below(Path::new(&bench.path(&format!("mail/{name}")))) >= MAILS, "{name}");
    }
    assert_eq!(bench.browser.complaints(), [""; 0]);
}

#[test]
fn an_error_stands_beside_its_field() {
    let Some(bench) = Bench::start() else { return };
    bench.browser.press("Test and continue");
    bench.browser.see("Which server?");
    let script = "const field = document.activeElement; \
                  return [field.name, document.getElementById(field.getAttribute('aria-describedby').split(' ').at(-1)).innerText]";
    assert_eq!(bench.browser.run(script, json!([])), json!(["host", "Which server?"]));
}
