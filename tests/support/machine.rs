//! `notesferry serve` and `notesferry extract` as processes of their own, in a temporary folder. Nothing of them is left
//! when the test ends, however it ends: every process that was started here carries the folder's name in its environment,
//! and so do its children.

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::fs::{self, File};
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// The variable that marks our processes.
const MARK: &str = "NOTESFERRY_TEST_FOLDER";
/// How long anything may take on a machine that is busy.
pub const PATIENCE: Duration = Duration::from_secs(600);

/// A process of the system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    Server,
    Guardian,
    Coordinator,
    Migrator,
}

impl Role {
    pub const ALL: [Self; 4] = [Self::Server, Self::Guardian, Self::Coordinator, Self::Migrator];

    /// By the words of a command line after the program.
    fn of(mut words: std::str::Split<'_, char>) -> Option<Self> {
        match (words.next()?, words.next()?) {
            ("serve", _) => Some(Self::Server),
            ("extract", _) => Some(Self::Guardian),
            ("extract-part", "coordinator") => Some(Self::Coordinator),
            ("extract-part", "migrator") => Some(Self::Migrator),
            _ => None,
        }
    }
}

pub struct Machine {
    folder: TempDir,
    source: PathBuf,
    password: &'static str,
    server: Option<Child>,
    extractor: Option<Child>,
    /// The port that the server listens on now.
    pub port: u16,
}

impl Machine {
    /// Starts a server. `source` is the folder with the databases, `password` the one of all targets.
    pub fn start(source: &Path, settings: &str, password: &'static str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("data")).unwrap();
        fs::write(folder.path().join("data/notesferry.toml"), settings).unwrap();
        let source = source.canonicalize().unwrap();
        let mut machine = Self { folder, source, password, server: None, extractor: None, port: 0 };
        machine.start_server();
        machine
    }

    /// Enrols an extractor that reaches the server on `port`, and adds the folder as connector `HQ`.
    pub fn enrol(&mut self, port: u16) {
        let code = self.json(&["enrol-code"])["code"].as_str().unwrap().to_owned();
        self.start_extractor(port, Some(&code));
        let source = self.source.to_str().unwrap().to_owned();
        eventually("an extractor that enrols", || {
            self.admin(&["connector", "add", "HQ", &source]).status.success().then_some(())
        });
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn command(&self, log: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_notesferry"));
        let log = File::options().create(true).append(true).open(self.path(log)).unwrap();
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).env(MARK, self.folder.path());
        command
    }

