//! The rest of Prometheus' API: what tools and pages ask besides queries.

use crate::http::{self, Message, Request};
use crate::place::{Place, text};
use crate::program::{Program, Start};
use crate::story::{self, Receivers};
use crate::target::{Behaviour, Target};
use crate::waiting::{now_ms, until, until_true};
use crate::writer;
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;

const EXPOSITION: &str = "\
# HELP requests_total Requests served.
# TYPE requests_total counter
requests_total{code=\"200\"} 10
requests_total{code=\"500\"} 2
";

struct Running {
    program: Program,
    place: Place,
    _target: Target,
    _receivers: Receivers,
}

fn start(arguments: &[&str]) -> Running {
    let target = Target::start(Behaviour::Serve(EXPOSITION.to_owned()));
    let receivers = Receivers::start();
    let place = story::place(&target, &receivers, "0s");
    let yml = story::prometheus_yml(&target).replace(
        "  - job_name: app\n",
        "  - job_name: app\n    relabel_configs: [{source_labels: [__address__], target_label: at}]\n",
    );
    place.write("prometheus.yml", &yml);
    let start = Start {
        with_config: true,
        arguments: arguments.iter().map(|one| (*one).to_owned()).collect(),
        ..Start::default()
    };
    let program = Program::start_as(&place, &start);
    program.wait_for_value("requests_total{code=\"200\"}", "10");
    Running {
        program,
        place,
        _target: target,
        _receivers: receivers,
    }
}

fn request(program: &Program, method: &str, path: &str, headers: &[(&str, &str)]) -> Message {
    program.send(Request {
        method,
        path,
        headers,
        body: &[],
    })
}

fn failure(answer: &Message) -> (u16, Value, Value) {
    let body = answer.json();
    (
        answer.status(),
        body["errorType"].clone(),
        body["error"].clone(),
    )
}

#[test]
fn trees_steps_features_and_blocks_are_shown() {
    let running = start(&["--enable-feature=promql-delayed-name-removal"]);
    let program = &running.program;
    let data =
        |path: &str, parameters: &[(&str, &str)]| program.json(path, parameters)["data"].clone();
    let tree = data(
        "/api/v1/parse_query",
        &[("query", "sum(rate(a[5m])) by (job)")],
    );
    assert_eq!(
        (
            &tree["type"],
            &tree["op"],
            &tree["expr"]["args"][0]["range"]
        ),
        (&json!("aggregation"), &json!("sum"), &json!(300_000))
    );
    let labels = r#"{"__address__":"a:1","job":"app"}"#;
    let steps = data(
        "/api/v1/targets/relabel_steps",
        &[("scrapePool", "app"), ("labels", labels)],
    );
    assert_eq!(steps["steps"][0]["output"]["at"], "a:1");
    assert_eq!(steps["steps"][0]["rule"]["action"], "replace");
    let unknown = program.get(
        "/api/v1/targets/relabel_steps",
        &[("scrapePool", "x"), ("labels", "{}")],
    );
    assert_eq!(unknown.status(), 400);
    let features = data("/api/v1/features", &[]);
    assert_eq!(
        (
            &features["promql"]["delayed_name_removal"],
            &features["api"]["admin"]
        ),
        (&json!(true), &json!(false))
    );
    assert!(
        features["promql_functions"]["rate"] == true
            && features["promql_operators"]["topk"] == true
    );
    assert!(
        features["templating_functions"]["humanize"] == true,
        "{features}"
    );
    assert!(data("/api/v1/status/tsdb/blocks", &[])["blocks"].is_array());
    let replay = data("/api/v1/status/walreplay", &[]);
    assert!(
        replay["current"].is_u64() && replay["max"].is_u64(),
        "{replay}"
    );
    let runtime = data("/api/v1/status/runtimeinfo", &[]);
    assert!(runtime["goroutineCount"].as_u64() > Some(1), "{runtime}");
    assert!(
        runtime["hostname"]
            .as_str()
            .is_some_and(|name| !name.is_empty())
    );
    let wrong = program.get("/api/v1/status/tsdb", &[("limit", "0")]);
    assert_eq!(wrong.json()["error"], "limit must be a positive number");
    let one = data("/api/v1/status/tsdb", &[("limit", "1")]);
    assert_eq!(
        one["seriesCountByMetricName"].as_array().map(Vec::len),
        Some(1)
    );
}

#[test]
fn answers_are_cut_to_a_limit_and_say_so() {
    let running = start(&[]);
    let program = &running.program;
    let check = |path: &str, parameters: &[(&str, &str)], place: &str| {
        let mut parameters = parameters.to_vec();
        parameters.push(("limit", "1"));
        let answer = program.json(path, &parameters);
        let list = if place.is_empty() {
            &answer["data"]
        } else {
            &answer["data"][place]
        };
        assert_eq!(list.as_array().map(Vec::len), Some(1), "{path}");
        assert_eq!(
            answer["warnings"],
            json!(["results truncated due to limit"]),
            "{path}"
        );
        let negative = program.get(
            path,
            &[&parameters[..parameters.len() - 1], &[("limit", "-1")]].concat(),
        );
        let (status, kind, _) = failure(&negative);
        assert_eq!((status, kind), (400, json!("bad_data")), "{path}");
    };
    // Over a minute, so that a single failed scrape changes nothing.
    let both = [("query", "last_over_time(requests_total[1m])")];
    check("/api/v1/query", &both, "result");
    check("/api/v1/series", &[("match[]", "requests_total")], "");
    check("/api/v1/labels", &[], "");
    check("/api/v1/label/code/values", &[], "");
    // A name that does not fit into a path, in upstream's escaping.
    let matching = [("match[]", "requests_total")];
    let values = program.json("/api/v1/label/U__code/values", &matching);
    assert_eq!(values["data"], json!(["200", "500"]));
}

#[test]
fn names_are_searched_for() {
    let running = start(&[]);
    let program = &running.program;
    let search = |path: &str, parameters: &[(&str, &str)]| -> Vec<Value> {
        let answer = program.get(path, parameters);
        assert_eq!(answer.status(), 200, "{}", answer.text());
        assert_eq!(
            answer.header("content-type"),
            "application/x-ndjson; charset=utf-8"
        );
        let text = answer.text();
        text.lines()
            .map(|line| serde_json::from_str(line).expect("a line of JSON"))
            .collect()
    };
    let lines = search(
        "/api/v1/search/metric_names",
        &[
            ("search[]", "reqtot"),
            ("include_score", "true"),
            ("include_metadata", "true"),
            ("sort_by", "score"),
        ],
    );
    let first = &lines[0]["results"][0];
    assert_eq!(
        (&first["name"], &first["type"], &first["help"]),
        (
            &json!("requests_total"),
            &json!("counter"),
            &json!("Requests served.")
        )
    );
    assert!(
        first["score"]
            .as_f64()
            .is_some_and(|score| score > 0.0 && score < 1.0),
        "{first}"
    );
    let lines = search(
        "/api/v1/search/label_values",
        &[
            ("label", "code"),
            ("sort_by", "alpha"),
            ("sort_dir", "dsc"),
            ("limit", "1"),
            ("match[]", "requests_total"),
        ],
    );
    assert_eq!(lines[0]["results"], json!([{"name": "500"}]));
    assert_eq!(
        lines.last(),
        Some(&json!({"status": "success", "has_more": true}))
    );
    let lines = search(
        "/api/v1/search/label_names",
        &[("search[]", "__NAME"), ("case_sensitive", "false")],
    );
    assert_eq!(lines[0]["results"], json!([{"name": "__name__"}]));
    let lines = search(
        "/api/v1/search/metric_names",
        &[("batch_size", "2"), ("limit", "5")],
    );
    let sizes: Vec<_> = lines
        .iter()
        .filter_map(|line| line["results"].as_array().map(Vec::len))
        .collect();
    assert_eq!(sizes, [2, 2, 1]);
}

#[test]
fn searches_that_make_no_sense_are_refused() {
    let running = start(&[]);
    let program = &running.program;
    let check = |parameters: &[(&str, &str)], part: &str| {
        let (status, _, error) = failure(&program.get("/api/v1/search/label_values", parameters));
        assert!(
            status == 400 && error.as_str().is_some_and(|error| error.contains(part)),
            "{part}: {error}"
        );
    };
    check(&[], "label");
    check(&[("label", "a"), ("sort_by", "size")], "invalid sort_by");
    check(
        &[("label", "a"), ("sort_dir", "asc")],
        "sort_dir is only valid",
    );
    check(
        &[("label", "a"), ("fuzz_threshold", "101")],
        "must be 0-100",
    );
    check(&[("label", "a"), ("limit", "10001")], "10000");
}

#[test]
fn exemplars_come_back_with_their_series() {
    let running = start(&[]);
    let program = &running.program;
    let now = now_ms();
    let mut series = writer::series(&[("__name__", "seen_total"), ("job", "w")], &[(now, 1.0)]);
    series.exemplars = vec![writer::exemplar(&[("trace_id", "abc")], 0.5, now)];
    let written = program.post(
        "/api/v1/write",
        "application/x-protobuf",
        &writer::body(vec![series]),
    );
    assert_eq!(written.status(), 204, "{}", written.text());
    let found = program.json(
        "/api/v1/query_exemplars",
        &[("query", "rate(seen_total[5m]) > 0")],
    );
    assert_eq!(
        found["data"][0]["seriesLabels"],
        json!({"__name__": "seen_total", "job": "w"}),
        "{found}"
    );
    let exemplar = &found["data"][0]["exemplars"][0];
    assert_eq!(
        (&exemplar["labels"]["trace_id"], &exemplar["value"]),
        (&json!("abc"), &json!("0.5"))
    );
    assert!(exemplar["timestamp"].is_number());
    let long_ago = [("query", "seen_total"), ("start", "1"), ("end", "2")];
    assert_eq!(
        program.json("/api/v1/query_exemplars", &long_ago)["data"],
        json!([])
    );
    let backwards = [("query", "seen_total"), ("start", "2"), ("end", "1")];
    assert_eq!(
        program.get("/api/v1/query_exemplars", &backwards).status(),
        400
    );
}

#[test]
fn the_store_is_administered_where_the_flag_allows_it() {
    let running = start(&[]);
    for path in ["snapshot", "delete_series?match[]=up", "clean_tombstones"] {
        let answer = request(
            &running.program,
            "POST",
            &format!("/api/v1/admin/tsdb/{path}"),
            &[],
        );
        assert_eq!(
            failure(&answer),
            (503, json!("unavailable"), json!("admin APIs disabled")),
            "{path}"
        );
    }
    let running = start(&["--web.enable-admin-api"]);
    let program = &running.program;
    let post = |path: &str| request(program, "POST", &format!("/api/v1/admin/tsdb/{path}"), &[]);
    let now = now_ms();
    let series = writer::series(&[("__name__", "gone")], &[(now, 1.0)]);
    let written = program.post(
        "/api/v1/write",
        "application/x-protobuf",
        &writer::body(vec![series]),
    );
    assert_eq!(written.status(), 204);
    program.wait_for_value("gone", "1");
    assert_eq!(post("delete_series").status(), 400);
    assert_eq!(post("delete_series?match[]=gone").status(), 204);
    assert_eq!(program.query("gone"), []);
    assert_eq!(post("clean_tombstones").status(), 204);
    let made = post("snapshot?skip_head=false");
    let name = made.json()["data"]["name"]
        .as_str()
        .expect("a name")
        .to_owned();
    let folder = running.place.data().join("metrics/snapshots").join(name);
    assert!(folder.is_dir(), "{}", folder.display());
    assert_eq!(post("snapshot?skip_head=maybe").status(), 400);
    let methods = request(program, "GET", "/api/v1/admin/tsdb/snapshot", &[]);
    assert_eq!(methods.status(), 405);
}

#[test]
fn a_failed_reload_is_notified_live_until_it_succeeds() {
    let running = start(&[]);
    let program = &running.program;
    let list = || program.json("/api/v1/notifications", &[])["data"].clone();
    assert_eq!(list(), json!([]));
    let mut stream = TcpStream::connect(&program.address).expect("it listens");
    let request = format!(
        "GET /api/v1/notifications/live HTTP/1.1\r\nHost: {}\r\n\r\n",
        program.address
    );
    stream.write_all(request.as_bytes()).expect("written");
    let mut lines = BufReader::new(stream.try_clone().expect("a stream")).lines();
    let mut next_event = || {
        let mut read = || lines.next().expect("an open stream").expect("a line");
        std::iter::from_fn(|| Some(read()))
            .find_map(|line| line.strip_prefix("data: ").map(str::to_owned))
            .map(|event| serde_json::from_str::<Value>(&event).expect("JSON"))
    };
    let sound =
        std::fs::read_to_string(running.place.config().join("prometheus.yml")).expect("a file");
    running.place.write("prometheus.yml", "scrape_configs: 7\n");
    program.hang_up();
    let news = next_event().expect("an event");
    assert_eq!(
        (&news["text"], &news["active"]),
        (&json!("Configuration reload has failed."), &json!(true))
    );
    assert_eq!(list()[0]["text"], news["text"]);
    running.place.write("prometheus.yml", &sound);
    program.hang_up();
    assert_eq!(next_event().expect("an event")["active"], false);
    until("an empty list", || {
        let list = list();
        (list == json!([]))
            .then_some(())
            .ok_or_else(|| list.to_string())
    });
}

#[test]
fn lifecycle_is_as_the_flags_say() {
    let running = start(&[]);
    let send = |program: &Program, method: &str, path: &str| request(program, method, path, &[]);
    let refused = send(&running.program, "PUT", "/-/quit");
    assert_eq!(
        (refused.status(), refused.text().trim()),
        (403, "Lifecycle API is not enabled.")
    );
    assert_eq!(send(&running.program, "GET", "/-/reload").status(), 405);
    assert_eq!(send(&running.program, "POST", "/-/reload").status(), 200);
    let running = start(&["--no-web.enable-lifecycle"]);
    assert_eq!(send(&running.program, "POST", "/-/reload").status(), 403);
    let mut running = start(&["--web.enable-lifecycle"]);
    let goodbye = send(&running.program, "PUT", "/-/quit");
    assert_eq!(goodbye.text().trim(), "Requesting termination... Goodbye!");
    assert_eq!(running.program.wait_for_end(), 0);
}

#[test]
fn other_sites_read_only_where_the_flag_lets_them() {
    let running = start(&[]);
    let origin = [("Origin", "http://board.example")];
    let get = |program: &Program| request(program, "GET", "/api/v1/labels", &origin);
    assert_eq!(
        get(&running.program).header("access-control-allow-origin"),
        ""
    );
    let running = start(&["--web.cors.origin=https?://board\\.example"]);
    let answer = get(&running.program);
    assert_eq!(
        answer.header("access-control-allow-origin"),
        "http://board.example"
    );
    assert_eq!(answer.header("access-control-expose-headers"), "Date");
    let question = [
        ("Origin", "http://board.example"),
        ("Access-Control-Request-Method", "POST"),
    ];
    let asked = request(&running.program, "OPTIONS", "/api/v1/query", &question);
    assert_eq!(
        (asked.status(), asked.header("access-control-allow-methods")),
        (204, "GET, POST, OPTIONS")
    );
    let other = request(
        &running.program,
        "GET",
        "/api/v1/labels",
        &[("Origin", "http://evil.example")],
    );
    assert_eq!(other.header("access-control-allow-origin"), "");
}

#[test]
fn everything_lies_under_the_route_prefix() {
    let place = Place::new();
    let arguments = [
        "--web.external-url=http://watch.example/prom/",
        "--web.max-connections=4",
    ];
    let start = Start {
        arguments: arguments.map(str::to_owned).to_vec(),
        ..Start::default()
    };
    let program = Program::begin(&place, &start);
    let get = |path: &str| http::send(&program.address, Request::get(path));
    until("the program to be ready", || match get("/prom/-/ready") {
        Ok(answer) if answer.status() == 200 => Ok(()),
        other => Err(format!("{other:?}")),
    });
    let get = |path: &str| get(path).expect("an answer");
    assert_eq!(get("/prom/api/v1/query?query=1").status(), 200);
    assert_eq!(get("/api/v1/query?query=1").status(), 404);
    let root = get("/");
    assert_eq!((root.status(), root.header("location")), (302, "/prom/"));
    let flags = get("/prom/api/v1/status/flags").json();
    assert_eq!(flags["data"]["web.route-prefix"], "/prom/");
}

#[test]
fn queries_are_logged_counted_and_end_with_their_client() {
    let running = start(&[]);
    let program = &running.program;
    let log = running.place.beside("queries.log");
    let path = running.place.config().join("prometheus.yml");
    let yml = std::fs::read_to_string(&path).expect("a file");
    let named = format!("global:\n  query_log_file: {}\n", text(&log));
    running
        .place
        .write("prometheus.yml", &yml.replace("global:\n", &named));
    assert_eq!(request(program, "POST", "/-/reload", &[]).status(), 200);
    program.query("vector(42)");
    let line_with = |part: &str| -> Value {
        let line = until("a line", || {
            let text = std::fs::read_to_string(&log).unwrap_or_default();
            let line = text.lines().find(|line| line.contains(part));
            line.map(str::to_owned).ok_or(text)
        });
        serde_json::from_str(&line).expect("JSON")
    };
    let rule = line_with("ruleGroup");
    assert!(rule["ruleGroup"]["name"].is_string(), "{rule}");
    assert!(rule["stats"]["timings"].is_object(), "{rule}");
    let line = line_with("vector(42)");
    assert_eq!(
        (
            &line["params"]["query"],
            &line["httpRequest"]["path"],
            &line["httpRequest"]["clientIP"]
        ),
        (
            &json!("vector(42)"),
            &json!("/api/v1/query"),
            &json!("127.0.0.1")
        )
    );
    assert!(
        line["stats"]["timings"]["execTotalTime"].is_number(),
        "{line}"
    );
    // A query that takes for ever, whose client does not wait for it.
    let slow = "max_over_time(quantile_over_time(0.5, vector(time())[1d:1s])[1d:30s])";
    let mut stream = TcpStream::connect(&program.address).expect("it listens");
    let target = http::path_with("/api/v1/query", &[("query", slow)]);
    let head = format!("GET {target} HTTP/1.1\r\nHost: {}\r\n\r\n", program.address);
    stream.write_all(head.as_bytes()).expect("written");
    let running_queries = || {
        let text = program.get("/metrics", &[]).text();
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix("prometheus_engine_queries "));
        line.map(str::to_owned).unwrap_or_default()
    };
    until_true("the query to run", || running_queries() == "1");
    drop(stream);
    until("the query to end", || {
        let text = std::fs::read_to_string(&log).unwrap_or_default();
        let ended = text
            .lines()
            .any(|line| line.contains("quantile_over_time") && line.contains("canceled"));
        ended.then_some(()).ok_or(text)
    });
    let (status, kind, error) =
        failure(&program.get("/api/v1/query", &[("query", slow), ("timeout", "50ms")]));
    assert_eq!((status, kind), (503, json!("timeout")), "{error}");
}
