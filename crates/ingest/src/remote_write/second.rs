//! Remote write 2.0: a snappy block that holds an `io.prometheus.write.v2.Request`.
//!
//! All texts stand once in a table of symbols; series name their labels by places in it. Key decision: labels are
//! written out again as version 1.0 sends them, a copy of some 200 bytes a series, so that everything behind the decoder
//! (the cache of known series above all) is one and the same for both versions. What is written out, for refused
//! series too, is limited like the request itself, since a few bytes can name a long text many times.
//!
//! A series with references that lead nowhere is refused on its own, the rest is kept. Specification:
//! prometheus.io/docs/specs/prw/remote_write_spec_2_0.

use super::{
    Batch, DecodeError, Limits, SeriesPlaces, check_samples, histogram, labels, metric_kind, unpack,
};
use crate::protobuf::{Message, ProtobufError};
use model::{
    Exemplar, METRIC_NAME, MetricKind, MetricMetadata, Sample, TYPE_LABEL, Timestamp, UNIT_LABEL,
    Value,
};

/// Symbols of one request at most: each costs 16 bytes while it is read.
const SYMBOLS_MAX: usize = 4_000_000;

/// Characters of a name that a message shows.
const SHOWN_CHARS_MAX: usize = 200;

/// How requests are read.
#[derive(Clone, Copy, Debug, Default)]
pub struct SecondOptions {
    /// What a series says of its metric's type and unit becomes its labels `__type__` and `__unit__`.
    pub type_and_unit_labels: bool,
}

/// Decodes the body of a request.
pub fn decode_second(
    body: &[u8],
    limits: &Limits,
    options: SecondOptions,
) -> Result<Batch, DecodeError> {
    let message = unpack(body, limits)?;
    let mut symbols: Vec<&[u8]> = Vec::new();
    let mut request = Message::new(&message);
    // Nobody says that the table comes first.
    while let Some((field, wire)) = request.next_field()? {
        if field == 4 {
            if symbols.len() == SYMBOLS_MAX {
                return Err(DecodeError::TooMany {
                    what: "symbols",
                    max: SYMBOLS_MAX,
                });
            }
            symbols.push(request.bytes(wire)?);
        }
    }
    let mut decoder = Decoder {
        limits,
        options,
        symbols,
        batch: Batch::default(),
        references: Vec::new(),
        told: None,
        written_bytes: 0,
    };
    let mut request = Message::new(&message);
    while let Some((field, wire)) = request.next_field()? {
        if field == 5 {
            decoder.series(request.message(wire)?)?;
        }
    }
    Ok(decoder.batch)
}

/// What a series says of its metric, by reference.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Told {
    kind: MetricKind,
    help: u32,
    unit: u32,
}

struct Decoder<'m> {
    limits: &'m Limits,
    options: SecondOptions,
    symbols: Vec<&'m [u8]>,
    batch: Batch,
    /// Of the series or exemplar that is being read.
    references: Vec<u32>,
    /// The metric's name and what was told of it by the series before.
    told: Option<(&'m [u8], Told)>,
    /// Bytes of texts that were written out so far, whatever became of them.
    written_bytes: usize,
}

/// Lengths of the batch's lists.
#[derive(Clone, Copy)]
struct Lengths {
    message: usize,
    samples: usize,
    histograms: usize,
    exemplars: usize,
}

impl<'m> Decoder<'m> {
    fn series(&mut self, mut message: Message<'m>) -> Result<(), DecodeError> {
        if self.batch.series.len() >= self.limits.series_max {
            return Err(DecodeError::TooMany {
                what: "series",
                max: self.limits.series_max,
            });
        }
        let before = self.lengths();
        let mut references = std::mem::take(&mut self.references);
        references.clear();
        let (mut created, mut told) = (0, Told::default());
        while let Some((field, wire)) = message.next_field()? {
            match field {
                1 => message.uint32s(wire, &mut references)?,
                2 => {
                    let (at, start, value) = sample(message.message(wire)?)?;
                    self.batch.samples.push((at, value));
                    self.batch.starts.push(start);
                }
                3 => self.histogram(message.message(wire)?)?,
                4 => self.exemplar(message.message(wire)?)?,
                5 => told = metadata(message.message(wire)?)?,
                // Where release candidates of the specification had it.
                6 => created = message.int64(wire)?,
                _ => {}
            }
        }
        check_samples(&self.batch, self.limits)?;
        let is_labelled =
            self.options.type_and_unit_labels && (told.kind, told.unit) != Default::default();
        if is_labelled {
            self.leave_out_type_and_unit(&mut references);
        }
        let mut written = self.write_out(&references)?;
        if is_labelled {
            written = match written {
                Ok(()) => self.write_type_and_unit(told)?,
                refused => refused,
            };
        }
        let name = self.name(&references);
        self.references = references;
        match written.and_then(|()| self.check(before, name)) {
            Ok(name) => {
                self.set_created(before, created);
                self.tell(name, told)?;
                self.finish(before);
            }
            Err(reason) => {
                self.cut_back(before);
                self.batch.refused.add(reason);
            }
        }
        Ok(())
    }

