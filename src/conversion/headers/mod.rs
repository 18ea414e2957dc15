//! The header of a message: stored Internet headers as they came, everything else made from Notes items.
//!
//! The key comes first, then the trace headers, then the rest. A header of which RFC 5322 section 3.6 allows one is
//! there once, `From` and `Date` always. No value can start a header of its own.

mod field;
mod stored;

use crate::conversion::address::{self, Mailbox};
use crate::conversion::calendar::journal;
use crate::conversion::contact;
use crate::conversion::date::{self, Dates};
use crate::conversion::kind::{self, Kind, MailForm};
use crate::conversion::listing;
use crate::conversion::losses::Losses;
use crate::conversion::state::State;
use crate::conversion::{Context, KEY_HEADER};
use crate::model::item::Origin;
use crate::model::loss::LossKind;
use crate::notes::document::Note;
use crate::notes::ids::ReplicaId;
use crate::notes::timedate::Moment;
use crate::notes::value::Value;
pub use field::{Headers, encoded};
pub use stored::fields;

/// Headers that ask the reader's program for a receipt.
const RECEIPT_REQUESTS: [&str; 3] =
    ["Disposition-Notification-To", "Return-Receipt-To", "X-Confirm-Reading-To"];

/// Items that should be there once and are looked at for damage.
const SINGLE_ITEMS: [&str; 9] = [
    "Form",
    "From",
    "Subject",
    "SendTo",
    "CopyTo",
    "BlindCopyTo",
    "PostedDate",
    "DeliveredDate",
    "$MessageID",
];

/// What the header is made from.
pub struct Source<'a> {
    pub note: &'a Note,
    pub origin: &'a Origin,
    pub context: &'a Context<'a>,
    pub state: State,
    pub is_mail: bool,
    pub dates: Dates,
}

/// Makes the header of a message from its document. `others` are header lines that stand in the document's body:
/// they are taken over as far as no header of that name exists.
pub fn build(source: &Source<'_>, others: &[u8], losses: &mut Losses) -> Headers {
    let note = source.note;
    report_duplicates(note, losses);
    let mut headers = Headers::default();
    headers.text(KEY_HEADER, &source.origin.to_string());
    stored::take_items(&mut headers, source, losses);
    stored::take_lines(&mut headers, source.state, others, losses);
    write_date(&mut headers, source.dates);
    write_authors(&mut headers, source, losses);
    write_recipients(&mut headers, source, losses);
    write_subject(&mut headers, source);
    write_ids(&mut headers, source);
    write_trace(&mut headers, source, losses);
    write_priorities(&mut headers, note);
    write_receipt(&mut headers, source);
    write_notes_headers(&mut headers, note);
    headers
}

/// Whether an item occurs more than once with different values, or holds damaged text.
fn report_duplicates(note: &Note, losses: &mut Losses) {
    for name in SINGLE_ITEMS {
        let mut items = note.all(name);
        let Some(first) = items.next() else { continue };
        if items.any(|other| other.value != first.value) {
            losses.add(LossKind::DuplicateItem, name);
        }
        let damaged = match first.value() {
            Ok(Value::Text(text)) => text.damaged,
            Ok(Value::TextList(list)) => list.iter().any(|text| text.damaged),
            Ok(_) => false,
            Err(_) => true,
        };
        if damaged {
            losses.add(LossKind::TextDamaged, name);
        }
    }
}

fn write_date(headers: &mut Headers, dates: Dates) {
    if !headers.has("Date") {
        headers.text("Date", &date::rfc5322(dates.header.unix_ms, dates.header.zone_minutes));
    }
}

/// `From` is who made the document, `Principal` in whose name; exactly one `From` comes out.
fn write_authors(headers: &mut Headers, source: &Source<'_>, losses: &mut Losses) {
    let note = source.note;
    if headers.has("From") {
        return;
    }
    let one = |item: &str, partner: &str, losses: &mut Losses| {
        let partner = note.text(partner);
        address::resolve(source.context.directory, &note.text(item), Some(&partner), losses)
    };
    let (author, principal) = (note.text("From"), note.text("Principal"));
    if principal.trim().is_empty() || address::same(&author, &principal) {
        let from = one("From", "INetFrom", losses).or_else(|| one("AltFrom", "", losses));
        let from = from.unwrap_or_else(|| fallback_author(source, losses));
        return headers.addresses("From", &[from]);
    }
    let from = one("Principal", "$INetPrincipal", losses);
    let sender = one("From", "INetFrom", losses);
    let from = from.or_else(|| sender.clone()).unwrap_or_else(address::unknown_sender);
    let sender = sender.filter(|sender| sender.address != from.address);
    headers.addresses("From", &[from]);
    headers.addresses("Sender", &Vec::from_iter(sender));
}

