//! Notes documents to standard text: pure functions without clock, thread, socket or file.
//!
//! Called by `modes::migrate` (later by the server's pool) with an item that a source opened; gives a finished
//! message or the reason why there is none. What could not be carried over is in the list of losses, always.

/// Formats into a `String`, which cannot fail.
macro_rules! append {
    ($text:expr, $($format:tt)*) => {{
        let _ = std::fmt::Write::write_fmt(&mut $text, format_args!($($format)*));
    }};
}

mod address;
mod attachment;
mod body;
mod calendar;
mod composite;
mod conflict;
mod contact;
mod content_line;
mod date;
mod directory;
mod filing;
mod filter;
mod font;
mod headers;
mod html;
mod image;
mod kind;
mod link;
mod listing;
mod losses;
mod message;
mod mime;
pub mod open_questions;
mod original;
mod plain;
mod report;
mod state;

pub use contact::VcardVersion;
pub use directory::{Directory, RowError};

use crate::conversion::body::Body;
use crate::conversion::calendar::{Calendar, journal};
use crate::conversion::contact::Card;
use crate::conversion::date::{Dates, dates};
pub use crate::conversion::filter::left_out;
use crate::conversion::headers::{Headers, Source};
pub use crate::conversion::kind::is_settings;
use crate::conversion::kind::{Kind, MailForm};
use crate::conversion::losses::Losses;
use crate::conversion::message::Part;
use crate::conversion::state::State;
use crate::model::content::{Content, File, SourceItem};
use crate::model::delivery::Flags;
use crate::model::folder::{Folder, FolderId, FolderPath};
use crate::model::loss::{Loss, LossKind, SetAside, SetAsideReason};
use crate::model::object::Object;
use crate::model::rendered::{Rendered, Segment};
use crate::model::summary::About;
use crate::notes::document::Note;
use crate::notes::ids::{ReplicaId, Unid};
use crate::notes::item::ItemType;
use crate::notes::value::Value;

/// Counts the changes of conversion rules; the ledger keeps it with each item. A new version re-delivers only on
/// order.
pub const CONVERTER_VERSION: u32 = 3;

/// What the administrator chose among the forms that items can take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Choices {
    /// The version in which contacts are written.
    pub vcard: VcardVersion,
    /// Targets that store objects get pages of a notebook as VJOURNAL, which few programs show, instead of as mail.
    pub vjournal: bool,
}

/// What conversion knows beside the item itself.
pub struct Context<'a> {
    pub replica: ReplicaId,
    /// The owner of the mail file as a Notes name, where it is known.
    pub owner: Option<&'a str>,
    /// The time of the run, for the check of implausible dates: milliseconds since 1970-01-01 00:00 UTC.
    pub now_unix_ms: i64,
    /// Also convert documents that are no mail, as messages that list their items.
    pub all_documents: bool,
    /// The folders of the source, for the placement of the item.
    pub folders: &'a [Folder],
    /// What is known of Notes names.
    pub directory: &'a Directory,
    pub choices: Choices,
    /// The Message-ID of a document of the same file.
    pub message_id_of: &'a dyn Fn(Unid) -> Option<String>,
}

impl<'a> Context<'a> {
    /// Nothing is known beside the document.
    pub fn bare(replica: ReplicaId, directory: &'a Directory, now_unix_ms: i64) -> Self {
        Self {
            replica,
            owner: None,
            now_unix_ms,
            all_documents: false,
            folders: &[],
            directory,
            choices: Choices::default(),
            message_id_of: &|_| None,
        }
    }
}

/// A document that became a message.
#[derive(Clone, Debug)]
pub struct Converted {
    pub rendered: Rendered,
    /// The same in the form of its own kind, for destinations that store such.
    pub object: Option<Object>,
    /// Where it belongs at the target, each folder once. None for what is no item of its own: a document of a series
    /// that another one leads, and an entry that was taken out of service.
    pub placements: Vec<FolderPath>,
    pub flags: Flags,
    /// INTERNALDATE: milliseconds since 1970-01-01 00:00 UTC.
    pub internal_date_ms: i64,
    pub message_id: String,
    pub subject: String,
    /// Documents of the same database whose content this item took over. A copy of one of them, from when it was an item
    /// of its own, gives its place to this one.
    pub stands_for: Vec<Unid>,
    pub losses: Vec<Loss>,
}

/// The header that carries the identity of an item in every message that we make.
pub const KEY_HEADER: &str = "X-Notesferry-Key";

