//! A pass over a memory source, as a mode drives it.

use crate::support::memory_source::{MemorySource, convert};
use crate::support::messages::mailbox;
use notesferry::destinations::Destination;
use notesferry::model::loss::{SetAside, SetAsideReason};
use notesferry::model::outcome::Tally;
use notesferry::server::delivery::{DeliveryError, Pass, Settings, Settled};
use notesferry::sources::{Source, SourceError};
use notesferry::store::StateStore;

/// Carries a source to its end; the sum is checked after every step.
pub fn pass(
    store: &mut StateStore,
    destination: &mut dyn Destination,
    source: &mut MemorySource,
) -> Result<(Tally, Vec<Settled>), DeliveryError> {
    let folders = MemorySource::all_folders();
    let settings = Settings { mailbox: mailbox(), now_unix_ms: 0, folders: &folders, convert: &convert };
    let mut pass = Pass::begin(store, destination, settings)?;
    for listed in source.list(None, u32::MAX).unwrap().items {
        if pass.look(&listed)? {
            match source.open(listed.id) {
                Ok(item) => pass.offer(&listed, &item)?,
                Err(SourceError::Unreadable { why, .. }) => {
                    pass.set_aside(&listed, SetAside::new(SetAsideReason::UnreadableNote, why))?;
                }
                Err(error) => panic!("{error}"),
            }
        }
        assert!(pass.tally().holds(), "invariant D: {:?}", pass.tally());
    }
    pass.deliver()?;
    let tally = pass.tally();
    assert!(tally.holds() && tally.still_to_do == 0, "invariant D: {tally:?}");
    Ok((tally, pass.take_settled()))
}
