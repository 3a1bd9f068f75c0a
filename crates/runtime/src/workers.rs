//! Threads that help with one piece of work and end with it.
//!
//! Key decision: helpers are started for the work and joined before it returns, so they may borrow what it
//! borrows; a thread costs some 30 µs, which is little against work that is worth sharing. One `Workers` is
//! shared by everything that may ask at the same time and bounds how many helpers run at once; who finds none free
//! does the work alone.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};

/// Results that may wait for an earlier one, for each thread at work.
const AHEAD_MAX: usize = 4;

/// A bounded number of helpers.
#[derive(Clone, Debug)]
pub struct Workers {
    free: Arc<AtomicUsize>,
}

impl Workers {
    /// At most `helpers` beside the threads that ask.
    #[must_use]
    pub fn new(helpers: usize) -> Self {
        Self {
            free: Arc::new(AtomicUsize::new(helpers)),
        }
    }

    /// One thread for each core, the asking one included.
    #[must_use]
    pub fn of_cores() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        Self::new(cores - 1)
    }

    /// Runs `work` on this thread and, at the same time, on up to `wanted` free helpers; returns when all are
    /// done. A panic in any of them goes on in this thread.
    pub fn run(&self, wanted: usize, work: &(dyn Fn() + Sync)) {
        let taken = Taken::new(&self.free, wanted);
        std::thread::scope(|scope| {
            for _ in 0..taken.count {
                let helper = std::thread::Builder::new().name("helper".to_owned());
                // Where the system refuses a thread, those that run do its share; the scope joins the others.
                let _joined_by_the_scope = helper.spawn_scoped(scope, work);
            }
            work();
        });
    }

    /// Does tasks `0..tasks` on several threads and gives the results to `fold` in the order of the tasks, one at
    /// a time, on whichever thread.
    ///
    /// The error of the lowest task that fails, or of `fold`, ends it: what comes out does not depend on
    /// how many threads took part. Memory: the results of at most `AHEAD_MAX` tasks a thread wait.
    pub fn in_order<T: Send, E: Send>(
        &self,
        (tasks, wanted): (usize, usize),
        work: &(dyn Fn(usize) -> Result<T, E> + Sync),
        fold: &mut (dyn FnMut(T) -> Result<(), E> + Send),
    ) -> Result<(), E> {
        let wanted = wanted.min(tasks.saturating_sub(1));
        if wanted == 0 || self.free.load(Ordering::Relaxed) == 0 {
            return (0..tasks).try_for_each(|task| fold(work(task)?));
        }
        let line = Line {
            next: AtomicUsize::new(0),
            stopped: AtomicBool::new(false),
            state: Mutex::new(State {
                folded: 0,
                waiting: BTreeMap::new(),
                error: None,
                fold,
            }),
            moved: Condvar::new(),
            ahead_max: AHEAD_MAX * (wanted + 1),
        };
        self.run(wanted, &|| line.serve(tasks, work));
        let state = line.state.into_inner();
        match state.unwrap_or_else(PoisonError::into_inner).error {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }
}

/// Helpers that were taken; given back when this is dropped.
struct Taken<'a> {
    free: &'a AtomicUsize,
    count: usize,
}

impl<'a> Taken<'a> {
    fn new(free: &'a AtomicUsize, wanted: usize) -> Self {
        let mut count = 0;
        let take = |left: usize| {
            count = left.min(wanted);
            Some(left - count)
        };
        // Never refused: the closure always answers.
        let _left = free.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take);
        Self { free, count }
    }
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        self.free.fetch_add(self.count, Ordering::Relaxed);
    }
}

/// Tasks in a line: taken in order, done in any, folded in order.
struct Line<'f, T, E> {
    next: AtomicUsize,
    stopped: AtomicBool,
    state: Mutex<State<'f, T, E>>,
    moved: Condvar,
    ahead_max: usize,
}

struct State<'f, T, E> {
    folded: usize,
    waiting: BTreeMap<usize, Result<T, E>>,
    error: Option<E>,
    fold: &'f mut (dyn FnMut(T) -> Result<(), E> + Send),
}

impl<T: Send, E: Send> Line<'_, T, E> {
    fn serve(&self, tasks: usize, work: &(dyn Fn(usize) -> Result<T, E> + Sync)) {
        let _stops_others = StopOnPanic(self);
        while !self.stopped.load(Ordering::Relaxed) {
            let task = self.next.fetch_add(1, Ordering::Relaxed);
            if task >= tasks {
                return;
            }
            let result = work(task);
            // A panic while folding ends the whole work; nobody looks at the state after it.
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            state.waiting.insert(task, result);
            self.fold_what_is_next(&mut state);
            // Whoever works on the next task in the line never waits here.
            while state.waiting.len() > self.ahead_max && !self.stopped.load(Ordering::Relaxed) {
                state = self
                    .moved
                    .wait(state)
                    .unwrap_or_else(PoisonError::into_inner);
            }
        }
    }

    fn fold_what_is_next(&self, state: &mut State<'_, T, E>) {
        while state.error.is_none() {
            let Some(result) = state.waiting.remove(&state.folded) else {
                break;
            };
            state.folded += 1;
            if let Err(error) = result.and_then(|result| (state.fold)(result)) {
                state.error = Some(error);
                self.stopped.store(true, Ordering::Relaxed);
            }
        }
        self.moved.notify_all();
    }
}

/// A thread that panics leaves a task undone: the others must not wait for it.
struct StopOnPanic<'l, 'f, T, E>(&'l Line<'f, T, E>);

impl<T, E> Drop for StopOnPanic<'_, '_, T, E> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            // Under the lock, so that nobody begins to wait after this was said.
            let _state = self.0.state.lock();
            self.0.stopped.store(true, Ordering::Relaxed);
            self.0.moved.notify_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Workers;
    use std::sync::Mutex;
    use std::sync::atomic::Ordering;

    #[test]
    fn folds_in_order_whatever_the_number_of_threads() {
        for helpers in [0, 1, 3, 8] {
            let workers = Workers::new(helpers);
            let mut folded = Vec::new();
            let work = |task: usize| {
                // Uneven work, so that later tasks overtake earlier ones.
                let spin = (0..(task % 7) * 1000).fold(task, |a, b| a.wrapping_mul(31) ^ b);
                Ok::<_, usize>((task, spin))
            };
            let done = workers.in_order((500, 8), &work, &mut |(task, _)| {
                folded.push(task);
                Ok(())
            });
            assert_eq!(done, Ok(()));
            assert_eq!(folded, (0..500).collect::<Vec<_>>());
            assert_eq!(workers.free.load(Ordering::Relaxed), helpers);
        }
    }

    #[test]
    fn the_first_error_wins() {
        for helpers in [0, 3] {
            let mut sum = 0;
            let work = |task: usize| {
                if task >= 40 && task.is_multiple_of(3) {
                    Err(task)
                } else {
                    Ok(task)
                }
            };
            let done = Workers::new(helpers).in_order((1000, 3), &work, &mut |task| {
                sum += task;
                Ok(())
            });
            assert_eq!((done, sum), (Err(42), (0..42).sum()));
        }
    }

    #[test]
    fn helpers_are_bounded_over_all_who_ask() {
        let workers = Workers::new(1);
        let count = Mutex::new(0);
        workers.run(5, &|| {
            *count.lock().expect("no panic") += 1;
            workers.run(5, &|| *count.lock().expect("no panic") += 1);
        });
        assert_eq!(*count.lock().expect("no panic"), 4);
    }
}
