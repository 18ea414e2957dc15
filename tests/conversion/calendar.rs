//! Calendar entries and notices: the rows of the table of calendar cases, by their ids.

use crate::support::document::{Document, Outcome, document, memo};
use crate::support::rich_text::records;
use notesferry::model::folder::FolderRole;
use notesferry::model::loss::LossKind;
use notesferry::notes::ids::Unid;
use notesferry::notes::timedate::Timedate;

pub const NEW_YORK: &str = "Z=5$DO=1$DL=3 2 1 11 1 1$ZX=148$ZN=Eastern";
pub const BERLIN: &str = "Z=-1$DO=1$DL=3 -1 1 10 -1 1$ZX=224$ZN=W. Europe";
const AUCKLAND: &str = "Z=-12$DO=1$DL=9 -1 1 4 1 1$ZX=189$ZN=New Zealand";

pub const UID: &str = "672439DE0D45BD73C1257A7600579E81";

/// An entry of a type, in a zone, with start and end as stored.
fn entry(kind: &str, zone: &str, start: &str, end: &str) -> Document {
    entry_of(kind, zone).times("StartDateTime", &[start]).times("EndDateTime", &[end])
}

fn entry_of(kind: &str, zone: &str) -> Document {
    document()
        .text("Form", "Appointment")
        .text("AppointmentType", kind)
        .text("Subject", "Talk")
        .text("ApptUNID", UID)
        .text("$PublicAccess", "1")
        .text("StartTimeZone", zone)
        .modified("2019-06-01T10:00:00Z")
}

/// The lines of a property of the first component of that name.
pub fn lines(calendar: &str, component: &str, property: &str) -> Vec<String> {
    let begin = format!("BEGIN:{component}\n");
    let inside = calendar.split_once(&begin).unwrap_or_else(|| panic!("no {component} in {calendar}")).1;
    let inside = inside.split_once(&format!("END:{component}\n")).unwrap().0;
    let named = |line: &&str| line.split([':', ';']).next() == Some(property);
    inside.lines().filter(named).map(str::to_owned).collect()
}

fn event(outcome: &Outcome, property: &str) -> Vec<String> {
    lines(&outcome.calendar(), "VEVENT", property)
}

#[test]
fn c01_an_appointment_in_its_zone() {
    let entry = entry("0", NEW_YORK, "2024-03-12T13:00:00Z", "2024-03-12T14:00:00Z").convert();
    assert_eq!(event(&entry, "DTSTART"), ["DTSTART;TZID=America/New_York:20240312T090000"]);
    assert_eq!(event(&entry, "DTEND"), ["DTEND;TZID=America/New_York:20240312T100000"]);
    assert_eq!(event(&entry, "TRANSP"), ["TRANSP:OPAQUE"]);
    assert_eq!(event(&entry, "CLASS"), ["CLASS:PUBLIC"]);
    assert_eq!(event(&entry, "UID"), [format!("UID:{UID}")]);
    assert_eq!(event(&entry, "DTSTAMP"), ["DTSTAMP:20190601T100000Z"]);
    assert_eq!(lines(&entry.calendar(), "VTIMEZONE", "TZID"), ["TZID:America/New_York"]);
    assert_eq!(entry.folders(), ["Calendar"]);
    assert_eq!(entry.losses(), []);
    assert!(
        entry.plain().contains("When: 2024-03-12 09:00 - 10:00 (America/New_York)\n"),
        "{}",
        entry.plain()
    );
    assert!(entry.calendar_part().unwrap().contains("DTSTART;TZID=America/New_York:20240312T090000\n"));
}

#[test]
fn c02_an_all_day_event_is_on_its_local_day() {
    let entry = entry("2", BERLIN, "2024-07-01T02:00:00Z", "2024-07-01T18:00:00Z").convert();
    assert_eq!(event(&entry, "DTSTART"), ["DTSTART;VALUE=DATE:20240701"]);
    assert_eq!(event(&entry, "DTEND"), ["DTEND;VALUE=DATE:20240702"]);
    assert!(!entry.calendar().contains("VTIMEZONE"));
    assert!(entry.plain().contains("When: 2024-07-01 - 2024-07-01\n"), "{}", entry.plain());
}

#[test]
fn c03_an_event_of_several_days() {
    let entry = entry("2", BERLIN, "2024-07-01T02:00:00Z", "2024-07-03T18:00:00Z").convert();
    assert_eq!(event(&entry, "DTEND"), ["DTEND;VALUE=DATE:20240704"]);
}

#[test]
fn c04_an_anniversary_far_east() {
    let entry = entry("1", AUCKLAND, "2024-02-09T15:00:00Z", "2024-02-10T07:00:00Z").convert();
    assert_eq!(event(&entry, "DTSTART"), ["DTSTART;VALUE=DATE:20240210"]);
    assert_eq!(event(&entry, "DTEND"), ["DTEND;VALUE=DATE:20240211"]);
    assert_eq!(event(&entry, "TRANSP"), ["TRANSP:TRANSPARENT"]);
}

