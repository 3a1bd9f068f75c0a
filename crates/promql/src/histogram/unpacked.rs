//! A histogram with its buckets as pairs of index and count.

use super::{CUSTOM_BUCKETS_SCHEMA, bounds};
use model::Histogram;
use model::histogram::{CounterResetHint, Span};
use std::sync::Arc;

/// Bucket index and count, ascending by index.
pub(super) type Buckets = Vec<(i32, f64)>;

/// See the module's page.
#[derive(Clone, Debug)]
pub(super) struct Unpacked {
    pub(super) hint: CounterResetHint,
    pub(super) schema: i32,
    pub(super) zero_threshold: f64,
    pub(super) zero_count: f64,
    pub(super) count: f64,
    pub(super) sum: f64,
    pub(super) positive: Buckets,
    pub(super) negative: Buckets,
    pub(super) custom_values: Option<Arc<[f64]>>,
}

impl Unpacked {
    pub(super) fn new(histogram: &Histogram) -> Self {
        Self {
            hint: histogram.counter_reset_hint,
            schema: histogram.schema,
            zero_threshold: histogram.zero_threshold,
            zero_count: histogram.zero_count,
            count: histogram.count,
            sum: histogram.sum,
            positive: unpack(&histogram.positive_spans, &histogram.positive_buckets),
            negative: unpack(&histogram.negative_spans, &histogram.negative_buckets),
            custom_values: histogram.custom_values.clone(),
        }
    }

    pub(super) fn packed(self) -> Histogram {
        let (positive_spans, positive_buckets) = pack(&self.positive);
        let (negative_spans, negative_buckets) = pack(&self.negative);
        Histogram {
            counter_reset_hint: self.hint,
            schema: self.schema,
            zero_threshold: self.zero_threshold,
            zero_count: self.zero_count,
            count: self.count,
            sum: self.sum,
            positive_spans,
            negative_spans,
            positive_buckets,
            negative_buckets,
            custom_values: self.custom_values,
        }
    }

    pub(super) const fn is_custom(&self) -> bool {
        self.schema == CUSTOM_BUCKETS_SCHEMA
    }

    /// The custom bounds, none for exponential buckets.
    pub(super) fn custom(&self) -> &[f64] {
        self.custom_values.as_deref().unwrap_or_default()
    }

    /// Merges buckets until the resolution is that of `schema`.
    pub(super) fn reduce_to(&mut self, schema: i32) {
        if self.is_custom() || schema == CUSTOM_BUCKETS_SCHEMA || schema >= self.schema {
            return;
        }
        let reduce = |buckets: &Buckets| {
            merged(buckets, |index| {
                bounds::reduced_index(index, self.schema, schema)
            })
        };
        self.positive = reduce(&self.positive);
        self.negative = reduce(&self.negative);
        self.schema = schema;
    }

    /// Widens the zero bucket to `threshold`, or further where that lies inside a populated bucket.
    pub(super) fn widen_zero(&mut self, threshold: f64) {
        let (count, threshold) = self.zero_at(threshold);
        self.zero_count = count;
        self.zero_threshold = threshold;
        let schema = self.schema;
        let is_outside =
            |(index, _): &(i32, f64)| bounds::of_bucket(*index, schema, &[]).0 >= threshold;
        self.positive.retain(is_outside);
        self.negative.retain(is_outside);
    }

    /// What the zero bucket would count if it were widened, and the width it would really get.
    pub(super) fn zero_at(&self, threshold: f64) -> (f64, f64) {
        if threshold <= self.zero_threshold {
            return (self.zero_count, self.zero_threshold);
        }
        let mut threshold = threshold;
        loop {
            let mut count = self.zero_count;
            let mut wider = threshold;
            for (index, bucket) in self.positive.iter().chain(&self.negative) {
                let (lower, upper) = bounds::of_bucket(*index, self.schema, &[]);
                if lower < threshold {
                    count += bucket;
                    if upper > threshold && *bucket != 0.0 {
                        wider = wider.max(upper);
                    }
                }
            }
            if wider == threshold {
                return (count, threshold);
            }
            threshold = wider;
        }
    }

    /// Keeps only the given custom bounds and merges the buckets between them.
    pub(super) fn keep_bounds(&mut self, kept: &Arc<[f64]>) {
        let old = self.custom_values.clone().unwrap_or_default();
        self.positive = merged(&self.positive, |index| {
            let upper = usize::try_from(index)
                .ok()
                .and_then(|place| old.get(place))
                .copied()
                .unwrap_or(f64::INFINITY);
            i32::try_from(kept.partition_point(|bound| *bound < upper)).unwrap_or(i32::MAX)
        });
        self.custom_values = Some(Arc::clone(kept));
    }
}

impl Unpacked {
    /// Takes over the bucket layout of another histogram that is not finer than this one.
    pub(super) fn follow(&mut self, other: &Self) {
        if let Some(bounds) = other.custom_values.as_ref().filter(|_| self.is_custom()) {
            if self.custom() != &**bounds {
                self.keep_bounds(bounds);
            }
            return;
        }
        self.widen_zero(other.zero_threshold);
        self.reduce_to(other.schema);
    }
}

/// Moves buckets to other indexes and adds those that meet; the order of indexes must be kept.
fn merged(buckets: &Buckets, place: impl Fn(i32) -> i32) -> Buckets {
    let mut merged: Buckets = Vec::with_capacity(buckets.len());
    for (index, count) in buckets {
        let index = place(*index);
        match merged.last_mut() {
            Some((last, sum)) if *last == index => *sum += count,
            _ => merged.push((index, *count)),
        }
    }
    merged
}

fn unpack(spans: &[Span], counts: &[f64]) -> Buckets {
    let mut buckets = Vec::with_capacity(counts.len());
    let mut counts = counts.iter();
    let mut index = 0_i32;
    for span in spans {
        index = index.saturating_add(span.offset);
        for _ in 0..span.length {
            let Some(count) = counts.next() else {
                return buckets;
            };
            buckets.push((index, *count));
            index = index.saturating_add(1);
        }
    }
    buckets
}

fn pack(buckets: &Buckets) -> (Vec<Span>, Vec<f64>) {
    let mut spans: Vec<Span> = Vec::new();
    let mut counts = Vec::with_capacity(buckets.len());
    let mut past = 0;
    for (index, count) in buckets.iter().filter(|(_, count)| *count != 0.0) {
        counts.push(*count);
        match spans.last_mut() {
            Some(span) if past == *index => span.length += 1,
            _ => spans.push(Span {
                offset: index - past,
                length: 1,
            }),
        }
        past = index + 1;
    }
    (spans, counts)
}
