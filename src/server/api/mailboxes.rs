//! `mailboxes`: what is carried where.

use super::connectors::named_connector;
use super::fields::Fields;
use super::passes::{is_open, pass_json, start_one};
use super::request::{ApiError, Method, Request, Response, sentence};
use super::{Api, findings, no_such_call, number};
use crate::base::ids::{ConnectorId, MailboxNumber};
use crate::base::limits::API_PAGE_ENTRIES;
use crate::base::secret::Secret;
use crate::destinations::DestinationError;
use crate::destinations::registry::Target;
use crate::model::filter::{FolderMap, FolderMapError, ItemKind};
use crate::model::item::{Origin, OriginError};
use crate::model::loss::SetAsideReason;
use crate::server::machine::SetAsideItem;
use crate::store::config::{Connector, Mailbox, PassLine, Retry};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::path::Path;

pub fn answer(api: &Api, request: &Request, rest: &[&str]) -> Result<Response, ApiError> {
    match (request.method, rest) {
        (Method::Get, []) => list(api),
        (Method::Post, []) => create(api, Fields::read(&request.body)?),
        (Method::Get, [id]) => {
            let line = mailbox(api, number("mailbox", id)?)?;
            Ok(Response::ok(Context::read(api)?.mailbox_json(&line)))
        }
        (Method::Patch, [id]) => change(api, number("mailbox", id)?, Fields::read(&request.body)?),
        (Method::Delete, [id]) => delete(api, number("mailbox", id)?),
        (Method::Post, [id, "passes"]) => {
            start_one(api, number("mailbox", id)?, Fields::read(&request.body)?)
        }
        (Method::Post, [id, "test-target"]) => test_target(api, number("mailbox", id)?),
        (Method::Get, [id, "set-aside"]) => set_aside(api, number("mailbox", id)?, request),
        (Method::Get, [id, "findings"]) => findings::of_mailbox(api, number("mailbox", id)?),
        (Method::Post, [id, "retry"]) => retry(api, number("mailbox", id)?, Fields::read(&request.body)?),
        _ => Err(no_such_call(request)),
    }
}

fn list(api: &Api) -> Result<Response, ApiError> {
    let context = Context::read(api)?;
    let lines = api.machine.store().lines::<Mailbox>()?;
    let lines = lines.iter().filter(|line| !line.is_directory());
    let lines: Vec<Value> = lines.map(|line| context.mailbox_json(line)).collect();
    Ok(Response::ok(json!({"mailboxes": lines})))
}

fn create(api: &Api, mut fields: Fields) -> Result<Response, ApiError> {
    let _changes = api.one_at_a_time();
    let connector = named_connector(api, &mut fields)?;
    let source = fields.text("source")?.unwrap_or_default();
    let target = fields.needed_text("target")?;
    let password = fields.secret("password")?;
    let all_documents = fields.flag("all_documents")?.unwrap_or_default();
    let new = Mailbox::whole(0.into(), connector.id, source, String::new());
    let mut new = Mailbox { all_documents, ..new };
    change_carried(&mut new, &mut fields)?;
    fields.finish()?;
    set_target(api, &mut new, Some(target), password)?;
    let added = add(api, new)?;
    Ok(Response::created(Context::read(api)?.mailbox_json(&added)))
}

/// Adds a line whose target was checked, under the lock of changes.
pub fn add(api: &Api, new: Mailbox) -> Result<Mailbox, ApiError> {
    check_source(&new.source)?;
    refuse_twin(api, &new)?;
    let added = api.machine.store().add_line(move |id| Mailbox { id, ..new.clone() })?;
    api.machine.communication().tell_all();
    tracing::info!(mailbox = added.id.0, "mailbox created");
    Ok(added)
}

