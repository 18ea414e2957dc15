//! The kinds of source that SOURCE on the command line can name: one line per kind.

use crate::sources::dxl::{self, DxlSource, RECOGNITION_BYTES, is_dxl};
use crate::sources::nsf::{self, DaosFolders, NsfSource};
use crate::sources::{Glance, Source, SourceError};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

/// Opens the source at a path, with the folders in which its server kept attachments.
type OpenSource = fn(&Path, Option<DaosFolders>) -> Result<Box<dyn Source>, SourceError>;

struct Kind {
    name: &'static str,
    /// Whether a file that begins with these bytes is one.
    recognise: fn(&[u8]) -> bool,
    /// The extensions of their names, in small letters.
    extensions: &'static [&'static str],
    open: OpenSource,
    glance: fn(&Path) -> Result<Glance, SourceError>,
}

const KINDS: &[Kind] = &[
    Kind {
        name: "nsf",
        recognise: |head| head.starts_with(&[0x1A, 0x00]),
        extensions: &["nsf"],
        open: |path, daos| Ok(Box::new(NsfSource::open(path)?.with_daos(daos))),
        glance: nsf::glance,
    },
    Kind {
        name: "dxl",
        recognise: is_dxl,
        extensions: &["dxl"],
        // An export holds the bytes of all attachments.
        open: |path, _| Ok(Box::new(DxlSource::open(path)?)),
        glance: dxl::glance,
    },
];

/// Kinds that the design names and this release does not have.
const LATER: &[&str] = &["imap", "imaps", "pop3", "pop3s"];

/// Why a text names no source.
#[derive(Debug, thiserror::Error)]
pub enum NameError {
    #[error(
        "`{name}`: this release does not read from {kind} yet; give a Notes database as nsf:FILE or an export as dxl:FILE"
    )]
    NotYet { name: String, kind: String },
    #[error("`{name}` names no file")]
    Empty { name: String },
}

/// A source that was named and not touched yet.
pub struct NamedSource {
    /// `None` where the first bytes of the file have to tell.
    kind: Option<&'static Kind>,
    path: PathBuf,
}

impl NamedSource {
    /// Reads `kind:FILE` or the path of a file. Nothing is opened.
    ///
    /// # Errors
    /// [`NameError`] says what was wrong with the text.
    pub fn parse(name: &str) -> Result<Self, NameError> {
        let prefix = name.split_once(':').map_or("", |(prefix, _)| prefix);
        if LATER.contains(&prefix) {
            return Err(NameError::NotYet { name: name.to_owned(), kind: prefix.to_owned() });
        }
        // Any other prefix is part of a path, such as a drive letter.
        let kind = KINDS.iter().find(|kind| kind.name == prefix);
        let path = kind.map_or(name, |kind| &name[kind.name.len() + 1..]);
        if path.is_empty() {
            return Err(NameError::Empty { name: name.to_owned() });
        }
        Ok(Self { kind, path: path.into() })
    }

    /// What lies at a path: a file says itself what it is, a folder is of this kind.
    pub fn at(kind_name: &str, path: PathBuf) -> Self {
        let kind = KINDS.iter().find(|kind| kind.name == kind_name).filter(|_| path.is_dir());
        Self { kind, path }
    }

    /// The name of the file, for people.
    pub fn label(&self) -> String {
        self.path.file_name().unwrap_or(self.path.as_os_str()).display().to_string()
    }

    /// Opens the source.
    ///
    /// # Errors
    /// When it cannot be opened, or is of no kind that is known.
    pub fn open(&self) -> Result<Box<dyn Source>, SourceError> {
        self.open_with(None)
    }

    /// Opens the source with the folders in which its server kept attachments.
    ///
    /// # Errors
    /// As [`NamedSource::open`].
    pub fn open_with(&self, daos: Option<DaosFolders>) -> Result<Box<dyn Source>, SourceError> {
        let kind = self.kind.map_or_else(|| recognise(&self.path), Ok)?;
        (kind.open)(&self.path, daos)
    }

