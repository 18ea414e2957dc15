//! Any bytes as compressed data: an item, and a chain that claims a megabyte.
#![no_main]

use libfuzzer_sys::fuzz_target;
use notesferry::sources::nsf::cx;

fuzz_target!(|input: &[u8]| {
    let _ = cx::decompress_item(input);
    let _ = cx::decompress_chain(input, 1 << 20);
});
