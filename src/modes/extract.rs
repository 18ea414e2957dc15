//! `notesferry extract`: the extractor as the user starts it, and its hidden parts as it starts them itself.

use crate::extractor::client::{Address, Client};
use crate::extractor::enrolment::{EnrolmentCode, EnrolmentError, StateFolder};
use crate::extractor::found::Finder;
use crate::extractor::guardian::{self, Event, Finished};
use crate::extractor::processes::{self, Ended, Part};
use crate::extractor::settings::{Settings, Timing};
use crate::extractor::{coordinator, migrator, say};
use crate::modes::migrate::default_state_folder;
use crate::modes::migrate::password::first_line;
use crate::modes::{Exit, Failure};
use crate::protocol::calls::ConnectorsRequest;
use clap::Args;
use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// Reads mailboxes on this machine for a server, as the server asks for them.
///
/// Runs until it is stopped, and mends itself: a lost line, a restarted server or a crash cost time only. It makes
/// outgoing connections alone, and the source is only read.
#[derive(Debug, Args)]
#[command(after_long_help = HELP)]
pub struct ExtractArguments {
    /// The address of the server, such as https://migration.example.com:8443.
    ///
    /// http:// works for a server on this machine only.
    #[arg(long, value_name = "URL")]
    server: String,

    /// A folder with Notes databases. Nothing outside of these folders is read. Can be given several times.
    #[arg(long, value_name = "DIR", required = true)]
    source: Vec<PathBuf>,

    /// A folder in which a Domino server keeps attachments of these databases (DAOS, files that end in .nlo). Can be
    /// given several times.
    ///
    /// It is only read. Only files that are not encrypted can be used, and most servers encrypt them; attachments that
    /// cannot be had are named in the mails. A copy of the databases with their attachments inside is the surer way.
    #[arg(long, value_name = "FOLDER")]
    daos: Vec<PathBuf>,

    /// The code that the server's page Extractors shows. Needed once; a code that was used is not used again.
    #[arg(long, value_name = "CODE")]
    enrol: Option<EnrolmentCode>,

    /// A file whose first line is the code.
    #[arg(long, value_name = "FILE", conflicts_with = "enrol")]
    enrol_file: Option<PathBuf>,

    /// End when standard input closes.
    #[arg(long, hide = true)]
    end_with_stdin: bool,

    /// The folder for the extractor's token. Each extractor needs its own.
    ///
    /// The default is `extractor` in the state folder of the user (on Linux `~/.local/state/notesferry/extractor`).
    #[arg(long, value_name = "DIR")]
    state_dir: Option<PathBuf>,

    /// A proxy on the way to the server: http://, socks4:// or socks5://.
    ///
    /// Without it the environment variables ALL_PROXY, HTTPS_PROXY and NO_PROXY count; a proxy's password has its place
    /// there.
    #[arg(long, value_name = "URL")]
    proxy: Option<String>,

    /// Say whether source, server and token are in order, and end.
    #[arg(long)]
    check: bool,

    /// How often the source is looked at.
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = seconds, hide = true)]
    heartbeat_seconds: Duration,

    /// How often the heartbeat is looked at.
    #[arg(long, value_name = "SECONDS", default_value = "3", value_parser = seconds, hide = true)]
    check_seconds: Duration,

    /// After so long without an answer of the source everything is started again.
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = seconds, hide = true)]
    silent_seconds: Duration,

    /// The first pause before something that failed is tried again.
    #[arg(long, value_name = "SECONDS", default_value = "0.5", value_parser = seconds, hide = true)]
    retry_seconds: Duration,

    /// How often mailboxes are looked for.
    #[arg(long, value_name = "SECONDS", default_value = "300", value_parser = seconds, hide = true)]
    look_seconds: Duration,
}

const HELP: &str = "\
Exit codes:
  0  the server wants nothing more of this extractor; with --check: all is in order
  2  wrong usage, or the state folder cannot be used
  3  the source or the DAOS folder cannot be read
  4  the server cannot be reached
  5  the server refused the code or the token, or there is none
  7  stopped by Ctrl-C";

/// A part of a running extractor; started by the extractor itself.
#[derive(Debug, Args)]
pub struct PartArguments {
    #[arg(value_parser = part)]
    part: Part,
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    seconds.filter(|seconds| !seconds.is_zero()).ok_or_else(|| "a number of seconds above 0".to_owned())
}

fn part(name: &str) -> Result<Part, String> {
    Part::from_name(name).ok_or_else(|| "no such part".to_owned())
}

impl From<EnrolmentError> for Failure {
    fn from(error: EnrolmentError) -> Self {
        let exit = match &error {
            EnrolmentError::Folder { .. } | EnrolmentError::Locked(_) | EnrolmentError::Damaged { .. } => {
                Exit::Usage
            }
            EnrolmentError::NotEnrolled(_) => Exit::LoginRefused,
            EnrolmentError::Call(call) if call.is_not_authorised() => Exit::LoginRefused,
            EnrolmentError::Call(_) => Exit::Destination,
        };
        Self::new(exit, error.to_string())
    }
}

/// Runs the extractor until it is stopped.
pub fn run(arguments: &ExtractArguments) -> Exit {
    let ended = if arguments.check { check(arguments) } else { extract(arguments) };
    ended.unwrap_or_else(|failure| {
        eprintln!("notesferry: {}", failure.sentence);
        failure.exit
    })
}

