//! Any text as a DXL file: its documents are found and read, converted and written, or refused.
#![no_main]

use libfuzzer_sys::fuzz_target;
use notesferry::conversion::{Context, Directory, convert};
use notesferry::model::content::{Content, FileBody};
use notesferry::model::item::Origin;
use notesferry::sources::Source;
use notesferry::sources::dxl::DxlSource;
use std::io;

fuzz_target!(|input: &[u8]| {
    let Ok(mut source) = DxlSource::from_bytes(input.to_vec()) else { return };
    let page = source.list(None, u32::MAX).unwrap();
    for listed in page.items {
        let Ok(item) = source.open(listed.id) else { continue };
        assert_eq!((item.origin, item.version), (listed.origin, listed.version));
        let Content::Note { note, files } = &item.content;
        note.items.iter().for_each(|item| drop(item.value()));
        for file in files {
            if let FileBody::Read(blob) = &file.body {
                let read = blob.open().and_then(|mut reader| io::copy(&mut reader, &mut io::sink()));
                assert_eq!(read.unwrap(), blob.len());
            }
        }
        let Origin::Notes { replica, .. } = item.origin;
        let directory = Directory::default();
        let context = Context { all_documents: true, ..Context::bare(replica, &directory, 1_800_000_000_000) };
        if let Ok(converted) = convert(&item, &[], None, &context) {
            converted.rendered.write_to(&mut io::sink()).unwrap();
        }
    }
});
