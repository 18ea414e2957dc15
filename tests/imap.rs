//! Delivery to a real IMAP server: the kit, whole mailboxes with the built program, and lines that are cut.

use crate::support::delivery::pass;
use crate::support::destination_kit::{self, KitTarget};
use crate::support::dovecot::{Dovecot, Mail, PASSWORD, make_certificate};
use crate::support::memory_source::MemorySource;
use crate::support::messages::{delivery, folder};
use crate::support::proxy::Proxy;
use notesferry::base::secret::Secret;
use notesferry::destinations::imap::{Address, Imap};
use notesferry::destinations::{DeliverError, Destination, DestinationError, Standing};
use notesferry::forge::mailbox::{self, MailboxOptions};
use notesferry::forge::version::Version;
use notesferry::model::delivery::{Flags, FolderState, InFlight, Location};
use notesferry::model::folder::FolderPath;
use notesferry::store::StateStore;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tempfile::TempDir;

/// One user of a server.
struct ImapTarget<'a> {
    server: &'a Dovecot,
    user: String,
}

fn open(address: &str) -> Result<Imap, DestinationError> {
    // The proxy tells of a cut line when the server is done with it, so there is nothing to wait for.
    Imap::open(&Address::parse(address).unwrap(), Secret::new(PASSWORD), Box::new(|_| ()))
}

impl KitTarget for ImapTarget<'_> {
    fn open(&self) -> Box<dyn Destination> {
        Box::new(open(&self.server.address(&self.user)).unwrap())
    }

    fn put_foreign(&self, folder: &FolderPath, bytes: &[u8]) {
        assert!(folder.is_inbox());
        self.server.reader(&self.user).append("INBOX", bytes).finish().unwrap();
    }

    fn bytes(&self, _: &FolderPath, location: &Location) -> Vec<u8> {
        let Location::Uid { uid_validity, uid } = location else { panic!("{location:?}") };
        let mut reader = self.server.reader(&self.user);
        let listed = reader.list(Some(""), Some("*")).unwrap();
        let names: Vec<String> = listed.iter().map(|folder| folder.name().to_owned()).collect();
        let name =
            names.iter().find(|name| reader.examine(name).unwrap().uid_validity == Some(*uid_validity));
        reader.examine(name.unwrap()).unwrap();
        let fetched = reader.uid_fetch(uid.to_string(), "BODY.PEEK[]").unwrap();
        fetched.iter().next().unwrap().body().unwrap().to_vec()
    }
}

#[test]
fn imap_passes_the_kit() {
    let settings = "ssl = no\nmail_location = mdbox:~/mdbox\nnamespace inbox {\n separator = .\n}\n";
    let Some(server) = Dovecot::start_with(settings, |_| ()) else { return };
    destination_kit::check(|| ImapTarget { server: &server, user: server.new_user() });
}

#[test]
fn a_server_that_refuses_odd_names_gets_plain_ones() {
    let Some(server) = Dovecot::start() else { return };
    destination_kit::odd_folder_names_stay_apart(&ImapTarget { server: &server, user: server.new_user() });
}

/// A forged mailbox and folders for targets and states.
struct Bench {
    folder: TempDir,
    source: PathBuf,
}

const MAILS: u64 = 150;

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let source = folder.path().join("jane.nsf");
        mailbox::forge(&source, &MailboxOptions { version: Version::Ods52, mails: MAILS, seed: 6 }).unwrap();
        Self { folder, source }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn command(&self, target: &str, state: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_notesferry"));
        command.arg("migrate").arg(&self.source).arg(target).arg("--state-dir").arg(self.path(state));
        command.args(["--all-documents", "--json"]).env("NOTESFERRY_TARGET_PASSWORD", PASSWORD);
        command.stdin(Stdio::null());
        command
    }

    /// Runs to the end; found, delivered and already there.
    fn run(&self, target: &str, state: &str) -> [u64; 3] {
        let output = self.command(target, state).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{text}{errors}");
        let end: Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
        ["found", "delivered", "already_there"].map(|name| end[name].as_u64().unwrap())
    }

    /// What the Maildir run of the same mailbox gives, by the folder names of the server.
    fn expected(&self) -> BTreeMap<String, BTreeSet<Expected>> {
        let root = self.path("maildir");
        self.run(&format!("maildir:{}", root.display()), "state of the maildir");
        let mut folders = BTreeMap::from([("INBOX".to_owned(), maildir_mails(&root))]);
        for entry in fs::read_dir(&root).unwrap().map(Result::unwrap) {
            let name = entry.file_name().into_string().unwrap();
            if let Some(name) = name.strip_prefix('.') {
                let name = if name == "Sent" { "Sent Messages".to_owned() } else { name.replace('.', "/") };
                folders.insert(name, maildir_mails(&entry.path()));
            }
        }
        folders
    }
}

