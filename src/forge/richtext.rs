//! Rich text for forged mails: a builder of composite records.

use super::fields::Fields;
use crate::notes::lmbcs;
use crate::notes::richtext::record::{LengthForm, Record, Signature};

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
}

impl Style {
    const ALL: [Self; 4] = [Self::Left, Self::Centred, Self::Bulleted, Self::Numbered];

    fn definition(self) -> [u8; 66] {
        const INCH_TWIPS: u16 = 1440;
        let (justify, left, flags) = match self {
            Self::Left => (0, INCH_TWIPS, 0),
            Self::Centred => (3, INCH_TWIPS, 0),
            Self::Bulleted => (0, INCH_TWIPS * 5 / 4, 0x0400),
            Self::Numbered => (0, INCH_TWIPS * 5 / 4, 0x1000),
        };
        let mut data = [0; 66];
        for (index, word) in [self as u16, justify, 0, 0, 0, left, 0, left, 0].into_iter().enumerate() {
            data.put_u16(2 * index, word);
        }
        data.put_u16(58, flags);
        data
    }
}

/// The kinds of inline images.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImageKind {
    Gif = 1,
    Png = 4,
}

/// Records of a rich-text item, in order.
pub struct RichText {
    records: Vec<u8>,
}

impl RichText {
    /// Begins with the definitions of all styles.
    pub fn new() -> Self {
        let mut rich = Self { records: Vec::new() };
        for style in Style::ALL {
            rich.word_record(0x82, &style.definition());
        }
        rich
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
        const WIDTH_TWIPS: u16 = 2880;
        let mut begin = [0; 12];
        for (index, word) in [1440, 40, 60, 0, 0, 0x43].into_iter().enumerate() {
            begin.put_u16(2 * index, word);
        }
        self.byte_record(0xA3, &begin);
        for (row, cells) in rows.iter().enumerate() {
            for (column, text) in cells.iter().enumerate() {
                let mut cell = [0; 16];
                // Rows and columns count from 0 in the sample databases.
                cell.put(0, &[row as u8, column as u8]);
                cell.put_u16(2, 1440 + WIDTH_TWIPS * column as u16);
                cell.put_u16(4, 1440 + WIDTH_TWIPS * (column as u16 + 1));
                cell.put(8, &[0x55, 0x02, 0x11, 0x11, 1, 1]);
                self.byte_record(0xA4, &cell);
                self.paragraph(Style::Left);
                self.text(Font::PLAIN.styled(if row == 0 { Font::BOLD } else { 0 }), text);
            }
        }
        self.byte_record(0xA5, &[0; 4]);
        self.paragraph(Style::Left);
    }

    /// An image inside the text.
    pub fn image(&mut self, kind: ImageKind, width: u16, height: u16, image: &[u8]) {
        const SEGMENT_BYTES: usize = 10 << 10;
        let mut graphic = [0; 22];
        graphic.put_u8(18, 1);
        self.long_record(0x99, &graphic);
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
        let mut data = FILE_HOTSPOT.to_le_bytes().to_vec();
        data.extend_from_slice(&0x0001_0008u32.to_le_bytes());
        data.extend_from_slice(&(names.len() as u16).to_le_bytes());
        data.extend(names);
        self.word_record(0xA9, &data);
        self.text(Font::PLAIN, shown);
        self.byte_record(0xAA, &[]);
    }

    /// A link to another document: its place in the `$Links` item, and what is shown.
    pub fn link(&mut self, index: u16, comment: &str) {
        let mut data = index.to_le_bytes().to_vec();
        data.extend(lmbcs::encode(comment));
        data.extend_from_slice(&[0, 0, 0]);
        self.word_record(0x91, &data);
    }
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
        assert_eq!(["82W", "A4B", "85W", "7CL", "A9W", "91W"].map(count), [4, 4, 6, 2, 1, 1]);
    }
}