    /// Starts a server, on a port of its own.
    pub fn start_server(&mut self) {
        let mut command = self.command("server.log");
        command.arg("serve").arg("--data-dir").arg(self.path("data"));
        let command = command.args(["--http", "--listen", "127.0.0.1:0"]).stdout(Stdio::piped());
        let mut process = command.spawn().unwrap();
        let mut ready = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut ready).unwrap();
        self.server = Some(process);
        let port = ready.trim().rsplit_once(':').and_then(|(_, port)| port.parse().ok());
        self.port = port.unwrap_or_else(|| panic!("the server does not start: {}", self.logs()));
    }

    pub fn start_extractor(&mut self, port: u16, code: Option<&str>) {
        let mut command = self.command("extractor.log");
        command.args(["extract", "--server", &format!("http://127.0.0.1:{port}"), "--source"]);
        command.arg(&self.source).arg("--state-dir").arg(self.path("extractor"));
        command.args(["--heartbeat-seconds", "0.1", "--check-seconds", "0.1", "--silent-seconds", "2"]);
        command.args(["--retry-seconds", "0.05"]).args(code.into_iter().flat_map(|code| ["--enrol", code]));
        self.extractor = Some(command.spawn().unwrap());
    }

    pub fn admin(&self, arguments: &[&str]) -> Output {
        // What does not end is an error, and not a test that does not end.
        let mut command = Command::new("timeout");
        command.arg(PATIENCE.as_secs().to_string()).arg(env!("CARGO_BIN_EXE_notesferry"));
        command.arg("admin").arg("--data-dir").arg(self.path("data")).args(arguments).arg("--json");
        command.env("NOTESFERRY_TARGET_PASSWORD", self.password).stdin(Stdio::null()).output().unwrap()
    }

    /// What a command answers that works.
    #[track_caller]
    pub fn json(&self, arguments: &[&str]) -> Value {
        let output = self.admin(arguments);
        assert!(output.status.success(), "{arguments:?}: {output:?}{}", self.logs());
        last_object(&output).unwrap()
    }

    /// Adds a mailbox with all its documents.
    pub fn add_mailbox(&self, database: &str, target: &str) -> String {
        let source = format!("HQ:{database}");
        self.json(&["mailbox", "add", &source, target, "--all-documents"])["id"].to_string()
    }

    /// Carries a mailbox and gives the sum of the pass.
    #[track_caller]
    pub fn pass(&self, mailbox: &str) -> Value {
        let id = self.json(&["pass", "start", mailbox])["id"].to_string();
        self.wait_for(&id)
    }

    /// Carries a mailbox and gives the most memory that the server and the extractor had meanwhile, in bytes.
    #[track_caller]
    pub fn peak_in_pass(&self, mailbox: &str) -> [u64; 2] {
        thread::scope(|scope| {
            let pass = scope.spawn(|| self.pass(mailbox));
            let mut peak = [0; 2];
            while !pass.is_finished() {
                let [server, extractor] = self.memory();
                peak = [server.max(peak[0]), extractor.max(peak[1])];
                thread::sleep(Duration::from_millis(50));
            }
            pass.join().unwrap();
            peak
        })
    }

    /// What the server has in memory of its own, and the processes of the extractor together, in bytes.
    fn memory(&self) -> [u64; 2] {
        let mut sum = [0; 2];
        for (role, pid) in self.processes() {
            sum[usize::from(role != Role::Server)] += own_bytes(pid);
        }
        sum
    }

    /// Waits for the end of a pass, which has to be complete; gives its sum.
    #[track_caller]
    pub fn wait_for(&self, pass: &str) -> Value {
        eventually("the end of a pass", || {
            let output = self.admin(&["pass", "watch", pass]);
            match output.status.code() {
                Some(0) => Some(last_object(&output).unwrap()["pass"]["tally"].clone()),
                // The server is gone, and comes back.
                Some(4) => None,
                _ => panic!("{output:?}{}", self.logs()),
            }
        })
    }

    /// The processes that run at present.
    pub fn processes(&self) -> Vec<(Role, u32)> {
        let names = fs::read_dir("/proc").unwrap().flatten().map(|entry| entry.file_name());
        let numbers = names.filter_map(|name| name.to_str()?.parse().ok());
        numbers.filter_map(|pid| Some((self.role(pid)?, pid))).collect()
    }

    fn role(&self, pid: u32) -> Option<Role> {
        let environment = fs::read(format!("/proc/{pid}/environ")).ok()?;
        let mark = format!("{MARK}={}", self.folder.path().display());
        if !environment.split(|byte| *byte == 0).any(|variable| variable == mark.as_bytes()) {
            return None;
        }
        let line = fs::read_to_string(format!("/proc/{pid}/cmdline")).ok()?;
        Role::of(line.split_once('\0')?.1.split('\0'))
    }

    /// Sends a signal to every process of a role; whether there was one.
    pub fn signal(&self, role: Role, signal: Signal) -> bool {
        let of_role = self.processes().into_iter().filter(|(of, _)| *of == role);
        // It may have ended meanwhile.
        let sent = of_role.map(|(_, pid)| kill_process(Pid::from_raw(pid as i32).unwrap(), signal).is_ok());
        sent.fold(false, |any, sent| any | sent)
    }

    /// Waits for the server's end after a signal.
    pub fn server_ended(&mut self) -> ExitStatus {
        self.server.take().unwrap().wait().unwrap()
    }

    /// Waits for the guardian's end after a signal.
    pub fn extractor_ended(&mut self) -> ExitStatus {
        self.extractor.take().unwrap().wait().unwrap()
    }

    /// The last lines that were written to standard error.
    pub fn logs(&self) -> String {
        let tail = |name: &str| {
            let text = fs::read_to_string(self.path(name)).unwrap_or_default();
            let lines: Vec<&str> = text.lines().collect();
            format!("\n{name}:\n{}", lines[lines.len().saturating_sub(40)..].join("\n"))
        };
        tail("server.log") + &tail("extractor.log")
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("{}", self.logs());
        }
        // Those above first, so that nothing is started again.
        for role in [Role::Guardian, Role::Coordinator, Role::Migrator, Role::Server] {
            self.signal(role, Signal::KILL);
        }
        for mut child in self.server.take().into_iter().chain(self.extractor.take()) {
            let _ = child.wait();
        }
    }
}

/// The memory that only this process has, or that no file backs.
pub fn own_bytes(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let value = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or_default() << 10
    };
    value("RssAnon:") + value("RssShmem:")
}

fn last_object(output: &Output) -> Option<Value> {
    let text = str::from_utf8(&output.stdout).ok()?;
    serde_json::from_str(text.lines().last()?).ok()
}

#[track_caller]
pub fn eventually<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < deadline, "waited in vain for: {what}");
        thread::sleep(Duration::from_millis(5));
    }
}
