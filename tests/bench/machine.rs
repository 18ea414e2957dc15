//! What server and extractor cost beside `migrate` in one process, and how far both are from bare sockets.
//!
//! `cargo bench --bench machine` carries a forged mailbox into a Maildir; `-- --long` takes a larger one. With
//! `NOTESFERRY_BENCH_IMAP=PORT` an IMAP server on this machine is the target too, with the users `u1`, `u2` and `u3` and
//! the password `pass`; and when the variable `NOTESFERRY_BENCH_RAWLOAD` names a program that uploads a Maildir over
//! bare sockets, its time is the bound. Figures are printed, nothing is asserted.

use notesferry::forge::mailbox::{self, MailboxOptions};
use notesferry::forge::version::Version;
use std::error::Error;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

type Anything<T> = Result<T, Box<dyn Error>>;

const PASSWORD: &str = "pass";

/// A server with its built-in extractor, which is a process of its own; both end with this.
struct Server {
    process: Child,
    data: PathBuf,
}

impl Server {
    fn start(folder: &Path, source: &Path) -> Anything<Self> {
        let data = folder.join("data");
        fs::create_dir(&data)?;
        fs::write(data.join("notesferry.toml"), format!("builtin.sources = [{source:?}]\n"))?;
        let mut command = notesferry();
        command.arg("serve").arg("--data-dir").arg(&data).args(["--http", "--listen", "127.0.0.1:0"]);
        let process = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
        let mut server = Self { process, data };
        let output = server.process.stdout.take().ok_or("no output")?;
        BufReader::new(output).read_line(&mut String::new())?;
        let source = source.to_str().ok_or("an odd path")?;
        let start = Instant::now();
        while server.admin(&["connector", "add", "HQ", source]).is_err() && start.elapsed().as_secs() < 60 {}
        Ok(server)
    }

    fn admin(&self, arguments: &[&str]) -> Anything<()> {
        run(notesferry().arg("admin").arg("--data-dir").arg(&self.data).args(arguments))
    }

    /// Carries the mailbox `jane.nsf`; gives the seconds from order to end.
    fn carry(&self, number: &str, target: &str) -> Anything<f64> {
        self.admin(&["mailbox", "add", "HQ:jane.nsf", target, "--all-documents"])?;
        seconds(|| self.admin(&["pass", "start", number, "--wait"]))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Killed, it would still take its extractor with it; it may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn notesferry() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_notesferry"));
    command.stdin(Stdio::null()).env("NOTESFERRY_TARGET_PASSWORD", PASSWORD);
    command
}

fn run(command: &mut Command) -> Anything<()> {
    let output = command.output()?;
    match output.status.success() {
        true => Ok(()),
        false => Err(String::from_utf8_lossy(&output.stderr).into_owned().into()),
    }
}

fn seconds(work: impl FnOnce() -> Anything<()>) -> Anything<f64> {
    let start = Instant::now();
    work()?;
    Ok(start.elapsed().as_secs_f64())
}

fn migrate(database: &Path, target: &str, state: &Path) -> Anything<f64> {
    let mut command = notesferry();
    command.arg("migrate").arg(database).arg(target).arg("--all-documents").arg("--state-dir").arg(state);
    seconds(|| run(&mut command))
}

/// The seconds that bare sockets need for the messages of a Maildir, where there is a program that tries.
fn bare_sockets(maildir: &Path, port: &str) -> Option<Anything<f64>> {
    let program = std::env::var_os("NOTESFERRY_BENCH_RAWLOAD")?;
    let mut command = Command::new(program);
    command.args(["--mode", "multi", "--folders", "real", "--user", "u3", "--port", port, "--dir"]);
    Some(seconds(|| run(command.arg(maildir))))
}

fn main() -> Anything<()> {
    let long = std::env::args().any(|word| word == "--long");
    let folder = tempfile::tempdir()?;
    let source = folder.path().canonicalize()?.join("notes");
    fs::create_dir(&source)?;
    let database = source.join("jane.nsf");
    let mails = if long { 10_000 } else { 2_000 };
    let written = mailbox::forge(&database, &MailboxOptions { version: Version::Ods52, mails, seed: 1 })?;
    let mib = written.bytes as f64 / f64::from(1 << 20);
    println!("a mailbox of {} documents, {mib:.0} MiB", written.documents);
    let server = Server::start(folder.path(), &source)?;
    let path = |name: &str| folder.path().join(name);
    let ratio = |target: &str, alone: f64, both: f64| {
        println!(
            "{target}: migrate {alone:.2} s, server + extractor {both:.2} s, {:.2} times as long",
            both / alone
        );
    };

    let maildir = path("maildir");
    let alone = migrate(&database, &format!("maildir:{}", maildir.display()), &path("state"))?;
    let both = server.carry("1", &format!("maildir:{}", path("other").display()))?;
    ratio("Maildir", alone, both);

    let Ok(port) = std::env::var("NOTESFERRY_BENCH_IMAP") else { return Ok(()) };
    let address = |user: &str| format!("imap://{user}@127.0.0.1:{port}");
    let alone = migrate(&database, &address("u1"), &path("state of imap"))?;
    let both = server.carry("2", &address("u2"))?;
    ratio("IMAP", alone, both);
    if let Some(bound) = bare_sockets(&maildir, &port).transpose()? {
        println!(
            "IMAP: bare sockets {bound:.2} s; migrate {:.2}, both {:.2} times",
            alone / bound,
            both / bound
        );
    }
    Ok(())
}
