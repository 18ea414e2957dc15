//! What may arrive in answer to an action: nothing that was not asked for, and not less than that.

use super::End;
use crate::model::content::SourceItemId;
use crate::protocol::action::Action;
use std::collections::VecDeque;

/// What the action allows to arrive.
#[derive(Debug)]
pub enum Expected {
    Nonce(u64),
    Source,
    Folders,
    /// So many lines more.
    Listing {
        left: u32,
        arrived: bool,
    },
    Items {
        ids: VecDeque<SourceItemId>,
        arrived: bool,
    },
    /// Only the end.
    Nothing,
}

impl Expected {
    pub fn answer_to(action: &Action) -> Self {
        match action {
            Action::Test { nonce } => Self::Nonce(*nonce),
            Action::ListFolders => Self::Source,
            Action::ListItems { limit, .. } => Self::Listing { left: *limit, arrived: false },
            Action::GetItems { ids, .. } => {
                Self::Items { ids: ids.iter().copied().collect(), arrived: false }
            }
            Action::Wait { .. } | Action::Stop | Action::Done | Action::Unknown(_) => Self::Nothing,
        }
    }

    pub fn nonce(&mut self, nonce: u64) -> Result<(), &'static str> {
        match *self {
            Self::Nonce(asked) if asked == nonce => {
                *self = Self::Nothing;
                Ok(())
            }
            _ => Err("a number that was not asked for"),
        }
    }

    pub fn source(&mut self) -> Result<(), &'static str> {
        match *self {
            Self::Source => {
                *self = Self::Folders;
                Ok(())
            }
            _ => Err("facts of a source that were not asked for"),
        }
    }

    pub fn folder(&self) -> Result<(), &'static str> {
        match *self {
            Self::Folders => Ok(()),
            _ => Err("a folder that was not asked for"),
        }
    }

    pub fn line(&mut self) -> Result<(), &'static str> {
        match self {
            Self::Listing { left, arrived } if *left > 0 => {
                *left -= 1;
                *arrived = true;
                Ok(())
            }
            _ => Err("a line of the listing that was not asked for"),
        }
    }

    /// Items arrive in the order in which they were asked for.
    pub fn item(&mut self, id: SourceItemId) -> Result<(), &'static str> {
        match self {
            Self::Items { ids, arrived } if ids.front() == Some(&id) => {
                ids.pop_front();
                *arrived = true;
                Ok(())
            }
            _ => Err("an item that was not asked for"),
        }
    }

    /// An answer may leave out items at its end (they are asked for again), but it always brings one further; so does
    /// every page of a listing before the last.
    pub fn end(&self, end: &End) -> Result<(), &'static str> {
        if end.next.is_some() && !matches!(self, Self::Listing { arrived: true, .. }) {
            return Err("a next page after nothing");
        }
        let whole = match self {
            Self::Nonce(_) | Self::Source => false,
            Self::Items { ids, arrived } => *arrived || ids.is_empty(),
            Self::Folders | Self::Listing { .. } | Self::Nothing => true,
        };
        match whole || end.failure.is_some() {
            true => Ok(()),
            false => Err("the end comes before the answer"),
        }
    }
}
