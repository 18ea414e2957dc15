//! CX, the compression of superblock, bucket descriptor block and (as "LZ1") of items: the writing side.
//!
//! Bits fill each byte from the low end. A token is a literal (0 and eight bits) or a match: a length, then an offset
//! back into what is already there. Numbers are stored as a run of zeros, a one, and as many bits as the run says.

/// The only mode seen in real databases.
const MODE: u32 = 4;
const MODE_BITS: u32 = 3;
const MIN_MATCH: usize = 2;
/// Lengths from here on end the stream.
const END_LENGTH: usize = 0x102;
/// Readers disagree about run codes of nine bits, so none is written: the largest number in eight is 510.
const MAX_OFFSET: usize = 510 << 8;
/// Positions with the same three bytes that are tried before the longest match is taken.
const TRIES: usize = 24;
const HASH_BITS: u32 = 14;
/// The plain size of one link of a chain.
const CHAIN_BYTES: usize = 1 << 16;

/// The form of superblock and bucket descriptor block: streams, each after its length.
pub(super) fn encode_chain(plain: &[u8]) -> Vec<u8> {
    let mut stored = Vec::new();
    for part in plain.chunks(CHAIN_BYTES) {
        let stream = encode_stream(part);
        stored.extend_from_slice(&(stream.len() as u32).to_le_bytes());
        stored.extend_from_slice(&stream);
    }
    stored
}

/// A bound for the size of a chain: nine bits a byte, and length and end of each stream.
pub(super) fn encoded_at_most(plain_bytes: usize) -> usize {
    plain_bytes + plain_bytes.div_ceil(8) + 8 * (plain_bytes / CHAIN_BYTES + 1)
}

/// The form of items: the plain size, then one stream.
pub(super) fn encode_item(plain: &[u8]) -> Vec<u8> {
    let mut stored = (plain.len() as u32).to_le_bytes().to_vec();
    stored.extend_from_slice(&encode_stream(plain));
    stored
}

fn encode_stream(plain: &[u8]) -> Vec<u8> {
    let mut bits = Bits::default();
    bits.push(MODE, MODE_BITS);
    let mut finder = Finder::new(plain);
    let mut at = 0;
    while at < plain.len() {
        let (length, offset) = finder.longest(at);
        if length < MIN_MATCH {
            bits.push(u32::from(plain[at]) << 1, 9);
        } else {
            push_match(&mut bits, length, offset);
        }
        let step = length.max(1);
        (at..at + step).for_each(|seen| finder.remember(seen));
        at += step;
    }
    push_length(&mut bits, END_LENGTH);
    bits.finish()
}

fn push_match(bits: &mut Bits, length: usize, offset: usize) {
    push_length(bits, length);
    if length > MIN_MATCH {
        let high = (offset >> 8) as u32;
        bits.push(u32::from(high == 0), 1);
        if high > 0 {
            push_number(bits, high);
        }
    }
    bits.push(offset as u32 & 0xFF, 8);
}

fn push_length(bits: &mut Bits, length: usize) {
    if length == MIN_MATCH {
        bits.push(0b11, 2);
    } else {
        bits.push(0b01, 2);
        push_number(bits, (length - MIN_MATCH) as u32);
    }
}

/// The run code: `width - 1` zeros, a one, then the number less `2^width - 1` in `width` bits.
fn push_number(bits: &mut Bits, number: u32) {
    let width = (number + 1).ilog2();
    bits.push(1 << (width - 1), width);
    bits.push(number - ((1 << width) - 1), width);
}

#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    pending: u64,
    count: u32,
}

impl Bits {
    fn push(&mut self, value: u32, count: u32) {
        self.pending |= u64::from(value) << self.count;
        self.count += count;
        while self.count >= 8 {
            self.bytes.push(self.pending as u8);
            self.pending >>= 8;
            self.count -= 8;
        }
    }

    fn finish(mut self) -> Vec<u8> {
        if self.count > 0 {
            self.bytes.push(self.pending as u8);
        }
        self.bytes
    }
}

/// Finds earlier places that begin with the same bytes: the usual chains of positions by hash of three bytes.
struct Finder<'a> {
    plain: &'a [u8],
    newest: Vec<u32>,
    older: Vec<u32>,
}

impl<'a> Finder<'a> {
    const NONE: u32 = u32::MAX;

    fn new(plain: &'a [u8]) -> Self {
        Self { plain, newest: vec![Self::NONE; 1 << HASH_BITS], older: vec![Self::NONE; plain.len()] }
    }

