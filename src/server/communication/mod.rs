//! The communication service: the only door for extractors. It knows who asks, shows each extractor its own part only,
//! and hands out actions and takes content; what is to be done is decided by `server::migration`.
//!
//! A call is a name, a token and a body, and is answered by a body: a refusal is one too. Whether they came by HTTP is
//! no matter here.

mod board;
mod enrolment;
mod sessions;
mod work;

pub use self::enrolment::{code_hash, random_code};

use self::board::Board;
use self::sessions::{Session, Sessions};
use crate::base::clock::{Moment, Monotonic};
use crate::base::ids::{ExtractorId, MigrationId};
use crate::base::limits::{
    ALIVE_SECONDS, ANSWER_WAIT_SECONDS, EXTRACTOR_MIGRATORS, HELLO_SECONDS, NOTIFY_SECONDS,
};
use crate::buffers::action::ActionBuffer;
use crate::buffers::data::DataBuffer;
use crate::protocol::Request;
use crate::protocol::action::{ActionRequest, DataRequest};
use crate::protocol::calls::{
    AliveRequest, ConnectorsRequest, EnrolRequest, ExtractorLimits, FoundAnswer, FoundMailbox, FoundRequest,
    HelloAnswer, HelloRequest, MigrationsRequest, NotifyRequest, TestAnswer, TestRequest,
};
use crate::protocol::frame::{self, FrameError, Reason, Refusal};
use crate::store::config::Extractor;
use crate::store::seal::SealKey;
use crate::store::{StateStore, StoreError};
use std::fmt;
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

const PROGRAM_VERSION: &str = env!("CARGO_PKG_VERSION");

type Clock = Box<dyn Fn() -> Moment + Send + Sync>;
type Wake = Box<dyn Fn(MigrationId) + Send + Sync>;
type News = Box<dyn Fn() + Send + Sync>;

/// The door for extractors.
pub struct Communication {
    store: Arc<StateStore>,
    actions: Arc<ActionBuffer>,
    data: Arc<DataBuffer>,
    keys: SealKey,
    clock: Clock,
    settings: CommunicationSettings,
    wake: OnceLock<Wake>,
    news: OnceLock<News>,
    board: Board,
    sessions: Sessions,
}

