//! From `model` to chunks. Used by `extractor::migrator`, which sends each chunk and waits for *kept*.

use super::record::{
    FileBlockForm, FileHead, ItemHead, LossForm, NoteHead, Record, SetAsideForm, ValueBlock, ValueHead,
};
use super::{Chunk, End, SourceFacts, weight};
use crate::base::limits::{CHUNK_BYTES, CHUNK_WRITTEN_BYTES, FILE_BLOCK_BYTES, NOTE_BYTES};
use crate::model::blob::Blob;
use crate::model::content::{Content, File, FileBody, ListedItem, SourceItem, SourceItemId};
use crate::model::folder::Folder;
use crate::model::loss::SetAside;
use crate::notes::document::Note;
use crate::notes::item::Item;
use crate::protocol::ids::ChunkNumber;
use std::io::{self, Read};

/// Room for everything in a block record that is not its bytes.
const BLOCK_HEAD_BYTES: usize = 32;
/// A block shorter than this goes to the next chunk, unless it is the last of its value.
const BLOCK_MIN_BYTES: usize = 4096;

/// Why something could not be written. After all but `Send` the item can be taken back with
/// [`ChunkWriter::set_aside`] and the answer goes on.
#[derive(Debug, thiserror::Error)]
pub enum WriteError<E> {
    /// The chunk did not get through.
    #[error("{0}")]
    Send(E),
    /// An attachment could not be read to its end.
    #[error("{name} cannot be read: {error}")]
    File { name: String, error: io::Error },
    /// The note is larger than [`NOTE_BYTES`], or a text of its head alone larger than a chunk.
    #[error("{0}")]
    TooLarge(String),
}

/// Cuts the answer to one action into chunks and hands each to `send`, which returns when the chunk is kept and may send
/// it as often as it has to. What is to be written in which order is said at [`super`]; the reader refuses anything
/// else.
pub struct ChunkWriter<S> {
    send: S,
    /// Bytes of a chunk; one with a longer record in it is as long as that.
    cut: usize,
    number: ChunkNumber,
    payload: Vec<u8>,
    items: u32,
    sent_bytes: u64,
}

impl<E, S: FnMut(Chunk) -> Result<(), E>> ChunkWriter<S> {
    /// A writer that cuts chunks of [`CHUNK_WRITTEN_BYTES`].
    pub fn new(send: S) -> Self {
        Self::cutting_at(CHUNK_WRITTEN_BYTES, send)
    }

    /// A writer that cuts chunks of so many bytes, at most [`CHUNK_BYTES`].
    pub fn cutting_at(cut: usize, send: S) -> Self {
        let cut = cut.min(CHUNK_BYTES);
        Self { send, cut, number: ChunkNumber::FIRST, payload: Vec::new(), items: 0, sent_bytes: 0 }
    }

    /// Bytes written so far, for the limit of *get items* and for `alive`.
    pub fn written_bytes(&self) -> u64 {
        self.sent_bytes + self.payload.len() as u64
    }

    /// The answer to a test action.
    ///
    /// # Errors
    /// [`WriteError::Send`], here and in all that follow.
    pub fn nonce(&mut self, nonce: u64) -> Result<(), WriteError<E>> {
        self.put(&Record::Nonce(nonce))
    }

    /// What the source says of itself, before its folders.
    ///
    /// # Errors
    /// [`WriteError::TooLarge`] with more warnings than a list holds.
    pub fn source(&mut self, facts: &SourceFacts) -> Result<(), WriteError<E>> {
        self.put(&Record::Source(facts.clone()))
    }

    /// # Errors
    /// [`WriteError::TooLarge`] for a path with more parts than a list holds.
    pub fn folder(&mut self, folder: &Folder) -> Result<(), WriteError<E>> {
        self.put(&Record::Folder(folder.into()))
    }

    /// A line of the listing.
    ///
    /// # Errors
    /// [`WriteError::Send`]
    pub fn listed(&mut self, listed: &ListedItem) -> Result<(), WriteError<E>> {
        self.put(&Record::Listed(listed.into()))
    }

    /// An item that cannot be read, in a listing or in its place among the items; also one whose writing just failed.
    ///
    /// # Errors
    /// [`WriteError::Send`]
    pub fn set_aside(&mut self, id: SourceItemId, set_aside: &SetAside) -> Result<(), WriteError<E>> {
        self.put(&Record::SetAside(SetAsideForm::new(id, set_aside)))
    }

    /// A whole item. Its attachments are read in blocks of at most [`FILE_BLOCK_BYTES`].
    ///
    /// # Errors
    /// See [`WriteError`].
    pub fn item(&mut self, id: SourceItemId, item: &SourceItem) -> Result<(), WriteError<E>> {
        let Content::Note { note, files } = &item.content;
        check_weight(item, note, files)?;
        let number = self.items;
        self.put(&Record::ItemHead(ItemHead::new(number, id, item, note, files)))?;
        self.items += 1;
        item.losses.iter().try_for_each(|loss| self.put(&Record::Loss(LossForm::from(loss))))?;
        note.items.iter().try_for_each(|item| self.value(item))?;
        for related in &item.related {
            self.put(&Record::Related(NoteHead::new(related, &[])))?;
            related.items.iter().try_for_each(|item| self.value(item))?;
        }
        (0..).zip(files).try_for_each(|(file_number, file)| self.file(number, file_number, file))?;
        self.put(&Record::ItemEnd(number))
    }

