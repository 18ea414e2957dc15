//! A TCP proxy on loopback that cuts its lines. A line is cut after so many bytes of the client: the server gets these
//! and no more, and the client gets nothing more. The client notices when the server is done with the line, so that
//! nothing is going on behind its back.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

pub struct Proxy {
    pub port: u16,
    /// After how many bytes the next lines are cut, the next one last; lines after these are not cut.
    cuts: Arc<Mutex<Vec<u64>>>,
    done: Arc<AtomicUsize>,
    hides_uids: Arc<AtomicBool>,
}

impl Proxy {
    /// A proxy before a server on loopback. It ends with the test process.
    pub fn start(server_port: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let proxy = Self { port, cuts: Arc::default(), done: Arc::default(), hides_uids: Arc::default() };
        let (cuts, done) = (Arc::clone(&proxy.cuts), Arc::clone(&proxy.done));
        let hides_uids = Arc::clone(&proxy.hides_uids);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let server = TcpStream::connect((Ipv4Addr::LOCALHOST, server_port)).unwrap();
                for stream in [&client, &server] {
                    stream.set_nodelay(true).unwrap();
                }
                let cut = cuts.lock().unwrap().pop();
                let (done, hides_uids) = (Arc::clone(&done), Arc::clone(&hides_uids));
                thread::spawn(move || {
                    if carry(client, server, cut, &hides_uids) {
                        done.fetch_add(1, Ordering::Relaxed);
                    }
                });
            }
        });
        proxy
    }

    /// Cuts the next lines.
    pub fn cut(&self, cuts: impl IntoIterator<Item = u64>) {
        self.cuts.lock().unwrap().extend(cuts);
    }

    /// Leaves the lines from now on whole.
    pub fn stop_cutting(&self) {
        self.cuts.lock().unwrap().clear();
    }

    /// From now on the client is not told where its messages are.
    pub fn hide_uids(&self) {
        self.hides_uids.store(true, Ordering::Relaxed);
    }

    /// How many lines were cut.
    pub fn done(&self) -> usize {
        self.done.load(Ordering::Relaxed)
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

/// Carries one line to its end; `true` when it was cut.
fn carry(
    mut client: TcpStream,
    mut server: TcpStream,
    cut: Option<u64>,
    hides_uids: &Arc<AtomicBool>,
) -> bool {
    let is_cut = Arc::new(AtomicBool::new(false));
    let answers = {
        let (mut server, mut client) = (server.try_clone().unwrap(), client.try_clone().unwrap());
        let (is_cut, hides_uids) = (Arc::clone(&is_cut), Arc::clone(hides_uids));
        thread::spawn(move || {
            let mut block = [0; 16 << 10];
            while let Ok(count @ 1..) = server.read(&mut block) {
                if hides_uids.load(Ordering::Relaxed) {
                    hide_uids(&mut block[..count]);
                }
                if !is_cut.load(Ordering::SeqCst) && client.write_all(&block[..count]).is_err() {
                    break;
                }
            }
            let _ = client.shutdown(Shutdown::Both);
        })
    };
    let mut left = cut.unwrap_or(u64::MAX);
    let mut block = [0; 16 << 10];
    while let Ok(count @ 1..) = client.read(&mut block) {
        let count = count.min(usize::try_from(left).unwrap_or(usize::MAX));
        left -= count as u64;
        is_cut.fetch_or(left == 0, Ordering::SeqCst);
        if server.write_all(&block[..count]).is_err() || left == 0 {
            break;
        }
    }
    let _ = server.shutdown(Shutdown::Write);
    answers.join().unwrap();
    is_cut.load(Ordering::SeqCst)
}
