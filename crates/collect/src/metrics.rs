//! The numbers that collecting keeps of itself, under upstream's names where it has one.

use model::Appended;
use runtime::Registry;
use runtime::metrics::{Counter, Histogram, Summary};

/// Handles to every number, made once.
#[derive(Clone, Debug)]
pub(crate) struct Metrics {
    pub(crate) registry: Registry,
    pub(crate) scrapes: Counter,
    pub(crate) scrapes_failed: Counter,
    pub(crate) scrape_seconds: Histogram,
    pub(crate) sample_limit: Counter,
    pub(crate) body_size_limit: Counter,
    pub(crate) label_limits: Counter,
    pub(crate) bucket_limit: Counter,
    pub(crate) target_limit: Counter,
    pub(crate) targets_failed: Counter,
    pub(crate) file_errors: Counter,
    pub(crate) http_errors: Counter,
    pub(crate) sink_errors: Counter,
    pub(crate) failure_lines_lost: Counter,
    refused: Refused,
}

/// Samples that were scraped and not stored.
#[derive(Clone, Debug)]
struct Refused {
    duplicate_lines: Counter,
    duplicates: Counter,
    too_old: Counter,
    too_new: Counter,
}

impl Refused {
    fn new(registry: &Registry) -> Self {
        let counter = |name, help| registry.counter(name, help, &[]);
        Self {
            duplicate_lines: counter(
                "binnacle_collect_duplicate_lines_total",
                "Lines that repeat a series of the same scrape.",
            ),
            duplicates: counter(
                "prometheus_target_scrapes_sample_duplicate_timestamp_total",
                "Samples rejected because their time has another value.",
            ),
            too_old: counter(
                "prometheus_target_scrapes_sample_out_of_order_total",
                "Samples rejected because they are older than the store takes.",
            ),
            too_new: counter(
                "prometheus_target_scrapes_sample_out_of_bounds_total",
                "Samples rejected because they lie too far in the future.",
            ),
        }
    }
}

impl Metrics {
    pub(crate) fn new(registry: &Registry) -> Self {
        let counter = |name, help| registry.counter(name, help, &[]);
        Self {
            registry: registry.clone(),
            scrapes: counter(
                "binnacle_collect_scrapes_total",
                "Scrapes, failed ones included.",
            ),
            scrapes_failed: counter(
                "binnacle_collect_scrapes_failed_total",
                "Scrapes that failed.",
            ),
            scrape_seconds: registry.histogram(
                "binnacle_collect_scrape_duration_seconds",
                "Time from asking a target to having its samples.",
                &[],
            ),
            sample_limit: counter(
                "prometheus_target_scrapes_exceeded_sample_limit_total",
                "Scrapes that hit the sample limit and were rejected.",
            ),
            body_size_limit: counter(
                "prometheus_target_scrapes_exceeded_body_size_limit_total",
                "Scrapes that hit the body size limit.",
            ),
            label_limits: counter(
                "prometheus_target_scrape_pool_exceeded_label_limits_total",
                "Scrapes that hit one of the label limits.",
            ),
            bucket_limit: counter(
                "prometheus_target_scrapes_exceeded_native_histogram_bucket_limit_total",
                "Scrapes that hit the native histogram bucket limit.",
            ),
            target_limit: counter(
                "prometheus_target_scrape_pool_exceeded_target_limit_total",
                "Times a job had more targets than it may.",
            ),
            targets_failed: counter(
                "prometheus_target_sync_failed_total",
                "Discovered targets that cannot be scraped.",
            ),
            file_errors: counter(
                "prometheus_sd_file_read_errors_total",
                "Files with targets that could not be read.",
            ),
            http_errors: counter(
                "prometheus_sd_http_failures_total",
                "Failed requests for targets.",
            ),
            sink_errors: counter(
                "binnacle_collect_store_errors_total",
                "Scrapes that the store did not take.",
            ),
            failure_lines_lost: counter(
                "binnacle_collect_failure_log_lines_lost_total",
                "Lines of the scrape failure log that could not be written.",
            ),
            refused: Refused::new(registry),
        }
    }

    /// Counts what the store did not take, and lines that repeat a series.
    pub(crate) fn count_refused(&self, appended: Appended, duplicate_lines: usize) {
        let pairs = [
            (&self.refused.duplicate_lines, duplicate_lines),
            (&self.refused.duplicates, appended.duplicates),
            (&self.refused.too_old, appended.too_old),
            (&self.refused.too_new, appended.too_new),
        ];
        for (counter, count) in pairs {
            counter.add(u64::try_from(count).unwrap_or(u64::MAX));
        }
    }

    /// Counts a failure to find targets by a kind of discovery.
    pub(crate) fn count_failed_refresh(&self, kind: &str) {
        if kind == "http" {
            self.http_errors.increment();
        }
        let name = "prometheus_sd_refresh_failures_total";
        let help = "Number of refresh failures for the given SD mechanism.";
        self.registry
            .counter(name, help, &[("mechanism", kind)])
            .increment();
    }

    /// Publishes how many targets a job has.
    pub(crate) fn set_targets(&self, job: &str, count: usize) {
        let name = "prometheus_target_scrape_pool_targets";
        let help = "Current number of targets in this scrape pool.";
        let gauge = self.registry.gauge(name, help, &[("scrape_job", job)]);
        gauge.set_count(count);
    }

    /// The times that really pass between scrapes that should be `interval` apart.
    pub(crate) fn intervals(&self, interval: &str) -> Summary {
        self.registry.summary(
            "prometheus_target_interval_length_seconds",
            "Actual intervals between scrapes.",
            &[("interval", interval)],
        )
    }

    /// Notes how long it took to bring a job's targets in line with what was found.
    pub(crate) fn note_sync(&self, job: &str, seconds: f64) {
        let labels = [("scrape_job", job)];
        let summary = self.registry.summary(
            "prometheus_target_sync_length_seconds",
            "Actual interval to sync the scrape pool.",
            &labels,
        );
        summary.observe(seconds);
        let syncs = self.registry.counter(
            "prometheus_target_scrape_pool_sync_total",
            "Total number of syncs that were executed on a scrape pool.",
            &labels,
        );
        syncs.increment();
    }

    /// Forgets a job that is gone.
    pub(crate) fn forget_job(&self, job: &str) {
        for name in [
            "prometheus_target_scrape_pool_targets",
            "prometheus_target_sync_length_seconds",
            "prometheus_target_scrape_pool_sync_total",
        ] {
            self.registry.remove(name, &[("scrape_job", job)]);
        }
    }
}