    fn lengths(&self) -> Lengths {
        Lengths {
            message: self.batch.message.len(),
            samples: self.batch.samples.len(),
            histograms: self.batch.histograms.len(),
            exemplars: self.batch.exemplars.len(),
        }
    }

    fn cut_back(&mut self, to: Lengths) {
        self.batch.message.truncate(to.message);
        self.batch.samples.truncate(to.samples);
        self.batch.starts.truncate(to.samples);
        self.batch.histograms.truncate(to.histograms);
        self.batch.histogram_starts.truncate(to.histograms);
        self.batch.exemplars.truncate(to.exemplars);
    }

    fn finish(&mut self, before: Lengths) {
        let now = self.lengths();
        self.batch.series.push(SeriesPlaces {
            labels: before.message..now.message,
            labels_alone: true,
            samples: before.samples..now.samples,
            histograms: before.histograms..now.histograms,
            exemplars: before.exemplars..now.exemplars,
        });
    }

    /// Fails for a series without samples; its name otherwise.
    fn check(&self, before: Lengths, name: Option<&'m [u8]>) -> Result<Option<&'m [u8]>, String> {
        let now = self.lengths();
        if before.samples == now.samples && before.histograms == now.histograms {
            let name = String::from_utf8_lossy(name.unwrap_or_default());
            let name: String = name.chars().take(SHOWN_CHARS_MAX).collect();
            return Err(format!(
                "a series of {name:?} has neither a sample nor a histogram"
            ));
        }
        Ok(name)
    }

    /// Appends labels in the form of version 1.0. The inner error says which reference leads nowhere.
    fn write_out(&mut self, references: &[u32]) -> Result<Result<(), String>, DecodeError> {
        for pair in references.chunks(2) {
            let [name, value] = pair else {
                let count = references.len();
                return Ok(Err(format!(
                    "invalid labels: {count} references, an odd number"
                )));
            };
            let (name, value) = match (self.symbol(*name), self.symbol(*value)) {
                (Ok(name), Ok(value)) => (name, value),
                (Err(reason), _) | (_, Err(reason)) => return Ok(Err(reason)),
            };
            self.write_label(name, value)?;
        }
        Ok(Ok(()))
    }

    fn write_label(&mut self, name: &[u8], value: &[u8]) -> Result<(), DecodeError> {
        self.count_written("labels written out", name.len() + value.len())?;
        put_label(&mut self.batch.message, name, value);
        Ok(())
    }

    /// Counts bytes that are about to be written out. Fails where they are too many in all.
    fn count_written(&mut self, what: &'static str, bytes: usize) -> Result<(), DecodeError> {
        self.written_bytes = self.written_bytes.saturating_add(bytes);
        let (bytes, bytes_max) = (self.written_bytes, self.limits.decoded_bytes_max);
        if bytes > bytes_max {
            return Err(DecodeError::TooLarge {
                what,
                bytes,
                bytes_max,
            });
        }
        Ok(())
    }

    /// What the metadata says holds, not what labels of that name said.
    fn leave_out_type_and_unit(&self, references: &mut Vec<u32>) {
        let is_other = |pair: &&[u32]| {
            let name = pair.first().and_then(|name| self.symbol(*name).ok());
            name != Some(TYPE_LABEL.as_bytes()) && name != Some(UNIT_LABEL.as_bytes())
        };
        let kept: Vec<&[u32]> = references.chunks(2).filter(is_other).collect();
        *references = kept.concat();
    }

    /// As `write_out`.
    fn write_type_and_unit(&mut self, told: Told) -> Result<Result<(), String>, DecodeError> {
        let unit = match self.symbol(told.unit) {
            Ok(unit) => unit,
            Err(reason) => return Ok(Err(reason)),
        };
        let kind = told.kind.label_value().as_bytes();
        for (name, value) in [(TYPE_LABEL, kind), (UNIT_LABEL, unit)] {
            if !value.is_empty() {
                self.write_label(name.as_bytes(), value)?;
            }
        }
        Ok(Ok(()))
    }

    fn symbol(&self, reference: u32) -> Result<&'m [u8], String> {
        let index = usize::try_from(reference).unwrap_or(usize::MAX);
        self.symbols.get(index).copied().ok_or_else(|| {
            let count = self.symbols.len();
            format!("invalid labels: reference {reference} is outside of {count} symbols")
        })
    }

