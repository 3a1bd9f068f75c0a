//! Native histograms of remote write.

use crate::protobuf::{Message, ProtobufError, Wire};
use model::histogram::{CUSTOM_BUCKETS_SCHEMA, CounterResetHint, Span};
use model::number::{i64_to_float, u64_to_float};
use model::{Histogram, STALE_MARKER, Timestamp, Value, is_stale_marker};
use std::sync::Arc;

/// One side's buckets as sent: integer histograms send differences, float histograms counts.
#[derive(Debug, Default)]
struct Side {
    spans: Vec<Span>,
    deltas: Vec<i64>,
    counts: Vec<f64>,
}

/// Decodes a `prometheus.Histogram`. A sum that is the staleness marker makes the whole sample one.
///
/// The outer error is a broken message, the inner one a histogram that makes no sense.
pub(super) fn decode(
    mut message: Message<'_>,
) -> Result<Result<(Timestamp, Value), String>, ProtobufError> {
    let mut histogram = Histogram::default();
    let (mut negative, mut positive) = (Side::default(), Side::default());
    let mut custom_values = Vec::new();
    let mut timestamp = 0;
    while let Some((field, wire)) = message.next_field()? {
        match field {
            1 => histogram.count = u64_to_float(message.unsigned(wire)?),
            2 => histogram.count = message.double(wire)?,
            3 => histogram.sum = message.double(wire)?,
            4 => histogram.schema = message.sint32(wire)?,
            5 => histogram.zero_threshold = message.double(wire)?,
            6 => histogram.zero_count = u64_to_float(message.unsigned(wire)?),
            7 => histogram.zero_count = message.double(wire)?,
            8 => negative.spans.push(span(message.message(wire)?)?),
            9 => message.sint64s(wire, &mut negative.deltas)?,
            10 => message.doubles(wire, &mut negative.counts)?,
            11 => positive.spans.push(span(message.message(wire)?)?),
            12 => message.sint64s(wire, &mut positive.deltas)?,
            13 => message.doubles(wire, &mut positive.counts)?,
            14 => histogram.counter_reset_hint = reset_hint(message.unsigned(wire)?),
            15 => timestamp = message.int64(wire)?,
            16 => message.doubles(wire, &mut custom_values)?,
            _ => {}
        }
    }
    let at = Timestamp::from_millis(timestamp);
    if is_stale_marker(histogram.sum) {
        return Ok(Ok((at, Value::Float(STALE_MARKER))));
    }
    if histogram.schema == CUSTOM_BUCKETS_SCHEMA {
        histogram.custom_values = Some(Arc::from(custom_values));
    }
    Ok(complete(histogram, positive, negative).map(|whole| (at, Value::Histogram(whole))))
}

fn span(mut message: Message<'_>) -> Result<Span, ProtobufError> {
    let mut span = Span {
        offset: 0,
        length: 0,
    };
    while let Some((field, wire)) = message.next_field()? {
        match (field, wire) {
            (1, _) => span.offset = message.sint32(wire)?,
            (2, Wire::Varint(length)) => span.length = u32::try_from(length).unwrap_or(u32::MAX),
            (2, _) => return Err(ProtobufError::WrongWireType(2)),
            _ => {}
        }
    }
    Ok(span)
}

const fn reset_hint(number: u64) -> CounterResetHint {
    match number {
        1 => CounterResetHint::Reset,
        2 => CounterResetHint::NotReset,
        3 => CounterResetHint::Gauge,
        _ => CounterResetHint::Unknown,
    }
}

fn complete(
    mut histogram: Histogram,
    positive: Side,
    negative: Side,
) -> Result<Arc<Histogram>, String> {
    let schema = histogram.schema;
    let is_custom = schema == CUSTOM_BUCKETS_SCHEMA;
    if !is_custom && !(-4..=8).contains(&schema) {
        return Err(format!("invalid histogram: unknown schema {schema}"));
    }
    if is_custom && !(negative.spans.is_empty() && histogram.zero_count == 0.0) {
        return Err("invalid histogram: custom buckets have no negative side".to_owned());
    }
    histogram.positive_buckets = buckets(&positive, "positive")?;
    histogram.negative_buckets = buckets(&negative, "negative")?;
    let is_negative = |counts: &[f64]| counts.iter().any(|count| *count < 0.0);
    if is_negative(&histogram.positive_buckets)
        || is_negative(&histogram.negative_buckets)
        || is_negative(&[histogram.zero_count, histogram.count])
    {
        return Err("invalid histogram: a count is negative".to_owned());
    }
    if let Some(bounds) = &histogram.custom_values
        && !bounds
            .windows(2)
            .all(|pair| matches!(pair, [low, high] if low < high))
    {
        return Err("invalid histogram: custom bounds do not ascend".to_owned());
    }
    histogram.positive_spans = positive.spans;
    histogram.negative_spans = negative.spans;
    Ok(Arc::new(histogram))
}

/// Absolute counts of one side's buckets; fails where they do not fill the spans.
fn buckets(side: &Side, which: &str) -> Result<Vec<f64>, String> {
    let counts = if side.deltas.is_empty() {
        side.counts.clone()
    } else {
        let mut count = 0_i64;
        let add = |delta: &i64| {
            count = count.saturating_add(*delta);
            i64_to_float(count)
        };
        side.deltas.iter().map(add).collect()
    };
    let spanned: u64 = side.spans.iter().map(|span| u64::from(span.length)).sum();
    let sent = counts.len();
    if usize::try_from(spanned) != Ok(sent) {
        return Err(format!(
            "invalid histogram: {which} spans need {spanned} buckets, have {sent} buckets"
        ));
    }
    if side.spans.iter().skip(1).any(|span| span.offset < 0) {
        return Err(format!(
            "invalid histogram: a {which} span lies before the one before it"
        ));
    }
    Ok(counts)
}
