//! Residuals that keep to a few ranges, by pco.
//!
//! The residuals are unsigned and as narrow as they can be, since pco writes its bins with the whole width of the type: 16
//! bits up to that width, then 32, then 64. Layout: pco's version, one chunk, one page. What pco looks for by
//! itself, differences and common factors, is known here or not worth the time.

use super::bits::width_of;
use pco::data_types::Number;
use pco::wrapped::{FileCompressor, FileDecompressor};
use pco::{ChunkConfig, DeltaSpec, ModeSpec, PagingSpec};

/// pco's own measure of effort; beyond 4 the gain on our columns is below one percent.
const LEVEL: usize = 4;

/// Residuals that are looked at for an estimate, at most twice as many.
const SAMPLE: usize = 64;

/// The estimate puts them in so many equal parts, pco in a few more.
const PARTS: usize = 8;

/// Bits that 1 to `PARTS` adjacent parts in one bin cost to tell from the others, for each number.
const BIN_BITS: [f64; PARTS] = [3.0, 2.0, 1.415, 1.0, 0.678, 0.415, 0.193, 0.0];

/// Bits of a bin beside its lower bound: weight and number of bits of what lies above the bound.
const BIN_HEAD_BITS: u32 = 11;

/// Bytes that an encoded column takes beside its bins and numbers.
const HEAD_BYTES: f64 = 12.0;

/// Less than this share is not worth asking pco.
const SAVED_SHARE: f64 = 0.02;

/// The order of differences for which pco may well take less than `bytes`, judged by a sample.
pub(super) fn order_worth_trying(numbers: &[i64], bytes: usize) -> Option<u8> {
    let enough = model::number::usize_to_float(bytes) * (1.0 - SAVED_SHARE);
    let mut best = (enough, None);
    let mut sample = Vec::with_capacity(2 * SAMPLE);
    for order in 0..=2_u8 {
        sample.clear();
        let places = (usize::from(order)..numbers.len()).step_by(numbers.len() / SAMPLE);
        sample.extend(places.map(|place| residual_at(numbers, place, order)));
        sample.sort_unstable();
        let bytes = estimate(&sample, numbers.len());
        if bytes < best.0 {
            best = (bytes, Some(order));
        }
    }
    best.1
}

fn residual_at(numbers: &[i64], place: usize, order: u8) -> i64 {
    let back = |by: usize| numbers[place - by];
    match order {
        0 => back(0),
        1 => back(0).wrapping_sub(back(1)),
        _ => back(0)
            .wrapping_sub(back(1))
            .wrapping_sub(back(1).wrapping_sub(back(2))),
    }
}

/// Bytes that pco would make of `count` numbers of which some, sorted, are known: the best way to put equal parts of
/// them together to bins.
fn estimate(sorted: &[i64], count: usize) -> f64 {
    let (Some(first), Some(last)) = (sorted.first(), sorted.last()) else {
        return f64::INFINITY;
    };
    let span = |from: i64, to: i64| width_of(to.wrapping_sub(from).cast_unsigned());
    let bin = f64::from(type_width(span(*first, *last)) + BIN_HEAD_BITS);
    let of_part = model::number::usize_to_float(count) / model::number::usize_to_float(PARTS);
    let mut costs = [f64::INFINITY; PARTS + 1];
    costs[0] = 0.0;
    for end in 1..=PARTS {
        let to = sorted[(sorted.len() * end / PARTS).saturating_sub(1)];
        for begin in 0..end {
            let from = sorted[sorted.len() * begin / PARTS];
            let parts = end - begin;
            let bits = BIN_BITS[parts - 1] + f64::from(span(from, to));
            let numbers = of_part * model::number::usize_to_float(parts);
            costs[end] = costs[end].min(costs[begin] + bin + numbers * bits);
        }
    }
    costs[PARTS] / 8.0 + HEAD_BYTES
}

/// The width of pco's type for numbers of so many bits.
const fn type_width(width: u32) -> u32 {
    match width {
        0..=16 => 16,
        17..=32 => 32,
        _ => 64,
    }
}

/// Residuals of at most `width` bits as bytes.
pub(super) fn encode(residuals: &[u64], width: u32) -> Option<Vec<u8>> {
    match type_width(width) {
        16 => encode_as(&narrowed::<u16>(residuals)?),
        32 => encode_as(&narrowed::<u32>(residuals)?),
        _ => encode_as(residuals),
    }
}

fn narrowed<T: TryFrom<u64>>(residuals: &[u64]) -> Option<Vec<T>> {
    let narrow = residuals.iter().map(|residual| T::try_from(*residual).ok());
    narrow.collect()
}

fn encode_as<T: Number>(numbers: &[T]) -> Option<Vec<u8>> {
    let config = ChunkConfig::default()
        .with_compression_level(LEVEL)
        .with_mode_spec(ModeSpec::Classic)
        .with_delta_spec(DeltaSpec::NoOp)
        .with_paging_spec(PagingSpec::Exact(vec![numbers.len()]));
    let file = FileCompressor::default();
    let mut bytes = Vec::new();
    file.write_header(&mut bytes).ok()?;
    let mut chunk = file.chunk_compressor(numbers, &config).ok()?;
    chunk.write_meta(&mut bytes).ok()?;
    chunk.write_page(0, &mut bytes).ok()?;
    Some(bytes)
}

/// Hands `count` residuals of at most `width` bits to `each`.
pub(super) fn decode(
    bytes: &[u8],
    (count, width): (usize, u32),
    each: impl FnMut(u64),
) -> Option<()> {
    match type_width(width) {
        16 => decode_as::<u16>(bytes, count)?
            .into_iter()
            .map(u64::from)
            .for_each(each),
        32 => decode_as::<u32>(bytes, count)?
            .into_iter()
            .map(u64::from)
            .for_each(each),
        _ => decode_as::<u64>(bytes, count)?.into_iter().for_each(each),
    }
    Some(())
}

fn decode_as<T: Number + Default>(bytes: &[u8], count: usize) -> Option<Vec<T>> {
    let (file, rest) = FileDecompressor::new(bytes).ok()?;
    let (mut chunk, rest) = file.chunk_decompressor::<T, _>(rest).ok()?;
    let mut numbers = vec![T::default(); count];
    let mut page = chunk.page_decompressor(rest, count).ok()?;
    let progress = page.read(&mut numbers).ok()?;
    (progress.n_processed == count && progress.finished && page.into_src().is_empty())
        .then_some(numbers)
}

/// Reads a column as older programs wrote it.
pub(super) fn decode_standalone(bytes: &[u8], count: usize) -> Option<Vec<i64>> {
    let mut numbers = vec![0_i64; count];
    let progress = pco::standalone::simple_decompress_into(bytes, &mut numbers).ok()?;
    (progress.n_processed == count && progress.finished).then_some(numbers)
}