// Without a zone the middle of the stored day tells which one it is.
#[test]
fn an_all_day_event_without_zone_is_on_its_day_all_the_same() {
    for (start, end) in [
        ("2024-07-01T02:00:00Z", "2024-07-01T18:00:00Z"),
        ("2024-06-30T17:00:00Z", "2024-07-01T09:00:00Z"),
        ("2024-07-01T12:00:00Z", "2024-07-02T04:00:00Z"),
    ] {
        let entry = entry("2", "", start, end).convert();
        assert_eq!(event(&entry, "DTSTART"), ["DTSTART;VALUE=DATE:20240701"], "{start}");
        assert_eq!(event(&entry, "DTEND"), ["DTEND;VALUE=DATE:20240702"], "{start}");
    }
}

#[test]
fn c05_a_reminder_has_no_end() {
    let entry = entry("4", BERLIN, "2024-05-06T07:30:00Z", "2024-05-06T07:30:00Z")
        .number("$Alarm", 1.0)
        .number("$AlarmOffset", 0.0)
        .convert();
    assert_eq!(event(&entry, "DTSTART"), ["DTSTART;TZID=Europe/Berlin:20240506T093000"]);
    assert_eq!(event(&entry, "DTEND"), [""; 0]);
    assert_eq!(event(&entry, "TRIGGER"), ["TRIGGER:PT0S"]);
    assert_eq!(event(&entry, "TRANSP"), ["TRANSP:TRANSPARENT"]);
    assert_eq!(entry.losses(), []);
}

const DATES: [&str; 4] =
    ["2024-04-02T13:00:00Z", "2024-04-04T13:00:00Z", "2024-04-09T13:00:00Z", "2024-04-11T13:00:00Z"];

/// The parent of a series.
pub fn parent(zone: &str, unit: &str, adjust: &[&str], dates: &[&str]) -> Document {
    entry_of("0", zone)
        .text("OrgRepeat", "1")
        .text("$CSFlags", "c")
        .text("RepeatUnit", unit)
        .text("RepeatInterval", "1")
        .list("RepeatAdjust", adjust)
        .times("RepeatDates", dates)
}

/// A document of occurrences, each an hour long.
pub fn instance(zone: &str, number: u8, originals: &[&str], starts: &[&str]) -> Document {
    let ends: Vec<String> = starts
        .iter()
        .map(|start| {
            (start.parse::<jiff::Timestamp>().unwrap() + jiff::SignedDuration::from_hours(1)).to_string()
        })
        .collect();
    let ends: Vec<&str> = ends.iter().map(String::as_str).collect();
    entry_of("0", zone)
        .number_in_file(number)
        .answers(document().note.unid, "")
        .text("$CSFlags", "i")
        .times("RepeatInstanceDates", originals)
        .times("StartDateTime", starts)
        .times("CalendarDateTime", starts)
        .times("EndDateTime", &ends)
}

fn series(zone: &str, unit: &str, adjust: &[&str], dates: &[&str]) -> Outcome {
    instance(zone, 1, dates, dates).beside(&parent(zone, unit, adjust, dates)).convert()
}

#[test]
fn c06_a_weekly_series_is_a_rule() {
    let series = series(NEW_YORK, "W", &["2", "4"], &DATES);
    assert_eq!(event(&series, "RRULE"), ["RRULE:FREQ=WEEKLY;UNTIL=20240411T130000Z;BYDAY=TU,TH"]);
    assert_eq!(event(&series, "DTSTART"), ["DTSTART;TZID=America/New_York:20240402T090000"]);
    assert_eq!(event(&series, "DTEND"), ["DTEND;TZID=America/New_York:20240402T100000"]);
    assert!(!series.calendar().contains("RDATE;TZID") && !series.calendar().contains("EXDATE"));
    assert_eq!(series.losses(), []);
}

#[test]
fn c07_a_series_keeps_its_hour_over_the_change_of_the_clock() {
    let dates = ["2024-03-25T09:00:00Z", "2024-04-01T08:00:00Z", "2024-04-08T08:00:00Z"];
    let series = series(BERLIN, "W", &["1"], &dates);
    assert_eq!(event(&series, "DTSTART"), ["DTSTART;TZID=Europe/Berlin:20240325T100000"]);
    assert_eq!(event(&series, "RRULE"), ["RRULE:FREQ=WEEKLY;UNTIL=20240408T080000Z;BYDAY=MO"]);
}

#[test]
fn c08_the_first_monday_of_the_month() {
    let dates = ["2024-01-01T09:00:00Z", "2024-02-05T09:00:00Z", "2024-03-04T09:00:00Z"];
    let series = series(BERLIN, "MP", &["1.1"], &dates);
    assert_eq!(event(&series, "RRULE"), ["RRULE:FREQ=MONTHLY;UNTIL=20240304T090000Z;BYDAY=1MO"]);
}

