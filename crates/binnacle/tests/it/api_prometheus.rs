//! Prometheus' API: what clients need of each answer, and the shape of answers beside those of Prometheus itself.

use crate::http::Request;
use crate::place::Place;
use crate::program::Program;
use crate::shape::missing_shape;
use crate::story::{self, Receivers};
use crate::target::{Behaviour, Target};
use crate::waiting::{now_ms, until};
use serde_json::{Value, json};

const EXPOSITION: &str = "\
# HELP requests_total Requests served.
# TYPE requests_total counter
requests_total{code=\"200\"} 10
requests_total{code=\"500\"} 2
# HELP temperature_celsius How warm it is.
# TYPE temperature_celsius gauge
temperature_celsius 21.5
";

struct Running {
    program: Program,
    target: Target,
    _receivers: Receivers,
    _place: Place,
}

fn start() -> Running {
    let target = Target::start(Behaviour::Serve(EXPOSITION.to_owned()));
    let receivers = Receivers::start();
    let place = story::place(&target, &receivers, "0s");
    let program = Program::start(&place);
    program.wait_for_value("temperature_celsius", "21.5");
    program.wait_for_value("job:requests:sum", "12");
    Running {
        program,
        target,
        _receivers: receivers,
        _place: place,
    }
}

#[test]
fn queries_answer_every_type_of_result() {
    let running = start();
    let program = &running.program;
    let check = |expression: &str, kind: &str| {
        let answer = program.json("/api/v1/query", &[("query", expression)]);
        assert_eq!(answer["status"], "success");
        assert_eq!(answer["data"]["resultType"], kind, "{expression}");
        answer["data"]["result"].clone()
    };
    // Over a minute, so that a single failed scrape changes nothing.
    let sum = "sum by (job) (last_over_time(requests_total[1m]))";
    let vector = check(sum, "vector");
    assert_eq!(vector[0]["metric"], json!({"job": "app"}));
    assert!(
        vector[0]["value"][0].is_number() && vector[0]["value"][1] == "12",
        "{vector}"
    );
    assert_eq!(check("3 * 2", "scalar")[1], "6");
    assert_eq!(check("\"text\"", "string")[1], "text");
    assert!(check("temperature_celsius[1m]", "matrix")[0]["values"][0][1] == "21.5");
    assert_eq!(check("vector(1) / 0", "vector")[0]["value"][1], "+Inf");
    assert_eq!(check("vector(0) / 0", "vector")[0]["value"][1], "NaN");
    // Posted as a form, as Grafana does.
    let form = program.post(
        "/api/v1/query",
        "application/x-www-form-urlencoded",
        b"query=vector(7)",
    );
    assert_eq!(form.json()["data"]["result"][0]["value"][1], "7");
    until("a rate of what is no counter", || {
        let rate = "rate(temperature_celsius[1m])";
        let warned = program.json("/api/v1/query", &[("query", rate)]);
        let has_infos = warned["infos"].is_array();
        has_infos.then_some(()).ok_or_else(|| warned.to_string())
    });
}

#[test]
fn ranges_have_a_point_at_every_step() {
    let running = start();
    let program = &running.program;
    let end = now_ms() / 1000;
    let start = (end - 60).to_string();
    let end = end.to_string();
    let range = |step: &str| {
        let parameters = [
            ("query", "vector(1)"),
            ("start", &start),
            ("end", &end),
            ("step", step),
        ];
        program.get("/api/v1/query_range", &parameters)
    };
    let answer = range("15").json();
    assert_eq!(answer["data"]["resultType"], "matrix");
    assert_eq!(
        answer["data"]["result"][0]["values"]
            .as_array()
            .map(Vec::len),
        Some(5)
    );
    assert_eq!(range("0").status(), 400);
    // More points than anybody can look at.
    let many = range("0.001").json();
    assert!(
        many["error"]
            .as_str()
            .is_some_and(|error| error.contains("11,000 points")),
        "{many}"
    );
}

#[test]
fn mistakes_have_status_and_type() {
    let running = start();
    let check = |path: &str, status: u16, part: &str| {
        let answer = running.program.send(Request::get(path));
        assert_eq!(answer.status(), status, "{path}: {}", answer.text());
        let body = answer.json();
        assert_eq!(
            (&body["status"], &body["errorType"]),
            (&json!("error"), &json!("bad_data")),
            "{path}"
        );
        assert!(
            body["error"]
                .as_str()
                .is_some_and(|error| error.contains(part)),
            "{path}: {body}"
        );
    };
    check("/api/v1/query?query=sum(", 400, "parse error");
    check("/api/v1/query", 400, "query");
    check("/api/v1/query?query=up&time=yesterday", 400, "yesterday");
    check(
        "/api/v1/query_range?query=up&start=10&end=5&step=1",
        400,
        "end",
    );
    check("/api/v1/series", 400, "match");
    check("/api/v1/series?match[]={}", 400, "match");
    check("/api/v1/labels?match[]=up{", 400, "parse error");
}

#[test]
fn series_labels_and_values_are_listed() {
    let running = start();
    let program = &running.program;
    let data =
        |path: &str, parameters: &[(&str, &str)]| program.json(path, parameters)["data"].clone();
    let series = data("/api/v1/series", &[("match[]", "requests_total")]);
    let instance = running.target.address();
    assert_eq!(
        series,
        json!([
            {"__name__": "requests_total", "code": "200", "instance": instance, "job": "app"},
            {"__name__": "requests_total", "code": "500", "instance": instance, "job": "app"},
        ])
    );
    let labels = data("/api/v1/labels", &[("match[]", "requests_total")]);
    assert_eq!(labels, json!(["__name__", "code", "instance", "job"]));
    let codes = |limit| {
        let parameters = [("match[]", "requests_total"), ("limit", limit)];
        data("/api/v1/label/code/values", &parameters)
    };
    assert_eq!(codes("0"), json!(["200", "500"]));
    assert_eq!(codes("1"), json!(["200"]));
    let jobs = data("/api/v1/label/job/values", &[]);
    assert_eq!(jobs, json!(["app", "binnacle"]));
    let names = data(
        "/api/v1/label/__name__/values",
        &[("match[]", "{job=\"app\",__name__=~\"req.*\"}")],
    );
    assert_eq!(names, json!(["requests_total"]));
    let metadata = data("/api/v1/metadata", &[("metric", "requests_total")]);
    assert_eq!(
        metadata,
        json!({"requests_total": [{"type": "counter", "help": "Requests served.", "unit": ""}]})
    );
    let own = data("/api/v1/metadata", &[("metric", "node_load1")]);
    assert_eq!(own["node_load1"][0]["type"], "gauge");
}

#[test]
fn targets_rules_and_status_hold_what_clients_read() {
    let running = start();
    let program = &running.program;
    let data = |path: &str| program.json(path, &[])["data"].clone();
    let app = until("the app to be up", || {
        let targets = data("/api/v1/targets");
        let mut list = targets["activeTargets"].as_array().expect("targets").iter();
        let app = list.find(|target| target["labels"]["job"] == "app");
        let is_up = |app: &&Value| app["health"] == "up";
        app.filter(is_up)
            .cloned()
            .ok_or_else(|| targets.to_string())
    });
    assert_eq!(
        app["scrapeUrl"],
        format!("http://{}/metrics", running.target.address())
    );
    assert_eq!(
        (&app["health"], &app["lastError"], &app["scrapeInterval"]),
        (&json!("up"), &json!(""), &json!("1s"))
    );
    assert_eq!(
        app["discoveredLabels"]["__address__"],
        running.target.address()
    );
    let group = &data("/api/v1/rules")["groups"][0];
    assert_eq!(
        (&group["name"], &group["interval"]),
        (&json!("app"), &json!(0.2))
    );
    assert_eq!(
        (&group["rules"][0]["type"], &group["rules"][1]["type"]),
        (&json!("recording"), &json!("alerting"))
    );
    let alerting =
        program.json("/api/v1/rules", &[("type", "alert")])["data"]["groups"][0]["rules"].clone();
    assert_eq!(alerting.as_array().map(Vec::len), Some(1));
    assert!(
        data("/api/v1/status/buildinfo")["version"]
            .as_str()
            .is_some_and(|version| version.starts_with("3."))
    );
    assert!(
        data("/api/v1/status/config")["yaml"]
            .as_str()
            .is_some_and(|yaml| yaml.contains("job_name: app"))
    );
    assert_eq!(
        data("/api/v1/status/flags")["web.enable-lifecycle"],
        "false"
    );
    assert!(data("/api/v1/status/tsdb")["headStats"]["numSeries"].as_u64() > Some(100));
    assert_eq!(data("/api/v1/status/walreplay")["current"], 0);
    let formatted = program.json("/api/v1/format_query", &[("query", "sum(up)by(job)")]);
    assert_eq!(formatted["data"], "sum by (job) (up)");
}

#[test]
fn answers_have_the_shape_of_prometheus_own() {
    let running = start();
    let place = Place::with(&[
        ("prometheus.yml", &story::prometheus_yml(&running.target)),
        ("rules.yml", &story::rules_yml("0s")),
    ]);
    let Some(peer) = crate::peer::prometheus(&place) else {
        println!("skipped: no prometheus on the PATH");
        return;
    };
    let theirs = |path: &str| {
        crate::http::send(&peer.address, Request::get(path)).map(|answer| answer.json())
    };
    until("the peer to have samples", || {
        match theirs("/api/v1/query?query=job:requests:sum") {
            Ok(answer) if answer["data"]["result"][0].is_object() => Ok(()),
            other => Err(format!("{other:?}")),
        }
    });
    let mut found = Vec::new();
    for path in [
        "/api/v1/query?query=up{job=\"app\"}",
        "/api/v1/query?query=1",
        "/api/v1/query?query=up[10s]",
        "/api/v1/query?query=sum(",
        "/api/v1/query_range?query=vector(1)&start=100&end=200&step=50",
        "/api/v1/series?match[]=up",
        "/api/v1/labels",
        "/api/v1/label/job/values",
        "/api/v1/metadata?metric=requests_total",
        "/api/v1/targets?state=active",
        "/api/v1/targets/metadata?metric=requests_total",
        "/api/v1/rules",
        "/api/v1/alerts",
        "/api/v1/alertmanagers",
        "/api/v1/status/buildinfo",
        "/api/v1/status/tsdb",
        "/api/v1/status/walreplay",
        "/api/v1/status/config",
    ] {
        let path = path
            .replace('"', "%22")
            .replace('{', "%7B")
            .replace('}', "%7D");
        let (theirs, ours) = (
            theirs(&path).expect("an answer"),
            running.program.send(Request::get(&path)).json(),
        );
        found.extend(missing_shape(&path, &theirs, &ours));
    }
    assert_eq!(found, Vec::<String>::new());
}
