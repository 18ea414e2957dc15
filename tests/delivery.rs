//! The delivery engine between a memory source and a memory destination: what is put, what never twice, what when
//! something fails.

use crate::support::delivery::{pass, pass_with};
use crate::support::memory_destination::{Fault, MemoryDestination};
use crate::support::memory_source::MemorySource;
use crate::support::messages::{folder, mailbox, message_bytes, origin};
use notesferry::destinations::DestinationError;
use notesferry::model::filter::{Filter, ItemKind};
use notesferry::model::folder::FolderPath;
use notesferry::model::loss::SetAsideReason;
use notesferry::model::outcome::Tally;
use notesferry::server::delivery::{DeliveryError, End, Pass, Settings};
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
fn what_is_left_out_is_opened_again_when_it_or_the_filter_changes() {
    let mut migration = Migration::new();
    let mut pass = |kind: Option<ItemKind>, sequence: u32| {
        let Migration { store, target, source, .. } = &mut migration;
        let before = source.opened;
        source.mails[3].sequence = sequence;
        let filter = Filter { only: kind.into_iter().collect(), ..Filter::default() };
        let settings = Settings { filter, ..Settings::new(mailbox(), 0) };
        let (tally, _) = pass_with(&settings, store, target, source).unwrap();
        (tally.filtered_out, tally.delivered, source.opened - before)
    };
    assert_eq!(pass(Some(ItemKind::Contacts), 1), (252, 0, 252));
    assert_eq!(pass(Some(ItemKind::Contacts), 1), (252, 0, 0));
    assert_eq!(pass(Some(ItemKind::Contacts), 2), (252, 0, 1));
    assert_eq!(pass(Some(ItemKind::Tasks), 2), (252, 0, 252));
    assert_eq!(pass(None, 2), (0, 252, 252));
    // What is at the target stays there, whatever is asked for.
    assert_eq!(pass(Some(ItemKind::Tasks), 2), (0, 0, 0));
    migration.assert_every_placement_once();
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
fn what_belongs_to_an_item_changes_it() {
    let mut migration = Migration::new();
    (migration.source.mails[3].related, migration.source.mails[3].relatives) = (", moved".to_owned(), 1);
    migration.pass();
    let opened = migration.source.opened;
    migration.pass();
    assert_eq!(migration.source.opened, opened);
    // The item itself has its old version; the listing alone tells that something that belongs to it changed.
    (migration.source.mails[3].related, migration.source.mails[3].relatives) = (", cancelled".to_owned(), 2);
    assert_eq!(migration.pass().delivered, 1);
    migration.assert_every_placement_once();
    let server = migration.target.server();
    let mut copies = server.messages.values().filter(|message| message.origin == Some(origin(3)));
    assert!(copies.all(|copy| copy.bytes == message_bytes(3, "body of 3, cancelled")));
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

/// Takes the copies of a mail out of some folders, as its user does.
fn take_out(migration: &Migration, number: u32, folders: &[&str]) {
    let taken = |path: &FolderPath| folders.contains(&path.parts()[0].as_str());
    let mut server = migration.target.server();
    server.messages.retain(|_, message| message.origin != Some(origin(number)) || !taken(&message.folder));
}

fn folders_of(migration: &Migration, number: u32) -> Vec<String> {
    let copies = migration.target.copies(origin(number));
    let mut folders: Vec<String> = copies.iter().map(|copy| copy.folder.to_string()).collect();
    folders.sort();
    folders
}

#[test]
fn what_the_user_took_out_is_counted_and_no_item_is_opened_for_it() {
    let mut migration = Migration::new();
    migration.pass();
    take_out(&migration, 1, &["Projects"]);
    take_out(&migration, 3, &["Projects"]);
    let (opened, looks) = (migration.source.opened, migration.target.server().looks);
    for pass in 1..3 {
        let expected = Tally { found: 252, already_there: 251, removed_by_user: 1, ..Tally::default() };
        assert_eq!(migration.pass(), expected);
        assert_eq!((migration.source.opened, migration.target.server().looks), (opened, looks + pass));
    }
    assert_eq!(folders_of(&migration, 3), ["Letters"]);
}

#[test]
fn a_renamed_folder_is_the_users_too() {
    let mut migration = Migration::new();
    migration.pass();
    for message in migration.target.server().messages.values_mut() {
        if message.folder == folder(&["Letters"]) {
            message.folder = folder(&["Old letters"]);
        }
    }
    let only_letters = migration.source.mails.iter().filter(|mail| mail.folders == [1]).count() as u64;
    let folders = migration.target.server().folders.len();
    for _ in 0..2 {
        let tally = migration.pass();
        assert_eq!((tally.removed_by_user, tally.already_there), (only_letters, 252 - only_letters));
        assert_eq!(migration.target.server().folders.len(), folders, "no folder is made again");
    }
    migration.source.mails[2].body = "changed".to_owned();
    migration.source.mails[2].sequence = 2;
    assert_eq!(migration.pass().delivered, 0);
    assert_eq!(folders_of(&migration, 2), ["Old letters"]);
}

#[test]
fn a_server_that_numbers_anew_has_lost_nothing() {
    let mut migration = Migration::new();
    migration.pass();
    migration.target.server().renumber();
    take_out(&migration, 1, &["Projects"]);
    let surveys = migration.target.server().surveys;
    for _ in 0..2 {
        let expected = Tally { found: 252, already_there: 251, removed_by_user: 1, ..Tally::default() };
        assert_eq!(migration.pass(), expected);
        assert_eq!(migration.target.server().surveys, surveys + 3, "each folder is read once");
    }
    migration.source.mails[3].body = "changed".to_owned();
    migration.source.mails[3].sequence = 2;
    migration.target.server().renumber();
    assert_eq!(migration.pass().delivered, 1);
    let copies = migration.target.copies(origin(3));
    assert!(copies.len() == 2 && copies.iter().all(|copy| copy.bytes == message_bytes(3, "changed")));
}

#[test]
fn flags_that_the_user_set_survive_a_change() {
    let mut migration = Migration::new();
    migration.pass();
    for message in migration.target.server().messages.values_mut() {
        message.flags.flagged = message.folder == folder(&["Letters"]);
        message.flags.keywords = vec!["mine".to_owned()];
    }
    migration.source.mails[3].body = "changed".to_owned();
    migration.source.mails[3].sequence = 2;
    migration.source.mails[2].folders = vec![0];
    assert_eq!(migration.pass().delivered, 2);
    for copy in migration.target.copies(origin(3)) {
        assert_eq!(copy.bytes, message_bytes(3, "changed"));
        assert_eq!(copy.flags.flagged, copy.folder == folder(&["Letters"]));
        assert_eq!(copy.flags.keywords, ["mine"]);
    }
    let moved = migration.target.copies(origin(2)).remove(0);
    assert!(moved.flags.flagged && moved.folder == folder(&["Projects"]), "{moved:?}");
}

#[test]
fn what_was_read_since_is_marked_as_read_and_not_opened() {
    let mut migration = Migration::new();
    migration.source.mails.iter_mut().for_each(|mail| mail.unread = Some(mail.number % 2 == 1));
    migration.pass();
    let seen = |migration: &Migration, number: u32| {
        let copies = migration.target.copies(origin(number));
        copies.iter().map(|copy| copy.flags.seen).collect::<Vec<_>>()
    };
    assert_eq!((seen(&migration, 2), seen(&migration, 3)), (vec![true], vec![false, false]));
    // The user marks one as unread, reads another, and has a flag on a third.
    for message in migration.target.server().messages.values_mut() {
        message.flags.seen &= message.origin != Some(origin(2));
        message.flags.seen |= message.origin == Some(origin(5));
        message.flags.flagged = true;
    }
    let opened = migration.source.opened;
    for number in [3, 5, 7] {
        migration.source.mails[number].unread = Some(false);
    }
    // Saved without a change, it is opened and marked all the same.
    migration.source.mails[7].sequence = 2;
    for _ in 0..2 {
        assert_eq!(migration.pass(), Tally { found: 252, already_there: 252, ..Tally::default() });
        assert_eq!(migration.source.opened, opened + 1);
        for number in [3, 5, 7] {
            assert!(seen(&migration, number).iter().all(|seen| *seen), "{number}");
        }
        assert!(migration.target.copies(origin(3)).iter().all(|copy| copy.flags.flagged));
        assert!(seen(&migration, 2) == [false] && seen(&migration, 9) == [false]);
    }
    // Marked as unread by the user afterwards, it stays so.
    migration.target.server().messages.values_mut().for_each(|message| message.flags.seen = false);
    migration.pass();
    assert_eq!(seen(&migration, 3), [false, false]);
}

#[test]
fn a_moved_item_leaves_its_old_folder() {
    let mut migration = Migration::new();
    migration.pass();
    let before = migration.target.server().messages.len();
    migration.source.mails[1].folders = vec![1];
    migration.source.mails[2].folders = vec![];
    migration.source.mails[3].folders = vec![1];
    let expected = Tally { found: 252, delivered: 2, already_there: 250, ..Tally::default() };
    assert_eq!(migration.pass(), expected);
    assert_eq!(folders_of(&migration, 1), ["Letters"]);
    assert_eq!(folders_of(&migration, 2), ["INBOX"]);
    assert_eq!(folders_of(&migration, 3), ["Letters"]);
    assert_eq!(migration.target.server().messages.len(), before - 1);
    assert_eq!(migration.pass().already_there, 252);
    migration.source.mails[1].folders = vec![0];
    assert_eq!(migration.pass().delivered, 1, "and back");
    migration.assert_every_placement_once();
}

#[test]
fn a_move_carries_only_what_the_user_left_there() {
    let mut migration = Migration::new();
    migration.pass();
    // One mail gone, one gone from the folder that it leaves, one gone from the folder that it stays in.
    take_out(&migration, 1, &["Projects"]);
    take_out(&migration, 3, &["Projects"]);
    take_out(&migration, 7, &["Letters"]);
    for (number, folder) in [(1, 1), (3, 1), (7, 1)] {
        migration.source.mails[number].folders = vec![folder];
    }
    for _ in 0..2 {
        let expected = Tally { found: 252, already_there: 251, removed_by_user: 1, ..Tally::default() };
        assert_eq!(migration.pass(), expected);
        assert_eq!(folders_of(&migration, 1), Vec::<String>::new());
        assert_eq!(folders_of(&migration, 3), ["Letters"]);
        assert_eq!(folders_of(&migration, 7), ["Projects"], "the last copy is not taken away");
    }
    migration.source.mails[3].folders = vec![0];
    assert_eq!(migration.pass().delivered, 0, "what was taken out of Projects stays out of it");
    assert_eq!(folders_of(&migration, 3), ["Letters"]);
}

#[test]
fn a_move_that_the_target_refuses_takes_nothing_out() {
    let mut migration = Migration::new();
    migration.pass();
    migration.source.mails[1].folders = vec![1];
    migration.target.server().refused = vec!["1@example.com".to_owned()];
    assert_eq!(migration.pass().set_aside, 1);
    assert_eq!(folders_of(&migration, 1), ["Projects"]);
    migration.target.server().refused.clear();
    assert_eq!(migration.pass().delivered, 1);
    assert_eq!(folders_of(&migration, 1), ["Letters"]);
}

#[test]
fn a_mail_that_left_the_source_stays_at_the_target() {
    let mut migration = Migration::new();
    migration.pass();
    let before = migration.target.server().messages.len();
    migration.source.mails.truncate(200);
    assert_eq!(migration.pass(), Tally { found: 200, already_there: 200, ..Tally::default() });
    assert_eq!(migration.target.server().messages.len(), before);
}

#[test]
fn copies_that_cannot_be_taken_out_are_named() {
    let mut migration = Migration::new();
    migration.pass();
    migration.target.server().keeps_all = true;
    migration.source.mails[1].folders = vec![1];
    migration.source.mails[3].body = "changed".to_owned();
    migration.source.mails[3].sequence = 2;
    migration.pass();
    let settings = Settings::new(mailbox(), 0);
    let left = |target: &mut MemoryDestination| {
        let pass = Pass::begin(&migration.store, target, &settings).unwrap();
        let mut folders: Vec<_> = pass.left_behind().map(|(folder, _)| folder.to_string()).collect();
        folders.sort();
        folders
    };
    assert_eq!(left(&mut migration.target.clone()), ["Letters", "Projects", "Projects"]);
    migration.target.server().keeps_all = false;
    assert_eq!(left(&mut migration.target.clone()), Vec::<String>::new());
    migration.assert_every_placement_once();
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
