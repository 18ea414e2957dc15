//! Modified UTF-7, the encoding of mailbox names (RFC 3501 section 5.1.3).
//!
//! Written into the folder names of IMAP commands, and into those of a Maildir, which Dovecot keeps in this encoding
//! unless it is told otherwise.

use base64::Engine as _;
use base64::alphabet::IMAP_MUTF7;
use base64::engine::GeneralPurpose;
use base64::engine::general_purpose::NO_PAD;

const ENGINE: GeneralPurpose = GeneralPurpose::new(&IMAP_MUTF7, NO_PAD);

/// The name in modified UTF-7: printable ASCII as it is, `&` as `&-`, everything else as UTF-16 in base64.
pub fn encode(name: &str) -> String {
    let mut encoded = String::with_capacity(name.len());
    let mut shifted = Vec::new();
    for character in name.chars() {
        if !matches!(character, ' '..='~') {
            let mut units = [0; 2];
            shifted.extend(character.encode_utf16(&mut units).iter().flat_map(|unit| unit.to_be_bytes()));
            continue;
        }
        shift_back(&mut shifted, &mut encoded);
        encoded.push(character);
        if character == '&' {
            encoded.push('-');
        }
    }
    shift_back(&mut shifted, &mut encoded);
    encoded
}

fn shift_back(shifted: &mut Vec<u8>, encoded: &mut String) {
    if !shifted.is_empty() {
        encoded.push('&');
        ENGINE.encode_string(&*shifted, encoded);
        encoded.push('-');
        shifted.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // The example of RFC 3501 section 5.1.3: English, Chinese and Japanese in one name.
    #[test]
    fn the_published_example() {
        assert_eq!(
            encode("~peter/mail/\u{53F0}\u{5317}/\u{65E5}\u{672C}\u{8A9E}"),
            "~peter/mail/&U,BTFw-/&ZeVnLIqe-"
        );
    }

    #[test]
    fn an_ampersand_is_escaped_and_astral_characters_are_surrogates() {
        assert_eq!(encode("Q&A"), "Q&-A");
        assert_eq!(encode("\u{1F600}"), "&2D3eAA-");
        assert_eq!(encode(""), "");
    }
}
