//! The Notes TIMEDATE: an instant, an all-day date or a time of day in two 32-bit words.
//!
//! Readers hand the stored words on untouched; conversion and `inspect` decode them here, `forge` makes them here.

use std::fmt;

/// Hundredths of a second in a day.
const DAY_HUNDREDTHS: u32 = 8_640_000;
/// Julian day number of 1970-01-01, counted from midnight.
const UNIX_EPOCH_DAY: i64 = 2_440_588;
/// Julian days of 1900-01-01 and 2200-12-31: what lies outside is damage.
const PLAUSIBLE_DAYS: std::ops::RangeInclusive<u32> = 2_415_021..=2_524_958;

/// A TIMEDATE as stored: two little-endian words.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Timedate(pub [u32; 2]);

/// What a TIMEDATE says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// An instant, with the author's zone as minutes east of Greenwich (standard time; see [`Timedate::zone_minutes`]).
    Instant { unix_ms: i64, zone_minutes: i32 },
    /// An all-day date: days since 1970-01-01, in no zone.
    Day { unix_day: i64 },
    /// A time of day without a date: hundredths of a second since midnight.
    TimeOfDay { hundredths: u32 },
    /// No value: both words zero or both wildcards.
    Empty,
}

/// Why a TIMEDATE holds no instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TimedateError {
    #[error("the value is an all-day date")]
    DateOnly,
    #[error("the value is a time of day without a date")]
    TimeOnly,
    #[error("the value is empty")]
    Empty,
    /// Damage: the hundredths exceed a day, or the day lies outside 1900 to 2200.
    #[error("the value lies outside the calendar")]
    BeyondDay,
}

impl Timedate {
    /// From the eight stored bytes.
    pub fn from_stored(raw: [u8; 8]) -> Self {
        let [a, b, c, d, e, f, g, h] = raw;
        Self([u32::from_le_bytes([a, b, c, d]), u32::from_le_bytes([e, f, g, h])])
    }

    /// The eight stored bytes.
    pub fn to_stored(self) -> [u8; 8] {
        let mut raw = [0; 8];
        raw[..4].copy_from_slice(&self.0[0].to_le_bytes());
        raw[4..].copy_from_slice(&self.0[1].to_le_bytes());
        raw
    }

    /// The stored form of an instant, cut to hundredths of a second, with a zone in minutes east of Greenwich
    /// (multiples of 15 within 15:45 hours; anything else is cut).
    pub fn from_unix_ms(unix_ms: i64, zone_minutes: i32) -> Self {
        let day = unix_ms.div_euclid(86_400_000) + UNIX_EPOCH_DAY;
        let hundredths = unix_ms.rem_euclid(86_400_000) / 10;
        let quarters = zone_minutes.unsigned_abs() / 15;
        let zone = ((quarters / 4) & 15) << 24 | (quarters % 4) << 28 | u32::from(zone_minutes > 0) << 30;
        Self([hundredths as u32, day as u32 & 0x00FF_FFFF | zone])
    }

    /// The stored form of an all-day date.
    pub fn from_unix_day(unix_day: i64) -> Self {
        Self([u32::MAX, (unix_day + UNIX_EPOCH_DAY) as u32 & 0x00FF_FFFF])
    }

    /// Minutes east of Greenwich of the author's zone, without daylight saving. Bit 31 only says that the
    /// zone observes it, not that it was in force, so it does not count here.
    pub fn zone_minutes(self) -> i32 {
        let word = self.0[1];
        let minutes = (((word >> 24) & 15) * 60 + ((word >> 28) & 3) * 15) as i32;
        if word & (1 << 30) != 0 { minutes } else { -minutes }
    }

    /// What the value says.
    ///
    /// # Errors
    /// [`TimedateError::BeyondDay`] for damage; never another variant.
    pub fn moment(self) -> Result<Moment, TimedateError> {
        let [hundredths, day_word] = self.0;
        let day = day_word & 0x00FF_FFFF;
        match (hundredths == u32::MAX, day == 0x00FF_FFFF) {
            (true, true) => return Ok(Moment::Empty),
            _ if self.0 == [0, 0] => return Ok(Moment::Empty),
            (false, true) if hundredths < DAY_HUNDREDTHS => return Ok(Moment::TimeOfDay { hundredths }),
            (_, true) => return Err(TimedateError::BeyondDay),
            _ => {}
        }
        if !PLAUSIBLE_DAYS.contains(&day) {
            return Err(TimedateError::BeyondDay);
        }
        let unix_day = i64::from(day) - UNIX_EPOCH_DAY;
        if hundredths == u32::MAX {
            return Ok(Moment::Day { unix_day });
        }
        if hundredths >= DAY_HUNDREDTHS {
            return Err(TimedateError::BeyondDay);
        }
        let unix_ms = unix_day * 86_400_000 + i64::from(hundredths) * 10;
        Ok(Moment::Instant { unix_ms, zone_minutes: self.zone_minutes() })
    }

