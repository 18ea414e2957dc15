//! What a call of the web API is made of, without HTTP: so calls are tested without a server.

use crate::base::ids::UserId;
use crate::base::secret::Secret;
use crate::server::machine::OrderError;
use crate::store::StoreError;
use crate::store::config::Role;
use serde_json::{Value, json};
use std::io;

/// How a call came in.
#[derive(Clone, Debug)]
pub enum Caller {
    /// Through the admin socket, which only the owner of the data folder can open.
    Owner,
    /// Through the gate.
    Remote(Remote),
}

/// What came with a call through the gate, not checked yet.
#[derive(Clone, Debug, Default)]
pub struct Remote {
    /// The address of the client.
    pub client: String,
    /// The token of a session, from the cookie.
    pub token: Option<Secret>,
    /// The token against forged requests, from a header that only our own page can set.
    pub csrf: Option<String>,
    /// The browser says that a page of another site sends this.
    pub is_foreign: bool,
}

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Who {
    Owner,
    /// A user who is logged in.
    User {
        id: UserId,
        name: String,
        role: Role,
        /// What has to come with every change.
        csrf: String,
    },
    Stranger,
}

impl Who {
    /// What one may do; `None` for a stranger.
    pub fn role(&self) -> Option<Role> {
        match self {
            Self::Owner => Some(Role::Administrator),
            Self::User { role, .. } => Some(*role),
            Self::Stranger => None,
        }
    }

    pub fn is_user(&self, user: UserId) -> bool {
        matches!(self, Self::User { id, .. } if *id == user)
    }
}

/// What is done with a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    Get,
    Post,
    Patch,
    Delete,
}

impl Method {
    /// The method of this name; the API has no others.
    pub fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "GET" => Self::Get,
            "POST" => Self::Post,
            "PATCH" => Self::Patch,
            "DELETE" => Self::Delete,
            _ => return None,
        })
    }
}

/// One call.
pub struct Request {
    pub method: Method,
    /// Below `/api/v1/`, without the query.
    pub path: String,
    /// As it stands behind the `?`, or empty.
    pub query: String,
    pub body: Vec<u8>,
    pub caller: Caller,
}

impl Request {
    /// A parameter of the query, decoded.
    pub fn parameter(&self, name: &str) -> Option<String> {
        let mut pairs = url::form_urlencoded::parse(self.query.as_bytes());
        pairs.find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    }

    /// A parameter that is a number.
    ///
    /// # Errors
    /// When it is something else.
    pub fn number(&self, name: &str) -> Result<Option<u64>, ApiError> {
        let text = self.parameter(name);
        let number = text.map(|text| text.parse()).transpose();
        number.map_err(|_| ApiError::invalid(name, format!("`{name}` is a number.")))
    }
}

/// An answer: a status and a JSON value.
#[derive(Clone, Debug)]
pub struct Response {
    pub status: u16,
    pub body: Value,
    pub cookie: Option<Cookie>,
    /// After how many seconds it is worth while to ask again.
    pub retry_seconds: Option<u64>,
}

/// What becomes of the cookie with the session's token.
#[derive(Clone, Debug)]
pub enum Cookie {
    Set(Secret),
    Clear,
}

impl Response {
    fn new(status: u16, body: Value) -> Self {
        Self { status, body, cookie: None, retry_seconds: None }
    }

    pub fn ok(body: Value) -> Self {
        Self::new(200, body)
    }

    pub fn created(body: Value) -> Self {
        Self::new(201, body)
    }
}

/// A call that was not done, in the one shape of the API: `{"error": {"code", "sentence", "field"}}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiError {
    status: u16,
    /// For programs; it never changes.
    code: &'static str,
    /// For people.
    sentence: String,
    /// The part of the input that is wrong.
    field: Option<String>,
    retry_seconds: Option<u64>,
}

impl ApiError {
    fn new(status: u16, code: &'static str, sentence: impl Into<String>) -> Self {
        Self { status, code, sentence: sentence.into(), field: None, retry_seconds: None }
    }

    /// A part of the input is wrong.
    pub fn invalid(field: &str, sentence: impl Into<String>) -> Self {
        Self { field: Some(field.to_owned()), ..Self::new(400, "invalid", sentence) }
    }

    /// The input as a whole is wrong.
    pub fn malformed(sentence: impl Into<String>) -> Self {
        Self::new(400, "malformed", sentence)
    }

    pub fn not_logged_in() -> Self {
        Self::new(401, "not_logged_in", "Log in first.")
    }

    /// It does not say whether there is such a name.
    pub fn log_in_refused() -> Self {
        Self::new(401, "log_in_refused", "Name or password is wrong.")
    }

    /// Who asks is known and may not.
    pub fn forbidden(sentence: impl Into<String>) -> Self {
        Self::new(403, "forbidden", sentence)
    }

    /// Too many attempts failed.
    pub fn too_often(seconds: u64) -> Self {
        let sentence = format!("Too many attempts failed. Try again in {seconds} seconds.");
        Self { retry_seconds: Some(seconds), ..Self::new(429, "too_often", sentence) }
    }

    /// `what` is the name of a kind with its number: `mailbox 7`.
    pub fn not_found(what: impl std::fmt::Display) -> Self {
        Self::new(404, "not_found", format!("There is no {what}."))
    }

    /// Another record stands in the way.
    pub fn conflict(sentence: impl Into<String>) -> Self {
        Self::new(409, "conflict", sentence)
    }

    pub fn too_large(most_bytes: u64) -> Self {
        Self::new(413, "too_large", format!("The body is larger than {most_bytes} bytes."))
    }

    /// Too much at once; later it works.
    pub fn busy() -> Self {
        Self::new(503, "busy", "The server has too much to do; try again.")
    }

    /// Nothing is wrong with the call.
    pub fn failed(error: &impl std::fmt::Display) -> Self {
        Self::new(500, "failed", sentence(error))
    }
}

/// An error as a whole sentence.
pub fn sentence(error: &impl std::fmt::Display) -> String {
    let text = error.to_string();
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| format!("{}{}.", first.to_uppercase(), letters.as_str()))
}

impl From<ApiError> for Response {
    fn from(error: ApiError) -> Self {
        let ApiError { status, code, sentence, field, retry_seconds } = error;
        let body = json!({"error": {"code": code, "sentence": sentence, "field": field}});
        Self { retry_seconds, ..Self::new(status, body) }
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        tracing::error!("{error}");
        Self::failed(&error)
    }
}

impl From<OrderError> for ApiError {
    fn from(error: OrderError) -> Self {
        match error {
            OrderError::Store(error) => error.into(),
            OrderError::NoMailbox(id) => Self::not_found(format!("mailbox {id}")),
            OrderError::NoPass(id) => Self::not_found(format!("pass {id}")),
            OrderError::Target { .. } | OrderError::Carried { .. } | OrderError::UnderWay(_) => {
                Self::conflict(sentence(&error))
            }
        }
    }
}

impl From<io::Error> for ApiError {
    fn from(error: io::Error) -> Self {
        tracing::error!("{error}");
        Self::failed(&error)
    }
}
