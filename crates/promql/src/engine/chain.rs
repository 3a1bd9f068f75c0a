//! Expressions that treat the series of one selector each by itself: a selector or a function of its windows,
//! and any functions of single values around it.
//!
//! Key decision: such a chain is evaluated series by series, all its links at once, on as many threads as are
//! free. A series is read, evaluated and dropped; what its result is good for is decided by a fold that
//! gets the results in the order of the labels, whatever the threads did. So a large aggregation never
//! holds the samples or the rows of all series, and its sums do not depend on the number of threads.

use super::base::{Base, Moments, Scratch};
use super::places::KnownPlaces;
use super::selector::Pick;
use super::stage::{ScalarSide, Stage, WithScalar};
use super::value::{METADATA_LABELS, Row, without_metadata};
use super::{Column, Evaluation, Steps, binary, without_parens};
use crate::ast::{Binary, Call, Expr, ExprKind, RangeBorders, ValueType, VectorSelector};
use crate::error::QueryError;
use crate::functions::{self, Implementation};
use model::{
    Columns, Labels, METRIC_NAME, MatchOperator, Matcher, ReadBudget, Scan, TimeRange, Timestamp,
};
use runtime::HashSet;
use std::ops::Range;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Cells that one task evaluates: enough to be worth a turn, few enough to stay in the cache.
const TASK_CELLS: usize = 1 << 15;
/// Series that one task evaluates at most.
const TASK_SERIES_MAX: usize = 128;
/// Cells from which on another thread is worth its start.
const CELLS_MIN_PER_THREAD: usize = 1 << 15;
/// Threads for one query at most.
const HELPERS_MAX: usize = 31;

/// See the module's page.
pub(crate) struct Chain<'e> {
    pub(crate) matchers: &'e [Matcher],
    pub(crate) base: Base,
    /// From the inside to the outside.
    pub(crate) stages: Vec<Stage<'e>>,
}

/// What a fold needs of each series besides its values.
#[derive(Clone, Copy)]
pub(crate) enum Wanted<'w> {
    /// The labels of the result.
    Labels,
    /// A text for each group, see `Grouping`.
    Keys(&'w super::aggregate::Grouping),
}

/// One evaluated series.
pub(crate) struct Evaluated {
    /// Its place among the scan's labels.
    pub(crate) place: usize,
    /// The labels of the result, where wanted.
    pub(crate) labels: Option<Labels>,
    /// Where its key ends in the batch's keys; it begins where the one before ends.
    pub(crate) key_end: usize,
    /// Its values; never empty.
    pub(crate) column: Column,
}

/// What a task has made of its series.
#[derive(Default)]
pub(crate) struct Batch {
    pub(crate) series: Vec<Evaluated>,
    pub(crate) keys: String,
    scratch: Scratch,
    /// Samples read in all, and of the longest series.
    read: usize,
    read_max: usize,
    costs: Costs,
}

/// Where the time of a chain went, in processor time of all threads.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Costs {
    pub(crate) reading: Duration,
    pub(crate) evaluating: Duration,
    pub(crate) series: usize,
    pub(crate) samples_read: usize,
}

