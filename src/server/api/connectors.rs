//! `connectors`: where mailboxes are, and which extractor can see them.

use super::fields::Fields;
use super::request::{ApiError, Method, Request, Response};
use super::{Api, no_such_call, number};
use crate::base::ids::{ConnectorId, ExtractorId};
use crate::base::limits::API_NAME_BYTES;
use crate::base::secret::Secret;
use crate::store::config::{Connector, Extractor, Mailbox};
use serde_json::{Value, json};

/// The kinds of source that an extractor of this release reads.
const KINDS: &[&str] = &["nsf", "dxl"];

pub fn answer(api: &Api, request: &Request, rest: &[&str]) -> Result<Response, ApiError> {
    match (request.method, rest) {
        (Method::Get, []) => {
            let lines: Vec<Value> = api.machine.store().lines()?.iter().map(connector_json).collect();
            Ok(Response::ok(json!({"connectors": lines})))
        }
        (Method::Post, []) => create(api, Fields::read(&request.body)?),
        (Method::Get, [id]) => Ok(Response::ok(connector_json(&connector(api, number("connector", id)?)?))),
        (Method::Patch, [id]) => change(api, number("connector", id)?, Fields::read(&request.body)?),
        (Method::Delete, [id]) => delete(api, number("connector", id)?),
        _ => Err(no_such_call(request)),
    }
}

fn create(api: &Api, mut fields: Fields) -> Result<Response, ApiError> {
    let _changes = api.one_at_a_time();
    let mut new = Connector {
        id: 0.into(),
        name: String::new(),
        kind: fields.text("kind")?.unwrap_or_else(|| KINDS[0].to_owned()),
        location: String::new(),
        extractor: 0.into(),
        user: None,
        password: None,
    };
    if !KINDS.contains(&new.kind.as_str()) {
        let sentence = format!("`kind` is one of: {}.", KINDS.join(", "));
        return Err(ApiError::invalid("kind", sentence));
    }
    set_name(api, &mut new, fields.needed_text("name")?)?;
    set_location(&mut new, fields.needed_text("location")?)?;
    set_extractor(api, &mut new, fields.needed_number("extractor")?.into())?;
    set_credentials(api, &mut new, fields.text("user")?, fields.secret("password")?)?;
    fields.finish()?;
    let added = api.machine.store().add_line(move |id| Connector { id, ..new.clone() })?;
    api.machine.communication().tell_all();
    tracing::info!(connector = added.id.0, "connector created");
    Ok(Response::created(connector_json(&added)))
}

/// Fields that are missing stay as they are; an empty user or password is taken away.
fn change(api: &Api, id: ConnectorId, mut fields: Fields) -> Result<Response, ApiError> {
    let _changes = api.one_at_a_time();
    let mut line = connector(api, id)?;
    if let Some(name) = fields.text("name")? {
        set_name(api, &mut line, name)?;
    }
    if let Some(location) = fields.text("location")? {
        set_location(&mut line, location)?;
    }
    if let Some(extractor) = fields.number("extractor")? {
        set_extractor(api, &mut line, extractor.into())?;
    }
    set_credentials(api, &mut line, fields.text("user")?, fields.secret("password")?)?;
    fields.finish()?;
    api.machine.store().put_lines(vec![line.clone()])?;
    api.machine.communication().tell_all();
    tracing::info!(connector = id.0, "connector changed");
    Ok(Response::ok(connector_json(&line)))
}

fn delete(api: &Api, id: ConnectorId) -> Result<Response, ApiError> {
    let _changes = api.one_at_a_time();
    let Connector { name, .. } = connector(api, id)?;
    let using =
        api.machine.store().lines::<Mailbox>()?.iter().filter(|mailbox| mailbox.connector == id).count();
    if using > 0 {
        let sentence = format!("Connector `{name}` has {using} mailboxes; delete them first.");
        return Err(ApiError::conflict(sentence));
    }
    api.machine.store().remove_line::<Connector>(id)?;
    api.machine.communication().tell_all();
    tracing::info!(connector = id.0, "connector deleted");
    Ok(Response::ok(json!({"id": id, "deleted": true})))
}

/// A connector that exists.
fn connector(api: &Api, id: ConnectorId) -> Result<Connector, ApiError> {
    api.machine.store().line(id)?.ok_or_else(|| ApiError::not_found(format!("connector {id}")))
}

/// The connector that a call names.
pub fn named_connector(api: &Api, fields: &mut Fields) -> Result<Connector, ApiError> {
    let id: ConnectorId = fields.needed_number("connector")?.into();
    let unknown = || ApiError::invalid("connector", format!("There is no connector {id}."));
    api.machine.store().line(id)?.ok_or_else(unknown)
}

/// The command line names a mailbox as `CONNECTOR:PATH`, so a name is short, without colon, and stands for one.
fn set_name(api: &Api, line: &mut Connector, name: String) -> Result<(), ApiError> {
    let name = name.trim().to_owned();
    if name.is_empty() || name.len() > API_NAME_BYTES || name.contains(':') {
        let sentence = format!("A name has 1 to {API_NAME_BYTES} bytes and no colon.");
        return Err(ApiError::invalid("name", sentence));
    }
    let others = api.machine.store().lines::<Connector>()?;
    if others.iter().any(|other| other.id != line.id && other.name == name) {
        return Err(ApiError::conflict(format!("There is a connector `{name}` already.")));
    }
    line.name = name;
    Ok(())
}

/// A path at the extractor, which may run another system than this server: only the extractor can check it.
fn set_location(line: &mut Connector, location: String) -> Result<(), ApiError> {
    if location.is_empty() {
        return Err(ApiError::invalid("location", "`location` is empty."));
    }
    line.location = location;
    Ok(())
}

fn set_extractor(api: &Api, line: &mut Connector, id: ExtractorId) -> Result<(), ApiError> {
    match api.machine.store().line::<Extractor>(id)? {
        Some(extractor) if !extractor.revoked => {
            line.extractor = id;
            Ok(())
        }
        Some(_) => Err(ApiError::invalid("extractor", format!("Extractor {id} is revoked."))),
        None => Err(ApiError::invalid("extractor", format!("There is no extractor {id}."))),
    }
}

fn set_credentials(
    api: &Api,
    line: &mut Connector,
    user: Option<String>,
    password: Option<Secret>,
) -> Result<(), ApiError> {
    if let Some(user) = user {
        line.user = Some(user).filter(|user| !user.is_empty());
    }
    if let Some(password) = password {
        let is_some = !password.expose().is_empty();
        line.password = is_some.then(|| api.machine.seal_key().seal_secret(&password)).transpose()?;
    }
    Ok(())
}

fn connector_json(line: &Connector) -> Value {
    let Connector { id, name, kind, location, extractor, user, password } = line;
    json!({
        "id": id, "name": name, "kind": kind, "location": location, "extractor": extractor, "user": user,
        "has_password": password.is_some(),
    })
}
