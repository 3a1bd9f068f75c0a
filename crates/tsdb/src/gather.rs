//! Pieces of one series from head and blocks, put together as columns.
//!
//! Pieces are added in the order of precedence: of two samples at one time the one added first stays, as it
//! was the first to be acknowledged. Usually pieces follow each other in time and are laid end to end;
//! only overlapping ones are sorted.

mod windows;

use crate::histogram;
use model::{Columns, Histogram, Summaries};
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
    /// The start timestamp of each value, 0 where it is unknown; empty where all are.
    starts: Vec<i64>,
    /// What is known of the windows that the values stand for.
    summaries: Option<Summaries>,
}

/// The floats of one series, ascending by time.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Floats {
    pub(crate) times: Vec<i64>,
    pub(crate) values: Vec<f64>,
    /// As many start timestamps, 0 where one is unknown; or none where all are.
    pub(crate) starts: Vec<i64>,
    /// Where any of them stands for a window, what is known of all.
    pub(crate) summaries: Option<Summaries>,
}

/// The histograms of one series, ascending by time.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Histograms {
    pub(crate) samples: Vec<(i64, Arc<Histogram>)>,
    /// As many start timestamps, 0 where one is unknown; or none where all are.
    pub(crate) starts: Vec<i64>,
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
    /// Start and histogram by time.
    histograms: BTreeMap<i64, (i64, Arc<Histogram>)>,
    /// Samples that were read, those included that another one takes the place of.
    read: usize,
}

impl Gathered {
    /// Adds those of the windows in `floats` whose last sample has a time that is `wanted`. They are not
    /// counted as read.
    pub(crate) fn push_windows(&mut self, floats: &Floats, wanted: &dyn Fn(i64) -> bool) {
        let mut kept = Floats::default();
        for (i, at) in floats.times.iter().enumerate() {
            if wanted(*at) {
                windows::copy_window(&mut kept, floats, i);
            }
        }
        let part = 0..kept.times.len();
        if !part.is_empty() {
            self.pieces.push(Piece {
                times: kept.times.into(),
                part,
                values: kept.values,
                starts: known(kept.starts),
                summaries: kept.summaries,
            });
        }
    }

    /// Adds values at `times[part]`, ascending, and as many start timestamps, or none where all are unknown.
    pub(crate) fn push(
        &mut self,
        times: &Arc<[i64]>,
        part: Range<usize>,
        (values, starts): (Vec<f64>, Vec<i64>),
    ) {
        debug_assert_eq!(part.len(), values.len());
        debug_assert!(starts.is_empty() || starts.len() == values.len());
        self.read += values.len();
        if !values.is_empty() {
            self.pieces.push(Piece {
                times: Arc::clone(times),
                part,
                values,
                starts,
                summaries: None,
            });
        }
    }

