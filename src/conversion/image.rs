//! Images of rich text: joined from their records, each kept once; bitmaps of old releases become PNG.
//!
//! A graphic may hold its picture in several forms. An image of Release 5 counts before a bitmap, a bitmap before a
//! metafile, which mail programs do not show. A Windows metafile that is all there is becomes a file.

use crate::base::limits::BITMAPS_PIXELS;
use crate::conversion::losses::Losses;
use crate::model::loss::LossKind;
use crate::model::rich_text::Picture;
use crate::notes::richtext::bitmap::Bitmap;
use crate::notes::richtext::construct::ImageHeader;
use std::collections::HashMap;
use std::sync::Arc;

/// What became of a picture.
pub enum Shown {
    Picture(Picture),
    /// A file of this name.
    File(String),
    /// It was told as lost.
    Nowhere,
}

/// The images of one text.
pub struct Images {
    pub list: Vec<Arc<[u8]>>,
    /// Windows metafiles under their names.
    pub metafiles: Vec<(String, Arc<[u8]>)>,
    /// The alternative text of the image to come.
    pub alt: String,
    by_digest: HashMap<blake3::Hash, usize>,
    /// Size on the page in pixels.
    shown: (u16, u16),
    image: Option<(ImageHeader, Vec<u8>)>,
    bitmap: Option<Bitmap>,
    /// A Windows metafile: the bytes that it should have, and those that are there.
    metafile: Option<(u32, Vec<u8>)>,
    /// A picture in a form that cannot be shown, named.
    old: Option<&'static str>,
    /// Pixels that bitmaps may still have.
    pixels_left: usize,
}

impl Default for Images {
    fn default() -> Self {
        Self {
            list: Vec::new(),
            metafiles: Vec::new(),
            alt: String::new(),
            by_digest: HashMap::new(),
            shown: (0, 0),
            image: None,
            bitmap: None,
            metafile: None,
            old: None,
            pixels_left: BITMAPS_PIXELS,
        }
    }
}

impl Images {
    pub fn begin_graphic(&mut self, width: u16, height: u16, in_pixels: bool) {
        // 1440 twips are an inch, and an inch has 96 CSS pixels.
        let pixels = |size: u16| if in_pixels { size } else { size / 15 };
        self.shown = (pixels(width), pixels(height));
    }

    pub fn begin(&mut self, header: ImageHeader) {
        self.image = Some((header, Vec::new()));
    }

    pub fn extend(&mut self, data: &[u8]) {
        if let Some((_, bytes)) = &mut self.image {
            bytes.extend_from_slice(data);
        }
    }

    pub fn begin_bitmap(&mut self, bitmap: Bitmap) {
        self.bitmap = Some(bitmap);
    }

    /// Adds to a part of the bitmap.
    pub fn extend_bitmap(&mut self, part: impl FnOnce(&mut Bitmap) -> &mut Vec<u8>, data: &[u8]) {
        if let Some(bitmap) = &mut self.bitmap {
            part(bitmap).extend_from_slice(data);
        }
    }

    pub fn begin_metafile(&mut self, size: u32) {
        self.metafile = Some((size, Vec::new()));
    }

    pub fn extend_metafile(&mut self, data: &[u8]) {
        if let Some((_, bytes)) = &mut self.metafile {
            bytes.extend_from_slice(data);
        }
    }

    pub fn begin_old(&mut self, kind: &'static str) {
        self.old = Some(kind);
    }

    /// Whether records of a picture were read that has not ended.
    pub fn is_open(&self) -> bool {
        self.image.is_some() || self.bitmap.is_some() || self.metafile.is_some() || self.old.is_some()
    }

