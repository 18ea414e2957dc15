//! Rich text for forged mails: a builder of composite records.

use super::fields::Fields;
use crate::notes::lmbcs;
use crate::notes::richtext::construct::OWNER_TEXT;
use crate::notes::richtext::record::{LengthForm, Record, Signature};
use crate::notes::richtext::style::StyleDefinition;

/// Face, attributes, colour and size of a text run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Font {
    pub face: u8,
    pub attributes: u8,
    pub colour: u8,
    pub points: u8,
}

impl Font {
    pub const PLAIN: Self = Self { face: 1, attributes: 0, colour: 0, points: 10 };
    pub const BOLD: u8 = 0x01;
    pub const ITALIC: u8 = 0x02;
    pub const UNDERLINE: u8 = 0x04;
    pub const STRIKE: u8 = 0x08;

    #[must_use]
    pub fn styled(self, attributes: u8) -> Self {
        Self { attributes: self.attributes | attributes, ..self }
    }

    #[must_use]
    pub fn coloured(self, colour: u8) -> Self {
        Self { colour, ..self }
    }
}

/// How paragraphs of a style look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    Left = 1,
    Centred = 2,
    Bulleted = 3,
    Numbered = 4,
    Right = 5,
    Full = 6,
    Indented = 7,
    /// The first line begins left of the others.
    Hanging = 8,
    Checked = 9,
    Unchecked = 10,
    Circle = 11,
    Square = 12,
    RomanUpper = 13,
    RomanLower = 14,
    AlphaUpper = 15,
    AlphaLower = 16,
    /// A list inside a list.
    InnerNumbered = 17,
    RightToLeft = 18,
    /// Not shown to readers.
    Hidden = 19,
}

impl Style {
    const INCH_TWIPS: u16 = 1440;

    /// Justification, left margin, first line, flags and flags2.
    fn words(self) -> [u16; 5] {
        use StyleDefinition as Flags;
        const INCH: u16 = Style::INCH_TWIPS;
        const LIST: u16 = INCH * 5 / 4;
        match self {
            Self::Left => [0, INCH, INCH, 0, 0],
            Self::Centred => [3, INCH, INCH, 0, 0],
            Self::Right => [1, INCH, INCH, 0, 0],
            Self::Full => [2, INCH, INCH, 0, 0],
            Self::Indented => [0, INCH * 3 / 2, INCH * 3 / 2, 0, 0],
            Self::Hanging => [0, INCH * 3 / 2, INCH, 0, 0],
            Self::Bulleted => [0, LIST, LIST, Flags::BULLET, 0],
            Self::Numbered => [0, LIST, LIST, Flags::NUMBERED, 0],
            Self::InnerNumbered => [0, INCH * 3 / 2, INCH * 3 / 2, Flags::NUMBERED, 0],
            Self::Checked => [0, LIST, LIST, 0, Flags::CHECKED2],
            Self::Unchecked => [0, LIST, LIST, 0, Flags::UNCHECKED2],
            Self::Circle => [0, LIST, LIST, 0, Flags::CIRCLE2],
            Self::Square => [0, LIST, LIST, 0, Flags::SQUARE2],
            Self::RomanUpper => [0, LIST, LIST, Flags::NUMBERED, Flags::ROMAN_UPPER2],
            Self::RomanLower => [0, LIST, LIST, Flags::NUMBERED, Flags::ROMAN_LOWER2],
            Self::AlphaUpper => [0, LIST, LIST, Flags::NUMBERED, Flags::ALPHA_UPPER2],
            Self::AlphaLower => [0, LIST, LIST, Flags::NUMBERED, Flags::ALPHA_LOWER2],
            Self::RightToLeft => [0, INCH, INCH, 0, Flags::RIGHT_TO_LEFT2],
            Self::Hidden => [0, INCH, INCH, Flags::HIDE_READING, 0],
        }
    }

    /// As Release 5 and later write it, with the left margin in two forms.
    fn definition(self) -> [u8; 82] {
        const LEFT_IN_TWIPS2: u16 = 0x0004;
        let [justify, left, first, flags, flags2] = self.words();
        let mut data = [0; 82];
        let words = [(0, self as u16), (2, justify), (10, left), (14, first), (58, flags), (66, left)];
        words.into_iter().for_each(|(at, word)| data.put_u16(at, word));
        data.put_u16(64, flags2 | LEFT_IN_TWIPS2);
        data
    }
}

