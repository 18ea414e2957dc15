//! The data buffer: content that arrived and is not delivered yet.
//!
//! Written by `server::communication` (keep), taken by `server::migration`. The content lies in `store::spool`, sealed
//! with a key of its migration that lives in memory only. Taking moves lines from buffer to spool, never bytes.
//!
//! Invariant E: the buffer of a migration and the sum of all buffers and spools are bounded, and full means *try again
//! later*; but a migration with an empty buffer may always keep one chunk, so that none can be starved by the others.
//! How much is taken at once is up to the taker. Invariant B: a chunk leaves when the last [`SpooledChunk`] of it is
//! dropped, or when it is cleared.

use crate::base::ids::{ChunkNumber, MigrationId};
use crate::base::limits::{ALL_DATA_BYTES, DATA_BUFFER_BYTES, RESERVE_FREE_BYTES, SPOOL_FILE_BYTES};
use crate::protocol::action::Held;
use crate::protocol::transfer::Chunk;
use crate::store::StoreError;
use crate::store::seal::SealKey;
use crate::store::spool::{Kept, Line, Part, Spool};
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The smallest page of the file.
const PAGE_BYTES: u64 = 4096;

/// How much is kept.
#[derive(Clone, Copy, Debug)]
pub struct DataLimits {
    pub buffer_bytes_per_migration: u64,
    /// In the buffers and the spools of all migrations together.
    pub all_bytes: u64,
    /// What stays free on the disk for everything else.
    pub reserve_free_bytes: u64,
}

/// Room on the disk of the content.
#[derive(Clone, Copy, Debug)]
pub struct Disk {
    pub free_bytes: u64,
    /// What is to stay free.
    pub reserve_bytes: u64,
}

impl Default for DataLimits {
    fn default() -> Self {
        Self {
            buffer_bytes_per_migration: DATA_BUFFER_BYTES,
            all_bytes: ALL_DATA_BYTES,
            reserve_free_bytes: RESERVE_FREE_BYTES,
        }
    }
}

/// Whether there was room for a chunk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Room {
    Kept,
    /// Why not, in a sentence.
    Full {
        why: String,
    },
}

/// What arrived for all migrations.
#[derive(Debug)]
pub struct DataBuffer {
    inner: Arc<Inner>,
    limits: DataLimits,
}

#[derive(Debug)]
struct Inner {
    spool: Spool,
    accounts: Mutex<Accounts>,
}

type Accounts = HashMap<MigrationId, Account>;

/// What one migration holds; removed when that is nothing.
#[derive(Debug)]
struct Account {
    key: Arc<SealKey>,
    buffered_bytes: u64,
    spooled_bytes: u64,
}

/// A chunk that was taken from the buffer. Its content leaves the spool with the transaction after its last clone was
/// dropped.
#[derive(Clone, Debug)]
pub struct SpooledChunk(Arc<Taken>);

#[derive(Debug)]
struct Taken {
    kept: Kept,
    key: Arc<SealKey>,
    inner: Arc<Inner>,
}

impl DataBuffer {
    /// An empty buffer whose file lies in `folder`; what an earlier run left there is removed.
    ///
    /// # Errors
    /// When the file cannot be removed or made.
    pub fn open(folder: &Path, limits: DataLimits) -> Result<Self, StoreError> {
        let spool = Spool::make(folder)?;
        Ok(Self { inner: Arc::new(Inner { spool, accounts: Mutex::default() }), limits })
    }

