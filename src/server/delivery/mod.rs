//! The delivery of one mailbox, exactly once: from opened items to stored placements and lines of the ledger.
//!
//! Driven by `modes::migrate` and `server::migration`, which list and open; everything that decides, puts or remembers
//! is here. A batch goes its way in this order, and each step is durable before the next begins:
//!
//! 1. the target folders exist, and those that we did not fill ourselves were surveyed once;
//! 2. one commit notes every placement of the batch as in flight;
//! 3. the destination stores the batch;
//! 4. one commit writes the outcomes, and which older copies are replaced;
//! 5. the replaced copies are taken out, and one commit notes that.
//!
//! After a crash [`Pass::begin`] asks the destination about everything in flight and finishes step 5, so a placement
//! is put again only when it is known not to be there (invariant C). The sum of the mailbox holds after every commit
//! (invariant D).

mod batch;
mod digest;
mod plan;
mod prepare;
mod put;

use crate::base::ids::MigrationId;
use crate::base::limits::{BATCH_BYTES, BATCH_PLACEMENTS, LIST_PAGE_ITEMS};
use crate::destinations::{Destination, DestinationError};
use crate::model::delivery::{Delivery, InFlight, Location};
use crate::model::folder::FolderPath;
use crate::model::item::{ItemKey, MailboxId, Origin, PlacementId};
use crate::model::loss::{Loss, SetAside, SetAsideReason};
use crate::model::outcome::{Outcome, Tally};
use crate::store::{Changes, Entry, Placed, StateStore, StoreError};
use batch::{FolderStates, Job};
use std::collections::btree_map::Entry as Slot;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::mem;

pub use batch::Prepared;
pub use prepare::{Conversion, Convert, Preparer};

/// Why a pass cannot go on. What was answered until then is in the ledger.
#[derive(Debug, thiserror::Error)]
pub enum DeliveryError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Destination(#[from] DestinationError),
}

/// What became of an item in this pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// At least one placement was stored by this pass.
    Delivered,
    AlreadyThere,
    RemovedByUser,
    SetAside(SetAside),
}

/// An item that this pass is done with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settled {
    pub origin: Origin,
    pub end: End,
    pub losses: Vec<Loss>,
}

/// What holds for a whole pass.
#[derive(Clone, Debug)]
pub struct Settings {
    pub mailbox: MailboxId,
    /// The time of the run: milliseconds since 1970-01-01 00:00 UTC.
    pub now_unix_ms: i64,
    /// The pass, where it has a number: then it counts what it delivered before an interruption as delivered.
    pub pass: Option<MigrationId>,
}

/// One pass over a mailbox.
pub struct Pass<'a> {
    store: &'a StateStore,
    destination: &'a mut dyn Destination,
    settings: &'a Settings,
    batch: Vec<Prepared>,
    batch_origins: HashSet<Origin>,
    batch_placements: usize,
    batch_bytes: u64,
    known_folders: HashSet<FolderPath>,
    settled: Vec<Settled>,
    tally: Tally,
}

impl<'a> Pass<'a> {
    /// Starts a pass: first everything that an earlier one left in flight is settled.
    ///
    /// # Errors
    /// When the store or the destination does not answer.
    pub fn begin(
        store: &'a StateStore,
        destination: &'a mut dyn Destination,
        settings: &'a Settings,
    ) -> Result<Self, DeliveryError> {
        let mut pass = Self {
            store,
            destination,
            settings,
            batch: Vec::new(),
            batch_origins: HashSet::new(),
            batch_placements: 0,
            batch_bytes: 0,
            known_folders: HashSet::new(),
            settled: Vec::new(),
            tally: Tally::default(),
        };
        pass.settle_in_flight()?;
        pass.take_out_replaced()?;
        Ok(pass)
    }

    /// The sum so far.
    pub fn tally(&self) -> Tally {
        self.tally
    }

    /// The items settled since the last call.
    pub fn take_settled(&mut self) -> Vec<Settled> {
        mem::take(&mut self.settled)
    }

    /// Counts items that the source lists. For each of them one other call follows: [`Pass::settle_unopened`] or
    /// [`Pass::add`].
    pub fn count_found(&mut self, items: u64) {
        self.tally.found += items;
        self.tally.still_to_do += items;
    }

    /// Takes the end of an item that need not be opened.
    pub fn settle_unopened(&mut self, origin: Origin, end: End) {
        self.settle(origin, end, Vec::new());
    }

