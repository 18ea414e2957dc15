//! Helpers that several test modules share.

#[cfg(unix)]
pub mod browser;
pub mod bulk;
pub mod corpus;
pub mod delivery;
pub mod destination_kit;
pub mod disk;
pub mod document;
#[cfg(unix)]
pub mod dovecot;
pub mod dxl;
#[cfg(target_os = "linux")]
pub mod extractor_server;
#[cfg(unix)]
pub mod gate;
#[cfg(target_os = "linux")]
pub mod machine;
pub mod memory_destination;
pub mod memory_source;
pub mod messages;
#[cfg(target_os = "linux")]
pub mod placements;
#[cfg(unix)]
pub mod proxy;
pub mod rich_text;
pub mod source_kit;
pub mod tree;

/// The Python that has Debian's packages, else the first one of the path.
pub fn python() -> &'static str {
    const DEBIAN: &str = "/usr/bin/python3";
    if std::path::Path::new(DEBIAN).exists() { DEBIAN } else { "python3" }
}

/// Whether the long campaigns run too (`tests/run --long`).
pub fn long() -> bool {
    std::env::var_os("NOTESFERRY_LONG").is_some_and(|value| value == "1")
}
