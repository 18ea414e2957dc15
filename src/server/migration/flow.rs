//! What a migration asks for next: pure decisions from what has arrived.
//!
//! Folders first, then the listing page by page; of each page the items that have to be opened, in as many actions as
//! they need. An action that was given up is asked again in smaller pieces, until a single item is left, which is then
//! set aside: one bad item cannot hold a mailbox. A trial ends its listing after some documents; the others are neither
//! found nor counted.

use crate::base::limits::{GET_BYTES, LIST_PAGE_ITEMS, MESSAGE_LIST_ENTRIES};
use crate::model::content::{ListedItem, SourceItemId};
use crate::model::folder::Folder;
use crate::protocol::action::Action;
use crate::protocol::transfer::{End, Failure, SourceFacts};
use std::collections::{HashMap, VecDeque};
use std::mem;

/// By what an action shrinks when it was given up.
const SHRINK: usize = 8;

/// What the migration does now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    Ask(Action),
    /// Everything was listed, and everything that was asked for has arrived.
    Complete,
    /// The source cannot be read now.
    Fail(String),
}

/// What becomes of an action that was given up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GivenUp {
    /// The one item that was asked for and never arrived.
    pub set_aside: Option<ListedItem>,
    pub next: Next,
}

/// Where a migration stands.
#[derive(Debug, Default)]
pub struct Flow {
    facts: SourceFacts,
    folders: Vec<Folder>,
    /// Items of the present page that have to be opened, in the order in which they are asked for.
    due: VecDeque<SourceItemId>,
    lines: HashMap<SourceItemId, ListedItem>,
    /// Where the listing goes on once the present page is done.
    after: Option<SourceItemId>,
    listed_all: bool,
    /// How many items the present action asked for; 0 for a listing.
    asked: usize,
    /// How many items an action asks for at most; 0 before the first.
    most: usize,
    changed: Option<String>,
    /// How many documents a trial still lists; `None` where all are listed.
    left: Option<u64>,
}

impl Flow {
    /// The first action of every migration.
    pub fn first() -> Action {
        Action::ListFolders
    }

    /// With a limit the listing ends after so many documents.
    pub fn new(limit: Option<u32>) -> Self {
        Self { left: limit.map(u64::from), ..Self::default() }
    }

    /// What the source says of itself.
    pub fn facts(&self) -> &SourceFacts {
        &self.facts
    }

    pub fn folders(&self) -> &[Folder] {
        &self.folders
    }

    /// That the source changed while it was read, in a sentence.
    pub fn changed(&self) -> Option<&str> {
        self.changed.as_deref()
    }

    /// Takes what the source says of itself; folders follow.
    pub fn take_facts(&mut self, facts: SourceFacts) {
        self.facts = facts;
        self.folders.clear();
    }

    pub fn take_folder(&mut self, folder: Folder) {
        self.folders.push(folder);
    }

    /// Notes that so many documents were listed.
    pub fn take_listed(&mut self, documents: u64) {
        self.left = self.left.map(|left| left.saturating_sub(documents));
    }

    /// Notes that a listed item has to be opened.
    pub fn open_later(&mut self, listed: ListedItem) {
        let id = listed.id;
        if self.lines.insert(id, listed).is_none() {
            self.due.push_back(id);
        }
    }

    /// The line of an item that arrived; `None` if it arrived before, in an earlier attempt at the same action.
    pub fn take_item(&mut self, id: SourceItemId) -> Option<ListedItem> {
        let line = self.lines.remove(&id)?;
        // Items arrive in the order in which they were asked for, so it is the first.
        self.due.retain(|due| *due != id);
        Some(line)
    }

    /// Takes the end of an action's data.
    pub fn end(&mut self, end: End) -> Next {
        self.changed = end.changed.or(self.changed.take());
        if let Some(Failure { detail, .. }) = end.failure {
            return Next::Fail(detail);
        }
        if let Some(why) = &self.facts.in_use {
            return Next::Fail(format!("the source is in use: {why}"));
        }
        if self.asked == 0 {
            self.listed_all = end.next.is_none() && self.most > 0;
            self.after = end.next;
        } else {
            self.most = (self.most * SHRINK).min(MESSAGE_LIST_ENTRIES);
        }
        self.ask()
    }

    /// Goes on after an action that was given up: its readers died or went silent too often.
    pub fn give_up(&mut self) -> GivenUp {
        match self.asked {
            0 => {
                let why = "the extractor began to list the mailbox several times and did not come to an end";
                GivenUp { set_aside: None, next: Next::Fail(why.to_owned()) }
            }
            1 => {
                let set_aside = self.due.front().copied().and_then(|id| self.take_item(id));
                GivenUp { set_aside, next: self.ask() }
            }
            asked => {
                self.most = (asked / SHRINK).max(1);
                GivenUp { set_aside: None, next: self.ask() }
            }
        }
    }

