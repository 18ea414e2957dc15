//! The identity of an item and of its placements: what "exactly once" is counted by.

use crate::model::folder::FolderPath;
use crate::notes::ids::{ReplicaId, Unid};
use std::fmt;
use std::str::FromStr;

/// The mailbox at the destination that items are delivered into, as one canonical text (`maildir:/srv/mail/jane`).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MailboxId(pub String);

impl MailboxId {
    /// Before the name of an address book: the server keeps its names itself.
    pub const DIRECTORY: &'static str = "directory:";

    /// Whether items become names that the server knows, instead of mail.
    pub fn is_directory(&self) -> bool {
        self.0.starts_with(Self::DIRECTORY)
    }
}

/// What an item is at its source, stable over copies of the source: never a path, connector or migration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Origin {
    /// A Notes document: the same in every replica and every file copy.
    Notes { replica: ReplicaId, unid: Unid },
}

impl fmt::Display for Origin {
    /// The value of the header `X-Notesferry-Key`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Notes { replica, unid } => write!(f, "notes.{replica}.{unid}"),
        }
    }
}

/// A text that is not the value of a header `X-Notesferry-Key`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not the key of an item")]
pub struct OriginError(String);

impl FromStr for Origin {
    type Err = OriginError;

    /// The inverse of `Display`.
    fn from_str(text: &str) -> Result<Self, OriginError> {
        let error = || OriginError(text.to_owned());
        let rest = text.strip_prefix("notes.").ok_or_else(error)?;
        let (replica, unid) = rest.split_once('.').ok_or_else(error)?;
        Ok(Self::Notes {
            replica: replica.parse().map_err(|_| error())?,
            unid: unid.parse().map_err(|_| error())?,
        })
    }
}

/// The key of an item in the ledger.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ItemKey {
    pub mailbox: MailboxId,
    pub origin: Origin,
}

/// The version of an item. Folder membership and unread state are compared apart from it: filing does not
/// change the note.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct ItemVersion {
    pub sequence: u32,
    /// The stored words of the sequence time.
    pub time: [u32; 2],
}

/// The identity of one placement (an item in one target folder) where a short name is needed, such as a file name:
/// 128 bits of BLAKE3 over origin and folder. The same on every machine and in every run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PlacementId(pub [u8; 16]);

impl PlacementId {
    /// The id of `origin` in `folder`.
    pub fn new(origin: &Origin, folder: &FolderPath) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key("notesferry placement 1");
        hasher.update(origin.to_string().as_bytes());
        for part in folder.parts() {
            // A NUL cannot occur in a folder name, so the parts cannot run into each other.
            hasher.update(&[0]);
            hasher.update(part.as_bytes());
        }
        let mut id = [0; 16];
        id.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
        Self(id)
    }
}

impl fmt::Display for PlacementId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_reads_back_from_its_header_value() {
        let origin = Origin::Notes { replica: ReplicaId(0x1234), unid: Unid([7; 16]) };
        assert_eq!(origin.to_string().parse(), Ok(origin));
        assert!("notes.1234".parse::<Origin>().is_err());
        assert!("imap.1234.5678".parse::<Origin>().is_err());
    }

    #[test]
    fn a_placement_is_an_item_in_one_folder() {
        let origin = |unid: u8| Origin::Notes { replica: ReplicaId(1), unid: Unid([unid; 16]) };
        let folder = |parts: &[&str]| FolderPath::new(parts.iter().copied());
        let id = PlacementId::new(&origin(1), &folder(&["a", "b"]));
        assert_eq!(id, PlacementId::new(&origin(1), &folder(&["a", "b"])));
        assert_ne!(id, PlacementId::new(&origin(2), &folder(&["a", "b"])));
        assert_ne!(id, PlacementId::new(&origin(1), &folder(&["ab"])));
        assert_ne!(id, PlacementId::new(&origin(1), &folder(&["a"])));
    }
}
