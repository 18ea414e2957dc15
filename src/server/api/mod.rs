//! The web API, `/api/v1`: checks input, reads or changes records, and passes orders on. It decides nothing.
//!
//! Called by `server::listener` for the command line (admin socket) and for pages. One file a resource:
//!
//! | Call | |
//! |---|---|
//! | `GET server` | version, data folder, numbers |
//! | `GET extractors`, `POST extractors/enrol-code`, `DELETE extractors/ID` | *delete* revokes the token |
//! | `GET extractors/ID/found[?target=PATTERN]` | the mailboxes that it found, with what may be made of them |
//! | `GET, POST connectors`, `GET, PATCH, DELETE connectors/ID` | refused while mailboxes use it |
//! | `GET, POST mailboxes`, `GET, PATCH, DELETE mailboxes/ID` | refused while a pass runs |
//! | `GET, POST directories`, `DELETE directories/ID` | address books, which are mailboxes of their own kind; *post* also reads it |
//! | `POST mailboxes/ID/test-target`, `POST targets/test` | logs in and out again |
//! | `POST mailboxes/ID/passes` | carries it; also what was set aside before |
//! | `GET mailboxes/ID/set-aside[?reason=NAME&after=KEY&limit=N]` | documents that were not delivered, with the reason |
//! | `POST mailboxes/ID/retry` | tries one `item` of these again, or all of a `reason`, and nothing else |
//! | `GET findings`, `GET mailboxes/ID/findings` | losses and reasons, added up, with samples |
//! | `GET passes[?after=MARK]`, `POST passes`, `GET passes/ID`, `POST passes/ID/stop` | with a mark, waits for a change |
//! | `POST stop-all` | stops every pass |
//! | `GET overview`, `GET changes[?after=MARK]` | the sum over all mailboxes, and what needs somebody; waits for a change |
//! | `GET, POST, DELETE session`, `POST first-start` | who is logged in; log in, log out; for everybody |
//! | `GET, POST users`, `PATCH, DELETE users/ID`, `GET audit[?after=NUMBER&limit=N]` | for administrators; everybody changes the own password |
//!
//! Who may call what stands in `rules`. Bodies are JSON objects. A password is sealed as soon as it is here and never given back (invariant F).

mod accounts;
mod connectors;
mod directories;
mod extractors;
mod fields;
mod findings;
mod info;
mod mailboxes;
mod overview;
mod passes;
pub mod request;
mod rules;
mod session;
mod users;

pub use info::ServerFacts;

use crate::base::clock::Moment;
use crate::base::secret::Secret;
use crate::server::machine::Machine;
use crate::store::StoreError;
use crate::store::audit::AuditLine;
use crate::store::config::{Role, User};
use accounts::Accounts;
use request::{ApiError, Caller, Request, Response, Who};
use rules::Rule;
use serde_json::Value;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Where the API begins in the address of a request.
pub const API_PATH: &str = "/api/v1/";

/// The web API over the records and orders of one server.
pub struct Api {
    machine: Arc<Machine>,
    facts: ServerFacts,
    accounts: Accounts,
    /// Held over a look at the records and the change that follows from it.
    changes: Mutex<()>,
}

impl Api {
    /// # Errors
    /// When the system has no randomness.
    pub fn new(
        machine: Arc<Machine>,
        facts: ServerFacts,
        clock: impl Fn() -> Moment + Send + Sync + 'static,
    ) -> Result<Self, StoreError> {
        let accounts = Accounts::new(Arc::clone(machine.store()), Box::new(clock))?;
        Ok(Self { machine, facts, accounts, changes: Mutex::default() })
    }

