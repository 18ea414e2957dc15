//! Which files of a tree are messages, and what their names tell of them.

use crate::forge::ForgeError;
use crate::notes::timedate::Timedate;
use base64::Engine;
use base64::alphabet::IMAP_MUTF7;
use base64::engine::{GeneralPurpose, general_purpose::NO_PAD};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Where a message goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// The title of a Notes folder.
    Folder(String),
    /// Sent mails and drafts lie in no folder: views show them.
    Sent,
    Drafts,
}

/// The flags of a Maildir file, as letters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Flags(String);

impl Flags {
    pub const SEEN: char = 'S';
    pub const REPLIED: char = 'R';
    pub const PASSED: char = 'P';
    pub const FLAGGED: char = 'F';
    pub const DRAFT: char = 'D';

    pub fn has(&self, flag: char) -> bool {
        self.0.contains(flag)
    }
}

/// One message file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct MailFile {
    pub path: PathBuf,
    /// From the root of the tree, so that it is the same wherever the tree lies.
    pub relative: String,
    pub place: Place,
    pub flags: Flags,
    /// From the name of a Maildir file, which begins with the second of delivery.
    pub delivered: Option<Timedate>,
}

/// All message files below a folder, by path.
///
/// # Errors
/// If a folder cannot be read.
pub(super) fn message_files(root: &Path) -> Result<Vec<MailFile>, ForgeError> {
    let mut files = Vec::new();
    let mut open = vec![root.to_owned()];
    while let Some(folder) = open.pop() {
        let failed = |error| ForgeError::Read { path: folder.clone(), error };
        for entry in fs::read_dir(&folder).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            // Links are not followed: a loop would never end.
            let kind = entry.file_type().map_err(failed)?;
            if kind.is_dir() {
                open.push(entry.path());
            } else if kind.is_file() {
                files.extend(mail_file(root, entry.path()));
            }
        }
    }
    files.sort_by(|a, b| a.relative.cmp(&b.relative));
    Ok(files)
}

/// The titles of all folders, each once; the inbox is always there.
pub(super) fn folder_titles(files: &[MailFile]) -> BTreeSet<&str> {
    let titles = files.iter().filter_map(|file| match &file.place {
        Place::Folder(title) => Some(title.as_str()),
        Place::Sent | Place::Drafts => None,
    });
    titles.chain(["($Inbox)"]).collect()
}

/// `None` for files that a Maildir keeps beside its messages.
fn mail_file(root: &Path, path: PathBuf) -> Option<MailFile> {
    let relative = path.strip_prefix(root).ok()?.to_string_lossy().replace('\\', "/");
    let mut parts: Vec<&str> = relative.split('/').collect();
    let name = parts.pop()?;
    let in_maildir = matches!(parts.last(), Some(&("cur" | "new")));
    if in_maildir {
        parts.pop();
    } else if parts.last() == Some(&"tmp") || !looks_like_message(root, &parts, name) {
        return None;
    }
    let flags = name.rsplit_once(":2,").map_or_else(Flags::default, |(_, flags)| Flags(flags.to_owned()));
    // Files without flags, as in any tree of exported mails, have been read by somebody.
    let flags = if in_maildir { flags } else { Flags(Flags::SEEN.to_string()) };
    let seconds: Option<i64> = in_maildir.then(|| name.split('.').next()?.parse().ok()).flatten();
    let delivered =
        seconds.filter(|s| (0..7_000_000_000).contains(s)).map(|s| Timedate::from_unix_ms(s * 1000, 0));
    let place = place(&parts);
    Some(MailFile { path, relative: relative.clone(), place, flags, delivered })
}

/// Beside the `cur` folder of a Maildir lie the files of its server; in other trees every file counts that has a
/// usual ending or none.
fn looks_like_message(root: &Path, parts: &[&str], name: &str) -> bool {
    let folder = parts.iter().fold(root.to_owned(), |path, part| path.join(part));
    let usual = Path::new(name).extension().is_none_or(|ending| {
        ["eml", "txt", "msg", "mail"].iter().any(|usual| ending.eq_ignore_ascii_case(usual))
    });
    usual && !name.starts_with('.') && !folder.join("cur").is_dir()
}

/// Folders of Maildir++ are named `.Outer.Inner` in modified UTF-7, those of other trees nest as they are.
fn place(parts: &[&str]) -> Place {
    let path: Vec<String> = parts
        .iter()
        .flat_map(|part| match part.strip_prefix('.') {
            Some(nested) => nested.split('.').map(decode_utf7).collect(),
            None => vec![(*part).to_owned()],
        })
        .collect();
    let title = path.join("\\");
    match title.to_ascii_lowercase().as_str() {
        "" | "inbox" => Place::Folder("($Inbox)".to_owned()),
        "sent" => Place::Sent,
        "drafts" => Place::Drafts,
        "junk" | "spam" => Place::Folder("($JunkMail)".to_owned()),
        "trash" => Place::Folder("($Trash)".to_owned()),
        _ => Place::Folder(title),
    }
}

/// Modified UTF-7 (RFC 3501 section 5.1.3). What is none stays as it is.
fn decode_utf7(name: &str) -> String {
    let mut text = String::new();
    let mut rest = name;
    while let Some((plain, encoded)) = rest.split_once('&') {
        text += plain;
        let Some((encoded, after)) = encoded.split_once('-') else { return name.to_owned() };
        match decode_shifted(encoded) {
            Some(decoded) => text += &decoded,
            None => return name.to_owned(),
        }
        rest = after;
    }
    text + rest
}

fn decode_shifted(encoded: &str) -> Option<String> {
    const MODIFIED_BASE64: GeneralPurpose = GeneralPurpose::new(&IMAP_MUTF7, NO_PAD);
    if encoded.is_empty() {
        return Some("&".to_owned());
    }
    let bytes = MODIFIED_BASE64.decode(encoded).ok()?;
    let units: Vec<u16> = bytes.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect();
    String::from_utf16(&units).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maildir_names_become_titles() {
        let folder = |title: &str| Place::Folder(title.to_owned());
        assert_eq!(place(&[]), folder("($Inbox)"));
        assert_eq!(place(&[".Projects.Gro&AN8-e"]), folder("Projects\\Gro\u{df}e"));
        assert_eq!(place(&[".A&-B"]), folder("A&B"));
        assert_eq!(place(&["2020", "May"]), folder("2020\\May"));
        assert_eq!((place(&[".Sent"]), place(&[".Drafts"])), (Place::Sent, Place::Drafts));
    }

    #[test]
    fn broken_utf7_stays_as_it_is() {
        assert_eq!(["a&b", "a&!-", "a&AA-"].map(decode_utf7), ["a&b", "a&!-", "a"].map(str::to_owned));
    }

    #[test]
    fn names_tell_flags_and_time() {
        let file = mail_file(Path::new("/m"), PathBuf::from("/m/.Archive/cur/1420070400.M1P1.host,S=5:2,FS"))
            .unwrap();
        assert!(
            file.flags.has(Flags::SEEN) && file.flags.has(Flags::FLAGGED) && !file.flags.has(Flags::REPLIED)
        );
        assert_eq!(file.delivered.unwrap().to_string(), "2015-01-01T00:00:00Z");
        assert_eq!(mail_file(Path::new("/m"), PathBuf::from("/m/.Archive/tmp/x")), None);
    }
}
