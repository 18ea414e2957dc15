//! A cursor over stored bytes that never reads past their end and never panics.

use super::timedate::Timedate;
use super::value::ValueError;

/// Little-endian reading with the name of the thing read, for the error.
pub struct Bytes<'a> {
    rest: &'a [u8],
    length: usize,
    what: &'static str,
}

impl<'a> Bytes<'a> {
    pub fn new(stored: &'a [u8], what: &'static str) -> Self {
        Self { rest: stored, length: stored.len(), what }
    }

    /// Fails unless `count` more bytes are there.
    ///
    /// # Errors
    /// [`ValueError`] with the size that was needed in all.
    pub fn need(&self, count: usize) -> Result<(), ValueError> {
        if count <= self.rest.len() {
            return Ok(());
        }
        let needed = self.length - self.rest.len() + count;
        Err(ValueError { what: self.what, needed, present: self.length })
    }

    /// The next `count` bytes.
    ///
    /// # Errors
    /// As [`Bytes::need`]; so for all that follow.
    pub fn take(&mut self, count: usize) -> Result<&'a [u8], ValueError> {
        self.need(count)?;
        let (taken, rest) = self.rest.split_at(count);
        self.rest = rest;
        Ok(taken)
    }

    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], ValueError> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    pub fn u8(&mut self) -> Result<u8, ValueError> {
        Ok(self.array::<1>()?[0])
    }

    pub fn u16(&mut self) -> Result<u16, ValueError> {
        Ok(u16::from_le_bytes(self.array()?))
    }

    pub fn u32(&mut self) -> Result<u32, ValueError> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    pub fn f64(&mut self) -> Result<f64, ValueError> {
        Ok(f64::from_le_bytes(self.array()?))
    }

    pub fn timedate(&mut self) -> Result<Timedate, ValueError> {
        Ok(Timedate::from_stored(self.array()?))
    }

    /// What has not been read yet.
    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }
}
