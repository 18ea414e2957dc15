//! The bounded queue between the thread that reads what arrived and the one that delivers it.
//!
//! Bounded by weight, so that many small items and a few large ones need the same memory; an item that is heavier than
//! the bound passes alone.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// What a taker gets.
#[derive(Debug, PartialEq, Eq)]
pub enum Taken<T> {
    Item(T),
    /// Nothing came for a while.
    Idle,
    /// Nothing will come any more.
    Closed,
}

/// One side puts and closes, the other takes or abandons.
#[derive(Debug)]
pub struct Queue<T> {
    state: Mutex<State<T>>,
    changed: Condvar,
    most: u64,
}

#[derive(Debug)]
struct State<T> {
    items: VecDeque<(u64, T)>,
    weight: u64,
    closed: bool,
}

impl<T> Queue<T> {
    /// A queue that holds items of this weight together.
    pub fn new(most: u64) -> Self {
        let state = Mutex::new(State { items: VecDeque::new(), weight: 0, closed: false });
        Self { state, changed: Condvar::new(), most }
    }

    /// Puts an item, after waiting for room. `false` when the queue is closed: nobody would take it.
    pub fn put(&self, weight: u64, item: T) -> bool {
        let mut state = self.lock();
        while !state.closed && !state.items.is_empty() && state.weight + weight > self.most {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        if state.closed {
            return false;
        }
        state.weight += weight;
        state.items.push_back((weight, item));
        self.changed.notify_all();
        true
    }

    /// Takes the next item, waiting no longer than `most`.
    pub fn take(&self, most: Duration) -> Taken<T> {
        let state = self.lock();
        let waits = |state: &mut State<T>| state.items.is_empty() && !state.closed;
        let waited = self.changed.wait_timeout_while(state, most, waits);
        let mut state = waited.unwrap_or_else(PoisonError::into_inner).0;
        match state.items.pop_front() {
            Some((weight, item)) => {
                state.weight -= weight;
                self.changed.notify_all();
                Taken::Item(item)
            }
            None if state.closed => Taken::Closed,
            None => Taken::Idle,
        }
    }

    /// Nothing is put any more; what is in it is still taken.
    pub fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }

    /// Closes, and drops what is in it.
    pub fn abandon(&self) {
        let mut state = self.lock();
        state.closed = true;
        state.weight = 0;
        let items = std::mem::take(&mut state.items);
        drop(state);
        self.changed.notify_all();
        drop(items);
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};

    #[test]
    fn a_heavy_item_passes_alone_and_the_order_stays() {
        let queue = Arc::new(Queue::new(10));
        let taken = std::thread::scope(|scope| {
            scope.spawn(|| {
                (0..100_u64).for_each(|number| assert!(queue.put(number % 15, number)));
                queue.close();
            });
            let mut taken = Vec::new();
            loop {
                match queue.take(Duration::from_secs(60)) {
                    Taken::Item(number) => taken.push(number),
                    Taken::Idle => {}
                    Taken::Closed => break taken,
                }
            }
        });
        assert_eq!(taken, Vec::from_iter(0..100));
    }

    #[test]
    fn whoever_waits_for_room_hears_that_the_queue_was_abandoned() {
        let queue = Queue::new(1);
        let put = AtomicU64::new(0);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while queue.put(1, ()) {
                    put.fetch_add(1, Ordering::SeqCst);
                }
            });
            while put.load(Ordering::SeqCst) == 0 {
                std::thread::yield_now();
            }
            queue.abandon();
        });
        assert_eq!((put.into_inner(), queue.take(Duration::ZERO)), (1, Taken::Closed));
    }
}
