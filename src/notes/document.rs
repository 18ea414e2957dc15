//! A note: its identity, times and items, with look-ups that take real data as it is.
//!
//! Order counts: repeated `Body` items continue each other, so items are a list and never a map.

use super::ids::{NoteId, Unid};
use super::item::{Item, ItemType};
use super::timedate::Timedate;
use super::value::{Times, Value};

/// The class of a note.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NoteClass(pub u16);

impl NoteClass {
    pub const DOCUMENT: Self = Self(0x0001);
    pub const VIEW: Self = Self(0x0008);
    /// Set beside the class on the note that is the database's default of that class.
    const DEFAULT_OF_CLASS: u16 = 0x8000;

    /// The class without the default-of-class bit.
    pub fn kind(self) -> Self {
        Self(self.0 & !Self::DEFAULT_OF_CLASS)
    }

    pub fn is_document(self) -> bool {
        self.0 & Self::DOCUMENT.0 != 0
    }

    /// The word that the Notes client uses.
    pub fn name(self) -> &'static str {
        match self.kind().0 {
            0x0000 => "private design",
            0x0001 => "document",
            0x0002 => "help-about document",
            0x0004 => "form",
            0x0008 => "view or folder",
            0x0010 => "icon",
            0x0020 => "design collection",
            0x0040 => "access control list",
            0x0080 => "help index",
            0x0100 => "help-using document",
            0x0200 => "agent",
            0x0400 => "shared field",
            0x0800 => "replication formula",
            _ => "unknown class",
        }
    }
}

/// The status bits of a note.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct NoteStatus(pub u16);

impl NoteStatus {
    pub const DELETED: Self = Self(0x0001);
    pub const HAS_OBJECTS: Self = Self(0x0004);
    /// Hidden from views: profiles and placeholder parents.
    pub const GHOST: Self = Self(0x0040);
    pub const NAMED: Self = Self(0x0200);
    pub const INLINE_NON_SUMMARY: Self = Self(0x2000);
    pub const SOFT_DELETED: Self = Self(0x8000);

    /// Whether a document of this status is a deletion stub, a profile or a placeholder, which users do not see.
    pub fn hides_a_document(self) -> bool {
        self.has(Self(Self::DELETED.0 | Self::GHOST.0 | Self::NAMED.0))
    }

    pub fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

/// A note with all its items.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Note {
    pub note_id: NoteId,
    pub unid: Unid,
    /// Counts the saves of the note; with `sequence_time` it is the version that replication compares.
    pub sequence: u32,
    pub sequence_time: Timedate,
    pub status: NoteStatus,
    pub class: NoteClass,
    pub modified: Timedate,
    pub added: Timedate,
    /// The note that this one answers, by its id in the same file.
    pub parent: Option<NoteId>,
    pub items: Vec<Item>,
}

impl Note {
    /// Whether this is a document as users know it: neither design nor profile nor placeholder.
    pub fn is_user_document(&self) -> bool {
        self.class.is_document() && !self.status.hides_a_document()
    }

    /// All items of a name, in stored order.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Item> {
        self.items.iter().filter(move |item| item.is(name))
    }

    /// The first item of a name.
    pub fn first(&self, name: &str) -> Option<&Item> {
        self.items.iter().find(|item| item.is(name))
    }

    pub fn has(&self, name: &str) -> bool {
        self.first(name).is_some()
    }

    /// The texts of the first item of a name, of whatever type it is. An empty list, a list of one empty text and
    /// a missing item mean the same and give an empty list; so does a value that cannot be read.
    pub fn texts(&self, name: &str) -> Vec<String> {
        let Some(item) = self.first(name) else { return Vec::new() };
        let texts: Vec<String> = match item.value() {
            Ok(Value::Text(text) | Value::UserId(text) | Value::Html(text)) => vec![text.text],
            Ok(Value::TextList(list)) => list.into_iter().map(|text| text.text).collect(),
            Ok(Value::Rfc822(header)) => vec![header.text().text],
            Ok(Value::Numbers(numbers)) => numbers.singles.iter().map(ToString::to_string).collect(),
            Ok(Value::Times(times)) => times.singles.iter().map(ToString::to_string).collect(),
            Ok(Value::NoteRefs(unids)) => unids.iter().map(ToString::to_string).collect(),
            _ => Vec::new(),
        };
        if texts.iter().all(String::is_empty) { Vec::new() } else { texts }
    }

    /// The first text of [`Note::texts`], or an empty text.
    pub fn text(&self, name: &str) -> String {
        self.texts(name).into_iter().next().unwrap_or_default()
    }

    /// The first number of an item, also when it is written as text.
    pub fn number(&self, name: &str) -> Option<f64> {
        match self.first(name)?.value().ok()? {
            Value::Numbers(numbers) => numbers.singles.first().copied(),
            Value::Text(text) => text.text.trim().parse().ok(),
            Value::TextList(list) => list.first()?.text.trim().parse().ok(),
            _ => None,
        }
    }

    /// The times of the first item of a name.
    pub fn times(&self, name: &str) -> Times {
        match self.first(name).map(Item::value) {
            Some(Ok(Value::Times(times))) => times,
            Some(Ok(Value::Rfc822(header))) => {
                Times { singles: header.time().into_iter().collect(), pairs: Vec::new() }
            }
            _ => Times::default(),
        }
    }

    /// The first time of an item; of a pair, its first half.
    pub fn time(&self, name: &str) -> Option<Timedate> {
        let times = self.times(name);
        times.singles.first().copied().or_else(|| times.pairs.first().map(|pair| pair[0]))
    }

    /// Whether a flag kept as text is set: `"1"` is yes, anything else is no.
    pub fn flag(&self, name: &str) -> bool {
        self.text(name).trim() == "1"
    }

    /// The note that this one answers, or lost a conflict against, by the item that names it.
    pub fn parent_unid(&self) -> Option<Unid> {
        match self.first("$REF")?.value() {
            Ok(Value::NoteRefs(unids)) => unids.first().copied(),
            _ => None,
        }
    }

    /// Whether the note has a MIME body.
    pub fn has_mime_body(&self) -> bool {
        self.all("Body").any(|item| item.item_type == ItemType::MIME_PART)
    }
}
