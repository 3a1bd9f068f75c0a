//! Native histograms: what they share once, then each as differences from the one before.
//!
//! Layout: number of samples (u16) and a byte of flags whose two highest bits say what is known of a reset; with start
//! timestamps the number has only 14 bits, the flags lie above it, and the third byte is the header of the starts. Then the
//! layout of the buckets (see `layout`). Whole counts: time, count, zero count, buckets (each relative to its
//! left neighbour) as delta of deltas, the sum XORed. Fractional counts: the time likewise, all else XORed, each with a
//! window of its own. A sum that is the staleness marker ends the series.

use super::bits::{BitReader, BitWriter, whole};
use super::layout::{self, Layout};
use super::start::StartReader;
use super::xor::{XorReader, XorWriter};
use super::{Encoding, sample};
use model::histogram::CounterResetHint;
use model::number::i64_to_float;
use model::{Histogram, STALE_MARKER, Sample, Value, is_stale_marker};
use std::sync::Arc;

const HINT_BITS: u8 = 0b1100_0000;
const GAUGE: u8 = 0b1100_0000;
const HEADER_BYTES: usize = 3;

/// Appends the samples of a chunk; `None` where the bytes make no sense.
pub(super) fn decode(encoding: Encoding, data: &[u8], out: &mut Vec<Sample>) -> Option<()> {
    let (header, data) = data.split_first_chunk::<HEADER_BYTES>()?;
    let [high, low, third] = *header;
    let has_starts = matches!(
        encoding,
        Encoding::HistogramStart | Encoding::FloatHistogramStart
    );
    let (count, flags, starts) = if has_starts {
        (u16::from_be_bytes([high & !HINT_BITS, low]), high, third)
    } else {
        (u16::from_be_bytes([high, low]), third, 0)
    };
    if count == 0 {
        return Some(());
    }
    let mut bits = BitReader::new(data);
    let mut starts = StartReader::new(starts);
    let layout = layout::read(&mut bits)?;
    let positive = layout::buckets(&layout.positive)?;
    let buckets = positive.checked_add(layout::buckets(&layout.negative)?)?;
    // Each bucket of the first sample takes at least a bit.
    if buckets > bits.remaining() {
        return None;
    }
    let is_gauge = flags & HINT_BITS == GAUGE;
    let mut counts = match encoding {
        Encoding::Histogram | Encoding::HistogramStart => Counts::whole(buckets),
        _ => Counts::fractional(buckets),
    };
    let (mut at, mut delta) = (0_i64, 0_i64);
    for i in 0..count {
        let before = at;
        let read = bits.varbit()?;
        if i == 0 {
            at = read;
        } else {
            delta = delta.checked_add(read)?;
            at = at.checked_add(delta)?;
        }
        counts.read(&mut bits, i == 0)?;
        let start = starts.next(&mut bits, i, (before, at))?;
        let value = if is_stale_marker(counts.sum()) {
            Value::Float(STALE_MARKER)
        } else {
            Value::Histogram(Arc::new(counts.histogram(&layout, positive, is_gauge)))
        };
        out.push(sample(at, start, value));
    }
    Some(())
}

/// An integer that is written as delta of deltas.
#[derive(Clone, Copy, Debug, Default)]
struct Dod {
    value: i64,
    delta: i64,
}

impl Dod {
    fn read(&mut self, bits: &mut BitReader<'_>, is_first: bool) -> Option<()> {
        let read = bits.varbit()?;
        if is_first {
            self.value = read;
        } else {
            self.delta = self.delta.wrapping_add(read);
            self.value = self.value.wrapping_add(self.delta);
        }
        Some(())
    }

    fn read_count(&mut self, bits: &mut BitReader<'_>, is_first: bool) -> Option<()> {
        if is_first {
            self.value = bits.varbit_unsigned()?.cast_signed();
            return Some(());
        }
        self.read(bits, false)
    }

    fn write(&mut self, bits: &mut BitWriter, value: i64) {
        let delta = value.wrapping_sub(self.value);
        bits.varbit(delta.wrapping_sub(self.delta));
        *self = Self { value, delta };
    }
}

