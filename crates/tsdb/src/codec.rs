//! Columns of numbers as few bytes.
//!
//! `values` keeps floats bit for bit, `integers` keeps whole numbers (timestamps, scaled decimals), `bits`
//! packs what is left. Each column is written by the codec that makes it smallest; its first byte
//! says which. Counts are known from elsewhere and passed in. Decoders answer `None` for bytes that
//! no encoder wrote; they never panic and never reserve memory for more than `COUNT_MAX` numbers.

mod bits;
pub(crate) mod integers;
mod pco_residuals;
mod radix;
pub(crate) mod values;

/// How hard an encoder tries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effort {
    /// Fast, for the head in memory.
    Fast,
    /// Small, for blocks on disk.
    Small,
}

/// Numbers in one column at most.
pub(crate) const COUNT_MAX: usize = 1 << 24;

#[cfg(test)]
mod tests;
