//! A mailbox is migrated, changes at its source for some weeks while its user works at the target, and is migrated
//! again with the built program: exactly what changed is carried, and nothing that the user did is undone.

#[cfg(unix)]
use crate::support::dovecot::{Dovecot, PASSWORD};
use notesferry::forge::mailbox::{self, Changed, MailboxOptions};
use notesferry::forge::version::Version;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// A copy at the target as its user sees it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Copy {
    folder: String,
    /// What stays while nobody touches it: its UID, or its file name without flags.
    identity: String,
    /// Maildir letters.
    flags: BTreeSet<char>,
    bytes: Vec<u8>,
}

/// The copies of each mail, by the key in its header.
type View = BTreeMap<String, BTreeSet<Copy>>;

trait Target {
    fn name(&self) -> String;
    fn copies(&self) -> Vec<Copy>;
    fn take_out(&self, copy: &Copy);
    fn set_flags(&self, copy: &Copy, flags: &str);

    fn view(&self) -> View {
        let mut view = View::new();
        for copy in self.copies() {
            let text = String::from_utf8_lossy(&copy.bytes).into_owned();
            let key = text.lines().find_map(|line| line.strip_prefix("X-Notesferry-Key: ")).unwrap();
            assert!(view.entry(key.to_owned()).or_default().insert(copy));
        }
        view
    }
}

struct MaildirTarget(PathBuf);

impl MaildirTarget {
    fn file(&self, copy: &Copy) -> PathBuf {
        let flags: String = copy.flags.iter().collect();
        self.0.join(&copy.folder).join("cur").join(format!("{}:2,{flags}", copy.identity))
    }
}

impl Target for MaildirTarget {
    fn name(&self) -> String {
        format!("maildir:{}", self.0.display())
    }

    fn copies(&self) -> Vec<Copy> {
        let folders = fs::read_dir(&self.0).unwrap().map(|entry| entry.unwrap().file_name());
        let folders = folders.map(|name| name.into_string().unwrap()).filter(|name| name.starts_with('.'));
        let copies = |folder: String| {
            let files = fs::read_dir(self.0.join(&folder).join("cur")).unwrap();
            files.map(move |entry| {
                let path = entry.unwrap().path();
                let (identity, flags) =
                    path.file_name().unwrap().to_str().unwrap().split_once(":2,").unwrap();
                Copy {
                    folder: folder.clone(),
                    identity: identity.to_owned(),
                    flags: flags.chars().collect(),
                    bytes: fs::read(&path).unwrap(),
                }
            })
        };
        folders.chain([String::new()]).flat_map(copies).collect()
    }

    fn take_out(&self, copy: &Copy) {
        fs::remove_file(self.file(copy)).unwrap();
    }

    fn set_flags(&self, copy: &Copy, flags: &str) {
        let renamed = Copy { flags: flags.chars().collect(), ..copy.clone() };
        fs::rename(self.file(copy), self.file(&renamed)).unwrap();
    }
}

#[cfg(unix)]
struct ImapTarget<'a> {
    server: &'a Dovecot,
    user: String,
}

const LETTERS: [(char, &str); 4] =
    [('D', "\\Draft"), ('F', "\\Flagged"), ('R', "\\Answered"), ('S', "\\Seen")];

#[cfg(unix)]
impl Target for ImapTarget<'_> {
    fn name(&self) -> String {
        self.server.address(&self.user)
    }

    fn copies(&self) -> Vec<Copy> {
        let mails = self.server.mails(&self.user).into_iter();
        let letter = |flag: &String| Some(LETTERS.iter().find(|(_, name)| name == flag)?.0);
        let copies = mails.flat_map(|(folder, mails)| {
            mails.into_iter().map(move |mail| Copy {
                folder: folder.clone(),
                identity: mail.uid.to_string(),
                flags: mail.flags.iter().filter_map(letter).collect(),
                bytes: mail.bytes,
            })
        });
        copies.collect()
    }

    fn take_out(&self, copy: &Copy) {
        let mut reader = self.server.reader(&self.user);
        reader.select(&copy.folder).unwrap();
        reader.uid_store(&copy.identity, "+FLAGS (\\Deleted)").unwrap();
        reader.expunge().unwrap();
    }

    fn set_flags(&self, copy: &Copy, flags: &str) {
        let names: Vec<&str> =
            LETTERS.iter().filter(|(letter, _)| flags.contains(*letter)).map(|(_, name)| *name).collect();
        let mut reader = self.server.reader(&self.user);
        reader.select(&copy.folder).unwrap();
        reader.uid_store(&copy.identity, format!("FLAGS ({})", names.join(" "))).unwrap();
    }
}

