//! VTIMEZONE (RFC 5545 section 3.6.5): the rules of a zone for the years that an entry needs.
//!
//! The switches are those of the zone itself. Where they follow a yearly rule in all these years the rule is written,
//! else the switches one by one, so nothing is claimed that the zone does not do.

use crate::conversion::calendar::zone::Zone;
use crate::conversion::content_line::Writer;
use jiff::civil::{DateTime, Weekday};
use jiff::tz::{Dst, Offset, TimeZone};
use jiff::{SignedDuration, Timestamp};

/// Switches that look the same: those of one kind in all years.
struct Observance {
    daylight: bool,
    from: Offset,
    to: Offset,
    name: String,
    /// In the time that was kept before.
    onsets: Vec<DateTime>,
}

/// Writes the definition of a zone for all instants between two; nothing for UTC.
pub fn write(writer: &mut Writer, zone: &Zone, first: Timestamp, last: Timestamp) {
    let Some(id) = &zone.id else { return };
    writer.begin("VTIMEZONE");
    writer.text("TZID", id);
    for observance in observances(&zone.rules, first, last) {
        observance.write(writer, zone.rules.iana_name().is_some());
    }
    writer.end("VTIMEZONE");
}

fn observances(rules: &TimeZone, first: Timestamp, last: Timestamp) -> Vec<Observance> {
    let day = SignedDuration::from_hours(24);
    let from = first.saturating_sub(day * 366).unwrap_or(first);
    let to = last.saturating_add(day * 366).unwrap_or(last);
    let mut observances: Vec<Observance> = Vec::new();
    let before = rules.preceding(from).next();
    if before.is_none() {
        let info = rules.to_offset_info(from);
        observances.push(Observance {
            daylight: false,
            from: info.offset(),
            to: info.offset(),
            name: info.abbreviation().to_owned(),
            onsets: vec![DateTime::constant(1970, 1, 1, 0, 0, 0, 0)],
        });
    }
    let after = rules.following(from).take_while(|switch| switch.timestamp() <= to);
    for switch in before.into_iter().chain(after) {
        let instant = switch.timestamp();
        let offset = rules.to_offset(instant.saturating_sub(SignedDuration::from_secs(1)).unwrap_or(instant));
        let onset = offset.to_datetime(instant);
        let (daylight, to) = (switch.dst() == Dst::Yes, switch.offset());
        let alike = observances.iter_mut().find(|known| {
            (known.daylight, known.from, known.to) == (daylight, offset, to)
                && known.name == switch.abbreviation()
        });
        match alike {
            Some(known) => known.onsets.push(onset),
            None => observances.push(Observance {
                daylight,
                from: offset,
                to,
                name: switch.abbreviation().to_owned(),
                onsets: vec![onset],
            }),
        }
    }
    observances
}

impl Observance {
    fn write(&self, writer: &mut Writer, named: bool) {
        let kind = if self.daylight { "DAYLIGHT" } else { "STANDARD" };
        let local = |time: &DateTime| time.strftime("%Y%m%dT%H%M%S").to_string();
        writer.begin(kind);
        writer.line("DTSTART", &local(&self.onsets[0]));
        match self.yearly_rule() {
            Some(rule) => writer.line("RRULE", &rule),
            None if self.onsets.len() > 1 => writer.list("RDATE", self.onsets[1..].iter().map(local)),
            None => {}
        }
        writer.line("TZOFFSETFROM", &offset(self.from));
        writer.line("TZOFFSETTO", &offset(self.to));
        if named {
            writer.text("TZNAME", &self.name);
        }
        writer.end(kind);
    }

