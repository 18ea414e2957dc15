//! Structured rich text as the records that Notes stores, so that one reader serves databases and DXL.
//!
//! Elements are walked with a list of what their ends have to write, so depth costs no stack. An element that is not
//! known is named as dropped; the paragraphs and runs inside it stay.

use super::document::{lose, read_base64, take};
use super::fonts::{Font, Fonts, palette_color, true_color};
use super::xml::{Element, Node, Xml, XmlError, special_character};
use crate::model::loss::{Loss, LossKind};
use crate::notes::ids::{ReplicaId, Unid};
use crate::notes::lmbcs;
use crate::notes::richtext::construct::OWNER_TEXT;
use crate::notes::richtext::record::{LengthForm, Record, Records, Signature};
use crate::notes::richtext::style::StyleDefinition;
use crate::notes::richtext::table::TableCell;
use crate::notes::timedate::Timedate;

/// What rich text shares with its document.
pub struct Context<'d> {
    pub fonts: &'d mut Fonts,
    pub losses: &'d mut Vec<Loss>,
    pub bytes_left: &'d mut u64,
}

const TWIPS_PER_INCH: f64 = 1440.0;
const PIXELS_PER_INCH: f64 = 96.0;

/// Kinds of hotspots.
mod hotspot {
    pub const POPUP: u16 = 1;
    pub const BUTTON: u16 = 3;
    pub const FILE: u16 = 4;
    pub const SECTION: u16 = 7;
    pub const ACTION: u16 = 8;
    pub const LINK: u16 = 11;
    pub const FLAG_FORMULA: u32 = 0x10;
}

/// What an open element has begun, for its end.
#[derive(Debug)]
enum Open {
    /// Holds other elements; text in it is layout of the XML, or belongs to something that is dropped.
    Container,
    Paragraph,
    /// With the font and the mark of HTML around it.
    Run {
        font: Font,
        html: bool,
    },
    /// A hotspot that is written.
    Hotspot,
    /// A pop-up; its hotspot is written with its text.
    Popup {
        written: bool,
    },
    /// A link to a document, at this place of the records.
    DocumentLink {
        at: usize,
        behind: usize,
        link: Vec<u8>,
    },
    Table,
    Object,
}

struct Table {
    row: u8,
    column: u8,
    /// What the tab of the row says.
    label: String,
    /// Width of each column in twips and in percent of the window; 0 where it is not told so.
    columns: Vec<(u16, u16)>,
}

struct RichText<'x, 'c, 'd> {
    xml: &'x mut Xml,
    context: &'c mut Context<'d>,
    records: Vec<u8>,
    /// Text of one font that has no record yet.
    pending: String,
    open: Vec<Open>,
    tables: Vec<Table>,
    font: Font,
    /// The run that is open holds HTML; and the bracket of HTML records is open.
    html: bool,
    html_open: bool,
}

/// Reads the open `richtext` element to its end and gives its records.
///
/// # Errors
/// [`XmlError`] of the XML, and if the records need more memory than is left.
pub fn read(xml: &mut Xml, context: &mut Context<'_>) -> Result<Vec<u8>, XmlError> {
    let mut text = RichText {
        xml,
        context,
        records: Vec::new(),
        pending: String::new(),
        open: Vec::new(),
        tables: Vec::new(),
        font: Font::DEFAULT,
        html: false,
        html_open: false,
    };
    text.read()?;
    Ok(text.records)
}

