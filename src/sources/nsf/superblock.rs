//! The superblock: maps of the buckets, the newest RRV bucket, the list of live documents, the folder directory.
//!
//! A file keeps up to four copies; the one with the highest write count counts. What does not fit into the superblock
//! (descriptor pages of large files) lies in pages of its own.

use super::cx;
use super::file::DatabaseFile;
use super::header::Header;
use super::view::{Damage, FilePosition, View};
use crate::notes::id_table::IdTable;

const HEADER_BYTES: usize = 100;
const FOOTER_BYTES: usize = 12;
/// The largest body that is accepted, far above the 64 KiB of real ones.
const LARGEST_BODY: usize = 64 << 20;

/// What the reader needs of a superblock.
#[derive(Default)]
pub struct Superblock {
    pub write_count: u32,
    /// File positions of summary and non-summary buckets; index 0 is bucket 1.
    pub summary: Vec<FilePosition>,
    pub non_summary: Vec<FilePosition>,
    /// Several non-summary pages: their layout is not confirmed, so a scan has to check the map.
    pub unsure_non_summary: bool,
    /// The newest copy of the last data RRV bucket.
    pub rrv_bucket: Option<Vec<u8>>,
    /// The ids of all live documents; `None` if the table cannot be read.
    pub documents: Option<IdTable>,
    /// A newer copy is damaged, so what was written last is not in this one.
    pub outdated: bool,
    /// What could not be read of it.
    pub warnings: Vec<String>,
}

/// The sizes that the superblock's header gives for the parts of its body.
struct Parts {
    summary_buckets: usize,
    non_summary_buckets: usize,
    bitmaps: usize,
    rrv_bytes: usize,
    bitmap_bytes: usize,
    id_table_bytes: usize,
    summary_pages: usize,
    non_summary_pages: usize,
}

/// The shape of a descriptor page and of its entries.
struct PageShape {
    index_entry: usize,
    resident_bytes: usize,
    first_descriptor: usize,
    descriptor: usize,
}

const SUMMARY_PAGE: PageShape =
    PageShape { index_entry: 14, resident_bytes: 8206, first_descriptor: 224, descriptor: 14 };
const NON_SUMMARY_PAGE: PageShape =
    PageShape { index_entry: 6, resident_bytes: 8198, first_descriptor: 70, descriptor: 6 };

impl Superblock {
    /// Reads the newest copy that is whole.
    ///
    /// # Errors
    /// [`Damage`] if no copy can be read; the message is that of the last one tried.
    pub fn read(file: &DatabaseFile, header: &Header) -> Result<Self, Damage> {
        // A slot that was never used holds filler; only what has the signature is a copy.
        let positions = header.superblocks.iter().map(|extent| extent.position).filter(|p| p.0 != 0);
        let mut copies: Vec<_> = positions.filter_map(|position| read_head(file, position).ok()).collect();
        copies.sort_by_key(|(write_count, ..)| std::cmp::Reverse(*write_count));
        let mut last = None;
        for (write_count, position, stored) in copies {
            let block = file.read(position.bytes(), u64::from(stored), "superblock");
            match block.and_then(|block| Self::parse(file, &block, write_count)) {
                Ok(superblock) => return Ok(superblock.note_newer(last)),
                Err(damage) => last = Some(damage),
            }
        }
        Err(last.unwrap_or_else(|| Damage::new("the file has none")))
    }

    fn note_newer(mut self, damaged: Option<Damage>) -> Self {
        if let Some(damage) = damaged {
            self.outdated = true;
            self.warnings.push(format!("the newest superblock is damaged, an older one is used: {damage}"));
        }
        self
    }

    /// The highest write count of all copies, to see whether a file changes while it is read.
    pub fn newest_write_count(file: &DatabaseFile, header: &Header) -> Option<u32> {
        let positions = header.superblocks.iter().map(|extent| extent.position).filter(|p| p.0 != 0);
        positions.filter_map(|position| read_head(file, position).ok()).map(|(count, ..)| count).max()
    }

    fn parse(file: &DatabaseFile, block: &[u8], write_count: u32) -> Result<Self, Damage> {
        let view = View::new(block, "superblock");
        let size = |at| view.u32(at).map(|value| value as usize);
        let body_bytes = size(10)?;
        if body_bytes > LARGEST_BODY {
            return Err(Damage(format!("the superblock claims {body_bytes} bytes")));
        }
        let end = block.len().saturating_sub(FOOTER_BYTES).max(HEADER_BYTES);
        let stored = view.slice(HEADER_BYTES, end - HEADER_BYTES)?;
        let body = match view.u16(68)? {
            0 => stored.to_vec(),
            _ => cx::decompress_chain(stored, body_bytes)?,
        };
        let parts = Parts {
            summary_buckets: size(14)?,
            non_summary_buckets: size(18)?,
            bitmaps: size(22)?,
            rrv_bytes: size(26)?,
            bitmap_bytes: size(42)?,
            id_table_bytes: size(46)?,
            summary_pages: size(70)?,
            non_summary_pages: size(74)?,
        };
        let mut superblock = Self { write_count, ..Self::default() };
        superblock.read_body(file, &body, &parts)?;
        Ok(superblock)
    }

