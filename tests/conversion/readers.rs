//! What other programs see in our calendars: series are expanded by one that shares nothing with ours, and a real
//! client lists the entries of a forged mailbox.

use super::calendar::{BERLIN, NEW_YORK, instance, parent};
use crate::support::document::{Document, document};
use fastrand::Rng;
use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};
use notesferry::conversion::{Context, Directory, convert};
use notesferry::forge::mailbox::{self, MailboxOptions};
use notesferry::forge::version::Version;
use notesferry::model::loss::Loss;
use notesferry::model::object::{Object, ObjectKind};
use notesferry::notes::timedate::Timedate;
use notesferry::sources::Source;
use notesferry::sources::nsf::NsfSource;
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What Python finds in these files; `None` where its libraries are missing.
fn expanded(files: &[PathBuf]) -> Option<Vec<Value>> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/calendar_dates.py");
    // Debian's libraries are those of its own interpreter.
    for python in ["/usr/bin/python3", "python3"] {
        let Ok(output) = Command::new(python).arg(&script).args(files).output() else { continue };
        if output.status.code() == Some(3) {
            continue;
        }
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let lines = output.stdout.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        return Some(lines.map(|line| serde_json::from_slice(line).unwrap()).collect());
    }
    eprintln!("skipped: there is no Python with icalendar and dateutil");
    None
}

fn write(object: &Object, folder: &Path, name: &str) -> PathBuf {
    let path = folder.join(name);
    object.rendered.write_to(&mut std::fs::File::create(&path).unwrap()).unwrap();
    path
}

/// The dates of a rule, by a calculation of its own.
fn dates(random: &mut Rng) -> (&'static str, Vec<String>, i64, Vec<Date>) {
    let first = jiff::civil::date(2010, 1, 1).saturating_add(random.i32(0..4000).days());
    let count = random.usize(2..30);
    let interval = random.i64(1..4);
    match random.u8(..5) {
        0 => {
            let dates = (0..count).map(|at| first + (at as i64 * interval).days()).collect();
            ("D", Vec::new(), interval, dates)
        }
        1 => {
            let days = BTreeSet::from([random.i8(0..7), random.i8(0..7)]);
            let sunday = first - i32::from(first.weekday().since(Weekday::Sunday)).days();
            let week = |at: usize| {
                days.iter().map(move |day| sunday + (at as i64 * 7 * interval + i64::from(*day)).days())
            };
            let dates = (1..=count).flat_map(week).collect();
            ("W", days.iter().map(ToString::to_string).collect(), interval, dates)
        }
        2 => {
            let day = random.i8(1..29);
            let start = first.first_of_month();
            let dates =
                (0..count).map(|at| start + (at as i64 * interval).months() + (day - 1).days()).collect();
            ("MD", vec![day.to_string()], interval, dates)
        }
        3 => {
            let (place, day) = (random.i8(1..5), random.i8(0..7));
            let weekday = Weekday::from_sunday_zero_offset(day).unwrap();
            let start = first.first_of_month();
            let month =
                |at: usize| (start + (at as i64 * interval).months()).nth_weekday_of_month(place, weekday);
            let dates = (0..count).map(|at| month(at).unwrap()).collect();
            ("MP", vec![format!("{place}.{day}")], interval, dates)
        }
        _ => {
            let count = count as i32;
            let spread = (0..count).map(|at| first + (at * 9 + random.i32(0..8)).days()).collect();
            ("C", Vec::new(), 1, spread)
        }
    }
}

fn stored(document: Document, item: &str, interval: i64) -> Document {
    document.without(item).text(item, &interval.to_string())
}

/// A series with deleted and moved occurrences, and what is to be seen of it.
fn series(random: &mut Rng) -> (Object, Vec<[String; 2]>) {
    let (stored_zone, name) = [(NEW_YORK, "America/New_York"), (BERLIN, "Europe/Berlin")][random.usize(..2)];
    let zone = TimeZone::get(name).unwrap();
    let (unit, adjust, interval, dates) = dates(random);
    // An hour that no change of the clock skips.
    let hour = random.i8(4..20);
    let at = |date: &Date| zone.to_timestamp(date.at(hour, 30, 0, 0)).unwrap();
    let originals: Vec<Timestamp> = dates.iter().map(at).collect();
    let told: Vec<String> = originals.iter().map(ToString::to_string).collect();
    let told: Vec<&str> = told.iter().map(String::as_str).collect();
    let adjust: Vec<&str> = adjust.iter().map(String::as_str).collect();
    let parent = stored(parent(stored_zone, unit, &adjust, &told), "RepeatInterval", interval);
    let mut regular = Vec::new();
    let mut moved = Vec::new();
    for (at, original) in originals.iter().enumerate() {
        match random.u8(..10) {
            0 if at > 0 => {}
            1 if at > 0 => moved.push((*original, *original + SignedDuration::from_mins(150))),
            _ => regular.push(*original),
        }
    }
    let text = |time: &Timestamp| time.to_string();
    let regular_texts: Vec<String> = regular.iter().map(text).collect();
    let regular_texts: Vec<&str> = regular_texts.iter().map(String::as_str).collect();
    let mut leader = instance(stored_zone, 1, &regular_texts, &regular_texts).beside(&parent);
    for (number, (original, start)) in moved.iter().enumerate() {
        let [original, start] = [original, start].map(text);
        leader = leader.beside(&instance(stored_zone, number as u8 + 2, &[&original], &[&start]));
    }
    let starts = regular.into_iter().chain(moved.into_iter().map(|(_, start)| start));
    let mut seen: Vec<[String; 2]> =
        starts.map(|start| [start, start + SignedDuration::from_hours(1)].map(|time| text(&time))).collect();
    seen.sort();
    (leader.convert().converted.object.unwrap(), seen)
}

