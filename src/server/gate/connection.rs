//! One client's connection, from handshake to close, on a thread of its own.
//!
//! A request goes through these steps, each with its limit: head, rate, size of the body, room for it, body, answer.
//! Requests that a client sends ahead wait in the buffer or in the system until their turn. What is refused ends the
//! connection.

use super::budget::{Budget, Rates, Room};
use super::event::{Events, GateEventKind};
use super::head::{self, Head};
use super::places::{Phase, Seat};
use super::proxies::Proxies;
use super::refusal::Refusal;
use super::upstream::{Answer, Framing, Link, Server};
use super::wire::{Socket, Timed, Wire};
use super::{GateLimits, largest_body};
use crate::base::limits::{GATE_BLOCK_BYTES, GATE_HEAD_BYTES};
use rustls::ServerConfig;
use std::io::{self, Read, Write};
use std::net::{IpAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Bytes that are read at once while a head comes.
const HEAD_STEP_BYTES: usize = 2 << 10;

/// How long, and for how many bytes, a refused client is listened to after its answer. Closing at once would make the
/// system throw the answer away when more is coming.
const LINGER: Duration = Duration::from_secs(2);
const LINGER_BYTES: u64 = 1 << 20;

/// The first byte of a TLS handshake.
const HANDSHAKE: u8 = 0x16;

/// What all connections of a gate share.
pub(super) struct Shared {
    pub limits: GateLimits,
    pub tls: Option<Arc<ServerConfig>>,
    pub proxies: Proxies,
    pub server: Server,
    pub budget: Arc<Budget>,
    pub rates: Rates,
    pub events: Events,
    pub closing: AtomicBool,
}

/// Why a connection ends before its client wants it to.
enum End {
    /// It broke, or there is nobody to tell.
    Silent,
    /// The request is answered by the gate.
    Refused { refusal: Refusal, is_head: bool },
}

impl From<Refusal> for End {
    fn from(refusal: Refusal) -> Self {
        Self::Refused { refusal, is_head: false }
    }
}

impl From<io::Error> for End {
    fn from(_: io::Error) -> Self {
        Self::Silent
    }
}

/// Serves a client until its connection ends.
pub(super) fn serve(shared: &Shared, socket: Arc<TcpStream>, seat: &Seat) {
    let timed = Timed::new(Socket::Tcp(Arc::clone(&socket)), shared.limits.head_within);
    let wire = match &shared.tls {
        None => Wire::Plain(timed),
        Some(config) => match shake_hands(config, &socket, timed) {
            Ok(wire) => wire,
            Err(plain) => {
                shared.events.tell(GateEventKind::HandshakeFailed, Some(seat.client));
                if let Some(timed) = plain {
                    let refusal = Refusal::Malformed("this port speaks HTTPS; please use https://");
                    Connection::new(shared, seat, Wire::Plain(timed)).refuse(refusal, false);
                }
                return;
            }
        },
    };
    let mut connection = Connection::new(shared, seat, wire);
    if shared.tls.is_none() && !shared.proxies.may_speak_plainly(seat.client) {
        return connection.refuse(Refusal::NotTheProxy, false);
    }
    loop {
        match connection.request() {
            Ok(true) => {}
            Ok(false) => return connection.wire.finish(),
            Err(End::Silent) => return,
            Err(End::Refused { refusal, is_head }) => return connection.refuse(refusal, is_head),
        }
    }
}

/// A TLS line, or the socket back when the client obviously speaks plain HTTP.
fn shake_hands(
    config: &Arc<ServerConfig>,
    socket: &TcpStream,
    mut timed: Timed,
) -> Result<Wire, Option<Timed>> {
    let mut first = [0];
    match timed.peek(socket, &mut first) {
        Ok(1) if first[0] == HANDSHAKE => Wire::handshake(Arc::clone(config), timed).map_err(|_| None),
        Ok(1) if first[0].is_ascii_uppercase() => Err(Some(timed)),
        _ => Err(None),
    }
}

struct Connection<'a> {
    shared: &'a Shared,
    seat: &'a Seat,
    wire: Wire,
    /// Who asks: the other end of the connection, or whom a proxy there speaks for.
    client: IpAddr,
    /// What came and belongs to no request yet.
    received: Vec<u8>,
}