fn fallback_author(source: &Source<'_>, losses: &mut Losses) -> Mailbox {
    if source.is_mail {
        losses.add(LossKind::SenderUnknown, "");
    }
    // Of a calendar entry.
    let chair = source.note.text("Chair");
    let owner = source.context.owner.filter(|_| source.state.is_own());
    let editor = source.note.text("$UpdatedBy");
    // What is no mail was never sent, so nobody misses the address of its author.
    let mut unasked = Losses::default();
    let losses = if source.is_mail { losses } else { &mut unasked };
    let known = [chair].into_iter().chain(owner.map(str::to_owned)).chain([editor]);
    let mut resolved =
        known.filter_map(|name| address::resolve(source.context.directory, &name, None, losses));
    resolved.next().unwrap_or_else(address::unknown_sender)
}

fn write_recipients(headers: &mut Headers, source: &Source<'_>, losses: &mut Losses) {
    let (note, directory) = (source.note, source.context.directory);
    let lists = [
        ("To", "SendTo", "INetSendTo", "EnterSendTo"),
        ("Cc", "CopyTo", "INetCopyTo", "EnterCopyTo"),
        ("Bcc", "BlindCopyTo", "INetBlindCopyTo", "EnterBlindCopyTo"),
        ("Reply-To", "ReplyTo", "$INetReplyTo", ""),
    ];
    for (name, item, partner, typed) in lists {
        if headers.has(name) {
            continue;
        }
        let mut mailboxes = address::resolve_list(directory, note, item, partner, losses);
        if mailboxes.is_empty() {
            mailboxes = address::resolve_typed(directory, note, typed, losses);
        }
        headers.addresses(name, &mailboxes);
    }
    if !headers.has("Sender")
        && let Some(sender) = address::resolve(directory, &note.text("Sender"), None, losses)
    {
        headers.addresses("Sender", &[sender]);
    }
}

fn write_subject(headers: &mut Headers, source: &Source<'_>) {
    let mut subject = source.note.text("Subject").replace(char::is_control, " ").trim().to_owned();
    if subject.is_empty() {
        subject = match kind::kind(source.note) {
            Kind::Mail(_) => {
                source.note.text("MailStationeryName").replace(char::is_control, " ").trim().to_owned()
            }
            Kind::Contact(kind) => contact::display_name(source.note, kind),
            Kind::Journal => journal::subject(source.note),
            Kind::Entry(_) | Kind::Other(_) => String::new(),
        };
    }
    if subject.is_empty() && !source.is_mail {
        subject = listing::subject(source.note);
    }
    headers.text_once("Subject", &subject);
    headers.subject = subject;
}

fn write_ids(headers: &mut Headers, source: &Source<'_>) {
    let note = source.note;
    let stored = headers.body("Message-ID");
    let stored = stored.map(|body| String::from_utf8_lossy(body).replace(char::is_control, ""));
    headers.message_id = match &stored {
        Some(stored) => stored.trim().to_owned(),
        None => message_id(&note.text("$MessageID")).unwrap_or_else(|| synthetic_id(source.origin)),
    };
    let id = headers.message_id.clone();
    headers.text_once("Message-ID", &id);
    let answered = [note.text("In_Reply_To"), note.text("InReplyTo"), parent_id(source).unwrap_or_default()];
    let answered = answered.iter().find_map(|text| message_id(text)).unwrap_or_default();
    headers.text_once("In-Reply-To", &answered);
    let texts = note.texts("References");
    let references: Vec<String> =
        texts.iter().flat_map(|text| text.split_whitespace()).filter_map(message_id).collect();
    headers.text_once("References", &references.join(" "));
    headers.text_once("References", &answered);
}

/// The Message-ID of the document that `$REF` names.
fn parent_id(source: &Source<'_>) -> Option<String> {
    source.note.parent_unid().and_then(|unid| (source.context.message_id_of)(unid))
}

/// A message identifier with its angle brackets (RFC 5322 section 3.6.4); `None` for what cannot be one.
pub fn message_id(text: &str) -> Option<String> {
    const LARGEST_BYTES: usize = 900;
    let inner = text.trim().trim_start_matches('<').trim_end_matches('>');
    let valid = !inner.is_empty()
        && inner.len() < LARGEST_BYTES
        && inner.bytes().all(|b| b.is_ascii_graphic() && !b"<>".contains(&b));
    valid.then(|| format!("<{inner}>"))
}

