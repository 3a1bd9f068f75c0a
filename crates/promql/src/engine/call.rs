//! Function calls: finds the implementation and gives it what it works on.

use super::slices::Slice;
use super::value::{Row, Value};
use super::{Column, Evaluation, Sliding, Steps, Window};
use crate::annotations::{Annotations, message};
use crate::ast::{Call, Expr, RangeBorders, Span, ValueType};
use crate::error::QueryError;
use crate::functions::{self, Implementation, WindowFunction};
use model::Labels;

/// What a function over a window knows besides the window.
pub(crate) struct WindowCall<'a> {
    /// The series' labels.
    pub(crate) labels: &'a Labels,
    /// The moment of evaluation.
    pub(crate) time: i64,
    /// The range, left end excluded; the window may reach beyond it (anchored, smoothed).
    pub(crate) range: (i64, i64),
    /// How the range's borders are treated.
    pub(crate) borders: RangeBorders,
    /// The scalar arguments at this step.
    pub(crate) parameters: &'a [f64],
    /// Where the range vector stands.
    pub(crate) span: Span,
    /// Where the first argument stands.
    pub(crate) first_span: Span,
    /// Where remarks go.
    pub(crate) notes: &'a mut Annotations,
}

impl WindowCall<'_> {
    /// The range's length in seconds.
    pub(crate) fn range_seconds(&self) -> f64 {
        model::number::i64_to_float(self.range.1 - self.range.0) / 1000.0
    }

    /// Remarks that histograms among the floats were left out.
    pub(crate) fn note_ignored_histograms(&mut self, window: &Window<'_>) {
        if !window.histograms.is_empty() {
            let text = message::histogram_ignored_in_range(self.labels.metric_name());
            self.notes.info(self.span, text);
        }
    }

    /// Remarks that floats and histograms cannot be mixed.
    pub(crate) fn warn_mixed(&mut self) {
        let text = message::mixed_floats_histograms(self.labels.metric_name());
        self.notes.warn(self.span, text);
    }
}

/// Samples that may be looked at between two looks at the clock.
const CHECK_SAMPLES: usize = 1 << 20;

