//! The items of one batch: what is to be put for each, and the line of the ledger that comes out of it.

use crate::conversion::{CONVERTER_VERSION, Converted};
use crate::destinations::Place;
use crate::model::delivery::{Delivery, Flags, FolderState, InFlight, Location};
use crate::model::filter::LeftOut;
use crate::model::folder::FolderPath;
use crate::model::item::{ItemKey, ItemVersion, Origin, PlacementId};
use crate::model::loss::{Loss, SetAside};
use crate::model::object::ObjectKind;
use crate::model::outcome::Outcome;
use crate::model::rendered::{Rendered, Segment};
use crate::model::summary::About;
use crate::server::delivery::digest::filter_digest;
use crate::server::delivery::look::{self, Sighted};
use crate::server::delivery::plan::{self, Put};
use crate::server::delivery::put::Answer;
use crate::server::delivery::{End, Settings, Settled};
use crate::store::{Changes, Entry, PassedOver, Placed, Removal, Twin};
use std::collections::HashMap;
use std::sync::Arc;

/// The target folders of a batch as they were before it.
pub type FolderStates = HashMap<FolderPath, FolderState>;

/// An item that is ready to be delivered.
pub struct Prepared {
    pub key: ItemKey,
    pub version: ItemVersion,
    pub filing: [u8; 16],
    /// As the source lists it.
    pub unread: Option<bool>,
    pub losses: Vec<Loss>,
    pub about: About,
    pub work: Work,
    /// What has to stay until the outcome is durable (invariant B); dropped then.
    pub hold: Option<Box<dyn Send>>,
}

/// What is to be done about an item.
pub enum Work {
    /// Put what is missing.
    Deliver(Box<Message>),
    /// Only note the new version.
    Unchanged,
    SetAside(SetAside),
    LeftOut(LeftOut),
    /// A copy of it from another database is at the target.
    Twin,
}

/// The message that an item became.
pub struct Message {
    pub rendered: Arc<Rendered>,
    /// What `rendered` is if it is no message.
    pub object: Option<ObjectKind>,
    pub source_digest: [u8; 32],
    pub twin: Option<Twin>,
    /// The copy from another database that has to go once this one is there.
    pub takes_place_of: Option<Origin>,
    /// Without the rendered bytes and the losses, which were taken out of it.
    pub converted: Converted,
}

impl Prepared {
    /// The message to be delivered, if there is one.
    pub fn message(&self) -> Option<&Message> {
        match &self.work {
            Work::Deliver(message) => Some(message),
            Work::Unchanged | Work::SetAside(_) | Work::LeftOut(_) | Work::Twin => None,
        }
    }

    /// The bytes of the message that are in memory.
    pub fn memory_bytes(&self) -> u64 {
        let bytes = |segment: &Segment| match segment {
            Segment::Bytes(bytes) => bytes.len() as u64,
            Segment::Blob { blob, .. } => blob.in_memory().map_or(0, |bytes| bytes.len() as u64),
        };
        self.message().map_or(0, |message| message.rendered.segments().iter().map(bytes).sum())
    }

    /// The target folders that the item belongs in.
    pub fn folders(&self) -> &[FolderPath] {
        self.message().map_or(&[], |message| &message.converted.placements)
    }
}

/// An item whose placements are being put.
pub struct Job {
    pub prepared: Prepared,
    /// What is known of it and its older copies.
    pub sighted: Option<Sighted>,
    pub puts: Vec<Put>,
}

impl Job {
    /// Plans the placements of an item from its line of the ledger.
    pub fn new(prepared: Prepared, sighted: Option<Sighted>) -> Self {
        let entry = sighted.as_ref().map(|sighted| &sighted.entry);
        let plan = |message: &Message| {
            let digest = message.source_digest;
            let older = entry.is_some_and(|entry| plan::has_older_copy(entry, digest));
            // An attachment that cannot be read now fails once more when the message is written, and is told then.
            let output = if older { message.rendered.digest().ok() } else { None };
            plan::puts(entry, &message.converted.placements, digest, output)
        };
        let puts = prepared.message().map(plan).unwrap_or_default();
        Self { prepared, sighted, puts }
    }

