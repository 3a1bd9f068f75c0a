//! The numbers the program keeps of itself: counters, gauges, histograms and summaries.
//!
//! A `Registry` hands out cheap handles and renders them in Prometheus' text format or as samples for
//! our own store. Asking twice for the same name and labels gives the same number. Labels must be
//! bounded by the caller: a registry holds at most `SERIES_MAX` series, further ones count but are not
//! shown.

mod summary;

use summary::SummaryState;

use model::{Labels, MetricKind, SeriesSamples, Timestamp};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Series a registry shows at most.
const SERIES_MAX: usize = 20_000;

/// A number that goes up.
#[derive(Clone, Debug, Default)]
pub struct Counter(Arc<AtomicU64>);

impl Counter {
    /// Adds one.
    pub fn increment(&self) {
        self.add(1);
    }

    /// Adds `count`.
    pub fn add(&self, count: u64) {
        self.0.fetch_add(count, Ordering::Relaxed);
    }

    /// The present value.
    #[must_use]
    pub fn value(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A number that goes up and down.
#[derive(Clone, Debug, Default)]
pub struct Gauge(Arc<AtomicU64>);

impl Gauge {
    /// Replaces the value.
    pub fn set(&self, value: f64) {
        self.0.store(value.to_bits(), Ordering::Relaxed);
    }

    /// Replaces the value by a count.
    pub fn set_count(&self, count: usize) {
        self.set(model::number::usize_to_float(count));
    }

    /// The present value.
    #[must_use]
    pub fn value(&self) -> f64 {
        f64::from_bits(self.0.load(Ordering::Relaxed))
    }
}

/// Observations in buckets.
#[derive(Clone, Debug)]
pub struct Histogram(Arc<HistogramState>);

#[derive(Debug)]
struct HistogramState {
    /// Upper bounds, ascending, without +Inf.
    bounds: Vec<f64>,
    /// One count for each bound and one for +Inf; not cumulative.
    counts: Vec<AtomicU64>,
    sum_bits: AtomicU64,
}

impl Histogram {
    /// Adds an observation.
    pub fn observe(&self, value: f64) {
        let bucket = self.0.bounds.partition_point(|bound| *bound < value);
        if let Some(count) = self.0.counts.get(bucket) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        let add = |bits| Some((f64::from_bits(bits) + value).to_bits());
        let _previous = self
            .0
            .sum_bits
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, add);
    }
}

/// Observations with quantiles of the latest of them.
#[derive(Clone, Debug, Default)]
pub struct Summary(Arc<SummaryState>);

impl Summary {
    /// Adds an observation.
    pub fn observe(&self, value: f64) {
        self.0.observe(value);
    }
}

/// Bounds for durations in seconds, from 1 ms to 30 s.
pub const SECONDS_BOUNDS: [f64; 14] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0,
];

#[derive(Clone, Debug)]
enum Cell {
    Counter(Counter),
    Gauge(Gauge),
    Histogram(Histogram),
    Summary(Summary),
}

#[derive(Debug)]
struct Family {
    kind: MetricKind,
    help: &'static str,
    cells: BTreeMap<Labels, Cell>,
}

type Refresh = Arc<dyn Fn() + Send + Sync>;

/// All numbers of one process. Clones share them.
#[derive(Clone, Default)]
pub struct Registry {
    families: Arc<Mutex<BTreeMap<&'static str, Family>>>,
    refreshes: Arc<Mutex<Vec<Refresh>>>,
}

impl std::fmt::Debug for Registry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Registry").finish_non_exhaustive()
    }
}

impl Registry {
    /// Makes an empty registry.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<&'static str, Family>> {
        self.families.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The counter of this name and these labels.
    #[must_use]
    pub fn counter(
        &self,
        name: &'static str,
        help: &'static str,
        labels: &[(&str, &str)],
    ) -> Counter {
        let fresh = Cell::Counter(Counter::default());
        match self.cell(name, help, labels, fresh) {
            Cell::Counter(counter) => counter,
            Cell::Gauge(_) | Cell::Histogram(_) | Cell::Summary(_) => Counter::default(),
        }
    }

    /// The gauge of this name and these labels.
    #[must_use]
    pub fn gauge(&self, name: &'static str, help: &'static str, labels: &[(&str, &str)]) -> Gauge {
        let fresh = Cell::Gauge(Gauge::default());
        match self.cell(name, help, labels, fresh) {
            Cell::Gauge(gauge) => gauge,
            Cell::Counter(_) | Cell::Histogram(_) | Cell::Summary(_) => Gauge::default(),
        }
    }

