//! A TCP proxy on loopback that cuts its lines. A line is cut after so many bytes of the client or of the server: the
//! other side gets these and no more, and the client gets nothing more. The client notices when the server is done with
//! the line, so that nothing is going on behind its back; with a proxy that counts it notices at once.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU16, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

/// Where a line is cut.
#[derive(Clone, Copy, Debug)]
pub enum Cut {
    /// After so many bytes of the client.
    Asked(u64),
    /// After so many bytes of the server.
    Answered(u64),
}

/// Counts the bytes of clients on all lines of the proxies that have it.
#[derive(Debug, Default)]
pub struct Meter {
    bytes: Mutex<u64>,
    moved: Condvar,
}

impl Meter {
    pub fn bytes(&self) -> u64 {
        *self.bytes.lock().unwrap()
    }

    /// Waits until there are so many bytes, or until nothing has moved for so long.
    pub fn wait_for(&self, bytes: u64, standing_still: Duration) {
        let mut present = self.bytes.lock().unwrap();
        while *present < bytes {
            let before = *present;
            let wait = self.moved.wait_timeout_while(present, standing_still, |now| *now == before);
            let (now, waited) = wait.unwrap();
            if waited.timed_out() {
                return;
            }
            present = now;
        }
    }

    fn add(&self, bytes: usize) {
        *self.bytes.lock().unwrap() += bytes as u64;
        self.moved.notify_all();
    }
}

pub struct Proxy {
    pub port: u16,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    /// Where the lines lead that are opened from now on.
    server_port: AtomicU16,
    /// Where the next lines are cut, the next one last; lines after these are not cut.
    cuts: Mutex<Vec<Cut>>,
    done: AtomicUsize,
    hides_uids: AtomicBool,
    /// The client of a line that is cut notices at once.
    at_once: bool,
    meter: Arc<Meter>,
}

impl Proxy {
    /// A proxy before a server on loopback. It ends with the test process.
    pub fn start(server_port: u16) -> Self {
        Self::start_with(server_port, Shared::default())
    }

    /// A proxy that counts what it carries, and whose clients notice a cut at once.
    pub fn counting(server_port: u16, meter: &Arc<Meter>) -> Self {
        Self::start_with(server_port, Shared { at_once: true, meter: Arc::clone(meter), ..Shared::default() })
    }

    fn start_with(server_port: u16, shared: Shared) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared { server_port: server_port.into(), ..shared });
        let proxy = Self { port, shared: Arc::clone(&shared) };
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let cut = shared.cuts.lock().unwrap().pop();
                let shared = Arc::clone(&shared);
                thread::spawn(move || carry(client, cut, &shared));
            }
        });
        proxy
    }

    /// The lines that are opened from now on lead to another port.
    pub fn lead_to(&self, server_port: u16) {
        self.shared.server_port.store(server_port, Ordering::SeqCst);
    }

    /// Cuts the next lines after so many bytes of the client.
    pub fn cut(&self, cuts: impl IntoIterator<Item = u64>) {
        self.cut_at(cuts.into_iter().map(Cut::Asked));
    }

    /// Cuts the next lines.
    pub fn cut_at(&self, cuts: impl IntoIterator<Item = Cut>) {
        self.shared.cuts.lock().unwrap().extend(cuts);
    }

    /// Leaves the lines from now on whole.
    pub fn stop_cutting(&self) {
        self.shared.cuts.lock().unwrap().clear();
    }

    /// From now on the client is not told where its messages are.
    pub fn hide_uids(&self) {
        self.shared.hides_uids.store(true, Ordering::Relaxed);
    }

    /// How many lines were cut.
    pub fn done(&self) -> usize {
        self.shared.done.load(Ordering::Relaxed)
    }
}

/// What a server without UIDPLUS does not say.
fn hide_uids(answers: &mut [u8]) {
    const CODE: &[u8] = b"[APPENDUID ";
    let places: Vec<usize> = answers
        .windows(CODE.len())
        .enumerate()
        .filter(|(_, bytes)| *bytes == CODE)
        .map(|(at, _)| at)
        .collect();
    places.into_iter().for_each(|at| answers[at + 1] = b'X');
}

/// What is left of a line until it is cut.
struct Left(u64);

impl Left {
    /// How many of these bytes are carried.
    fn take(&mut self, count: usize) -> usize {
        let taken = count.min(usize::try_from(self.0).unwrap_or(usize::MAX));
        self.0 -= taken as u64;
        taken
    }
}

/// Carries one line to its end.
fn carry(mut client: TcpStream, cut: Option<Cut>, shared: &Arc<Shared>) {
    let server_port = shared.server_port.load(Ordering::SeqCst);
    // Without a server the client is hung up on.
    let Ok(mut server) = TcpStream::connect((Ipv4Addr::LOCALHOST, server_port)) else { return };
    for stream in [&client, &server] {
        stream.set_nodelay(true).unwrap();
    }
    let (mut asked, answered) = match cut {
        Some(Cut::Asked(bytes)) => (Left(bytes), Left(u64::MAX)),
        Some(Cut::Answered(bytes)) => (Left(u64::MAX), Left(bytes)),
        None => (Left(u64::MAX), Left(u64::MAX)),
    };
    let is_cut = Arc::new(AtomicBool::new(false));
    let answers = {
        let (server, client) = (server.try_clone().unwrap(), client.try_clone().unwrap());
        let (is_cut, shared) = (Arc::clone(&is_cut), Arc::clone(shared));
        thread::spawn(move || carry_answers(server, client, answered, &is_cut, &shared))
    };
    let mut block = [0; 16 << 10];
    while let Ok(count @ 1..) = client.read(&mut block) {
        let count = asked.take(count);
        is_cut.fetch_or(asked.0 == 0, Ordering::SeqCst);
        let sent = server.write_all(&block[..count]);
        shared.meter.add(count);
        if sent.is_err() || is_cut.load(Ordering::SeqCst) {
            break;
        }
    }
    let _ = server.shutdown(Shutdown::Write);
    if shared.at_once {
        let _ = client.shutdown(Shutdown::Both);
    }
    answers.join().unwrap();
    shared.done.fetch_add(usize::from(is_cut.load(Ordering::SeqCst)), Ordering::Relaxed);
}

/// Carries the answers of a line to their end, which a cut line needs not be told of.
fn carry_answers(
    mut server: TcpStream,
    mut client: TcpStream,
    mut left: Left,
    is_cut: &AtomicBool,
    shared: &Shared,
) {
    let mut block = [0; 16 << 10];
    while let Ok(count @ 1..) = server.read(&mut block) {
        if shared.hides_uids.load(Ordering::Relaxed) {
            hide_uids(&mut block[..count]);
        }
        let count = left.take(count);
        if !is_cut.load(Ordering::SeqCst) && client.write_all(&block[..count]).is_err() {
            break;
        }
        if left.0 == 0 && !is_cut.swap(true, Ordering::SeqCst) {
            // Whoever carries the questions stops, so the server sees the end of the line.
            let _ = client.shutdown(Shutdown::Read);
        }
    }
    let _ = client.shutdown(Shutdown::Both);
}
