//! Small Notes documents for tests, item by item, and what becomes of them.

use mail_parser::{Message, MessageParser, MimeHeaders};
use notesferry::conversion::{Choices, Context, Converted, Directory, convert};
use notesferry::model::blob::Blob;
use notesferry::model::content::{Content, File, FileBody, SourceItem};
use notesferry::model::folder::{Folder, FolderId, FolderPath, FolderRole};
use notesferry::model::item::{ItemVersion, Origin};
use notesferry::model::loss::{Loss, LossKind, SetAside};
use notesferry::notes::document::{Note, NoteClass, NoteStatus};
use notesferry::notes::file_object::{Compression, FileObject};
use notesferry::notes::ids::{ReplicaId, Unid};
use notesferry::notes::item::{Item, ItemFlags, ItemType};
use notesferry::notes::lmbcs;
use notesferry::notes::timedate::Timedate;
use notesferry::notes::value::Text;

/// 2020-01-01 00:00 UTC: the time of every run in these tests.
pub const NOW_MS: i64 = 1_577_836_800_000;

/// A document without items, of replica 85256826004C8489.
pub fn document() -> Document {
    let unid = "8FD8E55C12D1A9764F03FE20DF203FE7".parse().unwrap();
    let note = Note { unid, class: NoteClass::DOCUMENT, ..Note::default() };
    Document {
        note,
        files: Vec::new(),
        folders: Vec::new(),
        unread: None,
        all_documents: false,
        owner: None,
        parents: Vec::new(),
        related: Vec::new(),
        directory: Directory::default(),
        choices: Choices::default(),
    }
}

/// A memo that was received, with subject, sender and date.
pub fn memo() -> Document {
    document()
        .text("Form", "Memo")
        .text("From", "jane@example.com")
        .text("SendTo", "bob@example.com")
        .text("Subject", "Hi")
        .time("PostedDate", "2014-08-08T17:18:33Z", -240)
        .time("DeliveredDate", "2014-08-08T17:20:00Z", -240)
}

pub struct Document {
    pub note: Note,
    pub files: Vec<File>,
    folders: Vec<Folder>,
    unread: Option<bool>,
    all_documents: bool,
    owner: Option<String>,
    parents: Vec<(Unid, String)>,
    related: Vec<Note>,
    directory: Directory,
    choices: Choices,
}

impl Document {
    pub fn item(mut self, name: &str, item_type: ItemType, value: Vec<u8>) -> Self {
        self.note.items.push(Item { name: name.to_owned(), flags: ItemFlags::default(), item_type, value });
        self
    }

    pub fn text(self, name: &str, text: &str) -> Self {
        self.item(name, ItemType::TEXT, lmbcs::encode(text))
    }

    pub fn list(self, name: &str, texts: &[&str]) -> Self {
        let texts: Vec<Vec<u8>> = texts.iter().map(|text| lmbcs::encode(text)).collect();
        let mut value = (texts.len() as u16).to_le_bytes().to_vec();
        texts.iter().for_each(|text| value.extend((text.len() as u16).to_le_bytes()));
        self.item(name, ItemType::TEXT_LIST, value.into_iter().chain(texts.concat()).collect())
    }

    pub fn number(self, name: &str, number: f64) -> Self {
        self.item(name, ItemType::NUMBER, number.to_le_bytes().to_vec())
    }

    pub fn timedate(self, name: &str, time: Timedate) -> Self {
        self.item(name, ItemType::TIME, time.to_stored().to_vec())
    }

    /// `time` in ISO 8601; the zone in minutes east of Greenwich.
    pub fn time(self, name: &str, time: &str, zone_minutes: i32) -> Self {
        self.timedate(name, Timedate::from_unix_ms(unix_ms(time), zone_minutes))
    }

    /// A list of times in ISO 8601, stored in UTC.
    pub fn times(self, name: &str, times: &[&str]) -> Self {
        let mut value = [(times.len() as u16).to_le_bytes(), [0; 2]].concat();
        times.iter().for_each(|time| value.extend(Timedate::from_unix_ms(unix_ms(time), 0).to_stored()));
        self.item(name, ItemType::TIME_RANGE, value)
    }

