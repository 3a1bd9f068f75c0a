//! Starting: flags of Prometheus, what keeps the program from starting, signals, and what `check` prints for programs.

use crate::place::{Place, text, write};
use crate::program::{Program, Start, free_port, run};
use crate::story::{self, Receivers};
use crate::target::Target;
use crate::waiting::{now_ms, until_true};
use std::net::TcpListener;

#[test]
fn a_unit_file_of_prometheus_changes_only_the_name() {
    let target = Target::healthy();
    let receivers = Receivers::start();
    let place = story::place(&target, &receivers, "0s");
    let arguments = [
        format!(
            "--config.file={}",
            text(&place.config().join("prometheus.yml"))
        ),
        "--storage.tsdb.retention.time=3d".to_owned(),
        "--web.enable-lifecycle".to_owned(),
        "--web.external-url=http://watch.example.org/".to_owned(),
        "--web.console.templates=/etc/prometheus/consoles".to_owned(),
        "--query.lookback-delta=1m".to_owned(),
        "--log.level=warn".to_owned(),
    ];
    let start = Start {
        arguments: arguments.to_vec(),
        ..Start::default()
    };
    let program = Program::start_as(&place, &start);
    program.wait_for_value("up{job=\"app\"}", "1");
    let flags = program.json("/api/v1/status/flags", &[])["data"].clone();
    assert_eq!(flags["storage.tsdb.retention.time"], "3d");
    assert_eq!(flags["query.lookback-delta"], "1m");
    // The alertmanager.yml beside it was not given.
    assert_eq!(program.json("/api/v2/receivers", &[])[0]["name"], "none");
}

#[test]
fn what_keeps_it_from_starting_is_said() {
    let place = Place::new();
    let check = |arguments: &[&str], status: i32, parts: &[&str]| {
        let data = place.beside("other");
        let mut all = vec!["up", "--data", text(&data)];
        all.extend(arguments);
        let outcome = run(&all);
        assert_eq!(outcome.status, status, "{arguments:?}: {outcome:?}");
        for part in parts {
            assert!(
                outcome.err.contains(part),
                "{arguments:?}: {part}: {}",
                outcome.err
            );
        }
    };
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("bound").to_string();
    check(&["--listen", &address], 2, &[&address, "in use"]);
    check(&["--listen", "nonsense"], 2, &["--listen", "nonsense"]);
    let free = format!("127.0.0.1:{}", free_port());
    check(
        &["--listen", &free, "--retention", "soon"],
        2,
        &["--retention", "soon"],
    );
    check(
        &["--listen", &free, "--retention-size", "much"],
        2,
        &["--retention-size", "much"],
    );
    check(
        &["--remote-write-queue-size", "1MB"],
        2,
        &["--remote-write-queue-size", "1MB", "64MB"],
    );
    check(
        &["--block-duration", "30s"],
        2,
        &["--block-duration", "30s", "1m to 1d"],
    );
    check(
        &["--listen", &free, "--external-url", "::"],
        2,
        &["--external-url"],
    );
    check(&["--no-such-flag"], 2, &["--no-such-flag"]);
    check(
        &["--listen", &free, "/no/such/place"],
        1,
        &["/no/such/place"],
    );
}

#[test]
fn one_process_uses_a_data_folder() {
    let place = Place::new();
    let program = Program::start_as(&place, &Start::default());
    let listen = format!("127.0.0.1:{}", free_port());
    let second = run(&["up", "--listen", &listen, "--data", text(&place.data())]);
    assert_eq!(second.status, 2, "{second:?}");
    assert!(second.err.contains("another process"), "{}", second.err);
    assert_eq!(program.get("/-/ready", &[]).status(), 200);
    assert_eq!(program.end(), 0);
}

#[test]
fn a_hangup_reads_the_files_again_and_new_ones_too() {
    let rules =
        |name: &str| format!("groups: [{{name: g, rules: [{{record: {name}, expr: '1'}}]}}]\n");
    let place = Place::with(&[
        (
            "prometheus.yml",
            "global: {evaluation_interval: 200ms}\nrule_files: [rules/*.yml]\n",
        ),
        ("rules/a.yml", &rules("a")),
    ]);
    let program = Program::start(&place);
    program.wait_for_value("a", "1");
    place.write("rules/b.yml", &rules("b"));
    program.hang_up();
    program.wait_for_value("b", "1");
}

#[test]
fn ending_is_quick_while_targets_hang() {
    let target = Target::start(crate::target::Behaviour::Hang);
    let config = format!(
        "global: {{scrape_interval: 30s, scrape_timeout: 30s}}\nscrape_configs: [{{job_name: a, static_configs: [{{targets: ['{}']}}]}}]\n",
        target.address()
    );
    let place = Place::with(&[("prometheus.yml", &config)]);
    let program = Program::start(&place);
    until_true("the target to be asked", || target.scrapes() > 0);
    let before = now_ms();
    assert_eq!(program.end(), 0);
    let took_ms = now_ms() - before;
    // The scrape would go on for 30 s; a busy disk may take some seconds to write what is left.
    assert!(took_ms < 20_000, "{took_ms} ms");
}

#[test]
fn check_prints_json_and_judges_expositions() {
    let place = Place::with(&[(
        "rules.yml",
        "groups: [{name: a, rules: [{record: a, expr: 'sum('}]}]\n",
    )]);
    let checked = run(&["check", "-o", "json", text(&place.config())]);
    let report: serde_json::Value = serde_json::from_str(&checked.out).expect("JSON");
    assert_eq!(checked.status, 1);
    assert_eq!(report["files"][0]["kind"], "rules");
    assert_eq!(report["mistakes"].as_array().map(Vec::len), Some(1));
    let file = place.beside("metrics.txt");
    write(&file, "# TYPE a counter\na_total 1\nb 1 2 3\n");
    let judged = run(&["check", "metrics", text(&file)]);
    assert_eq!(judged.status, 1, "{judged:?}");
    assert!(judged.out.contains("metrics.txt:3: "), "{judged:?}");
    write(&file, "# TYPE a counter\na 1\n");
    assert_eq!(run(&["check", "metrics", text(&file)]).status, 0);
}

#[test]
fn a_server_that_is_not_there_is_said() {
    let url = format!("http://127.0.0.1:{}", free_port());
    for arguments in [
        &["query", "up", "--url", &url][..],
        &["doctor", &url],
        &["incident", "list", "--url", &url],
    ] {
        let outcome = run(arguments);
        assert_eq!(outcome.status, 2, "{outcome:?}");
        assert!(outcome.err.contains(&url), "{outcome:?}");
    }
}
