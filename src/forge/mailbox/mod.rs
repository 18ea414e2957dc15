//! A believable mailbox of a small company: mails of all kinds, folders, marks, and the other documents of a mail file.
//!
//! Everything follows from the seed, times too; nobody in it exists.

mod address_book;
mod body;
mod calendar;
mod design;
mod extras;
mod images;
mod later;
mod other;
mod people;
mod prose;
mod showcase;

use super::ForgeError;
use super::database::{FolderHandle, Options, Summary, Writer};
use super::headers;
use super::note::{ItemSpec, NoteSpec, unid};
use super::values::{self, HeaderKind};
use super::version::Version;
use crate::notes::ids::{NoteId, ReplicaId, Unid};
use crate::notes::item::{ItemFlags, ItemType};
use crate::notes::timedate::Timedate;
pub use address_book::forge_address_book;
use body::Plan;
pub use extras::Extras;
use fastrand::Rng;
pub use later::Changed;
use later::{Fate, LATER_MS, Later};
use people::{OWNER, Person};
use prose::Prose;
use std::collections::VecDeque;
use std::path::Path;

/// 2019-01-07 08:00 UTC, a Monday.
const START_MS: i64 = 1_546_848_000_000;
/// The mails are spread over five years.
const SPAN_MS: i64 = 5 * 365 * 86_400_000;
const ZONE_MINUTES: i32 = 60;
/// Sizes are lognormal with this median and a mean nine times as large.
const MEDIAN_BYTES: f64 = 8192.0;
const SIGMA: f64 = 2.1;
const MAX_BYTES: f64 = 10_000_000.0;
/// Mails that can still be answered.
const OPEN_THREADS: usize = 50;
/// One deletion stub, one document of another kind and one calendar entry or task for so many mails.
const MAILS_PER_STUB: u64 = 50;
const MAILS_PER_OTHER: u64 = 20;
const MAILS_PER_ENTRY: u64 = 10;

/// What mailbox to forge.
#[derive(Clone, Copy, Debug)]
pub struct MailboxOptions {
    pub version: Version,
    pub mails: u64,
    pub seed: u64,
}

/// Forges a mailbox.
///
/// # Errors
/// If `path` exists or cannot be written.
pub fn forge(path: &Path, options: &MailboxOptions) -> Result<Summary, ForgeError> {
    forge_with(path, options, &Extras::default())
}

/// Forges the mailbox of [`forge`] with what is rare beside it.
///
/// # Errors
/// If `path` exists or cannot be written.
pub fn forge_with(path: &Path, options: &MailboxOptions, extras: &Extras) -> Result<Summary, ForgeError> {
    Ok(write(path, options, extras, None)?.0)
}

/// Forges the mailbox of [`forge`] as it is some weeks later: the same replica and the same documents, but some were
/// changed, moved, read or deleted meanwhile, and some are new.
///
/// # Errors
/// If `path` exists or cannot be written.
pub fn forge_later(path: &Path, options: &MailboxOptions) -> Result<(Summary, Changed), ForgeError> {
    write(path, options, &Extras::default(), Some(Later::new(options.seed)))
}

fn write(
    path: &Path,
    options: &MailboxOptions,
    extras: &Extras,
    later: Option<Later>,
) -> Result<(Summary, Changed), ForgeError> {
    let mut mailbox = Mailbox::create(path, options, later)?;
    design::write(&mut mailbox)?;
    design::write_hidden(&mut mailbox, OWNER.in_notes().as_str())?;
    for number in 0..options.mails {
        mailbox.add_mail()?;
        if number % MAILS_PER_STUB == MAILS_PER_STUB - 1 {
            let (unid, time) = mailbox.next_identity();
            mailbox.writer.add_stub(unid, 4, time)?;
        }
        if number % MAILS_PER_OTHER == 0 {
            other::write(&mut mailbox, number / MAILS_PER_OTHER)?;
        }
        if number % MAILS_PER_ENTRY == 0 {
            calendar::write(&mut mailbox, number / MAILS_PER_ENTRY)?;
        }
    }
    extras::write(&mut mailbox, extras)?;
    if extras.showcase {
        showcase::write(&mut mailbox)?;
    }
    let changed = mailbox.add_later_mails(options.mails)?;
    Ok((mailbox.writer.finish()?, changed))
}

/// What became of a mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Received,
    Sent,
    Draft,
}

/// A mail that others may answer.
struct Thread {
    note_id: NoteId,
    unid: Unid,
    message_id: String,
    subject: String,
    prose: Prose,
}

struct Folders {
    inbox: FolderHandle,
    junk: FolderHandle,
    projects: Vec<FolderHandle>,
}