#[test]
fn another_program_sees_the_dates_of_every_series() {
    let folder = tempfile::tempdir().unwrap();
    let mut random = Rng::with_seed(9);
    let (mut files, mut expected, mut rules) = (Vec::new(), Vec::new(), 0);
    for number in 0..150 {
        let (object, dates) = series(&mut random);
        files.push(write(&object, folder.path(), &format!("{number}.ics")));
        let text = std::fs::read_to_string(&files[number]).unwrap();
        rules += usize::from(text.split("BEGIN:VEVENT").nth(1).unwrap().contains("RRULE:"));
        expected.push(dates);
    }
    assert!((90..140).contains(&rules), "{rules} series have a rule");
    let Some(found) = expanded(&files) else { return };
    for ((file, found), expected) in files.iter().zip(&found).zip(&expected) {
        let text = std::fs::read_to_string(file).unwrap();
        assert_eq!(found["errors"], Value::Array(Vec::new()), "{text}");
        let dates: Vec<[String; 2]> = serde_json::from_value(found["dates"].clone()).unwrap();
        assert_eq!(&dates, expected, "{text}");
    }
}

/// The calendar objects of a forged mailbox.
fn forged() -> Vec<Object> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("jane.nsf");
    mailbox::forge(&path, &MailboxOptions { version: Version::Ods52, mails: 160, seed: 8 }).unwrap();
    let mut source = NsfSource::open(&path).unwrap();
    let owner = source.owner().map(str::to_owned);
    let directory = Directory::default();
    let context = Context {
        owner: owner.as_deref(),
        ..Context::bare(source.replica_id(), &directory, 1_800_000_000_000)
    };
    let mut objects = Vec::new();
    for listed in source.list(None, 1000).unwrap().items {
        let Ok(converted) = convert(&source.open(listed.id).unwrap(), &[], None, &context) else { continue };
        let expected = |loss: &Loss| loss.detail == "Blue Room/Munich";
        assert!(
            converted.object.is_none() || converted.losses.iter().all(expected),
            "{:?}",
            converted.losses
        );
        objects.extend(converted.object);
    }
    objects
}

#[test]
fn a_real_client_lists_every_event_of_a_forged_mailbox() {
    let objects = forged();
    let [events, tasks] = [ObjectKind::Event, ObjectKind::Task]
        .map(|kind| objects.iter().filter(|object| object.kind == kind).collect::<Vec<_>>());
    assert_eq!((events.len(), tasks.len()), (12, 2));
    let folder = tempfile::tempdir().unwrap();
    let calendar = folder.path().join("calendar");
    std::fs::create_dir(&calendar).unwrap();
    let mut uids = BTreeSet::new();
    let mut files = Vec::new();
    for (number, object) in events.iter().enumerate() {
        let path = write(object, &calendar, &format!("{number}.ics"));
        let text = std::fs::read_to_string(&path).unwrap();
        uids.insert(text.lines().find_map(|line| line.strip_prefix("UID:")).unwrap().to_owned());
        files.push(path);
    }
    files.extend(
        tasks.iter().enumerate().map(|(at, task)| write(task, folder.path(), &format!("task{at}.ics"))),
    );
    if let Some(found) = expanded(&files) {
        assert!(found.iter().all(|file| file["errors"] == Value::Array(Vec::new())), "{found:?}");
        let dates = |file: &Value| file["dates"].as_array().unwrap().len();
        // Twelve dates, one of them deleted.
        assert_eq!(found.iter().filter(|file| dates(file) == 11).count(), 2);
        assert!(found[12..].iter().all(|file| file["due"].as_array().unwrap().len() == 1));
    }
    let config = folder.path().join("khal.conf");
    let text = format!(
        "[calendars]\n[[jane]]\npath = {}\n[sqlite]\npath = {}\n[locale]\nlocal_timezone = Europe/Berlin\n\
         default_timezone = Europe/Berlin\ndateformat = %Y-%m-%d\nlongdateformat = %Y-%m-%d\ntimeformat = %H:%M\n\
         datetimeformat = %Y-%m-%d %H:%M\nlongdatetimeformat = %Y-%m-%d %H:%M\n",
        calendar.display(),
        folder.path().join("khal.db").display()
    );
    std::fs::write(&config, text).unwrap();
    let mut command = Command::new("khal");
    command.env("HOME", folder.path()).env("LC_ALL", "C.UTF-8").arg("-c").arg(&config);
    command.args(["list", "--day-format", "", "--format", "{uid}", "2018-12-01", "2400d"]);
    let Ok(output) = command.output() else { return eprintln!("skipped: there is no khal") };
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let listed: BTreeSet<String> =
        text.lines().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty()).collect();
    assert_eq!(listed, uids, "{}", String::from_utf8_lossy(&output.stderr));
}

