//! Documents that hold a MIME message: their parts, put together as they were stored.
//!
//! Nothing is rebuilt that need not be: boundaries, headers and encoded bodies stay. What cannot travel as stored is
//! encoded anew: bodies that Notes keeps decoded in file objects, and text that is labelled binary. Signed parts are
//! never touched.

use crate::base::limits::NESTING_LEVELS;
use crate::conversion::attachment;
use crate::conversion::headers::fields;
use crate::conversion::losses::Losses;
use crate::conversion::message::{LINE_BYTES, Writer};
use crate::model::blob::Blob;
use crate::model::content::{File, FileBody};
use crate::model::loss::LossKind;
use crate::model::rendered::{Segment, TransferEncoding};
use crate::notes::document::Note;
use crate::notes::item::ItemType;
use crate::notes::mime_part::{MimePart, PartKind};
use crate::notes::value::{Text, Value};

/// A reassembled message.
pub struct Assembled {
    /// Its headers other than `Content-...`: they belong to the header of the message.
    pub headers: Vec<u8>,
    /// Content headers, empty line, body.
    pub content: Vec<Segment>,
    /// For each file of the document whether a part holds it.
    pub used: Vec<bool>,
}

/// One stored part with its continuations.
struct Stored<'a> {
    kind: PartKind,
    /// Without the line end.
    boundary: &'a [u8],
    headers: &'a [u8],
    body: Vec<&'a [u8]>,
    in_object: bool,
}

/// Whether the stored parts hold a calendar.
pub fn has_calendar_part(note: &Note) -> bool {
    let names_calendar =
        |headers: &[u8]| String::from_utf8_lossy(headers).to_ascii_lowercase().contains("text/calendar");
    note.all("Body").filter_map(|item| item.value().ok()).any(|value| match value {
        Value::MimePart(part) => names_calendar(part.headers),
        _ => false,
    })
}

/// Puts the MIME parts of a document together.
pub fn assemble(note: &Note, files: &[File], losses: &mut Losses) -> Assembled {
    let mut parts = stored_parts(note, losses);
    let mut assembler = Assembler {
        writer: Writer::default(),
        files,
        used: vec![false; files.len()],
        open: Vec::new(),
        losses,
    };
    let mut headers = Vec::new();
    let boundaries: Vec<&[u8]> = parts.iter().map(|part| part.boundary).collect();
    for (number, part) in parts.iter_mut().enumerate() {
        if number == 0 {
            headers = other_headers(part.headers);
        }
        let next = boundaries.get(number + 1).copied().unwrap_or_default();
        assembler.part(part, number == 0, next);
    }
    while let Some(open) = assembler.open.pop() {
        assembler.close(&open);
    }
    Assembled { headers, content: assembler.writer.finish(), used: assembler.used }
}

fn stored_parts<'a>(note: &'a Note, losses: &mut Losses) -> Vec<Stored<'a>> {
    let mut parts: Vec<Stored<'a>> = Vec::new();
    for item in note.all("Body").filter(|item| item.item_type == ItemType::MIME_PART) {
        let Ok(Value::MimePart(part)) = item.value() else {
            losses.add(LossKind::TextDamaged, "a MIME part is cut");
            continue;
        };
        if part.kind == PartKind::RetrieveInfo {
            continue;
        }
        let continues = part.boundary.is_empty() && part.headers.is_empty() && !part.body_in_object();
        match parts.last_mut() {
            Some(last) if continues && part.kind == PartKind::Body && !last.in_object => {
                last.body.push(part.body);
            }
            _ => parts.push(stored_part(&part)),
        }
    }
    parts
}

fn stored_part<'a>(part: &MimePart<'a>) -> Stored<'a> {
    let mut boundary = part.boundary.trim_ascii();
    let mut body = part.body;
    if boundary.is_empty() && part.kind == PartKind::Epilog {
        (boundary, body) = (body.trim_ascii(), &[]);
    }
    let in_object = part.body_in_object();
    Stored { kind: part.kind, boundary, headers: part.headers, body: vec![body], in_object }
}

/// The lines of a header block that describe no content.
fn other_headers(block: &[u8]) -> Vec<u8> {
    let others = fields(block).filter(|(name, _)| !name.is_empty() && !is_content(name));
    others.flat_map(|(name, body)| [name, b":", body].concat()).collect()
}

fn is_content(name: &[u8]) -> bool {
    name.get(..8).is_some_and(|prefix| prefix.eq_ignore_ascii_case(b"Content-"))
}

/// A multipart whose end has not come.
struct Open {
    boundary: Vec<u8>,
    signed: bool,
}

struct Assembler<'f, 'l> {
    writer: Writer,
    files: &'f [File],
    used: Vec<bool>,
    open: Vec<Open>,
    losses: &'l mut Losses,
}

