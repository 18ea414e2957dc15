//! What could not be carried over, by name: two closed lists, so that a report can add them up.

use std::fmt;

macro_rules! named {
    ($(#[$doc:meta])* $name:ident { $($variant:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($variant,)* }

        impl $name {
            /// Every member of the list.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The name in reports and records. It never changes: ledgers keep it.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }

            /// The member of this name.
            pub fn from_name(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|member| member.name() == name)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.name())
            }
        }
    };
}

named! {
    /// The closed list of losses.
    LossKind {
        AddressUnresolved = "address unresolved",
        AddressListsDiffer = "address lists differ",
        SenderUnknown = "sender unknown",
        DateSubstituted = "date substituted",
        DateInvalid = "date invalid",
        DateImplausible = "date implausible",
        UnknownForm = "unknown form",
        HiddenFolder = "hidden folder",
        SecondBodyDropped = "second body dropped",
        DuplicateItem = "duplicate item",
        ListsDiffer = "lists differ",
        TextDamaged = "text damaged",
        RichTextDamaged = "rich text damaged",
        ConstructDropped = "construct dropped",
        ActionDropped = "action dropped",
        LinkDropped = "link dropped",
        FormulaNotComputed = "formula not computed",
        HideFormulaIgnored = "hide formula ignored",
        ImageDropped = "image dropped",
        ImageDamaged = "image damaged",
        ObjectFlattened = "object flattened",
        FormattingDropped = "formatting dropped",
        AttachmentDropped = "attachment dropped",
        AttachmentMissing = "attachment missing",
        AttachmentExternal = "attachment external",
        AttachmentCompressed = "attachment compressed",
        Encrypted = "encrypted",
        NotesSignatureDropped = "notes signature dropped",
        Truncated = "truncated",
        ConflictCopySkipped = "conflict copy skipped",
        EndInvalid = "end invalid",
        ZoneUnknown = "zone unknown",
        SeriesSplit = "series split",
        InstancesMissing = "instances missing",
        ObsoleteEntry = "obsolete entry",
        MemberUnresolved = "member unresolved",
        KeywordRefused = "keyword refused",
        FlagRefused = "flag refused",
        DateChanged = "date changed",
        FolderRenamed = "folder renamed",
        // Told by a newer extractor, whose list is longer; the detail says what it is.
        Other = "other loss",
    }
}

named! {
    /// The closed list of reasons for which an item is set aside: not delivered, can be tried again.
    SetAsideReason {
        UnknownForm = "unknown form",
        UnreadableNote = "unreadable note",
        TooLarge = "too large",
        Refused = "refused",
        Uncertain = "uncertain",
        MailboxFull = "mailbox full",
        SourceChanged = "source changed",
        CrashedTheReader = "crashed the reader",
    }
}

impl SetAsideReason {
    /// What a person can do about it, in a sentence or two.
    pub fn advice(self) -> &'static str {
        match self {
            Self::UnknownForm => {
                "Not what a mail file is made of. If it matters, let the mailbox carry other documents too: then it arrives as a message that lists its fields."
            }
            Self::UnreadableNote => {
                "The database is damaged here. Run Fixup on a copy of it, or take another replica, and try again."
            }
            Self::TooLarge => "Raise the target's limit for one message, and try again.",
            Self::Refused => "The target's own words stand beside it. Clear the cause there, and try again.",
            Self::Uncertain => {
                "The target never said whether it took it. Look for it there: it is not sent a second time."
            }
            Self::MailboxFull => "Make room at the target or raise its quota, and try again.",
            Self::SourceChanged => {
                "The database changed while it was read. Close it in Notes, or take a fresh copy, and try again."
            }
            Self::CrashedTheReader => {
                "The extractor ended each time it read it. Try again; if it stays so, keep the database and report it."
            }
        }
    }
}

/// Something that an item lost on its way.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Loss {
    pub kind: LossKind,
    /// What exactly, for a person: an address, a file name, a record signature. May be empty.
    pub detail: String,
}

impl Loss {
    pub fn new(kind: LossKind, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into() }
    }
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.detail.as_str() {
            "" => write!(f, "{}", self.kind),
            detail => write!(f, "{}: {detail}", self.kind),
        }
    }
}

/// Why an item was not delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetAside {
    pub reason: SetAsideReason,
    /// What exactly, for a person.
    pub detail: String,
}

impl SetAside {
    pub fn new(reason: SetAsideReason, detail: impl Into<String>) -> Self {
        Self { reason, detail: detail.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_leads_back_to_its_member() {
        assert!(LossKind::ALL.iter().all(|&kind| LossKind::from_name(kind.name()) == Some(kind)));
        assert!(SetAsideReason::ALL.iter().all(|&r| SetAsideReason::from_name(r.name()) == Some(r)));
    }
}
