//! Calls of the API, without HTTP.

use super::request::{Caller, Method, Remote, Request, Response};
use super::{Api, ServerFacts};
use crate::base::clock::{Moment, Monotonic};
use crate::base::ids::ExtractorId;
use crate::destinations::registry::Target;
use crate::model::item::{ItemKey, Origin};
use crate::model::loss::{Loss, LossKind, SetAside, SetAsideReason};
use crate::model::outcome::{Outcome, Tally};
use crate::notes::ids::{ReplicaId, Unid};
use crate::server::machine::{Machine, MachineSettings};
use crate::store::config::{Connector, Extractor, Mailbox, PassLine, PassState};
use crate::store::{Changes, Entry};
use serde_json::{Value, json};
use std::sync::Arc;
use tempfile::TempDir;

/// The clock of these tests stands.
fn now() -> Moment {
    Moment { monotonic: Monotonic::ZERO, unix_ms: 1 }
}

struct Bench {
    api: Api,
    machine: Arc<Machine>,
    folder: TempDir,
}

impl Drop for Bench {
    fn drop(&mut self) {
        self.machine.shut_down();
    }
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let machine = Machine::open(folder.path(), MachineSettings::default()).unwrap();
        let extractor = |id| Extractor {
            id,
            host: "notes".to_owned(),
            token_hash: [0; 32],
            enrolled_unix_ms: 1,
            revoked: false,
        };
        machine.store().add_line(extractor).unwrap();
        let facts = ServerFacts {
            data_folder: folder.path().to_owned(),
            started_unix_ms: 1,
            address: "https://localhost:1".to_owned(),
            fingerprint: Some("ab".repeat(32)),
        };
        let api = Api::new(Arc::clone(&machine), facts, now).unwrap();
        Self { api, machine, folder }
    }

    fn call(&self, call: &str, body: Value) -> (u16, Value) {
        let (method, path) = call.split_once(' ').unwrap();
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        let method = Method::from_name(method).unwrap();
        let (path, query) = (path.to_owned(), query.to_owned());
        let request = Request { method, path, query, body, caller: Caller::Owner };
        let Response { status, body, .. } = self.api.answer(&request);
        (status, body)
    }

    #[track_caller]
    fn ok(&self, call: &str, body: Value) -> Value {
        let (status, body) = self.call(call, body);
        assert!(status < 300, "{status}: {body}");
        body
    }

    /// The status, code and field of an error.
    #[track_caller]
    fn refused(&self, call: &str, body: Value) -> (u16, String, Option<String>) {
        let (status, body) = self.call(call, body);
        let text = |name: &str| body["error"][name].as_str().map(str::to_owned);
        assert!(text("sentence").unwrap().ends_with('.'), "{body}");
        (status, text("code").unwrap(), text("field"))
    }

    fn with_connector() -> Self {
        let bench = Self::new();
        bench.ok("POST connectors", json!({"name": "HQ", "location": "/srv/notes", "extractor": 1}));
        bench
    }

    fn directory(&self, name: &str) -> String {
        format!("maildir:{}", self.folder.path().join(name).display())
    }

    fn with_mailbox() -> Self {
        let bench = Self::with_connector();
        let target = bench.directory("jane");
        bench.ok("POST mailboxes", json!({"connector": 1, "source": "mail/jane.nsf", "target": target}));
        bench
    }
}

fn invalid(field: &str) -> (u16, String, Option<String>) {
    (400, "invalid".to_owned(), Some(field.to_owned()))
}

fn conflict() -> (u16, String, Option<String>) {
    (409, "conflict".to_owned(), None)
}

#[test]
fn a_stranger_gets_nothing() {
    let bench = Bench::new();
    for path in ["server", "passes", "nothing"] {
        let request = Request {
            method: Method::Get,
            path: path.to_owned(),
            query: String::new(),
            body: Vec::new(),
            caller: Caller::Remote(Remote::default()),
        };
        assert_eq!(bench.api.answer(&request).status, 401);
    }
}

#[test]
fn what_is_no_call_is_not_found() {
    let bench = Bench::with_mailbox();
    for call in
        ["GET nothing", "GET server/more", "DELETE server", "GET mailboxes/x", "GET mailboxes/7", "GET "]
    {
        assert_eq!(bench.refused(call, Value::Null), (404, "not_found".to_owned(), None), "{call}");
    }
}

