//! `notesferry migrate`: one source into one destination, in one process.
//!
//! Lists and opens the source page by page and hands each item to `server::delivery`; content passes in memory, one
//! document and one batch at a time. Run again, it goes on where it ended and carries only what is new.

pub(super) mod exports;
pub(super) mod filter;
pub(super) mod password;
mod preview;
pub(super) mod report;
mod report_file;

use crate::base::limits::LIST_PAGE_ITEMS;
use crate::base::secret::Secret;
use crate::destinations::Traits;
use crate::destinations::registry::Target;
use crate::model::content::{Content, ListedItem, SourceItem};
use crate::model::loss::{SetAside, SetAsideReason};
use crate::modes::address_book::ConversionArguments;
use crate::modes::exit::IN_USE_ADVICE;
use crate::modes::{Exit, Failure};
use crate::server::delivery::{Conversion, End, Pass, Preparer, Settings};
use crate::sources::nsf::DaosFolders;
use crate::sources::registry::NamedSource;
use crate::sources::{Source, SourceError, SourceInfo};
use crate::store::{StateStore, StoreError};
use clap::Args;
use etcetera::BaseStrategy as _;
use exports::Exports;
use filter::FilterArguments;
use jiff::Timestamp;
use report::Reporter;
use report_file::ReportFiles;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Carries the documents of a mailbox to a target, each exactly once.
///
/// Run the same command again at any time: what is at the target already is not delivered again, what is new or
/// changed is, and what was set aside is tried again. The source is only read.
#[derive(Debug, Args)]
#[command(after_long_help = Exit::HELP)]
pub struct MigrateArguments {
    /// The mailbox to read: nsf:FILE for a Notes database, dxl:FILE for an export as DXL, dxl:FOLDER for a folder of
    /// them, or the path of a file whose kind is recognised.
    ///
    /// DXL holds neither the documents of folders nor unread marks, so mail goes to INBOX, Sent or Drafts.
    source: String,

    /// Where to: imaps://user@host[:port][/prefix] for a mailbox on a server, maildir:DIR for a Maildir, or eml:DIR for
    /// a tree of folders with one .eml file per message.
    ///
    /// imap:// switches to TLS (STARTTLS), but to a server on this machine it goes without encryption where that takes
    /// passwords so. With a prefix everything is put below that folder. An @ in the user name may stay; other special characters are written as %20.
    target: String,

    /// Read everything and say what would happen; nothing is delivered and nothing is noted in the ledger.
    #[arg(long)]
    dry_run: bool,

    /// Also carry documents that are not mail-file content, as messages that list their items.
    ///
    /// Without this they are counted and set aside as `unknown form`.
    #[arg(long)]
    all_documents: bool,

    #[command(flatten)]
    filter: FilterArguments,

    /// Other names for folders at the target: OLD=NEW, or a file with such lines. May be given several times.
    ///
    /// A folder takes all folders below it with it; the longest line that fits counts. Names are those that --dry-run
    /// shows, parts joined by /, so that `INBOX=Old mail/Inbox` works too. What is at the target already stays where
    /// it is.
    #[arg(long, value_name = "FILE|OLD=NEW")]
    folder_map: Vec<String>,

    #[command(flatten)]
    conversion: ConversionArguments,

    /// The folder in which a Domino server keeps the attachments of this database (DAOS, files that end in .nlo); may
    /// be given several times.
    ///
    /// Only files that are not encrypted can be read, and most servers encrypt them; a copy of the database with its
    /// attachments inside is the surer way.
    #[arg(long, value_name = "FOLDER")]
    daos: Vec<PathBuf>,

    /// A file whose first line is the password of the target.
    ///
    /// Without it the password comes from the environment variable NOTESFERRY_TARGET_PASSWORD, or is asked for on the
    /// terminal. It is never written down.
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,

    /// The folder of the ledger that makes deliveries exactly once.
    ///
    /// The default is the state folder of the user (on Linux `~/.local/state/notesferry`). One notesferry at a time
    /// can use it. When it is lost, the next run looks through the target and finds our messages there.
    #[arg(long, value_name = "DIR")]
    state_dir: Option<PathBuf>,

    /// Write what became of the mailbox: FILE.html is a page for people, FILE.json for programs, FILE.csv a table with a
    /// line for every document; any other name becomes a folder with all three.
    ///
    /// It holds the sum, folders with their counts, what was lost on the way with examples, and everything that was set
    /// aside with the reason and what to do. Senders' subjects never become formulas or markup.
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,

    /// List what no other mail system takes over, such as mail rules, delegation, out-of-office and who has access to the
    /// mailbox, in this folder: a table (CSV) and a page for each mailbox.
    ///
    /// Fields whose meaning is known have a label, all others stand as they are stored.
    #[arg(long, value_name = "FOLDER")]
    exports: Option<PathBuf>,

    /// Print one JSON object for each event and one at the end, to standard output.
    #[arg(long)]
    json: bool,
}

