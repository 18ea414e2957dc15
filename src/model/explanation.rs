//! What losses mean to the person who answers for the migration, in sentences: for report files and pages.

use crate::model::loss::LossKind;

impl LossKind {
    /// What users of the items will notice.
    pub fn explanation(self) -> &'static str {
        match self {
            Self::AddressUnresolved => {
                "No Internet address is known for a Notes name; the name stands with a placeholder."
            }
            Self::AddressListsDiffer => {
                "The list of Internet addresses does not fit the list of names, so it was not used."
            }
            Self::SenderUnknown => "The document does not say who wrote it; a placeholder stands there.",
            Self::DateSubstituted => "The document has no date of its own; the best other one was taken.",
            Self::DateInvalid => "A date makes no sense and was left out.",
            Self::DateImplausible => "A date lies in the future or before there was mail, and was not used.",
            Self::UnknownForm => "A form of an application; the document arrived as a message.",
            Self::HiddenFolder => "The document lies in a folder that users do not see; that filing is gone.",
            Self::SecondBodyDropped => "The document holds its text twice; the better one was taken.",
            Self::DuplicateItem => "A field stands twice with different values; the first was taken.",
            Self::ListsDiffer => "Lists that belong together have different lengths.",
            Self::TextDamaged => "Some characters are damaged at the source.",
            Self::RichTextDamaged => "Formatted text is damaged at the source; what could be read arrived.",
            Self::ConstructDropped => "Something that only Notes can show was left out.",
            Self::ActionDropped => "A button or hotspot shows its caption and does nothing any more.",
            Self::LinkDropped => "A link that only works inside Notes, or is not safe, became text.",
            Self::FormulaNotComputed => "A text that Notes computes while it is shown was left out.",
            Self::HideFormulaIgnored => "A paragraph that Notes may hide is shown.",
            Self::ImageDropped => "A picture in a format of old programs was left out.",
            Self::ImageDamaged => "A picture is damaged at the source.",
            Self::ObjectFlattened => "An embedded object arrived as its picture.",
            Self::FormattingDropped => "The target takes plain text only.",
            Self::AttachmentDropped => "A file could not go where the item went.",
            Self::AttachmentMissing => "The document names a file that is not in the database.",
            Self::AttachmentExternal => {
                "The server keeps the file outside the database: copy the mailbox with its attachments and run again."
            }
            Self::AttachmentCompressed => "A file is compressed in a way that cannot be read.",
            Self::Encrypted => {
                "Encrypted for its reader: only headers arrived. The reader has to decrypt it in Notes first."
            }
            Self::NotesSignatureDropped => "The text arrived; the signature only holds inside Notes.",
            Self::Truncated => "The database holds a shortened copy; an archive may hold the whole one.",
            Self::ConflictCopySkipped => "A copy that says the same as another one, which arrived.",
            Self::EndInvalid => "An entry ends before it begins; its end was left out.",
            Self::ZoneUnknown => {
                "The time zone of an entry is not known; its times are right, in another zone."
            }
            Self::SeriesSplit => "A series could not stay in one piece.",
            Self::InstancesMissing => "A series has lost its single dates; the planned ones were taken.",
            Self::ObsoleteEntry => "Notes itself took this calendar entry out of service.",
            Self::MemberUnresolved => "No Internet address is known for a member of a group.",
            Self::KeywordRefused => "The target does not keep this category; it stands in the header.",
            Self::FlagRefused => "The target does not keep this mark.",
            Self::DateChanged => "The target gave the message another date.",
            Self::FolderRenamed => "A folder got another name, because the target uses its own for itself.",
            Self::Other => "Told by a newer program; the detail says what it is.",
        }
    }
}
