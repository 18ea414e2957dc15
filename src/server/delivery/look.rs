//! What the target shows of items that were delivered earlier: which copies the user took out, and the flags of the
//! others.

use crate::destinations::{Place, Standing};
use crate::model::delivery::Flags;
use crate::model::folder::FolderPath;
use crate::model::item::{ItemKey, Origin};
use crate::model::loss::{Loss, LossKind};
use crate::server::delivery::batch::Job;
use crate::server::delivery::{DeliveryError, End, Pass, known_before, plan};
use crate::store::{Changes, Entry, Placed};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::mem;

/// An item after a look at the target.
#[derive(Debug)]
pub struct Sighted {
    /// Its line of the ledger; copies that are gone have lost their location in it.
    pub entry: Entry,
    /// The flags of the copies that are there, by their folders.
    pub flags: HashMap<FolderPath, Flags>,
    /// Whether the line says something new and is to be written.
    pub changed: bool,
}

/// The copies that a line of the ledger knows.
pub fn copies(entry: &Entry) -> impl Iterator<Item = Place> {
    entry.placements.iter().filter_map(place)
}

fn place(placed: &Placed) -> Option<Place> {
    Some((placed.folder.clone(), placed.location.clone()?))
}

impl Sighted {
    /// Takes as many standings as the entry has [`copies`], in the same order; none where the target was not asked.
    pub fn new(entry: Entry, standings: &mut impl Iterator<Item = Standing>) -> Self {
        let mut sighted = Self { entry, flags: HashMap::new(), changed: false };
        for placed in sighted.entry.placements.iter_mut().filter(|placed| placed.location.is_some()) {
            match standings.next() {
                Some(Standing::There(flags)) => {
                    sighted.flags.insert(placed.folder.clone(), flags);
                }
                // Of a folder that numbers anew every copy was found that is still in it.
                Some(Standing::Gone | Standing::Renumbered) => {
                    placed.location = None;
                    sighted.changed = true;
                }
                None => {}
            }
        }
        sighted
    }

    /// The copies of ours that are there and not read. Of one that was found, nobody knows who marked it so.
    pub fn unseen(&self) -> impl Iterator<Item = Place> {
        let ours = self.entry.placements.iter().filter(|placed| placed.source_digest.is_some());
        let seen = |placed: &Placed| self.flags.get(&placed.folder).is_none_or(|flags| flags.seen);
        ours.filter(move |placed| !seen(placed)).filter_map(place)
    }
}

/// Adds the flags of an older copy, which the user may have set. `\Draft` stays out: it says what the document was.
pub fn inherit(flags: &mut Flags, older: &Flags) {
    flags.seen |= older.seen;
    flags.answered |= older.answered;
    flags.flagged |= older.flagged;
    for keyword in &older.keywords {
        if !flags.keywords.iter().any(|known| known.eq_ignore_ascii_case(keyword)) {
            flags.keywords.push(keyword.clone());
        }
    }
}

