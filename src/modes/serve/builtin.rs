//! The extractor that runs beside the server, for databases on the same machine.
//!
//! It is the ordinary extractor, as a child process of the same program. It ends with the server, because the pipe to
//! its standard input closes, however the server ends. Its enrolment code lies in its own folder, which only the owner
//! can read, and is never on a command line.

use crate::base::files::write_private;
use crate::base::limits::SERVER_STOP_SECONDS;
use crate::modes::Failure;
use crate::modes::serve::usage;
use crate::server::machine::Machine;
use std::fs;
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// The extractor's own folder, in the data folder.
const FOLDER: &str = "builtin-extractor";

/// How long it is left alone after it ended, before it is started again.
const PAUSE: Duration = Duration::from_secs(10);

/// A running extractor; ended by [`Builtin::close`].
pub struct Builtin {
    lifeline: Arc<Lifeline>,
    ended: Receiver<()>,
}

#[derive(Default)]
struct Lifeline {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    closing: bool,
    /// Its end that we hold: when it closes, the extractor ends.
    stdin: Option<ChildStdin>,
}

/// Starts the extractor for some folders, and starts it again when it ends. `address` is where it finds the server,
/// which it recognises by the fingerprint.
///
/// # Errors
/// When its folder or its code cannot be made.
pub fn start(
    data_folder: &Path,
    sources: &[PathBuf],
    address: &str,
    fingerprint: Option<&str>,
    machine: &Machine,
) -> Result<Builtin, Failure> {
    let folder = data_folder.join(FOLDER);
    let failed = |error: io::Error| usage(format!("the built-in extractor cannot be started: {error}"));
    fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder).map_err(failed)?;
    let code_file = folder.join("enrolment-code");
    // A code that was used is not used again, so the file stays.
    if !code_file.exists() {
        let code = machine.communication().make_enrol_code()?;
        let pin = fingerprint.map(|fingerprint| format!(".{fingerprint}")).unwrap_or_default();
        write_private(&code_file, format!("{}{pin}\n", code.expose()).as_bytes()).map_err(failed)?;
    }
    let mut command = Command::new(std::env::current_exe().map_err(failed)?);
    command.args(["extract", "--end-with-stdin", "--server", address]);
    command.arg("--state-dir").arg(&folder).arg("--enrol-file").arg(&code_file);
    for source in sources {
        command.arg("--source").arg(source);
    }
    command.stdin(Stdio::piped()).stdout(Stdio::null());
    let lifeline = Arc::new(Lifeline::default());
    let (sender, ended) = mpsc::channel();
    {
        let lifeline = Arc::clone(&lifeline);
        let thread = thread::Builder::new().name("built-in extractor".to_owned());
        let keeper = move || {
            keep(&mut command, &lifeline);
            // Nobody waits for it if the server ended in another way.
            let _ = sender.send(());
        };
        thread.spawn(keeper).map_err(failed)?;
    }
    Ok(Builtin { lifeline, ended })
}

impl Builtin {
    /// Ends the extractor politely; says whether it ended within [`SERVER_STOP_SECONDS`].
    pub fn close(self) -> bool {
        {
            let mut state = self.lifeline.lock();
            state.closing = true;
            state.stdin = None;
        }
        self.lifeline.changed.notify_all();
        self.ended.recv_timeout(Duration::from_secs(SERVER_STOP_SECONDS)).is_ok()
    }
}

impl Lifeline {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn keep(command: &mut Command, lifeline: &Lifeline) {
    loop {
        let ended = run(command, lifeline);
        let state = lifeline.lock();
        if state.closing {
            return;
        }
        match ended {
            Ok(status) => tracing::warn!("the built-in extractor ended ({status}) and is started again"),
            Err(error) => tracing::warn!("the built-in extractor cannot be started: {error}"),
        }
        let waited = lifeline.changed.wait_timeout_while(state, PAUSE, |state| !state.closing);
        drop(waited);
    }
}

fn run(command: &mut Command, lifeline: &Lifeline) -> io::Result<ExitStatus> {
    let mut child = {
        // Under the lock, so that it is not started behind the back of whoever closes.
        let mut state = lifeline.lock();
        if state.closing {
            return Ok(ExitStatus::default());
        }
        let mut child = command.spawn()?;
        state.stdin = child.stdin.take();
        child
    };
    child.wait()
}
