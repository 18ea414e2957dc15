//! The mailboxes below the source roots: what the admin can choose from.
//!
//! A look goes through the folders and reads the heads of files that it did not see before or that changed since; a
//! file that cannot be read is an entry with its reason. Symbolic links are not followed: what they lead to is found
//! where it is, or is not allowed. Depth and number are limited.

use crate::base::limits::{
    FOLDER_ENTRIES, FOLDER_LEVELS, FOUND_MAILBOXES, FOUND_PAGE_BYTES, MESSAGE_LIST_ENTRIES,
};
use crate::protocol::calls::{FoundMailbox, FoundRequest};
use crate::sources::registry::{self, NamedSource};
use crate::sources::{Glance, SourceError};
use std::collections::BTreeMap;
use std::fs::{self, DirEntry, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// What tells that a file is the one that was looked at before.
type Stamp = (u64, Option<SystemTime>);

/// The looks of one extractor.
#[derive(Debug, Default)]
pub struct Finder {
    seen: BTreeMap<PathBuf, (Stamp, FoundMailbox)>,
    entries: usize,
}

impl Finder {
    /// Everything that is found now, by root and path. `roots` are in canonical form.
    pub fn look(&mut self, roots: &[PathBuf]) -> Vec<FoundMailbox> {
        self.entries = 0;
        let before = std::mem::take(&mut self.seen);
        roots.iter().for_each(|root| self.folder(root, root, FOLDER_LEVELS, &before));
        self.seen.values().map(|(_, mailbox)| mailbox.clone()).collect()
    }

    fn folder(
        &mut self,
        root: &Path,
        folder: &Path,
        levels: usize,
        before: &BTreeMap<PathBuf, (Stamp, FoundMailbox)>,
    ) {
        let entries = match fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) => return self.unreadable_folder(root, folder, &error),
        };
        for entry in entries.flatten() {
            self.entries += 1;
            if self.entries > FOLDER_ENTRIES || self.seen.len() >= FOUND_MAILBOXES {
                return;
            }
            let Ok(kind) = entry.file_type() else { continue };
            let path = entry.path();
            if kind.is_dir() && levels > 0 {
                self.folder(root, &path, levels - 1, before);
            } else if kind.is_file() && registry::has_mailbox_name(&path) {
                let known = before.get(&path);
                let mailbox = file(root, &path, &entry, known);
                self.seen.insert(path, mailbox);
            }
        }
    }

    fn unreadable_folder(&mut self, root: &Path, folder: &Path, error: &io::Error) {
        let why = format!("the folder cannot be read: {error}");
        let mailbox = FoundMailbox { unreadable: Some(why), ..named(root, folder, 0) };
        self.seen.insert(folder.to_owned(), ((0, None), mailbox));
    }
}

/// What is told of one file: what was told before if it did not change.
fn file(
    root: &Path,
    path: &Path,
    entry: &DirEntry,
    known: Option<&(Stamp, FoundMailbox)>,
) -> (Stamp, FoundMailbox) {
    let metadata = entry.metadata();
    let stamp = metadata.as_ref().map(stamp).unwrap_or_default();
    if let Some((before, mailbox)) = known
        && *before == stamp
        && mailbox.in_use.is_none()
    {
        return (stamp, mailbox.clone());
    }
    let mut mailbox = named(root, path, stamp.0);
    if path.to_str().is_none() {
        mailbox.unreadable = Some("its name is no Unicode text; rename it or its folder".to_owned());
        return (stamp, mailbox);
    }
    match NamedSource::from(path.to_owned()).glance() {
        Ok(Glance { title, owner, in_use }) => {
            mailbox = FoundMailbox { title, owner, in_use, ..mailbox };
        }
        Err(SourceError::InUse { why, .. }) => mailbox.in_use = Some(why),
        Err(error) => mailbox.unreadable = Some(error.to_string()),
    }
    (stamp, mailbox)
}

fn stamp(metadata: &Metadata) -> Stamp {
    (metadata.len(), metadata.modified().ok())
}

fn named(root: &Path, path: &Path, bytes: u64) -> FoundMailbox {
    let below = path.strip_prefix(root).unwrap_or(path);
    let parts: Vec<_> = below.iter().map(|part| part.to_string_lossy()).collect();
    FoundMailbox {
        root: root.to_string_lossy().into_owned(),
        path: parts.join("/"),
        title: String::new(),
        owner: None,
        bytes,
        in_use: None,
        unreadable: None,
    }
}

