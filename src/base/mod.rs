//! What every module may use and nothing of which knows of mail.

pub mod ids;
pub mod limits;
pub mod secret;
