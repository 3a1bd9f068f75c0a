use super::{Moments, Scratch, Windows};
use crate::ast::{RangeBorders, Span};
use crate::engine::duration::Shift;
use crate::engine::limits::Limits;
use crate::engine::window::Samples;
use crate::engine::{Cell, Steps};
use crate::functions::{self, Implementation, WindowFunction};
use model::{Columns, Labels, ReadBudget, Timestamp};
use proptest::prelude::*;
use runtime::SimulatedClock;
use std::time::Duration;

/// The functions that slide, each with its scalar argument.
const FUNCTIONS: [(&str, Option<f64>); 19] = [
    ("avg_over_time", None),
    ("changes", None),
    ("count_over_time", None),
    ("delta", None),
    ("first_over_time", None),
    ("idelta", None),
    ("increase", None),
    ("irate", None),
    ("last_over_time", None),
    ("max_over_time", None),
    ("min_over_time", None),
    ("present_over_time", None),
    ("quantile_over_time", Some(0.3)),
    ("quantile_over_time", Some(1.0)),
    ("rate", None),
    ("resets", None),
    ("stddev_over_time", None),
    ("stdvar_over_time", None),
    ("sum_over_time", None),
];

fn value() -> impl Strategy<Value = f64> {
    prop_oneof![
        4 => (-5_i32..20).prop_map(f64::from),
        3 => -100.0..100.0,
        1 => prop::sample::select(vec![0.0, -0.0, 1e300, -1e300, 1e16, f64::NAN, f64::INFINITY, model::STALE_MARKER]),
    ]
}

/// Evaluates a function at each step; NaN in one form, as which it is does not matter.
fn evaluated(
    function: WindowFunction,
    columns: &Columns,
    (range_ms, step): (i64, i64),
    (name, parameter): (&'static str, Option<f64>),
) -> Vec<(usize, u64)> {
    let end = columns.timestamps.last().copied().unwrap_or_default() + range_ms;
    let steps = Steps::range(-10, end, step);
    let budget = ReadBudget::new(0);
    let clock = SimulatedClock::new(Timestamp::from_millis(0));
    let moments = Moments {
        steps,
        ends: (0..steps.count).map(|step| steps.at(step)).collect(),
        lookback_ms: 0,
        limits: Limits {
            budget: &budget,
            clock: &clock,
            deadline: Duration::from_secs(1),
        },
    };
    let windows = Windows {
        name,
        has_types: false,
        function,
        parameters: parameter
            .iter()
            .map(|one| vec![*one; steps.count])
            .collect(),
        range_ms,
        shift: Shift::default(),
        borders: RangeBorders::Plain,
        beyond_ms: (0, 0),
        span: Span::default(),
        first_span: Span::default(),
    };
    let mut scratch = Scratch::default();
    let samples = Samples::new(columns);
    let column = windows
        .column(&moments, (&Labels::default(), &samples), &mut scratch)
        .unwrap();
    let bits = column.iter().map(|(step, cell)| match cell {
        Cell::Float(float) if float.is_nan() => (step, f64::NAN.to_bits()),
        Cell::Float(float) => (step, float.to_bits()),
        Cell::Histogram(_) => panic!("a histogram"),
    });
    bits.collect()
}

proptest! {
    #[test]
    fn sliding_gives_what_each_window_gives(
        values in prop::collection::vec((1_i64..40, value()), 1..60),
        range in 5_i64..400,
        step in 1_i64..90,
    ) {
        let mut at = 0;
        let times: Vec<i64> = values.iter().map(|(gap, _)| { at += gap; at }).collect();
        let columns = Columns {
            timestamps: times.into(),
            values: values.iter().map(|(_, value)| *value).collect(),
            ..Columns::default()
        };
        for (name, parameter) in FUNCTIONS {
            let Some(Implementation::Window(function)) = functions::find(name) else {
                panic!("{name} is no function of windows");
            };
            let by_window = WindowFunction { sliding: None, ..*function };
            prop_assert!(function.sliding.is_some());
            let call = (name, parameter);
            prop_assert_eq!(
                evaluated(*function, &columns, (range, step), call),
                evaluated(by_window, &columns, (range, step), call),
                "{} {:?}", name, values
            );
        }
    }
}
