//! Delivery to a real IMAP server: the kit, whole mailboxes with the built program, and lines that are cut.

use crate::support::destination_kit::{self, KitTarget};
use crate::support::dovecot::{Dovecot, PASSWORD};
use crate::support::messages::{delivery, folder};
use notesferry::base::secret::Secret;
use notesferry::destinations::imap::{Address, Imap};
use notesferry::destinations::{Destination, DestinationError};
use notesferry::model::delivery::Location;
use notesferry::model::folder::FolderPath;

/// One user of a server.
struct ImapTarget<'a> {
    server: &'a Dovecot,
    user: String,
}

fn open(address: &str) -> Result<Imap, DestinationError> {
    // Nothing is in flight on a whole line, so there is nothing to wait for.
    Imap::open(&Address::parse(address).unwrap(), Secret::new(PASSWORD), Box::new(|_| ()))
}

impl KitTarget for ImapTarget<'_> {
    fn open(&self) -> Box<dyn Destination> {
        Box::new(open(&self.server.address(&self.user)).unwrap())
    }

    fn put_foreign(&self, folder: &FolderPath, bytes: &[u8]) {
        assert!(folder.is_inbox());
        self.server.reader(&self.user).append("INBOX", bytes).finish().unwrap();
    }

    fn bytes(&self, _: &FolderPath, location: &Location) -> Vec<u8> {
        let Location::Uid { uid_validity, uid } = location else { panic!("{location:?}") };
        let mut reader = self.server.reader(&self.user);
        let listed = reader.list(Some(""), Some("*")).unwrap();
        let names: Vec<String> = listed.iter().map(|folder| folder.name().to_owned()).collect();
        let name =
            names.iter().find(|name| reader.examine(name).unwrap().uid_validity == Some(*uid_validity));
        reader.examine(name.unwrap()).unwrap();
        let fetched = reader.uid_fetch(uid.to_string(), "BODY.PEEK[]").unwrap();
        fetched.iter().next().unwrap().body().unwrap().to_vec()
    }
}

#[test]
fn imap_passes_the_kit() {
    let Some(server) = Dovecot::start() else { return };
    destination_kit::check(|| ImapTarget { server: &server, user: server.new_user() });
}
