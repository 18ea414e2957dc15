//! An item in the form of its own kind, for destinations that store more than messages.

use crate::model::loss::Loss;
use crate::model::rendered::Rendered;

/// What kind of object it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ObjectKind {
    Event,
    Task,
    Contact,
    Journal,
}

impl ObjectKind {
    /// What it begins and ends with: the component of iCalendar (RFC 5545 section 3.6), or the vCard (RFC 6350 section
    /// 6.1.1).
    pub fn component(self) -> &'static str {
        match self {
            Self::Event => "VEVENT",
            Self::Task => "VTODO",
            Self::Contact => "VCARD",
            Self::Journal => "VJOURNAL",
        }
    }

    /// The ending of a file that holds it (RFC 5545 section 8.1, RFC 6350 section 10.1).
    pub fn file_ending(self) -> &'static str {
        match self {
            Self::Event | Self::Task | Self::Journal => ".ics",
            Self::Contact => ".vcf",
        }
    }
}

/// An object, ready to be stored.
#[derive(Clone, Debug)]
pub struct Object {
    pub kind: ObjectKind,
    pub rendered: Rendered,
    /// What a message of the same item would hold and this does not.
    pub losses: Vec<Loss>,
}
