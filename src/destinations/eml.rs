//! A tree of folders with one file per item, for people and for programs that import such files: messages as `.eml`,
//! calendar entries and tasks as `.ics`, contacts as `.vcf`.
//!
//! A file is named `<date> <subject> <placement id>.eml`: readable first, and never the name of another. Names are
//! legal on Windows too: reserved characters become `_`, reserved words get one, and every part is bounded. Flags are
//! not kept, because such files have no place for them. A message is written under a temporary name and renamed, so a
//! file that ends in `.eml`, `.ics` or `.vcf` is whole.

use crate::base::files::sync_folder;
use crate::destinations::files::{
    deliver_error, destination_error, file_names, location, look_at_message, reconcile_by_name, sync_batch,
    write_batch,
};
use crate::destinations::{DeliverError, Destination, DestinationError, Place, Present, Standing, Traits};
use crate::model::delivery::{Delivery, Flags, FolderState, InFlight, Location};
use crate::model::folder::FolderPath;
use crate::model::item::PlacementId;
use crate::model::object::ObjectKind;
use jiff::Timestamp;
use std::collections::BTreeSet;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

/// The longest subject in a file name and the longest folder name, in bytes. With date and id a name stays below the
/// 143 bytes that encrypting file systems leave of 255.
const NAME_PART_BYTES: usize = 80;

const MESSAGE_ENDING: &str = ".eml";
/// The endings of whole files.
const ENDINGS: [&str; 3] = [MESSAGE_ENDING, ".ics", ".vcf"];
const TEMPORARY_ENDING: &str = ".eml.part";

/// A tree of message files.
#[derive(Debug)]
pub struct EmlTree {
    root: PathBuf,
    /// Folders made and swept by this process.
    prepared: BTreeSet<FolderPath>,
}

impl EmlTree {
    /// The tree at `root`; nothing is made before [`Destination::prepare`].
    pub fn new(root: &Path) -> Self {
        Self { root: root.to_owned(), prepared: BTreeSet::new() }
    }

    fn directory(&self, folder: &FolderPath) -> PathBuf {
        self.root.join(directory_name(folder))
    }

    fn error(&self, error: io::Error) -> DestinationError {
        destination_error(&self.root, error)
    }

    fn make(&self, folder: &FolderPath) -> io::Result<()> {
        let directory = self.directory(folder);
        fs::create_dir_all(&directory)?;
        for name in
            file_names(&directory)?.iter().filter(|name| placement_of(name, TEMPORARY_ENDING).is_some())
        {
            fs::remove_file(directory.join(name))?;
        }
        // The names of all the folders that may be new, up to the root.
        directory.ancestors().take_while(|path| path.starts_with(&self.root)).try_for_each(sync_folder)
    }

    fn temporary(&self, delivery: &Delivery) -> PathBuf {
        self.directory(&delivery.folder).join(format!("{}{TEMPORARY_ENDING}", delivery.placement()))
    }

    /// Gives a written message its name; durable once the directory is synced.
    fn land(&self, delivery: &Delivery, temporary: &Path) -> Result<Location, DeliverError> {
        let name = file_name(delivery);
        fs::rename(temporary, self.directory(&delivery.folder).join(&name)).map_err(deliver_error)?;
        Ok(location(&directory_name(&delivery.folder), &name))
    }

    /// The messages of ours in a folder.
    fn stored(&self, folder: &FolderPath) -> io::Result<Vec<(PlacementId, Location)>> {
        let names = file_names(&self.directory(folder))?;
        let directory = directory_name(folder);
        let ours =
            names.iter().filter_map(|name| Some((stored_placement(name)?, location(&directory, name))));
        Ok(ours.collect())
    }
}

impl Destination for EmlTree {
    fn traits(&self) -> Traits {
        Traits { searchable: true, flags: false, keywords: false, objects: true, largest_message: None }
    }

