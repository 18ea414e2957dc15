//! Header fields as they are written: encoded, folded, in their order.

use crate::conversion::KEY_HEADER;
use crate::conversion::address::Mailbox;
use crate::conversion::losses::Losses;
use crate::model::loss::LossKind;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mail_builder::headers::Header as _;
use mail_builder::headers::address::EmailAddress;
use mail_builder::headers::raw::Raw;
use std::borrow::Cow;

/// Headers that may stand in a message once (RFC 5322 section 3.6).
const SINGLE: [&str; 12] = [
    "Date",
    "From",
    "Sender",
    "Reply-To",
    "To",
    "Cc",
    "Bcc",
    "Message-ID",
    "In-Reply-To",
    "References",
    "Subject",
    "Return-Path",
];

/// Headers of addresses in which a group may stand (RFC 5322 section 3.4).
const TAKING_GROUPS: [&str; 7] = ["To", "Cc", "Bcc", "Reply-To", "Resent-To", "Resent-Cc", "Resent-Bcc"];

/// The header of a message, with what the caller has to know of it.
#[derive(Debug, Default)]
pub struct Headers {
    fields: Vec<Field>,
    pub message_id: String,
    pub subject: String,
    /// A request for a receipt was taken out of the header, so that no program answers it.
    pub receipt_disarmed: bool,
}

#[derive(Debug)]
struct Field {
    name: String,
    /// Everything after the colon, with the line end.
    body: Vec<u8>,
}

impl Headers {
    /// The headers in the order in which they are written.
    pub fn to_bytes(&self) -> Vec<u8> {
        let trace = |field: &&Field| is_trace(&field.name);
        let ordered = self.fields.iter().filter(trace).chain(self.fields.iter().filter(|f| !trace(f)));
        let mut bytes = Vec::new();
        for field in ordered {
            bytes.extend_from_slice(field.name.as_bytes());
            bytes.push(b':');
            bytes.extend_from_slice(&field.body);
        }
        bytes
    }

    pub fn has(&self, name: &str) -> bool {
        self.body(name).is_some()
    }

    /// What follows the colon of the first header of this name, with the line end.
    pub fn body(&self, name: &str) -> Option<&[u8]> {
        let field = self.fields.iter().find(|field| field.name.eq_ignore_ascii_case(name));
        field.map(|field| field.body.as_slice())
    }

    /// The names of the headers, in lower case.
    pub fn names(&self) -> impl Iterator<Item = String> {
        self.fields.iter().map(|field| field.name.to_ascii_lowercase())
    }

    /// Adds a header of free text.
    pub fn text(&mut self, name: &str, text: &str) {
        let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        let text = encoded(text.trim());
        self.write(name, |body, column| Raw::new(text).write_header(body, column));
    }

    /// Adds a header of free text, unless it is there or there is no text.
    pub fn text_once(&mut self, name: &str, text: &str) {
        if !self.has(name) && !text.is_empty() {
            self.text(name, text);
        }
    }

    /// Adds a header of addresses, unless there are none.
    pub fn addresses(&mut self, name: &str, mailboxes: &[Mailbox]) {
        const FOLD_COLUMN: usize = 78;
        let takes_groups = TAKING_GROUPS.iter().any(|other| other.eq_ignore_ascii_case(name));
        if mailboxes.is_empty() || self.has(name) {
            return;
        }
        self.write(name, |body, column| {
            let mut column = column;
            for (number, mailbox) in mailboxes.iter().enumerate() {
                let text = if takes_groups && mailbox.is_bare_group {
                    group_text(mailbox)
                } else {
                    mailbox_text(mailbox)
                };
                if number > 0 {
                    let fold = column + 2 + text.len() > FOLD_COLUMN;
                    body.extend_from_slice(if fold { b",\r\n " } else { b", " });
                    column = if fold { 1 } else { column + 2 };
                }
                body.extend_from_slice(&text);
                column += text.len();
            }
            body.extend_from_slice(b"\r\n");
        });
    }