#[test]
fn c09_dates_that_were_moved_off_the_weekend_are_a_list() {
    let zone = "Z=6$DO=1$DL=3 2 1 11 1 1$ZN=Central";
    let dates = ["2024-05-15T13:00:00Z", "2024-06-17T13:00:00Z", "2024-07-15T13:00:00Z"];
    let series = series(zone, "MD", &["15"], &dates);
    assert_eq!(event(&series, "RRULE"), [""; 0]);
    assert_eq!(event(&series, "RDATE"), ["RDATE;TZID=America/Chicago:20240617T080000,20240715T080000"]);
}

#[test]
fn c10_the_last_day_of_the_month() {
    let dates = ["2024-01-31T09:00:00Z", "2024-02-29T09:00:00Z", "2024-03-31T08:00:00Z"];
    let parent = parent(BERLIN, "MD", &["1"], &dates).text("RepeatFromEnd", "1");
    let series = instance(BERLIN, 1, &dates, &dates).beside(&parent).convert();
    assert_eq!(event(&series, "RRULE"), ["RRULE:FREQ=MONTHLY;UNTIL=20240331T080000Z;BYMONTHDAY=-1"]);
}

#[test]
fn c11_a_series_without_a_rule_is_a_list() {
    let dates = ["2024-01-03T09:00:00Z", "2024-02-20T09:00:00Z", "2024-02-21T09:00:00Z"];
    let series = series(BERLIN, "C", &[], &dates);
    assert_eq!(event(&series, "RDATE"), ["RDATE;TZID=Europe/Berlin:20240220T100000,20240221T100000"]);
}

#[test]
fn c12_a_deleted_occurrence_is_excluded() {
    let parent = parent(NEW_YORK, "W", &["2", "4"], &DATES);
    let rest = [DATES[0], DATES[2], DATES[3]];
    let series = instance(NEW_YORK, 1, &rest, &rest).beside(&parent).convert();
    assert_eq!(event(&series, "RRULE"), ["RRULE:FREQ=WEEKLY;UNTIL=20240411T130000Z;BYDAY=TU,TH"]);
    assert_eq!(event(&series, "EXDATE"), ["EXDATE;TZID=America/New_York:20240404T090000"]);
}

#[test]
fn c13_a_moved_occurrence_is_an_exception() {
    let parent = parent(NEW_YORK, "W", &["2", "4"], &DATES);
    let rest = [DATES[0], DATES[1], DATES[3]];
    let moved = instance(NEW_YORK, 2, &[DATES[2]], &["2024-04-10T15:00:00Z"]);
    let most = instance(NEW_YORK, 1, &rest, &rest);
    let series = most.beside(&parent).beside(&moved).convert();
    let calendar = series.calendar();
    let second = calendar.split("BEGIN:VEVENT\n").nth(2).unwrap();
    assert!(second.contains("RECURRENCE-ID;TZID=America/New_York:20240409T090000\n"), "{calendar}");
    assert!(second.contains("DTSTART;TZID=America/New_York:20240410T110000\n"), "{calendar}");
    assert!(second.contains(&format!("UID:{UID}\n")), "{calendar}");
    assert_eq!(event(&series, "RRULE"), ["RRULE:FREQ=WEEKLY;UNTIL=20240411T130000Z;BYDAY=TU,TH"]);
    assert_eq!(calendar.matches("BEGIN:VEVENT").count(), 2);
    // The other documents are no entries of their own.
    let most = instance(NEW_YORK, 1, &rest, &rest);
    for part in [parent.beside(&most).beside(&moved), moved.beside(&most)] {
        let part = part.try_convert().unwrap();
        assert_eq!((part.placements, part.losses), (vec![], vec![]));
    }
}

#[test]
fn a_series_that_was_moved_as_a_whole_takes_place_at_the_new_time() {
    let starts = DATES.map(|date| date.replace("T13", "T15"));
    let starts: Vec<&str> = starts.iter().map(String::as_str).collect();
    let parent = parent(NEW_YORK, "W", &["2", "4"], &DATES);
    let series = instance(NEW_YORK, 1, &DATES, &starts).beside(&parent).convert();
    assert_eq!(event(&series, "DTSTART"), ["DTSTART;TZID=America/New_York:20240402T110000"]);
    assert_eq!(event(&series, "RRULE"), ["RRULE:FREQ=WEEKLY;UNTIL=20240411T150000Z;BYDAY=TU,TH"]);
    assert_eq!(series.calendar().matches("BEGIN:VEVENT").count(), 1);
}

#[test]
fn a_parent_alone_gives_its_dates_and_says_so() {
    let series = parent(NEW_YORK, "W", &["2", "4"], &DATES)
        .times("StartDateTime", &[DATES[0]])
        .times("EndDateTime", &["2024-04-02T13:30:00Z"])
        .convert();
    assert_eq!(event(&series, "RRULE"), ["RRULE:FREQ=WEEKLY;UNTIL=20240411T130000Z;BYDAY=TU,TH"]);
    assert_eq!(event(&series, "DTEND"), ["DTEND;TZID=America/New_York:20240402T093000"]);
    assert_eq!(series.losses(), [LossKind::InstancesMissing]);
}