    /// What goes to the destination, in the order of `puts`.
    pub fn deliveries(&self) -> impl Iterator<Item = Delivery> {
        let deliver = |message: &Message, put: &Put| Delivery {
            key: self.prepared.key.clone(),
            folder: put.folder.clone(),
            rendered: Arc::clone(&message.rendered),
            object: message.object,
            flags: self.flags_of(message, put),
            internal_date_ms: message.converted.internal_date_ms,
            message_id: message.converted.message_id.clone(),
            subject: message.converted.subject.clone(),
        };
        let message = self.prepared.message();
        message.into_iter().flat_map(move |message| self.puts.iter().map(move |put| deliver(message, put)))
    }

    /// The flags of a new copy: those of the item, and those of the copies that it takes the place of.
    fn flags_of(&self, message: &Message, put: &Put) -> Flags {
        let mut flags = message.converted.flags.clone();
        let Some(Sighted { entry, flags: older, .. }) = &self.sighted else { return flags };
        let replaced = entry.placements.iter().filter(|placed| match put.replaces {
            Some(_) => placed.folder == put.folder,
            None => plan::is_misfiled(placed, &message.converted.placements),
        });
        let older = replaced.filter_map(|placed| older.get(&placed.folder));
        older.for_each(|older| look::inherit(&mut flags, older));
        flags
    }

    /// The copies that stay and are to be marked as read, because the owner has read the item since they were put. Of
    /// one that was put as read, an unread mark is the user's.
    pub fn read_since(&self) -> impl Iterator<Item = (Origin, Place)> {
        let read = self.prepared.unread == Some(false);
        let sighted = self.sighted.iter().filter(move |sighted| read && sighted.entry.seen != Some(true));
        let stays = |(folder, _): &Place| !self.puts.iter().any(|put| put.folder == *folder);
        sighted.flat_map(Sighted::unseen).filter(stays).map(|place| (self.prepared.key.origin, place))
    }

    /// What is remembered of it meanwhile, in the order of `puts`.
    pub fn in_flight(&self, states: &FolderStates) -> impl Iterator<Item = InFlight> {
        let record = |message: &Message, put: &Put| InFlight {
            key: self.prepared.key.clone(),
            folder: put.folder.clone(),
            state: states.get(&put.folder).copied().unwrap_or_default(),
            message_id: message.converted.message_id.clone(),
            size: message.rendered.len(),
            source_digest: message.source_digest,
            replaces: put.replaces.clone(),
        };
        let message = self.prepared.message();
        message.into_iter().flat_map(move |message| self.puts.iter().map(move |put| record(message, put)))
    }

    /// Adds the new line of the ledger to `changes` and says what became of the item; an error says why the target has
    /// no room for it.
    pub fn finish(
        self,
        answers: Vec<Answer>,
        settings: &Settings,
        changes: &mut Changes,
    ) -> Result<Settled, String> {
        let Self { prepared, sighted, puts } = self;
        let Prepared { key, version, filing, unread, losses, about, work, hold: _ } = prepared;
        let known = sighted.map(|sighted| sighted.entry);
        if let Work::LeftOut(why) = work {
            let known = known.unwrap_or_else(|| Entry::unfinished(settings.now_unix_ms));
            let entry = Entry {
                version: Some(version),
                filing,
                left_out: Some(PassedOver { why, filter: filter_digest(&settings.filter) }),
                ..forgotten(known)
            };
            changes.entries.push((key.clone(), entry));
            let end = End::FilteredOut(why);
            return Ok(Settled { about, ..Settled::of(key.origin, end, losses, &Entry::unfinished(0)) });
        }
        let mut entry = known.unwrap_or_else(|| Entry::unfinished(settings.now_unix_ms));
        entry.version = Some(version);
        entry.left_out = None;
        let mut earlier_losses = Vec::new();
        if matches!(work, Work::Unchanged) {
            earlier_losses.clone_from(&entry.losses);
        } else {
            entry.filing = filing;
            entry.converter_version = CONVERTER_VERSION;
            entry.unix_ms = settings.now_unix_ms;
            entry.losses.clone_from(&losses);
        }
        let end = match work {
            Work::Unchanged => {
                note_seen(&mut entry, None, unread);
                Ok(unstored_end(&entry, settings))
            }
            Work::SetAside(aside) => {
                entry.outcome = Outcome::SetAside(aside.clone());
                Ok(End::SetAside(aside))
            }
            Work::LeftOut(why) => Ok(End::FilteredOut(why)),
            Work::Twin => {
                entry.outcome = Outcome::Delivered;
                Ok(End::AlreadyThere)
            }
            Work::Deliver(message) => {
                let answered = record_answers(&message, puts, answers, &key, &mut entry, changes);
                let (outcome, end) = match answered {
                    Answered { full: Some(why), .. } => (Outcome::Unfinished, Err(why)),
                    Answered { aside: Some(aside), .. } => {
                        (Outcome::SetAside(aside.clone()), Ok(End::SetAside(aside)))
                    }
                    Answered { stored: 0, .. } => (Outcome::Delivered, Ok(unstored_end(&entry, settings))),
                    Answered { .. } => (Outcome::Delivered, Ok(End::Delivered)),
                };
                if end == Ok(End::Delivered) {
                    entry.pass = settings.pass;
                }
                if outcome == Outcome::Delivered {
                    changes.twins.extend(message.twin.filter(|_| !entry.placements.is_empty()));
                    note_seen(&mut entry, Some(message.converted.flags.seen), unread);
                    take_out_misfiled(&mut entry, &message.converted.placements, changes);
                }
                entry.outcome = outcome;
                end
            }
        };
        let lost = !entry.losses.is_empty() || matches!(entry.outcome, Outcome::SetAside(_));
        entry.about = if lost { about.clone() } else { About::default() };
        let settled =
            end.map(|end| Settled { earlier_losses, about, ..Settled::of(key.origin, end, losses, &entry) });
        changes.entries.push((key, entry));
        settled
    }
}

