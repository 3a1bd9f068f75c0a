//! Function calls: finds the implementation and gives it what it works on.

use super::base::{Moments, Scratch, Windows};
use super::chain::matrix_place;
use super::stage::Stage;
use super::value::{Row, Value};
use super::{Evaluation, Steps, Window, without_parens};
use crate::annotations::{Annotations, message};
use crate::ast::{Call, Expr, ExprKind, RangeBorders, Span};
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
            Some(Implementation::Calendar(part)) if call.arguments.is_empty() => {
                Ok(functions::calendar_of_steps(steps, *part))
            }
            Some(function) if function.is_stage(call) => {
                let mut rows = self.vector(argument(call, 0)?, steps)?;
                if let Some(stage) = function.stage(self, call, steps)? {
                    rows = self.staged(rows, &stage)?;
                }
                Ok(Value::Vector(rows))
            }
            Some(Implementation::Window(function)) => {
                self.window_call(call, *function, steps).map(Value::Vector)
            }
            Some(Implementation::Special(function)) => function(self, call, span, steps),
            Some(_) => Err(QueryError::BadData(format!(
                "expected more arguments in call to {name:?}"
            ))),
        }
    }

    /// Applies a function of one float to each of them; histograms are left out and names go.
    pub(crate) fn mapped(
        &mut self,
        rows: Vec<Row>,
        change: fn(f64) -> f64,
    ) -> Result<Vec<Row>, QueryError> {
        self.staged(rows, &Stage::Map(change))
    }

    /// A function over windows whose samples are not those of a selector.
    fn window_call(
        &mut self,
        call: &Call,
        function: WindowFunction,
        steps: Steps,
    ) -> Result<Vec<Row>, QueryError> {
        let matrix = argument(call, matrix_place(call).unwrap_or(0))?;
        let windows = self.windows(call, function, steps)?;
        let ranges = self.range_vector(matrix, steps)?;
        let moments = Moments {
            steps,
            ends: (0..steps.count)
                .map(|step| windows.shift.of(steps.at(step)))
                .collect(),
            lookback_ms: self.lookback_ms,
            limits: self.limits(),
        };
        let mut scratch = Scratch::default();
        let mut rows = Vec::with_capacity(ranges.series.len());
        for series in ranges.series {
            self.check()?;
            let column =
                windows.column(&moments, (&series.labels, &series.samples), &mut scratch)?;
            if column.is_empty() {
                continue;
            }
            self.hold(column.cells())?;
            rows.push(if function.keeps_name {
                Row {
                    labels: series.labels,
                    drops_name: series.drops_name,
                    column,
                }
            } else {
                self.renamed(series.labels, column)
            });
        }
        self.touched(scratch.touched, None);
        self.notes.append(scratch.notes);
        self.without_duplicates(rows)
    }

    /// What a window function is called with; its scalars are evaluated now.
    pub(super) fn windows(
        &mut self,
        call: &Call,
        function: WindowFunction,
        steps: Steps,
    ) -> Result<Windows, QueryError> {
        let place = matrix_place(call).unwrap_or(0);
        let mut parameters = Vec::new();
        for (index, argument) in call.arguments.iter().enumerate() {
            if index != place {
                parameters.push(self.scalar(argument, steps)?);
            }
        }
        let matrix = argument(call, place)?;
        let (range, modifiers, borders) = match &without_parens(matrix).kind {
            ExprKind::Matrix(matrix) => {
                let selector = &matrix.selector;
                (&matrix.range, &selector.modifiers, selector.borders)
            }
            ExprKind::Subquery(subquery) => {
                (&subquery.range, &subquery.modifiers, RangeBorders::Plain)
            }
            _ => return Err(QueryError::BadData("expected a range vector".to_owned())),
        };
        check_borders(call.function.name, borders)?;
        let first = call.arguments.first();
        Ok(Windows {
            name: call.function.name,
            has_types: self.options.type_and_unit_labels,
            function,
            parameters,
            range_ms: self.positive_duration_ms(range)?,
            shift: self.shift(modifiers)?,
            borders,
            beyond_ms: self.beyond_ms(borders),
            span: matrix.span,
            first_span: first.map_or(matrix.span, |first| first.span),
        })
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
    match &without_parens(argument(call, index)?).kind {
        ExprKind::String(text) => Ok(text),
        _ => Err(QueryError::BadData("expected a string literal".to_owned())),
    }
}
