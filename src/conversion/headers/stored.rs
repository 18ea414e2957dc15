//! Headers that a document keeps as they came, from items that hold header fields and from header lines in its body.

use crate::conversion::KEY_HEADER;
use crate::conversion::date;
use crate::conversion::headers::field::{Headers, encoded};
use crate::conversion::headers::{RECEIPT_REQUESTS, Source};
use crate::conversion::losses::Losses;
use crate::conversion::message::LINE_BYTES;
use crate::conversion::state::State;
use crate::model::loss::LossKind;
use crate::notes::item::ItemType;
use crate::notes::value::{Rfc822Text, Value};
use std::collections::HashSet;

/// Stored headers that are not taken over: ours, and notes of Domino to itself.
const NOT_TAKEN: [&str; 4] = [KEY_HEADER, "MIME-Version", "X-Notes-Item", "X-MIMETrack"];

/// Takes the headers that items hold.
pub fn take_items(headers: &mut Headers, source: &Source<'_>, losses: &mut Losses) {
    for item in source.note.items.iter().filter(|item| item.item_type == ItemType::RFC822_TEXT) {
        let Ok(Value::Rfc822(stored)) = item.value() else {
            losses.add(LossKind::TextDamaged, item.name.as_str());
            continue;
        };
        let Some(name) = header_name(stored.name) else {
            losses.add(LossKind::TextDamaged, item.name.as_str());
            continue;
        };
        take(headers, source.state, &name, stored_body(&stored), losses);
    }
}

/// Takes header lines as far as no header of their name exists.
pub fn take_lines(headers: &mut Headers, state: State, lines: &[u8], losses: &mut Losses) {
    let names: HashSet<String> = headers.names().collect();
    for (name, body) in fields(lines) {
        let Some(name) = header_name(name) else { continue };
        if !names.contains(&name.to_ascii_lowercase()) {
            take(headers, state, &name, safe_body(body), losses);
        }
    }
}

fn take(headers: &mut Headers, state: State, name: &str, body: Vec<u8>, losses: &mut Losses) {
    let is = |list: &[&str]| list.iter().any(|entry| entry.eq_ignore_ascii_case(name));
    let content = name.get(..8).is_some_and(|prefix| prefix.eq_ignore_ascii_case("Content-"));
    if content || is(&NOT_TAKEN) || !usable(name, &body) {
        return;
    }
    if is(&RECEIPT_REQUESTS) && !state.is_own() {
        headers.receipt_disarmed = true;
        return;
    }
    headers.stored(name, body, losses);
}

/// `From` without an address and `Date` without a date are made anew.
fn usable(name: &str, body: &[u8]) -> bool {
    match name.to_ascii_lowercase().as_str() {
        "from" => body.contains(&b'@'),
        "date" => date::header_date(body).is_some(),
        _ => !body.trim_ascii().is_empty(),
    }
}

/// The fields of a header block: name and body, with the folding.
pub fn fields(block: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    let mut rest = block;
    std::iter::from_fn(move || {
        let mut end = 0;
        // A field goes on as long as lines begin with white space.
        loop {
            end += rest[end..].iter().position(|&b| b == b'\n').map_or(rest.len() - end, |at| at + 1);
            if !matches!(rest.get(end), Some(b' ' | b'\t')) {
                break;
            }
        }
        let (field, after) = rest.split_at(end);
        rest = after;
        let colon = field.iter().position(|&b| b == b':');
        (!field.is_empty()).then(|| match colon {
            Some(at) => (&field[..at], &field[at + 1..]),
            None => (&field[..0], field),
        })
    })
}

/// A name that is one (RFC 5322 section 2.2).
fn header_name(stored: &[u8]) -> Option<String> {
    let name = stored.trim_ascii();
    let valid = !name.is_empty() && name.iter().all(|&b| b.is_ascii_graphic() && b != b':');
    (valid && name.len() < 200).then(|| String::from_utf8_lossy(name).into_owned())
}

/// Delimiter and body of a stored header; where the body was not kept, the value that Notes made of it.
fn stored_body(stored: &Rfc822Text<'_>) -> Vec<u8> {
    if stored.body.trim_ascii().is_empty() && !stored.is_date() {
        let text = stored.text().text.replace(char::is_control, " ");
        return safe_body(format!(" {}", encoded(text.trim())).as_bytes());
    }
    let blanks = stored.delimiter.strip_prefix(b":").unwrap_or(b" ");
    let blanks = if blanks.iter().all(|b| matches!(b, b' ' | b'\t')) { blanks } else { b" " };
    safe_body(&[blanks, stored.body].concat())
}

/// A header body that cannot begin another header: every line after the first begins with white space, none is
/// empty or too long. As it came otherwise.
fn safe_body(body: &[u8]) -> Vec<u8> {
    let mut safe = Vec::with_capacity(body.len() + 2);
    let lines = body.split(|&b| matches!(b, b'\r' | b'\n'));
    for line in lines.map(<[u8]>::trim_ascii_end).filter(|line| !line.is_empty()) {
        if !safe.is_empty() {
            safe.extend_from_slice(b"\r\n");
            if !line.starts_with(b" ") && !line.starts_with(b"\t") {
                safe.push(b' ');
            }
        }
        fold_long(line, &mut safe);
    }
    for byte in &mut safe {
        if *byte == 0 {
            *byte = b' ';
        }
    }
    safe.extend_from_slice(b"\r\n");
    safe
}

/// A line, folded at white space where it is longer than a message allows; where there is none, anywhere.
fn fold_long(line: &[u8], out: &mut Vec<u8>) {
    const ROOM: usize = LINE_BYTES - 200;
    let mut rest = line;
    while rest.len() > ROOM {
        let blank = rest[1..ROOM].iter().rposition(|b| matches!(b, b' ' | b'\t'));
        let (first, after) = rest.split_at(blank.map_or(ROOM, |at| at + 1));
        out.extend_from_slice(first);
        out.extend_from_slice(if blank.is_some() { b"\r\n" } else { b"\r\n " });
        rest = after;
    }
    out.extend_from_slice(rest);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn safe(body: &str) -> String {
        String::from_utf8(safe_body(body.as_bytes())).unwrap()
    }

    #[test]
    fn no_value_begins_another_header() {
        assert_eq!(safe(" a\r\nBcc: b\r\n\r\nbody"), " a\r\n Bcc: b\r\n body\r\n");
        assert_eq!(safe(" a\0b"), " a b\r\n");
    }

    #[test]
    fn long_lines_are_folded_and_folding_stays() {
        assert_eq!(safe(" a\r\n\tb\r\n"), " a\r\n\tb\r\n");
        let long = format!(" {} {}", "x".repeat(700), "y".repeat(2000));
        assert!(safe(&long).split("\r\n").all(|line| line.len() <= LINE_BYTES));
        assert_eq!(safe(&long).replace("\r\n", "").replace(' ', ""), long.replace(' ', ""));
    }

    #[test]
    fn fields_of_a_block_keep_their_folding() {
        let block = b"A: 1\r\nB: 2\r\n 3\r\n\r\n";
        let found: Vec<_> = fields(block).filter(|(name, _)| !name.is_empty()).collect();
        assert_eq!(found, [(&b"A"[..], &b" 1\r\n"[..]), (b"B", b" 2\r\n 3\r\n")]);
    }
}
