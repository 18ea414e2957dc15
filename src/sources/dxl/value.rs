//! Numbers and times as DXL writes them, in the form in which Notes stores them.

use crate::notes::timedate::Timedate;
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;

/// Bit 31 of the second word: the zone observes daylight saving.
const DAYLIGHT_SAVING: u32 = 1 << 31;

/// The stored form of `20140808T131841,49-04`, of a date or of a time alone; nothing is the empty value. The offset of
/// a time with `daylight_saving` is an hour east of the zone that Notes stores beside it. A time without a zone is
/// taken as UTC. `None` where the text is no time.
///
/// # Source
/// Domino DTD, element `datetime`; seen in public DXL exports.
pub fn timedate(text: &str, daylight_saving: bool) -> Option<Timedate> {
    let text = text.trim();
    if text.is_empty() {
        return Some(Timedate::default());
    }
    let (date, clock) = text.split_once('T').map_or((text, None), |(date, clock)| (date, Some(clock)));
    let date = if date.is_empty() { None } else { Some(civil_date(date)?) };
    let clock = match clock {
        Some(clock) => Some(zoned_clock(clock)?),
        None => None,
    };
    match (date, clock) {
        (Some(date), None) => {
            Some(Timedate::from_unix_day(unix_ms(date, Time::midnight())?.div_euclid(86_400_000)))
        }
        (None, Some((_, hundredths, _))) => Some(Timedate([hundredths, u32::MAX])),
        (Some(date), Some((clock, hundredths, offset_minutes))) => {
            let local_ms = unix_ms(date, clock)? + i64::from(hundredths % 100) * 10;
            let zone_minutes = if daylight_saving { offset_minutes - 60 } else { offset_minutes };
            let Timedate([first, second]) =
                Timedate::from_unix_ms(local_ms - i64::from(offset_minutes) * 60_000, zone_minutes);
            Some(Timedate([first, if daylight_saving { second | DAYLIGHT_SAVING } else { second }]))
        }
        (None, None) => None,
    }
}

fn unix_ms(date: Date, time: Time) -> Option<i64> {
    let zoned = date.to_datetime(time).to_zoned(TimeZone::UTC).ok()?;
    Some(zoned.timestamp().as_millisecond())
}

fn digits<T: std::str::FromStr>(text: &str, from: usize, to: usize) -> Option<T> {
    let digits = text.get(from..to)?;
    digits.parse().ok().filter(|_| digits.bytes().all(|byte| byte.is_ascii_digit()))
}

fn civil_date(text: &str) -> Option<Date> {
    let date = Date::new(digits(text, 0, 4)?, digits(text, 4, 6)?, digits(text, 6, 8)?).ok()?;
    (text.len() == 8).then_some(date)
}

/// The time of day, its hundredths of a second since midnight, and the offset of the zone in minutes.
fn zoned_clock(text: &str) -> Option<(Time, u32, i32)> {
    let zone_at = text.find(['+', '-', 'Z']).unwrap_or(text.len());
    let (clock, zone) = text.split_at(zone_at);
    let (hour, minute, second): (i8, i8, i8) =
        (digits(clock, 0, 2)?, digits(clock, 2, 4)?, digits(clock, 4, 6)?);
    let time = Time::new(hour, minute, second, 0).ok()?;
    let fraction: u32 = match clock.get(6..)? {
        "" => 0,
        fraction => digits(fraction.strip_prefix([',', '.'])?, 0, 2)?,
    };
    let seconds = u32::try_from(i32::from(hour) * 3600 + i32::from(minute) * 60 + i32::from(second)).ok()?;
    let offset = match zone {
        "" | "Z" => 0,
        _ => {
            let minutes = if zone.len() > 3 { digits(zone, 3, 5)? } else { 0 };
            let minutes = digits::<i32>(zone, 1, 3)? * 60 + minutes;
            if zone.starts_with('-') { -minutes } else { minutes }
        }
    };
    Some((time, seconds * 100 + fraction, offset))
}

/// The number; `INF` and `NaN` are numbers too.
pub fn number(text: &str) -> Option<f64> {
    text.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notes::timedate::Moment;

    // D03: -04 is the zone -05 with daylight saving, which is how Notes stores it.
    #[test]
    fn d03_an_offset_includes_daylight_saving() {
        let time = timedate("20140808T131841,49-04", true).unwrap();
        let unix_ms = 1_407_518_321_490;
        assert_eq!(time.moment(), Ok(Moment::Instant { unix_ms, zone_minutes: -5 * 60 }));
        assert_eq!(time.0[1] >> 24, 0x85);
        assert_eq!(timedate("20140808T171841,49Z", false).unwrap().unix_ms(), Ok(unix_ms));
        let east = timedate("20140808T224841,49+0530", false).unwrap();
        assert_eq!(east.moment(), Ok(Moment::Instant { unix_ms, zone_minutes: 330 }));
    }

    #[test]
    fn d04_a_date_alone() {
        assert_eq!(timedate("20010601", false).unwrap().to_string(), "2001-06-01");
    }

    #[test]
    fn d05_a_time_alone() {
        let time = timedate("T060306,52", false).unwrap();
        assert_eq!(time.moment(), Ok(Moment::TimeOfDay { hundredths: 2_178_652 }));
    }

    #[test]
    fn what_is_no_time_is_told_from_an_empty_one() {
        assert_eq!(timedate("", false).unwrap().moment(), Ok(Moment::Empty));
        for text in
            ["T", "2014", "20141301", "20140808T99", "20140808T131841,4", "2014080\u{E9}", "99999999T000000"]
        {
            assert_eq!(timedate(text, true), None, "{text}");
        }
        assert!(number("NaN").unwrap().is_nan());
        assert_eq!(
            (number("-INF"), number(" 1.5e3 "), number("x")),
            (Some(f64::NEG_INFINITY), Some(1500.0), None)
        );
    }
}
