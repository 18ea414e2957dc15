//! The first 1,024 bytes of a database and the fixed areas behind them.

use super::fields::Fields;
use super::output::UNIT;
use super::version::Version;
use crate::notes::ids::ReplicaId;
use crate::notes::timedate::Timedate;

const HEADER_BYTES: usize = 1024;
const INFO_BYTES: usize = 128;
pub(super) const SPECIAL_IDS: usize = 32;
/// Which special id leads to the access control list.
pub(super) const SPECIAL_ACCESS: usize = 16;
/// Which special id leads to the index of named objects.
pub(super) const SPECIAL_NAMED_OBJECTS: usize = 28;

/// A fixed area: position in units and size in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Area {
    pub position: u32,
    pub bytes: u32,
}

impl Area {
    pub fn at(self) -> u64 {
        u64::from(self.position) * UNIT
    }
}

/// Where the fixed areas of a version are.
pub(super) struct Layout {
    /// Three of the four superblock slots; the fourth is never used.
    pub superblocks: [Area; 3],
    pub bitmap: Area,
    pub bdbs: [Area; 2],
    /// The first byte that is free for everything else.
    pub end: usize,
    /// Slots of the log of modified notes, and its size.
    pub log: (u32, usize),
}

/// The areas as new databases of each version have them.
pub(super) fn layout(version: Version) -> Layout {
    let area = |position, bytes| Area { position, bytes };
    match version {
        Version::Ods43 => Layout {
            superblocks: [area(0x004, 0x8000), area(0x084, 0x8000), area(0x104, 0x1_0000)],
            bitmap: area(0x204, 0x1000),
            bdbs: [area(0x230, 0x1000), area(0x240, 0x1000)],
            end: 0x2_5000,
            log: (400, 5612),
        },
        Version::Ods52 => Layout {
            superblocks: [area(0x004, 0xF000), area(0x0F4, 0xF000), area(0x1E4, 0x1_E000)],
            bitmap: area(0x3C4, 0x1000),
            bdbs: [area(0x3F0, 0x1000), area(0x400, 0x1000)],
            end: 0x4_1000,
            log: (200, 18_812),
        },
    }
}

/// The next ids of one kind: where their bucket is, its first id, the next free one, and how many are left.
#[derive(Clone, Copy)]
pub(super) struct NextIds {
    pub position: u32,
    pub first: u32,
    pub next: u32,
    pub free: u32,
}

/// What the header says.
pub(super) struct Header<'a> {
    pub version: Version,
    pub replica_id: ReplicaId,
    pub created: Timedate,
    pub changed: Timedate,
    /// LMBCS: title, categories and templates, each on a line.
    pub info: &'a [u8],
    pub data_ids: NextIds,
    pub non_data_ids: NextIds,
    pub special: [u32; SPECIAL_IDS],
    pub superblocks: [Area; 3],
    pub bdbs: [Area; 2],
    pub file_units: u32,
}

impl Header<'_> {
    pub fn stored(&self) -> Vec<u8> {
        let mut header = vec![0; HEADER_BYTES];
        header.put_u16(0, 0x001A);
        header.put_u32(2, HEADER_BYTES as u32);
        header.put_u32(6, self.version.number());
        header.put_time(10, self.created);
        header.put_u32(20, self.non_data_ids.position);
        header.put_u32(24, self.non_data_ids.next);
        header.put_u16(28, self.non_data_ids.free as u16);
        header.put_time(34, self.changed);
        header.put_u16(42, 0xFF01);
        header.put_u16(44, 0x4240);
        header.put_u16(60, 1);
        header.put_u32(62, self.data_ids.position);
        header.put_u32(66, self.data_ids.first);
        header.put_u32(70, self.data_ids.next);
        header.put_u16(74, self.data_ids.free as u16);
        self.put_sizes(&mut header);
        header.put_time(180, Timedate(self.replica_id.innards()));
        header.put_u16(190, 90); // Days after which deletion stubs go.
        header.put_time(192, self.created);
        let info = &self.info[..self.info.len().min(INFO_BYTES - 1)];
        header.put(200, info);
        for (index, id) in self.special.iter().enumerate() {
            header.put_u32(328 + 4 * index, *id);
        }
        self.put_second_block(&mut header);
        header
    }

    fn put_sizes(&self, header: &mut [u8]) {
        header.put_u16(76, 0x1000); // Relocation buckets.
        header.put_u16(78, 0x2000); // Summary buckets, at least.
        header.put_u16(80, 0x1000); // Bitmaps.
        header.put_u16(82, 0x0100);
        header.put_u32(84, 0x0001_0000);
        header.put_u32(88, self.file_units);
    }

    fn put_second_block(&self, header: &mut [u8]) {
        header.put_time(520, self.created);
        for (index, area) in self.superblocks.iter().enumerate() {
            header.put_u32(560 + 8 * index, area.position);
            header.put_u32(564 + 8 * index, area.bytes);
        }
        header.put_u32(592, 0x0004_0000);
        header.put_u16(596, 4);
        header.put_u16(598, 4);
        for (index, size) in [0x2000, 0x8000, 0xF800, 0x8000].into_iter().enumerate() {
            header.put_u32(600 + 4 * index, size);
        }
        for (index, factor) in [500, 5, 98, 100].into_iter().enumerate() {
            header.put_u16(616 + 2 * index, factor);
        }
        for (index, area) in self.bdbs.iter().enumerate() {
            header.put_u32(624 + 8 * index, area.bytes);
            header.put_u32(628 + 8 * index, area.position);
        }
    }
}
