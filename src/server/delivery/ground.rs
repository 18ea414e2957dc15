//! Target folders of which the ledger does not say what lies in them: those that we did not fill ourselves, and those
//! that number their messages anew.

use crate::base::limits::LIST_PAGE_ITEMS;
use crate::model::folder::FolderPath;
use crate::model::item::ItemKey;
use crate::server::delivery::{DeliveryError, Pass, Prepared};
use crate::store::{Changes, Entry, Placed, StoreError};
use std::collections::btree_map::Entry as Slot;
use std::collections::{BTreeMap, BTreeSet};
use std::slice;

impl Pass<'_> {
    /// Makes and surveys the folders of a batch that are unknown ground.
    pub(super) fn survey_unknown_ground(&mut self, batch: &[Prepared]) -> Result<(), DeliveryError> {
        let folders: BTreeSet<&FolderPath> = batch.iter().flat_map(Prepared::folders).collect();
        for folder in folders {
            if !self.known_folders.contains(folder) {
                if !self.store.knows_folder(&self.settings.mailbox, folder)? {
                    self.destination.prepare(slice::from_ref(folder))?;
                    self.survey(folder)?;
                }
                self.known_folders.insert(folder.clone());
            }
        }
        Ok(())
    }

    /// Notes the copies of ours in a folder that the ledger does not know: it was lost, or another machine was here.
    fn survey(&mut self, folder: &FolderPath) -> Result<(), DeliveryError> {
        let present = self.destination.survey(folder)?;
        for group in present.chunks(LIST_PAGE_ITEMS as usize) {
            let mut entries = BTreeMap::new();
            for (copy, origin) in group.iter().filter_map(|copy| Some((copy, copy.origin?))) {
                let entry = self.entry_in(&mut entries, self.key(origin))?;
                if entry.placed(folder).is_none() {
                    entry.place(Placed {
                        folder: folder.clone(),
                        location: Some(copy.location.clone()),
                        size: copy.size,
                        source_digest: None,
                        output_digest: None,
                    });
                }
            }
            self.commit(Changes { entries: entries.into_iter().collect(), ..Changes::default() })?;
        }
        self.commit(Changes { known_folders: vec![folder.clone()], ..Changes::default() })
    }

    /// The line of an item as it stands in `entries`, else in the ledger, else a new one.
    pub(super) fn entry_in<'e>(
        &self,
        entries: &'e mut BTreeMap<ItemKey, Entry>,
        key: ItemKey,
    ) -> Result<&'e mut Entry, StoreError> {
        match entries.entry(key) {
            Slot::Occupied(slot) => Ok(slot.into_mut()),
            Slot::Vacant(slot) => {
                let entry = self.store.entry(slot.key())?;
                Ok(slot.insert(entry.unwrap_or_else(|| Entry::unfinished(self.settings.now_unix_ms))))
            }
        }
    }

    /// Looks through a folder that numbers its messages anew, and notes where our copies are now.
    pub(super) fn renumber(&mut self, folder: FolderPath) -> Result<(), DeliveryError> {
        let present = self.destination.survey(&folder)?;
        for group in present.chunks(LIST_PAGE_ITEMS as usize) {
            let mut entries = BTreeMap::new();
            for (copy, origin) in group.iter().filter_map(|copy| Some((copy, copy.origin?))) {
                let entry = self.entry_in(&mut entries, self.key(origin))?;
                let placed = entry.placements.iter_mut().find(|placed| placed.folder == folder);
                // Where the item lies there twice, the length tells the copy that the ledger means.
                if let Some(placed) = placed
                    && let Some(location) = &mut placed.location
                    && (!location.is_numbered_as(&copy.location) || placed.size == copy.size)
                {
                    location.clone_from(&copy.location);
                }
            }
            entries.retain(|_, entry| !entry.placements.is_empty());
            self.commit(Changes { entries: entries.into_iter().collect(), ..Changes::default() })?;
        }
        self.renumbered.insert(folder);
        Ok(())
    }
}
