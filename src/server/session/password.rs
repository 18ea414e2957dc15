//! Passwords of users: hashed with Argon2id (RFC 9106), one at a time, because each takes 19 MiB of memory.

use crate::base::secret::Secret;
use crate::store::seal::random;
use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use std::io;
use std::sync::{Mutex, PoisonError};

/// The hash of nobody's password, with the parameters of all: an unknown name takes as long as a wrong password.
const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Hashes and checks.
#[derive(Debug, Default)]
pub struct Passwords(Mutex<()>);

impl Passwords {
    /// The hash of a password, with its parameters and a new salt in it.
    ///
    /// # Errors
    /// When the system has no randomness or no memory.
    pub fn hash(&self, password: &Secret) -> io::Result<String> {
        let _one_at_a_time = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let hashed: Result<PasswordHash, _> =
            Argon2::default().hash_password_with_salt(password.expose().as_bytes(), &random::<16>()?);
        hashed.map(|hash| hash.to_string()).map_err(io::Error::other)
    }

    /// Whether a password belongs to a hash; to no hash none does.
    pub fn matches(&self, password: &Secret, hash: Option<&str>) -> bool {
        let _one_at_a_time = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let checked = Argon2::default().verify_password(password.expose().as_bytes(), hash.unwrap_or(NOBODY));
        checked.is_ok() && hash.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use argon2::password_hash::Error;

    #[test]
    fn a_password_matches_its_own_hash_only() {
        let passwords = Passwords::default();
        let [right, wrong] = ["correct horse", "Correct horse"].map(Secret::new);
        let hash = passwords.hash(&right).unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert!(passwords.matches(&right, Some(&hash)) && !passwords.matches(&wrong, Some(&hash)));
        assert!(!passwords.matches(&right, None) && !passwords.matches(&right, Some("nonsense")));
        assert_ne!(passwords.hash(&right).unwrap(), hash, "each has its own salt");
    }

    #[test]
    fn nobody_is_checked_like_somebody() {
        let checked = Argon2::default().verify_password(b"x", NOBODY);
        assert!(matches!(checked, Err(Error::PasswordInvalid)), "{checked:?}");
    }
}
