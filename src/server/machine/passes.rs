//! The life of a pass: from the scheduler's decision to its end, with the threads that carry it.

use crate::base::ids::{ActionId, MigrationId};
use crate::base::limits::{DELIVERY_QUEUE_BYTES, LEFT_BEHIND_TOLD, SERVICE_LOOK_MS};
use crate::base::secret::Secret;
use crate::buffers::action::Ending;
use crate::destinations::{Destination, Traits};
use crate::server::address_books::Table;
use crate::server::delivery::Settings;
use crate::server::machine::orders::{OrderError, carried_of};
use crate::server::machine::{Inbox, Machine, lock};
use crate::server::migration::delivery_job::{self, Message, Progress};
use crate::server::migration::queue::Queue;
use crate::server::migration::{Delivery, MigrationError, Parts, Service, Step};
use crate::server::scheduler::{Decision, Event};
use crate::store::StoreError;
use crate::store::config::{PassLine, PassState};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Condvar, Mutex, Weak, mpsc};
use std::thread;
use std::time::Duration;

/// Milliseconds between two looks of the scheduler at leases and waiting passes.
const TICK_MS: u64 = 1_000;

/// A pass whose service runs.
pub(super) struct Running {
    signals: Mutex<Signals>,
    changed: Condvar,
    pub(super) progress: Progress,
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
    /// The scheduler's thread.
    pub(super) fn schedule(self: &Arc<Self>, events: &mpsc::Receiver<Inbox>) {
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
        let (filter, folder_map) = carried_of(&mailbox)?;
        let settings = Settings {
            pass: Some(pass),
            filter,
            folder_map,
            ..Settings::new(target.mailbox(), self.clock.now().unix_ms)
        };
        let running = Arc::new(Running {
            signals: Mutex::default(),
            changed: Condvar::new(),
            progress: Progress::default(),
            queue: Queue::new(DELIVERY_QUEUE_BYTES),
        });
        let directory = Arc::clone(&lock(&self.names).directory);
        let service = Service::begin(
            Parts { directory, ..self.parts.clone() },
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
            let names = target.is_directory().then(|| Table::new(Arc::clone(&store), target.mailbox()));
            let open = Box::new(move || match names {
                Some(table) => Ok(Box::new(table) as Box<dyn Destination>),
                None => target.open(password),
            });
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
        let is_directory = service.is_directory();
        // Content that nobody takes any more makes room; what was handed on is in the ledger.
        drop(service);
        lock(&self.running).remove(&pass);
        if let Err(error) = self.close_pass(pass, is_directory, &ended, running) {
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

    fn close_pass(
        &self,
        pass: MigrationId,
        is_directory: bool,
        ended: &Ended,
        running: &Running,
    ) -> Result<(), StoreError> {
        match ended {
            Ended::Complete { .. } => self.parts.actions.end(pass, Ending::Done)?,
            Ended::Closed => self.parts.actions.end(pass, Ending::Stop)?,
            Ended::Failed { .. } => self.parts.actions.remove(pass)?,
        }
        self.parts.data.clear(pass)?;
        // Before the scheduler hears of it, so that a mailbox that waited finds the names.
        if is_directory {
            self.renew_directory()?;
        }
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

    pub(super) fn note(
        &self,
        pass: MigrationId,
        change: impl FnOnce(&mut PassLine),
    ) -> Result<(), StoreError> {
        if let Some(mut line) = self.store().line::<PassLine>(pass)? {
            change(&mut line);
            line.changed_unix_ms = self.clock.now().unix_ms;
            self.store().put_lines(vec![line])?;
        }
        self.changed();
        Ok(())
    }
}

impl Running {
    fn signal(&self, change: impl FnOnce(&mut Signals)) {
        let mut signals = lock(&self.signals);
        change(&mut signals);
        signals.arrived = true;
        self.changed.notify_all();
    }

    pub(super) fn close(&self) {
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

pub(super) fn wake(machine: &Weak<Machine>, migration: MigrationId) {
    if let Some(machine) = machine.upgrade()
        && let Some(running) = lock(&machine.running).get(&migration)
    {
        running.signal(|_| ());
    }
}

pub(super) fn is_open(pass: &PassLine) -> bool {
    match pass.state {
        PassState::Queued | PassState::Running | PassState::Waiting { .. } => true,
        PassState::Finished | PassState::Stopped => false,
    }
}
