//! A mailbox made of message files: a Maildir++ tree, or any tree of files that each hold one message.
//!
//! Messages become native MIME documents: headers as items, the structure as MIME parts, attachments decoded in `$FILE`
//! items. Folders come from the tree, unread marks and replies from the flags in the names of Maildir files.

mod message;
mod tree;

use super::ForgeError;
use super::database::{FolderHandle, Options, Summary, Writer};
use super::note::{self, ItemSpec, NoteSpec};
use super::version::Version;
use crate::notes::ids::{ReplicaId, Unid};
use crate::notes::timedate::Timedate;
use std::collections::HashMap;
use std::path::Path;
use tree::{Flags, MailFile, Place};

/// Whose mailbox it becomes.
const OWNER: &str = "CN=Jane Doe/OU=Sales/O=Example";
/// 1990-01-01: no note is older than its database.
const CREATED_MS: i64 = 631_152_000_000;

/// Which messages become a mailbox.
#[derive(Clone, Copy, Debug)]
pub struct FromMailsOptions<'a> {
    pub version: Version,
    /// Goes into the ids, so that two mailboxes of the same messages differ.
    pub seed: u64,
    pub mails: &'a Path,
}

/// Makes a mailbox of all messages below a folder, in the order of their paths.
///
/// # Errors
/// If messages cannot be read, or `path` exists or cannot be written.
pub fn forge(path: &Path, options: &FromMailsOptions<'_>) -> Result<Summary, ForgeError> {
    let files = tree::message_files(options.mails)?;
    let created = Timedate::from_unix_ms(CREATED_MS, 0);
    let replica_id = ReplicaId::from_innards([options.seed as u32 % 8_640_000, created.0[1]]);
    let title =
        options.mails.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let version = options.version;
    let mut writer =
        Writer::create(path, Options { version, title, replica_id, created, ..Options::default() })?;
    writer.add_reader(OWNER);
    let profile = unid(options.seed, b"profile", created);
    writer.add_note(&NoteSpec::calendar_profile(profile, created, OWNER))?;
    let mut folders = HashMap::new();
    for title in tree::folder_titles(&files) {
        let unid = unid(options.seed, title.as_bytes(), created);
        folders.insert(title, writer.add_folder(title, "F", unid, created));
    }
    let mut skipped = 0;
    for file in &files {
        if !write_message(&mut writer, options.seed, file, &folders)? {
            skipped += 1;
        }
    }
    Ok(Summary { skipped, ..writer.finish()? })
}

/// False if the file holds no message.
fn write_message(
    writer: &mut Writer,
    seed: u64,
    file: &MailFile,
    folders: &HashMap<&str, FolderHandle>,
) -> Result<bool, ForgeError> {
    let raw =
        std::fs::read(&file.path).map_err(|error| ForgeError::Read { path: file.path.clone(), error })?;
    let raw = message::with_crlf(&raw);
    let Some(message) = message::parse(&raw) else { return Ok(false) };
    let time = message::date(&message).or(file.delivered).unwrap_or(Timedate::from_unix_ms(CREATED_MS, 0));
    let draft = file.flags.has(Flags::DRAFT);
    let mut items = if draft { message::draft_headers(&message) } else { message::headers(&message, &raw) };
    items.extend(state_items(file, time));
    items.extend(super::mime::items(writer, &message::pieces(&message, &raw), time)?);
    // The path makes equal messages in two folders two documents.
    let unid = unid(seed, file.relative.as_bytes(), time);
    let note_id = writer.add_note(&NoteSpec::document(unid, time).with(items))?;
    if let Place::Folder(title) = &file.place
        && let Some(folder) = folders.get(title.as_str())
    {
        writer.file(*folder, note_id, unid, time);
    }
    if !file.flags.has(Flags::SEEN) && !draft {
        writer.mark_unread(OWNER, note_id);
    }
    Ok(true)
}

/// Items that tell what became of a message.
fn state_items(file: &MailFile, time: Timedate) -> Vec<ItemSpec> {
    let mut items = vec![ItemSpec::text("Form", "Memo"), ItemSpec::text("$NoteHasNativeMIME", "1")];
    if file.place != Place::Sent && !file.flags.has(Flags::DRAFT) {
        items.push(ItemSpec::time("DeliveredDate", file.delivered.unwrap_or(time)));
    }
    let responded = match (file.flags.has(Flags::REPLIED), file.flags.has(Flags::PASSED)) {
        (true, true) => Some("3"),
        (false, true) => Some("2"),
        (true, false) => Some("1"),
        (false, false) => None,
    };
    items.extend(responded.map(|value| ItemSpec::text("$RespondedTo", value)));
    if file.flags.has(Flags::FLAGGED) {
        items.push(ItemSpec::text("FollowUpStatus", "2"));
    }
    items
}

/// An id that depends on nothing but its arguments.
fn unid(seed: u64, name: &[u8], time: Timedate) -> Unid {
    let mut hash = blake3::Hasher::new();
    hash.update(&seed.to_le_bytes()).update(name);
    let mut first = [0; 8];
    first.copy_from_slice(&hash.finalize().as_bytes()[..8]);
    note::unid(u64::from_le_bytes(first), time)
}