/// Bytes, date in seconds and flags of a message, keywords left out.
type Expected = (Vec<u8>, i64, Vec<String>);

fn maildir_mails(directory: &Path) -> BTreeSet<Expected> {
    let entries = fs::read_dir(directory.join("cur")).unwrap().map(Result::unwrap);
    let mail = |entry: fs::DirEntry| {
        let name = entry.file_name().into_string().unwrap();
        let letters = name.split_once(":2,").unwrap().1.chars();
        let mut flags: Vec<String> = letters.map(|letter| flag_of(letter).to_owned()).collect();
        flags.sort();
        (fs::read(entry.path()).unwrap(), name.split_once('.').unwrap().0.parse().unwrap(), flags)
    };
    entries.map(mail).collect()
}

fn flag_of(letter: char) -> &'static str {
    match letter {
        'D' => "\\Draft",
        'F' => "\\Flagged",
        'R' => "\\Answered",
        'S' => "\\Seen",
        other => panic!("{other}"),
    }
}

/// Fails when a message is there twice or is not as the Maildir run shows it.
fn assert_arrived(server: &Dovecot, user: &str, expected: &BTreeMap<String, BTreeSet<Expected>>) {
    let arrived = server.mails(user);
    let shown = |mail: &Mail| {
        let flags = mail.flags.iter().filter(|flag| flag.starts_with('\\')).cloned().collect();
        (mail.bytes.clone(), mail.unix_seconds, flags)
    };
    for (name, mails) in &arrived {
        let distinct: BTreeSet<Expected> = mails.iter().map(shown).collect();
        assert_eq!(distinct.len(), mails.len(), "{name}: a message is there twice");
        let wanted = expected.get(name).cloned().unwrap_or_default();
        let counts = (distinct.len(), wanted.len());
        assert!(distinct == wanted, "{name}: {counts:?}");
    }
    let missing: Vec<_> =
        expected.iter().filter(|(name, mails)| !mails.is_empty() && !arrived.contains_key(*name)).collect();
    assert!(missing.is_empty(), "{:?}", missing.iter().map(|(name, _)| name).collect::<Vec<_>>());
}

#[test]
fn a_forged_mailbox_arrives_once_as_it_was_rendered() {
    let Some(server) = Dovecot::start() else { return };
    let bench = Bench::new();
    let expected = bench.expected();
    let user = server.new_user();
    let target = server.address(&user);
    let [found, delivered, parts] = bench.run(&target, "state");
    // A document of a series that another one carries has nothing to deliver.
    assert!(found == delivered + parts && delivered > MAILS && parts == 4, "{delivered} of {found}");
    assert_arrived(&server, &user, &expected);
    let keywords = server.mails(&user).into_values().flatten().flat_map(|mail| mail.flags);
    assert!(keywords.into_iter().any(|flag| flag.starts_with('$')), "keywords are kept");

    assert_eq!(bench.run(&target, "state"), [found, 0, found], "the second run");
    assert_eq!(bench.run(&target, "another state"), [found, 0, found], "the ledger is lost");
    assert_arrived(&server, &user, &expected);

    assert_eq!(
        bench.run(&format!("{target}/Old%20mail"), "state"),
        [found, delivered, parts],
        "below a prefix"
    );
    let below = server.mails(&user).into_iter().filter(|(name, _)| name.starts_with("Old mail/"));
    let count: usize = below.map(|(_, mails)| mails.len()).sum();
    assert_eq!(count, expected.values().map(BTreeSet::len).sum::<usize>());
}

/// Messages that a server keeps in Maildirs below a folder.
fn stored(folder: &Path) -> usize {
    let Ok(entries) = fs::read_dir(folder) else { return 0 };
    let count = |entry: fs::DirEntry| match entry.path() {
        path if path.is_dir() => stored(&path),
        path => {
            usize::from(path.parent().unwrap().ends_with("cur") || path.parent().unwrap().ends_with("new"))
        }
    };
    entries.flatten().map(count).sum()
}

