//! One message taken apart: headers as items, and the pieces between its boundaries.

use crate::forge::headers::{date_header, item_name, text_header};
use crate::forge::mime::{Body, Piece};
use crate::forge::note::ItemSpec;
use crate::forge::values::{HeaderKind, MimeKind};
use crate::notes::item::ItemFlags;
use crate::notes::timedate::Timedate;
use mail_parser::decoders::base64::base64_decode;
use mail_parser::decoders::quoted_printable::quoted_printable_decode;
use mail_parser::{
    DateTime, Encoding, Header, HeaderName, HeaderValue, Message, MessageParser, MessagePart, MimeHeaders,
    PartType,
};
use std::borrow::Cow;

/// Longer texts go into a `$FILE` item like attachments.
const TEXT_BYTES: usize = 40_000;
/// A header body that no item could hold is cut here.
const HEADER_BYTES: usize = 50_000;

/// The message with all lines ended by CRLF.
pub(super) fn with_crlf(raw: &[u8]) -> Vec<u8> {
    let mut lines = Vec::with_capacity(raw.len() + raw.len() / 40);
    let mut previous = 0;
    for &byte in raw {
        if byte == b'\n' && previous != b'\r' {
            lines.push(b'\r');
        }
        lines.push(byte);
        previous = byte;
    }
    lines
}

/// `None` if the bytes are no message.
pub(super) fn parse(raw: &[u8]) -> Option<Message<'_>> {
    MessageParser::default().parse(raw).filter(|message| !message.headers().is_empty())
}

/// The date header as the instant it names, in its own zone.
pub(super) fn date(message: &Message<'_>) -> Option<Timedate> {
    message.date().and_then(timedate)
}

fn timedate(date: &DateTime) -> Option<Timedate> {
    let seconds = date.to_timestamp();
    let minutes = i32::from(date.tz_hour) * 60 + i32::from(date.tz_minute);
    let minutes = if date.tz_before_gmt { -minutes } else { minutes };
    // 1900 to 2200, outside of which Notes has no dates.
    (-2_208_988_800..7_289_568_000)
        .contains(&seconds)
        .then(|| Timedate::from_unix_ms(seconds * 1000, minutes))
}

/// Whether a header describes the body, and so belongs to the first MIME part.
fn is_content_header(name: &HeaderName<'_>) -> bool {
    name.as_str().get(..8).is_some_and(|start| start.eq_ignore_ascii_case("Content-"))
}

/// The headers as they came, each with the value that Notes makes of it.
pub(super) fn headers(message: &Message<'_>, raw: &[u8]) -> Vec<ItemSpec> {
    let own = message.headers().iter().filter(|header| !is_content_header(&header.name));
    own.filter_map(|header| header_item(message, header, raw)).collect()
}

fn header_item(message: &Message<'_>, header: &Header<'_>, raw: &[u8]) -> Option<ItemSpec> {
    let stored_name = String::from_utf8_lossy(slice(raw, header.offset_field, header.offset_start));
    let name = stored_name.split(':').next()?.trim();
    let stored = slice(raw, header.offset_start, header.offset_end);
    let spaces = stored.iter().take_while(|byte| **byte == b' ').count();
    let (spaces, body) = stored.split_at(spaces);
    let delimiter = format!(":{}", String::from_utf8_lossy(spaces));
    let body = &body[..body.len().min(HEADER_BYTES)];
    let is_date = header.name == HeaderName::Date;
    if let Some(time) = message.date().filter(|_| is_date).and_then(timedate) {
        return Some(date_header(name, &delimiter, body, time));
    }
    let address = matches!(header.value, HeaderValue::Address(_));
    let kind = if address { HeaderKind::Address } else { HeaderKind::Text };
    let mut text =
        header_text(&header.value).unwrap_or_else(|| String::from_utf8_lossy(body).trim().to_owned());
    text.truncate(text.floor_char_boundary(HEADER_BYTES / 5));
    Some(text_header(kind, name, &delimiter, body, &text))
}

