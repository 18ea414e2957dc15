//! A destination in memory that counts like an IMAP server and fails on command. What is stored outlives the
//! destination object, as a server outlives its clients.

use crate::support::destination_kit::KitTarget;
use notesferry::destinations::{DeliverError, Destination, DestinationError, Present, Traits};
use notesferry::model::delivery::{Delivery, FolderState, InFlight, Location};
use notesferry::model::folder::FolderPath;
use notesferry::model::item::Origin;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

const UID_VALIDITY: u32 = 77;

/// A message as the server keeps it.
#[derive(Clone, Debug)]
pub struct Stored {
    pub folder: FolderPath,
    pub bytes: Vec<u8>,
    /// The value of the key header.
    pub origin: Option<Origin>,
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
    pub folders: Vec<FolderPath>,
    pub messages: BTreeMap<u32, Stored>,
    next_uid: u32,
    /// The faults of the next placements, from the end.
    pub faults: Vec<Option<Fault>>,
    /// Message-IDs that are refused, with the whole batch that they come in.
    pub refused: Vec<String>,
    pub unsearchable: bool,
    pub put_batches: usize,
}

/// A handle on a server.
#[derive(Clone, Debug, Default)]
pub struct MemoryDestination(Arc<Mutex<Server>>);

impl MemoryDestination {
    pub fn server(&self) -> MutexGuard<'_, Server> {
        self.0.lock().unwrap()
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
        Location::Uid { uid_validity: UID_VALIDITY, uid: self.next_uid }
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
        Traits {
            searchable: !self.server().unsearchable,
            keywords: true,
            objects: false,
            largest_message: Some(1 << 20),
        }
    }

    fn prepare(&mut self, folders: &[FolderPath]) -> Result<Vec<FolderState>, DestinationError> {
        let mut server = self.server();
        server.folders.extend_from_slice(folders);
        let state = FolderState { uid_validity: Some(UID_VALIDITY), uid_next: Some(server.next_uid + 1) };
        Ok(vec![state; folders.len()])
    }

    fn survey(&mut self, folder: &FolderPath) -> Result<Vec<Present>, DestinationError> {
        let server = self.server();
        let inside = server.messages.iter().filter(|(_, message)| message.folder == *folder);
        let present = inside.map(|(&uid, message)| Present {
            location: Location::Uid { uid_validity: UID_VALIDITY, uid },
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
                same.then_some(Location::Uid { uid_validity: UID_VALIDITY, uid })
            });
            locations.find(|location| Some(location) != record.replaces.as_ref())
        };
        Ok(in_flight.iter().map(find).collect())
    }

    fn remove(&mut self, _: &FolderPath, location: &Location) -> Result<bool, DestinationError> {
        let Location::Uid { uid, .. } = location else { return Ok(false) };
        Ok(self.server().messages.remove(uid).is_some())
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
        self.server().store(Stored { folder: folder.clone(), bytes: bytes.to_vec(), origin });
    }

    fn bytes(&self, _: &FolderPath, location: &Location) -> Vec<u8> {
        let Location::Uid { uid, .. } = location else { panic!("{location:?}") };
        self.server().messages[uid].bytes.clone()
    }
}