    fn prepare(&mut self, folders: &[FolderPath]) -> Result<Vec<FolderState>, DestinationError> {
        for folder in folders {
            if !self.prepared.contains(folder) {
                self.make(folder).map_err(|error| self.error(error))?;
                self.prepared.insert(folder.clone());
            }
        }
        Ok(vec![FolderState::default(); folders.len()])
    }

    fn survey(&mut self, folder: &FolderPath) -> Result<Vec<Present>, DestinationError> {
        let directory = self.directory(folder);
        let mut present = Vec::new();
        for name in file_names(&directory).map_err(|error| self.error(error))? {
            if !ENDINGS.iter().any(|ending| name.ends_with(ending)) {
                continue;
            }
            let look = look_at_message(&directory.join(&name)).map_err(|error| self.error(error))?;
            if let Some((origin, size)) = look {
                present.push(Present { location: location(&directory_name(folder), &name), origin, size });
            }
        }
        Ok(present)
    }

    fn put_batch(&mut self, batch: &[Delivery]) -> Vec<Result<Location, DeliverError>> {
        let written = write_batch(batch, |delivery| self.temporary(delivery));
        let land =
            |(delivery, written): (&Delivery, Result<PathBuf, DeliverError>)| self.land(delivery, &written?);
        let mut answers: Vec<_> = batch.iter().zip(written).map(land).collect();
        sync_batch(batch, &mut answers, |folder| self.directory(folder));
        answers
    }

    fn reconcile(&mut self, in_flight: &[InFlight]) -> Result<Vec<Option<Location>>, DestinationError> {
        // A new version under the name of the old one cannot be told from it; putting it once more is harmless.
        reconcile_by_name(in_flight, |folder| self.stored(folder)).map_err(|error| self.error(error))
    }

    fn look(&mut self, copies: &[Place]) -> Result<Vec<Standing>, DestinationError> {
        let look = |(_, location): &Place| {
            let Location::File { path } = location else { return Ok(Standing::Gone) };
            if self.root.join(path).try_exists()? {
                return Ok(Standing::There(Flags::default()));
            }
            // Where the whole tree is gone, a disk is missing rather than a message.
            fs::metadata(&self.root).map(|_| Standing::Gone)
        };
        copies.iter().map(look).collect::<io::Result<_>>().map_err(|error| self.error(error))
    }

    fn add_flags(&mut self, copies: &[Place], _: &Flags) -> Result<Vec<bool>, DestinationError> {
        Ok(vec![false; copies.len()])
    }

    fn remove(&mut self, _: &FolderPath, location: &Location) -> Result<bool, DestinationError> {
        let Location::File { path } = location else { return Ok(false) };
        let path = self.root.join(path);
        match fs::remove_file(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
            removed => removed.map_err(|error| self.error(error))?,
        }
        path.parent().map_or(Ok(()), sync_folder).map_err(|error| self.error(error))?;
        Ok(true)
    }
}

/// The placement that a whole file of ours holds.
fn stored_placement(name: &str) -> Option<PlacementId> {
    ENDINGS.iter().find_map(|ending| placement_of(name, ending))
}

/// The placement in the name of a file of ours.
fn placement_of(name: &str, ending: &str) -> Option<PlacementId> {
    let stem = name.strip_suffix(ending)?;
    let id = stem.rsplit(' ').next()?;
    let ours = id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    Some(PlacementId(u128::from_str_radix(id, 16).ok().filter(|_| ours)?.to_be_bytes()))
}

fn file_name(delivery: &Delivery) -> String {
    let date = match Timestamp::from_millisecond(delivery.internal_date_ms) {
        Ok(time) => time.strftime("%Y-%m-%d %H%M").to_string(),
        Err(_) => "undated".to_owned(),
    };
    let subject = slug(&delivery.subject);
    let subject = if subject.is_empty() { "no subject" } else { &subject };
    let ending = delivery.object.map_or(MESSAGE_ENDING, ObjectKind::file_ending);
    format!("{date} {subject} {}{ending}", delivery.placement())
}

