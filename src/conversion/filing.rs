//! Where a document belongs at the target.

use crate::conversion::kind::{EntryKind, Kind};
use crate::conversion::losses::Losses;
use crate::conversion::state::State;
use crate::model::folder::{Folder, FolderId, FolderPath, FolderRole};
use crate::model::loss::LossKind;
use crate::notes::document::{Note, NoteStatus};

const DRAFTS: &str = "Drafts";
const SENT: &str = "Sent";
const TRASH: &str = "Trash";
const JUNK: &str = "Junk";
const TEMPLATES: &str = "Templates";
const ALL_DOCUMENTS: &str = "All Documents";
const CALENDAR: &str = "Calendar";
const TASKS: &str = "Tasks";
const CONTACTS: &str = "Contacts";
const NOTEBOOK: &str = "Notebook";

/// Names that a user's folder must not take.
const OUR_NAMES: [&str; 11] = [
    FolderPath::INBOX,
    DRAFTS,
    SENT,
    TRASH,
    JUNK,
    TEMPLATES,
    ALL_DOCUMENTS,
    CALENDAR,
    TASKS,
    CONTACTS,
    NOTEBOOK,
];

/// The target folder of a source folder; `None` for one that users do not see.
pub fn target(folder: &Folder) -> Option<FolderPath> {
    Some(match folder.role {
        FolderRole::Inbox => FolderPath::inbox(),
        FolderRole::Drafts => FolderPath::new([DRAFTS]),
        FolderRole::Sent => FolderPath::new([SENT]),
        FolderRole::Trash => FolderPath::new([TRASH]),
        FolderRole::Junk => FolderPath::new([JUNK]),
        FolderRole::User => user_folder(&folder.path),
        FolderRole::Hidden => return None,
    })
}

/// A user's folder; one that is called like one of ours gets another name.
fn user_folder(path: &FolderPath) -> FolderPath {
    let mut parts = path.parts().to_vec();
    if let Some(first) = parts.first_mut()
        && OUR_NAMES.iter().any(|ours| ours.eq_ignore_ascii_case(first))
    {
        first.push_str(" (Notes)");
    }
    FolderPath::new(parts.iter().map(String::as_str))
}

/// Whether a document lies in the folder of unwanted mail.
pub fn is_junk(placements: &[FolderPath]) -> bool {
    placements.contains(&FolderPath::new([JUNK]))
}

/// The folders of a document, each once. Entries, contacts and pages lie in the folder of their kind and where the user filed them. Mail in
/// no folder goes where the views of the mail file show it; nothing is dropped.
pub fn placements(
    note: &Note,
    listed: &[FolderId],
    folders: &[Folder],
    kind: Kind,
    state: State,
    losses: &mut Losses,
) -> Vec<FolderPath> {
    if note.status.has(NoteStatus::SOFT_DELETED) {
        return vec![FolderPath::new([TRASH])];
    }
    let mut placements = Vec::new();
    for folder in folders.iter().filter(|folder| listed.contains(&folder.id)) {
        let Some(path) = target(folder) else {
            losses.add(LossKind::HiddenFolder, folder.path.to_string());
            continue;
        };
        if folder.role == FolderRole::User && path != folder.path {
            losses.add(LossKind::FolderRenamed, format!("{} is now {path}", folder.path));
        }
        if !placements.contains(&path) {
            placements.push(path);
        }
    }
    let own = match kind {
        Kind::Entry(EntryKind::Task) => Some(TASKS),
        Kind::Entry(_) => Some(CALENDAR),
        Kind::Contact(_) => Some(CONTACTS),
        Kind::Journal => Some(NOTEBOOK),
        _ if !placements.is_empty() => None,
        Kind::Mail(_) => Some(by_state(note, state)),
        Kind::Other(_) => Some(ALL_DOCUMENTS),
    };
    let own = own.map(|name| FolderPath::new([name])).filter(|path| !placements.contains(path));
    placements.extend(own);
    placements
}

fn by_state(note: &Note, state: State) -> &'static str {
    let excluded = note.texts("ExcludeFromView");
    let shown = |view: &str| !excluded.iter().any(|text| text.trim().eq_ignore_ascii_case(view));
    match state {
        State::Draft if shown("D") => DRAFTS,
        State::Sent if shown("S") => SENT,
        State::Template => TEMPLATES,
        _ => ALL_DOCUMENTS,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_of_the_user_does_not_take_our_name() {
        let path = |parts: &[&str]| FolderPath::new(parts.iter().copied());
        assert_eq!(user_folder(&path(&["sent", "2014"])), path(&["sent (Notes)", "2014"]));
        assert_eq!(user_folder(&path(&["A", "Sent"])), path(&["A", "Sent"]));
    }
}