/// The messages that tell a listing: at least one, so that an empty one is told too.
pub fn pages(mailboxes: Vec<FoundMailbox>) -> Vec<FoundRequest> {
    let mut pages = vec![Vec::new()];
    let mut page_bytes = 0;
    for mailbox in mailboxes {
        let texts = [&mailbox.in_use, &mailbox.unreadable, &mailbox.owner].into_iter().flatten();
        let bytes =
            texts.chain([&mailbox.root, &mailbox.path, &mailbox.title]).map(String::len).sum::<usize>();
        let full = pages.last().is_some_and(|page: &Vec<_>| page.len() == MESSAGE_LIST_ENTRIES);
        if full || page_bytes + bytes > FOUND_PAGE_BYTES {
            pages.push(Vec::new());
            page_bytes = 0;
        }
        page_bytes += bytes;
        pages.last_mut().into_iter().for_each(|page| page.push(mailbox.clone()));
    }
    let last = pages.len() - 1;
    (0..)
        .zip(pages)
        .map(|(page, mailboxes)| FoundRequest { page, last: page as usize == last, mailboxes })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::limits::BODY_BYTES;
    use crate::protocol::frame;

    fn paths(found: &[FoundMailbox]) -> Vec<&str> {
        found.iter().map(|mailbox| mailbox.path.as_str()).collect()
    }

    #[test]
    fn files_with_the_name_of_a_mailbox_are_found_at_any_depth() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("a/b")).unwrap();
        fs::write(root.path().join("a/b/joe.NSF"), [0; 9]).unwrap();
        fs::write(root.path().join("readme.txt"), "x").unwrap();
        let mut finder = Finder::default();
        let found = finder.look(&[root.path().to_owned()]);
        assert_eq!(paths(&found), ["a/b/joe.NSF"]);
        assert_eq!((found[0].bytes, found[0].root.as_str()), (9, root.path().to_str().unwrap()));
        let why = found[0].unreadable.as_deref().unwrap();
        assert!(why.contains("is not a Notes database"), "{why}");

        fs::write(root.path().join("jane.nsf"), "").unwrap();
        assert_eq!(paths(&finder.look(&[root.path().to_owned()])), ["a/b/joe.NSF", "jane.nsf"]);
        fs::remove_file(root.path().join("a/b/joe.NSF")).unwrap();
        assert_eq!(paths(&finder.look(&[root.path().to_owned()])), ["jane.nsf"]);
    }

    #[cfg(unix)]
    #[test]
    fn links_are_not_followed_and_lead_into_no_loop() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("a")).unwrap();
        fs::write(root.path().join("a/jane.nsf"), "").unwrap();
        std::os::unix::fs::symlink(root.path(), root.path().join("a/loop")).unwrap();
        std::os::unix::fs::symlink(root.path().join("a/jane.nsf"), root.path().join("again.nsf")).unwrap();
        assert_eq!(paths(&Finder::default().look(&[root.path().to_owned()])), ["a/jane.nsf"]);
    }

    #[test]
    fn a_root_that_is_gone_is_an_entry_with_its_reason() {
        let root = tempfile::tempdir().unwrap();
        let gone = root.path().join("gone");
        let found = Finder::default().look(&[gone]);
        assert_eq!(paths(&found), [""]);
        assert!(found[0].unreadable.as_deref().unwrap().starts_with("the folder cannot be read"));
    }

    #[test]
    fn a_long_listing_takes_several_pages() {
        let mailbox = |count: usize| FoundMailbox {
            unreadable: Some("w".repeat(count)),
            ..named(Path::new("/mail"), Path::new("/mail/jane.nsf"), 1)
        };
        let shape = |mailboxes: Vec<FoundMailbox>| -> Vec<(u32, bool, usize)> {
            let pages = pages(mailboxes);
            assert!(pages.iter().all(|page| frame::encode(page).unwrap().len() <= BODY_BYTES));
            pages.iter().map(|page| (page.page, page.last, page.mailboxes.len())).collect()
        };
        assert_eq!(shape(Vec::new()), [(0, true, 0)]);
        assert_eq!(shape(vec![mailbox(1); 1_001]), [(0, false, 1_000), (1, true, 1)]);
        assert_eq!(shape(vec![mailbox(1_000_000); 3]), [(0, false, 2), (1, true, 1)]);
    }
}
