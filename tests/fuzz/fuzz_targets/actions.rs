//! Any sequence of calls to the action buffer, restarts included: it answers like a plain map of what is to be done.
//! Four bytes are one call.
#![no_main]

use libfuzzer_sys::fuzz_target;
use notesferry::base::clock::Monotonic;
use notesferry::base::ids::{ActionId, ChunkNumber, Epoch, ExtractorId, MigrationId, MigratorId};
use notesferry::base::limits::WAIT_MILLISECONDS;
use notesferry::buffers::action::{ActionBuffer, Again, Asker, Ending, LeaseSettings, Offer};
use notesferry::buffers::data::Room;
use notesferry::protocol::action::{Action, Held};
use notesferry::protocol::transfer::Chunk;
use notesferry::store::StateStore;
use redb::backends::InMemoryBackend;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

const SETTINGS: LeaseSettings = LeaseSettings { lease: Duration::from_secs(180), attempts: 3 };

type Who = (ExtractorId, MigratorId);

/// One migration, told plainly.
#[derive(Default)]
struct Plain {
    ending: Option<Ending>,
    /// The action with its epoch and its lost leases.
    work: Option<(ActionId, u64, u32)>,
    /// Who holds it, and until which second.
    holder: Option<(Who, u64)>,
    /// Chunks kept in this epoch.
    kept: u32,
    /// Whose answer is whole.
    whole: Option<Who>,
    /// The settled answer before: action, epoch, chunks, who.
    before: Option<(ActionId, u64, u32, Who)>,
}

impl Plain {
    fn end_lease(&mut self) {
        (self.holder, self.whole, self.kept) = (None, None, 0);
    }

    fn rest(&mut self, ending: Option<Ending>) {
        self.end_lease();
        (self.work, self.ending) = (None, ending);
    }

    /// Whether the action is given up.
    fn lose(&mut self) -> bool {
        self.end_lease();
        let work = self.work.as_mut().expect("a lease is of an action");
        (work.1, work.2) = (work.1 + 1, work.2 + 1);
        let given_up = work.2 == SETTINGS.attempts;
        if given_up {
            self.work = None;
        }
        given_up
    }
}

struct Both {
    store: Arc<StateStore>,
    real: ActionBuffer,
    plain: BTreeMap<MigrationId, Plain>,
    seconds: u64,
    actions: u64,
    /// Lost by a take-over and not told yet.
    lost: Vec<(MigrationId, ActionId, bool)>,
}

impl Both {
    fn new() -> Self {
        let store = Arc::new(StateStore::open_storage(InMemoryBackend::new()).unwrap());
        let real = ActionBuffer::open(Arc::clone(&store), SETTINGS).unwrap();
        Self { store, real, plain: BTreeMap::new(), seconds: 0, actions: 0, lost: Vec::new() }
    }

    fn now(&self) -> Monotonic {
        Monotonic(Duration::from_secs(self.seconds))
    }

    fn call(&mut self, [call, migration, a, b]: [u8; 4]) {
        let migration = MigrationId(u64::from(migration % 3));
        match call % 12 {
            0 => self.put(migration),
            1..=3 => self.ask(migration, a, b),
            4..=5 => self.send(migration, a, b),
            6 => self.settle(migration),
            7 => self.again(migration),
            8 => self.expire(u64::from(a)),
            9 => {
                self.real.wait(migration).unwrap();
                self.plain.entry(migration).or_default().rest(None);
            }
            10 => self.end(migration, a),
            _ => self.restart(),
        }
    }

    fn put(&mut self, migration: MigrationId) {
        let plain = self
            .plain
            .entry(migration)
            .or_insert_with(|| Plain { ending: Some(Ending::Stop), ..Plain::default() });
        if plain.work.is_some() {
            return;
        }
        self.actions += 1;
        (plain.work, plain.ending) = (Some((ActionId(self.actions), 1, 0)), None);
        assert_eq!(self.real.put(migration, &Action::ListFolders).unwrap(), ActionId(self.actions));
    }

    fn ask(&mut self, migration: MigrationId, a: u8, b: u8) {
        let who = (ExtractorId(u64::from(a % 2)), MigratorId(u64::from(a / 2 % 3)));
        let (alone, waiting) = (b % 2 == 1, b / 2 % 4 == 3);
        let now = self.now();
        let asker = Asker { extractor: who.0, migrator: who.1, alone };
        let order = self.real.ask(migration, &asker, now, waiting).unwrap();
        let told =
            order.lease.map(|lease| (lease.action, lease.epoch.0, lease.last_kept.map_or(0, |last| last.0)));
        let Some(plain) = self.plain.get_mut(&migration) else {
            assert_eq!(order.action, Action::Stop);
            return;
        };
        if let (Some((holder, _)), Some((action, ..))) = (plain.holder, plain.work)
            && alone
            && holder.0 == who.0
            && holder != who
        {
            self.lost.push((migration, action, plain.lose()));
        }
        let until = self.seconds + 180;
        let expected = match (plain.work, plain.holder) {
            (Some((action, epoch, _)), Some((holder, _))) if holder == who => {
                Some((action, epoch, plain.kept))
            }
            (Some((action, epoch, _)), None) if plain.whole.is_none() && !waiting => Some((action, epoch, 0)),
            _ => None,
        };
        if expected.is_some() {
            plain.holder = Some((who, until));
        }
        assert_eq!(told, expected);
        let action = match (expected, plain.ending) {
            (Some(_), _) => Action::ListFolders,
            (None, Some(Ending::Done)) => Action::Done,
            (None, Some(Ending::Stop)) => Action::Stop,
            (None, None) => Action::Wait { milliseconds: WAIT_MILLISECONDS },
        };
        assert_eq!(order.action, action);
    }

