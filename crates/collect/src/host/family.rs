//! Metric families as sensors make them, and the two forms they leave in.

use model::{Labels, METRIC_NAME, MetricKind, SeriesSamples, Timestamp};
use std::borrow::Cow;
use std::fmt::Write as _;

/// One metric: its name, what it means, its points.
#[derive(Clone, Debug, PartialEq)]
pub struct Family {
    /// The metric's name.
    pub name: Cow<'static, str>,
    /// The help text.
    pub help: Cow<'static, str>,
    /// The type.
    pub kind: MetricKind,
    /// The values.
    pub points: Vec<Point>,
}

/// One value of a metric.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    /// Labels without the name, in any order.
    pub labels: Vec<(Cow<'static, str>, String)>,
    /// The value.
    pub value: f64,
}

impl Family {
    /// An empty family.
    #[must_use]
    pub fn new(
        kind: MetricKind,
        name: impl Into<Cow<'static, str>>,
        help: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            name: name.into(),
            help: help.into(),
            kind,
            points: Vec::new(),
        }
    }

    /// An empty family of gauges.
    pub(super) fn gauge(
        name: impl Into<Cow<'static, str>>,
        help: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self::new(MetricKind::Gauge, name, help)
    }

    /// An empty family of counters.
    pub(super) fn counter(
        name: impl Into<Cow<'static, str>>,
        help: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self::new(MetricKind::Counter, name, help)
    }

    /// The same family with a single value without labels.
    #[must_use]
    pub(super) fn of(mut self, value: f64) -> Self {
        self.add([], value);
        self
    }

    /// Adds a value.
    pub(super) fn add<const N: usize>(&mut self, labels: [(&'static str, &str); N], value: f64) {
        let owned = |(name, value): (&'static str, &str)| (Cow::Borrowed(name), value.to_owned());
        self.points.push(Point {
            labels: labels.into_iter().map(owned).collect(),
            value,
        });
    }
}

/// The families as samples at `now`, with `extra` labels (job, instance) added.
#[must_use]
pub fn to_samples(families: &[Family], now: Timestamp, extra: &Labels) -> Vec<SeriesSamples> {
    let mut rows = Vec::new();
    for family in families {
        for point in &family.points {
            let own = point
                .labels
                .iter()
                .map(|(name, value)| (name.as_ref(), value.as_str()));
            let name = [(METRIC_NAME, family.name.as_ref())];
            let labels = extra.iter().chain(own).chain(name).collect();
            rows.push(SeriesSamples::float(labels, now, point.value));
        }
    }
    rows
}

/// The families in Prometheus' text format, version 0.0.4.
#[must_use]
pub fn render(families: &[Family]) -> String {
    let mut text = String::new();
    for family in families {
        let help = family.help.replace('\\', "\\\\").replace('\n', "\\n");
        let kind = match family.kind {
            MetricKind::Unknown => "untyped",
            known => known.name(),
        };
        let name = &family.name;
        // Writing to a String cannot fail.
        let _infallible = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
        for point in &family.points {
            text.push_str(name);
            let mut separator = '{';
            for (label, value) in &point.labels {
                let value = value
                    .replace('\\', "\\\\")
                    .replace('"', "\\\"")
                    .replace('\n', "\\n");
                let _infallible = write!(text, "{separator}{label}=\"{value}\"");
                separator = ',';
            }
            text.push_str(if separator == ',' { "} " } else { " " });
            text.push_str(&model::number::format_float_general(point.value));
            text.push('\n');
        }
    }
    text
}
