//! Calls to the server: one HTTP POST each, answered by a frame of the protocol.
//!
//! Used by the coordinator, the migrators and enrolment. A call is made once: who calls knows whether and when it may be
//! made again. Redirects are not followed, so the token goes to no other host.

mod pin;
mod tls;

pub use pin::{Fingerprint, FingerprintError};

use crate::base::limits::{ANSWER_SECONDS, BODY_BYTES, CONNECT_SECONDS, TRANSFER_SECONDS};
use crate::base::secret::Secret;
use crate::protocol::Request;
use crate::protocol::forms::secret;
use crate::protocol::frame::{self, FrameError, Reason, Refusal};
use crate::protocol::ids::ExtractorId;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::time::Duration;
use tls::TlsConnector;
use ureq::unversioned::resolver::DefaultResolver;
use ureq::unversioned::transport::{ConnectProxyConnector, Connector as _, SocksConnector, TcpConnector};
use ureq::{Agent, Proxy};
use url::{Host, Url};

/// Characters of the text of an answer that is no frame which are told.
const ODD_ANSWER_CHARACTERS: usize = 200;

/// Where the server is, and how it is reached and recognised.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Address {
    /// An URL without a slash at its end.
    server: String,
    /// The certificate that the server has to show; without it, one that the system trusts for its host.
    pub fingerprint: Option<Fingerprint>,
    /// The URL of a proxy; without it, what the environment names.
    proxy: Option<String>,
}

/// What an enrolled extractor proves itself with.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Token {
    pub extractor: ExtractorId,
    #[serde(with = "secret")]
    pub token: Secret,
}

/// Why an address names no server.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    #[error("`{0}` is no address of a server; it looks like https://migration.example.com:8443")]
    NoUrl(String),
    #[error("`{0}` has no encryption, and mail would cross the network in the open; use https://")]
    NotEncrypted(String),
    #[error("`{0}` is no address of a proxy; it looks like http://proxy:3128 or socks5://proxy:1080")]
    NoProxy(String),
    #[error(
        "a password in --proxy is seen by every user of this machine; set the environment variable HTTPS_PROXY"
    )]
    ProxyPassword,
}

impl Address {
    /// Reads the address of a server and of a proxy.
    ///
    /// # Errors
    /// [`AddressError`]; `http://` is taken for this machine only.
    pub fn parse(server: &str, proxy: Option<&str>) -> Result<Self, AddressError> {
        let no_url = || AddressError::NoUrl(server.to_owned());
        let url = Url::parse(server).map_err(|_| no_url())?;
        let plain = url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
        if !["http", "https"].contains(&url.scheme()) || !plain || url.host().is_none() {
            return Err(no_url());
        }
        if url.scheme() == "http" && !is_loopback(&url) {
            return Err(AddressError::NotEncrypted(server.to_owned()));
        }
        if let Some(proxy) = proxy {
            check_proxy(proxy)?;
        }
        let server = url.as_str().trim_end_matches('/').to_owned();
        Ok(Self { server, fingerprint: None, proxy: proxy.map(str::to_owned) })
    }

    pub fn server(&self) -> &str {
        &self.server
    }

    fn is_encrypted(&self) -> bool {
        self.server.starts_with("https:")
    }

    fn proxy(&self) -> Option<Proxy> {
        let loopback = Url::parse(&self.server).is_ok_and(|url| is_loopback(&url));
        match &self.proxy {
            Some(proxy) => Proxy::new(proxy).ok(),
            None if loopback => None,
            None => Proxy::try_from_env(),
        }
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

fn check_proxy(proxy: &str) -> Result<(), AddressError> {
    let no_proxy = || AddressError::NoProxy(proxy.to_owned());
    let url = Url::parse(proxy).map_err(|_| no_proxy())?;
    if url.password().is_some() {
        return Err(AddressError::ProxyPassword);
    }
    Proxy::new(proxy).map(drop).map_err(|_| no_proxy())
}

/// Why a call has no answer.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The line broke, or was never there; the server may have acted on the call.
    #[error("{server} cannot be reached: {why}")]
    Unreachable { server: String, why: String },
    /// An answer with another status than 200: of the server's gate, or of something in between.
    #[error("{server} put the call off with status {status}: {text}")]
    PutOff { server: String, status: u16, text: String },
    /// Status 200, and not a message of the protocol.
    #[error("the answer of {server} is not one of a notesferry server: {why}")]
    Strange { server: String, why: String },
    #[error(transparent)]
    Refused(Refusal),
    /// A broken promise of this program.
    #[error("the call cannot be made: {0}")]
    Unwritable(FrameError),
    /// The system's trust store cannot be read.
    #[error("TLS is not ready: {0}")]
    Tls(#[from] rustls::Error),
}

impl ClientError {
    /// Whether the same call may get an answer later. No wildcard arm: a new variant must choose.
    pub fn is_temporary(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::PutOff { .. } | Self::Strange { .. } => true,
            Self::Refused(refusal) => match refusal.reason {
                Reason::Unavailable | Reason::Unknown(_) => true,
                Reason::Version | Reason::Damaged | Reason::TooLarge | Reason::NotAuthorised => false,
            },
            Self::Unwritable(_) | Self::Tls(_) => false,
        }
    }

    /// Whether the server does not accept the token or the code.
    pub fn is_not_authorised(&self) -> bool {
        matches!(self, Self::Refused(refusal) if refusal.reason == Reason::NotAuthorised)
    }
}

/// A line to the server. Clones share its connections.
#[derive(Clone)]
pub struct Client {
    agent: Agent,
    server: String,
    authorization: Option<Secret>,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Client({})", self.server)
    }
}

