//! `count_values`: how many series have each value.

use super::{group_labels, text_parameter};
use crate::ast::Aggregate;
use crate::engine::{Cell, Column, Evaluation, Row, Steps};
use crate::error::QueryError;
use model::number::format_float;
use model::{Histogram, Labels};
use runtime::HashMap;

/// A result row while it is counted: its place, whether its name goes, its counts.
struct Counted {
    place: usize,
    drops_name: bool,
    counts: Vec<f64>,
}

impl Evaluation<'_> {
    pub(super) fn count_values(
        &mut self,
        aggregate: &Aggregate,
        steps: Steps,
    ) -> Result<Vec<Row>, QueryError> {
        let label = text_parameter(aggregate)
            .ok_or_else(|| QueryError::BadData("expected a string parameter".to_owned()))?;
        if label.is_empty() {
            return Err(QueryError::execution(format!(
                "invalid label name {label:?}"
            )));
        }
        let mut found: HashMap<Labels, Counted> = HashMap::default();
        for row in self.vector(&aggregate.operand, steps)? {
            self.check()?;
            let mut group = group_labels(aggregate, &row.labels);
            if !aggregate.without && aggregate.grouping.iter().any(|name| name == label) {
                group = group.without(&[label]);
            }
            for (step, cell) in row.column.iter() {
                let text = match cell {
                    Cell::Float(float) => format_float(float),
                    Cell::Histogram(histogram) => histogram_text(&histogram),
                };
                let place = found.len();
                let counted = found
                    .entry(group.with(label, &text))
                    .or_insert_with(|| Counted {
                        place,
                        drops_name: false,
                        counts: vec![model::STALE_MARKER; steps.count],
                    });
                counted.drops_name |= row.drops_name;
                if let Some(count) = counted.counts.get_mut(step) {
                    *count = if model::is_stale_marker(*count) {
                        1.0
                    } else {
                        *count + 1.0
                    };
                }
            }
            self.hold(steps.count)?;
        }
        let mut counted: Vec<(Labels, Counted)> = found.into_iter().collect();
        counted.sort_by_key(|(_, counted)| counted.place);
        let rows = counted.into_iter().map(|(labels, counted)| Row {
            labels,
            drops_name: counted.drops_name,
            column: Column::from_floats(0, counted.counts),
        });
        Ok(rows.collect())
    }
}

/// A histogram as upstream prints it: `{count:4, sum:5, [-0.001,0.001]:1, (1,2]:3}`.
fn histogram_text(histogram: &Histogram) -> String {
    let mut text = format!(
        "{{count:{}, sum:{}",
        format_float(histogram.count),
        format_float(histogram.sum)
    );
    for bucket in crate::histogram::buckets::all(histogram) {
        if bucket.count == 0.0 {
            continue;
        }
        let (open, close) = if bucket.lower < 0.0 && bucket.upper <= 0.0 {
            ('[', ')')
        } else if bucket.lower < 0.0 && bucket.lower.is_finite() {
            ('[', ']')
        } else {
            ('(', ']')
        };
        let (lower, upper) = (format_float(bucket.lower), format_float(bucket.upper));
        let count = format_float(bucket.count);
        text.push_str(&format!(", {open}{lower},{upper}{close}:{count}"));
    }
    text.push('}');
    text
}
