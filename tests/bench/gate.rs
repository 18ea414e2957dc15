//! What the gate costs: requests a second and bytes a second through it, beside a bare tiny_http, and the memory of
//! idle connections.
//!
//! `cargo bench --bench gate`. Clients and servers share this process and its processors. Figures are printed, nothing
//! is asserted.

use notesferry::base::secret::Secret;
use notesferry::server::gate::{Gate, GateLimits, GateSettings, Upstream, open};
use std::error::Error;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};
use tiny_http::{Response, Server};

type Anything<T> = Result<T, Box<dyn Error + Send + Sync>>;

const CLIENTS: usize = 4;
const MEASURE: Duration = Duration::from_secs(3);
const IDLE: usize = 500;
/// An answer as long as that of an extractor's `test` call.
const ANSWER: &[u8] = &[b'a'; 60];

/// Answers every request on two threads, after reading its body.
fn serve(server: Server) {
    let server = std::sync::Arc::new(server);
    for _ in 0..2 {
        let server = std::sync::Arc::clone(&server);
        thread::spawn(move || {
            while let Ok(mut request) = server.recv() {
                drop(std::io::copy(request.as_reader(), &mut std::io::sink()));
                drop(request.respond(Response::from_data(ANSWER)));
            }
        });
    }
}

fn gate(socket: std::path::PathBuf) -> Anything<Gate> {
    let limits =
        GateLimits { connections_per_address: IDLE, requests_at_once: u32::MAX, ..GateLimits::default() };
    Ok(open(GateSettings {
        listen: (Ipv4Addr::LOCALHOST, 0).into(),
        tls: None,
        limits,
        trusted_proxies: Vec::new(),
        upstream: Upstream::Socket(socket),
        secret: Secret::new("bench"),
        listener: Box::new(|event| println!("{event}")),
    })?)
}

/// Requests that one connection got answered within the time.
fn ask(address: SocketAddr, body: &[u8]) -> Anything<u32> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    let length = body.len();
    let head =
        format!("POST /extractor/v1/test HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n");
    let request = [head.as_bytes(), body].concat();
    let mut answer = [0; 4096];
    let start = Instant::now();
    let mut count = 0;
    while start.elapsed() < MEASURE {
        stream.write_all(&request)?;
        let mut read = 0;
        while !answer[..read].ends_with(ANSWER) {
            match stream.read(&mut answer[read..])? {
                0 => return Err(String::from_utf8_lossy(&answer[..read]).into()),
                more => read += more,
            }
        }
        count += 1;
    }
    Ok(count)
}

/// Requests a second of all clients.
fn rate(address: SocketAddr, body: &[u8]) -> Anything<f64> {
    let counts: Vec<Anything<u32>> = thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS).map(|_| scope.spawn(|| ask(address, body))).collect();
        clients
            .into_iter()
            .map(|client| client.join().unwrap_or_else(|_| Err("a client died".into())))
            .collect()
    });
    let mut sum = 0;
    for count in counts {
        sum += count?;
    }
    Ok(f64::from(sum) / MEASURE.as_secs_f64())
}

/// KiB of anonymous memory of this process.
fn anonymous() -> Anything<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).ok_or("no RssAnon")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}

fn main() -> Anything<()> {
    let folder = tempfile::tempdir()?;
    let socket = folder.path().join("http");
    serve(Server::http_unix(&socket)?);
    let gate = gate(socket)?;

    let before = anonymous()?;
    let mut idle = Vec::new();
    for _ in 0..IDLE {
        let mut stream = TcpStream::connect(gate.local_addr())?;
        stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")?;
        stream.read_exact(&mut [0; 60])?;
        idle.push(stream);
    }
    println!("{IDLE} idle connections: {} KiB of RssAnon", anonymous()?.saturating_sub(before));
    drop(idle);

    let bare = Server::http((Ipv4Addr::LOCALHOST, 0))?;
    let bare_address = bare.server_addr().to_ip().ok_or("no address")?;
    serve(bare);
    for (name, body) in [("60-byte bodies", vec![b'b'; 60]), ("4 MiB bodies", vec![b'b'; 4 << 20])] {
        for (server, address) in [("bare", bare_address), ("gate", gate.local_addr())] {
            let rate = rate(address, &body)?;
            let megabytes = rate * body.len() as f64 / 1e6;
            println!("{name}, {server}: {rate:.0} requests/s, {megabytes:.1} MB/s");
        }
    }
    gate.stop();
    Ok(())
}
