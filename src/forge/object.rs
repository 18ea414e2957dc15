//! Objects: data beside the notes, such as attachments, folder contents, unread marks and the index of named objects.

use super::fields::Fields;
use super::nibbles;
use super::version::Version;
use crate::notes::id_table::IdTable;
use crate::notes::ids::{NoteId, ReplicaId, Unid};
use crate::notes::timedate::Timedate;

const NEW_TAIL_BYTES: usize = 93;
const OLD_HEADER_BYTES: usize = 22;
/// Where the newer header repeats the type of the object.
const NEW_TYPE_AT: usize = 0x63;

/// What an object is: the class of its note, and the words that its header has for this kind.
#[derive(Clone, Copy, Debug)]
pub(super) struct ObjectKind {
    class: u16,
    second: u16,
    kind: u16,
    object_type: u16,
}

pub(super) const FILE: ObjectKind = ObjectKind { class: 1, second: 0, kind: 0x81, object_type: FILE_TYPE };
pub(super) const FOLDER: ObjectKind = ObjectKind { class: 8, second: 0, kind: 1, object_type: FOLDER_OBJECT };
pub(super) const FOLDER_IDS: ObjectKind =
    ObjectKind { class: 8, second: 0, kind: 1, object_type: FOLDER_ID_TABLE };
pub(super) const UNREAD: ObjectKind = ObjectKind { class: 1, second: 0, kind: 1, object_type: u16::MAX };
pub(super) const INDEX: ObjectKind =
    ObjectKind { class: 1, second: u16::MAX, kind: 10, object_type: u16::MAX };

pub(super) const ACCESS: ObjectKind = ObjectKind { class: 0x40, second: 0, kind: 1, object_type: u16::MAX };

impl ObjectKind {
    pub fn object_type(self) -> u16 {
        self.object_type
    }
}

/// Object types as items name them.
pub(super) const FILE_TYPE: u16 = 0;
pub(super) const FOLDER_OBJECT: u16 = 9;
pub(super) const FOLDER_ID_TABLE: u16 = 10;

/// Bytes before the data of an object.
pub(super) fn header_bytes(version: Version) -> usize {
    match version {
        Version::Ods43 => OLD_HEADER_BYTES,
        Version::Ods52 => OLD_HEADER_BYTES + NEW_TAIL_BYTES,
    }
}

/// The header of an object of `data_bytes`. `store_name` is the name that a file has in an attachment store.
pub(super) fn header(
    version: Version,
    kind: ObjectKind,
    data_bytes: u32,
    store_name: Option<&str>,
) -> Vec<u8> {
    let length = header_bytes(version);
    let mut header = vec![0; length];
    header.put_u16(0, if version == Version::Ods43 { 0x0007 } else { 0x001B });
    header.put_u32(2, length as u32 + data_bytes);
    header.put_u16(6, kind.class);
    header.put_u16(8, kind.second);
    header.put_u16(10, kind.kind);
    if version == Version::Ods52 {
        header.put_u16(NEW_TYPE_AT, kind.object_type);
        if let Some(name) = store_name {
            header.put_u16(OLD_HEADER_BYTES, 1);
            header.put(OLD_HEADER_BYTES + 2, name.as_bytes());
        }
    }
    header
}

/// One document in a folder.
#[derive(Clone, Copy, Debug)]
pub(super) struct Filed {
    pub unid: Unid,
    pub note_id: NoteId,
    pub added: Timedate,
}

const FOLDER_MIN_BYTES: usize = 1022;
const FOLDER_FIXED_BYTES: usize = 122;
const FOLDER_RECORD_BYTES: usize = 36;

