use super::{MakeStore, Report, Store, run, run_file};
use model::{
    Appended, Labels, Matcher, MemoryStore, Scan, SeriesSamples, Sink, SinkError, Source,
    SourceError, TimeRange, Timestamp,
};
use runtime::{SharedClock, SimulatedClock};
use std::sync::Arc;

fn clock() -> SharedClock {
    Arc::new(SimulatedClock::new(Timestamp::from_millis(0)))
}

fn memory() -> Result<Box<dyn Store>, String> {
    Ok(Box::new(MemoryStore::new()))
}

fn check(text: &str, passed: usize, failures: &[&str]) {
    let report = run("script", text, &clock(), &memory);
    let found: Vec<String> = report.failures.iter().map(ToString::to_string).collect();
    assert_eq!(report.passed, passed, "{text}\n{found:#?}");
    assert_eq!(found.len(), failures.len(), "{text}\n{found:#?}");
    for (found, wanted) in found.iter().zip(failures) {
        assert!(
            found.contains(wanted),
            "{found}\ndoes not contain\n{wanted}"
        );
    }
}

const LOAD: &str = "load 1m\n  m{a=\"x\"} 1 2 3\n  m{a=\"y\"} 10 _ 30\n\n";

#[test]
fn passes_what_is_right() {
    let check = |evals: &str, passed| check(&format!("{LOAD}{evals}"), passed, &[]);
    check("eval instant at 1m m\n  m{a=\"x\"} 2\n  m{a=\"y\"} 10\n", 1);
    check("eval instant at 1m 1 + 1\n  2\n", 1);
    check("eval instant at 1m \"a\"\n  expect string \"a\"\n", 1);
    check(
        "eval instant at 1m m{a=\"z\"}\n\nclear\neval instant at 1m m\n",
        2,
    );
    check(
        "eval range from 0 to 2m step 1m m{a=\"y\"} offset -1m\n  m{a=\"y\"} 10 30x1\n",
        1,
    );
    check(
        "eval instant at 2m m{a=\"y\"}[2m1ms]\n  expect range vector from 0 to 2m step 1m\n  m{a=\"y\"} 10 _ 30\n",
        1,
    );
    check(
        "eval instant at 0 sort_desc(m)\n  expect ordered\n  m{a=\"y\"} 10\n  m{a=\"x\"} 1\n",
        1,
    );
    check(
        "eval_ordered instant at 0 sort(m)\n  m{a=\"x\"} 1\n  m{a=\"y\"} 10\n",
        1,
    );
    check(
        "eval instant at 0 m + on() m\n  expect fail regex: found duplicate series .*\n",
        1,
    );
    check(
        "eval_fail instant at 0 m + on() m\n  expected_fail_regexp found duplicate\n",
        1,
    );
    check(
        "eval instant at 1m rate(m{a=\"x\"}[2m])\n  expect no_warn\n  expect info msg: PromQL info: metric might not be a counter, name does not end in _total/_sum/_count/_bucket: \"m\" (1:6)\n  {a=\"x\"} 0.016666666\n",
        1,
    );
}

