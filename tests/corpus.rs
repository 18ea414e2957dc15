//! Real databases are read and compared with what an independent reader found in them.
