//! A series of entries: from the documents that Notes makes of it to one rule or list of dates with its exceptions.
//!
//! The parent holds the rule and all dates as they were made; instance documents hold the occurrences, most of them in
//! one document, changed ones in documents of their own. One document leads the series and becomes the entry; the others
//! are part of it.

use crate::base::limits::SERIES_OVERRIDES;
use crate::conversion::calendar::event;
use crate::conversion::calendar::rule::Rule;
use crate::conversion::calendar::times::{Clock, Occurrence, When, is_days, times};
use crate::conversion::calendar::zone::Zone;
use crate::conversion::content_line::Writer;
use crate::conversion::losses::Losses;
use crate::model::loss::LossKind;
use crate::notes::document::Note;
use jiff::SignedDuration;
use jiff::civil::Date;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// The items whose difference makes an occurrence an exception.
const CONTENT: [&str; 16] = [
    "Subject",
    "Location",
    "Room",
    "Body",
    "Categories",
    "OrgConfidential",
    "$BusyPriority",
    "BookFreeTime",
    "RequiredAttendees",
    "OptionalAttendees",
    "FYIAttendees",
    "$Alarm",
    "$AlarmOffset",
    "$AlarmUnit",
    "DueState",
    "CompletedDateTime",
];

/// A series, or a single entry, which is a series of one.
pub struct Series<'a> {
    pub zone: Zone,
    pub start: When,
    pub end: Option<When>,
    /// The value of the RRULE.
    pub rule: Option<String>,
    /// Further dates.
    pub dates: Vec<When>,
    /// Dates of rule or list on which nothing takes place.
    pub excluded: Vec<When>,
    /// The document that tells what the entry is about.
    pub master: &'a Note,
    pub overrides: Vec<(Occurrence, &'a Note)>,
}

/// Whether a document holds the dates of a series and no occurrences of its own.
pub fn is_parent(note: &Note) -> bool {
    // The loser of a conflict answers the winner, whatever it is.
    let is_instance = note.has("$REF") && !note.has("$Conflict");
    let own = note.has("RepeatInstanceDates") || is_instance || times(note, "StartDateTime").len() > 1;
    note.has("RepeatDates") && !own
}

/// The document that leads a series: of the instance documents the one with most occurrences, without any the parent.
pub fn leader<'a>(documents: impl Iterator<Item = &'a Note>) -> Option<&'a Note> {
    let rank = |note: &Note| {
        let count = if is_parent(note) { 0 } else { 1 + times(note, "StartDateTime").len() };
        (count, std::cmp::Reverse(note.unid))
    };
    documents.max_by_key(|note| rank(note))
}

