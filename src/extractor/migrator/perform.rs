//! Performing one action: reads the source and writes the answer. No connection, no clock.
//!
//! The same action on the same unchanged source writes the same bytes, so an answer that was cut is begun again and what
//! the server kept of it is not sent twice.

use crate::base::limits::{LIST_PAGE_ITEMS, MESSAGE_LIST_ENTRIES};
use crate::extractor::mailbox::PlaceError;
use crate::model::content::SourceItemId;
use crate::model::loss::{SetAside, SetAsideReason};
use crate::protocol::action::Action;
use crate::protocol::transfer::{Chunk, ChunkWriter, End, Failure, FailureKind, SourceFacts, WriteError};
use crate::sources::{Cursor, Source, SourceError};

/// A source that was opened.
pub type Opened = Box<dyn Source>;

/// Why a source is not opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("{0}")]
    Place(PlaceError),
    #[error(transparent)]
    Source(#[from] SourceError),
}

/// Why an action is not done to its end.
enum Broken<E> {
    /// The answer does not get through.
    Write(WriteError<E>),
    /// The answer says so.
    Failure(Failure),
}

impl<E> From<WriteError<E>> for Broken<E> {
    fn from(error: WriteError<E>) -> Self {
        Self::Write(error)
    }
}

impl<E> From<SourceError> for Broken<E> {
    fn from(error: SourceError) -> Self {
        Self::Failure(source_failure(&error))
    }
}

impl<E> From<OpenError> for Broken<E> {
    fn from(error: OpenError) -> Self {
        Self::Failure(match error {
            OpenError::Source(error) => source_failure(&error),
            OpenError::Place(error) => {
                let kind = match error {
                    PlaceError::Kind(_) => FailureKind::WrongKind,
                    PlaceError::NotBelow(_) | PlaceError::Missing { .. } | PlaceError::Outside(_) => {
                        FailureKind::CannotOpen
                    }
                };
                Failure { kind, detail: error.to_string() }
            }
        })
    }
}

fn source_failure(error: &SourceError) -> Failure {
    let kind = match error {
        SourceError::Open { .. } => FailureKind::CannotOpen,
        SourceError::NotADatabase { .. } | SourceError::TooOld { .. } => FailureKind::WrongKind,
        SourceError::InUse { .. } => FailureKind::InUse,
        SourceError::LocallyEncrypted { .. } => FailureKind::Encrypted,
        SourceError::Read { .. } | SourceError::Unreadable { .. } => FailureKind::ReadFailed,
    };
    Failure { kind, detail: error.to_string() }
}

/// Writes the answer to an action up to its end, which is returned. `open` gives the source where the action needs it.
///
/// # Errors
/// [`WriteError::Send`], where the answer does not get through.
pub fn perform<'a, E, S: FnMut(Chunk) -> Result<(), E>>(
    action: &Action,
    open: impl FnOnce() -> Result<&'a mut Opened, OpenError>,
    writer: &mut ChunkWriter<S>,
) -> Result<End, WriteError<E>> {
    let failure = match answer(action, open, writer) {
        Ok(end) => return Ok(end),
        Err(Broken::Failure(failure)) => failure,
        // A folder whose name has more parts than a message holds, and the like.
        Err(Broken::Write(WriteError::TooLarge(detail))) => Failure { kind: FailureKind::ReadFailed, detail },
        Err(Broken::Write(error)) => return Err(error),
    };
    Ok(End { failure: Some(failure), ..End::default() })
}

fn answer<'a, E, S: FnMut(Chunk) -> Result<(), E>>(
    action: &Action,
    open: impl FnOnce() -> Result<&'a mut Opened, OpenError>,
    writer: &mut ChunkWriter<S>,
) -> Result<End, Broken<E>> {
    match action {
        Action::Test { nonce } => {
            writer.nonce(*nonce)?;
            Ok(End::default())
        }
        Action::ListFolders => list_folders(open()?.as_mut(), writer),
        Action::ListItems { after, limit } => list_items(open()?.as_mut(), *after, *limit, writer),
        Action::GetItems { ids, max_bytes } => get_items(open()?.as_mut(), ids, *max_bytes, writer),
        Action::Wait { .. } | Action::Stop | Action::Done => Ok(End::default()),
        Action::Unknown(number) => {
            let detail = format!("this extractor does not know action {number}");
            Err(Broken::Failure(Failure { kind: FailureKind::NotUnderstood, detail }))
        }
    }
}

fn list_folders<E, S: FnMut(Chunk) -> Result<(), E>>(
    source: &mut dyn Source,
    writer: &mut ChunkWriter<S>,
) -> Result<End, Broken<E>> {
    let mut info = source.info();
    info.warnings.truncate(MESSAGE_LIST_ENTRIES);
    let in_use = info.in_use.clone();
    writer.source(&SourceFacts {
        title: info.title,
        owner: info.owner,
        warnings: info.warnings,
        in_use: info.in_use,
    })?;
    if let Some(detail) = in_use {
        return Err(Broken::Failure(Failure { kind: FailureKind::InUse, detail }));
    }
    source.folders()?.iter().try_for_each(|folder| writer.folder(folder))?;
    Ok(End { changed: changed(source), ..End::default() })
}

fn list_items<E, S: FnMut(Chunk) -> Result<(), E>>(
    source: &mut dyn Source,
    after: Option<SourceItemId>,
    limit: u32,
    writer: &mut ChunkWriter<S>,
) -> Result<End, Broken<E>> {
    // A program that opened it since its folders were listed may hold back what it writes.
    if let Some(detail) = source.info().in_use {
        return Err(Broken::Failure(Failure { kind: FailureKind::InUse, detail }));
    }
    let page = source.list(after.map(Cursor), limit.min(LIST_PAGE_ITEMS))?;
    page.items.iter().try_for_each(|listed| writer.listed(listed))?;
    for (id, why) in page.unreadable {
        writer.set_aside(id, &SetAside::new(SetAsideReason::UnreadableNote, why))?;
    }
    Ok(End { next: page.next.map(|Cursor(last)| last), changed: changed(source), failure: None })
}

/// Writes items until `max_bytes` are passed; the server asks for the rest.
fn get_items<E, S: FnMut(Chunk) -> Result<(), E>>(
    source: &mut dyn Source,
    ids: &[SourceItemId],
    max_bytes: u64,
    writer: &mut ChunkWriter<S>,
) -> Result<End, Broken<E>> {
    for &id in ids {
        let set_aside = match source.open(id) {
            Ok(item) => match writer.item(id, &item) {
                Ok(()) => None,
                Err(WriteError::Send(error)) => return Err(Broken::Write(WriteError::Send(error))),
                Err(WriteError::TooLarge(why)) => Some(SetAside::new(SetAsideReason::TooLarge, why)),
                Err(WriteError::File { name, error }) => {
                    let why = format!("{name} cannot be read: {error}");
                    Some(SetAside::new(SetAsideReason::UnreadableNote, why))
                }
            },
            Err(SourceError::Unreadable { why, .. }) => {
                Some(SetAside::new(SetAsideReason::UnreadableNote, why))
            }
            Err(error) => return Err(error.into()),
        };
        set_aside.map_or(Ok(()), |set_aside| writer.set_aside(id, &set_aside))?;
        if writer.written_bytes() >= max_bytes {
            break;
        }
    }
    Ok(End { changed: changed(source), ..End::default() })
}

/// Whether the source changed since it was opened; one that cannot be looked at any more did.
fn changed(source: &mut dyn Source) -> Option<String> {
    source.changed().unwrap_or_else(|error| Some(error.to_string()))
}
