//! Any text as an address: a name is never empty, and its canonical form is the same name again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use notesferry::notes::names::{AddressKind, NotesName, classify};

fuzz_target!(|stored: &str| {
    match classify(stored) {
        AddressKind::Empty => {}
        AddressKind::Internet { address, .. } => {
            assert!(!address.contains(char::is_control));
            assert!(
                matches!(classify(&address), AddressKind::Internet { address: again, .. } if again == address)
            );
        }
        AddressKind::Notes(name) => {
            let again = NotesName::parse(&name.canonical());
            assert_eq!(again.abbreviated(), name.abbreviated());
        }
    }
});
