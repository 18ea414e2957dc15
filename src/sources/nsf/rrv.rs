//! The record relocation vector (RRV): where each note and each object lies, by its id.
//!
//! It is a list of buckets of 508 entries. Only the list is kept in memory; buckets are read when they are needed.
//! The newest bucket lies in the superblock and wins for its range of ids.

use super::file::DatabaseFile;
use super::names::RrvDescriptor;
use super::view::{Damage, FilePosition, View};
use crate::notes::ids::NoteId;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

const HEADER_BYTES: usize = 32;
const ENTRY_BYTES: usize = 8;
/// Ids step by four.
const ID_STEP: u32 = 4;
/// Decoded buckets that are kept: ids are asked for in ascending order, so few are enough.
const CACHED_BUCKETS: usize = 64;

/// Where a note or object lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    File(FilePosition),
    /// A slot of a summary bucket, both counted from 1.
    Bucket {
        number: u32,
        slot: u32,
    },
}

/// The entries of one bucket.
struct Entries {
    first_id: u32,
    places: Vec<Option<Place>>,
}

impl Entries {
    fn parse(bytes: &[u8]) -> Result<Self, Damage> {
        let view = View::new(bytes, "RRV bucket");
        view.expect_signature([0x06, 0x20])?;
        let first_id = view.u32(6)?;
        let count = bytes.len().saturating_sub(HEADER_BYTES) / ENTRY_BYTES;
        let place = |k| {
            let at = HEADER_BYTES + ENTRY_BYTES * k;
            Ok(parse_place(view.u32(at)?, view.u32(at + 4)?))
        };
        Ok(Self { first_id, places: (0..count).map(place).collect::<Result<_, Damage>>()? })
    }

    fn place(&self, id: NoteId) -> Option<Place> {
        let offset = id.0.checked_sub(self.first_id)?;
        *self.places.get((offset / ID_STEP) as usize).filter(|_| offset.is_multiple_of(ID_STEP))?
    }
}

fn parse_place(a: u32, b: u32) -> Option<Place> {
    const IN_BUCKET: u32 = 0x8000_0000;
    if a & IN_BUCKET == 0 {
        return (a != 0 && a != 0x7FFF_FFFF).then_some(Place::File(FilePosition(a)));
    }
    let number = a & 0x00FF_FFFF;
    (number != 0 && number != 0x00FF_FFFF).then_some(Place::Bucket { number, slot: b & 0x7FF })
}

/// The whole vector.
#[derive(Default)]
pub struct Rrv {
    /// Buckets by their first id; position 0 is the superblock's own.
    buckets: BTreeMap<u32, FilePosition>,
    bucket_bytes: u64,
    newest: Option<Arc<Entries>>,
    cache: Mutex<Vec<Arc<Entries>>>,
}

impl Rrv {
    /// Collects the buckets: those of the bucket descriptor block, those of the file header, and the superblock's
    /// own. Buckets that cannot be read are named in `warnings`.
    pub fn new(
        file: &DatabaseFile,
        bucket_bytes: u32,
        descriptors: &[RrvDescriptor],
        header_buckets: [FilePosition; 2],
        newest: Option<&[u8]>,
        warnings: &mut Vec<String>,
    ) -> Self {
        let mut rrv = Self { bucket_bytes: u64::from(bucket_bytes), ..Self::default() };
        for descriptor in descriptors {
            rrv.buckets.insert(descriptor.first_id, descriptor.position);
        }
        for position in header_buckets.into_iter().filter(|position| position.0 != 0) {
            match rrv.read_bucket(file, position) {
                // A bucket that was never written holds zeros; the superblock has its content.
                Ok(entries) if entries.first_id != 0 => {
                    rrv.buckets.entry(entries.first_id).or_insert(position);
                }
                _ => {}
            }
        }
        match newest.map(Entries::parse) {
            Some(Ok(entries)) => {
                rrv.buckets.insert(entries.first_id, FilePosition(0));
                rrv.newest = Some(Arc::new(entries));
            }
            Some(Err(damage)) => warnings.push(format!("the newest list of notes is damaged: {damage}")),
            None => {}
        }
        rrv
    }

