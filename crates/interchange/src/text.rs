//! Files of lines: read piece by piece, every mistake named with its line, good lines kept.

use crate::delivery::Selection;
use crate::error::{Error, at};
use model::{Exemplar, Labels, Sample, SeriesSamples};
use runtime::HashMap;
use std::io::{BufRead, Read};
use std::path::Path;

/// What is wrong with a line.
pub type LineError = String;

/// Mistakes that are listed; their number is counted beyond that.
const MISTAKES_MAX: usize = 100;
/// Samples that are gathered before they are handed over.
const GATHERED_MAX: usize = 50_000;
/// Bytes of one line at most: a series of VictoriaMetrics with all its samples is one.
const LINE_BYTES_MAX: u64 = 256 << 20;

/// Reads one format.
pub trait Taker {
    /// Reads a line, its end of line taken off.
    fn line(&mut self, line: &[u8], taken: &mut Taken) -> Result<(), LineError>;

    /// Says what is missing at the end of the file.
    fn end(&mut self) -> Result<(), LineError> {
        Ok(())
    }
}

/// What was read and not handed over yet: samples by series.
#[derive(Debug, Default)]
pub struct Taken {
    rows: HashMap<Labels, (Vec<Sample>, Vec<Exemplar>)>,
    held: usize,
}

impl Taken {
    /// Adds samples of a series.
    pub fn push(&mut self, mut row: SeriesSamples) {
        self.held += row.samples.len() + row.exemplars.len();
        let held = self.rows.entry(row.labels).or_default();
        held.0.append(&mut row.samples);
        held.1.append(&mut row.exemplars);
    }

    fn drain(&mut self) -> Vec<SeriesSamples> {
        self.held = 0;
        let row = |(labels, (samples, exemplars))| SeriesSamples {
            labels,
            samples,
            exemplars,
        };
        let mut rows: Vec<SeriesSamples> = self.rows.drain().map(row).collect();
        rows.sort_by(|a, b| a.labels.cmp(&b.labels));
        rows
    }
}

/// What was read of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TextReport {
    /// Lines, empty ones included.
    pub lines: usize,
    /// Samples that were handed over.
    pub samples: usize,
    /// Bytes.
    pub bytes: u64,
    /// The first mistakes, each with its line, counted from 1.
    pub mistakes: Vec<(usize, LineError)>,
    /// All lines with mistakes.
    pub bad_lines: usize,
}

impl TextReport {
    fn note(&mut self, mistake: LineError) {
        self.bad_lines += 1;
        if self.mistakes.len() < MISTAKES_MAX {
            self.mistakes.push((self.lines, mistake));
        }
    }
}

/// Reads all lines of an input; `path` is for errors of the file system. Rows of one series may be handed over more
/// than once.
pub fn read(
    (path, mut input): (&Path, &mut dyn BufRead),
    taker: &mut dyn Taker,
    selection: &Selection,
    give: Give<'_>,
) -> Result<TextReport, Error> {
    let mut report = TextReport::default();
    let mut taken = Taken::default();
    let mut line = Vec::new();
    loop {
        line.clear();
        let mut limited = Read::take(&mut input, LINE_BYTES_MAX);
        let read = limited.read_until(b'\n', &mut line).map_err(at(path))?;
        if read == 0 {
            break;
        }
        report.lines += 1;
        report.bytes += read as u64;
        if read as u64 == LINE_BYTES_MAX {
            return Err(Error::corrupt(
                path,
                report.bytes,
                "a line of more than 256 MiB",
            ));
        }
        let text = line.strip_suffix(b"\n").unwrap_or(&line);
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        if text.is_empty() {
            continue;
        }
        if let Err(mistake) = taker.line(text, &mut taken) {
            report.note(mistake);
        }
        if taken.held >= GATHERED_MAX {
            hand_over(&mut taken, selection, (&mut report, give))?;
        }
    }
    hand_over(&mut taken, selection, (&mut report, give))?;
    if let Err(mistake) = taker.end() {
        report.note(mistake);
    }
    Ok(report)
}

/// Takes rows that were read, with what was read so far.
pub type Give<'a> = &'a mut dyn FnMut(Vec<SeriesSamples>, &TextReport) -> Result<(), Error>;

fn hand_over(
    taken: &mut Taken,
    selection: &Selection,
    (report, give): (&mut TextReport, Give<'_>),
) -> Result<(), Error> {
    let mut rows = taken.drain();
    rows.retain(|row| selection.takes(&row.labels));
    for row in &mut rows {
        row.samples
            .retain(|sample| selection.range.contains(sample.timestamp));
        report.samples += row.samples.len();
    }
    rows.retain(|row| !row.samples.is_empty() || !row.exemplars.is_empty());
    give(rows, report)
}
