//! Bitmaps of old releases: one record tells their size, others hold compressed lines, colours and patterns.
//!
//! Read by conversion, which shows them as PNG; written by `forge`.

use crate::base::limits::BITMAP_PIXELS;
use crate::notes::bytes::Bytes;
use crate::notes::value::ValueError;

/// A bitmap whose records are being gathered.
///
/// # Source
/// Notes C API reference, `CDBITMAPHEADER` and `CDBITMAPSEGMENT`. It does not tell how patterns are named in the
/// lines; that was read off 22 bitmaps of public databases, all of which decode to the last pixel.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bitmap {
    /// In pixels.
    pub width: u16,
    pub height: u16,
    /// 1, 8 (with a table of colours) or 16 (five bits each of red, green and blue).
    pub bits_per_pixel: u16,
    /// Compressed lines.
    pub lines: Vec<u8>,
    /// Red, green and blue of each colour.
    pub colors: Vec<u8>,
    pub patterns: Vec<u8>,
}

impl Bitmap {
    /// Bytes of a pattern, whatever the depth; those behind its eight pixels mean nothing.
    const PATTERN_BYTES: usize = 24;
    const PATTERN_PIXELS: usize = 8;

    pub(super) fn decode(bytes: &mut Bytes<'_>) -> Result<Self, ValueError> {
        bytes.take(4 + 4 + 2 + 2 + 4)?; // Shown size, cropped size, flags, reserved.
        let (width, height, bits_per_pixel) = (bytes.u16()?, bytes.u16()?, bytes.u16()?);
        Ok(Self { width, height, bits_per_pixel, ..Self::default() })
    }

    pub fn pixel_count(&self) -> usize {
        usize::from(self.width) * usize::from(self.height)
    }

    /// Bytes that lines repeat or hold: eight pixels of a monochrome bitmap, or one pixel.
    fn unit_bytes(&self) -> usize {
        if self.bits_per_pixel == 16 { 2 } else { 1 }
    }

    fn line_bytes(&self) -> usize {
        match self.bits_per_pixel {
            1 => usize::from(self.width).div_ceil(8),
            _ => usize::from(self.width) * self.unit_bytes(),
        }
    }

    /// The lines as they would be stored without compression, and whether all of them are there. What is missing is
    /// zero. `None` for a depth that does not exist and for a bitmap that is too large ([`BITMAP_PIXELS`]).
    pub fn pixels(&self) -> Option<(Vec<u8>, bool)> {
        if !matches!(self.bits_per_pixel, 1 | 8 | 16) || !(1..=BITMAP_PIXELS).contains(&self.pixel_count()) {
            return None;
        }
        let line_bytes = self.line_bytes();
        let mut pixels = Vec::with_capacity(line_bytes * usize::from(self.height));
        let mut rest = &self.lines[..];
        for line in 1..=usize::from(self.height) {
            while pixels.len() < line * line_bytes && !rest.is_empty() {
                let Some(after) = self.run(rest, &mut pixels) else {
                    rest = &[];
                    break;
                };
                rest = after;
            }
            // A run never goes on in the next line.
            if pixels.len() != line * line_bytes {
                pixels.resize(line_bytes * usize::from(self.height), 0);
                return Some((pixels, false));
            }
        }
        Some((pixels, true))
    }

    /// Expands the run that `lines` begins with and gives what follows it.
    fn run<'a>(&self, lines: &'a [u8], pixels: &mut Vec<u8>) -> Option<&'a [u8]> {
        let (&first, rest) = lines.split_first()?;
        let count = usize::from(first & 0x3F);
        match first >> 6 {
            0b11 => {
                let (unit, after) = rest.split_at_checked(self.unit_bytes())?;
                (0..count).for_each(|_| pixels.extend_from_slice(unit));
                Some(after)
            }
            0b00 => {
                let (units, after) = rest.split_at_checked(count * self.unit_bytes())?;
                pixels.extend_from_slice(units);
                Some(after)
            }
            // The six bits are zero in all of those bitmaps.
            0b01 if count == 0 => {
                let ([count, index], after) = rest.split_first_chunk::<2>()?;
                let pattern = self.patterns.chunks(Self::PATTERN_BYTES).nth(usize::from(*index))?;
                let pattern = pattern.get(..Self::PATTERN_PIXELS * self.unit_bytes())?;
                (0..*count).for_each(|_| pixels.extend_from_slice(pattern));
                Some(after)
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_kinds_of_runs() {
        let mut patterns = vec![7; 8];
        patterns.resize(24, 0xFF);
        let lines = vec![0xC3, 1, 0x02, 2, 3, 0x40, 1, 0, 0xC0 + 13, 9];
        let bitmap = Bitmap { width: 13, height: 2, bits_per_pixel: 8, lines, patterns, ..Bitmap::default() };
        let (pixels, whole) = bitmap.pixels().unwrap();
        assert!(whole);
        assert_eq!(pixels[..13], [1, 1, 1, 2, 3, 7, 7, 7, 7, 7, 7, 7, 7]);
        assert_eq!(pixels[13..], [9; 13]);
    }

    #[test]
    fn what_is_missing_or_wrong_is_zero() {
        let bitmap = |lines: &[u8]| Bitmap {
            width: 4,
            height: 2,
            bits_per_pixel: 8,
            lines: lines.to_vec(),
            ..Bitmap::default()
        };
        for lines in [&[0xC4, 5][..], &[0xC4, 5, 0x80], &[0xC4, 5, 0x40, 1, 0], &[0xC4, 5, 0xC1], &[0xC5, 5]]
        {
            let (pixels, whole) = bitmap(lines).pixels().unwrap();
            assert_eq!((pixels.len(), whole, pixels[0], pixels[7]), (8, false, 5, 0), "{lines:?}");
        }
        assert_eq!(Bitmap { bits_per_pixel: 4, ..bitmap(&[]) }.pixels(), None);
    }

    #[test]
    fn monochrome_and_sixteen_bits() {
        let mono =
            Bitmap { width: 9, height: 1, bits_per_pixel: 1, lines: vec![0xC2, 0xAA], ..Bitmap::default() };
        assert_eq!(mono.pixels(), Some((vec![0xAA, 0xAA], true)));
        let deep = Bitmap { width: 2, bits_per_pixel: 16, lines: vec![0xC2, 1, 2], ..mono };
        assert_eq!(deep.pixels(), Some((vec![1, 2, 1, 2], true)));
    }
}
