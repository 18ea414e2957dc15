//! Everything that needs more than one module, in one test binary; each module says what it shows.

#[cfg(target_os = "linux")]
mod campaign;
#[cfg(unix)]
mod clients;
mod communication;
mod conversion;
mod copies;
mod corpus;
mod crash;
mod damage;
mod daos;
mod defects;
mod delivery;
mod delta;
mod destinations;
mod directories;
mod dxl;
#[cfg(target_os = "linux")]
mod end_to_end;
#[cfg(target_os = "linux")]
mod extractor;
mod forge;
#[cfg(unix)]
mod front_door;
#[cfg(unix)]
mod gate;
#[cfg(unix)]
mod ids;
mod imap;
mod inspect;
mod lmbcs;
mod migrate;
#[cfg(unix)]
mod page;
mod protocol;
mod readme;
#[cfg(unix)]
mod serve;
mod showcase;
mod simulate;
mod sources;
mod support;
mod tidy;
mod upgrade;