/// The contents of a folder as records from the end backwards, the newest first.
pub(super) fn folder(database: ReplicaId, folder: Unid, changed: Timedate, filed: &[Filed]) -> Vec<u8> {
    let records = FOLDER_RECORD_BYTES * filed.len();
    let reserve = FOLDER_RECORD_BYTES;
    let size = (FOLDER_FIXED_BYTES + records + reserve).max(FOLDER_MIN_BYTES);
    let mut data = vec![0; size];
    data.put(0, &[0xF5, 0xF5, 1, 0]);
    data.put_time(8, Timedate(database.innards()));
    data.put(16, &folder.to_stored());
    data.put_time(40, changed);
    data.put_time(48, changed);
    data.put_time(64, changed);
    data.put_u32(72, u32::MAX);
    data.put_u32(80, (size - FOLDER_FIXED_BYTES - reserve - records) as u32);
    data.put_u32(84, filed.len() as u32);
    data.put_u32(92, size as u32);
    data.put_u32(96, size as u32);
    for (index, document) in filed.iter().rev().enumerate() {
        let record = &mut data[size - records + FOLDER_RECORD_BYTES * index..][..FOLDER_RECORD_BYTES];
        record.put(0, &document.unid.to_stored());
        record.put_u32(16, document.note_id.0);
        record.put_time(20, document.added);
        record.put_time(28, document.added);
    }
    data
}

/// The same contents as a set of note ids.
pub(super) fn folder_ids(changed: Timedate, filed: &[Filed]) -> Vec<u8> {
    let mut ids: Vec<NoteId> = filed.iter().map(|document| document.note_id).collect();
    ids.sort_unstable();
    IdTable::encode(&ids, changed)
}

const DIRECTORY_MIN_BYTES: usize = 1022;
const DIRECTORY_RECORD_BYTES: usize = 26;

/// The directory of all folders: who they are and when they changed.
pub(super) fn folder_directory(folders: &[(Unid, Timedate)]) -> Vec<u8> {
    let mut directory = vec![0; (8 + DIRECTORY_RECORD_BYTES * folders.len()).max(DIRECTORY_MIN_BYTES)];
    directory.put(0, &[0xF1, 0xF1, 1, 0]);
    directory.put_u32(4, folders.len() as u32);
    for (index, (unid, changed)) in folders.iter().enumerate() {
        let at = 8 + DIRECTORY_RECORD_BYTES * index;
        directory.put(at, &unid.to_stored());
        directory.put_time(at + 16, *changed);
        directory.put_u16(at + 24, 2);
    }
    directory
}

pub(super) const INDEX_PAGE_BYTES: usize = 4096;
const INDEX_PAGE_DATA: usize = 0x20;
const INDEX_CHAINS: usize = INDEX_PAGE_DATA + 12;
const INDEX_CHAIN_COUNT: usize = 31;
const INDEX_FIRST_RECORD: usize = INDEX_CHAINS + 4 * INDEX_CHAIN_COUNT;
const KIND_UNREAD: u16 = 0;

/// Pages of the index of named objects that lead from users to their unread lists. How names are hashed is not known,
/// so every record of a page has a chain of its own.
pub(super) fn index_pages(unread: &[(Vec<u8>, NoteId)]) -> Vec<Vec<u8>> {
    let mut pages: Vec<Vec<u8>> = Vec::new();
    let mut records: Vec<Vec<u8>> = Vec::new();
    let mut used = INDEX_FIRST_RECORD;
    for (user, object) in unread {
        let record = index_record(user, *object);
        if records.len() == INDEX_CHAIN_COUNT || used + record.len() > INDEX_PAGE_BYTES {
            pages.push(index_page(pages.len(), &records));
            (records, used) = (Vec::new(), INDEX_FIRST_RECORD);
        }
        used += record.len();
        records.push(record);
    }
    pages.push(index_page(pages.len(), &records));
    pages
}

/// Key length, record length, kind, name and object, after six bytes that chain the records of one hash value.
fn index_record(user: &[u8], object: NoteId) -> Vec<u8> {
    const CHAIN_BYTES: usize = 6;
    const AFTER_NAME_BYTES: usize = 12;
    let mut record = vec![0; CHAIN_BYTES + 8 + user.len() + AFTER_NAME_BYTES];
    record.put_u16(6, 4 + user.len() as u16);
    record.put_u16(8, (4 + user.len() + AFTER_NAME_BYTES) as u16);
    record.put_u16(10, KIND_UNREAD);
    record.put_u16(12, user.len() as u16);
    record.put(14, user);
    record.put_u32(14 + user.len(), object.0);
    record
}

