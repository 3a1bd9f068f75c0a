//! One value of one series at one moment.

use crate::{Histogram, Timestamp};
use std::sync::Arc;

/// The NaN that marks the end of a series; told from other NaNs by its bits.
pub const STALE_MARKER: f64 = f64::from_bits(0x7ff0_0000_0000_0002);

/// Whether a value is the staleness marker.
#[must_use]
pub const fn is_stale_marker(value: f64) -> bool {
    value.to_bits() == STALE_MARKER.to_bits()
}

/// A float or a native histogram.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A plain number, or the staleness marker.
    Float(f64),
    /// A native histogram.
    Histogram(Arc<Histogram>),
}

/// A value at a moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// When the value was observed.
    pub timestamp: Timestamp,
    /// Since when a counter or a histogram has been counting; the epoch where that is unknown.
    pub start: Timestamp,
    /// What was observed.
    pub value: Value,
}

impl Sample {
    /// Makes a sample whose start is unknown.
    #[must_use]
    pub const fn new(timestamp: Timestamp, value: Value) -> Self {
        Self {
            timestamp,
            start: Timestamp::from_millis(0),
            value,
        }
    }

    /// Makes a float sample whose start is unknown.
    #[must_use]
    pub const fn float(timestamp: Timestamp, value: f64) -> Self {
        Self::new(timestamp, Value::Float(value))
    }
}