impl RichText<'_, '_, '_> {
    fn read(&mut self) -> Result<(), XmlError> {
        loop {
            let bytes = self.records.len() + self.pending.len();
            if bytes as u64 > *self.context.bytes_left {
                return take(self.context.bytes_left, bytes);
            }
            match self.xml.next()? {
                Node::Start(element) => match special_character(&element) {
                    Some(character) => {
                        self.pending.push(character);
                        self.xml.skip()?;
                    }
                    None => {
                        self.flush();
                        self.begin(&element)?;
                    }
                },
                Node::Text(text) => self.characters(&text),
                Node::End => {
                    self.flush();
                    let Some(open) = self.open.pop() else {
                        self.end_html();
                        return Ok(());
                    };
                    self.end(open);
                }
                Node::Eof => return Err(XmlError::Ends),
            }
        }
    }

    fn begin(&mut self, element: &Element) -> Result<(), XmlError> {
        let open = self.start(element)?;
        self.open.extend(open);
        Ok(())
    }

    /// Writes the text that is pending.
    fn flush(&mut self) {
        let text = std::mem::take(&mut self.pending);
        self.text(&text);
    }

    /// Text counts where the author wrote it. White space that only breaks lines of the XML does not.
    fn characters(&mut self, text: &str) {
        let is_layout = match self.open.last() {
            Some(Open::Run { .. }) => false,
            None | Some(Open::Container | Open::Table | Open::Object) => true,
            Some(_) => text.contains('\n') && text.trim().is_empty(),
        };
        if !is_layout {
            self.pending.push_str(&text.replace('\n', " "));
        }
    }

    /// Begins an element. `None` where it was read to its end.
    fn start(&mut self, element: &Element) -> Result<Option<Open>, XmlError> {
        let attribute = |name: &str| element.attribute(name).unwrap_or_default();
        Ok(Some(match element.name.as_str() {
            "par" => {
                self.byte(0x81, &[]);
                self.byte(0x83, &style_id(attribute("def")).to_le_bytes());
                Open::Paragraph
            }
            "run" => {
                let open = Open::Run { font: self.font, html: self.html };
                (self.font, self.html) = (Font::DEFAULT, element.is("html"));
                open
            }
            "font" => {
                self.font = self.context.fonts.font(element);
                return self.done();
            }
            "pardef" => return self.style(element).map(|()| None),
            "table" => {
                let fits_window = attribute("widthtype").starts_with("fit");
                let mut data = [0; 12];
                data[10] = fits_window.into();
                self.byte(0xA3, &data);
                let (label, columns) = (String::new(), Vec::new());
                self.tables.push(Table { row: u8::MAX, column: 0, label, columns });
                Open::Table
            }
            "tablecolumn" => {
                let width = attribute("width");
                let twips = units(width, TWIPS_PER_INCH).unwrap_or(0);
                if let Some(table) = self.tables.last_mut().filter(|table| table.columns.len() < 255) {
                    table.columns.push((twips, percent(width).unwrap_or(0)));
                }
                return self.done();
            }
            "tablerow" => {
                if let Some(table) = self.tables.last_mut() {
                    (table.row, table.column) = (table.row.wrapping_add(1), 0);
                    table.label = attribute("tablabel").to_owned();
                }
                Open::Container
            }
            "tablecell" => {
                self.cell(element);
                Open::Container
            }
            "section" => {
                self.hotspot(hotspot::SECTION, 0, &[]);
                Open::Hotspot
            }
            "sectiontitle" => return self.section_title().map(|()| None),
            "urllink" => {
                self.hotspot(hotspot::LINK, 0, &ended(attribute("href")));
                Open::Hotspot
            }
            "doclink" | "viewlink" | "databaselink" => self.document_link(element),
            "anchor" => {
                let name = lmbcs::encode(attribute("name"));
                let length = u16::try_from(name.len()).unwrap_or(u16::MAX);
                self.word(0xCB, &[&[0; 4], &length.to_le_bytes()[..], &name].concat());
                Open::Container
            }
            "popup" => Open::Popup { written: false },
            "popuptext" => return self.popup_text(),
            "actionhotspot" => {
                self.hotspot(hotspot::ACTION, 0, &[]);
                Open::Hotspot
            }
            "button" => return self.button().map(|()| None),
            "attachmentref" => {
                let name = attribute("name");
                let shown = element.attribute("displayname").unwrap_or(name);
                self.hotspot(hotspot::FILE, 0, &[ended(name), ended(shown)].concat());
                self.byte(0xAA, &[]);
                return self.done();
            }
            "picture" => return self.picture(element).map(|()| None),
            "horizrule" => {
                self.word(0xC9, &[]);
                return self.done();
            }
            "objectref" => {
                self.word(0xA7, &[]);
                Open::Object
            }
            "compositedata" => return self.composite_data(element).map(|()| None),
            "computedtext" => {
                self.lose(LossKind::FormulaNotComputed, "computed text");
                return self.done();
            }
            // Programs and looks.
            "code" | "cellbackground" | "border" | "parstyle" => return self.done(),
            "block" | "region" | "span" => Open::Container.like(self.open.last()),
            other => {
                let name = element.attribute("name").map(|name| format!(" {name}")).unwrap_or_default();
                self.lose(LossKind::ConstructDropped, format!("{other}{name}"));
                Open::Container
            }
        }))
    }

    fn end(&mut self, open: Open) {
        match open {
            Open::Run { font, html } => (self.font, self.html) = (font, html),
            Open::Hotspot | Open::Popup { written: true } => self.byte(0xAA, &[]),
            Open::DocumentLink { at, behind, link } if self.records.len() == behind => {
                // Nothing to click on: a link that shows its own comment.
                self.records.truncate(at);
                self.word(0x92, &link);
            }
            Open::DocumentLink { .. } => self.byte(0xAA, &[]),
            Open::Table => {
                self.tables.pop();
                self.byte(0xA5, &[0; 4]);
            }
            Open::Object => self.word(0xA8, &[]),
            Open::Container | Open::Paragraph | Open::Popup { written: false } => {}
        }
    }

    fn done(&mut self) -> Result<Option<Open>, XmlError> {
        self.xml.skip()?;
        Ok(None)
    }

    fn lose(&mut self, kind: LossKind, detail: impl Into<String>) {
        lose(self.context.losses, kind, detail);
    }

    fn byte(&mut self, id: u8, data: &[u8]) {
        Record { signature: Signature(id, LengthForm::Byte), data }.write(&mut self.records);
    }

    /// A record that ends a run of HTML.
    fn word(&mut self, id: u8, data: &[u8]) {
        self.end_html();
        Record { signature: Signature(id, LengthForm::Word), data }.write(&mut self.records);
    }

    fn long(&mut self, id: u8, data: &[u8]) {
        Record { signature: Signature(id, LengthForm::Long), data }.write(&mut self.records);
    }

    fn hotspot(&mut self, kind: u16, flags: u32, text: &[u8]) {
        let length = u16::try_from(text.len()).unwrap_or(u16::MAX);
        let head = [&kind.to_le_bytes()[..], &flags.to_le_bytes(), &length.to_le_bytes()].concat();
        self.word(0xA9, &[&head, text].concat());
    }

    fn text(&mut self, text: &str) {
        /// So many characters of any script fit into a record.
        const RECORD_CHARACTERS: usize = 10_000;
        if text.is_empty() {
            return;
        }
        self.begin_or_end_html();
        let bracket = [0, 0, OWNER_TEXT, 0xFF];
        let color = self.font.color.filter(|_| !self.html);
        if let Some([red, green, blue]) = color {
            self.byte(0xDD, &bracket);
            self.byte(0xD2, &[1, 0, red, green, blue, 0]);
        }
        let characters: Vec<char> = text.chars().collect();
        for piece in characters.chunks(RECORD_CHARACTERS) {
            let mut data = self.font.bytes().to_vec();
            data.extend(lmbcs::encode(&piece.iter().collect::<String>()));
            Record { signature: Signature(0x85, LengthForm::Word), data: &data }.write(&mut self.records);
        }
        if color.is_some() {
            self.byte(0xDE, &bracket);
        }
    }

    fn begin_or_end_html(&mut self) {
        if !self.html {
            self.end_html();
        } else if !self.html_open {
            self.word(0xCC, &[0; 4]);
            self.html_open = true;
        }
    }

    fn end_html(&mut self) {
        if std::mem::take(&mut self.html_open) {
            self.word(0xCD, &[0; 4]);
        }
    }

    /// Writes the definition of a paragraph style.
    fn style(&mut self, element: &Element) -> Result<(), XmlError> {
        let attribute = |name: &str| element.attribute(name).unwrap_or_default();
        let has = |name: &str, word: &str| attribute(name).split_whitespace().any(|own| own == word);
        let justify: u16 = match attribute("align") {
            "right" => 1,
            "full" => 2,
            "center" => 3,
            "none" => 4,
            _ => 0,
        };
        let space = |name: &str| match attribute(name) {
            "1.5" => 1,
            "2" => 2,
            _ => 0_u16,
        };
        let left = element.attribute("leftmargin").and_then(|length| units(length, TWIPS_PER_INCH));
        let left = left.unwrap_or(TWIPS_PER_INCH as u16);
        let left_percent = percent(attribute("leftmargin"));
        let first = element.attribute("firstlineleftmargin").and_then(|length| units(length, TWIPS_PER_INCH));
        let (mut flags, mut flags2) = list_flags(attribute("list"));
        if left_percent.is_some() {
            flags2 |= StyleDefinition::LEFT_IN_PERCENT2;
        }
        if has("hide", "read") {
            flags |= StyleDefinition::HIDE_READING;
        }
        if has("hide", "notes") {
            flags |= StyleDefinition::HIDE_NOTES;
        }
        while let Some(child) = self.xml.child()? {
            if child.attribute("event") == Some("hidewhen") && !element.is("hidewhenoff") {
                flags |= StyleDefinition::HIDE_FORMULA;
            }
            self.xml.skip()?;
        }
        let words = [style_id(attribute("id")), justify, 0, space("spacebefore"), space("spaceafter"), left];
        let mut data: Vec<u8> = words.into_iter().flat_map(u16::to_le_bytes).collect();
        data.extend_from_slice(&[0; 2]); // Right margin.
        data.extend_from_slice(&first.unwrap_or(left).to_le_bytes());
        data.extend_from_slice(&[0; 2 + 40]); // Tabs.
        data.extend_from_slice(&flags.to_le_bytes());
        data.extend_from_slice(&[0; 4]);
        data.extend_from_slice(&flags2.to_le_bytes());
        let margins = [left, left_percent.unwrap_or(0), 0, 0, 0, 0];
        data.extend(margins.into_iter().flat_map(u16::to_le_bytes));
        Record { signature: Signature(0x82, LengthForm::Word), data: &data }.write(&mut self.records);
        Ok(())
    }

    fn cell(&mut self, element: &Element) {
        /// The space for the label of a row.
        const LABEL_BYTES: usize = 128;
        let span = |name: &str| element.attribute(name).and_then(|span| span.parse().ok()).unwrap_or(1);
        let Some(table) = self.tables.last_mut() else { return };
        let (row, column, label) = (table.row, table.column, std::mem::take(&mut table.label));
        table.column = table.column.saturating_add(1);
        let (twips, percent) = table.columns.get(usize::from(column)).copied().unwrap_or_default();
        let share = u32::from(TableCell::FULL_WIDTH) * u32::from(percent) / 100;
        let attribute = |name: &str| element.attribute(name).unwrap_or_default();
        let vertical = match attribute("valign") {
            "center" => TableCell::FLAG_MIDDLE,
            "bottom" => TableCell::FLAG_BOTTOM,
            _ => 0,
        };
        let mut data = [0; 16];
        data[..2].copy_from_slice(&[row, column]);
        data[4..6].copy_from_slice(&twips.to_le_bytes());
        data[6..8].copy_from_slice(&(share as u16).to_le_bytes());
        data[9] = TableCell::FLAG_WIDE_BORDERS | vertical;
        data[10..12].copy_from_slice(&borders(attribute("borderwidth")).to_le_bytes());
        data[12..14].copy_from_slice(&[span("rowspan"), span("columnspan")]);
        if let Some(color) = palette_color(attribute("bgcolor")) {
            data[9] |= TableCell::FLAG_BACKGROUND;
            data[14] = color;
        }
        self.byte(0xA4, &data);
        if let Some([red, green, blue]) = true_color(attribute("bgcolor")) {
            self.byte(0xD3, &[1, 0, red, green, blue, 0]);
        }
        if !label.is_empty() {
            let mut data = ended(&label);
            data.resize(LABEL_BYTES, 0);
            data.extend_from_slice(&[0; 8]);
            self.word(0xE3, &data);
        }
    }

    /// The text of the open element, without its programs.
    fn label(&mut self) -> Result<String, XmlError> {
        let mut label = String::new();
        let depth = self.xml.depth();
        while self.xml.depth() >= depth {
            match self.xml.next()? {
                Node::Start(element) if matches!(element.name.as_str(), "code" | "picture") => {
                    self.xml.skip()?
                }
                Node::Start(element) => label.extend(special_character(&element)),
                Node::Text(text) => label.push_str(&text.replace('\n', " ")),
                Node::End => {}
                Node::Eof => return Err(XmlError::Ends),
            }
            if label.len() > Record::WORD_DATA_BYTES {
                return Err(XmlError::TooLarge(Record::WORD_DATA_BYTES as u64));
            }
        }
        Ok(label.trim().to_owned())
    }

    fn section_title(&mut self) -> Result<(), XmlError> {
        let title = self.label()?;
        self.word(0xAC, &[&[0; 8], ended(&title).as_slice()].concat());
        Ok(())
    }

    fn button(&mut self) -> Result<(), XmlError> {
        let caption = self.label()?;
        self.hotspot(hotspot::BUTTON, 0, &[]);
        self.word(0xAB, &[&[0; 12], ended(&caption).as_slice()].concat());
        self.byte(0xAA, &[]);
        Ok(())
    }

    fn popup_text(&mut self) -> Result<Option<Open>, XmlError> {
        let text = self.label()?;
        if let Some(Open::Popup { written }) = self.open.last_mut() {
            *written = true;
            let flags = if text.is_empty() { hotspot::FLAG_FORMULA } else { 0 };
            self.hotspot(hotspot::POPUP, flags, &ended(&text));
        }
        Ok(None)
    }

    fn document_link(&mut self, element: &Element) -> Open {
        let unid =
            |name: &str| element.attribute(name).and_then(|id| id.parse::<Unid>().ok()).unwrap_or_default();
        let replica =
            element.attribute("database").and_then(|id| id.parse::<ReplicaId>().ok()).unwrap_or_default();
        let text = |name: &str| ended(element.attribute(name).unwrap_or_default());
        let link = [
            &Timedate(replica.innards()).to_stored()[..],
            &unid("view").to_stored(),
            &unid("document").to_stored(),
            &text("description"),
            &text("server"),
        ]
        .concat();
        self.end_html();
        let at = self.records.len();
        self.hotspot(hotspot::LINK, 0, &[0]);
        self.word(0x92, &link);
        Open::DocumentLink { at, behind: self.records.len(), link }
    }

    fn picture(&mut self, element: &Element) -> Result<(), XmlError> {
        const IN_PIXELS: u8 = 0x01;
        let pixels =
            |name: &str| element.attribute(name).and_then(|l| units(l, PIXELS_PER_INCH)).unwrap_or(0);
        let size =
            |given: &str, scaled: &str| if pixels(scaled) > 0 { pixels(scaled) } else { pixels(given) };
        let (width, height) = (size("width", "scaledwidth"), size("height", "scaledheight"));
        let mut graphic = [0; 22];
        graphic[..2].copy_from_slice(&width.to_le_bytes());
        graphic[2..4].copy_from_slice(&height.to_le_bytes());
        graphic[19] = IN_PIXELS;
        self.end_html();
        self.long(0x99, &graphic);
        let alt = lmbcs::encode(element.attribute("alttext").unwrap_or_default().trim_matches('"'));
        if !alt.is_empty() {
            let length = u16::try_from(alt.len()).unwrap_or(u16::MAX);
            self.word(0xCA, &[&length.to_le_bytes()[..], &[0; 6], &alt].concat());
        }
        while let Some(child) = self.xml.child()? {
            match child.name.as_str() {
                "gif" => self.image(1)?,
                "jpeg" => self.image(2)?,
                "bmp" => self.image(3)?,
                "png" => self.image(4)?,
                "notesbitmap" => self.raw_records("picture")?,
                "caption" => {
                    let caption = self.label()?;
                    self.text(&caption);
                }
                "border" => self.xml.skip()?,
                "imageref" => {
                    let name = child.attribute("name").unwrap_or_default();
                    self.lose(LossKind::ImageDropped, format!("image resource {name}"));
                    self.xml.skip()?;
                }
                _ => {
                    // A metafile or something newer, told as a picture of an old release.
                    self.word(0x93, &[]);
                    self.xml.skip()?;
                }
            }
        }
        Ok(())
    }

    fn image(&mut self, kind: u16) -> Result<(), XmlError> {
        const SEGMENT_BYTES: usize = 10 << 10;
        let Some(image) = self.base64()? else {
            self.lose(LossKind::ImageDamaged, "no base64");
            return Ok(());
        };
        let mut header = [0; 22];
        header[..2].copy_from_slice(&kind.to_le_bytes());
        header[6..10].copy_from_slice(&u32::try_from(image.len()).unwrap_or(u32::MAX).to_le_bytes());
        self.long(0x7D, &header);
        for segment in image.chunks(SEGMENT_BYTES) {
            let length = (segment.len() as u16).to_le_bytes();
            self.long(0x7C, &[&length[..], &length, segment].concat());
        }
        Ok(())
    }

    fn base64(&mut self) -> Result<Option<Vec<u8>>, XmlError> {
        let mut bytes_left = self.context.bytes_left.saturating_sub(self.records.len() as u64);
        read_base64(self.xml, &mut bytes_left)
    }

    fn composite_data(&mut self, element: &Element) -> Result<(), XmlError> {
        self.raw_records(&format!("compositedata {}", element.attribute("type").unwrap_or_default()))
    }

    /// Records that the exporter could not express.
    fn raw_records(&mut self, what: &str) -> Result<(), XmlError> {
        self.end_html();
        let records = self.base64()?.filter(|bytes| {
            let mut records = Records::new(bytes);
            records.by_ref().for_each(drop);
            !records.damaged()
        });
        let Some(records) = records else {
            self.lose(LossKind::RichTextDamaged, what);
            return Ok(());
        };
        self.records.extend_from_slice(&records);
        if !records.len().is_multiple_of(2) {
            self.records.push(0);
        }
        Ok(())
    }
}

