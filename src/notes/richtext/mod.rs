//! Rich text: the records of COMPOSITE values, walked and decoded.

pub mod bitmap;
pub mod construct;
pub mod name;
pub mod record;
pub mod style;
pub mod table;

pub use name::name;
