//! Histograms of exposition in protocol buffers: classic ones, native ones, and both in one message.

use super::super::Options;
use super::Reason;
use super::metric::{Point, exemplar, time};
use crate::native::{self, Sides};
use crate::protobuf::Message;
use model::histogram::{CounterResetHint, Span};
use model::number::u64_to_float;
use model::{Exemplar, Histogram, Timestamp, Value};

/// What a `Histogram` message says.
#[derive(Debug, Default)]
struct Sent {
    /// The number of observations, whole or as a float.
    count: f64,
    native: Histogram,
    sides: Sides,
    /// Upper bound, cumulative count, exemplar.
    buckets: Vec<(f64, f64, Option<Exemplar>)>,
    exemplars: Vec<Exemplar>,
    start: Option<Timestamp>,
}

/// Reads a histogram and adds its points. Answers when it began to count.
pub(super) fn read(
    message: Message<'_>,
    is_gauge: bool,
    options: Options,
    points: &mut Vec<Point>,
) -> Result<Option<Timestamp>, Reason> {
    let mut sent = Sent::of(message)?;
    let start = sent.start;
    let is_native = options.native_histograms && sent.is_native();
    if is_native {
        points.push(sent.native_point(is_gauge)?);
    }
    if !is_native || options.keep_classic && !sent.buckets.is_empty() {
        sent.add_classic(points);
    }
    Ok(start)
}

impl Sent {
    fn of(mut message: Message<'_>) -> Result<Self, Reason> {
        let mut sent = Self::default();
        let (mut count, mut zeros) = (0, 0);
        let (mut float_count, mut float_zeros) = (0.0, 0.0);
        while let Some((field, wire)) = message.next_field()? {
            match field {
                1 => count = message.unsigned(wire)?,
                2 => sent.native.sum = message.double(wire)?,
                3 => sent.buckets.push(bucket(message.message(wire)?)?),
                4 => float_count = message.double(wire)?,
                5 => sent.native.schema = message.sint32(wire)?,
                6 => sent.native.zero_threshold = message.double(wire)?,
                7 => zeros = message.unsigned(wire)?,
                8 => float_zeros = message.double(wire)?,
                9 => sent
                    .sides
                    .negative
                    .spans
                    .push(native::span(message.message(wire)?)?),
                10 => message.sint64s(wire, &mut sent.sides.negative.deltas)?,
                11 => message.doubles(wire, &mut sent.sides.negative.counts)?,
                12 => sent
                    .sides
                    .positive
                    .spans
                    .push(native::span(message.message(wire)?)?),
                13 => message.sint64s(wire, &mut sent.sides.positive.deltas)?,
                14 => message.doubles(wire, &mut sent.sides.positive.counts)?,
                15 => sent.start = time(message.message(wire)?)?,
                16 => sent.exemplars.extend(exemplar(message.message(wire)?)?),
                _ => {}
            }
        }
        sent.sides.is_float = float_count > 0.0 || float_zeros > 0.0;
        (sent.count, sent.native.zero_count) = if sent.sides.is_float {
            (float_count, float_zeros)
        } else {
            (u64_to_float(count), u64_to_float(zeros))
        };
        sent.native.count = sent.count;
        Ok(sent)
    }

    /// Whether it is a native histogram, if one without observations: then it has a span of no buckets.
    fn is_native(&self) -> bool {
        !self.sides.positive.spans.is_empty()
            || !self.sides.negative.spans.is_empty()
            || self.native.zero_threshold > 0.0
            || self.native.zero_count > 0.0
    }

    fn native_point(&mut self, is_gauge: bool) -> Result<Point, Reason> {
        let mut sides = std::mem::take(&mut self.sides);
        for side in [&mut sides.positive, &mut sides.negative] {
            if sides.is_float {
                side.deltas.clear();
            } else {
                side.counts.clear();
            }
            drop_empty_spans(&mut side.spans);
        }
        if is_gauge {
            self.native.counter_reset_hint = CounterResetHint::Gauge;
        }
        let whole = std::mem::take(&mut self.native);
        let sum = whole.sum;
        let whole = native::complete(whole, sides).map_err(Reason)?;
        self.native.sum = sum;
        let exemplars = if self.exemplars.is_empty() {
            let of_buckets = self
                .buckets
                .iter()
                .filter_map(|(_, _, exemplar)| exemplar.clone());
            of_buckets.collect()
        } else {
            std::mem::take(&mut self.exemplars)
        };
        Ok(Point {
            suffix: "",
            extra: None,
            value: Value::Histogram(whole),
            // Without a time of their own those of the scrape before could not be told from new ones.
            exemplars: exemplars
                .into_iter()
                .filter(|e: &Exemplar| e.timestamp.is_some())
                .collect(),
        })
    }

    fn add_classic(&mut self, points: &mut Vec<Point>) {
        points.push(Point::new("_count", self.count));
        points.push(Point::new("_sum", self.native.sum));
        let mut has_infinite = false;
        for (bound, cumulative, exemplar) in self.buckets.drain(..) {
            has_infinite |= bound == f64::INFINITY;
            points.push(Point {
                exemplars: exemplar.into_iter().collect(),
                ..Point::new("_bucket", cumulative).with("le", bound)
            });
        }
        if !has_infinite {
            points.push(Point::new("_bucket", self.count).with("le", f64::INFINITY));
        }
    }
}

/// Leaves out spans of no buckets; their offsets go to the next one.
fn drop_empty_spans(spans: &mut Vec<Span>) {
    let mut skipped = 0_i32;
    spans.retain_mut(|span| {
        span.offset = span.offset.saturating_add(skipped);
        skipped = if span.length == 0 { span.offset } else { 0 };
        span.length > 0
    });
}

fn bucket(mut message: Message<'_>) -> Result<(f64, f64, Option<Exemplar>), Reason> {
    let (mut count, mut float_count, mut bound) = (0, 0.0, 0.0);
    let mut found = None;
    while let Some((field, wire)) = message.next_field()? {
        match field {
            1 => count = message.unsigned(wire)?,
            2 => bound = message.double(wire)?,
            3 => found = exemplar(message.message(wire)?)?,
            4 => float_count = message.double(wire)?,
            _ => {}
        }
    }
    let cumulative = if float_count > 0.0 {
        float_count
    } else {
        u64_to_float(count)
    };
    Ok((bound, cumulative, found))
}
