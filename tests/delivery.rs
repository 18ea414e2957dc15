//! The delivery engine between a memory source and a memory destination: what is put, what never twice, what when
//! something fails.

use crate::support::delivery::pass;
use crate::support::memory_destination::{Fault, MemoryDestination};
use crate::support::memory_source::MemorySource;
use crate::support::messages::{folder, message_bytes, origin};
use notesferry::destinations::DestinationError;
use notesferry::model::folder::FolderPath;
use notesferry::model::loss::SetAsideReason;
use notesferry::model::outcome::Tally;
use notesferry::server::delivery::{DeliveryError, End};
use notesferry::store::StateStore;
use tempfile::TempDir;

/// A ledger, a target and a mailbox of 250 mails: three batches and 375 placements.
struct Migration {
    _folder: TempDir,
    store: StateStore,
    target: MemoryDestination,
    source: MemorySource,
}

impl Migration {
    fn new() -> Self {
        let (folder, store) = new_store();
        let (target, source) = (MemoryDestination::default(), MemorySource::with_mails(252));
        Self { _folder: folder, store, target, source }
    }

    fn pass(&mut self) -> Tally {
        self.try_pass().unwrap()
    }

    fn try_pass(&mut self) -> Result<Tally, DeliveryError> {
        pass(&self.store, &mut self.target, &mut self.source).map(|(tally, _)| tally)
    }

    /// Invariant C, counted at the target.
    fn assert_every_placement_once(&self) {
        let placements = self.target.placements();
        assert!(placements.values().all(|&count| count == 1), "{placements:?}");
        assert_eq!(placements.len(), self.source.placements());
    }
}

fn new_store() -> (TempDir, StateStore) {
    let folder = tempfile::tempdir().unwrap();
    let store = StateStore::open(folder.path()).unwrap();
    (folder, store)
}

#[test]
fn a_second_pass_delivers_nothing_and_opens_nothing() {
    let mut migration = Migration::new();
    assert_eq!(migration.pass(), Tally { found: 252, delivered: 252, ..Tally::default() });
    migration.assert_every_placement_once();
    let (batches, opened) = (migration.target.server().put_batches, migration.source.opened);
    assert_eq!(migration.pass(), Tally { found: 252, already_there: 252, ..Tally::default() });
    assert_eq!((migration.target.server().put_batches, migration.source.opened), (batches, opened));
}

#[test]
fn a_lost_ledger_is_made_anew_from_the_target() {
    let mut migration = Migration::new();
    migration.pass();
    let (_folder, store) = new_store();
    migration.store = store;
    assert_eq!(migration.pass(), Tally { found: 252, already_there: 252, ..Tally::default() });
    migration.assert_every_placement_once();
    let opened = migration.source.opened;
    migration.pass();
    assert_eq!(migration.source.opened, opened, "the new ledger knows the versions");
}

#[test]
fn filing_puts_the_new_placement_only() {
    let mut migration = Migration::new();
    migration.pass();
    let before = migration.target.server().messages.len();
    migration.source.mails[1].folders = vec![0, 1];
    assert_eq!(migration.pass(), Tally { found: 252, delivered: 1, already_there: 251, ..Tally::default() });
    assert_eq!(migration.target.server().messages.len(), before + 1);
    migration.assert_every_placement_once();
}

#[test]
fn a_changed_item_takes_the_place_of_its_older_copies() {
    let mut migration = Migration::new();
    migration.pass();
    migration.source.mails[3].body = "changed".to_owned();
    migration.source.mails[3].sequence = 2;
    assert_eq!(migration.pass().delivered, 1);
    migration.assert_every_placement_once();
    let server = migration.target.server();
    let copies: Vec<_> = server.messages.values().filter(|m| m.origin == Some(origin(3))).collect();
    assert_eq!(copies.len(), 2);
    assert!(copies.iter().all(|copy| copy.bytes == message_bytes(3, "changed")));
}

#[test]
fn an_older_copy_of_the_mailbox_changes_nothing() {
    let mut migration = Migration::new();
    let older = migration.source.clone();
    migration.source.mails[3].body = "changed".to_owned();
    migration.source.mails[3].sequence = 2;
    migration.pass();
    migration.source = older;
    assert_eq!(migration.pass(), Tally { found: 252, already_there: 252, ..Tally::default() });
    let server = migration.target.server();
    assert!(server.messages.values().any(|message| message.bytes == message_bytes(3, "changed")));
}

#[test]
fn an_item_saved_without_change_is_not_put_again() {
    let mut migration = Migration::new();
    migration.pass();
    migration.source.mails.iter_mut().for_each(|mail| mail.sequence = 2);
    let (batches, opened) = (migration.target.server().put_batches, migration.source.opened);
    assert_eq!(migration.pass().already_there, 252);
    assert_eq!(migration.target.server().put_batches, batches);
    assert_eq!(migration.source.opened, opened + 252);
    migration.pass();
    assert_eq!(migration.source.opened, opened + 252, "the new versions are noted");
}

