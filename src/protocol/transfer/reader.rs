//! From chunks to `model`. Used by `server::migration` on what the data buffer kept.

use super::record::{
    BodyForm, FileBlockForm, FileHead, ItemHead, LossForm, Parts, Record, ValueBlock, ValueHead,
};
use super::{Arrived, Chunk, End, weight};
use crate::base::limits::NOTE_BYTES;
use crate::model::blob::Blob;
use crate::model::content::{Content, File, FileBody, SourceItem, SourceItemId};
use crate::model::loss::Loss;
use crate::notes::file_object::FileObject;
use crate::notes::item::Item;
use crate::protocol::action::Action;
use crate::protocol::ids::ChunkNumber;
use std::collections::VecDeque;

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

/// What the action allows to arrive.
#[derive(Debug)]
enum Expected {
    Nonce(u64),
    Source,
    Folders,
    /// So many lines more.
    Listing(u32),
    Items {
        ids: VecDeque<SourceItemId>,
        arrived: bool,
    },
    /// Only the end.
    Nothing,
}

#[derive(Debug)]
enum State {
    Between,
    Inside(Box<OpenItem>),
    /// The end arrived, or an error; nothing more is read.
    Closed,
}

/// An item of which parts are still to come.
#[derive(Debug)]
struct OpenItem {
    id: SourceItemId,
    number: u32,
    item: SourceItem,
    left: Parts,
    weight: u64,
    /// Bytes of the last item's value that are still to come.
    value_left: u64,
    file: Option<OpenFile>,
}

#[derive(Debug)]
struct OpenFile {
    descriptor: FileObject,
    number: u32,
    length: u64,
    received: u64,
}

/// What a record may be refused for, before the chunk is named.
enum Fault<E> {
    Unexpected(&'static str),
    Receiver(E),
}

impl<E> From<&'static str> for Fault<E> {
    fn from(why: &'static str) -> Self {
        Self::Unexpected(why)
    }
}

