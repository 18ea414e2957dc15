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

/// Pixels of a bitmap of an old release: more than a page printed at 300 dots per inch. A few bytes can stand for very
/// many pixels.
pub const BITMAP_PIXELS: usize = 16 << 20;

/// Pixels of all bitmaps of one text together.
pub const BITMAPS_PIXELS: usize = 64 << 20;

/// Different losses that are told of one item.
pub const LOSSES_PER_ITEM: usize = 100;

/// Older copies beside newer ones that a pass names; it counts all.
pub const LEFT_BEHIND_TOLD: usize = 100;

/// Named documents of a database that are read for the owner's settings; a mail file has about ten.
pub const PROFILES: usize = 1_000;

/// Documents with rules and settings that are exported of one mailbox.
pub const EXPORTED_DOCUMENTS: usize = 10_000;

/// Bytes of a file that gives folders other names.
pub const FOLDER_MAP_BYTES: u64 = 1 << 20;

/// Examples of each kind of loss in a report.
pub const REPORT_LOSS_EXAMPLES: usize = 20;

/// Documents of each reason that a report lists on its readable page; its tables list all.
pub const REPORT_SET_ASIDE_EXAMPLES: usize = 500;

/// Characters of a subject that are kept to recognise an item by.
pub const ABOUT_SUBJECT_CHARS: usize = 200;

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

/// Bytes of the UIDs in one command: servers take lines of 8,000 (RFC 2683 section 3.2.1.5).
pub const COMMAND_SET_BYTES: usize = 7_500;

/// Items that were delivered earlier and are looked for at the target together.
pub const LOOK_ITEMS: usize = 2_000;

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

/// Bytes after which a writer closes a chunk. A receiver has the message, what it decompresses to and the content in
/// memory for each call, so a smaller chunk lets more extractors call at the same time; larger ones are not faster.
pub const CHUNK_WRITTEN_BYTES: usize = (1 << 20) - 4096;

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

/// Bytes of the access control list of a database: its places are numbers of 16 bits.
pub const ACCESS_LIST_BYTES: u64 = 64 << 10;

/// Lines of an access control list, and roles of one of them, that an export lists. Notes itself stops at some hundreds.
pub const ACCESS_ENTRIES: usize = 4_000;

/// Documents that are read beside one calendar entry, because they are of its series or answer it.
pub const SERIES_DOCUMENTS: usize = 2_000;

/// Bytes of those documents.
pub const SERIES_BYTES: usize = 64 << 20;

/// Changed occurrences of a series that are written in full. The others keep their times.
pub const SERIES_OVERRIDES: usize = 1_000;

/// Folders inside the folder in which a server keeps attachments; each holds up to 40,000 of them.
pub const DAOS_FOLDERS: usize = 10_000;

/// Seconds for which passes over mailboxes wait for address books that are being read: a book that is known is listed
/// in less, and an extractor that is switched off must not hold all mailboxes.
pub const ADDRESS_BOOK_SECONDS: u64 = 120;

/// Entries of all address books that are kept in memory, at half a kilobyte each, and twice while they are made anew.
pub const DIRECTORY_ENTRIES: usize = 500_000;

/// Members of a group that are looked for among the contacts of its source; an item of names holds fewer.
pub const GROUP_MEMBERS: usize = 10_000;

/// Bytes of the description of one calendar entry; programs that show calendars expect a few lines.
pub const DESCRIPTION_BYTES: usize = 1 << 20;

/// Bytes of one calendar object, attachments left out, after which occurrences are written without their texts and
/// participants.
pub const CALENDAR_BYTES: usize = 16 << 20;
/// Bytes of items that one action asks for; the item that passes it is the last one.
pub const GET_BYTES: u64 = 64 << 20;

/// Bytes that a migration takes out of its data buffer at once: more would lie in memory for nothing.
pub const TAKE_BYTES: u64 = 1 << 20;

