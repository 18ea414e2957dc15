//! What the web API asks of the rest of the server: orders go out, views come back.

use crate::base::ids::{MailboxNumber, MigrationId};
use crate::base::secret::Secret;
use crate::model::loss::SetAside;
use crate::store::StoreError;
use crate::store::config::{Extractor, PassLine};
use std::time::Duration;

/// Why an order was not taken.
#[derive(Debug, thiserror::Error)]
pub enum OrderError {
    /// There is no such mailbox or pass.
    #[error("it does not exist")]
    Unknown,
    /// It cannot be done now; a whole sentence for people.
    #[error("{0}")]
    Refused(String),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What is known of an extractor.
#[derive(Clone, Debug)]
pub struct ExtractorView {
    pub line: Extractor,
    /// How long ago it last called; `None` if it did not since the server started.
    pub heard_ago: Option<Duration>,
    pub program_version: Option<String>,
    pub source_roots: Vec<String>,
    /// Why its guardian last started it again, in a sentence.
    pub restarted_because: Option<String>,
    /// Its mailboxes at work.
    pub migrators: usize,
    pub found: Vec<FoundView>,
}

/// A file that looks like a mailbox, at an extractor.
#[derive(Clone, Debug)]
pub struct FoundView {
    /// One of its source roots.
    pub root: String,
    /// Below the root, parts joined by `/`.
    pub path: String,
    pub title: String,
    pub owner: Option<String>,
    pub bytes: u64,
    /// Another program changes it, in a sentence.
    pub in_use: Option<String>,
    /// Why it cannot be opened, in a sentence.
    pub unreadable: Option<String>,
}

/// A document that was set aside.
#[derive(Clone, Debug)]
pub struct SetAsideView {
    /// Its origin as text: the key of the page after it.
    pub key: String,
    pub set_aside: SetAside,
    pub unix_ms: i64,
}

/// The rest of the server.
pub trait Orders: Send + Sync {
    /// Begins a pass over a mailbox.
    ///
    /// # Errors
    /// [`OrderError`]
    fn start_pass(&self, mailbox: MailboxNumber) -> Result<MigrationId, OrderError>;

    /// Ends a pass before it is finished.
    ///
    /// # Errors
    /// [`OrderError`]
    fn stop_pass(&self, pass: MigrationId) -> Result<(), OrderError>;

    /// All passes with their sums of this moment.
    ///
    /// # Errors
    /// When the state cannot be read.
    fn passes(&self) -> Result<Vec<PassLine>, StoreError>;

    /// Waits up to `most` until something changed after the mark `after`, and gives the mark of now. Marks begin
    /// above 0 and grow; one of another start of the server counts as changed.
    fn wait_for_change(&self, after: u64, most: Duration) -> u64;

    /// Up to `limit` documents of a mailbox that are set aside, after the key `after`.
    ///
    /// # Errors
    /// [`OrderError`]
    fn set_aside(
        &self,
        mailbox: MailboxNumber,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<SetAsideView>, OrderError>;

    /// A code with which one extractor can enrol within a day. It is not kept in readable form.
    ///
    /// # Errors
    /// When the state cannot be written.
    fn make_enrol_code(&self) -> Result<Secret, StoreError>;

    /// All extractors, the revoked ones too.
    ///
    /// # Errors
    /// When the state cannot be read.
    fn extractors(&self) -> Result<Vec<ExtractorView>, StoreError>;

    /// Extractors, connectors or mailboxes changed.
    fn configuration_changed(&self);
}
