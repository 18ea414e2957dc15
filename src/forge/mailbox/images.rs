//! Small images that every viewer shows, for signatures and inline pictures, and a bar chart.

use fastrand::Rng;

/// Four by four pixels.
pub(super) const PNG: &[u8] = &[
    0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 0x00, 0x00, 0x00, 0x0D, 0x49, 0x48, 0x44, 0x52, 0x00,
    0x00, 0x00, 0x04, 0x00, 0x00, 0x00, 0x04, 0x08, 0x02, 0x00, 0x00, 0x00, 0x26, 0x93, 0x09, 0x29, 0x00,
    0x00, 0x00, 0x2E, 0x49, 0x44, 0x41, 0x54, 0x78, 0xDA, 0x0D, 0xC7, 0x41, 0x01, 0xC0, 0x40, 0x08, 0x03,
    0xB0, 0x0A, 0x43, 0x58, 0xE4, 0x20, 0xA2, 0x22, 0x10, 0x31, 0x31, 0xBB, 0xFC, 0x92, 0x2F, 0x2E, 0x1A,
    0x1B, 0xF9, 0xC6, 0x8D, 0x8E, 0x9D, 0x17, 0x8E, 0xB2, 0x5E, 0xEA, 0xAA, 0xB5, 0xF5, 0x03, 0x56, 0x72,
    0x19, 0x01, 0x3B, 0x95, 0xB8, 0x4D, 0x00, 0x00, 0x00, 0x00, 0x49, 0x45, 0x4E, 0x44, 0xAE, 0x42, 0x60,
    0x82,
];

/// One red pixel.
pub(super) const GIF: &[u8] = &[
    0x47, 0x49, 0x46, 0x38, 0x39, 0x61, 0x01, 0x00, 0x01, 0x00, 0x80, 0x00, 0x00, 0xFF, 0x00, 0x00, 0xFF,
    0xFF, 0xFF, 0x21, 0xF9, 0x04, 0x01, 0x00, 0x00, 0x00, 0x00, 0x2C, 0x00, 0x00, 0x00, 0x00, 0x01, 0x00,
    0x01, 0x00, 0x00, 0x02, 0x02, 0x44, 0x01, 0x00, 0x3B,
];

const CHART_HEIGHT: usize = 100;
const BARS: usize = 7;

/// A bar chart: its width, its colours, and its pixels as places in them.
pub(super) fn chart(random: &mut Rng) -> (u16, [[u8; 3]; 3], Vec<u8>) {
    bars(std::array::from_fn(|_| CHART_HEIGHT - random.usize(10..CHART_HEIGHT - 10)))
}

/// A bar chart with bars of these heights, at most a hundred pixels.
pub(super) fn bars(heights: [usize; BARS]) -> (u16, [[u8; 3]; 3], Vec<u8>) {
    const WIDTH: usize = 240;
    const HEIGHT: usize = CHART_HEIGHT;
    const BAR: usize = 24;
    let (white, axis, bar) = (0, 1, 2);
    let mut pixels = vec![white; WIDTH * HEIGHT];
    for (left, height) in (8..).step_by(BAR + 8).zip(heights) {
        for line in pixels.chunks_exact_mut(WIDTH).skip(HEIGHT.saturating_sub(height)) {
            line[left..left + BAR].fill(bar);
        }
    }
    pixels[WIDTH * (HEIGHT - 1)..].fill(axis);
    (WIDTH as u16, [[255, 255, 255], [64, 64, 64], [47, 111, 178]], pixels)
}

/// A photo for a contact: a face and shoulders before a wall of this colour, as PNG.
pub(super) fn portrait(wall: [u8; 3]) -> Vec<u8> {
    const SIDE: i32 = 96;
    let color = |x: i32, y: i32| {
        let in_ellipse = |cx: i32, cy: i32, rx: i32, ry: i32| {
            let (dx, dy) = (x - cx, y - cy);
            dx * dx * ry * ry + dy * dy * rx * rx <= rx * rx * ry * ry
        };
        match () {
            () if in_ellipse(48, 38, 18, 22) => [0xE8, 0xC4, 0xA0],
            () if in_ellipse(48, 32, 21, 25) => [0x5A, 0x40, 0x30],
            () if in_ellipse(48, 100, 40, 38) => [0x30, 0x48, 0x68],
            () => wall,
        }
    };
    let pixels: Vec<u8> = (0..SIDE).flat_map(|y| (0..SIDE).flat_map(move |x| color(x, y))).collect();
    let mut written = Vec::new();
    let mut encoder = png::Encoder::new(&mut written, SIDE as u32, SIDE as u32);
    encoder.set_color(png::ColorType::Rgb);
    // Nothing can fail that writes to memory.
    let _ = encoder.write_header().and_then(|mut writer| writer.write_image_data(&pixels));
    written
}
