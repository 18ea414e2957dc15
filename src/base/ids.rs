//! The names of what the server manages, which also stand in messages and on disk.
//!
//! All but [`MigratorId`] and [`ChunkNumber`] are given by the server, counted from 1 and never given twice.

use serde::{Deserialize, Serialize};
use std::fmt;

macro_rules! id {
    ($($(#[$doc:meta])* $name:ident,)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub struct $name(pub u64);

        impl From<u64> for $name {
            fn from(number: u64) -> Self {
                Self(number)
            }
        }

        impl From<$name> for u64 {
            fn from(id: $name) -> u64 {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )*};
}

id! {
    /// An enrolled extractor.
    ExtractorId,
    /// A mailbox connector: where mailboxes are, and how they are opened.
    ConnectorId,
    /// A mailbox of a connector together with the target that it is carried to, as the admin entered them.
    MailboxNumber,
    /// A person who may log in.
    UserId,
    /// One pass over one mailbox.
    MigrationId,
    /// One process that works on a migration: a random number of its start, so that a migrator which was frozen is
    /// told apart from the one that took its place.
    MigratorId,
    /// One order for a migration.
    ActionId,
    /// Counts the leases of an action. Invariant A: data of an older epoch is refused.
    Epoch,
}

/// Numbers the chunks of one action in one epoch, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ChunkNumber(pub u32);

/// How a chunk stands to those that were kept before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sequence {
    /// The one that is due.
    Next,
    /// Kept before: its answer was lost, and it is answered *kept* again without being kept again.
    Again,
    /// One in between is missing.
    Gap,
}

impl ChunkNumber {
    pub const FIRST: Self = Self(1);

    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }

    /// How this chunk stands to the last one that was kept.
    pub fn after(self, last_kept: Option<Self>) -> Sequence {
        let due = last_kept.map_or(Self::FIRST, Self::next);
        match self.cmp(&due) {
            std::cmp::Ordering::Less => Sequence::Again,
            std::cmp::Ordering::Equal => Sequence::Next,
            std::cmp::Ordering::Greater => Sequence::Gap,
        }
    }
}

impl fmt::Display for ChunkNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chunk_is_due_once() {
        let after = |number, last: Option<u32>| ChunkNumber(number).after(last.map(ChunkNumber));
        assert_eq!((after(1, None), after(2, None)), (Sequence::Next, Sequence::Gap));
        assert_eq!(after(1, Some(1)), Sequence::Again);
        assert_eq!(after(2, Some(1)), Sequence::Next);
        assert_eq!(after(3, Some(1)), Sequence::Gap);
        assert_eq!(after(0, None), Sequence::Again);
    }
}
