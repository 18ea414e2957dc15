//! Calendar entries, tasks and their workflow as iCalendar (RFC 5545).
//!
//! Called by `conversion::convert` for documents of these kinds. The text goes into a part of the message that every
//! target can hold, and into an object of its own for targets that store such.

mod alarm;
mod event;
pub mod journal;
mod notice;
mod participant;
mod rule;
mod series;
mod task;
mod times;
mod vtimezone;
mod zone;
mod zone_table;

use crate::conversion::calendar::event::{Facts, Timing};
use crate::conversion::calendar::notice::Method;
use crate::conversion::calendar::participant::Answers;
use crate::conversion::calendar::series::Series;
use crate::conversion::calendar::times::{Clock, When};
use crate::conversion::content_line::{Writer, quoted};
use crate::conversion::headers::Source;
use crate::conversion::kind::{self, EntryKind, Kind};
use crate::conversion::losses::Losses;
use crate::conversion::message::Part;
use crate::conversion::{KEY_HEADER, attachment, conflict, date};
use crate::model::content::{File, FileBody};
use crate::model::item::Origin;
use crate::model::loss::LossKind;
use crate::model::object::{Object, ObjectKind};
use crate::model::rendered::{Rendered, Segment, TransferEncoding};
use crate::notes::document::Note;
use jiff::Timestamp;

/// An entry or notice as iCalendar.
pub struct Calendar {
    text: String,
    /// Where in the text attachments go: at the end of the first component's properties.
    attachments: usize,
    component: ObjectKind,
    method: Option<Method>,
    /// For readers without a calendar, in lines: when and where.
    pub told: String,
}

/// Whether the client took an entry out of service.
pub fn is_obsolete(note: &Note) -> bool {
    const REPAIRED_ICON: f64 = 71.0;
    note.number("_ViewIcon") == Some(REPAIRED_ICON)
        || note.has("$CSFlagsRepaired")
        || note.has("NoticeTypeRepaired")
}

/// The document that leads the series, if this one is only a part of it, or was saved later in another document.
pub fn leader<'a>(note: &'a Note, related: &'a [Note]) -> Option<&'a Note> {
    series::leader(documents(note, related).into_iter()).filter(|leader| leader.unid != note.unid)
}

/// The documents of which an entry is made: without those that lost a conflict, and this one first unless it did.
pub fn documents<'a>(note: &'a Note, related: &'a [Note]) -> Vec<&'a Note> {
    let all: Vec<&Note> = std::iter::once(note).chain(same_series(note, related)).collect();
    conflict::survivors(&all)
}

/// The other entries among the documents that belong to an entry.
pub fn same_series<'a>(note: &'a Note, related: &'a [Note]) -> impl Iterator<Item = &'a Note> {
    let is_task = kind::kind(note) == Kind::Entry(EntryKind::Task);
    related.iter().filter(move |other| match kind::kind(other) {
        Kind::Entry(kind) => (kind == EntryKind::Task) == is_task && !is_obsolete(other),
        _ => false,
    })
}

fn facts<'a>(source: &Source<'a>, kind: EntryKind, related: &'a [Note]) -> Facts<'a> {
    let note = source.note;
    let instant = |unix_ms| Timestamp::from_millisecond(unix_ms).ok();
    let stamp = note.modified.unix_ms().ok().or(note.sequence_time.unix_ms().ok()).and_then(instant);
    let stamp = stamp.or_else(|| instant(source.dates.internal_ms)).unwrap_or_default();
    let owner = source.context.owner;
    Facts {
        kind,
        uid: event::uid(note),
        stamp,
        created: date::created_ms(note, source.context.now_unix_ms).and_then(instant),
        is_chair: owner.is_none_or(|owner| crate::conversion::address::same(owner, &note.text("Chair"))),
        owner,
        directory: source.context.directory,
        answers: Answers::among(source.context.directory, related.iter(), note),
    }
}

