//! The names of rich-text records, and which of them open or close a level.
//!
//! Used by `inspect` to print a record list that people can read, and by conversion to tell a record that is known
//! but carries nothing for a mail from one that nobody knows.
//!
//! # Source
//! The constants `SIG_CD_xxx` of the Notes C API, of which the words are the names in lower case.

use super::record::LengthForm::{Byte, Long, Word};
use super::record::Signature;

/// What a record does to the nesting of those after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nesting {
    Opens,
    Closes,
    Stays,
}

/// Whether a record begins or ends a construct that holds other records.
pub fn nesting(signature: Signature) -> Nesting {
    match signature {
        Signature(0xA3 | 0xCF | 0xDD | 0x6F, Byte) => Nesting::Opens,
        Signature(0x7E | 0xA1 | 0xA7 | 0xA9 | 0xAD | 0xCC | 0xE6, Word) => Nesting::Opens,
        Signature(0xA5 | 0xD1 | 0xDE | 0x6E | 0x7F | 0xAA | 0xAE, Byte) => Nesting::Closes,
        Signature(0xA2 | 0xA8 | 0xCD | 0xE7, Word) => Nesting::Closes,
        _ => Nesting::Stays,
    }
}

/// The name of a record; `None` for one that we do not know.
pub fn name(signature: Signature) -> Option<&'static str> {
    Some(match signature.1 {
        Byte => byte_form(signature.0)?,
        Word => word_form(signature.0)?,
        Long => long_form(signature.0)?,
    })
}

fn byte_form(id: u8) -> Option<&'static str> {
    Some(match id {
        0x52 => "image header 2",
        0x57 => "table cell data flags",
        0x59 => "ignore",
        0x62 => "data flags",
        0x63 => "background properties",
        0x6A => "box size",
        0x6B => "positioning",
        0x6C => "layer",
        0x6E => "span end",
        0x6F => "span begin",
        0x72 => "background color",
        0x7F => "v5 hotspot end",
        0x80 => "document pre 26",
        0x81 => "paragraph",
        0x83 => "pab reference",
        0x86 => "document",
        0x8C => "link",
        0x8D => "link export",
        0xA3 => "table begin",
        0xA4 => "table cell",
        0xA5 => "table end",
        0xA6 => "style name",
        0xAA => "hotspot end",
        0xAE => "v4 hotspot end",
        0xB7 => "layout",
        0xB8 => "layout text",
        0xB9 => "layout end",
        0xBA => "layout field",
        0xBC => "pab formula reference",
        0xBD => "action bar",
        0xC0 => "layout graphic",
        0xC2 => "layout button",
        0xCF => "nested table begin",
        0xD0 => "nested table cell",
        0xD1 => "nested table end",
        0xD2 => "color",
        0xD3 => "table cell color",
        0xDD => "begin",
        0xDE => "end",
        0xDF => "vertical align",
        0xE0 => "float position",
        0xE1 => "timer info",
        0xE2 => "table row height",
        _ => return None,
    })
}

