//! The redb files: what survives a crash.
