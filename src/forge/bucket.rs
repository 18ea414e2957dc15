//! Buckets: blocks of 8 KiB and more that hold note records, or the large values of several notes, in slots.

use super::fields::Fields;
use super::nibbles;
use crate::notes::timedate::Timedate;

const HEADER_BYTES: usize = 66;
/// Slots start on multiples of four behind the header.
const FIRST_SLOT: usize = 68;
/// First byte with a check nibble.
const FIRST_PROTECTED: usize = 0x42;
const SLOT_ENTRY_BYTES: usize = 4;

/// What a bucket holds; the number is stored in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BucketKind {
    Summary = 1,
    NonSummary = 2,
}

impl BucketKind {
    /// References to slots have eleven bits in the one case and seven in the other.
    fn max_slots(self) -> usize {
        match self {
            Self::Summary => 0x7FF,
            Self::NonSummary => 0x7F,
        }
    }
}

/// A bucket being filled.
pub(super) struct Bucket {
    kind: BucketKind,
    /// Counted from 1 over all buckets of the kind.
    number: u32,
    bytes: Vec<u8>,
    end: usize,
    slots: Vec<(u16, u16)>,
    newest: Timedate,
}

/// A bucket ready to be written, and what its descriptor says.
pub(super) struct SealedBucket {
    pub bytes: Vec<u8>,
    pub newest: Timedate,
    pub free_bytes: usize,
}

impl Bucket {
    /// An empty bucket of `size` bytes, a power of two from 8 KiB to 32 KiB.
    pub fn new(kind: BucketKind, number: u32, size: usize, newest: Timedate) -> Self {
        Self { kind, number, bytes: vec![0; size], end: FIRST_SLOT, slots: Vec::new(), newest }
    }

    pub fn number(&self) -> u32 {
        self.number
    }

    /// The largest record that an empty bucket of `size` bytes takes.
    pub fn capacity(size: usize) -> usize {
        size - footer_bytes(size) - SLOT_ENTRY_BYTES - FIRST_SLOT
    }

    pub fn fits(&self, record: &[u8]) -> bool {
        self.slots.len() < self.kind.max_slots()
            && self.end + record.len() + SLOT_ENTRY_BYTES <= self.table_start()
    }

    fn table_start(&self) -> usize {
        self.bytes.len() - footer_bytes(self.bytes.len()) - SLOT_ENTRY_BYTES * self.slots.len()
    }

    /// Puts a record that fits and returns its slot, counted from 1.
    pub fn add(&mut self, record: &[u8], time: Timedate) -> u16 {
        assert!(self.fits(record));
        self.bytes.put(self.end, record);
        self.slots.push((self.end as u16, record.len() as u16));
        self.end = (self.end + record.len()).next_multiple_of(4);
        if time.order() > self.newest.order() {
            self.newest = time;
        }
        self.slots.len() as u16
    }

    /// Header, slot table and check nibbles.
    pub fn seal(mut self) -> SealedBucket {
        let size = self.bytes.len();
        let footer = footer_bytes(size);
        for (index, (offset, length)) in self.slots.iter().enumerate() {
            let entry = size - footer - SLOT_ENTRY_BYTES * (index + 1);
            self.bytes.put_u16(entry, *offset);
            self.bytes.put_u16(entry + 2, *length);
        }
        let used: usize = self.slots.iter().map(|(_, length)| usize::from(*length)).sum();
        let free_bytes = self.table_start() - FIRST_SLOT - used;
        self.put_header(free_bytes);
        let check = (self.number.wrapping_mul(7) + self.kind as u32 * 5 + 1) as u8;
        let mut saved = nibbles::pack(&nibbles::protect(&mut self.bytes, FIRST_PROTECTED, check));
        saved.resize(footer, 0);
        saved.reverse();
        self.bytes.put(size - footer, &saved);
        SealedBucket { bytes: self.bytes, newest: self.newest, free_bytes }
    }

    fn put_header(&mut self, free_bytes: usize) {
        let size = self.bytes.len();
        let header = &mut self.bytes[..HEADER_BYTES];
        header.put(0, &[0x02, 0x42]);
        header.put_u32(2, self.number - 1);
        header.put_u32(6, size as u32);
        header.put_time(10, self.newest);
        header.put_u16(38, self.kind as u16);
        header.put_u16(40, self.end as u16);
        header.put_u16(42, free_bytes as u16);
        header.put_u32(44, self.slots.len() as u32);
        header.put_u32(50, footer_bytes(size) as u32);
        header.put_u16(60, 0x0100);
    }
}

/// One saved nibble for each sector.
fn footer_bytes(size: usize) -> usize {
    size / nibbles::SECTOR_BYTES / 2
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Puts the true nibbles back, as the format says: backwards from the last byte, high nibble first.
    fn restore(bytes: &mut [u8]) {
        let size = bytes.len();
        for (sector, at) in (0x42..size).step_by(512).enumerate() {
            let saved = bytes[size - 1 - sector / 2];
            let nibble = if sector % 2 == 0 { saved >> 4 } else { saved & 15 };
            bytes[at] = bytes[at] & 0xF0 | nibble;
        }
    }

    #[test]
    fn records_come_back_from_their_slots() {
        let records: Vec<Vec<u8>> =
            (0..7u8).map(|k| (0..900u32).map(|j| (j as u8).wrapping_mul(k)).collect()).collect();
        let mut bucket = Bucket::new(BucketKind::Summary, 3, 8192, Timedate([1, 0x25_0000]));
        let slots: Vec<u16> = records.iter().map(|r| bucket.add(r, Timedate([2, 0x25_0001]))).collect();
        assert_eq!(slots, [1, 2, 3, 4, 5, 6, 7]);
        let mut bytes = bucket.seal().bytes;
        let checks: Vec<u8> = bytes[0x42..].iter().step_by(512).map(|b| b & 15).collect();
        assert!(checks.iter().all(|c| *c == checks[0]) && checks.len() == 16);
        restore(&mut bytes);
        for (k, record) in records.iter().enumerate() {
            let entry = 8192 - 8 - 4 * (k + 1);
            let word = |at: usize| usize::from(u16::from_le_bytes([bytes[at], bytes[at + 1]]));
            assert_eq!(&bytes[word(entry)..word(entry) + word(entry + 2)], record);
        }
        assert_eq!((bytes[2], bytes[38], &bytes[10..14]), (2, 1, &[2, 0, 0, 0][..]));
    }

    #[test]
    fn a_bucket_takes_its_capacity_and_no_more() {
        for size in [8192, 16384, 32768] {
            let bucket = Bucket::new(BucketKind::NonSummary, 1, size, Timedate::default());
            assert!(bucket.fits(&vec![0; Bucket::capacity(size)]));
            assert!(!bucket.fits(&vec![0; Bucket::capacity(size) + 1]));
        }
    }

    #[test]
    fn slots_end_where_references_do() {
        let mut bucket = Bucket::new(BucketKind::NonSummary, 1, 32768, Timedate::default());
        for _ in 0..0x7F {
            bucket.add(&[0; 8], Timedate::default());
        }
        assert!(!bucket.fits(&[0; 8]));
    }
}
