//! The coordinator: speaks for the site. It greets the server, asks what is to do, and starts one migrator a migration.
//!
//! One thread decides; others listen (to the guardian, to `notify`, to the ends of migrators) or look (heartbeat, found
//! mailboxes). Whatever fails is tried again for as long as the process runs, which is until its guardian ends it.

mod schedule;

use crate::base::ids::MigrationId;
use crate::base::limits::{ALIVE_SECONDS, EXTRACTOR_MIGRATORS, HELLO_SECONDS};
use crate::extractor::backoff::Backoff;
use crate::extractor::client::{Client, ClientError};
use crate::extractor::found::{Finder, pages};
use crate::extractor::heartbeat::{self, LastAnswer};
use crate::extractor::processes::{self, Ended, Part};
use crate::extractor::settings::{MigratorSettings, Place, Settings};
use crate::extractor::{Complaint, say};
use crate::protocol::Versions;
use crate::protocol::calls::{
    Command, ConnectorsRequest, ExtractorLimits, FoundMailbox, HelloRequest, MigrationsRequest, NotifyAnswer,
    NotifyRequest,
};
use crate::protocol::ids::NotifyMark;
use schedule::Schedule;
use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ChildStdin;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender, SyncSender};
use std::thread;
use std::time::{Duration, Instant};

/// The shortest time between two rounds of questions, however much is notified.
const ROUND_PAUSE: Duration = Duration::from_millis(200);
/// The shortest time between two long polls that brought nothing.
const POLL_PAUSE: Duration = Duration::from_secs(1);
/// What the server is asked with until it told its own wishes.
const FIRST_LIMITS: ExtractorLimits = ExtractorLimits {
    migrators: EXTRACTOR_MIGRATORS,
    hello_seconds: HELLO_SECONDS,
    alive_seconds: ALIVE_SECONDS,
};

/// How long a listing of mailboxes is good for a server that says that everything may be new.
const TELL_AGAIN_PAUSE: Duration = Duration::from_secs(10);

enum Event {
    Notified(NotifyAnswer),
    Ended(MigrationId, Ended),
}

struct Coordinator {
    settings: Settings,
    program: PathBuf,
    client: Client,
    last_answer: LastAnswer,
    sender: Sender<Event>,
    limits: ExtractorLimits,
    /// The server wants this extractor to start nothing more.
    draining: bool,
    /// Where the mailbox of each migration is that the server named.
    places: BTreeMap<MigrationId, Place>,
    schedule: Schedule,
    /// A way to each migrator that runs; its input closes when this is dropped.
    lines: BTreeMap<MigrationId, SyncSender<()>>,
    complaint: Complaint,
    /// What the server wants and does not get.
    wish: Complaint,
    /// The listener and the finder, which start after the first greeting.
    greeted: bool,
    /// Asks the finder to tell again what it told before.
    tell_again: Option<SyncSender<()>>,
}

/// Runs until the guardian closes standard input, or until the server wants no more of it.
///
/// # Errors
/// When the process cannot begin: no settings, or no way to find its own program.
pub fn run() -> anyhow::Result<Ended> {
    let settings: Settings = processes::read_settings()?;
    processes::follow_parent(|| ());
    let (sender, events) = mpsc::channel();
    let mut coordinator = Coordinator {
        program: std::env::current_exe()?,
        client: Client::new(&settings.address, Some(&settings.token))?,
        last_answer: heartbeat::start(settings.roots.clone(), settings.timing.heartbeat),
        schedule: Schedule::new(settings.timing.retry),
        settings,
        sender,
        limits: FIRST_LIMITS,
        draining: false,
        places: BTreeMap::new(),
        lines: BTreeMap::new(),
        complaint: Complaint::default(),
        wish: Complaint::default(),
        greeted: false,
        tell_again: None,
    };
    coordinator.rounds(&events);
    Ok(Ended::Done)
}

impl Coordinator {
    fn rounds(&mut self, events: &Receiver<Event>) {
        let mut backoff = Backoff::new(self.settings.timing.retry);
        loop {
            let answered = self.ask();
            let asked = Instant::now();
            // Without the server nobody is started again.
            let restarts = answered.is_ok();
            let next = match answered {
                Ok(()) => {
                    self.complaint.over("the server answers again");
                    backoff.succeeded();
                    self.start_due();
                    asked + Duration::from_secs(self.limits.hello_seconds.into())
                }
                Err(error) => {
                    self.complaint.say(advise(&error));
                    asked + backoff.failed()
                }
            };
            if self.draining && self.schedule.running() == 0 {
                say("the server drains this extractor, and nothing is left to do");
                return;
            }
            self.wait(asked, next, restarts, events);
        }
    }

