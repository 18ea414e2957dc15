//! A state file on storage that dies at operation 1, 2, 3, ...: after reopening, no lease is given that was given before
//! and at most one lives (invariant A), an action is not tried for ever (invariant E), the next pass leaves every
//! placement at the target exactly once (invariant C), and the sum holds (invariant D).

use crate::support::delivery::pass;
use crate::support::disk::Disk;
use crate::support::memory_destination::MemoryDestination;
use crate::support::memory_source::MemorySource;
use crate::support::messages::{message_bytes, origin};
use notesferry::base::clock::Monotonic;
use notesferry::base::ids::{ActionId, ChunkNumber, ExtractorId, MigrationId, MigratorId};
use notesferry::buffers::action::{ActionBuffer, Asker, Ending, LeaseSettings, Offer};
use notesferry::buffers::data::Room;
use notesferry::protocol::action::{Action, Held};
use notesferry::protocol::transfer::Chunk;
use notesferry::store::{StateStore, StoreError};
use std::sync::Arc;
use std::time::Duration;

/// A mailbox that was delivered once and then changed: one mail is new, one changed, one filed once more, one moved, one
/// moved and changed, one read.
fn changed_mailbox() -> (MemorySource, MemorySource) {
    let (mut before, mut after) = (MemorySource::with_mails(120), MemorySource::with_mails(121));
    before.mails[6].unread = Some(true);
    after.mails[6].unread = Some(false);
    after.mails[5].folders = vec![1];
    after.mails[10].folders = vec![0];
    after.mails[10].body = "changed".to_owned();
    after.mails[10].sequence = 2;
    after.mails[3].body = "changed".to_owned();
    after.mails[3].sequence = 2;
    after.mails[1].folders = vec![0, 1];
    (before, after)
}

/// A disk with a state that holds nothing yet. Making the file is not part of the test: that is done under another
/// name and renamed.
fn new_disk() -> Disk {
    let disk = Disk::default();
    drop(StateStore::open_storage(disk.clone()).unwrap());
    disk.forget_operations();
    disk
}

/// Both passes on a disk; an error is the death of the program.
fn two_passes(disk: &Disk, target: &MemoryDestination) -> Result<(), String> {
    let (mut before, mut after) = changed_mailbox();
    let store = StateStore::open_storage(disk.clone()).map_err(|error| error.to_string())?;
    for source in [&mut before, &mut after] {
        pass(&store, &mut target.clone(), source).map_err(|error| error.to_string())?;
    }
    Ok(())
}

#[test]
fn a_death_at_any_write_leaves_every_placement_once() {
    let disk = new_disk();
    two_passes(&disk, &MemoryDestination::default()).unwrap();
    let operations = disk.operations();
    assert!(operations > 50, "{operations}");
    for dies_at in 1..=operations {
        for power_cut in [false, true] {
            let (disk, target) = (new_disk(), MemoryDestination::default());
            disk.die_at(dies_at);
            let died = two_passes(&disk, &target);
            disk.restart(power_cut);
            let context = format!("died at {dies_at} of {operations}, power cut: {power_cut}: {died:?}");
            let store = StateStore::open_storage(disk.clone()).expect(&context);
            let (_, mut after) = changed_mailbox();
            let (tally, _) = pass(&store, &mut target.clone(), &mut after).expect(&context);
            assert_eq!(tally.delivered + tally.already_there, 121, "{context}");
            let placements = target.placements();
            assert!(placements.values().all(|&count| count == 1), "{context}: {placements:?}");
            assert_eq!(placements.len(), after.placements(), "{context}");
            let server = target.server();
            for message in server.messages.values() {
                for number in [3, 10].into_iter().filter(|&number| message.origin == Some(origin(number))) {
                    assert_eq!(message.bytes, message_bytes(number, "changed"), "{context}");
                }
                assert!(message.flags.seen || message.origin != Some(origin(6)), "{context}");
            }
        }
    }
}

const MIGRATIONS: [MigrationId; 2] = [MigrationId(1), MigrationId(2)];

/// An action buffer and everything that extractors were told by it and the ones before.
struct Actions<'a> {
    buffer: ActionBuffer,
    leases: &'a mut Vec<Held>,
    seconds: u64,
}

