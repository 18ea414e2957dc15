//! `users` and `audit`: who may log in, and who changed what.

use super::accounts::{ROLES, is_same_name, role_name};
use super::fields::Fields;
use super::request::{ApiError, Caller, Method, Request, Response, Who};
use super::{Api, no_such_call, number};
use crate::base::ids::UserId;
use crate::base::limits::{API_NAME_BYTES, API_PAGE_ENTRIES, USER_PASSWORD_CHARACTERS, USERS};
use crate::base::secret::Secret;
use crate::store::audit::AuditLine;
use crate::store::config::{Role, User};
use serde_json::{Value, json};

pub fn answer(api: &Api, request: &Request, rest: &[&str], who: &Who) -> Result<Response, ApiError> {
    match (request.method, rest) {
        (Method::Get, []) => {
            let users: Vec<Value> = api.accounts.users()?.iter().map(user_json).collect();
            Ok(Response::ok(json!({"users": users})))
        }
        (Method::Post, []) => create(api, Fields::read(&request.body)?),
        (Method::Get, [id]) => Ok(Response::ok(user_json(&user(api, number("user", id)?)?))),
        (Method::Patch, [id]) => {
            change(api, number("user", id)?, Fields::read(&request.body)?, who, &request.caller)
        }
        (Method::Delete, [id]) => delete(api, number("user", id)?),
        _ => Err(no_such_call(request)),
    }
}

fn create(api: &Api, mut fields: Fields) -> Result<Response, ApiError> {
    let _changes = api.one_at_a_time();
    let name = check_name(api, None, fields.needed_text("name")?)?;
    let role = role(&fields.needed_text("role")?)?;
    let password = fields.secret("password")?;
    fields.finish()?;
    let password = password.ok_or_else(|| ApiError::invalid("password", "`password` is missing."))?;
    check_password(&password)?;
    if api.accounts.users()?.len() >= USERS {
        return Err(ApiError::conflict(format!("There are {USERS} users already.")));
    }
    let added = api.add_user(name, role, &password)?;
    tracing::info!(user = added.id.0, "user added");
    Ok(Response::created(user_json(&added)))
}

/// Fields that are missing stay as they are. Whoever is no administrator changes the own password and nothing else,
/// and nobody the own password without the old one.
fn change(
    api: &Api,
    id: UserId,
    mut fields: Fields,
    who: &Who,
    caller: &Caller,
) -> Result<Response, ApiError> {
    let is_own = who.is_user(id);
    if !is_own && who.role() != Some(Role::Administrator) {
        return Err(ApiError::forbidden("Only an administrator changes other users."));
    }
    let _changes = api.one_at_a_time();
    let mut line = user(api, id)?;
    let (name, new_role) = (fields.text("name")?, fields.text("role")?);
    let (password, old_password) = (fields.secret("password")?, fields.secret("old_password")?);
    fields.finish()?;
    if (name.is_some() || new_role.is_some()) && who.role() != Some(Role::Administrator) {
        return Err(ApiError::forbidden("Only an administrator changes names and roles."));
    }
    if password.is_some() && is_own {
        check_old_password(api, &line.name, old_password, caller)?;
    }
    if let Some(name) = name {
        line.name = check_name(api, Some(id), name)?;
    }
    if let Some(new_role) = new_role {
        line.role = role(&new_role)?;
        if line.role != Role::Administrator {
            refuse_last_administrator(api, id)?;
        }
    }
    if let Some(password) = &password {
        check_password(password)?;
        line.password_hash = api.accounts.hash(password)?;
    }
    api.machine.store().put_lines(vec![line.clone()])?;
    if password.is_some() {
        api.accounts.end_of(id, is_own.then_some(caller));
    }
    tracing::info!(user = id.0, "user changed");
    Ok(Response::ok(user_json(&line)))
}

