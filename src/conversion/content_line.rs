//! Writes the content lines of iCalendar and vCard, which are the same: escaping, folding, parameters and addresses
//! (RFC 5545 section 3.1, RFC 6350 section 3.2).

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

/// What a mailto URI cannot hold as it is (RFC 6068 section 2).
const NOT_IN_MAILTO: &AsciiSet =
    &CONTROLS.add(b' ').add(b'"').add(b'%').add(b'#').add(b'?').add(b'&').add(b'<').add(b'>').add(b'`');

/// Octets of a content line without its end.
const LINE_BYTES: usize = 75;

/// Values of one list property; longer lists are written as several properties, because some programs read lines into
/// small buffers.
const LIST_VALUES: usize = 100;

/// Collects content lines.
#[derive(Debug, Default)]
pub struct Writer {
    text: String,
}

impl Writer {
    pub fn begin(&mut self, component: &str) {
        self.line("BEGIN", component);
    }

    pub fn end(&mut self, component: &str) {
        self.line("END", component);
    }

    /// A property whose value is no free text. `name` may carry parameters.
    pub fn line(&mut self, name: &str, value: &str) {
        self.text.reserve(name.len() + value.len() + 8);
        let mut column = 0;
        let characters = name.chars().chain([':']).chain(value.chars());
        // A line end in a value would begin another property.
        for character in characters.filter(|c| !c.is_control() || *c == '\t') {
            if column + character.len_utf8() > LINE_BYTES {
                self.text.push_str("\r\n ");
                column = 1;
            }
            self.text.push(character);
            column += character.len_utf8();
        }
        self.text.push_str("\r\n");
    }

    /// A property of free text; none where there is no text.
    pub fn text(&mut self, name: &str, text: &str) {
        if !text.is_empty() {
            self.line(name, &escaped(text));
        }
    }

    /// A property with a list of values that are no free text.
    pub fn list(&mut self, name: &str, values: impl Iterator<Item = String>) {
        let values: Vec<String> = values.collect();
        for values in values.chunks(LIST_VALUES) {
            self.line(name, &values.join(","));
        }
    }

    /// Octets written so far.
    pub fn len(&self) -> usize {
        self.text.len()
    }

    pub fn as_str(&self) -> &str {
        &self.text
    }

    pub fn finish(self) -> String {
        self.text
    }
}

/// RFC 5545 section 3.3.11, RFC 6350 section 3.4.
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 16);
    for character in text.chars() {
        match character {
            '\\' | ';' | ',' => out.extend(['\\', character]),
            '\n' => out.push_str("\\n"),
            _ => out.push(character),
        }
    }
    out
}

/// A parameter with a value in quotes, which it can neither hold nor escape (RFC 5545 section 3.2).
pub fn quoted(name: &str, value: &str) -> String {
    let value: String = value.chars().map(|c| if c == '"' { '\'' } else { c }).collect();
    format!(";{name}=\"{}\"", value.replace(char::is_control, " ").trim())
}

/// An address as a URI.
pub fn mailto(address: &str) -> String {
    format!("mailto:{}", utf8_percent_encode(address, NOT_IN_MAILTO))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lines_are_folded_between_characters() {
        let mut writer = Writer::default();
        writer.text("SUMMARY", &"\u{65E5}".repeat(100));
        let text = writer.finish();
        assert!(text.split("\r\n").all(|line| line.len() <= LINE_BYTES), "{text}");
        assert_eq!(text.replace("\r\n ", ""), format!("SUMMARY:{}\r\n", "\u{65E5}".repeat(100)));
    }

    #[test]
    fn no_value_begins_another_property() {
        let mut writer = Writer::default();
        writer.line("UID", "a\r\nATTENDEE:b");
        writer.text("SUMMARY", "a\nb, c; d\\ e\r\n");
        assert_eq!(writer.finish(), "UID:aATTENDEE:b\r\nSUMMARY:a\\nb\\, c\\; d\\\\ e\\n\r\n");
        assert_eq!(quoted("CN", "a\"b\r\nc"), ";CN=\"a'b  c\"");
    }
}
