use super::{RemoteWriter, Surroundings};
use crate::prometheus_file::{QueueSettings, RemoteWrite};
use crate::receiver::{Receiver, dead_address, metric, port, wait_until};
use ingest::remote_write::{Limits, apply, decode};
use model::relabel::{RelabelAction, RelabelRule};
use model::{
    Labels, MemoryStore, ReadBudget, SeriesSamples, Sink as _, Source as _, TimeRange, Timestamp,
};
use runtime::{Clock as _, Registry, SystemClock};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use storage::SimulatedFiles;

/// A receiver that keeps what it takes.
struct Endpoint {
    receiver: Receiver,
    store: Arc<MemoryStore>,
    heads: Arc<Mutex<Vec<String>>>,
}

impl Endpoint {
    /// Listens; `statuses`: what the first requests are answered, 204 after them.
    fn start(port: u16, statuses: &'static [u16]) -> Self {
        let (store, heads): (Arc<MemoryStore>, Arc<Mutex<Vec<String>>>) = Default::default();
        let (kept, seen) = (Arc::clone(&store), Arc::clone(&heads));
        let limits = Limits::default();
        let receiver = Receiver::start(port, move |head, body| {
            let mut seen = seen.lock().expect("no panic");
            let status = statuses.get(seen.len()).copied().unwrap_or(204);
            if status == 204 {
                let batch = decode(&body, &limits).expect("a request");
                apply(&batch, &limits.labels, &*kept).expect("memory");
            }
            seen.push(head);
            status
        });
        Self {
            receiver,
            store,
            heads,
        }
    }

    fn samples(&self) -> usize {
        stored(&self.store).values().map(Vec::len).sum()
    }

    fn heads(&self) -> Vec<String> {
        self.heads.lock().expect("no panic").clone()
    }
}

fn stored(store: &MemoryStore) -> BTreeMap<String, Vec<(i64, f64)>> {
    let budget = ReadBudget::new(10_000_000);
    let all = store.select(&[], TimeRange::ALL, &budget).expect("memory");
    let row = |series: model::Series| {
        let times = series.columns.timestamps.iter().copied();
        let samples = times.zip(series.columns.values.iter().copied()).collect();
        (series.labels.to_string(), samples)
    };
    all.into_iter().map(row).collect()
}

struct Place {
    disk: SimulatedFiles,
    registry: Registry,
    runtime: tokio::runtime::Runtime,
}

impl Place {
    fn new() -> Self {
        Self {
            disk: SimulatedFiles::new(1),
            registry: Registry::new(),
            runtime: tokio::runtime::Builder::new_multi_thread()
                .worker_threads(1)
                .enable_all()
                .build()
                .expect("a runtime"),
        }
    }

    fn writer(&self) -> RemoteWriter {
        RemoteWriter::new(Surroundings {
            folder: "/remote".into(),
            files: self.disk.shared(),
            queue_bytes_max: 64 << 20,
            clock: SystemClock::shared(),
            registry: self.registry.clone(),
            runtime: self.runtime.handle().clone(),
            metadata: Arc::new(BTreeMap::new),
        })
    }

    fn metric(&self, part: &str) -> String {
        metric(&self.registry, part)
    }
}

fn settings(port: u16) -> RemoteWrite {
    RemoteWrite {
        name: "test".to_owned(),
        url: format!("http://127.0.0.1:{port}/write"),
        queue: QueueSettings {
            send_deadline_ms: 20,
            send_samples_max: 50,
            backoff_max_ms: 50,
            shards_min: 3,
            ..QueueSettings::default()
        },
        ..RemoteWrite::default()
    }
}

fn batch(from: i64, count: i64, series: usize) -> Vec<SeriesSamples> {
    let now = SystemClock::new().now().millis();
    let rows = (from..from + count).flat_map(|n| (0..series).map(move |s| (n, s)));
    rows.map(|(n, s)| {
        let labels = Labels::from_pairs([("__name__", "m".to_owned()), ("s", s.to_string())]);
        let at = Timestamp::from_millis(now / 1_000_000 * 1_000_000 + n);
        SeriesSamples::float(labels, at, model::number::i64_to_float(n))
    })
    .collect()
}

