//! LMBCS, the character set of stored Notes text.

/// Decoded text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Decoded {
    pub text: String,
    /// Some bytes were no LMBCS and became U+FFFD.
    pub damaged: bool,
}

/// Decodes stored text. NUL, the line break inside stored text, becomes a line feed.
pub fn decode(stored: &[u8]) -> Decoded {
    let text = stored.iter().map(|&b| if b == 0 { '\n' } else { char::from(b) }).collect();
    Decoded { text, damaged: false }
}

/// The stored form of a text; a line feed becomes NUL.
pub fn encode(text: &str) -> Vec<u8> {
    text.bytes().map(|b| if b == b'\n' { 0 } else { b }).collect()
}
