//! The parts of a message as a tree, and its writing as segments; attachments are placed and never read.
//!
//! Everything written is CRLF text that is 7-bit or encoded. Boundaries come from the item's identity, so that the
//! same item gives the same bytes in every run.

use crate::model::blob::Blob;
use crate::model::item::Origin;
use crate::model::rendered::{Rendered, Segment, TransferEncoding};
use mail_builder::headers::Header as _;
use mail_builder::headers::content_type::ContentType;
use mail_builder::mime::MimePart;

/// A line of a message holds at most 998 bytes (RFC 5322 section 2.1.1).
pub const LINE_BYTES: usize = 998;

/// A part of a message.
#[derive(Debug)]
pub enum Part {
    /// Text with line feeds; it is encoded as it needs.
    Text { content_type: ContentType<'static>, text: String },
    /// A file, in base64. `headers` are whole lines.
    File { headers: Vec<u8>, blob: Blob },
    /// `content_type` without the boundary.
    Multipart { content_type: ContentType<'static>, parts: Vec<Self> },
    /// Headers, empty line and body as they are.
    Ready(Vec<Segment>),
}

impl Part {
    pub fn plain(text: String) -> Self {
        Self::Text { content_type: flowed(), text }
    }

    pub fn html(text: String) -> Self {
        let content_type = ContentType::new("text/html").attribute("charset", "utf-8");
        Self::Text { content_type, text }
    }

    /// A multipart of a subtype; of one part only that part.
    pub fn multipart(subtype: &'static str, mut parts: Vec<Self>) -> Self {
        match parts.len() {
            1 => parts.remove(0),
            _ => Self::Multipart { content_type: ContentType::new(format!("multipart/{subtype}")), parts },
        }
    }

    fn is_multipart(&self) -> bool {
        matches!(self, Self::Multipart { .. })
    }

    /// Whether a text occurs in what is written as it is.
    fn contains(&self, text: &str) -> bool {
        match self {
            Self::Text { text: own, .. } => own.contains(text),
            Self::File { .. } => false,
            Self::Multipart { parts, .. } => parts.iter().any(|part| part.contains(text)),
            Self::Ready(segments) => segments.iter().any(|segment| match segment {
                Segment::Bytes(bytes) => occurs(text.as_bytes(), bytes),
                Segment::Blob { .. } => false,
            }),
        }
    }
}

/// RFC 3676 section 4.
fn flowed() -> ContentType<'static> {
    ContentType::new("text/plain").attribute("charset", "utf-8").attribute("format", "flowed")
}

fn occurs(needle: &[u8], haystack: &[u8]) -> bool {
    let starts = haystack.iter().enumerate().filter(|(_, byte)| Some(*byte) == needle.first());
    starts.into_iter().any(|(at, _)| haystack[at..].starts_with(needle))
}

/// Collects a message as segments.
#[derive(Default)]
pub struct Writer {
    segments: Vec<Segment>,
    bytes: Vec<u8>,
}

impl Writer {
    pub fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    pub fn blob(&mut self, blob: Blob, encoding: TransferEncoding) {
        self.segment(Segment::Blob { blob, encoding });
    }

    pub fn segment(&mut self, segment: Segment) {
        match segment {
            Segment::Bytes(bytes) => self.push(&bytes),
            blob => {
                self.end_bytes();
                self.segments.push(blob);
            }
        }
    }

    fn end_bytes(&mut self) {
        if !self.bytes.is_empty() {
            self.segments.push(Segment::Bytes(std::mem::take(&mut self.bytes)));
        }
    }

    pub fn finish(mut self) -> Vec<Segment> {
        self.end_bytes();
        self.segments
    }

    /// Ends the line that is open. A blob in base64 ends its last line itself.
    pub fn end_line(&mut self) {
        if !self.bytes.is_empty() && !self.bytes.ends_with(b"\r\n") {
            self.push(b"\r\n");
        }
    }

