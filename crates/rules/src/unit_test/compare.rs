//! Expected and found: comparing them and printing both, in promtool's way.

use model::histogram::{CUSTOM_BUCKETS_SCHEMA, CounterResetHint, Span};
use model::number::format_float_general;
use model::{Histogram, Labels};

/// An alert as it is compared.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ComparedAlert {
    pub(super) labels: Labels,
    pub(super) annotations: Labels,
}

/// Prints alerts, as deep as they stand in a failure.
pub(super) fn alerts_text(alerts: &[ComparedAlert]) -> String {
    const INDENT: &str = "\n            ";
    if alerts.is_empty() {
        return "[]".to_owned();
    }
    let mut text = "[".to_owned();
    for (i, alert) in alerts.iter().enumerate() {
        let comma = if i == 0 { "" } else { "," };
        let ComparedAlert {
            labels,
            annotations,
        } = alert;
        text.push_str(&format!(
            "{comma}{INDENT}{i}:{INDENT}  Labels:{labels}{INDENT}  Annotations:{annotations}"
        ));
    }
    text.push_str(INDENT);
    text.push(']');
    text
}

/// A sample as it is compared; a histogram is compared by its text.
#[derive(Clone, Debug)]
pub(super) struct ComparedSample {
    pub(super) labels: Labels,
    pub(super) value: f64,
    pub(super) histogram: String,
}

/// Whether samples, both sorted by labels, are equal; `fuzzy` lets neighbouring floats pass.
pub(super) fn same_samples(a: &[ComparedSample], b: &[ComparedSample], fuzzy: bool) -> bool {
    let same = |(a, b): (&ComparedSample, &ComparedSample)| {
        a.labels == b.labels && a.histogram == b.histogram && same_value(a.value, b.value, fuzzy)
    };
    a.len() == b.len() && a.iter().zip(b).all(same)
}

#[expect(clippy::float_cmp, reason = "promtool compares exactly")]
fn same_value(a: f64, b: f64, fuzzy: bool) -> bool {
    a == b || (fuzzy && (a.next_up() == b || a.next_down() == b))
}

/// Prints samples on one line.
pub(super) fn samples_text(samples: &[ComparedSample]) -> String {
    if samples.is_empty() {
        return "nil".to_owned();
    }
    let texts: Vec<String> = samples.iter().map(sample_text).collect();
    texts.join(", ")
}

fn sample_text(sample: &ComparedSample) -> String {
    let labels = &sample.labels;
    if sample.histogram.is_empty() {
        format!("{labels} {}", scientific(sample.value))
    } else {
        format!("{labels} {}", sample.histogram)
    }
}

/// As Go's `FormatFloat(value, 'E', -1, 64)`: the exponent has a sign and two digits.
fn scientific(value: f64) -> String {
    if !value.is_finite() {
        return model::format_float(value);
    }
    let text = format!("{value:E}");
    let Some((digits, exponent)) = text.split_once('E') else {
        return text;
    };
    match exponent.strip_prefix('-') {
        Some(exponent) => format!("{digits}E-{exponent:0>2}"),
        None => format!("{digits}E+{exponent:0>2}"),
    }
}

/// A histogram in the notation of series descriptions, buckets from the first that is not empty to the last.
pub(super) fn histogram_text(histogram: &Histogram) -> String {
    let mut parts = Vec::new();
    if histogram.schema != 0 {
        parts.push(format!("schema:{}", histogram.schema));
    }
    let numbers = [
        ("count", histogram.count),
        ("sum", histogram.sum),
        ("z_bucket", histogram.zero_count),
        ("z_bucket_w", histogram.zero_threshold),
    ];
    for (name, value) in numbers {
        if value != 0.0 {
            parts.push(format!("{name}:{}", format_float_general(value)));
        }
    }
    if histogram.schema == CUSTOM_BUCKETS_SCHEMA {
        let bounds = histogram.custom_values.as_deref().unwrap_or_default();
        parts.push(format!("custom_values:[{}]", numbers_text(bounds)));
    }
    match histogram.counter_reset_hint {
        CounterResetHint::Unknown => {}
        CounterResetHint::Reset => parts.push("counter_reset_hint:reset".to_owned()),
        CounterResetHint::NotReset => parts.push("counter_reset_hint:not_reset".to_owned()),
        CounterResetHint::Gauge => parts.push("counter_reset_hint:gauge".to_owned()),
    }
    let sides = [
        ("", &histogram.positive_spans, &histogram.positive_buckets),
        ("n_", &histogram.negative_spans, &histogram.negative_buckets),
    ];
    for (prefix, spans, counts) in sides {
        let (offset, buckets) = dense(spans, counts);
        if offset != 0 {
            parts.push(format!("{prefix}offset:{offset}"));
        }
        if !buckets.is_empty() {
            parts.push(format!("{prefix}buckets:[{}]", numbers_text(&buckets)));
        }
    }
    format!("{{{{{}}}}}", parts.join(" "))
}

fn numbers_text(numbers: &[f64]) -> String {
    let texts: Vec<String> = numbers.iter().map(|n| format_float_general(*n)).collect();
    texts.join(" ")
}

/// The index of the first bucket that is not empty, and the counts from there to the last such.
fn dense(spans: &[Span], counts: &[f64]) -> (i64, Vec<f64>) {
    let mut held: Vec<(i64, f64)> = Vec::with_capacity(counts.len());
    let mut counts = counts.iter();
    let mut index = 0_i64;
    for span in spans {
        index += i64::from(span.offset);
        for count in counts
            .by_ref()
            .take(usize::try_from(span.length).unwrap_or(0))
        {
            held.push((index, *count));
            index += 1;
        }
    }
    held.retain(|(_, count)| *count != 0.0);
    let Some((first, _)) = held.first().copied() else {
        return (0, Vec::new());
    };
    let mut buckets = Vec::new();
    for (index, count) in held {
        let gap = usize::try_from(index - first).unwrap_or(0);
        buckets.resize(gap, 0.0);
        buckets.push(count);
    }
    (first, buckets)
}
