//! Names of the server's own metrics that others' dashboards and alerts read.

use crate::http::Request;
use crate::place::Place;
use crate::program::Program;
use crate::story::{self, Receivers};
use crate::target::Target;
use crate::waiting::{until, until_true};

const NAMES: &str = include_str!("../../testdata/upstream-metrics.txt");

#[test]
fn stock_dashboards_find_their_names() {
    let mut target = Target::healthy();
    let receivers = Receivers::start();
    let place: Place = story::place(&target, &receivers, "0s");
    let program = Program::start(&place);
    program.wait_for_value("up{job=\"app\"}", "1");
    program.query("up");
    // An alert that fires and is delivered.
    target.die();
    until_true("a notification", || receivers.capture.count() > 0);
    let names = NAMES.lines().filter(|line| !line.starts_with('#'));
    let names: Vec<&str> = names.collect();
    let metrics = until("every name", || {
        let text = program.send(Request::get("/metrics")).text();
        let is_there = |name: &str| {
            text.lines().any(|line| {
                line.strip_prefix(name)
                    .is_some_and(|rest| rest.starts_with(['{', ' ']))
            })
        };
        let missing: Vec<&&str> = names.iter().filter(|name| !is_there(name)).collect();
        if missing.is_empty() {
            Ok(text)
        } else {
            Err(format!("{missing:?}"))
        }
    });
    let value = |series: &str| -> f64 {
        let line = metrics.lines().find_map(|line| line.strip_prefix(series));
        line.and_then(|value| value.trim().parse().ok())
            .unwrap_or(f64::NAN)
    };
    assert!(value("prometheus_tsdb_head_series ") > 20.0);
    assert!(value("prometheus_tsdb_head_chunks ") > 0.0);
    assert!(value("prometheus_engine_query_duration_seconds_count{slice=\"inner_eval\"} ") > 1.0);
    assert!(
        value("prometheus_http_requests_total{code=\"200\",handler=\"/api/v1/query\"} ") >= 1.0
    );
    assert!(value("prometheus_sd_discovered_targets{config=\"app\",name=\"scrape\"} ") >= 1.0);
    let interval =
        value("prometheus_target_interval_length_seconds{interval=\"1s\",quantile=\"0.5\"} ");
    assert!((0.5..10.0).contains(&interval), "{interval}");
}
