//! Tables of rich text: what the records of a table and of its cells tell.

use crate::notes::bytes::Bytes;
use crate::notes::value::ValueError;

/// Where the text of a cell stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum VerticalPlace {
    #[default]
    Top,
    Middle,
    Bottom,
}

/// One cell of a table, with its place counted from 0 (seen in 40 tables of public databases).
///
/// # Source
/// Notes C API reference, `CDTABLECELL`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TableCell {
    pub row: u8,
    pub column: u8,
    pub row_span: u8,
    pub column_span: u8,
    /// Covered by the span of another cell.
    pub covered: bool,
    /// Its edges in twips from that of the paper.
    pub left: u16,
    pub right: u16,
    /// Its width where the table fits the window, in parts of [`Self::FULL_WIDTH`].
    pub share: u16,
    /// Whether there is a line left, right, at the top and at the bottom.
    pub borders: [bool; 4],
    pub vertical: VerticalPlace,
    /// A place in the palette for what is behind the text.
    pub background: Option<u16>,
}

impl TableCell {
    /// 20 inches in twips.
    pub const FULL_WIDTH: u16 = 28_800;
    const COVERED_FLAGS: u8 = 0x04 | 0x08;
    pub const FLAG_BACKGROUND: u8 = 0x01;
    /// The borders are in the second field of borders, which came with Release 4.2.
    pub const FLAG_WIDE_BORDERS: u8 = 0x02;
    pub const FLAG_MIDDLE: u8 = 0x20;
    pub const FLAG_BOTTOM: u8 = 0x80;

    pub(super) fn decode(bytes: &mut Bytes<'_>) -> Result<Self, ValueError> {
        let (row, column) = (bytes.u8()?, bytes.u8()?);
        let (left, right, share) = (bytes.u16()?, bytes.u16()?, bytes.u16()?);
        let (narrow_borders, flags) = (bytes.u8()?, bytes.u8()?);
        // Cells of Release 3 end here.
        let wide_borders = bytes.u16().unwrap_or(0);
        let spans = bytes.array::<2>().unwrap_or([1, 1]);
        let background = bytes.u16().ok().filter(|_| flags & Self::FLAG_BACKGROUND != 0);
        let border = |side: u16| match flags & Self::FLAG_WIDE_BORDERS {
            0 => narrow_borders >> (2 * side) & 0x03 != 0,
            _ => wide_borders >> (4 * side) & 0x0F != 0,
        };
        Ok(Self {
            row,
            column,
            row_span: spans[0].max(1),
            column_span: spans[1].max(1),
            covered: flags & Self::COVERED_FLAGS != 0,
            left,
            right,
            share,
            borders: [0, 1, 2, 3].map(border),
            vertical: match flags {
                flags if flags & Self::FLAG_MIDDLE != 0 => VerticalPlace::Middle,
                flags if flags & Self::FLAG_BOTTOM != 0 => VerticalPlace::Bottom,
                _ => VerticalPlace::Top,
            },
            background,
        })
    }
}

/// Whether a table is as wide as the window. The flags came with Release 4.
pub(super) fn fits_window(bytes: &mut Bytes<'_>) -> bool {
    const FLAG_AUTOMATIC: u16 = 0x0001;
    let flags = bytes.take(10).and_then(|_| bytes.u16());
    flags.is_ok_and(|flags| flags & FLAG_AUTOMATIC != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn borders_of_both_ages() {
        let mut stored = [1, 2, 0xA0, 5, 0xB9, 6, 0x7A, 1, 0x21, 0x02, 0x01, 0x03, 1, 1, 0, 0];
        let decode = |stored: &[u8]| TableCell::decode(&mut Bytes::new(stored, "cell")).unwrap();
        let cell = decode(&stored);
        assert_eq!((cell.row, cell.column, cell.left, cell.right, cell.share), (1, 2, 1440, 1721, 378));
        assert_eq!(cell.borders, [true, false, true, false]);
        stored[9] = 0;
        assert_eq!(decode(&stored).borders, [true, false, true, false]);
        assert_eq!(decode(&stored[..10]).row_span, 1);
    }
}
