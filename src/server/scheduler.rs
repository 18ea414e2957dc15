//! Which passes run now, and when one that failed is tried again: decisions from state, event and time, and nothing
//! else.
//!
//! Driven by `server::machine`, which brings events and carries the decisions out. Two passes into the same mailbox
//! at the destination never run at the same time, because each believes what the ledger says between its commits. Address
//! books go first: a mailbox does not begin while one is queued or read, for [`ADDRESS_BOOK_SECONDS`] at most.

use crate::base::clock::Moment;
use crate::base::ids::MigrationId;
use crate::base::limits::ADDRESS_BOOK_SECONDS;
use crate::model::item::MailboxId;
use std::collections::BTreeMap;

/// Limits of the scheduler.
#[derive(Clone, Copy, Debug)]
pub struct SchedulerSettings {
    /// Passes that run at the same time.
    pub running: usize,
    /// Milliseconds until a failed pass is tried again for the first time; each further failure doubles it.
    pub retry_first_ms: u64,
    /// Milliseconds between two tries at most.
    pub retry_most_ms: u64,
}

impl Default for SchedulerSettings {
    fn default() -> Self {
        Self { running: 4, retry_first_ms: 5_000, retry_most_ms: 15 * 60_000 }
    }
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A person wants it, or it was under way when the server ended.
    Started { pass: MigrationId, mailbox: MailboxId },
    /// A person does not want it any more.
    StopOrdered { pass: MigrationId },
    /// Something of it worked, so that an earlier failure counts no more.
    Worked { pass: MigrationId },
    /// Its service ended because something failed.
    Failed { pass: MigrationId, why: String },
    /// Its service ended and everything was looked at.
    Completed { pass: MigrationId },
    /// Its service ended because it was told to.
    Closed { pass: MigrationId },
    /// Time has passed.
    Tick,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Start its service.
    Open(MigrationId),
    /// Tell its service to end; [`Event::Closed`] follows, or the end that it came to before.
    Close(MigrationId),
    /// It is to be tried again at this time.
    Wait {
        pass: MigrationId,
        until_unix_ms: i64,
        failures: u32,
        why: String,
    },
    /// Its last word.
    Stop(MigrationId),
    Finish(MigrationId),
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum State {
    Queued,
    Running { closing: bool },
    Waiting { until: Moment },
}

#[derive(Clone, Debug)]
struct Scheduled {
    mailbox: MailboxId,
    state: State,
    failures: u32,
    /// When it was ordered.
    since: Moment,
}

/// The passes that are not over.
#[derive(Clone, Debug, Default)]
pub struct Scheduler {
    settings: SchedulerSettings,
    passes: BTreeMap<MigrationId, Scheduled>,
}

impl Scheduler {
    pub fn new(settings: SchedulerSettings) -> Self {
        Self { settings, passes: BTreeMap::new() }
    }

    /// Whether a pass over this mailbox at the destination is not over yet.
    pub fn has(&self, mailbox: &MailboxId) -> bool {
        self.passes.values().any(|scheduled| scheduled.mailbox == *mailbox)
    }

    /// Takes an event and says what is to be done, in this order. Events about a pass that is over change nothing.
    pub fn apply(&mut self, event: Event, now: Moment) -> Vec<Decision> {
        let mut decisions = Vec::new();
        match event {
            Event::Started { pass, mailbox } => {
                let since = now;
                let scheduled = Scheduled { mailbox, state: State::Queued, failures: 0, since };
                self.passes.entry(pass).or_insert(scheduled);
            }
            Event::StopOrdered { pass } => decisions.extend(self.stop(pass)),
            Event::Worked { pass } => {
                if let Some(scheduled) = self.passes.get_mut(&pass) {
                    scheduled.failures = 0;
                }
            }
            Event::Failed { pass, why } => decisions.extend(self.fail(pass, why, now)),
            Event::Completed { pass } => {
                decisions.extend(self.passes.remove(&pass).map(|_| Decision::Finish(pass)));
            }
            Event::Closed { pass } => {
                decisions.extend(self.passes.remove(&pass).map(|_| Decision::Stop(pass)));
            }
            Event::Tick => {}
        }
        self.open(now, &mut decisions);
        decisions
    }

