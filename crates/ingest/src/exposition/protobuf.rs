//! Reads exposition in protocol buffers: `io.prometheus.client.MetricFamily` messages, each with its length
//! before it.
//!
//! As lenient as Prometheus' own scraper: a family's help, type and unit first, then its metrics. A summary
//! or a classic histogram comes out as the series that the text format would have; a native histogram as one
//! sample, followed by its classic series where both are wanted. Memory: one family's list of metrics and one
//! metric's points. Format: client_model, `metrics.proto`.

mod histogram;
mod metric;

use super::{Entry, Options, ParseError, number};
use crate::protobuf::{Message, ProtobufError};
use metric::{Metric, Point};
use model::{Exemplar, Labels, METRIC_NAME, MetricKind, Timestamp, Value};
use std::borrow::Cow;
use std::collections::VecDeque;

/// Between the parts of a raw key; no UTF-8 text holds it.
const SEPARATOR: u8 = 0xff;

/// One family: what is said of it, and its metrics still to come.
#[derive(Clone, Debug, Default)]
struct Family<'a> {
    name: &'a str,
    help: &'a str,
    unit: &'a str,
    kind: MetricKind,
    metrics: VecDeque<&'a [u8]>,
    /// Which of help, type and unit come next.
    said: u8,
}

/// Walks over one body.
#[derive(Debug)]
pub(super) struct ProtobufParser<'a> {
    rest: &'a [u8],
    options: Options,
    family: Family<'a>,
    /// Families begun, for messages.
    families: usize,
    metric: Metric<'a>,
    /// The point of `metric` that comes next.
    next_point: usize,
    raw: Vec<u8>,
}

impl<'a> ProtobufParser<'a> {
    pub(super) fn new(body: &'a [u8], options: Options) -> Self {
        Self {
            rest: body,
            options,
            family: Family {
                said: 3,
                ..Family::default()
            },
            families: 0,
            metric: Metric::default(),
            next_point: 0,
            raw: Vec::new(),
        }
    }

