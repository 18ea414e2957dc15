//! When an entry takes place: the time lists of its document, read with its zone.

use crate::conversion::calendar::zone::{Zone, day_stamp, utc_stamp};
use crate::conversion::losses::Losses;
use crate::model::loss::LossKind;
use crate::notes::document::Note;
use crate::notes::timedate::{Moment, Timedate};
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, Timestamp, ToSpan};

const DAY: SignedDuration = SignedDuration::from_hours(24);

/// A day in no zone, or an instant. In one entry all times are of one sort.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum When {
    Day(Date),
    At(Timestamp),
}

impl When {
    /// On the clock of the zone; a day is its midnight.
    pub fn local(self, zone: &Zone) -> DateTime {
        match self {
            Self::Day(day) => day.at(0, 0, 0, 0),
            Self::At(instant) => zone.local(instant),
        }
    }

    /// Moved on the clock of the zone.
    pub fn moved(self, by: SignedDuration, zone: &Zone) -> Self {
        let local = self.local(zone).saturating_add(by);
        match self {
            Self::Day(_) => Self::Day(local.date()),
            Self::At(instant) => Self::At(zone.instant(local).unwrap_or(instant)),
        }
    }

    /// Later by a length of time.
    pub fn after(self, length: SignedDuration) -> Self {
        match self {
            Self::Day(day) => Self::Day(day.saturating_add(length)),
            Self::At(instant) => Self::At(instant.saturating_add(length).unwrap_or(instant)),
        }
    }

    /// The time from an earlier one.
    pub fn since(self, earlier: Self) -> SignedDuration {
        match (self, earlier) {
            (Self::At(one), Self::At(other)) => one.duration_since(other),
            (one, other) => one.local(&Zone::utc()).duration_since(other.local(&Zone::utc())),
        }
    }

    /// For the definition of zones: some instant near it.
    pub fn instant(self) -> Timestamp {
        match self {
            Self::At(instant) => instant,
            Self::Day(day) => TimeZone::UTC.to_timestamp(day.at(0, 0, 0, 0)).unwrap_or_default(),
        }
    }

    /// Parameters and value of a property.
    pub fn property(self, zone: &Zone) -> (String, String) {
        match self {
            Self::Day(_) => (";VALUE=DATE".to_owned(), self.stamp(zone)),
            Self::At(_) => (zone.parameter(), self.stamp(zone)),
        }
    }

    pub fn stamp(self, zone: &Zone) -> String {
        match self {
            Self::Day(day) => day_stamp(day),
            Self::At(instant) => zone.stamp(instant),
        }
    }

    /// The form that UNTIL has: UTC, also where the start has a zone (RFC 5545 section 3.3.10).
    pub fn until(self) -> String {
        match self {
            Self::Day(day) => day_stamp(day),
            Self::At(instant) => utc_stamp(instant),
        }
    }
}

/// One occurrence: which one it is, and when it takes place now. The end is exclusive; none where it ends as it starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Occurrence {
    pub id: When,
    pub start: When,
    pub end: Option<When>,
}

/// How the times of a document are read.
#[derive(Clone, Debug)]
pub struct Clock {
    /// None if the document does not tell.
    pub zone: Option<Zone>,
    pub all_day: bool,
    /// An end is expected.
    pub has_end: bool,
}

impl Clock {
    /// `days` for the kinds that are told in days.
    pub fn of(note: &Note, days: bool, has_end: bool) -> Self {
        let items = ["StartDateTime", "CalendarDateTime", "RepeatDates", "DueDateTime", "StartDate"];
        let first = items.into_iter().find_map(|name| Some((name, note.time(name)?.moment().ok()?)));
        let at = match first {
            Some((_, Moment::Instant { unix_ms, .. })) => {
                Timestamp::from_millisecond(unix_ms).unwrap_or_default()
            }
            _ => Timestamp::default(),
        };
        let zone = Zone::resolve(&note.text("StartTimeZone"), at);
        // Beside a `StartDate` there may be a time of day.
        let day = matches!(first, Some((name, Moment::Day { .. })) if name != "StartDate" || !note.has("StartTime"));
        let all_day = days || day;
        Self { zone, all_day, has_end }
    }