/// The entry of a document that leads its series. None where it does not say when it is, and an event has to.
pub fn entry(
    source: &Source<'_>,
    kind: EntryKind,
    related: &[Note],
    losses: &mut Losses,
) -> Option<Calendar> {
    let note = source.note;
    let facts = facts(source, kind, related);
    let documents = documents(note, related);
    if kind == EntryKind::Task {
        return Some(task_entry(&facts, &documents, losses));
    }
    let days = matches!(kind, EntryKind::AllDay | EntryKind::Anniversary);
    let clock = Clock::of(note, days, kind != EntryKind::Reminder);
    let Some(series) = Series::of(&documents, &clock, losses) else {
        losses.add(LossKind::DateInvalid, "the entry has no start");
        return None;
    };
    let mut writer = begin(None, Some(&series));
    let timing = |id, start, end| Timing { zone: &series.zone, id, start, end };
    let whole = timing(None, series.start, series.end);
    let attachments = event::write(
        &mut writer,
        &facts,
        series.master,
        &whole,
        |writer| series.write_repeats(writer),
        losses,
    );
    let mut repeated = Losses::default();
    for (occurrence, note) in &series.overrides {
        let timing = timing(Some(occurrence.id), occurrence.start, occurrence.end);
        event::write(&mut writer, &facts, note, &timing, |_| {}, &mut repeated);
    }
    tell_truncated(repeated, losses);
    writer.end("VCALENDAR");
    let told = when_and_where(&series, note);
    Some(Calendar { text: writer.finish(), attachments, component: ObjectKind::Event, method: None, told })
}

/// Exceptions name the same people as the series, so most of what they lose is told already.
fn tell_truncated(repeated: Losses, losses: &mut Losses) {
    let cut = repeated.into_list().into_iter().filter(|loss| loss.kind == LossKind::Truncated);
    cut.for_each(|loss| losses.push(loss));
}

fn task_entry(facts: &Facts<'_>, documents: &[&Note], losses: &mut Losses) -> Calendar {
    let note = documents[0];
    let dates = task::Dates::of(note, losses);
    let repeated = documents.len() > 1 || note.has("RepeatDates") || note.has("RepeatInstanceDates");
    let series = repeated.then(|| Series::of(documents, &dates.clock, losses)).flatten();
    let mut writer = begin(None, None);
    if let Some(series) = &series {
        write_zone(&mut writer, series);
    } else {
        let times: Vec<When> = dates.start.into_iter().chain(dates.due).collect();
        if let (Some(When::At(first)), Some(When::At(last))) = (times.first(), times.last()) {
            vtimezone::write(&mut writer, &dates.clock.zone(), *first, *last);
        }
    }
    let attachments = task::write(&mut writer, facts, note, &dates, series.as_ref(), None, losses);
    let mut repeated = Losses::default();
    for (occurrence, note) in series.iter().flat_map(|series| &series.overrides) {
        let dates = task::Dates { start: None, due: Some(occurrence.start), clock: dates.clock.clone() };
        task::write(&mut writer, facts, note, &dates, series.as_ref(), Some(occurrence.id), &mut repeated);
    }
    tell_truncated(repeated, losses);
    writer.end("VCALENDAR");
    let told =
        dates.due.map(|due| format!("Due: {}\n", told_time(due, &dates.clock.zone()))).unwrap_or_default();
    Calendar { text: writer.finish(), attachments, component: ObjectKind::Task, method: None, told }
}

/// The calendar part of a notice.
pub fn notice(source: &Source<'_>, losses: &mut Losses) -> Option<Calendar> {
    let note = source.note;
    let Some(method) = Method::of(note) else {
        let letter = note.text("NoticeType");
        losses.add(LossKind::ConstructDropped, format!("a notice of type `{letter}` has no calendar part"));
        return None;
    };
    let is_task = kind::form(note).eq_ignore_ascii_case("TaskNotice") || note.has("TaskType");
    let kind = if is_task { EntryKind::Task } else { kind::entry_kind(note) };
    let facts = facts(source, kind, &[]);
    let days = matches!(kind, EntryKind::AllDay | EntryKind::Anniversary);
    let clock = if is_task {
        task::Dates::of(note, &mut Losses::default()).clock
    } else {
        Clock::of(note, days, true)
    };
    let series = notice::series(note, method, &clock);
    let needs_start = !is_task && matches!(method, Method::Request | Method::Counter);
    if note.text("ApptUNID").is_empty() || (needs_start && series.is_none()) {
        losses.add(LossKind::ConstructDropped, "calendar part of a notice");
        return None;
    }
    let component = if is_task { ObjectKind::Task } else { ObjectKind::Event };
    let mut writer = begin(Some(method), series.as_ref());
    notice::write(&mut writer, &facts, note, method, component.component(), series.as_ref(), &clock);
    let attachments = writer.len();
    writer.end("VCALENDAR");
    Some(Calendar {
        text: writer.finish(),
        attachments,
        component,
        method: Some(method),
        told: String::new(),
    })
}

