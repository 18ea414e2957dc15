//! Helpers that several test modules share.

pub mod corpus;
pub mod destination_kit;
pub mod memory_destination;
pub mod messages;
