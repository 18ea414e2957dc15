//! The record relocation vector: where each note id leads. Kept in buckets of 508 consecutive ids.

use super::fields::Fields;
use crate::notes::ids::NoteId;

pub(super) const BUCKET_BYTES: usize = 4096;
const HEADER_BYTES: usize = 32;
const ENTRIES: u32 = 508;
const ID_STEP: u32 = 4;
/// The first id of a database; every further bucket, of either kind, takes the next range.
const FIRST_ID: u32 = 0x106;

/// Documents have ids of data buckets; design notes, folders and objects those of non-data buckets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum IdKind {
    Data,
    NonData,
}

/// Where a note or an object lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// In units of 256 bytes.
    File(u32),
    /// A summary bucket and its slot, both from 1, and the non-summary bucket of the note or 0.
    Slot { bucket: u32, slot: u16, non_summary: u32 },
}

impl Place {
    fn stored(self) -> [u8; 8] {
        let mut entry = [0; 8];
        match self {
            Self::File(position) => entry.put_u32(0, position),
            Self::Slot { bucket, slot, non_summary } => {
                entry.put_u32(0, 1 << 31 | (non_summary >> 21) << 28 | bucket);
                entry.put_u32(4, non_summary << 11 | u32::from(slot));
            }
        }
        entry
    }
}

/// A bucket of one kind being filled, and where the finished ones are.
pub(super) struct RrvBucket {
    pub first: NoteId,
    used: u32,
    bytes: Vec<u8>,
}

impl RrvBucket {
    pub fn new(first: NoteId) -> Self {
        let mut bytes = vec![0xFF; BUCKET_BYTES];
        bytes[..HEADER_BYTES].fill(0);
        bytes.put(0, &[0x06, HEADER_BYTES as u8]);
        bytes.put_u32(6, first.0);
        bytes.put_u16(16, 0x0100);
        Self { first, used: 0, bytes }
    }

    pub fn is_full(&self) -> bool {
        self.used == ENTRIES
    }

    pub fn free(&self) -> u32 {
        ENTRIES - self.used
    }

    /// The id that [`RrvBucket::take`] gives next.
    pub fn next_id(&self) -> NoteId {
        NoteId(self.first.0 + ID_STEP * self.used)
    }

    pub fn last_id(&self) -> NoteId {
        NoteId(self.first.0 + ID_STEP * (ENTRIES - 1))
    }

    /// The next id; its entry stays empty until [`RrvBucket::set`].
    pub fn take(&mut self) -> NoteId {
        assert!(!self.is_full());
        let id = self.next_id();
        self.used += 1;
        id
    }

    /// Sets the entry of an id of this bucket.
    pub fn set(&mut self, id: NoteId, place: Place) {
        let index = (id.0 - self.first.0) / ID_STEP;
        assert!(index < self.used);
        self.bytes.put(HEADER_BYTES + 8 * index as usize, &place.stored());
    }

    /// The stored form. `previous` is the position of the bucket of this kind before it, or 0.
    pub fn stored(&self, previous: u32) -> Vec<u8> {
        let mut bytes = self.bytes.clone();
        bytes.put_u32(2, previous);
        bytes
    }
}

/// The first id of the bucket with this index, over both kinds.
pub(super) fn first_id_of(index: u32) -> NoteId {
    NoteId(FIRST_ID + index * ENTRIES * ID_STEP)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_follow_one_another() {
        assert_eq!([0, 1, 2].map(first_id_of), [NoteId(0x106), NoteId(0x8F6), NoteId(0x10E6)]);
        assert_eq!(RrvBucket::new(first_id_of(1)).last_id(), NoteId(4322));
    }

    #[test]
    fn entries_have_the_form_seen_in_databases() {
        let mut bucket = RrvBucket::new(NoteId(0x8F6));
        let ids = [bucket.take(), bucket.take(), bucket.take()];
        bucket.set(ids[0], Place::Slot { bucket: 1, slot: 5, non_summary: 1 });
        bucket.set(ids[1], Place::File(0x250));
        let bytes = bucket.stored(0x2E0);
        assert_eq!(bytes[..10], [6, 0x20, 0xE0, 2, 0, 0, 0xF6, 8, 0, 0]);
        assert_eq!(bytes[32..40], [1, 0, 0, 0x80, 5, 8, 0, 0]);
        assert_eq!(bytes[40..48], [0x50, 2, 0, 0, 0, 0, 0, 0]);
        assert_eq!(bytes[48..64], [0xFF; 16]);
        assert_eq!((bucket.next_id(), bucket.free()), (NoteId(0x902), 505));
    }

    #[test]
    fn large_bucket_numbers_are_split_over_both_words() {
        let stored = Place::Slot { bucket: 0x123456, slot: 0x7FF, non_summary: 0x65_4321 }.stored();
        let [a, b] = [0, 4].map(|at| u32::from_le_bytes(stored[at..at + 4].try_into().unwrap()));
        assert_eq!((a & 0xFF_FFFF, b & 0x7FF), (0x123456, 0x7FF));
        assert_eq!((a >> 7) & 0xE0_0000 | b >> 11, 0x65_4321);
    }
}
