//! The web API, `/api/v1`: checks input, reads or changes records, and passes orders on. It decides nothing.
//!
//! Called by `server::listener` for the command line (admin socket) and for pages. One file a resource:
//!
//! | Call | |
//! |---|---|
//! | `GET server` | version, data folder, numbers |
//! | `GET extractors`, `POST extractors/enrol-code`, `DELETE extractors/ID` | *delete* revokes the token |
//! | `GET extractors/ID/found` | the mailboxes that it found |
//! | `GET, POST connectors`, `GET, PATCH, DELETE connectors/ID` | refused while mailboxes use it |
//! | `GET, POST mailboxes`, `GET, PATCH, DELETE mailboxes/ID` | refused while a pass runs |
//! | `POST mailboxes/ID/test-target` | logs in and out again |
//! | `GET mailboxes/ID/set-aside[?after=KEY&limit=N]` | documents that were not delivered, with the reason |
//! | `GET passes[?after=MARK]`, `POST passes`, `GET passes/ID`, `POST passes/ID/stop` | with a mark, waits for a change |
//!
//! Bodies are JSON objects. A password is sealed as soon as it is here and never given back (invariant F).

mod connectors;
mod extractors;
mod fields;
mod info;
mod mailboxes;
mod passes;
pub mod request;

pub use info::ServerFacts;

use crate::server::machine::Machine;
use request::{ApiError, Request, Response, Who};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Where the API begins in the address of a request.
pub const API_PATH: &str = "/api/v1/";

/// The web API over the records and orders of one server.
pub struct Api {
    machine: Arc<Machine>,
    facts: ServerFacts,
    /// Held over a look at the records and the change that follows from it.
    changes: Mutex<()>,
}

impl Api {
    pub fn new(machine: Arc<Machine>, facts: ServerFacts) -> Self {
        Self { machine, facts, changes: Mutex::default() }
    }

    /// Does a call.
    pub fn answer(&self, request: &Request) -> Response {
        self.route(request).unwrap_or_else(Response::from)
    }

    fn route(&self, request: &Request) -> Result<Response, ApiError> {
        if request.who != Who::Administrator {
            return Err(ApiError::not_logged_in());
        }
        let parts: Vec<&str> = request.path.split('/').collect();
        match parts.split_first() {
            Some((&"server", rest)) => info::answer(self, request, rest),
            Some((&"extractors", rest)) => extractors::answer(self, request, rest),
            Some((&"connectors", rest)) => connectors::answer(self, request, rest),
            Some((&"mailboxes", rest)) => mailboxes::answer(self, request, rest),
            Some((&"passes", rest)) => passes::answer(self, request, rest),
            _ => Err(no_such_call(request)),
        }
    }

    fn one_at_a_time(&self) -> MutexGuard<'_, ()> {
        self.changes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn no_such_call(request: &Request) -> ApiError {
    ApiError::not_found(format!("call {:?} of `{}`", request.method, request.path))
}

/// The number in a path.
fn number<Id: From<u64>>(kind: &str, text: &str) -> Result<Id, ApiError> {
    text.parse().map(u64::into).map_err(|_| ApiError::not_found(format!("{kind} `{text}`")))
}

#[cfg(test)]
mod tests;
