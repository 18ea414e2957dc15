//! The note record: identity and times in a fixed head, then the table of items, then the summary values.
//!
//! Values lie back to back in table order with two cursors, one in the record and one in the non-summary data.

use super::cx;
use super::names::ItemName;
use super::view::{Damage, View};
use crate::notes::document::{Note, NoteClass, NoteStatus};
use crate::notes::ids::{NoteId, Unid};
use crate::notes::item::{Item, ItemFlags, ItemType};
use crate::notes::timedate::Timedate;

const HEAD_BYTES: usize = 100;
/// A deletion stub ends before the item fields.
const STUB_BYTES: usize = 64;
const TABLE_ENTRY_BYTES: usize = 8;

/// The value carries no type word of its own.
const FLAG_RAW_VALUE: u16 = 0x0008;
/// The value is compressed.
const FLAG_COMPRESSED: u16 = 0x8000;

/// The head of a note record: everything that a listing needs.
#[derive(Clone, Debug)]
pub struct NoteHead {
    pub note_id: NoteId,
    pub unid: Unid,
    pub sequence: u32,
    pub sequence_time: Timedate,
    pub status: NoteStatus,
    pub class: NoteClass,
    pub modified: Timedate,
    added: Timedate,
    parent: NoteId,
    items: usize,
    pub non_summary_id: u32,
    pub non_summary_bytes: u32,
}

impl NoteHead {
    pub const SIGNATURE: [u8; 2] = [0x04, 0x00];

    /// Reads the head and checks that the record is the one of this id.
    ///
    /// # Errors
    /// [`Damage`] if it is not, or if the record is cut.
    pub fn parse(record: &[u8], id: NoteId) -> Result<Self, Damage> {
        let view = View::new(record, "note");
        view.expect_signature(Self::SIGNATURE)?;
        let found = NoteId(view.u32(6)?);
        if found != id {
            return Err(Damage(format!("note {found} lies where note {id} should be")));
        }
        let status = NoteStatus(view.u16(38)?);
        let stub = record.len() < HEAD_BYTES;
        if stub && (!status.has(NoteStatus::DELETED) || record.len() < STUB_BYTES) {
            return Err(Damage(format!("the record of note {id} has only {} bytes", record.len())));
        }
        let field = |at| if stub { Ok(0) } else { view.u32(at) };
        Ok(Self {
            note_id: id,
            unid: Unid::from_stored(view.array(10)?),
            sequence: view.u32(26)?,
            sequence_time: view.timedate(30)?,
            status,
            class: NoteClass(view.u16(40)?),
            modified: view.timedate(42)?,
            added: if stub { Timedate::default() } else { view.timedate(72)? },
            parent: NoteId(field(80)?),
            items: if stub { 0 } else { usize::from(view.u16(50)?) },
            non_summary_id: field(56)?,
            non_summary_bytes: field(60)?,
        })
    }

    /// The note that this one answers.
    pub fn answered(&self) -> Option<NoteId> {
        Some(self.parent).filter(|parent| parent.0 != 0)
    }

    /// Whether this is only the mark of a deleted note.
    pub fn is_stub(&self) -> bool {
        self.status.has(NoteStatus::DELETED)
    }

    /// Whether this is a document as users know it; see [`Note::is_user_document`].
    pub fn is_user_document(&self) -> bool {
        self.class.is_document() && !self.status.hides_a_document()
    }

    /// The whole note: `record` as given to [`NoteHead::parse`], and its non-summary data. Items whose values cannot
    /// be read are left out and named in `losses`.
    ///
    /// # Errors
    /// [`Damage`] if the table of items does not fit the record.
    pub fn read_items(
        &self,
        record: &[u8],
        non_summary: &[u8],
        names: &[ItemName],
        losses: &mut Vec<String>,
    ) -> Result<Note, Damage> {
        let table =
            View::new(record, "note").slice(HEAD_BYTES.min(record.len()), self.items * TABLE_ENTRY_BYTES)?;
        let mut cursors =
            Cursors { summary: &record[HEAD_BYTES.min(record.len()) + table.len()..], non_summary };
        let mut items = Vec::with_capacity(self.items);
        for (entry, _) in table.as_chunks::<TABLE_ENTRY_BYTES>().0.iter().zip(0..self.items) {
            match read_item(entry, &mut cursors, names) {
                Ok(item) => items.push(item),
                Err(damage) => losses.push(damage.0),
            }
        }
        Ok(Note {
            note_id: self.note_id,
            unid: self.unid,
            sequence: self.sequence,
            sequence_time: self.sequence_time,
            status: self.status,
            class: self.class,
            modified: self.modified,
            added: self.added,
            parent: self.answered(),
            items,
        })
    }
}