impl Evaluation<'_> {
    /// Evaluates a function call.
    pub(crate) fn call(
        &mut self,
        call: &Call,
        span: Span,
        steps: Steps,
    ) -> Result<Value, QueryError> {
        let name = call.function.name;
        match functions::find(name) {
            None => Err(QueryError::BadData(format!("unknown function {name:?}"))),
            Some(Implementation::Math(function)) => {
                let rows = self.vector(argument(call, 0)?, steps)?;
                self.mapped(rows, |_, value| function(value))
                    .map(Value::Vector)
            }
            Some(Implementation::Calendar(function)) => {
                functions::calendar(self, call, steps, *function)
            }
            Some(Implementation::Window(function)) => {
                self.window_call(call, *function, steps).map(Value::Vector)
            }
            Some(Implementation::Special(function)) => function(self, call, span, steps),
        }
    }

    /// Applies a function of one float to each of them; histograms are left out and names go.
    pub(crate) fn mapped(
        &mut self,
        rows: Vec<Row>,
        change: impl Fn(usize, f64) -> f64,
    ) -> Result<Vec<Row>, QueryError> {
        let mut result = Vec::with_capacity(rows.len());
        for row in rows {
            self.check()?;
            let column = row.column.map_floats(&change);
            if !column.is_empty() {
                result.push(self.renamed(row.labels, column));
            }
        }
        self.without_duplicates(result)
    }

    fn window_call(
        &mut self,
        call: &Call,
        function: WindowFunction,
        steps: Steps,
    ) -> Result<Vec<Row>, QueryError> {
        let is_matrix =
            |index: &usize| call.function.arguments.get(*index).copied() == Some(ValueType::Matrix);
        let place = (0..call.arguments.len()).find(is_matrix).unwrap_or(0);
        let mut parameters = Vec::new();
        for (index, argument) in call.arguments.iter().enumerate() {
            if index != place {
                parameters.push(self.scalar(argument, steps)?);
            }
        }
        let matrix = argument(call, place)?;
        let rows = self.sliced(Slice::whole(steps), &|evaluation, slice| {
            evaluation.window_slice(call, (function, matrix), &parameters, slice)
        })?;
        self.without_duplicates(rows)
    }

    fn window_slice(
        &mut self,
        call: &Call,
        (function, matrix): (WindowFunction, &Expr),
        parameters: &[Vec<f64>],
        slice: Slice,
    ) -> Result<Vec<Row>, QueryError> {
        let steps = slice.steps;
        let ranges = self.range_vector(matrix, steps)?;
        check_borders(call.function.name, ranges.borders)?;
        let mut rows = Vec::with_capacity(ranges.series.len());
        let mut notes = std::mem::take(&mut self.notes);
        for samples in &ranges.series {
            self.check()?;
            let mut column = Column::default();
            let mut sliding = Sliding::default();
            let (mut touched, mut checked) = (0_usize, 0_usize);
            for step in 0..steps.count {
                let time = steps.at(step);
                let (start, end) = ranges.range_at(time);
                let window = sliding.window(
                    samples,
                    start.saturating_sub(ranges.beyond_ms.0),
                    end.saturating_add(ranges.beyond_ms.1),
                );
                if window.is_empty() {
                    continue;
                }
                touched += window.len();
                if touched - checked > CHECK_SAMPLES {
                    self.check()?;
                    checked = touched;
                }
                let at_step: Vec<f64> = parameters
                    .iter()
                    .map(|values| values.get(slice.first + step).copied().unwrap_or(f64::NAN))
                    .collect();
                let mut context = WindowCall {
                    labels: &samples.labels,
                    time,
                    range: (start, end),
                    borders: ranges.borders,
                    parameters: &at_step,
                    span: matrix.span,
                    first_span: call
                        .arguments
                        .first()
                        .map_or(matrix.span, |first| first.span),
                    notes: &mut notes,
                };
                if let Some(cell) = (function.compute)(&window, &mut context)? {
                    column.push(step, cell);
                }
            }
            self.touch(touched);
            if touched > 0 && samples.has_floats() {
                let metric = samples.labels.metric_name();
                let place = (&mut notes, matrix.span);
                functions::note_possible_gauge(call.function.name, metric, place);
            }
            if !column.is_empty() {
                self.hold(column.cells())?;
                rows.push(if function.keeps_name {
                    Row {
                        labels: samples.labels.clone(),
                        drops_name: samples.drops_name,
                        column,
                    }
                } else {
                    self.renamed(samples.labels.clone(), column)
                });
            }
        }
        self.notes = notes;
        Ok(rows)
    }
}

/// Only few functions know what to do with samples outside the range.
pub(crate) fn check_borders(function: &str, borders: RangeBorders) -> Result<(), QueryError> {
    let (modifier, allowed): (&str, &[&str]) = match borders {
        RangeBorders::Plain => return Ok(()),
        RangeBorders::Anchored => (
            "anchored",
            &["changes", "delta", "increase", "rate", "resets"],
        ),
        RangeBorders::Smoothed => ("smoothed", &["delta", "increase", "rate"]),
    };
    if allowed.contains(&function) {
        return Ok(());
    }
    let allowed = allowed.join(", ");
    Err(QueryError::BadData(format!(
        "{modifier} modifier can only be used with: {allowed} - not with {function}"
    )))
}

/// An argument that the parser has made sure of.
pub(crate) fn argument(call: &Call, index: usize) -> Result<&Expr, QueryError> {
    call.arguments.get(index).ok_or_else(|| {
        let name = call.function.name;
        QueryError::BadData(format!("expected more arguments in call to {name:?}"))
    })
}

/// A text argument.
pub(crate) fn text_argument(call: &Call, index: usize) -> Result<&str, QueryError> {
    match &super::without_parens(argument(call, index)?).kind {
        crate::ast::ExprKind::String(text) => Ok(text),
        _ => Err(QueryError::BadData("expected a string literal".to_owned())),
    }
}
