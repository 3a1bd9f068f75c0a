//! The numbers the store keeps of itself, ours and those that Prometheus' dashboards look for.

use model::Appended;
use runtime::Registry;
use runtime::metrics::{Counter, Gauge};

/// Handles to the store's metrics.
pub(crate) struct Metrics {
    appended: Counter,
    appended_upstream: Counter,
    duplicates: Counter,
    too_old: Counter,
    too_new: Counter,
    over_limit: Counter,
    series: [Gauge; 2],
    samples: Gauge,
    blocks: [Gauge; 2],
    block_bytes: [Gauge; 2],
    wal_bytes: Gauge,
    index_bytes: Gauge,
    /// Indexes that found no room in memory.
    pub(crate) index_refused: Counter,
    read_only: Gauge,
    /// Those of exemplars.
    pub(crate) exemplars: ExemplarMetrics,
    /// Those of maintenance.
    pub(crate) work: WorkMetrics,
}

/// Handles to the metrics of what is done beside reading and writing.
pub(crate) struct WorkMetrics {
    /// Blocks that were merged into others.
    pub(crate) merges: [Counter; 2],
    /// Blocks whose samples were put into windows.
    pub(crate) downsampled: Counter,
    /// Series that a retention rule took out of a block.
    pub(crate) rule_removals: Counter,
    /// Rounds of maintenance that failed.
    pub(crate) failures: Counter,
    /// Segments of the log and blocks that were set aside.
    pub(crate) damages: Counter,
}

/// Handles to the metrics of exemplars.
pub(crate) struct ExemplarMetrics {
    /// Those that were kept.
    pub(crate) appended: Counter,
    /// Those older than the newest of their series, or without a time.
    pub(crate) out_of_order: Counter,
    /// Those with too long labels.
    pub(crate) too_long: Counter,
    /// Exemplars held, series that have any, and how many there may be.
    held: [Gauge; 3],
}

impl WorkMetrics {
    fn new(registry: &Registry) -> Self {
        let counter = |name, help| registry.counter(name, help, &[]);
        Self {
            merges: [
                counter(
                    "binnacle_tsdb_merges_total",
                    "Merges of blocks into longer ones.",
                ),
                counter(
                    "prometheus_tsdb_compactions_total",
                    "Merges of blocks into longer ones, upstream's name.",
                ),
            ],
            downsampled: counter(
                "binnacle_tsdb_downsampled_blocks_total",
                "Blocks whose samples were put into windows.",
            ),
            rule_removals: counter(
                "binnacle_tsdb_retention_rule_series_total",
                "Series that a retention rule took out of a block.",
            ),
            failures: counter(
                "binnacle_tsdb_maintenance_failures_total",
                "Rounds of cutting, merging and retention that failed.",
            ),
            damages: counter(
                "binnacle_tsdb_damaged_files_total",
                "Log segments and blocks that were damaged and set aside.",
            ),
        }
    }
}

impl ExemplarMetrics {
    fn new(registry: &Registry) -> Self {
        let counter = |name, help| registry.counter(name, help, &[]);
        let gauge = |name, help| registry.gauge(name, help, &[]);
        Self {
            appended: counter(
                "prometheus_tsdb_exemplar_exemplars_appended_total",
                "Exemplars that were kept, upstream's name.",
            ),
            out_of_order: counter(
                "prometheus_tsdb_exemplar_out_of_order_exemplars_total",
                "Exemplars refused because their series has a newer one, upstream's name.",
            ),
            too_long: counter(
                "binnacle_tsdb_exemplars_too_long_total",
                "Exemplars refused because their labels have more than 128 characters.",
            ),
            held: [
                gauge(
                    "prometheus_tsdb_exemplar_exemplars_in_storage",
                    "Exemplars held, upstream's name.",
                ),
                gauge(
                    "prometheus_tsdb_exemplar_series_with_exemplars_in_storage",
                    "Series that have exemplars, upstream's name.",
                ),
                gauge(
                    "prometheus_tsdb_exemplar_max_exemplars",
                    "Exemplars that may be held, upstream's name.",
                ),
            ],
        }
    }
}

