//! A mailbox on an IMAP server.
//!
//! A message is uploaded by APPEND, written from its segments straight to the line. Where the server says its UID
//! (RFC 4315), that is the location; else the folder is searched for the key. Every message carries that key in its
//! header, so a copy is known again without a ledger, and a placement whose answer was lost is looked for before it is
//! put again (invariant C).
//!
//! A cut line is opened again a bounded number of times. Folders are made once a session and never taken away.

mod address;
mod matching;
mod names;

pub use address::Address;

use crate::base::limits::{FETCH_MESSAGES, RECONNECT_ATTEMPTS, SETTLE_ROUNDS, SETTLE_SECONDS};
use crate::base::secret::Secret;
use crate::connectors::imap::{
    Account, AppendError, Appended, ConnectError, Counters, ImapError, Message, Refusal, RefusalKind, Session,
};
use crate::destinations::{DeliverError, Destination, DestinationError, KEY_HEADER, Present, Traits};
use crate::model::delivery::{Delivery, Flags, FolderState, InFlight, Location};
use crate::model::folder::FolderPath;
use jiff::Timestamp;
use matching::{Stored, Wanted, matched};
use names::Layout;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::{Duration, Instant};

/// How time is let pass, so that tests need none.
pub type Wait = Box<dyn FnMut(Duration) + Send>;

/// Sessions that one request may use up.
const REQUEST_ATTEMPTS: u32 = 3;

/// Stands where a server stored a message and does not say where; no message has it (RFC 3501 section 9).
const UNKNOWN_UID: u32 = 0;

/// A mailbox, logged in.
pub struct Imap {
    account: Account,
    password: Secret,
    /// The name for people.
    target: String,
    session: Option<Session>,
    layout: Layout,
    /// Folders that the server listed at the start, by their names there.
    listed: HashSet<String>,
    folders: HashMap<FolderPath, Folder>,
    /// The longest that an upload took to be answered.
    slowest: Duration,
    wait: Wait,
}

/// A folder that was asked for.
#[derive(Clone, Debug)]
struct Folder {
    /// Its name on the server, or why there is no such folder.
    name: Result<String, String>,
    state: FolderState,
}

impl Imap {
    /// Connects and logs in.
    ///
    /// # Errors
    /// When the server cannot be reached or refuses the log-in.
    pub fn open(address: &Address, password: Secret, wait: Wait) -> Result<Self, DestinationError> {
        let mut imap = Self {
            account: address.account.clone(),
            password,
            target: address.canonical(),
            session: None,
            layout: Layout::default(),
            listed: HashSet::new(),
            folders: HashMap::new(),
            slowest: Duration::ZERO,
            wait,
        };
        imap.session = Some(imap.connect()?);
        let (listed, namespace) =
            imap.request(|session| Ok((session.list()?, session.personal_namespace()?)))?;
        imap.layout = Layout::new(&listed, &namespace, &address.prefix);
        imap.listed =
            listed.into_iter().filter(|folder| folder.selectable).map(|folder| folder.name).collect();
        Ok(imap)
    }

    fn connect(&self) -> Result<Session, DestinationError> {
        let target = self.target.clone();
        self.account.open(&self.password).map_err(|error| match error {
            ConnectError::Unreachable(why) => DestinationError::Unreachable { target, why },
            ConnectError::LoginRefused(why) => DestinationError::LoginRefused { target, why },
        })
    }

    /// The session; a cut one is opened again.
    fn session(&mut self) -> Result<&mut Session, DestinationError> {
        let session = match self.session.take() {
            Some(session) => session,
            None => self.reconnect()?,
        };
        Ok(self.session.insert(session))
    }

    fn reconnect(&mut self) -> Result<Session, DestinationError> {
        let mut attempt = 0;
        loop {
            match self.connect() {
                Err(DestinationError::Unreachable { .. }) if attempt < RECONNECT_ATTEMPTS => {
                    (self.wait)(Duration::from_secs(1 << attempt));
                    attempt += 1;
                }
                connected => return connected,
            }
        }
    }

