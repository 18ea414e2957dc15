//! Folders: view notes that keep a list of documents, in a folder object, in an ID table, or (as a rule) in both.

use super::database::Database;
use super::object::ObjectRecord;
use super::view::{Damage, View};
use crate::base::limits::ID_LIST_BYTES;
use crate::model::folder::{Folder, FolderId, FolderPath, FolderRole};
use crate::notes::document::Note;
use crate::notes::id_table::IdTable;
use crate::notes::ids::{NoteId, Unid};
use crate::notes::timedate::Timedate;
use crate::notes::value::Value;
use std::collections::BTreeSet;

/// A folder with the notes that its list names.
pub struct FolderContents {
    pub folder: Folder,
    /// Ascending.
    pub notes: Vec<NoteId>,
}

/// The folders among these view notes, and what is odd about them.
pub fn read_folders(database: &Database, views: &[NoteId]) -> (Vec<FolderContents>, Vec<String>) {
    let mut folders = Vec::new();
    let mut warnings = Vec::new();
    for id in views {
        let Ok((note, _)) = database.note(*id) else {
            warnings.push(format!("view or folder {id} cannot be read"));
            continue;
        };
        if let Some(folder) = read_folder(database, &note, &mut warnings) {
            folders.push(folder);
        }
    }
    (folders, warnings)
}

/// The contents of a view note that is a folder; `None` for a view that only selects.
fn read_folder(database: &Database, note: &Note, warnings: &mut Vec<String>) -> Option<FolderContents> {
    let object = object_id(note, "$FolderObject");
    let table = object_id(note, "$FolderIDTable");
    if object.is_none() && table.is_none() {
        return None;
    }
    let title = note.text("$TITLE");
    let mut keep = |what: Result<List, Damage>| {
        what.map_err(|damage| warnings.push(format!("folder \"{title}\": {damage}"))).ok()
    };
    let object = object.map(|id| read_folder_object(database, id)).and_then(&mut keep);
    let table = table.map(|id| read_id_table(database, id)).and_then(&mut keep);
    let notes: Vec<NoteId> = merge(object, table).into_iter().collect();
    let names = note.texts("$TITLE");
    let (path, role) = name_folder(names.first().map_or("", String::as_str));
    let id = FolderId(note.note_id.0);
    Some(FolderContents { folder: Folder { id, path, role, documents: notes.len() as u64 }, notes })
}

fn object_id(note: &Note, name: &str) -> Option<NoteId> {
    match note.first(name)?.value() {
        Ok(Value::Object { object_id, .. }) => Some(NoteId(object_id)),
        _ => None,
    }
}

/// The note ids of one list with the time of its last change.
struct List {
    notes: BTreeSet<NoteId>,
    changed: Timedate,
}

/// Equal time means equal sets; otherwise the newer list counts. Where sets of equal time differ, none is trusted
/// over the other.
fn merge(object: Option<List>, table: Option<List>) -> BTreeSet<NoteId> {
    match (object, table) {
        (Some(object), Some(table)) => match object.changed.order().cmp(&table.changed.order()) {
            std::cmp::Ordering::Greater => object.notes,
            std::cmp::Ordering::Less => table.notes,
            std::cmp::Ordering::Equal => &object.notes | &table.notes,
        },
        (Some(list), None) | (None, Some(list)) => list.notes,
        (None, None) => BTreeSet::new(),
    }
}

fn read_id_table(database: &Database, id: NoteId) -> Result<List, Damage> {
    let data = ObjectRecord::find(database, id)?.read(database, ID_LIST_BYTES)?;
    let table = IdTable::decode(&data).map_err(|error| Damage(error.to_string()))?;
    Ok(List { notes: table.ids.into_iter().collect(), changed: table.changed })
}

/// The folder object keeps its records at its end, 36 bytes each: UNID, note id, two times.
fn read_folder_object(database: &Database, id: NoteId) -> Result<List, Damage> {
    const RECORD_BYTES: usize = 36;
    let data = ObjectRecord::find(database, id)?.read(database, ID_LIST_BYTES)?;
    let view = View::new(&data, "folder object");
    view.expect_signature([0xF5, 0xF5])?;
    let size = (view.u32(92)? as usize).min(data.len());
    let count = view.u32(84)? as usize;
    let records = count.checked_mul(RECORD_BYTES).filter(|bytes| *bytes <= size);
    let bytes = records.ok_or_else(|| Damage(format!("a folder object cannot hold {count} documents")))?;
    let mut notes = BTreeSet::new();
    for record in view.slice(size - bytes, bytes)?.chunks_exact(RECORD_BYTES) {
        let record = View::new(record, "folder record");
        let (unid, note_id) = (Unid::from_stored(record.array(0)?), NoteId(record.u32(16)?));
        // The place may have been given to another note since; the UNID tells.
        if database.note_unid(note_id) == Some(unid) {
            notes.insert(note_id);
        }
    }
    Ok(List { notes, changed: view.timedate(48)? })
}

/// Splits a title (`Projects\Sales|alias`) into its path, and finds what the folder is for by any of its names.
fn name_folder(title: &str) -> (FolderPath, FolderRole) {
    let mut names = title.split('|').map(str::trim);
    let shown = names.clone().next().unwrap_or_default();
    let known = |name: &str| {
        Some(match name.to_ascii_lowercase().as_str() {
            "($inbox)" => FolderRole::Inbox,
            "($drafts)" => FolderRole::Drafts,
            "($sent)" => FolderRole::Sent,
            "($junkmail)" => FolderRole::Junk,
            "($trash)" | "($softdeletions)" => FolderRole::Trash,
            _ => return None,
        })
    };
    let hidden = shown.starts_with('$') || shown.starts_with('(') && shown.ends_with(')');
    let role = names.find_map(known).unwrap_or(if hidden { FolderRole::Hidden } else { FolderRole::User });
    (FolderPath::new(shown.split('\\').filter(|part| !part.is_empty())), role)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_give_paths_and_roles() {
        let (path, role) = name_folder("Projects\\Sales|pj");
        assert_eq!((path.to_string().as_str(), role), ("Projects/Sales", FolderRole::User));
        assert_eq!(name_folder("($Inbox)").1, FolderRole::Inbox);
        assert_eq!(name_folder("Posteingang|($Inbox)").1, FolderRole::Inbox);
        assert_eq!(name_folder("($Profiles)").1, FolderRole::Hidden);
        assert_eq!(name_folder("(draft) ideas").1, FolderRole::User);
    }

    #[test]
    fn the_newer_list_counts_and_equal_times_unite() {
        let list = |ids: &[u32], day: u32| {
            Some(List { notes: ids.iter().map(|id| NoteId(*id)).collect(), changed: Timedate([0, day]) })
        };
        let ids = |set: BTreeSet<NoteId>| set.into_iter().map(|id| id.0).collect::<Vec<_>>();
        assert_eq!(ids(merge(list(&[4], 9), list(&[8], 5))), [4]);
        assert_eq!(ids(merge(list(&[4], 5), list(&[8], 9))), [8]);
        assert_eq!(ids(merge(list(&[4], 5), list(&[8], 5))), [4, 8]);
        assert_eq!(ids(merge(None, list(&[8], 5))), [8]);
    }
}
