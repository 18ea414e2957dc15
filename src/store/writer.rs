//! Group commit: the changes that wait while another commit is on its way become durable together in the next one.
//!
//! Used by every change of `state.redb`. A flush of the disk costs the same for one change as for a hundred, so many
//! mailboxes together are not slower than one.

use crate::store::open::{StateStore, StoreError};
use redb::{Database, Durability, WriteTransaction};
use std::fmt;
use std::sync::mpsc::{self, Sender};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// May run more than once, in transactions of which at most one is committed.
type Change = Box<dyn Fn(&WriteTransaction) -> Result<(), StoreError> + Send>;

struct Waiting {
    change: Change,
    answer: Sender<Result<(), StoreError>>,
}

/// The changes that wait, and the seat of the one thread that commits.
#[derive(Default)]
pub struct Writer {
    waiting: Mutex<Vec<Waiting>>,
    seat: Mutex<()>,
}

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Writer")
    }
}

impl StateStore {
    /// Makes one change durable, all of it or nothing. It may share its commit with the changes of other threads.
    ///
    /// # Errors
    /// The error of `change`, or of the file.
    pub(super) fn write(
        &self,
        change: impl Fn(&WriteTransaction) -> Result<(), StoreError> + Send + 'static,
    ) -> Result<(), StoreError> {
        let (answer, answered) = mpsc::channel();
        lock(&self.writer.waiting).push(Waiting { change: Box::new(change), answer });
        let seat = lock(&self.writer.seat);
        // Empty when whoever had the seat before committed this change too.
        let together = std::mem::take(&mut *lock(&self.writer.waiting));
        commit_all(&self.database, together);
        drop(seat);
        answered.recv().expect("whoever takes a change from the queue answers it")
    }
}

fn commit_all(database: &Database, together: Vec<Waiting>) {
    if together.len() > 1 && commit(database, &together).is_ok() {
        together.iter().for_each(|waiting| answer(waiting, Ok(())));
        return;
    }
    // One change must not fail for the fault of another.
    for waiting in &together {
        answer(waiting, commit(database, std::slice::from_ref(waiting)));
    }
}

fn commit(database: &Database, together: &[Waiting]) -> Result<(), StoreError> {
    let mut transaction = database.begin_write()?;
    transaction.set_durability(Durability::Immediate)?;
    together.iter().try_for_each(|waiting| (waiting.change)(&transaction))?;
    Ok(transaction.commit()?)
}

fn answer(waiting: &Waiting, result: Result<(), StoreError>) {
    // The asker waits for it; if its thread died, nobody has to be told.
    let _ = waiting.answer.send(result);
}

/// A thread that panicked while it held a lock left nothing half done: the queue is changed in one step.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::record::RecordError;
    use crate::store::tables::META;
    use redb::{ReadableDatabase, ReadableTable};
    use std::sync::Arc;

    fn insert(key: &'static str) -> Waiting {
        let change = move |transaction: &WriteTransaction| {
            transaction.open_table(META)?.insert(key, 1)?;
            Ok(())
        };
        Waiting { change: Box::new(change), answer: mpsc::channel().0 }
    }

    #[test]
    fn a_change_that_fails_leaves_the_others_whole() {
        let folder = tempfile::tempdir().unwrap();
        let store = StateStore::open(folder.path()).unwrap();
        let fails = |transaction: &WriteTransaction| {
            transaction.open_table(META)?.insert("half", 1)?;
            Err(RecordError::Empty.into())
        };
        let (sender, answered) = mpsc::channel();
        let failing = Waiting { change: Box::new(fails), answer: sender };
        commit_all(&store.database, vec![insert("a"), failing, insert("b")]);
        assert!(answered.recv().unwrap().is_err());
        let table = store.database.begin_read().unwrap().open_table(META).unwrap();
        let there = |key| table.get(key).unwrap().is_some();
        assert_eq!((there("a"), there("b"), there("half")), (true, true, false));
    }

    #[test]
    fn threads_share_commits_and_each_is_answered() {
        let folder = tempfile::tempdir().unwrap();
        let store = Arc::new(StateStore::open(folder.path()).unwrap());
        let count = |transaction: &WriteTransaction| {
            let mut table = transaction.open_table(META)?;
            let before = table.get("count")?.map_or(0, |count| count.value());
            table.insert("count", before + 1)?;
            Ok(())
        };
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| (0..20).for_each(|_| store.write(count).unwrap()));
            }
        });
        let table = store.database.begin_read().unwrap().open_table(META).unwrap();
        assert_eq!(table.get("count").unwrap().unwrap().value(), 160);
    }
}
