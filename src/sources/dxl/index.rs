//! The first pass over a DXL file: where its documents lie and what they are, without reading what they hold.
//!
//! Damage costs the document that it is in: the pass goes on at the next start of a document.

use super::access;
use super::document;
use super::text::{TextFile, TextReader};
use super::xml::{Element, Node, Xml, XmlError};
use crate::base::limits::{DXL_DAMAGED_PLACES, DXL_DOCUMENTS};
use crate::notes::document::Note;
use crate::notes::ids::{ReplicaId, Unid};
use crate::notes::timedate::Timedate;
use crate::sources::access::AccessEntry;
use std::io::{self, BufRead};
use std::sync::Arc;

/// A document in a file.
#[derive(Debug)]
pub struct Entry {
    /// The number of the file.
    pub file: u32,
    /// The place of its element.
    pub at: u64,
    pub replica: ReplicaId,
    /// Zero for a damaged document that did not tell its UNID.
    pub unid: Unid,
    pub sequence: u32,
    pub sequence_time: Timedate,
    /// Why it cannot be read.
    pub damage: Option<Box<str>>,
}

/// What is in the files of a source.
#[derive(Debug, Default)]
pub struct Index {
    /// In the order of the files and of their text.
    pub entries: Vec<Entry>,
    /// Files and places of profiles that tell the owner.
    pub calendar_profiles: Vec<(u32, u64)>,
    /// Calendar entries and tasks by a digest of their `ApptUNID`, with their places in `entries`.
    pub series: Vec<([u8; 16], usize)>,
    /// Losers of conflicts, by their places in `entries`.
    pub conflicts: Vec<usize>,
    /// The access control lists of the databases.
    pub access: Vec<AccessEntry>,
    /// The title of the first database that has one.
    pub title: String,
    pub warnings: Vec<String>,
    /// There are more documents than a source may have.
    pub full: bool,
}

impl Index {
    /// Adds the documents of a file.
    pub fn add(&mut self, number: u32, name: &str, file: &Arc<TextFile>) {
        let mut pass =
            Pass { index: self, number, name, file: Arc::clone(file), replica: ReplicaId::default() };
        pass.run();
    }
}

struct Pass<'i> {
    index: &'i mut Index,
    number: u32,
    name: &'i str,
    file: Arc<TextFile>,
    /// Of the database element.
    replica: ReplicaId,
}

impl Pass<'_> {
    fn run(&mut self) {
        let mut from = self.file.start();
        for _ in 0..DXL_DAMAGED_PLACES {
            let mut xml = Xml::new(Arc::clone(&self.file), from);
            let Err(error) = self.read(&mut xml) else { return };
            // A document that begins inside another one is sound itself.
            let behind = if matches!(error, XmlError::Overlaps) { xml.at() } else { xml.at() + 1 };
            match next_document(&self.file, behind) {
                Ok(Some(next)) => from = next,
                _ => return,
            }
        }
        let places = DXL_DAMAGED_PLACES;
        self.warn(format!("it is damaged in more than {places} places; what follows was not read"));
    }

    fn warn(&mut self, what: impl std::fmt::Display) {
        self.index.warnings.push(format!("{}: {what}", self.name));
    }

    fn read(&mut self, xml: &mut Xml) -> Result<(), XmlError> {
        loop {
            if self.index.full {
                return Ok(());
            }
            match xml.next() {
                Ok(Node::Start(element)) => self.element(xml, &element)?,
                Ok(Node::Text(_) | Node::End) => {}
                Ok(Node::Eof) => return Ok(()),
                Err(error) => {
                    self.broken(xml.at(), &error);
                    return Err(error);
                }
            }
        }
    }

    /// Damage outside of documents, or in the tag of one.
    fn broken(&mut self, at: u64, error: &XmlError) {
        let mut reader = TextReader::new(Arc::clone(&self.file), at);
        if reader.peek(DOCUMENT_TAG_BYTES).is_ok_and(begins_document) {
            self.add(at, self.replica, &Note::default(), Some(error.to_string().into()));
        } else {
            self.warn(format!("it is damaged outside of its documents: {error}"));
        }
    }

    fn element(&mut self, xml: &mut Xml, element: &Element) -> Result<(), XmlError> {
        match element.name.as_str() {
            "database" => {
                self.replica = replica(element).unwrap_or_default();
                if self.index.title.is_empty() {
                    self.index.title = element.attribute("title").unwrap_or_default().to_owned();
                }
                Ok(())
            }
            "acl" => access::read(xml, &mut self.index.access),
            "document" => self.document(xml, element),
            "note" if element.attribute("class").is_none_or(|class| class == "document") => {
                self.document(xml, element)
            }
            "profiledocument" => {
                let names = [element.attribute("name"), element.attribute("form")];
                if names.into_iter().flatten().any(|name| name.eq_ignore_ascii_case("calendarprofile")) {
                    self.index.calendar_profiles.push((self.number, xml.at()));
                }
                xml.skip()
            }
            _ => xml.skip(),
        }
        .inspect_err(|error| {
            if !element.is_document() {
                self.warn(format!("element {}: {error}", element.name));
            }
        })
    }

    fn document(&mut self, xml: &mut Xml, element: &Element) -> Result<(), XmlError> {
        let at = xml.at();
        let replica = replica(element).unwrap_or(self.replica);
        let mut note = Note::default();
        xml.enter_document();
        let read = read_document(xml, &mut note);
        match &read {
            Ok(found) if found.is_profile => {}
            Ok(found) => {
                if note.unid == Unid::default() {
                    let reader = TextReader::new(Arc::clone(&self.file), at);
                    let unid = document::digest_unid(&reader, at, xml.position());
                    note.unid = unid.map_err(|error| XmlError::Io { at, error })?;
                }
                let place = self.index.entries.len();
                self.index.series.extend(found.series.map(|series| (series, place)));
                if found.is_conflict || element.is("conflict") {
                    self.index.conflicts.push(place);
                }
                self.add(at, replica, &note, None);
            }
            Err(error) => self.add(at, replica, &note, Some(error.to_string().into())),
        }
        read.map(drop)
    }

    fn add(&mut self, at: u64, replica: ReplicaId, note: &Note, damage: Option<Box<str>>) {
        self.index.full = self.index.entries.len() >= DXL_DOCUMENTS;
        let &Note { unid, sequence, sequence_time, .. } = note;
        self.index.entries.push(Entry {
            file: self.number,
            at,
            replica,
            unid,
            sequence,
            sequence_time,
            damage,
        });
    }
}