impl<'a> Actions<'a> {
    fn open(disk: &Disk, leases: &'a mut Vec<Held>) -> Result<Self, StoreError> {
        let store = Arc::new(StateStore::open_storage(disk.clone())?);
        let buffer = ActionBuffer::open(store, LeaseSettings::default())?;
        Ok(Self { buffer, leases, seconds: 0 })
    }

    fn now(&self) -> Monotonic {
        Monotonic(Duration::from_secs(self.seconds))
    }

    /// A lease, which nobody may have been given before.
    fn ask(&mut self, migration: MigrationId, migrator: u64) -> Result<Option<Held>, StoreError> {
        let asker = Asker { extractor: ExtractorId(1), migrator: MigratorId(migrator), alone: migrator == 9 };
        let lease = self.buffer.ask(migration, &asker, self.now(), false)?.lease;
        let held = lease.map(|lease| Held { migration, action: lease.action, epoch: lease.epoch });
        if let Some(held) = held {
            assert!(!self.leases.contains(&held), "{held:?} was given twice");
            self.leases.push(held);
        }
        Ok(held)
    }

    fn send(&self, held: Held) -> Offer {
        let chunk = Chunk::new(ChunkNumber::FIRST, true, vec![7]);
        self.buffer.offer(&held, &chunk, self.now(), || Ok(Room::Kept)).unwrap()
    }

    fn expire(&mut self) -> Result<Vec<ActionId>, StoreError> {
        self.seconds += 180;
        let given_up = self.buffer.expire(self.now())?.into_iter().filter(|lost| lost.given_up);
        Ok(given_up.map(|lost| lost.action).collect())
    }
}

/// Two migrations whose actions are leased, answered, lost, taken over and settled; an error is the death of the
/// program.
fn work(disk: &Disk, leases: &mut Vec<Held>) -> Result<(), StoreError> {
    let mut actions = Actions::open(disk, leases)?;
    for migration in MIGRATIONS {
        let first = actions.buffer.put(migration, &Action::ListFolders)?;
        let held = actions.ask(migration, 1)?.expect("nobody else asked");
        assert!(matches!(actions.send(held), Offer::Kept { whole: Some(_) }));
        actions.buffer.settle(migration, first)?;
        let second = actions.buffer.put(migration, &Action::Test { nonce: 5 })?;
        actions.ask(migration, 2)?;
        actions.expire()?;
        actions.ask(migration, 3)?;
        actions.ask(migration, 9)?;
        actions.buffer.again(migration, second)?;
        actions.buffer.wait(migration)?;
        actions.buffer.put(migration, &Action::ListFolders)?;
        actions.ask(migration, 4)?;
    }
    actions.buffer.end(MIGRATIONS[0], Ending::Done)
}

#[test]
fn a_death_at_any_write_gives_no_lease_twice() {
    let disk = new_disk();
    work(&disk, &mut Vec::new()).unwrap();
    let operations = disk.operations();
    assert!(operations > 50, "{operations}");
    for (dies_at, power_cut) in (1..=operations).flat_map(|at| [(at, false), (at, true)]) {
        let (disk, mut leases) = (new_disk(), Vec::new());
        disk.die_at(dies_at);
        let died = work(&disk, &mut leases);
        disk.restart(power_cut);
        let context = format!("died at {dies_at} of {operations}, power cut: {power_cut}: {died:?}");
        let before = leases.clone();
        let mut actions = Actions::open(&disk, &mut leases).expect(&context);
        assert!(before.iter().all(|&held| actions.send(held) == Offer::Over), "{context}");
        for migration in MIGRATIONS {
            let leased = [5, 6].map(|migrator| actions.ask(migration, migrator).expect(&context));
            assert!(leased.iter().flatten().count() <= 1, "{context}: {leased:?}");
            if actions.buffer.unsettled(migration).is_none() {
                let new = actions.buffer.put(migration, &Action::ListFolders).expect(&context);
                assert!(before.iter().all(|held| held.action != new), "{context}: {new} was given twice");
            }
        }
        // Whatever was left: after its attempts it is given up.
        let rounds = LeaseSettings::default().attempts;
        let mut given_up = Vec::new();
        for round in 0..rounds {
            for migration in MIGRATIONS {
                actions.ask(migration, 10 + u64::from(round)).expect(&context);
            }
            given_up.extend(actions.expire().expect(&context));
        }
        assert_eq!(given_up.len(), MIGRATIONS.len(), "{context}");
    }
}
