//! From text to LMBCS, as Notes writes it: the shortest form first, UTF-16 for what no code page has.

use super::group;
use super::pages::Page;

/// The order in which groups are asked, after group 1 and that of the text around. Group 1 goes first because Notes
/// stores typographic quotation marks and dashes as its exceptions, though other pages have them too (seen in public
/// databases).
const ORDER: [u8; 11] = [0x02, 0x05, 0x03, 0x04, 0x06, 0x08, 0x0B, 0x10, 0x11, 0x12, 0x13];

/// The stored form of a text; a line feed becomes NUL. Decoding gives the text back.
pub fn encode(text: &str) -> Vec<u8> {
    let mut stored = Vec::with_capacity(text.len());
    // Characters of several pages stay with the page of the text before them; quotation marks do not end it.
    let mut current = group::LATIN_1;
    for character in text.chars() {
        match character {
            '\n' => stored.push(0),
            '\t' | '\r' | '\u{19}' | ' '..='\u{7F}' => stored.push(character as u8),
            '\0'..' ' => stored.extend([group::CONTROL, character as u8 + 0x20]),
            '\u{80}'..'\u{A0}' => stored.extend([group::CONTROL, character as u8]),
            _ => match find(character, current) {
                Some((group, code)) => {
                    push_code(&mut stored, group, code);
                    if group != group::LATIN_1 {
                        current = group;
                    }
                }
                None => push_utf16(&mut stored, character),
            },
        }
    }
    stored
}

/// The group that has a character, and its code there.
fn find(character: char, current: u8) -> Option<(u8, u16)> {
    let unit = u16::try_from(character).ok()?;
    let code_in = |group: u8| Some((group, Page::of(group)?.code(unit)?));
    [group::LATIN_1, current].into_iter().chain(ORDER).find_map(code_in)
}

fn push_code(stored: &mut Vec<u8>, group: u8, code: u16) {
    let [lead, byte] = code.to_be_bytes();
    match (group, lead) {
        (group::LATIN_1, _) if byte >= 0x80 => stored.push(byte),
        (..group::JAPANESE, _) => stored.extend([group, byte]),
        (_, 0) => stored.extend([group, group, byte]),
        _ => stored.extend([group, lead, byte]),
    }
}

fn push_utf16(stored: &mut Vec<u8>, character: char) {
    for unit in character.encode_utf16(&mut [0; 2]) {
        match unit.to_be_bytes() {
            [high, 0] => stored.extend([group::UTF16, group::UTF16_ZERO, high]),
            [high, low] => stored.extend([group::UTF16, high, low]),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::decode;
    use super::*;

    #[test]
    fn the_shortest_form_is_chosen() {
        for (text, expected) in [
            ("A\u{E9}", &[0x41, 0x82][..]),
            ("\u{2019}", &[0x01, 0x2C]),
            ("\u{391}", &[0x02, 0xA4]),
            ("\u{5D0}", &[0x03, 0xE0]),
            ("\u{627}", &[0x04, 0xC7]),
            ("\u{411}", &[0x05, 0xC1]),
            ("\u{104}", &[0x06, 0xA4]),
            ("\u{15F}", &[0x06, 0xAD]),
            ("\u{11F}", &[0x08, 0xF0]),
            ("\u{E01}", &[0x0B, 0xA1]),
            ("\u{3042}", &[0x10, 0x82, 0xA0]),
            ("\u{FF71}", &[0x10, 0x10, 0xB1]),
            ("\u{AC00}", &[0x11, 0xB0, 0xA1]),
            ("\u{4E02}", &[0x13, 0x81, 0x40]),
            ("\u{905}", &[0x14, 0x09, 0x05]),
            ("\u{1E00}", &[0x14, 0xF6, 0x1E]),
            ("\u{1F600}", &[0x14, 0xD8, 0x3D, 0x14, 0xF6, 0xDE]),
            ("a\nb\r\t\u{1B}\u{85}\0", b"a\0b\r\t\x0F\x3B\x0F\x85\x0F\x20"),
        ] {
            assert_eq!(encode(text), expected, "{text}");
        }
    }

    // U+4E00 is in Japanese too, but U+4EEC before it is Chinese only.
    #[test]
    fn a_text_stays_with_its_page() {
        assert_eq!(encode("\u{4EEC}\u{4E00}"), [0x13, 0xC3, 0xC7, 0x13, 0xD2, 0xBB]);
        assert_eq!(encode("\u{4EEC}\u{2019}\u{4E00}"), [0x13, 0xC3, 0xC7, 0x01, 0x2C, 0x13, 0xD2, 0xBB]);
        assert_eq!(encode("\u{4E00}"), [0x10, 0x88, 0xEA]);
    }

    #[test]
    fn every_character_comes_back() {
        let text: String = ('\0'..=char::MAX).collect();
        let decoded = decode(&encode(&text));
        assert!(!decoded.damaged && decoded.text == text);
    }

    proptest! {
        #[test]
        fn every_text_comes_back(text in any::<String>()) {
            let stored = encode(&text);
            let decoded = decode(&stored);
            prop_assert_eq!((decoded.text, decoded.damaged), (text.clone(), false));
            prop_assert_eq!(stored.iter().filter(|&&byte| byte == 0).count(), text.matches('\n').count());
        }
    }
}
