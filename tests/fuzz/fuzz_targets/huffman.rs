//! Any bytes as a Huffman tree and its codes; the output is bounded by the bits that are there.
#![no_main]

use libfuzzer_sys::fuzz_target;
use notesferry::sources::nsf::huffman::{Decoder, Tree};
use std::io::Read;

fuzz_target!(|input: &[u8]| {
    let Ok(tree) = Tree::parse(input) else { return };
    let codes = &input[tree.bytes..];
    let mut out = Vec::new();
    let _ = Decoder::new(codes, tree, 1 << 40).read_to_end(&mut out);
    assert!(out.len() <= codes.len() * 8);
});
