//! The access control list of a database, laid out as `sources::nsf::access` tells.

use super::fields::Fields;
use crate::notes::lmbcs;

/// A line of the list.
#[derive(Clone, Copy, Debug)]
pub struct Access<'a> {
    pub name: &'a str,
    /// From 0, no access, to 6, manager.
    pub level: u16,
    /// The bits of `ACL_FLAG_xxx`.
    pub flags: u16,
    /// Which of the list's roles it has, by their places.
    pub roles: &'a [usize],
}

const HEAD_BYTES: usize = 40;
/// Roles come after five privileges of Notes 3, which have no names here.
const PRIVILEGES: usize = 5;
/// Of a name with the NUL behind it.
const ROLE_NAME_BYTES: usize = 16;
const CHAINS: usize = 16;
const ENTRY_BYTES: usize = 20;

/// The data of the object; the first entry is that of `-Default-`. How names are hashed is not known, so the others hang
/// on the chains in turn.
pub(super) fn list(roles: &[&str], entries: &[Access<'_>]) -> Vec<u8> {
    let names_at = HEAD_BYTES;
    let chains_at = names_at + ROLE_NAME_BYTES * (PRIVILEGES + roles.len());
    let first = chains_at + 2 * CHAINS;
    let mut list = vec![0; first];
    list.put(0, b"CA\x02\0");
    for (place, value) in [
        (6, entries.len()),
        (12, PRIVILEGES + roles.len()),
        (14, names_at),
        (16, CHAINS),
        (18, chains_at),
        (20, first),
    ] {
        list.put_u16(place, value as u16);
    }
    for (role, name) in roles.iter().enumerate() {
        list.put(names_at + ROLE_NAME_BYTES * (PRIVILEGES + role), &lmbcs::encode(name));
    }
    for (number, access) in entries.iter().enumerate() {
        let at = list.len();
        if let Some(chained) = number.checked_sub(1) {
            let chain = chains_at + 2 * (chained % CHAINS);
            let next = [list[chain], list[chain + 1]];
            list.put_u16(chain, at as u16);
            list.extend(next);
        } else {
            list.extend([0; 2]);
        }
        list.extend(entry(access));
    }
    let bytes = list.len() as u16;
    list.put_u16(4, bytes);
    list
}

/// An entry after its place in a chain.
fn entry(access: &Access<'_>) -> Vec<u8> {
    let name = lmbcs::encode(access.name);
    let mut entry = vec![0; (ENTRY_BYTES - 2 + name.len() + 1).next_multiple_of(2)];
    entry.put(0, b"EA");
    entry.put_u16(2, access.level);
    for bit in access.roles.iter().map(|role| role + PRIVILEGES) {
        entry[4 + bit / 8] |= 1 << (bit % 8);
    }
    entry.put_u16(14, access.flags);
    entry.put_u16(16, name.len() as u16);
    entry.put(18, &name);
    entry
}
