//! The names of address books that extractors read: who is listed in them, in table `directory`.
//!
//! Written by `server::address_books` as the destination of passes over address books; read by it to make what
//! `conversion` asks. One record for each version of a document. The golden bytes below hold the layout.

use crate::model::item::MailboxId;
use crate::notes::address_book::Entry;
use crate::store::config::{decode, encode};
use crate::store::open::{StateStore, StoreError};
use crate::store::record::RecordError;
use crate::store::tables::DIRECTORY;
use redb::ReadableDatabase;
use serde::{Deserialize, Serialize};

/// An entry on disk. Fields are only appended.
#[derive(Debug, Serialize, Deserialize)]
struct EntryForm {
    names: [Vec<String>; 3],
    address: Option<String>,
    domain: String,
    is_group: bool,
}

/// The bytes under which an entry is kept.
///
/// # Errors
/// Never for an entry that fits in memory; the encoder says so only by its type.
pub fn encode_entry(entry: Entry) -> Result<Vec<u8>, RecordError> {
    let Entry { names, address, domain, is_group } = entry;
    encode(&EntryForm { names, address, domain, is_group })
}

fn decode_entry(bytes: &[u8]) -> Result<Entry, RecordError> {
    let EntryForm { names, address, domain, is_group } = decode(bytes)?;
    Ok(Entry { names, address, domain, is_group })
}

impl StateStore {
    /// Keeps records of an address book under their keys, all or none. Durable when this returns.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn put_listed(&self, book: &MailboxId, records: Vec<(String, Vec<u8>)>) -> Result<(), StoreError> {
        let book = book.0.clone();
        self.write(move |transaction| {
            let mut table = transaction.open_table(DIRECTORY)?;
            for (key, record) in &records {
                table.insert((book.as_str(), key.as_str()), record.as_slice())?;
            }
            Ok(())
        })
    }

    /// The keys of an address book that begin so, and the lengths of their records in bytes.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn listed_keys(&self, book: &MailboxId, beginning: &str) -> Result<Vec<(String, u64)>, StoreError> {
        let table = self.database.begin_read()?.open_table(DIRECTORY)?;
        let mut found = Vec::new();
        for line in table.range((book.0.as_str(), beginning)..)? {
            let (key, record) = line?;
            let (of, key) = key.value();
            if of != book.0 || !key.starts_with(beginning) {
                break;
            }
            found.push((key.to_owned(), record.value().len() as u64));
        }
        Ok(found)
    }

    /// The record under a key.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn listed_record(&self, book: &MailboxId, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let table = self.database.begin_read()?.open_table(DIRECTORY)?;
        Ok(table.get((book.0.as_str(), key))?.map(|record| record.value().to_owned()))
    }

    /// Takes a record out; whether it was there. Durable when this returns.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn remove_listed(&self, book: &MailboxId, key: &str) -> Result<bool, StoreError> {
        let (sender, removed) = std::sync::mpsc::channel();
        let (book, key) = (book.0.clone(), key.to_owned());
        self.write(move |transaction| {
            let mut table = transaction.open_table(DIRECTORY)?;
            let _ = sender.send(table.remove((book.as_str(), key.as_str()))?.is_some());
            Ok(())
        })?;
        Ok(removed.try_iter().last().unwrap_or_default())
    }

    /// Shows every entry of an address book.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn each_listed(&self, book: &MailboxId, mut show: impl FnMut(Entry)) -> Result<(), StoreError> {
        let table = self.database.begin_read()?.open_table(DIRECTORY)?;
        for line in table.range((book.0.as_str(), "")..)? {
            let (key, record) = line?;
            if key.value().0 != book.0 {
                break;
            }
            show(decode_entry(record.value())?);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry() -> Entry {
        Entry {
            names: [vec!["jane doe/acme".to_owned()], Vec::new(), vec!["jd".to_owned()]],
            address: Some("j@example.com".to_owned()),
            domain: "Hub".to_owned(),
            is_group: true,
        }
    }

    // Records that were ever written must read the same for ever.
    #[test]
    fn golden_record() {
        let bytes = encode_entry(entry()).unwrap();
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let name = "010d6a616e6520646f652f61636d65";
        assert_eq!(hex, format!("01{name}0001026a64010d6a406578616d706c652e636f6d0348756201"));
        assert_eq!(decode_entry(&bytes).unwrap(), entry());
    }

    #[test]
    fn books_are_kept_apart() {
        let folder = tempfile::tempdir().unwrap();
        let store = StateStore::open(folder.path()).unwrap();
        let [a, b] = ["directory:a", "directory:b"].map(|name| MailboxId(name.to_owned()));
        let record = encode_entry(entry()).unwrap();
        let length = record.len() as u64;
        store
            .put_listed(&a, vec![("n.1.x".to_owned(), record.clone()), ("n.2.y".to_owned(), record)])
            .unwrap();
        let mut shown = Vec::new();
        store.each_listed(&a, |entry| shown.push(entry)).unwrap();
        assert_eq!(shown, [entry(), entry()]);
        store.each_listed(&b, |entry| panic!("{entry:?}")).unwrap();
        assert_eq!(store.listed_keys(&a, "n.1.").unwrap(), [("n.1.x".to_owned(), length)]);
        assert!(!store.remove_listed(&b, "n.1.x").unwrap());
        assert!(store.remove_listed(&a, "n.1.x").unwrap());
        assert_eq!(store.listed_keys(&a, "").unwrap(), [("n.2.y".to_owned(), length)]);
    }
}