impl<'a> Series<'a> {
    /// The series of the documents of one entry; none where nothing tells when it is. `documents` begin with the
    /// leader.
    pub fn of(documents: &[&'a Note], clock: &Clock, losses: &mut Losses) -> Option<Self> {
        let leader = *documents.first()?;
        let parent = documents.iter().copied().find(|note| is_parent(note));
        let mut found = gather(documents, clock, losses);
        if found.is_empty() {
            let parent = parent?;
            let occurrences = clock.parent_occurrences(parent, losses);
            if occurrences.len() > 1 {
                losses.add(LossKind::InstancesMissing, "");
            }
            found = occurrences.into_iter().map(|occurrence| (occurrence.id, (occurrence, parent))).collect();
            if found.is_empty() {
                found = own_occurrences(parent, clock, losses);
            }
        }
        // Without a parent there are only the dates of which the owner was told.
        let mut originals = parent.map(|parent| originals(parent, clock)).unwrap_or_default();
        if originals.is_empty() {
            originals = found.keys().copied().collect();
        }
        if originals.len() > 1 && clock.zone.is_none() && !clock.all_day {
            losses.add(LossKind::ZoneUnknown, "");
        }
        let zone = steady_zone(&originals, clock, leader);
        if let ([_], Some((occurrence, note))) = (originals.as_slice(), found.values().next())
            && found.len() == 1
        {
            let Occurrence { start, end, .. } = *occurrence;
            return Some(Self::single(zone, start, end, note));
        }
        let shift = common_shift(&found, &zone);
        let moved = |when: When| when.moved(shift, &zone);
        let originals: Vec<When> = originals.into_iter().map(moved).collect();
        let found = found.into_values().map(|(occurrence, note)| {
            let id = moved(occurrence.id);
            (id, (Occurrence { id, ..occurrence }, note))
        });
        let found = found.collect();
        Self::assemble(leader, parent, zone, originals, found, losses)
    }

    fn single(zone: Zone, start: When, end: Option<When>, master: &'a Note) -> Self {
        Self {
            zone,
            start,
            end,
            rule: None,
            dates: Vec::new(),
            excluded: Vec::new(),
            master,
            overrides: Vec::new(),
        }
    }

    fn assemble(
        leader: &'a Note,
        parent: Option<&'a Note>,
        zone: Zone,
        originals: Vec<When>,
        found: BTreeMap<When, (Occurrence, &'a Note)>,
        losses: &mut Losses,
    ) -> Option<Self> {
        let start = *originals.first()?;
        let length = common_length(&found);
        let end = length.map(|length| start.after(length));
        let mut series = Self::single(zone, start, end, leader);
        let teller = parent.or(Some(leader).filter(|leader| !leader.has("$REF")));
        series.rule = teller.and_then(|note| rule(note, &originals, &series.zone));
        let planned: BTreeSet<When> = originals.iter().copied().collect();
        if series.rule.is_none() {
            series.dates.extend(planned.iter().copied().filter(|date| *date != start));
        }
        series.dates.extend(found.keys().copied().filter(|date| !planned.contains(date)));
        series.excluded.extend(planned.iter().copied().filter(|date| !found.contains_key(date)));
        let own = content(leader);
        let mut same = HashMap::new();
        for (id, (occurrence, note)) in found {
            let regular = occurrence.start == id && occurrence.end == length.map(|length| id.after(length));
            let same =
                *same.entry(note.unid).or_insert_with(|| note.unid == leader.unid || content(note) == own);
            if regular && same {
                continue;
            }
            if series.overrides.len() < SERIES_OVERRIDES {
                series.overrides.push((occurrence, note));
                continue;
            }
            // The rest keep their times and nothing else.
            losses.add(LossKind::SeriesSplit, "what only some of its very many changed occurrences said");
            series.excluded.push(id);
            series.dates.push(occurrence.start);
        }
        Some(series)
    }

    pub fn repeats(&self) -> bool {
        self.rule.is_some() || !self.dates.is_empty() || !self.excluded.is_empty()
    }

    /// Writes the properties of a series; none of a single entry.
    pub fn write_repeats(&self, writer: &mut Writer) {
        if let Some(rule) = &self.rule {
            writer.line("RRULE", rule);
        }
        event::write_dates(writer, "RDATE", &self.dates, &self.zone);
        event::write_dates(writer, "EXDATE", &self.excluded, &self.zone);
    }

    /// The first and the last time that the entry names.
    pub fn bounds(&self) -> (When, When) {
        let ends = self.overrides.iter().flat_map(|(occurrence, _)| [Some(occurrence.start), occurrence.end]);
        let times = self.dates.iter().chain(&self.excluded).copied().map(Some).chain(ends);
        let all = times.chain([self.end]).flatten();
        all.fold((self.start, self.start), |(first, last), time| (first.min(time), last.max(time)))
    }
}

/// Every occurrence by its identity; where two documents claim one, the later changed holds it.
fn gather<'a>(
    documents: &[&'a Note],
    clock: &Clock,
    losses: &mut Losses,
) -> BTreeMap<When, (Occurrence, &'a Note)> {
    let mut found: BTreeMap<When, (Occurrence, &Note)> = BTreeMap::new();
    for &note in documents.iter().filter(|note| !is_parent(note)) {
        for occurrence in clock.occurrences(note, losses) {
            let newer = found
                .get(&occurrence.id)
                .is_none_or(|(_, other)| note.modified.order() > other.modified.order());
            if newer {
                found.insert(occurrence.id, (occurrence, note));
            }
        }
    }
    found
}

fn own_occurrences<'a>(
    note: &'a Note,
    clock: &Clock,
    losses: &mut Losses,
) -> BTreeMap<When, (Occurrence, &'a Note)> {
    let own = clock.occurrences(note, losses);
    own.into_iter().map(|occurrence| (occurrence.id, (occurrence, note))).collect()
}

/// The dates as they were planned, ascending and each once.
fn originals(parent: &Note, clock: &Clock) -> Vec<When> {
    let dates = times(parent, "RepeatDates").into_iter();
    let planned: BTreeSet<When> = dates.filter_map(|date| clock.start(date)).collect();
    planned.into_iter().collect()
}

/// The zone in which the series keeps the time of day. Old rules of daylight saving stay in documents for years after
/// they changed, so where the zone does not give one time, the stored rules are tried, and then there is only UTC.
fn steady_zone(originals: &[When], clock: &Clock, note: &Note) -> Zone {
    let steady = |zone: &Zone| {
        let mut times = originals.iter().map(|when| when.local(zone).time());
        times.next().is_none_or(|first| times.all(|time| time == first))
    };
    let zone = clock.zone();
    if steady(&zone) {
        return zone;
    }
    Zone::as_stored(&note.text("StartTimeZone")).filter(steady).unwrap_or_else(Zone::utc)
}

/// How far most occurrences were moved together: then that is when the series takes place.
fn common_shift(found: &BTreeMap<When, (Occurrence, &Note)>, zone: &Zone) -> SignedDuration {
    let shifts = found
        .values()
        .map(|(occurrence, _)| occurrence.start.local(zone).duration_since(occurrence.id.local(zone)));
    match commonest(shifts) {
        Some((shift, count)) if count * 2 > found.len() => shift,
        _ => SignedDuration::ZERO,
    }
}

fn common_length(found: &BTreeMap<When, (Occurrence, &Note)>) -> Option<SignedDuration> {
    let lengths = found.values().filter_map(|(occurrence, _)| Some(occurrence.end?.since(occurrence.start)));
    commonest(lengths).map(|(length, _)| length)
}

/// The value that occurs most often, of equals the smallest; and how often.
fn commonest(values: impl Iterator<Item = SignedDuration>) -> Option<(SignedDuration, usize)> {
    let mut counts: BTreeMap<SignedDuration, usize> = BTreeMap::new();
    values.for_each(|value| *counts.entry(value).or_default() += 1);
    counts.into_iter().rev().max_by_key(|(_, count)| *count)
}

/// The rule that gives exactly these dates, all at one time of day.
fn rule(note: &Note, originals: &[When], zone: &Zone) -> Option<String> {
    let (first, last) = (originals.first()?, originals.last()?);
    let local: Vec<_> = originals.iter().map(|when| when.local(zone)).collect();
    let steady = local.windows(2).all(|pair| is_days(pair[1].duration_since(pair[0])));
    if originals.len() < 2 || !steady {
        return None;
    }
    let dates: Vec<Date> = local.iter().map(|local| local.date()).collect();
    Some(Rule::verified(note, &dates)?.text(&last.until())).filter(|_| first < last)
}

/// What a document says beside its times, as it is stored.
fn content(note: &Note) -> Vec<(usize, &[u8])> {
    let position = |name: &str| CONTENT.iter().position(|known| known.eq_ignore_ascii_case(name));
    let mut content: Vec<(usize, &[u8])> =
        note.items.iter().filter_map(|item| Some((position(&item.name)?, &item.value[..]))).collect();
    content.sort_by_key(|(position, _)| *position);
    content
}
