//! Bodies and files of one record a line: Influx, Graphite, JSON lines, CSV, exposition text, OpenMetrics dumps.
#![no_main]

use fuzz::check_rows;
use ingest::exposition::Format;
use ingest::influx::{self, Precision};
use ingest::lines::Lines;
use ingest::{graphite, import};
use interchange::{Selection, influx::Influx, openmetrics::OpenMetrics, text};
use libfuzzer_sys::fuzz_target;
use model::{Labels, MemoryStore, ReadBudget, SeriesSamples, Sink as _, Source as _, TimeRange, Timestamp};
use std::path::Path;

const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

fuzz_target!(|bytes: &[u8]| {
    let Some((first, body)) = bytes.split_first() else {
        return;
    };
    let extra = Labels::from_pairs([("from", "fuzz")]);
    let lines = match first % 8 {
        0 => {
            let precision = ["ns", "us", "ms", "s", "m", "h"][usize::from(first / 8) % 6];
            let precision = Precision::from_name(precision).expect("a precision");
            influx::decode(body, influx::Options { precision, database: "db", now: NOW })
        }
        1 => graphite::decode(body, NOW),
        2 => {
            let lines = import::decode_json_lines(body, &extra);
            written_lines_are_read(&lines.rows);
            lines
        }
        3 => csv(body, &extra),
        4 => import::exposition::decode(body, Format::Text, (&extra, NOW)),
        5 => import::exposition::decode(body, Format::OpenMetrics, (&extra, NOW)),
        6 => return dump(body, &mut OpenMetrics::default()),
        _ => {
            let mut taker = Influx::new("ms", "db", NOW).expect("a precision");
            return dump(body, &mut taker);
        }
    };
    check_rows(&lines.rows);
    let samples: usize = lines.rows.iter().map(|row| row.samples.len()).sum();
    assert_eq!(lines.sample_count(), samples);
    let _complaint = lines.complaint();
});

/// The first line is the format.
fn csv(body: &[u8], extra: &Labels) -> Lines {
    let mut halves = body.splitn(2, |byte| *byte == b'\n');
    let (format, body) = (halves.next().unwrap_or_default(), halves.next().unwrap_or_default());
    let format = std::str::from_utf8(format).map(import::csv::Format::parse);
    match format {
        Ok(Ok(format)) => import::csv::decode(body, &format, (extra, NOW)),
        _ => Lines::default(),
    }
}

fn dump(body: &[u8], taker: &mut dyn text::Taker) {
    let mut input = body;
    let mut samples = 0;
    let mut give = |rows: Vec<SeriesSamples>, _report: &text::TextReport| {
        check_rows(&rows);
        samples += rows.iter().map(|row| row.samples.len()).sum::<usize>();
        Ok(())
    };
    let selection = Selection::default();
    let report = text::read((Path::new("dump"), &mut input), taker, &selection, &mut give);
    assert_eq!(report.expect("memory does not fail").samples, samples);
}

/// What is exported is imported as the same.
fn written_lines_are_read(rows: &[SeriesSamples]) {
    let once = exported(rows);
    let again = import::decode_json_lines(once.as_bytes(), &Labels::default());
    assert!(again.errors.is_empty(), "{once} {:?}", again.errors);
    assert_eq!(exported(&again.rows), once);
}

fn exported(rows: &[SeriesSamples]) -> String {
    let store = MemoryStore::new();
    store.append(rows).expect("memory takes all");
    let budget = ReadBudget::new(usize::MAX);
    let series = store.select(&[], TimeRange::ALL, &budget).expect("memory answers");
    let mut out = String::new();
    for series in series {
        import::encode_json_lines(&mut out, &series.labels, &series.columns, 3);
    }
    out
}
