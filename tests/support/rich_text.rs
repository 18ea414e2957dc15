//! Rich-text records for tests.

use notesferry::notes::lmbcs;

/// Records in a row; each method adds one.
#[derive(Clone, Default)]
pub struct Records(Vec<u8>);

/// A font id: face, attributes, colour, size.
pub const PLAIN: [u8; 4] = [1, 0, 0, 10];
pub const BOLD: [u8; 4] = [1, 1, 0, 10];

pub fn records() -> Records {
    Records::default()
}

impl Records {
    pub fn byte(mut self, id: u8, data: &[u8]) -> Self {
        self.0.extend([id, data.len() as u8 + 2]);
        self.end(data)
    }

    pub fn word(mut self, id: u8, data: &[u8]) -> Self {
        self.0.extend([id, 0xFF]);
        self.0.extend((data.len() as u16 + 4).to_le_bytes());
        self.end(data)
    }

    pub fn long(mut self, id: u8, data: &[u8]) -> Self {
        self.0.extend([id, 0]);
        self.0.extend((data.len() as u32 + 6).to_le_bytes());
        self.end(data)
    }

    fn end(mut self, data: &[u8]) -> Self {
        self.0.extend(data);
        if self.0.len() % 2 == 1 {
            self.0.push(0);
        }
        self
    }

    pub fn build(self) -> Vec<u8> {
        self.0
    }

    pub fn paragraph(self) -> Self {
        self.byte(0x81, &[])
    }

    pub fn text(self, text: &str) -> Self {
        self.run(PLAIN, text)
    }

    pub fn run(self, font: [u8; 4], text: &str) -> Self {
        self.word(0x85, &[&font[..], &lmbcs::encode(text)].concat())
    }

    /// Defines a style and uses it from here.
    pub fn style(self, id: u16, justify: u16, flags: u16) -> Self {
        let mut data = vec![0; 66];
        data[..2].copy_from_slice(&id.to_le_bytes());
        data[2..4].copy_from_slice(&justify.to_le_bytes());
        data[10..12].copy_from_slice(&1440_u16.to_le_bytes());
        data[58..60].copy_from_slice(&flags.to_le_bytes());
        self.word(0x82, &data).use_style(id)
    }

    pub fn use_style(self, id: u16) -> Self {
        self.byte(0x83, &id.to_le_bytes())
    }

    /// Defines a style by its margins and flags and uses it from here: left and first line in twips, left in percent.
    pub fn margins(self, id: u16, [left, first, percent]: [u16; 3], [flags, flags2]: [u16; 2]) -> Self {
        let mut data = vec![0; 78];
        let words = [(0, id), (10, left), (14, first), (58, flags), (64, flags2), (66, left), (68, percent)];
        for (at, word) in words {
            data[at..at + 2].copy_from_slice(&word.to_le_bytes());
        }
        self.word(0x82, &data).use_style(id)
    }

    pub fn hotspot(self, kind: u16, flags: u32, data: &[u8]) -> Self {
        let length = data.len() as u16;
        self.word(
            0xA9,
            &[&kind.to_le_bytes(), &flags.to_le_bytes()[..], &length.to_le_bytes(), data].concat(),
        )
    }

    pub fn end_hotspot(self) -> Self {
        self.byte(0xAA, &[])
    }

    pub fn file(self, name: &str, shown: &str) -> Self {
        self.hotspot(4, 0, format!("{name}\0{shown}\0").as_bytes())
    }

    pub fn url(self, url: &str) -> Self {
        let mut data = vec![0, 0, 0, 0, 1, 0, 0, 0];
        data.extend((url.len() as u16).to_le_bytes());
        data.extend([0; 12]);
        self.word(0x71, &[&data[..], url.as_bytes()].concat())
    }

    pub fn section_title(self, title: &str) -> Self {
        self.word(0xAC, &[&[0; 8][..], title.as_bytes()].concat())
    }

    pub fn button(self, caption: &str) -> Self {
        self.word(0xAB, &[&[0; 12][..], caption.as_bytes()].concat())
    }

    pub fn begin_table(self) -> Self {
        self.byte(0xA3, &[0; 10])
    }

    pub fn end_table(self) -> Self {
        self.byte(0xA5, &[0; 4])
    }

    /// Row and column from 0, as in every table of the corpus; flags 4 and 8 mark a cell that a span covers.
    pub fn cell(self, row: u8, column: u8, row_span: u8, column_span: u8, flags: u8) -> Self {
        let data = [row, column, 0, 0, 0, 0, 0, 0, 0, flags, 0, 0, row_span, column_span, 0, 0];
        self.byte(0xA4, &data)
    }

    /// A cell with edges in twips, a share of the table, lines (four bits each from the left) and flags.
    pub fn styled_cell(self, place: [u8; 2], edges: [u16; 2], share: u16, lines: u16, flags: u8) -> Self {
        let mut data = place.to_vec();
        [edges[0], edges[1], share].iter().for_each(|word| data.extend(word.to_le_bytes()));
        data.extend([0, flags | 0x02]);
        data.extend(lines.to_le_bytes());
        data.extend([1, 1, 0, 0]);
        self.byte(0xA4, &data)
    }

    pub fn plain_cell(self, row: u8, column: u8, text: &str) -> Self {
        self.cell(row, column, 1, 1, 0).text(text)
    }

    pub fn table_label(self, label: &str) -> Self {
        let mut data = label.as_bytes().to_vec();
        data.resize(136, 0);
        self.word(0xE3, &data)
    }

    pub fn graphic(self) -> Self {
        self.long(0x99, &[0; 22])
    }

    /// An image in segments of 100 bytes whose header declares `size` bytes.
    pub fn image(self, width: u16, height: u16, bytes: &[u8], size: u32) -> Self {
        let mut header = 1_u16.to_le_bytes().to_vec();
        header.extend(width.to_le_bytes());
        header.extend(height.to_le_bytes());
        header.extend(size.to_le_bytes());
        header.extend([0; 12]);
        let head = self.graphic().long(0x7D, &header);
        bytes.chunks(100).fold(head, |records, chunk| {
            let length = (chunk.len() as u16).to_le_bytes();
            records.long(0x7C, &[&length[..], &length, chunk].concat())
        })
    }

    /// A bitmap of 8 bits with two colours, red and white.
    pub fn bitmap(self, width: u16, height: u16, lines: &[u8]) -> Self {
        let mut header = vec![0; 32];
        for (at, word) in [(16, width), (18, height), (20, 8), (22, 1), (24, 8), (26, 1), (28, 2)] {
            header[at..at + 2].copy_from_slice(&word.to_le_bytes());
        }
        let mut segment = vec![0; 10];
        segment.extend((lines.len() as u16).to_le_bytes());
        segment.extend(lines);
        let colors = [255, 0, 0, 255, 255, 255];
        self.long(0x95, &header).long(0x96, &segment).long(0x97, &colors)
    }

    pub fn alt_text(self, text: &str) -> Self {
        self.word(0xCA, &[&(text.len() as u16).to_le_bytes(), &[0; 6][..], text.as_bytes()].concat())
    }
}
