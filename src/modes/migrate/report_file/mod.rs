//! `--report`: what became of a mailbox, as files for the administrator.
//!
//! A table with a line for every document (CSV), everything else for programs (JSON), and a page for people (HTML).
//! Lines go to disk as documents are settled, so memory does not grow with the mailbox. Files are written beside their
//! names and take them when they are whole: a report that is there is complete.

mod csv;
pub mod html;
mod json;

use self::csv::CsvReport;
pub use self::csv::harmless;
use self::json::JsonReport;
use crate::base::limits::{REPORT_LOSS_EXAMPLES, REPORT_SET_ASIDE_EXAMPLES};
use crate::conversion;
use crate::model::filter::{FolderMap, LeftOut};
use crate::model::folder::{Folder, FolderPath, FolderRole};
use crate::model::item::Origin;
use crate::model::loss::{Loss, SetAside};
use crate::model::outcome::Tally;
use crate::model::summary::{About, Summary};
use crate::modes::{Exit, Failure};
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

/// What is known before the first document.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    pub source: String,
    pub title: String,
    pub owner: Option<String>,
    pub target: String,
    /// Options that were given, with their values.
    pub settings: Vec<(&'static str, String)>,
    pub warnings: Vec<String>,
    pub started_unix_ms: i64,
    pub folders: Vec<Folder>,
    pub folder_map: FolderMap,
}

/// One document and what became of it.
pub struct Line<'a> {
    /// `None` for one that the source cannot identify.
    pub origin: Option<Origin>,
    pub outcome: &'static str,
    pub set_aside: Option<&'a SetAside>,
    pub left_out: Option<LeftOut>,
    pub about: &'a About,
    /// Where it lies at the target.
    pub folders: &'a [FolderPath],
    pub losses: &'a [Loss],
}

impl<'a> Line<'a> {
    /// A document that lies nowhere and lost nothing.
    pub fn new(origin: Option<Origin>, outcome: &'static str, about: &'a About) -> Self {
        Self { origin, outcome, set_aside: None, left_out: None, about, folders: &[], losses: &[] }
    }
}

/// What is known after the last document.
pub struct Ending<'a> {
    pub exit: Exit,
    pub sentence: &'a str,
    pub tally: Tally,
    /// Why another run is needed.
    pub not_final: Option<&'a str>,
    pub left_behind: &'a [String],
    pub ended_unix_ms: i64,
}

/// The files of one report while they are written.
pub struct ReportFiles {
    facts: Facts,
    csv: Option<CsvReport>,
    json: Option<JsonReport>,
    html: Option<Unfinished>,
    summary: Summary,
    at_target: BTreeMap<FolderPath, u64>,
    left_out: BTreeMap<String, u64>,
    /// The first thing that went wrong; nothing is written after it.
    error: Option<io::Error>,
}

/// A folder at the target, with the folders of the source that it stands for.
struct FolderLine {
    target: String,
    sources: Vec<String>,
    /// Documents in the lists of these folders; `None` where the source keeps no list.
    at_source: Option<u64>,
    at_target: u64,
}

impl ReportFiles {
    /// Begins a report: one file if the path ends in `.csv`, `.json` or `.html`, else a folder with all three.
    ///
    /// # Errors
    /// When a file cannot be made; then nothing was migrated yet.
    pub fn create(path: &Path) -> Result<Self, Failure> {
        Self::create_files(path).map_err(|error| {
            Failure::new(Exit::Usage, format!("the report {} cannot be written: {error}", path.display()))
        })
    }

    fn create_files(path: &Path) -> io::Result<Self> {
        let ending = path.extension().map(|ending| ending.to_ascii_lowercase());
        let one = |wanted: &str| ending.as_ref().is_some_and(|ending| ending == wanted) && !path.is_dir();
        let all = !(one("csv") || one("json") || one("html") || one("htm"));
        if all {
            fs::create_dir_all(path)?;
        }
        let file = |wanted: bool, name: &str| {
            let path = if all { path.join(name) } else { path.to_owned() };
            (wanted || all).then(|| Unfinished::create(path)).transpose()
        };
        Ok(Self {
            facts: Facts::default(),
            csv: file(one("csv"), "documents.csv")?.map(CsvReport::begin).transpose()?,
            json: file(one("json"), "report.json")?.map(JsonReport::begin).transpose()?,
            html: file(one("html") || one("htm"), "report.html")?,
            summary: Summary::new(REPORT_LOSS_EXAMPLES, REPORT_SET_ASIDE_EXAMPLES),
            at_target: BTreeMap::new(),
            left_out: BTreeMap::new(),
            error: None,
        })
    }

