//! What is to be done with an item: pure decisions from the ledger's line and what the source shows.

use crate::base::ids::MigrationId;
use crate::model::delivery::Location;
use crate::model::filter::LeftOut;
use crate::model::folder::FolderPath;
use crate::model::item::ItemVersion;
use crate::model::loss::{SetAside, SetAsideReason};
use crate::model::outcome::Outcome;
use crate::server::delivery::End;
use crate::store::{Entry, Placed};

/// What is known of an item before it is opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Look {
    /// Delivered in this version and filing; nothing to do.
    AlreadyThere,
    /// Delivered as unread in this version and filing, and read at the source since.
    ReadSince,
    /// Delivered once, and the user took out every copy: never put back.
    RemovedByUser,
    /// May be at the target; only an order by a person sends it again.
    StaysAside(SetAside),
    /// The same filter left it out in this version and filing.
    LeftOut(LeftOut),
    /// New, changed, filed elsewhere, or to be tried again.
    Open,
}

/// Looks at an item that the source lists; `unread` is `None` where the source does not know, `filter` the digest of
/// what is asked for.
///
/// That a filter left an item out holds until one of them changes. Time changes it only for a mail whose date lay in the
/// future when it was looked at: it counted by its next best date, and goes on doing so.
pub fn look(
    entry: Option<&Entry>,
    version: ItemVersion,
    filing: [u8; 16],
    unread: Option<bool>,
    filter: [u8; 16],
) -> Look {
    let Some(entry) = entry else { return Look::Open };
    let same = entry.version == Some(version) && entry.filing == filing;
    if let Some(passed) = entry.left_out
        && same
        && passed.filter == filter
        // Those are left out by no filter, and carried once all documents are asked for.
        && passed.why != LeftOut::Settings
        // A copy that was found since is kept up to date.
        && entry.placements.is_empty()
    {
        return Look::LeftOut(passed.why);
    }
    // Another copy of the database, left behind: what it shows must not take the place of what is newer.
    let older = entry.version.is_some_and(|known| is_older(version, known));
    match &entry.outcome {
        Outcome::SetAside(aside) if aside.reason == SetAsideReason::Uncertain => {
            Look::StaysAside(aside.clone())
        }
        Outcome::Delivered if (same || older) && is_removed(entry) => Look::RemovedByUser,
        Outcome::Delivered if same && entry.seen == Some(false) && unread == Some(false) => Look::ReadSince,
        Outcome::Delivered if same || older => Look::AlreadyThere,
        Outcome::Delivered | Outcome::Unfinished | Outcome::SetAside(_) => Look::Open,
    }
}

/// Whether a version precedes another: fewer saves, or as many and the last one earlier, which is how replication
/// between two copies of a document decides.
fn is_older(version: ItemVersion, other: ItemVersion) -> bool {
    // Above the day stands the zone of the author's clock, which does not move the instant.
    let order = |version: ItemVersion| (version.sequence, version.time[1] & 0x00FF_FFFF, version.time[0]);
    order(version) < order(other)
}

/// How an item counts whose placements are all there: as delivered by the pass that stored them.
pub fn there(entry: &Entry, pass: Option<MigrationId>) -> End {
    let by_this_pass = pass.is_some() && entry.pass == pass;
    if by_this_pass { End::Delivered } else { End::AlreadyThere }
}

/// Whether the user took out every copy.
pub fn is_removed(entry: &Entry) -> bool {
    !entry.placements.is_empty() && entry.placements.iter().all(|placed| placed.location.is_none())
}

/// Whether an opened item shows nothing new, so that only its version has to be noted: it was saved without a change,
/// or another replica counts otherwise.
pub fn is_unchanged(entry: &Entry, source_digest: [u8; 32], filing: [u8; 16]) -> bool {
    // Without placements it was part of something else, which a change may end.
    entry.outcome == Outcome::Delivered
        && entry.filing == filing
        && !entry.placements.is_empty()
        && entry.placements.iter().all(|placed| placed.source_digest == Some(source_digest))
}

/// Whether some copy shows an older content of the item.
pub fn has_older_copy(entry: &Entry, source_digest: [u8; 32]) -> bool {
    // A copy found at unknown ground counts as current: nothing tells which version it shows.
    let older = |digest: Option<[u8; 32]>| digest.is_some_and(|digest| digest != source_digest);
    entry.placements.iter().any(|placed| placed.location.is_some() && older(placed.source_digest))
}

/// One placement to be put.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Put {
    pub folder: FolderPath,
    /// The older copy that is taken out once the new one is there.
    pub replaces: Option<Location>,
}

