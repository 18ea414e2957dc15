//! Time zones: from the rule text of Notes to a zone that a calendar program knows.
//!
//! The stored instant never moves; a zone tells only how it is shown and how a series repeats. The zones of the world
//! come from the bundled database, so that the same document gives the same text on every machine.

use crate::conversion::calendar::zone_table::ZONES;
use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::{TimeZone, TimeZoneDatabase};
use std::sync::LazyLock;

static DATABASE: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

/// The zone of an entry.
#[derive(Clone, Debug)]
pub struct Zone {
    /// The TZID; none where times are written in UTC.
    pub id: Option<String>,
    pub rules: TimeZone,
}

impl Zone {
    pub fn utc() -> Self {
        Self { id: None, rules: TimeZone::UTC }
    }

    /// The wall-clock time of an instant.
    pub fn local(&self, instant: Timestamp) -> DateTime {
        self.rules.to_datetime(instant)
    }

    /// The instant of a wall-clock time; one that daylight saving skips is read with the offset before the gap.
    pub fn instant(&self, local: DateTime) -> Option<Timestamp> {
        self.rules.to_ambiguous_timestamp(local).compatible().ok()
    }

    /// A time as RFC 5545 section 3.3.5 writes it: local with a TZID, or in UTC.
    pub fn stamp(&self, instant: Timestamp) -> String {
        match self.id {
            Some(_) => self.local(instant).strftime("%Y%m%dT%H%M%S").to_string(),
            None => utc_stamp(instant),
        }
    }

    /// The parameter that goes with [`Zone::stamp`].
    pub fn parameter(&self) -> String {
        self.id.as_ref().map(|id| format!(";TZID={id}")).unwrap_or_default()
    }

    /// The zone of a stored rule text; none if there is nothing usable in it. `at` tells which year's rules count
    /// where only they can tell.
    pub fn resolve(stored: &str, at: Timestamp) -> Option<Self> {
        let rule = ZoneRule::parse(stored)?;
        rule.named().or_else(|| rule.alike(at)).or_else(|| rule.own())
    }

    /// The zone that follows the stored rules to the letter, whatever its name says.
    pub fn as_stored(stored: &str) -> Option<Self> {
        ZoneRule::parse(stored)?.own()
    }
}

/// A time in UTC (RFC 5545 section 3.3.5, form 2).
pub fn utc_stamp(instant: Timestamp) -> String {
    TimeZone::UTC.to_datetime(instant).strftime("%Y%m%dT%H%M%SZ").to_string()
}

/// A day (RFC 5545 section 3.3.4).
pub fn day_stamp(day: Date) -> String {
    day.strftime("%Y%m%d").to_string()
}

/// The stored text: `Z=5$DO=1$DL=3 2 1 11 1 1$ZX=148$ZN=Eastern`.
#[derive(Debug, PartialEq, Eq)]
struct ZoneRule {
    minutes_east: i32,
    daylight: Option<Daylight>,
    name: String,
}

/// When daylight saving begins and ends: month, week (5 is the last), weekday (1 is Sunday), twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Daylight([i32; 6]);

impl ZoneRule {
    /// Keys come in any order, and unknown ones too. `ZX` is an index into a table of the machine that wrote it, and
    /// the same zone has different ones.
    fn parse(stored: &str) -> Option<Self> {
        let value = |key: &str| {
            let mut pairs = stored.split('$').filter_map(|pair| pair.split_once('='));
            pairs.find(|(name, _)| name.trim().eq_ignore_ascii_case(key)).map(|(_, value)| value.trim())
        };
        let minutes_east = minutes_east(value("Z")?.parse().ok()?)?;
        let daylight = value("DL").filter(|_| value("DO") == Some("1")).and_then(Daylight::parse);
        let name = value("ZN").unwrap_or_default();
        // A TZID stands in a parameter, where some characters need quotes that not every program understands.
        let name = name.chars().filter(|c| !c.is_control() && !"\":;,".contains(*c)).collect();
        Some(Self { minutes_east, daylight, name })
    }

    /// By name: a zone of the table, or an IANA name, which newer programs write.
    fn named(&self) -> Option<Zone> {
        let short = self.name.strip_suffix(" Standard Time").unwrap_or(&self.name);
        let known = ZONES
            .iter()
            .find(|zone| zone.name.eq_ignore_ascii_case(short) || zone.name.eq_ignore_ascii_case(&self.name));
        known.map_or_else(|| self.name.contains('/').then(|| iana(&self.name))?, |zone| iana(zone.iana))
    }

    /// The only zone of the table that keeps the same time in the year of `at`.
    fn alike(&self, at: Timestamp) -> Option<Zone> {
        let own = self.own()?;
        let mut ids: Vec<&str> = ZONES
            .iter()
            .filter(|zone| zone.minutes_east == self.minutes_east && zone.daylight == self.daylight.is_some())
            .filter(|zone| iana(zone.iana).is_some_and(|zone| same_year(&zone.rules, &own.rules, at)))
            .map(|zone| zone.iana)
            .collect();
        ids.dedup();
        match ids[..] {
            [only] => iana(only),
            _ => None,
        }
    }

