//! One document of a DXL file as a note: items with the types and stored values that the same document has in a
//! database, so that one conversion serves both.
//!
//! What DXL lifts out of the items (form, parent, conflict mark, editors) is put back. A message that was exported as
//! one `mime` text becomes the file that `$IntMailMsgFileName` names, which is where Notes itself keeps an original.

use super::data::{Coding, StoredData};
use super::fonts::Fonts;
use super::richtext;
use super::text::TextReader;
use super::value;
use super::xml::{Element, Xml, XmlError};
use crate::base::limits::{LOSSES_PER_ITEM, NOTE_BYTES};
use crate::model::blob::Blob;
use crate::model::content::{File, FileBody};
use crate::model::loss::{Loss, LossKind};
use crate::notes::document::{Note, NoteClass};
use crate::notes::encode;
use crate::notes::file_object::{Compression, FileObject};
use crate::notes::ids::{NoteId, Unid};
use crate::notes::item::{Item, ItemFlags, ItemType};
use crate::notes::lmbcs;
use crate::notes::timedate::Timedate;
use crate::notes::value::{Text, Value};
use crate::sources::nsf::packing::{PackedBytes, unpack};
use mail_parser::MessageParser;
use std::io::{self, Read};
use std::sync::Arc;

/// Bytes of a message that are searched for its header.
const HEADER_BYTES: u64 = 64 << 10;
/// The name of the file that a `mime` text becomes.
const MESSAGE_NAME: &str = "message.eml";

/// A document.
#[derive(Debug, Default)]
pub struct Document {
    pub note: Note,
    pub files: Vec<File>,
    pub losses: Vec<Loss>,
}

/// Reads the document that an element holds. `only` names the one item that is wanted; without it all are read.
///
/// # Errors
/// [`XmlError`] if the document cannot be read to its end.
pub fn read(xml: &mut Xml, element: &Element, only: Option<&str>) -> Result<Document, XmlError> {
    let mut reader = DocumentReader {
        xml,
        document: Document::default(),
        fonts: Fonts::default(),
        bytes_left: NOTE_BYTES,
        only,
    };
    reader.document.note.class = NoteClass::DOCUMENT;
    reader.read(element)?;
    Ok(reader.document)
}

/// Reads a `noteinfo` element into a note.
pub fn read_note_info(xml: &mut Xml, element: &Element, note: &mut Note) -> Result<(), XmlError> {
    let hexadecimal = |text: Option<&str>| u32::from_str_radix(text?, 16).ok();
    note.note_id = NoteId(hexadecimal(element.attribute("noteid")).unwrap_or(0));
    note.unid = element.attribute("unid").and_then(|unid| unid.parse().ok()).unwrap_or_default();
    note.sequence = element.attribute("sequence").and_then(|number| number.parse().ok()).unwrap_or(0);
    while let Some(child) = xml.child()? {
        let time = read_times(xml)?.into_iter().flatten().next().unwrap_or_default();
        match child.name.as_str() {
            "modified" => note.modified = time,
            "revised" => note.sequence_time = time,
            "addedtofile" => note.added = time,
            _ => {}
        }
    }
    Ok(())
}

/// The times in the open element, as many as a list can hold; `None` where one is no time.
fn read_times(xml: &mut Xml) -> Result<Vec<Option<Timedate>>, XmlError> {
    let mut times = Vec::new();
    while let Some(child) = xml.child()? {
        let time = value::timedate(&xml.text()?, child.is("dst"));
        if times.len() < usize::from(u16::MAX) {
            times.push(time);
        }
    }
    Ok(times)
}

/// The bytes that the base64 text of the open element holds; the element is read to its end. `None` if it is damaged.
///
/// # Errors
/// [`XmlError::TooLarge`] if they are more than are left of `limit`; what the XML has.
pub fn read_base64(xml: &mut Xml, bytes_left: &mut u64) -> Result<Option<Vec<u8>>, XmlError> {
    let mut bytes = Vec::new();
    let mut sound = true;
    if let Some(reader) = xml.characters() {
        sound = Coding::Base64.decode(reader).take(*bytes_left + 1).read_to_end(&mut bytes).is_ok();
    }
    take(bytes_left, bytes.len())?;
    xml.skip()?;
    Ok(sound.then_some(bytes))
}

