//! Documents of address books: people, groups and mail-in databases, the names that they answer to, and their addresses.
//!
//! `sources` finds the members of groups with it, `conversion` the addresses of names. Nothing here looks beyond one
//! document.

use super::document::Note;
use super::names::{AddressKind, address_key, classify};

/// What an address book describes in a document that stands for somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listed {
    Person,
    Group,
    /// A database that receives mail.
    MailIn,
}

/// What a document says of somebody, as far as names and addresses go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entry {
    /// As [`names`] gives them.
    pub names: [Vec<String>; 3],
    /// As [`answer`] gives it.
    pub address: Option<String>,
    /// The Notes domain, where it has one.
    pub domain: String,
    pub is_group: bool,
}

/// The entry of a document; `None` where it stands for nobody.
pub fn entry(note: &Note) -> Option<Entry> {
    let listed = listed(note)?;
    Some(Entry {
        names: names(note),
        address: answer(note),
        domain: note.text("MailDomain").trim().to_owned(),
        is_group: listed == Listed::Group,
    })
}

/// The items of a document that [`listed`], [`names`], [`addresses`] and [`answer`] read.
pub const ITEMS: [&str; 9] = [
    "Form",
    "Type",
    "FullName",
    "AltFullName",
    "ShortName",
    "ListName",
    "InternetAddress",
    "MailAddress",
    "MailDomain",
];

/// Whom a document stands for, by its form, and where that is missing by its type; `None` for other documents.
pub fn listed(note: &Note) -> Option<Listed> {
    let form = note.text("Form");
    let form = if form.trim().is_empty() { note.text("Type") } else { form };
    match form.trim().to_ascii_lowercase().as_str() {
        "person" => Some(Listed::Person),
        "group" => Some(Listed::Group),
        "database" => Some(Listed::MailIn),
        _ => None,
    }
}

/// The names that a document answers to, in the form in which names are compared. Those of an earlier list count more.
pub fn names(note: &Note) -> [Vec<String>; 3] {
    let own = match listed(note) {
        // The header of standard names calls the name of a group like an item of its own; others use that of people.
        Some(Listed::Group) if note.has("ListName") => "ListName",
        _ => "FullName",
    };
    [own, "AltFullName", "ShortName"].map(|item| {
        note.texts(item).iter().map(|name| address_key(name)).filter(|key| !key.is_empty()).collect()
    })
}

/// The Internet addresses of a document, in the order in which they count.
///
/// # Source
/// HCL Domino administration help: how the router looks up names in the directory.
pub fn addresses(note: &Note) -> Vec<String> {
    let items = ["InternetAddress", "ShortName", "MailAddress"];
    let stored = items.into_iter().flat_map(|item| note.texts(item));
    let internet = |stored: String| match classify(&stored) {
        AddressKind::Internet { address, .. } => Some(address),
        AddressKind::Notes(_) | AddressKind::Empty => None,
    };
    stored.filter_map(internet).collect()
}

/// The address that stands for a document in mail.
pub fn answer(note: &Note) -> Option<String> {
    addresses(note).into_iter().next()
}
