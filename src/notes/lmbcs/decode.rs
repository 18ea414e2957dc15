//! From LMBCS to text. Runs of ASCII, which are nearly everything, are copied whole.

use super::group;
use super::pages::Page;

/// Decoded text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Decoded {
    pub text: String,
    /// Some bytes were no LMBCS and became U+FFFD.
    pub damaged: bool,
}

/// Decodes stored text. NUL, the line break inside stored text, becomes a line feed.
pub fn decode(stored: &[u8]) -> Decoded {
    let mut decoded = Decoded { text: String::with_capacity(stored.len()), damaged: false };
    let mut rest = stored;
    while !rest.is_empty() {
        let (plain, special) = rest.split_at(plain_length(rest));
        if let Ok(plain) = str::from_utf8(plain) {
            decoded.text.push_str(plain);
        }
        rest = special;
        while rest.first().is_some_and(is_special) {
            let (character, length) = next_character(rest);
            decoded.text.push(character.unwrap_or(char::REPLACEMENT_CHARACTER));
            decoded.damaged |= character.is_none();
            rest = &rest[length..];
        }
    }
    decoded
}

fn is_special(byte: &u8) -> bool {
    !(0x20..0x80).contains(byte)
}

/// How many bytes at the start are ASCII without controls. Eight bytes are tested at once.
fn plain_length(stored: &[u8]) -> usize {
    const EACH: u64 = 0x0101_0101_0101_0101;
    let (words, tail) = stored.as_chunks::<8>();
    for (at, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        // The top bit of each byte below 20 or above 7F. A borrow only spoils bytes behind the first that is found.
        let special = (word.wrapping_sub(EACH * 0x20) | word) & (EACH * 0x80);
        if special != 0 {
            return at * 8 + special.trailing_zeros() as usize / 8;
        }
    }
    words.len() * 8 + tail.iter().position(is_special).unwrap_or(tail.len())
}

/// The character of a special byte and those that belong to it, none if they are damaged, and their number.
fn next_character(stored: &[u8]) -> (Option<char>, usize) {
    match *stored {
        [0, ..] => (Some('\n'), 1),
        [byte @ (b'\t' | b'\n' | b'\r' | group::SYSTEM_RANGE), ..] => (Some(char::from(byte)), 1),
        [byte @ 0x80..=0xFF, ..] => (single(group::LATIN_1, byte), 1),
        [group::CONTROL, byte @ 0x20..=0xFF, ..] => {
            (Some(char::from(if byte < 0x80 { byte - 0x20 } else { byte })), 2)
        }
        [group::UTF16, _, _, ..] => utf16(stored),
        [group @ group::JAPANESE..=group::CHINESE, again, byte @ 0x20..=0xFF, ..] if again == group => {
            (single(group, byte), 3)
        }
        [group @ group::JAPANESE..=group::CHINESE, lead @ 0x20..=0xFF, trail @ 0x20..=0xFF, ..] => {
            (Page::of(group).and_then(|page| page.double(lead, trail)), 3)
        }
        [group @ group::LATIN_1..group::CONTROL, byte @ 1..=0xFF, ..] if Page::of(group).is_some() => {
            (single(group, byte), 2)
        }
        _ => (None, incomplete_length(stored)),
    }
}

fn single(group: u8, byte: u8) -> Option<char> {
    Page::of(group)?.single(byte)
}

/// A UTF-16 unit, or two that make one character, each with a group byte of its own.
fn utf16(stored: &[u8]) -> (Option<char>, usize) {
    let units = stored.chunks_exact(3).take(2).take_while(|unit| unit[0] == group::UTF16).map(|unit| {
        let bytes = if unit[1] == group::UTF16_ZERO { [unit[2], 0] } else { [unit[1], unit[2]] };
        u16::from_be_bytes(bytes)
    });
    match char::decode_utf16(units).next() {
        Some(Ok(character)) => (Some(character), 3 * character.len_utf16()),
        _ => (None, 3),
    }
}