    /// Adds a header of phrases, unless it is there or there are none. Each phrase is encoded by itself, so the commas
    /// between them stay.
    pub fn phrases(&mut self, name: &str, phrases: &[String]) {
        if !phrases.is_empty() && !self.has(name) {
            let phrases: Vec<String> = phrases.iter().map(|text| phrase(text)).collect();
            self.write(name, |body, column| Raw::new(phrases.join(", ")).write_header(body, column));
        }
    }

    fn write(&mut self, name: &str, write: impl FnOnce(&mut Vec<u8>, usize)) {
        let mut body = b" ".to_vec();
        write(&mut body, name.len() + 2);
        self.fields.push(Field { name: name.to_owned(), body });
    }

    /// Adds a header as it came, unless there may be one only and it is there.
    pub fn stored(&mut self, name: &str, body: Vec<u8>, losses: &mut Losses) {
        let single = SINGLE.iter().any(|single| single.eq_ignore_ascii_case(name));
        if single && let Some(first) = self.body(name) {
            if first != body {
                losses.add(LossKind::DuplicateItem, name);
            }
            return;
        }
        self.fields.push(Field { name: name.to_owned(), body });
    }
}

fn is_trace(name: &str) -> bool {
    let starts = |prefix: &str| name.get(..prefix.len()).is_some_and(|p| p.eq_ignore_ascii_case(prefix));
    [KEY_HEADER, "Return-Path", "Received"].iter().any(|trace| trace.eq_ignore_ascii_case(name))
        || starts("Resent-")
}

/// Text as a header can hold it: as it is where that is ASCII, else as encoded words (RFC 2047 section 2).
pub fn encoded(text: &str) -> Cow<'_, str> {
    /// Gives words of 64 characters, so that a line with a usual header name holds 76 (RFC 2047 section 2).
    const WORD_BYTES: usize = 39;
    const LONGEST_WORD: usize = 900;
    let plain = text.is_ascii() && text.split(' ').all(|word| word.len() < LONGEST_WORD);
    if plain && !text.contains("=?") {
        return text.into();
    }
    let mut words = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (word, after) = rest.split_at(word_end(rest, WORD_BYTES));
        words.push(format!("=?UTF-8?B?{}?=", STANDARD.encode(word)));
        rest = after;
    }
    words.join(" ").into()
}

/// Where an encoded word of at most so many bytes ends. Between characters, and where Base64 needs no padding if there is
/// such a place: some programs join the words before they decode them and take the first padding for the end.
fn word_end(text: &str, most: usize) -> usize {
    if text.len() <= most {
        return text.len();
    }
    let mut unpadded = (1..=most / 3).rev().map(|triples| 3 * triples);
    unpadded.find(|&end| text.is_char_boundary(end)).unwrap_or_else(|| text.floor_char_boundary(most))
}

/// A mailbox as RFC 5322 section 3.4 writes it; folded where the name is long.
fn mailbox_text(mailbox: &Mailbox) -> Vec<u8> {
    let Some(name) = mailbox.name.as_deref().filter(|name| !name.trim().is_empty()) else {
        return mailbox.address.clone().into_bytes();
    };
    let name: String = name.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let mut text = Vec::new();
    let address = EmailAddress { name: Some(name.trim().into()), email: mailbox.address.as_str().into() };
    address.write_header(&mut text, 2);
    text.truncate(text.trim_ascii_end().len());
    text
}

/// A group without members: its name can be told, and no address be made up.
fn group_text(group: &Mailbox) -> Vec<u8> {
    format!("{}:;", phrase(group.name.as_deref().unwrap_or_default())).into_bytes()
}

/// A phrase of RFC 5322 section 3.2.5: words as they are, anything else in quotes.
fn phrase(text: &str) -> String {
    let text = text.replace(char::is_control, " ");
    let word = |c: char| c.is_ascii_alphanumeric() || " !#$%&'*+-/=?^_`{|}~".contains(c) || !c.is_ascii();
    if text.chars().all(word) {
        return encoded(text.trim()).into_owned();
    }
    if !text.is_ascii() {
        return encoded(text.trim()).into_owned();
    }
    format!("\"{}\"", text.trim().replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_begins_another_header() {
        let mut headers = Headers::default();
        headers.text("Subject", "a\r\nBcc: b\nc\0");
        assert_eq!(headers.to_bytes(), b"Subject: a  Bcc: b c\r\n");
    }
}
