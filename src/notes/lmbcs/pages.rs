//! The code pages of the LMBCS groups as tables, made at their first use and kept.
//!
//! `encoding_rs` has the encodings of the web, which differ from the Windows code pages of Notes in a few places, mostly
//! characters for private use. Those are put right here, so that what Notes wrote and what it would read stay the same.

use std::sync::OnceLock;

use encoding_rs::{BIG5, DecoderResult, EUC_KR, Encoding, GBK, SHIFT_JIS};
use encoding_rs::{WINDOWS_874, WINDOWS_1251, WINDOWS_1254, WINDOWS_1255, WINDOWS_1256};

use super::{group, tables};

/// The characters of one group. All are of the Basic Multilingual Plane; 0 means none.
pub struct Page {
    single: [u16; 256],
    /// By the code of lead and trail byte, from 8000 on; empty in single-byte pages.
    double: Vec<u16>,
    /// Characters in ascending order, each with its code.
    codes: OnceLock<Vec<(u16, u16)>>,
}

impl Page {
    /// The page of a group byte, if it names one.
    pub fn of(group: u8) -> Option<&'static Self> {
        static PAGES: [OnceLock<Option<Page>>; 0x14] = [const { OnceLock::new() }; 0x14];
        PAGES.get(usize::from(group))?.get_or_init(|| Self::build(group)).as_ref()
    }

    /// The character of a single byte.
    pub fn single(&self, byte: u8) -> Option<char> {
        assigned(self.single[usize::from(byte)])
    }

    /// The character of two bytes.
    pub fn double(&self, lead: u8, trail: u8) -> Option<char> {
        let at = usize::from(u16::from_be_bytes([lead, trail]).checked_sub(0x8000)?);
        assigned(*self.double.get(at)?)
    }

    /// The code of a character: one byte, or lead and trail.
    pub fn code(&self, unit: u16) -> Option<u16> {
        let codes = self.codes.get_or_init(|| self.sorted_codes());
        let at = codes.binary_search_by_key(&unit, |&(unit, _)| unit).ok()?;
        Some(codes[at].1)
    }

    fn sorted_codes(&self) -> Vec<(u16, u16)> {
        let singles = (0x80..=0xFF).chain(1..0x80).map(|byte| (self.single[usize::from(byte)], byte));
        let doubles = self.double.iter().copied().zip(0x8000..=0xFFFF);
        let mut codes: Vec<_> = singles.chain(doubles).filter(|&(unit, _)| unit != 0).collect();
        // The sort is stable: of two codes of a character the one that came first stays.
        codes.sort_by_key(|&(unit, _)| unit);
        codes.dedup_by_key(|&mut (unit, _)| unit);
        codes
    }

    fn build(group: u8) -> Option<Self> {
        let encoding = match group {
            group::LATIN_1 => return Some(Self::new(tables::LATIN_1)),
            0x02 => return Some(Self::new(tables::GREEK)),
            0x03 => WINDOWS_1255,
            0x04 => WINDOWS_1256,
            0x05 => WINDOWS_1251,
            0x06 => return Some(Self::new(tables::LATIN_2)),
            0x08 => WINDOWS_1254,
            0x0B => WINDOWS_874,
            0x10 => SHIFT_JIS,
            0x11 => EUC_KR,
            0x12 => BIG5,
            0x13 => GBK,
            _ => return None,
        };
        let unit = |code: u16| windows_unit(group, code).unwrap_or_else(|| web_unit(encoding, code));
        let mut page = Self::new([0; 256]);
        // Below 80 are the exceptions, of which these groups have none.
        let first = if group < group::JAPANESE { 0x80 } else { 1 };
        for (single, code) in page.single.iter_mut().zip(0..).skip(first) {
            *single = unit(code);
        }
        if group >= group::JAPANESE {
            page.double = (0x8000..=0xFFFF).map(unit).collect();
        }
        Some(page)
    }

    fn new(single: [u16; 256]) -> Self {
        Self { single, double: Vec::new(), codes: OnceLock::new() }
    }
}

fn assigned(unit: u16) -> Option<char> {
    (unit != 0).then(|| char::from_u32(u32::from(unit)))?
}

/// The character of a code in an encoding of the web, 0 if there is none.
fn web_unit(encoding: &'static Encoding, code: u16) -> u16 {
    let bytes = code.to_be_bytes();
    let bytes = if code < 0x100 { &bytes[1..] } else { &bytes[..] };
    let mut units = [0; 8];
    let mut decoder = encoding.new_decoder_without_bom_handling();
    match decoder.decode_to_utf16_without_replacement(bytes, &mut units, true) {
        (DecoderResult::InputEmpty, _, 1) => units[0],
        _ => 0,
    }
}

/// The character of a code where the Windows code page of a group is not the encoding of the web; 0 for none.
///
/// # Source
/// ICU 72, converter `LMBCS-1`.
fn windows_unit(group: u8, code: u16) -> Option<u16> {
    Some(match (group, code) {
        (0x03, 0xCA) | (0x10, 0x80) | (0x12, 0xA3C0..=0xA3E0) => 0,
        (0x0B, 0xDB..=0xDE) => code - 0xDB + 0xF8C1,
        (0x0B, 0xFC..=0xFF) => code - 0xFC + 0xF8C5,
        (0x11 | 0x12, 0x80) => 0x80,
        (0x11, 0xFF) => 0xF8F7,
        (0x11, 0xC9A1..=0xC9FE) => code - 0xC9A1 + 0xE000,
        (0x11, 0xFEA1..=0xFEFE) => code - 0xFEA1 + 0xE05E,
        (0x12, 0xFF) => 0xF8F8,
        (0x12, 0xF9FE) => 0x2593,
        (0x12, _) => return windows_950_private_use(code),
        (0x13, 0xFF) => 0xF8F5,
        (0x13, 0xA2E3) => 0xE76C,
        (0x13, 0xA3A0) => 0xE5E5,
        (0x13, 0xA6D9..=0xA6DF) => code - 0xA6D9 + 0xE78D,
        (0x13, 0xA6EC..=0xA6ED) => code - 0xA6EC + 0xE794,
        (0x13, 0xA6F3) => 0xE796,
        (0x13, 0xA8BC) => 0xE7C7,
        (0x13, 0xA8BF) => 0xE7C8,
        (0x13, 0xA989..=0xA995) => code - 0xA989 + 0xE7E7,
        (0x13, 0xFE50..=0xFE7E) => code - 0xFE50 + 0xE815,
        (0x13, 0xFE80..=0xFEA0) => code - 0xFE80 + 0xE844,
        _ => return None,
    })
}

/// The rows of code page 950 for private use, where Big5 of the web has the characters of Hong Kong.
fn windows_950_private_use(code: u16) -> Option<u16> {
    let [lead, trail] = code.to_be_bytes().map(u16::from);
    let column = match trail {
        0x40..=0x7E => trail - 0x40,
        0xA1..=0xFE => trail - 0xA1 + 63,
        _ => return None,
    };
    let (first_lead, first_unit) = match lead {
        0x81..=0x8D => (0x81, 0xEEB8),
        0x8E..=0xA0 => (0x8E, 0xE311),
        0xC6 if column < 63 => return None,
        0xC6..=0xC8 => (0xC6, 0xF6B1 - 63),
        0xFA..=0xFE => (0xFA, 0xE000),
        _ => return None,
    };
    Some(first_unit + (lead - first_lead) * 157 + column)
}