/// Converts one item. `folders` of the listing and the unread state come with it, because they are not part of
/// the document.
///
/// # Errors
/// The reason why this item gives no message; it is set aside, never dropped.
pub fn convert(
    item: &SourceItem,
    folders: &[FolderId],
    unread: Option<bool>,
    context: &Context<'_>,
) -> Result<Converted, SetAside> {
    let Content::Note { note, files } = &item.content;
    let mut losses = Losses::default();
    item.losses.iter().cloned().for_each(|loss| losses.push(loss));
    let kind = kind::kind(note);
    let mail = match kind {
        Kind::Entry(_) if is_no_item(item, note, files, &mut losses) => {
            return Ok(Converted::nothing(losses.into_list()));
        }
        Kind::Contact(_) if conflict::is_outdated(note, &item.related) => {
            losses.add(LossKind::ConflictCopySkipped, "");
            return Ok(Converted::nothing(losses.into_list()));
        }
        Kind::Mail(_) if conflict::is_superfluous(note, &item.related) => {
            losses.add(LossKind::ConflictCopySkipped, "");
            return Ok(Converted::nothing(losses.into_list()));
        }
        Kind::Mail(form) => Some(form),
        Kind::Entry(_) | Kind::Contact(_) | Kind::Journal => None,
        Kind::Other(_) if context.all_documents => None,
        Kind::Other(why) => return Err(not_mail(note, why)),
    };
    // A document that is no mail was not written by the owner, nor sent, nor received: it is just there.
    let state = mail.map_or(State::Received, |form| State::of(note, form == MailForm::Written));
    // A document that is no mail never had a date or sender to lose.
    let mut unasked = Losses::default();
    let of_mail = if mail.is_some() { &mut losses } else { &mut unasked };
    let mut dates = dates(note, state, context.now_unix_ms, of_mail);
    if kind == Kind::Journal
        && let Some(date) = journal::date(note)
    {
        dates = Dates { header: date, internal_ms: date.unix_ms };
    }
    let source = Source { note, origin: &item.origin, context, state, is_mail: mail.is_some(), dates };
    report_whole(note, &mut losses);
    let (headers, rendered, object) = render(&source, kind, files, &item.related, &mut losses);
    let placements = filing::placements(note, folders, context.folders, kind, state, &mut losses);
    // Nobody has unread contacts.
    let unread = unread.filter(|_| !matches!(kind, Kind::Contact(_) | Kind::Journal));
    let mut flags = state::flags(note, state, unread, headers.receipt_disarmed);
    if filing::is_junk(&placements) {
        flags.keywords.push("$Junk".to_owned());
    }
    Ok(Converted {
        rendered,
        object,
        placements,
        flags,
        internal_date_ms: source.dates.internal_ms,
        message_id: headers.message_id,
        subject: headers.subject,
        stands_for: stands_for(note, kind, &item.related),
        losses: losses.into_list(),
    })
}

impl Converted {
    /// What a document becomes that is no item of its own.
    pub fn nothing(losses: Vec<Loss>) -> Self {
        Self {
            rendered: Rendered::default(),
            object: None,
            placements: Vec::new(),
            flags: Flags::default(),
            internal_date_ms: 0,
            message_id: String::new(),
            subject: String::new(),
            stands_for: Vec::new(),
            losses,
        }
    }
}

/// By what a person recognises a document.
pub fn about(note: &Note, now_unix_ms: i64) -> About {
    let names = ["Subject", "FullName", "ListName"];
    let subject = names.iter().map(|name| note.text(name)).find(|text| !text.trim().is_empty());
    let kind = kind::kind(note);
    let start = matches!(kind, Kind::Entry(_)).then(|| note.time("StartDateTime")).flatten();
    let start = start.and_then(|time| time.unix_ms().ok());
    let state = State::of(note, kind == Kind::Mail(MailForm::Written));
    let date = start.or_else(|| date::of_message(note, state, now_unix_ms));
    About::new(&subject.unwrap_or_default(), date)
}

/// The items of a document in words, by their names; rich text without its form, binary items not at all.
pub fn items_in_words(note: &Note) -> Vec<(String, String)> {
    listing::items(note)
}

/// The folder at the target that stands for one of the source; none for a folder that users do not see.
pub fn target_folder(folder: &Folder) -> Option<FolderPath> {
    filing::target(folder)
}

