use super::{
    Answerer, FrameReader, Query, Request, decode_request, decode_samples, encode_request,
};
use model::histogram::Span;
use model::{
    Histogram, Labels, MatchOperator, Matcher, MemoryStore, ReadBudget, STALE_MARKER, Sample,
    SeriesSamples, Sink as _, TimeRange, Timestamp, Value,
};
use proptest::prelude::*;
use std::sync::Arc;

fn store() -> MemoryStore {
    let store = MemoryStore::new();
    let at = Timestamp::from_millis;
    let floats = (0..500).map(|n| Sample::float(at(n * 1000), model::number::i64_to_float(n * n)));
    let mut floats: Vec<Sample> = floats.collect();
    floats.push(Sample::float(at(600_000), STALE_MARKER));
    let histograms = (0..30).map(|n| {
        let histogram = Histogram {
            count: model::number::i64_to_float(n + 2),
            sum: 1.5,
            schema: 1,
            positive_spans: vec![Span {
                offset: 0,
                length: 1,
            }],
            positive_buckets: vec![model::number::i64_to_float(n + 2)],
            ..Histogram::default()
        };
        Sample::new(at(n * 1000), Value::Histogram(Arc::new(histogram)))
    });
    let row = |name: &str, samples: Vec<Sample>| SeriesSamples {
        labels: Labels::from_pairs([("__name__", name), ("job", "x")]),
        samples,
        exemplars: Vec::new(),
    };
    let rows = [row("f", floats), row("h", histograms.collect())];
    store.append(&rows).expect("memory");
    store
}

fn request(value: &str, end: i64) -> Request {
    let matcher = |name, value| Matcher::new(name, MatchOperator::Equal, value).expect("plain");
    let query = Query {
        matchers: vec![matcher("job", value), matcher("region", "eu")],
        range: TimeRange {
            start: Timestamp::from_millis(0),
            end: Timestamp::from_millis(end),
        },
    };
    let request = decode_request(&encode_request(&query)).expect("our own");
    assert_eq!(request.queries, [query]);
    assert!(request.wants_frames);
    request
}

fn shown(rows: &[SeriesSamples]) -> Vec<String> {
    let row = |row: &SeriesSamples| {
        let samples = row.samples.iter().map(|sample| match &sample.value {
            Value::Float(value) => format!("{}={:x}", sample.timestamp.millis(), value.to_bits()),
            Value::Histogram(h) => {
                format!("{}={:?}", sample.timestamp.millis(), h.positive_buckets)
            }
        });
        format!("{} {}", row.labels, samples.collect::<Vec<_>>().join(" "))
    };
    rows.iter().map(row).collect()
}

#[test]
fn both_forms_say_the_same() {
    let store = store();
    let external = Labels::from_pairs([("region", "eu")]);
    let budget = ReadBudget::new(10_000);
    let answerer = Answerer {
        source: &store,
        external: &external,
        budget: &budget,
    };
    for end in [0, 5_000, 700_000] {
        let request = request("x", end);
        let samples = answerer.samples(&request).expect("answered");
        let samples = decode_samples(&samples, 1 << 20).expect("our own");
        assert_eq!(samples.len(), 2);
        assert_eq!(samples[0].labels.value("region"), "eu");
        let mut reader = FrameReader::new(1 << 20, request.queries[0].range);
        let mut frames = Vec::new();
        answerer
            .frames(&request, &mut |frame| {
                frames.extend(frame);
                true
            })
            .expect("answered");
        for bytes in frames.chunks(7) {
            reader.push(bytes).expect("our own");
        }
        assert_eq!(shown(&reader.finish().expect("whole")), shown(&samples));
    }
    let none = answerer.samples(&request("y", 5_000)).expect("answered");
    assert!(decode_samples(&none, 1 << 20).expect("our own").is_empty());
}

#[test]
fn damage_is_noticed() {
    let store = store();
    let budget = ReadBudget::new(10_000);
    let answerer = Answerer {
        source: &store,
        external: &Labels::from_pairs([("region", "eu")]),
        budget: &budget,
    };
    let mut frames = Vec::new();
    let mut take = |frame: Vec<u8>| {
        frames.extend(frame);
        true
    };
    answerer
        .frames(&request("x", 9_000), &mut take)
        .expect("answered");
    let mut reader = FrameReader::new(1 << 20, TimeRange::ALL);
    reader.push(&frames[..frames.len() - 1]).expect("so far");
    assert!(reader.finish().is_err());
    let at = frames.len() / 2;
    frames[at] ^= 1;
    let mut reader = FrameReader::new(1 << 20, TimeRange::ALL);
    assert!(reader.push(&frames).is_err() || reader.finish().is_err());
    let mut reader = FrameReader::new(10, TimeRange::ALL);
    assert!(reader.push(&frames).is_err());
}

proptest! {
    #[test]
    fn garbage_is_refused_in_peace(bytes: Vec<u8>) {
        let _unread = decode_request(&bytes);
        let _unread = decode_samples(&bytes, 1 << 20);
        let packed = super::pack(&bytes);
        let _unread = decode_request(&packed);
        let _unread = decode_samples(&packed, 1 << 20);
        let mut reader = FrameReader::new(1 << 20, TimeRange::ALL);
        let _unread = reader.push(&bytes);
        let mut reader = FrameReader::new(1 << 20, TimeRange::ALL);
        let _unread = reader.push(&super::frame(&bytes));
    }
}
