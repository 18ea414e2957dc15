//! Character data of any length as a stream: base64 of files and values, and whole messages.
//!
//! Nothing here needs more memory than a block. Whatever stays in the file is read again from its place.

use super::text::{TextFile, TextReader};
use crate::base::limits::ATTACHMENT_IN_MEMORY_BYTES;
use crate::model::blob::{Blob, OpenBlob};
use crate::sources::nsf::packing::PackedBytes;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use base64::read::DecoderReader;
use std::io::{self, BufRead, Read};
use std::ops::DerefMut;
use std::sync::Arc;

const CDATA: &[u8] = b"<![CDATA[";
const CDATA_END: &[u8] = b"]]>";
/// The longest reference that stands for a character, as `&#x10FFFF;`.
const REFERENCE_BYTES: usize = 12;
/// Exporters that forget the padding are understood.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Passes over the text up to the next markup, `CDATA` sections with it.
///
/// # Errors
/// When the file cannot be read.
pub fn skip(reader: &mut TextReader) -> io::Result<()> {
    loop {
        skip_until(reader, b'<')?;
        if reader.peek(CDATA.len())? != CDATA {
            return Ok(());
        }
        while !matches!(reader.peek(CDATA_END.len())?, CDATA_END | []) {
            reader.consume(1);
            skip_until(reader, b']')?;
        }
    }
}

fn skip_until(reader: &mut TextReader, byte: u8) -> io::Result<()> {
    loop {
        let block = reader.fill_buf()?;
        let found = block.iter().position(|&own| own == byte);
        let count = found.unwrap_or(block.len());
        reader.consume(count);
        if found.is_some() || count == 0 {
            return Ok(());
        }
    }
}

/// The characters of an element up to the next markup: references resolved, `CDATA` sections opened.
struct Characters<R> {
    reader: R,
    in_cdata: bool,
    /// A resolved reference, and how much of it was given out.
    resolved: ([u8; 4], usize, usize),
}

impl<R: DerefMut<Target = TextReader>> Characters<R> {
    fn new(reader: R) -> Self {
        Self { reader, in_cdata: false, resolved: ([0; 4], 0, 0) }
    }

    /// Takes marks and references that stand at the front. False at the end.
    fn advance(&mut self) -> io::Result<bool> {
        loop {
            let front = self.reader.peek(REFERENCE_BYTES)?;
            match front {
                [] => return Ok(false),
                _ if self.in_cdata && front.starts_with(CDATA_END) => {
                    self.in_cdata = false;
                    self.reader.consume(CDATA_END.len());
                }
                _ if self.in_cdata => return Ok(true),
                _ if front.starts_with(CDATA) => {
                    self.in_cdata = true;
                    self.reader.consume(CDATA.len());
                }
                [b'<', ..] => return Ok(false),
                [b'&', ..] => {
                    if let Some((character, length)) = reference(front) {
                        let mut bytes = [0; 4];
                        let count = character.encode_utf8(&mut bytes).len();
                        self.resolved = (bytes, 0, count);
                        self.reader.consume(length);
                    }
                    return Ok(true);
                }
                _ => return Ok(true),
            }
        }
    }
}

impl<R: DerefMut<Target = TextReader>> Read for Characters<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let (bytes, from, to) = self.resolved;
        if from < to {
            let count = (to - from).min(out.len());
            out[..count].copy_from_slice(&bytes[from..from + count]);
            self.resolved.1 += count;
            return Ok(count);
        }
        if out.is_empty() || !self.advance()? {
            return Ok(0);
        }
        if self.resolved.1 < self.resolved.2 {
            return self.read(out);
        }
        let marks: &[u8] = if self.in_cdata { b"]" } else { b"<&" };
        let block = self.reader.fill_buf()?;
        let block = &block[..block.len().min(out.len())];
        // The first byte is no mark, or a mark that stands for itself.
        let end = block.iter().skip(1).position(|byte| marks.contains(byte));
        let count = end.map_or(block.len(), |at| at + 1);
        out[..count].copy_from_slice(&block[..count]);
        self.reader.consume(count);
        Ok(count)
    }
}

/// The character that a reference stands for, and the length of the reference.
fn reference(front: &[u8]) -> Option<(char, usize)> {
    let end = front.iter().position(|&byte| byte == b';')?;
    let name = std::str::from_utf8(front.get(1..end)?).ok()?;
    let character = match name.strip_prefix('#') {
        Some(code) => {
            let hexadecimal = code.strip_prefix('x').map(|digits| u32::from_str_radix(digits, 16));
            char::from_u32(hexadecimal.unwrap_or_else(|| code.parse()).ok()?)?
        }
        None => quick_xml::escape::resolve_predefined_entity(name)?.chars().next()?,
    };
    Some((character, end + 1))
}

/// Leaves out white space.
struct WithoutSpace<R>(R);

impl<R: Read> Read for WithoutSpace<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        loop {
            let count = self.0.read(out)?;
            let mut kept = 0;
            for at in 0..count {
                if !out[at].is_ascii_whitespace() {
                    out[kept] = out[at];
                    kept += 1;
                }
            }
            if kept > 0 || count == 0 {
                return Ok(kept);
            }
        }
    }
}

/// A message with the line ends that it had: XML knows only line feeds. White space before it belongs to the XML.
struct Message<R> {
    text: R,
    begun: bool,
    /// Bytes of the message, of which `given` were given out.
    block: Vec<u8>,
    given: usize,
}