impl ChunkReader {
    /// A reader of the answer to `action`.
    pub fn new(action: &Action) -> Self {
        let expected = match action {
            Action::Test { nonce } => Expected::Nonce(*nonce),
            Action::ListFolders => Expected::Source,
            Action::ListItems { limit, .. } => Expected::Listing(*limit),
            Action::GetItems { ids, .. } => {
                Expected::Items { ids: ids.iter().copied().collect(), arrived: false }
            }
            Action::Wait { .. } | Action::Stop | Action::Done | Action::Unknown(_) => Expected::Nothing,
        };
        Self { due: ChunkNumber::FIRST, expected, state: State::Between, items: 0 }
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
                self.expect_nonce(nonce)?;
                Arrived::Nonce(nonce)
            }
            Record::Source(facts) => {
                self.expect_source()?;
                Arrived::Source(facts)
            }
            Record::Folder(form) => {
                self.expect_folder()?;
                Arrived::Folder(form.into())
            }
            Record::Listed(form) => {
                self.expect_line()?;
                Arrived::Listed(form.into())
            }
            Record::SetAside(form) => {
                let id = SourceItemId(form.id);
                self.expect_line().or_else(|_| self.expect_item(id))?;
                Arrived::SetAside { id, set_aside: form.set_aside() }
            }
            Record::ItemHead(head) => return Ok(self.open_item(head)?),
            Record::End(form) => {
                let end = End::from(form);
                self.expect_end(&end)?;
                self.state = State::Closed;
                Arrived::End(end)
            }
            Record::Loss(_)
            | Record::Value(_)
            | Record::ValueBlock(_)
            | Record::File(_)
            | Record::FileBlock(_)
            | Record::ItemEnd(_) => return Err("a part of an item without an item".into()),
        };
        self.hand_on(arrived, receiver)
    }

    fn hand_on<R: Receiver>(&self, arrived: Arrived, receiver: &mut R) -> Result<(), Fault<R::Error>> {
        receiver.arrived(arrived).map_err(Fault::Receiver)
    }

    fn expect_nonce(&mut self, nonce: u64) -> Result<(), &'static str> {
        match self.expected {
            Expected::Nonce(asked) if asked == nonce => {
                self.expected = Expected::Nothing;
                Ok(())
            }
            _ => Err("a number that was not asked for"),
        }
    }

    fn expect_source(&mut self) -> Result<(), &'static str> {
        match self.expected {
            Expected::Source => {
                self.expected = Expected::Folders;
                Ok(())
            }
            _ => Err("facts of a source that were not asked for"),
        }
    }

    fn expect_folder(&self) -> Result<(), &'static str> {
        match self.expected {
            Expected::Folders => Ok(()),
            _ => Err("a folder that was not asked for"),
        }
    }

    fn expect_line(&mut self) -> Result<(), &'static str> {
        match &mut self.expected {
            Expected::Listing(left) if *left > 0 => {
                *left -= 1;
                Ok(())
            }
            _ => Err("a line of the listing that was not asked for"),
        }
    }

    /// Items arrive in the order in which they were asked for.
    fn expect_item(&mut self, id: SourceItemId) -> Result<(), &'static str> {
        match &mut self.expected {
            Expected::Items { ids, arrived } if ids.front() == Some(&id) => {
                ids.pop_front();
                *arrived = true;
                Ok(())
            }
            _ => Err("an item that was not asked for"),
        }
    }

    /// An answer may leave out items at its end (they are asked for again), but it always brings one further.
    fn expect_end(&self, end: &End) -> Result<(), &'static str> {
        if end.next.is_some() && !matches!(self.expected, Expected::Listing(_)) {
            return Err("a next page where there are no pages");
        }
        let whole = match &self.expected {
            Expected::Nonce(_) | Expected::Source => false,
            Expected::Items { ids, arrived } => *arrived || ids.is_empty(),
            Expected::Folders | Expected::Listing(_) | Expected::Nothing => true,
        };
        match whole || end.failure.is_some() {
            true => Ok(()),
            false => Err("the end comes before the answer"),
        }
    }

    fn open_item(&mut self, head: ItemHead<'_>) -> Result<(), &'static str> {
        let (id, number) = (SourceItemId(head.id), head.item);
        self.expect_item(id)?;
        if number != self.items {
            return Err("an item has a wrong number");
        }
        self.items = self.items.saturating_add(1);
        let (item, left) = head.into_item();
        let open = OpenItem { id, number, item, left, weight: 0, value_left: 0, file: None };
        self.state = State::Inside(Box::new(open));
        Ok(())
    }
}

impl OpenItem {
    fn part<R: Receiver>(
        &mut self,
        record: Record<'_>,
        end: Place,
        receiver: &mut R,
    ) -> Result<(), Fault<R::Error>> {
        match record {
            Record::Loss(form) => Ok(self.loss(&form)?),
            Record::Value(head) => Ok(self.value(&head)?),
            Record::ValueBlock(block) => Ok(self.value_block(&block)?),
            Record::File(head) => self.open_file(&head, receiver),
            Record::FileBlock(block) => self.file_block(&block, end, receiver),
            Record::Nonce(_)
            | Record::Source(_)
            | Record::Folder(_)
            | Record::Listed(_)
            | Record::SetAside(_)
            | Record::ItemHead(_)
            | Record::ItemEnd(_)
            | Record::End(_) => Err("an item is not finished".into()),
        }
    }

