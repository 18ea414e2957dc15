//! The disk types of `state.redb` and their conversion from and to the types in memory.
//!
//! A record is one byte, the version of its layout, and then postcard. Layouts only grow at the end: a later version
//! appends fields, and this page keeps a way to read every version before. The golden bytes below hold that promise.

use crate::base::ids::MigrationId;
use crate::model::delivery::{FolderState, InFlight, Location};
use crate::model::filter::LeftOut;
use crate::model::folder::FolderPath;
use crate::model::item::{ItemKey, ItemVersion, MailboxId, Origin};
use crate::model::loss::{Loss, LossKind, SetAside, SetAsideReason};
use crate::model::outcome::Outcome;
use crate::model::summary::About;
use crate::store::state::{Entry, PassedOver, Placed, Removal, Twin};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// The newest layout on this page.
const LAYOUT_VERSION: u8 = 4;

/// Entries have a tail since layout 2, say what they are about since layout 3, and which filter left them out since
/// layout 4.
const ENTRY_LAYOUT: u8 = 4;
const IN_FLIGHT_LAYOUT: u8 = 1;
const REMOVAL_LAYOUT: u8 = 1;
const TWIN_LAYOUT: u8 = 1;

/// Why a record cannot be read or made.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    #[error("its layout has version {0}, this program knows up to {LAYOUT_VERSION}")]
    Layout(u8),
    #[error("it is empty")]
    Empty,
    #[error("{0}")]
    Form(#[from] postcard::Error),
    #[error("it names `{0}`, which this program does not know")]
    Name(String),
}

#[derive(Serialize, Deserialize)]
struct EntryRecord {
    version: Option<(u32, [u32; 2])>,
    filing: [u8; 16],
    converter_version: u32,
    outcome: OutcomeRecord,
    losses: Vec<(String, String)>,
    unix_ms: i64,
    placements: Vec<PlacedRecord>,
}

/// What layout 2 appended to an entry.
#[derive(Default, Serialize, Deserialize)]
struct EntryTail {
    pass: Option<u64>,
    seen: Option<bool>,
}

/// What layout 3 appended to an entry.
#[derive(Default, Serialize, Deserialize)]
struct AboutRecord {
    subject: String,
    date_unix_ms: Option<i64>,
}

/// What layout 4 appended to an entry.
#[derive(Default, Serialize, Deserialize)]
struct LeftOutRecord(Option<(LeftOutName, [u8; 16])>);

#[derive(Serialize, Deserialize)]
enum LeftOutName {
    Kind,
    TooOld,
    TooNew,
    Settings,
}

#[derive(Serialize, Deserialize)]
enum OutcomeRecord {
    Unfinished,
    Delivered,
    SetAside { reason: String, detail: String },
}

#[derive(Serialize, Deserialize)]
struct PlacedRecord {
    folder: Vec<String>,
    location: Option<LocationRecord>,
    size: u64,
    source_digest: Option<[u8; 32]>,
    output_digest: Option<[u8; 32]>,
}

#[derive(Serialize, Deserialize)]
enum LocationRecord {
    File { path: String },
    Uid { uid_validity: u32, uid: u32 },
}

#[derive(Serialize, Deserialize)]
struct InFlightRecord {
    origin: String,
    folder: Vec<String>,
    uid_validity: Option<u32>,
    uid_next: Option<u32>,
    message_id: String,
    size: u64,
    source_digest: [u8; 32],
    replaces: Option<LocationRecord>,
}

#[derive(Serialize, Deserialize)]
struct TwinRecord {
    origin: String,
    content: [u8; 16],
    rank: u64,
    only_one: bool,
}

#[derive(Serialize, Deserialize)]
struct RemovalRecord {
    folder: Vec<String>,
    location: LocationRecord,
}

