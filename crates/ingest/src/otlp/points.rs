//! Points of each type as rows for the store.

use super::Settings;
use super::attributes::{Common, LabelMap, exemplars, named};
use super::data::{Buckets, Explicit, Exponential, Number, Point, Summary};
use super::names::unit_label;
use crate::native::{self, Side, Sides, Sparse};
use model::histogram::{CUSTOM_BUCKETS_SCHEMA, CounterResetHint};
use model::number::u64_to_float;
use model::{
    Histogram, MetricKind, STALE_MARKER, Sample, SeriesSamples, TYPE_LABEL, Timestamp, UNIT_LABEL,
    Value,
};
use std::sync::Arc;

/// Half width of the zero bucket where the sender names none.
const ZERO_THRESHOLD: f64 = 1e-128;

/// What the points of one metric have in common.
pub(super) struct Target<'t> {
    pub(super) settings: &'t Settings,
    pub(super) common: &'t Common,
    pub(super) name: &'t str,
    pub(super) kind: MetricKind,
    pub(super) unit: &'t str,
    /// Whether each point says what was added since the one before.
    pub(super) is_delta: bool,
    pub(super) rows: &'t mut Vec<SeriesSamples>,
    /// Bytes that labels of further rows may take.
    pub(super) bytes_left: &'t mut usize,
}

/// One point on its way to rows.
struct Place<'p> {
    point: &'p Point<'p>,
    labels: LabelMap,
    /// What the labels take.
    bytes: usize,
}

impl Place<'_> {
    fn sample(&self, value: Value) -> Sample {
        let value = if self.point.is_stale() {
            Value::Float(STALE_MARKER)
        } else {
            value
        };
        Sample {
            timestamp: Timestamp::from_millis(self.point.at()),
            start: Timestamp::from_millis(self.point.start()),
            value,
        }
    }
}

