//! The bucket descriptor block (BDB): where the RRV buckets lie, and the table of item names.

use super::cx;
use super::file::DatabaseFile;
use super::header::{Extent, Header};
use super::view::{Damage, FilePosition, View};
use crate::notes::item::ItemType;
use crate::notes::value::Text;

const HEADER_BYTES: usize = 66;
const FOOTER_BYTES: usize = 12;
const LARGEST_BODY: usize = 256 << 20;

/// An item name with the type of values that do not carry their own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ItemName {
    pub name: String,
    pub default_type: ItemType,
}

/// A bucket of the record relocation vector (RRV), by its first id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RrvDescriptor {
    pub position: FilePosition,
    pub first_id: u32,
}

/// The decoded block.
#[derive(Default)]
pub struct BucketDescriptorBlock {
    pub rrv_buckets: Vec<RrvDescriptor>,
    pub names: Vec<ItemName>,
    /// What is wrong with a newer copy, where this is not the newest.
    pub newer_damage: Option<Damage>,
}

impl BucketDescriptorBlock {
    /// Reads the newer of the two copies, or the other one if it is damaged.
    ///
    /// # Errors
    /// [`Damage`] if neither can be read.
    pub fn read(file: &DatabaseFile, header: &Header) -> Result<Self, Damage> {
        let extents = header.bdbs.iter().filter(|extent| extent.position.0 != 0);
        let read = |extent: &Extent| {
            let block =
                file.read(extent.position.bytes(), u64::from(extent.bytes), "bucket descriptor block")?;
            check_head(block)
        };
        let mut copies: Vec<_> = extents.filter_map(|extent| read(extent).ok()).collect();
        copies.sort_by_key(|(write_count, _)| std::cmp::Reverse(*write_count));
        let mut newer_damage = None;
        for (_, block) in copies {
            match Self::parse(&block) {
                Ok(parsed) => return Ok(Self { newer_damage, ..parsed }),
                Err(damage) => newer_damage = Some(damage),
            }
        }
        Err(newer_damage.unwrap_or_else(|| Damage::new("the file has none")))
    }

    fn parse(block: &[u8]) -> Result<Self, Damage> {
        let view = View::new(block, "bucket descriptor block");
        let body_bytes = view.u32(6)? as usize;
        let stored_end = (view.u32(14)? as usize).min(block.len());
        let end = stored_end.saturating_sub(FOOTER_BYTES).max(HEADER_BYTES);
        let stored = view.slice(HEADER_BYTES, end - HEADER_BYTES)?;
        if body_bytes > LARGEST_BODY {
            return Err(Damage(format!("the bucket descriptor block claims {body_bytes} bytes")));
        }
        let body = match view.u16(4)? {
            0 => stored.to_vec(),
            _ => cx::decompress_chain(stored, body_bytes)?,
        };
        let (names, text_bytes, rrv_count) =
            (view.u32(26)? as usize, view.u32(34)? as usize, view.u32(38)? as usize);
        let body = View::new(&body, "bucket descriptor block body");
        Ok(Self {
            rrv_buckets: read_rrv_descriptors(&body, rrv_count)?,
            names: read_names(&body, rrv_count * 8, names, text_bytes)?,
            newer_damage: None,
        })
    }
}

fn check_head(block: Vec<u8>) -> Result<(u32, Vec<u8>), Damage> {
    let view = View::new(&block, "bucket descriptor block");
    view.expect_signature([0x01, 0x00])?;
    let write_count = view.u32(10)?;
    Ok((write_count, block))
}

fn read_rrv_descriptors(body: &View<'_>, count: usize) -> Result<Vec<RrvDescriptor>, Damage> {
    let table = View::new(body.slice(0, count.saturating_mul(8))?, "list of RRV buckets");
    let mut descriptors = Vec::with_capacity(count);
    for k in 0..count {
        // The lowest bit marks buckets of objects; their ids are looked up in the same way.
        let position = FilePosition(table.u32(8 * k)? & !1);
        descriptors.push(RrvDescriptor { position, first_id: table.u32(8 * k + 4)? });
    }
    Ok(descriptors)
}

fn read_names(body: &View<'_>, at: usize, count: usize, text_bytes: usize) -> Result<Vec<ItemName>, Damage> {
    let table = View::new(body.slice(at, count.saturating_mul(10))?, "item name table");
    let text_start = at + count * 10 + 4;
    let text = View::new(body.slice(text_start, text_bytes.min(body.len() - text_start))?, "item name text");
    let mut names = Vec::with_capacity(count);
    for k in 0..count {
        let (offset, length) = (table.u32(10 * k)? as usize, usize::from(table.u16(10 * k + 4)?));
        let default_type = ItemType(table.u16(10 * k + 6)?);
        // A name that points outside is lost, not the whole table.
        let name = text.slice(offset, length).map(|stored| Text::decode(stored).text);
        names.push(ItemName { name: name.unwrap_or_else(|_| format!("$Damaged{k}")), default_type });
    }
    Ok(names)
}