    /// Adds a histogram that has been counting since `start`, 0 where that is unknown.
    pub(crate) fn push_histogram(&mut self, at: i64, start: i64, histogram: Arc<Histogram>) {
        self.read += 1;
        self.histograms.entry(at).or_insert((start, histogram));
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
    pub(crate) fn histograms(&self) -> Histograms {
        let of =
            |(at, (_, histogram)): (&i64, &(i64, Arc<Histogram>))| (*at, Arc::clone(histogram));
        let starts = self.histograms.values().map(|(start, _)| *start);
        Histograms {
            samples: self.histograms.iter().map(of).collect(),
            starts: known(starts.collect()),
        }
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
                starts: column_of(std::mem::take(&mut only.starts)),
                summaries: only.summaries.take().map(Arc::new),
                ..Columns::default()
            };
        }
        if self.has_windows() {
            let floats = self.floats();
            return Columns {
                timestamps: shared.share(&floats.times),
                values: floats.values.into(),
                starts: column_of(floats.starts),
                summaries: floats.summaries.map(Arc::new),
                ..Columns::default()
            };
        }
        let Some(order) = self.pieces_in_order() else {
            let floats = self.overlapping_floats();
            return Columns {
                timestamps: shared.share(&floats.times),
                values: floats.values.into(),
                starts: column_of(floats.starts),
                ..Columns::default()
            };
        };
        let times: Vec<&[i64]> = order.iter().map(|piece| piece.times()).collect();
        let values: Vec<&[f64]> = order.iter().map(|p| p.values.as_slice()).collect();
        Columns {
            timestamps: shared.share_parts(&times),
            values: values.concat().into(),
            starts: column_of(starts_of(&order)),
            ..Columns::default()
        }
    }

    fn has_windows(&self) -> bool {
        self.pieces.iter().any(|piece| piece.summaries.is_some())
    }

    /// The pieces in order of time; `None` where they overlap.
    fn pieces_in_order(&self) -> Option<Vec<&Piece>> {
        let mut order: Vec<&Piece> = self.pieces.iter().collect();
        order.sort_by_key(|piece| piece.times().first().copied());
        let apart = |two: &[&Piece]| two[0].times().last() < two[1].times().first();
        order.windows(2).all(apart).then_some(order)
    }

    /// All floats, sorted by time, the first added of each time.
    pub(crate) fn floats(&self) -> Floats {
        if self.has_windows() {
            return windows::lay_out(&self.pieces);
        }
        let Some(order) = self.pieces_in_order() else {
            return self.overlapping_floats();
        };
        let times: Vec<&[i64]> = order.iter().map(|piece| piece.times()).collect();
        let values: Vec<&[f64]> = order.iter().map(|p| p.values.as_slice()).collect();
        Floats {
            times: times.concat(),
            values: values.concat(),
            starts: known(starts_of(&order)),
            summaries: None,
        }
    }

    fn overlapping_floats(&self) -> Floats {
        let mut samples: Vec<(i64, f64, i64)> = Vec::new();
        for piece in &self.pieces {
            let starts = piece.starts.iter().copied().chain(std::iter::repeat(0));
            let values = piece.values.iter().copied().zip(starts);
            let times = piece.times().iter().copied();
            samples.extend(
                times
                    .zip(values)
                    .map(|(at, (value, start))| (at, value, start)),
            );
        }
        // Stable: what was added first stays first.
        samples.sort_by_key(|(at, ..)| *at);
        samples.dedup_by_key(|(at, ..)| *at);
        Floats {
            times: samples.iter().map(|(at, ..)| *at).collect(),
            values: samples.iter().map(|(_, value, _)| *value).collect(),
            starts: known(samples.iter().map(|(.., start)| *start).collect()),
            summaries: None,
        }
    }

    /// Floats and histograms of one series; where both have a time, the float stays.
    fn finish_mixed(&self, shared: &mut SharedTimes) -> Columns {
        let floats = self.floats();
        let mut order: Vec<(i64, Entry<'_>)> = Vec::new();
        let float_at = |i| {
            (
                floats.times.get(i).copied().unwrap_or_default(),
                Entry::Float(i),
            )
        };
        order.extend((0..floats.times.len()).map(float_at));
        let histograms = self.histograms.iter();
        order.extend(histograms.map(|(at, held)| (*at, Entry::Histogram(held))));
        // Stable: a float lies before a histogram of the same time.
        order.sort_by_key(|(at, _)| *at);
        order.dedup_by_key(|(at, _)| *at);
        let mut mixed = Floats {
            summaries: floats.summaries.as_ref().map(|_| Summaries::default()),
            ..Floats::default()
        };
        let mut histograms = Vec::new();
        for (i, (_, entry)) in order.iter().enumerate() {
            match entry {
                Entry::Float(at) => windows::copy(&mut mixed, &floats, *at),
                Entry::Histogram((start, histogram)) => {
                    histograms.push((i, Arc::clone(histogram)));
                    windows::add_sample(&mut mixed, (order[i].0, histogram.count), *start);
                }
            }
        }
        histogram::settle_hints(&mut histograms);
        Columns {
            timestamps: shared.share(&mixed.times),
            values: mixed.values.into(),
            histograms,
            starts: column_of(mixed.starts),
            summaries: mixed.summaries.map(Arc::new),
        }
    }
}

/// Where a sample of a mixed series comes from.
enum Entry<'a> {
    Float(usize),
    Histogram(&'a (i64, Arc<Histogram>)),
}

/// The start timestamps of all pieces, end to end; none where no piece has any.
fn starts_of(pieces: &[&Piece]) -> Vec<i64> {
    let mut starts = Vec::new();
    if pieces.iter().all(|piece| piece.starts.is_empty()) {
        return starts;
    }
    for piece in pieces {
        let end = starts.len() + piece.values.len();
        starts.extend_from_slice(&piece.starts);
        starts.resize(end, 0);
    }
    starts
}

/// The start timestamps, or none where all are unknown.
fn known(starts: Vec<i64>) -> Vec<i64> {
    if starts.iter().all(|start| *start == 0) {
        return Vec::new();
    }
    starts
}

/// The start timestamps as a column of `Columns`.
fn column_of(starts: Vec<i64>) -> Option<Arc<[i64]>> {
    let starts = known(starts);
    (!starts.is_empty()).then(|| starts.into())
}

/// The indexes of the ascending `times` that lie in `start..=end`.
pub(crate) fn part_in(times: &[i64], start: i64, end: i64) -> Range<usize> {
    let from = times.partition_point(|at| *at < start);
    let to = times.partition_point(|at| *at <= end);
    from..to.max(from)
}