/// Names a loss. Conversion counts equal ones; where there are very many, one of each kind is enough.
pub fn lose(losses: &mut Vec<Loss>, kind: LossKind, detail: impl Into<String>) {
    const MANY: usize = 10 * LOSSES_PER_ITEM;
    if losses.len() < MANY || losses.iter().all(|loss| loss.kind != kind) {
        losses.push(Loss::new(kind, detail));
    }
}

/// Takes bytes off what is left.
pub fn take(bytes_left: &mut u64, bytes: usize) -> Result<(), XmlError> {
    *bytes_left = bytes_left.checked_sub(bytes as u64).ok_or(XmlError::TooLarge(NOTE_BYTES))?;
    Ok(())
}

struct DocumentReader<'x, 'o> {
    xml: &'x mut Xml,
    document: Document,
    fonts: Fonts,
    bytes_left: u64,
    only: Option<&'o str>,
}

impl DocumentReader<'_, '_> {
    fn read(&mut self, element: &Element) -> Result<(), XmlError> {
        while let Some(child) = self.xml.child()? {
            match child.name.as_str() {
                "noteinfo" => read_note_info(self.xml, &child, &mut self.document.note)?,
                "item" => self.item(&child)?,
                "updatedby" => {
                    let names = self.texts()?;
                    self.add("$UpdatedBy", ItemType::TEXT_LIST, encode::text_list(&names))?;
                }
                "revisions" => {
                    let times: Vec<_> = read_times(self.xml)?.into_iter().flatten().collect();
                    self.add("$Revisions", ItemType::TIME_RANGE, encode::times(&times, &[]))?;
                }
                // Who signed, without the signature itself.
                "wassignedby" | "signature" => {
                    self.xml.skip()?;
                    self.add("$Signature", ItemType::SIGNATURE, Vec::new())?;
                }
                "mime" if self.only.is_none() => self.message()?,
                "textproperties" | "mime" => self.xml.skip()?,
                name => {
                    self.lose(LossKind::ConstructDropped, format!("element {name}"));
                    self.xml.skip()?;
                }
            }
        }
        self.put_back(element)?;
        if let Some(table) = self.fonts.table() {
            self.add("$Fonts", ItemType::COMPOSITE, table)?;
        }
        if self.xml.damaged {
            self.lose(LossKind::TextDamaged, "bytes that are no text, or an unknown entity");
        }
        Ok(())
    }

    /// Items that DXL writes as attributes of the document.
    fn put_back(&mut self, element: &Element) -> Result<(), XmlError> {
        if let Some(form) = element.attribute("form").filter(|_| !self.document.note.has("Form")) {
            self.add("Form", ItemType::TEXT, lmbcs::encode(form))?;
        }
        let parent = element.attribute("parent").and_then(|unid| unid.parse::<Unid>().ok());
        if let Some(parent) = parent.filter(|_| !self.document.note.has("$REF")) {
            self.add("$REF", ItemType::NOTEREF_LIST, encode::note_refs(&[parent]))?;
        }
        if element.is("conflict") && !self.document.note.has("$Conflict") {
            self.add("$Conflict", ItemType::TEXT, Vec::new())?;
        }
        if element.is("truncated") && !self.document.note.has("$OrigSize") {
            self.lose(LossKind::Truncated, "");
        }
        Ok(())
    }

    fn lose(&mut self, kind: LossKind, detail: impl Into<String>) {
        lose(&mut self.document.losses, kind, detail);
    }

    fn add(&mut self, name: &str, item_type: ItemType, value: Vec<u8>) -> Result<(), XmlError> {
        self.add_item(name, ItemFlags::default(), item_type, value)
    }

    fn add_item(
        &mut self,
        name: &str,
        flags: ItemFlags,
        item_type: ItemType,
        value: Vec<u8>,
    ) -> Result<(), XmlError> {
        take(&mut self.bytes_left, size_of::<Item>() + name.len() + value.len())?;
        self.document.note.items.push(Item { name: name.to_owned(), flags, item_type, value });
        Ok(())
    }

    fn item(&mut self, element: &Element) -> Result<(), XmlError> {
        let name = element.attribute("name").unwrap_or_default();
        if self.only.is_some_and(|only| !only.eq_ignore_ascii_case(name)) {
            return self.xml.skip();
        }
        // Unlike `seal`, which asks for encryption, this says that the value is unreadable.
        if element.is("sealed") {
            self.lose(LossKind::Encrypted, name);
            return self.xml.skip();
        }
        while let Some(child) = self.xml.child()? {
            if let Some((item_type, value)) = self.value(name, &child)? {
                let flags = flags(element, item_type);
                self.add_item(name, flags, item_type, value)?;
            }
        }
        Ok(())
    }

