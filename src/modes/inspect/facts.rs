//! What `inspect` finds in a database: counts and names, in the form that `--json` prints one line a file.
//!
//! The fields and their meanings are those of the `truth.jsonl` files that come with public sample databases, so that
//! two readers can be compared; what goes beyond them (`file_kind`, `folders`, `access`, `warnings`) comes after.

use super::PAGE_ITEMS;
use crate::model::blob::Blob;
use crate::model::content::{Content, File, FileBody, SourceItem, SourceItemId};
use crate::model::loss::LossKind;
use crate::notes::document::{Note, NoteClass};
use crate::notes::ids::NoteId;
use crate::notes::item::ItemType;
use crate::notes::richtext::record::{LengthForm, Records, Signature};
use crate::notes::value::Value;
use crate::sources::nsf::NsfSource;
use crate::sources::nsf::unread::read_unread_lists;
use crate::sources::{Cursor, Source, SourceError};
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::path::Path;

/// Everything about one file.
#[derive(Debug, Serialize)]
pub struct FileFacts {
    pub file: String,
    pub ods: u32,
    pub bytes: u64,
    pub title: String,
    pub replica_id: String,
    /// Number of notes by class (hexadecimal, without the default-of-class bit); deletion stubs do not count.
    pub notes: BTreeMap<String, u64>,
    pub document_count: usize,
    /// Sorted by UNID.
    pub documents: Vec<DocumentFacts>,
    pub file_kind: &'static str,
    pub release: &'static str,
    pub template: String,
    pub inherits_from: String,
    pub owner: Option<String>,
    pub folders: Vec<FolderFacts>,
    pub outside: OutsideFacts,
    /// Who may do what, in words by name.
    pub access: BTreeMap<String, String>,
    /// Unread notes by user.
    pub unread: BTreeMap<String, usize>,
    /// Who has the file open for writing.
    pub in_use: Option<String>,
    pub warnings: Vec<String>,
}

/// Attachments that a server keeps outside the database (DAOS).
#[derive(Debug, Serialize)]
pub struct OutsideFacts {
    pub attachments: u64,
    /// Those whose bytes are in a folder that was named.
    pub found: u64,
}

/// One folder.
#[derive(Debug, Serialize)]
pub struct FolderFacts {
    pub path: String,
    pub role: String,
    pub documents: u64,
}

/// One document.
#[derive(Debug, Serialize)]
pub struct DocumentFacts {
    pub note_id: String,
    pub unid: String,
    /// The first such item of type TEXT.
    pub form: Option<String>,
    pub subject: Option<String>,
    pub items: usize,
    /// Number of items by type code.
    pub types: BTreeMap<String, u64>,
    pub cd_records: u64,
    pub cd_text_bytes: u64,
    pub mime_parts: u64,
    /// Sorted by name.
    pub attachments: Vec<AttachmentFacts>,
    /// What could not be read.
    pub losses: Vec<String>,
}

/// One file of a document.
#[derive(Debug, Serialize)]
pub struct AttachmentFacts {
    pub name: String,
    pub size: u64,
    pub compression: u16,
    pub host: u16,
    /// Of the unpacked bytes; `null` where they cannot be read.
    pub sha256: Option<String>,
    #[serde(skip)]
    is_missed_outside: bool,
}

/// Reads a whole database and says what is in it.
///
/// # Errors
/// When the list of documents cannot be read.
pub fn read(path: &Path, mut source: NsfSource) -> Result<FileFacts, SourceError> {
    let info = source.info();
    let mut warnings = info.warnings;
    let documents = read_documents(&mut source, &mut warnings)?;
    let outside = source.external_files();
    let attachments = documents.iter().flat_map(|document| &document.attachments);
    let missed = attachments.filter(|attachment| attachment.is_missed_outside).count() as u64;
    let database = source.database().clone();
    let header = database.header();
    let folders = source.folders()?.into_iter().map(|folder| FolderFacts {
        path: folder.path.to_string(),
        role: format!("{:?}", folder.role).to_lowercase(),
        documents: folder.documents,
    });
    let unread = read_unread_lists(&database).0;
    let access = source.access().unwrap_or_else(|why| {
        warnings.push(why);
        Vec::new()
    });
    Ok(FileFacts {
        file: path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned(),
        ods: header.ods,
        bytes: database.file().len(),
        title: header.title.clone(),
        replica_id: header.replica_id.to_string(),
        notes: source
            .census()
            .classes
            .iter()
            .map(|(class, count)| (format!("{:04x}", class.0), *count))
            .collect(),
        document_count: documents.len(),
        documents,
        file_kind: header.kind(),
        release: header.release(),
        template: header.template.clone(),
        inherits_from: header.inherits_from.clone(),
        owner: source.owner().map(str::to_owned),
        folders: folders.collect(),
        outside: OutsideFacts { attachments: outside, found: outside.saturating_sub(missed) },
        access: access.into_iter().map(|entry| (entry.name.clone(), entry.words())).collect(),
        unread: unread.into_iter().map(|list| (list.user, list.notes.len())).collect(),
        in_use: info.in_use,
        warnings,
    })
}

