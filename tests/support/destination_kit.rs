//! What every destination has to do, as one call: each fact starts from a new, empty target.

use crate::support::messages::{DATE_MS, delivery, folder, message_bytes, origin};
use notesferry::destinations::{Destination, Place, Standing};
use notesferry::model::delivery::{Delivery, Flags, FolderState, InFlight, Location};
use notesferry::model::folder::FolderPath;
use std::collections::HashSet;

/// A target that outlives the destination objects that are opened on it.
pub trait KitTarget {
    fn open(&self) -> Box<dyn Destination>;
    /// Puts a message there by other means than ours.
    fn put_foreign(&self, folder: &FolderPath, bytes: &[u8]);
    /// The bytes that are stored at a location.
    fn bytes(&self, folder: &FolderPath, location: &Location) -> Vec<u8>;
}

/// Runs every fact.
pub fn check<T: KitTarget>(new_target: impl Fn() -> T) {
    an_empty_target_is_empty(&new_target());
    odd_folder_names_stay_apart(&new_target());
    the_same_item_twice_is_where_the_answers_say(&new_target());
    a_second_session_goes_on(&new_target());
    ten_thousand_items(&new_target());
    reconciling_finds_what_arrived(&new_target());
    an_older_copy_is_no_answer(&new_target());
    foreign_messages_are_seen(&new_target());
    removing_takes_out_one(&new_target());
    a_look_tells_what_is_still_there(&new_target());
    flags_are_added_and_stay(&new_target());
}

fn put(destination: &mut dyn Destination, batch: &[Delivery]) -> Vec<Location> {
    destination.put_batch(batch).into_iter().map(Result::unwrap).collect()
}

fn in_flight(delivery: &Delivery, state: FolderState) -> InFlight {
    InFlight {
        key: delivery.key.clone(),
        folder: delivery.folder.clone(),
        state,
        message_id: delivery.message_id.clone(),
        size: delivery.rendered.len(),
        source_digest: [0; 32],
        replaces: None,
    }
}

fn an_empty_target_is_empty(target: &impl KitTarget) {
    let mut destination = target.open();
    let inbox = FolderPath::inbox();
    for _ in 0..2 {
        assert_eq!(destination.prepare(&[inbox.clone(), folder(&["Sent"])]).unwrap().len(), 2);
    }
    assert_eq!(destination.survey(&inbox).unwrap(), []);
    let record = in_flight(&delivery(1, &inbox, ""), FolderState::default());
    assert_eq!(destination.reconcile(&[record]).unwrap(), [None]);
    assert_eq!(destination.put_batch(&[]).len(), 0);
}

/// Also of use for servers that store messages in another way.
pub fn odd_folder_names_stay_apart(target: &impl KitTarget) {
    let long = "\u{65E5}".repeat(200);
    let mut folders = vec![FolderPath::inbox()];
    for parts in [
        &["a"][..],
        &["a", "b"],
        &["a/b"],
        &["Q&A"],
        &["1.2"],
        &[".."],
        &["CON"],
        &["\u{65E5}\u{672C}\u{8A9E}"],
        &["\u{1F600}"],
        &["Inbox", "INBOX"],
        &[&long],
        &[&long, &long, "end"],
        &["Trailing. "],
        &["tab\tline\n"],
    ] {
        folders.push(folder(parts));
    }
    let mut destination = target.open();
    let states = destination.prepare(&folders).unwrap();
    assert_eq!(states.len(), folders.len());
    for (number, folder) in (0..).zip(&folders) {
        put(destination.as_mut(), &[delivery(number, folder, "x")]);
    }
    for (number, folder) in (0..).zip(&folders) {
        let present = destination.survey(folder).unwrap();
        assert_eq!(present.len(), 1, "{folder}");
        assert_eq!(present[0].origin, Some(origin(number)), "{folder}");
        assert_eq!(present[0].size, message_bytes(number, "x").len() as u64);
        assert_eq!(target.bytes(folder, &present[0].location), message_bytes(number, "x"));
    }
}

