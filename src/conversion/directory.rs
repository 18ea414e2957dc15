//! Where the Internet addresses of Notes names come from: address books that were read, and the administrator's table.
//!
//! Filled by `modes` from files, as documents and rows, and by `server` from its table; asked by `conversion::address`. An answer is never a guess: a
//! name that several documents claim with different addresses has none.

use crate::notes::address_book;
use crate::notes::document::Note;
use crate::notes::names::{AddressKind, NotesName, classify};
use std::collections::{BTreeSet, HashMap};

/// What is known of names.
#[derive(Clone, Debug, Default)]
pub struct Directory {
    entries: Vec<Entry>,
    /// Key, rank of the list that the key comes from, and place of the entry.
    keys: BTreeSet<(Box<str>, u8, usize)>,
    exact: HashMap<Box<str>, Box<str>>,
    /// What ends the key of a name, and the address of all such names; the longest ending first.
    patterns: Vec<(Box<str>, Box<str>)>,
}

#[derive(Clone, Debug)]
struct Entry {
    address: Option<Box<str>>,
    /// The Notes domain, where it has one.
    domain: Box<str>,
    is_group: bool,
}

/// What a directory answers.
#[derive(Debug, PartialEq, Eq)]
pub enum Answer {
    Address(String),
    /// A group without an address of its own.
    Group,
    Unknown,
}

/// Why a row of the administrator's table cannot be used.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum RowError {
    #[error("`{0}` is no Notes name")]
    Name(String),
    #[error("`{0}` is no Internet address")]
    Address(String),
}

impl Directory {
    /// Takes a document of an address book. Returns whether it stands for somebody.
    pub fn add(&mut self, note: &Note) -> bool {
        let entry = address_book::entry(note);
        entry.is_some_and(|entry| {
            self.add_entry(entry);
            true
        })
    }

    /// Takes what a document of an address book says.
    pub fn add_entry(&mut self, entry: address_book::Entry) {
        let place = self.entries.len();
        let address_book::Entry { names, address, domain, is_group } = entry;
        let address = address.map(String::into_boxed_str);
        self.entries.push(Entry { address, domain: domain.into(), is_group });
        for (rank, keys) in (0..).zip(names) {
            self.keys.extend(keys.into_iter().map(|key| (key.into_boxed_str(), rank, place)));
        }
    }

    /// Takes a row of the administrator's table: a name, or `*/Sales/Acme` for all names that end so, and an address.
    /// `{first}`, `{last}` and `{name}` in the address stand for the first, the last and all words of the common name.
    ///
    /// # Errors
    /// [`RowError`] says which of both is wrong.
    pub fn add_row(&mut self, name: &str, address: &str) -> Result<(), RowError> {
        let name = name.trim();
        let AddressKind::Notes(parsed) = classify(name) else { return Err(RowError::Name(name.to_owned())) };
        let sample = expand(address.trim(), "Jane Doe").filter(|address| !address.contains(['{', '}']));
        let Some(AddressKind::Internet { .. }) = sample.map(|sample| classify(&sample)) else {
            return Err(RowError::Address(address.to_owned()));
        };
        let key = parsed.directory_key();
        match key.strip_prefix('*') {
            Some(ending) if ending.starts_with('/') => {
                self.patterns.push((ending.into(), address.trim().into()));
                self.patterns.sort_by_key(|(ending, _)| std::cmp::Reverse(ending.len()));
            }
            _ => drop(self.exact.insert(key.into(), address.trim().into())),
        }
        Ok(())
    }

    /// What is known of a name.
    pub fn find(&self, name: &NotesName) -> Answer {
        let key = name.directory_key();
        let listed = self.listed(&key, name);
        if let Some(Entry { address: Some(address), .. }) = listed {
            return Answer::Address(address.to_string());
        }
        let of_pattern = || {
            let matching = self.patterns.iter().filter(|(ending, _)| key.ends_with(&**ending));
            matching.into_iter().find_map(|(_, address)| expand(address, name.common_name()))
        };
        let by_table = self.exact.get(&*key).and_then(|address| expand(address, name.common_name()));
        match by_table.or_else(of_pattern) {
            Some(address) => Answer::Address(address),
            None if listed.is_some_and(|entry| entry.is_group) => Answer::Group,
            None => Answer::Unknown,
        }
    }

    /// What Domino made of a name without an address, undone: `John_Smith%Notes` becomes `John Smith@Notes`.
    ///
    /// # Source
    /// HCL Domino administration help: how Internet addresses of senders are made.
    pub fn find_constructed(&self, address: &str) -> Option<(NotesName, String)> {
        let (local, _) = address.rsplit_once('@')?;
        let (name, domains) = local.split_once('%')?;
        let stored = format!("{}@{}", name.replace('_', " "), domains.replace('%', "@"));
        let name = NotesName::parse(&stored);
        match self.find(&name) {
            Answer::Address(address) => Some((name, address)),
            Answer::Group | Answer::Unknown => None,
        }
    }