    /// Times without a known zone are told in UTC.
    pub fn zone(&self) -> Zone {
        self.zone.clone().unwrap_or_else(Zone::utc)
    }

    pub fn start(&self, time: Timedate) -> Option<When> {
        self.read(time, SignedDuration::from_hours(8)).map(|(when, _)| when)
    }

    /// An end; of a day, the day after it.
    fn end(&self, time: Timedate) -> Option<When> {
        let (when, midnight) = self.read(time, SignedDuration::from_hours(-8))?;
        Some(match when {
            // Programs other than Notes end a day where the next begins.
            When::Day(day) if !midnight => When::Day(day.saturating_add(1.day())),
            other => other,
        })
    }

    /// A stored time, and whether it is midnight on the clock of the zone. Notes stores whole days as 04:00 to 20:00 of
    /// the local day, so the middle of it is on the same day nearly everywhere: that is what `to_middle` is for where
    /// no zone is known.
    fn read(&self, time: Timedate, to_middle: SignedDuration) -> Option<(When, bool)> {
        match time.moment().ok()? {
            Moment::Instant { unix_ms, zone_minutes } => {
                let instant = Timestamp::from_millisecond(unix_ms).ok()?;
                if !self.all_day {
                    return Some((When::At(instant), false));
                }
                let local = match &self.zone {
                    Some(zone) => zone.local(instant),
                    None if zone_minutes != 0 => {
                        Offset::from_seconds(zone_minutes * 60).ok()?.to_datetime(instant)
                    }
                    None => Offset::UTC.to_datetime(instant.saturating_add(to_middle).ok()?),
                };
                Some((When::Day(local.date()), local.time() == Time::midnight()))
            }
            Moment::Day { unix_day } => {
                let day = Date::constant(1970, 1, 1).checked_add(unix_day.days()).ok()?;
                let midnight = day.at(0, 0, 0, 0);
                let when =
                    if self.all_day { When::Day(day) } else { When::At(self.zone().instant(midnight)?) };
                Some((when, false))
            }
            Moment::TimeOfDay { .. } | Moment::Empty => None,
        }
    }

    /// A proposed time: in one item, else its day and its time of day in two.
    pub fn proposed(&self, note: &Note, [whole, date, time]: [&str; 3]) -> Option<When> {
        let whole = note.time(whole).and_then(|time| self.start(time));
        whole.or_else(|| split_time(note, date, time, self))
    }

    /// The occurrences that a document holds.
    pub fn occurrences(&self, note: &Note, losses: &mut Losses) -> Vec<Occurrence> {
        let starts = starts(note, losses);
        let ends = times(note, "EndDateTime");
        let ids = times(note, "RepeatInstanceDates");
        let mut parallel = |name: &str, list: &[Timedate]| {
            let differs = !list.is_empty() && list.len() != starts.len();
            if differs && !starts.is_empty() {
                losses.add(LossKind::ListsDiffer, name);
            }
            !differs
        };
        let (with_ends, with_ids) = (parallel("EndDateTime", &ends), parallel("RepeatInstanceDates", &ids));
        let single_end = ends.is_empty().then(|| split_time(note, "EndDate", "EndTime", self)).flatten();
        let single_end = single_end.map(|end| if self.all_day { end.after(DAY) } else { end });
        let mut occurrences = Vec::with_capacity(starts.len());
        for (at, stored) in starts.iter().enumerate() {
            let Some(start) = self.start(*stored) else {
                losses.add(LossKind::DateInvalid, "StartDateTime");
                continue;
            };
            let id = ids.get(at).filter(|_| with_ids).and_then(|id| self.start(*id)).unwrap_or(start);
            let end =
                ends.get(at).filter(|_| with_ends || at == 0).and_then(|end| self.end(*end)).or(single_end);
            occurrences.push(Occurrence { id, start, end: self.checked_end(start, end, losses) });
        }
        if occurrences.is_empty()
            && let Some(start) = split_time(note, "StartDate", "StartTime", self)
        {
            let end = self.checked_end(start, single_end, losses);
            occurrences.push(Occurrence { id: start, start, end });
        }
        occurrences
    }

