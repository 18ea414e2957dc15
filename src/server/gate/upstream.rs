//! The line to the server behind the gate, and the head of its answer.
//!
//! Links are kept open and used again, because each new one makes tiny_http accept: an accept that fails for want of
//! open files closes its port for good. So a new one is only opened while there are some files to spare, and one after
//! the other, each seen to be accepted. Whoever serves behind the gate still has to open its port anew should it close.

use super::head::Head;
use super::open_files;
use super::refusal::Refusal;
use super::wire::{Socket, Timed};
use crate::base::limits::{GATE_ANSWER_HEAD_BYTES, GATE_FIELDS, GATE_KEPT_LINKS};
use crate::base::secret::Secret;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream};
#[cfg(unix)]
use std::os::unix::net::UnixStream;
#[cfg(unix)]
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// The header that tells the server behind the gate that a request came through it: the secret of this start.
pub const GATE_HEADER: &str = "X-Notesferry-Gate";

/// The header with the address of the client.
pub const CLIENT_HEADER: &str = "X-Notesferry-Client";

/// Seconds to hand over a whole request; the other end is in this process.
const HAND_OVER_SECONDS: u64 = 30;

/// How long a marker may take, and how many are sent before the server counts as absent.
const MARKER_WITHIN: Duration = Duration::from_millis(50);
const MARKERS: usize = 100;

/// Open files that have to be left before a new link and its marker take three each: our end, tiny_http's, and the
/// copy that tiny_http makes of its end.
const FILES_LEFT: usize = 8;

/// Fields of an answer that end at the gate: they belong to the link, or name the program.
const DROPPED: &[&str] =
    &["connection", "content-length", "keep-alive", "server", "trailer", "transfer-encoding", "upgrade"];

/// Where the server behind the gate listens.
#[derive(Debug, Clone)]
pub enum Upstream {
    /// A socket in a folder that only we may enter.
    #[cfg(unix)]
    Socket(PathBuf),
    /// A port on loopback, for systems without such sockets.
    Port(SocketAddr),
}

impl Upstream {
    fn connect(&self) -> io::Result<Socket> {
        match self {
            #[cfg(unix)]
            Self::Socket(path) => UnixStream::connect(path).map(Socket::Unix),
            Self::Port(address) => {
                let socket = TcpStream::connect(address)?;
                socket.set_nodelay(true)?;
                Ok(Socket::Tcp(Arc::new(socket)))
            }
        }
    }

    /// A new connection that the server has accepted and works on.
    ///
    /// tiny_http counts its idle threads a moment late: of connections that come at once it may queue some behind
    /// threads that are taken for as long as other links stay open. So a marker follows each connection: one that has
    /// nothing to say and is closed in turn. Connections are accepted in order, and the thread that was done with the
    /// marker takes what is queued.
    fn open(&self) -> io::Result<Socket> {
        let socket = self.connect()?;
        for _ in 0..MARKERS {
            let marker = self.connect()?;
            marker.finish();
            match Timed::new(marker, MARKER_WITHIN).read(&mut [0]) {
                Err(error) if error.kind() == io::ErrorKind::TimedOut => {}
                Err(error) => return Err(error),
                Ok(_) => return Ok(socket),
            }
        }
        Err(io::ErrorKind::TimedOut.into())
    }
}

/// A link to the server behind the gate.
pub(super) type Link = BufReader<Timed>;

/// The server behind the gate, with the links that are kept.
pub(super) struct Server {
    upstream: Upstream,
    secret: Secret,
    kept: Mutex<Vec<Link>>,
    opening: Mutex<()>,
    answers_within: Duration,
}

/// What frames the body of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Framing {
    Nothing,
    Length(u64),
    Chunks,
    /// To the end of the link.
    End,
}

/// The head of an answer.
#[derive(Debug)]
pub(super) struct Answer {
    pub status: u16,
    pub reason: String,
    pub fields: Vec<(String, Vec<u8>)>,
    pub framing: Framing,
    /// What a HEAD request is told of the body that it does not get.
    pub length: Option<u64>,
    pub link_ends: bool,
}

impl Server {
    pub fn new(upstream: Upstream, secret: Secret, answers_within: Duration) -> Self {
        Self { upstream, secret, kept: Mutex::default(), opening: Mutex::default(), answers_within }
    }

    /// A link that was kept, or a new one.
    ///
    /// # Errors
    /// [`Refusal::NoRoom`] when the system has no files to spare, [`Refusal::NoAnswer`] when nobody listens.
    pub fn link(&self) -> Result<Link, Refusal> {
        if let Some(link) = self.kept().pop() {
            return Ok(link);
        }
        let _one_at_a_time = self.opening.lock().unwrap_or_else(PoisonError::into_inner);
        if !open_files::are_left(FILES_LEFT) {
            return Err(Refusal::NoRoom);
        }
        let socket = self.upstream.open().map_err(|error| match error.kind() {
            io::ErrorKind::ConnectionRefused | io::ErrorKind::NotFound => Refusal::NoAnswer,
            _ => Refusal::NoRoom,
        })?;
        let timed = Timed::new(socket, Duration::from_secs(HAND_OVER_SECONDS));
        Ok(BufReader::new(timed))
    }

