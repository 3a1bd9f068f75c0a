//! Rule packs: enabled in the configuration's folder or in the data folder, evaluated, edited, disabled.

use crate::http::Request;
use crate::place::{Place, text};
use crate::program::{Outcome, Program, Start, run};
use crate::waiting::until;
use serde_json::Value;

/// The files of the rule groups that the server evaluates, without their folders.
fn files(program: &Program) -> Vec<String> {
    let answer = program.json("/api/v1/rules", &[]);
    let groups = answer["data"]["groups"].as_array().expect("groups").clone();
    let name = |group: &Value| {
        let file = group["file"].as_str().unwrap_or_default();
        file.rsplit('/').next().unwrap_or_default().to_owned()
    };
    let mut files: Vec<String> = groups.iter().map(name).collect();
    files.sort();
    files.dedup();
    files
}

fn good(outcome: &Outcome, said: &str) {
    assert!(
        outcome.status == 0 && outcome.out.contains(said),
        "{said}: {outcome:?}"
    );
}

/// What `pack list` says of a pack.
fn listed(program: &Program, name: &str) -> Value {
    let outcome = program.command(&["pack", "list", "-o", "json"]);
    let list: Value = serde_json::from_str(&outcome.out).expect("JSON");
    let list = list.as_array().expect("a list");
    let found = list.iter().find(|pack| pack["name"] == name);
    found.expect("the pack").clone()
}

#[test]
fn a_pack_is_enabled_beside_a_prometheus_yml_and_disabled_again() {
    let place = Place::with(&[
        (
            "prometheus.yml",
            "global: {evaluation_interval: 1s}\nrule_files: [rules.yml]\n",
        ),
        (
            "rules.yml",
            "groups: [{name: own, rules: [{record: a, expr: up}]}]\n",
        ),
    ]);
    let program = Program::start(&place);
    assert_eq!(files(&program), ["rules.yml"]);
    let pack = listed(&program, "host");
    assert_eq!(
        (&pack["enabled"], &pack["loaded"]),
        (&false.into(), &false.into())
    );

    // Without a flag the file goes where the server that answers reads it.
    let enabled = program.command(&["pack", "enable", "host"]);
    good(&enabled, "host: enabled: ");
    assert!(enabled.err.contains("after a reload"), "{enabled:?}");
    assert_eq!(files(&program), ["rules.yml"]);
    assert_eq!(listed(&program, "host")["loaded"], false);
    assert_eq!(program.post("/-/reload", "", b"").status(), 200);
    assert_eq!(files(&program), ["host.yml", "rules.yml"]);
    assert_eq!(listed(&program, "host")["loaded"], true);
    let checked = run(&["check", text(&place.config())]);
    good(&checked, "packs/host.yml: rules: used, pack host");

    // The rules evaluate, and the runbooks are where their alerts say.
    let rules = until("the pack to be evaluated", || {
        let answer = program.json("/api/v1/rules", &[("rule_group[]", "host")]);
        let group = answer["data"]["groups"][0].clone();
        let rules = group["rules"].as_array().expect("rules").clone();
        let done = rules.iter().all(|rule| rule["health"] == "ok");
        done.then_some(rules).ok_or_else(|| group.to_string())
    });
    let alert = rules.iter().find(|rule| rule["type"] == "alerting");
    let annotation = alert.expect("an alert")["annotations"]["runbook_url"].clone();
    let path = annotation.as_str().expect("a link");
    let (page, section) = path
        .trim_start_matches("{{ $externalURL }}")
        .split_once('#')
        .expect("a section");
    let runbook = program.send(Request::get(page));
    assert_eq!(runbook.status(), 200);
    assert!(runbook.text().contains(&format!("<h2 id=\"{section}\">")));
    assert_eq!(program.send(Request::get("/runbooks/none")).status(), 404);

    // Edits hold, and are never overwritten unasked.
    let file = place.config().join("packs/host.yml");
    let edited = std::fs::read_to_string(&file)
        .expect("written")
        .replace("0.15", "0.25");
    place.write("packs/host.yml", &edited);
    let again = program.command(&["pack", "enable", "host", "--reload"]);
    good(&again, "with your edits");
    assert_eq!(listed(&program, "host")["edited"], true);
    let answer = program.json("/api/v1/rules", &[("rule_group[]", "host")]);
    assert!(answer.to_string().contains("0.25"));

    let disabled = program.command(&["pack", "disable", "host", "--reload"]);
    good(&disabled, "edits are kept");
    assert_eq!(files(&program), ["rules.yml"]);
    let missing = program.command(&["pack", "disable", "host"]);
    assert!(
        missing.status == 1 && missing.err.contains("is not enabled"),
        "{missing:?}"
    );
}

