//! What lies in a mailbox, as Python's libraries read it (`placements.py`), and what should lie there.

use super::dovecot::{Dovecot, PASSWORD};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Stdio};

/// Folder, SHA-256, length, date in seconds and flags of a message.
pub type Placement = (String, String, u64, i64, Vec<String>);

/// The messages of a user of a server.
pub fn in_dovecot(server: &Dovecot, user: &str) -> BTreeSet<Placement> {
    read(&["imap", &server.port.to_string(), user, PASSWORD])
}

/// Carries a database with `migrate`, whose ledger is in the folder; gives its last word.
pub fn migrate(database: &Path, target: &str, ledger: &Path) -> Value {
    let mut command = Command::new(env!("CARGO_BIN_EXE_notesferry"));
    command.arg("migrate").arg(database).args([target, "--all-documents", "--json", "--state-dir"]);
    command.arg(ledger).env("NOTESFERRY_TARGET_PASSWORD", PASSWORD).stdin(Stdio::null());
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    serde_json::from_slice(output.stdout.trim_ascii().rsplit(|byte| *byte == b'\n').next().unwrap()).unwrap()
}

/// What `migrate` of the same database makes of it in a Maildir, under the folder names that [`Dovecot`] has.
pub fn expected(database: &Path, folder: &Path) -> BTreeSet<Placement> {
    let target = folder.join("maildir");
    migrate(database, &format!("maildir:{}", target.display()), &folder.join("state"));
    let named = read(&["maildir", target.to_str().unwrap()]).into_iter().map(|mut placement| {
        if placement.0 == "Sent" {
            "Sent Messages".clone_into(&mut placement.0);
        }
        placement
    });
    named.collect()
}

/// Fails on a message that is there twice: its bytes name the document that it was made of.
fn read(arguments: &[&str]) -> BTreeSet<Placement> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/placements.py");
    let output = Command::new("python3").arg(script).args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut found = BTreeSet::new();
    for line in output.stdout.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        let placement: Placement = serde_json::from_slice(line).unwrap();
        assert!(found.insert(placement.clone()), "twice: {placement:?}");
    }
    found
}

/// Fails with what is missing and what is too much.
#[track_caller]
pub fn assert_same(arrived: &BTreeSet<Placement>, expected: &BTreeSet<Placement>, context: &str) {
    let missing: Vec<_> = expected.difference(arrived).take(5).collect();
    let too_much: Vec<_> = arrived.difference(expected).take(5).collect();
    let counts = (arrived.len(), expected.len());
    assert!(arrived == expected, "{context}: {counts:?}, missing {missing:?}, too much {too_much:?}");
}
