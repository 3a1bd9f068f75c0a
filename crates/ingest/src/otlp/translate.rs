//! A request, resource by resource and metric by metric, becomes rows.

use super::attributes::{Common, IDENTIFYING, named};
use super::data::{Data, Metric, Request, ResourceMetrics, Temporality};
use super::names::{Shape, metric_name, unit_label};
use super::points::Target;
use super::{Deltas, Settings};
use model::{MetricKind, MetricMetadata, SeriesSamples, Timestamp};

/// Rows of one request at most: a row of a histogram's bucket takes some hundred bytes.
const ROWS_MAX: usize = 1_000_000;
/// Bytes that the labels of one request may take, written out for each row.
const LABEL_BYTES_MAX: usize = 256 << 20;
/// Samples of one resource's `target_info` in one request at most: a request that spans more has old points, which
/// need it least.
const TARGET_INFO_MAX: i64 = 1000;

/// What came of a request.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Translated {
    /// Series with their samples, `target_info` included.
    pub rows: Vec<SeriesSamples>,
    /// Rows among them that say what was added since the point before, by index.
    pub deltas: Vec<usize>,
    /// What was said of metrics, by name.
    pub metadata: Vec<(String, MetricMetadata)>,
    /// Points that were left out.
    pub rejected: usize,
    /// Why, once for each reason and metric, a few of them.
    pub reasons: Vec<String>,
    bytes_left: usize,
}

/// Reasons that an answer holds at most.
const REASONS_MAX: usize = 10;

impl Translated {
    fn reject(&mut self, points: usize, reason: String) {
        self.rejected += points;
        if self.reasons.len() < REASONS_MAX && !self.reasons.contains(&reason) {
            self.reasons.push(reason);
        }
    }
}

/// Translates a request.
#[must_use]
pub fn translate(request: &Request<'_>, settings: &Settings) -> Translated {
    let mut out = Translated {
        bytes_left: LABEL_BYTES_MAX,
        ..Translated::default()
    };
    for resource in &request.resources {
        let common = match Common::of_resource(resource, settings) {
            Ok(common) => common,
            Err(reason) => {
                let points = resource.scopes.iter().flat_map(|scope| &scope.metrics);
                out.reject(points.map(point_count).sum(), reason);
                continue;
            }
        };
        // The first and the last time of the resource.
        let mut times: Option<(i64, i64)> = None;
        for scope in &resource.scopes {
            let with_scope = match common.with_scope(&scope.scope, settings) {
                Ok(common) => common,
                Err(reason) => {
                    out.reject(scope.metrics.iter().map(point_count).sum(), reason);
                    continue;
                }
            };
            for metric in &scope.metrics {
                for at in times_of(metric) {
                    let (first, last) = times.unwrap_or((at, at));
                    times = Some((first.min(at), last.max(at)));
                }
                add_metric(metric, &with_scope, settings, &mut out);
            }
        }
        if let Some(times) = times {
            add_target_info(resource, settings, times, &mut out);
        }
    }
    out
}

fn point_count(metric: &Metric<'_>) -> usize {
    match &metric.data {
        Data::None => 0,
        Data::Gauge(points) | Data::Sum { points, .. } => points.len(),
        Data::Histogram(points, _) => points.len(),
        Data::Exponential(points, _) => points.len(),
        Data::Summary(points) => points.len(),
    }
}

fn times_of<'m>(metric: &'m Metric<'m>) -> Box<dyn Iterator<Item = i64> + 'm> {
    match &metric.data {
        Data::None => Box::new(std::iter::empty()),
        Data::Gauge(points) | Data::Sum { points, .. } => {
            Box::new(points.iter().map(|p| p.point.at()))
        }
        Data::Histogram(points, _) => Box::new(points.iter().map(|p| p.point.at())),
        Data::Exponential(points, _) => Box::new(points.iter().map(|p| p.point.at())),
        Data::Summary(points) => Box::new(points.iter().map(|p| p.point.at())),
    }
}

/// What a metric is: its type for Prometheus, what its name's suffix depends on, and its temporality where it
/// has one.
const fn shape_of(data: &Data<'_>) -> (MetricKind, Shape, Option<Temporality>) {
    match data {
        Data::None => (MetricKind::Unknown, Shape::Other, None),
        Data::Gauge(_) => (MetricKind::Gauge, Shape::Gauge, None),
        Data::Sum {
            temporality,
            is_monotonic: true,
            ..
        } => (MetricKind::Counter, Shape::MonotonicSum, Some(*temporality)),
        Data::Sum { temporality, .. } => (MetricKind::Gauge, Shape::Other, Some(*temporality)),
        Data::Histogram(_, temporality) | Data::Exponential(_, temporality) => {
            (MetricKind::Histogram, Shape::Other, Some(*temporality))
        }
        Data::Summary(_) => (MetricKind::Summary, Shape::Other, None),
    }
}

