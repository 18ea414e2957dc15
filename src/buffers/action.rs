//! The action buffer: one record a migration, the order given for it and not yet settled.
//!
//! Written by `server::migration` (put, settle, end) and `server::communication` (lease). Kept in table `actions` of
//! the state, without leases. The rules are in `slot`; this page adds locks and the store. Each migration has a lock of
//! its own, under which its record is written, so that a commit of one never holds up another.
//!
//! Invariant A: an action has at most one live lease, and data of an older epoch is refused. Invariant E: after
//! [`LeaseSettings::attempts`] an action is given up. `tests/crash.rs` stops the program after each write and checks
//! both.

pub use crate::buffers::slot::Asker;

use crate::base::clock::Monotonic;
use crate::base::ids::{ActionId, ChunkNumber, Epoch, ExtractorId, MigrationId};
use crate::base::limits::{ACTION_ATTEMPTS, LEASE_SECONDS, WAIT_MILLISECONDS};
use crate::buffers::data::Room;
use crate::buffers::slot::{Durable, Lost, Reply, Slot, Standing, Work};
use crate::protocol::action::{Action, Held, Order};
use crate::protocol::frame;
use crate::protocol::transfer::Chunk;
use crate::store::actions::ActionRecord;
use crate::store::{StateStore, StoreError};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long a lease lasts, and how often an action is leased.
#[derive(Clone, Copy, Debug)]
pub struct LeaseSettings {
    /// Without a sign of life.
    pub lease: Duration,
    /// Leases that may come to nothing before the action is given up.
    pub attempts: u32,
}

impl Default for LeaseSettings {
    fn default() -> Self {
        Self { lease: Duration::from_secs(LEASE_SECONDS), attempts: ACTION_ATTEMPTS }
    }
}

/// How a migration ends for its migrator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Nothing is left to do.
    Done,
    /// It was stopped.
    Stop,
}

/// What becomes of an action whose answer could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Again {
    /// It is asked for again.
    Queued,
    /// It came to nothing too often. The migration rests until another action is put.
    GivenUp,
}

/// A lease that ended without an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expired {
    pub migration: MigrationId,
    pub action: ActionId,
    /// It came to nothing too often. The migration rests until another action is put.
    pub given_up: bool,
}

/// What became of a chunk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Offer {
    /// It is in the data buffer, now or since an earlier call. With the holder of the lease if the answer is whole.
    Kept { whole: Option<Asker> },
    /// There is no room, in a sentence.
    Full { why: String },
    /// It is damaged, or one before it is missing.
    SendAgain { last_kept: Option<ChunkNumber> },
    /// Its lease is over.
    Over,
}

/// The actions of all migrations. `put`, `end`, `wait` and `remove` of one migration are not called at the same time.
#[derive(Debug)]
pub struct ActionBuffer {
    store: Arc<StateStore>,
    settings: LeaseSettings,
    slots: Mutex<HashMap<MigrationId, Arc<Mutex<Slot>>>>,
    /// Leases that another asker ended, until `expire` tells of them.
    lost: Mutex<Vec<Expired>>,
}

impl ActionBuffer {
    /// Reads the records of an earlier run: every action is in a new epoch, and nobody holds a lease.
    ///
    /// # Errors
    /// When the state cannot be read or written.
    pub fn open(store: Arc<StateStore>, settings: LeaseSettings) -> Result<Self, StoreError> {
        let mut slots = HashMap::new();
        let mut renewed = Vec::new();
        for (migration, mut record) in store.actions()? {
            if let ActionRecord::Unsettled { epoch, .. } = &mut record {
                *epoch = Epoch(epoch.0 + 1);
            }
            slots.insert(migration, Arc::new(Mutex::new(slot_of(&record))));
            renewed.push((migration, Some(record)));
        }
        store.put_actions(renewed)?;
        Ok(Self { store, settings, slots: Mutex::new(slots), lost: Mutex::default() })
    }

    /// Queues an action. Durable when this returns.
    ///
    /// # Errors
    /// When the state cannot be written.
    ///
    /// # Panics
    /// When the action before it is not settled, or this one is nothing that is answered with data.
    pub fn put(&self, migration: MigrationId, action: &Action) -> Result<ActionId, StoreError> {
        assert!(
            !matches!(action, Action::Wait { .. } | Action::Stop | Action::Done),
            "{action:?} is no work"
        );
        let slot = self.slot_or_new(migration);
        let mut slot = lock(&slot);
        let epoch = Epoch(1);
        let bytes = frame::encode(action).expect("an action fits a message");
        assert!(slot.work().is_none(), "an action is put when the one before is settled");
        let id = self.store.add_action(migration, epoch, bytes)?;
        slot.put(Work { action: id, order: Arc::new(action.clone()), epoch, attempts: 0 });
        Ok(id)
    }