    /// Asks something that may be asked twice: when the line is cut, it is.
    fn ask<T>(
        &mut self,
        work: impl Fn(&mut Session) -> Result<T, ImapError>,
    ) -> Result<Result<T, Refusal>, DestinationError> {
        let mut last = String::new();
        for _ in 0..REQUEST_ATTEMPTS {
            match work(self.session()?) {
                Ok(answer) => return Ok(Ok(answer)),
                Err(ImapError::Refused(refusal)) => return Ok(Err(refusal)),
                Err(ImapError::Lost(why)) => {
                    self.session = None;
                    last = why;
                }
            }
        }
        Err(self.unreachable(last))
    }

    /// As [`Imap::ask`], where a refusal means that nothing works.
    fn request<T>(
        &mut self,
        work: impl Fn(&mut Session) -> Result<T, ImapError>,
    ) -> Result<T, DestinationError> {
        self.ask(work)?.map_err(|refusal| self.refused(refusal))
    }

    fn refused(&self, refusal: Refusal) -> DestinationError {
        let (target, why) = (self.target.clone(), refusal.text);
        match refusal.kind {
            RefusalKind::NoRoom => DestinationError::Full { target, why },
            _ => DestinationError::Unreachable { target, why },
        }
    }

    /// The counters of a folder; nothing where there is no such folder.
    fn counters(&mut self, name: &str) -> Result<Option<Counters>, DestinationError> {
        match self.ask(|session| session.status(name))? {
            Ok(counters) => Ok(Some(counters)),
            Err(refusal) if refusal.is_final() => Ok(None),
            Err(refusal) => Err(self.refused(refusal)),
        }
    }

    fn unreachable(&self, why: impl Into<String>) -> DestinationError {
        DestinationError::Unreachable { target: self.target.clone(), why: why.into() }
    }

    /// The folder, made where it is missing.
    fn folder(&mut self, folder: &FolderPath) -> Result<Folder, DestinationError> {
        if let Some(known) = self.folders.get(folder) {
            return Ok(known.clone());
        }
        let names = self.layout.names(folder);
        let name = match names.iter().find(|name| self.listed.contains(*name)) {
            Some(name) => Ok(name.clone()),
            None => self.create_one_of(&names)?,
        };
        let made = Folder { name, state: FolderState::default() };
        self.folders.insert(folder.clone(), made.clone());
        Ok(made)
    }

    /// Makes a folder under the first name that the server takes, or says why it takes none.
    fn create_one_of(&mut self, names: &[String]) -> Result<Result<String, String>, DestinationError> {
        let mut last = String::new();
        for name in names {
            let made = match self.ask(|session| session.create(name))? {
                // A folder that cannot be subscribed to is one all the same.
                Ok(()) => self.ask(|session| session.subscribe(name))?.or(Ok(())),
                // INBOX, and whatever was there without being listed.
                Err(refusal) if refusal.is_final() => {
                    self.ask(|session| session.status(name))?.map(drop).map_err(|_| refusal)
                }
                Err(refusal) => Err(refusal),
            };
            match made {
                Ok(()) => return Ok(Ok(name.clone())),
                Err(refusal) if refusal.kind == RefusalKind::NoRoom => return Err(self.refused(refusal)),
                // Under another name the folder would be there twice as soon as the trouble is over.
                Err(refusal) if !refusal.is_final() => return Ok(Err(refusal.text)),
                Err(refusal) => last = refusal.text,
            }
        }
        Ok(Err(last))
    }

    /// The state of a folder; one that was deleted meanwhile is made again.
    fn state(&mut self, folder: &FolderPath) -> Result<FolderState, DestinationError> {
        for _ in 0..2 {
            let Ok(name) = self.folder(folder)?.name else { return Ok(FolderState::default()) };
            match self.counters(&name)? {
                Some(counters) => return Ok(state_of(counters)),
                None => self.forget(folder, &name),
            }
        }
        Ok(FolderState::default())
    }

    fn forget(&mut self, folder: &FolderPath, name: &str) {
        self.folders.remove(folder);
        self.listed.remove(name);
    }

