//! What an administrator entered and what came of it: extractors, connectors, mailboxes, passes, users.
//!
//! Written by `server::api`, `server::communication` and `server::scheduler`; one line each in table `config`. The
//! types are their own disk form: a byte for the layout, then the fields in this order. Fields are only appended, and
//! the golden bytes below hold that.

use crate::base::ids::{ConnectorId, ExtractorId, MailboxNumber, MigrationId, UserId};
use crate::model::filter::{Filter, FolderMap, FolderMapError, ItemKind};
use crate::model::item::{MailboxId, Origin};
use crate::model::loss::SetAside;
use crate::model::outcome::Tally;
use crate::store::open::{StateStore, StoreError};
use crate::store::record::RecordError;
use crate::store::seal::Sealed;
use crate::store::tables::{CONFIG, COUNTERS};
use redb::{ReadableDatabase, ReadableTable};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// The layout of every line on this page.
const LAYOUT_VERSION: u8 = 1;

/// What stands for the fields that were appended since a line was written: each of them reads zero as nothing.
const NOTHING: [u8; 4] = [0; 4];

/// Something that is kept in the configuration, one line each.
pub trait Line: Serialize + DeserializeOwned + Clone + Send + Sync + 'static {
    /// The name of its kind in the table. It never changes.
    const KIND: &'static str;
    type Id: Copy + From<u64> + Into<u64>;

    fn id(&self) -> Self::Id;
}

macro_rules! lines {
    ($($type:ident($id:ident) = $kind:literal,)*) => {$(
        impl Line for $type {
            const KIND: &'static str = $kind;
            type Id = $id;

            fn id(&self) -> $id {
                self.id
            }
        }
    )*};
}

lines! {
    Extractor(ExtractorId) = "extractor",
    Connector(ConnectorId) = "connector",
    Mailbox(MailboxNumber) = "mailbox",
    PassLine(MigrationId) = "pass",
    EnrolCode(u64) = "enrol code",
    User(UserId) = "user",
}

/// A machine that was enrolled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extractor {
    pub id: ExtractorId,
    /// The name that the machine gave itself when it enrolled.
    pub host: String,
    /// BLAKE3 of its token, which is long and random and needs no slower hash.
    pub token_hash: [u8; 32],
    pub enrolled_unix_ms: i64,
    /// A revoked extractor is answered like an unknown one.
    pub revoked: bool,
}

/// A one-time code that lets a machine enrol.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnrolCode {
    pub id: u64,
    /// BLAKE3 of the code.
    pub code_hash: [u8; 32],
    pub expires_unix_ms: i64,
}

/// Where mailboxes are, and which extractor can see them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connector {
    pub id: ConnectorId,
    pub name: String,
    /// The kind of source, as in a SOURCE on the command line: `nsf`.
    pub kind: String,
    /// What follows the kind: a folder at the extractor.
    pub location: String,
    pub extractor: ExtractorId,
    pub user: Option<String>,
    pub password: Option<Sealed>,
}

/// A mailbox and where it goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mailbox {
    pub id: MailboxNumber,
    pub connector: ConnectorId,
    /// The mailbox inside the connector: a file below its folder.
    pub source: String,
    /// A TARGET as on the command line, without a password; `directory:NAME` for an address book.
    pub target: String,
    pub target_password: Option<Sealed>,
    /// Also carry documents that are not mail-file content.
    pub all_documents: bool,
    /// Which items are carried.
    pub filter: FilterForm,
    /// Other names for folders at the target: lines of OLD=NEW.
    pub folder_map: String,
}

impl Mailbox {
    /// A mailbox that is carried as it is.
    pub fn whole(id: MailboxNumber, connector: ConnectorId, source: String, target: String) -> Self {
        Self {
            id,
            connector,
            source,
            target,
            target_password: None,
            all_documents: false,
            filter: FilterForm::default(),
            folder_map: String::new(),
        }
    }

    /// The other names for folders at the target.
    ///
    /// # Errors
    /// When a line is none, which another release may have read otherwise.
    pub fn folder_map(&self) -> Result<FolderMap, FolderMapError> {
        FolderMap::of_lines(&self.folder_map)
    }

    /// Whether it is an address book, of which only names are kept.
    pub fn is_directory(&self) -> bool {
        self.target.starts_with(MailboxId::DIRECTORY)
    }
}

/// What is left out of a mailbox.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FilterForm {
    /// Names of kinds; empty for all.
    only: Vec<String>,
    since_unix_ms: Option<i64>,
    before_unix_ms: Option<i64>,
}

impl From<Filter> for FilterForm {
    fn from(filter: Filter) -> Self {
        let Filter { only, since_unix_ms, before_unix_ms } = filter;
        let only = only.into_iter().map(|kind| kind.name().to_owned()).collect();
        Self { only, since_unix_ms, before_unix_ms }
    }
}

