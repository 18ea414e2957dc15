//! What the state knows of each item, and the one way to change it.
//!
//! Written by `server::delivery` in commits that group a whole batch. Between two commits the state does not change,
//! so a decision that was made from it stays right until the decider commits.

use crate::base::ids::MigrationId;
use crate::model::delivery::{InFlight, Location};
use crate::model::filter::LeftOut;
use crate::model::folder::FolderPath;
use crate::model::item::{ItemKey, ItemVersion, MailboxId, Origin, PlacementId};
use crate::model::loss::Loss;
use crate::model::outcome::Outcome;
use crate::model::summary::About;
use crate::store::open::{StateStore, StoreError};
use crate::store::record;
use crate::store::tables::{FOLDERS, IN_FLIGHT, LEDGER, REMOVALS, TWINS};
use redb::{ReadableDatabase, WriteTransaction};

/// One line of the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The version that was looked at last; `None` while copies are only known from the target.
    pub version: Option<ItemVersion>,
    /// A digest over the source folders that listed the item then.
    pub filing: [u8; 16],
    pub converter_version: u32,
    pub outcome: Outcome,
    pub losses: Vec<Loss>,
    /// When the outcome was decided: milliseconds since 1970-01-01 00:00 UTC.
    pub unix_ms: i64,
    /// Each target folder at most once.
    pub placements: Vec<Placed>,
    /// The pass that stored a placement last, so that a pass which was interrupted counts its own deliveries as such;
    /// `None` where passes have no number.
    pub pass: Option<MigrationId>,
    /// Whether the placements were given `\Seen`; `None` where that was not noted.
    pub seen: Option<bool>,
    /// By what a person recognises an item that lost something or was set aside; empty for any other.
    pub about: About,
    /// That a filter left the item out in this version and filing; `None` once it was carried or set aside.
    pub left_out: Option<PassedOver>,
}

/// What a filter said about an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PassedOver {
    pub why: LeftOut,
    /// The digest of the filter.
    pub filter: [u8; 16],
}

impl Entry {
    /// The line of an item of which nothing is decided yet.
    pub fn unfinished(unix_ms: i64) -> Self {
        Self {
            version: None,
            filing: [0; 16],
            converter_version: 0,
            outcome: Outcome::Unfinished,
            losses: Vec::new(),
            unix_ms,
            placements: Vec::new(),
            pass: None,
            seen: None,
            about: About::default(),
            left_out: None,
        }
    }

    /// The folders in which copies are known.
    pub fn folders(&self) -> impl Iterator<Item = &FolderPath> {
        self.placements.iter().filter(|placed| placed.location.is_some()).map(|placed| &placed.folder)
    }

    /// The placement in a folder.
    pub fn placed(&self, folder: &FolderPath) -> Option<&Placed> {
        self.placements.iter().find(|placed| placed.folder == *folder)
    }

    /// Adds a placement or takes it for the one in the same folder.
    pub fn place(&mut self, placed: Placed) {
        match self.placements.iter_mut().find(|other| other.folder == placed.folder) {
            Some(other) => *other = placed,
            None => self.placements.push(placed),
        }
    }
}

/// One placement that was stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed {
    pub folder: FolderPath,
    /// `None` once the user took it out: it is never put back.
    pub location: Option<Location>,
    /// Length of the stored message in bytes.
    pub size: u64,
    /// Digest of the item that this copy shows; `None` for a copy that was found at the target.
    pub source_digest: Option<[u8; 32]>,
    /// Digest of the stored message, where we wrote it and lived to note it.
    pub output_digest: Option<[u8; 32]>,
}

/// An item that another database of the mailbox may hold too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Twin {
    /// What all copies have in common.
    pub identity: [u8; 16],
    /// The copy that was delivered.
    pub origin: Origin,
    /// A digest over what a reader sees of this copy.
    pub content: [u8; 16],
    /// Of two copies the one with the higher rank holds more.
    pub rank: u64,
    /// The target holds at most one copy, whatever they say.
    pub only_one: bool,
}

/// An older copy that was replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Removal {
    pub folder: FolderPath,
    pub location: Location,
}

