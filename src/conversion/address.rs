//! Notes names and stored addresses as mailboxes of a message.
//!
//! What is known comes first: the lists of Internet addresses that run parallel to the lists of names, addresses that
//! are Internet addresses already, and the directory. The rest becomes a placeholder in a domain that does not exist
//! (RFC 2606 section 2), so that no header is a syntax error and nobody else gets an answer.

use crate::conversion::directory::{Answer, Directory};
use crate::conversion::losses::Losses;
use crate::model::loss::LossKind;
use crate::notes::document::Note;
use crate::notes::names::{AddressKind, NotesName, address_key, classify};

/// RFC 5321 section 4.5.3.1.1.
const LOCAL_PART_BYTES: usize = 64;
const PLACEHOLDER_DOMAIN: &str = "unresolved.invalid";

/// One address of a header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mailbox {
    pub name: Option<String>,
    pub address: String,
    /// A group that has a name and no address; the address is a placeholder.
    pub is_bare_group: bool,
}

impl Mailbox {
    fn new(name: Option<String>, address: String) -> Self {
        Self { name, address, is_bare_group: false }
    }
}

/// The mailbox of a stored address and of its partner in the Internet list.
pub fn resolve(
    directory: &Directory,
    stored: &str,
    partner: Option<&str>,
    losses: &mut Losses,
) -> Option<Mailbox> {
    let stored = classify(stored);
    if let Some(AddressKind::Internet { address, phrase }) = partner.map(classify) {
        let name = phrase.or_else(|| display_name(&stored));
        return Some(Mailbox::new(name, address));
    }
    match stored {
        AddressKind::Empty => None,
        AddressKind::Internet { address, phrase } => Some(match directory.find_constructed(&address) {
            Some((name, found)) => Mailbox::new(phrase.or(Some(name.common_name().to_owned())), found),
            None => Mailbox::new(phrase, address),
        }),
        AddressKind::Notes(name) => Some(match directory.find(&name) {
            Answer::Address(address) => Mailbox::new(Some(name.common_name().to_owned()), address),
            Answer::Group => Mailbox { is_bare_group: true, ..placeholder(&name, losses) },
            Answer::Unknown => placeholder(&name, losses),
        }),
    }
}

/// The Internet address of a stored one, if there is any.
pub fn internet(directory: &Directory, stored: &str) -> Option<String> {
    let mut unresolved = Losses::default();
    let mailbox = resolve(directory, stored, None, &mut unresolved)?;
    unresolved.into_list().is_empty().then_some(mailbox.address)
}

fn display_name(kind: &AddressKind) -> Option<String> {
    match kind {
        AddressKind::Empty => None,
        AddressKind::Internet { phrase, .. } => phrase.clone(),
        AddressKind::Notes(name) => Some(name.common_name().to_owned()),
    }
}

/// `"Bob Ray/Acme" <bob.ray.acme@unresolved.invalid>`. The domains of a flat name are part of it.
fn placeholder(name: &NotesName, losses: &mut Losses) -> Mailbox {
    let mut told = name.abbreviated();
    if name.organization().is_none() {
        name.route().iter().for_each(|domain| told.extend(["@", domain.as_str()]));
    }
    losses.add(LossKind::AddressUnresolved, told.as_str());
    let address = format!("{}@{PLACEHOLDER_DOMAIN}", local_part(&told));
    Mailbox::new(Some(told), address)
}

/// The letters and digits of a name, its words joined by dots.
fn local_part(name: &str) -> String {
    let words = name.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let mut local = words.collect::<Vec<_>>().join(".").to_ascii_lowercase();
    local.truncate(LOCAL_PART_BYTES);
    let local = local.trim_end_matches('.');
    if !local.is_empty() {
        return local.to_owned();
    }
    // A name in another script: still the same address for the same name.
    format!("name-{}", &blake3::hash(name.as_bytes()).to_hex()[..8])
}

/// The address that stands for a sender nobody knows.
pub fn unknown_sender() -> Mailbox {
    Mailbox::new(Some("Unknown sender".to_owned()), format!("unknown@{PLACEHOLDER_DOMAIN}"))
}

/// The mailboxes of an address item, by its list of Internet addresses where that runs parallel.
pub fn resolve_list(
    directory: &Directory,
    note: &Note,
    item: &str,
    partner_item: &str,
    losses: &mut Losses,
) -> Vec<Mailbox> {
    let stored = note.texts(item);
    let mut partners = note.texts(partner_item);
    if !partners.is_empty() && partners.len() != stored.len() && !stored.is_empty() {
        losses.add(LossKind::AddressListsDiffer, item);
        partners.clear();
    }
    // A list of Internet addresses alone is a list all the same.
    let stored = if stored.is_empty() { partners.clone() } else { stored };
    let partner = |at: usize| partners.get(at).map(String::as_str);
    stored.iter().enumerate().filter_map(|(at, text)| resolve(directory, text, partner(at), losses)).collect()
}

/// The mailboxes of an item that holds what the user typed: one text may hold several addresses.
pub fn resolve_typed(directory: &Directory, note: &Note, item: &str, losses: &mut Losses) -> Vec<Mailbox> {
    let texts = note.texts(item);
    let typed = match texts.as_slice() {
        [only] => split_typed(only).unwrap_or_else(|| vec![only.clone()]),
        _ => texts,
    };
    typed.iter().filter_map(|text| resolve(directory, text, None, losses)).collect()
}

/// Several addresses in one text; `None` unless each of them is an Internet address.
fn split_typed(text: &str) -> Option<Vec<String>> {
    let mut parts = vec![String::new()];
    let mut quoted = false;
    for c in text.chars() {
        quoted ^= c == '"';
        match c {
            ',' | ';' if !quoted => parts.push(String::new()),
            _ => parts.last_mut()?.push(c),
        }
    }
    parts.retain(|part| !part.trim().is_empty());
    let internet = |part: &String| matches!(classify(part), AddressKind::Internet { .. });
    parts.iter().all(internet).then_some(parts)
}

/// Whether two stored addresses name the same person.
pub fn same(one: &str, other: &str) -> bool {
    address_key(one) == address_key(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_placeholder_is_a_valid_address_for_every_name() {
        assert_eq!(local_part("Jane Doe/Sales/Acme"), "jane.doe.sales.acme");
        assert_eq!(local_part(&"x".repeat(100)).len(), LOCAL_PART_BYTES);
        assert_eq!(local_part("\u{5C71}\u{7530}"), local_part("\u{5C71}\u{7530}"));
        assert!(local_part("\u{5C71}\u{7530}").starts_with("name-"));
    }

    #[test]
    fn typed_addresses_are_split_only_if_all_are_addresses() {
        let split = split_typed("a@example.com, \"B, C\" <b@example.com>").unwrap();
        assert_eq!(split.len(), 2);
        assert_eq!(split_typed("Doe, Jane"), None);
    }
}
