//! A Maildir with Maildir++ folders, as Dovecot and mutt read it.
//!
//! INBOX is the root itself; the folder `A/B` is the directory `.A.B`. Names are in modified UTF-7, which is what
//! Dovecot expects in its default layout. Two characters cannot be part of a Maildir++ name and get look-alikes:
//! `.` becomes U+2024 and `/` becomes U+2215. A path that is too long for one directory name is shortened.
//!
//! A message is named after its placement, so that it is found again without a ledger:
//! `<INTERNALDATE>.N<placement id>V<digest>.notesferry,S=<size>,W=<size>:2,<flags>`. The digest keeps two versions
//! of one document apart. It is written in `tmp`, made durable, and renamed into `cur`; so `cur` holds whole messages
//! only, and what a crash leaves in `tmp` is taken away at the next start. Line ends stay CRLF, so that an IMAP
//! server gives back exactly the bytes that were put and `S` equals `W`. The time of a file is its INTERNALDATE.

use crate::base::files::sync_folder;
use crate::connectors::modified_utf7;
use crate::destinations::files::{
    deliver_error, destination_error, file_names, location, look_at_message, reconcile_by_name, sync_batch,
    write_batch,
};
use crate::destinations::{DeliverError, Destination, DestinationError, Place, Present, Standing, Traits};
use crate::model::delivery::{Delivery, Flags, FolderState, InFlight, Location};
use crate::model::folder::FolderPath;
use crate::model::item::PlacementId;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

/// What separates the flags from the name. Windows reserves the colon; mail programs there use the semicolon.
const INFO: &str = if cfg!(windows) { ";2," } else { ":2," };

/// The longest directory name that we make, in bytes; file systems allow 255.
const DIRECTORY_NAME_BYTES: usize = 240;

/// Characters of the last part that a shortened name keeps: in modified UTF-7 at most 16/3 bytes each.
const SHORTENED_CHARACTERS: usize = 40;

/// A Maildir.
#[derive(Debug)]
pub struct Maildir {
    root: PathBuf,
    /// Folders made and swept by this process.
    prepared: BTreeSet<FolderPath>,
}

