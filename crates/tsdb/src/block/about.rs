//! What a block says of itself, so that a lost manifest can be made again from the blocks.
//!
//! Layout (at the beginning of the index page): order; length of the windows in ms, 0 for samples as they came;
//! times of the first and the last sample (zigzag); series; samples; number of blocks it was merged from, the
//! number of each.

use super::BlockMeta;
use storage::encoding::{Decoder, put_varint, put_zigzag};

/// Appends it.
pub(super) fn encode(out: &mut Vec<u8>, meta: &BlockMeta, sources: &[u64]) {
    put_varint(out, meta.order);
    put_varint(out, meta.window_ms.unsigned_abs());
    put_zigzag(out, meta.start);
    put_zigzag(out, meta.end);
    put_varint(out, meta.series);
    put_varint(out, meta.samples);
    put_varint(out, sources.len() as u64);
    for source in sources {
        put_varint(out, *source);
    }
}

/// Reads it from a block with this number and of this size; also the numbers of the blocks it was merged from.
pub(super) fn decode(
    decoder: &mut Decoder<'_>,
    (id, bytes): (u64, u64),
) -> Option<(BlockMeta, Vec<u64>)> {
    let meta = BlockMeta {
        id,
        order: decoder.varint()?,
        window_ms: i64::try_from(decoder.varint()?).ok()?,
        start: decoder.zigzag()?,
        end: decoder.zigzag()?,
        series: decoder.varint()?,
        samples: decoder.varint()?,
        bytes,
    };
    let mut sources = Vec::new();
    for _ in 0..decoder.count()? {
        sources.push(decoder.varint()?);
    }
    Some((meta, sources))
}
