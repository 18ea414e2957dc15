//! What the administrator tells about Notes names and about the form of items, for `migrate` and `serve`.
//!
//! Files are read once, before the first document; `conversion` gets what they say as data.

use crate::base::limits::LIST_PAGE_ITEMS;
use crate::conversion::{Choices, Directory, VcardVersion};
use crate::model::content::Content;
use crate::modes::exit::IN_USE_ADVICE;
use crate::modes::{Exit, Failure};
use crate::sources::SourceError;
use crate::sources::registry::NamedSource;
use clap::{Args, ValueEnum};
use std::fs::File;
use std::path::{Path, PathBuf};

/// Names and forms, as options of a command.
#[derive(Debug, Args)]
pub struct ConversionArguments {
    /// A Domino directory or personal address book (names.nsf, or its export as DXL) in which the Internet addresses
    /// of Notes names are looked up; may be given several times.
    #[arg(long = "directory", value_name = "FILE")]
    directories: Vec<PathBuf>,

    /// A CSV table of Notes names and their Internet addresses, for names that no directory knows.
    ///
    /// Each row is `name,address`. The name `*/Sales/Acme` stands for all names that end so; in its address {first},
    /// {last} and {name} stand for words of the name: `*/Acme,{first}.{last}@example.com`.
    #[arg(long, value_name = "FILE")]
    address_table: Option<PathBuf>,

    /// The version in which contacts are written.
    #[arg(long, value_enum, default_value_t, value_name = "VERSION")]
    vcard: Vcard,

    /// How pages of a notebook arrive where the target stores objects: as mail with everything in it, or as VJOURNAL,
    /// which has neither attachments nor images and which few programs show.
    #[arg(long, value_enum, default_value_t, value_name = "FORM")]
    journal: Journal,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum, serde::Deserialize)]
pub enum Vcard {
    #[value(name = "3.0")]
    #[serde(rename = "3.0")]
    V3,
    #[default]
    #[value(name = "4.0")]
    #[serde(rename = "4.0")]
    V4,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Journal {
    #[default]
    Mail,
    Vjournal,
}

impl ConversionArguments {
    /// # Errors
    /// As [`read`].
    pub fn directory(&self) -> Result<Directory, Failure> {
        read(&self.directories, self.address_table.as_deref())
    }

    pub fn choices(&self) -> Choices {
        choices(self.vcard, self.journal)
    }
}

pub fn choices(vcard: Vcard, journal: Journal) -> Choices {
    let vcard = match vcard {
        Vcard::V3 => VcardVersion::V3,
        Vcard::V4 => VcardVersion::V4,
    };
    Choices { vcard, vjournal: journal == Journal::Vjournal }
}

/// Reads address books and the table.
///
/// # Errors
/// A failure that names the file: it cannot be read, it is in use, nobody is listed in it, or a row is wrong.
pub fn read(directories: &[PathBuf], table: Option<&Path>) -> Result<Directory, Failure> {
    let mut directory = Directory::default();
    for path in directories {
        read_book(path, &mut directory)?;
    }
    if let Some(path) = table {
        read_table(path, &mut directory)?;
    }
    Ok(directory)
}

fn read_book(path: &Path, directory: &mut Directory) -> Result<(), Failure> {
    let failure = |why: &str| Failure::new(Exit::Usage, format!("the directory {}: {why}", path.display()));
    let mut source =
        NamedSource::from(path.to_owned()).open().map_err(|error| failure(&error.to_string()))?;
    if let Some(why) = source.info().in_use {
        return Err(failure(&format!("it is in use: {why}; {IN_USE_ADVICE}")));
    }
    let (mut from, mut listed) = (None, 0);
    loop {
        let page = source.list(from, LIST_PAGE_ITEMS).map_err(|error| failure(&error.to_string()))?;
        for item in &page.items {
            match source.open(item.id) {
                Ok(item) => {
                    let Content::Note { note, .. } = &item.content;
                    listed += usize::from(directory.add(note));
                }
                // The others answer without it.
                Err(SourceError::Unreadable { .. }) => {}
                Err(error) => return Err(failure(&error.to_string())),
            }
        }
        from = page.next;
        if from.is_none() {
            return if listed > 0 { Ok(()) } else { Err(failure("it lists nobody")) };
        }
    }
}

fn read_table(path: &Path, directory: &mut Directory) -> Result<(), Failure> {
    const HEADING: &str = "notes name";
    let failure = |why: String| Failure::new(Exit::Usage, format!("the table {}: {why}", path.display()));
    let file = File::open(path).map_err(|error| failure(error.to_string()))?;
    let mut rows =
        csv::ReaderBuilder::new().has_headers(false).flexible(true).trim(csv::Trim::All).from_reader(file);
    for row in rows.records() {
        let row = row.map_err(|error| failure(error.to_string()))?;
        let line = row.position().map_or(0, csv::Position::line);
        let (Some(name), Some(address), None) = (row.get(0), row.get(1), row.get(2)) else {
            return Err(failure(format!("line {line} has not two fields")));
        };
        if line == 1 && name.eq_ignore_ascii_case(HEADING) {
            continue;
        }
        directory.add_row(name, address).map_err(|error| failure(format!("line {line}: {error}")))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(text: &str) -> Result<Directory, Failure> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("table.csv");
        std::fs::write(&path, text).unwrap();
        read(&[], Some(&path))
    }

    #[test]
    fn a_table_has_a_heading_or_none_and_a_wrong_row_is_named() {
        table("\u{FEFF}Notes name,address\r\n\"Doe, Jane\",jane@example.com\r\n").unwrap();
        table("Bob Ray/Acme, bob@example.com\n").unwrap();
        let line = |text: &str| table(text).unwrap_err().sentence;
        assert!(line("a/Acme,a@example.com\nb/Acme,b\n").ends_with("line 2: `b` is no Internet address"));
        assert!(line("a/Acme\n").ends_with("line 1 has not two fields"));
    }

    #[test]
    fn a_directory_that_is_none_is_an_error() {
        let missing = read(&["/nowhere/names.nsf".into()], None).unwrap_err();
        assert!(missing.sentence.contains("/nowhere/names.nsf"), "{missing:?}");
    }
}
