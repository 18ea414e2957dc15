//! The text of a DXL file as UTF-8, read from any position, whatever encoding the file has.
//!
//! Encodings in which a character is one byte, UTF-8 and UTF-16: there the place in the file is known at every
//! character, so a document can be found again by its offset. Bytes that are no text become U+001A, which XML forbids;
//! [`super::xml`] makes U+FFFD of it.

use crate::sources::nsf::file::DatabaseFile;
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};
use std::io::{self, BufRead, Read};
use std::sync::Arc;

/// Bytes of the file that are read and decoded at once.
const BLOCK_BYTES: usize = 64 << 10;
/// Where the XML declaration has to end.
const DECLARATION_BYTES: usize = 1 << 10;
/// Stands for bytes that are no text.
pub const DAMAGE: u8 = 0x1A;

/// A DXL file with its encoding.
pub struct TextFile {
    file: DatabaseFile,
    encoding: &'static Encoding,
    /// Behind the byte order mark.
    start: u64,
}

impl TextFile {
    /// Finds the encoding by the byte order mark, else by the XML declaration; without both it is UTF-8
    /// (XML 1.0 section 4.3.3).
    ///
    /// # Errors
    /// A sentence if the encoding is none that can be read from the middle.
    pub fn new(file: DatabaseFile) -> io::Result<Self> {
        let mut head = vec![0; DECLARATION_BYTES.min(file.len() as usize)];
        file.read_at(0, &mut head)?;
        let (encoding, start) = match Encoding::for_bom(&head) {
            Some((encoding, length)) => (encoding, length as u64),
            None if head.starts_with(b"<\0") => (UTF_16LE, 0),
            None if head.starts_with(b"\0<") => (UTF_16BE, 0),
            None => (declared_encoding(&head)?, 0),
        };
        Ok(Self { file, encoding, start })
    }

    pub fn start(&self) -> u64 {
        self.start
    }

    /// Bytes of the file.
    pub fn len(&self) -> u64 {
        self.file.len()
    }

    /// Fills `block` with stored bytes from `at`.
    ///
    /// # Errors
    /// As [`DatabaseFile::read_at`].
    pub fn read_at(&self, at: u64, block: &mut [u8]) -> io::Result<()> {
        self.file.read_at(at, block)
    }
}

fn declared_encoding(head: &[u8]) -> io::Result<&'static Encoding> {
    let declaration = head.split(|&byte| byte == b'>').next().unwrap_or_default();
    let declaration = String::from_utf8_lossy(declaration);
    let after = declaration.starts_with("<?xml").then(|| declaration.split_once("encoding")).flatten();
    let Some((_, after)) = after else { return Ok(UTF_8) };
    let label = after.split(['"', '\'']).nth(1).unwrap_or_default();
    match Encoding::for_label(label.as_bytes()) {
        // The declaration could be read as ASCII, so it cannot be true.
        Some(encoding) if encoding == UTF_16LE || encoding == UTF_16BE => Ok(UTF_8),
        Some(encoding) if encoding == UTF_8 || encoding.is_single_byte() => Ok(encoding),
        _ => {
            let why = format!("its encoding \"{label}\" is not supported; convert it to UTF-8");
            Err(io::Error::new(io::ErrorKind::Unsupported, why))
        }
    }
}

/// Reads a file from some position on.
pub struct TextReader {
    file: Arc<TextFile>,
    /// Decoded text of which the first `used` bytes are consumed.
    block: Vec<u8>,
    used: usize,
    /// Place in the file of the first byte that is not consumed, and of the first that is not in the block.
    position: u64,
    next_block: u64,
    /// Bytes that may still be consumed.
    allowance: u64,
}

impl TextReader {
    /// From a place that [`TextReader::position`] gave, or [`TextFile::start`].
    pub fn new(file: Arc<TextFile>, position: u64) -> Self {
        Self { file, block: Vec::new(), used: 0, position, next_block: position, allowance: u64::MAX }
    }

    pub fn file(&self) -> &Arc<TextFile> {
        &self.file
    }

    /// The place in the file of the next byte.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// From here on at most `bytes` can be read; then reading fails.
    pub fn allow(&mut self, bytes: u64) {
        self.allowance = bytes;
    }

    /// The next `count` bytes or, at the end of the file, those that are there.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn peek(&mut self, count: usize) -> io::Result<&[u8]> {
        if self.block.len() - self.used < count {
            self.fill(self.position)?;
        }
        let rest = &self.block[self.used..];
        Ok(&rest[..rest.len().min(count)])
    }

    /// Decodes the block at `at`.
    fn fill(&mut self, at: u64) -> io::Result<()> {
        let there = self.file.len().saturating_sub(at);
        let mut raw = vec![0; BLOCK_BYTES.min(usize::try_from(there).unwrap_or(usize::MAX))];
        self.file.read_at(at, &mut raw)?;
        let last = raw.len() as u64 == there;
        let kept = if self.file.encoding == UTF_8 {
            mark_damage(&mut raw, last)
        } else {
            let kept = if last { raw.len() } else { whole_units(&raw, self.file.encoding) };
            raw.truncate(kept);
            let (text, _) = self.file.encoding.decode_without_bom_handling(&raw);
            raw = text.into_owned().into_bytes();
            kept
        };
        (self.block, self.used, self.position, self.next_block) = (raw, 0, at, at + kept as u64);
        Ok(())
    }

    /// Bytes of the file that the character of this first byte has; none for the bytes that follow in a character.
    fn stored_bytes(&self, byte: u8) -> u64 {
        let continues = byte & 0xC0 == 0x80;
        match byte {
            _ if self.file.encoding == UTF_8 => 1,
            _ if continues => 0,
            _ if self.file.encoding.is_single_byte() => 1,
            0xF0.. => 4,
            _ => 2,
        }
    }
}

