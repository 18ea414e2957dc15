//! The table of a report: a line for every document, for spreadsheets and scripts.

use super::{Line, Unfinished, ids, time};
use std::io;

const COLUMNS: [&str; 9] =
    ["outcome", "why", "what to do", "losses", "subject", "date (UTC)", "folders", "UNID", "replica id"];

/// The byte order mark by which spreadsheets know UTF-8.
const MARK: &str = "\u{FEFF}";

pub struct CsvReport {
    writer: csv::Writer<Unfinished>,
}

impl CsvReport {
    pub fn begin(mut file: Unfinished) -> io::Result<Self> {
        io::Write::write_all(&mut file, MARK.as_bytes())?;
        let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(file);
        writer.write_record(COLUMNS)?;
        Ok(Self { writer })
    }

    pub fn add(&mut self, line: &Line<'_>) -> io::Result<()> {
        let Line { origin, outcome, set_aside, left_out, about, folders, losses } = line;
        let why = match set_aside {
            Some(why) if why.detail.is_empty() => why.reason.to_string(),
            Some(why) => format!("{}: {}", why.reason, why.detail),
            None => left_out.map(|why| why.to_string()).unwrap_or_default(),
        };
        let advice = set_aside.map_or("", |why| why.reason.advice());
        let losses: Vec<String> = losses.iter().map(ToString::to_string).collect();
        let folders: Vec<String> = folders.iter().map(ToString::to_string).collect();
        let [replica, unid] = ids(*origin);
        let date = time(about.date_unix_ms);
        let (losses, folders) = (losses.join("; "), folders.join("; "));
        let cells = [outcome, &*why, advice, &losses, &about.subject, &date, &folders, &unid, &replica];
        Ok(self.writer.write_record(cells.map(harmless))?)
    }

    pub fn finish(self) -> io::Result<()> {
        self.writer.into_inner().map_err(|error| error.into_error())?.finish()
    }
}

/// A cell that no spreadsheet takes for a formula: whoever sent a mail chose its subject.
pub fn harmless(cell: &str) -> String {
    const BEGINNINGS: [char; 10] =
        ['=', '+', '-', '@', '\t', '\r', '\u{FF1D}', '\u{FF0B}', '\u{FF0D}', '\u{FF20}'];
    let formula = cell.trim_start_matches([' ', '\u{A0}', '\u{3000}']).starts_with(BEGINNINGS);
    let cell = cell.replace(['\0', '\n', '\r'], " ");
    if formula { format!("'{cell}") } else { cell }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_never_a_formula() {
        for bad in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "  =1", "\r=1", "\u{FF1D}1", "\u{A0}=1"] {
            assert!(harmless(bad).starts_with('\''), "{bad:?}");
        }
        assert_eq!(harmless("a=b\nc"), "a=b c");
        assert_eq!(harmless(""), "");
    }
}
