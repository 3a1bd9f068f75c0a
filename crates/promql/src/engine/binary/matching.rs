//! Arithmetic and comparison of two vectors: which series of one side meets which of the other.
//!
//! Series are put into groups by the labels they are matched on. Nearly all groups hold one series of each side;
//! those are combined column by column. In the others the partner is looked up at every step, because a
//! group may change its member over time.

use super::super::names::joined;
use super::super::value::{Row, without_metadata};
use super::super::{Cell, Column, Evaluation, Steps};
use super::element::{self, Outcome};
use super::truth;
use crate::ast::{Binary, Cardinality, Span, VectorMatching};
use crate::error::QueryError;
use model::{Labels, METRIC_NAME};
use runtime::{HashMap, HashSet};

/// Numbers for label sets that match each other.
pub(super) struct Signatures<'a> {
    matching: Option<&'a VectorMatching>,
    numbers: HashMap<Labels, usize>,
}

impl<'a> Signatures<'a> {
    pub(super) fn new(matching: Option<&'a VectorMatching>) -> Self {
        Self {
            matching,
            numbers: HashMap::default(),
        }
    }

    /// How many different ones there are.
    pub(super) fn count(&self) -> usize {
        self.numbers.len()
    }

    /// Adds to each row the number of its signature.
    pub(super) fn numbered(&mut self, rows: Vec<Row>) -> Vec<(usize, Row)> {
        rows.into_iter()
            .map(|row| (self.number(&row.labels), row))
            .collect()
    }

    fn number(&mut self, labels: &Labels) -> usize {
        let next = self.numbers.len();
        let signature = matched_labels(labels, self.matching);
        *self.numbers.entry(signature).or_insert(next)
    }
}

/// The labels that are matched on.
pub(super) fn matched_labels(labels: &Labels, matching: Option<&VectorMatching>) -> Labels {
    match matching {
        Some(matching) if matching.on => labels.only(&matching.labels),
        Some(matching) => {
            let mut names: Vec<&str> = matching.labels.iter().map(String::as_str).collect();
            names.push(METRIC_NAME);
            labels.without(&names)
        }
        None => labels.without(&[METRIC_NAME]),
    }
}

/// The series of both sides that match each other. `many` is the side that may have several: the left one,
/// except for `group_right`.
#[derive(Default)]
pub(super) struct Group {
    pub(super) many: Vec<Row>,
    pub(super) one: Vec<Row>,
}

/// The operation and its modifiers.
pub(super) struct Operation<'a> {
    binary: &'a Binary,
    pub(super) matching: &'a VectorMatching,
    /// Whether the sides were exchanged so that the first one is `many`.
    swapped: bool,
    /// The value of a missing sample of the `many` and of the `one` side: upstream does not exchange
    /// `fill_left` and `fill_right` for `group_right`, and neither does this.
    pub(super) fill: (Option<f64>, Option<f64>),
    /// The steps at which both sides have samples, whatever their group: only there duplicates matter. `None`
    /// where no duplicates are possible, or all steps count.
    active: Option<Vec<bool>>,
    span: Span,
    pub(super) steps: Steps,
}