impl BufRead for TextReader {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.allowance == 0 {
            return Err(io::Error::other("an element is larger than any that DXL has"));
        }
        if self.used == self.block.len() {
            self.fill(self.next_block)?;
        }
        let end = self
            .block
            .len()
            .min(self.used.saturating_add(usize::try_from(self.allowance).unwrap_or(usize::MAX)));
        Ok(&self.block[self.used..end])
    }

    fn consume(&mut self, count: usize) {
        let end = (self.used + count).min(self.block.len());
        let stored: u64 = match self.file.encoding == UTF_8 {
            true => (end - self.used) as u64,
            false => self.block[self.used..end].iter().map(|&byte| self.stored_bytes(byte)).sum(),
        };
        self.position += stored;
        self.allowance = self.allowance.saturating_sub(count as u64);
        self.used = end;
    }
}

impl Read for TextReader {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let text = self.fill_buf()?;
        let count = text.len().min(out.len());
        out[..count].copy_from_slice(&text[..count]);
        self.consume(count);
        Ok(count)
    }
}

/// Replaces what is no UTF-8, byte for byte, and cuts off a character that the end of the block divides. Gives the
/// length.
fn mark_damage(block: &mut Vec<u8>, last: bool) -> usize {
    let mut at = 0;
    while let Err(error) = std::str::from_utf8(&block[at..]) {
        at += error.valid_up_to();
        match error.error_len() {
            None if !last => {
                block.truncate(at);
                break;
            }
            wrong => {
                let wrong = wrong.unwrap_or(block.len() - at);
                block[at..at + wrong].fill(DAMAGE);
                at += wrong;
            }
        }
    }
    block.len()
}

/// The length of a block without a UTF-16 character that its end divides.
fn whole_units(block: &[u8], encoding: &'static Encoding) -> usize {
    if encoding.is_single_byte() {
        return block.len();
    }
    let even = block.len() & !1;
    let Some(last) = block[..even].last_chunk::<2>() else { return even };
    let unit = if encoding == UTF_16LE { u16::from_le_bytes(*last) } else { u16::from_be_bytes(*last) };
    if (0xD800..0xDC00).contains(&unit) { even - 2 } else { even }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(bytes: Vec<u8>) -> Arc<TextFile> {
        Arc::new(TextFile::new(DatabaseFile::memory(bytes)).unwrap())
    }

    fn read(bytes: Vec<u8>) -> String {
        let file = file(bytes);
        let mut text = String::new();
        TextReader::new(Arc::clone(&file), file.start()).read_to_string(&mut text).unwrap();
        text
    }

    fn utf16(text: &str, order: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(order).collect()
    }

    #[test]
    fn every_encoding_gives_the_same_text() {
        let text =
            format!("<?xml version='1.0'?>{}\u{E9}\u{20AC}\u{1F600}</a>", "\u{E9}x\u{1F600}".repeat(40_000));
        assert_eq!(read(text.clone().into_bytes()), text);
        assert_eq!(read([b"\xEF\xBB\xBF", text.as_bytes()].concat()), text);
        assert_eq!(read(utf16(&text, u16::to_le_bytes)), text);
        assert_eq!(read(utf16(&format!("\u{FEFF}{text}"), u16::to_be_bytes)), text);
        let latin = b"<?xml version='1.0' encoding='iso-8859-1'?>\xE9".to_vec();
        assert!(read(latin).ends_with("?>\u{E9}"));
    }

    #[test]
    fn a_position_leads_back_to_its_character() {
        let text = format!("<a>{}<b>", "\u{E9}\u{1F600}".repeat(30_000));
        for bytes in [text.clone().into_bytes(), utf16(&text, u16::to_le_bytes)] {
            let file = file(bytes);
            let mut reader = TextReader::new(Arc::clone(&file), 0);
            let mut taken = vec![0; text.len() - 3];
            reader.read_exact(&mut taken).unwrap();
            assert_eq!(reader.peek(3).unwrap(), b"<b>");
            let mut again = TextReader::new(Arc::clone(&file), reader.position());
            assert_eq!(again.peek(9).unwrap(), b"<b>");
        }
    }

    #[test]
    fn damage_keeps_its_place() {
        assert_eq!(read(b"<a>\xC3(\xE2\x82<\xE2".to_vec()), "<a>\u{1A}(\u{1A}\u{1A}<\u{1A}");
        let mut long = vec![b'x'; BLOCK_BYTES - 1];
        long.extend("\u{20AC}".as_bytes());
        assert!(read(long).ends_with("x\u{20AC}"));
    }

    #[test]
    fn an_encoding_without_fixed_places_is_refused() {
        let head = b"<?xml version=\"1.0\" encoding=\"Shift_JIS\"?>".to_vec();
        assert!(TextFile::new(DatabaseFile::memory(head)).is_err());
    }

    #[test]
    fn no_more_is_read_than_is_allowed() {
        let file = file(vec![b'x'; 100]);
        let mut reader = TextReader::new(file, 0);
        reader.allow(10);
        let mut text = Vec::new();
        assert!(reader.read_to_end(&mut text).is_err());
        assert_eq!(text.len(), 10);
    }
}
