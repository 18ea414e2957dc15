//! The rules of the action buffer for one migration: a value that is told what happened and when, without lock, store
//! or clock.
//!
//! ```text
//! Resting -> Queued -> Leased -> Answered -> Resting       an action; settled is Resting
//!              ^---------'----------'                      one attempt, a new epoch
//! ```
//!
//! Only a lease can be answered, and each has an epoch of its own (invariant A). What of a slot has to outlive the
//! process is its [`Durable`] part; leases do not.

use crate::base::clock::Monotonic;
use crate::base::ids::{ActionId, ChunkNumber, Epoch, ExtractorId, MigratorId, Sequence};
use crate::buffers::action::{Ending, LeaseSettings};
use crate::protocol::action::{Action, Lease};
use std::sync::Arc;

/// Who asks for an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asker {
    pub extractor: ExtractorId,
    pub migrator: MigratorId,
    /// It holds the migration's lock on its machine: every earlier migrator of this extractor is gone.
    pub alone: bool,
}

impl Asker {
    fn is(&self, other: &Self) -> bool {
        (self.extractor, self.migrator) == (other.extractor, other.migrator)
    }
}

/// An action and how often it was tried.
#[derive(Clone, Debug)]
pub struct Work {
    pub action: ActionId,
    pub order: Arc<Action>,
    /// While it is queued: the epoch of its next lease, which nobody was told yet.
    pub epoch: Epoch,
    /// How many leases of it came to nothing.
    pub attempts: u32,
}

#[derive(Clone, Copy, Debug)]
struct Hold {
    holder: Asker,
    until: Monotonic,
    last_kept: Option<ChunkNumber>,
}

/// The answer to an action in one epoch, which was kept whole.
#[derive(Clone, Copy, Debug)]
struct Whole {
    lease: (ActionId, Epoch),
    holder: Asker,
    last: ChunkNumber,
}

#[derive(Clone, Debug)]
enum State {
    Resting,
    Queued(Work),
    Leased(Work, Hold),
    Answered(Work, Whole),
    Ended(Ending),
}

/// What of a slot is kept in the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durable {
    Resting,
    Unsettled { action: ActionId, epoch: Epoch, attempts: u32 },
    Ended(Ending),
}

/// The answer to *ask*.
#[derive(Clone, Debug)]
pub enum Reply {
    Wait,
    Ended(Ending),
    Leased { order: Arc<Action>, lease: Lease },
}

/// How a chunk stands to the slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It is the next one of the live lease.
    Due,
    /// It was kept before. With the holder if its answer is whole.
    Again { whole: Option<Asker> },
    /// One in between is missing.
    Gap { last_kept: Option<ChunkNumber> },
    /// Its lease is over.
    Over,
}

/// A lease that came to nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lost {
    pub action: ActionId,
    pub given_up: bool,
}

#[derive(Clone, Debug)]
pub struct Slot {
    state: State,
    /// The settled answer: its last chunk may come again because *kept* was lost.
    before: Option<Whole>,
    /// When anybody last called for this migration.
    pub heard: Option<Monotonic>,
}

impl Slot {
    pub fn resting() -> Self {
        Self { state: State::Resting, before: None, heard: None }
    }

    pub fn ended(ending: Ending) -> Self {
        Self { state: State::Ended(ending), ..Self::resting() }
    }

    pub fn queued(work: Work) -> Self {
        Self { state: State::Queued(work), ..Self::resting() }
    }

    pub fn durable(&self) -> Durable {
        match (&self.state, self.work()) {
            (_, Some(&Work { action, epoch, attempts, .. })) => {
                Durable::Unsettled { action, epoch, attempts }
            }
            (&State::Ended(ending), None) => Durable::Ended(ending),
            (_, None) => Durable::Resting,
        }
    }

    /// The action that is not settled.
    pub fn work(&self) -> Option<&Work> {
        match &self.state {
            State::Queued(work) | State::Leased(work, _) | State::Answered(work, _) => Some(work),
            State::Resting | State::Ended(_) => None,
        }
    }

    /// Who holds a live lease.
    pub fn holder(&self) -> Option<Asker> {
        match &self.state {
            State::Leased(_, hold) => Some(hold.holder),
            _ => None,
        }
    }

    /// The last chunk that was kept under the live lease.
    pub fn last_kept(&self) -> Option<ChunkNumber> {
        match &self.state {
            State::Leased(_, hold) => hold.last_kept,
            _ => None,
        }
    }

    /// Queues an action that nobody was told of.
    pub fn put(&mut self, work: Work) {
        assert!(self.work().is_none(), "an action is put when the one before is settled");
        self.state = State::Queued(work);
    }

    /// Nothing to do now; leases end.
    pub fn rest(&mut self) {
        self.state = State::Resting;
    }

    /// Nothing to do any more; leases end.
    pub fn end(&mut self, ending: Ending) {
        self.state = State::Ended(ending);
    }

    /// What the asker is to do. With the lease that this took from another.
    pub fn ask(
        &mut self,
        asker: &Asker,
        now: Monotonic,
        data_waiting: bool,
        settings: &LeaseSettings,
    ) -> (Reply, Option<Lost>) {
        self.heard = Some(now);
        let lost = match &self.state {
            State::Leased(_, hold) if asker.takes_from(&hold.holder) => self.lose_lease(settings),
            _ => None,
        };
        (self.reply(asker, now, data_waiting, settings), lost)
    }

