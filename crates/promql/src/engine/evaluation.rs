//! The course of one query: dispatch over the tree, what it holds in memory, its time.

use super::result::{QueryResult, QueryStats, QueryValue};
use super::{Cell, Column, EngineOptions, Query, QueryTime, Row, Steps, Value, invariant};
use crate::annotations::{Annotations, Severity};
use crate::ast::{Expr, ExprKind};
use crate::error::QueryError;
use crate::histogram;
use model::{ReadBudget, Series, Source, TimeRange, Timestamp};
use std::time::Duration;

/// The state of one query while it is evaluated.
pub(crate) struct Evaluation<'a> {
    pub(crate) source: &'a dyn Source,
    pub(crate) options: &'a EngineOptions,
    pub(crate) lookback_ms: i64,
    /// The moments of the whole query: what `start()`, `end()`, `step()` and `range()` mean.
    pub(crate) query: Steps,
    pub(crate) query_end: i64,
    pub(crate) is_instant: bool,
    /// Remarks so far.
    pub(crate) notes: Annotations,
    budget: &'a ReadBudget,
    started: Duration,
    deadline: Duration,
    held: usize,
    stats: QueryStats,
}

impl<'a> Evaluation<'a> {
    pub(crate) fn new(
        source: &'a dyn Source,
        options: &'a EngineOptions,
        query: &Query<'a>,
    ) -> Self {
        let started = options.clock.monotonic();
        let timeout = query.timeout.unwrap_or(options.timeout);
        let (steps, query_end, is_instant) = match query.time {
            QueryTime::Instant(at) => (Steps::instant(at.millis()), at.millis(), true),
            QueryTime::Range {
                start,
                end,
                step_ms,
            } => (
                Steps::range(start.millis(), end.millis(), step_ms),
                end.millis(),
                false,
            ),
        };
        Self {
            source,
            options,
            lookback_ms: query.lookback_ms.unwrap_or(options.lookback_ms),
            query: steps,
            query_end,
            is_instant,
            notes: Annotations::default(),
            budget: query.budget,
            started,
            deadline: started.saturating_add(timeout),
            held: 0,
            stats: QueryStats::default(),
        }
    }

    /// Evaluates an expression at all steps.
    pub(crate) fn eval(&mut self, expr: &Expr, steps: Steps) -> Result<Value, QueryError> {
        self.check()?;
        if steps.count > self.options.samples_max {
            // Even a single value a step would be too many; nothing is allocated for them.
            return Err(QueryError::TooManySamples);
        }
        let before = self.held;
        let value = if steps.count > 1 && invariant::is_step_invariant(expr) {
            let once = self.eval_kind(expr, steps.first_only())?;
            self.hold(once.cells().saturating_mul(steps.count))?;
            once.repeated(steps.count)
        } else {
            self.eval_kind(expr, steps)?
        };
        // Whatever was held on the way is gone by now, except for the result.
        self.hold_exactly(before.saturating_add(value.cells()))?;
        Ok(value)
    }

    fn eval_kind(&mut self, expr: &Expr, steps: Steps) -> Result<Value, QueryError> {
        match &expr.kind {
            ExprKind::Number { value, .. } => Ok(Value::Scalar(vec![*value; steps.count])),
            ExprKind::String(text) => Ok(Value::String(text.clone())),
            ExprKind::Paren(inner) => self.eval(inner, steps),
            ExprKind::Vector(selector) => self
                .vector_selector(selector, expr.span, steps)
                .map(Value::Vector),
            ExprKind::Unary { negative, operand } => self.unary(*negative, operand, steps),
            ExprKind::Binary(binary) => self.binary(binary, expr.span, steps),
            ExprKind::Aggregate(aggregate) => self
                .aggregate(aggregate, expr.span, steps)
                .map(Value::Vector),
            ExprKind::Call(call) => self.call(call, expr.span, steps),
            ExprKind::Matrix(_) | ExprKind::Subquery(_) => Err(QueryError::BadData(
                "a range vector cannot be evaluated step by step".to_owned(),
            )),
        }
    }

    /// Evaluates an expression that must give one number a step.
    pub(crate) fn scalar(&mut self, expr: &Expr, steps: Steps) -> Result<Vec<f64>, QueryError> {
        match self.eval(expr, steps)? {
            Value::Scalar(values) => Ok(values),
            Value::Vector(_) | Value::String(_) => {
                Err(QueryError::BadData("expected a scalar".to_owned()))
            }
        }
    }

