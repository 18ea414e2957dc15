//! Calendar entries, tasks and workflow mail, as the mail template keeps them.
//!
//! Times are kept on the clock of Berlin, so that entries lie on both sides of a change of the clock.

use super::people::{OWNER, Person};
use super::prose::Prose;
use super::{Mailbox, ZONE_MINUTES};
use crate::forge::ForgeError;
use crate::forge::note::{ItemSpec, NoteSpec};
use crate::forge::richtext::{Font, RichText, Style};
use crate::forge::values;
use crate::notes::ids::{NoteId, Unid};
use crate::notes::item::{ItemFlags, ItemType};
use crate::notes::timedate::Timedate;
use jiff::civil::{Date, Weekday};
use jiff::tz::{TimeZone, TimeZoneDatabase};
use jiff::{Timestamp, ToSpan};

const BERLIN: &str = "Z=-1$DO=1$DL=3 -1 1 10 -1 1$ZX=224$ZN=W. Europe";
const HOUR_MS: i64 = 3_600_000;

/// Dates of a series.
const SERIES_DATES: usize = 12;
/// The one that was moved, and the one that was deleted.
const MOVED: usize = 3;
const DELETED: usize = 7;

/// Writes one entry with what belongs to it; the kinds take turns.
pub(super) fn write(mailbox: &mut Mailbox, number: u64) -> Result<(), ForgeError> {
    match number % 8 {
        2 => return meeting(mailbox),
        5 => return invitation(mailbox),
        _ => {}
    }
    let draft = Draft::new(mailbox);
    match number % 8 {
        0 => appointment(mailbox, &draft, "Room 2.14, Main Street 1"),
        1 => series(mailbox, &draft),
        3 => {
            let done = mailbox.random.bool();
            task(mailbox, &draft, done)
        }
        4 => whole_days(mailbox, &draft, "2"),
        6 => whole_days(mailbox, &draft, "1"),
        _ => reminder(mailbox, &draft),
    }
}

/// What an entry says beside its times.
pub(super) struct Draft {
    pub unid: Unid,
    pub time: Timedate,
    pub subject: String,
    pub words: String,
    pub day: Date,
    pub hour: i8,
}

impl Draft {
    /// Some day in the next weeks, in office hours.
    fn new(mailbox: &mut Mailbox) -> Self {
        let (unid, time) = mailbox.next_identity();
        let prose = Prose::choose(&mut mailbox.random);
        let today =
            Timestamp::from_millisecond(mailbox.now_ms).unwrap_or_default().to_zoned(TimeZone::UTC).date();
        Self {
            unid,
            time,
            subject: prose.subject(&mut mailbox.random),
            words: prose.sentence(&mut mailbox.random),
            day: today.saturating_add(mailbox.random.i32(1..60).days()),
            hour: mailbox.random.i8(8..17),
        }
    }

    pub fn note(&self, items: impl IntoIterator<Item = ItemSpec>) -> NoteSpec {
        NoteSpec::document(self.unid, self.time).with(items)
    }

    /// The items of every document of the entry.
    pub fn items(&self, kind: &str) -> Vec<ItemSpec> {
        vec![
            ItemSpec::text("Form", "Appointment"),
            ItemSpec::text("AppointmentType", kind),
            ItemSpec::text("Subject", &self.subject),
            ItemSpec::text("Chair", &OWNER.in_notes()).flagged(ItemFlags::NAMES),
            ItemSpec::text("From", &OWNER.in_notes()).flagged(ItemFlags::NAMES),
            ItemSpec::text("INetFrom", OWNER.address),
            ItemSpec::text("ApptUNID", &self.unid.to_string()),
            ItemSpec::text("StartTimeZone", BERLIN),
            ItemSpec::text("EndTimeZone", BERLIN),
            ItemSpec::number("SequenceNum", 1.0),
            ItemSpec::text("$CSVersion", "2"),
            ItemSpec::text("$PublicAccess", "1"),
            self.body(),
        ]
    }

    fn body(&self) -> ItemSpec {
        let mut body = RichText::new();
        body.paragraph(Style::Left);
        body.text(Font::PLAIN, &self.words);
        ItemSpec::rich_text("Body", body.bytes())
    }
}

/// An hour of a day on the clock of Berlin.
pub(super) fn at(day: Date, hour: i8) -> Timedate {
    let zone = TimeZoneDatabase::bundled().get("Europe/Berlin").unwrap_or(TimeZone::UTC);
    let instant = zone.to_timestamp(day.at(hour, 0, 0, 0)).unwrap_or_default();
    Timedate::from_unix_ms(instant.as_millisecond(), ZONE_MINUTES)
}

pub(super) fn hours_later(time: Timedate, hours: i64) -> Timedate {
    Timedate::from_unix_ms(time.unix_ms().unwrap_or_default() + hours * HOUR_MS, ZONE_MINUTES)
}

