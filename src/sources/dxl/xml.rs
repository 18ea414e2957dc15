//! The elements of a DXL file, one at a time: nothing of the tree is kept but the names that are open.
//!
//! Document type declarations are passed over: no DTD is loaded and no entity of one is expanded, so neither foreign
//! files nor entity bombs are read. Long character data is not for [`Xml::next`]; `super::data` streams it.

use super::data;
use super::text::{DAMAGE, TextFile, TextReader};
use crate::base::limits::{XML_LEVELS, XML_TAG_BYTES, XML_TEXT_BYTES};
use quick_xml::Reader;
use quick_xml::XmlVersion;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesRef, BytesStart, Event};
use std::sync::Arc;

/// Why a file or document cannot be read on.
#[derive(Debug, thiserror::Error)]
pub enum XmlError {
    #[error("the file ends in the middle of it")]
    Ends,
    /// The end of the document before is missing; this one is not harmed.
    #[error("another document begins inside it")]
    Overlaps,
    #[error("elements are nested deeper than {XML_LEVELS} levels")]
    TooDeep,
    #[error("it needs more than {0} bytes of memory")]
    TooLarge(u64),
    #[error("at byte {at}: {error}")]
    Broken { at: u64, error: quick_xml::Error },
    #[error("at byte {at}: {error}")]
    Io { at: u64, error: std::io::Error },
}

/// An element that has begun.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Element {
    /// Without a prefix of a name space.
    pub name: String,
    attributes: Vec<(String, String)>,
}

impl Element {
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    /// Whether an attribute has the value `true`.
    pub fn is(&self, name: &str) -> bool {
        self.attribute(name) == Some("true")
    }

    /// An element that holds one document.
    pub fn is_document(&self) -> bool {
        matches!(self.name.as_str(), "document" | "note")
    }
}

/// The next thing in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Node {
    Start(Element),
    /// With line ends as line feeds.
    Text(String),
    End,
    /// The end of the file, where nothing is open.
    Eof,
}

/// A pull parser.
pub struct Xml {
    reader: Reader<TextReader>,
    buffer: Vec<u8>,
    depth: usize,
    /// The element that has begun is an empty tag, so its end is next.
    empty: bool,
    /// The last node was text, so the parser may stand at a reference that belongs to it.
    in_text: bool,
    /// The place of the last node.
    at: u64,
    /// Depth inside the document that is being read, where another one cannot begin.
    document: Option<usize>,
    /// Some bytes were no text, or an entity was none that XML has.
    pub damaged: bool,
}

impl Xml {
    /// From the start of a file, or from a place that [`Xml::at`] gave.
    pub fn new(file: Arc<TextFile>, position: u64) -> Self {
        let mut reader = Reader::from_reader(TextReader::new(file, position));
        let config = reader.config_mut();
        config.allow_dangling_amp = true;
        // What was begun before the position ends behind it.
        config.allow_unmatched_ends = true;
        Self {
            reader,
            buffer: Vec::new(),
            depth: 0,
            empty: false,
            in_text: false,
            at: position,
            document: None,
            damaged: false,
        }
    }

    /// The place of the last node in the file.
    pub fn at(&self) -> u64 {
        self.at
    }

    /// The place of the next node.
    pub fn position(&self) -> u64 {
        self.reader.get_ref().position()
    }

    /// How many elements are open.
    pub fn depth(&self) -> usize {
        self.depth
    }

    /// The text behind the start or end of an element, to be read up to the next markup and no further; `None` for an
    /// empty tag, which is followed by the text of another one, and where a part of the text was read.
    pub fn characters(&mut self) -> Option<&mut TextReader> {
        let reader = self.reader.get_mut();
        reader.allow(u64::MAX);
        (!self.empty && !self.in_text).then_some(reader)
    }

    /// The element that has just begun is a document.
    pub fn enter_document(&mut self) {
        self.document = Some(self.depth);
    }

    /// The next node.
    ///
    /// # Errors
    /// [`XmlError`]; reading cannot go on after it.
    pub fn next(&mut self) -> Result<Node, XmlError> {
        let node = self.next_node();
        self.in_text = matches!(node, Ok(Node::Text(_)));
        node
    }

