//! The page in a real browser: the whole first run, from the code on the console to mail that has arrived at a real
//! server, and every view on the way as axe-core sees it.

use crate::support::browser::Browser;
use crate::support::dovecot::{Dovecot, PASSWORD, TLS, make_certificate};
use crate::support::placements::{Placement, in_dovecot};
use notesferry::forge::mailbox::{self, MailboxOptions};
use notesferry::forge::version::Version;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use tempfile::TempDir;

const USER_PASSWORD: &str = "correct horse battery";
const MAILS: u64 = 80;

/// A program that ends with the test.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A server that was never started before, in a folder with two mailboxes and an address book, and the browser in front of it.
struct Bench {
    browser: Browser,
    _server: Process,
    address: String,
    folder: TempDir,
}

impl Bench {
    /// With the first administrator logged in, or nothing where there is no browser. The server trusts the authority in
    /// this file.
    fn start(authority: Option<&Path>) -> Option<Self> {
        let browser = Browser::start()?;
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("notes/mail")).unwrap();
        for name in ["ann", "ben"] {
            let options = MailboxOptions { version: Version::Ods52, mails: MAILS, seed: 5 };
            mailbox::forge(&folder.path().join(format!("notes/mail/{name}.nsf")), &options).unwrap();
        }
        mailbox::forge_address_book(&folder.path().join("notes/names.nsf"), Version::Ods52).unwrap();
        let mut command = notesferry();
        command.arg("serve").arg("--data-dir").arg(folder.path().join("data"));
        if let Some(authority) = authority {
            command.env("SSL_CERT_FILE", authority).env_remove("SSL_CERT_DIR");
        }
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
        browser.assert_accessible("first start");
        for (name, text) in
            [("code", code), ("name", "ann"), ("password", USER_PASSWORD), ("again", USER_PASSWORD)]
        {
            browser.fill(name, text);
        }
        browser.press("Make administrator and log in");
        browser.see("Where does the mail go?");
    }

    /// Step 1: a server with a log-in that is tried, wrongly at first.
    fn choose_target(&self, server: &Dovecot) {
        let Self { browser, .. } = self;
        browser.assert_accessible("set-up, target");
        let port = server.tls_port.to_string();
        for (name, text) in [("host", "localhost"), ("port", &port), ("name", "ann"), ("password", "wrong")] {
            browser.fill(name, text);
        }
        browser.press("Test and continue");
        browser.see("refused the log-in");
        browser.assert_accessible("set-up, target refused");
        browser.fill("password", PASSWORD);
        browser.press("Test and continue");
    }

    /// Step 2: runs the command that the page shows.
    fn connect_extractor(&self) -> Process {
        let Self { browser, .. } = self;
        browser.see("Connect the machine with the Notes data");
        browser.fill("source", &self.path("notes"));
        browser.press("Make an enrolment code");
        browser.see("--enrol");
        browser.assert_accessible("set-up, enrolment code");
        let shown = browser.run("return document.querySelector('.command code').textContent", json!([]));
        let mut arguments = shown.as_str().unwrap().split(' ');
        assert_eq!(arguments.next(), Some("./notesferry"));
        let mut command = notesferry();
        let extractor = command.args(arguments).arg("--state-dir").arg(self.path("state")).spawn().unwrap();
        // It turns green by itself.
        browser.see("3 databases found");
        browser.assert_accessible("set-up, extractor connected");
        browser.press("Continue");
        Process(extractor)
    }

    /// Steps 3 to 5, with reloads in between.
    fn choose_try_and_start(&self) {
        let Self { browser, .. } = self;
        browser.see("2 mailboxes found");
        browser.click("thead input");
        browser.see("2 mailboxes found, 2 chosen");
        browser.click(".more summary");
        browser.assert_accessible("set-up, mailboxes");
        browser.press("Use its names");
        browser.see("Complete");
        browser.assert_accessible("set-up, address book read");
        browser.press("Add and continue");
        browser.see("Try 10 items first");
        self.reload();
        browser.assert_accessible("set-up, trial");
        browser.press("Carry 10 items");
        browser.see("arrived.");
        self.reload();
        browser.see("arrived.");
        browser.assert_accessible("set-up, trial finished");
        browser.press("Continue");
        browser.see("Ready to carry 2 mailboxes");
        self.reload();
        browser.assert_accessible("set-up, start");
        browser.press("Start now");
        browser.see("2 of 2 mailboxes finished.");
    }

    /// Lets the first mailbox carry what was set aside: one document, then the others.
    fn try_set_aside_again(&self, server: &Dovecot, user: &str) {
        let Self { browser, .. } = self;
        let (_, before) = self.shown(2);
        let (aside, arrived) = (before["Set aside"], messages(server, user));
        assert!(aside > 1, "{before:?}");
        browser.press("Change");
        browser.click("dialog summary");
        browser.click("dialog [name=all_documents]");
        browser.press("Save");
        browser.see("Carried too");
        browser.click(".group summary");
        browser.see("Open in Notes");
        browser.assert_accessible("mailbox, set aside");
        browser.press("Try again");
        browser.see(&format!("Set aside ({})", aside - 1));
        let (_, after) = self.shown(2);
        assert_eq!([after["Set aside"], after["Delivered"]], [aside - 1, 1]);
        assert_eq!(after["Items found"], before["Items found"]);
        assert_eq!(messages(server, user), arrived + 1);
        browser.press(if aside == 2 { "Try it again" } else { "Try these again" });
        browser.see("every item had a way");
        assert_eq!(messages(server, user), arrived + aside);
    }

    /// A third mailbox, of which only mail is carried and whose inbox has another name.
    fn leave_out_and_rename(&self) {
        let Self { browser, .. } = self;
        self.go_to("mailboxes", "Mailboxes");
        browser.press("Add mailbox");
        browser.fill("source", "mail/ann.nsf");
        browser.fill("target", &format!("eml:{}", self.path("left")));
        browser.click("dialog summary");
        for kind in ["calendar", "contacts", "tasks", "journal", "stationery"] {
            browser.click(&format!("dialog [name=only-{kind}]"));
        }
        browser.fill("before_unix_ms", "2030-12-31");
        browser.fill("folder_map", "INBOX is Old/Inbox");
        browser.assert_accessible("mailbox, leave out and rename");
        assert_eq!(browser.complaints(), [""; 0]);
        browser.click("dialog .button.main");
        browser.see("write OLD=NEW");
        browser.assert_accessible("mailbox, folder name refused");
        assert_eq!(browser.complaints().len(), 1, "the refused call");
        let field = browser.run("return document.activeElement.name", json!([]));
        assert_eq!(field, "folder_map");
        browser.fill("folder_map", "INBOX=Old/Inbox");
        browser.click("dialog .button.main");
        browser.see("left");
        self.go_to("mailboxes/4", "Mailbox");
        browser.see("Mail only, until 2030-12-31");
        browser.see("INBOX=Old/Inbox");
        browser.press("Start");
        browser.see("Start again");
        let (_, sum) = self.shown(4);
        assert!(sum["Filtered out"] > 0, "{sum:?}");
        assert_eq!(sum["Filtered out"] + sum["Delivered"], sum["Items found"], "{sum:?}");
        let left = |name: &str| self.folder.path().join("left").join(name);
        assert!(left("Old/Inbox").is_dir() && !left("INBOX").exists());
        assert!(!left("Contacts").exists() && !left("Calendar").exists());
    }

    /// The views that the first run does not pass, with their dialogs.
    fn look_around(&self) {
        let Self { browser, .. } = self;
        for (page, title, opens) in [
            ("overview", "Overview", "Stop everything"),
            ("mailboxes", "Mailboxes", "Add mailbox"),
            ("connectors", "Connectors", "Add connector"),
            ("connectors", "Connectors", "Add address book"),
            ("extractors", "Extractors", "Revoke"),
            ("people", "People", "Add person"),
        ] {
            self.go_to(page, title);
            browser.assert_accessible(page);
            browser.press(opens);
            browser.see("Cancel");
            browser.assert_accessible(&format!("{page}, {opens}"));
            browser.press("Cancel");
        }
        self.go_to("extractors", "Extractors");
        browser.click("summary");
        browser.see("Readable");
        browser.assert_accessible("extractors, mailboxes found");
        self.go_to("log", "Log");
        browser.assert_accessible("log");
        // What follows is refused, and a browser complains of that.
        assert_eq!(browser.complaints(), [""; 0]);
        browser.press("Log out");
        browser.see("Forgotten?");
        browser.assert_accessible("log-in");
        browser.fill("name", "ann");
        browser.fill("password", "wrong");
        browser.press("Log in");
        browser.see("wrong");
        browser.assert_accessible("log-in refused");
    }

    fn go_to(&self, page: &str, title: &str) {
        self.browser.run("location.hash = '#/' + arguments[0]", json!([page]));
        self.browser.see_page(title);
    }

    /// The target and the sum that the page shows for a mailbox.
    fn shown(&self, mailbox: u64) -> (String, BTreeMap<String, u64>) {
        let Self { browser, .. } = self;
        self.go_to(&format!("mailboxes/{mailbox}"), "Mailbox");
        browser.see("From and to");
        browser.assert_accessible("mailbox");
        let terms = "return [...document.querySelectorAll('dl > div')].map((term) => \
                     [term.querySelector('dt').innerText, term.querySelector('dd').innerText])";
        let terms: Vec<(String, String)> = serde_json::from_value(browser.run(terms, json!([]))).unwrap();
        let target = terms.iter().find(|(name, _)| name == "Target").unwrap().1.clone();
        let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>().parse().ok();
        let sum = terms.into_iter().filter_map(|(name, text)| Some((name, digits(&text)?))).collect();
        (target, sum)
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

/// How many different messages a user has.
fn messages(server: &Dovecot, user: &str) -> u64 {
    let digests = in_dovecot(server, user).into_iter().map(|(_, digest, ..): Placement| digest);
    digests.collect::<BTreeSet<String>>().len() as u64
}

/// What `migrate` does with the same database.
fn migrate(database: &str, target: &str, ledger: &str) -> Value {
    let output = notesferry()
        .args(["migrate", database, target, "--json", "--state-dir", ledger])
        .stdout(Stdio::piped())
        .output()
        .unwrap();
    serde_json::from_slice(output.stdout.trim_ascii().rsplit(|byte| *byte == b'\n').next().unwrap()).unwrap()
}

#[test]
fn the_first_run_ends_with_mail_at_a_server() {
    let Some(server) = Dovecot::start_with(TLS, make_certificate) else { return };
    let Some(bench) = Bench::start(Some(&server.root().join("authority.pem"))) else { return };
    bench.choose_target(&server);
    let _extractor = bench.connect_extractor();
    bench.choose_try_and_start();
    // The address book has the first number.
    for (mailbox, user) in [(2, "ann"), (3, "ben")] {
        let (target, sum) = bench.shown(mailbox);
        assert_eq!(target, format!("imaps://{user}@localhost:{}", server.tls_port));
        let database = bench.path(&format!("notes/mail/{user}.nsf"));
        let maildir = format!("maildir:{}", bench.path(user));
        let expected = migrate(&database, &maildir, &bench.path("ledger"));
        let count = |name: &str| expected[name].as_u64().unwrap();
        assert_eq!(sum["Items found"], count("found"), "{sum:?}");
        assert_eq!(sum["Set aside"], count("set_aside"), "{sum:?}");
        // The trial carried some of them before.
        let there = sum["Delivered"] + sum["Already there"];
        assert_eq!(there, count("delivered") + count("already_there"), "{sum:?}");
        assert_eq!(messages(&server, user), count("delivered"), "{sum:?}");
    }
    // By this field the README finds what to take out again.
    let mut reader = server.reader("ann");
    let inbox = reader.examine("INBOX").unwrap().exists as usize;
    assert_eq!(reader.search("HEADER X-Notesferry-Key notes.").unwrap().len(), inbox);
    bench.try_set_aside_again(&server, "ann");
    bench.leave_out_and_rename();
    bench.look_around();
}

#[test]
fn an_error_stands_beside_its_field() {
    let Some(bench) = Bench::start(None) else { return };
    bench.browser.press("Test and continue");
    bench.browser.see("Which server?");
    let script = "const field = document.activeElement; \
                  return [field.name, document.getElementById(field.getAttribute('aria-describedby').split(' ').at(-1)).innerText]";
    assert_eq!(bench.browser.run(script, json!([])), json!(["host", "Which server?"]));
}
