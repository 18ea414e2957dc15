//! Buckets: blocks of 8 to 64 KiB that hold notes (summary) or their larger values (non-summary) in slots.
//!
//! In each 512-byte sector of a bucket one byte has its low nibble replaced by a check value of the write. The true
//! nibbles lie in the footer and are put back here, before anything else reads the bucket.

use super::view::{Damage, View};
use crate::notes::timedate::Timedate;

/// Offset of the first protected byte, and the step to the next.
const FIRST_CHECK: usize = 0x42;
const SECTOR: usize = 0x200;
pub const BUCKET_HEADER_BYTES: usize = 0x42;

/// What a bucket holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum BucketKind {
    Summary,
    NonSummary,
}

/// What a bucket says of itself, so that a file can be read without any map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BucketHead {
    /// Counted from 1, apart for each kind.
    pub number: u32,
    pub kind: BucketKind,
    pub bytes: u32,
    pub written: Timedate,
    footer_bytes: usize,
    slots: usize,
}

impl BucketHead {
    pub const SIGNATURE: [u8; 2] = [0x02, 0x42];
    /// Sizes seen reach from 8 KiB to 0xF800; the step between them is a quarter of that.
    const SIZE_STEP: u32 = 2048;
    const LARGEST: u32 = 0x10000;

    /// Reads the head of a bucket.
    ///
    /// # Errors
    /// [`Damage`] unless signature, size, kind and footer are those of a bucket.
    pub fn parse(bytes: &[u8]) -> Result<Self, Damage> {
        let view = View::new(bytes, "bucket");
        view.expect_signature(Self::SIGNATURE)?;
        let size = view.u32(6)?;
        if size == 0 || !size.is_multiple_of(Self::SIZE_STEP) || size > Self::LARGEST {
            return Err(Damage(format!("a bucket has the impossible size {size}")));
        }
        let kind = match view.u16(38)? {
            1 => BucketKind::Summary,
            2 => BucketKind::NonSummary,
            other => return Err(Damage(format!("a bucket has the unknown kind {other}"))),
        };
        let head = Self {
            number: view.u32(2)?.wrapping_add(1),
            kind,
            bytes: size,
            written: view.timedate(10)?,
            footer_bytes: usize::from(view.u16(50)?),
            slots: view.u32(44)? as usize,
        };
        let sectors = (size as usize - FIRST_CHECK).div_ceil(SECTOR);
        let room = size as usize - BUCKET_HEADER_BYTES;
        if head.footer_bytes * 2 < sectors || head.footer_bytes + head.slots.saturating_mul(4) > room {
            return Err(Damage::new("a bucket has an impossible footer"));
        }
        Ok(head)
    }
}

/// A whole bucket with its bytes as they were before the write.
pub struct Bucket {
    pub head: BucketHead,
    /// Whether the sectors carry different check values: the write was torn.
    pub torn: bool,
    bytes: Vec<u8>,
}

impl Bucket {
    /// Takes the bytes of a bucket as read from the file and restores the protected nibbles.
    ///
    /// # Errors
    /// [`Damage`] if head or length are wrong.
    pub fn restore(mut bytes: Vec<u8>) -> Result<Self, Damage> {
        let head = BucketHead::parse(&bytes)?;
        if bytes.len() < head.bytes as usize {
            return Err(Damage::new("a bucket is cut by the end of the file"));
        }
        bytes.truncate(head.bytes as usize);
        let torn = restore_nibbles(&mut bytes);
        Ok(Self { head, torn, bytes })
    }

    /// The bytes of a slot, counted from 1.
    ///
    /// # Errors
    /// [`Damage`] if there is no such slot or it points outside.
    pub fn slot(&self, slot: u32) -> Result<&[u8], Damage> {
        let view = View::new(&self.bytes, "bucket");
        if slot == 0 || slot as usize > self.head.slots {
            return Err(Damage(format!("bucket {} has no slot {slot}", self.head.number)));
        }
        let entry = self.bytes.len() - self.head.footer_bytes - 4 * slot as usize;
        view.slice(usize::from(view.u16(entry)?), usize::from(view.u16(entry + 2)?))
    }

    /// All slots that hold something, with their numbers.
    pub fn slots(&self) -> impl Iterator<Item = (u32, &[u8])> {
        (1..=self.head.slots as u32).filter_map(|slot| Some((slot, self.slot(slot).ok()?)))
    }
}

/// Puts the nibbles back that the footer keeps, backwards from the last byte, high nibble first. Says whether the
/// check values differed.
fn restore_nibbles(bytes: &mut [u8]) -> bool {
    let last = bytes.len() - 1;
    let mut check = None;
    let mut torn = false;
    for (sector, at) in (FIRST_CHECK..bytes.len()).step_by(SECTOR).enumerate() {
        let saved = bytes[last - (sector >> 1)];
        let nibble = if sector % 2 == 0 { saved >> 4 } else { saved & 15 };
        torn |= *check.get_or_insert(bytes[at] & 15) != bytes[at] & 15;
        bytes[at] = bytes[at] & 0xF0 | nibble;
    }
    torn
}

/// The check values of the sectors of a bucket, read in place: all equal in a whole write.
pub fn sectors_agree(bytes: &[u8]) -> bool {
    let mut checks = (FIRST_CHECK..bytes.len()).step_by(SECTOR).map(|at| bytes[at] & 15);
    let first = checks.next();
    checks.all(|check| Some(check) == first)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bucket() -> Vec<u8> {
        let mut bytes = vec![0; 2048];
        bytes[..2].copy_from_slice(&BucketHead::SIGNATURE);
        bytes[2] = 4;
        bytes[6..10].copy_from_slice(&2048u32.to_le_bytes());
        bytes[38] = 1;
        bytes[44] = 1;
        bytes[50] = 8;
        bytes[2048 - 12..2048 - 8].copy_from_slice(&[0x42, 0, 3, 0]);
        for sector in 0..4 {
            bytes[FIRST_CHECK + sector * SECTOR] = 0x57; // The check value of this write is 7.
        }
        bytes[2047] = 0x12;
        bytes[2046] = 0x34;
        bytes
    }

    #[test]
    fn nibbles_come_back_from_the_footer() {
        let bucket = Bucket::restore(bucket()).unwrap();
        assert_eq!((bucket.head.number, bucket.torn), (5, false));
        assert_eq!(bucket.slot(1), Ok(&[0x51, 0, 0][..]));
        assert_eq!(bucket.bytes[FIRST_CHECK + 3 * SECTOR], 0x54);
        assert!(bucket.slot(0).is_err() && bucket.slot(2).is_err());
    }

    #[test]
    fn a_torn_write_is_seen() {
        let mut bytes = bucket();
        bytes[FIRST_CHECK + SECTOR] = 0x58;
        assert!(!sectors_agree(&bytes));
        assert!(Bucket::restore(bytes).unwrap().torn);
    }

    #[test]
    fn impossible_sizes_are_damage() {
        for (at, value) in [(6, 1), (6, 0), (38, 3), (50, 0)] {
            let mut bytes = bucket();
            bytes[at] = value;
            bytes[at + 1] = 0;
            assert!(Bucket::restore(bytes).is_err(), "{at}");
        }
        assert!(Bucket::restore(bucket()[..2000].to_vec()).is_err());
    }
}