    /// The one entry of a name. Of several, those of the better list count; if these differ, none does.
    fn listed(&self, key: &str, name: &NotesName) -> Option<&Entry> {
        let first = (Box::from(key), 0, 0);
        let hits = self.keys.range(first..).take_while(|(own, ..)| **own == *key);
        // A hierarchical name is unique; of a flat one there is one in each domain.
        let domain = name.route().first().filter(|_| name.organization().is_none());
        let fits = |entry: &Entry| {
            domain.is_none_or(|domain| entry.domain.is_empty() || entry.domain.eq_ignore_ascii_case(domain))
        };
        let mut hits =
            hits.map(|(_, rank, place)| (*rank, &self.entries[*place])).filter(|(_, entry)| fits(entry));
        let (best, entry) = hits.next()?;
        let mut others = hits.take_while(|(rank, _)| *rank == best);
        others.all(|(_, other)| other.address == entry.address).then_some(entry)
    }
}

/// The address of a row for a common name; `None` if the name has not the words, or letters that no address has.
fn expand(template: &str, common_name: &str) -> Option<String> {
    if !template.contains('{') {
        return Some(template.to_owned());
    }
    let words: Vec<String> = common_name.split_whitespace().map(str::to_lowercase).collect();
    let plain = |word: &String| word.bytes().all(|b| b.is_ascii_alphanumeric() || b"-'".contains(&b));
    let [first, .., last] = &words[..] else { return None };
    let expanded =
        template.replace("{first}", first).replace("{last}", last).replace("{name}", &words.join("."));
    words.iter().all(plain).then_some(expanded)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notes::item::{Item, ItemFlags, ItemType};
    use crate::notes::lmbcs;

    fn note(items: &[(&str, &str)]) -> Note {
        let item = |(name, text): &(&str, &str)| Item {
            name: (*name).to_owned(),
            flags: ItemFlags::default(),
            item_type: ItemType::TEXT,
            value: lmbcs::encode(text),
        };
        Note { items: items.iter().map(item).collect(), ..Note::default() }
    }

    fn find(directory: &Directory, name: &str) -> Option<String> {
        match directory.find(&NotesName::parse(name)) {
            Answer::Address(address) => Some(address),
            Answer::Group | Answer::Unknown => None,
        }
    }

    fn person(full: &str, items: &[(&str, &str)]) -> Note {
        note(&[&[("Form", "Person"), ("FullName", full)], items].concat())
    }

    #[test]
    fn a_name_is_found_in_every_spelling_and_in_no_other_list_first() {
        let mut directory = Directory::default();
        assert!(directory.add(&person(
            "CN=Jane Doe/OU=Sales/O=Acme",
            &[("ShortName", "JDoe"), ("InternetAddress", "jane@example.com")]
        )));
        assert!(
            directory.add(&person("CN=JDoe/O=Acme", &[("FullName", ""), ("MailAddress", "j@example.org")]))
        );
        assert!(!directory.add(&note(&[("Form", "Location"), ("FullName", "x")])));
        for name in ["Jane Doe/Sales/Acme", "cn=jane doe/ou=SALES/o=acme@Hub", "jdoe"] {
            assert_eq!(find(&directory, name).as_deref(), Some("jane@example.com"), "{name}");
        }
        assert_eq!(find(&directory, "Jane Doe/Acme"), None);
        assert_eq!(find(&directory, "JDoe/Acme").as_deref(), Some("j@example.org"));
    }

    #[test]
    fn a_name_of_two_people_has_an_answer_only_with_its_domain() {
        let mut directory = Directory::default();
        for domain in ["East", "West"] {
            let address = format!("john@{domain}.example.com");
            let items = [("MailDomain", domain), ("InternetAddress", address.as_str())];
            directory.add(&person("John Smith", &items));
        }
        assert_eq!(find(&directory, "John Smith"), None);
        assert_eq!(find(&directory, "John Smith@west").as_deref(), Some("john@West.example.com"));
        assert_eq!(find(&directory, "John Smith@North"), None);
    }

    #[test]
    fn the_table_has_names_and_patterns() {
        let mut directory = Directory::default();
        let rows = [
            ("Bob Ray/Acme", "bob@example.com"),
            ("*/O=Acme", "{first}.{last}@example.com"),
            ("*/Old/Acme", "archive@example.org"),
        ];
        rows.iter().for_each(|(name, address)| directory.add_row(name, address).unwrap());
        for (name, address) in [
            ("CN=Bob Ray/O=Acme", Some("bob@example.com")),
            ("Amy Jo Stone/Finance/Acme", Some("amy.stone@example.com")),
            ("Amy Stone/Old/Acme", Some("archive@example.org")),
            ("J\u{FC}rgen M\u{FC}ller/Acme", None),
            ("Accounts/Acme", None),
            ("Amy Stone/NotAcme", None),
        ] {
            assert_eq!(find(&directory, name).as_deref(), address, "{name}");
        }
        assert_eq!(
            directory.add_row("a@example.com", "b@example.com"),
            Err(RowError::Name("a@example.com".into()))
        );
        for address in ["", "bob", "{middle}@example.com", "{first} {last}@example.com"] {
            assert_eq!(directory.add_row("*/Acme", address), Err(RowError::Address(address.into())));
        }
    }

    #[test]
    fn what_domino_constructed_is_undone_only_where_the_name_is_known() {
        let mut directory = Directory::default();
        directory.add(&person("John Smith/Acme", &[("InternetAddress", "js@example.com")]));
        let found = directory.find_constructed("John_Smith/Acme%Hub%Notes@example.org").unwrap();
        assert_eq!((found.0.common_name(), found.1.as_str()), ("John Smith", "js@example.com"));
        for address in ["John_Smith/Acme@example.org", "user%host@example.org"] {
            assert_eq!(directory.find_constructed(address), None);
        }
    }
}
