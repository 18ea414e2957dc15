//! The losses of one item while it is converted: each once, with its count.

use crate::base::limits::LOSSES_PER_ITEM;
use crate::model::loss::{Loss, LossKind};
use std::collections::BTreeMap;

/// Collects losses. A damaged document can have very many, so what repeats is counted, and beyond
/// [`LOSSES_PER_ITEM`] different ones only the kind is kept.
#[derive(Debug, Default)]
pub struct Losses {
    counts: BTreeMap<Loss, u64>,
}

impl Losses {
    pub fn add(&mut self, kind: LossKind, detail: impl Into<String>) {
        self.push(Loss::new(kind, detail));
    }

    pub fn push(&mut self, mut loss: Loss) {
        if self.counts.len() >= LOSSES_PER_ITEM && !self.counts.contains_key(&loss) {
            loss.detail = "and others".to_owned();
        }
        *self.counts.entry(loss).or_default() += 1;
    }

    /// The losses in the order of their kinds; a repeated one tells how often.
    pub fn into_list(self) -> Vec<Loss> {
        let told = |(loss, count): (Loss, u64)| match count {
            1 => loss,
            _ if loss.detail.is_empty() => Loss::new(loss.kind, format!("{count} times")),
            _ => Loss::new(loss.kind, format!("{} ({count} times)", loss.detail)),
        };
        self.counts.into_iter().map(told).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeated_losses_are_counted_and_different_ones_bounded() {
        let mut losses = Losses::default();
        losses.add(LossKind::ImageDropped, "bitmap");
        losses.add(LossKind::ImageDropped, "bitmap");
        assert_eq!(losses.into_list(), [Loss::new(LossKind::ImageDropped, "bitmap (2 times)")]);

        let mut losses = Losses::default();
        for number in 0..100_000 {
            losses.add(LossKind::LinkDropped, number.to_string());
        }
        assert_eq!(losses.into_list().len(), LOSSES_PER_ITEM + 1);
    }
}
