//! `passes`: carrying a mailbox, once or again.

use super::fields::Fields;
use super::request::{ApiError, Method, Request, Response, sentence};
use super::{Api, no_such_call, number};
use crate::base::ids::{MailboxNumber, MigrationId};
use crate::base::limits::{FAILURES_BY_ITSELF, NOTIFY_SECONDS, PASSES_AT_ONCE};
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

/// One mailbox, or several: then one that cannot be started does not stop the others.
fn start(api: &Api, mut fields: Fields) -> Result<Response, ApiError> {
    let several = fields.numbers("mailboxes", PASSES_AT_ONCE)?;
    let Some(mailboxes) = several else {
        let mailbox = fields.needed_number("mailbox")?.into();
        return start_one(api, mailbox, fields);
    };
    let limit = limit(&mut fields)?;
    fields.finish()?;
    let _changes = api.one_at_a_time();
    let (mut started, mut refused) = (Vec::new(), Vec::new());
    for mailbox in mailboxes {
        match api.machine.start_pass(mailbox.into(), limit) {
            Ok(id) => started.push(json!({"mailbox": mailbox, "id": id})),
            Err(error) => refused.push(json!({"mailbox": mailbox, "sentence": sentence(&error)})),
        }
    }
    tracing::info!(started = started.len(), refused = refused.len(), "passes started");
    Ok(Response::created(json!({"started": started, "refused": refused})))
}

/// Also tries documents again that are set aside.
pub fn start_one(api: &Api, mailbox: MailboxNumber, mut fields: Fields) -> Result<Response, ApiError> {
    let limit = limit(&mut fields)?;
    fields.finish()?;
    // Not while a mailbox is being changed or deleted.
    let _changes = api.one_at_a_time();
    let id = api.machine.start_pass(mailbox, limit)?;
    tracing::info!(mailbox = mailbox.0, pass = id.0, "pass started");
    Ok(Response::created(json!({"id": id})))
}

/// How many documents a trial carries.
fn limit(fields: &mut Fields) -> Result<Option<u32>, ApiError> {
    let limit = fields.number("limit")?;
    let limit = limit.map(|limit| u32::try_from(limit).ok().filter(|limit| *limit > 0));
    limit
        .map(|limit| limit.ok_or_else(|| ApiError::invalid("limit", "`limit` is a number from 1.")))
        .transpose()
}

fn stop(api: &Api, id: MigrationId) -> Result<Response, ApiError> {
    api.machine.stop_pass(id)?;
    tracing::info!(pass = id.0, "pass stopped");
    Ok(Response::ok(json!({"id": id})))
}

/// `stop-all`: the one button for when something looks wrong.
pub fn stop_all(api: &Api, request: &Request, rest: &[&str]) -> Result<Response, ApiError> {
    let (Method::Post, []) = (request.method, rest) else { return Err(no_such_call(request)) };
    Fields::read(&request.body)?.finish()?;
    let _changes = api.one_at_a_time();
    let mut stopped = Vec::new();
    for pass in api.machine.passes()?.iter().filter(|pass| is_open(&pass.state)) {
        api.machine.stop_pass(pass.id)?;
        stopped.push(pass.id);
    }
    tracing::info!(passes = stopped.len(), "all passes stopped");
    Ok(Response::ok(json!({"stopped": stopped})))
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

/// Whether a pass failed so often that somebody should look.
pub fn keeps_failing(failures: u32) -> bool {
    failures >= FAILURES_BY_ITSELF
}

pub fn pass_json(pass: &PassLine) -> Value {
    let PassLine { id, mailbox, state, started_unix_ms, changed_unix_ms, tally, not_final, limit, .. } = pass;
    let (state, waits) = state_json(state);
    json!({
        "id": id, "mailbox": mailbox, "state": state, "waits": waits, "started_unix_ms": started_unix_ms,
        "changed_unix_ms": changed_unix_ms, "not_final": not_final, "limit": limit,
        "retry": pass.retry.is_some(), "left_behind": pass.left_behind,
        "left_behind_places": pass.left_behind_places,
        "tally": tally_json((*tally).into()),
    })
}

/// The sum of the product's first promise.
pub fn tally_json(tally: Tally) -> Value {
    let Tally { found, delivered, already_there, filtered_out, set_aside, removed_by_user, still_to_do } =
        tally;
    json!({
        "found": found, "delivered": delivered, "already_there": already_there, "filtered_out": filtered_out,
        "set_aside": set_aside, "removed_by_user": removed_by_user, "still_to_do": still_to_do,
    })
}

fn state_json(state: &PassState) -> (&'static str, Option<Value>) {
    match state {
        PassState::Queued => ("queued", None),
        PassState::Running => ("running", None),
        PassState::Waiting { until_unix_ms, failures, why } => {
            let needs_you = keeps_failing(*failures);
            let waits = json!({
                "until_unix_ms": until_unix_ms, "failures": failures, "why": why, "needs_you": needs_you,
            });
            ("waiting", Some(waits))
        }
        PassState::Finished => ("finished", None),
        PassState::Stopped => ("stopped", None),
    }
}
