//! The ID table: a compressed set of note ids (folder contents, unread marks, live documents).

use super::bytes::Bytes;
use super::ids::NoteId;
use super::timedate::Timedate;
use super::value::ValueError;

/// A decoded ID table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IdTable {
    /// Ascending in every sample, but not relied on.
    pub ids: Vec<NoteId>,
    /// The set is everything except these ids.
    pub inverted: bool,
    pub changed: Timedate,
}

impl IdTable {
    const FLAG_INVERTED: u16 = 2;
    const HEAD_BYTES: usize = 18;

    /// Decodes a stored table. Note ids step by four, so a run is a count and a first id.
    ///
    /// # Errors
    /// [`ValueError`] if the head or a run is cut. The ids are bounded by the runs that are really there
    /// (at most 256 ids for five bytes).
    pub fn decode(stored: &[u8]) -> Result<Self, ValueError> {
        let mut bytes = Bytes::new(stored, "id table");
        bytes.u32()?;
        bytes.u16()?; // The id count; above 65,535 ids it cannot hold it, so the runs decide.
        let runs = bytes.u16()?;
        let flags = bytes.u16()?;
        let changed = bytes.timedate()?;
        let mut ids = Vec::new();
        // A table of more than 65,535 runs cannot say so in its head either: then read to the end.
        let runs = if runs == u16::MAX { bytes.rest().len() / 5 } else { usize::from(runs) };
        for _ in 0..runs {
            let count = u32::from(bytes.u8()?) + 1;
            let first = bytes.u32()?;
            ids.extend((0..count).map(|k| NoteId(first.wrapping_add(4 * k))));
        }
        Ok(Self { ids, inverted: flags & Self::FLAG_INVERTED != 0, changed })
    }

    /// The stored form of a set of ascending ids.
    pub fn encode(ids: &[NoteId], changed: Timedate) -> Vec<u8> {
        let mut runs: Vec<(u8, u32)> = Vec::new();
        for id in ids {
            match runs.last_mut() {
                Some((extra, first))
                    if *extra < 255 && first.wrapping_add(4 * (u32::from(*extra) + 1)) == id.0 =>
                {
                    *extra += 1;
                }
                _ => runs.push((0, id.0)),
            }
        }
        let mut stored = Vec::with_capacity(Self::HEAD_BYTES + runs.len() * 5);
        stored.extend_from_slice(&4u32.to_le_bytes());
        stored.extend_from_slice(&(ids.len().min(0xFFFF) as u16).to_le_bytes());
        stored.extend_from_slice(&(runs.len().min(0xFFFF) as u16).to_le_bytes());
        stored.extend_from_slice(&0u16.to_le_bytes());
        stored.extend_from_slice(&changed.to_stored());
        for (extra, first) in runs {
            stored.push(extra);
            stored.extend_from_slice(&first.to_le_bytes());
        }
        stored
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_come_back_as_ids() {
        let ids: Vec<NoteId> = (0..300).map(|k| NoteId(0x8F6 + 4 * k)).chain([NoteId(0x2000)]).collect();
        let stored = IdTable::encode(&ids, Timedate([7, 8]));
        let table = IdTable::decode(&stored).unwrap();
        assert_eq!((table.ids, table.inverted, table.changed), (ids, false, Timedate([7, 8])));
        assert_eq!(stored.len(), 18 + 3 * 5);
    }

    // Found by fuzzing: the end of the first run went beyond 32 bits.
    #[test]
    fn damaged_ids_at_the_end_of_their_range_come_back() {
        let ids = vec![NoteId(u32::MAX), NoteId(0), NoteId(u32::MAX - 3), NoteId(0)];
        let stored = IdTable::encode(&ids, Timedate::default());
        assert_eq!(IdTable::decode(&stored).map(|table| table.ids), Ok(ids));
    }

    #[test]
    fn a_cut_table_is_an_error() {
        let stored = IdTable::encode(&[NoteId(4), NoteId(100)], Timedate::default());
        assert!(IdTable::decode(&stored[..stored.len() - 1]).is_err());
    }
}
