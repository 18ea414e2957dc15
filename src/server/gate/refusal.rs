//! What the gate answers itself instead of passing a request on: a status and a sentence.
//!
//! The body has the shape of the web API's errors (`code`, `sentence`), so that the page and the extractor show both
//! in the same way. Nothing of the request is repeated in it.

use serde_json::json;

/// Why a request is not passed on, or has no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("{0}")]
    Malformed(&'static str),
    #[error("this port is for the reverse proxy in front of it; please use the proxy's address")]
    NotTheProxy,
    #[error("the request did not come in time")]
    TooSlow,
    #[error("a body needs a Content-Length")]
    LengthRequired,
    #[error("the body is too large for this address")]
    BodyTooLarge,
    #[error("the address of the request is too long")]
    TargetTooLong,
    #[error("the only expectation that is known here is 100-continue")]
    Expectation,
    #[error("too many requests from this address; please wait a little")]
    TooOften,
    #[error("the head of the request is too long")]
    HeadTooLong,
    #[error("this method is not known here")]
    Method,
    #[error("the server did not answer")]
    NoAnswer,
    #[error("the server has no room for this now; please try again")]
    NoRoom,
    #[error("the server did not answer in time")]
    LateAnswer,
    #[error("only HTTP/1.1 and HTTP/1.0 are spoken here")]
    Version,
}

impl Refusal {
    /// The status code (RFC 9110 section 15, RFC 6585), its reason phrase, and the code of the API's errors.
    fn status(self) -> (u16, &'static str, &'static str) {
        match self {
            Self::Malformed(_) => (400, "Bad Request", "malformed"),
            Self::NotTheProxy => (403, "Forbidden", "not_the_proxy"),
            Self::TooSlow => (408, "Request Timeout", "too_slow"),
            Self::LengthRequired => (411, "Length Required", "length_required"),
            Self::BodyTooLarge => (413, "Content Too Large", "body_too_large"),
            Self::TargetTooLong => (414, "URI Too Long", "target_too_long"),
            Self::Expectation => (417, "Expectation Failed", "expectation"),
            Self::TooOften => (429, "Too Many Requests", "too_often"),
            Self::HeadTooLong => (431, "Request Header Fields Too Large", "head_too_long"),
            Self::Method => (501, "Not Implemented", "method"),
            Self::NoAnswer => (502, "Bad Gateway", "no_answer"),
            Self::NoRoom => (503, "Service Unavailable", "no_room"),
            Self::LateAnswer => (504, "Gateway Timeout", "late_answer"),
            Self::Version => (505, "HTTP Version Not Supported", "version"),
        }
    }

    /// The code of the API's errors.
    pub(super) fn code(self) -> &'static str {
        self.status().2
    }

    /// Seconds after which another try makes sense, for the refusals that time can change.
    fn retry_seconds(self) -> Option<u32> {
        matches!(self, Self::TooOften | Self::NoRoom | Self::NoAnswer).then_some(2)
    }

    /// The whole answer. The connection is closed after it: what follows a refused request is not believed.
    pub(super) fn answer(self, with_body: bool) -> Vec<u8> {
        let (status, reason, code) = self.status();
        let body = json!({ "code": code, "sentence": self.to_string() }).to_string();
        let retry =
            self.retry_seconds().map_or(String::new(), |seconds| format!("Retry-After: {seconds}\r\n"));
        let head = format!(
            "HTTP/1.1 {status} {reason}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
             Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n{retry}Connection: close\r\n\r\n",
            body.len()
        );
        (head + if with_body { &body } else { "" }).into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_a_whole_answer() {
        let answer = String::from_utf8(Refusal::NoRoom.answer(true)).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 503 Service Unavailable\r\n"));
        assert!(head.contains(&format!("Content-Length: {}\r\n", body.len())));
        assert!(head.contains("Retry-After: 2\r\n") && head.ends_with("Connection: close"));
        assert_eq!(
            body,
            r#"{"code":"no_room","sentence":"the server has no room for this now; please try again"}"#
        );
    }

    #[test]
    fn the_answer_to_head_has_no_body() {
        assert!(Refusal::TooOften.answer(false).ends_with(b"\r\n\r\n"));
    }
}
