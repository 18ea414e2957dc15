//! Files of a document as parts: names, types and dates; the bytes stay where they are.

use crate::conversion::date;
use crate::conversion::headers::encoded;
use crate::conversion::losses::Losses;
use crate::conversion::message::Part;
use crate::model::content::{File, FileBody};
use crate::notes::timedate::{Moment, Timedate};
use mail_builder::headers::Header as _;
use mail_builder::headers::content_type::ContentType;

/// An attachment under the name that the reader sees. One whose bytes are lost becomes a line of text.
pub fn part(file: &File, shown: &str, losses: &mut Losses) -> Part {
    let name = harmless_name(shown);
    let blob = match &file.body {
        FileBody::Read(blob) => blob.clone(),
        FileBody::Lost(loss) => {
            losses.push(loss.clone());
            return Part::plain(missing(&name, file.descriptor.size));
        }
    };
    let mut headers = b"Content-Type: ".to_vec();
    // RFC 2047 words are what old programs look for in `name`.
    ContentType::new(media_type(blob.head(), &name))
        .attribute("name", encoded(&name).into_owned())
        .write_header(&mut headers, "Content-Type: ".len());
    headers.extend_from_slice(b"Content-Disposition: ");
    let mut disposition = ContentType::new("attachment").attribute("filename", name);
    let dates = [("creation-date", file.descriptor.created), ("modification-date", file.descriptor.modified)];
    for (key, time) in dates {
        if let Some(text) = date_text(time) {
            disposition = disposition.attribute(key, text);
        }
    }
    disposition.write_header(&mut headers, "Content-Disposition: ".len());
    Part::File { headers, blob }
}

/// The text that stands in the place of an attachment without bytes.
pub fn missing(name: &str, size: u32) -> String {
    format!("[attachment missing: {name}, {size} bytes]\n")
}

/// The type by content, then by name. Composite types cannot be written in base64 (RFC 2045 section 6.4), so a mail
/// stored as a file is a file.
pub fn media_type(head: &[u8], name: &str) -> String {
    let by_content = infer::get(head).map(|kind| kind.mime_type());
    let by_name = mime_guess::from_path(name).first_raw();
    let media_type = match (by_content, by_name) {
        // Office documents are containers; only the name tells which.
        (Some("application/zip" | "application/x-ole-storage" | "text/xml"), Some(by_name)) => by_name,
        (Some(by_content), _) => by_content,
        (None, Some(by_name)) => by_name,
        (None, None) => "application/octet-stream",
    };
    let composite = media_type.starts_with("message/") || media_type.starts_with("multipart/");
    if composite { "application/octet-stream" } else { media_type }.to_owned()
}

/// A file name without path and control characters.
fn harmless_name(name: &str) -> String {
    let base = name.rsplit(['/', '\\']).next().unwrap_or(name).trim();
    let name: String = base.chars().map(|c| if c.is_control() { '_' } else { c }).collect();
    if name.is_empty() { "attachment".to_owned() } else { name }
}

fn date_text(time: Timedate) -> Option<String> {
    match time.moment() {
        Ok(Moment::Instant { unix_ms, zone_minutes }) => Some(date::rfc5322(unix_ms, zone_minutes)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_content_tells_the_type_before_the_name_does() {
        assert_eq!(media_type(b"%PDF-1.4", "a.txt"), "application/pdf");
        assert_eq!(media_type(b"hello", "a.txt"), "text/plain");
        assert_eq!(media_type(b"hello", "a"), "application/octet-stream");
        assert_eq!(media_type(b"From: a", "a.eml"), "application/octet-stream");
        let docx = media_type(b"PK\x03\x04", "a.docx");
        assert_eq!(docx, "application/vnd.openxmlformats-officedocument.wordprocessingml.document");
    }

    #[test]
    fn a_name_cannot_lead_elsewhere() {
        assert_eq!(harmless_name("C:\\x\\..\\a\r\n.txt"), "a__.txt");
        assert_eq!(harmless_name("../"), "attachment");
    }
}