struct Mailbox {
    writer: Writer,
    random: Rng,
    replica_id: ReplicaId,
    now_ms: i64,
    step_ms: i64,
    folders: Folders,
    threads: VecDeque<Thread>,
    /// What happened since; nothing in the mailbox as it was.
    later: Option<Later>,
}

impl Mailbox {
    fn create(path: &Path, options: &MailboxOptions, later: Option<Later>) -> Result<Self, ForgeError> {
        let mut random = Rng::with_seed(options.seed);
        let created = Timedate::from_unix_ms(START_MS, ZONE_MINUTES);
        let replica_id = ReplicaId::from_innards([random.u32(..8_640_000), created.0[1]]);
        let mut writer = Writer::create(
            path,
            Options {
                version: options.version,
                title: "Jane Doe".to_owned(),
                inherits: "StdR9Mail".to_owned(),
                replica_id,
                created,
                newest_ids_in_superblock_only: true,
            },
        )?;
        writer.add_reader(&OWNER.in_notes());
        let folders = add_folders(&mut writer, &mut random, created);
        let step_ms = SPAN_MS / (options.mails as i64 + 1).max(1);
        let threads = VecDeque::new();
        Ok(Self { writer, random, replica_id, now_ms: START_MS, step_ms, folders, threads, later })
    }

    /// Lets time go on and gives the identity of a note made then.
    fn next_identity(&mut self) -> (Unid, Timedate) {
        // At least a hundredth of a second, so that times differ.
        self.now_ms += 10 + self.random.i64(0..=self.step_ms);
        let time = Timedate::from_unix_ms(self.now_ms, ZONE_MINUTES);
        (unid(self.random.u64(..), time), time)
    }

    /// The mails that came since, and the sum of what is different.
    fn add_later_mails(&mut self, mails: u64) -> Result<Changed, ForgeError> {
        let Some(mut later) = self.later.take() else { return Ok(Changed::default()) };
        self.now_ms = LATER_MS;
        (0..later.add(mails)).try_for_each(|_| self.add_mail())?;
        Ok(later.counted)
    }

    fn add_mail(&mut self) -> Result<(), ForgeError> {
        let (unid, time) = self.next_identity();
        let fate = self.later.as_mut().map_or(Fate::Untouched, Later::choose);
        let state = match self.random.u8(..100) {
            0..65 => State::Received,
            65..94 => State::Sent,
            _ => State::Draft,
        };
        let parent = self.choose_parent();
        let prose = parent.map_or_else(|| Prose::choose(&mut self.random), |at| self.threads[at].prose);
        let mut note = NoteSpec::document(unid, time);
        let subject = match parent.map(|at| &self.threads[at]) {
            Some(thread) => {
                note.parent = Some(thread.note_id);
                format!("Re: {}", thread.subject.trim_start_matches("Re: "))
            }
            None => prose.subject(&mut self.random),
        };
        let message_id = message_id(unid);
        let mail = Mail { state, time, subject: &subject, message_id: &message_id, parent };
        let plan = Plan { revised: fate == Fate::Changed, ..self.plan_body(prose, time, parent) };
        let sender = if state == State::Received { Person::choose(&mut self.random) } else { OWNER };
        let internet = state == State::Received && sender.notes_name.is_none();
        note.items =
            if internet { self.internet_items(&mail, sender) } else { self.notes_items(&mail, sender) };
        self.push_common_items(&mut note, &mail);
        let as_mime = internet || self.random.u8(..100) < 30;
        let body = if as_mime {
            note.items.push(ItemSpec::text("$NoteHasNativeMIME", "1"));
            body::mime(&mut self.writer, &mut self.random, &plan)?
        } else {
            body::rich(&mut self.writer, &mut self.random, &plan)?
        };
        note.items.extend(body);
        let note_id = self.write_mail(note, fate)?;
        self.file_mail(state, note_id, unid, time, fate);
        self.threads.push_back(Thread { note_id, unid, message_id, subject, prose });
        if self.threads.len() > OPEN_THREADS {
            self.threads.pop_front();
        }
        Ok(())
    }

    fn choose_parent(&mut self) -> Option<usize> {
        let open = self.threads.len();
        (open > 0 && self.random.u8(..100) < 35).then(|| self.random.usize(..open))
    }

    fn plan_body(&mut self, prose: Prose, time: Timedate, parent: Option<usize>) -> Plan {
        let size = lognormal(&mut self.random);
        let text_bytes = if self.random.u8(..100) < 3 {
            size.min(150_000)
        } else {
            size.min(self.random.usize(400..6_000))
        };
        let rest = size - text_bytes;
        let files = match rest {
            0..1_500 => Vec::new(),
            1_500..200_000 => vec![rest],
            _ => vec![rest / 2, rest / 3, rest / 6],
        };
        let link = parent.filter(|_| self.random.bool()).map(|at| (self.replica_id, self.threads[at].unid));
        Plan { prose, text_bytes, files, time, link, revised: false }
    }