    /// A number that only goes up and has a fraction, such as CPU seconds; the caller sees to that.
    #[must_use]
    pub fn counter_gauge(&self, name: &'static str, help: &'static str) -> Gauge {
        self.counter_gauge_of((name, help), &[])
    }

    /// The same with labels.
    #[must_use]
    pub fn counter_gauge_of(
        &self,
        (name, help): (&'static str, &'static str),
        labels: &[(&str, &str)],
    ) -> Gauge {
        let gauge = self.gauge(name, help, labels);
        if let Some(family) = self.lock().get_mut(name) {
            family.kind = MetricKind::Counter;
        }
        gauge
    }

    /// The histogram of durations in seconds of this name and these labels.
    #[must_use]
    pub fn histogram(
        &self,
        name: &'static str,
        help: &'static str,
        labels: &[(&str, &str)],
    ) -> Histogram {
        self.histogram_in((name, help), labels, &SECONDS_BOUNDS)
    }

    /// The histogram of this name and help and these labels, with bounds of its own.
    #[must_use]
    pub fn histogram_in(
        &self,
        (name, help): (&'static str, &'static str),
        labels: &[(&str, &str)],
        bounds: &[f64],
    ) -> Histogram {
        let fresh = || {
            Histogram(Arc::new(HistogramState {
                bounds: bounds.to_vec(),
                counts: (0..=bounds.len()).map(|_| AtomicU64::new(0)).collect(),
                sum_bits: AtomicU64::new(0),
            }))
        };
        match self.cell(name, help, labels, Cell::Histogram(fresh())) {
            Cell::Histogram(histogram) => histogram,
            Cell::Counter(_) | Cell::Gauge(_) | Cell::Summary(_) => fresh(),
        }
    }

    /// The summary of this name and these labels.
    #[must_use]
    pub fn summary(
        &self,
        name: &'static str,
        help: &'static str,
        labels: &[(&str, &str)],
    ) -> Summary {
        let fresh = Cell::Summary(Summary::default());
        match self.cell(name, help, labels, fresh) {
            Cell::Summary(summary) => summary,
            Cell::Counter(_) | Cell::Gauge(_) | Cell::Histogram(_) => Summary::default(),
        }
    }

    /// Has numbers brought up to date before they are shown. May be called at any time, from any thread.
    pub fn before_showing(&self, refresh: impl Fn() + Send + Sync + 'static) {
        self.refreshes
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(Arc::new(refresh));
    }

    fn refresh(&self) {
        let refreshes = self
            .refreshes
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        for refresh in refreshes {
            refresh();
        }
    }

    fn cell(
        &self,
        name: &'static str,
        help: &'static str,
        labels: &[(&str, &str)],
        fresh: Cell,
    ) -> Cell {
        let mut families = self.lock();
        let series_count: usize = families.values().map(|family| family.cells.len()).sum();
        let kind = match fresh {
            Cell::Counter(_) => MetricKind::Counter,
            Cell::Gauge(_) => MetricKind::Gauge,
            Cell::Histogram(_) => MetricKind::Histogram,
            Cell::Summary(_) => MetricKind::Summary,
        };
        let family = families.entry(name).or_insert_with(|| Family {
            kind,
            help,
            cells: BTreeMap::new(),
        });
        let labels = Labels::from_pairs(labels.iter().copied());
        match family.cells.get(&labels) {
            Some(cell) => cell.clone(),
            None if series_count < SERIES_MAX => {
                family.cells.insert(labels, fresh.clone());
                fresh
            }
            None => fresh,
        }
    }

    /// The present value of a counter or gauge, if there is one of this name and these labels.
    #[must_use]
    pub fn value(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let families = self.lock();
        let labels = Labels::from_pairs(labels.iter().copied());
        match families.get(name)?.cells.get(&labels)? {
            Cell::Counter(counter) => Some(model::number::u64_to_float(counter.value())),
            Cell::Gauge(gauge) => Some(gauge.value()),
            Cell::Histogram(_) | Cell::Summary(_) => None,
        }
    }

    /// Forgets one series, as when a target is gone.
    pub fn remove(&self, name: &'static str, labels: &[(&str, &str)]) {
        if let Some(family) = self.lock().get_mut(name) {
            family
                .cells
                .remove(&Labels::from_pairs(labels.iter().copied()));
        }
    }

    /// Everything in Prometheus' text format, version 0.0.4.
    #[must_use]
    pub fn render(&self) -> String {
        self.refresh();
        let mut text = String::new();
        for (name, family) in self.lock().iter() {
            // Writing to a String cannot fail.
            let _infallible = writeln!(text, "# HELP {name} {}", family.help.replace('\n', "\\n"));
            let _infallible = writeln!(text, "# TYPE {name} {}", family.kind);
            for (labels, cell) in &family.cells {
                for (suffix, extra, value) in points(cell) {
                    render_line(
                        &mut text,
                        (name, suffix),
                        labels.iter().chain(extra.iter()),
                        value,
                    );
                }
            }
        }
        text
    }

