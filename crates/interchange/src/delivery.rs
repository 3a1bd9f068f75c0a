//! Hands what was read to a store, in batches, and counts what became of it.

use crate::error::Error;
use model::{Appended, Labels, Matcher, SeriesSamples, Sink, TimeRange, matcher};

/// Samples of one batch: a request of remote write, or a record of the log.
const BATCH_SAMPLES: usize = 10_000;

/// What is wanted of what is there.
#[derive(Clone, Debug)]
pub struct Selection {
    /// All of these must match; none takes every series.
    pub matchers: Vec<Matcher>,
    /// Samples of this range.
    pub range: TimeRange,
}

impl Default for Selection {
    fn default() -> Self {
        Self {
            matchers: Vec::new(),
            range: TimeRange::ALL,
        }
    }
}

impl Selection {
    /// Whether a series is wanted.
    #[must_use]
    pub fn takes(&self, labels: &Labels) -> bool {
        matcher::all_match(&self.matchers, labels)
    }
}

/// Rows on their way to a store.
pub struct Delivery<'a> {
    sink: &'a dyn Sink,
    rows: Vec<SeriesSamples>,
    held: usize,
    /// What became of those that were sent.
    pub appended: Appended,
    /// Exemplars that were sent.
    pub exemplars: usize,
}

impl<'a> Delivery<'a> {
    /// Begins with nothing.
    #[must_use]
    pub fn new(sink: &'a dyn Sink) -> Self {
        Self {
            sink,
            rows: Vec::new(),
            held: 0,
            appended: Appended::default(),
            exemplars: 0,
        }
    }

    /// Takes a row; sends when enough are there. A row of more samples than a batch is sent in parts.
    pub fn push(&mut self, mut row: SeriesSamples) -> Result<(), Error> {
        while row.samples.len() > BATCH_SAMPLES {
            let rest = row.samples.split_off(BATCH_SAMPLES);
            let part = SeriesSamples {
                labels: row.labels.clone(),
                samples: std::mem::replace(&mut row.samples, rest),
                exemplars: std::mem::take(&mut row.exemplars),
            };
            self.push_small(part)?;
        }
        self.push_small(row)
    }

    fn push_small(&mut self, row: SeriesSamples) -> Result<(), Error> {
        let size = row.samples.len() + row.exemplars.len();
        if size == 0 {
            return Ok(());
        }
        if self.held + size > BATCH_SAMPLES {
            self.flush()?;
        }
        self.held += size;
        self.rows.push(row);
        Ok(())
    }

    /// Sends what is held.
    pub fn flush(&mut self) -> Result<(), Error> {
        if self.rows.is_empty() {
            return Ok(());
        }
        let done = self.sink.append(&self.rows);
        let done = done.map_err(|error| Error::Refused(error.to_string()))?;
        self.exemplars += self
            .rows
            .iter()
            .map(|row| row.exemplars.len())
            .sum::<usize>();
        self.appended.accepted += done.accepted;
        self.appended.duplicates += done.duplicates;
        self.appended.too_old += done.too_old;
        self.appended.too_new += done.too_new;
        self.appended.over_limit += done.over_limit;
        self.rows.clear();
        self.held = 0;
        Ok(())
    }
}
