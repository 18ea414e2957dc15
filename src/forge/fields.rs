//! Little-endian fields at fixed offsets of the structures that the forge writes.

use crate::notes::timedate::Timedate;

/// Putting values into a structure whose size is already right.
pub(super) trait Fields {
    fn put(&mut self, at: usize, bytes: &[u8]);

    fn put_u8(&mut self, at: usize, value: u8) {
        self.put(at, &[value]);
    }

    fn put_u16(&mut self, at: usize, value: u16) {
        self.put(at, &value.to_le_bytes());
    }

    fn put_u32(&mut self, at: usize, value: u32) {
        self.put(at, &value.to_le_bytes());
    }

    fn put_time(&mut self, at: usize, value: Timedate) {
        self.put(at, &value.to_stored());
    }
}

impl Fields for [u8] {
    fn put(&mut self, at: usize, bytes: &[u8]) {
        self[at..at + bytes.len()].copy_from_slice(bytes);
    }
}
