//! An item whose parts are arriving: their order, counts and sizes.
//!
//! Memory grows with what has arrived and never with what was announced, and ends at [`NOTE_BYTES`].

use super::reader::{FileBlock, Place, Receiver};
use super::record::{
    BodyForm, FileBlockForm, FileHead, ItemHead, LossForm, NoteHead, Parts, Record, ValueBlock, ValueHead,
};
use super::weight;
use crate::base::limits::NOTE_BYTES;
use crate::model::content::{Content, File, FileBody, SourceItem, SourceItemId};
use crate::model::loss::Loss;
use crate::notes::file_object::FileObject;
use crate::notes::item::Item;

/// An item of which parts are still to come.
#[derive(Debug)]
pub struct OpenItem {
    pub id: SourceItemId,
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
pub enum Fault<E> {
    Unexpected(&'static str),
    Receiver(E),
}

impl<E> From<&'static str> for Fault<E> {
    fn from(why: &'static str) -> Self {
        Self::Unexpected(why)
    }
}

impl OpenItem {
    /// The item of a head, all of whose parts are still to come.
    pub fn new(head: ItemHead<'_>) -> Self {
        let (id, number) = (SourceItemId(head.id), head.item);
        let (item, left) = head.into_item();
        Self { id, number, item, left, weight: 0, value_left: 0, file: None }
    }

    /// Takes one part; `end` is the place right after its record.
    pub fn part<R: Receiver>(
        &mut self,
        record: Record<'_>,
        end: Place,
        receiver: &mut R,
    ) -> Result<(), Fault<R::Error>> {
        match record {
            Record::Loss(form) => Ok(self.loss(&form)?),
            Record::Value(head) => Ok(self.value(&head)?),
            Record::ValueBlock(block) => Ok(self.value_block(&block)?),
            Record::Related(head) => Ok(self.related(head)?),
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

    fn related(&mut self, head: NoteHead) -> Result<(), &'static str> {
        if self.left.losses > 0 || self.left.items > 0 {
            return Err("a related document comes after the values before it");
        }
        self.count(0, |left| &mut left.related)?;
        self.left.items = head.items();
        self.item.related.push(head.into());
        Ok(())
    }

    fn open_file<R: Receiver>(
        &mut self,
        head: &FileHead<'_>,
        receiver: &mut R,
    ) -> Result<(), Fault<R::Error>> {
        if self.left.losses > 0 || self.left.items > 0 || self.left.related > 0 {
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

    /// The whole item.
    pub fn finish(self, number: u32) -> Result<(SourceItemId, Box<SourceItem>), &'static str> {
        let nothing = Parts { losses: 0, items: 0, related: 0, files: 0 };
        let whole = self.left == nothing && self.value_left == 0 && self.file.is_none();
        match whole && number == self.number {
            true => Ok((self.id, Box::new(self.item))),
            false => Err("an item ends before its parts"),
        }
    }

    /// The items of the note that is arriving.
    fn items(&mut self) -> &mut Vec<Item> {
        let Content::Note { note, .. } = &mut self.item.content;
        self.item.related.last_mut().map_or(&mut note.items, |related| &mut related.items)
    }

    fn files(&mut self) -> &mut Vec<File> {
        let Content::Note { files, .. } = &mut self.item.content;
        files
    }
}
