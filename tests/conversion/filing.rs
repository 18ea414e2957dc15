//! Folders, flags and INTERNALDATE: F01 to F10 (F11 is in `tests/copies.rs`); what days leave out.

use crate::support::document::{Document, NOW_MS, document, memo, unix_ms};
use notesferry::model::filter::{Filter, ItemKind, LeftOut};
use notesferry::model::folder::FolderRole;
use notesferry::model::loss::LossKind;
use notesferry::notes::document::Note;

#[test]
fn f01_a_memo_without_dates_is_a_draft() {
    let mail = document()
        .text("Form", "Memo")
        .text("EnterSendTo", "bob@example.com, \"Ray, Ann\" <ann@example.com>")
        .modified("2014-08-08T17:37:11Z")
        .convert();
    assert_eq!(mail.folders(), ["Drafts"]);
    assert!(mail.converted.flags.draft && mail.converted.flags.seen);
    assert!(mail.has_line("To: bob@example.com, \"Ray, Ann\" <ann@example.com>"));
    assert_eq!(mail.converted.internal_date_ms, unix_ms("2014-08-08T17:37:11Z"));
}

#[test]
fn f02_posted_only_is_sent() {
    let mail =
        document().text("Form", "Memo").time("PostedDate", "2014-08-08T10:00:00Z", 0).unread().convert();
    assert_eq!(mail.folders(), ["Sent"]);
    assert!(mail.converted.flags.seen && !mail.converted.flags.draft);
    assert_eq!(mail.converted.internal_date_ms, unix_ms("2014-08-08T10:00:00Z"));
}

#[test]
fn f03_delivered_is_received() {
    let mail = document()
        .text("Form", "Memo")
        .time("PostedDate", "2014-08-08T10:00:00Z", 0)
        .time("DeliveredDate", "2014-08-08T10:05:00Z", 0)
        .folder(FolderRole::Inbox, &["($Inbox)"])
        .unread()
        .convert();
    assert_eq!(mail.folders(), ["INBOX"]);
    assert_eq!(mail.converted.flags, Default::default());
    assert_eq!(mail.converted.internal_date_ms, unix_ms("2014-08-08T10:05:00Z"));
}

#[test]
fn f04_a_document_lies_in_each_of_its_folders() {
    let mail =
        memo().folder(FolderRole::Inbox, &["($Inbox)"]).folder(FolderRole::User, &["Projects", "Sales"]);
    assert_eq!(mail.convert().folders(), ["INBOX", "Projects/Sales"]);
}

#[test]
fn f06_replied_and_forwarded() {
    let flags = |value: &str| memo().text("$RespondedTo", value).convert().converted.flags;
    assert!(flags("3").answered);
    assert_eq!(flags("3").keywords, ["$Forwarded"]);
    assert!(!flags("2").answered);
    assert_eq!(flags("2").keywords, ["$Forwarded"]);
    assert!(flags("1").answered && flags("1").keywords.is_empty());
    assert!(!flags("0").answered);
}

#[test]
fn f07_soft_deleted_documents_lie_in_the_trash() {
    let mail = memo().folder(FolderRole::Inbox, &["($Inbox)"]).soft_deleted().convert();
    assert_eq!(mail.folders(), ["Trash"]);
}

#[test]
fn f08_stationery_is_a_template() {
    let mail = document().text("Form", "Memo").text("IsMailStationery", "1").convert();
    assert_eq!(mail.folders(), ["Templates"]);
    assert!(mail.converted.flags.draft);
}

#[test]
fn f09_what_was_taken_out_of_the_sent_view_is_not_in_sent() {
    let mail = document()
        .text("Form", "Notice")
        .list("ExcludeFromView", &["S", "A"])
        .time("PostedDate", "2014-08-08T10:00:00Z", 0)
        .convert();
    assert_eq!(mail.folders(), ["All Documents"]);
}

#[test]
fn f10_without_dates_the_last_change_counts() {
    let mail = document().text("Form", "Memo").modified("2014-08-08T17:37:11Z").convert();
    assert_eq!(mail.converted.internal_date_ms, unix_ms("2014-08-08T17:37:11Z"));
    assert!(mail.losses().contains(&LossKind::DateSubstituted));
}

#[test]
fn the_time_in_a_unid_stands_in_where_it_is_one() {
    let mut mail = document().text("Form", "FooBar").text("Body", "x").modified("2015-01-01T00:00:00Z");
    let created = notesferry::notes::timedate::Timedate::from_unix_ms(unix_ms("2014-08-08T17:18:33Z"), 0);
    mail.note.unid.0[8..12].copy_from_slice(&created.0[1].to_be_bytes());
    mail.note.unid.0[12..].copy_from_slice(&created.0[0].to_be_bytes());
    assert_eq!(mail.convert().converted.internal_date_ms, unix_ms("2014-08-08T17:18:33Z"));
}