    /// Keeps a chunk, if there is room.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn keep(&self, held: &Held, chunk: &Chunk) -> Result<Room, StoreError> {
        let bytes = chunk.payload().len() as u64;
        let line = Line {
            migration: held.migration,
            action: held.action,
            epoch: held.epoch,
            number: chunk.number(),
            last: chunk.is_last(),
            bytes,
        };
        let key = match self.reserve(held.migration, cost(&line))? {
            Ok(key) => key,
            Err(why) => return Ok(Room::Full { why }),
        };
        let result = self.inner.spool.keep(line, chunk.payload(), &key);
        if result.is_err() {
            self.inner.change(held.migration, |account| account.buffered_bytes -= cost(&line));
        }
        result.map(|()| Room::Kept)
    }

    /// Counts a chunk before it is written. The key to seal it with, or why there is no room.
    fn reserve(&self, migration: MigrationId, cost: u64) -> Result<Result<Arc<SealKey>, String>, StoreError> {
        let mut accounts = lock(&self.inner.accounts);
        self.inner.tidy(&accounts)?;
        if let Some(why) = self.full(&accounts, migration, cost) {
            return Ok(Err(why));
        }
        let account = match accounts.entry(migration) {
            Entry::Occupied(account) => account.into_mut(),
            Entry::Vacant(place) => place.insert(Account::new().map_err(StoreError::Random)?),
        };
        account.buffered_bytes += cost;
        Ok(Ok(Arc::clone(&account.key)))
    }

    fn full(&self, accounts: &Accounts, migration: MigrationId, cost: u64) -> Option<String> {
        let all: u64 = accounts.values().map(Account::bytes).sum();
        let spool = &self.inner.spool;
        // Pages that became free inside the file need no room on the disk.
        let grows = all + cost > spool.file_bytes() / 2;
        if let Some(why) = self.disk_full()
            && grows
        {
            return Some(why);
        }
        let buffered = accounts.get(&migration).map_or(0, |account| account.buffered_bytes);
        if buffered == 0 {
            return None;
        }
        if buffered + cost > self.limits.buffer_bytes_per_migration {
            return Some("what arrived for this mailbox before is still to be delivered".to_owned());
        }
        (all + cost > self.limits.all_bytes)
            .then(|| "what arrived for all mailboxes together is still to be delivered".to_owned())
    }

    /// Why nothing is kept that makes the file grow: the disk has less room than the reserve, in a sentence.
    pub fn disk_full(&self) -> Option<String> {
        let Disk { free_bytes, reserve_bytes } = self.disk();
        (free_bytes < reserve_bytes).then(|| {
            let (free, reserve) = (free_bytes >> 20, reserve_bytes >> 20);
            let folder = self.inner.spool.folder().display();
            format!("{folder} has {free} MiB left, and {reserve} MiB are to stay free")
        })
    }

    /// The disk that the content lies on.
    pub fn disk(&self) -> Disk {
        // Where the system does not say, there is none.
        let free_bytes = fs4::available_space(self.inner.spool.folder()).unwrap_or(0);
        Disk { free_bytes, reserve_bytes: self.limits.reserve_free_bytes }
    }

    /// Takes the chunks of a migration in the order in which they were kept, until `most_bytes` of them are taken, but
    /// always at least one if there is one.
    ///
    /// # Errors
    /// When the file cannot be read or written.
    pub fn take(&self, migration: MigrationId, most_bytes: u64) -> Result<Vec<SpooledChunk>, StoreError> {
        if !self.waiting(migration) {
            return Ok(Vec::new());
        }
        let taken = self.inner.spool.take(migration, most_bytes)?;
        let bytes: u64 = taken.iter().map(|kept| cost(&kept.line)).sum();
        let mut accounts = lock(&self.inner.accounts);
        let Some(account) = accounts.get_mut(&migration) else { return Ok(Vec::new()) };
        account.buffered_bytes -= bytes;
        account.spooled_bytes += bytes;
        let key = &account.key;
        let spooled = |kept| Taken { kept, key: Arc::clone(key), inner: Arc::clone(&self.inner) };
        Ok(taken.into_iter().map(|kept| SpooledChunk(Arc::new(spooled(kept)))).collect())
    }

    /// Whether something arrived that was not taken.
    pub fn waiting(&self, migration: MigrationId) -> bool {
        self.buffered_bytes(migration) > 0
    }

    /// What arrived and was not taken, in bytes; a chunk counts as one page at least.
    pub fn buffered_bytes(&self, migration: MigrationId) -> u64 {
        lock(&self.inner.accounts).get(&migration).map_or(0, |account| account.buffered_bytes)
    }

    /// What was taken and not dropped, in bytes; a chunk counts as one page at least.
    pub fn spooled_bytes(&self, migration: MigrationId) -> u64 {
        lock(&self.inner.accounts).get(&migration).map_or(0, |account| account.spooled_bytes)
    }

    /// Drops what arrived and was not taken. Called while no lease of the migration is live, since chunks of a newer
    /// one would go too; what was taken is left to its owner.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn clear(&self, migration: MigrationId) -> Result<(), StoreError> {
        drop(self.take(migration, u64::MAX)?);
        self.inner.spool.sweep()?;
        self.inner.tidy(&lock(&self.inner.accounts))
    }
}

impl Inner {
    /// Makes the file anew when it is empty and large, which gives its room back to the disk.
    fn tidy(&self, accounts: &Accounts) -> Result<(), StoreError> {
        match accounts.is_empty() && self.spool.file_bytes() >= SPOOL_FILE_BYTES {
            true => self.spool.make_anew(),
            false => Ok(()),
        }
    }