/// Whether a calendar entry is no item of its own.
fn is_no_item(item: &SourceItem, note: &Note, files: &[File], losses: &mut Losses) -> bool {
    if calendar::is_obsolete(note) {
        losses.add(LossKind::ObsoleteEntry, "");
        return true;
    }
    let Some(leader) = calendar::leader(note, &item.related) else { return false };
    if !calendar::documents(note, &item.related).iter().any(|other| other.unid == note.unid) {
        losses.add(LossKind::ConflictCopySkipped, "");
    }
    // The leader carries its own files; one that only this document has goes with it.
    let carried: Vec<Value<'_>> = leader.all("$FILE").filter_map(|item| item.value().ok()).collect();
    for file in files {
        let same =
            |value: &Value<'_>| matches!(value, Value::File(other) if other.name == file.descriptor.name);
        if !carried.iter().any(same) {
            losses.add(LossKind::AttachmentDropped, file.descriptor.name.text.as_str());
        }
    }
    true
}

/// The other documents for which an item speaks: those of its series, and those that it had a conflict with.
fn stands_for(note: &Note, kind: Kind, related: &[Note]) -> Vec<Unid> {
    match kind {
        Kind::Entry(_) => calendar::same_series(note, related).map(|other| other.unid).collect(),
        Kind::Contact(_) => conflict::rivals(note, related).map(|other| other.unid).collect(),
        Kind::Mail(_) | Kind::Journal | Kind::Other(_) => Vec::new(),
    }
}

/// The words of a rich-text item, not wrapped, and what they do not tell.
pub fn plain_text(note: &Note, item: &str) -> (String, Vec<Loss>) {
    let mut losses = Losses::default();
    let composite = composite::read(note, item, &mut losses);
    (plain::text(&composite.text), losses.into_list())
}

fn not_mail(note: &Note, why: &str) -> SetAside {
    let form = kind::form(note);
    let form = if form.is_empty() { "(no form)" } else { &form };
    SetAside::new(SetAsideReason::UnknownForm, format!("{form}: {why}"))
}

/// Losses that concern the document as a whole.
fn report_whole(note: &Note, losses: &mut Losses) {
    if note.has("$Signature") {
        losses.add(LossKind::NotesSignatureDropped, "");
    }
    if note.has("$OrigSize") {
        losses.add(LossKind::Truncated, format!("{} bytes in all", note.text("$OrigSize")));
    }
}

/// The form of an item's own kind, beside the text of its message.
#[derive(Default)]
struct OwnForm {
    /// For those who read the message, in lines.
    told: String,
    /// Another form of the text (RFC 6047 section 2.4).
    alternative: Option<Part>,
    attached: Option<Part>,
}

impl OwnForm {
    fn of(calendar: Option<&Calendar>, card: Option<&Card>) -> Self {
        let told = match (calendar, card) {
            (Some(calendar), _) => &calendar.told,
            (None, Some(card)) => card.told(),
            (None, None) => "",
        };
        let told = if told.is_empty() { String::new() } else { format!("{told}\n") };
        Self { told, alternative: calendar.map(Calendar::part), attached: card.map(Card::part) }
    }

    /// The text of a message with its other forms.
    fn beside(self, text: Part) -> Vec<Part> {
        let text = match (text, self.alternative) {
            (text, None) => text,
            (Part::Multipart { content_type, mut parts }, Some(other))
                if content_type.c_type == "multipart/alternative" =>
            {
                parts.push(other);
                Part::Multipart { content_type, parts }
            }
            (text, Some(other)) => Part::multipart("alternative", vec![text, other]),
        };
        std::iter::once(text).chain(self.attached).collect()
    }
}

