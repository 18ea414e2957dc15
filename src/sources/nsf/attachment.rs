//! The bytes of `$FILE` items: found, unpacked by what the data shows, and handed on as blobs.

use super::daos::DaosFolders;
use super::database::Database;
use super::object::{ObjectRecord, RangeReader};
use super::packing::{PackedBytes, unpack};
use crate::model::content::FileBody;
use crate::model::loss::{Loss, LossKind};
use crate::notes::file_object::{Compression, FileObject};
use crate::notes::ids::NoteId;
use std::io::{self, Read};
use std::sync::Arc;

/// The data of an attachment, as it lies in the database.
struct StoredObject {
    database: Arc<Database>,
    record: ObjectRecord,
}

impl PackedBytes for StoredObject {
    fn length(&self) -> u64 {
        self.record.data_bytes
    }

    fn open_from(&self, skip: u64) -> io::Result<Box<dyn Read + Send + '_>> {
        let (at, length) = (self.record.data_at + skip, self.record.data_bytes - skip);
        Ok(Box::new(RangeReader::new(self.database.file(), at, length)))
    }
}

/// Whether the bytes of a file are kept outside the database.
pub fn has_external_body(database: &Database, descriptor: &FileObject) -> bool {
    let record = ObjectRecord::find(database, NoteId(descriptor.object_id));
    record.is_ok_and(|record| is_external(&record, descriptor))
}

fn is_external(record: &ObjectRecord, descriptor: &FileObject) -> bool {
    record.data_bytes == 0 && descriptor.size > 0
}

/// Reads the body of a file: into memory if it is small, checked and left in place if it is large. What the database
/// does not hold is taken from the server's folder of attachments, where there is one.
pub fn read_body(database: &Arc<Database>, descriptor: &FileObject, daos: Option<&DaosFolders>) -> FileBody {
    let lost =
        |kind, why: String| FileBody::Lost(Loss::new(kind, format!("{}: {why}", descriptor.name.text)));
    let record = match ObjectRecord::find(database, NoteId(descriptor.object_id)) {
        Ok(record) => record,
        Err(damage) => return lost(LossKind::AttachmentMissing, damage.0),
    };
    let packed: Arc<dyn PackedBytes> = if is_external(&record, descriptor) {
        let name = record.daos_name(database);
        match (daos, name.as_deref()) {
            (Some(daos), Some(name)) => match daos.find(name) {
                Ok(file) => Arc::new(file),
                Err(why) => {
                    return lost(LossKind::AttachmentExternal, format!("it is kept as {name}.nlo; {why}"));
                }
            },
            (_, name) => {
                let name = name.map_or(String::new(), |name| format!(" as {name}.nlo"));
                let why = format!("its bytes are kept outside the database{name}");
                return lost(LossKind::AttachmentExternal, why);
            }
        }
    } else {
        Arc::new(StoredObject { database: Arc::clone(database), record })
    };
    match unpack(&packed, u64::from(descriptor.size)) {
        Ok(blob) => FileBody::Read(blob),
        Err(damage) if descriptor.compression == Compression::None => {
            lost(LossKind::AttachmentMissing, damage.0)
        }
        Err(damage) => lost(LossKind::AttachmentCompressed, damage.0),
    }
}
