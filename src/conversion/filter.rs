//! Whether a document is one of those that a person asked for.

use crate::conversion::date;
use crate::conversion::kind::{self, EntryKind, Kind, MailForm};
use crate::conversion::state::State;
use crate::model::filter::{Filter, ItemKind, LeftOut};
use crate::notes::document::Note;
use crate::notes::timedate::{Moment, Timedate};

/// The items that say when a calendar entry or task takes place.
const TIMES: [&str; 7] = [
    "StartDateTime",
    "EndDateTime",
    "CalendarDateTime",
    "StartDate",
    "RepeatDates",
    "RepeatInstanceDates",
    "DueDateTime",
];

/// Why a document is left out; `None` for one that is carried.
///
/// Mail and journal pages count by the date under which mail programs sort them. Calendar entries and tasks count by
/// the time from their first date to their last, so a series that still runs is carried whole; a task that is not done
/// is never too old. Contacts have no date.
pub fn left_out(note: &Note, related: &[Note], filter: &Filter, now_unix_ms: i64) -> Option<LeftOut> {
    let kind = kind::kind(note);
    let item_kind = item_kind(note, kind);
    if !filter.only.is_empty() && !item_kind.is_some_and(|kind| filter.only.contains(&kind)) {
        return Some(LeftOut::Kind);
    }
    let (first, last) = span(note, related, kind, item_kind?, now_unix_ms)?;
    if filter.since_unix_ms.is_some_and(|since| last < since) {
        return Some(LeftOut::TooOld);
    }
    filter.before_unix_ms.is_some_and(|before| first >= before).then_some(LeftOut::TooNew)
}

fn item_kind(note: &Note, kind: Kind) -> Option<ItemKind> {
    match (kind, kind::form(note).to_ascii_lowercase().as_str()) {
        (_, "person" | "group") => Some(ItemKind::Contacts),
        (_, "journalentry") => Some(ItemKind::Journal),
        (Kind::Entry(EntryKind::Task), _) => Some(ItemKind::Tasks),
        (Kind::Entry(_), _) => Some(ItemKind::Calendar),
        (Kind::Mail(_), _) if note.flag("IsMailStationery") => Some(ItemKind::Stationery),
        (Kind::Mail(_), _) => Some(ItemKind::Mail),
        _ => None,
    }
}

/// The first and the last moment of an item; `None` where it has no time.
fn span(note: &Note, related: &[Note], kind: Kind, item: ItemKind, now_unix_ms: i64) -> Option<(i64, i64)> {
    match item {
        ItemKind::Contacts => None,
        ItemKind::Mail | ItemKind::Journal | ItemKind::Stationery => {
            let state = State::of(note, kind == Kind::Mail(MailForm::Written));
            let diary = note.time("DiaryDate").and_then(moment);
            let date = diary.or_else(|| date::of_message(note, state, now_unix_ms))?;
            Some((date, date))
        }
        ItemKind::Calendar | ItemKind::Tasks => {
            let documents = std::iter::once(note)
                .chain(related.iter().filter(|other| matches!(kind::kind(other), Kind::Entry(_))));
            let times: Vec<i64> = documents.flat_map(times).collect();
            let last = match item == ItemKind::Tasks && !is_done(note) {
                true => i64::MAX,
                false => *times.iter().max()?,
            };
            Some((*times.iter().min()?, last))
        }
    }
}

fn times(note: &Note) -> Vec<i64> {
    let all = TIMES.iter().flat_map(|name| {
        let times = note.times(name);
        times.singles.into_iter().chain(times.pairs.into_iter().flatten())
    });
    all.filter_map(moment).collect()
}

/// A moment in milliseconds since 1970-01-01 00:00 UTC; of a day its beginning.
fn moment(time: Timedate) -> Option<i64> {
    match time.moment().ok()? {
        Moment::Instant { unix_ms, .. } => Some(unix_ms),
        Moment::Day { unix_day } => Some(unix_day * 86_400_000),
        Moment::TimeOfDay { .. } | Moment::Empty => None,
    }
}

fn is_done(note: &Note) -> bool {
    note.has("CompletedDateTime") || note.text("DueState").trim() == "9"
}