    /// Counts an item that the source lists but cannot identify; the ledger has no line for it.
    pub fn count_unreadable(&mut self) {
        self.tally.found += 1;
        self.tally.set_aside += 1;
    }

    /// Takes a prepared item, and delivers the batch that it fills.
    ///
    /// # Errors
    /// When the store or the destination does not answer.
    pub fn add(&mut self, prepared: Prepared) -> Result<(), DeliveryError> {
        if self.batch_origins.contains(&prepared.key.origin) {
            // A damaged source lists a document twice: the second is compared with what became of the first.
            self.deliver()?;
        }
        if let Some(message) = prepared.message() {
            let placements = message.converted.placements.len();
            self.batch_placements += placements;
            self.batch_bytes += message.rendered.len() * placements as u64;
        }
        self.batch_origins.insert(prepared.key.origin);
        self.batch.push(prepared);
        let full = self.batch_placements >= BATCH_PLACEMENTS
            || self.batch_bytes >= BATCH_BYTES
            || self.batch.len() >= BATCH_PLACEMENTS;
        if full { self.deliver() } else { Ok(()) }
    }

    /// Delivers what waits; a batch that is not full too.
    ///
    /// # Errors
    /// When the store or the destination does not answer.
    pub fn deliver(&mut self) -> Result<(), DeliveryError> {
        let batch = mem::take(&mut self.batch);
        self.batch_origins.clear();
        self.batch_placements = 0;
        self.batch_bytes = 0;
        if batch.is_empty() {
            return Ok(());
        }
        let states = self.prepare(&batch)?;
        let mut jobs = Vec::with_capacity(batch.len());
        for prepared in batch {
            let entry = self.store.entry(&prepared.key)?;
            jobs.push(Job::new(prepared, entry));
        }
        self.drop_removed_by_user(&mut jobs)?;
        let deliveries: Vec<Delivery> = jobs.iter().flat_map(Job::deliveries).collect();
        let in_flight: Vec<InFlight> = jobs.iter().flat_map(|job| job.in_flight(&states)).collect();
        self.commit(Changes { departing: in_flight.clone(), ..Changes::default() })?;
        let answers = put::put(self.destination, &deliveries, &in_flight)?;
        self.settle_batch(jobs, answers)
    }

    fn key(&self, origin: Origin) -> ItemKey {
        ItemKey { mailbox: self.settings.mailbox.clone(), origin }
    }

    fn commit(&self, changes: Changes) -> Result<(), DeliveryError> {
        Ok(self.store.commit(&self.settings.mailbox, changes)?)
    }

    fn settle(&mut self, origin: Origin, end: End, losses: Vec<Loss>) {
        self.tally.still_to_do -= 1;
        *match end {
            End::Delivered => &mut self.tally.delivered,
            End::AlreadyThere => &mut self.tally.already_there,
            End::RemovedByUser => &mut self.tally.removed_by_user,
            End::SetAside(_) => &mut self.tally.set_aside,
        } += 1;
        debug_assert!(self.tally.holds(), "invariant D: {:?}", self.tally);
        self.settled.push(Settled { origin, end, losses });
    }

    /// Makes the folders of a batch and surveys those that are unknown ground.
    fn prepare(&mut self, batch: &[Prepared]) -> Result<FolderStates, DeliveryError> {
        let folders: BTreeSet<&FolderPath> = batch.iter().flat_map(Prepared::folders).collect();
        let folders: Vec<FolderPath> = folders.into_iter().cloned().collect();
        let states = self.destination.prepare(&folders)?;
        for folder in &folders {
            if !self.known_folders.contains(folder) {
                if !self.store.knows_folder(&self.settings.mailbox, folder)? {
                    self.survey(folder)?;
                }
                self.known_folders.insert(folder.clone());
            }
        }
        Ok(folders.into_iter().zip(states).collect())
    }

    /// Notes the copies of ours in a folder that the ledger does not know: it was lost, or another machine was here.
    fn survey(&mut self, folder: &FolderPath) -> Result<(), DeliveryError> {
        let present = self.destination.survey(folder)?;
        for group in present.chunks(LIST_PAGE_ITEMS as usize) {
            let mut entries = BTreeMap::new();
            for (copy, origin) in group.iter().filter_map(|copy| Some((copy, copy.origin?))) {
                let entry = self.entry_in(&mut entries, self.key(origin))?;
                if entry.placed(folder).is_none() {
                    entry.place(Placed {
                        folder: folder.clone(),
                        location: Some(copy.location.clone()),
                        size: copy.size,
                        source_digest: None,
                        output_digest: None,
                    });
                }
            }
            self.commit(Changes { entries: entries.into_iter().collect(), ..Changes::default() })?;
        }
        self.commit(Changes { known_folders: vec![folder.clone()], ..Changes::default() })
    }

