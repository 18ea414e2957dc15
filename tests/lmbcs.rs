//! LMBCS against ICU, whose `uconv` (Debian package icu-devtools) has a converter for it. Skipped where it is missing.

use std::fs;
use std::process::Command;

use notesferry::notes::lmbcs::{decode, encode};

/// Stands between the sequences of one run; neither program makes it of anything else.
const SEPARATOR: &str = "\t@@\t";

/// What ICU makes of LMBCS, none without ICU. What it cannot read comes out as `\x` and the hexadecimal byte.
fn icu(stored: &[u8]) -> Option<String> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("stored");
    fs::write(&file, stored).unwrap();
    let mut command = Command::new("uconv");
    command.args(["-f", "LMBCS-1", "-t", "UTF-8", "--callback", "escape-c"]).arg(file);
    let Ok(output) = command.output() else {
        eprintln!("skipped: uconv is not on the PATH");
        return None;
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(String::from_utf8(output.stdout).unwrap())
}

/// Decodes each sequence with both and compares; `SEPARATOR` keeps them apart, so that one cannot shift the next.
fn check_sequences(sequences: &[Vec<u8>]) {
    let Some(text) = icu(&sequences.join(SEPARATOR.as_bytes())) else { return };
    let expected: Vec<&str> = text.split(SEPARATOR).collect();
    assert_eq!(expected.len(), sequences.len());
    for (stored, expected) in sequences.iter().zip(expected) {
        let decoded = decode(stored);
        if expected.contains("\\x") {
            assert!(decoded.damaged, "{stored:02X?}: {:?}, ICU has none", decoded.text);
        } else {
            assert_eq!(decoded.text, expected, "{stored:02X?}");
            assert!(!decoded.damaged || expected == "\u{FFFD}", "{stored:02X?}");
        }
    }
}

// NUL ends a string for ICU and breaks the line for us; the other bytes below 20 need what follows them.
#[test]
fn single_bytes_agree_with_icu() {
    let bytes = [b'\t', b'\n', b'\r', 0x19].into_iter().chain(0x20..=0xFF);
    check_sequences(&bytes.map(|byte| vec![byte]).collect::<Vec<_>>());
}

#[test]
fn groups_of_single_byte_pages_agree_with_icu() {
    for group in [0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x08, 0x0B] {
        check_sequences(&(1..=0xFF).map(|byte| vec![group, byte]).collect::<Vec<_>>());
    }
}

// Below 20 ICU computes a negative number.
#[test]
fn the_control_group_agrees_with_icu() {
    check_sequences(&(0x20..=0xFF).map(|byte| vec![0x0F, byte]).collect::<Vec<_>>());
}

#[test]
fn groups_of_double_byte_pages_agree_with_icu() {
    for group in 0x10..=0x13 {
        let pairs = (0x20..=0xFF).flat_map(|lead| (0x20..=0xFF).map(move |trail| vec![group, lead, trail]));
        check_sequences(&pairs.collect::<Vec<_>>());
    }
}

// ICU's Japanese page exchanges three control characters, as IBM's mainframes do; it is left at that for DEL.
#[test]
fn doubled_group_bytes_agree_with_icu() {
    for group in 0x10..=0x13 {
        let bytes = (0x20..=0xFF).filter(|&byte| (group, byte) != (0x10, 0x7F));
        check_sequences(&bytes.map(|byte| vec![group, group, byte]).collect::<Vec<_>>());
    }
}

// Lone surrogates are left out, because ICU hands them on, and U+FFFE and U+FFFF, which mean "none" inside ICU.
#[test]
fn the_utf16_group_agrees_with_icu() {
    let high = (0..=0xFF).filter(|high| !(0xD8..=0xDF).contains(high));
    let units = high.flat_map(|high| (0..=0xFF).map(move |low| vec![0x14, high, low]));
    let units = units.filter(|unit| unit[1] != 0xF6 || !(0xD8..=0xDF).contains(&unit[2]));
    let units = units.filter(|unit| !unit.starts_with(&[0x14, 0xFF]) || unit[2] < 0xFE);
    check_sequences(&units.collect::<Vec<_>>());
    check_sequences(&[vec![0x14, 0xD8, 0x3D, 0x14, 0xF6, 0xDE], vec![0x14, 0xF6, 0xD8, 0x14, 0xDC, 0x01]]);
}

#[test]
fn icu_reads_what_we_write_in_every_script() {
    for text in [
        "Plain text, \t and \r controls \u{1B}\u{85}",
        "Fran\u{E7}ais, \u{201C}quoted\u{201D} \u{2014} it\u{2019}s 5 \u{20AC} \u{2026}",
        "\u{395}\u{3BB}\u{3BB}\u{3B7}\u{3BD}\u{3B9}\u{3BA}\u{3AC}",
        "\u{420}\u{443}\u{441}\u{441}\u{43A}\u{438}\u{439} \u{44F}\u{437}\u{44B}\u{43A}",
        "\u{5E2}\u{5D1}\u{5E8}\u{5D9}\u{5EA}",
        "\u{627}\u{644}\u{639}\u{631}\u{628}\u{64A}\u{629}",
        "P\u{159}\u{ED}li\u{161} \u{17E}lu\u{165}ou\u{10D}k\u{FD}, \u{141}\u{F3}d\u{17A}",
        "T\u{FC}rk\u{E7}e \u{130}\u{131}\u{11F}\u{15F}",
        "\u{E44}\u{E17}\u{E22}",
        "\u{65E5}\u{672C}\u{8A9E}\u{306E}\u{FF83}\u{FF7D}\u{FF84}",
        "\u{D55C}\u{AD6D}\u{C5B4}",
        "\u{7E41}\u{9AD4}\u{4E2D}\u{6587}",
        "\u{7B80}\u{4F53}\u{4E2D}\u{6587}",
        "\u{939}\u{93F}\u{928}\u{94D}\u{926}\u{940} \u{100}\u{1E00}",
        "\u{1F600}\u{20000}\u{10FFFF}",
        "\u{E000}\u{F600}\u{F601}\u{F6FF}\u{F8FF}",
    ] {
        let Some(decoded) = icu(&encode(text)) else { return };
        assert_eq!(decoded, text);
    }
}

// Every character of the Basic Multilingual Plane (but for the two above); the line feed is NUL in stored text, which ICU takes as it is.
#[test]
fn icu_reads_every_character_that_we_write() {
    let text: String = ('\u{1}'..'\u{FFFE}').filter(|&character| character != '\n').collect();
    let Some(decoded) = icu(&encode(&text)) else { return };
    let difference = decoded.chars().zip(text.chars()).find(|(read, written)| read != written);
    assert_eq!((difference, decoded.len()), (None, text.len()));
    assert_eq!(icu(&encode("a\nb")).as_deref(), Some("a\0b"));
}
