//! `notesferry demo`: the whole way on this machine in one command. Forges the mailboxes of a small company, starts a
//! server with an extractor beside it, and carries everything into Maildirs.
//!
//! The server is the ordinary one, as a child process of the same program, and takes its orders through its admin
//! socket; nothing here is a way of its own.

use crate::forge::mailbox::{self, Extras, MailboxOptions};
use crate::forge::version::Version;
use crate::modes::admin::{Admin, watch};
use crate::modes::{Exit, Failure};
use crate::store::seal;
use clap::Args;
use serde_json::{Value, json};
use std::fs::{self, DirBuilder};
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// The people of the company, each with a mailbox of so many mails; the first one has the week worth looking at too.
const MAILBOXES: &[(&str, u64)] = &[("jane", 120), ("bob", 60), ("office", 30)];

/// How long the parts may take to find each other on a busy machine.
const START: Duration = Duration::from_secs(60);
const LOOK: Duration = Duration::from_millis(100);

/// Shows a migration of made-up mailboxes on this machine, with a server, an extractor and a Maildir for each mailbox.
///
/// Everything lies in one folder, which is removed at the end, and listens on 127.0.0.1 only.
#[derive(Debug, Args)]
pub struct DemoArguments {
    /// Use this folder, which must not exist or be empty, and leave it there.
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,

    /// End when everything has arrived, instead of waiting for Ctrl-C.
    #[arg(long)]
    exit: bool,
}

/// Runs the demonstration.
pub fn run(arguments: &DemoArguments) -> Exit {
    match demo(arguments) {
        Ok(exit) => exit,
        Err(failure) => {
            eprintln!("notesferry: {}", failure.sentence);
            failure.exit
        }
    }
}

fn demo(arguments: &DemoArguments) -> Result<Exit, Failure> {
    // Ctrl-C reaches the server too; this process ends after it, and leaves nothing behind.
    let ignored = ctrlc::set_handler(|| ());
    ignored.map_err(|error| usage(format!("Ctrl-C cannot be watched for: {error}")))?;
    let folder =
        Folder::make(arguments.keep.as_deref()).map_err(failed("the folder of the demonstration"))?;
    let [notes, data, mail] = ["notes", "data", "mail"].map(|name| folder.path.join(name));
    forge(&notes).map_err(|why| usage(format!("the mailboxes cannot be forged: {why}")))?;
    say(&format!("Forged {} mailboxes in {}.", MAILBOXES.len(), notes.display()));
    let directory = folder.path.join("names.nsf");
    mailbox::forge_address_book(&directory, Version::default())
        .map_err(|why| usage(format!("the directory cannot be forged: {why}")))?;
    let mut server = Server::start(&data, &notes, &directory).map_err(failed("the server"))?;
    let admin = Admin::new(&data);
    let connector = connect(&admin, &notes, &mut server)?;
    let exit = carry(&admin, connector, &mail)?;
    if arguments.exit && arguments.keep.is_none() {
        say("\nEverything that was made is removed now; without --exit there is time to look at it.");
        return Ok(exit);
    }
    say(&format!("\nThe mail lies in {}. The server is at {}.", mail.display(), server.address));
    let jane = mail.join(MAILBOXES[0].0);
    say(&format!(
        "Open a Maildir with any mail program, for example: mutt -f {}\nThe week of 8 January 2024 is worth a look.",
        jane.display()
    ));
    if !arguments.exit {
        say("Ctrl-C ends it.");
        server.wait();
    }
    Ok(exit)
}

fn forge(notes: &Path) -> Result<(), String> {
    DirBuilder::new().mode(0o700).create(notes).map_err(|error| error.to_string())?;
    for (seed, (name, mails)) in (1..).zip(MAILBOXES) {
        let options = MailboxOptions { version: Version::default(), mails: *mails, seed };
        let extras = Extras { showcase: seed == 1, ..Extras::default() };
        mailbox::forge_with(&notes.join(format!("{name}.nsf")), &options, &extras)
            .map_err(|error| error.to_string())?;
    }
    Ok(())
}

/// Waits until the extractor has found the mailboxes, and names their folder.
fn connect(admin: &Admin, notes: &Path, server: &mut Server) -> Result<Value, Failure> {
    let until = Instant::now() + START;
    let extractor = loop {
        let answer = admin.get("extractors")?;
        let found = |extractor: &&Value| extractor["found"].as_u64() == Some(MAILBOXES.len() as u64);
        if let Some(extractor) = answer["extractors"].as_array().and_then(|all| all.iter().find(found)) {
            break extractor["id"].clone();
        }
        if Instant::now() > until || server.has_ended() {
            return Err(usage("the extractor did not report the mailboxes in time; see what it says above"));
        }
        thread::sleep(LOOK);
    };
    let body = json!({"name": "Company", "location": notes, "extractor": extractor});
    Ok(admin.post("connectors", &body)?["id"].clone())
}