    /// The item without those of this name before it.
    pub fn without(mut self, name: &str) -> Self {
        self.note.items.retain(|item| !item.is(name));
        self
    }

    /// Another document than the one that [`document`] makes.
    pub fn number_in_file(mut self, number: u8) -> Self {
        self.note.unid.0[15] = number;
        self
    }

    /// Another document of the same calendar entry.
    pub fn beside(mut self, other: &Self) -> Self {
        self.related.push(other.note.clone());
        self
    }

    /// A document of the directory in which names are looked up.
    pub fn listed(mut self, entry: &Self) -> Self {
        assert!(self.directory.add(&entry.note), "nobody");
        self
    }

    /// A row of the administrator's table of addresses.
    pub fn row(mut self, name: &str, address: &str) -> Self {
        self.directory.add_row(name, address).unwrap();
        self
    }

    pub fn choose(mut self, choices: Choices) -> Self {
        self.choices = choices;
        self
    }

    pub fn modified(mut self, time: &str) -> Self {
        self.note.modified = Timedate::from_unix_ms(unix_ms(time), 0);
        self
    }

    /// An Internet header that Notes kept; `format` as in the flags: 8 address, 9 date, 10 text.
    pub fn header(self, item: &str, format: u32, native: &[u8], name: &str, body: &str) -> Self {
        let mut value = 14_u16.to_le_bytes().to_vec();
        value.extend(format.to_le_bytes());
        for length in [native.len(), name.len(), 2, body.len()] {
            value.extend((length as u16).to_le_bytes());
        }
        value.extend([native, name.as_bytes(), b": ", body.as_bytes()].concat());
        self.item(item, ItemType::RFC822_TEXT, value)
    }

    pub fn rich_text(self, item: &str, records: Vec<u8>) -> Self {
        self.item(item, ItemType::COMPOSITE, records)
    }

    /// A MIME part; the kind as stored: 1 prolog, 2 body, 3 epilog.
    pub fn mime(self, kind: u8, boundary: &str, headers: &str, body: impl AsRef<[u8]>) -> Self {
        self.mime_part(kind, 0, boundary, headers, body.as_ref())
    }

    /// A MIME part whose body lies in a file.
    pub fn mime_object(self, boundary: &str, headers: &str, file: &str) -> Self {
        self.mime_part(2, 4, boundary, headers, file.as_bytes())
    }

    fn mime_part(self, kind: u8, flags: u32, boundary: &str, headers: &str, body: &[u8]) -> Self {
        let present = |text: &str, bit: u32| if text.is_empty() { 0 } else { bit };
        let flags = flags | present(boundary, 1) | present(headers, 2);
        let mut value = 2_u16.to_le_bytes().to_vec();
        value.extend(flags.to_le_bytes());
        value.extend([kind, 0]);
        let lengths = [boundary.len() + headers.len() + body.len(), boundary.len(), headers.len()];
        lengths.iter().for_each(|length| value.extend((*length as u16).to_le_bytes()));
        value.extend([0; 6]);
        value.extend([boundary.as_bytes(), headers.as_bytes(), body].concat());
        self.item("Body", ItemType::MIME_PART, value)
    }

    pub fn file(self, name: &str, bytes: &[u8]) -> Self {
        let body = FileBody::Read(Blob::memory(bytes.to_vec()));
        self.file_body(name, bytes.len() as u32, body)
    }

    pub fn lost_file(self, name: &str, size: u32, kind: LossKind) -> Self {
        self.file_body(name, size, FileBody::Lost(Loss::new(kind, name)))
    }

    pub fn file_body(mut self, name: &str, size: u32, body: FileBody) -> Self {
        let descriptor = FileObject {
            object_id: 1,
            name: Text { text: name.to_owned(), damaged: false },
            host: 0,
            compression: Compression::None,
            attributes: 0,
            flags: 0,
            size,
            created: Timedate::from_unix_ms(unix_ms("2014-08-01T10:00:00Z"), 0),
            modified: Timedate::default(),
        };
        self.files.push(File { descriptor, body });
        self
    }

    /// Puts the document in a folder.
    pub fn folder(mut self, role: FolderRole, path: &[&str]) -> Self {
        let id = FolderId(self.folders.len() as u32 + 1);
        let path = FolderPath::new(path.iter().copied());
        self.folders.push(Folder { id, path, role, documents: 1 });
        self
    }