impl Client {
    /// A client for the server at `address`; nothing is sent yet. Only enrolment goes without a token.
    ///
    /// # Errors
    /// [`ClientError::Tls`] if the system has no trust store.
    pub fn new(address: &Address, token: Option<&Token>) -> Result<Self, ClientError> {
        let seconds = |count| Some(Duration::from_secs(count));
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .user_agent(concat!("notesferry/", env!("CARGO_PKG_VERSION")))
            .proxy(address.proxy())
            .timeout_resolve(seconds(CONNECT_SECONDS))
            .timeout_connect(seconds(CONNECT_SECONDS))
            .timeout_send_request(seconds(ANSWER_SECONDS))
            .timeout_send_body(seconds(TRANSFER_SECONDS))
            .timeout_recv_response(seconds(ANSWER_SECONDS))
            .timeout_recv_body(seconds(TRANSFER_SECONDS))
            .build();
        let encryption = match address.is_encrypted() {
            true => Some(tls::config(address.fingerprint)?),
            false => None,
        };
        let connector =
            ().chain(SocksConnector::default())
                .chain(ConnectProxyConnector::default())
                .chain(TcpConnector::default())
                .chain(TlsConnector::new(encryption));
        let bearer = |token: &Token| format!("Bearer {}.{}", token.extractor, token.token.expose());
        Ok(Self {
            agent: Agent::with_parts(config, connector, DefaultResolver::default()),
            server: address.server.clone(),
            authorization: token.map(|token| Secret::new(bearer(token))),
        })
    }

    /// Makes a call and waits for its answer.
    ///
    /// # Errors
    /// [`ClientError`]
    pub fn call<R: Request>(&self, request: &R) -> Result<R::Answer, ClientError> {
        let body = frame::encode(request).map_err(ClientError::Unwritable)?;
        let (status, body) = self.post(R::CALL, &body).map_err(|error| ClientError::Unreachable {
            server: self.server.clone(),
            why: error.to_string(),
        })?;
        if status != 200 {
            let text = String::from_utf8_lossy(&body).trim().chars().take(ODD_ANSWER_CHARACTERS).collect();
            return Err(ClientError::PutOff { server: self.server.clone(), status, text });
        }
        frame::decode(&body).map_err(|error| match error {
            FrameError::Refused(refusal) => ClientError::Refused(refusal),
            other => ClientError::Strange { server: self.server.clone(), why: other.to_string() },
        })
    }

    fn post(&self, call: &str, body: &[u8]) -> Result<(u16, Vec<u8>), ureq::Error> {
        let mut post = self.agent.post(format!("{}/extractor/v1/{call}", self.server));
        post = post.header("Content-Type", "application/octet-stream");
        if let Some(authorization) = &self.authorization {
            post = post.header("Authorization", authorization.expose());
        }
        let mut response = post.send(body)?;
        let most = BODY_BYTES as u64 + 1;
        let body = response.body_mut().with_config().limit(most).read_to_vec()?;
        Ok((response.status().as_u16(), body))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_encrypted_or_of_this_machine() {
        let server = |text: &str| Address::parse(text, None).map(|address| address.server);
        assert_eq!(
            server("https://migration.example.com:8443/"),
            Ok("https://migration.example.com:8443".to_owned())
        );
        assert_eq!(server("http://127.0.0.1:8080"), Ok("http://127.0.0.1:8080".to_owned()));
        assert_eq!(server("http://[::1]:8080/a/"), Ok("http://[::1]:8080/a".to_owned()));
        assert!(matches!(server("http://192.0.2.1"), Err(AddressError::NotEncrypted(_))));
        for odd in ["", "migration.example.com", "ftp://example.com", "https://u@example.com", "https://a/?b"]
        {
            assert!(matches!(server(odd), Err(AddressError::NoUrl(_))), "{odd}");
        }
    }

    #[test]
    fn a_proxy_has_no_password_on_the_command_line() {
        let proxy = |text| Address::parse("https://example.com", Some(text)).map(drop);
        assert_eq!(proxy("http://proxy:3128"), Ok(()));
        assert_eq!(proxy("socks5://proxy:1080"), Ok(()));
        assert_eq!(proxy("http://jane:secret@proxy:3128"), Err(AddressError::ProxyPassword));
        assert!(matches!(proxy("gopher://proxy:1"), Err(AddressError::NoProxy(_))));
    }

    #[test]
    fn a_token_that_is_refused_is_not_tried_again() {
        let refused = |reason| ClientError::Refused(Refusal::new(reason, "no"));
        assert!(refused(Reason::NotAuthorised).is_not_authorised());
        assert!(!refused(Reason::NotAuthorised).is_temporary());
        assert!(refused(Reason::Unavailable).is_temporary());
        assert!(
            ClientError::PutOff { server: String::new(), status: 503, text: String::new() }.is_temporary()
        );
    }

    #[test]
    fn invariant_f_a_client_does_not_show_its_token() {
        let address = Address::parse("http://localhost:1", None).unwrap();
        let token = Token { extractor: ExtractorId(3), token: Secret::new("correct horse") };
        let client = Client::new(&address, Some(&token)).unwrap();
        assert!(!format!("{client:?} {token:?}").contains("horse"));
    }
}
