//! The fonts of structured rich text: the font id that a run has, and the font table of a document.

use super::xml::Element;
use crate::notes::lmbcs;
use crate::notes::richtext::construct::FontId;
use crate::notes::richtext::record::{LengthForm, Record, Signature};

const FACE_SANS_SERIF: u8 = 1;

/// The look of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Font {
    pub id: FontId,
    /// A true colour.
    pub color: Option<[u8; 3]>,
}

impl Font {
    /// The font of a run that names none.
    pub const DEFAULT: Self =
        Self { id: FontId { face: FACE_SANS_SERIF, attributes: 0, color: 0, size: 10 }, color: None };

    /// The font id as stored.
    pub fn bytes(self) -> [u8; 4] {
        [self.id.face, self.id.attributes, self.id.color, self.id.size]
    }
}

/// The named fonts of a document.
#[derive(Debug, Default)]
pub struct Fonts(Vec<String>);

impl Fonts {
    /// The face of a name; the names of the built-in ones are those of DXL.
    fn face(&mut self, name: &str) -> u8 {
        match name {
            "serif" => return FontId::FACE_ROMAN,
            "sans-serif" => return FACE_SANS_SERIF,
            "multilingual" => return 2,
            "user interface" => return 3,
            "monospace" => return FontId::FACE_TYPEWRITER,
            _ => {}
        }
        let most = usize::from(u8::MAX - FontId::FIRST_TABLE_FACE);
        let known = self.0.iter().position(|own| own == name);
        let at = known.unwrap_or(self.0.len());
        if at >= most {
            return FACE_SANS_SERIF;
        }
        if known.is_none() {
            self.0.push(name.to_owned());
        }
        FontId::FIRST_TABLE_FACE + at as u8
    }

    /// The font that a `font` element describes.
    pub fn font(&mut self, element: &Element) -> Font {
        let mut font = Font::DEFAULT;
        if let Some(name) = element.attribute("name") {
            font.id.face = self.face(name);
        }
        if let Some(size) =
            element.attribute("size").and_then(|size| size.strip_suffix("pt")?.parse::<f64>().ok())
        {
            font.id.size = size as u8;
        }
        for word in element.attribute("style").unwrap_or_default().split_whitespace() {
            font.id.attributes |= match word {
                "bold" => FontId::BOLD,
                "italic" => FontId::ITALIC,
                "underline" => FontId::UNDERLINE,
                "strikethrough" => FontId::STRIKE,
                "superscript" => FontId::SUPERSCRIPT,
                "subscript" => FontId::SUBSCRIPT,
                "shadow" => FontId::EFFECT,
                "emboss" => FontId::EFFECT | FontId::SUPERSCRIPT,
                "extrude" => FontId::EFFECT | FontId::SUBSCRIPT,
                _ => 0,
            };
        }
        match element.attribute("color") {
            Some(color) if color.starts_with('#') => font.color = true_color(color),
            Some(color) => font.id.color = palette_color(color).unwrap_or(0),
            None => {}
        }
        font
    }

    /// The value of the `$Fonts` item, if there are named fonts.
    pub fn table(&self) -> Option<Vec<u8>> {
        const NAME_BYTES: usize = 32;
        if self.0.is_empty() {
            return None;
        }
        let mut data = (self.0.len() as u16).to_le_bytes().to_vec();
        for (face, name) in (FontId::FIRST_TABLE_FACE..).zip(&self.0) {
            let mut name = lmbcs::encode(name);
            name.resize(NAME_BYTES, 0);
            data.extend_from_slice(&[face, 0]);
            data.extend_from_slice(&name);
        }
        let mut value = Vec::new();
        Record { signature: Signature(0x8B, LengthForm::Word), data: &data }.write(&mut value);
        Some(value)
    }
}

pub fn true_color(text: &str) -> Option<[u8; 3]> {
    let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6)?;
    let [_, red, green, blue] = u32::from_str_radix(digits, 16).ok()?.to_be_bytes();
    Some([red, green, blue])
}

/// The place in the palette of Notes of a colour of HTML 4.
pub fn palette_color(name: &str) -> Option<u8> {
    const NAMES: [&str; 16] = [
        "black", "white", "red", "lime", "blue", "fuchsia", "yellow", "aqua", "maroon", "green", "navy",
        "purple", "olive", "teal", "gray", "silver",
    ];
    NAMES.iter().position(|own| *own == name).map(|at| at as u8)
}
