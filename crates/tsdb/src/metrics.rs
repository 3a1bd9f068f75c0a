//! The numbers the store keeps of itself, ours and those that Prometheus' dashboards look for.

use model::Appended;
use runtime::Registry;
use runtime::metrics::Counter;

/// Handles to the store's metrics.
pub(crate) struct Metrics {
    appended: Counter,
    appended_upstream: Counter,
    duplicates: Counter,
    too_old: Counter,
    too_new: Counter,
    over_limit: Counter,
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
        Self {
            appended: registry.counter(
                "binnacle_tsdb_samples_appended_total",
                "Samples that were acknowledged.",
                &[],
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
        }
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
