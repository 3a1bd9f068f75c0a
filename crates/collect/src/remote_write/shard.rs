//! Shards: each gathers rows into requests and sends one at a time, again and again until it is taken or refused.

use super::endpoint::Endpoint;
use super::feeder::{counts, drop_old, samples};
use super::numbers::Counts;
use super::request::Attempt;
use ingest::remote_out::{Backoff, Message, QueuedSeries, Verdict, encode};
use model::Timestamp;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

/// How long a request that is under way may still take when everything ends.
const GRACE: Duration = Duration::from_secs(5);

/// A row on its way.
pub(super) struct Item {
    pub(super) row: QueuedSeries,
    pub(super) counts: Counts,
    /// The record it came from.
    pub(super) record: u64,
}

/// The shards of an endpoint.
pub(super) struct Shards {
    senders: Vec<mpsc::Sender<Item>>,
    tasks: Vec<JoinHandle<()>>,
}

impl Shards {
    pub(super) fn start(endpoint: &Arc<Endpoint>, count: usize) -> Self {
        let capacity = endpoint.settings.queue.capacity.max(1);
        let (mut senders, mut tasks) = (Vec::new(), Vec::new());
        for _ in 0..count.max(1) {
            let (sender, items) = mpsc::channel(capacity);
            let served = Arc::clone(endpoint);
            let stopping = endpoint.stopping.subscribe();
            tasks.push(endpoint.runtime.spawn(async move {
                Shard {
                    endpoint: served,
                    items,
                    stopping,
                }
                .run()
                .await;
            }));
            senders.push(sender);
        }
        endpoint.numbers.shards.set_count(count);
        Self { senders, tasks }
    }

    /// Waits for room in the shard of a series; false where the shards are ending.
    pub(super) fn give(&self, hash: u64, item: Item) -> bool {
        let count = u64::try_from(self.senders.len()).unwrap_or(1).max(1);
        let index = usize::try_from(hash % count).unwrap_or_default();
        let Some(sender) = self.senders.get(index) else {
            return false;
        };
        sender.blocking_send(item).is_ok()
    }

    /// Lets the shards send what they hold, or what is under way where everything ends, and waits for them.
    pub(super) fn end(&mut self, endpoint: &Endpoint) {
        self.senders.clear();
        let tasks = std::mem::take(&mut self.tasks);
        endpoint.runtime.block_on(async {
            for task in tasks {
                if let Err(error) = task.await {
                    tracing::error!(%error, "a shard of remote_write to {} broke off", endpoint.settings.url);
                }
            }
        });
        endpoint.numbers.shards.set_count(0);
    }
}

struct Shard {
    endpoint: Arc<Endpoint>,
    items: mpsc::Receiver<Item>,
    stopping: watch::Receiver<bool>,
}

/// Rows that go into one request.
#[derive(Default)]
struct Batch {
    rows: Vec<QueuedSeries>,
    /// Rows by the record they came from.
    records: BTreeMap<u64, usize>,
    counts: Counts,
}

impl Batch {
    fn add(&mut self, item: Item) {
        self.counts = self.counts.plus(item.counts);
        *self.records.entry(item.record).or_default() += 1;
        self.rows.push(item.row);
    }

    fn newest(&self) -> Option<Timestamp> {
        let samples = self.rows.iter().flat_map(|row| &row.samples);
        samples.map(|sample| sample.timestamp).max()
    }
}

impl Shard {
    async fn run(mut self) {
        while let Some(batch) = self.gather().await {
            if !self.send(batch).await {
                return;
            }
        }
    }

    /// Waits for a row, then for more until the request is full or the row has waited long enough. `None` at the end.
    async fn gather(&mut self) -> Option<Batch> {
        let queue = self.endpoint.settings.queue;
        let mut batch = Batch::default();
        let first = tokio::select! {
            biased;
            _ = self.stopping.wait_for(|stopping| *stopping) => None,
            first = self.items.recv() => first,
        };
        batch.add(first?);
        let patience = u64::try_from(queue.send_deadline_ms).unwrap_or(5_000);
        let deadline = tokio::time::sleep(Duration::from_millis(patience));
        tokio::pin!(deadline);
        while batch.counts.values() < queue.send_samples_max {
            tokio::select! {
                biased;
                _ = self.stopping.wait_for(|stopping| *stopping) => return None,
                item = self.items.recv() => match item {
                    Some(item) => batch.add(item),
                    None => break,
                },
                () = &mut deadline => break,
            }
        }
        Some(batch)
    }

