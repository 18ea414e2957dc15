//! CX, the compression of superblocks, bucket descriptor blocks and items (called LZ1 there), decoded as a stream.
//!
//! Bits are taken low to high. Matches reach at most `WINDOW_BYTES` back, so a long stream needs no more memory
//! than that.

use super::view::{Damage, View};
use std::io::{self, BufRead, Read};

/// Farthest match: a run code of nine bits over eight low bits gives at most 1022 * 256 + 255.
const WINDOW_BYTES: usize = 1023 * 256;
/// A match of this length ends the stream.
const END_LENGTH: usize = 0x102;
/// The mode in the first three bits of every stream seen.
const MODE: u32 = 4;

fn wrong(what: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.into())
}

/// Bits of an input, low bit first.
struct Bits<R> {
    input: R,
    buffer: u64,
    count: u32,
}

impl<R: BufRead> Bits<R> {
    fn new(input: R) -> Self {
        Self { input, buffer: 0, count: 0 }
    }

    fn refill(&mut self) -> io::Result<()> {
        while self.count <= 56 {
            let bytes = self.input.fill_buf()?;
            if bytes.is_empty() {
                return Ok(());
            }
            let used = bytes.len().min((64 - self.count as usize) / 8);
            for &byte in &bytes[..used] {
                self.buffer |= u64::from(byte) << self.count;
                self.count += 8;
            }
            self.input.consume(used);
        }
        Ok(())
    }

    /// At most 32 bits.
    fn take(&mut self, width: u32) -> io::Result<u32> {
        if self.count < width {
            self.refill()?;
            if self.count < width {
                return Err(wrong("a compressed stream ends inside a token"));
            }
        }
        let value = (self.buffer & ((1 << width) - 1)) as u32;
        self.buffer >>= width;
        self.count -= width;
        Ok(value)
    }

    /// Width w = 1 + number of zero bits before a one (after eight zeros no one follows and w is 9), then w bits v:
    /// the value is 2^w - 1 + v.
    fn take_run_code(&mut self) -> io::Result<usize> {
        let mut width = 1;
        while width <= 8 && self.take(1)? == 0 {
            width += 1;
        }
        Ok(((1 << width) - 1 + self.take(width)?) as usize)
    }

    fn take_token(&mut self) -> io::Result<Token> {
        if self.take(1)? == 0 {
            return Ok(Token::Literal(self.take(8)? as u8));
        }
        let length = if self.take(1)? == 1 { 2 } else { self.take_run_code()? + 2 };
        if length >= END_LENGTH {
            return Ok(Token::End);
        }
        let high = if length > 2 && self.take(1)? == 0 { self.take_run_code()? } else { 0 };
        Ok(Token::Match { length, offset: (high << 8) | self.take(8)? as usize })
    }
}

enum Token {
    Literal(u8),
    Match { length: usize, offset: usize },
    End,
}

/// Decodes one stream.
pub struct Decoder<R> {
    bits: Bits<R>,
    started: bool,
    ended: bool,
    /// Output: the window, and behind it what has not been handed out yet.
    out: Vec<u8>,
    handed_out: usize,
}

impl<R: BufRead> Decoder<R> {
    pub fn new(input: R) -> Self {
        Self { bits: Bits::new(input), started: false, ended: false, out: Vec::new(), handed_out: 0 }
    }

    /// Decodes until `wanted` bytes wait to be handed out, or to the end of the stream.
    fn fill(&mut self, wanted: usize) -> io::Result<()> {
        if !self.started {
            self.started = true;
            let mode = self.bits.take(3)?;
            if mode != MODE {
                return Err(wrong(format!("compression mode {mode} is not known")));
            }
        }
        while !self.ended && self.out.len() - self.handed_out < wanted {
            match self.bits.take_token()? {
                Token::Literal(byte) => self.out.push(byte),
                Token::Match { length, offset } => self.copy_match(length, offset)?,
                Token::End => self.ended = true,
            }
        }
        Ok(())
    }

    /// Appends `length` bytes from `offset` back, byte by byte where the two overlap.
    fn copy_match(&mut self, length: usize, offset: usize) -> io::Result<()> {
        let start = self.out.len().checked_sub(offset).filter(|_| offset > 0);
        let start = start.ok_or_else(|| wrong("a compressed stream points before its start"))?;
        if offset >= length {
            self.out.extend_from_within(start..start + length);
        } else {
            (start..start + length).for_each(|at| self.out.push(self.out[at]));
        }
        Ok(())
    }
}

impl<R: BufRead> Read for Decoder<R> {
    fn read(&mut self, block: &mut [u8]) -> io::Result<usize> {
        const STEP_BYTES: usize = 64 << 10;
        if self.handed_out > 4 * WINDOW_BYTES {
            self.out.drain(..self.handed_out - WINDOW_BYTES);
            self.handed_out = WINDOW_BYTES;
        }
        self.fill(block.len().min(STEP_BYTES))?;
        let waiting = &self.out[self.handed_out..];
        let given = waiting.len().min(block.len());
        block[..given].copy_from_slice(&waiting[..given]);
        self.handed_out += given;
        Ok(given)
    }
}

