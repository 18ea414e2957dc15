//! HTTP on the two private sockets of the data folder: requests come in, go to the web API, to the website or to the
//! communication service, and their answers go out.
//!
//! `gate.sock` is for our gate, which passes whole requests on and proves itself with the secret of this start;
//! `admin.sock` is for the command line of whoever owns the folder. Both can be opened by their owner only, so tiny_http
//! is never met by strangers, whom it could not stand.
//!
//! Always true: at most [`SERVER_REQUESTS`] requests are under way, and no body is longer than its route allows.

use crate::base::limits::{
    EXTRACTOR_BODY_BYTES, GATE_API_BODY_BYTES, GATE_FORM_BODY_BYTES, SERVER_REQUESTS, SERVER_STOP_SECONDS,
};
use crate::base::secret::Secret;
use crate::server::api::request::{ApiError, Caller, Cookie, Method, Remote, Request, Response, Who};
use crate::server::api::{API_PATH, Api};
use crate::server::gate::{CLIENT_HEADER, GATE_HEADER};
use crate::server::machine::Machine;
use crate::server::website::{self, DOWNLOAD_PATH, Page, SECURITY_HEADERS, Website};
use std::borrow::Cow;
use std::fs::{self, File, Permissions};
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// Where the calls of extractors begin in the address of a request.
const EXTRACTOR_PATH: &str = "/extractor/v1/";

/// The cookie with the token of a session.
const SESSION_COOKIE: &str = "notesferry_session";

/// The header with the token against forged requests.
const CSRF_HEADER: &str = "X-CSRF-Token";

/// How long it may take until a listener sees that it is to close, and how long a socket rests that the system closed.
const PAUSE: Duration = Duration::from_millis(200);

/// What answers requests.
pub struct Service {
    api: Api,
    website: Website,
    machine: Arc<Machine>,
    under_way: Mutex<usize>,
    /// One request less is under way.
    ended: Condvar,
}

impl Service {
    pub fn new(machine: &Arc<Machine>, api: Api, website: Website) -> Arc<Self> {
        let machine = Arc::clone(machine);
        Arc::new(Self { api, website, machine, under_way: Mutex::new(0), ended: Condvar::new() })
    }

    fn lock(&self) -> MutexGuard<'_, usize> {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place among the requests that are under way, if one is free.
    fn place(self: &Arc<Self>) -> Option<Place> {
        let mut under_way = self.lock();
        (*under_way < SERVER_REQUESTS).then(|| *under_way += 1)?;
        Some(Place(Arc::clone(self)))
    }

    /// Lets the requests end that are under way, within [`SERVER_STOP_SECONDS`]; says whether all did.
    pub fn finish(&self) -> bool {
        let most = Duration::from_secs(SERVER_STOP_SECONDS);
        let waited = self.ended.wait_timeout_while(self.lock(), most, |under_way| *under_way > 0);
        *waited.unwrap_or_else(PoisonError::into_inner).0 == 0
    }
}

/// Given back when dropped, also by a thread that panics.
struct Place(Arc<Service>);

impl Drop for Place {
    fn drop(&mut self) {
        *self.0.lock() -= 1;
        self.0.ended.notify_all();
    }
}

/// Who comes through a socket.
pub enum Door {
    /// The owner of the data folder.
    Admin,
    /// The gate, with its secret.
    Gate(Secret),
}

impl Door {
    /// What a request came with, if it may come in at all.
    fn caller(&self, request: &tiny_http::Request) -> Option<Caller> {
        match self {
            Self::Admin => Some(Caller::Owner),
            Self::Gate(secret) => {
                let shown = header(request, GATE_HEADER)?;
                // Digests, because they are compared in constant time.
                let is_gate = blake3::hash(shown.as_bytes()) == blake3::hash(secret.expose().as_bytes());
                is_gate.then(|| Caller::Remote(remote(request)))
            }
        }
    }
}

