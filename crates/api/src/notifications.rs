//! What the server has to tell whoever looks at its page: short texts that hold for a while, and a stream of their
//! coming and going.

use model::Timestamp;
use runtime::Registry;
use runtime::metrics::{Counter, Gauge};
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::mpsc;

/// The configuration was read again, without success.
pub const RELOAD_FAILED: &str = "Configuration reload has failed.";
/// The write-ahead log is being read back.
pub const STARTING: &str = "Binnacle is starting and replaying the write-ahead log (WAL).";
/// The process is about to end.
pub const ENDING: &str = "Binnacle is shutting down and gracefully stopping all operations.";

/// News that wait for one subscriber at most; a subscriber that is slower misses some.
const WAITING_MAX: usize = 10;

/// One text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notification {
    /// What is the matter.
    pub text: String,
    /// Since when, or when it was last said.
    pub at: Timestamp,
    /// Whether it still holds.
    pub active: bool,
}

#[derive(Default)]
struct State {
    active: Vec<Notification>,
    subscribers: Vec<mpsc::Sender<Notification>>,
    is_closed: bool,
}

/// All texts that hold, and those who follow them.
pub struct Notifications {
    state: Mutex<State>,
    subscribers_max: usize,
    subscribers: Gauge,
    sent: Counter,
    dropped: Counter,
    refused: Counter,
}

impl Notifications {
    /// Makes an empty list that at most so many may follow at once.
    #[must_use]
    pub fn new(registry: &Registry, subscribers_max: usize) -> Self {
        let counter = |name, help| registry.counter(name, help, &[]);
        Self {
            state: Mutex::default(),
            subscribers_max,
            subscribers: registry.gauge(
                "prometheus_api_notification_active_subscribers",
                "Clients that follow the server's notifications.",
                &[],
            ),
            sent: counter(
                "prometheus_api_notification_updates_sent_total",
                "Notifications handed to followers.",
            ),
            dropped: counter(
                "prometheus_api_notification_updates_dropped_total",
                "Notifications that a slow follower missed.",
            ),
            refused: counter(
                "binnacle_api_notification_subscribers_refused_total",
                "Followers that were one too many.",
            ),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says something that holds from now on.
    pub fn add(&self, text: &str, now: Timestamp) {
        let mut state = self.lock();
        let news = Notification {
            text: text.to_owned(),
            at: now,
            active: true,
        };
        match state.active.iter_mut().find(|known| known.text == text) {
            Some(known) => *known = news.clone(),
            None => state.active.push(news.clone()),
        }
        self.tell(&mut state, &news);
    }

    /// Takes it back, if it was said.
    pub fn remove(&self, text: &str) {
        let mut state = self.lock();
        let Some(index) = state.active.iter().position(|known| known.text == text) else {
            return;
        };
        let mut news = state.active.remove(index);
        news.active = false;
        self.tell(&mut state, &news);
    }

    fn tell(&self, state: &mut State, news: &Notification) {
        state.subscribers.retain(|follower| !follower.is_closed());
        for follower in &state.subscribers {
            self.sent.increment();
            if follower.try_send(news.clone()).is_err() {
                self.dropped.increment();
            }
        }
        self.subscribers.set_count(state.subscribers.len());
    }

    /// What holds now.
    #[must_use]
    pub fn list(&self) -> Vec<Notification> {
        self.lock().active.clone()
    }

    /// Follows the list, beginning with what holds now; `None` where too many do.
    #[must_use]
    pub fn follow(&self) -> Option<mpsc::Receiver<Notification>> {
        let mut state = self.lock();
        state.subscribers.retain(|follower| !follower.is_closed());
        if state.subscribers.len() >= self.subscribers_max || state.is_closed {
            self.refused.increment();
            return None;
        }
        let (sender, receiver) = mpsc::channel(WAITING_MAX.max(state.active.len()));
        for news in &state.active {
            // There is room for all of them.
            let _has_room = sender.try_send(news.clone());
        }
        state.subscribers.push(sender);
        self.subscribers.set_count(state.subscribers.len());
        Some(receiver)
    }

    /// Ends every stream, so that the server can end.
    pub fn close(&self) {
        let mut state = self.lock();
        state.is_closed = true;
        state.subscribers.clear();
        self.subscribers.set_count(0);
    }
}

#[cfg(test)]
mod tests {
    use super::{Notifications, WAITING_MAX};
    use model::Timestamp;
    use runtime::Registry;

    #[test]
    fn followers_hear_what_holds_and_what_changes() {
        let registry = Registry::new();
        let notifications = Notifications::new(&registry, 1);
        let at = Timestamp::from_millis;
        notifications.add("disk", at(1));
        let mut follower = notifications.follow().expect("the first");
        assert!(notifications.follow().is_none());
        notifications.add("disk", at(2));
        notifications.remove("disk");
        notifications.remove("disk");
        let heard: Vec<_> = std::iter::from_fn(|| follower.try_recv().ok())
            .map(|news| (news.at.millis(), news.active))
            .collect();
        assert_eq!(heard, [(1, true), (2, true), (2, false)]);
        assert_eq!(notifications.list(), []);
        for step in 0..=WAITING_MAX {
            notifications.add("slow", at(i64::try_from(step).unwrap_or(0)));
        }
        let text = registry.render();
        assert!(text.contains("prometheus_api_notification_updates_dropped_total 1\n"));
        assert!(text.contains("binnacle_api_notification_subscribers_refused_total 1\n"));
        drop(follower);
        assert!(notifications.follow().is_some());
    }
}