    /// The instant in milliseconds since 1970-01-01 00:00 UTC.
    ///
    /// # Errors
    /// Which of the other forms the value has, or that it is damaged.
    pub fn unix_ms(self) -> Result<i64, TimedateError> {
        match self.moment()? {
            Moment::Instant { unix_ms, .. } => Ok(unix_ms),
            Moment::Day { .. } => Err(TimedateError::DateOnly),
            Moment::TimeOfDay { .. } => Err(TimedateError::TimeOnly),
            Moment::Empty => Err(TimedateError::Empty),
        }
    }

    /// The stored day as days since 1970-01-01, however far from now; `None` where none is stored, or one before year 1.
    pub fn stored_unix_day(self) -> Option<i64> {
        const YEAR_ONE: u32 = 1_721_426;
        let day = self.0[1] & 0x00FF_FFFF;
        (YEAR_ONE..0x00FF_FFFF).contains(&day).then(|| i64::from(day) - UNIX_EPOCH_DAY)
    }

    /// A number that grows with time, for "which of two is newer": day first, then hundredths.
    pub fn order(self) -> u64 {
        u64::from(self.0[1] & 0x00FF_FFFF) << 32 | u64::from(self.0[0])
    }
}

impl fmt::Display for Timedate {
    /// ISO 8601 in UTC, or the stored words in hexadecimal where the value is damaged.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let clock = |hundredths: u32| {
            let seconds = hundredths / 100;
            format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
        };
        match self.moment() {
            Ok(Moment::Instant { .. }) => {
                let (y, m, d) = civil(i64::from(self.0[1] & 0x00FF_FFFF) - UNIX_EPOCH_DAY);
                write!(f, "{y:04}-{m:02}-{d:02}T{}Z", clock(self.0[0]))
            }
            Ok(Moment::Day { unix_day }) => {
                let (y, m, d) = civil(unix_day);
                write!(f, "{y:04}-{m:02}-{d:02}")
            }
            Ok(Moment::TimeOfDay { hundredths }) => write!(f, "{}", clock(hundredths)),
            Ok(Moment::Empty) => write!(f, "-"),
            Err(_) => write!(f, "{:08X}:{:08X}", self.0[1], self.0[0]),
        }
    }
}

/// Year, month and day of a day number; jiff knows the calendar.
fn civil(unix_day: i64) -> (i16, i8, i8) {
    let epoch = jiff::civil::date(1970, 1, 1);
    let date = epoch.saturating_add(jiff::Span::new().days(unix_day));
    (date.year(), date.month(), date.day())
}

#[cfg(test)]
mod tests {
    use super::*;

    // X03: seen in a public export; the header of the same message reads 13:18:33 -0400.
    #[test]
    fn x03_instant_with_western_zone() {
        let value = Timedate::from_stored([0x04, 0x15, 0x5F, 0x00, 0x2E, 0x7D, 0x25, 0x04]);
        assert_eq!(value.unix_ms(), Ok(1_407_518_313_000));
        assert_eq!(value.zone_minutes(), -240);
        assert_eq!(value.to_string(), "2014-08-08T17:18:33Z");
        assert_eq!(Timedate::from_unix_ms(1_407_518_313_000, -240), value);
    }

    // X04: 10 December 1996, 19:49:04 UTC, the published example of libnsfdb's format description.
    #[test]
    fn x04_daylight_saving_flag_does_not_move_the_instant() {
        let value = Timedate::from_stored([0xC0, 0xDC, 0x6C, 0x00, 0xFC, 0x63, 0x25, 0x85]);
        assert_eq!(value.unix_ms(), Ok(850_247_344_000));
        assert_eq!(value.zone_minutes(), -300);
    }

    #[test]
    fn x05_date_only() {
        let value = Timedate::from_stored([0xFF, 0xFF, 0xFF, 0xFF, 0x2E, 0x7D, 0x25, 0x00]);
        assert_eq!(value.moment(), Ok(Moment::Day { unix_day: 16_290 }));
        assert_eq!(value.unix_ms(), Err(TimedateError::DateOnly));
        assert_eq!(value.to_string(), "2014-08-08");
        assert_eq!(Timedate::from_unix_day(16_290), value);
    }

    #[test]
    fn empty_and_damaged_values_have_no_instant() {
        assert_eq!(Timedate([0, 0]).unix_ms(), Err(TimedateError::Empty));
        assert_eq!(Timedate([u32::MAX, u32::MAX]).unix_ms(), Err(TimedateError::Empty));
        assert_eq!(Timedate([DAY_HUNDREDTHS, 0x00257D2E]).unix_ms(), Err(TimedateError::BeyondDay));
        assert_eq!(Timedate([5, 0x0003FE20]).unix_ms(), Err(TimedateError::BeyondDay));
        assert_eq!(Timedate([100, 0x00FF_FFFF]).unix_ms(), Err(TimedateError::TimeOnly));
    }
}
