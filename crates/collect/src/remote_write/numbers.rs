//! What is counted, under the names of Prometheus' own metrics: its dashboards and alerts read these.

use model::Timestamp;
use runtime::Registry;
use runtime::metrics::{Counter, Gauge, Histogram};
use std::sync::atomic::{AtomicI64, Ordering};

/// Over all endpoints.
pub(super) struct TotalNumbers {
    samples: Counter,
    histograms: Counter,
    exemplars: Counter,
    newest: Highest,
}

impl TotalNumbers {
    pub(super) fn new(registry: &Registry) -> Self {
        let counter = |name, help| registry.counter(name, help, &[]);
        let newest = registry.gauge(
            "prometheus_remote_storage_highest_timestamp_in_seconds",
            "Highest timestamp that has come into the remote storage via the Appender interface, in seconds since epoch. Initialized to 0 when no data has been received yet.",
            &[],
        );
        Self {
            samples: counter(
                "prometheus_remote_storage_samples_in_total",
                "Samples in to remote storage, compare to samples out for queue managers.",
            ),
            histograms: counter(
                "prometheus_remote_storage_histograms_in_total",
                "HistogramSamples in to remote storage, compare to histograms out for queue managers.",
            ),
            exemplars: counter(
                "prometheus_remote_storage_exemplars_in_total",
                "Exemplars in to remote storage, compare to exemplars out for queue managers.",
            ),
            newest: Highest::new(newest),
        }
    }

    pub(super) fn count(
        &self,
        (floats, histograms, exemplars): (usize, usize, usize),
        newest: Timestamp,
    ) {
        add(&self.samples, floats);
        add(&self.histograms, histograms);
        add(&self.exemplars, exemplars);
        self.newest.raise(newest);
    }
}

/// A time that only goes up.
pub(super) struct Highest {
    gauge: Gauge,
    millis: AtomicI64,
}

impl Highest {
    fn new(gauge: Gauge) -> Self {
        Self {
            gauge,
            millis: AtomicI64::new(i64::MIN),
        }
    }

    pub(super) fn raise(&self, at: Timestamp) {
        let before = self.millis.fetch_max(at.millis(), Ordering::Relaxed);
        if at.millis() > before {
            self.gauge.set(at.seconds());
        }
    }
}

pub(super) fn add(counter: &Counter, count: usize) {
    counter.add(u64::try_from(count).unwrap_or(u64::MAX));
}

/// The three kinds of what is sent.
pub(super) struct ByKind {
    pub(super) samples: Counter,
    pub(super) histograms: Counter,
    pub(super) exemplars: Counter,
}

/// How many of each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) samples: usize,
    pub(super) histograms: usize,
    pub(super) exemplars: usize,
}

impl Counts {
    /// What fills a request and the queue.
    pub(super) const fn values(self) -> usize {
        self.samples + self.histograms
    }

    pub(super) const fn plus(self, other: Self) -> Self {
        Self {
            samples: self.samples + other.samples,
            histograms: self.histograms + other.histograms,
            exemplars: self.exemplars + other.exemplars,
        }
    }
}

impl ByKind {
    pub(super) fn add(&self, counts: Counts) {
        add(&self.samples, counts.samples);
        add(&self.histograms, counts.histograms);
        add(&self.exemplars, counts.exemplars);
    }
}

/// Of one endpoint.
pub(super) struct Numbers {
    registry: Registry,
    name: String,
    url: String,
    pub(super) sent: ByKind,
    pub(super) failed: ByKind,
    pub(super) retried: ByKind,
    pub(super) bytes: Counter,
    pub(super) metadata: Counter,
    pub(super) metadata_failed: Counter,
    pub(super) metadata_bytes: Counter,
    pub(super) pending: Gauge,
    pub(super) shards: Gauge,
    pub(super) shards_desired: Gauge,
    pub(super) shards_max: Gauge,
    pub(super) shards_min: Gauge,
    pub(super) shard_capacity: Gauge,
    pub(super) send_samples_max: Gauge,
    pub(super) highest: Highest,
    pub(super) highest_sent: Highest,
    pub(super) duration: Histogram,
    pub(super) queue_bytes: Gauge,
}

