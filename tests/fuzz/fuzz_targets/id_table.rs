//! Any bytes as an ID table: decoded or refused, never more than 256 ids for five bytes; the ids come back.
#![no_main]

use libfuzzer_sys::fuzz_target;
use notesferry::notes::id_table::IdTable;

fuzz_target!(|stored: &[u8]| {
    let Ok(table) = IdTable::decode(stored) else { return };
    assert!(table.ids.len() <= stored.len() / 5 * 256);
    let again = IdTable::decode(&IdTable::encode(&table.ids, table.changed));
    assert_eq!(again.map(|again| again.ids), Ok(table.ids));
});