/// Gets the batches of a chain in the order of the labels.
pub(crate) type Fold<'f, 'a> =
    dyn FnMut(&mut Evaluation<'a>, &dyn Scan, Batch) -> Result<(), QueryError> + Send + 'f;

/// Whether an expression is a chain at these steps. What is pinned by `@` is evaluated once and repeated
/// instead.
pub(crate) fn is_chain(expr: &Expr, steps: Steps) -> bool {
    let is_free = |selector: &VectorSelector| steps.count <= 1 || selector.modifiers.at.is_none();
    match &expr.kind {
        ExprKind::Paren(inner) => is_chain(inner, steps),
        ExprKind::Vector(selector) => is_free(selector),
        ExprKind::Unary { operand, .. } => is_chain(operand, steps),
        ExprKind::Binary(binary) => {
            vector_side(binary).is_some_and(|(vector, _, _)| is_chain(vector, steps))
        }
        ExprKind::Call(call) => match functions::find(call.function.name) {
            Some(function) if function.is_stage(call) => call
                .arguments
                .first()
                .is_some_and(|argument| is_chain(argument, steps)),
            Some(Implementation::Window(_)) => matrix_place(call)
                .and_then(|place| call.arguments.get(place))
                .is_some_and(|argument| match &without_parens(argument).kind {
                    ExprKind::Matrix(matrix) => is_free(&matrix.selector),
                    _ => false,
                }),
            _ => false,
        },
        _ => false,
    }
}

/// The vector, the scalar and the scalar's side of an operation that has both.
fn vector_side(binary: &Binary) -> Option<(&Expr, &Expr, ScalarSide)> {
    if binary::is_set_operator(binary.operator) {
        return None;
    }
    let is_scalar = |expr: &Expr| expr.value_type() == ValueType::Scalar;
    match (is_scalar(&binary.left), is_scalar(&binary.right)) {
        (true, false) => Some((&binary.right, &binary.left, ScalarSide::Left)),
        (false, true) => Some((&binary.left, &binary.right, ScalarSide::Right)),
        _ => None,
    }
}

/// Which argument is the range vector.
pub(super) fn matrix_place(call: &Call) -> Option<usize> {
    let is_matrix = |kind: &ValueType| *kind == ValueType::Matrix;
    call.function.arguments.iter().position(is_matrix)
}

impl<'a> Evaluation<'a> {
    /// Takes apart an expression of which `is_chain` holds; its scalars are evaluated now.
    pub(crate) fn chain<'e>(
        &mut self,
        expr: &'e Expr,
        steps: Steps,
    ) -> Result<Chain<'e>, QueryError> {
        match &expr.kind {
            ExprKind::Paren(inner) => self.chain(inner, steps),
            ExprKind::Vector(selector) => {
                let shift = self.shift(&selector.modifiers)?;
                let base = match selector.borders {
                    RangeBorders::Smoothed => Base::Smoothed {
                        shift,
                        span: expr.span,
                    },
                    _ => Base::Latest {
                        pick: Pick::Value,
                        shift,
                    },
                };
                Ok(Chain {
                    matchers: &selector.matchers,
                    base,
                    stages: Vec::new(),
                })
            }
            ExprKind::Unary { negative, operand } => {
                let mut chain = self.chain(operand, steps)?;
                if *negative {
                    chain.stages.push(Stage::Negate);
                }
                Ok(chain)
            }
            ExprKind::Binary(binary) => self.operation_chain(binary, expr, steps),
            ExprKind::Call(call) => self.call_chain(call, steps),
            _ => Err(QueryError::BadData("expected an instant vector".to_owned())),
        }
    }

    fn operation_chain<'e>(
        &mut self,
        binary: &'e Binary,
        expr: &'e Expr,
        steps: Steps,
    ) -> Result<Chain<'e>, QueryError> {
        let Some((vector, scalar, side)) = vector_side(binary) else {
            return Err(QueryError::BadData("expected an instant vector".to_owned()));
        };
        let mut chain = self.chain(vector, steps)?;
        chain.stages.push(Stage::Operate(WithScalar {
            binary,
            span: expr.span,
            values: self.scalar(scalar, steps)?,
            side,
        }));
        Ok(chain)
    }

    fn call_chain<'e>(&mut self, call: &'e Call, steps: Steps) -> Result<Chain<'e>, QueryError> {
        match functions::find(call.function.name) {
            Some(function) if function.is_stage(call) => {
                let mut chain = self.chain(super::argument(call, 0)?, steps)?;
                chain.stages.extend(function.stage(self, call, steps)?);
                Ok(chain)
            }
            Some(Implementation::Window(function)) => {
                let windows = self.windows(call, *function, steps)?;
                let place = matrix_place(call).unwrap_or(0);
                let argument = super::argument(call, place)?;
                let ExprKind::Matrix(matrix) = &without_parens(argument).kind else {
                    return Err(QueryError::BadData("expected a range vector".to_owned()));
                };
                Ok(Chain {
                    matchers: &matrix.selector.matchers,
                    base: Base::Windows(windows),
                    stages: Vec::new(),
                })
            }
            _ => Err(QueryError::BadData("expected an instant vector".to_owned())),
        }
    }

    /// The rows of a chain.
    pub(crate) fn chain_rows(
        &mut self,
        chain: &Chain<'_>,
        steps: Steps,
    ) -> Result<Vec<Row>, QueryError> {
        let drops_name = chain.drops_name();
        let mut rows: Vec<Row> = Vec::new();
        let collided = !self.fold_chain(chain, (steps, Wanted::Labels), &mut |_, _, batch| {
            rows.extend(batch.series.into_iter().map(|one| Row {
                labels: one.labels.unwrap_or_default(),
                drops_name,
                column: one.column,
            }));
            Ok(())
        })?;
        if collided {
            return self.rows_link_by_link(chain, steps);
        }
        Ok(rows)
    }

    /// Some series differ in nothing but their names: wherever names go, series of one label set are joined.
    fn rows_link_by_link(
        &mut self,
        chain: &Chain<'_>,
        steps: Steps,
    ) -> Result<Vec<Row>, QueryError> {
        let mut rows: Vec<Row> = Vec::new();
        let bare = Pass {
            stages: &[],
            ..Pass::new(self, chain, steps, Wanted::Labels)
        };
        let scan = self.scan(chain, steps)?;
        bare.run(self, scan.as_ref(), &mut |_, scan, batch| {
            for one in batch.series {
                let labels = scan.labels().get(one.place).cloned().unwrap_or_default();
                rows.push(Row {
                    labels,
                    drops_name: false,
                    column: one.column,
                });
            }
            Ok(())
        })?;
        if !chain.base.keeps_name() {
            let renamed = rows
                .into_iter()
                .map(|row| self.renamed(row.labels, row.column))
                .collect();
            rows = self.without_duplicates(renamed)?;
        }
        for stage in &chain.stages {
            rows = self.staged(rows, stage)?;
        }
        Ok(rows)
    }

    /// Evaluates a chain and folds its results. Answers false, and folds nothing, where series would have to
    /// be joined because they differ in nothing but their names.
    pub(crate) fn fold_chain(
        &mut self,
        chain: &Chain<'_>,
        (steps, wanted): (Steps, Wanted<'_>),
        fold: &mut Fold<'_, 'a>,
    ) -> Result<bool, QueryError> {
        let scan = self.scan(chain, steps)?;
        let strips = chain.drops_name() && !self.options.delayed_name_removal;
        if strips && names_collide(chain.matchers, scan.labels()) {
            return Ok(false);
        }
        let pass = Pass::new(self, chain, steps, wanted);
        pass.run(self, scan.as_ref(), fold)?;
        Ok(true)
    }

    fn scan(&mut self, chain: &Chain<'_>, steps: Steps) -> Result<Box<dyn Scan + 'a>, QueryError> {
        self.check()?;
        let Some((start, end)) = chain.base.extent(steps, self.lookback_ms) else {
            return Ok(Box::new(model::HeldScan::default()));
        };
        let range = TimeRange {
            start: Timestamp::from_millis(start),
            end: Timestamp::from_millis(end),
        };
        let begun = self.options.clock.monotonic();
        let scan = self.source.scan(chain.matchers, range)?;
        self.selecting(self.options.clock.monotonic().saturating_sub(begun));
        Ok(scan)
    }
}

impl Chain<'_> {
    /// Whether the results are no longer values of the metric.
    pub(crate) fn drops_name(&self) -> bool {
        !self.base.keeps_name() || self.stages.iter().any(Stage::drops_name)
    }
}

