//! One file per command: the only place that joins all parts.

mod exit;
pub mod extract;
pub mod forge;
pub mod inspect;
pub mod migrate;

pub use exit::{Exit, Failure};
