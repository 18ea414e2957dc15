//! A finished message as a list of segments whose exact length is known without reading the attachments.
//!
//! Made by `conversion`, written by `destinations`. It can be written any number of times, so a batch can be split
//! and a message of 1 GiB needs no 1 GiB of memory.

use crate::model::blob::Blob;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::io::{self, Read, Write};
use std::sync::OnceLock;

/// How base64 is cut into lines.
struct Base64Lines {
    /// Before each line.
    prefix: &'static str,
    /// Input bytes of one line.
    bytes: usize,
}

/// 76 characters (RFC 2045 section 6.8).
const LINES: Base64Lines = Base64Lines { prefix: "", bytes: 57 };

/// 73 octets of at most 75 (RFC 5545 section 3.1).
const CONTINUED_LINES: Base64Lines = Base64Lines { prefix: " ", bytes: 54 };

/// How the bytes of a blob are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransferEncoding {
    /// As they are.
    Identity,
    /// In base64 lines of 76 characters, each ended by CRLF.
    Base64,
    /// In base64 as the rest of an iCalendar or vCard property: every line begins with the space that continues the
    /// line before it (RFC 5545 section 3.1) and is ended by CRLF.
    Base64Continued,
}

/// A piece of a message.
#[derive(Clone, Debug)]
pub enum Segment {
    Bytes(Vec<u8>),
    Blob { blob: Blob, encoding: TransferEncoding },
}

impl Segment {
    /// The written length in bytes.
    pub fn len(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::Blob { blob, encoding: TransferEncoding::Identity } => blob.len(),
            Self::Blob { blob, encoding: TransferEncoding::Base64 } => LINES.length(blob.len()),
            Self::Blob { blob, encoding: TransferEncoding::Base64Continued } => {
                CONTINUED_LINES.length(blob.len())
            }
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn write_to(&self, out: &mut dyn Write) -> io::Result<()> {
        match self {
            Self::Bytes(bytes) => out.write_all(bytes),
            Self::Blob { blob, encoding: TransferEncoding::Identity } => {
                let copied = io::copy(&mut blob.open()?.take(blob.len() + 1), out)?;
                check_length(copied, blob.len())
            }
            Self::Blob { blob, encoding: TransferEncoding::Base64 } => LINES.write(blob, out),
            Self::Blob { blob, encoding: TransferEncoding::Base64Continued } => {
                CONTINUED_LINES.write(blob, out)
            }
        }
    }
}

fn check_length(read: u64, expected: u64) -> io::Result<()> {
    if read == expected {
        return Ok(());
    }
    let message = format!("an attachment of {expected} bytes gave {read} when it was read again");
    Err(io::Error::new(io::ErrorKind::InvalidData, message))
}

impl Base64Lines {
    /// The length of `bytes` bytes with CRLF after each line, the last one too.
    fn length(&self, bytes: u64) -> u64 {
        let line_extra = self.prefix.len() as u64 + 2;
        bytes.div_ceil(3) * 4 + bytes.div_ceil(self.bytes as u64) * line_extra
    }

    fn write(&self, blob: &Blob, out: &mut dyn Write) -> io::Result<()> {
        const BLOCK_LINES: usize = 1024;
        let mut reader = blob.open()?.take(blob.len() + 1);
        let mut block = vec![0; self.bytes * BLOCK_LINES];
        let mut text = String::with_capacity(80 * BLOCK_LINES);
        let mut read = 0;
        loop {
            let filled = read_full(&mut reader, &mut block)?;
            if filled == 0 {
                return check_length(read, blob.len());
            }
            read += filled as u64;
            text.clear();
            for line in block[..filled].chunks(self.bytes) {
                text.push_str(self.prefix);
                STANDARD.encode_string(line, &mut text);
                text.push_str("\r\n");
            }
            out.write_all(text.as_bytes())?;
        }
    }
}

/// Fills `block` unless the reader ends before.
fn read_full(reader: &mut dyn Read, block: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < block.len() {
        match reader.read(&mut block[filled..]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// A message ready to be stored: CRLF line ends throughout, as RFC 5322 asks.
#[derive(Clone, Debug, Default)]
pub struct Rendered {
    segments: Vec<Segment>,
    /// Known after the message was written once, so that its attachments are not read again for it.
    digest: OnceLock<[u8; 32]>,
}

impl Rendered {
    pub fn new(segments: Vec<Segment>) -> Self {
        Self { segments, digest: OnceLock::new() }
    }

    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// The exact number of bytes that [`Rendered::write_to`] writes.
    pub fn len(&self) -> u64 {
        self.segments.iter().map(Segment::len).sum()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Writes the message.
    ///
    /// # Errors
    /// Errors of `out`, of the blobs, and `InvalidData` when a blob does not give exactly its length.
    pub fn write_to(&self, out: &mut dyn Write) -> io::Result<()> {
        if self.digest.get().is_some() {
            return self.segments.iter().try_for_each(|segment| segment.write_to(out));
        }
        let mut tee = Tee { out, hasher: blake3::Hasher::new() };
        self.segments.iter().try_for_each(|segment| segment.write_to(&mut tee))?;
        self.digest.get_or_init(|| *tee.hasher.finalize().as_bytes());
        Ok(())
    }

    /// The BLAKE3 digest of the written message; free once it was written.
    ///
    /// # Errors
    /// As [`Rendered::write_to`].
    pub fn digest(&self) -> io::Result<[u8; 32]> {
        if self.digest.get().is_none() {
            self.write_to(&mut io::sink())?;
        }
        self.digest.get().copied().ok_or_else(|| io::Error::other("the message was not written"))
    }
}

/// Writes through and digests what passes.
struct Tee<'a> {
    out: &'a mut dyn Write,
    hasher: blake3::Hasher,
}

impl Write for Tee<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.hasher.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_length_is_what_is_written() {
        for size in [0, 1, 2, 3, 56, 57, 58, 114, 57 * 1024, 57 * 1024 + 1, 200_000] {
            let blob = Blob::memory(vec![b'x'; size]);
            use TransferEncoding::{Base64, Base64Continued, Identity};
            for encoding in [Identity, Base64, Base64Continued] {
                let segment = Segment::Blob { blob: blob.clone(), encoding };
                let rendered = Rendered::new(vec![Segment::Bytes(b"head".to_vec()), segment]);
                let mut written = Vec::new();
                rendered.write_to(&mut written).unwrap();
                assert_eq!(written.len() as u64, rendered.len(), "{size} {encoding:?}");
            }
        }
    }

    #[test]
    fn the_digest_is_of_what_is_written() {
        let rendered =
            Rendered::new(vec![Segment::Bytes(b"head".to_vec()), Segment::Bytes(b"body".to_vec())]);
        let expected = *blake3::hash(b"headbody").as_bytes();
        assert_eq!(rendered.digest().unwrap(), expected);
        rendered.write_to(&mut Vec::new()).unwrap();
        assert_eq!(rendered.digest().unwrap(), expected);
    }

    #[test]
    fn a_blob_that_shrank_is_an_error() {
        struct Short;
        impl crate::model::blob::OpenBlob for Short {
            fn open(&self) -> io::Result<Box<dyn Read + Send + '_>> {
                Ok(Box::new(io::Cursor::new(b"12")))
            }
        }
        let blob = Blob::stored(3, b"12", std::sync::Arc::new(Short));
        for encoding in [TransferEncoding::Identity, TransferEncoding::Base64] {
            let rendered = Rendered::new(vec![Segment::Blob { blob: blob.clone(), encoding }]);
            assert!(rendered.write_to(&mut Vec::new()).is_err());
        }
    }
}
