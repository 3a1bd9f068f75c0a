//! `*_over_time`: one value for the samples of a window.

use super::statistics;
use crate::annotations::message;
use crate::engine::{Cell, Window, WindowCall};
use crate::error::QueryError;
use crate::histogram::aggregate;
use model::number::{i64_to_float, usize_to_float};
use std::sync::Arc;

type Computed = Result<Option<Cell>, QueryError>;

fn float(value: f64) -> Computed {
    Ok(Some(Cell::Float(value)))
}

/// A function of the floats alone: no value without floats, a remark where histograms are among them.
fn of_floats(
    window: &Window<'_>,
    call: &mut WindowCall<'_>,
    compute: impl FnOnce(&[f64]) -> f64,
) -> Computed {
    if window.floats.is_empty() {
        return Ok(None);
    }
    call.note_ignored_histograms(window);
    float(compute(window.floats))
}

/// `sum_over_time`
pub(crate) fn sum(window: &Window<'_>, call: &mut WindowCall<'_>) -> Computed {
    if window.histograms.is_empty() {
        return float(statistics::sum(window.floats));
    }
    if !window.floats.is_empty() {
        call.warn_mixed();
        return Ok(None);
    }
    Ok(of_histograms(window, call, aggregate::sum))
}

/// `avg_over_time`
pub(crate) fn avg(window: &Window<'_>, call: &mut WindowCall<'_>) -> Computed {
    if window.histograms.is_empty() {
        return float(statistics::mean(window.floats));
    }
    if !window.floats.is_empty() {
        call.warn_mixed();
        return Ok(None);
    }
    Ok(of_histograms(window, call, aggregate::mean))
}

fn of_histograms(
    window: &Window<'_>,
    call: &mut WindowCall<'_>,
    compute: fn(&[Arc<model::Histogram>]) -> aggregate::Aggregated,
) -> Option<Cell> {
    let aggregated = compute(window.histograms);
    if aggregated.resets_collide {
        let text = message::counter_reset_collision("aggregation");
        call.notes.warn(call.span, text);
    }
    if aggregated.bounds_reconciled {
        let text = message::custom_buckets_reconciled("aggregation");
        call.notes.info(call.span, text);
    }
    if aggregated.histogram.is_none() {
        let text = message::mixed_exponential_custom(call.labels.metric_name());
        call.notes.warn(call.span, text);
    }
    aggregated
        .histogram
        .map(|histogram| Cell::Histogram(Arc::new(histogram)))
}

/// `count_over_time`
pub(crate) fn count(window: &Window<'_>, _: &mut WindowCall<'_>) -> Computed {
    float(usize_to_float(window.len()))
}

/// `present_over_time`
pub(crate) fn present(_: &Window<'_>, _: &mut WindowCall<'_>) -> Computed {
    float(1.0)
}

/// `min_over_time`
pub(crate) fn min(window: &Window<'_>, call: &mut WindowCall<'_>) -> Computed {
    of_floats(window, call, statistics::min)
}

/// `max_over_time`
pub(crate) fn max(window: &Window<'_>, call: &mut WindowCall<'_>) -> Computed {
    of_floats(window, call, statistics::max)
}

/// `stdvar_over_time`
pub(crate) fn stdvar(window: &Window<'_>, call: &mut WindowCall<'_>) -> Computed {
    of_floats(window, call, statistics::variance)
}

/// `stddev_over_time`
pub(crate) fn stddev(window: &Window<'_>, call: &mut WindowCall<'_>) -> Computed {
    of_floats(window, call, |floats| statistics::variance(floats).sqrt())
}

/// `quantile_over_time`
pub(crate) fn quantile(window: &Window<'_>, call: &mut WindowCall<'_>) -> Computed {
    if window.floats.is_empty() {
        return Ok(None);
    }
    let quantile = call.parameters.first().copied().unwrap_or(f64::NAN);
    if !(0.0..=1.0).contains(&quantile) {
        let text = message::invalid_quantile(quantile);
        call.notes.warn(call.first_span, text);
    }
    of_floats(window, call, |floats| {
        statistics::quantile(quantile, &mut floats.to_vec())
    })
}

/// `mad_over_time`: the median of the distances from the median; NaN where any value is.
pub(crate) fn mad(window: &Window<'_>, call: &mut WindowCall<'_>) -> Computed {
    of_floats(window, call, |floats| {
        if floats.iter().any(|value| value.is_nan()) {
            return f64::NAN;
        }
        let mut values = floats.to_vec();
        let median = statistics::quantile(0.5, &mut values);
        for value in &mut values {
            *value = (*value - median).abs();
        }
        statistics::quantile(0.5, &mut values)
    })
}

/// `first_over_time`
pub(crate) fn first(window: &Window<'_>, _: &mut WindowCall<'_>) -> Computed {
    let float_time = window.float_times.first().copied().unwrap_or(i64::MAX);
    Ok(match window.histograms.first() {
        Some(histogram) if window.histogram_times.first() <= Some(&float_time) => {
            Some(Cell::Histogram(Arc::clone(histogram)))
        }
        _ => window.floats.first().copied().map(Cell::Float),
    })
}

/// `last_over_time`
pub(crate) fn last(window: &Window<'_>, _: &mut WindowCall<'_>) -> Computed {
    let float_time = window.float_times.last().copied().unwrap_or(i64::MIN);
    Ok(match window.histograms.last() {
        Some(histogram) if window.histogram_times.last() >= Some(&float_time) => {
            Some(Cell::Histogram(Arc::clone(histogram)))
        }
        _ => window.floats.last().copied().map(Cell::Float),
    })
}

fn seconds(millis: Option<i64>) -> Computed {
    Ok(millis.map(|millis| Cell::Float(i64_to_float(millis) / 1000.0)))
}

/// `ts_of_first_over_time`
pub(crate) fn time_of_first(window: &Window<'_>, _: &mut WindowCall<'_>) -> Computed {
    let firsts = [window.float_times.first(), window.histogram_times.first()];
    seconds(firsts.into_iter().flatten().min().copied())
}

/// `ts_of_last_over_time`
pub(crate) fn time_of_last(window: &Window<'_>, _: &mut WindowCall<'_>) -> Computed {
    let lasts = [window.float_times.last(), window.histogram_times.last()];
    seconds(lasts.into_iter().flatten().max().copied())
}

/// `ts_of_max_over_time`: of several largest values the last counts.
pub(crate) fn time_of_max(window: &Window<'_>, call: &mut WindowCall<'_>) -> Computed {
    time_of(window, call, |value, most| value >= most)
}

/// `ts_of_min_over_time`: of several smallest values the last counts.
pub(crate) fn time_of_min(window: &Window<'_>, call: &mut WindowCall<'_>) -> Computed {
    time_of(window, call, |value, least| value <= least)
}

fn time_of(
    window: &Window<'_>,
    call: &mut WindowCall<'_>,
    replaces: fn(f64, f64) -> bool,
) -> Computed {
    let mut found: Option<(f64, i64)> = None;
    for (value, time) in window.floats.iter().zip(window.float_times) {
        if found.is_none_or(|(best, _)| best.is_nan() || replaces(*value, best)) {
            found = Some((*value, *time));
        }
    }
    if found.is_some() {
        call.note_ignored_histograms(window);
    }
    seconds(found.map(|(_, time)| time))
}
