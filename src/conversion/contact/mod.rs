//! Contacts and groups as vCard (RFC 6350, or RFC 2426 for programs that want version 3.0).
//!
//! Called by `conversion::convert`. The card goes into a part of the message that every target can hold, and into an
//! object of its own, with the photo, for targets that store such. Certificates, keys, passwords and the place of the
//! mail file are never written.
//!
//! Rules that no public text confirms; each stands until real address books tell better:
//!
//! | Open question | Present rule |
//! |---|---|
//! | name and description of a group | `ListName` and `ListDescription`, else `FullName`; members in `Members` |
//! | suffix of a name | item `Suffix` |
//! | further addresses of a contact | items `email_1` to `email_9`, read as `MiscPhone1` to `MiscPhone3` are |
//! | chat name | item `SametimeLogin`, written as IMPP with the scheme `sametime` |
//! | photo | the attachment `ContactPhoto`, else the first image in `Body` |
//! | pager | items `PhoneNumber_6` and `PagerPhoneNumber` |
//! | fax and mobile numbers under other names | `FaxNumber`, `HomeFaxNumber` and `MobilePhoneNumber` count too |

mod group;
mod person;
mod vcard;

use crate::base::limits::DESCRIPTION_BYTES;
use crate::conversion::body::Body;
use crate::conversion::contact::vcard::Vcard;
use crate::conversion::headers::Source;
use crate::conversion::kind::ContactKind;
use crate::conversion::losses::Losses;
use crate::conversion::message::Part;
use crate::conversion::{attachment, conflict, plain};
use crate::model::blob::Blob;
use crate::model::content::{File, FileBody};
use crate::model::loss::{Loss, LossKind};
use crate::model::object::{Object, ObjectKind};
use crate::model::rendered::{Rendered, Segment, TransferEncoding};
use crate::notes::document::Note;
use crate::notes::ids::Unid;
use crate::notes::names::{AddressKind, classify};
use mail_builder::headers::content_type::ContentType;

pub use vcard::Version as VcardVersion;

/// A contact or group as vCard.
pub struct Card {
    card: Vcard,
    photo: Option<Photo>,
    /// What a message of the contact holds and the card does not.
    losses: Vec<Loss>,
}

struct Photo {
    media_type: String,
    blob: Blob,
    /// The name of its file, where it is an attachment.
    file: Option<String>,
}

/// The card of a document. `related` are the contacts that it names as members.
pub fn card(
    source: &Source<'_>,
    kind: ContactKind,
    files: &[File],
    related: &[Note],
    losses: &mut Losses,
) -> Card {
    let (note, directory) = (source.note, source.context.directory);
    let mut card = Vcard::begin(source.context.choices.vcard, source.origin);
    // Whichever document of a conflict counts, the contact is the one of the winner.
    let winner = conflict::rivals(note, related).find(|other| note.parent_unid() == Some(other.unid));
    card.line("UID", &uid(winner.map_or(note.unid, |winner| winner.unid)));
    card.revision(note.modified);
    let mut lost = Losses::default();
    let body = Body::of(note, "Body", &mut Losses::default());
    let mut remarks = note.texts("Comment");
    match kind {
        ContactKind::Person => person::write(&mut card, note, directory, &mut remarks, losses),
        ContactKind::Group => group::write(&mut card, note, directory, related, &mut remarks, losses),
    }
    let photo = photo(&body, files).filter(|_| kind == ContactKind::Person);
    remarks.push(plain::text(&body.composite.text));
    let categories = note.texts("Categories");
    card.list("CATEGORIES", categories.iter().map(|text| text.trim()).filter(|text| !text.is_empty()));
    write_remarks(&mut card, &remarks, &mut lost);
    if body.is_formatted() {
        lost.add(LossKind::FormattingDropped, "of the remarks in the card");
    }
    let is_photo = |file: &File| {
        let name = photo.as_ref().and_then(|photo| photo.file.as_deref());
        name == Some(file.descriptor.name.text.as_str())
    };
    for file in files.iter().filter(|file| !is_photo(file)) {
        lost.add(LossKind::AttachmentDropped, file.descriptor.name.text.as_str());
    }
    let shown = photo.iter().filter(|photo| photo.file.is_none()).count();
    if body.composite.text.images.len() > shown {
        lost.add(LossKind::ImageDropped, "in the remarks in the card");
    }
    Card { card, photo, losses: lost.into_list() }
}

/// What people call a contact or group; empty for one without any name.
pub fn display_name(note: &Note, kind: ContactKind) -> String {
    match kind {
        ContactKind::Person => person::display_name(note),
        ContactKind::Group => group::display_name(note),
    }
}

fn uid(unid: Unid) -> String {
    format!("urn:x-notes:{unid}")
}

/// A stored name as people say it.
fn spoken(stored: &str) -> String {
    match classify(stored) {
        AddressKind::Empty => String::new(),
        AddressKind::Internet { address, phrase } => phrase.unwrap_or(address),
        AddressKind::Notes(name) => name.common_name().to_owned(),
    }
}

fn write_remarks(card: &mut Vcard, remarks: &[String], losses: &mut Losses) {
    let remarks: Vec<&str> = remarks.iter().map(|text| text.trim()).filter(|text| !text.is_empty()).collect();
    let remarks = remarks.join("\n");
    if remarks.len() > DESCRIPTION_BYTES {
        losses.add(LossKind::Truncated, "the remarks in the card");
    }
    card.text("NOTE", &remarks[..remarks.floor_char_boundary(DESCRIPTION_BYTES)]);
}

/// The photo of a contact: the file of that name, else the first image of its body.
fn photo(body: &Body, files: &[File]) -> Option<Photo> {
    const FILE: &str = "contactphoto";
    let attached = files.iter().find_map(|file| {
        let name = file.descriptor.name.text.as_str();
        let FileBody::Read(blob) = &file.body else { return None };
        let media_type = attachment::media_type(blob.head(), name);
        let ours = name.to_ascii_lowercase().starts_with(FILE) && media_type.starts_with("image/");
        ours.then(|| Photo { media_type, blob: blob.clone(), file: Some(name.to_owned()) })
    });
    attached.or_else(|| {
        let blob = Blob::memory(body.composite.text.images.first()?.clone());
        let media_type = attachment::media_type(blob.head(), "");
        media_type.starts_with("image/").then_some(Photo { media_type, blob, file: None })
    })
}

impl Card {
    /// The contact for those who read it as a message, in lines.
    pub fn told(&self) -> &str {
        self.card.told()
    }

    /// The part of a message. The photo is in the message anyway.
    pub fn part(&self) -> Part {
        let content_type =
            ContentType::new("text/vcard").attribute("charset", "utf-8").attribute("name", "contact.vcf");
        Part::Text { content_type, text: (self.card.text_so_far() + "END:VCARD\r\n").replace("\r\n", "\n") }
    }

    /// The object, with the photo.
    pub fn object(mut self) -> Object {
        let mut segments = Vec::new();
        if let Some(Photo { media_type, blob, .. }) = self.photo {
            self.card.photo(&media_type);
            segments.push(Segment::Bytes(self.card.take_bytes()));
            segments.push(Segment::Blob { blob, encoding: TransferEncoding::Base64Continued });
        }
        self.card.end();
        segments.push(Segment::Bytes(self.card.take_bytes()));
        Object { kind: ObjectKind::Contact, rendered: Rendered::new(segments), losses: self.losses }
    }
}