/// The decoded value, where it is one that Notes keeps as text.
fn header_text(value: &HeaderValue<'_>) -> Option<String> {
    match value {
        HeaderValue::Text(text) => Some(text.to_string()),
        HeaderValue::TextList(texts) => Some(texts.join(" ")),
        HeaderValue::Address(addresses) => Some(addresses.iter().map(shown).collect::<Vec<_>>().join(", ")),
        _ => None,
    }
}

fn shown(address: &mail_parser::Addr<'_>) -> String {
    match (address.name(), address.address()) {
        (Some(name), Some(address)) => format!("\"{name}\" <{address}>"),
        (name, address) => address.or(name).unwrap_or_default().to_owned(),
    }
}

/// The headers of a draft as a client keeps them: nothing was posted or received yet.
pub(super) fn draft_headers(message: &Message<'_>) -> Vec<ItemSpec> {
    let list = |name: &'static str, addresses: Option<&mail_parser::Address<'_>>| {
        let texts: Vec<String> = addresses.map(|list| list.iter().map(shown).collect()).unwrap_or_default();
        ItemSpec::texts(name, &texts).flagged(ItemFlags::NAMES)
    };
    let mut items = vec![
        list("From", message.from()),
        list("EnterSendTo", message.to()),
        list("EnterCopyTo", message.cc()),
        list("EnterBlindCopyTo", message.bcc()),
        ItemSpec::text("Subject", message.subject().unwrap_or_default()),
    ];
    items.extend(date(message).map(|date| ItemSpec::time("ComposedDate", date)));
    for name in ["Message-ID", "In-Reply-To", "References"] {
        items.extend(message.header_raw(name).map(|raw| ItemSpec::text(item_name(name), raw.trim())));
    }
    items
}

fn slice(raw: &[u8], from: u32, to: u32) -> &[u8] {
    raw.get(from as usize..to as usize).unwrap_or_default()
}

/// A place where one piece ends and the next begins.
struct Cut {
    at: usize,
    /// The part that begins here; `None` for a closing boundary.
    part: Option<usize>,
}

/// The pieces of the body. Joined they are the body as it came, files as their decoded bytes.
pub(super) fn pieces<'a>(message: &Message<'_>, raw: &'a [u8]) -> Vec<Piece<'a>> {
    let cuts = cuts(message, raw);
    let ends = cuts.iter().skip(1).map(|cut| cut.at).chain([raw.len()]);
    cuts.iter()
        .zip(ends)
        .filter_map(|(cut, end)| match cut.part {
            Some(0) => Some(piece(&message.parts[0], raw, root_headers(message, raw), String::new(), end)),
            Some(index) => {
                let part = &message.parts[index];
                let boundary =
                    String::from_utf8_lossy(slice(raw, cut.at as u32, part.offset_header)).into_owned();
                let headers = slice(raw, part.offset_header, part.offset_body).to_vec();
                Some(piece(part, raw, headers, boundary, end))
            }
            None => closing(raw.get(cut.at..end)?),
        })
        .collect()
}

fn closing(bytes: &[u8]) -> Option<Piece<'_>> {
    let line = bytes.iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |at| at + 1);
    let (boundary, rest) = bytes.split_at(line);
    let mut boundary = String::from_utf8(boundary.to_vec()).ok()?;
    if !boundary.ends_with("\r\n") {
        boundary += "\r\n";
    }
    Some(Piece {
        kind: MimeKind::Epilog,
        boundary,
        headers: Vec::new(),
        body: Body::Text(Cow::Borrowed(rest)),
    })
}

/// The part's own headers of the message's: those of its content.
fn root_headers(message: &Message<'_>, raw: &[u8]) -> Vec<u8> {
    let content = message.headers().iter().filter(|header| is_content_header(&header.name));
    let mut headers: Vec<u8> =
        content.flat_map(|header| slice(raw, header.offset_field, header.offset_end)).copied().collect();
    if headers.is_empty() {
        headers.extend_from_slice(b"Content-Type: text/plain\r\n");
    }
    headers.extend_from_slice(b"\r\n");
    headers
}

