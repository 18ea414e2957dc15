//! People: names, addresses, numbers, days, and the people around them.

use crate::conversion::address;
use crate::conversion::contact::spoken;
use crate::conversion::contact::vcard::Vcard;
use crate::conversion::directory::Directory;
use crate::conversion::link;
use crate::conversion::losses::Losses;
use crate::model::loss::LossKind;
use crate::notes::document::Note;
use crate::notes::timedate::{Moment, Timedate, TimedateError};
use jiff::ToSpan;
use jiff::civil::Date;

/// Items that hold addresses of mail.
const ADDRESSES: [&str; 2] = ["InternetAddress", "MailAddress"];

/// Items that hold an address or a telephone number, as their owner liked.
const ADDRESSES_OR_NUMBERS: [&str; 12] = [
    "MiscPhone1",
    "MiscPhone2",
    "MiscPhone3",
    "email_1",
    "email_2",
    "email_3",
    "email_4",
    "email_5",
    "email_6",
    "email_7",
    "email_8",
    "email_9",
];

/// Items of telephone numbers, and their types.
const NUMBERS: [(&str, &str); 10] = [
    ("OfficePhoneNumber", "work,voice"),
    ("OfficeFAXPhoneNumber", "work,fax"),
    ("FaxNumber", "work,fax"),
    ("CellPhoneNumber", "cell,voice"),
    ("MobilePhoneNumber", "cell,voice"),
    ("PhoneNumber", "home,voice"),
    ("HomeFAXPhoneNumber", "home,fax"),
    ("HomeFaxNumber", "home,fax"),
    ("PhoneNumber_6", "pager"),
    ("PagerPhoneNumber", "pager"),
];

/// Items of postal addresses: type, room, street, city, state, code, country.
const PLACES: [(&str, [&str; 6]); 2] = [
    (
        "work",
        ["OfficeNumber", "OfficeStreetAddress", "OfficeCity", "OfficeState", "OfficeZIP", "OfficeCountry"],
    ),
    ("home", ["", "StreetAddress", "City", "State", "Zip", "Country"]),
];

const RELATIONS: [(&str, &str); 4] =
    [("Spouse", "spouse"), ("Children", "child"), ("Manager", "manager"), ("Assistant", "assistant")];

pub fn display_name(note: &Note) -> String {
    let [last, first, middle, prefix, suffix] = name_fields(note);
    let words: Vec<&str> = [&prefix, &first, &middle, &last, &suffix]
        .into_iter()
        .map(|word| word.as_str())
        .filter(|w| !w.is_empty())
        .collect();
    let full = spoken(&note.text("FullName"));
    let alternative = spoken(&note.text("AltFullName"));
    let addresses = ADDRESSES.map(|item| note.text(item).trim().to_owned());
    let names = [full, alternative, words.join(" "), note.text("CompanyName").trim().to_owned()];
    names.into_iter().chain(addresses).find(|name| !name.is_empty()).unwrap_or_default()
}

/// Writes the properties of a person. What has no property is added to the remarks.
pub fn write(
    card: &mut Vcard,
    note: &Note,
    directory: &Directory,
    remarks: &mut Vec<String>,
    losses: &mut Losses,
) {
    let name = display_name(note);
    let fields = name_fields(note);
    card.name(fields.each_ref().map(String::as_str));
    // RFC 6350 section 6.2.1: there is one always.
    card.text("FN", if name.is_empty() { "Contact" } else { &name });
    card.tell("Name", &name);
    write_other_names(card, note, &name);
    let [company, department, title] =
        ["CompanyName", "Department", "JobTitle"].map(|item| note.text(item).trim().to_owned());
    let organization = [company.as_str(), department.as_str()];
    card.fields("ORG", if department.is_empty() { &organization[..1] } else { &organization });
    card.text("TITLE", &title);
    [("Company", &company), ("Department", &department), ("Title", &title)]
        .iter()
        .for_each(|(label, value)| card.tell(label, value));
    write_addresses(card, note, directory, losses);
    write_places(card, note);
    for (item, property) in [("Birthday", "BDAY"), ("Anniversary", "ANNIVERSARY")] {
        let time = note.time(item);
        match time.map(day) {
            Some(Some(day)) => card.day(property, day),
            Some(None) if time.is_some_and(|time| time.moment() == Ok(Moment::Empty)) => {}
            Some(None) => losses.add(LossKind::DateInvalid, item),
            None => card.day_in_words(property, note.text(item).trim()),
        }
    }
    for (item, relation) in RELATIONS {
        values(note, item).iter().for_each(|name| card.related(relation, &spoken(name)));
    }
    for page in values(note, "WebSite") {
        match link::safe_url(&page) {
            Some(url) => card.line("URL", &url),
            None => remarks.push(page.clone()),
        }
        card.tell("Web", &page);
    }
    for login in values(note, "SametimeLogin") {
        card.line("IMPP", &format!("sametime:{}", link::percent_encode(&login)));
    }
}