    /// Counts one of the parts that were announced, after all of the kinds before it.
    fn count(&mut self, bytes: usize, kind: fn(&mut Parts) -> &mut u32) -> Result<(), &'static str> {
        if self.value_left > 0 || self.file.is_some() {
            return Err("a value or file is not finished");
        }
        self.weight += weight(bytes);
        if self.weight > NOTE_BYTES {
            return Err("the note is too large");
        }
        let left = kind(&mut self.left);
        *left = left.checked_sub(1).ok_or("more parts than were announced")?;
        Ok(())
    }

    fn loss(&mut self, form: &LossForm<'_>) -> Result<(), &'static str> {
        self.count(form.detail.len(), |left| &mut left.losses)?;
        self.item.losses.push(Loss::from(form));
        Ok(())
    }

    fn value(&mut self, head: &ValueHead<'_>) -> Result<(), &'static str> {
        if self.left.losses > 0 {
            return Err("values come after the losses");
        }
        let left =
            head.length.checked_sub(head.bytes.len() as u64).ok_or("a value is longer than announced")?;
        if left > NOTE_BYTES {
            return Err("the note is too large");
        }
        self.count(head.name.len() + head.bytes.len(), |left| &mut left.items)?;
        self.value_left = left;
        self.items().push(head.item());
        Ok(())
    }

    fn value_block(&mut self, block: &ValueBlock<'_>) -> Result<(), &'static str> {
        let count = block.bytes.len() as u64;
        if count == 0 || count > self.value_left {
            return Err("a block without a value");
        }
        self.weight += count;
        if self.weight > NOTE_BYTES {
            return Err("the note is too large");
        }
        self.value_left -= count;
        let value = self.items().last_mut().map(|item| &mut item.value).ok_or("a block without a value")?;
        if value.len() as u64 != block.offset {
            return Err("a block of a value is missing");
        }
        value.extend_from_slice(block.bytes);
        Ok(())
    }

    fn open_file<R: Receiver>(
        &mut self,
        head: &FileHead<'_>,
        receiver: &mut R,
    ) -> Result<(), Fault<R::Error>> {
        if self.left.losses > 0 || self.left.items > 0 {
            return Err("files come after the values".into());
        }
        let lost = match &head.body {
            BodyForm::Read(_) => 0,
            BodyForm::Lost(loss) => loss.detail.len(),
        };
        self.count(head.name.len() + lost, |left| &mut left.files)?;
        let (descriptor, number) = (head.descriptor(), self.files().len() as u32);
        match &head.body {
            BodyForm::Lost(loss) => {
                let body = FileBody::Lost(loss.into());
                self.files().push(File { descriptor, body });
                Ok(())
            }
            &BodyForm::Read(length) => {
                self.close_file(OpenFile { descriptor, number, length, received: 0 }, receiver)
            }
        }
    }

    fn file_block<R: Receiver>(
        &mut self,
        block: &FileBlockForm<'_>,
        end: Place,
        receiver: &mut R,
    ) -> Result<(), Fault<R::Error>> {
        let mut file = self.file.take().ok_or("a block without a file")?;
        if (block.item, block.file, block.offset) != (self.number, file.number, file.received) {
            return Err("a block of a file is missing".into());
        }
        let count = block.bytes.len();
        if count == 0 || count as u64 > file.length - file.received {
            return Err("a file is longer than announced".into());
        }
        file.received += count as u64;
        let place = Place { offset: end.offset - count, ..end };
        let &FileBlockForm { item, file: number, offset, bytes } = block;
        receiver
            .file_block(FileBlock { item, file: number, offset, bytes, place })
            .map_err(Fault::Receiver)?;
        self.close_file(file, receiver)
    }

    /// Makes a file that is all there a part of the item; keeps it open otherwise.
    fn close_file<R: Receiver>(&mut self, file: OpenFile, receiver: &mut R) -> Result<(), Fault<R::Error>> {
        if file.received < file.length {
            self.file = Some(file);
            return Ok(());
        }
        let blob = receiver.file_end(self.number, file.number, file.length).map_err(Fault::Receiver)?;
        assert_eq!(blob.len(), file.length, "the receiver gives back what it took");
        self.files().push(File { descriptor: file.descriptor, body: FileBody::Read(blob) });
        Ok(())
    }

    fn finish(self, number: u32) -> Result<(SourceItemId, Box<SourceItem>), &'static str> {
        let nothing = Parts { losses: 0, items: 0, files: 0 };
        let whole = self.left == nothing && self.value_left == 0 && self.file.is_none();
        match whole && number == self.number {
            true => Ok((self.id, Box::new(self.item))),
            false => Err("an item ends before its parts"),
        }
    }

    fn items(&mut self) -> &mut Vec<Item> {
        let Content::Note { note, .. } = &mut self.item.content;
        &mut note.items
    }

    fn files(&mut self) -> &mut Vec<File> {
        let Content::Note { files, .. } = &mut self.item.content;
        files
    }
}
