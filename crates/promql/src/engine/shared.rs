//! Parts that several expressions have in common, evaluated once for all of them at one moment.
//!
//! Key decision: a part's value at a moment is a function of its text, the moment and the store, so equal parts of
//! different expressions have equal values until something is written that one of their selectors sees. Whoever
//! evaluates the expressions says what is written (`written`); the parts that may see it are forgotten.

use super::{Evaluation, Steps, Value, without_parens};
use crate::ast::{Expr, ExprKind, ValueType};
use model::{METRIC_NAME, Matcher};
use runtime::HashMap;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Series of all kept values together at most.
const SERIES_MAX: usize = 500_000;

/// The parts that a list of expressions has in common.
#[derive(Debug, Default)]
pub struct SharedParts {
    /// The number of each part by where it stands in memory; the expressions below are held, so nothing else can
    /// stand there.
    numbers: HashMap<usize, usize>,
    /// What the selectors of each part see.
    selectors: Vec<Vec<Vec<Matcher>>>,
    _expressions: Vec<Arc<Expr>>,
}

/// A part that may be worth keeping.
struct Candidate<'e> {
    expr: &'e Expr,
    text: String,
    /// The text of the candidate around it, if there is one.
    around: Option<String>,
}

impl SharedParts {
    /// Finds the parts that occur more than once in these expressions.
    #[must_use]
    pub fn of(expressions: Vec<Arc<Expr>>) -> Self {
        let mut candidates = Vec::new();
        for expr in &expressions {
            collect(expr, None, None, &mut candidates);
        }
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for candidate in &candidates {
            *counts.entry(&candidate.text).or_default() += 1;
        }
        let count = |text: &str| counts.get(text).copied().unwrap_or(0);
        let mut parts: BTreeMap<&str, usize> = BTreeMap::new();
        let (mut numbers, mut selectors) = (HashMap::default(), Vec::new());
        // What occurs only within another shared part is evaluated with that one.
        let is_alone = |one: &Candidate<'_>| {
            let around = one.around.as_deref();
            around.is_none_or(|around| count(around) < count(&one.text))
        };
        let alone: std::collections::BTreeSet<&str> = candidates
            .iter()
            .filter(|one| is_alone(one) && count(&one.text) > 1)
            .map(|one| one.text.as_str())
            .collect();
        for candidate in &candidates {
            if !alone.contains(candidate.text.as_str()) {
                continue;
            }
            let number = *parts.entry(&candidate.text).or_insert_with(|| {
                let seen = candidate.expr.selectors().into_iter();
                selectors.push(seen.map(|one| one.matchers.clone()).collect());
                selectors.len() - 1
            });
            numbers.insert(address(candidate.expr), number);
        }
        Self {
            numbers,
            selectors,
            _expressions: expressions,
        }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.selectors.is_empty()
    }

    fn number(&self, expr: &Expr) -> Option<usize> {
        self.numbers.get(&address(expr)).copied()
    }
}

fn address(expr: &Expr) -> usize {
    std::ptr::from_ref(expr).addr()
}

/// Collects the parts that give series and that are evaluated at the moment of the whole expression.
fn collect<'e>(
    expr: &'e Expr,
    parent: Option<&'e Expr>,
    around: Option<&str>,
    found: &mut Vec<Candidate<'e>>,
) {
    let is_operand = parent
        .is_some_and(|parent| matches!(parent.kind, ExprKind::Binary(_) | ExprKind::Aggregate(_)));
    let is_candidate = match &expr.kind {
        // Functions look at what their selectors are, not only at what they give.
        ExprKind::Vector(_) => is_operand,
        ExprKind::Aggregate(_) | ExprKind::Binary(_) | ExprKind::Call(_) => {
            expr.value_type() == ValueType::Vector && !expr.selectors().is_empty()
        }
        _ => false,
    };
    let mut own = None;
    if is_candidate {
        let text = expr.to_string();
        own = Some(text.clone());
        found.push(Candidate {
            expr,
            text,
            around: around.map(str::to_owned),
        });
    }
    let around = own.as_deref().or(around);
    let mut go = |inner: &'e Expr| collect(inner, Some(expr), around, found);
    match &expr.kind {
        ExprKind::Number { .. }
        | ExprKind::String(_)
        | ExprKind::Vector(_)
        | ExprKind::Matrix(_)
        | ExprKind::Subquery(_) => {}
        ExprKind::Call(call) => call.arguments.iter().for_each(go),
        ExprKind::Aggregate(aggregate) => {
            aggregate.parameter.iter().for_each(|one| go(one));
            go(&aggregate.operand);
        }
        ExprKind::Binary(binary) => {
            go(&binary.left);
            go(&binary.right);
        }
        ExprKind::Unary { operand, .. } => go(operand),
        ExprKind::Paren(inner) => go(inner),
    }
}