    /// Sends until the batch is dealt with; false where everything ends before that.
    async fn send(&mut self, mut batch: Batch) -> bool {
        let endpoint = Arc::clone(&self.endpoint);
        let queue = endpoint.settings.queue;
        let millis = |ms| Duration::from_millis(u64::try_from(ms).unwrap_or(1));
        let mut backoff = Backoff::new(millis(queue.backoff_min_ms), millis(queue.backoff_max_ms));
        let mut failures = 0_u64;
        loop {
            let body;
            (batch, body) = encoded(&endpoint, batch).await;
            if batch.counts == Counts::default() {
                break;
            }
            let bytes = u64::try_from(body.len()).unwrap_or(u64::MAX);
            let started = endpoint.clock.monotonic();
            let Some(attempt) = self.attempt(body).await else {
                return false;
            };
            let took = endpoint.clock.monotonic().saturating_sub(started);
            endpoint.numbers.duration.observe(took.as_secs_f64());
            match attempt.verdict {
                Verdict::Done | Verdict::Drop => {
                    self.settle(&batch, (bytes, took), &attempt);
                    if failures > 0 && attempt.verdict == Verdict::Done {
                        tracing::info!(
                            "remote_write to {}: it is taken again",
                            endpoint.settings.url
                        );
                    }
                    break;
                }
                Verdict::Again(asked) => {
                    endpoint.numbers.retried.add(batch.counts);
                    failures += 1;
                    if failures == 1 {
                        tracing::warn!(
                            "remote_write to {}: tried again until it is taken: {}",
                            endpoint.settings.url,
                            attempt.problem
                        );
                    }
                    let wait = backoff.wait(asked);
                    tokio::select! {
                        () = tokio::time::sleep(wait) => {}
                        _ = self.stopping.wait_for(|stopping| *stopping) => return false,
                    }
                }
            }
        }
        endpoint.add_pending(-samples(batch.counts));
        let records = std::mem::take(&mut batch.records);
        // Marking what was sent waits for the disk.
        let marked = tokio::task::spawn_blocking(move || {
            for (record, rows) in records {
                endpoint.done(record, rows);
            }
        });
        marked.await.is_ok()
    }

    /// Counts what was taken or given up.
    fn settle(&self, batch: &Batch, (bytes, took): (u64, Duration), attempt: &Attempt) {
        let numbers = &self.endpoint.numbers;
        if attempt.verdict == Verdict::Done {
            numbers.bytes.add(bytes);
            numbers.sent.add(batch.counts);
            if let Some(newest) = batch.newest() {
                numbers.highest_sent.raise(newest);
            }
        } else {
            tracing::error!(
                "remote_write to {}: {} samples are given up: {}",
                self.endpoint.settings.url,
                batch.counts.values(),
                attempt.problem
            );
            numbers.failed.add(batch.counts);
        }
        self.count_flow(batch, took);
    }

    /// Sends once; `None` where everything ends and no answer came in time.
    async fn attempt(&mut self, body: Vec<u8>) -> Option<Attempt> {
        let endpoint = Arc::clone(&self.endpoint);
        let request = endpoint.requests.send(body);
        tokio::pin!(request);
        tokio::select! {
            attempt = &mut request => return Some(attempt),
            _ = self.stopping.wait_for(|stopping| *stopping) => {}
        }
        tokio::time::timeout(GRACE, request).await.ok()
    }

    fn count_flow(&self, batch: &Batch, took: Duration) {
        let flow = &self.endpoint.flow;
        let samples = u64::try_from(batch.counts.values()).unwrap_or(u64::MAX);
        flow.samples_out.fetch_add(samples, Ordering::Relaxed);
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        flow.sending_micros.fetch_add(micros, Ordering::Relaxed);
    }
}

/// Makes the body of a request, on a blocking thread; what became too old meanwhile is left out.
async fn encoded(endpoint: &Arc<Endpoint>, mut batch: Batch) -> (Batch, Vec<u8>) {
    let endpoint = Arc::clone(endpoint);
    let work = move || {
        let before = batch.counts;
        if endpoint.settings.queue.sample_age_max_ms > 0 {
            batch.counts = Counts::default();
            for row in &mut batch.rows {
                drop_old(&endpoint, row);
                batch.counts = batch.counts.plus(counts(row));
            }
            batch.rows.retain(|row| counts(row) != Counts::default());
            endpoint.add_pending(samples(batch.counts) - samples(before));
        }
        let metadata = match endpoint.settings.message {
            Message::V1 => Arc::default(),
            Message::V2 => endpoint.known(),
        };
        let body = encode(endpoint.settings.message, &batch.rows, &metadata);
        (batch, body)
    };
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => {
            // Only where the process ends.
            tracing::error!(%error, "a request could not be made");
            (Batch::default(), Vec::new())
        }
    }
}