/// The line of an item without what an earlier run set aside of it, which is nobody's concern any more.
fn forgotten(entry: Entry) -> Entry {
    Entry { outcome: Outcome::Unfinished, losses: Vec::new(), about: About::default(), ..entry }
}

/// What the destination said about the placements of one item.
#[derive(Default)]
struct Answered {
    stored: usize,
    /// The first reason.
    aside: Option<SetAside>,
    full: Option<String>,
}

fn record_answers(
    message: &Message,
    puts: Vec<Put>,
    answers: Vec<Answer>,
    key: &ItemKey,
    entry: &mut Entry,
    changes: &mut Changes,
) -> Answered {
    // Copies that were not put again show the item as it is now.
    for placed in &mut entry.placements {
        let put = puts.iter().any(|put| put.folder == placed.folder);
        if !put && message.converted.placements.contains(&placed.folder) {
            placed.source_digest = Some(message.source_digest);
        }
    }
    let mut answered = Answered::default();
    for (put, answer) in puts.into_iter().zip(answers) {
        changes.settled.push(PlacementId::new(&key.origin, &put.folder));
        match answer {
            Answer::Stored(location) => {
                answered.stored += 1;
                changes.to_remove.extend(replaced_copy(&put.folder, put.replaces, &location));
                entry.place(Placed {
                    folder: put.folder,
                    location: Some(location),
                    size: message.rendered.len(),
                    source_digest: Some(message.source_digest),
                    output_digest: message.rendered.digest().ok(),
                });
            }
            Answer::SetAside(reason) => answered.aside = answered.aside.or(Some(reason)),
            Answer::Full(why) => answered.full = Some(why),
        }
    }
    answered
}

/// Notes whether the placements were given `\Seen`, which is never taken back: as they were put first, and what their
/// owner read since.
fn note_seen(entry: &mut Entry, at_first: Option<bool>, unread: Option<bool>) {
    entry.seen = match entry.seen {
        Some(seen) => Some(seen || unread == Some(false)),
        None => at_first,
    };
}

/// Has the copies taken out that lie where the item is filed no more, if one lies where it belongs: otherwise the user
/// would be left with none.
fn take_out_misfiled(entry: &mut Entry, wanted: &[FolderPath], changes: &mut Changes) {
    let arrived = |placed: &Placed| placed.location.is_some() && wanted.contains(&placed.folder);
    if !entry.placements.iter().any(arrived) {
        return;
    }
    for placed in entry.placements.extract_if(.., |placed| plan::is_misfiled(placed, wanted)) {
        let removal = |location| Removal { folder: placed.folder, location };
        changes.to_remove.extend(placed.location.map(removal));
    }
}

/// The end of an item of which nothing had to be stored.
fn unstored_end(entry: &Entry, settings: &Settings) -> End {
    if plan::is_removed(entry) { End::RemovedByUser } else { plan::there(entry, settings.pass) }
}

/// The older copy that has to go, unless the new one was stored in its very place.
pub fn replaced_copy(folder: &FolderPath, old: Option<Location>, new: &Location) -> Option<Removal> {
    let location = old.filter(|old| old != new)?;
    Some(Removal { folder: folder.clone(), location })
}
