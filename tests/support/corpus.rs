//! Where the real databases lie that are too many and too foreign to be in the repository.

use std::path::{Path, PathBuf};

/// The folder with `nsf/` and `dxl/`; `None`, with a line that says so, where there is none.
pub fn folder() -> Option<PathBuf> {
    let folder = match std::env::var_os("NOTESFERRY_CORPUS") {
        Some(folder) => PathBuf::from(folder),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus"),
    };
    if folder.join("nsf").is_dir() {
        return Some(folder);
    }
    eprintln!("skipped: no real databases in {} (NOTESFERRY_CORPUS names another place)", folder.display());
    None
}

/// The databases and templates among them, in the order of their names.
pub fn databases() -> Vec<PathBuf> {
    let Some(folder) = folder() else { return Vec::new() };
    let files = std::fs::read_dir(folder.join("nsf")).unwrap().flatten().map(|entry| entry.path());
    let mut files: Vec<_> =
        files.filter(|path| path.extension().is_some_and(|e| e == "nsf" || e == "ntf")).collect();
    files.sort();
    files
}
