//! Stored forms of item values, the inverse of `value`: written by `forge` and by sources that get values as text.
//!
//! Each function gives the value without a type word. Counts and lengths are 16-bit words: a list longer than that is
//! cut, because no Notes item can hold it.

use super::ids::Unid;
use super::lmbcs;
use super::timedate::Timedate;

fn count(entries: usize) -> [u8; 2] {
    u16::try_from(entries).unwrap_or(u16::MAX).to_le_bytes()
}

/// A count, the lengths, the texts. A text that is too long for its length ends early.
pub fn text_list<S: AsRef<str>>(texts: &[S]) -> Vec<u8> {
    const MOST: usize = u16::MAX as usize;
    let mut value = count(texts.len()).to_vec();
    let mut joined = Vec::new();
    for text in texts.iter().take(MOST) {
        let mut stored = lmbcs::encode(text.as_ref());
        stored.truncate(MOST);
        value.extend_from_slice(&count(stored.len()));
        joined.append(&mut stored);
    }
    value.append(&mut joined);
    value
}

/// Counts of singles and pairs, then the singles, then the pairs.
fn range<const N: usize>(singles: &[[u8; N]], pairs: &[[[u8; N]; 2]]) -> Vec<u8> {
    const MOST: usize = u16::MAX as usize;
    let mut value = [count(singles.len()), count(pairs.len())].concat();
    singles.iter().take(MOST).for_each(|single| value.extend_from_slice(single));
    pairs.iter().take(MOST).flatten().for_each(|half| value.extend_from_slice(half));
    value
}

/// The value of a time list.
pub fn times(singles: &[Timedate], pairs: &[[Timedate; 2]]) -> Vec<u8> {
    let singles: Vec<_> = singles.iter().map(|time| time.to_stored()).collect();
    let pairs: Vec<_> = pairs.iter().map(|pair| pair.map(Timedate::to_stored)).collect();
    range(&singles, &pairs)
}

/// The value of a number list.
pub fn numbers(singles: &[f64], pairs: &[[f64; 2]]) -> Vec<u8> {
    let singles: Vec<_> = singles.iter().map(|number| number.to_le_bytes()).collect();
    let pairs: Vec<_> = pairs.iter().map(|pair| pair.map(f64::to_le_bytes)).collect();
    range(&singles, &pairs)
}

/// References to other notes, as in `$REF`.
pub fn note_refs(unids: &[Unid]) -> Vec<u8> {
    let mut value = count(unids.len()).to_vec();
    unids.iter().for_each(|unid| value.extend_from_slice(&unid.to_stored()));
    value
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notes::item::ItemType;
    use crate::notes::value::{Numbers, Times, Value};

    #[test]
    fn lists_read_back() {
        let stored = text_list(&["a", "b\u{E9}c"]);
        let Ok(Value::TextList(texts)) = Value::decode(ItemType::TEXT_LIST, &stored) else { panic!() };
        assert_eq!(texts.iter().map(|text| text.text.as_str()).collect::<Vec<_>>(), ["a", "b\u{E9}c"]);
        let (one, two) = (Timedate([1, 2]), Timedate([3, 4]));
        let stored = times(&[one], &[[one, two]]);
        let expected = Times { singles: vec![one], pairs: vec![[one, two]] };
        assert_eq!(Value::decode(ItemType::TIME_RANGE, &stored), Ok(Value::Times(expected)));
        let stored = numbers(&[1.5], &[[2.0, 3.0]]);
        let expected = Numbers { singles: vec![1.5], pairs: vec![[2.0, 3.0]] };
        assert_eq!(Value::decode(ItemType::NUMBER_RANGE, &stored), Ok(Value::Numbers(expected)));
        let stored = note_refs(&[Unid([7; 16])]);
        assert_eq!(Value::decode(ItemType::NOTEREF_LIST, &stored), Ok(Value::NoteRefs(vec![Unid([7; 16])])));
    }

    #[test]
    fn a_list_that_no_item_can_hold_is_cut() {
        let stored = text_list(&vec![""; 70_000]);
        let Ok(Value::TextList(texts)) = Value::decode(ItemType::TEXT_LIST, &stored) else { panic!() };
        assert_eq!(texts.len(), 65_535);
        let stored = text_list(&["x".repeat(70_000)]);
        let Ok(Value::TextList(texts)) = Value::decode(ItemType::TEXT_LIST, &stored) else { panic!() };
        assert_eq!(texts[0].text.len(), 65_535);
    }
}