#[test]
fn killed_anywhere_the_next_run_completes_what_is_missing() {
    let Some(server) = Dovecot::start() else { return };
    let bench = Bench::new();
    let expected = bench.expected();
    let placements: usize = expected.values().map(BTreeSet::len).sum();
    let mut random = fastrand::Rng::with_seed(21);
    let mut interrupted = 0;
    for round in 0..if crate::support::long() { 12 } else { 3 } {
        let user = server.new_user();
        let (target, state) = (server.address(&user), format!("state {round}"));
        let enough = random.usize(0..placements);
        let mut child = bench.command(&target, &state).stdout(Stdio::null()).spawn().unwrap();
        let mail = server.root().join("mail").join(&user);
        while stored(&mail) < enough && child.try_wait().unwrap().is_none() {}
        child.kill().unwrap();
        interrupted += usize::from(child.wait().unwrap().code().is_none());
        bench.run(&target, &state);
        assert_arrived(&server, &user, &expected);
    }
    assert!(interrupted > 1, "{interrupted}");
}

#[test]
fn cut_lines_leave_every_placement_once() {
    let Some(server) = Dovecot::start() else { return };
    let proxy = Proxy::start(server.port);
    let mut random = fastrand::Rng::with_seed(22);
    for round in 0..if crate::support::long() { 100 } else { 12 } {
        let user = server.new_user();
        let address = format!("imap://{user}@127.0.0.1:{}", proxy.port);
        let state = tempfile::tempdir().unwrap();
        let store = StateStore::open(state.path()).unwrap();
        let mut source = MemorySource::with_mails(120);
        let cuts: Vec<u64> = (0..random.usize(1..8)).map(|_| random.u64(1..30_000)).collect();
        let context = format!("round {round}, cut after {cuts:?}");
        proxy.cut(cuts);
        // While lines are cut a pass may end early; then the last one has a whole line.
        for _ in 0..2 {
            if let Ok(mut imap) = open(&address) {
                let _ = pass(&store, &mut imap, &mut source);
            }
        }
        proxy.stop_cutting();
        let (tally, _) = pass(&store, &mut open(&address).unwrap(), &mut source).expect(&context);
        assert_eq!(tally.delivered + tally.already_there, 120, "{context}: {tally:?}");
        let mut placements = 0;
        for (name, mails) in server.mails(&user) {
            let distinct: BTreeSet<Vec<u8>> = mails.iter().map(|mail| mail.bytes.clone()).collect();
            assert_eq!(distinct.len(), mails.len(), "{context}: {name}");
            placements += mails.len();
        }
        assert_eq!(placements, source.placements(), "{context}");
    }
    assert!(proxy.done() > 10, "{}", proxy.done());
}

#[test]
fn a_full_mailbox_a_wrong_password_and_no_server_end_with_their_own_codes() {
    let settings = "ssl = no
mail_plugins = quota
protocol imap {
  mail_plugins = quota imap_quota
}
plugin {
  quota = maildir:User quota
  quota_rule = *:storage=300K
}
";
    let Some(server) = Dovecot::start_with(settings, |_| ()) else { return };
    let bench = Bench::new();
    let target = server.address(&server.new_user());
    let failure = |command: &mut Command| {
        let output = command.output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
        assert!(!text.contains(PASSWORD), "invariant F: {text}");
        (output.status.code().unwrap(), text)
    };
    let (exit, text) = failure(&mut bench.command(&target, "full"));
    assert!(exit == 6 && text.contains("is full") && text.contains("make room"), "{exit}: {text}");

    let password = bench.path("password");
    fs::write(&password, format!("{PASSWORD}!\n")).unwrap();
    let (exit, text) = failure(bench.command(&target, "refused").arg("--password-file").arg(&password));
    assert!(exit == 5 && text.contains("refused the log-in"), "{exit}: {text}");

    let (exit, text) = failure(bench.command(&target, "none").env_remove("NOTESFERRY_TARGET_PASSWORD"));
    assert!(exit == 2 && text.contains("--password-file"), "{exit}: {text}");

    let nobody = format!("imap://jane@127.0.0.1:{}", server.tls_port);
    drop(server);
    let (exit, text) = failure(&mut bench.command(&nobody, "nobody"));
    assert!(exit == 4 && text.contains("cannot be reached"), "{exit}: {text}");
}

