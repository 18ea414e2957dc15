//! Attachments that a server keeps outside the database: taken from its folder where they prove themselves, else named.

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
    let mail = fs::read_dir(target.join("Sent")).unwrap().next().unwrap().unwrap().path();
    (told, fs::read_to_string(mail).unwrap())
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
    fs::create_dir_all(daos.join("0001")).unwrap();
    fs::write(daos.join(format!("0001/{}.nlo", names[0])), CONTENTS[0].1).unwrap();
    fs::write(daos.join(format!("0001/{}.nlo", names[1])), b"encrypted bytes").unwrap();
    let (told, mail) = migrate(folder, "with", Some(&daos));
    assert!(told.contains("attachment external: 2"), "{told}");
    // The text of the first in base64.
    assert!(mail.contains("\r\ndGhlIHBsYW4=\r\n"), "{mail}");
    assert!(
        !mail.contains("plan.txt, 8 bytes]") && mail.contains("[attachment missing: secret.txt, 10 bytes]")
    );
}