    /// The action that is put and not settled: after a start, one of the run before.
    pub fn unsettled(&self, migration: MigrationId) -> Option<(ActionId, Action)> {
        let slot = self.slot(migration)?;
        let slot = lock(&slot);
        slot.work().map(|work| (work.action, Action::clone(&work.order)))
    }

    /// Ends the migration for its migrator; leases end. Durable when this returns.
    ///
    /// # Errors
    /// When the state cannot be written.
    pub fn end(&self, migration: MigrationId, ending: Ending) -> Result<(), StoreError> {
        self.change_or_make(migration, |slot| slot.end(ending))
    }

    /// Nothing to do now: who asks is told to wait, an unsettled action is dropped and leases end. Durable when this
    /// returns.
    ///
    /// # Errors
    /// When the state cannot be written.
    pub fn wait(&self, migration: MigrationId) -> Result<(), StoreError> {
        self.change_or_make(migration, Slot::rest)
    }

    /// Removes the record: who asks is told to stop. Durable when this returns.
    ///
    /// # Errors
    /// When the state cannot be written.
    pub fn remove(&self, migration: MigrationId) -> Result<(), StoreError> {
        if let Some(slot) = self.slot(migration) {
            let mut slot = lock(&slot);
            self.store.put_actions(vec![(migration, None)])?;
            slot.end(Ending::Stop);
            lock(&self.slots).remove(&migration);
        }
        Ok(())
    }

    /// *Action Request*. `data_waiting`: the data buffer holds data of this migration that was not taken.
    ///
    /// # Errors
    /// When the state cannot be written.
    pub fn ask(
        &self,
        migration: MigrationId,
        asker: &Asker,
        now: Monotonic,
        data_waiting: bool,
    ) -> Result<Order, StoreError> {
        // No record means that the migration was stopped.
        let Some(slot) = self.slot(migration) else { return Ok(order_of(Reply::Ended(Ending::Stop))) };
        let mut slot = lock(&slot);
        let (reply, lost) =
            self.change(migration, &mut slot, |slot| slot.ask(asker, now, data_waiting, &self.settings))?;
        lock(&self.lost).extend(lost.map(|lost| expired(migration, lost)));
        Ok(order_of(reply))
    }

    /// A sign of life of whoever holds a lease: whether it still does.
    pub fn check(&self, held: &Held, now: Monotonic) -> bool {
        self.slot(held.migration)
            .is_some_and(|slot| lock(&slot).alive((held.action, held.epoch), now, &self.settings))
    }

    /// A chunk of a lease: judged, and handed to `keep` if it is due, in one step. Counts as a sign of life.
    ///
    /// # Errors
    /// Those of `keep`.
    pub fn offer(
        &self,
        held: &Held,
        chunk: &Chunk,
        now: Monotonic,
        keep: impl FnOnce() -> Result<Room, StoreError>,
    ) -> Result<Offer, StoreError> {
        let Some(slot) = self.slot(held.migration) else { return Ok(Offer::Over) };
        let mut slot = lock(&slot);
        let standing = slot.standing((held.action, held.epoch), chunk.number(), now, &self.settings);
        Ok(match standing {
            Standing::Over => Offer::Over,
            Standing::Again { whole } => Offer::Kept { whole },
            Standing::Gap { last_kept } => Offer::SendAgain { last_kept },
            Standing::Due if !chunk.is_intact() => Offer::SendAgain { last_kept: slot.last_kept() },
            Standing::Due => match keep()? {
                Room::Full { why } => Offer::Full { why },
                Room::Kept => Offer::Kept { whole: slot.kept(chunk.number(), chunk.is_last()) },
            },
        })
    }

    /// The answer to an action was read whole; the migration rests until the next is put. Durable when this returns.
    /// An action that is not current any more is left.
    ///
    /// # Errors
    /// When the state cannot be written.
    pub fn settle(&self, migration: MigrationId, action: ActionId) -> Result<(), StoreError> {
        let Some(slot) = self.slot(migration) else { return Ok(()) };
        self.change(migration, &mut lock(&slot), |slot| slot.settle(action))
    }

    /// The answer to an action cannot be read: it is queued again in a new epoch, which costs one attempt. One that is
    /// queued again already is left.
    ///
    /// # Errors
    /// When the state cannot be written.
    pub fn again(&self, migration: MigrationId, action: ActionId) -> Result<Again, StoreError> {
        let Some(slot) = self.slot(migration) else { return Ok(Again::Queued) };
        let lost = self.change(migration, &mut lock(&slot), |slot| slot.again(action, &self.settings))?;
        Ok(match lost {
            Some(Lost { given_up: true, .. }) => Again::GivenUp,
            _ => Again::Queued,
        })
    }