pub fn encode_entry(entry: &Entry) -> Result<Vec<u8>, RecordError> {
    let record = EntryRecord {
        version: entry.version.map(|version| (version.sequence, version.time)),
        filing: entry.filing,
        converter_version: entry.converter_version,
        outcome: OutcomeRecord::from(&entry.outcome),
        losses: entry.losses.iter().map(|loss| (loss.kind.name().to_owned(), loss.detail.clone())).collect(),
        unix_ms: entry.unix_ms,
        placements: entry.placements.iter().map(PlacedRecord::from).collect(),
    };
    let tail = EntryTail { pass: entry.pass.map(|pass| pass.0), seen: entry.seen };
    let About { subject, date_unix_ms } = entry.about.clone();
    let left_out = LeftOutRecord(entry.left_out.map(|passed| (passed.why.into(), passed.filter)));
    encode(ENTRY_LAYOUT, &(record, tail, AboutRecord { subject, date_unix_ms }, left_out))
}

pub fn decode_entry(bytes: &[u8]) -> Result<Entry, RecordError> {
    let (layout, bytes) = layout(bytes)?;
    let (record, rest): (EntryRecord, _) = postcard::take_from_bytes(bytes)?;
    let (tail, rest): (EntryTail, _) =
        if layout < 2 { (EntryTail::default(), rest) } else { postcard::take_from_bytes(rest)? };
    let (about, rest): (AboutRecord, _) =
        if layout < 3 { (AboutRecord::default(), rest) } else { postcard::take_from_bytes(rest)? };
    let LeftOutRecord(left_out) =
        if layout < 4 { LeftOutRecord::default() } else { postcard::from_bytes(rest)? };
    let losses = record.losses.into_iter().map(|(kind, detail)| {
        let kind = LossKind::from_name(&kind).ok_or(RecordError::Name(kind))?;
        Ok(Loss { kind, detail })
    });
    Ok(Entry {
        version: record.version.map(|(sequence, time)| ItemVersion { sequence, time }),
        filing: record.filing,
        converter_version: record.converter_version,
        outcome: record.outcome.into_outcome()?,
        losses: losses.collect::<Result<_, RecordError>>()?,
        unix_ms: record.unix_ms,
        placements: record.placements.into_iter().map(Placed::from).collect(),
        pass: tail.pass.map(MigrationId),
        seen: tail.seen,
        about: About { subject: about.subject, date_unix_ms: about.date_unix_ms },
        left_out: left_out.map(|(why, filter)| PassedOver { why: why.into(), filter }),
    })
}

pub fn encode_in_flight(in_flight: &InFlight) -> Result<Vec<u8>, RecordError> {
    encode(
        IN_FLIGHT_LAYOUT,
        &InFlightRecord {
            origin: in_flight.key.origin.to_string(),
            folder: in_flight.folder.parts().to_vec(),
            uid_validity: in_flight.state.uid_validity,
            uid_next: in_flight.state.uid_next,
            message_id: in_flight.message_id.clone(),
            size: in_flight.size,
            source_digest: in_flight.source_digest,
            replaces: in_flight.replaces.as_ref().map(LocationRecord::from),
        },
    )
}

/// The mailbox is part of the key, not of the record.
pub fn decode_in_flight(mailbox: &MailboxId, bytes: &[u8]) -> Result<InFlight, RecordError> {
    let record: InFlightRecord = decode(bytes)?;
    Ok(InFlight {
        key: ItemKey { mailbox: mailbox.clone(), origin: decode_origin(&record.origin)? },
        folder: folder_path(&record.folder),
        state: FolderState { uid_validity: record.uid_validity, uid_next: record.uid_next },
        message_id: record.message_id,
        size: record.size,
        source_digest: record.source_digest,
        replaces: record.replaces.map(Location::from),
    })
}

/// Reads the text of an origin, as keys and records hold it.
pub fn decode_origin(text: &str) -> Result<Origin, RecordError> {
    text.parse().map_err(|_| RecordError::Name(text.to_owned()))
}

pub fn encode_removal(removal: &Removal) -> Result<Vec<u8>, RecordError> {
    let folder = removal.folder.parts().to_vec();
    encode(REMOVAL_LAYOUT, &RemovalRecord { folder, location: LocationRecord::from(&removal.location) })
}

pub fn decode_removal(bytes: &[u8]) -> Result<Removal, RecordError> {
    let record: RemovalRecord = decode(bytes)?;
    Ok(Removal { folder: folder_path(&record.folder), location: record.location.into() })
}

pub fn encode_twin(twin: &Twin) -> Result<Vec<u8>, RecordError> {
    let &Twin { origin, content, rank, only_one, .. } = twin;
    encode(TWIN_LAYOUT, &TwinRecord { origin: origin.to_string(), content, rank, only_one })
}

