//! `rate`, `increase`, `delta`, `irate`, `idelta`, `changes`, `resets`.

use super::super::rate::Change;
use super::{Done, value};
use crate::engine::{ABSENT, Sweep};
use model::number::{i64_to_float, usize_to_float};

/// `rate`
pub(crate) fn rate(sweep: &Sweep<'_>, out: &mut [f64]) -> Done {
    changed(sweep, out, Change::Rate)
}

/// `increase`
pub(crate) fn increase(sweep: &Sweep<'_>, out: &mut [f64]) -> Done {
    changed(sweep, out, Change::Increase)
}

/// `delta`
pub(crate) fn delta(sweep: &Sweep<'_>, out: &mut [f64]) -> Done {
    changed(sweep, out, Change::Delta)
}

fn changed(sweep: &Sweep<'_>, out: &mut [f64], change: Change) -> Done {
    let is_counter = change.is_counter();
    let mut resets = Marked::new(sweep.values, |before, now| is_counter && now < before);
    let stretches = sweep.stretches.get_or_init(|| stretches(sweep, change));
    sweep.each(out, |step, begin, past| {
        let Some(stretch) = stretches.get(step).filter(|_| past - begin >= 2) else {
            return ABSENT;
        };
        let (first, last) = (value(sweep, begin), value(sweep, past - 1));
        let mut grown = last - first;
        for place in resets.inside(begin, past) {
            grown += value(sweep, place - 1);
        }
        let zero_share = (is_counter && grown > 0.0 && first >= 0.0).then(|| first / grown);
        grown * stretch.factor(zero_share)
    })
}

/// What the times of each window mean for extrapolation.
fn stretches(sweep: &Sweep<'_>, change: Change) -> Vec<Stretch> {
    let range_seconds = i64_to_float(sweep.range_ms) / 1000.0;
    let divisor = (change == Change::Rate).then_some(range_seconds);
    let time = |place: usize| sweep.times.get(place).copied().unwrap_or_default();
    let mut known = Shape::default();
    let mut stretch = Stretch::default();
    let windows = sweep.bounds.iter().zip(sweep.ends);
    let each = windows.map(|((begin, past), end)| {
        if past - begin < 2 {
            return Stretch::default();
        }
        let (first_time, last_time) = (time(*begin), time(past - 1));
        let shape = Shape {
            sampled_ms: last_time - first_time,
            before_ms: first_time - end.saturating_sub(sweep.range_ms),
            after_ms: end - last_time,
            count: past - begin,
        };
        if known != shape {
            stretch = Stretch::new(shape, divisor);
            known = shape;
        }
        stretch
    });
    each.collect()
}

/// How the samples of a window lie in its range. Regular scrapes give the same shape at every step.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct Shape {
    sampled_ms: i64,
    before_ms: i64,
    after_ms: i64,
    count: usize,
}

/// What a shape means for extrapolation, see `functions::rate`. The series of one scrape share them.
#[derive(Clone, Copy, Default)]
pub(crate) struct Stretch {
    sampled: f64,
    to_start: f64,
    to_end: f64,
    /// The factor where the counter was not zero inside the range.
    whole: f64,
    /// What a growth is divided by to be a rate.
    divisor: Option<f64>,
}

impl Stretch {
    fn new(shape: Shape, divisor: Option<f64>) -> Self {
        let seconds = |millis: i64| i64_to_float(millis) / 1000.0;
        let sampled = seconds(shape.sampled_ms);
        let distance = sampled / usize_to_float(shape.count - 1);
        let reach = |gap: f64| {
            if gap >= distance * 1.1 {
                distance / 2.0
            } else {
                gap
            }
        };
        let mut stretch = Self {
            sampled,
            to_start: reach(seconds(shape.before_ms)),
            to_end: reach(seconds(shape.after_ms)),
            whole: 1.0,
            divisor,
        };
        stretch.whole = stretch.stretched(stretch.to_start);
        stretch
    }

    /// `zero_share`: how many times the sampled stretch the counter needed to get from zero to its first
    /// sample.
    fn factor(&self, zero_share: Option<f64>) -> f64 {
        match zero_share.map(|share| self.sampled * share) {
            Some(to_zero) if to_zero < self.to_start => self.stretched(to_zero),
            _ => self.whole,
        }
    }

    fn stretched(&self, to_start: f64) -> f64 {
        let factor = if self.sampled == 0.0 {
            1.0
        } else {
            (self.sampled + to_start + self.to_end) / self.sampled
        };
        self.divisor.map_or(factor, |divisor| factor / divisor)
    }
}

/// The places of samples that differ from the one before in some way, and which of them lie in a window.
struct Marked {
    places: Vec<usize>,
    from: usize,
    to: usize,
}

impl Marked {
    fn new(values: &[f64], differs: impl Fn(f64, f64) -> bool) -> Self {
        let pairs = values.iter().zip(values.get(1..).unwrap_or_default());
        let marked = (1..)
            .zip(pairs)
            .filter(|(_, (before, now))| differs(**before, **now));
        Self {
            places: marked.map(|(place, _)| place).collect(),
            from: 0,
            to: 0,
        }
    }

    /// Those whose sample before lies in the window, too. Windows must come in order.
    fn inside(&mut self, begin: usize, past: usize) -> &[usize] {
        while self.places.get(self.to).is_some_and(|place| *place < past) {
            self.to += 1;
        }
        while self
            .places
            .get(self.from)
            .is_some_and(|place| *place <= begin)
        {
            self.from += 1;
        }
        self.places.get(self.from..self.to).unwrap_or_default()
    }
}

/// `changes`
pub(crate) fn changes(sweep: &Sweep<'_>, out: &mut [f64]) -> Done {
    counted(sweep, out, |before, now| {
        before != now && !(before.is_nan() && now.is_nan())
    })
}

/// `resets`
pub(crate) fn resets(sweep: &Sweep<'_>, out: &mut [f64]) -> Done {
    counted(sweep, out, |before, now| now < before)
}

fn counted(sweep: &Sweep<'_>, out: &mut [f64], differs: impl Fn(f64, f64) -> bool) -> Done {
    let mut marked = Marked::new(sweep.values, differs);
    sweep.each(out, |_, begin, past| {
        usize_to_float(marked.inside(begin, past).len())
    })
}

/// `irate`
pub(crate) fn irate(sweep: &Sweep<'_>, out: &mut [f64]) -> Done {
    last_change(sweep, out, true)
}

/// `idelta`
pub(crate) fn idelta(sweep: &Sweep<'_>, out: &mut [f64]) -> Done {
    last_change(sweep, out, false)
}

fn last_change(sweep: &Sweep<'_>, out: &mut [f64], is_counter: bool) -> Done {
    sweep.each(out, |_, begin, past| {
        if past - begin < 2 {
            return ABSENT;
        }
        let (before, now) = (value(sweep, past - 2), value(sweep, past - 1));
        let (Some(before_time), Some(time)) =
            (sweep.times.get(past - 2), sweep.times.get(past - 1))
        else {
            return ABSENT;
        };
        let seconds = i64_to_float(time - before_time) / 1000.0;
        let is_reset = is_counter && now < before;
        let change = if is_reset { now } else { now - before };
        if is_counter { change / seconds } else { change }
    })
}
