//! Wire sessions to other systems. They know their protocol and have no idea what is being migrated.

pub mod imap;
pub mod modified_utf7;
mod stream;
mod tls;