#[test]
fn a_pack_in_the_data_folder_outlives_a_restart_and_needs_no_path() {
    let place = Place::new();
    let data = place.data();
    let enabled = run(&[
        "pack",
        "enable",
        "host",
        "--data",
        text(&data),
        "--url",
        NOBODY,
    ]);
    good(&enabled, "host: enabled: ");
    let again = run(&[
        "pack",
        "enable",
        "host",
        "--data",
        text(&data),
        "--url",
        NOBODY,
    ]);
    good(&again, "is enabled already");
    for _ in 0..2 {
        let program = Program::start_as(&place, &Start::default());
        assert_eq!(files(&program), ["builtin:default.yml", "host.yml"]);
        // This host's own sensors are all that the pack needs.
        until("the metrics", || {
            let missing = listed(&program, "host")["missing"].clone();
            if missing == Value::Array(Vec::new()) {
                Ok(())
            } else {
                Err(missing.to_string())
            }
        });
        let list = program.command(&["pack", "list"]);
        let line = list.out.lines().find(|line| line.starts_with("host "));
        let words: Vec<&str> = line.expect("a line").split_whitespace().take(4).collect();
        assert_eq!((words[2], words[3]), ("yes", "all"), "{list:?}");
        assert_eq!(program.end(), 0);
    }
}

/// Also the one that has the name of our settings' file.
#[test]
fn every_pack_evaluates() {
    let place = Place::with(&[(
        "prometheus.yml",
        "global: {evaluation_interval: 1s}\nscrape_configs: []\n",
    )]);
    let list = run(&["pack", "list", "-o", "json", "--url", NOBODY]);
    let list: Value = serde_json::from_str(&list.out).expect("JSON");
    let packs = list.as_array().expect("a list");
    let names: Vec<&str> = packs
        .iter()
        .filter_map(|pack| pack["name"].as_str())
        .collect();
    let config = place.config();
    let mut arguments = vec!["pack", "enable", "--config", text(&config)];
    arguments.extend(&names);
    good(&run(&arguments), "binnacle: enabled: ");
    let program = Program::start(&place);
    let mut wanted: Vec<String> = names.iter().map(|name| format!("{name}.yml")).collect();
    wanted.sort();
    assert_eq!(files(&program), wanted);
    until("every rule to be evaluated", || {
        let answer = program.json("/api/v1/rules", &[]);
        let groups = answer["data"]["groups"].as_array().expect("groups").clone();
        let rules = groups
            .iter()
            .flat_map(|group| group["rules"].as_array().expect("rules").clone());
        let waiting: Vec<Value> = rules.filter(|rule| rule["health"] != "ok").collect();
        match waiting.first() {
            None => Ok(()),
            Some(first) => Err(format!("{} more: {first}", waiting.len())),
        }
    });
}

/// Port 9 takes what is sent and is closed nearly everywhere.
const NOBODY: &str = "http://127.0.0.1:9";

#[test]
fn packs_are_shown_and_mistakes_are_clear() {
    let shown = run(&["pack", "show", "host"]);
    good(&shown, "- alert: HostDiskSpaceLow");
    good(
        &run(&["pack", "show", "host", "--tests"]),
        "rule_files: [rules.yml]",
    );
    good(
        &run(&["pack", "show", "host", "--runbook"]),
        "## HostDiskSpaceLow",
    );
    let unknown = run(&["pack", "enable", "host", "hosts", "--config", "/"]);
    assert!(
        unknown.status == 2
            && unknown
                .err
                .contains("there is no pack \"hosts\"; there are host"),
        "{unknown:?}"
    );
    let nowhere = run(&[
        "pack", "enable", "host", "--config", "/no/such", "--url", NOBODY,
    ]);
    assert!(
        nowhere.status == 2 && nowhere.err.contains("--config /no/such"),
        "{nowhere:?}"
    );
    let list = run(&["pack", "list", "--url", NOBODY]);
    assert!(
        list.status == 0 && list.err.contains("is not known"),
        "{list:?}"
    );
}
