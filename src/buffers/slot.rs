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

/// The answer to an action in one epoch, of which every chunk was kept.
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
                // What it knew when it asked does not hold for what it asks later.
                let holder = Asker { alone: false, ..*asker };
                let hold = Hold { holder, until, last_kept: None };
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
        if let Some(whole) = self.whole(lease) {
            return match number.after(Some(whole.last)) {
                Sequence::Again => Standing::Again { whole: Some(whole.holder) },
                // Nothing follows a last chunk.
                Sequence::Next | Sequence::Gap => Standing::Over,
            };
        }
        if !self.alive(lease, now, settings) {
            return Standing::Over;
        }
        let last_kept = self.last_kept();
        match number.after(last_kept) {
            Sequence::Next => Standing::Due,
            Sequence::Again => Standing::Again { whole: None },
            Sequence::Gap => Standing::Gap { last_kept },
        }
    }

    /// The answer that was given under a lease, as far as it is known.
    fn whole(&self, lease: (ActionId, Epoch)) -> Option<Whole> {
        let current = match self.state {
            State::Answered(_, whole) => Some(whole),
            _ => None,
        };
        [current, self.before].into_iter().flatten().find(|whole| whole.lease == lease)
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashMap;
    use std::time::Duration;

    const SETTINGS: LeaseSettings = LeaseSettings { lease: Duration::from_secs(180), attempts: 3 };
    const START: Monotonic = Monotonic(Duration::ZERO);

    fn at(seconds: u64) -> Monotonic {
        Monotonic(Duration::from_secs(seconds))
    }

    fn asker(migrator: u64) -> Asker {
        Asker { extractor: ExtractorId(1), migrator: MigratorId(migrator), alone: false }
    }

    fn alone(migrator: u64) -> Asker {
        Asker { alone: true, ..asker(migrator) }
    }

    fn work(action: u64) -> Work {
        let order = Arc::new(Action::ListFolders);
        Work { action: ActionId(action), order, epoch: Epoch(1), attempts: 0 }
    }

    fn queued() -> Slot {
        Slot::queued(work(1))
    }

    fn ask(slot: &mut Slot, asker: Asker, seconds: u64) -> Option<Lease> {
        match slot.ask(&asker, at(seconds), false, &SETTINGS).0 {
            Reply::Leased { lease, .. } => Some(lease),
            Reply::Wait => None,
            Reply::Ended(ending) => panic!("{ending:?}"),
        }
    }

    fn chunk(slot: &mut Slot, lease: Lease, number: u32, last: bool) -> Standing {
        let number = ChunkNumber(number);
        let standing = slot.standing((lease.action, lease.epoch), number, START, &SETTINGS);
        if standing == Standing::Due {
            slot.kept(number, last);
        }
        standing
    }

    #[test]
    fn the_holder_goes_on_where_it_was() {
        let mut slot = queued();
        let lease = ask(&mut slot, asker(1), 0).unwrap();
        assert_eq!((lease.epoch, lease.seconds, lease.last_kept), (Epoch(1), 180, None));
        assert_eq!(chunk(&mut slot, lease, 1, false), Standing::Due);
        let again = ask(&mut slot, asker(1), 10).unwrap();
        assert_eq!(again, Lease { last_kept: Some(ChunkNumber(1)), ..lease });
        assert_eq!(ask(&mut slot, alone(1), 10), Some(again));
    }

    #[test]
    fn another_waits_until_the_lease_ends() {
        let mut slot = queued();
        ask(&mut slot, asker(1), 0).unwrap();
        assert_eq!(ask(&mut slot, asker(2), 179), None);
        let elsewhere = Asker { extractor: ExtractorId(2), ..alone(2) };
        assert_eq!(ask(&mut slot, elsewhere, 179), None);
        assert_eq!(slot.expire(at(179), &SETTINGS), None);
        assert_eq!(slot.expire(at(180), &SETTINGS), Some(Lost { action: ActionId(1), given_up: false }));
        assert_eq!(ask(&mut slot, asker(2), 180).unwrap().epoch, Epoch(2));
    }

    #[test]
    fn who_is_alone_on_its_machine_takes_the_lease() {
        let mut slot = queued();
        let old = ask(&mut slot, asker(1), 0).unwrap();
        chunk(&mut slot, old, 1, false);
        let new = ask(&mut slot, alone(2), 1).unwrap();
        assert_eq!((new.epoch, new.last_kept), (Epoch(2), None));
        assert_eq!(chunk(&mut slot, old, 2, false), Standing::Over);
        assert!(!slot.alive((old.action, old.epoch), START, &SETTINGS));
        // It was alone when it asked, which says nothing of a migrator that came later.
        assert!(slot.holder().is_some_and(|holder| !holder.alone));
    }

    #[test]
    fn every_sign_of_life_renews_the_lease() {
        let mut slot = queued();
        let lease = ask(&mut slot, asker(1), 0).unwrap();
        assert!(slot.alive((lease.action, lease.epoch), at(100), &SETTINGS));
        assert_eq!(slot.expire(at(279), &SETTINGS), None);
        slot.standing((lease.action, lease.epoch), ChunkNumber(7), at(200), &SETTINGS);
        assert_eq!(slot.expire(at(379), &SETTINGS), None);
        ask(&mut slot, asker(1), 300).unwrap();
        assert_eq!(slot.expire(at(479), &SETTINGS), None);
        // Others do not keep it.
        assert_eq!(ask(&mut slot, asker(2), 479), None);
        assert!(slot.expire(at(480), &SETTINGS).is_some());
    }

    #[test]
    fn chunks_are_due_in_order_and_once() {
        let mut slot = queued();
        let lease = ask(&mut slot, asker(1), 0).unwrap();
        assert_eq!(chunk(&mut slot, lease, 2, false), Standing::Gap { last_kept: None });
        assert_eq!(chunk(&mut slot, lease, 1, false), Standing::Due);
        assert_eq!(chunk(&mut slot, lease, 1, false), Standing::Again { whole: None });
        assert_eq!(chunk(&mut slot, lease, 3, false), Standing::Gap { last_kept: Some(ChunkNumber(1)) });
        assert_eq!(chunk(&mut slot, lease, 2, true), Standing::Due);
        assert_eq!(chunk(&mut slot, lease, 2, true), Standing::Again { whole: Some(asker(1)) });
        assert_eq!(chunk(&mut slot, lease, 3, false), Standing::Over);
        assert_eq!(ask(&mut slot, asker(1), 0), None);
    }

    #[test]
    fn a_whole_answer_is_known_until_the_next_one_is_settled() {
        let mut slot = queued();
        let lease = ask(&mut slot, asker(1), 0).unwrap();
        chunk(&mut slot, lease, 1, true);
        assert_eq!(slot.expire(at(1_000), &SETTINGS), None);
        slot.settle(ActionId(7));
        assert_eq!(slot.work().map(|work| work.action), Some(ActionId(1)));
        slot.settle(ActionId(1));
        assert_eq!(slot.durable(), Durable::Resting);
        slot.put(work(2));
        assert_eq!(chunk(&mut slot, lease, 1, true), Standing::Again { whole: Some(asker(1)) });
        let next = ask(&mut slot, asker(1), 0).unwrap();
        chunk(&mut slot, next, 1, true);
        slot.settle(ActionId(2));
        assert_eq!(chunk(&mut slot, lease, 1, true), Standing::Over);
    }

    #[test]
    fn an_action_is_given_up_after_its_attempts() {
        let mut slot = queued();
        ask(&mut slot, asker(1), 0).unwrap();
        assert!(!slot.expire(at(180), &SETTINGS).unwrap().given_up);
        let lease = ask(&mut slot, asker(1), 200).unwrap();
        chunk(&mut slot, lease, 1, true);
        assert!(!slot.again(ActionId(1), &SETTINGS).unwrap().given_up);
        assert_eq!(slot.again(ActionId(1), &SETTINGS), None);
        ask(&mut slot, asker(1), 300).unwrap();
        let (reply, lost) = slot.ask(&alone(2), at(300), false, &SETTINGS);
        assert_eq!(lost, Some(Lost { action: ActionId(1), given_up: true }));
        assert!(matches!(reply, Reply::Wait));
        assert_eq!(slot.durable(), Durable::Resting);
    }

    #[test]
    fn nothing_is_leased_while_older_data_is_in_the_buffer() {
        let mut slot = queued();
        assert!(matches!(slot.ask(&asker(1), START, true, &SETTINGS).0, Reply::Wait));
        ask(&mut slot, asker(1), 0).unwrap();
        let reply = slot.ask(&asker(1), START, true, &SETTINGS).0;
        assert!(matches!(reply, Reply::Leased { .. }), "its own data does not stop the holder");
    }

    #[test]
    fn rest_and_end_end_the_lease() {
        for ending in [None, Some(Ending::Done), Some(Ending::Stop)] {
            let mut slot = queued();
            let lease = ask(&mut slot, asker(1), 0).unwrap();
            match ending {
                None => slot.rest(),
                Some(ending) => slot.end(ending),
            }
            assert_eq!(chunk(&mut slot, lease, 1, false), Standing::Over);
            let reply = slot.ask(&asker(1), START, false, &SETTINGS).0;
            match ending {
                None => assert!(matches!(reply, Reply::Wait)),
                Some(expected) => assert!(matches!(reply, Reply::Ended(told) if told == expected)),
            }
        }
    }

    #[derive(Clone, Debug)]
    enum Event {
        Put,
        Ask {
            extractor: u64,
            migrator: u64,
            alone: bool,
            waiting: bool,
        },
        /// A chunk of the lease given so many leases ago, as far from the due one as `step` says.
        Chunk {
            back: usize,
            step: u32,
            last: bool,
        },
        Alive {
            back: usize,
        },
        Settle,
        Again,
        Pass {
            seconds: u64,
        },
        Rest,
    }

    fn event() -> impl Strategy<Value = Event> {
        let back = prop_oneof![4 => Just(0), 1 => 0_usize..4];
        let chunk = (back.clone(), prop_oneof![4 => Just(1), 1 => 0_u32..3], prop::bool::weighted(0.3));
        prop_oneof![
            3 => Just(Event::Put),
            6 => (1_u64..3, 1_u64..4, any::<bool>(), prop::bool::weighted(0.2)).prop_map(
                |(extractor, migrator, alone, waiting)| Event::Ask { extractor, migrator, alone, waiting }
            ),
            8 => chunk.prop_map(|(back, step, last)| Event::Chunk { back, step, last }),
            2 => back.prop_map(|back| Event::Alive { back }),
            2 => Just(Event::Settle),
            1 => Just(Event::Again),
            3 => (1_u64..200).prop_map(|seconds| Event::Pass { seconds }),
            1 => Just(Event::Rest),
        ]
    }

    /// What is known from outside: every lease that was ever told, to whom, and what was kept of it.
    #[derive(Default)]
    struct History {
        leases: Vec<Told>,
        epochs: HashMap<ActionId, u64>,
    }

    struct Told {
        lease: (ActionId, Epoch),
        holder: (ExtractorId, MigratorId),
        heard: u64,
        kept: u32,
        whole: bool,
        /// Its action was settled, given up or put aside, or its time is over.
        over: bool,
    }

    impl History {
        fn live(&self) -> impl Iterator<Item = &Told> {
            self.leases.iter().filter(|told| !told.over && !told.whole)
        }

        fn told(&mut self, back: usize) -> Option<&mut Told> {
            let at = self.leases.len().checked_sub(back + 1)?;
            self.leases.get_mut(at)
        }

        fn end_all(&mut self) {
            self.leases.iter_mut().for_each(|told| told.over = true);
        }

        fn asked(&mut self, asker: &Asker, reply: &Reply, lost: Option<Lost>, seconds: u64) {
            let holder = (asker.extractor, asker.migrator);
            let theirs = self.live().find(|told| told.holder != holder).map(|told| told.holder.0);
            assert_eq!(lost.is_some(), theirs == Some(asker.extractor) && asker.alone);
            if lost.is_some() {
                self.end_all();
            }
            let Reply::Leased { lease, .. } = reply else {
                assert!(self.live().all(|told| told.holder != holder), "the holder is told again");
                return;
            };
            let name = (lease.action, lease.epoch);
            match self.leases.iter_mut().find(|told| told.lease == name) {
                Some(told) => {
                    assert!(!told.over && !told.whole && told.holder == holder, "an epoch is given once");
                    assert_eq!(lease.last_kept.map_or(0, |last| last.0), told.kept);
                    told.heard = seconds;
                }
                None => {
                    assert_eq!(self.live().count(), 0, "one lease lives at a time");
                    assert_eq!(lease.last_kept, None);
                    self.leases.push(Told {
                        lease: name,
                        holder,
                        heard: seconds,
                        kept: 0,
                        whole: false,
                        over: false,
                    });
                    *self.epochs.entry(lease.action).or_default() += 1;
                }
            }
        }

        fn sent(&mut self, back: usize, number: u32, last: bool, standing: Standing, seconds: u64) {
            let Some(told) = self.told(back) else { return };
            let live = !told.over && !told.whole;
            match standing {
                Standing::Due => {
                    assert!(live && number == told.kept + 1, "only the live lease is added to");
                    (told.kept, told.whole) = (number, last);
                }
                Standing::Again { whole } => {
                    assert!(number <= told.kept, "what was never kept is not said to be");
                    assert_eq!(whole.is_some(), told.whole);
                }
                Standing::Gap { last_kept } => {
                    assert!(live && number > told.kept + 1);
                    assert_eq!(last_kept.map_or(0, |last| last.0), told.kept);
                }
                Standing::Over => assert!(!live),
            }
            told.heard = seconds;
        }
    }

    proptest! {
        // Invariant A.
        #[test]
        fn one_lease_lives_at_a_time_and_only_it_is_added_to(events in prop::collection::vec(event(), 1..120)) {
            let (mut slot, mut history) = (Slot::resting(), History::default());
            let (mut seconds, mut actions) = (0, 0);
            for event in events {
                let now = at(seconds);
                match event {
                    Event::Put if slot.work().is_none() => {
                        actions += 1;
                        slot.put(work(actions));
                    }
                    Event::Put => {}
                    Event::Ask { extractor, migrator, alone, waiting } => {
                        let asker = Asker { extractor: ExtractorId(extractor), migrator: MigratorId(migrator), alone };
                        let (reply, lost) = slot.ask(&asker, now, waiting, &SETTINGS);
                        history.asked(&asker, &reply, lost, seconds);
                    }
                    Event::Chunk { back, step, last } => {
                        let Some(told) = history.told(back) else { continue };
                        let (lease, number) = (told.lease, told.kept + step);
                        let standing = slot.standing(lease, ChunkNumber(number), now, &SETTINGS);
                        if standing == Standing::Due {
                            slot.kept(ChunkNumber(number), last);
                        }
                        history.sent(back, number, last, standing, seconds);
                    }
                    Event::Alive { back } => {
                        let Some(told) = history.told(back) else { continue };
                        prop_assert_eq!(slot.alive(told.lease, now, &SETTINGS), !told.over);
                        told.heard = seconds;
                    }
                    Event::Settle => {
                        let Some(told) = history.told(0) else { continue };
                        slot.settle(told.lease.0);
                        told.over |= told.whole;
                    }
                    Event::Again => {
                        let Some(told) = history.told(0) else { continue };
                        prop_assert_eq!(slot.again(told.lease.0, &SETTINGS).is_some(), !told.over);
                        told.over = true;
                    }
                    Event::Pass { seconds: more } => {
                        seconds += more;
                        let silent = history.live().any(|told| told.heard + 180 <= seconds);
                        prop_assert_eq!(slot.expire(at(seconds), &SETTINGS).is_some(), silent);
                        if silent {
                            history.end_all();
                        }
                    }
                    Event::Rest => {
                        slot.rest();
                        history.end_all();
                    }
                }
                prop_assert!(history.live().count() <= 1);
                let live = history.live().next().map(|told| told.holder);
                prop_assert_eq!(slot.holder().map(|holder| (holder.extractor, holder.migrator)), live);
            }
            // Invariant E.
            prop_assert!(history.epochs.values().all(|&epochs| epochs <= u64::from(SETTINGS.attempts)));
        }
    }
}
