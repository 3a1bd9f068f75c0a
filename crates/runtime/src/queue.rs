//! Bounded queues between threads. A full queue refuses and counts; it never grows.

use crate::metrics::Counter;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

/// Makes a queue of at most `capacity` items; what `try_send` refuses is counted in `refused`.
#[must_use]
pub fn bounded<T>(capacity: usize, refused: Counter) -> (Sender<T>, Receiver<T>) {
    let (sender, receiver) = mpsc::sync_channel(capacity);
    let length = Arc::new(AtomicUsize::new(0));
    (
        Sender {
            inner: sender,
            refused,
            length: Arc::clone(&length),
        },
        Receiver {
            inner: receiver,
            length,
        },
    )
}

/// The writing end; clones write to the same queue.
#[derive(Debug)]
pub struct Sender<T> {
    inner: mpsc::SyncSender<T>,
    refused: Counter,
    length: Arc<AtomicUsize>,
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        Self {
            inner: self.inner.clone(),
            refused: self.refused.clone(),
            length: Arc::clone(&self.length),
        }
    }
}

impl<T> Sender<T> {
    /// Items that wait, those included that are being put in or taken out at the moment.
    #[must_use]
    pub fn length(&self) -> usize {
        self.length.load(Ordering::Relaxed)
    }

    /// Adds an item if there is room; gives it back and counts it otherwise.
    pub fn try_send(&self, item: T) -> Result<(), T> {
        self.length.fetch_add(1, Ordering::Relaxed);
        self.inner.try_send(item).map_err(|error| {
            self.length.fetch_sub(1, Ordering::Relaxed);
            self.refused.increment();
            match error {
                mpsc::TrySendError::Full(item) | mpsc::TrySendError::Disconnected(item) => item,
            }
        })
    }

    /// Adds an item, waiting for room; gives it back when nobody reads any more.
    pub fn send(&self, item: T) -> Result<(), T> {
        self.length.fetch_add(1, Ordering::Relaxed);
        self.inner.send(item).map_err(|error| {
            self.length.fetch_sub(1, Ordering::Relaxed);
            error.0
        })
    }
}

/// The reading end.
#[derive(Debug)]
pub struct Receiver<T> {
    inner: mpsc::Receiver<T>,
    length: Arc<AtomicUsize>,
}

/// What a reader got.
#[derive(Debug, PartialEq, Eq)]
pub enum Received<T> {
    /// An item.
    Item(T),
    /// Nothing came in time.
    Nothing,
    /// All senders are gone and the queue is empty.
    Closed,
}

impl<T> Receiver<T> {
    /// Waits for an item, at most so long.
    #[must_use]
    pub fn receive(&self, at_most: Duration) -> Received<T> {
        match self.inner.recv_timeout(at_most) {
            Ok(item) => {
                self.length.fetch_sub(1, Ordering::Relaxed);
                Received::Item(item)
            }
            Err(mpsc::RecvTimeoutError::Timeout) => Received::Nothing,
            Err(mpsc::RecvTimeoutError::Disconnected) => Received::Closed,
        }
    }

    /// Takes an item if there is one.
    #[must_use]
    pub fn try_receive(&self) -> Option<T> {
        let item = self.inner.try_recv().ok();
        if item.is_some() {
            self.length.fetch_sub(1, Ordering::Relaxed);
        }
        item
    }
}