impl<'f> Assembler<'f, '_> {
    fn part(&mut self, part: &Stored<'_>, first: bool, next_boundary: &[u8]) {
        if !first && !part.boundary.is_empty() {
            self.writer.end_line();
            if self.boundary(part) {
                return self.writer.push(&crlf(&part.body.concat()));
            }
        }
        let mut head = Head::read(part.headers, first);
        // A body that Notes moved to an object is not stored as it was signed; then the encoding is ours to choose.
        if self.open.last().is_some_and(|open| open.signed) && !part.in_object {
            return self.signed_part(part, head);
        }
        let multipart = head.media_type.starts_with("multipart/");
        if part.kind == PartKind::Prolog || multipart {
            self.prolog(part, head, next_boundary);
        } else if part.kind == PartKind::Message {
            // The body is the header of the message inside; its parts follow.
            head.write(&mut self.writer);
            let body = part.body.concat();
            let inner = Head::read(&body, false);
            self.writer.push(&crlf(&body));
            self.open_multipart(&inner, next_boundary);
        } else if part.in_object {
            self.object(part, &mut head);
        } else {
            let body = part.body.concat();
            self.body(&mut head, body);
        }
    }

    /// Writes the boundary line of a part. Returns whether it ended a multipart.
    fn boundary(&mut self, part: &Stored<'_>) -> bool {
        let line = part.boundary;
        let ends = |open: &Open| {
            line.strip_prefix(b"--").is_some_and(|rest| rest.strip_suffix(b"--") == Some(&open.boundary[..]))
        };
        let begins = |open: &Open| line.strip_prefix(b"--") == Some(&open.boundary[..]);
        let depth = self.open.iter().rposition(|open| begins(open) || ends(open));
        if let Some(depth) = depth {
            // Inner multiparts whose end is missing.
            while self.open.len() > depth + 1 {
                if let Some(inner) = self.open.pop() {
                    self.close(&inner);
                }
            }
        }
        let Some(top) = self.open.last() else {
            self.writer.push(&[line, b"\r\n"].concat());
            return part.kind == PartKind::Epilog;
        };
        let ended = part.kind == PartKind::Epilog || ends(top);
        if depth.is_some() || top.signed {
            self.writer.push(&[line, b"\r\n"].concat());
        } else {
            // The line disagrees with the header, which readers go by.
            let end: &[u8] = if ended { b"--\r\n" } else { b"\r\n" };
            let line = [b"--", &top.boundary[..], end].concat();
            self.writer.push(&line);
        }
        if ended {
            self.open.pop();
        }
        ended
    }

    fn close(&mut self, open: &Open) {
        self.writer.end_line();
        self.writer.push(&[b"--", &open.boundary[..], b"--\r\n"].concat());
    }

    /// Writes a part of a signed message exactly as it is stored.
    fn signed_part(&mut self, part: &Stored<'_>, head: Head) {
        self.writer.push(part.headers);
        part.body.iter().for_each(|piece| self.writer.push(piece));
        if head.media_type.starts_with("multipart/") {
            self.push_open(head.boundary, true);
        }
    }

    fn prolog(&mut self, part: &Stored<'_>, mut head: Head, next_boundary: &[u8]) {
        if head.boundary.is_empty() {
            let boundary = next_boundary.strip_prefix(b"--").unwrap_or_default();
            head.set_boundary(boundary);
        }
        let signed = head.media_type == "multipart/signed";
        let body = part.body.concat();
        head.write(&mut self.writer);
        self.writer.push(&if signed { body.clone() } else { crlf(&body) });
        // A multipart that was stored in one piece ends inside its body.
        let end = [b"--", &head.boundary[..], b"--"].concat();
        if body.windows(end.len().max(1)).any(|window| window == end) {
            return;
        }
        self.open_multipart(&head, next_boundary);
    }

    fn open_multipart(&mut self, head: &Head, next_boundary: &[u8]) {
        if !head.media_type.starts_with("multipart/") {
            return;
        }
        let derived = next_boundary.strip_prefix(b"--").unwrap_or_default();
        let boundary = if head.boundary.is_empty() { derived.to_vec() } else { head.boundary.clone() };
        self.push_open(boundary, head.media_type == "multipart/signed");
    }

    /// Beyond the limit the parts of a multipart count as parts of the one around it.
    fn push_open(&mut self, boundary: Vec<u8>, signed: bool) {
        if !boundary.is_empty() && self.open.len() < NESTING_LEVELS {
            self.open.push(Open { boundary, signed });
        }
    }

    /// The file object that a part names.
    fn file(&mut self, part: &Stored<'_>) -> (String, Option<&'f File>) {
        let name = Text::decode(part.body.concat().trim_ascii_end()).text;
        let exact = |file: &File| file.descriptor.name.text == name;
        let folded = |file: &File| file.descriptor.name.text.eq_ignore_ascii_case(&name);
        let found = self.files.iter().position(exact).or_else(|| self.files.iter().position(folded));
        let file = found.map(|index| {
            self.used[index] = true;
            &self.files[index]
        });
        (name, file)
    }

    fn object(&mut self, part: &Stored<'_>, head: &mut Head) {
        let (name, file) = self.file(part);
        let blob = match file.map(|file| &file.body) {
            Some(FileBody::Read(blob)) => blob.clone(),
            Some(FileBody::Lost(loss)) => {
                let (loss, size) = (loss.clone(), file.map_or(0, |file| file.descriptor.size));
                self.losses.push(loss);
                return self.writer.plain(attachment::missing(&name, size));
            }
            None => {
                self.losses.add(LossKind::AttachmentMissing, name.as_str());
                return self.writer.plain(attachment::missing(&name, 0));
            }
        };
        if head.is_composite() {
            // A message in a message must not be in base64 (RFC 2045 section 6.4).
            match blob.in_memory() {
                Some(bytes) => return self.body(head, bytes.to_vec()),
                None => head.set("Content-Type", "application/octet-stream"),
            }
        }
        if looks_encoded(&head.encoding, blob.head()) {
            head.write(&mut self.writer);
            self.writer.blob(blob, TransferEncoding::Identity);
            return self.writer.push(b"\r\n");
        }
        self.base64(head, blob);
    }

    fn base64(&mut self, head: &mut Head, blob: Blob) {
        head.set("Content-Transfer-Encoding", "base64");
        head.write(&mut self.writer);
        self.writer.blob(blob, TransferEncoding::Base64);
    }

    /// Writes a body that is stored in the part itself.
    fn body(&mut self, head: &mut Head, body: Vec<u8>) {
        let encoded = !matches!(head.encoding.as_str(), "" | "7bit" | "8bit" | "binary");
        let lines = if head.is_wide() { body.clone() } else { crlf(&body) };
        let clean = is_clean(&lines);
        let high = !lines.is_ascii();
        if encoded || head.is_composite() {
            if !encoded && high {
                head.set("Content-Transfer-Encoding", "8bit");
            } else if head.encoding == "binary" {
                head.set("Content-Transfer-Encoding", "7bit");
            }
        } else if clean && !head.is_wide() && (!high || head.encoding == "8bit") && head.is_line_based() {
            if head.encoding == "binary" {
                head.set("Content-Transfer-Encoding", "7bit");
            }
        } else {
            let bytes = if head.is_text() { lines } else { body };
            return self.base64(head, Blob::memory(bytes));
        }
        head.write(&mut self.writer);
        self.writer.push(&lines);
    }
}

