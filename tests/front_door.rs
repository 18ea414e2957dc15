//! The front door over HTTP, from behind the gate: who gets what, logging in and out, and the files of the page.

use notesferry::base::clock::{Moment, Monotonic};
use notesferry::base::limits::{LOG_IN_FAILURES, SESSION_IDLE_SECONDS};
use notesferry::base::secret::Secret;
use notesferry::server::api::{Api, ServerFacts};
use notesferry::server::gate::{CLIENT_HEADER, GATE_HEADER};
use notesferry::server::listener::{self, Door, Listener, Service};
use notesferry::server::machine::{Machine, MachineSettings};
use notesferry::server::website::{DOWNLOAD_PATH, Website};
use notesferry::store::config::{Extractor, Role};
use serde_json::{Value, json};
use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tempfile::TempDir;

const SECRET: &str = "s3cret";
const PASSWORD: &str = "correct horse";
const API: &str = "/api/v1/";

/// A server behind a gate that is not there, with a clock that only this test moves.
struct Bench {
    _listener: Listener,
    machine: Arc<Machine>,
    folder: TempDir,
    first_code: String,
    seconds: Arc<AtomicU64>,
}

impl Drop for Bench {
    fn drop(&mut self) {
        self.machine.shut_down();
    }
}

/// What came back.
struct Answer {
    status: u16,
    head: String,
    body: Vec<u8>,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    fn field(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }
}

/// Somebody who is logged in, or nobody.
#[derive(Clone, Default)]
struct Visitor {
    fields: Vec<String>,
}

impl Visitor {
    fn with(&self, field: impl Into<String>) -> Self {
        Self { fields: [self.fields.clone(), vec![field.into()]].concat() }
    }
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let machine = Machine::open(folder.path(), MachineSettings::default()).unwrap();
        let facts = ServerFacts {
            data_folder: folder.path().to_owned(),
            started_unix_ms: 1,
            address: "https://localhost:1".to_owned(),
            fingerprint: None,
        };
        let seconds = Arc::new(AtomicU64::new(0));
        let clock = {
            let seconds = Arc::clone(&seconds);
            move || {
                let monotonic = Monotonic(Duration::from_secs(seconds.load(Ordering::SeqCst)));
                Moment { monotonic, unix_ms: 1 }
            }
        };
        let api = Api::new(Arc::clone(&machine), facts, clock).unwrap();
        let first_code = api.first_code().unwrap().unwrap().expose().to_owned();
        let page = folder.path().join("page");
        fs::create_dir(&page).unwrap();
        fs::write(page.join("index.html"), "<p>Hello").unwrap();
        let service = Service::new(&machine, api, Website::new(Some(page)));
        let door = Door::Gate(Secret::new(SECRET));
        let _listener = listener::listen(&folder.path().join("sock"), door, &service).unwrap();
        Self { _listener, machine, folder, first_code, seconds }
    }

    /// With an administrator `ann`, who is logged in.
    fn started() -> (Self, Visitor) {
        let bench = Self::new();
        let ann = bench.first_start("ann").visitor();
        (bench, ann)
    }

    fn ask(&self, visitor: &Visitor, call: &str, body: &Value) -> Answer {
        let mut stream = UnixStream::connect(self.folder.path().join("sock")).unwrap();
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let mut head = format!("{call} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n");
        head += &format!("{GATE_HEADER}: {SECRET}\r\nContent-Length: {}\r\n", body.len());
        if !visitor.fields.iter().any(|field| field.starts_with(CLIENT_HEADER)) {
            head += &format!("{CLIENT_HEADER}: 192.0.2.1\r\n");
        }
        visitor.fields.iter().for_each(|field| head += &format!("{field}\r\n"));
        stream.write_all(format!("{head}\r\n{body}").as_bytes()).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        let end = answer.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
        let head = String::from_utf8(answer[..end].to_vec()).unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Answer { status, head, body: answer[end + 4..].to_vec() }
    }

    fn call(&self, visitor: &Visitor, call: &str, body: Value) -> Answer {
        let (method, path) = call.split_once(' ').unwrap();
        self.ask(visitor, &format!("{method} {API}{path}"), &body)
    }

    fn first_start(&self, name: &str) -> Answer {
        let body = json!({"code": self.first_code, "name": name, "password": PASSWORD});
        self.call(&Visitor::default(), "POST first-start", body)
    }

    fn log_in(&self, name: &str, password: &str) -> Answer {
        let body = json!({"name": name, "password": password});
        self.call(&Visitor::default(), "POST session", body)
    }

    fn add(&self, administrator: &Visitor, name: &str, role: &str) -> Visitor {
        let body = json!({"name": name, "role": role, "password": PASSWORD});
        assert_eq!(self.call(administrator, "POST users", body).status, 201);
        self.log_in(name, PASSWORD).visitor()
    }

    fn is_logged_in(&self, visitor: &Visitor) -> bool {
        !self.call(visitor, "GET session", Value::Null).json()["user"].is_null()
    }

    fn wait(&self, seconds: u64) {
        self.seconds.fetch_add(seconds, Ordering::SeqCst);
    }
}

