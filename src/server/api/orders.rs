//! What the web API asks of the rest of the server: orders go out, views come back.

use crate::base::ids::{MailboxNumber, MigrationId};
use crate::model::loss::SetAside;
use crate::server::communication::Communication;
use crate::store::config::PassLine;
use crate::store::seal::SealKey;
use crate::store::{StateStore, StoreError};
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
    fn store(&self) -> &StateStore;

    /// The door for extractors.
    fn communication(&self) -> &Communication;

    /// The key of the passwords.
    fn seal_key(&self) -> &SealKey;

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
}