impl FilterForm {
    /// The names of the kinds as they were entered, joined by commas.
    pub fn kinds(&self) -> String {
        self.only.join(",")
    }

    pub fn times(&self) -> (Option<i64>, Option<i64>) {
        (self.since_unix_ms, self.before_unix_ms)
    }

    /// The same with other kinds.
    pub fn with_kinds(self, only: &[ItemKind]) -> Self {
        Self { only: only.iter().map(|kind| kind.name().to_owned()).collect(), ..self }
    }

    /// The same with other times.
    pub fn with_times(self, (since_unix_ms, before_unix_ms): (Option<i64>, Option<i64>)) -> Self {
        Self { since_unix_ms, before_unix_ms, ..self }
    }
}

/// A kind that a later release wrote. To read over it would carry what nobody asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it carries items of the kind `{0}`, which this notesferry does not know; choose the kinds again")]
pub struct UnknownKind(String);

impl TryFrom<FilterForm> for Filter {
    type Error = UnknownKind;

    fn try_from(form: FilterForm) -> Result<Self, UnknownKind> {
        let FilterForm { only, since_unix_ms, before_unix_ms } = form;
        let kind = |name: String| ItemKind::from_name(&name).ok_or(UnknownKind(name));
        let only = only.into_iter().map(kind).collect::<Result<_, _>>()?;
        Ok(Self { only, since_unix_ms, before_unix_ms })
    }
}

/// Where a pass stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PassState {
    /// Waits for its turn.
    Queued,
    Running,
    /// Something failed that may work later.
    Waiting {
        /// When it is tried again.
        until_unix_ms: i64,
        /// How often it failed since something last worked.
        failures: u32,
        why: String,
    },
    /// Everything was looked at.
    Finished,
    /// A person stopped it.
    Stopped,
}

/// One pass over a mailbox.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PassLine {
    pub id: MigrationId,
    pub mailbox: MailboxNumber,
    pub state: PassState,
    pub started_unix_ms: i64,
    pub changed_unix_ms: i64,
    pub tally: TallyForm,
    /// Why another pass is needed, although this one is finished: the source changed meanwhile.
    pub not_final: Option<String>,
    /// A trial ends after so many documents; the others are not listed.
    pub limit: Option<u32>,
    /// A pass that tries again what was set aside, and opens nothing else.
    pub retry: Option<Retry>,
    /// Older copies that the target would not take out: they lie beside their new versions.
    pub left_behind: u64,
    /// The first of them, in words.
    pub left_behind_places: Vec<String>,
}

impl PassLine {
    /// A pass over a whole mailbox that has not begun.
    pub fn queued(id: MigrationId, mailbox: MailboxNumber, now_unix_ms: i64) -> Self {
        Self {
            id,
            mailbox,
            state: PassState::Queued,
            started_unix_ms: now_unix_ms,
            changed_unix_ms: now_unix_ms,
            tally: Tally::default().into(),
            not_final: None,
            limit: None,
            retry: None,
            left_behind: 0,
            left_behind_places: Vec::new(),
        }
    }
}

/// Which of the documents that are set aside are tried again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Retry {
    /// Those with these keys (the texts of their origins).
    Items(Vec<String>),
    /// Those with this reason, by its name.
    Reason(String),
}

impl Retry {
    /// Whether a document that is set aside is one of them.
    pub fn takes(&self, origin: Origin, why: &SetAside) -> bool {
        match self {
            Self::Items(keys) => keys.contains(&origin.to_string()),
            Self::Reason(name) => why.reason.name() == name,
        }
    }
}

/// What a user may do. Each may also do what those before it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Role {
    /// Looks at everything.
    Viewer,
    /// Adds mailboxes, starts and stops passes.
    Operator,
    Administrator,
}

/// A person who may log in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    pub id: UserId,
    /// No two differ only in capital letters.
    pub name: String,
    pub role: Role,
    /// Argon2id, in the form of the Password Hashing Competition.
    pub password_hash: String,
    pub created_unix_ms: i64,
}

/// The sum of a pass.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TallyForm {
    found: u64,
    delivered: u64,
    already_there: u64,
    filtered_out: u64,
    set_aside: u64,
    removed_by_user: u64,
    still_to_do: u64,
}

impl From<Tally> for TallyForm {
    fn from(tally: Tally) -> Self {
        let Tally { found, delivered, already_there, filtered_out, set_aside, removed_by_user, still_to_do } =
            tally;
        Self { found, delivered, already_there, filtered_out, set_aside, removed_by_user, still_to_do }
    }
}

