//! `spool.redb`: content that arrived and is not delivered yet.
//!
//! Written and read by `buffers::data` alone. Each chunk is sealed with a key that lives in memory only, so the file
//! is worth nothing to another process and is made anew at each start: the source is the durable copy, and no commit
//! waits for the disk. Invariant B: content leaves when its owner says so, with the next transaction.
//!
//! A chunk is a line in the table `buffer`, then in `spool`, and one or more values in `content`, which stay where they
//! are. Lines are numbered in the order in which they were kept.

use crate::base::ids::{ActionId, ChunkNumber, Epoch, MigrationId};
use crate::base::limits::{SPOOL_CACHE_BYTES, SPOOL_COMMITS, SPOOL_VALUE_BYTES};
use crate::store::open::StoreError;
use crate::store::seal::{SEAL_BYTES, SealError, SealKey};
use redb::backends::FileBackend;
use redb::{
    Database, Durability, ReadableDatabase, ReadableTable, StorageBackend, TableDefinition, WriteTransaction,
};
use std::fs::{self, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};

/// (line, piece) -> sealed bytes.
const CONTENT: TableDefinition<(u64, u32), &[u8]> = TableDefinition::new("content");

/// (action, epoch, number, last, bytes) of a chunk.
type Fields = (u64, u64, u32, bool, u64);

/// (migration, line) -> a chunk that nobody took yet.
const BUFFER: TableDefinition<(u64, u64), Fields> = TableDefinition::new("buffer");

/// (migration, line) -> a chunk that was taken.
const SPOOL: TableDefinition<(u64, u64), Fields> = TableDefinition::new("spool");

/// What is known of a chunk beside its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
    pub migration: MigrationId,
    pub action: ActionId,
    pub epoch: Epoch,
    pub number: ChunkNumber,
    pub last: bool,
    /// Of the content.
    pub bytes: u64,
}

/// A chunk in the spool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kept {
    id: u64,
    pub line: Line,
}

/// A part of the content of a chunk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Of its first byte in the content.
    pub start: u64,
    pub bytes: Vec<u8>,
}

impl Part {
    /// The bytes from `offset` of the content to the end of the part, `None` outside of it.
    pub fn from(&self, offset: u64) -> Option<&[u8]> {
        let skip = usize::try_from(offset.checked_sub(self.start)?).ok()?;
        self.bytes.get(skip..).filter(|rest| !rest.is_empty())
    }
}

/// The open spool. It belongs to this process until it is dropped.
#[derive(Debug)]
pub struct Spool {
    path: PathBuf,
    /// Exclusive only while the file is made anew.
    database: RwLock<Database>,
    next_id: AtomicU64,
    commits: AtomicU64,
    /// What the next transaction removes.
    gone: Mutex<Vec<Kept>>,
}

impl Spool {
    /// The name of the file in the data folder.
    pub const FILE_NAME: &'static str = "spool.redb";

    /// Makes an empty spool in `folder`; one of an earlier run is removed.
    ///
    /// # Errors
    /// When the file cannot be removed or made.
    pub fn make(folder: &Path) -> Result<Self, StoreError> {
        let path = folder.join(Self::FILE_NAME);
        let database = make_file(&path)?;
        Ok(Self {
            path,
            database: RwLock::new(database),
            next_id: AtomicU64::new(0),
            commits: AtomicU64::new(0),
            gone: Mutex::default(),
        })
    }

