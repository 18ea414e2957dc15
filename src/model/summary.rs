//! What is told of a mailbox beside its sum: losses and set-aside items in groups, each with a few examples and with
//! what was found most often.
//!
//! Made by whoever goes through items: a report file as they are settled, `server::machine` from the lines of the ledger
//! for the page. Needs the same memory for any number of items.

use crate::base::limits::{ABOUT_SUBJECT_CHARS, SUMMARY_DETAILS, SUMMARY_DETAILS_TOLD};
use crate::model::folder::FolderPath;
use crate::model::item::Origin;
use crate::model::loss::{Loss, LossKind, SetAside, SetAsideReason};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};

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
    /// In how many of them each detail was found.
    details: HashMap<String, u64>,
}

/// What exactly was found, in so many items.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Detail<'a> {
    pub text: &'a str,
    pub items: u64,
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
        let mut kinds: BTreeMap<LossKind, Vec<&str>> = BTreeMap::new();
        losses.iter().for_each(|loss| kinds.entry(loss.kind).or_default().push(&loss.detail));
        for (kind, details) in kinds {
            let example = || example(origin, about, folders, details[0]);
            self.losses.entry(kind).or_default().add(&details, self.loss_examples, example);
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
        self.set_aside.entry(why.reason).or_default().add(&[&why.detail], self.set_aside_examples, example);
    }

    /// The losses, the most frequent kind first.
    pub fn losses_by_frequency(&self) -> Vec<(LossKind, &Group)> {
        by_frequency(&self.losses)
    }

    /// What was set aside, the most frequent reason first.
    pub fn set_aside_by_frequency(&self) -> Vec<(SetAsideReason, &Group)> {
        by_frequency(&self.set_aside)
    }
}

fn by_frequency<Kind: Copy>(groups: &BTreeMap<Kind, Group>) -> Vec<(Kind, &Group)> {
    let mut sorted: Vec<_> = groups.iter().map(|(kind, group)| (*kind, group)).collect();
    sorted.sort_by_key(|(_, group)| Reverse(group.items));
    sorted
}

fn example(origin: Option<Origin>, about: &About, folders: &[FolderPath], detail: &str) -> Example {
    Example { origin, about: about.clone(), folder: folders.first().cloned(), detail: detail.to_owned() }
}

impl Group {
    fn add(&mut self, details: &[&str], most: usize, example: impl FnOnce() -> Example) {
        self.items += 1;
        if self.examples.len() < most {
            self.examples.push(example());
        }
        for detail in details.iter().collect::<BTreeSet<_>>() {
            if let Some(items) = self.details.get_mut(*detail) {
                *items += 1;
            } else if self.details.len() < SUMMARY_DETAILS && !detail.is_empty() {
                self.details.insert((*detail).to_owned(), 1);
            }
        }
    }

    /// What was found most often.
    pub fn most_often(&self) -> Vec<Detail<'_>> {
        let mut told: Vec<_> = self.details.iter().map(|(text, &items)| Detail { text, items }).collect();
        told.sort_by_key(|detail| (Reverse(detail.items), detail.text));
        told.truncate(SUMMARY_DETAILS_TOLD);
        told
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
    fn a_detail_counts_once_an_item() {
        let mut summary = Summary::new(0, 0);
        let lost = |details: &[&str]| -> Vec<Loss> {
            details.iter().map(|detail| Loss::new(LossKind::ConstructDropped, *detail)).collect()
        };
        for details in [&["button", "button", "applet", ""][..], &["button"], &[]] {
            summary.add_losses(None, &About::default(), &[], &lost(details));
        }
        let group = &summary.losses[&LossKind::ConstructDropped];
        assert_eq!((group.items, group.examples.len()), (2, 0));
        let told = [Detail { text: "button", items: 2 }, Detail { text: "applet", items: 1 }];
        assert_eq!(group.most_often(), told);
    }

    #[test]
    fn details_without_number_need_no_memory_without_bound() {
        let mut summary = Summary::new(0, 0);
        for number in 0..2 * SUMMARY_DETAILS {
            let why = SetAside::new(SetAsideReason::Refused, number.to_string());
            summary.add_set_aside(None, &About::default(), &[], &why);
        }
        let group = &summary.set_aside[&SetAsideReason::Refused];
        assert_eq!(group.items, 2 * SUMMARY_DETAILS as u64);
        assert_eq!((group.details.len(), group.most_often().len()), (SUMMARY_DETAILS, SUMMARY_DETAILS_TOLD));
    }

    #[test]
    fn a_very_long_subject_is_cut() {
        assert_eq!(About::new(&"x".repeat(10_000), None).subject.len(), ABOUT_SUBJECT_CHARS);
    }
}