/// The Message-ID of a document that never had one: the same in every run.
fn synthetic_id(origin: &Origin) -> String {
    let Origin::Notes { replica: ReplicaId(replica), unid } = origin;
    format!("<{}.{replica:016x}@notes.invalid>", unid.to_string().to_lowercase())
}

fn write_trace(headers: &mut Headers, source: &Source<'_>, losses: &mut Losses) {
    let (note, directory) = (source.note, source.context.directory);
    let originator = address::resolve(directory, &note.text("SMTPOriginator"), None, &mut Losses::default());
    if let Some(mailbox) = originator {
        headers.text_once("Return-Path", &format!("<{}>", mailbox.address));
    }
    // RFC 5322 section 3.6.6.
    for name in ["Resent-From", "Resent-Sender", "Resent-To", "Resent-Cc", "Resent-Bcc"] {
        let mailboxes = address::resolve_list(directory, note, &name.replace('-', "_"), "", losses);
        headers.addresses(name, &mailboxes);
    }
    if let Some(Moment::Instant { unix_ms, zone_minutes }) =
        note.time("Resent_Date").and_then(|time| time.moment().ok())
    {
        headers.text_once("Resent-Date", &date::rfc5322(unix_ms, zone_minutes));
    }
    headers.text_once("Resent-Message-ID", &message_id(&note.text("Resent_Message_ID")).unwrap_or_default());
}

fn write_priorities(headers: &mut Headers, note: &Note) {
    let importance = match note.text("Importance").trim() {
        "1" => Some(("high", "1")),
        "2" => Some(("normal", "3")),
        "3" => Some(("low", "5")),
        _ => None,
    };
    if let Some((importance, priority)) = importance {
        headers.text_once("Importance", importance);
        headers.text_once("X-Priority", priority);
    }
    let priority = match note.text("DeliveryPriority").trim() {
        "H" => Some("urgent"),
        "N" => Some("normal"),
        "L" => Some("non-urgent"),
        _ => None,
    };
    if let Some(priority) = priority {
        headers.text_once("Priority", priority);
    }
    let report = match note.text("DeliveryReport").trim() {
        "N" | "0" => Some("none"),
        "B" | "1" => Some("on failure"),
        "C" | "2" => Some("confirm"),
        "T" | "3" => Some("trace"),
        _ => None,
    };
    if let Some(report) = report {
        headers.text_once("X-Notes-Delivery-Report", report);
    }
}

/// A request for a receipt in mail of long ago must not be answered; in what the owner wrote it stays.
fn write_receipt(headers: &mut Headers, source: &Source<'_>) {
    let asked = source.note.flag("ReturnReceipt")
        || RECEIPT_REQUESTS.iter().any(|name| source.note.has(&name.replace('-', "_")));
    if !asked && !headers.receipt_disarmed {
        return;
    }
    if !source.state.is_own() {
        headers.receipt_disarmed = true;
        return headers.text("X-Notes-Return-Receipt", "1");
    }
    let name = RECEIPT_REQUESTS[0];
    if !headers.has(name)
        && let Some(from) = headers.body("From").map(<[u8]>::to_vec)
    {
        headers.stored(name, from, &mut Losses::default());
    }
}

fn write_notes_headers(headers: &mut Headers, note: &Note) {
    let categories = note.texts("Categories").into_iter().filter(|category| !category.trim().is_empty());
    headers.phrases("Keywords", &categories.collect::<Vec<_>>());
    headers.text_once("X-Mailer", &note.text("$Mailer"));
    if note.flag("$KeepPrivate") {
        headers.text_once("Sensitivity", "Private");
    }
    if note.flag("$AssistMail") {
        // RFC 3834 section 5.
        headers.text_once("Auto-Submitted", "auto-generated");
    }
    let follow_up = [note.text("FollowUpDate"), note.text("FollowUpText")];
    headers.text_once("X-Notes-Follow-Up", follow_up.join(" ").trim());
    if kind::kind(note) != Kind::Mail(MailForm::Written) {
        headers.text_once("X-Notes-Form", &kind::form(note));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_message_id_is_none() {
        assert_eq!(message_id(" <a@b> "), Some("<a@b>".into()));
        assert_eq!(message_id("a@b"), Some("<a@b>".into()));
        assert_eq!(message_id("<a b>"), None);
        assert_eq!(message_id("<a>\r\nBcc: b"), None);
        assert_eq!(message_id(""), None);
    }
}
