//! Who may do what: the one table of all calls, with the name of each change in the audit log.

use super::request::Method::{self, Delete, Get, Patch, Post};
use crate::store::config::Role;

/// What a call needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// The least role; `None` for everybody.
    pub role: Option<Role>,
    /// The change as the audit log names it; `None` where nothing is changed.
    pub change: Option<&'static str>,
}

impl Rule {
    /// The rule of a call; its path is cut at each `/`.
    pub fn of(method: Method, path: &[&str]) -> Self {
        let (role, change) = match (method, path) {
            (Get, ["session"]) => (None, None),
            (Post, ["session"]) => (None, Some("logged in")),
            (Delete, ["session"]) => (Some(Role::Viewer), Some("logged out")),
            (Post, ["first-start"]) => (None, Some("first administrator made")),

            (Get, ["users" | "audit", ..]) => (Some(Role::Administrator), None),
            // Everybody changes the own password; `users` knows who is who.
            (Patch, ["users", _]) => (Some(Role::Viewer), Some("user changed")),
            (Get, _) => (Some(Role::Viewer), None),

            (Post, ["mailboxes"]) => (Some(Role::Operator), Some("mailbox added")),
            (Post, ["directories"]) => (Some(Role::Operator), Some("directory added")),
            (Post, ["mailboxes", _, "test-target"] | ["targets", "test"]) => (Some(Role::Operator), None),
            (Post, ["passes"] | ["mailboxes", _, "passes"]) => (Some(Role::Operator), Some("pass started")),
            (Post, ["mailboxes", _, "retry"]) => (Some(Role::Operator), Some("set-aside items tried again")),
            (Post, ["passes", _, "stop"]) => (Some(Role::Operator), Some("pass stopped")),
            (Post, ["stop-all"]) => (Some(Role::Operator), Some("all passes stopped")),

            (Post, ["users"]) => (Some(Role::Administrator), Some("user added")),
            (Delete, ["users", _]) => (Some(Role::Administrator), Some("user removed")),
            (Post, ["extractors", "enrol-code"]) => (Some(Role::Administrator), Some("enrolment code made")),
            (Delete, ["extractors", _]) => (Some(Role::Administrator), Some("extractor revoked")),
            (Post, ["connectors"]) => (Some(Role::Administrator), Some("connector added")),
            (Patch, ["connectors", _]) => (Some(Role::Administrator), Some("connector changed")),
            (Delete, ["connectors", _]) => (Some(Role::Administrator), Some("connector removed")),
            (Patch, ["mailboxes", _]) => (Some(Role::Administrator), Some("mailbox changed")),
            (Delete, ["directories", _]) => (Some(Role::Administrator), Some("directory removed")),
            (Delete, ["mailboxes", _]) => (Some(Role::Administrator), Some("mailbox removed")),
            // No call of the API; nobody else learns that.
            _ => (Some(Role::Administrator), None),
        };
        Self { role, change }
    }
}
