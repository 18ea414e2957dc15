//! Every message between extractor and server, with its version: types and codecs, without HTTP, threads or clock.
//!
//! `extractor` asks and `server::communication` answers; each call is one HTTP POST to the path of its name, and both
//! bodies are a [`frame`]. [`calls`] are the calls that steer, [`action`] is what a migrator is told to do, and
//! [`transfer`] is how content travels. An enrolled extractor proves itself with its token in the HTTP header
//! `Authorization`, so no body but the answer to `enrol` holds it.
//!
//! **Versions.** A message is never changed once it was released, because postcard knows no field names: bytes of
//! another layout may decode without an error. A change makes a new version. The forms of the version before it stay
//! in a module of their own with their conversions and golden bytes until the version after next. A server answers in
//! the version in which it was asked, so an extractor always understands its answer; a version that is not spoken is
//! refused in a form that every version reads ([`frame::Refusal`]). Lists that are likely to grow (commands, actions,
//! losses, roles) travel as numbers, and a number from a newer peer becomes `Unknown` and no error.
//!
//! | Version | Since | What changed |
//! |---|---|---|
//! | 1 | 0.1.0 | the first |
//!
//! `tests/protocol/golden` holds the bytes of every message. Sizes are checked before anything is allocated for them.

pub mod action;
pub mod calls;
pub(crate) mod forms;
pub mod frame;
pub mod ids;
pub mod transfer;

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::fmt;

/// The protocol versions that a program speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Versions {
    /// The previous version, or the present one while there is no previous.
    pub oldest: u8,
    /// The present version, in which this program asks.
    pub newest: u8,
}

impl Versions {
    /// What this program speaks.
    pub const OURS: Self = Self { oldest: 1, newest: 1 };
}

impl fmt::Display for Versions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.newest == self.oldest {
            true => write!(f, "version {}", self.newest),
            false => write!(f, "versions {} to {}", self.oldest, self.newest),
        }
    }
}

/// What an extractor asks. The type of the answer follows from it, for the client as for the server.
pub trait Request: Serialize + DeserializeOwned {
    /// The name of the call, which is the last part of its path.
    const CALL: &'static str;
    type Answer: Serialize + DeserializeOwned;
}
