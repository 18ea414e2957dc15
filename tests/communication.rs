//! Conversations between extractors and the communication service, in frames and without HTTP: what is lost, sent
//! twice, damaged, late or foreign changes nothing, and who waits is woken. Invariant A throughout.

use notesferry::base::clock::{Moment, Monotonic};
use notesferry::base::ids::{
    ActionId, ChunkNumber, ConnectorId, Epoch, ExtractorId, MailboxNumber, MigrationId, MigratorId,
};
use notesferry::base::limits::BODY_BYTES;
use notesferry::base::secret::Secret;
use notesferry::buffers::action::{ActionBuffer, Asker, Ending, LeaseSettings};
use notesferry::buffers::data::{DataBuffer, DataLimits};
use notesferry::protocol::action::{Action, ActionRequest, DataAnswer, DataRequest, Held, Lease, Order};
use notesferry::protocol::calls::{
    AliveRequest, ConnectorsRequest, EnrolRequest, FoundMailbox, FoundRequest, HelloRequest,
    MigrationsRequest, NotifyAnswer, NotifyRequest, TestRequest,
};
use notesferry::protocol::frame::{self, FrameError, Reason};
use notesferry::protocol::ids::NotifyMark;
use notesferry::protocol::transfer::Chunk;
use notesferry::protocol::{Request, Versions};
use notesferry::server::communication::{Communication, CommunicationSettings};
use notesferry::store::StateStore;
use notesferry::store::config::{Connector, Extractor, Mailbox, PassLine, PassState};
use notesferry::store::seal::SealKey;
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::Duration;
use tempfile::TempDir;

/// So long that a test which waits for it would not end.
const FOREVER: Duration = Duration::from_secs(3600);
const START_UNIX_MS: i64 = 1_700_000_000_000;
const LIMITS: DataLimits =
    DataLimits { buffer_bytes_per_migration: 100_000, all_bytes: 1 << 30, reserve_free_bytes: 0 };

/// A server without its migration services, whose part the tests play.
struct Server {
    store: Arc<StateStore>,
    actions: Arc<ActionBuffer>,
    data: Arc<DataBuffer>,
    communication: Communication,
    keys: SealKey,
    /// Since the start.
    clock: Arc<Mutex<Duration>>,
    _folder: TempDir,
}

/// An enrolled extractor with one connector, one mailbox and one running pass.
#[derive(Clone)]
struct Site {
    extractor: ExtractorId,
    bearer: String,
    connector: ConnectorId,
    migration: MigrationId,
}

impl Server {
    fn start() -> Self {
        Self::with_answer_wait(Duration::ZERO)
    }