    /// Looks at the head of the source.
    ///
    /// # Errors
    /// As [`NamedSource::open`], as far as the head shows it.
    pub fn glance(&self) -> Result<Glance, SourceError> {
        let kind = self.kind.map_or_else(|| recognise(&self.path), Ok)?;
        (kind.glance)(&self.path)
    }
}

impl From<PathBuf> for NamedSource {
    /// The file at a path, whatever characters it has.
    fn from(path: PathBuf) -> Self {
        Self { kind: None, path }
    }
}

/// Whether a file is a mailbox by its name, so that it is worth a look.
pub fn has_mailbox_name(path: &Path) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    KINDS.iter().any(|kind| kind.extensions.iter().any(|known| known.eq_ignore_ascii_case(extension)))
}

/// Whether this release reads sources of a kind, as a connector names it.
pub fn is_kind(name: &str) -> bool {
    KINDS.iter().any(|kind| kind.name == name)
}

fn recognise(path: &Path) -> Result<&'static Kind, SourceError> {
    let unknown = |why: &str| SourceError::NotADatabase { path: path.to_owned(), why: why.to_owned() };
    if path.is_dir() {
        return Err(unknown("it is a folder; name a folder of DXL files as dxl:FOLDER"));
    }
    let mut head = Vec::new();
    let read = File::open(path).and_then(|file| file.take(RECOGNITION_BYTES as u64).read_to_end(&mut head));
    read.map_err(|error| SourceError::Open { path: path.to_owned(), error })?;
    let known = KINDS.iter().find(|kind| (kind.recognise)(&head));
    known.ok_or_else(|| unknown("its first bytes are neither those of one nor DXL"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_named_by_kind_or_by_path() {
        let parsed = NamedSource::parse("nsf:mail/jane.nsf").unwrap();
        assert!(parsed.kind.is_some());
        assert_eq!(
            (parsed.path.as_path(), parsed.label().as_str()),
            (Path::new("mail/jane.nsf"), "jane.nsf")
        );
        assert_eq!(NamedSource::parse("C:\\mail\\jane.nsf").unwrap().path, Path::new("C:\\mail\\jane.nsf"));
        assert!(matches!(NamedSource::parse("imap://jane@example.com"), Err(NameError::NotYet { .. })));
        assert_eq!(NamedSource::parse("dxl:exports").unwrap().kind.map(|kind| kind.name), Some("dxl"));
        assert!(matches!(NamedSource::parse("nsf:"), Err(NameError::Empty { .. })));
    }

    #[test]
    fn a_folder_is_what_its_connector_says_and_a_file_what_it_holds() {
        let folder = tempfile::tempdir().unwrap();
        let kind_at = |path: &Path| NamedSource::at("dxl", path.to_owned()).kind.map(|kind| kind.name);
        assert_eq!(kind_at(folder.path()), Some("dxl"));
        let path = folder.path().join("jane.nsf");
        std::fs::write(&path, [0x1A, 0]).unwrap();
        assert_eq!(kind_at(&path), None);
    }

    #[test]
    fn a_path_is_recognised_by_its_first_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("letter");
        std::fs::write(&path, b"Dear Jane").unwrap();
        assert!(matches!(recognise(&path), Err(SourceError::NotADatabase { .. })));
        std::fs::write(&path, [0x1A, 0, 0, 4, 0, 0]).unwrap();
        assert_eq!(recognise(&path).unwrap().name, "nsf");
        std::fs::write(&path, b"<?xml version='1.0'?><document xmlns='http://www.lotus.com/dxl'/>").unwrap();
        assert_eq!(recognise(&path).unwrap().name, "dxl");
        std::fs::write(&path, b"<html/>").unwrap();
        assert!(matches!(recognise(&path), Err(SourceError::NotADatabase { .. })));
        assert!(matches!(recognise(&folder.path().join("none")), Err(SourceError::Open { .. })));
    }
}
