//! What extractors said of themselves since the start of this process. Only shown, never decided by, and not kept.

use crate::base::clock::Moment;
use crate::base::ids::ExtractorId;
use crate::base::limits::{FOUND_BYTES, HELLO_BYTES};
use crate::protocol::calls::{FoundMailbox, FoundRequest, HelloRequest};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// One extractor.
#[derive(Clone, Debug, Default)]
pub struct Session {
    pub last_heard: Option<Moment>,
    pub hello: Option<HelloRequest>,
    pub restarted: Option<(Moment, String)>,
    pub found: Arc<Vec<FoundMailbox>>,
    pub found_more: bool,
    /// The listing that is on its way.
    listing: Option<Listing>,
}

#[derive(Clone, Debug, Default)]
struct Listing {
    due: u32,
    mailboxes: Vec<FoundMailbox>,
    bytes: usize,
    more: bool,
}

/// The page of a listing is not the one that is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutOfOrder;

#[derive(Debug, Default)]
pub struct Sessions(Mutex<HashMap<ExtractorId, Session>>);

impl Sessions {
    pub fn get(&self, extractor: ExtractorId) -> Session {
        self.lock().get(&extractor).cloned().unwrap_or_default()
    }

    pub fn heard(&self, extractor: ExtractorId, now: Moment) {
        self.lock().entry(extractor).or_default().last_heard = Some(now);
    }

    /// Keeps a greeting; `false` if it is too long to be kept.
    pub fn hello(&self, extractor: ExtractorId, mut hello: HelloRequest, now: Moment) -> bool {
        let roots = hello.source_roots.iter().map(|root| root.len() + size_of::<String>());
        let because = hello.restarted_because.as_ref().map_or(0, String::len);
        let bytes = roots.sum::<usize>() + hello.program_version.len() + hello.host.len() + because;
        if bytes > HELLO_BYTES {
            return false;
        }
        let mut sessions = self.lock();
        let session = sessions.entry(extractor).or_default();
        if let Some(because) = hello.restarted_because.take() {
            session.restarted = Some((now, because));
        }
        session.hello = Some(hello);
        true
    }

    /// Takes a page of the mailboxes that were found. The listing is shown when it is whole.
    pub fn found(&self, extractor: ExtractorId, request: FoundRequest) -> Result<(), OutOfOrder> {
        let mut sessions = self.lock();
        let session = sessions.entry(extractor).or_default();
        let mut listing = match request.page {
            0 => Listing::default(),
            _ => session.listing.take().filter(|listing| listing.due == request.page).ok_or(OutOfOrder)?,
        };
        request.mailboxes.into_iter().for_each(|mailbox| listing.add(mailbox));
        listing.due += 1;
        match request.last {
            true => {
                session.found = Arc::new(listing.mailboxes);
                session.found_more = listing.more;
                session.listing = None;
            }
            false => session.listing = Some(listing),
        }
        Ok(())
    }

    /// A thread that panicked while it held the lock left nothing that anything is decided by.
    fn lock(&self) -> MutexGuard<'_, HashMap<ExtractorId, Session>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Listing {
    fn add(&mut self, mailbox: FoundMailbox) {
        let FoundMailbox { root, path, title, owner, bytes: _, in_use, unreadable } = &mailbox;
        let texts =
            [Some(root), Some(path), Some(title), owner.as_ref(), in_use.as_ref(), unreadable.as_ref()];
        let bytes = size_of::<FoundMailbox>() + texts.into_iter().flatten().map(String::len).sum::<usize>();
        if self.bytes + bytes > FOUND_BYTES {
            self.more = true;
            return;
        }
        self.bytes += bytes;
        self.mailboxes.push(mailbox);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXTRACTOR: ExtractorId = ExtractorId(1);

    fn page(page: u32, last: bool, paths: &[&str]) -> FoundRequest {
        let mailbox = |path: &&str| FoundMailbox {
            root: "/mail".to_owned(),
            path: (*path).to_owned(),
            title: String::new(),
            owner: None,
            bytes: 1,
            in_use: None,
            unreadable: None,
        };
        FoundRequest { page, last, mailboxes: paths.iter().map(mailbox).collect() }
    }

    fn shown(sessions: &Sessions) -> Vec<String> {
        sessions.get(EXTRACTOR).found.iter().map(|mailbox| mailbox.path.clone()).collect()
    }

    #[test]
    fn a_listing_is_shown_when_it_is_whole() {
        let sessions = Sessions::default();
        sessions.found(EXTRACTOR, page(0, true, &["old"])).unwrap();
        sessions.found(EXTRACTOR, page(0, false, &["a"])).unwrap();
        assert_eq!(shown(&sessions), ["old"]);
        sessions.found(EXTRACTOR, page(1, true, &["b"])).unwrap();
        assert_eq!(shown(&sessions), ["a", "b"]);
    }

    #[test]
    fn pages_out_of_order_make_the_listing_void() {
        let sessions = Sessions::default();
        assert_eq!(sessions.found(EXTRACTOR, page(1, true, &["b"])), Err(OutOfOrder));
        sessions.found(EXTRACTOR, page(0, false, &["a"])).unwrap();
        assert_eq!(sessions.found(EXTRACTOR, page(2, true, &["c"])), Err(OutOfOrder));
        assert_eq!(sessions.found(EXTRACTOR, page(1, true, &["b"])), Err(OutOfOrder));
        assert_eq!(shown(&sessions), [""; 0]);
    }

    #[test]
    fn a_listing_is_kept_up_to_its_limit() {
        let sessions = Sessions::default();
        let long = "x".repeat(FOUND_BYTES / 2);
        sessions.found(EXTRACTOR, page(0, true, &[&long, &long, "short"])).unwrap();
        assert_eq!(shown(&sessions), [long.as_str(), "short"]);
        assert!(sessions.get(EXTRACTOR).found_more);
    }
}