    fn with_answer_wait(answer_wait: Duration) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Arc::new(StateStore::open(folder.path()).unwrap());
        let actions = Arc::new(ActionBuffer::open(Arc::clone(&store), LeaseSettings::default()).unwrap());
        let data = Arc::new(DataBuffer::open(folder.path(), LIMITS).unwrap());
        let keys = SealKey::random().unwrap();
        let clock = Arc::new(Mutex::new(Duration::ZERO));
        let hand = Arc::clone(&clock);
        let now = move || {
            let since_start = *hand.lock().unwrap();
            let unix_ms = START_UNIX_MS + since_start.as_millis() as i64;
            Moment { monotonic: Monotonic(since_start), unix_ms }
        };
        let settings = CommunicationSettings { notify_wait: FOREVER, answer_wait, ..Default::default() };
        let communication = Communication::new(
            Arc::clone(&store),
            Arc::clone(&actions),
            Arc::clone(&data),
            keys.clone(),
            now,
            settings,
        );
        Self { store, actions, data, communication, keys, clock, _folder: folder }
    }

    fn pass_time(&self, seconds: u64) {
        *self.clock.lock().unwrap() += Duration::from_secs(seconds);
        self.actions.expire(Monotonic(*self.clock.lock().unwrap())).unwrap();
    }

    /// The answer, or why it was refused.
    fn call<R: Request>(&self, bearer: Option<&str>, request: &R) -> Result<R::Answer, Reason> {
        let body = frame::encode(request).unwrap();
        let answer = self.communication.answer(R::CALL, bearer, &body);
        frame::decode(&answer).map_err(|error| match error {
            FrameError::Refused(refusal) => refusal.reason,
            error => panic!("{error}"),
        })
    }

    fn enrol(&self, code: &str) -> Result<(ExtractorId, String), Reason> {
        let request = EnrolRequest {
            code: Secret::new(code),
            host: "notebook".to_owned(),
            program_version: "1".to_owned(),
        };
        let answer = self.call(None, &request)?;
        Ok((answer.extractor, format!("{}.{}", answer.extractor, answer.token.expose())))
    }

    fn site(&self) -> Site {
        let code = self.communication.make_enrol_code().unwrap();
        let (extractor, bearer) = self.enrol(code.expose()).unwrap();
        let password = Some(self.keys.seal_secret(&Secret::new("correct horse")).unwrap());
        let connector = self.store.add_line(move |id| Connector {
            id,
            name: "mail".to_owned(),
            kind: "nsf".to_owned(),
            location: "/mail".to_owned(),
            extractor,
            user: Some("jane".to_owned()),
            password: password.clone(),
        });
        let connector = connector.unwrap().id;
        let migration = self.pass(connector, PassState::Running);
        Site { extractor, bearer, connector, migration }
    }

    fn pass(&self, connector: ConnectorId, state: PassState) -> MigrationId {
        let mailbox = self.store.add_line(move |id| {
            Mailbox::whole(id, connector, format!("{id}.nsf"), "maildir:/target".to_owned())
        });
        let mailbox: MailboxNumber = mailbox.unwrap().id;
        let pass = self
            .store
            .add_line(move |id| PassLine { state: state.clone(), ..PassLine::queued(id, mailbox, 0) });
        pass.unwrap().id
    }

    fn put(&self, site: &Site) -> ActionId {
        let action = self.actions.put(site.migration, &Action::ListFolders).unwrap();
        self.communication.tell(site.migration);
        action
    }

    /// A site with an action in the hands of migrator 1.
    fn leased(&self) -> (Site, Lease) {
        let site = self.site();
        self.put(&site);
        let lease = self.ask(&site, 1, false).lease.unwrap();
        (site, lease)
    }

    fn ask(&self, site: &Site, migrator: u64, alone: bool) -> Order {
        let request = ActionRequest { migration: site.migration, migrator: MigratorId(migrator), alone };
        self.call(Some(&site.bearer), &request).unwrap()
    }

    fn send(&self, site: &Site, lease: Lease, chunk: Chunk) -> DataAnswer {
        let held = held(site, lease);
        self.call(Some(&site.bearer), &DataRequest { held, chunk }).unwrap()
    }

    fn alive(&self, site: &Site, lease: Lease) -> bool {
        let request = AliveRequest { held: held(site, lease), bytes_read: 1 };
        !self.call(Some(&site.bearer), &request).unwrap().stop
    }

    /// What arrived and was not taken before.
    fn arrived(&self, site: &Site) -> Vec<(Epoch, u32)> {
        let taken = self.data.take(site.migration, u64::MAX).unwrap();
        taken.iter().map(|chunk| (chunk.held().epoch, chunk.number().0)).collect()
    }
}

fn held(site: &Site, lease: Lease) -> Held {
    Held { migration: site.migration, action: lease.action, epoch: lease.epoch }
}

fn chunk(number: u32, last: bool) -> Chunk {
    Chunk::new(ChunkNumber(number), last, vec![7; 20_000])
}

fn is_wait(order: &Order) -> bool {
    matches!(order.action, Action::Wait { .. }) && order.lease.is_none()
}

const KEPT: DataAnswer = DataAnswer::Kept { next: None };