/// Files of an item that have more bytes than this stay in the spool until their message is written.
pub const SPOOLED_FILE_FROM_BYTES: usize = 64 << 10;

/// Bytes of prepared messages in memory that wait for the delivery of one mailbox.
pub const DELIVERY_QUEUE_BYTES: u64 = 4 << 20;

/// Milliseconds after which a batch that is not full is delivered because nothing more came.
pub const DELIVERY_IDLE_MS: u64 = 500;

/// Milliseconds after which a migration service looks for data although nobody signalled.
pub const SERVICE_LOOK_MS: u64 = 100;

/// Seconds that a lease lasts without a sign of life: a migrator that is silent for longer is given up, and its action
/// goes to another.
pub const LEASE_SECONDS: u64 = 180;

/// Leases of an action that may come to nothing before it is given up, so that one bad item cannot hold a mailbox.
pub const ACTION_ATTEMPTS: u32 = 3;

/// Milliseconds after which a migrator that was told to wait asks again; news come earlier by `notify`.
pub const WAIT_MILLISECONDS: u32 = 30_000;

/// Milliseconds after which a chunk that found no room is sent again.
pub const TRY_LATER_MILLISECONDS: u32 = 500;

/// Bytes of one value of the spool, just under a page of 64 KiB. It is opened as a whole, so whoever reads a part of a
/// chunk pays for the values that the part lies in.
pub const SPOOL_VALUE_BYTES: usize = (64 << 10) - 4096;

/// Bytes that the spool keeps of its file in memory.
pub const SPOOL_CACHE_BYTES: usize = 2 << 20;

/// Commits of the spool after which one makes the pages that were freed usable again.
pub const SPOOL_COMMITS: u64 = 16;

/// Bytes of the spool file from which it is made anew when it is empty.
pub const SPOOL_FILE_BYTES: u64 = 64 << 20;

/// Migrators that one extractor may run, unless its memory asks for fewer.
pub const EXTRACTOR_MIGRATORS: u16 = 30;

/// Seconds between two greetings of an extractor to which nothing is notified.
pub const HELLO_SECONDS: u32 = 30;

/// Seconds between two signs of life in a long action: several within a lease.
pub const ALIVE_SECONDS: u32 = 20;

/// Seconds for which a *notify* is held open: less than the 30 s after which many proxies cut a silent line.
pub const NOTIFY_SECONDS: u64 = 25;

/// Seconds for which the answer to the last chunk of an action waits for the next action.
pub const ANSWER_WAIT_SECONDS: u64 = 2;

/// Bytes of one migration in the data buffer: what may arrive while an action's answer is delivered.
pub const DATA_BUFFER_BYTES: u64 = 32 << 20;

/// Bytes of one migration in the spool, beyond which nothing is taken from its buffer until something was delivered. One
/// item alone may be larger.
pub const SPOOL_BYTES: u64 = 128 << 20;

/// Bytes of all migrations in data buffers and spools.
pub const ALL_DATA_BYTES: u64 = 4 << 30;

/// Bytes that stay free on the disk of the data folder: room for the ledger to grow.
pub const RESERVE_FREE_BYTES: u64 = 512 << 20;

/// Milliseconds for which an enrolment code is good: a day.
pub const ENROL_CODE_MILLISECONDS: i64 = 24 * 60 * 60 * 1_000;

/// Bytes of the name of a machine that enrols.
pub const HOST_BYTES: usize = 255;

/// Bytes of a greeting that are kept to be shown.
pub const HELLO_BYTES: usize = 64 << 10;

/// Bytes of the list of mailboxes that an extractor found, kept to be chosen from: some 15,000 mailboxes.
pub const FOUND_BYTES: usize = 4 << 20;
/// Seconds until the server has to begin its answer to an extractor; `notify` is held open for 25 of them.
pub const ANSWER_SECONDS: u64 = 60;

/// Seconds for the body of one call or answer between extractor and server: 4 MiB on a line of 120 kbit/s.
pub const TRANSFER_SECONDS: u64 = 300;

