//! Cut and altered databases: no panic, no hang, no allocation beyond what the file holds.
//!
//! Each variant is read whole by the program itself (all notes, values, attachments, folders, unread marks) in an
//! address space that is capped, with a bound on time that only a hang reaches. The seed is printed; the variant that
//! failed is named, and can be made again from its number.

use crate::support::dxl::{database, exports, forged, outcome, render};
use crate::support::{corpus, long};
use notesferry::conversion::{Context, Directory, convert};
use notesferry::forge::mailbox::{self, MailboxOptions};
use notesferry::forge::version::Version;
use notesferry::sources::Source;
use notesferry::sources::dxl::DxlSource;
use notesferry::sources::nsf::NsfSource;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Far above what a healthy file of a few megabytes needs, far below what a believed size field would ask for.
const ADDRESS_SPACE_BYTES: u64 = 256 << 20;
/// For a whole batch of variants; a healthy batch takes about a second.
const HANG_SECONDS: u32 = 120;
/// Variants that one process reads.
const BATCH: usize = 60;

/// One way to damage a file.
fn damage(bytes: &[u8], variant: usize, cuts: usize, random: &mut fastrand::Rng) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    if variant < cuts {
        bytes.truncate(random.usize(..bytes.len()));
        return bytes;
    }
    for _ in 0..random.usize(1..=8) {
        // Half of the changes hit the first pages, where every structure is rooted.
        let end = if random.bool() { bytes.len().min(0x30000) } else { bytes.len() };
        bytes[random.usize(..end)] = random.u8(..);
    }
    bytes
}

/// Runs the program over a batch; gives the number of documents that it read, or what went wrong.
fn read_batch(paths: &[PathBuf]) -> Result<u64, String> {
    let output = Command::new("timeout")
        .arg(HANG_SECONDS.to_string())
        .args(["prlimit", &format!("--as={ADDRESS_SPACE_BYTES}"), "--"])
        .args([env!("CARGO_BIN_EXE_notesferry"), "inspect", "--json"])
        .args(paths)
        .output()
        .map_err(|error| error.to_string())?;
    // 0: all could be opened; 3: some could not, and said so.
    match output.status.code() {
        Some(0 | 3) => {
            let lines = output.stdout.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
            let count =
                |line| serde_json::from_slice::<serde_json::Value>(line).unwrap()["document_count"].as_u64();
            Ok(lines.map(|line| count(line).unwrap()).sum())
        }
        code => Err(format!("exit {code:?}: {}", String::from_utf8_lossy(&output.stderr))),
    }
}

fn check_file(path: &Path, cuts: usize, changes: usize, seed: u64) -> Vec<String> {
    let bytes = std::fs::read(path).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let name = path.file_name().unwrap().to_string_lossy().into_owned();
    let mut failures = Vec::new();
    let mut documents = 0;
    let numbers: Vec<usize> = (0..cuts + changes).collect();
    for batch in numbers.chunks(BATCH) {
        let paths: Vec<PathBuf> = batch
            .iter()
            .map(|&variant| {
                let mut random = fastrand::Rng::with_seed(seed ^ (variant as u64) << 32 ^ bytes.len() as u64);
                let variant_path = folder.path().join(format!("{variant:05}-{name}"));
                std::fs::write(&variant_path, damage(&bytes, variant, cuts, &mut random)).unwrap();
                variant_path
            })
            .collect();
        if let Ok(read) = read_batch(&paths) {
            documents += read;
        } else {
            let alone =
                paths.iter().filter_map(|path| Some((path, read_batch(std::slice::from_ref(path)).err()?)));
            failures.extend(alone.map(|(path, why)| format!("{}: {why}", path.display())));
        }
        paths.iter().for_each(|path| std::fs::remove_file(path).unwrap());
    }
    // Damage costs the damaged document: a few changed bytes never cost more than a few documents.
    let healthy = read_batch(&[path.to_owned()]).unwrap() * changes as u64;
    if documents < healthy * 9 / 10 {
        failures.push(format!("{name}: only {documents} of {healthy} documents were read"));
    }
    failures
}

/// Checks all files on two threads.
fn check(files: &[PathBuf]) {
    let (cuts, changes) = if long() { (200, 2000) } else { (20, 100) };
    let seed = std::env::var("NOTESFERRY_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(2002);
    println!("seed {seed}: {} files, {cuts} cuts and {changes} changed variants each", files.len());
    let next = AtomicUsize::new(0);
    let failures = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(path) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
                    failures.lock().unwrap().extend(check_file(path, cuts, changes, seed));
                }
            });
        }
    });
    let failures = failures.into_inner().unwrap();
    assert!(failures.is_empty(), "seed {seed}, {} failures:\n{}", failures.len(), failures.join("\n"));
}

