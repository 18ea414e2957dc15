//! Everything of the server but HTTP: the store, the buffers, the communication service, the scheduler and the
//! migration services, with the threads that move them.
//!
//! One thread carries out what the scheduler decides. Each running pass has a thread of its own for its migration
//! service and a long job on the upload pool for its delivery. A pass ends in one of four ways (complete, failed,
//! closed, shut down), and each leaves the ledger such that the next pass goes on from there.

use crate::base::clock::SystemClock;
use crate::base::ids::{ActionId, MailboxNumber, MigrationId};
use crate::base::limits::{DELIVERY_QUEUE_BYTES, LEFT_BEHIND_TOLD, SERVICE_LOOK_MS};
use crate::base::secret::Secret;
use crate::buffers::action::{ActionBuffer, Ending, LeaseSettings};
use crate::buffers::data::{DataBuffer, DataLimits};
use crate::conversion::{Choices, Directory};
use crate::destinations::Traits;
use crate::destinations::registry::Target;
use crate::model::item::{MailboxId, Origin};
use crate::model::loss::{SetAside, SetAsideReason};
use crate::model::outcome::Outcome;
use crate::model::summary::Summary;
use crate::server::communication::{Communication, CommunicationSettings};
use crate::server::delivery::Settings;
use crate::server::migration::delivery_job::{self, Message, Progress};
use crate::server::migration::queue::Queue;
use crate::server::migration::{Delivery, MigrationError, Parts, Service, Step};
use crate::server::pool::Pool;
use crate::server::scheduler::{Decision, Event, Scheduler, SchedulerSettings};
use crate::store::config::{Mailbox, PassLine, PassState, Retry};
use crate::store::seal::SealKey;
use crate::store::{Entry, StateStore, StoreError};
use std::collections::{BTreeSet, HashMap};
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak, mpsc};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// Milliseconds between two looks of the scheduler at leases and waiting passes.
const TICK_MS: u64 = 1_000;

/// The settings of a server.
#[derive(Clone, Debug, Default)]
pub struct MachineSettings {
    pub scheduler: SchedulerSettings,
    pub leases: LeaseSettings,
    pub data: DataLimits,
    pub communication: CommunicationSettings,
    /// Threads that convert; 0 for as many as there are cores.
    pub conversion_threads: usize,
    /// What is known of Notes names.
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

/// Why an order was not taken.
#[derive(Debug, thiserror::Error)]
pub enum OrderError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("there is no mailbox {0}")]
    NoMailbox(MailboxNumber),
    #[error("there is no pass {0}")]
    NoPass(MigrationId),
    #[error("the target of mailbox {mailbox} cannot be used: {why}")]
    Target { mailbox: MailboxNumber, why: String },
    #[error("a pass into {0} is under way; let it finish or stop it first")]
    UnderWay(String),
}

/// An item that is set aside.
#[derive(Clone, Debug)]
pub struct SetAsideItem {
    pub origin: Origin,
    pub why: SetAside,
    pub unix_ms: i64,
}

/// The server without HTTP.
pub struct Machine {
    parts: Parts,
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

/// A pass whose service runs.
struct Running {
    signals: Mutex<Signals>,
    changed: Condvar,
    progress: Progress,
    queue: Queue<Message>,
}

#[derive(Default)]
struct Signals {
    /// Something arrived.
    arrived: bool,
    /// The service is to end.
    closing: bool,
    given_up: Vec<ActionId>,
}

/// How a service ended.
enum Ended {
    Complete { not_final: Option<String> },
    Failed { why: String },
    Closed,
}

impl Delivery for Arc<Running> {
    fn traits(&self) -> Option<Traits> {
        self.progress.wait_for_traits()
    }

    fn put(&self, message: Message) -> bool {
        self.queue.put(message.weight(), message)
    }
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

    /// Starts a pass over a mailbox; with a limit a trial of so many documents.
    ///
    /// # Errors
    /// [`OrderError`]
    pub fn start_pass(&self, mailbox: MailboxNumber, limit: Option<u32>) -> Result<MigrationId, OrderError> {
        self.start(mailbox, limit, None)
    }