impl Open {
    /// Something that changes nothing: it takes text where the element around it does.
    fn like(self, around: Option<&Self>) -> Self {
        match around {
            Some(
                Self::Paragraph
                | Self::Hotspot
                | Self::Run { .. }
                | Self::Popup { .. }
                | Self::DocumentLink { .. },
            ) => Self::Paragraph,
            _ => self,
        }
    }
}

/// The text with the byte that ends it.
fn ended(text: &str) -> Vec<u8> {
    let mut stored = lmbcs::encode(&text.replace('\n', " "));
    stored.push(0);
    stored
}

fn style_id(text: &str) -> u16 {
    text.parse::<u32>().map_or(0, |id| id as u16)
}

fn list_flags(list: &str) -> (u16, u16) {
    match list {
        "" | "none" => (0, 0),
        "check" => (0, StyleDefinition::CHECKED2),
        "uncheck" => (0, StyleDefinition::UNCHECKED2),
        "circle" => (0, StyleDefinition::CIRCLE2),
        "square" => (0, StyleDefinition::SQUARE2),
        "bullet" => (StyleDefinition::BULLET, 0),
        "romanupper" => (StyleDefinition::NUMBERED, StyleDefinition::ROMAN_UPPER2),
        "romanlower" => (StyleDefinition::NUMBERED, StyleDefinition::ROMAN_LOWER2),
        "alphaupper" => (StyleDefinition::NUMBERED, StyleDefinition::ALPHA_UPPER2),
        "alphalower" => (StyleDefinition::NUMBERED, StyleDefinition::ALPHA_LOWER2),
        _ => (StyleDefinition::NUMBERED, 0),
    }
}