/// The lists of times of one or more occurrences.
pub(super) fn times(starts: &[Timedate], ends: &[Timedate]) -> [ItemSpec; 4] {
    [
        ItemSpec::times("StartDateTime", starts),
        ItemSpec::times("EndDateTime", ends),
        ItemSpec::times("CalendarDateTime", starts),
        ItemSpec::text("$BusyName", &OWNER.in_notes()),
    ]
}

fn alarm(minutes: f64) -> [ItemSpec; 2] {
    [ItemSpec::number("$Alarm", 1.0), ItemSpec::number("$AlarmOffset", minutes)]
}

fn reference(unid: Unid) -> ItemSpec {
    ItemSpec::new("$REF", ItemType::NOTEREF_LIST, values::note_refs(&[unid]))
}

pub(super) fn appointment(mailbox: &mut Mailbox, draft: &Draft, place: &str) -> Result<(), ForgeError> {
    let start = at(draft.day, draft.hour);
    let mut items = draft.items("0");
    items.extend(times(&[start], &[hours_later(start, 1)]));
    items.push(ItemSpec::text("Location", place));
    items.push(ItemSpec::texts("Categories", &["Budget"]));
    items.extend(alarm(-30.0));
    mailbox.writer.add_note(&draft.note(items)).map(drop)
}

/// All-day event or anniversary: from four in the morning to eight in the evening.
pub(super) fn whole_days(mailbox: &mut Mailbox, draft: &Draft, kind: &str) -> Result<(), ForgeError> {
    let last = if kind == "2" { draft.day.saturating_add(2.days()) } else { draft.day };
    let mut items = draft.items(kind);
    items.extend(times(&[at(draft.day, 4)], &[at(last, 20)]));
    mailbox.writer.add_note(&draft.note(items)).map(drop)
}

fn reminder(mailbox: &mut Mailbox, draft: &Draft) -> Result<(), ForgeError> {
    let start = at(draft.day, draft.hour);
    let mut items = draft.items("4");
    items.extend(times(&[start], &[start]));
    items.extend(alarm(0.0));
    mailbox.writer.add_note(&draft.note(items)).map(drop)
}

/// A meeting that the owner called, and an answer.
fn meeting(mailbox: &mut Mailbox) -> Result<(), ForgeError> {
    let draft = Draft::new(mailbox);
    let people = Person::choose_some(&mut mailbox.random, 3);
    let parent = called_meeting(mailbox, &draft, &people)?;
    let kind = ["A", "P", "R"][mailbox.random.usize(..3)];
    answer(mailbox, &draft, parent, people[0], kind, false)
}

/// A meeting of two hours that the owner called, in a room.
pub(super) fn called_meeting(
    mailbox: &mut Mailbox,
    draft: &Draft,
    people: &[Person],
) -> Result<NoteId, ForgeError> {
    let start = at(draft.day, draft.hour);
    let names: Vec<String> = people.iter().map(|person| person.in_notes()).collect();
    let addresses: Vec<String> = people.iter().map(|person| person.in_internet_list()).collect();
    let mut items = draft.items("3");
    items.extend(times(&[start], &[hours_later(start, 2)]));
    items.push(ItemSpec::texts("RequiredAttendees", &names).flagged(ItemFlags::NAMES));
    items.push(ItemSpec::texts("INetRequiredNames", &addresses));
    items.push(ItemSpec::text("Room", "CN=Blue Room/O=Munich").flagged(ItemFlags::NAMES));
    items.extend(alarm(-15.0));
    mailbox.writer.add_note(&draft.note(items))
}

/// What somebody answered to a meeting of the owner.
pub(super) fn answer(
    mailbox: &mut Mailbox,
    draft: &Draft,
    parent: NoteId,
    sender: Person,
    kind: &'static str,
    in_inbox: bool,
) -> Result<(), ForgeError> {
    let prefix = match kind {
        "A" => "Accepted: ",
        "P" => "Tentatively accepted: ",
        _ => "Declined: ",
    };
    let start = at(draft.day, draft.hour);
    let about = Notice { kind, prefix, sender, chair: OWNER, start, sequence: 1.0 };
    notice(mailbox, draft, about, Some(parent), in_inbox)
}

/// Workflow mail.
pub(super) struct Notice {
    pub kind: &'static str,
    pub prefix: &'static str,
    pub sender: Person,
    pub chair: Person,
    pub start: Timedate,
    /// How often the times of the entry were set.
    pub sequence: f64,
}