#[test]
fn an_all_day_series_is_told_in_days() {
    let dates = ["2024-07-01T02:00:00Z", "2024-07-02T02:00:00Z", "2024-07-03T02:00:00Z"];
    let as_days = |document: Document| document.without("AppointmentType").text("AppointmentType", "2");
    let ends = dates.map(|date| date.replace("T02", "T18"));
    let ends: Vec<&str> = ends.iter().map(String::as_str).collect();
    let instance =
        as_days(instance(BERLIN, 1, &dates, &dates)).without("EndDateTime").times("EndDateTime", &ends);
    let series = instance.beside(&as_days(parent(BERLIN, "D", &[], &dates))).convert();
    assert_eq!(event(&series, "DTSTART"), ["DTSTART;VALUE=DATE:20240701"]);
    assert_eq!(event(&series, "DTEND"), ["DTEND;VALUE=DATE:20240702"]);
    assert_eq!(event(&series, "RRULE"), ["RRULE:FREQ=DAILY;UNTIL=20240703"]);
}

/// A meeting in the chair's file.
fn meeting() -> Document {
    entry("3", NEW_YORK, "2024-03-12T13:00:00Z", "2024-03-12T14:00:00Z")
        .times("CalendarDateTime", &["2024-03-12T13:00:00Z"])
        .owner("CN=Chair/O=Acme")
        .text("Chair", "CN=Chair/O=Acme")
        .text("From", "CN=Chair/O=Acme")
        .text("INetFrom", "chair@x.example.com")
        .list("RequiredAttendees", &["CN=A/O=Acme"])
        .list("INetRequiredNames", &["a@x.example.com"])
        .list("OptionalAttendees", &["CN=B/O=Acme"])
        .list("INetOptionalNames", &["."])
        .list("FYIAttendees", &["CN=C/O=Acme"])
        .number("SequenceNum", 2.0)
}

// Nothing is known of B and C but their names, so a placeholder stands for their addresses.
#[test]
fn c14_participants_have_their_roles() {
    let meeting = meeting().convert();
    assert_eq!(
        event(&meeting, "ATTENDEE"),
        [
            "ATTENDEE;CN=\"A\";ROLE=REQ-PARTICIPANT;PARTSTAT=NEEDS-ACTION;RSVP=TRUE;SCHEDULE-AGENT=CLIENT:mailto:a@x.example.com",
            "ATTENDEE;CN=\"B/Acme\";ROLE=OPT-PARTICIPANT;PARTSTAT=NEEDS-ACTION;RSVP=TRUE;SCHEDULE-AGENT=CLIENT:mailto:b.acme@unresolved.invalid",
            "ATTENDEE;CN=\"C/Acme\";ROLE=NON-PARTICIPANT;PARTSTAT=NEEDS-ACTION;RSVP=TRUE;SCHEDULE-AGENT=CLIENT:mailto:c.acme@unresolved.invalid",
        ]
    );
    assert_eq!(event(&meeting, "ORGANIZER"), ["ORGANIZER;CN=\"Chair\":mailto:chair@x.example.com"]);
    assert_eq!(meeting.losses(), [LossKind::AddressUnresolved, LossKind::AddressUnresolved]);
}

fn answer(number: u8, kind: &str, sequence: f64, modified: &str) -> Document {
    document()
        .number_in_file(number)
        .text("Form", "Notice")
        .text("NoticeType", kind)
        .text("ApptUNID", UID)
        .text("From", "CN=A/O=Acme")
        .text("INetFrom", "a@x.example.com")
        .number("SequenceNum", sequence)
        .modified(modified)
}

#[test]
fn c15_the_newest_answer_to_the_present_state_counts() {
    let first = answer(1, "A", 1.0, "2024-03-01T10:00:00Z");
    let second = answer(2, "R", 2.0, "2024-03-02T10:00:00Z");
    let stale = answer(3, "A", 1.0, "2024-03-03T10:00:00Z");
    let meeting = meeting().beside(&first).beside(&second).beside(&stale).convert();
    let attendees = event(&meeting, "ATTENDEE");
    assert!(attendees[0].contains(";PARTSTAT=DECLINED;") && !attendees[0].contains("RSVP"), "{attendees:?}");
    assert!(attendees[1].contains(";PARTSTAT=NEEDS-ACTION;"), "{attendees:?}");
    assert_eq!(event(&meeting, "SEQUENCE"), ["SEQUENCE:1"]);
}