    fn change(&self, migration: MigrationId, change: impl FnOnce(&mut Account)) {
        let mut accounts = lock(&self.accounts);
        if let Some(account) = accounts.get_mut(&migration) {
            change(account);
            if account.bytes() == 0 {
                accounts.remove(&migration);
            }
        }
    }
}

impl Account {
    fn new() -> io::Result<Self> {
        Ok(Self { key: Arc::new(SealKey::random()?), buffered_bytes: 0, spooled_bytes: 0 })
    }

    fn bytes(&self) -> u64 {
        self.buffered_bytes + self.spooled_bytes
    }
}

impl SpooledChunk {
    pub fn number(&self) -> ChunkNumber {
        self.0.kept.line.number
    }

    /// Whether the answer ends with this chunk.
    pub fn is_last(&self) -> bool {
        self.0.kept.line.last
    }

    /// The lease under which it arrived. Chunks of an earlier one come before those of a later one.
    pub fn held(&self) -> Held {
        let Line { migration, action, epoch, .. } = self.0.kept.line;
        Held { migration, action, epoch }
    }

    /// The length of its content.
    pub fn bytes(&self) -> u64 {
        self.0.kept.line.bytes
    }

    /// The chunk, as it arrived.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn read(&self) -> Result<Chunk, StoreError> {
        let payload = self.0.inner.spool.read(&self.0.kept, &self.0.key)?;
        Ok(Chunk::new(self.number(), self.is_last(), payload))
    }

    /// The part of its content around `offset` that can be read without the rest.
    ///
    /// # Errors
    /// When the file cannot be read, or there is nothing at `offset`.
    pub fn read_part(&self, offset: u64) -> Result<Part, StoreError> {
        self.0.inner.spool.read_part(&self.0.kept, offset, &self.0.key)
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        let Line { migration, .. } = self.kept.line;
        self.inner.change(migration, |account| account.spooled_bytes -= cost(&self.kept.line));
        self.inner.spool.forget(self.kept);
    }
}

/// What a chunk takes of the room: the many small ones of a hostile extractor are limited like a few large ones.
fn cost(line: &Line) -> u64 {
    line.bytes.max(PAGE_BYTES)
}