/// The longest pause, in seconds, before something that failed is tried again by an extractor. It tries for ever, so
/// that nobody has to go to the site.
pub const RETRY_SECONDS: u64 = 30;

/// The longest pause, in seconds, in which a migrator that was told to wait does not ask again.
pub const WAIT_SECONDS: u64 = 300;

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
/// Connections that the public port holds at once; fewer when the open-file limit is low. Each is a thread.
pub const GATE_CONNECTIONS: usize = 500;

/// Connections of one address (IPv6: of one /64 network): half, so that one address never takes every place, and
/// several extractors behind one address translation still have a connection for each migrator.
pub const GATE_CONNECTIONS_PER_ADDRESS: usize = 250;

/// Open files that the process asks the system for at its start, as far as the system allows it.
pub const OPEN_FILES: u64 = 8_192;

/// Open files that the public port leaves to the rest of the process: databases, sources, destinations.
pub const GATE_RESERVED_FILES: u64 = 256;

/// Bytes of the head of a request: browsers send about 1 KiB, with many cookies 8 KiB.
pub const GATE_HEAD_BYTES: usize = 16 << 10;

/// Bytes of the target in a request line (RFC 9110 section 4.1 asks for 8,000 at least).
pub const GATE_TARGET_BYTES: usize = 8 << 10;

/// Header fields of a request.
pub const GATE_FIELDS: usize = 64;

/// Bytes of the head of an answer from behind the gate.
pub const GATE_ANSWER_HEAD_BYTES: usize = 32 << 10;

/// Seconds for the TLS handshake, and for the whole head of a request, however slowly it drips.
pub const GATE_HEAD_SECONDS: u64 = 10;

/// Seconds that a connection may stay open without a request.
pub const GATE_IDLE_SECONDS: u64 = 60;

/// Seconds that every body gets, besides what its size allows at [`GATE_BODY_BYTES_PER_SECOND`].
pub const GATE_BODY_SECONDS: u64 = 20;

/// The slowest line that a body may come over: 0.5 Mbit/s.
pub const GATE_BODY_BYTES_PER_SECOND: u64 = 64 << 10;

/// Bytes of a body for the web API.
pub const GATE_API_BODY_BYTES: u64 = 1 << 20;

/// Bytes of a body for any other route: a form.
pub const GATE_FORM_BODY_BYTES: u64 = 64 << 10;

/// Bytes of all bodies that the gate holds at once: eight of the largest.
pub const GATE_BODIES_BYTES: u64 = 8 * (BODY_BYTES as u64 + (64 << 10));

/// Seconds that a body waits for room among the others before it is refused.
pub const GATE_ROOM_SECONDS: u64 = 30;

/// Requests a second of one address; about what the server answers at all.
pub const GATE_REQUESTS_PER_SECOND: u32 = 1_000;

/// Requests of one address that may come at once.
pub const GATE_REQUESTS_AT_ONCE: u32 = 3_000;

/// Addresses whose request rate is remembered.
pub const GATE_RATES: usize = 4_096;

/// Seconds until the server behind the gate has to begin its answer. Long polls take up to 25.
pub const GATE_ANSWER_SECONDS: u64 = 120;

/// Seconds in which a client has to take each block of an answer.
pub const GATE_WRITE_SECONDS: u64 = 30;

/// Bytes of an answer that are passed on at once.
pub const GATE_BLOCK_BYTES: usize = 16 << 10;

/// Connections to the server behind the gate that are kept open for the next request.
pub const GATE_KEPT_LINKS: usize = 16;

/// Seconds that running requests get to end when the gate is closed.
pub const GATE_STOP_SECONDS: u64 = 10;

/// Bytes of the stack of a connection's thread; a TLS handshake takes the most.
pub const GATE_STACK_BYTES: usize = 256 << 10;

/// Seconds between two events of one kind; what happened in between is counted.
pub const GATE_EVENT_SECONDS: u64 = 10;

