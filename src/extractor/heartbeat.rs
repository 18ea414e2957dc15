//! The heartbeat: looks every few seconds whether the mail source still answers, and keeps when it last did.
//!
//! Runs in a thread of the coordinator, which may hang where a share hangs: then the times that it writes to standard
//! output stop, and the guardian, which reads them, acts. The coordinator tells the server the last one.

use crate::sources::registry;
use jiff::Timestamp;
use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::thread;
use std::time::Duration;

/// Entries of a root folder that one look goes through in search of a database.
const ENTRIES: usize = 200;
/// Databases of a root folder that one look tries, because a single one may be locked or unreadable.
const DATABASES: usize = 8;

/// When the source last answered.
#[derive(Clone, Debug, Default)]
pub struct LastAnswer(Arc<AtomicI64>);

impl LastAnswer {
    /// Milliseconds since 1970-01-01 00:00 UTC; `None` if it never answered.
    pub fn unix_ms(&self) -> Option<i64> {
        Some(self.0.load(Ordering::Relaxed)).filter(|&unix_ms| unix_ms != 0)
    }
}

/// Looks for as long as the process runs. Each time at which the source answered becomes a line of standard output.
pub fn start(roots: Vec<PathBuf>, every: Duration) -> LastAnswer {
    let last = LastAnswer::default();
    let seen = last.clone();
    thread::spawn(move || {
        loop {
            if answers(&roots) {
                let now_unix_ms = Timestamp::now().as_millisecond();
                seen.0.store(now_unix_ms, Ordering::Relaxed);
                // A guardian that is gone is noticed at standard input.
                let _ = writeln!(io::stdout(), "{now_unix_ms}");
            }
            thread::sleep(every);
        }
    });
    last
}

/// Whether one of the roots answers; that another one is missing does not stop the work on this one.
fn answers(roots: &[PathBuf]) -> bool {
    roots.iter().any(|root| look(root).is_ok())
}

/// Reads the folder, and the first byte of a database in it if there is one.
fn look(root: &Path) -> io::Result<()> {
    let entries = fs::read_dir(root)?.take(ENTRIES).collect::<io::Result<Vec<_>>>()?;
    let databases = entries.iter().map(fs::DirEntry::path).filter(|path| registry::has_mailbox_name(path));
    let mut result = Ok(());
    for database in databases.take(DATABASES) {
        result = File::open(database).and_then(|mut file| file.read(&mut [0]).map(drop));
        if result.is_ok() {
            break;
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_answers_if_one_of_its_folders_and_a_database_can_be_read() {
        let temporary = tempfile::tempdir().unwrap();
        let root = temporary.path().join("mail");
        let gone = temporary.path().join("gone");
        assert!(!answers(std::slice::from_ref(&root)));
        fs::create_dir(&root).unwrap();
        assert!(answers(&[gone, root.clone()]), "an empty folder answers");
        // A folder with the name of a database cannot be read as a file.
        fs::create_dir(root.join("a.nsf")).unwrap();
        assert!(!answers(std::slice::from_ref(&root)));
        fs::write(root.join("b.NSF"), "x").unwrap();
        assert!(answers(&[root]));
    }
}
