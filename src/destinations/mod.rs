//! The contract of every kind of destination: finished messages are stored, found again, and taken out again.
//!
//! The kit in `tests/support/destination_kit.rs` tests what an implementation claims.

pub mod eml;
mod files;
pub mod imap;
pub mod maildir;
pub mod registry;

use crate::model::delivery::{Delivery, FolderState, InFlight, Location};
use crate::model::folder::FolderPath;
use crate::model::item::Origin;

/// The header that tells our own messages from foreign ones.
const KEY_HEADER: &str = "X-Notesferry-Key";

/// What a kind of destination can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Traits {
    /// What lies in a folder can be listed, so an unanswered placement is looked for instead of set aside.
    pub searchable: bool,
    /// Keywords other than the system flags are kept.
    pub keywords: bool,
    /// Calendar entries and tasks are stored as objects instead of messages.
    pub objects: bool,
    /// The largest message in bytes, if there is a limit.
    pub largest_message: Option<u64>,
}

impl Traits {
    /// A destination that refuses nothing.
    pub const UNLIMITED: Self =
        Self { searchable: true, keywords: true, objects: false, largest_message: None };
}

/// A message that already lies in a target folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Present {
    pub location: Location,
    /// The value of its `X-Notesferry-Key` header, where it has one that we can read.
    pub origin: Option<Origin>,
    pub size: u64,
}

/// Why the destination as a whole does not answer.
#[derive(Debug, thiserror::Error)]
pub enum DestinationError {
    /// It cannot be reached or opened; later it may.
    #[error("{target} cannot be reached: {why}")]
    Unreachable { target: String, why: String },
    #[error("{target} refused the log-in: {why}")]
    LoginRefused { target: String, why: String },
    #[error("{target} is full: {why}")]
    Full { target: String, why: String },
    /// Messages stay where they are put, because the destination cannot take out single ones.
    #[error("{target} cannot take out a single message: {why}")]
    CannotRemove { target: String, why: String },
}

/// Why a destination did not confirm a placement.
#[derive(Debug, thiserror::Error)]
pub enum DeliverError {
    /// No answer came after the bytes left us: the item may already be stored.
    #[error("no answer came: {why}")]
    Unanswered { why: String },
    /// A temporary refusal.
    #[error("put off: {why}")]
    PutOff { why: String },
    /// The destination has no room left.
    #[error("no room: {why}")]
    Full { why: String },
    /// A final refusal. The same bytes would be refused again.
    #[error("refused: {why}")]
    Refused { why: String },
    /// Our side could not produce the bytes.
    #[error("the source gave no bytes: {why}")]
    Source { why: String },
}

/// What the caller does about a [`DeliverError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    LookThenRetry,
    RetryLater,
    Stop,
    SetAside,
}

impl DeliverError {
    /// What to do next. No wildcard arm: a new variant must choose.
    pub fn next(&self) -> Next {
        match self {
            Self::Unanswered { .. } => Next::LookThenRetry, // invariant C
            Self::PutOff { .. } => Next::RetryLater,
            Self::Full { .. } => Next::Stop,
            Self::Refused { .. } | Self::Source { .. } => Next::SetAside,
        }
    }
}

/// One mailbox of a destination.
pub trait Destination {
    /// What this kind can do; the kit tests exactly what is claimed.
    fn traits(&self) -> Traits;

    /// Makes the folders that are missing and says the state of each, in the order given. Already existing
    /// folders stay as they are.
    ///
    /// # Errors
    /// When the destination as a whole does not answer.
    fn prepare(&mut self, folders: &[FolderPath]) -> Result<Vec<FolderState>, DestinationError>;

    /// What lies in a folder now: the look at unknown ground.
    ///
    /// # Errors
    /// When the destination as a whole does not answer.
    fn survey(&mut self, folder: &FolderPath) -> Result<Vec<Present>, DestinationError>;

    /// Stores a batch and answers for each placement, in the order given. An `Ok` is durable.
    fn put_batch(&mut self, batch: &[Delivery]) -> Vec<Result<Location, DeliverError>>;

    /// After a crash: where each of these placements is stored, or `None` where it is not.
    ///
    /// # Errors
    /// When the destination as a whole does not answer.
    fn reconcile(&mut self, in_flight: &[InFlight]) -> Result<Vec<Option<Location>>, DestinationError>;

    /// Takes a placement out again. `false` when it was not there any more.
    ///
    /// # Errors
    /// When the destination as a whole does not answer.
    fn remove(&mut self, folder: &FolderPath, location: &Location) -> Result<bool, DestinationError>;
}
