//! A destination in memory that counts like an IMAP server and fails on command. What is stored outlives the
//! destination object, as a server outlives its clients.

use crate::support::destination_kit::KitTarget;
use notesferry::destinations::{
    DeliverError, Destination, DestinationError, Place, Present, Standing, Traits,
};
use notesferry::model::delivery::{Delivery, Flags, FolderState, InFlight, Location};
use notesferry::model::folder::FolderPath;
use notesferry::model::item::Origin;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

/// A message as the server keeps it.
#[derive(Clone, Debug)]
pub struct Stored {
    pub folder: FolderPath,
    pub bytes: Vec<u8>,
    /// The value of the key header.
    pub origin: Option<Origin>,
    pub flags: Flags,
}

/// What goes wrong with one placement, once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The message is stored and no answer comes.
    SilentAfter,
    /// Nothing is stored and no answer comes.
    SilentBefore,
    PutOff,
    Full,
}

#[derive(Debug, Default)]
pub struct Server {
    /// UIDVALIDITY of all folders.
    pub uid_validity: u32,
    pub folders: Vec<FolderPath>,
    pub messages: BTreeMap<u32, Stored>,
    next_uid: u32,
    /// The faults of the next placements, from the end.
    pub faults: Vec<Option<Fault>>,
    /// Message-IDs that are refused, with the whole batch that they come in.
    pub refused: Vec<String>,
    pub unsearchable: bool,
    /// Messages stay where they are.
    pub keeps_all: bool,
    pub put_batches: usize,
    /// How often it was asked for copies.
    pub looks: usize,
    /// How often a whole folder was read.
    pub surveys: usize,
}

/// A handle on a server.
#[derive(Clone, Debug, Default)]
pub struct MemoryDestination(Arc<Mutex<Server>>);

impl MemoryDestination {
    pub fn server(&self) -> MutexGuard<'_, Server> {
        self.0.lock().unwrap()
    }

    /// The copies of a mail.
    pub fn copies(&self, origin: Origin) -> Vec<Stored> {
        let server = self.server();
        server.messages.values().filter(|message| message.origin == Some(origin)).cloned().collect()
    }

    /// How often each (origin, folder) is stored.
    pub fn placements(&self) -> BTreeMap<(Option<Origin>, FolderPath), usize> {
        let mut count = BTreeMap::new();
        for message in self.server().messages.values() {
            *count.entry((message.origin, message.folder.clone())).or_default() += 1;
        }
        count
    }
}

impl Server {
    fn store(&mut self, message: Stored) -> Location {
        self.next_uid += 1;
        self.messages.insert(self.next_uid, message);
        self.location(self.next_uid)
    }

    fn location(&self, uid: u32) -> Location {
        Location::Uid { uid_validity: self.uid_validity, uid }
    }

    /// Numbers all messages anew, as a server does that was restored.
    pub fn renumber(&mut self) {
        self.uid_validity += 1;
        for message in std::mem::take(&mut self.messages).into_values().rev() {
            self.store(message);
        }
    }

    fn put(&mut self, delivery: &Delivery) -> Result<Location, DeliverError> {
        let why = || "fault".to_owned();
        match self.faults.pop().flatten() {
            Some(Fault::SilentBefore) => Err(DeliverError::Unanswered { why: why() }),
            Some(Fault::PutOff) => Err(DeliverError::PutOff { why: why() }),
            Some(Fault::Full) => Err(DeliverError::Full { why: why() }),
            fault => {
                let mut bytes = Vec::new();
                let read = delivery.rendered.write_to(&mut bytes);
                read.map_err(|error| DeliverError::Source { why: error.to_string() })?;
                let location = self.store(Stored {
                    folder: delivery.folder.clone(),
                    bytes,
                    origin: Some(delivery.key.origin),
                    flags: delivery.flags.clone(),
                });
                match fault {
                    Some(_) => Err(DeliverError::Unanswered { why: why() }),
                    None => Ok(location),
                }
            }
        }
    }
}

impl Destination for MemoryDestination {
    fn traits(&self) -> Traits {
        let searchable = !self.server().unsearchable;
        Traits { searchable, flags: true, keywords: true, objects: false, largest_message: Some(1 << 20) }
    }