    fn reply(
        &mut self,
        asker: &Asker,
        now: Monotonic,
        data_waiting: bool,
        settings: &LeaseSettings,
    ) -> Reply {
        let until = Monotonic(now.0 + settings.lease);
        match &mut self.state {
            &mut State::Ended(ending) => Reply::Ended(ending),
            State::Leased(work, hold) if asker.is(&hold.holder) => {
                hold.until = until;
                leased(work, hold.last_kept, settings)
            }
            State::Queued(work) if !data_waiting => {
                let reply = leased(work, None, settings);
                let hold = Hold { holder: *asker, until, last_kept: None };
                self.state = State::Leased(work.clone(), hold);
                reply
            }
            State::Queued(_) | State::Leased(..) | State::Answered(..) | State::Resting => Reply::Wait,
        }
    }

    /// A sign of life of whoever holds the lease: whether it still does.
    pub fn alive(&mut self, lease: (ActionId, Epoch), now: Monotonic, settings: &LeaseSettings) -> bool {
        match &mut self.state {
            State::Leased(work, hold) if (work.action, work.epoch) == lease => {
                hold.until = Monotonic(now.0 + settings.lease);
                self.heard = Some(now);
                true
            }
            State::Answered(_, whole) => whole.lease == lease,
            _ => false,
        }
    }

    /// How a chunk of a lease stands to what was kept. Counts as a sign of life.
    pub fn standing(
        &mut self,
        lease: (ActionId, Epoch),
        number: ChunkNumber,
        now: Monotonic,
        settings: &LeaseSettings,
    ) -> Standing {
        let known = match &self.state {
            State::Leased(_, hold) if self.clone().alive(lease, now, settings) => (hold.last_kept, None),
            State::Answered(_, whole) if whole.lease == lease => (Some(whole.last), Some(whole.holder)),
            _ => match self.before {
                Some(whole) if whole.lease == lease => (Some(whole.last), Some(whole.holder)),
                _ => return Standing::Over,
            },
        };
        self.alive(lease, now, settings);
        match (number.after(known.0), known) {
            (Sequence::Again, (_, whole)) => Standing::Again { whole },
            // Nothing follows a last chunk.
            (_, (_, Some(_))) => Standing::Over,
            (Sequence::Next, _) => Standing::Due,
            (Sequence::Gap, (last_kept, _)) => Standing::Gap { last_kept },
        }
    }

    /// The due chunk was kept. With the holder if the answer is whole now.
    pub fn kept(&mut self, number: ChunkNumber, last: bool) -> Option<Asker> {
        let State::Leased(work, hold) = &mut self.state else {
            panic!("only a chunk of a live lease is due");
        };
        hold.last_kept = Some(number);
        if !last {
            return None;
        }
        let whole = Whole { lease: (work.action, work.epoch), holder: hold.holder, last: number };
        self.state = State::Answered(work.clone(), whole);
        Some(whole.holder)
    }

    /// The answer was read whole. One that is not current any more is left.
    pub fn settle(&mut self, action: ActionId) {
        if let State::Answered(work, whole) = &self.state
            && work.action == action
        {
            self.before = Some(*whole);
            self.state = State::Resting;
        }
    }

    /// The answer cannot be read: the action is asked for again. One that is queued again already is left.
    pub fn again(&mut self, action: ActionId, settings: &LeaseSettings) -> Option<Lost> {
        match &self.state {
            State::Leased(work, _) | State::Answered(work, _) if work.action == action => {
                self.lose_lease(settings)
            }
            _ => None,
        }
    }

    /// Ends a lease that had no sign of life for too long.
    pub fn expire(&mut self, now: Monotonic, settings: &LeaseSettings) -> Option<Lost> {
        match &self.state {
            State::Leased(_, hold) if hold.until <= now => self.lose_lease(settings),
            _ => None,
        }
    }

    /// Queues the action again in a new epoch. It costs one attempt, so that one bad item cannot hold a mailbox.
    fn lose_lease(&mut self, settings: &LeaseSettings) -> Option<Lost> {
        let work = self.work()?;
        let attempts = work.attempts + 1;
        let given_up = attempts >= settings.attempts;
        let lost = Lost { action: work.action, given_up };
        self.state = match given_up {
            true => State::Resting,
            false => State::Queued(Work { epoch: Epoch(work.epoch.0 + 1), attempts, ..work.clone() }),
        };
        Some(lost)
    }
}

impl Asker {
    /// Its extractor says that the holder is gone.
    fn takes_from(&self, holder: &Self) -> bool {
        self.alone && self.extractor == holder.extractor && !self.is(holder)
    }
}

fn leased(work: &Work, last_kept: Option<ChunkNumber>, settings: &LeaseSettings) -> Reply {
    let seconds = u32::try_from(settings.lease.as_secs()).unwrap_or(u32::MAX);
    let lease = Lease { action: work.action, epoch: work.epoch, seconds, last_kept };
    Reply::Leased { order: Arc::clone(&work.order), lease }
}
