//! How a command ends: the exit code for scripts, a sentence for people.

use crate::destinations::DestinationError;
use crate::destinations::registry::TargetError;
use crate::server::delivery::DeliveryError;
use crate::sources::SourceError;
use crate::sources::registry::NameError;
use crate::store::StoreError;
use std::process::ExitCode;

/// The exit codes of all commands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    Complete = 0,
    SomeSetAside = 1,
    /// Wrong usage, or a state folder that cannot be used.
    Usage = 2,
    Source = 3,
    Destination = 4,
    LoginRefused = 5,
    Full = 6,
    Stopped = 7,
}

impl Exit {
    /// The codes as `--help` shows them.
    pub const HELP: &'static str = "\
Exit codes:
  0  all documents that were found are at the target
  1  finished, and some documents are set aside; they are listed with the reason
  2  wrong usage, or the state folder cannot be used
  3  the source cannot be read, or is in use
  4  the target cannot be reached
  5  the target refused the log-in
  6  the target is full
  7  stopped by Ctrl-C
The last line of the output says the same in a sentence.";

    /// The number.
    pub fn code(self) -> u8 {
        self as u8
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// Why a command ended before its work was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    pub exit: Exit,
    /// What was wrong, where, and what to do.
    pub sentence: String,
}

impl Failure {
    pub fn new(exit: Exit, sentence: impl Into<String>) -> Self {
        Self { exit, sentence: sentence.into() }
    }
}

impl From<NameError> for Failure {
    fn from(error: NameError) -> Self {
        Self::new(Exit::Usage, error.to_string())
    }
}

impl From<TargetError> for Failure {
    fn from(error: TargetError) -> Self {
        Self::new(Exit::Usage, error.to_string())
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::new(Exit::Usage, error.to_string())
    }
}

impl From<SourceError> for Failure {
    fn from(error: SourceError) -> Self {
        let advice = match &error {
            SourceError::InUse { .. } => format!("; {IN_USE_ADVICE}"),
            _ => String::new(),
        };
        Self::new(Exit::Source, format!("{error}{advice}"))
    }
}

/// What to do about a database that another program writes.
pub const IN_USE_ADVICE: &str = "make a local replica or a file copy while it is closed, or stop the program that \
    holds it, and migrate that";

impl From<DestinationError> for Failure {
    fn from(error: DestinationError) -> Self {
        let (exit, advice) = match &error {
            DestinationError::Unreachable { .. } | DestinationError::CannotRemove { .. } => {
                (Exit::Destination, "")
            }
            DestinationError::LoginRefused { .. } => (Exit::LoginRefused, ""),
            DestinationError::Full { .. } => (Exit::Full, "; make room and run the same command again"),
        };
        Self::new(exit, format!("{error}{advice}"))
    }
}

impl From<DeliveryError> for Failure {
    fn from(error: DeliveryError) -> Self {
        match error {
            DeliveryError::Store(error) => error.into(),
            DeliveryError::Destination(error) => error.into(),
        }
    }
}
