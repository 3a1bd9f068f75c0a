//! Evaluates expressions over a source of series.
//!
//! Key decision: every part of an expression is evaluated for all steps of the query at once, series by
//! series, and each selector reads its series once for the whole range. What does not
//! depend on the step is evaluated for one step and repeated. The engine reads no clock of its own and keeps
//! nothing between queries; the threads that help with a large query end before it does.

mod aggregate;
mod base;
mod binary;
mod cache;
mod call;
mod chain;
mod column;
mod duration;
mod evaluation;
mod explain;
mod invariant;
mod limits;
mod names;
mod places;
mod reach;
mod result;
mod selector;
mod shared;
mod stage;
pub(crate) mod starts;
mod steps;
mod subquery;
mod value;
mod window;

pub(crate) use base::Sweep;
pub use cache::ResultCache;
pub(crate) use call::{WindowCall, argument, check_borders, text_argument};
pub(crate) use column::{ABSENT, Cell, Column, is_absent};
pub(crate) use duration::Shift;
pub(crate) use evaluation::Evaluation;
pub use explain::PlanNode;
pub(crate) use names::joined;
pub use result::{
    InstantSample, QueryDetail, QueryDetails, QueryResult, QueryStats, QueryValue, RangeSeries,
};
pub(crate) use selector::Pick;
pub use shared::{SharedParts, SharedValues};
pub(crate) use stage::Stage;
pub(crate) use starts::Starts;
pub(crate) use steps::Steps;
pub(crate) use value::{Row, Value};
pub(crate) use window::{Sliding, Window};

use crate::ast::{Expr, ExprKind};
use crate::error::QueryError;
use model::{ReadBudget, Source, Timestamp};
use runtime::{SharedClock, Workers};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

/// How far back a selector looks for a sample; upstream's default.
pub const LOOKBACK_MS_DEFAULT: i64 = 5 * 60_000;

/// Samples one query may hold; upstream's default.
pub const SAMPLES_MAX_DEFAULT: usize = 50_000_000;

/// How long a query may take; upstream's default.
pub const TIMEOUT_DEFAULT: Duration = Duration::from_secs(120);

/// The step of subqueries that name none: upstream's default evaluation interval.
pub const SUBQUERY_STEP_MS_DEFAULT: i64 = 60_000;

/// What all queries of an engine share.
#[derive(Clone)]
pub struct EngineOptions {
    /// How far back a selector looks for a sample, in milliseconds; the far end is excluded.
    pub lookback_ms: i64,
    /// Samples one query may hold at one moment.
    pub samples_max: usize,
    /// How long a query may take.
    pub timeout: Duration,
    /// The step of subqueries that name none.
    pub subquery_step: DefaultStep,
    /// Whether names are removed only at the end, so that `label_replace` still sees them (upstream's
    /// feature flag `promql-delayed-name-removal`).
    pub delayed_name_removal: bool,
    /// Whether start timestamps of samples count: as resets in `rate`, `increase`, `irate` and `resets`, and
    /// instead of extrapolation to the left (upstream's feature flag `use-start-timestamps`).
    pub start_timestamps: bool,
    /// Whether a query may be asked for the samples of each step (upstream's feature flag
    /// `promql-per-step-stats`).
    pub per_step_stats: bool,
    /// Answers of range queries to use again; none where absent.
    pub cache: Option<Arc<ResultCache>>,
    /// Whether types of metrics are labels, so that `rate` goes by `__type__` and not by a name's end
    /// (upstream's feature flag `type-and-unit-labels`).
    pub type_and_unit_labels: bool,
    /// Threads that help with large queries, shared by all.
    pub workers: Workers,
    /// Measures time-outs and phases.
    pub clock: SharedClock,
    /// Is told of every query before and after its evaluation.
    pub observer: Option<Observer>,
}

/// The step of subqueries that name none: the global evaluation interval, which a reload may change. Copies are one.
#[derive(Clone, Debug)]
pub struct DefaultStep(Arc<AtomicI64>);

impl DefaultStep {
    /// Makes one of so many milliseconds.
    #[must_use]
    pub fn new(ms: i64) -> Self {
        Self(Arc::new(AtomicI64::new(ms)))
    }

    /// Changes it for queries that begin from here on.
    pub fn set(&self, ms: i64) {
        self.0.store(ms, Ordering::Relaxed);
    }

