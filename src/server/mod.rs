//! The server's parts.