    pub fn unread(mut self) -> Self {
        self.unread = Some(true);
        self
    }

    pub fn soft_deleted(mut self) -> Self {
        self.note.status = NoteStatus::SOFT_DELETED;
        self
    }

    pub fn all_documents(mut self) -> Self {
        self.all_documents = true;
        self
    }

    pub fn owner(mut self, owner: &str) -> Self {
        self.owner = Some(owner.to_owned());
        self
    }

    /// Another document of the same file, and `$REF` to it.
    pub fn answers(mut self, parent: Unid, message_id: &str) -> Self {
        self.parents.push((parent, message_id.to_owned()));
        let value = [&1_u16.to_le_bytes()[..], &parent.to_stored()].concat();
        self.item("$REF", ItemType::NOTEREF_LIST, value)
    }

    pub fn try_convert(&self) -> Result<Converted, SetAside> {
        let replica = ReplicaId(0x8525_6826_004C_8489);
        let parents = |unid: Unid| self.parents.iter().find(|(known, _)| *known == unid).map(|p| p.1.clone());
        let context = Context {
            replica,
            owner: self.owner.as_deref(),
            now_unix_ms: NOW_MS,
            all_documents: self.all_documents,
            folders: &self.folders,
            directory: &self.directory,
            choices: self.choices,
            message_id_of: &parents,
        };
        let item = SourceItem {
            origin: Origin::Notes { replica, unid: self.note.unid },
            version: ItemVersion::default(),
            content: Content::Note { note: Box::new(self.note.clone()), files: self.files.clone() },
            parent_message_id: None,
            related: self.related.clone(),
            losses: Vec::new(),
        };
        let listed: Vec<FolderId> = self.folders.iter().map(|folder| folder.id).collect();
        convert(&item, &listed, self.unread, &context)
    }

    /// Converts, checks what holds of every message, and gives it parsed.
    pub fn convert(&self) -> Outcome {
        let converted = self.try_convert().unwrap();
        let mut bytes = Vec::new();
        converted.rendered.write_to(&mut bytes).unwrap();
        assert_eq!(bytes.len() as u64, converted.rendered.len());
        let mut again = Vec::new();
        self.try_convert().unwrap().rendered.write_to(&mut again).unwrap();
        assert!(bytes == again, "the same document gave two messages");
        Outcome { converted, bytes }
    }
}

/// iCalendar text that another reader and the rules of its lines agree on, unfolded.
fn checked_calendar(bytes: &[u8]) -> String {
    let text = std::str::from_utf8(bytes).unwrap();
    assert!(text.ends_with("END:VCALENDAR\r\n"), "{text}");
    // RFC 5545 section 3.1.
    assert!(text.split("\r\n").all(|line| line.len() <= 75 && !line.contains(['\r', '\n'])), "{text}");
    let mut parser = calcard::Parser::new(text);
    let calcard::Entry::ICalendar(calendar) = parser.entry() else { panic!("{text}") };
    assert!(matches!(parser.entry(), calcard::Entry::Eof), "{text}");
    let begun = text.matches("\r\nBEGIN:").count() + 1;
    assert_eq!((calendar.components.len(), text.matches("\r\nEND:").count()), (begun, begun), "{text}");
    text.replace("\r\n ", "").replace("\r\n", "\n")
}

/// vCard text that another reader and the rules of its lines agree on, unfolded.
fn checked_card(bytes: &[u8]) -> String {
    let text = std::str::from_utf8(bytes).unwrap();
    assert!(text.starts_with("BEGIN:VCARD\r\nVERSION:") && text.ends_with("\r\nEND:VCARD\r\n"), "{text}");
    // RFC 6350 section 3.2.
    assert!(text.split("\r\n").all(|line| line.len() <= 75 && !line.contains(['\r', '\n'])), "{text}");
    let mut parser = calcard::Parser::new(text);
    let calcard::Entry::VCard(card) = parser.entry() else { panic!("{text}") };
    assert!(matches!(parser.entry(), calcard::Entry::Eof), "{text}");
    let unfolded = text.replace("\r\n ", "").replace("\r\n", "\n");
    // Begin and end are no properties to that reader, nor is the version.
    let lines = unfolded.lines().count();
    assert!(
        (lines - 3..=lines - 2).contains(&card.entries.len()),
        "{} entries: {unfolded}",
        card.entries.len()
    );
    assert_eq!(unfolded.matches("\nFN:").count(), 1, "{unfolded}");
    unfolded
}