    /// The folder in which the file lies.
    pub fn folder(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new("."))
    }

    /// The length of the file.
    pub fn file_bytes(&self) -> u64 {
        fs::metadata(&self.path).map_or(0, |file| file.len())
    }

    /// Makes the file anew. Nothing may be kept in it.
    ///
    /// # Errors
    /// When the file cannot be removed or made.
    pub fn make_anew(&self) -> Result<(), StoreError> {
        let mut database = self.database.write().unwrap_or_else(PoisonError::into_inner);
        lock(&self.gone).clear();
        *database = make_file(&self.path)?;
        Ok(())
    }

    /// Keeps a chunk in the buffer of its migration, sealed with `key`.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn keep(&self, line: Line, content: &[u8], key: &SealKey) -> Result<(), StoreError> {
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        self.write(|transaction| {
            let fields = (line.action.0, line.epoch.0, line.number.0, line.last, line.bytes);
            transaction.open_table(BUFFER)?.insert((line.migration.0, id), fields)?;
            let mut table = transaction.open_table(CONTENT)?;
            for (piece, bytes) in (0..).zip(content.chunks(SPOOL_VALUE_BYTES)) {
                let mut place = table.insert_reserve((id, piece), bytes.len() + SEAL_BYTES)?;
                key.seal_into(bytes, &context(id, piece), place.as_mut()).map_err(StoreError::Random)?;
            }
            Ok(())
        })
    }

    /// Moves lines of a migration from buffer to spool, in order, until `most_bytes` of content are taken, but at least
    /// one if there is one.
    ///
    /// # Errors
    /// When the file cannot be read or written.
    pub fn take(&self, migration: MigrationId, most_bytes: u64) -> Result<Vec<Kept>, StoreError> {
        self.write(|transaction| {
            let mut buffer = transaction.open_table(BUFFER)?;
            let mut spool = transaction.open_table(SPOOL)?;
            let taken = first_lines(&buffer, migration, most_bytes)?;
            for Kept { id, .. } in &taken {
                let key = (migration.0, *id);
                let fields = buffer.remove(key)?.expect("the line was just read").value();
                spool.insert(key, fields)?;
            }
            Ok(taken)
        })
    }

    /// The content of a chunk.
    ///
    /// # Errors
    /// When the file cannot be read, or holds something else than what was kept.
    pub fn read(&self, kept: &Kept, key: &SealKey) -> Result<Vec<u8>, StoreError> {
        let mut content = Vec::with_capacity(kept.line.bytes as usize);
        let table = self.database().begin_read()?.open_table(CONTENT)?;
        for piece in table.range((kept.id, 0)..=(kept.id, u32::MAX))? {
            let (place, sealed) = piece?;
            let (id, piece) = place.value();
            key.open_into(sealed.value(), &context(id, piece), &mut content)?;
        }
        match content.len() as u64 == kept.line.bytes {
            true => Ok(content),
            // It was removed.
            false => Err(SealError.into()),
        }
    }

    /// The part of a chunk around `offset` that was sealed together.
    ///
    /// # Errors
    /// When the file cannot be read, or there is nothing at `offset`.
    pub fn read_part(&self, kept: &Kept, offset: u64, key: &SealKey) -> Result<Part, StoreError> {
        let piece = u32::try_from(offset / SPOOL_VALUE_BYTES as u64).map_err(|_| SealError)?;
        let table = self.database().begin_read()?.open_table(CONTENT)?;
        let sealed = table.get((kept.id, piece))?.ok_or(SealError)?;
        let bytes = key.open(sealed.value(), &context(kept.id, piece))?;
        Ok(Part { start: u64::from(piece) * SPOOL_VALUE_BYTES as u64, bytes })
    }

    /// Removes a chunk with the next transaction.
    pub fn forget(&self, kept: Kept) {
        lock(&self.gone).push(kept);
    }

    /// Removes what was forgotten.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn sweep(&self) -> Result<(), StoreError> {
        self.write(|_| Ok(()))
    }

    /// One transaction, which also removes what was forgotten.
    fn write<R>(
        &self,
        change: impl FnOnce(&WriteTransaction) -> Result<R, StoreError>,
    ) -> Result<R, StoreError> {
        let database = self.database();
        let mut transaction = database.begin_write()?;
        let commits = self.commits.fetch_add(1, Ordering::Relaxed);
        let durability =
            if commits.is_multiple_of(SPOOL_COMMITS) { Durability::Immediate } else { Durability::None };
        transaction.set_durability(durability)?;
        let gone = std::mem::take(&mut *lock(&self.gone));
        gone.iter().try_for_each(|kept| remove(&transaction, kept))?;
        let result = change(&transaction)?;
        transaction.commit()?;
        Ok(result)
    }

    fn database(&self) -> RwLockReadGuard<'_, Database> {
        self.database.read().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The lines of a migration up to `most_bytes` of content, at least one if there is one.