    /// Everything as samples at `now`, with `extra` labels added, for our own store.
    #[must_use]
    pub fn samples(&self, now: Timestamp, extra: &Labels) -> Vec<SeriesSamples> {
        self.refresh();
        let mut rows = Vec::new();
        for (name, family) in self.lock().iter() {
            for (labels, cell) in &family.cells {
                for (suffix, more, value) in points(cell) {
                    let name = format!("{name}{suffix}");
                    let pairs = extra.iter().chain(labels.iter()).chain(more.iter());
                    let labels = pairs.chain([(model::METRIC_NAME, name.as_str())]).collect();
                    rows.push(SeriesSamples::float(labels, now, value));
                }
            }
        }
        rows
    }
}

/// The lines of one metric: suffix, further labels, value.
fn points(cell: &Cell) -> Vec<(&'static str, Labels, f64)> {
    let count = model::number::u64_to_float;
    match cell {
        Cell::Counter(counter) => vec![("", Labels::default(), count(counter.value()))],
        Cell::Gauge(gauge) => vec![("", Labels::default(), gauge.value())],
        Cell::Histogram(Histogram(state)) => {
            let mut lines = Vec::with_capacity(state.counts.len() + 2);
            let mut total = 0;
            for (i, bucket) in state.counts.iter().enumerate() {
                total += bucket.load(Ordering::Relaxed);
                let bound = state.bounds.get(i).copied().unwrap_or(f64::INFINITY);
                let bound = model::format_float(bound);
                lines.push(("_bucket", Labels::from_pairs([("le", bound)]), count(total)));
            }
            let sum = f64::from_bits(state.sum_bits.load(Ordering::Relaxed));
            lines.push(("_sum", Labels::default(), sum));
            lines.push(("_count", Labels::default(), count(total)));
            lines
        }
        Cell::Summary(Summary(state)) => {
            let shown = state.show();
            let quantile = |(quantile, value): (f64, f64)| {
                let quantile = model::format_float(quantile);
                ("", Labels::from_pairs([("quantile", quantile)]), value)
            };
            let mut lines: Vec<_> = shown.quantiles.into_iter().map(quantile).collect();
            lines.push(("_sum", Labels::default(), shown.sum));
            lines.push(("_count", Labels::default(), count(shown.count)));
            lines
        }
    }
}

fn render_line<'a>(
    text: &mut String,
    (name, suffix): (&str, &str),
    labels: impl Iterator<Item = (&'a str, &'a str)>,
    value: f64,
) {
    text.push_str(name);
    text.push_str(suffix);
    let mut separator = '{';
    for (label, value) in labels {
        text.push(separator);
        let value = value
            .replace('\\', "\\\\")
            .replace('"', "\\\"")
            .replace('\n', "\\n");
        let _infallible = write!(text, "{label}=\"{value}\"");
        separator = ',';
    }
    text.push_str(if separator == ',' { "} " } else { " " });
    text.push_str(&model::format_float(value));
    text.push('\n');
}

#[cfg(test)]
mod tests {
    use super::Registry;

    #[test]
    fn renders_text_format() {
        let registry = Registry::new();
        registry
            .counter("binnacle_x_total", "Things.", &[("kind", "a\"b")])
            .add(3);
        registry.gauge("binnacle_y", "Level.", &[]).set(1.5);
        registry
            .histogram("binnacle_z_seconds", "Time.", &[])
            .observe(0.3);
        registry
            .summary("binnacle_s_seconds", "Time.", &[("a", "b")])
            .observe(2.0);
        let late = registry.gauge("binnacle_late", "Set when shown.", &[]);
        registry.before_showing(move || late.set(8.0));
        let text = registry.render();
        assert!(
            text.contains("# TYPE binnacle_x_total counter\nbinnacle_x_total{kind=\"a\\\"b\"} 3\n")
        );
        assert!(text.contains("binnacle_y 1.5\n"));
        assert!(text.contains("binnacle_late 8\n"));
        assert!(text.contains("binnacle_s_seconds{a=\"b\",quantile=\"0.9\"} 2\n"));
        assert!(text.contains("binnacle_s_seconds_count{a=\"b\"} 1\n"));
        assert!(text.contains("binnacle_z_seconds_bucket{le=\"0.25\"} 0\n"));
        assert!(text.contains("binnacle_z_seconds_bucket{le=\"0.5\"} 1\n"));
        assert!(text.contains("binnacle_z_seconds_count 1\n"));
    }
}