/// The header and the content of a document, from the best body it has.
fn content(
    source: &Source<'_>,
    kind: Kind,
    own: OwnForm,
    files: &[File],
    losses: &mut Losses,
) -> (Headers, Part) {
    let note = source.note;
    if note.has_mime_body() {
        let (headers, content) = mime_content(source, kind, files, losses);
        return (headers, Part::multipart("mixed", own.beside(content)));
    }
    let headers = headers::build(source, &[], losses);
    if is_sealed(note) {
        losses.add(LossKind::Encrypted, "");
        let stub = "This message is encrypted with Notes and was not converted.\n";
        return (headers, Part::plain(stub.to_owned()));
    }
    let is_own_form =
        matches!(kind, Kind::Mail(MailForm::Written) | Kind::Entry(_) | Kind::Contact(_) | Kind::Journal);
    let item = if is_own_form { "Body" } else { body::item_name(note) };
    let mut body = Body::of(note, item, losses);
    match kind {
        Kind::Mail(MailForm::PhoneMessage) => body.prepend_lines(&listing::fields(note)),
        // An application keeps its text where it likes.
        Kind::Mail(MailForm::Foreign) => {
            // Without a sender and without recipients only the name of its body is that of a mail.
            if !note.has("From") && !note.has("SendTo") {
                body.append_lines(&listing::fields(note));
            }
            body.append_lines(&listing::other_texts(note, item, losses));
        }
        Kind::Mail(MailForm::Bookmark) => body.append_lines(&bookmark_lines(note)),
        Kind::Mail(_) | Kind::Journal => {}
        Kind::Entry(_) | Kind::Contact(_) => {
            body.prepend_lines(&own.told);
            body.append_lines(&listing::other_texts(note, item, losses));
        }
        Kind::Other(_) => body.append_lines(&format!("\n{}", listing::lines(note, item, losses))),
    }
    let mut text = body.text_part();
    if let Kind::Mail(MailForm::Report(report)) = kind {
        text = report::wrap(report, note, text, source.context.directory, losses);
    }
    (headers, body.with_files(own.beside(text), files, losses))
}

/// What a bookmark leads to: the links that it keeps, and what its fields say.
fn bookmark_lines(note: &Note) -> String {
    let links = note.all("$Links").filter_map(|item| match item.value() {
        Ok(Value::NoteLinks(links)) => Some(links),
        _ => None,
    });
    let links = links.flatten().map(|link| format!("{}\n", link::notes_url(&link, "")));
    links.collect::<String>() + &listing::fields(note)
}

/// The header and the stored parts of a document that holds a MIME message, with the files that no part names. Of a
/// document that is no mail the items are listed in a part of their own.
fn mime_content(source: &Source<'_>, kind: Kind, files: &[File], losses: &mut Losses) -> (Headers, Part) {
    let note = source.note;
    if note.all("Body").any(|item| item.item_type == ItemType::COMPOSITE) {
        losses.add(LossKind::SecondBodyDropped, "");
    }
    let assembled = mime::assemble(note, files, losses);
    let headers = headers::build(source, &assembled.headers, losses);
    let mut parts = vec![Part::Ready(assembled.content)];
    if matches!(kind, Kind::Other(_)) {
        parts.push(Part::plain(plain::flow(&listing::lines(note, "Body", losses))));
    }
    let unused = files.iter().zip(&assembled.used).filter(|(_, used)| !**used);
    parts.extend(unused.map(|(file, _)| attachment::part(file, &file.descriptor.name.text, losses)));
    (headers, Part::multipart("mixed", parts))
}

/// The body is inside what only the recipient's ID file opens.
fn is_sealed(note: &Note) -> bool {
    (note.has("$Seal") || note.has("$SealData") || note.has("$Seal2")) && !note.has("Body")
}

/// The message: the original that the document keeps, below our key, or one made of the document. An entry is an object
/// too.
fn render(
    source: &Source<'_>,
    kind: Kind,
    files: &[File],
    related: &[Note],
    losses: &mut Losses,
) -> (Headers, Rendered, Option<Object>) {
    if let Some(original) = original::find(source.note, files) {
        let headers = headers::build(source, &[], &mut Losses::default());
        let key = format!("{KEY_HEADER}: {}\r\n", source.origin);
        let segments = std::iter::once(Segment::Bytes(key.into_bytes())).chain(original);
        return (headers, Rendered::new(segments.collect()), None);
    }
    let calendar = match kind {
        Kind::Entry(entry) => calendar::entry(source, entry, related, losses),
        // What came from outside has its calendar part already.
        Kind::Mail(MailForm::Notice) if !mime::has_calendar_part(source.note) => {
            calendar::notice(source, losses)
        }
        _ => None,
    };
    let card = match kind {
        Kind::Contact(contact) => Some(contact::card(source, contact, files, related, losses)),
        _ => None,
    };
    let own = OwnForm::of(calendar.as_ref(), card.as_ref());
    let object = match kind {
        Kind::Entry(_) => calendar.map(|calendar| calendar.object(source.origin, source.note, files)),
        Kind::Journal if source.context.choices.vjournal => Some(journal::object(source, files)),
        _ => card.map(Card::object),
    };
    let (headers, content) = content(source, kind, own, files, losses);
    let mut bytes = headers.to_bytes();
    bytes.extend_from_slice(b"MIME-Version: 1.0\r\n");
    (headers, message::render(&bytes, content, source.origin), object)
}
