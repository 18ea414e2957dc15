//! Groups: a name, what it is for, and its members.

use crate::conversion::address;
use crate::conversion::contact::vcard::Vcard;
use crate::conversion::contact::{spoken, uid};
use crate::conversion::content_line::mailto;
use crate::conversion::directory::Directory;
use crate::conversion::losses::Losses;
use crate::model::loss::LossKind;
use crate::notes::address_book;
use crate::notes::document::Note;
use crate::notes::names::address_key;

pub fn display_name(note: &Note) -> String {
    let names = ["ListName", "FullName", "Subject"].map(|item| spoken(&note.text(item)));
    names.into_iter().find(|name| !name.is_empty()).unwrap_or_default()
}

/// Writes the properties of a group. Members are not expanded, so a group may name itself. Those whose address is not
/// known go into the remarks.
pub fn write(
    card: &mut Vcard,
    note: &Note,
    directory: &Directory,
    related: &[Note],
    remarks: &mut Vec<String>,
    losses: &mut Losses,
) {
    let name = display_name(note);
    let name = if name.is_empty() { "Group" } else { &name };
    card.group();
    card.name([name, "", "", "", ""]);
    card.text("FN", name);
    card.tell("Group", name);
    remarks.extend(note.texts("ListDescription"));
    let mut unresolved = Vec::new();
    for stored in note.texts("Members").iter().map(|stored| stored.trim()).filter(|text| !text.is_empty()) {
        card.tell("Member", &spoken(stored));
        let key = address_key(stored);
        let named = |contact: &&Note| {
            let addresses = address_book::addresses(contact);
            address_book::names(contact).concat().contains(&key)
                || addresses.iter().any(|address| address.to_lowercase() == key)
        };
        // A person has more than one document only by mistake; each answers to the name.
        if let Some(contact) = related.iter().find(named) {
            card.member(&uid(contact.unid));
        } else if let Some(address) = address::internet(directory, stored) {
            card.member(&mailto(&address));
        } else {
            losses.add(LossKind::MemberUnresolved, stored);
            unresolved.push(stored.to_owned());
        }
    }
    if !unresolved.is_empty() {
        remarks.push(format!("Members without a known address: {}", unresolved.join("; ")));
    }
}
