//! What is no mail in the week of the showcase: entries, a task, contacts, a page of the notebook and a call.

use super::{MONDAY, set_clock};
use crate::forge::ForgeError;
use crate::forge::mailbox::calendar::{self, Draft, Notice};
use crate::forge::mailbox::other::{self, Card};
use crate::forge::mailbox::people::{AMY, BOB, JUERGEN, MARY, OWNER};
use crate::forge::mailbox::{Mailbox, images};
use crate::forge::note::{ItemSpec, NoteSpec};
use crate::forge::richtext::{Font, RichText, Style};
use crate::notes::ids::{NoteId, Unid};
use crate::notes::item::ItemFlags;
use crate::notes::timedate::Timedate;
use jiff::ToSpan;

pub(super) fn write(mailbox: &mut Mailbox) -> Result<(), ForgeError> {
    entries(mailbox)?;
    moved_meeting(mailbox)?;
    contacts(mailbox)?;
    notebook(mailbox)
}

/// What an entry says; it was written on the first day.
fn draft(mailbox: &mut Mailbox, subject: &str, words: &str, days: i64, hour: i8) -> Draft {
    let (unid, time) = mailbox.next_identity();
    let day = MONDAY.saturating_add(days.days());
    Draft { unid, time, subject: subject.to_owned(), words: words.to_owned(), day, hour }
}

fn entries(mailbox: &mut Mailbox) -> Result<(), ForgeError> {
    set_clock(mailbox, [0, 7, 30]);
    let round = draft(mailbox, "Sales round", "What is new, what is open, who needs help.", 0, 10);
    calendar::series(mailbox, &round)?;
    let dentist = draft(mailbox, "Dentist", "Bring the card.", 1, 8);
    calendar::appointment(mailbox, &dentist, "Dr. Lamb, Mill Lane 3")?;
    let years = draft(mailbox, "Ten years of Example Company", "Cake at three.", 10, 0);
    calendar::whole_days(mailbox, &years, "1")?;
    let fair = draft(mailbox, "Fair in Lyon", "Stand 4.12, with Fran\u{e7}ois.", 29, 0);
    calendar::whole_days(mailbox, &fair, "2")?;
    let order = draft(mailbox, "Order the lamps for Harbour Street", "As soon as the order is signed.", 9, 9);
    calendar::task(mailbox, &order, false)?;
    let measure = draft(mailbox, "Measure the yard", "The caretaker has the key.", 2, 9);
    calendar::task(mailbox, &measure, true)?;
    let review = draft(mailbox, "Review of the offer", "Prices, discount, date of delivery.", 3, 14);
    let meeting = calendar::called_meeting(mailbox, &review, &[BOB, AMY])?;
    set_clock(mailbox, [1, 9, 20]);
    calendar::answer(mailbox, &review, meeting, BOB, "A", true)?;
    calendar::answer(mailbox, &review, meeting, AMY, "P", true)
}

/// A meeting that a colleague called and then moved by a day, as it stands in the calendar of the owner.
fn moved_meeting(mailbox: &mut Mailbox) -> Result<(), ForgeError> {
    set_clock(mailbox, [1, 8, 0]);
    let mut visit = draft(mailbox, "Visit to the plant in Munich", "We meet at the gate.", 8, 10);
    let notice = |kind, prefix, start, sequence| {
        let (sender, chair) = (JUERGEN, JUERGEN);
        Notice { kind, prefix, sender, chair, start, sequence }
    };
    let invitation = notice("I", "Invitation: ", calendar::at(visit.day, visit.hour), 1.0);
    calendar::notice(mailbox, &visit, invitation, None, true)?;
    set_clock(mailbox, [3, 8, 0]);
    visit.day = visit.day.saturating_add(1.days());
    let start = calendar::at(visit.day, visit.hour);
    calendar::notice(mailbox, &visit, notice("U", "Rescheduled: ", start, 2.0), None, true)?;
    let mut items = visit.items("3");
    items.retain(|item| !["Chair", "From", "INetFrom", "SequenceNum"].contains(&&*item.name));
    items.extend(calendar::times(&[start], &[calendar::hours_later(start, 2)]));
    items.extend([
        ItemSpec::text("Chair", &JUERGEN.in_notes()).flagged(ItemFlags::NAMES),
        ItemSpec::text("From", &JUERGEN.in_notes()).flagged(ItemFlags::NAMES),
        ItemSpec::text("INetFrom", JUERGEN.address),
        ItemSpec::texts("RequiredAttendees", &[OWNER.in_notes()]).flagged(ItemFlags::NAMES),
        ItemSpec::texts("INetRequiredNames", &[OWNER.address]),
        ItemSpec::text("NoticeType", "A"),
        ItemSpec::number("SequenceNum", 2.0),
        ItemSpec::text("Location", "Plant 2, Munich"),
    ]);
    mailbox.writer.add_note(&visit.note(items)).map(drop)
}

