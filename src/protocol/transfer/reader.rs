//! From chunks to `model`. Used by `server::migration` on what the data buffer kept.

use super::expected::Expected;
use super::open_item::{Fault, OpenItem};
use super::record::{ItemHead, Record};
use super::{Arrived, Chunk, End};
use crate::model::blob::Blob;
use crate::model::content::SourceItemId;
use crate::protocol::action::Action;
use crate::protocol::ids::ChunkNumber;

/// Where a block lies, so that a spool can point at it instead of copying it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    pub chunk: ChunkNumber,
    /// Of the first byte inside the payload.
    pub offset: usize,
}

/// A block of an attachment.
#[derive(Clone, Copy, Debug)]
pub struct FileBlock<'a> {
    /// Counts the items of the answer from 0.
    pub item: u32,
    /// Counts the files of the item from 0.
    pub file: u32,
    /// Of the first byte inside the file; blocks come without gaps.
    pub offset: u64,
    pub bytes: &'a [u8],
    pub place: Place,
}

/// Takes what a reader finds.
pub trait Receiver {
    type Error;

    /// Something is whole.
    ///
    /// # Errors
    /// Whatever keeps it from being taken; reading ends.
    fn arrived(&mut self, arrived: Arrived) -> Result<(), Self::Error>;

    /// A block of an attachment, before the item that it belongs to.
    ///
    /// # Errors
    /// As [`Receiver::arrived`].
    fn file_block(&mut self, block: FileBlock<'_>) -> Result<(), Self::Error>;

    /// All blocks of a file are there, none if `length` is 0: how its bytes can be read from now on.
    ///
    /// # Errors
    /// As [`Receiver::arrived`].
    fn file_end(&mut self, item: u32, file: u32, length: u64) -> Result<Blob, Self::Error>;
}

/// Why chunks give no answer. The action is asked for again; nothing but whole items was handed on.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChunkError {
    #[error("chunk {0} is damaged")]
    Damaged(ChunkNumber),
    #[error("chunk {found} arrived where chunk {due} was due")]
    Number { due: ChunkNumber, found: ChunkNumber },
    #[error("chunk {chunk} holds a record that cannot be decoded: {why}")]
    Record { chunk: ChunkNumber, why: String },
    /// Records in an order that a writer never makes, or counts that do not fit.
    #[error("chunk {chunk} is refused: {why}")]
    Unexpected { chunk: ChunkNumber, why: &'static str },
}

/// Why reading ended.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError<E> {
    #[error(transparent)]
    Chunk(#[from] ChunkError),
    #[error("{0}")]
    Receiver(E),
}

/// Puts the answer to one action in one epoch together.
#[derive(Debug)]
pub struct ChunkReader {
    due: ChunkNumber,
    expected: Expected,
    state: State,
    items: u32,
}

#[derive(Debug)]
enum State {
    Between,
    Inside(Box<OpenItem>),
    /// The end arrived, or an error; nothing more is read.
    Closed,
}

impl ChunkReader {
    /// A reader of the answer to `action`.
    pub fn new(action: &Action) -> Self {
        Self {
            due: ChunkNumber::FIRST,
            expected: Expected::answer_to(action),
            state: State::Between,
            items: 0,
        }
    }

    /// Whether the end arrived (or reading failed).
    pub fn is_closed(&self) -> bool {
        matches!(self.state, State::Closed)
    }

    /// Reads the next chunk and hands on what is whole.
    ///
    /// # Errors
    /// [`ReadError`]; after it every further chunk is refused.
    pub fn read<R: Receiver>(&mut self, chunk: &Chunk, receiver: &mut R) -> Result<(), ReadError<R::Error>> {
        let result = self.read_chunk(chunk, receiver);
        if result.is_err() {
            self.state = State::Closed;
        }
        result
    }

