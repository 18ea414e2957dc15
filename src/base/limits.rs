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

/// Seconds until the server has to begin its answer to an extractor; `notify` is held open for 25 of them.
pub const ANSWER_SECONDS: u64 = 60;

/// Seconds for the body of one call or answer between extractor and server: 4 MiB on a line of 120 kbit/s.
pub const TRANSFER_SECONDS: u64 = 300;

/// The longest pause, in seconds, before something that failed is tried again by an extractor. It tries for ever, so
/// that nobody has to go to the site.
pub const RETRY_SECONDS: u64 = 30;

/// The longest pause, in seconds, in which a migrator that was told to wait does not ask again.
pub const WAIT_SECONDS: u64 = 300;

/// Migrators of one extractor: each is a process with a mailbox open.
pub const MIGRATORS: u16 = 30;

/// Seconds for which a part of the extractor has to run before its next end counts as its first again.
pub const SETTLED_SECONDS: u64 = 60;

/// Bytes of the line with settings that a child process of the extractor reads.
pub const SETTINGS_BYTES: u64 = 1 << 20;

/// Bytes of the token file in the state folder of an extractor.
pub const ENROLMENT_BYTES: u64 = 64 << 10;

/// Folders inside folders in which an extractor looks for mailboxes.
pub const FOLDER_LEVELS: usize = 32;

/// Entries of folders that one look for mailboxes goes through: minutes on a slow share.
pub const FOLDER_ENTRIES: usize = 1_000_000;

/// Mailboxes that one look finds.
pub const FOUND_MAILBOXES: usize = 20_000;

/// Bytes of the texts in one page of found mailboxes, which leaves room in a body.
pub const FOUND_PAGE_BYTES: usize = 2 << 20;
