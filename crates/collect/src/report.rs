//! The series that every scrape adds about itself: `up`, `scrape_duration_seconds` and their kin.

use crate::prometheus_file::ScrapeConfig;
use crate::series::{Scraped, SeriesCache};
use model::number::{i64_to_float, u64_to_float, usize_to_float};
use model::{Labels, METRIC_NAME, STALE_MARKER, SeriesSamples, Timestamp};

const NAMES: [&str; 5] = [
    "up",
    "scrape_duration_seconds",
    "scrape_samples_scraped",
    "scrape_samples_post_metric_relabeling",
    "scrape_series_added",
];
const EXTRA_NAMES: [&str; 3] = [
    "scrape_timeout_seconds",
    "scrape_sample_limit",
    "scrape_body_size_bytes",
];

/// What there is to say of one scrape.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Report {
    pub(crate) succeeded: bool,
    pub(crate) duration_seconds: f64,
    pub(crate) scraped: Scraped,
    /// Bytes of the body; −1 where it was over the limit, as upstream has it.
    pub(crate) body_bytes: i64,
}

/// The series of one target.
#[derive(Clone, Debug)]
pub(crate) struct ReportSeries {
    labels: Vec<Labels>,
    timeout_seconds: f64,
    sample_limit: f64,
}

impl ReportSeries {
    /// Makes the series for a target with these labels.
    pub(crate) fn new(target_labels: &Labels, config: &ScrapeConfig, timeout_ms: i64) -> Self {
        let extra = if config.extra_scrape_metrics {
            EXTRA_NAMES.as_slice()
        } else {
            &[]
        };
        let named = |name: &&str| target_labels.with(METRIC_NAME, name);
        Self {
            labels: NAMES.iter().chain(extra).map(named).collect(),
            timeout_seconds: i64_to_float(timeout_ms) / 1000.0,
            sample_limit: u64_to_float(config.limits.samples),
        }
    }

    /// Adds the rows of one scrape behind its samples.
    pub(crate) fn add_to(&self, cache: &mut SeriesCache, at: Timestamp, report: Report) {
        let values = [
            if report.succeeded { 1.0 } else { 0.0 },
            report.duration_seconds,
            usize_to_float(report.scraped.samples),
            usize_to_float(report.scraped.kept),
            usize_to_float(report.scraped.series_added),
            self.timeout_seconds,
            self.sample_limit,
            i64_to_float(report.body_bytes),
        ];
        for (labels, value) in self.labels.iter().zip(values) {
            cache.add_row(labels, at, value);
        }
    }

    /// The labels of the series, to end them when the target goes away.
    pub(crate) fn labels(&self) -> &[Labels] {
        &self.labels
    }
}

/// The rows that end series.
pub(crate) fn markers(series: &[Labels], at: Timestamp) -> Vec<SeriesSamples> {
    let marker = |labels: &Labels| SeriesSamples::float(labels.clone(), at, STALE_MARKER);
    series.iter().map(marker).collect()
}
