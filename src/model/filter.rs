//! What is left out of a migration, because a person wants it so or because it is no content; and where folders go.
//!
//! A document that is left out is counted and told as filtered out. One that is at the target already stays there and
//! is kept up to date.

use crate::model::folder::FolderPath;
use std::fmt;

/// The kinds of items that can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ItemKind {
    Mail,
    Calendar,
    Contacts,
    Tasks,
    Journal,
    /// Templates of mails to be written.
    Stationery,
}

impl ItemKind {
    pub const ALL: [Self; 6] =
        [Self::Mail, Self::Calendar, Self::Contacts, Self::Tasks, Self::Journal, Self::Stationery];

    /// Its name on the command line and in records. It never changes.
    pub fn name(self) -> &'static str {
        match self {
            Self::Mail => "mail",
            Self::Calendar => "calendar",
            Self::Contacts => "contacts",
            Self::Tasks => "tasks",
            Self::Journal => "journal",
            Self::Stationery => "stationery",
        }
    }

    /// The kind of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// Which items are carried.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Empty: all kinds, and documents of no kind.
    pub only: Vec<ItemKind>,
    /// Items of this time and later: milliseconds since 1970-01-01 00:00 UTC.
    pub since_unix_ms: Option<i64>,
    /// Items before this time.
    pub before_unix_ms: Option<i64>,
}

impl Filter {
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Why an item is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeftOut {
    Kind,
    TooOld,
    TooNew,
    /// A mail rule, a profile or a cache of Notes: no content that another mail system could hold.
    Settings,
}

impl fmt::Display for LeftOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Kind => "of a kind that was not asked for",
            Self::TooOld => "before the first day",
            Self::TooNew => "after the last day",
            Self::Settings => "rules and settings of Notes, which are no content",
        })
    }
}

/// Other names for folders at the target: a folder and all below it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FolderMap(Vec<(FolderPath, FolderPath)>);

/// A line that is no `A=B`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` does not say which folder goes where: write OLD=NEW")]
pub struct FolderMapError(String);

impl FolderMap {
    /// A map of such lines alone.
    ///
    /// # Errors
    /// As [`FolderMap::add_lines`].
    pub fn of_lines(text: &str) -> Result<Self, FolderMapError> {
        let mut map = Self::default();
        map.add_lines(text)?;
        Ok(map)
    }

    /// Adds lines of `OLD=NEW`, parts of a path joined by `/` or `\`. Empty lines and those that begin with `#` say
    /// nothing.
    ///
    /// # Errors
    /// [`FolderMapError`] for any other line.
    pub fn add_lines(&mut self, text: &str) -> Result<(), FolderMapError> {
        for line in text.trim_start_matches('\u{FEFF}').lines().map(str::trim) {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let sides = line.split_once('=').map(|(old, new)| (path(old), path(new)));
            let named = sides.filter(|(old, new)| !old.parts().is_empty() && !new.parts().is_empty());
            self.0.push(named.ok_or_else(|| FolderMapError(line.to_owned()))?);
        }
        Ok(())
    }

    /// The name of a folder, by the longest line that fits; its own where none does.
    pub fn apply(&self, folder: &FolderPath) -> FolderPath {
        let fitting = self.0.iter().filter(|(old, _)| folder.parts().starts_with(old.parts()));
        match fitting.max_by_key(|(old, _)| old.parts().len()) {
            Some((old, new)) => {
                let rest = &folder.parts()[old.parts().len()..];
                FolderPath::new(new.parts().iter().chain(rest).map(String::as_str))
            }
            None => folder.clone(),
        }
    }

    /// Renames the folders of one item; each is named once.
    pub fn apply_all(&self, folders: &mut Vec<FolderPath>) {
        if self.0.is_empty() {
            return;
        }
        let mut renamed = Vec::with_capacity(folders.len());
        for folder in folders.drain(..).map(|folder| self.apply(&folder)) {
            if !renamed.contains(&folder) {
                renamed.push(folder);
            }
        }
        *folders = renamed;
    }
}

fn path(text: &str) -> FolderPath {
    FolderPath::new(text.split(['/', '\\']).map(str::trim).filter(|part| !part.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_goes_where_the_longest_line_says() {
        let mut map = FolderMap::default();
        map.add_lines("# work\n\nProjects = Work/Old\nProjects\\2014=Archive\n").unwrap();
        let apply = |text: &str| map.apply(&path(text)).to_string();
        assert_eq!(apply("Projects/Sales"), "Work/Old/Sales");
        assert_eq!(apply("Projects/2014/May"), "Archive/May");
        assert_eq!(apply("Project"), "Project");
        let mut both = vec![path("Projects"), path("Work/Old")];
        map.apply_all(&mut both);
        assert_eq!(both, [path("Work/Old")]);
        for bad in ["Projects", "=x", "x="] {
            assert!(map.add_lines(bad).is_err(), "{bad}");
        }
    }
}
