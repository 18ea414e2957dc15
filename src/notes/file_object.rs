//! The descriptor in a `$FILE` item: what an attachment is called and where its bytes lie.
//!
//! Only the description; the bytes are an object of the database and come from the reader.

use super::bytes::Bytes;
use super::lmbcs;
use super::timedate::Timedate;
use super::value::{Text, ValueError};

/// How the bytes of an attachment are stored, as the descriptor says (it may be wrong; the data decides).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    None,
    Huffman,
    Lz1,
    Other(u16),
}

impl Compression {
    pub fn from_stored(word: u16) -> Self {
        match word {
            0 => Self::None,
            1 => Self::Huffman,
            2 => Self::Lz1,
            other => Self::Other(other),
        }
    }

    /// The stored word.
    pub fn code(self) -> u16 {
        match self {
            Self::None => 0,
            Self::Huffman => 1,
            Self::Lz1 => 2,
            Self::Other(word) => word,
        }
    }
}

/// The descriptor of a file object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileObject {
    /// The object that holds the bytes.
    pub object_id: u32,
    /// The name inside the note; rich text may show another one.
    pub name: Text,
    pub host: u16,
    pub compression: Compression,
    pub attributes: u16,
    pub flags: u16,
    /// Size in bytes after decompression.
    pub size: u32,
    pub created: Timedate,
    pub modified: Timedate,
}

impl FileObject {
    /// The object type that marks a file in an OBJECT item.
    pub const OBJECT_TYPE: u16 = 0;
    /// The body belongs to a MIME part and is no attachment of its own.
    pub const FLAG_MIME_PART: u16 = 0x0004;
    /// A hotspot in the rich text shows the file.
    pub const FLAG_IN_DOCUMENT: u16 = 0x0002;

    /// Decodes what follows the object type and id.
    ///
    /// # Errors
    /// [`ValueError`] if the descriptor or the name is cut.
    pub fn decode(object_id: u32, stored: &[u8]) -> Result<Self, ValueError> {
        let mut bytes = Bytes::new(stored, "file descriptor");
        let name_length = usize::from(bytes.u16()?);
        let host = bytes.u16()?;
        let compression = Compression::from_stored(bytes.u16()?);
        let (attributes, flags, size) = (bytes.u16()?, bytes.u16()?, bytes.u32()?);
        let (created, modified) = (bytes.timedate()?, bytes.timedate()?);
        let name = Text::decode(bytes.take(name_length)?);
        Ok(Self { object_id, name, host, compression, attributes, flags, size, created, modified })
    }

    /// The whole stored value: object type and id, then what [`FileObject::decode`] takes. A name that is too long for
    /// its length ends early.
    pub fn encode(&self) -> Vec<u8> {
        let mut name = lmbcs::encode(&self.name.text);
        name.truncate(usize::from(u16::MAX));
        let mut value = Self::OBJECT_TYPE.to_le_bytes().to_vec();
        value.extend_from_slice(&self.object_id.to_le_bytes());
        for word in [name.len() as u16, self.host, self.compression.code(), self.attributes, self.flags] {
            value.extend_from_slice(&word.to_le_bytes());
        }
        value.extend_from_slice(&self.size.to_le_bytes());
        value.extend_from_slice(&self.created.to_stored());
        value.extend_from_slice(&self.modified.to_stored());
        value.append(&mut name);
        value
    }

    /// Whether the bytes are the body of a MIME part (also when only the host code of streams says so).
    pub fn is_mime_body(&self) -> bool {
        self.flags & Self::FLAG_MIME_PART != 0
    }
}
