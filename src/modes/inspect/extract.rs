//! `inspect --attachments`: files of documents, written to a folder under names that cannot leave it.

use super::{PAGE_ITEMS, counted};
use crate::model::content::{Content, File, FileBody, SourceItemId};
use crate::notes::ids::NoteId;
use crate::sources::Source;
use crate::sources::nsf::NsfSource;
use anyhow::Context as _;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Writes the attachments of one note.
pub fn of_note(source: &mut NsfSource, id: NoteId, folder: &Path, out: &mut dyn Write) -> anyhow::Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("the folder {} cannot be made", folder.display()))?;
    let written = write_files(source, SourceItemId(u64::from(id.0)), folder, out)?;
    writeln!(out, "\n{} written to {}", counted(written, "attachment"), folder.display())?;
    Ok(())
}

/// Writes the attachments of all documents.
pub fn of_documents(source: &mut NsfSource, folder: &Path, out: &mut dyn Write) -> anyhow::Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("the folder {} cannot be made", folder.display()))?;
    let (mut written, mut from) = (0, None);
    loop {
        let page = source.list(from, PAGE_ITEMS)?;
        for item in page.items {
            written += write_files(source, item.id, folder, out)?;
        }
        from = page.next;
        if from.is_none() {
            writeln!(out, "\n{} written to {}", counted(written, "attachment"), folder.display())?;
            return Ok(());
        }
    }
}

fn write_files(
    source: &mut NsfSource,
    id: SourceItemId,
    folder: &Path,
    out: &mut dyn Write,
) -> anyhow::Result<u64> {
    let Ok(item) = source.open(id) else { return Ok(0) };
    let Content::Note { files, .. } = &item.content;
    let mut written = 0;
    for file in files {
        match &file.body {
            FileBody::Read(blob) => {
                let (path, mut target) = create_new(folder, &safe_name(file))?;
                io::copy(&mut blob.open()?, &mut target)
                    .with_context(|| format!("{} cannot be written", path.display()))?;
                written += 1;
            }
            FileBody::Lost(loss) => writeln!(out, "  ! {loss}")?,
        }
    }
    Ok(written)
}

/// The name of an attachment without anything that a file system or a shell could misread.
fn safe_name(file: &File) -> String {
    let last = file.descriptor.name.text.rsplit(['/', '\\']).next().unwrap_or_default();
    let allowed = |c: char| if c.is_control() || "<>:\"|?*".contains(c) { '_' } else { c };
    let name: String = last.chars().map(allowed).take(120).collect();
    let name = name.trim_matches(|c: char| c == '.' || c.is_whitespace());
    if name.is_empty() { "attachment".to_owned() } else { name.to_owned() }
}

/// Makes a file that was not there before: the second `a.txt` becomes `a (2).txt`.
fn create_new(folder: &Path, name: &str) -> anyhow::Result<(PathBuf, fs::File)> {
    const MOST: u32 = 100_000;
    let name = Path::new(name);
    let stem = name.file_stem().unwrap_or_default().to_string_lossy();
    let extension = name.extension().map_or(String::new(), |e| format!(".{}", e.to_string_lossy()));
    for number in 1..MOST {
        let number = if number == 1 { String::new() } else { format!(" ({number})") };
        let path = folder.join(format!("{stem}{number}{extension}"));
        match fs::File::create_new(&path) {
            Ok(file) => return Ok((path, file)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error).with_context(|| format!("{} cannot be made", path.display())),
        }
    }
    anyhow::bail!("{} already holds {MOST} files named {}", folder.display(), name.display())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::loss::{Loss, LossKind};
    use crate::notes::file_object::FileObject;

    #[test]
    fn names_stay_in_the_folder() {
        let name = |stored: &[u8]| {
            let mut descriptor = vec![stored.len() as u8, 0];
            descriptor.resize(30, 0);
            descriptor.extend_from_slice(stored);
            let descriptor = FileObject::decode(1, &descriptor).unwrap();
            safe_name(&File { descriptor, body: FileBody::Lost(Loss::new(LossKind::AttachmentMissing, "")) })
        };
        assert_eq!(name(b"../../etc/passwd"), "passwd");
        assert_eq!(name(b"c:\\boot.ini"), "boot.ini");
        assert_eq!(name(b".."), "attachment");
        assert_eq!(name(b"a?b*.txt"), "a_b_.txt");
    }

    #[test]
    fn a_second_file_of_a_name_gets_a_number() {
        let folder = tempfile::tempdir().unwrap();
        for expected in ["a.txt", "a (2).txt", "a (3).txt"] {
            let (path, _) = create_new(folder.path(), "a.txt").unwrap();
            assert_eq!(path, folder.path().join(expected));
        }
    }
}
