//! The signal that ends the process in good order.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

type Callback = Box<dyn FnOnce() + Send>;

#[derive(Default)]
struct State {
    triggered: bool,
    callbacks: Vec<Callback>,
}

/// A flag that is raised once and wakes everyone who waits for it. Clones share it.
#[derive(Clone, Default)]
pub struct Shutdown {
    shared: Arc<(Mutex<State>, Condvar)>,
}

impl Shutdown {
    /// Makes a flag that is not raised.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.shared.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Raises the flag.
    pub fn trigger(&self) {
        let callbacks = {
            let mut state = self.lock();
            state.triggered = true;
            std::mem::take(&mut state.callbacks)
        };
        self.shared.1.notify_all();
        for callback in callbacks {
            callback();
        }
    }

    /// Whether the flag is raised.
    #[must_use]
    pub fn is_triggered(&self) -> bool {
        self.lock().triggered
    }

    /// Waits until the flag is raised, at most so long; answers whether it is.
    #[must_use]
    pub fn wait(&self, at_most: Duration) -> bool {
        let state = self.lock();
        let (state, _) = self
            .shared
            .1
            .wait_timeout_while(state, at_most, |state| !state.triggered)
            .unwrap_or_else(PoisonError::into_inner);
        state.triggered
    }

    /// Has `callback` called when the flag is raised, at once if it is already. This is how the
    /// asynchronous edges are woken.
    pub fn on_trigger(&self, callback: impl FnOnce() + Send + 'static) {
        let mut state = self.lock();
        if state.triggered {
            drop(state);
            callback();
        } else {
            state.callbacks.push(Box::new(callback));
        }
    }
}