    /// Starts a pass that tries chosen documents again and opens nothing else. After a trial it looks no further than
    /// the trial did.
    ///
    /// # Errors
    /// [`OrderError`]
    pub fn start_retry(&self, mailbox: MailboxNumber, retry: Retry) -> Result<MigrationId, OrderError> {
        let passes = self.store().lines::<PassLine>()?;
        let last = passes.iter().rev().find(|pass| pass.mailbox == mailbox);
        self.start(mailbox, last.and_then(|pass| pass.limit), Some(retry))
    }

    fn start(
        &self,
        mailbox: MailboxNumber,
        limit: Option<u32>,
        retry: Option<Retry>,
    ) -> Result<MigrationId, OrderError> {
        let line = self.store().line::<Mailbox>(mailbox)?.ok_or(OrderError::NoMailbox(mailbox))?;
        let target = target_of(&line)?;
        // The lock is held until the scheduler knows the pass, so that two orders at once start one.
        let scheduler = lock(&self.scheduler);
        if scheduler.has(&target.mailbox()) || self.is_under_way(mailbox)? {
            return Err(OrderError::UnderWay(target.mailbox().0));
        }
        let now = self.clock.now().unix_ms;
        let pass = self.store().add_line(move |id| PassLine {
            limit,
            retry: retry.clone(),
            ..PassLine::queued(id, mailbox, now)
        })?;
        drop(scheduler);
        self.tell(Event::Started { pass: pass.id, mailbox: target.mailbox() });
        self.changed();
        Ok(pass.id)
    }

    /// Stops a pass. What it delivered stays, and the next pass goes on from there.
    ///
    /// # Errors
    /// [`OrderError`]
    pub fn stop_pass(&self, pass: MigrationId) -> Result<(), OrderError> {
        self.store().line::<PassLine>(pass)?.ok_or(OrderError::NoPass(pass))?;
        self.tell(Event::StopOrdered { pass });
        Ok(())
    }

    /// All passes, those under way with their present sum.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn passes(&self) -> Result<Vec<PassLine>, StoreError> {
        let mut lines = self.store().lines::<PassLine>()?;
        let running = lock(&self.running);
        for line in &mut lines {
            if let Some(running) = running.get(&line.id) {
                line.tally = running.progress.tally().into();
            }
        }
        Ok(lines)
    }

    /// Waits until something changed after `mark`, for at most so long; gives the present mark.
    pub fn wait_for_change(&self, mark: u64, most: Duration) -> u64 {
        let present = lock(&self.mark);
        let waits = |present: &mut u64| *present == mark && !self.shutting_down.load(Ordering::Relaxed);
        let waited = self.marked.wait_timeout_while(present, most, waits);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }

    /// Items of a mailbox that are set aside, for one reason or any, up to `limit` of them, after the given origin (as
    /// its text).
    ///
    /// # Errors
    /// [`OrderError`]
    pub fn set_aside(
        &self,
        mailbox: MailboxNumber,
        reason: Option<SetAsideReason>,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<SetAsideItem>, OrderError> {
        let line = self.store().line::<Mailbox>(mailbox)?.ok_or(OrderError::NoMailbox(mailbox))?;
        let target = target_of(&line)?.mailbox();
        let mut found = Vec::new();
        self.each_entry(&target, after, |origin, entry| {
            if let Outcome::SetAside(why) = entry.outcome
                && reason.is_none_or(|reason| reason == why.reason)
            {
                found.push(SetAsideItem { origin, why, unix_ms: entry.unix_ms });
            }
            found.len() < limit
        })?;
        Ok(found)
    }

    /// What documents lost and why others were set aside, in a mailbox or, without one, in all of them.
    ///
    /// # Errors
    /// [`OrderError`]
    pub fn findings(&self, mailbox: Option<MailboxNumber>) -> Result<Summary, OrderError> {
        let lines = match mailbox {
            Some(id) => vec![self.store().line::<Mailbox>(id)?.ok_or(OrderError::NoMailbox(id))?],
            None => self.store().lines::<Mailbox>()?,
        };
        // Several databases may go to one target, and its ledger counts once.
        let targets = lines.iter().map(|line| Ok(target_of(line)?.mailbox()));
        let targets: BTreeSet<MailboxId> = targets.collect::<Result<_, OrderError>>()?;
        let mut summary = Summary::new(0, 0);
        for target in targets {
            self.each_entry(&target, None, |origin, entry| {
                match &entry.outcome {
                    Outcome::SetAside(why) => summary.add_set_aside(Some(origin), &entry.about, &[], why),
                    _ => summary.add_losses(Some(origin), &entry.about, &[], &entry.losses),
                }
                true
            })?;
        }
        Ok(summary)
    }

    /// Shows the lines of a ledger, after the given origin (as its text), as long as they are wanted.
    fn each_entry(
        &self,
        target: &MailboxId,
        after: Option<&str>,
        mut wants_more: impl FnMut(Origin, Entry) -> bool,
    ) -> Result<(), StoreError> {
        const PAGE: usize = 1_000;
        let mut after = after.map(str::to_owned);
        loop {
            let page = self.store().entries(target, after.as_deref(), PAGE)?;
            let is_last = page.len() < PAGE;
            after = page.last().map(|(origin, _)| origin.to_string());
            let shown_all = page.into_iter().all(|(origin, entry)| wants_more(origin, entry));
            if is_last || !shown_all {
                return Ok(());
            }
        }
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

    fn is_under_way(&self, mailbox: MailboxNumber) -> Result<bool, StoreError> {
        let passes = self.store().lines::<PassLine>()?;
        Ok(passes.iter().any(|pass| pass.mailbox == mailbox && is_open(pass)))
    }

    fn mailbox_of(&self, pass: &PassLine) -> Result<(Mailbox, Target), OrderError> {
        let mailbox = self.store().line::<Mailbox>(pass.mailbox)?;
        let mailbox = mailbox.ok_or(OrderError::NoMailbox(pass.mailbox))?;
        let target = target_of(&mailbox)?;
        Ok((mailbox, target))
    }

    /// The scheduler's thread.
    fn schedule(self: &Arc<Self>, events: &mpsc::Receiver<Inbox>) {
        loop {
            let event = match events.recv_timeout(Duration::from_millis(TICK_MS)) {
                Ok(Inbox::Event(event)) => event,
                Ok(Inbox::ShutDown) | Err(mpsc::RecvTimeoutError::Disconnected) => return,
                Err(mpsc::RecvTimeoutError::Timeout) => Event::Tick,
            };
            if event == Event::Tick {
                self.expire();
            }
            let decisions = lock(&self.scheduler).apply(event, self.clock.now());
            for decision in decisions {
                if let Err(error) = self.carry_out(decision) {
                    tracing::error!("a decision of the scheduler could not be noted: {error}");
                }
            }
        }
    }

    /// Ends leases without sign of life.
    fn expire(&self) {
        match self.parts.actions.expire(self.clock.now().monotonic) {
            Ok(expired) => {
                for expired in expired {
                    if let Some(running) = lock(&self.running).get(&expired.migration)
                        && expired.given_up
                    {
                        running.signal(|signals| signals.given_up.push(expired.action));
                    }
                    self.communication.tell(expired.migration);
                }
            }
            Err(error) => tracing::error!("leases could not be looked at: {error}"),
        }
    }

    fn carry_out(self: &Arc<Self>, decision: Decision) -> Result<(), StoreError> {
        match decision {
            Decision::Open(pass) => self.open_pass(pass)?,
            Decision::Close(pass) => {
                if let Some(running) = lock(&self.running).get(&pass) {
                    running.close();
                }
            }
            Decision::Wait { pass, until_unix_ms, failures, why } => {
                tracing::warn!("pass {pass} failed and is tried again later: {why}");
                let state = PassState::Waiting { until_unix_ms, failures, why };
                self.note(pass, move |line| line.state = state.clone())?;
            }
            Decision::Stop(pass) => self.note(pass, |line| line.state = PassState::Stopped)?,
            Decision::Finish(pass) => self.note(pass, |line| line.state = PassState::Finished)?,
        }
        self.communication.tell_all();
        Ok(())
    }

    /// Starts the threads of a pass.
    fn open_pass(self: &Arc<Self>, pass: MigrationId) -> Result<(), StoreError> {
        let opened = self.try_open_pass(pass);
        if let Err(error) = opened {
            self.tell(Event::Failed { pass, why: error.to_string() });
        }
        Ok(())
    }

    fn try_open_pass(self: &Arc<Self>, pass: MigrationId) -> Result<(), OrderError> {
        let line = self.store().line::<PassLine>(pass)?.ok_or(OrderError::NoPass(pass))?;
        let (mailbox, target) = self.mailbox_of(&line)?;
        let password = match &mailbox.target_password {
            Some(sealed) => self.key.open_secret(sealed).map_err(|error| OrderError::Target {
                mailbox: mailbox.id,
                why: format!("its password cannot be opened: {error}; enter it again"),
            })?,
            None => Secret::new(""),
        };
        let settings = Settings {
            pass: Some(pass),
            filter: mailbox.filter.clone().into(),
            ..Settings::new(target.mailbox(), self.clock.now().unix_ms)
        };
        let running = Arc::new(Running {
            signals: Mutex::default(),
            changed: Condvar::new(),
            progress: Progress::default(),
            queue: Queue::new(DELIVERY_QUEUE_BYTES),
        });
        let service = Service::begin(
            self.parts.clone(),
            pass,
            settings.clone(),
            mailbox.all_documents,
            line.limit,
            line.retry,
            Arc::clone(&running),
        )?;
        lock(&self.running).insert(pass, Arc::clone(&running));
        self.note(pass, |line| line.state = PassState::Running)?;
        let (store, delivering) = (Arc::clone(self.store()), Arc::clone(&running));
        self.parts.pool.upload(move || {
            let open = Box::new(move || target.open(password));
            delivery_job::run(&store, open, &settings, &delivering.queue, &delivering.progress);
            delivering.signal(|_| ());
        });
        let machine = Arc::clone(self);
        let thread = thread::Builder::new().name(format!("pass {pass}"));
        let spawned = thread.spawn(move || machine.run_pass(pass, service, &running));
        let mut threads = lock(&self.threads);
        threads.retain(|thread| !thread.is_finished());
        threads.push(
            spawned.map_err(|error| OrderError::Target { mailbox: mailbox.id, why: error.to_string() })?,
        );
        Ok(())
    }

    /// The thread of a pass, from its first step to its last word.
    fn run_pass(&self, pass: MigrationId, mut service: Service<Arc<Running>>, running: &Arc<Running>) {
        let ended = self.drive(pass, &mut service, running);
        // Content that nobody takes any more makes room; what was handed on is in the ledger.
        drop(service);
        lock(&self.running).remove(&pass);
        if let Err(error) = self.close_pass(pass, &ended, running) {
            tracing::error!("the end of pass {pass} could not be noted: {error}");
        }
        if !self.shutting_down.load(Ordering::Relaxed) {
            self.tell(match ended {
                Ended::Complete { .. } => Event::Completed { pass },
                Ended::Failed { why } => Event::Failed { pass, why },
                Ended::Closed => Event::Closed { pass },
            });
        }
    }

    fn drive(&self, pass: MigrationId, service: &mut Service<Arc<Running>>, running: &Arc<Running>) -> Ended {
        self.communication.tell(pass);
        let mut worked = false;
        loop {
            if !worked && running.progress.tally().delivered > 0 {
                worked = true;
                self.tell(Event::Worked { pass });
            }
            let signals = running.take_signals();
            if signals.closing {
                running.queue.abandon();
                // What is on its way is settled first; whether that worked is told by the ledger.
                let _ = running.progress.wait_for_end();
                return Ended::Closed;
            }
            match self.advance(service, &signals) {
                Ok(Step::Idle) if running.progress.has_ended() => return delivery_failed(running),
                Ok(Step::Idle) => running.wait(),
                Ok(Step::Worked) => self.changed(),
                Ok(Step::Asked) => {
                    self.communication.tell(pass);
                    self.changed();
                }
                Ok(Step::Complete) => {
                    running.queue.close();
                    return match running.progress.wait_for_end() {
                        Ok(()) => Ended::Complete { not_final: service.changed().map(str::to_owned) },
                        Err(why) => Ended::Failed { why },
                    };
                }
                Err(MigrationError::DeliveryEnded) => return delivery_failed(running),
                Err(error) => {
                    // What arrived until now is delivered all the same.
                    running.queue.close();
                    let _ = running.progress.wait_for_end();
                    return Ended::Failed { why: error.to_string() };
                }
            }
        }
    }

    fn advance(
        &self,
        service: &mut Service<Arc<Running>>,
        signals: &Signals,
    ) -> Result<Step, MigrationError> {
        for action in &signals.given_up {
            if service.given_up(*action)? == Step::Complete {
                return Ok(Step::Complete);
            }
        }
        service.step()
    }

    fn close_pass(&self, pass: MigrationId, ended: &Ended, running: &Running) -> Result<(), StoreError> {
        match ended {
            Ended::Complete { .. } => self.parts.actions.end(pass, Ending::Done)?,
            Ended::Closed => self.parts.actions.end(pass, Ending::Stop)?,
            Ended::Failed { .. } => self.parts.actions.remove(pass)?,
        }
        self.parts.data.clear(pass)?;
        let tally = running.progress.tally();
        let left_behind = running.progress.left_behind();
        let final_word = match ended {
            Ended::Complete { not_final } => not_final.clone(),
            Ended::Failed { .. } | Ended::Closed => None,
        };
        self.note(pass, move |line| {
            line.tally = tally.into();
            line.not_final.clone_from(&final_word);
            line.left_behind = left_behind.len() as u64;
            line.left_behind_places = left_behind.into_iter().take(LEFT_BEHIND_TOLD).collect();
        })
    }

    fn note(&self, pass: MigrationId, change: impl FnOnce(&mut PassLine)) -> Result<(), StoreError> {
        if let Some(mut line) = self.store().line::<PassLine>(pass)? {
            change(&mut line);
            line.changed_unix_ms = self.clock.now().unix_ms;
            self.store().put_lines(vec![line])?;
        }
        self.changed();
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

impl Running {
    fn signal(&self, change: impl FnOnce(&mut Signals)) {
        let mut signals = lock(&self.signals);
        change(&mut signals);
        signals.arrived = true;
        self.changed.notify_all();
    }

    fn close(&self) {
        self.signal(|signals| signals.closing = true);
        self.queue.abandon();
    }

    /// What was signalled; a wish to close stays.
    fn take_signals(&self) -> Signals {
        let mut signals = lock(&self.signals);
        let closing = signals.closing;
        std::mem::replace(&mut *signals, Signals { closing, ..Signals::default() })
    }

    fn wait(&self) {
        let signals = lock(&self.signals);
        let look = Duration::from_millis(SERVICE_LOOK_MS);
        let waits = |signals: &mut Signals| !signals.arrived && !signals.closing;
        drop(self.changed.wait_timeout_while(signals, look, waits));
    }
}

fn delivery_failed(running: &Running) -> Ended {
    match running.progress.wait_for_end() {
        Ok(()) => Ended::Closed,
        Err(why) => Ended::Failed { why },
    }
}

fn wake(machine: &Weak<Machine>, migration: MigrationId) {
    if let Some(machine) = machine.upgrade()
        && let Some(running) = lock(&machine.running).get(&migration)
    {
        running.signal(|_| ());
    }
}

fn is_open(pass: &PassLine) -> bool {
    match pass.state {
        PassState::Queued | PassState::Running | PassState::Waiting { .. } => true,
        PassState::Finished | PassState::Stopped => false,
    }
}

fn target_of(mailbox: &Mailbox) -> Result<Target, OrderError> {
    Target::parse(&mailbox.target)
        .map_err(|error| OrderError::Target { mailbox: mailbox.id, why: error.to_string() })
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
