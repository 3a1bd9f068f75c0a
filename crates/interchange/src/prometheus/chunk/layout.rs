//! What the histograms of one chunk share: schema, zero threshold, spans, custom bounds.

use super::bits::{BitReader, BitWriter, whole};
use model::Histogram;
use model::histogram::{CUSTOM_BUCKETS_SCHEMA, CounterResetHint, Span};
use model::number::u64_to_float;
use std::sync::Arc;

/// Custom bounds up to this many thousandths are written as integers.
const THOUSANDTHS_MAX: f64 = 33_554_430.0;
/// Buckets of one side at most, so that a damaged span cannot ask for all memory.
const BUCKETS_MAX: usize = 1 << 20;

/// The part of every histogram that the chunk holds once.
#[derive(Clone, Debug, Default)]
pub(super) struct Layout {
    pub(super) schema: i32,
    pub(super) zero_threshold: f64,
    pub(super) positive: Vec<Span>,
    pub(super) negative: Vec<Span>,
    pub(super) custom_values: Option<Arc<[f64]>>,
}

pub(super) fn is_gauge(histogram: &Histogram) -> bool {
    histogram.counter_reset_hint == CounterResetHint::Gauge
}

/// Whether two histograms can share a chunk.
pub(super) fn same(a: &Histogram, b: &Histogram) -> bool {
    let bounds = |h: &Histogram| -> Vec<u64> {
        let values = h.custom_values.iter().flat_map(|values| values.iter());
        values.map(|value| value.to_bits()).collect()
    };
    a.schema == b.schema
        && a.zero_threshold.to_bits() == b.zero_threshold.to_bits()
        && a.positive_spans == b.positive_spans
        && a.negative_spans == b.negative_spans
        && is_gauge(a) == is_gauge(b)
        && bounds(a) == bounds(b)
}

/// Number of buckets that spans cover; `None` for more than anybody has.
pub(super) fn buckets(spans: &[Span]) -> Option<usize> {
    let mut total = 0_usize;
    for span in spans {
        total = total.checked_add(usize::try_from(span.length).ok()?)?;
    }
    (total <= BUCKETS_MAX).then_some(total)
}

/// Reads the layout; `None` where the bits make no sense.
pub(super) fn read(bits: &mut BitReader<'_>) -> Option<Layout> {
    let zero_threshold = match bits.bits(8)? {
        0 => 0.0,
        255 => bits.float()?,
        exponent => {
            let exponent = i32::try_from(exponent).ok()? - 244;
            2.0_f64.powi(exponent)
        }
    };
    let schema = i32::try_from(bits.varbit()?).ok()?;
    let positive = read_spans(bits)?;
    let negative = read_spans(bits)?;
    let custom_values = if schema == CUSTOM_BUCKETS_SCHEMA {
        Some(read_bounds(bits)?)
    } else {
        None
    };
    Some(Layout {
        schema,
        zero_threshold,
        positive,
        negative,
        custom_values,
    })
}

fn read_spans(bits: &mut BitReader<'_>) -> Option<Vec<Span>> {
    let mut spans = Vec::new();
    for _ in 0..bits.varbit_unsigned()? {
        spans.push(Span {
            length: u32::try_from(bits.varbit_unsigned()?).ok()?,
            offset: i32::try_from(bits.varbit()?).ok()?,
        });
    }
    Some(spans)
}

fn read_bounds(bits: &mut BitReader<'_>) -> Option<Arc<[f64]>> {
    let mut bounds = Vec::new();
    for _ in 0..bits.varbit_unsigned()? {
        // Thousandths plus one never begin with a 0 bit, so that bit announces a float.
        let thousandths = bits.varbit_unsigned()?;
        bounds.push(match thousandths.checked_sub(1) {
            None => bits.float()?,
            Some(thousandths) => u64_to_float(thousandths) / 1000.0,
        });
    }
    Some(bounds.into())
}

/// Writes the layout of a histogram.
pub(super) fn write(bits: &mut BitWriter, histogram: &Histogram) {
    write_threshold(bits, histogram.zero_threshold);
    bits.varbit(i64::from(histogram.schema));
    for spans in [&histogram.positive_spans, &histogram.negative_spans] {
        bits.varbit_unsigned(spans.len() as u64);
        for span in spans {
            bits.varbit_unsigned(u64::from(span.length));
            bits.varbit(i64::from(span.offset));
        }
    }
    if histogram.schema == CUSTOM_BUCKETS_SCHEMA {
        write_bounds(bits, histogram.custom_values.as_deref().unwrap_or_default());
    }
}

fn write_bounds(bits: &mut BitWriter, bounds: &[f64]) {
    bits.varbit_unsigned(bounds.len() as u64);
    for bound in bounds {
        let thousandths = bound * 1000.0;
        let fits = (0.0..=THOUSANDTHS_MAX).contains(&thousandths);
        match whole(thousandths) {
            // Only where reading gives the same bits again.
            Some(whole) if fits && (u64_to_float(whole) / 1000.0).to_bits() == bound.to_bits() => {
                bits.varbit_unsigned(whole + 1);
            }
            _ => {
                bits.bits(0, 1);
                bits.float(*bound);
            }
        }
    }
}

/// A power of two from 2^-243 to 2^10 in one byte, anything else in nine.
fn write_threshold(bits: &mut BitWriter, threshold: f64) {
    let mantissa = threshold.to_bits() & ((1 << 52) - 1);
    let exponent = i64::try_from(threshold.to_bits() >> 52).unwrap_or_default() - 1023;
    if threshold == 0.0 {
        bits.bits(0, 8);
    } else if mantissa == 0 && (-243..=10).contains(&exponent) {
        bits.bits((exponent + 244).cast_unsigned(), 8);
    } else {
        bits.bits(255, 8);
        bits.float(threshold);
    }
}
