//! The options that leave documents out, for every command that has them, and the file of folder names.

use crate::base::limits::FOLDER_MAP_BYTES;
use crate::model::filter::{Filter, FolderMap, ItemKind};
use crate::modes::{Exit, Failure};
use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

/// Which documents are carried. What is left out is counted as filtered out, and told.
#[derive(Clone, Debug, Default, Args)]
pub struct FilterArguments {
    /// Carry these kinds of items only, and no documents of other kinds.
    #[arg(long, value_name = "KINDS", value_delimiter = ',', value_parser = kind())]
    only: Vec<ItemKind>,

    /// Carry items of this day and later (year-month-day; days begin at midnight UTC).
    ///
    /// Mail counts by the date under which mail programs sort it: of received mail when it arrived, of sent mail when
    /// it was sent. Calendar entries and tasks count from their first date to their last, so a series that still runs
    /// is carried whole, and a task that is not done is never too old. Contacts have no date.
    #[arg(long, value_name = "DATE")]
    since: Option<Date>,

    /// Carry items before this day.
    #[arg(long, value_name = "DATE")]
    before: Option<Date>,
}

/// Takes the kinds by their names.
fn kind() -> impl TypedValueParser<Value = ItemKind> {
    let names = PossibleValuesParser::new(ItemKind::ALL.map(ItemKind::name));
    names.try_map(|name| ItemKind::from_name(&name).ok_or("it is no kind of items"))
}

impl FilterArguments {
    /// What is carried.
    ///
    /// # Errors
    /// When the days leave nothing.
    pub fn filter(&self) -> Result<Filter, Failure> {
        if let (Some(since), Some(before)) = (self.since, self.before)
            && since >= before
        {
            return Err(usage(format!("nothing lies since {since} and before {before}")));
        }
        let only = self.only.clone();
        Ok(Filter { only, since_unix_ms: begin(self.since)?, before_unix_ms: begin(self.before)? })
    }

    /// The options that were given, with their values.
    pub fn told(&self) -> Vec<(&'static str, String)> {
        let names: Vec<&str> = self.only.iter().map(|kind| kind.name()).collect();
        let only = (!names.is_empty()).then(|| ("--only", names.join(",")));
        let since = self.since.map(|date| ("--since", date.to_string()));
        let before = self.before.map(|date| ("--before", date.to_string()));
        [only, since, before].into_iter().flatten().collect()
    }
}

/// The first moment of a day.
fn begin(date: Option<Date>) -> Result<Option<i64>, Failure> {
    let begin = date.map(|date| date.to_zoned(TimeZone::UTC)).transpose();
    let begin = begin.map_err(|error| usage(error.to_string()))?;
    Ok(begin.map(|begin| begin.timestamp().as_millisecond()))
}

/// The folder names of the command line.
///
/// # Errors
/// As [`folder_map_lines`], and when one of the lines is none.
pub fn folder_map(arguments: &[String]) -> Result<FolderMap, Failure> {
    let lines = folder_map_lines(arguments)?;
    FolderMap::of_lines(&lines).map_err(|error| usage(format!("--folder-map: {error}")))
}

/// The same as lines: those of the command line, and of the files that it names.
///
/// # Errors
/// When a file cannot be read.
pub fn folder_map_lines(arguments: &[String]) -> Result<String, Failure> {
    let lines = |argument: &String| match argument.contains('=') && !Path::new(argument).is_file() {
        true => Ok(argument.clone()),
        false => read(Path::new(argument))
            .map_err(|error| usage(format!("the folder map {argument} cannot be read: {error}"))),
    };
    Ok(arguments.iter().map(lines).collect::<Result<Vec<String>, Failure>>()?.join("\n"))
}

fn read(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    File::open(path)?.take(FOLDER_MAP_BYTES).read_to_string(&mut text)?;
    Ok(text.trim_start_matches('\u{FEFF}').to_owned())
}

fn usage(sentence: String) -> Failure {
    Failure::new(Exit::Usage, sentence)
}
