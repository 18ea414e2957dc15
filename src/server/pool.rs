//! The two rayon pools: conversion on as many threads as there are cores, and uploads on one thread for each connection
//! to a destination.
//!
//! Nothing in the conversion pool waits for a network or a disk flush, and no lock is held across a parallel call.

use rayon::iter::{IntoParallelIterator, ParallelIterator};
use rayon::{ThreadPool, ThreadPoolBuildError, ThreadPoolBuilder};

/// Where work is done.
pub struct Pool {
    /// `None`: on the thread that asks, for simulations.
    threads: Option<Threads>,
}

struct Threads {
    convert: ThreadPool,
    upload: ThreadPool,
}

impl Pool {
    /// Pools with so many threads; 0 conversion threads are as many as there are cores.
    ///
    /// # Errors
    /// When the system gives no threads.
    pub fn new(convert: usize, uploads: usize) -> Result<Self, ThreadPoolBuildError> {
        let build = |name: &'static str, threads| {
            ThreadPoolBuilder::new()
                .thread_name(move |number| format!("{name} {number}"))
                .num_threads(threads)
                .build()
        };
        let threads =
            Threads { convert: build("convert", convert)?, upload: build("upload", uploads.max(1))? };
        Ok(Self { threads: Some(threads) })
    }

    /// No threads of its own: everything happens on the thread that asks, in order.
    pub fn in_place() -> Self {
        Self { threads: None }
    }

    /// Applies `convert` to each item on the conversion pool, and answers in the same order.
    pub fn convert<T: Send, R: Send>(&self, items: Vec<T>, convert: impl Fn(T) -> R + Sync + Send) -> Vec<R> {
        match &self.threads {
            Some(threads) => threads.convert.install(|| items.into_par_iter().map(convert).collect()),
            None => items.into_iter().map(convert).collect(),
        }
    }

    /// Starts a long job on the upload pool; it waits for a free thread.
    pub fn upload(&self, job: impl FnOnce() + Send + 'static) {
        match &self.threads {
            Some(threads) => threads.upload.spawn(job),
            None => job(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_come_in_order() {
        let numbers: Vec<u32> = (0..1_000).collect();
        for pool in [Pool::new(2, 1).unwrap(), Pool::in_place()] {
            assert_eq!(pool.convert(numbers.clone(), |number| number), numbers);
        }
    }
}