    /// Greets the server and asks what there is to do.
    fn ask(&mut self) -> Result<(), ClientError> {
        let free_slots = self.most().saturating_sub(self.schedule.running());
        let answer = self.client.call(&HelloRequest {
            program_version: env!("CARGO_PKG_VERSION").to_owned(),
            speaks: Versions::OURS,
            host: processes::host_name(),
            source_roots: self
                .settings
                .roots
                .iter()
                .map(|root| root.to_string_lossy().into_owned())
                .collect(),
            free_slots: u16::try_from(free_slots).unwrap_or(u16::MAX),
            source_answered_unix_ms: self.last_answer.unix_ms(),
            restarted_because: self.settings.restarted_because.clone(),
        })?;
        self.settings.restarted_because = None;
        self.limits = answer.limits;
        answer.commands.into_iter().for_each(|command| self.obey(command));
        if !self.greeted {
            self.greeted = true;
            say(format_args!("{} is reached", self.settings.address.server()));
            self.listen();
            self.tell_again = Some(self.find());
        }
        let mut places = BTreeMap::new();
        let mut wanted = Vec::new();
        for connector in self.client.call(&ConnectorsRequest {})?.connectors {
            for migration in self.client.call(&MigrationsRequest { connector: connector.id })?.migrations {
                let (kind, location) = (connector.kind.clone(), connector.location.clone());
                wanted.push(migration.id);
                places.insert(migration.id, Place { kind, location, mailbox: migration.mailbox });
            }
        }
        self.places = places;
        self.schedule.want(wanted);
        Ok(())
    }

    /// How many migrators may run.
    fn most(&self) -> usize {
        if self.draining { 0 } else { self.limits.migrators.min(EXTRACTOR_MIGRATORS).into() }
    }

    fn obey(&mut self, command: Command) {
        match command {
            Command::Drain => self.draining = true,
            Command::Update => self.wish.say(
                "the server has a newer notesferry; this one cannot fetch it, so put it in place by hand",
            ),
            Command::Unknown(number) => {
                self.wish.say(format_args!("the server's command {number} is not understood"));
            }
        }
    }

    fn start_due(&mut self) {
        for id in self.schedule.due(self.most(), Instant::now()) {
            if let Err(error) = self.start(id) {
                say(format_args!("no migrator could be started for migration {id}: {error}"));
                self.schedule.ended(id, Instant::now());
            }
        }
    }

    fn start(&mut self, id: MigrationId) -> std::io::Result<()> {
        let Some(place) = self.places.get(&id) else { return Ok(()) };
        let settings = MigratorSettings {
            address: self.settings.address.clone(),
            token: self.settings.token.clone(),
            roots: self.settings.roots.clone(),
            daos: self.settings.daos.clone(),
            state_folder: self.settings.state_folder.clone(),
            retry: self.settings.timing.retry,
            alive: Duration::from_secs(self.limits.alive_seconds.max(1).into()),
            migration: id,
            place: place.clone(),
        };
        let (mut child, line) = processes::start(&self.program, Part::Migrator, &settings)?;
        self.lines.insert(id, pass_news(line));
        self.schedule.started(id, Instant::now());
        let sender = self.sender.clone();
        thread::spawn(move || {
            let status = child.wait().ok();
            let ended = Ended::from_status(status);
            if ended == Ended::Failed {
                let how = status.map_or_else(String::new, |status| format!(" ({status})"));
                say(format_args!("the migrator of migration {id} failed{how}"));
            }
            let _ = sender.send(Event::Ended(id, ended));
        });
        Ok(())
    }

