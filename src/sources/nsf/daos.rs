//! Attachments that a Domino server keeps outside its databases (DAOS), taken from folders of its `.nlo` files.
//!
//! Asked by `attachment` for objects without bytes. Nothing is known of what such a file holds beside the attachment,
//! and most servers encrypt them with a key of their own. But its name is the SHA-1 digest and the length of the bytes
//! that the database would hold, so a file proves itself: it is taken when bytes of that length at its beginning or at
//! its end have that digest, and never else.

use super::file::DatabaseFile;
use super::object::RangeReader;
use super::packing::PackedBytes;
use crate::base::limits::DAOS_FOLDERS;
use crate::sources::SourceError;
use sha1::{Digest as _, Sha1};
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// Folders of `.nlo` files. Servers spread them over folders inside, which may be many times as large as a mail file,
/// so only these folders are remembered.
#[derive(Debug)]
pub struct DaosFolders {
    folders: Vec<PathBuf>,
}

/// The stored bytes of an attachment in a file of the server.
pub struct NloFile {
    file: DatabaseFile,
    at: u64,
    length: u64,
}

impl DaosFolders {
    /// Finds the folders inside of these; `None` where there are none of these.
    ///
    /// # Errors
    /// [`SourceError::Open`] for the first that cannot be read.
    pub fn open(paths: &[PathBuf]) -> Result<Option<Self>, SourceError> {
        let mut folders = Vec::new();
        for path in paths {
            let inside = folders_inside(path);
            let inside = inside.map_err(|error| SourceError::Open { path: path.clone(), error })?;
            folders.push(path.clone());
            folders.extend(inside);
        }
        folders.truncate(DAOS_FOLDERS);
        Ok((!paths.is_empty()).then_some(Self { folders }))
    }

    /// The bytes of a name; `Err` says why they cannot be had.
    pub fn find(&self, name: &str) -> Result<NloFile, &'static str> {
        let names = [name.to_ascii_uppercase() + ".nlo", name.to_ascii_lowercase() + ".nlo"];
        let paths = self.folders.iter().flat_map(|folder| names.iter().map(|name| folder.join(name)));
        let Some(path) = paths.into_iter().find(|path| path.is_file()) else {
            return Err("its file is not in the given folder");
        };
        let file = DatabaseFile::open(&path).map_err(|_| "its file cannot be read")?;
        NloFile::proven(file, name).ok_or("its file is encrypted or damaged")
    }
}

fn folders_inside(path: &Path) -> io::Result<Vec<PathBuf>> {
    let mut folders = Vec::new();
    for entry in fs::read_dir(path)? {
        let path = entry?.path();
        if folders.len() < DAOS_FOLDERS && path.is_dir() {
            folders.push(path);
        }
    }
    folders.sort();
    Ok(folders)
}

impl NloFile {
    /// Where in a file the bytes are that its name promises: 40 digits of their digest, 8 of their length.
    fn proven(file: DatabaseFile, name: &str) -> Option<Self> {
        let (digest, length) = name.split_at_checked(40)?;
        let length = u64::from_str_radix(length, 16).ok()?;
        let behind_a_head = file.len().checked_sub(length)?;
        let mut found = Self { file, at: 0, length };
        for at in [0, behind_a_head] {
            found.at = at;
            if found.digest().is_ok_and(|found| found.eq_ignore_ascii_case(digest)) {
                return Some(found);
            }
        }
        None
    }

    fn digest(&self) -> io::Result<String> {
        let mut hasher = Sha1::new();
        let mut reader = self.open_from(0)?;
        let mut block = vec![0; 64 << 10];
        loop {
            match reader.read(&mut block)? {
                0 => break,
                count => hasher.update(&block[..count]),
            }
        }
        Ok(hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
    }
}

impl PackedBytes for NloFile {
    fn length(&self) -> u64 {
        self.length
    }

    fn open_from(&self, skip: u64) -> io::Result<Box<dyn Read + Send + '_>> {
        Ok(Box::new(RangeReader::new(&self.file, self.at + skip, self.length.saturating_sub(skip))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The name under which a server files these bytes.
    fn name(bytes: &[u8]) -> String {
        let digest: String = Sha1::digest(bytes).iter().map(|byte| format!("{byte:02X}")).collect();
        format!("{digest}{:08X}", bytes.len())
    }

    #[test]
    fn a_file_is_taken_only_if_it_proves_itself() {
        let folder = tempfile::tempdir().unwrap();
        let empty = tempfile::tempdir().unwrap();
        let inside = folder.path().join("0001");
        fs::create_dir(&inside).unwrap();
        let bytes = b"attached";
        let plain = name(bytes);
        fs::write(inside.join(format!("{plain}.nlo")), bytes).unwrap();
        let headed = name(b"other bytes");
        fs::write(folder.path().join(format!("{}.nlo", headed.to_lowercase())), b"a head, other bytes")
            .unwrap();
        let encrypted = name(b"secret");
        fs::write(inside.join(format!("{encrypted}.nlo")), b"#!%&/()=").unwrap();
        let short = name(b"longer than its file");
        fs::write(inside.join(format!("{short}.nlo")), b"short").unwrap();
        let daos = DaosFolders::open(&[empty.path().to_owned(), folder.path().to_owned()]).unwrap().unwrap();
        let read = |name: &str| {
            let mut read = Vec::new();
            daos.find(name)?.open_from(0).unwrap().read_to_end(&mut read).unwrap();
            Ok(read)
        };
        assert_eq!(read(&plain), Ok(bytes.to_vec()));
        assert_eq!(read(&headed), Ok(b"other bytes".to_vec()));
        for name in [encrypted, short] {
            assert_eq!(read(&name), Err("its file is encrypted or damaged"));
        }
        assert_eq!(read(&name(b"missing")), Err("its file is not in the given folder"));
        assert_eq!(read("x"), Err("its file is not in the given folder"));
    }

    #[test]
    fn a_folder_that_cannot_be_read_is_named() {
        assert!(DaosFolders::open(&[]).unwrap().is_none());
        let error = DaosFolders::open(&["/nowhere/daos".into()]).unwrap_err().to_string();
        assert!(error.contains("/nowhere/daos"), "{error}");
    }
}