    fn put(&mut self, delivery: &Delivery) -> Result<Appended, DeliverError> {
        // The server cannot be asked: whoever looks for the placement next is told why.
        let silent = |error: DestinationError| DeliverError::Unanswered { why: error.to_string() };
        let mut retried = false;
        loop {
            let folder = self.folder(&delivery.folder).map_err(silent)?;
            let name = folder.name.map_err(|why| DeliverError::Refused { why })?;
            let session = self.session().map_err(silent)?;
            let started = Instant::now();
            let appended = session.append(
                &name,
                &flag_list(&delivery.flags),
                &internal_date(delivery.internal_date_ms),
                delivery.rendered.len(),
                &|out| delivery.rendered.write_to(out),
            );
            self.slowest = self.slowest.max(started.elapsed());
            match appended {
                Ok(appended) => return Ok(appended),
                Err(AppendError::Refused(refusal)) if refusal.kind == RefusalKind::TryCreate && !retried => {
                    self.forget(&delivery.folder, &name);
                    retried = true;
                }
                Err(error) => {
                    if !matches!(error, AppendError::Refused(_)) {
                        self.session = None;
                    }
                    return Err(deliver_error(error));
                }
            }
        }
    }

    /// The locations of messages that were stored by a server that does not say where.
    fn look_up(&mut self, batch: &[Delivery], answers: &mut [Result<Location, DeliverError>]) {
        let mut by_folder: BTreeMap<&FolderPath, Vec<usize>> = BTreeMap::new();
        for (index, answer) in answers.iter().enumerate() {
            if matches!(answer, Ok(Location::Uid { uid: UNKNOWN_UID, .. })) {
                by_folder.entry(&batch[index].folder).or_default().push(index);
            }
        }
        for (folder, indexes) in by_folder {
            let Some(Folder { name: Ok(name), state }) = self.folders.get(folder).cloned() else { continue };
            let wanted: Vec<_> = indexes.iter().map(|&index| wanted(&batch[index], state)).collect();
            // What is not found is stored all the same; nobody knows where.
            let Ok(found) = self.find(&name, state, &wanted) else { continue };
            for (index, location) in indexes.into_iter().zip(found) {
                if let Some(location) = location {
                    answers[index] = Ok(location);
                }
            }
        }
    }

    /// Where placements are in a folder that had a state before they were put. Without one, or when its UIDs are void,
    /// the whole folder is looked through.
    fn find(
        &mut self,
        name: &str,
        before: FolderState,
        wanted: &[Wanted<'_>],
    ) -> Result<Vec<Option<Location>>, DestinationError> {
        const FIELDS: &str = "X-NOTESFERRY-KEY MESSAGE-ID";
        self.request(|session| {
            let counters = session.examine(name)?;
            let valid = before.uid_validity.is_some() && counters.uid_validity == before.uid_validity;
            let mut wanted = wanted.to_vec();
            if !valid {
                wanted.iter_mut().for_each(Wanted::forget_uids);
            }
            let mut stored = Vec::new();
            let mut keep = |messages: Vec<_>| {
                let candidates = messages.iter().map(Stored::from);
                stored.extend(candidates.filter(|stored| wanted.iter().any(|wanted| wanted.may_be(stored))));
            };
            match before.uid_next.filter(|_| valid) {
                Some(uid_next) => keep(session.fetch_from(uid_next, FIELDS)?),
                None => whole_folder(session, counters, FIELDS, keep)?,
            }
            session.leave()?;
            let uid_validity = counters.uid_validity.unwrap_or_default();
            let location = |uid: Option<u32>| uid.map(|uid| Location::Uid { uid_validity, uid });
            Ok(matched(&wanted, &stored).into_iter().map(location).collect())
        })
    }

    /// Waits until nothing arrives in these folders any more: the server may still be busy with what it was sent.
    fn settle(&mut self, names: &[String]) -> Result<(), DestinationError> {
        let pause = Duration::from_secs(SETTLE_SECONDS).max(self.slowest * 3);
        let mut before = self.next_uids(names)?;
        for _ in 0..SETTLE_ROUNDS {
            (self.wait)(pause);
            let now = self.next_uids(names)?;
            if now == before {
                break;
            }
            before = now;
        }
        Ok(())
    }

    fn next_uids(&mut self, names: &[String]) -> Result<Vec<Option<u32>>, DestinationError> {
        let uid_next = |name: &String| Ok(self.counters(name)?.and_then(|counters| counters.uid_next));
        names.iter().map(uid_next).collect()
    }
}

impl Destination for Imap {
    fn traits(&self) -> Traits {
        // RFC 7889 section 2: APPENDLIMIT=bytes.
        let limit = self.session.as_ref().and_then(|session| session.value("APPENDLIMIT")?.parse().ok());
        Traits { searchable: true, keywords: true, objects: false, largest_message: limit }
    }

