//! Pieces of one series from head and blocks, put together as columns.
//!
//! Pieces are added in the order of precedence: of two samples at one time the one added first stays, as it
//! was the first to be acknowledged. Usually pieces follow each other in time and are laid end to end;
//! only overlapping ones are sorted.

mod times;
mod windows;

pub(crate) use times::SharedTimes;

use crate::histogram;
use crate::summary::{self, window_at};
use model::{Columns, Histogram, Summaries};
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;
use times::Times;

/// A run of values that were read together.
struct Piece {
    times: Times,
    /// Where the values stand among those of all pieces.
    values: Range<usize>,
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

/// What was read of one series so far. What is empty again after `finish` keeps its memory for the next series.
#[derive(Default)]
pub(crate) struct Gathered {
    pieces: Vec<Piece>,
    /// The values of all pieces, one behind the other.
    values: Vec<f64>,
    /// The times of pieces that share none.
    times: Vec<i64>,
    /// Start and histogram by time.
    histograms: BTreeMap<i64, (i64, Arc<Histogram>)>,
    /// Samples that were read, those included that another one takes the place of.
    read: usize,
}

impl Gathered {
    /// Adds those of the windows in `floats` whose first and last times are `wanted`. They are not
    /// counted as read.
    pub(crate) fn push_windows(&mut self, floats: &Floats, wanted: &dyn Fn((i64, i64)) -> bool) {
        let mut kept = Floats::default();
        let windows = (0..floats.times.len()).filter_map(|i| window_at(floats, i));
        for window in windows.filter(|window| wanted(window.times())) {
            summary::push(&mut kept, &window);
        }
        if kept.times.is_empty() {
            return;
        }
        let (time, value) = (self.times.len(), self.values.len());
        self.times.extend_from_slice(&kept.times);
        self.values.extend_from_slice(&kept.values);
        self.pieces.push(Piece {
            times: Times::Copied(time..self.times.len()),
            values: value..self.values.len(),
            starts: known(kept.starts),
            summaries: kept.summaries,
        });
    }

    /// Adds values at `times[part]`, ascending, and as many start timestamps, or none where all are unknown.
    /// `decode` appends the values at all `times`; where it answers `None`, so does this.
    pub(crate) fn push(
        &mut self,
        times: &Arc<[i64]>,
        part: Range<usize>,
        starts: Vec<i64>,
        decode: impl FnOnce(&mut Vec<f64>) -> Option<()>,
    ) -> Option<()> {
        let values = self.decode(&part, decode)?;
        debug_assert!(starts.is_empty() || starts.len() == part.len());
        if !part.is_empty() {
            self.pieces.push(Piece {
                times: Times::Shared(Arc::clone(times), part),
                values,
                starts,
                summaries: None,
            });
        }
        Some(())
    }

    /// The same with times that are copied: for short columns, which cost less than counting who has them.
    pub(crate) fn push_copied(
        &mut self,
        times: &[i64],
        part: Range<usize>,
        starts: Vec<i64>,
        decode: impl FnOnce(&mut Vec<f64>) -> Option<()>,
    ) -> Option<()> {
        let values = self.decode(&part, decode)?;
        let place = self.times.len();
        self.times
            .extend_from_slice(times.get(part).unwrap_or_default());
        self.add_copied(place, values, starts);
        Some(())
    }

    /// Adds samples, ascending by time; `starts` answers what `push` takes.
    pub(crate) fn push_plain(
        &mut self,
        samples: impl Iterator<Item = (i64, f64)>,
        starts: impl FnOnce(&[i64]) -> Vec<i64>,
    ) {
        let (place, value) = (self.times.len(), self.values.len());
        for (at, value) in samples {
            self.times.push(at);
            self.values.push(value);
        }
        self.read += self.times.len() - place;
        let starts = starts(self.times.get(place..).unwrap_or_default());
        self.add_copied(place, value..self.values.len(), starts);
    }

    /// Makes the times from `place` on and their values a piece, or lengthens the last one by them.
    fn add_copied(&mut self, place: usize, values: Range<usize>, starts: Vec<i64>) {
        let end = self.times.len();
        debug_assert_eq!(end - place, values.len());
        debug_assert!(starts.is_empty() || starts.len() == values.len());
        if values.is_empty() {
            return;
        }
        let follows = place > 0 && self.times.get(place - 1) < self.times.get(place);
        if let Some(last) = self.pieces.last_mut()
            && let Times::Copied(part) = &mut last.times
            && part.end == place
            && follows
            && last.starts.is_empty()
            && last.summaries.is_none()
            && starts.is_empty()
        {
            part.end = end;
            last.values.end = values.end;
            return;
        }
        self.pieces.push(Piece {
            times: Times::Copied(place..end),
            values,
            starts,
            summaries: None,
        });
    }

    /// Appends the `part` of what is decoded to the values.
    fn decode(
        &mut self,
        part: &Range<usize>,
        decode: impl FnOnce(&mut Vec<f64>) -> Option<()>,
    ) -> Option<Range<usize>> {
        let start = self.values.len();
        if decode(&mut self.values).is_none() {
            self.values.truncate(start);
            return None;
        }
        self.values.truncate(start + part.end);
        if part.start > 0 {
            self.values.drain(start..start + part.start);
        }
        self.read += part.len();
        Some(start..self.values.len())
    }

