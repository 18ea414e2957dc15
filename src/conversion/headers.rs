//! The header of a message: stored Internet headers as they came, everything else made from Notes items.
//!
//! The key comes first, then the trace headers, then the rest. A header of which RFC 5322 section 3.6 allows one is
//! there once, `From` and `Date` always. No value can start a header of its own.

use crate::conversion::address::{self, Mailbox};
use crate::conversion::calendar::journal;
use crate::conversion::contact;
use crate::conversion::date::{self, Dates};
use crate::conversion::kind::{self, Kind, MailForm};
use crate::conversion::listing;
use crate::conversion::losses::Losses;
use crate::conversion::message::LINE_BYTES;
use crate::conversion::state::State;
use crate::conversion::{Context, KEY_HEADER};
use crate::model::item::Origin;
use crate::model::loss::LossKind;
use crate::notes::document::Note;
use crate::notes::ids::ReplicaId;
use crate::notes::item::ItemType;
use crate::notes::timedate::Moment;
use crate::notes::value::{Rfc822Text, Value};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mail_builder::headers::Header as _;
use mail_builder::headers::address::EmailAddress;
use mail_builder::headers::raw::Raw;
use std::borrow::Cow;
use std::collections::HashSet;

/// Headers that may stand in a message once (RFC 5322 section 3.6).
const SINGLE: [&str; 12] = [
    "Date",
    "From",
    "Sender",
    "Reply-To",
    "To",
    "Cc",
    "Bcc",
    "Message-ID",
    "In-Reply-To",
    "References",
    "Subject",
    "Return-Path",
];

/// Headers of addresses in which a group may stand (RFC 5322 section 3.4).
const TAKING_GROUPS: [&str; 7] = ["To", "Cc", "Bcc", "Reply-To", "Resent-To", "Resent-Cc", "Resent-Bcc"];

/// Headers that ask the reader's program for a receipt.
const RECEIPT_REQUESTS: [&str; 3] =
    ["Disposition-Notification-To", "Return-Receipt-To", "X-Confirm-Reading-To"];

/// Stored headers that are not taken over: ours, and notes of Domino to itself.
const NOT_TAKEN: [&str; 4] = [KEY_HEADER, "MIME-Version", "X-Notes-Item", "X-MIMETrack"];

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

/// The header of a message, with what the caller has to know of it.
#[derive(Debug, Default)]
pub struct Headers {
    fields: Vec<Field>,
    pub message_id: String,
    pub subject: String,
    /// A request for a receipt was taken out of the header, so that no program answers it.
    pub receipt_disarmed: bool,
}

#[derive(Debug)]
struct Field {
    name: String,
    /// Everything after the colon, with the line end.
    body: Vec<u8>,
}

impl Headers {
    /// The headers in the order in which they are written.
    pub fn to_bytes(&self) -> Vec<u8> {
        let trace = |field: &&Field| is_trace(&field.name);
        let ordered = self.fields.iter().filter(trace).chain(self.fields.iter().filter(|f| !trace(f)));
        let mut bytes = Vec::new();
        for field in ordered {
            bytes.extend_from_slice(field.name.as_bytes());
            bytes.push(b':');
            bytes.extend_from_slice(&field.body);
        }
        bytes
    }

    pub fn has(&self, name: &str) -> bool {
        self.fields.iter().any(|field| field.name.eq_ignore_ascii_case(name))
    }

    /// Adds a header of free text.
    pub fn text(&mut self, name: &str, text: &str) {
        let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        let text = encoded(text.trim());
        self.write(name, |body, column| Raw::new(text).write_header(body, column));
    }

    /// Adds a header of free text, unless it is there or there is no text.
    fn text_once(&mut self, name: &str, text: &str) {
        if !self.has(name) && !text.is_empty() {
            self.text(name, text);
        }
    }