impl Maildir {
    /// The Maildir at `root`; nothing is made before [`Destination::prepare`].
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
        for part in ["tmp", "new", "cur"] {
            fs::create_dir_all(directory.join(part))?;
        }
        if !folder.is_inbox() {
            // Maildir++: tells delivery programs that this is a folder of another Maildir.
            fs::File::options().append(true).create(true).open(directory.join("maildirfolder"))?;
        }
        for name in
            file_names(&directory.join("tmp"))?.iter().filter(|name| StoredName::parse(name).is_some())
        {
            fs::remove_file(directory.join("tmp").join(name))?;
        }
        sync_folder(&directory)?;
        sync_folder(&self.root)
    }

    fn temporary(&self, delivery: &Delivery) -> PathBuf {
        self.directory(&delivery.folder).join("tmp").join(format!("{}.notesferry", unique_name(delivery, "")))
    }

    /// Renames a written message into `cur`; durable once `cur` is synced.
    fn land(&self, delivery: &Delivery, temporary: &Path) -> Result<Location, DeliverError> {
        let digest = delivery.rendered.digest().map_err(deliver_error)?;
        let size = delivery.rendered.len();
        let version: String = digest[..4].iter().map(|byte| format!("{byte:02x}")).collect();
        let base = format!("{}.notesferry,S={size},W={size}", unique_name(delivery, &version));
        let name = format!("{base}{INFO}{}", flag_letters(&delivery.flags));
        let cur = self.directory(&delivery.folder).join("cur");
        fs::rename(temporary, cur.join(name)).map_err(deliver_error)?;
        Ok(location(&directory_name(&delivery.folder), &base))
    }

    /// The messages of ours in a folder.
    fn stored(&self, folder: &FolderPath) -> io::Result<Vec<(PlacementId, Location)>> {
        let directory = self.directory(folder);
        let mut names = file_names(&directory.join("cur"))?;
        names.extend(file_names(&directory.join("new"))?);
        let ours = names.iter().filter_map(|name| StoredName::parse(name));
        Ok(ours.map(|stored| (stored.placement, location(&directory_name(folder), stored.base))).collect())
    }

    /// The directory and the base name of a location.
    fn place<'a>(&self, location: &'a Location) -> Option<(PathBuf, &'a str)> {
        let Location::File { path } = location else { return None };
        Some(match path.rsplit_once('/') {
            Some((directory, base)) => (self.root.join(directory), base),
            None => (self.root.clone(), path.as_str()),
        })
    }

    /// The files at these locations, whatever flags a mail program gave them meanwhile.
    fn find(&self, locations: &[&Location]) -> io::Result<Vec<Option<PathBuf>>> {
        let places: Vec<_> = locations.iter().map(|location| self.place(location)).collect();
        let at_once = |place: &Option<(PathBuf, &str)>| likely_file(&place.as_ref()?.0, place.as_ref()?.1);
        let mut found: Vec<Option<PathBuf>> = places.iter().map(at_once).collect();
        let mut missing: BTreeMap<&Path, HashMap<&str, usize>> = BTreeMap::new();
        for (index, place) in places.iter().enumerate() {
            if let (None, Some((directory, base))) = (&found[index], place) {
                missing.entry(directory).or_default().insert(base, index);
            }
        }
        for (directory, missing) in missing {
            // In the order that a mail program moves them, so that none is missed on its way.
            for part in ["new", "cur"].map(|part| directory.join(part)) {
                for name in file_names(&part)? {
                    if let Some(&index) = missing.get(without_info(&name)) {
                        found[index] = Some(part.join(name));
                    }
                }
            }
        }
        Ok(found)
    }

    fn look_at(&self, copies: &[Place]) -> io::Result<Vec<Standing>> {
        if !copies.is_empty() {
            // Where the whole Maildir is gone, a disk is missing rather than a message.
            fs::metadata(self.root.join("cur"))?;
        }
        let locations: Vec<&Location> = copies.iter().map(|(_, location)| location).collect();
        let standing = |file: Option<PathBuf>| match file.as_deref().map(letters_of) {
            Some(letters) if !letters.contains(TRASHED) => Standing::There(flags_of(letters)),
            Some(_) | None => Standing::Gone,
        };
        Ok(self.find(&locations)?.into_iter().map(standing).collect())
    }

    /// Adds letters to the names of files and makes that durable.
    fn add_letters(&self, copies: &[Place], added: &str) -> io::Result<Vec<bool>> {
        let locations: Vec<&Location> = copies.iter().map(|(_, location)| location).collect();
        let mut changed = BTreeSet::new();
        let mut answers = Vec::with_capacity(copies.len());
        for (file, location) in self.find(&locations)?.into_iter().zip(locations) {
            let (Some(file), Some((directory, base))) = (file, self.place(location)) else {
                answers.push(false);
                continue;
            };
            let letters: BTreeSet<char> = letters_of(&file).chars().chain(added.chars()).collect();
            let cur = directory.join("cur");
            let name = format!("{base}{INFO}{}", letters.into_iter().collect::<String>());
            let renamed = match fs::rename(&file, cur.join(name)) {
                Err(error) if error.kind() == ErrorKind::NotFound => false,
                renamed => renamed.map(|()| true)?,
            };
            changed.extend([cur, directory.join("new")]);
            answers.push(renamed);
        }
        changed.iter().try_for_each(|directory| sync_folder(directory))?;
        Ok(answers)
    }
}

impl Destination for Maildir {
    fn traits(&self) -> Traits {
        Traits { searchable: true, flags: true, keywords: false, objects: false, largest_message: None }
    }

