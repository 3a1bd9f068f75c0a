//! A directory of Debian's prometheus read to its last sample, and imports that are interrupted anywhere.

use super::{Destination, Report, import};
use crate::delivery::Selection;
use crate::error::Error;
use crate::journal::Journal;
use crate::prometheus::for_each_series;
use crate::testing;
use model::{
    Appended, Labels, MemoryStore, Sample, SeriesSamples, Sink, SinkError, TimeRange, Timestamp,
    Value,
};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use storage::{OperatingSystem, SharedFiles, SimulatedFiles};

fn fixture() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/prometheus-2.42")
}

/// Takes so many batches and then refuses.
struct Failing {
    store: MemoryStore,
    left: AtomicUsize,
}

impl Failing {
    fn after(batches: usize) -> Self {
        Self {
            store: MemoryStore::new(),
            left: AtomicUsize::new(batches),
        }
    }
}

impl Sink for Failing {
    fn append(&self, batch: &[SeriesSamples]) -> Result<Appended, SinkError> {
        let left = self.left.load(Ordering::Relaxed);
        if left == 0 {
            return Err(SinkError::Closed);
        }
        self.left.store(left - 1, Ordering::Relaxed);
        self.store.append(batch)
    }
}

fn run(path: &Path, sink: &dyn Sink, files: &SharedFiles) -> Result<Report, Error> {
    let mut journal = Journal::open(files, Path::new("/d/journal")).expect("opens");
    let mut destination = Destination {
        sink,
        settle: &|| Ok(()),
        journal: &mut journal,
        name: "test".to_owned(),
    };
    import(path, &Selection::default(), &mut destination, &mut |_| {})
}

#[test]
fn reads_what_prometheus_2_42_left() {
    let mut seen = Vec::new();
    let mut take = |labels: &Labels, samples: &[Sample]| {
        let value = |sample: &Sample| match &sample.value {
            Value::Float(value) => *value,
            Value::Histogram(histogram) => histogram.sum + histogram.count,
        };
        let sum: f64 = samples.iter().map(value).sum();
        let span = samples[samples.len() - 1]
            .timestamp
            .millis_since(samples[0].timestamp);
        seen.push(format!(
            "{labels} {} samples, {span} ms, sum {sum}",
            samples.len()
        ));
        Ok(())
    };
    for_each_series(&fixture(), &|_| true, TimeRange::ALL, &mut take).expect("reads");
    let want = [
        "{__name__=\"backfilled\", host=\"a\"} 30 samples, 1769000 ms, sum 450",
        "{__name__=\"backfilled\", host=\"b\"} 20 samples, 1159000 ms, sum 400",
        "{__name__=\"float_seconds\"} 150 samples, 2235000 ms, sum 72862.5",
        "{__name__=\"late\"} 4 samples, 2999001 ms, sum 7",
        "{__name__=\"requests_total\", host=\"a\"} 200 samples, 2985000 ms, sum 43200",
        "{__name__=\"requests_total\", host=\"b\"} 99 samples, 1470000 ms, sum 28050",
        "{__name__=\"whole_seconds\"} 150 samples, 2235000 ms, sum 72787.5",
    ];
    assert_eq!(seen, want);
}

#[test]
fn imports_it_with_exemplars_and_without_what_was_deleted() {
    let files: SharedFiles = std::sync::Arc::new(SimulatedFiles::new(1));
    let store = MemoryStore::new();
    let report = run(&fixture(), &store, &files).expect("imports");
    assert_eq!((report.blocks, report.damages.len()), (3, 0));
    assert_eq!((report.exemplars, report.head.nameless), (2, 0));
    // Ten in a block and 101 in the log, those in head chunks a second time.
    assert!(report.deleted >= 111, "{}", report.deleted);
    let again = run(&fixture(), &MemoryStore::new(), &files).expect("imports");
    assert_eq!((again.blocks, again.blocks_before), (0, 3));
}

/// Wherever it is interrupted: going on ends with what an import in one go gives.
#[test]
fn goes_on_where_it_was() {
    let files: SharedFiles = std::sync::Arc::new(SimulatedFiles::new(1));
    let whole = MemoryStore::new();
    run(&fixture(), &whole, &files).expect("imports");
    let want = testing::held(&whole);
    let mut interruptions = 0;
    for batches in 0.. {
        let files: SharedFiles = std::sync::Arc::new(SimulatedFiles::new(1));
        let sink = Failing::after(batches);
        if run(&fixture(), &sink, &files).is_ok() {
            break;
        }
        interruptions += 1;
        sink.left.store(usize::MAX, Ordering::Relaxed);
        let report = run(&fixture(), &sink, &files).expect("goes on");
        assert_eq!(report.blocks + report.blocks_before, 3);
        testing::assert_same(&testing::held(&sink.store), &want);
    }
    assert!(interruptions >= 4, "{interruptions}");
}

#[test]
fn selects() {
    let files: SharedFiles = OperatingSystem::shared();
    let folder = tempfile::TempDir::new().expect("a folder");
    let mut journal = Journal::open(&files, &folder.path().join("journal")).expect("opens");
    let store = MemoryStore::new();
    let mut destination = Destination {
        sink: &store,
        settle: &|| Ok(()),
        journal: &mut journal,
        name: "test".to_owned(),
    };
    let selection = Selection {
        matchers: vec![model::Matcher::equal("host", "a")],
        range: TimeRange {
            start: Timestamp::from_millis(1_795_255_000_000),
            end: Timestamp::MAX,
        },
    };
    let report = import(&fixture(), &selection, &mut destination, &mut |_| {}).expect("imports");
    let held = testing::held(&store);
    assert_eq!(held.lines().count(), 1, "{held}");
    assert!(
        report.samples > 150 && report.block_series == 0,
        "{report:?}"
    );
}
