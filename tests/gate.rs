//! The gate against clients that mind no rule: what hurts a bare tiny_http does not reach it, and others are answered
//! before, during and after. What a bare tiny_http does is shown in child processes, so that the reason for the gate
//! does not get lost when the library changes.

use crate::support::gate::{GIVE_UP, Line, PATIENCE, Process, Stage, open, play_role, say};
use notesferry::server::gate::{GateEventKind, GateLimits, Upstream, certificate};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned, crypto};
use sha2::{Digest, Sha256};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::process::ExitStatusExt;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

const SHORT: Duration = Duration::from_millis(300);
/// The end of a head whose connection stays open, and of one whose connection ends.
const STAYS: &str = "HTTP/1.1\r\nHost: a\r\n\r\n";
const ENDS: &str = "HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
const SIGABRT: i32 = 6;

/// A child process plays its role here; in the process of the tests there is none to play.
#[test]
fn a_server_of_its_own() {
    play_role();
}

fn stage() -> Stage {
    Stage::new(GateLimits::default())
}

fn post(fields: &str, body: &str) -> String {
    format!("POST /echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{fields}\r\n{body}")
}

#[test]
fn a_request_goes_through_with_secret_and_address_and_nothing_forged() {
    let stage = stage();
    assert!(say(stage.address, &format!("GET /client {ENDS}")).ends_with("\r\n\r\n127.0.0.1"));
    let forged = "X-Notesferry-Client: 192.0.2.1\r\nX-Notesferry-Gate: a\r\nX-Forwarded-For: b\r\nA: b\r\n";
    let answer =
        say(stage.address, &format!("GET /fields HTTP/1.1\r\nHost: a\r\n{forged}Connection: close\r\n\r\n"));
    let names: Vec<&str> = answer.split("\r\n\r\n").nth(1).unwrap().lines().collect();
    assert_eq!(names, ["Host", "A", "Content-Length", "X-Notesferry-Client", "X-Notesferry-Gate"]);
}

#[test]
fn a_connection_serves_many_requests_also_when_they_are_sent_ahead() {
    let stage = stage();
    let mut line = Line::open(stage.address);
    line.send(&format!("HEAD /large {STAYS}GET /first {STAYS}{}", post("Content-Length: 6\r\n", "second")));
    let answers = line.rest();
    assert_eq!(answers.matches("HTTP/1.1 200 ").count(), 3, "{answers}");
    assert!(answers.contains("\r\n\r\nok") && answers.ends_with("\r\n\r\nsecond"));
}

#[test]
fn a_trusted_proxy_says_who_the_client_is() {
    let asks = |stage: &Stage| {
        let told = "X-Forwarded-For: 203.0.113.9\r\nX-Forwarded-For: 198.51.100.7\r\n";
        say(stage.address, &format!("GET /client HTTP/1.1\r\nHost: a\r\n{told}Connection: close\r\n\r\n"))
    };
    assert!(asks(&Stage::behind([127, 0, 0, 1].into())).ends_with("\r\n\r\n198.51.100.7"));
    assert!(asks(&Stage::behind([192, 0, 2, 1].into())).ends_with("\r\n\r\n127.0.0.1"), "not the proxy");
    assert!(asks(&Stage::new(GateLimits::default())).ends_with("\r\n\r\n127.0.0.1"), "no proxy");
}

#[test]
fn a_long_answer_comes_whole_to_new_and_old_clients() {
    let stage = stage();
    let chunked = say(stage.address, &format!("GET /large {ENDS}"));
    let (head, body) = chunked.split_once("\r\n\r\n").unwrap();
    assert!(head.contains("Transfer-Encoding: chunked"), "{head}");
    let mut decoded = String::new();
    chunked_transfer::Decoder::new(body.as_bytes()).read_to_string(&mut decoded).unwrap();
    assert_eq!(decoded, "x".repeat(300_000));
    let old = say(stage.address, "GET /large HTTP/1.0\r\n\r\n");
    let (head, body) = old.split_once("\r\n\r\n").unwrap();
    assert!(!head.contains("chunked") && body == "x".repeat(300_000), "{head}");
}

