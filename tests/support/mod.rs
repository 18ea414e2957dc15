//! Helpers that several test modules share.

pub mod corpus;

/// Whether the long campaigns run too (`tests/run --long`).
pub fn long() -> bool {
    std::env::var_os("NOTESFERRY_LONG").is_some_and(|value| value == "1")
}
