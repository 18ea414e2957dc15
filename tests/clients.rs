//! What programs that people use make of what arrives: khard lists the contacts, vobject reads the cards, mutt and mu
//! show the mail. What is not installed is passed by, with a word.

use crate::support::python;
use mail_parser::MessageParser;
use notesferry::forge::mailbox::{self, MailboxOptions};
use notesferry::forge::version::Version;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// A forged mailbox and the directory of its company.
fn company() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let options = MailboxOptions { version: Version::Ods52, mails: 400, seed: 2 };
    mailbox::forge(&folder.path().join("jane.nsf"), &options).unwrap();
    mailbox::forge_address_book(&folder.path().join("names.nsf"), Version::Ods52).unwrap();
    folder
}

/// Carries the mailbox into a folder of this name and gives the lines of the report.
fn migrate(folder: &Path, kind: &str, name: &str, options: &[&str]) -> (PathBuf, String) {
    let target = folder.join(name);
    let output = Command::new(env!("CARGO_BIN_EXE_notesferry"))
        .arg("migrate")
        .arg(folder.join("jane.nsf"))
        .arg(format!("{kind}:{}", target.display()))
        .arg("--state-dir")
        .arg(folder.join("state"))
        .arg("--directory")
        .arg(folder.join("names.nsf"))
        .args(options)
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    // Only forms that nobody knows are set aside.
    assert_eq!(output.status.code(), Some(1), "{text}{}", String::from_utf8_lossy(&output.stderr));
    (target, text)
}

fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    paths.filter(|path| path.extension().is_some_and(|own| own == ending)).collect()
}

/// The lines that khard prints, without their heading; `None` where there is none.
fn khard(folder: &Path, contacts: &Path, arguments: &[&str]) -> Option<String> {
    let settings = folder.join("khard.conf");
    fs::write(&settings, format!("[addressbooks]\n[[all]]\npath = {}\n", contacts.display())).unwrap();
    let mut command = Command::new("khard");
    command.env("HOME", folder).env("LC_ALL", "C.UTF-8").arg("-c").arg(settings).args(arguments);
    let Ok(output) = command.output() else {
        eprintln!("skipped: there is no khard");
        return None;
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(String::from_utf8(output.stdout).unwrap())
}

#[test]
fn khard_and_vobject_read_every_contact() {
    let company = company();
    let folder = company.path();
    for (version, options) in [("4.0", [].as_slice()), ("3.0", &["--vcard", "3.0"])] {
        let (tree, told) = migrate(folder, "eml", version, options);
        // The directory knows everybody.
        assert!(!told.contains("address unresolved") && !told.contains("member unresolved"), "{told}");
        let contacts = tree.join("Contacts");
        let cards = files(&contacts, "vcf");
        assert_eq!(cards.len(), 5, "{cards:?}");
        let heads = cards
            .iter()
            .filter(|card| fs::read_to_string(card).unwrap().contains(&format!("\r\nVERSION:{version}\r\n")));
        assert_eq!(heads.count(), 5);
        vobject_reads(&cards);
        let Some(listed) = khard(folder, &contacts, &["list", "--parsable"]) else { continue };
        let names: Vec<&str> = listed.lines().filter_map(|line| line.split('\t').nth(1)).collect();
        let mut expected =
            ["Amy Stone", "Bob Ray", "J\u{FC}rgen M\u{FC}ller", "Lunch on Friday", "Lunch on Friday"];
        expected.sort_unstable();
        let mut names = names;
        names.sort_unstable();
        assert_eq!(names, expected);
        let shown = khard(folder, &contacts, &["show", "M\u{FC}ller"]).unwrap();
        for text in [
            "juergen.mueller@example.com",
            "+1 555 0101",
            "Main Street 1; second floor",
            "12345 Springfield",
            "Example, Inc.",
            "https://www.example.com/",
            "Likes tea.",
            "Business",
        ] {
            assert!(shown.contains(text), "{text} in {shown}");
        }
    }
}

/// Python's library finds nothing to complain about.
fn vobject_reads(cards: &[PathBuf]) {
    const SCRIPT: &str = "\
import sys
try:
    import vobject
except ImportError:
    sys.exit(3)
for path in sys.argv[1:]:
    with open(path, encoding='utf-8', newline='') as file:
        (card,) = vobject.readComponents(file.read())
    card.validate(raiseException=True)
    assert card.fn.value and card.n.value and card.uid.value.startswith('urn:x-notes:'), path
    if hasattr(card, 'photo') and card.version.value == '3.0':
        assert card.photo.value.startswith(b'\\x89PNG'), card.photo.value
";
    let Ok(output) = Command::new(python()).args(["-c", SCRIPT]).args(cards).output() else {
        return eprintln!("skipped: there is no python3");
    };
    if output.status.code() == Some(3) {
        return eprintln!("skipped: there is no Python with vobject");
    }
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn mu_shows_every_message_of_a_folder_of_files() {
    let company = company();
    let (tree, _) = migrate(company.path(), "eml", "files", &[]);
    let folders = fs::read_dir(&tree).unwrap().map(|entry| entry.unwrap().path());
    let messages: Vec<PathBuf> = folders.flat_map(|folder| files(&folder, "eml")).collect();
    assert!(messages.len() > 200, "{}", messages.len());
    let mut command = Command::new("mu");
    command.args(["view", "--nocolor"]).args(&messages).env("LC_ALL", "C.UTF-8");
    let Ok(output) = command.output() else { return eprintln!("skipped: there is no mu") };
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    let shown = String::from_utf8_lossy(&output.stdout);
    assert!(shown.lines().filter(|line| line.starts_with("From: ")).count() >= messages.len());
    for path in &messages {
        let bytes = fs::read(path).unwrap();
        let message = MessageParser::default().parse(&bytes).unwrap();
        // Of several encoded words from other programs it shows the first, if that one is padded.
        let subject: String = message.subject().unwrap_or_default().chars().take(9).collect();
        assert!(shown.contains(&format!("Subject: {subject}")), "{subject} of {}", path.display());
    }
}

#[test]
fn mutt_shows_every_message_of_a_maildir() {
    let company = company();
    let folder = company.path();
    let (mail, _) = migrate(folder, "maildir", "mail", &[]);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/mutt.py");
    for (name, least) in [("", 100), (".Sent", 50), (".Contacts", 5), (".Notebook", 3), (".Calendar", 20)] {
        let maildir = mail.join(name);
        let shown = folder.join(format!("shown{name}"));
        let Ok(output) = Command::new(python()).arg(&script).arg(&maildir).arg(&shown).output() else {
            return eprintln!("skipped: there is no python3");
        };
        if output.status.code() == Some(3) {
            return eprintln!("skipped: there is no mutt");
        }
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        // It takes some line ends as they are stored.
        let text = String::from_utf8_lossy(&fs::read(&shown).unwrap()).replace("\r\n", "\n");
        let messages = ["cur", "new"].map(|state| fs::read_dir(maildir.join(state)).unwrap().count());
        let messages: usize = messages.into_iter().sum();
        let keys = text.lines().filter(|line| line.starts_with("X-Notesferry-Key: ")).count();
        assert!(keys == messages && messages >= least, "{name}: {keys} of {messages} messages");
        match name {
            ".Contacts" => {
                assert!(text.contains("Name: J\u{FC}rgen M\u{FC}ller\n") && text.contains("BEGIN:VCARD\n"))
            }
            ".Notebook" => {
                assert!(text.contains("Subject: Ideas\n") && text.contains("who owns the printer"))
            }
            ".Calendar" => assert!(text.contains("When: ")),
            _ => {}
        }
    }
}
