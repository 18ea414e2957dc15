//! A week worth looking at: letters, entries and contacts that are written by hand, not by chance.
//!
//! It begins on a fixed Monday, after the other mails of the mailbox. `block` and `letters` hold the mail, `week` the
//! rest.

mod block;
mod letters;
mod week;

use super::{Mail, Mailbox, OWNER, State, message_id};
use crate::forge::ForgeError;
use crate::forge::database::{Attachment, Compression, FolderHandle};
use crate::forge::note::{ItemSpec, NoteSpec, unid};
use crate::forge::richtext::RichText;
use crate::forge::values;
use crate::notes::ids::{NoteId, Unid};
use crate::notes::item::{ItemFlags, ItemType};
use crate::notes::timedate::Timedate;
use block::Block;
use jiff::civil::{Date, date};
use jiff::tz::TimeZone;
use letters::{FOLDERS, LETTERS, Letter, Place};

const MONDAY: Date = date(2024, 1, 8);
/// Times differ by less than this from what is written.
const STEP_MS: i64 = 10_000;

/// A letter that was written.
struct Written {
    note_id: NoteId,
    unid: Unid,
    message_id: String,
    /// The Message-IDs of the letters before it, and its own.
    references: String,
}

pub(super) fn write(mailbox: &mut Mailbox) -> Result<(), ForgeError> {
    mailbox.step_ms = STEP_MS;
    set_clock(mailbox, [0, 0, 0]);
    let folders = FOLDERS.map(|title| {
        let (_, time) = mailbox.next_identity();
        let unid = unid(mailbox.random.u64(..), time);
        mailbox.writer.add_folder(title, "F", unid, time)
    });
    let mut written = Vec::new();
    for letter in LETTERS {
        written.push(write_letter(mailbox, letter, &written, &folders)?);
    }
    week::write(mailbox)
}

/// Sets the clock of the mailbox to an hour and minute, in UTC, of a day of the showcase.
fn set_clock(mailbox: &mut Mailbox, [days, hours, minutes]: [i64; 3]) {
    let monday = MONDAY.to_zoned(TimeZone::UTC).map_or(0, |monday| monday.timestamp().as_millisecond());
    mailbox.now_ms = monday + ((days * 24 + hours) * 60 + minutes) * 60_000;
}

fn write_letter(
    mailbox: &mut Mailbox,
    letter: &Letter,
    written: &[Written],
    folders: &[FolderHandle],
) -> Result<Written, ForgeError> {
    set_clock(mailbox, letter.at);
    let (unid, time) = mailbox.next_identity();
    let message_id = message_id(unid);
    let parent = letter.answers.map(|at| &written[at]);
    let state = match letter.place {
        Place::Draft => State::Draft,
        Place::Sent => State::Sent,
        Place::Inbox | Place::Unread | Place::Filed(_) => State::Received,
    };
    let mail = Mail { state, time, subject: letter.subject, message_id: &message_id, parent: None };
    let mut note = NoteSpec::document(unid, time);
    note.parent = parent.map(|parent| parent.note_id);
    note.items = Mailbox::addressed_items(&mail, letter.from, letter.to, letter.copies);
    note.items.push(ItemSpec::text("Form", if parent.is_some() { "Reply" } else { "Memo" }));
    note.items.push(ItemSpec::texts("$UpdatedBy", &[OWNER.in_notes()]).flagged(ItemFlags::NAMES));
    if state == State::Received {
        note.items.push(ItemSpec::time("DeliveredDate", time));
    }
    if let Some(parent) = parent {
        let reference = values::note_refs(&[parent.unid]);
        note.items.push(ItemSpec::new("$REF", ItemType::NOTEREF_LIST, reference));
        note.items.push(ItemSpec::text("In_Reply_To", &parent.message_id));
        note.items.push(ItemSpec::text("References", &parent.references));
    }
    note.items.extend(body(mailbox, letter, written, time)?);
    let note_id = mailbox.writer.add_note(&note)?;
    file(mailbox, letter.place, folders, (note_id, unid, time));
    let before = parent.map_or(String::new(), |parent| format!("{} ", parent.references));
    Ok(Written { note_id, unid, references: before + &message_id, message_id })
}

fn file(
    mailbox: &mut Mailbox,
    place: Place,
    folders: &[FolderHandle],
    (note_id, unid, time): (NoteId, Unid, Timedate),
) {
    let folder = match place {
        Place::Inbox | Place::Unread => mailbox.folders.inbox,
        Place::Filed(at) => folders[at],
        Place::Sent | Place::Draft => return,
    };
    mailbox.writer.file(folder, note_id, unid, time);
    if place == Place::Unread {
        mailbox.writer.mark_unread(&OWNER.in_notes(), note_id);
    }
}

/// The text of a letter with what was written before it, and its files and links.
fn body(
    mailbox: &mut Mailbox,
    letter: &Letter,
    written: &[Written],
    time: Timedate,
) -> Result<Vec<ItemSpec>, ForgeError> {
    let mut rich = RichText::new();
    let mut items = Vec::new();
    for block in letter.body {
        block.write(&mut rich, false);
        match block {
            Block::File(name, text) => items.push(mailbox.writer.attach(Attachment {
                name,
                data: &mut text.as_bytes(),
                bytes: text.len() as u64,
                compression: Compression::None,
                flags: Attachment::IN_DOCUMENT,
                modified: time,
            })?),
            Block::Letter(at, _) => {
                let links = values::note_links(&[(mailbox.replica_id, Unid::default(), written[*at].unid)]);
                items.push(ItemSpec::new("$Links", ItemType::NOTELINK_LIST, links).outside_summary());
            }
            _ => {}
        }
    }
    let mut before = letter.answers;
    while let Some(quoted) = before.map(|at| &LETTERS[at]) {
        quote(&mut rich, quoted);
        before = quoted.answers;
    }
    items.push(ItemSpec::rich_text("Body", rich.bytes()));
    Ok(items)
}

fn quote(rich: &mut RichText, letter: &Letter) {
    let [day, hour, minute] = letter.at;
    let day = MONDAY.saturating_add(jiff::Span::new().days(day));
    let to: Vec<&str> = letter.to.iter().map(|person| person.shown).collect();
    block::quoted_head(
        rich,
        &[
            ("From", format!("{} <{}>", letter.from.shown, letter.from.address)),
            ("To", to.join(", ")),
            ("Date", format!("{day} {:02}:{minute:02}", hour + 1)),
            ("Subject", letter.subject.to_owned()),
        ],
    );
    letter.body.iter().for_each(|block| block.write(rich, true));
}
