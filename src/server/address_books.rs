//! Address books that lie beside an extractor: read like a mailbox, with the server's own table as their target.
//!
//! An address book is a mailbox whose target is `directory:NAME`. A pass over it goes the way of every pass, with its
//! leases, buffers, ledger and tries; but a document that stands for somebody becomes no message. What it says of
//! names and addresses is kept in table `directory`, and every other document becomes nothing. So a later pass lists
//! the book and opens only what changed.
//!
//! Conversion asks the sum of all books and of the files in the server's settings. It is made anew at the start, when a
//! pass over a book ended, and when a book is taken away; a pass keeps what it began with, so a name answers the same
//! from its first document to its last. When a pass over a mailbox is ordered, the books within reach are read before it
//! (see `server::scheduler`). What was delivered with an address that nobody knew then is not delivered again.

use crate::base::ids::MailboxNumber;
use crate::base::limits::DIRECTORY_ENTRIES;
use crate::conversion::{Converted, Directory};
use crate::destinations::{DeliverError, Destination, DestinationError, Place, Present, Standing, Traits};
use crate::model::content::{Content, SourceItem};
use crate::model::delivery::{Delivery, Flags, FolderState, InFlight, Location};
use crate::model::folder::FolderPath;
use crate::model::item::{MailboxId, Origin, PlacementId};
use crate::model::loss::{SetAside, SetAsideReason};
use crate::model::rendered::{Rendered, Segment};
use crate::notes::address_book;
use crate::store::config::Mailbox;
use crate::store::directory::encode_entry;
use crate::store::{StateStore, StoreError};
use std::collections::HashMap;
use std::sync::Arc;

/// What a document of an address book says of names; nothing where it stands for nobody.
///
/// # Errors
/// When it cannot be written down.
pub fn convert(item: &SourceItem) -> Result<Converted, SetAside> {
    let Content::Note { note, .. } = &item.content;
    let Some(entry) = address_book::entry(note) else { return Ok(Converted::nothing(Vec::new())) };
    let record = encode_entry(entry);
    let record = record.map_err(|error| SetAside::new(SetAsideReason::UnreadableNote, error.to_string()))?;
    Ok(Converted {
        rendered: Rendered::new(vec![Segment::Bytes(record)]),
        placements: vec![FolderPath::inbox()],
        ..Converted::nothing(Vec::new())
    })
}

/// What conversion is told of names.
#[derive(Debug, Default)]
pub struct Names {
    pub directory: Arc<Directory>,
    /// How many entries came from each book.
    pub of_books: HashMap<MailboxNumber, usize>,
}

/// What is known of names: `base`, and the entries of these books, up to [`DIRECTORY_ENTRIES`].
///
/// # Errors
/// When the store cannot be read.
pub fn names(store: &StateStore, base: &Directory, books: &[Mailbox]) -> Result<Names, StoreError> {
    let (mut directory, mut of_books, mut left) = (base.clone(), HashMap::new(), DIRECTORY_ENTRIES);
    for book in books {
        let before = left;
        store.each_listed(&MailboxId(book.target.clone()), |entry| {
            if left > 0 {
                left -= 1;
                directory.add_entry(entry);
            }
        })?;
        of_books.insert(book.id, before - left);
    }
    if left == 0 {
        tracing::warn!("address books list more than {DIRECTORY_ENTRIES} names; the others are not known");
    }
    Ok(Names { directory: Arc::new(directory), of_books })
}

/// The table as a destination. A record is kept under the key of its document, its placement and a digest of itself, so
/// that a new version lies beside the old one until that is taken out.
pub struct Table {
    store: Arc<StateStore>,
    book: MailboxId,
}

impl Table {
    pub fn new(store: Arc<StateStore>, book: MailboxId) -> Self {
        Self { store, book }
    }

    fn keys(&self, beginning: &str) -> Result<Vec<(String, u64)>, DestinationError> {
        self.store.listed_keys(&self.book, beginning).map_err(|error| self.error(&error))
    }

    fn error(&self, error: &StoreError) -> DestinationError {
        DestinationError::Unreachable { target: self.book.0.clone(), why: error.to_string() }
    }
}

impl Destination for Table {
    fn traits(&self) -> Traits {
        Traits { searchable: true, flags: false, keywords: false, objects: false, largest_message: None }
    }

    fn prepare(&mut self, folders: &[FolderPath]) -> Result<Vec<FolderState>, DestinationError> {
        Ok(vec![FolderState::default(); folders.len()])
    }

    fn survey(&mut self, folder: &FolderPath) -> Result<Vec<Present>, DestinationError> {
        let present = |(key, size): (String, u64)| {
            let origin = key.split_once(' ').and_then(|(origin, _)| origin.parse().ok());
            let is_here = origin.is_none_or(|origin| key.starts_with(&beginning(&origin, folder)));
            is_here.then_some(Present { location: Location::File { path: key }, origin, size })
        };
        Ok(self.keys("")?.into_iter().filter_map(present).collect())
    }

    fn put_batch(&mut self, batch: &[Delivery]) -> Vec<Result<Location, DeliverError>> {
        let records: Result<Vec<_>, _> = batch.iter().map(record).collect();
        let put = records.and_then(|records| {
            let keys: Vec<String> = records.iter().map(|(key, _)| key.clone()).collect();
            let put = self.store.put_listed(&self.book, records);
            put.map(|()| keys).map_err(|error| error.to_string())
        });
        match put {
            Ok(keys) => keys.into_iter().map(|path| Ok(Location::File { path })).collect(),
            Err(why) => batch.iter().map(|_| Err(DeliverError::PutOff { why: why.clone() })).collect(),
        }
    }

    fn reconcile(&mut self, in_flight: &[InFlight]) -> Result<Vec<Option<Location>>, DestinationError> {
        let find = |record: &InFlight| {
            let keys = self.keys(&beginning(&record.key.origin, &record.folder))?;
            let mut locations = keys.into_iter().map(|(path, _)| Location::File { path });
            Ok(locations.find(|location| Some(location) != record.replaces.as_ref()))
        };
        in_flight.iter().map(find).collect()
    }

    fn look(&mut self, copies: &[Place]) -> Result<Vec<Standing>, DestinationError> {
        let standing = |(_, location): &Place| {
            let Location::File { path } = location else { return Ok(Standing::Gone) };
            let record = self.store.listed_record(&self.book, path).map_err(|error| self.error(&error))?;
            Ok(record.map_or(Standing::Gone, |_| Standing::There(Flags::default())))
        };
        copies.iter().map(standing).collect()
    }

    /// Names have no flags.
    fn add_flags(&mut self, copies: &[Place], _flags: &Flags) -> Result<Vec<bool>, DestinationError> {
        Ok(vec![false; copies.len()])
    }

    fn remove(&mut self, _folder: &FolderPath, location: &Location) -> Result<bool, DestinationError> {
        let Location::File { path } = location else { return Ok(false) };
        self.store.remove_listed(&self.book, path).map_err(|error| self.error(&error))
    }
}

/// How the keys of all versions of a placement begin.
fn beginning(origin: &Origin, folder: &FolderPath) -> String {
    format!("{origin} {} ", PlacementId::new(origin, folder))
}

/// Under what and as what a delivery is kept.
fn record(delivery: &Delivery) -> Result<(String, Vec<u8>), String> {
    let mut bytes = Vec::new();
    delivery.rendered.write_to(&mut bytes).map_err(|error| error.to_string())?;
    let digest = blake3::hash(&bytes).to_hex();
    Ok((beginning(&delivery.key.origin, &delivery.folder) + &digest[..8], bytes))
}
