//! What the records tell of mailboxes: their last passes, what was set aside, what was lost.

use crate::base::ids::MailboxNumber;
use crate::model::item::{MailboxId, Origin};
use crate::model::loss::{SetAside, SetAsideReason};
use crate::model::outcome::Outcome;
use crate::model::summary::Summary;
use crate::server::machine::orders::{OrderError, target_of};
use crate::server::machine::{Machine, lock};
use crate::store::config::{Mailbox, PassLine};
use crate::store::{Entry, StoreError};
use std::collections::BTreeSet;

/// An item that is set aside.
#[derive(Clone, Debug)]
pub struct SetAsideItem {
    pub origin: Origin,
    pub why: SetAside,
    pub unix_ms: i64,
}

impl Machine {
    /// All passes, those under way with their present sum.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn passes(&self) -> Result<Vec<PassLine>, StoreError> {
        let mut lines = self.store().lines::<PassLine>()?;
        let running = lock(&self.running);
        for line in &mut lines {
            if let Some(running) = running.get(&line.id) {
                line.tally = running.progress.tally().into();
            }
        }
        Ok(lines)
    }

    /// Items of a mailbox that are set aside, for one reason or any, up to `limit` of them, after the given origin (as
    /// its text).
    ///
    /// # Errors
    /// [`OrderError`]
    pub fn set_aside(
        &self,
        mailbox: MailboxNumber,
        reason: Option<SetAsideReason>,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<SetAsideItem>, OrderError> {
        let line = self.store().line::<Mailbox>(mailbox)?.ok_or(OrderError::NoMailbox(mailbox))?;
        let target = target_of(&line)?.mailbox();
        let mut found = Vec::new();
        self.each_entry(&target, after, |origin, entry| {
            if let Outcome::SetAside(why) = entry.outcome
                && reason.is_none_or(|reason| reason == why.reason)
            {
                found.push(SetAsideItem { origin, why, unix_ms: entry.unix_ms });
            }
            found.len() < limit
        })?;
        Ok(found)
    }

    /// What documents lost and why others were set aside, in a mailbox or, without one, in all of them.
    ///
    /// # Errors
    /// [`OrderError`]
    pub fn findings(&self, mailbox: Option<MailboxNumber>) -> Result<Summary, OrderError> {
        let lines = match mailbox {
            Some(id) => vec![self.store().line::<Mailbox>(id)?.ok_or(OrderError::NoMailbox(id))?],
            None => {
                let lines = self.store().lines::<Mailbox>()?.into_iter();
                lines.filter(|line| !line.is_directory()).collect()
            }
        };
        // Several databases may go to one target, and its ledger counts once.
        let targets = lines.iter().map(|line| Ok(target_of(line)?.mailbox()));
        let targets: BTreeSet<MailboxId> = targets.collect::<Result<_, OrderError>>()?;
        let mut summary = Summary::new(0, 0);
        for target in targets {
            self.each_entry(&target, None, |origin, entry| {
                match &entry.outcome {
                    Outcome::SetAside(why) => summary.add_set_aside(Some(origin), &entry.about, &[], why),
                    _ => summary.add_losses(Some(origin), &entry.about, &[], &entry.losses),
                }
                true
            })?;
        }
        Ok(summary)
    }

    /// Shows the lines of a ledger, after the given origin (as its text), as long as they are wanted.
    fn each_entry(
        &self,
        target: &MailboxId,
        after: Option<&str>,
        mut wants_more: impl FnMut(Origin, Entry) -> bool,
    ) -> Result<(), StoreError> {
        const PAGE: usize = 1_000;
        let mut after = after.map(str::to_owned);
        loop {
            let page = self.store().entries(target, after.as_deref(), PAGE)?;
            let is_last = page.len() < PAGE;
            after = page.last().map(|(origin, _)| origin.to_string());
            let shown_all = page.into_iter().all(|(origin, entry)| wants_more(origin, entry));
            if is_last || !shown_all {
                return Ok(());
            }
        }
    }
}
