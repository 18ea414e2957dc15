//! The kinds of destination that TARGET on the command line can name: one line per kind.

use crate::destinations::Destination;
use crate::destinations::eml::EmlTree;
use crate::destinations::maildir::Maildir;
use crate::model::item::MailboxId;
use std::io;
use std::path::{Path, PathBuf};

struct Kind {
    name: &'static str,
    open: fn(&Path) -> Box<dyn Destination>,
}

const KINDS: &[Kind] = &[
    Kind { name: "maildir", open: |path| Box::new(Maildir::new(path)) },
    Kind { name: "eml", open: |path| Box::new(EmlTree::new(path)) },
];

/// Kinds that the design names and this release does not have.
const LATER: &[&str] = &["imap", "imaps", "smtp", "smtps", "mbox", "caldav+https", "carddav+https"];

/// Why a text names no destination.
#[derive(Debug, thiserror::Error)]
pub enum TargetError {
    #[error("`{target}`: this release does not write to {kind} yet; use {}", known_kinds())]
    NotYet { target: String, kind: String },
    #[error("`{target}` names no kind of target; use {}", known_kinds())]
    Unknown { target: String },
    #[error("`{target}` names no directory")]
    Empty { target: String },
    #[error("the directory of `{target}` cannot be resolved: {error}")]
    Path { target: String, error: io::Error },
}

/// A destination that was named and not touched yet.
pub struct Target {
    kind: &'static Kind,
    path: PathBuf,
}

impl Target {
    /// Reads `kind:DIR`. Nothing is made.
    ///
    /// # Errors
    /// [`TargetError`] says what was wrong with the text.
    pub fn parse(target: &str) -> Result<Self, TargetError> {
        let owned = || target.to_owned();
        let Some((kind_name, rest)) = target.split_once(':') else {
            return Err(TargetError::Unknown { target: owned() });
        };
        let Some(kind) = KINDS.iter().find(|kind| kind.name == kind_name) else {
            let later = LATER.contains(&kind_name);
            return Err(match later {
                true => TargetError::NotYet { target: owned(), kind: kind_name.to_owned() },
                false => TargetError::Unknown { target: owned() },
            });
        };
        if rest.is_empty() {
            return Err(TargetError::Empty { target: owned() });
        }
        let path = resolve(Path::new(rest)).map_err(|error| TargetError::Path { target: owned(), error })?;
        Ok(Self { kind, path })
    }

    /// The name under which the ledger knows this destination: the same from whatever directory it was named.
    pub fn mailbox(&self) -> MailboxId {
        MailboxId(format!("{}:{}", self.kind.name, self.path.display()))
    }

    /// The destination. Nothing is made before its `prepare`.
    pub fn open(&self) -> Box<dyn Destination> {
        (self.kind.open)(&self.path)
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
    kinds.join(" or ")
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
    fn what_is_no_target_is_told_apart() {
        assert!(matches!(Target::parse("imaps://jane@example.com"), Err(TargetError::NotYet { .. })));
        assert!(matches!(Target::parse("ftp:/x"), Err(TargetError::Unknown { .. })));
        assert!(matches!(Target::parse("/srv/mail"), Err(TargetError::Unknown { .. })));
        assert!(matches!(Target::parse("eml:"), Err(TargetError::Empty { .. })));
    }
}
