//! How Notes packs the bytes of attachments: told by what the data shows, never by a descriptor alone.
//!
//! Data of exactly the file's size is stored as it is; else Huffman counts if tree, size and checksum fit; else CX
//! (called LZ1) if the size is exact. Used for objects of databases and for the `filedata` of DXL.

use super::cx;
use super::huffman::{self, HEAD_BYTES, Tree};
use super::view::Damage;
use crate::base::limits::ATTACHMENT_IN_MEMORY_BYTES;
use crate::model::blob::{Blob, OpenBlob};
use std::io::{self, BufReader, Read};
use std::sync::Arc;

/// The packed bytes of an attachment, which can be read any number of times.
pub trait PackedBytes: Send + Sync {
    fn length(&self) -> u64;

    /// A reader of all bytes but the first `skip`.
    ///
    /// # Errors
    /// Whatever kept the first block from being read.
    fn open_from(&self, skip: u64) -> io::Result<Box<dyn Read + Send + '_>>;
}

/// How the stored bytes turned out to be packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Packing {
    Stored,
    Huffman,
    Lz1Chain,
    Lz1Stream,
}

/// An attachment that stays where it is stored.
struct PackedFile {
    packed: Arc<dyn PackedBytes>,
    size: u64,
    packing: Packing,
}

impl OpenBlob for PackedFile {
    fn open(&self) -> io::Result<Box<dyn Read + Send + '_>> {
        open(self.packed.as_ref(), self.size, self.packing)
    }
}

/// The file of `size` bytes: in memory if it is small, checked and left in place if it is large. Tries the packings in
/// order of certainty; whatever is accepted has been read once from end to end.
///
/// # Errors
/// [`Damage`] if no packing fits.
pub fn unpack(packed: &Arc<dyn PackedBytes>, size: u64) -> Result<Blob, Damage> {
    if packed.length() == size {
        return blob(packed, size, Packing::Stored);
    }
    let mut last = Damage::new("no way to unpack it fits");
    for packing in [Packing::Huffman, Packing::Lz1Chain, Packing::Lz1Stream] {
        match blob(packed, size, packing) {
            Ok(blob) => return Ok(blob),
            Err(damage) if packing == Packing::Huffman => last = damage,
            Err(_) => {}
        }
    }
    Err(last)
}

fn blob(packed: &Arc<dyn PackedBytes>, size: u64, packing: Packing) -> Result<Blob, Damage> {
    let damage = |error: io::Error| Damage(error.to_string());
    let mut reader = open(packed.as_ref(), size, packing).map_err(damage)?.take(size.saturating_add(1));
    if size <= ATTACHMENT_IN_MEMORY_BYTES {
        let mut bytes = Vec::new();
        reader.read_to_end(&mut bytes).map_err(damage)?;
        check_size(bytes.len() as u64, size)?;
        return Ok(Blob::memory(bytes));
    }
    let mut head = Vec::new();
    reader.by_ref().take(Blob::HEAD_BYTES as u64).read_to_end(&mut head).map_err(damage)?;
    if packing != Packing::Stored {
        // Stored bytes have the right length by their record; unpacked ones have to be counted and summed up.
        let rest = io::copy(&mut reader, &mut io::sink()).map_err(damage)?;
        check_size(head.len() as u64 + rest, size)?;
    }
    let file = PackedFile { packed: Arc::clone(packed), size, packing };
    Ok(Blob::stored(size, &head, Arc::new(file)))
}

fn check_size(found: u64, size: u64) -> Result<(), Damage> {
    if found == size {
        return Ok(());
    }
    Err(Damage(format!("it has {size} bytes by its description and {found} in the file")))
}

fn open(packed: &dyn PackedBytes, size: u64, packing: Packing) -> io::Result<Box<dyn Read + Send + '_>> {
    let wrong = |damage: Damage| io::Error::new(io::ErrorKind::InvalidData, damage.0);
    match packing {
        Packing::Stored => packed.open_from(0),
        Packing::Huffman => {
            let mut reader = packed.open_from(0)?;
            let mut stored = Vec::new();
            reader.by_ref().take(HEAD_BYTES as u64).read_to_end(&mut stored)?;
            let tree_bytes = Tree::parse_size(&stored).map_err(wrong)?;
            reader.by_ref().take(tree_bytes as u64).read_to_end(&mut stored)?;
            let tree = Tree::parse(&stored).map_err(wrong)?;
            Ok(Box::new(huffman::Decoder::new(reader, tree, size)))
        }
        Packing::Lz1Chain => Ok(Box::new(cx::ChainDecoder::new(BufReader::new(packed.open_from(0)?)))),
        Packing::Lz1Stream => {
            Ok(Box::new(cx::Decoder::new(BufReader::new(packed.open_from(4.min(packed.length()))?))))
        }
    }
}
