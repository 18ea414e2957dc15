//! Documents in, message text out: the rules of conversion, by their ids.

mod filing;
mod hostile;
mod mail;
mod mime;
mod other;
mod rich_text;