    fn read_chunk<R: Receiver>(
        &mut self,
        chunk: &Chunk,
        receiver: &mut R,
    ) -> Result<(), ReadError<R::Error>> {
        let number = chunk.number();
        if number != self.due {
            return Err(ChunkError::Number { due: self.due, found: number }.into());
        }
        if !chunk.is_intact() {
            return Err(ChunkError::Damaged(number).into());
        }
        self.due = number.next();
        let unexpected = |why| ReadError::Chunk(ChunkError::Unexpected { chunk: number, why });
        let mut rest = chunk.payload();
        while !rest.is_empty() {
            let (record, after) = postcard::take_from_bytes(rest)
                .map_err(|error| ChunkError::Record { chunk: number, why: error.to_string() })?;
            rest = after;
            let end = chunk.payload().len() - rest.len();
            self.record(record, Place { chunk: number, offset: end }, receiver).map_err(
                |fault| match fault {
                    Fault::Unexpected(why) => unexpected(why),
                    Fault::Receiver(error) => ReadError::Receiver(error),
                },
            )?;
        }
        match chunk.is_last() == self.is_closed() {
            true => Ok(()),
            false => Err(unexpected("the mark of the last chunk and the end differ")),
        }
    }

    /// `end` is the place right after the record.
    fn record<R: Receiver>(
        &mut self,
        record: Record<'_>,
        end: Place,
        receiver: &mut R,
    ) -> Result<(), Fault<R::Error>> {
        match std::mem::replace(&mut self.state, State::Closed) {
            State::Closed => Err("a record follows the end".into()),
            State::Between => {
                self.state = State::Between;
                self.outside(record, receiver)
            }
            State::Inside(mut open) => match record {
                Record::ItemEnd(number) => {
                    let (id, item) = open.finish(number)?;
                    self.state = State::Between;
                    self.hand_on(Arrived::Item { id, item }, receiver)
                }
                Record::SetAside(form) => {
                    if form.id != open.id.0 {
                        return Err("another item is set aside than the open one".into());
                    }
                    self.state = State::Between;
                    self.hand_on(Arrived::SetAside { id: open.id, set_aside: form.set_aside() }, receiver)
                }
                part => {
                    open.part(part, end, receiver)?;
                    self.state = State::Inside(open);
                    Ok(())
                }
            },
        }
    }

    fn outside<R: Receiver>(&mut self, record: Record<'_>, receiver: &mut R) -> Result<(), Fault<R::Error>> {
        let arrived = match record {
            Record::Nonce(nonce) => {
                self.expected.nonce(nonce)?;
                Arrived::Nonce(nonce)
            }
            Record::Source(facts) => {
                self.expected.source()?;
                Arrived::Source(facts)
            }
            Record::Folder(form) => {
                self.expected.folder()?;
                Arrived::Folder(form.into())
            }
            Record::Listed(form) => {
                self.expected.line()?;
                Arrived::Listed(form.into())
            }
            Record::SetAside(form) => {
                let id = SourceItemId(form.id);
                self.expected.line().or_else(|_| self.expected.item(id))?;
                Arrived::SetAside { id, set_aside: form.set_aside() }
            }
            Record::ItemHead(head) => return Ok(self.open_item(head)?),
            Record::End(form) => {
                let end = End::from(form);
                self.expected.end(&end)?;
                self.state = State::Closed;
                Arrived::End(end)
            }
            Record::Loss(_)
            | Record::Value(_)
            | Record::ValueBlock(_)
            | Record::Related(_)
            | Record::File(_)
            | Record::FileBlock(_)
            | Record::ItemEnd(_) => return Err("a part of an item without an item".into()),
        };
        self.hand_on(arrived, receiver)
    }

    fn hand_on<R: Receiver>(&self, arrived: Arrived, receiver: &mut R) -> Result<(), Fault<R::Error>> {
        receiver.arrived(arrived).map_err(Fault::Receiver)
    }

    fn open_item(&mut self, head: ItemHead<'_>) -> Result<(), &'static str> {
        self.expected.item(SourceItemId(head.id))?;
        if head.item != self.items {
            return Err("an item has a wrong number");
        }
        self.items = self.items.saturating_add(1);
        self.state = State::Inside(Box::new(OpenItem::new(head)));
        Ok(())
    }
}