/// The changing part of the histograms while reading.
#[derive(Debug)]
enum Counts {
    Whole {
        count: Dod,
        zero: Dod,
        sum: XorReader,
        buckets: Vec<Dod>,
    },
    Fractional {
        count: XorReader,
        zero: XorReader,
        sum: XorReader,
        buckets: Vec<XorReader>,
    },
}

impl Counts {
    fn whole(buckets: usize) -> Self {
        Self::Whole {
            count: Dod::default(),
            zero: Dod::default(),
            sum: XorReader::default(),
            buckets: vec![Dod::default(); buckets],
        }
    }

    fn fractional(buckets: usize) -> Self {
        Self::Fractional {
            count: XorReader::default(),
            zero: XorReader::default(),
            sum: XorReader::default(),
            buckets: vec![XorReader::default(); buckets],
        }
    }

    fn read(&mut self, bits: &mut BitReader<'_>, is_first: bool) -> Option<()> {
        match self {
            Self::Whole {
                count,
                zero,
                sum,
                buckets,
            } => {
                count.read_count(bits, is_first)?;
                zero.read_count(bits, is_first)?;
                read_xor(sum, bits, is_first)?;
                if is_stale_marker(sum.value()) {
                    // No buckets are written with a marker.
                    return Some(());
                }
                for bucket in buckets {
                    bucket.read(bits, is_first)?;
                }
            }
            Self::Fractional {
                count,
                zero,
                sum,
                buckets,
            } => {
                read_xor(count, bits, is_first)?;
                read_xor(zero, bits, is_first)?;
                read_xor(sum, bits, is_first)?;
                if is_stale_marker(sum.value()) {
                    return Some(());
                }
                for bucket in buckets {
                    read_xor(bucket, bits, is_first)?;
                }
            }
        }
        Some(())
    }

    const fn sum(&self) -> f64 {
        match self {
            Self::Whole { sum, .. } | Self::Fractional { sum, .. } => sum.value(),
        }
    }

    fn histogram(&self, layout: &Layout, positive: usize, is_gauge: bool) -> Histogram {
        let (count, zero_count, positive_buckets, negative_buckets) = match self {
            Self::Whole {
                count,
                zero,
                buckets,
                ..
            } => {
                let (left, right) = buckets.split_at(positive);
                let (count, zero) = (i64_to_float(count.value), i64_to_float(zero.value));
                (count, zero, absolute(left), absolute(right))
            }
            Self::Fractional {
                count,
                zero,
                buckets,
                ..
            } => {
                let mut left: Vec<f64> = buckets.iter().map(|bucket| bucket.value()).collect();
                let right = left.split_off(positive);
                (count.value(), zero.value(), left, right)
            }
        };
        Histogram {
            counter_reset_hint: if is_gauge {
                CounterResetHint::Gauge
            } else {
                CounterResetHint::Unknown
            },
            schema: layout.schema,
            zero_threshold: layout.zero_threshold,
            zero_count,
            count,
            sum: self.sum(),
            positive_spans: layout.positive.clone(),
            negative_spans: layout.negative.clone(),
            positive_buckets,
            negative_buckets,
            custom_values: layout.custom_values.clone(),
        }
    }
}

fn read_xor(value: &mut XorReader, bits: &mut BitReader<'_>, is_first: bool) -> Option<()> {
    if is_first {
        *value = XorReader::first(bits)?;
        return Some(());
    }
    value.next(bits)
}

/// The counts of buckets that were given relative to their left neighbours.
fn absolute(buckets: &[Dod]) -> Vec<f64> {
    let mut count = 0_i64;
    let mut add = |bucket: &Dod| {
        count = count.wrapping_add(bucket.value);
        i64_to_float(count)
    };
    buckets.iter().map(&mut add).collect()
}