fn first_lines(
    buffer: &impl ReadableTable<(u64, u64), Fields>,
    migration: MigrationId,
    most_bytes: u64,
) -> Result<Vec<Kept>, StoreError> {
    let mut left = most_bytes;
    let mut lines = Vec::new();
    for found in buffer.range((migration.0, 0)..=(migration.0, u64::MAX))? {
        let (key, fields) = found?;
        let (action, epoch, number, last, bytes) = fields.value();
        if !lines.is_empty() && bytes > left {
            break;
        }
        left = left.saturating_sub(bytes);
        let (action, epoch, number) = (ActionId(action), Epoch(epoch), ChunkNumber(number));
        let line = Line { migration, action, epoch, number, last, bytes };
        lines.push(Kept { id: key.value().1, line });
    }
    Ok(lines)
}

fn remove(transaction: &WriteTransaction, kept: &Kept) -> Result<(), StoreError> {
    let key = (kept.line.migration.0, kept.id);
    transaction.open_table(BUFFER)?.remove(key)?;
    transaction.open_table(SPOOL)?.remove(key)?;
    transaction.open_table(CONTENT)?.retain_in((kept.id, 0)..=(kept.id, u32::MAX), |_, _| false)?;
    Ok(())
}

/// The place for which a value is sealed.
fn context(id: u64, piece: u32) -> [u8; 12] {
    let mut context = [0; 12];
    context[..8].copy_from_slice(&id.to_le_bytes());
    context[8..].copy_from_slice(&piece.to_le_bytes());
    context
}

fn make_file(path: &Path) -> Result<Database, StoreError> {
    let open_error = |why: String| StoreError::Open { path: path.to_owned(), why };
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(open_error(error.to_string())),
        _ => {}
    }
    let file = OpenOptions::new().read(true).write(true).create_new(true).open(path);
    let file = file.map_err(|error| open_error(error.to_string()))?;
    let backend = FileBackend::new(file).map_err(|error| open_error(error.to_string()))?;
    let mut builder = Database::builder();
    builder.set_cache_size(SPOOL_CACHE_BYTES);
    let database =
        builder.create_with_backend(Unsynced(backend)).map_err(|error| open_error(error.to_string()))?;
    let transaction = database.begin_write()?;
    transaction.open_table(CONTENT)?;
    transaction.open_table(BUFFER)?;
    transaction.open_table(SPOOL)?;
    transaction.commit()?;
    Ok(database)
}

/// A file that is not flushed: it is made anew after a crash.
#[derive(Debug)]
struct Unsynced(FileBackend);