/// The identity is part of the key, not of the record.
pub fn decode_twin(identity: [u8; 16], bytes: &[u8]) -> Result<Twin, RecordError> {
    let TwinRecord { origin, content, rank, only_one } = decode(bytes)?;
    Ok(Twin { identity, origin: decode_origin(&origin)?, content, rank, only_one })
}

fn encode(layout: u8, record: &impl Serialize) -> Result<Vec<u8>, RecordError> {
    Ok(postcard::to_extend(record, vec![layout])?)
}

fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, RecordError> {
    Ok(postcard::from_bytes(layout(bytes)?.1)?)
}

/// The layout of a record, and the record.
fn layout(bytes: &[u8]) -> Result<(u8, &[u8]), RecordError> {
    match bytes.split_first() {
        Some((&layout @ 1..=LAYOUT_VERSION, rest)) => Ok((layout, rest)),
        Some((&layout, _)) => Err(RecordError::Layout(layout)),
        None => Err(RecordError::Empty),
    }
}

fn folder_path(parts: &[String]) -> FolderPath {
    FolderPath::new(parts.iter().map(String::as_str))
}

impl From<LeftOut> for LeftOutName {
    fn from(why: LeftOut) -> Self {
        match why {
            LeftOut::Kind => Self::Kind,
            LeftOut::TooOld => Self::TooOld,
            LeftOut::TooNew => Self::TooNew,
            LeftOut::Settings => Self::Settings,
        }
    }
}

impl From<LeftOutName> for LeftOut {
    fn from(name: LeftOutName) -> Self {
        match name {
            LeftOutName::Kind => Self::Kind,
            LeftOutName::TooOld => Self::TooOld,
            LeftOutName::TooNew => Self::TooNew,
            LeftOutName::Settings => Self::Settings,
        }
    }
}

impl From<&Outcome> for OutcomeRecord {
    fn from(outcome: &Outcome) -> Self {
        match outcome {
            Outcome::Unfinished => Self::Unfinished,
            Outcome::Delivered => Self::Delivered,
            Outcome::SetAside(SetAside { reason, detail }) => {
                Self::SetAside { reason: reason.name().to_owned(), detail: detail.clone() }
            }
        }
    }
}

impl OutcomeRecord {
    fn into_outcome(self) -> Result<Outcome, RecordError> {
        Ok(match self {
            Self::Unfinished => Outcome::Unfinished,
            Self::Delivered => Outcome::Delivered,
            Self::SetAside { reason, detail } => {
                let reason = SetAsideReason::from_name(&reason).ok_or(RecordError::Name(reason))?;
                Outcome::SetAside(SetAside { reason, detail })
            }
        })
    }
}

impl From<&Placed> for PlacedRecord {
    fn from(placed: &Placed) -> Self {
        Self {
            folder: placed.folder.parts().to_vec(),
            location: placed.location.as_ref().map(LocationRecord::from),
            size: placed.size,
            source_digest: placed.source_digest,
            output_digest: placed.output_digest,
        }
    }
}

impl From<PlacedRecord> for Placed {
    fn from(record: PlacedRecord) -> Self {
        Self {
            folder: folder_path(&record.folder),
            location: record.location.map(Location::from),
            size: record.size,
            source_digest: record.source_digest,
            output_digest: record.output_digest,
        }
    }
}

impl From<&Location> for LocationRecord {
    fn from(location: &Location) -> Self {
        match location {
            Location::File { path } => Self::File { path: path.clone() },
            &Location::Uid { uid_validity, uid } => Self::Uid { uid_validity, uid },
        }
    }
}