    /// Adds a header of addresses, unless there are none.
    pub fn addresses(&mut self, name: &str, mailboxes: &[Mailbox]) {
        const FOLD_COLUMN: usize = 78;
        let takes_groups = TAKING_GROUPS.iter().any(|other| other.eq_ignore_ascii_case(name));
        if mailboxes.is_empty() || self.has(name) {
            return;
        }
        self.write(name, |body, column| {
            let mut column = column;
            for (number, mailbox) in mailboxes.iter().enumerate() {
                let text = if takes_groups && mailbox.is_bare_group {
                    group_text(mailbox)
                } else {
                    mailbox_text(mailbox)
                };
                if number > 0 {
                    let fold = column + 2 + text.len() > FOLD_COLUMN;
                    body.extend_from_slice(if fold { b",\r\n " } else { b", " });
                    column = if fold { 1 } else { column + 2 };
                }
                body.extend_from_slice(&text);
                column += text.len();
            }
            body.extend_from_slice(b"\r\n");
        });
    }

    fn write(&mut self, name: &str, write: impl FnOnce(&mut Vec<u8>, usize)) {
        let mut body = b" ".to_vec();
        write(&mut body, name.len() + 2);
        self.fields.push(Field { name: name.to_owned(), body });
    }

    /// Adds a header as it came. Returns whether it was taken.
    fn stored(&mut self, name: &str, body: Vec<u8>, losses: &mut Losses) -> bool {
        let single = SINGLE.iter().any(|single| single.eq_ignore_ascii_case(name));
        if single && let Some(first) = self.fields.iter().find(|f| f.name.eq_ignore_ascii_case(name)) {
            if first.body != body {
                losses.add(LossKind::DuplicateItem, name);
            }
            return false;
        }
        self.fields.push(Field { name: name.to_owned(), body });
        true
    }
}

fn is_trace(name: &str) -> bool {
    let starts = |prefix: &str| name.get(..prefix.len()).is_some_and(|p| p.eq_ignore_ascii_case(prefix));
    [KEY_HEADER, "Return-Path", "Received"].iter().any(|trace| trace.eq_ignore_ascii_case(name))
        || starts("Resent-")
}

/// Text as a header can hold it: as it is where that is ASCII, else as encoded words (RFC 2047 section 2).
pub fn encoded(text: &str) -> Cow<'_, str> {
    /// Gives words of 64 characters, so that a line with a usual header name holds 76 (RFC 2047 section 2).
    const WORD_BYTES: usize = 39;
    const LONGEST_WORD: usize = 900;
    let plain = text.is_ascii() && text.split(' ').all(|word| word.len() < LONGEST_WORD);
    if plain && !text.contains("=?") {
        return text.into();
    }
    let mut words = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (word, after) = rest.split_at(word_end(rest, WORD_BYTES));
        words.push(format!("=?UTF-8?B?{}?=", STANDARD.encode(word)));
        rest = after;
    }
    words.join(" ").into()
}

/// Where an encoded word of at most so many bytes ends. Between characters, and where Base64 needs no padding if there is
/// such a place: some programs join the words before they decode them and take the first padding for the end.
fn word_end(text: &str, most: usize) -> usize {
    if text.len() <= most {
        return text.len();
    }
    let mut unpadded = (1..=most / 3).rev().map(|triples| 3 * triples);
    unpadded.find(|&end| text.is_char_boundary(end)).unwrap_or_else(|| text.floor_char_boundary(most))
}

/// A mailbox as RFC 5322 section 3.4 writes it; folded where the name is long.
fn mailbox_text(mailbox: &Mailbox) -> Vec<u8> {
    let Some(name) = mailbox.name.as_deref().filter(|name| !name.trim().is_empty()) else {
        return mailbox.address.clone().into_bytes();
    };
    let name: String = name.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let mut text = Vec::new();
    let address = EmailAddress { name: Some(name.trim().into()), email: mailbox.address.as_str().into() };
    address.write_header(&mut text, 2);
    text.truncate(text.trim_ascii_end().len());
    text
}

/// A group without members: its name can be told, and no address be made up.
fn group_text(group: &Mailbox) -> Vec<u8> {
    format!("{}:;", phrase(group.name.as_deref().unwrap_or_default())).into_bytes()
}

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
    take_stored(&mut headers, source, losses);
    take_lines(&mut headers, source.state, others, losses);
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

