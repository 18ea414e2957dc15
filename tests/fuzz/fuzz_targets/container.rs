//! A forged database with any bytes changed, or cut: everything in it is read as far as it goes. The input is a list of
//! changes of four bytes: an offset of three, and the new byte; the first bytes choose the database and its length.
#![no_main]

use libfuzzer_sys::fuzz_target;
use notesferry::forge::mailbox::{self, MailboxOptions};
use notesferry::forge::version::Version;
use notesferry::model::content::{Content, FileBody};
use notesferry::sources::Source;
use notesferry::sources::nsf::NsfSource;
use std::io::Read;
use std::sync::OnceLock;

fn forged(ods: u32) -> Vec<u8> {
    let path = std::env::temp_dir().join(format!("notesferry-fuzz-{}-{ods}.nsf", std::process::id()));
    let options = MailboxOptions { version: Version::from_number(ods).unwrap(), mails: 4, seed: 3 };
    mailbox::forge(&path, &options).unwrap();
    let bytes = std::fs::read(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    bytes
}

fn read_all(mut source: NsfSource) {
    let _ = source.access();
    let mut from = None;
    loop {
        let page = source.list(from, 100).unwrap();
        for listed in page.items {
            let Ok(item) = source.open(listed.id) else { continue };
            let Content::Note { note, files } = item.content;
            note.items.iter().for_each(|item| drop(item.value()));
            for file in files {
                if let FileBody::Read(blob) = file.body {
                    let read = blob.open().and_then(|mut reader| std::io::copy(&mut reader.by_ref(), &mut std::io::sink()));
                    assert_eq!(read.unwrap(), blob.len());
                }
            }
        }
        from = page.next;
        if from.is_none() {
            return;
        }
    }
}

fuzz_target!(|input: &[u8]| {
    static FORGED: OnceLock<[Vec<u8>; 2]> = OnceLock::new();
    let [choice, cut, changes @ ..] = input else { return };
    let mut bytes = FORGED.get_or_init(|| [forged(43), forged(52)])[usize::from(choice & 1)].clone();
    for change in changes.chunks_exact(4) {
        let offset = usize::from(change[0]) | usize::from(change[1]) << 8 | usize::from(change[2]) << 16;
        let at = offset % bytes.len();
        bytes[at] = change[3];
    }
    if *cut != 0 {
        bytes.truncate(bytes.len() * usize::from(*cut) / 256);
    }
    if let Ok(source) = NsfSource::from_bytes(bytes) {
        read_all(source);
    }
});