#[test]
fn the_server_says_what_it_is() {
    let info = Bench::with_mailbox().ok("GET server", Value::Null);
    assert_eq!((&info["version"], &info["mailboxes"]), (&json!(env!("CARGO_PKG_VERSION")), &json!(1)));
}

#[test]
fn a_connector_is_created_changed_and_deleted() {
    let bench = Bench::with_connector();
    let line = bench.ok("GET connectors/1", Value::Null);
    let expected = json!({
        "id": 1, "name": "HQ", "kind": "nsf", "location": "/srv/notes", "extractor": 1, "user": null,
        "has_password": false,
    });
    assert_eq!(line, expected);
    bench.ok("PATCH connectors/1", json!({"name": " Office ", "user": "jane", "password": "hunter2"}));
    let line = &bench.ok("GET connectors", Value::Null)["connectors"][0];
    let facts = ["name", "location", "user", "has_password"].map(|name| line[name].clone());
    assert_eq!(json!(facts), json!(["Office", "/srv/notes", "jane", true]));
    let stored = bench.machine.store().line::<Connector>(1.into()).unwrap().unwrap();
    assert_eq!(bench.machine.seal_key().open_secret(&stored.password.unwrap()).unwrap().expose(), "hunter2");
    bench.ok("PATCH connectors/1", json!({"user": "", "password": ""}));
    let line = bench.ok("GET connectors/1", Value::Null);
    assert_eq!((&line["user"], &line["has_password"]), (&Value::Null, &json!(false)));
    bench.ok("DELETE connectors/1", Value::Null);
    assert_eq!(bench.ok("GET connectors", Value::Null), json!({"connectors": []}));
}

#[test]
fn a_connector_with_wrong_input_is_refused_with_the_field() {
    let bench = Bench::with_connector();
    let with = |name: &str, value: Value| {
        let mut body = json!({"name": "B", "location": "/b", "extractor": 1});
        body[name] = value;
        bench.refused("POST connectors", body)
    };
    for (name, value) in [
        ("name", json!("")),
        ("name", json!("a:b")),
        ("name", json!("x".repeat(201))),
        ("name", json!("a\nb")),
        ("name", Value::Null),
        ("location", json!("")),
        ("location", json!("x".repeat(5000))),
        ("location", json!(7)),
        ("kind", json!("imap")),
        ("extractor", json!(9)),
        ("extractor", json!("1")),
        ("extractor", json!(-1)),
        ("password", json!(1)),
        ("colour", json!("red")),
    ] {
        assert_eq!(with(name, value.clone()), invalid(name), "{name}: {value}");
    }
    assert_eq!(with("name", json!("HQ")), conflict());
    for body in [json!([]), json!("x")] {
        assert_eq!(bench.refused("POST connectors", body).1, "malformed");
    }
    assert_eq!(bench.machine.store().lines::<Connector>().unwrap().len(), 1);
}

#[test]
fn a_connector_in_use_stays() {
    let bench = Bench::with_mailbox();
    assert_eq!(bench.refused("DELETE connectors/1", Value::Null), conflict());
    bench.ok("DELETE mailboxes/1", Value::Null);
    bench.ok("DELETE connectors/1", Value::Null);
}

#[test]
fn a_revoked_extractor_stays_listed_and_takes_no_connector() {
    let bench = Bench::with_connector();
    bench.ok("DELETE extractors/1", Value::Null);
    assert!(bench.machine.store().line::<Extractor>(ExtractorId(1)).unwrap().unwrap().revoked);
    let body = json!({"name": "B", "location": "/b", "extractor": 1});
    assert_eq!(bench.refused("POST connectors", body), invalid("extractor"));
    assert_eq!(bench.refused("DELETE extractors/2", Value::Null).0, 404);
}

#[test]
fn an_enrol_code_names_the_certificate() {
    let code = Bench::new().ok("POST extractors/enrol-code", Value::Null);
    let code = code["code"].as_str().unwrap();
    assert!(code.ends_with(&format!(".{}", "ab".repeat(32))), "{code}");
}

