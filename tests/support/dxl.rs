//! Documents as DXL text, and what becomes of them: the writer of tests, independent of the reader.

use super::corpus;
use super::document::{NOW_MS, Outcome};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::{Timestamp, tz::Offset};
use notesferry::conversion::{Context, Converted, Directory, convert};
use notesferry::forge::mailbox::{self, MailboxOptions};
use notesferry::forge::version::Version;
use notesferry::model::content::{Content, File, FileBody, SourceItem};
use notesferry::model::item::Origin;
use notesferry::model::loss::SetAside;
use notesferry::notes::item::{Item, ItemType};
use notesferry::notes::timedate::{Moment, Timedate};
use notesferry::notes::value::{Times, Value};
use notesferry::sources::Source;
use notesferry::sources::dxl::DxlSource;
use notesferry::sources::nsf::NsfSource;
use std::fmt::Write as _;
use std::io::Read as _;
use std::path::PathBuf;

/// The start of a document with an identity; the caller adds items and the end.
pub const BEGIN: &str = "<document xmlns='http://www.lotus.com/dxl' form='Memo' replicaid='85256826004C8489'>\
    <noteinfo noteid='9e2' unid='8FD8E55C12D1A9764F03FE20DF203FE7' sequence='3'>\
    <revised><datetime dst='true'>20140808T131841,49-04</datetime></revised></noteinfo>";

/// Items that make a document a mail that was received.
pub const MAIL: &str = "<item name='From'><text>jane@example.com</text></item>\
    <item name='SendTo'><text>bob@example.com</text></item><item name='Subject'><text>Hi</text></item>\
    <item name='PostedDate'><datetime>20140808T131833,00-04</datetime></item>\
    <item name='DeliveredDate'><datetime>20140808T132000,00-04</datetime></item>";

/// A mail with these elements beside its items.
pub fn mail(elements: &str) -> String {
    format!("{BEGIN}{MAIL}{elements}</document>")
}

/// A mail whose body is structured rich text.
pub fn rich_mail(rich_text: &str) -> String {
    mail(&format!("<item name='Body'><richtext>{rich_text}</richtext></item>"))
}

/// The real exports, in the order of their names.
pub fn exports() -> Vec<PathBuf> {
    let Some(Ok(entries)) = corpus::folder().map(|folder| std::fs::read_dir(folder.join("dxl"))) else {
        return Vec::new();
    };
    let files = entries.flatten().map(|entry| entry.path());
    let mut files: Vec<_> =
        files.filter(|path| path.extension().is_some_and(|e| e == "dxl" || e == "xml")).collect();
    files.sort();
    files
}

/// The documents of a forged mailbox.
pub fn forged(mails: u64) -> Vec<SourceItem> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("jane.nsf");
    mailbox::forge(&path, &MailboxOptions { version: Version::Ods52, mails, seed: 11 }).unwrap();
    let mut source = NsfSource::open(&path).unwrap();
    let listed = source.list(None, u32::MAX).unwrap().items;
    listed.iter().map(|listed| source.open(listed.id).unwrap()).collect()
}

/// All documents of a text.
pub fn open(dxl: &str) -> Vec<SourceItem> {
    let mut source = DxlSource::from_bytes(dxl.as_bytes().to_vec()).unwrap();
    let page = source.list(None, u32::MAX).unwrap();
    page.items.iter().map(|listed| source.open(listed.id).unwrap()).collect()
}

pub fn try_convert(item: &SourceItem, all_documents: bool) -> Result<Converted, SetAside> {
    let Origin::Notes { replica, .. } = item.origin;
    let message_id_of = |unid| {
        item.parent_message_id.as_ref().filter(|(parent, _)| *parent == unid).map(|(_, id)| id.clone())
    };
    let directory = Directory::default();
    let context = Context {
        all_documents,
        message_id_of: &message_id_of,
        ..Context::bare(replica, &directory, NOW_MS.max(1_800_000_000_000))
    };
    convert(item, &[], None, &context)
}

pub fn outcome(item: &SourceItem) -> Outcome {
    let converted = try_convert(item, true).unwrap();
    let mut bytes = Vec::new();
    converted.rendered.write_to(&mut bytes).unwrap();
    assert_eq!(bytes.len() as u64, converted.rendered.len());
    Outcome { converted, bytes }
}

/// What becomes of the only document of a text.
pub fn convert_only(dxl: &str) -> Outcome {
    let items = open(dxl);
    assert_eq!(items.len(), 1);
    outcome(&items[0])
}

pub fn escape(text: &str) -> String {
    let mut escaped = String::new();
    for character in text.chars() {
        match character {
            '\n' => escaped.push_str("<break/>"),
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '\'' => escaped.push_str("&apos;"),
            '\r' | '\t' => write!(escaped, "&#{};", u32::from(character)).unwrap(),
            '\0'..' ' => write!(escaped, "<nonxmlchar value='{:02x}'/>", u32::from(character)).unwrap(),
            _ => escaped.push(character),
        }
    }
    escaped
}

/// Base64 in lines, as exporters write it.
pub fn base64_lines(bytes: &[u8]) -> String {
    let text = STANDARD.encode(bytes);
    let lines = text.as_bytes().chunks(76).map(|line| std::str::from_utf8(line).unwrap());
    format!("\n{}\n", lines.collect::<Vec<_>>().join("\n"))
}

