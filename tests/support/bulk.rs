//! Databases of many small mails, some of them with a large attachment: quick to write, at any size.

use notesferry::forge::database::{Attachment, Compression, Options, Writer};
use notesferry::forge::note::{ItemSpec, NoteSpec};
use notesferry::notes::ids::Unid;
use notesferry::notes::timedate::Timedate;
use std::io::{self, Read};
use std::path::Path;

/// Bytes that cannot be compressed.
struct Noise(fastrand::Rng);

impl Read for Noise {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.0.fill(into);
        Ok(into.len())
    }
}

/// Writes a database of so many mails, so many of them with an attachment of this size.
pub fn forge(path: &Path, mails: u32, attachments: u32, attachment_bytes: u64) {
    let mut writer = Writer::create(path, Options::default()).unwrap();
    let mut random = fastrand::Rng::with_seed(1);
    for number in 0..mails {
        let mut unid = [0; 16];
        random.fill(&mut unid);
        let time = Timedate([number, 0x0025_8B00]);
        let mut note = NoteSpec::document(Unid(unid), time).with([
            ItemSpec::text("Form", "Memo"),
            ItemSpec::text("From", "CN=Jane Example/O=Example"),
            ItemSpec::texts("SendTo", &["CN=John Example/O=Example", "orders@example.com"]),
            ItemSpec::text("Subject", &format!("Delivery {number} is late")),
            ItemSpec::text("$MessageID", &format!("<{number}@example.com>")),
            ItemSpec::time("PostedDate", time),
            ItemSpec::time("DeliveredDate", time),
            ItemSpec::text("Body", &"The goods will arrive on Monday. ".repeat(40)).outside_summary(),
        ]);
        if number < attachments {
            let attachment = Attachment {
                name: "goods.bin",
                data: &mut Noise(random.fork()).take(attachment_bytes),
                bytes: attachment_bytes,
                compression: Compression::None,
                flags: 0,
                modified: time,
            };
            note = note.with([writer.attach(attachment).unwrap()]);
        }
        writer.add_note(&note).unwrap();
    }
    writer.finish().unwrap();
}
