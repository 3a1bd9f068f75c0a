//! Collects the lines of a classic histogram and hands out a native one with custom buckets.
//!
//! The lines of one histogram stand together, so one is collected at a time; it is finished by the first line
//! that is not its own. A histogram that also came as a native one is left alone.

use crate::classic::Classic;
use model::{Exemplar, Labels, METRIC_NAME, Timestamp, Value};
use std::sync::Arc;

/// What the raw key of a converted histogram begins with; no line of text does, nor a metric's name.
const RAW_MARK: u8 = 0xfe;

/// Which part of a histogram a line is.
#[derive(Clone, Copy, Debug)]
enum Which {
    Bucket(f64),
    Count,
    Sum,
}

/// A line of a classic histogram.
#[derive(Debug)]
pub(super) struct Part {
    /// The histogram's labels.
    labels: Labels,
    which: Which,
}

impl Part {
    /// Changes the histogram's labels.
    pub(super) fn map_labels(self, change: impl FnOnce(Labels) -> Labels) -> Self {
        Self {
            labels: change(self.labels),
            ..self
        }
    }
}

#[derive(Debug, Default)]
struct Collected {
    labels: Labels,
    classic: Classic,
    timestamp: Option<Timestamp>,
    start: Option<Timestamp>,
    exemplars: Vec<Exemplar>,
}

/// A histogram to hand out.
#[derive(Debug)]
struct Finished {
    collected: Collected,
    raw: Vec<u8>,
    value: Value,
}

/// Makes native histograms of classic ones.
#[derive(Debug, Default)]
pub(super) struct Converter {
    present: Option<Collected>,
    finished: Option<Finished>,
    is_fresh: bool,
    /// The last histogram that came as a native one.
    native: Option<Labels>,
}

impl Converter {
    /// What a line of a histogram family is, `None` where it is none of a classic histogram.
    pub(super) fn part(&self, labels: &Labels) -> Option<Part> {
        let name = labels.metric_name();
        let (base, which) = if let Some(base) = name.strip_suffix("_bucket") {
            let bound = model::number::parse_float(labels.value("le")).filter(|le| !le.is_nan())?;
            (base, Which::Bucket(bound))
        } else if let Some(base) = name.strip_suffix("_count") {
            (base, Which::Count)
        } else {
            (name.strip_suffix("_sum")?, Which::Sum)
        };
        let labels = labels.without(&["le"]).with(METRIC_NAME, base);
        Some(Part { labels, which })
    }

    /// Notes a histogram that is a native one already.
    pub(super) fn see_native(&mut self, labels: Labels) {
        self.native = Some(labels);
    }

    /// Whether the histogram came as a native one just before.
    pub(super) fn has_native(&self, part: &Part) -> bool {
        self.native.as_ref() == Some(&part.labels)
    }

    /// Takes a line in. A histogram that was collected before, if it is another, is finished.
    pub(super) fn add(
        &mut self,
        part: Part,
        value: f64,
        (timestamp, start): (Option<Timestamp>, Option<Timestamp>),
    ) {
        if self
            .present
            .as_ref()
            .is_some_and(|p| p.labels != part.labels)
        {
            self.finish();
        }
        let present = self.present.get_or_insert_with(|| Collected {
            labels: part.labels,
            timestamp,
            start,
            ..Collected::default()
        });
        match part.which {
            Which::Bucket(bound) => present.classic.set_bucket(bound, value),
            Which::Count => present.classic.set_count(value),
            Which::Sum => present.classic.set_sum(value),
        }
    }

    /// Where exemplars of the histogram that is being collected go.
    pub(super) fn exemplars(&mut self) -> &mut Vec<Exemplar> {
        &mut self.present.get_or_insert_default().exemplars
    }

    /// Ends the histogram that is being collected. One that contradicts itself is left out.
    pub(super) fn finish(&mut self) {
        let Some(mut collected) = self.present.take() else {
            return;
        };
        let Ok(histogram) = std::mem::take(&mut collected.classic).convert() else {
            return;
        };
        let mut raw = vec![RAW_MARK];
        raw.extend_from_slice(collected.labels.encoded().as_bytes());
        self.is_fresh = true;
        self.finished = Some(Finished {
            raw,
            value: Value::Histogram(Arc::new(histogram)),
            collected,
        });
    }

    /// Whether a histogram was finished since this was asked last.
    pub(super) fn has_finished(&mut self) -> bool {
        std::mem::take(&mut self.is_fresh)
    }

    pub(super) fn raw(&self) -> &[u8] {
        self.finished.as_ref().map_or(&[], |f| &f.raw)
    }

    pub(super) fn value(&self) -> Value {
        let value = self.finished.as_ref().map(|f| f.value.clone());
        value.unwrap_or(Value::Float(super::NORMAL_NAN))
    }

    pub(super) fn timestamp(&self) -> Option<Timestamp> {
        self.finished.as_ref()?.collected.timestamp
    }

    pub(super) fn start(&self) -> Option<Timestamp> {
        self.finished.as_ref()?.collected.start
    }

    pub(super) fn labels(&self) -> Labels {
        let labels = self.finished.as_ref().map(|f| f.collected.labels.clone());
        labels.unwrap_or_default()
    }

    pub(super) fn finished_exemplars(&self) -> &[Exemplar] {
        self.finished
            .as_ref()
            .map_or(&[], |f| &f.collected.exemplars)
    }
}