pub fn unix_ms(time: &str) -> i64 {
    time.parse::<jiff::Timestamp>().unwrap().as_millisecond()
}

/// A document that became a message.
pub struct Outcome {
    pub converted: Converted,
    pub bytes: Vec<u8>,
}

impl Outcome {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    pub fn message(&self) -> Message<'_> {
        MessageParser::default().parse(&self.bytes).unwrap()
    }

    /// The lines of the header, unfolded, in order.
    pub fn header_lines(&self) -> Vec<String> {
        let text = self.text();
        let header = text.split("\r\n\r\n").next().unwrap();
        header.replace("\r\n ", " ").replace("\r\n\t", "\t").split("\r\n").map(str::to_owned).collect()
    }

    /// The header lines of a name.
    pub fn headers(&self, name: &str) -> Vec<String> {
        let prefix = format!("{}:", name.to_lowercase());
        self.header_lines().into_iter().filter(|line| line.to_lowercase().starts_with(&prefix)).collect()
    }

    pub fn has_line(&self, line: &str) -> bool {
        self.header_lines().iter().any(|own| own == line)
    }

    /// The decoded text part. The end of its last line belongs to the boundary where one follows, so it is put back.
    pub fn plain(&self) -> String {
        let text = self.message().body_text(0).unwrap().replace("\r\n", "\n");
        match text.trim_end_matches('\n') {
            "" => String::new(),
            text => format!("{text}\n"),
        }
    }

    /// The content of the body element of the decoded HTML part.
    pub fn html(&self) -> String {
        let message = self.message();
        let page = message.html_part(0).unwrap();
        let page = page.text_contents().unwrap().replace("\r\n", "\n");
        let body = page.split_once("<body").unwrap().1.split_once(">\n").unwrap().1;
        body.split_once("</body>").unwrap().0.to_owned()
    }

    /// Name and bytes of each attachment, inline images not among them.
    pub fn attachments(&self) -> Vec<(String, Vec<u8>)> {
        let message = self.message();
        let attached = message
            .attachments()
            .filter(|part| part.content_disposition().is_some_and(|disposition| disposition.is_attachment()));
        attached
            .map(|part| (part.attachment_name().unwrap_or_default().to_owned(), part.contents().to_vec()))
            .collect()
    }

    /// The calendar object, its folded lines made whole.
    pub fn calendar(&self) -> String {
        checked_calendar(&self.object())
    }

    /// The calendar part of the message, its folded lines made whole.
    pub fn calendar_part(&self) -> Option<String> {
        self.part("calendar").map(|part| checked_calendar(&part))
    }

    /// The card, its folded lines made whole.
    pub fn card(&self) -> String {
        checked_card(&self.object())
    }

    /// The card in the message, its folded lines made whole.
    pub fn card_part(&self) -> String {
        checked_card(&self.part("vcard").expect("a card"))
    }

    /// The bytes of the object.
    pub fn object(&self) -> Vec<u8> {
        let object = self.converted.object.as_ref().expect("an object");
        let mut bytes = Vec::new();
        object.rendered.write_to(&mut bytes).unwrap();
        assert_eq!(bytes.len() as u64, object.rendered.len());
        bytes
    }

    /// The text of a part of the message. The end of its last line belongs to the boundary, so it is put back.
    fn part(&self, subtype: &str) -> Option<Vec<u8>> {
        let message = self.message();
        let part = message.parts.iter().find(|part| {
            part.content_type().is_some_and(|kind| kind.ctype() == "text" && kind.subtype() == Some(subtype))
        });
        part.map(|part| [part.contents().trim_ascii_end(), b"\r\n"].concat())
    }

    pub fn losses(&self) -> Vec<LossKind> {
        self.converted.losses.iter().map(|loss| loss.kind).collect()
    }

    pub fn folders(&self) -> Vec<String> {
        self.converted.placements.iter().map(ToString::to_string).collect()
    }
}
