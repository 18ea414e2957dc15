//! `--exports`: what a mailbox holds beside its items and no other mail system takes over, as a table per user: mail
//! rules, delegation, settings of the calendar, out-of-office, and who has access to the database.
//!
//! Fields whose meaning is known have a label; every other one is listed as it is stored. Rules are documents of the
//! mailbox and come by as it is read; profiles are not, and the source is asked for them.

use super::report_file::{harmless, html};
use crate::base::limits::EXPORTED_DOCUMENTS;
use crate::conversion;
use crate::modes::{Exit, Failure};
use crate::notes::document::Note;
use crate::notes::ids::Unid;
use crate::sources::access::AccessEntry;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The forms that are exported, in lower case, and what they are. Profiles may tell it in their name only.
const KINDS: [(&str, &str); 5] = [
    ("mailrule", "Mail rule"),
    ("delegationprofile", "Delegation"),
    ("calendarprofile", "Calendar settings"),
    ("outofofficeprofile", "Out of office"),
    ("outofoffice", "Out of office"),
];

/// The access control list, which is no document.
const ACCESS: &str = "Access to the mailbox";

/// Items whose meaning is known. Those of the absence and of the signature are read and written so by public programs
/// for Notes; of the same value some use a name that begins with `date`.
const LABELS: [(&str, &str); 13] = [
    ("Owner", "Owner of the mailbox"),
    ("CurrentTimeZone", "Time zone"),
    ("Timezone", "Time zone"),
    ("SignatureOption", "Signature below mail: 1 is text, 2 a file"),
    ("Signature", "Signature below mail, or its file"),
    ("CurrentStatus", "Absence: 1 is on"),
    ("FirstDayOut", "Absence: first day"),
    ("dateFirstDayOut", "Absence: first day"),
    ("FirstDayBack", "Absence: first day back"),
    ("dateFirstDayBack", "Absence: first day back"),
    ("BookBusyTime", "Absence: 1 marks the days as busy"),
    ("daysoutdisplay", "Absence: subject of the answer"),
    ("generalmessage", "Absence: text of the answer"),
];

/// One document.
struct Sheet {
    kind: &'static str,
    /// `None` for what is no document.
    unid: Option<Unid>,
    /// Name, label and value of each item.
    items: Vec<(String, &'static str, String)>,
}

/// The documents of one mailbox that are exported.
pub struct Exports {
    folder: PathBuf,
    sheets: Vec<Sheet>,
    /// How many more there were.
    left_out: u64,
}

impl Exports {
    /// Begins with a folder, which is made.
    ///
    /// # Errors
    /// When it cannot be; then nothing was migrated yet.
    pub fn begin(folder: &Path) -> Result<Self, Failure> {
        fs::create_dir_all(folder).map_err(|error| failed(folder, &error))?;
        Ok(Self { folder: folder.to_owned(), sheets: Vec::new(), left_out: 0 })
    }

    /// Takes a document if it is one of those that are exported.
    pub fn add(&mut self, note: &Note) {
        let Some(kind) = kind(note) else { return };
        if self.sheets.len() >= EXPORTED_DOCUMENTS {
            self.left_out += 1;
            return;
        }
        let items = conversion::items_in_words(note).into_iter().map(|(name, value)| {
            let label = LABELS.iter().find(|(known, _)| known.eq_ignore_ascii_case(&name));
            (name, label.map_or("", |(_, label)| label), value)
        });
        self.sheets.push(Sheet { kind, unid: Some(note.unid), items: items.collect() });
    }

    /// Takes who has which access to the database.
    pub fn add_access(&mut self, entries: &[AccessEntry]) {
        if entries.is_empty() {
            return;
        }
        let items = entries.iter().map(|entry| (entry.name.clone(), "", entry.words())).collect();
        self.sheets.push(Sheet { kind: ACCESS, unid: None, items });
    }

    /// Writes the table and the page; `user` names the mailbox, `source` the files. Gives a sentence about them.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn finish(mut self, user: &str, source: &str) -> Result<String, Failure> {
        self.sheets.sort_by_key(|sheet| (sheet.kind, sheet.unid));
        let stem: String = source.chars().map(|c| if c.is_alphanumeric() { c } else { '-' }).collect();
        let path = |ending: &str| self.folder.join(format!("{}.settings.{ending}", stem.trim_matches('-')));
        let written =
            self.write_table(&path("csv"), user).and_then(|()| fs::write(path("html"), self.page(user)));
        written.map_err(|error| failed(&self.folder, &error))?;
        let more = if self.left_out > 0 {
            format!(" ({} more are not in it)", self.left_out)
        } else {
            String::new()
        };
        Ok(format!(
            "{} documents with rules and settings are listed in {} and the page beside it{more}.",
            self.sheets.iter().filter(|sheet| sheet.kind != ACCESS).count(),
            path("csv").display()
        ))
    }

