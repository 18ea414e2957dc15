//! The properties that events, tasks and notices share, and VEVENT (RFC 5545 section 3.6.1) around them.

use crate::base::limits::{CALENDAR_BYTES, DESCRIPTION_BYTES};
use crate::conversion::body::Body;
use crate::conversion::calendar::alarm;
use crate::conversion::calendar::participant::{self, Answers};
use crate::conversion::calendar::times::When;
use crate::conversion::calendar::zone::{Zone, utc_stamp};
use crate::conversion::content_line::{Writer, escaped};
use crate::conversion::directory::Directory;
use crate::conversion::kind::EntryKind;
use crate::conversion::losses::Losses;
use crate::conversion::message::Part;
use crate::conversion::{html, mime, plain};
use crate::model::loss::{Loss, LossKind};
use crate::model::rendered::Segment;
use crate::notes::document::Note;
use crate::notes::names::{AddressKind, classify};
use jiff::Timestamp;
use mail_parser::MessageParser;

/// Bytes of a description in HTML; a longer one is told as plain text only.
const HTML_BYTES: usize = 64 << 10;

/// What holds for all components of one object.
pub struct Facts<'a> {
    pub kind: EntryKind,
    pub uid: String,
    /// When the document was last changed.
    pub stamp: Timestamp,
    pub created: Option<Timestamp>,
    /// The owner called the meeting, or it is not known who owns the file.
    pub is_chair: bool,
    pub owner: Option<&'a str>,
    pub directory: &'a Directory,
    pub answers: Answers<'a>,
}

/// When one component takes place.
pub struct Timing<'a> {
    pub zone: &'a Zone,
    /// Of which date of a series it is.
    pub id: Option<When>,
    pub start: When,
    pub end: Option<When>,
}

/// The UID: that of the entry at everybody's, else the identity of its first document.
pub fn uid(note: &Note) -> String {
    let stored = note.text("ApptUNID").replace(char::is_control, "").trim().to_owned();
    let parent = || note.parent_unid().map(|unid| unid.to_string());
    if stored.is_empty() { parent().unwrap_or_else(|| note.unid.to_string()) } else { stored }
}

/// What the entry is called. On notices `Topic` is the subject without `Invitation:`.
pub fn summary(note: &Note) -> String {
    let names = ["Topic", "Subject"].map(|item| note.text(item).trim().to_owned());
    let [topic, subject] = names;
    if topic.is_empty() || note.has("CalendarDateTime") && !subject.is_empty() { subject } else { topic }
}

/// UID, DTSTAMP and SEQUENCE. Notes counts from 1.
pub fn write_identity(writer: &mut Writer, facts: &Facts<'_>, note: &Note) {
    writer.text("UID", &facts.uid);
    writer.line("DTSTAMP", &utc_stamp(facts.stamp));
    let sequence = note.number("SequenceNum").filter(|number| *number >= 1.0);
    let sequence = sequence.unwrap_or(1.0).min(f64::from(i32::MAX));
    writer.line("SEQUENCE", &(sequence as i64 - 1).to_string());
}

pub fn write_history(writer: &mut Writer, facts: &Facts<'_>) {
    if let Some(created) = facts.created {
        writer.line("CREATED", &utc_stamp(created));
    }
    writer.line("LAST-MODIFIED", &utc_stamp(facts.stamp));
}

pub fn write_when(writer: &mut Writer, name: &str, when: When, zone: &Zone) {
    let (parameters, value) = when.property(zone);
    writer.line(&format!("{name}{parameters}"), &value);
}

/// Several dates of one property.
pub fn write_dates(writer: &mut Writer, name: &str, dates: &[When], zone: &Zone) {
    if let Some(first) = dates.first() {
        let (parameters, _) = first.property(zone);
        writer.list(&format!("{name}{parameters}"), dates.iter().map(|date| date.stamp(zone)));
    }
}

/// Whether the object is so large already that only times are added.
fn is_full(writer: &Writer) -> bool {
    writer.len() > CALENDAR_BYTES
}

/// SUMMARY, DESCRIPTION, CATEGORIES and CLASS.
pub fn write_texts(writer: &mut Writer, facts: &Facts<'_>, note: &Note, losses: &mut Losses) {
    let one_line = summary(note).replace('\n', " ");
    writer.text("SUMMARY", &one_line);
    if is_full(writer) {
        losses.add(LossKind::Truncated, "the texts of very many changed occurrences");
    } else {
        write_description(writer, &Description::of(note));
    }
    write_categories(writer, note);
    let shown = facts.kind == EntryKind::Task || note.flag("$PublicAccess");
    let private = note.flag("OrgConfidential") || !shown;
    writer.line("CLASS", if private { "PRIVATE" } else { "PUBLIC" });
}

