//! The gate: the public port, in front of an HTTP server that must not be shown to strangers.
//!
//! tiny_http serves pages, API and extractors; it listens on a private socket only. The gate holds TLS and every limit
//! that it lacks, answers for itself what is malformed, too large, too slow or too much ([`Refusal`]), and passes only
//! whole requests on, with a head written anew, the secret of this start and the client's address.
//!
//! Always true: the port stays open whatever the system answers to an accept; connections, threads, heads, bodies and
//! waiting are bounded ([`GateLimits`]); a request goes on only after its last byte has come.

mod budget;
pub mod certificate;
mod connection;
mod event;
pub mod head;
mod open_files;
mod places;
mod proxies;
mod refusal;
mod upstream;
mod wire;

pub use event::{GateEvent, GateEventKind, Listener};
pub use open_files::raise as raise_open_files;
pub use refusal::Refusal;
pub use upstream::{CLIENT_HEADER, GATE_HEADER, Upstream};

use crate::base::limits;
use crate::base::secret::Secret;
use budget::{Budget, Rates};
use connection::Shared;
use event::Events;
use places::{Admission, Places, Seat};
use proxies::Proxies;
use rustls::ServerConfig;
use std::io::{self, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// Open files that a connection with a running request takes: its own socket, the link's two ends, and the copy that
/// tiny_http makes of its end.
const FILES_PER_CONNECTION: u64 = 4;

/// How long the gate rests when the system gives no connection.
const ACCEPT_PAUSE: Duration = Duration::from_millis(20);

/// The largest body of a route, by the beginning of its path; the first match counts.
const BODIES: &[(&str, u64)] = &[
    // A message between extractor and server, with what frames it.
    ("/extractor/v1/", limits::BODY_BYTES as u64 + (4 << 10)),
    ("/api/", limits::GATE_API_BODY_BYTES),
    ("/", limits::GATE_FORM_BODY_BYTES),
];

/// Everything that bounds the gate; the default is what the product uses.
#[derive(Debug, Clone)]
pub struct GateLimits {
    /// Connections in all; fewer are admitted when the open-file limit is low.
    pub connections: usize,
    /// Connections of one address.
    pub connections_per_address: usize,
    /// For a TLS handshake, and for the whole head of a request.
    pub head_within: Duration,
    /// For the next request on an open connection.
    pub idle_within: Duration,
    /// For any body, besides the time that its size allows.
    pub body_within: Duration,
    /// Bytes of all bodies in memory.
    pub bodies_bytes: u64,
    /// For a body to find room among the others.
    pub room_within: Duration,
    /// Requests of one address.
    pub requests_per_second: u32,
    /// Requests of one address at once.
    pub requests_at_once: u32,
    /// For the server behind the gate to begin its answer.
    pub answer_within: Duration,
    /// For a client to take a block of an answer.
    pub write_within: Duration,
    /// For running requests to end when the gate is closed.
    pub stop_within: Duration,
}

impl Default for GateLimits {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self {
            connections: limits::GATE_CONNECTIONS,
            connections_per_address: limits::GATE_CONNECTIONS_PER_ADDRESS,
            head_within: seconds(limits::GATE_HEAD_SECONDS),
            idle_within: seconds(limits::GATE_IDLE_SECONDS),
            body_within: seconds(limits::GATE_BODY_SECONDS),
            bodies_bytes: limits::GATE_BODIES_BYTES,
            room_within: seconds(limits::GATE_ROOM_SECONDS),
            requests_per_second: limits::GATE_REQUESTS_PER_SECOND,
            requests_at_once: limits::GATE_REQUESTS_AT_ONCE,
            answer_within: seconds(limits::GATE_ANSWER_SECONDS),
            write_within: seconds(limits::GATE_WRITE_SECONDS),
            stop_within: seconds(limits::GATE_STOP_SECONDS),
        }
    }
}

impl GateLimits {
    fn body_deadline(&self, bytes: u64) -> Duration {
        self.body_within + Duration::from_secs(bytes / limits::GATE_BODY_BYTES_PER_SECOND)
    }
}

fn largest_body(path: &str) -> u64 {
    let route = BODIES.iter().find(|(prefix, _)| path.starts_with(prefix));
    route.map_or(0, |(_, bytes)| *bytes)
}

/// What a gate needs to know.
pub struct GateSettings {
    /// The public address; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Plain HTTP without it.
    pub tls: Option<Arc<ServerConfig>>,
    pub limits: GateLimits,
    /// Reverse proxies whose word about the client is taken.
    pub trusted_proxies: Vec<IpAddr>,
    pub upstream: Upstream,
    /// The secret of this start, which every request carries on: printable ASCII.
    pub secret: Secret,
    /// Where events go; called on the gate's threads, at most once in some seconds for each kind.
    pub listener: Box<Listener>,
}

/// Why the public port cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum GateError {
    #[error("cannot listen on {address}: {cause}")]
    Listen { address: SocketAddr, cause: io::Error },
    #[error("cannot start a thread: {0}")]
    Thread(io::Error),
    #[error("the gate's secret is not printable ASCII")]
    Secret,
}

/// An open gate. Closed by [`Gate::stop`] or when dropped.
pub struct Gate {
    address: SocketAddr,
    shared: Arc<Shared>,
    places: Arc<Places>,
    acceptor: Option<JoinHandle<()>>,
}