#[test]
fn a_large_body_comes_whole_after_the_word_to_go_on() {
    let stage = stage();
    let mut line = Line::open(stage.address);
    let body = "y".repeat(4 << 20);
    line.send("POST /extractor/v1/echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nConnection: close\r\n");
    line.send(&format!("Content-Length: {}\r\n\r\n", body.len()));
    assert_eq!(line.until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
    line.send(&body);
    let answer = line.rest();
    let mut decoded = String::new();
    let chunks = answer.split_once("\r\n\r\n").unwrap().1.as_bytes();
    chunked_transfer::Decoder::new(chunks).read_to_string(&mut decoded).unwrap();
    assert!(decoded == body);
}

#[test]
fn a_huge_length_ends_a_bare_server_and_not_the_gate() {
    let huge = format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n", u64::MAX / 2);
    let mut bare = Process::start("bare");
    let mut line = Line::open(bare.address);
    line.send(&huge);
    line.rest();
    let start = Instant::now();
    let status = loop {
        match bare.child.try_wait().unwrap() {
            Some(status) => break status,
            None if start.elapsed() > GIVE_UP => panic!("a bare tiny_http survives this now"),
            None => thread::yield_now(),
        }
    };
    assert!(status.signal() == Some(SIGABRT) || !status.success(), "{status}");
    let stage = stage();
    stage.refuses(huge, 413);
    stage.refuses(post("Content-Length: 99999999999999999999999999\r\n", ""), 413);
    stage.refuses(post("Content-Length: 65537\r\n", ""), 413);
}

#[test]
fn a_bare_server_takes_every_ambiguous_length_and_the_gate_none() {
    let two = post("Content-Length: 2\r\nContent-Length: 30\r\n", "ab");
    let both = post("Content-Length: 30\r\nTransfer-Encoding: chunked\r\n", "2\r\nab\r\n0\r\n\r\n");
    let bare = Process::start("bare");
    for request in [&two, &both] {
        assert!(say(bare.address, request).starts_with("HTTP/1.1 200 "), "{request}");
    }
    let stage = stage();
    stage.refuses(two, 400);
    stage.refuses(both, 400);
}

/// A body that the program behind does not read is the next request for a bare tiny_http.
#[test]
fn an_unread_chunk_is_a_request_for_a_bare_server_and_not_for_the_gate() {
    let hidden = format!("GET /hidden {ENDS}");
    let chunked = "Host: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    let smuggling = format!("POST /other HTTP/1.1\r\n{chunked}{hidden}");
    let bare = Process::start("bare");
    assert_eq!(say(bare.address, &smuggling).matches("HTTP/1.1 200 ").count(), 2);
    let stage = stage();
    stage.refuses(smuggling, 411);
    stage.refuses(format!("POST /echo HTTP/1.1\r\n{chunked}FFFFFFFFFFFFFFFFFF\r\nab"), 411);
}

#[test]
fn an_endless_header_line_fills_a_bare_server_and_not_the_gate() {
    let block = vec![b'x'; 1 << 20];
    let bare = Process::start("bare");
    let mut line = Line::open(bare.address);
    line.send("GET / HTTP/1.1\r\nA: ");
    (0..64).for_each(|_| line.stream.write_all(&block).unwrap());
    assert!(bare.figure("VmRSS") > 32 << 10, "KiB of a bare tiny_http");
    let gate = Process::start("gate");
    let mut line = Line::open(gate.address);
    line.send("GET / HTTP/1.1\r\nA: ");
    let sent = (0..200).take_while(|_| line.stream.write_all(&block).is_ok()).count();
    assert!(sent < 200, "the gate hung up");
    assert!(gate.figure("VmHWM") < 32 << 10, "KiB of the gate");
    let stage = stage();
    stage.refuses(format!("GET / HTTP/1.1\r\nA: {}", "x".repeat(20_000)), 431);
    stage.refuses(format!("GET /{}", "x".repeat(20_000)), 414);
}

#[test]
fn who_drips_is_told_to_hurry() {
    let limits = GateLimits { head_within: SHORT, body_within: SHORT, ..GateLimits::default() };
    let stage = Stage::new(limits);
    for start in ["GET / HTTP/1.1\r\n".to_owned(), post("Content-Length: 5000\r\n", "a")] {
        let mut line = Line::open(stage.address);
        line.send(&start);
        let mut dripping = line.stream.try_clone().unwrap();
        let drip = thread::spawn(move || {
            let start = Instant::now();
            // Bytes keep coming, so that no pause is ever long.
            while start.elapsed() < GIVE_UP && dripping.write_all(b"a").is_ok() {
                thread::sleep(Duration::from_millis(5));
            }
        });
        stage.others_are_answered();
        assert!(line.until("\r\n").starts_with("HTTP/1.1 408 "));
        drop(line);
        drip.join().unwrap();
    }
    stage.others_are_answered();
}

#[test]
fn an_idle_connection_is_closed_without_a_word() {
    let stage = Stage::new(GateLimits { idle_within: SHORT, ..GateLimits::default() });
    assert_eq!(Line::open(stage.address).rest(), "");
}

#[test]
fn two_thousand_idle_connections_keep_nobody_out() {
    let bare = Process::start("bare");
    let idle = [(); 50].map(|()| {
        let mut line = Line::open(bare.address);
        line.send(&format!("GET / {STAYS}"));
        line.until("ok");
        line
    });
    assert!(bare.figure("Threads") > 50, "a bare tiny_http gives each a thread, without end");
    drop(idle);
    let stage = stage();
    let mut idle = Vec::new();
    for _ in 0..20 {
        idle.extend((0..100).map(|_| TcpStream::connect(stage.address).unwrap()));
        stage.others_are_answered();
    }
    assert_eq!(idle.len(), 2_000);
    let events = stage.events.lock().unwrap();
    assert!(events.iter().any(|event| event.kind == GateEventKind::Evicted));
}

#[test]
fn running_requests_are_not_sent_away_for_others() {
    let limits = GateLimits { connections: 2, ..GateLimits::default() };
    let stage = Stage::with(limits, None, 3);
    let mut held = [Line::open(stage.address), Line::open(stage.address)];
    for line in &mut held {
        line.send(&format!("GET /held {ENDS}"));
    }
    stage.behind.until_held(2);
    assert!(say_anyhow(stage.address).starts_with("HTTP/1.1 503 "));
    stage.behind.held.wait();
    held.iter_mut().for_each(|line| assert!(line.rest().starts_with("HTTP/1.1 200 ")));
    stage.others_are_answered();
}

/// What comes before the connection ends, also when it is cut at once.
fn say_anyhow(address: SocketAddr) -> String {
    let mut line = Line::open(address);
    let _ = write!(line.stream, "GET / {ENDS}");
    line.rest()
}

#[test]
fn no_open_files_left_closes_a_bare_port_for_good_and_not_the_gates() {
    let mut bare = Process::start("bare-few-files");
    bare.order("exhaust");
    let start = Instant::now();
    while let Ok(mut stream) = TcpStream::connect(bare.address) {
        assert!(start.elapsed() < GIVE_UP, "a bare tiny_http survives this now");
        stream.set_read_timeout(Some(GIVE_UP)).unwrap();
        let _ = stream.read(&mut [0]);
    }
    bare.order("release");
    assert!(TcpStream::connect(bare.address).is_err(), "a bare tiny_http opens its port again now");
    assert!(bare.child.try_wait().unwrap().is_none(), "the process lives on without its port");

    let mut gate = Process::start("gate-few-files");
    let request = format!("GET / {ENDS}");
    assert!(say(gate.address, &request).starts_with("HTTP/1.1 200 "));
    gate.order("exhaust");
    let mut waiting = Line::open(gate.address);
    waiting.send(&request);
    // Files of the request before may be given back only now; so there are more clients than files can be left.
    let idle: Vec<_> = (0..16).map(|_| Line::open(gate.address)).collect();
    gate.says("no more connections");
    gate.order("release");
    drop(idle);
    // It may have come in while the first files were given back.
    let answer = waiting.rest();
    assert!(["HTTP/1.1 200 ", "HTTP/1.1 503 "].iter().any(|start| answer.starts_with(start)), "{answer:?}");
    assert!(say(gate.address, &request).starts_with("HTTP/1.1 200 "));
}

#[test]
fn few_open_files_suffice_for_many_clients() {
    let gate = Process::start("gate-few-files");
    let clients: Vec<_> = (0..100)
        .map(|_| {
            let address = gate.address;
            thread::spawn(move || say_anyhow(address))
        })
        .collect();
    let answers: Vec<String> = clients.into_iter().map(|client| client.join().unwrap()).collect();
    assert!(answers.iter().any(|answer| answer.starts_with("HTTP/1.1 200 ")));
    assert!(say(gate.address, &format!("GET / {ENDS}")).starts_with("HTTP/1.1 200 "));
}

#[test]
fn ten_thousand_requests_are_answered_and_nobody_else_waits() {
    let limits = GateLimits { requests_at_once: 100_000, ..GateLimits::default() };
    let stage = Stage::new(limits);
    let address = stage.address;
    let clients: Vec<_> = (0..10)
        .map(|_| {
            thread::spawn(move || {
                let mut line = Line::open(address);
                let mut speaker = line.stream.try_clone().unwrap();
                let request = format!("GET / {STAYS}").repeat(999) + &format!("GET / {ENDS}");
                let saying = thread::spawn(move || speaker.write_all(request.as_bytes()).unwrap());
                let answers = line.rest();
                saying.join().unwrap();
                answers.matches("HTTP/1.1 200 ").count()
            })
        })
        .collect();
    while !clients.iter().all(thread::JoinHandle::is_finished) {
        stage.others_are_answered();
    }
    let answers: usize = clients.into_iter().map(|client| client.join().unwrap()).sum();
    assert_eq!(answers, 10_000);
}

#[test]
fn who_asks_too_often_has_to_wait() {
    let limits = GateLimits { requests_at_once: 3, requests_per_second: 0, ..GateLimits::default() };
    let stage = Stage::new(limits);
    let answers = say(stage.address, &format!("GET / {STAYS}").repeat(10));
    assert_eq!(answers.matches("HTTP/1.1 200 ").count(), 3);
    assert!(answers.contains("HTTP/1.1 429 ") && answers.contains("Retry-After: "), "{answers}");
}

#[test]
fn bodies_have_a_bounded_room() {
    let limits = GateLimits { bodies_bytes: 100_000, room_within: SHORT, ..GateLimits::default() };
    let stage = Stage::new(limits);
    let mut first = Line::open(stage.address);
    first.send(&post("Content-Length: 60000\r\nExpect: 100-continue\r\n", ""));
    assert!(first.until("\r\n\r\n").starts_with("HTTP/1.1 100 "));
    let mut second = Line::open(stage.address);
    second.send(&post("Content-Length: 60000\r\n", ""));
    let refused = second.rest();
    assert!(refused.starts_with("HTTP/1.1 503 ") && refused.contains("Retry-After: "), "{refused}");
    first.send(&"z".repeat(60_000));
    assert!(first.rest().starts_with("HTTP/1.1 200 "));
    assert!(say(stage.address, &post("Content-Length: 60000\r\n", &"z".repeat(60_000))).contains(" 200 "));
}

#[test]
fn a_server_that_is_away_or_late_is_answered_for() {
    let nowhere = tempfile::tempdir().unwrap();
    let (gate, events) =
        open(GateLimits::default(), None, Upstream::Socket(nowhere.path().join("http")), &[]);
    assert!(say(gate.local_addr(), &format!("GET / {ENDS}")).starts_with("HTTP/1.1 502 "));
    assert_eq!(events.lock().unwrap()[0].kind, GateEventKind::UpstreamFailed);
    let stage = Stage::with(GateLimits { answer_within: SHORT, ..GateLimits::default() }, None, 2);
    stage.refuses(format!("GET /held {ENDS}"), 504);
    stage.behind.held.wait();
}

/// tiny_http queues connections that come at once behind busy threads; see the markers in the gate's `upstream`.
#[test]
fn requests_that_come_at_once_are_all_heard() {
    const CLIENTS: usize = 100;
    let stage = Stage::with(GateLimits::default(), None, CLIENTS);
    let mut lines: Vec<Line> = (0..CLIENTS).map(|_| Line::open(stage.address)).collect();
    for line in &mut lines {
        line.send(&format!("GET /held {STAYS}"));
    }
    for line in &mut lines {
        assert!(line.until("\r\n\r\n").starts_with("HTTP/1.1 200 "));
    }
}

#[test]
fn a_gate_that_closes_lets_running_requests_end() {
    let stage = Stage::with(GateLimits::default(), None, 3);
    let mut idle = Line::open(stage.address);
    let mut running = [Line::open(stage.address), Line::open(stage.address)];
    for line in &mut running {
        line.send(&format!("GET /held {STAYS}"));
    }
    let Stage { gate, address, behind, .. } = stage;
    behind.until_held(2);
    let closing = thread::spawn(move || gate.stop());
    assert_eq!(idle.rest(), "");
    assert!(TcpStream::connect(address).is_err());
    behind.held.wait();
    for line in &mut running {
        let answer = line.rest();
        assert!(answer.starts_with("HTTP/1.1 200 ") && answer.contains("Connection: close"), "{answer}");
    }
    closing.join().unwrap();
}

/// A client that trusts the certificate in `folder` and nothing else.
fn tls_client(folder: &std::path::Path) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(folder.join("tls.crt")).unwrap()).unwrap();
    let builder = ClientConfig::builder_with_provider(Arc::new(crypto::ring::default_provider()));
    let builder = builder.with_safe_default_protocol_versions().unwrap();
    Arc::new(builder.with_root_certificates(roots).with_no_client_auth())
}

