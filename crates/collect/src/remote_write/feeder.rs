//! Reads the queue of an endpoint and spreads its series over shards. One thread an endpoint.

use super::endpoint::Endpoint;
use super::numbers::Counts;
use super::shard::{Item, Shards};
use ingest::remote_out::{
    Message, QueuedSeries, RecordReader, Rewrite, ShardLimits, ShardPlan, Traffic,
};
use model::number::{i64_to_float, u64_to_float};
use model::{Timestamp, Value};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use storage::{QueueReader, QueueRecord};

/// How often the number of shards is looked at.
const LOOK: Duration = Duration::from_secs(10);
/// How long to wait for news before looking at other things.
const PATIENCE: Duration = Duration::from_millis(500);
/// How long to wait after the disk failed.
const DISK_PAUSE: Duration = Duration::from_secs(1);

/// Feeds until the endpoint ends.
pub(super) fn run(endpoint: &Arc<Endpoint>, mut reader: QueueReader) {
    let queue = endpoint.settings.queue;
    let mut plan = ShardPlan::new(ShardLimits {
        min: queue.shards_min,
        max: queue.shards_max,
    });
    let mut feeder = Feeder {
        endpoint,
        records: RecordReader::new(Rewrite {
            external: endpoint.external.clone(),
            rules: endpoint.settings.relabel.clone(),
        }),
        shards: Shards::start(endpoint, plan.shards),
    };
    let mut looked = endpoint.clock.monotonic();
    while !endpoint.is_stopping() {
        let now = endpoint.clock.monotonic();
        if now.saturating_sub(looked) >= LOOK {
            feeder.look(&mut plan, now.saturating_sub(looked));
            looked = now;
        }
        match endpoint.queue.read(&mut reader) {
            Ok(Some(record)) => feeder.feed(&record),
            Ok(None) => endpoint.wait_for_news(PATIENCE),
            Err(error) => {
                tracing::error!(%error, "remote_write to {}: the queue cannot be read", endpoint.settings.url);
                endpoint.wait_for_news(DISK_PAUSE);
            }
        }
    }
    feeder.shards.end(endpoint);
}

struct Feeder<'e> {
    endpoint: &'e Arc<Endpoint>,
    records: RecordReader,
    shards: Shards,
}

impl Feeder<'_> {
    /// Changes the number of shards where traffic asks for that.
    fn look(&mut self, plan: &mut ShardPlan, passed: Duration) {
        let endpoint = self.endpoint;
        let take = |counter: &std::sync::atomic::AtomicU64| {
            u64_to_float(counter.swap(0, Ordering::Relaxed))
        };
        let flow = &endpoint.flow;
        let before = plan.shards;
        let shards = plan.update(Traffic {
            seconds: passed.as_secs_f64(),
            samples_in: take(&flow.samples_in),
            samples_out: take(&flow.samples_out),
            sending_seconds: take(&flow.sending_micros) / 1e6,
            pending: i64_to_float(endpoint.pending()),
        });
        endpoint.numbers.shards_desired.set(plan.desired);
        if shards != before {
            tracing::info!(
                "remote_write to {}: {before} shards become {shards}",
                endpoint.settings.url
            );
            self.shards.end(endpoint);
            self.shards = Shards::start(endpoint, shards);
        }
    }

    /// Hands the rows of a record to the shards of their series.
    fn feed(&mut self, record: &QueueRecord) {
        let endpoint = self.endpoint;
        let weight = i64::from(record.weight);
        let rows = self.records.decode(&record.content, record.begins_segment);
        if record.is_acknowledged {
            return endpoint.add_pending(-weight);
        }
        let number = endpoint.begin_record(record.end);
        match rows {
            Ok(rows) => {
                for row in rows {
                    self.feed_row(row, number);
                }
            }
            Err(error) => {
                tracing::error!(
                    error,
                    "remote_write to {}: a queued record is lost",
                    endpoint.settings.url
                );
                let samples = usize::try_from(record.weight).unwrap_or(usize::MAX);
                let counts = Counts {
                    samples,
                    ..Counts::default()
                };
                endpoint.numbers.dropped("unreadable", counts);
                endpoint.add_pending(-weight);
            }
        }
        endpoint.done(number, 1);
    }

    fn feed_row(&mut self, mut row: QueuedSeries, number: u64) {
        let endpoint = self.endpoint;
        let before = counts(&row);
        let Some(labels) = &row.labels else {
            endpoint.numbers.dropped("dropped_series", before);
            return endpoint.add_pending(-samples(before));
        };
        let hash = labels.fingerprint();
        let settings = &endpoint.settings;
        if !settings.send_exemplars && settings.message == Message::V1 {
            row.exemplars.clear();
        }
        if !settings.send_native_histograms && settings.message == Message::V1 {
            row.samples
                .retain(|sample| matches!(sample.value, Value::Float(_)));
        }
        drop_old(endpoint, &mut row);
        let left = counts(&row);
        endpoint.add_pending(samples(left) - samples(before));
        // A series of an import may have more samples than a request.
        let exemplars = std::mem::take(&mut row.exemplars);
        let mut parts: Vec<QueuedSeries> = row
            .samples
            .chunks(settings.queue.send_samples_max)
            .map(|samples| QueuedSeries {
                labels: row.labels.clone(),
                samples: samples.to_vec(),
                exemplars: Vec::new(),
            })
            .collect();
        match parts.first_mut() {
            Some(first) => first.exemplars = exemplars,
            None if exemplars.is_empty() => return,
            None => parts.push(QueuedSeries { exemplars, ..row }),
        }
        for row in parts {
            endpoint.add_row(number);
            let counts = counts(&row);
            let item = Item {
                row,
                counts,
                record: number,
            };
            if !self.shards.give(hash, item) {
                // Ending: the row stays unacknowledged and is read again.
                return;
            }
        }
    }
}

/// Leaves out what is older than the settings allow.
pub(super) fn drop_old(endpoint: &Endpoint, row: &mut QueuedSeries) {
    let age = endpoint.settings.queue.sample_age_max_ms;
    if age <= 0 {
        return;
    }
    let before = counts(row);
    let oldest: Timestamp = endpoint.clock.now().plus_millis(-age);
    row.samples.retain(|sample| sample.timestamp >= oldest);
    row.exemplars
        .retain(|exemplar| exemplar.timestamp.is_none_or(|at| at >= oldest));
    let after = counts(row);
    endpoint.numbers.dropped(
        "too_old",
        Counts {
            samples: before.samples - after.samples,
            histograms: before.histograms - after.histograms,
            exemplars: before.exemplars - after.exemplars,
        },
    );
}

/// What a row holds.
pub(super) fn counts(row: &QueuedSeries) -> Counts {
    let is_float = |sample: &&model::Sample| matches!(sample.value, Value::Float(_));
    let floats = row.samples.iter().filter(is_float).count();
    Counts {
        samples: floats,
        histograms: row.samples.len() - floats,
        exemplars: row.exemplars.len(),
    }
}

pub(super) fn samples(counts: Counts) -> i64 {
    i64::try_from(counts.values()).unwrap_or(i64::MAX)
}