/// The widths of the lines around a cell, four bits each from the left; given as in CSS.
fn borders(widths: &str) -> u16 {
    let width = |text: &str| text.trim_end_matches("px").parse::<u16>().unwrap_or(1).min(15);
    let given: Vec<u16> = widths.split_whitespace().map(width).collect();
    let [top, right, bottom, left] = match given[..] {
        [] => [1; 4],
        [all] => [all; 4],
        [top, side] => [top, side, top, side],
        [top, side, bottom] => [top, side, bottom, side],
        [top, right, bottom, left, ..] => [top, right, bottom, left],
    };
    left | right << 4 | top << 8 | bottom << 12
}

fn percent(length: &str) -> Option<u16> {
    let percent = length.strip_suffix('%')?.trim().parse::<f64>().ok()?;
    Some(percent.round().clamp(0.0, 100.0) as u16)
}

/// A length in inches or pixels; `None` for percents, which depend on the window.
fn units(length: &str, per_inch: f64) -> Option<u16> {
    let number = |unit: &str| length.strip_suffix(unit)?.trim().parse::<f64>().ok();
    let inches = match (number("in"), number("cm"), number("px")) {
        (Some(inches), ..) => inches,
        (_, Some(centimetres), _) => centimetres / 2.54,
        (.., Some(pixels)) => pixels / PIXELS_PER_INCH,
        _ => return None,
    };
    Some((inches * per_inch).round() as u16)
}