const OPTIONS: MailboxOptions = MailboxOptions { version: Version::Ods52, mails: 300, seed: 9 };

/// A mailbox as it was and as it is some weeks later.
struct Bench {
    folder: TempDir,
    changed: Changed,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        mailbox::forge(&folder.path().join("before.nsf"), &OPTIONS).unwrap();
        let (_, changed) = mailbox::forge_later(&folder.path().join("later.nsf"), &OPTIONS).unwrap();
        let Changed { changed: revised, moved, read, deleted, added } = changed;
        assert!([revised, moved, read, deleted, added].into_iter().all(|count| count > 3), "{changed:?}");
        Self { folder, changed }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Migrates one of the two; found, delivered, already there, removed by user.
    fn run(&self, source: &str, target: &dyn Target, state: &Path) -> [u64; 4] {
        let end = self.run_to_end(source, target, state);
        assert_eq!(end["left_behind"].as_u64(), Some(0), "{end}");
        ["found", "delivered", "already_there", "removed_by_user"].map(|name| end[name].as_u64().unwrap())
    }

    /// Migrates one of the two; the last object of the report.
    fn run_to_end(&self, source: &str, target: &dyn Target, state: &Path) -> Value {
        let mut command = Command::new(env!("CARGO_BIN_EXE_notesferry"));
        command.arg("migrate").arg(self.path(source)).arg(target.name()).arg("--state-dir").arg(state);
        command.args(["--all-documents", "--json"]);
        #[cfg(unix)]
        command.env("NOTESFERRY_TARGET_PASSWORD", PASSWORD);
        let output = command.output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let end: Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
        assert_eq!(end["exit"].as_u64(), Some(0), "{end}");
        end
    }
}

/// What the second run did to each mail of the first.
#[derive(Default)]
struct Classes {
    untouched: Vec<String>,
    changed: Vec<String>,
    moved: Vec<String>,
    read: Vec<String>,
    /// Of these only the keys are new.
    added: Vec<String>,
}

impl Classes {
    fn of(before: &View, after: &View) -> Self {
        let mut classes = Self::default();
        for (key, now) in after {
            let Some(then) = before.get(key) else {
                classes.added.push(key.clone());
                continue;
            };
            let without_seen = |copies: &BTreeSet<Copy>| -> BTreeSet<Copy> {
                let without = |copy: &Copy| {
                    let flags = copy.flags.iter().copied().filter(|flag| *flag != 'S').collect();
                    Copy { flags, ..copy.clone() }
                };
                copies.iter().map(without).collect()
            };
            let folders = |copies: &BTreeSet<Copy>| -> BTreeSet<String> {
                copies.iter().map(|copy| copy.folder.clone()).collect()
            };
            let bytes = |copies: &BTreeSet<Copy>| -> BTreeSet<Vec<u8>> {
                copies.iter().map(|copy| copy.bytes.clone()).collect()
            };
            let class = if then == now {
                &mut classes.untouched
            } else if without_seen(then) == without_seen(now) {
                assert!(now.iter().all(|copy| copy.flags.contains(&'S')), "{key} was read");
                &mut classes.read
            } else if folders(then) == folders(now) {
                assert!(bytes(then).is_disjoint(&bytes(now)), "{key} was changed");
                &mut classes.changed
            } else {
                assert_eq!(bytes(then), bytes(now), "{key} was moved");
                assert_eq!(now.len(), 1);
                &mut classes.moved
            };
            class.push(key.clone());
        }
        assert!(before.keys().all(|key| after.contains_key(key)), "what is deleted at the source stays");
        classes
    }

    fn counts(&self) -> [u64; 4] {
        [&self.changed, &self.moved, &self.read, &self.added].map(|keys| keys.len() as u64)
    }
}

