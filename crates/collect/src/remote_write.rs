//! Sends what the store takes to other servers: `remote_write` of prometheus.yml.
//!
//! ```text
//! ingest ──► RemoteWriter (a Sink) ──► queue on disk ──► feeder ──► shard ──► HTTP
//!                                                          └──────► shard ──► HTTP
//! ```
//! Each endpoint has a queue of its own on disk, so a receiver that is dead for hours costs the others nothing and this
//! process no memory. A feeder thread reads the queue and spreads the series over shards, each of which sends one request
//! at a time: samples of one series stay in order. What was sent, or refused for good, is acknowledged in the queue;
//! everything else is read again after a restart. When the number of shards changes, the old ones finish first.

mod endpoint;
mod feeder;
mod numbers;
mod request;
mod shard;
mod tracker;

use crate::prometheus_file::RemoteWrite;
use endpoint::Endpoint;
use model::{Appended, Labels, MetricMetadata, SeriesSamples, Sink, SinkError, Timestamp, Value};
use numbers::TotalNumbers;
use runtime::{Registry, SharedClock};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use storage::SharedFiles;

/// Bytes of a segment: the unit in which old samples are dropped.
pub const SEGMENT_BYTES: u64 = 16 << 20;

/// Says what is known of metrics, by name.
pub type MetadataSource = Arc<dyn Fn() -> BTreeMap<String, MetricMetadata> + Send + Sync>;

/// What a writer needs from around it.
#[derive(Clone)]
pub struct Surroundings {
    /// Where the queues lie, a folder each.
    pub folder: PathBuf,
    /// The file system.
    pub files: SharedFiles,
    /// Bytes that each queue may take.
    pub queue_bytes_max: u64,
    /// What time it is.
    pub clock: SharedClock,
    /// Where numbers about sending go.
    pub registry: Registry,
    /// What requests run on; must have time and I/O.
    pub runtime: tokio::runtime::Handle,
    /// What is known of metrics.
    pub metadata: MetadataSource,
}

/// All endpoints. A `Sink`: what is appended goes to the queue of each.
pub struct RemoteWriter {
    around: Surroundings,
    endpoints: RwLock<Vec<Arc<Endpoint>>>,
    numbers: TotalNumbers,
}

impl RemoteWriter {
    /// Makes a writer without endpoints.
    #[must_use]
    pub fn new(around: Surroundings) -> Self {
        Self {
            numbers: TotalNumbers::new(&around.registry),
            around,
            endpoints: RwLock::default(),
        }
    }

    /// Starts, keeps and ends endpoints so that these run; answers whether there are any, and what could not be started.
    /// An endpoint whose settings changed goes on with the queue that it had. Waits for requests that are under way.
    pub fn apply(&self, wanted: &[RemoteWrite], external: &Labels) -> (bool, Vec<String>) {
        let mut old = std::mem::take(&mut *self.write());
        let mut running: Vec<Arc<Endpoint>> = Vec::new();
        let mut problems = Vec::new();
        let mut keys: Vec<String> = Vec::new();
        let mut to_start = Vec::new();
        for settings in wanted {
            let key = key(settings, &keys);
            keys.push(key.clone());
            let same = |one: &Arc<Endpoint>| one.key == key && one.is_like(settings, external);
            match old.iter().position(same) {
                Some(index) => running.push(old.swap_remove(index)),
                None => to_start.push((key, settings)),
            }
        }
        // A queue has one reader: the old ones end before their successors begin.
        for ended in old {
            ended.shut_down();
        }
        for (key, settings) in to_start {
            match Endpoint::start(&self.around, key, (settings, external)) {
                Ok(endpoint) => running.push(endpoint),
                Err(problem) => {
                    problems.push(format!("remote_write to {}: {problem}", settings.url))
                }
            }
        }
        let any = !running.is_empty();
        *self.write() = running;
        (any, problems)
    }

    fn write(&self) -> std::sync::RwLockWriteGuard<'_, Vec<Arc<Endpoint>>> {
        self.endpoints
            .write()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends all endpoints; what was not sent stays on disk.
    pub fn shut_down(&self) {
        let endpoints = std::mem::take(&mut *self.write());
        for endpoint in &endpoints {
            endpoint.stop();
        }
        for endpoint in endpoints {
            endpoint.shut_down();
        }
    }
}

/// The name of an endpoint's folder: its own name, or one made from where it sends.
fn key(settings: &RemoteWrite, taken: &[String]) -> String {
    let text = if settings.name.is_empty() {
        &settings.url
    } else {
        &settings.name
    };
    let hash = Labels::from_pairs([("endpoint", text)]).fingerprint();
    let key = format!("{:012x}", hash & 0xffff_ffff_ffff);
    let twins = taken.iter().filter(|known| known.starts_with(&key)).count();
    match twins {
        0 => key,
        twins => format!("{key}-{twins}"),
    }
}

impl Sink for RemoteWriter {
    fn append(&self, batch: &[SeriesSamples]) -> Result<Appended, SinkError> {
        let endpoints = self
            .endpoints
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        if endpoints.is_empty() || batch.is_empty() {
            return Ok(Appended::default());
        }
        let (mut newest, mut floats, mut histograms, mut exemplars) = (Timestamp::MIN, 0, 0, 0);
        for row in batch {
            exemplars += row.exemplars.len();
            for sample in &row.samples {
                newest = newest.max(sample.timestamp);
                match sample.value {
                    Value::Float(_) => floats += 1,
                    Value::Histogram(_) => histograms += 1,
                }
            }
        }
        self.numbers.count((floats, histograms, exemplars), newest);
        for endpoint in endpoints.iter() {
            endpoint.push(batch, newest);
        }
        Ok(Appended {
            accepted: floats + histograms,
            ..Appended::default()
        })
    }
}

#[cfg(test)]
mod tests;