    fn read_body(&mut self, file: &DatabaseFile, body: &[u8], parts: &Parts) -> Result<(), Damage> {
        let view = View::new(body, "superblock body");
        let mut at = 0;
        if parts.summary_pages > 0 {
            let (pages, used) = index_entries(&view, at, parts.summary_pages, &SUMMARY_PAGE)?;
            at += used;
            for page in pages {
                self.read_summary_page(file, page);
            }
            let resident = view.slice(at, SUMMARY_PAGE.resident_bytes)?;
            self.summary.extend(descriptors(resident, parts.summary_buckets, &SUMMARY_PAGE)?);
            at += SUMMARY_PAGE.resident_bytes;
        }
        if parts.non_summary_pages > 0 {
            let (pages, used) = index_entries(&view, at, parts.non_summary_pages, &NON_SUMMARY_PAGE)?;
            at += used;
            self.unsure_non_summary = !pages.is_empty();
            if pages.is_empty() {
                let resident = view.slice(at, NON_SUMMARY_PAGE.resident_bytes)?;
                self.non_summary = descriptors(resident, parts.non_summary_buckets, &NON_SUMMARY_PAGE)?;
            }
            at += NON_SUMMARY_PAGE.resident_bytes;
        }
        at += parts.bitmaps.saturating_mul(20);
        if parts.rrv_bytes > 0 {
            self.rrv_bucket = Some(view.slice(at, parts.rrv_bytes)?.to_vec());
        }
        at = at.saturating_add(parts.rrv_bytes).saturating_add(parts.bitmap_bytes);
        if parts.id_table_bytes > 0 {
            let table = view.slice(at, parts.id_table_bytes);
            match table.and_then(|stored| IdTable::decode(stored).map_err(|e| Damage(e.to_string()))) {
                Ok(table) => self.documents = Some(table),
                Err(damage) => self.warnings.push(format!("the list of live documents is damaged: {damage}")),
            }
        }
        Ok(())
    }

    /// Adds the descriptors of a page outside the superblock; an unreadable one leaves its numbers empty, and the
    /// scan of the file finds those buckets.
    fn read_summary_page(&mut self, file: &DatabaseFile, position: FilePosition) {
        const DESCRIPTORS: usize = 567;
        match read_out_of_body_page(file, position, DESCRIPTORS) {
            Ok(found) => self.summary.extend(found),
            Err(damage) => {
                self.warnings.push(format!("a page of the bucket map is damaged: {damage}"));
                self.summary.extend([FilePosition::default(); DESCRIPTORS]);
            }
        }
    }
}

/// Write count, position and stored size of a superblock copy.
fn read_head(file: &DatabaseFile, position: FilePosition) -> Result<(u32, FilePosition, u32), Damage> {
    let head = file.read(position.bytes(), HEADER_BYTES as u64, "superblock")?;
    let view = View::new(&head, "superblock");
    view.expect_signature([0x0E, 0x00])?;
    let stored = view.u32(64)?;
    if position.bytes() + u64::from(stored) > file.len() || (stored as usize) < HEADER_BYTES + FOOTER_BYTES {
        return Err(Damage(format!("the superblock at {} is cut", position.bytes())));
    }
    Ok((view.u32(60)?, position, stored))
}

/// The positions of the pages outside the superblock, and the bytes that their index takes.
fn index_entries(
    view: &View<'_>,
    at: usize,
    pages: usize,
    shape: &PageShape,
) -> Result<(Vec<FilePosition>, usize), Damage> {
    let bytes = (pages - 1).saturating_mul(shape.index_entry);
    let index = View::new(view.slice(at, bytes)?, "page index");
    let positions = (0..pages - 1).map(|k| index.u32(k * shape.index_entry).map(FilePosition));
    Ok((positions.collect::<Result<_, _>>()?, bytes))
}

/// The bucket positions of a resident page: as many as the count says, at most as many as fit.
fn descriptors(page: &[u8], count: usize, shape: &PageShape) -> Result<Vec<FilePosition>, Damage> {
    let view = View::new(page, "descriptor page");
    let room = (page.len() - shape.first_descriptor) / shape.descriptor;
    let at = |k| view.u32(shape.first_descriptor + k * shape.descriptor).map(FilePosition);
    (0..count.min(room)).map(at).collect()
}

/// The descriptors of a page outside the superblock. Like buckets it has a check nibble in each sector; the true ones
/// lie in its header, forwards.
fn read_out_of_body_page(
    file: &DatabaseFile,
    position: FilePosition,
    count: usize,
) -> Result<Vec<FilePosition>, Damage> {
    const FIRST_DESCRIPTOR: usize = 250;
    const FIRST_CHECK: usize = 0x28;
    const SAVED_NIBBLES: usize = 22;
    let bytes = (FIRST_DESCRIPTOR + count * SUMMARY_PAGE.descriptor) as u64;
    let mut page = file.read(position.bytes(), bytes, "descriptor page")?;
    let saved: Vec<u8> = page[SAVED_NIBBLES..SAVED_NIBBLES + 8].to_vec();
    for (sector, at) in (FIRST_CHECK..page.len()).step_by(0x200).take(16).enumerate() {
        let nibbles = saved[sector >> 1];
        page[at] = page[at] & 0xF0 | if sector % 2 == 0 { nibbles >> 4 } else { nibbles & 15 };
    }
    let view = View::new(&page, "descriptor page");
    (0..count).map(|k| view.u32(FIRST_DESCRIPTOR + k * SUMMARY_PAGE.descriptor).map(FilePosition)).collect()
}