/// Family, given, middle, prefix and suffix, as N has them (RFC 6350 section 6.2.2).
fn name_fields(note: &Note) -> [String; 5] {
    let first = |items: &[&str]| {
        let texts = items.iter().map(|item| note.text(item).trim().to_owned());
        texts.into_iter().find(|text| !text.is_empty()).unwrap_or_default()
    };
    [
        first(&["LastName"]),
        first(&["FirstName"]),
        first(&["MiddleInitial"]),
        first(&["Title", "Salutation"]),
        first(&["Suffix"]),
    ]
}

/// All texts of an item that are not empty.
fn values(note: &Note, item: &str) -> Vec<String> {
    let texts = note.texts(item).into_iter().map(|text| text.trim().to_owned());
    texts.filter(|text| !text.is_empty()).collect()
}

fn write_other_names(card: &mut Vcard, note: &Note, name: &str) {
    let mut others: Vec<String> = Vec::new();
    let items = ["FullName", "AltFullName", "ShortName", "NickName"];
    for other in items.into_iter().flat_map(|item| values(note, item)).map(|stored| spoken(&stored)) {
        let known = |known: &str| known.eq_ignore_ascii_case(&other);
        // A short name that is an address is written as such.
        if !other.contains('@') && !known(name) && !others.iter().any(|other| known(other)) {
            others.push(other);
        }
    }
    card.list("NICKNAME", others.iter().map(String::as_str));
}

/// Addresses of mail, each once and the best first, and telephone numbers.
fn write_addresses(card: &mut Vcard, note: &Note, directory: &Directory, losses: &mut Losses) {
    let mut addresses: Vec<String> = Vec::new();
    let mut add = |address: String| {
        if !addresses.iter().any(|known| known.eq_ignore_ascii_case(&address)) {
            addresses.push(address);
        }
    };
    let mut numbers = Vec::new();
    for stored in ADDRESSES.into_iter().flat_map(|item| values(note, item)) {
        match address::internet(directory, &stored) {
            Some(address) => add(address),
            None => {
                losses.add(LossKind::AddressUnresolved, stored.as_str());
                card.text("X-NOTES-ADDRESS", &stored);
            }
        }
    }
    for stored in ADDRESSES_OR_NUMBERS.into_iter().flat_map(|item| values(note, item)) {
        match address::internet(directory, &stored).filter(|_| stored.contains('@')) {
            Some(address) => add(address),
            None => numbers.push(("", stored)),
        }
    }
    for stored in values(note, "ShortName").iter().filter(|stored| stored.contains('@')) {
        address::internet(directory, stored).into_iter().for_each(&mut add);
    }
    let typed =
        NUMBERS.into_iter().flat_map(|(item, types)| values(note, item).into_iter().map(move |n| (types, n)));
    for (at, address) in addresses.iter().enumerate() {
        card.email(address, at == 0);
    }
    let mut written = Vec::new();
    for number in typed.chain(numbers) {
        if !written.contains(&number) {
            card.telephone(number.0, &number.1);
            written.push(number);
        }
    }
}

fn write_places(card: &mut Vcard, note: &Note) {
    for (kind, items) in PLACES {
        let [room, street, city, state, code, country] = items.map(|item| note.text(item).trim().to_owned());
        // RFC 6350 section 6.3.1; the first field is a post office box.
        card.fields(&format!("ADR;TYPE={kind}"), &["", &room, &street, &city, &state, &code, &country]);
        let told: Vec<&str> = [&room, &street, &code, &city, &state, &country]
            .into_iter()
            .map(|part| part.as_str())
            .filter(|part| !part.is_empty())
            .collect();
        card.tell(&format!("Address ({kind})"), &told.join(", "));
    }
    card.text("X-NOTES-LOCATION", note.text("Location").trim());
}

/// The day in a date that somebody entered, in no zone. The zone of a time is told without daylight saving, so an
/// hour is added: midnight stays on its day.
fn day(time: Timedate) -> Option<Date> {
    const HOUR_MS: i64 = 3_600_000;
    let unix_day = match time.moment() {
        Ok(Moment::Day { unix_day }) => unix_day,
        Ok(Moment::Instant { unix_ms, zone_minutes }) => {
            (unix_ms + i64::from(zone_minutes) * 60_000 + HOUR_MS).div_euclid(24 * HOUR_MS)
        }
        // A year that stands for none lies outside the calendar of Notes.
        Err(TimedateError::BeyondDay) => time.stored_unix_day()?,
        Ok(Moment::TimeOfDay { .. } | Moment::Empty) | Err(_) => return None,
    };
    Date::constant(1970, 1, 1).checked_add(unix_day.days()).ok()
}