/// The kinds of inline images.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImageKind {
    Gif = 1,
    Jpeg = 2,
    Bmp = 3,
    Png = 4,
}

/// A cell of a forged table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cell {
    pub row: u8,
    pub column: u8,
    pub row_span: u8,
    pub column_span: u8,
    /// Another cell covers it.
    pub covered: bool,
    /// A line on every side.
    pub lines: bool,
    /// What is behind the text: red, green, blue.
    pub background: Option<[u8; 3]>,
    /// In twips.
    pub width: u16,
}

impl Cell {
    /// A cell with lines around it, two inches wide.
    pub fn at(row: u8, column: u8) -> Self {
        let (row_span, column_span, covered, lines, background) = (1, 1, false, true, None);
        Self { row, column, row_span, column_span, covered, lines, background, width: 2880 }
    }
}

/// Records of a rich-text item, in order.
pub struct RichText {
    records: Vec<u8>,
    /// Styles that are defined.
    defined: Vec<Style>,
    /// Tables that are open.
    tables: usize,
}

impl RichText {
    pub fn new() -> Self {
        Self { records: Vec::new(), defined: Vec::new(), tables: 0 }
    }

    pub fn bytes(self) -> Vec<u8> {
        self.records
    }

    pub fn len(&self) -> usize {
        self.records.len()
    }

    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    fn byte_record(&mut self, signature: u8, data: &[u8]) {
        self.record(Signature(signature, LengthForm::Byte), data);
    }

    fn word_record(&mut self, signature: u8, data: &[u8]) {
        self.record(Signature(signature, LengthForm::Word), data);
    }

    fn long_record(&mut self, signature: u8, data: &[u8]) {
        self.record(Signature(signature, LengthForm::Long), data);
    }

    fn record(&mut self, signature: Signature, data: &[u8]) {
        Record { signature, data }.write(&mut self.records);
    }

    pub fn paragraph(&mut self, style: Style) {
        self.byte_record(0x81, &[]);
        if !self.defined.contains(&style) {
            self.defined.push(style);
            self.word_record(0x82, &style.definition());
        }
        self.byte_record(0x83, &(style as u16).to_le_bytes());
    }

    pub fn text(&mut self, font: Font, text: &str) {
        let mut data = vec![font.face, font.attributes, font.colour, font.points];
        data.extend(lmbcs::encode(text));
        self.word_record(0x85, &data);
    }

    /// A paragraph of plain text.
    pub fn line(&mut self, text: &str) {
        self.paragraph(Style::Left);
        self.text(Font::PLAIN, text);
    }

    /// A table with a bold first row.
    pub fn table(&mut self, rows: &[Vec<String>]) {
        const HEAD: [u8; 3] = [0xE0, 0xE8, 0xF0];
        self.begin_table(false);
        for (row, cells) in rows.iter().enumerate() {
            for (column, text) in cells.iter().enumerate() {
                let background = (row == 0).then_some(HEAD);
                self.cell(Cell { background, ..Cell::at(row as u8, column as u8) });
                self.text(Font::PLAIN.styled(if row == 0 { Font::BOLD } else { 0 }), text);
            }
        }
        self.end_table();
        self.paragraph(Style::Left);
    }

    /// Begins a table, which may stand in a cell of another one.
    pub fn begin_table(&mut self, fits_window: bool) {
        let mut data = [0; 12];
        let words = [Style::INCH_TWIPS, 40, 60, 0, 0, 0x42 | u16::from(fits_window)];
        words.into_iter().enumerate().for_each(|(index, word)| data.put_u16(2 * index, word));
        self.byte_record(if self.tables == 0 { 0xA3 } else { 0xCF }, &data);
        self.tables += 1;
    }

    /// Begins a cell with its first paragraph. Columns are as wide as the cell says.
    pub fn cell(&mut self, cell: Cell) {
        const WIDE_BORDERS: u8 = 0x02;
        const COVERED: u8 = 0x04;
        let left = Style::INCH_TWIPS + cell.width * u16::from(cell.column);
        let mut data = [0; 16];
        // Rows and columns count from 0 in the sample databases.
        data.put(0, &[cell.row, cell.column]);
        data.put_u16(2, left);
        data.put_u16(4, left + cell.width);
        data.put_u16(6, cell.width);
        data.put_u8(9, WIDE_BORDERS | if cell.covered { COVERED } else { 0 });
        data.put_u16(10, if cell.lines { 0x1111 } else { 0 });
        data.put(12, &[cell.row_span, cell.column_span]);
        self.byte_record(if self.tables <= 1 { 0xA4 } else { 0xD0 }, &data);
        if let Some([red, green, blue]) = cell.background {
            self.byte_record(0xD3, &[1, 0, red, green, blue, 0]);
        }
        self.paragraph(Style::Left);
    }

