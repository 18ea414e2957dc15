//! The documents that belong to another one (see [`crate::sources::kin`]), as Notes keeps them: a tree of responses below
//! the first document of a calendar entry, and the losers of a conflict as responses of the winner.
//!
//! Read for these only, so that a mail still costs one read.

use super::census::Census;
use super::database::Database;
use crate::base::limits::{SERIES_BYTES, SERIES_DOCUMENTS};
use crate::notes::document::{Note, NoteStatus};
use crate::notes::ids::NoteId;
use crate::notes::item::Item;
use crate::sources::kin::{self, Kin, Version, is_alive, kin};
use std::collections::{BTreeSet, HashMap, VecDeque};

/// Response chains in damaged files run in circles.
const DEPTH: usize = 32;

/// The other documents that a document belongs to. What cannot be read is left out: it is told when that document itself
/// is read.
pub fn of(database: &Database, census: &Census, note: &Note) -> Vec<Note> {
    let Some(kin) = kin(note).filter(|_| !note.status.has(NoteStatus::SOFT_DELETED)) else {
        return Vec::new();
    };
    let is_lower = |own: &Note| kin == Kin::Series || own.has("$Conflict");
    let belongs =
        |other: &Note| is_alive(other) && (kin == Kin::Conflict || kin::series(other) == kin::series(note));
    let mut root = note.clone();
    // The id of the first document, which may be gone: then its responses are left.
    let mut top = root.note_id;
    for _ in 0..DEPTH {
        let Some(parent) = root.parent.filter(|_| is_lower(&root)) else { break };
        top = parent;
        match read(database, parent).filter(|parent| belongs(parent)) {
            Some(parent) => root = parent,
            None => break,
        }
        top = root.note_id;
    }
    let mut known = BTreeSet::from([root.note_id, top]);
    let mut waiting: VecDeque<(NoteId, usize)> = known.iter().map(|id| (*id, 0)).collect();
    let mut related = Vec::new();
    let mut bytes = 0;
    while let Some((id, depth)) = waiting.pop_front() {
        if related.len() >= SERIES_DOCUMENTS || bytes >= SERIES_BYTES {
            break;
        }
        let further = responses(census, id, depth + 1).filter(|(_, depth)| *depth < DEPTH);
        waiting.extend(further.filter(|(id, _)| known.insert(*id)));
        if id == note.note_id {
            continue;
        }
        let is_related = |found: &Note| belongs(found) && (id == root.note_id || is_lower(found));
        if let Some(found) = read(database, id).filter(is_related) {
            bytes += found.items.iter().map(|item| item.value.len()).sum::<usize>();
            related.push(found);
        }
    }
    related
}

/// For every document that belongs to others, a digest over the versions of them all.
pub fn versions(database: &Database, census: &Census) -> HashMap<NoteId, u64> {
    let mut versions: HashMap<NoteId, u64> = HashMap::new();
    for (root, responses) in &census.responses {
        let family = match database.summary(*root).filter(is_alive) {
            Some(root) if kin(&root) == Some(Kin::Series) => tree(database, census, root),
            Some(root) => family(database, responses, Some(root)),
            None => family(database, responses, None),
        };
        if family.len() < 2 {
            continue;
        }
        let digest = kin::digest(family.iter().map(version).collect());
        // A branch is a tree of its own; its documents change with either.
        for note in family.iter().filter(|note| kin(note).is_some() || note.note_id == *root) {
            let version = versions.entry(note.note_id).or_default();
            *version = version.wrapping_add(digest);
        }
    }
    versions
}

fn version(note: &Note) -> Version {
    (note.unid, note.sequence, note.sequence_time)
}

/// A document that is carried too; one that the list of live documents does not name is not.
fn read(database: &Database, id: NoteId) -> Option<Note> {
    database.note(id).ok().map(|(note, _)| note).filter(|_| database.is_listed(id))
}

/// A winner and the losers below it; without the document that they answer the entries and losers that are left.
fn family(database: &Database, responses: &[NoteId], root: Option<Note>) -> Vec<Note> {
    let orphaned = root.is_none();
    let left = responses.iter().take(SERIES_DOCUMENTS).filter_map(|id| database.summary(*id));
    let left = left.filter(|note| note.has("$Conflict") || orphaned && kin(note) == Some(Kin::Series));
    root.into_iter().chain(left.filter(is_alive).map(lean)).collect()
}

/// A document and everything below it that is alive.
fn tree(database: &Database, census: &Census, root: Note) -> Vec<Note> {
    let mut known = BTreeSet::from([root.note_id]);
    let mut waiting = VecDeque::from([root.note_id]);
    let mut found = vec![lean(root)];
    while let Some(id) = waiting.pop_front().filter(|_| found.len() < SERIES_DOCUMENTS) {
        for (id, _) in responses(census, id, 0) {
            if known.insert(id) {
                waiting.push_back(id);
                found.extend(database.summary(id).map(lean));
            }
        }
    }
    found
}

/// The document with the items that [`kin`] looks at; the others need not stay in memory.
fn lean(note: Note) -> Note {
    const ITEMS: [&str; 4] = ["Form", "Type", "ApptUNID", "$Conflict"];
    let is_kept = |item: &Item| ITEMS.iter().any(|name| item.is(name));
    Note { items: note.items.into_iter().filter(is_kept).collect(), ..note }
}

fn responses(census: &Census, id: NoteId, depth: usize) -> impl Iterator<Item = (NoteId, usize)> {
    census.responses.get(&id).into_iter().flatten().map(move |id| (*id, depth))
}
