use super::{SeriesCache, SeriesRules};
use crate::prometheus_file::{Limits, NameValidation};
use ingest::exposition::{Encoding, Format, Options};
use model::{Labels, Timestamp, Value, is_stale_marker};
use proptest::prelude::*;

fn rules() -> SeriesRules {
    SeriesRules {
        target_labels: Labels::from_pairs([("job", "j"), ("instance", "i")]),
        honor_labels: false,
        honor_timestamps: true,
        track_timestamps_staleness: false,
        metric_relabel_configs: Vec::new(),
        limits: Limits::default(),
        name_validation: NameValidation::Utf8,
        reading: Options::default(),
        zero_samples: false,
        buckets_max: usize::MAX,
        schema_max: 8,
    }
}

/// The rows as lines, sorted: labels without those of the target, time, value.
fn rows(cache: &SeriesCache) -> Vec<String> {
    let mut lines: Vec<String> = cache
        .rows()
        .iter()
        .flat_map(|row| row.samples.iter().map(|sample| (&row.labels, sample)))
        .map(|(labels, sample)| {
            let value = match &sample.value {
                Value::Float(value) if is_stale_marker(*value) => "stale".to_owned(),
                Value::Float(value) => value.to_string(),
                Value::Histogram(_) => "histogram".to_owned(),
            };
            format!("{labels} {} {value}", sample.timestamp.millis())
        })
        .collect();
    lines.sort();
    lines
}

fn read(cache: &mut SeriesCache, rules: &SeriesRules, body: &str, at: i64) -> Vec<String> {
    let at = Timestamp::from_millis(at);
    let (_, result) = cache.read(body.as_bytes(), Encoding::Text(Format::Text), rules, at);
    let mut lines = rows(cache);
    lines.extend(result.err().map(|error| format!("error: {error}")));
    lines
        .iter()
        .map(|line| line.replace("__name__=", ""))
        .collect()
}

