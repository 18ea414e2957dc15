//! Helpers that several test modules share.

pub mod corpus;
pub mod document;
pub mod rich_text;

/// Whether the long campaigns run too (`tests/run --long`).
pub fn long() -> bool {
    std::env::var_os("NOTESFERRY_LONG").is_some_and(|value| value == "1")
}
