//! Pieces of one series from head and blocks, put together as columns.
//!
//! Pieces are added in the order of precedence: of two samples at one time the one added first stays, as it
//! was the first to be acknowledged. Usually pieces follow each other in time and are laid end to end;
//! only overlapping ones are sorted.

use model::{Columns, Histogram};
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

/// Timestamp columns of one query that were seen lately: the series of one scrape get the same one.
#[derive(Default)]
pub(crate) struct SharedTimes {
    recent: Vec<Arc<[i64]>>,
    next: usize,
}

/// Columns to compare with; series of one target lie close together.
const RECENT_MAX: usize = 8;

impl SharedTimes {
    fn share(&mut self, times: &[i64]) -> Arc<[i64]> {
        if let Some(same) = self.recent.iter().find(|recent| ***recent == *times) {
            return Arc::clone(same);
        }
        let fresh: Arc<[i64]> = times.into();
        if self.recent.len() < RECENT_MAX {
            self.recent.push(Arc::clone(&fresh));
        } else {
            self.recent[self.next % RECENT_MAX] = Arc::clone(&fresh);
            self.next += 1;
        }
        fresh
    }
}

struct Piece {
    times: Arc<[i64]>,
    /// The part of `times` that belongs to `values`.
    part: Range<usize>,
    values: Vec<f64>,
}

impl Piece {
    fn times(&self) -> &[i64] {
        &self.times[self.part.clone()]
    }
}

/// What was read of one series so far.
#[derive(Default)]
pub(crate) struct Gathered {
    pieces: Vec<Piece>,
    histograms: BTreeMap<i64, Arc<Histogram>>,
}

impl Gathered {
    /// Adds values at `times[part]`, ascending.
    pub(crate) fn push(&mut self, times: &Arc<[i64]>, part: Range<usize>, values: Vec<f64>) {
        debug_assert_eq!(part.len(), values.len());
        if !values.is_empty() {
            self.pieces.push(Piece {
                times: Arc::clone(times),
                part,
                values,
            });
        }
    }

    /// Adds a histogram.
    pub(crate) fn push_histogram(&mut self, at: i64, histogram: &Arc<Histogram>) {
        self.histograms
            .entry(at)
            .or_insert_with(|| Arc::clone(histogram));
    }

    /// Adds what was read elsewhere, behind what is here in precedence.
    pub(crate) fn append(&mut self, mut other: Self) {
        self.pieces.append(&mut other.pieces);
        for (at, histogram) in &other.histograms {
            self.push_histogram(*at, histogram);
        }
    }

    /// All histograms, sorted by time.
    pub(crate) fn histograms(&self) -> Vec<(i64, Arc<Histogram>)> {
        let histograms = self.histograms.iter();
        histograms.map(|(at, h)| (*at, Arc::clone(h))).collect()
    }

    /// Whether nothing was added.
    pub(crate) fn is_empty(&self) -> bool {
        self.pieces.is_empty() && self.histograms.is_empty()
    }

    /// Everything in order of time.
    pub(crate) fn finish(mut self, shared: &mut SharedTimes) -> Columns {
        if !self.histograms.is_empty() {
            return self.finish_mixed(shared);
        }
        if let [only] = self.pieces.as_mut_slice()
            && only.part.len() == only.times.len()
        {
            return Columns {
                timestamps: shared.share(&only.times),
                values: std::mem::take(&mut only.values).into(),
                ..Columns::default()
            };
        }
        let (times, values) = self.floats();
        Columns {
            timestamps: shared.share(&times),
            values: values.into(),
            ..Columns::default()
        }
    }

    /// All floats, sorted by time, the first added of each time.
    pub(crate) fn floats(&self) -> (Vec<i64>, Vec<f64>) {
        let mut order: Vec<&Piece> = self.pieces.iter().collect();
        order.sort_by_key(|piece| piece.times().first().copied());
        let apart = |two: &[&Piece]| two[0].times().last() < two[1].times().first();
        if !order.windows(2).all(apart) {
            return self.overlapping_floats();
        }
        let mut times = Vec::new();
        let mut values = Vec::new();
        for piece in order {
            times.extend_from_slice(piece.times());
            values.extend_from_slice(&piece.values);
        }
        (times, values)
    }

    fn overlapping_floats(&self) -> (Vec<i64>, Vec<f64>) {
        let mut samples: Vec<(i64, f64)> = Vec::new();
        for piece in &self.pieces {
            samples.extend(
                piece
                    .times()
                    .iter()
                    .copied()
                    .zip(piece.values.iter().copied()),
            );
        }
        // Stable: what was added first stays first.
        samples.sort_by_key(|(at, _)| *at);
        samples.dedup_by_key(|(at, _)| *at);
        samples.into_iter().unzip()
    }

    fn finish_mixed(&self, shared: &mut SharedTimes) -> Columns {
        let (float_times, float_values) = self.floats();
        let mut samples: BTreeMap<i64, (f64, Option<Arc<Histogram>>)> = BTreeMap::new();
        for (at, histogram) in &self.histograms {
            samples.insert(*at, (histogram.count, Some(Arc::clone(histogram))));
        }
        for (at, value) in float_times.into_iter().zip(float_values) {
            samples.insert(at, (value, None));
        }
        let times: Vec<i64> = samples.keys().copied().collect();
        let mut values = Vec::with_capacity(times.len());
        let mut histograms = Vec::new();
        for (i, (value, histogram)) in samples.into_values().enumerate() {
            values.push(value);
            histograms.extend(histogram.map(|histogram| (i, histogram)));
        }
        Columns {
            timestamps: shared.share(&times),
            values: values.into(),
            histograms,
            ..Columns::default()
        }
    }
}

/// The indexes of the ascending `times` that lie in `start..=end`.
pub(crate) fn part_in(times: &[i64], start: i64, end: i64) -> Range<usize> {
    let from = times.partition_point(|at| *at < start);
    let to = times.partition_point(|at| *at <= end);
    from..to.max(from)
}