pub fn write_categories(writer: &mut Writer, note: &Note) {
    let mut categories: Vec<String> = note
        .texts("Categories")
        .iter()
        .map(|text| text.trim().to_owned())
        .filter(|text| !text.is_empty())
        .collect();
    if note.has("$SrvrHldy") || note.text("$CSFlags").contains('h') {
        categories.push("Holiday".to_owned());
    }
    if !categories.is_empty() {
        let categories: Vec<String> =
            categories.iter().map(|text| escaped(&text.replace('\n', " "))).collect();
        writer.line("CATEGORIES", &categories.join(","));
    }
}

pub fn write_description(writer: &mut Writer, description: &Description) {
    writer.text("DESCRIPTION", &description.text[..description.text.floor_char_boundary(DESCRIPTION_BYTES)]);
    if let Some(page) = &description.page {
        writer.text("X-ALT-DESC;FMTTYPE=text/html", page);
    }
}

/// What the description of an entry leaves out and a message holds.
pub fn description_losses(note: &Note) -> Vec<Loss> {
    let description = Description::of(note);
    let mut losses = Losses::default();
    if description.text.len() > DESCRIPTION_BYTES {
        losses.add(LossKind::Truncated, "the description in the calendar");
    }
    if description.formatted && description.page.is_none() && !description.text.is_empty() {
        losses.add(LossKind::FormattingDropped, "of the description in the calendar");
    }
    if description.images > 0 {
        losses.add(LossKind::ImageDropped, "in the description in the calendar");
    }
    losses.into_list()
}

/// What an entry says, as plain text and, where the author formatted it and it is short, as HTML.
pub struct Description {
    pub text: String,
    page: Option<String>,
    formatted: bool,
    images: usize,
}

impl Description {
    pub fn of(note: &Note) -> Self {
        // What is lost here is told when the message is made of the same items.
        let mut told = Losses::default();
        let own = plain::text(&Body::of(note, "Notes", &mut told).composite.text);
        if note.has_mime_body() {
            let (mut text, formatted) = mime_text(note).unwrap_or_default();
            append!(text, "\n{own}");
            return Self { text: text.trim().to_owned(), page: None, formatted, images: 0 };
        }
        let body = Body::of(note, "Body", &mut told);
        let mut text = plain::text(&body.composite.text);
        append!(text, "\n{own}");
        let text = text.trim().to_owned();
        let images = body.composite.text.images.len();
        let tellable = body.is_formatted() && images == 0 && own.trim().is_empty() && !text.is_empty();
        let page = tellable.then(|| html::page(&body.composite.text, &[]));
        let page = page.filter(|page| page.len() <= HTML_BYTES);
        Self { text, page, formatted: body.is_formatted(), images }
    }
}

/// The text of a stored MIME message, and whether it is formatted.
fn mime_text(note: &Note) -> Option<(String, bool)> {
    let assembled = mime::assemble(note, &[], &mut Losses::default());
    let own = |segment| match segment {
        Segment::Bytes(own) => own,
        Segment::Blob { .. } => Vec::new(),
    };
    let bytes: Vec<u8> = assembled.content.into_iter().flat_map(own).collect();
    let message = MessageParser::default().parse(&bytes)?;
    let formatted = message.html_part(0).is_some_and(|part| part.is_text_html());
    Some((message.body_text(0)?.replace("\r\n", "\n"), formatted))
}

/// Where it takes place: the words of the entry, else the room.
pub fn location(note: &Note) -> String {
    let words = note.text("Location").trim().to_owned();
    if !words.is_empty() {
        return words;
    }
    let rooms = ["Room", "RoomToReserve"].map(|item| note.text(item));
    match rooms.iter().map(|room| classify(room)).find(|kind| *kind != AddressKind::Empty) {
        Some(AddressKind::Notes(name)) => name.common_name().to_owned(),
        Some(AddressKind::Internet { address, phrase }) => phrase.unwrap_or(address),
        _ => String::new(),
    }
}