#[test]
fn rooms_and_resources_are_no_people() {
    let meeting = meeting()
        .without("OptionalAttendees")
        .without("INetOptionalNames")
        .without("FYIAttendees")
        .text("Room", "CN=Blue Room/O=Site")
        .text("RequiredResources", "CN=Beamer/O=Site")
        .convert();
    let attendees = event(&meeting, "ATTENDEE");
    assert!(attendees[1].contains(";CUTYPE=ROOM;ROLE=NON-PARTICIPANT;"), "{attendees:?}");
    assert!(attendees[2].contains(";CUTYPE=RESOURCE;ROLE=NON-PARTICIPANT;"), "{attendees:?}");
    assert_eq!(event(&meeting, "LOCATION"), ["LOCATION:Blue Room"]);
}

#[test]
fn on_an_invitees_copy_the_owner_has_accepted() {
    let meeting = meeting().owner("CN=A/O=Acme").convert();
    assert!(event(&meeting, "ATTENDEE")[0].contains(";PARTSTAT=ACCEPTED:"), "{}", meeting.calendar());
    let organizer = "ORGANIZER;CN=\"Chair\";SCHEDULE-AGENT=CLIENT:mailto:chair@x.example.com";
    assert_eq!(event(&meeting, "ORGANIZER"), [organizer]);
}

fn notice(kind: &str) -> Document {
    memo()
        .without("Form")
        .without("From")
        .text("Form", "Notice")
        .text("NoticeType", kind)
        .text("AppointmentType", "3")
        .text("ApptUNID", UID)
        .text("From", "\"Other\" <other@example.com>")
        .text("Chair", "jane@example.com")
        .text("Topic", "Talk")
        .times("StartDateTime", &["2012-09-13T13:30:00Z"])
        .times("EndDateTime", &["2012-09-13T14:30:00Z"])
        .text("StartTimeZone", "Z=-1$DO=1$DL=3 -1 1 10 -1 1$ZX=70$ZN=Central Europe")
        .modified("2012-09-10T13:30:00Z")
}

#[test]
fn c16_an_answer_is_mail_with_a_reply() {
    let mail = notice("A").convert();
    let calendar = mail.calendar_part().unwrap();
    assert!(
        mail.text().contains("method=\"REPLY\"") || mail.text().contains("method=REPLY"),
        "{}",
        mail.text()
    );
    assert!(calendar.contains("METHOD:REPLY\n"), "{calendar}");
    assert_eq!(lines(&calendar, "VEVENT", "UID"), [format!("UID:{UID}")]);
    assert_eq!(
        lines(&calendar, "VEVENT", "ATTENDEE"),
        ["ATTENDEE;PARTSTAT=ACCEPTED:mailto:other@example.com"]
    );
    assert_eq!(lines(&calendar, "VEVENT", "ORGANIZER"), ["ORGANIZER:mailto:jane@example.com"]);
    assert_eq!(lines(&calendar, "VEVENT", "DTSTART"), ["DTSTART;TZID=Europe/Budapest:20120913T153000"]);
    assert_eq!(lines(&calendar, "VEVENT", "SUMMARY"), ["SUMMARY:Talk"]);
    assert!(mail.converted.object.is_none());
    assert_eq!(mail.losses(), []);
}

#[test]
fn c17_a_counter_proposal_names_the_new_time() {
    for proposal in [
        notice("T").times("NewStartDateTime", &["2024-03-13T14:00:00Z"]),
        notice("T")
            .timedate("NewStartDate", Timedate::from_unix_day(19_795))
            .timedate("NewStartTime", Timedate([15 * 360_000, 0x00FF_FFFF])),
    ] {
        let calendar = proposal.convert().calendar_part().unwrap();
        assert!(calendar.contains("METHOD:COUNTER\n"), "{calendar}");
        assert_eq!(lines(&calendar, "VEVENT", "DTSTART"), ["DTSTART;TZID=Europe/Budapest:20240313T150000"]);
        assert!(!calendar.contains("PARTSTAT=TENTATIVE"), "{calendar}");
    }
}

#[test]
fn c18_a_cancellation() {
    let calendar = notice("C").convert().calendar_part().unwrap();
    assert!(calendar.contains("METHOD:CANCEL\n"), "{calendar}");
    assert_eq!(lines(&calendar, "VEVENT", "STATUS"), ["STATUS:CANCELLED"]);
}

#[test]
fn every_type_of_notice_has_its_method() {
    for (types, method) in [
        ("IUKNBL", "REQUEST"),
        ("CY", "CANCEL"),
        ("J", "DECLINECOUNTER"),
        ("APRDF", "REPLY"),
        ("E", "REFRESH"),
    ] {
        for kind in types.chars() {
            let calendar = notice(&kind.to_string()).convert().calendar_part().unwrap();
            assert!(calendar.contains(&format!("METHOD:{method}\n")), "{kind}: {calendar}");
        }
    }
    for kind in ["G", "H", "W", "X", "Z", ""] {
        let mail = notice(kind).convert();
        assert!(mail.calendar_part().is_none());
        assert_eq!(mail.losses(), [LossKind::ConstructDropped], "{kind}");
    }
    let removed = notice("S").text("OrgStatus", "5").convert().calendar_part().unwrap();
    assert!(removed.contains("METHOD:CANCEL\n"));
}

