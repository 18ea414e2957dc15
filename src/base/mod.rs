//! What every module may use and nothing of which knows of mail.

pub mod clock;
pub mod files;
pub mod ids;
pub mod limits;
pub mod secret;
