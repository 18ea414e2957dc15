//! Sector check nibbles: how a Notes database tells that a structure was written only in part.
//!
//! At fixed steps the low nibble of a byte gives way to a value that is new with every write and equal in all
//! sectors of the structure; the true nibbles are kept elsewhere in it.

/// Sectors are 512 bytes, whatever the disk.
pub(super) const SECTOR_BYTES: usize = 512;

/// Replaces the low nibble at `first` and then in every sector by `check`, and returns the true nibbles in order.
pub(super) fn protect(structure: &mut [u8], first: usize, check: u8) -> Vec<u8> {
    let protected = structure.iter_mut().skip(first).step_by(SECTOR_BYTES);
    protected
        .map(|byte| {
            let true_nibble = *byte & 0x0F;
            *byte = *byte & 0xF0 | check & 0x0F;
            true_nibble
        })
        .collect()
}

/// The saved form: two nibbles a byte, the earlier one high.
pub(super) fn pack(nibbles: &[u8]) -> Vec<u8> {
    nibbles.chunks(2).map(|pair| pair[0] << 4 | pair.get(1).copied().unwrap_or(0)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_sector_carries_the_check_and_the_truth_is_kept() {
        let mut structure: Vec<u8> = (0..2048).map(|k| (k / 7) as u8).collect();
        let before = structure.clone();
        let saved = protect(&mut structure, 0x42, 0xB);
        assert_eq!(saved, [0x42, 0x242, 0x442, 0x642].map(|at| before[at] & 15));
        for at in 0..structure.len() {
            let expected = if at % 512 == 0x42 { before[at] & 0xF0 | 0xB } else { before[at] };
            assert_eq!(structure[at], expected, "{at:#x}");
        }
    }

    #[test]
    fn nibbles_are_packed_with_the_earlier_one_high() {
        assert_eq!(pack(&[1, 2, 0xF]), [0x12, 0xF0]);
    }
}
