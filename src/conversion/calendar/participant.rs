//! Who takes part: ORGANIZER and ATTENDEE with role and answer.

use crate::conversion::address::{self, Mailbox};
use crate::conversion::calendar::times::times;
use crate::conversion::content_line::{Writer, mailto, quoted};
use crate::conversion::directory::Directory;
use crate::conversion::losses::Losses;
use crate::model::loss::LossKind;
use crate::notes::document::Note;
use crate::notes::timedate::Timedate;
use jiff::Timestamp;
use std::collections::HashSet;

/// Names, their Internet addresses and their role.
const MEETING: [(&str, &str, &str); 3] = [
    ("RequiredAttendees", "INetRequiredNames", "REQ-PARTICIPANT"),
    ("OptionalAttendees", "INetOptionalNames", "OPT-PARTICIPANT"),
    ("FYIAttendees", "INetFYINames", "NON-PARTICIPANT"),
];
const TASK: [(&str, &str, &str); 3] = [
    ("AssignedTo", "", "REQ-PARTICIPANT"),
    ("OptionalAssignedTo", "", "OPT-PARTICIPANT"),
    ("FYIAssignedTo", "", "NON-PARTICIPANT"),
];
/// What a meeting has that was never sent.
const TYPED: [(&str, &str); 3] = [
    ("EnterSendTo", "REQ-PARTICIPANT"),
    ("EnterCopyTo", "OPT-PARTICIPANT"),
    ("EnterBlindCopyTo", "NON-PARTICIPANT"),
];
const ROOMS: [(&str, &str); 4] = [
    ("Room", "ROOM"),
    ("RoomToReserve", "ROOM"),
    ("Resources", "RESOURCE"),
    ("RequiredResources", "RESOURCE"),
];

/// Somebody or something that takes part.
#[derive(Clone, Debug)]
pub struct Participant {
    /// As the document names it.
    stored: String,
    pub mailbox: Mailbox,
    role: &'static str,
    /// Rooms, resources and groups.
    user_type: Option<&'static str>,
}

/// Everybody whom a document names, each once.
pub fn participants(
    directory: &Directory,
    note: &Note,
    is_task: bool,
    losses: &mut Losses,
) -> Vec<Participant> {
    let lists = if is_task { TASK } else { MEETING };
    let mut all: Vec<Participant> = Vec::new();
    for (item, partner, role) in lists {
        all.extend(
            named(directory, note, item, partner, losses)
                .map(|(stored, mailbox)| person(stored, mailbox, role)),
        );
    }
    if all.is_empty() {
        for (item, role) in TYPED {
            let typed = address::resolve_typed(directory, note, item, losses).into_iter();
            all.extend(typed.map(|mailbox| person(mailbox.address.clone(), mailbox, role)));
        }
    }
    let uninvited = note.texts("Uninvited");
    all.retain(|someone| !uninvited.iter().any(|name| address::same(name, &someone.stored)));
    for (item, user_type) in ROOMS {
        all.extend(named(directory, note, item, "", losses).map(|(stored, mailbox)| Participant {
            user_type: Some(user_type),
            ..person(stored, mailbox, "NON-PARTICIPANT")
        }));
    }
    let mut seen = HashSet::new();
    all.retain(|someone| seen.insert(someone.mailbox.address.to_lowercase()));
    all
}

impl Participant {
    /// Whether a Notes name is that of this participant.
    pub fn is(&self, name: &str) -> bool {
        address::same(name, &self.stored)
    }
}

/// Whether the meeting was never sent, so that all its participants are a wish.
pub fn is_draft(note: &Note) -> bool {
    let has = |item: &str| !note.texts(item).is_empty();
    TYPED.iter().any(|(item, _)| has(item)) && !MEETING.iter().any(|(item, ..)| has(item))
}

fn person(stored: String, mailbox: Mailbox, role: &'static str) -> Participant {
    let user_type = mailbox.is_bare_group.then_some("GROUP");
    Participant { stored, mailbox, role, user_type }
}

fn named(
    directory: &Directory,
    note: &Note,
    item: &str,
    partner: &str,
    losses: &mut Losses,
) -> impl Iterator<Item = (String, Mailbox)> {
    let stored = note.texts(item);
    let mut partners = note.texts(partner);
    if !partners.is_empty() && partners.len() != stored.len() && !stored.is_empty() {
        losses.add(LossKind::AddressListsDiffer, item);
        partners.clear();
    }
    let partner = |at: usize| partners.get(at).map(String::as_str);
    let resolved = stored.into_iter().enumerate().filter_map(|(at, text)| {
        let mailbox = address::resolve(directory, &text, partner(at), losses)?;
        Some((text, mailbox))
    });
    resolved.collect::<Vec<_>>().into_iter()
}

/// The one who calls the meeting. `writes` says that the chair wrote the document, so that its author stands in.
pub fn organizer(directory: &Directory, note: &Note, writes: bool, losses: &mut Losses) -> Option<Mailbox> {
    let items: &[&str] =
        if writes { &["Chair", "AltChair", "Principal", "From"] } else { &["Chair", "AltChair"] };
    let name = items.iter().map(|item| note.text(item)).find(|name| !name.trim().is_empty());
    // An answer goes to the chair.
    let Some(name) = &name else {
        return recipients(directory, note, losses).into_iter().next().map(|chair| chair.mailbox);
    };
    let partners = [("From", "INetFrom"), ("Principal", "$INetPrincipal")];
    let partner = partners.into_iter().find(|(item, _)| address::same(&note.text(item), name));
    let partner = partner.map(|(_, partner)| note.text(partner));
    address::resolve(directory, name, partner.as_deref(), losses)
}

