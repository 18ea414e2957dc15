//! Rich-text records with their meaning: the constructs that conversion renders.
//!
//! Decoded one at a time from the walk of [`super::record`]; texts are LMBCS and decoded here. A record that is too
//! short for its kind gives an error and the walk goes on; nothing is allocated beyond the bytes that are there.

use super::bitmap::Bitmap;
use super::name;
use super::record::{LengthForm, Record, Signature};
use super::style::StyleDefinition;
use super::table::{self, TableCell};
use crate::notes::bytes::Bytes;
use crate::notes::value::{NoteLink, Text, ValueError};

/// The four bytes before a run of text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct FontId {
    /// 0 to 4 are built in, 5 and above are looked up in the font table.
    pub face: u8,
    pub attributes: u8,
    /// Index of a fixed palette.
    pub color: u8,
    /// In points; 0 means the default.
    pub size: u8,
}

impl FontId {
    pub const BOLD: u8 = 0x01;
    pub const ITALIC: u8 = 0x02;
    pub const UNDERLINE: u8 = 0x04;
    pub const STRIKE: u8 = 0x08;
    pub const SUPERSCRIPT: u8 = 0x10;
    pub const SUBSCRIPT: u8 = 0x20;
    /// Shadow, emboss and extrude share the bits of superscript and subscript when this one is set.
    pub const EFFECT: u8 = 0x80;
    pub const FACE_ROMAN: u8 = 0;
    pub const FACE_TYPEWRITER: u8 = 4;
    pub const FIRST_TABLE_FACE: u8 = 5;

    fn decode(bytes: &mut Bytes<'_>) -> Result<Self, ValueError> {
        let [face, attributes, color, size] = bytes.array()?;
        Ok(Self { face, attributes, color, size })
    }
}

/// What a hotspot is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hotspot {
    /// Text that pops up; empty where a formula computes it.
    Popup { text: String, formula: bool },
    /// A button: its caption is a record of its own.
    Button,
    /// An attachment: the unique name of its `$FILE` item, and the name that the reader sees.
    File { name: String, shown: String },
    /// A collapsible section: its title is a record of its own.
    Section,
    /// A link whose target is this text or a record of its own.
    Link { target: String },
    /// Runs a script or an action.
    Action,
    /// Embedded views, subforms and other parts that only the form can show.
    Embedded,
    /// An OLE object.
    Object,
}

impl Hotspot {
    const FLAG_FORMULA: u32 = 0x10;

    fn decode(bytes: &mut Bytes<'_>) -> Result<Self, ValueError> {
        let (kind, flags, length) = (bytes.u16()?, bytes.u32()?, usize::from(bytes.u16()?));
        let data = bytes.rest();
        let data = &data[..data.len().min(length)];
        let formula = flags & Self::FLAG_FORMULA != 0;
        Ok(match kind {
            1 | 22 if formula => Self::Popup { text: String::new(), formula },
            1 | 22 => Self::Popup { text: until_nul(data).0, formula },
            3 => Self::Button,
            4 => {
                let (name, rest) = until_nul(data);
                let (shown, _) = until_nul(rest);
                Self::File { shown: if shown.is_empty() { name.clone() } else { shown }, name }
            }
            7 | 12 | 13 => Self::Section,
            11 | 32 => Self::Link { target: if formula { String::new() } else { until_nul(data).0 } },
            18 => Self::Object,
            14 | 15 | 19..=21 | 24..=31 | 33.. => Self::Embedded,
            _ => Self::Action,
        })
    }
}

/// The head of an image: how many bytes its segments give together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImageHeader {
    /// 1 GIF, 2 JPEG, 3 BMP, 4 PNG.
    pub kind: u16,
    pub width: u16,
    pub height: u16,
    pub size: u32,
}

/// Where a link to a document leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkTarget {
    /// The place in the `$Links` item.
    Index(u16),
    Inline(NoteLink),
}