#[test]
fn tls_is_used_and_certificates_are_checked() {
    // Asked at another address than the client has, Dovecot refuses passwords without TLS.
    let settings = "listen = 127.0.0.1, 127.0.0.2, 127.0.0.3\ndisable_plaintext_auth = yes\nssl = required\nssl_cert = <ROOT/cert.pem\nssl_key = <ROOT/key.pem\n";
    let Some(server) = Dovecot::start_with(settings, make_certificate) else { return };
    let bench = Bench::new();
    let authority = server.root().join("authority.pem");
    for (scheme, port, named, unnamed) in [
        ("imaps", server.tls_port, "localhost", "127.0.0.1"),
        ("imap", server.port, "127.0.0.2", "127.0.0.3"),
    ] {
        let user = server.new_user();
        let run = |host: &str, trusted: bool| {
            let mut command =
                bench.command(&format!("{scheme}://{user}@{host}:{port}"), &format!("state {scheme}"));
            if trusted {
                command.env("SSL_CERT_FILE", &authority).env_remove("SSL_CERT_DIR");
            }
            command.output().unwrap()
        };
        assert_eq!(run(named, false).status.code(), Some(4), "{scheme}: an unknown authority");
        assert_eq!(run(unnamed, true).status.code(), Some(4), "{scheme}: another name");
        let output = run(named, true);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{scheme}: {errors}");
        assert!(stored(&server.root().join("mail").join(&user)) as u64 >= MAILS);
    }
}

#[test]
fn a_server_on_this_machine_needs_no_certificate_that_is_trusted() {
    let settings = "ssl = yes\nssl_cert = <ROOT/cert.pem\nssl_key = <ROOT/key.pem\n";
    let Some(server) = Dovecot::start_with(settings, make_certificate) else { return };
    open(&server.address(&server.new_user())).unwrap();
}

#[test]
fn without_uidplus_nothing_is_taken_out() {
    let settings = "ssl = no\nimap_capability = IMAP4rev1 SASL-IR AUTH=PLAIN\n";
    let Some(server) = Dovecot::start_with(settings, |_| ()) else { return };
    let mut imap = open(&server.address(&server.new_user())).unwrap();
    let inbox = FolderPath::inbox();
    imap.prepare(std::slice::from_ref(&inbox)).unwrap();
    let location = imap.put_batch(&[delivery(1, &inbox, "x")]).remove(0).unwrap();
    let error = imap.remove(&inbox, &location).unwrap_err();
    assert!(matches!(error, DestinationError::CannotRemove { .. }), "{error}");
    assert_eq!(imap.survey(&inbox).unwrap().len(), 1);
}

#[test]
fn what_a_folder_does_not_keep_is_not_sent_and_named() {
    let settings = "ssl = no
mail_plugins = acl
plugin {
  acl = vfile:ROOT/acl
}
";
    // Everything but `w`, the right to set flags other than \Seen and \Deleted.
    let no_flags = |root: &Path| fs::write(root.join("acl"), "* owner lrsipkxte\n").unwrap();
    let Some(server) = Dovecot::start_with(settings, no_flags) else { return };
    let user = server.new_user();
    let mut imap = open(&server.address(&user)).unwrap();
    let inbox = FolderPath::inbox();
    let mut delivery = delivery(1, &inbox, "x");
    delivery.flags = Flags { flagged: true, keywords: vec!["Travel".to_owned()], ..delivery.flags };
    imap.prepare(std::slice::from_ref(&inbox)).unwrap();
    let refused: Vec<String> = imap.refused_flags(&delivery).iter().map(ToString::to_string).collect();
    assert_eq!(refused, ["flag refused: \\Flagged", "keyword refused: Travel"]);
    imap.put_batch(&[delivery]).remove(0).unwrap();
    assert_eq!(server.mails(&user)["INBOX"][0].flags, ["\\Seen"]);
}

#[test]
fn a_look_makes_no_folder_and_knows_a_renamed_or_new_one() {
    let Some(server) = Dovecot::start() else { return };
    let user = server.new_user();
    let mut imap = open(&server.address(&user)).unwrap();
    let work = folder(&["Work"]);
    imap.prepare(std::slice::from_ref(&work)).unwrap();
    let location = imap.put_batch(&[delivery(1, &work, "x")]).remove(0).unwrap();
    let copy = [(work.clone(), location)];
    server.reader(&user).rename("Work", "Archive").unwrap();
    for imap in [&mut imap, &mut open(&server.address(&user)).unwrap()] {
        assert_eq!(imap.look(&copy).unwrap(), [Standing::Gone]);
        assert_eq!(imap.add_flags(&copy, &Flags::default()).unwrap(), [false]);
        assert!(!imap.remove(&work, &copy[0].1).unwrap());
        assert!(!server.mails(&user).contains_key("Work"));
    }
    server.reader(&user).create("Work").unwrap();
    assert_eq!(imap.look(&copy).unwrap(), [Standing::Renumbered]);
}