/// Fields that are missing stay as they are, and `null` empties those that say what is left out or renamed. A new target needs its password again, so that a password never goes to
/// a server for which it was not given.
fn change(api: &Api, id: MailboxNumber, mut fields: Fields) -> Result<Response, ApiError> {
    let _changes = api.one_at_a_time();
    let mut line = mailbox(api, id)?;
    refuse_open_pass(api, id)?;
    if let Some(source) = fields.text("source")? {
        check_source(&source)?;
        line.source = source;
    }
    if let Some(all_documents) = fields.flag("all_documents")? {
        line.all_documents = all_documents;
    }
    change_carried(&mut line, &mut fields)?;
    let (target, password) = (fields.text("target")?, fields.secret("password")?);
    fields.finish()?;
    set_target(api, &mut line, target, password)?;
    refuse_twin(api, &line)?;
    api.machine.store().put_lines(vec![line.clone()])?;
    api.machine.communication().tell_all();
    tracing::info!(mailbox = id.0, "mailbox changed");
    Ok(Response::ok(Context::read(api)?.mailbox_json(&line)))
}

/// What is left out and renamed: the names of kinds joined by commas (none for all), two instants, and lines.
fn change_carried(line: &mut Mailbox, fields: &mut Fields) -> Result<(), ApiError> {
    if let Some(names) = fields.change("only", Fields::text)? {
        line.filter = line.filter.clone().with_kinds(&kinds(&names.unwrap_or_default())?);
    }
    let (mut since, mut before) = line.filter.times();
    since = fields.change("since_unix_ms", Fields::instant)?.unwrap_or(since);
    before = fields.change("before_unix_ms", Fields::instant)?.unwrap_or(before);
    if since.zip(before).is_some_and(|(since, before)| since >= before) {
        let sentence = "Nothing lies between these two days: the second one has to be later.";
        return Err(ApiError::invalid("before_unix_ms", sentence));
    }
    line.filter = line.filter.clone().with_times((since, before));
    if let Some(lines) = fields.change("folder_map", Fields::lines)? {
        line.folder_map = lines.unwrap_or_default();
        let wrong = |error: FolderMapError| ApiError::invalid("folder_map", sentence(&error));
        FolderMap::of_lines(&line.folder_map).map_err(wrong)?;
    }
    Ok(())
}

fn kinds(names: &str) -> Result<Vec<ItemKind>, ApiError> {
    let names = names.split(',').map(str::trim).filter(|name| !name.is_empty());
    let kinds: Option<Vec<ItemKind>> = names.map(ItemKind::from_name).collect();
    kinds.ok_or_else(|| {
        let known = ItemKind::ALL.map(ItemKind::name).join(", ");
        ApiError::invalid("only", format!("`only` names kinds: {known}."))
    })
}

/// The ledger keeps what it knows of the target: a mailbox that is entered again goes on where this one ended.
pub fn delete(api: &Api, id: MailboxNumber) -> Result<Response, ApiError> {
    let _changes = api.one_at_a_time();
    mailbox(api, id)?;
    refuse_open_pass(api, id)?;
    api.machine.store().remove_line::<Mailbox>(id)?;
    api.machine.renew_directory()?;
    api.machine.communication().tell_all();
    tracing::info!(mailbox = id.0, "mailbox deleted");
    Ok(Response::ok(json!({"id": id, "deleted": true})))
}

/// Opens the target as a pass does.
fn test_target(api: &Api, id: MailboxNumber) -> Result<Response, ApiError> {
    let line = mailbox(api, id)?;
    let target = parse_target(&line.target)?;
    let password = match &line.target_password {
        Some(sealed) => api.machine.seal_key().open_secret(sealed).map_err(|error| {
            ApiError::conflict(format!(
                "The password of mailbox {id} cannot be used: {error}. Enter it again."
            ))
        })?,
        None => Secret::new(""),
    };
    Ok(try_target(&target, &line.target, password))
}

/// `targets/test`: as `test-target`, before there is a mailbox.
pub fn test_new_target(request: &Request, rest: &[&str]) -> Result<Response, ApiError> {
    let (Method::Post, ["test"]) = (request.method, rest) else { return Err(no_such_call(request)) };
    let mut fields = Fields::read(&request.body)?;
    let (text, password) = (fields.needed_text("target")?, fields.secret("password")?);
    fields.finish()?;
    let target = parse_target(&text)?;
    if target.wants_password() && password.is_none() {
        return Err(ApiError::invalid("password", "This target needs a password."));
    }
    Ok(try_target(&target, &text, password.unwrap_or_else(|| Secret::new(""))))
}