/// A first run, some weeks, a second and a third one; what became of each mail.
fn undisturbed(bench: &Bench, target: &dyn Target, state: &Path) -> Classes {
    let [first_found, ..] = bench.run("before.nsf", target, state);
    let before = target.view();
    let Changed { changed, moved, read, deleted, added } = bench.changed;
    let found = first_found - deleted + added;
    let delivered = changed + moved + added;
    assert_eq!(bench.run("later.nsf", target, state), [found, delivered, found - delivered, 0]);
    let after = target.view();
    let classes = Classes::of(&before, &after);
    assert_eq!(classes.counts(), [changed, moved, read, added]);
    assert_eq!(bench.run("later.nsf", target, state), [found, 0, found, 0]);
    assert!(target.view() == after, "a third run changes nothing");
    classes
}

/// The same, while the user takes mails out, flags some and marks one as unread.
fn with_a_user(bench: &Bench, target: &dyn Target, state: &Path, classes: &Classes) {
    bench.run("before.nsf", target, state);
    let before = target.view();
    let kinds = [&classes.changed, &classes.moved, &classes.untouched, &classes.read];
    for kind in kinds {
        before[&kind[0]].iter().for_each(|copy| target.take_out(copy));
        before[&kind[1]].iter().for_each(|copy| target.set_flags(copy, "F"));
    }
    let Changed { changed, moved, deleted, added, .. } = bench.changed;
    let user_saw = target.view();
    let [found, delivered, already_there, removed] = bench.run("later.nsf", target, state);
    // One of the untouched may be deleted at the source: then nobody asks for it any more.
    let gone_everywhere = kinds.len() as u64 - removed;
    assert!(gone_everywhere <= 1, "{removed}");
    assert_eq!(delivered, changed + moved + added - 2);
    assert_eq!(found, delivered + already_there + removed);
    let after = target.view();
    for kind in kinds {
        assert!(!after.contains_key(&kind[0]), "taken out, it never comes back");
        assert!(after[&kind[1]].iter().all(|copy| copy.flags.contains(&'F')), "its flag stays");
    }
    let untouched = &classes.untouched[1];
    assert_eq!(after[untouched], user_saw[untouched], "marked as unread, it stays so");
    let Classes { changed: again, moved: elsewhere, .. } = Classes::of(&user_saw, &after);
    assert_eq!((again, elsewhere), (classes.changed[1..].to_vec(), classes.moved[1..].to_vec()));
    assert_eq!(bench.run("later.nsf", target, state), [found, 0, found - removed, removed]);
    assert!(target.view() == after && deleted > 0, "a third run changes nothing");
}

#[test]
fn a_second_run_carries_exactly_what_changed() {
    let bench = Bench::new();
    let maildir = |name: &str| MaildirTarget(bench.path(name));
    let classes = undisturbed(&bench, &maildir("quiet"), &bench.path("state 1"));
    with_a_user(&bench, &maildir("used"), &bench.path("state 2"), &classes);

    #[cfg(unix)]
    if let Some(server) = Dovecot::start() {
        let imap = || ImapTarget { server: &server, user: server.new_user() };
        undisturbed(&bench, &imap(), &bench.path("state 3"));
        with_a_user(&bench, &imap(), &bench.path("state 4"), &classes);
    }
}

#[cfg(unix)]
#[test]
fn older_copies_that_a_server_does_not_let_us_take_out_are_reported() {
    // No UIDPLUS.
    let settings = "ssl = no\nimap_capability = IMAP4rev1 SASL-IR AUTH=PLAIN\n";
    let Some(server) = Dovecot::start_with(settings, |_| ()) else { return };
    let bench = Bench::new();
    let target = ImapTarget { server: &server, user: server.new_user() };
    let state = bench.path("state");
    bench.run("before.nsf", &target, &state);
    let copies = target.copies().len();
    for _ in 0..2 {
        let end = bench.run_to_end("later.nsf", &target, &state);
        let left = end["left_behind"].as_u64().unwrap();
        assert!(left >= bench.changed.changed + bench.changed.moved, "{end}");
        assert!(target.copies().len() as u64 >= copies as u64 + left, "nothing was taken out");
    }
}

#[test]
fn the_same_seed_makes_the_same_changes() {
    let bench = Bench::new();
    let again = bench.path("again.nsf");
    let (_, changed) = mailbox::forge_later(&again, &OPTIONS).unwrap();
    assert_eq!(changed, bench.changed);
    assert!(fs::read(again).unwrap() == fs::read(bench.path("later.nsf")).unwrap());
}