    fn prepare(&mut self, folders: &[FolderPath]) -> Result<Vec<FolderState>, DestinationError> {
        for folder in folders {
            if !self.prepared.contains(folder) {
                // A folder is a Maildir only inside of one.
                let inbox = FolderPath::inbox();
                self.make(&inbox).and_then(|()| self.make(folder)).map_err(|error| self.error(error))?;
                self.prepared.insert(folder.clone());
            }
        }
        Ok(vec![FolderState::default(); folders.len()])
    }

    fn survey(&mut self, folder: &FolderPath) -> Result<Vec<Present>, DestinationError> {
        let mut present = Vec::new();
        for part in ["cur", "new"] {
            let directory = self.directory(folder).join(part);
            for name in file_names(&directory).map_err(|error| self.error(error))? {
                let look = look_at_message(&directory.join(&name)).map_err(|error| self.error(error))?;
                if let Some((origin, size)) = look {
                    let location = location(&directory_name(folder), without_info(&name));
                    present.push(Present { location, origin, size });
                }
            }
        }
        Ok(present)
    }

    fn put_batch(&mut self, batch: &[Delivery]) -> Vec<Result<Location, DeliverError>> {
        let written = write_batch(batch, |delivery| self.temporary(delivery));
        let land =
            |(delivery, written): (&Delivery, Result<PathBuf, DeliverError>)| self.land(delivery, &written?);
        let mut answers: Vec<_> = batch.iter().zip(written).map(land).collect();
        sync_batch(batch, &mut answers, |folder| self.directory(folder).join("cur"));
        answers
    }

    fn reconcile(&mut self, in_flight: &[InFlight]) -> Result<Vec<Option<Location>>, DestinationError> {
        reconcile_by_name(in_flight, |folder| self.stored(folder)).map_err(|error| self.error(error))
    }

    fn look(&mut self, copies: &[Place]) -> Result<Vec<Standing>, DestinationError> {
        self.look_at(copies).map_err(|error| self.error(error))
    }

    fn add_flags(&mut self, copies: &[Place], flags: &Flags) -> Result<Vec<bool>, DestinationError> {
        self.add_letters(copies, &flag_letters(flags)).map_err(|error| self.error(error))
    }

    fn remove(&mut self, _: &FolderPath, location: &Location) -> Result<bool, DestinationError> {
        let remove = || {
            let Some(path) = self.find(&[location])?.pop().flatten() else { return Ok(false) };
            match fs::remove_file(&path) {
                Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
                removed => removed?,
            }
            path.parent().map_or(Ok(()), sync_folder)?;
            Ok(true)
        };
        remove().map_err(|error| self.error(error))
    }
}

/// What the name of a message of ours says.
struct StoredName<'a> {
    placement: PlacementId,
    /// The name without flags.
    base: &'a str,
}

impl<'a> StoredName<'a> {
    fn parse(name: &'a str) -> Option<Self> {
        let base = without_info(name);
        let (_, rest) = base.split_once(".N")?;
        let (id, rest) = rest.split_at_checked(32)?;
        let (version, rest) = rest.strip_prefix('V')?.split_once('.')?;
        let ours = rest == "notesferry" || rest.starts_with("notesferry,");
        let placement = u128::from_str_radix(id, 16).ok()?;
        let hex = id.bytes().chain(version.bytes()).all(|byte| byte.is_ascii_hexdigit());
        (ours && hex).then_some(Self { placement: PlacementId(placement.to_be_bytes()), base })
    }
}

fn unique_name(delivery: &Delivery, version: &str) -> String {
    // A name must not begin with a sign.
    let seconds = delivery.internal_date_ms.div_euclid(1000).max(0);
    format!("{seconds}.N{}V{version}", delivery.placement())
}

fn without_info(name: &str) -> &str {
    name.split_once(INFO).map_or(name, |(base, _)| base)
}

/// The file of a message in a folder under one of the names that it usually has: asking for each set of the five usual
/// flags is cheaper than reading a directory of 100,000 names.
fn likely_file(directory: &Path, base: &str) -> Option<PathBuf> {
    let likely = (0..32_u8).map(|set| {
        let letters = "SFRDT".chars().enumerate().filter(|(bit, _)| set & (1 << bit) != 0);
        let letters: BTreeSet<char> = letters.map(|(_, letter)| letter).collect();
        directory.join("cur").join(format!("{base}{INFO}{}", letters.into_iter().collect::<String>()))
    });
    likely.chain([directory.join("new").join(base)]).find(|path| path.exists())
}