fn the_same_item_twice_is_where_the_answers_say(target: &impl KitTarget) {
    let inbox = FolderPath::inbox();
    let mut destination = target.open();
    destination.prepare(std::slice::from_ref(&inbox)).unwrap();
    let batch = [delivery(1, &inbox, "x")];
    let mut locations: HashSet<Location> = put(destination.as_mut(), &batch).into_iter().collect();
    locations.extend(put(destination.as_mut(), &batch));
    let present = destination.survey(&inbox).unwrap();
    assert_eq!(present.into_iter().map(|copy| copy.location).collect::<HashSet<_>>(), locations);
}

fn a_second_session_goes_on(target: &impl KitTarget) {
    let inbox = FolderPath::inbox();
    let mut locations = Vec::new();
    for numbers in [0..3, 3..6] {
        let mut destination = target.open();
        destination.prepare(std::slice::from_ref(&inbox)).unwrap();
        let batch: Vec<Delivery> = numbers.map(|number| delivery(number, &inbox, "x")).collect();
        locations.extend(put(destination.as_mut(), &batch));
    }
    let mut destination = target.open();
    assert_eq!(destination.survey(&inbox).unwrap().len(), 6);
    assert!(destination.remove(&inbox, &locations[0]).unwrap());
}

fn ten_thousand_items(target: &impl KitTarget) {
    let inbox = FolderPath::inbox();
    let mut destination = target.open();
    destination.prepare(std::slice::from_ref(&inbox)).unwrap();
    let mut locations = HashSet::new();
    for batch in 0..100 {
        let batch: Vec<Delivery> =
            (batch * 100..batch * 100 + 100).map(|number| delivery(number, &inbox, "x")).collect();
        locations.extend(put(destination.as_mut(), &batch));
    }
    let present = destination.survey(&inbox).unwrap();
    assert_eq!(present.iter().filter_map(|copy| copy.origin).collect::<HashSet<_>>().len(), 10_000);
    assert_eq!(present.into_iter().map(|copy| copy.location).collect::<HashSet<_>>(), locations);
}

fn reconciling_finds_what_arrived(target: &impl KitTarget) {
    let folders = [FolderPath::inbox(), folder(&["Sent"])];
    let mut destination = target.open();
    let states = destination.prepare(&folders).unwrap();
    let batch: Vec<Delivery> =
        (0..6).map(|number| delivery(number / 2, &folders[number as usize % 2], "x")).collect();
    let records: Vec<InFlight> =
        batch.iter().zip(states.iter().cycle()).map(|(d, s)| in_flight(d, *s)).collect();
    let arrived = put(destination.as_mut(), &batch[..3]);
    let found = target.open().reconcile(&records).unwrap();
    assert_eq!(found[..3], arrived.into_iter().map(Some).collect::<Vec<_>>());
    assert_eq!(found[3..], [None, None, None]);
}

fn an_older_copy_is_no_answer(target: &impl KitTarget) {
    let inbox = FolderPath::inbox();
    let mut destination = target.open();
    let prepare = |destination: &mut dyn Destination| destination.prepare(&[FolderPath::inbox()]).unwrap()[0];
    prepare(destination.as_mut());
    let old = put(destination.as_mut(), &[delivery(1, &inbox, "old")]).remove(0);
    let newer = delivery(1, &inbox, "new");
    let mut record = in_flight(&newer, prepare(destination.as_mut()));
    record.replaces = Some(old.clone());
    assert_eq!(destination.reconcile(std::slice::from_ref(&record)).unwrap(), [None]);
    let new = put(destination.as_mut(), &[newer]).remove(0);
    assert_eq!(target.bytes(&inbox, &new), message_bytes(1, "new"));
    if old != new {
        assert_eq!(destination.reconcile(&[record]).unwrap(), [Some(new)]);
        assert_eq!(target.bytes(&inbox, &old), message_bytes(1, "old"));
    }
}