// A rule or a list of any length, in bounded time and size.
#[test]
fn a_series_of_very_many_dates_is_converted_whole() {
    let first = Timestamp::from_second(1_000_000_000).unwrap();
    let dates: Vec<String> =
        (0..10_000).map(|day| (first + SignedDuration::from_hours(24 * day)).to_string()).collect();
    let dates: Vec<&str> = dates.iter().map(String::as_str).collect();
    for (unit, rules) in [("D", 1), ("C", 0)] {
        let zone = "Z=-3005$DO=0$ZN=India";
        let series = instance(zone, 1, &dates, &dates).beside(&parent(zone, unit, &[], &dates)).convert();
        let calendar = series.calendar();
        assert_eq!(calendar.matches("RRULE:").count(), rules);
        assert!(calendar.len() < 400_000, "{}", calendar.len());
    }
    // All of them changed, each in another way, with a long text: most keep their time and nothing else.
    let moved: Vec<String> = dates
        .iter()
        .enumerate()
        .map(|(at, date)| {
            (date.parse::<Timestamp>().unwrap() + SignedDuration::from_mins(at as i64 % 600)).to_string()
        })
        .collect();
    let moved: Vec<&str> = moved.iter().map(String::as_str).collect();
    let long = "x".repeat(50_000);
    let parent = parent(BERLIN, "D", &[], &dates);
    let series = instance(BERLIN, 1, &dates, &moved).text("Body", &long).beside(&parent).convert();
    assert!(series.calendar().len() < 40 << 20);
    assert_eq!(series.calendar().matches("BEGIN:VEVENT").count(), 1_001);
}

#[test]
fn values_that_make_no_sense_do_no_harm() {
    let extremes =
        [[0, 0], [u32::MAX, u32::MAX], [0, 2_524_958], [8_639_999, 2_415_021], [8_640_000, 2_451_545]];
    let names =
        ["StartDateTime", "EndDateTime", "RepeatDates", "RepeatInstanceDates", "DueDateTime", "$AlarmTime"];
    let zones = [BERLIN, "Z=99999$DO=1$DL=1 1 1 1 1 1", "Z=14$ZN=x;y:\"z\r\n", "$ZN=Eastern"];
    for form in ["Appointment", "Task", "Notice"] {
        for kind in ["0", "1", "2", "3", "4", "x"] {
            for zone in zones {
                let mut entry = document()
                    .text("Form", form)
                    .text("AppointmentType", kind)
                    .text("NoticeType", "I")
                    .text("StartTimeZone", zone)
                    .text("ApptUNID", "a\r\nATTENDEE:b")
                    .text("Subject", "a\r\nb\0c")
                    .list("RequiredAttendees", &["\"", "a\r\nb", ";:,", "x@example.com\r\nX:"])
                    .text("RepeatUnit", "W")
                    .text("RepeatInterval", "1e300")
                    .list("RepeatAdjust", &["9", "-1", ""])
                    .number("$Alarm", 1.0)
                    .number("$AlarmOffset", f64::NEG_INFINITY)
                    .number("SequenceNum", f64::NAN);
                for (at, name) in names.iter().enumerate() {
                    let values: Vec<u8> = [at % 5, (at + 1) % 5, 2, 3]
                        .iter()
                        .flat_map(|index| Timedate(extremes[*index]).to_stored())
                        .collect();
                    let value = [&[4, 0, 0, 0][..], &values].concat();
                    entry = entry.item(name, notesferry::notes::item::ItemType::TIME_RANGE, value);
                }
                let outcome = entry.convert();
                if outcome.converted.object.is_some() {
                    outcome.calendar();
                }
                outcome.calendar_part();
            }
        }
    }
}