/// The mailbox in an item of one name.
pub fn one(directory: &Directory, note: &Note, item: &str) -> Option<Mailbox> {
    address::resolve(directory, &note.text(item), None, &mut Losses::default())
}

/// Those to whom a notice was sent.
pub fn recipients(directory: &Directory, note: &Note, losses: &mut Losses) -> Vec<Participant> {
    let lists = [("SendTo", "INetSendTo", "REQ-PARTICIPANT"), ("CopyTo", "INetCopyTo", "OPT-PARTICIPANT")];
    let mut all = Vec::new();
    for (item, partner, role) in lists {
        all.extend(
            named(directory, note, item, partner, losses)
                .map(|(stored, mailbox)| person(stored, mailbox, role)),
        );
    }
    all
}

/// Who wrote an answer.
pub fn author(directory: &Directory, note: &Note, losses: &mut Losses) -> Option<Mailbox> {
    let names = [("Principal", "$INetPrincipal"), ("From", "INetFrom")];
    names.into_iter().find_map(|(item, partner)| {
        address::resolve(directory, &note.text(item), Some(&note.text(partner)), losses)
    })
}

fn common_name(mailbox: &Mailbox) -> String {
    mailbox.name.as_ref().map(|name| quoted("CN", name)).unwrap_or_default()
}

/// Writes ORGANIZER. `scheduling` as in [`write_attendee`].
pub fn write_organizer(writer: &mut Writer, mailbox: &Mailbox, scheduling: &str) {
    writer.line(&format!("ORGANIZER{}{scheduling}", common_name(mailbox)), &mailto(&mailbox.address));
}

/// Writes ATTENDEE. `scheduling` is a parameter that keeps servers from sending mail (RFC 6638 section 7.1), or empty.
pub fn write_attendee(
    writer: &mut Writer,
    someone: &Participant,
    answer: &str,
    wants_answer: bool,
    scheduling: &str,
) {
    let mut name = format!("ATTENDEE{}", common_name(&someone.mailbox));
    if let Some(user_type) = someone.user_type {
        append!(name, ";CUTYPE={user_type}");
    }
    append!(name, ";ROLE={};PARTSTAT={answer}", someone.role);
    if wants_answer && answer == "NEEDS-ACTION" && someone.user_type.is_none() {
        name.push_str(";RSVP=TRUE");
    }
    name.push_str(scheduling);
    writer.line(&name, &mailto(&someone.mailbox.address));
}

/// What a notice type answers; none for one that is no answer.
pub fn answer_of(notice_type: Option<char>) -> Option<&'static str> {
    Some(match notice_type? {
        'A' => "ACCEPTED",
        // A counter proposal is no refusal.
        'P' | 'T' => "TENTATIVE",
        'R' => "DECLINED",
        'D' => "DELEGATED",
        'F' => "COMPLETED",
        _ => return None,
    })
}

/// The first letter of the notice type.
pub fn notice_type(note: &Note) -> Option<char> {
    note.text("NoticeType").trim().chars().next().map(|letter| letter.to_ascii_uppercase())
}

/// Whether a document speaks of a series.
pub fn is_series(note: &Note) -> bool {
    note.flag("Repeats")
        || ["OrgRepeat", "RepeatDates", "ParentRepeatInstanceDates"].iter().any(|item| note.has(item))
}

/// The answers that came in for an entry.
pub struct Answers<'a> {
    notices: Vec<(&'a Note, &'static str, String)>,
}

impl<'a> Answers<'a> {
    /// The answers among the documents that belong to an entry. Those to an older state of it count no more.
    pub fn among(directory: &Directory, documents: impl Iterator<Item = &'a Note>, entry: &Note) -> Self {
        let sequence = entry.number("SequenceNum");
        let answer = |note: &'a Note| {
            let answer = answer_of(notice_type(note))?;
            let author = author(directory, note, &mut Losses::default())?;
            let current = sequence.is_none() || note.number("SequenceNum") == sequence;
            current.then_some((note, answer, author.address))
        };
        let mut notices: Vec<_> = documents.filter_map(answer).collect();
        notices.sort_by_key(|(note, ..)| std::cmp::Reverse(note.modified.order()));
        Self { notices }
    }

    /// The newest answer of somebody. An answer to one date of a series counts for that date only.
    pub fn of(&self, someone: &Participant, date: Option<Timestamp>) -> Option<&'static str> {
        let covers = |note: &Note| {
            let dates = times(note, "RepeatInstanceDates");
            let is_date = |known: &Timedate| known.unix_ms().ok() == date.map(Timestamp::as_millisecond);
            match date {
                Some(_) => dates.is_empty() || dates.iter().any(is_date),
                None => dates.len() != 1 || !is_series(note),
            }
        };
        let theirs = |note: &Note, address: &str| {
            address.eq_ignore_ascii_case(&someone.mailbox.address)
                || address::same(&note.text("From"), &someone.stored)
        };
        let found = self.notices.iter().find(|(note, _, address)| theirs(note, address) && covers(note));
        found.map(|(_, answer, _)| *answer)
    }
}
