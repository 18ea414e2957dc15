//! One file per command: the only place that joins all parts.

pub mod forge;
pub mod inspect;
