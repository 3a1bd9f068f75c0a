//! Without any file: this host is watched, and so is the program itself.

use crate::place::Place;
use crate::program::{Program, Start};
use crate::waiting::until;
use serde_json::Value;

#[test]
fn a_host_without_files_is_watched() {
    let place = Place::new();
    let program = Program::start_as(&place, &Start::default());
    for name in [
        "node_memory_MemTotal_bytes",
        "node_load1",
        "node_uname_info",
        "node_time_seconds",
        "node_boot_time_seconds",
        "node_context_switches_total",
        "node_filefd_allocated",
    ] {
        let expression = format!("count({name}{{job=\"binnacle\",instance=\"host\"}})");
        program.wait_for_value(&expression, "1");
    }
    for name in [
        "node_cpu_seconds_total",
        "node_filesystem_avail_bytes",
        "node_network_receive_bytes_total",
        "node_disk_read_bytes_total",
        "node_scrape_collector_success",
    ] {
        until(name, || {
            let rows = program.query(&format!("{name}{{job=\"binnacle\"}}"));
            let found = !rows.is_empty();
            found.then_some(()).ok_or_else(|| "no series".to_owned())
        });
    }
    // Our own metrics are stored, and up says that both sources answer.
    program.wait_for_value(
        "count(process_resident_memory_bytes{job=\"binnacle\",instance=\"self\"})",
        "1",
    );
    program.wait_for_value("sum(up{job=\"binnacle\"})", "2");
    assert!(
        program.query("node_memory_MemTotal_bytes")[0]
            .1
            .parse::<f64>()
            .expect("a number")
            > 1e6
    );
}

#[test]
fn the_default_pack_evaluates_without_error() {
    let place = Place::new();
    let program = Program::start_as(&place, &Start::default());
    let groups = until("every rule to be evaluated", || {
        let answer = program.json("/api/v1/rules", &[]);
        let groups = answer["data"]["groups"].as_array().expect("groups").clone();
        let rules: Vec<Value> = groups
            .iter()
            .flat_map(|group| group["rules"].as_array().expect("rules").clone())
            .collect();
        let waiting = rules.iter().filter(|rule| rule["health"] != "ok").count();
        if waiting == 0 && rules.len() > 20 {
            Ok(groups)
        } else {
            Err(format!("{waiting} of {}", rules.len()))
        }
    });
    assert!(
        groups
            .iter()
            .all(|group| group["file"] == "builtin:default.yml")
    );
}

#[test]
fn health_metrics_and_the_page_are_served() {
    let place = Place::new();
    let program = Program::start_as(&place, &Start::default());
    let check = |path: &str, kind: &str, part: &str| {
        let answer = program.get(path, &[]);
        assert_eq!(answer.status(), 200, "{path}");
        assert!(
            answer.header("content-type").starts_with(kind),
            "{path}: {:?}",
            answer.headers
        );
        assert!(answer.text().contains(part), "{path}: {}", answer.text());
    };
    check("/-/healthy", "text/plain", "Healthy");
    check("/-/ready", "text/plain", "Ready");
    check(
        "/metrics",
        "text/plain; version=0.0.4",
        "# TYPE process_cpu_seconds_total counter",
    );
    check("/metrics", "text/plain", "binnacle_tsdb_");
    check("/", "text/html", "<title>Binnacle");
    check("/incidents", "text/html", "<title>Binnacle");
    check(
        "/api/binnacle/v1/status",
        "application/json",
        "\"ready\":true",
    );
    let missing = program.get("/api/v1/no_such_thing", &[]);
    assert_eq!(missing.status(), 404);
    assert_eq!(program.end(), 0);
}
