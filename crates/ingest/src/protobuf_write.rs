//! Writes the protobuf messages that we send, field by field. The other direction is `protobuf`.
//!
//! Fields whose value is the default are written where the caller says so: leaving them out is the caller's choice.

use model::histogram::{CUSTOM_BUCKETS_SCHEMA, CounterResetHint, Span};
use model::{Histogram, Labels};

/// A message that grows.
#[derive(Debug, Default)]
pub(crate) struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// Adds the fields of another message of the same kind.
    pub(crate) fn append(&mut self, other: &Self) {
        self.bytes.extend_from_slice(&other.bytes);
    }

    fn raw_varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.bytes.push(value.to_le_bytes()[0] | 0x80);
            value >>= 7;
        }
        self.bytes.push(value.to_le_bytes()[0]);
    }

    pub(crate) fn varint(&mut self, field: u64, value: u64) {
        self.raw_varint(field << 3);
        self.raw_varint(value);
    }

    /// An `int64` or an `int32`.
    pub(crate) fn int(&mut self, field: u64, value: i64) {
        self.varint(field, value.cast_unsigned());
    }

    /// A `sint32` or a `sint64`.
    pub(crate) fn zigzag(&mut self, field: u64, value: i64) {
        self.varint(field, storage::encoding::zigzag(value));
    }

    pub(crate) fn double(&mut self, field: u64, value: f64) {
        self.raw_varint(field << 3 | 1);
        self.bytes.extend_from_slice(&value.to_bits().to_le_bytes());
    }

    pub(crate) fn bytes(&mut self, field: u64, value: &[u8]) {
        self.raw_varint(field << 3 | 2);
        self.raw_varint(value.len() as u64);
        self.bytes.extend_from_slice(value);
    }

    pub(crate) fn text(&mut self, field: u64, value: &str) {
        self.bytes(field, value.as_bytes());
    }

    /// A message within this one.
    pub(crate) fn message(&mut self, field: u64, write: impl FnOnce(&mut Self)) {
        let mut inner = Self::default();
        write(&mut inner);
        self.bytes(field, &inner.bytes);
    }

    /// Packed doubles; nothing where there are none.
    pub(crate) fn doubles(&mut self, field: u64, values: &[f64]) {
        if values.is_empty() {
            return;
        }
        self.raw_varint(field << 3 | 2);
        self.raw_varint(values.len() as u64 * 8);
        for value in values {
            self.bytes.extend_from_slice(&value.to_bits().to_le_bytes());
        }
    }

    /// Packed unsigned numbers; nothing where there are none.
    pub(crate) fn varints(&mut self, field: u64, values: &[u32]) {
        if values.is_empty() {
            return;
        }
        let mut inner = Self::default();
        for value in values {
            inner.raw_varint(u64::from(*value));
        }
        self.bytes(field, &inner.bytes);
    }

    /// Labels as messages of name and value.
    pub(crate) fn labels(&mut self, field: u64, labels: &Labels) {
        for (name, value) in labels {
            self.message(field, |label| {
                label.text(1, name);
                label.text(2, value);
            });
        }
    }

    /// A `prometheus.Histogram`, which is the same in both versions of remote write; counts as floats.
    pub(crate) fn histogram(&mut self, histogram: &Histogram, timestamp_ms: i64) {
        self.double(2, histogram.count);
        self.double(3, histogram.sum);
        self.zigzag(4, i64::from(histogram.schema));
        self.double(5, histogram.zero_threshold);
        self.double(7, histogram.zero_count);
        self.spans(8, &histogram.negative_spans);
        self.doubles(10, &histogram.negative_buckets);
        self.spans(11, &histogram.positive_spans);
        self.doubles(13, &histogram.positive_buckets);
        let hint = match histogram.counter_reset_hint {
            CounterResetHint::Unknown => 0,
            CounterResetHint::Reset => 1,
            CounterResetHint::NotReset => 2,
            CounterResetHint::Gauge => 3,
        };
        if hint != 0 {
            self.varint(14, hint);
        }
        self.int(15, timestamp_ms);
        if histogram.schema == CUSTOM_BUCKETS_SCHEMA {
            self.doubles(16, histogram.custom_values.as_deref().unwrap_or_default());
        }
    }

    fn spans(&mut self, field: u64, spans: &[Span]) {
        for span in spans {
            self.message(field, |message| {
                message.zigzag(1, i64::from(span.offset));
                message.varint(2, u64::from(span.length));
            });
        }
    }
}

/// A `prometheus.Histogram` by itself.
pub(crate) fn histogram_message(histogram: &Histogram, timestamp_ms: i64) -> Vec<u8> {
    let mut writer = Writer::default();
    writer.histogram(histogram, timestamp_ms);
    writer.into_bytes()
}
