//! Link targets: which are harmless, and how a link into a Notes database is written.

use crate::notes::ids::Unid;
use crate::notes::names::NotesName;
use crate::notes::value::NoteLink;

/// Schemes that a mail program may follow without running anything.
pub const SCHEMES: [&str; 6] = ["http", "https", "mailto", "ftp", "tel", "notes"];

/// The target without blanks around it, if its scheme is harmless. A bare host name is taken as a web page.
pub fn safe_url(target: &str) -> Option<String> {
    let target: String = target.trim().chars().filter(|c| !c.is_control()).collect();
    let scheme = target.split_once(':').map_or("", |(scheme, _)| scheme).to_ascii_lowercase();
    if SCHEMES.contains(&scheme.as_str()) {
        return Some(target);
    }
    target.starts_with("www.").then(|| format!("http://{target}"))
}

/// The URL of a document, view or database: `notes://server/replica/view/document`, where what is all zero is left
/// out at the end and `0` in the middle. The server may be unknown.
pub fn notes_url(link: &NoteLink, server: &str) -> String {
    let none = Unid::default();
    let server = percent_encode(NotesName::parse(server).common_name());
    let mut url = format!("notes://{server}/{}", link.replica);
    match (link.view == none, link.document == none) {
        (true, true) => {}
        (false, true) => append!(url, "/{}", link.view),
        (true, false) => append!(url, "/0/{}", link.document),
        (false, false) => append!(url, "/{}/{}", link.view, link.document),
    }
    url
}

/// Text as a part of a URL, all but letters, digits and `-._~` encoded.
pub fn percent_encode(text: &str) -> String {
    text.bytes().fold(String::new(), |mut url, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            url.push(char::from(byte));
        } else {
            append!(url, "%{byte:02X}");
        }
        url
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notes::ids::ReplicaId;

    #[test]
    fn only_harmless_schemes_pass() {
        assert_eq!(safe_url(" HTTPS://example.com "), Some("HTTPS://example.com".into()));
        assert_eq!(safe_url("www.example.com"), Some("http://www.example.com".into()));
        for target in ["javascript:x()", "java\nscript:x()", "data:text/html,x", "", "example"] {
            assert_eq!(safe_url(target), None, "{target}");
        }
    }

    // R07.
    #[test]
    fn r07_a_link_into_notes() {
        let replica = ReplicaId(0x8525_6826_004C_8489);
        let link = NoteLink { replica, view: Unid::default(), document: Unid([0xAB; 16]) };
        let document = "AB".repeat(16);
        assert_eq!(notes_url(&link, "CN=Srv/O=Acme"), format!("notes://Srv/85256826004C8489/0/{document}"));
        let database = NoteLink { document: Unid::default(), ..link };
        assert_eq!(notes_url(&database, ""), "notes:///85256826004C8489");
    }
}