    /// The stored value that an element inside an item holds.
    fn value(&mut self, name: &str, element: &Element) -> Result<Option<(ItemType, Vec<u8>)>, XmlError> {
        Ok(Some(match element.name.as_str() {
            "text" => (ItemType::TEXT, lmbcs::encode(&self.xml.text()?)),
            "textlist" => (ItemType::TEXT_LIST, encode::text_list(&self.texts()?)),
            "number" => {
                let number = self.number(name)?;
                (ItemType::NUMBER, number.to_le_bytes().to_vec())
            }
            "numberlist" => (ItemType::NUMBER_RANGE, self.numbers(name)?),
            "datetime" => {
                let time = self.time(name, element)?;
                (ItemType::TIME, time.to_stored().to_vec())
            }
            "datetimelist" => (ItemType::TIME_RANGE, self.times(name)?),
            "richtext" => {
                let mut context = richtext::Context {
                    fonts: &mut self.fonts,
                    losses: &mut self.document.losses,
                    bytes_left: &mut self.bytes_left,
                };
                (ItemType::COMPOSITE, richtext::read(self.xml, &mut context)?)
            }
            "object" => return self.object(),
            "rawitemdata" | "itemdata" => return self.raw(name, element),
            other => {
                self.lose(LossKind::ConstructDropped, format!("{other} of item {name}"));
                self.xml.skip()?;
                return Ok(None);
            }
        }))
    }

    /// The stored value itself.
    fn raw(&mut self, name: &str, element: &Element) -> Result<Option<(ItemType, Vec<u8>)>, XmlError> {
        let code = u16::from_str_radix(element.attribute("type").unwrap_or_default(), 16);
        // The value counts when it becomes an item.
        let mut bytes_left = self.bytes_left;
        let bytes = read_base64(self.xml, &mut bytes_left)?;
        if let (Ok(code), Some(bytes)) = (code, bytes) {
            self.file_without_data(name, ItemType(code), &bytes)?;
            return Ok(Some((ItemType(code), bytes)));
        }
        self.lose(LossKind::TextDamaged, format!("value of item {name}"));
        Ok(None)
    }

    /// An attachment whose descriptor is there and nothing else.
    fn file_without_data(&mut self, name: &str, item_type: ItemType, value: &[u8]) -> Result<(), XmlError> {
        let Ok(Value::File(mut descriptor)) = Value::decode(item_type, value) else { return Ok(()) };
        if name.eq_ignore_ascii_case("$FILE") {
            let body = file_body(&mut descriptor, None);
            take(&mut self.bytes_left, size_of::<File>())?;
            self.document.files.push(File { descriptor, body });
        }
        Ok(())
    }

    /// The texts of the elements in the open one.
    fn texts(&mut self) -> Result<Vec<String>, XmlError> {
        let mut texts = Vec::new();
        let mut bytes_left = self.bytes_left;
        while self.xml.child()?.is_some() {
            let text = self.xml.text()?;
            take(&mut bytes_left, size_of::<String>() + text.len())?;
            texts.push(text);
        }
        Ok(texts)
    }

    fn number(&mut self, name: &str) -> Result<f64, XmlError> {
        let text = self.xml.text()?;
        Ok(value::number(&text).unwrap_or_else(|| {
            self.lose(LossKind::TextDamaged, format!("number of item {name}"));
            f64::NAN
        }))
    }

    fn numbers(&mut self, name: &str) -> Result<Vec<u8>, XmlError> {
        let (mut singles, mut pairs) = (Vec::new(), Vec::new());
        let mut bytes_left = self.bytes_left;
        while let Some(child) = self.xml.child()? {
            take(&mut bytes_left, 16)?;
            if child.name != "numberpair" {
                singles.push(self.number(name)?);
                continue;
            }
            let mut pair = [0.0; 2];
            let mut halves = pair.iter_mut();
            while self.xml.child()?.is_some() {
                let number = self.number(name)?;
                halves.next().into_iter().for_each(|half| *half = number);
            }
            pairs.push(pair);
        }
        Ok(encode::numbers(&singles, &pairs))
    }