#[test]
fn everything_arrives_although_the_receiver_was_dead_and_we_were_restarted() {
    let place = Place::new();
    let (address, _reserved) = dead_address();
    let port = port(&address);
    let writer = place.writer();
    let (active, problems) = writer.apply(&[settings(port)], &Labels::default());
    assert!(active && problems.is_empty(), "{problems:?}");
    // Nobody listens there yet.
    writer.append(&batch(0, 100, 10)).expect("queued");
    wait_until("an attempt", || {
        place.metric("prometheus_remote_storage_samples_retried_total") != "0"
    });
    writer.shut_down();
    drop(writer);
    place.disk.restart_process();
    let writer = place.writer();
    writer.apply(&[settings(port)], &Labels::default());
    writer.append(&batch(100, 100, 10)).expect("queued");
    let endpoint = Endpoint::start(port, &[]);
    wait_until("2000 samples", || endpoint.samples() == 2000);
    let all = stored(&endpoint.store);
    assert_eq!(all.len(), 10);
    for samples in all.values() {
        let values: Vec<f64> = samples.iter().map(|(_, value)| *value).collect();
        assert_eq!(values, (0..200).map(f64::from).collect::<Vec<_>>());
    }
    wait_until("nothing to be pending", || {
        place.metric("prometheus_remote_storage_samples_pending") == "0"
    });
    writer.shut_down();
    // What was acknowledged is not sent again.
    let requests = endpoint.heads().len();
    let writer = place.writer();
    writer.apply(&[settings(port)], &Labels::default());
    writer.append(&batch(200, 1, 1)).expect("queued");
    wait_until("one more", || endpoint.samples() == 2001);
    assert_eq!(endpoint.heads().len(), requests + 1);
    let heads = endpoint.heads().join("\n").to_lowercase();
    assert!(
        heads.contains("x-prometheus-remote-write-version: 0.1.0"),
        "{heads}"
    );
    assert!(heads.contains("content-encoding: snappy"), "{heads}");
    writer.shut_down();
}

#[test]
fn answers_decide_what_is_sent_again() {
    let place = Place::new();
    let endpoint = Endpoint::start(0, &[500, 429, 400, 204]);
    let one = RemoteWrite {
        queue: QueueSettings {
            shards_min: 1,
            shards_max: 1,
            ..settings(0).queue
        },
        ..settings(endpoint.receiver.port())
    };
    let writer = place.writer();
    writer.apply(&[one], &Labels::default());
    writer.append(&batch(0, 10, 1)).expect("queued");
    wait_until("the first to be given up", || {
        place.metric("prometheus_remote_storage_samples_failed_total") == "10"
    });
    assert_eq!(
        place.metric("prometheus_remote_storage_samples_retried_total"),
        "20"
    );
    assert_eq!(endpoint.samples(), 0);
    writer.append(&batch(10, 5, 1)).expect("queued");
    wait_until("the second to arrive", || endpoint.samples() == 5);
    wait_until("its count", || {
        place.metric("prometheus_remote_storage_samples_total") == "5"
    });
    assert_eq!(
        place.metric("prometheus_remote_storage_samples_in_total"),
        "15"
    );
    let highest = place.metric("prometheus_remote_storage_highest_timestamp_in_seconds");
    wait_until("the time", || {
        place.metric("prometheus_remote_storage_queue_highest_sent_timestamp_seconds") == highest
    });
    writer.shut_down();
}

#[test]
fn labels_and_ages_are_looked_at_on_the_way() {
    let place = Place::new();
    let endpoint = Endpoint::start(0, &[]);
    let drop_rule = RelabelRule {
        source_labels: vec!["s".to_owned()],
        separator: ";".to_owned(),
        regex: model::regex::Regex::new("1").expect("a pattern"),
        modulus: 0,
        target_label: String::new(),
        replacement: String::new(),
        action: RelabelAction::Drop,
    };
    let mut one = RemoteWrite {
        relabel: vec![drop_rule],
        ..settings(endpoint.receiver.port())
    };
    one.queue.sample_age_max_ms = 3_600_000;
    let external = Labels::from_pairs([("region", "eu"), ("s", "never")]);
    let writer = place.writer();
    writer.apply(&[one], &external);
    let mut rows = batch(0, 1, 3);
    rows[0].samples[0].timestamp = SystemClock::new().now().plus_millis(-7_200_000);
    writer.append(&rows).expect("queued");
    wait_until("one to arrive", || endpoint.samples() == 1);
    let names: Vec<String> = stored(&endpoint.store).into_keys().collect();
    assert_eq!(names, [r#"{__name__="m", region="eu", s="2"}"#]);
    let text = place.registry.render();
    let dropped = |reason: &str| {
        let wanted = format!("reason=\"{reason}\"");
        text.lines().any(|line| {
            line.starts_with("prometheus_remote_storage_samples_dropped_total")
                && line.contains(&wanted)
                && line.ends_with(" 1")
        })
    };
    assert!(dropped("too_old") && dropped("dropped_series"), "{text}");
    writer.shut_down();
}
