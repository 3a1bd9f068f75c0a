//! Bounded queues between threads. A full queue refuses and counts; it never grows.
//!
//! Memory is taken by what waits, not by the limit: some limits are generous, and nearly all queues nearly always empty.

use crate::metrics::Counter;
use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// An empty queue keeps room for so many items and gives the rest back.
const ROOM_KEPT: usize = 64;

/// Makes a queue of at most `capacity` items; what `try_send` refuses is counted in `refused`.
#[must_use]
pub fn bounded<T>(capacity: usize, refused: Counter) -> (Sender<T>, Receiver<T>) {
    let shared = Arc::new(Shared {
        state: Mutex::new(State {
            items: VecDeque::new(),
            senders: 1,
            is_read: true,
        }),
        came: Condvar::new(),
        went: Condvar::new(),
        capacity,
    });
    (
        Sender {
            shared: Arc::clone(&shared),
            refused,
        },
        Receiver { shared },
    )
}

#[derive(Debug)]
struct Shared<T> {
    state: Mutex<State<T>>,
    /// An item, or the end of the last sender.
    came: Condvar,
    /// An item, or the reader.
    went: Condvar,
    capacity: usize,
}

#[derive(Debug)]
struct State<T> {
    items: VecDeque<T>,
    senders: usize,
    is_read: bool,
}

impl<T> Shared<T> {
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put(&self, mut state: MutexGuard<'_, State<T>>, item: T) {
        state.items.push_back(item);
        drop(state);
        self.came.notify_one();
    }

    fn take(&self, state: &mut State<T>) -> Option<T> {
        let item = state.items.pop_front()?;
        if state.items.is_empty() {
            state.items.shrink_to(ROOM_KEPT);
        }
        self.went.notify_one();
        Some(item)
    }
}

/// The writing end; clones write to the same queue.
#[derive(Debug)]
pub struct Sender<T> {
    shared: Arc<Shared<T>>,
    refused: Counter,
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        self.shared.lock().senders += 1;
        Self {
            shared: Arc::clone(&self.shared),
            refused: self.refused.clone(),
        }
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        self.shared.lock().senders -= 1;
        self.shared.came.notify_one();
    }
}

impl<T> Sender<T> {
    /// Items that wait.
    #[must_use]
    pub fn length(&self) -> usize {
        self.shared.lock().items.len()
    }

    /// Adds an item if there is room; gives it back and counts it otherwise.
    pub fn try_send(&self, item: T) -> Result<(), T> {
        let state = self.shared.lock();
        if state.is_read && state.items.len() < self.shared.capacity {
            self.shared.put(state, item);
            return Ok(());
        }
        self.refused.increment();
        Err(item)
    }

    /// Adds an item, waiting for room; gives it back when nobody reads any more.
    pub fn send(&self, item: T) -> Result<(), T> {
        let is_full =
            |state: &mut State<T>| state.is_read && state.items.len() >= self.shared.capacity;
        let state = self.shared.went.wait_while(self.shared.lock(), is_full);
        let state = state.unwrap_or_else(PoisonError::into_inner);
        if !state.is_read {
            return Err(item);
        }
        self.shared.put(state, item);
        Ok(())
    }
}

/// The reading end.
#[derive(Debug)]
pub struct Receiver<T> {
    shared: Arc<Shared<T>>,
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.is_read = false;
        let unread = std::mem::take(&mut state.items);
        drop(state);
        self.shared.went.notify_all();
        // What an item does when it goes must not wait for this queue.
        drop(unread);
    }
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
        let nothing = |state: &mut State<T>| state.items.is_empty() && state.senders > 0;
        let state = self.shared.lock();
        let waited = self.shared.came.wait_timeout_while(state, at_most, nothing);
        let (mut state, _timed_out) = waited.unwrap_or_else(PoisonError::into_inner);
        match self.shared.take(&mut state) {
            Some(item) => Received::Item(item),
            None if state.senders == 0 => Received::Closed,
            None => Received::Nothing,
        }
    }

    /// Takes an item if there is one.
    #[must_use]
    pub fn try_receive(&self) -> Option<T> {
        self.shared.take(&mut self.shared.lock())
    }
}

#[cfg(test)]
mod tests {
    use super::{Received, Receiver, Sender, bounded};
    use crate::metrics::Counter;
    use std::time::Duration;

    const LONG: Duration = Duration::from_secs(60);

    fn of_two() -> (Sender<u32>, Receiver<u32>, Counter) {
        let refused = Counter::default();
        let (sender, receiver) = bounded(2, refused.clone());
        (sender, receiver, refused)
    }

    #[test]
    fn refuses_and_counts_what_has_no_room() {
        let (sender, receiver, refused) = of_two();
        let sent: Vec<_> = (0..4).map(|item| sender.try_send(item)).collect();
        assert_eq!(sent, [Ok(()), Ok(()), Err(2), Err(3)]);
        assert_eq!((refused.value(), sender.length()), (2, 2));
        assert_eq!(receiver.try_receive(), Some(0));
        assert_eq!(sender.try_send(4), Ok(()));
        assert_eq!(receiver.receive(LONG), Received::Item(1));
        assert_eq!(receiver.receive(LONG), Received::Item(4));
        assert_eq!(receiver.receive(Duration::ZERO), Received::Nothing);
        assert_eq!(receiver.try_receive(), None);
    }

    #[test]
    fn is_closed_when_all_senders_are_gone_and_all_is_read() {
        let (sender, receiver, _refused) = of_two();
        let other = sender.clone();
        drop(sender);
        assert_eq!(other.try_send(1), Ok(()));
        drop(other);
        assert_eq!(receiver.receive(LONG), Received::Item(1));
        assert_eq!(receiver.receive(LONG), Received::Closed);
    }

    #[test]
    fn gives_items_back_when_nobody_reads() {
        let (sender, receiver, refused) = of_two();
        drop(receiver);
        assert_eq!(sender.try_send(1), Err(1));
        assert_eq!(sender.send(2), Err(2));
        assert_eq!(refused.value(), 1);
    }

    #[test]
    fn a_sender_waits_for_room_and_a_reader_for_an_item() {
        let (sender, receiver, _refused) = of_two();
        std::thread::scope(|threads| {
            threads.spawn(move || {
                for item in 0..1000 {
                    assert_eq!(sender.send(item), Ok(()));
                }
            });
            for item in 0..1000 {
                assert_eq!(receiver.receive(LONG), Received::Item(item));
            }
            assert_eq!(receiver.receive(LONG), Received::Closed);
        });
    }

    #[test]
    fn a_waiting_sender_ends_with_the_reader() {
        let (sender, receiver, _refused) = of_two();
        std::thread::scope(|threads| {
            let sending = threads.spawn(move || (0..).find_map(|item| sender.send(item).err()));
            assert_eq!(receiver.receive(LONG), Received::Item(0));
            drop(receiver);
            let back = sending.join().expect("no panic");
            assert!(back.is_some_and(|item| item > 0), "{back:?}");
        });
    }
}
