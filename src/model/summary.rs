//! What is told of a mailbox beside its sum: losses and set-aside items in groups, each with a few examples.
//!
//! Made by whoever goes through items: a report file as they are settled, a page from the lines of the ledger. Needs the
//! same memory for any number of items.

use crate::base::limits::ABOUT_SUBJECT_CHARS;
use crate::model::folder::FolderPath;
use crate::model::item::Origin;
use crate::model::loss::{Loss, LossKind, SetAside, SetAsideReason};
use std::collections::BTreeMap;

/// By what a person recognises an item.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct About {
    /// Its beginning, in one line.
    pub subject: String,
    /// Milliseconds since 1970-01-01 00:00 UTC.
    pub date_unix_ms: Option<i64>,
}

impl About {
    pub fn new(subject: &str, date_unix_ms: Option<i64>) -> Self {
        let line = subject.chars().take(ABOUT_SUBJECT_CHARS).map(|c| if c.is_control() { ' ' } else { c });
        Self { subject: line.collect(), date_unix_ms }
    }
}

/// One item of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Example {
    /// `None` for an item that the source cannot identify.
    pub origin: Option<Origin>,
    pub about: About,
    /// The first of its folders at the target.
    pub folder: Option<FolderPath>,
    /// What exactly was lost, or why it was set aside.
    pub detail: String,
}

/// Items that have something in common.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Group {
    /// Each counted once.
    pub items: u64,
    /// The first of them.
    pub examples: Vec<Example>,
}

/// The groups of one mailbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    pub losses: BTreeMap<LossKind, Group>,
    pub set_aside: BTreeMap<SetAsideReason, Group>,
    loss_examples: usize,
    set_aside_examples: usize,
}

impl Summary {
    /// A summary that keeps so many examples of each kind of loss, and of each reason.
    pub fn new(loss_examples: usize, set_aside_examples: usize) -> Self {
        Self { losses: BTreeMap::new(), set_aside: BTreeMap::new(), loss_examples, set_aside_examples }
    }

    /// Adds what an item lost. One that lost several things of a kind counts once.
    pub fn add_losses(
        &mut self,
        origin: Option<Origin>,
        about: &About,
        folders: &[FolderPath],
        losses: &[Loss],
    ) {
        let mut kinds: Vec<&Loss> = losses.iter().collect();
        kinds.sort_by_key(|loss| loss.kind);
        kinds.dedup_by_key(|loss| loss.kind);
        for loss in kinds {
            let example = || example(origin, about, folders, &loss.detail);
            self.losses.entry(loss.kind).or_default().add(self.loss_examples, example);
        }
    }

    /// Adds an item that was set aside.
    pub fn add_set_aside(
        &mut self,
        origin: Option<Origin>,
        about: &About,
        folders: &[FolderPath],
        why: &SetAside,
    ) {
        let example = || example(origin, about, folders, &why.detail);
        self.set_aside.entry(why.reason).or_default().add(self.set_aside_examples, example);
    }
}

fn example(origin: Option<Origin>, about: &About, folders: &[FolderPath], detail: &str) -> Example {
    Example { origin, about: about.clone(), folder: folders.first().cloned(), detail: detail.to_owned() }
}

impl Group {
    fn add(&mut self, most: usize, example: impl FnOnce() -> Example) {
        self.items += 1;
        if self.examples.len() < most {
            self.examples.push(example());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_are_counted_once_a_kind_and_the_first_are_kept() {
        let mut summary = Summary::new(2, 0);
        let loss = |kind, detail: &str| Loss::new(kind, detail);
        let losses = [
            loss(LossKind::ActionDropped, "Approve"),
            loss(LossKind::LinkDropped, "x"),
            loss(LossKind::ActionDropped, "Reject"),
        ];
        for number in 0..5 {
            summary.add_losses(None, &About::new(&format!("{number}\n"), Some(number)), &[], &losses);
        }
        let actions = &summary.losses[&LossKind::ActionDropped];
        assert_eq!((actions.items, summary.losses[&LossKind::LinkDropped].items), (5, 5));
        let told: Vec<_> = actions.examples.iter().map(|e| (&*e.about.subject, &*e.detail)).collect();
        assert_eq!(told, [("0 ", "Approve"), ("1 ", "Approve")]);
    }

    #[test]
    fn a_very_long_subject_is_cut() {
        assert_eq!(About::new(&"x".repeat(10_000), None).subject.len(), ABOUT_SUBJECT_CHARS);
    }
}