/// One construct of rich text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Construct<'a> {
    Paragraph,
    Style(StyleDefinition),
    StyleReference(u16),
    Text {
        font: FontId,
        text: Text,
    },
    /// A true colour for the text in the same text-property bracket.
    Color([u8; 3]),
    /// The bracket around records that describe the record with this signature byte.
    Begin {
        owner: u8,
    },
    End {
        owner: u8,
    },
    HotspotBegin(Hotspot),
    HotspotEnd,
    /// The title of a section; `None` where a formula computes it.
    SectionTitle(Option<String>),
    ButtonCaption(String),
    /// A link to a document, with a comment and the server that may hold the target.
    Link {
        target: LinkTarget,
        comment: String,
        server: String,
    },
    /// The target of the hotspot that it accompanies; empty where it is not a URL.
    Href(String),
    Anchor(String),
    Graphic {
        width: u16,
        height: u16,
        in_pixels: bool,
    },
    Image(ImageHeader),
    ImageSegment(&'a [u8]),
    /// A bitmap of an old release; its lines, colours and patterns follow.
    Bitmap(Bitmap),
    BitmapSegment(&'a [u8]),
    ColorTable(&'a [u8]),
    PatternTable(&'a [u8]),
    /// A Windows metafile of so many bytes; they follow in segments.
    Metafile(u32),
    MetafileSegment(&'a [u8]),
    /// A metafile of another kind or another picture of an old release, named.
    OldImage(&'static str),
    AltText(String),
    Caption(String),
    /// A field of a form: the name of the item that holds its value.
    Field(String),
    TableBegin {
        /// The table is as wide as the window, and its columns share that.
        fits_window: bool,
    },
    TableCell(TableCell),
    /// The colour behind the cell before it.
    CellColor([u8; 3]),
    TableEnd,
    /// The tab or title of the row that it stands in.
    TableLabel(String),
    Rule,
    HtmlBegin,
    HtmlEnd,
    HtmlSegment(Text),
    ObjectBegin,
    ObjectEnd,
    /// Known, and without anything that a mail can show.
    Nothing,
    /// Known by name or not at all, and dropped.
    Unknown(Signature),
}

/// The signature byte of text, as an owner in [`Construct::Begin`].
pub const OWNER_TEXT: u8 = 0x85;

impl<'a> Construct<'a> {
    /// Decodes a record.
    ///
    /// # Errors
    /// [`ValueError`] if the record is too short for its kind.
    pub fn decode(record: Record<'a>) -> Result<Self, ValueError> {
        let what = name::name(record.signature).unwrap_or("rich-text record");
        let mut bytes = Bytes::new(record.data, what);
        match record.signature.1 {
            LengthForm::Byte => Self::decode_byte_form(record.signature, &mut bytes),
            LengthForm::Word => Self::decode_word_form(record.signature, &mut bytes),
            LengthForm::Long => Self::decode_long_form(record.signature, what, &mut bytes),
        }
    }

    fn decode_byte_form(signature: Signature, bytes: &mut Bytes<'a>) -> Result<Self, ValueError> {
        Ok(match signature.0 {
            0x81 => Self::Paragraph,
            0x83 => Self::StyleReference(bytes.u16()?),
            0xA3 | 0xCF => Self::TableBegin { fits_window: table::fits_window(bytes) },
            0xA4 | 0xD0 => Self::TableCell(TableCell::decode(bytes)?),
            0xA5 | 0xD1 => Self::TableEnd,
            0xAA | 0xAE | 0x7F => Self::HotspotEnd,
            0xD2 => {
                bytes.u16()?;
                Self::Color(bytes.array()?)
            }
            0xD3 => {
                bytes.u16()?;
                Self::CellColor(bytes.array()?)
            }
            0xDD => Self::Begin { owner: bytes.u32()?.to_le_bytes()[2] },
            0xDE => Self::End { owner: bytes.u32()?.to_le_bytes()[2] },
            // A field of a form, a layout region or a link of Release 1: content that only the form can show.
            0x8C | 0x8D | 0xB8 | 0xBA | 0xC0 | 0xC2 => Self::Unknown(signature),
            _ if name::name(signature).is_some() => Self::Nothing,
            _ => Self::Unknown(signature),
        })
    }

    fn decode_word_form(signature: Signature, bytes: &mut Bytes<'a>) -> Result<Self, ValueError> {
        Ok(match signature.0 {
            0x82 => Self::Style(StyleDefinition::decode(bytes)?),
            0x85 | 0xE4 => {
                let font = FontId::decode(bytes)?;
                Self::Text { font, text: Text::decode(bytes.rest()) }
            }
            0xA9 | 0xAD | 0x7E => Self::HotspotBegin(Hotspot::decode(bytes)?),
            0xAC => Self::SectionTitle(decode_bar(bytes)?),
            0xAB => {
                bytes.take(8)?; // Flags, width, height, lines.
                FontId::decode(bytes)?;
                Self::ButtonCaption(until_nul(bytes.rest()).0)
            }
            0x91 => {
                let target = LinkTarget::Index(bytes.u16()?);
                let (comment, rest) = until_nul(bytes.rest());
                Self::Link { target, comment, server: until_nul(rest).0 }
            }
            0x92 => decode_link_export(bytes)?,
            0x71 | 0xF6 => decode_href(bytes)?,
            0xCB => {
                bytes.u32()?;
                Self::Anchor(counted_text(bytes)?)
            }
            0xCA => {
                let length = usize::from(bytes.u16()?);
                bytes.take(6)?;
                Self::AltText(until_nul(bytes.take(length)?).0)
            }
            0x76 => {
                let length = usize::from(bytes.u16()?);
                bytes.take(1 + 4 + 6 + 11)?; // Position, font, colour, reserved.
                Self::Caption(until_nul(bytes.take(length)?).0)
            }
            0x8A => Self::Field(decode_field_name(bytes)?),
            0xE3 => Self::TableLabel(until_nul(bytes.take(128)?).0),
            0xC9 => Self::Rule,
            0xCC => Self::HtmlBegin,
            0xCD => Self::HtmlEnd,
            0xB3 => {
                let length = usize::from(bytes.u16()?);
                bytes.u16()?;
                Self::HtmlSegment(Text::decode(bytes.take(length)?))
            }
            0xA7 => Self::ObjectBegin,
            0xA8 => Self::ObjectEnd,
            0x87 | 0x88 | 0x93 => Self::OldImage(name::name(signature).unwrap_or("picture")),
            // Fields and embedded elements of forms.
            0x8F | 0x58 | 0x5D | 0xEC | 0xED | 0xFD | 0xFF => Self::Unknown(signature),
            _ if name::name(signature).is_some() => Self::Nothing,
            _ => Self::Unknown(signature),
        })
    }

    fn decode_long_form(
        signature: Signature,
        what: &'static str,
        bytes: &mut Bytes<'a>,
    ) -> Result<Self, ValueError> {
        const FLAG_PIXELS: u8 = 0x01;
        Ok(match signature.0 {
            0x99 => {
                let (width, height) = (bytes.u16()?, bytes.u16()?);
                bytes.take(4 + 8 + 2)?; // Crop size, crop offsets, resize.
                let [_version, flags] = bytes.array()?;
                Self::Graphic { width, height, in_pixels: flags & FLAG_PIXELS != 0 }
            }
            0x7D => Self::Image(ImageHeader {
                kind: bytes.u16()?,
                width: bytes.u16()?,
                height: bytes.u16()?,
                size: bytes.u32()?,
            }),
            0x7C => {
                let length = usize::from(bytes.u16()?);
                bytes.u16()?;
                let data = bytes.rest();
                Self::ImageSegment(&data[..data.len().min(length)])
            }
            0x95 => Self::Bitmap(Bitmap::decode(bytes)?),
            0x96 => {
                bytes.take(8 + 2)?; // Reserved, count of lines.
                let length = usize::from(bytes.u16()?);
                let data = bytes.rest();
                Self::BitmapSegment(&data[..data.len().min(length)])
            }
            0x97 => Self::ColorTable(bytes.rest()),
            0x98 => Self::PatternTable(bytes.rest()),
            0x9F => {
                bytes.take(2 + 4 + 4)?; // Mapping mode, extents, size as it was.
                Self::Metafile(bytes.u32()?)
            }
            0x9B => {
                let length = usize::from(bytes.u16()?);
                bytes.u16()?; // Size of the segment with its padding.
                let data = bytes.rest();
                Self::MetafileSegment(&data[..data.len().min(length)])
            }
            0x94 | 0x9D..=0xA0 => Self::OldImage(what),
            _ if name::name(signature).is_some() => Self::Nothing,
            _ => Self::Unknown(signature),
        })
    }
}

/// The font table of a `$Fonts` item: face number and name.
pub fn decode_font_table(record: Record<'_>) -> Option<Vec<(u8, String)>> {
    const ENTRY_BYTES: usize = 34;
    if record.signature != Signature(0x8B, LengthForm::Word) {
        return None;
    }
    let (count, entries) = record.data.split_first_chunk::<2>()?;
    let entries = entries.chunks_exact(ENTRY_BYTES).take(usize::from(u16::from_le_bytes(*count)));
    Some(entries.map(|entry| (entry[0], until_nul(&entry[2..]).0)).collect())
}

/// The text before the first NUL, and what follows it.
fn until_nul(stored: &[u8]) -> (String, &[u8]) {
    let end = stored.iter().position(|&byte| byte == 0).unwrap_or(stored.len());
    let rest = stored.get(end + 1..).unwrap_or_default();
    (Text::decode(&stored[..end]).text, rest)
}

fn counted_text(bytes: &mut Bytes<'_>) -> Result<String, ValueError> {
    let length = usize::from(bytes.u16()?);
    Ok(until_nul(bytes.take(length)?).0)
}

/// The name of the item of a field, behind its formulas.
fn decode_field_name(bytes: &mut Bytes<'_>) -> Result<String, ValueError> {
    bytes.take(6 + 4 + 4 + 4)?; // Flags, type, delimiters, formats of numbers and times, font.
    let (default, translation) = (usize::from(bytes.u16()?), usize::from(bytes.u16()?));
    bytes.u16()?; // Place in the order of tabs.
    let (validation, name) = (usize::from(bytes.u16()?), usize::from(bytes.u16()?));
    bytes.take(2 + 2)?; // Lengths of the description and of the list of values.
    bytes.take(default + translation + validation)?;
    Ok(until_nul(bytes.take(name)?).0)
}

fn decode_bar(bytes: &mut Bytes<'_>) -> Result<Option<String>, ValueError> {
    const FLAG_FORMULA: u32 = 0x2000;
    const FLAG_COLOR: u32 = 0x0400_0000;
    let flags = bytes.u32()?;
    FontId::decode(bytes)?;
    if flags & FLAG_COLOR != 0 {
        bytes.u16()?;
    }
    Ok((flags & FLAG_FORMULA == 0).then(|| until_nul(bytes.rest()).0))
}

fn decode_href<'a>(bytes: &mut Bytes<'_>) -> Result<Construct<'a>, ValueError> {
    const FLAG_FORMULA: u32 = 0x01;
    const FLAG_INLINE_LINK: u32 = 0x02;
    const TYPE_URL: u16 = 1;
    const TYPE_NOTE_LINK: u16 = 2;
    let flags = bytes.u32()?;
    let (kind, _class, length) = (bytes.u16()?, bytes.u16()?, usize::from(bytes.u16()?));
    let (server_hint, file_hint) = (usize::from(bytes.u16()?), usize::from(bytes.u16()?));
    bytes.take(8)?;
    let server = until_nul(bytes.take(server_hint)?).0;
    bytes.take(file_hint)?;
    Ok(match kind {
        TYPE_URL if flags & FLAG_FORMULA == 0 => Construct::Href(until_nul(bytes.take(length)?).0),
        TYPE_NOTE_LINK if flags & FLAG_INLINE_LINK != 0 => {
            let target = LinkTarget::Inline(NoteLink::decode(bytes)?);
            Construct::Link { target, comment: String::new(), server }
        }
        TYPE_NOTE_LINK => {
            Construct::Link { target: LinkTarget::Index(bytes.u16()?), comment: String::new(), server }
        }
        _ => Construct::Href(String::new()),
    })
}

fn decode_link_export(bytes: &mut Bytes<'_>) -> Result<Construct<'static>, ValueError> {
    let target = LinkTarget::Inline(NoteLink::decode(bytes)?);
    let (comment, rest) = until_nul(bytes.rest());
    Ok(Construct::Link { target, comment, server: until_nul(rest).0 })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(id: u8, form: LengthForm, data: &[u8]) -> Result<Construct<'_>, ValueError> {
        Construct::decode(Record { signature: Signature(id, form), data })
    }

    #[test]
    fn a_file_hotspot_has_two_names() {
        let data = [&[4, 0, 0, 0, 0, 0, 15, 0][..], b"ATT1.pdf\0a.pdf\0"].concat();
        let Ok(Construct::HotspotBegin(Hotspot::File { name, shown })) =
            decode(0xA9, LengthForm::Word, &data)
        else {
            panic!()
        };
        assert_eq!((name.as_str(), shown.as_str()), ("ATT1.pdf", "a.pdf"));
    }

    #[test]
    fn a_short_record_is_an_error_and_an_unknown_one_is_named() {
        assert!(decode(0x85, LengthForm::Word, &[0, 0]).is_err());
        let unknown = Signature(0x01, LengthForm::Long);
        assert_eq!(decode(0x01, LengthForm::Long, &[]), Ok(Construct::Unknown(unknown)));
    }

    #[test]
    fn a_font_table_gives_faces_and_names() {
        let mut data = vec![1, 0, 5, 0];
        data.extend_from_slice(b"Courier New");
        data.resize(2 + 34, 0);
        let record = Record { signature: Signature(0x8B, LengthForm::Word), data: &data };
        assert_eq!(decode_font_table(record), Some(vec![(5, "Courier New".to_owned())]));
    }

    #[test]
    fn a_url_follows_the_hints() {
        let mut data = vec![0, 0, 0, 0, 1, 0, 0, 0, 8, 0, 1, 0, 1, 0];
        data.extend_from_slice(&[0; 8]);
        data.extend_from_slice(b"sfhttp://a");
        assert_eq!(decode(0x71, LengthForm::Word, &data), Ok(Construct::Href("http://a".into())));
    }
}