/// The placements of a converted item that are to be put: folders without a copy, and copies with older content.
/// `output_digest` is needed where [`has_older_copy`]; an older copy that reads the same stays. A delivered item of which
/// the user took out every copy is put nowhere, not into a new folder either.
pub fn puts(
    entry: Option<&Entry>,
    wanted: &[FolderPath],
    source_digest: [u8; 32],
    output_digest: Option<[u8; 32]>,
) -> Vec<Put> {
    let put = |folder: &FolderPath| {
        let Some(placed) = entry.and_then(|entry| entry.placed(folder)) else {
            return Some(Put { folder: folder.clone(), replaces: None });
        };
        let location = placed.location.clone()?;
        let current = placed.source_digest.is_none_or(|digest| digest == source_digest);
        let reads_the_same = output_digest.is_some() && placed.output_digest == output_digest;
        (!current && !reads_the_same).then(|| Put { folder: folder.clone(), replaces: Some(location) })
    };
    let removed = entry.is_some_and(|entry| entry.outcome == Outcome::Delivered && is_removed(entry));
    if removed { Vec::new() } else { wanted.iter().filter_map(put).collect() }
}

/// Whether a copy lies in a folder that the item is filed in no more, and goes once a copy is where it belongs. One
/// that we found and did not put there stays.
pub fn is_misfiled(placed: &Placed, wanted: &[FolderPath]) -> bool {
    placed.location.is_some() && placed.source_digest.is_some() && !wanted.contains(&placed.folder)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::summary::About;
    use crate::store::PassedOver;

    const NEW: [u8; 32] = [2; 32];
    const OLD: [u8; 32] = [1; 32];
    const FILING: [u8; 16] = [7; 16];
    const FILTER: [u8; 16] = [8; 16];

    fn version(sequence: u32) -> ItemVersion {
        ItemVersion { sequence, time: [0, 0] }
    }

    fn placed(folder: &str, source_digest: Option<[u8; 32]>) -> Placed {
        Placed {
            folder: FolderPath::new([folder]),
            location: Some(Location::File { path: folder.to_owned() }),
            size: 1,
            source_digest,
            output_digest: Some([9; 32]),
        }
    }

    fn entry(outcome: Outcome, placements: Vec<Placed>) -> Entry {
        Entry {
            version: Some(version(1)),
            filing: FILING,
            converter_version: 1,
            outcome,
            losses: Vec::new(),
            unix_ms: 0,
            placements,
            pass: None,
            seen: None,
            about: About::default(),
            left_out: None,
        }
    }

    fn folders(names: &[&str]) -> Vec<FolderPath> {
        names.iter().map(|name| FolderPath::new([*name])).collect()
    }

    #[test]
    fn only_the_same_version_and_filing_is_already_there() {
        let delivered = entry(Outcome::Delivered, vec![placed("A", Some(OLD))]);
        assert_eq!(look(None, version(1), FILING, None, FILTER), Look::Open);
        assert_eq!(look(Some(&delivered), version(1), FILING, None, FILTER), Look::AlreadyThere);
        assert_eq!(look(Some(&delivered), version(2), FILING, None, FILTER), Look::Open);
        assert_eq!(look(Some(&delivered), version(1), [0; 16], None, FILTER), Look::Open);
        let found = entry(Outcome::Unfinished, vec![placed("A", None)]);
        assert_eq!(look(Some(&found), version(1), FILING, None, FILTER), Look::Open);
    }

    #[test]
    fn only_what_was_delivered_unread_is_read_since() {
        let mut delivered = entry(Outcome::Delivered, vec![placed("A", Some(OLD))]);
        for (seen, unread, expected) in [
            (Some(false), Some(false), Look::ReadSince),
            (Some(false), Some(true), Look::AlreadyThere),
            (Some(false), None, Look::AlreadyThere),
            (Some(true), Some(false), Look::AlreadyThere),
            (None, Some(false), Look::AlreadyThere),
        ] {
            delivered.seen = seen;
            assert_eq!(
                look(Some(&delivered), version(1), FILING, unread, FILTER),
                expected,
                "{seen:?} {unread:?}"
            );
        }
    }

    #[test]
    fn what_was_left_out_stays_so_until_something_changes() {
        let passed = Some(PassedOver { why: LeftOut::TooOld, filter: FILTER });
        let line = |placements| Entry { left_out: passed, ..entry(Outcome::Unfinished, placements) };
        let left_out = line(vec![]);
        assert_eq!(look(Some(&left_out), version(1), FILING, None, FILTER), Look::LeftOut(LeftOut::TooOld));
        let passed = Some(PassedOver { why: LeftOut::Settings, filter: FILTER });
        let settings = Entry { left_out: passed, ..left_out.clone() };
        assert_eq!(look(Some(&settings), version(1), FILING, None, FILTER), Look::Open);
        assert_eq!(look(Some(&left_out), version(2), FILING, None, FILTER), Look::Open);
        assert_eq!(look(Some(&left_out), version(1), [0; 16], None, FILTER), Look::Open);
        assert_eq!(look(Some(&left_out), version(1), FILING, None, [0; 16]), Look::Open);
        let found = line(vec![placed("A", None)]);
        assert_eq!(look(Some(&found), version(1), FILING, None, FILTER), Look::Open);
    }

    #[test]
    fn a_pass_that_was_interrupted_knows_its_own_deliveries() {
        let mut delivered = entry(Outcome::Delivered, vec![placed("A", Some(OLD))]);
        assert_eq!(there(&delivered, None), End::AlreadyThere);
        delivered.pass = Some(MigrationId(7));
        assert_eq!(there(&delivered, Some(MigrationId(7))), End::Delivered);
        assert_eq!(there(&delivered, Some(MigrationId(8))), End::AlreadyThere);
    }

    #[test]
    fn a_copy_left_behind_changes_nothing() {
        let mut delivered = entry(Outcome::Delivered, vec![placed("A", Some(NEW))]);
        delivered.version = Some(ItemVersion { sequence: 2, time: [500, 0x4125_8C00] });
        let looked =
            |sequence, time| look(Some(&delivered), ItemVersion { sequence, time }, FILING, None, FILTER);
        assert_eq!(looked(1, [900, 0x4125_8C09]), Look::AlreadyThere);
        assert_eq!(looked(2, [499, 0x8125_8C00]), Look::AlreadyThere);
        assert_eq!(looked(2, [501, 0x0125_8C00]), Look::Open);
        assert_eq!(looked(3, [0, 0]), Look::Open);
    }

    #[test]
    fn set_aside_items_are_tried_again_unless_they_may_have_arrived() {
        let aside = |reason| entry(Outcome::SetAside(SetAside::new(reason, "")), vec![]);
        assert_eq!(look(Some(&aside(SetAsideReason::Refused)), version(1), FILING, None, FILTER), Look::Open);
        let uncertain = look(Some(&aside(SetAsideReason::Uncertain)), version(1), FILING, None, FILTER);
        assert!(matches!(uncertain, Look::StaysAside(_)));
    }

    #[test]
    fn a_new_filing_puts_the_new_placement_only() {
        let delivered = entry(Outcome::Delivered, vec![placed("A", Some(NEW))]);
        let puts = puts(Some(&delivered), &folders(&["A", "B"]), NEW, None);
        assert_eq!(puts, [Put { folder: FolderPath::new(["B"]), replaces: None }]);
    }

    #[test]
    fn a_changed_item_replaces_its_older_copies() {
        let delivered = entry(Outcome::Delivered, vec![placed("A", Some(OLD)), placed("B", Some(NEW))]);
        assert!(has_older_copy(&delivered, NEW));
        assert!(!is_unchanged(&delivered, NEW, FILING));
        let replaced = puts(Some(&delivered), &folders(&["A", "B"]), NEW, Some([8; 32]));
        assert_eq!(replaced.len(), 1);
        assert_eq!(replaced[0].replaces, Some(Location::File { path: "A".to_owned() }));
        assert_eq!(puts(Some(&delivered), &folders(&["A", "B"]), NEW, Some([9; 32])), []);
    }

    #[test]
    fn what_the_user_took_out_stays_out() {
        let mut gone = placed("A", Some(OLD));
        gone.location = None;
        let delivered = entry(Outcome::Delivered, vec![gone]);
        assert_eq!(look(Some(&delivered), version(1), FILING, None, FILTER), Look::RemovedByUser);
        assert_eq!(puts(Some(&delivered), &folders(&["A", "B"]), NEW, Some([8; 32])), []);
        assert!(!has_older_copy(&delivered, NEW));
    }

    #[test]
    fn a_copy_of_ours_in_another_folder_is_misfiled() {
        let wanted = folders(&["A"]);
        assert!(is_misfiled(&placed("B", Some(OLD)), &wanted));
        assert!(!is_misfiled(&placed("A", Some(OLD)), &wanted));
        assert!(!is_misfiled(&placed("B", None), &wanted));
        let gone = Placed { location: None, ..placed("B", Some(OLD)) };
        assert!(!is_misfiled(&gone, &wanted));
    }

    #[test]
    fn a_found_copy_counts_as_current() {
        let found = entry(Outcome::Unfinished, vec![placed("A", None)]);
        assert!(!is_unchanged(&found, NEW, FILING));
        assert_eq!(puts(Some(&found), &folders(&["A"]), NEW, None), []);
    }
}