#[test]
fn a_hidden_folder_is_reported_and_the_document_kept() {
    let mail = memo().folder(FolderRole::Hidden, &["(secret)"]).convert();
    assert_eq!(mail.folders(), ["All Documents"]);
    assert_eq!(mail.losses(), [LossKind::HiddenFolder]);
}

#[test]
fn a_users_folder_does_not_mix_with_ours() {
    let mail = memo().folder(FolderRole::User, &["Sent", "2014"]).convert();
    assert_eq!(mail.folders(), ["Sent (Notes)/2014"]);
    assert_eq!(mail.losses(), [LossKind::FolderRenamed]);
}

#[test]
fn junk_is_marked() {
    let mail = memo().folder(FolderRole::Junk, &["($JunkMail)"]).convert();
    assert_eq!(mail.folders(), ["Junk"]);
    assert_eq!(mail.converted.flags.keywords, ["$Junk"]);
}

#[test]
fn a_follow_up_is_a_flag() {
    assert!(memo().text("FollowUpStatus", "1").convert().converted.flags.flagged);
}

#[test]
fn stationery_can_be_left_out() {
    let filter = Filter { only: vec![ItemKind::Mail], ..Filter::default() };
    let out = |mark: &str| {
        let mail = document().text("Form", "Memo").text("IsMailStationery", mark);
        notesferry::conversion::left_out(&mail.note, &[], &filter, NOW_MS)
    };
    assert_eq!(["1", ""].map(out), [Some(LeftOut::Kind), None]);
}

/// What the days 2019-01-01 to 2020-01-01 leave out of a document, with the documents that belong to it.
fn left_out(document: &Document, related: &[Note]) -> Option<LeftOut> {
    let day = |day: &str| Some(unix_ms(day));
    let filter = Filter {
        only: Vec::new(),
        since_unix_ms: day("2019-01-01T00:00:00Z"),
        before_unix_ms: day("2020-01-01T00:00:00Z"),
    };
    notesferry::conversion::left_out(&document.note, related, &filter, NOW_MS)
}

#[test]
fn mail_counts_by_the_date_under_which_programs_sort_it() {
    let received = |time: &str| memo().without("DeliveredDate").time("DeliveredDate", time, 0);
    assert_eq!(left_out(&received("2018-12-31T23:59:59Z"), &[]), Some(LeftOut::TooOld));
    assert_eq!(left_out(&received("2019-01-01T00:00:00Z"), &[]), None);
    assert_eq!(left_out(&received("2020-01-01T00:00:00Z"), &[]), Some(LeftOut::TooNew));
    let contact = document().text("Form", "Person").modified("2014-08-08T17:37:11Z");
    assert_eq!(left_out(&contact, &[]), None);
}

#[test]
fn entries_and_tasks_count_from_their_first_date_to_their_last() {
    let entry = |form: &str, start: &str, end: &str| {
        document().text("Form", form).times("StartDateTime", &[start]).times("EndDateTime", &[end])
    };
    let old = || entry("Appointment", "2018-05-01T09:00:00Z", "2018-05-01T10:00:00Z");
    assert_eq!(left_out(&old(), &[]), Some(LeftOut::TooOld));
    let parent = document()
        .text("Form", "Appointment")
        .times("RepeatDates", &["2018-05-01T09:00:00Z", "2019-05-01T09:00:00Z", "2021-05-01T09:00:00Z"]);
    assert_eq!(left_out(&old(), &[parent.note]), None, "the series still runs");
    let new = entry("Appointment", "2020-01-01T09:00:00Z", "2020-01-01T10:00:00Z");
    assert_eq!(left_out(&new, &[]), Some(LeftOut::TooNew));
    let task = || document().text("Form", "Task").time("DueDateTime", "2018-05-01T09:00:00Z", 0);
    assert_eq!(left_out(&task(), &[]), None, "it is not done");
    assert_eq!(left_out(&task().text("DueState", "9"), &[]), Some(LeftOut::TooOld));
}

// The destination replaces it: F05 is in `destinations::imap::names`.
#[test]
fn a_delimiter_inside_a_name_stays_part_of_the_name() {
    let mail = memo().folder(FolderRole::User, &["A/B", "C"]).convert();
    assert_eq!(mail.converted.placements[0].parts(), ["A/B", "C"]);
}
