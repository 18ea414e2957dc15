//! Passwords and tokens: never shown, wiped from memory when dropped.
//!
//! Invariant F: a secret has no `Display`, its `Debug` shows nothing of it, and its text is had by one call that is
//! easy to search for.

use secrecy::{ExposeSecret, SecretString};

/// A password, token or one-time code.
#[derive(Clone, Debug)]
pub struct Secret(SecretString);

impl Secret {
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into().into())
    }

    /// The text itself, for the one place that needs it: a log-in, a hash, a message to the peer it belongs to.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_not_shown() {
        let secret = Secret::new("correct horse");
        assert!(!format!("{secret:?} {secret:#?}").contains("horse"));
        assert_eq!(secret.expose(), "correct horse");
    }
}
