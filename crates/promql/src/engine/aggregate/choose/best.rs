//! The best series of each group at each step, while series are looked at one by one.

use super::super::{Aggregation, Groups, Member};
use super::{by_rank, name, wanted};
use crate::annotations::{Annotations, message};
use crate::engine::value::without_metadata;
use crate::engine::{Cell, Column, Row, is_absent};
use model::Labels;
use std::cmp::Ordering;
use std::collections::BTreeMap;

/// The best of one group at one step, in order of rank: the place of the series and its value.
type Ranking = Vec<(usize, f64)>;

/// See the module's page.
pub(super) struct Best<'a> {
    aggregation: &'a Aggregation<'a>,
    /// How many are wanted at each step.
    wanted: Vec<usize>,
    groups: Groups,
    /// For each group and step.
    rankings: Vec<Vec<Ranking>>,
    /// The series that were ever among the best: labels, and whether their name is to be removed at the end.
    series: BTreeMap<usize, (Labels, bool)>,
    has_histograms: bool,
}

impl<'a> Best<'a> {
    pub(super) fn new(aggregation: &'a Aggregation<'a>) -> Self {
        let steps = 0..aggregation.steps.count;
        Self {
            aggregation,
            wanted: steps
                .map(|step| wanted(aggregation.parameter(step)))
                .collect(),
            groups: Groups::default(),
            rankings: Vec::new(),
            series: BTreeMap::new(),
            has_histograms: false,
        }
    }

    /// Looks at a series; answers how many cells more are kept than before.
    pub(super) fn add(&mut self, member: &Member<'_>, column: &Column) -> usize {
        self.has_histograms |= column.has_histograms();
        let (mut kept, mut is_among) = (0, false);
        let place = self.groups.place(member.key);
        if place == self.rankings.len() {
            self.rankings.push(vec![Vec::new(); self.wanted.len()]);
            // An empty ranking takes the room of three cells.
            kept = 3 * self.wanted.len();
        }
        let Some(rankings) = self.rankings.get_mut(place) else {
            return 0;
        };
        let operator = self.aggregation.aggregate.operator;
        let (first, floats) = column.floats();
        let slots = rankings.iter_mut().zip(&self.wanted).skip(first);
        for ((ranking, wanted), float) in slots.zip(floats) {
            if is_absent(*float) {
                continue;
            }
            let one = (member.place, *float);
            let is_better = |other: &(usize, f64)| by_rank(operator, one, *other) == Ordering::Less;
            if ranking.len() >= *wanted {
                if !ranking.last().is_some_and(is_better) {
                    continue;
                }
                ranking.pop();
            } else {
                kept += 1;
            }
            let rank = ranking.partition_point(|other| !is_better(other));
            ranking.insert(rank, one);
            is_among = true;
        }
        if is_among {
            let labels = if member.strips {
                without_metadata(member.labels)
            } else {
                member.labels.clone()
            };
            self.series
                .insert(member.place, (labels, member.drops_name));
        }
        kept
    }

    /// The chosen series with their values where they were chosen; for a single step in order of rank.
    pub(super) fn finish(mut self, notes: &mut Annotations) -> Vec<Row> {
        if self.has_histograms {
            let operator = self.aggregation.aggregate.operator;
            let text = message::histogram_ignored_in_aggregation(name(operator));
            notes.info(self.aggregation.span, text);
        }
        let mut rows = Vec::new();
        for rankings in std::mem::take(&mut self.rankings) {
            if let [only] = rankings.as_slice() {
                let chosen = only
                    .iter()
                    .map(|(place, float)| (*place, Column::from_floats(0, vec![*float])));
                rows.extend(chosen.filter_map(|(place, column)| self.row(place, column)));
                continue;
            }
            let mut columns: BTreeMap<usize, Column> = BTreeMap::new();
            for (step, ranking) in rankings.into_iter().enumerate() {
                for (place, float) in ranking {
                    let column = columns.entry(place).or_default();
                    column.push(step, Cell::Float(float));
                }
            }
            let chosen = columns.into_iter();
            rows.extend(chosen.filter_map(|(place, column)| self.row(place, column)));
        }
        rows
    }

    fn row(&self, place: usize, column: Column) -> Option<Row> {
        let (labels, drops_name) = self.series.get(&place)?;
        Some(Row {
            labels: labels.clone(),
            drops_name: *drops_name,
            column,
        })
    }
}