    /// Evaluates an expression that must give series.
    pub(crate) fn vector(&mut self, expr: &Expr, steps: Steps) -> Result<Vec<Row>, QueryError> {
        match self.eval(expr, steps)? {
            Value::Vector(rows) => Ok(rows),
            Value::Scalar(_) | Value::String(_) => {
                Err(QueryError::BadData("expected an instant vector".to_owned()))
            }
        }
    }

    fn unary(&mut self, negative: bool, operand: &Expr, steps: Steps) -> Result<Value, QueryError> {
        let value = self.eval(operand, steps)?;
        if !negative {
            return Ok(value);
        }
        match value {
            Value::Scalar(mut values) => {
                values.iter_mut().for_each(|value| *value = -*value);
                Ok(Value::Scalar(values))
            }
            Value::Vector(rows) => {
                let negated = rows
                    .into_iter()
                    .map(|row| self.renamed(row.labels, negated(&row.column)))
                    .collect();
                self.without_duplicates(negated).map(Value::Vector)
            }
            Value::String(_) => Err(QueryError::BadData(
                "unary expression only allowed on expressions of type scalar or instant vector"
                    .to_owned(),
            )),
        }
    }

    /// Reads series; what was read counts as held until the caller's node is evaluated.
    pub(crate) fn select(
        &mut self,
        matchers: &[model::Matcher],
        (start, end): (i64, i64),
    ) -> Result<Vec<Series>, QueryError> {
        self.check()?;
        let range = TimeRange {
            start: Timestamp::from_millis(start),
            end: Timestamp::from_millis(end),
        };
        let begun = self.options.clock.monotonic();
        let left = self.budget.samples_left();
        let selected = self.source.select(matchers, range, self.budget);
        let spent = self.options.clock.monotonic().saturating_sub(begun);
        self.stats.select_seconds += spent.as_secs_f64();
        let mut series = selected.inspect_err(|_| {
            // A read that failed half-way holds nothing.
            let taken = left.saturating_sub(self.budget.samples_left());
            self.budget.give_back(taken);
        })?;
        if !self.options.start_timestamps {
            series.iter_mut().for_each(|one| one.columns.starts = None);
        }
        self.held += series.iter().map(|one| one.columns.len()).sum::<usize>();
        self.stats.samples_peak = self.stats.samples_peak.max(self.held);
        Ok(series)
    }

    /// Fails when the query was cancelled or its time is up.
    pub(crate) fn check(&self) -> Result<(), QueryError> {
        self.budget.check()?;
        if self.options.clock.monotonic() >= self.deadline {
            return Err(QueryError::Timeout);
        }
        Ok(())
    }

    /// Counts samples as held; fails when they are too many.
    pub(crate) fn hold(&mut self, samples: usize) -> Result<(), QueryError> {
        self.hold_exactly(self.held.saturating_add(samples))
    }

    /// How many samples are held.
    pub(super) const fn held(&self) -> usize {
        self.held
    }

    /// Sets how many samples are held; fails when they are too many.
    pub(super) fn hold_exactly(&mut self, held: usize) -> Result<(), QueryError> {
        if held > self.held {
            self.budget.take(held - self.held)?;
        } else {
            self.budget.give_back(self.held - held);
        }
        self.held = held;
        self.stats.samples_peak = self.stats.samples_peak.max(held);
        Ok(())
    }

    /// Counts samples as looked at.
    pub(crate) fn touch(&mut self, samples: usize) {
        let samples = u64::try_from(samples).unwrap_or(u64::MAX);
        self.stats.samples_touched = self.stats.samples_touched.saturating_add(samples);
    }

    /// A cancellation that was really a time-out (the source noticed first) gets its right name.
    pub(crate) fn named(&self, error: QueryError) -> QueryError {
        match error {
            QueryError::Canceled if self.options.clock.monotonic() >= self.deadline => {
                QueryError::Timeout
            }
            other => other,
        }
    }

    /// The answer with remarks and statistics.
    pub(crate) fn finished(&self, value: QueryValue) -> QueryResult {
        // What the query still holds is the answer's from now on.
        self.budget.give_back(self.held);
        let spent = self.options.clock.monotonic().saturating_sub(self.started);
        QueryResult {
            value,
            warnings: self.notes.of(Severity::Warning),
            infos: self.notes.of(Severity::Info),
            stats: QueryStats {
                total_seconds: spent.as_secs_f64(),
                ..self.stats
            },
        }
    }
}

fn negated(column: &Column) -> Column {
    if !column.has_histograms() {
        return column.clone().map_floats(|_, float| -float);
    }
    column.filter_map(|_, cell| {
        Some(match cell {
            Cell::Float(float) => Cell::Float(-float),
            Cell::Histogram(histogram) => {
                Cell::Histogram(histogram::scaled(&histogram, -1.0).into())
            }
        })
    })
}
