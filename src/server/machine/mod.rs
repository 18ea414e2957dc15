//! Everything of the server but HTTP: the store, the buffers, the communication service, the scheduler and the
//! migration services, with the threads that move them.
//!
//! One thread carries out what the scheduler decides. Each running pass has a thread of its own for its migration
//! service and a long job on the upload pool for its delivery. A pass ends in one of four ways (complete, failed,
//! closed, shut down), and each leaves the ledger such that the next pass goes on from there.

mod orders;
mod passes;
mod records;

use crate::base::clock::SystemClock;
use crate::base::ids::MigrationId;
use crate::buffers::action::{ActionBuffer, LeaseSettings};
use crate::buffers::data::{DataBuffer, DataLimits};
use crate::conversion::{Choices, Directory};
use crate::server::address_books::Names;
use crate::server::communication::{Communication, CommunicationSettings};
use crate::server::machine::passes::{Running, is_open, wake};
use crate::server::migration::Parts;
use crate::server::pool::Pool;
use crate::server::scheduler::{Event, Scheduler, SchedulerSettings};
use crate::store::config::{PassLine, PassState};
use crate::store::seal::SealKey;
use crate::store::{StateStore, StoreError};
pub use orders::OrderError;
pub use records::SetAsideItem;
use std::collections::HashMap;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// The settings of a server.
#[derive(Clone, Debug, Default)]
pub struct MachineSettings {
    pub scheduler: SchedulerSettings,
    pub leases: LeaseSettings,
    pub data: DataLimits,
    pub communication: CommunicationSettings,
    /// Threads that convert; 0 for as many as there are cores.
    pub conversion_threads: usize,
    /// What is known of Notes names without the address books that extractors read.
    pub directory: Arc<Directory>,
    pub choices: Choices,
}

/// Why a server cannot start.
#[derive(Debug, thiserror::Error)]
pub enum MachineError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the key file of the data folder cannot be used: {0}")]
    Key(io::Error),
    #[error("the system gives no threads: {0}")]
    Threads(io::Error),
}

/// The server without HTTP.
pub struct Machine {
    /// Its directory has no names of address books.
    parts: Parts,
    /// What is known of Notes names now.
    names: Mutex<Names>,
    communication: Arc<Communication>,
    key: SealKey,
    clock: SystemClock,
    scheduler: Mutex<Scheduler>,
    running: Mutex<HashMap<MigrationId, Arc<Running>>>,
    /// Counts changes that a page may want to show.
    mark: Mutex<u64>,
    marked: Condvar,
    inbox: mpsc::Sender<Inbox>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    shutting_down: AtomicBool,
}

/// What the scheduler's thread is told.
enum Inbox {
    Event(Event),
    ShutDown,
}

impl Machine {
    /// Opens the data folder and goes on with the passes that were under way.
    ///
    /// # Errors
    /// [`MachineError`]
    pub fn open(folder: &Path, settings: MachineSettings) -> Result<Arc<Self>, MachineError> {
        let store = Arc::new(StateStore::open(folder)?);
        let key = SealKey::load_or_make(folder).map_err(MachineError::Key)?;
        let actions = Arc::new(ActionBuffer::open(Arc::clone(&store), settings.leases)?);
        let data = Arc::new(DataBuffer::open(folder, settings.data)?);
        let pool = Pool::new(settings.conversion_threads, settings.scheduler.running);
        let pool = Arc::new(pool.map_err(|error| MachineError::Threads(io::Error::other(error)))?);
        let clock = SystemClock::new();
        let communication = Arc::new(Communication::new(
            Arc::clone(&store),
            Arc::clone(&actions),
            Arc::clone(&data),
            key.clone(),
            move || clock.now(),
            settings.communication,
        ));
        let (inbox, events) = mpsc::channel();
        let machine = Arc::new(Self {
            names: Mutex::default(),
            parts: Parts {
                store,
                actions,
                data,
                pool,
                directory: settings.directory,
                choices: settings.choices,
            },
            communication,
            key,
            clock,
            scheduler: Mutex::new(Scheduler::new(settings.scheduler)),
            running: Mutex::default(),
            mark: Mutex::new(1),
            marked: Condvar::new(),
            inbox,
            threads: Mutex::default(),
            shutting_down: AtomicBool::new(false),
        });
        let weak = Arc::downgrade(&machine);
        machine.communication.on_arrival(Box::new(move |migration| wake(&weak, migration)));
        let weak = Arc::downgrade(&machine);
        let news = move || weak.upgrade().iter().for_each(|machine| machine.changed());
        machine.communication.on_news(Box::new(news));
        machine.renew_directory()?;
        machine.go_on()?;
        let scheduling = Arc::clone(&machine);
        let thread = thread::Builder::new()
            .name("scheduler".to_owned())
            .spawn(move || scheduling.schedule(&events))
            .map_err(MachineError::Threads)?;
        lock(&machine.threads).push(thread);
        Ok(machine)
    }

    pub fn store(&self) -> &Arc<StateStore> {
        &self.parts.store
    }

    pub fn communication(&self) -> &Arc<Communication> {
        &self.communication
    }

    /// What arrived and is not delivered yet.
    pub fn data(&self) -> &DataBuffer {
        &self.parts.data
    }

    /// The key under which passwords are sealed.
    pub fn seal_key(&self) -> &SealKey {
        &self.key
    }

    /// Waits until something changed after `mark`, for at most so long; gives the present mark.
    pub fn wait_for_change(&self, mark: u64, most: Duration) -> u64 {
        let present = lock(&self.mark);
        let waits = |present: &mut u64| *present == mark && !self.shutting_down.load(Ordering::Relaxed);
        let waited = self.marked.wait_timeout_while(present, most, waits);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }

    /// Ends politely: batches that are on their way are settled, and nothing new begins.
    pub fn shut_down(&self) {
        self.shutting_down.store(true, Ordering::Relaxed);
        self.communication.shut_down();
        lock(&self.running).values().for_each(|running| running.close());
        // The scheduler's thread may have ended already.
        let _ = self.inbox.send(Inbox::ShutDown);
        let threads = std::mem::take(&mut *lock(&self.threads));
        for thread in threads {
            // A thread that panicked has told so already.
            let _ = thread.join();
        }
        self.changed();
    }

    /// Brings the passes that were under way when the server ended back to the scheduler.
    fn go_on(&self) -> Result<(), StoreError> {
        for line in self.store().lines::<PassLine>()?.into_iter().filter(is_open) {
            match self.mailbox_of(&line) {
                Ok((_, target)) => {
                    self.tell(Event::Started { pass: line.id, mailbox: target.mailbox() });
                }
                // Its mailbox was taken away, so nothing can be gone on with.
                Err(_) => self.note(line.id, |line| line.state = PassState::Stopped)?,
            }
        }
        Ok(())
    }

    fn tell(&self, event: Event) {
        // Nobody listens any more while the server ends; the next start goes on.
        let _ = self.inbox.send(Inbox::Event(event));
    }

    /// Something changed that a page may want to show.
    pub fn changed(&self) {
        *lock(&self.mark) += 1;
        self.marked.notify_all();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