    fn ms(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Is told of queries; called on the thread that evaluates.
pub type Observer = Arc<dyn Fn(&Query<'_>, Observed<'_>) + Send + Sync>;

/// What there is to say of a query.
#[derive(Clone, Copy, Debug)]
pub enum Observed<'a> {
    /// It is about to be evaluated.
    Begun,
    /// It was evaluated.
    Answered(&'a QueryResult),
    /// It has no answer.
    Failed(&'a QueryError),
}

impl EngineOptions {
    /// Upstream's defaults.
    #[must_use]
    pub fn new(clock: SharedClock) -> Self {
        Self {
            lookback_ms: LOOKBACK_MS_DEFAULT,
            samples_max: SAMPLES_MAX_DEFAULT,
            timeout: TIMEOUT_DEFAULT,
            subquery_step: DefaultStep::new(SUBQUERY_STEP_MS_DEFAULT),
            delayed_name_removal: false,
            start_timestamps: false,
            per_step_stats: false,
            cache: None,
            type_and_unit_labels: false,
            workers: Workers::of_cores(),
            clock,
            observer: None,
        }
    }
}

/// When a query is evaluated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QueryTime {
    /// At one moment.
    Instant(Timestamp),
    /// At every step of a range, both ends included.
    Range {
        /// The first moment.
        start: Timestamp,
        /// The last moment.
        end: Timestamp,
        /// Between two moments, in milliseconds; at least 1.
        step_ms: i64,
    },
}

/// One query and what is special about it.
#[derive(Clone, Copy)]
pub struct Query<'a> {
    /// What is evaluated.
    pub expr: &'a Expr,
    /// When.
    pub time: QueryTime,
    /// Instead of the engine's look-back.
    pub lookback_ms: Option<i64>,
    /// Instead of the engine's time-out.
    pub timeout: Option<Duration>,
    /// What it may read; cancelling it ends the query.
    pub budget: &'a ReadBudget,
    /// What else is to be told.
    pub detail: QueryDetail,
    /// Whether it is evaluated even if its answer is known, and its answer not kept.
    pub bypasses_cache: bool,
    /// For which rules it is evaluated, if for any.
    pub rule_group: Option<RuleGroup<'a>>,
}

/// A group of rules.
#[derive(Clone, Copy, Debug)]
pub struct RuleGroup<'a> {
    /// The file that it is in.
    pub file: &'a str,
    /// Its name.
    pub name: &'a str,
}

/// Evaluates queries.
#[derive(Clone)]
pub struct Engine {
    options: EngineOptions,
}

impl Engine {
    /// Makes an engine.
    #[must_use]
    pub const fn new(options: EngineOptions) -> Self {
        Self { options }
    }

    /// The options it was made with.
    #[must_use]
    pub const fn options(&self) -> &EngineOptions {
        &self.options
    }

    /// Evaluates an expression at one moment.
    pub fn instant(
        &self,
        source: &dyn Source,
        expr: &Expr,
        at: Timestamp,
    ) -> Result<QueryResult, QueryError> {
        self.run_with_defaults(source, expr, QueryTime::Instant(at))
    }

    /// The same for a rule, with the values of parts that other expressions at this moment have in common with it.
    pub fn instant_sharing(
        &self,
        source: &dyn Source,
        (expr, at): (&Expr, Timestamp),
        rule_group: RuleGroup<'_>,
        shared: &SharedValues<'_>,
    ) -> Result<QueryResult, QueryError> {
        let budget = ReadBudget::new(self.options.samples_max);
        let query = Query {
            expr,
            time: QueryTime::Instant(at),
            lookback_ms: None,
            timeout: None,
            budget: &budget,
            detail: QueryDetail::default(),
            bypasses_cache: true,
            rule_group: Some(rule_group),
        };
        self.observed(&query, || self.evaluate(source, &query, Some(shared)))
    }

    /// Evaluates an expression at every step of a range.
    pub fn range(
        &self,
        source: &dyn Source,
        expr: &Expr,
        (start, end): (Timestamp, Timestamp),
        step_ms: i64,
    ) -> Result<QueryResult, QueryError> {
        let time = QueryTime::Range {
            start,
            end,
            step_ms,
        };
        self.run_with_defaults(source, expr, time)
    }

