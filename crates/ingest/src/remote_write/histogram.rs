//! Native histograms of remote write.

use crate::native::{Sides, complete, span};
use crate::protobuf::{Message, ProtobufError};
use model::histogram::{CUSTOM_BUCKETS_SCHEMA, CounterResetHint};
use model::number::u64_to_float;
use model::{Histogram, STALE_MARKER, Sample, Timestamp, Value, is_stale_marker};
use std::sync::Arc;

/// Decodes a `prometheus.Histogram`. A sum that is the staleness marker makes the whole sample one.
///
/// The outer error is a broken message, the inner one a histogram that makes no sense.
pub(crate) fn decode(mut message: Message<'_>) -> Result<Result<Sample, String>, ProtobufError> {
    let mut histogram = Histogram::default();
    let mut sides = Sides::default();
    let mut custom_values = Vec::new();
    let (mut timestamp, mut start) = (0, 0);
    while let Some((field, wire)) = message.next_field()? {
        match field {
            1 => histogram.count = u64_to_float(message.unsigned(wire)?),
            2 => {
                histogram.count = message.double(wire)?;
                sides.is_float = true;
            }
            3 => histogram.sum = message.double(wire)?,
            4 => histogram.schema = message.sint32(wire)?,
            5 => histogram.zero_threshold = message.double(wire)?,
            6 => histogram.zero_count = u64_to_float(message.unsigned(wire)?),
            7 => histogram.zero_count = message.double(wire)?,
            8 => sides.negative.spans.push(span(message.message(wire)?)?),
            9 => message.sint64s(wire, &mut sides.negative.deltas)?,
            10 => message.doubles(wire, &mut sides.negative.counts)?,
            11 => sides.positive.spans.push(span(message.message(wire)?)?),
            12 => message.sint64s(wire, &mut sides.positive.deltas)?,
            13 => message.doubles(wire, &mut sides.positive.counts)?,
            14 => histogram.counter_reset_hint = reset_hint(message.unsigned(wire)?),
            15 => timestamp = message.int64(wire)?,
            16 => message.doubles(wire, &mut custom_values)?,
            // Version 2.0 only.
            17 => start = message.int64(wire)?,
            _ => {}
        }
    }
    let sample = |value| Sample {
        timestamp: Timestamp::from_millis(timestamp),
        start: Timestamp::from_millis(start),
        value,
    };
    if is_stale_marker(histogram.sum) {
        return Ok(Ok(sample(Value::Float(STALE_MARKER))));
    }
    if histogram.schema == CUSTOM_BUCKETS_SCHEMA {
        histogram.custom_values = Some(Arc::from(custom_values));
    }
    Ok(complete(histogram, sides).map(|whole| sample(Value::Histogram(whole))))
}

const fn reset_hint(number: u64) -> CounterResetHint {
    match number {
        1 => CounterResetHint::Reset,
        2 => CounterResetHint::NotReset,
        3 => CounterResetHint::Gauge,
        _ => CounterResetHint::Unknown,
    }
}
