//! Documents that are no mail, as lines that list their items.

use crate::conversion::composite;
use crate::conversion::kind;
use crate::conversion::losses::Losses;
use crate::conversion::plain;
use crate::notes::document::Note;
use crate::notes::item::{Item, ItemType};
use crate::notes::value::{Numbers, Times, Value};
use std::collections::HashSet;

/// What a document that is no mail is called: its subject, name or title, else its form and UNID.
pub fn subject(note: &Note) -> String {
    let named = ["Subject", "FullName", "$TITLE"].into_iter().map(|name| note.text(name));
    let named = named.map(|text| text.trim().to_owned()).find(|text| !text.is_empty());
    named.unwrap_or_else(|| {
        let form = kind::form(note);
        let form = if form.is_empty() { "Document".to_owned() } else { form };
        format!("{form} {}", note.unid)
    })
}

/// A line `name: value` for each item but the body and the files.
pub fn lines(note: &Note, body: &str, losses: &mut Losses) -> String {
    let mut lines = String::new();
    for item in note.items.iter().filter(|item| !item.is(body) && !is_file(item)) {
        if item.item_type != ItemType::COMPOSITE {
            append!(lines, "{}: {}\n", item.name, value(item));
        }
    }
    lines + &other_texts(note, body, losses)
}

/// Name and value of each item that is text.
pub fn items(note: &Note) -> Vec<(String, String)> {
    let mut losses = Losses::default();
    let plain = note.items.iter().filter(|item| item.item_type != ItemType::COMPOSITE && !is_file(item));
    let mut items: Vec<(String, String)> = plain.map(|item| (item.name.clone(), value(item))).collect();
    let texts = other_texts(note, "", &mut losses);
    items.extend((!texts.is_empty()).then(|| ("texts".to_owned(), texts)));
    items
}

/// The rich text of all items but the body, each below its name. All items of one name are one text.
pub fn other_texts(note: &Note, body: &str, losses: &mut Losses) -> String {
    let mut texts = String::new();
    let mut read = HashSet::new();
    let rich = note.items.iter().filter(|item| item.item_type == ItemType::COMPOSITE);
    for item in rich.filter(|item| !item.is(body) && !item.is("$Fonts")) {
        if read.insert(item.name.to_ascii_lowercase()) {
            let text = plain::text(&composite::read(note, &item.name, losses).text);
            if !text.trim().is_empty() {
                append!(texts, "{}:\n{}\n", item.name, text.trim_end());
            }
        }
    }
    texts
}

/// The lines of the items that a person filled in: those whose names are no system names and no mail headers.
pub fn fields(note: &Note) -> String {
    const NOT_SHOWN: [&str; 12] = [
        "Form",
        "From",
        "Subject",
        "SendTo",
        "CopyTo",
        "BlindCopyTo",
        "PostedDate",
        "DeliveredDate",
        "ComposedDate",
        "Recipients",
        "Principal",
        "Categories",
    ];
    let shown = |item: &&Item| {
        let system = item.name.starts_with('$') || NOT_SHOWN.iter().any(|name| item.is(name));
        !system
            && matches!(
                item.item_type,
                ItemType::TEXT | ItemType::TEXT_LIST | ItemType::TIME | ItemType::NUMBER
            )
    };
    let lines = note.items.iter().filter(shown).map(|item| (item, value(item)));
    lines
        .filter(|(item, value)| !item.is("Body") && !value.trim().is_empty())
        .map(|(item, value)| format!("{}: {value}\n", item.name))
        .collect()
}

fn is_file(item: &Item) -> bool {
    item.item_type == ItemType::OBJECT && item.is("$FILE")
}

/// A value in words; several with semicolons between.
fn value(item: &Item) -> String {
    let one_line = |text: &str| text.replace('\n', " ");
    match item.value() {
        Ok(Value::Text(text) | Value::UserId(text) | Value::Html(text)) => one_line(&text.text),
        Ok(Value::TextList(list)) => join(list.iter().map(|text| one_line(&text.text))),
        Ok(Value::Rfc822(header)) => one_line(&header.text().text),
        Ok(Value::Numbers(Numbers { singles, pairs })) => {
            let pairs = pairs.iter().map(|[from, to]| format!("{from} - {to}"));
            join(singles.iter().map(ToString::to_string).chain(pairs))
        }
        Ok(Value::Times(Times { singles, pairs })) => {
            let pairs = pairs.iter().map(|[from, to]| format!("{from} - {to}"));
            join(singles.iter().map(ToString::to_string).chain(pairs))
        }
        Ok(Value::NoteRefs(unids)) => join(unids.iter().map(ToString::to_string)),
        Ok(Value::NoteLinks(links)) => join(links.iter().map(|link| link.document.to_string())),
        _ => {
            let name = item.item_type.name().map_or(format!("type {:04X}", item.item_type.0), str::to_owned);
            format!("[{name}, {} bytes]", item.value.len())
        }
    }
}

fn join(values: impl Iterator<Item = String>) -> String {
    values.collect::<Vec<_>>().join("; ")
}
