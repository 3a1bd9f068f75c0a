//! Columns of floats, bit for bit.
//!
//! Nearly all real series are decimal numbers in disguise: `0.25`, `17.3`, counts. A column whose values
//! are whole multiples of a power of ten is kept as those multiples; a few values that are none (NaN, the
//! staleness marker, minus zero) are kept beside it. What is not decimal goes to pco or zstd, or is
//! left as it is.
//!
//! Layout: a byte for the codec. 0 constant: the bits (u64). 1 decimal: exponent (byte), number of
//! exceptions, for each the distance to the one before and the bits (u64), the multiples as `integers`.
//! 2 plain: the bits (u64 each). 3 pco: length, standalone file. 4 zstd: length, frame of the plain bits.

use super::{COUNT_MAX, Effort, integers};
use storage::encoding::{Decoder, put_bytes, put_varint};

const CONSTANT: u8 = 0;
const DECIMAL: u8 = 1;
const PLAIN: u8 = 2;
const PCO: u8 = 3;
const ZSTD: u8 = 4;

/// Powers of ten that a float holds exactly, as far as decimal series need them.
const POWERS: [f64; 16] = [
    1.0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
];

/// Multiples beyond this are no longer exact in a float.
const MULTIPLE_MAX: f64 = 9_007_199_254_740_992.0;

/// Values that are looked at for a first guess at the exponent.
const PROBES: usize = 8;

/// One exception in so many values is worth it.
const EXCEPTION_SHARE: usize = 4;

const PCO_LEVEL: usize = 4;
const ZSTD_LEVEL: i32 = 3;

/// Appends a column.
pub(crate) fn encode(out: &mut Vec<u8>, values: &[f64], effort: Effort) {
    if let Some(first) = values.first()
        && values.iter().all(|v| v.to_bits() == first.to_bits())
    {
        out.push(CONSTANT);
        out.extend_from_slice(&first.to_bits().to_le_bytes());
        return;
    }
    if let Some(decimal) = Decimal::find(values) {
        decimal.write(out, effort);
        return;
    }
    let plain: Vec<u8> = values
        .iter()
        .flat_map(|value| value.to_bits().to_le_bytes())
        .collect();
    if effort == Effort::Small && write_compressed(out, values, &plain) {
        return;
    }
    out.push(PLAIN);
    out.extend_from_slice(&plain);
}

/// Writes the smaller of pco and zstd if one of them is smaller than the plain bytes.
fn write_compressed(out: &mut Vec<u8>, values: &[f64], plain: &[u8]) -> bool {
    let config = pco::ChunkConfig::default().with_compression_level(PCO_LEVEL);
    let by_pco = pco::standalone::simple_compress(values, &config).ok();
    let by_zstd = zstd::bulk::compress(plain, ZSTD_LEVEL).ok();
    let candidates = [(PCO, by_pco), (ZSTD, by_zstd)];
    let smallest = candidates
        .into_iter()
        .filter_map(|(codec, bytes)| Some((codec, bytes?)))
        .min_by_key(|(_, bytes)| bytes.len());
    match smallest {
        Some((codec, bytes)) if bytes.len() + 4 < plain.len() => {
            out.push(codec);
            put_bytes(out, &bytes);
            true
        }
        _ => false,
    }
}

/// Reads a column of `count` values.
pub(crate) fn decode(decoder: &mut Decoder<'_>, count: usize) -> Option<Vec<f64>> {
    let mut values = Vec::new();
    decode_into(decoder, count, &mut values)?;
    Some(values)
}

/// Reads a column of `count` values and appends them to others; after `None` some may have been appended.
pub(crate) fn decode_into(
    decoder: &mut Decoder<'_>,
    count: usize,
    out: &mut Vec<f64>,
) -> Option<()> {
    if count > COUNT_MAX {
        return None;
    }
    let start = out.len();
    match decoder.byte()? {
        CONSTANT => out.resize(start + count, f64::from_bits(decoder.u64()?)),
        DECIMAL => {
            out.resize(start + count, 0.0);
            read_decimal(decoder, out.get_mut(start..)?)?;
        }
        PLAIN => read_plain(decoder.take(count.checked_mul(8)?)?, out),
        PCO => {
            let bytes = decoder.bytes()?;
            out.resize(start + count, 0.0);
            let values = out.get_mut(start..)?;
            let progress = pco::standalone::simple_decompress_into(bytes, values).ok()?;
            (progress.n_processed == count && progress.finished).then_some(())?;
        }
        ZSTD => {
            let plain = zstd::bulk::decompress(decoder.bytes()?, count.checked_mul(8)?).ok()?;
            (plain.len() == count * 8).then_some(())?;
            read_plain(&plain, out);
        }
        _ => return None,
    }
    Some(())
}

