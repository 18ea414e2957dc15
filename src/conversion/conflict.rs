//! Winners and losers of replication and save conflicts: Notes keeps a loser as a full document below the winner.
//!
//! Of mails a loser arrives unless it says what the winner says. Of entries and contacts, of which there may be one only,
//! the one that was saved last arrives, whichever Notes made the winner.

use crate::conversion::kind::{self, Kind};
use crate::notes::document::Note;
use crate::notes::ids::Unid;
use crate::notes::item::{Item, ItemType};
use std::cmp::Reverse;
use std::collections::HashMap;

/// Losers of losers; in damaged files they run in circles.
const DEPTH: usize = 8;

/// The documents that conflicts leave, in their order: of a winner and its losers the one that was saved last, of equals
/// the winner.
pub fn survivors<'a>(documents: &[&'a Note]) -> Vec<&'a Note> {
    let rank = |note: &Note| (note.modified.order(), !note.has("$Conflict"), Reverse(note.unid));
    let by_unid: HashMap<Unid, &Note> = documents.iter().map(|note| (note.unid, *note)).collect();
    let mut kept: HashMap<Unid, &Note> = HashMap::new();
    for note in documents {
        let place = kept.entry(first(note, &by_unid)).or_insert(note);
        if rank(note) > rank(place) {
            *place = note;
        }
    }
    let is_kept = |note: &&Note| kept.get(&first(note, &by_unid)).is_some_and(|kept| kept.unid == note.unid);
    documents.iter().copied().filter(is_kept).collect()
}

/// The document that a conflict began with, which may be gone.
fn first(note: &Note, documents: &HashMap<Unid, &Note>) -> Unid {
    let mut unid = note.unid;
    for _ in 0..DEPTH {
        let own = if unid == note.unid { Some(note) } else { documents.get(&unid).copied() };
        match own.filter(|own| own.has("$Conflict")).and_then(Note::parent_unid) {
            Some(parent) => unid = parent,
            None => break,
        }
    }
    unid
}

/// The other documents of the same contact.
pub fn rivals<'a>(note: &'a Note, related: &'a [Note]) -> impl Iterator<Item = &'a Note> {
    let kind = kind::kind(note);
    let winner = |note: &Note| note.parent_unid().filter(|_| note.has("$Conflict"));
    let own = winner(note).unwrap_or(note.unid);
    related.iter().filter(move |other| {
        matches!(kind, Kind::Contact(_))
            && kind::kind(other) == kind
            && winner(other).unwrap_or(other.unid) == own
    })
}

/// Whether a contact was saved later in another document.
pub fn is_outdated(note: &Note, related: &[Note]) -> bool {
    let all: Vec<&Note> = std::iter::once(note).chain(rivals(note, related)).collect();
    !survivors(&all).iter().any(|kept| kept.unid == note.unid)
}

/// Whether a mail lost a conflict and says what the winner says, so that nothing is missed without it.
pub fn is_superfluous(note: &Note, related: &[Note]) -> bool {
    let parent = note.parent_unid().filter(|_| note.has("$Conflict"));
    let Some(winner) = related.iter().find(|other| Some(other.unid) == parent) else { return false };
    let message_id = |note: &Note| note.text("$MessageID").trim().to_owned();
    !message_id(note).is_empty() && message_id(note) == message_id(winner) && same_content(note, winner)
}

/// Whether two documents have the same subject, body and files.
fn same_content(one: &Note, other: &Note) -> bool {
    ["Subject", "Body", "$FILE"].iter().all(|name| said(one, name).eq(said(other, name)))
}

/// What the items of a name say, in their order.
fn said<'a>(note: &'a Note, name: &'a str) -> impl Iterator<Item = (ItemType, &'a [u8], &'a [u8])> {
    note.all(name).map(said_by)
}

/// Type and value; without the place of an object in its file: two bytes of type, then four of the place.
fn said_by(item: &Item) -> (ItemType, &[u8], &[u8]) {
    match (item.item_type, item.value.get(..2), item.value.get(6..)) {
        (ItemType::OBJECT, Some(kind), Some(rest)) => (ItemType::OBJECT, kind, rest),
        _ => (item.item_type, &item.value, &[]),
    }
}