    fn send(&mut self, migration: MigrationId, a: u8, b: u8) {
        let Some(plain) = self.plain.get_mut(&migration) else { return };
        let now = Monotonic(Duration::from_secs(self.seconds));
        let (action, epoch) = match (b % 8, plain.before, plain.work) {
            (7, Some((action, epoch, ..)), _) | (_, Some((action, epoch, ..)), None) => (action, epoch),
            (6, _, Some((action, epoch, _))) => (action, epoch - 1),
            (_, _, Some((action, epoch, _))) => (action, epoch),
            (_, None, None) => (ActionId(7), 1),
        };
        let (number, last, room) = (u32::from(a % 5), a / 5 % 3 == 0, a / 15 % 3 != 0);
        let chunk = Chunk::new(ChunkNumber(number), last, vec![7]);
        let held = Held { migration, action, epoch: Epoch(epoch) };
        let mut kept = 0;
        let offer = self.real.offer(&held, &chunk, now, || {
            kept += 1;
            Ok(if room { Room::Kept } else { Room::Full { why: String::new() } })
        });
        let current = plain.work.is_some_and(|work| (work.0, work.1) == (action, epoch));
        let asker = |who: Who| Asker { extractor: who.0, migrator: who.1, alone: false };
        let known = match (plain.whole, plain.before) {
            (Some(who), _) if current => Some((plain.kept, who)),
            (_, Some((old, old_epoch, kept, who))) if (old, old_epoch) == (action, epoch) => {
                Some((kept, who))
            }
            _ => None,
        };
        let expected = match (known, plain.holder) {
            (Some((kept, who)), _) if number <= kept => Offer::Kept { whole: Some(asker(who)) },
            (None, Some((who, _))) if current => {
                plain.holder = Some((who, self.seconds + 180));
                let last_kept = (plain.kept > 0).then_some(ChunkNumber(plain.kept));
                if number <= plain.kept {
                    Offer::Kept { whole: None }
                } else if number > plain.kept + 1 {
                    Offer::SendAgain { last_kept }
                } else if !room {
                    Offer::Full { why: String::new() }
                } else {
                    plain.kept = number;
                    if last {
                        (plain.whole, plain.holder) = (Some(who), None);
                    }
                    Offer::Kept { whole: last.then(|| asker(who)) }
                }
            }
            _ => Offer::Over,
        };
        assert_eq!(offer.unwrap(), expected);
        assert!(kept <= 1);
    }

    fn settle(&mut self, migration: MigrationId) {
        let Some(plain) = self.plain.get_mut(&migration) else { return };
        let Some((action, epoch, _)) = plain.work else { return };
        self.real.settle(migration, action).unwrap();
        if let Some(who) = plain.whole {
            plain.before = Some((action, epoch, plain.kept, who));
            plain.rest(None);
        }
    }

    fn again(&mut self, migration: MigrationId) {
        let Some(plain) = self.plain.get_mut(&migration) else { return };
        let Some((action, ..)) = plain.work else { return };
        let given_up = (plain.holder.is_some() || plain.whole.is_some()) && plain.lose();
        let expected = if given_up { Again::GivenUp } else { Again::Queued };
        assert_eq!(self.real.again(migration, action).unwrap(), expected);
    }

    fn expire(&mut self, seconds: u64) {
        self.seconds += seconds;
        for (&migration, plain) in &mut self.plain {
            if let (Some((_, until)), Some((action, ..))) = (plain.holder, plain.work)
                && until <= self.seconds
            {
                self.lost.push((migration, action, plain.lose()));
            }
        }
        let told = self.real.expire(self.now()).unwrap();
        let mut told: Vec<_> = told.iter().map(|lost| (lost.migration, lost.action, lost.given_up)).collect();
        let mut expected = std::mem::take(&mut self.lost);
        told.sort();
        expected.sort();
        assert_eq!(told, expected);
    }

    fn end(&mut self, migration: MigrationId, a: u8) {
        let ending = match a % 3 {
            0 => {
                self.real.remove(migration).unwrap();
                self.plain.remove(&migration);
                return;
            }
            1 => Ending::Done,
            _ => Ending::Stop,
        };
        self.real.end(migration, ending).unwrap();
        self.plain.entry(migration).or_default().rest(Some(ending));
    }

    fn restart(&mut self) {
        self.real = ActionBuffer::open(Arc::clone(&self.store), SETTINGS).unwrap();
        self.lost.clear();
        for plain in self.plain.values_mut() {
            plain.end_lease();
            plain.before = None;
            if let Some((_, epoch, _)) = &mut plain.work {
                *epoch += 1;
            }
        }
    }
}

fuzz_target!(|input: &[u8]| {
    let mut both = Both::new();
    let (calls, _) = input.as_chunks::<4>();
    // As many as find anything; each restart and each change is a commit.
    calls.iter().take(500).for_each(|&call| both.call(call));
    let work = both.plain.iter().map(|(&migration, plain)| (migration, plain.work.map(|work| work.0)));
    for (migration, action) in work.collect::<Vec<_>>() {
        assert_eq!(both.real.unsettled(migration).map(|unsettled| unsettled.0), action);
    }
});