#[test]
fn an_invitation_names_those_it_was_sent_to() {
    let calendar = notice("I").convert().calendar_part().unwrap();
    let attendee = "ATTENDEE;ROLE=REQ-PARTICIPANT;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:bob@example.com";
    assert_eq!(lines(&calendar, "VEVENT", "ATTENDEE"), [attendee]);
}

#[test]
fn an_answer_to_one_date_of_a_series_names_it() {
    let calendar = notice("A")
        .text("OrgRepeat", "1")
        .times("RepeatInstanceDates", &["2012-09-13T12:30:00Z"])
        .convert()
        .calendar_part()
        .unwrap();
    assert_eq!(
        lines(&calendar, "VEVENT", "RECURRENCE-ID"),
        ["RECURRENCE-ID;TZID=Europe/Budapest:20120913T143000"]
    );
}

#[test]
fn a_stored_calendar_part_stays_the_only_one() {
    let mail = notice("A")
        .mime(
            2,
            "",
            "Content-Type: text/calendar; method=REPLY\r\n\r\n",
            "BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n",
        )
        .convert();
    assert_eq!(mail.text().matches("text/calendar").count(), 1, "{}", mail.text());
}

#[test]
fn c19_a_private_entry_that_leaves_time_free() {
    let entry = entry("0", NEW_YORK, "2024-03-12T13:00:00Z", "2024-03-12T14:00:00Z")
        .text("OrgConfidential", "1")
        .text("BookFreeTime", "1")
        .text("$BusyPriority", "2")
        .convert();
    assert_eq!(event(&entry, "CLASS"), ["CLASS:PRIVATE"]);
    assert_eq!(event(&entry, "TRANSP"), ["TRANSP:TRANSPARENT"]);
}

#[test]
fn c20_an_offset_of_half_an_hour() {
    let entry =
        entry("0", "Z=-3005$DO=0$ZX=35$ZN=India", "2024-09-03T08:30:00Z", "2024-09-03T09:30:00Z").convert();
    assert_eq!(event(&entry, "DTSTART"), ["DTSTART;TZID=Asia/Kolkata:20240903T140000"]);
}

#[test]
fn c21_a_zone_known_by_its_rules() {
    let entry =
        entry("0", "Z=6$DO=1$DL=3 2 1 11 1 1$ZX=0$ZN=GMT-6", "2024-03-12T13:00:00Z", "2024-03-12T14:00:00Z");
    assert_eq!(event(&entry.convert(), "DTSTART"), ["DTSTART;TZID=America/Chicago:20240312T080000"]);
}

#[test]
fn c22_rules_of_their_own_are_written_with_the_entry() {
    let entry =
        entry("0", "Z=-1$DO=1$DL=4 2 3 9 1 2$ZX=0$ZN=Foo", "2024-05-12T13:00:00Z", "2024-05-12T14:00:00Z")
            .convert();
    assert_eq!(event(&entry, "DTSTART"), ["DTSTART;TZID=Notes/Foo:20240512T150000"]);
    let calendar = entry.calendar();
    assert_eq!(lines(&calendar, "DAYLIGHT", "RRULE"), ["RRULE:FREQ=YEARLY;BYMONTH=4;BYDAY=2TU"]);
    assert_eq!(lines(&calendar, "STANDARD", "RRULE"), ["RRULE:FREQ=YEARLY;BYMONTH=9;BYDAY=1MO"]);
}

#[test]
fn c23_without_a_zone_times_are_in_utc() {
    let single = entry("0", "", "2024-03-12T13:00:00Z", "2024-03-12T14:00:00Z").convert();
    assert_eq!(event(&single, "DTSTART"), ["DTSTART:20240312T130000Z"]);
    assert_eq!(single.losses(), []);
    assert_eq!(series("", "W", &["2", "4"], &DATES).losses(), [LossKind::ZoneUnknown]);
}

// Documents carry rules of daylight saving for years after they changed.
#[test]
fn a_series_of_a_machine_with_old_rules_keeps_its_hour() {
    let old_rules = "Z=5$DO=1$DL=4 1 1 10 -1 1$ZN=Eastern";
    let dates = ["2008-03-03T14:00:00Z", "2008-03-10T14:00:00Z", "2008-04-07T13:00:00Z"];
    let series = series(old_rules, "C", &[], &dates);
    assert_eq!(event(&series, "DTSTART"), ["DTSTART;TZID=Notes/Eastern:20080303T090000"]);
    assert_eq!(event(&series, "RDATE"), ["RDATE;TZID=Notes/Eastern:20080310T090000,20080407T090000"]);
}

#[test]
fn c24_an_alarm_at_a_fixed_time() {
    let entry = entry("0", NEW_YORK, "2024-03-12T13:00:00Z", "2024-03-12T14:00:00Z")
        .time("$AlarmTime", "2024-03-12T12:00:00Z", 0)
        .convert();
    assert_eq!(event(&entry, "TRIGGER"), ["TRIGGER;VALUE=DATE-TIME:20240312T120000Z"]);
}

