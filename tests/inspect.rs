//! `notesferry inspect` as a user calls it.

use notesferry::forge::mailbox::{self, MailboxOptions};
use notesferry::forge::version::Version;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn forged(folder: &Path) -> PathBuf {
    let path = folder.join("jane.nsf");
    mailbox::forge(&path, &MailboxOptions { version: Version::Ods43, mails: 40, seed: 4 }).unwrap();
    path
}

fn inspect(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_notesferry")).arg("inspect").args(arguments).output().unwrap()
}

fn text(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn facts(path: &Path) -> Value {
    serde_json::from_slice(&inspect(&[path.to_str().unwrap(), "--json"]).stdout).unwrap()
}

#[test]
fn the_summary_names_owner_forms_and_folders() {
    let folder = tempfile::tempdir().unwrap();
    let output = inspect(&[forged(folder.path()).to_str().unwrap()]);
    let text = text(&output);
    for expected in [
        "ODS 43",
        "CN=Jane Doe/OU=Sales/O=Example",
        "Projects/Apollo",
        "($Inbox)",
        "Memo",
        "Unread marks",
        "CN=Bob Ray/OU=Sales/O=Example: Editor; role [Assistants]",
    ] {
        assert!(text.contains(expected), "{expected} is missing in:\n{text}");
    }
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn a_note_is_found_by_unid_and_by_note_id() {
    let folder = tempfile::tempdir().unwrap();
    let path = forged(folder.path());
    let facts = facts(&path);
    let documents = facts["documents"].as_array().unwrap();
    let document = documents.iter().find(|d| d["cd_records"] != 0).unwrap();
    let note = |id: &Value| text(&inspect(&[path.to_str().unwrap(), "--note", id.as_str().unwrap()]));
    let by_unid = note(&document["unid"]);
    assert!(by_unid.contains(document["subject"].as_str().unwrap()), "{by_unid}");
    assert!(by_unid.contains("81B paragraph"), "{by_unid}");
    assert_eq!(by_unid, note(&document["note_id"]));
}

#[test]
fn rules_settings_and_access_of_mailboxes_of_one_name_are_listed() {
    let folder = tempfile::tempdir().unwrap();
    let path = forged(folder.path());
    for copy in ["a", "b"] {
        std::fs::create_dir(folder.path().join(copy)).unwrap();
        std::fs::copy(&path, folder.path().join(copy).join("mail.nsf")).unwrap();
    }
    let output = Command::new(env!("CARGO_BIN_EXE_notesferry"))
        .args(["inspect", "a/mail.nsf", "b/mail.nsf", "--exports", "settings"])
        .current_dir(folder.path())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(text(&output).contains("are listed in settings/b-mail-nsf.settings.csv"), "{}", text(&output));
    for name in ["a-mail-nsf", "b-mail-nsf"] {
        let table = folder.path().join(format!("settings/{name}.settings.csv"));
        let table = std::fs::read_to_string(table).unwrap();
        for expected in
            ["Access to the mailbox,,,CN=Bob Ray/OU=Sales/O=Example,Editor", "Owner of the mailbox"]
        {
            assert!(table.contains(expected), "{expected} is missing in {table}");
        }
    }
}

#[test]
fn attachments_are_written_as_they_were() {
    let folder = tempfile::tempdir().unwrap();
    let path = forged(folder.path());
    let out = folder.path().join("files");
    let output = inspect(&[path.to_str().unwrap(), "--attachments", out.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(0));
    let mut written: Vec<String> = std::fs::read_dir(&out)
        .unwrap()
        .map(|entry| format!("{:x}", HexDigest(&std::fs::read(entry.unwrap().path()).unwrap())))
        .collect();
    let facts = facts(&path);
    let attachments =
        facts["documents"].as_array().unwrap().iter().flat_map(|d| d["attachments"].as_array().unwrap());
    let mut expected: Vec<String> = attachments.map(|a| a["sha256"].as_str().unwrap().to_owned()).collect();
    written.sort();
    expected.sort();
    assert!(!expected.is_empty());
    assert_eq!(written, expected);
}

struct HexDigest<'a>(&'a [u8]);

impl std::fmt::LowerHex for HexDigest<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        Sha256::digest(self.0).iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

#[test]
fn what_cannot_be_read_is_told_and_the_rest_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = forged(folder.path());
    let letter = folder.path().join("letter.txt");
    std::fs::write(&letter, "Dear Sir").unwrap();
    let export = folder.path().join("export.dxl");
    std::fs::write(&export, "<document xmlns='http://www.lotus.com/dxl'/>").unwrap();
    let files = [&letter, &export, &path].map(|path| path.to_str().unwrap());
    let output = inspect(&[&files[..], &["/nowhere.nsf"]].concat());
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(3));
    assert!(errors.contains("letter.txt is not a Notes database"), "{errors}");
    assert!(errors.contains("export.dxl is a DXL export"), "{errors}");
    assert!(errors.contains("/nowhere.nsf cannot be opened"), "{errors}");
    assert!(text(&output).contains("jane.nsf"));
    let unknown = inspect(&[path.to_str().unwrap(), "--note", "hello"]);
    assert!(String::from_utf8_lossy(&unknown.stderr).contains("neither a UNID"));
}
