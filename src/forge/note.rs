//! A note to be written: what callers say of it, and its record in a bucket.

use super::blocks::NameTable;
use super::fields::Fields;
use super::values;
use super::{ForgeError, cx};
use crate::notes::document::{NoteClass, NoteStatus};
use crate::notes::ids::{NoteId, Unid};
use crate::notes::item::{ItemFlags, ItemType};
use crate::notes::timedate::Timedate;
use std::borrow::Cow;
use std::collections::HashMap;

const HEADER_BYTES: usize = 100;
const STUB_BYTES: usize = 64;
const ITEM_BYTES: usize = 8;
/// The head of non-summary data outside the note record.
pub(super) const NON_SUMMARY_HEAD_BYTES: usize = 68;
const RAW_VALUE: u16 = 0x0008;
const COMPRESSED_VALUE: u16 = 0x8000;
const STATUS_PROTECTED: u16 = 0x0008;

/// Where the values outside the summary go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Placement {
    /// Small ones inside the note record, middle ones in a bucket where the version has such, others on their own.
    #[default]
    Automatic,
    Inline,
    Bucket,
    File,
}

/// A UNID as Notes makes them: the first half is random, the second is the time.
pub fn unid(random: u64, created: Timedate) -> Unid {
    let mut stored = [0; 16];
    stored.put(0, &random.to_le_bytes());
    stored.put_time(8, created);
    Unid::from_stored(stored)
}

/// A note to be written.
#[derive(Clone, Debug)]
pub struct NoteSpec {
    pub unid: Unid,
    pub class: NoteClass,
    /// Bits beside those that the items make necessary.
    pub status: NoteStatus,
    pub sequence: u32,
    pub sequence_time: Timedate,
    pub modified: Timedate,
    pub added: Timedate,
    pub parent: Option<NoteId>,
    pub responses: u16,
    pub items: Vec<ItemSpec>,
    pub placement: Placement,
}

impl NoteSpec {
    /// A document that was made, saved and added at one moment.
    pub fn document(unid: Unid, time: Timedate) -> Self {
        Self {
            unid,
            class: NoteClass::DOCUMENT,
            status: NoteStatus::default(),
            sequence: 1,
            sequence_time: time,
            modified: time,
            added: time,
            parent: None,
            responses: 0,
            items: Vec::new(),
            placement: Placement::Automatic,
        }
    }

    /// Another class of note, such as a form; with [`NoteSpec::DEFAULT`] the database's default of that class.
    pub fn design(class: u16, unid: Unid, time: Timedate) -> Self {
        Self { class: NoteClass(class), ..Self::document(unid, time) }
    }

    /// The profile that names the owner of a mail file.
    pub fn calendar_profile(unid: Unid, time: Timedate, owner: &str) -> Self {
        let status = NoteStatus(NoteStatus::GHOST.0 | NoteStatus::NAMED.0);
        Self { status, ..Self::document(unid, time) }.with([
            ItemSpec::text("$Name", "$profile_015calendarprofile_"),
            ItemSpec::text("Form", "CalendarProfile"),
            ItemSpec::text("Owner", owner).flagged(ItemFlags::NAMES),
        ])
    }

    /// The bit of the class that marks a default.
    pub const DEFAULT: u16 = 0x8000;

    /// Adds items; repeated names continue each other.
    #[must_use]
    pub fn with(mut self, items: impl IntoIterator<Item = ItemSpec>) -> Self {
        self.items.extend(items);
        self
    }
}

/// An item to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ItemSpec {
    /// ASCII.
    pub name: Cow<'static, str>,
    /// With [`ItemFlags::SUMMARY`] the value lies in the note record.
    pub flags: ItemFlags,
    pub item_type: ItemType,
    pub value: Vec<u8>,
    /// Begin the value with a type word even where the name table knows the type.
    pub typed: bool,
    /// Store the value compressed, if it needs no type word.
    pub compressed: bool,
}