    fn run_with_defaults(
        &self,
        source: &dyn Source,
        expr: &Expr,
        time: QueryTime,
    ) -> Result<QueryResult, QueryError> {
        let budget = ReadBudget::new(self.options.samples_max);
        self.run(
            source,
            &Query {
                expr,
                time,
                lookback_ms: None,
                timeout: None,
                budget: &budget,
                detail: QueryDetail::default(),
                bypasses_cache: true,
                rule_group: None,
            },
        )
    }

    /// Evaluates a query.
    ///
    /// Fails with `BadData` for an expression that cannot be evaluated over time, with `Execution`
    /// for what upstream calls an execution error, and with `Timeout` or `Canceled`.
    pub fn run(&self, source: &dyn Source, query: &Query<'_>) -> Result<QueryResult, QueryError> {
        self.observed(query, || self.answer(source, query))
    }

    fn observed(
        &self,
        query: &Query<'_>,
        answer: impl FnOnce() -> Result<QueryResult, QueryError>,
    ) -> Result<QueryResult, QueryError> {
        let Some(observer) = &self.options.observer else {
            return answer();
        };
        observer(query, Observed::Begun);
        let result = answer();
        match &result {
            Ok(answer) => observer(query, Observed::Answered(answer)),
            Err(error) => observer(query, Observed::Failed(error)),
        }
        result
    }

    fn answer(&self, source: &dyn Source, query: &Query<'_>) -> Result<QueryResult, QueryError> {
        self.run_cached(source, query)
            .unwrap_or_else(|| self.evaluate(source, query, None))
    }

    fn evaluate<'a>(
        &'a self,
        source: &'a dyn Source,
        query: &Query<'a>,
        shared: Option<&'a SharedValues<'a>>,
    ) -> Result<QueryResult, QueryError> {
        let mut evaluation = Evaluation::new(source, &self.options, query);
        evaluation.shared = shared;
        let value = match query.time {
            QueryTime::Instant(at) => instant_value(&mut evaluation, query.expr, at.millis()),
            QueryTime::Range {
                start,
                end,
                step_ms,
            } => {
                let steps = Steps::range(start.millis(), end.millis(), step_ms);
                range_value(&mut evaluation, query.expr, steps)
            }
        }
        .map_err(|error| evaluation.named(error))?;
        Ok(evaluation.finished(value))
    }
}

fn instant_value(
    evaluation: &mut Evaluation<'_>,
    expr: &Expr,
    at: i64,
) -> Result<QueryValue, QueryError> {
    let steps = Steps::instant(at);
    if is_range_vector(expr) {
        let ranges = evaluation.range_vector(expr, steps)?;
        return evaluation.raw_matrix(ranges, at);
    }
    Ok(match evaluation.eval(expr, steps)? {
        Value::Scalar(values) => QueryValue::Scalar {
            timestamp: Timestamp::from_millis(at),
            value: values.first().copied().unwrap_or(f64::NAN),
        },
        Value::String(value) => QueryValue::String {
            timestamp: Timestamp::from_millis(at),
            value,
        },
        Value::Vector(rows) => result::instant_vector(evaluation.finished_rows(rows)?, at),
    })
}

fn range_value(
    evaluation: &mut Evaluation<'_>,
    expr: &Expr,
    steps: Steps,
) -> Result<QueryValue, QueryError> {
    let invalid = |kind: &str| {
        QueryError::BadData(format!(
            "invalid expression type {kind:?} for range query, must be Scalar or instant Vector"
        ))
    };
    if is_range_vector(expr) {
        return Err(invalid("range vector"));
    }
    let rows = match evaluation.eval(expr, steps)? {
        Value::String(_) => return Err(invalid("string")),
        Value::Scalar(values) => vec![Row {
            labels: model::Labels::default(),
            drops_name: false,
            column: Column::from_floats(0, values),
        }],
        Value::Vector(rows) => evaluation.finished_rows(rows)?,
    };
    let begun = evaluation.options.clock.monotonic();
    let value = result::range_matrix(rows, steps);
    evaluation.sorting(begun);
    Ok(value)
}

/// Whether an expression gives a range of samples for each series.
fn is_range_vector(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Matrix(_) | ExprKind::Subquery(_) => true,
        ExprKind::Paren(inner) => is_range_vector(inner),
        _ => false,
    }
}

/// The expression without the parentheses around it.
pub(crate) fn without_parens(expr: &Expr) -> &Expr {
    match &expr.kind {
        ExprKind::Paren(inner) => without_parens(inner),
        _ => expr,
    }
}

#[cfg(test)]
mod tests;