    /// Writes a part with its headers.
    pub fn part(&mut self, part: Part, boundaries: &mut Boundaries) {
        match part {
            Part::Text { content_type, text } => self.text(content_type, text),
            Part::File { headers, blob } => {
                self.push(&headers);
                self.push(b"Content-Transfer-Encoding: base64\r\n\r\n");
                self.blob(blob, TransferEncoding::Base64);
            }
            Part::Multipart { content_type, parts } => {
                let boundary = boundaries.next();
                self.push(b"Content-Type: ");
                content_type
                    .attribute("boundary", boundary.clone())
                    .write_header(&mut self.bytes, "Content-Type: ".len());
                self.push(b"\r\n");
                for part in parts {
                    self.push(format!("--{boundary}\r\n").as_bytes());
                    self.part(part, boundaries);
                    self.end_line();
                }
                self.push(format!("--{boundary}--\r\n").as_bytes());
            }
            Part::Ready(segments) => segments.into_iter().for_each(|segment| self.segment(segment)),
        }
    }

    /// Writes a part of plain text with its headers.
    pub fn plain(&mut self, text: String) {
        self.text(flowed(), text);
    }

    fn text(&mut self, content_type: ContentType<'static>, text: String) {
        let short_lines = text.split('\n').all(|line| line.len() <= LINE_BYTES);
        if !(text.is_ascii() && short_lines) || text.contains(['\0', '\r']) {
            // The crate labels NUL and bare CR as 7bit when nothing else needs encoding.
            // Before it is encoded, text has CRLF line ends (RFC 2045 section 6.8).
            let text = text.replace('\0', " ").replace('\r', "").replace('\n', "\r\n");
            MimePart::new(content_type, text).write_part(&mut self.bytes);
            return self.end_line();
        }
        self.push(b"Content-Type: ");
        content_type.write_header(&mut self.bytes, "Content-Type: ".len());
        self.push(b"Content-Transfer-Encoding: 7bit\r\n\r\n");
        for line in text.split_inclusive('\n') {
            self.push(line.trim_end_matches('\n').as_bytes());
            self.push(b"\r\n");
        }
    }
}

/// The boundaries of one message: derived from its origin, and in none of its texts.
pub struct Boundaries {
    base: String,
    given: usize,
}

impl Boundaries {
    pub fn new(origin: &Origin, content: &Part) -> Self {
        let origin = origin.to_string();
        let mut salt = 0_u64;
        loop {
            let mut hasher = blake3::Hasher::new_derive_key("notesferry boundary 1");
            hasher.update(&salt.to_le_bytes());
            hasher.update(origin.as_bytes());
            // `=_` stands in no line of base64 or quoted-printable (RFC 2045 section 6.7).
            let base = format!("=_nf_{}", &hasher.finalize().to_hex()[..32]);
            if !content.is_multipart() || !content.contains(&base) {
                return Self { base, given: 0 };
            }
            salt += 1;
        }
    }

    fn next(&mut self) -> String {
        self.given += 1;
        format!("{}.{}", self.base, self.given)
    }
}

/// Headers and content as a finished message.
pub fn render(headers: &[u8], content: Part, origin: &Origin) -> Rendered {
    let mut boundaries = Boundaries::new(origin, &content);
    let mut writer = Writer::default();
    writer.push(headers);
    writer.part(content, &mut boundaries);
    Rendered::new(writer.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    // RFC 2045 section 6.8: text in base64 has CRLF line ends inside.
    #[test]
    fn encoded_text_has_crlf_line_ends() {
        let written = |text: &str| {
            let mut writer = Writer::default();
            writer.plain(text.to_owned());
            match &writer.finish()[..] {
                [Segment::Bytes(bytes)] => String::from_utf8(bytes.clone()).unwrap(),
                other => panic!("{other:?}"),
            }
        };
        let cyrillic = written("\u{41F}\u{440}\u{438}\u{432}\u{435}\u{442}\n\u{43C}\u{438}\u{440}\n");
        let message = mail_parser::MessageParser::default().parse(cyrillic.as_bytes()).unwrap();
        assert!(cyrillic.contains("base64"), "{cyrillic}");
        assert_eq!(
            message.text_bodies().next().unwrap().contents().iter().filter(|b| **b == b'\r').count(),
            2
        );
        let german = written(
            "Gr\u{FC}\u{DF}e aus dem sch\u{F6}nen und sehr gro\u{DF}en Ort\nBis bald und alles Gute\n",
        );
        assert!(german.contains("quoted-printable"), "{german}");
        assert!(german.ends_with("Ort\r\nBis bald und alles Gute\r\n"), "{german}");
        assert!(!german.contains("=0D") && !german.contains("=0A"), "{german}");
    }
}
