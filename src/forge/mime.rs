//! MIME messages as Notes stores them: one MIME_PART item for each piece between two boundaries.
//!
//! The pieces joined give the message body as it was, except that a piece in a `$FILE` item has only its name here and
//! says `Content-Transfer-Encoding: binary`.

use super::ForgeError;
use super::database::{Attachment, Compression, Writer};
use super::note::ItemSpec;
use super::values::{MimeKind, mime_part};
use crate::notes::timedate::Timedate;
use std::borrow::Cow;
use std::collections::HashSet;

/// A value has at most 65,535 bytes, and in practice items stay well below.
const MAX_BODY_BYTES: usize = 60_000;

/// One piece of a message. Texts end with CRLF.
pub struct Piece<'a> {
    pub kind: MimeKind,
    /// The boundary line; empty for the first piece.
    pub boundary: String,
    /// With the empty line at the end; empty for a closing boundary.
    pub headers: Vec<u8>,
    pub body: Body<'a>,
}

/// The body of a piece.
pub enum Body<'a> {
    /// As it stands in the message.
    Text(Cow<'a, [u8]>),
    /// Decoded, for a `$FILE` item; the name need not be unique.
    File { name: String, decoded: Cow<'a, [u8]> },
}

/// Writes the files of a message and returns its items, `$FILE` items first.
///
/// # Errors
/// As [`Writer::attach`].
pub fn items(
    writer: &mut Writer,
    pieces: &[Piece<'_>],
    modified: Timedate,
) -> Result<Vec<ItemSpec>, ForgeError> {
    let mut names = HashSet::new();
    let (mut files, mut parts) = (Vec::new(), Vec::new());
    for piece in pieces {
        match &piece.body {
            Body::Text(text) => parts.extend(text_parts(piece, text)),
            Body::File { name, decoded } => {
                let name = unique(&mut names, name);
                let flags = Attachment::MIME_PART;
                let bytes = decoded.len() as u64;
                let compression = Compression::Huffman;
                let data = &mut &decoded[..];
                files.push(writer.attach(Attachment {
                    name: &name,
                    data,
                    bytes,
                    compression,
                    flags,
                    modified,
                })?);
                let headers = declare_binary(&piece.headers);
                let name = crate::notes::lmbcs::encode(&name);
                let value = mime_part(piece.kind, &piece.boundary, &headers, &name, true);
                parts.push(ItemSpec::mime_part(value));
            }
        }
    }
    files.append(&mut parts);
    Ok(files)
}

/// A long text goes on in parts without boundary and headers.
fn text_parts(piece: &Piece<'_>, text: &[u8]) -> Vec<ItemSpec> {
    let (first, rest) = text.split_at(text.len().min(MAX_BODY_BYTES.saturating_sub(piece.headers.len())));
    let mut values = vec![mime_part(piece.kind, &piece.boundary, &piece.headers, first, false)];
    values.extend(rest.chunks(MAX_BODY_BYTES).map(|more| mime_part(piece.kind, "", b"", more, false)));
    values.into_iter().map(ItemSpec::mime_part).collect()
}

fn unique(names: &mut HashSet<String>, wanted: &str) -> String {
    let mut name = wanted.to_owned();
    let mut number = 1;
    while !names.insert(name.clone()) {
        number += 1;
        name = format!("{number}-{wanted}");
    }
    name
}

/// The headers with another transfer encoding. `headers` ends with an empty line.
fn declare_binary(headers: &[u8]) -> Vec<u8> {
    const FIELD: &[u8] = b"content-transfer-encoding:";
    let mut kept = Vec::with_capacity(headers.len() + 36);
    let mut dropping = false;
    for line in headers.split_inclusive(|byte| *byte == b'\n') {
        let folded = matches!(line[0], b' ' | b'\t');
        dropping = if folded {
            dropping
        } else {
            line.len() >= FIELD.len() && line[..FIELD.len()].eq_ignore_ascii_case(FIELD)
        };
        if line == b"\r\n" {
            break;
        }
        if !dropping {
            kept.extend_from_slice(line);
        }
    }
    kept.extend_from_slice(b"Content-Transfer-Encoding: binary\r\n\r\n");
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_transfer_encoding_is_replaced_with_its_folded_lines() {
        let headers =
            b"Content-Type: a/b;\r\n name=x\r\nContent-transfer-encoding:\r\n base64\r\nX: y\r\n\r\n";
        let expected = b"Content-Type: a/b;\r\n name=x\r\nX: y\r\nContent-Transfer-Encoding: binary\r\n\r\n";
        assert_eq!(declare_binary(headers), expected);
        assert_eq!(declare_binary(b"\r\n"), b"Content-Transfer-Encoding: binary\r\n\r\n");
    }

    #[test]
    fn names_of_files_become_unique() {
        let mut names = HashSet::new();
        assert_eq!(["a", "b", "a", "a"].map(|name| unique(&mut names, name)), ["a", "b", "2-a", "3-a"]);
    }
}
