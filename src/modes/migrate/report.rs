//! What `migrate` prints: for a person at a terminal, for a log file, or as JSON for a program.
//!
//! Progress goes to standard error, the result to standard output; with `--json` everything is on standard output, one
//! object a line.

use crate::conversion::Converted;
use crate::destinations::Place;
use crate::model::content::SourceItemId;
use crate::model::filter::{FolderMap, LeftOut};
use crate::model::folder::{Folder, FolderPath};
use crate::model::item::{MailboxId, Origin};
use crate::model::loss::{Loss, SetAside, SetAsideReason};
use crate::model::outcome::Tally;
use crate::model::summary::About;
use crate::modes::migrate::preview::Preview;
use crate::modes::migrate::report_file::{Ending, Facts, Line, ReportFiles};
use crate::modes::{Exit, Failure};
use crate::server::delivery::{End, Settled};
use crate::sources::SourceInfo;
use indicatif::{ProgressBar, ProgressStyle};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{self, IsTerminal, Write};

/// Set-aside items, and copies left behind, that are listed for a person; `--json` lists all.
const LISTED: usize = 20;

/// Documents between two lines of progress in a log file.
const DOCUMENTS_A_LINE: u64 = 1_000;

enum Progress {
    Json,
    Terminal(ProgressBar),
    Lines { next: u64 },
}

/// Collects what happens and prints it.
pub struct Reporter {
    progress: Progress,
    source: String,
    target: String,
    listed: Vec<String>,
    reasons: BTreeMap<&'static str, u64>,
    losses: BTreeMap<&'static str, u64>,
    left_behind: Vec<String>,
    files: Option<ReportFiles>,
    last: Tally,
}

impl Reporter {
    /// A reporter for JSON, for the terminal, or for a log file if standard error is none; it fills the files of a
    /// report too.
    pub fn new(json: bool, files: Option<ReportFiles>) -> Self {
        let progress = match json {
            true => Progress::Json,
            false if io::stderr().is_terminal() => {
                let style = ProgressStyle::with_template("{spinner} {pos} documents, {per_sec}: {msg}");
                let bar = ProgressBar::new_spinner();
                Progress::Terminal(style.map_or(bar.clone(), |style| bar.with_style(style)))
            }
            false => Progress::Lines { next: DOCUMENTS_A_LINE },
        };
        Self {
            progress,
            source: String::new(),
            target: String::new(),
            listed: Vec::new(),
            reasons: BTreeMap::new(),
            losses: BTreeMap::new(),
            left_behind: Vec::new(),
            files,
            last: Tally::default(),
        }
    }

