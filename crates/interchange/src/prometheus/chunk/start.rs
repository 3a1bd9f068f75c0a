//! Start timestamps within a chunk of Prometheus 3.x.
//!
//! A header byte says whether the first sample has one (bit 7) and from which sample on (bits 0–6) every sample says how far
//! its own lies from the one before it; in between nothing is written and the start stays what it was. The first is
//! written as its distance from its own sample's time, all others as the distance from the time of the sample before, the
//! first of them in full and then as differences.

use super::bits::BitReader;

/// What is known while reading.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct StartReader {
    first_is_known: bool,
    changes_from: u16,
    distance: i64,
    start: i64,
}

impl StartReader {
    pub(crate) fn new(header: u8) -> Self {
        Self {
            first_is_known: header & 0x80 != 0,
            changes_from: u16::from(header & 0x7f),
            ..Self::default()
        }
    }

    /// Reads what follows the sample `index` at time `at`; `before` is the time of the one before. Answers
    /// its start, 0 where that is unknown.
    pub(crate) fn next(
        &mut self,
        bits: &mut BitReader<'_>,
        index: u16,
        (before, at): (i64, i64),
    ) -> Option<i64> {
        if index == 0 {
            if self.first_is_known {
                self.start = at.checked_sub(bits.varint()?)?;
            }
        } else if self.changes_from > 0 && index >= self.changes_from {
            let read = bits.varbit()?;
            self.distance = if index == self.changes_from {
                read
            } else {
                self.distance.checked_add(read)?
            };
            self.start = before.checked_sub(self.distance)?;
        }
        Some(self.start)
    }
}