/// The header block of a part.
struct Head {
    fields: Vec<(Vec<u8>, Vec<u8>)>,
    /// In lower case, without parameters; empty where none is told.
    media_type: String,
    charset: String,
    boundary: Vec<u8>,
    /// In lower case.
    encoding: String,
}

impl Head {
    /// Reads a block; of the first one only what describes content.
    fn read(block: &[u8], content_only: bool) -> Self {
        let mut head = Self {
            fields: Vec::new(),
            media_type: String::new(),
            charset: String::new(),
            boundary: Vec::new(),
            encoding: String::new(),
        };
        for (name, body) in fields(block).take_while(|(name, _)| !name.is_empty()) {
            if content_only && !is_content(name) {
                continue;
            }
            let text = String::from_utf8_lossy(body).replace(['\r', '\n'], "");
            if name.eq_ignore_ascii_case(b"Content-Type") && head.media_type.is_empty() {
                head.media_type = text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
                head.charset = parameter(&text, "charset").to_ascii_lowercase();
                head.boundary = parameter(&text, "boundary").into_bytes();
            } else if name.eq_ignore_ascii_case(b"Content-Transfer-Encoding") {
                let word = text.split(['(', ';']).next().unwrap_or_default();
                head.encoding = word.trim().to_ascii_lowercase();
            }
            head.fields.push((name.to_vec(), crlf(body.trim_ascii_end())));
        }
        head
    }

    /// Replaces a header.
    fn set(&mut self, name: &str, value: &str) {
        let value = format!(" {value}").into_bytes();
        match self.fields.iter_mut().find(|(own, _)| own.eq_ignore_ascii_case(name.as_bytes())) {
            Some((_, body)) => *body = value,
            None => self.fields.push((name.as_bytes().to_vec(), value)),
        }
    }

