//! Server, extractor and a real IMAP server as processes of their own: what arrives is what `migrate` makes of the same
//! database, once, with flags and dates, and the source is as it was.

use crate::support::dovecot::{Dovecot, PASSWORD};
use crate::support::machine::Machine;
use crate::support::placements::{Placement, assert_same, expected, in_dovecot, migrate};
use crate::support::{bulk, corpus, long, tree};
use notesferry::forge::mailbox::{self, Extras, MailboxOptions};
use notesferry::forge::version::Version;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// Databases with mail in MIME, attachments, and documents of many kinds.
const CORPUS: [&str; 4] = ["capi_MIMEMsg.nsf", "capi_attachment.nsf", "capi_discuss.nsf", "jnx_sample.nsf"];

/// Carries every database of a folder to a user of its own, twice, and gives what arrived.
fn carry(server: &Dovecot, source: &Path, databases: &[&str]) -> BTreeMap<String, BTreeSet<Placement>> {
    let before = tree::files(source);
    let mut machine = Machine::start(source, "", PASSWORD);
    machine.enrol(machine.port);
    let mut arrived = BTreeMap::new();
    for database in databases {
        let user = server.new_user();
        let mailbox = machine.add_mailbox(database, &server.address(&user));
        let first = machine.pass(&mailbox);
        let count = |tally: &serde_json::Value, name: &str| tally[name].as_u64().unwrap();
        let found = count(&first, "found");
        assert!(found == count(&first, "delivered") + count(&first, "already_there"), "{database}: {first}");
        assert!(count(&first, "delivered") > 0, "{database}: {first}");
        let messages = in_dovecot(server, &user);
        let second = machine.pass(&mailbox);
        assert_eq!([count(&second, "delivered"), count(&second, "already_there")], [0, found], "{database}");
        assert_same(&in_dovecot(server, &user), &messages, "the second pass");
        arrived.insert((*database).to_owned(), messages);
    }
    drop(machine);
    assert!(tree::files(source) == before, "invariant G");
    arrived
}

#[test]
fn real_databases_arrive_as_they_were_rendered() {
    let (Some(corpus), Some(server)) = (corpus::folder(), Dovecot::start()) else { return };
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("notes");
    fs::create_dir(&source).unwrap();
    for database in CORPUS {
        fs::copy(corpus.join("nsf").join(database), source.join(database)).unwrap();
    }
    for (database, arrived) in carry(&server, &source, &CORPUS) {
        let expected = expected(&source.join(&database), &folder.path().join("expected").join(&database));
        assert_same(&arrived, &expected, &database);
    }
}

#[test]
fn a_mailbox_of_thousands_arrives_as_it_was_rendered() {
    let Some(server) = Dovecot::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("notes");
    fs::create_dir(&source).unwrap();
    let options = MailboxOptions { version: Version::Ods52, mails: 1_740, seed: 7 };
    let extras = Extras { copies: 10, attachment_bytes: if long() { 200 << 20 } else { 8 << 20 } };
    mailbox::forge_with(&source.join("jane.nsf"), &options, &extras).unwrap();
    let arrived = carry(&server, &source, &["jane.nsf"]).remove("jane.nsf").unwrap();
    let expected = expected(&source.join("jane.nsf"), &folder.path().join("expected"));
    assert_same(&arrived, &expected, "jane.nsf");

    assert!(arrived.len() >= 2_000, "{}", arrived.len());
    let longest = arrived.iter().map(|(_, _, bytes, _, _)| *bytes).max();
    assert!(longest.unwrap() > extras.attachment_bytes, "{longest:?}");
    let unread = arrived.iter().filter(|placement| !placement.4.contains(&"\\Seen".to_owned())).count();
    assert!(unread > 100, "{unread}");
}

#[test]
fn a_delta_pass_carries_what_migrate_carries() {
    let Some(server) = Dovecot::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("notes");
    fs::create_dir(&source).unwrap();
    let (database, later) = (source.join("jane.nsf"), folder.path().join("later.nsf"));
    let options = MailboxOptions { version: Version::Ods52, mails: 300, seed: 9 };
    mailbox::forge(&database, &options).unwrap();
    let (_, changed) = mailbox::forge_later(&later, &options).unwrap();
    let mut machine = Machine::start(&source, "", PASSWORD);
    machine.enrol(machine.port);
    let (user, other) = (server.new_user(), server.new_user());
    let (target, other_target) = (server.address(&user), server.address(&other));
    let mailbox = machine.add_mailbox("jane.nsf", &target);
    let ledger = folder.path().join("ledger");
    machine.pass(&mailbox);
    migrate(&database, &other_target, &ledger);

    fs::rename(&later, &database).unwrap();
    let (pass, other_pass) = (machine.pass(&mailbox), migrate(&database, &other_target, &ledger));
    for name in ["found", "delivered", "already_there", "removed_by_user"] {
        assert_eq!(pass[name], other_pass[name], "{name} of {pass}");
    }
    assert!(pass["delivered"].as_u64() >= Some(changed.changed + changed.added), "{pass}, {changed}");
    assert_same(&in_dovecot(&server, &user), &in_dovecot(&server, &other), "the delta");
}

#[test]
fn memory_grows_with_no_mailbox_and_hardly_with_an_attachment() {
    const MIB: u64 = 1 << 20;
    let folder = tempfile::tempdir().unwrap();
    let (mails, attachment_mib) = if long() { (20_000, 1_024) } else { (2_000, 100) };
    for (name, mails, attachments, most_mib) in [("many.nsf", mails, 0, 64), ("large.nsf", 1, 1, 128)] {
        let source = folder.path().join(name).with_extension("");
        fs::create_dir(&source).unwrap();
        bulk::forge(&source.join(name), mails, attachments, attachment_mib * MIB);
        let mut machine = Machine::start(&source, "", "");
        machine.enrol(machine.port);
        let mailbox = machine.add_mailbox(name, &format!("maildir:{}", machine.path("mail").display()));
        let peak = machine.peak_in_pass(&mailbox);
        let [server, extractor] = peak.map(|bytes| bytes / MIB);
        eprintln!("{name}: {server} MiB in the server, {extractor} MiB in the extractor");
        assert!(server <= most_mib && extractor <= most_mib, "{name}: {server} MiB, {extractor} MiB");
    }
}
