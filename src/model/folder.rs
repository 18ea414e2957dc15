//! Folders: at the source, with their documents; at the target, as a path.

use std::fmt;

/// A folder path as Unicode parts, outermost first. Destinations map the parts to their own delimiter and encoding.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FolderPath(Vec<String>);

impl FolderPath {
    /// The mailbox that every IMAP server has (RFC 3501 section 5.1).
    pub const INBOX: &'static str = "INBOX";

    pub fn new<'a>(parts: impl IntoIterator<Item = &'a str>) -> Self {
        Self(parts.into_iter().map(str::to_owned).collect())
    }

    pub fn inbox() -> Self {
        Self::new([Self::INBOX])
    }

    pub fn parts(&self) -> &[String] {
        &self.0
    }

    pub fn is_inbox(&self) -> bool {
        matches!(self.0.as_slice(), [only] if only == Self::INBOX)
    }
}

impl fmt::Display for FolderPath {
    /// For people and logs: parts joined by `/`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("/"))
    }
}

/// The id of a folder at its source, stable within one source file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FolderId(pub u32);

/// What a folder is for (RFC 6154 has the same idea for targets).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FolderRole {
    Inbox,
    Drafts,
    Sent,
    Trash,
    Junk,
    /// Made by the user.
    User,
    /// A folder that users do not see (`(...)` or `$...`), which may hold documents all the same.
    Hidden,
}

/// A folder at the source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folder {
    pub id: FolderId,
    /// The title as stored, its nesting split into parts; aliases left out.
    pub path: FolderPath,
    pub role: FolderRole,
    /// How many documents its list names.
    pub documents: u64,
}
