//! The queue of one Alertmanager and the task that empties it.

use super::numbers::OwnNumbers;
use super::request::Requests;
use super::{Around, lock};
use model::Alert;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

/// Alerts that wait for one Alertmanager.
pub(super) struct Queue {
    /// Host and port.
    address: String,
    url: String,
    around: Arc<Around>,
    requests: Arc<Requests>,
    numbers: OwnNumbers,
    waiting: Mutex<VecDeque<Arc<Alert>>>,
    news: Notify,
    stopping: AtomicBool,
    /// Whether the last request failed: only the first of a row of failures is worth a line of the log.
    is_failing: AtomicBool,
    /// Whether this process stood in when it was asked last.
    is_inside: AtomicBool,
    task: Mutex<Option<JoinHandle<()>>>,
}

impl Queue {
    /// Makes the queue and starts its task. Address: host and port.
    pub(super) fn start(
        around: Arc<Around>,
        requests: Arc<Requests>,
        (address, url): (String, String),
    ) -> Arc<Self> {
        let queue = Arc::new(Self {
            numbers: around.numbers.of(&url),
            address,
            url,
            requests,
            waiting: Mutex::default(),
            news: Notify::new(),
            stopping: AtomicBool::new(false),
            is_failing: AtomicBool::new(false),
            is_inside: AtomicBool::new(false),
            task: Mutex::default(),
            around,
        });
        let work = Arc::clone(&queue);
        let runtime = &queue.around.surroundings.runtime;
        let task = runtime.spawn(async move { work.run().await });
        *lock(&queue.task) = Some(task);
        queue
    }

    /// Adds alerts; the oldest go where there is no room.
    pub(super) fn add(&self, alerts: &[Arc<Alert>]) {
        let mut waiting = lock(&self.waiting);
        waiting.extend(alerts.iter().cloned());
        let max = self.around.surroundings.queue_alerts_max;
        let over = waiting.len().saturating_sub(max);
        waiting.drain(..over);
        self.numbers.queue_length.set_count(waiting.len());
        drop(waiting);
        if over > 0 {
            self.numbers.dropped.add(count(over));
            tracing::warn!(
                alertmanager = self.url,
                count = over,
                "the queue is full, the oldest alerts are dropped"
            );
        }
        self.news.notify_one();
    }

    /// Tells the task to end.
    pub(super) fn stop(&self) {
        self.stopping.store(true, Ordering::Release);
        self.news.notify_one();
    }

    /// Whether there is nothing to wait for.
    pub(super) fn has_ended(&self) -> bool {
        let task = lock(&self.task);
        task.as_ref().is_none_or(JoinHandle::is_finished)
    }

    /// Waits for the task.
    pub(super) async fn ended(&self) {
        let task = lock(&self.task).take();
        if let Some(task) = task
            && let Err(error) = task.await
        {
            tracing::error!(alertmanager = self.url, %error, "sending alerts broke off");
        }
    }

    async fn run(&self) {
        loop {
            let stopping = self.stopping.load(Ordering::Acquire);
            if stopping && !self.around.surroundings.drains {
                break;
            }
            let batch = self.next_batch();
            if !batch.is_empty() {
                let taken = self.hand_on(&batch).await;
                if stopping && !taken {
                    // Nobody is there; the rest would only wait out the time limit of each request.
                    break;
                }
            } else if stopping {
                break;
            } else {
                self.news.notified().await;
            }
        }
        let left = std::mem::take(&mut *lock(&self.waiting)).len();
        if left > 0 {
            tracing::warn!(
                alertmanager = self.url,
                count = left,
                "alerts are dropped at the end"
            );
        }
        self.around.numbers.remove(&self.url);
    }

    fn next_batch(&self) -> Vec<Arc<Alert>> {
        let mut waiting = lock(&self.waiting);
        let max = self.around.surroundings.batch_alerts_max.max(1);
        let count = waiting.len().min(max);
        let batch = waiting.drain(..count).collect();
        self.numbers.queue_length.set_count(waiting.len());
        batch
    }

    /// Sends a batch once, unless this process stands in. Answers whether it was taken.
    async fn hand_on(&self, batch: &[Arc<Alert>]) -> bool {
        let alerts = count(batch.len());
        let Some(is_inside) = self.is_inside().await else {
            self.note_failure(alerts, "the name was not looked up in time");
            return false;
        };
        if self.is_inside.swap(is_inside, Ordering::AcqRel) != is_inside {
            let how = if is_inside {
                "its host does not resolve, alerts are routed inside alone"
            } else {
                "its host resolves, alerts are sent there"
            };
            tracing::info!(alertmanager = self.url, "{how}");
        }
        if is_inside {
            self.numbers.inside.add(alerts);
            return true;
        }
        self.send(batch).await
    }

    /// Asks on a thread that may block. Waits for the answer: a resolver that hangs holds one thread and not one more a
    /// batch. At the end it has as long as a request; `None` where that was not enough.
    async fn is_inside(&self) -> Option<bool> {
        let stands_in = Arc::clone(&self.around.surroundings.stands_in);
        let address = self.address.clone();
        let asked = tokio::task::spawn_blocking(move || stands_in(&address));
        tokio::select! {
            // One request too many is better than an alert that nobody hears of.
            answer = asked => Some(answer.unwrap_or(false)),
            () = self.end_of_patience() => None,
        }
    }

    async fn end_of_patience(&self) {
        while !self.stopping.load(Ordering::Acquire) {
            self.news.notified().await;
        }
        tokio::time::sleep(self.requests.timeout()).await;
    }

    /// Sends a batch once. Answers whether it was taken.
    async fn send(&self, batch: &[Arc<Alert>]) -> bool {
        let clock = &self.around.surroundings.clock;
        let began = clock.monotonic();
        let alerts = count(batch.len());
        if let Err(error) = self.requests.post(&self.url, batch).await {
            self.note_failure(alerts, &error);
            return false;
        }
        let took = clock.monotonic().saturating_sub(began).as_secs_f64();
        self.numbers.latency.observe(took);
        self.numbers.latency_histogram.observe(took);
        self.numbers.sent.add(alerts);
        if self.is_failing.swap(false, Ordering::AcqRel) {
            tracing::info!(alertmanager = self.url, "alerts are taken again");
        }
        true
    }

    fn note_failure(&self, alerts: u64, error: &str) {
        self.numbers.errors.add(alerts);
        self.numbers.dropped.add(alerts);
        if !self.is_failing.swap(true, Ordering::AcqRel) {
            let url = &self.url;
            tracing::error!(alertmanager = url, alerts, error, "sending alerts failed");
        }
    }
}

fn count(alerts: usize) -> u64 {
    u64::try_from(alerts).unwrap_or(u64::MAX)
}
