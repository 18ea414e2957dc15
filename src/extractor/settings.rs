//! What a parent process of the extractor tells its child in the first line of the child's standard input, as JSON.
//!
//! Both ends are the same program, so the form may change with every release.

use crate::base::ids::MigrationId;
use crate::extractor::client::{Address, Token};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::time::Duration;

/// How often and how long; shortened in tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timing {
    /// Between two looks of the heartbeat at the source.
    pub heartbeat: Duration,
    /// Between two looks of the guardian at the heartbeat.
    pub check: Duration,
    /// After so long without an answer of the source the guardian starts the others again.
    pub silent: Duration,
    /// The first pause before something that failed is tried again.
    pub retry: Duration,
    /// Between two looks for mailboxes.
    pub look: Duration,
}

/// From the command line and the state folder, for the coordinator.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Settings {
    pub address: Address,
    pub token: Token,
    /// The folders in which mailboxes may lie, in canonical form.
    pub roots: Vec<PathBuf>,
    /// The folders in which a Domino server keeps attachments, in canonical form.
    pub daos: Vec<PathBuf>,
    pub state_folder: PathBuf,
    pub timing: Timing,
    /// Why the guardian started the coordinator again, in a sentence.
    pub restarted_because: Option<String>,
}

/// From the coordinator, for a migrator: one mailbox.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct MigratorSettings {
    pub address: Address,
    pub token: Token,
    pub roots: Vec<PathBuf>,
    pub daos: Vec<PathBuf>,
    pub state_folder: PathBuf,
    pub retry: Duration,
    /// Between two signs of life in an action.
    pub alive: Duration,
    pub migration: MigrationId,
    pub place: Place,
}

/// Where a mailbox is, in the words of the server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The kind of source.
    pub kind: String,
    /// A folder, or the mailbox itself.
    pub location: String,
    /// Below the location, its parts joined by `/`; empty where the location is the mailbox.
    pub mailbox: String,
}