pub(super) fn notice(
    mailbox: &mut Mailbox,
    draft: &Draft,
    about: Notice,
    parent: Option<NoteId>,
    in_inbox: bool,
) -> Result<(), ForgeError> {
    let (unid, time) = mailbox.next_identity();
    let items = [
        ItemSpec::text("Form", "Notice"),
        ItemSpec::text("NoticeType", about.kind),
        ItemSpec::text("AppointmentType", "3"),
        ItemSpec::text("Subject", &format!("{}{}", about.prefix, draft.subject)),
        ItemSpec::text("Topic", &draft.subject),
        ItemSpec::text("From", &about.sender.in_notes()).flagged(ItemFlags::NAMES),
        ItemSpec::text("INetFrom", about.sender.address),
        ItemSpec::text("Chair", &about.chair.in_notes()).flagged(ItemFlags::NAMES),
        ItemSpec::texts("SendTo", &[OWNER.in_notes()]).flagged(ItemFlags::NAMES),
        ItemSpec::texts("INetSendTo", &[OWNER.address]),
        ItemSpec::time("PostedDate", time),
        ItemSpec::time("DeliveredDate", time),
        ItemSpec::text("$MessageID", &super::message_id(unid)),
        ItemSpec::text("ApptUNID", &draft.unid.to_string()),
        ItemSpec::text("StartTimeZone", BERLIN),
        ItemSpec::times("StartDateTime", &[about.start]),
        ItemSpec::times("EndDateTime", &[hours_later(about.start, 2)]),
        ItemSpec::number("SequenceNum", about.sequence),
        draft.body(),
    ];
    let mut note = NoteSpec::document(unid, time).with(items);
    if let Some(parent) = parent {
        note.parent = Some(parent);
        note.items.push(reference(draft.unid));
    }
    let note_id = mailbox.writer.add_note(&note)?;
    if in_inbox {
        mailbox.writer.file(mailbox.folders.inbox, note_id, unid, time);
    }
    Ok(())
}

/// An invitation from a colleague that nobody answered.
fn invitation(mailbox: &mut Mailbox) -> Result<(), ForgeError> {
    let draft = Draft::new(mailbox);
    let sender = Person::choose_colleague(&mut mailbox.random);
    let start = at(draft.day, draft.hour);
    let about = Notice { kind: "I", prefix: "Invitation: ", sender, chair: sender, start, sequence: 1.0 };
    notice(mailbox, &draft, about, None, true)
}

/// A weekly series: its parent, the document of its occurrences, and one that was moved to the afternoon.
pub(super) fn series(mailbox: &mut Mailbox, draft: &Draft) -> Result<(), ForgeError> {
    let monday = draft.day.saturating_add(i32::from(Weekday::Monday.since(draft.day.weekday())).days());
    let day = |week: usize| monday.saturating_add((week as i64).weeks());
    let dates: Vec<Timedate> = (0..SERIES_DATES).map(|week| at(day(week), 10)).collect();
    let mut items = draft.items("0");
    items.extend([
        ItemSpec::text("OrgRepeat", "1"),
        ItemSpec::text("Repeats", "1"),
        ItemSpec::text("$CSFlags", "c"),
        ItemSpec::text("RepeatUnit", "W"),
        ItemSpec::text("RepeatInterval", "1"),
        ItemSpec::texts("RepeatAdjust", &["1"]),
        ItemSpec::text("RepeatHow", "F"),
        ItemSpec::times("RepeatDates", &dates),
        ItemSpec::times("StartDateTime", &dates[..1]),
        ItemSpec::times("EndDateTime", &[hours_later(dates[0], 1)]),
    ]);
    let parent = mailbox.writer.add_note(&draft.note(items))?;
    let regular: Vec<usize> = (0..SERIES_DATES).filter(|week| ![MOVED, DELETED].contains(week)).collect();
    let regular: Vec<Timedate> = regular.into_iter().map(|week| dates[week]).collect();
    instance(mailbox, draft, parent, &regular, &regular)?;
    instance(mailbox, draft, parent, &[dates[MOVED]], &[at(day(MOVED), 15)])
}

/// A document of occurrences: their original starts and where they are now.
fn instance(
    mailbox: &mut Mailbox,
    draft: &Draft,
    parent: NoteId,
    originals: &[Timedate],
    starts: &[Timedate],
) -> Result<(), ForgeError> {
    let (unid, time) = mailbox.next_identity();
    let ends: Vec<Timedate> = starts.iter().map(|start| hours_later(*start, 1)).collect();
    let mut note = NoteSpec::document(unid, time).with(draft.items("0"));
    note.parent = Some(parent);
    note.items.extend(times(starts, &ends));
    note.items.extend([
        reference(draft.unid),
        ItemSpec::text("$CSFlags", "i"),
        ItemSpec::times("RepeatInstanceDates", originals),
    ]);
    mailbox.writer.add_note(&note).map(drop)
}

pub(super) fn task(mailbox: &mut Mailbox, draft: &Draft, done: bool) -> Result<(), ForgeError> {
    let mut items = draft.items("1");
    items[0] = ItemSpec::text("Form", "Task");
    items.extend([
        ItemSpec::text("TaskType", "1"),
        ItemSpec::time("DueDateTime", at(draft.day, 20)),
        ItemSpec::text("Importance", "2"),
        ItemSpec::text("DueState", if done { "9" } else { "1" }),
    ]);
    if done {
        items.push(ItemSpec::time("CompletedDateTime", draft.time));
    }
    mailbox.writer.add_note(&draft.note(items)).map(drop)
}
