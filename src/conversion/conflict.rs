//! Losers of replication and save conflicts: Notes keeps them as full documents below the winner.

use crate::notes::document::Note;
use crate::notes::item::{Item, ItemType};

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
