//! One walk over the heads of all notes: what there is, before any of it is read.

use super::database::Database;
use crate::notes::document::{NoteClass, NoteStatus};
use crate::notes::ids::NoteId;
use std::collections::BTreeMap;

/// What a database holds, by the heads of its notes.
#[derive(Debug, Default)]
pub struct Census {
    /// Notes by class, without deletion stubs.
    pub classes: BTreeMap<NoteClass, u64>,
    /// Views and folders.
    pub views: Vec<NoteId>,
    /// Named documents, such as profiles.
    pub named: Vec<NoteId>,
    /// Live documents that answer another one, by that one, each list in the order of the walk.
    pub responses: BTreeMap<NoteId, Vec<NoteId>>,
    /// Ids of the list of live documents that are there.
    listed_found: usize,
}

impl Census {
    pub fn take(database: &Database) -> Self {
        let mut census = Self::default();
        let mut from = Some(NoteId(0));
        while let Some(at) = from {
            let step = database.walk(at);
            for head in step.notes.into_iter().flatten() {
                *census.classes.entry(head.class.kind()).or_insert(0) += 1;
                if head.class.kind() == NoteClass::VIEW {
                    census.views.push(head.note_id);
                }
                if head.class.is_document() && head.status.has(NoteStatus::NAMED) {
                    census.named.push(head.note_id);
                }
                if let Some(parent) = head.answered()
                    && head.is_user_document()
                    && database.is_listed(head.note_id)
                {
                    census.responses.entry(parent).or_default().push(head.note_id);
                }
                census.listed_found += usize::from(database.is_listed(head.note_id));
            }
            from = step.next;
        }
        census
    }

    /// A sentence if the database lists clearly more documents than are there. In a large file about one listed id in
    /// a hundred belongs to a document that was deleted since.
    pub fn warning(&self, database: &Database) -> Option<String> {
        let listed = database.listed_documents()?;
        let gone = listed.saturating_sub(self.listed_found);
        (gone > 10 + listed / 50).then(|| {
            format!("the database lists {listed} live documents, {gone} of which are not in the file; it may be incomplete")
        })
    }
}
