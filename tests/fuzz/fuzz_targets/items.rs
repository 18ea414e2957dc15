//! Any bytes as a value of any type: decoded or refused. The first byte chooses the type.
#![no_main]

use libfuzzer_sys::fuzz_target;
use notesferry::notes::item::ItemType;
use notesferry::notes::value::Value;

const TYPES: [ItemType; 15] = [
    ItemType::TEXT,
    ItemType::TEXT_LIST,
    ItemType::RFC822_TEXT,
    ItemType::NUMBER,
    ItemType::NUMBER_RANGE,
    ItemType::TIME,
    ItemType::TIME_RANGE,
    ItemType::USERID,
    ItemType::COMPOSITE,
    ItemType::MIME_PART,
    ItemType::HTML,
    ItemType::NOTEREF_LIST,
    ItemType::NOTELINK_LIST,
    ItemType::OBJECT,
    ItemType::FORMULA,
];

fuzz_target!(|input: &[u8]| {
    let Some((choice, stored)) = input.split_first() else { return };
    let Ok(value) = Value::decode(TYPES[usize::from(*choice) % TYPES.len()], stored) else { return };
    if let Value::Rfc822(header) = &value {
        header.text();
        header.time();
    }
});
