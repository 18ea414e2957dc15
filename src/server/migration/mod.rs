//! The migration service: drives one mailbox from its first action to its last.
//!
//! Puts the next action, takes what arrived out of the data buffer, hands it to conversion and delivery, and puts the
//! action after that. [`Service::step`] never waits for anything but room in the delivery's queue; `server::machine`
//! calls it when something arrived, and every 100 ms.

pub mod delivery_job;
mod flow;
mod intake;
pub mod queue;

use crate::base::ids::{ActionId, MigrationId};
use crate::base::limits::{SPOOL_BYTES, TAKE_BYTES};
use crate::buffers::action::{ActionBuffer, Again};
use crate::buffers::data::{DataBuffer, SpooledChunk};
use crate::conversion::{Choices, Directory};
use crate::destinations::Traits;
use crate::model::content::{ListedItem, SourceItem};
use crate::model::loss::{SetAside, SetAsideReason};
use crate::protocol::action::Action;
use crate::protocol::transfer::{Arrived, End};
use crate::server::address_books;
use crate::server::delivery::{Conversion, Prepared, Preparer, Settings, Start};
use crate::server::migration::delivery_job::Message;
use crate::server::migration::flow::{Flow, Next};
use crate::server::migration::intake::{Arrival, Intake};
use crate::server::pool::Pool;
use crate::store::config::Retry;
use crate::store::{StateStore, StoreError};
use std::sync::Arc;

/// What a step came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Nothing had arrived.
    Idle,
    Worked,
    /// The next action was put.
    Asked,
    /// Everything was handed to the delivery.
    Complete,
}

/// Why a migration cannot go on now.
#[derive(Debug, thiserror::Error)]
pub enum MigrationError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("{0}")]
    Source(String),
    /// The delivery ended; it knows why.
    #[error("the delivery ended")]
    DeliveryEnded,
}

/// The parts of the server that every migration uses.
#[derive(Clone)]
pub struct Parts {
    pub store: Arc<StateStore>,
    pub actions: Arc<ActionBuffer>,
    pub data: Arc<DataBuffer>,
    pub pool: Arc<Pool>,
    /// What is known of Notes names.
    pub directory: Arc<Directory>,
    pub choices: Choices,
}

/// What the service needs of the delivery.
pub trait Delivery {
    /// What the destination can do; `None` when the delivery ended before it was open.
    fn traits(&self) -> Option<Traits>;

    /// Hands something on; `false` when the delivery ended.
    fn put(&self, message: Message) -> bool;
}

/// One running migration.
pub struct Service<D> {
    parts: Parts,
    migration: MigrationId,
    settings: Settings,
    all_documents: bool,
    retry: Option<Retry>,
    delivery: D,
    flow: Flow,
    action: Action,
    action_id: ActionId,
    intake: Option<Intake>,
    /// Has a clone for everything that was handed on and is not settled.
    unsettled: Arc<()>,
}