impl From<TallyForm> for Tally {
    fn from(form: TallyForm) -> Self {
        let TallyForm {
            found,
            delivered,
            already_there,
            filtered_out,
            set_aside,
            removed_by_user,
            still_to_do,
        } = form;
        Self { found, delivered, already_there, filtered_out, set_aside, removed_by_user, still_to_do }
    }
}

impl StateStore {
    /// All lines of a kind, by id.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn lines<L: Line>(&self) -> Result<Vec<L>, StoreError> {
        let table = self.database.begin_read()?.open_table(CONFIG)?;
        let lines = table.range((L::KIND, 0)..=(L::KIND, u64::MAX))?;
        lines.map(|line| Ok(decode(line?.1.value())?)).collect()
    }

    /// One line.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn line<L: Line>(&self, id: L::Id) -> Result<Option<L>, StoreError> {
        let table = self.database.begin_read()?.open_table(CONFIG)?;
        let found = table.get((L::KIND, id.into()))?;
        Ok(found.map(|bytes| decode(bytes.value())).transpose()?)
    }

    /// A new line under the next number of its kind, which is never given again. Durable when this returns.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn add_line<L: Line>(&self, make: impl Fn(L::Id) -> L + Send + 'static) -> Result<L, StoreError> {
        let (sender, made) = std::sync::mpsc::channel();
        self.write(move |transaction| {
            let mut counters = transaction.open_table(COUNTERS)?;
            let number = counters.get(L::KIND)?.map_or(0, |last| last.value()) + 1;
            counters.insert(L::KIND, number)?;
            let line = make(number.into());
            transaction.open_table(CONFIG)?.insert((L::KIND, number), encode(&line)?.as_slice())?;
            // The last one sent is the one of the transaction that was committed.
            let _ = sender.send(line);
            Ok(())
        })?;
        Ok(made.try_iter().last().expect("the change ran before it was committed"))
    }

    /// Writes lines that exist already, all or none; one that was removed meanwhile stays removed. Durable when this
    /// returns.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn put_lines<L: Line>(&self, lines: Vec<L>) -> Result<(), StoreError> {
        self.write(move |transaction| {
            let mut table = transaction.open_table(CONFIG)?;
            for line in &lines {
                let key = (L::KIND, line.id().into());
                if table.get(key)?.is_some() {
                    table.insert(key, encode(line)?.as_slice())?;
                }
            }
            Ok(())
        })
    }

    /// Removes a line; says whether it was there. Durable when this returns.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn remove_line<L: Line>(&self, id: L::Id) -> Result<bool, StoreError> {
        let (sender, removed) = std::sync::mpsc::channel();
        let number = id.into();
        self.write(move |transaction| {
            let _ = sender.send(transaction.open_table(CONFIG)?.remove((L::KIND, number))?.is_some());
            Ok(())
        })?;
        Ok(removed.try_iter().last().unwrap_or_default())
    }
}

pub(super) fn encode(line: &impl Serialize) -> Result<Vec<u8>, RecordError> {
    Ok(postcard::to_extend(line, vec![LAYOUT_VERSION])?)
}

