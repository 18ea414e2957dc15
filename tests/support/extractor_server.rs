//! A server for extractors that does what a test says, over the real protocol on a loopback port.

use notesferry::base::ids::{ActionId, ConnectorId, Epoch, ExtractorId, MigrationId, MigratorId, Sequence};
use notesferry::base::secret::Secret;
use notesferry::protocol::Request;
use notesferry::protocol::action::{Action, ActionRequest, DataAnswer, DataRequest, Held, Lease, Order};
use notesferry::protocol::calls::{
    AliveAnswer, AliveRequest, Command, Connector, ConnectorsAnswer, ConnectorsRequest, EnrolAnswer,
    EnrolRequest, ExtractorLimits, FoundAnswer, FoundMailbox, FoundRequest, HelloAnswer, HelloRequest,
    Migration, MigrationsAnswer, MigrationsRequest, NotifyAnswer, NotifyRequest, TestAnswer, TestRequest,
};
use notesferry::protocol::frame::{Reason, Refusal, decode, encode};
use notesferry::protocol::ids::NotifyMark;
use notesferry::protocol::transfer::Chunk;
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

pub const CODE: &str = "open-sesame";
const TOKEN: &str = "t0ken";
const EXTRACTOR: ExtractorId = ExtractorId(3);

/// After so long a test gives up on what it waits for.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long the server holds a `notify` open.
const NOTIFY: Duration = Duration::from_secs(2);

/// What the server does with the next chunk that is due instead of keeping it and saying so.
#[derive(Clone, Debug)]
pub enum Fault {
    TryLater,
    /// It arrived damaged.
    SendAgain,
    /// It is kept, and the answer is lost.
    LoseAnswer,
    /// All but so many chunks are lost.
    Forget(usize),
    Stop,
}

/// An action that an extractor answers.
#[derive(Debug)]
struct Work {
    action: Action,
    held: Held,
    holder: MigratorId,
    kept: Vec<Chunk>,
}

/// A mailbox and what is wanted of it.
#[derive(Debug, Default)]
pub struct Job {
    pub mailbox: String,
    pub queue: VecDeque<Action>,
    work: Option<Work>,
    /// The chunks of each answer that is whole.
    pub answers: Vec<Vec<Chunk>>,
    /// What is ordered when the queue is empty; waiting if there is nothing.
    pub end: Option<Action>,
}

#[derive(Default)]
pub struct State {
    /// Every call is answered with 503.
    pub down: bool,
    pub location: String,
    /// Of what is kept only the numbers are.
    pub forgetful: bool,
    pub jobs: BTreeMap<u64, Job>,
    pub faults: VecDeque<Fault>,
    pub drain: bool,
    pub alive_stops: bool,
    mark: u64,
    news: Vec<MigrationId>,
    next_action: u64,
    pub greetings: Vec<HelloRequest>,
    pub asked: Vec<ActionRequest>,
    pub tests: usize,
    pub alive: usize,
    pages: Vec<FoundMailbox>,
    pub found: Vec<Vec<FoundMailbox>>,
    /// The numbers of all chunks as they arrived.
    pub arrived: Vec<u32>,
    closed: bool,
}

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

pub struct ExtractorServer {
    shared: Arc<Shared>,
    http: Arc<tiny_http::Server>,
    workers: Vec<JoinHandle<()>>,
}

impl ExtractorServer {
    /// A server whose connector is the folder `location`.
    pub fn start(location: &str) -> Self {
        Self::start_at("127.0.0.1:0", location)
    }

    pub fn start_at(address: &str, location: &str) -> Self {
        // A port that was given up may be somebody else's for a moment.
        let until = Instant::now() + Duration::from_secs(30);
        let http = loop {
            match tiny_http::Server::http(address) {
                Err(_) if Instant::now() < until => thread::yield_now(),
                http => break Arc::new(http.unwrap()),
            }
        };
        let state = State { location: location.to_owned(), ..State::default() };
        let shared = Arc::new(Shared { state: Mutex::new(state), changed: Condvar::new() });
        let worker = |_| {
            let (http, shared) = (http.clone(), shared.clone());
            thread::spawn(move || while http.recv().map(|request| serve(request, &shared)).is_ok() {})
        };
        let workers = (0..8).map(worker).collect();
        Self { http, shared, workers }
    }

