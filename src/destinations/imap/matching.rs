//! Which stored message answers for which placement: one to one.

use crate::connectors::imap::Message;
use crate::destinations::KEY_HEADER;
use crate::model::item::Origin;
use std::collections::HashSet;

/// A message in a folder, as far as its identity goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    pub uid: u32,
    pub size: u64,
    /// The value of the key header, where it has one that we can read.
    pub origin: Option<Origin>,
    pub message_id: Option<String>,
}

impl From<&Message> for Stored {
    fn from(message: &Message) -> Self {
        let header = String::from_utf8_lossy(&message.header).replace("\r\n ", " ").replace("\r\n\t", " ");
        let field = |wanted: &str| {
            let fields = header.lines().filter_map(|line| line.split_once(':'));
            let mut values = fields.filter(|(name, _)| name.trim_end().eq_ignore_ascii_case(wanted));
            values.next().map(|(_, value)| value.trim().to_owned())
        };
        Self {
            uid: message.uid,
            size: message.size,
            origin: field(KEY_HEADER).and_then(|value| value.parse().ok()),
            message_id: field("Message-ID").map(|value| bare(&value).to_owned()),
        }
    }
}

fn bare(message_id: &str) -> &str {
    message_id.trim().trim_start_matches('<').trim_end_matches('>')
}

/// A placement that is looked for.
#[derive(Clone, Debug)]
pub struct Wanted<'a> {
    pub origin: Origin,
    pub message_id: &'a str,
    pub size: u64,
    /// The lowest UID that it can have.
    pub from_uid: u32,
    /// A copy that is no answer.
    pub not_uid: Option<u32>,
    /// Only the very length tells it from an older copy.
    pub exact: bool,
}

impl Wanted<'_> {
    /// The UIDs of the folder are void: a new copy is told from the one that it replaces by its length alone.
    pub fn forget_uids(&mut self) {
        self.exact = self.not_uid.is_some();
        self.from_uid = 0;
        self.not_uid = None;
    }

    /// Whether a message may be this placement at all.
    pub fn may_be(&self, stored: &Stored) -> bool {
        stored.uid >= self.from_uid && Some(stored.uid) != self.not_uid && self.rank(stored).is_some()
    }

    /// How well a message fits; less is better.
    fn rank(&self, stored: &Stored) -> Option<u8> {
        let same_size = stored.size == self.size;
        match stored.origin {
            Some(origin) if origin == self.origin && same_size => Some(0),
            // Some servers count bytes in their own way.
            Some(origin) if origin == self.origin && !self.exact => Some(1),
            Some(_) => None,
            // Some servers drop header fields that they do not know.
            None => {
                let same_id = stored.message_id.as_deref() == Some(bare(self.message_id));
                (same_id && same_size && !self.message_id.is_empty()).then_some(2)
            }
        }
    }
}

/// The UID of each placement that is there. A message answers for one placement only.
pub fn matched(wanted: &[Wanted<'_>], stored: &[Stored]) -> Vec<Option<u32>> {
    let mut answers = vec![None; wanted.len()];
    let mut taken = HashSet::new();
    for rank in 0..=2 {
        for (wanted, answer) in wanted.iter().zip(&mut answers) {
            if answer.is_none() {
                let fits = |stored: &&Stored| {
                    wanted.may_be(stored) && wanted.rank(stored) == Some(rank) && !taken.contains(&stored.uid)
                };
                *answer = stored.iter().find(fits).map(|stored| stored.uid);
                taken.extend(*answer);
            }
        }
    }
    answers
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notes::ids::{ReplicaId, Unid};

    fn origin(number: u8) -> Origin {
        Origin::Notes { replica: ReplicaId(1), unid: Unid([number; 16]) }
    }

    fn wanted(number: u8) -> Wanted<'static> {
        Wanted {
            origin: origin(number),
            message_id: "a@example.com",
            size: 10,
            from_uid: 0,
            not_uid: None,
            exact: false,
        }
    }

    fn stored(uid: u32, number: Option<u8>, size: u64) -> Stored {
        let message_id = Some("a@example.com".to_owned());
        Stored { uid, size, origin: number.map(origin), message_id }
    }

    #[test]
    fn the_fields_are_read_folded_or_not() {
        let header = format!("Message-ID:\r\n <a@example.com>\r\nx-notesferry-key: {}\r\n\r\n", origin(7));
        let message = Message { uid: 5, size: 10, header: header.into_bytes() };
        assert_eq!(Stored::from(&message), stored(5, Some(7), 10));
        let foreign = Message { uid: 5, size: 10, header: b"\r\n".to_vec() };
        assert_eq!(Stored::from(&foreign), Stored { message_id: None, ..stored(5, None, 10) });
    }

    #[test]
    fn a_message_answers_for_one_placement() {
        assert_eq!(matched(&[wanted(1), wanted(1)], &[stored(5, Some(1), 10)]), [Some(5), None]);
        assert_eq!(matched(&[wanted(1), wanted(2)], &[stored(5, None, 10)]), [Some(5), None]);
    }

    #[test]
    fn the_key_counts_more_than_the_message_id() {
        let lying = [stored(4, Some(2), 10), stored(5, None, 10), stored(6, Some(1), 10)];
        assert_eq!(matched(&[wanted(1)], &lying), [Some(6)]);
        assert_eq!(matched(&[wanted(1)], &lying[..1]), [None]);
        assert_eq!(matched(&[wanted(1)], &[stored(5, None, 11)]), [None]);
    }

    #[test]
    fn an_older_copy_is_no_answer() {
        let copies = [stored(4, Some(1), 9), stored(6, Some(1), 10)];
        assert_eq!(matched(&[wanted(1)], &copies), [Some(6)]);
        assert_eq!(matched(&[wanted(1)], &copies[..1]), [Some(4)]);
        assert_eq!(matched(&[Wanted { from_uid: 5, ..wanted(1) }], &copies[..1]), [None]);
        assert_eq!(matched(&[Wanted { not_uid: Some(4), ..wanted(1) }], &copies[..1]), [None]);
        assert_eq!(matched(&[Wanted { exact: true, ..wanted(1) }], &copies[..1]), [None]);
    }
}
