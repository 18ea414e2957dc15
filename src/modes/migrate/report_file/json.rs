//! A report for programs: the sum, folders and groups, and every document that was set aside.
//!
//! The list of documents comes first, so that it can be written while they are settled.

use super::{FolderLine, Line, Unfinished, Whole, columns, ids, time};
use crate::conversion::CONVERTER_VERSION;
use crate::model::summary::{Detail, Example, Group};
use serde_json::{Value, json};
use std::io::{self, Write as _};

pub struct JsonReport {
    file: Unfinished,
    lines: u64,
}

impl JsonReport {
    pub fn begin(mut file: Unfinished) -> io::Result<Self> {
        write!(file, "{{\"set_aside\":[")?;
        Ok(Self { file, lines: 0 })
    }

    pub fn add(&mut self, line: &Line<'_>) -> io::Result<()> {
        let Some(why) = line.set_aside else { return Ok(()) };
        let [replica, unid] = ids(line.origin);
        let comma = if self.lines == 0 { "" } else { "," };
        self.lines += 1;
        let object = json!({
            "reason": why.reason.name(), "detail": why.detail, "what_to_do": why.reason.advice(), "unid": unid,
            "replica_id": replica, "subject": line.about.subject, "date": time(line.about.date_unix_ms),
        });
        write!(self.file, "{comma}\n{object}")
    }

    pub fn finish(mut self, whole: &Whole<'_>) -> io::Result<()> {
        let rest = rest(whole).to_string();
        let rest = rest.strip_prefix('{').unwrap_or_default();
        write!(self.file, "],\n{rest}\n")?;
        self.file.finish()
    }
}

fn rest(whole: &Whole<'_>) -> Value {
    let Whole { facts, ending, summary, folders, left_out } = whole;
    let sum = columns(&ending.tally).map(|(name, count)| (name.replace(' ', "_"), json!(count)));
    let losses = summary.losses_by_frequency().into_iter().map(|(kind, group)| {
        let mut value = group_json(group);
        value["kind"] = json!(kind.name());
        value["meaning"] = json!(kind.explanation());
        value
    });
    let reasons: serde_json::Map<String, Value> = summary
        .set_aside
        .iter()
        .map(|(reason, group)| (reason.name().to_owned(), json!(group.items)))
        .collect();
    let settings: serde_json::Map<String, Value> =
        facts.settings.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
    json!({
        "sentence": ending.sentence, "exit": ending.exit.code(), "final": ending.not_final.is_none(),
        "not_final": ending.not_final, "sum": Value::Object(sum.into_iter().collect()),
        "set_aside_reasons": reasons, "losses": losses.collect::<Vec<_>>(), "filtered_out": left_out,
        "folders": folders.iter().map(folder_json).collect::<Vec<_>>(), "left_behind": ending.left_behind,
        "source": facts.source, "title": facts.title, "owner": facts.owner, "target": facts.target,
        "warnings": facts.warnings, "settings": settings, "started": time(Some(facts.started_unix_ms)),
        "ended": time(Some(ending.ended_unix_ms)), "program": env!("CARGO_PKG_VERSION"),
        "converter": CONVERTER_VERSION,
    })
}

fn folder_json(line: &FolderLine) -> Value {
    let FolderLine { target, sources, at_source, at_target } = line;
    json!({"target": target, "sources": sources, "documents_at_source": at_source, "messages_at_target": at_target})
}

fn group_json(group: &Group) -> Value {
    let examples: Vec<Value> = group.examples.iter().map(example_json).collect();
    let most_often: Vec<Value> = group
        .most_often()
        .into_iter()
        .map(|Detail { text, items }| json!({"detail": text, "items": items}))
        .collect();
    json!({"items": group.items, "most_often": most_often, "examples": examples})
}

fn example_json(example: &Example) -> Value {
    let Example { origin, about, folder, detail } = example;
    let [replica, unid] = ids(*origin);
    json!({
        "unid": unid, "replica_id": replica, "subject": about.subject, "date": time(about.date_unix_ms),
        "folder": folder.as_ref().map(ToString::to_string), "detail": detail,
    })
}