#[test]
fn tls_is_spoken_and_anything_else_is_turned_away() {
    let folder = tempfile::tempdir().unwrap();
    let made = certificate::load_or_make(folder.path(), &["localhost".to_owned()]).unwrap();
    let limits = GateLimits { head_within: SHORT, ..GateLimits::default() };
    let stage = Stage::with(limits, Some(made.config), 1);
    let config = tls_client(folder.path());
    let ask = || {
        let start = Instant::now();
        let name = ServerName::try_from("localhost").unwrap();
        let connection = ClientConnection::new(Arc::clone(&config), name).unwrap();
        let mut stream = StreamOwned::new(connection, Line::open(stage.address).stream);
        write!(stream, "GET /client {ENDS}").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.ends_with("\r\n\r\n127.0.0.1"), "{answer}");
        assert!(start.elapsed() < PATIENCE);
        let own = stream.conn.peer_certificates().unwrap()[0].clone();
        let digits: String = Sha256::digest(&own).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(digits, made.fingerprint);
    };
    ask();
    let silent = Line::open(stage.address);
    for garbage in ["\x16\x03\x01\x02\0garbage".repeat(99), "\0\u{7f}garbage".to_owned()] {
        let mut line = Line::open(stage.address);
        let _ = line.stream.write_all(garbage.as_bytes());
        ask();
        line.rest();
    }
    assert!(say(stage.address, &format!("GET / {STAYS}")).contains("please use https://"));
    let mut slow = Line::open(stage.address);
    slow.send("\x16\x03\x01\x02\0\x01");
    assert_eq!(slow.rest(), "", "a handshake has a deadline");
    ask();
    drop(silent);
    let events = stage.events.lock().unwrap();
    assert!(events.iter().any(|event| event.kind == GateEventKind::HandshakeFailed));
}
