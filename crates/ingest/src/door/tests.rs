use super::{Ingest, WriteError};
use crate::remote_write::Limits;
use model::{
    Appended, Labels, MemoryStore, ReadBudget, SeriesSamples, Sink, SinkError, Source, TimeRange,
    Timestamp,
};
use runtime::{Registry, SimulatedClock};
use std::sync::Arc;

/// A request of one series without labels but its name, and one sample.
fn body(name: &str) -> Vec<u8> {
    let mut label = vec![0x0a, 8];
    label.extend(b"__name__");
    label.extend([0x12, u8::try_from(name.len()).expect("short")]);
    label.extend(name.as_bytes());
    let mut series = vec![0x0a, u8::try_from(label.len()).expect("short")];
    series.extend(label);
    series.extend([0x12, 2, 0x10, 5]);
    let mut request = vec![0x0a, u8::try_from(series.len()).expect("short")];
    request.extend(series);
    snap::raw::Encoder::new()
        .compress_vec(&request)
        .expect("small")
}

/// A store with an answer of its own.
struct Answers(Result<Appended, SinkError>);

impl Sink for Answers {
    fn append(&self, _batch: &[SeriesSamples]) -> Result<Appended, SinkError> {
        self.0.clone()
    }
}

#[test]
fn answers_senders() {
    let check = |answer, name: &str, want: Result<usize, (u16, &str)>| {
        let registry = Registry::new();
        let ingest = Ingest::to_sink(Arc::new(Answers(answer)), Limits::default(), &registry);
        let got = ingest.remote_write(&body(name));
        let status = got.as_ref().map_or_else(WriteError::status, |_| 204);
        let text = registry.render();
        let counted =
            format!("binnacle_ingest_remote_write_requests_total{{status=\"{status}\"}} 1\n");
        assert!(text.contains(&counted), "{text}");
        let got = got.map(|appended| appended.accepted);
        let got = got.map_err(|error| (error.status(), error.to_string()));
        assert_eq!(
            got,
            want.map_err(|(status, text)| (status, text.to_owned()))
        );
    };
    let appended = Appended {
        accepted: 1,
        ..Appended::default()
    };
    check(Ok(appended), "a", Ok(1));
    let too_old = Appended {
        too_old: 2,
        duplicates: 1,
        ..Appended::default()
    };
    let text = "too old sample (2), duplicate sample for timestamp (1)";
    check(Ok(too_old), "a", Err((400, text)));
    let text = "invalid labels: the metric name is missing";
    check(Ok(appended), "", Err((400, text)));
    check(
        Err(SinkError::Closed),
        "a",
        Err((503, "the store is closed")),
    );
    let full = SinkError::ReadOnly("no space left on device".to_owned());
    check(Err(full), "a", Err((503, "no space left on device")));
}

/// Through our own store: what was acknowledged is read back, a second value for the same time is refused.
#[test]
fn writes_to_our_own_store() {
    let folder = tempfile::tempdir().expect("folder");
    let now = Timestamp::from_millis(100_000);
    let clock = Arc::new(SimulatedClock::new(now));
    let options = tsdb::Options {
        clock,
        ..tsdb::Options::new(folder.path())
    };
    let db = Arc::new(tsdb::Db::open(options).expect("opens"));
    let registry = Registry::new();
    let ingest = Ingest::to_db(Arc::clone(&db), Limits::default(), &registry);
    for _ in 0..2 {
        let appended = ingest.remote_write(&body("a")).expect("stored");
        assert_eq!(appended.accepted, 1, "a repeated sample is no error");
    }
    let read = db
        .select(&[], TimeRange::ALL, &ReadBudget::new(10))
        .expect("read");
    assert_eq!(read.len(), 1);
    assert_eq!(read[0].labels.to_string(), r#"{__name__="a"}"#);
    assert_eq!(*read[0].columns.timestamps, [5]);
    db.close().expect("closes");
    let error = ingest.remote_write(&body("a")).expect_err("closed");
    assert_eq!(error.status(), 503);
}

#[test]
fn counts_and_leaves_out_what_breaks_limits() {
    let registry = Registry::new();
    let ingest = Ingest::to_sink(Arc::new(MemoryStore::new()), Limits::default(), &registry);
    let row = |value: &str| {
        let labels = Labels::from_pairs([("__name__", "a"), ("b", value)]);
        SeriesSamples::float(labels, Timestamp::from_millis(1), 1.0)
    };
    let appended = ingest
        .append(&[row("x"), row(&"y".repeat(70_000))])
        .expect("open");
    assert_eq!((appended.accepted, appended.over_limit), (1, 1));
    let text = registry.render();
    assert!(
        text.contains("binnacle_ingest_samples_total{protocol=\"scrape\"} 1\n"),
        "{text}"
    );
    assert!(
        text.contains("binnacle_ingest_refused_total{reason=\"invalid_labels\"} 1\n"),
        "{text}"
    );
}