fn contacts(mailbox: &mut Mailbox) -> Result<(), ForgeError> {
    set_clock(mailbox, [2, 12, 0]);
    let cards = [
        (BOB, "Sales", "+1 555 0110", "+1 555 0111", "Knows every caretaker.", [0xC8, 0xDC, 0xC8]),
        (
            AMY,
            "Head of Finance",
            "+1 555 0120",
            "+1 555 0121",
            "Never on Friday afternoon.",
            [0xE8, 0xD8, 0xC0],
        ),
        (MARY, "Harbour Street Estates", "+1 555 0130", "+1 555 0131", "Likes tea.", [0xC8, 0xD4, 0xE8]),
    ];
    for (who, job, phone, mobile, comment, wall) in cards {
        let (_, time) = mailbox.next_identity();
        let card = Card { who, job, phone, mobile, comment, photo: images::portrait(wall) };
        let items = other::contact(mailbox, &card, time)?;
        add(mailbox, items)?;
    }
    let members = [BOB.in_notes(), AMY.in_notes(), MARY.address.to_owned()];
    let members: Vec<&str> = members.iter().map(String::as_str).collect();
    add(mailbox, other::group("Harbour Street", "All who have to do with the lamps", &members))
}

fn notebook(mailbox: &mut Mailbox) -> Result<(), ForgeError> {
    set_clock(mailbox, [3, 17, 0]);
    let mut body = RichText::new();
    body.paragraph(Style::Left);
    body.text(Font::PLAIN.styled(Font::BOLD), "Harbour Street, after the review");
    for text in ["mounting only as a whole", "yard first, it needs dry weather", "ask for photos afterwards"]
    {
        body.paragraph(Style::Bulleted);
        body.text(Font::PLAIN, text);
    }
    let (_, time) = mailbox.next_identity();
    add(mailbox, other::page("Notes on Harbour Street", "Customers", body, time))?;
    add_to_inbox(mailbox, other::phone_message(MARY, time))
}

fn add(mailbox: &mut Mailbox, items: Vec<ItemSpec>) -> Result<(), ForgeError> {
    add_note(mailbox, items).map(drop)
}

fn add_to_inbox(mailbox: &mut Mailbox, items: Vec<ItemSpec>) -> Result<(), ForgeError> {
    let (note_id, unid, time) = add_note(mailbox, items)?;
    mailbox.writer.file(mailbox.folders.inbox, note_id, unid, time);
    Ok(())
}

fn add_note(mailbox: &mut Mailbox, items: Vec<ItemSpec>) -> Result<(NoteId, Unid, Timedate), ForgeError> {
    let (unid, time) = mailbox.next_identity();
    let updated_by = ItemSpec::texts("$UpdatedBy", &[OWNER.in_notes()]).flagged(ItemFlags::NAMES);
    let note = NoteSpec::document(unid, time).with(items).with([updated_by]);
    Ok((mailbox.writer.add_note(&note)?, unid, time))
}