fn datetime(time: Timedate) -> String {
    let (text, dst) = match time.moment().unwrap() {
        Moment::Empty => (String::new(), false),
        Moment::Day { unix_day } => {
            let time = Timestamp::from_second(unix_day * 86_400).unwrap();
            (time.strftime("%Y%m%d").to_string(), false)
        }
        Moment::TimeOfDay { .. } => unreachable!("no forged mailbox has such a value"),
        Moment::Instant { unix_ms, zone_minutes } => {
            let dst = time.0[1] >> 31 == 1;
            let offset = zone_minutes + if dst { 60 } else { 0 };
            let zoned = Timestamp::from_millisecond(unix_ms)
                .unwrap()
                .to_zoned(Offset::from_seconds(offset * 60).unwrap().to_time_zone());
            let sign = if offset < 0 { '-' } else { '+' };
            let (hours, minutes) = (offset.abs() / 60, offset.abs() % 60);
            let minutes = if minutes == 0 { String::new() } else { format!("{minutes:02}") };
            let hundredths = unix_ms.rem_euclid(1000) / 10;
            (format!("{},{hundredths:02}{sign}{hours:02}{minutes}", zoned.strftime("%Y%m%dT%H%M%S")), dst)
        }
    };
    let dst = if dst { " dst='true'" } else { "" };
    format!("<datetime{dst}>{text}</datetime>")
}

fn value(item: &Item) -> String {
    let list = |element: &str, inner: String| format!("<{element}>{inner}</{element}>");
    match item.value().unwrap() {
        Value::Text(text) => list("text", escape(&text.text)),
        Value::TextList(texts) => {
            list("textlist", texts.iter().map(|text| list("text", escape(&text.text))).collect())
        }
        Value::Numbers(numbers) if item.item_type == ItemType::NUMBER => {
            list("number", numbers.singles[0].to_string())
        }
        Value::Numbers(numbers) => {
            list("numberlist", numbers.singles.iter().map(|n| list("number", n.to_string())).collect())
        }
        Value::Times(times) if item.item_type == ItemType::TIME => datetime(times.singles[0]),
        Value::Times(Times { singles, pairs }) => {
            let pairs = pairs.iter().map(|pair| list("datetimepair", pair.map(datetime).concat()));
            list("datetimelist", singles.iter().copied().map(datetime).chain(pairs).collect())
        }
        _ => {
            format!("<rawitemdata type='{:x}'>{}</rawitemdata>", item.item_type.0, base64_lines(&item.value))
        }
    }
}

fn file(file: &File) -> String {
    let FileBody::Read(blob) = &file.body else { panic!("a forged attachment is lost") };
    let mut bytes = Vec::new();
    blob.open().unwrap().read_to_end(&mut bytes).unwrap();
    let descriptor = &file.descriptor;
    let flags = [(2, "storedindoc"), (4, "mime"), (1, "sign")];
    let flags: Vec<&str> =
        flags.iter().filter(|(bit, _)| descriptor.flags & bit != 0).map(|(_, word)| *word).collect();
    format!(
        "<object><file name='{}' size='{}' compression='none' flags='{}'><created>{}</created>\
         <modified>{}</modified><filedata>{}</filedata></file></object>",
        escape(&descriptor.name.text),
        descriptor.size,
        flags.join(" "),
        datetime(descriptor.created),
        datetime(descriptor.modified),
        base64_lines(&bytes)
    )
}

/// A document as an exporter writes it. In note format every item stays an item; else form and parent are attributes.
pub fn render(source_item: &SourceItem, note_format: bool) -> String {
    let Content::Note { note, files } = &source_item.content;
    let Origin::Notes { replica, unid } = source_item.origin;
    let mut attributes = String::new();
    let (mut items, mut files) = (String::new(), files.iter());
    for item in &note.items {
        if !note_format && item.is("Form") {
            write!(attributes, " form='{}'", escape(&note.text("Form"))).unwrap();
        } else if !note_format && item.is("$REF") {
            write!(attributes, " response='true' parent='{}'", note.text("$REF")).unwrap();
        } else {
            let value = match item.value() {
                Ok(Value::File(_)) => file(files.next().unwrap()),
                _ => value(item),
            };
            writeln!(items, "<item name='{}'>{value}</item>", escape(&item.name)).unwrap();
        }
    }
    let element = if note_format { "note" } else { "document" };
    let class = if note_format { " class='document'" } else { "" };
    format!(
        "<{element}{class}{attributes} replicaid='{replica}'>\n<noteinfo noteid='{:x}' unid='{unid}' sequence='{}'>\n\
         <modified>{}</modified><revised>{}</revised><addedtofile>{}</addedtofile></noteinfo>\n{items}</{element}>\n",
        note.note_id.0,
        note.sequence,
        datetime(note.modified),
        datetime(note.sequence_time),
        datetime(note.added),
    )
}

/// A whole export.
pub fn database(documents: &[String]) -> String {
    format!(
        "<?xml version='1.0' encoding='utf-8'?>\n<!DOCTYPE database SYSTEM 'xmlschemas/domino_10_0_1.dtd'>\n\
         <database xmlns='http://www.lotus.com/dxl' version='10.0' title='Jane Doe' replicaid='85256826004C8489'>\n\
         <databaseinfo dbid='85256826004C8489' odsversion='52'/>\n{}</database>\n",
        documents.concat()
    )
}