impl<'a> Connection<'a> {
    fn new(shared: &'a Shared, seat: &'a Seat, wire: Wire) -> Self {
        Self { shared, seat, wire, client: seat.client, received: Vec::new() }
    }

    /// Reads one request and passes its answer on; whether another may follow.
    fn request(&mut self) -> Result<bool, End> {
        let Some(head) = self.head()? else { return Ok(false) };
        self.client = self.shared.proxies.client(self.seat.client, &head.forwarded_for);
        self.answer(&head).map_err(|end| match end {
            End::Refused { refusal, .. } => End::Refused { refusal, is_head: head.method == "HEAD" },
            End::Silent => End::Silent,
        })
    }

    fn answer(&mut self, head: &Head) -> Result<bool, End> {
        if !self.shared.rates.take(self.client, Instant::now()) {
            return Err(Refusal::TooOften.into());
        }
        let (body, room) = self.body(head)?;
        if !self.seat.enter(Phase::Serving) {
            return Err(End::Silent);
        }
        let mut link = self.shared.server.link().map_err(|refusal| self.upstream_failed(refusal))?;
        let asked = self.shared.server.ask(&mut link, head, self.client, body);
        // The server keeps what it wants of a body before it answers.
        drop(room);
        let answer = asked.map_err(|refusal| self.upstream_failed(refusal))?;
        let closing = self.shared.closing.load(Ordering::Relaxed);
        let closes = head.closes || closing || answer.framing == Framing::End;
        self.pass_on(&answer, &mut link, head.is_http_1_0, closes)?;
        if !answer.link_ends {
            self.shared.server.keep(link);
        }
        Ok(!closes)
    }

    fn upstream_failed(&self, refusal: Refusal) -> Refusal {
        self.shared.events.tell(GateEventKind::UpstreamFailed, Some(self.client));
        refusal
    }

