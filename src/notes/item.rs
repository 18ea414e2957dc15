//! One item of a note: a name, flags, a type and the stored value.
//!
//! This is the form in which Notes data travels: readers put the value here as it was stored (decompressed, with
//! its type word taken off), and only conversion and `inspect` interpret it, through [`Item::value`]. So a rule can
//! be improved later without reading the source again.

use super::value::{Value, ValueError};

/// The type of an item's value: class in the high byte, type in the low byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ItemType(pub u16);

impl ItemType {
    pub const COMPOSITE: Self = Self(0x0001);
    pub const OBJECT: Self = Self(0x0003);
    pub const NOTEREF_LIST: Self = Self(0x0004);
    pub const NOTELINK_LIST: Self = Self(0x0007);
    pub const SIGNATURE: Self = Self(0x0008);
    pub const SEAL: Self = Self(0x0009);
    pub const SEALDATA: Self = Self(0x000A);
    pub const SEAL_LIST: Self = Self(0x000B);
    pub const USERDATA: Self = Self(0x000E);
    pub const HTML: Self = Self(0x0015);
    pub const MIME_PART: Self = Self(0x0019);
    pub const NUMBER: Self = Self(0x0300);
    pub const NUMBER_RANGE: Self = Self(0x0301);
    pub const TIME: Self = Self(0x0400);
    pub const TIME_RANGE: Self = Self(0x0401);
    pub const TEXT: Self = Self(0x0500);
    pub const TEXT_LIST: Self = Self(0x0501);
    pub const RFC822_TEXT: Self = Self(0x0502);
    pub const FORMULA: Self = Self(0x0600);
    pub const USERID: Self = Self(0x0700);

    /// The name that the Notes C API gives this type, in lower case; `None` for a type we do not know.
    pub fn name(self) -> Option<&'static str> {
        Some(match self {
            Self::COMPOSITE => "rich text",
            Self::OBJECT => "object",
            Self::NOTEREF_LIST => "note references",
            Self::NOTELINK_LIST => "links",
            Self::SIGNATURE => "signature",
            Self::SEAL => "seal",
            Self::SEALDATA => "seal data",
            Self::SEAL_LIST => "seal list",
            Self::USERDATA => "user data",
            Self::HTML => "html",
            Self::MIME_PART => "mime part",
            Self::NUMBER => "number",
            Self::NUMBER_RANGE => "number list",
            Self::TIME => "time",
            Self::TIME_RANGE => "time list",
            Self::TEXT => "text",
            Self::TEXT_LIST => "text list",
            Self::RFC822_TEXT => "rfc822 text",
            Self::FORMULA => "formula",
            Self::USERID => "user id",
            Self(other) => return design_type_name(other),
        })
    }
}

/// The types that only design notes carry.
fn design_type_name(code: u16) -> Option<&'static str> {
    Some(match code {
        0x0002 => "collation",
        0x0005 => "view format",
        0x0006 => "icon",
        0x000C => "highlights",
        0x000F => "query",
        0x0010 => "action",
        0x0011 => "assistant info",
        0x0014 => "script object",
        0x0018 => "calendar format",
        0x001F => "seal 2",
        _ => return None,
    })
}

/// The flags of an item, as stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct ItemFlags(pub u16);

impl ItemFlags {
    pub const SIGN: Self = Self(0x0001);
    pub const SEAL: Self = Self(0x0002);
    /// The value lies in the note record itself, so views can show it.
    pub const SUMMARY: Self = Self(0x0004);
    pub const AUTHORS: Self = Self(0x0020);
    pub const NAMES: Self = Self(0x0040);
    pub const PLACEHOLDER: Self = Self(0x0100);
    pub const PROTECTED: Self = Self(0x0200);
    pub const READERS: Self = Self(0x0400);

    /// Whether any bit of `other` is set.
    pub fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

/// One item. Several items of one note may share a name; their order counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// As stored; compare with [`Item::is`], because programs spell names with different case.
    pub name: String,
    pub flags: ItemFlags,
    pub item_type: ItemType,
    /// The stored value without type word and without compression.
    pub value: Vec<u8>,
}

impl Item {
    /// Whether the item has this name, compared without case (Notes item names are ASCII-folded).
    pub fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }

    /// The decoded value.
    ///
    /// # Errors
    /// [`ValueError`] when the stored bytes do not have the shape of their type.
    pub fn value(&self) -> Result<Value<'_>, ValueError> {
        Value::decode(self.item_type, &self.value)
    }
}
