//! `extractors`: the machines that read, and the codes with which new ones enrol.

use super::request::{ApiError, Method, Request, Response};
use super::{Api, no_such_call, number};
use crate::base::ids::{ConnectorId, ExtractorId};
use crate::base::limits::{API_TEXT_BYTES, EXTRACTOR_SILENT_SECONDS};
use crate::protocol::calls::FoundMailbox;
use crate::server::communication::ExtractorView;
use crate::store::config::{Connector, Extractor, Mailbox};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::time::Duration;

const SEPARATORS: [char; 2] = ['/', '\\'];

/// What is written as it is in a name that a target is made of.
const USER: &AsciiSet = &NON_ALPHANUMERIC.remove(b'.').remove(b'_').remove(b'-');

pub fn answer(api: &Api, request: &Request, rest: &[&str]) -> Result<Response, ApiError> {
    match (request.method, rest) {
        (Method::Get, []) => {
            let views: Vec<Value> = api
                .machine
                .communication()
                .extractors()?
                .iter()
                .map(|view| extractor_json(api, view))
                .collect();
            Ok(Response::ok(json!({"extractors": views})))
        }
        (Method::Post, ["enrol-code"]) => enrol_code(api),
        (Method::Delete, [id]) => revoke(api, number("extractor", id)?),
        (Method::Get, [id, "found"]) => found(api, number("extractor", id)?, request),
        _ => Err(no_such_call(request)),
    }
}

/// A certificate that no authority vouches for is named in the code, so that the extractor trusts that one alone.
fn enrol_code(api: &Api) -> Result<Response, ApiError> {
    let secret = api.machine.communication().make_enrol_code()?;
    let code = match &api.facts.fingerprint {
        Some(fingerprint) => format!("{}.{fingerprint}", secret.expose()),
        None => secret.expose().to_owned(),
    };
    tracing::info!("an enrolment code was made");
    Ok(Response::created(json!({"code": code, "server": api.facts.address})))
}

fn revoke(api: &Api, id: ExtractorId) -> Result<Response, ApiError> {
    let _changes = api.one_at_a_time();
    let line = api.machine.store().line::<Extractor>(id)?;
    let line = line.ok_or_else(|| ApiError::not_found(format!("extractor {id}")))?;
    api.machine.store().put_lines(vec![Extractor { revoked: true, ..line }])?;
    api.machine.communication().tell_all();
    tracing::info!(extractor = id.0, "extractor revoked");
    Ok(Response::ok(json!({"id": id, "revoked": true})))
}

fn found(api: &Api, id: ExtractorId, request: &Request) -> Result<Response, ApiError> {
    let views = api.machine.communication().extractors()?;
    let view = views.iter().find(|view| view.line.id == id);
    let view = view.ok_or_else(|| ApiError::not_found(format!("extractor {id}")))?;
    let suggestions = Suggestions {
        connectors: api.machine.store().lines()?,
        mailboxes: api.machine.store().lines()?,
        extractor: id,
        pattern: request.parameter("target").filter(|pattern| pattern.len() <= API_TEXT_BYTES),
        users: users(&view.found),
    };
    let found: Vec<Value> = view.found.iter().map(|found| suggestions.found_json(found)).collect();
    Ok(Response::ok(json!({"found": found, "more": view.found_more})))
}

/// Whether it called lately.
pub fn is_alive(api: &Api, view: &ExtractorView) -> bool {
    let silent = Duration::from_secs(EXTRACTOR_SILENT_SECONDS);
    let heard = view.last_heard.map(|heard| api.accounts.now().monotonic.0.saturating_sub(heard.monotonic.0));
    !view.line.revoked && heard.is_some_and(|ago| ago < silent)
}

fn extractor_json(api: &Api, view: &ExtractorView) -> Value {
    let ExtractorView { line, last_heard, hello, restarted, found, found_more: _, migrators_at_work } = view;
    let hello = hello.as_ref();
    json!({
        "id": line.id,
        "host": line.host,
        "enrolled_unix_ms": line.enrolled_unix_ms,
        "revoked": line.revoked,
        "alive": is_alive(api, view),
        "heard_unix_ms": last_heard.map(|moment| moment.unix_ms),
        "program_version": hello.map(|hello| &hello.program_version),
        "source_roots": hello.map(|hello| &hello.source_roots),
        "free_slots": hello.map(|hello| hello.free_slots),
        "restarted_unix_ms": restarted.as_ref().map(|(moment, _)| moment.unix_ms),
        "restarted_because": restarted.as_ref().map(|(_, why)| why),
        "migrators": migrators_at_work,
        "found": found.len(),
    })
}

/// What found mailboxes may become.
struct Suggestions {
    connectors: Vec<Connector>,
    mailboxes: Vec<Mailbox>,
    extractor: ExtractorId,
    /// A TARGET with `{user}` in it.
    pattern: Option<String>,
    /// The user that the name of a file suggests, and how many files do.
    users: HashMap<String, usize>,
}

impl Suggestions {
    fn found_json(&self, found: &FoundMailbox) -> Value {
        let FoundMailbox { root, path, title, owner, bytes, in_use, unreadable } = found;
        let (connector, source) = self.place(root, path).unzip();
        let is_this =
            |line: &&Mailbox| Some(line.connector) == connector && Some(line.source.as_str()) == source;
        let is_book = |line: &&Mailbox| line.is_directory();
        let is_mailbox = |line: &&Mailbox| !line.is_directory();
        let user = self.user(path);
        let encoded = utf8_percent_encode(&user, USER).to_string();
        json!({
            "root": root, "path": path, "title": title, "owner": owner, "bytes": bytes, "in_use": in_use,
            "unreadable": unreadable,
            "mailbox": self.mailboxes.iter().filter(is_mailbox).find(is_this).map(|line| line.id),
            "is_directory": is_directory(path),
            "directory": self.mailboxes.iter().filter(is_book).find(is_this).map(|line| line.id),
            "suggested": {
                "connector": connector, "source": source, "user": user,
                "target": self.pattern.as_ref().map(|pattern| pattern.replace("{user}", &encoded)),
            },
        })
    }

