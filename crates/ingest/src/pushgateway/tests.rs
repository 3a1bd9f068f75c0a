use super::{BodyFormat, Grouping, PushMode, Pushgateway, family, text};
use crate::door::Ingest;
use crate::remote_write::Limits;
use expect_test::{Expect, expect};
use model::{MemoryStore, ReadBudget, Source, TimeRange, Timestamp, Value, is_stale_marker};
use proptest::prelude::*;
use runtime::{Registry, SharedClock, SimulatedClock};
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;
use storage::State;

struct Story {
    clock: Arc<SimulatedClock>,
    store: Arc<MemoryStore>,
    state: State,
    gateway: Pushgateway,
}

fn gateway(clock: &Arc<SimulatedClock>, store: &Arc<MemoryStore>, state: &State) -> Pushgateway {
    let registry = Registry::new();
    let sink = Arc::clone(store) as Arc<dyn model::Sink>;
    let ingest = Ingest::to_sink(sink, Limits::default(), &registry);
    let clock = Arc::clone(clock) as SharedClock;
    Pushgateway::open(state.clone(), Arc::new(ingest), clock, &registry).expect("opened")
}

impl Story {
    fn new() -> Self {
        let clock = Arc::new(SimulatedClock::new(Timestamp::from_millis(1_000_000)));
        let store = Arc::new(MemoryStore::new());
        let state = State::in_memory().expect("in memory");
        let gateway = gateway(&clock, &store, &state);
        Self {
            clock,
            store,
            state,
            gateway,
        }
    }

    fn restart(&mut self) {
        self.gateway = gateway(&self.clock, &self.store, &self.state);
    }

    fn push(&self, mode: PushMode, path: &str, body: &str) -> String {
        let grouping = Grouping::from_path(path).expect("a path");
        let body = (BodyFormat::Text, body.as_bytes());
        match self.gateway.push(&grouping, mode, body) {
            Ok(()) => "taken".to_owned(),
            Err(error) => format!("{} {error}", error.status()),
        }
    }

    fn append_after(&self, seconds: u64) {
        use runtime::clock::Clock as _;
        self.clock.advance(Duration::from_secs(seconds));
        self.gateway.append(self.clock.now()).expect("appended");
    }

    /// Every sample that was stored, seconds since the start before it.
    fn stored(&self) -> String {
        let budget = ReadBudget::new(10_000);
        let all = self
            .store
            .select(&[], TimeRange::ALL, &budget)
            .expect("read");
        let mut out = String::new();
        for series in all {
            let _unread = write!(out, "{}", series.labels);
            let columns = series.columns;
            for (at, value) in columns.timestamps.iter().zip(columns.values.iter()) {
                let at = (at - 1_000_000) / 1000;
                let _unread = if is_stale_marker(*value) {
                    write!(out, " {at}:ends")
                } else {
                    write!(out, " {at}:{value}")
                };
            }
            out.push('\n');
        }
        out
    }
}

