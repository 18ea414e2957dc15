//! `notesferry inspect`: what is in a Notes database, for anyone who has the file and no Notes client.
//!
//! `facts` finds out, `summary` prints a file, `note` prints one note, `extract` writes attachments to a folder.

mod extract;
pub mod facts;
mod note;
mod summary;

use crate::model::content::{Content, SourceItem};
use crate::modes::Failure;
use crate::modes::migrate::exports::Exports;
use crate::notes::ids::{NoteId, Unid};
use crate::sources::Source as _;
use crate::sources::dxl;
use crate::sources::nsf::{DaosFolders, NsfSource};
use crate::sources::{SourceError, nsf::database::Database};
use anyhow::Context as _;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Documents that are listed at a time.
const PAGE_ITEMS: u32 = 1000;

/// Shows what is in Notes databases, without a Notes client
#[derive(Debug, clap::Args)]
pub struct InspectArguments {
    /// The databases (.nsf) or templates (.ntf); they are only read. DXL exports are for migrate
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,

    /// Print one line of JSON for each file, with every document
    #[arg(long)]
    json: bool,

    /// Print all items of one note: its UNID (32 digits) or its note id (8 digits)
    #[arg(long, value_name = "UNID", conflicts_with = "json")]
    note: Option<String>,

    /// A folder in which a Domino server keeps attachments of these databases (DAOS, files that end in .nlo); may be
    /// given several times
    #[arg(long, value_name = "FOLDER")]
    daos: Vec<PathBuf>,

    /// Write the attachments into this folder: of the note named by --note, or of all documents
    #[arg(long, value_name = "DIR")]
    attachments: Option<PathBuf>,

    /// List what no other mail system takes over, such as mail rules, delegation, out-of-office and who has access, in
    /// this folder: a table (CSV) and a page for each database
    #[arg(long, value_name = "FOLDER", conflicts_with = "note")]
    exports: Option<PathBuf>,
}

/// Looks at every file; one that cannot be read does not keep the others from being looked at. Gives the number of
/// files and notes that could not be read.
///
/// # Errors
/// When the output cannot be written.
pub fn run(arguments: &InspectArguments, out: &mut dyn Write) -> anyhow::Result<usize> {
    let mut failed = 0;
    for (k, path) in arguments.files.iter().enumerate() {
        if k > 0 && !arguments.json {
            writeln!(out)?;
        }
        match inspect(arguments, path, out) {
            Ok(()) => {}
            Err(error) if error.downcast_ref::<std::io::Error>().is_some() => return Err(error),
            Err(error) => {
                eprintln!("notesferry: {error:#}");
                failed += 1;
            }
        }
    }
    Ok(failed)
}

fn inspect(arguments: &InspectArguments, path: &Path, out: &mut dyn Write) -> anyhow::Result<()> {
    anyhow::ensure!(
        !dxl::is_dxl_file(path),
        "{} is a DXL export, and inspect looks into databases; `migrate --dry-run --all-documents` tells what is in it",
        path.display()
    );
    if let Some(text) = &arguments.note {
        let mut source = open(arguments, path)?;
        let id = find_note(source.database(), text).with_context(|| format!("in {}", path.display()))?;
        note::print(&source, id, out)?;
        if let Some(folder) = &arguments.attachments {
            extract::of_note(&mut source, id, folder, out)?;
        }
        return Ok(());
    }
    let facts = facts::read(path, open(arguments, path)?)?;
    if arguments.json {
        serde_json::to_writer(&mut *out, &facts).map_err(std::io::Error::from)?;
        writeln!(out)?;
    } else {
        summary::print(&facts, out)?;
    }
    if let Some(folder) = &arguments.attachments {
        let mut messages: Vec<u8> = Vec::new();
        extract::of_documents(&mut open(arguments, path)?, folder, &mut messages)?;
        tell(arguments, &messages, out)?;
    }
    if let Some(folder) = &arguments.exports {
        let owner = facts.owner.as_deref().unwrap_or(&facts.file);
        let sentence = export(&mut open(arguments, path)?, owner, path, folder)?;
        tell(arguments, format!("\n{sentence}\n").as_bytes(), out)?;
    }
    Ok(())
}

/// Tells what was written to files. With --json the standard output is for machines.
fn tell(arguments: &InspectArguments, message: &[u8], out: &mut dyn Write) -> std::io::Result<()> {
    if arguments.json { std::io::stderr().write_all(message) } else { out.write_all(message) }
}

/// Writes what no other mail system takes over. The files are named after the whole path, because many mailboxes may
/// have one name.
fn export(source: &mut NsfSource, owner: &str, path: &Path, folder: &Path) -> anyhow::Result<String> {
    let told = |failure: Failure| anyhow::Error::msg(failure.sentence);
    let mut exports = Exports::begin(folder).map_err(told)?;
    // Lists that cannot be read are among the warnings of the summary.
    exports.add_access(&source.access().unwrap_or_default());
    source.profiles().iter().for_each(|note| exports.add(note));
    let mut from = None;
    loop {
        let page = source.list(from, PAGE_ITEMS)?;
        for item in page.items {
            // So are documents.
            if let Ok(SourceItem { content: Content::Note { note, .. }, .. }) = source.open(item.id) {
                exports.add(&note);
            }
        }
        from = page.next;
        if from.is_none() {
            return exports.finish(owner, &path.to_string_lossy()).map_err(told);
        }
    }
}

fn open(arguments: &InspectArguments, path: &Path) -> Result<NsfSource, SourceError> {
    Ok(NsfSource::open(path)?.with_daos(DaosFolders::open(&arguments.daos)?))
}

/// The note that a UNID or note id names.
fn find_note(database: &Database, text: &str) -> anyhow::Result<NoteId> {
    if let Ok(unid) = text.parse::<Unid>() {
        return database.find(unid).with_context(|| format!("there is no note with the UNID {unid}"));
    }
    let digits = text.strip_prefix("NT").unwrap_or(text);
    let id = u32::from_str_radix(digits, 16).ok().filter(|_| digits.len() <= 8);
    let id = NoteId(id.with_context(|| {
        format!(
            "`{text}` is neither a UNID (32 hexadecimal digits) nor a note id (up to 8); --json lists both"
        )
    })?);
    database.note_unid(id).map(|_| id).with_context(|| format!("there is no note with the id {id}"))
}

/// Whether an error of `inspect` means that the file could not be read at all.
pub fn is_source_error(error: &anyhow::Error) -> bool {
    error.downcast_ref::<SourceError>().is_some()
}

/// A number with thin grouping for people: 1234567 is 1,234,567.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (k, digit) in digits.chars().enumerate() {
        if k > 0 && (digits.len() - k).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Words for a count: `1 document`, `12 documents`.
fn counted(number: u64, noun: &str) -> String {
    let s = if number == 1 { "" } else { "s" };
    format!("{} {noun}{s}", grouped(number))
}

/// Text that a terminal can show: line ends and control characters become visible spaces, long text is cut.
pub(super) fn printable(text: &str, limit: usize) -> String {
    let mut shown: String = text.chars().take(limit).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.chars().nth(limit).is_some() {
        shown.push_str("...");
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped() {
        assert_eq!([0, 999, 1000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!([counted(1, "note"), counted(2000, "note")], ["1 note", "2,000 notes"]);
    }

    #[test]
    fn control_characters_do_not_reach_the_terminal() {
        assert_eq!(printable("a\u{1b}[2Jb\nc", 80), "a [2Jb c");
        assert_eq!(printable("abcdef", 3), "abc...");
    }
}