impl Pass<'_> {
    /// Looks at the target for the copies of items that the ledger knows.
    pub(super) fn look_for(
        &mut self,
        keys: Vec<ItemKey>,
    ) -> Result<BTreeMap<ItemKey, Sighted>, DeliveryError> {
        loop {
            let mut entries = BTreeMap::new();
            for key in &keys {
                entries.extend(self.store.entry(key)?.map(|entry| (key.clone(), entry)));
            }
            let places: Vec<Place> = entries.values().flat_map(copies).collect();
            let asked = !places.is_empty() && self.destination.traits().searchable;
            let standings = if asked { self.destination.look(&places)? } else { Vec::new() };
            let renumbered =
                places.iter().zip(&standings).filter(|(_, standing)| **standing == Standing::Renumbered);
            let folders: BTreeSet<&FolderPath> = renumbered.map(|((folder, _), _)| folder).collect();
            let folders: Vec<_> =
                folders.into_iter().filter(|folder| !self.renumbered.contains(*folder)).cloned().collect();
            if folders.is_empty() {
                let mut standings = standings.into_iter();
                let sighted = |(key, entry)| (key, Sighted::new(entry, &mut standings));
                return Ok(entries.into_iter().map(sighted).collect());
            }
            folders.into_iter().try_for_each(|folder| self.renumber(folder))?;
        }
    }

    /// Marks copies as read; gives the items of which the target would not.
    fn mark_read(&mut self, copies: Vec<(Origin, Place)>) -> Result<HashSet<Origin>, DeliveryError> {
        if copies.is_empty() || !self.destination.traits().flags {
            return Ok(HashSet::new());
        }
        let (origins, places): (Vec<Origin>, Vec<Place>) = copies.into_iter().unzip();
        let marked = self.destination.add_flags(&places, &Flags { seen: true, ..Flags::default() })?;
        Ok(origins.into_iter().zip(marked).filter(|(_, marked)| !marked).map(|(origin, _)| origin).collect())
    }

    /// Marks the copies of a batch that stay and were read since, and adds what flags the target refuses to the losses.
    pub(super) fn settle_flags(&mut self, jobs: &mut [Job]) -> Result<(), DeliveryError> {
        let refused = self.mark_read(jobs.iter().flat_map(Job::read_since).collect())?;
        for job in jobs {
            let put = job.deliveries().flat_map(|delivery| self.destination.refused_flags(&delivery));
            let mut losses: BTreeSet<Loss> = put.collect();
            losses.extend(refused.contains(&job.prepared.key.origin).then(unread_loss));
            job.prepared.losses.extend(losses);
        }
        Ok(())
    }

    /// Settles the items that need not be opened, after a look at the target.
    pub(super) fn settle_looked_for(&mut self) -> Result<(), DeliveryError> {
        let unopened = mem::take(&mut self.unopened);
        if unopened.is_empty() {
            return Ok(());
        }
        let mut sighted = self.look_for(unopened.iter().map(|(origin, _)| self.key(*origin)).collect())?;
        let mut unseen = Vec::new();
        for (origin, _) in unopened.iter().filter(|(_, end)| *end == End::ReadSince) {
            if let Some(item) = sighted.get_mut(&self.key(*origin)) {
                unseen.extend(item.unseen().map(|place| (*origin, place)));
                item.entry.seen = Some(true);
                item.changed = true;
            }
        }
        let refused = self.mark_read(unseen)?;
        let removed = sighted.iter().filter(|(_, item)| plan::is_removed(&item.entry));
        let removed: HashSet<Origin> = removed.map(|(key, _)| key.origin).collect();
        let changed = sighted.iter().filter(|(_, item)| item.changed);
        let entries = changed.map(|(key, item)| (key.clone(), item.entry.clone())).collect();
        self.commit(Changes { entries, ..Changes::default() })?;
        for (origin, _) in unopened {
            let end = if removed.contains(&origin) { End::RemovedByUser } else { End::AlreadyThere };
            let loss = refused.contains(&origin).then(unread_loss);
            let known = sighted.get(&self.key(origin)).map(|item| &item.entry);
            self.settle(known_before(origin, end, loss.into_iter().collect(), known));
        }
        Ok(())
    }
}

/// A copy stays unread at the target although its owner has read it.
fn unread_loss() -> Loss {
    Loss::new(LossKind::FlagRefused, "\\Seen")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_added_and_never_cleared() {
        let keywords = |keywords: &[&str]| keywords.iter().map(|&keyword| keyword.to_owned()).collect();
        let mut flags = Flags { answered: true, keywords: keywords(&["a"]), ..Flags::default() };
        let keywords_of_older = keywords(&["A", "b"]);
        let older = Flags { seen: true, draft: true, keywords: keywords_of_older, ..Flags::default() };
        inherit(&mut flags, &older);
        let keywords = keywords(&["a", "b"]);
        assert_eq!(flags, Flags { seen: true, answered: true, keywords, ..Flags::default() });
    }
}
