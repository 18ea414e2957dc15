//! Any bytes decode, and any text comes back from its stored form.
#![no_main]

use libfuzzer_sys::fuzz_target;
use notesferry::notes::lmbcs::{decode, encode};

fuzz_target!(|stored: &[u8]| {
    let decoded = decode(stored);
    // A byte of code page 850 becomes three bytes of UTF-8 at most.
    assert!(decoded.text.len() <= stored.len() * 3);
    let again = decode(&encode(&decoded.text));
    assert_eq!(again.text, decoded.text);
    assert!(!again.damaged);
});
