//! How fast documents become messages: small rich-text mail, and mail that is mostly attachments.
//!
//! `cargo bench --bench convert` forges two mailboxes, reads each on one core and prints documents and megabytes a
//! second, with the shares of reading, decoding and conversion, and the memory for a text of 50 MB. Figures are
//! printed, nothing is asserted. `-- profile` converts the small mail for some seconds, for a profiler.

use notesferry::conversion::{Context, Directory, convert};
use notesferry::forge::database::{Attachment, Compression, Options, Writer};
use notesferry::forge::note::{ItemSpec, NoteSpec};
use notesferry::forge::richtext::{Font, ImageKind, RichText, Style};
use notesferry::model::content::{Content, SourceItem};
use notesferry::model::item::Origin;
use notesferry::notes::ids::Unid;
use notesferry::notes::item::ItemType;
use notesferry::notes::richtext::construct::Construct;
use notesferry::notes::richtext::record::Records;
use notesferry::notes::timedate::Timedate;
use notesferry::sources::Source;
use notesferry::sources::nsf::NsfSource;
use std::error::Error;
use std::hint::black_box;
use std::io::{self, Write};
use std::path::Path;
use std::time::{Duration, Instant};

type Anything<T> = Result<T, Box<dyn Error>>;

const SMALL_MAILS: u32 = 4_000;
const LARGE_MAILS: u32 = 150;
const LARGE_ATTACHMENT_BYTES: usize = 3 << 20;
const PROFILED: Duration = Duration::from_secs(10);

fn time(number: u32) -> Timedate {
    Timedate([number, 0x4125_8C00])
}

fn unid(number: u32) -> Unid {
    let mut stored = u64::from(number).wrapping_mul(0x9E37_79B9_7F4A_7C15).to_le_bytes().to_vec();
    stored.extend_from_slice(&time(number).to_stored());
    Unid::from_stored(stored.try_into().unwrap_or_default())
}

fn memo(number: u32) -> NoteSpec {
    NoteSpec::document(unid(number), time(number)).with([
        ItemSpec::text("Form", "Memo"),
        ItemSpec::text("Subject", &format!("Message {number} of many, with a subject of usual length")),
        ItemSpec::text("From", "CN=Jane Doe/OU=Sales/O=Example"),
        ItemSpec::text("INetFrom", "jane.doe@example.com"),
        ItemSpec::texts("SendTo", &["CN=Bob Ray/O=Example", "CN=Ann Lee/O=Example"]),
        ItemSpec::texts("INetSendTo", &["bob.ray@example.com", "ann.lee@example.com"]),
        ItemSpec::time("PostedDate", time(number)),
        ItemSpec::time("DeliveredDate", time(number)),
        ItemSpec::text("$MessageID", &format!("<OF{number:08}@example.com>")),
    ])
}

/// Two to three kilobytes of text as people write it: some looks, a list, a table, a link.
fn small_body(number: u32) -> Vec<u8> {
    let mut rich = RichText::new();
    let sentence = "We should talk about the offer next week, and please bring the figures with you. ";
    for line in 0..12 {
        rich.paragraph(if line % 5 == 4 { Style::Bulleted } else { Style::Left });
        rich.text(Font::PLAIN, sentence);
        rich.text(Font::PLAIN.styled(Font::BOLD), "It matters. ");
        rich.text(Font::PLAIN, sentence);
    }
    if number.is_multiple_of(8) {
        rich.table(&vec![vec!["a cell".to_owned(), "another".to_owned(), "a third".to_owned()]; 4]);
    }
    if number.is_multiple_of(16) {
        rich.image(ImageKind::Gif, 10, 10, &[7; 4_000]);
    }
    rich.url("https://www.example.com/plan", "the plan");
    rich.bytes()
}

fn forge_small(path: &Path) -> Anything<()> {
    let mut writer = Writer::create(path, Options::default())?;
    for number in 0..SMALL_MAILS {
        writer.add_note(&memo(number).with([ItemSpec::rich_text("Body", small_body(number))]))?;
    }
    writer.finish()?;
    Ok(())
}

fn forge_large(path: &Path) -> Anything<()> {
    let mut random = fastrand::Rng::with_seed(1);
    let mut bytes = vec![0; LARGE_ATTACHMENT_BYTES];
    let mut writer = Writer::create(path, Options::default())?;
    for number in 0..LARGE_MAILS {
        random.fill(&mut bytes);
        let mut rich = RichText::new();
        rich.line("The file that you wanted:");
        rich.file("plan.zip", "plan.zip");
        let file = writer.attach(Attachment {
            name: "plan.zip",
            data: &mut &bytes[..],
            bytes: bytes.len() as u64,
            compression: Compression::None,
            flags: Attachment::IN_DOCUMENT,
            modified: time(number),
        })?;
        writer.add_note(&memo(number).with([ItemSpec::rich_text("Body", rich.bytes()), file]))?;
    }
    writer.finish()?;
    Ok(())
}

