//! The kit of destinations, once for each kind, and what only one kind promises.

use crate::support::destination_kit::{self, KitTarget};
use crate::support::memory_destination::MemoryDestination;
use crate::support::messages::{DATE_MS, delivery, folder, key};
use notesferry::destinations::Destination;
use notesferry::destinations::eml::EmlTree;
use notesferry::destinations::maildir::Maildir;
use notesferry::model::delivery::{FolderState, InFlight, Location};
use notesferry::model::folder::FolderPath;
use notesferry::model::item::{MailboxId, Origin, PlacementId};
use notesferry::server::address_books::Table;
use notesferry::store::StateStore;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tempfile::TempDir;

struct MaildirTarget(TempDir);

/// The files of a Maildir folder, by its directory.
fn maildir_files(directory: &Path) -> Vec<PathBuf> {
    let parts = ["cur", "new"].map(|part| fs::read_dir(directory.join(part)).unwrap());
    parts.into_iter().flatten().map(|entry| entry.unwrap().path()).collect()
}

fn path_of(location: &Location) -> &str {
    let Location::File { path } = location else { panic!("{location:?}") };
    path
}

impl KitTarget for MaildirTarget {
    fn open(&self) -> Box<dyn Destination> {
        Box::new(Maildir::new(self.0.path()))
    }

    fn put_foreign(&self, folder: &FolderPath, bytes: &[u8]) {
        assert!(folder.is_inbox());
        let number = maildir_files(self.0.path()).len();
        fs::write(self.0.path().join("new").join(format!("1700000000.M{number}P1.host")), bytes).unwrap();
    }

    fn bytes(&self, _: &FolderPath, location: &Location) -> Vec<u8> {
        let (directory, base) = path_of(location).rsplit_once('/').unwrap_or(("", path_of(location)));
        let files = maildir_files(&self.0.path().join(directory));
        let file = files.iter().find(|file| file.file_name().unwrap().to_str().unwrap().starts_with(base));
        fs::read(file.unwrap()).unwrap()
    }
}

struct EmlTarget(TempDir);

impl KitTarget for EmlTarget {
    fn open(&self) -> Box<dyn Destination> {
        Box::new(EmlTree::new(self.0.path()))
    }

    fn put_foreign(&self, folder: &FolderPath, bytes: &[u8]) {
        let directory = self.0.path().join(folder.to_string());
        let number = fs::read_dir(&directory).unwrap().count();
        fs::write(directory.join(format!("{number}.eml")), bytes).unwrap();
    }

    fn bytes(&self, _: &FolderPath, location: &Location) -> Vec<u8> {
        fs::read(self.0.path().join(path_of(location))).unwrap()
    }
}

#[test]
fn the_memory_destination_passes_the_kit() {
    destination_kit::check(MemoryDestination::default);
}

struct TableTarget {
    store: Arc<StateStore>,
    book: MailboxId,
    _folder: TempDir,
}

impl TableTarget {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Arc::new(StateStore::open(folder.path()).unwrap());
        Self { store, book: MailboxId("directory:HQ:names.nsf".to_owned()), _folder: folder }
    }
}

impl KitTarget for TableTarget {
    fn open(&self) -> Box<dyn Destination> {
        Box::new(Table::new(Arc::clone(&self.store), self.book.clone()))
    }

    fn put_foreign(&self, folder: &FolderPath, bytes: &[u8]) {
        let head = str::from_utf8(bytes).unwrap().split("\r\n\r\n").next().unwrap();
        let origin = head.lines().find_map(|line| line.strip_prefix("X-Notesferry-Key: ")?.parse().ok());
        let placement =
            origin.map(|origin: Origin| format!("{origin} {}", PlacementId::new(&origin, folder)));
        let key = placement.unwrap_or_default() + " foreign";
        self.store.put_listed(&self.book, vec![(key, bytes.to_owned())]).unwrap();
    }

    fn bytes(&self, _: &FolderPath, location: &Location) -> Vec<u8> {
        self.store.listed_record(&self.book, path_of(location)).unwrap().unwrap()
    }
}

#[test]
fn the_table_of_names_passes_the_kit() {
    destination_kit::check(TableTarget::new);
}

#[test]
fn maildir_passes_the_kit() {
    destination_kit::check(|| MaildirTarget(tempfile::tempdir().unwrap()));
}

