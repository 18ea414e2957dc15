//! Images of rich text: joined from their segments, each kept once.

use crate::conversion::losses::Losses;
use crate::model::loss::LossKind;
use crate::model::rich_text::Picture;
use crate::notes::richtext::construct::ImageHeader;
use std::collections::HashMap;
use std::sync::Arc;

/// The images of one text.
#[derive(Default)]
pub struct Images {
    pub list: Vec<Arc<[u8]>>,
    /// The alternative text of the image to come.
    pub alt: String,
    by_digest: HashMap<blake3::Hash, usize>,
    /// Size on the page in pixels.
    shown: (u16, u16),
    /// A picture of the graphic that has begun was reported as dropped.
    reported: bool,
    current: Option<(ImageHeader, Vec<u8>)>,
}

impl Images {
    pub fn begin_graphic(&mut self, width: u16, height: u16, in_pixels: bool) {
        // 1440 twips are an inch, and an inch has 96 CSS pixels.
        let pixels = |size: u16| if in_pixels { size } else { size / 15 };
        self.shown = (pixels(width), pixels(height));
        self.reported = false;
    }

    pub fn begin(&mut self, header: ImageHeader) {
        self.current = Some((header, Vec::new()));
    }

    pub fn extend(&mut self, data: &[u8]) {
        if let Some((_, bytes)) = &mut self.current {
            bytes.extend_from_slice(data);
        }
    }

    /// Whether a dropped picture is to be reported: once for a graphic, which may hold it in several forms.
    pub fn report_old(&mut self) -> bool {
        !std::mem::replace(&mut self.reported, true)
    }

    /// Ends the current image. An icon of an attachment is no image of the mail.
    pub fn end(&mut self, icon: bool, losses: &mut Losses) -> Option<Picture> {
        let (header, mut bytes) = self.current.take()?;
        let declared = header.size as usize;
        // What is longer than declared is padding.
        bytes.truncate(declared);
        if icon {
            return None;
        }
        if bytes.is_empty() {
            losses.add(LossKind::ImageDropped, "an image without data");
            return None;
        }
        if bytes.len() < declared {
            losses.add(LossKind::ImageDamaged, format!("{} of {declared} bytes are there", bytes.len()));
        }
        let image = *self.by_digest.entry(blake3::hash(&bytes)).or_insert(self.list.len());
        if image == self.list.len() {
            self.list.push(bytes.into());
        }
        let (width, height) = if self.shown.0 > 0 { self.shown } else { (header.width, header.height) };
        self.shown = (0, 0);
        Some(Picture { image, width, height, alt: std::mem::take(&mut self.alt) })
    }
}
