//! The messages between extractor and server: their bytes never change, round trips give the same, and nothing that a
//! peer sends makes the other side panic or believe a size.

mod golden;
mod messages;
mod refusals;
pub mod transfer;