    /// The source is open.
    pub fn begin(
        &mut self,
        source: &str,
        target: &MailboxId,
        info: &SourceInfo,
        folders: &[Folder],
        settings: Vec<(&'static str, String)>,
        folder_map: &FolderMap,
    ) {
        self.source = source.to_owned();
        self.target.clone_from(&target.0);
        let SourceInfo { title, owner, warnings, .. } = info;
        if let Some(files) = &mut self.files {
            files.begin(Facts {
                source: source.to_owned(),
                title: title.clone(),
                owner: owner.clone(),
                target: target.0.clone(),
                settings,
                folder_map: folder_map.clone(),
                warnings: warnings.clone(),
                started_unix_ms: Timestamp::now().as_millisecond(),
                folders: folders.to_vec(),
            });
        }
        if self.is_json() {
            let folders = folders.len();
            return self.object(json!({
                "event": "begin", "source": source, "target": target.0, "title": title, "folders": folders,
                "warnings": warnings,
            }));
        }
        let title = if title.is_empty() { String::new() } else { format!(" ({title})") };
        self.line(&format!("Reading {source}{title}, {} folders.", folders.len()));
        warnings.iter().for_each(|warning| self.line(&format!("Note: {warning}")));
    }

    /// Items that are done with.
    pub fn settled(&mut self, settled: &[Settled]) {
        for Settled { origin, end, losses, earlier_losses, about, folders } in settled {
            if let End::SetAside(aside) = end {
                self.set_aside(Some(*origin), aside, about, folders);
                continue;
            }
            let outcome = outcome(end);
            self.count_losses(losses);
            let all = [losses.as_slice(), earlier_losses].concat();
            let left_out = left_out(end);
            let line = Line { left_out, folders, losses: &all, ..Line::new(Some(*origin), outcome, about) };
            self.file(&line);
            if self.is_json() {
                let losses: Vec<Value> = losses.iter().map(loss_json).collect();
                self.object(json!({
                    "event": "item", "key": origin.to_string(), "outcome": outcome, "losses": losses,
                }));
            }
        }
    }

    /// An item that a real run would deliver.
    pub fn would_deliver(&mut self, origin: Origin, about: &About, converted: &Converted) {
        self.count_losses(&converted.losses);
        let outcome = "would be delivered";
        let (folders, losses) = (&*converted.placements, &*converted.losses);
        self.file(&Line { folders, losses, ..Line::new(Some(origin), outcome, about) });
        if self.is_json() {
            let folders: Vec<String> = converted.placements.iter().map(ToString::to_string).collect();
            let losses: Vec<Value> = converted.losses.iter().map(loss_json).collect();
            self.object(json!({
                "event": "item", "key": origin.to_string(), "outcome": outcome, "folders": folders,
                "losses": losses,
            }));
        }
    }

    /// An item that is not delivered.
    pub fn set_aside(
        &mut self,
        origin: Option<Origin>,
        aside: &SetAside,
        about: &About,
        folders: &[FolderPath],
    ) {
        self.file(&Line { set_aside: Some(aside), folders, ..Line::new(origin, "set aside", about) });
        *self.reasons.entry(aside.reason.name()).or_default() += 1;
        let key = origin.map(|origin| origin.to_string());
        if self.is_json() {
            let (reason, detail) = (aside.reason.name(), aside.detail.as_str());
            self.object(json!({
                "event": "item", "key": key, "outcome": "set aside", "reason": reason, "detail": detail,
            }));
        } else if self.listed.len() < LISTED {
            let what = match origin {
                Some(Origin::Notes { unid, .. }) => format!("document {unid}"),
                None => "a document without identity".to_owned(),
            };
            let detail = if aside.detail.is_empty() { String::new() } else { format!(" ({})", aside.detail) };
            self.listed.push(format!("Set aside: {what}: {}{detail}", aside.reason));
        }
    }

    /// An item of which a preview knows the end without converting it.
    pub fn known(&mut self, origin: Origin, about: &About, end: &End) {
        self.file(&Line { left_out: left_out(end), ..Line::new(Some(origin), outcome(end), about) });
    }

    /// Something beside the migration was done.
    pub fn told(&self, sentence: &str) {
        if self.is_json() {
            return self.object(json!({"event": "exports", "sentence": sentence}));
        }
        self.line(sentence);
    }

    /// A line for the files of the report.
    fn file(&mut self, line: &Line<'_>) {
        if let Some(files) = &mut self.files {
            files.add(line);
        }
    }

    /// An item that the source lists and cannot identify.
    pub fn unreadable(&mut self, id: SourceItemId, why: &str) {
        let detail = format!("note {:08X}: {why}", id.0);
        let aside = SetAside::new(SetAsideReason::UnreadableNote, detail);
        self.set_aside(None, &aside, &About::default(), &[]);
    }

    /// Where the pass stands.
    pub fn progress(&mut self, tally: &Tally) {
        self.last = *tally;
        match &mut self.progress {
            Progress::Json => {}
            Progress::Terminal(bar) => {
                bar.set_position(tally.found);
                bar.set_message(columns(tally));
            }
            Progress::Lines { next } if tally.found >= *next => {
                *next = tally.found - tally.found % DOCUMENTS_A_LINE + DOCUMENTS_A_LINE;
                self.line(&format!("{} documents: {}", tally.found, columns(tally)));
            }
            Progress::Lines { .. } => {}
        }
    }

    /// Older copies that the target would not take out.
    pub fn left_behind<'a>(&mut self, places: impl Iterator<Item = &'a Place>) {
        for (folder, location) in places {
            if self.is_json() {
                let (folder, location) = (folder.to_string(), location.to_string());
                self.object(json!({"event": "left behind", "folder": folder, "location": location}));
            }
            self.left_behind.push(format!("{folder} ({location})"));
        }
        self.left_behind.sort();
    }

    /// The pass is over.
    pub fn end(
        &mut self,
        tally: &Tally,
        stopped: bool,
        not_final: Option<&str>,
        all_documents: bool,
    ) -> Exit {
        let exit = match stopped {
            true => Exit::Stopped,
            false => complete_or_not(tally),
        };
        let mut sentence = closing_sentence(&self.source, &self.target, tally, stopped, &self.reasons);
        self.add_advice(&mut sentence, not_final, all_documents);
        let exit = self.write_files(exit, &sentence, tally, not_final);
        self.close(exit, &sentence, tally, not_final, &[]);
        exit
    }

    /// The preview is over.
    pub fn end_preview(&mut self, preview: &Preview, not_final: Option<&str>, all_documents: bool) -> Exit {
        let tally = &preview.tally;
        let exit = complete_or_not(tally);
        let mut sentence = format!(
            "Nothing was written: of {} in {}, {} would be delivered to {}{}.",
            documents(tally.found),
            self.source,
            tally.delivered,
            self.target,
            rest(tally, &self.reasons),
        );
        self.add_advice(&mut sentence, not_final, all_documents);
        let counts = [("folder", &preview.folders), ("form", &preview.forms)];
        let exit = self.write_files(exit, &sentence, tally, not_final);
        self.close(exit, &sentence, tally, not_final, &counts);
        exit
    }

