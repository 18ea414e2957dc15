//! Any bytes as rich text: the walk ends, its records lie in the value, and it says whether it saw the end.
#![no_main]

use libfuzzer_sys::fuzz_target;
use notesferry::notes::richtext::record::Records;

fuzz_target!(|value: &[u8]| {
    let mut records = Records::new(value);
    let walked: usize = records.by_ref().map(|record| record.data.len() + 2).sum();
    assert!(walked <= value.len());
    assert!(records.damaged() || records.next().is_none());
});