    /// The source is open.
    pub fn begin(&mut self, facts: Facts) {
        self.facts = facts;
    }

    /// A document is done with.
    pub fn add(&mut self, line: &Line<'_>) {
        for folder in line.folders {
            *self.at_target.entry(folder.clone()).or_default() += 1;
        }
        if let Some(why) = line.left_out {
            *self.left_out.entry(why.to_string()).or_default() += 1;
        }
        match line.set_aside {
            Some(why) => self.summary.add_set_aside(line.origin, line.about, line.folders, why),
            None => self.summary.add_losses(line.origin, line.about, line.folders, line.losses),
        }
        if self.error.is_none() {
            self.error = self.write(line).err();
        }
    }

    fn write(&mut self, line: &Line<'_>) -> io::Result<()> {
        self.csv.as_mut().map_or(Ok(()), |csv| csv.add(line))?;
        self.json.as_mut().map_or(Ok(()), |json| json.add(line))
    }

    /// Completes the files.
    ///
    /// # Errors
    /// When one could not be written, now or earlier.
    pub fn finish(mut self, ending: &Ending<'_>) -> io::Result<()> {
        if let Some(error) = self.error.take() {
            return Err(error);
        }
        let folders = self.folder_lines();
        if let Some(csv) = self.csv {
            csv.finish()?;
        }
        let whole = Whole {
            facts: &self.facts,
            ending,
            summary: &self.summary,
            folders: &folders,
            left_out: &self.left_out,
        };
        if let Some(json) = self.json {
            json.finish(&whole)?;
        }
        if let Some(mut html) = self.html {
            html.write_all(html::page(&whole).as_bytes())?;
            html.finish()?;
        }
        Ok(())
    }

    fn folder_lines(&self) -> Vec<FolderLine> {
        let mut lines: BTreeMap<String, FolderLine> = BTreeMap::new();
        let new = |target: String| FolderLine { target, sources: Vec::new(), at_source: None, at_target: 0 };
        for folder in &self.facts.folders {
            let target = conversion::target_folder(folder).map(|path| self.facts.folder_map.apply(&path));
            let target = target.map(|path| path.to_string()).unwrap_or_default();
            let line = lines.entry(target.clone()).or_insert_with(|| new(target));
            line.sources.push(folder.path.to_string());
            // The views of drafts and sent mail have no list of their own.
            if !matches!(folder.role, FolderRole::Drafts | FolderRole::Sent) || folder.documents > 0 {
                line.at_source = Some(line.at_source.unwrap_or_default() + folder.documents);
            }
        }
        for (path, count) in &self.at_target {
            let target = path.to_string();
            lines.entry(target.clone()).or_insert_with(|| new(target)).at_target = *count;
        }
        lines.into_values().collect()
    }
}

/// Everything that a report tells beside its lines.
pub struct Whole<'a> {
    facts: &'a Facts,
    ending: &'a Ending<'a>,
    summary: &'a Summary,
    folders: &'a [FolderLine],
    left_out: &'a BTreeMap<String, u64>,
}

/// The columns of the sum, in its order.
fn columns(tally: &Tally) -> [(&'static str, u64); 7] {
    [
        ("found", tally.found),
        ("delivered", tally.delivered),
        ("already there", tally.already_there),
        ("filtered out", tally.filtered_out),
        ("removed by the user", tally.removed_by_user),
        ("set aside", tally.set_aside),
        ("still to do", tally.still_to_do),
    ]
}

/// The replica and the document, each in the form in which Notes shows it.
fn ids(origin: Option<Origin>) -> [String; 2] {
    match origin {
        Some(Origin::Notes { replica, unid }) => [replica.to_string(), unid.to_string()],
        None => [String::new(), String::new()],
    }
}

/// A point in time for people and for spreadsheets, in UTC; empty where there is none.
fn time(unix_ms: Option<i64>) -> String {
    let instant = unix_ms.and_then(|ms| Timestamp::from_millisecond(ms).ok());
    instant.map_or_else(String::new, |instant| instant.strftime("%Y-%m-%d %H:%M:%S").to_string())
}

/// A file that is not whole yet.
struct Unfinished {
    path: PathBuf,
    writer: BufWriter<File>,
}

impl Unfinished {
    fn create(path: PathBuf) -> io::Result<Self> {
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        Ok(Self { writer: BufWriter::new(File::create(part_of(&path))?), path })
    }

    fn finish(mut self) -> io::Result<()> {
        self.writer.flush()?;
        self.writer.get_ref().sync_all()?;
        fs::rename(part_of(&self.path), &self.path)
    }
}

impl Write for Unfinished {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.writer.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

fn part_of(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".part");
    path.with_file_name(name)
}

#[cfg(test)]
mod tests;
