//! The Huffman form of attachments: the sum of the bytes, the tree, the bits.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// One node of the tree: what a set bit and what a clear bit lead to. Negative numbers name another node, others
/// are the byte itself.
type Node = [i16; 2];

/// The stored form of a file.
pub(super) fn encode(plain: &[u8]) -> Vec<u8> {
    let tree = build_tree(plain);
    let sum = plain.iter().fold(0u32, |sum, &byte| sum.wrapping_add(u32::from(byte)));
    let mut stored = sum.to_le_bytes().to_vec();
    stored.extend_from_slice(&(tree.len() as u16 * 4).to_le_bytes());
    for number in tree.iter().flatten() {
        stored.extend_from_slice(&number.to_le_bytes());
    }
    push_bits(&mut stored, plain, &codes(&tree));
    stored
}

enum Tree {
    Leaf(u8),
    Fork(Box<Tree>, Box<Tree>),
}

/// The nodes in the order of a walk, so that the root is node 0 and no other node is.
fn build_tree(plain: &[u8]) -> Vec<Node> {
    let mut counts = [0u64; 256];
    plain.iter().for_each(|&byte| counts[usize::from(byte)] += 1);
    let mut trees: Vec<Option<Tree>> = Vec::new();
    let mut heap = BinaryHeap::new();
    for byte in (0..=255u8).filter(|&byte| counts[usize::from(byte)] > 0) {
        heap.push(Reverse((counts[usize::from(byte)], trees.len())));
        trees.push(Some(Tree::Leaf(byte)));
    }
    while heap.len() > 1 {
        let mut lightest = || heap.pop().and_then(|Reverse((count, at))| Some((count, trees[at].take()?)));
        let (Some((a, left)), Some((b, right))) = (lightest(), lightest()) else { break };
        heap.push(Reverse((a + b, trees.len())));
        trees.push(Some(Tree::Fork(Box::new(left), Box::new(right))));
    }
    let mut nodes = Vec::new();
    match trees.pop().flatten() {
        // A file of one byte value still needs a node; an empty one needs none.
        Some(Tree::Leaf(byte)) => nodes.push([i16::from(byte); 2]),
        Some(fork) => drop(number_nodes(&fork, &mut nodes)),
        None => {}
    }
    nodes
}

fn number_nodes(tree: &Tree, nodes: &mut Vec<Node>) -> i16 {
    match tree {
        Tree::Leaf(byte) => i16::from(*byte),
        Tree::Fork(left, right) => {
            let own = nodes.len();
            nodes.push([0, 0]);
            nodes[own] = [number_nodes(left, nodes), number_nodes(right, nodes)];
            -(own as i16)
        }
    }
}

/// For each byte its code (last bit lowest) and length. Depth stays below 64: a deeper tree would need more bytes
/// than memory holds.
fn codes(tree: &[Node]) -> [(u64, u32); 256] {
    let mut codes = [(0, 0); 256];
    let mut open = vec![(0usize, 0u64, 0u32)];
    while let Some((node, code, length)) = open.pop() {
        let Some(branches) = tree.get(node) else { continue };
        for (branch, bit) in branches.iter().zip([1, 0]) {
            let (code, length) = (code << 1 | bit, length + 1);
            match u8::try_from(*branch) {
                Ok(byte) => codes[usize::from(byte)] = (code, length),
                Err(_) => open.push((usize::from(branch.unsigned_abs()), code, length)),
            }
        }
    }
    codes
}

/// Most significant bit first.
fn push_bits(stored: &mut Vec<u8>, plain: &[u8], codes: &[(u64, u32); 256]) {
    let (mut pending, mut count) = (0u128, 0);
    for &byte in plain {
        let (code, length) = codes[usize::from(byte)];
        pending = pending << length | u128::from(code);
        count += length;
        while count >= 8 {
            count -= 8;
            stored.push((pending >> count) as u8);
        }
        pending &= (1 << count) - 1;
    }
    if count > 0 {
        stored.push((pending << (8 - count)) as u8);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads the stored form as the format says.
    fn decode(stored: &[u8], size: usize) -> Vec<u8> {
        let tree_bytes = usize::from(u16::from_le_bytes([stored[4], stored[5]]));
        let word = |at: usize| i16::from_le_bytes([stored[at], stored[at + 1]]);
        let data = &stored[6 + tree_bytes..];
        let (mut plain, mut node, mut at) = (Vec::new(), 0, 0);
        while plain.len() < size {
            let set = data[at / 8] << (at % 8) & 0x80 != 0;
            at += 1;
            let next = word(6 + 4 * node + if set { 0 } else { 2 });
            if next < 0 {
                node = usize::from(next.unsigned_abs());
            } else {
                plain.push(next as u8);
                node = 0;
            }
        }
        let sum = plain.iter().fold(0u32, |sum, &byte| sum.wrapping_add(u32::from(byte)));
        assert_eq!(sum.to_le_bytes(), stored[..4]);
        plain
    }

    #[test]
    fn files_come_back() {
        let mut random = fastrand::Rng::with_seed(3);
        let skewed: Vec<u8> = (0..40_000).map(|_| random.u8(..).leading_zeros() as u8 * 31).collect();
        let noise: Vec<u8> = (0..5_000).map(|_| random.u8(..)).collect();
        for plain in [&b""[..], b"a", b"aaaa", b"ab", b"a longer text, as files often are", &skewed, &noise] {
            assert!(decode(&encode(plain), plain.len()) == plain);
        }
        assert!(encode(&skewed).len() < skewed.len() / 3);
    }

    #[test]
    fn a_file_of_one_byte_value_has_one_node() {
        assert_eq!(encode(b"aaa"), [0x23, 1, 0, 0, 4, 0, b'a', 0, b'a', 0, 0]);
    }
}
