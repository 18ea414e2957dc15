//! Stored forms of item values. Each function gives the value without a type word.

use crate::notes::encode;
pub use crate::notes::encode::{note_refs, text_list};
use crate::notes::ids::{NoteId, ReplicaId, Unid};
use crate::notes::lmbcs;
use crate::notes::timedate::Timedate;

/// One text: LMBCS.
pub fn text(text: &str) -> Vec<u8> {
    lmbcs::encode(text)
}

/// A time list without ranges.
pub fn times(singles: &[Timedate]) -> Vec<u8> {
    encode::times(singles, &[])
}

/// A number list without ranges.
pub fn numbers(singles: &[f64]) -> Vec<u8> {
    encode::numbers(singles, &[])
}

/// The `$Links` item: replica, view and document of each link.
pub fn note_links(links: &[(ReplicaId, Unid, Unid)]) -> Vec<u8> {
    let mut value = (links.len() as u16).to_le_bytes().to_vec();
    for (replica, view, document) in links {
        value.extend_from_slice(&Timedate(replica.innards()).to_stored());
        value.extend_from_slice(&view.to_stored());
        value.extend_from_slice(&document.to_stored());
    }
    value
}

/// What an Internet header is, for the flags of its item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeaderKind {
    Address = 0,
    Date = 1,
    Text = 2,
}

/// An Internet header as it came, with the value that Notes makes of it.
///
/// # Source
/// Notes C API, structure `RFC822ITEMDESC`; bit 3 of the flags is strict storage.
pub fn rfc822(kind: HeaderKind, native: &[u8], name: &str, delimiter: &str, body: &[u8]) -> Vec<u8> {
    let mut value = 14u16.to_le_bytes().to_vec();
    value.extend_from_slice(&(0x08 | kind as u32).to_le_bytes());
    let parts = [native, name.as_bytes(), delimiter.as_bytes(), body];
    parts.iter().for_each(|part| value.extend_from_slice(&(part.len() as u16).to_le_bytes()));
    value.extend(parts.concat());
    value
}

/// The kinds of MIME parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MimeKind {
    Prolog = 1,
    Body = 2,
    Epilog = 3,
}

/// A MIME part. `boundary` and `headers` include their line ends; with `in_object` the body is the name of the `$FILE`
/// item that holds the decoded bytes.
///
/// # Source
/// Notes C API, structure `MIME_PART`.
pub fn mime_part(kind: MimeKind, boundary: &str, headers: &[u8], body: &[u8], in_object: bool) -> Vec<u8> {
    const SHARED: u32 = 8;
    let flags = u32::from(!boundary.is_empty())
        | u32::from(!headers.is_empty()) << 1
        | if in_object { 4 | SHARED } else { 0 };
    let mut value = 2u16.to_le_bytes().to_vec();
    value.extend_from_slice(&flags.to_le_bytes());
    value.extend_from_slice(&[kind as u8, 0]);
    for length in [boundary.len() + headers.len() + body.len(), boundary.len(), headers.len()] {
        value.extend_from_slice(&(length as u16).to_le_bytes());
    }
    value.extend_from_slice(&[0; 6]);
    value.extend_from_slice(boundary.as_bytes());
    value.extend_from_slice(headers);
    value.extend_from_slice(body);
    value
}

/// An object of the database that is no file.
pub(super) fn object(object_type: u16, id: NoteId) -> Vec<u8> {
    let mut value = object_type.to_le_bytes().to_vec();
    value.extend_from_slice(&id.0.to_le_bytes());
    value
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notes::item::ItemType;
    use crate::notes::mime_part::PartKind;
    use crate::notes::value::Value;

    #[test]
    fn a_mime_part_reads_back() {
        let stored = mime_part(MimeKind::Body, "--x\r\n", b"A: b\r\n\r\n", b"a.bin", true);
        let Ok(Value::MimePart(part)) = Value::decode(ItemType::MIME_PART, &stored) else { panic!() };
        assert_eq!((part.kind, part.flags, part.body_in_object()), (PartKind::Body, 0x0F, true));
        assert_eq!(
            (part.boundary, part.headers, part.body),
            (&b"--x\r\n"[..], &b"A: b\r\n\r\n"[..], &b"a.bin"[..])
        );
        assert_eq!(stored[8..10], [18, 0]);
    }

    // M07 of the reference: the bytes of a real item.
    #[test]
    fn an_internet_header_has_the_form_seen_in_exports() {
        let stored = rfc822(HeaderKind::Text, b"Bulk Mail", "X-MXTHUNDER-Group", ":  ", b"Bulk Mail\r\n");
        assert_eq!(stored[..14], [0x0E, 0, 0x0A, 0, 0, 0, 9, 0, 0x11, 0, 3, 0, 0x0B, 0]);
    }
}