fn word_form(id: u8) -> Option<&'static str> {
    Some(match id {
        0x51 => "src",
        0x53 => "property main",
        0x54 => "property type",
        0x55 => "property",
        0x56 => "property action",
        0x58 => "embedded contact list",
        0x5A => "table cell href 2",
        0x5B => "href border",
        0x5C => "table data extension",
        0x5D => "embedded calendar control",
        0x5E => "action extension",
        0x5F => "event language entry",
        0x64 => "embed extra info",
        0x65 => "client blob part",
        0x66 => "client event",
        0x67 => "border info of hotspot",
        0x68 => "large paragraph",
        0x69 => "embedded scheduler extension",
        0x6D => "decs field",
        0x70 => "text properties table",
        0x71 => "href 2",
        0x73 => "inline",
        0x74 => "v6 hotspot begin continuation",
        0x75 => "target of double click",
        0x76 => "caption",
        0x77 => "link colors",
        0x78 => "table cell href",
        0x79 => "action bar extension",
        0x7A => "id name",
        0x7B => "table cell id name",
        0x7E => "v5 hotspot begin",
        0x80 => "text property",
        0x82 => "pab definition",
        0x84 => "field pre 36",
        0x85 => "text",
        0x86 => "xml",
        0x87 => "metafile",
        0x88 => "bitmap",
        0x8A => "field",
        0x8B => "font table",
        0x8E => "header",
        0x8F => "keyword",
        0x91 => "link 2",
        0x92 => "link export 2",
        0x93 => "cgm",
        0xA1 => "dde begin",
        0xA2 => "dde end",
        0xA7 => "ole begin",
        0xA8 => "ole end",
        0xA9 => "hotspot begin",
        0xAB => "button",
        0xAC => "bar",
        0xAD => "v4 hotspot begin",
        0xB0 => "field extension",
        0xB1 => "script object",
        0xB2 => "html header",
        0xB3 => "html segment",
        0xB4 => "ole object placeholder",
        0xB5 => "mapi binary",
        0xBB => "pab hide",
        0xBE => "action",
        0xBF => "document auto launch",
        0xC1 => "ole object info",
        0xC3 => "text effect",
        0xC4 => "storage link",
        0xC9 => "horizontal rule",
        0xCA => "alt text",
        0xCB => "anchor",
        0xCC => "html begin",
        0xCD => "html end",
        0xCE => "html formula",
        0xDC => "blob part",
        0xE3 => "table label",
        0xE4 => "bidi text",
        0xE5 => "bidi text effect",
        0xE6 => "region begin",
        0xE7 => "region end",
        0xE8 => "transition",
        0xE9 => "field hint",
        0xEA => "placeholder",
        0xEB => "html name",
        0xEC => "embedded outline",
        0xED => "embedded view",
        0xEE => "cell background data",
        0xEF => "frameset header",
        0xF0 => "frameset",
        0xF1 => "frame",
        0xF2 => "target",
        0xF4 => "map element",
        0xF5 => "area element",
        0xF6 => "href",
        0xF7 => "embedded control",
        0xF8 => "html alt text",
        0xF9 => "event",
        0xFB => "pre table begin",
        0xFC => "border info",
        0xFD => "embedded scheduler",
        0xFE => "field extension 2",
        0xFF => "embedded editor",
        _ => return None,
    })
}

fn long_form(id: u8) -> Option<&'static str> {
    Some(match id {
        0x60 => "file segment",
        0x61 => "file header",
        0x7C => "image segment",
        0x7D => "image header",
        0x94 => "tiff",
        0x95 => "bitmap header",
        0x96 => "bitmap segment",
        0x97 => "color table",
        0x98 => "pattern table",
        0x99 => "graphic",
        0x9A => "pm metafile segment",
        0x9B => "windows metafile segment",
        0x9C => "mac metafile segment",
        0x9D => "cgm metafile",
        0x9E => "pm metafile header",
        0x9F => "windows metafile header",
        0xA0 => "mac metafile header",
        0xC5 => "transparent table",
        0xF3 => "native image",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_length_form_is_part_of_the_name() {
        assert_eq!(name(Signature(0x85, Word)), Some("text"));
        assert_eq!(name(Signature(0x85, Byte)), None);
        assert_eq!(name(Signature(0x86, Byte)), Some("document"));
        assert_eq!(name(Signature(0x86, Word)), Some("xml"));
    }

    #[test]
    fn every_opening_record_has_a_closing_one() {
        let count = |wanted: Nesting| {
            (0..=255u8)
                .flat_map(|id| [Byte, Word, Long].map(|form| Signature(id, form)))
                .filter(|&signature| nesting(signature) == wanted)
                .inspect(|&signature| assert!(name(signature).is_some(), "{signature}"))
                .count()
        };
        assert_eq!(count(Nesting::Opens), count(Nesting::Closes));
    }
}
