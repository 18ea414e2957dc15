//! What it means when an IMAP server does not do what it was asked to.

use imap_proto::{ResponseCode, Status};
use std::io;

/// Why a command came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum ImapError {
    /// The line broke, or the server spoke no IMAP; the session is over.
    #[error("{0}")]
    Lost(String),
    #[error(transparent)]
    Refused(#[from] Refusal),
}

/// NO or BAD.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct Refusal {
    pub kind: RefusalKind,
    /// What the server said.
    pub text: String,
}

/// What a refusal asks us to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefusalKind {
    /// The folder is missing (RFC 3501 section 7.1).
    TryCreate,
    /// No room for this user (RFC 5530 section 3).
    NoRoom,
    /// Later it may work (RFC 5530 section 3).
    Temporary,
    /// Anything else: the same command would be refused again.
    Final,
}

impl Refusal {
    pub fn new(code: Option<&ResponseCode<'_>>, text: &str) -> Self {
        // The parser knows the codes of RFC 3501; newer ones stay at the beginning of the text.
        let word = text.strip_prefix('[').and_then(|rest| rest.split([']', ' ']).next()).unwrap_or_default();
        let is = |names: &[&str]| names.iter().any(|name| name.eq_ignore_ascii_case(word));
        let kind = match code {
            Some(ResponseCode::TryCreate) => RefusalKind::TryCreate,
            _ if is(&["OVERQUOTA"]) => RefusalKind::NoRoom,
            _ if is(&["UNAVAILABLE", "INUSE", "SERVERBUG", "LIMIT"]) => RefusalKind::Temporary,
            _ => RefusalKind::Final,
        };
        let text = if text.is_empty() { "the server gave no reason" } else { text };
        Self { kind, text: text.to_owned() }
    }

    /// Whether the server will not do that whenever it is asked; it may do something else.
    pub fn is_final(&self) -> bool {
        match self.kind {
            RefusalKind::TryCreate | RefusalKind::Final => true,
            RefusalKind::NoRoom | RefusalKind::Temporary => false,
        }
    }
}

impl From<io::Error> for ImapError {
    fn from(error: io::Error) -> Self {
        Self::Lost(match error.kind() {
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => "the server is silent".to_owned(),
            io::ErrorKind::UnexpectedEof => "the server closed the connection".to_owned(),
            _ => error.to_string(),
        })
    }
}

impl From<imap::Error> for ImapError {
    fn from(error: imap::Error) -> Self {
        match error {
            imap::Error::No(no) => Refusal::new(no.code.as_ref(), &no.information).into(),
            imap::Error::Bad(bad) => Refusal::new(bad.code.as_ref(), &bad.information).into(),
            imap::Error::Io(error) => error.into(),
            imap::Error::ConnectionLost => Self::Lost("the server closed the connection".to_owned()),
            error => Self::Lost(format!("the answer of the server cannot be understood: {error}")),
        }
    }
}

/// The outcome in a tagged line.
pub fn tagged(
    status: Status,
    code: Option<ResponseCode<'_>>,
    text: &str,
) -> Result<Option<ResponseCode<'static>>, ImapError> {
    match status {
        Status::Ok => Ok(code.map(ResponseCode::into_owned)),
        Status::No | Status::Bad => Err(Refusal::new(code.as_ref(), text).into()),
        Status::Bye | Status::PreAuth => Err(ImapError::Lost(text.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_says_what_to_do() {
        let kind = |code, text| Refusal::new(code, text).kind;
        assert_eq!(kind(Some(&ResponseCode::TryCreate), "No such mailbox"), RefusalKind::TryCreate);
        assert_eq!(kind(None, "[OVERQUOTA] Quota exceeded"), RefusalKind::NoRoom);
        assert_eq!(kind(None, "[unavailable] Later"), RefusalKind::Temporary);
        assert_eq!(kind(None, "[TOOBIG] No"), RefusalKind::Final);
        assert_eq!(kind(None, "OVERQUOTA in the text only"), RefusalKind::Final);
    }
}
