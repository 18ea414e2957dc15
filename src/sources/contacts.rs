//! The people and groups of a source by their names, for the members of a group.
//!
//! Made by a source when the first document asks for it, because that takes a walk over all documents; most mail files
//! have no groups.

use crate::base::limits::GROUP_MEMBERS;
use crate::notes::address_book::{self, ITEMS, Listed};
use crate::notes::document::{Note, NoteStatus};
use crate::notes::names::address_key;
use std::collections::HashMap;

/// The contacts of a source, each with the id by which the source finds it.
#[derive(Debug, Default)]
pub struct Contacts {
    by_key: HashMap<String, u64>,
}

/// Whether a document is a contact that names others of its source.
pub fn names_others(note: &Note) -> bool {
    address_book::listed(note) == Some(Listed::Group)
}

impl Contacts {
    /// Takes a document, if it is a contact that will be carried.
    pub fn add(&mut self, id: u64, note: &Note) {
        let is_contact = matches!(address_book::listed(note), Some(Listed::Person | Listed::Group));
        if !is_contact || note.has("$Conflict") || note.status.has(NoteStatus::SOFT_DELETED) {
            return;
        }
        let addresses = address_book::addresses(note).into_iter().map(|address| address.to_lowercase());
        for key in address_book::names(note).concat().into_iter().chain(addresses) {
            self.by_key.entry(key).or_insert(id);
        }
    }

    /// The contacts that a document names, each once.
    pub fn named_by(&self, note: &Note) -> Vec<u64> {
        let members = note.texts("Members");
        let found = members.iter().filter_map(|member| self.by_key.get(&address_key(member)).copied());
        let mut found: Vec<u64> = found.take(GROUP_MEMBERS).collect();
        found.sort_unstable();
        found.dedup();
        found
    }
}

/// A contact with nothing but what it is known by.
pub fn known_by(mut note: Note) -> Note {
    note.items.retain(|item| ITEMS.iter().any(|name| item.is(name)));
    note
}