fn take_stored(headers: &mut Headers, source: &Source<'_>, losses: &mut Losses) {
    for item in source.note.items.iter().filter(|item| item.item_type == ItemType::RFC822_TEXT) {
        let Ok(Value::Rfc822(stored)) = item.value() else {
            losses.add(LossKind::TextDamaged, item.name.as_str());
            continue;
        };
        let Some(name) = header_name(stored.name) else {
            losses.add(LossKind::TextDamaged, item.name.as_str());
            continue;
        };
        take(headers, source.state, &name, stored_body(&stored), losses);
    }
}

fn take_lines(headers: &mut Headers, state: State, lines: &[u8], losses: &mut Losses) {
    let names: HashSet<String> = headers.fields.iter().map(|field| field.name.to_ascii_lowercase()).collect();
    for (name, body) in fields(lines) {
        let Some(name) = header_name(name) else { continue };
        if !names.contains(&name.to_ascii_lowercase()) {
            take(headers, state, &name, safe_body(body), losses);
        }
    }
}

fn take(headers: &mut Headers, state: State, name: &str, body: Vec<u8>, losses: &mut Losses) {
    let is = |list: &[&str]| list.iter().any(|entry| entry.eq_ignore_ascii_case(name));
    let content = name.get(..8).is_some_and(|prefix| prefix.eq_ignore_ascii_case("Content-"));
    if content || is(&NOT_TAKEN) || !usable(name, &body) {
        return;
    }
    if is(&RECEIPT_REQUESTS) && !state.is_own() {
        headers.receipt_disarmed = true;
        return;
    }
    headers.stored(name, body, losses);
}

/// `From` without an address and `Date` without a date are made anew.
fn usable(name: &str, body: &[u8]) -> bool {
    match name.to_ascii_lowercase().as_str() {
        "from" => body.contains(&b'@'),
        "date" => date::header_date(body).is_some(),
        _ => !body.trim_ascii().is_empty(),
    }
}

/// The fields of a header block: name and body, with the folding.
pub fn fields(block: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    let mut rest = block;
    std::iter::from_fn(move || {
        let mut end = 0;
        // A field goes on as long as lines begin with white space.
        loop {
            end += rest[end..].iter().position(|&b| b == b'\n').map_or(rest.len() - end, |at| at + 1);
            if !matches!(rest.get(end), Some(b' ' | b'\t')) {
                break;
            }
        }
        let (field, after) = rest.split_at(end);
        rest = after;
        let colon = field.iter().position(|&b| b == b':');
        (!field.is_empty()).then(|| match colon {
            Some(at) => (&field[..at], &field[at + 1..]),
            None => (&field[..0], field),
        })
    })
}

/// A name that is one (RFC 5322 section 2.2).
fn header_name(stored: &[u8]) -> Option<String> {
    let name = stored.trim_ascii();
    let valid = !name.is_empty() && name.iter().all(|&b| b.is_ascii_graphic() && b != b':');
    (valid && name.len() < 200).then(|| String::from_utf8_lossy(name).into_owned())
}

/// Delimiter and body of a stored header; where the body was not kept, the value that Notes made of it.
fn stored_body(stored: &Rfc822Text<'_>) -> Vec<u8> {
    if stored.body.trim_ascii().is_empty() && !stored.is_date() {
        let text = stored.text().text.replace(char::is_control, " ");
        return safe_body(format!(" {}", encoded(text.trim())).as_bytes());
    }
    let blanks = stored.delimiter.strip_prefix(b":").unwrap_or(b" ");
    let blanks = if blanks.iter().all(|b| matches!(b, b' ' | b'\t')) { blanks } else { b" " };
    safe_body(&[blanks, stored.body].concat())
}

/// A header body that cannot begin another header: every line after the first begins with white space, none is
/// empty or too long. As it came otherwise.
fn safe_body(body: &[u8]) -> Vec<u8> {
    let mut safe = Vec::with_capacity(body.len() + 2);
    let lines = body.split(|&b| matches!(b, b'\r' | b'\n'));
    for line in lines.map(<[u8]>::trim_ascii_end).filter(|line| !line.is_empty()) {
        if !safe.is_empty() {
            safe.extend_from_slice(b"\r\n");
            if !line.starts_with(b" ") && !line.starts_with(b"\t") {
                safe.push(b' ');
            }
        }
        fold_long(line, &mut safe);
    }
    for byte in &mut safe {
        if *byte == 0 {
            *byte = b' ';
        }
    }
    safe.extend_from_slice(b"\r\n");
    safe
}

