//! The maps from bucket numbers to places: descriptor pages, the newest in the superblock, full ones outside it.

use super::bucket::SealedBucket;
use super::fields::Fields;
use super::nibbles;
use crate::notes::timedate::Timedate;

const SUMMARY_BYTES: usize = 14;
const NON_SUMMARY_BYTES: usize = 6;
/// The part of a summary page in the superblock body, and where its descriptors begin.
const RESIDENT_BYTES: usize = 8206;
const RESIDENT_FIRST: usize = 224;
const RESIDENT_COUNT: usize = (RESIDENT_BYTES - RESIDENT_FIRST) / SUMMARY_BYTES;
/// A summary page of its own.
const PAGE_BYTES: usize = 8192;
const PAGE_FIRST: usize = 250;
const PAGE_COUNT: usize = 567;
const PAGE_SAVED_NIBBLES: usize = 22;
const PAGE_FIRST_PROTECTED: usize = 0x28;
const NON_SUMMARY_PAGE_BYTES: usize = 8198;
const NON_SUMMARY_FIRST: usize = 70;
/// One page is all that is known for certain, and 1,348 of its descriptors.
const NON_SUMMARY_COUNT: usize = 1348;
/// Seen in every page and group record: a size class of free space.
const GROUP_FREE: u8 = 0xF8;

/// The summary buckets of a database, of which only the newest are held in memory.
#[derive(Default)]
pub(super) struct SummaryMap {
    resident: Vec<[u8; SUMMARY_BYTES]>,
    pages: Vec<[u8; SUMMARY_BYTES]>,
    newest: Timedate,
}

impl SummaryMap {
    pub fn resident_count(&self) -> u32 {
        self.resident.len() as u32
    }

    /// Pages in all, the resident one too.
    pub fn page_count(&self) -> u32 {
        self.pages.len() as u32 + 1
    }

    /// Notes where a bucket was written. When the resident page overflows this gives a page that the caller must
    /// write and report with [`SummaryMap::page_written`].
    #[must_use]
    pub fn push(&mut self, position: u32, bucket: &SealedBucket) -> Option<Vec<u8>> {
        let overflow = (self.resident.len() == RESIDENT_COUNT).then(|| self.take_page());
        self.resident.push(describe(position, bucket));
        self.newest = bucket.newest;
        overflow
    }

    fn take_page(&mut self) -> Vec<u8> {
        let mut page = vec![0; PAGE_BYTES];
        for (index, descriptor) in self.resident.drain(..PAGE_COUNT).enumerate() {
            page.put(PAGE_FIRST + SUMMARY_BYTES * index, &descriptor);
        }
        let check = (self.pages.len() as u8).wrapping_mul(3) + 9;
        let saved = nibbles::pack(&nibbles::protect(&mut page, PAGE_FIRST_PROTECTED, check));
        page.put(PAGE_SAVED_NIBBLES, &saved);
        page
    }

    pub fn page_written(&mut self, position: u32) {
        let mut entry = [0; SUMMARY_BYTES];
        entry.put_u32(0, position);
        entry.put_time(4, self.newest);
        entry.put_u8(12, GROUP_FREE);
        self.pages.push(entry);
    }

    /// The part of the superblock body: the index of the pages outside, then the resident page.
    pub fn stored(&self) -> Vec<u8> {
        let mut stored = self.pages.concat();
        let start = stored.len();
        stored.resize(start + RESIDENT_BYTES, 0);
        let page = &mut stored[start..];
        for record in [4, 14] {
            page.put_time(record, self.newest);
            page.put_u8(record + 8, GROUP_FREE);
        }
        for (index, descriptor) in self.resident.iter().enumerate() {
            page.put(RESIDENT_FIRST + SUMMARY_BYTES * index, descriptor);
        }
        stored
    }
}

fn describe(position: u32, bucket: &SealedBucket) -> [u8; SUMMARY_BYTES] {
    let mut descriptor = [0; SUMMARY_BYTES];
    descriptor.put_u32(0, position);
    descriptor.put_time(4, bucket.newest);
    descriptor.put_u8(12, size_class(bucket));
    descriptor.put_u8(13, free_class(bucket));
    descriptor
}

fn size_class(bucket: &SealedBucket) -> u8 {
    (bucket.bytes.len().ilog2() - 10) as u8
}

fn free_class(bucket: &SealedBucket) -> u8 {
    (bucket.free_bytes / 256) as u8
}

/// The non-summary buckets, which must fit one page.
#[derive(Default)]
pub(super) struct NonSummaryMap(Vec<[u8; NON_SUMMARY_BYTES]>);

impl NonSummaryMap {
    pub fn count(&self) -> u32 {
        self.0.len() as u32
    }

    /// Whether one more bucket may be opened while one is being filled.
    pub fn has_room(&self) -> bool {
        self.0.len() + 1 < NON_SUMMARY_COUNT
    }

    pub fn push(&mut self, position: u32, bucket: &SealedBucket) {
        let mut descriptor = [0; NON_SUMMARY_BYTES];
        descriptor.put_u32(0, position);
        descriptor.put_u8(4, size_class(bucket));
        descriptor.put_u8(5, free_class(bucket));
        self.0.push(descriptor);
    }

    pub fn stored(&self) -> Vec<u8> {
        let mut page = vec![0; NON_SUMMARY_PAGE_BYTES];
        page.put(4, &[0x80, 0, 0x80, 0]);
        for (index, descriptor) in self.0.iter().enumerate() {
            page.put(NON_SUMMARY_FIRST + NON_SUMMARY_BYTES * index, descriptor);
        }
        page
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bucket() -> SealedBucket {
        SealedBucket { bytes: vec![0; 8192], newest: Timedate([7, 0x25_8000]), free_bytes: 700 }
    }

    #[test]
    fn the_571st_bucket_moves_567_to_a_page_outside() {
        let mut map = SummaryMap::default();
        for position in 1..=570u32 {
            assert!(map.push(position * 0x11, &bucket()).is_none());
        }
        let mut page = map.push(571 * 0x11, &bucket()).expect("a page");
        map.page_written(0x1234);
        assert_eq!((map.resident_count(), map.page_count()), (4, 2));
        for (sector, at) in (0x28..PAGE_BYTES).step_by(512).enumerate() {
            let saved = page[22 + sector / 2];
            page[at] = page[at] & 0xF0 | if sector % 2 == 0 { saved >> 4 } else { saved & 15 };
        }
        let descriptor = |page: &[u8], at: usize| u32::from_le_bytes(page[at..at + 4].try_into().unwrap());
        for number in 1..=567 {
            assert_eq!(descriptor(&page, 250 + 14 * (number - 1)), number as u32 * 0x11);
        }
        let body = map.stored();
        assert_eq!(body.len(), 14 + 8206);
        assert_eq!(descriptor(&body, 0), 0x1234);
        assert_eq!(descriptor(&body, 14 + 224), 568 * 0x11);
        assert_eq!(body[14 + 224 + 12..14 + 224 + 14], [3, 2]);
    }
}
