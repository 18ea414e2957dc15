//! The communication service: the only door for extractors. It knows who asks, shows each extractor its own part only,
//! and hands out actions and takes content; what is to be done is decided by `server::migration`.
//!
//! A call is a name, a token and a body, and is answered by a body: a refusal is one too. Whether they came by HTTP is
//! no matter here.

use crate::base::clock::{Moment, Monotonic};
use crate::base::ids::MigrationId;
use crate::base::limits::{
    ALIVE_SECONDS, ANSWER_WAIT_SECONDS, EXTRACTOR_MIGRATORS, HELLO_SECONDS, NOTIFY_SECONDS,
};
use crate::base::secret::Secret;
use crate::buffers::action::ActionBuffer;
use crate::buffers::data::DataBuffer;
use crate::protocol::calls::{FoundMailbox, HelloRequest};
use crate::protocol::frame::{Reason, Refusal};
use crate::store::config::Extractor;
use crate::store::seal::SealKey;
use crate::store::{StateStore, StoreError};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// What extractors are told to keep to, and how long their calls are held.
#[derive(Clone, Copy, Debug)]
pub struct CommunicationSettings {
    /// Migrators that one extractor may run.
    pub migrators: u16,
    /// Seconds between two greetings, if nothing is notified.
    pub hello_seconds: u32,
    /// Seconds between two signs of life in a long action.
    pub alive_seconds: u32,
    /// How long a *notify* is held.
    pub notify_wait: Duration,
    /// How long the answer to a last chunk waits for the next action.
    pub answer_wait: Duration,
}

impl Default for CommunicationSettings {
    fn default() -> Self {
        Self {
            migrators: EXTRACTOR_MIGRATORS,
            hello_seconds: HELLO_SECONDS,
            alive_seconds: ALIVE_SECONDS,
            notify_wait: Duration::from_secs(NOTIFY_SECONDS),
            answer_wait: Duration::from_secs(ANSWER_WAIT_SECONDS),
        }
    }
}

/// An enrolled extractor and what it said of itself since the start of this process.
#[derive(Clone, Debug)]
pub struct ExtractorView {
    pub line: Extractor,
    /// When it last called.
    pub last_heard: Option<Moment>,
    /// Its last greeting.
    pub hello: Option<HelloRequest>,
    /// Why its guardian last started it again, in a sentence, and when that was told.
    pub restarted: Option<(Moment, String)>,
    /// The mailboxes below its source roots, by its last whole listing.
    pub found: Arc<Vec<FoundMailbox>>,
    /// It found more than are kept here.
    pub found_more: bool,
    /// How many of its migrators hold a lease.
    pub migrators_at_work: usize,
}

type Clock = Box<dyn Fn() -> Moment + Send + Sync>;
type Wake = Box<dyn Fn(MigrationId) + Send + Sync>;

/// The door for extractors.
pub struct Communication {
    store: Arc<StateStore>,
    actions: Arc<ActionBuffer>,
    data: Arc<DataBuffer>,
    keys: SealKey,
    clock: Clock,
    settings: CommunicationSettings,
    wake: OnceLock<Wake>,
}

impl Communication {
    /// `keys` opens the passwords of sources.
    pub fn new(
        store: Arc<StateStore>,
        actions: Arc<ActionBuffer>,
        data: Arc<DataBuffer>,
        keys: SealKey,
        clock: impl Fn() -> Moment + Send + Sync + 'static,
        settings: CommunicationSettings,
    ) -> Self {
        Self { store, actions, data, keys, clock: Box::new(clock), settings, wake: OnceLock::new() }
    }

    /// The answer to a call. `bearer` is what follows `Bearer` in the header `Authorization`. It never fails: a refusal
    /// is a body too. *notify* and the last chunk of an answer are held here for a while.
    pub fn answer(&self, _call: &str, _bearer: Option<&str>, _body: &[u8]) -> Vec<u8> {
        Refusal::new(Reason::Unavailable, "this server takes no calls").encode()
    }

    /// There is something new for a migration: its extractor's *notify* is answered, and so is a chunk that waits for
    /// the next action.
    pub fn tell(&self, _migration: MigrationId) {}

    /// The configuration changed: every extractor asks for everything.
    pub fn tell_all(&self) {}

    /// Called after a chunk was kept or an action changed hands. Set once, before the first call.
    pub fn on_arrival(&self, wake: Box<dyn Fn(MigrationId) + Send + Sync>) {
        assert!(self.wake.set(wake).is_ok(), "one party waits for arrivals");
    }

    /// A code that lets one machine enrol within a day. It is shown once.
    ///
    /// # Errors
    /// When the state cannot be written.
    pub fn make_enrol_code(&self) -> Result<Secret, StoreError> {
        Ok(Secret::new(""))
    }

    /// All extractors.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub fn extractors(&self) -> Result<Vec<ExtractorView>, StoreError> {
        Ok(Vec::new())
    }

    /// When a migrator last called for a migration.
    pub fn sign_of_life(&self, migration: MigrationId) -> Option<Monotonic> {
        self.actions.heard(migration)
    }

    /// Ends the calls that are held and those that come.
    pub fn shut_down(&self) {}
}
