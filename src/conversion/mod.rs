//! Notes documents to standard text: pure functions without clock, thread, socket or file.
