//! What a metric is, and the traces its samples point to.

use crate::{Labels, Timestamp};
use std::fmt;

/// The type that an exposition declares for a metric.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MetricKind {
    /// Goes up, resets to zero.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Buckets, sum and count.
    Histogram,
    /// A histogram that goes up and down (OpenMetrics).
    GaugeHistogram,
    /// Quantiles, sum and count.
    Summary,
    /// Labels with the value 1 (OpenMetrics).
    Info,
    /// One of several named states (OpenMetrics).
    StateSet,
    /// Nothing was declared.
    #[default]
    Unknown,
}

impl MetricKind {
    /// The name used in the HTTP API and in exposition.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
            Self::GaugeHistogram => "gaugehistogram",
            Self::Summary => "summary",
            Self::Info => "info",
            Self::StateSet => "stateset",
            Self::Unknown => "unknown",
        }
    }

    /// The value of the label `__type__`: the name, empty where nothing was declared.
    #[must_use]
    pub const fn label_value(self) -> &'static str {
        match self {
            Self::Unknown => "",
            kind => kind.name(),
        }
    }
}

impl fmt::Display for MetricKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What `# TYPE`, `# HELP` and `# UNIT` said of a metric.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct MetricMetadata {
    /// The declared type.
    pub kind: MetricKind,
    /// The help text, unescaped.
    pub help: String,
    /// The unit, empty if none.
    pub unit: String,
}

/// A single observation with labels of its own, usually a trace id.
#[derive(Clone, Debug, PartialEq)]
pub struct Exemplar {
    /// Labels of the observation.
    pub labels: Labels,
    /// The observed value.
    pub value: f64,
    /// When, if the exposition said so.
    pub timestamp: Option<Timestamp>,
}
