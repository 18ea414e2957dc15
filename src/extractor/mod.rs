//! The extractor: stands next to the mail data, asks the server what to do, and sends what it read.
//!
//! Three kinds of processes, each the parent of the next: the [`guardian`], which the user starts; the
//! [`coordinator`], which speaks for the site; one [`migrator`] a mailbox. Settings and secrets go down through standard
//! input, never through arguments, and a child ends when that closes, so none outlives its parent. All connections go
//! out to the server, through [`client`]; the source is only read (invariant G).

pub mod backoff;
pub mod client;
pub mod coordinator;
pub mod enrolment;
pub mod found;
pub mod guardian;
pub mod heartbeat;
pub mod mailbox;
pub mod migrator;
pub mod processes;
pub mod settings;

use std::fmt::Display;
use std::io::Write as _;

/// Tells whoever reads the extractor's log, on standard error; that nobody reads it any more is no reason to end.
pub fn say(sentence: impl Display) {
    let _ = writeln!(std::io::stderr(), "notesferry extract: {sentence}");
}

/// Something that fails again and again and is told once.
#[derive(Debug, Default)]
pub struct Complaint(Option<String>);

impl Complaint {
    /// Tells it, unless it was the last thing told.
    pub fn say(&mut self, sentence: impl Display) {
        let sentence = sentence.to_string();
        if self.0.as_ref() != Some(&sentence) {
            say(&sentence);
            self.0 = Some(sentence);
        }
    }

    /// Tells that it is over, if it was told.
    pub fn over(&mut self, sentence: &str) {
        if self.0.take().is_some() {
            say(sentence);
        }
    }
}
