//! LMBCS, the character set of stored Notes text, with optimization group 1, which all Notes databases have.
//!
//! Bytes 20 to 7F are ASCII and those above are code page 850. Any other character begins with a group byte below 20,
//! which names a code page, and carries that byte anew: there is no shift state. Stored text is decoded here by every
//! reader and encoded by `forge`.
//!
//! # Source
//! ICU 72, converter `LMBCS-1`; `tests/lmbcs.rs` compares every sequence.

mod decode;
mod encode;
mod pages;
mod tables;

pub use decode::{Decoded, decode};
pub use encode::encode;

/// The group bytes that name no code page.
mod group {
    pub const LATIN_1: u8 = 0x01;
    /// One byte follows: a control character, moved up by 20 if it is below 20.
    pub const CONTROL: u8 = 0x0F;
    /// From here to [`CHINESE`] two bytes follow, or the group byte again and a single byte of the page.
    pub const JAPANESE: u8 = 0x10;
    pub const CHINESE: u8 = 0x13;
    /// Two bytes follow: a UTF-16 unit, the high byte first.
    pub const UTF16: u8 = 0x14;
    /// High byte of units whose low byte is zero; the true high byte follows it, so that text holds no NUL.
    pub const UTF16_ZERO: u8 = 0xF6;
    /// Stands for itself; 1-2-3 begins names of system ranges with it.
    pub const SYSTEM_RANGE: u8 = 0x19;
}
