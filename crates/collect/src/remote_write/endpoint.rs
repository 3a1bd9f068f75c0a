//! One receiver: its queue, its numbers, and the threads and tasks that serve it.

use super::numbers::{Counts, Numbers};
use super::request::Requests;
use super::tracker::Tracker;
use super::{MetadataSource, SEGMENT_BYTES, Surroundings, feeder};
use crate::prometheus_file::RemoteWrite;
use ingest::remote_out::{Message, RecordWriter, Verdict, encode_metadata};
use model::number::{i64_to_float, u64_to_float};
use model::{Labels, MetricMetadata, SeriesSamples, Timestamp};
use runtime::SharedClock;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;
use storage::disk_queue::{self, DiskQueue};
use storage::wal::Position;
use tokio::sync::watch;

/// Metadata by metric name.
pub(super) type Known = Arc<BTreeMap<String, MetricMetadata>>;

/// How long what is known of metrics counts as known.
const KNOWN_FOR: Duration = Duration::from_secs(15);

/// Samples that were sent or came in since the last look, and how long sending took.
#[derive(Default)]
pub(super) struct Flow {
    pub(super) samples_in: AtomicU64,
    pub(super) samples_out: AtomicU64,
    pub(super) sending_micros: AtomicU64,
}

pub(super) struct Endpoint {
    pub(super) key: String,
    pub(super) settings: RemoteWrite,
    pub(super) external: Labels,
    pub(super) queue: DiskQueue,
    writer: Mutex<RecordWriter>,
    news: (Mutex<bool>, Condvar),
    pub(super) tracker: Mutex<Tracker>,
    pub(super) numbers: Numbers,
    pub(super) flow: Flow,
    pending: AtomicI64,
    pub(super) requests: Requests,
    metadata: MetadataSource,
    /// What was known of metrics, and when that was asked.
    known: Mutex<Option<(Duration, Known)>>,
    pub(super) clock: SharedClock,
    pub(super) runtime: tokio::runtime::Handle,
    pub(super) stopping: watch::Sender<bool>,
    feeder: Mutex<Option<JoinHandle<()>>>,
    teller: Mutex<Option<tokio::task::JoinHandle<()>>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Endpoint {
    /// Opens the queue and starts what serves it.
    pub(super) fn start(
        around: &Surroundings,
        key: String,
        (settings, external): (&RemoteWrite, &Labels),
    ) -> Result<Arc<Self>, String> {
        let options = disk_queue::Options {
            folder: around.folder.join(&key),
            bytes_max: around.queue_bytes_max,
            segment_bytes: SEGMENT_BYTES.min(around.queue_bytes_max / 4),
            files: Arc::clone(&around.files),
        };
        let (queue, reader) = DiskQueue::open(options).map_err(|error| error.to_string())?;
        let name = if settings.name.is_empty() {
            key.chars().take(6).collect()
        } else {
            settings.name.clone()
        };
        let numbers = Numbers::new(&around.registry, &name, &shown_url(&settings.url));
        let held = i64::try_from(queue.weight()).unwrap_or(i64::MAX);
        let endpoint = Arc::new(Self {
            key,
            settings: settings.clone(),
            external: external.clone(),
            queue,
            writer: Mutex::default(),
            news: (Mutex::new(false), Condvar::new()),
            tracker: Mutex::default(),
            numbers,
            flow: Flow::default(),
            pending: AtomicI64::new(held),
            requests: Requests::new(settings),
            metadata: Arc::clone(&around.metadata),
            known: Mutex::default(),
            clock: Arc::clone(&around.clock),
            runtime: around.runtime.clone(),
            stopping: watch::channel(false).0,
            feeder: Mutex::new(None),
            teller: Mutex::new(None),
        });
        endpoint.show_settings();
        let fed = Arc::clone(&endpoint);
        let thread = runtime::thread::spawn("remote-write", move || feeder::run(&fed, reader))
            .map_err(|error| error.to_string())?;
        *lock(&endpoint.feeder) = Some(thread);
        if settings.message == Message::V1 && settings.metadata.send {
            let told = Arc::clone(&endpoint);
            let task = around
                .runtime
                .spawn(async move { told.tell_metadata().await });
            *lock(&endpoint.teller) = Some(task);
        }
        Ok(endpoint)
    }

    fn show_settings(&self) {
        let queue = self.settings.queue;
        self.numbers.shards_max.set_count(queue.shards_max);
        self.numbers.shards_min.set_count(queue.shards_min);
        self.numbers.shard_capacity.set_count(queue.capacity);
        self.numbers
            .send_samples_max
            .set_count(queue.send_samples_max);
        self.add_pending(0);
    }

    pub(super) fn is_like(&self, settings: &RemoteWrite, external: &Labels) -> bool {
        self.settings == *settings && self.external == *external
    }

    /// Queues a batch.
    pub(super) fn push(&self, batch: &[SeriesSamples], newest: Timestamp) {
        let mut writer = lock(&self.writer);
        let mut weight = 0;
        let pushed = self.queue.push(|begins_segment| {
            let (record, samples) = writer.encode_weighed(batch, begins_segment);
            weight = samples;
            (record, samples)
        });
        drop(writer);
        let counts = |samples| Counts {
            samples: usize::try_from(samples).unwrap_or(usize::MAX),
            ..Counts::default()
        };
        match pushed {
            Ok(dropped) => {
                let lost = i64::try_from(dropped.weight).unwrap_or(i64::MAX);
                self.add_pending(i64::from(weight).saturating_sub(lost));
                if dropped.weight > 0 {
                    self.numbers.dropped("queue_full", counts(dropped.weight));
                }
                self.numbers.highest.raise(newest);
                let samples_in = &self.flow.samples_in;
                samples_in.fetch_add(u64::from(weight), Ordering::Relaxed);
            }
            Err(error) => {
                tracing::error!(%error, "remote_write to {}: samples could not be queued", self.settings.url);
                self.numbers
                    .dropped("queue_failed", counts(u64::from(weight)));
            }
        }
        let bytes = u64_to_float(self.queue.size_bytes());
        self.numbers.queue_bytes.set(bytes);
        *lock(&self.news.0) = true;
        self.news.1.notify_all();
    }

    /// Waits until something was queued, at most so long.
    pub(super) fn wait_for_news(&self, at_most: Duration) {
        let present = lock(&self.news.0);
        let (mut present, _) = self
            .news
            .1
            .wait_timeout_while(present, at_most, |present| !*present)
            .unwrap_or_else(PoisonError::into_inner);
        *present = false;
    }

    pub(super) fn add_pending(&self, samples: i64) {
        let now = self.pending.fetch_add(samples, Ordering::Relaxed) + samples;
        self.numbers.pending.set(i64_to_float(now.max(0)));
    }

    pub(super) fn pending(&self) -> i64 {
        self.pending.load(Ordering::Relaxed)
    }

    /// Takes rows of a record as dealt with, and acknowledges what is.
    pub(super) fn done(&self, record: u64, rows: usize) {
        let through: Option<Position> = lock(&self.tracker).done(record, rows);
        if let Some(through) = through
            && let Err(error) = self.queue.acknowledge(through)
        {
            tracing::error!(%error, "remote_write to {}: what was sent could not be marked", self.settings.url);
        }
    }

    pub(super) fn begin_record(&self, end: Position) -> u64 {
        lock(&self.tracker).begin(end)
    }

    pub(super) fn add_row(&self, record: u64) {
        lock(&self.tracker).add(record);
    }

    pub(super) fn is_stopping(&self) -> bool {
        *self.stopping.borrow()
    }

    /// Tells everything to end.
    pub(super) fn stop(&self) {
        self.stopping.send_replace(true);
        *lock(&self.news.0) = true;
        self.news.1.notify_all();
    }

    /// What is known of metrics, asked anew every now and then.
    pub(super) fn known(&self) -> Known {
        let now = self.clock.monotonic();
        let mut known = lock(&self.known);
        match &*known {
            Some((asked, known)) if now.saturating_sub(*asked) < KNOWN_FOR => Arc::clone(known),
            _ => {
                let fresh = Arc::new((self.metadata)());
                *known = Some((now, Arc::clone(&fresh)));
                fresh
            }
        }
    }

    /// Ends everything and waits for it.
    pub(super) fn shut_down(&self) {
        self.stop();
        if let Some(feeder) = lock(&self.feeder).take()
            && feeder.join().is_err()
        {
            tracing::error!(
                "the feeder of remote_write to {} broke off",
                self.settings.url
            );
        }
        if let Some(teller) = lock(&self.teller).take() {
            teller.abort();
        }
    }

    /// Sends what is known of metrics at every interval.
    async fn tell_metadata(&self) {
        let settings = self.settings.metadata;
        let interval = Duration::from_millis(u64::try_from(settings.interval_ms).unwrap_or(60_000));
        let mut stopping = self.stopping.subscribe();
        loop {
            tokio::select! {
                () = tokio::time::sleep(interval) => {}
                _ = stopping.wait_for(|stopping| *stopping) => return,
            }
            let all: Vec<(String, MetricMetadata)> = (self.metadata)().into_iter().collect();
            for part in all.chunks(settings.send_metrics_max) {
                let body = encode_metadata(part);
                let bytes = u64::try_from(body.len()).unwrap_or(u64::MAX);
                let attempt = self.requests.send(body).await;
                let count = u64::try_from(part.len()).unwrap_or(u64::MAX);
                if attempt.verdict == Verdict::Done {
                    self.numbers.metadata.add(count);
                    self.numbers.metadata_bytes.add(bytes);
                } else {
                    // The next interval tells all of it again.
                    self.numbers.metadata_failed.add(count);
                    break;
                }
            }
        }
    }
}

/// An address without what may be secret in it.
fn shown_url(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.to_owned();
    };
    let authority = rest.split('/').next().unwrap_or_default();
    match authority.rsplit_once('@') {
        None => url.to_owned(),
        Some((user, _)) => {
            let name = user.split(':').next().unwrap_or_default();
            let after = rest.get(user.len()..).unwrap_or_default();
            format!("{scheme}://{name}:xxxxx{after}")
        }
    }
}
