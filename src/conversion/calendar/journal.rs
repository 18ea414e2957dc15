//! Pages of a notebook as VJOURNAL (RFC 5545 section 3.6.3), for those who choose it over mail.
//!
//! Rules that no public text confirms; each stands until real notebooks tell better:
//!
//! | Open question | Present rule |
//! |---|---|
//! | form and items of a page | form `JournalEntry`; `Subject`, `Body`, `DiaryDate`, `Categories` |
//! | a page without a date of its own | the day on which it was made |

use crate::conversion::KEY_HEADER;
use crate::conversion::calendar::event::{self, Description};
use crate::conversion::calendar::{begin, facts};
use crate::conversion::date::Zoned;
use crate::conversion::headers::Source;
use crate::conversion::kind::EntryKind;
use crate::conversion::losses::Losses;
use crate::model::content::File;
use crate::model::loss::LossKind;
use crate::model::object::{Object, ObjectKind};
use crate::model::rendered::{Rendered, Segment};
use crate::notes::document::Note;
use crate::notes::timedate::Moment;
use jiff::Timestamp;
use jiff::tz::Offset;

/// When a page is of. A day without a time is told at noon, which is the same day nearly everywhere.
pub fn date(note: &Note) -> Option<Zoned> {
    const NOON_MS: i64 = 43_200_000;
    const DAY_MS: i64 = 86_400_000;
    match note.time("DiaryDate")?.moment().ok()? {
        Moment::Day { unix_day } => Some(Zoned { unix_ms: unix_day * DAY_MS + NOON_MS, zone_minutes: 0 }),
        Moment::Instant { unix_ms, zone_minutes } => Some(Zoned { unix_ms, zone_minutes }),
        Moment::TimeOfDay { .. } | Moment::Empty => None,
    }
}

/// What a page is called: its subject, else its first line.
pub fn subject(note: &Note) -> String {
    let subject = note.text("Subject").trim().to_owned();
    if !subject.is_empty() {
        return subject;
    }
    let text = Description::of(note).text;
    text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default().to_owned()
}

/// The page as an object.
pub fn object(source: &Source<'_>, files: &[File]) -> Object {
    let note = source.note;
    let facts = facts(source, EntryKind::Reminder, &[]);
    let mut writer = begin(None, None);
    writer.line(&KEY_HEADER.to_ascii_uppercase(), &source.origin.to_string());
    writer.begin("VJOURNAL");
    event::write_identity(&mut writer, &facts, note);
    event::write_history(&mut writer, &facts);
    writer.line("DTSTART;VALUE=DATE", &day(source.dates.header));
    writer.text("SUMMARY", &subject(note).replace('\n', " "));
    event::write_description(&mut writer, &Description::of(note));
    event::write_categories(&mut writer, note);
    writer.line("CLASS", "PRIVATE");
    writer.line("STATUS", "FINAL");
    writer.end("VJOURNAL");
    writer.end("VCALENDAR");
    let mut losses = Losses::default();
    event::description_losses(note).into_iter().for_each(|loss| losses.push(loss));
    for file in files {
        losses.add(LossKind::AttachmentDropped, file.descriptor.name.text.as_str());
    }
    let rendered = Rendered::new(vec![Segment::Bytes(writer.finish().into_bytes())]);
    Object { kind: ObjectKind::Journal, rendered, losses: losses.into_list() }
}

/// The day in the zone of its author.
fn day(date: Zoned) -> String {
    let offset = Offset::from_seconds(date.zone_minutes * 60).unwrap_or(Offset::UTC);
    let time = Timestamp::from_millisecond(date.unix_ms).unwrap_or_default();
    offset.to_datetime(time).strftime("%Y%m%d").to_string()
}
