//! Font ids of rich text and the font table of a document, as fonts of the model.

use crate::model::rich_text::Font;
use crate::notes::document::Note;
use crate::notes::item::ItemType;
use crate::notes::richtext::construct::{FontId, decode_font_table};
use crate::notes::richtext::record::Records;
use std::collections::HashMap;
use std::sync::Arc;

/// The fixed palette of colours that a font id can name.
const PALETTE: [[u8; 3]; 16] = [
    [0, 0, 0],
    [255, 255, 255],
    [255, 0, 0],
    [0, 255, 0],
    [0, 0, 255],
    [255, 0, 255],
    [255, 255, 0],
    [0, 255, 255],
    [128, 0, 0],
    [0, 128, 0],
    [0, 0, 128],
    [128, 0, 128],
    [128, 128, 0],
    [0, 128, 128],
    [128, 128, 128],
    [192, 192, 192],
];

/// A colour of the fixed palette.
pub fn palette(index: u16) -> Option<[u8; 3]> {
    PALETTE.get(usize::from(index)).copied()
}

/// The fonts of one text, each once.
pub struct Fonts {
    pub list: Vec<Font>,
    families: HashMap<u8, Arc<str>>,
    known: HashMap<(FontId, Option<[u8; 3]>), usize>,
    by_font: HashMap<Font, usize>,
}

impl Fonts {
    /// With the font table of the document. The item is called `$Fonts`; one page of the vendor spells it `$FONT`.
    pub fn of(note: &Note) -> Self {
        let builtin: [(u8, &str); 5] = [
            (FontId::FACE_ROMAN, "'Times New Roman',serif"),
            (1, "Arial,Helvetica,sans-serif"),
            (2, "sans-serif"),
            (3, "sans-serif"),
            (FontId::FACE_TYPEWRITER, "'Courier New',monospace"),
        ];
        let mut families: HashMap<u8, Arc<str>> =
            builtin.into_iter().map(|(face, family)| (face, family.into())).collect();
        for item in note.items.iter().filter(|i| i.item_type == ItemType::COMPOSITE) {
            if !item.is("$Fonts") && !item.is("$FONT") {
                continue;
            }
            let named = Records::new(&item.value).filter_map(decode_font_table).flatten();
            let added = named.filter(|(face, _)| *face >= FontId::FIRST_TABLE_FACE);
            families.extend(added.map(|(face, name)| (face, family(&name))));
        }
        Self { list: Vec::new(), families, known: HashMap::new(), by_font: HashMap::new() }
    }

    /// The place in the list of a font in a true colour or, without one, in that of its id.
    pub fn index(&mut self, id: FontId, color: Option<[u8; 3]>) -> usize {
        if let Some(&index) = self.known.get(&(id, color)) {
            return index;
        }
        let font = self.font(id, color);
        // Ids that differ only in what we do not render give one font.
        let index = *self.by_font.entry(font.clone()).or_insert(self.list.len());
        if index == self.list.len() {
            self.list.push(font);
        }
        self.known.insert((id, color), index);
        index
    }

    fn font(&self, id: FontId, color: Option<[u8; 3]>) -> Font {
        let has = |attribute: u8| id.attributes & attribute != 0;
        let effect = has(FontId::EFFECT);
        let black = PALETTE[0];
        Font {
            bold: has(FontId::BOLD),
            italic: has(FontId::ITALIC),
            underline: has(FontId::UNDERLINE),
            strike: has(FontId::STRIKE),
            superscript: has(FontId::SUPERSCRIPT) && !effect,
            subscript: has(FontId::SUBSCRIPT) && !effect,
            family: self.families.get(&id.face).cloned(),
            size: id.size,
            color: color.or(palette(id.color.into())).filter(|&color| color != black),
        }
    }
}

/// A font name as a CSS family, without whatever could end the quotes.
fn family(name: &str) -> Arc<str> {
    let harmless: String =
        name.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_' | '.')).collect();
    format!("'{}'", harmless.trim()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn effects_are_not_superscript() {
        let fonts = Fonts::of(&Note::default());
        let font = fonts.font(FontId { attributes: 0x90, ..FontId::default() }, None);
        assert!(!font.superscript);
        assert!(fonts.font(FontId { attributes: 0x10, ..FontId::default() }, None).superscript);
    }

    #[test]
    fn a_font_name_cannot_leave_its_quotes() {
        assert_eq!(&*family("a';}</style>"), "'astyle'");
    }
}
