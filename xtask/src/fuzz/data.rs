//! Random series: counters with resets, gauges, odd numbers, gaps, ends and classic histograms.
//!
//! Every sample lies between 300 and 700 ms after a whole second, and no border of a range of a generated query
//! does: then it cannot matter that ranges are open at the left since Prometheus 3. The magnitudes of one
//! metric are alike, so that sums do not depend on the order of their terms.

use super::random::Random;
use crate::remote_write::{Label, Sample, TimeSeries};

/// When the data begins: a fixed moment, so that a seed makes the same run on any day.
pub(super) const BEGIN_MS: i64 = 1_750_000_000_000;

/// How long it lasts.
pub(super) const SPAN_MS: i64 = 90 * 60_000;

/// What says that a series has ended.
const STALE_BITS: u64 = 0x7ff0_0000_0000_0002;

/// How the values of a metric move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// Grows by whole numbers and starts again.
    Counter,
    /// Far from zero and never starts again.
    Steady,
    /// Grows by fractions.
    FractionCounter,
    /// Noise, no two values alike.
    Noise,
    /// Small whole numbers, also negative.
    Small,
    /// Around 1e-300.
    Tiny,
    /// Around 1e300.
    Huge,
    /// NaN and infinities among numbers.
    Odd,
    /// Seconds since 1970.
    Moment,
    /// Always 1.
    One,
}

/// A metric: its name, the labels besides job and instance with their values, and its shape.
pub(super) struct Metric {
    pub(super) name: &'static str,
    pub(super) labels: &'static [(&'static str, &'static [&'static str])],
    pub(super) shape: Shape,
}

/// All metrics but the histogram.
pub(super) const METRICS: [Metric; 12] = [
    metric(
        "http_requests_total",
        &[("code", &["200", "404", "500"])],
        Shape::Counter,
    ),
    metric("errors_total", &[], Shape::Counter),
    metric("steady_total", &[], Shape::Steady),
    metric(
        "cpu_seconds_total",
        &[("mode", &["idle", "user"])],
        Shape::FractionCounter,
    ),
    metric("temperature", &[("room", &["hall", "attic"])], Shape::Noise),
    metric("load", &[], Shape::Noise),
    metric("queue_length", &[], Shape::Small),
    metric("tiny", &[], Shape::Tiny),
    metric("huge", &[], Shape::Huge),
    metric("odd", &[], Shape::Odd),
    metric("start_time", &[], Shape::Moment),
    metric("build_info", &[("version", &["1.0", "1.1"])], Shape::One),
];

const fn metric(
    name: &'static str,
    labels: &'static [(&'static str, &'static [&'static str])],
    shape: Shape,
) -> Metric {
    Metric {
        name,
        labels,
        shape,
    }
}

pub(super) const JOBS: [&str; 3] = ["api", "web", "db"];
pub(super) const INSTANCES: [&str; 3] = ["i1", "i2", "i3:80"];
pub(super) const BOUNDS: [&str; 5] = ["0.1", "0.5", "1", "5", "+Inf"];

/// The data of a seed.
pub(super) fn series(random: &mut Random) -> Vec<TimeSeries> {
    let mut all = Vec::new();
    for job in JOBS {
        for instance in INSTANCES {
            if random.chance(15) {
                continue;
            }
            for metric in &METRICS {
                plain(metric, (job, instance), random, &mut all);
            }
            if job != "db" {
                histogram((job, instance), random, &mut all);
            }
        }
    }
    all
}

fn plain(
    metric: &Metric,
    (job, instance): (&str, &str),
    random: &mut Random,
    all: &mut Vec<TimeSeries>,
) {
    let more: Vec<(&str, &str)> = match metric.labels {
        [] => vec![("", "")],
        [(name, values), ..] => values.iter().map(|value| (*name, *value)).collect(),
    };
    for extra in more {
        if random.chance(8) {
            continue;
        }
        let labels = [
            ("__name__", metric.name),
            ("instance", instance),
            ("job", job),
            extra,
        ];
        let mut walk = Walk::new(metric.shape, random);
        let times = times(random);
        let samples = times
            .into_iter()
            .map(|time| match time {
                Moment::At(at) => sample(at, walk.next(random)),
                Moment::End(at) => sample(at, f64::from_bits(STALE_BITS)),
            })
            .collect();
        all.push(one(&labels, samples));
    }
}