    /// Hears what happens until it is time for the next round, with `restarts` also until a migrator that ended has
    /// rested.
    fn wait(&mut self, asked: Instant, mut next: Instant, restarts: bool, events: &Receiver<Event>) {
        loop {
            let has_room = restarts && self.schedule.running() < self.most();
            let due = self.schedule.next_due().filter(|_| has_room).unwrap_or(next);
            let until = next.min(due).max(asked + ROUND_PAUSE);
            match events.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(Event::Notified(answer)) => {
                    if self.pass_on(&answer) {
                        next = asked;
                    }
                }
                Ok(Event::Ended(id, ended)) => {
                    self.lines.remove(&id);
                    self.schedule.ended(id, Instant::now());
                    if ended == Ended::Outdated {
                        self.wish.say("the server wants a newer notesferry here than this one");
                    }
                    if self.draining {
                        next = asked;
                    }
                }
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    /// Tells the migrators that have something new; whether the server is to be asked about everything.
    fn pass_on(&mut self, answer: &NotifyAnswer) -> bool {
        if let Some(finder) = self.tell_again.as_ref().filter(|_| answer.ask_all) {
            // One wish that waits is enough.
            let _ = finder.try_send(());
        }
        // When everything may be new, every migrator may have an action that waits for it.
        let concerned = self.lines.iter().filter(|(id, _)| answer.ask_all || answer.migrations.contains(id));
        for (_, line) in concerned {
            // News that wait are enough; a migrator that just ended is noticed at its end.
            let _ = line.try_send(());
        }
        answer.ask_all || !answer.migrations.iter().all(|id| self.lines.contains_key(id))
    }

    /// Keeps a long poll open, in a thread.
    fn listen(&self) {
        let (client, sender) = (self.client.clone(), self.sender.clone());
        let mut backoff = Backoff::new(self.settings.timing.retry);
        thread::spawn(move || {
            let mut heard = NotifyMark(0);
            loop {
                let asked = Instant::now();
                let Ok(answer) = client.call(&NotifyRequest { heard }) else {
                    // The rounds tell why.
                    thread::sleep(backoff.failed());
                    continue;
                };
                backoff.succeeded();
                let is_new = answer.mark != heard;
                heard = answer.mark;
                if sender.send(Event::Notified(answer)).is_err() {
                    return;
                }
                if !is_new {
                    thread::sleep(POLL_PAUSE.saturating_sub(asked.elapsed()));
                }
            }
        });
    }

    /// Looks for mailboxes now and then, in a thread, and tells the server when they changed. A server that was started
    /// again has forgotten them; whoever sends into what this gives has them told again, once in a while.
    fn find(&self) -> SyncSender<()> {
        let (tell_again, wishes) = mpsc::sync_channel(1);
        let client = self.client.clone();
        let Settings { roots, timing, .. } = self.settings.clone();
        let mut backoff = Backoff::new(timing.retry);
        thread::spawn(move || {
            let mut finder = Finder::default();
            let mut told: Option<(Vec<FoundMailbox>, Instant)> = None;
            loop {
                let found = finder.look(&roots);
                if let Some((_, at)) = told.as_ref().filter(|(before, _)| *before == found) {
                    let again_at = *at + TELL_AGAIN_PAUSE;
                    match wishes.recv_timeout(timing.look) {
                        Ok(()) => {
                            thread::sleep(again_at.saturating_duration_since(Instant::now()));
                            told = None;
                        }
                        Err(RecvTimeoutError::Timeout) => {}
                        Err(RecvTimeoutError::Disconnected) => return,
                    }
                    continue;
                }
                let sent = pages(found.clone()).iter().try_for_each(|page| client.call(page).map(drop));
                match sent {
                    Ok(()) => {
                        backoff.succeeded();
                        told = Some((found, Instant::now()));
                    }
                    Err(_) => thread::sleep(backoff.failed()),
                }
            }
        });
        tell_again
    }
}

/// Writes a line for each news, in a thread, because a migrator that is frozen does not read.
fn pass_news(mut line: ChildStdin) -> SyncSender<()> {
    let (news, waiting) = mpsc::sync_channel(1);
    thread::spawn(move || {
        for () in waiting {
            if line.write_all(b"news\n").and_then(|()| line.flush()).is_err() {
                return;
            }
        }
    });
    news
}

/// What went wrong, and what to do about it where that is not to wait.
fn advise(error: &ClientError) -> String {
    match error.is_not_authorised() {
        true => {
            format!("{error}; get a new code from the page Extractors of the server and give it with --enrol")
        }
        false => error.to_string(),
    }
}
