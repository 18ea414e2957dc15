//! The items of one batch: what is to be put for each, and the line of the ledger that comes out of it.

use crate::conversion::{CONVERTER_VERSION, Converted};
use crate::model::delivery::{Delivery, FolderState, InFlight, Location};
use crate::model::folder::FolderPath;
use crate::model::item::{ItemKey, ItemVersion, PlacementId};
use crate::model::loss::{Loss, SetAside};
use crate::model::object::ObjectKind;
use crate::model::outcome::Outcome;
use crate::model::rendered::{Rendered, Segment};
use crate::server::delivery::plan::{self, Put};
use crate::server::delivery::put::Answer;
use crate::server::delivery::{End, Settings};
use crate::store::{Changes, Entry, Placed, Removal};
use std::collections::HashMap;
use std::sync::Arc;

/// The target folders of a batch as they were before it.
pub type FolderStates = HashMap<FolderPath, FolderState>;

/// An item that is ready to be delivered.
pub struct Prepared {
    pub key: ItemKey,
    pub version: ItemVersion,
    pub filing: [u8; 16],
    pub losses: Vec<Loss>,
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
}

/// The message that an item became.
pub struct Message {
    pub rendered: Arc<Rendered>,
    /// What `rendered` is if it is no message.
    pub object: Option<ObjectKind>,
    pub source_digest: [u8; 32],
    /// Without the rendered bytes and the losses, which were taken out of it.
    pub converted: Converted,
}

impl Prepared {
    /// The message to be delivered, if there is one.
    pub fn message(&self) -> Option<&Message> {
        match &self.work {
            Work::Deliver(message) => Some(message),
            Work::Unchanged | Work::SetAside(_) => None,
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
    pub fn folders(&self) -> impl Iterator<Item = &FolderPath> {
        self.message().into_iter().flat_map(|message| &message.converted.placements)
    }
}

/// An item whose placements are being put.
pub struct Job {
    pub prepared: Prepared,
    pub entry: Option<Entry>,
    pub puts: Vec<Put>,
}

impl Job {
    /// Plans the placements of an item from its line of the ledger.
    pub fn new(prepared: Prepared, entry: Option<Entry>) -> Self {
        let plan = |message: &Message| {
            let digest = message.source_digest;
            let older = entry.as_ref().is_some_and(|entry| plan::has_older_copy(entry, digest));
            // An attachment that cannot be read now fails once more when the message is written, and is told then.
            let output = if older { message.rendered.digest().ok() } else { None };
            plan::puts(entry.as_ref(), &message.converted.placements, digest, output)
        };
        let puts = prepared.message().map(plan).unwrap_or_default();
        Self { prepared, entry, puts }
    }

    /// What goes to the destination, in the order of `puts`.
    pub fn deliveries(&self) -> impl Iterator<Item = Delivery> {
        let deliver = |message: &Message, put: &Put| Delivery {
            key: self.prepared.key.clone(),
            folder: put.folder.clone(),
            rendered: Arc::clone(&message.rendered),
            object: message.object,
            flags: message.converted.flags.clone(),
            internal_date_ms: message.converted.internal_date_ms,
            message_id: message.converted.message_id.clone(),
            subject: message.converted.subject.clone(),
        };
        let message = self.prepared.message();
        message.into_iter().flat_map(move |message| self.puts.iter().map(move |put| deliver(message, put)))
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

    /// The copies that are to be replaced, as questions whether they are still there.
    pub fn older_copies(&self) -> impl Iterator<Item = InFlight> {
        let replacing = self.puts.iter().filter(|put| put.replaces.is_some());
        replacing.filter_map(|put| {
            let placed = self.entry.as_ref()?.placed(&put.folder)?;
            Some(InFlight {
                key: self.prepared.key.clone(),
                folder: put.folder.clone(),
                state: FolderState::default(),
                message_id: self.prepared.message()?.converted.message_id.clone(),
                size: placed.size,
                source_digest: placed.source_digest.unwrap_or_default(),
                replaces: None,
            })
        })
    }

    /// Drops the replacements of copies that the user took out, and notes that for ever.
    pub fn drop_removed_by_user(&mut self, is_there: impl Fn(&Location) -> bool) {
        let Some(entry) = &mut self.entry else { return };
        self.puts.retain(|put| {
            let gone = put.replaces.as_ref().is_some_and(|old| !is_there(old));
            if gone {
                let placed = entry.placements.iter_mut().find(|placed| placed.folder == put.folder);
                placed.into_iter().for_each(|placed| placed.location = None);
            }
            !gone
        });
    }

    /// Adds the new line of the ledger to `changes` and says how the item ended; an error says why the target has no
    /// room for it.
    pub fn finish(
        self,
        answers: Vec<Answer>,
        settings: &Settings,
        changes: &mut Changes,
    ) -> Result<(End, Vec<Loss>), String> {
        let Self { prepared: Prepared { key, version, filing, losses, work, hold: _ }, entry, puts } = self;
        let mut entry = entry.unwrap_or_else(|| Entry::unfinished(settings.now_unix_ms));
        entry.version = Some(version);
        if !matches!(work, Work::Unchanged) {
            entry.filing = filing;
            entry.converter_version = CONVERTER_VERSION;
            entry.unix_ms = settings.now_unix_ms;
            entry.losses.clone_from(&losses);
        }
        let end = match work {
            Work::Unchanged => Ok(unstored_end(&entry, settings)),
            Work::SetAside(aside) => {
                entry.outcome = Outcome::SetAside(aside.clone());
                Ok(End::SetAside(aside))
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
                entry.outcome = outcome;
                end
            }
        };
        changes.entries.push((key, entry));
        end.map(|end| (end, losses))
    }
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

/// The end of an item of which nothing had to be stored.
fn unstored_end(entry: &Entry, settings: &Settings) -> End {
    if plan::is_removed(entry) { End::RemovedByUser } else { plan::there(entry, settings.pass) }
}

/// The older copy that has to go, unless the new one was stored in its very place.
pub fn replaced_copy(folder: &FolderPath, old: Option<Location>, new: &Location) -> Option<Removal> {
    let location = old.filter(|old| old != new)?;
    Some(Removal { folder: folder.clone(), location })
}