#[test]
fn what_the_user_took_out_never_comes_back() {
    let mut migration = Migration::new();
    migration.pass();
    migration.target.server().messages.retain(|_, message| message.origin != Some(origin(3)));
    let there = migration.target.server().messages.len();
    for sequence in 2..4 {
        migration.source.mails[3].body = format!("changed {sequence}");
        migration.source.mails[3].sequence = sequence;
        for _ in 0..2 {
            let expected = Tally { found: 252, already_there: 251, removed_by_user: 1, ..Tally::default() };
            assert_eq!(migration.pass(), expected);
        }
    }
    assert_eq!(migration.target.server().messages.len(), there);
}

#[test]
fn a_bad_message_costs_itself_and_not_its_batch() {
    let mut migration = Migration::new();
    migration.target.server().refused = vec!["77@example.com".to_owned(), "78@example.com".to_owned()];
    let (tally, settled) = pass(&migration.store, &mut migration.target, &mut migration.source).unwrap();
    assert_eq!(tally, Tally { found: 252, delivered: 250, set_aside: 2, ..Tally::default() });
    let aside: Vec<_> = settled.iter().filter(|item| matches!(item.end, End::SetAside(_))).collect();
    assert_eq!(aside.iter().map(|item| item.origin).collect::<Vec<_>>(), [origin(77), origin(78)]);
    migration.target.server().refused.clear();
    assert_eq!(migration.pass(), Tally { found: 252, delivered: 2, already_there: 250, ..Tally::default() });
    migration.assert_every_placement_once();
}

#[test]
fn set_aside_items_are_counted_and_tried_again() {
    let mut migration = Migration::new();
    migration.source.mails[4].is_mail = false;
    migration.source.mails[5].damaged = true;
    for delivered in [250, 0] {
        let tally = migration.pass();
        assert_eq!((tally.delivered, tally.set_aside), (delivered, 2));
    }
    migration.source.mails[4].is_mail = true;
    migration.source.mails[5].damaged = false;
    assert_eq!(migration.pass().delivered, 2);
    migration.assert_every_placement_once();
}

#[test]
fn a_message_that_the_target_cannot_hold_is_set_aside_as_too_large() {
    let mut migration = Migration::new();
    migration.source.mails[9].body = "x".repeat(1 << 20);
    let (_, settled) = pass(&migration.store, &mut migration.target, &mut migration.source).unwrap();
    let large = settled.iter().find(|item| item.origin == origin(9)).unwrap();
    assert!(matches!(&large.end, End::SetAside(aside) if aside.reason == SetAsideReason::TooLarge));
}

#[test]
fn a_full_target_stops_the_pass_and_the_next_goes_on() {
    let mut migration = Migration::new();
    let mut faults = vec![Some(Fault::Full); 100];
    faults.extend([None; 50]);
    migration.target.server().faults = faults;
    let error = migration.try_pass().unwrap_err();
    assert!(matches!(error, DeliveryError::Destination(DestinationError::Full { .. })), "{error}");
    migration.target.server().faults.clear();
    let tally = migration.pass();
    assert!(tally.delivered < 252 && tally.already_there > 0, "{tally:?}");
    migration.assert_every_placement_once();
}

#[test]
fn any_faults_leave_every_placement_once() {
    for seed in 0..40 {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut migration = Migration::new();
        for round in 0..4 {
            let fault = |random: &mut fastrand::Rng| match random.u8(0..10) {
                0 => Some(Fault::SilentAfter),
                1 => Some(Fault::SilentBefore),
                2 => Some(Fault::PutOff),
                3 if random.u8(0..20) == 0 => Some(Fault::Full),
                _ => None,
            };
            migration.target.server().faults = (0..300).map(|_| fault(&mut random)).collect();
            // A full target ends the pass; everything else is mended within it.
            match migration.try_pass() {
                Ok(_) | Err(DeliveryError::Destination(DestinationError::Full { .. })) => {}
                Err(error) => panic!("seed {seed}: {error}"),
            }
            let mail = random.usize(0..migration.source.mails.len());
            migration.source.mails[mail].body = format!("changed in round {round}");
            migration.source.mails[mail].sequence += 1;
        }
        migration.target.server().faults.clear();
        let tally = migration.pass();
        assert_eq!(tally.delivered + tally.already_there, 252, "seed {seed}: {tally:?}");
        migration.assert_every_placement_once();
    }
}

#[test]
fn an_unanswered_item_of_a_target_without_search_is_never_sent_again() {
    let mut migration = Migration::new();
    migration.target.server().unsearchable = true;
    migration.target.server().faults = vec![Some(Fault::SilentAfter)];
    for _ in 0..2 {
        assert_eq!(migration.pass().set_aside, 1);
    }
    migration.assert_every_placement_once();
}

#[test]
fn foreign_messages_stay_and_are_not_counted() {
    use crate::support::destination_kit::KitTarget as _;
    let mut migration = Migration::new();
    migration.target.put_foreign(&FolderPath::inbox(), b"Subject: here before\r\n\r\n");
    migration.target.put_foreign(&folder(&["Projects"]), &message_bytes(1, "an earlier tool of ours"));
    let tally = migration.pass();
    assert_eq!(tally, Tally { found: 252, delivered: 251, already_there: 1, ..Tally::default() });
    assert_eq!(migration.target.server().messages.len(), migration.source.placements() + 1);
}
