//! The values of one series at all steps of an evaluation.
//!
//! Layout: a dense run of floats from the first to the last step that has a value. A step without a float
//! holds `ABSENT`, which is the staleness marker: no sample and no computation ever yields that NaN, so
//! presence needs no second array. Key decision: operations on a column are plain loops over
//! floats; histograms, which are rare, stand in a second array that is empty for most series.

use model::{Histogram, STALE_MARKER, is_stale_marker};
use std::ops::Range;
use std::sync::Arc;

/// Stands where a step has no float.
pub(crate) const ABSENT: f64 = STALE_MARKER;

/// Whether a step has no float.
pub(crate) const fn is_absent(value: f64) -> bool {
    is_stale_marker(value)
}

/// The value of one series at one step.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Cell {
    /// A plain number.
    Float(f64),
    /// A native histogram.
    Histogram(Arc<Histogram>),
}

/// One series' values; see the module's page.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Column {
    first: usize,
    floats: Vec<f64>,
    histograms: Vec<Option<Arc<Histogram>>>,
}

impl Column {
    /// A column of floats that begins at step `first`.
    pub(crate) fn from_floats(first: usize, floats: Vec<f64>) -> Self {
        Self {
            first,
            floats,
            histograms: Vec::new(),
        }
        .trimmed()
    }

    /// A column with room for all steps; `put` may be called in any order until it is `trimmed`.
    pub(crate) fn dense(steps: usize) -> Self {
        Self {
            first: 0,
            floats: vec![ABSENT; steps],
            histograms: Vec::new(),
        }
    }

    /// Writes a value; `step` must lie within the column's run.
    pub(crate) fn put(&mut self, step: usize, cell: Cell) {
        let index = step.wrapping_sub(self.first);
        match cell {
            Cell::Float(float) => {
                if let Some(slot) = self.floats.get_mut(index) {
                    *slot = float;
                }
            }
            Cell::Histogram(histogram) => {
                if self.histograms.is_empty() {
                    self.histograms = vec![None; self.floats.len()];
                }
                if let Some(slot) = self.histograms.get_mut(index) {
                    *slot = Some(histogram);
                }
            }
        }
    }

    /// Appends a value after all others.
    pub(crate) fn push(&mut self, step: usize, cell: Cell) {
        if self.floats.is_empty() {
            self.first = step;
        }
        let length = (step + 1).saturating_sub(self.first);
        self.floats.resize(length, ABSENT);
        if !self.histograms.is_empty() {
            self.histograms.resize(length, None);
        }
        self.put(step, cell);
    }

    /// Cuts steps without a value off both ends.
    pub(crate) fn trimmed(mut self) -> Self {
        let present = |index: usize| {
            self.floats
                .get(index)
                .is_some_and(|float| !is_absent(*float))
                || self.histograms.get(index).is_some_and(Option::is_some)
        };
        let count = self.floats.len();
        let Some(begin) = (0..count).find(|index| present(*index)) else {
            return Self::default();
        };
        let end = (begin..count)
            .rev()
            .find(|index| present(*index))
            .map_or(count, |last| last + 1);
        self.floats.truncate(end);
        self.histograms.truncate(end);
        if begin > 0 {
            self.floats.drain(..begin);
            self.histograms.drain(..begin.min(self.histograms.len()));
            self.first += begin;
        }
        if self.histograms.iter().all(Option::is_none) {
            self.histograms = Vec::new();
        }
        self
    }

    /// The steps from the first to the last value.
    pub(crate) fn range(&self) -> Range<usize> {
        self.first..self.first + self.floats.len()
    }

    /// Whether no step has a value (of a trimmed column).
    pub(crate) fn is_empty(&self) -> bool {
        self.floats.is_empty()
    }

    /// Values and gaps held: what counts as samples in memory.
    pub(crate) fn cells(&self) -> usize {
        self.floats.len() + self.histograms.len()
    }

    /// Steps that have a value.
    pub(crate) fn present(&self) -> usize {
        let floats = self.floats.iter().filter(|float| !is_absent(**float));
        let histograms = self.histograms.iter().filter(|one| one.is_some());
        floats.count() + histograms.count()
    }

    /// The first step and the floats from there on, `ABSENT` among them.
    pub(crate) fn floats(&self) -> (usize, &[f64]) {
        (self.first, &self.floats)
    }

    /// Whether any step holds a histogram.
    pub(crate) fn has_histograms(&self) -> bool {
        !self.histograms.is_empty()
    }

    /// The float at a step, or `ABSENT`.
    pub(crate) fn float(&self, step: usize) -> f64 {
        step.checked_sub(self.first)
            .and_then(|index| self.floats.get(index))
            .copied()
            .unwrap_or(ABSENT)
    }

    /// The histogram at a step.
    pub(crate) fn histogram(&self, step: usize) -> Option<&Arc<Histogram>> {
        if self.histograms.is_empty() {
            return None;
        }
        self.histograms.get(step.checked_sub(self.first)?)?.as_ref()
    }

    /// The value at a step.
    pub(crate) fn cell(&self, step: usize) -> Option<Cell> {
        let float = self.float(step);
        if is_absent(float) {
            self.histogram(step).cloned().map(Cell::Histogram)
        } else {
            Some(Cell::Float(float))
        }
    }

    /// Whether a step has a value.
    pub(crate) fn has(&self, step: usize) -> bool {
        !is_absent(self.float(step)) || self.histogram(step).is_some()
    }

    /// The steps that have a value, with it.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (usize, Cell)> {
        self.range()
            .filter_map(|step| self.cell(step).map(|cell| (step, cell)))
    }

    /// Replaces every float by `change` of it; histograms are dropped.
    pub(crate) fn map_floats(mut self, change: impl Fn(usize, f64) -> f64) -> Self {
        let had_histograms = self.has_histograms();
        self.histograms = Vec::new();
        for (index, float) in self.floats.iter_mut().enumerate() {
            if !is_absent(*float) {
                *float = change(self.first + index, *float);
            }
        }
        if had_histograms { self.trimmed() } else { self }
    }

    /// Replaces every value by what `change` makes of it.
    pub(crate) fn filter_map(&self, mut change: impl FnMut(usize, Cell) -> Option<Cell>) -> Self {
        let mut changed = Self::default();
        for (step, cell) in self.iter() {
            if let Some(cell) = change(step, cell) {
                changed.push(step, cell);
            }
        }
        changed
    }

    /// The value of step 0 at every one of `count` steps.
    pub(crate) fn repeated(&self, count: usize) -> Self {
        match self.cell(0) {
            None => Self::default(),
            Some(Cell::Float(float)) => Self::from_floats(0, vec![float; count]),
            Some(Cell::Histogram(histogram)) => Self {
                first: 0,
                floats: vec![ABSENT; count],
                histograms: vec![Some(histogram); count],
            },
        }
    }

    /// Both columns' values together; `None` where they have a value at the same step.
    pub(crate) fn union(&self, other: &Self) -> Option<Self> {
        let end = self.range().end.max(other.range().end);
        let mut both = Self::dense(end);
        for (step, cell) in self.iter().chain(other.iter()) {
            if both.has(step) {
                return None;
            }
            both.put(step, cell);
        }
        Some(both.trimmed())
    }
}
