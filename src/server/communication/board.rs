//! The board of news: which migrations have something new, counted in marks.
//!
//! Written by whoever puts an action or changes the configuration; read by the *notify* calls that are held open and by
//! answers to a last chunk that wait for the next action. Marks begin at a number that no earlier run of the server
//! gave, so that an extractor which heard of an earlier run is told to ask for everything.

use crate::base::ids::{ExtractorId, MigrationId};
use crate::base::limits::MESSAGE_LIST_ENTRIES;
use crate::protocol::calls::NotifyAnswer;
use crate::protocol::ids::NotifyMark;
use std::collections::HashMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

#[derive(Debug)]
pub struct Board {
    marks: Mutex<Marks>,
    changed: Condvar,
}

#[derive(Debug)]
struct Marks {
    first: u64,
    last: u64,
    /// When everything was new.
    all: u64,
    /// Of what an extractor heard already nothing is left here.
    migrations: HashMap<MigrationId, (Option<ExtractorId>, u64)>,
    /// The number of the call that is held for each extractor.
    held: HashMap<ExtractorId, u64>,
    closed: bool,
}

impl Board {
    /// `unix_ms` is the time of the start.
    pub fn new(unix_ms: i64) -> Self {
        // Room for a thousand news a millisecond before the marks of the next run are reached.
        let first = (unix_ms.max(1) as u64) << 10;
        let marks = Marks {
            first,
            last: first,
            all: first,
            migrations: HashMap::new(),
            held: HashMap::new(),
            closed: false,
        };
        Self { marks: Mutex::new(marks), changed: Condvar::new() }
    }

    /// Something is new for a migration, and for the extractor that sees it.
    pub fn tell(&self, migration: MigrationId, extractor: Option<ExtractorId>) {
        let mut marks = self.lock();
        marks.last += 1;
        let mark = marks.last;
        marks.migrations.insert(migration, (extractor, mark));
        self.changed.notify_all();
    }

    /// Everything may be new for everybody.
    pub fn tell_all(&self) {
        let mut marks = self.lock();
        marks.last += 1;
        marks.all = marks.last;
        self.changed.notify_all();
    }

    /// Ends all waiting, now and later.
    pub fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }

    /// The mark of what is new for a migration; 0 if nothing is.
    pub fn mark(&self, migration: MigrationId) -> u64 {
        self.lock().mark(migration)
    }

    /// Waits until something is new for a migration since a mark. Says whether it is.
    pub fn wait(&self, migration: MigrationId, since: u64, most: Duration) -> bool {
        let nothing_new = |marks: &mut Marks| !marks.closed && marks.mark(migration) <= since;
        let marks = self.changed.wait_timeout_while(self.lock(), most, nothing_new);
        let (marks, _) = marks.unwrap_or_else(PoisonError::into_inner);
        marks.mark(migration) > since
    }

    /// What is new for an extractor since a mark. Waits until something is, and no longer than a newer call of the same
    /// extractor comes.
    pub fn notify(&self, extractor: ExtractorId, heard: NotifyMark, most: Duration) -> NotifyAnswer {
        let mut marks = self.lock();
        marks.forget(extractor, heard.0);
        let call = *marks.held.entry(extractor).and_modify(|call| *call += 1).or_insert(0);
        self.changed.notify_all();
        let nothing_new = |marks: &mut Marks| {
            !marks.closed && marks.held.get(&extractor) == Some(&call) && !marks.any_since(extractor, heard.0)
        };
        let waited = self.changed.wait_timeout_while(marks, most, nothing_new);
        let (marks, _) = waited.unwrap_or_else(PoisonError::into_inner);
        match marks.held.get(&extractor) == Some(&call) {
            true => marks.answer(extractor, heard),
            // The newer call tells the news.
            false => NotifyAnswer { mark: heard, migrations: Vec::new(), ask_all: false },
        }
    }

    /// A thread that panicked while it held the lock left nothing half done.
    fn lock(&self) -> MutexGuard<'_, Marks> {
        self.marks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Marks {
    fn mark(&self, migration: MigrationId) -> u64 {
        self.migrations.get(&migration).map_or(0, |&(_, mark)| mark)
    }

    fn forget(&mut self, extractor: ExtractorId, heard: u64) {
        self.migrations.retain(|_, &mut (reader, mark)| reader != Some(extractor) || mark > heard);
    }

    /// Also when the mark is none of this run.
    fn everything_since(&self, heard: u64) -> bool {
        !(self.first..=self.last).contains(&heard) || self.all > heard
    }

    fn any_since(&self, extractor: ExtractorId, heard: u64) -> bool {
        self.everything_since(heard) || self.since(extractor, heard).next().is_some()
    }

    fn since(&self, extractor: ExtractorId, heard: u64) -> impl Iterator<Item = MigrationId> {
        let news = self.migrations.iter();
        news.filter(move |&(_, &(reader, mark))| reader == Some(extractor) && mark > heard)
            .map(|(&migration, _)| migration)
    }

    fn answer(&self, extractor: ExtractorId, heard: NotifyMark) -> NotifyAnswer {
        let mark = NotifyMark(self.last);
        let mut migrations: Vec<_> = self.since(extractor, heard.0).collect();
        let ask_all = self.everything_since(heard.0) || migrations.len() > MESSAGE_LIST_ENTRIES;
        migrations.truncate(MESSAGE_LIST_ENTRIES);
        NotifyAnswer { mark, migrations, ask_all }
    }
}
