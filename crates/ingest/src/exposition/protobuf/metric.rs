//! One metric of a family, taken apart into the points that it stands for.

use super::super::Options;
use super::super::number::{NORMAL_NAN, format_openmetrics};
use super::{Reason, histogram};
use crate::protobuf::{Message, ProtobufError};
use model::number::u64_to_float;
use model::{Exemplar, Labels, MetricKind, Timestamp, Value};

/// A sample to be.
#[derive(Clone, Debug)]
pub(super) struct Point {
    /// What is added to the family's name.
    pub(super) suffix: &'static str,
    /// The label that makes it one of several: a bound or a quantile.
    pub(super) extra: Option<(&'static str, String)>,
    pub(super) value: Value,
    pub(super) exemplars: Vec<Exemplar>,
}

impl Point {
    pub(super) fn new(suffix: &'static str, value: f64) -> Self {
        // A target cannot make staleness markers.
        let value = if value.is_nan() { NORMAL_NAN } else { value };
        Self {
            suffix,
            extra: None,
            value: Value::Float(value),
            exemplars: Vec::new(),
        }
    }

    pub(super) fn with(self, name: &'static str, number: f64) -> Self {
        Self {
            extra: Some((name, format_openmetrics(number))),
            ..self
        }
    }
}

/// What one `Metric` message says; read again and again for its allocations.
#[derive(Debug, Default)]
pub(super) struct Metric<'a> {
    pub(super) labels: Vec<(&'a str, &'a str)>,
    pub(super) points: Vec<Point>,
    pub(super) timestamp: Option<Timestamp>,
    pub(super) start: Option<Timestamp>,
}

impl<'a> Metric<'a> {
    /// Reads a metric of a kind. Fails where it has no value of that kind.
    pub(super) fn read(
        &mut self,
        mut message: Message<'a>,
        kind: MetricKind,
        options: Options,
    ) -> Result<(), Reason> {
        self.labels.clear();
        self.points.clear();
        (self.timestamp, self.start) = (None, None);
        let mut body = None;
        let wanted = match kind {
            MetricKind::Gauge => 2,
            MetricKind::Counter => 3,
            MetricKind::Summary => 4,
            MetricKind::Histogram | MetricKind::GaugeHistogram => 7,
            _ => 5,
        };
        while let Some((field, wire)) = message.next_field()? {
            match field {
                1 => self.labels.push(label(message.message(wire)?)?),
                6 => {
                    self.timestamp = Some(message.int64(wire)?)
                        .filter(|t| *t != 0)
                        .map(Timestamp::from_millis)
                }
                _ if field == wanted => body = Some(message.message(wire)?),
                _ => {}
            }
        }
        // An absent message counts as an empty one: that is how a zero is sent.
        let body = body.unwrap_or(Message::new(&[]));
        match kind {
            MetricKind::Summary => self.summary(body)?,
            MetricKind::Histogram | MetricKind::GaugeHistogram => {
                let gauge = kind == MetricKind::GaugeHistogram;
                let read = histogram::read(body, gauge, options, &mut self.points)?;
                self.start = read;
            }
            _ => self.single(body)?,
        }
        Ok(())
    }

    /// A counter, a gauge or an untyped value.
    fn single(&mut self, mut message: Message<'_>) -> Result<(), Reason> {
        let mut point = Point::new("", 0.0);
        while let Some((field, wire)) = message.next_field()? {
            match field {
                1 => point.value = Point::new("", message.double(wire)?).value,
                2 => point.exemplars.extend(exemplar(message.message(wire)?)?),
                3 => self.start = time(message.message(wire)?)?,
                _ => {}
            }
        }
        self.points.push(point);
        Ok(())
    }

    fn summary(&mut self, mut message: Message<'_>) -> Result<(), Reason> {
        let (mut count, mut sum) = (0, 0.0);
        self.points.push(Point::new("_count", 0.0));
        self.points.push(Point::new("_sum", 0.0));
        while let Some((field, wire)) = message.next_field()? {
            match field {
                1 => count = message.unsigned(wire)?,
                2 => sum = message.double(wire)?,
                3 => {
                    let mut quantile = message.message(wire)?;
                    let (mut which, mut value) = (0.0, 0.0);
                    while let Some((field, wire)) = quantile.next_field()? {
                        match field {
                            1 => which = quantile.double(wire)?,
                            2 => value = quantile.double(wire)?,
                            _ => {}
                        }
                    }
                    self.points
                        .push(Point::new("", value).with("quantile", which));
                }
                4 => self.start = time(message.message(wire)?)?,
                _ => {}
            }
        }
        let head = [
            Point::new("_count", u64_to_float(count)),
            Point::new("_sum", sum),
        ];
        for (place, point) in self.points.iter_mut().zip(head) {
            *place = point;
        }
        Ok(())
    }
}

fn label<'a>(mut message: Message<'a>) -> Result<(&'a str, &'a str), Reason> {
    let (mut name, mut value): (&[u8], &[u8]) = (b"", b"");
    while let Some((field, wire)) = message.next_field()? {
        match field {
            1 => name = message.bytes(wire)?,
            2 => value = message.bytes(wire)?,
            _ => {}
        }
    }
    let name = std::str::from_utf8(name).map_err(|_invalid| {
        Reason(format!(
            "invalid label name: {:?}",
            String::from_utf8_lossy(name)
        ))
    })?;
    if name.is_empty() {
        return Err(Reason("invalid label name: \"\"".to_owned()));
    }
    let value = std::str::from_utf8(value).map_err(|_invalid| {
        Reason(format!(
            "invalid label value: {:?}",
            String::from_utf8_lossy(value)
        ))
    })?;
    Ok((name, value))
}

/// Reads an exemplar; one whose labels make no sense is left out.
pub(super) fn exemplar(mut message: Message<'_>) -> Result<Option<Exemplar>, Reason> {
    let mut pairs = Vec::new();
    let (mut value, mut timestamp) = (0.0, None);
    while let Some((field, wire)) = message.next_field()? {
        match field {
            1 => pairs.push(label(message.message(wire)?)?),
            2 => value = message.double(wire)?,
            3 => timestamp = time(message.message(wire)?)?,
            _ => {}
        }
    }
    pairs.sort_unstable();
    let twice = pairs
        .windows(2)
        .any(|pair| matches!(pair, [(a, _), (b, _)] if a == b));
    Ok((!twice).then(|| Exemplar {
        labels: Labels::from_pairs(pairs),
        value,
        timestamp,
    }))
}

/// Reads a `google.protobuf.Timestamp`, cut to milliseconds.
pub(super) fn time(mut message: Message<'_>) -> Result<Option<Timestamp>, ProtobufError> {
    let (mut seconds, mut nanos) = (0_i64, 0_i64);
    while let Some((field, wire)) = message.next_field()? {
        match field {
            1 => seconds = message.int64(wire)?,
            2 => nanos = message.int64(wire)?,
            _ => {}
        }
    }
    let millis = seconds
        .saturating_mul(1000)
        .saturating_add(nanos / 1_000_000);
    Ok(Some(Timestamp::from_millis(millis)))
}
