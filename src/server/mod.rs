//! The server's parts. `migrate` uses the same ones without a server around them.

pub mod api;
pub mod communication;
pub mod delivery;
pub mod gate;
#[cfg(unix)]
pub mod listener;
pub mod machine;
pub mod migration;
pub mod pool;
pub mod scheduler;
pub mod session;
#[cfg(unix)]
pub mod website;
