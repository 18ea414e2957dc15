//! The same mailbox some weeks later: what its owner did meanwhile, mail by mail.
//!
//! The choices have a source of chance of their own, so that everything they leave alone is as it was.

use super::{SPAN_MS, START_MS};
use crate::forge::database::FolderHandle;
use fastrand::Rng;
use std::fmt;

/// When the owner comes back: three weeks after the last mail.
pub(super) const LATER_MS: i64 = START_MS + SPAN_MS + 21 * 86_400_000;

/// Keeps these choices apart from those that the seed makes for the mailbox itself.
const CHOICES: u64 = 0x6C61_7465_7200_0000;

/// One mail more for so many.
const MAILS_PER_ADDED: u64 = 20;

/// What differs from the mailbox as it was, in mails. A mail counts once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Changed {
    /// Saved with another text.
    pub changed: u64,
    /// In another folder.
    pub moved: u64,
    /// No longer unread.
    pub read: u64,
    pub deleted: u64,
    pub added: u64,
}

impl fmt::Display for Changed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { changed, moved, read, deleted, added } = self;
        write!(f, "{changed} mails changed, {moved} moved, {read} read, {deleted} deleted and {added} added")
    }
}

/// What became of one mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Untouched,
    Changed,
    Moved,
    Read,
    Deleted,
}

/// Chooses and counts.
pub(super) struct Later {
    random: Rng,
    pub counted: Changed,
}

impl Later {
    pub fn new(seed: u64) -> Self {
        Self { random: Rng::with_seed(seed ^ CHOICES), counted: Changed::default() }
    }

    /// How many mails come in addition to `mails`.
    pub fn add(&mut self, mails: u64) -> u64 {
        self.counted.added = mails / MAILS_PER_ADDED + 1;
        self.counted.added
    }

    /// Chooses for the next mail; only an unread one can be read.
    pub fn choose(&mut self) -> Fate {
        match self.random.u8(..100) {
            0..4 => Fate::Changed,
            4..8 => Fate::Moved,
            8..10 => Fate::Deleted,
            10..55 => Fate::Read,
            _ => Fate::Untouched,
        }
    }

    /// Another folder than those that a mail is in.
    pub fn other_folder(&mut self, projects: &[FolderHandle], present: &[FolderHandle]) -> FolderHandle {
        let others: Vec<_> = projects.iter().filter(|project| !present.contains(project)).collect();
        *others[self.random.usize(..others.len())]
    }
}
