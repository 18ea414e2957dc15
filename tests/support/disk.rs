//! A disk in memory for redb, which dies on command.

use redb::StorageBackend;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard};

/// Storage in memory that outlives the program which uses it.
#[derive(Clone, Debug, Default)]
pub struct Disk(Arc<Mutex<Platter>>);

#[derive(Debug, Default)]
struct Platter {
    written: Vec<u8>,
    /// What a power cut leaves: the content at the last sync.
    synced: Vec<u8>,
    operations: u64,
    /// The operation at which the program dies; it and all later ones fail.
    dies_at: Option<u64>,
}

impl Disk {
    /// How many operations there were that change the storage.
    pub fn operations(&self) -> u64 {
        self.platter().operations
    }

    pub fn forget_operations(&self) {
        self.platter().operations = 0;
    }

    /// The program dies at this operation.
    pub fn die_at(&self, operation: u64) {
        self.platter().dies_at = Some(operation);
    }

    /// The program does not die after all.
    pub fn live_on(&self) {
        let mut platter = self.platter();
        if platter.dies_at.is_some_and(|last| platter.operations < last) {
            platter.dies_at = None;
        }
    }

    pub fn is_dead(&self) -> bool {
        let platter = self.platter();
        platter.dies_at.is_some_and(|last| platter.operations >= last)
    }

    fn platter(&self) -> MutexGuard<'_, Platter> {
        self.0.lock().unwrap()
    }

    /// Counts an operation that changes the storage.
    fn operate(&self) -> io::Result<MutexGuard<'_, Platter>> {
        let mut platter = self.platter();
        platter.operations += 1;
        match platter.dies_at {
            Some(last) if platter.operations >= last => Err(io::Error::other("the program died")),
            _ => Ok(platter),
        }
    }

    /// A new program starts; `power_cut` takes away what was not synced.
    pub fn restart(&self, power_cut: bool) {
        let mut platter = self.platter();
        if power_cut {
            platter.written = platter.synced.clone();
        }
        platter.dies_at = None;
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        Ok(self.platter().written.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let platter = self.platter();
        let start = offset as usize;
        let bytes = platter.written.get(start..start + out.len()).ok_or(io::ErrorKind::UnexpectedEof)?;
        out.copy_from_slice(bytes);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.operate()?.written.resize(len as usize, 0);
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut platter = self.operate()?;
        platter.synced = platter.written.clone();
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let start = offset as usize;
        self.operate()?.written[start..start + data.len()].copy_from_slice(data);
        Ok(())
    }
}