    /// The line of an item as it stands in `entries`, else in the ledger, else a new one.
    fn entry_in<'e>(
        &self,
        entries: &'e mut BTreeMap<ItemKey, Entry>,
        key: ItemKey,
    ) -> Result<&'e mut Entry, StoreError> {
        match entries.entry(key) {
            Slot::Occupied(slot) => Ok(slot.into_mut()),
            Slot::Vacant(slot) => {
                let entry = self.store.entry(slot.key())?;
                Ok(slot.insert(entry.unwrap_or_else(|| Entry::unfinished(self.settings.now_unix_ms))))
            }
        }
    }

    /// Settles what an earlier pass left in flight: what arrived is noted, what did not will be put again.
    fn settle_in_flight(&mut self) -> Result<(), DeliveryError> {
        let in_flight = self.store.in_flight(&self.settings.mailbox)?;
        if in_flight.is_empty() {
            return Ok(());
        }
        // Takes away what a destination may have left half written.
        let folders: BTreeSet<FolderPath> = in_flight.iter().map(|record| record.folder.clone()).collect();
        self.destination.prepare(&Vec::from_iter(folders))?;
        let locations = self.destination.reconcile(&in_flight)?;
        let searchable = self.destination.traits().searchable;
        let mut entries = BTreeMap::new();
        let mut changes = Changes::default();
        for (record, location) in in_flight.into_iter().zip(locations) {
            changes.settled.push(PlacementId::new(&record.key.origin, &record.folder));
            let Some(location) = location else {
                if !searchable {
                    let aside =
                        SetAside::new(SetAsideReason::Uncertain, "the program ended before the answer came");
                    self.entry_in(&mut entries, record.key)?.outcome = Outcome::SetAside(aside);
                }
                continue;
            };
            changes.to_remove.extend(batch::replaced_copy(&record.folder, record.replaces, &location));
            let entry = self.entry_in(&mut entries, record.key)?;
            entry.pass = self.settings.pass;
            entry.place(Placed {
                folder: record.folder,
                location: Some(location),
                size: record.size,
                source_digest: Some(record.source_digest),
                output_digest: None,
            });
        }
        changes.entries = entries.into_iter().collect();
        self.commit(changes)
    }

    /// Takes out the older copies whose new versions are there.
    fn take_out_replaced(&mut self) -> Result<(), DeliveryError> {
        let mut removed = Vec::new();
        for removal in self.store.removals(&self.settings.mailbox)? {
            match self.destination.remove(&removal.folder, &removal.location) {
                Ok(_) => removed.push(removal),
                // It stays noted; the new version lies beside it, and the rest goes on.
                Err(DestinationError::CannotRemove { .. }) => break,
                Err(error) => return Err(error.into()),
            }
        }
        self.commit(Changes { removed, ..Changes::default() })
    }

    /// A copy that is to be replaced and is not where we put it any more was taken out by the user.
    fn drop_removed_by_user(&mut self, jobs: &mut [Job]) -> Result<(), DeliveryError> {
        let older: Vec<InFlight> = jobs.iter().flat_map(Job::older_copies).collect();
        if older.is_empty() {
            return Ok(());
        }
        let found = self.destination.reconcile(&older)?;
        let there: HashSet<&Location> = found.iter().flatten().collect();
        jobs.iter_mut().for_each(|job| job.drop_removed_by_user(|old| there.contains(old)));
        Ok(())
    }

    fn settle_batch(&mut self, jobs: Vec<Job>, answers: Vec<put::Answer>) -> Result<(), DeliveryError> {
        let mut answers = answers.into_iter();
        let mut changes = Changes::default();
        let mut ends = Vec::with_capacity(jobs.len());
        for job in jobs {
            let own = answers.by_ref().take(job.puts.len()).collect();
            ends.push((job.prepared.key.origin, job.finish(own, self.settings, &mut changes)));
        }
        self.commit(changes)?;
        let mut full = None;
        for (origin, finished) in ends {
            match finished {
                Ok((end, losses)) => self.settle(origin, end, losses),
                Err(why) => full = Some(why),
            }
        }
        self.take_out_replaced()?;
        match full {
            Some(why) => Err(DestinationError::Full { target: self.settings.mailbox.0.clone(), why }.into()),
            None => Ok(()),
        }
    }
}
