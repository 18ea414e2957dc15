//! The file header: version, identity, title, and where superblock, bucket descriptor block and RRV buckets lie.

use super::file::DatabaseFile;
use super::view::{Damage, FilePosition, View};
use crate::notes::ids::{NoteId, ReplicaId};
use crate::notes::timedate::Timedate;
use crate::notes::value::Text;

/// Bytes from the start of the file that the header may use: two bytes of signature, four of size, 1,024 of header.
pub const HEADER_BYTES: u64 = 1030;

/// A position with the number of bytes there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extent {
    pub position: FilePosition,
    pub bytes: u32,
}

/// The header of a database file.
#[derive(Clone, Debug)]
pub struct Header {
    /// The on-disk structure version.
    pub ods: u32,
    pub created: Timedate,
    pub class: u16,
    pub replica_id: ReplicaId,
    pub title: String,
    pub categories: String,
    /// The template that this database is, and the one it inherits from.
    pub template: String,
    pub inherits_from: String,
    pub rrv_bucket_bytes: u32,
    pub non_data_rrv: FilePosition,
    pub data_rrv: FilePosition,
    /// Default notes by class bit and well-known objects.
    special_ids: Vec<NoteId>,
    pub superblocks: [Extent; 4],
    pub bdbs: [Extent; 2],
    /// The state byte of local encryption; leftover memory in some plain files.
    pub local_encryption: u8,
}

impl Header {
    /// The index of the object that lists unread lists and other named objects, among the special ids.
    const NAMED_OBJECTS: usize = 28;

    /// The object that holds the access control list, among the special ids (found so in all of 84 public databases).
    const ACCESS_LIST: usize = 16;

    /// Reads and checks the header.
    ///
    /// # Errors
    /// [`Damage`] if this is no Notes database or the file ends inside the header.
    pub fn read(file: &DatabaseFile) -> Result<Self, Damage> {
        let bytes = file.read(0, HEADER_BYTES.min(file.len()), "header")?;
        let view = View::new(&bytes, "database header");
        view.expect_signature([0x1A, 0x00])?;
        let ods = view.u32(6)?;
        // The header has 1,024 bytes up to ODS 52 and 2,048 from ODS 53 on.
        if !(1..=0xFF).contains(&ods) || !(1024..=0x10000).contains(&view.u32(2)?) {
            return Err(Damage(format!("the header is not that of a Notes database (version {ods})")));
        }
        let [title, categories, template, inherits_from] = split_info(view.slice(200, 128)?);
        let special_ids = (0..46).map(|k| view.u32(328 + 4 * k).map(NoteId)).collect::<Result<_, _>>()?;
        let position = |at| view.u32(at).map(FilePosition);
        let mut superblocks = [Extent::default(); 4];
        for (k, extent) in superblocks.iter_mut().enumerate() {
            *extent = Extent { position: position(560 + 8 * k)?, bytes: view.u32(564 + 8 * k)? };
        }
        let mut bdbs = [Extent::default(); 2];
        for (k, extent) in bdbs.iter_mut().enumerate() {
            *extent = Extent { bytes: view.u32(624 + 8 * k)?, position: position(628 + 8 * k)? };
        }
        Ok(Self {
            ods,
            created: view.timedate(10)?,
            class: view.u16(42)?,
            replica_id: ReplicaId::from_innards(view.timedate(180)?.0),
            title,
            categories,
            template,
            inherits_from,
            rrv_bucket_bytes: u32::from(view.u16(76)?),
            non_data_rrv: position(20)?,
            data_rrv: position(62)?,
            special_ids,
            superblocks,
            bdbs,
            local_encryption: view.u8(646)?,
        })
    }

    /// The object that leads to the unread lists; `None` if there is none.
    pub fn named_objects(&self) -> Option<NoteId> {
        self.special_id(Self::NAMED_OBJECTS)
    }

    /// The object that holds the access control list; `None` if there is none.
    pub fn access_list(&self) -> Option<NoteId> {
        self.special_id(Self::ACCESS_LIST)
    }

    fn special_id(&self, index: usize) -> Option<NoteId> {
        self.special_ids.get(index).copied().filter(|id| id.0 != 0)
    }

    /// What kind of file the class word says this is.
    pub fn kind(&self) -> &'static str {
        match self.class {
            0xFF04 => "template",
            0xFF0C => "object store",
            _ => "database",
        }
    }

    /// The release of Notes that introduced this on-disk structure.
    pub fn release(&self) -> &'static str {
        match self.ods {
            0..=17 => "R1 to R3",
            18..=20 => "R4",
            21..=41 => "R5",
            42 | 43 => "6 or 7",
            44..=48 => "8.0",
            49..=51 => "8.5",
            52 => "9.0.1",
            53 | 54 => "10 or 11",
            _ => "12 or later",
        }
    }
}

/// Title, categories, template name and inherited template of the info buffer: lines, the last two marked by `#1` and
/// `#2`.
fn split_info(buffer: &[u8]) -> [String; 4] {
    let end = buffer.iter().position(|&byte| byte == 0).unwrap_or(buffer.len());
    let text = Text::decode(&buffer[..end]).text;
    let mut fields: [String; 4] = Default::default();
    for (k, line) in text.split('\n').enumerate() {
        match (k, line.get(..2)) {
            (_, Some("#1")) => fields[2] = line[2..].to_owned(),
            (_, Some("#2")) => fields[3] = line[2..].to_owned(),
            (0 | 1, _) => fields[k] = line.to_owned(),
            _ => {}
        }
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_info_buffer_has_four_lines() {
        let mut buffer = b"Jane's mail\nMail\n#1StdR9Mail\n#2StdR8Mail".to_vec();
        buffer.resize(128, 0);
        assert_eq!(split_info(&buffer), ["Jane's mail", "Mail", "StdR9Mail", "StdR8Mail"]);
        assert_eq!(split_info(b"Plain\0rest")[0], "Plain");
    }

    #[test]
    fn a_text_file_is_no_database() {
        let error = Header::read(&DatabaseFile::memory(b"Dear Sir, \n".repeat(200))).unwrap_err();
        assert!(error.0.contains("44 65"), "{error}");
        assert!(Header::read(&DatabaseFile::memory(Vec::new())).is_err());
        assert!(Header::read(&DatabaseFile::memory(vec![0x1A, 0, 0, 4, 0, 0, 43])).is_err());
    }
}