    /// Reads on: `Some(None)` is a sample.
    pub(super) fn next_entry(&mut self) -> Result<Option<Option<Entry<'a>>>, ParseError> {
        loop {
            if let Some(entry) = self.said_of_family() {
                return Ok(Some(Some(entry)));
            }
            if self.next_point < self.metric.points.len() {
                self.next_point += 1;
                self.set_raw();
                return Ok(Some(None));
            }
            if let Some(message) = self.family.metrics.pop_front() {
                self.next_point = 0;
                self.metric
                    .read(Message::new(message), self.family.kind, self.options)
                    .map_err(|reason| self.error(reason))?;
                continue;
            }
            if self.rest.is_empty() {
                return Ok(None);
            }
            self.begin_family()?;
        }
    }

    /// Help, type and unit of the present family, one after the other.
    fn said_of_family(&mut self) -> Option<Entry<'a>> {
        let family = &mut self.family;
        let name = Cow::Borrowed(family.name);
        family.said = family.said.saturating_add(1);
        match family.said {
            1 => Some(Entry::Help {
                name,
                text: Cow::Borrowed(family.help),
            }),
            2 => Some(Entry::Type {
                name,
                kind: family.kind,
            }),
            3 if !family.unit.is_empty() => Some(Entry::Unit {
                name,
                unit: Cow::Borrowed(family.unit),
            }),
            _ => None,
        }
    }

    fn begin_family(&mut self) -> Result<(), ParseError> {
        self.families += 1;
        let (message, rest) = split_delimited(self.rest).map_err(|e| self.error(e.into()))?;
        self.rest = rest;
        self.metric.points.clear();
        self.next_point = 0;
        self.family = Family::default();
        self.read_family(message)
            .map_err(|error| self.error(error.into()))?
            .map_err(|reason| self.error(Reason(reason)))
    }

    fn read_family(&mut self, message: &'a [u8]) -> Result<Result<(), String>, ProtobufError> {
        let family = &mut self.family;
        let (mut name, mut help, mut unit): (&[u8], &[u8], &[u8]) = (b"", b"", b"");
        let mut kind = 0;
        let mut fields = Message::new(message);
        while let Some((field, wire)) = fields.next_field()? {
            match field {
                1 => name = fields.bytes(wire)?,
                2 => help = fields.bytes(wire)?,
                3 => kind = fields.unsigned(wire)?,
                4 => family.metrics.push_back(fields.bytes(wire)?),
                5 => unit = fields.bytes(wire)?,
                _ => {}
            }
        }
        let texts = (
            std::str::from_utf8(name),
            std::str::from_utf8(help),
            std::str::from_utf8(unit),
        );
        let (Ok(name), Ok(help), Ok(unit)) = texts else {
            let name = String::from_utf8_lossy(name);
            return Ok(Err(format!("name, help or unit of {name:?} is not UTF-8")));
        };
        family.kind = match kind {
            0 => MetricKind::Counter,
            1 => MetricKind::Gauge,
            2 => MetricKind::Summary,
            3 => MetricKind::Unknown,
            4 => MetricKind::Histogram,
            5 => MetricKind::GaugeHistogram,
            other => {
                return Ok(Err(format!(
                    "unknown metric type for metric {name:?}: {other}"
                )));
            }
        };
        (family.name, family.help, family.unit) = (name, help, unit);
        Ok(check_family(family))
    }

    /// Equal bytes for equal series: name, suffix, labels.
    fn set_raw(&mut self) {
        let raw = &mut self.raw;
        raw.clear();
        raw.extend_from_slice(self.family.name.as_bytes());
        let Some(point) = self.metric.points.get(self.next_point - 1) else {
            return;
        };
        raw.extend_from_slice(point.suffix.as_bytes());
        let labels = self.metric.labels.iter().copied();
        let extra = point.extra.iter().map(|(n, v)| (*n, v.as_str()));
        for (name, value) in labels.chain(extra) {
            raw.push(SEPARATOR);
            raw.extend_from_slice(name.as_bytes());
            raw.push(SEPARATOR);
            raw.extend_from_slice(value.as_bytes());
        }
        if matches!(point.value, Value::Histogram(_)) {
            // A series of the same name may be a float, too.
            raw.push(SEPARATOR);
        }
    }

    fn point(&self) -> Option<&Point> {
        self.metric.points.get(self.next_point.checked_sub(1)?)
    }

    pub(super) fn raw(&self) -> &[u8] {
        &self.raw
    }

    pub(super) fn value(&self) -> Value {
        self.point()
            .map_or(Value::Float(number::NORMAL_NAN), |point| {
                point.value.clone()
            })
    }

    pub(super) const fn timestamp(&self) -> Option<Timestamp> {
        self.metric.timestamp
    }

    pub(super) const fn start(&self) -> Option<Timestamp> {
        self.metric.start
    }

    pub(super) fn exemplars(&self) -> &[Exemplar] {
        self.point().map_or(&[], |point| &point.exemplars)
    }

    pub(super) fn labels(&self) -> Result<Labels, ParseError> {
        let Some(point) = self.point() else {
            return Ok(Labels::default());
        };
        let name = format!("{}{}", self.family.name, point.suffix);
        let labels = self.metric.labels.iter().copied();
        let extra = point.extra.iter().map(|(n, v)| (*n, v.as_str()));
        let all = std::iter::once((METRIC_NAME, name.as_str()));
        let mut pairs: Vec<(&str, &str)> = all.chain(labels).chain(extra).collect();
        pairs.sort_unstable();
        for pair in pairs.windows(2) {
            if let [(first, _), (second, _)] = pair
                && first == second
            {
                let reason = format!("label name {first:?} is not unique: invalid sample");
                return Err(self.error(Reason(reason)));
            }
        }
        Ok(Labels::from_pairs(pairs))
    }

    pub(super) fn names_of_empty_labels(&self) -> Vec<Cow<'a, str>> {
        let empty = self
            .metric
            .labels
            .iter()
            .filter(|(_, value)| value.is_empty());
        empty.map(|(name, _)| Cow::Borrowed(*name)).collect()
    }

    fn error(&self, reason: Reason) -> ParseError {
        ParseError {
            line: self.families,
            message: reason.0,
        }
    }
}

/// Why a message is refused, in words.
#[derive(Debug)]
struct Reason(String);

impl From<ProtobufError> for Reason {
    fn from(error: ProtobufError) -> Self {
        Self(format!("proto: {error}"))
    }
}

/// Splits off the message before which its length stands.
fn split_delimited(bytes: &[u8]) -> Result<(&[u8], &[u8]), ProtobufError> {
    let mut message = Message::new(bytes);
    let found = message.delimited()?;
    Ok((found, message.rest()))
}

fn check_family(family: &Family<'_>) -> Result<(), String> {
    let (name, unit) = (family.name, family.unit);
    if name.is_empty() {
        return Err(format!("invalid metric name: {name}"));
    }
    if unit.is_empty() {
        return Ok(());
    }
    let base = match family.kind {
        MetricKind::Counter => name.strip_suffix("_total").unwrap_or(name),
        _ => name,
    };
    let fits = base
        .strip_suffix(unit)
        .is_some_and(|head| head.ends_with('_'));
    if fits {
        return Ok(());
    }
    Err(format!("unit {unit:?} not a suffix of metric {name:?}"))
}

#[cfg(test)]
mod tests;