/// Buckets, count and sum that were scraped together.
fn histogram((job, instance): (&str, &str), random: &mut Random, all: &mut Vec<TimeSeries>) {
    let times = times(random);
    let mut rows = vec![Vec::new(); BOUNDS.len()];
    let mut sums = Vec::new();
    let mut counts = [0.0_f64; BOUNDS.len()];
    let mut sum = 0.0;
    for time in times {
        let (at, ends) = match time {
            Moment::At(at) => (at, false),
            Moment::End(at) => (at, true),
        };
        if random.chance(1) {
            counts = [0.0; BOUNDS.len()];
            sum = 0.0;
        }
        let mut grown = 0.0;
        for (count, row) in counts.iter_mut().zip(&mut rows) {
            grown += whole(random.below(9));
            *count += grown;
            let value = if ends {
                f64::from_bits(STALE_BITS)
            } else {
                *count
            };
            row.push(sample(at, value));
        }
        sum += grown * random.unit();
        sums.push(sample(
            at,
            if ends {
                f64::from_bits(STALE_BITS)
            } else {
                sum
            },
        ));
    }
    let counts = rows.last().cloned().unwrap_or_default();
    for (bound, row) in BOUNDS.iter().zip(rows) {
        let name = ("__name__", "latency_seconds_bucket");
        all.push(one(
            &[name, ("instance", instance), ("job", job), ("le", bound)],
            row,
        ));
    }
    for (name, row) in [
        ("latency_seconds_count", counts),
        ("latency_seconds_sum", sums),
    ] {
        all.push(one(
            &[("__name__", name), ("instance", instance), ("job", job)],
            row,
        ));
    }
}

enum Moment {
    At(i64),
    End(i64),
}

/// Times of a series: an interval of its own, gaps, a late start, an end with or without a marker.
fn times(random: &mut Random) -> Vec<Moment> {
    let interval = *random.pick(&[15_000, 30_000, 30_000, 60_000]);
    let begin = if random.chance(15) {
        random.between(0, SPAN_MS / 2)
    } else {
        random.between(0, 60_000)
    };
    let end = if random.chance(15) {
        random.between(SPAN_MS / 2, SPAN_MS)
    } else {
        SPAN_MS
    };
    let gaps = if random.chance(20) { 12 } else { 1 };
    let mut times = Vec::new();
    let mut at = BEGIN_MS + begin;
    while at < BEGIN_MS + end {
        let placed = at / 1000 * 1000 + random.between(300, 699);
        if random.chance(gaps) {
            if random.chance(40) {
                times.push(Moment::End(placed));
            }
            at += interval * random.between(1, 25);
            continue;
        }
        times.push(Moment::At(placed));
        at += interval;
    }
    if end < SPAN_MS && random.chance(60) {
        times.push(Moment::End(at / 1000 * 1000 + 300));
    }
    times
}

/// The values of a series, one after the other.
struct Walk {
    shape: Shape,
    value: f64,
    level: f64,
}

impl Walk {
    fn new(shape: Shape, random: &mut Random) -> Self {
        let value = match shape {
            Shape::Counter => whole(random.below(1000)),
            Shape::FractionCounter => random.unit() * 50.0,
            Shape::Steady => 1e6,
            _ => 0.0,
        };
        let level = 1.0 + random.unit() * 40.0;
        Self {
            shape,
            value,
            level,
        }
    }

    fn next(&mut self, random: &mut Random) -> f64 {
        match self.shape {
            Shape::Counter | Shape::FractionCounter => {
                let is_whole = self.shape == Shape::Counter;
                if random.chance(2) {
                    self.value = if random.chance(50) {
                        0.0
                    } else {
                        whole(random.below(5))
                    };
                } else if random.chance(70) {
                    let grown = random.unit() * self.level;
                    self.value += if is_whole { grown.floor() } else { grown };
                }
                self.value
            }
            Shape::Steady => {
                self.value += whole(random.below(20));
                self.value
            }
            Shape::Noise => self.level + random.unit() * 10.0,
            Shape::Small => whole(random.below(12)) - 4.0,
            Shape::Tiny => self.level * (0.5 + random.unit()) * 1e-300,
            Shape::Huge => self.level * (0.5 + random.unit()) * 1e300,
            Shape::Odd => *random.pick(&[
                f64::NAN,
                f64::INFINITY,
                f64::NEG_INFINITY,
                -0.0,
                0.0,
                2.5,
                -7.0,
                1.0,
            ]),
            Shape::Moment => 1_749_000_000.0 + whole(random.below(100_000_000)),
            Shape::One => 1.0,
        }
    }
}

fn whole(number: usize) -> f64 {
    f64::from(u32::try_from(number).unwrap_or(u32::MAX))
}

fn sample(timestamp: i64, value: f64) -> Sample {
    Sample { value, timestamp }
}

fn one(labels: &[(&str, &str)], samples: Vec<Sample>) -> TimeSeries {
    let labels = labels
        .iter()
        .filter(|(name, _)| !name.is_empty())
        .map(|(name, value)| Label {
            name: (*name).to_owned(),
            value: (*value).to_owned(),
        })
        .collect();
    TimeSeries { labels, samples }
}
