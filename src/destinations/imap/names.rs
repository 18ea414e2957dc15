//! What a folder is called on an IMAP server.
//!
//! The parts of a path are joined by the server's delimiter and encoded in modified UTF-7. Where that delimiter or a
//! control character stands in a part, it becomes `_`. Servers refuse more than the standard says (a dot, a long
//! name), so each folder has a second, plainer name.

use crate::connectors::imap::Listed;
use crate::connectors::modified_utf7;
use crate::model::folder::FolderPath;
use std::collections::HashMap;

/// Bytes of a plain name: servers that keep folders as directories allow 255 for the whole path.
const PLAIN_NAME_BYTES: usize = 160;

/// Characters of the last part that a shortened name keeps: in modified UTF-7 at most 16/3 bytes each.
const SHORTENED_CHARACTERS: usize = 20;

/// How names are made on one server.
#[derive(Clone, Debug, Default)]
pub struct Layout {
    /// Nothing on a server without hierarchy.
    delimiter: Option<String>,
    /// What every name begins with, encoded.
    root: String,
    /// The folders that the server announces for a use, by our name for them.
    special: HashMap<&'static str, String>,
    /// Everything goes below a folder of its own, the inbox too.
    below_prefix: bool,
}

impl Layout {
    /// The layout that follows from what a server lists, the begin of its personal names, and the prefix that the
    /// user wants.
    pub fn new(listed: &[Listed], namespace: &str, prefix: &[String]) -> Self {
        let delimiter = listed.iter().find_map(|folder| folder.delimiter.clone());
        let uses = listed.iter().filter(|folder| folder.selectable);
        let special = uses.filter_map(|folder| Some((folder.special_use?, folder.name.clone()))).collect();
        let mut layout =
            Self { delimiter, root: namespace.to_owned(), special, below_prefix: !prefix.is_empty() };
        if layout.below_prefix {
            let separator = layout.separator();
            layout.root = format!("{}{separator}", layout.joined(prefix, |part| layout.part(part)));
        }
        layout
    }

    /// The names to be tried for a folder, the best first.
    pub fn names(&self, folder: &FolderPath) -> Vec<String> {
        if !self.below_prefix {
            if folder.is_inbox() {
                return vec![FolderPath::INBOX.to_owned()];
            }
            if let [only] = folder.parts()
                && let Some(name) = self.special.get(only.as_str())
            {
                return vec![name.clone()];
            }
        }
        let mut names = vec![self.joined(folder.parts(), |part| self.part(part))];
        let plain = self.plain(folder);
        if plain != names[0] {
            names.push(plain);
        }
        names
    }

    fn separator(&self) -> &str {
        self.delimiter.as_deref().unwrap_or("_")
    }

    fn joined(&self, parts: &[String], map: impl Fn(&str) -> String) -> String {
        let parts: Vec<String> = parts.iter().map(|part| modified_utf7::encode(&map(part))).collect();
        format!("{}{}", self.root, parts.join(self.separator()))
    }

    fn part(&self, part: &str) -> String {
        let delimiter = self.separator();
        let replaced = if part.is_empty() { "_".to_owned() } else { part.replace(delimiter, "_") };
        replaced.replace(char::is_control, "_")
    }

    fn plain(&self, folder: &FolderPath) -> String {
        let plain_part = |part: &str| {
            let plain = self.part(part).replace(|character| "./\\*%\"&~^#!".contains(character), "_");
            let trimmed = plain.trim();
            if trimmed.is_empty() { "_".to_owned() } else { trimmed.to_owned() }
        };
        let name = self.joined(folder.parts(), plain_part);
        if name.len() <= PLAIN_NAME_BYTES {
            return name;
        }
        let last = folder.parts().last().map(String::as_str).unwrap_or_default();
        let kept: String = plain_part(last).chars().take(SHORTENED_CHARACTERS).collect();
        let whole = blake3::hash(name.as_bytes()).to_hex();
        self.joined(&[format!("{kept}-{}", &whole[..8])], str::to_owned)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(name: &str, delimiter: Option<&str>, special_use: Option<&'static str>) -> Listed {
        Listed {
            name: name.to_owned(),
            delimiter: delimiter.map(str::to_owned),
            selectable: true,
            special_use,
        }
    }

    fn first(layout: &Layout, parts: &[&str]) -> String {
        layout.names(&FolderPath::new(parts.iter().copied())).remove(0)
    }

    #[test]
    fn parts_are_joined_by_the_delimiter_of_the_server() {
        for (delimiter, expected) in
            [(Some("/"), "1.2/Q&-A_B"), (Some("."), "1_2.Q&-A/B"), (None, "1.2_Q&-A/B")]
        {
            let layout = Layout::new(&[listed("INBOX", delimiter, None)], "", &[]);
            assert_eq!(first(&layout, &["1.2", "Q&A/B"]), expected);
            assert_eq!(first(&layout, &["INBOX"]), "INBOX");
        }
    }

    #[test]
    fn f05_the_delimiter_inside_a_name_is_replaced() {
        let layout = Layout::new(&[listed("INBOX", Some("/"), None)], "", &[]);
        assert_eq!(first(&layout, &["A/B", "C"]), "A_B/C");
    }

    #[test]
    fn the_server_says_where_its_special_folders_are() {
        let listed = [listed("INBOX", Some("/"), None), listed("[Mail]/Sent items", Some("/"), Some("Sent"))];
        let layout = Layout::new(&listed, "", &[]);
        assert_eq!(first(&layout, &["Sent"]), "[Mail]/Sent items");
        assert_eq!(first(&layout, &["Sent", "2014"]), "Sent/2014");
        assert_eq!(first(&layout, &["Drafts"]), "Drafts");
        let below = Layout::new(&listed, "", &["Old mail".to_owned(), "Notes".to_owned()]);
        assert_eq!(first(&below, &["Sent"]), "Old mail/Notes/Sent");
        assert_eq!(first(&below, &["INBOX"]), "Old mail/Notes/INBOX");
    }

    #[test]
    fn names_begin_with_the_personal_namespace() {
        let layout = Layout::new(&[listed("INBOX", Some("."), None)], "INBOX.", &[]);
        assert_eq!(first(&layout, &["Work"]), "INBOX.Work");
        assert_eq!(first(&layout, &["INBOX"]), "INBOX");
    }

    #[test]
    fn the_second_name_is_plain_and_short() {
        let layout = Layout::new(&[listed("INBOX", Some("/"), None)], "", &[]);
        let second = |parts: &[&str]| layout.names(&FolderPath::new(parts.iter().copied())).pop().unwrap();
        assert_eq!(second(&[".."]), "__");
        assert_eq!(second(&["1.2", "50%"]), "1_2/50_");
        let long = "\u{1F600}".repeat(100);
        let names = ["a", "b"].map(|top| second(&[top, &long]));
        assert!(names[0] != names[1] && names.iter().all(|name| name.len() <= PLAIN_NAME_BYTES), "{names:?}");
        assert_eq!(layout.names(&FolderPath::new(["Work"])).len(), 1);
    }
}
