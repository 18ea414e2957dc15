//! Unread lists: for each user who opened the database, the notes that he or she has not read.
//!
//! They hang on an object of their own, the index of named objects, whose pages are scanned for records of kind 0.

use super::database::Database;
use super::header::Header;
use super::object::ObjectRecord;
use super::view::{Damage, FilePosition, View};
use crate::base::limits::ID_LIST_BYTES;
use crate::notes::id_table::IdTable;
use crate::notes::ids::NoteId;
use crate::notes::value::Text;

/// The unread notes of one user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnreadList {
    /// The canonical Notes name.
    pub user: String,
    /// Ascending.
    pub notes: Vec<NoteId>,
}

/// All unread lists of a database. What cannot be read is named in the list beside them.
pub fn read_unread_lists(database: &Database) -> (Vec<UnreadList>, Vec<String>) {
    let mut lists = Vec::new();
    let mut warnings = Vec::new();
    match entries(database, database.header()) {
        Ok(entries) => {
            for (user, object) in entries {
                match read_list(database, object) {
                    Ok(Some(notes)) => lists.push(UnreadList { user, notes }),
                    // A user's entry stays when his list is gone.
                    Ok(None) => {}
                    Err(damage) => warnings.push(format!("the unread marks of {user}: {damage}")),
                }
            }
        }
        Err(damage) => warnings.push(format!("the unread marks: {damage}")),
    }
    (lists, warnings)
}

fn read_list(database: &Database, object: NoteId) -> Result<Option<Vec<NoteId>>, Damage> {
    if database.place(object)?.is_none() {
        return Ok(None);
    }
    let data = ObjectRecord::find(database, object)?.read(database, ID_LIST_BYTES)?;
    let mut ids = IdTable::decode(&data).map_err(|error| Damage(error.to_string()))?.ids;
    ids.sort_unstable();
    Ok(Some(ids))
}

/// The users with unread lists and the objects that hold them.
fn entries(database: &Database, header: &Header) -> Result<Vec<(String, NoteId)>, Damage> {
    const PAGE_BYTES: u64 = 4096;
    const PAGE_TABLE_AT: usize = 160;
    const PAGE_ENTRY_BYTES: usize = 12;
    let Some(id) = header.named_objects() else { return Ok(Vec::new()) };
    let Some(_) = database.place(id)? else { return Ok(Vec::new()) };
    let index = ObjectRecord::find(database, id)?.read(database, ID_LIST_BYTES)?;
    let table = index.get(PAGE_TABLE_AT..).unwrap_or_default();
    let mut entries = Vec::new();
    for entry in table.chunks_exact(PAGE_ENTRY_BYTES) {
        let position = FilePosition(View::new(entry, "page entry").u32(0)?);
        if position.0 != 0 {
            let mut page = database.file().read(position.bytes(), PAGE_BYTES, "page of named objects")?;
            restore_nibbles(&mut page);
            scan_page(&page, &mut entries);
        }
    }
    entries.sort_unstable();
    entries.dedup();
    Ok(entries)
}

/// Like a bucket, a page has a byte with a check nibble in each sector but the first; the true ones lie in its head,
/// forwards. Seen in eight public databases, where it puts the names of users right.
fn restore_nibbles(page: &mut [u8]) {
    const SAVED_NIBBLES: usize = 0x18;
    for (sector, at) in (0..page.len()).step_by(0x200).enumerate().skip(1) {
        let saved = page[SAVED_NIBBLES + (sector >> 1)];
        page[at] = page[at] & 0xF0 | if sector % 2 == 0 { saved >> 4 } else { saved & 15 };
    }
}

/// Finds the records of kind 0 of a page: u16 key length, u16 record length, u16 kind, u16 name length, name, u32
/// object id. The key is kind, name length and name; the record is twelve bytes longer.
fn scan_page(page: &[u8], entries: &mut Vec<(String, NoteId)>) {
    const UNREAD: u16 = 0;
    let view = View::new(page, "page of named objects");
    let record = |at: usize| -> Result<Option<(String, NoteId)>, Damage> {
        let (key, record) = (view.u16(at)?, view.u16(at + 2)?);
        let (kind, name) = (view.u16(at + 4)?, view.u16(at + 6)?);
        if name == 0 || kind != UNREAD || key != name.wrapping_add(4) || record != key.wrapping_add(12) {
            return Ok(None);
        }
        let name_bytes = view.slice(at + 8, usize::from(name))?;
        let object = NoteId(view.u32(at + 8 + usize::from(name))?);
        let text = Text::decode(name_bytes);
        let is_name = !text.damaged && !text.text.chars().any(char::is_control);
        Ok((is_name && object.0 != 0).then_some((text.text, object)))
    };
    entries.extend((0..page.len()).filter_map(|at| record(at).ok().flatten()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_across_a_sector_are_put_right() {
        let mut page = vec![0; 4096];
        page[0x18..0x1A].copy_from_slice(&[0x5B, 0x30]);
        page[0x1FE..0x201].copy_from_slice(b"Lou");
        page[0x400] = 0x75;
        restore_nibbles(&mut page);
        assert_eq!((&page[0x1FE..0x201], page[0x400]), (&[b'L', b'o', 0x7B][..], 0x73));
    }

    #[test]
    fn a_page_gives_its_users() {
        let mut page = vec![0; 60];
        page.extend_from_slice(&[0x12, 0, 0x1E, 0, 0, 0, 0x0E, 0]);
        page.extend_from_slice(b"CN=admin/O=org");
        page.extend_from_slice(&[0x0E, 1, 0, 0, 0, 0, 0, 0]);
        let mut entries = Vec::new();
        scan_page(&page, &mut entries);
        assert_eq!(entries, [("CN=admin/O=org".to_owned(), NoteId(0x10E))]);
    }
}