    fn write_table(&self, path: &Path, user: &str) -> io::Result<()> {
        let mut table = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_path(path)?;
        table.write_record(["user", "what", "document", "meaning", "item", "value"])?;
        for sheet in &self.sheets {
            let unid = sheet.unid.map(|unid| unid.to_string()).unwrap_or_default();
            for (name, label, value) in &sheet.items {
                let cells = [user, sheet.kind, &unid, *label, name, value];
                table.write_record(cells.map(harmless))?;
            }
        }
        table.flush()
    }

    fn page(&self, user: &str) -> String {
        let mut page = html::head(&format!("Rules and settings of {user}"));
        page += "<p class=\"soft\">What mail systems do not take over from Notes. Set it up anew where it is still wanted.</p>\n";
        for kind in std::iter::once(ACCESS).chain(KINDS.iter().take(4).map(|(_, kind)| *kind)) {
            let sheets: Vec<&Sheet> = self.sheets.iter().filter(|sheet| sheet.kind == kind).collect();
            let count = if kind == ACCESS {
                sheets.iter().map(|sheet| sheet.items.len()).sum()
            } else {
                sheets.len()
            };
            page += &format!("<h2>{kind}: {count}</h2>\n");
            for sheet in sheets {
                let rows = sheet.items.iter().map(|(name, label, value)| {
                    let told = if label.is_empty() { name } else { *label };
                    html::row(&[(told.to_owned(), "soft"), (value.clone(), "")])
                });
                if let Some(unid) = sheet.unid {
                    page += &format!("<p><code>{unid}</code></p>\n");
                }
                page += &format!("<table>{}</table>\n", rows.collect::<String>());
            }
        }
        page + html::FOOT
    }
}

fn failed(folder: &Path, error: &io::Error) -> Failure {
    Failure::new(Exit::Usage, format!("the exports in {} cannot be written: {error}", folder.display()))
}

fn kind(note: &Note) -> Option<&'static str> {
    let form = note.text("Form").trim().to_ascii_lowercase();
    let name = note.text("$Name").to_ascii_lowercase();
    let is =
        |known: &str| form.trim_matches(['(', ')']) == known || (form.is_empty() && name.contains(known));
    KINDS.iter().find(|(known, _)| is(known)).map(|(_, kind)| *kind)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notes::item::{Item, ItemFlags, ItemType};
    use crate::sources::access;

    fn note(items: &[(&str, &str)]) -> Note {
        let item = |(name, value): &(&str, &str)| Item {
            name: (*name).to_owned(),
            flags: ItemFlags(0),
            item_type: ItemType::TEXT,
            value: value.as_bytes().to_vec(),
        };
        Note { items: items.iter().map(item).collect(), ..Note::default() }
    }

    #[test]
    fn rules_and_profiles_are_listed_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let mut exports = Exports::begin(&folder.path().join("new")).unwrap();
        exports.add(&note(&[("Form", "Mailrule"), ("OrderNum", "=1+1"), ("<b>", "x")]));
        exports.add(&note(&[("$Name", "$profile_015calendarprofile_"), ("Owner", "Jane")]));
        exports.add(&note(&[("$Name", "$profile_018outofofficeprofile_"), ("GeneralMessage", "I am away")]));
        exports.add(&note(&[("Form", "Memo")]));
        let delegate = AccessEntry {
            name: "CN=Bob/O=Acme".to_owned(),
            level: "Editor".to_owned(),
            rights: vec![access::DELETES],
            roles: vec!["[Desk]".to_owned()],
        };
        exports.add_access(&[delegate]);
        let told = exports.finish("Jane", "jane.nsf").unwrap();
        assert!(told.starts_with("3 documents"), "{told}");
        let table = fs::read_to_string(folder.path().join("new/jane-nsf.settings.csv")).unwrap();
        assert!(table.contains("Jane,Mail rule,") && table.contains("OrderNum,'=1+1"), "{table}");
        assert!(table.contains("Owner of the mailbox,Owner,Jane"), "{table}");
        assert!(table.contains("Absence: text of the answer,GeneralMessage,I am away"), "{table}");
        let line = "Jane,Access to the mailbox,,,CN=Bob/O=Acme,Editor; may delete documents; role [Desk]";
        assert!(table.contains(line), "{table}");
        let page = fs::read_to_string(folder.path().join("new/jane-nsf.settings.html")).unwrap();
        assert!(page.contains("&lt;b&gt;") && page.contains("<h2>Mail rule: 1</h2>"), "{page}");
        assert!(page.contains("<h2>Access to the mailbox: 1</h2>\n<table>"), "{page}");
    }
}