pub(super) fn decode<L: DeserializeOwned>(bytes: &[u8]) -> Result<L, RecordError> {
    match bytes.split_first() {
        Some((&LAYOUT_VERSION, rest)) => match postcard::from_bytes(rest) {
            Err(postcard::Error::DeserializeUnexpectedEnd) => {
                Ok(postcard::from_bytes(&[rest, &NOTHING].concat())?)
            }
            read => Ok(read?),
        },
        Some((&layout, _)) => Err(RecordError::Layout(layout)),
        None => Err(RecordError::Empty),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(line: &impl Serialize) -> String {
        encode(line).unwrap().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn code(id: u64) -> EnrolCode {
        EnrolCode { id, code_hash: [7; 32], expires_unix_ms: 1 }
    }

    #[test]
    fn numbers_are_never_given_twice() {
        let folder = tempfile::tempdir().unwrap();
        let store = StateStore::open(folder.path()).unwrap();
        assert_eq!(store.add_line(code).unwrap().id, 1);
        assert!(store.remove_line::<EnrolCode>(1).unwrap());
        assert!(!store.remove_line::<EnrolCode>(1).unwrap());
        assert_eq!(store.add_line(code).unwrap().id, 2);
        store.put_lines(vec![code(1), EnrolCode { expires_unix_ms: 9, ..code(2) }]).unwrap();
        assert_eq!(store.lines::<EnrolCode>().unwrap(), [EnrolCode { expires_unix_ms: 9, ..code(2) }]);
        assert_eq!(store.lines::<Mailbox>().unwrap(), []);
        assert_eq!(store.line::<EnrolCode>(1).unwrap(), None);
    }

    // Lines that were ever written must read the same for ever.
    #[test]
    fn golden_lines() {
        let digest = "07".repeat(32);
        assert_eq!(hex(&code(3)), format!("0103{digest}02"));
        let extractor = Extractor {
            id: ExtractorId(1),
            host: "nb".to_owned(),
            token_hash: [7; 32],
            enrolled_unix_ms: 1,
            revoked: true,
        };
        assert_eq!(hex(&extractor), format!("0101026e62{digest}0201"));
        let connector = Connector {
            id: ConnectorId(2),
            name: "HQ".to_owned(),
            kind: "nsf".to_owned(),
            location: "/n".to_owned(),
            extractor: ExtractorId(1),
            user: None,
            password: Some(Sealed(vec![9])),
        };
        assert_eq!(hex(&connector), "0102024851036e7366022f6e0100010109");
        let mailbox = Mailbox {
            id: MailboxNumber(5),
            connector: ConnectorId(2),
            source: "a.nsf".to_owned(),
            target: "eml:/x".to_owned(),
            target_password: None,
            all_documents: true,
            filter: FilterForm::default(),
            folder_map: String::new(),
        };
        let golden = "01050205612e6e736606656d6c3a2f780001";
        assert_eq!(hex(&mailbox), format!("{golden}00000000"));
        let older = encode(&mailbox).unwrap();
        for missing in [1, 4] {
            assert_eq!(decode::<Mailbox>(&older[..older.len() - missing]).unwrap(), mailbox);
        }
        let filter = Filter { only: vec![ItemKind::Mail], since_unix_ms: Some(1), before_unix_ms: None };
        let filtered = Mailbox { filter: filter.clone().into(), folder_map: "A=B".to_owned(), ..mailbox };
        assert_eq!(hex(&filtered), format!("{golden}01046d61696c01020003413d42"));
        assert_eq!(Filter::try_from(filtered.filter), Ok(filter));
        let later = FilterForm { only: vec!["mail".to_owned(), "paper".to_owned()], ..FilterForm::default() };
        assert_eq!(Filter::try_from(later), Err(UnknownKind("paper".to_owned())));
        let user = User {
            id: UserId(3),
            name: "jo".to_owned(),
            role: Role::Administrator,
            password_hash: "$a".to_owned(),
            created_unix_ms: 1,
        };
        assert_eq!(hex(&user), "0103026a6f0202246102");
        for (role, number) in [(Role::Viewer, "00"), (Role::Operator, "01")] {
            assert_eq!(hex(&User { role, ..user.clone() })[10..12], *number);
        }
        let state = PassState::Waiting { until_unix_ms: 1, failures: 2, why: "x".to_owned() };
        let tally = Tally { found: 1, delivered: 1, ..Tally::default() };
        let mut pass = PassLine {
            id: MigrationId(4),
            mailbox: MailboxNumber(5),
            state,
            started_unix_ms: 1,
            changed_unix_ms: 2,
            tally: tally.into(),
            not_final: None,
            limit: None,
            retry: None,
            left_behind: 0,
            left_behind_places: Vec::new(),
        };
        let first = "010405020202017802040101000000000000000000";
        assert_eq!(hex(&pass), format!("{first}00"));
        pass.limit = Some(10);
        assert_eq!(hex(&pass), "010405020202017802040101000000000000010a000000");
        pass.retry = Some(Retry::Reason("refused".to_owned()));
        assert_eq!(hex(&pass), "010405020202017802040101000000000000010a010107726566757365640000");
        pass.retry = Some(Retry::Items(vec!["k".to_owned()]));
        assert_eq!(hex(&pass), "010405020202017802040101000000000000010a010001016b0000");
        (pass.left_behind, pass.left_behind_places) = (300, vec!["k".to_owned()]);
        assert_eq!(hex(&pass), "010405020202017802040101000000000000010a010001016bac0201016b");
        (pass.left_behind, pass.left_behind_places) = (0, Vec::new());
        // Without the fields that were appended last.
        let older = encode(&PassLine { retry: None, ..pass.clone() }).unwrap();
        let read: PassLine = decode(&older[..older.len() - 3]).unwrap();
        assert_eq!((read.limit, read.retry, read.left_behind), (Some(10), None, 0));
        assert!(decode::<PassLine>(&older[..older.len() - 6]).is_err());
        for (state, number) in [
            (PassState::Queued, "00"),
            (PassState::Running, "01"),
            (PassState::Finished, "03"),
            (PassState::Stopped, "04"),
        ] {
            pass.state = state;
            assert_eq!(&hex(&pass)[6..8], number);
            assert_eq!(decode::<PassLine>(&encode(&pass).unwrap()).unwrap(), pass);
        }
    }
}
