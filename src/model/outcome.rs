//! What became of an item, and the sum that is promised to the user.

use crate::model::loss::SetAside;
use std::fmt;

/// What became of an item, as the ledger keeps it beside the placements.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Some placements are stored and the item is not done with: a pass ended in its middle, or the copies are only
    /// known from a look at the target.
    Unfinished,
    /// Every placement is stored.
    Delivered,
    /// Not every placement is stored; can be tried again.
    SetAside(SetAside),
}

/// The sum of one mailbox, counted in documents:
/// `found = delivered + already there + filtered out + set aside + removed by user + still to do`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub found: u64,
    pub delivered: u64,
    pub already_there: u64,
    pub filtered_out: u64,
    pub set_aside: u64,
    pub removed_by_user: u64,
    pub still_to_do: u64,
}

impl Tally {
    /// Invariant D: whether the sum holds.
    pub fn holds(&self) -> bool {
        self.found
            == self.delivered
                + self.already_there
                + self.filtered_out
                + self.set_aside
                + self.removed_by_user
                + self.still_to_do
    }
}

impl fmt::Display for Tally {
    /// The sum in one line; columns that are zero are left out, `delivered` never.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} found = {} delivered", self.found, self.delivered)?;
        let rest = [
            (self.already_there, "already there"),
            (self.filtered_out, "filtered out"),
            (self.set_aside, "set aside"),
            (self.removed_by_user, "removed by user"),
            (self.still_to_do, "still to do"),
        ];
        rest.iter()
            .filter(|(count, _)| *count > 0)
            .try_for_each(|(count, name)| write!(f, " + {count} {name}"))
    }
}