#[test]
fn fails_what_is_wrong() {
    let check = |evals: &str, failure| check(&format!("{LOAD}{evals}"), 0, &[failure]);
    check(
        "eval instant at 1m m{a=\"x\"}\n  m{a=\"x\"} 2.001\n",
        "script:5: {__name__=\"m\", a=\"x\"}: expected 2.001 but got 2",
    );
    check(
        "eval instant at 1m m{a=\"x\"}\n",
        "unexpected metric {__name__=\"m\", a=\"x\"} in result, has value 2",
    );
    check(
        "eval instant at 1m m{a=\"z\"}\n  m{a=\"z\"} 2\n",
        "expected metric {__name__=\"m\", a=\"z\"} not found",
    );
    check("eval instant at 1m 1\n  2\n", "expected scalar 2 but got 1");
    check(
        "eval instant at 1m m\n  2\n",
        "expected a scalar, but the query answers a vector",
    );
    check(
        "eval instant at 0 sort(m)\n  expect ordered\n  m{a=\"y\"} 10\n  m{a=\"x\"} 1\n",
        "at position 2 but was at 1",
    );
    check(
        "eval range from 0 to 2m step 1m m{a=\"x\"}\n  m{a=\"x\"} 1 _ 3\n",
        "expected a point at 120000 ms, but the next is at 60000 ms",
    );
    check(
        "eval range from 0 to 2m step 1m m{a=\"x\"}\n  m{a=\"x\"} 1 2\n",
        "unexpected point at 120000 ms",
    );
    check(
        "eval range from 0 to 1m step 1m m{a=\"x\"}\n  m{a=\"x\"} 1 2 3\n",
        "cannot return this many",
    );
    check(
        "eval instant at 0 1\n  expect fail\n",
        "expected an error but got none",
    );
    check(
        "eval instant at 0 m + on() m\n",
        "error evaluating query: found duplicate series",
    );
    check(
        "eval_warn instant at 0 1\n  1\n",
        "expected warn annotations but got none",
    );
    check(
        "eval instant at 1m rate(m[2m])\n  expect no_info\n",
        "unexpected info annotations",
    );
    check(
        "eval instant at 0 m +\n",
        "1:4: parse error: unexpected end of input",
    );
    check("eval instant m\n", "invalid evaluation command");
}

#[test]
fn a_script_error_fails_what_it_leaves_unreached() {
    check(
        "load 1m\n  m{ 1\n\neval instant at 0 m\n\neval instant at 0 1\n  1\n\nclear\n\neval instant at 0 1\n  1\n",
        1,
        &[
            "script:2: unexpected character inside braces: '1' at column 4 of",
            "script:4: not reached",
            "script:6: not reached",
        ],
    );
    check(
        "evil\n\neval instant at 0 1\n  1\n",
        0,
        &[
            "script:1: invalid command \"evil\"",
            "script:3: not reached",
        ],
    );
}

#[test]
fn classic_histograms_become_native_ones() {
    check(
        "load_with_nhcb 1m\n  h_bucket{le=\"1\"} 2\n  h_bucket{le=\"2\"} 2\n  h_bucket{le=\"+Inf\"} 5\n  h_count 5\n  h_sum 12\n\neval instant at 0 h\n  h {{schema:-53 count:5 sum:12 custom_values:[1 2] buckets:[2 0 3]}}\n",
        1,
        &[],
    );
    check(
        "load_with_nhcb 1m\n  h_bucket{le=\"1\"} 2\n  h_bucket{le=\"2\"} 1\n\neval instant at 0 h\n",
        0,
        &[
            "histogram {__name__=\"h\"} at 0 ms: counts of buckets are not cumulative",
            "not reached",
        ],
    );
}

/// The metrics store in a folder that goes with it.
struct OnDisk {
    db: tsdb::Db,
    _folder: tempfile::TempDir,
}

fn on_disk() -> Result<Box<dyn Store>, String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let db = tsdb::Db::open(tsdb::Options {
        retention_ms: None,
        future_window_ms: None,
        ..tsdb::Options::new(folder.path())
    })
    .map_err(|error| error.to_string())?;
    Ok(Box::new(OnDisk {
        db,
        _folder: folder,
    }))
}

impl Sink for OnDisk {
    fn append(&self, batch: &[SeriesSamples]) -> Result<Appended, SinkError> {
        self.db.append(batch)
    }
}

