//! Sources inside this process that are written like targets: this host's sensors, our own metrics.
//!
//! One thread calls each source every few seconds and stores its rows with `up` and the `scrape_*` series
//! beside them. A source that fails is `up` 0; series that it no longer gives end with a marker. At
//! shutdown nothing is ended, as with targets.

use crate::report::markers;
use model::number::{i64_to_float, usize_to_float};
use model::{Labels, METRIC_NAME, SeriesSamples, Sink, Timestamp};
use runtime::{HashSet, SharedClock, Shutdown};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// How often sources are read.
pub const INTERVAL: Duration = Duration::from_secs(5);

/// What a source gives: rows whose labels hold the metric's name, without those of the target.
pub type Rows = Result<Vec<SeriesSamples>, String>;

/// Something that is read.
pub struct Source {
    /// Labels that its rows get, such as `job` and `instance`; labels of the rows win.
    pub labels: Labels,
    /// Reads it.
    pub read: Box<dyn FnMut(Timestamp) -> Rows + Send>,
}

/// How a source was when it was last read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SourceView {
    /// Its labels.
    pub labels: Labels,
    /// What went wrong, empty for nothing.
    pub error: String,
    /// When it was read; `None` before the first time.
    pub at: Option<Timestamp>,
    /// How long that took.
    pub duration_seconds: f64,
}

/// Where the state of all sources can be looked at.
#[derive(Clone, Debug, Default)]
pub struct SourceViews(Arc<Mutex<Vec<SourceView>>>);

impl SourceViews {
    /// The state of each source, in their order.
    #[must_use]
    pub fn list(&self) -> Vec<SourceView> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn set(&self, index: usize, view: SourceView) {
        let mut views = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if views.len() <= index {
            views.resize_with(index + 1, SourceView::default);
        }
        if let Some(slot) = views.get_mut(index) {
            *slot = view;
        }
    }
}

/// Starts the thread. It ends when `shutdown` is raised.
///
/// Fails where the operating system refuses another thread.
pub fn spawn(
    sources: Vec<Source>,
    sink: Arc<dyn Sink>,
    clock: SharedClock,
    shutdown: Shutdown,
) -> std::io::Result<(SourceViews, JoinHandle<()>)> {
    let views = SourceViews::default();
    let shown = views.clone();
    let mut readers: Vec<Reader> = sources.into_iter().map(Reader::new).collect();
    let work = move || {
        let mut next = clock.monotonic();
        loop {
            let now = clock.monotonic();
            for (index, reader) in readers.iter_mut().enumerate() {
                let view = reader.read(clock.now(), &clock, sink.as_ref());
                shown.set(index, view);
            }
            // Ticks that were missed are left out.
            while next <= now {
                next += INTERVAL;
            }
            if shutdown.wait(next.saturating_sub(clock.monotonic())) {
                return;
            }
        }
    };
    Ok((views, runtime::thread::spawn("inside", work)?))
}

/// A source and the series it gave last.
struct Reader {
    source: Source,
    last: HashSet<Labels>,
}

impl Reader {
    fn new(source: Source) -> Self {
        Self {
            source,
            last: HashSet::default(),
        }
    }

    /// Reads the source once and stores what it gives.
    fn read(&mut self, at: Timestamp, clock: &SharedClock, sink: &dyn Sink) -> SourceView {
        let started = clock.monotonic();
        let read = (self.source.read)(at);
        let duration_seconds = clock.monotonic().saturating_sub(started).as_secs_f64();
        let (rows, error) = match read {
            Ok(rows) => (rows, String::new()),
            Err(error) => (Vec::new(), error),
        };
        let rows = self.rows(rows, at, error.is_empty(), duration_seconds);
        let stored = sink.append(&rows).map_err(|error| error.to_string());
        if let Err(error) = &stored {
            tracing::warn!(error, "the store did not take samples from inside");
        }
        SourceView {
            labels: self.source.labels.clone(),
            error: if error.is_empty() {
                stored.err().unwrap_or_default()
            } else {
                error
            },
            at: Some(at),
            duration_seconds,
        }
    }

    /// The source's rows with its labels, markers for what it no longer gives, and what is said about it.
    fn rows(
        &mut self,
        mut rows: Vec<SeriesSamples>,
        at: Timestamp,
        succeeded: bool,
        duration_seconds: f64,
    ) -> Vec<SeriesSamples> {
        for row in &mut rows {
            row.labels = self.source.labels.merged_with(&row.labels);
        }
        let present: HashSet<Labels> = rows.iter().map(|row| row.labels.clone()).collect();
        let count = rows.len();
        let added = present
            .iter()
            .filter(|labels| !self.last.contains(*labels))
            .count();
        let vanished: Vec<Labels> = self.last.difference(&present).cloned().collect();
        rows.extend(markers(&vanished, at));
        self.last = present;
        let about = [
            ("up", i64_to_float(i64::from(succeeded))),
            ("scrape_duration_seconds", duration_seconds),
            ("scrape_samples_scraped", usize_to_float(count)),
            (
                "scrape_samples_post_metric_relabeling",
                usize_to_float(count),
            ),
            ("scrape_series_added", usize_to_float(added)),
        ];
        for (name, value) in about {
            let labels = self.source.labels.with(METRIC_NAME, name);
            rows.push(SeriesSamples::float(labels, at, value));
        }
        rows
    }
}

#[cfg(test)]
mod tests {
    use super::{Reader, Source};
    use model::{Labels, SeriesSamples, Timestamp, Value, is_stale_marker};

    #[test]
    fn writes_like_a_target() {
        let mut reader = Reader::new(Source {
            labels: Labels::from_pairs([("job", "binnacle")]),
            read: Box::new(|_| Ok(Vec::new())),
        });
        let mut check = |names: &[&str], succeeded, want: &[&str]| {
            let at = Timestamp::from_millis(1);
            let row = |name: &&str| {
                SeriesSamples::float(Labels::from_pairs([("__name__", name)]), at, 7.0)
            };
            let rows = reader.rows(names.iter().map(row).collect(), at, succeeded, 0.5);
            let shown =
                rows.iter().map(
                    |row| match row.samples.first().map(|sample| &sample.value) {
                        Some(Value::Float(value)) if is_stale_marker(*value) => {
                            format!("{} ends", row.labels.metric_name())
                        }
                        Some(Value::Float(value)) => {
                            format!("{} {value}", row.labels.metric_name())
                        }
                        Some(Value::Histogram(_)) | None => String::new(),
                    },
                );
            assert!(rows.iter().all(|row| row.labels.value("job") == "binnacle"));
            assert_eq!(shown.collect::<Vec<_>>(), want);
        };
        let about = |up, count, added| {
            [
                format!("up {up}"),
                "scrape_duration_seconds 0.5".to_owned(),
                format!("scrape_samples_scraped {count}"),
                format!("scrape_samples_post_metric_relabeling {count}"),
                format!("scrape_series_added {added}"),
            ]
        };
        let with = |rows: &[&str], about: [String; 5]| {
            let rows = rows.iter().map(|row| (*row).to_owned());
            rows.chain(about).collect::<Vec<String>>()
        };
        let mut run = |names: &[&str], succeeded, want: Vec<String>| {
            let want: Vec<&str> = want.iter().map(String::as_str).collect();
            check(names, succeeded, &want);
        };
        run(&["a", "b"], true, with(&["a 7", "b 7"], about(1, 2, 2)));
        run(&["a"], true, with(&["a 7", "b ends"], about(1, 1, 0)));
        run(&[], false, with(&["a ends"], about(0, 0, 0)));
        run(&[], false, with(&[], about(0, 0, 0)));
    }
}
