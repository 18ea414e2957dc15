//! Tasks: the rows of the table of task cases, by their ids.

use super::calendar::{BERLIN, UID, lines};
use crate::support::document::{Document, Outcome, document};
use notesferry::model::loss::LossKind;

fn task() -> Document {
    document()
        .text("Form", "Task")
        .text("TaskType", "1")
        .text("Subject", "Report")
        .text("ApptUNID", UID)
        .text("StartTimeZone", BERLIN)
        .modified("2024-06-20T10:00:00Z")
}

fn todo(outcome: &Outcome, property: &str) -> Vec<String> {
    lines(&outcome.calendar(), "VTODO", property)
}

#[test]
fn t01_a_task_is_due_on_a_day() {
    let task = task().text("Importance", "1").time("DueDateTime", "2024-06-28T18:00:00Z", 60).convert();
    assert_eq!(todo(&task, "DUE"), ["DUE;VALUE=DATE:20240628"]);
    assert_eq!(todo(&task, "PRIORITY"), ["PRIORITY:1"]);
    assert_eq!(todo(&task, "STATUS"), ["STATUS:NEEDS-ACTION"]);
    assert_eq!(task.folders(), ["Tasks"]);
    assert!(task.plain().contains("Due: 2024-06-28\n"));
    assert_eq!(task.losses(), []);
}

// In summer the offset of the stored time is an hour short.
#[test]
fn without_a_zone_the_stored_offset_tells_the_day() {
    for (due, day) in [("2024-06-27T22:00:00Z", "20240628"), ("2024-01-28T19:00:00Z", "20240128")] {
        let task = task().without("StartTimeZone").time("DueDateTime", due, 60).convert();
        assert_eq!(todo(&task, "DUE"), [format!("DUE;VALUE=DATE:{day}")]);
    }
}

#[test]
fn a_due_time_that_somebody_set_is_kept() {
    let task = task()
        .time("StartDateTime", "2024-06-28T02:00:00Z", 60)
        .time("DueDateTime", "2024-06-28T13:30:00Z", 60)
        .convert();
    assert_eq!(todo(&task, "DUE"), ["DUE;TZID=Europe/Berlin:20240628T153000"]);
    assert_eq!(todo(&task, "DTSTART"), ["DTSTART;TZID=Europe/Berlin:20240628T000000"]);
    assert!(task.calendar().contains("BEGIN:VTIMEZONE"));
}

#[test]
fn t02_a_completed_task() {
    let task = task().text("DueState", "9").time("CompletedDateTime", "2024-06-27T10:15:00Z", 60).convert();
    assert_eq!(todo(&task, "COMPLETED"), ["COMPLETED:20240627T101500Z"]);
    assert_eq!(todo(&task, "STATUS"), ["STATUS:COMPLETED"]);
    assert_eq!(todo(&task, "PERCENT-COMPLETE"), ["PERCENT-COMPLETE:100"]);
}

#[test]
fn a_task_completed_at_an_unknown_time_was_so_at_its_last_change() {
    let task = task().text("DueState", "9").convert();
    assert_eq!(todo(&task, "COMPLETED"), ["COMPLETED:20240620T100000Z"]);
    assert_eq!(task.losses(), [LossKind::DateSubstituted]);
}

#[test]
fn t03_an_overdue_task_is_still_to_do() {
    let task = task().text("DueState", "0").time("DueDateTime", "2024-06-19T18:00:00Z", 60).convert();
    assert_eq!(todo(&task, "STATUS"), ["STATUS:NEEDS-ACTION"]);
    assert_eq!(todo(&task, "DUE"), ["DUE;VALUE=DATE:20240619"]);
}

#[test]
fn t04_a_start_after_the_due_date_is_dropped() {
    let task = task()
        .time("StartDateTime", "2024-07-01T02:00:00Z", 60)
        .time("DueDateTime", "2024-06-28T18:00:00Z", 60)
        .convert();
    assert_eq!(todo(&task, "DTSTART"), [""; 0]);
    assert_eq!(task.losses(), [LossKind::EndInvalid]);
}

#[test]
fn t05_a_group_task_has_people() {
    let task = task()
        .text("Chair", "b@example.com")
        .list("AssignedTo", &["a@example.com"])
        .owner("CN=B/O=Acme")
        .convert();
    assert_eq!(todo(&task, "ORGANIZER"), ["ORGANIZER;SCHEDULE-AGENT=CLIENT:mailto:b@example.com"]);
    let attendees = todo(&task, "ATTENDEE");
    assert!(attendees[0].ends_with(":mailto:a@example.com") && attendees.len() == 1, "{attendees:?}");
}

#[test]
fn t06_a_weekly_task_begins_on_its_first_due_date() {
    let dates = ["2024-06-07T18:00:00Z", "2024-06-14T18:00:00Z", "2024-06-21T18:00:00Z"];
    let repeated = |task: Document| task.text("OrgRepeat", "1").time("DueDateTime", dates[0], 60);
    let parent = repeated(task())
        .text("RepeatUnit", "W")
        .list("RepeatAdjust", &["5"])
        .times("RepeatDates", &dates)
        .text("$CSFlags", "c");
    let instance = task()
        .number_in_file(1)
        .answers(document().note.unid, "")
        .times("RepeatInstanceDates", &dates)
        .times("DueDateTime", &dates);
    let series = instance.beside(&parent).convert();
    assert_eq!(todo(&series, "DTSTART"), ["DTSTART;VALUE=DATE:20240607"]);
    assert_eq!(todo(&series, "DUE"), ["DUE;VALUE=DATE:20240607"]);
    assert_eq!(todo(&series, "RRULE"), ["RRULE:FREQ=WEEKLY;UNTIL=20240621;BYDAY=FR"]);
    assert_eq!(series.losses(), []);
}

#[test]
fn t07_a_task_without_a_date() {
    let task = task().number("$Alarm", 1.0).number("$AlarmOffset", -1.0).convert();
    assert_eq!(todo(&task, "DUE"), [""; 0]);
    // An alarm would have nothing to count from.
    assert!(!task.calendar().contains("VALARM"));
}

#[test]
fn the_alarm_of_a_task_counts_from_its_due_date() {
    let task = task()
        .time("DueDateTime", "2024-06-28T13:30:00Z", 60)
        .number("$Alarm", 1.0)
        .number("$AlarmOffset", -1.0)
        .text("$AlarmUnit", "D")
        .convert();
    assert_eq!(todo(&task, "TRIGGER"), ["TRIGGER;RELATED=END:-P1D"]);
}

#[test]
fn a_notice_about_a_task_speaks_of_a_task() {
    let notice = task()
        .without("Form")
        .text("Form", "TaskNotice")
        .text("NoticeType", "F")
        .text("From", "a@example.com")
        .text("Chair", "b@example.com")
        .time("PostedDate", "2024-06-20T10:00:00Z", 0)
        .convert();
    let calendar = notice.calendar_part().unwrap();
    assert!(calendar.contains("METHOD:REPLY\n"), "{calendar}");
    assert_eq!(lines(&calendar, "VTODO", "ATTENDEE"), ["ATTENDEE;PARTSTAT=COMPLETED:mailto:a@example.com"]);
}
