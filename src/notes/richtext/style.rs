//! Paragraph styles of rich text: definitions that paragraphs refer to by number.

use crate::notes::bytes::Bytes;
use crate::notes::value::ValueError;

/// A paragraph style (`CDPABDEFINITION`).
///
/// # Source
/// Notes C API reference, `CDPABDEFINITION`, `PABFLAG_xxx`, `PABFLAG2_xxx`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StyleDefinition {
    pub id: u16,
    /// 0 left, 1 right, 2 full, 3 centred, 4 none.
    pub justify: u16,
    /// 0 none, 1 one and a half lines, 2 two lines.
    pub space_before: u16,
    pub space_after: u16,
    /// In twips from the edge of the paper; a style without indent has 1440.
    pub left_margin: u16,
    /// The same for the first line.
    pub first_line_margin: u16,
    pub flags: u16,
    pub flags2: u16,
    /// The left margin in percent of the window; counts where [`Self::LEFT_IN_PERCENT2`] is set.
    pub left_percent: u16,
}

impl StyleDefinition {
    pub const HIDE_READING: u16 = 0x0010;
    pub const BULLET: u16 = 0x0400;
    pub const HIDE_FORMULA: u16 = 0x0800;
    pub const NUMBERED: u16 = 0x1000;
    pub const HIDE_NOTES: u16 = 0x8000;
    pub const CHECKED2: u16 = 0x0002;
    pub const LEFT_IN_PERCENT2: u16 = 0x0008;
    /// The left margin is that of the place: the window or the cell of a table.
    pub const LEFT_BY_DEFAULT2: u16 = 0x0100;
    pub const CIRCLE2: u16 = 0x0800;
    pub const SQUARE2: u16 = 0x1000;
    pub const UNCHECKED2: u16 = 0x2000;
    pub const RIGHT_TO_LEFT2: u16 = 0x4000;
    /// The bits that tell the mark of a list. Numbers in letters and Roman numbers are told by two or three of them.
    pub const LIST_MASK2: u16 = Self::CHECKED2 | Self::CIRCLE2 | Self::SQUARE2 | Self::UNCHECKED2;
    pub const ROMAN_UPPER2: u16 = Self::CHECKED2 | Self::CIRCLE2;
    pub const ROMAN_LOWER2: u16 = Self::CHECKED2 | Self::SQUARE2;
    pub const ALPHA_UPPER2: u16 = Self::SQUARE2 | Self::CIRCLE2;
    pub const ALPHA_LOWER2: u16 = Self::CHECKED2 | Self::SQUARE2 | Self::CIRCLE2;

    pub(super) fn decode(bytes: &mut Bytes<'_>) -> Result<Self, ValueError> {
        let (id, justify) = (bytes.u16()?, bytes.u16()?);
        bytes.u16()?; // Space between lines.
        let (space_before, space_after, left_margin) = (bytes.u16()?, bytes.u16()?, bytes.u16()?);
        bytes.u16()?; // Right margin.
        let first_line_margin = bytes.u16()?;
        bytes.take(2 + 40)?; // Tab count, twenty tabs.
        let flags = bytes.u16()?;
        bytes.u32()?; // Tab types.
        // Written by Release 4 and later; the six words of margins by Release 5 and later.
        let flags2 = bytes.u16().unwrap_or(0);
        let left_percent = bytes.u16().and_then(|_| bytes.u16()).unwrap_or(0);
        Ok(Self {
            id,
            justify,
            space_before,
            space_after,
            left_margin,
            first_line_margin,
            flags,
            flags2,
            left_percent,
        })
    }
}