    /// The text on the tab of the row that is open.
    pub fn tab_label(&mut self, label: &str) {
        let mut data = [0; 136];
        data.put(0, &lmbcs::encode(label));
        self.word_record(0xE3, &data);
    }

    pub fn end_table(&mut self) {
        self.tables = self.tables.saturating_sub(1);
        self.byte_record(if self.tables == 0 { 0xA5 } else { 0xD1 }, &[0; 4]);
    }

    /// Begins a section that can be folded.
    pub fn section(&mut self, title: &str) {
        const SECTION: u16 = 12;
        self.hotspot(SECTION, 0, &[]);
        self.word_record(0xAC, &[&[0; 8][..], &lmbcs::encode(title), &[0]].concat());
    }

    pub fn end_section(&mut self) {
        self.byte_record(0xAA, &[]);
    }

    /// A link to a page of the web.
    pub fn url(&mut self, url: &str, text: &str) {
        const LINK: u16 = 11;
        self.hotspot(LINK, 0, &[&lmbcs::encode(url)[..], &[0]].concat());
        self.text(Font::PLAIN.styled(Font::UNDERLINE).coloured(4), text);
        self.byte_record(0xAA, &[]);
    }

    /// Text with words that pop up over it.
    pub fn popup(&mut self, words: &str, text: &str) {
        const POPUP: u16 = 1;
        self.hotspot(POPUP, 0, &[&lmbcs::encode(words)[..], &[0]].concat());
        self.text(Font::PLAIN, text);
        self.byte_record(0xAA, &[]);
    }

    pub fn button(&mut self, caption: &str) {
        const BUTTON: u16 = 3;
        self.hotspot(BUTTON, 0, &[]);
        self.word_record(0xAB, &[&[0; 12][..], &lmbcs::encode(caption), &[0]].concat());
        self.byte_record(0xAA, &[]);
    }

    pub fn rule(&mut self) {
        self.word_record(0xC9, &[0; 10]);
    }

    pub fn anchor(&mut self, name: &str) {
        let name = lmbcs::encode(name);
        self.word_record(0xCB, &[&[0; 4], &(name.len() as u16).to_le_bytes()[..], &name].concat());
    }

    /// HTML that the author typed.
    pub fn html(&mut self, html: &str) {
        self.word_record(0xCC, &[0; 4]);
        self.text(Font::PLAIN, html);
        self.word_record(0xCD, &[0; 4]);
    }

    /// Text in a true colour.
    pub fn true_coloured(&mut self, [red, green, blue]: [u8; 3], text: &str) {
        let bracket = [0, 0, OWNER_TEXT, 0xFF];
        self.byte_record(0xDD, &bracket);
        self.byte_record(0xD2, &[1, 0, red, green, blue, 0]);
        self.text(Font::PLAIN, text);
        self.byte_record(0xDE, &bracket);
    }

    /// The alternative text of the picture before it.
    pub fn alt_text(&mut self, text: &str) {
        let text = lmbcs::encode(text);
        self.word_record(0xCA, &[&(text.len() as u16).to_le_bytes(), &[0; 6][..], &text].concat());
    }

    /// The words below the picture before it.
    pub fn caption(&mut self, text: &str) {
        let text = lmbcs::encode(text);
        self.word_record(0x76, &[&(text.len() as u16).to_le_bytes(), &[0; 22][..], &text].concat());
    }

    /// A field of a form, which shows the item of this name.
    pub fn field(&mut self, name: &str) {
        let name = lmbcs::encode(name);
        let mut data = [0; 32];
        data.put_u16(26, name.len() as u16);
        self.word_record(0x8A, &[&data[..], &name].concat());
    }

    /// A record that no release writes.
    pub fn unknown(&mut self) {
        self.long_record(0x01, &[1, 2, 3]);
    }

    fn graphic(&mut self) {
        let mut graphic = [0; 22];
        graphic.put_u8(18, 1);
        self.long_record(0x99, &graphic);
    }

    /// A metafile with nothing in it.
    pub fn metafile(&mut self) {
        self.graphic();
        self.long_record(0x9F, &[0; 16]);
        self.long_record(0x9B, &[0; 8]);
    }