    /// The next head; `None` when the client has nothing more to ask.
    fn head(&mut self) -> Result<Option<Head>, End> {
        if self.received.is_empty() && !self.wait_for_request()? {
            return Ok(None);
        }
        self.enter(Phase::Receiving)?;
        self.wire.end_within(self.shared.limits.head_within);
        // Whatever is there is looked at once, then again with each line that ends.
        let mut news = 0;
        loop {
            let is_worth_a_look =
                news == 0 || self.received[news..].contains(&b'\n') || self.received.len() >= GATE_HEAD_BYTES;
            if is_worth_a_look && let Some(head) = head::parse(&self.received)? {
                self.received.drain(..head.bytes);
                return Ok(Some(head));
            }
            news = self.received.len();
            match self.read_some() {
                Ok(0) => return Err(End::Silent),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::TimedOut => return Err(Refusal::TooSlow.into()),
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Waits for the first byte of a request; `false` when none comes.
    fn wait_for_request(&mut self) -> Result<bool, End> {
        self.enter(Phase::Idle)?;
        // The memory of the last request is given back while nothing happens.
        self.received = Vec::new();
        self.wire.end_within(self.shared.limits.idle_within);
        match self.read_some() {
            Ok(count) => Ok(count > 0),
            Err(error) if error.kind() == io::ErrorKind::TimedOut => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    fn enter(&self, phase: Phase) -> Result<(), End> {
        let goes_on =
            self.seat.enter(phase) && !(phase == Phase::Idle && self.shared.closing.load(Ordering::Relaxed));
        if goes_on { Ok(()) } else { Err(End::Silent) }
    }

    fn read_some(&mut self) -> io::Result<usize> {
        let before = self.received.len();
        let room = HEAD_STEP_BYTES.min((GATE_HEAD_BYTES + 2).saturating_sub(before)).max(1);
        self.received.resize(before + room, 0);
        let result = self.wire.read(&mut self.received[before..]);
        self.received.truncate(before + result.as_ref().copied().unwrap_or_default());
        result
    }

    /// The whole body, with its room in memory.
    fn body(&mut self, head: &Head) -> Result<(Vec<u8>, Option<Room>), End> {
        let length = head.content_length;
        if length == 0 {
            return Ok((Vec::new(), None));
        }
        if length > largest_body(head.path()) {
            return Err(Refusal::BodyTooLarge.into());
        }
        let limits = &self.shared.limits;
        let room = self.shared.budget.room(self.client, length, limits.room_within);
        let room = room.ok_or(Refusal::NoRoom)?;
        let length = usize::try_from(length).map_err(|_| Refusal::BodyTooLarge)?;
        let mut body = Vec::new();
        body.try_reserve_exact(length).map_err(|_| Refusal::NoRoom)?;
        let here = self.received.len().min(length);
        body.extend(self.received.drain(..here));
        self.wire.end_within(limits.body_deadline(length as u64));
        if head.expects_continue && body.is_empty() {
            self.wire.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
            self.wire.flush()?;
        }
        match (&mut self.wire).take((length - here) as u64).read_to_end(&mut body) {
            Ok(_) if body.len() == length => Ok((body, Some(room))),
            Ok(_) => Err(End::Silent),
            Err(error) if error.kind() == io::ErrorKind::TimedOut => Err(Refusal::TooSlow.into()),
            Err(error) => Err(error.into()),
        }
    }

    /// Passes an answer on as it comes.
    fn pass_on(
        &mut self,
        answer: &Answer,
        link: &mut Link,
        is_http_1_0: bool,
        closes: bool,
    ) -> Result<(), End> {
        let mut out = answer_head(answer, is_http_1_0, closes);
        let is_whole = match answer.framing {
            Framing::Nothing => true,
            Framing::Length(length) => self.pass_body(&mut out, &mut link.take(length), false)? == length,
            Framing::Chunks => {
                let mut decoder = chunked_transfer::Decoder::new(link);
                self.pass_body(&mut out, &mut decoder, !is_http_1_0)?;
                if !is_http_1_0 {
                    out.extend(b"0\r\n\r\n");
                }
                decoder.remaining_chunks_size().is_none()
            }
            Framing::End => self.pass_body(&mut out, link, false).is_ok(),
        };
        if !is_whole {
            self.shared.events.tell(GateEventKind::UpstreamFailed, Some(self.client));
            return Err(End::Silent);
        }
        self.send(&out)?;
        self.wire.flush()?;
        Ok(())
    }

    /// Passes a body on in blocks, as chunks if asked for, behind what `out` holds already; its bytes.
    fn pass_body(&mut self, out: &mut Vec<u8>, body: &mut dyn Read, as_chunks: bool) -> Result<u64, End> {
        let mut block = vec![0; GATE_BLOCK_BYTES];
        let mut passed = 0;
        loop {
            let count = body.read(&mut block)?;
            if count == 0 {
                return Ok(passed);
            }
            if as_chunks {
                out.extend(format!("{count:x}\r\n").bytes());
            }
            out.extend(&block[..count]);
            if as_chunks {
                out.extend(b"\r\n");
            }
            self.send(out)?;
            out.clear();
            passed += count as u64;
        }
    }

    /// Writes a block, which the client has to take in time.
    fn send(&mut self, bytes: &[u8]) -> Result<(), End> {
        self.enter(Phase::Answering)?;
        self.wire.end_within(self.shared.limits.write_within);
        Ok(self.wire.write_all(bytes)?)
    }

    /// Answers instead of the server, and ends the connection so that the answer arrives.
    fn refuse(mut self, refusal: Refusal, is_head: bool) {
        self.shared.events.refused(refusal, self.client);
        // From here on it may be sent away like any idle connection.
        if !self.seat.enter(Phase::Idle) {
            return;
        }
        self.wire.end_within(LINGER);
        if self.wire.write_all(&refusal.answer(!is_head)).is_ok() {
            self.wire.finish();
            let _ = io::copy(&mut self.wire.take(LINGER_BYTES), &mut io::sink());
        }
    }
}

fn answer_head(answer: &Answer, is_http_1_0: bool, closes: bool) -> Vec<u8> {
    let mut head = format!("HTTP/1.1 {} {}\r\n", answer.status, answer.reason).into_bytes();
    for (name, value) in &answer.fields {
        head.extend([name.as_bytes(), b": ", value, b"\r\n"].concat());
    }
    match answer.length {
        _ if answer.framing == Framing::Chunks && !is_http_1_0 => {
            head.extend(b"Transfer-Encoding: chunked\r\n");
        }
        Some(length) if answer.framing != Framing::Chunks => {
            head.extend(format!("Content-Length: {length}\r\n").bytes());
        }
        _ => {}
    }
    if closes {
        head.extend(b"Connection: close\r\n");
    }
    head.extend(b"\r\n");
    head
}
