//! What the server answers, as tables for people.

use crate::model::outcome::Tally;
use crate::modes::inspect::printable;
use crate::modes::migrate::report;
use comfy_table::{ContentArrangement, Table, presets};
use indicatif::HumanBytes;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::Value;

/// Characters of a cell; longer texts are cut.
const CELL: usize = 200;

/// A value as a person reads it; nothing of it reaches the terminal as a command.
pub fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::String(text) => printable(text, CELL),
        Value::Array(values) => values.iter().map(text).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

/// A point in time of the API, in the zone of this machine.
pub fn time(unix_ms: &Value) -> String {
    let instant = unix_ms.as_i64().and_then(|ms| Timestamp::from_millisecond(ms).ok());
    instant.map_or_else(String::new, |instant| {
        instant.to_zoned(TimeZone::system()).strftime("%Y-%m-%d %H:%M").to_string()
    })
}

/// The sum of a pass.
pub fn tally(pass: &Value) -> Tally {
    let count = |name: &str| pass["tally"][name].as_u64().unwrap_or_default();
    Tally {
        found: count("found"),
        delivered: count("delivered"),
        already_there: count("already_there"),
        filtered_out: count("filtered_out"),
        set_aside: count("set_aside"),
        removed_by_user: count("removed_by_user"),
        still_to_do: count("still_to_do"),
    }
}

/// How a pass stands: its state, and what it waits for.
pub fn state(pass: &Value) -> String {
    let waits = &pass["waits"];
    match waits.is_null() {
        true => text(&pass["state"]),
        false => format!("waiting until {}: {}", time(&waits["until_unix_ms"]), text(&waits["why"])),
    }
}

type Column = (&'static str, fn(&Value) -> String);

macro_rules! plain {
    ($name:literal) => {
        |line: &Value| text(&line[$name])
    };
}

fn table(lines: &Value, none: &str, columns: &[Column]) -> String {
    let lines = lines.as_array().map(Vec::as_slice).unwrap_or_default();
    if lines.is_empty() {
        return none.to_owned();
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(columns.iter().map(|(title, _)| *title));
    for line in lines {
        table.add_row(columns.iter().map(|(_, cell)| cell(line)));
    }
    table.trim_fmt()
}

pub fn info(answer: &Value) -> String {
    let line = |name: &str, value: String| format!("{name:14}{value}");
    let lines = [
        line("Version", text(&answer["version"])),
        line("Address", text(&answer["address"])),
        line("Fingerprint", text(&answer["fingerprint"])),
        line("Data folder", text(&answer["data_folder"])),
        line("Started", time(&answer["started_unix_ms"])),
        line("Connectors", text(&answer["connectors"])),
        line("Mailboxes", text(&answer["mailboxes"])),
    ];
    lines.join("\n")
}

pub fn extractors(answer: &Value) -> String {
    let none = "No extractor is enrolled; `notesferry admin enrol-code` says how.";
    table(
        &answer["extractors"],
        none,
        &[
            ("No", plain!("id")),
            ("Host", plain!("host")),
            ("Version", plain!("program_version")),
            ("Heard", |line| match line["revoked"] == true {
                true => "revoked".to_owned(),
                false => time(&line["heard_unix_ms"]),
            }),
            ("Reading", plain!("migrators")),
            ("Found", plain!("found")),
            ("Folders", plain!("source_roots")),
            ("Started again because", plain!("restarted_because")),
        ],
    )
}

pub fn found(answer: &Value) -> String {
    table(
        &answer["found"],
        "It found no mailbox.",
        &[
            ("Folder", plain!("root")),
            ("Path", plain!("path")),
            ("Title", plain!("title")),
            ("Owner", plain!("owner")),
            ("Size", |line| HumanBytes(line["bytes"].as_u64().unwrap_or_default()).to_string()),
            ("Remark", |line| {
                text(&line[if line["unreadable"].is_null() { "in_use" } else { "unreadable" }])
            }),
        ],
    )
}

pub fn connectors(answer: &Value) -> String {
    table(
        &answer["connectors"],
        "No connector; add one with `notesferry admin connector add`.",
        &[
            ("No", plain!("id")),
            ("Name", plain!("name")),
            ("Kind", plain!("kind")),
            ("Location", plain!("location")),
            ("Extractor", plain!("extractor")),
        ],
    )
}

/// A mailbox as the command line names it.
pub fn source(mailbox: &Value) -> String {
    format!("{}:{}", text(&mailbox["connector_name"]), text(&mailbox["source"]))
}

pub fn mailboxes(answer: &Value) -> String {
    table(
        &answer["mailboxes"],
        "No mailbox; add one with `notesferry admin mailbox add`.",
        &[
            ("No", plain!("id")),
            ("Source", source),
            ("Target", plain!("target")),
            ("All documents", plain!("all_documents")),
        ],
    )
}

pub fn directories(answer: &Value) -> String {
    table(
        &answer["directories"],
        "No address book; add one with `notesferry admin directory add`.",
        &[
            ("No", plain!("id")),
            ("Source", plain!("name")),
            ("Names", plain!("names")),
            ("Read", |line| time(&line["read_unix_ms"])),
            ("State", |line| state(&line["last_pass"])),
        ],
    )
}

pub fn passes(answer: &Value) -> String {
    table(
        &answer["passes"],
        "No pass yet; start one with `notesferry admin pass start`.",
        &[
            ("No", plain!("id")),
            ("Mailbox", plain!("mailbox")),
            ("State", state),
            ("Found", |line| tally(line).found.to_string()),
            ("Documents", |line| report::columns(&tally(line))),
            ("Started", |line| time(&line["started_unix_ms"])),
            ("Changed", |line| time(&line["changed_unix_ms"])),
            ("Not final because", plain!("not_final")),
            ("Older copies left", plain!("left_behind")),
        ],
    )
}

pub fn set_aside(answer: &Value) -> String {
    table(
        &answer["set_aside"],
        "Nothing is set aside.",
        &[
            ("Document", plain!("key")),
            ("Reason", plain!("reason")),
            ("Detail", plain!("detail")),
            ("When", |line| time(&line["unix_ms"])),
        ],
    )
}

pub fn users(answer: &Value) -> String {
    table(
        &answer["users"],
        "No user yet; the first one is made on the page, with the code that `notesferry serve` prints.",
        &[
            ("No", plain!("id")),
            ("Name", plain!("name")),
            ("Role", plain!("role")),
            ("Since", |line| time(&line["created_unix_ms"])),
        ],
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_table_shows_foreign_text_without_commands_to_the_terminal() {
        let answer = json!({"extractors": [{
            "id": 1, "host": "notes\u{1b}[2J", "revoked": true, "migrators": 2, "found": 3, "source_roots": ["/a", "/b"],
        }]});
        let shown = extractors(&answer);
        assert!(
            shown.contains("notes [2J") && shown.contains("revoked") && shown.contains("/a, /b"),
            "{shown}"
        );
        assert_eq!(connectors(&json!({"connectors": []})).split(';').next(), Some("No connector"));
    }

    #[test]
    fn a_pass_that_waits_says_why() {
        let pass = json!({"state": "waiting", "waits": {"until_unix_ms": 0, "why": "no answer"}});
        assert!(state(&pass).starts_with("waiting until 19") && state(&pass).ends_with(": no answer"));
        assert_eq!(state(&json!({"state": "running", "waits": null})), "running");
    }
}
