//! Files that outlast a power cut: there whole or not at all, and for good once they are there.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::path::Path;

/// Writes a file that only its owner can read, in place of an earlier one, under another name first.
///
/// # Errors
/// When it cannot be written.
pub fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    replace_file(path, |new| {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(new)?;
        file.write_all(bytes)?;
        file.sync_all()
    })
}

/// Has a file made under another name, where nothing is, and gives it its own name once it is whole.
///
/// # Errors
/// Of `make`, or when a file cannot be renamed.
pub fn replace_file(path: &Path, make: impl FnOnce(&Path) -> io::Result<()>) -> io::Result<()> {
    let new = path.with_extension("new");
    match fs::remove_file(&new) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    make(&new)?;
    fs::rename(&new, path)?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    sync_folder(folder.unwrap_or(Path::new(".")))
}

/// Makes the names of a folder durable: what was made, renamed and removed in it.
///
/// # Errors
/// When the folder cannot be opened or the disk does not take it.
pub fn sync_folder(path: &Path) -> io::Result<()> {
    // Windows has no such call; it orders changes of names by itself.
    if cfg!(windows) { Ok(()) } else { File::open(path)?.sync_all() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_takes_the_place_of_an_earlier_one_and_of_a_half_made_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token.json");
        fs::write(folder.path().join("token.new"), "half").unwrap();
        for text in ["one", "two"] {
            write_private(&path, text.as_bytes()).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_file_that_cannot_be_made_leaves_the_earlier_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        write_private(&path, b"one").unwrap();
        let made = replace_file(&path, |new| {
            fs::write(new, "half")?;
            Err(io::Error::other("the disk is full"))
        });
        assert!(made.is_err());
        assert_eq!(fs::read_to_string(&path).unwrap(), "one");
    }

    #[cfg(unix)]
    #[test]
    fn only_the_owner_reads_a_private_file_whatever_was_there() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        fs::write(&path, "open to all").unwrap();
        fs::write(path.with_extension("new"), "open to all").unwrap();
        write_private(&path, b"secret").unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}
