//! What an extractor has to do, and what it hands in: connectors, migrations, actions, data, signs of life.
//!
//! An extractor sees only its own connectors and the migrations of their mailboxes; any other is answered as if it did
//! not exist.

use super::{Communication, refused};
use crate::base::ids::{ExtractorId, MigrationId};
use crate::base::limits::{MESSAGE_LIST_ENTRIES, TRY_LATER_MILLISECONDS};
use crate::buffers::action::{Asker, Offer};
use crate::protocol::action::{Action, ActionRequest, DataAnswer, DataRequest, Order};
use crate::protocol::calls::{
    AliveAnswer, AliveRequest, Connector, ConnectorsAnswer, Credentials, Migration, MigrationsAnswer,
    MigrationsRequest,
};
use crate::protocol::frame::{Reason, Refusal};
use crate::store::StoreError;
use crate::store::config::{self, Mailbox, PassLine, PassState};

impl Communication {
    pub(super) fn connectors(&self, extractor: ExtractorId) -> Result<ConnectorsAnswer, Refusal> {
        let lines = self.store.lines::<config::Connector>().map_err(refused)?;
        let own = lines.into_iter().filter(|line| line.extractor == extractor);
        let connectors = own.take(MESSAGE_LIST_ENTRIES).map(|line| self.connector(line));
        Ok(ConnectorsAnswer { connectors: connectors.collect::<Result<_, _>>()? })
    }

    fn connector(&self, line: config::Connector) -> Result<Connector, Refusal> {
        let config::Connector { id, name, kind, location, user, password, .. } = line;
        let password = password.map(|sealed| self.keys.open_secret(&sealed)).transpose();
        let password = password.map_err(|error| {
            Refusal::new(Reason::Unavailable, format!("the password of {name} cannot be read: {error}"))
        })?;
        let credentials = password.map(|password| Credentials { user: user.unwrap_or_default(), password });
        Ok(Connector { id, name, kind, location, credentials })
    }

    /// The first that were started come first.
    pub(super) fn migrations(
        &self,
        extractor: ExtractorId,
        request: &MigrationsRequest,
    ) -> Result<MigrationsAnswer, Refusal> {
        let connector = self.store.line::<config::Connector>(request.connector).map_err(refused)?;
        if connector.is_none_or(|connector| connector.extractor != extractor) {
            return Ok(MigrationsAnswer { migrations: Vec::new() });
        }
        let passes = self.store.lines::<PassLine>().map_err(refused)?;
        let running = passes.iter().filter(|pass| pass.state == PassState::Running);
        let migrations = running.filter_map(|pass| {
            let mailbox = self.store.line::<Mailbox>(pass.mailbox).transpose()?;
            let own = mailbox.map(|mailbox| (mailbox.connector == request.connector).then_some(mailbox));
            let migration =
                |mailbox: Mailbox| Migration { id: pass.id, mailbox: mailbox.source, credentials: None };
            own.transpose().map(|mailbox| mailbox.map(migration))
        });
        let migrations = migrations.take(MESSAGE_LIST_ENTRIES).collect::<Result<_, _>>().map_err(refused)?;
        Ok(MigrationsAnswer { migrations })
    }

    /// The extractor that works on a migration.
    pub(super) fn owner(&self, migration: MigrationId) -> Result<Option<ExtractorId>, StoreError> {
        let Some(pass) = self.store.line::<PassLine>(migration)? else { return Ok(None) };
        let Some(mailbox) = self.store.line::<Mailbox>(pass.mailbox)? else { return Ok(None) };
        let connector = self.store.line::<config::Connector>(mailbox.connector)?;
        Ok(connector.map(|connector| connector.extractor))
    }

    fn owns(&self, extractor: ExtractorId, migration: MigrationId) -> Result<bool, Refusal> {
        Ok(self.owner(migration).map_err(refused)? == Some(extractor))
    }

    pub(super) fn action(&self, extractor: ExtractorId, request: &ActionRequest) -> Result<Order, Refusal> {
        let &ActionRequest { migration, migrator, alone } = request;
        if !self.owns(extractor, migration)? {
            return Ok(Order { action: Action::Stop, lease: None });
        }
        let order = self.ask(migration, &Asker { extractor, migrator, alone });
        self.wake(migration);
        order
    }

    fn ask(&self, migration: MigrationId, asker: &Asker) -> Result<Order, Refusal> {
        let waiting = self.data.waiting(migration);
        self.actions.ask(migration, asker, self.now().monotonic, waiting).map_err(refused)
    }

    /// *Data Transfer*.
    pub(super) fn take_in(
        &self,
        extractor: ExtractorId,
        request: DataRequest,
    ) -> Result<DataAnswer, Refusal> {
        let DataRequest { held, chunk } = request;
        if !self.owns(extractor, held.migration)? {
            return Ok(DataAnswer::Stop);
        }
        let keep = || self.data.keep(&held, &chunk);
        let offer = self.actions.offer(&held, &chunk, self.now().monotonic, keep).map_err(refused)?;
        // Not held in memory while the next action is waited for.
        drop(chunk);
        Ok(match offer {
            Offer::Kept { whole } => {
                self.wake(held.migration);
                let next = whole.map(|holder| self.next_order(held.migration, &holder)).transpose()?;
                DataAnswer::Kept { next }
            }
            Offer::Full { .. } => DataAnswer::TryLater { milliseconds: TRY_LATER_MILLISECONDS },
            Offer::SendAgain { last_kept } => DataAnswer::SendAgain { last_kept },
            Offer::Over => DataAnswer::Stop,
        })
    }

    /// What comes after an answer that is whole. The next action is waited for a little, which saves its asking.
    fn next_order(&self, migration: MigrationId, holder: &Asker) -> Result<Order, Refusal> {
        let start = self.now().monotonic.0;
        loop {
            let mark = self.board.mark(migration);
            let order = self.ask(migration, holder)?;
            let waited = self.now().monotonic.0.saturating_sub(start);
            let left = self.settings.answer_wait.saturating_sub(waited);
            let waits = matches!(order.action, Action::Wait { .. });
            if !waits || !self.board.wait(migration, mark, left) {
                return Ok(order);
            }
        }
    }

    pub(super) fn alive(
        &self,
        extractor: ExtractorId,
        request: &AliveRequest,
    ) -> Result<AliveAnswer, Refusal> {
        let own = self.owns(extractor, request.held.migration)?;
        Ok(AliveAnswer { stop: !(own && self.actions.check(&request.held, self.now().monotonic)) })
    }

    fn wake(&self, migration: MigrationId) {
        if let Some(wake) = self.wake.get() {
            wake(migration);
        }
    }
}