impl Evaluation<'_> {
    /// Combines two vectors with an arithmetic or comparison operator.
    pub(super) fn vectors(
        &mut self,
        binary: &Binary,
        span: Span,
        (left, right): (Vec<Row>, Vec<Row>),
        steps: Steps,
    ) -> Result<Vec<Row>, QueryError> {
        let default = VectorMatching::default();
        let matching = binary.matching.as_ref().unwrap_or(&default);
        let swapped = matching.cardinality == Cardinality::OneToMany;
        let fill = (matching.fill_left, matching.fill_right);
        let (many, one) = if swapped {
            (right, left)
        } else {
            (left, right)
        };
        let mut signatures = Signatures::new(Some(matching));
        let mut groups: Vec<Group> = Vec::new();
        for (signature, row) in signatures.numbered(many) {
            group_at(&mut groups, signature).many.push(row);
        }
        for (signature, row) in signatures.numbered(one) {
            group_at(&mut groups, signature).one.push(row);
        }
        let has_rivals = fill == (None, None) && groups.iter().any(|group| group.one.len() > 1);
        let active = has_rivals.then(|| both_present(&groups, steps));
        let operation = Operation {
            binary,
            matching,
            swapped,
            fill,
            active,
            span,
            steps,
        };
        let mut rows = Vec::with_capacity(groups.len());
        for group in &groups {
            self.check()?;
            self.combine(&operation, group, &mut rows)?;
        }
        joined(rows)
    }

    fn combine(
        &mut self,
        operation: &Operation<'_>,
        group: &Group,
        rows: &mut Vec<Row>,
    ) -> Result<(), QueryError> {
        let no_fill = operation.fill == (None, None);
        match (group.many.as_slice(), group.one.as_slice()) {
            ([], _) | (_, []) if no_fill => self.check_one_side(operation, group),
            ([many], [one]) if no_fill => {
                let column = self.pair(operation, many, one);
                if !column.is_empty() {
                    rows.push(operation.row(self, &many.labels, &one.labels, column));
                }
                Ok(())
            }
            (_, [one]) if no_fill && operation.matching.cardinality != Cardinality::OneToOne => {
                let results: Vec<Labels> = group
                    .many
                    .iter()
                    .map(|many| operation.result_labels(&many.labels, &one.labels))
                    .collect();
                let different: HashSet<&Labels> = results.iter().collect();
                if different.len() < results.len() {
                    return self.combine_by_step(operation, group, rows);
                }
                for (many, labels) in group.many.iter().zip(results) {
                    let column = self.pair(operation, many, one);
                    if !column.is_empty() {
                        rows.push(operation.finished_row(self, labels, column));
                    }
                }
                Ok(())
            }
            _ => self.combine_by_step(operation, group, rows),
        }
    }

    /// Even a group without partner must not have two samples on the `one` side at a step where the other
    /// side has samples of other groups; upstream looks at each step, and so does this.
    fn check_one_side(&self, operation: &Operation<'_>, group: &Group) -> Result<(), QueryError> {
        if group.one.len() < 2 {
            return Ok(());
        }
        for step in (0..operation.steps.count).filter(|step| operation.is_active(*step)) {
            operation.only_one(group, step)?;
        }
        Ok(())
    }

    /// Combines two series step by step.
    fn pair(&mut self, operation: &Operation<'_>, many: &Row, one: &Row) -> Column {
        let operator = operation.binary.operator;
        let plain = !many.column.has_histograms() && !one.column.has_histograms();
        if plain && element::floats(operator, 0.0, 0.0).is_some() {
            return operation.float_pair(&many.column, &one.column);
        }
        many.column.filter_map(|step, many| {
            let one = one.column.cell(step)?;
            self.element(operation, (&many, &one))
        })
    }

    pub(super) fn element(
        &mut self,
        operation: &Operation<'_>,
        sides: (&Cell, &Cell),
    ) -> Option<Cell> {
        let (many, one) = sides;
        let sides = if operation.swapped {
            (one, many)
        } else {
            (many, one)
        };
        let operator = operation.binary.operator;
        match element::cells(operator, sides) {
            Err(why) => {
                self.note_incompatible(operator, why, operation.span);
                None
            }
            Ok(outcome) => {
                self.note_outcome(operator, &outcome, operation.span);
                operation.kept(outcome)
            }
        }
    }
}

fn group_at(groups: &mut Vec<Group>, index: usize) -> &mut Group {
    if groups.len() <= index {
        groups.resize_with(index + 1, Group::default);
    }
    let last = groups.len() - 1;
    groups
        .get_mut(index.min(last))
        .expect("the groups were just extended to this index")
}

