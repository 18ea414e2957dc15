//! The native reader of Notes databases (NSF, NTF): no Notes client, no memory map, never a write.
