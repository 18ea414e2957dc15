//! What the files of a report hold.

use super::*;
use crate::model::loss::{LossKind, SetAsideReason};
use crate::notes::ids::{ReplicaId, Unid};
use tempfile::TempDir;

const EVIL: &str = "=HYPERLINK(\"x\")<script>&\u{202E}";

/// A report about three documents: one delivered with losses, one set aside, one unreadable.
fn report(path: &Path) {
    let mut files = ReportFiles::create(path).unwrap();
    let inbox = Folder {
        id: crate::model::folder::FolderId(1),
        path: FolderPath::new(["($Inbox)"]),
        role: FolderRole::Inbox,
        documents: 2,
    };
    files.begin(Facts { source: "jane.nsf".to_owned(), folders: vec![inbox], ..Facts::default() });
    let origin = |unid: u8| Some(Origin::Notes { replica: ReplicaId(1), unid: Unid([unid; 16]) });
    let about = About::new(EVIL, Some(0));
    let aside = SetAside::new(SetAsideReason::Refused, EVIL);
    let losses =
        [Loss::new(LossKind::ActionDropped, "Approve"), Loss::new(LossKind::ActionDropped, "Reject")];
    let folders = [FolderPath::inbox()];
    let line = |origin, outcome| Line::new(origin, outcome, &about);
    files.add(&Line { folders: &folders, losses: &losses, ..line(origin(1), "delivered") });
    files.add(&Line { set_aside: Some(&aside), ..line(origin(2), "set aside") });
    files.add(&Line { set_aside: Some(&aside), ..line(None, "set aside") });
    let ending = Ending {
        exit: Exit::SomeSetAside,
        sentence: "3 documents.",
        tally: Tally { found: 3, delivered: 1, set_aside: 2, ..Tally::default() },
        not_final: None,
        left_behind: &[],
        ended_unix_ms: 5_000,
    };
    files.finish(&ending).unwrap();
}

fn names(folder: &TempDir) -> Vec<String> {
    let entries = fs::read_dir(folder.path()).unwrap();
    let mut names: Vec<String> = entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn the_ending_of_the_name_chooses_the_form() {
    for (name, expected) in [
        ("a.csv", vec!["a.csv"]),
        ("a.JSON", vec!["a.JSON"]),
        ("a.html", vec!["a.html"]),
        ("", vec!["documents.csv", "report.html", "report.json"]),
    ] {
        let folder = tempfile::tempdir().unwrap();
        report(&folder.path().join(name));
        assert_eq!(names(&folder), expected);
    }
    let folder = tempfile::tempdir().unwrap();
    report(&folder.path().join("of").join("jane"));
    assert!(folder.path().join("of/jane/report.html").exists());
}

#[test]
fn a_report_that_cannot_be_written_is_told_before_the_run() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("file"), "").unwrap();
    let failure = ReportFiles::create(&folder.path().join("file/report.csv")).err().unwrap();
    assert_eq!(failure.exit, Exit::Usage);
}

#[test]
fn the_table_has_a_line_for_every_document_and_no_formula() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.csv");
    report(&path);
    let bytes = fs::read(&path).unwrap();
    let text = bytes.strip_prefix("\u{FEFF}".as_bytes()).unwrap();
    let mut reader = ::csv::Reader::from_reader(text);
    let lines: Vec<Vec<String>> =
        reader.records().map(|line| line.unwrap().iter().map(str::to_owned).collect()).collect();
    let [delivered, aside, unreadable] = lines.as_slice() else { panic!("{lines:?}") };
    assert_eq!(delivered[0], "delivered");
    assert_eq!(delivered[3], "action dropped: Approve; action dropped: Reject");
    assert_eq!(delivered[4], format!("'{EVIL}"));
    assert_eq!(delivered[5..8], ["1970-01-01 00:00:00", "INBOX", "01010101010101010101010101010101"]);
    assert!(aside[1].starts_with("refused: =") && !aside[2].is_empty());
    assert_eq!(unreadable[7], "");
}

#[test]
fn the_object_tells_sum_groups_and_folders() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.json");
    report(&path);
    let value: serde_json::Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    assert_eq!(value["sum"]["found"], 3);
    assert_eq!(value["set_aside"].as_array().unwrap().len(), 2);
    assert_eq!(value["set_aside"][0]["subject"], EVIL);
    assert_eq!(value["set_aside_reasons"]["refused"], 2);
    assert_eq!(
        (&value["losses"][0]["items"], &value["losses"][0]["kind"]),
        (&1.into(), &"action dropped".into())
    );
    assert_eq!(value["losses"][0]["examples"][0]["folder"], "INBOX");
    assert_eq!(value["losses"][0]["most_often"][0]["items"], 1);
    let inbox = &value["folders"][0];
    assert_eq!((&inbox["documents_at_source"], &inbox["messages_at_target"]), (&2.into(), &1.into()));
}

#[test]
fn the_page_shows_what_senders_wrote_as_text() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.html");
    report(&path);
    let page = fs::read_to_string(&path).unwrap();
    assert!(page.contains("&lt;script&gt;&amp;") && !page.contains("<script") && !page.contains('\u{202E}'));
    assert!(page.contains("<b>1</b> document: action dropped"), "{page}");
    assert!(page.contains("<b>2</b> documents: refused"));
    assert!(!page.contains("http:") && !page.contains("https:"), "it loads nothing");
}
