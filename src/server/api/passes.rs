//! `passes`: carrying a mailbox, once or again.

use super::fields::Fields;
use super::request::{ApiError, Method, Request, Response};
use super::{Api, no_such_call, number};
use crate::base::ids::{MailboxNumber, MigrationId};
use crate::base::limits::NOTIFY_SECONDS;
use crate::model::outcome::Tally;
use crate::store::config::{PassLine, PassState};
use serde_json::{Value, json};
use std::time::Duration;

pub fn answer(api: &Api, request: &Request, rest: &[&str]) -> Result<Response, ApiError> {
    match (request.method, rest) {
        (Method::Get, []) => list(api, request),
        (Method::Post, []) => start(api, Fields::read(&request.body)?),
        (Method::Get, [id]) => Ok(Response::ok(pass_json(&pass(api, number("pass", id)?)?))),
        (Method::Post, [id, "stop"]) => stop(api, number("pass", id)?),
        _ => Err(no_such_call(request)),
    }
}

/// The mark is taken before the look, so a change in between is told by the next call.
fn list(api: &Api, request: &Request) -> Result<Response, ApiError> {
    let mark = match request.number("after")? {
        Some(after) => api.machine.wait_for_change(after, Duration::from_secs(NOTIFY_SECONDS)),
        None => api.machine.wait_for_change(0, Duration::ZERO),
    };
    let passes: Vec<Value> = api.machine.passes()?.iter().map(pass_json).collect();
    Ok(Response::ok(json!({"mark": mark, "passes": passes})))
}

fn start(api: &Api, mut fields: Fields) -> Result<Response, ApiError> {
    // Not while a mailbox is being changed or deleted.
    let _changes = api.one_at_a_time();
    let mailbox: MailboxNumber = fields.needed_number("mailbox")?.into();
    fields.finish()?;
    let id = api.machine.start_pass(mailbox)?;
    tracing::info!(mailbox = mailbox.0, pass = id.0, "pass started");
    Ok(Response::created(json!({"id": id})))
}

fn stop(api: &Api, id: MigrationId) -> Result<Response, ApiError> {
    api.machine.stop_pass(id)?;
    tracing::info!(pass = id.0, "pass stopped");
    Ok(Response::ok(json!({"id": id})))
}

fn pass(api: &Api, id: MigrationId) -> Result<PassLine, ApiError> {
    let found = api.machine.passes()?.into_iter().find(|pass| pass.id == id);
    found.ok_or_else(|| ApiError::not_found(format!("pass {id}")))
}

/// Whether a pass is neither finished nor stopped.
pub fn is_open(state: &PassState) -> bool {
    match state {
        PassState::Queued | PassState::Running | PassState::Waiting { .. } => true,
        PassState::Finished | PassState::Stopped => false,
    }
}

fn pass_json(pass: &PassLine) -> Value {
    let PassLine { id, mailbox, state, started_unix_ms, changed_unix_ms, tally, not_final } = pass;
    let (state, waits) = state_json(state);
    let Tally { found, delivered, already_there, filtered_out, set_aside, removed_by_user, still_to_do } =
        (*tally).into();
    json!({
        "id": id, "mailbox": mailbox, "state": state, "waits": waits, "started_unix_ms": started_unix_ms,
        "changed_unix_ms": changed_unix_ms, "not_final": not_final,
        "tally": {
            "found": found, "delivered": delivered, "already_there": already_there, "filtered_out": filtered_out,
            "set_aside": set_aside, "removed_by_user": removed_by_user, "still_to_do": still_to_do,
        },
    })
}

fn state_json(state: &PassState) -> (&'static str, Option<Value>) {
    match state {
        PassState::Queued => ("queued", None),
        PassState::Running => ("running", None),
        PassState::Waiting { until_unix_ms, failures, why } => {
            ("waiting", Some(json!({"until_unix_ms": until_unix_ms, "failures": failures, "why": why})))
        }
        PassState::Finished => ("finished", None),
        PassState::Stopped => ("stopped", None),
    }
}
