//! TLS as a client: rustls with the trust store of the system.

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned, crypto};
use rustls_platform_verifier::BuilderVerifierExt as _;
use std::io;
use std::net::TcpStream;
use std::sync::Arc;

/// A TCP connection inside TLS.
pub type TlsStream = StreamOwned<ClientConnection, TcpStream>;

/// Shakes hands with a server that has to prove that it is `host`.
///
/// # Errors
/// When the line breaks, or the certificate is not one that the system trusts for this host.
pub fn handshake(host: &str, mut tcp: TcpStream) -> io::Result<TlsStream> {
    let config = ClientConfig::builder_with_provider(Arc::new(crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_platform_verifier())
        .map_err(io::Error::other)?
        .with_no_client_auth();
    let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
    let mut connection = ClientConnection::new(Arc::new(config), name).map_err(io::Error::other)?;
    while connection.is_handshaking() {
        connection.complete_io(&mut tcp)?;
    }
    Ok(StreamOwned::new(connection, tcp))
}
