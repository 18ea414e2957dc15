//! The kit of sources, once for each kind.

use crate::support::corpus;
use crate::support::memory_source::MemorySource;
use crate::support::source_kit;
use notesferry::sources::Source;
use notesferry::sources::nsf::NsfSource;

#[test]
fn the_memory_source_passes_the_kit() {
    for count in [0, 1, 30, 10_000] {
        let mut mailbox = MemorySource::with_mails(count);
        if let Some(mail) = mailbox.mails.get_mut(5) {
            mail.damaged = true;
        }
        source_kit::check(|| Box::new(mailbox.clone()));
    }
}

#[test]
fn real_databases_pass_the_kit() {
    for path in corpus::databases() {
        source_kit::check(|| Box::new(NsfSource::open(&path).unwrap()) as Box<dyn Source>);
    }
}