    /// When the next pass that waits is tried again.
    pub fn next_try(&self) -> Option<Moment> {
        let waiting = self.passes.values().filter_map(|scheduled| match scheduled.state {
            State::Waiting { until } => Some(until),
            State::Queued | State::Running { .. } => None,
        });
        waiting.min_by_key(|until| until.monotonic)
    }

    fn stop(&mut self, pass: MigrationId) -> Option<Decision> {
        let scheduled = self.passes.get_mut(&pass)?;
        match &mut scheduled.state {
            State::Running { closing: true } => None,
            State::Running { closing } => {
                *closing = true;
                Some(Decision::Close(pass))
            }
            State::Queued | State::Waiting { .. } => {
                self.passes.remove(&pass);
                Some(Decision::Stop(pass))
            }
        }
    }

    fn fail(&mut self, pass: MigrationId, why: String, now: Moment) -> Option<Decision> {
        let scheduled = self.passes.get_mut(&pass)?;
        if scheduled.state == (State::Running { closing: true }) {
            self.passes.remove(&pass);
            return Some(Decision::Stop(pass));
        }
        let doubled = self.settings.retry_first_ms.saturating_mul(1 << scheduled.failures.min(30));
        let until = now.plus_ms(doubled.min(self.settings.retry_most_ms));
        scheduled.failures = scheduled.failures.saturating_add(1);
        scheduled.state = State::Waiting { until };
        let (until_unix_ms, failures) = (until.unix_ms, scheduled.failures);
        Some(Decision::Wait { pass, until_unix_ms, failures, why })
    }

    /// Starts what may run, the oldest pass first.
    fn open(&mut self, now: Moment, decisions: &mut Vec<Decision>) {
        let mut running: Vec<MailboxId> = self.running().cloned().collect();
        let is_reading = self.is_reading_names(now);
        for (pass, scheduled) in &mut self.passes {
            let due = match scheduled.state {
                State::Queued => true,
                State::Waiting { until } => until.monotonic <= now.monotonic,
                State::Running { .. } => false,
            };
            let is_held = is_reading && !scheduled.mailbox.is_directory();
            if due
                && !is_held
                && running.len() < self.settings.running
                && !running.contains(&scheduled.mailbox)
            {
                scheduled.state = State::Running { closing: false };
                running.push(scheduled.mailbox.clone());
                decisions.push(Decision::Open(*pass));
            }
        }
    }

    /// Whether an address book has its turn; one that failed or takes too long holds nobody.
    fn is_reading_names(&self, now: Moment) -> bool {
        let most_ms = ADDRESS_BOOK_SECONDS * 1_000;
        self.passes.values().any(|scheduled| {
            scheduled.mailbox.is_directory()
                && !matches!(scheduled.state, State::Waiting { .. })
                && now.monotonic < scheduled.since.plus_ms(most_ms).monotonic
        })
    }

