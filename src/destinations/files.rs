//! What destinations made of files share: durable writing, what an error means, the key inside a stored message.

use crate::base::files::sync_folder;
use crate::base::limits::KEY_HEADER_BYTES;
use crate::destinations::{DeliverError, DestinationError, KEY_HEADER};
use crate::model::delivery::{Delivery, InFlight, Location};
use crate::model::folder::FolderPath;
use crate::model::item::{Origin, PlacementId};
use crate::model::rendered::Rendered;
use std::collections::{BTreeSet, HashMap};
use std::fs::{self, File, FileTimes};
use std::io::{self, BufRead, BufReader, BufWriter, ErrorKind, Read, Write};
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Threads that make the files of a batch durable: journalling file systems answer many callers with one commit.
const SYNC_THREADS: usize = 16;

/// Writes the messages of a batch into new files and makes them durable; a file whose writing fails is taken away.
/// The modification time of a file is the INTERNALDATE of its message, as IMAP servers on files take it from there.
pub fn write_batch(
    batch: &[Delivery],
    path: impl Fn(&Delivery) -> PathBuf,
) -> Vec<Result<PathBuf, DeliverError>> {
    let write = |delivery: &Delivery| {
        let path = path(delivery);
        let file = write_file(&path, &delivery.rendered, delivery.internal_date_ms);
        (path, file)
    };
    let written: Vec<_> = batch.iter().map(write).collect();
    let synced: Vec<Result<(), DeliverError>> = thread::scope(|scope| {
        let groups = written.chunks(written.len().div_ceil(SYNC_THREADS).max(1));
        let sync = |(_, file): &(PathBuf, Result<File, DeliverError>)| match file {
            Ok(file) => file.sync_all().map_err(deliver_error),
            Err(_) => Ok(()),
        };
        let threads: Vec<_> =
            groups.map(|group| scope.spawn(move || group.iter().map(sync).collect::<Vec<_>>())).collect();
        threads
            .into_iter()
            .flat_map(|thread| thread.join().unwrap_or_else(|panic| resume_unwind(panic)))
            .collect()
    });
    let answer =
        |((path, file), synced): ((PathBuf, Result<File, DeliverError>), Result<(), DeliverError>)| {
            let answer = file.and(synced);
            if answer.is_err() {
                // What is left is a temporary file of ours, which the next `prepare` takes away too.
                let _ = fs::remove_file(&path);
            }
            answer.map(|()| path)
        };
    written.into_iter().zip(synced).map(answer).collect()
}

fn write_file(path: &Path, rendered: &Rendered, internal_date_ms: i64) -> Result<File, DeliverError> {
    let mut out = Watched { file: File::create(path).map_err(deliver_error)?, failed: false };
    let mut buffered = BufWriter::with_capacity(64 << 10, &mut out);
    let written = rendered.write_to(&mut buffered).and_then(|()| buffered.flush());
    drop(buffered);
    match written {
        Err(error) if out.failed => return Err(deliver_error(error)),
        Err(error) => return Err(DeliverError::Source { why: error.to_string() }),
        Ok(()) => {}
    }
    let times = FileTimes::new().set_modified(system_time(internal_date_ms));
    out.file.set_times(times).map_err(deliver_error)?;
    Ok(out.file)
}

/// Remembers whether an error came from the file, to tell it from one of the attachments that are copied into it.
struct Watched {
    file: File,
    failed: bool,
}

impl Write for Watched {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes).inspect_err(|error| self.failed |= error.kind() != ErrorKind::Interrupted)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

fn system_time(unix_ms: i64) -> SystemTime {
    let distance = Duration::from_millis(unix_ms.unsigned_abs());
    let time = if unix_ms < 0 { UNIX_EPOCH.checked_sub(distance) } else { UNIX_EPOCH.checked_add(distance) };
    time.unwrap_or(UNIX_EPOCH)
}

/// Makes a batch durable that was renamed into its folders. Where that fails, nobody knows what a power cut leaves.
pub fn sync_batch(
    batch: &[Delivery],
    answers: &mut [Result<Location, DeliverError>],
    directory: impl Fn(&FolderPath) -> PathBuf,
) {
    let folders: BTreeSet<&FolderPath> = batch.iter().map(|delivery| &delivery.folder).collect();
    for folder in folders {
        if let Err(error) = sync_folder(&directory(folder)) {
            let lost = batch.iter().zip(&mut *answers).filter(|(delivery, _)| delivery.folder == *folder);
            lost.for_each(|(_, answer)| *answer = Err(DeliverError::Unanswered { why: error.to_string() }));
        }
    }
}

/// Where each placement is, by the placement ids in the names of the files that `stored` lists.
pub fn reconcile_by_name(
    in_flight: &[InFlight],
    stored: impl Fn(&FolderPath) -> io::Result<Vec<(PlacementId, Location)>>,
) -> io::Result<Vec<Option<Location>>> {
    let folders: BTreeSet<&FolderPath> = in_flight.iter().map(|record| &record.folder).collect();
    let mut found: HashMap<(&FolderPath, PlacementId), Vec<Location>> = HashMap::new();
    for folder in folders {
        for (id, location) in stored(folder)? {
            found.entry((folder, id)).or_default().push(location);
        }
    }
    let answer = |record: &InFlight| {
        let id = PlacementId::new(&record.key.origin, &record.folder);
        let copies = found.get(&(&record.folder, id))?;
        copies.iter().find(|copy| Some(*copy) != record.replaces.as_ref()).cloned()
    };
    Ok(in_flight.iter().map(answer).collect())
}

/// The location of a file in a directory below the root; the root itself has an empty name.
pub fn location(directory: &str, name: &str) -> Location {
    let path = if directory.is_empty() { name.to_owned() } else { format!("{directory}/{name}") };
    Location::File { path }
}

