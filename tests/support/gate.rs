//! A gate with tiny_http behind it, a client that says anything, and child processes for what a server may not survive.

use notesferry::base::secret::Secret;
use notesferry::server::gate::{
    CLIENT_HEADER, GATE_HEADER, Gate, GateEvent, GateLimits, GateSettings, Upstream,
};
use rustls::ServerConfig;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Barrier, Mutex};
use std::thread;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tiny_http::{Request, Response, Server};

/// No answer may take longer; far above the second that is promised, because test machines are busy.
pub const PATIENCE: Duration = Duration::from_secs(5);
/// When a test gives up.
pub const GIVE_UP: Duration = Duration::from_secs(60);
pub const SECRET: &str = "secret-of-this-start";
/// The role of a child process.
const ROLE: &str = "NOTESFERRY_GATE_CHILD";

/// What the server behind the gate shares with the test.
#[derive(Clone)]
pub struct Behind {
    /// `/held` is answered when this many requests for it are there at once.
    pub held: Arc<Barrier>,
    /// Requests for `/held` that came.
    came: Arc<AtomicUsize>,
    wants_secret: bool,
}

impl Behind {
    pub fn new(held: usize, wants_secret: bool) -> Self {
        Self { held: Arc::new(Barrier::new(held)), came: Arc::default(), wants_secret }
    }

    /// Waits until so many requests for `/held` are there.
    pub fn until_held(&self, count: usize) {
        let start = Instant::now();
        while self.came.load(Ordering::Relaxed) < count {
            assert!(start.elapsed() < GIVE_UP, "the requests do not arrive");
            thread::yield_now();
        }
    }

    /// Answers what comes, each request on a thread of its own, until the process ends.
    pub fn serve(&self, server: Server) {
        let behind = self.clone();
        thread::spawn(move || {
            while let Ok(request) = server.recv() {
                let behind = behind.clone();
                thread::spawn(move || behind.answer(request));
            }
        });
    }

    fn answer(&self, mut request: Request) {
        let value = |name: &'static str| {
            let header = request.headers().iter().find(|header| header.field.equiv(name));
            header.map(|header| header.value.to_string()).unwrap_or_default()
        };
        let client = value(CLIENT_HEADER);
        if self.wants_secret && value(GATE_HEADER) != SECRET {
            drop(request.respond(Response::from_string("not through the gate").with_status_code(403)));
            return;
        }
        let mut body = Vec::new();
        match request.url() {
            "/echo" | "/extractor/v1/echo" => drop(request.as_reader().read_to_end(&mut body)),
            "/client" => body = client.into_bytes(),
            "/fields" => {
                let names = request.headers().iter().map(|header| format!("{}\n", header.field));
                body = names.collect::<String>().into_bytes();
            }
            "/large" => body = vec![b'x'; 300_000],
            "/held" => {
                self.came.fetch_add(1, Ordering::Relaxed);
                self.held.wait();
            }
            _ => body = b"ok".to_vec(),
        }
        drop(request.respond(Response::from_data(body)));
    }
}

/// A gate that is served from behind, on a free port of loopback.
pub struct Stage {
    pub gate: Gate,
    pub address: SocketAddr,
    pub behind: Behind,
    pub events: Arc<Mutex<Vec<GateEvent>>>,
    _folder: TempDir,
}

impl Stage {
    pub fn new(limits: GateLimits) -> Self {
        Self::with(limits, None, 1)
    }

    /// Behind a proxy at this address.
    pub fn behind(proxy: IpAddr) -> Self {
        Self::start(GateLimits::default(), None, 1, &[proxy])
    }

    pub fn with(limits: GateLimits, tls: Option<Arc<ServerConfig>>, held: usize) -> Self {
        Self::start(limits, tls, held, &[])
    }

    fn start(
        limits: GateLimits,
        tls: Option<Arc<ServerConfig>>,
        held: usize,
        trusted_proxies: &[IpAddr],
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("http");
        let behind = Behind::new(held, true);
        behind.serve(Server::http_unix(&socket).unwrap());
        let (gate, events) = open(limits, tls, Upstream::Socket(socket), trusted_proxies);
        Self { address: gate.local_addr(), gate, behind, events, _folder: folder }
    }

    /// Somebody else is answered, and soon.
    #[track_caller]
    pub fn others_are_answered(&self) {
        let start = Instant::now();
        let answer = say(self.address, "GET /other HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        assert!(answer.starts_with("HTTP/1.1 200 ") && answer.ends_with("\r\n\r\nok"), "{answer}");
        assert!(start.elapsed() < PATIENCE, "others waited {:?}", start.elapsed());
    }

    /// A request gets this status, and others are answered before, while it lasts and after it.
    #[track_caller]
    pub fn refuses(&self, request: impl AsRef<[u8]>, status: u16) {
        let mut line = Line::open(self.address);
        // The gate may close before everything is said.
        let _ = line.stream.write_all(request.as_ref());
        self.others_are_answered();
        let answer = line.rest();
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "instead of {status}: {answer:?}");
        assert!(answer.contains("\"sentence\":"), "{answer}");
        self.others_are_answered();
    }
}