impl fmt::Debug for Communication {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Communication")
    }
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
        let board = Board::new(clock().unix_ms);
        let (wake, news, sessions) = (OnceLock::new(), OnceLock::new(), Sessions::default());
        Self { store, actions, data, keys, clock: Box::new(clock), settings, wake, news, board, sessions }
    }

    /// The answer to a call. `bearer` is what follows `Bearer` in the header `Authorization`. It never fails: a refusal
    /// is a body too. *notify* and the last chunk of an answer are held here for a while.
    pub fn answer(&self, call: &str, bearer: Option<&str>, body: &[u8]) -> Vec<u8> {
        let answer = self.answer_or_refuse(call, bearer, body);
        let tells_of_itself = [EnrolRequest::CALL, HelloRequest::CALL, FoundRequest::CALL].contains(&call);
        if let (true, Ok(_), Some(news)) = (tells_of_itself, &answer, self.news.get()) {
            news();
        }
        answer.unwrap_or_else(|refusal| refusal.encode())
    }

    fn answer_or_refuse(&self, call: &str, bearer: Option<&str>, body: &[u8]) -> Result<Vec<u8>, Refusal> {
        if call == EnrolRequest::CALL {
            return reply(body, |request| self.enrol(request));
        }
        let extractor = self.authorise(bearer)?;
        self.sessions.heard(extractor, self.now());
        match call {
            HelloRequest::CALL => reply(body, |request| self.hello(extractor, request)),
            ConnectorsRequest::CALL => reply(body, |ConnectorsRequest {}| self.connectors(extractor)),
            MigrationsRequest::CALL => reply(body, |request| self.migrations(extractor, &request)),
            FoundRequest::CALL => reply(body, |request| self.found(extractor, request)),
            NotifyRequest::CALL => reply(body, |NotifyRequest { heard }| {
                Ok(self.board.notify(extractor, heard, self.settings.notify_wait))
            }),
            TestRequest::CALL => reply(body, |request| Ok(self.test(&request))),
            ActionRequest::CALL => reply(body, |request| self.action(extractor, &request)),
            DataRequest::CALL => reply(body, |request| self.take_in(extractor, request)),
            AliveRequest::CALL => reply(body, |request| self.alive(extractor, &request)),
            _ => Err(Refusal::new(Reason::Version, "this server does not know the call")),
        }
    }

    /// There is something new for a migration: its extractor's *notify* is answered, and so is a chunk that waits for
    /// the next action.
    pub fn tell(&self, migration: MigrationId) {
        match self.owner(migration) {
            Ok(owner) => self.board.tell(migration, owner),
            // Whose it is cannot be read now: everybody asks.
            Err(_) => self.board.tell_all(),
        }
    }

    /// The configuration changed: every extractor asks for everything.
    pub fn tell_all(&self) {
        self.board.tell_all();
    }

    /// Called after a chunk was kept or an action may have changed hands. Set once, before the first call.
    ///
    /// # Panics
    /// When it was set before.
    pub fn on_arrival(&self, wake: Box<dyn Fn(MigrationId) + Send + Sync>) {
        assert!(self.wake.set(wake).is_ok(), "one party waits for arrivals");
    }

    /// Called after an extractor told something of itself. Set once, before the first call.
    ///
    /// # Panics
    /// When it was set before.
    pub fn on_news(&self, news: Box<dyn Fn() + Send + Sync>) {
        assert!(self.news.set(news).is_ok(), "one party waits for news");
    }

    /// All extractors.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub fn extractors(&self) -> Result<Vec<ExtractorView>, StoreError> {
        let leases = self.actions.leases();
        let view = |line: Extractor| {
            let migrators_at_work = leases.get(&line.id).copied().unwrap_or_default();
            let session = self.sessions.get(line.id);
            let Session { last_heard, hello, restarted, found, found_more, .. } = session;
            ExtractorView { line, last_heard, hello, restarted, found, found_more, migrators_at_work }
        };
        Ok(self.store.lines::<Extractor>()?.into_iter().map(view).collect())
    }

    /// When a migrator last called for a migration.
    pub fn sign_of_life(&self, migration: MigrationId) -> Option<Monotonic> {
        self.actions.heard(migration)
    }

    /// Answers the calls that are held, and holds none from now on.
    pub fn shut_down(&self) {
        self.board.close();
    }

    fn now(&self) -> Moment {
        (self.clock)()
    }

    fn hello(&self, extractor: ExtractorId, request: HelloRequest) -> Result<HelloAnswer, Refusal> {
        if !self.sessions.hello(extractor, request, self.now()) {
            return Err(Refusal::new(Reason::TooLarge, "the greeting is too long"));
        }
        let CommunicationSettings { migrators, hello_seconds, alive_seconds, .. } = self.settings;
        Ok(HelloAnswer {
            limits: ExtractorLimits { migrators, hello_seconds, alive_seconds },
            newest_program_version: PROGRAM_VERSION.to_owned(),
            commands: Vec::new(),
        })
    }

    fn found(&self, extractor: ExtractorId, request: FoundRequest) -> Result<FoundAnswer, Refusal> {
        let taken = self.sessions.found(extractor, request);
        let out_of_order = || Refusal::new(Reason::Unavailable, "a listing begins with its page 0");
        taken.map(|()| FoundAnswer {}).map_err(|_| out_of_order())
    }

    fn test(&self, request: &TestRequest) -> TestAnswer {
        TestAnswer {
            nonce: request.nonce,
            program_version: PROGRAM_VERSION.to_owned(),
            server_unix_ms: self.now().unix_ms,
            // Whoever speaks this version of the protocol is new enough.
            outdated: false,
        }
    }
}

fn reply<R: Request>(
    body: &[u8],
    answer: impl FnOnce(R) -> Result<R::Answer, Refusal>,
) -> Result<Vec<u8>, Refusal> {
    let request = frame::decode(body).map_err(|error| error.refusal())?;
    frame::encode(&answer(request)?)
        .map_err(|error: FrameError| Refusal::new(Reason::Unavailable, error.to_string()))
}

/// The state cannot be used now; whoever calls asks again later.
fn refused(error: StoreError) -> Refusal {
    Refusal::new(Reason::Unavailable, error.to_string())
}