impl Source for OnDisk {
    fn scan<'a>(
        &'a self,
        matchers: &[Matcher],
        range: TimeRange,
    ) -> Result<Box<dyn Scan + 'a>, SourceError> {
        self.db.scan(matchers, range)
    }

    fn series(&self, matchers: &[Matcher], range: TimeRange) -> Result<Vec<Labels>, SourceError> {
        self.db.series(matchers, range)
    }

    fn label_names(
        &self,
        matchers: &[Matcher],
        range: TimeRange,
    ) -> Result<Vec<String>, SourceError> {
        self.db.label_names(matchers, range)
    }

    fn label_values(
        &self,
        name: &str,
        matchers: &[Matcher],
        range: TimeRange,
    ) -> Result<Vec<String>, SourceError> {
        self.db.label_values(name, matchers, range)
    }
}

/// Evals of upstream's scripts that pass. The numbers may only rise.
const PASSED_IN_MEMORY_MIN: usize = 1576;
const PASSED_ON_DISK_MIN: usize = 1576;

#[test]
fn upstream_scripts_in_memory() {
    upstream_scripts(&memory, PASSED_IN_MEMORY_MIN);
}

#[test]
fn upstream_scripts_on_disk() {
    upstream_scripts(&on_disk, PASSED_ON_DISK_MIN);
}