fn try_target(target: &Target, text: &str, password: Secret) -> Response {
    let (code, sentence) = match target.open(password) {
        _ if target.is_directory() => ("works", "The server keeps these names itself.".to_owned()),
        Ok(_) if target.wants_password() => ("works", format!("{text} accepts the log-in.")),
        Ok(_) => ("works", format!("{text} needs no log-in.")),
        Err(error) => (failure_code(&error), format!("{error}.")),
    };
    Response::ok(json!({"works": code == "works", "code": code, "sentence": sentence}))
}

fn failure_code(error: &DestinationError) -> &'static str {
    match error {
        DestinationError::Unreachable { .. } | DestinationError::CannotRemove { .. } => "unreachable",
        DestinationError::LoginRefused { .. } => "login_refused",
        DestinationError::Full { .. } => "full",
    }
}

fn set_aside(api: &Api, id: MailboxNumber, request: &Request) -> Result<Response, ApiError> {
    mailbox(api, id)?;
    let limit = request.number("limit")?.map_or(API_PAGE_ENTRIES, |limit| limit as usize);
    let limit = limit.clamp(1, API_PAGE_ENTRIES);
    let after = request.parameter("after");
    let reason = request.parameter("reason").map(|name| reason(&name)).transpose()?;
    let found = api.machine.set_aside(id, reason, after.as_deref(), limit)?;
    let next = found.last().filter(|_| found.len() == limit).map(|item| item.origin.to_string());
    let items: Vec<Value> = found.iter().map(set_aside_json).collect();
    Ok(Response::ok(json!({"set_aside": items, "next": next})))
}

fn set_aside_json(item: &SetAsideItem) -> Value {
    let SetAsideItem { origin, why, unix_ms } = item;
    json!({
        "key": origin.to_string(), "reason": why.reason.name(), "advice": why.reason.advice(), "detail": why.detail,
        "unix_ms": unix_ms,
    })
}

/// Tries one document again that is set aside, or all of one reason.
fn retry(api: &Api, id: MailboxNumber, mut fields: Fields) -> Result<Response, ApiError> {
    let (item, name) = (fields.text("item")?, fields.text("reason")?);
    fields.finish()?;
    mailbox(api, id)?;
    let retry = match (item, name) {
        (Some(key), None) => {
            let origin: Origin =
                key.parse().map_err(|error: OriginError| ApiError::invalid("item", sentence(&error)))?;
            Retry::Items(vec![origin.to_string()])
        }
        (None, Some(name)) => Retry::Reason(reason(&name)?.name().to_owned()),
        _ => return Err(ApiError::malformed("Name either `item` or `reason`.")),
    };
    let _changes = api.one_at_a_time();
    let pass = api.machine.start_retry(id, retry)?;
    tracing::info!(mailbox = id.0, pass = pass.0, "documents that were set aside are tried again");
    Ok(Response::created(json!({"id": pass})))
}

fn reason(name: &str) -> Result<SetAsideReason, ApiError> {
    let unknown = || ApiError::invalid("reason", format!("There is no reason `{name}`."));
    SetAsideReason::from_name(name).ok_or_else(unknown)
}

fn mailbox(api: &Api, id: MailboxNumber) -> Result<Mailbox, ApiError> {
    api.machine.store().line(id)?.ok_or_else(|| ApiError::not_found(format!("mailbox {id}")))
}

/// A path below the connector's location, as an extractor on any system reads it; empty when the location itself is
/// the mailbox.
fn check_source(source: &str) -> Result<(), ApiError> {
    let is_odd = |part: &str| part.is_empty() || part == "." || part == "..";
    if !source.is_empty() && source.split('/').any(is_odd) {
        let sentence = "`source` is a path below the folder of the connector, its parts joined by `/`.";
        return Err(ApiError::invalid("source", sentence));
    }
    Ok(())
}