/// The letter of a message that its user deleted and that is still there.
const TRASHED: char = 'T';

/// The flag letters in the name of a file.
fn letters_of(file: &Path) -> &str {
    let name = file.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    name.split_once(INFO).map_or("", |(_, letters)| letters)
}

/// The flags that letters stand for; the small ones are keywords that only their mail program knows.
fn flags_of(letters: &str) -> Flags {
    let has = |letter: char| letters.contains(letter);
    Flags { seen: has('S'), answered: has('R'), flagged: has('F'), draft: has('D'), keywords: Vec::new() }
}

/// The flag letters of the Maildir convention, in ASCII order.
fn flag_letters(flags: &Flags) -> String {
    let letters = [(flags.draft, 'D'), (flags.flagged, 'F'), (flags.answered, 'R'), (flags.seen, 'S')];
    letters.iter().filter(|(set, _)| *set).map(|(_, letter)| letter).collect()
}

/// The directory of a folder below the root; empty for INBOX.
fn directory_name(folder: &FolderPath) -> String {
    if folder.is_inbox() {
        return String::new();
    }
    let name: String = folder.parts().iter().map(|part| format!(".{}", encode_part(part))).collect();
    if name.len() <= DIRECTORY_NAME_BYTES {
        return name;
    }
    let kept: String = folder
        .parts()
        .iter()
        .next_back()
        .into_iter()
        .flat_map(|part| part.chars())
        .take(SHORTENED_CHARACTERS)
        .collect();
    let whole = blake3::hash(name.as_bytes()).to_hex();
    format!(".{}-{}", encode_part(&kept), &whole[..8])
}

fn encode_part(part: &str) -> String {
    match part {
        "" => "_".to_owned(),
        part => modified_utf7::encode(&part.replace('.', "\u{2024}").replace('/', "\u{2215}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_named_as_maildir_plus_plus_names_them() {
        let name = |parts: &[&str]| directory_name(&FolderPath::new(parts.iter().copied()));
        assert_eq!(name(&["INBOX"]), "");
        assert_eq!(name(&["Sent"]), ".Sent");
        assert_eq!(name(&["Projects", "Q&A"]), ".Projects.Q&-A");
        assert_eq!(name(&["1.2"]), ".1&ICQ-2");
        assert_eq!(name(&["a/b"]), ".a&IhU-b");
        assert_eq!(name(&["INBOX", "x"]), ".INBOX.x");
        assert_eq!(name(&[".."]), ".&ICQgJA-");
    }

    #[test]
    fn a_long_path_has_a_short_name_of_its_own() {
        let long = "\u{1F600}".repeat(100);
        let names = ["a", "b"].map(|first| directory_name(&FolderPath::new([first, &long])));
        assert!(names.iter().all(|name| name.len() <= DIRECTORY_NAME_BYTES), "{names:?}");
        assert_ne!(names[0], names[1]);
    }

    #[test]
    fn only_names_of_ours_are_ours() {
        let id = "0123456789abcdef0123456789abcdef";
        let ours = format!("1700000000.N{id}Vdeadbeef.notesferry,S=5,W=5");
        let with_flags = format!("{ours}:2,RS");
        let parsed = StoredName::parse(&with_flags).unwrap();
        assert_eq!((parsed.placement.to_string().as_str(), parsed.base), (id, ours.as_str()));
        assert!(StoredName::parse(&format!("1700000000.N{id}V.notesferry")).is_some());
        for foreign in
            ["1700000000.M1P2.host", "1.Nxyz.notesferry", "1.N+123456789abcdef0123456789abcdefV.notesferry"]
        {
            assert!(StoredName::parse(foreign).is_none(), "{foreign}");
        }
    }
}
