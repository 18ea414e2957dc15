//! Dates of a message: the `Date` header and INTERNALDATE, with what stands in for a missing one.

use crate::conversion::losses::Losses;
use crate::conversion::state::State;
use crate::model::loss::LossKind;
use crate::notes::document::Note;
use crate::notes::item::ItemType;
use crate::notes::timedate::{Moment, Timedate};
use crate::notes::value::Value;
use jiff::Timestamp;
use jiff::tz::Offset;

const DAY_MS: i64 = 86_400_000;
/// 1980-01-01 00:00 UTC: no mail is older.
const EARLIEST_MS: i64 = 315_532_800_000;
/// 1989-01-01 00:00 UTC: no Notes document is older.
const EARLIEST_UNID_MS: i64 = 599_616_000_000;

/// An instant with the zone in which it is told, in minutes east of Greenwich.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Zoned {
    pub unix_ms: i64,
    pub zone_minutes: i32,
}

/// The dates of a message.
#[derive(Clone, Copy, Debug)]
pub struct Dates {
    pub header: Zoned,
    pub internal_ms: i64,
}

/// Where a date comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Origin {
    Item(&'static str),
    Unid,
    Modified,
}

const POSTED: Origin = Origin::Item("PostedDate");
const DELIVERED: Origin = Origin::Item("DeliveredDate");
const CREATED: Origin = Origin::Item("$Created");

/// The dates of a document. `now_unix_ms` only tells which dates lie in the future.
pub fn dates(note: &Note, state: State, now_unix_ms: i64, losses: &mut Losses) -> Dates {
    let mut header = POSTED;
    let chain = [POSTED, DELIVERED, Origin::Item("ComposedDate"), CREATED, Origin::Unid, Origin::Modified];
    let found = chain.into_iter().find_map(|origin| {
        header = origin;
        find(note, origin, now_unix_ms, Some(losses))
    });
    if header != POSTED || found.is_none() {
        losses.add(LossKind::DateSubstituted, told(header, found.is_some()));
    }
    let header = found.unwrap_or(Zoned { unix_ms: 0, zone_minutes: 0 });
    Dates { header, internal_ms: of_message(note, state, now_unix_ms).unwrap_or(header.unix_ms) }
}

/// The date by which a mail program sorts a document, in milliseconds since 1970-01-01 00:00 UTC.
pub fn of_message(note: &Note, state: State, now_unix_ms: i64) -> Option<i64> {
    let first = match state {
        State::Received => DELIVERED,
        State::Sent => POSTED,
        State::Draft | State::Template => Origin::Modified,
    };
    let chain = [first, DELIVERED, POSTED, CREATED, Origin::Unid, Origin::Modified];
    let found = chain.into_iter().find_map(|origin| find(note, origin, now_unix_ms, None));
    found.map(|date| date.unix_ms)
}

/// When a document was made, in milliseconds since 1970-01-01 00:00 UTC.
pub fn created_ms(note: &Note, now_unix_ms: i64) -> Option<i64> {
    let found = [CREATED, Origin::Unid].into_iter().find_map(|origin| find(note, origin, now_unix_ms, None));
    found.map(|date| date.unix_ms)
}

fn told(origin: Origin, found: bool) -> &'static str {
    match origin {
        _ if !found => "no date at all",
        Origin::Item(name) => name,
        Origin::Unid => "the creation time in the UNID",
        Origin::Modified => "the time of the last change",
    }
}

/// A date, if it is there and plausible.
fn find(note: &Note, origin: Origin, now_unix_ms: i64, losses: Option<&mut Losses>) -> Option<Zoned> {
    let (name, found) = match origin {
        Origin::Item(name) => (name, item_date(note, name)),
        Origin::Unid => ("UNID", moment(unid_time(note))),
        Origin::Modified => ("last change", moment(note.modified)),
    };
    let earliest = if origin == Origin::Unid { EARLIEST_UNID_MS } else { EARLIEST_MS };
    let kind = match found {
        Ok(Some(date)) if (earliest..=now_unix_ms + DAY_MS).contains(&date.unix_ms) => return Some(date),
        Ok(None) => return None,
        Ok(Some(_)) => LossKind::DateImplausible,
        Err(Invalid) => LossKind::DateInvalid,
    };
    // Mail that came over the Internet has no time in its UNID; that is no damage.
    if let Some(losses) = losses.filter(|_| origin != Origin::Unid) {
        losses.add(kind, name);
    }
    None
}

struct Invalid;

fn item_date(note: &Note, name: &str) -> Result<Option<Zoned>, Invalid> {
    let Some(item) = note.first(name) else { return Ok(None) };
    if item.item_type == ItemType::RFC822_TEXT {
        return Ok(match item.value() {
            Ok(Value::Rfc822(header)) => header_date(header.body)
                .or_else(|| header.time().and_then(|time| moment(time).ok().flatten())),
            _ => None,
        });
    }
    note.time(name).map_or(Ok(None), moment)
}

/// The date of an Internet header, with the zone of its author.
pub fn header_date(body: &[u8]) -> Option<Zoned> {
    let text = String::from_utf8_lossy(body);
    let date = mail_parser::DateTime::parse_rfc822(text.trim()).filter(|date| date.is_valid())?;
    let zone = i32::from(date.tz_hour) * 60 + i32::from(date.tz_minute);
    let zone_minutes = if date.tz_before_gmt { -zone } else { zone };
    Some(Zoned { unix_ms: date.to_timestamp() * 1000, zone_minutes })
}

fn moment(time: Timedate) -> Result<Option<Zoned>, Invalid> {
    match time.moment() {
        Ok(Moment::Instant { unix_ms, zone_minutes }) => Ok(Some(Zoned { unix_ms, zone_minutes })),
        Ok(Moment::Day { unix_day }) => Ok(Some(Zoned { unix_ms: unix_day * DAY_MS, zone_minutes: 0 })),
        Ok(Moment::Empty) => Ok(None),
        Ok(Moment::TimeOfDay { .. }) | Err(_) => Err(Invalid),
    }
}

/// The second half of a UNID is normally the time of creation.
fn unid_time(note: &Note) -> Timedate {
    let [.., a, b, c, d, e, f, g, h] = note.unid.0;
    Timedate([u32::from_be_bytes([e, f, g, h]), u32::from_be_bytes([a, b, c, d])])
}

/// A date as RFC 5322 section 3.3 writes it.
pub fn rfc5322(unix_ms: i64, zone_minutes: i32) -> String {
    let offset = Offset::from_seconds(zone_minutes * 60).unwrap_or(Offset::UTC);
    match Timestamp::from_millisecond(unix_ms) {
        Ok(time) => time.to_zoned(offset.to_time_zone()).strftime("%a, %d %b %Y %H:%M:%S %z").to_string(),
        // Cannot be: the calendar of Notes ends in the year 2200.
        Err(_) => "Thu, 01 Jan 1970 00:00:00 +0000".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_day_has_two_digits_and_the_zone_is_the_authors() {
        assert_eq!(rfc5322(1_407_518_313_000, -240), "Fri, 08 Aug 2014 13:18:33 -0400");
        assert_eq!(rfc5322(0, 330), "Thu, 01 Jan 1970 05:30:00 +0530");
    }

    #[test]
    fn a_header_date_keeps_its_zone() {
        let date = header_date(b"Fri, 8 Aug 2014 13:18:33 -0400 (EDT)\r\n").unwrap();
        assert_eq!((date.unix_ms, date.zone_minutes), (1_407_518_313_000, -240));
        assert_eq!(header_date(b"yesterday"), None);
    }
}
