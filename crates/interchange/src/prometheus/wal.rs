//! What a Prometheus has not put into blocks yet: checkpoint, write-ahead log, log of late samples, head chunks.
//!
//! Two passes over the logs. The first learns which series have which number and what was deleted; the second hands
//! samples over in batches, so that memory holds the names of the series and one batch, never the samples of hours. Samples
//! that blocks hold already are left out (`in_order_from`), as Prometheus does when it starts: what was deleted from a
//! block must not come back from the log. Head chunks repeat what the log has, save after damage; taking both is harmless
//! because equal samples are one.

mod head_chunks;
mod pages;
mod record;

use super::block::Tombstones;
use crate::error::{Error, at};
use head_chunks::HeadChunk;
use model::{Exemplar, Labels, Sample, SeriesSamples, TimeRange};
use pages::Place;
use record::Record;
use runtime::HashMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// Samples that are handed over at once.
const BATCH_SAMPLES: usize = 50_000;
/// So many problems are listed; more of one directory say nothing new.
const DAMAGES_MAX: usize = 100;

/// The head of a data directory, its series known.
#[derive(Debug)]
pub struct Head {
    /// Checkpoint and log, then the log of late samples.
    logs: [Vec<PathBuf>; 2],
    chunks: Vec<PathBuf>,
    series: HashMap<u64, Labels>,
    deleted: Tombstones,
    /// What could not be read, each with file and offset.
    pub damages: Vec<Error>,
}

/// What of the head is wanted.
#[derive(Clone, Copy, Debug)]
pub struct Wanted {
    /// In-order samples before this are in blocks.
    pub in_order_from: i64,
    /// Samples of this range.
    pub range: TimeRange,
}

/// What was read of the head.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HeadCounts {
    /// Samples handed over.
    pub samples: usize,
    /// Samples that were deleted.
    pub deleted: usize,
    /// Samples of series that no record names.
    pub nameless: usize,
    /// Records of kinds that are not known.
    pub unknown_records: usize,
}

impl Head {
    /// Finds the files below a data directory and reads which series they speak of.
    pub fn open(data: &Path) -> Result<Self, Error> {
        let wal = data.join("wal");
        let mut log = pages::segments(&wal)?;
        if let Some((checkpoint, number)) = last_checkpoint(&wal)? {
            log.retain(|path| number_of(path).is_some_and(|segment| segment > number));
            let mut first = pages::segments(&checkpoint)?;
            first.append(&mut log);
            log = first;
        }
        let mut head = Self {
            logs: [log, pages::segments(&data.join("wbl"))?],
            chunks: pages::segments(&data.join("chunks_head"))?,
            series: HashMap::default(),
            deleted: Tombstones::default(),
            damages: Vec::new(),
        };
        let mut damages = Vec::new();
        let (series, deleted) = (&mut head.series, &mut head.deleted);
        for segments in &head.logs {
            pages::for_each_record(segments, &mut damages, |bytes, _place| {
                // Only these two are looked at in the first pass; the second reports what makes no sense.
                if !matches!(bytes.first(), Some(1 | 3)) {
                    return Ok(());
                }
                match record::decode(bytes) {
                    Some(Record::Series(found)) => series.extend(found),
                    Some(Record::Tombstones(found)) => {
                        for (id, first, last) in found {
                            deleted.add(id, first, last);
                        }
                    }
                    Some(_) | None => {}
                }
                Ok(())
            })?;
        }
        // The second pass meets the same damage and reports it.
        drop(damages);
        Ok(head)
    }

    /// Whether there is nothing at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.logs.iter().all(Vec::is_empty) && self.chunks.is_empty()
    }

    /// Bytes of all its files.
    #[must_use]
    pub fn size_bytes(&self) -> u64 {
        let files = self.logs.iter().flatten().chain(&self.chunks);
        let sizes = files.filter_map(|path| std::fs::metadata(path).ok());
        sizes.map(|metadata| metadata.len()).sum()
    }

    /// Number of series that were named.
    #[must_use]
    pub fn series(&self) -> usize {
        self.series.len()
    }

    /// Hands over all samples and exemplars of series that are `chosen`, in batches; rows of one series come
    /// more than once, not in the order of time. What cannot be read is noted in `damages` and skipped.
    pub fn for_each_batch(
        &mut self,
        wanted: Wanted,
        chosen: &dyn Fn(&Labels) -> bool,
        take: &mut dyn FnMut(Vec<SeriesSamples>) -> Result<(), Error>,
    ) -> Result<HeadCounts, Error> {
        let mut damages = std::mem::take(&mut self.damages);
        let mut reading = Reading {
            series: &self.series,
            deleted: &self.deleted,
            wanted,
            chosen,
            take,
            rows: HashMap::default(),
            held: 0,
            counts: HeadCounts::default(),
        };
        for path in &self.chunks {
            let read = head_chunks::for_each(path, &mut damages, |chunk| reading.chunk(&chunk));
            read?;
        }
        for (is_late, segments) in [false, true].into_iter().zip(&self.logs) {
            let mut broken = Vec::new();
            pages::for_each_record(segments, &mut damages, |bytes, place| {
                reading.record(bytes, (place, is_late), &mut broken)
            })?;
            damages.append(&mut broken);
        }
        reading.flush()?;
        let counts = reading.counts;
        damages.truncate(DAMAGES_MAX);
        self.damages = damages;
        Ok(counts)
    }
}

