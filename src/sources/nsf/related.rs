//! The documents that belong to a calendar entry or task: the rest of its series, and the answers that came in.
//!
//! Notes makes them a tree of responses below the first document of the entry. Read for entries only, so that a mail
//! still costs one read.

use super::census::Census;
use super::database::Database;
use crate::base::limits::{SERIES_BYTES, SERIES_DOCUMENTS};
use crate::notes::document::{Note, NoteStatus};
use crate::notes::ids::NoteId;
use std::collections::VecDeque;

/// Response chains in damaged files run in circles.
const DEPTH: usize = 32;

/// The other documents of the entry that a document is of. What cannot be read is left out: it is told when that
/// document itself is read.
pub fn of(database: &Database, census: &Census, note: &Note) -> Vec<Note> {
    if !is_entry(note) || note.status.has(NoteStatus::SOFT_DELETED) {
        return Vec::new();
    }
    let mut root = note.clone();
    for _ in 0..DEPTH {
        let parent = root.parent.and_then(|id| database.note(id).ok()).map(|(parent, _)| parent);
        match parent.filter(|parent| belongs(parent, note)) {
            Some(parent) => root = parent,
            None => break,
        }
    }
    let mut related = Vec::new();
    let mut bytes = 0;
    let mut waiting: VecDeque<(NoteId, usize)> = responses(census, root.note_id, 0).collect();
    let mut known: Vec<NoteId> = waiting.iter().map(|(id, _)| *id).collect();
    known.sort_unstable();
    if root.note_id != note.note_id {
        related.push(root);
    }
    while let Some((id, depth)) = waiting.pop_front() {
        if related.len() >= SERIES_DOCUMENTS || bytes >= SERIES_BYTES {
            break;
        }
        let further = responses(census, id, depth + 1).filter(|(_, depth)| *depth < DEPTH);
        for (id, depth) in further {
            if let Err(place) = known.binary_search(&id) {
                known.insert(place, id);
                waiting.push_back((id, depth));
            }
        }
        let Ok((found, _)) = database.note(id) else { continue };
        if id != note.note_id && belongs(&found, note) {
            bytes += found.items.iter().map(|item| item.value.len()).sum::<usize>();
            related.push(found);
        }
    }
    related
}

fn responses(census: &Census, id: NoteId, depth: usize) -> impl Iterator<Item = (NoteId, usize)> {
    census.responses.get(&id).into_iter().flatten().map(move |id| (*id, depth))
}

/// Notices in the mail file of the chair are answers to an entry, and no entries.
fn is_entry(note: &Note) -> bool {
    note.has("ApptUNID")
        && ["Appointment", "Task"].iter().any(|form| note.text("Form").trim().eq_ignore_ascii_case(form))
}

/// Whether a document is of the same entry and alive.
fn belongs(other: &Note, note: &Note) -> bool {
    let uid = |note: &Note| note.text("ApptUNID").trim().to_ascii_uppercase();
    !other.status.has(NoteStatus::SOFT_DELETED) && other.is_user_document() && uid(other) == uid(note)
}
