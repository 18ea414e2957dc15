//! Tasks as VTODO (RFC 5545 section 3.6.2).

use crate::conversion::calendar::alarm;
use crate::conversion::calendar::event::{self, Facts};
use crate::conversion::calendar::series::Series;
use crate::conversion::calendar::times::{Clock, When};
use crate::conversion::calendar::zone::{Zone, utc_stamp};
use crate::conversion::content_line::Writer;
use crate::conversion::losses::Losses;
use crate::model::loss::LossKind;
use crate::notes::document::Note;
use crate::notes::timedate::{Moment, Timedate};
use jiff::civil::{Date, DateTime};
use jiff::tz::Offset;
use jiff::{SignedDuration, Timestamp, ToSpan};

/// The hours that templates put into a date: they mean no hour.
const DEFAULT_HOURS: [i8; 3] = [0, 4, 20];

/// The dates of a task.
pub struct Dates {
    pub start: Option<When>,
    pub due: Option<When>,
    pub clock: Clock,
}

impl Dates {
    /// Tasks are due on a day; a time of day counts only where it is no default of a template.
    pub fn of(note: &Note, losses: &mut Losses) -> Self {
        let mut clock = Clock::of(note, false, false);
        let item = |names: [&str; 2]| names.into_iter().find_map(|name| note.time(name));
        let zone = clock.zone.as_ref();
        let due = item(["DueDateTime", "DueDate"]).and_then(|time| read(time, zone));
        let start = item(["StartDateTime", "StartDate"]).and_then(|time| read(time, zone));
        clock.all_day = matches!(due.or(start), Some(When::Day(_)) | None);
        // Both are told in the same form (RFC 5545 section 3.8.2.3).
        let alike = |when: When| match (due, when) {
            (Some(When::Day(_)), When::At(_)) => When::Day(when.local(&clock.zone()).date()),
            (Some(When::At(_)), When::Day(day)) => {
                clock.zone().instant(day.at(0, 0, 0, 0)).map_or(when, When::At)
            }
            _ => when,
        };
        let mut start = start.map(alike);
        if let (Some(from), Some(due)) = (start, due)
            && from > due
        {
            losses.add(LossKind::EndInvalid, "the task begins after it is due");
            start = None;
        }
        Self { start, due, clock }
    }
}

fn read(time: Timedate, zone: Option<&Zone>) -> Option<When> {
    match time.moment().ok()? {
        Moment::Day { unix_day } => {
            Some(When::Day(Date::constant(1970, 1, 1).checked_add(unix_day.days()).ok()?))
        }
        Moment::Instant { unix_ms, zone_minutes } => {
            let instant = Timestamp::from_millisecond(unix_ms).ok()?;
            let standard =
                || Offset::from_seconds(zone_minutes * 60).unwrap_or(Offset::UTC).to_datetime(instant);
            let local = zone.map_or_else(standard, |zone| zone.local(instant));
            // The zone of a time is told without daylight saving.
            let saving = zone.is_none().then(|| local.saturating_add(SignedDuration::from_hours(1)));
            let whole = [Some(local), saving].into_iter().flatten().find(is_default);
            Some(whole.map_or(When::At(instant), |local| When::Day(local.date())))
        }
        Moment::TimeOfDay { .. } | Moment::Empty => None,
    }
}

fn is_default(local: &DateTime) -> bool {
    DEFAULT_HOURS.contains(&local.hour()) && local.minute() == 0 && local.second() == 0
}

/// Writes one VTODO; with a series, all its dates; with an id, that date of one. Returns where attachments go.
pub fn write(
    writer: &mut Writer,
    facts: &Facts<'_>,
    note: &Note,
    dates: &Dates,
    series: Option<&Series<'_>>,
    id: Option<When>,
    losses: &mut Losses,
) -> usize {
    let zone = series.map_or_else(|| dates.clock.zone(), |series| series.zone.clone());
    writer.begin("VTODO");
    event::write_identity(writer, facts, note);
    event::write_history(writer, facts);
    if let Some(id) = id {
        event::write_when(writer, "RECURRENCE-ID", id, &zone);
    }
    let repeated = series.filter(|series| series.repeats() && id.is_none());
    let start = repeated.map(|series| series.start).or(dates.start);
    if let Some(start) = start {
        event::write_when(writer, "DTSTART", start, &zone);
    }
    let due = match (repeated, dates.start, dates.due) {
        (Some(series), Some(start), Some(due)) => Some(series.start.after(due.since(start))),
        (Some(series), ..) => Some(series.start),
        (None, _, due) => due,
    };
    if let Some(due) = due {
        event::write_when(writer, "DUE", due, &zone);
    }
    if let Some(series) = repeated {
        series.write_repeats(writer);
    }
    event::write_texts(writer, facts, note, losses);
    write_state(writer, facts, note, dates, losses);
    event::write_participants(writer, facts, note, None, losses);
    let attachments = writer.len();
    let from = match (start, due) {
        (Some(When::Day(_)), _) => Some(alarm::From::StartOfDay),
        (Some(When::At(_)), _) => Some(alarm::From::Start),
        (None, Some(_)) => Some(alarm::From::Due),
        (None, None) => None,
    };
    alarm::write(writer, note, &event::summary(note), from);
    writer.end("VTODO");
    attachments
}

/// STATUS with what belongs to it, and PRIORITY.
fn write_state(writer: &mut Writer, facts: &Facts<'_>, note: &Note, dates: &Dates, losses: &mut Losses) {
    let completed = note.time("CompletedDateTime").and_then(|time| read(time, None));
    let state = note.text("DueState");
    // Overdue, current and future were true on the day they were computed; the dates count.
    let started = dates.start.is_some_and(|start| start.instant() <= facts.stamp);
    let status = match state.trim() {
        _ if completed.is_some() => "COMPLETED",
        "9" => "COMPLETED",
        "8" => "CANCELLED",
        "0" | "1" if started => "IN-PROCESS",
        _ => "NEEDS-ACTION",
    };
    writer.line("STATUS", status);
    if status == "COMPLETED" {
        if completed.is_none() {
            losses.add(LossKind::DateSubstituted, "CompletedDateTime");
        }
        let completed = exact(note.time("CompletedDateTime")).or(completed.map(When::instant));
        writer.line("COMPLETED", &utc_stamp(completed.unwrap_or(facts.stamp)));
        writer.line("PERCENT-COMPLETE", "100");
    }
    let priority = match note.text("Importance").trim() {
        "1" => Some("1"),
        "2" => Some("5"),
        "3" => Some("9"),
        _ => None,
    };
    if let Some(priority) = priority {
        writer.line("PRIORITY", priority);
    }
}

fn exact(time: Option<Timedate>) -> Option<Timestamp> {
    Timestamp::from_millisecond(time?.unix_ms().ok()?).ok()
}