/// Bytes of a body for the calls of an extractor: one message with what frames it.
pub const EXTRACTOR_BODY_BYTES: u64 = BODY_BYTES as u64 + (4 << 10);

/// Requests that the server answers at once, a thread each: one for every connection of the gate, and some for the
/// command line.
pub const SERVER_REQUESTS: usize = GATE_CONNECTIONS + 32;

/// Seconds that running requests get to end when the server stops.
pub const SERVER_STOP_SECONDS: u64 = 10;

/// Failures in a row after which a pass that waits for its next try is shown as one that needs somebody.
pub const FAILURES_BY_ITSELF: u32 = 3;

/// Different details of one kind of loss that are told apart: more than a person reads, and few enough for memory.
pub const SUMMARY_DETAILS: usize = 1_000;

/// Details of one kind of loss that are shown, the most frequent first.
pub const SUMMARY_DETAILS_TOLD: usize = 5;

/// Entries of one page of a list of the web API.
pub const API_PAGE_ENTRIES: usize = 1_000;

/// Bytes of a text that an administrator enters: longer than any path or address.
pub const API_TEXT_BYTES: usize = 4 << 10;

/// Bytes of a text of several lines that an administrator enters: a thousand folders with their new names.
pub const API_LINES_BYTES: usize = 128 << 10;

/// Bytes of a name that an administrator gives.
pub const API_NAME_BYTES: usize = 200;

/// Bytes of an answer of the web API that the command line reads: a list of some 100,000 mailboxes.
pub const API_ANSWER_BYTES: u64 = 64 << 20;

/// Seconds until an answer of the web API has to come: a log-in at a slow target, and then some.
pub const API_ANSWER_SECONDS: u64 = 300;

/// Bytes of the file with the settings of the server.
pub const SETTINGS_FILE_BYTES: u64 = 64 << 10;

/// Characters that a password of a user has at least. Length is what counts, so nothing else is asked of it.
pub const USER_PASSWORD_CHARACTERS: usize = 10;

/// Users of one server.
pub const USERS: usize = 1_000;

/// Sessions at once; the one that was used least recently ends for a new one.
pub const SESSIONS: usize = 1_000;

/// Seconds without a request after which a session ends. An open page asks all the time.
pub const SESSION_IDLE_SECONDS: u64 = 60 * 60;

/// Seconds after which a session ends whatever happens: a working day.
pub const SESSION_SECONDS: u64 = 12 * 60 * 60;

/// Log-ins that may fail for a name or an address before the first pause.
pub const LOG_IN_FAILURES: u32 = 5;

/// The longest pause, in seconds, after a log-in that failed. The pauses double: 1, 2, 4, ... seconds.
pub const LOG_IN_PAUSE_SECONDS: u64 = 300;

/// Seconds after which failed log-ins are forgotten.
pub const LOG_IN_FORGET_SECONDS: u64 = 60 * 60;

/// Names and addresses whose failed log-ins are remembered.
pub const LOG_IN_FAILED: usize = 4_096;

/// Lines of the audit log; the oldest leave first.
pub const AUDIT_LINES: u64 = 100_000;

/// Milliseconds for which a line of the audit log is kept: two years.
pub const AUDIT_MILLISECONDS: i64 = 2 * 365 * 24 * 60 * 60 * 1_000;

/// Milliseconds in which changes are gathered before a page is told: a pass changes something many times a second.
pub const CHANGES_GATHERED_MS: u64 = 300;

/// Seconds without a call after which an extractor counts as silent: three greetings.
pub const EXTRACTOR_SILENT_SECONDS: u64 = 3 * HELLO_SECONDS as u64;

/// Mailboxes that one call starts passes for.
pub const PASSES_AT_ONCE: usize = 10_000;

/// Bytes of a file of the page that is read from a folder during development.
pub const PAGE_FILE_BYTES: u64 = 16 << 20;
