//! `findings`: what documents lost on their way and why others were set aside, added up with samples.

use super::request::{ApiError, Method, Request, Response};
use super::{Api, no_such_call};
use crate::base::ids::MailboxNumber;
use crate::model::loss::{LossKind, SetAsideReason};
use crate::server::findings::{Finding, Findings, Sample};
use serde_json::{Value, json};
use std::cmp::Reverse;

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
fn findings_json(findings: &Findings) -> Value {
    let mut losses: Vec<_> = findings.losses.iter().collect();
    losses.sort_by_key(|(_, finding)| Reverse(finding.documents));
    let mut set_aside: Vec<_> = findings.set_aside.iter().collect();
    set_aside.sort_by_key(|(_, finding)| Reverse(finding.documents));
    let loss = |(kind, finding): (&LossKind, &Finding)| json!({"kind": kind.name(), "documents": finding.documents, "samples": samples_json(finding)});
    let aside = |(reason, finding): (&SetAsideReason, &Finding)| {
        json!({
            "reason": reason.name(), "advice": reason.advice(), "documents": finding.documents,
            "samples": samples_json(finding),
        })
    };
    json!({
        "losses": losses.into_iter().map(loss).collect::<Vec<_>>(),
        "set_aside": set_aside.into_iter().map(aside).collect::<Vec<_>>(),
    })
}

fn samples_json(finding: &Finding) -> Vec<Value> {
    let sample = |Sample { detail, documents, origin }: Sample<'_>| json!({"detail": detail, "documents": documents, "key": origin.to_string()});
    finding.samples().into_iter().map(sample).collect()
}
