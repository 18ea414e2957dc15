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

/// Tags of the HTML that an author put into one rich text; the time to make it safe grows with their square.
pub const HTML_TAGS: usize = 20_000;

/// Bytes of a list of note ids (folder, unread marks) that are read at once: room for millions of documents.
pub const ID_LIST_BYTES: u64 = 64 << 20;

/// Bytes that the store keeps of its file in memory.
pub const STORE_CACHE_BYTES: usize = 8 << 20;

/// How often a placement that was put off or left unanswered is put within one pass before it is set aside.
pub const PUT_ATTEMPTS: u32 = 3;

/// Bytes of a stored message that are searched for our header; we write it at the top.
pub const KEY_HEADER_BYTES: u64 = 64 << 10;

/// Seconds until a server has to accept a connection.
pub const CONNECT_SECONDS: u64 = 30;

/// Seconds without a byte from or to a server after which the line counts as cut. Servers scan and index a large
/// message before they answer.
pub const LINE_SILENT_SECONDS: u64 = 300;

/// Bytes of one line that a server may send outside of the answers that the session parses.
pub const REPLY_LINE_BYTES: u64 = 64 << 10;

/// Bytes of one whole answer of a server: a list of some 100,000 folders.
pub const REPLY_BYTES: u64 = 64 << 20;

/// How often a cut line is opened again before the destination counts as unreachable. The pauses double: 1, 2, 4, ...
/// seconds.
pub const RECONNECT_ATTEMPTS: u32 = 6;

/// Messages of a folder that one command asks about.
pub const FETCH_MESSAGES: u32 = 2_000;

/// Seconds that a folder has to stand still before what is missing in it counts as not stored.
pub const SETTLE_SECONDS: u64 = 5;

/// How often a folder that does not stand still is waited for: others may deliver into it all day.
pub const SETTLE_ROUNDS: u32 = 12;

/// Bytes of a password file.
pub const PASSWORD_BYTES: u64 = 4 << 10;

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

/// Levels of elements in an XML file: 100 tables inside each other need 500.
pub const XML_LEVELS: usize = 1_000;

/// Bytes of one tag of an XML file with its attributes.
pub const XML_TAG_BYTES: u64 = 64 << 10;

/// Bytes of text in one element of an XML file, what is decoded as a stream left out; a text item holds 64 KiB.
pub const XML_TEXT_BYTES: u64 = 16 << 20;

/// Documents of one DXL source: an index entry of each is in memory, 100 bytes or less.
pub const DXL_DOCUMENTS: usize = 10_000_000;

/// Damaged places of one DXL file, after which the rest of it is given up.
pub const DXL_DAMAGED_PLACES: usize = 10_000;
