//! Every cap of the program, with its unit and its reason. Invariant E: nothing grows without one of these.

/// Attachments up to this many bytes are held in memory while their message is made and delivered; larger ones are
/// read again from the source when the message is written.
pub const ATTACHMENT_IN_MEMORY_BYTES: u64 = 4 << 20;

/// Items of one page of a source listing.
pub const LIST_PAGE_ITEMS: u32 = 1_000;

/// Placements of one batch to a destination.
pub const BATCH_PLACEMENTS: usize = 100;

/// Bytes of one batch to a destination, after which it is closed (one larger item still makes a batch of its own).
pub const BATCH_BYTES: u64 = 16 << 20;

/// Depth of nesting (tables in rich text, parts in MIME) that is followed.
pub const NESTING_LEVELS: usize = 100;

/// Different losses that are told of one item.
pub const LOSSES_PER_ITEM: usize = 100;
/// Bytes of a list of note ids (folder, unread marks) that are read at once: room for millions of documents.
pub const ID_LIST_BYTES: u64 = 64 << 20;

/// Bytes that the store keeps of its file in memory.
pub const STORE_CACHE_BYTES: usize = 8 << 20;

/// How often a placement that was put off or left unanswered is put within one pass before it is set aside.
pub const PUT_ATTEMPTS: u32 = 3;

/// Bytes of a stored message that are searched for our header; we write it at the top.
pub const KEY_HEADER_BYTES: u64 = 64 << 10;

/// Bytes of one message between extractor and server, before and after compression.
pub const BODY_BYTES: usize = 4 << 20;

/// Bytes of the content of one chunk: what leaves room in a body for the rest of the message, and in a value of the
/// store, whose pages are powers of two, for its key.
pub const CHUNK_BYTES: usize = BODY_BYTES - 4096;

/// Bytes of an attachment that are read at once on their way into a chunk.
pub const FILE_BLOCK_BYTES: usize = 256 << 10;

/// Bytes of one note in memory, attachments left out: its item names and values.
pub const NOTE_BYTES: u64 = 128 << 20;

/// Items that one action asks for, and entries of every other list in a message.
pub const MESSAGE_LIST_ENTRIES: usize = 1_000;
