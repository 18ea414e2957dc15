//! Opening `state.redb`: made when missing, refused when it is in use or newer than this program.

use crate::base::files::replace_file;
use crate::base::limits::STORE_CACHE_BYTES;
use crate::store::record::RecordError;
use crate::store::seal::SealError;
use crate::store::tables::{
    ACTIONS, AUDIT, CONFIG, COUNTERS, FOLDERS, IN_FLIGHT, LEDGER, META, REMOVALS, SCHEMA, SCHEMA_VERSION,
    TWINS,
};
use crate::store::writer::Writer;
use redb::{Builder, Database, DatabaseError, ReadableDatabase, StorageBackend, TableError};
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

/// Why the state cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("{path} is in use by another notesferry; let it finish, or give this one its own --state-dir")]
    InUse { path: PathBuf },
    #[error(
        "{path} was written by a newer notesferry (schema {found}, this one knows {SCHEMA_VERSION}); use that one"
    )]
    Newer { path: PathBuf, found: u32 },
    #[error("{path} cannot be opened: {why}")]
    Open { path: PathBuf, why: String },
    #[error("the state could not be read or written: {0}")]
    Failed(Box<redb::Error>),
    #[error("the state holds a record that cannot be read: {0}")]
    Record(#[from] RecordError),
    #[error("spooled content cannot be read: {0}")]
    Sealed(#[from] SealError),
    #[error("the system has no randomness: {0}")]
    Random(std::io::Error),
}

/// Every error of redb after opening means the same to callers, so all of them become one.
macro_rules! failed {
    ($($error:ty),*) => {
        $(impl From<$error> for StoreError {
            fn from(error: $error) -> Self {
                Self::Failed(Box::new(error.into()))
            }
        })*
    };
}
failed!(
    redb::TransactionError,
    redb::TableError,
    redb::StorageError,
    redb::CommitError,
    redb::SetDurabilityError
);

/// The open state file. It belongs to this process until it is dropped.
#[derive(Debug)]
pub struct StateStore {
    pub(super) database: Database,
    pub(super) writer: Writer,
    /// Locked as long as the store is open; the file holds nothing.
    _lock: Option<File>,
}

impl StateStore {
    /// The name of the file in the state folder.
    pub const FILE_NAME: &'static str = "state.redb";

    /// Opens the state in `folder`; makes folder and file when they are missing.
    ///
    /// # Errors
    /// [`StoreError::InUse`] when another process has it open, [`StoreError::Newer`] when a later release wrote it,
    /// [`StoreError::Open`] for anything that the system says.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        let path = folder.join(Self::FILE_NAME);
        let lock = lock(folder, &path)?;
        let open_error = |why: String| StoreError::Open { path: path.clone(), why };
        if !path.exists() {
            make_file(&path).map_err(|error| open_error(error.to_string()))?;
        }
        let database = builder().open(&path).map_err(|error| open_error(error.to_string()))?;
        Ok(Self { _lock: Some(lock), ..Self::check(database, &path)? })
    }

    /// Opens a state that lies on other storage than a file, for tests that let the storage fail.
    ///
    /// # Errors
    /// As [`StateStore::open`].
    pub fn open_storage(storage: impl StorageBackend) -> Result<Self, StoreError> {
        let path = PathBuf::from(Self::FILE_NAME);
        let open_error =
            |error: DatabaseError| StoreError::Open { path: path.clone(), why: error.to_string() };
        let database = builder().create_with_backend(storage).map_err(open_error)?;
        Self::check(database, &path)
    }

    fn check(database: Database, path: &Path) -> Result<Self, StoreError> {
        match schema(&database)? {
            Some(found) if found > SCHEMA_VERSION => {
                return Err(StoreError::Newer { path: path.to_owned(), found });
            }
            Some(SCHEMA_VERSION) => {}
            // Schemas 1 and 2: entries of the ledger read as they are, and only tables are missing.
            Some(_) | None => make_tables(&database)?,
        }
        Ok(Self { database, writer: Writer::default(), _lock: None })
    }
}

/// The lock that keeps other processes away, also while the file is being made.
fn lock(folder: &Path, path: &Path) -> Result<File, StoreError> {
    let open_error = |error: io::Error| StoreError::Open { path: path.to_owned(), why: error.to_string() };
    fs::create_dir_all(folder).map_err(open_error)?;
    let lock = File::create(folder.join("state.lock")).map_err(open_error)?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(StoreError::InUse { path: path.to_owned() }),
        Err(TryLockError::Error(error)) => Err(open_error(error)),
    }
}

/// Makes the file under another name first: one that was cut off while it was made could not be opened again.
fn make_file(path: &Path) -> io::Result<()> {
    replace_file(path, |new| {
        let database = builder().create(new).map_err(io::Error::other)?;
        make_tables(&database).map_err(io::Error::other)
    })
}

fn builder() -> Builder {
    let mut builder = Database::builder();
    builder.set_cache_size(STORE_CACHE_BYTES);
    builder
}

fn schema(database: &Database) -> Result<Option<u32>, StoreError> {
    let table = match database.begin_read()?.open_table(META) {
        Err(TableError::TableDoesNotExist(_)) => return Ok(None),
        table => table?,
    };
    Ok(table.get(SCHEMA)?.map(|version| version.value()))
}

/// All tables at once, so that readers never meet a missing one.
fn make_tables(database: &Database) -> Result<(), StoreError> {
    let transaction = database.begin_write()?;
    transaction.open_table(LEDGER)?;
    transaction.open_table(IN_FLIGHT)?;
    transaction.open_table(FOLDERS)?;
    transaction.open_table(REMOVALS)?;
    transaction.open_table(TWINS)?;
    transaction.open_table(CONFIG)?;
    transaction.open_table(ACTIONS)?;
    transaction.open_table(AUDIT)?;
    transaction.open_table(COUNTERS)?;
    transaction.open_table(META)?.insert(SCHEMA, SCHEMA_VERSION)?;
    transaction.commit()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_opener_is_told_that_the_state_is_in_use() {
        let folder = tempfile::tempdir().unwrap();
        let _first = StateStore::open(folder.path()).unwrap();
        let second = StateStore::open(folder.path());
        assert!(matches!(second, Err(StoreError::InUse { .. })), "{second:?}");
    }

    #[test]
    fn a_state_that_was_cut_off_while_it_was_made_is_made_anew() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("state.new"), b"half").unwrap();
        for _ in 0..2 {
            StateStore::open(folder.path()).unwrap();
        }
        assert!(!folder.path().join("state.new").exists());
    }

    #[test]
    fn a_newer_state_is_refused_and_left_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let store = StateStore::open(folder.path()).unwrap();
        let transaction = store.database.begin_write().unwrap();
        transaction.open_table(META).unwrap().insert(SCHEMA, SCHEMA_VERSION + 1).unwrap();
        transaction.commit().unwrap();
        drop(store);
        for _ in 0..2 {
            let again = StateStore::open(folder.path());
            assert!(matches!(again, Err(StoreError::Newer { found, .. }) if found == SCHEMA_VERSION + 1));
        }
    }

    #[test]
    fn a_file_that_is_no_state_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(StateStore::FILE_NAME), b"something else").unwrap();
        assert!(matches!(StateStore::open(folder.path()), Err(StoreError::Open { .. })));
    }
}