    fn time(&mut self, name: &str, element: &Element) -> Result<Timedate, XmlError> {
        let text = self.xml.text()?;
        Ok(value::timedate(&text, element.is("dst")).unwrap_or_else(|| {
            self.lose(LossKind::DateInvalid, name);
            Timedate::default()
        }))
    }

    fn times(&mut self, name: &str) -> Result<Vec<u8>, XmlError> {
        let (mut singles, mut pairs) = (Vec::new(), Vec::new());
        let mut bytes_left = self.bytes_left;
        while let Some(child) = self.xml.child()? {
            take(&mut bytes_left, 16)?;
            if child.name != "datetimepair" {
                singles.push(self.time(name, &child)?);
                continue;
            }
            let mut pair = [Timedate::default(); 2];
            let mut halves = pair.iter_mut();
            while let Some(child) = self.xml.child()? {
                let time = self.time(name, &child)?;
                halves.next().into_iter().for_each(|half| *half = time);
            }
            pairs.push(pair);
        }
        Ok(encode::times(&singles, &pairs))
    }

    /// An attachment; other objects have no meaning outside of their database.
    fn object(&mut self) -> Result<Option<(ItemType, Vec<u8>)>, XmlError> {
        let mut stored = None;
        while let Some(child) = self.xml.child()? {
            match child.name.as_str() {
                "file" => stored = Some((ItemType::OBJECT, self.file(&child)?)),
                _ => self.xml.skip()?,
            }
        }
        Ok(stored)
    }

    /// Keeps the file and gives its stored descriptor.
    fn file(&mut self, element: &Element) -> Result<Vec<u8>, XmlError> {
        let mut descriptor = descriptor(element, self.document.files.len());
        let mut data = None;
        while let Some(child) = self.xml.child()? {
            match child.name.as_str() {
                "created" | "modified" => {
                    let time = read_times(self.xml)?.into_iter().flatten().next().unwrap_or_default();
                    let field = if child.name == "created" {
                        &mut descriptor.created
                    } else {
                        &mut descriptor.modified
                    };
                    *field = time;
                }
                "filedata" => {
                    data = self.xml.characters().map(|reader| StoredData::read(reader, Coding::Base64));
                    self.xml.skip()?;
                }
                _ => self.xml.skip()?,
            }
        }
        let body = file_body(&mut descriptor, data);
        let stored = descriptor.encode();
        take(&mut self.bytes_left, size_of::<File>() + Blob::HEAD_BYTES)?;
        self.document.files.push(File { descriptor, body });
        Ok(stored)
    }

    /// The whole message as text. What its header says and no item does becomes items.
    fn message(&mut self) -> Result<(), XmlError> {
        let data = self.xml.characters().map(|reader| StoredData::read(reader, Coding::Message));
        self.xml.skip()?;
        let Some(Ok((blob, _))) = data else {
            self.lose(LossKind::TextDamaged, "the message cannot be read");
            return Ok(());
        };
        self.header_items(&blob)?;
        self.add("$IntMailMsgFileName", ItemType::TEXT, lmbcs::encode(MESSAGE_NAME))?;
        let element = Element::default();
        let mut descriptor = descriptor(&element, self.document.files.len());
        descriptor.name.text = MESSAGE_NAME.to_owned();
        descriptor.size = u32::try_from(blob.len()).unwrap_or(u32::MAX);
        self.add("$FILE", ItemType::OBJECT, descriptor.encode())?;
        self.document.files.push(File { descriptor, body: FileBody::Read(blob) });
        Ok(())
    }

    fn header_items(&mut self, message: &Blob) -> Result<(), XmlError> {
        let mut head = Vec::new();
        if message.open().and_then(|reader| reader.take(HEADER_BYTES).read_to_end(&mut head)).is_err() {
            return Ok(());
        }
        let Some(header) = MessageParser::default().parse_headers(&head) else { return Ok(()) };
        let message_id = header.message_id().map(|id| format!("<{id}>"));
        let texts = [("Subject", header.subject().map(str::to_owned)), ("$MessageID", message_id)];
        for (name, text) in texts {
            if let Some(text) = text {
                self.add(name, ItemType::TEXT, lmbcs::encode(&text))?;
            }
        }
        if let Some(date) = header.date().filter(|date| date.is_valid()) {
            let zone = i32::from(date.tz_hour) * 60 + i32::from(date.tz_minute);
            let zone = if date.tz_before_gmt { -zone } else { zone };
            let time = Timedate::from_unix_ms(date.to_timestamp().saturating_mul(1000), zone);
            self.add("PostedDate", ItemType::TIME, time.to_stored().to_vec())?;
        }
        Ok(())
    }
}