#[test]
fn damaged_corpus_databases_are_read_as_far_as_they_go() {
    check(&corpus::databases());
}

#[test]
fn damaged_forged_databases_are_read_as_far_as_they_go() {
    let folder = tempfile::tempdir().unwrap();
    let forge = |version, mails| {
        let path = folder.path().join(format!("{version:?}-{mails}.nsf"));
        mailbox::forge(&path, &MailboxOptions { version, mails, seed: 9 }).unwrap();
        path
    };
    check(&[forge(Version::Ods43, 20), forge(Version::Ods52, 20)]);
}

/// Converts everything that can be opened in a damaged database.
fn convert_all(bytes: Vec<u8>) -> usize {
    let Ok(mut source) = NsfSource::from_bytes(bytes) else { return 0 };
    let _ = source.access();
    let folders = source.folders().unwrap();
    let directory = Directory::default();
    let context = Context {
        all_documents: true,
        folders: &folders,
        ..Context::bare(source.replica_id(), &directory, 1_800_000_000_000)
    };
    let items = source.list(None, 10_000).unwrap().items;
    let opened = items.iter().filter_map(|listed| Some((listed, source.open(listed.id).ok()?)));
    opened
        .map(|(listed, item)| {
            let converted = convert(&item, &listed.folders, listed.unread, &context).unwrap();
            let mut written = Vec::new();
            converted.rendered.write_to(&mut written).unwrap();
            assert_eq!(written.len() as u64, converted.rendered.len());
        })
        .count()
}

#[test]
fn what_is_read_of_damaged_databases_becomes_messages() {
    const VARIANTS: usize = 12;
    let mut messages = 0;
    for path in corpus::databases() {
        let bytes = std::fs::read(&path).unwrap();
        for variant in 0..VARIANTS {
            let mut random = fastrand::Rng::with_seed((variant as u64) << 32 ^ bytes.len() as u64);
            messages += convert_all(damage(&bytes, variant, VARIANTS / 4, &mut random));
        }
    }
    println!("{messages} messages");
}

/// Converts everything that can be opened in a damaged export. What cannot be opened is told.
fn convert_export(bytes: Vec<u8>) -> usize {
    let Ok(mut source) = DxlSource::from_bytes(bytes) else { return 0 };
    let items = source.list(None, u32::MAX).unwrap().items;
    items.iter().filter_map(|listed| source.open(listed.id).ok()).inspect(|item| drop(outcome(item))).count()
}

#[test]
fn what_is_read_of_damaged_exports_becomes_messages() {
    let variants = if long() { 2000 } else { 60 };
    let documents: Vec<String> = forged(40).iter().map(|item| render(item, false)).collect();
    let mut originals = vec![database(&documents).into_bytes()];
    originals.extend(exports().iter().map(|path| std::fs::read(path).unwrap()));
    for (number, bytes) in originals.into_iter().enumerate() {
        let mut read = 0;
        for variant in 0..variants {
            let mut random = fastrand::Rng::with_seed((variant as u64) << 32 ^ bytes.len() as u64);
            read += convert_export(damage(&bytes, variant, variants / 4, &mut random));
        }
        // Damage costs the damaged document: a few changed bytes never cost more than a few documents.
        let expected = if number == 0 { documents.len() * variants / 2 } else { 0 };
        assert!(read >= expected, "only {read} of {expected} documents were read");
    }
}

#[test]
fn an_attachment_larger_than_the_memory_is_carried_from_an_export() {
    const LINES: usize = 700_000;
    const SPACE_BYTES: usize = 40 << 20;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("large.dxl");
    let line = format!("{}\n", "QUJD".repeat(19));
    let text = format!(
        "<document xmlns='http://www.lotus.com/dxl' form='Memo'><item name='$FILE'><object><file name='a.txt' \
         size='{}'><filedata>{}</filedata></file></object></item></document>",
        LINES * 57,
        line.repeat(LINES)
    );
    assert!(text.len() > SPACE_BYTES);
    std::fs::write(&path, text).unwrap();
    let output = Command::new("prlimit")
        .args([&format!("--as={SPACE_BYTES}"), "--", env!("CARGO_BIN_EXE_notesferry"), "migrate"])
        .arg(&path)
        .arg(format!("eml:{}", folder.path().join("out").display()))
        .arg("--state-dir")
        .arg(folder.path().join("state"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
