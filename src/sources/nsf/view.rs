//! Little-endian fields at fixed offsets of a structure, each checked against the bytes that are there.

use crate::notes::timedate::Timedate;

/// A structure of the file that does not say what the format asks for, in words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Damage(pub String);

impl Damage {
    pub fn new(what: impl Into<String>) -> Self {
        Self(what.into())
    }
}

/// A structure in memory.
#[derive(Clone, Copy)]
pub struct View<'a> {
    bytes: &'a [u8],
    what: &'static str,
}

impl<'a> View<'a> {
    pub fn new(bytes: &'a [u8], what: &'static str) -> Self {
        Self { bytes, what }
    }

    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// `length` bytes from `at`.
    ///
    /// # Errors
    /// [`Damage`] if the structure ends before; so for all that follow.
    pub fn slice(&self, at: usize, length: usize) -> Result<&'a [u8], Damage> {
        at.checked_add(length).and_then(|end| self.bytes.get(at..end)).ok_or_else(|| {
            Damage(format!(
                "the {} is cut: it has {} bytes, {length} are needed at {at}",
                self.what,
                self.len()
            ))
        })
    }

    pub fn array<const N: usize>(&self, at: usize) -> Result<[u8; N], Damage> {
        let mut array = [0; N];
        array.copy_from_slice(self.slice(at, N)?);
        Ok(array)
    }

    pub fn u8(&self, at: usize) -> Result<u8, Damage> {
        Ok(self.array::<1>(at)?[0])
    }

    pub fn u16(&self, at: usize) -> Result<u16, Damage> {
        Ok(u16::from_le_bytes(self.array(at)?))
    }

    pub fn u32(&self, at: usize) -> Result<u32, Damage> {
        Ok(u32::from_le_bytes(self.array(at)?))
    }

    pub fn timedate(&self, at: usize) -> Result<Timedate, Damage> {
        Ok(Timedate::from_stored(self.array(at)?))
    }

    /// Fails unless the structure starts with these two bytes.
    ///
    /// # Errors
    /// [`Damage`] naming what was found instead.
    pub fn expect_signature(&self, signature: [u8; 2]) -> Result<(), Damage> {
        let found = self.array::<2>(0)?;
        if found == signature {
            return Ok(());
        }
        let [a, b] = found;
        Err(Damage(format!("no {} where one should be (found {a:02X} {b:02X})", self.what)))
    }
}

/// A file position as stored: in units of 256 bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FilePosition(pub u32);

impl FilePosition {
    pub fn bytes(self) -> u64 {
        u64::from(self.0) * 256
    }
}
