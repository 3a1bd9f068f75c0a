//! Reads a whole data directory into a store: block after block, then the head.
//!
//! A block that is damaged is given up at the damage, reported, and not noted as finished; what was read of it
//! before stays. Its time is read from the write-ahead log as far as that goes back.

use super::block::{Block, Meta};
use super::folder::DataFolder;
use super::wal::{Head, HeadCounts, Wanted};
use crate::delivery::{Delivery, Selection};
use crate::error::Error;
use crate::journal::Journal;
use model::{Appended, SeriesSamples, Sink};
use std::path::Path;

/// Where samples go.
pub struct Destination<'a> {
    /// Takes them.
    pub sink: &'a dyn Sink,
    /// Makes what was taken safe; called before a block is noted as finished.
    pub settle: &'a dyn Fn() -> Result<(), Error>,
    /// Notes finished blocks.
    pub journal: &'a mut Journal,
    /// The name of this import there.
    pub name: String,
}

/// How far an import is.
#[derive(Clone, Debug, Default)]
pub struct Progress {
    /// What is being read.
    pub piece: String,
    /// Bytes of the directory that are done with.
    pub bytes_done: u64,
    /// Bytes of the directory.
    pub bytes: u64,
    /// Samples handed over.
    pub samples: usize,
}

/// What an import did.
#[derive(Debug, Default)]
pub struct Report {
    /// Blocks that were read whole.
    pub blocks: usize,
    /// Blocks that an earlier run had finished.
    pub blocks_before: usize,
    /// Series of the blocks that were read, each counted in each block.
    pub block_series: usize,
    /// Samples that were handed over, of blocks and head together.
    pub samples: usize,
    /// Samples that had been deleted.
    pub deleted: usize,
    /// What was read of the head.
    pub head: HeadCounts,
    /// What became of the samples.
    pub appended: Appended,
    /// Exemplars that were handed over.
    pub exemplars: usize,
    /// What could not be read.
    pub damages: Vec<Error>,
}

/// Imports a data directory or a single block. Fails only where nothing can go on: the directory is none, the
/// destination takes nothing.
pub fn import(
    path: &Path,
    selection: &Selection,
    destination: &mut Destination<'_>,
    show: &mut dyn FnMut(&Progress),
) -> Result<Report, Error> {
    let mut folder = DataFolder::open(path)?;
    let head = Head::open(path)?;
    let sizes = folder.blocks.iter().map(|(_, path)| folder_bytes(path));
    let mut run = Run {
        selection,
        delivery: Delivery::new(destination.sink),
        progress: Progress {
            bytes: sizes.sum::<u64>() + head.size_bytes(),
            ..Progress::default()
        },
        report: Report {
            damages: std::mem::take(&mut folder.damages),
            ..Report::default()
        },
        show,
    };
    let mut readable: Vec<&Meta> = Vec::new();
    for (meta, path) in &folder.blocks {
        run.progress.piece = format!("block {}", meta.ulid);
        (run.show)(&run.progress);
        if run.piece(meta, path, destination)? {
            readable.push(meta);
        }
        run.progress.bytes_done += folder_bytes(path);
    }
    run.head(head, DataFolder::in_order_from(readable))?;
    (destination.settle)()?;
    Ok(run.finish())
}

/// An import that is under way.
struct Run<'a> {
    selection: &'a Selection,
    delivery: Delivery<'a>,
    progress: Progress,
    report: Report,
    show: &'a mut dyn FnMut(&Progress),
}

impl Run<'_> {
    /// Imports a block unless that is done or not wanted; answers whether it could be read.
    fn piece(
        &mut self,
        meta: &Meta,
        path: &Path,
        destination: &mut Destination<'_>,
    ) -> Result<bool, Error> {
        if destination.journal.has(&destination.name, &meta.ulid) {
            self.report.blocks_before += 1;
            return Ok(true);
        }
        let range = self.selection.range;
        if meta.min_time > range.end.millis() || meta.max_time < range.start.millis() {
            return Ok(true);
        }
        match self.block(path) {
            Ok(()) => {}
            Err(error @ Error::Refused(_)) => return Err(error),
            Err(error) => {
                self.report.damages.push(error);
                return Ok(false);
            }
        }
        self.delivery.flush()?;
        (destination.settle)()?;
        destination.journal.finish(&destination.name, &meta.ulid)?;
        self.report.blocks += 1;
        Ok(true)
    }

    fn block(&mut self, path: &Path) -> Result<(), Error> {
        let mut block = Block::open(path)?;
        let (index, mut reader) = block.parts();
        let mut walk = index.series();
        let mut shown = self.progress.samples;
        while let Some(series) = walk.next_series()? {
            if !self.selection.takes(&series.labels) {
                continue;
            }
            let read = reader.read(&series, self.selection.range)?;
            self.report.block_series += 1;
            self.report.deleted += read.deleted;
            self.progress.samples += read.samples.len();
            self.delivery.push(SeriesSamples {
                labels: series.labels,
                samples: read.samples,
                exemplars: Vec::new(),
            })?;
            if self.progress.samples > shown + SHOWN_EVERY {
                shown = self.progress.samples;
                (self.show)(&self.progress);
            }
        }
        Ok(())
    }

    fn head(&mut self, mut head: Head, in_order_from: i64) -> Result<(), Error> {
        self.progress.piece = "head".to_owned();
        (self.show)(&self.progress);
        let wanted = Wanted {
            in_order_from,
            range: self.selection.range,
        };
        let selection = self.selection;
        let chosen = |labels: &_| selection.takes(labels);
        let mut take = |rows: Vec<SeriesSamples>| {
            for row in rows {
                self.progress.samples += row.samples.len();
                self.delivery.push(row)?;
            }
            (self.show)(&self.progress);
            Ok(())
        };
        self.report.head = head.for_each_batch(wanted, &chosen, &mut take)?;
        self.report.damages.append(&mut head.damages);
        self.delivery.flush()
    }

    fn finish(mut self) -> Report {
        self.progress.bytes_done = self.progress.bytes;
        (self.show)(&self.progress);
        self.report.samples = self.progress.samples;
        self.report.deleted += self.report.head.deleted;
        self.report.appended = self.delivery.appended;
        self.report.exemplars = self.delivery.exemplars;
        self.report
    }
}

/// Samples between two looks at the progress.
const SHOWN_EVERY: usize = 100_000;

/// Bytes of a block's files.
fn folder_bytes(path: &Path) -> u64 {
    let mut total = 0;
    let mut folders = vec![path.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            match entry.metadata() {
                Ok(metadata) if metadata.is_dir() => folders.push(entry.path()),
                Ok(metadata) => total += metadata.len(),
                Err(_) => {}
            }
        }
    }
    total
}

#[cfg(test)]
mod tests;