#[test]
fn groups_are_appended_until_they_are_deleted() {
    let mut story = Story::new();
    let add = PushMode::Add;
    assert_eq!(
        story.push(add, "job/batch/shard/1", "a 1\nb{x=\"y\"} 2\n"),
        "taken"
    );
    story.append_after(15);
    story.restart();
    story.append_after(15);
    assert_eq!(
        story.push(PushMode::Replace, "job/batch/shard/1", "a 3\n"),
        "taken"
    );
    story.append_after(15);
    story.append_after(15);
    story
        .gateway
        .delete(&Grouping::from_path("job/batch/shard/1").expect("a path"))
        .expect("deleted");
    story.append_after(15);
    story.restart();
    story.append_after(15);
    expect![[r#"
        {__name__="a", job="batch", shard="1"} 15:1 30:1 45:3 60:3 75:ends
        {__name__="b", job="batch", shard="1", x="y"} 15:2 30:2 45:ends
        {__name__="push_failure_time_seconds", job="batch", shard="1"} 15:0 30:0 45:0 60:0 75:ends
        {__name__="push_time_seconds", job="batch", shard="1"} 15:1000 30:1000 45:1030 60:1030 75:ends
    "#]]
    .assert_eq(&story.stored());
}

#[test]
fn answers_pushes() {
    let story = Story::new();
    let check = |mode, path, body, want: Expect| want.assert_eq(&story.push(mode, path, body));
    let (add, replace) = (PushMode::Add, PushMode::Replace);
    check(add, "job/a", "# TYPE x counter\nx 1\n", expect!["taken"]);
    check(
        add,
        "job/b",
        "# TYPE x gauge\nx 1\n",
        expect![[
            r#"400 pushed metrics are invalid or inconsistent with existing metrics: metric family "x" is a gauge here and a counter in another group"#
        ]],
    );
    // Its own type may change.
    check(add, "job/a", "# TYPE x gauge\nx 1\n", expect!["taken"]);
    check(add, "job/b", "# TYPE x gauge\nx 1\n", expect!["taken"]);
    check(
        add,
        "job/a",
        "x 1 1234\n",
        expect!["400 pushed metrics must not have timestamps"],
    );
    check(
        add,
        "job/a",
        "y{a=\"1\"} 1\ny{a=\"1\"} 2\n",
        expect![[
            r#"400 pushed metrics are invalid or inconsistent with existing metrics: collected metric "y" { label:{name:"a" value:"1"} label:{name:"instance" value:""} label:{name:"job" value:"a"} } was collected before with the same name and label values"#
        ]],
    );
    check(add, "job/c", "z{instance=\"i\"} 1\n", expect!["taken"]);
    check(
        add,
        "job/c/instance/i",
        "z 1\n",
        expect![[
            r#"400 pushed metrics are invalid or inconsistent with existing metrics: collected metric "z" { label:{name:"instance" value:"i"} label:{name:"job" value:"c"} } was collected before with the same name and label values"#
        ]],
    );
    check(
        add,
        "job/a",
        "x 1",
        expect!["400 text format parsing error in line 1: unexpected end of input stream"],
    );
    check(
        add,
        "job/a",
        "x one\n",
        expect![[
            r#"400 text format parsing error in line 1: strconv.ParseFloat: parsing "one": invalid syntax while parsing: "x one""#
        ]],
    );
    check(
        add,
        "job/a",
        "# TYPE h histogram\nh_bucket{le=\"x\"} 1\n",
        expect![[
            r#"400 text format parsing error in line 2: expected float as value for "le" label, got "x""#
        ]],
    );
    check(replace, "job/a", "", expect!["taken"]);
    let text = story.gateway.exposition("");
    assert!(!text.contains("x{instance=\"\",job=\"a\"}"), "{text}");
    assert!(
        text.contains("push_time_seconds{instance=\"\",job=\"a\"} 1000\n"),
        "{text}"
    );
}

#[test]
fn serves_what_was_pushed() {
    let story = Story::new();
    let body = "# HELP h A histogram.\n# TYPE h histogram\nh_bucket{le=\"1\"} 1\nh_bucket{le=\"+Inf\"} 2\nh_sum 3\nh_count 2\n\
                # TYPE s summary\ns{quantile=\"0.5\"} 1\ns_sum 3\ns_count 2\nplain{a=\"\\\"\\n\\\\\"} NaN\n";
    assert_eq!(story.push(PushMode::Add, "job/a", body), "taken");
    assert_eq!(
        story.push(PushMode::Add, "job/b/instance/i", "plain 2\n"),
        "taken"
    );
    let own = "# HELP own_total Ours.\n# TYPE own_total counter\nown_total 5\n";
    expect![[r##"
        # HELP h A histogram.
        # TYPE h histogram
        h_bucket{instance="",job="a",le="1"} 1
        h_bucket{instance="",job="a",le="+Inf"} 2
        h_sum{instance="",job="a"} 3
        h_count{instance="",job="a"} 2
        # HELP own_total Ours.
        # TYPE own_total counter
        own_total 5
        # TYPE plain untyped
        plain{a="\"\n\\",instance="",job="a"} NaN
        plain{instance="i",job="b"} 2
        # HELP push_failure_time_seconds Last Unix time when changing this group in the Pushgateway failed.
        # TYPE push_failure_time_seconds gauge
        push_failure_time_seconds{instance="",job="a"} 0
        push_failure_time_seconds{instance="i",job="b"} 0
        # HELP push_time_seconds Last Unix time when changing this group in the Pushgateway succeeded.
        # TYPE push_time_seconds gauge
        push_time_seconds{instance="",job="a"} 1000
        push_time_seconds{instance="i",job="b"} 1000
        # TYPE s summary
        s{instance="",job="a",quantile="0.5"} 1
        s_sum{instance="",job="a"} 3
        s_count{instance="",job="a"} 2
    "##]]
    .assert_eq(&story.gateway.exposition(own));
    // As protobuf, and pushed back so.
    let bytes = story.gateway.exposition_protobuf("");
    let families = family::read_delimited(&bytes).expect("our own");
    assert_eq!(text::write(&families), story.gateway.exposition(""));
    let grouping = Grouping::from_path("job/again").expect("a path");
    let pushed = story.gateway.push(
        &grouping,
        PushMode::Replace,
        (
            BodyFormat::Protobuf,
            &family::write_delimited(&families[..1]),
        ),
    );
    pushed.expect("taken");
    let json = story.gateway.json();
    assert_eq!(json[2]["labels"]["job"], "again");
    assert_eq!(json[2]["h"]["metrics"][0]["buckets"]["+Inf"], "2");
    assert_eq!(json[1]["last_push_successful"], true);
}

#[test]
fn a_name_with_a_zero_byte_is_refused() {
    let story = Story::new();
    let gauge = [9, 0, 0, 0, 0, 0, 0, 0, 0];
    let family = [&b"\x14\x0a\x03a\0b\x18\x01\x22\x0b\x12\x09"[..], &gauge].concat();
    let grouping = Grouping::from_path("job/a").expect("a path");
    let body = (BodyFormat::Protobuf, family.as_slice());
    let refused = story.gateway.push(&grouping, PushMode::Add, body);
    expect![[r#"pushed metrics are invalid or inconsistent with existing metrics: metric family "a\0b" has a zero byte in its name"#]].assert_eq(&refused.expect_err("refused").to_string());
}

#[test]
fn a_failed_push_is_remembered() {
    let story = Story::new();
    assert!(
        story
            .push(PushMode::Add, "job/new", "broken\n")
            .starts_with("400")
    );
    let text = story.gateway.exposition("");
    assert!(
        text.contains("push_failure_time_seconds{instance=\"\",job=\"new\"} 1000\n"),
        "{text}"
    );
    assert!(
        text.contains("push_time_seconds{instance=\"\",job=\"new\"} 0\n"),
        "{text}"
    );
    assert_eq!(story.gateway.json()[0]["last_push_successful"], false);
    story.gateway.wipe().expect("wiped");
    assert_eq!(story.gateway.exposition(""), "");
}

#[test]
fn reads_groupings() {
    let check = |path: &str, want: Expect| {
        let shown = match Grouping::from_path(path) {
            Ok(grouping) => format!("{:?}", grouping.pairs()),
            Err(error) => error.to_string(),
        };
        want.assert_eq(&shown);
    };
    check("job/a", expect![[r#"{"job": "a"}"#]]);
    check("job/a/", expect![[r#"{"job": "a"}"#]]);
    check(
        "job@base64/c29tZS9qb2I=",
        expect![[r#"{"job": "some/job"}"#]],
    );
    check(
        "job/a/path@base64/L3Zhci90bXA",
        expect![[r#"{"job": "a", "path": "/var/tmp"}"#]],
    );
    check(
        "job/a/path@base64/=",
        expect![[r#"{"job": "a", "path": ""}"#]],
    );
    check("job@base64/=", expect!["job name is required"]);
    check(
        "job/a/b",
        expect![[r#"odd number of components in label string "job/a/b""#]],
    );
    check("job/a/__b/c", expect![[r#"improper label name "__b""#]]);
    check("job/a/b-c/d", expect![[r#"improper label name "b-c""#]]);
    check(
        "job/a/b@base64/!",
        expect![[r#"invalid base64 encoding for label b="!": Invalid symbol 33, offset 0."#]],
    );
}

#[test]
fn native_histograms_become_samples() {
    let value = family::HistogramValue {
        count: 6,
        sum: 4.5,
        schema: Some(3),
        zero_threshold: 0.001,
        zero_count: 1,
        positive_spans: vec![family::BucketSpan {
            offset: 0,
            length: 2,
        }],
        positive_deltas: vec![2, 1],
        ..family::HistogramValue::default()
    };
    let pushed = family::Family {
        name: "n".to_owned(),
        kind: family::HISTOGRAM,
        metrics: vec![family::Metric {
            histogram: Some(value),
            ..family::Metric::default()
        }],
        ..family::Family::default()
    };
    let series = super::series::of_family(&pushed);
    let [(labels, Value::Histogram(histogram))] = series.as_slice() else {
        panic!("{series:?}");
    };
    assert_eq!(labels.metric_name(), "n");
    assert_eq!(histogram.positive_buckets, [2.0, 3.0]);
    assert_eq!((histogram.count, histogram.schema), (6.0, 3));
}

proptest! {
    #[test]
    fn garbage_is_refused_in_peace(bytes: Vec<u8>, path: String) {
        let _unread = text::read(&bytes);
        let _unread = family::read_delimited(&bytes);
        let _unread = Grouping::from_path(&path);
    }

    #[test]
    fn text_round_trips(
        names in prop::collection::btree_set("[a-z]{1,6}", 1..4),
        values in prop::collection::vec(any::<f64>(), 1..5),
    ) {
        let mut body = String::new();
        for name in &names {
            let _unread = writeln!(body, "# HELP {name} h\\\\elp\n# TYPE {name} gauge");
            for (n, value) in values.iter().enumerate() {
                let value = model::number::format_float_general(*value);
                let _unread = writeln!(body, "{name}{{n=\"{n}\"}} {value}");
            }
        }
        let families = text::read(body.as_bytes()).expect("sound");
        prop_assert_eq!(text::write(&families), body);
        let bytes = family::write_delimited(&families);
        let again = family::read_delimited(&bytes).expect("sound");
        prop_assert_eq!(text::write(&again), text::write(&families));
        for end in 1..bytes.len() {
            let _unread = family::read_delimited(&bytes[..end]);
        }
    }
}
