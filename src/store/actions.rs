//! The action records: what each migration is to do next, in table `actions`.
//!
//! Written and read by `buffers::action`, which also gives the action's own bytes. A record is durable before anything
//! that it says is told to an extractor, so no epoch is ever given twice. The golden bytes below hold the layout.

use crate::base::ids::{ActionId, Epoch, MigrationId};
use crate::store::open::{StateStore, StoreError};
use crate::store::record::RecordError;
use crate::store::tables::{ACTIONS, COUNTERS};
use redb::{ReadableDatabase, ReadableTable, WriteTransaction};
use serde::{Deserialize, Serialize};

/// The layout of every record on this page.
const LAYOUT_VERSION: u8 = 1;

/// The key of the counter of actions.
const COUNTER: &str = "action";

/// What a migration is to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ActionRecord {
    /// Nothing now.
    Resting,
    /// An action that is not settled. Leases are not kept: they end with the process.
    Unsettled {
        action: ActionId,
        /// The highest epoch that may have been given.
        epoch: Epoch,
        /// How many leases of it expired.
        attempts: u32,
        /// As its owner encoded it.
        #[serde(with = "serde_bytes")]
        order: Vec<u8>,
    },
    /// Nothing any more: everything is done.
    Done,
    /// Nothing any more: it was stopped.
    Stopped,
}

impl StateStore {
    /// All action records.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn actions(&self) -> Result<Vec<(MigrationId, ActionRecord)>, StoreError> {
        let table = self.database.begin_read()?.open_table(ACTIONS)?;
        let records = table.range::<u64>(..)?;
        records
            .map(|record| {
                let (migration, bytes) = record?;
                Ok((MigrationId(migration.value()), decode(bytes.value())?))
            })
            .collect()
    }

    /// Writes records, all or none; `None` removes one. Durable when this returns.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn put_actions(&self, records: Vec<(MigrationId, Option<ActionRecord>)>) -> Result<(), StoreError> {
        self.write(move |transaction| {
            records.iter().try_for_each(|(migration, record)| put(transaction, *migration, record.as_ref()))
        })
    }

    /// Writes the record of a new action under the next number, which is never given again. Its first epoch is `epoch`.
    /// Durable when this returns.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn add_action(
        &self,
        migration: MigrationId,
        epoch: Epoch,
        order: Vec<u8>,
    ) -> Result<ActionId, StoreError> {
        let (sender, given) = std::sync::mpsc::channel();
        self.write(move |transaction| {
            let mut counters = transaction.open_table(COUNTERS)?;
            let number = counters.get(COUNTER)?.map_or(0, |last| last.value()) + 1;
            counters.insert(COUNTER, number)?;
            let action = ActionId(number);
            let record = ActionRecord::Unsettled { action, epoch, attempts: 0, order: order.clone() };
            put(transaction, migration, Some(&record))?;
            // The last one sent is the one of the transaction that was committed.
            let _ = sender.send(action);
            Ok(())
        })?;
        Ok(given.try_iter().last().expect("the change ran before it was committed"))
    }
}

fn put(
    transaction: &WriteTransaction,
    migration: MigrationId,
    record: Option<&ActionRecord>,
) -> Result<(), StoreError> {
    let mut table = transaction.open_table(ACTIONS)?;
    match record {
        Some(record) => table.insert(migration.0, encode(record)?.as_slice())?,
        None => table.remove(migration.0)?,
    };
    Ok(())
}

fn encode(record: &ActionRecord) -> Result<Vec<u8>, RecordError> {
    Ok(postcard::to_extend(record, vec![LAYOUT_VERSION])?)
}

fn decode(bytes: &[u8]) -> Result<ActionRecord, RecordError> {
    match bytes.split_first() {
        Some((&LAYOUT_VERSION, rest)) => Ok(postcard::from_bytes(rest)?),
        Some((&layout, _)) => Err(RecordError::Layout(layout)),
        None => Err(RecordError::Empty),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Records that were ever written must read the same for ever.
    #[test]
    fn golden_records() {
        let unsettled = ActionRecord::Unsettled {
            action: ActionId(300),
            epoch: Epoch(2),
            attempts: 1,
            order: vec![9, 8],
        };
        for (record, golden) in [
            (ActionRecord::Resting, "0100"),
            (unsettled, "0101ac020201020908"),
            (ActionRecord::Done, "0102"),
            (ActionRecord::Stopped, "0103"),
        ] {
            let bytes = encode(&record).unwrap();
            assert_eq!(bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>(), golden);
            assert_eq!(decode(&bytes).unwrap(), record);
        }
        assert!(matches!(decode(&[2, 0]), Err(RecordError::Layout(2))));
        assert!(matches!(decode(&[]), Err(RecordError::Empty)));
    }

    #[test]
    fn actions_are_numbered_once() {
        let folder = tempfile::tempdir().unwrap();
        let store = StateStore::open(folder.path()).unwrap();
        let add = |migration| store.add_action(MigrationId(migration), Epoch(1), vec![7]).unwrap();
        assert_eq!((add(1), add(2), add(1)), (ActionId(1), ActionId(2), ActionId(3)));
        store.put_actions(vec![(MigrationId(1), None), (MigrationId(2), Some(ActionRecord::Done))]).unwrap();
        assert_eq!(store.actions().unwrap(), [(MigrationId(2), ActionRecord::Done)]);
        assert_eq!(add(1), ActionId(4));
    }
}
