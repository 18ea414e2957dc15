//! The walk over rich-text records: signature, length, data; nothing is interpreted here.
//!
//! Read by conversion, by `inspect` and by the counts that are compared with the corpus; written by `forge` and by
//! sources that get rich text in another form.

/// How the length of a record is stored. The form is part of a record's identity: 85W is text, 86B and 86W differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LengthForm {
    /// In the high byte of the first word.
    Byte,
    /// In the word after it (high byte FF).
    Word,
    /// In the two words after it (high byte 00).
    Long,
}

/// The identity of a record: its signature byte and its length form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Signature(pub u8, pub LengthForm);

impl std::fmt::Display for Signature {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let form = match self.1 {
            LengthForm::Byte => 'B',
            LengthForm::Word => 'W',
            LengthForm::Long => 'L',
        };
        write!(f, "{:02X}{form}", self.0)
    }
}

/// One record without its header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record<'a> {
    pub signature: Signature,
    pub data: &'a [u8],
}

impl Record<'_> {
    /// The most bytes that a record with the length in one word can hold.
    pub const WORD_DATA_BYTES: usize = u16::MAX as usize - 4;

    /// Appends the record as stored, padded to an even length. What exceeds the length form of the signature is cut.
    pub fn write(&self, value: &mut Vec<u8>) {
        let Signature(id, form) = self.signature;
        let most = match form {
            LengthForm::Byte => 0xFE - 2,
            LengthForm::Word => Self::WORD_DATA_BYTES,
            LengthForm::Long => u32::MAX as usize - 6,
        };
        let data = &self.data[..self.data.len().min(most)];
        value.push(id);
        match form {
            LengthForm::Byte => value.push(data.len() as u8 + 2),
            LengthForm::Word => {
                value.push(0xFF);
                value.extend_from_slice(&(data.len() as u16 + 4).to_le_bytes());
            }
            LengthForm::Long => {
                value.push(0);
                value.extend_from_slice(&(data.len() as u32 + 6).to_le_bytes());
            }
        }
        value.extend_from_slice(data);
        if !data.len().is_multiple_of(2) {
            value.push(0);
        }
    }
}

/// Walks the records of one COMPOSITE value. Stops at the first record whose length is impossible; then
/// [`Records::damaged`] is true and what was read so far stands.
pub struct Records<'a> {
    value: &'a [u8],
    at: usize,
    damaged: bool,
}

impl<'a> Records<'a> {
    pub fn new(value: &'a [u8]) -> Self {
        Self { value, at: 0, damaged: false }
    }

    /// Whether the walk ended before the end of the value.
    pub fn damaged(&self) -> bool {
        self.damaged
    }

    fn header(&self) -> Option<(Signature, usize, usize)> {
        let rest = self.value.get(self.at..)?;
        let [signature, high, ..] = *rest else { return None };
        let word = |at: usize| Some(usize::from(u16::from_le_bytes([*rest.get(at)?, *rest.get(at + 1)?])));
        let (form, head, length) = match high {
            0xFF => (LengthForm::Word, 4, word(2)?),
            0x00 => (LengthForm::Long, 6, word(2)? | word(4)? << 16),
            length => (LengthForm::Byte, 2, usize::from(length)),
        };
        (length >= head && length <= rest.len()).then_some((Signature(signature, form), head, length))
    }
}

impl<'a> Iterator for Records<'a> {
    type Item = Record<'a>;

    fn next(&mut self) -> Option<Record<'a>> {
        // A single byte at the end is the padding of an odd last record.
        if self.damaged || self.at + 1 >= self.value.len() {
            return None;
        }
        let Some((signature, head, length)) = self.header() else {
            self.damaged = true;
            return None;
        };
        let data = &self.value[self.at + head..self.at + length];
        self.at += length + (length & 1);
        Some(Record { signature, data })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_length_forms_and_padding() {
        let value = [0x81, 2, 0x85, 0xFF, 5, 0, b'x', 0, 0x99, 0, 8, 0, 0, 0, 1, 2];
        let records: Vec<_> =
            Records::new(&value).map(|r| (r.signature.to_string(), r.data.to_vec())).collect();
        let expected = [("81B", vec![]), ("85W", vec![b'x']), ("99L", vec![1, 2])];
        assert_eq!(records, expected.map(|(name, data)| (name.to_owned(), data)));
    }

    #[test]
    fn what_is_written_is_walked() {
        let data = vec![7; 70_000];
        for (form, kept) in [(LengthForm::Byte, 252), (LengthForm::Word, 65_531), (LengthForm::Long, 70_000)]
        {
            let mut value = Vec::new();
            let record = Record { signature: Signature(0x85, form), data: &data };
            record.write(&mut value);
            Record { data: &[1], ..record }.write(&mut value);
            let mut records = Records::new(&value);
            assert_eq!(records.next(), Some(Record { data: &data[..kept], ..record }));
            assert_eq!(records.next(), Some(Record { data: &[1], ..record }));
            assert!(records.next().is_none() && !records.damaged());
        }
    }

    #[test]
    fn an_impossible_length_ends_the_walk() {
        let value = [0x81, 2, 0x85, 0xFF, 200, 0, b'x', 0];
        let mut records = Records::new(&value);
        assert_eq!(records.by_ref().count(), 1);
        assert!(records.damaged());
    }
}
