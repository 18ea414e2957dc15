//! The kinds of destination that TARGET on the command line can name: one line per kind.

use crate::base::secret::Secret;
use crate::destinations::eml::EmlTree;
use crate::destinations::imap::{Address, Imap};
use crate::destinations::maildir::Maildir;
use crate::destinations::{Destination, DestinationError};
use crate::model::item::MailboxId;
use std::io;
use std::path::{Path, PathBuf};
use std::thread;

/// A kind that is named by a directory.
struct Kind {
    name: &'static str,
    open: fn(&Path) -> Box<dyn Destination>,
}

const KINDS: &[Kind] = &[
    Kind { name: "maildir", open: |path| Box::new(Maildir::new(path)) },
    Kind { name: "eml", open: |path| Box::new(EmlTree::new(path)) },
];

/// Kinds that are named by an address.
const IMAP_KINDS: &[&str] = &["imap", "imaps"];

/// Kinds that the design names and this release does not have.
const LATER: &[&str] = &["smtp", "smtps", "mbox", "caldav+https", "carddav+https"];

/// Why a text names no destination. A text with an address in it is not repeated: a password may stand there.
#[derive(Debug, thiserror::Error)]
pub enum TargetError {
    #[error("this release does not write to {kind} yet; use {}", known_kinds())]
    NotYet { kind: String },
    #[error("`{target}` names no kind of target; use {}", known_kinds())]
    Unknown { target: String },
    #[error("`{target}` names no directory")]
    Empty { target: String },
    #[error("the directory of `{target}` cannot be resolved: {error}")]
    Path { target: String, error: io::Error },
    #[error("the address of the target cannot be used: {why}")]
    Address { why: &'static str },
}

/// A destination that was named and not touched yet.
pub struct Target(Place);

enum Place {
    Folder {
        kind: &'static Kind,
        path: PathBuf,
    },
    Imap(Address),
    /// The server's own table of names, by the name of an address book.
    Directory(MailboxId),
}

impl Target {
    /// Reads `kind:DIR` or `imaps://user@host`. Nothing is made.
    ///
    /// # Errors
    /// [`TargetError`] says what was wrong with the text.
    pub fn parse(target: &str) -> Result<Self, TargetError> {
        let owned = || target.to_owned();
        let Some((kind_name, rest)) = target.split_once(':') else {
            return Err(TargetError::Unknown { target: owned() });
        };
        if IMAP_KINDS.contains(&kind_name) {
            let address = Address::parse(target).map_err(|why| TargetError::Address { why })?;
            return Ok(Self(Place::Imap(address)));
        }
        if target.starts_with(MailboxId::DIRECTORY) && !rest.is_empty() {
            return Ok(Self(Place::Directory(MailboxId(owned()))));
        }
        if LATER.contains(&kind_name) {
            return Err(TargetError::NotYet { kind: kind_name.to_owned() });
        }
        let Some(kind) = KINDS.iter().find(|kind| kind.name == kind_name) else {
            return Err(TargetError::Unknown { target: owned() });
        };
        if rest.is_empty() {
            return Err(TargetError::Empty { target: owned() });
        }
        let path = resolve(Path::new(rest)).map_err(|error| TargetError::Path { target: owned(), error })?;
        Ok(Self(Place::Folder { kind, path }))
    }

    /// The name under which the ledger knows this destination: the same from wherever and however it was named.
    pub fn mailbox(&self) -> MailboxId {
        MailboxId(match &self.0 {
            Place::Folder { kind, path } => format!("{}:{}", kind.name, path.display()),
            Place::Imap(address) => address.canonical(),
            Place::Directory(book) => return book.clone(),
        })
    }

    /// Whether items become names that the server knows.
    pub fn is_directory(&self) -> bool {
        matches!(self.0, Place::Directory(_))
    }

    /// Whether [`Target::open`] needs a password.
    pub fn wants_password(&self) -> bool {
        matches!(self.0, Place::Imap(_))
    }

    /// The destination, logged in where that is needed. Nothing is made before its `prepare`.
    ///
    /// # Errors
    /// When a server cannot be reached or refuses the log-in. Names are kept by a server of ours only, which does not
    /// open its table here.
    pub fn open(&self, password: Secret) -> Result<Box<dyn Destination>, DestinationError> {
        match &self.0 {
            Place::Folder { kind, path } => Ok((kind.open)(path)),
            Place::Directory(book) => Err(DestinationError::Unreachable {
                target: book.0.clone(),
                why: "only `notesferry serve` keeps names".to_owned(),
            }),
            Place::Imap(address) => Ok(Box::new(Imap::open(address, password, Box::new(thread::sleep))?)),
        }
    }
}

/// The absolute path without links, as far as it exists already.
fn resolve(path: &Path) -> io::Result<PathBuf> {
    let path = std::path::absolute(path)?;
    for ancestor in path.ancestors() {
        if let (Ok(real), Ok(rest)) = (ancestor.canonicalize(), path.strip_prefix(ancestor)) {
            return Ok(if rest.as_os_str().is_empty() { real } else { real.join(rest) });
        }
    }
    Ok(path)
}

fn known_kinds() -> String {
    let kinds: Vec<String> = KINDS.iter().map(|kind| format!("{}:DIR", kind.name)).collect();
    format!("{} or imaps://user@host", kinds.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_has_one_name_however_it_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        let name = |path: String| Target::parse(&format!("maildir:{path}")).unwrap().mailbox().0;
        let expected = format!("maildir:{}", root.join("mail").display());
        assert_eq!(name(format!("{}/mail", root.display())), expected);
        assert_eq!(name(format!("{}/./mail/", root.display())), expected);
        std::fs::create_dir(root.join("mail")).unwrap();
        assert_eq!(name(format!("{}/mail/", root.display())), expected);
    }

    #[test]
    fn an_error_never_shows_a_password() {
        for target in
            ["imap://jane:hunter2@example.com", "imaps://:hunter2@", "smtp://jane:hunter2@example.com"]
        {
            let error = Target::parse(target).err().unwrap().to_string();
            assert!(!error.contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn what_is_no_target_is_told_apart() {
        assert!(matches!(Target::parse("smtp://example.com"), Err(TargetError::NotYet { .. })));
        assert!(matches!(Target::parse("imaps://example.com"), Err(TargetError::Address { .. })));
        assert!(matches!(Target::parse("ftp:/x"), Err(TargetError::Unknown { .. })));
        assert!(matches!(Target::parse("/srv/mail"), Err(TargetError::Unknown { .. })));
        assert!(matches!(Target::parse("eml:"), Err(TargetError::Empty { .. })));
    }
}
