//! IMAP: from an address and a password to a session that folders and messages can be asked of.
//!
//! A password travels only inside TLS or to this very machine (RFC 8314 section 3.3).

mod reply;
mod session;

pub use reply::{ImapError, Refusal, RefusalKind};
pub use session::{AppendError, Appended, Counters, Listed, Message, Session};

use crate::base::secret::Secret;
use crate::connectors::stream::{self, Handle};
use session::Dialog;
use std::net::TcpStream;

/// An account on an IMAP server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    pub host: String,
    pub port: u16,
    /// TLS from the first byte; otherwise STARTTLS, or on this very machine nothing where the server takes passwords so.
    pub tls: bool,
    pub user: String,
}

/// Why there is no session.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    #[error("{0}")]
    Unreachable(String),
    #[error("{0}")]
    LoginRefused(String),
}

impl Account {
    /// Connects and logs in.
    ///
    /// # Errors
    /// [`ConnectError`] tells a line that does not work from a log-in that was refused.
    pub fn open(&self, password: &Secret) -> Result<Session, ConnectError> {
        let unreachable = |error: ImapError| ConnectError::Unreachable(error.to_string());
        let dialog = self.secure_line().map_err(unreachable)?;
        match dialog.log_in(&self.user, password) {
            Ok(session) => Ok(session),
            Err(ImapError::Refused(Refusal { kind: RefusalKind::Final, text })) => {
                Err(ConnectError::LoginRefused(text))
            }
            Err(error) => Err(unreachable(error)),
        }
    }

    /// A line on which the password may be sent.
    fn secure_line(&self) -> Result<Dialog, ImapError> {
        let tcp = stream::connect(&self.host, self.port)?;
        if self.tls {
            return Dialog::greeted(Handle::tls(&self.host, tcp)?);
        }
        let loopback = is_loopback(&tcp);
        let mut dialog = Dialog::greeted(Handle::plain(tcp.try_clone()?))?;
        let offered = dialog.capabilities()?;
        // On its own machine a server often has a certificate that nobody signed, and nobody listens on the way.
        if loopback && !offered.contains("LOGINDISABLED") {
            return Ok(dialog);
        }
        if offered.contains("STARTTLS") {
            dialog.ask("STARTTLS")?;
            // What came before the handshake may be forged, so nothing of it is kept (RFC 3501 section 6.2.1).
            return Ok(Dialog::new(Handle::tls(&self.host, tcp)?));
        }
        Err(ImapError::Lost(
            "it offers no encryption, and a password is not sent without; use imaps://".to_owned(),
        ))
    }
}

fn is_loopback(tcp: &TcpStream) -> bool {
    tcp.peer_addr().is_ok_and(|address| address.ip().to_canonical().is_loopback())
}