impl From<LocationRecord> for Location {
    fn from(record: LocationRecord) -> Self {
        match record {
            LocationRecord::File { path } => Self::File { path },
            LocationRecord::Uid { uid_validity, uid } => Self::Uid { uid_validity, uid },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notes::ids::{ReplicaId, Unid};

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn entry() -> Entry {
        Entry {
            version: Some(ItemVersion { sequence: 3, time: [0x80, 0x8525_1234] }),
            filing: [0xF1; 16],
            converter_version: 1,
            outcome: Outcome::SetAside(SetAside::new(SetAsideReason::Refused, "no")),
            losses: vec![Loss::new(LossKind::DateInvalid, "x")],
            unix_ms: 1_700_000_000_000,
            placements: vec![Placed {
                folder: FolderPath::new(["A", "B"]),
                location: Some(Location::File { path: ".A.B/1".to_owned() }),
                size: 300,
                source_digest: Some([0xAA; 32]),
                output_digest: None,
            }],
            pass: Some(MigrationId(300)),
            seen: Some(true),
            about: About { subject: "Hi".to_owned(), date_unix_ms: Some(1) },
            left_out: Some(PassedOver { why: LeftOut::TooNew, filter: [5; 16] }),
        }
    }

    // Records that were ever written must read the same for ever.
    #[test]
    fn golden_entry() {
        let golden = concat!(
            "01038001b4a494a908",
            "f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1",
            "01",
            "020772656675736564026e6f",
            "010c6461746520696e76616c69640178",
            "80a0abfef962",
            "0102014101420100062e412e422f31ac02",
            "01aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
            "00",
        );
        let bytes = encode_entry(&entry()).unwrap();
        let left_out = format!("0102{}", "05".repeat(16));
        assert_eq!(hex(&bytes), format!("04{golden}01ac0201010248690102{left_out}"));
        assert_eq!(decode_entry(&bytes).unwrap(), entry());
        let third_entry = Entry { left_out: None, ..entry() };
        let third = [&[3], &bytes[1..bytes.len() - 18]].concat();
        assert_eq!(decode_entry(&third).unwrap(), third_entry);
        let second = [&[2], &bytes[1..bytes.len() - 23]].concat();
        assert_eq!(decode_entry(&second).unwrap(), Entry { about: About::default(), ..third_entry.clone() });
        let first = [&[1], &bytes[1..bytes.len() - 28]].concat();
        let first_entry = Entry { pass: None, seen: None, about: About::default(), ..third_entry };
        assert_eq!(decode_entry(&first).unwrap(), first_entry);
    }

    #[test]
    fn golden_in_flight() {
        let mailbox = MailboxId("maildir:/a".to_owned());
        let origin = Origin::Notes { replica: ReplicaId(1), unid: Unid([2; 16]) };
        let in_flight = InFlight {
            key: ItemKey { mailbox: mailbox.clone(), origin },
            folder: FolderPath::inbox(),
            state: FolderState { uid_validity: Some(7), uid_next: None },
            message_id: "a@b".to_owned(),
            size: 300,
            source_digest: [0xAA; 32],
            replaces: Some(Location::Uid { uid_validity: 7, uid: 9 }),
        };
        let origin_hex = hex(origin.to_string().as_bytes());
        let golden = format!("0137{origin_hex}0105494e424f5801070003614062ac02{}01010709", "aa".repeat(32));
        let bytes = encode_in_flight(&in_flight).unwrap();
        assert_eq!(hex(&bytes), golden);
        assert_eq!(decode_in_flight(&mailbox, &bytes).unwrap(), in_flight);
    }

    #[test]
    fn golden_removal() {
        let location = Location::File { path: "1".to_owned() };
        let removal = Removal { folder: FolderPath::inbox(), location };
        let bytes = encode_removal(&removal).unwrap();
        assert_eq!(hex(&bytes), "010105494e424f58000131");
        assert_eq!(decode_removal(&bytes).unwrap(), removal);
    }

    #[test]
    fn golden_twin() {
        let origin = Origin::Notes { replica: ReplicaId(1), unid: Unid([2; 16]) };
        let twin = Twin { identity: [1; 16], origin, content: [7; 16], rank: 300, only_one: true };
        let bytes = encode_twin(&twin).unwrap();
        let origin_hex = hex(origin.to_string().as_bytes());
        assert_eq!(hex(&bytes), format!("0137{origin_hex}{}ac0201", "07".repeat(16)));
        assert_eq!(decode_twin([1; 16], &bytes).unwrap(), twin);
    }

    #[test]
    fn a_later_layout_is_an_error() {
        assert!(matches!(decode_entry(&[LAYOUT_VERSION + 1]), Err(RecordError::Layout(_))));
        assert!(matches!(decode_entry(&[]), Err(RecordError::Empty)));
    }
}