    /// An end that can be written. One that equals the start goes without saying (RFC 5545 section 3.6.1).
    pub fn checked_end(&self, start: When, end: Option<When>, losses: &mut Losses) -> Option<When> {
        if !self.has_end {
            return None;
        }
        if end.is_none_or(|end| end < start) {
            losses.add(LossKind::EndInvalid, "");
            return None;
        }
        end.filter(|end| *end > start)
    }

    /// The occurrences of a parent that has no documents for them.
    pub fn parent_occurrences(&self, note: &Note, losses: &mut Losses) -> Vec<Occurrence> {
        let ends = times(note, "RepeatEndDates");
        let own = self.occurrences(note, &mut Losses::default());
        let length = own.first().and_then(|first| Some(first.end?.since(first.start)));
        let dates = times(note, "RepeatDates");
        let mut occurrences = Vec::with_capacity(dates.len());
        for (at, start) in dates.iter().enumerate() {
            let Some(start) = self.start(*start) else {
                losses.add(LossKind::DateInvalid, "RepeatDates");
                continue;
            };
            let end = ends.get(at).filter(|_| ends.len() == dates.len()).and_then(|end| self.end(*end));
            let end = end.or_else(|| length.map(|length| start.after(length)));
            let end = end.filter(|end| *end > start && self.has_end);
            occurrences.push(Occurrence { id: start, start, end });
        }
        occurrences
    }
}

/// The times of an item; of a pair, its first half.
pub fn times(note: &Note, name: &str) -> Vec<Timedate> {
    let times = note.times(name);
    times.singles.into_iter().chain(times.pairs.into_iter().map(|pair| pair[0])).collect()
}

fn starts(note: &Note, losses: &mut Losses) -> Vec<Timedate> {
    let items = ["StartDateTime", "CalendarDateTime", "DueDateTime"];
    let found = items.into_iter().map(|item| (item, times(note, item))).find(|(_, times)| !times.is_empty());
    let Some((item, starts)) = found else { return Vec::new() };
    if item == "CalendarDateTime" {
        losses.add(LossKind::DateSubstituted, item);
    }
    starts
}

/// A date and a time of day in two items, which is all that old documents have.
fn split_time(note: &Note, date: &str, time: &str, clock: &Clock) -> Option<When> {
    let date = note.time(date)?;
    let zone = clock.zone();
    let day = match date.moment().ok()? {
        Moment::Day { unix_day } => Date::constant(1970, 1, 1).checked_add(unix_day.days()).ok()?,
        Moment::Instant { unix_ms, .. } => zone.local(Timestamp::from_millisecond(unix_ms).ok()?).date(),
        Moment::TimeOfDay { .. } | Moment::Empty => return None,
    };
    if clock.all_day {
        return Some(When::Day(day));
    }
    let of_day = match note.time(time)?.moment().ok()? {
        Moment::TimeOfDay { hundredths } => {
            Time::midnight().saturating_add(SignedDuration::from_millis(i64::from(hundredths) * 10))
        }
        Moment::Instant { unix_ms, .. } => zone.local(Timestamp::from_millisecond(unix_ms).ok()?).time(),
        Moment::Day { .. } | Moment::Empty => return None,
    };
    zone.instant(day.to_datetime(of_day)).map(When::At)
}

/// Whether a length of time is a number of days.
pub fn is_days(length: SignedDuration) -> bool {
    length.as_secs() % DAY.as_secs() == 0
}
