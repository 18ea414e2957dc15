//! The database file: positioned reads of what is really there, and nothing else. It is never written.

use super::view::Damage;
use std::fs::File;
use std::io;
use std::path::Path;

enum Bytes {
    File(File),
    /// For tests and fuzzing.
    Memory(Vec<u8>),
}

/// An open database file with the length it had when it was opened.
pub struct DatabaseFile {
    bytes: Bytes,
    length: u64,
}

impl DatabaseFile {
    /// Opens a file for reading. On Windows other programs may go on reading and writing it.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn open(path: &Path) -> io::Result<Self> {
        let mut options = File::options();
        options.read(true);
        #[cfg(windows)]
        {
            use std::os::windows::fs::OpenOptionsExt as _;
            options.share_mode(7); // FILE_SHARE_READ, FILE_SHARE_WRITE and FILE_SHARE_DELETE.
        }
        let file = options.open(path)?;
        let length = file.metadata()?.len();
        Ok(Self { bytes: Bytes::File(file), length })
    }

    /// A database in memory.
    pub fn memory(bytes: Vec<u8>) -> Self {
        Self { length: bytes.len() as u64, bytes: Bytes::Memory(bytes) }
    }

    pub fn len(&self) -> u64 {
        self.length
    }

    /// The file itself, for looks at its metadata.
    pub fn as_file(&self) -> Option<&File> {
        match &self.bytes {
            Bytes::File(file) => Some(file),
            Bytes::Memory(_) => None,
        }
    }

    /// Fills `block` from `at`; what lies behind the end of the file is an error.
    ///
    /// # Errors
    /// What the operating system says; `UnexpectedEof` if the file is shorter.
    pub fn read_at(&self, at: u64, block: &mut [u8]) -> io::Result<()> {
        match &self.bytes {
            Bytes::File(file) => read_file_at(file, at, block),
            Bytes::Memory(bytes) => {
                let start = usize::try_from(at).unwrap_or(usize::MAX);
                let end = start.saturating_add(block.len());
                let source = bytes.get(start..end).ok_or(io::ErrorKind::UnexpectedEof)?;
                block.copy_from_slice(source);
                Ok(())
            }
        }
    }

    /// `length` bytes from `at`, allocated only if the file has them.
    ///
    /// # Errors
    /// [`Damage`] if the file is shorter or cannot be read.
    pub fn read(&self, at: u64, length: u64, what: &str) -> Result<Vec<u8>, Damage> {
        if at.checked_add(length).is_none_or(|end| end > self.length) {
            return Err(Damage(format!(
                "the {what} lies outside the file ({length} bytes at {at}, the file has {})",
                self.length
            )));
        }
        let mut block = vec![0; length as usize];
        self.read_at(at, &mut block).map_err(|error| Damage(format!("the {what} at {at}: {error}")))?;
        Ok(block)
    }
}

#[cfg(unix)]
fn read_file_at(file: &File, at: u64, block: &mut [u8]) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, block, at)
}

#[cfg(windows)]
fn read_file_at(file: &File, mut at: u64, mut block: &mut [u8]) -> io::Result<()> {
    use std::os::windows::fs::FileExt as _;
    while !block.is_empty() {
        match file.seek_read(block, at) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(read) => {
                block = &mut block[read..];
                at += read as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