fn foreign_messages_are_seen(target: &impl KitTarget) {
    let inbox = FolderPath::inbox();
    let mut destination = target.open();
    destination.prepare(std::slice::from_ref(&inbox)).unwrap();
    target.put_foreign(&inbox, b"Subject: from elsewhere\r\n\r\nX-Notesferry-Key: no header\r\n");
    target.put_foreign(&inbox, &message_bytes(7, "copied by a mail program"));
    let present = destination.survey(&inbox).unwrap();
    let origins: HashSet<_> = present.iter().map(|copy| copy.origin).collect();
    assert_eq!(origins, HashSet::from([None, Some(origin(7))]));
}

fn removing_takes_out_one(target: &impl KitTarget) {
    let inbox = FolderPath::inbox();
    let mut destination = target.open();
    destination.prepare(std::slice::from_ref(&inbox)).unwrap();
    let batch = [delivery(1, &inbox, "x"), delivery(2, &inbox, "x")];
    assert!(batch.iter().all(|delivery| delivery.internal_date_ms == DATE_MS));
    let locations = put(destination.as_mut(), &batch);
    assert!(destination.remove(&inbox, &locations[0]).unwrap());
    assert!(!destination.remove(&inbox, &locations[0]).unwrap());
    let present = destination.survey(&inbox).unwrap();
    assert_eq!(present.into_iter().map(|copy| copy.location).collect::<Vec<_>>(), locations[1..]);
}

/// Copies of some messages in two folders, put there now.
fn copies(destination: &mut dyn Destination, numbers: std::ops::Range<u32>) -> Vec<Place> {
    let folders = [FolderPath::inbox(), folder(&["Work", "Q&A"])];
    destination.prepare(&folders).unwrap();
    let folders = || folders.iter().cycle();
    let batch: Vec<Delivery> = numbers.zip(folders()).map(|(n, folder)| delivery(n, folder, "x")).collect();
    folders().cloned().zip(put(destination, &batch)).collect()
}

fn standings(destination: &mut dyn Destination, copies: &[Place]) -> Vec<&'static str> {
    let standing = |standing| match standing {
        Standing::There(flags) if flags.seen => "seen",
        Standing::There(_) => "there",
        Standing::Gone => "gone",
        Standing::Renumbered => "renumbered",
    };
    destination.look(copies).unwrap().into_iter().map(standing).collect()
}

fn a_look_tells_what_is_still_there(target: &impl KitTarget) {
    let mut destination = target.open();
    assert_eq!(destination.look(&[]).unwrap(), []);
    let copies = copies(destination.as_mut(), 0..5);
    let there = if destination.traits().flags { "seen" } else { "there" };
    assert_eq!(standings(destination.as_mut(), &copies), [there; 5]);
    for (folder, location) in &copies[1..3] {
        assert!(destination.remove(folder, location).unwrap());
    }
    let mut second = target.open();
    assert_eq!(standings(second.as_mut(), &copies), [there, "gone", "gone", there, there]);
}

fn flags_are_added_and_stay(target: &impl KitTarget) {
    let inbox = FolderPath::inbox();
    let mut destination = target.open();
    if !destination.traits().flags {
        return;
    }
    destination.prepare(std::slice::from_ref(&inbox)).unwrap();
    let flagged =
        |number: u32, flags: &Flags| Delivery { flags: flags.clone(), ..delivery(number, &inbox, "x") };
    let flags = [Flags::default(), Flags { answered: true, flagged: true, ..Flags::default() }];
    let batch = [flagged(1, &flags[0]), flagged(2, &flags[1])];
    let locations = put(destination.as_mut(), &batch);
    let copies: Vec<Place> = locations.into_iter().map(|location| (inbox.clone(), location)).collect();
    let seen = Flags { seen: true, ..Flags::default() };
    for _ in 0..2 {
        assert_eq!(destination.add_flags(&copies, &seen).unwrap(), [true, true]);
        let expected = flags.clone().map(|flags| Standing::There(Flags { seen: true, ..flags }));
        assert_eq!(target.open().look(&copies).unwrap(), expected);
    }
    assert_eq!(destination.add_flags(&[], &seen).unwrap(), Vec::<bool>::new());
}