#[test]
fn c25_the_alarm_of_a_whole_day_keeps_its_moment() {
    let entry = entry("2", BERLIN, "2024-07-01T02:00:00Z", "2024-07-01T18:00:00Z")
        .number("$Alarm", 1.0)
        .number("$AlarmOffset", -1.0)
        .text("$AlarmUnit", "D")
        .convert();
    assert_eq!(event(&entry, "TRIGGER"), ["TRIGGER:-PT20H"]);
    assert_eq!(lines(&entry.calendar(), "VALARM", "DESCRIPTION"), ["DESCRIPTION:Talk"]);
}

#[test]
fn a_dismissed_alarm_stays_silent() {
    let entry = entry("0", NEW_YORK, "2024-03-12T13:00:00Z", "2024-03-12T14:00:00Z")
        .number("$AlarmDisabled", 1.0)
        .number("$AlarmOffset", -30.0)
        .convert();
    assert!(!entry.calendar().contains("VALARM"));
}

#[test]
fn c26_an_end_before_the_start_is_dropped() {
    let entry = entry("0", NEW_YORK, "2024-03-12T13:00:00Z", "2024-03-12T12:00:00Z").convert();
    assert_eq!(event(&entry, "DTEND"), [""; 0]);
    assert_eq!(entry.losses(), [LossKind::EndInvalid]);
}

#[test]
fn c27_a_task_is_no_anniversary() {
    let task = document().text("Form", "Task").text("AppointmentType", "1").text("Subject", "x").convert();
    assert!(task.calendar().contains("BEGIN:VTODO\n"));
    assert_eq!(task.folders(), ["Tasks"]);
}

#[test]
fn c28_an_entry_out_of_service_is_counted_only() {
    let entry =
        entry("0", NEW_YORK, "2024-03-12T13:00:00Z", "2024-03-12T14:00:00Z").number("_ViewIcon", 71.0);
    let converted = entry.try_convert().unwrap();
    assert_eq!(converted.placements, []);
    assert_eq!(converted.losses.iter().map(|loss| loss.kind).collect::<Vec<_>>(), [LossKind::ObsoleteEntry]);
}

#[test]
fn c29_an_instance_without_its_parent_has_its_own_dates() {
    let series = instance(NEW_YORK, 1, &DATES[..3], &DATES[..3]).convert();
    assert_eq!(event(&series, "DTSTART"), ["DTSTART;TZID=America/New_York:20240402T090000"]);
    assert_eq!(event(&series, "RDATE"), ["RDATE;TZID=America/New_York:20240404T090000,20240409T090000"]);
    assert_eq!(series.losses(), []);
}

// X15: singles and pairs in one list.
#[test]
fn x15_a_pair_in_a_list_of_starts_is_a_start() {
    let stored = |time: &str| Timedate::from_unix_ms(crate::support::document::unix_ms(time), 0).to_stored();
    let mut value = vec![1, 0, 1, 0];
    value.extend(
        ["2024-04-02T13:00:00Z", "2024-04-04T13:00:00Z", "2024-04-04T14:00:00Z"].map(stored).concat(),
    );
    let entry = entry_of("0", NEW_YORK)
        .item("StartDateTime", notesferry::notes::item::ItemType::TIME_RANGE, value)
        .convert();
    assert_eq!(event(&entry, "RDATE"), ["RDATE;TZID=America/New_York:20240404T090000"]);
}

#[test]
fn dates_of_old_documents_come_in_two_items() {
    let time = |hours: u32| Timedate([hours * 360_000, 0x00FF_FFFF]);
    let entry = entry_of("0", BERLIN)
        .timedate("StartDate", Timedate::from_unix_day(19_795))
        .timedate("StartTime", time(15))
        .timedate("EndDate", Timedate::from_unix_day(19_795))
        .timedate("EndTime", time(16))
        .convert();
    assert_eq!(event(&entry, "DTSTART"), ["DTSTART;TZID=Europe/Berlin:20240313T150000"]);
    assert_eq!(event(&entry, "DTEND"), ["DTEND;TZID=Europe/Berlin:20240313T160000"]);
}