impl<D: Delivery> Service<D> {
    /// Starts a migration with its first action. With a limit the listing ends after so many documents; with a retry
    /// nothing is opened but what it names.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn begin(
        parts: Parts,
        migration: MigrationId,
        settings: Settings,
        all_documents: bool,
        limit: Option<u32>,
        retry: Option<Retry>,
        delivery: D,
    ) -> Result<Self, StoreError> {
        let action = Flow::first();
        // What an earlier run left is void.
        parts.actions.wait(migration)?;
        parts.data.clear(migration)?;
        let action_id = parts.actions.put(migration, &action)?;
        let flow = Flow::new(limit);
        Ok(Self {
            parts,
            migration,
            settings,
            all_documents,
            retry,
            delivery,
            flow,
            action,
            action_id,
            intake: None,
            unsettled: Arc::default(),
        })
    }

    /// Whether an address book is read.
    pub fn is_directory(&self) -> bool {
        self.settings.mailbox.is_directory()
    }

    /// Why another pass is needed after this one.
    pub fn changed(&self) -> Option<&str> {
        self.flow.changed()
    }

    /// Takes what arrived, as far as there is some.
    ///
    /// # Errors
    /// [`MigrationError`]; the service is of no use after it.
    pub fn step(&mut self) -> Result<Step, MigrationError> {
        let mut step = Step::Idle;
        // An item that is arriving needs all the room it takes; a second one can wait for the delivery.
        if self.parts.data.spooled_bytes(self.migration) > SPOOL_BYTES
            && Arc::strong_count(&self.unsettled) > 1
        {
            return Ok(step);
        }
        for spooled in self.parts.data.take(self.migration, TAKE_BYTES)? {
            step = self.read(&spooled)?;
            if matches!(step, Step::Asked | Step::Complete) {
                // Whatever follows belongs to an answer that nobody waits for any more.
                break;
            }
        }
        Ok(step)
    }

    /// The present action was given up: its readers died or went silent too often.
    ///
    /// # Errors
    /// As [`Service::step`].
    pub fn given_up(&mut self, action: ActionId) -> Result<Step, MigrationError> {
        if action != self.action_id {
            return Ok(Step::Idle);
        }
        let given_up = self.flow.give_up();
        if let Some(listed) = given_up.set_aside {
            let aside = SetAside::new(
                SetAsideReason::CrashedTheReader,
                "the extractor ended or went silent each time it read this document",
            );
            let prepared = self.preparing(|preparer| preparer.set_aside(&listed, aside))?;
            self.hand_on(prepared)?;
        }
        self.go_on(given_up.next)
    }

    /// Reads one chunk and hands on what it makes whole.
    fn read(&mut self, spooled: &SpooledChunk) -> Result<Step, MigrationError> {
        let held = spooled.held();
        let epoch = self.intake.as_ref().map(|intake| intake.epoch);
        if held.action != self.action_id || epoch.is_some_and(|epoch| held.epoch < epoch) {
            return Ok(Step::Worked);
        }
        if epoch != Some(held.epoch) {
            self.intake = Some(Intake::new(&self.action, held.epoch));
        }
        let Some(intake) = &mut self.intake else { return Ok(Step::Worked) };
        match intake.read(spooled, &spooled.read()?) {
            Ok(arrived) => match self.take(arrived)? {
                Some(end) => self.end(end),
                None => Ok(Step::Worked),
            },
            Err(why) => {
                tracing::warn!(
                    "pass {}: an answer cannot be read and is asked for again: {why}",
                    self.migration
                );
                self.intake = None;
                match self.parts.actions.again(self.migration, self.action_id)? {
                    Again::Queued => Ok(Step::Worked),
                    Again::GivenUp => self.given_up(self.action_id),
                }
            }
        }
    }

    /// Takes what is whole, in order; items of one chunk are converted together.
    fn take(&mut self, arrived: Vec<Arrival>) -> Result<Option<End>, MigrationError> {
        let mut items = Vec::new();
        let mut listed = Vec::new();
        let mut unreadable = 0;
        let mut end = None;
        for (arrived, chunks) in arrived {
            match arrived {
                Arrived::Nonce(_) => {}
                Arrived::Source(facts) => self.flow.take_facts(facts),
                Arrived::Folder(folder) => self.flow.take_folder(folder),
                Arrived::Listed(line) => listed.push(line),
                Arrived::SetAside { id, set_aside } => match self.flow.take_item(id) {
                    Some(line) => items.push((line, Err(set_aside), chunks)),
                    None => unreadable += u64::from(matches!(self.action, Action::ListItems { .. })),
                },
                Arrived::Item { id, item } => {
                    items.extend(self.flow.take_item(id).map(|line| (line, Ok(item), chunks)));
                }
                Arrived::End(ended) => end = Some(ended),
            }
        }
        self.look(listed, unreadable)?;
        self.convert(items)?;
        Ok(end)
    }

    /// Sorts the lines of a listing into those that have to be opened and those that are known.
    fn look(&mut self, listed: Vec<ListedItem>, unreadable: u64) -> Result<(), MigrationError> {
        if listed.is_empty() && unreadable == 0 {
            return Ok(());
        }
        self.flow.take_listed(listed.len() as u64 + unreadable);
        self.put(Message::Unreadable(unreadable))?;
        self.put(Message::Found(listed.len() as u64))?;
        for line in listed {
            let start = self.preparing(|preparer| match &self.retry {
                None => Ok(preparer.look(&line)?.map_or(Start::Open, Start::Ended)),
                Some(retry) => preparer.look_again(&line, retry),
            })??;
            match start {
                Start::Ended(end) => self.put(Message::Unopened(line.origin, end))?,
                Start::Open => self.flow.open_later(line),
                // Counted, and still to do at the end of this pass.
                Start::Left => {}
            }
        }
        Ok(())
    }

    fn convert(&mut self, items: Vec<Opened>) -> Result<(), MigrationError> {
        if items.is_empty() {
            return Ok(());
        }
        let unsettled = &self.unsettled;
        let prepare = |preparer: &Preparer<'_>| {
            self.parts.pool.convert(items, |(line, item, chunks)| {
                let mut prepared = match item {
                    Ok(item) => preparer.item(&line, &item)?,
                    Err(aside) => preparer.set_aside(&line, aside),
                };
                prepared.hold = Some(Box::new((chunks, Arc::clone(unsettled))));
                Ok::<_, StoreError>(prepared)
            })
        };
        for prepared in self.preparing(prepare)? {
            self.hand_on(prepared?)?;
        }
        Ok(())
    }

    /// The end of an action: it is settled, and the next one put.
    fn end(&mut self, end: End) -> Result<Step, MigrationError> {
        self.parts.actions.settle(self.migration, self.action_id)?;
        let next = self.flow.end(end);
        self.go_on(next)
    }

    fn go_on(&mut self, next: Next) -> Result<Step, MigrationError> {
        self.intake = None;
        match next {
            Next::Ask(action) => {
                self.action_id = self.parts.actions.put(self.migration, &action)?;
                self.action = action;
                Ok(Step::Asked)
            }
            Next::Complete => Ok(Step::Complete),
            Next::Fail(why) => Err(MigrationError::Source(why)),
        }
    }

    fn hand_on(&self, prepared: Prepared) -> Result<(), MigrationError> {
        self.put(Message::Prepared(Box::new(prepared)))
    }

    fn put(&self, message: Message) -> Result<(), MigrationError> {
        if self.delivery.put(message) { Ok(()) } else { Err(MigrationError::DeliveryEnded) }
    }

    fn preparing<R>(&self, prepare: impl FnOnce(&Preparer<'_>) -> R) -> Result<R, MigrationError> {
        let traits = self.delivery.traits().ok_or(MigrationError::DeliveryEnded)?;
        let conversion = Conversion {
            owner: self.flow.facts().owner.as_deref(),
            folders: self.flow.folders(),
            folder_map: &self.settings.folder_map,
            all_documents: self.all_documents,
            now_unix_ms: self.settings.now_unix_ms,
            directory: &self.parts.directory,
            choices: self.parts.choices,
        };
        let is_directory = self.is_directory();
        let preparer = Preparer {
            settings: &self.settings,
            ledger: Some(&self.parts.store),
            folders: conversion.folders,
            traits,
            convert: &|listed, item| match is_directory {
                true => address_books::convert(item),
                false => conversion.convert(listed, item),
            },
        };
        Ok(prepare(&preparer))
    }
}

/// An item that was opened, or why it could not be.
type Opened = (ListedItem, Result<Box<SourceItem>, SetAside>, Vec<SpooledChunk>);