fn remote(request: &tiny_http::Request) -> Remote {
    Remote {
        client: client(request).to_owned(),
        token: header(request, "Cookie").and_then(session_cookie).map(Secret::new),
        csrf: header(request, CSRF_HEADER).map(str::to_owned),
        is_foreign: is_foreign(
            header(request, "Sec-Fetch-Site"),
            header(request, "Origin"),
            header(request, "Host"),
        ),
    }
}

fn session_cookie(cookies: &str) -> Option<&str> {
    let mut pairs = cookies.split(';').filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == SESSION_COOKIE).map(|(_, value)| value)
}

/// Whether the browser says that another site's page sends this. Programs say nothing.
fn is_foreign(fetch_site: Option<&str>, origin: Option<&str>, host: Option<&str>) -> bool {
    let other_site = fetch_site.is_some_and(|site| !["same-origin", "none"].contains(&site));
    let origin_host = origin.map(|origin| origin.split_once("://").map(|(_, host)| host));
    other_site || origin_host.is_some_and(|origin_host| origin_host.is_none() || origin_host != host)
}

/// An open socket. It is closed when this is dropped.
pub struct Listener {
    closing: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

/// Listens on a socket at `path`. The caller owns the data folder, so a socket that lies there belonged to a server
/// that is gone.
///
/// # Errors
/// When the socket cannot be made: mostly its path is too long for one.
pub fn listen(path: &Path, door: Door, service: &Arc<Service>) -> io::Result<Listener> {
    let socket = open(path)?;
    let closing = Arc::new(AtomicBool::new(false));
    let hall = Arc::new(Hall { door, service: Arc::clone(service) });
    let thread = {
        let (path, closing) = (path.to_owned(), Arc::clone(&closing));
        let thread = thread::Builder::new().name("listener".to_owned());
        thread.spawn(move || take_in(socket, &path, &hall, &closing))?
    };
    Ok(Listener { closing, thread: Some(thread) })
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.closing.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // One that panicked has closed its socket too.
            let _ = thread.join();
        }
    }
}

fn open(path: &Path) -> io::Result<tiny_http::Server> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let socket = UnixListener::bind(path)?;
    fs::set_permissions(path, Permissions::from_mode(0o600))?;
    tiny_http::Server::from_listener(socket, None).map_err(io::Error::other)
}

/// Takes requests in until the listener closes. An accept that fails, mostly for want of open files, ends the socket of
/// tiny_http for good: then it is opened anew.
fn take_in(socket: tiny_http::Server, path: &Path, hall: &Arc<Hall>, closing: &AtomicBool) {
    let mut socket = Some(socket);
    while !closing.load(Ordering::Relaxed) {
        match socket.as_ref().map(|socket| socket.recv_timeout(PAUSE)) {
            Some(Ok(Some(request))) => hall.take(request),
            Some(Ok(None)) => {}
            Some(Err(error)) => {
                tracing::warn!("{} was closed and is opened again: {error}", path.display());
                socket = None;
            }
            None => {
                thread::sleep(PAUSE);
                socket = open(path).ok();
            }
        }
    }
}

/// What stands behind a socket.
struct Hall {
    door: Door,
    service: Arc<Service>,
}

impl Hall {
    fn has_tls(&self) -> bool {
        self.service.api.has_tls()
    }

    /// Answers a request on a thread of its own.
    fn take(self: &Arc<Self>, request: tiny_http::Request) {
        let most_bytes = largest_body(request.url());
        if request.body_length().is_some_and(|bytes| bytes as u64 > most_bytes) {
            tracing::warn!(client = client(&request), "a request with too large a body was left unanswered");
            // tiny_http sets aside as much memory as was announced when it drops a request that was not read, and the
            // process ends when there is not so much. So it is not dropped; its sender waits in vain.
            return std::mem::forget(request);
        }
        let Some(place) = self.service.place() else {
            return send(request, Answer::Json(ApiError::busy().into()), self.has_tls());
        };
        let hall = Arc::clone(self);
        let thread = thread::Builder::new().name("request".to_owned());
        let spawned = thread.spawn(move || {
            let _place = place;
            hall.answer(request);
        });
        if let Err(error) = spawned {
            // The request was dropped with the thread and is answered by tiny_http: 500.
            tracing::warn!("no thread for a request: {error}");
        }
    }

