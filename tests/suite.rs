//! Everything that needs more than one module, in one test binary; each module says what it shows.

mod communication;
mod conversion;
mod corpus;
mod crash;
mod damage;
mod delivery;
mod destinations;
#[cfg(target_os = "linux")]
mod extractor;
mod forge;
#[cfg(unix)]
mod gate;
#[cfg(unix)]
mod imap;
mod inspect;
mod lmbcs;
mod migrate;
mod protocol;
#[cfg(unix)]
mod serve;
mod simulate;
mod sources;
mod support;
mod tidy;
mod upgrade;