    fn hash(&self, at: usize) -> Option<usize> {
        let [a, b, c, ..] = *self.plain.get(at..)? else { return None };
        let key = u32::from_le_bytes([a, b, c, 0]);
        Some((key.wrapping_mul(0x9E37_79B1) >> (32 - HASH_BITS)) as usize)
    }

    fn remember(&mut self, at: usize) {
        if let Some(hash) = self.hash(at) {
            self.older[at] = std::mem::replace(&mut self.newest[hash], at as u32);
        }
    }

    /// Length and offset of the longest match at `at`; length 0 if there is none worth a token.
    fn longest(&self, at: usize) -> (usize, usize) {
        let mut best = self.pair(at);
        let limit = (self.plain.len() - at).min(END_LENGTH - 1);
        let mut candidate = self.hash(at).map_or(Self::NONE, |hash| self.newest[hash]);
        for _ in 0..TRIES {
            if candidate == Self::NONE || at - candidate as usize > MAX_OFFSET {
                break;
            }
            let earlier = &self.plain[candidate as usize..];
            let length = earlier.iter().zip(&self.plain[at..at + limit]).take_while(|(a, b)| a == b).count();
            if length > best.0.max(MIN_MATCH) {
                best = (length, at - candidate as usize);
            }
            candidate = self.older[candidate as usize];
        }
        best
    }

    /// A match of two bytes is only worth it close by (its offset has eight bits); the nearest repeat is enough.
    fn pair(&self, at: usize) -> (usize, usize) {
        let Some(pair) = self.plain.get(at..at + MIN_MATCH) else { return (0, 0) };
        let near = (1..=at.min(8)).find(|back| &self.plain[at - back..at - back + MIN_MATCH] == pair);
        near.map_or((0, 0), |offset| (MIN_MATCH, offset))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The rules of the format read the other way, as plainly as possible.
    fn decode(stream: &[u8]) -> Vec<u8> {
        let mut at = 3;
        let mut bits = |count: u32| {
            (0..count).fold(0u32, |value, k| {
                let bit = stream[at / 8] >> (at % 8) & 1;
                at += 1;
                value | u32::from(bit) << k
            })
        };
        fn number(bits: &mut impl FnMut(u32) -> u32) -> u32 {
            let mut width = 1;
            while bits(1) == 0 {
                width += 1;
            }
            (1 << width) - 1 + bits(width)
        }
        let mut plain = Vec::new();
        loop {
            if bits(1) == 0 {
                plain.push(bits(8) as u8);
                continue;
            }
            let length = if bits(1) == 1 { 2 } else { number(&mut bits) as usize + 2 };
            if length >= 0x102 {
                return plain;
            }
            let high = if length > 2 && bits(1) == 0 { number(&mut bits) } else { 0 };
            let offset = (high << 8 | bits(8)) as usize;
            for _ in 0..length {
                plain.push(plain[plain.len() - offset]);
            }
        }
    }

    fn assert_round_trip(plain: &[u8]) -> usize {
        let stream = encode_stream(plain);
        assert_eq!(stream[0] & 7, 4);
        assert!(decode(&stream) == plain);
        stream.len()
    }

    #[test]
    fn texts_and_runs_come_back_and_shrink() {
        assert_round_trip(b"");
        assert_round_trip(b"a");
        assert!(assert_round_trip(&[0xBB; 8000]) < 200);
        let text: Vec<u8> =
            (0..6000).flat_map(|k| format!("line {} of many\r\n", k % 90).into_bytes()).collect();
        assert!(assert_round_trip(&text) < text.len() / 10);
    }

    #[test]
    fn random_bytes_and_far_repeats_come_back() {
        let mut random = fastrand::Rng::with_seed(5);
        let mut plain: Vec<u8> = (0..30_000).map(|_| random.u8(..)).collect();
        plain.extend_from_within(..20_000);
        assert_round_trip(&plain);
        let narrow: Vec<u8> = (0..20_000).map(|_| random.u8(..3)).collect();
        assert_round_trip(&narrow);
    }

    #[test]
    fn a_chain_holds_each_stream_after_its_length() {
        let plain = vec![7; CHAIN_BYTES + 10];
        let mut stored = &encode_chain(&plain)[..];
        let mut back = Vec::new();
        while let Some((length, rest)) = stored.split_first_chunk::<4>() {
            let (stream, rest) = rest.split_at(u32::from_le_bytes(*length) as usize);
            back.extend(decode(stream));
            stored = rest;
        }
        assert!(back == plain);
    }
}