fn flags(element: &Element, item_type: ItemType) -> ItemFlags {
    // Lists, numbers, times and texts are shown in views unless the exporter says otherwise.
    let summary = element.attribute("summary").map_or(item_type.0 & 0xFF00 != 0, |value| value == "true");
    let named = [
        ("sign", ItemFlags::SIGN),
        ("seal", ItemFlags::SEAL),
        ("authors", ItemFlags::AUTHORS),
        ("names", ItemFlags::NAMES),
        ("readers", ItemFlags::READERS),
        ("placeholder", ItemFlags::PLACEHOLDER),
        ("protected", ItemFlags::PROTECTED),
    ];
    let set = named.into_iter().filter(|(name, _)| element.is(name)).map(|(_, flag)| flag.0);
    ItemFlags(set.fold(if summary { ItemFlags::SUMMARY.0 } else { 0 }, |flags, flag| flags | flag))
}

/// The descriptor of a `file` element, its times still empty.
fn descriptor(element: &Element, number: usize) -> FileObject {
    const SIGNED: u16 = 0x0001;
    let compression = match element.attribute("compression").unwrap_or("none") {
        "none" => Compression::None,
        "huffman" => Compression::Huffman,
        "lz1" => Compression::Lz1,
        _ => Compression::Other(u16::MAX),
    };
    let host = match element.attribute("hosttype").unwrap_or("msdos") {
        "msdos" => 0,
        "ole" => 1,
        "mac" => 2,
        "hpfs" => 4,
        "olelib" => 5,
        _ => 3,
    };
    let flag = |word: &str| match word {
        "storedindoc" => FileObject::FLAG_IN_DOCUMENT,
        "mime" => FileObject::FLAG_MIME_PART,
        "sign" => SIGNED,
        _ => 0,
    };
    let words = element.attribute("flags").unwrap_or_default();
    FileObject {
        // Objects have no id in DXL; their order tells them apart.
        object_id: u32::try_from(number).unwrap_or(u32::MAX),
        name: Text { text: element.attribute("name").unwrap_or_default().to_owned(), damaged: false },
        host,
        compression,
        attributes: 0,
        flags: words.split_whitespace().fold(0, |flags, word| flags | flag(word)),
        size: element.attribute("size").and_then(|size| size.parse().ok()).unwrap_or(0),
        created: Timedate::default(),
        modified: Timedate::default(),
    }
}

/// The file itself. Where it is not compressed, its true size counts.
fn file_body(descriptor: &mut FileObject, data: Option<io::Result<(Blob, StoredData)>>) -> FileBody {
    let name = descriptor.name.text.clone();
    let lost = |kind, why: String| FileBody::Lost(Loss::new(kind, format!("{name}: {why}")));
    let (blob, data) = match data {
        Some(Ok(data)) => data,
        Some(Err(error)) => return lost(LossKind::AttachmentMissing, error.to_string()),
        None if descriptor.size > 0 => {
            return lost(LossKind::AttachmentExternal, "the export leaves its bytes out".to_owned());
        }
        None => return FileBody::Read(Blob::memory(Vec::new())),
    };
    if descriptor.compression == Compression::None {
        descriptor.size = u32::try_from(blob.len()).unwrap_or(u32::MAX);
        return FileBody::Read(blob);
    }
    let packed: Arc<dyn PackedBytes> = Arc::new(data);
    match unpack(&packed, u64::from(descriptor.size)) {
        Ok(blob) => FileBody::Read(blob),
        Err(damage) => lost(LossKind::AttachmentCompressed, damage.0),
    }
}

/// The bytes of the file from `from` to `to`, as a UNID for a document that has none: the same in every copy.
pub fn digest_unid(reader: &TextReader, from: u64, to: u64) -> io::Result<Unid> {
    const BLOCK_BYTES: u64 = 64 << 10;
    let mut hasher = blake3::Hasher::new_derive_key("notesferry dxl unid 1");
    let mut at = from;
    while at < to {
        let mut block = vec![0; BLOCK_BYTES.min(to - at) as usize];
        reader.file().read_at(at, &mut block)?;
        hasher.update(&block);
        at += block.len() as u64;
    }
    let mut unid = [0; 16];
    unid.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
    Ok(Unid(unid))
}
