//! Many UIDs as few commands: sets as RFC 3501 section 9 writes them, each short enough for one line.

use crate::base::limits::{COMMAND_SET_BYTES, FETCH_MESSAGES};
use std::fmt::Write as _;

/// The sets that together name these UIDs and no others. Neighbours become ranges.
pub fn sets(mut uids: Vec<u32>) -> Vec<String> {
    uids.sort_unstable();
    uids.dedup();
    let mut sets: Vec<String> = Vec::new();
    let mut named = FETCH_MESSAGES as usize;
    for range in uids.chunk_by(|first, second| first + 1 == *second) {
        for range in range.chunks(FETCH_MESSAGES as usize) {
            let (first, last) = (range[0], range[range.len() - 1]);
            named += range.len();
            match sets.last_mut() {
                Some(set) if named <= FETCH_MESSAGES as usize && set.len() < COMMAND_SET_BYTES => {
                    set.push(',')
                }
                _ => {
                    named = range.len();
                    sets.push(String::new());
                }
            }
            if let Some(set) = sets.last_mut() {
                // Writing to a string cannot fail.
                let _ = if first == last { write!(set, "{first}") } else { write!(set, "{first}:{last}") };
            }
        }
    }
    sets
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_are_ranges_and_gaps_stay_out() {
        assert_eq!(sets(vec![9, 2, 1, 3, 5, 3]), ["1:3,5,9"]);
        assert_eq!(sets(Vec::new()), Vec::<String>::new());
        assert_eq!(sets(vec![u32::MAX, u32::MAX - 1]), ["4294967294:4294967295"]);
    }

    #[test]
    fn a_set_names_no_more_than_one_command_asks_about() {
        assert_eq!(sets((1..=4_500).collect()), ["1:2000", "2001:4000", "4001:4500"]);
        let scattered: Vec<u32> = (0..3_000).map(|number| 1_000_000_000 + number * 2).collect();
        let sets = sets(scattered.clone());
        assert!(sets.iter().all(|set| set.len() < COMMAND_SET_BYTES + 22), "{sets:?}");
        let named: Vec<u32> =
            sets.iter().flat_map(|set| set.split(',')).map(|uid| uid.parse().unwrap()).collect();
        assert_eq!(named, scattered);
    }
}
