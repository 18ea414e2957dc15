//! The blocks that describe the whole database: bucket descriptor block and superblock, both compressed.

use super::cx;
use super::fields::Fields;
use crate::notes::item::ItemType;
use crate::notes::timedate::Timedate;
use std::collections::HashMap;

const BDB_HEADER_BYTES: usize = 66;
const SUPERBLOCK_HEADER_BYTES: usize = 100;
const FOOTER_BYTES: usize = 12;
pub(super) const BITMAP_DESCRIPTOR_BYTES: usize = 20;
const COMPRESSED_CX: u16 = 1;

/// The names of all items of a database, each with the type that its raw values have.
#[derive(Default)]
pub(super) struct NameTable {
    known: HashMap<String, u16>,
    entries: Vec<[u8; 10]>,
    types: Vec<ItemType>,
    text: Vec<u8>,
}

impl NameTable {
    /// The index of a name and its default type; a new name takes the type given. `None` when the table is full.
    pub fn index(&mut self, name: &str, item_type: ItemType) -> Option<(u16, ItemType)> {
        if let Some(index) = self.known.get(name) {
            return Some((*index, self.types[usize::from(*index)]));
        }
        let index = u16::try_from(self.entries.len()).ok()?;
        let mut entry = [0; 10];
        entry.put_u32(0, self.text.len() as u32);
        entry.put_u16(4, name.len() as u16);
        // Low byte type, high byte class.
        entry.put_u16(6, item_type.0);
        self.entries.push(entry);
        self.types.push(item_type);
        self.text.extend_from_slice(name.as_bytes());
        self.known.insert(name.to_owned(), index);
        Some((index, item_type))
    }

    /// The bucket descriptor block: the relocation buckets (as position with kind bit, and first id), then the names.
    pub fn stored(&self, rrv_buckets: &[[u32; 2]], time: Timedate, write_count: u32) -> Vec<u8> {
        let mut body: Vec<u8> =
            rrv_buckets.as_flattened().iter().flat_map(|word| word.to_le_bytes()).collect();
        body.extend_from_slice(self.entries.as_flattened());
        body.extend_from_slice(&(self.text.len() as u32).to_le_bytes());
        body.extend_from_slice(&self.text);
        let mut block = vec![0; BDB_HEADER_BYTES];
        block.put_u16(0, 0x0001);
        block.put_u16(2, 2);
        block.put_u16(4, COMPRESSED_CX);
        block.put_u32(6, body.len() as u32);
        block.put_u32(10, write_count);
        block.put_time(18, time);
        block.put_u32(26, self.entries.len() as u32);
        block.put_u32(30, 1);
        block.put_u32(34, self.text.len() as u32);
        block.put_u32(38, rrv_buckets.len() as u32);
        close(block, &body, 14, time)
    }
}

/// Appends the compressed body and the footer, and puts the whole size at `size_at`.
fn close(mut block: Vec<u8>, body: &[u8], size_at: usize, time: Timedate) -> Vec<u8> {
    let stored = cx::encode_chain(body);
    block.extend_from_slice(&stored);
    block.extend_from_slice(&time.to_stored());
    block.extend_from_slice(&checksum(&stored).to_le_bytes());
    let size = block.len() as u32;
    block.put_u32(size_at, size);
    block
}

/// The exclusive-or of the stored body, word by word. Seen in every superblock and descriptor block.
fn checksum(stored: &[u8]) -> u32 {
    stored.chunks(4).fold(0, |sum, chunk| {
        let mut word = [0; 4];
        word[..chunk.len()].copy_from_slice(chunk);
        sum ^ u32::from_le_bytes(word)
    })
}

/// What the superblock holds, in the order of its body.
pub(super) struct Superblock {
    pub time: Timedate,
    pub write_count: u32,
    pub summary_buckets: u32,
    pub summary_pages: u32,
    pub summary_map: Vec<u8>,
    pub non_summary_buckets: u32,
    /// Empty where the version has none.
    pub non_summary_map: Vec<u8>,
    pub bitmaps: u32,
    pub bitmap_map: Vec<u8>,
    /// The newest data bucket of the relocation vector, its position and first and last id.
    pub rrv: Vec<u8>,
    pub rrv_position: u32,
    pub rrv_ids: [u32; 2],
    pub bitmap: Vec<u8>,
    pub document_ids: Vec<u8>,
    pub modified_log: Vec<u8>,
    pub folder_directory: Vec<u8>,
}

impl Superblock {
    fn body(&self) -> Vec<u8> {
        let parts = [
            &self.summary_map,
            &self.non_summary_map,
            &self.bitmap_map,
            &self.rrv,
            &self.bitmap,
            &self.document_ids,
            &self.modified_log,
            &self.folder_directory,
        ];
        parts.map(|part| &part[..]).concat()
    }

    /// The size of [`Superblock::stored`] if nothing of it can be compressed, with `bitmaps` still to grow.
    pub fn stored_at_most(&self, bitmaps: usize) -> usize {
        let body = self.body().len() + bitmaps * BITMAP_DESCRIPTOR_BYTES;
        SUPERBLOCK_HEADER_BYTES + cx::encoded_at_most(body) + FOOTER_BYTES
    }

    pub fn stored(&self) -> Vec<u8> {
        let body = self.body();
        let mut block = vec![0; SUPERBLOCK_HEADER_BYTES];
        block.put_u16(0, 0x000E);
        block.put_time(2, self.time);
        block.put_u32(10, body.len() as u32);
        let counts = [self.summary_buckets, self.non_summary_buckets, self.bitmaps, self.rrv.len() as u32];
        let ids = [self.rrv_position, self.rrv_ids[0], self.rrv_ids[1]];
        let sizes = [&self.bitmap, &self.document_ids, &self.modified_log, &self.folder_directory];
        let words = counts.into_iter().chain(ids).chain(sizes.map(|part| part.len() as u32));
        for (index, word) in words.enumerate() {
            block.put_u32(14 + 4 * index, word);
        }
        block.put_u32(60, self.write_count);
        block.put_u16(68, COMPRESSED_CX);
        block.put_u32(70, self.summary_pages);
        block.put_u32(74, u32::from(!self.non_summary_map.is_empty()));
        block.put_u32(88, u32::MAX); // No bitmap of forms.
        close(block, &body, 64, self.time)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_keeps_its_first_type() {
        let mut names = NameTable::default();
        assert_eq!(names.index("Subject", ItemType::TEXT), Some((0, ItemType::TEXT)));
        assert_eq!(names.index("Form", ItemType::TEXT), Some((1, ItemType::TEXT)));
        assert_eq!(names.index("Subject", ItemType::TEXT_LIST), Some((0, ItemType::TEXT)));
    }

    #[test]
    fn the_checksum_is_over_words_and_pads_the_last() {
        assert_eq!(checksum(&[1, 2, 3, 4, 0x10]), 0x0403_0211);
    }
}