    pub fn address(&self) -> String {
        self.http.server_addr().to_ip().unwrap().to_string()
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address())
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().unwrap()
    }

    /// Waits until `look` finds what it looks for.
    #[track_caller]
    pub fn until<T>(&self, what: &str, mut look: impl FnMut(&mut State) -> Option<T>) -> T {
        let deadline = Instant::now() + PATIENCE;
        let mut state = self.state();
        loop {
            if let Some(found) = look(&mut state) {
                return found;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "waited in vain for: {what}");
            state = self.shared.changed.wait_timeout(state, left).unwrap().0;
        }
    }

    /// Makes a migration of a mailbox known.
    pub fn add(&self, id: u64, mailbox: &str) {
        let job = Job { mailbox: mailbox.to_owned(), ..Job::default() };
        self.state().jobs.insert(id, job);
        self.tell(id);
    }

    /// Orders an action and waits for the answer.
    #[track_caller]
    pub fn perform(&self, id: u64, action: Action) -> Vec<Chunk> {
        let before = self.order(id, action);
        self.until("an answer", |state| {
            let answers = &mut state.jobs.get_mut(&id)?.answers;
            (answers.len() > before).then(|| answers.pop().unwrap())
        })
    }

    /// Orders an action; how many answers there are yet.
    pub fn order(&self, id: u64, action: Action) -> usize {
        let mut state = self.state();
        let job = state.jobs.get_mut(&id).unwrap();
        job.queue.push_back(action);
        let before = job.answers.len();
        drop(state);
        self.tell(id);
        before
    }

    fn tell(&self, id: u64) {
        let mut state = self.state();
        state.mark += 1;
        state.news.push(MigrationId(id));
        self.shared.changed.notify_all();
    }
}

impl Drop for ExtractorServer {
    fn drop(&mut self) {
        self.shared.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).closed = true;
        self.shared.changed.notify_all();
        for worker in self.workers.drain(..) {
            // Each takes one wake-up and ends.
            while !worker.is_finished() {
                self.http.unblock();
                thread::yield_now();
            }
        }
    }
}

fn serve(mut request: tiny_http::Request, shared: &Shared) {
    let mut body = Vec::new();
    let read = request.as_reader().read_to_end(&mut body);
    if read.is_err() || request.body_length() != Some(body.len()) {
        // The extractor ended or was killed in the middle of its call.
        return;
    }
    let header = |name: &'static str| {
        let found = request.headers().iter().find(|header| header.field.equiv(name));
        found.map(|header| header.value.to_string()).unwrap_or_default()
    };
    assert_eq!(header("Content-Type"), "application/octet-stream");
    let authorization = header("Authorization");
    let call = request.url().strip_prefix("/extractor/v1/").unwrap().to_owned();
    let answer = if shared.state.lock().unwrap().down {
        None
    } else if call == EnrolRequest::CALL {
        assert_eq!(authorization, "");
        Some(enrol(&body))
    } else if authorization != format!("Bearer {EXTRACTOR}.{TOKEN}") {
        Some(Refusal::new(Reason::NotAuthorised, "the token is unknown").encode())
    } else {
        answer(&call, &body, shared)
    };
    shared.changed.notify_all();
    let status = if answer.is_some() { 200 } else { 503 };
    let response = tiny_http::Response::from_data(answer.unwrap_or_else(|| b"down".to_vec()));
    // The extractor may have been killed meanwhile.
    let _ = request.respond(response.with_status_code(status));
}

fn enrol(body: &[u8]) -> Vec<u8> {
    let request: EnrolRequest = decode(body).unwrap();
    match request.code.expose() == CODE {
        true => encode(&EnrolAnswer { extractor: EXTRACTOR, token: Secret::new(TOKEN) }).unwrap(),
        false => Refusal::new(Reason::NotAuthorised, "the code is unknown").encode(),
    }
}

fn respond<R: Request>(body: &[u8], respond: impl FnOnce(R) -> Option<R::Answer>) -> Option<Vec<u8>> {
    respond(decode(body).unwrap()).map(|answer| encode(&answer).unwrap())
}

fn answer(call: &str, body: &[u8], shared: &Shared) -> Option<Vec<u8>> {
    if call == NotifyRequest::CALL {
        return respond(body, |request| Some(notify(shared, request)));
    }
    let mut state = shared.state.lock().unwrap();
    let state = &mut *state;
    match call {
        HelloRequest::CALL => respond(body, |request| {
            state.greetings.push(request);
            let limits = ExtractorLimits { migrators: 5, hello_seconds: 1, alive_seconds: 1 };
            let commands = if state.drain { vec![Command::Drain, Command::Unknown(99)] } else { Vec::new() };
            Some(HelloAnswer { limits, newest_program_version: "0.1.0".to_owned(), commands })
        }),
        ConnectorsRequest::CALL => respond(body, |ConnectorsRequest {}| {
            let [name, kind] = ["Files", "nsf"].map(str::to_owned);
            let location = state.location.clone();
            let connector = Connector { id: ConnectorId(5), name, kind, location, credentials: None };
            Some(ConnectorsAnswer { connectors: vec![connector] })
        }),
        MigrationsRequest::CALL => respond(body, |request: MigrationsRequest| {
            assert_eq!(request.connector, ConnectorId(5));
            let migration = |(&id, job): (&u64, &Job)| Migration {
                id: MigrationId(id),
                mailbox: job.mailbox.clone(),
                credentials: None,
            };
            Some(MigrationsAnswer { migrations: state.jobs.iter().map(migration).collect() })
        }),
        FoundRequest::CALL => respond(body, |request: FoundRequest| {
            if request.page == 0 {
                state.pages.clear();
            }
            state.pages.extend(request.mailboxes);
            if request.last {
                let found = std::mem::take(&mut state.pages);
                state.found.push(found);
            }
            Some(FoundAnswer {})
        }),
        TestRequest::CALL => respond(body, |request: TestRequest| {
            state.tests += 1;
            let program_version = "0.1.0".to_owned();
            Some(TestAnswer { nonce: request.nonce, program_version, server_unix_ms: 0, outdated: false })
        }),
        ActionRequest::CALL => respond(body, |request: ActionRequest| {
            state.asked.push(request.clone());
            Some(next_order(state, &request))
        }),
        DataRequest::CALL => respond(body, |request| data(state, request)),
        AliveRequest::CALL => respond(body, |_: AliveRequest| {
            state.alive += 1;
            Some(AliveAnswer { stop: state.alive_stops })
        }),
        other => panic!("no call `{other}`"),
    }
}