#[test]
fn a_mail_that_its_user_marked_to_be_taken_out_is_gone() {
    let Some(server) = Dovecot::start() else { return };
    let user = server.new_user();
    let mut imap = open(&server.address(&user)).unwrap();
    let inbox = FolderPath::inbox();
    imap.prepare(std::slice::from_ref(&inbox)).unwrap();
    let location = imap.put_batch(&[delivery(1, &inbox, "x")]).remove(0).unwrap();
    let mut reader = server.reader(&user);
    reader.select("INBOX").unwrap();
    reader.store("1", "+FLAGS (\\Deleted)").unwrap();
    assert_eq!(imap.look(&[(inbox, location)]).unwrap(), [Standing::Gone]);
}

#[test]
fn a_server_that_does_not_say_where_is_searched() {
    let Some(server) = Dovecot::start() else { return };
    let proxy = Proxy::start(server.port);
    proxy.hide_uids();
    let user = server.new_user();
    let mut imap = open(&format!("imap://{user}@127.0.0.1:{}", proxy.port)).unwrap();
    let folders = [FolderPath::inbox(), folder(&["Work"])];
    for body in ["old", "new"] {
        imap.prepare(&folders).unwrap();
        let batch: Vec<_> =
            (0..6).map(|number| delivery(number / 2, &folders[number as usize % 2], body)).collect();
        let locations: Vec<Location> = imap.put_batch(&batch).into_iter().map(Result::unwrap).collect();
        let target = ImapTarget { server: &server, user: user.clone() };
        for (delivery, location) in batch.iter().zip(&locations) {
            let mut expected = Vec::new();
            delivery.rendered.write_to(&mut expected).unwrap();
            assert_eq!(target.bytes(&delivery.folder, location), expected);
        }
    }
}

#[test]
fn a_folder_with_new_uids_is_looked_through_as_a_whole() {
    let Some(server) = Dovecot::start() else { return };
    let user = server.new_user();
    let mut imap = open(&server.address(&user)).unwrap();
    let work = folder(&["Work"]);
    let before = imap.prepare(std::slice::from_ref(&work)).unwrap()[0];
    let (old, new) = (delivery(1, &work, "old"), delivery(1, &work, "new, and longer"));
    let record = InFlight {
        key: new.key.clone(),
        folder: work.clone(),
        state: FolderState {
            uid_next: Some(1_000),
            uid_validity: before.uid_validity.map(|validity| validity + 1),
        },
        message_id: new.message_id.clone(),
        size: new.rendered.len(),
        source_digest: [0; 32],
        replaces: Some(Location::Uid { uid_validity: 1, uid: 1 }),
    };
    imap.put_batch(&[old]).remove(0).unwrap();
    assert_eq!(imap.reconcile(std::slice::from_ref(&record)).unwrap(), [None]);
    let location = imap.put_batch(&[new]).remove(0).unwrap();
    assert_eq!(imap.reconcile(&[record]).unwrap(), [Some(location)]);
}

#[test]
fn a_folder_deleted_meanwhile_is_made_again() {
    let Some(server) = Dovecot::start() else { return };
    let user = server.new_user();
    let mut imap = open(&server.address(&user)).unwrap();
    let work = folder(&["Work"]);
    imap.prepare(std::slice::from_ref(&work)).unwrap();
    server.reader(&user).delete("Work").unwrap();
    imap.put_batch(&[delivery(1, &work, "x")]).remove(0).unwrap();
    assert_eq!(server.mails(&user)["Work"].len(), 1);
    assert!(matches!(open("imap://jane@127.0.0.1:1"), Err(DestinationError::Unreachable { .. })));
}

#[test]
fn a_folder_that_cannot_be_made_refuses_its_messages_only() {
    let Some(server) = Dovecot::start() else { return };
    let user = server.new_user();
    let mut imap = open(&server.address(&user)).unwrap();
    let folders = [FolderPath::inbox(), folder(&["closed"])];
    fs::write(server.root().join("mail").join(&user).join("Maildir/.closed"), "in the way").unwrap();
    imap.prepare(&folders).unwrap();
    let mut answers = imap.put_batch(&folders.clone().map(|folder| delivery(1, &folder, "x")));
    assert!(matches!(answers.pop(), Some(Err(DeliverError::Refused { .. }))));
    assert!(answers[0].is_ok());
}
