//! Attachments that a server keeps outside the database: taken from its folder where they prove themselves, else named.

use crate::support::machine::{Machine, eventually};
use crate::support::tree;
use notesferry::forge::database::{Attachment, Compression, Options, Writer};
use notesferry::forge::note::{ItemSpec, NoteSpec, unid};
use notesferry::forge::version::Version;
use notesferry::notes::ids::ReplicaId;
use notesferry::notes::timedate::Timedate;
use std::fs;
use std::path::Path;
use std::process::Command;

const CONTENTS: [(&str, &[u8]); 3] =
    [("plan.txt", b"the plan"), ("secret.txt", b"the secret"), ("gone.txt", b"not there")];

/// A memo with three attachments outside, and the names of their bytes.
fn forge(path: &Path) -> Vec<String> {
    let time = Timedate::from_unix_ms(1_546_848_000_000, 60);
    let options = Options {
        version: Version::Ods52,
        title: "Jane".to_owned(),
        inherits: String::new(),
        replica_id: ReplicaId(7),
        created: time,
        newest_ids_in_superblock_only: true,
    };
    let mut writer = Writer::create(path, options).unwrap();
    let mut memo = NoteSpec::document(unid(1, time), time);
    memo.items = vec![
        ItemSpec::text("Form", "Memo"),
        ItemSpec::text("From", "jane@example.com"),
        ItemSpec::text("Subject", "Plans"),
        ItemSpec::time("PostedDate", time),
        ItemSpec::text("Body", "See below."),
    ];
    let mut names = Vec::new();
    for (name, mut data) in CONTENTS {
        let bytes = data.len() as u64;
        let attachment = Attachment {
            name,
            data: &mut data,
            bytes,
            compression: Compression::None,
            flags: 0,
            modified: time,
        };
        let (item, stored) = writer.attach_outside(attachment).unwrap();
        memo.items.push(item);
        names.push(stored);
    }
    writer.add_note(&memo).unwrap();
    writer.finish().unwrap();
    names
}

/// A folder as a server has it, in which the first attachment can be read, the second is encrypted and the third missing.
fn file_away(daos: &Path, names: &[String]) {
    fs::create_dir_all(daos.join("0001")).unwrap();
    fs::write(daos.join(format!("0001/{}.nlo", names[0])), CONTENTS[0].1).unwrap();
    fs::write(daos.join(format!("0001/{}.nlo", names[1])), b"encrypted bytes").unwrap();
}

#[track_caller]
fn assert_first_is_found(mail: &str) {
    // The text of the first in base64.
    assert!(mail.contains("\r\ndGhlIHBsYW4=\r\n"), "{mail}");
    assert!(
        !mail.contains("plan.txt, 8 bytes]") && mail.contains("[attachment missing: secret.txt, 10 bytes]")
    );
}

/// The one mail in a folder of files.
fn mail_in(target: &Path) -> String {
    let mail = fs::read_dir(target.join("Sent")).unwrap().next().unwrap().unwrap().path();
    fs::read_to_string(mail).unwrap()
}

/// What `migrate` tells on its two outputs, and the mail.
fn migrate(folder: &Path, name: &str, daos: Option<&Path>) -> (String, String) {
    let target = folder.join(name);
    let mut command = Command::new(env!("CARGO_BIN_EXE_notesferry"));
    command.arg("migrate").arg(folder.join("jane.nsf")).arg(format!("eml:{}", target.display()));
    command.arg("--state-dir").arg(folder.join("state"));
    if let Some(daos) = daos {
        command.arg("--daos").arg(daos);
    }
    let output = command.output().unwrap();
    let told = [output.stdout, output.stderr].concat();
    let told = String::from_utf8(told).unwrap();
    assert_eq!(output.status.code(), Some(0), "{told}");
    (told, mail_in(&target))
}

#[test]
fn attachments_outside_are_counted_first_and_taken_where_they_can_be_read() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let names = forge(&folder.join("jane.nsf"));
    let (told, mail) = migrate(folder, "without", None);
    assert!(told.contains("3 attachments are kept outside the database (DAOS)"), "{told}");
    assert!(told.contains("attachment external: 3"), "{told}");
    for (name, bytes) in CONTENTS {
        assert!(mail.contains(&format!("[attachment missing: {name}, {} bytes]", bytes.len())), "{mail}");
    }

    let daos = folder.join("daos");
    file_away(&daos, &names);
    let (told, mail) = migrate(folder, "with", Some(&daos));
    assert!(told.contains("attachment external: 2"), "{told}");
    assert_first_is_found(&mail);
}

#[test]
fn an_extractor_takes_them_where_they_lie_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let (source, daos) = (folder.join("notes"), folder.join("daos"));
    fs::create_dir(&source).unwrap();
    file_away(&daos, &forge(&source.join("jane.nsf")));
    let before = tree::files(&daos);
    // The extractor that the server starts itself is the ordinary one.
    let settings = format!("[builtin]\nsources = [{source:?}]\ndaos = [{daos:?}]\n");
    let machine = Machine::start(&source, &settings, "");
    let root = source.canonicalize().unwrap();
    eventually("the built-in extractor", || {
        machine.admin(&["connector", "add", "HQ", root.to_str().unwrap()]).status.success().then_some(())
    });
    let target = folder.join("mail");
    let mailbox = machine.add_mailbox("jane.nsf", &format!("eml:{}", target.display()));
    assert_eq!(machine.pass(&mailbox)["delivered"], 1);
    assert_first_is_found(&mail_in(&target));
    assert!(tree::files(&daos) == before, "the folder is only read");
}

#[test]
fn inspect_and_check_tell_of_them() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let (database, daos) = (folder.join("jane.nsf"), folder.join("daos"));
    file_away(&daos, &forge(&database));
    let (database, daos) = (database.to_str().unwrap(), daos.to_str().unwrap());
    let told = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_notesferry")).args(arguments).output().unwrap();
        String::from_utf8([output.stdout, output.stderr].concat()).unwrap()
    };
    let text = told(&["inspect", database]);
    assert!(text.contains("In DAOS       3 files, 0 of them found"), "{text}");
    let text = told(&["inspect", database, "--daos", daos]);
    assert!(text.contains("In DAOS       3 files, 1 of them found"), "{text}");

    let state = folder.join("state");
    let check = |daos: &str| {
        let source = folder.to_str().unwrap();
        let options = ["--source", source, "--daos", daos, "--state-dir", state.to_str().unwrap(), "--check"];
        told(&[&["extract", "--server", "http://127.0.0.1:1"], &options[..]].concat())
    };
    let text = check(daos);
    assert!(text.contains("The DAOS folder ") && text.contains(" can be read."), "{text}");
    let text = check("/nowhere/daos");
    assert!(text.contains("the DAOS folder /nowhere/daos cannot be read"), "{text}");
}