#[test]
fn joins_labels() {
    let check = |honor: bool, body: &str, want: &str| {
        let rules = SeriesRules {
            honor_labels: honor,
            ..rules()
        };
        let lines = read(&mut SeriesCache::new(), &rules, body, 5);
        assert_eq!(lines, [want], "{body}");
    };
    check(false, "a 1\n", r#"{"a", instance="i", job="j"} 5 1"#);
    check(
        false,
        "a{job=\"x\",exported_job=\"y\"} 1\n",
        r#"{"a", exported_exported_job="x", exported_job="y", instance="i", job="j"} 5 1"#,
    );
    check(
        true,
        "a{job=\"x\"} 1\n",
        r#"{"a", instance="i", job="x"} 5 1"#,
    );
    check(
        true,
        "a{job=\"x\",instance=\"\"} 1\n",
        r#"{"a", job="x"} 5 1"#,
    );
    check(
        false,
        "a{instance=\"\"} 1\n",
        r#"{"a", instance="i", job="j"} 5 1"#,
    );
}

#[test]
fn marks_series_that_vanish() {
    let rules = rules();
    let mut cache = SeriesCache::new();
    let a = r#"{"a", instance="i", job="j"}"#;
    let b = r#"{"b", instance="i", job="j"}"#;
    let t = r#"{"t", instance="i", job="j"}"#;
    assert_eq!(
        read(&mut cache, &rules, "a 1\nb 2\nt 3 7\n", 10),
        [format!("{a} 10 1"), format!("{b} 10 2"), format!("{t} 7 3")]
    );
    // `t` brings its own time and leaves without a marker.
    assert_eq!(
        read(&mut cache, &rules, "a 1\n", 20),
        [format!("{a} 20 1"), format!("{b} 20 stale")]
    );
    assert_eq!(read(&mut cache, &rules, "a 1\n", 30), [format!("{a} 30 1")]);
    // Garbage ends everything and stores nothing.
    let lines = read(&mut cache, &rules, "a 1\nb 2\n<html>", 40);
    assert_eq!(lines.first(), Some(&format!("{a} 40 stale")));
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert_eq!(read(&mut cache, &rules, "a 1\n", 50), [format!("{a} 50 1")]);
    cache.read_nothing(Timestamp::from_millis(60));
    assert_eq!(cache.rows().len(), 1);
    cache.read_nothing(Timestamp::from_millis(70));
    assert!(cache.rows().is_empty(), "marked once");
    assert_eq!(read(&mut cache, &rules, "b 1\n", 80), [format!("{b} 80 1")]);
    assert_eq!(cache.tracked().len(), 1);
}

#[test]
fn keeps_a_series_whose_text_changes() {
    let rules = rules();
    let mut cache = SeriesCache::new();
    read(&mut cache, &rules, "a{x=\"1\",y=\"2\"} 1\n", 10);
    let lines = read(&mut cache, &rules, "a{y=\"2\",x=\"1\"} 1\n", 20);
    assert_eq!(
        lines,
        [r#"{"a", instance="i", job="j", x="1", y="2"} 20 1"#]
    );
}

#[test]
fn ends_series_of_an_earlier_configuration() {
    let rules = rules();
    let mut cache = SeriesCache::new();
    read(&mut cache, &rules, "a 1\nb 1\n", 10);
    let mut next = SeriesCache::inheriting(cache.tracked());
    let lines = read(&mut next, &rules, "b 1\n", 20);
    assert!(
        lines.contains(&r#"{"a", instance="i", job="j"} 20 stale"#.to_owned()),
        "{lines:?}"
    );
    assert_eq!(lines.len(), 2);
}

#[test]
fn tracks_series_with_times_where_asked() {
    let rules = SeriesRules {
        track_timestamps_staleness: true,
        ..rules()
    };
    let mut cache = SeriesCache::new();
    read(&mut cache, &rules, "t 3 7\n", 10);
    assert_eq!(
        read(&mut cache, &rules, "", 20),
        [r#"{"t", instance="i", job="j"} 20 stale"#]
    );
    let rules = SeriesRules {
        honor_timestamps: false,
        ..self::rules()
    };
    assert_eq!(
        read(&mut cache, &rules, "t 3 7\n", 30),
        [r#"{"t", instance="i", job="j"} 30 3"#]
    );
}

#[test]
fn counts_and_limits() {
    let at = Timestamp::from_millis(1);
    let check = |limits: Limits, body: &str, want: &str| {
        let rules = SeriesRules { limits, ..rules() };
        let mut cache = SeriesCache::new();
        let (scraped, result) =
            cache.read(body.as_bytes(), Encoding::Text(Format::Text), &rules, at);
        let result = result
            .err()
            .map_or("ok".to_owned(), |error| error.to_string());
        let counts = (
            scraped.samples,
            scraped.kept,
            scraped.series_added,
            scraped.duplicates,
        );
        assert_eq!(format!("{counts:?} {} {result}", cache.rows().len()), want);
    };
    let none = Limits::default();
    check(none, "a 1\nb 2\na 3\n", "(3, 3, 2, 1) 2 ok");
    check(
        Limits { samples: 2, ..none },
        "a 1\nb 2\n",
        "(2, 2, 2, 0) 2 ok",
    );
    check(
        Limits { samples: 1, ..none },
        "a 1\nb 2\nc 3\n",
        "(3, 3, 3, 0) 0 sample limit exceeded",
    );
    check(
        Limits { labels: 3, ..none },
        "a{x=\"1\"} 1\n",
        "(1, 0, 0, 0) 0 label_limit exceeded (metric: a, number of labels: 4, limit: 3)",
    );
    check(
        Limits {
            label_name_bytes: 8,
            ..none
        },
        "a{ninechars=\"1\"} 1\n",
        "(1, 0, 0, 0) 0 label_name_length_limit exceeded (metric: a, label name: ninechars, length: 9, limit: 8)",
    );
    check(
        Limits {
            label_value_bytes: 2,
            ..none
        },
        "a{x=\"123\"} 1\n",
        "(1, 0, 0, 0) 0 label_value_length_limit exceeded (metric: a, label name: x, value: \"123\", length: 3, limit: 2)",
    );
}

#[test]
fn learns_metadata() {
    let mut cache = SeriesCache::new();
    read(
        &mut cache,
        &rules(),
        "# HELP a Things.\n# TYPE a counter\na 1\n",
        1,
    );
    let first = cache.metadata().clone();
    read(
        &mut cache,
        &rules(),
        "# HELP a Things.\n# TYPE a counter\na 1\n",
        2,
    );
    assert!(
        std::sync::Arc::ptr_eq(&first, cache.metadata()),
        "not copied without need"
    );
    let a = first.get("a").expect("learned");
    assert_eq!((a.kind.name(), a.help.as_str()), ("counter", "Things."));
}

/// A zero is added once, where the series begins not long before.
#[test]
fn adds_zeros_at_starts() {
    let rules = SeriesRules {
        reading: Options {
            created_lines: true,
            ..Options::default()
        },
        zero_samples: true,
        ..rules()
    };
    let mut cache = SeriesCache::new();
    let mut check = |created: f64, at: i64, want: &[&str]| {
        let body = format!("# TYPE a counter\na_total 7\na_created {created}\n# EOF\n");
        let encoding = Encoding::Text(Format::OpenMetrics);
        let at = Timestamp::from_millis(at);
        let (scraped, result) = cache.read(body.as_bytes(), encoding, &rules, at);
        assert_eq!((scraped.samples, result), (1, Ok(())));
        let values: Vec<String> = rows(&cache)
            .iter()
            .map(|row| row.rsplit("} ").next().unwrap_or_default().to_owned())
            .collect();
        assert_eq!(values, want);
        let last = cache.rows()[0].samples.last().cloned().expect("one");
        assert_eq!(last.start, Timestamp::from_seconds(created));
    };
    check(5.0, 8000, &["5000 0", "8000 7"]);
    check(5.0, 9000, &["9000 7"]);
    check(9.5, 10_000, &["10000 7", "9500 0"]);
    check(1.0, 9_000_000, &["9000000 7"]);
}

proptest! {
    /// Against a plain model: after any sequence of scrapes, a series that was there and is not any more
    /// has exactly one marker since, and one that is there has its sample.
    #[test]
    fn marks_exactly_what_vanished(scrapes in prop::collection::vec(prop::option::of(0_u8..32), 1..12)) {
        let rules = rules();
        let mut cache = SeriesCache::new();
        let mut before = 0_u8;
        for (i, scrape) in scrapes.iter().enumerate() {
            let at = i64::try_from(i).expect("few");
            let now = scrape.unwrap_or(0);
            let lines = match scrape {
                Some(_) => {
                    let body: String = (0..5).filter(|n| now >> n & 1 == 1).map(|n| format!("m{n} 1\n")).collect();
                    read(&mut cache, &rules, &body, at)
                }
                None => {
                    cache.read_nothing(Timestamp::from_millis(at));
                    rows(&cache)
                }
            };
            let stale = lines.iter().filter(|line| line.ends_with("stale")).count();
            prop_assert_eq!(stale, (before & !now).count_ones() as usize);
            prop_assert_eq!(lines.len() - stale, now.count_ones() as usize);
            before = now;
        }
    }

    /// Whatever a target sends, nothing panics and nothing half-read is stored.
    #[test]
    fn takes_any_bytes(body in prop::collection::vec(any::<u8>(), 0..400)) {
        let mut cache = SeriesCache::new();
        let (_, result) = cache.read(&body, Encoding::Text(Format::OpenMetrics), &rules(), Timestamp::from_millis(1));
        if result.is_err() {
            prop_assert!(cache.rows().is_empty());
        }
    }
}
