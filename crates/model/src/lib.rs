//! The nouns that cross crates: labels, samples, matchers, relabelling, alerts, and the columns
//! that query engines read.
//!
//! This crate does no I/O, reads no clock and knows no wire format. What is here is what two
//! other crates exchange; a type that only one crate needs lives there.

pub mod alert;
pub mod changes;
pub mod columns;
pub mod duration;
pub mod histogram;
pub mod labels;
pub mod matcher;
mod md5;
pub mod memory;
pub mod metadata;
pub mod number;
pub mod regex;
pub mod relabel;
pub mod sample;
pub mod timestamp;
mod xxhash;

pub use alert::{Alert, RoutedAlert};
pub use changes::ChangeLog;
pub use columns::{
    Appended, Columns, HeldScan, ReadBudget, Scan, Series, SeriesSamples, Sink, SinkError, Source,
    SourceError, Summaries, TimeRange,
};
pub use duration::{format_duration, parse_duration};
pub use histogram::Histogram;
pub use labels::{Labels, METRIC_NAME, TYPE_LABEL, UNIT_LABEL};
pub use matcher::{MatchOperator, Matcher};
pub use memory::MemoryStore;
pub use metadata::{Exemplar, MetricKind, MetricMetadata};
pub use number::format_float;
pub use relabel::RelabelRule;
pub use sample::{STALE_MARKER, Sample, Value, is_stale_marker};
pub use timestamp::Timestamp;
