//! Watching passes: a line for each change, and for a single pass the sentence and exit code that `migrate` ends with.

use super::{Admin, table, usage};
use crate::model::loss::SetAsideReason;
use crate::modes::migrate::report;
use crate::modes::{Exit, Failure};
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};

/// Watches one pass to its end.
pub fn pass(admin: &Admin, number: u64) -> Result<Exit, Failure> {
    let mut watch = Watch::new(admin, Some(number));
    loop {
        let passes = watch.next()?;
        let is_this = |pass: &&Value| pass["id"] == number;
        let Some(pass) = passes.iter().find(is_this) else {
            return Err(usage(format!("there is no pass {number}")));
        };
        match pass["state"].as_str() {
            Some("finished") => return end(admin, pass, false),
            Some("stopped") => return end(admin, pass, true),
            _ => {}
        }
    }
}

/// Watches all passes until the server ends.
pub fn all(admin: &Admin) -> Result<Exit, Failure> {
    let mut watch = Watch::new(admin, None);
    loop {
        watch.next()?;
    }
}

struct Watch<'a> {
    admin: &'a Admin,
    only: Option<u64>,
    mark: Option<u64>,
    /// What was last told of each pass.
    told: HashMap<u64, String>,
}

impl<'a> Watch<'a> {
    fn new(admin: &'a Admin, only: Option<u64>) -> Self {
        Self { admin, only, mark: None, told: HashMap::new() }
    }

    /// The passes after the next change, or after a while.
    fn next(&mut self) -> Result<Vec<Value>, Failure> {
        let path = self.mark.map_or_else(|| "passes".to_owned(), |mark| format!("passes?after={mark}"));
        let mut answer = self.admin.client.get(&path)?;
        self.mark = answer["mark"].as_u64();
        let Value::Array(passes) = answer["passes"].take() else { return Ok(Vec::new()) };
        for pass in &passes {
            self.tell(pass);
        }
        Ok(passes)
    }

    fn tell(&mut self, pass: &Value) {
        let Some(id) = pass["id"].as_u64().filter(|id| self.only.is_none_or(|only| only == *id)) else {
            return;
        };
        let tally = table::tally(pass);
        let line = format!(
            "Pass {id} of mailbox {}, {}: {} found, {}",
            pass["mailbox"],
            table::state(pass),
            tally.found,
            report::columns(&tally)
        );
        if self.told.get(&id) != Some(&line) {
            self.admin.result(&json!({"event": "progress", "pass": pass}), &line);
            self.told.insert(id, line);
        }
    }
}

/// The pass is over.
fn end(admin: &Admin, pass: &Value, stopped: bool) -> Result<Exit, Failure> {
    let number = pass["mailbox"].as_u64().unwrap_or_default();
    let mailbox = admin.client.get(&format!("mailboxes/{number}"))?;
    let tally = table::tally(pass);
    let mut reasons = BTreeMap::new();
    if tally.set_aside > 0 {
        admin.each_set_aside(number, |item| {
            let reason = item["reason"].as_str().and_then(SetAsideReason::from_name);
            *reasons.entry(reason.map_or("other", SetAsideReason::name)).or_default() += 1;
        })?;
    }
    let (source, target) = (table::source(&mailbox), table::text(&mailbox["target"]));
    let mut sentence = report::closing_sentence(&source, &target, &tally, stopped, &reasons);
    report::add_not_final(&mut sentence, pass["not_final"].as_str());
    if let Some(copies) = pass["left_behind"].as_u64().filter(|copies| *copies > 0) {
        sentence.push_str(&format!(
            " Left beside newer ones, because the target does not let us take them out: {copies} older ({}).",
            table::text(&pass["left_behind_places"])
        ));
    }
    let exit = if stopped { Exit::Stopped } else { report::complete_or_not(&tally) };
    let answer = json!({"event": "end", "exit": exit.code(), "sentence": sentence, "pass": pass});
    admin.result(&answer, &sentence);
    Ok(exit)
}
