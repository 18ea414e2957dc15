//! One MIME_PART item: a boundary line, a header block and a body, or the name of the object that holds the body.

use super::bytes::Bytes;
use super::value::ValueError;

/// The place of a part in the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PartKind {
    /// Opens a multipart: its headers, nothing else.
    Prolog,
    Body,
    /// Closes a multipart.
    Epilog,
    RetrieveInfo,
    Message,
    Other(u8),
}

/// A decoded MIME_PART value.
///
/// # Source
/// Notes C API, structure `MIME_PART`; checked on public databases.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MimePart<'a> {
    pub flags: u32,
    pub kind: PartKind,
    /// The boundary line with its line end; empty for the first part.
    pub boundary: &'a [u8],
    /// The header lines with the empty line after them.
    pub headers: &'a [u8],
    /// The body; with [`MimePart::body_in_object`] the LMBCS name of a `$FILE` item.
    pub body: &'a [u8],
}

impl<'a> MimePart<'a> {
    pub const FLAG_BODY_IN_OBJECT: u32 = 0x04;
    const HEAD_BYTES: usize = 20;

    /// Decodes a stored part.
    ///
    /// # Errors
    /// [`ValueError`] if the head is cut or boundary and headers are longer than the value.
    pub fn decode(stored: &'a [u8]) -> Result<Self, ValueError> {
        let mut bytes = Bytes::new(stored, "MIME part");
        bytes.u16()?; // The version: 2 in every sample.
        let flags = bytes.u32()?;
        let kind = match bytes.u8()? {
            1 => PartKind::Prolog,
            2 => PartKind::Body,
            3 => PartKind::Epilog,
            4 => PartKind::RetrieveInfo,
            5 => PartKind::Message,
            other => PartKind::Other(other),
        };
        bytes.u8()?;
        bytes.u16()?; // Bytes that follow the head; the value itself tells.
        let (boundary, headers) = (usize::from(bytes.u16()?), usize::from(bytes.u16()?));
        bytes.take(Self::HEAD_BYTES - 14)?;
        let (boundary, headers) = (bytes.take(boundary)?, bytes.take(headers)?);
        Ok(Self { flags, kind, boundary, headers, body: bytes.rest() })
    }

    /// Whether `body` is only the name of the `$FILE` item that holds the decoded body.
    pub fn body_in_object(&self) -> bool {
        self.flags & Self::FLAG_BODY_IN_OBJECT != 0
    }
}
