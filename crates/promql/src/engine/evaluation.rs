//! The course of one query: dispatch over the tree, what it holds in memory, its time.

use super::chain::is_chain;
use super::explain::Plan;
use super::limits::Limits;
use super::result::{QueryResult, QueryStats, QueryValue};
use super::shared::{Met, SharedValues};
use super::stage::Stage;
use super::{EngineOptions, Query, QueryDetails, QueryTime, Row, Steps, Value, invariant};
use crate::annotations::{Annotations, Severity};
use crate::ast::{Expr, ExprKind};
use crate::error::QueryError;
use model::{Series, Source, TimeRange, Timestamp};
use std::time::Duration;

/// The state of one query while it is evaluated.
pub(crate) struct Evaluation<'a> {
    pub(crate) source: &'a dyn Source,
    pub(crate) options: &'a EngineOptions,
    pub(crate) lookback_ms: i64,
    /// The step of subqueries that name none.
    pub(super) subquery_step_ms: i64,
    /// The moments of the whole query: what `start()`, `end()`, `step()` and `range()` mean.
    pub(crate) query: Steps,
    pub(crate) query_end: i64,
    pub(crate) is_instant: bool,
    /// Remarks so far.
    pub(crate) notes: Annotations,
    limits: Limits<'a>,
    started: Duration,
    held: usize,
    pub(super) stats: QueryStats,
    /// Samples looked at for each step of the query, where that is asked for.
    samples_at: Option<Vec<u64>>,
    pub(super) plan: Option<Plan>,
    /// Values that other queries at this moment have in common with this one.
    pub(super) shared: Option<&'a SharedValues<'a>>,
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
            subquery_step_ms: options.subquery_step.ms(),
            query: steps,
            query_end,
            is_instant,
            notes: Annotations::default(),
            limits: Limits {
                budget: query.budget,
                clock: options.clock.as_ref(),
                deadline: started.saturating_add(timeout),
            },
            started,
            held: 0,
            stats: QueryStats::default(),
            samples_at: query
                .detail
                .samples_by_step
                .then(|| vec![0; steps.count.min(options.samples_max)]),
            plan: query.detail.plan.then(Plan::default),
            shared: None,
        }
    }

    /// Evaluates an expression at all steps.
    pub(crate) fn eval(&mut self, expr: &Expr, steps: Steps) -> Result<Value, QueryError> {
        self.check()?;
        if steps.count > self.options.samples_max {
            // Even a single value a step would be too many; nothing is allocated for them.
            return Err(QueryError::TooManySamples);
        }
        let met = self.shared_part(expr, steps);
        if let Some(value) = met.as_ref().and_then(Met::value) {
            self.hold(value.cells())?;
            return Ok(value);
        }
        let before = self.held;
        let is_explained = self.begin_node(expr);
        let value = if steps.count > 1 && invariant::is_step_invariant(expr) {
            let once = self.eval_kind(expr, steps.first_only())?;
            self.hold(once.cells().saturating_mul(steps.count))?;
            once.repeated(steps.count)
        } else {
            self.eval_kind(expr, steps)?
        };
        // Whatever was held on the way is gone by now, except for the result.
        self.hold_exactly(before.saturating_add(value.cells()))?;
        if is_explained {
            self.end_node(&value);
        }
        if let Some(met) = met {
            met.keep(&value);
        }
        Ok(value)
    }

    /// Evaluates a chain. Not within `eval_kind`, whose frames lie on the stack for each level of a deep tree.
    #[inline(never)]
    fn eval_chain(&mut self, expr: &Expr, steps: Steps) -> Result<Value, QueryError> {
        let chain = self.chain(expr, steps)?;
        self.chain_rows(&chain, steps).map(Value::Vector)
    }

    fn eval_kind(&mut self, expr: &Expr, steps: Steps) -> Result<Value, QueryError> {
        if is_chain(expr, steps) && !self.has_shared_link(expr, steps) {
            return self.eval_chain(expr, steps);
        }
        match &expr.kind {
            ExprKind::Number { value, .. } => Ok(Value::Scalar(vec![*value; steps.count])),
            ExprKind::String(text) => Ok(Value::String(text.clone())),
            ExprKind::Paren(inner) => self.eval(inner, steps),
            ExprKind::Unary { negative, operand } => self.unary(*negative, operand, steps),
            ExprKind::Binary(binary) => self.binary(binary, expr.span, steps),
            ExprKind::Aggregate(aggregate) => self
                .aggregate(aggregate, expr.span, steps)
                .map(Value::Vector),
            ExprKind::Call(call) => self.call(call, expr.span, steps),
            // A selector is always a chain where it is not pinned, and evaluated for one step where it is.
            ExprKind::Vector(_) | ExprKind::Matrix(_) | ExprKind::Subquery(_) => Err(
                QueryError::BadData("a selector cannot be evaluated here".to_owned()),
            ),
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
            Value::Vector(rows) => self.staged(rows, &Stage::Negate).map(Value::Vector),
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
        let left = self.limits.budget.samples_left();
        let selected = self.source.select(matchers, range, self.limits.budget);
        let spent = self.options.clock.monotonic().saturating_sub(begun);
        self.stats.select_seconds += spent.as_secs_f64();
        let mut series = selected.inspect_err(|_| {
            // A read that failed half-way holds nothing.
            let taken = left.saturating_sub(self.limits.budget.samples_left());
            self.limits.budget.give_back(taken);
        })?;
        if !self.options.start_timestamps {
            series.iter_mut().for_each(|one| one.columns.starts = None);
        }
        self.held += series.iter().map(|one| one.columns.len()).sum::<usize>();
        self.stats.samples_peak = self.stats.samples_peak.max(self.held);
        Ok(series)
    }

    /// What ends the query early.
    pub(crate) const fn limits(&self) -> Limits<'a> {
        self.limits
    }

    /// Fails when the query was cancelled or its time is up.
    pub(crate) fn check(&self) -> Result<(), QueryError> {
        self.limits.check()
    }

    /// Counts time spent on putting the result in order.
    pub(super) fn sorting(&mut self, begun: Duration) {
        let spent = self.options.clock.monotonic().saturating_sub(begun);
        self.stats.sort_seconds += spent.as_secs_f64();
    }

    /// Counts time spent on finding series.
    pub(super) fn selecting(&mut self, spent: Duration) {
        self.stats.select_seconds += spent.as_secs_f64();
    }

    /// Counts samples as held; fails when they are too many.
    pub(crate) fn hold(&mut self, samples: usize) -> Result<(), QueryError> {
        self.hold_exactly(self.held.saturating_add(samples))
    }

    /// Counts samples as no longer held.
    pub(crate) fn release(&mut self, samples: usize) {
        let samples = samples.min(self.held);
        self.held -= samples;
        self.limits.budget.give_back(samples);
    }

    /// Sets how many samples are held; fails when they are too many.
    fn hold_exactly(&mut self, held: usize) -> Result<(), QueryError> {
        if held > self.held {
            self.limits.budget.take(held - self.held)?;
        } else {
            self.limits.budget.give_back(self.held - held);
        }
        self.held = held;
        self.stats.samples_peak = self.stats.samples_peak.max(held);
        Ok(())
    }

    /// Counts samples as looked at.
    pub(crate) fn touch(&mut self, samples: usize) {
        self.touched(u64::try_from(samples).unwrap_or(u64::MAX), None);
    }

    /// Counts samples as looked at, in all and, where known, for each step of the query.
    pub(super) fn touched(&mut self, samples: u64, by_step: Option<&[u64]>) {
        self.stats.samples_touched = self.stats.samples_touched.saturating_add(samples);
        let all = self.samples_at.iter_mut().flatten();
        for (slot, samples) in all.zip(by_step.unwrap_or_default()) {
            *slot = slot.saturating_add(*samples);
        }
    }

    /// Whether the samples looked at are counted for each of these steps: those of the query itself.
    pub(super) fn counts_by_step(&self, steps: Steps) -> bool {
        self.samples_at.is_some() && steps == self.query
    }

    /// A cancellation that was really a time-out (the source noticed first) gets its right name.
    pub(crate) fn named(&self, error: QueryError) -> QueryError {
        match error {
            QueryError::Canceled if self.options.clock.monotonic() >= self.limits.deadline => {
                QueryError::Timeout
            }
            other => other,
        }
    }

    /// The answer with remarks and statistics.
    pub(crate) fn finished(&mut self, value: QueryValue) -> QueryResult {
        // What the query still holds is the answer's from now on.
        self.limits.budget.give_back(self.held);
        let spent = self.options.clock.monotonic().saturating_sub(self.started);
        QueryResult {
            value,
            warnings: self.notes.of(Severity::Warning),
            infos: self.notes.of(Severity::Info),
            stats: QueryStats {
                total_seconds: spent.as_secs_f64(),
                ..self.stats
            },
            details: QueryDetails {
                samples_by_step: self.samples_at.take(),
                plan: self.take_plan(),
            },
        }
    }
}
