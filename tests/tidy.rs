//! The arrows, headers and names that the code map promises.