    /// Leaves those of the piece that was added last out whose time is not `kept`. They stay counted as read.
    pub(crate) fn retain_last(&mut self, kept: impl Fn(i64) -> bool) {
        let Some(mut piece) = self.pieces.pop() else {
            return;
        };
        let times = piece.times.of(&self.times).to_vec();
        let place = self.times.len();
        let mut value = piece.values.start;
        let mut starts = Vec::new();
        for (i, at) in times.into_iter().enumerate().filter(|(_, at)| kept(*at)) {
            self.times.push(at);
            self.values
                .copy_within(piece.values.start + i..=piece.values.start + i, value);
            value += 1;
            starts.extend(piece.starts.get(i));
        }
        self.values.truncate(value);
        piece.values.end = value;
        piece.times = Times::Copied(place..self.times.len());
        piece.starts = starts;
        if !piece.values.is_empty() {
            self.pieces.push(piece);
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

    /// Moves what was read elsewhere here, behind what is here in precedence.
    pub(crate) fn append(&mut self, other: &mut Self) {
        if self.pieces.is_empty() && self.histograms.is_empty() {
            other.read += self.read;
            std::mem::swap(self, other);
            other.clear();
            return;
        }
        self.read += other.read;
        let (time, value) = (self.times.len(), self.values.len());
        self.times.extend_from_slice(&other.times);
        self.values.extend_from_slice(&other.values);
        for mut piece in other.pieces.drain(..) {
            if let Times::Copied(part) = &mut piece.times {
                *part = part.start + time..part.end + time;
            }
            piece.values = piece.values.start + value..piece.values.end + value;
            self.pieces.push(piece);
        }
        for (at, histogram) in std::mem::take(&mut other.histograms) {
            self.histograms.entry(at).or_insert(histogram);
        }
        other.clear();
    }

    /// Forgets everything but the memory.
    fn clear(&mut self) {
        self.pieces.clear();
        self.values.clear();
        self.times.clear();
        self.histograms.clear();
        self.read = 0;
    }

    fn times_of<'a>(&'a self, piece: &'a Piece) -> &'a [i64] {
        piece.times.of(&self.times)
    }

    fn values_of(&self, piece: &Piece) -> &[f64] {
        self.values.get(piece.values.clone()).unwrap_or_default()
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

    /// Everything in order of time, into `columns` and in their memory; here is nothing afterwards.
    pub(crate) fn finish(&mut self, shared: &mut SharedTimes, columns: &mut Columns) {
        if !self.histograms.is_empty() {
            *columns = self.finish_mixed(shared);
        } else if self.is_in_order() && (self.pieces.len() <= 1 || !self.has_windows()) {
            let times = self.pieces.iter().map(|piece| &piece.times);
            columns.timestamps = shared.share(times, &self.times);
            std::mem::swap(&mut columns.values, &mut self.values);
            columns.histograms.clear();
            columns.starts = column_of(starts_of(&self.pieces));
            let summaries = self.pieces.first_mut();
            columns.summaries = summaries.and_then(|p| p.summaries.take()).map(Arc::new);
        } else {
            let floats = self.floats();
            *columns = Columns {
                timestamps: shared.share_slice(&floats.times),
                values: floats.values,
                starts: column_of(floats.starts),
                summaries: floats.summaries.map(Arc::new),
                ..Columns::default()
            };
        }
        self.clear();
    }

    fn has_windows(&self) -> bool {
        self.pieces.iter().any(|piece| piece.summaries.is_some())
    }

    /// Whether the pieces follow each other in time.
    fn is_in_order(&self) -> bool {
        self.pieces
            .windows(2)
            .all(|two| self.times_of(&two[0]).last() < self.times_of(&two[1]).first())
    }

    /// All floats, sorted by time, the first added of each time.
    pub(crate) fn floats(&self) -> Floats {
        if self.has_windows() {
            let each = self.pieces.iter().map(|piece| self.floats_of(piece));
            return windows::lay_out(each);
        }
        if !self.is_in_order() {
            return self.unordered_floats();
        }
        let times: Vec<&[i64]> = self
            .pieces
            .iter()
            .map(|piece| self.times_of(piece))
            .collect();
        Floats {
            times: times.concat(),
            values: self.values.clone(),
            starts: known(starts_of(&self.pieces)),
            summaries: None,
        }
    }

    fn floats_of(&self, piece: &Piece) -> Floats {
        Floats {
            times: self.times_of(piece).to_vec(),
            values: self.values_of(piece).to_vec(),
            starts: piece.starts.clone(),
            summaries: piece.summaries.clone(),
        }
    }

    fn unordered_floats(&self) -> Floats {
        let mut samples: Vec<(i64, f64, i64)> = Vec::new();
        for piece in &self.pieces {
            let starts = piece.starts.iter().copied().chain(std::iter::repeat(0));
            let values = self.values_of(piece).iter().copied().zip(starts);
            let times = self.times_of(piece).iter().copied();
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
            timestamps: shared.share_slice(&mixed.times),
            values: mixed.values,
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
fn starts_of(pieces: &[Piece]) -> Vec<i64> {
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
    if let [first, .., last] = times
        && start <= *first
        && *last <= end
    {
        return 0..times.len();
    }
    let from = times.partition_point(|at| *at < start);
    let to = times.partition_point(|at| *at <= end);
    from..to.max(from)
}
