//! What is rare in a mailbox and has to be in a trial: mails that their sender got a copy of, and a huge attachment.

use super::later::Fate;
use super::prose::Prose;
use super::{Mail, Mailbox, OWNER, State, message_id};
use crate::forge::ForgeError;
use crate::forge::database::{Attachment, Compression};
use crate::forge::note::{ItemSpec, NoteSpec};
use crate::forge::richtext::{RichText, Style};
use fastrand::Rng;
use std::io::{self, Read};

/// How much of it there is.
#[derive(Clone, Copy, Debug, Default)]
pub struct Extras {
    /// Mails of the owner to herself and others: one document that was sent and one that was received, with the same
    /// Message-ID.
    pub copies: u64,
    /// Bytes of an attachment that nothing can compress; 0 for none.
    pub attachment_bytes: u64,
    /// The documents of a busy week that are written by hand, to be looked at.
    pub showcase: bool,
}

/// Bytes from a seed.
struct Noise(Rng);

impl Read for Noise {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        self.0.fill(bytes);
        Ok(bytes.len())
    }
}

pub(super) fn write(mailbox: &mut Mailbox, extras: &Extras) -> Result<(), ForgeError> {
    for number in 0..extras.copies {
        let (unid, _) = mailbox.next_identity();
        let (subject, message_id) = (format!("To all of us, {number}"), message_id(unid));
        for state in [State::Sent, State::Received] {
            add(mailbox, state, &subject, &message_id, 0)?;
        }
    }
    if extras.attachment_bytes > 0 {
        let (unid, _) = mailbox.next_identity();
        add(mailbox, State::Received, "The film", &message_id(unid), extras.attachment_bytes)?;
    }
    Ok(())
}

fn add(
    mailbox: &mut Mailbox,
    state: State,
    subject: &str,
    message_id: &str,
    attachment_bytes: u64,
) -> Result<(), ForgeError> {
    let (unid, time) = mailbox.next_identity();
    let mut note = NoteSpec::document(unid, time);
    let mail = Mail { state, time, subject, message_id, parent: None };
    note.items = mailbox.notes_items(&mail, OWNER);
    mailbox.push_common_items(&mut note, &mail);
    let mut rich = RichText::new();
    for line in Prose::choose(&mut mailbox.random).lines(&mut mailbox.random, 400) {
        rich.line(&line);
    }
    if attachment_bytes > 0 {
        let name = "film.mov";
        rich.paragraph(Style::Left);
        rich.file(name, name);
        note.items.push(mailbox.writer.attach(Attachment {
            name,
            data: &mut Noise(mailbox.random.fork()).take(attachment_bytes),
            bytes: attachment_bytes,
            compression: Compression::None,
            flags: Attachment::IN_DOCUMENT,
            modified: time,
        })?);
    }
    note.items.push(ItemSpec::rich_text("Body", rich.bytes()));
    let note_id = mailbox.writer.add_note(&note)?;
    mailbox.file_mail(state, note_id, unid, time, Fate::Untouched);
    Ok(())
}