impl<R: Read> Message<R> {
    /// Makes the next block. False at the end.
    fn fill(&mut self) -> io::Result<bool> {
        let mut text = [0; 4 << 10];
        let count = self.text.read(&mut text)?;
        (self.block, self.given) = (Vec::with_capacity(2 * count), 0);
        for &byte in &text[..count] {
            self.begun |= !byte.is_ascii_whitespace();
            match byte {
                _ if !self.begun => {}
                b'\r' => {}
                b'\n' => self.block.extend_from_slice(b"\r\n"),
                _ => self.block.push(byte),
            }
        }
        Ok(count > 0)
    }
}

impl<R: Read> Read for Message<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while self.given == self.block.len() {
            if !self.fill()? {
                return Ok(0);
            }
        }
        let count = (&self.block[self.given..]).read(out)?;
        self.given += count;
        Ok(count)
    }
}

/// What the characters of an element stand for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coding {
    Base64,
    /// A message of the Internet as text.
    Message,
}

impl Coding {
    /// The bytes that the characters at a reader stand for.
    pub fn decode<'a>(
        self,
        reader: impl DerefMut<Target = TextReader> + Send + 'a,
    ) -> Box<dyn Read + Send + 'a> {
        let characters = Characters::new(reader);
        match self {
            Self::Base64 => Box::new(DecoderReader::new(WithoutSpace(characters), &BASE64)),
            Self::Message => {
                Box::new(Message { text: characters, begun: false, block: Vec::new(), given: 0 })
            }
        }
    }
}

/// Bytes that stay in the file, in the characters of an element.
pub struct StoredData {
    file: Arc<TextFile>,
    at: u64,
    coding: Coding,
    length: u64,
}

impl StoredData {
    fn reader(&self) -> Box<dyn Read + Send + '_> {
        self.coding.decode(Box::new(TextReader::new(Arc::clone(&self.file), self.at)))
    }

    /// The bytes at a reader, which is moved behind them: in memory if they are few, counted and left in place if they
    /// are many. With `Err` the reader stands behind the damage.
    ///
    /// # Errors
    /// When they cannot be read or are no base64.
    pub fn read(reader: &mut TextReader, coding: Coding) -> io::Result<(Blob, Self)> {
        let (file, at) = (Arc::clone(reader.file()), reader.position());
        let mut decoded = coding.decode(reader);
        let mut bytes = Vec::new();
        decoded.by_ref().take(ATTACHMENT_IN_MEMORY_BYTES + 1).read_to_end(&mut bytes)?;
        let length = bytes.len() as u64 + io::copy(&mut decoded, &mut io::sink())?;
        drop(decoded);
        let data = || Self { file: Arc::clone(&file), at, coding, length };
        let blob = if length <= ATTACHMENT_IN_MEMORY_BYTES {
            Blob::memory(bytes)
        } else {
            Blob::stored(length, &bytes, Arc::new(data()))
        };
        Ok((blob, data()))
    }
}

impl OpenBlob for StoredData {
    fn open(&self) -> io::Result<Box<dyn Read + Send + '_>> {
        Ok(self.reader())
    }
}

impl PackedBytes for StoredData {
    fn length(&self) -> u64 {
        self.length
    }

    fn open_from(&self, skip: u64) -> io::Result<Box<dyn Read + Send + '_>> {
        let mut reader = self.reader();
        io::copy(&mut reader.by_ref().take(skip), &mut io::sink())?;
        Ok(reader)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sources::nsf::file::DatabaseFile;

    fn reader(text: &str) -> TextReader {
        let file = TextFile::new(DatabaseFile::memory(text.as_bytes().to_vec())).unwrap();
        TextReader::new(Arc::new(file), 0)
    }

    fn decode(text: &str, coding: Coding) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        coding.decode(&mut reader(text)).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    #[test]
    fn base64_has_line_ends_and_may_lack_its_padding() {
        assert_eq!(decode("\n aGVs\r\n bG8=\n</x>", Coding::Base64).unwrap(), b"hello");
        assert_eq!(decode("<![CDATA[aGVsbG8]]><", Coding::Base64).unwrap(), b"hello");
        assert!(decode("aGVs!G8=<", Coding::Base64).is_err());
    }

    #[test]
    fn a_message_gets_its_line_ends_back() {
        let text = "\n <![CDATA[From: a\n\nx]]]]><![CDATA[>&amp;\r\n]]>&lt;&#10;&unknown;<y/>";
        assert_eq!(decode(text, Coding::Message).unwrap(), b"From: a\r\n\r\nx]]>&amp;\r\n<\r\n&unknown;");
        let long = "x\n".repeat(100_000);
        assert_eq!(decode(&long, Coding::Message).unwrap().len(), 300_000);
    }

    #[test]
    fn skipping_ends_at_the_next_markup() {
        for text in ["abc</x>", "<![CDATA[</x>]]></x>", "a<![CDATA[]]]]>b</x>"] {
            let mut reader = reader(text);
            skip(&mut reader).unwrap();
            assert_eq!(reader.peek(9).unwrap(), b"</x>", "{text}");
        }
        skip(&mut reader("<![CDATA[ without end")).unwrap();
    }

    #[test]
    fn large_data_stays_in_the_file() {
        use base64::Engine as _;
        let bytes = vec![7; ATTACHMENT_IN_MEMORY_BYTES as usize + 1];
        let mut text = base64::engine::general_purpose::STANDARD.encode(&bytes);
        text.push_str("</filedata>");
        let mut reader = reader(&text);
        let (blob, _) = StoredData::read(&mut reader, Coding::Base64).unwrap();
        assert_eq!(reader.peek(2).unwrap(), b"</");
        assert!(blob.in_memory().is_none());
        let mut again = Vec::new();
        blob.open().unwrap().read_to_end(&mut again).unwrap();
        assert!(again == bytes && blob.len() == bytes.len() as u64);
    }
}