    fn next_node(&mut self) -> Result<Node, XmlError> {
        if std::mem::take(&mut self.empty) {
            return Ok(self.end());
        }
        loop {
            self.allow()?;
            self.buffer.clear();
            let event = self.reader.read_event_into(&mut self.buffer);
            let at = self.at;
            let text = self.reader.get_ref();
            let event = event.map_err(|error| match error {
                quick_xml::Error::Syntax(_) if text.position() == text.file().len() => XmlError::Ends,
                error => XmlError::Broken { at, error },
            })?;
            let (start, empty) = match event {
                Event::Start(start) => (start, false),
                Event::Empty(start) => (start, true),
                Event::End(_) => return Ok(self.end()),
                Event::Text(text) => return Ok(Node::Text(sound(&text.xml10_content(), &mut self.damaged))),
                Event::CData(text) => return Ok(Node::Text(sound(&text.xml10_content(), &mut self.damaged))),
                Event::GeneralRef(reference) => {
                    return Ok(Node::Text(resolve(&reference, &mut self.damaged)));
                }
                Event::Eof if self.depth > 0 => return Err(XmlError::Ends),
                Event::Eof => return Ok(Node::Eof),
                Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) => continue,
            };
            let element = element(&start, &mut self.damaged);
            (self.depth, self.empty) = (self.depth + 1, empty);
            return match () {
                () if self.depth > XML_LEVELS => Err(XmlError::TooDeep),
                () if self.document.is_some() && element.is_document() => Err(XmlError::Overlaps),
                () => Ok(Node::Start(element)),
            };
        }
    }

    fn end(&mut self) -> Node {
        self.depth = self.depth.saturating_sub(1);
        if self.document.is_some_and(|document| self.depth < document) {
            self.document = None;
        }
        Node::End
    }

    /// Notes the place of the next node, and bounds it.
    fn allow(&mut self) -> Result<(), XmlError> {
        let text = self.reader.get_mut();
        self.at = text.position();
        let start = text.peek(2).map_err(|error| XmlError::Io { at: self.at, error })?;
        let is_tag = start.first() == Some(&b'<') && start != b"<!";
        text.allow(if is_tag { XML_TAG_BYTES } else { XML_TEXT_BYTES });
        Ok(())
    }

    /// The next element inside the one that is open; `None` at its end. Text between is passed over. The caller reads
    /// the element to its end before it asks for another one.
    ///
    /// # Errors
    /// As [`Xml::next`]; so for all that follow.
    pub fn child(&mut self) -> Result<Option<Element>, XmlError> {
        loop {
            match self.next()? {
                Node::Start(element) => return Ok(Some(element)),
                Node::Text(_) => {}
                Node::End => return Ok(None),
                Node::Eof => return Err(XmlError::Ends),
            }
        }
    }

    /// Reads the open element to its end. Character data of any length costs no memory.
    pub fn skip(&mut self) -> Result<(), XmlError> {
        let depth = self.depth;
        while self.depth >= depth {
            let at = self.at;
            if let Some(reader) = self.characters() {
                data::skip(reader).map_err(|error| XmlError::Io { at, error })?;
            }
            if self.next()? == Node::Eof {
                return Err(XmlError::Ends);
            }
        }
        Ok(())
    }

    /// The text of the open element, to its end. `break` is a line feed, `nonxmlchar` the character that XML cannot
    /// hold; what other elements hold is text too.
    pub fn text(&mut self) -> Result<String, XmlError> {
        let depth = self.depth;
        let mut text = String::new();
        while self.depth >= depth {
            match self.next()? {
                Node::Text(more) => text.push_str(&more),
                Node::Start(element) => text.extend(special_character(&element)),
                Node::End => {}
                Node::Eof => return Err(XmlError::Ends),
            }
            if text.len() as u64 > XML_TEXT_BYTES {
                return Err(XmlError::TooLarge(XML_TEXT_BYTES));
            }
        }
        Ok(text)
    }
}

/// The character that an empty element stands for.
pub fn special_character(element: &Element) -> Option<char> {
    match element.name.as_str() {
        "break" => Some('\n'),
        "nonxmlchar" => {
            let code = u32::from_str_radix(element.attribute("value")?.trim_start_matches("0x"), 16).ok()?;
            Some(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER))
        }
        _ => None,
    }
}