fn add_metric(metric: &Metric<'_>, common: &Common, settings: &Settings, out: &mut Translated) {
    let points = point_count(metric);
    let (kind, shape, temporality) = shape_of(&metric.data);
    let is_delta = temporality == Some(Temporality::Delta);
    let is_taken = match temporality {
        None | Some(Temporality::Cumulative) => true,
        Some(Temporality::Delta) => settings.deltas != Deltas::Refuse,
        Some(Temporality::Unspecified) => false,
    };
    if !is_taken {
        let name = metric.name;
        out.reject(
            points,
            format!("invalid temporality and type combination for metric {name:?}"),
        );
        return;
    }
    let name = match metric_name(metric.name, metric.unit, shape, settings) {
        Ok(name) => name,
        Err(reason) => return out.reject(points, reason),
    };
    let first = out.rows.len();
    let mut rows = std::mem::take(&mut out.rows);
    let mut bytes_left = out.bytes_left;
    let is_kept_delta = is_delta && settings.deltas == Deltas::Keep;
    let kind = if is_kept_delta {
        // There is no type for that yet.
        MetricKind::Unknown
    } else {
        kind
    };
    let target = Target {
        settings,
        common,
        name: &name,
        kind,
        unit: metric.unit,
        is_delta: is_kept_delta,
        rows: &mut rows,
        bytes_left: &mut bytes_left,
    };
    add_points(metric, target, out);
    if is_delta && settings.deltas == Deltas::Accumulate {
        out.deltas.extend(first..rows.len());
    }
    out.rows = rows;
    out.bytes_left = bytes_left;
    if out.rows.len() > first {
        let metadata = MetricMetadata {
            kind,
            help: metric.description.to_owned(),
            unit: unit_label(metric.unit),
        };
        out.metadata.push((name, metadata));
    }
}

fn add_points(metric: &Metric<'_>, mut target: Target<'_>, out: &mut Translated) {
    let mut add = |add: &mut dyn FnMut(&mut Target<'_>) -> Result<(), String>| {
        if target.rows.len() >= ROWS_MAX || *target.bytes_left == 0 {
            out.reject(
                1,
                "the series of one request take too much memory".to_owned(),
            );
            return;
        }
        let before = target.rows.len();
        if let Err(reason) = add(&mut target) {
            target.rows.truncate(before);
            out.reject(1, format!("metric {:?}: {reason}", metric.name));
        }
    };
    match &metric.data {
        Data::None => {}
        Data::Gauge(points) | Data::Sum { points, .. } => {
            points.iter().for_each(|p| add(&mut |t| t.number(p)));
        }
        Data::Histogram(points, _) => points.iter().for_each(|p| add(&mut |t| t.explicit(p))),
        Data::Exponential(points, _) => {
            points.iter().for_each(|p| add(&mut |t| t.exponential(p)));
        }
        Data::Summary(points) => points.iter().for_each(|p| add(&mut |t| t.summary(p))),
    }
}

/// Adds `target_info`, a series with the attributes of the resource, at the last time of its points and often
/// enough from the first on that every query finds it. None where job and instance say everything, or nothing does.
fn add_target_info(
    resource: &ResourceMetrics<'_>,
    settings: &Settings,
    (first, last): (i64, i64),
    out: &mut Translated,
) {
    let is_identifying = |name: &str| IDENTIFYING.contains(&name);
    let common = Common::identity(resource);
    let says_more = resource.attributes.iter().any(|(n, _)| !is_identifying(n));
    if !says_more || !common.has_identity() {
        return;
    }
    let attributes: Vec<_> = resource
        .attributes
        .iter()
        .filter(|(name, _)| settings.keep_identifying || !is_identifying(name))
        .cloned()
        .collect();
    let labels = match common.labels_of(&attributes, settings) {
        Ok(labels) => named(&labels, "target_info", None),
        Err(reason) => return out.reject(0, reason),
    };
    let interval = settings.target_info_interval_ms.max(1);
    let first = first.max(last.saturating_sub(interval.saturating_mul(TARGET_INFO_MAX)));
    let step = usize::try_from(interval).unwrap_or(usize::MAX);
    for at in (first..last).step_by(step).chain(std::iter::once(last)) {
        let at = Timestamp::from_millis(at);
        out.rows.push(SeriesSamples::float(labels.clone(), at, 1.0));
    }
}
