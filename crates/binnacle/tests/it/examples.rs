//! Every set-up under `examples/` is checked and started.

use crate::place::{Place, text};
use crate::program::{Program, Start, run};
use crate::waiting::until;
use serde_json::Value;
use std::path::PathBuf;

fn folder(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../examples")
        .join(name)
}

fn start(name: &str) -> (Place, Program) {
    let place = Place::new();
    let arguments = vec![text(&folder(name)).to_owned()];
    let program = Program::start_as(
        &place,
        &Start {
            arguments,
            ..Start::default()
        },
    );
    (place, program)
}

#[test]
fn every_example_passes_check_and_runs() {
    let mut names: Vec<String> = std::fs::read_dir(folder(""))
        .expect("examples")
        .map(|entry| entry.expect("an entry"))
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    assert!(names.len() >= 4, "{names:?}");
    for name in names {
        let checked = run(&["check", text(&folder(&name))]);
        assert_eq!(checked.status, 0, "{name}: {}", checked.out);
        let (_place, program) = start(&name);
        assert_eq!(program.end(), 0, "{name}");
    }
}

#[test]
fn files_of_a_compose_project_run_as_they_are() {
    let checked = run(&["check", text(&folder("compose-stack"))]);
    for part in [
        "overview.json: Grafana dashboard: recognised, not used yet",
        "promtail.yml: Promtail configuration: recognised, not used yet",
        "loki.yml: Loki configuration: recognised, not used yet",
        "blackbox.yml: blackbox_exporter modules: recognised, not used yet",
        "docker-compose.yml: unknown: skipped",
        "rule_files: /etc/prometheus/rules/*.yml is not here",
        "ok: 4 scrape configs, 8 rules",
    ] {
        assert!(checked.out.contains(part), "{part}: {}", checked.out);
    }
    let (_place, program) = start("compose-stack");
    let groups = program.json("/api/v1/rules", &[])["data"]["groups"].clone();
    let names: Vec<&str> = groups
        .as_array()
        .expect("groups")
        .iter()
        .filter_map(|group| group["name"].as_str())
        .collect();
    assert_eq!(names, ["app", "availability", "host"]);
    // Those whose names do not resolve here are answered from inside; the app is not there.
    let targets = until("all targets to be scraped", || {
        let targets = program.json("/api/v1/targets", &[])["data"]["activeTargets"].clone();
        let list = targets.as_array().expect("targets").clone();
        let waiting = list.iter().any(|target| target["health"] == "unknown");
        if waiting {
            Err(targets.to_string())
        } else {
            Ok(list)
        }
    });
    let health = |job: &str| -> Value {
        let found = targets.iter().find(|target| target["labels"]["job"] == job);
        found.expect("the job")["health"].clone()
    };
    assert_eq!(
        [
            health("node"),
            health("prometheus"),
            health("alertmanager"),
            health("app")
        ],
        ["up", "up", "up", "down"]
    );
    assert!(
        !program
            .query("node_cpu_seconds_total{job=\"node\",host=\"web-1\"}")
            .is_empty()
    );
    let receivers = program.json("/api/v2/receivers", &[]);
    assert_eq!(receivers.as_array().map(Vec::len), Some(3));
}

#[test]
fn targets_from_files_are_found_and_relabelled() {
    let (_place, program) = start("file-discovery");
    let targets = until("the targets", || {
        let targets =
            program.json("/api/v1/targets", &[("scrapePool", "services")])["data"].clone();
        let count = targets["activeTargets"].as_array().map_or(0, Vec::len);
        if count == 3 {
            Ok(targets)
        } else {
            Err(targets.to_string())
        }
    });
    let urls: Vec<&str> = targets["activeTargets"]
        .as_array()
        .expect("three")
        .iter()
        .filter_map(|target| target["scrapeUrl"].as_str())
        .collect();
    assert!(
        urls.contains(&"http://127.0.0.1:8083/internal/metrics"),
        "{urls:?}"
    );
    assert_eq!(
        targets["droppedTargets"].as_array().map(Vec::len),
        Some(1),
        "{targets}"
    );
}

#[test]
fn the_unit_tests_of_the_rules_pass() {
    let tests = folder("rule-tests/tests.yml");
    let passed = run(&["test", "rules", text(&tests)]);
    assert!(
        passed.status == 0 && passed.out.contains("SUCCESS"),
        "{passed:?}"
    );
}

#[test]
fn settings_switch_stand_ins_off_and_the_pack_on() {
    let (_place, program) = start("settings");
    let groups = program.json("/api/v1/rules", &[])["data"]["groups"].clone();
    assert!(
        groups
            .as_array()
            .expect("groups")
            .iter()
            .any(|group| group["file"] == "builtin:default.yml"),
        "{groups}"
    );
}
