use super::{Options, run_file, run_file_with};
use crate::file::{RuleKind, UnknownFields};
use runtime::SystemClock;
use std::path::{Path, PathBuf};

/// Upstream's folder, where it is at hand.
fn promtool() -> Option<PathBuf> {
    let root = runtime::environment::var("CONFORMANCE");
    if root.is_none() {
        println!("skipped: promtool's unit tests, CONFORMANCE names no folder");
    }
    root.map(|root| Path::new(&root).join("promtool"))
}

#[test]
fn agrees_with_promtool_on_what_passes() {
    let Some(folder) = promtool() else {
        return;
    };
    let check = |name: &str, want: bool| {
        let outcome = run_file(&folder.join(name), &SystemClock::shared());
        assert_eq!(outcome.passed, want, "{name}: {}", outcome.text);
    };
    check("unittest.yml", true);
    check("at-modifier-test.yml", true);
    check("negative-offset-test.yml", true);
    check("no-test-group-interval.yml", true);
    check("start-time-test.yml", true);
    check("long-period.yml", true);
    check("failing.yml", false);
    check("rules_run.yml", false);
    check("rules_run_fuzzy.yml", false);
    check("rules_run_no_fuzzy.yml", false);
    check("rules_run_extrafields.yml", false);
    check("bad-input-series.yml", false);
    check("bad-promql.yml", false);
    check("bad-rules-error-test.yml", false);
    check("bad-rules-syntax-test.yml", false);
}

#[test]
fn says_what_differs_as_promtool_does() {
    let Some(folder) = promtool() else {
        return;
    };
    let failures = |name: &str| run_file(&folder.join(name), &SystemClock::shared()).failures;
    assert_eq!(
        failures("failing.yml"),
        [
            "    name: Failing test,\n    alertname: Test, time: 0s, \n        exp:[\n            0:\n              \
             Labels:{alertname=\"Test\"}\n              Annotations:{}\n            ], \n        got:[]",
            "    expr: \"test\", time: 0s,\n        exp: {__name__=\"test\"} 1E+00\n        \
             got: {__name__=\"test\"} 0E+00",
            "    name: Failing alert test,\n    alertname: InstanceDown, time: 5m, \n        exp:[], \n        \
             got:[\n            0:\n              Labels:{alertname=\"InstanceDown\", job=\"test\", \
             severity=\"page\"}\n              Annotations:{description=\" of job test has been down for more \
             than 5 minutes.\", summary=\"Instance  down\"}\n            ]",
            "    name: Failing alert test,\n    alertname: AlwaysFiring, time: 5m, \n        exp:[], \n        \
             got:[\n            0:\n              Labels:{alertname=\"AlwaysFiring\"}\n              \
             Annotations:{}\n            ]",
        ]
    );
    assert_eq!(
        failures("rules_run_fuzzy.yml"),
        [
            "    expr: \"test_low\", time: 0s,\n        exp: {__name__=\"test_low\"} 3E+00\n        \
             got: {__name__=\"test_low\"} 2.9999999999999987E+00",
            "    expr: \"test_high\", time: 0s,\n        exp: {__name__=\"test_high\"} 3E+00\n        \
             got: {__name__=\"test_high\"} 3.0000000000000013E+00",
        ]
    );
    assert_eq!(failures("rules_run_no_fuzzy.yml").len(), 2);
    let broken = failures("bad-rules-error-test.yml");
    assert!(broken[0].starts_with("    rule: joined, time: 0s, err: found duplicate series"));
}

#[test]
fn runs_only_what_is_asked_for() {
    let Some(folder) = promtool() else {
        return;
    };
    let run = |pattern: &str, ignore: bool, file: &str| {
        let options = Options::new(&[pattern.to_owned()], ignore).expect("a pattern");
        run_file_with(&folder.join(file), &SystemClock::shared(), &options).passed
    };
    assert!(run("corr", false, "rules_run.yml"));
    assert!(!run("wrong|other", false, "rules_run.yml"));
    assert!(run("", true, "rules_run_extrafields.yml"));
}

#[test]
fn reports_mistakes_of_the_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("t.yml");
    let check = |text: &str, want: &str| {
        use std::io::Write as _;
        let mut out = std::fs::File::create(&file).expect("a file");
        out.write_all(text.as_bytes()).expect("written");
        let outcome = run_file(&file, &SystemClock::shared());
        let text = outcome.text.replace(&file.display().to_string(), "t.yml");
        assert_eq!(text, format!("Unit Testing:  t.yml\n{want}"));
    };
    check("tests: []", "  SUCCESS\n");
    check(
        "tests: [{foo: 1, interval: x}]",
        "  FAILED:\nt.yml:1:28: not a valid duration string: \"x\"\n\
         t.yml:1:10: field \"foo\" not found in test group\n\n",
    );
    check(
        "group_eval_order: [a, a]",
        "  FAILED:\ngroup name repeated in evaluation order: a\n\n",
    );
    check(
        "tests: [{name: n, alert_rule_test: [{eval_time: 1m}]}]",
        "  FAILED:\nan item under alert_rule_test misses required attribute alertname at eval_time 1m \
         (in TestGroup n)\n\n",
    );
}

/// The alerts that Binnacle brings along, with the tests beside them.
#[test]
fn the_default_pack_passes_its_tests() {
    let packs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../binnacle/packs");
    let outcome = run_file(&packs.join("default_test.yml"), &SystemClock::shared());
    assert!(outcome.passed, "{}", outcome.text);

    let text = std::fs::read_to_string(packs.join("default.yml")).expect("the pack");
    let pack = crate::file::parse("default.yml", &text, UnknownFields::Refuse).expect("good rules");
    let tests = std::fs::read_to_string(packs.join("default_test.yml")).expect("its tests");
    for rule in pack.groups.iter().flat_map(|group| &group.rules) {
        assert!(tests.contains(&rule.name), "{} has no test", rule.name);
        let severity = rule.label_set().value("severity").to_owned();
        assert!(
            ["critical", "warning", "info"].contains(&severity.as_str()),
            "{}",
            rule.name
        );
        let RuleKind::Alerting(alert) = &rule.kind else {
            panic!("{} is no alert", rule.name);
        };
        let names: Vec<&str> = alert
            .annotations
            .iter()
            .map(|(name, _)| name.as_str())
            .collect();
        assert_eq!(
            names,
            ["description", "runbook", "summary"],
            "{}",
            rule.name
        );
    }
}

/// More than nine hundred samples and alerts of the original, so that a change of the state machine cannot slip through.
#[test]
fn timelines_are_those_of_promtool() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/promtool");
    let outcome = run_file(&folder.join("timelines_test.yml"), &SystemClock::shared());
    assert!(outcome.passed, "{}", outcome.text);
}
