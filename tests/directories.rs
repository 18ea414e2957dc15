//! Address books beside an extractor: a server reads them through it, and what is carried afterwards has real addresses.

use crate::support::machine::{Machine, Role, eventually};
use crate::support::tree;
use notesferry::forge::database::{Options, Writer};
use notesferry::forge::mailbox::{self, MailboxOptions};
use notesferry::forge::note::{ItemSpec, NoteSpec, unid};
use notesferry::forge::version::Version;
use notesferry::notes::ids::ReplicaId;
use notesferry::notes::timedate::Timedate;
use rustix::process::Signal;
use serde_json::Value;
use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;

const START_MS: i64 = 1_546_848_000_000;

fn writer(path: &Path, replica: u64) -> Writer {
    let created = Timedate::from_unix_ms(START_MS, 60);
    let options = Options {
        version: Version::Ods52,
        title: "Jane".to_owned(),
        inherits: String::new(),
        replica_id: ReplicaId(replica),
        created,
        newest_ids_in_superblock_only: true,
    };
    Writer::create(path, options).unwrap()
}

/// A mail from and to people of whom only their Notes names are known.
fn forge_mailbox(path: &Path) {
    let time = Timedate::from_unix_ms(START_MS, 60);
    let mut writer = writer(path, 7);
    let memo = NoteSpec::document(unid(1, time), time).with(vec![
        ItemSpec::text("Form", "Memo"),
        ItemSpec::text("From", "CN=Ann Lee/O=Acme"),
        ItemSpec::text("SendTo", "CN=Bob Ray/O=Acme"),
        ItemSpec::text("Subject", "Plans"),
        ItemSpec::time("DeliveredDate", time),
        ItemSpec::text("Body", "See below."),
    ]);
    writer.add_note(&memo).unwrap();
    writer.finish().unwrap();
}

/// An address book of these people; `age` makes a later version of every document.
fn forge_book(path: &Path, age: i64, people: &[(&str, &str)]) {
    let mut writer = writer(path, 8);
    for (number, (name, address)) in (1..).zip(people) {
        let time = Timedate::from_unix_ms(START_MS, 60);
        let person = vec![
            ItemSpec::text("Form", "Person"),
            ItemSpec::text("FullName", name),
            ItemSpec::text("InternetAddress", address),
        ];
        let changed = Timedate::from_unix_ms(START_MS + age * 1_000, 60);
        let mut note = NoteSpec::document(unid(number, time), changed).with(person);
        note.sequence = age as u32 + 1;
        writer.add_note(&note).unwrap();
    }
    let time = Timedate::from_unix_ms(START_MS, 60);
    let server = vec![ItemSpec::text("Form", "Server"), ItemSpec::text("ServerName", "Hub/Acme")];
    writer.add_note(&NoteSpec::document(unid(99, time), time).with(server)).unwrap();
    writer.finish().unwrap();
}

/// A call of the API as the command line makes it.
fn get(machine: &Machine, call: &str) -> Value {
    let mut socket = UnixStream::connect(machine.path("data/admin.sock")).unwrap();
    write!(socket, "GET /api/v1/{call} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap()
}

/// Carries the mailbox into a new folder and gives its one mail.
fn carry(machine: &Machine, name: &str) -> String {
    let target = machine.path(name);
    let mailbox = machine.add_mailbox("jane.nsf", &format!("eml:{}", target.display()));
    assert_eq!(machine.pass(&mailbox)["delivered"], 1);
    let files = tree::files(&target);
    let mail = files.keys().find(|path| path.extension().is_some_and(|ending| ending == "eml"));
    fs::read_to_string(target.join(mail.unwrap())).unwrap()
}

#[test]
fn names_of_a_book_beside_the_extractor_become_addresses() {
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("notes");
    fs::create_dir(&source).unwrap();
    let book = source.join("names.nsf");
    forge_mailbox(&source.join("jane.nsf"));
    let ann = ("CN=Ann Lee/O=Acme", "ann@example.com");
    forge_book(&book, 0, &[ann, ("CN=Bob Ray/O=Acme", "bob@example.com")]);
    let mut machine = Machine::start(&source, "", "");
    machine.enrol(machine.port);

    let mail = carry(&machine, "without");
    assert!(!mail.contains("example.com"), "{mail}");
    let losses = get(&machine, "findings");
    assert!(losses.to_string().contains("address unresolved"), "{losses}");

    let added = machine.json(&["directory", "add", "HQ:names.nsf"]);
    machine.wait_for(&added["last_pass"]["id"].to_string());
    let id = added["id"].to_string();
    let listed = machine.json(&["directory", "list"])["directories"][0].clone();
    assert_eq!((&listed["name"], &listed["names"]), (&"HQ:names.nsf".into(), &2.into()), "{listed}");
    assert!(listed["read_unix_ms"].is_i64(), "{listed}");
    let mail = carry(&machine, "with");
    assert!(mail.contains("ann@example.com") && mail.contains("bob@example.com"), "{mail}");
    // The book is no mailbox of its own.
    assert_eq!(get(&machine, "mailboxes")["mailboxes"].as_array().unwrap().len(), 2);
    assert_eq!(get(&machine, "overview")["tally"]["found"], 2);

    // Nobody orders it: a pass over a mailbox has the book read before.
    fs::remove_file(&book).unwrap();
    forge_book(&book, 60, &[ann, ("CN=Bob Ray/O=Acme", "ray@example.org")]);
    let mail = carry(&machine, "changed");
    assert!(mail.contains("ann@example.com") && mail.contains("ray@example.org"), "{mail}");
    assert!(!mail.contains("bob@example.com"), "{mail}");
    assert_eq!(machine.json(&["directory", "list"])["directories"][0]["names"], 2);

    // What is known outlives the server.
    machine.signal(Role::Server, Signal::TERM);
    machine.server_ended();
    machine.start_server();
    assert_eq!(machine.json(&["directory", "list"])["directories"][0]["names"], 2);
    machine.json(&["directory", "remove", &id]);
    assert_eq!(machine.json(&["directory", "list"])["directories"], Value::Array(Vec::new()));
}

#[test]
fn a_company_is_known_by_its_directory() {
    let folder = tempfile::tempdir().unwrap();
    let options = MailboxOptions { version: Version::Ods52, mails: 60, seed: 3 };
    mailbox::forge(&folder.path().join("jane.nsf"), &options).unwrap();
    mailbox::forge_address_book(&folder.path().join("names.nsf"), Version::Ods52).unwrap();
    let mut machine = Machine::start(folder.path(), "", "");
    machine.enrol(machine.port);
    let unresolved = |name: &str| {
        let target = machine.path(name);
        let mailbox = machine.add_mailbox("jane.nsf", &format!("eml:{}", target.display()));
        machine.pass(&mailbox);
        let found = get(&machine, &format!("mailboxes/{mailbox}/findings"));
        let losses = found["losses"].as_array().unwrap().clone();
        let of_kind = losses.into_iter().find(|loss| loss.to_string().contains("address unresolved"));
        of_kind.map_or(0, |loss| loss["documents"].as_u64().unwrap())
    };
    let without = unresolved("without");
    let added = machine.json(&["directory", "add", "HQ:names.nsf"]);
    eventually("the book", || {
        let listed = machine.json(&["directory", "list"])["directories"][0].clone();
        (listed["last_pass"]["state"] == "finished").then_some(())
    });
    assert!(added["id"].is_u64());
    let with = unresolved("with");
    assert!(without > 0 && with == 0, "{without} and {with}");
}
