//! The long job that owns the connection to one destination: it takes what was prepared and delivers it.
//!
//! Runs on the upload pool. Partial batches are delivered when nothing more comes for a while, so that a slow source
//! does not hold back what is there.

use crate::base::limits::DELIVERY_IDLE_MS;
use crate::destinations::{Destination, DestinationError, Traits};
use crate::model::item::Origin;
use crate::model::outcome::Tally;
use crate::server::delivery::{DeliveryError, End, Pass, Prepared, Settings};
use crate::server::migration::queue::{Queue, Taken};
use crate::store::StateStore;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// What the delivery is told, in the order in which the source told it.
pub enum Message {
    /// So many items more are listed.
    Found(u64),
    /// Listed items that cannot be identified.
    Unreadable(u64),
    /// A listed item that need not be opened.
    Unopened(Origin, End),
    Prepared(Box<Prepared>),
}

impl Message {
    /// What it counts in the queue, in bytes.
    pub fn weight(&self) -> u64 {
        const MESSAGE_BYTES: u64 = 512;
        let Self::Prepared(prepared) = self else { return MESSAGE_BYTES };
        MESSAGE_BYTES + prepared.memory_bytes()
    }
}

/// What others may know of a delivery.
#[derive(Debug, Default)]
pub struct Progress {
    state: Mutex<ProgressState>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct ProgressState {
    traits: Option<Traits>,
    tally: Tally,
    left_behind: Vec<String>,
    ended: Option<Result<(), String>>,
}

impl Progress {
    /// The sum so far.
    pub fn tally(&self) -> Tally {
        self.lock().tally
    }

    /// Older copies that the destination would not take out, in words.
    pub fn left_behind(&self) -> Vec<String> {
        self.lock().left_behind.clone()
    }

    /// What the destination can do, once it is open; `None` when the delivery ended before.
    pub fn wait_for_traits(&self) -> Option<Traits> {
        let state = self.lock();
        let waits = |state: &mut ProgressState| state.traits.is_none() && state.ended.is_none();
        self.changed.wait_while(state, waits).unwrap_or_else(PoisonError::into_inner).traits
    }

    /// Whether the delivery ended.
    pub fn has_ended(&self) -> bool {
        self.lock().ended.is_some()
    }

    /// Waits for the end and says what it was; an error is a sentence.
    pub fn wait_for_end(&self) -> Result<(), String> {
        let state = self.lock();
        let state = self.changed.wait_while(state, |state| state.ended.is_none());
        state.unwrap_or_else(PoisonError::into_inner).ended.clone().unwrap_or(Ok(()))
    }

    fn change(&self, change: impl FnOnce(&mut ProgressState)) {
        change(&mut self.lock());
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, ProgressState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Opens the destination of a delivery.
pub type Open = Box<dyn FnOnce() -> Result<Box<dyn Destination>, DestinationError> + Send>;

/// Delivers everything that comes through the queue. Its end is told in `progress`; then the queue takes no more.
pub fn run(store: &StateStore, open: Open, settings: &Settings, queue: &Queue<Message>, progress: &Progress) {
    let ended = deliver(store, open, settings, queue, progress);
    queue.abandon();
    progress.change(|state| state.ended = Some(ended.map_err(|error| error.to_string())));
}

fn deliver(
    store: &StateStore,
    open: Open,
    settings: &Settings,
    queue: &Queue<Message>,
    progress: &Progress,
) -> Result<(), DeliveryError> {
    let mut destination = open()?;
    let traits = destination.traits();
    let mut pass = Pass::begin(store, destination.as_mut(), settings)?;
    progress.change(|state| state.traits = Some(traits));
    loop {
        let taken = queue.take(Duration::from_millis(DELIVERY_IDLE_MS));
        match taken {
            Taken::Item(Message::Found(items)) => pass.count_found(items),
            Taken::Item(Message::Unreadable(items)) => (0..items).for_each(|_| pass.count_unreadable()),
            Taken::Item(Message::Unopened(origin, end)) => pass.settle_unopened(origin, end)?,
            Taken::Item(Message::Prepared(prepared)) => pass.add(*prepared)?,
            Taken::Idle => pass.deliver()?,
            Taken::Closed => {
                pass.deliver()?;
                let mut left_behind: Vec<String> =
                    pass.left_behind().map(|(folder, location)| format!("{folder} ({location})")).collect();
                left_behind.sort_unstable();
                progress.change(|state| {
                    state.tally = pass.tally();
                    state.left_behind = left_behind;
                });
                return Ok(());
            }
        }
        pass.take_settled();
        progress.change(|state| state.tally = pass.tally());
    }
}