/// Opens the public port and starts to serve.
///
/// # Errors
/// When the address is taken or not ours, or a thread cannot be started.
pub fn open(settings: GateSettings) -> Result<Gate, GateError> {
    let GateSettings { listen, tls, limits, trusted_proxies, upstream, secret, listener } = settings;
    let is_printable =
        !secret.expose().is_empty() && secret.expose().bytes().all(|byte| byte.is_ascii_graphic());
    if !is_printable {
        return Err(GateError::Secret);
    }
    let failed = |cause| GateError::Listen { address: listen, cause };
    let socket = TcpListener::bind(listen).map_err(failed)?;
    let address = socket.local_addr().map_err(failed)?;
    let connections = limits.connections.min(affordable(open_files::raise()));
    let proxies = Proxies::new(&trusted_proxies);
    let places = Places::new(connections, limits.connections_per_address, proxies.clone());
    let shared = Arc::new(Shared {
        tls,
        proxies,
        server: upstream::Server::new(upstream, secret, limits.answer_within),
        budget: Budget::new(limits.bodies_bytes),
        rates: Rates::new(limits.requests_per_second, limits.requests_at_once, limits::GATE_RATES),
        events: Events::new(listener),
        closing: AtomicBool::new(false),
        limits,
    });
    let acceptor = {
        let (shared, places) = (Arc::clone(&shared), Arc::clone(&places));
        let thread = thread::Builder::new().name("gate".to_owned());
        thread.spawn(move || accept(&socket, &shared, &places)).map_err(GateError::Thread)?
    };
    Ok(Gate { address, shared, places, acceptor: Some(acceptor) })
}

/// Connections for which so many open files suffice; half of few files are left to the rest of the process.
fn affordable(files: u64) -> usize {
    let reserved = limits::GATE_RESERVED_FILES.min(files / 2);
    usize::try_from((files - reserved) / FILES_PER_CONNECTION).unwrap_or(usize::MAX).max(1)
}

impl Gate {
    /// The address that the gate really listens on.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Closes the port, lets running requests end within the limit and cuts the rest.
    pub fn stop(mut self) {
        self.close();
    }

    fn close(&mut self) {
        let Some(acceptor) = self.acceptor.take() else { return };
        self.shared.closing.store(true, Ordering::Relaxed);
        // An accept ends when somebody comes.
        let ip = match self.address.ip() {
            IpAddr::V4(any) if any.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
            IpAddr::V6(any) if any.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
            ip => ip,
        };
        let own = SocketAddr::new(ip, self.address.port());
        let mut tries = (0..50).map(|_| TcpStream::connect_timeout(&own, Duration::from_millis(200)));
        while !acceptor.is_finished() && tries.next().is_some() {
            thread::sleep(Duration::from_millis(5));
        }
        if acceptor.is_finished() {
            let _ = acceptor.join();
        }
        self.places.close(self.shared.limits.stop_within);
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.close();
    }
}

/// Takes connections until the gate closes. No error of the system ends it: when files or memory are short, others give
/// some back, and the port must be there then.
fn accept(listener: &TcpListener, shared: &Arc<Shared>, places: &Arc<Places>) {
    while !shared.closing.load(Ordering::Relaxed) {
        match listener.accept() {
            Ok((socket, client)) if !shared.closing.load(Ordering::Relaxed) => {
                welcome(socket, client.ip(), shared, places);
            }
            Ok(_) => {}
            // The client went away before it was its turn.
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => {
                shared.events.tell(GateEventKind::AcceptFailed, None);
                thread::sleep(ACCEPT_PAUSE);
            }
        }
    }
}

/// Finds a place and a thread for a new connection, or turns it away.
fn welcome(socket: TcpStream, client: IpAddr, shared: &Arc<Shared>, places: &Arc<Places>) {
    let socket = Arc::new(socket);
    // Without this small answers wait for the client's acknowledgement; with a line that broke it does not matter.
    let _ = socket.set_nodelay(true);
    let seat = match places.admit(client, Arc::clone(&socket)) {
        Admission::Seated { seat, evicted } => {
            if evicted.is_some() {
                shared.events.tell(GateEventKind::Evicted, evicted);
            }
            seat
        }
        Admission::Full => {
            shared.events.tell(GateEventKind::Full, Some(client));
            return turn_away(&socket, shared);
        }
    };
    let spawned = {
        let (shared, socket) = (Arc::clone(shared), Arc::clone(&socket));
        let thread =
            thread::Builder::new().name("gate client".to_owned()).stack_size(limits::GATE_STACK_BYTES);
        thread.spawn(move || serve(&shared, socket, seat))
    };
    if spawned.is_err() {
        shared.events.tell(GateEventKind::AcceptFailed, Some(client));
        turn_away(&socket, shared);
        thread::sleep(ACCEPT_PAUSE);
    }
}

fn serve(shared: &Shared, socket: Arc<TcpStream>, seat: Seat) {
    connection::serve(shared, socket, &seat);
}

/// Says that there is no room, if that can be said without waiting and without a handshake.
fn turn_away(socket: &TcpStream, shared: &Shared) {
    if shared.tls.is_none() && socket.set_nonblocking(true).is_ok() {
        let _ = (&*socket).write(&Refusal::NoRoom.answer(true));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn routes_have_their_own_largest_bodies() {
        assert_eq!(largest_body("/extractor/v1/data"), (4 << 20) + (4 << 10));
        assert_eq!(largest_body("/api/v1/mailboxes"), 1 << 20);
        assert_eq!(largest_body("/extractor"), 64 << 10);
        assert_eq!(largest_body("*"), 0);
    }

    #[test]
    fn few_open_files_make_few_connections() {
        assert_eq!(affordable(64), 8);
        assert!(affordable(limits::OPEN_FILES) >= limits::GATE_CONNECTIONS);
        assert_eq!(affordable(0), 1);
    }
}