fn read_plain(bytes: &[u8], out: &mut Vec<f64>) {
    let (words, _none) = bytes.as_chunks::<8>();
    let float = |word: &[u8; 8]| f64::from_bits(u64::from_le_bytes(*word));
    out.extend(words.iter().map(float));
}

/// A column as multiples of a power of ten.
struct Decimal {
    exponent: usize,
    multiples: Vec<i64>,
    /// Index and bits of what is no such multiple.
    exceptions: Vec<(usize, u64)>,
}

impl Decimal {
    /// Finds the smallest exponent that serves all values but a few: that of some of them, until a value wants a
    /// larger one. Then all are looked at again, as not every multiple of a tenth is one of a hundredth.
    fn find(values: &[f64]) -> Option<Self> {
        let step = (values.len() / PROBES).max(1);
        let probes = values.iter().step_by(step);
        let mut exponent = probes.fold(0, |exponent, value| {
            fitting(*value, exponent).unwrap_or(exponent)
        });
        loop {
            match Self::with_exponent(values, exponent) {
                Ok(found) => return found,
                Err(larger) => exponent = larger,
            }
        }
    }

    /// The column with this exponent, `None` where too many values do not fit. Fails with a larger exponent that
    /// one of these fits.
    fn with_exponent(values: &[f64], exponent: usize) -> Result<Option<Self>, usize> {
        let exceptions_max = values.len() / EXCEPTION_SHARE;
        let mut multiples = Vec::with_capacity(values.len());
        let mut exceptions = Vec::new();
        for (i, &value) in values.iter().enumerate() {
            if let Some(multiple) = multiple_of(value, exponent) {
                multiples.push(multiple);
                continue;
            }
            if let Some(larger) = fitting(value, exponent + 1) {
                return Err(larger);
            }
            exceptions.push((i, value.to_bits()));
            multiples.push(multiples.last().copied().unwrap_or_default());
            if exceptions.len() > exceptions_max {
                return Ok(None);
            }
        }
        Ok(Some(Self {
            exponent,
            multiples,
            exceptions,
        }))
    }

    fn write(&self, out: &mut Vec<u8>, effort: Effort) {
        out.push(DECIMAL);
        out.push(u8::try_from(self.exponent).unwrap_or_default());
        put_varint(out, self.exceptions.len() as u64);
        let mut previous = 0;
        for (i, bits) in &self.exceptions {
            put_varint(out, (i - previous) as u64);
            out.extend_from_slice(&bits.to_le_bytes());
            previous = *i;
        }
        integers::encode(out, &self.multiples, effort);
    }
}

fn read_decimal(decoder: &mut Decoder<'_>, values: &mut [f64]) -> Option<()> {
    let exponent = usize::from(decoder.byte()?);
    let power = *POWERS.get(exponent)?;
    let exceptions = decoder.count()?;
    if exceptions > values.len() {
        return None;
    }
    let mut patches = Vec::with_capacity(exceptions);
    let mut at = 0_usize;
    for _ in 0..exceptions {
        at = at.checked_add(decoder.count()?)?;
        patches.push((at, decoder.u64()?));
    }
    let whole = model::number::i64_to_float;
    match exponent {
        // What is divided by one is the same.
        0 => integers::decode_into(decoder, values, whole)?,
        _ => integers::decode_into(decoder, values, |multiple| whole(multiple) / power)?,
    }
    for (at, bits) in patches {
        *values.get_mut(at)? = f64::from_bits(bits);
    }
    Some(())
}

/// The smallest exponent from `least` on of which the value is a multiple.
fn fitting(value: f64, least: usize) -> Option<usize> {
    (least..POWERS.len()).find(|exponent| multiple_of(value, *exponent).is_some())
}

/// The whole number that gives exactly `value` when divided by ten to the `exponent`.
fn multiple_of(value: f64, exponent: usize) -> Option<i64> {
    let power = POWERS[exponent];
    let scaled = value * power;
    // Also false for NaN.
    let small = scaled.abs() <= MULTIPLE_MAX;
    if !small {
        return None;
    }
    // The nearest: half is added away from zero and the fraction cut off.
    let multiple = model::number::float_to_i64(scaled + 0.5_f64.copysign(scaled));
    let back = model::number::i64_to_float(multiple) / power;
    (back.to_bits() == value.to_bits()).then_some(multiple)
}