    /// The connector that reaches a mailbox most directly, and what the mailbox is called in it.
    fn place<'a>(&self, root: &str, path: &'a str) -> Option<(ConnectorId, &'a str)> {
        let below = |line: &&Connector| -> Option<(ConnectorId, &'a str)> {
            // An extractor on another system has other separators.
            let folders = line.location.strip_prefix(root.trim_end_matches(SEPARATORS))?;
            if !folders.is_empty() && !folders.starts_with(SEPARATORS) {
                return None;
            }
            let folders = folders.replace('\\', "/");
            let folders = folders.trim_matches('/');
            let rest = path.strip_prefix(folders)?;
            let rest = if folders.is_empty() { rest } else { rest.strip_prefix('/')? };
            Some((line.id, rest))
        };
        let ours = self.connectors.iter().filter(|line| line.extractor == self.extractor);
        ours.filter_map(|line| below(&line)).min_by_key(|(_, rest)| rest.len())
    }

    /// By the name of the file, or by its whole path where several files have that name: two mailboxes never go to one
    /// target unseen.
    fn user(&self, path: &str) -> String {
        let user = file_user(path);
        match self.users.get(&user) {
            Some(2..) => without_suffix(path).to_lowercase().replace('/', "-"),
            _ => user,
        }
    }
}

/// Whether a file has the name that Domino and Notes give an address book.
fn is_directory(path: &str) -> bool {
    path.rsplit('/').next().is_some_and(|name| name.eq_ignore_ascii_case("names.nsf"))
}

fn users(found: &[FoundMailbox]) -> HashMap<String, usize> {
    let mut users = HashMap::new();
    found.iter().for_each(|found| *users.entry(file_user(&found.path)).or_default() += 1);
    users
}

fn file_user(path: &str) -> String {
    let name = path.rsplit('/').next().unwrap_or(path);
    without_suffix(name).to_lowercase()
}

fn without_suffix(path: &str) -> &str {
    path.rsplit_once('.').map_or(path, |(name, _)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str) -> FoundMailbox {
        FoundMailbox {
            root: "/notes".to_owned(),
            path: path.to_owned(),
            title: String::new(),
            owner: None,
            bytes: 1,
            in_use: None,
            unreadable: None,
        }
    }

    fn connector(id: u64, location: &str) -> Connector {
        Connector {
            id: id.into(),
            name: String::new(),
            kind: "nsf".to_owned(),
            location: location.to_owned(),
            extractor: ExtractorId(1),
            user: None,
            password: None,
        }
    }

    fn suggested(paths: &[&str], connectors: Vec<Connector>) -> Vec<Value> {
        let found: Vec<FoundMailbox> = paths.iter().map(|path| found(path)).collect();
        let suggestions = Suggestions {
            connectors,
            mailboxes: Vec::new(),
            extractor: ExtractorId(1),
            pattern: Some("imaps://{user}@mail.example.com".to_owned()),
            users: users(&found),
        };
        found.iter().map(|found| suggestions.found_json(found)["suggested"].take()).collect()
    }

    #[test]
    fn the_name_of_the_file_suggests_the_user_and_twins_stay_apart() {
        let users = |paths: &[&str]| -> Vec<Value> {
            suggested(paths, Vec::new()).iter().map(|line| line["target"].clone()).collect()
        };
        let expected = [
            "imaps://jdoe@mail.example.com",
            "imaps://mail-ann@mail.example.com",
            "imaps://archive-ann@mail.example.com",
            "imaps://a%40b%20c@mail.example.com",
        ];
        assert_eq!(users(&["mail/JDoe.nsf", "mail/ann.nsf", "archive/Ann.nsf", "a@b c.nsf"]), expected);
    }

    #[test]
    fn an_address_book_is_known_by_its_name_and_may_be_a_mailbox_too() {
        let line = |id: u64, target: &str| {
            Mailbox::whole(id.into(), ConnectorId(1), "Names.nsf".to_owned(), target.to_owned())
        };
        let suggestions = Suggestions {
            connectors: vec![connector(1, "/notes")],
            mailboxes: vec![line(4, "directory:HQ:Names.nsf"), line(5, "eml:/x")],
            extractor: ExtractorId(1),
            pattern: None,
            users: HashMap::new(),
        };
        let told = suggestions.found_json(&found("Names.nsf"));
        assert_eq!(
            [&told["is_directory"], &told["directory"], &told["mailbox"]],
            [&json!(true), &json!(4), &json!(5)]
        );
        assert_eq!(suggestions.found_json(&found("mynames.nsf"))["is_directory"], false);
    }

    #[test]
    fn the_nearest_connector_is_suggested() {
        let place = |path: &str| {
            let connectors = vec![
                connector(1, "/notes"),
                connector(2, "/notes/mail/"),
                connector(3, "/notes/ma"),
                connector(4, "/notesmail/a"),
            ];
            let line = &suggested(&[path], connectors)[0];
            (line["connector"].as_u64(), line["source"].as_str().map(str::to_owned))
        };
        assert_eq!(place("mail/a.nsf"), (Some(2), Some("a.nsf".to_owned())));
        assert_eq!(place("other/a.nsf"), (Some(1), Some("other/a.nsf".to_owned())));
        assert_eq!(suggested(&["a.nsf"], vec![connector(1, "/else")])[0]["connector"], Value::Null);
    }
}