// Who may call.

#[test]
fn a_code_enrols_one_machine_however_it_is_typed() {
    let server = Server::start();
    let code = server.communication.make_enrol_code().unwrap();
    let typed = code.expose().to_lowercase().replace('-', " ");
    assert_eq!(server.enrol("ABCD-EFGH-JKLM-NPQR").unwrap_err(), Reason::NotAuthorised);
    let (extractor, bearer) = server.enrol(&typed).unwrap();
    assert_eq!(server.enrol(code.expose()).unwrap_err(), Reason::NotAuthorised);
    server.call(Some(&bearer), &ConnectorsRequest {}).unwrap();
    let line = server.store.line::<Extractor>(extractor).unwrap().unwrap();
    assert_eq!((line.host.as_str(), line.enrolled_unix_ms), ("notebook", START_UNIX_MS));
}

#[test]
fn a_code_is_good_for_a_day() {
    let server = Server::start();
    let old = server.communication.make_enrol_code().unwrap();
    server.pass_time(24 * 60 * 60);
    assert_eq!(server.enrol(old.expose()).unwrap_err(), Reason::NotAuthorised);
    let new = server.communication.make_enrol_code().unwrap();
    assert!(server.enrol(new.expose()).is_ok());
}

#[test]
fn a_token_is_good_for_its_extractor_until_it_is_revoked() {
    let server = Server::start();
    let site = server.site();
    let other = server.site();
    let (_, token) = site.bearer.split_once('.').unwrap();
    let foreign = format!("{}.{token}", other.extractor);
    for bearer in [None, Some(""), Some("1."), Some(token), Some(&foreign), Some("99.aa"), Some("x.y")] {
        let refused = server.call(bearer, &ConnectorsRequest {}).map(drop);
        assert_eq!(refused, Err(Reason::NotAuthorised), "{bearer:?}");
    }
    let line = server.store.line::<Extractor>(site.extractor).unwrap().unwrap();
    server.store.put_lines(vec![Extractor { revoked: true, ..line }]).unwrap();
    let refused = server.call(Some(&site.bearer), &ConnectorsRequest {}).map(drop);
    assert_eq!(refused, Err(Reason::NotAuthorised));
    assert!(server.call(Some(&other.bearer), &ConnectorsRequest {}).is_ok());
}