/// A thread that panicked while it held a lock left nothing half done.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::ids::{ActionId, Epoch};
    use crate::base::limits::CHUNK_BYTES;
    use tempfile::TempDir;

    const LIMITS: DataLimits =
        DataLimits { buffer_bytes_per_migration: 100_000, all_bytes: 1 << 30, reserve_free_bytes: 0 };

    fn buffer(limits: DataLimits) -> (TempDir, DataBuffer) {
        let folder = tempfile::tempdir().unwrap();
        let buffer = DataBuffer::open(folder.path(), limits).unwrap();
        (folder, buffer)
    }

    fn held(migration: u64) -> Held {
        Held { migration: MigrationId(migration), action: ActionId(1), epoch: Epoch(1) }
    }

    fn chunk(number: u32, bytes: usize) -> Chunk {
        Chunk::new(ChunkNumber(number), false, vec![number as u8; bytes])
    }

    fn keeps(buffer: &DataBuffer, migration: u64, number: u32, bytes: usize) -> bool {
        buffer.keep(&held(migration), &chunk(number, bytes)).unwrap() == Room::Kept
    }

    fn numbers(chunks: &[SpooledChunk]) -> Vec<u32> {
        chunks.iter().map(|chunk| chunk.number().0).collect()
    }

    #[test]
    fn chunks_are_taken_in_order_and_read_as_they_came() {
        let (_folder, buffer) = buffer(LIMITS);
        assert!((1..=5).all(|number| keeps(&buffer, 1, number, 10_000)) && keeps(&buffer, 2, 9, 10_000));
        let first = buffer.take(MigrationId(1), 25_000).unwrap();
        assert_eq!(numbers(&first), [1, 2]);
        assert_eq!(first[1].read().unwrap(), chunk(2, 10_000));
        assert_eq!((first[1].held(), first[1].bytes(), first[1].is_last()), (held(1), 10_000, false));
        // At least one, however little is asked for.
        assert_eq!(numbers(&buffer.take(MigrationId(1), 0).unwrap()), [3]);
        assert_eq!(numbers(&buffer.take(MigrationId(1), u64::MAX).unwrap()), [4, 5]);
        assert!(buffer.take(MigrationId(1), u64::MAX).unwrap().is_empty());
        assert!(buffer.waiting(MigrationId(2)) && !buffer.waiting(MigrationId(1)));
    }

    #[test]
    fn a_chunk_is_there_until_its_last_clone_is_dropped() {
        let (_folder, buffer) = buffer(LIMITS);
        keeps(&buffer, 1, 1, 10_000);
        let taken = buffer.take(MigrationId(1), 1).unwrap().remove(0);
        let clone = taken.clone();
        drop(taken);
        assert_eq!(
            (buffer.buffered_bytes(MigrationId(1)), buffer.spooled_bytes(MigrationId(1))),
            (0, 10_000)
        );
        assert_eq!(clone.read().unwrap(), chunk(1, 10_000));
        drop(clone);
        assert_eq!(buffer.spooled_bytes(MigrationId(1)), 0);
        assert!(lock(&buffer.inner.accounts).is_empty(), "the key goes with the last content");
    }

    #[test]
    fn a_full_buffer_has_room_again_when_it_is_taken() {
        let (_folder, buffer) = buffer(LIMITS);
        assert!(keeps(&buffer, 1, 1, 60_000));
        assert!(!keeps(&buffer, 1, 2, 60_000));
        assert!(keeps(&buffer, 2, 1, 60_000), "the others have their own");
        let _taken = buffer.take(MigrationId(1), 1).unwrap();
        assert!(keeps(&buffer, 1, 2, 60_000));
    }

    #[test]
    fn one_chunk_is_always_kept_however_full_the_others_are() {
        let (_folder, buffer) =
            buffer(DataLimits { buffer_bytes_per_migration: 1 << 30, all_bytes: 100_000, ..LIMITS });
        assert!(keeps(&buffer, 1, 1, 90_000));
        assert!(keeps(&buffer, 2, 1, CHUNK_BYTES));
        let Room::Full { why } = buffer.keep(&held(2), &chunk(2, 1)).unwrap() else { panic!() };
        assert!(why.contains("all mailboxes"));
        let taken = buffer.take(MigrationId(2), 1).unwrap();
        assert!(keeps(&buffer, 2, 2, 1), "what was taken is up to the taker");
        drop(taken);
    }

    #[test]
    fn many_small_chunks_count_as_pages() {
        let (_folder, buffer) = buffer(LIMITS);
        let kept = (1..100).take_while(|&number| keeps(&buffer, 1, number, 1)).count();
        assert_eq!(kept, 100_000 / 4096);
    }

    #[test]
    fn nothing_is_kept_below_the_reserve_of_the_disk() {
        let (_folder, buffer) = buffer(DataLimits { reserve_free_bytes: u64::MAX, ..LIMITS });
        let Room::Full { why } = buffer.keep(&held(1), &chunk(1, 1 << 20)).unwrap() else { panic!() };
        assert!(why.contains("are to stay free"));
        assert!(buffer.disk_full().is_some() && !buffer.waiting(MigrationId(1)));
    }

    #[test]
    fn what_was_taken_survives_a_clear() {
        let (_folder, buffer) = buffer(LIMITS);
        assert!(keeps(&buffer, 1, 1, 10) && keeps(&buffer, 1, 2, 10));
        let taken = buffer.take(MigrationId(1), 1).unwrap();
        buffer.clear(MigrationId(1)).unwrap();
        assert!(!buffer.waiting(MigrationId(1)));
        assert_eq!(taken[0].read().unwrap(), chunk(1, 10));
    }

    #[test]
    fn a_large_file_is_made_anew_when_it_is_empty() {
        let (_folder, buffer) = buffer(DataLimits { buffer_bytes_per_migration: 1 << 30, ..LIMITS });
        let chunks = SPOOL_FILE_BYTES / CHUNK_BYTES as u64 + 1;
        assert!((1..=chunks as u32).all(|number| keeps(&buffer, 1, number, CHUNK_BYTES)));
        let taken = buffer.take(MigrationId(1), u64::MAX).unwrap();
        buffer.clear(MigrationId(1)).unwrap();
        assert!(buffer.inner.spool.file_bytes() > SPOOL_FILE_BYTES);
        assert_eq!(taken[0].read().unwrap(), chunk(1, CHUNK_BYTES));
        drop(taken);
        buffer.clear(MigrationId(1)).unwrap();
        assert!(buffer.inner.spool.file_bytes() < SPOOL_FILE_BYTES);
        assert!(keeps(&buffer, 1, 1, 10));
        assert_eq!(buffer.take(MigrationId(1), 1).unwrap()[0].read().unwrap(), chunk(1, 10));
    }
}