struct Cursors<'a> {
    summary: &'a [u8],
    non_summary: &'a [u8],
}

impl<'a> Cursors<'a> {
    fn take(&mut self, summary: bool, length: usize) -> Option<&'a [u8]> {
        let cursor = if summary { &mut self.summary } else { &mut self.non_summary };
        if length > cursor.len() {
            // Nothing after a missing value can be trusted either.
            *cursor = &[];
            return None;
        }
        let (value, rest) = cursor.split_at(length);
        *cursor = rest;
        Some(value)
    }
}

fn read_item(
    entry: &[u8; TABLE_ENTRY_BYTES],
    cursors: &mut Cursors<'_>,
    names: &[ItemName],
) -> Result<Item, Damage> {
    let word = |at: usize| u16::from_le_bytes([entry[at], entry[at + 1]]);
    let (index, flags, length) = (usize::from(word(0)), word(2), usize::from(word(4)));
    // The value is taken first, so that a name out of range costs this item only.
    let stored = cursors.take(ItemFlags(flags).has(ItemFlags::SUMMARY), length);
    let name =
        names.get(index).ok_or_else(|| Damage(format!("an item has the unknown name number {index}")))?;
    let stored = stored
        .ok_or_else(|| Damage(format!("the value of item {} ({length} bytes) is missing", name.name)))?;
    let unreadable = |damage: Damage| Damage(format!("item {}: {damage}", name.name));
    let (item_type, value) = decode_value(stored, flags, name.default_type).map_err(unreadable)?;
    Ok(Item { name: name.name.clone(), flags: ItemFlags(flags), item_type, value })
}

/// Takes compression and type word off a stored value.
fn decode_value(stored: &[u8], flags: u16, default_type: ItemType) -> Result<(ItemType, Vec<u8>), Damage> {
    let placeholder = flags & ItemFlags::PLACEHOLDER.0 != 0 && stored.is_empty();
    let unpacked;
    let plain = if flags & FLAG_COMPRESSED != 0 && !placeholder {
        unpacked = cx::decompress_item(stored)?;
        &unpacked[..]
    } else {
        stored
    };
    if flags & FLAG_RAW_VALUE != 0 || placeholder {
        return Ok((default_type, plain.to_vec()));
    }
    let item_type = ItemType(View::new(plain, "value").u16(0)?);
    Ok((item_type, plain[2..].to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> Vec<ItemName> {
        vec![
            ItemName { name: "Subject".into(), default_type: ItemType::TEXT },
            ItemName { name: "Body".into(), default_type: ItemType::COMPOSITE },
        ]
    }

    /// A record of note 0x8F6 with these table entries and summary bytes.
    fn record(entries: &[[u16; 4]], summary: &[u8]) -> Vec<u8> {
        let mut record = vec![0; HEAD_BYTES];
        record[0] = 4;
        record[6..10].copy_from_slice(&0x8F6u32.to_le_bytes());
        record[40] = 1;
        record[50] = entries.len() as u8;
        record.extend(entries.iter().flatten().flat_map(|word| word.to_le_bytes()));
        record.extend_from_slice(summary);
        record
    }

    fn read(record: &[u8], non_summary: &[u8]) -> (Note, Vec<String>) {
        let mut losses = Vec::new();
        let head = NoteHead::parse(record, NoteId(0x8F6)).unwrap();
        let note = head.read_items(record, non_summary, &names(), &mut losses).unwrap();
        (note, losses)
    }

    #[test]
    fn raw_and_typed_values_in_both_places() {
        let record = record(&[[0, 0x0C, 2, 0], [1, 0, 4, 0], [0, 0x04, 3, 0]], b"Hi\x01\x05x");
        let (note, losses) = read(&record, &[1, 0, 0x81, 2]);
        assert!(losses.is_empty(), "{losses:?}");
        let types: Vec<_> = note.items.iter().map(|item| (item.item_type.0, item.value.as_slice())).collect();
        assert_eq!(types, [(0x0500, &b"Hi"[..]), (0x0001, &[0x81, 2][..]), (0x0501, &b"x"[..])]);
    }

    #[test]
    fn a_missing_value_costs_its_item_only() {
        let record = record(&[[0, 0x0C, 2, 0], [1, 0, 400, 0], [9, 0x0C, 0, 0], [0, 0x0C, 1, 0]], b"Hi!");
        let (note, losses) = read(&record, &[1, 0]);
        assert_eq!(note.items.len(), 2);
        assert_eq!(losses.len(), 2, "{losses:?}");
    }

    #[test]
    fn another_note_in_this_place_is_damage() {
        let record = record(&[], b"");
        assert!(NoteHead::parse(&record, NoteId(0x8FA)).is_err());
        assert!(NoteHead::parse(&record[..80], NoteId(0x8F6)).is_err());
    }
}