/// What the gauges show.
pub(crate) struct State {
    pub(crate) series: usize,
    pub(crate) samples: usize,
    pub(crate) blocks: usize,
    pub(crate) block_bytes: u64,
    pub(crate) wal_bytes: u64,
    pub(crate) index_bytes: usize,
    pub(crate) read_only: bool,
    /// Exemplars held, series that have any, and how many there may be.
    pub(crate) exemplars: (usize, usize, usize),
}

impl Metrics {
    pub(crate) fn new(registry: &Registry) -> Self {
        let refused = |reason| {
            registry.counter(
                "binnacle_tsdb_samples_refused_total",
                "Samples that were not stored, by reason.",
                &[("reason", reason)],
            )
        };
        let gauge = |name, help| registry.gauge(name, help, &[]);
        let counter = |name, help| registry.counter(name, help, &[]);
        Self {
            appended: counter(
                "binnacle_tsdb_samples_appended_total",
                "Samples that were acknowledged.",
            ),
            appended_upstream: registry.counter(
                "prometheus_tsdb_head_samples_appended_total",
                "Samples that were acknowledged, under the name that dashboards for Prometheus know.",
                &[("type", "float")],
            ),
            duplicates: refused("duplicate"),
            too_old: refused("too_old"),
            too_new: refused("too_new"),
            over_limit: refused("series_limit"),
            series: [
                gauge("binnacle_tsdb_head_series", "Series in the head."),
                gauge("prometheus_tsdb_head_series", "Series in the head, upstream's name."),
            ],
            samples: gauge("binnacle_tsdb_head_samples", "Samples in the head."),
            blocks: [
                gauge("binnacle_tsdb_blocks", "Blocks on disk."),
                gauge("prometheus_tsdb_blocks_loaded", "Blocks on disk, upstream's name."),
            ],
            block_bytes: [
                gauge("binnacle_tsdb_blocks_bytes", "Bytes of all blocks."),
                gauge("prometheus_tsdb_storage_blocks_bytes", "Bytes of all blocks, upstream's name."),
            ],
            wal_bytes: gauge("binnacle_tsdb_wal_bytes", "Bytes of the write-ahead log."),
            index_bytes: gauge(
                "binnacle_tsdb_index_memory_bytes",
                "Memory for the indexes of blocks that were queried lately.",
            ),
            index_refused: counter(
                "binnacle_tsdb_index_memory_refused_total",
                "Indexes that were decoded for one query only, because others fill the memory for them.",
            ),
            exemplars: ExemplarMetrics::new(registry),
            work: WorkMetrics::new(registry),
            read_only: gauge(
                "binnacle_tsdb_read_only",
                "1 while the disk is full, read-only or broken and no samples are taken.",
            ),
        }
    }

    /// Samples acknowledged so far.
    pub(crate) fn appended(&self) -> u64 {
        self.appended.value()
    }

    /// Shows the state of the store.
    pub(crate) fn show(&self, state: &State) {
        for gauge in &self.series {
            gauge.set_count(state.series);
        }
        self.samples.set_count(state.samples);
        for gauge in &self.blocks {
            gauge.set_count(state.blocks);
        }
        let bytes = model::number::u64_to_float;
        for gauge in &self.block_bytes {
            gauge.set(bytes(state.block_bytes));
        }
        self.wal_bytes.set(bytes(state.wal_bytes));
        self.index_bytes.set_count(state.index_bytes);
        let (held, series, max) = state.exemplars;
        for (gauge, count) in self.exemplars.held.iter().zip([held, series, max]) {
            gauge.set_count(count);
        }
        self.read_only.set(f64::from(u8::from(state.read_only)));
    }

    pub(crate) fn count(&self, appended: Appended) {
        let add = |counter: &Counter, count: usize| counter.add(count as u64);
        add(&self.appended, appended.accepted);
        add(&self.appended_upstream, appended.accepted);
        add(&self.duplicates, appended.duplicates);
        add(&self.too_old, appended.too_old);
        add(&self.too_new, appended.too_new);
        add(&self.over_limit, appended.over_limit);
    }
}
