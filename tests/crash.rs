//! A state file on storage that dies at operation 1, 2, 3, ...: after reopening, the next pass leaves every placement
//! at the target exactly once (invariant C) and the sum holds (invariant D).

use crate::support::delivery::pass;
use crate::support::disk::Disk;
use crate::support::memory_destination::MemoryDestination;
use crate::support::memory_source::MemorySource;
use crate::support::messages::{message_bytes, origin};
use notesferry::store::StateStore;

/// A mailbox that was delivered once and then changed: one mail is new, one changed, one filed elsewhere.
fn changed_mailbox() -> (MemorySource, MemorySource) {
    let before = MemorySource::with_mails(120);
    let mut after = MemorySource::with_mails(121);
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
            let mut changed = server.messages.values().filter(|message| message.origin == Some(origin(3)));
            assert!(changed.all(|message| message.bytes == message_bytes(3, "changed")), "{context}");
        }
    }
}
