//! What people order: passes over mailboxes and address books, and their end.

use crate::base::ids::{MailboxNumber, MigrationId};
use crate::base::limits::EXTRACTOR_SILENT_SECONDS;
use crate::destinations::registry::Target;
use crate::model::filter::{Filter, FolderMap};
use crate::server::address_books::{self, Names};
use crate::server::machine::passes::is_open;
use crate::server::machine::{Machine, lock};
use crate::server::scheduler::Event;
use crate::store::StoreError;
use crate::store::config::{Connector, Mailbox, PassLine, Retry, UnknownKind};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

/// Why an order was not taken.
#[derive(Debug, thiserror::Error)]
pub enum OrderError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("there is no mailbox {0}")]
    NoMailbox(MailboxNumber),
    #[error("there is no pass {0}")]
    NoPass(MigrationId),
    #[error("the target of mailbox {mailbox} cannot be used: {why}")]
    Target { mailbox: MailboxNumber, why: String },
    #[error("mailbox {mailbox} cannot be carried: {why}")]
    Carried { mailbox: MailboxNumber, why: String },
    #[error("a pass into {0} is under way; let it finish or stop it first")]
    UnderWay(String),
}

impl Machine {
    /// Starts a pass over a mailbox; with a limit a trial of so many documents.
    ///
    /// # Errors
    /// [`OrderError`]
    pub fn start_pass(&self, mailbox: MailboxNumber, limit: Option<u32>) -> Result<MigrationId, OrderError> {
        self.start(mailbox, limit, None)
    }

    /// Starts a pass that tries chosen documents again and opens nothing else. After a trial it looks no further than
    /// the trial did.
    ///
    /// # Errors
    /// [`OrderError`]
    pub fn start_retry(&self, mailbox: MailboxNumber, retry: Retry) -> Result<MigrationId, OrderError> {
        let passes = self.store().lines::<PassLine>()?;
        let last = passes.iter().rev().find(|pass| pass.mailbox == mailbox);
        self.start(mailbox, last.and_then(|pass| pass.limit), Some(retry))
    }

    fn start(
        &self,
        mailbox: MailboxNumber,
        limit: Option<u32>,
        retry: Option<Retry>,
    ) -> Result<MigrationId, OrderError> {
        let line = self.store().line::<Mailbox>(mailbox)?.ok_or(OrderError::NoMailbox(mailbox))?;
        let target = target_of(&line)?;
        carried_of(&line)?;
        if !target.is_directory() {
            self.read_address_books()?;
        }
        // The lock is held until the scheduler knows the pass, so that two orders at once start one.
        let scheduler = lock(&self.scheduler);
        if scheduler.has(&target.mailbox()) || self.is_under_way(mailbox)? {
            return Err(OrderError::UnderWay(target.mailbox().0));
        }
        let now = self.clock.now().unix_ms;
        let pass = self.store().add_line(move |id| PassLine {
            limit,
            retry: retry.clone(),
            ..PassLine::queued(id, mailbox, now)
        })?;
        drop(scheduler);
        self.tell(Event::Started { pass: pass.id, mailbox: target.mailbox() });
        self.changed();
        Ok(pass.id)
    }

    /// Stops a pass. What it delivered stays, and the next pass goes on from there.
    ///
    /// # Errors
    /// [`OrderError`]
    pub fn stop_pass(&self, pass: MigrationId) -> Result<(), OrderError> {
        self.store().line::<PassLine>(pass)?.ok_or(OrderError::NoPass(pass))?;
        self.tell(Event::StopOrdered { pass });
        Ok(())
    }

    pub(super) fn is_under_way(&self, mailbox: MailboxNumber) -> Result<bool, StoreError> {
        let passes = self.store().lines::<PassLine>()?;
        Ok(passes.iter().any(|pass| pass.mailbox == mailbox && is_open(pass)))
    }

    pub(super) fn mailbox_of(&self, pass: &PassLine) -> Result<(Mailbox, Target), OrderError> {
        let mailbox = self.store().line::<Mailbox>(pass.mailbox)?;
        let mailbox = mailbox.ok_or(OrderError::NoMailbox(pass.mailbox))?;
        let target = target_of(&mailbox)?;
        Ok((mailbox, target))
    }

    /// Orders passes over the address books whose extractors are there, so that a mailbox finds what they say now. A
    /// book that is being read or waits for its next try needs no other one.
    fn read_address_books(&self) -> Result<(), OrderError> {
        for book in self.address_books()? {
            if !self.is_in_reach(&book)? {
                continue;
            }
            match self.start(book.id, None, None) {
                Ok(_) | Err(OrderError::UnderWay(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Whether the extractor of a mailbox called lately.
    fn is_in_reach(&self, mailbox: &Mailbox) -> Result<bool, StoreError> {
        let Some(connector) = self.store().line::<Connector>(mailbox.connector)? else { return Ok(false) };
        let (now, silent) = (self.clock.now().monotonic, Duration::from_secs(EXTRACTOR_SILENT_SECONDS));
        let views = self.communication.extractors()?;
        let view = views.iter().find(|view| view.line.id == connector.extractor && !view.line.revoked);
        let heard = view.and_then(|view| view.last_heard);
        Ok(heard.is_some_and(|heard| now.0.saturating_sub(heard.monotonic.0) < silent))
    }

    fn address_books(&self) -> Result<Vec<Mailbox>, StoreError> {
        Ok(self.store().lines::<Mailbox>()?.into_iter().filter(Mailbox::is_directory).collect())
    }

    /// Makes what is known of names anew: an address book was read or taken away.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn renew_directory(&self) -> Result<(), StoreError> {
        // Held over the look, so that of two passes that end together the later one has the last word.
        let mut names = lock(&self.names);
        let books = self.address_books()?;
        *names = match books.is_empty() {
            true => Names { directory: Arc::clone(&self.parts.directory), of_books: HashMap::new() },
            false => address_books::names(self.store(), &self.parts.directory, &books)?,
        };
        Ok(())
    }

    /// How many people, groups and databases an address book lists that were read.
    pub fn names_of(&self, book: MailboxNumber) -> usize {
        lock(&self.names).of_books.get(&book).copied().unwrap_or_default()
    }
}

/// What is carried of a mailbox, and under which names of folders.
pub(super) fn carried_of(mailbox: &Mailbox) -> Result<(Filter, FolderMap), OrderError> {
    let refused = |why| OrderError::Carried { mailbox: mailbox.id, why };
    let filter = mailbox.filter.clone().try_into();
    let filter = filter.map_err(|error: UnknownKind| refused(error.to_string()))?;
    Ok((filter, mailbox.folder_map().map_err(|error| refused(error.to_string()))?))
}

pub(super) fn target_of(mailbox: &Mailbox) -> Result<Target, OrderError> {
    Target::parse(&mailbox.target)
        .map_err(|error| OrderError::Target { mailbox: mailbox.id, why: error.to_string() })
}