struct Reading<'a> {
    series: &'a HashMap<u64, Labels>,
    deleted: &'a Tombstones,
    wanted: Wanted,
    chosen: &'a dyn Fn(&Labels) -> bool,
    take: &'a mut dyn FnMut(Vec<SeriesSamples>) -> Result<(), Error>,
    rows: HashMap<u64, (Vec<Sample>, Vec<Exemplar>)>,
    held: usize,
    counts: HeadCounts,
}

impl Reading<'_> {
    fn record(
        &mut self,
        bytes: &[u8],
        (place, is_late): (Place<'_>, bool),
        broken: &mut Vec<Error>,
    ) -> Result<(), Error> {
        match record::decode(bytes) {
            Some(Record::Samples(samples)) => {
                for (id, sample) in samples {
                    self.sample(id, sample, is_late)?;
                }
            }
            Some(Record::Exemplars(exemplars)) => {
                for (id, exemplar) in exemplars {
                    self.exemplar(id, exemplar)?;
                }
            }
            Some(Record::Unknown(_)) => self.counts.unknown_records += 1,
            Some(Record::Series(_) | Record::Tombstones(_) | Record::Other) => {}
            None if broken.len() < DAMAGES_MAX => {
                broken.push(Error::corrupt(
                    place.path,
                    place.offset,
                    "a record makes no sense",
                ));
            }
            None => {}
        }
        Ok(())
    }

    fn chunk(&mut self, chunk: &HeadChunk) -> Result<(), Error> {
        for sample in &chunk.samples {
            self.sample(chunk.series, sample.clone(), chunk.is_late)?;
        }
        Ok(())
    }

    fn sample(&mut self, id: u64, sample: Sample, is_late: bool) -> Result<(), Error> {
        let at = sample.timestamp.millis();
        let in_block = !is_late && at < self.wanted.in_order_from;
        if in_block || !self.wanted.range.contains(sample.timestamp) {
            return Ok(());
        }
        if self.deleted.covers(id, at) {
            self.counts.deleted += 1;
            return Ok(());
        }
        let Some(labels) = self.series.get(&id) else {
            self.counts.nameless += 1;
            return Ok(());
        };
        if !(self.chosen)(labels) {
            return Ok(());
        }
        self.rows.entry(id).or_default().0.push(sample);
        self.held += 1;
        self.counts.samples += 1;
        if self.held >= BATCH_SAMPLES {
            self.flush()?;
        }
        Ok(())
    }

    fn exemplar(&mut self, id: u64, exemplar: Exemplar) -> Result<(), Error> {
        let is_wanted = exemplar
            .timestamp
            .is_some_and(|at| self.wanted.range.contains(at));
        let chosen = |labels: &Labels| (self.chosen)(labels);
        if is_wanted && self.series.get(&id).is_some_and(chosen) {
            self.rows.entry(id).or_default().1.push(exemplar);
            self.held += 1;
            if self.held >= BATCH_SAMPLES {
                self.flush()?;
            }
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), Error> {
        self.held = 0;
        let mut rows: Vec<SeriesSamples> = Vec::with_capacity(self.rows.len());
        for (id, (samples, exemplars)) in self.rows.drain() {
            if let Some(labels) = self.series.get(&id) {
                rows.push(SeriesSamples {
                    labels: labels.clone(),
                    samples,
                    exemplars,
                });
            }
        }
        rows.sort_by(|a, b| a.labels.cmp(&b.labels));
        if rows.is_empty() {
            return Ok(());
        }
        (self.take)(rows)
    }
}

fn number_of(path: &Path) -> Option<u64> {
    path.file_name()?.to_str()?.parse().ok()
}

/// The newest checkpoint and the last segment that it stands for.
fn last_checkpoint(wal: &Path) -> Result<Option<(PathBuf, u64)>, Error> {
    let entries = match std::fs::read_dir(wal) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(at(wal)(error)),
    };
    let mut last = None;
    for entry in entries {
        let entry = entry.map_err(at(wal))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let number = name.strip_prefix("checkpoint.").map(str::parse::<u64>);
        if let Some(Ok(number)) = number
            && last.as_ref().is_none_or(|(_, newest)| *newest < number)
        {
            last = Some((entry.path(), number));
        }
    }
    Ok(last)
}

#[cfg(test)]
mod tests;