/// ORGANIZER and ATTENDEE of an entry. Servers that send invitations are told not to.
pub fn write_participants(
    writer: &mut Writer,
    facts: &Facts<'_>,
    note: &Note,
    date: Option<Timestamp>,
    losses: &mut Losses,
) {
    const SILENT: &str = ";SCHEDULE-AGENT=CLIENT";
    let participants =
        participant::participants(facts.directory, note, facts.kind == EntryKind::Task, losses);
    if (participants.is_empty() && facts.kind != EntryKind::Meeting) || is_full(writer) {
        return;
    }
    let (of_chair, of_others) = if facts.is_chair { ("", SILENT) } else { (SILENT, "") };
    let organizer = participant::organizer(facts.directory, note, true, losses);
    if let Some(organizer) = &organizer {
        participant::write_organizer(writer, organizer, of_chair);
    }
    let wants_answer = !note.flag("Broadcast") && !note.flag("$PreventReplies");
    for someone in &participants {
        let is_owner = facts.owner.is_some_and(|owner| someone.is(owner));
        let is_organizer =
            organizer.as_ref().is_some_and(|organizer| organizer.address == someone.mailbox.address);
        let answer = match facts.answers.of(someone, date) {
            _ if is_organizer => "ACCEPTED",
            Some(answer) => answer,
            None if is_owner => own_answer(note),
            None => "NEEDS-ACTION",
        };
        participant::write_attendee(writer, someone, answer, wants_answer, of_others);
    }
}

/// What the owner answered, by the owner's own copy. What stands in the calendar was accepted.
fn own_answer(note: &Note) -> &'static str {
    let answered = participant::answer_of(participant::notice_type(note));
    let accepted = if note.has("CalendarDateTime") { "ACCEPTED" } else { "NEEDS-ACTION" };
    answered.unwrap_or(accepted)
}

/// Links to a conference, without its password.
fn write_links(writer: &mut Writer, note: &Note) {
    let link = |item: &str| {
        let text = note.text(item);
        url::Url::parse(text.trim()).ok().filter(|url| matches!(url.scheme(), "http" | "https"))
    };
    if let Some(url) = link("STUnyteConferenceURL").or_else(|| link("OnlineMeeting")) {
        // RFC 7986 section 5.11.
        writer.line("CONFERENCE;VALUE=URI", url.as_str());
    }
    if let Some(url) = link("ApptUNIDURL") {
        writer.line("URL", url.as_str());
    }
}

fn transparency(facts: &Facts<'_>, note: &Note) -> &'static str {
    // Where the two items disagree, the first is what the search for free time uses.
    let free = match note.text("$BusyPriority").trim() {
        "1" => false,
        "2" => true,
        _ => note.flag("BookFreeTime"),
    };
    let never_busy = matches!(facts.kind, EntryKind::Anniversary | EntryKind::Reminder);
    if free || never_busy { "TRANSPARENT" } else { "OPAQUE" }
}

fn status(facts: &Facts<'_>, note: &Note) -> &'static str {
    match participant::notice_type(note) {
        Some('C') => "CANCELLED",
        Some('P') if !facts.is_chair => "TENTATIVE",
        _ if participant::is_draft(note) => "TENTATIVE",
        _ => "CONFIRMED",
    }
}

/// Writes one VEVENT. `repeats` writes the properties of a series after the times. Returns where attachments go.
pub fn write(
    writer: &mut Writer,
    facts: &Facts<'_>,
    note: &Note,
    timing: &Timing<'_>,
    repeats: impl FnOnce(&mut Writer),
    losses: &mut Losses,
) -> usize {
    let Timing { zone, id, start, end } = timing;
    writer.begin("VEVENT");
    write_identity(writer, facts, note);
    write_history(writer, facts);
    if let Some(id) = id {
        write_when(writer, "RECURRENCE-ID", *id, zone);
    }
    write_when(writer, "DTSTART", *start, zone);
    if let Some(end) = end {
        write_when(writer, "DTEND", *end, zone);
    }
    repeats(writer);
    write_texts(writer, facts, note, losses);
    writer.text("LOCATION", &location(note).replace('\n', " "));
    writer.line("TRANSP", transparency(facts, note));
    writer.line("STATUS", status(facts, note));
    write_links(writer, note);
    let date = match id {
        Some(When::At(instant)) => Some(*instant),
        _ => None,
    };
    write_participants(writer, facts, note, date, losses);
    let attachments = writer.len();
    let all_day = matches!(start, When::Day(_));
    let from = if all_day { alarm::From::StartOfDay } else { alarm::From::Start };
    alarm::write(writer, note, &summary(note), Some(from));
    writer.end("VEVENT");
    attachments
}

/// Text for a part of a message.
pub fn part(text: &str, method: Option<&str>, component: &str) -> Part {
    let mut content_type = mail_builder::headers::content_type::ContentType::new("text/calendar")
        .attribute("charset", "utf-8")
        .attribute("component", component.to_owned());
    content_type = match method {
        Some(method) => content_type.attribute("method", method.to_owned()),
        None => content_type.attribute("name", "calendar.ics"),
    };
    Part::Text { content_type, text: text.replace("\r\n", "\n") }
}
