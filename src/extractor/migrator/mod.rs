//! The migrator: one mailbox. It asks the server what to do, does it, sends the result, and asks again.
//!
//! A process of its own, so that a damaged mailbox costs no other one. It holds its migration's lock from before its
//! first call until it is gone. It may be killed at any time: what the server did not keep is asked for again. It ends
//! when the server says stop or done, when a call is refused for good, or with its parent.

mod alive;
pub mod perform;
mod sending;

use crate::base::ids::{MigrationId, MigratorId};
use crate::base::limits::WAIT_SECONDS;
use crate::extractor::backoff::Backoff;
use crate::extractor::client::{Client, ClientError};
use crate::extractor::enrolment::lock_migration;
use crate::extractor::mailbox::{self, PlaceError};
use crate::extractor::processes::{self, Ended};
use crate::extractor::settings::MigratorSettings;
use crate::extractor::{Complaint, say};
use crate::protocol::Request;
use crate::protocol::action::{Action, ActionRequest, Held, Lease, Order};
use crate::protocol::calls::TestRequest;
use crate::protocol::transfer::{ChunkWriter, WriteError};
use crate::sources::nsf::DaosFolders;
use crate::sources::registry::NamedSource;
use alive::Alive;
use perform::{OpenError, Opened};
use sending::{Cut, Sending};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

/// A line to the server that never gives up on what may pass.
struct Line {
    client: Client,
    backoff: Backoff,
    complaint: Complaint,
}

impl Line {
    /// Calls until there is an answer.
    ///
    /// # Errors
    /// Only what will not pass: a refusal for good.
    fn call<R: Request>(&mut self, request: &R) -> Result<R::Answer, ClientError> {
        loop {
            if let Some(answer) = self.try_call(request)? {
                return Ok(answer);
            }
        }
    }

    /// Calls once. Where that failed and may pass, `None` after a pause.
    fn try_call<R: Request>(&mut self, request: &R) -> Result<Option<R::Answer>, ClientError> {
        match self.client.call(request) {
            Ok(answer) => {
                self.backoff.succeeded();
                self.complaint.over("the server answers again");
                Ok(Some(answer))
            }
            Err(error) if error.is_temporary() => {
                self.complaint.say(&error);
                thread::sleep(self.backoff.failed());
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }
}

struct Migrator {
    settings: MigratorSettings,
    migrator: MigratorId,
    line: Line,
    alive: Alive,
    news: Receiver<()>,
    /// The source, from the first action that reads it.
    source: Option<Opened>,
}

/// Runs until the migration is over.
///
/// # Errors
/// When the process cannot begin, or a call is refused for good.
pub fn run() -> anyhow::Result<Ended> {
    let settings: MigratorSettings = processes::read_settings()?;
    let (sender, news) = mpsc::channel();
    processes::follow_parent(move || {
        let _ = sender.send(());
    });
    let _lock = lock_migration(&settings.state_folder, settings.migration)?;
    let client = Client::new(&settings.address, Some(&settings.token))?;
    let backoff = Backoff::new(settings.retry);
    let mut migrator = Migrator {
        migrator: MigratorId(fastrand::u64(..)),
        alive: Alive::start(client.clone(), settings.alive),
        line: Line { client, backoff, complaint: Complaint::default() },
        news,
        source: None,
        settings,
    };
    if migrator.is_outdated()? {
        return Ok(Ended::Outdated);
    }
    migrator.work()?;
    Ok(Ended::Done)
}

impl Migrator {
    fn migration(&self) -> MigrationId {
        self.settings.migration
    }

    /// Shows that the way to the server works in both directions; whether the server wants a newer migrator.
    fn is_outdated(&mut self) -> Result<bool, ClientError> {
        loop {
            let program_version = env!("CARGO_PKG_VERSION").to_owned();
            let nonce = fastrand::u64(..);
            let test = TestRequest { migration: self.migration(), nonce, program_version };
            let answer = self.line.call(&test)?;
            if answer.nonce == nonce {
                return Ok(answer.outdated);
            }
            // Something in between gave the answer to another question.
            self.line.complaint.say("the server's answer to a test is another number");
            thread::sleep(self.line.backoff.failed());
        }
    }

    fn ask(&mut self) -> Result<Order, ClientError> {
        let (migration, migrator) = (self.migration(), self.migrator);
        self.line.call(&ActionRequest { migration, migrator, alone: true })
    }

    fn work(&mut self) -> Result<(), ClientError> {
        let mut carried = None;
        loop {
            let order = match carried.take() {
                Some(order) => order,
                None => self.ask()?,
            };
            match (order.action, order.lease) {
                (Action::Stop | Action::Done, _) => return Ok(()),
                (Action::Wait { milliseconds }, _) => self.wait(milliseconds),
                (action, Some(lease)) => match self.answer(&action, lease) {
                    Ok(next) => carried = next,
                    Err(Cut::Order(order)) => carried = Some(*order),
                    Err(Cut::Stop) => return Ok(()),
                    Err(Cut::Call(error)) => return Err(error),
                },
                // A broken promise of the server; it may keep the next one.
                (action, None) => {
                    self.line.complaint.say(format_args!("the server leased nobody the action {action:?}"));
                    thread::sleep(self.line.backoff.failed());
                }
            }
        }
    }

    /// Waits until the coordinator hears of something new.
    fn wait(&mut self, milliseconds: u32) {
        let most = Duration::from_secs(WAIT_SECONDS);
        let _ = self.news.recv_timeout(Duration::from_millis(milliseconds.into()).min(most));
        self.news.try_iter().for_each(drop);
    }

    /// Performs an action and sends the answer; what the server wants next, if it said so.
    fn answer(&mut self, action: &Action, lease: Lease) -> Result<Option<Order>, Cut> {
        let held = Held { migration: self.migration(), action: lease.action, epoch: lease.epoch };
        self.alive.begin(held);
        let mut sending = Sending::new(held, lease.last_kept, self.migrator, &mut self.line, &self.alive);
        let mut writer = ChunkWriter::new(|chunk| sending.send(chunk));
        let (settings, source) = (&self.settings, &mut self.source);
        let written =
            perform::perform(action, || open(settings, source), &mut writer).and_then(|end| writer.end(&end));
        self.alive.end();
        match written {
            Ok(()) => Ok(sending.into_next()),
            Err(WriteError::Send(cut)) => Err(cut),
            // The end itself is small, so this is a broken promise of ours; the server asks for the action again.
            Err(WriteError::File { .. } | WriteError::TooLarge(_)) => {
                thread::sleep(self.line.backoff.failed());
                Ok(None)
            }
        }
    }
}

/// The source, opened when it is needed first.
fn open<'a>(
    settings: &MigratorSettings,
    source: &'a mut Option<Opened>,
) -> Result<&'a mut Opened, OpenError> {
    match source {
        Some(source) => Ok(source),
        None => {
            let path = mailbox::locate(&settings.roots, &settings.place)?;
            say(format_args!("migration {} reads {}", settings.migration, path.display()));
            // Without a folder that is gone for a moment, mails would arrive without attachments that are there.
            let daos = DaosFolders::open(&settings.daos)?;
            Ok(source.insert(NamedSource::at(&settings.place.kind, path).open_with(daos)?))
        }
    }
}

impl From<PlaceError> for OpenError {
    fn from(error: PlaceError) -> Self {
        Self::Place(error)
    }
}