/// The values of shared parts at one moment.
#[derive(Debug)]
pub struct SharedValues<'p> {
    parts: &'p SharedParts,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    values: HashMap<usize, Value>,
    series: usize,
    reused: u64,
    refused: u64,
}

impl<'p> SharedValues<'p> {
    /// Makes them for a moment, of which nothing is known yet. They may be used for that moment only.
    #[must_use]
    pub fn new(parts: &'p SharedParts) -> Self {
        Self {
            parts,
            kept: Mutex::default(),
        }
    }

    /// Forgets what may look different once series of this metric were written: those with this `alertname`, where
    /// there is one.
    pub fn written(&self, metric: &str, alert: Option<&str>) {
        let sees = |matchers: &Vec<Matcher>| {
            matchers
                .iter()
                .all(|matcher| match (matcher.name(), alert) {
                    (METRIC_NAME, _) => matcher.matches(metric),
                    ("alertname", Some(alert)) => matcher.matches(alert),
                    _ => true,
                })
        };
        let mut kept = self.lock();
        let Kept { values, series, .. } = &mut *kept;
        values.retain(|number, value| {
            let selectors = self.parts.selectors.get(*number);
            let stays = !selectors.is_none_or(|all| all.iter().any(sees));
            if !stays {
                *series -= value.cells();
            }
            stays
        });
    }

    /// How often a value was used again.
    #[must_use]
    pub fn reused(&self) -> u64 {
        self.lock().reused
    }

    /// How many values were not kept because there were too many series.
    #[must_use]
    pub fn refused(&self) -> u64 {
        self.lock().refused
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn value(&self, number: usize) -> Option<Value> {
        let mut kept = self.lock();
        let value = kept.values.get(&number).cloned()?;
        kept.reused += 1;
        Some(value)
    }

    fn keep(&self, number: usize, value: &Value) {
        let mut kept = self.lock();
        if kept.series + value.cells() > SERIES_MAX {
            kept.refused += 1;
            return;
        }
        kept.series += value.cells();
        kept.values.insert(number, value.clone());
    }
}

/// A shared part where it is met.
pub(super) struct Met<'a> {
    values: &'a SharedValues<'a>,
    number: usize,
}

impl Met<'_> {
    pub(super) fn value(&self) -> Option<Value> {
        self.values.value(self.number)
    }

    pub(super) fn keep(&self, value: &Value) {
        self.values.keep(self.number, value);
    }
}

impl<'a> Evaluation<'a> {
    /// Whether an expression is a shared part that is met at the moment of the query.
    pub(super) fn shared_part(&self, expr: &Expr, steps: Steps) -> Option<Met<'a>> {
        let values = self.shared?;
        let number = values.parts.number(expr)?;
        (self.is_instant && steps == self.query).then_some(Met { values, number })
    }

    /// Whether a link of a chain below `expr` is a shared part, so that it must not be evaluated within the chain.
    pub(super) fn has_shared_link(&self, expr: &Expr, steps: Steps) -> bool {
        if self.shared.is_none() {
            return false;
        }
        let is_shared = |inner: &Expr| {
            let bare = without_parens(inner);
            self.shared_part(bare, steps).is_some() || self.has_shared_link(bare, steps)
        };
        match &expr.kind {
            ExprKind::Paren(inner) => is_shared(inner),
            ExprKind::Unary { operand, .. } => is_shared(operand),
            ExprKind::Binary(binary) => is_shared(&binary.left) || is_shared(&binary.right),
            ExprKind::Call(call) => call.arguments.iter().any(is_shared),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests;
