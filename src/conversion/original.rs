//! Documents that keep the Internet message they were made of as a file: that is the best source there is.

use crate::model::content::{File, FileBody};
use crate::model::rendered::{Segment, TransferEncoding};
use crate::notes::document::Note;

/// The message that a document keeps, and the place of its file; `None` if it keeps none or the file is none.
pub fn find(note: &Note, files: &[File]) -> Option<Vec<Segment>> {
    let name = note.text("$IntMailMsgFileName");
    let file = files.iter().find(|file| file.descriptor.name.text.eq_ignore_ascii_case(name.trim()))?;
    let FileBody::Read(blob) = &file.body else { return None };
    let head = blob.head();
    if name.trim().is_empty() || !begins_with_header(head) {
        return None;
    }
    Some(match blob.in_memory() {
        // Bare line feeds come from imports; one that has CRLF anywhere was stored as it came.
        Some(bytes) if !head.contains(&b'\r') => {
            vec![Segment::Bytes(crate::conversion::mime::crlf(bytes))]
        }
        _ => vec![Segment::Blob { blob: blob.clone(), encoding: TransferEncoding::Identity }],
    })
}

/// Whether the first line is a header field (RFC 5322 section 2.2).
fn begins_with_header(head: &[u8]) -> bool {
    let line = head.split(|&b| b == b'\n').next().unwrap_or_default();
    let name = line.iter().position(|&b| b == b':').map(|at| &line[..at]).unwrap_or_default();
    !name.is_empty() && name.iter().all(u8::is_ascii_graphic)
}