impl ItemSpec {
    pub fn new(name: impl Into<Cow<'static, str>>, item_type: ItemType, value: Vec<u8>) -> Self {
        let name = name.into();
        Self { name, flags: ItemFlags::SUMMARY, item_type, value, typed: false, compressed: false }
    }

    pub fn text(name: impl Into<Cow<'static, str>>, text: &str) -> Self {
        Self::new(name, ItemType::TEXT, values::text(text))
    }

    pub fn texts<S: AsRef<str>>(name: impl Into<Cow<'static, str>>, texts: &[S]) -> Self {
        Self::new(name, ItemType::TEXT_LIST, values::text_list(texts))
    }

    pub fn number(name: impl Into<Cow<'static, str>>, number: f64) -> Self {
        Self::new(name, ItemType::NUMBER, number.to_le_bytes().to_vec())
    }

    pub fn time(name: impl Into<Cow<'static, str>>, time: Timedate) -> Self {
        Self::new(name, ItemType::TIME, time.to_stored().to_vec())
    }

    pub fn times(name: impl Into<Cow<'static, str>>, times: &[Timedate]) -> Self {
        Self::new(name, ItemType::TIME_RANGE, values::times(times))
    }

    /// Rich text: a run of records.
    pub fn rich_text(name: impl Into<Cow<'static, str>>, records: Vec<u8>) -> Self {
        Self::new(name, ItemType::COMPOSITE, records).outside_summary()
    }

    /// A MIME part of the body.
    pub fn mime_part(value: Vec<u8>) -> Self {
        Self::new("Body", ItemType::MIME_PART, value).outside_summary().flagged(ItemFlags::SIGN)
    }

    #[must_use]
    pub fn outside_summary(mut self) -> Self {
        self.flags.0 &= !ItemFlags::SUMMARY.0;
        self
    }

    #[must_use]
    pub fn flagged(mut self, flags: ItemFlags) -> Self {
        self.flags.0 |= flags.0;
        self
    }

    #[must_use]
    pub fn compressed(mut self) -> Self {
        self.compressed = true;
        self
    }

    #[must_use]
    pub fn typed(mut self) -> Self {
        self.typed = true;
        self
    }
}

/// A note with its names looked up, ready for a place.
pub(super) struct EncodedNote {
    header: [u8; HEADER_BYTES],
    item_table: Vec<u8>,
    summary: Vec<u8>,
    pub non_summary: Vec<u8>,
}

impl EncodedNote {
    pub fn new(spec: &NoteSpec, id: NoteId, names: &mut NameTable) -> Result<Self, ForgeError> {
        let mut note = Self {
            header: header(spec, id),
            item_table: Vec::new(),
            summary: Vec::new(),
            non_summary: Vec::new(),
        };
        let mut seen: HashMap<&str, u8> = HashMap::new();
        for item in &spec.items {
            let duplicate =
                seen.entry(&item.name).and_modify(|count| *count = count.wrapping_add(1)).or_insert(0);
            note.push_item(item, *duplicate, names)?;
        }
        Ok(note)
    }

    fn push_item(&mut self, item: &ItemSpec, duplicate: u8, names: &mut NameTable) -> Result<(), ForgeError> {
        let (name, default_type) = names.index(&item.name, item.item_type).ok_or(ForgeError::Names)?;
        let raw = default_type == item.item_type && !item.typed;
        // How type word and compression go together is not known, so only raw values are compressed.
        let compressed = item.compressed && raw;
        let mut value = if raw { Vec::new() } else { item.item_type.0.to_le_bytes().to_vec() };
        value.extend_from_slice(&item.value);
        if compressed {
            value = cx::encode_item(&value);
        }
        let length =
            u16::try_from(value.len()).map_err(|_| ForgeError::Value { name: item.name.to_string() })?;
        let mut entry = [0; ITEM_BYTES];
        entry.put_u16(0, name);
        let form = (u16::from(raw) * RAW_VALUE) | (u16::from(compressed) * COMPRESSED_VALUE);
        entry.put_u16(2, item.flags.0 | form);
        entry.put_u16(4, length);
        entry.put_u8(6, duplicate);
        entry.put_u8(7, 1);
        self.item_table.extend_from_slice(&entry);
        let part = if item.flags.has(ItemFlags::SUMMARY) { &mut self.summary } else { &mut self.non_summary };
        part.extend_from_slice(&value);
        Ok(())
    }

