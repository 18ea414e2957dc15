//! The ids of a database being written, and where they lead.

use super::BUCKET_ALIGNMENT;
use crate::forge::ForgeError;
use crate::forge::header::NextIds;
use crate::forge::output::Output;
use crate::forge::rrv::{self, IdKind, RrvBucket};
use crate::notes::ids::NoteId;

/// The relocation vector while it grows.
pub(super) struct Ids {
    pub data: RrvBucket,
    pub non_data: RrvBucket,
    /// The last written bucket of each kind.
    pub previous: [u32; 2],
    buckets: u32,
    /// Position with kind bit, and first id, of the written buckets.
    pub written: Vec<[u32; 2]>,
}

impl Ids {
    pub fn new() -> Self {
        Self {
            non_data: RrvBucket::new(rrv::first_id_of(0)),
            data: RrvBucket::new(rrv::first_id_of(1)),
            previous: [0; 2],
            buckets: 2,
            written: Vec::new(),
        }
    }

    pub fn bucket(&mut self, kind: IdKind) -> &mut RrvBucket {
        match kind {
            IdKind::Data => &mut self.data,
            IdKind::NonData => &mut self.non_data,
        }
    }

    /// The next id of a kind.
    pub fn take(&mut self, kind: IdKind, output: &mut Output) -> Result<NoteId, ForgeError> {
        if self.bucket(kind).is_full() {
            self.write(kind, false, output)?;
            *self.bucket(kind) = RrvBucket::new(rrv::first_id_of(self.buckets));
            self.buckets += 1;
        }
        Ok(self.bucket(kind).take())
    }

    /// Writes the current bucket of a kind, or an empty one in its place.
    pub fn write(&mut self, kind: IdKind, blank: bool, output: &mut Output) -> Result<(), ForgeError> {
        let previous = self.previous[kind as usize];
        let bucket = self.bucket(kind);
        let first = bucket.first;
        let stored = if blank { RrvBucket::new(first).stored(previous) } else { bucket.stored(previous) };
        let position = output.append(&stored, BUCKET_ALIGNMENT)?;
        self.previous[kind as usize] = position;
        self.written.push([position | u32::from(kind == IdKind::NonData), first.0]);
        Ok(())
    }

    pub fn next(&mut self, kind: IdKind) -> NextIds {
        let position = self.previous[kind as usize];
        let bucket = self.bucket(kind);
        NextIds { position, first: bucket.first.0, next: bucket.next_id().0, free: bucket.free() }
    }
}
