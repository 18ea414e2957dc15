//! The documents that belong to another one: to a calendar entry or task the rest of its series and the answers that
//! came in, to the loser of a replication conflict the winner.
//!
//! Notes makes them a tree of responses below the first document of the entry, and the loser a response of the winner.
//! Read for these only, so that a mail still costs one read.

use super::census::Census;
use super::database::Database;
use crate::base::limits::{SERIES_BYTES, SERIES_DOCUMENTS};
use crate::notes::document::{Note, NoteStatus};
use crate::notes::ids::{NoteId, Unid};
use crate::notes::item::Item;
use std::collections::{BTreeSet, HashMap, VecDeque};

/// Response chains in damaged files run in circles.
const DEPTH: usize = 32;

/// The other documents of the entry that a document is of. What cannot be read is left out: it is told when that
/// document itself is read.
pub fn of(database: &Database, census: &Census, note: &Note) -> Vec<Note> {
    if note.status.has(NoteStatus::SOFT_DELETED) {
        return Vec::new();
    }
    if !is_entry(note) {
        return winner(database, note).into_iter().collect();
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

/// For every entry with a tree of responses, a digest over the versions of all documents of the tree: it changes when
/// one of them is saved, comes or goes.
pub fn versions(database: &Database, census: &Census) -> HashMap<NoteId, u64> {
    let mut versions: HashMap<NoteId, u64> = HashMap::new();
    for root in census.responses.keys() {
        let Ok((note, _)) = database.note(*root) else { continue };
        if is_entry(&note) {
            let tree = tree(database, census, note);
            let mut members: Vec<_> =
                tree.iter().map(|note| (note.unid, note.sequence, note.sequence_time.0)).collect();
            members.sort_unstable();
            let digest = digest(&members);
            // A branch is a tree of its own; its documents change with either.
            for entry in tree.iter().filter(|note| is_entry(note)) {
                let version = versions.entry(entry.note_id).or_default();
                *version = version.wrapping_add(digest);
            }
        }
    }
    versions
}

/// A document and everything below it that is alive.
fn tree(database: &Database, census: &Census, root: Note) -> Vec<Note> {
    let mut known = BTreeSet::from([root.note_id]);
    let mut waiting = VecDeque::from([root.note_id]);
    let mut found = vec![root];
    while let Some(id) = waiting.pop_front().filter(|_| found.len() < SERIES_DOCUMENTS) {
        for (id, _) in responses(census, id, 0) {
            if known.insert(id) {
                waiting.push_back(id);
                found.extend(
                    database.note(id).ok().map(|(note, _)| Note { items: forms(note.items), ..note }),
                );
            }
        }
    }
    found
}

/// The items that [`is_entry`] looks at; the others need not stay in memory.
fn forms(items: Vec<Item>) -> Vec<Item> {
    items.into_iter().filter(|item| item.is("Form") || item.is("ApptUNID")).collect()
}

fn digest(members: &[(Unid, u32, [u32; 2])]) -> u64 {
    let mut hasher = blake3::Hasher::new_derive_key("notesferry relatives 1");
    for (unid, sequence, time) in members {
        hasher.update(&unid.0);
        for word in [*sequence, time[0], time[1]] {
            hasher.update(&word.to_le_bytes());
        }
    }
    let mut digest = [0; 8];
    hasher.finalize_xof().fill(&mut digest);
    u64::from_le_bytes(digest)
}

fn responses(census: &Census, id: NoteId, depth: usize) -> impl Iterator<Item = (NoteId, usize)> {
    census.responses.get(&id).into_iter().flatten().map(move |id| (*id, depth))
}

/// The document to which a mail lost a replication conflict; contacts have their own look.
fn winner(database: &Database, note: &Note) -> Option<Note> {
    let is_contact =
        ["Person", "Group"].iter().any(|form| note.text("Form").trim().eq_ignore_ascii_case(form));
    if is_contact {
        return None;
    }
    let id =
        note.parent.filter(|id| note.has("$Conflict") && *id != note.note_id && database.is_listed(*id))?;
    let (winner, _) = database.note(id).ok()?;
    (winner.is_user_document() && !winner.status.has(NoteStatus::SOFT_DELETED)).then_some(winner)
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