    /// The metric's name among labels.
    fn name(&self, references: &[u32]) -> Option<&'m [u8]> {
        let is_name = |pair: &&[u32]| {
            let name = pair.first().and_then(|name| self.symbol(*name).ok());
            name == Some(METRIC_NAME.as_bytes())
        };
        let pair = references.chunks(2).find(is_name)?;
        self.symbol(*pair.get(1)?).ok()
    }

    fn histogram(&mut self, message: Message<'_>) -> Result<(), DecodeError> {
        match histogram::decode(message)? {
            Ok(Sample {
                timestamp,
                start,
                value: Value::Float(value),
            }) => {
                self.batch.samples.push((timestamp, value));
                self.batch.starts.push(start);
            }
            Ok(Sample {
                timestamp,
                start,
                value: Value::Histogram(histogram),
            }) => {
                self.batch.histograms.push((timestamp, histogram));
                self.batch.histogram_starts.push(start);
            }
            Err(reason) => self.batch.refused.add(reason),
        }
        Ok(())
    }

    fn exemplar(&mut self, mut message: Message<'_>) -> Result<(), DecodeError> {
        let mut references = Vec::new();
        let (mut value, mut timestamp) = (0.0, 0);
        while let Some((field, wire)) = message.next_field()? {
            match field {
                1 => message.uint32s(wire, &mut references)?,
                2 => value = message.double(wire)?,
                3 => timestamp = message.int64(wire)?,
                _ => {}
            }
        }
        let before = self.batch.message.len();
        let written = self.write_out(&references)?;
        let sent = Message::new(self.batch.message.get(before..).unwrap_or_default());
        let read = labels::read_plain(sent, &self.limits.labels)?;
        self.batch.message.truncate(before);
        match written.and(read) {
            Ok(labels) => self.batch.exemplars.push(Exemplar {
                labels,
                value,
                timestamp: Some(Timestamp::from_millis(timestamp)),
            }),
            Err(reason) => self.batch.refused.add(reason),
        }
        Ok(())
    }

    /// Gives the samples of a series its start where they have none of their own.
    fn set_created(&mut self, before: Lengths, created: i64) {
        let floats = self.batch.starts.get_mut(before.samples..);
        let histograms = self.batch.histogram_starts.get_mut(before.histograms..);
        let starts = floats.into_iter().chain(histograms).flatten();
        for start in starts.filter(|start| start.millis() == 0) {
            *start = Timestamp::from_millis(created);
        }
    }

    /// Notes what a series says of its metric; neighbours mostly say the same.
    fn tell(&mut self, name: Option<&'m [u8]>, told: Told) -> Result<(), DecodeError> {
        let Some(name) = name.filter(|_| told != Told::default()) else {
            return Ok(());
        };
        if self.told == Some((name, told)) {
            return Ok(());
        }
        self.told = Some((name, told));
        let help = self.symbol(told.help).unwrap_or_default();
        let unit = self.symbol(told.unit).unwrap_or_default();
        let bytes = name.len() + help.len() + unit.len();
        self.count_written("metadata written out", bytes)?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let metadata = MetricMetadata {
            kind: told.kind,
            help: text(help),
            unit: text(unit),
        };
        self.batch.metadata.push((text(name), metadata));
        Ok(())
    }
}

fn sample(mut message: Message<'_>) -> Result<(Timestamp, Timestamp, f64), ProtobufError> {
    let (mut value, mut timestamp, mut start) = (0.0, 0, 0);
    while let Some((field, wire)) = message.next_field()? {
        match field {
            1 => value = message.double(wire)?,
            2 => timestamp = message.int64(wire)?,
            3 => start = message.int64(wire)?,
            _ => {}
        }
    }
    let millis = Timestamp::from_millis;
    Ok((millis(timestamp), millis(start), value))
}

fn metadata(mut message: Message<'_>) -> Result<Told, ProtobufError> {
    let mut told = Told::default();
    let fit = |value: u64| u32::try_from(value).unwrap_or(u32::MAX);
    while let Some((field, wire)) = message.next_field()? {
        match field {
            1 => told.kind = metric_kind(message.unsigned(wire)?),
            3 => told.help = fit(message.unsigned(wire)?),
            4 => told.unit = fit(message.unsigned(wire)?),
            _ => {}
        }
    }
    Ok(told)
}

/// Appends field 1, a `Label`: name in field 1, value in field 2.
fn put_label(out: &mut Vec<u8>, name: &[u8], value: &[u8]) {
    let text_length = |text: &[u8]| 1 + varint_length(text.len()) + text.len();
    out.push(0x0a);
    put_varint(out, text_length(name) + text_length(value));
    for (tag, text) in [(0x0a, name), (0x12, value)] {
        out.push(tag);
        put_varint(out, text.len());
        out.extend_from_slice(text);
    }
}

fn put_varint(out: &mut Vec<u8>, mut value: usize) {
    while value >= 0x80 {
        out.push(u8::try_from(value & 0x7f).unwrap_or_default() | 0x80);
        value >>= 7;
    }
    out.push(u8::try_from(value).unwrap_or_default());
}

const fn varint_length(value: usize) -> usize {
    let bits = usize::BITS - value.leading_zeros();
    if bits == 0 {
        return 1;
    }
    bits.div_ceil(7) as usize
}

#[cfg(test)]
mod tests;
