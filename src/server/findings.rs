//! What became of the documents of a mailbox beside their delivery, added up: what they lost on their way, and why others
//! were set aside.
//!
//! Made from the ledger whenever somebody asks, so it always agrees with it. Read by `server::api` for the page.

use crate::base::limits::{FINDING_DETAILS, FINDING_SAMPLES};
use crate::model::item::Origin;
use crate::model::loss::{LossKind, SetAsideReason};
use crate::model::outcome::Outcome;
use crate::store::Entry;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// The sums of some lines of the ledger.
#[derive(Debug, Default)]
pub struct Findings {
    pub losses: BTreeMap<LossKind, Finding>,
    pub set_aside: BTreeMap<SetAsideReason, Finding>,
}

/// One kind of loss, or one reason.
#[derive(Debug, Default)]
pub struct Finding {
    /// How many documents it befell.
    pub documents: u64,
    details: HashMap<String, (u64, Origin)>,
}

/// What exactly was found, in so many documents, and one of them.
#[derive(Debug, PartialEq, Eq)]
pub struct Sample<'a> {
    pub detail: &'a str,
    pub documents: u64,
    pub origin: Origin,
}

impl Findings {
    /// Adds one document.
    pub fn add(&mut self, origin: Origin, entry: &Entry) {
        if let Outcome::SetAside(why) = &entry.outcome {
            self.set_aside.entry(why.reason).or_default().add(origin, [why.detail.as_str()]);
            return;
        }
        let mut kinds: BTreeMap<LossKind, BTreeSet<&str>> = BTreeMap::new();
        for loss in &entry.losses {
            kinds.entry(loss.kind).or_default().insert(&loss.detail);
        }
        for (kind, details) in kinds {
            self.losses.entry(kind).or_default().add(origin, details);
        }
    }
}

impl Finding {
    fn add<'a>(&mut self, origin: Origin, details: impl IntoIterator<Item = &'a str>) {
        self.documents += 1;
        for detail in details {
            if let Some((documents, _)) = self.details.get_mut(detail) {
                *documents += 1;
            } else if self.details.len() < FINDING_DETAILS {
                self.details.insert(detail.to_owned(), (1, origin));
            }
        }
    }

    /// What was found most often.
    pub fn samples(&self) -> Vec<Sample<'_>> {
        let details = self.details.iter();
        let mut samples: Vec<Sample<'_>> =
            details.map(|(detail, &(documents, origin))| Sample { detail, documents, origin }).collect();
        samples.sort_by_key(|sample| (Reverse(sample.documents), sample.detail));
        samples.truncate(FINDING_SAMPLES);
        samples
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::loss::{Loss, SetAside};
    use crate::notes::ids::{ReplicaId, Unid};

    fn origin(unid: u8) -> Origin {
        Origin::Notes { replica: ReplicaId(1), unid: Unid([unid; 16]) }
    }

    fn lost(details: &[&str]) -> Entry {
        let losses = details.iter().map(|detail| Loss::new(LossKind::ConstructDropped, *detail)).collect();
        Entry { outcome: Outcome::Delivered, losses, ..Entry::unfinished(1) }
    }

    #[test]
    fn a_document_counts_once_for_each_kind_and_each_detail() {
        let mut findings = Findings::default();
        findings.add(origin(1), &lost(&["button", "button", "applet"]));
        findings.add(origin(2), &lost(&["button"]));
        findings.add(origin(3), &lost(&[]));
        let found = &findings.losses[&LossKind::ConstructDropped];
        assert_eq!(found.documents, 2);
        let sample = |detail, documents| Sample { detail, documents, origin: origin(1) };
        assert_eq!(found.samples(), [sample("button", 2), sample("applet", 1)]);
        assert!(findings.set_aside.is_empty() && findings.losses.len() == 1);
    }

    #[test]
    fn what_was_set_aside_lost_nothing() {
        let why = SetAside::new(SetAsideReason::Refused, "no");
        let mut findings = Findings::default();
        findings.add(origin(1), &Entry { outcome: Outcome::SetAside(why), ..lost(&["button"]) });
        assert!(findings.losses.is_empty());
        assert_eq!(findings.set_aside[&SetAsideReason::Refused].documents, 1);
    }

    #[test]
    fn details_without_number_need_no_memory_without_bound() {
        let mut findings = Findings::default();
        for number in 0..2 * FINDING_DETAILS {
            findings.add(origin(1), &lost(&[&number.to_string()]));
        }
        let found = &findings.losses[&LossKind::ConstructDropped];
        assert_eq!(found.documents, 2 * FINDING_DETAILS as u64);
        assert_eq!((found.details.len(), found.samples().len()), (FINDING_DETAILS, FINDING_SAMPLES));
    }
}
