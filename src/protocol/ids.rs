//! The names by which extractor and server speak of the same thing.

pub use crate::base::ids::{
    ActionId, ChunkNumber, ConnectorId, Epoch, ExtractorId, MigrationId, MigratorId, Sequence,
};
use serde::{Deserialize, Serialize};

/// How far an extractor has heard of what is new; 0 before the first answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct NotifyMark(pub u64);
