//! What `/federate` answers: the latest sample of series, each with its time, grouped by name, without types.
//!
//! Prometheus 3.14 answers so: every family is `untyped`, labels stand in order with the external ones behind them, a
//! series without instance has an empty one, and native histograms are there only in protobuf.

use crate::pushgateway::family::{
    BucketSpan, Family, GAUGE_HISTOGRAM, HISTOGRAM, HistogramValue, Label, Metric, Single, UNTYPED,
    write_delimited,
};
use crate::pushgateway::text;
use model::histogram::{CounterResetHint, Span};
use model::{Histogram, Labels, METRIC_NAME, Timestamp, Value};

/// In which form an answer goes out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// The text format, 0.0.4.
    Text,
    /// Delimited `io.prometheus.client.MetricFamily`.
    Protobuf,
}

impl Format {
    /// The best form that an `Accept` header names; text where it names none. OpenMetrics is not among them, as
    /// upstream.
    #[must_use]
    pub fn from_accept(accept: &str) -> Self {
        let mut best = (Self::Text, 0.0);
        for part in accept.split(',') {
            let mut fields = part.split(';').map(str::trim);
            let kind = fields.next().unwrap_or_default();
            let (mut quality, mut delimited, mut known_version) = (1.0, false, true);
            for field in fields {
                match field.split_once('=') {
                    Some(("q", q)) => quality = q.parse().unwrap_or(0.0),
                    Some(("encoding", encoding)) => delimited = encoding == "delimited",
                    Some(("version", version)) => known_version = version == "0.0.4",
                    _ => {}
                }
            }
            let format = match kind {
                "application/vnd.google.protobuf" if delimited => Self::Protobuf,
                "text/plain" if known_version => Self::Text,
                _ => continue,
            };
            if quality > best.1 {
                best = (format, quality);
            }
        }
        best.0
    }

    /// Its `Content-Type`.
    #[must_use]
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Text => "text/plain; version=0.0.4; charset=utf-8",
            Self::Protobuf => {
                "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited"
            }
        }
    }
}

/// Writes the latest sample of each series. `latest`: sorted by labels, none of them stale; `external`: labels that
/// series get which lack them.
#[must_use]
pub fn encode(latest: &[(Labels, Timestamp, Value)], external: &Labels, format: Format) -> Vec<u8> {
    let mut sorted: Vec<&(Labels, Timestamp, Value)> = latest.iter().collect();
    // Stable: within a name the order of labels stays.
    sorted.sort_by(|a, b| a.0.metric_name().cmp(b.0.metric_name()));
    let mut families: Vec<Family> = Vec::new();
    for (labels, at, value) in sorted {
        let name = labels.metric_name();
        if name.is_empty() || format == Format::Text && matches!(value, Value::Histogram(_)) {
            continue;
        }
        let kind = match value {
            Value::Float(_) => UNTYPED,
            Value::Histogram(histogram)
                if histogram.counter_reset_hint == CounterResetHint::Gauge =>
            {
                GAUGE_HISTOGRAM
            }
            Value::Histogram(_) => HISTOGRAM,
        };
        let is_same = |family: &Family| family.name == name && family.kind == kind;
        if !families.last().is_some_and(is_same) {
            families.push(Family {
                name: name.to_owned(),
                kind,
                ..Family::default()
            });
        }
        if let Some(family) = families.last_mut() {
            family.metrics.push(metric(labels, external, (*at, value)));
        }
    }
    match format {
        Format::Text => text::write(&families).into_bytes(),
        Format::Protobuf => write_delimited(&families),
    }
}

fn metric(labels: &Labels, external: &Labels, (at, value): (Timestamp, &Value)) -> Metric {
    let label = |(name, value): (&str, &str)| Label {
        name: name.to_owned(),
        value: value.to_owned(),
    };
    let own = labels.iter().filter(|(name, _)| *name != METRIC_NAME);
    let has_instance = external.get("instance").is_some();
    let instance = (!has_instance).then_some(("instance", ""));
    let mut added: Vec<(&str, &str)> = external
        .iter()
        .chain(instance)
        .filter(|(name, _)| labels.get(name).is_none())
        .collect();
    added.sort_unstable();
    let mut metric = Metric {
        labels: own.chain(added).map(label).collect(),
        timestamp_ms: Some(at.millis()),
        ..Metric::default()
    };
    match value {
        Value::Float(value) => metric.untyped = Some(Single::of(*value)),
        Value::Histogram(histogram) => metric.histogram = Some(histogram_value(histogram)),
    }
    metric
}

fn histogram_value(histogram: &Histogram) -> HistogramValue {
    let span = |span: &Span| BucketSpan {
        offset: span.offset,
        length: span.length,
    };
    HistogramValue {
        count_float: histogram.count,
        sum: histogram.sum,
        schema: Some(histogram.schema),
        zero_threshold: histogram.zero_threshold,
        zero_count_float: histogram.zero_count,
        positive_spans: histogram.positive_spans.iter().map(span).collect(),
        negative_spans: histogram.negative_spans.iter().map(span).collect(),
        positive_counts: histogram.positive_buckets.clone(),
        negative_counts: histogram.negative_buckets.clone(),
        ..HistogramValue::default()
    }
}

#[cfg(test)]
mod tests {
    use super::{Format, encode};
    use expect_test::expect;
    use model::{Labels, Timestamp, Value};

    #[test]
    fn writes_as_upstream() {
        let row = |pairs: &[(&str, &str)], value| {
            let labels = Labels::from_pairs(pairs.iter().copied());
            (labels, Timestamp::from_millis(5), Value::Float(value))
        };
        let latest = [
            row(&[("__name__", "up"), ("instance", "i"), ("z", "1")], 1.0),
            row(&[("__name__", "a"), ("z", "1")], 0.5),
            row(&[("__name__", "up"), ("region", "own")], f64::INFINITY),
            row(&[("a", "b")], 1.0),
        ];
        let external = Labels::from_pairs([("region", "eu"), ("b", "c")]);
        let text = encode(&latest, &external, Format::Text);
        expect![[r#"
            # TYPE a untyped
            a{z="1",b="c",instance="",region="eu"} 0.5 5
            # TYPE up untyped
            up{instance="i",z="1",b="c",region="eu"} 1 5
            up{region="own",b="c",instance=""} +Inf 5
        "#]]
        .assert_eq(&String::from_utf8_lossy(&text));
    }

    #[test]
    fn negotiates() {
        let check = |accept, want| assert_eq!(Format::from_accept(accept), want, "{accept}");
        check("", Format::Text);
        check("*/*", Format::Text);
        check(
            "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
            Format::Text,
        );
        check(
            "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited,text/plain;q=0.5",
            Format::Protobuf,
        );
    }
}
