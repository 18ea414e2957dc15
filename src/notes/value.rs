//! Item values: from the stored bytes of a type to something a program can use.
//!
//! Every count and length is checked against the bytes that are there; nothing is allocated beyond them.

use super::bytes::Bytes;
use super::file_object::FileObject;
use super::ids::Unid;
use super::item::ItemType;
use super::lmbcs;
use super::mime_part::MimePart;
use super::timedate::Timedate;

/// A decoded item value. Large values (rich text, MIME) stay borrowed.
#[derive(Clone, Debug, PartialEq)]
pub enum Value<'a> {
    Text(Text),
    TextList(Vec<Text>),
    Rfc822(Rfc822Text<'a>),
    Numbers(Numbers),
    Times(Times),
    /// The text of a USERID (old author fields), without the licence id that follows it.
    UserId(Text),
    NoteRefs(Vec<Unid>),
    NoteLinks(Vec<NoteLink>),
    /// A run of rich-text records; read it with `notes::richtext`.
    RichText(&'a [u8]),
    MimePart(MimePart<'a>),
    /// LMBCS text of an HTML item.
    Html(Text),
    /// An object of the database that is not a file (folder contents, agent data, ...).
    Object {
        object_type: u16,
        object_id: u32,
    },
    /// An attachment, or the body of a MIME part.
    File(FileObject),
    /// Formula, signature, seal, user data and types unknown to us.
    Opaque(&'a [u8]),
}

/// Text decoded from LMBCS. NUL, the line break inside stored text, is a line feed here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Text {
    pub text: String,
    /// Some bytes were no LMBCS and became U+FFFD.
    pub damaged: bool,
}

impl Text {
    /// Decodes stored LMBCS; NUL becomes a line feed.
    pub fn decode(stored: &[u8]) -> Self {
        let decoded = lmbcs::decode(stored);
        Self { text: decoded.text, damaged: decoded.damaged }
    }
}

/// The numbers of a NUMBER or NUMBER_RANGE item.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Numbers {
    pub singles: Vec<f64>,
    pub pairs: Vec<[f64; 2]>,
}

/// The times of a TIME or TIME_RANGE item.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Times {
    pub singles: Vec<Timedate>,
    pub pairs: Vec<[Timedate; 2]>,
}

/// One link of a `$Links` item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoteLink {
    pub replica: super::ids::ReplicaId,
    pub view: Unid,
    pub document: Unid,
}

impl NoteLink {
    /// Decodes the 40 stored bytes of a link.
    ///
    /// # Errors
    /// [`ValueError`] if fewer are there.
    pub fn decode(bytes: &mut Bytes<'_>) -> Result<Self, ValueError> {
        Ok(Self {
            replica: super::ids::ReplicaId::from_innards(bytes.timedate()?.0),
            view: Unid::from_stored(bytes.array()?),
            document: Unid::from_stored(bytes.array()?),
        })
    }
}

/// An Internet header kept together with the value that Notes made of it.
///
/// # Source
/// Notes C API, structure `RFC822ITEMDESC`; seen in public DXL exports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rfc822Text<'a> {
    pub flags: u32,
    /// What Notes made of the header: LMBCS text, or the eight bytes of a TIMEDATE.
    pub native: &'a [u8],
    pub name: &'a [u8],
    /// The colon and the white space after it.
    pub delimiter: &'a [u8],
    /// The header body as it came, with folding; its last line end may be missing.
    pub body: &'a [u8],
}

impl Rfc822Text<'_> {
    /// The format in the low three bits of the flags: 0 address, 1 date, 2 text.
    pub fn is_date(&self) -> bool {
        self.flags & 7 == 1
    }

    /// The native value as text: the LMBCS value, or the header body where the native value is a date.
    pub fn text(&self) -> Text {
        if self.is_date() {
            let body = String::from_utf8_lossy(self.body).trim().to_owned();
            return Text { text: body, damaged: false };
        }
        Text::decode(self.native)
    }

    /// The native value as a TIMEDATE, for dates.
    pub fn time(&self) -> Option<Timedate> {
        let raw = self.native.try_into().ok()?;
        self.is_date().then(|| Timedate::from_stored(raw))
    }
}

/// Stored bytes that do not have the shape of their type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the {what} needs {needed} bytes, the value has {present}")]
pub struct ValueError {
    pub what: &'static str,
    pub needed: usize,
    pub present: usize,
}

impl<'a> Value<'a> {
    /// Decodes a stored value.
    ///
    /// # Errors
    /// [`ValueError`] if a count or length points past the bytes that are there.
    pub fn decode(item_type: ItemType, stored: &'a [u8]) -> Result<Self, ValueError> {
        Ok(match item_type {
            ItemType::TEXT => Self::Text(Text::decode(stored)),
            ItemType::TEXT_LIST => Self::TextList(decode_text_list(stored)?),
            ItemType::RFC822_TEXT => Self::Rfc822(decode_rfc822(stored)?),
            ItemType::NUMBER => {
                let mut bytes = Bytes::new(stored, "number");
                Self::Numbers(Numbers { singles: vec![bytes.f64()?], pairs: Vec::new() })
            }
            ItemType::NUMBER_RANGE => Self::Numbers(decode_numbers(stored)?),
            ItemType::TIME => {
                let mut bytes = Bytes::new(stored, "time");
                Self::Times(Times { singles: vec![bytes.timedate()?], pairs: Vec::new() })
            }
            ItemType::TIME_RANGE => Self::Times(decode_times(stored)?),
            ItemType::USERID => {
                let text = stored.len().checked_sub(8).map_or(stored, |end| &stored[..end]);
                Self::UserId(Text::decode(text))
            }
            ItemType::COMPOSITE => Self::RichText(stored),
            ItemType::MIME_PART => Self::MimePart(MimePart::decode(stored)?),
            ItemType::HTML => Self::Html(Text::decode(stored)),
            ItemType::NOTEREF_LIST => Self::NoteRefs(decode_noterefs(stored)?),
            ItemType::NOTELINK_LIST => Self::NoteLinks(decode_links(stored)?),
            ItemType::OBJECT => decode_object(stored)?,
            _ => Self::Opaque(stored),
        })
    }
}