    fn answer(&self, mut request: tiny_http::Request) {
        let most_bytes = largest_body(request.url());
        let mut body = Vec::new();
        let answer = match request.as_reader().take(most_bytes + 1).read_to_end(&mut body) {
            Ok(bytes) if bytes as u64 > most_bytes => Answer::Json(ApiError::too_large(most_bytes).into()),
            Ok(_) => self.route(&request, body),
            // Nobody is left to be answered.
            Err(_) => return,
        };
        send(request, answer, self.has_tls());
    }

    fn route(&self, request: &tiny_http::Request, body: Vec<u8>) -> Answer {
        let Some(caller) = self.door.caller(request) else {
            return Answer::Json(ApiError::not_logged_in().into());
        };
        let (path, query) = request.url().split_once('?').unwrap_or((request.url(), ""));
        let method = request.method().as_str();
        if let (Some(call), "POST") = (path.strip_prefix(EXTRACTOR_PATH), method) {
            let bearer = header(request, "Authorization").and_then(|value| value.strip_prefix("Bearer "));
            return Answer::Frame(self.service.machine.communication().answer(call, bearer, &body));
        }
        if let Some((path, method)) = path.strip_prefix(API_PATH).zip(Method::from_name(method)) {
            let (path, query) = (path.to_owned(), query.to_owned());
            return Answer::Json(self.service.api.answer(&Request { method, path, query, body, caller }));
        }
        match method {
            "GET" | "HEAD" if path == DOWNLOAD_PATH => self.program(&caller),
            "GET" | "HEAD" => self.page(request, path),
            _ => no_page(method, path),
        }
    }

    fn page(&self, request: &tiny_http::Request, path: &str) -> Answer {
        match self.service.website.page(path) {
            None => no_page("GET", path),
            Some(page) if header(request, "If-None-Match") == Some(&page.entity_tag) => {
                Answer::Unchanged(page.entity_tag)
            }
            Some(page) => Answer::Page(page),
        }
    }

    fn program(&self, caller: &Caller) -> Answer {
        let opened = match self.service.api.who(caller) {
            Ok(Who::Stranger) => Err(ApiError::not_logged_in()),
            Ok(Who::Owner | Who::User { .. }) => website::program().map_err(ApiError::from),
            Err(error) => Err(error.into()),
        };
        match opened {
            Ok((file, bytes)) => Answer::Program(file, bytes),
            Err(error) => Answer::Json(error.into()),
        }
    }
}

fn no_page(method: &str, path: &str) -> Answer {
    Answer::Json(ApiError::not_found(format!("page {method} {path}")).into())
}

/// The largest body of a route.
fn largest_body(path: &str) -> u64 {
    match path {
        _ if path.starts_with(EXTRACTOR_PATH) => EXTRACTOR_BODY_BYTES,
        _ if path.starts_with(API_PATH) => GATE_API_BODY_BYTES,
        _ => GATE_FORM_BODY_BYTES,
    }
}

fn header<'a>(request: &'a tiny_http::Request, name: &str) -> Option<&'a str> {
    let mut headers = request.headers().iter();
    let found = headers.find(|header| header.field.as_str().as_str().eq_ignore_ascii_case(name));
    found.map(|header| header.value.as_str())
}

/// The address of whoever is on the other side of the gate.
fn client(request: &tiny_http::Request) -> &str {
    header(request, CLIENT_HEADER).unwrap_or("the admin socket")
}

