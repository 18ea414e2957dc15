//! The access control list of an export: who may do what with the database.

use super::xml::{Element, Xml, XmlError};
use crate::base::limits::ACCESS_ENTRIES;
use crate::sources::AccessEntry;

/// Levels as DXL writes them and as Notes shows them.
const LEVELS: [(&str, &str); 7] = [
    ("manager", "Manager"),
    ("designer", "Designer"),
    ("editor", "Editor"),
    ("author", "Author"),
    ("reader", "Reader"),
    ("depositor", "Depositor"),
    ("noaccess", "No Access"),
];

/// Attributes of an entry that give or take a right.
const RIGHTS: [(&str, &str); 5] = [
    ("createdocuments", "may create documents"),
    ("deletedocs", "may delete documents"),
    ("readpublicdocs", "may read public documents"),
    ("writepublicdocs", "may write public documents"),
    ("noreplicate", "may not replicate or copy documents"),
];

/// Reads the open element to its end.
///
/// # Errors
/// As [`Xml::next`].
pub fn read(xml: &mut Xml, entries: &mut Vec<AccessEntry>) -> Result<(), XmlError> {
    while let Some(child) = xml.child()? {
        if child.name == "aclentry" && entries.len() < ACCESS_ENTRIES {
            entries.push(entry(xml, &child)?);
        } else {
            xml.skip()?;
        }
    }
    Ok(())
}

fn entry(xml: &mut Xml, element: &Element) -> Result<AccessEntry, XmlError> {
    let stored = element.attribute("level").unwrap_or_default();
    let level = LEVELS.iter().find(|(known, _)| *known == stored).map_or(stored, |(_, words)| words);
    let rights = RIGHTS.iter().filter(|(name, _)| element.is(name)).map(|(_, words)| *words).collect();
    let name = element.attribute("name").unwrap_or_default().to_owned();
    let mut entry = AccessEntry { name, level: level.to_owned(), rights, roles: Vec::new() };
    while let Some(child) = xml.child()? {
        if child.name == "role" && entry.roles.len() < ACCESS_ENTRIES {
            entry.roles.push(xml.text()?);
        } else {
            xml.skip()?;
        }
    }
    Ok(entry)
}
