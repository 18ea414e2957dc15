//! The audit log: who changed what, and when.
//!
//! Written and read by `server::api`; one line each in table `audit`, in their order. Lines are only appended; the
//! oldest leave when there are more than [`AUDIT_LINES`] or when they are older than [`AUDIT_MILLISECONDS`]. A line is a
//! byte for the layout, then the fields in this order. Fields are only appended, and the golden bytes below hold that.

use crate::base::limits::{AUDIT_LINES, AUDIT_MILLISECONDS};
use crate::store::config::{decode, encode};
use crate::store::open::{StateStore, StoreError};
use crate::store::tables::{AUDIT, COUNTERS};
use redb::{ReadableDatabase, ReadableTable, ReadableTableMetadata, WriteTransaction};
use serde::{Deserialize, Serialize};

/// The name of the audit log among the counters.
const COUNTER: &str = "audit";

/// One change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditLine {
    pub unix_ms: i64,
    /// A user, or how the order came otherwise.
    pub who: String,
    pub what: String,
    /// A kind with its number: `mailbox 7`.
    pub on: String,
}

impl StateStore {
    /// Appends a line. Durable when this returns.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn append_audit(&self, line: AuditLine) -> Result<(), StoreError> {
        self.write(move |transaction| append(transaction, &line))
    }

    /// Up to `limit` lines, the newest first; with `before` those with a smaller number.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn audit(&self, before: Option<u64>, limit: usize) -> Result<Vec<(u64, AuditLine)>, StoreError> {
        let table = self.database.begin_read()?.open_table(AUDIT)?;
        let lines = table.range(..before.unwrap_or(u64::MAX))?.rev().take(limit);
        lines
            .map(|line| {
                let (number, bytes) = line?;
                Ok((number.value(), decode(bytes.value())?))
            })
            .collect()
    }
}

fn append(transaction: &WriteTransaction, line: &AuditLine) -> Result<(), StoreError> {
    let mut counters = transaction.open_table(COUNTERS)?;
    let number = counters.get(COUNTER)?.map_or(0, |last| last.value()) + 1;
    counters.insert(COUNTER, number)?;
    let mut table = transaction.open_table(AUDIT)?;
    table.insert(number, encode(line)?.as_slice())?;
    loop {
        let is_over = table.len()? > AUDIT_LINES;
        let Some(first) = table.first()? else { return Ok(()) };
        let oldest: AuditLine = decode(first.1.value())?;
        drop(first);
        if !is_over && oldest.unix_ms >= line.unix_ms - AUDIT_MILLISECONDS {
            return Ok(());
        }
        table.pop_first()?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(unix_ms: i64) -> AuditLine {
        let [who, what, on] = ["jo", "pass started", "pass 1"].map(str::to_owned);
        AuditLine { unix_ms, who, what, on }
    }

    #[test]
    fn the_newest_line_comes_first_and_the_oldest_leave() {
        let folder = tempfile::tempdir().unwrap();
        let store = StateStore::open(folder.path()).unwrap();
        for unix_ms in [1, 2, 3, AUDIT_MILLISECONDS + 2] {
            store.append_audit(line(unix_ms)).unwrap();
        }
        let numbers = |before, limit| -> Vec<u64> {
            store.audit(before, limit).unwrap().iter().map(|(number, _)| *number).collect()
        };
        assert_eq!((numbers(None, 10), numbers(None, 2)), (vec![4, 3, 2], vec![4, 3]));
        assert_eq!((numbers(Some(3), 10), numbers(Some(2), 10)), (vec![2], vec![]));
        assert_eq!(store.audit(Some(3), 1).unwrap(), [(2, line(2))]);
    }

    // Lines that were ever written must read the same for ever.
    #[test]
    fn golden_line() {
        let bytes = encode(&line(1)).unwrap();
        assert_eq!(bytes, b"\x01\x02\x02jo\x0cpass started\x06pass 1");
        assert_eq!(decode::<AuditLine>(&bytes).unwrap(), line(1));
    }
}
