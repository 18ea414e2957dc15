//! Where a mailbox lies: only below a source root, whatever the server names.
//!
//! The roots are what the person at this machine allowed. So the path is followed to its end, symbolic links included,
//! and that end has to lie below the end of a root.

use crate::extractor::settings::Place;
use crate::sources::registry;
use std::io;
use std::path::{Component, Path, PathBuf};

/// Why a mailbox is not opened.
#[derive(Debug, thiserror::Error)]
pub enum PlaceError {
    #[error("this extractor does not read mailboxes of the kind `{0}`")]
    Kind(String),
    #[error("`{0}` is no path below a folder")]
    NotBelow(String),
    #[error("{path} cannot be found: {error}")]
    Missing { path: PathBuf, error: io::Error },
    #[error("{0} lies outside of the folders that this extractor may read (--source)")]
    Outside(PathBuf),
}

/// The file of a mailbox. `roots` are in canonical form.
///
/// # Errors
/// [`PlaceError`]
pub fn locate(roots: &[PathBuf], place: &Place) -> Result<PathBuf, PlaceError> {
    if !registry::is_kind(&place.kind) {
        return Err(PlaceError::Kind(place.kind.clone()));
    }
    let mut path = PathBuf::from(&place.location);
    for part in place.mailbox.split('/').filter(|_| !place.mailbox.is_empty()) {
        // A part that is absolute would take the place of all before it.
        if part.is_empty() || part == ".." || Path::new(part).is_absolute() || Path::new(part).has_root() {
            return Err(PlaceError::NotBelow(place.mailbox.clone()));
        }
        path.push(part);
    }
    let straight = path.components().all(|part| part != Component::ParentDir);
    let below = straight && roots.iter().any(|root| path.starts_with(root));
    let found = path.canonicalize().map_err(|error| match below {
        true => PlaceError::Missing { path: path.clone(), error },
        // Not even whether it exists is told of what lies elsewhere.
        false => PlaceError::Outside(path.clone()),
    })?;
    match roots.iter().any(|root| found.starts_with(root)) {
        true => Ok(found),
        false => Err(PlaceError::Outside(path)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(location: &Path, mailbox: &str) -> Place {
        let location = location.to_str().unwrap().to_owned();
        Place { kind: "nsf".to_owned(), location, mailbox: mailbox.to_owned() }
    }

    #[test]
    fn a_mailbox_lies_below_a_root() {
        let temporary = tempfile::tempdir().unwrap();
        let base = temporary.path().canonicalize().unwrap();
        let root = base.join("mail");
        std::fs::create_dir_all(root.join("a")).unwrap();
        std::fs::write(root.join("a/jane.nsf"), "").unwrap();
        std::fs::write(base.join("secret.nsf"), "").unwrap();
        std::fs::create_dir(base.join("mail2")).unwrap();
        let roots = [root.clone()];
        let outside =
            |place: &Place| matches!(locate(&roots, place), Err(PlaceError::Outside(_))).then_some(());

        let file = root.join("a/jane.nsf");
        assert_eq!(locate(&roots, &place(&root, "a/jane.nsf")).unwrap(), file);
        assert_eq!(locate(&roots, &place(&root.join("a"), "jane.nsf")).unwrap(), file);
        assert_eq!(locate(&roots, &place(&file, "")).unwrap(), file);
        assert_eq!(outside(&place(&base, "secret.nsf")), Some(()));
        assert_eq!(outside(&place(&base, "mail2")), Some(()), "a name that begins like a root");
        assert_eq!(outside(&place(&base, "none.nsf")), Some(()), "nothing is told of other folders");
        assert_eq!(outside(&place(&root.join("../secret.nsf"), "")), Some(()));
        assert!(matches!(locate(&roots, &place(&root, "none.nsf")), Err(PlaceError::Missing { .. })));
        for odd in ["../secret.nsf", "/etc/passwd", "a//jane.nsf", "a/../../secret.nsf"] {
            assert!(matches!(locate(&roots, &place(&root, odd)), Err(PlaceError::NotBelow(_))), "{odd}");
        }
        let imap = Place { kind: "imap".to_owned(), ..place(&root, "jane") };
        assert!(matches!(locate(&roots, &imap), Err(PlaceError::Kind(_))));
    }

    #[cfg(unix)]
    #[test]
    fn a_symbolic_link_leads_nowhere_else() {
        let temporary = tempfile::tempdir().unwrap();
        let base = temporary.path().canonicalize().unwrap();
        let root = base.join("mail");
        std::fs::create_dir(&root).unwrap();
        std::fs::write(base.join("secret.nsf"), "").unwrap();
        std::os::unix::fs::symlink(base.join("secret.nsf"), root.join("jane.nsf")).unwrap();
        let located = locate(std::slice::from_ref(&root), &place(&root, "jane.nsf"));
        assert!(matches!(located, Err(PlaceError::Outside(_))));
    }
}
