//! The server's parts without the one that drives migrations: orders are written down, and passes wait in the queue.

use super::orders::{OrderError, Orders, SetAsideView};
use super::passes::is_open;
use crate::base::clock::SystemClock;
use crate::base::ids::{MailboxNumber, MigrationId};
use crate::buffers::action::{ActionBuffer, LeaseSettings};
use crate::buffers::data::{DataBuffer, DataLimits};
use crate::destinations::registry::Target;
use crate::model::outcome::Outcome;
use crate::server::communication::{Communication, CommunicationSettings};
use crate::store::config::{Mailbox, PassLine, PassState, TallyForm};
use crate::store::seal::SealKey;
use crate::store::{StateStore, StoreError};
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Keeps records and takes orders.
pub struct Desk {
    store: Arc<StateStore>,
    seal_key: SealKey,
    communication: Communication,
    clock: SystemClock,
    changes: Mutex<Changes>,
    changed: Condvar,
}

struct Changes {
    mark: u64,
    closing: bool,
}

impl Desk {
    /// Opens the data folder.
    ///
    /// # Errors
    /// When a file in it cannot be used.
    pub fn open(
        folder: &Path,
        leases: LeaseSettings,
        limits: DataLimits,
        settings: CommunicationSettings,
    ) -> Result<Self, StoreError> {
        let store = Arc::new(StateStore::open(folder)?);
        let open_error = |error: std::io::Error| StoreError::Open {
            path: folder.join(SealKey::FILE_NAME),
            why: error.to_string(),
        };
        let seal_key = SealKey::load_or_make(folder).map_err(open_error)?;
        let actions = Arc::new(ActionBuffer::open(Arc::clone(&store), leases)?);
        let data = Arc::new(DataBuffer::open(folder, limits)?);
        let clock = SystemClock::new();
        let now = move || clock.now();
        let communication =
            Communication::new(Arc::clone(&store), actions, data, seal_key.clone(), now, settings);
        // Marks of another start must not be taken for marks of this one.
        let mark = clock.now().unix_ms.unsigned_abs().max(1);
        let changes = Mutex::new(Changes { mark, closing: false });
        Ok(Self { store, seal_key, communication, clock, changes, changed: Condvar::new() })
    }

    /// Ends everything that is held open.
    pub fn shut_down(&self) {
        self.lock().closing = true;
        self.changed.notify_all();
        self.communication.shut_down();
    }

    fn lock(&self) -> MutexGuard<'_, Changes> {
        self.changes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note_change(&self) {
        self.lock().mark += 1;
        self.changed.notify_all();
    }
}

impl Orders for Desk {
    fn store(&self) -> &StateStore {
        &self.store
    }

    fn communication(&self) -> &Communication {
        &self.communication
    }

    fn seal_key(&self) -> &SealKey {
        &self.seal_key
    }

    fn start_pass(&self, mailbox: MailboxNumber) -> Result<MigrationId, OrderError> {
        self.store.line::<Mailbox>(mailbox)?.ok_or(OrderError::Unknown)?;
        if self.passes()?.iter().any(|pass| pass.mailbox == mailbox && is_open(&pass.state)) {
            return Err(OrderError::Refused(format!("A pass of mailbox {mailbox} is under way already.")));
        }
        let now = self.clock.now().unix_ms;
        let pass = self.store.add_line(move |id| PassLine {
            id,
            mailbox,
            state: PassState::Queued,
            started_unix_ms: now,
            changed_unix_ms: now,
            tally: TallyForm::default(),
            not_final: None,
        })?;
        self.note_change();
        Ok(pass.id)
    }

    fn stop_pass(&self, pass: MigrationId) -> Result<(), OrderError> {
        let line = self.store.line::<PassLine>(pass)?.ok_or(OrderError::Unknown)?;
        if is_open(&line.state) {
            let changed_unix_ms = self.clock.now().unix_ms;
            let stopped = PassLine { state: PassState::Stopped, changed_unix_ms, ..line };
            self.store.put_lines(vec![stopped])?;
            self.note_change();
        }
        Ok(())
    }

    fn passes(&self) -> Result<Vec<PassLine>, StoreError> {
        self.store.lines()
    }

    fn wait_for_change(&self, after: u64, most: Duration) -> u64 {
        let unchanged = |changes: &mut Changes| changes.mark == after && !changes.closing;
        let waited = self.changed.wait_timeout_while(self.lock(), most, unchanged);
        waited.unwrap_or_else(PoisonError::into_inner).0.mark
    }

    fn set_aside(
        &self,
        mailbox: MailboxNumber,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<SetAsideView>, OrderError> {
        let line = self.store.line::<Mailbox>(mailbox)?.ok_or(OrderError::Unknown)?;
        let target = Target::parse(&line.target).map_err(|error| OrderError::Refused(format!("{error}.")))?;
        let mut found = Vec::new();
        let mut after = after.map(str::to_owned);
        while found.len() < limit {
            let page = self.store.entries(&target.mailbox(), after.as_deref(), limit)?;
            let Some((last, _)) = page.last() else { break };
            after = Some(last.to_string());
            found.extend(page.into_iter().filter_map(|(origin, entry)| match entry.outcome {
                Outcome::SetAside(set_aside) => {
                    Some(SetAsideView { key: origin.to_string(), set_aside, unix_ms: entry.unix_ms })
                }
                Outcome::Unfinished | Outcome::Delivered => None,
            }));
        }
        found.truncate(limit);
        Ok(found)
    }
}