fn set_target(
    api: &Api,
    line: &mut Mailbox,
    target: Option<String>,
    password: Option<Secret>,
) -> Result<(), ApiError> {
    if let Some(target) = target.filter(|target| *target != line.target) {
        line.target = target;
        line.target_password = None;
    }
    let wants_password = parse_target(&line.target)?.wants_password();
    let password = password.filter(|password| !password.expose().is_empty());
    match password {
        Some(_) if !wants_password => {
            return Err(ApiError::invalid("password", "This target has no password."));
        }
        Some(password) => line.target_password = Some(api.machine.seal_key().seal_secret(&password)?),
        None if wants_password && line.target_password.is_none() => {
            return Err(ApiError::invalid("password", "This target needs a password."));
        }
        None => {}
    }
    Ok(())
}

fn parse_target(text: &str) -> Result<Target, ApiError> {
    let target = Target::parse(text).map_err(|error| ApiError::invalid("target", format!("{error}.")))?;
    let directory = text
        .split_once(':')
        .filter(|_| !target.wants_password() && !target.is_directory())
        .map(|(_, rest)| Path::new(rest));
    if directory.is_some_and(Path::is_relative) {
        let sentence = "Name the directory in full, from the root: the server's own folder does not matter.";
        return Err(ApiError::invalid("target", sentence));
    }
    Ok(target)
}

fn refuse_twin(api: &Api, new: &Mailbox) -> Result<(), ApiError> {
    let name = |line: &Mailbox| Target::parse(&line.target).map(|target| target.mailbox()).ok();
    let is_twin = |other: &&Mailbox| {
        other.id != new.id
            && (other.connector, &other.source) == (new.connector, &new.source)
            && name(other) == name(new)
    };
    match api.machine.store().lines::<Mailbox>()?.iter().find(is_twin) {
        Some(twin) => Err(ApiError::conflict(format!("Mailbox {} carries this already.", twin.id))),
        None => Ok(()),
    }
}

fn refuse_open_pass(api: &Api, id: MailboxNumber) -> Result<(), ApiError> {
    let passes = api.machine.passes()?;
    match passes.iter().find(|pass| pass.mailbox == id && is_open(&pass.state)) {
        Some(pass) => {
            Err(ApiError::conflict(format!("Pass {} of mailbox {id} is under way; stop it first.", pass.id)))
        }
        None => Ok(()),
    }
}

/// What is shown with a mailbox.
pub struct Context {
    connectors: HashMap<ConnectorId, String>,
    last_passes: HashMap<MailboxNumber, PassLine>,
}

impl Context {
    pub fn read(api: &Api) -> Result<Self, ApiError> {
        let connectors = api.machine.store().lines::<Connector>()?.into_iter();
        // In the order of their numbers, so the last one stays.
        let passes = api.machine.passes()?.into_iter();
        Ok(Self {
            connectors: connectors.map(|line| (line.id, line.name)).collect(),
            last_passes: passes.map(|pass| (pass.mailbox, pass)).collect(),
        })
    }

    pub fn last_pass(&self, mailbox: MailboxNumber) -> Option<&PassLine> {
        self.last_passes.get(&mailbox)
    }

    /// As the command line names it: CONNECTOR:PATH.
    pub fn name(&self, line: &Mailbox) -> String {
        let connector = self.connectors.get(&line.connector).map(String::as_str).unwrap_or_default();
        format!("{connector}:{}", line.source)
    }

    fn mailbox_json(&self, line: &Mailbox) -> Value {
        let Mailbox { id, connector, source, target, target_password, all_documents, filter, folder_map } =
            line;
        let (since_unix_ms, before_unix_ms) = filter.times();
        json!({
            "id": id, "connector": connector, "connector_name": self.connectors.get(connector), "source": source,
            "target": target, "has_password": target_password.is_some(), "all_documents": all_documents,
            "only": filter.kinds(), "since_unix_ms": since_unix_ms, "before_unix_ms": before_unix_ms,
            "folder_map": folder_map, "last_pass": self.last_pass(*id).map(pass_json),
        })
    }
}