    /// Completes the files of the report. A migration that works is not stopped by a report that does not, but its end
    /// says so.
    fn write_files(&mut self, exit: Exit, sentence: &str, tally: &Tally, not_final: Option<&str>) -> Exit {
        let Some(files) = self.files.take() else { return exit };
        let ended_unix_ms = Timestamp::now().as_millisecond();
        let left_behind = &self.left_behind;
        let ending = Ending { exit, sentence, tally: *tally, not_final, left_behind, ended_unix_ms };
        match files.finish(&ending) {
            Ok(()) => exit,
            Err(error) => {
                self.line(&format!("The report could not be written: {error}."));
                Exit::Usage
            }
        }
    }

    /// The command ended before its work was done.
    pub fn fail(&mut self, failure: &Failure) {
        self.finish_bar();
        self.write_files(failure.exit, &failure.sentence, &{ self.last }, Some("it ended early"));
        if self.is_json() {
            let exit = failure.exit.code();
            return self.object(json!({"event": "end", "exit": exit, "sentence": failure.sentence}));
        }
        // Nobody is left to tell if this fails.
        let _ = writeln!(io::stderr(), "notesferry: {}", failure.sentence);
    }

    fn add_advice(&self, sentence: &mut String, not_final: Option<&str>, all_documents: bool) {
        if !all_documents && self.reasons.contains_key(SetAsideReason::UnknownForm.name()) {
            *sentence = format!(
                "{}; run with --all-documents to carry documents of unknown form too.",
                sentence.trim_end_matches('.')
            );
        }
        add_not_final(sentence, not_final);
    }

    fn close(
        &mut self,
        exit: Exit,
        sentence: &str,
        tally: &Tally,
        not_final: Option<&str>,
        counts: &[(&str, &BTreeMap<String, u64>)],
    ) {
        self.finish_bar();
        if self.is_json() {
            let mut end = json!({
                "event": "end", "exit": exit.code(), "sentence": sentence, "final": not_final.is_none(),
                "found": tally.found, "delivered": tally.delivered, "already_there": tally.already_there,
                "filtered_out": tally.filtered_out, "set_aside": tally.set_aside,
                "removed_by_user": tally.removed_by_user, "still_to_do": tally.still_to_do,
                "set_aside_reasons": self.reasons, "losses": self.losses, "left_behind": self.left_behind.len(),
            });
            counts.iter().for_each(|(name, counts)| end[format!("by_{name}")] = json!(counts));
            return self.object(end);
        }
        for (name, counts) in counts {
            for (what, count) in *counts {
                self.result(&format!("{count:>8}  {name} {what}"));
            }
        }
        self.listed.iter().for_each(|line| self.result(line));
        let unlisted = self.reasons.values().sum::<u64>() - self.listed.len() as u64;
        if unlisted > 0 {
            self.result(&format!("... and {unlisted} more; --json lists all of them"));
        }
        self.result_left_behind();
        if !self.losses.is_empty() {
            let losses: Vec<String> = self.losses.iter().map(|(kind, n)| format!("{kind}: {n}")).collect();
            self.result(&format!("Not carried over: {}.", losses.join(", ")));
        }
        self.result(sentence);
    }

    /// The target shows both versions of these mails: whoever looks after it can take the older one out.
    fn result_left_behind(&self) {
        if self.left_behind.is_empty() {
            return;
        }
        let copies = if self.left_behind.len() == 1 { "older copy" } else { "older copies" };
        let listed = self.left_behind.iter().take(LISTED).map(String::as_str).collect::<Vec<_>>().join(", ");
        let more = if self.left_behind.len() > LISTED { ", ..." } else { "" };
        self.result(&format!(
            "Left beside newer ones: {} {copies} that the target does not let us take out: {listed}{more}.",
            self.left_behind.len()
        ));
    }

    fn count_losses(&mut self, losses: &[Loss]) {
        losses.iter().for_each(|loss| *self.losses.entry(loss.kind.name()).or_default() += 1);
    }

    fn is_json(&self) -> bool {
        matches!(self.progress, Progress::Json)
    }

    fn finish_bar(&self) {
        if let Progress::Terminal(bar) = &self.progress {
            bar.finish_and_clear();
        }
    }

    /// A line for people who watch. Whether somebody reads it does not matter to the migration.
    fn line(&self, text: &str) {
        match &self.progress {
            Progress::Terminal(bar) => bar.println(text),
            Progress::Json | Progress::Lines { .. } => drop(writeln!(io::stderr(), "{text}")),
        }
    }