enum Answer {
    Json(Response),
    /// An answer to an extractor.
    Frame(Vec<u8>),
    Page(Page),
    /// The browser has the page with this tag.
    Unchanged(String),
    /// The program itself, and its length.
    Program(File, u64),
}

type Fields = Vec<(&'static str, String)>;

/// Status, header fields and body.
type Parts = (u16, Fields, Box<dyn Read + Send>, u64);

impl Answer {
    fn parts(self, has_tls: bool) -> Parts {
        let not_kept = ("Cache-Control", "no-store".to_owned());
        let kind = |kind: &str| ("Content-Type", kind.to_owned());
        let (status, fields, bytes) = match self {
            Self::Json(Response { status, body, cookie, retry_seconds }) => {
                let mut fields = vec![kind("application/json"), not_kept];
                fields.extend(cookie.map(|cookie| ("Set-Cookie", cookie_field(&cookie, has_tls))));
                fields.extend(retry_seconds.map(|seconds| ("Retry-After", seconds.to_string())));
                (status, fields, Cow::Owned(body.to_string().into_bytes()))
            }
            Self::Frame(bytes) => (200, vec![kind("application/octet-stream"), not_kept], Cow::Owned(bytes)),
            Self::Page(Page { content_type, entity_tag, bytes }) => {
                (200, [vec![kind(&content_type)], tagged(entity_tag)].concat(), bytes)
            }
            Self::Unchanged(entity_tag) => (304, tagged(entity_tag), Cow::Borrowed(&[][..])),
            Self::Program(file, bytes) => {
                let name = ("Content-Disposition", "attachment; filename=\"notesferry\"".to_owned());
                let fields = vec![kind("application/octet-stream"), not_kept, name];
                return (200, fields, Box::new(file.take(bytes)), bytes);
            }
        };
        let length = bytes.len() as u64;
        (status, fields, Box::new(io::Cursor::new(bytes)), length)
    }
}

/// A file of the page is asked for each time, so that a new release is seen at once.
fn tagged(entity_tag: String) -> Fields {
    vec![("ETag", entity_tag), ("Cache-Control", "no-cache".to_owned())]
}

/// RFC 6265 section 4.1: only for us, not for scripts, and over TLS where there is TLS.
fn cookie_field(cookie: &Cookie, has_tls: bool) -> String {
    let (value, ends) = match cookie {
        Cookie::Set(token) => (token.expose(), ""),
        Cookie::Clear => ("", "; Max-Age=0"),
    };
    let secure = if has_tls { "; Secure" } else { "" };
    format!("{SESSION_COOKIE}={value}; Path=/; HttpOnly; SameSite=Strict{secure}{ends}")
}

fn send(request: tiny_http::Request, answer: Answer, has_tls: bool) {
    let (status, fields, body, length) = answer.parts(has_tls);
    let fields = fields.iter().map(|(name, value)| (*name, value.as_str()));
    let fields = fields.chain(SECURITY_HEADERS.iter().copied());
    let headers = fields.filter_map(|(name, value)| tiny_http::Header::from_bytes(name, value).ok());
    // In one piece with its length: tiny_http holds small chunks back.
    let length = usize::try_from(length).ok();
    let response = tiny_http::Response::new(status.into(), headers.collect(), body, length, None)
        .with_chunked_threshold(usize::MAX);
    // Whoever asked went away: it asks again.
    let _ = request.respond(response);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::{Moment, Monotonic};
    use crate::server::api::ServerFacts;
    use crate::server::machine::MachineSettings;
    use std::io::Write as _;
    use std::os::unix::net::UnixStream;
    use tempfile::TempDir;

    struct Bench {
        _listener: Listener,
        machine: Arc<Machine>,
        folder: TempDir,
    }

    impl Drop for Bench {
        fn drop(&mut self) {
            self.machine.shut_down();
        }
    }

    impl Bench {
        fn new(door: Door) -> Self {
            let folder = tempfile::tempdir().unwrap();
            let machine = Machine::open(folder.path(), MachineSettings::default()).unwrap();
            let facts = ServerFacts {
                data_folder: folder.path().to_owned(),
                started_unix_ms: 1,
                address: "http://localhost:1".to_owned(),
                fingerprint: None,
            };
            let api =
                Api::new(Arc::clone(&machine), facts, || Moment { monotonic: Monotonic::ZERO, unix_ms: 1 })
                    .unwrap();
            let service = Service::new(&machine, api, Website::new(None));
            let listener = listen(&folder.path().join("sock"), door, &service).unwrap();
            Self { _listener: listener, machine, folder }
        }

        fn connect(&self) -> UnixStream {
            UnixStream::connect(self.folder.path().join("sock")).unwrap()
        }

        /// What comes back until the server closes.
        fn ask(&self, head: &str, body: &[u8]) -> String {
            let mut stream = self.connect();
            let length = body.len();
            write!(stream, "{head}\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n").unwrap();
            stream.write_all(body).unwrap();
            let mut answer = Vec::new();
            stream.read_to_end(&mut answer).unwrap();
            String::from_utf8_lossy(&answer).into_owned()
        }
    }

    #[test]
    fn the_owner_is_the_administrator() {
        let bench = Bench::new(Door::Admin);
        let answer = bench.ask("GET /api/v1/server HTTP/1.1", b"");
        assert!(answer.starts_with("HTTP/1.1 200 ") && answer.contains("protocol"), "{answer}");
        let mode = fs::metadata(bench.folder.path().join("sock")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn every_other_path_is_an_error_in_json() {
        let bench = Bench::new(Door::Admin);
        for head in [
            "GET /nothing HTTP/1.1",
            "POST / HTTP/1.1",
            "PUT /api/v1/server HTTP/1.1",
            "GET /extractor/v1/hello HTTP/1.1",
        ] {
            let answer = bench.ask(head, b"");
            assert!(answer.starts_with("HTTP/1.1 404 ") && answer.contains("not_found"), "{answer}");
        }
    }

    #[test]
    fn only_the_gate_comes_through_its_socket() {
        let bench = Bench::new(Door::Gate(Secret::new("s3cret")));
        let hello = "POST /extractor/v1/hello HTTP/1.1";
        for head in [hello.to_owned(), format!("{hello}\r\n{GATE_HEADER}: s3cre")] {
            assert!(bench.ask(&head, b"").starts_with("HTTP/1.1 401 "), "{head}");
        }
        let gate = format!("{hello}\r\n{GATE_HEADER}: s3cret");
        assert!(bench.ask(&gate, b"").starts_with("HTTP/1.1 200 "));
        let api = format!("GET /api/v1/server HTTP/1.1\r\n{GATE_HEADER}: s3cret");
        assert!(bench.ask(&api, b"").starts_with("HTTP/1.1 401 "), "a stranger behind the gate");
    }

    #[test]
    fn a_body_is_bounded_whatever_was_announced() {
        let bench = Bench::new(Door::Admin);
        let post = "POST /api/v1/connectors HTTP/1.1";
        let mut endless = bench.connect();
        write!(endless, "{post}\r\nContent-Length: 9223372036854775807\r\n\r\n").unwrap();
        // Closing makes tiny_http drop what it has of the request.
        drop(endless);
        let mut chunked = bench.connect();
        write!(chunked, "{post}\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n").unwrap();
        let chunk = vec![b' '; GATE_API_BODY_BYTES as usize + 1];
        write!(chunked, "{:x}\r\n", chunk.len()).unwrap();
        chunked.write_all(&chunk).unwrap();
        chunked.write_all(b"\r\n0\r\n\r\n").unwrap();
        let mut answer = String::new();
        chunked.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
        assert!(bench.ask("GET /api/v1/server HTTP/1.1", b"").starts_with("HTTP/1.1 200 "));
    }
}