fn upstream_scripts(make_store: MakeStore<'_>, passed_min: usize) {
    let Some(folder) = runtime::environment::var("CONFORMANCE") else {
        eprintln!("skipped: CONFORMANCE does not name a folder");
        return;
    };
    let mut paths: Vec<_> = std::fs::read_dir(std::path::Path::new(&folder).join("promqltest"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    let mut total = Report::default();
    for path in paths {
        let report = run_file(&path, &clock(), make_store);
        let name = path.file_name().unwrap_or_default().display();
        eprintln!("{name}: {} passed, {} failed", report.passed, report.failed);
        for failure in &report.failures {
            eprintln!("  {failure}");
        }
        total.passed += report.passed;
        total.failed += report.failed;
    }
    eprintln!("{} passed, {} failed", total.passed, total.failed);
    assert_eq!(total.passed + total.failed, 1576);
    assert!(total.passed >= passed_min);
}

/// What the parser lets through, the engine can walk on a test's small stack.
#[test]
fn the_deepest_queries_are_evaluated() {
    let check = |query: &str, value: &str| {
        let range = format!("eval range from 0 to 1m step 1m {query}\n  {{}} {value}x1\n");
        let instant = format!("eval instant at 0 {query}\n  {{}} {value}\n");
        check(&format!("{instant}\n{range}"), 2, &[]);
    };
    check(&format!("vector(1){}", " + vector(1)".repeat(490)), "491");
    check(&format!("vector(1){}", " or vector(1)".repeat(490)), "1");
    let nested = |open: &str, close: &str, depth| {
        format!("{}vector(1){}", open.repeat(depth), close.repeat(depth))
    };
    check(&nested("(", ")", 140), "1");
    check(&nested("sum(", ")", 140), "1");
    check(&nested("-(", ")", 48), "1");
    check(&nested("max_over_time((", ")[1m:1m])", 6), "1");
    let subqueries = format!(
        "{}m{}",
        "max_over_time(".repeat(140),
        "[1m:1m])".repeat(140)
    );
    assert!(crate::parse(&subqueries).is_ok());
}

#[test]
fn start_timestamps_count() {
    let load = "load 1m\n  c_total@st _ -30s-1mx2 -10s-1mx1\n  c_total _ 6 12 18 9 12\n\n";
    let check = |evals: &str, passed| check(&format!("{load}{evals}"), passed, &[]);
    // Began at 30 s with 6 at 1 m; again at 230 s with 9 at 4 m.
    check("eval instant at 5m increase(c_total[5m1ms])\n  {} 30\n", 1);
    check(
        "eval instant at 5m rate(c_total[5m1ms])\n  {} 0.0999996667\n",
        1,
    );
    check("eval instant at 5m irate(c_total[5m])\n  {} 0.05\n", 1);
    check("eval instant at 4m irate(c_total[5m])\n  {} 0.15\n", 1);
    check("eval instant at 5m resets(c_total[5m])\n  {} 1\n", 1);
    // A single sample is enough where its start lies inside the range, whose left end is excluded.
    check("eval instant at 1m increase(c_total[30s1ms])\n  {} 6\n", 1);
    check("eval instant at 1m increase(c_total[30s])\n", 1);
    check(
        "eval instant at 1m delta(c_total[5m])\n  expect no_warn\n",
        1,
    );
    // Neither borders of another kind nor subqueries know of starts.
    check("eval instant at 4m resets(c_total[4m:1m])\n  {} 1\n", 1);
    check("eval instant at 1m increase(c_total[1m:1m])\n", 1);
    check(
        "eval instant at 4m increase(c_total[1m] anchored)\n  {} 9\n",
        1,
    );
    check("eval instant at 1m start_timestamp(c_total)\n  {} 30\n", 1);
    check("eval instant at 4m start_timestamp(c_total)\n  {} 230\n", 1);
    check("eval instant at 4m start_timestamp(-c_total)\n", 1);
}

#[test]
fn refuses_start_timestamps_without_samples() {
    let check = |load: &str, failure| check(&format!("load 1m\n{load}\n\n"), 0, &[failure]);
    check("  m@st 0", "@st line has no following sample line");
    check("  m@st 0\n  m@st 0\n  m 1", "@st line has no following");
    check("  m@st 0\n  n 1", "@st metric does not match");
    check(
        "  m@st 0 0\n  m 1",
        "@st line has 2 values but sample line has 1",
    );
    check("  m@st 7\n  m 1", "invalid @st offset \"7\"");
}

#[test]
fn odd_arguments_give_what_upstream_gives() {
    let check = |eval: &str| check(&format!("{LOAD}eval instant at 1m {eval}\n"), 1, &[]);
    check("absent(n{a=\"x\",a=~\"\"})\n  {} 1");
    check("absent(n{a=\"x\",a=\"y\",b=\"z\"})\n  {b=\"z\"} 1");
    // What a comparison drops is a second match all the same.
    check("m > on() vector(5)\n  expect fail");
    check("m > on() group_left() vector(5)\n  m{a=\"y\"} 10");
    check("count_values without (a) (\"a\", m)\n  {} 2");
    check("count_values by (a) (\"a\", m)\n  {a=\"2\"} 1\n  {a=\"10\"} 1");
    check("clamp(vector(-Inf), 1, NaN)\n  {} 1");
    check("clamp(vector(5), 1, NaN)\n  {} NaN");
    check("clamp_min(vector(NaN), Inf)\n  {} Inf");
}

#[test]
fn hostile_queries_are_errors() {
    let fails = |query: &str, why: &str| {
        let eval = format!("eval range from 0 to 1h step 1s {query}\n  expect fail regex: {why}\n");
        check(&eval, 1, &[]);
    };
    let first = format!(
        "label_replace(vector(1), \"a\", \"{}\", \"\", \"\")",
        "x".repeat(100)
    );
    let nested =
        |open: &str, close: &str| format!("{}{first}{}", open.repeat(30), close.repeat(30));
    let twenty = format!(", \"a\", \"{}\", \"a\", \"(.*)\")", "$1".repeat(20));
    fails(
        &nested("label_replace(", &twenty),
        "label_replace.. would make label values",
    );
    let twenty = format!(", \"a\", \"\", {})", ["\"a\""; 20].join(", "));
    fails(
        &nested("label_join(", &twenty),
        "label_join.. would make label values",
    );
    fails("max_over_time(vector(1)[100y:1ms])", "too many samples");
    fails("rate(m[5m ^ 999])", "duration out of range");
    let many = vec!["a=~\"x.*\""; 101].join(", ");
    assert!(crate::parse(&format!("m{{{many}}}")).is_err());
    // One series for each of 3,601 values costs a sample each, not 3,601.
    let counted = "count(count_values(\"v\", vector(time())))";
    check(
        &format!("eval range from 0 to 1h step 1s {counted}\n  {{}} 1x3600\n"),
        1,
        &[],
    );
}