    /// The same weekday of the same month at the same time, every year.
    fn yearly_rule(&self) -> Option<String> {
        let first = self.onsets.first()?;
        let yearly = self.onsets.windows(2).all(|pair| pair[1].year() == pair[0].year() + 1);
        let alike = |onset: &DateTime| {
            onset.month() == first.month()
                && onset.weekday() == first.weekday()
                && onset.time() == first.time()
        };
        if self.onsets.len() < 2 || !yearly || !self.onsets.iter().all(alike) {
            return None;
        }
        let week = |onset: &DateTime| (onset.day() - 1) / 7 + 1;
        let place = if self.onsets.iter().all(|onset| onset.day() + 7 > onset.days_in_month()) {
            -1
        } else if self.onsets.iter().all(|onset| week(onset) == week(first)) {
            week(first)
        } else {
            return None;
        };
        let weekday = weekday_name(first.weekday());
        Some(format!("FREQ=YEARLY;BYMONTH={};BYDAY={place}{weekday}", first.month()))
    }
}

/// RFC 5545 section 3.3.14.
fn offset(offset: Offset) -> String {
    let seconds = offset.seconds();
    let (sign, seconds) = (if seconds < 0 { '-' } else { '+' }, seconds.abs());
    let mut text = format!("{sign}{:02}{:02}", seconds / 3600, seconds / 60 % 60);
    if seconds % 60 != 0 {
        append!(text, "{:02}", seconds % 60);
    }
    text
}

/// A weekday as rules write it.
pub fn weekday_name(weekday: Weekday) -> &'static str {
    ["MO", "TU", "WE", "TH", "FR", "SA", "SU"][weekday.to_monday_zero_offset() as usize]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn definition(stored: &str, first: &str, last: &str) -> String {
        let first = first.parse().unwrap();
        let mut writer = Writer::default();
        write(&mut writer, &Zone::resolve(stored, first).unwrap(), first, last.parse().unwrap());
        writer.finish()
    }

    #[test]
    fn a_yearly_switch_is_a_rule() {
        let text = definition(
            "Z=-1$DO=1$DL=3 -1 1 10 -1 1$ZN=W. Europe",
            "2024-06-01T00:00:00Z",
            "2024-07-01T00:00:00Z",
        );
        assert!(
            text.contains("RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU\r\nTZOFFSETFROM:+0100\r\nTZOFFSETTO:+0200")
        );
        assert!(text.contains("TZNAME:CEST"), "{text}");
    }

    // C22: rules that no place keeps.
    #[test]
    fn c22_own_rules_are_written_as_stored() {
        let text = definition(
            "Z=-1$DO=1$DL=4 2 3 9 1 2$ZX=0$ZN=Foo",
            "2024-06-01T00:00:00Z",
            "2024-07-01T00:00:00Z",
        );
        assert!(text.contains("TZID:Notes/Foo\r\n"), "{text}");
        let parts: Vec<&str> = text.split("BEGIN:").collect();
        let part = |kind: &str| parts.iter().find(|part| part.starts_with(kind)).unwrap();
        assert!(part("DAYLIGHT").contains("T020000\r\nRRULE:FREQ=YEARLY;BYMONTH=4;BYDAY=2TU\r\n"), "{text}");
        assert!(part("DAYLIGHT").contains("TZOFFSETTO:+0200"), "{text}");
        assert!(part("STANDARD").contains("T020000\r\nRRULE:FREQ=YEARLY;BYMONTH=9;BYDAY=1MO\r\n"), "{text}");
        assert!(part("STANDARD").contains("TZOFFSETTO:+0100"), "{text}");
    }

    // The United States changed their rule in 2007.
    #[test]
    fn switches_without_a_rule_are_listed() {
        let text =
            definition("Z=5$DO=1$DL=3 2 1 11 1 1$ZN=Eastern", "2006-01-01T00:00:00Z", "2008-01-01T00:00:00Z");
        assert!(text.contains("RDATE:"), "{text}");
        assert!(!text.contains("RRULE"), "{text}");
    }

    #[test]
    fn a_zone_without_switches_is_standard_time() {
        let text = definition("Z=-3005$DO=0$ZN=India", "2024-01-01T00:00:00Z", "2024-01-01T00:00:00Z");
        assert!(text.contains("BEGIN:STANDARD") && text.contains("TZOFFSETTO:+0530"), "{text}");
    }
}