impl StorageBackend for Unsynced {
    fn len(&self) -> Result<u64, io::Error> {
        self.0.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> Result<(), io::Error> {
        self.0.read(offset, out)
    }

    fn set_len(&self, len: u64) -> Result<(), io::Error> {
        self.0.set_len(len)
    }

    fn sync_data(&self) -> Result<(), io::Error> {
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> Result<(), io::Error> {
        self.0.write(offset, data)
    }

    fn close(&self) -> Result<(), io::Error> {
        self.0.close()
    }
}

/// A thread that panicked while it held a lock left nothing half done.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use redb::ReadableTableMetadata;

    const MIGRATION: MigrationId = MigrationId(1);

    fn line(number: u32, content: &[u8]) -> Line {
        let bytes = content.len() as u64;
        let number = ChunkNumber(number);
        Line { migration: MIGRATION, action: ActionId(1), epoch: Epoch(1), number, last: false, bytes }
    }

    /// Keeps a chunk and takes it.
    fn spooled(spool: &Spool, number: u32, content: &[u8], key: &SealKey) -> Kept {
        spool.keep(line(number, content), content, key).unwrap();
        spool.take(MIGRATION, u64::MAX).unwrap()[0]
    }

    fn rows(spool: &Spool) -> (u64, u64, u64) {
        let transaction = spool.database().begin_read().unwrap();
        (
            transaction.open_table(BUFFER).unwrap().len().unwrap(),
            transaction.open_table(SPOOL).unwrap().len().unwrap(),
            transaction.open_table(CONTENT).unwrap().len().unwrap(),
        )
    }

    #[test]
    fn content_opens_with_the_key_of_its_migration_only() {
        let folder = tempfile::tempdir().unwrap();
        let spool = Spool::make(folder.path()).unwrap();
        let key = SealKey::random().unwrap();
        let content = b"somebody's mail ".repeat(100);
        let kept = spooled(&spool, 1, &content, &key);
        assert_eq!(spool.read(&kept, &key).unwrap(), content);
        let other = SealKey::random().unwrap();
        assert!(matches!(spool.read(&kept, &other), Err(StoreError::Sealed(_))));
        let file = fs::read(folder.path().join(Spool::FILE_NAME)).unwrap();
        assert!(!file.windows(15).any(|window| window == b"somebody's mail"));
    }

    #[test]
    fn lines_move_and_content_leaves_with_the_next_transaction() {
        let folder = tempfile::tempdir().unwrap();
        let spool = Spool::make(folder.path()).unwrap();
        let key = SealKey::random().unwrap();
        // Longer than one value.
        let content = vec![7; 2 * SPOOL_VALUE_BYTES + 1];
        spool.keep(line(1, &content), &content, &key).unwrap();
        assert_eq!(rows(&spool), (1, 0, 3));
        let kept = spool.take(MIGRATION, 1).unwrap()[0];
        assert_eq!(rows(&spool), (0, 1, 3));
        assert_eq!(spool.read(&kept, &key).unwrap(), content);
        spool.forget(kept);
        spool.sweep().unwrap();
        assert_eq!(rows(&spool), (0, 0, 0));
        assert!(spool.read(&kept, &key).is_err());
    }

    #[test]
    fn a_part_is_read_without_the_rest() {
        let folder = tempfile::tempdir().unwrap();
        let spool = Spool::make(folder.path()).unwrap();
        let key = SealKey::random().unwrap();
        let content: Vec<u8> = (0..SPOOL_VALUE_BYTES + 10).map(|at| at as u8).collect();
        let kept = spooled(&spool, 1, &content, &key);
        let value = SPOOL_VALUE_BYTES as u64;
        for (offset, start, end) in [(0, 0, value), (value - 1, 0, value), (value + 3, value, value + 10)] {
            let part = spool.read_part(&kept, offset, &key).unwrap();
            assert_eq!((part.start, &part.bytes[..]), (start, &content[start as usize..end as usize]));
            assert_eq!(part.from(offset), Some(&content[offset as usize..end as usize]));
            assert_eq!(part.from(end), None);
        }
        assert!(spool.read_part(&kept, 2 * value, &key).is_err());
    }

    #[test]
    fn the_spool_of_an_earlier_run_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let key = SealKey::random().unwrap();
        let spool = Spool::make(folder.path()).unwrap();
        spool.keep(line(1, b"x"), b"x", &key).unwrap();
        drop(spool);
        assert_eq!(rows(&Spool::make(folder.path()).unwrap()), (0, 0, 0));
    }

    #[test]
    fn pages_of_what_was_forgotten_are_used_again() {
        let folder = tempfile::tempdir().unwrap();
        let spool = Spool::make(folder.path()).unwrap();
        let key = SealKey::random().unwrap();
        let content = vec![7; SPOOL_VALUE_BYTES];
        for number in 1..200 {
            let kept = spooled(&spool, number, &content, &key);
            spool.forget(kept);
        }
        assert!(spool.file_bytes() < 100 << 20, "{} bytes for one chunk at a time", spool.file_bytes());
    }
}