    /// Ends the leases without a sign of life. Tells of these, and of those that a new migrator ended since the call
    /// before.
    ///
    /// # Errors
    /// When the state cannot be written; what could not be ended ends with the next call.
    pub fn expire(&self, now: Monotonic) -> Result<Vec<Expired>, StoreError> {
        let slots: Vec<_> =
            lock(&self.slots).iter().map(|(&migration, slot)| (migration, Arc::clone(slot))).collect();
        for (migration, slot) in slots {
            let lost = self.change(migration, &mut lock(&slot), |slot| slot.expire(now, &self.settings))?;
            lock(&self.lost).extend(lost.map(|lost| expired(migration, lost)));
        }
        Ok(std::mem::take(&mut *lock(&self.lost)))
    }

    /// When a migrator last called for a migration.
    pub fn heard(&self, migration: MigrationId) -> Option<Monotonic> {
        self.slot(migration).and_then(|slot| lock(&slot).heard)
    }

    /// How many leases each extractor holds.
    pub fn leases(&self) -> HashMap<ExtractorId, usize> {
        let slots: Vec<_> = lock(&self.slots).values().cloned().collect();
        let mut leases = HashMap::new();
        for holder in slots.iter().filter_map(|slot| lock(slot).holder()) {
            *leases.entry(holder.extractor).or_default() += 1;
        }
        leases
    }

    fn slot(&self, migration: MigrationId) -> Option<Arc<Mutex<Slot>>> {
        lock(&self.slots).get(&migration).cloned()
    }

    fn slot_or_new(&self, migration: MigrationId) -> Arc<Mutex<Slot>> {
        let mut slots = lock(&self.slots);
        Arc::clone(slots.entry(migration).or_insert_with(|| Arc::new(Mutex::new(Slot::ended(Ending::Stop)))))
    }

    fn change_or_make(
        &self,
        migration: MigrationId,
        decide: impl FnOnce(&mut Slot),
    ) -> Result<(), StoreError> {
        let slot = self.slot_or_new(migration);
        self.change(migration, &mut lock(&slot), decide)
    }

    /// Decides on a copy, so that nothing is true in memory that could not be made durable.
    fn change<R>(
        &self,
        migration: MigrationId,
        slot: &mut Slot,
        decide: impl FnOnce(&mut Slot) -> R,
    ) -> Result<R, StoreError> {
        let mut changed = slot.clone();
        let decision = decide(&mut changed);
        if changed.durable() != slot.durable() {
            self.store.put_actions(vec![(migration, Some(record_of(&changed)))])?;
        }
        *slot = changed;
        Ok(decision)
    }
}

fn slot_of(record: &ActionRecord) -> Slot {
    match *record {
        ActionRecord::Resting => Slot::resting(),
        ActionRecord::Done => Slot::ended(Ending::Done),
        ActionRecord::Stopped => Slot::ended(Ending::Stop),
        ActionRecord::Unsettled { action, epoch, attempts, ref order } => match frame::decode(order) {
            Ok(order) => Slot::queued(Work { action, order: Arc::new(order), epoch, attempts }),
            // Of a release that spoke other versions: the migration puts it anew.
            Err(_) => Slot::resting(),
        },
    }
}

fn record_of(slot: &Slot) -> ActionRecord {
    match (slot.durable(), slot.work()) {
        (Durable::Unsettled { action, epoch, attempts }, Some(work)) => {
            let order = frame::encode(&*work.order).expect("it was encoded when it was put");
            ActionRecord::Unsettled { action, epoch, attempts, order }
        }
        (Durable::Ended(Ending::Done), _) => ActionRecord::Done,
        (Durable::Ended(Ending::Stop), _) => ActionRecord::Stopped,
        (Durable::Resting | Durable::Unsettled { .. }, _) => ActionRecord::Resting,
    }
}

fn order_of(reply: Reply) -> Order {
    match reply {
        Reply::Wait => Order { action: Action::Wait { milliseconds: WAIT_MILLISECONDS }, lease: None },
        Reply::Ended(Ending::Done) => Order { action: Action::Done, lease: None },
        Reply::Ended(Ending::Stop) => Order { action: Action::Stop, lease: None },
        Reply::Leased { order, lease } => Order { action: Action::clone(&order), lease: Some(lease) },
    }
}

fn expired(migration: MigrationId, Lost { action, given_up }: Lost) -> Expired {
    Expired { migration, action, given_up }
}

/// A thread that panicked while it held a lock left nothing half done: slots are changed in one step.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