    fn ask(&mut self) -> Next {
        if self.due.is_empty() {
            self.asked = 0;
            // What is left are lines of a damaged listing.
            mem::take(&mut self.lines);
            if self.listed_all || self.left == Some(0) {
                return Next::Complete;
            }
            self.most = self.most.max(MESSAGE_LIST_ENTRIES);
            let limit = self.left.map_or(LIST_PAGE_ITEMS, |left| left.min(LIST_PAGE_ITEMS.into()) as u32);
            return Next::Ask(Action::ListItems { after: self.after, limit });
        }
        let ids: Vec<SourceItemId> = self.due.iter().take(self.most).copied().collect();
        self.asked = ids.len();
        Next::Ask(Action::GetItems { ids, max_bytes: GET_BYTES })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::item::{ItemVersion, Origin};
    use crate::notes::ids::{ReplicaId, Unid};
    use crate::protocol::transfer::FailureKind;

    fn listed(id: u64) -> ListedItem {
        let mut unid = [0; 16];
        unid[..8].copy_from_slice(&id.to_le_bytes());
        ListedItem {
            relatives: 0,
            id: SourceItemId(id),
            origin: Origin::Notes { replica: ReplicaId(1), unid: Unid(unid) },
            version: ItemVersion::default(),
            folders: Vec::new(),
            unread: None,
        }
    }

    fn list(after: Option<u64>) -> Next {
        Next::Ask(Action::ListItems { after: after.map(SourceItemId), limit: LIST_PAGE_ITEMS })
    }

    fn get(ids: impl IntoIterator<Item = u64>) -> Next {
        let ids = ids.into_iter().map(SourceItemId).collect();
        Next::Ask(Action::GetItems { ids, max_bytes: GET_BYTES })
    }

    fn page_after(next: Option<u64>) -> End {
        End { next: next.map(SourceItemId), ..End::default() }
    }

    #[test]
    fn a_mailbox_is_listed_and_got_page_by_page() {
        let mut flow = Flow::default();
        assert_eq!(flow.end(End::default()), list(None));
        (1..=3).for_each(|id| flow.open_later(listed(id)));
        assert_eq!(flow.end(page_after(Some(9))), get([1, 2, 3]));
        assert_eq!(flow.take_item(SourceItemId(1)), Some(listed(1)));
        assert_eq!(flow.take_item(SourceItemId(1)), None);
        // The byte limit was reached after the first.
        assert_eq!(flow.end(End::default()), get([2, 3]));
        [2, 3].into_iter().for_each(|id| drop(flow.take_item(SourceItemId(id))));
        assert_eq!(flow.end(End::default()), list(Some(9)));
        assert_eq!(flow.end(page_after(None)), Next::Complete);
    }

    #[test]
    fn a_page_without_news_is_followed_by_the_next() {
        let mut flow = Flow::default();
        flow.end(End::default());
        assert_eq!(flow.end(page_after(Some(1_000))), list(Some(1_000)));
        assert_eq!(flow.end(page_after(None)), Next::Complete);
    }

    #[test]
    fn a_trial_lists_no_more_than_its_limit() {
        let list = |after: Option<u64>, limit| {
            Next::Ask(Action::ListItems { after: after.map(SourceItemId), limit })
        };
        let mut flow = Flow::new(Some(LIST_PAGE_ITEMS + 10));
        assert_eq!(flow.end(End::default()), list(None, LIST_PAGE_ITEMS));
        flow.take_listed(LIST_PAGE_ITEMS.into());
        assert_eq!(flow.end(page_after(Some(1_000))), list(Some(1_000), 10));
        flow.take_listed(10);
        flow.open_later(listed(1_001));
        assert_eq!(flow.end(page_after(Some(1_010))), get([1_001]));
        assert!(flow.take_item(SourceItemId(1_001)).is_some());
        assert_eq!(flow.end(End::default()), Next::Complete);
    }

    #[test]
    fn one_bad_item_is_found_and_set_aside() {
        let mut flow = Flow::default();
        flow.end(End::default());
        (1..=1_000).for_each(|id| flow.open_later(listed(id)));
        let mut next = flow.end(page_after(None));
        let (mut aside, mut attempts) = (Vec::new(), 0);
        while let Next::Ask(Action::GetItems { ids, .. }) = next {
            attempts += 1;
            next = if ids.contains(&SourceItemId(500)) {
                let given_up = flow.give_up();
                aside.extend(given_up.set_aside);
                given_up.next
            } else {
                ids.iter().for_each(|id| assert!(flow.take_item(*id).is_some()));
                flow.end(End::default())
            };
        }
        assert_eq!((next, aside), (Next::Complete, vec![listed(500)]));
        assert!(attempts < 40, "{attempts}");
    }

    #[test]
    fn a_source_in_use_or_out_of_reach_fails() {
        let failure = Failure { kind: FailureKind::CannotOpen, detail: "no such file".to_owned() };
        let end = End { failure: Some(failure), ..End::default() };
        assert_eq!(Flow::default().end(end), Next::Fail("no such file".to_owned()));
        let mut flow = Flow::default();
        flow.take_facts(SourceFacts { in_use: Some("locked".to_owned()), ..SourceFacts::default() });
        assert!(matches!(flow.end(End::default()), Next::Fail(why) if why.contains("locked")));
        assert!(matches!(Flow::default().give_up().next, Next::Fail(_)));
    }
}