    /// Ends the current picture, if there is one. An icon is taken for read and not shown.
    pub fn end(&mut self, icon: bool, losses: &mut Losses) -> Option<Shown> {
        let (image, bitmap) = (self.image.take(), self.bitmap.take());
        let (metafile, old) = (self.metafile.take(), self.old.take());
        if icon {
            return None;
        }
        let shown = match (image, bitmap, old) {
            (Some((header, bytes)), ..) => {
                joined(&header, bytes, losses).map(|bytes| (bytes, header.width, header.height))
            }
            (None, Some(bitmap), _) => {
                let left = self.pixels_left.checked_sub(bitmap.pixel_count());
                self.pixels_left = left.unwrap_or(self.pixels_left);
                let written = if left.is_some() { png(&bitmap, losses) } else { dropped(&bitmap, losses) };
                written.map(|bytes| (bytes, bitmap.width, bitmap.height))
            }
            (None, None, _) => return self.end_old(metafile, old, losses),
        };
        let picture = |(bytes, width, height)| Shown::Picture(self.picture(bytes, width, height));
        Some(shown.map_or(Shown::Nowhere, picture))
    }

    /// Ends a picture that no mail program shows.
    fn end_old(
        &mut self,
        metafile: Option<(u32, Vec<u8>)>,
        old: Option<&'static str>,
        losses: &mut Losses,
    ) -> Option<Shown> {
        let Some((size, bytes)) = metafile else {
            losses.add(LossKind::ImageDropped, old?);
            return Some(Shown::Nowhere);
        };
        let Some(bytes) = windows_metafile(size, bytes, self.shown) else {
            losses.add(LossKind::ImageDropped, "a damaged Windows metafile");
            return Some(Shown::Nowhere);
        };
        let name = format!("picture{}.wmf", self.metafiles.len() + 1);
        self.metafiles.push((name.clone(), bytes.into()));
        self.shown = (0, 0);
        Some(Shown::File(name))
    }

    fn picture(&mut self, bytes: Vec<u8>, width: u16, height: u16) -> Picture {
        let image = *self.by_digest.entry(blake3::hash(&bytes)).or_insert(self.list.len());
        if image == self.list.len() {
            self.list.push(bytes.into());
        }
        let (width, height) = if self.shown.0 > 0 { self.shown } else { (width, height) };
        self.shown = (0, 0);
        Picture { image, width, height, alt: std::mem::take(&mut self.alt) }
    }
}

/// The bytes of an image as far as they are there.
fn joined(header: &ImageHeader, mut bytes: Vec<u8>, losses: &mut Losses) -> Option<Vec<u8>> {
    let declared = header.size as usize;
    // What is longer than declared is padding.
    bytes.truncate(declared);
    if bytes.is_empty() {
        losses.add(LossKind::ImageDropped, "an image without data");
        return None;
    }
    if bytes.len() < declared {
        losses.add(LossKind::ImageDamaged, format!("{} of {declared} bytes are there", bytes.len()));
    }
    Some(bytes)
}

/// A Windows metafile as programs open it: behind a header that tells its size on the page, in pixels, if that is known.
/// `None` where bytes are missing, or are none of a metafile.
///
/// # Source
/// The header is the META_PLACEABLE of the format's public description.
fn windows_metafile(size: u32, mut bytes: Vec<u8>, (width, height): (u16, u16)) -> Option<Vec<u8>> {
    /// Kind (in memory, on disk), then the words of the header.
    const BEGINNINGS: [[u8; 4]; 2] = [[1, 0, 9, 0], [2, 0, 9, 0]];
    const PIXELS_PER_INCH: u16 = 96;
    let size = usize::try_from(size).ok()?;
    if bytes.len() < size || !BEGINNINGS.iter().any(|beginning| bytes.starts_with(beginning)) {
        return None;
    }
    // What is longer than declared is padding.
    bytes.truncate(size);
    if width == 0 || height == 0 {
        return Some(bytes);
    }
    let words = [0xCDD7, 0x9AC6, 0, 0, 0, width, height, PIXELS_PER_INCH, 0, 0];
    let checksum = words.iter().fold(0, |sum, word| sum ^ word);
    let header = words.into_iter().chain([checksum]).flat_map(u16::to_le_bytes);
    Some(header.chain(bytes).collect())
}