#[test]
fn a_mailbox_with_wrong_input_is_refused_with_the_field() {
    let bench = Bench::with_mailbox();
    let with = |name: &str, value: Value| {
        let mut body = json!({"connector": 1, "source": "b.nsf", "target": bench.directory("b")});
        body[name] = value;
        bench.refused("POST mailboxes", body)
    };
    for (name, value) in [
        ("connector", json!(2)),
        ("source", json!("/etc/passwd")),
        ("source", json!("a/../b")),
        ("target", json!("maildir:relative")),
        ("target", json!("smtp://example.com")),
        ("target", json!("nonsense")),
        ("target", json!("imaps://jane:hunter2@example.com")),
        ("target", Value::Null),
        ("password", json!("for a folder")),
        ("all_documents", json!("yes")),
        ("colour", json!("red")),
    ] {
        assert_eq!(with(name, value.clone()), invalid(name), "{name}: {value}");
    }
    let twin = json!({"connector": 1, "source": "mail/jane.nsf", "target": bench.directory("./jane")});
    assert_eq!(bench.refused("POST mailboxes", twin), conflict());
    assert_eq!(bench.machine.store().lines::<Mailbox>().unwrap().len(), 1);
}

#[test]
fn a_password_is_sealed_and_never_shown() {
    let bench = Bench::with_connector();
    let mut body = json!({"connector": 1, "source": "a.nsf", "target": "imaps://jane@mail.example.com"});
    assert_eq!(bench.refused("POST mailboxes", body.clone()), invalid("password"));
    body["password"] = json!("hunter2");
    let answers = [
        bench.ok("POST mailboxes", body),
        bench.ok("GET mailboxes", Value::Null),
        bench.ok("GET mailboxes/1", Value::Null),
        bench.ok("PATCH mailboxes/1", json!({"all_documents": true})),
    ];
    for answer in answers {
        let text = answer.to_string();
        assert!(text.contains(r#""has_password":true"#) && !text.contains("hunter2"), "{text}");
    }
    let (_, error) = bench.call("POST mailboxes", json!(["hunter2"]));
    assert!(!error.to_string().contains("hunter2"), "{error}");
    let stored = || bench.machine.store().line::<Mailbox>(1.into()).unwrap().unwrap();
    let sealed = stored().target_password.unwrap();
    assert_eq!(bench.machine.seal_key().open_secret(&sealed).unwrap().expose(), "hunter2");

    let elsewhere = json!({"target": "imaps://jane@mail.example.org"});
    assert_eq!(bench.refused("PATCH mailboxes/1", elsewhere), invalid("password"));
    bench.ok("PATCH mailboxes/1", json!({"target": bench.directory("jane")}));
    assert_eq!(stored().target_password, None);
}

#[test]
fn a_target_is_tested_by_opening_it() {
    let bench = Bench::with_mailbox();
    let works = bench.ok("POST mailboxes/1/test-target", Value::Null);
    assert_eq!((&works["works"], &works["code"]), (&json!(true), &json!("works")));
    // Nobody listens on a port that was just given back.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let target = format!("imap://jane@127.0.0.1:{port}");
    bench.ok("PATCH mailboxes/1", json!({"target": target, "password": "hunter2"}));
    let fails = bench.ok("POST mailboxes/1/test-target", Value::Null);
    assert_eq!((&fails["works"], &fails["code"]), (&json!(false), &json!("unreachable")));
    assert!(!fails.to_string().contains("hunter2"), "{fails}");
}

#[test]
fn passes_are_started_listed_and_stopped() {
    let bench = Bench::with_mailbox();
    assert_eq!(bench.refused("POST passes", json!({"mailbox": 2})).0, 404);
    assert_eq!(bench.refused("POST passes", json!({})), invalid("mailbox"));
    let before = bench.ok("GET passes", Value::Null)["mark"].as_u64().unwrap();
    assert_eq!(bench.ok("POST passes", json!({"mailbox": 1})), json!({"id": 1}));
    let listed = bench.ok(&format!("GET passes?after={before}"), Value::Null);
    assert!(listed["mark"].as_u64() > Some(before), "{listed}");
    let pass = &listed["passes"][0];
    assert_eq!((&pass["mailbox"], &pass["tally"]["found"]), (&json!(1), &json!(0)));
    assert!(["queued", "running"].map(Value::from).contains(&pass["state"]), "{pass}");

    assert_eq!(bench.refused("POST passes", json!({"mailbox": 1})), conflict());
    assert_eq!(bench.refused("PATCH mailboxes/1", json!({"all_documents": true})), conflict());
    assert_eq!(bench.refused("DELETE mailboxes/1", Value::Null), conflict());

    bench.ok("POST passes/1/stop", Value::Null);
    let mut mark = 0;
    while bench.ok("GET passes/1", Value::Null)["state"] != "stopped" {
        mark = bench.ok(&format!("GET passes?after={mark}"), Value::Null)["mark"].as_u64().unwrap();
    }
    assert_eq!(bench.refused("POST passes/2/stop", Value::Null).0, 404);
    bench.ok("DELETE mailboxes/1", Value::Null);
}

#[test]
fn a_poll_is_held_until_something_changes() {
    let bench = Bench::with_mailbox();
    let mark = bench.ok("GET passes", Value::Null)["mark"].as_u64().unwrap();
    let call = format!("GET passes?after={mark}");
    std::thread::scope(|scope| {
        let held = scope.spawn(|| bench.ok(&call, Value::Null));
        bench.ok("POST passes", json!({"mailbox": 1}));
        assert_eq!(held.join().unwrap()["passes"][0]["id"], 1);
    });
    assert_eq!(bench.refused("GET passes?after=x", Value::Null), invalid("after"));
    bench.machine.shut_down();
    let mark = bench.ok("GET passes", Value::Null)["mark"].as_u64().unwrap();
    assert_eq!(bench.ok(&format!("GET passes?after={mark}"), Value::Null)["mark"], mark);
}

#[test]
fn documents_that_were_set_aside_are_listed_in_pages() {
    let bench = Bench::with_mailbox();
    let mailbox = Target::parse(&bench.directory("jane")).unwrap().mailbox();
    let origin = |unid: u8| Origin::Notes { replica: ReplicaId(1), unid: Unid([unid; 16]) };
    let entries = (1..=6).map(|unid| {
        let refused = SetAside::new(SetAsideReason::Refused, format!("no {unid}"));
        let outcome = if unid % 2 == 0 { Outcome::Delivered } else { Outcome::SetAside(refused) };
        let key = ItemKey { mailbox: mailbox.clone(), origin: origin(unid) };
        (key, Entry { outcome, ..Entry::unfinished(unid.into()) })
    });
    let changes = Changes { entries: entries.collect(), ..Changes::default() };
    bench.machine.store().commit(&mailbox, changes).unwrap();
    let first = bench.ok("GET mailboxes/1/set-aside?limit=2", Value::Null);
    let details = |page: &Value| {
        page["set_aside"].as_array().unwrap().iter().map(|item| item["detail"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(details(&first), ["no 1", "no 3"]);
    assert_eq!(first["set_aside"][0]["reason"], "refused");
    let next = first["next"].as_str().unwrap();
    let second = bench.ok(&format!("GET mailboxes/1/set-aside?limit=2&after={next}"), Value::Null);
    assert_eq!((details(&second), &second["next"]), (vec![json!("no 5")], &Value::Null));
    assert_eq!(bench.refused("GET mailboxes/2/set-aside", Value::Null).0, 404);
}

/// Two lines with a loss and two that were set aside.
fn with_findings() -> Bench {
    let bench = Bench::with_mailbox();
    let mailbox = Target::parse(&bench.directory("jane")).unwrap().mailbox();
    let lost = || vec![Loss::new(LossKind::ConstructDropped, "button")];
    let aside = |reason, detail: &str| Outcome::SetAside(SetAside::new(reason, detail));
    let outcomes = [
        (Outcome::Delivered, lost()),
        (Outcome::Delivered, lost()),
        (aside(SetAsideReason::Refused, "no"), Vec::new()),
        (aside(SetAsideReason::TooLarge, "7 bytes"), Vec::new()),
    ];
    let entry = |(number, (outcome, losses)): (u8, (Outcome, Vec<Loss>))| {
        let origin = Origin::Notes { replica: ReplicaId(1), unid: Unid([number; 16]) };
        let key = ItemKey { mailbox: mailbox.clone(), origin };
        (key, Entry { outcome, losses, ..Entry::unfinished(1) })
    };
    let changes = Changes { entries: (1..).zip(outcomes).map(entry).collect(), ..Changes::default() };
    bench.machine.store().commit(&mailbox, changes).unwrap();
    bench
}

#[test]
fn findings_are_added_up_with_details() {
    let bench = with_findings();
    bench.ok("POST mailboxes", json!({"connector": 1, "source": "b.nsf", "target": bench.directory("jane")}));
    let of_one = bench.ok("GET mailboxes/1/findings", Value::Null);
    let loss = &of_one["losses"][0];
    assert_eq!((&loss["kind"], &loss["documents"]), (&json!("construct dropped"), &json!(2)));
    assert_eq!(loss["most_often"][0]["detail"], "button");
    assert_eq!(loss["most_often"][0]["documents"], 2);
    let reasons: Vec<&str> = of_one["set_aside"]
        .as_array()
        .unwrap()
        .iter()
        .map(|group| group["reason"].as_str().unwrap())
        .collect();
    assert_eq!(reasons, ["too large", "refused"]);
    assert!(of_one["set_aside"][0]["advice"].as_str().unwrap().contains("try again"));
    assert_eq!(bench.ok("GET findings", Value::Null), of_one, "two databases of one target count once");
    assert_eq!(bench.refused("GET mailboxes/9/findings", Value::Null).0, 404);
    let refused = bench.ok("GET mailboxes/1/set-aside?reason=refused", Value::Null);
    assert_eq!(
        (refused["set_aside"].as_array().unwrap().len(), &refused["set_aside"][0]["detail"]),
        (1, &json!("no"))
    );
    assert_eq!(bench.refused("GET mailboxes/1/set-aside?reason=x", Value::Null), invalid("reason"));
}

#[test]
fn a_retry_names_one_document_or_one_reason() {
    let bench = with_findings();
    let key = bench.ok("GET mailboxes/1/set-aside", Value::Null)["set_aside"][0]["key"].clone();
    for (field, body) in [
        ("item", json!({"item": "notes.x"})),
        ("reason", json!({"reason": "bad weather"})),
        ("item", json!({"item": 1})),
        ("items", json!({"items": [key]})),
    ] {
        assert_eq!(bench.refused("POST mailboxes/1/retry", body), invalid(field));
    }
    for body in [json!({}), json!({"item": key, "reason": "refused"})] {
        assert_eq!(bench.refused("POST mailboxes/1/retry", body).1, "malformed");
    }
    assert_eq!(bench.refused("POST mailboxes/9/retry", json!({"item": key})).0, 404);
    assert_eq!(bench.ok("POST mailboxes/1/retry", json!({"item": key})), json!({"id": 1}));
    assert_eq!(bench.ok("GET passes/1", Value::Null)["retry"], true);
    assert_eq!(bench.refused("POST mailboxes/1/retry", json!({"reason": "refused"})), conflict());
}

#[test]
fn a_retry_after_a_trial_is_a_trial() {
    let bench = with_findings();
    let end = |id: u64| {
        bench.ok(&format!("POST passes/{id}/stop"), Value::Null);
        let mut mark = 0;
        while bench.ok(&format!("GET passes/{id}"), Value::Null)["state"] != "stopped" {
            mark = bench.ok(&format!("GET passes?after={mark}"), Value::Null)["mark"].as_u64().unwrap();
        }
    };
    bench.ok("POST passes", json!({"mailbox": 1, "limit": 10}));
    end(1);
    bench.ok("POST mailboxes/1/retry", json!({"reason": "refused"}));
    assert_eq!(bench.ok("GET passes/2", Value::Null)["limit"], 10);
}

#[test]
fn the_overview_adds_the_last_passes_up() {
    let bench = Bench::with_mailbox();
    bench.ok("POST mailboxes", json!({"connector": 1, "source": "b.nsf", "target": bench.directory("b")}));
    let pass = |mailbox: u64, limit, state: PassState| {
        let tally = Tally { found: 10, delivered: 9, set_aside: 1, ..Tally::default() };
        let line = move |id| PassLine {
            state: state.clone(),
            tally: tally.into(),
            limit,
            ..PassLine::queued(id, mailbox.into(), 1)
        };
        bench.machine.store().add_line(line).unwrap();
    };
    let empty = bench.ok("GET overview", Value::Null);
    assert_eq!((&empty["mailboxes"]["not_started"], &empty["tally"]["found"]), (&json!(2), &json!(0)));
    pass(1, None, PassState::Stopped);
    pass(1, Some(10), PassState::Finished);
    pass(2, None, PassState::Waiting { until_unix_ms: 77, failures: 1, why: "no line".to_owned() });
    let overview = bench.ok("GET overview", Value::Null);
    let mailboxes = &overview["mailboxes"];
    assert_eq!(
        ["total", "finished", "trial", "waiting", "stopped"].map(|name| mailboxes[name].as_u64().unwrap()),
        [2, 1, 1, 1, 0]
    );
    assert_eq!((&overview["tally"]["found"], &overview["tally"]["set_aside"]), (&json!(20), &json!(2)));
    assert_eq!(overview["next_try_unix_ms"], 77);
    assert_eq!(overview["extractors"], json!({"total": 1, "alive": 0}));
    let codes: Vec<&str> =
        overview["attention"].as_array().unwrap().iter().map(|line| line["code"].as_str().unwrap()).collect();
    assert_eq!(codes, ["extractor_silent", "set_aside", "waiting", "set_aside"]);
    pass(2, None, PassState::Waiting { until_unix_ms: 78, failures: 3, why: "no line".to_owned() });
    let attention = &bench.ok("GET overview", Value::Null)["attention"];
    assert_eq!(attention[2]["sentence"], "HQ:b.nsf failed 3 times: no line.");
    let last = &bench.ok("GET mailboxes", Value::Null)["mailboxes"][0]["last_pass"];
    assert_eq!((&last["id"], &last["limit"]), (&json!(2), &json!(10)));
}

#[test]
fn several_passes_start_together_and_stop_together() {
    let bench = Bench::with_mailbox();
    bench.ok("POST mailboxes", json!({"connector": 1, "source": "b.nsf", "target": bench.directory("b")}));
    let started = bench.ok("POST passes", json!({"mailboxes": [1, 2, 3], "limit": 10}));
    assert_eq!(started["started"], json!([{"mailbox": 1, "id": 1}, {"mailbox": 2, "id": 2}]));
    assert_eq!(started["refused"][0]["sentence"], "There is no mailbox 3.");
    assert_eq!(bench.ok("GET passes/2", Value::Null)["limit"], 10);
    assert_eq!(bench.refused("POST mailboxes/1/passes", Value::Null), conflict());
    for (name, body) in [
        ("mailboxes", json!({"mailboxes": ["1"]})),
        ("mailboxes", json!({"mailboxes": 1})),
        ("limit", json!({"mailbox": 1, "limit": 0})),
    ] {
        assert_eq!(bench.refused("POST passes", body), invalid(name));
    }
    assert_eq!(bench.ok("POST stop-all", Value::Null), json!({"stopped": [1, 2]}));
}

#[test]
fn every_change_is_in_the_audit_log_without_passwords() {
    let bench = Bench::with_connector();
    let body = json!({"connector": 1, "source": "a.nsf", "target": "imaps://jane@mail.example.com", "password": "hunter2"});
    bench.ok("POST mailboxes", body);
    bench.ok("PATCH mailboxes/1", json!({"password": "hunter3"}));
    bench.refused("POST mailboxes", json!({}));
    let lines = bench.ok("GET audit?limit=2", Value::Null);
    let line = |number: usize| ["who", "what", "on"].map(|name| lines["audit"][number][name].clone());
    assert_eq!(json!(line(0)), json!(["command line", "mailbox changed", "mailbox 1"]));
    assert_eq!(json!(line(1)), json!(["command line", "mailbox added", "mailbox 1"]));
    assert!(!lines.to_string().contains("hunter"), "{lines}");
    let older = bench.ok(&format!("GET audit?limit=2&after={}", lines["next"]), Value::Null);
    assert_eq!((&older["audit"][0]["what"], &older["next"]), (&json!("connector added"), &Value::Null));
}

#[test]
fn a_target_is_tested_before_there_is_a_mailbox() {
    let bench = Bench::new();
    let target = bench.directory("new");
    assert_eq!(bench.ok("POST targets/test", json!({"target": target}))["works"], true);
    let without = json!({"target": "imaps://jane@mail.example.com"});
    assert_eq!(bench.refused("POST targets/test", without), invalid("password"));
}