/// Whether label sets become equal when name, type and unit are taken away.
fn names_collide(matchers: &[Matcher], all: &[Labels]) -> bool {
    let names_one = |matcher: &Matcher| {
        matcher.name() == METRIC_NAME
            && matcher.operator() == MatchOperator::Equal
            && !matcher.value().is_empty()
    };
    let has_other = |labels: &Labels| {
        let mut first = labels
            .iter()
            .take_while(|(name, _)| *name <= METADATA_LABELS[2]);
        first.any(|(name, _)| METADATA_LABELS[1..].contains(&name))
    };
    if matchers.iter().any(names_one) && !all.iter().any(has_other) {
        return false;
    }
    let mut seen: HashSet<String> = HashSet::default();
    let is_new = |labels: &Labels| {
        let mut key = String::new();
        for (name, value) in labels.iter() {
            if !METADATA_LABELS.contains(&name) {
                Labels::encode_label(&mut key, name, value);
            }
        }
        seen.insert(key)
    };
    !all.iter().all(is_new)
}

/// One way through all series of a chain.
struct Pass<'p> {
    base: &'p Base,
    stages: &'p [Stage<'p>],
    moments: Moments<'p>,
    wanted: Wanted<'p>,
    /// Whether name, type and unit are taken away at once.
    strips: bool,
    start_timestamps: bool,
    samples_left: usize,
    touched_at: bool,
    is_timed: bool,
    /// What the threads that evaluate at the same time work with.
    desks: Mutex<Vec<Desk>>,
}

/// What one thread works with, used again for each task.
#[derive(Default)]
struct Desk {
    columns: Columns,
    places: KnownPlaces,
}

impl<'p> Pass<'p> {
    fn new<'a: 'p>(
        evaluation: &Evaluation<'a>,
        chain: &'p Chain<'p>,
        steps: Steps,
        wanted: Wanted<'p>,
    ) -> Self {
        let shift = chain.base.shift();
        Self {
            base: &chain.base,
            stages: &chain.stages,
            moments: Moments {
                steps,
                ends: (0..steps.count)
                    .map(|step| shift.of(steps.at(step)))
                    .collect(),
                lookback_ms: evaluation.lookback_ms,
                limits: evaluation.limits(),
            },
            wanted,
            strips: chain.drops_name() && !evaluation.options.delayed_name_removal,
            start_timestamps: evaluation.options.start_timestamps,
            samples_left: evaluation.limits().budget.samples_left(),
            touched_at: evaluation.counts_by_step(steps),
            is_timed: evaluation.is_explained(),
            desks: Mutex::default(),
        }
    }

