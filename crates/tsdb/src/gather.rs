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
        self.share_parts(&[times])
    }

    /// The column that these parts make, one behind the other.
    fn share_parts(&mut self, parts: &[&[i64]]) -> Arc<[i64]> {
        let recent = self.recent.iter();
        if let Some(same) = recent.clone().find(|recent| is_made_of(recent, parts)) {
            return Arc::clone(same);
        }
        let fresh: Arc<[i64]> = match parts {
            [only] => (*only).into(),
            parts => parts.concat().into(),
        };
        if self.recent.len() < RECENT_MAX {
            self.recent.push(Arc::clone(&fresh));
        } else {
            self.recent[self.next % RECENT_MAX] = Arc::clone(&fresh);
            self.next += 1;
        }
        fresh
    }
}

fn is_made_of(column: &[i64], parts: &[&[i64]]) -> bool {
    let mut rest = column;
    for part in parts {
        match rest.strip_prefix(*part) {
            Some(following) => rest = following,
            None => return false,
        }
    }
    rest.is_empty()
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
    /// Samples that were read, those included that another one takes the place of.
    read: usize,
}

impl Gathered {
    /// Adds values at `times[part]`, ascending.
    pub(crate) fn push(&mut self, times: &Arc<[i64]>, part: Range<usize>, values: Vec<f64>) {
        debug_assert_eq!(part.len(), values.len());
        self.read += values.len();
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
        self.read += 1;
        self.histograms
            .entry(at)
            .or_insert_with(|| Arc::clone(histogram));
    }

    /// Counts samples that were taken from the budget and then left out.
    pub(crate) fn count_skipped(&mut self, samples: usize) {
        self.read += samples;
    }

    /// How many samples were taken from the budget for this.
    pub(crate) fn samples_read(&self) -> usize {
        self.read
    }

    /// Adds what was read elsewhere, behind what is here in precedence.
    pub(crate) fn append(&mut self, mut other: Self) {
        self.read += other.read;
        self.pieces.append(&mut other.pieces);
        for (at, histogram) in other.histograms {
            self.histograms.entry(at).or_insert(histogram);
        }
    }

    /// All histograms, sorted by time.
    pub(crate) fn histograms(&self) -> Vec<(i64, Arc<Histogram>)> {
        let histograms = self.histograms.iter();
        histograms.map(|(at, h)| (*at, Arc::clone(h))).collect()
    }

    /// Everything in order of time.
    pub(crate) fn finish(mut self, shared: &mut SharedTimes) -> Columns {
        if !self.histograms.is_empty() {
            return self.finish_mixed(shared);
        }
        if let [only] = self.pieces.as_mut_slice() {
            let timestamps = match only.part.len() == only.times.len() {
                true => Arc::clone(&only.times),
                false => shared.share(only.times()),
            };
            return Columns {
                timestamps,
                values: std::mem::take(&mut only.values).into(),
                ..Columns::default()
            };
        }
        let Some(order) = self.pieces_in_order() else {
            let (times, values) = self.overlapping_floats();
            return Columns {
                timestamps: shared.share(&times),
                values: values.into(),
                ..Columns::default()
            };
        };
        let times: Vec<&[i64]> = order.iter().map(|piece| piece.times()).collect();
        let values: Vec<&[f64]> = order.iter().map(|p| p.values.as_slice()).collect();
        Columns {
            timestamps: shared.share_parts(&times),
            values: values.concat().into(),
            ..Columns::default()
        }
    }

    /// The pieces in order of time; `None` where they overlap.
    fn pieces_in_order(&self) -> Option<Vec<&Piece>> {
        let mut order: Vec<&Piece> = self.pieces.iter().collect();
        order.sort_by_key(|piece| piece.times().first().copied());
        let apart = |two: &[&Piece]| two[0].times().last() < two[1].times().first();
        order.windows(2).all(apart).then_some(order)
    }

    /// All floats, sorted by time, the first added of each time.
    pub(crate) fn floats(&self) -> (Vec<i64>, Vec<f64>) {
        let Some(order) = self.pieces_in_order() else {
            return self.overlapping_floats();
        };
        let times: Vec<&[i64]> = order.iter().map(|piece| piece.times()).collect();
        let values: Vec<&[f64]> = order.iter().map(|p| p.values.as_slice()).collect();
        (times.concat(), values.concat())
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
