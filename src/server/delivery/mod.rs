//! The delivery of one mailbox, exactly once: from opened items to stored placements and lines of the ledger.
//!
//! Driven by `modes::migrate` and `server::migration`, which list and open; everything that decides, puts or remembers
//! is here. A batch goes its way in this order, and each step is durable before the next begins:
//!
//! 1. target folders that we did not fill ourselves are surveyed once, and an item is handed the copies of documents for
//!    which it speaks now;
//! 2. copies that were put earlier are looked for: one that is gone was taken out by the user and is never put back;
//! 3. the target folders exist, and one commit notes every placement of the batch as in flight;
//! 4. the destination stores the batch;
//! 5. one commit writes the outcomes, and which older copies are replaced or lie where the item is filed no more;
//! 6. these copies are taken out, and one commit notes that.
//!
//! Items that need not be opened take step 2 alone, many together. What differs in its unread mark only is marked as
//! read at the target and counts as already there.
//!
//! After a crash [`Pass::begin`] asks the destination about everything in flight and finishes step 6, so a placement
//! is put again only when it is known not to be there (invariant C). The sum of the mailbox holds after every commit
//! (invariant D).

mod batch;
mod digest;
mod ground;
mod look;
mod plan;
mod prepare;
mod put;
mod take_over;
mod twin;

use crate::base::ids::MigrationId;
use crate::base::limits::{BATCH_BYTES, BATCH_PLACEMENTS, LOOK_ITEMS};
use crate::destinations::{Destination, DestinationError, Place};
use crate::model::delivery::{Delivery, InFlight};
use crate::model::filter::{Filter, FolderMap, LeftOut};
use crate::model::folder::FolderPath;
use crate::model::item::{ItemKey, MailboxId, Origin, PlacementId};
use crate::model::loss::{Loss, SetAside, SetAsideReason};
use crate::model::outcome::{Outcome, Tally};
use crate::model::summary::About;
use crate::store::{Changes, Entry, Placed, StateStore, StoreError};
use batch::{FolderStates, Job};
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::mem;

pub use batch::Prepared;
pub use prepare::{Conversion, Convert, Preparer, Start};

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
    /// Already there, and read at the source since: said by [`Preparer::look`] to [`Pass::settle_unopened`], and settled
    /// as already there.
    ReadSince,
    RemovedByUser,
    SetAside(SetAside),
    /// Nobody asked for it. The ledger knows which filter left it out.
    FilteredOut(LeftOut),
}

/// An item that this pass is done with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settled {
    pub origin: Origin,
    pub end: End,
    /// What it lost in this pass.
    pub losses: Vec<Loss>,
    /// What it lost when it was delivered, where that was before this pass.
    pub earlier_losses: Vec<Loss>,
    /// Empty for an item that was not opened and lost nothing.
    pub about: About,
    /// The folders at the target in which it lies.
    pub folders: Vec<FolderPath>,
}

impl Settled {
    /// An item of which the ledger has a line.
    fn of(origin: Origin, end: End, losses: Vec<Loss>, entry: &Entry) -> Self {
        let about = entry.about.clone();
        Self {
            origin,
            end,
            losses,
            earlier_losses: Vec::new(),
            about,
            folders: entry.folders().cloned().collect(),
        }
    }
}

/// What holds for a whole pass.
#[derive(Clone, Debug)]
pub struct Settings {
    pub mailbox: MailboxId,
    /// The time of the run: milliseconds since 1970-01-01 00:00 UTC.
    pub now_unix_ms: i64,
    /// The pass, where it has a number: then it counts what it delivered before an interruption as delivered.
    pub pass: Option<MigrationId>,
    /// Which items are carried.
    pub filter: Filter,
    /// Other names for folders at the target.
    pub folder_map: FolderMap,
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
    /// Items that need not be opened and whose copies are still to be looked for.
    unopened: Vec<(Origin, End)>,
    known_folders: HashSet<FolderPath>,
    /// Folders that number their messages anew and were looked through.
    renumbered: HashSet<FolderPath>,
    left_behind: HashSet<Place>,
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
            unopened: Vec::new(),
            known_folders: HashSet::new(),
            renumbered: HashSet::new(),
            left_behind: HashSet::new(),
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

