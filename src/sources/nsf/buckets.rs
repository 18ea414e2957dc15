//! The map of buckets: from number to file position, checked against what each bucket says of itself.
//!
//! Two ways lead to it: the descriptors of the superblock, and a scan of the file for buckets. Small files are scanned
//! always, as a cross-check; large ones as soon as a descriptor turns out wrong or its layout is not confirmed.

use super::bucket::{BUCKET_HEADER_BYTES, Bucket, BucketHead, BucketKind, sectors_agree};
use super::file::DatabaseFile;
use super::superblock::Superblock;
use super::view::{Damage, FilePosition};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// Files up to this size are scanned when they are opened.
const SCAN_ALWAYS_BYTES: u64 = 32 << 20;
/// Restored buckets that are kept: at most 32 * 64 KiB.
const CACHED_BUCKETS: usize = 32;

/// What the scan found at one bucket number.
#[derive(Clone, Copy)]
struct Found {
    position: FilePosition,
    written: u64,
    whole: bool,
}

type Scan = HashMap<(BucketKind, u32), Found>;

/// All buckets of a file.
#[derive(Default)]
pub struct Buckets {
    summary: Vec<FilePosition>,
    non_summary: Vec<FilePosition>,
    scan: OnceLock<Scan>,
    cache: Mutex<Vec<Arc<Bucket>>>,
}

impl Buckets {
    /// Takes the maps of the superblock; scans the file now if it is small, if there is no superblock, or if the
    /// layout of the maps is not confirmed.
    pub fn new(file: &DatabaseFile, superblock: Option<&mut Superblock>) -> Self {
        let unsure = superblock.as_ref().is_none_or(|superblock| superblock.unsure_non_summary);
        let mut buckets = Self::default();
        if let Some(superblock) = superblock {
            buckets.summary = std::mem::take(&mut superblock.summary);
            buckets.non_summary = std::mem::take(&mut superblock.non_summary);
        }
        if unsure || file.len() <= SCAN_ALWAYS_BYTES {
            buckets.scan(file);
        }
        buckets
    }

    fn scan(&self, file: &DatabaseFile) -> &Scan {
        self.scan.get_or_init(|| scan(file))
    }

    fn mapped(&self, kind: BucketKind, number: u32) -> Option<FilePosition> {
        let map = match kind {
            BucketKind::Summary => &self.summary,
            BucketKind::NonSummary => &self.non_summary,
        };
        map.get(number.checked_sub(1)? as usize).copied().filter(|position| position.0 != 0)
    }

    /// The bucket of a number, restored.
    ///
    /// # Errors
    /// [`Damage`] if neither the map nor the scan leads to it.
    pub fn get(&self, file: &DatabaseFile, kind: BucketKind, number: u32) -> Result<Arc<Bucket>, Damage> {
        let mut cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        let at = cache.iter().rposition(|b| b.head.number == number && b.head.kind == kind);
        if let Some(at) = at {
            let bucket = cache[at].clone();
            if at + 1 < cache.len() {
                cache[at..].rotate_left(1);
            }
            return Ok(bucket);
        }
        let bucket = Arc::new(self.read(file, kind, number)?);
        if cache.len() == CACHED_BUCKETS {
            cache.remove(0);
        }
        cache.push(bucket.clone());
        Ok(bucket)
    }

    fn read(&self, file: &DatabaseFile, kind: BucketKind, number: u32) -> Result<Bucket, Damage> {
        let mapped = self.mapped(kind, number).map(|position| read_bucket(file, position, kind, number));
        let damage = match mapped {
            Some(Ok(bucket)) => return Ok(bucket),
            Some(Err(damage)) => damage,
            None => Damage(format!("no map names bucket {number}")),
        };
        match self.scan(file).get(&(kind, number)) {
            Some(found) => read_bucket(file, found.position, kind, number),
            None => Err(damage),
        }
    }

    /// Every summary bucket of the file, whatever map leads to it.
    pub fn all_summary<'a>(&'a self, file: &'a DatabaseFile) -> impl Iterator<Item = Arc<Bucket>> + 'a {
        let scanned = self.scan(file).keys().filter(|(kind, _)| *kind == BucketKind::Summary);
        let mut numbers: Vec<u32> = scanned.map(|(_, number)| *number).collect();
        numbers.sort_unstable();
        numbers.into_iter().filter_map(|number| self.get(file, BucketKind::Summary, number).ok())
    }

    /// How the maps and the scan differ, in sentences; empty when the file was not scanned.
    pub fn differences(&self) -> Vec<String> {
        let Some(scan) = self.scan.get() else { return Vec::new() };
        let torn = scan.values().filter(|found| !found.whole).count();
        let mut sentences = Vec::new();
        if torn > 0 {
            sentences.push(format!("{torn} buckets were not written completely (torn writes)"));
        }
        for (kind, map, what) in [
            (BucketKind::Summary, &self.summary, "notes"),
            (BucketKind::NonSummary, &self.non_summary, "large values"),
        ] {
            let mapped = (1u32..).zip(map).filter(|(_, position)| position.0 != 0);
            let wrong = mapped.filter(|(number, _)| !scan.contains_key(&(kind, *number))).count();
            if wrong > 0 {
                sentences.push(format!("{wrong} entries of the map of {what} lead to no bucket"));
            }
        }
        sentences
    }
}

fn read_bucket(
    file: &DatabaseFile,
    position: FilePosition,
    kind: BucketKind,
    number: u32,
) -> Result<Bucket, Damage> {
    let head = file.read(position.bytes(), BUCKET_HEADER_BYTES as u64, "bucket")?;
    let head = BucketHead::parse(&head)?;
    if (head.number, head.kind) != (number, kind) {
        return Err(Damage(format!("bucket {number} is expected where bucket {} lies", head.number)));
    }
    Bucket::restore(file.read(position.bytes(), u64::from(head.bytes), "bucket")?)
}

/// Finds every bucket by what it says of itself. Where a number occurs twice, a whole bucket counts before a torn one
/// and a newer before an older. Reads the file once, in blocks.
fn scan(file: &DatabaseFile) -> Scan {
    const BLOCK_BYTES: u64 = 1 << 20;
    const STEP: usize = 256;
    let mut scan = Scan::new();
    let mut block = vec![0; BLOCK_BYTES as usize];
    let mut start = 0;
    while start < file.len() {
        let length = BLOCK_BYTES.min(file.len() - start) as usize;
        if file.read_at(start, &mut block[..length]).is_ok() {
            for at in (0..length).step_by(STEP) {
                if block[at..length].starts_with(&BucketHead::SIGNATURE) {
                    note_bucket(&mut scan, file, start + at as u64);
                }
            }
        }
        start += BLOCK_BYTES;
    }
    scan
}

fn note_bucket(scan: &mut Scan, file: &DatabaseFile, at: u64) {
    let Ok(position) = u32::try_from(at / 256).map(FilePosition) else { return };
    let head = file.read(at, BUCKET_HEADER_BYTES as u64, "bucket").and_then(|head| BucketHead::parse(&head));
    let Ok(head) = head else { return };
    let Ok(bytes) = file.read(at, u64::from(head.bytes), "bucket") else { return };
    let found = Found { position, written: head.written.order(), whole: sectors_agree(&bytes) };
    let entry = scan.entry((head.kind, head.number)).or_insert(found);
    if (found.whole, found.written) > (entry.whole, entry.written) {
        *entry = found;
    }
}
