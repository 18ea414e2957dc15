//! One file per command: the only place that joins all parts.

mod address_book;
#[cfg(unix)]
pub mod admin;
#[cfg(unix)]
pub mod demo;
mod exit;
pub mod extract;
pub mod forge;
pub mod inspect;
pub mod migrate;
#[cfg(unix)]
pub mod serve;
#[cfg(unix)]
pub mod user;

pub use exit::{Exit, Failure};