    /// Keeps a link for the next request.
    pub fn keep(&self, link: Link) {
        let mut kept = self.kept();
        if kept.len() < GATE_KEPT_LINKS && link.buffer().is_empty() {
            kept.push(link);
        }
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Vec<Link>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hands a whole request over and reads the head of the answer.
    ///
    /// # Errors
    /// [`Refusal::LateAnswer`] when it does not come in time, [`Refusal::NoAnswer`] when it is none.
    pub fn ask(
        &self,
        link: &mut Link,
        head: &Head,
        client: IpAddr,
        body: Vec<u8>,
    ) -> Result<Answer, Refusal> {
        let socket = link.get_mut();
        socket.end_within(Duration::from_secs(HAND_OVER_SECONDS));
        // A server may answer before it has read everything, so a write that fails still leaves an answer to read.
        let _ = socket.write_all(&self.request_head(head, client)).and_then(|()| socket.write_all(&body));
        drop(body);
        link.get_mut().end_within(self.answers_within);
        let answer = read_head(link, head.method == "HEAD");
        link.get_mut().end_each_within(self.answers_within);
        answer.map_err(|error| match error.kind() {
            io::ErrorKind::TimedOut => Refusal::LateAnswer,
            _ => {
                // The server went away, and the other links with it.
                self.kept().clear();
                Refusal::NoAnswer
            }
        })
    }

    fn request_head(&self, head: &Head, client: IpAddr) -> Vec<u8> {
        let mut text = format!("{} {} HTTP/1.1\r\n", head.method, head.target);
        for (name, value) in &head.fields {
            text.extend([name, ": ", value, "\r\n"]);
        }
        text.extend(["Content-Length: ", &head.content_length.to_string(), "\r\n"]);
        text.extend([CLIENT_HEADER, ": ", &client.to_string(), "\r\n"]);
        text.extend([GATE_HEADER, ": ", self.secret.expose(), "\r\n\r\n"]);
        text.into_bytes()
    }
}

/// Reads the head of an answer, interim answers left out.
fn read_head(link: &mut Link, to_head_request: bool) -> io::Result<Answer> {
    loop {
        let mut bytes = Vec::new();
        while !bytes.ends_with(b"\r\n\r\n") {
            let room = (GATE_ANSWER_HEAD_BYTES - bytes.len()) as u64;
            if link.by_ref().take(room).read_until(b'\n', &mut bytes)? == 0 {
                return Err(io::ErrorKind::InvalidData.into());
            }
        }
        let answer =
            decode(&bytes, to_head_request).ok_or_else(|| io::Error::from(io::ErrorKind::InvalidData))?;
        if answer.status >= 200 {
            return Ok(answer);
        }
    }
}

/// RFC 9112 section 6.3, for the answers of a server that we trust.
fn decode(bytes: &[u8], to_head_request: bool) -> Option<Answer> {
    let mut fields = [httparse::EMPTY_HEADER; GATE_FIELDS];
    let mut response = httparse::Response::new(&mut fields);
    if !response.parse(bytes).ok()?.is_complete() {
        return None;
    }
    let value = |name: &str| {
        let field = response.headers.iter().find(|field| field.name.eq_ignore_ascii_case(name))?;
        Some(String::from_utf8_lossy(field.value).to_ascii_lowercase())
    };
    let status = response.code?;
    let length = match value("content-length") {
        Some(length) => Some(length.parse().ok()?),
        None => None,
    };
    let is_chunked = value("transfer-encoding").is_some_and(|coding| coding == "chunked");
    let framing = match length {
        _ if to_head_request || status < 200 || status == 204 || status == 304 => Framing::Nothing,
        _ if is_chunked => Framing::Chunks,
        Some(length) => Framing::Length(length),
        None => Framing::End,
    };
    let goes_on = |field: &&httparse::Header<'_>| {
        !DROPPED.iter().any(|dropped| field.name.eq_ignore_ascii_case(dropped))
    };
    let fields = response.headers.iter().filter(goes_on);
    Some(Answer {
        status,
        reason: response.reason.unwrap_or_default().to_owned(),
        fields: fields.map(|field| (field.name.to_owned(), field.value.to_vec())).collect(),
        framing,
        length,
        link_ends: framing == Framing::End || value("connection").is_some_and(|it| it.contains("close")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn framing(head: &str, to_head_request: bool) -> Framing {
        decode(head.as_bytes(), to_head_request).unwrap().framing
    }

    #[test]
    fn an_answer_is_framed_by_one_rule() {
        assert_eq!(framing("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", false), Framing::Length(5));
        assert_eq!(framing("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", true), Framing::Nothing);
        assert_eq!(
            framing("HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", false),
            Framing::Nothing
        );
        assert_eq!(framing("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", false), Framing::Chunks);
        assert_eq!(framing("HTTP/1.1 200 OK\r\n\r\n", false), Framing::End);
        assert!(decode(b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", false).is_none());
    }

    #[test]
    fn security_fields_go_on_and_the_name_of_the_program_does_not() {
        let head = b"HTTP/1.1 200 OK\r\nServer: a\r\nContent-Security-Policy: b\r\nSet-Cookie: c\r\n\r\n";
        let names: Vec<String> =
            decode(head, false).unwrap().fields.into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["Content-Security-Policy", "Set-Cookie"]);
    }
}