    fn read_bucket(&self, file: &DatabaseFile, position: FilePosition) -> Result<Entries, Damage> {
        Entries::parse(&file.read(position.bytes(), self.bucket_bytes, "RRV bucket")?)
    }

    fn bucket(
        &self,
        file: &DatabaseFile,
        first_id: u32,
        position: FilePosition,
    ) -> Result<Arc<Entries>, Damage> {
        if position.0 == 0 {
            return self.newest.clone().ok_or_else(|| Damage::new("an RRV bucket has no position"));
        }
        let mut cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(at) = cache.iter().position(|entries| entries.first_id == first_id) {
            cache[at..].rotate_left(1);
        } else {
            let entries = self.read_bucket(file, position)?;
            if entries.first_id != first_id {
                return Err(Damage(format!(
                    "the RRV bucket of {first_id:08X} holds {:08X}",
                    entries.first_id
                )));
            }
            if cache.len() == CACHED_BUCKETS {
                cache.remove(0);
            }
            cache.push(Arc::new(entries));
        }
        cache.last().cloned().ok_or_else(|| Damage::new("the RRV cache is empty"))
    }

    /// Where an id lies; `None` for an id that is not in use.
    ///
    /// # Errors
    /// [`Damage`] if the bucket of the id cannot be read.
    pub fn place(&self, file: &DatabaseFile, id: NoteId) -> Result<Option<Place>, Damage> {
        let Some((&first_id, &position)) = self.buckets.range(..=id.0).next_back() else { return Ok(None) };
        Ok(self.bucket(file, first_id, position)?.place(id))
    }

    /// The ids in use of the first bucket at or after `from`, with their places, and the first id of the bucket after
    /// it. An unreadable bucket gives its damage and lets the walk go on.
    pub fn next_bucket(&self, file: &DatabaseFile, from: u32) -> Option<BucketWalk> {
        // The bucket that holds `from` may start before it.
        let start = self.buckets.range(..=from).next_back().map_or(from, |(&first, _)| first);
        let (&first_id, &position) = self.buckets.range(start..).next()?;
        let after = self.buckets.range(first_id.saturating_add(1)..).next().map(|(&first, _)| first);
        let places = self.bucket(file, first_id, position).map(|entries| {
            let ids = (0..).map(|k| NoteId(first_id.wrapping_add(ID_STEP * k)));
            let used = ids.zip(&entries.places).filter_map(|(id, place)| Some((id, (*place)?)));
            // Entries past the next bucket's first id belong to that bucket.
            used.filter(|(id, _)| id.0 >= from && after.is_none_or(|after| id.0 < after)).collect()
        });
        Some(BucketWalk { places, after })
    }

    /// How many ids the vector has room for: a bound on every walk.
    pub fn capacity(&self) -> u64 {
        self.buckets.len() as u64 * (self.bucket_bytes / ENTRY_BYTES as u64)
    }
}

/// One step of a walk over all ids.
pub struct BucketWalk {
    pub places: Result<Vec<(NoteId, Place)>, Damage>,
    /// Where the walk goes on.
    pub after: Option<u32>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_read_from_two_words() {
        assert_eq!(parse_place(0, 0), None);
        assert_eq!(parse_place(0x7FFF_FFFF, 0), None);
        assert_eq!(parse_place(0x10, 0), Some(Place::File(FilePosition(0x10))));
        assert_eq!(parse_place(0x8000_0003, 0xFFFF_F805), Some(Place::Bucket { number: 3, slot: 5 }));
        assert_eq!(parse_place(0x80FF_FFFF, 1), None);
    }

    #[test]
    fn ids_that_do_not_step_by_four_have_no_place() {
        let entries = Entries { first_id: 0x8F6, places: vec![None, Some(Place::File(FilePosition(9)))] };
        assert_eq!(entries.place(NoteId(0x8FA)), Some(Place::File(FilePosition(9))));
        assert_eq!(entries.place(NoteId(0x8FB)), None);
        assert_eq!(entries.place(NoteId(0x8F2)), None);
        assert_eq!(entries.place(NoteId(0x8FE)), None);
    }
}