/// Runs the command; its output is complete when this returns.
pub fn run(arguments: &MigrateArguments) -> Exit {
    let files = arguments.report.as_deref().map(ReportFiles::create).transpose();
    let (files, failure) = match files {
        Ok(files) => (files, None),
        Err(failure) => (None, Some(failure)),
    };
    let mut reporter = Reporter::new(arguments.json, files);
    match failure.map_or_else(|| migrate(arguments, &mut reporter), Err) {
        Ok(exit) => exit,
        Err(failure) => {
            reporter.fail(&failure);
            failure.exit
        }
    }
}

fn migrate(arguments: &MigrateArguments, reporter: &mut Reporter) -> Result<Exit, Failure> {
    let named = NamedSource::parse(&arguments.source)?;
    let target = Target::parse(&arguments.target)?;
    let state_folder = state_folder(arguments)?;
    let folder_map = filter::folder_map(&arguments.folder_map)?;
    let directory = arguments.conversion.directory()?;
    let password = if target.wants_password() && !arguments.dry_run {
        password::of_target(&target.mailbox(), arguments.password_file.as_deref())?
    } else {
        Secret::new("")
    };
    let mut source = named.open_with(open_daos(&arguments.daos)?)?;
    let mut info = source.info();
    if let Some(why) = &info.in_use {
        return Err(Failure::new(
            Exit::Source,
            format!("{} is in use: {why}; {IN_USE_ADVICE}", named.label()),
        ));
    }
    if let files @ 1.. = source.external_files() {
        info.warnings.push(external_warning(files, !arguments.daos.is_empty()));
    }
    let folders = source.folders()?;
    let mut exports = arguments.exports.as_deref().map(Exports::begin).transpose()?;
    if let Some(exports) = &mut exports {
        match source.access() {
            Ok(entries) => exports.add_access(&entries),
            Err(why) => info.warnings.push(format!("who has access to the mailbox is not listed: {why}")),
        }
        source.profiles().iter().for_each(|note| exports.add(note));
    }
    let stop = if arguments.dry_run { Arc::default() } else { stop_on_signal()? };
    reporter.begin(&named.label(), &target.mailbox(), &info, &folders, settings_told(arguments), &folder_map);
    let now_unix_ms = Timestamp::now().as_millisecond();
    let conversion = Conversion {
        owner: info.owner.as_deref(),
        folders: &folders,
        folder_map: &folder_map,
        all_documents: arguments.all_documents,
        now_unix_ms,
        directory: &directory,
        choices: arguments.conversion.choices(),
    };
    let convert = |listed: &ListedItem, item: &SourceItem| conversion.convert(listed, item);
    let filter = arguments.filter.filter()?;
    let settings =
        Settings { filter, folder_map: folder_map.clone(), ..Settings::new(target.mailbox(), now_unix_ms) };
    if arguments.dry_run {
        // A state that does not exist yet is not made, and the destination is not asked.
        let exists = state_folder.join(StateStore::FILE_NAME).exists();
        let store = if exists { Some(StateStore::open(&state_folder)?) } else { None };
        let preparer = Preparer {
            settings: &settings,
            ledger: store.as_ref(),
            folders: &folders,
            traits: Traits::UNLIMITED,
            convert: &convert,
        };
        // The exports are an order of their own, and nothing of the mailbox or the target changes by them.
        let (preview, not_final) = preview::preview(source.as_mut(), &preparer, &mut exports, reporter)?;
        export(exports, &info, &named, reporter)?;
        return Ok(reporter.end_preview(&preview, not_final.as_deref(), arguments.all_documents));
    }
    let store = StateStore::open(&state_folder)?;
    let mut destination = target.open(password)?;
    let preparer = Preparer {
        settings: &settings,
        ledger: Some(&store),
        folders: &folders,
        traits: destination.traits(),
        convert: &convert,
    };
    let mut pass = Pass::begin(&store, destination.as_mut(), &settings)?;
    let carried = carry(source.as_mut(), &preparer, &mut pass, &mut exports, reporter, &stop);
    reporter.settled(&pass.take_settled());
    reporter.progress(&pass.tally());
    let stopped = carried.map_err(|failure| {
        let so_far = report::columns(&pass.tally());
        Failure::new(failure.exit, format!("{}. Until then: {so_far}.", failure.sentence))
    })?;
    export(exports, &info, &named, reporter)?;
    reporter.left_behind(pass.left_behind());
    let not_final = source.changed()?;
    Ok(reporter.end(&pass.tally(), stopped, not_final.as_deref(), arguments.all_documents))
}

/// Writes the exports, if they were asked for.
fn export(
    exports: Option<Exports>,
    info: &SourceInfo,
    named: &NamedSource,
    reporter: &Reporter,
) -> Result<(), Failure> {
    let Some(exports) = exports else { return Ok(()) };
    let label = named.label();
    reporter.told(&exports.finish(info.owner.as_deref().unwrap_or(&label), &label)?);
    Ok(())
}