fn begin(method: Option<Method>, series: Option<&Series<'_>>) -> Writer {
    let mut writer = Writer::default();
    writer.begin("VCALENDAR");
    writer.line("VERSION", "2.0");
    writer.line("PRODID", "-//Notesferry//Notesferry//EN");
    if let Some(method) = method {
        writer.line("METHOD", method.name());
    }
    if let Some(series) = series {
        write_zone(&mut writer, series);
    }
    writer
}

fn write_zone(writer: &mut Writer, series: &Series<'_>) {
    if let (When::At(first), When::At(last)) = series.bounds() {
        vtimezone::write(writer, &series.zone, first, last);
    }
}

/// What the entry is for those who read it as a message.
fn when_and_where(series: &Series<'_>, note: &Note) -> String {
    let mut told = format!("When: {}", told_time(series.start, &series.zone));
    if let Some(end) = series.end {
        append!(told, " - {}", told_end(end, series));
    }
    if let (Some(id), When::At(_)) = (&series.zone.id, series.start) {
        append!(told, " ({id})");
    }
    told.push('\n');
    if series.repeats() {
        let (_, last) = series.bounds();
        append!(told, "Repeats until: {}\n", told_time(last, &series.zone));
    }
    let place = event::location(note);
    if !place.is_empty() {
        append!(told, "Where: {}\n", place.replace('\n', " "));
    }
    told
}

fn told_time(when: When, zone: &zone::Zone) -> String {
    match when {
        When::Day(day) => day.to_string(),
        When::At(_) => when.local(zone).strftime("%Y-%m-%d %H:%M").to_string(),
    }
}

/// The last day of an entry of days, or the time of day where it ends on the day it began.
fn told_end(end: When, series: &Series<'_>) -> String {
    let local = end.local(&series.zone);
    match end {
        When::Day(day) => day.yesterday().unwrap_or(day).to_string(),
        When::At(_) if local.date() == series.start.local(&series.zone).date() => {
            local.strftime("%H:%M").to_string()
        }
        When::At(_) => told_time(end, &series.zone),
    }
}

impl Calendar {
    /// The part of a message.
    pub fn part(&self) -> Part {
        event::part(&self.text, self.method.map(Method::name), self.component.component())
    }

    /// The object with the files of its document. The key says whose it is, as the header of a message does.
    pub fn object(&self, origin: &Origin, note: &Note, files: &[File]) -> Object {
        let mut text = self.text.as_str();
        let mut segments = Vec::new();
        let mut bytes = Vec::new();
        if let Some((begin, rest)) = text.split_once("\r\n") {
            bytes.extend_from_slice(begin.as_bytes());
            bytes.extend_from_slice(
                format!("\r\n{}:{origin}\r\n", KEY_HEADER.to_ascii_uppercase()).as_bytes(),
            );
            text = rest;
        }
        let (before, after) = text.split_at(self.attachments - (self.text.len() - text.len()));
        bytes.extend_from_slice(before.as_bytes());
        for file in files {
            let FileBody::Read(blob) = &file.body else { continue };
            let name = &file.descriptor.name.text;
            let mut head = Writer::default();
            let media_type = attachment::media_type(blob.head(), name);
            let parameters =
                format!("FMTTYPE={media_type};ENCODING=BASE64;VALUE=BINARY{}", quoted("FILENAME", name));
            head.line(&format!("ATTACH;{parameters}"), "");
            bytes.extend_from_slice(head.finish().as_bytes());
            segments.push(Segment::Bytes(std::mem::take(&mut bytes)));
            segments.push(Segment::Blob { blob: blob.clone(), encoding: TransferEncoding::Base64Continued });
        }
        bytes.extend_from_slice(after.as_bytes());
        segments.push(Segment::Bytes(bytes));
        let losses = event::description_losses(note);
        Object { kind: self.component, rendered: Rendered::new(segments), losses }
    }
}
