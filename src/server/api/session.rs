//! `session` and `first-start`: logging in and out.

use super::accounts::role_name;
use super::fields::Fields;
use super::request::{ApiError, Caller, Cookie, Method, Request, Response, Who};
use super::users::{check_name, check_password};
use super::{Api, no_such_call};
use crate::base::secret::Secret;
use crate::server::session::Begun;
use crate::store::config::{Role, User};
use serde_json::{Value, json};

pub fn answer(api: &Api, request: &Request, rest: &[&str], who: &Who) -> Result<Response, ApiError> {
    match (request.method, rest) {
        (Method::Get, []) => Ok(Response::ok(session_json(api, who)?)),
        (Method::Post, []) => log_in(api, &request.caller, Fields::read(&request.body)?),
        (Method::Delete, []) => log_out(api, &request.caller),
        _ => Err(no_such_call(request)),
    }
}

fn log_in(api: &Api, caller: &Caller, mut fields: Fields) -> Result<Response, ApiError> {
    let name = fields.needed_text("name")?;
    let password = needed_secret(&mut fields, "password")?;
    fields.finish()?;
    let attempt = || Ok(api.accounts.user_of(&name, &password)?);
    match api.accounts.limited(&name, caller, attempt)? {
        Some(user) => {
            // Whoever logs in again in the same browser leaves no session behind.
            end(api, caller);
            begin(api, &user)
        }
        None => {
            // What was typed as the name may be a password, so it is not noted.
            api.note_refused_log_in(caller);
            Err(ApiError::log_in_refused())
        }
    }
}

fn log_out(api: &Api, caller: &Caller) -> Result<Response, ApiError> {
    end(api, caller);
    let body = session_json(api, &Who::Stranger)?;
    Ok(Response { cookie: Some(Cookie::Clear), ..Response::ok(body) })
}

fn end(api: &Api, caller: &Caller) {
    if let Caller::Remote(remote) = caller
        && let Some(token) = &remote.token
    {
        api.accounts.end(token);
    }
}

/// `first-start`: whoever can read the console of the server makes the first administrator.
pub fn first_start(api: &Api, request: &Request, rest: &[&str]) -> Result<Response, ApiError> {
    let (Method::Post, []) = (request.method, rest) else { return Err(no_such_call(request)) };
    let mut fields = Fields::read(&request.body)?;
    let code = needed_secret(&mut fields, "code")?;
    let name = fields.needed_text("name")?;
    let password = needed_secret(&mut fields, "password")?;
    fields.finish()?;
    let _changes = api.one_at_a_time();
    if api.accounts.first_code()?.is_none() {
        return Err(ApiError::conflict("The first administrator exists already; log in."));
    }
    let attempt = || Ok(api.accounts.is_first_code(&code).then_some(()));
    if api.accounts.limited("first start", &request.caller, attempt)?.is_none() {
        return Err(ApiError::invalid("code", "This is not the code on the console of the server."));
    }
    let name = check_name(api, None, name)?;
    check_password(&password)?;
    let user = api.add_user(name, Role::Administrator, &password)?;
    tracing::info!(user = user.id.0, "the first administrator was made");
    begin(api, &user)
}

fn begin(api: &Api, user: &User) -> Result<Response, ApiError> {
    let Begun { token, csrf } = api.accounts.begin(user.id)?;
    let User { id, name, role, .. } = user.clone();
    let body = session_json(api, &Who::User { id, name, role, csrf })?;
    Ok(Response { cookie: Some(Cookie::Set(token)), ..Response::ok(body) })
}

/// What a page needs first, whoever asks.
fn session_json(api: &Api, who: &Who) -> Result<Value, ApiError> {
    let (user, csrf) = match who {
        Who::User { id, name, role, csrf } => {
            (json!({"id": id, "name": name, "role": role_name(*role)}), Some(csrf))
        }
        Who::Owner | Who::Stranger => (Value::Null, None),
    };
    Ok(json!({
        "first_start": api.accounts.first_code()?.is_some(),
        "user": user,
        "csrf": csrf,
        "version": env!("CARGO_PKG_VERSION"),
        "server": {"address": api.facts.address, "tls": api.facts.has_tls()},
    }))
}

fn needed_secret(fields: &mut Fields, name: &str) -> Result<Secret, ApiError> {
    let secret = fields.secret(name)?;
    secret.ok_or_else(|| ApiError::invalid(name, format!("`{name}` is missing.")))
}