/// The steps at which both sides have samples.
fn both_present(groups: &[Group], steps: Steps) -> Vec<bool> {
    let present = |side: fn(&Group) -> &[Row]| {
        let mut present = vec![false; steps.count];
        for row in groups.iter().flat_map(side) {
            for (step, slot) in present.iter_mut().enumerate() {
                *slot |= row.column.has(step);
            }
        }
        present
    };
    let many = present(|group| &group.many);
    let one = present(|group| &group.one);
    many.iter()
        .zip(one)
        .map(|(many, one)| *many && one)
        .collect()
}

impl Operation<'_> {
    pub(super) fn is_active(&self, step: usize) -> bool {
        match &self.active {
            Some(active) => active.get(step).copied().unwrap_or(false),
            None => true,
        }
    }

    /// What a step's result is, once `bool` and filtering are applied.
    fn kept(&self, outcome: Outcome) -> Option<Cell> {
        if self.binary.returns_bool {
            return Some(truth(&outcome));
        }
        outcome.keep.then_some(outcome.cell)
    }

    /// The fast path: floats on both sides.
    fn float_pair(&self, many: &Column, one: &Column) -> Column {
        let (operator, returns_bool) = (self.binary.operator, self.binary.returns_bool);
        let start = many.range().start.max(one.range().start);
        let end = many.range().end.min(one.range().end);
        let mut values = Vec::with_capacity(end.saturating_sub(start));
        for step in start..end {
            let (many, one) = (many.float(step), one.float(step));
            if super::super::is_absent(many) || super::super::is_absent(one) {
                values.push(super::super::column::ABSENT);
                continue;
            }
            let (left, right) = if self.swapped {
                (one, many)
            } else {
                (many, one)
            };
            values.push(match element::floats(operator, left, right) {
                Some((_, keep)) if returns_bool => f64::from(u8::from(keep)),
                Some((value, true)) => value,
                _ => super::super::column::ABSENT,
            });
        }
        Column::from_floats(start, values)
    }

    fn row(&self, evaluation: &Evaluation<'_>, many: &Labels, one: &Labels, column: Column) -> Row {
        let labels = self.result_labels(many, one);
        self.finished_row(evaluation, labels, column)
    }

    pub(super) fn finished_row(
        &self,
        evaluation: &Evaluation<'_>,
        labels: Labels,
        column: Column,
    ) -> Row {
        if self.binary.returns_bool {
            return evaluation.renamed(labels, column);
        }
        Row {
            labels,
            drops_name: false,
            column,
        }
    }

    /// The labels of the result: those of the `many` side, for one-to-one matching only what is matched on, and
    /// those that `group_left` takes from the `one` side.
    pub(super) fn result_labels(&self, many: &Labels, one: &Labels) -> Labels {
        let mut labels = if element::is_comparison(self.binary.operator) {
            many.clone()
        } else {
            without_metadata(many)
        };
        if self.matching.cardinality == Cardinality::OneToOne {
            if self.matching.on {
                labels = labels.only(&self.matching.labels);
            } else if !self.matching.labels.is_empty() {
                labels = labels.without(&self.matching.labels);
            }
        }
        for name in &self.matching.include {
            labels = labels.with(name, one.value(name));
        }
        labels
    }

    /// The place of the only series of the `one` side that has a sample at a step.
    pub(super) fn only_one(&self, group: &Group, step: usize) -> Result<Option<usize>, QueryError> {
        let mut present = group
            .one
            .iter()
            .enumerate()
            .filter(|(_, row)| row.column.has(step));
        match (present.next(), present.next()) {
            (Some((_, first)), Some((_, second))) => Err(self.duplicate(first, second)),
            (first, _) => Ok(first.map(|(place, _)| place)),
        }
    }

    fn duplicate(&self, first: &Row, second: &Row) -> QueryError {
        let group = matched_labels(&first.labels, Some(self.matching));
        let side = if self.swapped { "left" } else { "right" };
        let (first, second) = if first.labels <= second.labels {
            (&first.labels, &second.labels)
        } else {
            (&second.labels, &first.labels)
        };
        QueryError::execution(format!(
            "found duplicate series for the match group {group} on the {side} hand-side of the operation: [{first}, {second}];many-to-many matching not allowed: matching labels must be unique on one side"
        ))
    }
}