/// The names of the files in a folder; none when the folder is not there. They are made durable first: what is
/// found here may be noted in a ledger, and then a power cut must not take it away.
pub fn file_names(folder: &Path) -> io::Result<Vec<String>> {
    let entries = match sync_folder(folder).and_then(|()| fs::read_dir(folder)) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry?;
        if let (false, Ok(name)) = (entry.file_type()?.is_dir(), entry.file_name().into_string()) {
            names.push(name);
        }
    }
    Ok(names)
}

/// The origin in the key header of a stored message, and its length; `None` when the file went away meanwhile.
pub fn look_at_message(path: &Path) -> io::Result<Option<(Option<Origin>, u64)>> {
    let file = match File::open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        file => file?,
    };
    let size = file.metadata()?.len();
    Ok(Some((read_key(BufReader::new(file.take(KEY_HEADER_BYTES)))?, size)))
}

fn read_key(mut message: impl BufRead) -> io::Result<Option<Origin>> {
    let mut line = Vec::new();
    loop {
        line.clear();
        let length = message.read_until(b'\n', &mut line)?;
        let text = String::from_utf8_lossy(&line);
        if length == 0 || text.trim_end().is_empty() {
            return Ok(None);
        }
        match text.split_once(':') {
            Some((name, value)) if name.eq_ignore_ascii_case(KEY_HEADER) => {
                return Ok(value.trim().parse().ok());
            }
            _ => {}
        }
    }
}

/// What an error of the file system means for one message.
pub fn deliver_error(error: io::Error) -> DeliverError {
    let why = error.to_string();
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => DeliverError::Full { why },
        ErrorKind::FileTooLarge | ErrorKind::InvalidFilename => DeliverError::Refused { why },
        _ => DeliverError::PutOff { why },
    }
}

/// What an error of the file system means for the destination as a whole.
pub fn destination_error(target: &Path, error: io::Error) -> DestinationError {
    let (target, why) = (target.display().to_string(), error.to_string());
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => DestinationError::Full { target, why },
        _ => DestinationError::Unreachable { target, why },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::blob::{Blob, OpenBlob};
    use crate::model::delivery::Flags;
    use crate::model::item::{ItemKey, MailboxId};
    use crate::model::rendered::{Segment, TransferEncoding};
    use crate::notes::ids::{ReplicaId, Unid};
    use std::sync::Arc;

    #[test]
    fn the_key_is_read_from_the_header_only() {
        let origin = Origin::Notes { replica: ReplicaId(1), unid: Unid([2; 16]) };
        let key = |message: &str| read_key(message.as_bytes()).unwrap();
        for end in ["\r\n", "\n"] {
            let ours = format!("Subject: x{end}x-notesferry-key: {origin}{end}{end}body{end}");
            assert_eq!(key(&ours), Some(origin));
            let quoted = format!("Subject: x{end}{end}X-Notesferry-Key: {origin}{end}");
            assert_eq!(key(&quoted), None);
        }
        assert_eq!(key("X-Notesferry-Key: else\r\n"), None);
    }

    #[test]
    fn a_full_disk_is_told_from_a_refused_message() {
        let error = |kind: ErrorKind| deliver_error(kind.into());
        assert!(matches!(error(ErrorKind::StorageFull), DeliverError::Full { .. }));
        assert!(matches!(error(ErrorKind::QuotaExceeded), DeliverError::Full { .. }));
        assert!(matches!(error(ErrorKind::InvalidFilename), DeliverError::Refused { .. }));
        assert!(matches!(error(ErrorKind::NotFound), DeliverError::PutOff { .. }));
        let full = destination_error(Path::new("/x"), ErrorKind::StorageFull.into());
        assert!(matches!(full, DestinationError::Full { .. }));
    }

    fn delivery(rendered: Rendered, internal_date_ms: i64) -> Delivery {
        let origin = Origin::Notes { replica: ReplicaId(1), unid: Unid([2; 16]) };
        Delivery {
            key: ItemKey { mailbox: MailboxId("test:".to_owned()), origin },
            folder: FolderPath::inbox(),
            rendered: Arc::new(rendered),
            object: None,
            flags: Flags::default(),
            internal_date_ms,
            message_id: String::new(),
            subject: String::new(),
        }
    }

    #[test]
    fn an_attachment_that_cannot_be_read_is_not_the_fault_of_the_disk() {
        struct Gone;
        impl OpenBlob for Gone {
            fn open(&self) -> io::Result<Box<dyn Read + Send + '_>> {
                Err(io::Error::other("gone"))
            }
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("message");
        let blob = Blob::stored(5, b"", Arc::new(Gone));
        let rendered = Rendered::new(vec![Segment::Blob { blob, encoding: TransferEncoding::Identity }]);
        let answers = write_batch(&[delivery(rendered, 0)], |_| path.clone());
        assert!(matches!(answers[..], [Err(DeliverError::Source { .. })]));
        assert!(!path.exists());
    }

    #[test]
    fn the_file_has_the_date_of_the_message() {
        let folder = tempfile::tempdir().unwrap();
        let dates = [-86_400_000, 0, 1_000_000_000_000];
        let batch = dates.map(|date| delivery(Rendered::new(vec![Segment::Bytes(b"x".to_vec())]), date));
        let answers =
            write_batch(&batch, |delivery| folder.path().join(delivery.internal_date_ms.to_string()));
        for (date, answer) in dates.into_iter().zip(answers) {
            assert_eq!(fs::metadata(answer.unwrap()).unwrap().modified().unwrap(), system_time(date));
        }
    }
}
