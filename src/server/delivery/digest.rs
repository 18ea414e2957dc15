//! What an item says, as digests: two copies of a document in two replicas have the same.

use crate::model::content::{Content, File, FileBody, ListedItem, SourceItem};
use crate::model::filter::Filter;
use crate::model::folder::Folder;
use crate::notes::document::Note;
use crate::notes::item::ItemType;
use blake3::Hasher;
use std::io;

/// The digest over the items of a document (name, flags, type, value), the bytes of its files, and the items of the
/// documents that belong to it: the leader of a series carries them all. Nothing of it depends on the file in which the document lies.
///
/// # Errors
/// When an attachment cannot be read.
pub fn source_digest(item: &SourceItem) -> io::Result<[u8; 32]> {
    let mut hasher = Hasher::new_derive_key("notesferry source 1");
    let Content::Note { note, files } = &item.content;
    add_note(&mut hasher, note);
    files.iter().try_for_each(|file| add_file(&mut hasher, file))?;
    // In no order of their own: where they lie differs between copies of a database.
    let mut related: Vec<&Note> = item.related.iter().collect();
    related.sort_by_key(|note| note.unid);
    related.into_iter().for_each(|note| add_note(&mut hasher, note));
    Ok(*hasher.finalize().as_bytes())
}

fn add_note(hasher: &mut Hasher, note: &Note) {
    hasher.update(&(note.items.len() as u64).to_le_bytes());
    for item in &note.items {
        add_bytes(hasher, item.name.as_bytes());
        hasher.update(&item.flags.0.to_le_bytes());
        hasher.update(&item.item_type.0.to_le_bytes());
        // An object is named by its place in this one file: two bytes of type, then four of the place.
        match (item.item_type, item.value.get(..2), item.value.get(6..)) {
            (ItemType::OBJECT, Some(kind), Some(rest)) => {
                add_bytes(hasher, kind);
                add_bytes(hasher, rest);
            }
            _ => add_bytes(hasher, &item.value),
        }
    }
}

fn add_file(hasher: &mut Hasher, file: &File) -> io::Result<()> {
    match &file.body {
        FileBody::Read(blob) => {
            hasher.update(&blob.len().to_le_bytes());
            io::copy(&mut blob.open()?, hasher)?;
        }
        FileBody::Lost(loss) => add_bytes(hasher, loss.kind.name().as_bytes()),
    }
    Ok(())
}

/// Lengths keep neighbours from running into each other.
fn add_bytes(hasher: &mut Hasher, bytes: &[u8]) {
    hasher.update(&(bytes.len() as u64).to_le_bytes());
    hasher.update(bytes);
}

/// The digest over the folders that list an item, by their titles, because ids differ between copies of a database; and
/// over the versions of the documents that belong to it.
pub fn filing_digest(listed: &ListedItem, folders: &[Folder]) -> [u8; 16] {
    let named = listed.folders.iter().filter_map(|id| folders.iter().find(|folder| folder.id == *id));
    let mut paths: Vec<_> = named.map(|folder| &folder.path).collect();
    paths.sort();
    let mut hasher = Hasher::new_derive_key("notesferry filing 1");
    for path in paths {
        hasher.update(&(path.parts().len() as u64).to_le_bytes());
        path.parts().iter().for_each(|part| add_bytes(&mut hasher, part.as_bytes()));
    }
    if listed.relatives != 0 {
        hasher.update(&listed.relatives.to_le_bytes());
    }
    let mut digest = [0; 16];
    hasher.finalize_xof().fill(&mut digest);
    digest
}

/// The digest of what a filter asks for. A change of its rules takes another name for the key.
pub fn filter_digest(filter: &Filter) -> [u8; 16] {
    let Filter { only, since_unix_ms, before_unix_ms } = filter;
    let mut names: Vec<&str> = only.iter().map(|kind| kind.name()).collect();
    names.sort_unstable();
    names.dedup();
    let mut hasher = Hasher::new_derive_key("notesferry filter 1");
    add_bytes(&mut hasher, names.join(",").as_bytes());
    for time in [since_unix_ms, before_unix_ms] {
        add_bytes(&mut hasher, time.map(i64::to_le_bytes).as_ref().map_or(&[], |bytes| bytes));
    }
    let mut digest = [0; 16];
    hasher.finalize_xof().fill(&mut digest);
    digest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::filter::ItemKind;
    use crate::notes::item::{Item, ItemFlags};

    fn digest(name: &str, item_type: ItemType, value: &[u8]) -> [u8; 32] {
        let item = Item { name: name.to_owned(), flags: ItemFlags(0), item_type, value: value.to_vec() };
        let mut hasher = Hasher::new();
        add_note(&mut hasher, &Note { items: vec![item], ..Note::default() });
        *hasher.finalize().as_bytes()
    }

    #[test]
    fn the_place_of_an_object_is_no_content() {
        let object = |place: u8, size: u8| digest("$FILE", ItemType::OBJECT, &[0, 0, place, 0, 0, 0, size]);
        assert_eq!(object(1, 5), object(2, 5));
        assert_ne!(object(1, 5), object(1, 6));
        let text = |byte: u8| digest("$FILE", ItemType::TEXT, &[0, 0, byte, 0, 0, 0, 5]);
        assert_ne!(text(1), text(2));
    }

    #[test]
    fn filters_that_ask_for_the_same_are_the_same() {
        let filter = |only: &[ItemKind], since_unix_ms, before_unix_ms| {
            filter_digest(&Filter { only: only.to_vec(), since_unix_ms, before_unix_ms })
        };
        let both = filter(&[ItemKind::Mail, ItemKind::Tasks], Some(1), None);
        assert_eq!(both, filter(&[ItemKind::Tasks, ItemKind::Mail], Some(1), None));
        assert_ne!(both, filter(&[ItemKind::Mail], Some(1), None));
        assert_ne!(both, filter(&[ItemKind::Mail, ItemKind::Tasks], None, Some(1)));
        assert_ne!(both, filter(&[ItemKind::Mail, ItemKind::Tasks], Some(2), None));
    }

    #[test]
    fn names_and_values_do_not_run_into_each_other() {
        assert_ne!(digest("a", ItemType::TEXT, b"bc"), digest("ab", ItemType::TEXT, b"c"));
    }
}
