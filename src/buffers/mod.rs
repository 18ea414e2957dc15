//! What lies between an extractor and a migration: orders that are not yet settled, and content that is not yet
//! delivered.

pub mod action;
pub mod data;
mod slot;