/// The letters and digits of a subject, anything between them as one hyphen.
fn slug(subject: &str) -> String {
    let mut slug = String::new();
    for word in subject.split(|character: char| !character.is_alphanumeric()).filter(|word| !word.is_empty())
    {
        if !slug.is_empty() {
            slug.push('-');
        }
        slug.push_str(word);
        if slug.len() >= NAME_PART_BYTES {
            break;
        }
    }
    cut(&slug, NAME_PART_BYTES).to_owned()
}

fn directory_name(folder: &FolderPath) -> String {
    let parts: Vec<String> = folder.parts().iter().map(|part| safe_name(part)).collect();
    parts.join("/")
}

/// A folder name that every file system takes.
///
/// # Source
/// Microsoft, "Naming Files, Paths, and Namespaces": reserved characters, device names, no final dot or space.
fn safe_name(part: &str) -> String {
    let reserved = |character: char| character.is_control() || "<>:\"/\\|?*".contains(character);
    let replaced: String = part.chars().map(|c| if reserved(c) { '_' } else { c }).collect();
    let mut name = cut(replaced.trim(), NAME_PART_BYTES).trim_end_matches(['.', ' ']).to_owned();
    if name.len() < part.trim().len() && part.len() > NAME_PART_BYTES {
        name = format!("{name}~{}", &blake3::hash(part.as_bytes()).to_hex()[..8]);
    }
    let device = name.split('.').next().unwrap_or_default().to_ascii_uppercase();
    let numbered = |word: &str| {
        device.strip_prefix(word).is_some_and(|n| n.len() == 1 && n != "0" && n.parse::<u8>().is_ok())
    };
    if name.is_empty()
        || ["CON", "PRN", "AUX", "NUL"].contains(&device.as_str())
        || numbered("COM")
        || numbered("LPT")
    {
        name.insert(0, '_');
    }
    name
}

/// At most `bytes` bytes from the start, cut between characters.
fn cut(text: &str, bytes: usize) -> &str {
    &text[..text.floor_char_boundary(bytes)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folder_names_are_legal_on_windows() {
        for (part, name) in [
            ("Work", "Work"),
            ("a/b", "a_b"),
            ("Q&A: 50%?", "Q&A_ 50%_"),
            ("con", "_con"),
            ("COM1.old", "_COM1.old"),
            ("Computer", "Computer"),
            ("..", "_"),
            ("", "_"),
            ("end. ", "end"),
            ("\u{65E5}\u{672C}", "\u{65E5}\u{672C}"),
        ] {
            assert_eq!(safe_name(part), name, "{part:?}");
        }
    }

    #[test]
    fn long_names_are_cut_and_stay_apart() {
        let names = ["a", "b"].map(|end| safe_name(&format!("{}{end}", "\u{65E5}".repeat(60))));
        assert!(names[0] != names[1] && names[0].len() <= NAME_PART_BYTES + 9, "{names:?}");
        assert!(slug(&"word ".repeat(60)).len() <= NAME_PART_BYTES);
    }

    #[test]
    fn a_subject_becomes_words_and_hyphens() {
        assert_eq!(slug("Re: [ext] 50% off?!"), "Re-ext-50-off");
        assert_eq!(slug("../../etc/passwd"), "etc-passwd");
        assert_eq!(slug("***"), "");
    }

    #[test]
    fn only_names_of_ours_hold_placements() {
        let id = "0123456789abcdef0123456789abcdef";
        for ending in ENDINGS {
            assert_eq!(stored_placement(&format!("2024-01-01 1200 x {id}{ending}")).unwrap().to_string(), id);
        }
        assert!(placement_of(&format!("{id}.eml.part"), TEMPORARY_ENDING).is_some());
        assert!(stored_placement("report.eml").is_none());
        assert!(stored_placement("x +123456789abcdef0123456789abcdef.eml").is_none());
    }
}
