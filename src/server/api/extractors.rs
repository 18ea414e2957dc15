//! `extractors`: the machines that read, and the codes with which new ones enrol.

use super::orders::{ExtractorView, FoundView};
use super::request::{ApiError, Method, Request, Response};
use super::{Api, no_such_call, number};
use crate::base::ids::ExtractorId;
use crate::store::config::Extractor;
use serde_json::{Value, json};

pub fn answer(api: &Api, request: &Request, rest: &[&str]) -> Result<Response, ApiError> {
    match (request.method, rest) {
        (Method::Get, []) => {
            let views: Vec<Value> = api.orders.extractors()?.iter().map(extractor_json).collect();
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
    let secret = api.orders.make_enrol_code()?;
    let code = match &api.facts.fingerprint {
        Some(fingerprint) => format!("{}.{fingerprint}", secret.expose()),
        None => secret.expose().to_owned(),
    };
    tracing::info!("an enrolment code was made");
    Ok(Response::created(json!({"code": code, "server": api.facts.address})))
}

fn revoke(api: &Api, id: ExtractorId) -> Result<Response, ApiError> {
    let _changes = api.one_at_a_time();
    let line = api.store.line::<Extractor>(id)?;
    let line = line.ok_or_else(|| ApiError::not_found(format!("extractor {id}")))?;
    api.store.put_lines(vec![Extractor { revoked: true, ..line }])?;
    api.orders.configuration_changed();
    tracing::info!(extractor = id.0, "extractor revoked");
    Ok(Response::ok(json!({"id": id, "revoked": true})))
}

fn found(api: &Api, id: ExtractorId) -> Result<Response, ApiError> {
    let views = api.orders.extractors()?;
    let view = views.iter().find(|view| view.line.id == id);
    let view = view.ok_or_else(|| ApiError::not_found(format!("extractor {id}")))?;
    let found: Vec<Value> = view.found.iter().map(found_json).collect();
    Ok(Response::ok(json!({"found": found})))
}

fn extractor_json(view: &ExtractorView) -> Value {
    json!({
        "id": view.line.id,
        "host": view.line.host,
        "enrolled_unix_ms": view.line.enrolled_unix_ms,
        "revoked": view.line.revoked,
        "heard_seconds_ago": view.heard_ago.map(|ago| ago.as_secs()),
        "program_version": view.program_version,
        "source_roots": view.source_roots,
        "restarted_because": view.restarted_because,
        "migrators": view.migrators,
        "found": view.found.len(),
    })
}

fn found_json(found: &FoundView) -> Value {
    let FoundView { root, path, title, owner, bytes, in_use, unreadable } = found;
    json!({
        "root": root, "path": path, "title": title, "owner": owner, "bytes": bytes, "in_use": in_use,
        "unreadable": unreadable,
    })
}