fn decode_text_list(stored: &[u8]) -> Result<Vec<Text>, ValueError> {
    let mut bytes = Bytes::new(stored, "text list");
    let count = usize::from(bytes.u16()?);
    let mut lengths = Bytes::new(bytes.take(count * 2)?, "text list");
    let mut texts = Vec::with_capacity(count);
    for _ in 0..count {
        texts.push(Text::decode(bytes.take(usize::from(lengths.u16()?))?));
    }
    Ok(texts)
}

fn decode_rfc822(stored: &[u8]) -> Result<Rfc822Text<'_>, ValueError> {
    let mut bytes = Bytes::new(stored, "Internet header");
    bytes.u16()?; // The version, which is the length of this head.
    let flags = bytes.u32()?;
    let mut lengths = [0; 4];
    for length in &mut lengths {
        *length = usize::from(bytes.u16()?);
    }
    let [native, name, delimiter, body] = lengths;
    Ok(Rfc822Text {
        flags,
        native: bytes.take(native)?,
        name: bytes.take(name)?,
        delimiter: bytes.take(delimiter)?,
        body: bytes.take(body)?,
    })
}

fn decode_numbers(stored: &[u8]) -> Result<Numbers, ValueError> {
    let mut bytes = Bytes::new(stored, "number list");
    let (singles, pairs) = (usize::from(bytes.u16()?), usize::from(bytes.u16()?));
    bytes.need(singles * 8 + pairs * 16)?;
    let mut numbers = Numbers::default();
    for _ in 0..singles {
        numbers.singles.push(bytes.f64()?);
    }
    for _ in 0..pairs {
        numbers.pairs.push([bytes.f64()?, bytes.f64()?]);
    }
    Ok(numbers)
}

fn decode_times(stored: &[u8]) -> Result<Times, ValueError> {
    let mut bytes = Bytes::new(stored, "time list");
    let (singles, pairs) = (usize::from(bytes.u16()?), usize::from(bytes.u16()?));
    bytes.need(singles * 8 + pairs * 16)?;
    let mut times = Times::default();
    for _ in 0..singles {
        times.singles.push(bytes.timedate()?);
    }
    for _ in 0..pairs {
        times.pairs.push([bytes.timedate()?, bytes.timedate()?]);
    }
    Ok(times)
}

fn decode_noterefs(stored: &[u8]) -> Result<Vec<Unid>, ValueError> {
    let mut bytes = Bytes::new(stored, "note reference list");
    let count = usize::from(bytes.u16()?);
    bytes.need(count * 16)?;
    (0..count).map(|_| Ok(Unid::from_stored(bytes.array()?))).collect()
}

fn decode_links(stored: &[u8]) -> Result<Vec<NoteLink>, ValueError> {
    let mut bytes = Bytes::new(stored, "link list");
    let count = usize::from(bytes.u16()?);
    bytes.need(count * 40)?;
    let mut links = Vec::with_capacity(count);
    for _ in 0..count {
        links.push(NoteLink::decode(&mut bytes)?);
    }
    Ok(links)
}

fn decode_object(stored: &[u8]) -> Result<Value<'_>, ValueError> {
    let mut bytes = Bytes::new(stored, "object");
    let (object_type, object_id) = (bytes.u16()?, bytes.u32()?);
    if object_type == FileObject::OBJECT_TYPE {
        return Ok(Value::File(FileObject::decode(object_id, bytes.rest())?));
    }
    Ok(Value::Object { object_type, object_id })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_list_gives_its_elements() {
        let stored = [2, 0, 1, 0, 3, 0, b'a', b'x', b'y', b'z'];
        let Ok(Value::TextList(texts)) = Value::decode(ItemType::TEXT_LIST, &stored) else { panic!() };
        assert_eq!(texts.iter().map(|t| t.text.as_str()).collect::<Vec<_>>(), ["a", "xyz"]);
    }

    #[test]
    fn a_count_beyond_the_value_is_an_error_and_allocates_nothing() {
        for item_type in [
            ItemType::TEXT_LIST,
            ItemType::NUMBER_RANGE,
            ItemType::TIME_RANGE,
            ItemType::NOTEREF_LIST,
            ItemType::NOTELINK_LIST,
        ] {
            assert!(Value::decode(item_type, &[0xFF, 0xFF, 0, 0]).is_err(), "{item_type:?}");
        }
    }

    // M07: the header of a mass mailer, from a public DXL export.
    #[test]
    fn rfc822_text_keeps_the_header_as_it_came() {
        let mut stored = vec![0x0E, 0, 0x0A, 0, 0, 0, 9, 0, 0x11, 0, 3, 0, 0x0B, 0];
        stored.extend_from_slice(b"Bulk MailX-MXTHUNDER-Group:  Bulk Mail\r\n");
        let Ok(Value::Rfc822(header)) = Value::decode(ItemType::RFC822_TEXT, &stored) else { panic!() };
        assert_eq!((header.name, header.delimiter), (&b"X-MXTHUNDER-Group"[..], &b":  "[..]));
        assert_eq!(header.body, b"Bulk Mail\r\n");
        assert_eq!(header.text().text, "Bulk Mail");
    }
}