/// Decodes the chain form: repeated {u32 length, stream}, to the end of the input.
pub struct ChainDecoder<R> {
    link: Option<Decoder<io::Take<R>>>,
}

impl<R: BufRead> ChainDecoder<R> {
    pub fn new(input: R) -> Self {
        // A link of no bytes, so that the first read starts with a length.
        let mut link = Decoder::new(input.take(0));
        (link.started, link.ended) = (true, true);
        Self { link: Some(link) }
    }

    /// Goes on behind the present link; `false` at the end of the input.
    fn next_link(&mut self) -> io::Result<bool> {
        let Some(link) = self.link.take() else { return Ok(false) };
        let mut rest = link.bits.input;
        io::copy(&mut rest, &mut io::sink())?;
        let mut input = rest.into_inner();
        let mut length = [0; 4];
        match input.read_exact(&mut length) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(false),
            read => read?,
        }
        self.link = Some(Decoder::new(input.take(u64::from(u32::from_le_bytes(length)))));
        Ok(true)
    }
}

impl<R: BufRead> Read for ChainDecoder<R> {
    fn read(&mut self, block: &mut [u8]) -> io::Result<usize> {
        loop {
            let Some(link) = &mut self.link else { return Ok(0) };
            let given = link.read(block)?;
            if given > 0 || block.is_empty() || !self.next_link()? {
                return Ok(given);
            }
        }
    }
}

/// Reads exactly `size` bytes of a decoder; memory grows with what is really decoded.
fn read_exactly(decoder: impl Read, size: usize, more_may_follow: bool) -> Result<Vec<u8>, Damage> {
    let mut out = Vec::new();
    let limit = size as u64 + u64::from(!more_may_follow);
    decoder.take(limit).read_to_end(&mut out).map_err(|error| Damage(error.to_string()))?;
    if out.len() != size {
        return Err(Damage(format!("compressed data gives {} bytes instead of {size}", out.len())));
    }
    Ok(out)
}

/// Decompresses one stream that must give exactly `size` bytes.
///
/// # Errors
/// [`Damage`] for an unknown mode, a stream that ends in a token, a match before the first byte, another size.
pub fn decompress(stream: &[u8], size: usize) -> Result<Vec<u8>, Damage> {
    read_exactly(Decoder::new(stream), size, false)
}

/// Decompresses a chain until `size` bytes are there; what follows them is padding.
///
/// # Errors
/// As [`decompress`].
pub fn decompress_chain(chain: &[u8], size: usize) -> Result<Vec<u8>, Damage> {
    read_exactly(ChainDecoder::new(chain), size, true)
}

/// Decompresses the value of an item: u32 size, then one stream.
///
/// # Errors
/// As [`decompress`].
pub fn decompress_item(stored: &[u8]) -> Result<Vec<u8>, Damage> {
    let view = View::new(stored, "compressed value");
    let size = view.u32(0)? as usize;
    decompress(view.slice(4, view.len() - 4)?, size)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Packs (value, width) pairs low bit first.
    fn pack(fields: &[(u32, u32)]) -> Vec<u8> {
        let mut bits = Vec::new();
        for &(value, width) in fields {
            bits.extend((0..width).map(|k| (value >> k) & 1));
        }
        bits.chunks(8).map(|byte| byte.iter().enumerate().map(|(k, bit)| (*bit as u8) << k).sum()).collect()
    }

    /// The end mark: a run code of width 9 with a value that makes the length 0x102 or more.
    const END: [(u32, u32); 3] = [(0b01, 2), (0, 8), (0, 9)];

    #[test]
    fn literals_a_short_and_a_long_match() {
        let mut fields = vec![(4, 3), (0, 1), (u32::from(b'a'), 8), (0, 1), (u32::from(b'b'), 8)];
        fields.extend([(0b11, 2), (2, 8)]); // Length 2 from 2 back: "ab".
        fields.extend([(0b01, 2), (1, 1), (1, 1), (1, 1), (1, 8)]); // Run code 2: length 4 from 1 back: "bbbb".
        fields.extend(END);
        assert_eq!(decompress(&pack(&fields), 8), Ok(b"ababbbbb".to_vec()));
        assert!(decompress(&pack(&fields), 7).is_err());
        assert!(decompress(&pack(&fields), 9).is_err());
    }

    #[test]
    fn a_match_before_the_start_is_damage() {
        let mut fields = vec![(4, 3), (0, 1), (7, 8), (0b11, 2), (2, 8)];
        fields.extend(END);
        assert!(decompress(&pack(&fields), 3).is_err());
    }

    #[test]
    fn an_unknown_mode_is_damage() {
        assert!(decompress(&pack(&[(1, 3), (0, 1), (7, 8)]), 1).is_err());
    }

    #[test]
    fn a_chain_without_progress_ends() {
        let mut stream = pack(&[(4, 3), END[0], END[1], END[2]]);
        let mut chain = (stream.len() as u32).to_le_bytes().to_vec();
        chain.append(&mut stream);
        assert!(decompress_chain(&chain.repeat(3), 5).is_err());
    }
}