impl Target<'_> {
    fn place<'p>(&self, point: &'p Point<'p>) -> Result<Place<'p>, String> {
        let mut labels = self.common.labels_of(&point.attributes, self.settings)?;
        if self.settings.type_and_unit_labels {
            let kind = self.kind.label_value();
            labels.insert(TYPE_LABEL.to_owned(), kind.to_owned());
            labels.insert(UNIT_LABEL.to_owned(), unit_label(self.unit));
        }
        let bytes = labels.iter().map(|(n, v)| n.len() + v.len()).sum();
        Ok(Place {
            point,
            labels,
            bytes,
        })
    }

    fn push(
        &mut self,
        place: &Place<'_>,
        suffix: &str,
        value: f64,
    ) -> Result<&mut SeriesSamples, String> {
        self.push_one(place, (suffix, None), Value::Float(value))
    }

    fn push_one(
        &mut self,
        place: &Place<'_>,
        (suffix, extra): (&str, Option<(&str, &str)>),
        value: Value,
    ) -> Result<&mut SeriesSamples, String> {
        let Some(left) = self.bytes_left.checked_sub(place.bytes + self.name.len()) else {
            *self.bytes_left = 0;
            return Err("the labels of one request take too much memory".to_owned());
        };
        *self.bytes_left = left;
        let name = format!("{}{suffix}", self.name);
        let index = self.rows.len();
        self.rows.push(SeriesSamples {
            labels: named(&place.labels, &name, extra),
            samples: vec![place.sample(value)],
            exemplars: Vec::new(),
        });
        #[expect(clippy::indexing_slicing, reason = "it was pushed just before")]
        Ok(&mut self.rows[index])
    }

    pub(super) fn number(&mut self, number: &Number<'_>) -> Result<(), String> {
        let place = self.place(&number.point)?;
        let found = exemplars(&number.point.exemplars);
        self.push(&place, "", number.value)?.exemplars = found;
        Ok(())
    }

    pub(super) fn summary(&mut self, summary: &Summary<'_>) -> Result<(), String> {
        let place = self.place(&summary.point)?;
        self.push(&place, "_sum", summary.sum)?;
        self.push(&place, "_count", u64_to_float(summary.count))?;
        for (quantile, value) in &summary.quantiles {
            let quantile = plain(*quantile);
            let extra = Some(("quantile", quantile.as_str()));
            self.push_one(&place, ("", extra), Value::Float(*value))?;
        }
        Ok(())
    }

    /// A histogram of given bounds: as a native one where that is wanted, otherwise as classic series.
    pub(super) fn explicit(&mut self, sent: &Explicit<'_>) -> Result<(), String> {
        if self.settings.convert_histograms {
            return self.custom(sent);
        }
        let place = self.place(&sent.point)?;
        if let Some(sum) = sent.sum {
            self.push(&place, "_sum", sum)?;
        }
        self.push(&place, "_count", u64_to_float(sent.count))?;
        let mut left = exemplars(&sent.point.exemplars);
        let mut cumulative = 0_u64;
        let finite = sent.bounds.iter().zip(&sent.bucket_counts);
        let finite = finite.map(|(bound, count)| (*bound, Some(*count)));
        for (bound, count) in finite.chain(std::iter::once((f64::INFINITY, None))) {
            cumulative = cumulative.saturating_add(count.unwrap_or_default());
            let value = count.map_or(sent.count, |_| cumulative);
            let (here, above) = left
                .into_iter()
                .partition(|exemplar: &model::Exemplar| exemplar.value <= bound);
            left = above;
            let bound = plain(bound);
            let extra = Some(("le", bound.as_str()));
            let value = Value::Float(u64_to_float(value));
            self.push_one(&place, ("_bucket", extra), value)?.exemplars = here;
        }
        Ok(())
    }

    fn custom(&mut self, sent: &Explicit<'_>) -> Result<(), String> {
        let mut counts = Sparse::default();
        for (index, count) in (0_i64..).zip(&sent.bucket_counts) {
            if *count > 0 {
                counts.0.push((index, u64_to_float(*count)));
            }
        }
        let histogram = Histogram {
            counter_reset_hint: self.hint(),
            schema: CUSTOM_BUCKETS_SCHEMA,
            count: u64_to_float(sent.count),
            sum: sent.sum.unwrap_or_default(),
            custom_values: Some(Arc::from(sent.bounds.as_slice())),
            ..Histogram::default()
        };
        self.native(&sent.point, histogram, (counts, Sparse::default()))
    }

    pub(super) fn exponential(&mut self, sent: &Exponential<'_>) -> Result<(), String> {
        let scale = sent.scale;
        if scale < native::SCHEMA_MIN {
            let min = native::SCHEMA_MIN;
            return Err(format!(
                "an exponential histogram has the scale {scale}, below {min}"
            ));
        }
        let schema = scale.min(native::SCHEMA_MAX);
        let steps = scale.abs_diff(schema);
        let threshold = sent.zero_threshold;
        let histogram = Histogram {
            counter_reset_hint: self.hint(),
            schema,
            zero_threshold: if threshold > 0.0 {
                threshold
            } else {
                ZERO_THRESHOLD
            },
            zero_count: u64_to_float(sent.zero_count),
            count: u64_to_float(sent.count),
            sum: sent.sum.unwrap_or_default(),
            ..Histogram::default()
        };
        let side = |buckets: &Buckets| sparse(buckets).coarser(steps);
        let sides = (side(&sent.positive), side(&sent.negative));
        self.native(&sent.point, histogram, sides)
    }

    const fn hint(&self) -> CounterResetHint {
        if self.is_delta {
            CounterResetHint::Gauge
        } else {
            CounterResetHint::Unknown
        }
    }

    fn native(
        &mut self,
        point: &Point<'_>,
        histogram: Histogram,
        (positive, negative): (Sparse, Sparse),
    ) -> Result<(), String> {
        let place = self.place(point)?;
        let value = if point.is_stale() {
            Value::Float(STALE_MARKER)
        } else {
            let side = |sparse: Sparse| {
                let (spans, counts) = sparse.into_spans();
                Side {
                    spans,
                    counts,
                    deltas: Vec::new(),
                }
            };
            let sides = Sides {
                positive: side(positive),
                negative: side(negative),
                is_float: false,
            };
            Value::Histogram(native::complete(histogram, sides)?)
        };
        let found = exemplars(&point.exemplars);
        self.push_one(&place, ("", None), value)?.exemplars = found;
        Ok(())
    }
}

/// OpenTelemetry's bucket `i` covers `(b^i, b^(i+1)]`: Prometheus' bucket `i + 1`.
fn sparse(buckets: &Buckets) -> Sparse {
    let first = i64::from(buckets.offset) + 1;
    let held = (first..)
        .zip(&buckets.counts)
        .filter(|(_, count)| **count > 0);
    Sparse(
        held.map(|(index, count)| (index, u64_to_float(*count)))
            .collect(),
    )
}

/// A bound or quantile without an exponent.
fn plain(number: f64) -> String {
    if number == f64::INFINITY {
        return "+Inf".to_owned();
    }
    if number.is_finite() {
        return format!("{number}");
    }
    model::format_float(number)
}