    /// The non-summary data with the head that it has outside the note record.
    pub fn headed_non_summary(&self) -> Vec<u8> {
        let size = (NON_SUMMARY_HEAD_BYTES + self.non_summary.len()) as u32;
        let mut data = vec![0; NON_SUMMARY_HEAD_BYTES];
        data.put_u16(0, 0x0010);
        data.put_u32(2, size);
        data.put(6, &self.header[6..30]); // Note id, UNID, sequence.
        data.put(30, &self.header[42..50]);
        data.put(38, &self.header[42..50]);
        data.put_u32(46, size);
        data.extend_from_slice(&self.non_summary);
        data
    }

    /// The record with its non-summary data elsewhere (or without any).
    pub fn record(&self, non_summary_id: u32, non_summary_bytes: u32) -> Vec<u8> {
        let mut record = [&self.header[..], &self.item_table, &self.summary].concat();
        record.put_u32(56, non_summary_id);
        record.put_u32(60, non_summary_bytes);
        padded(record)
    }

    /// The record that ends with its own non-summary data.
    pub fn inline_record(&self) -> Vec<u8> {
        let mut record = [&self.header[..], &self.item_table, &self.summary].concat();
        let at = record.len() as u32;
        let status = u16::from_le_bytes([record[38], record[39]]) | NoteStatus::INLINE_NON_SUMMARY.0;
        record.put_u16(38, status);
        record.put_u32(56, at);
        record.put_u32(60, self.non_summary.len() as u32);
        record.extend_from_slice(&self.non_summary);
        padded(record)
    }
}

fn padded(mut record: Vec<u8>) -> Vec<u8> {
    record.resize(record.len().next_multiple_of(4), 0);
    let size = record.len() as u32;
    record.put_u32(2, size);
    record
}

fn header(spec: &NoteSpec, id: NoteId) -> [u8; HEADER_BYTES] {
    let mut header = [0; HEADER_BYTES];
    put_identity(&mut header, spec.unid, id, spec.sequence, spec.sequence_time);
    header.put_u16(38, spec.status.0 | implied_status(&spec.items));
    header.put_u16(40, spec.class.0);
    header.put_time(42, spec.modified);
    header.put_u16(50, spec.items.len() as u16);
    header.put_u16(54, spec.responses);
    header.put_time(64, spec.modified);
    header.put_time(72, spec.added);
    header.put_u32(80, spec.parent.map_or(0, |parent| parent.0));
    header.put_u32(84, spec.sequence.saturating_add(1));
    header
}

fn implied_status(items: &[ItemSpec]) -> u16 {
    let objects = items.iter().any(|item| item.item_type == ItemType::OBJECT);
    let protected = items.iter().any(|item| item.flags.has(ItemFlags::PROTECTED));
    (u16::from(objects) * NoteStatus::HAS_OBJECTS.0) | (u16::from(protected) * STATUS_PROTECTED)
}

fn put_identity(record: &mut [u8], unid: Unid, id: NoteId, sequence: u32, sequence_time: Timedate) {
    record.put_u16(0, 0x0004);
    record.put_u32(6, id.0);
    record.put(10, &unid.to_stored());
    record.put_u32(26, sequence);
    record.put_time(30, sequence_time);
}

/// What remains of a deleted note.
pub(super) fn stub(unid: Unid, id: NoteId, class: NoteClass, sequence: u32, deleted: Timedate) -> Vec<u8> {
    let mut record = vec![0; STUB_BYTES];
    put_identity(&mut record, unid, id, sequence, deleted);
    record.put_u32(2, STUB_BYTES as u32);
    record.put_u16(38, NoteStatus::DELETED.0);
    record.put_u16(40, class.0);
    record.put_time(42, deleted);
    record
}
