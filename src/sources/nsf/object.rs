//! Objects: data that lies outside notes, such as attachments, folder contents and unread lists.

use super::database::Database;
use super::file::DatabaseFile;
use super::rrv::Place;
use super::view::{Damage, FilePosition, View};
use crate::notes::ids::NoteId;
use std::io::{self, Read};

/// An object record: where its data starts and how long it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ObjectRecord {
    /// Byte offset of the data in the file.
    pub data_at: u64,
    pub data_bytes: u64,
    /// The record carries the fields of ODS 51 and later, with the name under which DAOS would file the data.
    new_form: bool,
    position: FilePosition,
}

impl ObjectRecord {
    const HEAD_BYTES: u64 = 22;
    const NEW_HEAD_BYTES: u64 = 115;

    /// Finds an object by its id.
    ///
    /// # Errors
    /// [`Damage`] if there is no such object or its record reaches beyond the file.
    pub fn find(database: &Database, id: NoteId) -> Result<Self, Damage> {
        match database.place(id)? {
            Some(Place::File(position)) => Self::at(database, position),
            Some(Place::Bucket { .. }) => Err(Damage(format!("object {id} lies in a bucket of notes"))),
            None => Err(Damage(format!("object {id} is not in the file"))),
        }
    }

    fn at(database: &Database, position: FilePosition) -> Result<Self, Damage> {
        let file = database.file();
        let head = file.read(position.bytes(), Self::HEAD_BYTES, "object")?;
        let view = View::new(&head, "object");
        let (new_form, head_bytes) = match view.array(0)? {
            [0x07, 0x00] => (false, Self::HEAD_BYTES),
            [0x1B, 0x00] => (true, Self::NEW_HEAD_BYTES),
            [a, b] => return Err(Damage(format!("no object where one should be (found {a:02X} {b:02X})"))),
        };
        let size = u64::from(view.u32(2)?);
        if size < head_bytes || position.bytes() + size > file.len() {
            return Err(Damage(format!("an object of {size} bytes does not fit into the file")));
        }
        let data_at = position.bytes() + head_bytes;
        Ok(Self { data_at, data_bytes: size - head_bytes, new_form, position })
    }

    /// The data, for objects that are read as a whole; at most `limit` bytes.
    ///
    /// # Errors
    /// [`Damage`] if it is larger or cannot be read.
    pub fn read(&self, database: &Database, limit: u64) -> Result<Vec<u8>, Damage> {
        if self.data_bytes > limit {
            return Err(Damage(format!(
                "an object of {} bytes is larger than its kind may be",
                self.data_bytes
            )));
        }
        database.file().read(self.data_at, self.data_bytes, "object")
    }

    /// The 48 hexadecimal digits under which DAOS files the data, where the record has them.
    pub fn daos_name(&self, database: &Database) -> Option<String> {
        const NAME_AT: u64 = 24;
        if !self.new_form {
            return None;
        }
        let name = database.file().read(self.position.bytes() + NAME_AT, 48, "object").ok()?;
        let name = String::from_utf8(name).ok()?;
        name.bytes().all(|byte| byte.is_ascii_hexdigit()).then_some(name)
    }
}

/// Reads a range of a file in blocks.
pub struct RangeReader<'a> {
    file: &'a DatabaseFile,
    at: u64,
    left: u64,
}

impl<'a> RangeReader<'a> {
    pub fn new(file: &'a DatabaseFile, at: u64, bytes: u64) -> Self {
        Self { file, at, left: bytes }
    }
}

impl Read for RangeReader<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let wanted = usize::try_from(self.left).unwrap_or(usize::MAX).min(out.len());
        self.file.read_at(self.at, &mut out[..wanted])?;
        self.at += wanted as u64;
        self.left -= wanted as u64;
        Ok(wanted)
    }
}
