//! The samples of a series as bytes, and back: what a checkpoint holds of each.
//!
//! Layout: flags (byte: 1 a newest float, 2 there ever was a histogram, 4 there is a rest); the newest float's
//! time (zigzag) and bits; the tail as a chunk; number of chunks, each. Where there is a rest: the late samples
//! as a chunk; number of histograms, each its time (zigzag), length and bytes; number of changes of the start
//! timestamp, each from when (zigzag) and which (zigzag). A chunk: number of its timestamp column plus one, 0
//! for none; length and bytes of its values. Timestamp columns lie in a table that many series share.

use super::chunk::{CHUNK_SAMPLES, Chunk, TimesPool};
use super::data::{Data, Rare};
use super::starts::Starts;
use super::tail::{OpenTimes, Tail};
use crate::codec::{Effort, integers};
use runtime::HashMap;
use std::sync::Arc;
use storage::encoding::{Decoder, put_bytes, put_varint, put_zigzag};

const HAS_NEWEST: u8 = 1;
const IS_MIXED: u8 = 2;
const HAS_RARE: u8 = 4;

/// The timestamp columns that series on their way into a checkpoint share.
#[derive(Default)]
pub(crate) struct TimesTable {
    columns: Vec<Arc<[i64]>>,
    /// Numbers by where a column lies in memory; `columns` keeps it there.
    numbers: HashMap<usize, u64>,
    pool: TimesPool,
}

impl TimesTable {
    fn number_of(&mut self, times: &Arc<[i64]>) -> u64 {
        let fresh = self.columns.len() as u64;
        let address = Arc::as_ptr(times).cast::<i64>().addr();
        let number = *self.numbers.entry(address).or_insert(fresh);
        if number == fresh {
            self.columns.push(Arc::clone(times));
        }
        number
    }

    /// Appends the table.
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        put_varint(out, self.columns.len() as u64);
        for column in &self.columns {
            put_varint(out, column.len() as u64);
            integers::encode(out, column, Effort::Fast);
        }
    }

    /// Reads a table.
    pub(super) fn decode(decoder: &mut Decoder<'_>) -> Option<RestoredTimes> {
        let mut columns = Vec::new();
        for _ in 0..decoder.count()? {
            let count = decoder.count()?;
            columns.push(integers::decode(decoder, count)?.into());
        }
        let open = vec![None; columns.len()];
        Some(RestoredTimes { columns, open })
    }
}

/// The timestamp columns of a checkpoint, also as tails go on with them.
pub(super) struct RestoredTimes {
    columns: Vec<Arc<[i64]>>,
    open: Vec<Option<Arc<OpenTimes>>>,
}

impl RestoredTimes {
    fn open(&mut self, number: usize) -> Option<&Arc<OpenTimes>> {
        let times = self.columns.get(number)?;
        if times.len() > CHUNK_SAMPLES {
            return None;
        }
        let open = self.open.get_mut(number)?;
        Some(open.get_or_insert_with(|| Arc::new(OpenTimes::new(times))))
    }
}

impl Data {
    /// Appends the samples. No cut runs meanwhile.
    pub(super) fn encode(&self, out: &mut Vec<u8>, times: &mut TimesTable) {
        let mut flags = 0;
        if self.newest.is_some() {
            flags |= HAS_NEWEST;
        }
        if self.mixed {
            flags |= IS_MIXED;
        }
        if self.rare.is_some() {
            flags |= HAS_RARE;
        }
        out.push(flags);
        if let Some((at, value)) = self.newest {
            put_zigzag(out, at);
            out.extend_from_slice(&value.to_bits().to_le_bytes());
        }
        put_plain(out, &self.tail.samples().collect::<Vec<_>>(), times);
        put_varint(out, self.chunks.len() as u64);
        for chunk in &self.chunks {
            put_chunk(out, chunk, times);
        }
        let Some(rare) = &self.rare else {
            return;
        };
        put_plain(out, &rare.late, times);
        put_varint(out, rare.histograms.len() as u64);
        for (at, bytes) in &rare.histograms {
            put_zigzag(out, *at);
            put_bytes(out, bytes);
        }
        let steps = rare.starts.steps();
        put_varint(out, steps.len() as u64);
        for (from, start) in steps {
            put_zigzag(out, *from);
            put_zigzag(out, *start);
        }
    }

    /// Reads samples; `None` for bytes that no encoder wrote.
    pub(super) fn decode(decoder: &mut Decoder<'_>, times: &mut RestoredTimes) -> Option<Self> {
        let mut data = Self::default();
        let flags = decoder.byte()?;
        data.mixed = flags & IS_MIXED != 0;
        if flags & HAS_NEWEST != 0 {
            data.newest = Some((decoder.zigzag()?, f64::from_bits(decoder.u64()?)));
        }
        if let Some((number, chunk)) = take_chunk(decoder, times)? {
            data.tail = Tail::from_parts(times.open(number)?, chunk.values())?;
        }
        for _ in 0..decoder.count()? {
            data.chunks.push(take_chunk(decoder, times)??.1);
        }
        data.chunks.shrink_to_fit();
        if flags & HAS_RARE == 0 {
            return Some(data);
        }
        let mut rare = Rare {
            late: take_chunk(decoder, times)?
                .map(|(_, chunk)| chunk.samples().collect())
                .unwrap_or_default(),
            ..Rare::default()
        };
        for _ in 0..decoder.count()? {
            let at = decoder.zigzag()?;
            let bytes = decoder.bytes()?;
            crate::histogram::decode(&mut Decoder::new(bytes))?;
            rare.histograms.insert(at, bytes.into());
        }
        let mut steps = Vec::new();
        for _ in 0..decoder.count()? {
            steps.push((decoder.zigzag()?, decoder.zigzag()?));
        }
        rare.starts = Starts::from_steps(steps);
        data.rare = Some(Box::new(rare));
        Some(data)
    }
}

fn put_plain(out: &mut Vec<u8>, samples: &[(i64, f64)], times: &mut TimesTable) {
    if samples.is_empty() {
        out.push(0);
        return;
    }
    let chunk = Chunk::encode(samples, &mut times.pool);
    put_chunk(out, &chunk, times);
}

fn put_chunk(out: &mut Vec<u8>, chunk: &Chunk, times: &mut TimesTable) {
    put_varint(out, times.number_of(chunk.times()) + 1);
    put_bytes(out, chunk.bytes());
}

/// The chunk that comes next, if it is one, with the number of its timestamp column.
#[expect(clippy::option_option, reason = "no chunk is not the same as no bytes")]
fn take_chunk(decoder: &mut Decoder<'_>, times: &RestoredTimes) -> Option<Option<(usize, Chunk)>> {
    let Some(number) = decoder.count()?.checked_sub(1) else {
        return Some(None);
    };
    let times = Arc::clone(times.columns.get(number)?);
    let chunk = Chunk::from_bytes(times, decoder.bytes()?)?;
    Some(Some((number, chunk)))
}