fn element(start: &BytesStart<'_>, damaged: &mut bool) -> Element {
    let mut attributes = Vec::new();
    for attribute in start.attributes().with_checks(false).filter_map(Result::ok) {
        let value = attribute.normalized_value(XmlVersion::Implicit1_0);
        *damaged |= value.is_err();
        let value = value.map_or_else(|_| attribute.value.to_string(), |value| sound(&value, damaged));
        attributes.push((attribute.key.local_name().as_ref().to_owned(), value));
    }
    Element { name: start.local_name().as_ref().to_owned(), attributes }
}

fn sound(text: &str, damaged: &mut bool) -> String {
    let mark = char::from(DAMAGE);
    if !text.contains(mark) {
        return text.to_owned();
    }
    *damaged = true;
    text.replace(mark, "\u{FFFD}")
}

fn resolve(reference: &BytesRef<'_>, damaged: &mut bool) -> String {
    if let Ok(Some(character)) = reference.resolve_char_ref() {
        return character.to_string();
    }
    let name = reference.xml10_content();
    resolve_predefined_entity(&name).map_or_else(
        || {
            *damaged = true;
            "\u{FFFD}".to_owned()
        },
        str::to_owned,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sources::nsf::file::DatabaseFile;

    fn xml(text: &str) -> Xml {
        let file = TextFile::new(DatabaseFile::memory(text.as_bytes().to_vec())).unwrap();
        Xml::new(Arc::new(file), 0)
    }

    #[test]
    fn elements_are_told_with_their_places() {
        let mut xml = xml("<!--c--><x:a b='1&amp;2'>t<c/>u</x:a>");
        let Ok(Node::Start(a)) = xml.next() else { panic!() };
        assert_eq!((a.name.as_str(), a.attribute("b"), xml.at()), ("a", Some("1&2"), 8));
        assert_eq!(xml.next().unwrap(), Node::Text("t".into()));
        assert!(matches!(xml.next(), Ok(Node::Start(c)) if c.name == "c"));
        assert_eq!(xml.at(), 26);
        assert!(xml.characters().is_none());
        assert_eq!(xml.next().unwrap(), Node::End);
        assert_eq!(xml.text().unwrap(), "u");
        assert_eq!(xml.next().unwrap(), Node::Eof);
    }

    // D10.
    #[test]
    fn d10_text_has_line_breaks_and_characters_that_xml_cannot_hold() {
        let mut xml = xml("<text>a<break/>b&lt;&#x41;<nonxmlchar value='01'/><![CDATA[<c>]]>
d</text>");
        xml.next().unwrap();
        assert_eq!(xml.text().unwrap(), "a\nb<A\u{1}<c>\nd");
    }

    #[test]
    fn entities_of_a_dtd_are_not_expanded() {
        let mut xml =
            xml("<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'><!ENTITY c '&b;&b;'>]><a>1&b;2&c;</a>");
        xml.next().unwrap();
        assert_eq!(xml.text().unwrap(), "1\u{FFFD}2\u{FFFD}");
        assert!(xml.damaged);
    }

    #[test]
    fn what_is_skipped_costs_nothing_and_ends_at_its_end() {
        let mut xml = xml("<a><b>x<![CDATA[</b>]]&]]>y<c/>z</b><d/>rest</a>");
        xml.next().unwrap();
        xml.child().unwrap().unwrap();
        xml.skip().unwrap();
        assert_eq!(xml.child().unwrap().unwrap().name, "d");
        xml.skip().unwrap();
        assert_eq!(xml.text().unwrap(), "rest");
    }

    #[test]
    fn what_is_skipped_may_hold_comments_before_references() {
        let mut xml = xml("<a><b><!-- c -->x &amp; y<c/><?d?>&lt;&<e/>z</b><f/></a>");
        xml.next().unwrap();
        xml.child().unwrap().unwrap();
        xml.skip().unwrap();
        assert_eq!(xml.child().unwrap().unwrap().name, "f");
    }

    #[test]
    fn depth_and_size_are_bounded() {
        let mut deep = xml(&"<a>".repeat(2_000));
        deep.next().unwrap();
        assert!(matches!(deep.skip(), Err(XmlError::TooDeep)));
        let mut long = xml(&format!("<a b='{}'/>", "x".repeat(1 << 17)));
        assert!(matches!(long.next(), Err(XmlError::Broken { .. })));
        let mut cut = xml("<a><b>");
        cut.next().unwrap();
        assert!(matches!(cut.skip(), Err(XmlError::Ends)));
    }
}
