//! How fast databases are read, in what memory, and how that compares with `sherlock-nsf-parser`.
//!
//! `cargo bench --bench read` measures each database of the corpus and forged ones of 1,000 and 100,000 documents;
//! with `NOTESFERRY_LONG=1` (or `-- --long`) also one of 2 GiB with attachments. Every measurement runs in a child
//! process of this same program, so that their memory does not mix. Figures are printed, nothing is asserted.

#[path = "../support/bulk.rs"]
mod bulk;
#[path = "../support/corpus.rs"]
mod corpus;

use notesferry::model::content::{Content, FileBody, SourceItem};
use notesferry::sources::Source;
use notesferry::sources::nsf::NsfSource;
use std::error::Error;
use std::hint::black_box;
use std::io;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

type Anything<T> = Result<T, Box<dyn Error>>;

/// The first argument of a child process; a reader's name and a file follow.
const CHILD: &str = "measure";
/// A reading that takes longer is ended.
const PATIENCE: Duration = Duration::from_secs(300);
/// Short readings are repeated for this long, and the fastest counts.
const REPEAT: Duration = Duration::from_millis(300);

/// What a reader found in one pass over a database.
#[derive(Clone, Copy, Default)]
struct Found {
    documents: u64,
    attachment_bytes: u64,
}

/// One measurement.
#[derive(Clone, Copy)]
struct Measured {
    found: Found,
    seconds: f64,
    peak_anonymous_bytes: u64,
}

impl Measured {
    fn micros_per_document(&self) -> f64 {
        self.seconds * 1e6 / self.found.documents.max(1) as f64
    }
}

/// Everything of every document, through the contract that migrations use.
fn read_ours(path: &Path) -> Anything<Found> {
    let mut source = NsfSource::open(path)?;
    let mut found = Found::default();
    let mut from = None;
    loop {
        let page = source.list(from, notesferry::base::limits::LIST_PAGE_ITEMS)?;
        for listed in &page.items {
            count(&source.open(listed.id)?, &mut found)?;
        }
        from = page.next;
        if from.is_none() {
            return Ok(found);
        }
    }
}

fn count(item: &SourceItem, found: &mut Found) -> io::Result<()> {
    let Content::Note { note, files } = &item.content;
    found.documents += 1;
    black_box(note);
    for file in files {
        if let FileBody::Read(blob) = &file.body {
            found.attachment_bytes += io::copy(&mut blob.open()?, &mut io::sink())?;
        }
    }
    Ok(())
}

/// As much of it as the other reader can: it wants the whole file in memory.
fn read_sherlock(path: &Path) -> Anything<Found> {
    let bytes = std::fs::read(path)?;
    let database = sherlock_nsf_parser::Database::open(&bytes)?;
    let mut found = Found::default();
    for note in database.enumerate_notes()?.notes.iter().filter(|note| note.header.note_class & 1 != 0) {
        found.documents += 1;
        black_box(database.note_items(note));
        let attachments = database.note_content(note).map(|content| content.attachments).unwrap_or_default();
        found.attachment_bytes += attachments.iter().map(|file| file.data.len() as u64).sum::<u64>();
    }
    Ok(found)
}

/// Runs in the child: reads, and prints the figures in one line.
fn measure(reader: fn(&Path) -> Anything<Found>, path: &Path) -> Anything<()> {
    let start = Instant::now();
    let (mut found, mut fastest) = (Found::default(), Duration::MAX);
    while fastest == Duration::MAX || start.elapsed() < REPEAT {
        let pass = Instant::now();
        found = reader(path)?;
        fastest = fastest.min(pass.elapsed());
    }
    println!("{} {} {}", found.documents, found.attachment_bytes, fastest.as_secs_f64());
    Ok(())
}

/// Measures in a child process; an error says why there are no figures.
fn measured(reader: &str, path: &Path) -> Anything<Measured> {
    let mut child = Command::new(std::env::current_exe()?)
        .args([CHILD, reader])
        .arg(path)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let start = Instant::now();
    let mut peak_anonymous_bytes = 0;
    while child.try_wait()?.is_none() {
        if start.elapsed() > PATIENCE {
            child.kill()?;
        }
        peak_anonymous_bytes = anonymous_bytes(child.id()).max(peak_anonymous_bytes);
        thread::sleep(Duration::from_millis(2));
    }
    let output = child.wait_with_output()?;
    if !output.status.success() {
        return Err(format!("gave up ({})", output.status).into());
    }
    let line = String::from_utf8(output.stdout)?;
    let &[documents, attachment_bytes, seconds] = line.split_whitespace().collect::<Vec<_>>().as_slice()
    else {
        return Err("no figures".into());
    };
    let found = Found { documents: documents.parse()?, attachment_bytes: attachment_bytes.parse()? };
    Ok(Measured { found, seconds: seconds.parse()?, peak_anonymous_bytes })
}

