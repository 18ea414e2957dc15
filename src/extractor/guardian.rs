//! The guardian: the process that the user starts. It starts the coordinator, watches its heartbeat, and starts it again
//! when it died or went silent, with everything that belongs to it. It understands nothing of mail.
//!
//! Time comes in as a value wherever something is decided.

use crate::base::limits::SETTLED_SECONDS;
use crate::extractor::backoff::Backoff;
use crate::extractor::processes::{self, Ended, Part};
use crate::extractor::say;
use crate::extractor::settings::Settings;
use std::io::{self, BufRead as _, BufReader, Read};
use std::path::Path;
use std::process::{Child, ChildStdin};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

/// How long a coordinator that was told to end may take.
const END_SECONDS: u64 = 5;

/// What the guardian hears.
#[derive(Debug)]
pub enum Event {
    /// The source answered the coordinator that was started as the so-manyth.
    Answered(u64),
    /// That coordinator's output closed: it is gone.
    Closed(u64),
    /// The user wants the extractor to end.
    Stop,
}

/// What is known of the coordinator that runs.
#[derive(Clone, Copy, Debug)]
struct Watch {
    started: Instant,
    last_answer: Option<Instant>,
}

impl Watch {
    /// For how long the source has not answered, if that is too long. The time since the start counts where it never
    /// did.
    fn silent_for(&self, now: Instant, threshold: Duration) -> Option<Duration> {
        let silent = now.saturating_duration_since(self.last_answer.unwrap_or(self.started));
        (silent > threshold).then_some(silent)
    }

    /// Whether it ran long enough for its end to be no consequence of its start.
    fn had_settled(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.started) > Duration::from_secs(SETTLED_SECONDS)
    }
}

/// Who wanted the extractor to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finished {
    /// The user.
    Stopped,
    /// The server, which has nothing more for it.
    Drained,
}

/// Why a coordinator runs no more.
#[derive(Debug)]
enum Over {
    Finished(Finished),
    Lost(String),
}

/// Runs coordinators, one after the other, until the user or the server ends it. `events` gets [`Event::Stop`] through
/// a clone of `sender`.
///
/// # Errors
/// When a child process cannot be started at all.
pub fn run(
    program: &Path,
    mut settings: Settings,
    sender: &Sender<Event>,
    events: &Receiver<Event>,
) -> io::Result<Finished> {
    let mut backoff = Backoff::new(settings.timing.retry);
    let mut number = 0;
    loop {
        number += 1;
        let (mut child, stdin) = processes::start(program, Part::Coordinator, &settings)?;
        forward_answers(number, &mut child, sender);
        let mut watch = Watch { started: Instant::now(), last_answer: None };
        let over = watch_over(number, &mut child, stdin, &mut watch, &settings, events);
        let why = match over {
            Over::Finished(finished) => return Ok(finished),
            Over::Lost(why) => why,
        };
        if watch.had_settled(Instant::now()) {
            backoff.succeeded();
        }
        let pause = backoff.failed();
        say(format_args!("{why}; the coordinator is started again in {:.1} s", pause.as_secs_f64()));
        settings.restarted_because = Some(why);
        if is_stopped_within(pause, events) {
            return Ok(Finished::Stopped);
        }
    }
}

/// Watches one coordinator to its end, and ends it where that is due. Nothing of it runs when this returns.
fn watch_over(
    number: u64,
    child: &mut Child,
    stdin: ChildStdin,
    watch: &mut Watch,
    settings: &Settings,
    events: &Receiver<Event>,
) -> Over {
    loop {
        match events.recv_timeout(settings.timing.check) {
            Ok(Event::Answered(of)) if of == number => watch.last_answer = Some(Instant::now()),
            Ok(Event::Closed(of)) if of == number => return closed(child),
            // Of one that is gone.
            Ok(Event::Answered(_) | Event::Closed(_)) => {}
            Ok(Event::Stop) | Err(RecvTimeoutError::Disconnected) => {
                drop(stdin);
                wait_for_end(number, events);
                processes::kill_group(child);
                return Over::Finished(Finished::Stopped);
            }
            Err(RecvTimeoutError::Timeout) => {}
        }
        if let Some(silent) = watch.silent_for(Instant::now(), settings.timing.silent) {
            processes::kill_group(child);
            let seconds = silent.as_secs_f64();
            return Over::Lost(format!("the mail source has not answered for {seconds:.0} s"));
        }
    }
}