impl Answer {
    /// Whoever was logged in by this answer.
    #[track_caller]
    fn visitor(&self) -> Visitor {
        assert_eq!(self.status, 200, "{:?}", String::from_utf8_lossy(&self.body));
        let cookie = self.field("Set-Cookie").unwrap().split(';').next().unwrap();
        let csrf = self.json()["csrf"].as_str().unwrap().to_owned();
        Visitor { fields: vec![format!("Cookie: other=1; {cookie}"), format!("X-CSRF-Token: {csrf}")] }
    }

    fn code(&self) -> (u16, String) {
        (self.status, self.json()["error"]["code"].as_str().unwrap_or_default().to_owned())
    }
}

fn is(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

/// Every call with the least role that it needs. The numbers belong to nothing, so nothing is changed.
const CALLS: &[(&str, Role)] = &[
    ("GET server", Role::Viewer),
    ("GET overview", Role::Viewer),
    ("GET changes", Role::Viewer),
    ("GET extractors", Role::Viewer),
    ("GET extractors/99/found", Role::Viewer),
    ("GET connectors", Role::Viewer),
    ("GET connectors/99", Role::Viewer),
    ("GET mailboxes", Role::Viewer),
    ("GET mailboxes/99", Role::Viewer),
    ("GET mailboxes/99/set-aside", Role::Viewer),
    ("GET mailboxes/99/findings", Role::Viewer),
    ("GET findings", Role::Viewer),
    ("GET passes", Role::Viewer),
    ("GET passes/99", Role::Viewer),
    ("GET directories", Role::Viewer),
    ("POST directories", Role::Operator),
    ("POST mailboxes", Role::Operator),
    ("POST mailboxes/99/test-target", Role::Operator),
    ("POST mailboxes/99/passes", Role::Operator),
    ("POST mailboxes/99/retry", Role::Operator),
    ("POST targets/test", Role::Operator),
    ("POST passes", Role::Operator),
    ("POST passes/99/stop", Role::Operator),
    ("POST stop-all", Role::Operator),
    ("POST extractors/enrol-code", Role::Administrator),
    ("DELETE extractors/99", Role::Administrator),
    ("POST connectors", Role::Administrator),
    ("PATCH connectors/99", Role::Administrator),
    ("DELETE connectors/99", Role::Administrator),
    ("PATCH mailboxes/99", Role::Administrator),
    ("DELETE mailboxes/99", Role::Administrator),
    ("DELETE directories/99", Role::Administrator),
    ("GET users", Role::Administrator),
    ("GET users/99", Role::Administrator),
    ("POST users", Role::Administrator),
    ("PATCH users/99", Role::Administrator),
    ("DELETE users/99", Role::Administrator),
    ("GET audit", Role::Administrator),
    // The last one, because it works.
    ("DELETE session", Role::Viewer),
];

#[test]
fn everybody_gets_what_the_role_allows_and_nothing_else() {
    let (bench, ann) = Bench::started();
    let roles = [
        (Role::Viewer, bench.add(&ann, "vic", "viewer")),
        (Role::Operator, bench.add(&ann, "olga", "operator")),
        (Role::Administrator, ann),
    ];
    let extractor = |id| Extractor {
        id,
        host: "notes".to_owned(),
        token_hash: *blake3::hash(b"token").as_bytes(),
        enrolled_unix_ms: 1,
        revoked: false,
    };
    bench.machine.store().add_line(extractor).unwrap();
    let nobody = [Visitor::default(), Visitor::default().with("Authorization: Bearer 1.token")];
    let head = format!("HEAD {DOWNLOAD_PATH}");
    assert_eq!(bench.ask(&nobody[0], &head, &Value::Null).status, 401);
    assert_eq!(bench.ask(&roles[0].1, &head, &Value::Null).status, 200);
    let hello = "POST /extractor/v1/hello";
    let refused = bench.ask(&nobody[0], hello, &Value::Null);
    assert_eq!(bench.ask(&roles[2].1, hello, &Value::Null).body, refused.body, "a user is no extractor");
    for (call, needed) in CALLS {
        let ask = |visitor: &Visitor| bench.call(visitor, call, Value::Null).code();
        for visitor in &nobody {
            assert_eq!(ask(visitor), is(401, "not_logged_in"), "{call}");
        }
        for (role, visitor) in &roles {
            if !call.starts_with("GET") {
                let cookie = Visitor { fields: vec![visitor.fields[0].clone()] };
                let wrong = cookie.with("X-CSRF-Token: wrong");
                let foreign = visitor.with("Sec-Fetch-Site: cross-site");
                let elsewhere = visitor.with("Origin: https://localhost:2");
                for forged in [cookie, wrong, foreign, elsewhere] {
                    assert_eq!(ask(&forged), is(403, "forbidden"), "{call} as {role:?}");
                }
            }
            let (status, code) = ask(visitor);
            let is_refused = status == 401 || status == 403;
            assert_eq!(is_refused, role < needed, "{call} as {role:?}: {status} {code}");
        }
    }
}

#[test]
fn the_first_administrator_is_made_once_and_with_the_code() {
    let bench = Bench::new();
    let nobody = Visitor::default();
    let shown = bench.call(&nobody, "GET session", Value::Null).json();
    assert_eq!((&shown["first_start"], &shown["user"]), (&json!(true), &Value::Null));
    let wrong = json!({"code": "AAAA-AAAA-AAAA-AAAA", "name": "ann", "password": PASSWORD});
    assert_eq!(bench.call(&nobody, "POST first-start", wrong).json()["error"]["field"], "code");
    let short = json!({"code": bench.first_code, "name": "ann", "password": "123456789"});
    assert_eq!(bench.call(&nobody, "POST first-start", short).json()["error"]["field"], "password");

    let started = bench.first_start("ann");
    let cookie = started.field("Set-Cookie").unwrap();
    for part in ["notesferry_session=", "HttpOnly", "SameSite=Strict", "Path=/", "Secure"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    let shown = started.json();
    assert_eq!(shown["user"], json!({"id": 1, "name": "ann", "role": "administrator"}));
    assert_eq!(shown["first_start"], false);
    assert_eq!(bench.first_start("eve").code(), is(409, "conflict"));
    let foreign = nobody.with("Sec-Fetch-Site: cross-site");
    let body = json!({"name": "ann", "password": PASSWORD});
    assert_eq!(bench.call(&foreign, "POST session", body).code(), is(403, "forbidden"));
}

#[test]
fn log_ins_that_fail_cost_a_pause() {
    let (bench, _) = Bench::started();
    for _ in 0..LOG_IN_FAILURES {
        assert_eq!(bench.log_in("ann", "wrong horse").code(), is(401, "log_in_refused"));
    }
    let paused = bench.log_in("ANN", PASSWORD);
    assert_eq!((paused.code(), paused.field("Retry-After")), (is(429, "too_often"), Some("1")));
    let elsewhere = Visitor::default().with(format!("{CLIENT_HEADER}: 192.0.2.2"));
    let body = json!({"name": "ann", "password": PASSWORD});
    assert_eq!(bench.call(&elsewhere, "POST session", body).status, 429, "the name, from elsewhere");
    assert_eq!(bench.log_in("bob", PASSWORD).status, 429, "another name, from there");
    bench.wait(1);
    assert_eq!(bench.log_in("ann", "wrong horse").status, 401);
    bench.wait(1);
    assert_eq!(bench.log_in("ann", PASSWORD).status, 429, "the pause has doubled");
    bench.wait(1);
    let ann = bench.log_in("Ann", PASSWORD).visitor();
    let lines = bench.call(&ann, "GET audit", Value::Null).json();
    let told: Vec<&str> =
        lines["audit"].as_array().unwrap().iter().map(|line| line["what"].as_str().unwrap()).collect();
    assert_eq!(told[..2], ["logged in", "log-in refused"]);
    assert!(!lines.to_string().contains("horse"), "{lines}");
}

#[test]
fn a_session_ends_by_log_out_by_idleness_and_by_a_new_password() {
    let (bench, ann) = Bench::started();
    let olga = bench.add(&ann, "olga", "operator");
    let out = bench.call(&olga, "DELETE session", Value::Null);
    assert!(out.field("Set-Cookie").unwrap().contains("Max-Age=0"));
    assert!(!bench.is_logged_in(&olga) && bench.is_logged_in(&ann));

    let [here, there] = [0, 1].map(|_| bench.log_in("olga", PASSWORD).visitor());
    let new = |old: &str| json!({"password": "a new password", "old_password": old});
    assert_eq!(bench.call(&here, "PATCH users/2", new("wrong")).json()["error"]["field"], "old_password");
    assert_eq!(bench.call(&here, "PATCH users/2", json!({"password": "a new password"})).status, 400);
    assert_eq!(bench.call(&here, "PATCH users/2", new(PASSWORD)).status, 200);
    assert!(bench.is_logged_in(&here) && !bench.is_logged_in(&there));
    assert_eq!(bench.log_in("olga", PASSWORD).status, 401);
    assert_eq!(bench.call(&here, "PATCH users/2", json!({"role": "administrator"})).status, 403);
    bench.call(&ann, "PATCH users/2", json!({"password": PASSWORD}));
    assert!(!bench.is_logged_in(&here), "a password that was given by another");

    bench.wait(SESSION_IDLE_SECONDS);
    assert!(!bench.is_logged_in(&ann));
    assert_eq!(bench.call(&ann, "GET server", Value::Null).code(), is(401, "not_logged_in"));
}

#[test]
fn a_role_counts_at_once_and_the_last_administrator_stays() {
    let (bench, ann) = Bench::started();
    let vic = bench.add(&ann, "vic", "viewer");
    assert_eq!(bench.call(&vic, "POST stop-all", Value::Null).status, 403);
    bench.call(&ann, "PATCH users/2", json!({"role": "operator", "name": "Victor"}));
    assert_eq!(bench.call(&vic, "POST stop-all", Value::Null).status, 200);
    for call in ["DELETE users/1", "PATCH users/1"] {
        let body = if call.starts_with("PATCH") { json!({"role": "viewer"}) } else { Value::Null };
        assert_eq!(bench.call(&ann, call, body).code(), is(409, "conflict"), "{call}");
    }
    let twin = json!({"name": "VICTOR", "role": "viewer", "password": PASSWORD});
    assert_eq!(bench.call(&ann, "POST users", twin).code(), is(409, "conflict"));
    assert_eq!(bench.call(&ann, "DELETE users/2", Value::Null).status, 200);
    assert!(!bench.is_logged_in(&vic));
    let users = bench.call(&ann, "GET users", Value::Null);
    assert!(!String::from_utf8_lossy(&users.body).contains("argon2"));
}

#[test]
fn a_page_is_sent_once_and_shown_in_no_other_page() {
    let bench = Bench::new();
    let nobody = Visitor::default();
    let page = bench.ask(&nobody, "GET /", &Value::Null);
    assert_eq!((page.status, page.body.as_slice()), (200, &b"<p>Hello"[..]));
    assert_eq!(page.field("Content-Type"), Some("text/html; charset=utf-8"));
    assert_eq!(page.field("Cache-Control"), Some("no-cache"));
    let policy = page.field("Content-Security-Policy").unwrap();
    assert!(
        policy.starts_with("default-src 'none'; ") && policy.contains("frame-ancestors 'none'"),
        "{policy}"
    );
    let again = nobody.with(format!("If-None-Match: {}", page.field("ETag").unwrap()));
    let again = bench.ask(&again, "GET /", &Value::Null);
    assert_eq!((again.status, again.body.len()), (304, 0));
    let call = bench.call(&nobody, "GET session", Value::Null);
    assert_eq!(
        (call.field("Cache-Control"), call.field("X-Content-Type-Options")),
        (Some("no-store"), Some("nosniff"))
    );
    assert_eq!(bench.ask(&nobody, "GET /nothing", &Value::Null).code(), is(404, "not_found"));
    assert_eq!(bench.ask(&nobody, "GET /../state.redb", &Value::Null).status, 404);
}