    /// Takes the end of an item that need not be opened. One that is at the target already is looked for there first,
    /// together with others, at the latest by [`Pass::deliver`].
    ///
    /// # Errors
    /// When the store or the destination does not answer.
    pub fn settle_unopened(&mut self, origin: Origin, end: End) -> Result<(), DeliveryError> {
        match end {
            End::AlreadyThere | End::ReadSince => self.unopened.push((origin, end)),
            End::Delivered | End::RemovedByUser | End::SetAside(_) | End::FilteredOut(_) => {
                let known = self.store.entry(&self.key(origin))?;
                self.settle(known_before(origin, end, Vec::new(), known.as_ref()));
            }
        }
        if self.unopened.len() >= LOOK_ITEMS { self.settle_looked_for() } else { Ok(()) }
    }

    /// Older copies that the destination would not take out: they lie beside their new versions.
    pub fn left_behind(&self) -> impl Iterator<Item = &Place> {
        self.left_behind.iter()
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

    /// Delivers and settles what waits; a batch that is not full too.
    ///
    /// # Errors
    /// When the store or the destination does not answer.
    pub fn deliver(&mut self) -> Result<(), DeliveryError> {
        self.settle_looked_for()?;
        let mut batch = mem::take(&mut self.batch);
        self.batch_origins.clear();
        self.batch_placements = 0;
        self.batch_bytes = 0;
        if batch.is_empty() {
            return Ok(());
        }
        self.survey_unknown_ground(&batch)?;
        batch.iter().try_for_each(|prepared| self.take_over(prepared))?;
        batch.iter_mut().try_for_each(|prepared| self.compare_with_twin(prepared))?;
        let keys: Vec<ItemKey> = batch.iter().map(|prepared| prepared.key.clone()).collect();
        let mut sighted = self.look_for(keys)?;
        let job = |prepared: Prepared| {
            let sighted = sighted.remove(&prepared.key);
            Job::new(prepared, sighted)
        };
        let mut jobs: Vec<Job> = batch.into_iter().map(job).collect();
        let states = self.prepare(&jobs)?;
        self.settle_flags(&mut jobs)?;
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

    fn settle(&mut self, settled: Settled) {
        self.tally.still_to_do -= 1;
        *match settled.end {
            End::Delivered => &mut self.tally.delivered,
            End::AlreadyThere | End::ReadSince => &mut self.tally.already_there,
            End::RemovedByUser => &mut self.tally.removed_by_user,
            End::SetAside(_) => &mut self.tally.set_aside,
            End::FilteredOut(_) => &mut self.tally.filtered_out,
        } += 1;
        debug_assert!(self.tally.holds(), "invariant D: {:?}", self.tally);
        self.settled.push(settled);
    }

    /// Makes the folders that something is put into.
    fn prepare(&mut self, jobs: &[Job]) -> Result<FolderStates, DeliveryError> {
        let puts = jobs.iter().flat_map(|job| &job.puts);
        let folders: BTreeSet<FolderPath> = puts.map(|put| put.folder.clone()).collect();
        let folders = Vec::from_iter(folders);
        let states = self.destination.prepare(&folders)?;
        Ok(folders.into_iter().zip(states).collect())
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
            let place = (removal.folder.clone(), removal.location.clone());
            if self.left_behind.contains(&place) {
                continue;
            }
            match self.destination.remove(&removal.folder, &removal.location) {
                Ok(_) => removed.push(removal),
                // It stays noted and is tried again by the next pass.
                Err(DestinationError::CannotRemove { .. }) => drop(self.left_behind.insert(place)),
                Err(error) => return Err(error.into()),
            }
        }
        self.commit(Changes { removed, ..Changes::default() })
    }

    fn settle_batch(&mut self, jobs: Vec<Job>, answers: Vec<put::Answer>) -> Result<(), DeliveryError> {
        let mut answers = answers.into_iter();
        let mut changes = Changes::default();
        let mut ends = Vec::with_capacity(jobs.len());
        for job in jobs {
            let own = answers.by_ref().take(job.puts.len()).collect();
            let replaced = job.prepared.message().and_then(|message| message.takes_place_of);
            let before = changes.entries.len();
            ends.push(job.finish(own, self.settings, &mut changes));
            let arrived =
                changes.entries[before..].iter().any(|(_, entry)| entry.outcome == Outcome::Delivered);
            if let Some(replaced) = replaced.filter(|_| arrived) {
                self.give_place(replaced, &mut changes)?;
            }
        }
        self.commit(changes)?;
        let mut full = None;
        for finished in ends {
            match finished {
                Ok(settled) => self.settle(settled),
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

/// An item that was not opened, with what its line of the ledger says.
fn known_before(origin: Origin, end: End, losses: Vec<Loss>, known: Option<&Entry>) -> Settled {
    let nothing = Entry::unfinished(0);
    let entry = known.unwrap_or(&nothing);
    Settled { earlier_losses: entry.losses.clone(), ..Settled::of(origin, end, losses, entry) }
}
