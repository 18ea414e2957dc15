//! The end of writing a database: folders, unread marks, and the blocks that describe it all.

use super::{BUCKET_ALIGNMENT, FILE_GROWTH, Writer};
use crate::forge::ForgeError;
use crate::forge::blocks::{BITMAP_DESCRIPTOR_BYTES, NameTable, Superblock};
use crate::forge::descriptors::SummaryMap;
use crate::forge::fields::Fields;
use crate::forge::header::{Area, Header, SPECIAL_NAMED_OBJECTS};
use crate::forge::note::ItemSpec;
use crate::forge::object;
use crate::forge::output::UNIT;
use crate::forge::rrv::{self, IdKind, RrvBucket};
use crate::forge::values;
use crate::forge::version::Version;
use crate::notes::id_table::IdTable;
use crate::notes::item::ItemType;
use crate::notes::lmbcs;
use crate::notes::timedate::Timedate;

/// One bitmap covers as many units as it has bits.
const BITMAP_BYTES: usize = 4096;
const BITMAP_UNITS: u64 = BITMAP_BYTES as u64 * 8;

impl Writer {
    /// Folder notes with their two objects; the result is the folder directory.
    pub(super) fn write_folders(&mut self) -> Result<Vec<u8>, ForgeError> {
        let mut directory = Vec::new();
        for mut folder in std::mem::take(&mut self.folders) {
            let (unid, changed) = (folder.note.unid, folder.changed);
            self.touch(changed);
            let contents = object::folder(self.options.replica_id, unid, changed, &folder.filed);
            let contents = self.add_object(object::FOLDER, &contents)?;
            let ids = self.add_object(object::FOLDER_IDS, &object::folder_ids(changed, &folder.filed))?;
            for (name, object_type, id) in [
                ("$FolderObject", object::FOLDER_OBJECT, contents),
                ("$FolderIDTable", object::FOLDER_ID_TABLE, ids),
            ] {
                let value = values::object(object_type, id);
                folder.note.items.push(ItemSpec::new(name, ItemType::OBJECT, value).typed());
            }
            self.add_note(&folder.note)?;
            self.written.folders += 1;
            directory.push((unid, changed));
        }
        Ok(object::folder_directory(&directory))
    }

    pub(super) fn write_unread_lists(&mut self) -> Result<(), ForgeError> {
        let mut lists = Vec::new();
        for (user, mut ids) in std::mem::take(&mut self.unread) {
            ids.sort_unstable();
            ids.dedup();
            let list = self.add_object(object::UNREAD, &IdTable::encode(&ids, self.changed))?;
            lists.push((lmbcs::encode(&user), list));
        }
        let mut positions = Vec::new();
        for page in object::index_pages(&lists) {
            positions.push(self.output.append(&page, BUCKET_ALIGNMENT)?);
        }
        let index = self.add_object(object::INDEX, &object::index(&positions))?;
        self.special[SPECIAL_NAMED_OBJECTS] = index.0;
        Ok(())
    }

    /// An older and the newest bucket descriptor block.
    pub(super) fn write_descriptor_blocks(&mut self) -> Result<[Area; 2], ForgeError> {
        let [older, newest] = self.layout.bdbs;
        let empty = NameTable::default().stored(&[], self.options.created, 1);
        self.output.write_at(older.at(), &empty)?;
        let block = self.names.stored(&self.ids.written, self.changed, 2);
        let newest = self.write_into(newest, &block)?;
        Ok([older, newest])
    }

    /// Writes a block into its area, or into a new one if it is too large.
    fn write_into(&mut self, area: Area, block: &[u8]) -> Result<Area, ForgeError> {
        if block.len() <= area.bytes as usize {
            self.output.write_at(area.at(), block)?;
            return Ok(area);
        }
        let position = self.output.append(block, BUCKET_ALIGNMENT)?;
        Ok(Area { position, bytes: block.len() as u32 })
    }

