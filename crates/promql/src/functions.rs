//! What each function computes. Adding one is a line in `signatures`, a line in `find` and its
//! code in the file of its family.

mod absent;
mod calendar;
mod changes;
pub(crate) mod clamp;
mod classic_buckets;
mod extended_rate;
mod histogram_parts;
mod histogram_quantile;
mod info;
mod labels;
mod math;
pub(crate) mod native_quantile;
mod over_time;
mod query_time;
mod rate;
mod regression;
mod scalar;
mod sliding;
mod smoothing;
mod sort;
pub(crate) mod statistics;
pub(crate) mod summarised;
mod timestamp;

use crate::ast::{Call, Span};
use crate::engine::{Cell, Evaluation, Stage, Steps, Sweep, Value, Window, WindowCall};
use crate::error::QueryError;

pub(crate) use calendar::{Moment, of_steps as calendar_of_steps};
pub(crate) use extended_rate::interpolated;
pub(crate) use rate::note_possible_gauge;
pub(crate) use sliding::Stretch;

/// How a function is evaluated.
pub(crate) enum Implementation {
    /// Each float by itself.
    Math(fn(f64) -> f64),
    /// Each float, as seconds since the epoch, by itself; without argument the moment of evaluation.
    Calendar(fn(Moment) -> f64),
    /// Each value by itself, together with scalars that are evaluated first.
    Staged(fn(&mut Evaluation<'_>, &Call, Steps) -> Result<Stage<'static>, QueryError>),
    /// Each window by itself.
    Window(WindowFunction),
    /// In a way of its own.
    Special(fn(&mut Evaluation<'_>, &Call, Span, Steps) -> Result<Value, QueryError>),
}

/// A function over the samples of a window.
#[derive(Clone, Copy)]
pub(crate) struct WindowFunction {
    /// Whether the result is still a value of the metric.
    pub(crate) keeps_name: bool,
    /// The value for a window that has samples; `None` for no value.
    pub(crate) compute: Compute,
    /// The same for all windows of a series of floats at once, where that is quicker.
    pub(crate) sliding: Option<Sliding>,
}

/// Computes a function's values for all windows of a series of floats; the same to the last bit as `Compute`
/// for each window, and without remarks. What is not written stays absent. Scalar arguments are from 0 to 1.
pub(crate) type Sliding = fn(&Sweep<'_>, &mut [f64]) -> Result<(), QueryError>;

/// Computes a function's value for a window.
pub(crate) type Compute = fn(&Window<'_>, &mut WindowCall<'_>) -> Result<Option<Cell>, QueryError>;

/// A function over windows whose result is no value of the metric.
const fn window(compute: Compute) -> Implementation {
    Implementation::Window(WindowFunction {
        keeps_name: false,
        compute,
        sliding: None,
    })
}

/// The same with a quicker way for floats.
const fn sliding(compute: Compute, sliding: Sliding) -> Implementation {
    Implementation::Window(WindowFunction {
        keeps_name: false,
        compute,
        sliding: Some(sliding),
    })
}

/// The same with a result that is still a value of the metric.
const fn keeping_name(compute: Compute, sliding: Sliding) -> Implementation {
    Implementation::Window(WindowFunction {
        keeps_name: true,
        compute,
        sliding: Some(sliding),
    })
}

impl Implementation {
    /// The stage that a call is, `None` for a call that is something else.
    pub(crate) fn stage(
        &self,
        evaluation: &mut Evaluation<'_>,
        call: &Call,
        steps: Steps,
    ) -> Result<Option<Stage<'static>>, QueryError> {
        Ok(match self {
            Self::Math(function) => Some(Stage::Map(*function)),
            Self::Calendar(part) => Some(Stage::Date(*part)),
            Self::Staged(prepare) => Some(prepare(evaluation, call, steps)?),
            Self::Window(_) | Self::Special(_) => None,
        })
    }

    /// Whether a call changes each value of its first argument by itself.
    pub(crate) fn is_stage(&self, call: &Call) -> bool {
        matches!(self, Self::Math(_) | Self::Calendar(_) | Self::Staged(_))
            && !call.arguments.is_empty()
    }
}

/// Finds the implementation of a function.
pub(crate) fn find(name: &str) -> Option<&'static Implementation> {
    TABLE
        .binary_search_by(|(known, _)| (*known).cmp(name))
        .ok()
        .and_then(|index| TABLE.get(index))
        .map(|(_, implementation)| implementation)
}

use Implementation::{Calendar, Math, Special, Staged};

/// All functions, sorted by name.
#[rustfmt::skip]
static TABLE: &[(&str, Implementation)] = &[
    ("abs", Math(f64::abs)),
    ("absent", Special(absent::absent)),
    ("absent_over_time", Special(absent::absent_over_time)),
    ("acos", Math(f64::acos)),
    ("acosh", Math(f64::acosh)),
    ("asin", Math(f64::asin)),
    ("asinh", Math(f64::asinh)),
    ("atan", Math(f64::atan)),
    ("atanh", Math(f64::atanh)),
    ("avg_over_time", sliding(over_time::avg, sliding::avg)),
    ("ceil", Math(f64::ceil)),
    ("changes", sliding(changes::changes, sliding::changes)),
    ("clamp", Staged(clamp::clamp)),
    ("clamp_max", Staged(clamp::clamp_max)),
    ("clamp_min", Staged(clamp::clamp_min)),
    ("cos", Math(f64::cos)),
    ("cosh", Math(f64::cosh)),
    ("count_over_time", sliding(over_time::count, sliding::count)),
    ("day_of_month", Calendar(calendar::day_of_month)),
    ("day_of_week", Calendar(calendar::day_of_week)),
    ("day_of_year", Calendar(calendar::day_of_year)),
    ("days_in_month", Calendar(calendar::days_in_month)),
    ("deg", Math(math::deg)),
    ("delta", sliding(rate::delta, sliding::delta)),
    ("deriv", window(regression::deriv)),
    ("double_exponential_smoothing", window(smoothing::double_exponential)),
    ("end", Special(query_time::end)),
    ("exp", Math(f64::exp)),
    ("first_over_time", keeping_name(over_time::first, sliding::first)),
    ("floor", Math(f64::floor)),
    ("histogram_avg", Special(histogram_parts::avg)),
    ("histogram_count", Special(histogram_parts::count)),
    ("histogram_fraction", Special(histogram_quantile::fraction)),
    ("histogram_quantile", Special(histogram_quantile::quantile)),
    ("histogram_quantiles", Special(histogram_quantile::quantiles)),
    ("histogram_stddev", Special(histogram_parts::stddev)),
    ("histogram_stdvar", Special(histogram_parts::stdvar)),
    ("histogram_sum", Special(histogram_parts::sum)),
    ("hour", Calendar(calendar::hour)),
    ("idelta", sliding(rate::idelta, sliding::idelta)),
    ("increase", sliding(rate::increase, sliding::increase)),
    ("info", Special(info::info)),
    ("irate", sliding(rate::irate, sliding::irate)),
    ("label_join", Special(labels::join)),
    ("label_replace", Special(labels::replace)),
    ("last_over_time", keeping_name(over_time::last, sliding::last)),
    ("ln", Math(f64::ln)),
    ("log10", Math(f64::log10)),
    ("log2", Math(f64::log2)),
    ("mad_over_time", window(over_time::mad)),
    ("max_of", Special(scalar::max_of)),
    ("max_over_time", sliding(over_time::max, sliding::max)),
    ("min_of", Special(scalar::min_of)),
    ("min_over_time", sliding(over_time::min, sliding::min)),
    ("minute", Calendar(calendar::minute)),
    ("month", Calendar(calendar::month)),
    ("pi", Special(scalar::pi)),
    ("predict_linear", window(regression::predict_linear)),
    ("present_over_time", sliding(over_time::present, sliding::present)),
    ("quantile_over_time", sliding(over_time::quantile, sliding::quantile)),
    ("rad", Math(math::rad)),
    ("range", Special(query_time::range)),
    ("rate", sliding(rate::rate, sliding::rate)),
    ("resets", sliding(changes::resets, sliding::resets)),
    ("round", Staged(clamp::round)),
    ("scalar", Special(scalar::scalar)),
    ("sgn", Math(math::sgn)),
    ("sin", Math(f64::sin)),
    ("sinh", Math(f64::sinh)),
    ("sort", Special(sort::ascending)),
    ("sort_by_label", Special(sort::by_label)),
    ("sort_by_label_desc", Special(sort::by_label_descending)),
    ("sort_desc", Special(sort::descending)),
    ("sqrt", Math(f64::sqrt)),
    ("start", Special(query_time::start)),
    ("start_timestamp", Special(timestamp::start_timestamp)),
    ("stddev_over_time", sliding(over_time::stddev, sliding::stddev)),
    ("stdvar_over_time", sliding(over_time::stdvar, sliding::stdvar)),
    ("step", Special(query_time::step)),
    ("sum_over_time", sliding(over_time::sum, sliding::sum)),
    ("tan", Math(f64::tan)),
    ("tanh", Math(f64::tanh)),
    ("time", Special(query_time::time)),
    ("timestamp", Special(timestamp::timestamp)),
    ("ts_of_first_over_time", window(over_time::time_of_first)),
    ("ts_of_last_over_time", window(over_time::time_of_last)),
    ("ts_of_max_over_time", window(over_time::time_of_max)),
    ("ts_of_min_over_time", window(over_time::time_of_min)),
    ("vector", Special(scalar::vector)),
    ("year", Calendar(calendar::year)),
];

#[cfg(test)]
mod tests {
    use super::{TABLE, find};
    use crate::signatures::SIGNATURES;

    #[test]
    fn every_signature_has_an_implementation() {
        assert!(TABLE.is_sorted_by(|a, b| a.0 < b.0));
        for signature in SIGNATURES {
            assert!(find(signature.name).is_some(), "{}", signature.name);
        }
    }
}