    fn running(&self) -> impl Iterator<Item = &MailboxId> {
        let running = self.passes.values().filter(|pass| matches!(pass.state, State::Running { .. }));
        running.map(|pass| &pass.mailbox)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::Monotonic;

    const A: MigrationId = MigrationId(1);
    const B: MigrationId = MigrationId(2);
    const START: Moment = Moment { monotonic: Monotonic::ZERO, unix_ms: 1_000_000 };

    fn scheduler(running: usize) -> Scheduler {
        Scheduler::new(SchedulerSettings { running, ..SchedulerSettings::default() })
    }

    fn start(scheduler: &mut Scheduler, pass: MigrationId, mailbox: &str) -> Vec<Decision> {
        let mailbox = MailboxId(mailbox.to_owned());
        scheduler.apply(Event::Started { pass, mailbox }, START)
    }

    #[test]
    fn no_more_run_than_may_and_one_for_each_mailbox() {
        let mut scheduler = scheduler(2);
        assert_eq!(start(&mut scheduler, A, "x"), [Decision::Open(A)]);
        assert_eq!(start(&mut scheduler, B, "x"), []);
        let c = MigrationId(3);
        assert_eq!(start(&mut scheduler, c, "y"), [Decision::Open(c)]);
        assert_eq!(start(&mut scheduler, MigrationId(4), "z"), []);
        let after = scheduler.apply(Event::Completed { pass: A }, START);
        assert_eq!(after, [Decision::Finish(A), Decision::Open(B)]);
    }

    #[test]
    fn mailboxes_wait_for_address_books_but_not_for_ever() {
        let mut scheduler = scheduler(2);
        assert_eq!(start(&mut scheduler, A, "directory:x"), [Decision::Open(A)]);
        assert_eq!(start(&mut scheduler, B, "y"), []);
        let late = START.plus_ms(ADDRESS_BOOK_SECONDS * 1_000);
        assert_eq!(scheduler.clone().apply(Event::Tick, START.plus_ms(1)), []);
        assert_eq!(scheduler.clone().apply(Event::Tick, late), [Decision::Open(B)]);
        let failed = scheduler.clone().apply(Event::Failed { pass: A, why: String::new() }, START);
        assert!(matches!(failed[..], [Decision::Wait { pass: A, .. }, Decision::Open(B)]), "{failed:?}");
        let completed = scheduler.apply(Event::Completed { pass: A }, START);
        assert_eq!(completed, [Decision::Finish(A), Decision::Open(B)]);
    }

    #[test]
    fn a_failed_pass_is_tried_again_later_and_later() {
        let mut scheduler = scheduler(1);
        start(&mut scheduler, A, "x");
        let mut now = START;
        for (failures, wait_ms) in [(1, 5_000), (2, 10_000), (3, 20_000)] {
            let until = now.plus_ms(wait_ms);
            let failed = scheduler.apply(Event::Failed { pass: A, why: "no line".to_owned() }, now);
            let (until_unix_ms, why) = (until.unix_ms, "no line".to_owned());
            assert_eq!(failed, [Decision::Wait { pass: A, until_unix_ms, failures, why }]);
            assert_eq!(scheduler.next_try().map(|moment| moment.unix_ms), Some(until_unix_ms));
            assert_eq!(scheduler.apply(Event::Tick, now.plus_ms(wait_ms - 1)), []);
            now = until;
            assert_eq!(scheduler.apply(Event::Tick, now), [Decision::Open(A)]);
        }
        scheduler.apply(Event::Worked { pass: A }, now);
        let failed = scheduler.apply(Event::Failed { pass: A, why: String::new() }, now);
        assert!(matches!(failed[..], [Decision::Wait { failures: 1, .. }]));
        for _ in 0..100 {
            scheduler.apply(Event::Tick, now.plus_ms(u32::MAX.into()));
            scheduler.apply(Event::Failed { pass: A, why: String::new() }, now);
        }
        let most = now.plus_ms(SchedulerSettings::default().retry_most_ms);
        assert_eq!(scheduler.next_try().map(|moment| moment.unix_ms), Some(most.unix_ms));
    }

    #[test]
    fn a_stopped_pass_ends_once() {
        let mut scheduler = scheduler(1);
        start(&mut scheduler, A, "x");
        start(&mut scheduler, B, "y");
        assert_eq!(scheduler.apply(Event::StopOrdered { pass: B }, START), [Decision::Stop(B)]);
        assert_eq!(scheduler.apply(Event::StopOrdered { pass: A }, START), [Decision::Close(A)]);
        assert_eq!(scheduler.apply(Event::StopOrdered { pass: A }, START), []);
        let failed = scheduler.apply(Event::Failed { pass: A, why: String::new() }, START);
        assert_eq!(failed, [Decision::Stop(A)]);
        assert_eq!(scheduler.apply(Event::Closed { pass: A }, START), []);
        assert!(!scheduler.has(&MailboxId("x".to_owned())));
    }
}
