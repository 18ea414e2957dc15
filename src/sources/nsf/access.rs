//! The access control list: an object of its own, which the header leads to.
//!
//! Its layout was found in 84 public databases (ODS 41 to 55) and is alike in all of them: a head, the log of changes,
//! names of roles, 16 chains of entries by name, and the entries, of which that of `-Default-` comes first and is in no
//! chain. Levels, flags and the rule which flag counts at which level are those of the vendor's C API (`acl.h`, the
//! reference of `ACL_FLAG_xxx`).

use super::database::Database;
use super::object::ObjectRecord;
use super::view::{Damage, View};
use crate::base::limits::ACCESS_LIST_BYTES;
use crate::notes::lmbcs;
use crate::sources::access::{self, AccessEntry};
use std::collections::BTreeSet;
use std::ops::RangeInclusive;

/// The bits of an entry's flags that tell more than its level: from which to which level a bit counts, whether the right
/// is there when the bit is set, and the right.
const RIGHTS: [(u16, RangeInclusive<u16>, bool, &str); 5] = [
    (0x0001, 3..=3, false, access::CREATES),
    (0x0004, 3..=6, false, access::DELETES),
    (0x0200, 0..=1, true, access::READS_PUBLIC),
    (0x0400, 0..=3, true, access::WRITES_PUBLIC),
    (0x1000, 2..=6, true, access::NEVER_COPIES),
];

/// Privileges and roles that an entry may have, one bit each.
const ROLES: usize = 80;
/// The first are privileges of Notes 3, which formulas name in parentheses; roles stand in brackets.
const PRIVILEGES: usize = 5;
const ROLE_NAME_BYTES: usize = 16;

/// Who has which access to the database, `-Default-` first and the others as they are stored.
///
/// # Errors
/// [`Damage`] if there is a list and it cannot be read as a whole.
pub fn read(database: &Database) -> Result<Vec<AccessEntry>, Damage> {
    match database.header().access_list() {
        Some(id) => parse(&ObjectRecord::find(database, id)?.read(database, ACCESS_LIST_BYTES)?),
        None => Ok(Vec::new()),
    }
}

fn parse(bytes: &[u8]) -> Result<Vec<AccessEntry>, Damage> {
    let view = View::new(bytes, "access control list");
    view.expect_signature(*b"CA")?;
    let roles = roles(&view)?;
    let places = places(&view)?;
    let count = usize::from(view.u16(6)?);
    if places.len() != count {
        let found = places.len();
        return Err(Damage(format!("the access control list has {found} entries and says {count}")));
    }
    places.into_iter().map(|at| entry(&view, at, &roles)).collect()
}

/// The names of privileges and roles by their bits; empty where there is none.
fn roles(view: &View<'_>) -> Result<Vec<String>, Damage> {
    let (count, start) = (usize::from(view.u16(12)?).min(ROLES), usize::from(view.u16(14)?));
    let name = |bit| {
        let bytes = view.slice(start + ROLE_NAME_BYTES * bit, ROLE_NAME_BYTES)?;
        let name = lmbcs::decode(bytes.split(|byte| *byte == 0).next().unwrap_or_default()).text;
        Ok(match (name.is_empty(), bit < PRIVILEGES) {
            (true, _) => name,
            (false, true) => format!("({name})"),
            (false, false) => format!("[{name}]"),
        })
    };
    (0..count).map(name).collect()
}

/// Where the entries are, ascending: the first, and those that the chains lead to.
fn places(view: &View<'_>) -> Result<BTreeSet<usize>, Damage> {
    let (chains, table) = (usize::from(view.u16(16)?), usize::from(view.u16(18)?));
    let mut places = BTreeSet::from([usize::from(view.u16(20)?)]);
    for chain in 0..chains {
        let mut next = view.u16(table + 2 * chain)?;
        // A place that is known already ends a chain that leads back into itself.
        while next != 0 && places.insert(usize::from(next)) {
            next = view.u16(usize::from(next))?;
        }
    }
    Ok(places)
}

fn entry(view: &View<'_>, at: usize, roles: &[String]) -> Result<AccessEntry, Damage> {
    if view.array(at + 2)? != *b"EA" {
        return Err(Damage(format!("the access control list has no entry at {at}, where one should be")));
    }
    let level = view.u16(at + 4)?;
    let bits: [u8; ROLES / 8] = view.array(at + 6)?;
    let flags = view.u16(at + 16)?;
    let name = view.slice(at + 20, usize::from(view.u16(at + 18)?))?;
    let has = |(bit, _): &(usize, &String)| bits[bit / 8] >> (bit % 8) & 1 == 1;
    let counts = |(bit, levels, when_set, _): &&(u16, RangeInclusive<u16>, bool, &str)| {
        levels.contains(&level) && (flags & bit != 0) == *when_set
    };
    Ok(AccessEntry {
        name: lmbcs::decode(name).text,
        level: access::LEVELS
            .get(usize::from(level))
            .map_or_else(|| format!("level {level}"), |&words| words.to_owned()),
        rights: RIGHTS.iter().filter(counts).map(|(.., right)| *right).collect(),
        roles: roles
            .iter()
            .enumerate()
            .filter(has)
            .map(|(_, name)| name.clone())
            .filter(|name| !name.is_empty())
            .collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A list with one chain that begins at `chain`, and entries of 22 bytes from 24 on with what follows each of them.
    fn list(count: u8, chain: u8, next: &[u8]) -> Vec<u8> {
        let mut bytes = b"CA\x02\0\0\0".to_vec();
        bytes.extend([count, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 22, 0, 24, 0, chain, 0]);
        for (next, name) in next.iter().zip(b'a'..) {
            bytes.extend([*next, 0, b'E', b'A', 6, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, name, 0]);
        }
        bytes
    }

    #[test]
    fn every_entry_is_read_once() {
        for last in [0, 46, 68, 24] {
            let entries = parse(&list(3, 46, &[0, 68, last])).unwrap();
            assert_eq!(entries.iter().map(|entry| entry.name.as_str()).collect::<Vec<_>>(), ["a", "b", "c"]);
        }
    }

    #[test]
    fn a_damaged_list_is_refused_with_the_reason() {
        let why = |bytes: &[u8]| parse(bytes).unwrap_err().0;
        assert!(why(&list(4, 46, &[0, 68, 46])).contains("has 3 entries and says 4"));
        let mut whole = list(2, 46, &[0, 0]);
        for length in 0..whole.len() - 1 {
            assert!(why(&whole[..length]).contains("is cut"), "{length}");
        }
        whole[48] = b'X';
        assert!(why(&whole).contains("no entry at 46"));
    }
}