#[test]
fn text_and_files_go_with_the_entry() {
    let entry = entry("0", NEW_YORK, "2024-03-12T13:00:00Z", "2024-03-12T14:00:00Z")
        .rich_text("Body", records().text("about it; all, really").build())
        .rich_text("Notes", records().text("for me").build())
        .list("Categories", &["Budget, new", ""])
        .text("Location", "Room 1, first floor")
        .file("plan.txt", &[b'x'; 200])
        .convert();
    let calendar = entry.calendar();
    assert_eq!(
        lines(&calendar, "VEVENT", "DESCRIPTION"),
        ["DESCRIPTION:about it\\; all\\, really\\n\\nfor me"]
    );
    assert_eq!(lines(&calendar, "VEVENT", "CATEGORIES"), ["CATEGORIES:Budget\\, new"]);
    assert_eq!(lines(&calendar, "VEVENT", "LOCATION"), ["LOCATION:Room 1\\, first floor"]);
    let attached = lines(&calendar, "VEVENT", "ATTACH");
    let head = "ATTACH;FMTTYPE=text/plain;ENCODING=BASE64;VALUE=BINARY;FILENAME=\"plan.txt\":eHh4";
    assert!(attached[0].starts_with(head) && attached[0].ends_with("eHg="), "{attached:?}");
    // The part of the message leaves the file to the message.
    assert!(!entry.calendar_part().unwrap().contains("ATTACH"));
    assert_eq!(entry.attachments().len(), 1);
    assert!(entry.plain().contains("about it; all, really") && entry.plain().contains("for me"));
}

#[test]
fn an_object_tells_whose_it_is() {
    let entry = entry("0", NEW_YORK, "2024-03-12T13:00:00Z", "2024-03-12T14:00:00Z").convert();
    let key =
        "BEGIN:VCALENDAR\nX-NOTESFERRY-KEY:notes.85256826004C8489.8FD8E55C12D1A9764F03FE20DF203FE7\nVERSION";
    assert!(entry.calendar().starts_with(key), "{}", entry.calendar());
}

#[test]
fn an_entry_in_a_folder_of_the_user_lies_there_too() {
    let entry = |role| {
        entry("0", NEW_YORK, "2024-03-12T13:00:00Z", "2024-03-12T14:00:00Z")
            .folder(role, &["Projects"])
            .convert()
    };
    assert_eq!(entry(FolderRole::User).folders(), ["Projects", "Calendar"]);
    let deleted =
        super::calendar::entry("0", NEW_YORK, "2024-03-12T13:00:00Z", "2024-03-12T14:00:00Z").soft_deleted();
    assert_eq!(deleted.convert().folders(), ["Trash"]);
}

#[test]
fn an_invitation_that_became_an_entry_is_one() {
    let entry = notice("I")
        .times("CalendarDateTime", &["2012-09-13T13:30:00Z"])
        .text("$BusyName", "CN=Jane/O=Acme")
        .convert();
    assert_eq!(event(&entry, "DTSTART"), ["DTSTART;TZID=Europe/Budapest:20120913T153000"]);
}

#[test]
fn an_entry_without_any_time_is_a_message_only() {
    let entry = entry_of("0", NEW_YORK).convert();
    assert!(entry.converted.object.is_none() && entry.calendar_part().is_none());
    assert_eq!(entry.losses(), [LossKind::DateInvalid]);
    assert_eq!(entry.folders(), ["Calendar"]);
}

#[test]
fn a_file_that_only_a_part_of_the_series_has_is_told() {
    let most = instance(NEW_YORK, 1, &DATES[..3], &DATES[..3]);
    let part = instance(NEW_YORK, 2, &DATES[3..], &DATES[3..]).file("a.txt", b"x").beside(&most);
    let converted = part.try_convert().unwrap();
    assert_eq!(converted.placements, []);
    assert_eq!(
        converted.losses.iter().map(|loss| loss.kind).collect::<Vec<_>>(),
        [LossKind::AttachmentDropped]
    );
}

#[test]
fn the_uid_is_that_of_the_first_document_where_none_is_stored() {
    let start = "2024-04-02T13:00:00Z";
    let uid = |document: Document| event(&document.without("ApptUNID").convert(), "UID").remove(0);
    let own = uid(entry("0", NEW_YORK, start, "2024-04-02T14:00:00Z"));
    assert_eq!(own, "UID:8FD8E55C12D1A9764F03FE20DF203FE7");
    let parent: Unid = "00000000000000000000000000000001".parse().unwrap();
    let instance = entry("0", NEW_YORK, start, "2024-04-02T14:00:00Z").answers(parent, "");
    assert_eq!(uid(instance), "UID:00000000000000000000000000000001");
}

// Never two entries with one UID.
#[test]
fn the_loser_of_a_conflict_is_no_entry() {
    let winner = || entry("0", NEW_YORK, "2024-03-12T13:00:00Z", "2024-03-12T14:00:00Z");
    let loser = entry("0", NEW_YORK, "2024-03-12T15:00:00Z", "2024-03-12T16:00:00Z")
        .number_in_file(1)
        .answers(winner().note.unid, "")
        .text("$Conflict", "");
    let kept = winner().beside(&loser).convert();
    assert_eq!(event(&kept, "DTSTART"), ["DTSTART;TZID=America/New_York:20240312T090000"]);
    assert!(!kept.calendar().contains("RDATE;"), "{}", kept.calendar());
    let skipped = loser.beside(&winner()).try_convert().unwrap();
    assert_eq!(skipped.placements, []);
    let losses: Vec<LossKind> = skipped.losses.iter().map(|loss| loss.kind).collect();
    assert_eq!(losses, [LossKind::ConflictCopySkipped]);
}
