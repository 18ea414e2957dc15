//! Which documents of a source belong together, and a digest over their versions for the listing; every source of Notes
//! documents asks here, so that they agree.
//!
//! A calendar entry or task belongs to those of its series and to the answers that came in. The losers of a replication
//! conflict belong to the winner: of entries and contacts the later saved one counts, whichever it is, so each has to
//! know of the others; of mails the loser alone looks at the winner.

use crate::notes::address_book::{self, Listed};
use crate::notes::document::{Note, NoteStatus};
use crate::notes::ids::Unid;
use crate::notes::timedate::Timedate;

/// How a document belongs to others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kin {
    /// They have its `ApptUNID`.
    Series,
    /// They are the same document, saved in two places.
    Conflict,
}

/// How a document belongs to others; `None` for one that stands alone.
pub fn kin(note: &Note) -> Option<Kin> {
    let is_contact = matches!(address_book::listed(note), Some(Listed::Person | Listed::Group));
    match is_entry(note) {
        true if !series(note).is_empty() => Some(Kin::Series),
        is_entry if is_entry || is_contact || note.has("$Conflict") => Some(Kin::Conflict),
        _ => None,
    }
}

/// Notices in the mail file of the chair are answers to an entry, and no entries.
fn is_entry(note: &Note) -> bool {
    ["Appointment", "Task"].iter().any(|form| note.text("Form").trim().eq_ignore_ascii_case(form))
}

/// What the documents of a series have in common.
pub fn series(note: &Note) -> String {
    note.text("ApptUNID").trim().to_ascii_uppercase()
}

/// Whether users have a document, and not in their trash.
pub fn is_alive(note: &Note) -> bool {
    note.is_user_document() && !note.status.has(NoteStatus::SOFT_DELETED)
}

/// A document as replication compares it.
pub type Version = (Unid, u32, Timedate);

/// A digest over the versions of documents that belong together: it changes when one of them is saved, comes or goes.
pub fn digest(mut members: Vec<Version>) -> u64 {
    members.sort_unstable_by_key(|(unid, sequence, time)| (*unid, *sequence, time.0));
    let mut hasher = blake3::Hasher::new_derive_key("notesferry relatives 1");
    for (unid, sequence, time) in members {
        hasher.update(&unid.0);
        for word in [sequence, time.0[0], time.0[1]] {
            hasher.update(&word.to_le_bytes());
        }
    }
    let mut digest = [0; 8];
    hasher.finalize_xof().fill(&mut digest);
    u64::from_le_bytes(digest)
}
