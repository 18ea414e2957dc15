//! Identities of the Notes world: note id, UNID and replica id.
//!
//! Made by readers of databases and by `forge`; read by everyone. All three print the way the Notes client
//! and the Domino console print them, so that an administrator can compare by eye.

use std::fmt;
use std::str::FromStr;

/// The place of a note inside one database file. It differs between replicas; [`Unid`] does not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NoteId(pub u32);

impl fmt::Display for NoteId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08X}", self.0)
    }
}

/// The universal id of a note: the same in every replica, 16 bytes in the order in which they are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Unid(pub [u8; 16]);

impl Unid {
    /// From the 16 stored bytes: four little-endian words, printed in the order second, first, fourth, third.
    ///
    /// # Source
    /// Checked against `ApptUNID` texts, `$REF` and `$TUA` of public databases.
    pub fn from_stored(stored: [u8; 16]) -> Self {
        let mut text_order = [0; 16];
        for (word, at) in [4, 0, 12, 8].into_iter().enumerate() {
            for byte in 0..4 {
                text_order[word * 4 + byte] = stored[at + 3 - byte];
            }
        }
        Self(text_order)
    }

    /// The inverse of [`Unid::from_stored`].
    pub fn to_stored(self) -> [u8; 16] {
        // The permutation is its own inverse: it swaps neighbouring words and turns each word round.
        Self::from_stored(self.0).0
    }
}

impl fmt::Display for Unid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02X}"))
    }
}

/// A text that is not an id of the kind asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not {expected}")]
pub struct IdError {
    text: String,
    expected: &'static str,
}

impl FromStr for Unid {
    type Err = IdError;

    /// Reads 32 hexadecimal digits; the `OF..:..-ON..:..` notation of the Notes client is accepted too.
    fn from_str(text: &str) -> Result<Self, IdError> {
        let error = || IdError { text: text.to_owned(), expected: "a UNID (32 hexadecimal digits)" };
        let digits: String = text.replace("OF", "").replace("ON", "").replace([':', '-', '.'], "");
        if digits.len() != 32 || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(error());
        }
        let value = u128::from_str_radix(&digits, 16).map_err(|_| error())?;
        Ok(Self(value.to_be_bytes()))
    }
}

/// The id that all replicas of one database share.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReplicaId(pub u64);

impl ReplicaId {
    /// From the two stored words of the TIMEDATE that serves as replica id.
    pub fn from_innards(innards: [u32; 2]) -> Self {
        Self((u64::from(innards[1]) << 32) | u64::from(innards[0]))
    }

    /// The inverse of [`ReplicaId::from_innards`].
    pub fn innards(self) -> [u32; 2] {
        [self.0 as u32, (self.0 >> 32) as u32]
    }
}

impl fmt::Display for ReplicaId {
    /// Sixteen digits without the colon that the Notes client puts in the middle.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016X}", self.0)
    }
}

impl FromStr for ReplicaId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let error = || IdError { text: text.to_owned(), expected: "a replica id (16 hexadecimal digits)" };
        let digits = text.replace(':', "");
        if digits.len() != 16 || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(error());
        }
        u64::from_str_radix(&digits, 16).map(Self).map_err(|_| error())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unid_prints_its_words_second_first_fourth_third() {
        let stored =
            [0x64, 0x06, 0x79, 0x01, 0x46, 0x55, 0x22, 0x85, 0xAA, 0x18, 0x9D, 0x03, 0x4E, 0x55, 0x22, 0x85];
        let unid = Unid::from_stored(stored);
        assert_eq!(unid.to_string(), "8522554601790664".to_owned() + "8522554E039D18AA");
        assert_eq!(unid.to_stored(), stored);
        assert_eq!(unid.to_string().parse(), Ok(unid));
    }

    #[test]
    fn unid_reads_the_notation_of_the_client() {
        let plain: Unid = "FBCA5097C1582837C125856E00548385".parse().unwrap();
        assert_eq!("OFFBCA5097:C1582837-ONC125856E:00548385".parse(), Ok(plain));
        assert!("FBCA5097".parse::<Unid>().is_err());
        assert!("+BCA5097C1582837C125856E00548385".parse::<Unid>().is_err());
    }

    #[test]
    fn replica_id_shows_the_second_word_first() {
        let id = ReplicaId::from_innards([0x003808BA, 0x65258919]);
        assert_eq!(id.to_string(), "65258919003808BA");
        assert_eq!("65258919:003808BA".parse(), Ok(id));
        assert_eq!(ReplicaId::from_innards(id.innards()), id);
    }
}
