//! Names under which stock dashboards and alerts for Prometheus and Alertmanager look for numbers of the server itself.
//!
//! Most parts keep such numbers under upstream's names from the start. Here are the others: numbers that are ours under
//! another name, and those that need more than one part. All are brought up to date when they are shown. The list of
//! all names, with what they mean here, is docs/guide/self-metrics.md.

use super::Ground;
use collect::Collector;
use model::Alert;
use model::number::{i64_to_float, u64_to_float, usize_to_float};
use runtime::Registry;
use runtime::queue::Sender;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tsdb::{Db, HeadNumbers};

/// A large head is counted this often at most: every series is looked at.
const HEAD_EVERY: Duration = Duration::from_secs(60);
/// A head with fewer chunks is counted every time.
const HEAD_CHUNKS_SMALL: usize = 100_000;

/// A number of ours and the name that upstream has for it.
struct Twin {
    name: &'static str,
    labels: &'static [(&'static str, &'static str)],
    help: &'static str,
    ours: &'static str,
    our_labels: &'static [(&'static str, &'static str)],
    grows: bool,
}

const fn counter(name: &'static str, ours: &'static str, help: &'static str) -> Twin {
    Twin {
        name,
        labels: &[],
        help,
        ours,
        our_labels: &[],
        grows: true,
    }
}

const TWINS: [Twin; 11] = [
    counter(
        "prometheus_tsdb_compactions_failed_total",
        "binnacle_tsdb_maintenance_failures_total",
        "Total number of compactions that failed.",
    ),
    counter(
        "prometheus_tsdb_reloads_failures_total",
        "binnacle_tsdb_damaged_files_total",
        "Blocks and log segments that could not be read and were set aside.",
    ),
    counter(
        "prometheus_tsdb_wal_corruptions_total",
        "binnacle_tsdb_damaged_files_total",
        "Blocks and log segments that could not be read and were set aside.",
    ),
    Twin {
        grows: false,
        ..counter(
            "prometheus_tsdb_wal_storage_size_bytes",
            "binnacle_tsdb_wal_bytes",
            "Size of the write-ahead log.",
        )
    },
    Twin {
        labels: &[("type", "float")],
        our_labels: &[("reason", "too_old")],
        ..counter(
            "prometheus_tsdb_too_old_samples_total",
            "binnacle_tsdb_samples_refused_total",
            "Samples that were older than the store takes.",
        )
    },
    Twin {
        labels: &[("type", "float")],
        our_labels: &[("reason", "too_new")],
        ..counter(
            "prometheus_tsdb_out_of_bound_samples_total",
            "binnacle_tsdb_samples_refused_total",
            "Samples that lay too far in the future.",
        )
    },
    Twin {
        labels: &[("alertmanager", "inside")],
        ..counter(
            "prometheus_notifications_sent_total",
            "binnacle_rules_alerts_sent_total",
            "Total number of alerts sent.",
        )
    },
    Twin {
        labels: &[("alertmanager", "inside")],
        ..counter(
            "prometheus_notifications_errors_total",
            "binnacle_rules_alerts_refused_total",
            "Total number of sent alerts affected by errors.",
        )
    },
    Twin {
        labels: &[("alertmanager", "inside")],
        ..counter(
            "prometheus_notifications_dropped_total",
            "binnacle_rules_alerts_refused_total",
            "Total number of alerts dropped due to errors when sending to Alertmanager.",
        )
    },
    Twin {
        grows: false,
        ..counter(
            "alertmanager_config_last_reload_successful",
            "prometheus_config_last_reload_successful",
            "Whether the last configuration reload attempt was successful.",
        )
    },
    Twin {
        grows: false,
        ..counter(
            "alertmanager_config_last_reload_success_timestamp_seconds",
            "prometheus_config_last_reload_success_timestamp_seconds",
            "Timestamp of the last successful configuration reload.",
        )
    },
];

/// Has all of them brought up to date when they are shown.
pub(super) fn publish(
    ground: &Ground,
    (db, collector): (&Arc<Db>, &Arc<Collector>),
    waiting: Sender<Vec<Alert>>,
) {
    let (db, collector) = (Arc::clone(db), Arc::clone(collector));
    let registry = ground.registry.clone();
    about(ground);
    let last: Mutex<Option<(Duration, HeadNumbers)>> = Mutex::default();
    let jobs: Mutex<BTreeSet<String>> = Mutex::default();
    let clock = Arc::clone(&ground.clock);
    let refresh = move || {
        twins(&registry);
        head(&registry, &last, (clock.monotonic(), &db));
        targets(&registry, &jobs, &collector);
        let gauge = |name, help, value: usize| registry.gauge(name, help, &[]).set_count(value);
        registry
            .gauge(
                "prometheus_notifications_queue_length",
                "The number of alert notifications in the queue.",
                &[("alertmanager", "inside")],
            )
            .set_count(waiting.length());
        let refusal = db.read_only_reason();
        gauge(
            "prometheus_ready",
            "Whether samples are taken and queries answered.",
            usize::from(refusal.is_none()),
        );
    };
    ground.registry.before_showing(refresh);
}

