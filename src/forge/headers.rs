//! Internet headers as items: the header as it came beside the value that Notes makes of it.

use super::note::ItemSpec;
use super::values::{HeaderKind, rfc822};
use crate::notes::item::ItemType;
use crate::notes::lmbcs;
use crate::notes::timedate::Timedate;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::borrow::Cow;

/// Larger headers go outside the summary, which is the part of a note with the tightest limits.
const SUMMARY_BYTES: usize = 4 << 10;

/// The item that holds a header of this name.
pub fn item_name(header: &str) -> Cow<'static, str> {
    let known = match header.to_ascii_lowercase().as_str() {
        "from" => "From",
        "to" => "SendTo",
        "cc" => "CopyTo",
        "bcc" => "BlindCopyTo",
        "subject" => "Subject",
        "date" => "PostedDate",
        "message-id" => "$MessageID",
        "reply-to" => "ReplyTo",
        "x-mailer" => "$Mailer",
        "mime-version" => "MIME_Version",
        // Item names are ASCII; a header name that is not gets one that is.
        _ => {
            return header
                .chars()
                .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
                .collect::<String>()
                .into();
        }
    };
    Cow::Borrowed(known)
}

/// A header whose decoded value is `text`. `delimiter` is the colon with the white space after it, `body` the rest
/// with its line end.
pub fn text_header(kind: HeaderKind, name: &str, delimiter: &str, body: &[u8], text: &str) -> ItemSpec {
    header(kind, &lmbcs::encode(text), name, delimiter, body)
}

/// A date header.
pub fn date_header(name: &str, delimiter: &str, body: &[u8], time: Timedate) -> ItemSpec {
    header(HeaderKind::Date, &time.to_stored(), name, delimiter, body)
}

fn header(kind: HeaderKind, native: &[u8], name: &str, delimiter: &str, body: &[u8]) -> ItemSpec {
    let value = rfc822(kind, native, name, delimiter, body);
    let large = value.len() > SUMMARY_BYTES;
    let item = ItemSpec::new(item_name(name), ItemType::RFC822_TEXT, value);
    if large { item.outside_summary() } else { item }
}

/// A text as header words: as it is, or as encoded words (RFC 2047 section 2) of at most 75 characters each.
pub fn encode_words(text: &str) -> String {
    const CHARACTERS: usize = 10;
    if text.is_ascii() {
        return text.to_owned();
    }
    let letters: Vec<char> = text.chars().collect();
    let words = letters.chunks(CHARACTERS).map(|part| {
        let part: String = part.iter().collect();
        format!("=?UTF-8?B?{}?=", STANDARD.encode(part))
    });
    words.collect::<Vec<_>>().join("\r\n ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_names_become_item_names() {
        assert_eq!(
            ["To", "DATE", "In-Reply-To", "X-a.b"].map(item_name),
            ["SendTo", "PostedDate", "In_Reply_To", "X_a_b"]
        );
    }

    #[test]
    fn long_texts_become_several_words() {
        assert_eq!(encode_words("plain"), "plain");
        let words = encode_words(&"\u{304a}".repeat(25));
        assert_eq!(words.lines().count(), 3);
        assert!(words.lines().all(|line| line.len() <= 76));
    }
}