/// The bytes of a sequence that is cut or has no meaning. What is below 20 begins the next character.
fn incomplete_length(stored: &[u8]) -> usize {
    let two_bytes = (group::JAPANESE..=group::UTF16).contains(&stored[0]);
    1 + stored[1..].iter().take(if two_bytes { 2 } else { 0 }).take_while(|&&byte| byte >= 0x20).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(stored: &[u8], expected: &str) {
        assert_eq!(decode(stored), Decoded { text: expected.to_owned(), damaged: false }, "{stored:02X?}");
    }

    fn check_damaged(stored: &[u8], expected: &str) {
        assert_eq!(decode(stored), Decoded { text: expected.to_owned(), damaged: true }, "{stored:02X?}");
    }

    #[test]
    fn x01_ascii_code_page_850_utf16_and_a_control() {
        check(&[0x41, 0x82, 0x14, 0x04, 0x1F, 0x0F, 0x29], "A\u{E9}\u{41F}\t");
    }

    #[test]
    fn x02_a_utf16_unit_with_a_zero_byte() {
        check(&[0x14, 0xF6, 0x01], "\u{100}");
    }

    #[test]
    fn nul_is_a_line_break_and_white_space_stays() {
        check(b"a\0b\tc\nd\r\ne", "a\nb\tc\nd\r\ne");
    }

    #[test]
    fn one_character_of_each_group() {
        for (stored, expected) in [
            (&[0x82][..], "\u{E9}"),
            (&[0x01, 0x82], "\u{E9}"),
            (&[0x01, 0x26], "\u{201C}"),
            (&[0x02, 0xA4], "\u{391}"),
            (&[0x02, 0x16], "\u{215B}"),
            (&[0x03, 0xE0], "\u{5D0}"),
            (&[0x04, 0xC7], "\u{627}"),
            (&[0x05, 0xC1], "\u{411}"),
            (&[0x06, 0xA4], "\u{104}"),
            (&[0x06, 0x01], "\u{101}"),
            (&[0x08, 0xD0], "\u{11E}"),
            (&[0x0B, 0xA1], "\u{E01}"),
            (&[0x0F, 0x20], "\0"),
            (&[0x0F, 0x3B], "\u{1B}"),
            (&[0x0F, 0x85], "\u{85}"),
            (&[0x10, 0x82, 0xA0], "\u{3042}"),
            (&[0x10, 0x10, 0xB1], "\u{FF71}"),
            (&[0x11, 0xB0, 0xA1], "\u{AC00}"),
            (&[0x12, 0xA4, 0x40], "\u{4E00}"),
            (&[0x13, 0xD2, 0xBB], "\u{4E00}"),
            (&[0x13, 0x13, 0x80], "\u{20AC}"),
            (&[0x14, 0x09, 0x05], "\u{905}"),
            (&[0x14, 0xD8, 0x3D, 0x14, 0xDE, 0x00], "\u{1F600}"),
            (&[0x19], "\u{19}"),
        ] {
            check(stored, expected);
        }
    }

    // Where the WHATWG encodings and the Windows code pages part.
    #[test]
    fn double_byte_pages_are_those_of_windows() {
        check(&[0x11, 0xC9, 0xA1, 0x11, 0xFE, 0xFE], "\u{E000}\u{E0BB}");
        check(&[0x12, 0xFA, 0x40, 0x12, 0x81, 0x40, 0x12, 0xC6, 0xA1], "\u{E000}\u{EEB8}\u{F6B1}");
        check(&[0x12, 0xF9, 0xFE], "\u{2593}");
        check_damaged(&[0x12, 0xA3, 0xC0], "\u{FFFD}");
        check(&[0x13, 0xA2, 0xE3, 0x13, 0xFE, 0x50, 0x13, 0xFE, 0xA0], "\u{E76C}\u{E815}\u{E864}");
    }

    #[test]
    fn a_cut_sequence_is_damage() {
        for stored in [
            &[b'a', 0x01][..],
            &[b'a', 0x0F],
            &[b'a', 0x10],
            &[b'a', 0x10, 0x82],
            &[b'a', 0x10, 0x10],
            &[b'a', 0x14],
            &[b'a', 0x14, 0x41],
            &[b'a', 0x07],
        ] {
            let decoded = decode(stored);
            assert!(decoded.damaged && decoded.text.starts_with("a\u{FFFD}"), "{stored:02X?}");
        }
    }

    #[test]
    fn damage_does_not_swallow_the_next_character() {
        check_damaged(b"\x01\0b", "\u{FFFD}\nb");
        check_damaged(b"\x10\x82\0b", "\u{FFFD}\nb");
        check_damaged(b"\x10\x82\x05\xC1", "\u{FFFD}\u{411}");
        check_damaged(b"\x0F\x05\xC1", "\u{FFFD}\u{411}");
        check_damaged(b"\x03\xD9b", "\u{FFFD}b");
        check_damaged(b"\x10\xFF\xFFb", "\u{FFFD}b");
    }

    #[test]
    fn a_lone_surrogate_is_damage() {
        check_damaged(&[0x14, 0xD8, 0x3D, b'a'], "\u{FFFD}a");
        check_damaged(&[0x14, 0xDE, 0x00, b'a'], "\u{FFFD}a");
        check_damaged(&[0x14, 0xD8, 0x3D, 0x14, 0x04, 0x1F], "\u{FFFD}\u{41F}");
    }

    #[test]
    fn plain_runs_end_at_the_first_special_byte_wherever_it_is() {
        for length in 0..100 {
            let mut stored = vec![b'x'; length];
            stored.push(0x82);
            stored.extend_from_slice(b"y");
            check(&stored, &format!("{}\u{E9}y", "x".repeat(length)));
        }
    }
}
