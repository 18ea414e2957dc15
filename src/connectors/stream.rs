//! A line to a server that a session and the writer of uploads share.
//!
//! Reading through a handle never takes more than one line at a time, so nothing of an answer lies in a buffer of the
//! session when the writer reads, and nothing the other way round. What one answer may hold is bounded.
//!
//! Every byte that is not ASCII is read as `?`: the parser of answers takes nothing else, servers put names and
//! reasons into their texts in UTF-8 (seen: Dovecot), and all that we read for its content is ASCII.

use crate::base::limits::{CONNECT_SECONDS, LINE_SILENT_SECONDS, REPLY_BYTES, REPLY_LINE_BYTES};
use crate::connectors::tls::{self, TlsStream};
use std::fmt;
use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

#[derive(Debug)]
enum Wire {
    Plain(TcpStream),
    Tls(Box<TlsStream>),
}

impl Read for Wire {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(tcp) => tcp.read(into),
            Self::Tls(tls) => tls.read(into),
        }
    }
}

impl Write for Wire {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(tcp) => tcp.write(bytes),
            Self::Tls(tls) => tls.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(tcp) => tcp.flush(),
            Self::Tls(tls) => tls.flush(),
        }
    }
}

struct Line {
    wire: BufReader<Wire>,
    /// Bytes that the present answer may still have.
    allowance: u64,
}

/// One of the handles on a line.
#[derive(Clone)]
pub struct Handle(Arc<Mutex<Line>>);

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Handle")
    }
}

/// Opens a TCP connection with time-outs, to the first address of the host that answers.
///
/// # Errors
/// The error of the last address.
pub fn connect(host: &str, port: u16) -> io::Result<TcpStream> {
    let mut last = io::Error::new(ErrorKind::NotFound, "the host has no address");
    for address in (host, port).to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, Duration::from_secs(CONNECT_SECONDS)) {
            Ok(tcp) => {
                let silent = Some(Duration::from_secs(LINE_SILENT_SECONDS));
                tcp.set_read_timeout(silent)?;
                tcp.set_write_timeout(silent)?;
                tcp.set_nodelay(true)?;
                return Ok(tcp);
            }
            Err(error) => last = error,
        }
    }
    Err(last)
}

impl Handle {
    pub fn plain(tcp: TcpStream) -> Self {
        Self::new(Wire::Plain(tcp))
    }

    /// # Errors
    /// As [`tls::handshake`].
    pub fn tls(host: &str, tcp: TcpStream) -> io::Result<Self> {
        Ok(Self::new(Wire::Tls(Box::new(tls::handshake(host, tcp)?))))
    }

    fn new(wire: Wire) -> Self {
        let line = Line { wire: BufReader::with_capacity(64 << 10, wire), allowance: REPLY_BYTES };
        Self(Arc::new(Mutex::new(line)))
    }

    /// Reads one line with its end.
    ///
    /// # Errors
    /// `UnexpectedEof` at the end of the line, `InvalidData` for a line longer than `REPLY_LINE_BYTES`.
    pub fn read_line(&mut self) -> io::Result<Vec<u8>> {
        let mut line = Vec::new();
        (&mut self.lock().wire).take(REPLY_LINE_BYTES).read_until(b'\n', &mut line)?;
        match line.last() {
            Some(b'\n') => {
                replace_foreign(&mut line);
                Ok(line)
            }
            _ if line.len() as u64 == REPLY_LINE_BYTES => Err(too_long()),
            _ => Err(ErrorKind::UnexpectedEof.into()),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Line> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn replace_foreign(bytes: &mut [u8]) {
    bytes.iter_mut().filter(|byte| !byte.is_ascii() || **byte == 0).for_each(|byte| *byte = b'?');
}

fn too_long() -> io::Error {
    io::Error::new(ErrorKind::InvalidData, "the answer of the server is too long")
}

impl Read for Handle {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let mut line = self.lock();
        let buffer = line.wire.fill_buf()?;
        let end = buffer.iter().position(|&byte| byte == b'\n').map_or(buffer.len(), |end| end + 1);
        let count = end.min(into.len());
        into[..count].copy_from_slice(&buffer[..count]);
        replace_foreign(&mut into[..count]);
        line.wire.consume(count);
        line.allowance = line.allowance.checked_sub(count as u64).ok_or_else(too_long)?;
        Ok(count)
    }
}

impl Write for Handle {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut line = self.lock();
        line.allowance = REPLY_BYTES;
        line.wire.get_mut().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.lock().wire.get_mut().flush()
    }
}