/// What one commit changes; all of it or nothing becomes durable.
#[derive(Debug, Default)]
pub struct Changes {
    pub entries: Vec<(ItemKey, Entry)>,
    /// Placements that are about to leave.
    pub departing: Vec<InFlight>,
    /// Placements whose answer is in `entries`, or that never left.
    pub settled: Vec<PlacementId>,
    /// Target folders that need no survey any more.
    pub known_folders: Vec<FolderPath>,
    pub to_remove: Vec<Removal>,
    pub twins: Vec<Twin>,
    pub removed: Vec<Removal>,
}

impl Changes {
    fn is_empty(&self) -> bool {
        self.entries.is_empty()
            && self.departing.is_empty()
            && self.settled.is_empty()
            && self.known_folders.is_empty()
            && self.to_remove.is_empty()
            && self.twins.is_empty()
            && self.removed.is_empty()
    }
}

impl StateStore {
    /// The line of an item.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn entry(&self, key: &ItemKey) -> Result<Option<Entry>, StoreError> {
        let table = self.database.begin_read()?.open_table(LEDGER)?;
        let origin = key.origin.to_string();
        let found = table.get((key.mailbox.0.as_str(), origin.as_str()))?;
        Ok(found.map(|bytes| record::decode_entry(bytes.value())).transpose()?)
    }

    /// Up to `limit` lines of a mailbox, in an order that repeats, after the given origin (as its text).
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn entries(
        &self,
        mailbox: &MailboxId,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(Origin, Entry)>, StoreError> {
        let table = self.database.begin_read()?.open_table(LEDGER)?;
        let mut found = Vec::new();
        for line in table.range((mailbox.0.as_str(), after.unwrap_or(""))..)? {
            let (key, entry) = line?;
            let (line_mailbox, origin) = key.value();
            if line_mailbox != mailbox.0 || found.len() == limit {
                break;
            }
            if after != Some(origin) {
                found.push((record::decode_origin(origin)?, record::decode_entry(entry.value())?));
            }
        }
        Ok(found)
    }

    /// Everything that left for a mailbox and was not answered: at most one batch.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn in_flight(&self, mailbox: &MailboxId) -> Result<Vec<InFlight>, StoreError> {
        let table = self.database.begin_read()?.open_table(IN_FLIGHT)?;
        let mailbox_text = mailbox.0.as_str();
        let mut found = Vec::new();
        for line in table.range((mailbox_text, [0; 16])..=(mailbox_text, [0xFF; 16]))? {
            found.push(record::decode_in_flight(mailbox, line?.1.value())?);
        }
        Ok(found)
    }

    /// Whether a target folder was empty or surveyed before our first delivery into it.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn knows_folder(&self, mailbox: &MailboxId, folder: &FolderPath) -> Result<bool, StoreError> {
        let table = self.database.begin_read()?.open_table(FOLDERS)?;
        Ok(table.get((mailbox.0.as_str(), folder_key(folder).as_str()))?.is_some())
    }

    /// The replaced copies of a mailbox that are still to be taken out: at most one batch.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn removals(&self, mailbox: &MailboxId) -> Result<Vec<Removal>, StoreError> {
        let table = self.database.begin_read()?.open_table(REMOVALS)?;
        let from: (&str, &[u8]) = (&mailbox.0, &[]);
        let mut found = Vec::new();
        for line in table.range(from..)? {
            let line = line?;
            let (line_mailbox, bytes) = line.0.value();
            if line_mailbox != mailbox.0 {
                break;
            }
            found.push(record::decode_removal(bytes)?);
        }
        Ok(found)
    }

    /// The copy of an item that was delivered, by what all copies of it have in common.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn twin(&self, mailbox: &MailboxId, identity: [u8; 16]) -> Result<Option<Twin>, StoreError> {
        let table = self.database.begin_read()?.open_table(TWINS)?;
        let found = table.get((mailbox.0.as_str(), identity))?;
        Ok(found.map(|bytes| record::decode_twin(identity, bytes.value())).transpose()?)
    }

    /// Makes changes durable, all or none.
    ///
    /// # Errors
    /// When the file cannot be written; then the state is what it was before.
    pub fn commit(&self, mailbox: &MailboxId, changes: Changes) -> Result<(), StoreError> {
        if changes.is_empty() {
            return Ok(());
        }
        let mailbox = mailbox.0.clone();
        self.write(move |transaction| write(transaction, &mailbox, &changes))
    }
}