#[test]
fn eml_passes_the_kit() {
    destination_kit::check(|| EmlTarget(tempfile::tempdir().unwrap()));
}

#[test]
fn a_maildir_message_is_found_whatever_a_mail_program_did_to_its_name() {
    let target = MaildirTarget(tempfile::tempdir().unwrap());
    let sent = folder(&["Sent"]);
    for (info, part) in [(":2,", "cur"), (":2,FRST", "cur"), (":2,Sab", "cur"), ("", "new")] {
        let mut maildir = target.open();
        maildir.prepare(std::slice::from_ref(&sent)).unwrap();
        let location = maildir.put_batch(&[delivery(1, &sent, "x")]).remove(0).unwrap();
        let directory = target.0.path().join(".Sent");
        let files = maildir_files(&directory);
        assert!(files.len() == 1 && files[0].to_str().unwrap().ends_with(":2,S"), "{files:?}");
        let base = path_of(&location).strip_prefix(".Sent/").unwrap();
        fs::rename(&files[0], directory.join(part).join(format!("{base}{info}"))).unwrap();
        let record = InFlight {
            key: key(1),
            folder: sent.clone(),
            state: FolderState::default(),
            message_id: String::new(),
            size: 1,
            source_digest: [0; 32],
            replaces: None,
        };
        assert_eq!(maildir.reconcile(&[record]).unwrap(), [Some(location.clone())], "{info}");
        assert!(maildir.remove(&sent, &location).unwrap(), "{info}");
        assert!(maildir_files(&directory).is_empty());
    }
}

#[test]
fn a_maildir_file_says_date_and_size_and_keeps_crlf() {
    let target = MaildirTarget(tempfile::tempdir().unwrap());
    let mut maildir = target.open();
    maildir.prepare(&[FolderPath::inbox()]).unwrap();
    maildir.put_batch(&[delivery(1, &FolderPath::inbox(), "x")]).remove(0).unwrap();
    let file = maildir_files(target.0.path()).remove(0);
    let metadata = fs::metadata(&file).unwrap();
    let modified = metadata.modified().unwrap().duration_since(std::time::UNIX_EPOCH).unwrap();
    assert_eq!(modified.as_millis() as i64, DATE_MS);
    let name = file.file_name().unwrap().to_str().unwrap();
    assert!(name.starts_with(&format!("{}.N", DATE_MS / 1000)), "{name}");
    assert!(name.contains(&format!(",S={0},W={0}:2,", metadata.len())), "{name}");
    let bytes = fs::read(&file).unwrap();
    let line_ends = bytes.iter().filter(|&&byte| byte == b'\n').count();
    assert_eq!(bytes.windows(2).filter(|pair| pair == b"\r\n").count(), line_ends);
}

#[test]
fn what_a_crash_left_is_swept_and_what_others_left_is_not() {
    let root = tempfile::tempdir().unwrap();
    let id = "0123456789abcdef0123456789abcdef";
    let inbox = [FolderPath::inbox()];
    Maildir::new(root.path()).prepare(&inbox).unwrap();
    let ours = root.path().join("tmp").join(format!("1700000000.N{id}V.notesferry"));
    let foreign = root.path().join("tmp").join("1700000000.M1P2.host");
    for path in [&ours, &foreign] {
        fs::write(path, "half").unwrap();
    }
    Maildir::new(root.path()).prepare(&inbox).unwrap();
    assert!(!ours.exists() && foreign.exists());

    let root = tempfile::tempdir().unwrap();
    EmlTree::new(root.path()).prepare(&inbox).unwrap();
    let ours = root.path().join("INBOX").join(format!("{id}.eml.part"));
    let foreign = root.path().join("INBOX").join("download.part");
    for path in [&ours, &foreign] {
        fs::write(path, "half").unwrap();
    }
    EmlTree::new(root.path()).prepare(&inbox).unwrap();
    assert!(!ours.exists() && foreign.exists());
}

#[test]
fn a_maildir_that_cannot_be_made_is_unreachable() {
    let root = tempfile::tempdir().unwrap();
    let file = root.path().join("file");
    fs::write(&file, "in the way").unwrap();
    let error = Maildir::new(&file).prepare(&[FolderPath::inbox()]).unwrap_err();
    assert!(matches!(error, notesferry::destinations::DestinationError::Unreachable { .. }), "{error}");
}