/// The anonymous memory of a process; 0 where the system does not say.
fn anonymous_bytes(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).unwrap_or_default();
    line.split_whitespace().next().and_then(|kib| kib.parse::<u64>().ok()).unwrap_or_default() * 1024
}

fn mib(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

/// One line of the table; gives our figures for the closing lines.
fn report(name: &str, path: &Path) -> Option<Measured> {
    let bytes = path.metadata().map(|meta| meta.len()).unwrap_or_default();
    let name: String = name.chars().take(40).collect();
    let ours = match measured("ours", path) {
        Ok(ours) => ours,
        Err(why) => {
            println!("{name:40} {why}");
            return None;
        }
    };
    print!(
        "{name:40} {:8.1} {:9} {:10.0} {:8.0} {:9.1} {:9.1}",
        mib(bytes),
        ours.found.documents,
        ours.found.documents as f64 / ours.seconds,
        bytes as f64 / 1e6 / ours.seconds,
        mib(ours.found.attachment_bytes),
        mib(ours.peak_anonymous_bytes),
    );
    match measured("sherlock", path) {
        Ok(other) if other.found.documents > 0 => println!(
            " | {:9} {:9.1} {:8.2}",
            other.found.documents,
            mib(other.peak_anonymous_bytes),
            other.micros_per_document() / ours.micros_per_document(),
        ),
        Ok(_) => println!(" | {:9}", 0),
        Err(why) => println!(" | {why}"),
    }
    Some(ours)
}

fn heading() {
    println!("{:40} {:^59} | {:^28}", "", "notesferry", "sherlock-nsf-parser");
    println!(
        "{:40} {:>8} {:>9} {:>10} {:>8} {:>9} {:>9} | {:>9} {:>9} {:>8}",
        "file",
        "MiB",
        "documents",
        "docs/s",
        "MB/s",
        "att. MiB",
        "anon MiB",
        "documents",
        "anon MiB",
        "x ours"
    );
}

fn main() -> Anything<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [first, reader, path] = arguments.as_slice()
        && first == CHILD
    {
        let reader = if reader == "ours" { read_ours } else { read_sherlock };
        return measure(reader, Path::new(path));
    }
    let long = std::env::var_os("NOTESFERRY_LONG").is_some() || arguments.iter().any(|word| word == "--long");
    heading();
    let mut all = Vec::new();
    for path in corpus::databases() {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        all.extend(report(&name, &path));
    }
    let folder = tempfile::tempdir()?;
    let forged = |name: &str, documents, attachments, attachment_bytes| -> Anything<Option<Measured>> {
        let path = folder.path().join("forged.nsf");
        bulk::forge(&path, documents, attachments, attachment_bytes);
        let measured = report(name, &path);
        std::fs::remove_file(&path)?;
        Ok(measured)
    };
    let few = forged("forged: 1,000 small documents", 1_000, 0, 0)?;
    let many = forged("forged: 100,000 small documents", 100_000, 0, 0)?;
    all.extend(few.into_iter().chain(many));
    if long {
        all.extend(forged("forged: 2 GiB with attachments", 2_048, 2_048, 1 << 20)?);
    } else {
        println!("(the file of 2 GiB with attachments is left out: NOTESFERRY_LONG is not set)");
    }
    if let (Some(few), Some(many)) = (few, many) {
        let (few, many) = (few.micros_per_document(), many.micros_per_document());
        println!("time per document: {few:.1} us of 1,000, {many:.1} us of 100,000, ratio {:.2}", many / few);
    }
    let peak = all.iter().map(|one| one.peak_anonymous_bytes).max().unwrap_or_default();
    println!("largest peak of anonymous memory: {:.1} MiB (aim: below 64)", mib(peak));
    println!("x ours: the other reader's time for each document that it finds, as a multiple of our time");
    Ok(())
}
