use super::{Window, summarize, window_at};
use crate::gather::Floats;
use model::{STALE_MARKER, Summaries};
use proptest::prelude::*;

fn windows(samples: &[(i64, f64)]) -> Vec<Window> {
    let windows = samples.iter().map(|(at, value)| Window::of(*at, *value, 0));
    windows.collect()
}

fn again(summarized: &Floats, window_ms: i64) -> Floats {
    let windows = (0..summarized.times.len()).filter_map(|i| window_at(summarized, i));
    summarize(windows, window_ms)
}

fn of(floats: &Floats) -> &Summaries {
    floats.summaries.as_ref().expect("windows")
}

#[test]
fn keeps_ends_and_markers() {
    let samples = [
        (10, 5.0),
        (20, 7.0),
        (30, STALE_MARKER),
        (40, 2.0),
        (50, STALE_MARKER),
        (51, STALE_MARKER),
        (101, STALE_MARKER),
    ];
    let found = summarize(windows(&samples).into_iter(), 50);
    assert_eq!(found.times, [40, 50, 51, 101], "a window ends with its end");
    let kept = found.summaries.as_ref().expect("windows");
    assert_eq!(kept.counts, [3, 0, 0, 0]);
    assert_eq!(kept.first_timestamps[0], 10);
    assert_eq!(
        (kept.sums[0], kept.minima[0], kept.maxima[0]),
        (14.0, 2.0, 7.0)
    );
    assert_eq!(kept.increases[0], 4.0, "from 5 to 7, then from 0 to 2");
    assert!(
        found.values[1..]
            .iter()
            .all(|value| model::is_stale_marker(*value))
    );
    let longer = again(&found, 100);
    assert_eq!(longer.times, [40, 50, 101]);
    let back = summarize(
        windows(&[(1, f64::NAN), (2, 3.0), (3, f64::INFINITY)]).into_iter(),
        9,
    );
    assert_eq!((of(&back).minima[0], of(&back).counts[0]), (3.0, 3));
    let infinite = summarize(windows(&[(1, 1.0), (2, f64::INFINITY)]).into_iter(), 9);
    assert_eq!(of(&infinite).sums, [f64::INFINITY]);
}

/// The numbers over a range as PromQL computes them from samples.
#[derive(Debug, PartialEq)]
struct Naive {
    count: u32,
    sum: f64,
    min: f64,
    max: f64,
}

fn naive(samples: &[(i64, f64)], from: i64, to: i64) -> Naive {
    let inside = samples.iter().filter(|(at, _)| from < *at && *at <= to);
    let values: Vec<f64> = inside.map(|(_, value)| *value).collect();
    Naive {
        count: u32::try_from(values.len()).expect("few"),
        sum: values.iter().sum(),
        min: values.iter().copied().fold(f64::INFINITY, f64::min),
        max: values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
    }
}

fn of_summaries(found: &Floats, from: i64, to: i64) -> Naive {
    let inside: Vec<usize> = (0..found.times.len())
        .filter(|i| from < found.times[*i] && found.times[*i] <= to)
        .collect();
    let kept = found.summaries.as_ref().expect("windows");
    Naive {
        count: inside.iter().map(|i| kept.counts[*i]).sum(),
        sum: inside.iter().map(|i| kept.sums[*i]).sum(),
        min: inside
            .iter()
            .map(|i| kept.minima[*i])
            .fold(f64::INFINITY, f64::min),
        max: inside
            .iter()
            .map(|i| kept.maxima[*i])
            .fold(f64::NEG_INFINITY, f64::max),
    }
}

proptest! {
    /// For ranges that begin and end with windows the numbers are those over the samples; also after a
    /// second step, and the increase is that of the samples as long as nothing lies between two windows.
    #[test]
    fn aligned_ranges_are_exact(
        steps in prop::collection::vec((1..40_i64, 0..1000_u32), 1..200),
        from in 0..20_i64,
        length in 1..20_i64,
    ) {
        let mut at = 0;
        let samples: Vec<(i64, f64)> = steps.iter().map(|(step, value)| {
            at += step;
            (at, f64::from(*value))
        }).collect();
        for (found, window_ms) in [
            (summarize(windows(&samples).into_iter(), 50), 50),
            (again(&summarize(windows(&samples).into_iter(), 50), 150), 150),
        ] {
            let (from, to) = (from * window_ms, (from + length) * window_ms);
            prop_assert_eq!(of_summaries(&found, from, to), naive(&samples, from, to));
            let whole = again(&found, i64::MAX);
            let mut increase = samples[samples.len() - 1].1 - samples[0].1;
            for two in samples.windows(2) {
                if two[1].1 < two[0].1 {
                    increase += two[0].1;
                }
            }
            prop_assert_eq!(of(&whole).increases[0], increase);
            let count = f64::from(of(&whole).counts[0]);
            let mean = of(&whole).sums[0] / count;
            let squares: f64 = samples.iter().map(|(_, value)| (value - mean).powi(2)).sum();
            let close = (of(&whole).squares[0] - squares).abs() <= 1e-9 * (1.0 + squares);
            prop_assert!(close, "{} {}", of(&whole).squares[0], squares);
        }
    }
}
