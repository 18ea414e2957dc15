//! The access control list of an export: who may do what with the database.

use super::xml::{Element, Xml, XmlError};
use crate::base::limits::ACCESS_ENTRIES;
use crate::sources::access::{self, AccessEntry};

/// Attributes of an entry that give or take a right.
const RIGHTS: [(&str, &str); 5] = [
    ("createdocuments", access::CREATES),
    ("deletedocs", access::DELETES),
    ("readpublicdocs", access::READS_PUBLIC),
    ("writepublicdocs", access::WRITES_PUBLIC),
    ("noreplicate", access::NEVER_COPIES),
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
    // DXL writes `noaccess` for what Notes shows as `No Access`.
    let level = access::LEVELS.iter().find(|words| words.to_lowercase().replace(' ', "") == stored);
    let rights = RIGHTS.iter().filter(|(name, _)| element.is(name)).map(|(_, words)| *words).collect();
    let name = element.attribute("name").unwrap_or_default().to_owned();
    let mut entry =
        AccessEntry { name, level: (*level.unwrap_or(&stored)).to_owned(), rights, roles: Vec::new() };
    while let Some(child) = xml.child()? {
        if child.name == "role" && entry.roles.len() < ACCESS_ENTRIES {
            entry.roles.push(xml.text()?);
        } else {
            xml.skip()?;
        }
    }
    Ok(entry)
}