    fn set_boundary(&mut self, boundary: &[u8]) {
        if boundary.is_empty() {
            return;
        }
        let subtype =
            if self.media_type.starts_with("multipart/") { &self.media_type } else { "multipart/mixed" };
        let value = format!("{subtype}; boundary=\"{}\"", String::from_utf8_lossy(boundary));
        self.media_type = subtype.to_owned();
        self.boundary = boundary.to_vec();
        self.set("Content-Type", &value);
    }

    fn write(&self, writer: &mut Writer) {
        for (name, body) in &self.fields {
            writer.push(&[name, &b":"[..], body, b"\r\n"].concat());
        }
        writer.push(b"\r\n");
    }

    fn is_text(&self) -> bool {
        self.media_type.is_empty() || self.media_type.starts_with("text/")
    }

    fn is_composite(&self) -> bool {
        self.media_type.starts_with("message/") || self.media_type.starts_with("multipart/")
    }

    /// Line ends may be made CRLF: text, and whatever was sent as lines.
    fn is_line_based(&self) -> bool {
        self.is_text() || self.encoding != "binary"
    }

    /// Characters of more than one byte in which CR and LF are no line ends.
    fn is_wide(&self) -> bool {
        self.charset.starts_with("utf-16") || self.charset.starts_with("utf-32")
    }
}

/// The value of a parameter, without quotes.
fn parameter(header: &str, name: &str) -> String {
    let mut rest = header;
    while let Some(at) = rest.find(';') {
        rest = rest[at + 1..].trim_start();
        let Some((key, value)) = rest.split_once('=') else { return String::new() };
        let value = value.trim_start();
        if key.trim().eq_ignore_ascii_case(name) {
            return match value.strip_prefix('"') {
                Some(quoted) => quoted.split('"').next().unwrap_or_default().to_owned(),
                None => value.split([';', ' ', '\t']).next().unwrap_or_default().to_owned(),
            };
        }
        // A semicolon inside quotes ends no parameter.
        if let Some(quoted) = value.strip_prefix('"') {
            rest = quoted.split_once('"').map_or("", |(_, after)| after);
        }
    }
    String::new()
}

/// Bytes with every line end as CRLF.
pub fn crlf(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len() + bytes.len() / 32);
    let mut rest = bytes;
    while let Some(at) = rest.iter().position(|b| matches!(b, b'\r' | b'\n')) {
        out.extend_from_slice(&rest[..at]);
        out.extend_from_slice(b"\r\n");
        rest = rest[at..].strip_prefix(b"\r\n").unwrap_or(&rest[at + 1..]);
    }
    out.extend_from_slice(rest);
    out
}

/// No NUL and no line that is too long.
fn is_clean(bytes: &[u8]) -> bool {
    !bytes.contains(&0) && bytes.split(|&b| b == b'\n').all(|line| line.len() <= LINE_BYTES)
}

/// Whether bytes are in the encoding that their header tells. Normally Notes keeps them decoded; what is encoded all
/// the same is told by its lines.
fn looks_encoded(encoding: &str, head: &[u8]) -> bool {
    let base64 = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'=');
    let mut lines = head.split(|&b| b == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    match encoding {
        "base64" => {
            let first = lines.next().unwrap_or_default();
            let full = head.contains(&b'\n') && first.len() >= 60 && first.len() % 4 == 0;
            full && first.len() <= 76 && lines.all(|line| line.iter().all(|&b| base64(b)))
        }
        "quoted-printable" => {
            let mut escapes = head.windows(3).filter(|window| window[0] == b'=').peekable();
            let valid = |w: &[u8]| {
                (w[1].is_ascii_hexdigit() && w[2].is_ascii_hexdigit()) || w[1] == b'\r' || w[1] == b'\n'
            };
            head.is_ascii() && escapes.peek().is_some() && escapes.all(valid)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_ends_become_crlf() {
        assert_eq!(crlf(b"a\nb\r\nc\rd"), b"a\r\nb\r\nc\r\nd");
        assert_eq!(crlf(b"\n\n"), b"\r\n\r\n");
    }

    #[test]
    fn parameters_are_found_behind_quoted_semicolons() {
        assert_eq!(parameter("a/b; x=\"1;boundary=no\"; boundary=yes; z=1", "boundary"), "yes");
        assert_eq!(parameter("a/b; boundary=\"a b\"", "boundary"), "a b");
        assert_eq!(parameter("a/b", "boundary"), "");
    }

    #[test]
    fn decoded_text_is_not_taken_for_base64() {
        assert!(!looks_encoded("base64", b"hello"));
        assert!(!looks_encoded("base64", b"hello\nworld\n"));
        let line = "QUJD".repeat(19);
        assert!(looks_encoded("base64", format!("{line}\r\n{line}\r\n").as_bytes()));
        assert!(!looks_encoded("quoted-printable", b"1=2"));
    }
}
