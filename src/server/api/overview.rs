//! `overview` and `changes`: what the first page shows, and when to look again.

use super::extractors::is_alive;
use super::mailboxes::Context;
use super::passes::{keeps_failing, tally_json};
use super::request::{ApiError, Method, Request, Response};
use super::{Api, no_such_call};
use crate::base::ids::MailboxNumber;
use crate::base::limits::{API_PAGE_ENTRIES, CHANGES_GATHERED_MS, NOTIFY_SECONDS};
use crate::buffers::data::Disk;
use crate::model::outcome::Tally;
use crate::server::communication::ExtractorView;
use crate::store::config::{Mailbox, PassLine, PassState};
use serde_json::{Value, json};
use std::thread;
use std::time::Duration;

/// The mark is taken before the look, so a change in between is told by the next call of `changes`.
pub fn answer(api: &Api, request: &Request, rest: &[&str]) -> Result<Response, ApiError> {
    let (Method::Get, []) = (request.method, rest) else { return Err(no_such_call(request)) };
    let mark = api.machine.wait_for_change(0, Duration::ZERO);
    let context = Context::read(api)?;
    let mailboxes = api.machine.store().lines::<Mailbox>()?;
    let extractors = api.machine.communication().extractors()?;
    let mut sum = Sum::default();
    // Names are no mail, but a book that cannot be read needs somebody all the same.
    let carried = mailboxes.iter().filter(|mailbox| !mailbox.is_directory());
    carried.clone().for_each(|mailbox| sum.add(context.last_pass(mailbox.id)));
    let attention = attention(api, &context, &mailboxes, &extractors);
    let present = extractors.iter().filter(|view| !view.line.revoked);
    let Disk { free_bytes, reserve_bytes } = api.machine.data().disk();
    Ok(Response::ok(json!({
        "mark": mark,
        "mailboxes": {
            "total": carried.count(), "not_started": sum.not_started, "queued": sum.queued, "running": sum.running,
            "waiting": sum.waiting, "finished": sum.finished, "stopped": sum.stopped, "trial": sum.trial,
        },
        "next_try_unix_ms": sum.next_try_unix_ms,
        "tally": tally_json(sum.tally),
        "extractors": {
            "total": present.clone().count(), "alive": present.filter(|view| is_alive(api, view)).count(),
        },
        "disk": {"free_bytes": free_bytes, "reserve_bytes": reserve_bytes, "full": free_bytes < reserve_bytes},
        "attention": attention.iter().take(API_PAGE_ENTRIES).collect::<Vec<_>>(),
        "attention_more": attention.len().saturating_sub(API_PAGE_ENTRIES),
    })))
}

/// `changes`: held open until something changed after the mark. Changes that follow at once are told together.
pub fn changes(api: &Api, request: &Request, rest: &[&str]) -> Result<Response, ApiError> {
    let (Method::Get, []) = (request.method, rest) else { return Err(no_such_call(request)) };
    let present = || api.machine.wait_for_change(0, Duration::ZERO);
    if let Some(after) = request.number("after")?
        && api.machine.wait_for_change(after, Duration::from_secs(NOTIFY_SECONDS)) != after
    {
        thread::sleep(Duration::from_millis(CHANGES_GATHERED_MS));
    }
    Ok(Response::ok(json!({"mark": present()})))
}

/// The last pass of each mailbox, added up.
#[derive(Default)]
struct Sum {
    not_started: u64,
    queued: u64,
    running: u64,
    waiting: u64,
    finished: u64,
    stopped: u64,
    /// Of the finished ones those that carried a few documents only.
    trial: u64,
    next_try_unix_ms: Option<i64>,
    tally: Tally,
}

impl Sum {
    fn add(&mut self, pass: Option<&PassLine>) {
        let Some(pass) = pass else {
            self.not_started += 1;
            return;
        };
        match &pass.state {
            PassState::Queued => self.queued += 1,
            PassState::Running => self.running += 1,
            PassState::Waiting { until_unix_ms, .. } => {
                self.waiting += 1;
                let earliest =
                    self.next_try_unix_ms.map_or(*until_unix_ms, |other| other.min(*until_unix_ms));
                self.next_try_unix_ms = Some(earliest);
            }
            PassState::Finished => self.finished += 1,
            PassState::Stopped => self.stopped += 1,
        }
        self.trial += u64::from(pass.state == PassState::Finished && pass.limit.is_some());
        let Tally { found, delivered, already_there, filtered_out, set_aside, removed_by_user, still_to_do } =
            pass.tally.into();
        let sum = &mut self.tally;
        sum.found += found;
        sum.delivered += delivered;
        sum.already_there += already_there;
        sum.filtered_out += filtered_out;
        sum.set_aside += set_aside;
        sum.removed_by_user += removed_by_user;
        sum.still_to_do += still_to_do;
    }
}

/// What needs somebody, in sentences; the worst first.
fn attention(
    api: &Api,
    context: &Context,
    mailboxes: &[Mailbox],
    extractors: &[ExtractorView],
) -> Vec<Value> {
    let mut found = Vec::new();
    if let Some(why) = api.machine.data().disk_full() {
        found.push(json!({"code": "disk_full", "sentence": format!("The disk is full: {why}.")}));
    }
    for view in extractors.iter().filter(|view| !view.line.revoked) {
        found.extend(extractor_attention(api, view));
    }
    for mailbox in mailboxes {
        let Some(pass) = context.last_pass(mailbox.id) else { continue };
        // An address book has no page of its own.
        let shown = Some(mailbox.id).filter(|_| !mailbox.is_directory());
        found.extend(pass_attention(pass, shown, &context.name(mailbox)));
    }
    found
}

fn extractor_attention(api: &Api, view: &ExtractorView) -> Option<Value> {
    let (id, host) = (view.line.id, &view.line.host);
    let (code, sentence) = match &view.restarted {
        _ if !is_alive(api, view) => {
            ("extractor_silent", format!("Extractor {id} on {host} gives no sign of life."))
        }
        Some((_, why)) => {
            ("extractor_restarted", format!("Extractor {id} on {host} was started again: {why}."))
        }
        None => return None,
    };
    Some(json!({"code": code, "sentence": sentence, "extractor": id}))
}

fn pass_attention(pass: &PassLine, mailbox: Option<MailboxNumber>, name: &str) -> Vec<Value> {
    let set_aside = Tally::from(pass.tally).set_aside;
    let told = |code: &str, sentence: String, until_unix_ms: Option<i64>| {
        json!({
            "code": code, "sentence": sentence, "mailbox": mailbox, "pass": pass.id,
            "until_unix_ms": until_unix_ms,
        })
    };
    let mut found = Vec::new();
    if let PassState::Waiting { until_unix_ms, failures, why } = &pass.state {
        let (code, sentence) = if keeps_failing(*failures) {
            ("keeps_failing", format!("{name} failed {failures} times: {why}."))
        } else {
            ("waiting", format!("{name} waits for its next try: {why}."))
        };
        found.push(told(code, sentence, Some(*until_unix_ms)));
    }
    if set_aside > 0 {
        let documents = if set_aside == 1 { "1 document is" } else { &format!("{set_aside} documents are") };
        found.push(told("set_aside", format!("{name}: {documents} set aside."), None));
    }
    if let Some(why) = &pass.not_final {
        found.push(told("not_final", format!("{name} needs another pass: {why}."), None));
    }
    found
}