    fn prepare(&mut self, folders: &[FolderPath]) -> Result<Vec<FolderState>, DestinationError> {
        let mut states = Vec::with_capacity(folders.len());
        for folder in folders {
            let state = self.state(folder)?;
            self.folder(folder)?;
            if let Some(known) = self.folders.get_mut(folder) {
                known.state = state;
            }
            states.push(state);
        }
        Ok(states)
    }

    fn survey(&mut self, folder: &FolderPath) -> Result<Vec<Present>, DestinationError> {
        let Ok(name) = self.folder(folder)?.name else { return Ok(Vec::new()) };
        self.request(|session| {
            let counters = session.examine(&name)?;
            let uid_validity = counters.uid_validity.unwrap_or_default();
            let mut present = Vec::new();
            whole_folder(session, counters, KEY_HEADER, |messages| {
                present.extend(messages.iter().map(|message| {
                    let Stored { uid, size, origin, .. } = Stored::from(message);
                    Present { location: Location::Uid { uid_validity, uid }, origin, size }
                }));
            })?;
            session.leave()?;
            Ok(present)
        })
    }

    fn put_batch(&mut self, batch: &[Delivery]) -> Vec<Result<Location, DeliverError>> {
        let mut answers = Vec::with_capacity(batch.len());
        for delivery in batch {
            let validity = self.folders.get(&delivery.folder).and_then(|folder| folder.state.uid_validity);
            let (uid_validity, uid) = match self.put(delivery) {
                Ok(appended) => appended.unwrap_or((validity.unwrap_or_default(), UNKNOWN_UID)),
                Err(error) => {
                    answers.push(Err(error));
                    continue;
                }
            };
            answers.push(Ok(Location::Uid { uid_validity, uid }));
        }
        self.look_up(batch, &mut answers);
        answers
    }

    fn reconcile(&mut self, in_flight: &[InFlight]) -> Result<Vec<Option<Location>>, DestinationError> {
        // Two folders of the source can have one name here; a message answers for one placement all the same.
        let mut by_name: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (index, record) in in_flight.iter().enumerate() {
            if let Ok(name) = self.folder(&record.folder)?.name {
                by_name.entry(name).or_default().push(index);
            }
        }
        if in_flight.iter().any(|record| record.state.uid_next.is_some()) {
            self.settle(&by_name.keys().cloned().collect::<Vec<_>>())?;
        }
        let mut answers = vec![None; in_flight.len()];
        for (name, indexes) in by_name {
            let records: Vec<&InFlight> = indexes.iter().map(|&index| &in_flight[index]).collect();
            let wanted: Vec<Wanted<'_>> = records.iter().map(|record| wanted_record(record)).collect();
            let found = self.find(&name, earliest(&records), &wanted)?;
            for (index, location) in indexes.into_iter().zip(found) {
                answers[index] = location;
            }
        }
        Ok(answers)
    }

    fn remove(&mut self, folder: &FolderPath, location: &Location) -> Result<bool, DestinationError> {
        let (Ok(name), &Location::Uid { uid_validity, uid }) = (self.folder(folder)?.name, location) else {
            return Ok(false);
        };
        let target = self.target.clone();
        if !self.session()?.has("UIDPLUS") {
            let why = "it does not offer UIDPLUS (RFC 4315)".to_owned();
            return Err(DestinationError::CannotRemove { target, why });
        }
        let removed = self.ask(|session| {
            let counters = session.select(&name)?;
            let there = counters.uid_validity == Some(uid_validity) && session.holds(uid)?;
            if there {
                session.expunge(uid)?;
            }
            session.examine(&name)?;
            session.leave()?;
            Ok(there)
        })?;
        removed.map_err(|refusal| DestinationError::CannotRemove { target, why: refusal.text })
    }
}

/// Gives every message of the open folder, a part at a time.
fn whole_folder(
    session: &mut Session,
    counters: Counters,
    fields: &str,
    mut each: impl FnMut(Vec<Message>),
) -> Result<(), ImapError> {
    let mut first = 1;
    while first <= counters.messages {
        let last = counters.messages.min(first.saturating_add(FETCH_MESSAGES - 1));
        each(session.fetch(first, last, fields)?);
        first = last + 1;
    }
    Ok(())
}

fn state_of(counters: Counters) -> FolderState {
    FolderState { uid_validity: counters.uid_validity, uid_next: counters.uid_next }
}

/// The state before the first of these placements was put.
fn earliest(records: &[&InFlight]) -> FolderState {
    let Some((first, rest)) = records.split_first() else { return FolderState::default() };
    let same = rest.iter().all(|record| record.state.uid_validity == first.state.uid_validity);
    let uid_next = records.iter().map(|record| record.state.uid_next).min().flatten();
    FolderState { uid_validity: first.state.uid_validity.filter(|_| same), uid_next }
}

fn wanted(delivery: &Delivery, state: FolderState) -> Wanted<'_> {
    Wanted {
        origin: delivery.key.origin,
        message_id: &delivery.message_id,
        size: delivery.rendered.len(),
        from_uid: state.uid_next.unwrap_or_default(),
        not_uid: None,
        exact: false,
    }
}

