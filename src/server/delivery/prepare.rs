//! What can be said about an item before it is its turn: whether it has to be opened, and the message that it becomes.
//!
//! Used by whoever lists and opens, on as many threads as it likes; nothing here changes the ledger or the target.

use crate::conversion::{self, Choices, Context, Converted, Directory};
use crate::destinations::Traits;
use crate::model::content::{Content, ListedItem, SourceItem};
use crate::model::filter::{Filter, FolderMap, LeftOut};
use crate::model::folder::Folder;
use crate::model::item::{ItemKey, MailboxId, Origin};
use crate::model::loss::{Loss, LossKind, SetAside, SetAsideReason};
use crate::model::outcome::Outcome;
use crate::model::summary::About;
use crate::server::delivery::batch::{Message, Prepared, Work};
use crate::server::delivery::digest::{filing_digest, filter_digest, source_digest};
use crate::server::delivery::plan::{self, Look};
use crate::server::delivery::{End, Settings, twin};
use crate::store::config::Retry;
use crate::store::{Entry, StateStore, StoreError};
use std::mem;
use std::sync::Arc;

/// Makes a message of an item, or says why there is none.
pub type Convert<'a> = dyn Fn(&ListedItem, &SourceItem) -> Result<Converted, SetAside> + Sync + 'a;

/// What the conversion of every item of a mailbox needs to know of it.
#[derive(Clone, Copy)]
pub struct Conversion<'a> {
    /// The owner of the mail file as a Notes name.
    pub owner: Option<&'a str>,
    /// The folders of the source.
    pub folders: &'a [Folder],
    /// Other names for folders at the target.
    pub folder_map: &'a FolderMap,
    /// Also convert documents that are not mail-file content.
    pub all_documents: bool,
    /// The time of the run: milliseconds since 1970-01-01 00:00 UTC.
    pub now_unix_ms: i64,
    /// What is known of Notes names.
    pub directory: &'a Directory,
    pub choices: Choices,
}

impl Conversion<'_> {
    /// Makes a message of an item.
    ///
    /// # Errors
    /// The reason why it gives none.
    pub fn convert(&self, listed: &ListedItem, item: &SourceItem) -> Result<Converted, SetAside> {
        let Origin::Notes { replica, .. } = item.origin;
        let message_id_of = |unid| {
            item.parent_message_id.as_ref().filter(|(parent, _)| *parent == unid).map(|(_, id)| id.clone())
        };
        let Self { owner, folders, folder_map, all_documents, now_unix_ms, directory, choices } = *self;
        let context = Context {
            replica,
            owner,
            now_unix_ms,
            all_documents,
            folders,
            directory,
            choices,
            message_id_of: &message_id_of,
        };
        let mut converted = conversion::convert(item, &listed.folders, listed.unread, &context)?;
        folder_map.apply_all(&mut converted.placements);
        Ok(converted)
    }
}

/// How a listed item begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Start {
    Open,
    /// It need not be opened.
    Ended(End),
    /// This pass leaves it to another one.
    Left,
}

/// Prepares the items of one source for one target.
#[derive(Clone, Copy)]
pub struct Preparer<'a> {
    pub settings: &'a Settings,
    /// `None` where nothing was ever delivered.
    pub ledger: Option<&'a StateStore>,
    /// The folders of the source.
    pub folders: &'a [Folder],
    /// What the destination can do.
    pub traits: Traits,
    pub convert: &'a Convert<'a>,
}

