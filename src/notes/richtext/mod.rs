//! Rich text: the records of COMPOSITE values, walked and decoded.

pub mod record;