    /// Writes a mail, or what is left of it: a stub, and its attachments until the database is compacted.
    fn write_mail(&mut self, mut note: NoteSpec, fate: Fate) -> Result<NoteId, ForgeError> {
        let now = Timedate::from_unix_ms(LATER_MS, ZONE_MINUTES);
        match fate {
            Fate::Deleted => return self.writer.add_stub(note.unid, note.sequence + 1, now),
            Fate::Changed => {
                (note.sequence, note.sequence_time, note.modified) = (note.sequence + 1, now, now);
            }
            Fate::Untouched | Fate::Moved | Fate::Read => {}
        }
        self.writer.add_note(&note)
    }

    /// The headers of a mail between Notes users.
    fn notes_items(&mut self, mail: &Mail<'_>, sender: Person) -> Vec<ItemSpec> {
        let count = self.random.usize(1..4);
        let mut to = Person::choose_some(&mut self.random, count);
        if mail.state == State::Received {
            to.insert(0, OWNER);
        }
        let copies = if self.random.bool() { Person::choose_some(&mut self.random, 2) } else { Vec::new() };
        Self::addressed_items(mail, sender, &to, &copies)
    }

    fn addressed_items(mail: &Mail<'_>, sender: Person, to: &[Person], copies: &[Person]) -> Vec<ItemSpec> {
        let names = |name: &'static str, people: &[Person]| {
            let texts: Vec<String> = people.iter().map(|person| person.in_notes()).collect();
            ItemSpec::texts(name, &texts).flagged(ItemFlags::NAMES)
        };
        let addresses = |name: &'static str, people: &[Person]| {
            let texts: Vec<String> = people.iter().map(|person| person.in_internet_list()).collect();
            ItemSpec::texts(name, &texts)
        };
        let mut items = vec![
            ItemSpec::text("From", &sender.in_notes()).flagged(ItemFlags::NAMES),
            ItemSpec::text("Principal", &sender.in_notes()).flagged(ItemFlags::NAMES),
            ItemSpec::text("Subject", mail.subject),
            names(if mail.state == State::Draft { "EnterSendTo" } else { "SendTo" }, to),
        ];
        if mail.state != State::Draft {
            items.extend([
                addresses("INetSendTo", to),
                names("CopyTo", copies),
                addresses("INetCopyTo", copies),
            ]);
            items.push(ItemSpec::text("INetFrom", sender.address));
            items.push(ItemSpec::time("PostedDate", mail.time));
            items.push(ItemSpec::text("$MessageID", mail.message_id));
            items.push(ItemSpec::text("$Mailer", "Lotus Notes Release 9.0.1"));
        }
        items
    }

    /// The headers of a mail that came from outside, as they came.
    fn internet_items(&mut self, mail: &Mail<'_>, sender: Person) -> Vec<ItemSpec> {
        let text = |kind, name: &str, value: &str| {
            headers::text_header(kind, name, ": ", (headers::encode_words(value) + "\r\n").as_bytes(), value)
        };
        let address = |name: &str, person: Person| {
            let body = format!("{} <{}>\r\n", headers::encode_words(person.shown), person.address);
            let shown = format!("{} <{}>", person.shown, person.address);
            headers::text_header(HeaderKind::Address, name, ": ", body.as_bytes(), &shown)
        };
        let date = mail.time.to_string();
        let rfc_date = rfc5322_date(mail.time);
        let hops = self.random.usize(1..4);
        let mut items: Vec<ItemSpec> = (0..hops)
            .map(|hop| {
                let from = format!(
                    "from relay{hop}.example.org by mx.example.com with ESMTP id {date};\r\n\t{rfc_date}"
                );
                text(HeaderKind::Text, "Received", &from)
            })
            .collect();
        items.extend([
            address("From", sender),
            address("To", OWNER),
            text(HeaderKind::Text, "Subject", mail.subject),
            headers::date_header("Date", ": ", (rfc_date + "\r\n").as_bytes(), mail.time),
            text(HeaderKind::Text, "Message-ID", mail.message_id),
            text(HeaderKind::Text, "MIME-Version", "1.0"),
        ]);
        items
    }

    fn push_common_items(&mut self, note: &mut NoteSpec, mail: &Mail<'_>) {
        let items = &mut note.items;
        items.push(ItemSpec::text("Form", if mail.parent.is_some() { "Reply" } else { "Memo" }));
        items.push(ItemSpec::texts("$UpdatedBy", &[OWNER.in_notes()]).flagged(ItemFlags::NAMES));
        if mail.state == State::Received {
            items.push(ItemSpec::time("DeliveredDate", mail.time));
            items.push(ItemSpec::texts("RouteServers", &["CN=Mail1/O=Example"]).outside_summary());
            if self.random.u8(..100) < 20 {
                let replied = ["1", "2", "3"][self.random.usize(..3)];
                items.push(ItemSpec::text("$RespondedTo", replied));
            }
        }
        if self.random.u8(..100) < 10 {
            let categories = ["Budget", "Q1 2024", "Reisen"];
            items.push(ItemSpec::texts("Categories", &categories[..self.random.usize(1..=3)]));
        }
        if self.random.u8(..100) < 8 {
            items.push(ItemSpec::text("Importance", "1"));
        }
        if let Some(parent) = mail.parent.map(|at| &self.threads[at]) {
            let reference = values::note_refs(&[parent.unid]);
            items.push(ItemSpec::new("$REF", ItemType::NOTEREF_LIST, reference));
            items.push(ItemSpec::text("In_Reply_To", &parent.message_id));
            items.push(ItemSpec::text("References", &parent.message_id));
        }
    }

    fn file_mail(&mut self, state: State, note_id: NoteId, unid: Unid, time: Timedate, fate: Fate) {
        let Folders { inbox, junk, projects } = &self.folders;
        let project = projects[self.random.usize(..projects.len())];
        let mut folders = match (state, self.random.u8(..100)) {
            (State::Draft, _) => vec![],
            (State::Sent, 0..10) => vec![project],
            (State::Sent, _) => vec![],
            (State::Received, 0..70) => vec![*inbox],
            (State::Received, 70..85) => vec![project],
            (State::Received, 85..90) => vec![*inbox, project],
            (State::Received, 90..95) => vec![*junk],
            (State::Received, _) => vec![],
        };
        let mut unread = state == State::Received && self.random.u8(..100) < 15;
        if let Some(Later { counted, .. }) = &mut self.later {
            match fate {
                Fate::Changed => counted.changed += 1,
                Fate::Moved => counted.moved += 1,
                Fate::Read => counted.read += u64::from(unread),
                Fate::Deleted => counted.deleted += 1,
                Fate::Untouched => {}
            }
        }
        match (fate, &mut self.later) {
            (Fate::Moved, Some(later)) => folders = vec![later.other_folder(projects, &folders)],
            (Fate::Read, _) => unread = false,
            (Fate::Deleted, _) => return,
            _ => {}
        }
        folders.into_iter().for_each(|folder| self.writer.file(folder, note_id, unid, time));
        if unread {
            self.writer.mark_unread(&OWNER.in_notes(), note_id);
        }
    }
}