    fn result(&self, text: &str) {
        let _ = writeln!(io::stdout(), "{text}");
    }

    fn object(&self, object: Value) {
        self.result(&object.to_string());
    }
}

fn outcome(end: &End) -> &'static str {
    match end {
        End::SetAside(_) => "set aside",
        End::Delivered => "delivered",
        End::AlreadyThere | End::ReadSince => "already there",
        End::RemovedByUser => "removed by user",
        End::FilteredOut(_) => "filtered out",
    }
}

fn left_out(end: &End) -> Option<LeftOut> {
    match end {
        End::FilteredOut(why) => Some(*why),
        _ => None,
    }
}

fn loss_json(loss: &Loss) -> Value {
    json!({"kind": loss.kind.name(), "detail": loss.detail})
}

/// Says why a pass has to be repeated, if it has.
pub fn add_not_final(sentence: &mut String, not_final: Option<&str>) {
    if let Some(why) = not_final {
        sentence.push_str(&format!(" This is not final ({why}): run the same command again."));
    }
}

/// The exit code of a pass that looked at everything.
pub fn complete_or_not(tally: &Tally) -> Exit {
    if tally.set_aside == 0 { Exit::Complete } else { Exit::SomeSetAside }
}

fn documents(count: u64) -> String {
    if count == 1 { "1 document".to_owned() } else { format!("{count} documents") }
}

/// The columns of the sum that are not zero; `delivered` always.
pub fn columns(tally: &Tally) -> String {
    format!("{} delivered{}", tally.delivered, rest(tally, &BTreeMap::new()))
}

/// The columns of the sum after `delivered`, each behind a comma.
fn rest(tally: &Tally, reasons: &BTreeMap<&'static str, u64>) -> String {
    let mut text = String::new();
    let columns = [
        (tally.already_there, "already there"),
        (tally.filtered_out, "filtered out"),
        (tally.removed_by_user, "removed by the user"),
        (tally.set_aside, "set aside"),
        (tally.still_to_do, "still to do"),
    ];
    for (count, name) in columns.into_iter().filter(|(count, _)| *count > 0) {
        text.push_str(&format!(", {count} {name}"));
        if name == "set aside" && !reasons.is_empty() {
            let reasons: Vec<String> = reasons.iter().map(|(name, n)| format!("{name}: {n}")).collect();
            text.push_str(&format!(" ({})", reasons.join(", ")));
        }
    }
    text
}

/// What became of the documents, in a sentence.
pub fn closing_sentence(
    source: &str,
    target: &str,
    tally: &Tally,
    stopped: bool,
    reasons: &BTreeMap<&'static str, u64>,
) -> String {
    let columns = format!("{} delivered{}", tally.delivered, rest(tally, reasons));
    if stopped {
        let looked_at = documents(tally.found);
        return format!(
            "Stopped after {looked_at} of {source}: {columns}. Run the same command again to go on."
        );
    }
    match tally.found {
        0 => format!("{source} holds no documents."),
        1 if tally.set_aside + tally.filtered_out == 0 => {
            format!("The only document of {source} is in {target}: {columns}.")
        }
        found if tally.set_aside + tally.removed_by_user + tally.filtered_out == 0 => {
            format!("All {found} documents of {source} are in {target}: {columns}.")
        }
        found => format!("{} of {source} for {target}: {columns}.", documents(found)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sentence(tally: Tally, stopped: bool) -> String {
        let reasons = BTreeMap::from([("unknown form", tally.set_aside)]);
        let reasons = if tally.set_aside == 0 { BTreeMap::new() } else { reasons };
        closing_sentence("a.nsf", "maildir:/x", &tally, stopped, &reasons)
    }

    #[test]
    fn the_closing_sentence_says_what_became_of_the_documents() {
        let tally = Tally { found: 3, delivered: 3, ..Tally::default() };
        assert_eq!(sentence(tally, false), "All 3 documents of a.nsf are in maildir:/x: 3 delivered.");
        let tally = Tally { found: 3, already_there: 3, ..Tally::default() };
        let again = "All 3 documents of a.nsf are in maildir:/x: 0 delivered, 3 already there.";
        assert_eq!(sentence(tally, false), again);
        let tally = Tally { found: 3, delivered: 2, set_aside: 1, ..Tally::default() };
        let aside = "3 documents of a.nsf for maildir:/x: 2 delivered, 1 set aside (unknown form: 1).";
        assert_eq!(sentence(tally, false), aside);
        assert_eq!(sentence(Tally::default(), false), "a.nsf holds no documents.");
        let tally = Tally { found: 5, delivered: 5, ..Tally::default() };
        assert!(sentence(tally, true).starts_with("Stopped after 5 documents of a.nsf: 5 delivered."));
    }
}