/// Packs histograms of one layout.
#[derive(Debug)]
pub(super) struct Encoder {
    bits: BitWriter,
    count: u16,
    at: Dod,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Whole {
        count: Dod,
        zero: Dod,
        sum: XorWriter,
        buckets: Vec<Dod>,
    },
    Fractional {
        single: [XorWriter; 3],
        buckets: Vec<XorWriter>,
    },
}

impl Encoder {
    /// Begins with the layout of the first histogram, which is not appended by this.
    pub(super) fn begin(encoding: Encoding, first: &Histogram) -> Self {
        let flags = if layout::is_gauge(first) { GAUGE } else { 0 };
        let mut bits = BitWriter::after(vec![0, 0, flags]);
        layout::write(&mut bits, first);
        let kind = if encoding == Encoding::Histogram {
            Kind::Whole {
                count: Dod::default(),
                zero: Dod::default(),
                sum: XorWriter::default(),
                buckets: Vec::new(),
            }
        } else {
            Kind::Fractional {
                single: [XorWriter::default(); 3],
                buckets: Vec::new(),
            }
        };
        Self {
            bits,
            count: 0,
            at: Dod::default(),
            kind,
        }
    }

    /// Bytes so far.
    pub(super) const fn len(&self) -> usize {
        self.bits.len()
    }

    /// Appends a histogram of the same layout that is younger than the one before.
    pub(super) fn push(&mut self, at: i64, histogram: &Histogram) {
        let is_first = self.count == 0;
        let bits = &mut self.bits;
        if is_first {
            bits.varbit(at);
            self.at.value = at;
        } else {
            self.at.write(bits, at);
        }
        match &mut self.kind {
            Kind::Whole {
                count,
                zero,
                sum,
                buckets,
            } => {
                write_count(count, bits, histogram.count, is_first);
                write_count(zero, bits, histogram.zero_count, is_first);
                write_xor(sum, bits, histogram.sum, is_first);
                let relative = relative(histogram);
                buckets.resize(relative.len(), Dod::default());
                for (bucket, value) in buckets.iter_mut().zip(relative) {
                    if is_first {
                        bits.varbit(value);
                        bucket.value = value;
                    } else {
                        bucket.write(bits, value);
                    }
                }
            }
            Kind::Fractional { single, buckets } => {
                let values = [histogram.count, histogram.zero_count, histogram.sum];
                for (writer, value) in single.iter_mut().zip(values) {
                    write_xor(writer, bits, value, is_first);
                }
                let positive = &histogram.positive_buckets;
                let negative = &histogram.negative_buckets;
                buckets.resize(positive.len() + negative.len(), XorWriter::default());
                for (writer, value) in buckets.iter_mut().zip(positive.iter().chain(negative)) {
                    write_xor(writer, bits, *value, is_first);
                }
            }
        }
        self.count += 1;
    }

    /// The number of samples and the bytes.
    pub(super) fn finish(self) -> (usize, Vec<u8>) {
        let mut data = self.bits.finish();
        if let Some(header) = data.first_chunk_mut::<2>() {
            *header = self.count.to_be_bytes();
        }
        (usize::from(self.count), data)
    }
}

fn write_xor(writer: &mut XorWriter, bits: &mut BitWriter, value: f64, is_first: bool) {
    if is_first {
        *writer = XorWriter::first(bits, value);
    } else {
        writer.next(bits, value);
    }
}

fn write_count(counter: &mut Dod, bits: &mut BitWriter, value: f64, is_first: bool) {
    let value = integer(value);
    if is_first {
        bits.varbit_unsigned(value.cast_unsigned());
        counter.value = value;
    } else {
        counter.write(bits, value);
    }
}

fn integer(value: f64) -> i64 {
    whole(value).map_or(0, u64::cast_signed)
}

/// Whole counts, each relative to its left neighbour on the same side.
fn relative(histogram: &Histogram) -> Vec<i64> {
    let mut all = Vec::new();
    for side in [&histogram.positive_buckets, &histogram.negative_buckets] {
        let mut before = 0;
        for count in side {
            let count = integer(*count);
            all.push(count - before);
            before = count;
        }
    }
    all
}