fn write(transaction: &WriteTransaction, mailbox: &str, changes: &Changes) -> Result<(), StoreError> {
    let mut ledger = transaction.open_table(LEDGER)?;
    for (key, entry) in &changes.entries {
        let origin = key.origin.to_string();
        ledger.insert((mailbox, origin.as_str()), record::encode_entry(entry)?.as_slice())?;
    }
    let mut in_flight = transaction.open_table(IN_FLIGHT)?;
    for departing in &changes.departing {
        let id = PlacementId::new(&departing.key.origin, &departing.folder);
        in_flight.insert((mailbox, id.0), record::encode_in_flight(departing)?.as_slice())?;
    }
    for id in &changes.settled {
        in_flight.remove((mailbox, id.0))?;
    }
    let mut folders = transaction.open_table(FOLDERS)?;
    for folder in &changes.known_folders {
        folders.insert((mailbox, folder_key(folder).as_str()), ())?;
    }
    let mut twins = transaction.open_table(TWINS)?;
    for twin in &changes.twins {
        twins.insert((mailbox, twin.identity), record::encode_twin(twin)?.as_slice())?;
    }
    let mut removals = transaction.open_table(REMOVALS)?;
    for removal in &changes.to_remove {
        removals.insert((mailbox, record::encode_removal(removal)?.as_slice()), ())?;
    }
    for removal in &changes.removed {
        removals.remove((mailbox, record::encode_removal(removal)?.as_slice()))?;
    }
    Ok(())
}

fn folder_key(folder: &FolderPath) -> String {
    folder.parts().join("\0")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::delivery::FolderState;
    use crate::notes::ids::{ReplicaId, Unid};

    fn key(mailbox: &MailboxId, unid: u8) -> ItemKey {
        let origin = Origin::Notes { replica: ReplicaId(1), unid: Unid([unid; 16]) };
        ItemKey { mailbox: mailbox.clone(), origin }
    }

    fn in_flight(mailbox: &MailboxId, unid: u8) -> InFlight {
        InFlight {
            key: key(mailbox, unid),
            folder: FolderPath::inbox(),
            state: FolderState::default(),
            message_id: String::new(),
            size: 1,
            source_digest: [unid; 32],
            replaces: None,
        }
    }

    #[test]
    fn mailboxes_do_not_see_each_other() {
        let folder = tempfile::tempdir().unwrap();
        let store = StateStore::open(folder.path()).unwrap();
        let [a, b] = ["maildir:/a", "maildir:/a/b"].map(|name| MailboxId(name.to_owned()));
        let removal =
            Removal { folder: FolderPath::inbox(), location: Location::Uid { uid_validity: 1, uid: 2 } };
        for mailbox in [&a, &b] {
            let changes = Changes {
                departing: vec![in_flight(mailbox, 7)],
                known_folders: vec![FolderPath::inbox()],
                to_remove: vec![removal.clone()],
                ..Changes::default()
            };
            store.commit(mailbox, changes).unwrap();
        }
        let id = PlacementId::new(&key(&a, 7).origin, &FolderPath::inbox());
        let settled = Changes { settled: vec![id], removed: vec![removal.clone()], ..Changes::default() };
        store.commit(&a, settled).unwrap();
        assert_eq!((store.in_flight(&a).unwrap(), store.removals(&a).unwrap()), (vec![], vec![]));
        assert_eq!(store.in_flight(&b).unwrap(), [in_flight(&b, 7)]);
        assert_eq!(store.removals(&b).unwrap(), [removal]);
        assert!(store.knows_folder(&b, &FolderPath::inbox()).unwrap());
        assert!(!store.knows_folder(&b, &FolderPath::new(["Sent"])).unwrap());
    }

    #[test]
    fn a_state_is_there_after_reopening() {
        let folder = tempfile::tempdir().unwrap();
        let mailbox = MailboxId("maildir:/a".to_owned());
        let store = StateStore::open(folder.path()).unwrap();
        let changes = Changes { departing: vec![in_flight(&mailbox, 1)], ..Changes::default() };
        store.commit(&mailbox, changes).unwrap();
        drop(store);
        let store = StateStore::open(folder.path()).unwrap();
        assert_eq!(store.in_flight(&mailbox).unwrap(), [in_flight(&mailbox, 1)]);
        assert_eq!(store.entry(&key(&mailbox, 1)).unwrap(), None);
    }
}
