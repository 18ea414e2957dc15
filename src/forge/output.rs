//! The file being written: extents are appended, and only the fixed areas at its start are written again.
//!
//! It has a temporary name beside the final one until all is written, so no half database is ever found.

use super::ForgeError;
use std::fs::File;
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// File positions count units of this many bytes.
pub(super) const UNIT: u64 = 256;
const BUFFER_BYTES: usize = 1 << 20;

pub(super) struct Output {
    file: BufWriter<File>,
    end: u64,
    path: PathBuf,
    temporary: PathBuf,
    finished: bool,
}

impl Output {
    /// Opens the temporary file and leaves `reserved` bytes at its start free.
    pub fn create(path: &Path, reserved: usize) -> Result<Self, ForgeError> {
        refuse_existing(path)?;
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(".partial");
        let temporary = path.with_file_name(name);
        let file =
            File::create(&temporary).map_err(|error| ForgeError::Write { path: temporary.clone(), error })?;
        let mut output = Self {
            file: BufWriter::with_capacity(BUFFER_BYTES, file),
            end: 0,
            path: path.to_owned(),
            temporary,
            finished: false,
        };
        output.extend(&vec![0; reserved])?;
        Ok(output)
    }

    fn failed(&self, error: io::Error) -> ForgeError {
        ForgeError::Write { path: self.temporary.clone(), error }
    }

    pub fn end(&self) -> u64 {
        self.end
    }

    /// Appends without looking at alignment.
    pub fn extend(&mut self, bytes: &[u8]) -> Result<(), ForgeError> {
        self.file.write_all(bytes).map_err(|error| self.failed(error))?;
        self.end += bytes.len() as u64;
        Ok(())
    }

    /// Fills up with zeros to a multiple of some bytes, at most 64 KiB.
    pub fn pad_to(&mut self, multiple: u64) -> Result<(), ForgeError> {
        const ZEROS: [u8; 0x1_0000] = [0; 0x1_0000];
        let missing = self.end.next_multiple_of(multiple) - self.end;
        self.extend(&ZEROS[..missing as usize])
    }

    /// Starts a new extent at a multiple of `alignment` bytes (itself one of 256) and returns its position in units.
    pub fn start(&mut self, alignment: u64) -> Result<u32, ForgeError> {
        self.pad_to(alignment)?;
        u32::try_from(self.end / UNIT).map_err(|_| ForgeError::TooLarge)
    }

    /// Appends an extent and returns its position in units.
    pub fn append(&mut self, bytes: &[u8], alignment: u64) -> Result<u32, ForgeError> {
        let position = self.start(alignment)?;
        self.extend(bytes)?;
        Ok(position)
    }

    /// Writes over what is there.
    pub fn write_at(&mut self, at: u64, bytes: &[u8]) -> Result<(), ForgeError> {
        assert!(at + bytes.len() as u64 <= self.end);
        let mut write = || {
            self.file.seek(SeekFrom::Start(at))?;
            self.file.write_all(bytes)?;
            self.file.seek(SeekFrom::Start(self.end))
        };
        write().map(|_| ()).map_err(|error| self.failed(error))
    }

    /// Gives the file its final name.
    pub fn finish(mut self) -> Result<(), ForgeError> {
        self.file.flush().map_err(|error| self.failed(error))?;
        refuse_existing(&self.path)?;
        std::fs::rename(&self.temporary, &self.path).map_err(|error| self.failed(error))?;
        self.finished = true;
        Ok(())
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        if !self.finished {
            // Nothing can be done if this fails; the name tells what the file is.
            let _ = std::fs::remove_file(&self.temporary);
        }
    }
}

fn refuse_existing(path: &Path) -> Result<(), ForgeError> {
    match path.symlink_metadata() {
        Ok(_) => Err(ForgeError::Exists { path: path.to_owned() }),
        Err(_) => Ok(()),
    }
}