fn index_page(number: usize, records: &[Vec<u8>]) -> Vec<u8> {
    let mut page = vec![0; INDEX_PAGE_BYTES];
    page.put_u16(0, number as u16);
    page.put_u16(2, 0xFF00);
    page.put_u16(4, INDEX_PAGE_BYTES as u16);
    page.put_u16(14, 2);
    page.put(INDEX_PAGE_DATA, &[0xAF, 0x2F, 1, 0]);
    page.put_u16(INDEX_PAGE_DATA + 4, records.len() as u16);
    let mut at = INDEX_FIRST_RECORD;
    for (index, record) in records.iter().enumerate() {
        page.put(at, record);
        let chain = INDEX_CHAINS + 4 * index;
        page.put_u16(chain, (at - INDEX_PAGE_DATA) as u16);
        page.put_u16(chain + 2, (at - INDEX_PAGE_DATA) as u16);
        at += record.len();
    }
    page.put_u16(INDEX_PAGE_DATA + 6, (at - INDEX_PAGE_DATA) as u16);
    protect_index_page(&mut page, number as u8 + 5);
    page
}

/// Pages of this index carry check nibbles too (seen in all 273 pages of the sample databases): from the second
/// sector on, with the check value itself and then the true nibbles at 0x18.
fn protect_index_page(page: &mut [u8], check: u8) {
    let mut saved = vec![check & 0x0F];
    saved.extend(nibbles::protect(page, nibbles::SECTOR_BYTES, check));
    page.put(0x18, &nibbles::pack(&saved));
}

/// The data of the index object: where its pages are.
pub(super) fn index(positions: &[u32]) -> Vec<u8> {
    let mut data = vec![0; 160 + 12 * positions.len()];
    data.put_u32(14, 2);
    data.put(32, &[0xDE, 0xFA, 0x10, 0, 0, 0x10, 0, 0x10, 1, 0, 0, 0, 1, 0]);
    data.put_u32(152, positions.len() as u32);
    data.put_u32(156, positions.len() as u32);
    for (index, position) in positions.iter().enumerate() {
        data.put_u32(160 + 12 * index, *position);
        data.put_u16(164 + 12 * index, 0xFFFF);
    }
    data
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_of_one_has_the_numbers_of_a_real_one() {
        let filed = Filed { unid: Unid([7; 16]), note_id: NoteId(0x926), added: Timedate([5, 6]) };
        let data = folder(ReplicaId(1), Unid([9; 16]), Timedate([3, 4]), &[filed]);
        assert_eq!((data.len(), &data[80..84]), (1022, &0x33Cu32.to_le_bytes()[..]));
        assert_eq!(data[1022 - 36..1022 - 20], [7; 16]);
        assert_eq!(data[1022 - 20..1022 - 16], [0x26, 9, 0, 0]);
    }

    #[test]
    fn a_large_folder_grows_and_keeps_its_sum() {
        let filed: Vec<Filed> = (0..100)
            .map(|k| Filed { unid: Unid::default(), note_id: NoteId(4 * k), added: Timedate::default() })
            .collect();
        let data = folder(ReplicaId(1), Unid::default(), Timedate::default(), &filed);
        let free = i32::from_le_bytes(data[80..84].try_into().unwrap());
        assert_eq!(free, data.len() as i32 - 158 - 36 * 100);
        assert_eq!(data[data.len() - 20..data.len() - 16], [0, 0, 0, 0]);
    }

    #[test]
    fn users_that_fill_a_page_go_to_the_next() {
        let users: Vec<_> =
            (0..200).map(|k| (format!("CN=User {k}/O=Example").into_bytes(), NoteId(k))).collect();
        let pages = index_pages(&users);
        assert!(pages.len() > 1 && pages.iter().all(|page| page.len() == INDEX_PAGE_BYTES));
        let count: u16 = pages.iter().map(|page| u16::from_le_bytes([page[0x24], page[0x25]])).sum();
        assert_eq!(count, 200);
    }
}
