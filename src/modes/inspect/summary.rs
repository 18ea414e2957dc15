//! The text that `inspect` prints for a database.

use super::facts::{FileFacts, OutsideFacts, class_name};
use super::{counted, grouped, printable};
use indicatif::HumanBytes;
use std::collections::BTreeMap;
use std::io::{self, Write};

/// Columns of the labels on the left.
const LABEL: usize = 14;
/// Forms and folders beyond this many are summed up.
const LONGEST_LIST: usize = 40;

/// Prints everything but the documents themselves.
pub fn print(facts: &FileFacts, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{}", facts.file)?;
    let mut line = |label: &str, text: &str| match text {
        "" => Ok(()),
        text => writeln!(out, "  {label:LABEL$}{}", printable(text, 200)),
    };
    line("Title", &facts.title)?;
    let size = HumanBytes(facts.bytes);
    line("Kind", &format!("{}, ODS {} (Notes {}), {size}", facts.file_kind, facts.ods, facts.release))?;
    let (high, low) = facts.replica_id.split_at(8);
    line("Replica id", &format!("{high}:{low}"))?;
    line("Is template", &facts.template)?;
    line("Made from", &facts.inherits_from)?;
    line("Owner", facts.owner.as_deref().unwrap_or_default())?;
    line("In use", facts.in_use.as_deref().unwrap_or_default())?;
    let documents = facts.documents.len() as u64;
    line("Documents", &grouped(documents))?;
    line("Attachments", &attachments(facts))?;
    if let OutsideFacts { attachments: attachments @ 1.., found } = facts.outside {
        line("In DAOS", &format!("{}, {} of them found", counted(attachments, "file"), grouped(found)))?;
    }
    print_notes(facts, out)?;
    let mut forms = BTreeMap::new();
    for document in &facts.documents {
        *forms.entry(document.form.as_deref().unwrap_or("(no form)")).or_insert(0u64) += 1;
    }
    print_counts("Documents by form", forms.into_iter(), out)?;
    print_folders(facts, out)?;
    print_access(facts, out)?;
    let unread = facts.unread.iter().map(|(user, notes)| (user.as_str(), *notes as u64));
    print_counts("Unread marks", unread, out)?;
    print_damage(facts, out)
}

fn attachments(facts: &FileFacts) -> String {
    let files: Vec<_> = facts.documents.iter().flat_map(|document| &document.attachments).collect();
    if files.is_empty() {
        return String::new();
    }
    let bytes = HumanBytes(files.iter().map(|file| file.size).sum());
    let lost = files.iter().filter(|file| file.sha256.is_none()).count();
    let lost = if lost == 0 { String::new() } else { format!(", {lost} of them unreadable") };
    format!("{}, {bytes}{lost}", counted(files.len() as u64, "file"))
}

fn print_notes(facts: &FileFacts, out: &mut dyn Write) -> io::Result<()> {
    let notes = facts.notes.iter().map(|(class, count)| (class_name(class), *count));
    print_counts("Notes by class", notes, out)
}

/// A heading and lines of name and count, the largest first.
fn print_counts<'a>(
    heading: &str,
    counts: impl Iterator<Item = (&'a str, u64)>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut counts: Vec<_> = counts.map(|(name, count)| (printable(name, 60), count)).collect();
    if counts.is_empty() {
        return Ok(());
    }
    counts.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    writeln!(out, "\n  {heading}")?;
    let width = counts.iter().take(LONGEST_LIST).map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    for (name, count) in counts.iter().take(LONGEST_LIST) {
        writeln!(out, "    {name:width$}  {:>9}", grouped(*count))?;
    }
    if counts.len() > LONGEST_LIST {
        let rest = counts[LONGEST_LIST..].iter().map(|(_, count)| count).sum();
        writeln!(out, "    ... and {} more with {}", counts.len() - LONGEST_LIST, grouped(rest))?;
    }
    Ok(())
}

/// The folders as a tree: `Projects/Sales` stands below `Projects`.
fn print_folders(facts: &FileFacts, out: &mut dyn Write) -> io::Result<()> {
    if facts.folders.is_empty() {
        return Ok(());
    }
    let mut folders: Vec<_> = facts.folders.iter().collect();
    folders.sort_by(|a, b| a.path.cmp(&b.path));
    writeln!(out, "\n  Folders")?;
    let width = folders.iter().map(|folder| folder.path.chars().count()).max().unwrap_or(0);
    for folder in folders {
        let path = printable(&folder.path, 100);
        writeln!(out, "    {path:width$}  {:>9}  {}", grouped(folder.documents), folder.role)?;
    }
    Ok(())
}

fn print_access(facts: &FileFacts, out: &mut dyn Write) -> io::Result<()> {
    if facts.access.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n  Access")?;
    for (name, words) in facts.access.iter().take(LONGEST_LIST) {
        writeln!(out, "    {}: {}", printable(name, 100), printable(words, 200))?;
    }
    if facts.access.len() > LONGEST_LIST {
        writeln!(out, "    ... and {} more (--json lists all)", facts.access.len() - LONGEST_LIST)?;
    }
    Ok(())
}

fn print_damage(facts: &FileFacts, out: &mut dyn Write) -> io::Result<()> {
    let damaged = facts.documents.iter().filter(|document| !document.losses.is_empty());
    let damaged = damaged.map(|d| format!("document {} ({}): {}", d.unid, d.note_id, d.losses.join("; ")));
    let warnings: Vec<String> = facts.warnings.iter().cloned().chain(damaged).collect();
    if warnings.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n  Warnings")?;
    for warning in warnings.iter().take(LONGEST_LIST) {
        writeln!(out, "    ! {}", printable(warning, 300))?;
    }
    if warnings.len() > LONGEST_LIST {
        writeln!(out, "    ... and {} more (--json lists all)", warnings.len() - LONGEST_LIST)?;
    }
    Ok(())
}
