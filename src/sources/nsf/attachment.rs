//! The bytes of `$FILE` items: found, unpacked by what the data shows, and handed on as blobs.
//!
//! The descriptor's compression word can be wrong, so it never decides: data of exactly the file's size is stored as it
//! is; else Huffman counts if tree, size and checksum fit; else CX (called LZ1) if the size is exact.

use super::cx;
use super::database::Database;
use super::huffman::{self, HEAD_BYTES, Tree};
use super::object::{ObjectRecord, RangeReader};
use super::view::Damage;
use crate::base::limits::ATTACHMENT_IN_MEMORY_BYTES;
use crate::model::blob::{Blob, OpenBlob};
use crate::model::content::FileBody;
use crate::model::loss::{Loss, LossKind};
use crate::notes::file_object::{Compression, FileObject};
use crate::notes::ids::NoteId;
use std::io::{self, BufReader, Read};
use std::sync::Arc;

/// How the stored bytes turned out to be packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packing {
    Stored,
    Huffman,
    Lz1Chain,
    Lz1Stream,
}

/// An attachment that stays in the database.
struct StoredFile {
    database: Arc<Database>,
    record: ObjectRecord,
    size: u64,
    packing: Packing,
}

impl OpenBlob for StoredFile {
    fn open(&self) -> io::Result<Box<dyn Read + Send + '_>> {
        open(&self.database, self.record, self.size, self.packing)
    }
}

/// Reads the body of a file: into memory if it is small, checked and left in place if it is large.
pub fn read_body(database: &Arc<Database>, descriptor: &FileObject) -> FileBody {
    let lost =
        |kind, why: String| FileBody::Lost(Loss::new(kind, format!("{}: {why}", descriptor.name.text)));
    let record = match ObjectRecord::find(database, NoteId(descriptor.object_id)) {
        Ok(record) => record,
        Err(damage) => return lost(LossKind::AttachmentMissing, damage.0),
    };
    if record.data_bytes == 0 && descriptor.size > 0 {
        let daos = record.daos_name(database).map_or(String::new(), |name| format!(" as {name}.nlo"));
        return lost(LossKind::AttachmentExternal, format!("its bytes are kept outside the database{daos}"));
    }
    match unpack(database, record, u64::from(descriptor.size)) {
        Ok(blob) => FileBody::Read(blob),
        Err(damage) if descriptor.compression == Compression::None => {
            lost(LossKind::AttachmentMissing, damage.0)
        }
        Err(damage) => lost(LossKind::AttachmentCompressed, damage.0),
    }
}

/// Tries the packings in order of certainty. Whatever is accepted has been read once from end to end.
fn unpack(database: &Arc<Database>, record: ObjectRecord, size: u64) -> Result<Blob, Damage> {
    if record.data_bytes == size {
        return blob(database, record, size, Packing::Stored);
    }
    let mut last = Damage::new("no way to unpack it fits");
    for packing in [Packing::Huffman, Packing::Lz1Chain, Packing::Lz1Stream] {
        match blob(database, record, size, packing) {
            Ok(blob) => return Ok(blob),
            Err(damage) if packing == Packing::Huffman => last = damage,
            Err(_) => {}
        }
    }
    Err(last)
}

fn blob(database: &Arc<Database>, record: ObjectRecord, size: u64, packing: Packing) -> Result<Blob, Damage> {
    let damage = |error: io::Error| Damage(error.to_string());
    let mut reader = open(database, record, size, packing).map_err(damage)?.take(size + 1);
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
    let file = StoredFile { database: database.clone(), record, size, packing };
    Ok(Blob::stored(size, &head, Arc::new(file)))
}

fn check_size(found: u64, size: u64) -> Result<(), Damage> {
    if found == size {
        return Ok(());
    }
    Err(Damage(format!("it has {size} bytes by its description and {found} in the file")))
}

fn open(
    database: &Database,
    record: ObjectRecord,
    size: u64,
    packing: Packing,
) -> io::Result<Box<dyn Read + Send + '_>> {
    let wrong = |damage: Damage| io::Error::new(io::ErrorKind::InvalidData, damage.0);
    let range = |skip: u64| RangeReader::new(database, record.data_at + skip, record.data_bytes - skip);
    match packing {
        Packing::Stored => Ok(Box::new(range(0))),
        Packing::Huffman => {
            let mut reader = range(0);
            let mut stored = Vec::new();
            reader.by_ref().take(HEAD_BYTES as u64).read_to_end(&mut stored)?;
            let tree_bytes = Tree::parse_size(&stored).map_err(wrong)?;
            reader.by_ref().take(tree_bytes as u64).read_to_end(&mut stored)?;
            let tree = Tree::parse(&stored).map_err(wrong)?;
            Ok(Box::new(huffman::Decoder::new(reader, tree, size)))
        }
        Packing::Lz1Chain => Ok(Box::new(cx::ChainDecoder::new(BufReader::new(range(0))))),
        Packing::Lz1Stream => Ok(Box::new(cx::Decoder::new(BufReader::new(range(4.min(record.data_bytes)))))),
    }
}
