//! An item in the form of its own kind, for destinations that store more than messages.

use crate::model::rendered::Rendered;

/// What kind of object it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ObjectKind {
    Event,
    Task,
}

impl ObjectKind {
    /// The component of iCalendar (RFC 5545 section 3.6).
    pub fn component(self) -> &'static str {
        match self {
            Self::Event => "VEVENT",
            Self::Task => "VTODO",
        }
    }

    /// The ending of a file that holds it (RFC 5545 section 8.1).
    pub fn file_ending(self) -> &'static str {
        match self {
            Self::Event | Self::Task => ".ics",
        }
    }
}

/// An object, ready to be stored.
#[derive(Clone, Debug)]
pub struct Object {
    pub kind: ObjectKind,
    pub rendered: Rendered,
}
