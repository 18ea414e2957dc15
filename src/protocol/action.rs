//! *Action Request* and *Data Transfer*: what a migrator is told to do, and how it hands in what it did.
//!
//! Asked by `extractor::migrator`, answered by `server::communication` from the action buffer. Invariant A: an action
//! is leased to one migrator at a time, every lease has an epoch, and data of an older epoch is answered *stop*.

use super::Request;
use super::forms::{Numbered, bounded_list};
use super::ids::{ActionId, ChunkNumber, Epoch, MigrationId, MigratorId};
use super::transfer::Chunk;
use crate::model::content::SourceItemId;
use serde::ser::Error;
use serde::{Deserialize, Serialize, Serializer};

/// An action as its holder names it in `data` and `alive`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    pub migration: MigrationId,
    pub action: ActionId,
    pub epoch: Epoch,
}

/// `action`: *Action Request*, asked by a migrator when it has nothing to do.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ActionRequest {
    pub migration: MigrationId,
    pub migrator: MigratorId,
    /// The asker holds this migration's lock on its machine, so every earlier migrator of this extractor is gone and
    /// what was leased to one of them is free.
    pub alone: bool,
}

/// The answer to `action`, which the answer to `data` may carry too.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    pub action: Action,
    /// With every action that is answered by data.
    pub lease: Option<Lease>,
}

/// The asker's right to answer an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    pub action: ActionId,
    pub epoch: Epoch,
    /// How long it lasts without a sign of life.
    pub seconds: u32,
    /// The holder asked before and this chunk was the last that arrived; it goes on with the next.
    pub last_kept: Option<ChunkNumber>,
}

/// What a migrator is to do.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Numbered")]
pub enum Action {
    /// Send this number back as data.
    Test { nonce: u64 },
    /// Ask again when notified, and no later than in so many milliseconds.
    Wait { milliseconds: u32 },
    /// Send what the source says of itself, and its folders.
    ListFolders,
    /// Send up to `limit` lines of the listing: ids, versions, folders, unread state. `after` is the last id of the
    /// page before.
    ListItems { after: Option<SourceItemId>, limit: u32 },
    /// Send these items in this order, at most
    /// [`MESSAGE_LIST_ENTRIES`](crate::base::limits::MESSAGE_LIST_ENTRIES). When `max_bytes` are sent, the item that
    /// passed the limit is the last one (so that one item of any size gets through); the server asks for the rest.
    GetItems { ids: Vec<SourceItemId>, max_bytes: u64 },
    /// End: the migration was stopped, or it has no action at all.
    Stop,
    /// End: nothing is left to do.
    Done,
    /// A number that only a newer server knows; answered by data that says so.
    Unknown(u16),
}

const TEST: u16 = 1;
const WAIT: u16 = 2;
const LIST_FOLDERS: u16 = 3;
const LIST_ITEMS: u16 = 4;
const GET_ITEMS: u16 = 5;
const STOP: u16 = 6;
const DONE: u16 = 7;

#[derive(Serialize, Deserialize)]
struct ListItemsForm {
    after: Option<u64>,
    limit: u32,
}

#[derive(Serialize, Deserialize)]
struct GetItemsForm {
    #[serde(with = "bounded_list")]
    ids: Vec<u64>,
    max_bytes: u64,
}

impl Serialize for Action {
    fn serialize<S: Serializer>(&self, output: S) -> Result<S::Ok, S::Error> {
        let form = match self {
            Self::Test { nonce } => Numbered::new(TEST, nonce),
            Self::Wait { milliseconds } => Numbered::new(WAIT, milliseconds),
            Self::ListFolders => Numbered::new(LIST_FOLDERS, &()),
            &Self::ListItems { after, limit } => {
                Numbered::new(LIST_ITEMS, &ListItemsForm { after: after.map(|id| id.0), limit })
            }
            &Self::GetItems { ref ids, max_bytes } => {
                let ids = ids.iter().map(|id| id.0).collect();
                Numbered::new(GET_ITEMS, &GetItemsForm { ids, max_bytes })
            }
            Self::Stop => Numbered::new(STOP, &()),
            Self::Done => Numbered::new(DONE, &()),
            &Self::Unknown(number) => Numbered::new(number, &()),
        };
        form.map_err(S::Error::custom)?.serialize(output)
    }
}

impl TryFrom<Numbered> for Action {
    type Error = postcard::Error;

    fn try_from(form: Numbered) -> Result<Self, postcard::Error> {
        Ok(match form.number {
            TEST => Self::Test { nonce: form.fields()? },
            WAIT => Self::Wait { milliseconds: form.fields()? },
            LIST_FOLDERS => form.fields().map(|()| Self::ListFolders)?,
            LIST_ITEMS => {
                let ListItemsForm { after, limit } = form.fields()?;
                Self::ListItems { after: after.map(SourceItemId), limit }
            }
            GET_ITEMS => {
                let GetItemsForm { ids, max_bytes } = form.fields()?;
                Self::GetItems { ids: ids.into_iter().map(SourceItemId).collect(), max_bytes }
            }
            STOP => form.fields().map(|()| Self::Stop)?,
            DONE => form.fields().map(|()| Self::Done)?,
            unknown => Self::Unknown(unknown),
        })
    }
}

/// `data`: *Data Transfer*, one chunk. The migrator keeps its copy until the answer is *kept*.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataRequest {
    pub held: Held,
    pub chunk: Chunk,
}

/// What became of a chunk.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Numbered")]
pub enum DataAnswer {
    /// It is in the data buffer, now or since an earlier call. After the last chunk the answer may carry what comes
    /// next, which saves the asking.
    Kept { next: Option<Order> },
    /// There is no room: send it again after so many milliseconds.
    TryLater { milliseconds: u32 },
    /// It arrived damaged, or one before it is missing: go on after `last_kept`.
    SendAgain { last_kept: Option<ChunkNumber> },
    /// The lease is over or the migration was stopped: drop it and end.
    Stop,
    /// A number that only a newer server knows: treated as `TryLater`.
    Unknown(u16),
}

const KEPT: u16 = 1;
const TRY_LATER: u16 = 2;
const SEND_AGAIN: u16 = 3;
const DATA_STOP: u16 = 4;

impl Serialize for DataAnswer {
    fn serialize<S: Serializer>(&self, output: S) -> Result<S::Ok, S::Error> {
        let form = match self {
            Self::Kept { next } => Numbered::new(KEPT, next),
            Self::TryLater { milliseconds } => Numbered::new(TRY_LATER, milliseconds),
            Self::SendAgain { last_kept } => Numbered::new(SEND_AGAIN, last_kept),
            Self::Stop => Numbered::new(DATA_STOP, &()),
            &Self::Unknown(number) => Numbered::new(number, &()),
        };
        form.map_err(S::Error::custom)?.serialize(output)
    }
}

impl TryFrom<Numbered> for DataAnswer {
    type Error = postcard::Error;

    fn try_from(form: Numbered) -> Result<Self, postcard::Error> {
        Ok(match form.number {
            KEPT => Self::Kept { next: form.fields()? },
            TRY_LATER => Self::TryLater { milliseconds: form.fields()? },
            SEND_AGAIN => Self::SendAgain { last_kept: form.fields()? },
            DATA_STOP => form.fields().map(|()| Self::Stop)?,
            unknown => Self::Unknown(unknown),
        })
    }
}

impl Request for ActionRequest {
    const CALL: &'static str = "action";
    type Answer = Order;
}

impl Request for DataRequest {
    const CALL: &'static str = "data";
    type Answer = DataAnswer;
}