fn read_documents(
    source: &mut NsfSource,
    warnings: &mut Vec<String>,
) -> Result<Vec<DocumentFacts>, SourceError> {
    let mut documents = Vec::new();
    let mut from: Option<Cursor> = None;
    loop {
        let page = source.list(from, PAGE_ITEMS)?;
        for (id, why) in page.unreadable {
            warnings.push(format!("document {} cannot be read: {why}", NoteId(id.0 as u32)));
        }
        for item in page.items {
            match source.open(item.id) {
                Ok(opened) => documents.push(document_facts(item.id, &opened)),
                Err(error) => warnings.push(error.to_string()),
            }
        }
        from = page.next;
        if from.is_none() {
            documents.sort_by(|a, b| a.unid.cmp(&b.unid));
            return Ok(documents);
        }
    }
}

fn document_facts(id: SourceItemId, opened: &SourceItem) -> DocumentFacts {
    let Content::Note { note, files } = &opened.content;
    let mut types = BTreeMap::new();
    for item in &note.items {
        *types.entry(format!("{:04x}", item.item_type.0)).or_insert(0) += 1;
    }
    let (cd_records, cd_text_bytes) = count_records(note);
    let mut attachments: Vec<_> = files.iter().map(attachment_facts).collect();
    attachments.sort_by(|a, b| a.name.cmp(&b.name));
    DocumentFacts {
        note_id: NoteId(id.0 as u32).to_string(),
        unid: note.unid.to_string(),
        form: first_text(note, "Form"),
        subject: first_text(note, "Subject"),
        items: note.items.len(),
        mime_parts: types.get("0019").copied().unwrap_or(0),
        types,
        cd_records,
        cd_text_bytes,
        attachments,
        losses: opened.losses.iter().map(ToString::to_string).collect(),
    }
}

fn attachment_facts(file: &File) -> AttachmentFacts {
    AttachmentFacts {
        name: file.descriptor.name.text.clone(),
        size: u64::from(file.descriptor.size),
        compression: file.descriptor.compression.code(),
        host: file.descriptor.host,
        sha256: match &file.body {
            FileBody::Read(blob) => digest(blob).ok(),
            FileBody::Lost(_) => None,
        },
        is_missed_outside: matches!(&file.body, FileBody::Lost(loss) if loss.kind == LossKind::AttachmentExternal),
    }
}

fn first_text(note: &Note, name: &str) -> Option<String> {
    let item = note.all(name).find(|item| item.item_type == ItemType::TEXT)?;
    match item.value() {
        Ok(Value::Text(text)) => Some(text.text),
        _ => None,
    }
}

/// Records of all rich text, and the bytes of text in its TEXT records.
fn count_records(note: &Note) -> (u64, u64) {
    const TEXT: Signature = Signature(0x85, LengthForm::Word);
    const FONT_ID_BYTES: usize = 4;
    let (mut records, mut text_bytes) = (0, 0);
    for item in note.items.iter().filter(|item| item.item_type == ItemType::COMPOSITE) {
        for record in Records::new(&item.value) {
            records += 1;
            if record.signature == TEXT {
                text_bytes += record.data.len().saturating_sub(FONT_ID_BYTES) as u64;
            }
        }
    }
    (records, text_bytes)
}

fn digest(blob: &Blob) -> std::io::Result<String> {
    let mut hasher = Sha256::new();
    let mut reader = blob.open()?;
    let mut block = vec![0; 64 << 10];
    loop {
        match reader.read(&mut block)? {
            0 => return Ok(hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect()),
            read => hasher.update(&block[..read]),
        }
    }
}

/// The classes of [`FileFacts::notes`] with the words of the Notes client.
pub fn class_name(code: &str) -> &'static str {
    NoteClass(u16::from_str_radix(code, 16).unwrap_or(0)).name()
}
