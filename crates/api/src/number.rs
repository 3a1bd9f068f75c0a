//! Samples as Prometheus' API writes them.

use model::number::format_float_general;
use model::{Histogram, Sample, Timestamp, Value};
use std::fmt::Write as _;

/// Appends `[1435781451.781,"1"]`.
pub(crate) fn push_point(out: &mut String, at: Timestamp, value: f64) {
    out.push('[');
    push_timestamp(out, at);
    out.push_str(",\"");
    push_float(out, value);
    out.push_str("\"]");
}

/// Appends a sample, float or histogram, as a pair.
pub(crate) fn push_sample(out: &mut String, sample: &Sample) {
    match &sample.value {
        Value::Float(value) => push_point(out, sample.timestamp, *value),
        Value::Histogram(histogram) => {
            out.push('[');
            push_timestamp(out, sample.timestamp);
            out.push(',');
            push_histogram(out, histogram);
            out.push(']');
        }
    }
}

/// The beginnings of points, `[1435781451.781,"`, that were written before: the series of an answer share their
/// times.
#[derive(Default)]
pub(crate) struct Beginnings {
    known: Vec<(Timestamp, String)>,
    next: usize,
}

impl Beginnings {
    /// Appends a point.
    pub(crate) fn push_point(&mut self, out: &mut String, at: Timestamp, value: f64) {
        let is_next = |(known, _): &(Timestamp, String)| *known == at;
        if !self.known.get(self.next).is_some_and(is_next) {
            self.find(at);
        }
        if let Some((_, beginning)) = self.known.get(self.next) {
            out.push_str(beginning);
        }
        self.next += 1;
        push_float(out, value);
        out.push_str("\"]");
    }

    /// Goes to the beginning for a time; makes it where it is new.
    fn find(&mut self, at: Timestamp) {
        self.next = match self.known.binary_search_by_key(&at, |(known, _)| *known) {
            Ok(place) => place,
            Err(place) => {
                let mut beginning = String::from("[");
                push_timestamp(&mut beginning, at);
                beginning.push_str(",\"");
                self.known.insert(place, (at, beginning));
                place
            }
        };
    }
}

/// Appends seconds with milliseconds where there are any.
pub(crate) fn push_timestamp(out: &mut String, at: Timestamp) {
    let millis = at.millis();
    if millis < 0 {
        out.push('-');
    }
    let (seconds, rest) = (millis.unsigned_abs() / 1000, millis.unsigned_abs() % 1000);
    // Writing to a String cannot fail.
    let _infallible = match rest {
        0 => write!(out, "{seconds}"),
        _ => write!(out, "{seconds}.{rest:03}"),
    };
}

/// Appends a float: with an exponent of at least two digits below 1e-6 and from 1e21, else without.
pub(crate) fn push_float(out: &mut String, value: f64) {
    let size = value.abs();
    let is_plain = !value.is_finite() || size == 0.0 || (1e-6..1e21).contains(&size);
    if is_plain {
        model::number::push_float(out, value);
    } else {
        out.push_str(&format_float_general(value));
    }
}

/// Appends `{"count":"…","sum":"…","buckets":[[rule,"lower","upper","count"],…]}`; empty buckets are left out. The rule
/// says which bounds belong to a bucket: 0 the upper, 1 the lower, 3 both.
pub(crate) fn push_histogram(out: &mut String, histogram: &Histogram) {
    out.push_str("{\"count\":\"");
    push_float(out, histogram.count);
    out.push_str("\",\"sum\":\"");
    push_float(out, histogram.sum);
    out.push('"');
    let buckets = promql::histogram_buckets(histogram);
    let mut opening = ",\"buckets\":[";
    for bucket in buckets.iter().filter(|bucket| bucket.count != 0.0) {
        out.push_str(opening);
        opening = ",";
        // Writing to a String cannot fail.
        let _infallible = write!(out, "[{}", bounds_rule(bucket));
        for number in [bucket.lower, bucket.upper, bucket.count] {
            out.push_str(",\"");
            push_float(out, number);
            out.push('"');
        }
        out.push(']');
    }
    out.push_str(if opening == "," { "]}" } else { "}" });
}

/// Which of its bounds lie in a bucket, as upstream's API numbers it.
const fn bounds_rule(bucket: &promql::Bucket) -> u8 {
    match bucket.includes {
        (false, true) => 0,
        (true, false) => 1,
        (false, false) => 2,
        (true, true) => 3,
    }
}

#[cfg(test)]
mod tests {
    use super::{push_float, push_histogram, push_timestamp};
    use model::histogram::Span;
    use model::{Histogram, Timestamp};

    #[test]
    fn writes_as_upstream() {
        let check = |value: f64, want: &str| {
            let mut out = String::new();
            push_float(&mut out, value);
            assert_eq!(out, want);
        };
        check(1.0, "1");
        check(0.000_001, "0.000001");
        check(1e-7, "1e-07");
        check(-2.5e-300, "-2.5e-300");
        check(1e21, "1e+21");
        check(-1.5e22, "-1.5e+22");
        check(f64::NEG_INFINITY, "-Inf");
        check(f64::NAN, "NaN");
        let check = |millis, want: &str| {
            let mut out = String::new();
            push_timestamp(&mut out, Timestamp::from_millis(millis));
            assert_eq!(out, want);
        };
        check(1_435_781_451_781, "1435781451.781");
        check(1000, "1");
        check(-1, "-0.001");
    }

    #[test]
    fn writes_the_buckets_of_histograms() {
        let span = vec![Span {
            offset: 0,
            length: 2,
        }];
        let histogram = Histogram {
            zero_threshold: 0.001,
            zero_count: 1.0,
            count: 6.0,
            sum: 2.5,
            positive_spans: span.clone(),
            positive_buckets: vec![2.0, 0.0],
            negative_spans: span,
            negative_buckets: vec![0.0, 3.0],
            ..Histogram::default()
        };
        let mut out = String::new();
        push_histogram(&mut out, &histogram);
        let want = r#"{"count":"6","sum":"2.5","buckets":[[1,"-2","-1","3"],[3,"-0.001","0.001","1"],[0,"0.5","1","2"]]}"#;
        assert_eq!(out, want);
        let mut out = String::new();
        push_histogram(&mut out, &Histogram::default());
        assert_eq!(out, r#"{"count":"0","sum":"0"}"#);
    }
}
