//! Pieces some of which are windows of down-sampled data.
//!
//! Late samples may lie inside a window that was summarised before they came: they stay windows of one
//! beside it. The same samples may also be there twice, as they came and summarised: while a block is
//! being replaced, or where somebody sends old data again. If what lies inside a window counts as many samples
//! as it does and begins and ends with it, it is taken for those samples and the window goes; otherwise what has the
//! time of the window's first or last sample is taken for that one and goes.

use super::Floats;
use crate::summary::{Window, push, window_at};

/// All pieces in order of time, samples as windows of one.
pub(super) fn lay_out(pieces: impl Iterator<Item = Floats>) -> Floats {
    let mut windows: Vec<Window> = Vec::new();
    for floats in pieces {
        windows.extend((0..floats.times.len()).filter_map(|i| window_at(&floats, i)));
    }
    let is_apart = |two: &[Window]| two[0].times().1 < two[1].times().0;
    if !windows.windows(2).all(is_apart) {
        // Stable: of two at one time the one added first stays.
        windows.sort_by_key(|window| window.times().1);
        windows.dedup_by(|later, first| later.times() == first.times());
        windows = without_repetition(&windows);
    }
    let mut floats = Floats::default();
    for window in &windows {
        push(&mut floats, window);
    }
    if floats.starts.iter().all(|start| *start == 0) {
        floats.starts.clear();
    }
    floats
}

/// `windows` ascend by their last time, no two have both times in common.
fn without_repetition(windows: &[Window]) -> Vec<Window> {
    let mut gone = vec![false; windows.len()];
    for (i, window) in windows.iter().enumerate() {
        let (first, last) = window.times();
        if first == last {
            continue;
        }
        let from = windows.partition_point(|other| other.times().1 < first);
        let to = windows.partition_point(|other| other.times().1 <= last);
        let inside: Vec<usize> = (from..to)
            .filter(|other| *other != i && windows[*other].times().0 >= first)
            .collect();
        let counted: u32 = inside.iter().map(|other| windows[*other].count()).sum();
        let begins = inside
            .iter()
            .any(|other| windows[*other].times().0 == first);
        let ends = inside.iter().any(|other| windows[*other].times().1 == last);
        if counted == window.count() && begins && ends {
            gone[i] = true;
            continue;
        }
        for other in inside {
            let (start, end) = windows[other].times();
            gone[other] |= start == end && (start == first || end == last);
        }
    }
    // One sample at a time: a window goes before the one that contains it, so single ones are left.
    let kept = windows.iter().zip(&gone).filter(|(_, gone)| !**gone);
    let mut kept: Vec<Window> = kept.map(|(window, _)| *window).collect();
    kept.dedup_by_key(|window| window.times().1);
    kept
}

/// Appends what stands at `i` in `from`.
pub(super) fn copy(to: &mut Floats, from: &Floats, i: usize) {
    if let Some(window) = window_at(from, i) {
        add(to, &window);
    }
}

/// Appends a sample.
pub(super) fn add_sample(to: &mut Floats, (at, value): (i64, f64), start: i64) {
    add(to, &Window::of(at, value, start));
}

fn add(to: &mut Floats, window: &Window) {
    if to.summaries.is_some() {
        push(to, window);
        return;
    }
    let (at, value) = window.last();
    to.times.push(at);
    to.values.push(value);
    to.starts.push(window.start());
}

#[cfg(test)]
mod tests {
    use super::super::{Gathered, SharedTimes};
    use crate::summary::{Window, summarize};
    use model::Columns;
    use std::sync::Arc;

    /// Raw samples at `times`, and those at `summarised` in windows of 100, each the value 1.
    fn check(times: &[i64], summarised: &[i64], want: &[(i64, u32)]) {
        let windows = summarised.iter().map(|at| Window::of(*at, 1.0, 0));
        let floats = summarize(windows, 100);
        let mut gathered = Gathered::default();
        gathered.push_windows(&floats, &|_| true);
        let column: Arc<[i64]> = times.into();
        let ones = |values: &mut Vec<f64>| {
            values.resize(values.len() + times.len(), 1.0);
            Some(())
        };
        gathered.push(&column, 0..times.len(), Vec::new(), ones);
        let mut columns = Columns::default();
        gathered.finish(&mut SharedTimes::default(), &mut columns);
        let counts = columns.summaries.as_ref().expect("windows").counts.iter();
        let found: Vec<(i64, u32)> = columns
            .timestamps
            .iter()
            .copied()
            .zip(counts.copied())
            .collect();
        assert_eq!(found, want, "{times:?} {summarised:?}");
        assert_eq!(columns.values.len(), columns.len());
    }

    #[test]
    fn lays_out() {
        check(&[], &[10, 20, 110], &[(20, 2), (110, 1)]);
        check(&[150, 160], &[10, 20], &[(20, 2), (150, 1), (160, 1)]);
        check(&[15], &[10, 20, 30], &[(15, 1), (30, 3)]);
        check(&[10, 30], &[10, 20, 30], &[(30, 3)]);
        check(&[10, 20, 30], &[10, 20, 30], &[(10, 1), (20, 1), (30, 1)]);
        check(&[10], &[10], &[(10, 1)]);
        // Late samples between two that were summarised, as many and more.
        check(&[15, 20], &[10, 30], &[(15, 1), (20, 1), (30, 2)]);
        check(
            &[15, 20, 25],
            &[10, 30],
            &[(15, 1), (20, 1), (25, 1), (30, 2)],
        );
        check(&[10, 15], &[10, 30], &[(15, 1), (30, 2)]);
        check(&[5, 40], &[10, 20], &[(5, 1), (20, 2), (40, 1)]);
    }
}
