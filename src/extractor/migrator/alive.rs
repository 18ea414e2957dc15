//! Signs of life beside a long action, from a thread of their own.

use crate::extractor::client::Client;
use crate::extractor::processes::Ended;
use crate::extractor::say;
use crate::protocol::action::Held;
use crate::protocol::calls::AliveRequest;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// The action that is worked on, with the bytes that were read for it.
#[derive(Clone, Debug, Default)]
pub struct Alive(Arc<Mutex<Option<(Held, u64)>>>);

impl Alive {
    /// Calls as often as the server wants it, whenever there is an action. When the server answers *stop*, the process
    /// ends where it stands: nothing that it holds is worth a farewell.
    pub fn start(client: Client, every: Duration) -> Self {
        let alive = Self::default();
        let current = alive.clone();
        thread::spawn(move || {
            loop {
                thread::sleep(every);
                let Some((held, bytes_read)) = current.get() else { continue };
                // A call that fails is followed by the next one.
                let stop = client.call(&AliveRequest { held, bytes_read }).is_ok_and(|answer| answer.stop);
                if stop && current.get().is_some_and(|(now, _)| now == held) {
                    say(format_args!("migration {} was stopped in the middle of an action", held.migration));
                    std::process::exit(Ended::Done as i32);
                }
            }
        });
        alive
    }

    pub fn begin(&self, held: Held) {
        self.set(Some((held, 0)));
    }

    /// Notes what was read; the calls tell it.
    pub fn read(&self, bytes: u64) {
        if let Some((held, before)) = self.get() {
            self.set(Some((held, before + bytes)));
        }
    }

    /// No action is worked on any more, so an answer that still says *stop* means nothing.
    pub fn end(&self) {
        self.set(None);
    }

    fn get(&self) -> Option<(Held, u64)> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, state: Option<(Held, u64)>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = state;
    }
}
