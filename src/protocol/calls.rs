//! The calls that steer: enrolment, greeting, what is to do, waiting for news, test and signs of life.
//!
//! Asked by `extractor::coordinator` and `extractor::migrator`, answered by `server::communication`. Lists hold at
//! most [`MESSAGE_LIST_ENTRIES`](crate::base::limits::MESSAGE_LIST_ENTRIES) entries. Times are milliseconds since
//! 1970-01-01 00:00 UTC and are only shown: leases and time-outs run on the server's own clock.

use super::action::Held;
use super::forms::{bounded_list, numbered, secret};
use super::ids::{ConnectorId, ExtractorId, MigrationId, NotifyMark};
use super::{Request, Versions};
use crate::base::secret::Secret;
use serde::{Deserialize, Serialize};

/// `enrol`: a one-time code from the admin page becomes a token. The only call without a token.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct EnrolRequest {
    #[serde(with = "secret")]
    pub code: Secret,
    /// The name of the machine, shown to the admin.
    pub host: String,
    pub program_version: String,
}

/// The extractor's name and token. A code that is unknown, used or too old is refused as
/// [`NotAuthorised`](super::frame::Reason::NotAuthorised), without saying which.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct EnrolAnswer {
    pub extractor: ExtractorId,
    /// Kept by the extractor in its state folder; the server keeps a hash.
    #[serde(with = "secret")]
    pub token: Secret,
}

/// `hello`: the coordinator's greeting at its start and in every round.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct HelloRequest {
    pub program_version: String,
    pub speaks: Versions,
    pub host: String,
    /// The folders in which it looks for mailboxes.
    #[serde(with = "bounded_list")]
    pub source_roots: Vec<String>,
    /// How many more migrators it would start.
    pub free_slots: u16,
    /// When the mail source last answered, by the extractor's clock; `None` if never.
    pub source_answered_unix_ms: Option<i64>,
    /// Why the guardian started the extractor again since the last greeting, in a sentence.
    pub restarted_because: Option<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct HelloAnswer {
    pub limits: ExtractorLimits,
    /// The newest extractor that the server can hand out.
    pub newest_program_version: String,
    /// To be obeyed in this order.
    #[serde(with = "bounded_list")]
    pub commands: Vec<Command>,
}

/// What the server wants an extractor to keep to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExtractorLimits {
    pub migrators: u16,
    /// Seconds between two greetings, if nothing is notified.
    pub hello_seconds: u32,
    /// Seconds between two `alive` calls in a long action.
    pub alive_seconds: u32,
}

numbered! {
    /// What a coordinator is to do. An unknown command is reported in the log and left.
    Command {
        /// Fetch the newest extractor from the server and go on with it.
        Update = 1,
        /// Start no more migrators; end when the running ones are done.
        Drain = 2,
    }
}

/// `connectors`: where this site's mailboxes are. Asked by the coordinator.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ConnectorsRequest {}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ConnectorsAnswer {
    #[serde(with = "bounded_list")]
    pub connectors: Vec<Connector>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Connector {
    pub id: ConnectorId,
    /// As the admin named it.
    pub name: String,
    /// The kind of source, as in a SOURCE on the command line: `nsf`, `imap`.
    pub kind: String,
    /// What follows the kind: a folder or file, a host with port.
    pub location: String,
    /// What opens it, where something is needed.
    pub credentials: Option<Credentials>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Credentials {
    pub user: String,
    #[serde(with = "secret")]
    pub password: Secret,
}

/// `migrations`: the mailboxes of one connector that have something to do now. The coordinator starts one migrator
/// for each, up to its limit.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct MigrationsRequest {
    pub connector: ConnectorId,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct MigrationsAnswer {
    /// The most urgent first.
    #[serde(with = "bounded_list")]
    pub migrations: Vec<Migration>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Migration {
    pub id: MigrationId,
    /// The mailbox inside the connector: a file below its folder, a user of its host.
    pub mailbox: String,
    /// What opens this mailbox, where it is not what opens the connector.
    pub credentials: Option<Credentials>,
}

/// `found`: the mailboxes below the extractor's source roots, a page at a time. Sent by the coordinator after its first
/// greeting and whenever the listing changed. The page 0 begins a new listing; what came of one before it that was not
/// ended is void.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoundRequest {
    /// Counted from 0.
    pub page: u32,
    /// The listing ends with this page, and takes the place of the one before.
    pub last: bool,
    #[serde(with = "bounded_list")]
    pub mailboxes: Vec<FoundMailbox>,
}

/// A file that looks like a mailbox.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoundMailbox {
    /// One of the source roots of the greeting.
    pub root: String,
    /// Below the root, its parts joined by `/`: what a connector on this root names as its mailbox.
    pub path: String,
    /// The title of the database, as far as it could be read.
    pub title: String,
    /// Whose mailbox it is, as a Notes name, where the file names one and it costs little to read.
    pub owner: Option<String>,
    pub bytes: u64,
    /// Another program changes the file right now, in a sentence.
    pub in_use: Option<String>,
    /// Why it cannot be opened as a mailbox, in a sentence.
    pub unreadable: Option<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FoundAnswer {}

/// `notify`: held open by the server up to 25 s, until one of the extractor's migrations has something new. One an
/// extractor, not one a migrator; the coordinator tells its migrators.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NotifyRequest {
    /// The mark of the answer before, so that nothing is missed between two calls.
    pub heard: NotifyMark,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NotifyAnswer {
    pub mark: NotifyMark,
    /// Migrations with a new action since `heard`.
    #[serde(with = "bounded_list")]
    pub migrations: Vec<MigrationId>,
    /// Everything may be new (connectors changed, the server does not know `heard`): ask `hello` and what follows it.
    pub ask_all: bool,
}

/// `test`: a migrator's first call, which shows that the way to the server works in both directions.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TestRequest {
    pub migration: MigrationId,
    /// Any number.
    pub nonce: u64,
    pub program_version: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TestAnswer {
    /// The number that was sent.
    pub nonce: u64,
    pub program_version: String,
    pub server_unix_ms: i64,
    /// The migrator is too old for its migration: it ends, the coordinator updates and starts it again.
    pub outdated: bool,
}

/// `alive`: a migrator's sign of life in a long action. Every other call and every kept chunk is one too.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AliveRequest {
    pub held: Held,
    /// Bytes read from the source in this action so far.
    pub bytes_read: u64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AliveAnswer {
    /// The lease is over or the migration was stopped: leave the action and end.
    pub stop: bool,
}

macro_rules! calls {
    ($($request:ident -> $answer:ident = $call:literal,)*) => {
        $(impl Request for $request {
            const CALL: &'static str = $call;
            type Answer = $answer;
        })*
    };
}

calls! {
    EnrolRequest -> EnrolAnswer = "enrol",
    HelloRequest -> HelloAnswer = "hello",
    ConnectorsRequest -> ConnectorsAnswer = "connectors",
    MigrationsRequest -> MigrationsAnswer = "migrations",
    FoundRequest -> FoundAnswer = "found",
    NotifyRequest -> NotifyAnswer = "notify",
    TestRequest -> TestAnswer = "test",
    AliveRequest -> AliveAnswer = "alive",
}
