//! The Huffman form of stored attachments, decoded as a stream.
//!
//! u32 sum of all output bytes, u16 bytes of the tree, a tree of (i16, i16) nodes, then bits, most significant first.
//! From node 0 a one takes the first number, a zero the second; a negative number leads to a node, another is the byte.

use super::view::{Damage, View};
use std::io::{self, Read};

/// Codes up to this many bits are resolved by one look into a table.
const TABLE_BITS: u32 = 12;
/// The number that stands for the end of the codes in some trees; the size tells when to stop, so it is never reached.
const END: i16 = 256;
/// Nodes are numbered in 15 bits.
const LARGEST_TREE_BYTES: usize = 4 << 15;
pub const HEAD_BYTES: usize = 6;

/// What a run of bits leads to.
#[derive(Clone, Copy)]
enum Step {
    /// A byte, after this many bits.
    Byte { value: u8, bits: u8 },
    /// Deeper than the table: a node, after all bits of the table.
    Node(u16),
    /// No code starts like this.
    Wrong,
}

/// A decoding tree.
pub struct Tree {
    nodes: Vec<[i16; 2]>,
    table: Vec<Step>,
    /// The sum of all output bytes, modulo 2^32.
    pub checksum: u32,
    /// Bytes of head and tree before the first code.
    pub bytes: usize,
}

impl Tree {
    /// Reads the head: checksum, size of the tree.
    ///
    /// # Errors
    /// [`Damage`] if the size cannot be that of a tree.
    pub fn parse_size(head: &[u8]) -> Result<usize, Damage> {
        let bytes = usize::from(View::new(head, "Huffman head").u16(4)?);
        if bytes == 0 || bytes % 4 != 0 || bytes > LARGEST_TREE_BYTES {
            return Err(Damage(format!("a Huffman tree cannot have {bytes} bytes")));
        }
        Ok(bytes)
    }

    /// Reads head and tree.
    ///
    /// # Errors
    /// [`Damage`] if they are cut or a node points outside the tree.
    pub fn parse(stored: &[u8]) -> Result<Self, Damage> {
        let size = Self::parse_size(stored)?;
        let tree = View::new(stored, "Huffman tree").slice(HEAD_BYTES, size)?;
        let number = |pair: &[u8; 4], at: usize| i16::from_le_bytes([pair[at], pair[at + 1]]);
        let nodes: Vec<[i16; 2]> =
            tree.as_chunks::<4>().0.iter().map(|n| [number(n, 0), number(n, 2)]).collect();
        let fits = |&number: &i16| match number {
            0..=END => true,
            negative => negative < 0 && usize::from(negative.unsigned_abs()) < nodes.len(),
        };
        if !nodes.iter().flatten().all(fits) {
            return Err(Damage::new("a Huffman tree points outside itself"));
        }
        let checksum = View::new(stored, "Huffman head").u32(0)?;
        let mut tree = Self { nodes, table: Vec::new(), checksum, bytes: HEAD_BYTES + size };
        tree.table = (0..1u32 << TABLE_BITS).map(|bits| tree.resolve(bits)).collect();
        Ok(tree)
    }

    fn resolve(&self, bits: u32) -> Step {
        let mut node = 0;
        for used in 1..=TABLE_BITS {
            let bit = (bits >> (TABLE_BITS - used)) & 1;
            match self.child(node, bit) {
                Some(Ok(value)) => return Step::Byte { value, bits: used as u8 },
                Some(Err(next)) => node = next,
                None => return Step::Wrong,
            }
        }
        Step::Node(node)
    }

    /// What a bit leads to from a node: a byte, or another node; `None` for the end mark.
    fn child(&self, node: u16, bit: u32) -> Option<Result<u8, u16>> {
        let pair = self.nodes.get(usize::from(node))?;
        let number = if bit == 1 { pair[0] } else { pair[1] };
        if number < 0 {
            return Some(Err(number.unsigned_abs()));
        }
        u8::try_from(number).ok().map(Ok)
    }
}

/// Decodes a stream of codes to `size` bytes, and fails at the end if their sum is not the checksum.
pub struct Decoder<R> {
    input: R,
    tree: Tree,
    left: u64,
    sum: u32,
    buffer: u64,
    count: u32,
    block: Vec<u8>,
    block_at: usize,
    ended: bool,
}

impl<R: Read> Decoder<R> {
    /// `input` stands at the first code.
    pub fn new(input: R, tree: Tree, size: u64) -> Self {
        Self {
            input,
            tree,
            left: size,
            sum: 0,
            buffer: 0,
            count: 0,
            block: Vec::new(),
            block_at: 0,
            ended: false,
        }
    }