    /// A bitmap of an old release. `pixels` are places in `colors`, a line of `width` after the other.
    pub fn bitmap(&mut self, width: u16, colors: &[[u8; 3]], pixels: &[u8]) {
        const SEGMENT_LINES: usize = 64;
        let width_pixels = usize::from(width).max(1);
        let segments = pixels.chunks(width_pixels * SEGMENT_LINES);
        self.graphic();
        let height = (pixels.len() / width_pixels) as u16;
        let mut header = [0; 32];
        let words = [width, height, 8, 1, 8, segments.len() as u16, colors.len() as u16, 0];
        words.into_iter().enumerate().for_each(|(index, word)| header.put_u16(16 + 2 * index, word));
        self.long_record(0x95, &header);
        for segment in segments {
            let lines: Vec<u8> = segment.chunks(width_pixels).flat_map(runs).collect();
            let mut data = vec![0; 12];
            data.put_u16(8, (segment.len() / width_pixels) as u16);
            data.put_u16(10, lines.len() as u16);
            data.extend(lines);
            self.long_record(0x96, &data);
        }
        self.long_record(0x97, &colors.concat());
    }

    /// An image inside the text.
    pub fn image(&mut self, kind: ImageKind, width: u16, height: u16, image: &[u8]) {
        const SEGMENT_BYTES: usize = 10 << 10;
        self.graphic();
        let segments = image.chunks(SEGMENT_BYTES);
        let mut header = [0; 22];
        header.put_u16(0, kind as u16);
        header.put_u16(2, width);
        header.put_u16(4, height);
        header.put_u32(6, image.len() as u32);
        header.put_u32(10, segments.len() as u32);
        self.long_record(0x7D, &header);
        for segment in segments {
            let padded = segment.len().next_multiple_of(2);
            let mut data = vec![0; 4 + padded];
            data.put_u16(0, segment.len() as u16);
            data.put_u16(2, padded as u16);
            data.put(4, segment);
            self.long_record(0x7C, &data);
        }
    }

    /// The place of an attachment: the name of its `$FILE` item and the name that is shown.
    pub fn file(&mut self, name: &str, shown: &str) {
        const FILE_HOTSPOT: u16 = 4;
        let names = [lmbcs::encode(name), vec![0], lmbcs::encode(shown), vec![0]].concat();
        self.hotspot(FILE_HOTSPOT, 0x0001_0008, &names);
        self.text(Font::PLAIN, shown);
        self.byte_record(0xAA, &[]);
    }

    fn hotspot(&mut self, kind: u16, flags: u32, texts: &[u8]) {
        let head = [&kind.to_le_bytes()[..], &flags.to_le_bytes(), &(texts.len() as u16).to_le_bytes()];
        self.word_record(0xA9, &[&head.concat(), texts].concat());
    }

    /// A link to another document: its place in the `$Links` item, and what is shown.
    pub fn link(&mut self, index: u16, comment: &str) {
        let mut data = index.to_le_bytes().to_vec();
        data.extend(lmbcs::encode(comment));
        data.extend_from_slice(&[0, 0, 0]);
        self.word_record(0x91, &data);
    }
}

/// A line of pixels as runs of one colour.
fn runs(line: &[u8]) -> Vec<u8> {
    const REPEATED: u8 = 0xC0;
    const LONGEST: usize = 0x3F;
    let equal = line.chunk_by(|a, b| a == b).flat_map(|run| run.chunks(LONGEST));
    equal.flat_map(|run| [REPEATED | run.len() as u8, run[0]]).collect()
}

impl Default for RichText {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notes::richtext::record::Records;

    #[test]
    fn records_walk_to_the_end() {
        let mut rich = RichText::new();
        rich.line("odd");
        rich.table(&[vec!["a".to_owned(), "b".to_owned()], vec!["c".to_owned(), "d".to_owned()]]);
        rich.image(ImageKind::Gif, 1, 1, &[7; 20_001]);
        rich.file("a.pdf", "plan.pdf");
        rich.link(0, "see there");
        let bytes = rich.bytes();
        let mut records = Records::new(&bytes);
        let signatures: Vec<String> = records.by_ref().map(|record| record.signature.to_string()).collect();
        assert!(!records.damaged());
        let count = |name: &str| signatures.iter().filter(|signature| *signature == name).count();
        assert_eq!(["82W", "A4B", "85W", "7CL", "A9W", "91W"].map(count), [1, 4, 6, 2, 1, 1]);
    }
}