/// Held open until something is new.
fn notify(shared: &Shared, request: NotifyRequest) -> NotifyAnswer {
    let state = shared.state.lock().unwrap();
    let is_old = |state: &mut State| state.mark == request.heard.0 && !state.closed;
    let (mut state, _) = shared.changed.wait_timeout_while(state, NOTIFY, is_old).unwrap();
    let migrations = std::mem::take(&mut state.news);
    NotifyAnswer { mark: NotifyMark(state.mark), migrations, ask_all: request.heard.0 == 0 }
}

fn next_order(state: &mut State, request: &ActionRequest) -> Order {
    let bare = |action| Order { action, lease: None };
    let Some(job) = state.jobs.get_mut(&request.migration.0) else { return bare(Action::Stop) };
    if let Some(work) = &mut job.work {
        if work.holder != request.migrator {
            if !request.alone {
                return bare(Action::Wait { milliseconds: 60_000 });
            }
            work.holder = request.migrator;
            work.held.epoch = Epoch(work.held.epoch.0 + 1);
            work.kept.clear();
        }
        return leased(work);
    }
    let Some(action) = job.queue.pop_front() else {
        return bare(job.end.clone().unwrap_or(Action::Wait { milliseconds: 60_000 }));
    };
    state.next_action += 1;
    let action_id = ActionId(state.next_action);
    let held = Held { migration: request.migration, action: action_id, epoch: Epoch(1) };
    leased(job.work.insert(Work { action, held, holder: request.migrator, kept: Vec::new() }))
}

fn leased(work: &Work) -> Order {
    let Held { action, epoch, .. } = work.held;
    let last_kept = work.kept.last().map(Chunk::number);
    Order { action: work.action.clone(), lease: Some(Lease { action, epoch, seconds: 60, last_kept }) }
}

/// `None` loses the answer.
fn data(state: &mut State, request: DataRequest) -> Option<DataAnswer> {
    let number = request.chunk.number();
    state.arrived.push(number.0);
    let Some(job) = state.jobs.get_mut(&request.held.migration.0) else { return Some(DataAnswer::Stop) };
    let Some(work) = job.work.as_mut().filter(|work| work.held == request.held) else {
        return Some(DataAnswer::Stop);
    };
    assert!(request.chunk.is_intact());
    let last_kept = work.kept.last().map(Chunk::number);
    match number.after(last_kept) {
        Sequence::Again => return Some(DataAnswer::Kept { next: None }),
        Sequence::Gap => return Some(DataAnswer::SendAgain { last_kept }),
        Sequence::Next => {}
    }
    let fault = state.faults.pop_front();
    match fault {
        Some(Fault::TryLater) => return Some(DataAnswer::TryLater { milliseconds: 1 }),
        Some(Fault::SendAgain) => return Some(DataAnswer::SendAgain { last_kept }),
        Some(Fault::Forget(most)) => {
            work.kept.truncate(most);
            return Some(DataAnswer::SendAgain { last_kept: work.kept.last().map(Chunk::number) });
        }
        Some(Fault::Stop) => {
            state.jobs.remove(&request.held.migration.0);
            return Some(DataAnswer::Stop);
        }
        Some(Fault::LoseAnswer) | None => {}
    }
    let last = request.chunk.is_last();
    let forgotten = || Chunk::new(number, last, vec![0]);
    work.kept.push(if state.forgetful { forgotten() } else { request.chunk });
    let mut next = None;
    if last {
        let holder = work.holder;
        job.answers.extend(job.work.take().map(|work| work.kept));
        if !job.queue.is_empty() {
            let request = ActionRequest { migration: request.held.migration, migrator: holder, alone: true };
            next = Some(next_order(state, &request));
        }
    }
    fault.is_none().then_some(DataAnswer::Kept { next })
}