/// One text of 50 MB.
fn forge_huge(path: &Path) -> Anything<()> {
    let mut writer = Writer::create(path, Options::default())?;
    let items = (0..900).map(|_| {
        let mut rich = RichText::new();
        (0..115).for_each(|_| rich.line(&"words ".repeat(80)));
        ItemSpec::rich_text("Body", rich.bytes())
    });
    let note = items.fold(memo(1), |note, item| note.with([item]));
    writer.add_note(&note)?;
    writer.finish()?;
    Ok(())
}

/// Calls `work` for every document.
fn each(path: &Path, mut work: impl FnMut(SourceItem) -> Anything<()>) -> Anything<u64> {
    let mut source = NsfSource::open(path)?;
    let (mut from, mut documents) = (None, 0);
    loop {
        let page = source.list(from, notesferry::base::limits::LIST_PAGE_ITEMS)?;
        for listed in &page.items {
            work(source.open(listed.id)?)?;
            documents += 1;
        }
        from = page.next;
        if from.is_none() {
            return Ok(documents);
        }
    }
}

/// Decodes every value and every record.
fn decode(item: &SourceItem) {
    let Content::Note { note, .. } = &item.content;
    for item in &note.items {
        black_box(item.value().is_ok());
        if item.item_type == ItemType::COMPOSITE {
            Records::new(&item.value).for_each(|record| drop(black_box(Construct::decode(record))));
        }
    }
}

/// Converts a document, writes its message and gives the bytes of that.
fn render(item: &SourceItem, out: &mut impl Write) -> Anything<u64> {
    let Origin::Notes { replica, .. } = item.origin;
    let directory = Directory::default();
    let context = Context::bare(replica, &directory, 1_800_000_000_000);
    let converted = convert(item, &[], None, &context).map_err(|aside| aside.detail)?;
    converted.rendered.write_to(out)?;
    Ok(converted.rendered.len())
}

/// Seconds of the fastest of some passes.
fn fastest(mut pass: impl FnMut() -> Anything<()>) -> Anything<f64> {
    const PASSES: usize = 3;
    let mut fastest = f64::MAX;
    for _ in 0..PASSES {
        let start = Instant::now();
        pass()?;
        fastest = fastest.min(start.elapsed().as_secs_f64());
    }
    Ok(fastest)
}

fn measure(name: &str, path: &Path) -> Anything<()> {
    let (mut documents, mut bytes) = (0, 0);
    let read = fastest(|| {
        documents = each(path, |item| {
            black_box(item);
            Ok(())
        })?;
        Ok(())
    })?;
    let decoded = fastest(|| {
        each(path, |item| {
            decode(&item);
            Ok(())
        })?;
        Ok(())
    })?;
    let all = fastest(|| {
        bytes = 0;
        each(path, |item| {
            bytes += render(&item, &mut io::sink())?;
            Ok(())
        })?;
        Ok(())
    })?;
    let share = |seconds: f64| 100.0 * seconds.max(0.0) / all;
    println!(
        "{name:<22} {:>9.0} documents/s {:>7.0} MB/s of messages   reading {:>3.0} %, decoding {:>3.0} %, conversion and \
         writing {:>3.0} %",
        documents as f64 / all,
        bytes as f64 / 1e6 / all,
        share(read),
        share(decoded - read),
        share(all - decoded),
    );
    Ok(())
}

/// The most memory that this process had, in MiB; 0 where the system does not tell.
fn peak_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok()).unwrap_or(0) / 1024
}

fn main() -> Anything<()> {
    let folder = tempfile::tempdir()?;
    let path = |name: &str| folder.path().join(name);
    let (small, large, huge) = (path("small.nsf"), path("large.nsf"), path("huge.nsf"));
    forge_small(&small)?;
    if std::env::args().any(|argument| argument == "profile") {
        let start = Instant::now();
        while start.elapsed() < PROFILED {
            each(&small, |item| render(&item, &mut io::sink()).map(drop))?;
        }
        return Ok(());
    }
    measure("small rich text", &small)?;
    forge_large(&large)?;
    measure("attachments of 3 MiB", &large)?;
    forge_huge(&huge)?;
    let before = peak_mib();
    measure("one text of 50 MB", &huge)?;
    println!("peak memory before the text of 50 MB {before} MiB, with it {} MiB", peak_mib());
    Ok(())
}