fn delete(api: &Api, id: UserId) -> Result<Response, ApiError> {
    let _changes = api.one_at_a_time();
    user(api, id)?;
    refuse_last_administrator(api, id)?;
    api.machine.store().remove_line::<User>(id)?;
    api.accounts.end_of(id, None);
    tracing::info!(user = id.0, "user removed");
    Ok(Response::ok(json!({"id": id, "deleted": true})))
}

/// `audit`: the newest line first; `next` is what `after` takes for the page of older ones.
pub fn audit(api: &Api, request: &Request, rest: &[&str]) -> Result<Response, ApiError> {
    let (Method::Get, []) = (request.method, rest) else { return Err(no_such_call(request)) };
    let limit = request.number("limit")?.map_or(API_PAGE_ENTRIES, |limit| limit as usize);
    let limit = limit.clamp(1, API_PAGE_ENTRIES);
    let lines = api.machine.store().audit(request.number("after")?, limit)?;
    let next = lines.last().filter(|_| lines.len() == limit).map(|(number, _)| *number);
    let lines: Vec<Value> = lines.iter().map(audit_json).collect();
    Ok(Response::ok(json!({"audit": lines, "next": next})))
}

fn audit_json((number, line): &(u64, AuditLine)) -> Value {
    let AuditLine { unix_ms, who, what, on } = line;
    json!({"id": number, "unix_ms": unix_ms, "who": who, "what": what, "on": on})
}

fn user(api: &Api, id: UserId) -> Result<User, ApiError> {
    api.machine.store().line(id)?.ok_or_else(|| ApiError::not_found(format!("user {id}")))
}

fn user_json(line: &User) -> Value {
    let User { id, name, role, password_hash: _, created_unix_ms } = line;
    json!({"id": id, "name": name, "role": role_name(*role), "created_unix_ms": created_unix_ms})
}

fn role(name: &str) -> Result<Role, ApiError> {
    let known = ROLES.iter().find(|(_, known)| *known == name).map(|(role, _)| *role);
    known.ok_or_else(|| {
        let names: Vec<&str> = ROLES.iter().map(|(_, name)| *name).collect();
        ApiError::invalid("role", format!("`role` is one of: {}.", names.join(", ")))
    })
}

/// A name as it is kept.
pub fn check_name(api: &Api, own: Option<UserId>, name: String) -> Result<String, ApiError> {
    let name = name.trim().to_owned();
    if name.is_empty() || name.len() > API_NAME_BYTES {
        return Err(ApiError::invalid("name", format!("A name has 1 to {API_NAME_BYTES} bytes.")));
    }
    let is_twin = |user: &User| own != Some(user.id) && is_same_name(&user.name, &name);
    if api.accounts.users()?.iter().any(is_twin) {
        return Err(ApiError::conflict(format!("There is a user `{name}` already.")));
    }
    Ok(name)
}

pub fn check_password(password: &Secret) -> Result<(), ApiError> {
    if password.expose().chars().count() < USER_PASSWORD_CHARACTERS {
        let sentence = format!("A password has at least {USER_PASSWORD_CHARACTERS} characters.");
        return Err(ApiError::invalid("password", sentence));
    }
    Ok(())
}

fn check_old_password(
    api: &Api,
    name: &str,
    old_password: Option<Secret>,
    caller: &Caller,
) -> Result<(), ApiError> {
    let wrong = || ApiError::invalid("old_password", "The old password is wrong.");
    let old_password = old_password.ok_or_else(wrong)?;
    let attempt = || Ok(api.accounts.user_of(name, &old_password)?);
    api.accounts.limited(name, caller, attempt)?.map(drop).ok_or_else(wrong)
}

/// Somebody has to be able to give roles.
fn refuse_last_administrator(api: &Api, id: UserId) -> Result<(), ApiError> {
    let users = api.accounts.users()?;
    let mut others = users.iter().filter(|user| user.id != id);
    let is_one = users.iter().any(|user| user.id == id && user.role == Role::Administrator);
    if is_one && !others.any(|user| user.role == Role::Administrator) {
        return Err(ApiError::conflict("This is the last administrator; make another one first."));
    }
    Ok(())
}