/// Where the boundary lines of parts and multiparts begin, in the order of the message.
fn cuts(message: &Message<'_>, raw: &[u8]) -> Vec<Cut> {
    let mut cuts = vec![Cut { at: 0, part: Some(0) }];
    for (index, part) in message.parts.iter().enumerate() {
        if index > 0 {
            cuts.push(Cut { at: line_before(raw, part.offset_header as usize), part: Some(index) });
        }
        let PartType::Multipart(children) = &part.body else { continue };
        let boundary = part.content_type().and_then(|kind| kind.attribute("boundary"));
        let last = children.last().and_then(|last| message.parts.get(*last as usize));
        if let (Some(boundary), Some(last)) = (boundary, last) {
            let closing = find_line(raw, last.offset_body as usize, &format!("--{boundary}--"));
            cuts.extend(closing.map(|at| Cut { at, part: None }));
        }
    }
    cuts.sort_by_key(|cut| cut.at);
    cuts
}

/// The start of the line that ends before `at`.
fn line_before(raw: &[u8], at: usize) -> usize {
    let line_end = raw[..at].strip_suffix(b"\r\n").unwrap_or(&raw[..at]);
    line_end.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1)
}

/// The first line with this start at or after `from`, which is the start of a line.
fn find_line(raw: &[u8], from: usize, start: &str) -> Option<usize> {
    let mut at = from;
    for line in raw.get(from..)?.split_inclusive(|byte| *byte == b'\n') {
        if line.starts_with(start.as_bytes()) {
            return Some(at);
        }
        at += line.len();
    }
    None
}

fn piece<'a>(
    part: &MessagePart<'_>,
    raw: &'a [u8],
    headers: Vec<u8>,
    boundary: String,
    end: usize,
) -> Piece<'a> {
    let body = raw.get(part.offset_body as usize..end).unwrap_or_default();
    if matches!(part.body, PartType::Multipart(_)) {
        return Piece { kind: MimeKind::Prolog, boundary, headers, body: Body::Text(Cow::Borrowed(body)) };
    }
    let attached = part.attachment_name().is_some()
        || matches!(part.body, PartType::Binary(_) | PartType::InlineBinary(_));
    let body = match decoded(part, body) {
        Some(decoded) if attached || decoded.len() > TEXT_BYTES => {
            let name = part.attachment_name().unwrap_or("ATT00001").to_owned();
            Body::File { name, decoded }
        }
        _ => Body::Text(Cow::Borrowed(body)),
    };
    Piece { kind: MimeKind::Body, boundary, headers, body }
}

