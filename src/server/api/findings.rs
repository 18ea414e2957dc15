//! `findings`: what documents lost on their way and why others were set aside, added up.

use super::request::{ApiError, Method, Request, Response};
use super::{Api, no_such_call};
use crate::base::ids::MailboxNumber;
use crate::model::summary::{Detail, Group, Summary};
use serde_json::{Value, json};

/// `findings`: of all mailboxes together.
pub fn answer(api: &Api, request: &Request, rest: &[&str]) -> Result<Response, ApiError> {
    let (Method::Get, []) = (request.method, rest) else { return Err(no_such_call(request)) };
    Ok(Response::ok(findings_json(&api.machine.findings(None)?)))
}

/// `mailboxes/ID/findings`
pub fn of_mailbox(api: &Api, id: MailboxNumber) -> Result<Response, ApiError> {
    Ok(Response::ok(findings_json(&api.machine.findings(Some(id))?)))
}

/// Both lists with the most frequent first.
fn findings_json(summary: &Summary) -> Value {
    let losses = summary.losses_by_frequency().into_iter().map(|(kind, group)| {
        json!({"kind": kind.name(), "documents": group.items, "most_often": most_often_json(group)})
    });
    let set_aside = summary.set_aside_by_frequency().into_iter().map(|(reason, group)| {
        json!({
            "reason": reason.name(), "advice": reason.advice(), "documents": group.items,
            "most_often": most_often_json(group),
        })
    });
    json!({"losses": losses.collect::<Vec<_>>(), "set_aside": set_aside.collect::<Vec<_>>()})
}

fn most_often_json(group: &Group) -> Vec<Value> {
    let detail = |Detail { text, items }: Detail<'_>| json!({"detail": text, "documents": items});
    group.most_often().into_iter().map(detail).collect()
}