impl Numbers {
    #[expect(clippy::too_many_lines, reason = "one list of names and their texts")]
    pub(super) fn new(registry: &Registry, name: &str, url: &str) -> Self {
        let labels = [("remote_name", name), ("url", url)];
        let counter = |name, help| registry.counter(name, help, &labels);
        let gauge = |name, help| registry.gauge(name, help, &labels);
        Self {
            registry: registry.clone(),
            name: name.to_owned(),
            url: url.to_owned(),
            sent: ByKind {
                samples: counter(
                    "prometheus_remote_storage_samples_total",
                    "Total number of samples sent to remote storage.",
                ),
                histograms: counter(
                    "prometheus_remote_storage_histograms_total",
                    "Total number of histograms sent to remote storage.",
                ),
                exemplars: counter(
                    "prometheus_remote_storage_exemplars_total",
                    "Total number of exemplars sent to remote storage.",
                ),
            },
            failed: ByKind {
                samples: counter(
                    "prometheus_remote_storage_samples_failed_total",
                    "Total number of samples which failed on send to remote storage, non-recoverable errors.",
                ),
                histograms: counter(
                    "prometheus_remote_storage_histograms_failed_total",
                    "Total number of histograms which failed on send to remote storage, non-recoverable errors.",
                ),
                exemplars: counter(
                    "prometheus_remote_storage_exemplars_failed_total",
                    "Total number of exemplars which failed on send to remote storage, non-recoverable errors.",
                ),
            },
            retried: ByKind {
                samples: counter(
                    "prometheus_remote_storage_samples_retried_total",
                    "Total number of samples which failed on send to remote storage but were retried because the send error was recoverable.",
                ),
                histograms: counter(
                    "prometheus_remote_storage_histograms_retried_total",
                    "Total number of histograms which failed on send to remote storage but were retried because the send error was recoverable.",
                ),
                exemplars: counter(
                    "prometheus_remote_storage_exemplars_retried_total",
                    "Total number of exemplars which failed on send to remote storage but were retried because the send error was recoverable.",
                ),
            },
            bytes: counter(
                "prometheus_remote_storage_bytes_total",
                "The total number of bytes of data (not metadata) sent by the queue after compression.",
            ),
            metadata: counter(
                "prometheus_remote_storage_metadata_total",
                "Total number of metadata entries sent to remote storage.",
            ),
            metadata_failed: counter(
                "prometheus_remote_storage_metadata_failed_total",
                "Total number of metadata entries which failed on send to remote storage, non-recoverable errors.",
            ),
            metadata_bytes: counter(
                "prometheus_remote_storage_metadata_bytes_total",
                "The total number of bytes of metadata sent by the queue after compression.",
            ),
            pending: gauge(
                "prometheus_remote_storage_samples_pending",
                "The number of samples pending in the queue to be sent to the remote storage.",
            ),
            shards: gauge(
                "prometheus_remote_storage_shards",
                "The number of shards used for parallel sending to the remote storage.",
            ),
            shards_desired: gauge(
                "prometheus_remote_storage_shards_desired",
                "The number of shards that the queues shard calculation wants to run based on the rate of samples in vs. samples out.",
            ),
            shards_max: gauge(
                "prometheus_remote_storage_shards_max",
                "The maximum number of shards that the queue is allowed to run.",
            ),
            shards_min: gauge(
                "prometheus_remote_storage_shards_min",
                "The minimum number of shards that the queue is allowed to run.",
            ),
            shard_capacity: gauge(
                "prometheus_remote_storage_shard_capacity",
                "The capacity of each shard of the queue used for parallel sending to the remote storage.",
            ),
            send_samples_max: gauge(
                "prometheus_remote_storage_max_samples_per_send",
                "The maximum number of samples to be sent, in a single request, to the remote storage.",
            ),
            highest: Highest::new(gauge(
                "prometheus_remote_storage_queue_highest_timestamp_seconds",
                "Highest timestamp that was enqueued, in seconds since epoch. Initialized to 0 when no data has been received yet.",
            )),
            highest_sent: Highest::new(gauge(
                "prometheus_remote_storage_queue_highest_sent_timestamp_seconds",
                "Timestamp from a WAL sample, the highest timestamp successfully sent by this queue, in seconds since epoch. Initialized to 0 when no data has been sent yet.",
            )),
            duration: registry.histogram(
                "prometheus_remote_storage_sent_batch_duration_seconds",
                "Duration of send calls to the remote storage.",
                &labels,
            ),
            queue_bytes: gauge(
                "binnacle_collect_remote_write_queue_bytes",
                "Bytes of the queue on disk.",
            ),
        }
    }

    /// Counts samples that are not sent, and why.
    pub(super) fn dropped(&self, reason: &str, counts: Counts) {
        let labels = [
            ("remote_name", self.name.as_str()),
            ("url", self.url.as_str()),
            ("reason", reason),
        ];
        let counter = |name, help| self.registry.counter(name, help, &labels);
        if counts.samples > 0 {
            let samples = counter(
                "prometheus_remote_storage_samples_dropped_total",
                "Total number of samples which were dropped after being read from the WAL before being sent via remote write, either via relabelling, due to being too old or unintentionally because of an unknown reference ID.",
            );
            add(&samples, counts.samples);
        }
        if counts.histograms > 0 {
            let histograms = counter(
                "prometheus_remote_storage_histograms_dropped_total",
                "Total number of histograms which were dropped after being read from the WAL before being sent via remote write, either via relabelling, due to being too old or unintentionally because of an unknown reference ID.",
            );
            add(&histograms, counts.histograms);
        }
        if counts.exemplars > 0 {
            let exemplars = counter(
                "prometheus_remote_storage_exemplars_dropped_total",
                "Total number of exemplars which were dropped after being read from the WAL before being sent via remote write, either via relabelling, due to being too old or unintentionally because of an unknown reference ID.",
            );
            add(&exemplars, counts.exemplars);
        }
    }
}
