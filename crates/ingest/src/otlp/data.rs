//! A request as both encodings give it: texts are borrowed from the body.

use crate::protobuf::ProtobufError;

/// Points of one request at most: each may become several rows of some hundred bytes. Collectors send 8,192 at once.
const POINTS_MAX: usize = 250_000;
/// Attributes, buckets, bounds and quantiles of one request at most.
const PARTS_MAX: usize = 2_000_000;
/// How deep attributes may lie in each other.
pub(super) const DEPTH_MAX: usize = 16;

/// Why a request cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// Not an `ExportMetricsServiceRequest`.
    #[error("proto: {0}")]
    Protobuf(#[from] ProtobufError),
    /// Not one in JSON.
    #[error("json: {0}")]
    Json(String),
    /// More than is read at once.
    #[error("more than {max} {what} in one request")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many there may be.
        max: usize,
    },
}

/// What is left of the limits of one request.
#[derive(Debug)]
pub(super) struct Budget {
    points: usize,
    parts: usize,
}

impl Budget {
    pub(super) const fn new() -> Self {
        Self {
            points: POINTS_MAX,
            parts: PARTS_MAX,
        }
    }

    pub(super) fn take_point(&mut self) -> Result<(), DecodeError> {
        let error = DecodeError::TooMany {
            what: "data points",
            max: POINTS_MAX,
        };
        self.points = self.points.checked_sub(1).ok_or(error)?;
        Ok(())
    }

    pub(super) fn take_parts(&mut self, count: usize) -> Result<(), DecodeError> {
        let error = DecodeError::TooMany {
            what: "attributes and buckets",
            max: PARTS_MAX,
        };
        self.parts = self.parts.checked_sub(count).ok_or(error)?;
        Ok(())
    }
}

/// `ExportMetricsServiceRequest`
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Request<'a> {
    pub(super) resources: Vec<ResourceMetrics<'a>>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct ResourceMetrics<'a> {
    pub(super) attributes: Vec<(&'a str, AnyValue<'a>)>,
    pub(super) scopes: Vec<ScopeMetrics<'a>>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct ScopeMetrics<'a> {
    pub(super) scope: Scope<'a>,
    pub(super) metrics: Vec<Metric<'a>>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Scope<'a> {
    pub(super) name: &'a str,
    pub(super) version: &'a str,
    pub(super) schema_url: &'a str,
    pub(super) attributes: Vec<(&'a str, AnyValue<'a>)>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Metric<'a> {
    pub(super) name: &'a str,
    pub(super) description: &'a str,
    pub(super) unit: &'a str,
    pub(super) data: Data<'a>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Temporality {
    #[default]
    Unspecified,
    Delta,
    Cumulative,
}

impl Temporality {
    pub(super) const fn from_number(number: u64) -> Self {
        match number {
            1 => Self::Delta,
            2 => Self::Cumulative,
            _ => Self::Unspecified,
        }
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(super) enum Data<'a> {
    #[default]
    None,
    Gauge(Vec<Number<'a>>),
    Sum {
        points: Vec<Number<'a>>,
        temporality: Temporality,
        is_monotonic: bool,
    },
    Histogram(Vec<Explicit<'a>>, Temporality),
    Exponential(Vec<Exponential<'a>>, Temporality),
    Summary(Vec<Summary<'a>>),
}

/// What points of all types have.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Point<'a> {
    pub(super) attributes: Vec<(&'a str, AnyValue<'a>)>,
    pub(super) start_nanos: u64,
    pub(super) nanos: u64,
    pub(super) flags: u64,
    pub(super) exemplars: Vec<Exemplar<'a>>,
}

impl Point<'_> {
    /// Whether the point says that there is no value any more.
    pub(super) const fn is_stale(&self) -> bool {
        self.flags & 1 == 1
    }

    pub(super) fn at(&self) -> i64 {
        millis(self.nanos)
    }

    pub(super) fn start(&self) -> i64 {
        millis(self.start_nanos)
    }
}

/// Nanoseconds since the epoch, cut to milliseconds.
pub(super) fn millis(nanos: u64) -> i64 {
    i64::try_from(nanos / 1_000_000).unwrap_or(i64::MAX)
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Number<'a> {
    pub(super) point: Point<'a>,
    pub(super) value: f64,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Explicit<'a> {
    pub(super) point: Point<'a>,
    pub(super) count: u64,
    pub(super) sum: Option<f64>,
    pub(super) bucket_counts: Vec<u64>,
    pub(super) bounds: Vec<f64>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Exponential<'a> {
    pub(super) point: Point<'a>,
    pub(super) count: u64,
    pub(super) sum: Option<f64>,
    pub(super) scale: i32,
    pub(super) zero_count: u64,
    pub(super) zero_threshold: f64,
    pub(super) positive: Buckets,
    pub(super) negative: Buckets,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Buckets {
    pub(super) offset: i32,
    pub(super) counts: Vec<u64>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Summary<'a> {
    pub(super) point: Point<'a>,
    pub(super) count: u64,
    pub(super) sum: f64,
    /// Quantile and value.
    pub(super) quantiles: Vec<(f64, f64)>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Exemplar<'a> {
    pub(super) attributes: Vec<(&'a str, AnyValue<'a>)>,
    pub(super) nanos: u64,
    pub(super) value: f64,
    /// Hexadecimal, empty where there is none.
    pub(super) span_id: String,
    /// The same.
    pub(super) trace_id: String,
}

/// The value of an attribute.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) enum AnyValue<'a> {
    #[default]
    Empty,
    Text(&'a str),
    Bool(bool),
    Int(i64),
    Double(f64),
    /// In base64.
    Bytes(String),
    List(Vec<AnyValue<'a>>),
    Map(Vec<(&'a str, AnyValue<'a>)>),
}