fn extract(arguments: &ExtractArguments) -> Result<Exit, Failure> {
    let usage = |sentence: String| Failure::new(Exit::Usage, sentence);
    let address = address(arguments)?;
    let roots = folders(&arguments.source, "the source")?;
    let daos = folders(&arguments.daos, "the DAOS folder")?;
    let folder = StateFolder::open(&state_path(arguments)?)?;
    let _lock = folder.lock()?;
    let code = code(arguments)?;
    let (address, token) = folder.enrol(address, code.as_ref(), &processes::host_name())?;
    let (sender, events) = mpsc::channel();
    let stop = sender.clone();
    ctrlc::set_handler(move || drop(stop.send(Event::Stop)))
        .map_err(|error| usage(format!("Ctrl-C cannot be watched for: {error}")))?;
    if arguments.end_with_stdin {
        let stop = sender.clone();
        thread::spawn(move || {
            // An error ends it too.
            let _ = io::copy(&mut io::stdin().lock(), &mut io::sink());
            stop.send(Event::Stop)
        });
    }
    let timing = Timing {
        heartbeat: arguments.heartbeat_seconds,
        check: arguments.check_seconds,
        silent: arguments.silent_seconds,
        retry: arguments.retry_seconds,
        look: arguments.look_seconds,
    };
    let state_folder = folder.path().to_owned();
    let settings = Settings { address, token, roots, daos, state_folder, timing, restarted_because: None };
    let program = std::env::current_exe();
    let run = program.and_then(|program| guardian::run(&program, settings, &sender, &events));
    match run.map_err(|error| usage(format!("a part of the extractor cannot be started: {error}")))? {
        Finished::Stopped => {
            say("stopped; start it again at any time");
            Ok(Exit::Stopped)
        }
        Finished::Drained => Ok(Exit::Complete),
    }
}

/// Runs a part of the extractor to its end.
pub fn run_part(arguments: &PartArguments) -> u8 {
    let ended = match arguments.part {
        Part::Coordinator => coordinator::run(),
        Part::Migrator => migrator::run(),
    };
    ended.unwrap_or_else(|error| {
        say(format_args!("{error:#}"));
        Ended::Failed
    }) as u8
}

/// Tells in sentences what works, up to the first thing that does not.
fn check(arguments: &ExtractArguments) -> Result<Exit, Failure> {
    let address = address(arguments)?;
    let roots = folders(&arguments.source, "the source")?;
    let daos = folders(&arguments.daos, "the DAOS folder")?;
    let found = Finder::default().look(&roots);
    let readable = found.iter().filter(|mailbox| mailbox.unreadable.is_none()).count();
    for mailbox in found.iter() {
        if let Some(why) = mailbox.unreadable.as_ref().or(mailbox.in_use.as_ref()) {
            println!("{}: {why}", mailbox.path);
        }
    }
    println!("The source can be read: {readable} databases, {} others.", found.len() - readable);
    for folder in &daos {
        println!("The DAOS folder {} can be read.", folder.display());
    }
    let folder = StateFolder::open(&state_path(arguments)?)?;
    let code = code(arguments)?;
    let (address, token) = folder.enrol(address, code.as_ref(), &processes::host_name())?;
    let client = Client::new(&address, Some(&token)).map_err(EnrolmentError::from)?;
    let answer = client.call(&ConnectorsRequest {}).map_err(EnrolmentError::from)?;
    println!("The server {} is reached and accepts extractor {}.", address.server(), token.extractor);
    println!("It has {} connectors for it.", answer.connectors.len());
    Ok(Exit::Complete)
}

/// The enrolment code, where one was given.
fn code(arguments: &ExtractArguments) -> Result<Option<EnrolmentCode>, Failure> {
    let Some(path) = &arguments.enrol_file else { return Ok(arguments.enrol.clone()) };
    let read = first_line(path).and_then(|line| line.parse().map_err(io::Error::other));
    read.map(Some).map_err(|error| {
        Failure::new(Exit::Usage, format!("the code in {} cannot be read: {error}", path.display()))
    })
}

fn address(arguments: &ExtractArguments) -> Result<Address, Failure> {
    Address::parse(&arguments.server, arguments.proxy.as_deref())
        .map_err(|error| Failure::new(Exit::Usage, error.to_string()))
}

/// Folders in canonical form, so that no link or `..` leads out of them later.
fn folders(named: &[PathBuf], what: &str) -> Result<Vec<PathBuf>, Failure> {
    let folders = named.iter().map(|named| {
        let unreadable = |why: String| {
            Failure::new(Exit::Source, format!("{what} {} cannot be read: {why}", named.display()))
        };
        let folder = named.canonicalize().map_err(|error| unreadable(error.to_string()))?;
        fs::read_dir(&folder).map_err(|error| unreadable(error.to_string()))?;
        match folder.to_str() {
            Some(_) => Ok(folder),
            None => Err(unreadable("its name is no Unicode text".to_owned())),
        }
    });
    let mut folders = folders.collect::<Result<Vec<_>, _>>()?;
    folders.sort();
    folders.dedup();
    Ok(folders)
}

fn state_path(arguments: &ExtractArguments) -> Result<PathBuf, Failure> {
    match &arguments.state_dir {
        Some(folder) => Ok(folder.clone()),
        None => Ok(default_state_folder()?.join("extractor")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_above_zero() {
        assert_eq!(seconds("0.25"), Ok(Duration::from_millis(250)));
        for odd in ["", "0", "-1", "NaN", "1e30", "ten"] {
            assert!(seconds(odd).is_err(), "{odd}");
        }
    }

    #[test]
    fn parts_are_found_by_their_names() {
        for wanted in [Part::Coordinator, Part::Migrator] {
            assert_eq!(part(wanted.name()), Ok(wanted));
        }
        assert!(part("guardian").is_err());
    }
}
