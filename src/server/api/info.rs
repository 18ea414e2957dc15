//! `server`: what this server is.

use super::request::{ApiError, Method, Request, Response};
use super::{Api, no_such_call};
use crate::model::filter::ItemKind;
use crate::protocol::Versions;
use crate::store::config::{Connector, Mailbox};
use serde_json::json;
use std::path::PathBuf;

/// What does not change while a server runs.
#[derive(Clone, Debug)]
pub struct ServerFacts {
    pub data_folder: PathBuf,
    pub started_unix_ms: i64,
    /// Where extractors find it: `https://host:port`.
    pub address: String,
    /// SHA-256 of a certificate that no authority vouches for, so that extractors pin it; 64 hexadecimal digits.
    pub fingerprint: Option<String>,
}

impl ServerFacts {
    pub fn has_tls(&self) -> bool {
        self.address.starts_with("https:")
    }
}

pub fn answer(api: &Api, request: &Request, rest: &[&str]) -> Result<Response, ApiError> {
    let (Method::Get, []) = (request.method, rest) else { return Err(no_such_call(request)) };
    let ServerFacts { data_folder, started_unix_ms, address, fingerprint } = &api.facts;
    let Versions { oldest, newest } = Versions::OURS;
    Ok(Response::ok(json!({
        "kinds": ItemKind::ALL.map(ItemKind::name),
        "version": env!("CARGO_PKG_VERSION"),
        "protocol": {"oldest": oldest, "newest": newest},
        "data_folder": data_folder,
        "address": address,
        "fingerprint": fingerprint,
        "started_unix_ms": started_unix_ms,
        "connectors": api.machine.store().lines::<Connector>()?.len(),
        "mailboxes": api.machine.store().lines::<Mailbox>()?.len(),
    })))
}