/// What the items of a mail say of it.
struct Mail<'a> {
    state: State,
    time: Timedate,
    subject: &'a str,
    message_id: &'a str,
    /// Its place among the open threads.
    parent: Option<usize>,
}

fn add_folders(writer: &mut Writer, random: &mut Rng, created: Timedate) -> Folders {
    let mut add = |title: &str| {
        let unid = unid(random.u64(..), created);
        writer.add_folder(title, "F", unid, created)
    };
    let (inbox, junk) = (add("($Inbox)"), add("($JunkMail)"));
    add("Empty");
    let projects = [
        "Projects\\Apollo",
        "Projects\\Borealis|borealis",
        "Kunden\\M\u{fc}nchen",
        "\u{388}\u{3c1}\u{3b3}\u{3b1}",
    ];
    Folders { inbox, junk, projects: projects.into_iter().map(add).collect() }
}

/// As Domino makes them: the UNID, in its two halves.
fn message_id(unid: Unid) -> String {
    let digits = unid.to_string();
    let [a, b, c, d] = [0, 8, 16, 24].map(|at| &digits[at..at + 8]);
    format!("<OF{a}.{b}-ON{c}.{d}@example.com>")
}

fn rfc5322_date(time: Timedate) -> String {
    let ms = time.unix_ms().unwrap_or(START_MS);
    let zoned = jiff::Timestamp::from_millisecond(ms).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    jiff::fmt::rfc2822::to_string(&zoned.to_zoned(jiff::tz::TimeZone::UTC)).unwrap_or_default()
}

/// The sum of twelve equal distributions is normal enough.
fn lognormal(random: &mut Rng) -> usize {
    let normal = (0..12).map(|_| random.f64()).sum::<f64>() - 6.0;
    let bytes = MEDIAN_BYTES * (SIGMA * normal).exp();
    bytes.clamp(300.0, MAX_BYTES) as usize
}
