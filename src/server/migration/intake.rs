//! From chunks to whole items: the answer to one action in one epoch, as it arrives.
//!
//! Used by the migration service. Large files stay in the spool and are read from there when their message is written;
//! whatever is handed on comes with the chunks that it lies in, which keep their place until they are dropped
//! (invariant B).

use crate::base::ids::{ChunkNumber, Epoch};
use crate::base::limits::SPOOLED_FILE_FROM_BYTES;
use crate::buffers::data::SpooledChunk;
use crate::model::blob::{Blob, OpenBlob};
use crate::protocol::action::Action;
use crate::protocol::transfer::{Arrived, Chunk, ChunkReader, FileBlock, ReadError, Receiver};
use crate::store::spool::Part;
use std::convert::Infallible;
use std::io::{self, Read};
use std::mem;
use std::sync::Arc;

/// Something that arrived and the chunks that its bytes lie in.
pub type Arrival = (Arrived, Vec<SpooledChunk>);

/// The answer that is arriving.
pub struct Intake {
    pub epoch: Epoch,
    reader: ChunkReader,
    file: OpenFile,
    /// The chunks since the last thing that was whole.
    chunks: Vec<SpooledChunk>,
}

impl Intake {
    /// The answer to `action` in one epoch, from its first chunk.
    pub fn new(action: &Action, epoch: Epoch) -> Self {
        let file = OpenFile::default();
        Self { epoch, reader: ChunkReader::new(action), file, chunks: Vec::new() }
    }

    /// What the next chunk makes whole.
    ///
    /// # Errors
    /// Why the chunk was refused; then the whole answer has to come again.
    pub fn read(&mut self, spooled: &SpooledChunk, chunk: &Chunk) -> Result<Vec<Arrival>, String> {
        self.chunks.push(spooled.clone());
        let Self { file, chunks, .. } = self;
        let mut gather = Gather { spooled, file, chunks, arrived: Vec::new() };
        match self.reader.read(chunk, &mut gather) {
            Ok(()) => Ok(gather.arrived),
            Err(ReadError::Chunk(error)) => Err(error.to_string()),
            Err(ReadError::Receiver(never)) => match never {},
        }
    }
}

/// The file whose blocks are arriving.
#[derive(Default)]
struct OpenFile {
    /// All of it while it is small, then its head.
    start: Vec<u8>,
    pieces: Vec<Piece>,
}

/// Where a part of a file lies.
struct Piece {
    chunk: SpooledChunk,
    offset: usize,
    length: usize,
}

struct Gather<'a> {
    spooled: &'a SpooledChunk,
    file: &'a mut OpenFile,
    chunks: &'a mut Vec<SpooledChunk>,
    arrived: Vec<Arrival>,
}

impl Receiver for Gather<'_> {
    type Error = Infallible;

    fn arrived(&mut self, arrived: Arrived) -> Result<(), Infallible> {
        let chunks = mem::replace(self.chunks, vec![self.spooled.clone()]);
        self.arrived.push((arrived, chunks));
        Ok(())
    }

    fn file_block(&mut self, block: FileBlock<'_>) -> Result<(), Infallible> {
        if block.offset == 0 {
            *self.file = OpenFile::default();
        }
        let room = SPOOLED_FILE_FROM_BYTES.saturating_sub(self.file.start.len());
        self.file.start.extend_from_slice(&block.bytes[..block.bytes.len().min(room)]);
        let (chunk, offset) = (self.spooled.clone(), block.place.offset);
        self.file.pieces.push(Piece { chunk, offset, length: block.bytes.len() });
        Ok(())
    }

    fn file_end(&mut self, _item: u32, _file: u32, length: u64) -> Result<Blob, Infallible> {
        if length == 0 {
            return Ok(Blob::memory(Vec::new()));
        }
        let OpenFile { start, pieces } = mem::take(self.file);
        if length == start.len() as u64 {
            return Ok(Blob::memory(start));
        }
        Ok(Blob::stored(length, &start, Arc::new(SpooledFile(pieces))))
    }
}

/// A file in the spool.
struct SpooledFile(Vec<Piece>);

impl OpenBlob for SpooledFile {
    fn open(&self) -> io::Result<Box<dyn Read + Send + '_>> {
        Ok(Box::new(FileReader { pieces: self.0.iter(), piece: None, part: None }))
    }
}

/// Reads a file piece by piece, with a small part of one chunk in memory.
struct FileReader<'a> {
    pieces: std::slice::Iter<'a, Piece>,
    /// The present piece and how much of it was read.
    piece: Option<(&'a Piece, usize)>,
    part: Option<(ChunkNumber, Part)>,
}

impl FileReader<'_> {
    /// The bytes of a chunk from `offset` on, as many as are at hand.
    fn at(&mut self, chunk: &SpooledChunk, offset: u64) -> io::Result<&[u8]> {
        let number = chunk.number();
        let here = |(of, part): &(ChunkNumber, Part)| *of == number && part.from(offset).is_some();
        if !self.part.as_ref().is_some_and(here) {
            self.part = Some((number, chunk.read_part(offset).map_err(io::Error::other)?));
        }
        let bytes = self.part.as_ref().and_then(|(_, part)| part.from(offset));
        bytes.ok_or_else(|| io::Error::other("a spooled chunk is too short"))
    }
}

impl Read for FileReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let (piece, done) = loop {
            match self.piece {
                Some((piece, done)) if done < piece.length => break (piece, done),
                _ => match self.pieces.next() {
                    Some(piece) => self.piece = Some((piece, 0)),
                    None => return Ok(0),
                },
            }
        };
        let bytes = self.at(&piece.chunk, (piece.offset + done) as u64)?;
        let count = bytes.len().min(piece.length - done).min(buffer.len());
        buffer[..count].copy_from_slice(&bytes[..count]);
        self.piece = Some((piece, done + count));
        Ok(count)
    }
}