    fn prepare(&mut self, folders: &[FolderPath]) -> Result<Vec<FolderState>, DestinationError> {
        let mut server = self.server();
        server.folders.extend_from_slice(folders);
        let state =
            FolderState { uid_validity: Some(server.uid_validity), uid_next: Some(server.next_uid + 1) };
        Ok(vec![state; folders.len()])
    }

    fn survey(&mut self, folder: &FolderPath) -> Result<Vec<Present>, DestinationError> {
        let mut server = self.server();
        server.surveys += 1;
        let inside = server.messages.iter().filter(|(_, message)| message.folder == *folder);
        let present = inside.map(|(&uid, message)| Present {
            location: server.location(uid),
            origin: message.origin,
            size: message.bytes.len() as u64,
        });
        Ok(present.collect())
    }

    fn put_batch(&mut self, batch: &[Delivery]) -> Vec<Result<Location, DeliverError>> {
        let mut server = self.server();
        server.put_batches += 1;
        if batch.iter().any(|delivery| server.refused.contains(&delivery.message_id)) {
            return batch
                .iter()
                .map(|_| Err(DeliverError::Refused { why: "bad message".to_owned() }))
                .collect();
        }
        batch.iter().map(|delivery| server.put(delivery)).collect()
    }

    fn reconcile(&mut self, in_flight: &[InFlight]) -> Result<Vec<Option<Location>>, DestinationError> {
        let server = self.server();
        if server.unsearchable {
            return Ok(vec![None; in_flight.len()]);
        }
        let find = |record: &InFlight| {
            let old = server.messages.range(record.state.uid_next.unwrap_or(0)..);
            let mut locations = old.filter_map(|(&uid, message)| {
                let same = message.origin == Some(record.key.origin) && message.folder == record.folder;
                same.then(|| server.location(uid))
            });
            locations.find(|location| Some(location) != record.replaces.as_ref())
        };
        Ok(in_flight.iter().map(find).collect())
    }

    fn look(&mut self, copies: &[Place]) -> Result<Vec<Standing>, DestinationError> {
        let mut server = self.server();
        server.looks += 1;
        let look = |(folder, location): &Place| match location {
            Location::Uid { uid_validity, .. } if *uid_validity != server.uid_validity => {
                Standing::Renumbered
            }
            Location::Uid { uid, .. } => match server.messages.get(uid) {
                Some(message) if message.folder == *folder => Standing::There(message.flags.clone()),
                _ => Standing::Gone,
            },
            Location::File { .. } => panic!("{location:?}"),
        };
        Ok(copies.iter().map(look).collect())
    }

    fn add_flags(&mut self, copies: &[Place], flags: &Flags) -> Result<Vec<bool>, DestinationError> {
        assert_eq!(*flags, Flags { seen: true, ..Flags::default() });
        let mut server = self.server();
        let mut add = |(_, location): &Place| {
            let Location::Uid { uid, .. } = location else { return false };
            let message = server.messages.get_mut(uid);
            message.map(|message| message.flags.seen = true).is_some()
        };
        Ok(copies.iter().map(&mut add).collect())
    }

    fn remove(&mut self, _: &FolderPath, location: &Location) -> Result<bool, DestinationError> {
        let Location::Uid { uid, .. } = location else { return Ok(false) };
        let mut server = self.server();
        if server.keeps_all {
            let (target, why) = ("memory".to_owned(), "it keeps all".to_owned());
            return Err(DestinationError::CannotRemove { target, why });
        }
        Ok(server.messages.remove(uid).is_some())
    }
}

impl KitTarget for MemoryDestination {
    fn open(&self) -> Box<dyn Destination> {
        Box::new(self.clone())
    }

    fn put_foreign(&self, folder: &FolderPath, bytes: &[u8]) {
        let text = String::from_utf8_lossy(bytes);
        let key = text.lines().find_map(|line| line.strip_prefix("X-Notesferry-Key: "));
        let origin = key.and_then(|key| key.parse().ok());
        self.server().store(Stored {
            folder: folder.clone(),
            bytes: bytes.to_vec(),
            origin,
            flags: Flags::default(),
        });
    }

    fn bytes(&self, _: &FolderPath, location: &Location) -> Vec<u8> {
        let Location::Uid { uid, .. } = location else { panic!("{location:?}") };
        self.server().messages[uid].bytes.clone()
    }
}