/// Opens a gate in front of `upstream`.
pub fn open(
    limits: GateLimits,
    tls: Option<Arc<ServerConfig>>,
    upstream: Upstream,
    trusted_proxies: &[IpAddr],
) -> (Gate, Arc<Mutex<Vec<GateEvent>>>) {
    let events: Arc<Mutex<Vec<GateEvent>>> = Arc::default();
    let listener = {
        let events = Arc::clone(&events);
        Box::new(move |event: &GateEvent| events.lock().unwrap().push(*event))
    };
    let listen = (Ipv4Addr::LOCALHOST, 0).into();
    let settings = GateSettings {
        listen,
        tls,
        limits,
        trusted_proxies: trusted_proxies.to_vec(),
        upstream,
        secret: Secret::new(SECRET),
        listener,
    };
    (notesferry::server::gate::open(settings).unwrap(), events)
}

/// A connection of a client that minds no rule.
pub struct Line {
    pub stream: TcpStream,
}

impl Line {
    pub fn open(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(GIVE_UP)).unwrap();
        stream.set_write_timeout(Some(GIVE_UP)).unwrap();
        Self { stream }
    }

    pub fn send(&mut self, text: &str) {
        self.stream.write_all(text.as_bytes()).unwrap();
    }

    /// Reads until `end` has come.
    pub fn until(&mut self, end: &str) -> String {
        let mut text = Vec::new();
        let mut byte = [0];
        while !text.ends_with(end.as_bytes()) && self.stream.read(&mut byte).unwrap() == 1 {
            text.push(byte[0]);
        }
        String::from_utf8(text).unwrap()
    }

    /// Everything until the other side closes, in whatever way.
    pub fn rest(&mut self) -> String {
        let mut text = Vec::new();
        let read = self.stream.read_to_end(&mut text);
        let gave_up = read.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock);
        assert!(!gave_up, "the connection was left open after {:?}", String::from_utf8_lossy(&text));
        String::from_utf8_lossy(&text).into_owned()
    }
}

/// Says something on a connection of its own and returns what comes until it is closed.
pub fn say(address: SocketAddr, text: &str) -> String {
    let mut line = Line::open(address);
    line.send(text);
    line.rest()
}

/// A server in a process of its own: this test binary again, with a role.
pub struct Process {
    pub child: Child,
    pub address: SocketAddr,
    output: Receiver<String>,
    /// Lines of the process that nobody has asked for yet.
    heard: Vec<String>,
}

impl Process {
    pub fn start(role: &str) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["gate::a_server_of_its_own", "--exact", "--nocapture"])
            .env(ROLE, role)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let (sender, output) = mpsc::channel();
        thread::spawn(move || lines.map_while(Result::ok).try_for_each(|line| sender.send(line)));
        let mut process = Self { child, address: (Ipv4Addr::LOCALHOST, 0).into(), output, heard: Vec::new() };
        process.address = process.says("listens ").parse().unwrap();
        process
    }

    /// Has it open every file that the system gives, or close them again.
    pub fn order(&mut self, order: &str) {
        writeln!(self.child.stdin.as_mut().unwrap(), "{order}").unwrap();
        self.says(order);
    }

    /// Waits for a line of the process that holds `mark`; what follows it there.
    pub fn says(&mut self, mark: &str) -> String {
        let told = |line: &String| Some(line.split_once(mark)?.1.to_owned());
        if let Some(at) = self.heard.iter().position(|line| line.contains(mark)) {
            return told(&self.heard.remove(at)).unwrap_or_default();
        }
        while let Ok(line) = self.output.recv_timeout(GIVE_UP) {
            if let Some(rest) = told(&line) {
                return rest;
            }
            self.heard.push(line);
        }
        panic!("the process ended or was silent without saying {mark:?}");
    }

    /// A figure of the process from the system, as `VmRSS` (KiB) or `Threads`.
    pub fn figure(&self, name: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with(name)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a child process does; nothing in the process of the tests. It ends with its standard input.
pub fn play_role() {
    let Ok(role) = std::env::var(ROLE) else { return };
    if role.ends_with("-few-files") {
        use rustix::process::{Resource, Rlimit, setrlimit};
        setrlimit(Resource::Nofile, Rlimit { current: Some(96), maximum: Some(96) }).unwrap();
    }
    let behind = Behind::new(1, false);
    if role.starts_with("bare") {
        let server = Server::http((Ipv4Addr::LOCALHOST, 0)).unwrap();
        println!("\nlistens {}", server.server_addr());
        behind.serve(server);
        obey();
    } else {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("http");
        behind.serve(Server::http_unix(&socket).unwrap());
        let settings = GateSettings {
            listen: (Ipv4Addr::LOCALHOST, 0).into(),
            tls: None,
            limits: GateLimits::default(),
            trusted_proxies: Vec::new(),
            upstream: Upstream::Socket(socket),
            secret: Secret::new(SECRET),
            listener: Box::new(|event| println!("\nevent {event}")),
        };
        let gate = notesferry::server::gate::open(settings).unwrap();
        println!("\nlistens {}", gate.local_addr());
        obey();
    }
}

/// Does what [`Process::order`] says until its end.
fn obey() {
    let mut files: Vec<File> = Vec::new();
    for order in io::stdin().lines().map_while(Result::ok) {
        match order.as_str() {
            "exhaust" => files.extend(std::iter::from_fn(|| File::open("/dev/null").ok())),
            _ => files.clear(),
        }
        println!("\n{order}: {} files are held", files.len());
    }
}
