//! The letters of the showcase, as data: what the people of the company wrote each other in a busy week.

use super::block::{BOLD, Block, ITALIC, RED};
use crate::forge::mailbox::people::{AMY, BOB, ELENI, FRANCOIS, JUERGEN, MARY, OWNER, Person};
use crate::forge::richtext::{Font, Style};

/// Where a letter lies.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Inbox,
    /// In the inbox, and not read.
    Unread,
    /// In a folder of [`FOLDERS`].
    Filed(usize),
    Sent,
    Draft,
}

pub(super) const FOLDERS: [&str; 2] = ["Customers\\Harbour Street", "Team\\Summer party"];
const HARBOUR: Place = Place::Filed(0);
const PARTY: Place = Place::Filed(1);

pub(super) struct Letter {
    /// The letter that it answers, by its place in the list; what was written before is quoted.
    pub answers: Option<usize>,
    pub from: Person,
    pub to: &'static [Person],
    pub copies: &'static [Person],
    /// Day of the showcase, hour and minute.
    pub at: [i64; 3],
    pub subject: &'static str,
    pub place: Place,
    pub body: &'static [Block],
}

pub(super) const LETTERS: &[Letter] = &[
    Letter {
        answers: None,
        from: MARY,
        to: &[OWNER],
        copies: &[],
        at: [0, 9, 12],
        subject: "Lamps for Harbour Street",
        place: HARBOUR,
        body: &[
            Block::Line("Dear Ms Doe,"),
            Block::Line(""),
            Block::Line(
                "We are about to renew the lamps in our building in Harbour Street: two floors of offices, the \
                 stairs and the yard. Could you send us an offer by the end of the week?",
            ),
            Block::Line(""),
            Block::Line("What matters to us:"),
            Block::List(
                Style::Bulleted,
                &[
                    "low consumption, with figures for a year",
                    "delivery before 1 March",
                    "five years of warranty",
                ],
            ),
            Block::Line(""),
            Block::Line("Kind regards,"),
            Block::Signature(MARY, "Harbour Street Estates"),
        ],
    },
    Letter {
        answers: Some(0),
        from: OWNER,
        to: &[BOB],
        copies: &[AMY],
        at: [0, 10, 40],
        subject: "Re: Lamps for Harbour Street",
        place: Place::Sent,
        body: &[
            Block::Words(&[
                (Font::PLAIN, "Bob, can you calculate this until "),
                (RED, "Wednesday noon"),
                (Font::PLAIN, "? Amy, please have a look at the discount; I would go as far as "),
                (BOLD, "eight per cent"),
                (Font::PLAIN, "."),
            ]),
            Block::Line(""),
            Block::Line("In this order, please:"),
            Block::List(Style::Numbered, &["measure the yard"]),
            Block::List(
                Style::InnerNumbered,
                &["ask the caretaker for the key", "take photos of the old masts"],
            ),
            Block::List(
                Style::Numbered,
                &["count the lamps of both floors", "calculate with and without mounting"],
            ),
            Block::Signature(OWNER, "Sales"),
        ],
    },
    Letter {
        answers: Some(1),
        from: BOB,
        to: &[OWNER],
        copies: &[AMY],
        at: [2, 11, 5],
        subject: "Re: Lamps for Harbour Street",
        place: HARBOUR,
        body: &[
            Block::Line("Hello Jane,"),
            Block::Line(""),
            Block::Line("here is what I calculated. The list with all positions is attached."),
            Block::Line(""),
            Block::Heading("Offer for Harbour Street"),
            Block::Table(&[
                &["Part of the building", "Lamps", "Price", "<"],
                &["^", "^", "alone", "mounted"],
                &["Offices, two floors", "84", "7,140.00", "9,660.00"],
                &["Stairs", "12", "780.00", "1,140.00"],
                &["Yard", "6", "2,310.00", "3,030.00"],
                &["Sum in EUR", "102", "10,230.00", "13,830.00"],
            ]),
            Block::Line(""),
            Block::Line("Consumption of the last seven months; with the new lamps it falls by two thirds:"),
            Block::Chart([72, 66, 58, 61, 74, 83, 90], "consumption from June to December"),
            Block::File(
                "offer-harbour-street.csv",
                "position;part;lamps;alone;mounted\r\n1;offices, first floor;42;3570.00;4830.00\r\n\
                 2;offices, second floor;42;3570.00;4830.00\r\n3;stairs;12;780.00;1140.00\r\n4;yard;6;2310.00;3030.00\r\n",
            ),
            Block::Signature(BOB, "Sales"),
        ],
    },
    Letter {
        answers: Some(2),
        from: AMY,
        to: &[OWNER, BOB],
        copies: &[],
        at: [2, 14, 30],
        subject: "Re: Lamps for Harbour Street",
        place: Place::Inbox,
        body: &[
            Block::Words(&[
                (Font::PLAIN, "Eight per cent are fine "),
                (ITALIC, "if they take the mounting too"),
                (Font::PLAIN, "; without it I would stop at five."),
            ]),
            Block::Section(
                "How I came to that",
                &[
                    "Mounting leaves us 22 per cent, the lamps alone 11.",
                    "With eight per cent on the sum of 13,830.00 we end at 12,723.60.",
                ],
            ),
            Block::Signature(AMY, "Finance"),
        ],
    },
    Letter {
        answers: Some(0),
        from: OWNER,
        to: &[MARY],
        copies: &[BOB],
        at: [3, 16, 20],
        subject: "Re: Lamps for Harbour Street",
        place: Place::Sent,
        body: &[
            Block::Line("Dear Mary,"),
            Block::Line(""),
            Block::Line("thank you for your patience. Our offer for all 102 lamps with mounting:"),
            Block::Table(&[
                &["Offer 2024-017", "<"],
                &["102 lamps, mounted", "13,830.00"],
                &["Discount of 8 per cent", "-1,106.40"],
                &["Sum in EUR", "12,723.60"],
            ]),
            Block::Line("We deliver in the week of 19 February; the warranty is five years."),
            Block::Page("https://www.example.com/lamps", "Data sheets of all lamps"),
            Block::Letter(2, "Calculation of the offer"),
            Block::Signature(OWNER, "Sales"),
        ],
    },
    Letter {
        answers: Some(4),
        from: MARY,
        to: &[OWNER],
        copies: &[],
        at: [4, 8, 55],
        subject: "Re: Lamps for Harbour Street",
        place: Place::Unread,
        body: &[
            Block::Line("Dear Jane,"),
            Block::Line(""),
            Block::Words(&[
                (Font::PLAIN, "that sounds very good. We take it "),
                (BOLD, "with mounting"),
                (Font::PLAIN, "; the signed order follows by post on Monday."),
            ]),
            Block::Signature(MARY, "Harbour Street Estates"),
        ],
    },
    Letter {
        answers: None,
        from: ELENI,
        to: &[OWNER, JUERGEN, FRANCOIS],
        copies: &[BOB, AMY],
        at: [1, 12, 10],
        subject: "Summer party: who does what?",
        place: PARTY,
        body: &[
            Block::Line("Hello everybody,"),
            Block::Line(""),
            Block::Line("it is early, but good places are gone by February. So far:"),
            Block::List(Style::Checked, &["day: Friday, 21 June", "place: the old boathouse"]),
            Block::List(Style::Unchecked, &["music", "food for sixty", "a boat, if the weather allows"]),
            Block::Line(""),
            Block::Line("Who takes one of the open points?"),
            Block::Signature(ELENI, "Athens"),
        ],
    },
    Letter {
        answers: Some(6),
        from: JUERGEN,
        to: &[ELENI, OWNER, FRANCOIS],
        copies: &[BOB, AMY],
        at: [1, 13, 2],
        subject: "Re: Summer party: who does what?",
        place: PARTY,
        body: &[
            Block::Line("Hello Eleni,"),
            Block::Line(""),
            Block::Line(
                "I take the music: the band of my neighbour in M\u{fc}nchen-Gr\u{fc}nwald plays for food and a bed.",
            ),
            Block::Words(&[(ITALIC, "Viele Gr\u{fc}\u{df}e aus M\u{fc}nchen")]),
            Block::Signature(JUERGEN, "Munich"),
        ],
    },
    Letter {
        answers: Some(7),
        from: OWNER,
        to: &[JUERGEN, ELENI, FRANCOIS],
        copies: &[BOB, AMY],
        at: [1, 15, 45],
        subject: "Re: Summer party: who does what?",
        place: Place::Sent,
        body: &[
            Block::Line("Wonderful! I ask the cook of the boathouse about the food:"),
            Block::Table(&[
                &["Course", "With meat", "Without"],
                &["First", "soup of the day", "<"],
                &["Main", "lamb", "stuffed peppers"],
                &["^", "fish", "^"],
                &["Dessert", "cake and fruit", "<"],
            ]),
            Block::Signature(OWNER, "Sales"),
        ],
    },
    Letter {
        answers: Some(8),
        from: FRANCOIS,
        to: &[OWNER, ELENI, JUERGEN],
        copies: &[],
        at: [4, 9, 31],
        subject: "Re: Summer party: who does what?",
        place: Place::Unread,
        body: &[Block::Line("Then the boat is mine. Who can swim?"), Block::Signature(FRANCOIS, "Paris")],
    },
    Letter {
        answers: None,
        from: OWNER,
        to: &[FRANCOIS],
        copies: &[],
        at: [4, 10, 15],
        subject: "Fair in Lyon",
        place: Place::Draft,
        body: &[
            Block::Line("Hello Fran\u{e7}ois,"),
            Block::Line(""),
            Block::Line("before I forget it: do we share a stand in Lyon again? I would bring"),
        ],
    },
];
