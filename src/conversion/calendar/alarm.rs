//! Alarms: the reminder of an entry as VALARM (RFC 5545 section 3.6.6).

use crate::conversion::calendar::zone::utc_stamp;
use crate::conversion::content_line::Writer;
use crate::notes::document::Note;
use jiff::Timestamp;

/// What an alarm's offset counts from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum From {
    Start,
    /// Notes begins a day at 04:00, iCalendar at midnight.
    StartOfDay,
    Due,
}

/// Writes the alarm of a document, unless it has none or the user dismissed it. Alarms by mail are not written: they
/// would send it. Without `from` only one at a fixed time can be told.
pub fn write(writer: &mut Writer, note: &Note, summary: &str, from: Option<From>) {
    let Some((parameters, trigger)) = trigger(note, from) else { return };
    let told = note.text("$AlarmDescription");
    let description = [told.trim(), summary.trim(), "Reminder"].into_iter().find(|text| !text.is_empty());
    writer.begin("VALARM");
    writer.line("ACTION", "DISPLAY");
    writer.line(&format!("TRIGGER{parameters}"), &trigger);
    writer.text("DESCRIPTION", description.unwrap_or_default());
    writer.end("VALARM");
}

fn trigger(note: &Note, from: Option<From>) -> Option<(&'static str, String)> {
    let set = |name: &str| note.number(name).is_some_and(|number| number == 1.0);
    if set("$AlarmDisabled") {
        return None;
    }
    if let Some(time) = note.time("$AlarmTime").and_then(|time| time.unix_ms().ok()) {
        let instant = Timestamp::from_millisecond(time).ok()?;
        return Some((";VALUE=DATE-TIME", utc_stamp(instant)));
    }
    if !set("$Alarm") {
        return None;
    }
    /// Ten years.
    const FARTHEST_MINUTES: i64 = 10 * 366 * 24 * 60;
    let unit = match note.text("$AlarmUnit").trim().to_ascii_uppercase().as_str() {
        "H" => 60,
        "D" => 24 * 60,
        _ => 1,
    };
    let offset = (note.number("$AlarmOffset").unwrap_or(0.0) as i64).saturating_mul(unit);
    let minutes = offset.clamp(-FARTHEST_MINUTES, FARTHEST_MINUTES);
    Some(match from? {
        From::Start => ("", duration(minutes)),
        From::StartOfDay => ("", duration(minutes + 4 * 60)),
        From::Due => (";RELATED=END", duration(minutes)),
    })
}

/// RFC 5545 section 3.3.6.
fn duration(minutes: i64) -> String {
    let sign = if minutes < 0 { "-" } else { "" };
    match minutes.abs() {
        0 => "PT0S".to_owned(),
        minutes if minutes % 1440 == 0 => format!("{sign}P{}D", minutes / 1440),
        minutes if minutes % 60 == 0 => format!("{sign}PT{}H", minutes / 60),
        minutes => format!("{sign}PT{minutes}M"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time_are_told_in_the_largest_unit() {
        let told = [-30, 10, -60, -1440, 90, 0].map(duration);
        assert_eq!(told, ["-PT30M", "PT10M", "-PT1H", "-P1D", "PT90M", "PT0S"]);
    }
}