/// Carries all mailboxes; the worst of their ends is the end of all.
fn carry(admin: &Admin, connector: Value, mail: &Path) -> Result<Exit, Failure> {
    let mut passes = Vec::new();
    for (name, _) in MAILBOXES {
        let target = format!("maildir:{}", mail.join(name).display());
        let body = json!({
            "connector": connector, "source": format!("{name}.nsf"), "target": target, "all_documents": true,
        });
        let mailbox = admin.post("mailboxes", &body)?;
        passes.push(admin.post("passes", &json!({"mailbox": mailbox["id"]}))?["id"].as_u64());
    }
    let mut worst = Exit::Complete;
    for pass in passes.into_iter().flatten() {
        let exit = watch::pass(admin, pass)?;
        if exit.code() > worst.code() {
            worst = exit;
        }
    }
    Ok(worst)
}

/// The folder of everything, removed when this is dropped, unless it is to be kept.
struct Folder {
    path: PathBuf,
    keep: bool,
}

impl Folder {
    fn make(keep: Option<&Path>) -> io::Result<Self> {
        let path = match keep {
            Some(path) => path.to_owned(),
            None => {
                let name = u64::from_le_bytes(seal::random()?);
                std::env::temp_dir().join(format!("notesferry-demo-{name:016x}"))
            }
        };
        if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            fs::create_dir_all(parent)?;
        }
        match DirBuilder::new().mode(0o700).create(&path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && is_empty(&path)? => {}
            made => made?,
        }
        Ok(Self { path: path.canonicalize()?, keep: keep.is_some() })
    }
}

fn is_empty(path: &Path) -> io::Result<bool> {
    Ok(fs::read_dir(path)?.next().is_none())
}

impl Drop for Folder {
    fn drop(&mut self) {
        if !self.keep {
            // What cannot be removed lies in the folder for passing things.
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}

/// The server, told to end when this is dropped.
struct Server {
    process: Child,
    address: String,
}

impl Server {
    fn start(data: &Path, notes: &Path, directory: &Path) -> io::Result<Self> {
        DirBuilder::new().mode(0o700).create(data)?;
        // A JSON text is a TOML text too.
        let (sources, directories) = (json!([notes]), json!([directory]));
        let settings = format!("[conversion]\ndirectories = {directories}\n[builtin]\nsources = {sources}\n");
        fs::write(data.join("notesferry.toml"), settings)?;
        let mut process = Command::new(std::env::current_exe()?)
            .args(["serve", "--http", "--listen", "127.0.0.1:0", "--data-dir"])
            .arg(data)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()?;
        let output = process.stdout.take().map(BufReader::new);
        let mut server = Self { process, address: String::new() };
        server.address = output
            .and_then(read_address)
            .ok_or_else(|| io::Error::other("it ended before it was ready; see what it says above"))?;
        Ok(server)
    }

    fn has_ended(&mut self) -> bool {
        !matches!(self.process.try_wait(), Ok(None))
    }

    fn wait(&mut self) {
        // Ctrl-C reaches it as well as this process.
        let _ = self.process.wait();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if self.has_ended() {
            return;
        }
        if let Some(id) = rustix::process::Pid::from_raw(self.process.id().cast_signed()) {
            // It may have ended by itself just now.
            let _ = rustix::process::kill_process(id, rustix::process::Signal::TERM);
        }
        self.wait();
    }
}

/// The address from the line that says that the server is ready; what it prints before and after is passed on.
fn read_address(mut output: BufReader<ChildStdout>) -> Option<String> {
    let mut line = String::new();
    loop {
        line.clear();
        if output.read_line(&mut line).ok()? == 0 {
            return None;
        }
        say(line.trim_end());
        if let Some(address) = line.trim_end().strip_prefix("notesferry serves ") {
            let address = address.to_owned();
            thread::spawn(move || output.lines().map_while(Result::ok).for_each(|line| say(&line)));
            return Some(address);
        }
    }
}

fn say(text: &str) {
    // Whoever reads it has seen enough if this fails.
    let _ = writeln!(io::stdout(), "{text}");
}

fn failed(what: &'static str) -> impl Fn(io::Error) -> Failure {
    move |error| usage(format!("{what} cannot be made: {error}"))
}

fn usage(sentence: impl Into<String>) -> Failure {
    Failure::new(Exit::Usage, sentence)
}
