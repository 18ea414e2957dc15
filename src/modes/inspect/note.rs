//! The text that `inspect --note` prints: every item of a note in readable form.

use super::{counted, printable};
use crate::notes::ids::NoteId;
use crate::notes::item::{Item, ItemFlags};
use crate::notes::mime_part::MimePart;
use crate::notes::richtext::name::{Nesting, name, nesting};
use crate::notes::richtext::record::{LengthForm, Record, Records, Signature};
use crate::notes::value::{Text, Value};
use crate::sources::nsf::NsfSource;
use anyhow::anyhow;
use std::io::{self, Write};

const LABEL: usize = 14;
/// Columns of item names and of types.
const NAME: usize = 22;
const TYPE: usize = 16;
/// Characters of a value that are shown on its line.
const VALUE: usize = 400;
/// Deepest indentation of rich-text records.
const DEEPEST: usize = 20;

/// Prints a note of any class.
pub fn print(source: &NsfSource, id: NoteId, out: &mut dyn Write) -> anyhow::Result<()> {
    let (note, losses) = source.database().note(id).map_err(|damage| anyhow!("{damage}"))?;
    writeln!(out, "Note {} in \"{}\"", note.unid, source.database().header().title)?;
    let mut line = |label: &str, text: String| writeln!(out, "  {label:LABEL$}{text}");
    line("Note id", note.note_id.to_string())?;
    line("Class", note.class.name().to_owned())?;
    line("Version", format!("{} of {}", note.sequence, note.sequence_time))?;
    line("Modified", note.modified.to_string())?;
    line("Added", note.added.to_string())?;
    if let Some(parent) = note.parent {
        line("Answers note", parent.to_string())?;
    }
    line("Items", note.items.len().to_string())?;
    writeln!(out)?;
    for item in &note.items {
        print_item(item, out)?;
    }
    for loss in losses {
        writeln!(out, "  ! {}", printable(&loss, VALUE))?;
    }
    Ok(())
}

fn print_item(item: &Item, out: &mut dyn Write) -> io::Result<()> {
    let kind = item.item_type.name().map_or_else(|| format!("type {:04X}", item.item_type.0), str::to_owned);
    let flags = flags(item.flags);
    write!(out, "  {:NAME$}  {kind:TYPE$}  ", printable(&item.name, 60))?;
    match item.value() {
        Ok(Value::RichText(records)) => {
            writeln!(out, "{}{flags}", counted(Records::new(records).count() as u64, "record"))?;
            print_records(records, out)
        }
        Ok(Value::MimePart(part)) => {
            writeln!(out, "{:?}{flags}", part.kind)?;
            print_mime_part(&part, out)
        }
        Ok(value) => writeln!(out, "{}{flags}", printable(&show(&value, item.value.len()), VALUE)),
        Err(error) => writeln!(out, "! {error}"),
    }
}

/// The flags that mean something to a reader.
fn flags(flags: ItemFlags) -> String {
    let names = [
        (ItemFlags::SIGN, "signed"),
        (ItemFlags::SEAL, "sealable"),
        (ItemFlags::AUTHORS, "authors"),
        (ItemFlags::NAMES, "names"),
        (ItemFlags::READERS, "readers"),
        (ItemFlags::PROTECTED, "protected"),
    ];
    let set: Vec<_> = names.iter().filter(|(flag, _)| flags.has(*flag)).map(|(_, name)| *name).collect();
    if set.is_empty() { String::new() } else { format!("  [{}]", set.join(", ")) }
}

fn show(value: &Value<'_>, stored_bytes: usize) -> String {
    let list = |texts: Vec<String>| texts.join("; ");
    match value {
        Value::Text(text) | Value::UserId(text) | Value::Html(text) => text.text.clone(),
        Value::TextList(texts) => list(texts.iter().map(|text| text.text.clone()).collect()),
        Value::Rfc822(header) => {
            let part = |bytes| String::from_utf8_lossy(bytes).into_owned();
            part(header.name) + &part(header.delimiter) + part(header.body).trim_end()
        }
        Value::Numbers(numbers) => {
            let pairs = numbers.pairs.iter().map(|[from, to]| format!("{from} to {to}"));
            list(numbers.singles.iter().map(ToString::to_string).chain(pairs).collect())
        }
        Value::Times(times) => {
            let pairs = times.pairs.iter().map(|[from, to]| format!("{from} to {to}"));
            list(times.singles.iter().map(ToString::to_string).chain(pairs).collect())
        }
        Value::NoteRefs(unids) => list(unids.iter().map(ToString::to_string).collect()),
        Value::NoteLinks(links) => {
            let link = |link: &crate::notes::value::NoteLink| {
                format!("{} in view {} of {}", link.document, link.view, link.replica)
            };
            list(links.iter().map(link).collect())
        }
        Value::Object { object_type, object_id } => format!("object {object_id:08X} of type {object_type}"),
        Value::File(file) => {
            format!("{} ({} bytes, {:?}, of {})", file.name.text, file.size, file.compression, file.modified)
        }
        Value::RichText(_) | Value::MimePart(_) | Value::Opaque(_) => counted(stored_bytes as u64, "byte"),
    }
}

fn print_mime_part(part: &MimePart<'_>, out: &mut dyn Write) -> io::Result<()> {
    for (what, bytes) in [("boundary", part.boundary), ("headers", part.headers)] {
        for line in String::from_utf8_lossy(bytes).lines().filter(|line| !line.is_empty()) {
            writeln!(out, "      {what:10}{}", printable(line, VALUE))?;
        }
    }
    if part.body_in_object() {
        return writeln!(
            out,
            "      {:10}in attachment {}",
            "body",
            printable(&Text::decode(part.body).text, 200)
        );
    }
    writeln!(out, "      {:10}{}", "body", counted(part.body.len() as u64, "byte"))
}

/// The records as a list, indented by what encloses them.
fn print_records(records: &[u8], out: &mut dyn Write) -> io::Result<()> {
    let mut level = 0usize;
    let mut walk = Records::new(records);
    for record in walk.by_ref() {
        if nesting(record.signature) == Nesting::Closes {
            level = level.saturating_sub(1);
        }
        let indent = 6 + 2 * level.min(DEEPEST);
        let name = name(record.signature).unwrap_or("unknown record");
        let text =
            record_text(&record).map_or_else(String::new, |text| format!("  \"{}\"", printable(&text, 120)));
        writeln!(out, "{:indent$}{} {name}, {} bytes{text}", "", record.signature, record.data.len())?;
        if nesting(record.signature) == Nesting::Opens {
            level += 1;
        }
    }
    if walk.damaged() {
        writeln!(out, "      ! the records end before the value does")?;
    }
    Ok(())
}

/// The text of a text record.
fn record_text(record: &Record<'_>) -> Option<String> {
    const TEXT: Signature = Signature(0x85, LengthForm::Word);
    const FONT_ID_BYTES: usize = 4;
    let text = record.data.get(FONT_ID_BYTES..).filter(|_| record.signature == TEXT)?;
    Some(Text::decode(text).text)
}
