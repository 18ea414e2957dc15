//! Child processes: started with their settings on standard input, ended when that closes, killed in groups.
//!
//! The coordinator and its migrators are a process group of their own, so a Ctrl-C on the terminal reaches the guardian
//! alone, and the guardian can kill them all at once, frozen ones too.

use crate::base::limits::SETTINGS_BYTES;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::ffi::OsStr;
use std::io::{self, BufRead as _, Read as _, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::thread;

/// The hidden command of the program that runs a part of the extractor.
pub const PART_COMMAND: &str = "extract-part";

/// A part of the extractor that runs in a process of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    Coordinator,
    Migrator,
}

impl Part {
    /// As the hidden command names it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Coordinator => "coordinator",
            Self::Migrator => "migrator",
        }
    }

    /// The inverse of [`Part::name`].
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Coordinator, Self::Migrator].into_iter().find(|part| part.name() == name)
    }
}

/// How a part ended, as its exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// Its work is done.
    Done = 0,
    /// It could not go on; its log says why.
    Failed = 1,
    /// The server asks for a newer program.
    Outdated = 3,
}

impl Ended {
    /// What a status says; a process that was killed or crashed failed.
    pub fn from_status(status: Option<ExitStatus>) -> Self {
        match status.and_then(|status| status.code()) {
            Some(0) => Self::Done,
            Some(3) => Self::Outdated,
            _ => Self::Failed,
        }
    }
}

/// Starts a part as a child and gives it its settings. To be called by a thread that lives as long as the child shall:
/// Linux ends the child with the thread that started it.
///
/// # Errors
/// When the program cannot be started, or ended before it read its settings.
pub fn start(program: &Path, part: Part, settings: &impl Serialize) -> io::Result<(Child, ChildStdin)> {
    let mut command = Command::new(program);
    command.args([OsStr::new(PART_COMMAND), OsStr::new(part.name())]).stdin(Stdio::piped());
    match part {
        Part::Coordinator => {
            command.stdout(Stdio::piped());
            #[cfg(unix)]
            std::os::unix::process::CommandExt::process_group(&mut command, 0);
        }
        Part::Migrator => {
            command.stdout(Stdio::null());
        }
    }
    let mut child = command.spawn()?;
    let mut line = serde_json::to_vec(settings)?;
    line.push(b'\n');
    let mut stdin = child.stdin.take().ok_or(io::ErrorKind::BrokenPipe)?;
    if let Err(error) = stdin.write_all(&line).and_then(|()| stdin.flush()) {
        let _ = child.kill();
        let _ = child.wait();
        return Err(error);
    }
    Ok((child, stdin))
}

/// Kills a coordinator and, on Unix, everything that it started; elsewhere its migrators end as their input closes. One
/// that was already ending keeps its status.
pub fn kill_group(child: &mut Child) -> Option<ExitStatus> {
    // Before the wait: until then nothing else can have the number of the group.
    #[cfg(unix)]
    if let Some(group) = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw) {
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
    }
    let _ = child.kill();
    child.wait().ok()
}

/// Reads the settings that the parent gave.
///
/// # Errors
/// When the line is cut, too long or no settings: this is for the program itself, not for users.
pub fn read_settings<S: DeserializeOwned>() -> io::Result<S> {
    end_with_parent();
    let mut line = Vec::new();
    io::stdin().lock().take(SETTINGS_BYTES).read_until(b'\n', &mut line)?;
    Ok(serde_json::from_slice(&line)?)
}

/// The kernel kills this process with its parent, also when it is frozen or busy. Standard input tells the same where
/// there is no such service.
fn end_with_parent() {
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL));
}

/// Calls `news` for each further line of the parent, and ends the process when the parent closed the line. Nothing has
/// to be put in order before: what a child knows lies with the server.
pub fn follow_parent(mut news: impl FnMut() + Send + 'static) {
    thread::spawn(move || {
        for line in io::stdin().lines() {
            match line {
                Ok(_) => news(),
                Err(_) => break,
            }
        }
        std::process::exit(Ended::Done as i32);
    });
}

/// The name of this machine, for people.
pub fn host_name() -> String {
    #[cfg(unix)]
    let name = rustix::system::uname().nodename().to_string_lossy().into_owned();
    #[cfg(not(unix))]
    let name = std::env::var("COMPUTERNAME").unwrap_or_default();
    name
}
