//! Who asks: the users of the store, the sessions in memory, and the code of the first start.

use super::request::{ApiError, Caller, Method, Remote, Request, Who};
use super::rules::Rule;
use crate::base::clock::Moment;
use crate::base::ids::UserId;
use crate::base::secret::Secret;
use crate::server::communication::{code_hash, random_code};
use crate::server::session::{Attempts, Begun, Passwords, Sessions};
use crate::store::config::{Role, User};
use crate::store::{StateStore, StoreError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

type Clock = Box<dyn Fn() -> Moment + Send + Sync>;

/// The accounts of one server.
pub struct Accounts {
    store: Arc<StateStore>,
    clock: Clock,
    sessions: Sessions,
    passwords: Passwords,
    attempts: Attempts,
    /// Makes the first administrator; of no use once there is a user.
    first_code: Secret,
    /// Held from the look at what failed to the note of this attempt.
    trying: Mutex<()>,
}

impl Accounts {
    /// # Errors
    /// When the system has no randomness.
    pub fn new(store: Arc<StateStore>, clock: Clock) -> Result<Self, StoreError> {
        Ok(Self {
            store,
            clock,
            sessions: Sessions::default(),
            passwords: Passwords::default(),
            attempts: Attempts::default(),
            first_code: random_code()?,
            trying: Mutex::default(),
        })
    }

    pub fn now(&self) -> Moment {
        (self.clock)()
    }

    /// The code that makes the first administrator, while there is no user.
    pub fn first_code(&self) -> Result<Option<&Secret>, StoreError> {
        Ok(self.users()?.is_empty().then_some(&self.first_code))
    }

    pub fn users(&self) -> Result<Vec<User>, StoreError> {
        self.store.lines()
    }

    /// Who asks, if the call may be made at all by that one.
    pub fn admit(&self, request: &Request, rule: &Rule) -> Result<Who, ApiError> {
        let who = self.who(&request.caller)?;
        if let Caller::Remote(Remote { csrf, is_foreign, .. }) = &request.caller
            && request.method != Method::Get
        {
            if *is_foreign {
                return Err(ApiError::forbidden("This request comes from the page of another site."));
            }
            if let Who::User { csrf: expected, .. } = &who
                && rule.role.is_some()
                && !is_same(csrf.as_deref().unwrap_or_default(), expected)
            {
                return Err(ApiError::forbidden("The page is out of date; load it again."));
            }
        }
        match (rule.role, who.role()) {
            (None, _) => Ok(who),
            (Some(_), None) => Err(ApiError::not_logged_in()),
            (Some(needed), Some(role)) if role < needed => {
                Err(ApiError::forbidden(format!("This needs the role of {}.", role_name(needed))))
            }
            (Some(_), Some(_)) => Ok(who),
        }
    }

    pub fn who(&self, caller: &Caller) -> Result<Who, StoreError> {
        let Caller::Remote(remote) = caller else { return Ok(Who::Owner) };
        let session = remote.token.as_ref().and_then(|token| self.sessions.find(token, self.now().monotonic));
        let Some((id, csrf)) = session else { return Ok(Who::Stranger) };
        // Removed users have no session, and a role counts from the moment it is changed.
        let user = self.store.line::<User>(id)?;
        Ok(user.map_or(Who::Stranger, |User { name, role, .. }| Who::User { id, name, role, csrf }))
    }

    /// Does something that is only to be tried so often. `Ok(None)` from `attempt` counts as a failure.
    pub fn limited<T>(
        &self,
        name: &str,
        caller: &Caller,
        attempt: impl FnOnce() -> Result<Option<T>, ApiError>,
    ) -> Result<Option<T>, ApiError> {
        let Caller::Remote(Remote { client, .. }) = caller else { return attempt() };
        let keys = Attempts::keys(name, client);
        let refuse_pause = || match self.attempts.pause(&keys, self.now().monotonic) {
            Some(seconds) => Err(ApiError::too_often(seconds)),
            None => Ok(()),
        };
        // Also before the wait for the lock, so that a crowd is sent away at once.
        refuse_pause()?;
        let _one_at_a_time = self.trying();
        refuse_pause()?;
        let done = attempt()?;
        match done {
            Some(_) => self.attempts.worked(&keys),
            None => self.attempts.failed(&keys, self.now().monotonic),
        }
        Ok(done)
    }

    /// The user whom a name and a password belong to.
    pub fn user_of(&self, name: &str, password: &Secret) -> Result<Option<User>, StoreError> {
        let user = self.users()?.into_iter().find(|user| is_same_name(&user.name, name));
        let hash = user.as_ref().map(|user| user.password_hash.as_str());
        Ok(self.passwords.matches(password, hash).then_some(user).flatten())
    }

    pub fn is_first_code(&self, code: &Secret) -> bool {
        code_hash(code) == code_hash(&self.first_code)
    }

    pub fn hash(&self, password: &Secret) -> Result<String, ApiError> {
        Ok(self.passwords.hash(password)?)
    }

    pub fn begin(&self, user: UserId) -> Result<Begun, ApiError> {
        Ok(self.sessions.begin(user, self.now().monotonic)?)
    }

    pub fn end(&self, token: &Secret) {
        self.sessions.end(token);
    }

    /// Ends all sessions of a user, but for the one that asks.
    pub fn end_of(&self, user: UserId, asks: Option<&Caller>) {
        let token = match asks {
            Some(Caller::Remote(remote)) => remote.token.as_ref(),
            Some(Caller::Owner) | None => None,
        };
        self.sessions.end_of(user, token);
    }

    fn trying(&self) -> MutexGuard<'_, ()> {
        self.trying.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Digests, because they are compared in constant time.
fn is_same(shown: &str, expected: &str) -> bool {
    blake3::hash(shown.as_bytes()) == blake3::hash(expected.as_bytes())
}

/// Whether two names stand for one user.
pub fn is_same_name(one: &str, other: &str) -> bool {
    one.to_lowercase() == other.to_lowercase()
}

/// The roles with their names in the API.
pub const ROLES: &[(Role, &str)] =
    &[(Role::Viewer, "viewer"), (Role::Operator, "operator"), (Role::Administrator, "administrator")];

pub fn role_name(role: Role) -> &'static str {
    ROLES.iter().find(|(known, _)| *known == role).map_or("", |(_, name)| name)
}
