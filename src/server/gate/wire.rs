//! A line with a deadline: no reading, writing or handshake of the gate can take longer than was planned, however slowly
//! the other side drips.
//!
//! Towards clients the deadline is a point in time, not a pause between bytes, and is obeyed below TLS.

use rustls::{ServerConfig, ServerConnection, StreamOwned};
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
#[cfg(unix)]
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A connected socket.
pub(super) enum Socket {
    /// Shared with the table of connections, which may shut it down.
    Tcp(Arc<TcpStream>),
    #[cfg(unix)]
    Unix(UnixStream),
}

impl Socket {
    /// Says that nothing more will come from here. On a line that broke, nobody hears it.
    pub fn finish(&self) {
        let _ = match self {
            Self::Tcp(socket) => socket.shutdown(Shutdown::Write),
            #[cfg(unix)]
            Self::Unix(socket) => socket.shutdown(Shutdown::Write),
        };
    }

    fn read(&self, buffer: &mut [u8], within: Duration) -> io::Result<usize> {
        match self {
            Self::Tcp(socket) => {
                socket.set_read_timeout(Some(within))?;
                (&**socket).read(buffer)
            }
            #[cfg(unix)]
            Self::Unix(socket) => {
                socket.set_read_timeout(Some(within))?;
                (&*socket).read(buffer)
            }
        }
    }

    fn write(&self, bytes: &[u8], within: Duration) -> io::Result<usize> {
        match self {
            Self::Tcp(socket) => {
                socket.set_write_timeout(Some(within))?;
                (&**socket).write(bytes)
            }
            #[cfg(unix)]
            Self::Unix(socket) => {
                socket.set_write_timeout(Some(within))?;
                (&*socket).write(bytes)
            }
        }
    }
}

/// A socket whose operations end in time, with [`io::ErrorKind::TimedOut`].
pub(super) struct Timed {
    socket: Socket,
    limit: Limit,
}

/// When an operation has to end.
#[derive(Clone, Copy)]
enum Limit {
    At(Instant),
    /// Each one after so long.
    After(Duration),
}

impl Timed {
    pub fn new(socket: Socket, within: Duration) -> Self {
        Self { socket, limit: Limit::At(Instant::now() + within) }
    }

    pub fn end_within(&mut self, within: Duration) {
        self.limit = Limit::At(Instant::now() + within);
    }

    pub fn end_each_within(&mut self, within: Duration) {
        self.limit = Limit::After(within);
    }

    /// Waits for the next byte and leaves it there; `socket` is the one of this line.
    pub fn peek(&mut self, socket: &TcpStream, buffer: &mut [u8]) -> io::Result<usize> {
        self.repeat(|_, within| {
            socket.set_read_timeout(Some(within))?;
            socket.peek(buffer)
        })
    }

    /// Does `operation` again when a signal interrupted it, until the deadline.
    fn repeat(&self, mut operation: impl FnMut(&Socket, Duration) -> io::Result<usize>) -> io::Result<usize> {
        loop {
            let left = match self.limit {
                Limit::At(end) => end.saturating_duration_since(Instant::now()),
                Limit::After(within) => within,
            };
            if left.is_zero() {
                return Err(io::ErrorKind::TimedOut.into());
            }
            match operation(&self.socket, left) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // What a time-out is called depends on the system.
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    return Err(io::ErrorKind::TimedOut.into());
                }
                result => return result,
            }
        }
    }
}

impl Read for Timed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.repeat(|socket, within| socket.read(buffer, within))
    }
}

impl Write for Timed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.repeat(|socket, within| socket.write(bytes, within))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The line to a client.
pub(super) enum Wire {
    Plain(Timed),
    Tls(Box<StreamOwned<ServerConnection, Timed>>),
}

impl Wire {
    /// Shakes hands within the socket's deadline.
    ///
    /// # Errors
    /// When the line breaks, the deadline passes or the client speaks no TLS that we accept.
    pub fn handshake(config: Arc<ServerConfig>, mut socket: Timed) -> io::Result<Self> {
        let mut connection = ServerConnection::new(config).map_err(io::Error::other)?;
        while connection.is_handshaking() {
            let (read, written) = connection.complete_io(&mut socket)?;
            if (read, written) == (0, 0) {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        Ok(Self::Tls(Box::new(StreamOwned::new(connection, socket))))
    }

    pub fn end_within(&mut self, within: Duration) {
        match self {
            Self::Plain(socket) => socket.end_within(within),
            Self::Tls(stream) => stream.sock.end_within(within),
        }
    }

    /// Says that nothing more will come from here.
    pub fn finish(&mut self) {
        if let Self::Tls(stream) = self {
            stream.conn.send_close_notify();
        }
        // The line is given up: whether the last bytes still went out is all the same.
        let _ = self.flush();
        let socket = match self {
            Self::Plain(socket) => socket,
            Self::Tls(stream) => &mut stream.sock,
        };
        socket.socket.finish();
    }
}

impl Read for Wire {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(socket) => socket.read(buffer),
            Self::Tls(stream) => stream.read(buffer),
        }
    }
}

impl Write for Wire {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(socket) => socket.write(bytes),
            Self::Tls(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(socket) => socket.flush(),
            Self::Tls(stream) => stream.flush(),
        }
    }
}