    /// A zone of its own. Notes stores no hour; it switches at two o'clock.
    fn own(&self) -> Option<Zone> {
        let standard = format!("STD{}", posix_offset(self.minutes_east));
        let rule = match self.daylight {
            Some(Daylight([month, week, weekday, end_month, end_week, end_weekday])) => format!(
                "{standard}DST{},M{month}.{week}.{},M{end_month}.{end_week}.{}",
                posix_offset(self.minutes_east + 60),
                weekday - 1,
                end_weekday - 1
            ),
            None => standard,
        };
        let id = if self.name.is_empty() { offset_name(self.minutes_east) } else { self.name.clone() };
        Some(Zone { id: Some(format!("Notes/{id}")), rules: TimeZone::posix(&rule).ok()? })
    }
}

impl Daylight {
    fn parse(stored: &str) -> Option<Self> {
        let numbers: Vec<i32> = stored.split_whitespace().map_while(|word| word.parse().ok()).collect();
        let mut rule = <[i32; 6]>::try_from(numbers).ok()?;
        for at in [0, 3] {
            if rule[at + 1] == -1 {
                rule[at + 1] = 5;
            }
            let [month, week, weekday] = [rule[at], rule[at + 1], rule[at + 2]];
            if !((1..=12).contains(&month) && (1..=5).contains(&week) && (1..=7).contains(&weekday)) {
                return None;
            }
        }
        Some(Self(rule))
    }
}

/// Stored offsets count west of Greenwich: hours, or minutes times a hundred plus hours.
fn minutes_east(stored: i32) -> Option<i32> {
    let west = stored.checked_abs()?;
    let minutes = if west >= 100 { west % 100 * 60 + west / 100 } else { west * 60 };
    (minutes <= 14 * 60).then_some(if stored < 0 { minutes } else { -minutes })
}

/// POSIX counts west of Greenwich.
fn posix_offset(minutes_east: i32) -> String {
    let sign = if minutes_east > 0 { "-" } else { "" };
    format!("{sign}{}:{:02}", minutes_east.abs() / 60, minutes_east.abs() % 60)
}

fn offset_name(minutes_east: i32) -> String {
    let sign = if minutes_east < 0 { '-' } else { '+' };
    format!("UTC{sign}{:02}{:02}", minutes_east.abs() / 60, minutes_east.abs() % 60)
}

fn iana(id: &str) -> Option<Zone> {
    let rules = DATABASE.get(id).ok()?;
    let id = rules.iana_name()?.to_owned();
    if id == "Etc/UTC" || id == "UTC" { Some(Zone::utc()) } else { Some(Zone { id: Some(id), rules }) }
}

/// Whether two zones keep the same time at noon of every day in the year of `at`. The hour of a switch is not compared,
/// because Notes does not store it.
fn same_year(one: &TimeZone, other: &TimeZone, at: Timestamp) -> bool {
    let year = TimeZone::UTC.to_datetime(at).year();
    let Ok(first) = DateTime::new(year, 1, 1, 12, 0, 0, 0) else { return false };
    let Ok(mut noon) = TimeZone::UTC.to_timestamp(first) else { return false };
    for _ in 0..365 {
        if one.to_offset(noon) != other.to_offset(noon) {
            return false;
        }
        noon = noon.saturating_add(jiff::SignedDuration::from_hours(24)).unwrap_or(noon);
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(stored: &str) -> String {
        let at = "2024-06-01T00:00:00Z".parse().unwrap();
        Zone::resolve(stored, at).map_or("none".to_owned(), |zone| zone.id.unwrap_or("UTC".to_owned()))
    }

    #[test]
    fn names_are_looked_up_first() {
        assert_eq!(resolve("Z=5$DO=1$DL=3 2 1 11 1 1$ZX=148$ZN=Eastern"), "America/New_York");
        assert_eq!(resolve("ZN=W. Europe Standard Time$Z=-1$DO=1$DL=3 -1 1 10 -1 1"), "Europe/Berlin");
        assert_eq!(resolve("Z=8$DO=1$DL=4 1 1 10 -1 1$ZN=Pacific Standard Time (Mexico)"), "America/Tijuana");
        assert_eq!(resolve("Z=5$DO=1$DL=3 2 1 11 1 1$ZN=America/New_York"), "America/New_York");
        assert_eq!(resolve("Z=0$DO=0$ZN=UTC"), "UTC");
    }

    // C21: phones and Macs write such names.
    #[test]
    fn c21_rules_are_compared_where_the_name_says_nothing() {
        assert_eq!(resolve("Z=6$DO=1$DL=3 2 1 11 1 1$ZX=0$ZN=GMT-6"), "America/Chicago");
        // Many zones of Europe keep the same time, and none is better than another.
        assert_eq!(resolve("Z=-1$DO=1$DL=3 -1 1 10 -1 1$ZN=GMT+1"), "Notes/GMT+1");
        assert_eq!(resolve("Z=-8$DO=0"), "Notes/UTC+0800");
    }

    #[test]
    fn offsets_count_west_of_greenwich() {
        let decoded = [5, -3005, 3003, -4505, 0, 99, i32::MIN].map(minutes_east);
        assert_eq!(decoded, [Some(-300), Some(330), Some(-210), Some(345), Some(0), None, None]);
    }

    #[test]
    fn every_zone_of_the_table_is_in_the_database() {
        for zone in ZONES {
            assert!(iana(zone.iana).is_some(), "{}", zone.iana);
        }
    }

    #[test]
    fn what_is_no_rule_is_none() {
        for stored in ["", "Z=", "Z=x$ZN=Eastern", "$$$", "Z=99999999999"] {
            assert_eq!(resolve(stored), "none", "{stored}");
        }
        assert_eq!(resolve("Z=-8$DO=1$DL=13 1 1 1 1 1$ZN=X"), "Notes/X");
    }
}
