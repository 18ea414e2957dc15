//! A folder at one moment, to show that nothing was written into it.

use blake3::{Hash, Hasher};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Size, digest and time of change.
pub type State = (u64, Hash, SystemTime);

/// Every file and folder below a folder, and the folder itself.
pub fn files(root: &Path) -> BTreeMap<PathBuf, State> {
    let modified = |path: &Path| path.metadata().unwrap().modified().unwrap();
    let mut found = BTreeMap::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        found.insert(folder.clone(), (0, blake3::hash(b""), modified(&folder)));
        for path in fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let mut hasher = Hasher::new();
            let bytes = std::io::copy(&mut File::open(&path).unwrap(), &mut hasher).unwrap();
            found.insert(path.clone(), (bytes, hasher.finalize(), modified(&path)));
        }
    }
    found
}
