//! OpenMetrics and Prometheus text with timestamps, as promtool's backfilling takes them.
//!
//! Lines are read one by one, so that a file may be larger than memory and a bad line costs only itself. Bounds of
//! classic histograms are written as a scraper would store them, which needs the `# TYPE` before them.

use crate::text::{LineError, Taken, Taker};
use ingest::exposition::{Entry, Format, Parser};
use model::{MetricKind, Sample, SeriesSamples, Value};

/// Bytes of one line at most.
const LINE_BYTES_MAX: usize = 1 << 20;

/// Reads lines of OpenMetrics.
#[derive(Debug, Default)]
pub struct OpenMetrics {
    /// `# TYPE` of a histogram or summary, repeated before each line it is about.
    kind: String,
    ended: bool,
    body: Vec<u8>,
}

impl Taker for OpenMetrics {
    fn line(&mut self, line: &[u8], taken: &mut Taken) -> Result<(), LineError> {
        if self.ended {
            return Err("unexpected data after # EOF".to_owned());
        }
        if line.len() > LINE_BYTES_MAX {
            return Err(format!("{} bytes are too long for a line", line.len()));
        }
        if line == b"# EOF" {
            self.ended = true;
            return Ok(());
        }
        self.body.clear();
        self.body.extend_from_slice(self.kind.as_bytes());
        self.body.extend_from_slice(line);
        self.body.extend_from_slice(b"\n# EOF\n");
        let mut parser = Parser::new(&self.body, Format::OpenMetrics);
        let mut kind = None;
        loop {
            match parser.next_entry() {
                Err(error) => return Err(error.message),
                Ok(None) => break,
                Ok(Some(Entry::Type { name, kind: found })) => {
                    kind = Some((name.into_owned(), found));
                }
                Ok(Some(Entry::Series(entry))) => {
                    let at = entry
                        .timestamp
                        .ok_or_else(|| "expected timestamp for series got none".to_owned())?;
                    let exemplar = parser.exemplar().map_err(|error| error.message)?;
                    taken.push(SeriesSamples {
                        labels: parser.labels().map_err(|error| error.message)?,
                        samples: vec![Sample::new(at, Value::Float(entry.value))],
                        exemplars: exemplar.into_iter().collect(),
                    });
                }
                Ok(Some(_)) => {}
            }
        }
        if let Some((name, found)) = kind
            && line.starts_with(b"# TYPE")
        {
            self.kind = match found {
                MetricKind::Histogram | MetricKind::Summary => {
                    format!("# TYPE {name} {found}\n")
                }
                _ => String::new(),
            };
        }
        Ok(())
    }

    fn end(&mut self) -> Result<(), LineError> {
        if self.ended {
            return Ok(());
        }
        Err("data does not end with # EOF".to_owned())
    }
}
