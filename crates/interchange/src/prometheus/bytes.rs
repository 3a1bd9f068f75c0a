//! Numbers in Prometheus' files: highest byte first, besides the LEB128 that all formats share.

use storage::encoding::Decoder;

/// Four bytes, highest first.
pub(crate) fn be32(decoder: &mut Decoder<'_>) -> Option<u32> {
    decoder.take(4)?.try_into().ok().map(u32::from_be_bytes)
}

/// Eight bytes, highest first.
pub(crate) fn be64(decoder: &mut Decoder<'_>) -> Option<u64> {
    decoder.take(8)?.try_into().ok().map(u64::from_be_bytes)
}

/// Eight bytes, highest first, as a float.
pub(crate) fn be_float(decoder: &mut Decoder<'_>) -> Option<f64> {
    be64(decoder).map(f64::from_bits)
}

/// Splits the last four bytes off and compares them with the checksum of the rest.
pub(crate) fn checked(bytes: &[u8]) -> Option<&[u8]> {
    let (content, sum) = bytes.split_last_chunk::<4>()?;
    (super::crc32c::crc32c(content) == u32::from_be_bytes(*sum)).then_some(content)
}
