//! `extractors`: the machines that read, and the codes with which new ones enrol.

use super::request::{ApiError, Method, Request, Response};
use super::{Api, no_such_call, number};
use crate::base::ids::ExtractorId;
use crate::protocol::calls::FoundMailbox;
use crate::server::communication::ExtractorView;
use crate::store::config::Extractor;
use serde_json::{Value, json};

pub fn answer(api: &Api, request: &Request, rest: &[&str]) -> Result<Response, ApiError> {
    match (request.method, rest) {
        (Method::Get, []) => {
            let views: Vec<Value> =
                api.machine.communication().extractors()?.iter().map(extractor_json).collect();
            Ok(Response::ok(json!({"extractors": views})))
        }
        (Method::Post, ["enrol-code"]) => enrol_code(api),
        (Method::Delete, [id]) => revoke(api, number("extractor", id)?),
        (Method::Get, [id, "found"]) => found(api, number("extractor", id)?),
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

fn found(api: &Api, id: ExtractorId) -> Result<Response, ApiError> {
    let views = api.machine.communication().extractors()?;
    let view = views.iter().find(|view| view.line.id == id);
    let view = view.ok_or_else(|| ApiError::not_found(format!("extractor {id}")))?;
    let found: Vec<Value> = view.found.iter().map(found_json).collect();
    Ok(Response::ok(json!({"found": found, "more": view.found_more})))
}

fn extractor_json(view: &ExtractorView) -> Value {
    let ExtractorView { line, last_heard, hello, restarted, found, found_more: _, migrators_at_work } = view;
    let hello = hello.as_ref();
    json!({
        "id": line.id,
        "host": line.host,
        "enrolled_unix_ms": line.enrolled_unix_ms,
        "revoked": line.revoked,
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

fn found_json(found: &FoundMailbox) -> Value {
    let FoundMailbox { root, path, title, owner, bytes, in_use, unreadable } = found;
    json!({
        "root": root, "path": path, "title": title, "owner": owner, "bytes": bytes, "in_use": in_use,
        "unreadable": unreadable,
    })
}