/// A line, folded at white space where it is longer than a message allows; where there is none, anywhere.
fn fold_long(line: &[u8], out: &mut Vec<u8>) {
    const ROOM: usize = LINE_BYTES - 200;
    let mut rest = line;
    while rest.len() > ROOM {
        let blank = rest[1..ROOM].iter().rposition(|b| matches!(b, b' ' | b'\t'));
        let (first, after) = rest.split_at(blank.map_or(ROOM, |at| at + 1));
        out.extend_from_slice(first);
        out.extend_from_slice(if blank.is_some() { b"\r\n" } else { b"\r\n " });
        rest = after;
    }
    out.extend_from_slice(rest);
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
    let stored = headers.fields.iter().find(|field| field.name.eq_ignore_ascii_case("Message-ID"));
    let stored = stored.map(|field| String::from_utf8_lossy(&field.body).replace(char::is_control, ""));
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
    let from = headers.fields.iter().find(|field| field.name.eq_ignore_ascii_case("From"));
    if let Some(body) = from.map(|field| field.body.clone()).filter(|_| !headers.has(name)) {
        headers.fields.push(Field { name: name.to_owned(), body });
    }
}

fn write_notes_headers(headers: &mut Headers, note: &Note) {
    let categories: Vec<String> =
        note.texts("Categories").iter().filter(|c| !c.trim().is_empty()).map(|c| phrase(c)).collect();
    if !categories.is_empty() && !headers.has("Keywords") {
        // Each phrase is encoded by itself, so the commas between them stay.
        let keywords = categories.join(", ");
        headers.write("Keywords", |body, column| Raw::new(keywords).write_header(body, column));
    }
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

/// A phrase of RFC 5322 section 3.2.5: words as they are, anything else in quotes.
fn phrase(text: &str) -> String {
    let text = text.replace(char::is_control, " ");
    let word = |c: char| c.is_ascii_alphanumeric() || " !#$%&'*+-/=?^_`{|}~".contains(c) || !c.is_ascii();
    if text.chars().all(word) {
        return encoded(text.trim()).into_owned();
    }
    if !text.is_ascii() {
        return encoded(text.trim()).into_owned();
    }
    format!("\"{}\"", text.trim().replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn safe(body: &str) -> String {
        String::from_utf8(safe_body(body.as_bytes())).unwrap()
    }

    #[test]
    fn no_value_begins_another_header() {
        assert_eq!(safe(" a\r\nBcc: b\r\n\r\nbody"), " a\r\n Bcc: b\r\n body\r\n");
        assert_eq!(safe(" a\0b"), " a b\r\n");
        let mut headers = Headers::default();
        headers.text("Subject", "a\r\nBcc: b\nc\0");
        assert_eq!(headers.to_bytes(), b"Subject: a  Bcc: b c\r\n");
    }

    #[test]
    fn long_lines_are_folded_and_folding_stays() {
        assert_eq!(safe(" a\r\n\tb\r\n"), " a\r\n\tb\r\n");
        let long = format!(" {} {}", "x".repeat(700), "y".repeat(2000));
        assert!(safe(&long).split("\r\n").all(|line| line.len() <= LINE_BYTES));
        assert_eq!(safe(&long).replace("\r\n", "").replace(' ', ""), long.replace(' ', ""));
    }

    #[test]
    fn fields_of_a_block_keep_their_folding() {
        let block = b"A: 1\r\nB: 2\r\n 3\r\n\r\n";
        let found: Vec<_> = fields(block).filter(|(name, _)| !name.is_empty()).collect();
        assert_eq!(found, [(&b"A"[..], &b" 1\r\n"[..]), (b"B", b" 2\r\n 3\r\n")]);
    }

    #[test]
    fn what_is_no_message_id_is_none() {
        assert_eq!(message_id(" <a@b> "), Some("<a@b>".into()));
        assert_eq!(message_id("a@b"), Some("<a@b>".into()));
        assert_eq!(message_id("<a b>"), None);
        assert_eq!(message_id("<a>\r\nBcc: b"), None);
        assert_eq!(message_id(""), None);
    }
}