    fn run<'a>(
        &self,
        evaluation: &mut Evaluation<'a>,
        scan: &dyn Scan,
        fold: &mut Fold<'_, 'a>,
    ) -> Result<(), QueryError> {
        let series = scan.labels().len();
        let steps = self.moments.ends.len().max(1);
        let each = (TASK_CELLS / steps).clamp(1, TASK_SERIES_MAX);
        let tasks = series.div_ceil(each);
        let helpers = (series.saturating_mul(steps) / CELLS_MIN_PER_THREAD).min(HELPERS_MAX);
        let workers = evaluation.options.workers.clone();
        let mut costs = Costs {
            series,
            ..Costs::default()
        };
        let task = |task: usize| {
            let first = task * each;
            self.evaluate(scan, first..series.min(first + each))
        };
        workers.in_order((tasks, helpers), &task, &mut |mut batch: Batch| {
            let scratch = std::mem::take(&mut batch.scratch);
            costs.add(batch.costs);
            evaluation.touched(scratch.touched, scratch.touched_at.as_deref());
            evaluation.notes.append(scratch.notes);
            let cells: usize = batch.series.iter().map(|one| one.column.cells()).sum();
            // While it was evaluated, the longest series was held, too.
            evaluation.hold(cells.saturating_add(batch.read_max))?;
            evaluation.release(batch.read_max);
            fold(evaluation, scan, batch)?;
            // Rows are kept; a fold by keys has said itself what it keeps.
            if matches!(self.wanted, Wanted::Keys(_)) {
                evaluation.release(cells);
            }
            Ok(())
        })?;
        evaluation.spent(costs);
        Ok(())
    }

    fn evaluate(&self, scan: &dyn Scan, places: Range<usize>) -> Result<Batch, QueryError> {
        let desks = || self.desks.lock().unwrap_or_else(PoisonError::into_inner);
        let mut desk = desks().pop().unwrap_or_default();
        let columns = &mut desk.columns;
        let mut batch = Batch::default();
        std::mem::swap(&mut batch.scratch.places, &mut desk.places);
        batch.scratch.touched_at = self.touched_at.then(|| vec![0; self.moments.ends.len()]);
        // What the query may still hold, for each series anew: they are read one after the other.
        let budget = ReadBudget::new(self.samples_left);
        for place in places {
            self.moments.limits.check()?;
            let Some(labels) = scan.labels().get(place) else {
                break;
            };
            let begun = self.now();
            scan.read_into(place, &budget, columns)?;
            let read = self.now();
            batch.read += columns.len();
            batch.read_max = batch.read_max.max(columns.len());
            if !self.start_timestamps {
                columns.starts = None;
            }
            let of_series = (labels, &*columns);
            let mut column = self
                .base
                .column(&self.moments, of_series, &mut batch.scratch)?;
            for stage in self.stages {
                column = stage.apply(column, &mut batch.scratch.notes);
            }
            budget.give_back(columns.len());
            batch.costs.reading += read.saturating_sub(begun);
            batch.costs.evaluating += self.now().saturating_sub(read);
            if !column.is_empty() {
                batch.push(place, labels, column, (self.wanted, self.strips));
            }
        }
        batch.costs.samples_read = batch.read;
        std::mem::swap(&mut batch.scratch.places, &mut desk.places);
        desks().push(desk);
        Ok(batch)
    }

    fn now(&self) -> Duration {
        if self.is_timed {
            self.moments.limits.clock.monotonic()
        } else {
            Duration::ZERO
        }
    }
}

impl Batch {
    fn push(
        &mut self,
        place: usize,
        labels: &Labels,
        column: Column,
        (wanted, strips): (Wanted<'_>, bool),
    ) {
        let labels = match wanted {
            Wanted::Labels if strips => Some(without_metadata(labels)),
            Wanted::Labels => Some(labels.clone()),
            Wanted::Keys(grouping) => {
                grouping.push_key(&mut self.keys, labels, strips);
                None
            }
        };
        self.series.push(Evaluated {
            place,
            labels,
            key_end: self.keys.len(),
            column,
        });
    }
}

impl Costs {
    pub(crate) fn add(&mut self, other: Self) {
        self.reading += other.reading;
        self.evaluating += other.evaluating;
        self.series += other.series;
        self.samples_read += other.samples_read;
    }
}