#[test]
fn what_cannot_be_read_is_refused_with_its_reason() {
    let server = Server::start();
    let site = server.site();
    let refusal = |call: &str, body: &[u8]| {
        let answer = server.communication.answer(call, Some(&site.bearer), body);
        match frame::decode::<bool>(&answer) {
            Err(FrameError::Refused(refusal)) => {
                assert_eq!(refusal.speaks, Versions::OURS);
                refusal.reason
            }
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(refusal("hello", &[9, 0]), Reason::Version);
    assert_eq!(refusal("enrol", &[9, 0]), Reason::Version);
    assert_eq!(refusal("hello", &[1, 0, 1]), Reason::Damaged);
    assert_eq!(refusal("data", &vec![1; BODY_BYTES + 1]), Reason::TooLarge);
    assert_eq!(refusal("of a later version", &[1, 0]), Reason::Version);
}

// What an extractor sees.

#[test]
fn an_extractor_sees_its_running_passes_and_the_password_of_its_source() {
    let server = Server::start();
    let site = server.site();
    for state in [PassState::Queued, PassState::Finished, PassState::Stopped] {
        server.pass(site.connector, state);
    }
    let connectors = server.call(Some(&site.bearer), &ConnectorsRequest {}).unwrap().connectors;
    let credentials = connectors[0].credentials.as_ref().unwrap();
    assert_eq!((connectors.len(), connectors[0].id), (1, site.connector));
    assert_eq!((credentials.user.as_str(), credentials.password.expose()), ("jane", "correct horse"));
    let request = MigrationsRequest { connector: site.connector };
    let migrations = server.call(Some(&site.bearer), &request).unwrap().migrations;
    assert_eq!((migrations.len(), migrations[0].id), (1, site.migration));
    assert_eq!(migrations[0].mailbox, "1.nsf");
}

#[test]
fn nothing_of_another_extractor_can_be_seen_or_touched() {
    let server = Server::start();
    let (site, lease) = server.leased();
    let stranger = Site { bearer: server.site().bearer, ..site.clone() };
    let request = MigrationsRequest { connector: site.connector };
    assert!(server.call(Some(&stranger.bearer), &request).unwrap().migrations.is_empty());
    let connectors = server.call(Some(&stranger.bearer), &ConnectorsRequest {}).unwrap().connectors;
    assert!(connectors.iter().all(|connector| connector.id != site.connector));
    assert_eq!(server.ask(&stranger, 1, true).action, Action::Stop);
    assert_eq!(server.send(&stranger, lease, chunk(1, false)), DataAnswer::Stop);
    assert!(!server.alive(&stranger, lease));
    assert!(server.arrived(&site).is_empty());
    assert!(server.alive(&site, lease));
}

#[test]
fn the_page_shows_what_extractors_say_of_themselves() {
    let server = Server::start();
    let (site, _) = server.leased();
    let hello = |because: Option<&str>| HelloRequest {
        program_version: "1".to_owned(),
        speaks: Versions::OURS,
        host: "notebook".to_owned(),
        source_roots: vec!["/mail".to_owned()],
        free_slots: 29,
        source_answered_unix_ms: None,
        restarted_because: because.map(str::to_owned),
    };
    for because in [Some("the heartbeat stopped"), None] {
        let answer = server.call(Some(&site.bearer), &hello(because)).unwrap();
        assert_eq!((answer.limits.migrators, answer.commands), (30, vec![]));
    }
    let mailbox = FoundMailbox {
        root: "/mail".to_owned(),
        path: "jane.nsf".to_owned(),
        title: "Jane".to_owned(),
        owner: None,
        bytes: 1,
        in_use: None,
        unreadable: None,
    };
    let found = |page, last| FoundRequest { page, last, mailboxes: vec![mailbox.clone()] };
    server.call(Some(&site.bearer), &found(0, false)).unwrap();
    server.call(Some(&site.bearer), &found(1, true)).unwrap();
    assert_eq!(server.call(Some(&site.bearer), &found(7, true)).map(drop), Err(Reason::Unavailable));
    let view = server.communication.extractors().unwrap().remove(0);
    assert_eq!(view.hello.unwrap().free_slots, 29);
    assert_eq!(view.restarted.unwrap().1, "the heartbeat stopped");
    assert_eq!((view.found.len(), view.found_more, view.migrators_at_work), (2, false, 1));
    assert_eq!((view.line.id, view.last_heard.unwrap().unix_ms), (site.extractor, START_UNIX_MS));
    let too_long = HelloRequest { host: "x".repeat(1 << 20), ..hello(None) };
    assert_eq!(server.call(Some(&site.bearer), &too_long).map(drop), Err(Reason::TooLarge));
}

#[test]
fn a_test_comes_back_with_version_and_time() {
    let server = Server::start();
    let site = server.site();
    let request = TestRequest { migration: site.migration, nonce: 5, program_version: "1".to_owned() };
    let answer = server.call(Some(&site.bearer), &request).unwrap();
    assert_eq!((answer.nonce, answer.outdated, answer.server_unix_ms), (5, false, START_UNIX_MS));
    assert_eq!(answer.program_version, env!("CARGO_PKG_VERSION"));
}

// Actions and data.

#[test]
fn without_an_action_a_migrator_stops_or_waits_as_was_said() {
    let server = Server::start();
    let site = server.site();
    assert_eq!(server.ask(&site, 1, true).action, Action::Stop);
    server.actions.wait(site.migration).unwrap();
    assert!(is_wait(&server.ask(&site, 1, true)));
    server.actions.end(site.migration, Ending::Done).unwrap();
    assert_eq!(server.ask(&site, 1, true).action, Action::Done);
    server.actions.remove(site.migration).unwrap();
    assert_eq!(server.ask(&site, 1, true).action, Action::Stop);
}

#[test]
fn a_lost_answer_is_given_again_and_nothing_is_kept_twice() {
    let server = Server::start();
    let (site, lease) = server.leased();
    assert_eq!(server.ask(&site, 1, false).lease, Some(lease));
    for _ in 0..2 {
        assert_eq!(server.send(&site, lease, chunk(1, false)), KEPT);
    }
    let again = server.ask(&site, 1, false).lease.unwrap();
    assert_eq!(again, Lease { last_kept: Some(ChunkNumber(1)), ..lease });
    for _ in 0..2 {
        let DataAnswer::Kept { next: Some(next) } = server.send(&site, lease, chunk(2, true)) else {
            panic!()
        };
        assert!(is_wait(&next));
    }
    assert_eq!(server.arrived(&site), [(lease.epoch, 1), (lease.epoch, 2)]);
}

#[test]
fn the_last_chunk_is_still_known_when_the_next_action_is_there() {
    let server = Server::start();
    let (site, lease) = server.leased();
    server.send(&site, lease, chunk(1, true));
    assert_eq!(server.arrived(&site).len(), 1);
    server.actions.settle(site.migration, lease.action).unwrap();
    let next = server.put(&site);
    let DataAnswer::Kept { next: Some(order) } = server.send(&site, lease, chunk(1, true)) else { panic!() };
    let order_lease = order.lease.unwrap();
    assert_eq!((order_lease.action, order_lease.epoch), (next, Epoch(1)));
    assert_eq!(server.ask(&site, 1, false).lease, Some(order_lease));
    assert!(server.arrived(&site).is_empty());
}

#[test]
fn the_answer_to_the_last_chunk_waits_for_the_next_action() {
    let server = Server::with_answer_wait(FOREVER);
    let (site, lease) = server.leased();
    let (arrivals, arrived) = mpsc::channel();
    server.communication.on_arrival(Box::new(move |migration| arrivals.send(migration).unwrap()));
    thread::scope(|scope| {
        let sender = scope.spawn(|| server.send(&site, lease, chunk(1, true)));
        assert_eq!(arrived.recv().unwrap(), site.migration);
        // News of something else do not end the waiting.
        server.communication.tell(site.migration);
        server.actions.settle(site.migration, lease.action).unwrap();
        assert_eq!(server.arrived(&site).len(), 1);
        let next = server.put(&site);
        let DataAnswer::Kept { next: Some(order) } = sender.join().unwrap() else { panic!() };
        assert_eq!(order.lease.unwrap().action, next);
    });
}

#[test]
fn damage_and_gaps_are_sent_again() {
    let server = Server::start();
    let (site, lease) = server.leased();
    let last_kept = |number: u32| DataAnswer::SendAgain { last_kept: Some(ChunkNumber(number)) };
    assert_eq!(server.send(&site, lease, chunk(2, false)), DataAnswer::SendAgain { last_kept: None });
    assert_eq!(server.send(&site, lease, chunk(1, false)), KEPT);
    // A body that is not compressed, with one bit of the content turned.
    let request = DataRequest { held: held(&site, lease), chunk: chunk(2, false) };
    let mut body = postcard::to_extend(&request, vec![Versions::OURS.newest, 0]).unwrap();
    *body.last_mut().unwrap() ^= 1;
    let answer = server.communication.answer(DataRequest::CALL, Some(&site.bearer), &body);
    let damaged: DataAnswer = frame::decode(&answer).unwrap();
    assert_eq!(damaged, last_kept(1));
    assert_eq!(server.send(&site, lease, chunk(3, false)), last_kept(1));
    assert_eq!(server.arrived(&site), [(lease.epoch, 1)]);
}

#[test]
fn a_frozen_migrator_that_wakes_up_does_no_harm() {
    let server = Server::start();
    let (site, old) = server.leased();
    assert_eq!(server.send(&site, old, chunk(1, false)), KEPT);
    assert!(is_wait(&server.ask(&site, 2, false)));
    server.pass_time(180);
    assert_eq!(server.arrived(&site).len(), 1);
    let new = server.ask(&site, 2, false).lease.unwrap();
    assert_eq!((new.action, new.epoch, new.last_kept), (old.action, Epoch(2), None));
    assert_eq!(server.send(&site, old, chunk(2, false)), DataAnswer::Stop);
    assert!(!server.alive(&site, old));
    assert_eq!(server.send(&site, new, chunk(1, false)), KEPT);
    assert_eq!(server.arrived(&site), [(Epoch(2), 1)]);
}

#[test]
fn signs_of_life_keep_a_lease() {
    let server = Server::start();
    let (site, lease) = server.leased();
    for _ in 0..5 {
        server.pass_time(170);
        assert!(server.alive(&site, lease));
    }
    let heard = server.communication.sign_of_life(site.migration);
    assert_eq!(heard, Some(Monotonic(Duration::from_secs(5 * 170))));
    server.pass_time(180);
    assert!(!server.alive(&site, lease));
}

#[test]
fn a_migrator_that_is_alone_takes_over_at_once() {
    let server = Server::start();
    let (site, old) = server.leased();
    server.send(&site, old, chunk(1, false));
    // What the old one left has to be taken first.
    assert!(is_wait(&server.ask(&site, 2, true)));
    assert_eq!(server.send(&site, old, chunk(2, false)), DataAnswer::Stop);
    assert_eq!(server.arrived(&site), [(Epoch(1), 1)]);
    assert_eq!(server.ask(&site, 2, true).lease.unwrap().epoch, Epoch(2));
    let told = server.actions.expire(Monotonic(Duration::ZERO)).unwrap();
    assert_eq!(
        told.iter().map(|lost| (lost.action, lost.given_up)).collect::<Vec<_>>(),
        [(old.action, false)]
    );
}

#[test]
fn a_full_buffer_is_tried_again_and_loses_nothing() {
    let server = Server::start();
    let (site, lease) = server.leased();
    for number in 1..=5 {
        assert_eq!(server.send(&site, lease, chunk(number, false)), KEPT);
    }
    let full = server.send(&site, lease, chunk(6, false));
    assert!(matches!(full, DataAnswer::TryLater { .. }), "{full:?}");
    assert_eq!(server.arrived(&site).len(), 5);
    assert_eq!(server.send(&site, lease, chunk(6, false)), KEPT);
    assert_eq!(server.arrived(&site), [(lease.epoch, 6)]);
}

#[test]
fn a_stopped_migration_takes_nothing_more() {
    let server = Server::start();
    let (site, lease) = server.leased();
    server.actions.end(site.migration, Ending::Stop).unwrap();
    assert_eq!(server.send(&site, lease, chunk(1, false)), DataAnswer::Stop);
    assert!(!server.alive(&site, lease) && server.arrived(&site).is_empty());
}

#[test]
fn leases_of_an_earlier_run_are_void() {
    let server = Server::start();
    let (site, old) = server.leased();
    let actions = ActionBuffer::open(Arc::clone(&server.store), LeaseSettings::default()).unwrap();
    assert_eq!(actions.unsettled(site.migration), Some((old.action, Action::ListFolders)));
    assert!(!actions.check(&held(&site, old), Monotonic(Duration::ZERO)));
    let asker = Asker { extractor: site.extractor, migrator: MigratorId(1), alone: false };
    let order = actions.ask(site.migration, &asker, Monotonic(Duration::ZERO), false).unwrap();
    assert_eq!((order.action, order.lease.unwrap().epoch), (Action::ListFolders, Epoch(2)));
}

// Waiting for news.

/// The mark from which only what comes later is new.
fn mark(server: &Server, site: &Site) -> NotifyMark {
    let answer = server.call(Some(&site.bearer), &NotifyRequest { heard: NotifyMark(0) }).unwrap();
    assert!(answer.ask_all, "nothing is known of the mark 0");
    answer.mark
}

#[test]
fn notify_tells_of_what_is_new_at_once_and_again_until_it_was_heard() {
    let server = Server::start();
    let site = server.site();
    let other = server.site();
    let heard = mark(&server, &site);
    thread::scope(|scope| {
        let waiting = scope.spawn(|| server.call(Some(&site.bearer), &NotifyRequest { heard }).unwrap());
        server.communication.tell(other.migration);
        server.communication.tell(site.migration);
        let NotifyAnswer { mark, migrations, ask_all } = waiting.join().unwrap();
        assert_eq!((migrations, ask_all), (vec![site.migration], false));
        let again = server.call(Some(&site.bearer), &NotifyRequest { heard }).unwrap();
        assert_eq!((again.mark, again.migrations), (mark, vec![site.migration]));
    });
}

#[test]
fn a_changed_configuration_is_told_to_everybody() {
    let server = Server::start();
    let sites = [server.site(), server.site()];
    let marks = sites.clone().map(|site| mark(&server, &site));
    thread::scope(|scope| {
        let server = &server;
        let waiting: Vec<_> = sites
            .iter()
            .zip(marks)
            .map(|(site, heard)| {
                scope.spawn(move || server.call(Some(&site.bearer), &NotifyRequest { heard }).unwrap())
            })
            .collect();
        server.communication.tell_all();
        assert!(waiting.into_iter().all(|waiting| waiting.join().unwrap().ask_all));
    });
}

#[test]
fn a_mark_of_another_run_is_not_known() {
    let server = Server::start();
    let site = server.site();
    let NotifyMark(known) = mark(&server, &site);
    for heard in [1, known - (1 << 10), known + 1, u64::MAX] {
        let heard = NotifyMark(heard);
        assert!(server.call(Some(&site.bearer), &NotifyRequest { heard }).unwrap().ask_all);
    }
}

#[test]
fn a_newer_notify_takes_the_place_of_the_older() {
    let server = Server::start();
    let site = server.site();
    let heard = mark(&server, &site);
    let request = NotifyRequest { heard };
    let (answers, answered) = mpsc::channel();
    thread::scope(|scope| {
        for _ in 0..2 {
            let answers = answers.clone();
            let (server, site, request) = (&server, &site, &request);
            scope.spawn(move || answers.send(server.call(Some(&site.bearer), request).unwrap()).unwrap());
        }
        let older = answered.recv().unwrap();
        assert_eq!((older.mark, older.migrations.len(), older.ask_all), (heard, 0, false));
        server.communication.tell(site.migration);
        assert_eq!(answered.recv().unwrap().migrations, [site.migration]);
    });
}

#[test]
fn shutting_down_answers_who_waits() {
    let server = Server::with_answer_wait(FOREVER);
    let (site, lease) = server.leased();
    let heard = mark(&server, &site);
    let (arrivals, arrived) = mpsc::channel();
    server.communication.on_arrival(Box::new(move |migration| arrivals.send(migration).unwrap()));
    thread::scope(|scope| {
        let notify = scope.spawn(|| server.call(Some(&site.bearer), &NotifyRequest { heard }).unwrap());
        let data = scope.spawn(|| server.send(&site, lease, chunk(1, true)));
        arrived.recv().unwrap();
        server.communication.shut_down();
        assert!(notify.join().unwrap().migrations.is_empty());
        assert!(matches!(data.join().unwrap(), DataAnswer::Kept { .. }));
    });
    let later = server.call(Some(&site.bearer), &NotifyRequest { heard }).unwrap();
    assert!(!later.ask_all);
}