/// A bitmap as PNG.
fn png(bitmap: &Bitmap, losses: &mut Losses) -> Option<Vec<u8>> {
    let Some((pixels, whole)) = bitmap.pixels() else { return dropped(bitmap, losses) };
    if !whole {
        losses.add(LossKind::ImageDamaged, "bitmap");
    }
    write_png(bitmap, pixels).ok().or_else(|| dropped(bitmap, losses))
}

/// Tells of a bitmap that is not shown.
fn dropped(bitmap: &Bitmap, losses: &mut Losses) -> Option<Vec<u8>> {
    let told = format!("{} x {} bitmap of {} bits", bitmap.width, bitmap.height, bitmap.bits_per_pixel);
    losses.add(LossKind::ImageDropped, told);
    None
}

fn write_png(bitmap: &Bitmap, pixels: Vec<u8>) -> Result<Vec<u8>, png::EncodingError> {
    let mut written = Vec::new();
    let mut encoder = png::Encoder::new(&mut written, bitmap.width.into(), bitmap.height.into());
    let palette = palette(bitmap, 1 << bitmap.bits_per_pixel.min(8));
    let depth = if bitmap.bits_per_pixel == 1 { png::BitDepth::One } else { png::BitDepth::Eight };
    encoder.set_depth(depth);
    let pixels = match (bitmap.bits_per_pixel, palette) {
        (16, _) => {
            encoder.set_color(png::ColorType::Rgb);
            pixels.chunks_exact(2).flat_map(|pixel| rgb(u16::from_le_bytes([pixel[0], pixel[1]]))).collect()
        }
        // Without colours a pixel is a shade of grey.
        (_, None) => {
            encoder.set_color(png::ColorType::Grayscale);
            pixels
        }
        (_, Some(palette)) => {
            encoder.set_color(png::ColorType::Indexed);
            encoder.set_palette(palette);
            pixels
        }
    };
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&pixels)?;
    writer.finish()?;
    Ok(written)
}

/// The colours of a bitmap, as many as its pixels can name.
fn palette(bitmap: &Bitmap, colors: usize) -> Option<Vec<u8>> {
    let mut palette = bitmap.colors.clone();
    palette.resize(colors * 3, 0);
    (!bitmap.colors.is_empty()).then_some(palette)
}

/// Five bits each of red, green and blue.
fn rgb(pixel: u16) -> [u8; 3] {
    [10, 5, 0].map(|shift| {
        let five = (pixel >> shift & 0x1F) as u8;
        five << 3 | five >> 2
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(bitmap: &Bitmap) -> (Vec<u8>, png::OutputInfo) {
        let mut losses = Losses::default();
        let written = png(bitmap, &mut losses).unwrap();
        assert!(losses.into_list().is_empty());
        let mut decoder = png::Decoder::new(std::io::Cursor::new(written));
        decoder.set_transformations(png::Transformations::EXPAND);
        let mut reader = decoder.read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut pixels).unwrap();
        (pixels, info)
    }

    #[test]
    fn bitmaps_of_every_depth_show_their_colours() {
        let colors = vec![1, 2, 3, 250, 251, 252];
        let bitmap = Bitmap {
            width: 2,
            height: 1,
            bits_per_pixel: 8,
            lines: vec![2, 1, 0],
            colors,
            ..Bitmap::default()
        };
        assert_eq!(decoded(&bitmap).0, [250, 251, 252, 1, 2, 3]);
        let grey = Bitmap { colors: Vec::new(), lines: vec![2, 9, 200], ..bitmap.clone() };
        assert_eq!(decoded(&grey).0, [9, 200]);
        let mono = Bitmap { bits_per_pixel: 1, lines: vec![1, 0b0100_0000], ..grey.clone() };
        assert_eq!(decoded(&mono).0, [0, 255]);
        let two_colors = Bitmap { colors: bitmap.colors.clone(), ..mono };
        assert_eq!(decoded(&two_colors).0, [1, 2, 3, 250, 251, 252]);
        let deep = Bitmap { bits_per_pixel: 16, lines: vec![2, 0x00, 0x7C, 0x1F, 0x00], ..grey };
        assert_eq!(decoded(&deep).0, [255, 0, 0, 0, 0, 255]);
    }
}
