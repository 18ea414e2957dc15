//! The redb files: `state.redb`, which survives a crash, and `spool.redb`, which is made anew at each start.
//!
//! Written and read by `server` and `buffers`; opened by `modes`. The state holds the ledger, what is in flight, what is
//! known of the targets and of names, the configuration and the action records. One process at a time has it open, one thread writes,
//! and every commit is durable before it returns. The spool holds content between its arrival and its delivery.

pub mod actions;
pub mod audit;
pub mod config;
pub mod directory;
mod open;
mod record;
pub mod seal;
pub mod spool;
mod state;
mod tables;
mod writer;

pub use open::{StateStore, StoreError};
pub use state::{Changes, Entry, PassedOver, Placed, Removal, Twin};
