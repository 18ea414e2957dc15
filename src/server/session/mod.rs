//! Who is logged in, without HTTP: sessions, passwords, and how often a log-in may be tried.
//!
//! Written and read by `server::api`. Everything here is in memory: whoever was logged in when the server ended logs in
//! again. A session is known by a random token of which only the hash is kept. Times are counted on the monotonic clock
//! that the caller brings.

mod attempts;
mod password;

pub use attempts::Attempts;
pub use password::Passwords;

use crate::base::clock::Monotonic;
use crate::base::ids::UserId;
use crate::base::limits::{SESSION_IDLE_SECONDS, SESSION_SECONDS, SESSIONS};
use crate::base::secret::Secret;
use crate::store::seal::random;
use blake3::Hash;
use std::collections::HashMap;
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The sessions of one server.
#[derive(Debug, Default)]
pub struct Sessions(Mutex<HashMap<Hash, Session>>);

#[derive(Debug)]
struct Session {
    user: UserId,
    csrf: String,
    began: Monotonic,
    used: Monotonic,
}

impl Session {
    fn has_ended(&self, now: Monotonic) -> bool {
        let since = |then: Monotonic| now.0.saturating_sub(then.0);
        since(self.used) >= Duration::from_secs(SESSION_IDLE_SECONDS)
            || since(self.began) >= Duration::from_secs(SESSION_SECONDS)
    }
}

/// A session that has begun.
#[derive(Debug)]
pub struct Begun {
    /// For the cookie, and nowhere else.
    pub token: Secret,
    /// Has to come with every change, which another site's page cannot know.
    pub csrf: String,
}

impl Sessions {
    /// Begins a session for a user.
    ///
    /// # Errors
    /// When the system has no randomness.
    pub fn begin(&self, user: UserId, now: Monotonic) -> io::Result<Begun> {
        let text = || random::<32>().map(|bytes| Hash::from(bytes).to_hex().to_string());
        let (token, csrf) = (text()?, text()?);
        let mut sessions = self.lock();
        sessions.retain(|_, session| !session.has_ended(now));
        if sessions.len() >= SESSIONS
            && let Some(oldest) =
                sessions.iter().min_by_key(|(_, session)| session.used).map(|(hash, _)| *hash)
        {
            sessions.remove(&oldest);
        }
        let session = Session { user, csrf: csrf.clone(), began: now, used: now };
        sessions.insert(blake3::hash(token.as_bytes()), session);
        Ok(Begun { token: Secret::new(token), csrf })
    }

    /// The user of a session that has not ended, and its token against forged requests. This counts as use.
    pub fn find(&self, token: &Secret, now: Monotonic) -> Option<(UserId, String)> {
        let mut sessions = self.lock();
        let session = sessions.get_mut(&hash(token)).filter(|session| !session.has_ended(now))?;
        session.used = now;
        Some((session.user, session.csrf.clone()))
    }

    pub fn end(&self, token: &Secret) {
        self.lock().remove(&hash(token));
    }

    /// Ends all sessions of a user, but for one.
    pub fn end_of(&self, user: UserId, except: Option<&Secret>) {
        let except = except.map(hash);
        self.lock().retain(|token, session| session.user != user || except == Some(*token));
    }

    /// A thread that panicked while it held the lock left nothing half done.
    fn lock(&self) -> MutexGuard<'_, HashMap<Hash, Session>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn hash(token: &Secret) -> Hash {
    blake3::hash(token.expose().as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    const JO: UserId = UserId(1);

    fn at(seconds: u64) -> Monotonic {
        Monotonic(Duration::from_secs(seconds))
    }

    #[test]
    fn a_session_ends_when_it_is_not_used() {
        let sessions = Sessions::default();
        let Begun { token, csrf } = sessions.begin(JO, at(0)).unwrap();
        assert_eq!(sessions.find(&token, at(SESSION_IDLE_SECONDS - 1)), Some((JO, csrf)));
        assert!(sessions.find(&token, at(2 * SESSION_IDLE_SECONDS - 2)).is_some());
        assert_eq!(sessions.find(&token, at(3 * SESSION_IDLE_SECONDS - 2)), None);
    }

    #[test]
    fn a_session_that_is_used_ends_all_the_same() {
        let sessions = Sessions::default();
        let token = sessions.begin(JO, at(0)).unwrap().token;
        for now in (0..SESSION_SECONDS).step_by(SESSION_IDLE_SECONDS as usize / 2) {
            assert!(sessions.find(&token, at(now)).is_some(), "{now}");
        }
        assert_eq!(sessions.find(&token, at(SESSION_SECONDS)), None);
    }

    #[test]
    fn the_sessions_of_a_user_end_together_and_those_of_others_stay() {
        let sessions = Sessions::default();
        let [here, there, other] = [JO, JO, UserId(2)].map(|user| sessions.begin(user, at(0)).unwrap().token);
        sessions.end_of(JO, Some(&here));
        let alive = || [&here, &there, &other].map(|token| sessions.find(token, at(1)).is_some());
        assert_eq!(alive(), [true, false, true]);
        sessions.end(&here);
        assert_eq!(alive(), [false, false, true]);
    }

    #[test]
    fn sessions_are_bounded_and_the_least_used_one_leaves() {
        let sessions = Sessions::default();
        let tokens: Vec<Secret> =
            (0..SESSIONS as u64).map(|now| sessions.begin(JO, at(now)).unwrap().token).collect();
        assert!(sessions.find(&tokens[0], at(1_000)).is_some());
        sessions.begin(JO, at(1_001)).unwrap();
        let alive = |number: usize| sessions.find(&tokens[number], at(1_002)).is_some();
        assert_eq!([0, 1, 2].map(alive), [true, false, true]);
    }
}
