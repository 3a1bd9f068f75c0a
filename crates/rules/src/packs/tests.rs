use super::{PACKS, Pack, find};
use crate::file::{AlertSpec, RuleKind, RuleSpec, UnknownFields};
use crate::unit_test::run_file;
use config::{Node, Problems, yaml};
use runtime::SystemClock;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The severities that an incident knows.
const SEVERITIES: [&str; 4] = ["critical", "high", "medium", "low"];

fn folder(pack: &Pack) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../packs")
        .join(pack.name)
}

fn alerts(pack: &Pack) -> Vec<(std::sync::Arc<RuleSpec>, AlertSpec)> {
    let file = pack.rule_file().expect("good rules");
    let rules = file.groups.into_iter().flat_map(|group| group.rules);
    rules
        .filter_map(|rule| match rule.kind.clone() {
            RuleKind::Alerting(alert) => Some((rule, alert)),
            RuleKind::Recording => None,
        })
        .collect()
}

#[test]
fn every_folder_is_a_pack() {
    let folders = std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packs"));
    let names: BTreeSet<String> = folders
        .expect("the packs")
        .map(|entry| entry.expect("an entry").file_name())
        .map(|name| name.to_string_lossy().into_owned())
        .filter(|name| name != "README.md")
        .collect();
    let known: BTreeSet<String> = PACKS.iter().map(|pack| pack.name.to_owned()).collect();
    assert_eq!(names, known);
    assert_eq!(find("none").map(|pack| pack.name), None);
}

/// With our engine, and with promtool where it is installed.
#[test]
fn their_tests_pass() {
    for pack in PACKS {
        let outcome = run_file(&folder(pack).join("tests.yml"), &SystemClock::shared());
        assert!(outcome.passed, "{}: {}", pack.name, outcome.text);
    }
}

#[test]
fn their_tests_pass_with_promtool() {
    for pack in PACKS {
        for arguments in [
            ["check", "rules", "rules.yml"],
            ["test", "rules", "tests.yml"],
        ] {
            let run = Command::new("promtool")
                .args(arguments)
                .current_dir(folder(pack))
                .output();
            let Ok(output) = run else {
                println!("skipped: promtool is not installed");
                return;
            };
            let said = String::from_utf8_lossy(&output.stdout);
            let complained = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{}: {said}{complained}", pack.name);
        }
    }
}

#[test]
fn every_alert_says_what_it_is_and_where_its_runbook_is() {
    for pack in PACKS {
        for (rule, alert) in alerts(pack) {
            let name = format!("{}: {}", pack.name, rule.name);
            let severity = rule.label_set().value("severity").to_owned();
            assert!(
                SEVERITIES.contains(&severity.as_str()),
                "{name}: severity {severity:?}"
            );
            let annotation = |wanted: &str| {
                let found = alert.annotations.iter().find(|(name, _)| name == wanted);
                found
                    .map(|(_, text)| text.clone())
                    .unwrap_or_else(|| panic!("{name} has no {wanted}"))
            };
            assert!(!annotation("summary").is_empty(), "{name}");
            assert!(!annotation("description").is_empty(), "{name}");
            let anchor = rule.name.to_lowercase();
            assert_eq!(
                annotation("runbook_url"),
                format!("{{{{ $externalURL }}}}/runbooks/{}#{anchor}", pack.name)
            );
            let section = pack
                .runbook
                .split("\n## ")
                .find(|section| section.lines().next() == Some(rule.name.as_str()));
            let section = section.unwrap_or_else(|| panic!("{name}: its runbook has no section"));
            for part in ["**What it means.**", "**How to check.**", "**What to do.**"] {
                assert!(section.contains(part), "{name}: no {part} in its runbook");
            }
        }
    }
}

#[test]
fn every_runbook_names_the_metrics_that_are_needed() {
    for pack in PACKS {
        let contents = pack.contents().expect("good rules");
        assert!(contents.alerts > 0 && !contents.metrics.is_empty());
        for metric in &contents.metrics {
            let quoted = format!("`{metric}`");
            assert!(pack.runbook.contains(&quoted), "{}: {metric}", pack.name);
        }
    }
}

/// Some test expects it with its severity, and some test expects that nothing of its name fires.
#[test]
fn every_alert_is_tested_both_ways() {
    for pack in PACKS {
        let mut problems = Problems::new("tests.yml");
        let root = yaml::parse_single(pack.tests, &mut problems).expect("good YAML");
        let tests: Vec<&Node> = root
            .get("tests")
            .into_iter()
            .flat_map(Node::elements)
            .filter_map(|test| test.get("alert_rule_test"))
            .flat_map(Node::elements)
            .collect();
        let text = |node: &Node, key: &str| {
            let found = node.get(key).and_then(Node::text);
            found.map(str::to_owned).unwrap_or_default()
        };
        for (rule, _) in alerts(pack) {
            let of_name = || {
                let named = |test: &&&Node| text(test, "alertname") == rule.name;
                tests.iter().filter(named).map(|test| {
                    let expected = test.get("exp_alerts").into_iter();
                    let labels = expected
                        .flat_map(Node::elements)
                        .filter_map(|alert| alert.get("exp_labels"));
                    labels
                        .map(|labels| text(labels, "severity"))
                        .collect::<Vec<_>>()
                })
            };
            let severity = rule.label_set().value("severity").to_owned();
            let name = format!("{}: {} {severity}", pack.name, rule.name);
            assert!(
                of_name().any(|found| found.contains(&severity)),
                "{name} never fires"
            );
            assert!(
                of_name().any(|found| found.is_empty()),
                "{name} is never silent"
            );
        }
    }
}

/// What a runbook offers to put in the place of a rule can be put there.
#[test]
fn the_rules_in_runbooks_are_sound() {
    for pack in PACKS {
        let blocks = pack.runbook.split("```yaml\n").skip(1);
        for block in blocks.filter_map(|rest| rest.split("```").next()) {
            let rules: String = block.lines().map(|line| format!("  {line}\n")).collect();
            let text = format!("groups:\n- name: shown\n  rules:\n{rules}");
            let read = crate::file::parse(pack.name, &text, UnknownFields::Refuse);
            assert!(read.is_ok(), "{}: {read:?}\n{block}", pack.name);
        }
    }
}