impl Preparer<'_> {
    /// How an item ends that need not be opened; `None` for one that has to be.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn look(&self, listed: &ListedItem) -> Result<Option<End>, StoreError> {
        let Some(entry) = self.entry(listed.origin)? else { return Ok(None) };
        let filing = filing_digest(listed, self.folders);
        let filter = filter_digest(&self.settings.filter);
        Ok(match plan::look(Some(&entry), listed.version, filing, listed.unread, filter) {
            Look::Open => None,
            Look::AlreadyThere => Some(plan::there(&entry, self.settings.pass)),
            Look::ReadSince => Some(End::ReadSince),
            Look::RemovedByUser => Some(End::RemovedByUser),
            Look::LeftOut(why) => Some(End::FilteredOut(why)),
            Look::StaysAside(aside) => Some(End::SetAside(aside)),
        })
    }

    /// How an item begins in a pass that tries chosen documents again: what is set aside and was not chosen stays so,
    /// and nothing else is opened.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn look_again(&self, listed: &ListedItem, retry: &Retry) -> Result<Start, StoreError> {
        if let Some(end) = self.look(listed)? {
            return Ok(Start::Ended(end));
        }
        Ok(match self.entry(listed.origin)?.map(|entry| entry.outcome) {
            Some(Outcome::SetAside(why)) if retry.takes(listed.origin, &why) => Start::Open,
            Some(Outcome::SetAside(why)) => Start::Ended(End::SetAside(why)),
            Some(Outcome::Unfinished | Outcome::Delivered) | None => Start::Left,
        })
    }

    /// Makes of an opened item what [`Pass::add`](super::Pass::add) takes.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn item(&self, listed: &ListedItem, item: &SourceItem) -> Result<Prepared, StoreError> {
        let Content::Note { note, .. } = &item.content;
        let about = conversion::about(note, self.settings.now_unix_ms);
        Ok(Prepared { about, ..self.opened(listed, item)? })
    }

    fn opened(&self, listed: &ListedItem, item: &SourceItem) -> Result<Prepared, StoreError> {
        let digest = match source_digest(item) {
            Ok(digest) => digest,
            Err(error) => {
                let aside = SetAside::new(SetAsideReason::UnreadableNote, error.to_string());
                return Ok(self.set_aside(listed, aside));
            }
        };
        let filing = filing_digest(listed, self.folders);
        let entry = self.entry(listed.origin)?;
        if entry.as_ref().is_some_and(|entry| plan::is_unchanged(entry, digest, filing)) {
            return Ok(self.prepared(listed, Vec::new(), Work::Unchanged));
        }
        if let Some(why) = self.left_out(item, entry.as_ref()) {
            return Ok(self.prepared(listed, Vec::new(), Work::LeftOut(why)));
        }
        let Content::Note { note, .. } = &item.content;
        let mut converted = match (self.convert)(listed, item) {
            Ok(converted) => converted,
            Err(_) if conversion::is_settings(note) => {
                return Ok(self.prepared(listed, Vec::new(), Work::LeftOut(LeftOut::Settings)));
            }
            Err(aside) => return Ok(self.set_aside(listed, aside)),
        };
        let twin = twin::twin(note, listed.origin, &converted);
        let object = converted.object.take().filter(|_| self.traits.objects);
        let kind = object.as_ref().map(|object| object.kind);
        if let Some(object) = object {
            converted.rendered = object.rendered;
            converted.losses.extend(object.losses);
        }
        let limit = self.traits.largest_message;
        if let Some(limit) = limit.filter(|&limit| converted.rendered.len() > limit) {
            let detail = format!("{} bytes; the target takes {limit}", converted.rendered.len());
            return Ok(self.set_aside(listed, SetAside::new(SetAsideReason::TooLarge, detail)));
        }
        let mut losses = mem::take(&mut converted.losses);
        if !self.traits.keywords {
            let keywords = converted.flags.keywords.iter();
            losses.extend(keywords.map(|keyword| Loss::new(LossKind::KeywordRefused, keyword)));
        }
        let rendered = Arc::new(mem::take(&mut converted.rendered));
        let takes_place_of = None;
        let message =
            Message { rendered, object: kind, source_digest: digest, twin, takes_place_of, converted };
        Ok(self.prepared(listed, losses, Work::Deliver(Box::new(message))))
    }

    /// Why an opened item is not carried; what is at the target already is kept up to date.
    pub fn left_out(&self, item: &SourceItem, entry: Option<&Entry>) -> Option<LeftOut> {
        let Settings { filter, now_unix_ms, .. } = self.settings;
        if filter.is_empty() || entry.is_some_and(|entry| !entry.placements.is_empty()) {
            return None;
        }
        let Content::Note { note, .. } = &item.content;
        conversion::left_out(note, &item.related, filter, *now_unix_ms)
    }

    /// An item that cannot be delivered.
    pub fn set_aside(&self, listed: &ListedItem, aside: SetAside) -> Prepared {
        self.prepared(listed, Vec::new(), Work::SetAside(aside))
    }

    fn prepared(&self, listed: &ListedItem, losses: Vec<Loss>, work: Work) -> Prepared {
        Prepared {
            key: self.key(listed.origin),
            version: listed.version,
            filing: filing_digest(listed, self.folders),
            unread: listed.unread,
            losses,
            about: About::default(),
            work,
            hold: None,
        }
    }

    /// The line of an item.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn entry(&self, origin: Origin) -> Result<Option<Entry>, StoreError> {
        self.ledger.map_or(Ok(None), |ledger| ledger.entry(&self.key(origin)))
    }

    fn key(&self, origin: Origin) -> ItemKey {
        ItemKey { mailbox: self.settings.mailbox.clone(), origin }
    }
}

impl Settings {
    /// The settings of a pass that has no number, over a mailbox at the destination.
    pub fn new(mailbox: MailboxId, now_unix_ms: i64) -> Self {
        let (filter, folder_map) = (Filter::default(), FolderMap::default());
        Self { mailbox, now_unix_ms, pass: None, filter, folder_map }
    }
}