fn wanted_record(record: &InFlight) -> Wanted<'_> {
    let replaced = match record.replaces {
        Some(Location::Uid { uid, .. }) => Some(uid),
        _ => None,
    };
    Wanted {
        origin: record.key.origin,
        message_id: &record.message_id,
        size: record.size,
        from_uid: record.state.uid_next.unwrap_or_default(),
        not_uid: replaced,
        exact: false,
    }
}

/// The flags of RFC 3501 section 2.3.2 and the keywords that are atoms.
fn flag_list(flags: &Flags) -> String {
    let system = [
        (flags.seen, "\\Seen"),
        (flags.answered, "\\Answered"),
        (flags.flagged, "\\Flagged"),
        (flags.draft, "\\Draft"),
    ];
    let set = system.iter().filter(|(set, _)| *set).map(|(_, flag)| *flag);
    let is_atom = |keyword: &&str| {
        !keyword.is_empty()
            && keyword.bytes().all(|byte| byte.is_ascii_graphic() && !b"(){%*\"\\]".contains(&byte))
    };
    let keywords = flags.keywords.iter().map(String::as_str).filter(is_atom);
    set.chain(keywords).collect::<Vec<_>>().join(" ")
}

fn internal_date(unix_ms: i64) -> String {
    let time = Timestamp::from_millisecond(unix_ms.max(0)).unwrap_or(Timestamp::MAX);
    time.strftime("%d-%b-%Y %H:%M:%S +0000").to_string()
}

fn deliver_error(error: AppendError) -> DeliverError {
    match error {
        AppendError::NotSent(why) => DeliverError::PutOff { why },
        AppendError::Unanswered(why) => DeliverError::Unanswered { why },
        AppendError::Source(error) => DeliverError::Source { why: error.to_string() },
        AppendError::Refused(Refusal { kind, text: why }) => match kind {
            RefusalKind::NoRoom => DeliverError::Full { why },
            RefusalKind::Temporary => DeliverError::PutOff { why },
            RefusalKind::TryCreate | RefusalKind::Final => DeliverError::Refused { why },
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_and_flags_are_written_as_imap_wants_them() {
        assert_eq!(internal_date(1_710_000_000_000), "09-Mar-2024 16:00:00 +0000");
        assert_eq!(internal_date(-1), "01-Jan-1970 00:00:00 +0000");
        assert_eq!(internal_date(i64::MAX), "30-Dec-9999 22:00:00 +0000");
        let keywords = vec!["$Forwarded".to_owned(), "no atom".to_owned(), "a\"b".to_owned()];
        let flags = Flags { seen: true, draft: true, keywords, ..Flags::default() };
        assert_eq!(flag_list(&flags), "\\Seen \\Draft $Forwarded");
        assert_eq!(flag_list(&Flags::default()), "");
    }

    #[test]
    fn a_refusal_says_what_becomes_of_the_message() {
        let next = |text| deliver_error(AppendError::Refused(Refusal::new(None, text)));
        assert!(matches!(next("[OVERQUOTA] full"), DeliverError::Full { .. }));
        assert!(matches!(next("[UNAVAILABLE] later"), DeliverError::PutOff { .. }));
        assert!(matches!(next("bad header"), DeliverError::Refused { .. }));
    }
}