/// What the end of a coordinator means. Its migrators end with it; those that do not are killed.
fn closed(child: &mut Child) -> Over {
    let status = processes::kill_group(child);
    match Ended::from_status(status) {
        Ended::Done => Over::Finished(Finished::Drained),
        Ended::Failed | Ended::Outdated => {
            let how = status.map_or_else(String::new, |status| format!(" ({status})"));
            Over::Lost(format!("the coordinator ended by itself{how}"))
        }
    }
}

fn wait_for_end(number: u64, events: &Receiver<Event>) {
    let until = Instant::now() + Duration::from_secs(END_SECONDS);
    while let Ok(event) = events.recv_timeout(until.saturating_duration_since(Instant::now())) {
        if matches!(event, Event::Closed(of) if of == number) {
            return;
        }
    }
}

fn is_stopped_within(pause: Duration, events: &Receiver<Event>) -> bool {
    let until = Instant::now() + pause;
    loop {
        match events.recv_timeout(until.saturating_duration_since(Instant::now())) {
            Ok(Event::Stop) | Err(RecvTimeoutError::Disconnected) => return true,
            Ok(Event::Answered(_) | Event::Closed(_)) => {}
            Err(RecvTimeoutError::Timeout) => return false,
        }
    }
}

/// Makes an event of each line that the coordinator writes, and of the end of its output.
fn forward_answers(number: u64, child: &mut Child, sender: &Sender<Event>) {
    let Some(output) = child.stdout.take() else { return };
    let sender = sender.clone();
    thread::spawn(move || {
        let mut output = BufReader::new(output);
        while next_line(&mut output) && sender.send(Event::Answered(number)).is_ok() {}
        let _ = sender.send(Event::Closed(number));
    });
}

/// Reads to the end of a line of reasonable length; `false` at the end of the output.
fn next_line(output: &mut impl io::BufRead) -> bool {
    const LINE_BYTES: u64 = 100;
    let mut line = Vec::new();
    matches!(output.by_ref().take(LINE_BYTES).read_until(b'\n', &mut line), Ok(1..))
}

#[cfg(test)]
mod tests {
    use super::*;

    const THRESHOLD: Duration = Duration::from_secs(60);

    #[test]
    fn a_source_is_silent_after_the_threshold() {
        let started = Instant::now();
        let after = |seconds| started + Duration::from_secs(seconds);
        let silent_at = |watch: &Watch, seconds| {
            watch.silent_for(after(seconds), THRESHOLD).map(|silent| silent.as_secs())
        };
        let mut watch = Watch { started, last_answer: None };
        assert_eq!((silent_at(&watch, 60), silent_at(&watch, 61)), (None, Some(61)), "since the start");
        watch.last_answer = Some(after(50));
        assert_eq!((silent_at(&watch, 110), silent_at(&watch, 111)), (None, Some(61)));
        assert_eq!(silent_at(&watch, 40), None, "an answer that came meanwhile");
    }

    #[test]
    fn a_coordinator_that_ran_for_a_while_had_settled() {
        let watch = Watch { started: Instant::now(), last_answer: None };
        let after = |seconds| watch.started + Duration::from_secs(seconds);
        assert!(!watch.had_settled(after(SETTLED_SECONDS)));
        assert!(watch.had_settled(after(SETTLED_SECONDS + 1)));
    }

    #[test]
    fn a_stop_ends_a_pause() {
        let (sender, events) = std::sync::mpsc::channel();
        sender.send(Event::Answered(1)).unwrap();
        sender.send(Event::Stop).unwrap();
        assert!(is_stopped_within(Duration::from_secs(600), &events));
        assert!(!is_stopped_within(Duration::ZERO, &events));
    }
}
