//! `directories`: the address books that extractors read, in which conversion looks up Notes names.
//!
//! Each is a mailbox whose target is the server's own table (see `server::address_books`), so its passes are ordered,
//! watched and stopped like all others; here it is added, taken away and shown.

use super::connectors::named_connector;
use super::fields::Fields;
use super::mailboxes::{self, Context};
use super::passes::pass_json;
use super::request::{ApiError, Method, Request, Response};
use super::{Api, no_such_call, number};
use crate::base::ids::MailboxNumber;
use crate::model::item::MailboxId;
use crate::store::config::{Mailbox, PassState};
use serde_json::{Value, json};

pub fn answer(api: &Api, request: &Request, rest: &[&str]) -> Result<Response, ApiError> {
    match (request.method, rest) {
        (Method::Get, []) => list(api),
        (Method::Post, []) => create(api, Fields::read(&request.body)?),
        (Method::Delete, [id]) => delete(api, number("directory", id)?),
        _ => Err(no_such_call(request)),
    }
}

fn list(api: &Api) -> Result<Response, ApiError> {
    let (context, lines) = (Context::read(api)?, api.machine.store().lines::<Mailbox>()?);
    let books = lines.iter().filter(|line| line.is_directory());
    let books: Result<Vec<Value>, ApiError> = books.map(|line| directory_json(api, &context, line)).collect();
    Ok(Response::ok(json!({"directories": books?})))
}

/// Adds an address book and has it read.
fn create(api: &Api, mut fields: Fields) -> Result<Response, ApiError> {
    let _changes = api.one_at_a_time();
    let connector = named_connector(api, &mut fields)?;
    let source = fields.text("source")?.unwrap_or_default();
    fields.finish()?;
    let target = format!("{}{}:{source}", MailboxId::DIRECTORY, connector.name);
    let added = mailboxes::add(api, Mailbox::whole(0.into(), connector.id, source, target))?;
    api.machine.start_pass(added.id, None)?;
    Ok(Response::created(directory_json(api, &Context::read(api)?, &added)?))
}

fn delete(api: &Api, id: MailboxNumber) -> Result<Response, ApiError> {
    match api.machine.store().line::<Mailbox>(id)? {
        Some(line) if line.is_directory() => mailboxes::delete(api, id),
        _ => Err(ApiError::not_found(format!("directory {id}"))),
    }
}

fn directory_json(api: &Api, context: &Context, line: &Mailbox) -> Result<Value, ApiError> {
    let passes = api.machine.passes()?;
    let is_whole = |state: &PassState| *state == PassState::Finished;
    let read = passes.iter().rev().find(|pass| pass.mailbox == line.id && is_whole(&pass.state));
    Ok(json!({
        "id": line.id, "connector": line.connector, "name": context.name(line), "source": line.source,
        "names": api.machine.names_of(line.id), "read_unix_ms": read.map(|pass| pass.changed_unix_ms),
        "last_pass": context.last_pass(line.id).map(pass_json),
    }))
}