/// The options of a run as a report tells them.
fn settings_told(arguments: &MigrateArguments) -> Vec<(&'static str, String)> {
    let flags = [("--dry-run", arguments.dry_run), ("--all-documents", arguments.all_documents)];
    let flags = flags.into_iter().filter(|(_, given)| *given).map(|(name, _)| (name, "yes".to_owned()));
    let maps = arguments.folder_map.iter().map(|map| ("--folder-map", map.clone()));
    flags.chain(arguments.filter.told()).chain(maps).collect()
}

/// Carries every item of the source, and adds each that is opened to the exports; `true` when it was stopped before the last one.
fn carry(
    source: &mut dyn Source,
    preparer: &Preparer<'_>,
    pass: &mut Pass<'_>,
    exports: &mut Option<Exports>,
    reporter: &mut Reporter,
    stop: &AtomicBool,
) -> Result<bool, Failure> {
    let mut from = None;
    loop {
        let page = match source.list(from, LIST_PAGE_ITEMS) {
            Ok(page) => page,
            Err(error) => {
                pass.deliver()?;
                return Err(error.into());
            }
        };
        for (id, why) in &page.unreadable {
            pass.count_unreadable();
            reporter.unreadable(*id, why);
        }
        for listed in &page.items {
            if stop.load(Ordering::Relaxed) {
                pass.deliver()?;
                return Ok(true);
            }
            if let Err(failure) = carry_item(source, preparer, pass, exports, listed) {
                pass.deliver()?;
                return Err(failure);
            }
            reporter.settled(&pass.take_settled());
            reporter.progress(&pass.tally());
        }
        from = page.next;
        if from.is_none() {
            pass.deliver()?;
            return Ok(false);
        }
    }
}

/// How an item ends that need not be opened. Exports show what was left out, too: for them it is opened again.
fn look(
    preparer: &Preparer<'_>,
    listed: &ListedItem,
    exports: Option<&Exports>,
) -> Result<Option<End>, StoreError> {
    let end = preparer.look(listed)?;
    Ok(end.filter(|end| exports.is_none() || !matches!(end, End::FilteredOut(_))))
}

/// Carries one item, whose batch may wait for more.
fn carry_item(
    source: &mut dyn Source,
    preparer: &Preparer<'_>,
    pass: &mut Pass<'_>,
    exports: &mut Option<Exports>,
    listed: &ListedItem,
) -> Result<(), Failure> {
    let end = look(preparer, listed, exports.as_ref())?;
    pass.count_found(1);
    if let Some(end) = end {
        return Ok(pass.settle_unopened(listed.origin, end)?);
    }
    let prepared = match source.open(listed.id) {
        Ok(item) => {
            let Content::Note { note, .. } = &item.content;
            exports.iter_mut().for_each(|exports| exports.add(note));
            preparer.item(listed, &item)?
        }
        Err(SourceError::Unreadable { why, .. }) => {
            preparer.set_aside(listed, SetAside::new(SetAsideReason::UnreadableNote, why))
        }
        Err(error) => return Err(error.into()),
    };
    Ok(pass.add(prepared)?)
}

/// # Errors
/// A folder that cannot be read is a wrong option, not a source.
pub(super) fn open_daos(folders: &[PathBuf]) -> Result<Option<DaosFolders>, Failure> {
    DaosFolders::open(folders).map_err(|error| Failure::new(Exit::Usage, error.to_string()))
}

/// Said before the first byte is carried, so that somebody can make a copy with all attachments first.
fn external_warning(files: u64, is_folder_given: bool) -> String {
    let advice = if is_folder_given {
        "those whose files are encrypted or missing are named in the mails"
    } else {
        "they are named in the mails; make a copy with all attachments inside, or give their folder with --daos"
    };
    format!("{files} attachments are kept outside the database (DAOS): {advice}")
}

fn state_folder(arguments: &MigrateArguments) -> Result<PathBuf, Failure> {
    arguments.state_dir.clone().map_or_else(default_state_folder, Ok)
}

/// The folder in which a user's programs keep their state, and ours in it.
pub(super) fn default_state_folder() -> Result<PathBuf, Failure> {
    let strategy = etcetera::choose_base_strategy().map_err(|error| {
        Failure::new(
            Exit::Usage,
            format!("this user has no state folder ({error}); name one with --state-dir"),
        )
    })?;
    Ok(strategy.state_dir().unwrap_or_else(|| strategy.data_dir()).join("notesferry"))
}

/// A flag that Ctrl-C and a polite kill set. The second one ends the program at once, which costs nothing but time:
/// the next run settles what was in flight.
fn stop_on_signal() -> Result<Arc<AtomicBool>, Failure> {
    let stop = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&stop);
    let handler = move || {
        if flag.swap(true, Ordering::Relaxed) {
            std::process::exit(Exit::Stopped.code().into());
        }
    };
    let set = ctrlc::set_handler(handler);
    set.map_err(|error| Failure::new(Exit::Usage, format!("Ctrl-C cannot be watched for: {error}")))?;
    Ok(stop)
}