/// What does not change while the process lives.
fn about(ground: &Ground) {
    let version = env!("CARGO_PKG_VERSION");
    let labels = [
        ("version", version),
        ("goversion", ""),
        ("branch", ""),
        ("revision", ""),
    ];
    for name in ["prometheus_build_info", "alertmanager_build_info"] {
        let help = "What was built; the value is always 1.";
        ground.registry.gauge(name, help, &labels).set(1.0);
    }
    let gauge = |name, help, value: f64| ground.registry.gauge(name, help, &[]).set(value);
    let started = ground.clock.now().seconds();
    gauge(
        "process_start_time_seconds",
        "Start time of the process since unix epoch in seconds.",
        started,
    );
    gauge(
        "alertmanager_cluster_enabled",
        "Whether several instances share silences and notifications.",
        0.0,
    );
    let flags = &ground.flags;
    let retention_ms = flags.retention_ms.unwrap_or(tsdb::RETENTION_MS);
    gauge(
        "prometheus_tsdb_retention_limit_seconds",
        "How long samples are kept.",
        i64_to_float(retention_ms) / 1000.0,
    );
    gauge(
        "prometheus_tsdb_retention_limit_bytes",
        "How much disk samples may take; 0 for any.",
        u64_to_float(flags.retention_bytes.unwrap_or(0)),
    );
}

fn twins(registry: &Registry) {
    for twin in &TWINS {
        let value = registry.value(twin.ours, twin.our_labels).unwrap_or(0.0);
        let gauge = if twin.grows {
            registry.counter_gauge_of((twin.name, twin.help), twin.labels)
        } else {
            registry.gauge(twin.name, twin.help, twin.labels)
        };
        gauge.set(value);
    }
}

fn head(
    registry: &Registry,
    last: &Mutex<Option<(Duration, HeadNumbers)>>,
    (now, db): (Duration, &Db),
) {
    let mut last = last.lock().unwrap_or_else(PoisonError::into_inner);
    let is_fresh = |(at, numbers): (Duration, HeadNumbers)| {
        numbers.chunks >= HEAD_CHUNKS_SMALL && now.saturating_sub(at) < HEAD_EVERY
    };
    if last.is_some_and(is_fresh) {
        return;
    }
    let numbers = db.head_numbers();
    *last = Some((now, numbers));
    drop(last);
    let gauge = |name, help, value: f64| registry.gauge(name, help, &[]).set(value);
    // The store itself shows them after each round of maintenance only.
    for name in ["binnacle_tsdb_head_series", "prometheus_tsdb_head_series"] {
        gauge(name, "Series in the head.", usize_to_float(numbers.series));
    }
    gauge(
        "prometheus_tsdb_head_chunks",
        "Total number of chunks in the head block.",
        usize_to_float(numbers.chunks),
    );
    let (start, end) = (
        numbers.start_ms.unwrap_or(i64::MAX),
        numbers.end_ms.unwrap_or(i64::MIN),
    );
    gauge(
        "prometheus_tsdb_head_min_time",
        "Minimum time bound of the head block, in milliseconds.",
        i64_to_float(start),
    );
    gauge(
        "prometheus_tsdb_head_max_time",
        "Maximum timestamp of the head block, in milliseconds.",
        i64_to_float(end),
    );
    gauge(
        "prometheus_tsdb_head_min_time_seconds",
        "Minimum time bound of the head block.",
        i64_to_float(start) / 1000.0,
    );
    gauge(
        "prometheus_tsdb_head_max_time_seconds",
        "Maximum timestamp of the head block.",
        i64_to_float(end) / 1000.0,
    );
    let blocks = db.block_infos();
    let lowest = blocks
        .first()
        .map_or(start, |block| block.start_ms.min(start));
    gauge(
        "prometheus_tsdb_lowest_timestamp",
        "Lowest timestamp value stored in the database.",
        i64_to_float(lowest),
    );
    gauge(
        "prometheus_tsdb_lowest_timestamp_seconds",
        "Lowest timestamp value stored in the database.",
        i64_to_float(lowest) / 1000.0,
    );
    let counter = |name, help, value: usize| {
        registry.counter_gauge(name, help).set_count(value);
    };
    counter(
        "prometheus_tsdb_head_series_created_total",
        "Total number of series created in the head.",
        numbers.series_created,
    );
    counter(
        "prometheus_tsdb_head_series_removed_total",
        "Total number of series removed in the head.",
        numbers.series_removed,
    );
}

const DISCOVERED: &str = "prometheus_sd_discovered_targets";
const METADATA: &str = "prometheus_target_metadata_cache_entries";

fn targets(registry: &Registry, known: &Mutex<BTreeSet<String>>, collector: &Collector) {
    let jobs: BTreeSet<String> = collector.scrape_pools().into_iter().collect();
    let active = collector.targets();
    let dropped = collector.dropped_target_counts();
    for job in &jobs {
        let own = || active.iter().filter(|view| view.scrape_pool == *job);
        let found = own().count() + dropped.get(job).copied().unwrap_or(0);
        registry
            .gauge(
                DISCOVERED,
                "Current number of discovered targets.",
                &[("name", "scrape"), ("config", job)],
            )
            .set_count(found);
        let entries = own().map(|view| view.metadata.len()).sum();
        registry
            .gauge(
                METADATA,
                "Total number of metric metadata entries in the cache.",
                &[("scrape_job", job)],
            )
            .set_count(entries);
    }
    registry
        .gauge(
            "prometheus_target_scrape_pools",
            "Current number of scrape pools.",
            &[],
        )
        .set_count(jobs.len());
    let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
    for gone in known.difference(&jobs) {
        registry.remove(DISCOVERED, &[("name", "scrape"), ("config", gone)]);
        registry.remove(METADATA, &[("scrape_job", gone)]);
    }
    *known = jobs;
}
