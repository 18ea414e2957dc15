//! The redb files: what survives a crash.
//!
//! Written and read by `server::delivery`; opened by `modes`. `state.redb` holds the ledger, what is in flight and
//! what is known of the targets. One process at a time has it open, one thread writes, and every commit is durable
//! before it returns.

pub mod actions;
pub mod audit;
pub mod config;
mod open;
mod record;
pub mod seal;
pub mod spool;
mod state;
mod tables;
mod writer;

pub use open::{StateStore, StoreError};
pub use state::{Changes, Entry, Placed, Removal};
