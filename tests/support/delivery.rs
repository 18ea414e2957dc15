//! A pass over a memory source, as a mode drives it.

use crate::support::memory_source::{MemorySource, convert};
use crate::support::messages::mailbox;
use notesferry::destinations::Destination;
use notesferry::model::content::ListedItem;
use notesferry::model::loss::{SetAside, SetAsideReason};
use notesferry::model::outcome::Tally;
use notesferry::server::delivery::{DeliveryError, Pass, Prepared, Preparer, Settings, Settled};
use notesferry::sources::{Source, SourceError};
use notesferry::store::{StateStore, StoreError};

/// Carries a source to its end; the sum is checked after every step.
pub fn pass(
    store: &StateStore,
    destination: &mut dyn Destination,
    source: &mut MemorySource,
) -> Result<(Tally, Vec<Settled>), DeliveryError> {
    pass_with(&Settings::new(mailbox(), 0), store, destination, source)
}

/// The same with other settings.
pub fn pass_with(
    settings: &Settings,
    store: &StateStore,
    destination: &mut dyn Destination,
    source: &mut MemorySource,
) -> Result<(Tally, Vec<Settled>), DeliveryError> {
    let folders = MemorySource::all_folders();
    let traits = destination.traits();
    let preparer = Preparer { settings, ledger: Some(store), folders: &folders, traits, convert: &convert };
    let mut pass = Pass::begin(store, destination, settings)?;
    for listed in source.list(None, u32::MAX).unwrap().items {
        pass.count_found(1);
        match preparer.look(&listed)? {
            Some(end) => pass.settle_unopened(listed.origin, end)?,
            None => pass.add(prepare(&preparer, source, &listed)?)?,
        }
        assert!(pass.tally().holds(), "invariant D: {:?}", pass.tally());
    }
    pass.deliver()?;
    let tally = pass.tally();
    assert!(tally.holds() && tally.still_to_do == 0, "invariant D: {tally:?}");
    Ok((tally, pass.take_settled()))
}

fn prepare(
    preparer: &Preparer<'_>,
    source: &mut MemorySource,
    listed: &ListedItem,
) -> Result<Prepared, StoreError> {
    match source.open(listed.id) {
        Ok(item) => preparer.item(listed, &item),
        Err(SourceError::Unreadable { why, .. }) => {
            Ok(preparer.set_aside(listed, SetAside::new(SetAsideReason::UnreadableNote, why)))
        }
        Err(error) => panic!("{error}"),
    }
}
