//! Rich text: the records of COMPOSITE values, walked and decoded.

pub mod construct;
pub mod name;
pub mod record;

pub use name::name;