    /// An older superblock, of the database when it was empty, and the newest.
    pub(super) fn write_superblocks(
        &mut self,
        newest_ids: Vec<u8>,
        directory: Vec<u8>,
    ) -> Result<[Area; 3], ForgeError> {
        let [older, middle, newest] = self.layout.superblocks;
        let empty = RrvBucket::new(rrv::first_id_of(1)).stored(0);
        let mut block = self.superblock(empty, object::folder_directory(&[]));
        (block.time, block.write_count) = (self.options.created, 1);
        (block.summary_map, block.summary_buckets, block.summary_pages) =
            (SummaryMap::default().stored(), 0, 1);
        block.non_summary_buckets = 0;
        block.document_ids = IdTable::encode(&[], Timedate::default());
        self.output.write_at(older.at(), &block.stored())?;

        let mut block = self.superblock(newest_ids, directory);
        // The bitmaps tell how long the file is, so room for the superblock is set aside before they are made.
        let room = block.stored_at_most(self.output.end().div_ceil(UNIT * BITMAP_UNITS) as usize + 1);
        let newest = if room <= newest.bytes as usize {
            newest
        } else {
            let position = self.output.append(&vec![0; room], BUCKET_ALIGNMENT)?;
            Area { position, bytes: room as u32 }
        };
        (block.bitmaps, block.bitmap_map, block.bitmap) = self.write_bitmaps()?;
        self.output.write_at(newest.at(), &block.stored())?;
        Ok([older, middle, newest])
    }

    fn superblock(&self, newest_ids: Vec<u8>, folder_directory: Vec<u8>) -> Superblock {
        let (log_slots, log_bytes) = self.layout.log;
        let mut modified_log = vec![0; log_bytes];
        modified_log.put_u32(0, log_slots);
        let (version, map) = (self.options.version, &self.non_summary_map);
        Superblock {
            time: self.changed,
            write_count: 2,
            summary_buckets: self.summary_map.resident_count(),
            summary_pages: self.summary_map.page_count(),
            summary_map: self.summary_map.stored(),
            non_summary_buckets: map.count(),
            non_summary_map: if version == Version::Ods43 { map.stored() } else { Vec::new() },
            bitmaps: 1,
            bitmap_map: describe_bitmap(self.layout.bitmap.position, 0),
            rrv: newest_ids,
            rrv_position: self.ids.previous[IdKind::Data as usize],
            rrv_ids: [self.ids.data.first.0, self.ids.data.last_id().0],
            bitmap: vec![0; BITMAP_BYTES],
            document_ids: IdTable::encode(&self.documents, Timedate::default()),
            modified_log,
            folder_directory,
        }
    }

    /// Writes the allocation bitmaps, in which a set bit is a free unit, and gives their number, their descriptors
    /// and the last one. All that the file has is in use.
    fn write_bitmaps(&mut self) -> Result<(u32, Vec<u8>, Vec<u8>), ForgeError> {
        let mut positions = vec![self.layout.bitmap.position];
        let units = |end: u64| end.next_multiple_of(FILE_GROWTH) / UNIT;
        while positions.len() as u64 * BITMAP_UNITS < units(self.output.end()) {
            positions.push(self.output.append(&[0; BITMAP_BYTES], BUCKET_ALIGNMENT)?);
        }
        let used = (units(self.output.end()) - (positions.len() as u64 - 1) * BITMAP_UNITS) as usize;
        let mut last = vec![0xFF; BITMAP_BYTES];
        last[..used / 8].fill(0);
        let last_position = positions[positions.len() - 1];
        self.output.write_at(u64::from(last_position) * UNIT, &last)?;
        let free = BITMAP_UNITS as usize - used;
        let describe =
            |&position| describe_bitmap(position, if position == last_position { free } else { 0 });
        let descriptors = positions.iter().flat_map(describe).collect();
        Ok((positions.len() as u32, descriptors, last))
    }

    pub(super) fn header(&mut self, superblocks: [Area; 3], bdbs: [Area; 2]) -> Result<Vec<u8>, ForgeError> {
        let mut info = lmbcs::encode(&self.options.title);
        if !self.options.inherits.is_empty() {
            info.extend_from_slice(b"\n#2");
            info.extend(lmbcs::encode(&self.options.inherits));
        }
        let file_units = u32::try_from(self.output.end() / UNIT).map_err(|_| ForgeError::TooLarge)?;
        let header = Header {
            version: self.options.version,
            replica_id: self.options.replica_id,
            created: self.options.created,
            changed: self.changed,
            info: &info,
            data_ids: self.ids.next(IdKind::Data),
            non_data_ids: self.ids.next(IdKind::NonData),
            special: self.special,
            superblocks,
            bdbs,
            file_units,
        };
        Ok(header.stored())
    }
}

fn describe_bitmap(position: u32, free_units: usize) -> Vec<u8> {
    let mut descriptor = vec![0; BITMAP_DESCRIPTOR_BYTES];
    descriptor.put_u32(0, position);
    descriptor.put_u16(6, free_units as u16);
    descriptor.put_u16(10, free_units as u16);
    descriptor
}