    /// Ends the answer and sends what is left of it.
    ///
    /// # Errors
    /// [`WriteError::Send`]
    pub fn end(mut self, end: &End) -> Result<(), WriteError<E>> {
        self.put(&Record::End(end.into()))?;
        self.flush(true)
    }

    fn value(&mut self, item: &Item) -> Result<(), WriteError<E>> {
        let mut at = item.value.len().min(FILE_BLOCK_BYTES);
        self.put(&Record::Value(ValueHead::new(item, at)))?;
        while at < item.value.len() {
            let end = at + self.block_bytes(item.value.len() - at);
            self.put(&Record::ValueBlock(ValueBlock { offset: at as u64, bytes: &item.value[at..end] }))?;
            at = end;
        }
        Ok(())
    }

    fn file(&mut self, item: u32, number: u32, file: &File) -> Result<(), WriteError<E>> {
        self.put(&Record::File(FileHead::from(file)))?;
        let FileBody::Read(blob) = &file.body else { return Ok(()) };
        self.blocks(item, number, blob).map_err(|error| match error {
            BlockError::Write(error) => error,
            BlockError::Read(error) => WriteError::File { name: file.descriptor.name.text.clone(), error },
        })
    }

    fn blocks(&mut self, item: u32, file: u32, blob: &Blob) -> Result<(), BlockError<E>> {
        let mut reader = blob.open().map_err(BlockError::Read)?;
        let mut block = vec![0; blob.len().min(FILE_BLOCK_BYTES as u64) as usize];
        let mut offset = 0;
        while offset < blob.len() {
            let left = usize::try_from(blob.len() - offset).unwrap_or(usize::MAX);
            let bytes = &mut block[..self.block_bytes(left)];
            reader.read_exact(bytes).map_err(BlockError::Read)?;
            self.put(&Record::FileBlock(FileBlockForm { item, file, offset, bytes }))
                .map_err(BlockError::Write)?;
            offset += bytes.len() as u64;
        }
        match reader.read(&mut [0]).map_err(BlockError::Read)? {
            0 => Ok(()),
            _ => Err(BlockError::Read(io::Error::other("it is longer than its length says"))),
        }
    }

    /// How long the next block of `left` bytes is: what fills the chunk, if that is worth a block.
    fn block_bytes(&self, left: usize) -> usize {
        let room = self.cut.saturating_sub(self.payload.len() + BLOCK_HEAD_BYTES);
        let most = if room < BLOCK_MIN_BYTES { FILE_BLOCK_BYTES } else { room.min(FILE_BLOCK_BYTES) };
        left.min(most)
    }

    fn put(&mut self, record: &Record<'_>) -> Result<(), WriteError<E>> {
        let bytes = postcard::to_stdvec(record).map_err(|error| WriteError::TooLarge(error.to_string()))?;
        if bytes.len() > CHUNK_BYTES {
            return Err(WriteError::TooLarge(format!("a record has {} bytes", bytes.len())));
        }
        // A longer record has a chunk of its own.
        if !self.payload.is_empty() && self.payload.len() + bytes.len() > self.cut {
            self.flush(false)?;
        }
        self.payload.extend(bytes);
        Ok(())
    }

    fn flush(&mut self, last: bool) -> Result<(), WriteError<E>> {
        let payload = std::mem::take(&mut self.payload);
        self.sent_bytes += payload.len() as u64;
        let chunk = Chunk::new(self.number, last, payload);
        self.number = self.number.next();
        (self.send)(chunk).map_err(WriteError::Send)
    }
}

/// Tells a block that was not read from one that was not written.
enum BlockError<E> {
    Read(io::Error),
    Write(WriteError<E>),
}

/// Refuses before its first byte what the reader would refuse.
fn check_weight<E>(item: &SourceItem, note: &Note, files: &[File]) -> Result<(), WriteError<E>> {
    let related = item.related.iter();
    let heads = related.clone().map(|_| weight(0));
    let items = note.items.iter().chain(related.flat_map(|note| &note.items));
    let values = items.map(|item| weight(item.name.len() + item.value.len()));
    let losses = item.losses.iter().map(|loss| weight(loss.detail.len()));
    let files = files.iter().map(|file| {
        let lost = match &file.body {
            FileBody::Read(_) => 0,
            FileBody::Lost(loss) => loss.detail.len(),
        };
        weight(file.descriptor.name.text.len() + lost)
    });
    let sum: u64 = values.chain(heads).chain(losses).chain(files).sum();
    if sum > NOTE_BYTES {
        return Err(WriteError::TooLarge(format!(
            "the note has {sum} bytes, at most {NOTE_BYTES} are taken"
        )));
    }
    Ok(())
}
