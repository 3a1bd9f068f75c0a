//! `--enable-feature`: Prometheus' names for what is off by default there.
//!
//! All names of 3.14 are known, and those that earlier versions had. Most have nothing to switch: what they stand for
//! is always on here, or is about how another program is made. An unknown name is a warning, as it is there.

/// What a name does here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Effect {
    /// It changes what the program does.
    Switches,
    /// What it stands for is on whether it is named or not.
    AlwaysOn,
    /// It has nothing to say about this program.
    Nothing,
}

use Effect::{AlwaysOn, Nothing, Switches};

/// All names, sorted.
#[rustfmt::skip]
const FEATURES: [(&str, Effect); 37] = [
    ("agent", Nothing),
    ("auto-gomaxprocs", Nothing),
    ("auto-gomemlimit", Nothing),
    ("auto-reload-config", Nothing),
    ("concurrent-rule-eval", Nothing),
    ("created-timestamp-zero-ingestion", Switches),
    ("delayed-compaction", Nothing),
    ("exemplar-storage", AlwaysOn),
    ("expand-external-labels", AlwaysOn),
    ("extra-scrape-metrics", AlwaysOn),
    ("fast-startup", AlwaysOn),
    ("memory-snapshot-on-shutdown", AlwaysOn),
    ("metadata-wal-records", AlwaysOn),
    ("native-histograms", AlwaysOn),
    ("new-service-discovery-manager", Nothing),
    ("no-default-scrape-port", AlwaysOn),
    ("old-ui", Nothing),
    ("otlp-deltatocumulative", Switches),
    ("otlp-native-delta-ingestion", Switches),
    ("otlp-write-receiver", AlwaysOn),
    ("promql-at-modifier", AlwaysOn),
    ("promql-binop-fill-modifiers", AlwaysOn),
    ("promql-delayed-name-removal", Switches),
    ("promql-duration-expr", AlwaysOn),
    ("promql-experimental-functions", AlwaysOn),
    ("promql-extended-range-selectors", AlwaysOn),
    ("promql-negative-offset", AlwaysOn),
    ("promql-per-step-stats", Switches),
    ("promql-type-and-unit-labels", Switches),
    ("remote-write-receiver", AlwaysOn),
    ("search-api", AlwaysOn),
    ("st-storage", Switches),
    ("type-and-unit-labels", Switches),
    ("use-start-timestamps", Switches),
    ("use-uncached-io", Nothing),
    ("utf8-names", AlwaysOn),
    ("xor2-encoding", Nothing),
];

/// Whether one of some names was given.
pub(super) fn any_is_on(given: &[String], names: &[&str]) -> bool {
    given.iter().any(|name| names.contains(&name.as_str()))
}

/// Says of each name that switches nothing why.
pub(super) fn note(given: &[String]) {
    for name in given.iter().filter(|name| !name.is_empty()) {
        match effect(name) {
            Some(Switches) => tracing::info!("feature {name} is on"),
            Some(AlwaysOn) => {
                tracing::info!("feature {name}: what it stands for is always on");
            }
            Some(Nothing) => tracing::info!("feature {name}: there is nothing to switch on here"),
            None => tracing::warn!(option = %name, "Unknown option for --enable-feature"),
        }
    }
}

fn effect(name: &str) -> Option<Effect> {
    let place = FEATURES
        .binary_search_by_key(&name, |(known, _)| known)
        .ok()?;
    FEATURES.get(place).map(|(_, effect)| *effect)
}

#[cfg(test)]
mod tests {
    use super::{AlwaysOn, FEATURES, Switches, effect};

    #[test]
    fn knows_the_names() {
        assert!(FEATURES.is_sorted_by(|a, b| a.0 < b.0));
        let check = |name, want| assert_eq!(effect(name), want, "{name}");
        check("use-start-timestamps", Some(Switches));
        check("promql-experimental-functions", Some(AlwaysOn));
        check("promql-experimental", None);
    }
}