    /// Fills the bit buffer; bits after the end of the input are zero and are counted off as missing when used.
    fn refill(&mut self) -> io::Result<()> {
        const BLOCK_BYTES: u64 = 64 << 10;
        while self.count <= 56 {
            if self.block_at == self.block.len() {
                if self.ended {
                    return Ok(());
                }
                self.block.clear();
                self.block_at = 0;
                self.ended = self.input.by_ref().take(BLOCK_BYTES).read_to_end(&mut self.block)? == 0;
                continue;
            }
            self.buffer |= u64::from(self.block[self.block_at]) << (56 - self.count);
            self.block_at += 1;
            self.count += 8;
        }
        Ok(())
    }

    fn drop_bits(&mut self, bits: u32) -> io::Result<()> {
        if bits > self.count {
            return Err(wrong("the Huffman codes of an attachment end too early"));
        }
        self.buffer <<= bits;
        self.count -= bits;
        Ok(())
    }

    fn next_byte(&mut self) -> io::Result<u8> {
        if self.count < 32 {
            self.refill()?;
        }
        match self.tree.table[(self.buffer >> (64 - TABLE_BITS)) as usize] {
            Step::Byte { value, bits } => {
                self.drop_bits(u32::from(bits))?;
                Ok(value)
            }
            Step::Node(node) => self.walk(node),
            Step::Wrong => Err(wrong("a Huffman code of an attachment is not in its tree")),
        }
    }

    /// Follows a code that is longer than the table, bit by bit.
    fn walk(&mut self, mut node: u16) -> io::Result<u8> {
        self.drop_bits(TABLE_BITS)?;
        for _ in 0..=self.tree.nodes.len() {
            if self.count == 0 {
                self.refill()?;
            }
            let bit = (self.buffer >> 63) as u32;
            self.drop_bits(1)?;
            match self.tree.child(node, bit) {
                Some(Ok(value)) => return Ok(value),
                Some(Err(next)) => node = next,
                None => break,
            }
        }
        Err(wrong("a Huffman tree of an attachment runs in a circle"))
    }
}

fn wrong(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

impl<R: Read> Read for Decoder<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let wanted = usize::try_from(self.left).unwrap_or(usize::MAX).min(out.len());
        for place in &mut out[..wanted] {
            *place = self.next_byte()?;
            self.sum = self.sum.wrapping_add(u32::from(*place));
        }
        self.left -= wanted as u64;
        if self.left == 0 && wanted > 0 && self.sum != self.tree.checksum {
            return Err(wrong("the checksum of a Huffman attachment is wrong"));
        }
        Ok(wanted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Tree: one = 'a', zero one = 'b', zero zero = 'c'.
    fn stored(checksum: u32, codes: &[u8]) -> Vec<u8> {
        let mut stored = checksum.to_le_bytes().to_vec();
        stored.extend_from_slice(&8u16.to_le_bytes());
        for number in [i16::from(b'a'), -1, i16::from(b'b'), i16::from(b'c')] {
            stored.extend_from_slice(&number.to_le_bytes());
        }
        stored.extend_from_slice(codes);
        stored
    }

    fn decode(stored: &[u8], size: u64) -> io::Result<Vec<u8>> {
        let tree = Tree::parse(stored).map_err(io::Error::other)?;
        let codes = &stored[tree.bytes..];
        let mut out = Vec::new();
        Decoder::new(codes, tree, size).read_to_end(&mut out)?;
        Ok(out)
    }

    const SUM: u32 = 97 + 98 + 99 + 97;

    #[test]
    fn codes_become_bytes() {
        // 1, 01, 00, 1 and two bits of padding.
        assert_eq!(decode(&stored(SUM, &[0b1010_0100]), 4).unwrap(), b"abca");
    }

    #[test]
    fn a_wrong_sum_and_missing_codes_are_errors() {
        assert!(decode(&stored(SUM + 1, &[0b1010_0100]), 4).is_err());
        assert!(decode(&stored(SUM, &[0b1010_0100]), 40).is_err());
    }

    #[test]
    fn a_tree_in_a_circle_ends() {
        let mut circle = stored(0, &[0; 4000]);
        circle[6..14].copy_from_slice(&[0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF]);
        assert!(decode(&circle, 4).is_err());
        let mut outside = stored(0, &[0]);
        outside[6..8].copy_from_slice(&(-2i16).to_le_bytes());
        assert!(Tree::parse(&outside).is_err());
    }
}
