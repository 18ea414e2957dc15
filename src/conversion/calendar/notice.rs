//! Workflow mail as iTIP (RFC 5546): the calendar part of an invitation, an answer, a cancellation.

use crate::conversion::calendar::event::{self, Facts};
use crate::conversion::calendar::participant::{self, answer_of, notice_type};
use crate::conversion::calendar::series::Series;
use crate::conversion::calendar::times::{Clock, When, times};
use crate::conversion::content_line::{Writer, mailto};
use crate::conversion::directory::Directory;
use crate::conversion::losses::Losses;
use crate::notes::document::Note;

/// What a notice asks for or tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    Request,
    Cancel,
    Reply,
    Counter,
    DeclineCounter,
    Refresh,
}

impl Method {
    /// The method of a notice; none for what has no counterpart outside of Notes.
    pub fn of(note: &Note) -> Option<Self> {
        Some(match notice_type(note)? {
            'I' | 'U' | 'K' | 'N' | 'B' | 'L' => Self::Request,
            'C' | 'Y' => Self::Cancel,
            'S' if note.text("OrgStatus").trim() == "5" => Self::Cancel,
            'S' => Self::Request,
            'J' => Self::DeclineCounter,
            'A' | 'P' | 'R' | 'D' | 'F' => Self::Reply,
            // Countered, not tentative.
            'T' => Self::Counter,
            'E' if note.text("$CSFlags").contains('u') => Self::Request,
            'E' => Self::Refresh,
            _ => return None,
        })
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Request => "REQUEST",
            Self::Cancel => "CANCEL",
            Self::Reply => "REPLY",
            Self::Counter => "COUNTER",
            Self::DeclineCounter => "DECLINECOUNTER",
            Self::Refresh => "REFRESH",
        }
    }

    /// Whether an invitee writes it to the chair.
    fn is_of_invitee(self) -> bool {
        matches!(self, Self::Reply | Self::Counter | Self::Refresh)
    }
}

/// The times of a notice. A counter proposal tells new ones.
pub fn series<'a>(note: &'a Note, method: Method, clock: &Clock) -> Option<Series<'a>> {
    // The message says everything; times that cannot be told are no loss of it.
    let mut told = Losses::default();
    let mut series = Series::of(&[note], clock, &mut told)?;
    let proposed = |items| clock.proposed(note, items);
    if method == Method::Counter
        && let Some(start) = proposed(["NewStartDateTime", "NewStartDate", "NewStartTime"])
    {
        series.end = proposed(["NewEndDateTime", "NewEndDate", "NewEndTime"]).filter(|end| *end > start);
        series.start = start;
    }
    Some(series)
}

/// The date of a series that a notice is about; none if it is about all of it.
fn only_date(note: &Note, series: &Series<'_>, clock: &Clock) -> Option<When> {
    let dates = times(note, "RepeatInstanceDates");
    match dates[..] {
        [only] if participant::is_series(note) && !series.repeats() => clock.start(only),
        _ => None,
    }
}

/// Writes the component of a notice: `VEVENT`, or `VTODO` for tasks.
pub fn write(
    writer: &mut Writer,
    facts: &Facts<'_>,
    note: &Note,
    method: Method,
    component: &str,
    series: Option<&Series<'_>>,
    clock: &Clock,
) {
    let mut told = Losses::default();
    writer.begin(component);
    event::write_identity(writer, facts, note);
    if let Some(series) = series.filter(|_| method != Method::Refresh) {
        if let Some(date) = only_date(note, series, clock) {
            event::write_when(writer, "RECURRENCE-ID", date, &series.zone);
        }
        event::write_when(writer, "DTSTART", series.start, &series.zone);
        let end = if component == "VTODO" { "DUE" } else { "DTEND" };
        if let Some(date) = series.end {
            event::write_when(writer, end, date, &series.zone);
        }
        if !method.is_of_invitee() {
            series.write_repeats(writer);
        }
    }
    writer.text("SUMMARY", &event::summary(note).replace('\n', " "));
    writer.text("LOCATION", &event::location(note).replace('\n', " "));
    match method {
        Method::Cancel => writer.line("STATUS", "CANCELLED"),
        Method::Request if component == "VEVENT" => writer.line("STATUS", "CONFIRMED"),
        _ => {}
    }
    write_people(writer, facts.directory, note, method, component == "VTODO", &mut told);
    writer.end(component);
}

fn write_people(
    writer: &mut Writer,
    directory: &Directory,
    note: &Note,
    method: Method,
    is_task: bool,
    told: &mut Losses,
) {
    if let Some(organizer) = participant::organizer(directory, note, !method.is_of_invitee(), told) {
        participant::write_organizer(writer, &organizer, "");
    }
    if method.is_of_invitee() {
        let Some(author) = participant::author(directory, note, told) else { return };
        let mut name = "ATTENDEE".to_owned();
        if method == Method::Reply {
            append!(name, ";PARTSTAT={}", answer_of(notice_type(note)).unwrap_or("NEEDS-ACTION"));
        }
        if let Some(delegee) =
            participant::one(directory, note, "Delegee").filter(|_| notice_type(note) == Some('D'))
        {
            append!(name, ";DELEGATED-TO=\"{}\"", mailto(&delegee.address));
        }
        return writer.line(&name, &mailto(&author.address));
    }
    let mut invited = participant::participants(directory, note, is_task, told);
    if invited.is_empty() {
        invited = participant::recipients(directory, note, told);
    }
    let wants_answer = method == Method::Request && !note.flag("Broadcast") && !note.flag("$PreventReplies");
    let delegator = participant::one(directory, note, "Delegator").filter(|_| notice_type(note) == Some('L'));
    let scheduling = delegator
        .map(|delegator| format!(";DELEGATED-FROM=\"{}\"", mailto(&delegator.address)))
        .unwrap_or_default();
    for someone in &invited {
        participant::write_attendee(writer, someone, "NEEDS-ACTION", wants_answer, &scheduling);
    }
}
