//! One document speaks for several: the leader of a series, and the document of a conflict that was saved last. Which one
//! it is may change from pass to pass; the copies at the target then go from the old one to the new one, which replaces
//! them like older copies of its own, so that the target never holds two.

use crate::model::item::Origin;
use crate::server::delivery::{DeliveryError, Pass, Prepared};
use crate::store::{Changes, Entry, Placed, Removal};

impl Pass<'_> {
    /// Hands an item the copies of the documents for which it speaks, in one commit. Copies that we found and did not put
    /// there stay what they are.
    pub(super) fn take_over(&self, prepared: &Prepared) -> Result<(), DeliveryError> {
        let Some(message) = prepared.message() else { return Ok(()) };
        let Origin::Notes { replica, .. } = prepared.key.origin;
        let mut changes = Changes::default();
        let mut taken = Vec::new();
        for &unid in &message.converted.stands_for {
            let key = self.key(Origin::Notes { replica, unid });
            let Some(mut other) = self.store.entry(&key)? else { continue };
            let before = taken.len();
            taken.extend(other.placements.extract_if(.., |placed| placed.source_digest.is_some()));
            if taken.len() > before {
                changes.entries.push((key, other));
            }
        }
        if taken.is_empty() {
            return Ok(());
        }
        let known = self.store.entry(&prepared.key)?;
        let mut entry = known.unwrap_or_else(|| Entry::unfinished(self.settings.now_unix_ms));
        for placed in taken {
            if entry.placed(&placed.folder).is_none() {
                entry.placements.push(placed);
            } else {
                changes.to_remove.extend(removal(placed));
            }
        }
        changes.entries.push((prepared.key.clone(), entry));
        self.commit(changes)
    }
}

fn removal(placed: Placed) -> Option<Removal> {
    Some(Removal { folder: placed.folder, location: placed.location? })
}