fn replica(element: &Element) -> Option<ReplicaId> {
    element.attribute("replicaid")?.parse().ok()
}

/// What the items of a document tell the index.
#[derive(Default)]
struct Found {
    /// Users do not see it.
    is_profile: bool,
    is_conflict: bool,
    series: Option<[u8; 16]>,
}

/// Reads a document to its end.
fn read_document(xml: &mut Xml, note: &mut Note) -> Result<Found, XmlError> {
    let mut found = Found::default();
    while let Some(child) = xml.child()? {
        let item = child.attribute("name").filter(|_| child.name == "item").unwrap_or_default();
        match child.name.as_str() {
            "noteinfo" => document::read_note_info(xml, &child, note)?,
            _ if item.eq_ignore_ascii_case("$Name") => {
                let name = xml.text()?;
                found.is_profile |= name.trim_start().to_ascii_lowercase().starts_with("$profile_");
            }
            _ if item.eq_ignore_ascii_case("$Conflict") => {
                found.is_conflict = true;
                xml.skip()?;
            }
            _ if item.eq_ignore_ascii_case("ApptUNID") => found.series = series_digest(&xml.text()?),
            _ => xml.skip()?,
        }
    }
    Ok(found)
}

/// The digest of an `ApptUNID`; `None` for an empty one.
pub fn series_digest(uid: &str) -> Option<[u8; 16]> {
    let uid = uid.trim().to_ascii_uppercase();
    let hash = blake3::hash(uid.as_bytes());
    hash.as_bytes().first_chunk().copied().filter(|_| !uid.is_empty())
}

/// Bytes of the longest start of a document's tag.
const DOCUMENT_TAG_BYTES: usize = "<document ".len();

/// Whether a text begins with the tag of a document.
fn begins_document(text: &[u8]) -> bool {
    let names: [&[u8]; 2] = [b"<document", b"<note"];
    names.iter().any(|name| {
        text.strip_prefix(*name).is_some_and(|rest| {
            rest.first().is_none_or(|&byte| byte.is_ascii_whitespace() || byte == b'>' || byte == b'/')
        })
    })
}

/// The place of the next start of a document at or behind `from`; `None` if there is none.
fn next_document(file: &Arc<TextFile>, from: u64) -> io::Result<Option<u64>> {
    let mut reader = TextReader::new(Arc::clone(file), from);
    loop {
        let block = reader.fill_buf()?;
        if block.is_empty() {
            return Ok(None);
        }
        match block.iter().position(|&byte| byte == b'<') {
            None => {
                let count = block.len();
                reader.consume(count);
            }
            Some(at) => {
                reader.consume(at);
                if begins_document(reader.peek(DOCUMENT_TAG_BYTES)?) {
                    return Ok(Some(reader.position()));
                }
                reader.consume(1);
            }
        }
    }
}

/// The first element of a file, if it is one of DXL's, in DXL's name space or in none.
fn first_element(file: &Arc<TextFile>) -> Option<Element> {
    const NAMES: [&str; 4] = ["database", "document", "note", "profiledocument"];
    const NAME_SPACE: &str = "http://www.lotus.com/dxl";
    let mut xml = Xml::new(Arc::clone(file), file.start());
    loop {
        match xml.next() {
            Ok(Node::Start(element)) => {
                let is_dxl = match element.attribute("xmlns").or(element.attribute("dxl")) {
                    Some(name_space) => name_space == NAME_SPACE,
                    None => NAMES.contains(&element.name.as_str()),
                };
                return Some(element).filter(|_| is_dxl);
            }
            Ok(Node::Text(text)) if text.trim().is_empty() => {}
            _ => return None,
        }
    }
}

/// Whether the head of a file looks like DXL.
pub fn looks_like_dxl(head: &Arc<TextFile>) -> bool {
    first_element(head).is_some()
}

/// The title of the database that a file is of.
pub fn first_title(file: &Arc<TextFile>) -> String {
    let title = |element: Element| Some(element.attribute("title")?.to_owned());
    first_element(file).and_then(title).unwrap_or_default()
}