    /// The code that makes the first administrator, while there is no user.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub fn first_code(&self) -> Result<Option<&Secret>, StoreError> {
        self.accounts.first_code()
    }

    /// Whether others find this server by HTTPS.
    pub fn has_tls(&self) -> bool {
        self.facts.has_tls()
    }

    /// Who asks.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub fn who(&self, caller: &Caller) -> Result<Who, StoreError> {
        self.accounts.who(caller)
    }

    /// Does a call.
    pub fn answer(&self, request: &Request) -> Response {
        self.admit_and_answer(request).unwrap_or_else(Response::from)
    }

    fn admit_and_answer(&self, request: &Request) -> Result<Response, ApiError> {
        let parts: Vec<&str> = request.path.split('/').collect();
        let rule = Rule::of(request.method, &parts);
        let who = self.accounts.admit(request, &rule)?;
        let response = self.route(request, &parts, &who)?;
        if let Some(change) = rule.change {
            self.note(change, &parts, &who, request, &response.body);
            self.machine.changed();
        }
        Ok(response)
    }

    fn route(&self, request: &Request, parts: &[&str], who: &Who) -> Result<Response, ApiError> {
        match parts.split_first() {
            Some((&"session", rest)) => session::answer(self, request, rest, who),
            Some((&"first-start", rest)) => session::first_start(self, request, rest),
            Some((&"users", rest)) => users::answer(self, request, rest, who),
            Some((&"audit", rest)) => users::audit(self, request, rest),
            Some((&"server", rest)) => info::answer(self, request, rest),
            Some((&"extractors", rest)) => extractors::answer(self, request, rest),
            Some((&"connectors", rest)) => connectors::answer(self, request, rest),
            Some((&"mailboxes", rest)) => mailboxes::answer(self, request, rest),
            Some((&"directories", rest)) => directories::answer(self, request, rest),
            Some((&"passes", rest)) => passes::answer(self, request, rest),
            Some((&"stop-all", rest)) => passes::stop_all(self, request, rest),
            Some((&"targets", rest)) => mailboxes::test_new_target(request, rest),
            Some((&"findings", rest)) => findings::answer(self, request, rest),
            Some((&"overview", rest)) => overview::answer(self, request, rest),
            Some((&"changes", rest)) => overview::changes(self, request, rest),
            _ => Err(no_such_call(request)),
        }
    }

    fn one_at_a_time(&self) -> MutexGuard<'_, ()> {
        self.changes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Call it under the lock under which the name was checked.
    fn add_user(&self, name: String, role: Role, password: &Secret) -> Result<User, ApiError> {
        let (password_hash, created_unix_ms) = (self.accounts.hash(password)?, self.accounts.now().unix_ms);
        let new = User { id: 0.into(), name, role, password_hash, created_unix_ms };
        Ok(self.machine.store().add_line(move |id| User { id, ..new.clone() })?)
    }

    /// Notes a change in the audit log. What was done is done, so a log that cannot be written is told to the other log.
    fn note(&self, change: &str, parts: &[&str], who: &Who, request: &Request, body: &Value) {
        let who = match (body["user"]["name"].as_str(), who) {
            // Has just logged in.
            (Some(name), _) => name.to_owned(),
            (None, Who::User { name, .. }) => name.clone(),
            (None, Who::Owner) => "command line".to_owned(),
            (None, Who::Stranger) => String::new(),
        };
        let on = match (parts.first(), &request.caller) {
            (Some(&("session" | "first-start")), Caller::Remote(remote)) => format!("from {}", remote.client),
            _ => subject(parts, body),
        };
        self.append_audit(who, change, on);
    }

    fn note_refused_log_in(&self, caller: &Caller) {
        if let Caller::Remote(remote) = caller {
            tracing::warn!(client = remote.client, "a log-in was refused");
            self.append_audit(String::new(), "log-in refused", format!("from {}", remote.client));
        }
    }

    fn append_audit(&self, who: String, what: &str, on: String) {
        let line = AuditLine { unix_ms: self.accounts.now().unix_ms, who, what: what.to_owned(), on };
        if let Err(error) = self.machine.store().append_audit(line) {
            tracing::error!("the audit log cannot be written: {error}");
        }
    }
}

/// What a change was made on: the kind with its number, which stands in the path or in the answer.
fn subject(parts: &[&str], body: &Value) -> String {
    if let Some(passes) = body["started"].as_array().or(body["stopped"].as_array()) {
        return format!("passes: {}", passes.len());
    }
    let kind = match parts.first() {
        Some(&"users") => "user",
        Some(&"extractors") => "extractor",
        Some(&"connectors") => "connector",
        Some(&"mailboxes") => "mailbox",
        Some(&"directories") => "directory",
        Some(&"passes") => "pass",
        _ => return String::new(),
    };
    let in_path = parts.get(1).and_then(|part| part.parse().ok());
    in_path.or(body["id"].as_u64()).map_or_else(String::new, |number: u64| format!("{kind} {number}"))
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
