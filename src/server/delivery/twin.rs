//! The same mail in two databases of one mailbox, such as the mail file and its archive: delivered once.
//!
//! A Message-ID alone is no identity, because a sent and a received copy share it; with the times at which it was sent
//! and delivered it is. The copy that holds more wins: a whole one over one that Notes shortened, the entry that was
//! changed last over the other. Copies in one database are two documents that somebody wanted, and both arrive.

use crate::conversion::Converted;
use crate::model::item::Origin;
use crate::model::loss::{Loss, LossKind};
use crate::model::outcome::Outcome;
use crate::notes::document::Note;
use crate::notes::ids::ReplicaId;
use crate::notes::item::{Item, ItemType};
use crate::server::delivery::batch::Work;
use crate::server::delivery::{DeliveryError, Pass, Prepared};
use crate::store::{Changes, Removal, Twin};
use blake3::Hasher;
use std::cmp::Ordering;

/// What another copy of an item would have in common with it; `None` for what has no identity beyond its database.
pub fn twin(note: &Note, origin: Origin, converted: &Converted) -> Option<Twin> {
    let mut identity = Hasher::new_derive_key("notesferry twin 1");
    let is_entry = converted.object.is_some();
    if is_entry {
        let uid = note.text("ApptUNID");
        add(&mut identity, &[&uid.trim().to_ascii_uppercase(), &note.text("Form")]);
        if uid.trim().is_empty() {
            return None;
        }
    } else {
        if !note.has("$MessageID") || converted.message_id.is_empty() {
            return None;
        }
        let times = ["PostedDate", "DeliveredDate"].map(|name| note.time(name).map(|time| time.to_string()));
        let [posted, delivered] = times.map(Option::unwrap_or_default);
        add(&mut identity, &[&converted.message_id, &posted, &delivered]);
    }
    // An entry that was saved later knows more; a shortened mail says less.
    let rank = if is_entry { note.modified.order() } else { u64::from(!note.has("$OrigSize")) };
    Some(Twin { identity: short(&identity), origin, content: content(note), rank, only_one: is_entry })
}

/// A digest over what a reader sees.
fn content(note: &Note) -> [u8; 16] {
    let mut hasher = Hasher::new_derive_key("notesferry twin content 1");
    let seen = ["Subject", "Body", "$FILE", "StartDateTime", "EndDateTime", "Location"];
    for item in seen.iter().flat_map(|name| note.all(name)) {
        hasher.update(&item.item_type.0.to_le_bytes());
        let said = said(item);
        hasher.update(&(said.len() as u64).to_le_bytes());
        hasher.update(said);
    }
    short(&hasher)
}

/// The value of an item; of an object not where it lies in its file: two bytes of type, then four of the place.
fn said(item: &Item) -> &[u8] {
    match item.value.get(6..) {
        Some(rest) if item.item_type == ItemType::OBJECT => rest,
        _ => &item.value,
    }
}

fn add(hasher: &mut Hasher, texts: &[&str]) {
    for text in texts {
        hasher.update(&(text.len() as u64).to_le_bytes());
        hasher.update(text.as_bytes());
    }
}

fn short(hasher: &Hasher) -> [u8; 16] {
    let mut digest = [0; 16];
    hasher.finalize_xof().fill(&mut digest);
    digest
}

/// What becomes of an item whose twin is at the target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    /// Both are delivered: they say different things.
    Both,
    /// The twin says all of it.
    Skip,
    /// The twin says something else, and more.
    SkipOlder,
    /// This one takes the place of the twin.
    TakePlace,
}

fn verdict(own: &Twin, other: &Twin) -> Verdict {
    match own.rank.cmp(&other.rank) {
        _ if own.content == other.content => Verdict::Skip,
        Ordering::Less => Verdict::SkipOlder,
        Ordering::Greater => Verdict::TakePlace,
        Ordering::Equal if own.only_one => Verdict::SkipOlder,
        Ordering::Equal => Verdict::Both,
    }
}

impl Pass<'_> {
    /// Compares an item that is to be delivered for the first time with its twin of another database, if the ledger
    /// has one that was delivered.
    pub(super) fn compare_with_twin(&self, prepared: &mut Prepared) -> Result<(), DeliveryError> {
        let Some(own) = prepared.message().and_then(|message| message.twin.clone()) else { return Ok(()) };
        let known = self.store.entry(&prepared.key)?;
        if known.is_some_and(|entry| !entry.placements.is_empty()) {
            return Ok(());
        }
        let Some(other) = self.store.twin(&self.settings.mailbox, own.identity)? else { return Ok(()) };
        if replica(other.origin) == replica(own.origin) {
            return Ok(());
        }
        let entry = self.store.entry(&self.key(other.origin))?;
        if !entry.is_some_and(|entry| entry.outcome == Outcome::Delivered && !entry.placements.is_empty()) {
            return Ok(());
        }
        match verdict(&own, &other) {
            Verdict::Both => {}
            Verdict::Skip => prepared.work = Work::Twin,
            Verdict::SkipOlder => {
                prepared.work = Work::Twin;
                prepared.losses = vec![Loss::new(LossKind::ConflictCopySkipped, "another copy says more")];
            }
            Verdict::TakePlace => {
                if let Work::Deliver(message) = &mut prepared.work {
                    message.takes_place_of = Some(other.origin);
                }
            }
        }
        Ok(())
    }

    /// Has the copies of an item taken out whose twin arrived. Its line stays, without placements, so that the next pass
    /// knows it as done.
    pub(super) fn give_place(&self, replaced: Origin, changes: &mut Changes) -> Result<(), DeliveryError> {
        let key = self.key(replaced);
        let Some(mut entry) = self.store.entry(&key)? else { return Ok(()) };
        let ours = entry.placements.extract_if(.., |placed| placed.source_digest.is_some());
        let removals =
            ours.filter_map(|placed| Some(Removal { folder: placed.folder, location: placed.location? }));
        changes.to_remove.extend(removals);
        changes.entries.push((key, entry));
        Ok(())
    }
}

fn replica(origin: Origin) -> ReplicaId {
    let Origin::Notes { replica, .. } = origin;
    replica
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notes::ids::Unid;

    fn twin(content: u8, rank: u64, only_one: bool) -> Twin {
        let origin = Origin::Notes { replica: ReplicaId(1), unid: Unid([0; 16]) };
        Twin { identity: [0; 16], origin, content: [content; 16], rank, only_one }
    }

    #[test]
    fn the_copy_that_says_more_wins() {
        let whole = twin(1, 1, false);
        assert_eq!(verdict(&whole, &whole), Verdict::Skip);
        assert_eq!(verdict(&twin(2, 1, false), &whole), Verdict::Both);
        assert_eq!(verdict(&twin(2, 0, false), &whole), Verdict::SkipOlder);
        assert_eq!(verdict(&whole, &twin(2, 0, false)), Verdict::TakePlace);
        assert_eq!(verdict(&twin(2, 7, true), &twin(1, 7, true)), Verdict::SkipOlder);
        assert_eq!(verdict(&twin(2, 8, true), &twin(1, 7, true)), Verdict::TakePlace);
    }
}