/// The bytes behind the transfer encoding; `None` where they are damaged. The line end before a boundary is part of
/// the boundary (RFC 2046 section 5.1.1).
fn decoded<'a>(part: &MessagePart<'_>, body: &'a [u8]) -> Option<Cow<'a, [u8]>> {
    let body = body.strip_suffix(b"\r\n").unwrap_or(body);
    match part.encoding {
        Encoding::None => Some(Cow::Borrowed(body)),
        Encoding::QuotedPrintable => quoted_printable_decode(body).map(Cow::Owned),
        Encoding::Base64 => base64_decode(body).map(Cow::Owned),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NESTED: &str = "Received: one\nReceived:  two\n\tthree\nSubject: =?UTF-8?Q?Gr=C3=BC=C3=9Fe?=\n\
        Date: Fri, 8 Aug 2014 13:18:33 -0400\nTo: A <a@example.com>\nContent-Type: multipart/mixed; boundary=out\n\n\
        preamble\n--out\nContent-Type: multipart/alternative; boundary=\"in\"\n\n--in\n\nplain\n--in\n\
        Content-Type: text/html\n\n<p>\n\n--in--\n\n--out\nContent-Type: a/b; name=x.bin\n\
        Content-Transfer-Encoding: base64\n\naGVsbG8=\n--out--\nepilogue\n";

    fn joined(pieces: &[Piece<'_>]) -> String {
        let mut text = Vec::new();
        for piece in pieces {
            text.extend_from_slice(piece.boundary.as_bytes());
            text.extend_from_slice(&piece.headers);
            match &piece.body {
                Body::Text(body) => text.extend_from_slice(body),
                Body::File { name, decoded } => {
                    text.extend_from_slice(format!("[{name}]").as_bytes());
                    text.extend_from_slice(decoded);
                    text.extend_from_slice(b"\r\n");
                }
            }
        }
        String::from_utf8(text).unwrap()
    }

    #[test]
    fn pieces_join_to_the_body() {
        let raw = with_crlf(NESTED.as_bytes());
        let message = parse(&raw).unwrap();
        let pieces = pieces(&message, &raw);
        use MimeKind::{Body, Epilog, Prolog};
        let kinds: Vec<MimeKind> = pieces.iter().map(|piece| piece.kind).collect();
        assert_eq!(kinds, [Prolog, Prolog, Body, Body, Epilog, Body, Epilog]);
        let (_, body) = NESTED.split_once("name=x.bin").unwrap();
        assert!(body.contains("aGVsbG8="));
        let expected = NESTED.split_once("<a@example.com>\n").unwrap().1.replace('\n', "\r\n");
        assert_eq!(joined(&pieces), expected.replace("aGVsbG8=", "[x.bin]hello"));
    }

    #[test]
    fn a_plain_message_is_one_piece_with_a_type() {
        let raw = with_crlf(b"Subject: x\n\nbody\nof two lines\n");
        let message = parse(&raw).unwrap();
        assert_eq!(
            joined(&pieces(&message, &raw)),
            "Content-Type: text/plain\r\n\r\nbody\r\nof two lines\r\n"
        );
    }

    #[test]
    fn headers_keep_order_and_spelling() {
        use crate::notes::value::Value;
        let raw = with_crlf(NESTED.as_bytes());
        let message = parse(&raw).unwrap();
        let items = headers(&message, &raw);
        let names: Vec<&str> = items.iter().map(|item| &*item.name).collect();
        assert_eq!(names, ["Received", "Received", "Subject", "PostedDate", "SendTo"]);
        let lines: Vec<String> = items
            .iter()
            .map(|item| match Value::decode(item.item_type, &item.value) {
                Ok(Value::Rfc822(header)) => {
                    String::from_utf8([header.name, header.delimiter, header.body].concat()).unwrap()
                }
                other => panic!("{other:?}"),
            })
            .collect();
        let expected = NESTED.split_once("Content-Type").unwrap().0.replace('\n', "\r\n");
        assert_eq!(lines.concat(), expected);
        let Ok(Value::Rfc822(date)) = Value::decode(items[3].item_type, &items[3].value) else { panic!() };
        assert_eq!(date.time().unwrap().to_string(), "2014-08-08T17:18:33Z");
    }

    #[test]
    fn broken_structures_lose_nothing() {
        for text in [
            "Content-Type: multipart/mixed; boundary=b\n\n--b\n\none\n",
            "Content-Type: multipart/mixed; boundary=b\n\nno part at all\n",
            "Content-Type: multipart/mixed\n\n--b\n\none\n--b--\n",
            "Content-Type: text/plain\nContent-Transfer-Encoding: base64\n\n!!!\n",
        ] {
            let raw = with_crlf(text.as_bytes());
            let message = parse(&raw).unwrap();
            // A multipart without boundary is a file to everyone.
            let joined = joined(&pieces(&message, &raw)).replace("[ATT00001]", "");
            assert_eq!(joined, text.replace('\n', "\r\n"));
        }
    }
}
