//! Files with mistakes: `check` shows all of them, `up` does not start, a reload keeps what runs.

use crate::place::{Place, text};
use crate::program::{Program, Start, run};
use crate::story::{self, Receivers};
use crate::target::Target;
use crate::waiting::{until, until_true};
use expect_test::{Expect, expect};

/// Checks the files; the folder's name is taken out of what is printed.
fn check(files: &[(&str, &str)], want: Expect) {
    let place = Place::with(files);
    let checked = run(&["check", text(&place.config())]);
    let prefix = format!("{}/", place.config().display());
    want.assert_eq(&checked.out.replace(&prefix, ""));
    assert_eq!(checked.status, 1);
    // The same mistakes keep the program from starting.
    let mut program = Program::begin(
        &place,
        &Start {
            with_config: true,
            ..Start::default()
        },
    );
    assert_eq!(program.wait_for_end(), 1);
    let log = program.log();
    let mistakes = checked.out.lines().filter(|line| {
        let is_count = line.ends_with("mistake") || line.ends_with("mistakes");
        !line.starts_with("note: ") && !is_count && !line.contains(": used")
    });
    for mistake in mistakes.filter(|line| !line.ends_with("cannot be read")) {
        assert!(log.contains(mistake), "{mistake}: {log}");
    }
}

#[test]
fn broken_yaml() {
    check(
        &[(
            "prometheus.yml",
            "global:\n  scrape_interval: 5s\nscrape_configs:\n  - job_name: [a\n",
        )],
        expect![[r#"
        prometheus.yml: Prometheus configuration: cannot be read
        prometheus.yml:5:1: not valid YAML: while parsing a flow sequence, expected ',' or ']'
        1 mistake
    "#]],
    );
    check(
        &[("rules.yml", "groups:\n  - name: a\n   rules: []\n")],
        expect![[r#"
        rules.yml: rules: cannot be read
        rules.yml:3:4: not valid YAML: while parsing a block collection, did not find expected '-' indicator
        1 mistake
    "#]],
    );
}

#[test]
fn unknown_fields_and_wrong_values_of_every_file_at_once() {
    check(
        &[
            (
                "prometheus.yml",
                "global:\n  scrape_intervall: 5s\n  evaluation_interval: soon\nrule_files: [rules.yml]\nscrape_configs:\n  - job_name: a\n    static_configs:\n      - targets: ['http://a:1/metrics']\n  - job_name: a\n  - scheme: gopher\n",
            ),
            (
                "rules.yml",
                "groups:\n  - name: a\n    rules:\n      - alert: A\n        expr: up ==\n      - record: 'not a name'\n        expr: sum(up) by\n      - alert: B\n        expr: rate(up)\n        for: 5x\n        labels: {severity: '{{ $labels.}}'}\n",
            ),
            (
                "alertmanager.yml",
                "route:\n  receiver: nobody\n  group_wait: 1\nreceivers:\n  - name: a\n    webhook_configs:\n      - urll: http://a\n  - name: a\n",
            ),
            ("binnacle.yml", "stand_ins: perhaps\ncolour: red\n"),
        ],
        expect![[r#"
            alertmanager.yml: Alertmanager configuration: used
            binnacle.yml: Binnacle settings: used
            prometheus.yml: Prometheus configuration: used
            rules.yml: rules: used
            binnacle.yml:1:12: expected true or false, found "perhaps"
            binnacle.yml:2:1: field "colour" not found in binnacle.yml
            prometheus.yml:3:24: not a valid duration string: "soon"
            prometheus.yml:2:3: field "scrape_intervall" not found in config.GlobalConfig
            prometheus.yml:8:19: instance 0 in group 0: "http://a:1/metrics" is not a valid hostname
            prometheus.yml:10:5: job_name is empty
            prometheus.yml:9:5: found multiple scrape configs with job name "a"
            rules.yml:5:15: group "a", rule 1, "A": could not parse expression: 1:6: parse error: unexpected end of input
            rules.yml:7:15: group "a", rule 2, "not a name": could not parse expression: 1:11: parse error: unexpected end of input in grouping opts, expected "("
            rules.yml:10:14: not a valid duration string: "5x"
            rules.yml:9:15: group "a", rule 3, "B": could not parse expression: 1:6: parse error: expected type range vector in call to function "rate", got instant vector
            rules.yml:11:28: group "a", rule 3, "B": label "severity": template: __alert_B:1: unexpected <.> in operand
            alertmanager.yml:3:15: not a valid duration string: "1"
            alertmanager.yml:7:9: one of url or url_file must be configured
            alertmanager.yml:7:9: field "urll" not found in webhook.plain
            alertmanager.yml:8:5: notification config name "a" is not unique
            alertmanager.yml:2:13: undefined receiver "nobody" used in route
            17 mistakes
        "#]],
    );
}

#[test]
fn two_of_what_there_may_be_one() {
    let prometheus = "scrape_configs: []\n";
    check(
        &[
            ("a/prometheus.yml", prometheus),
            ("b/prometheus.yml", prometheus),
        ],
        expect![[r#"
        a/prometheus.yml: Prometheus configuration: used
        b/prometheus.yml: Prometheus configuration: used
        more than one Prometheus configuration: a/prometheus.yml, b/prometheus.yml; name the one to run
        1 mistake
    "#]],
    );
    let alertmanager = "route: {receiver: a}\nreceivers: [{name: a}]\n";
    check(
        &[
            ("a/alertmanager.yml", alertmanager),
            ("b/am.yml", alertmanager),
        ],
        expect![[r#"
        a/alertmanager.yml: Alertmanager configuration: used
        b/am.yml: Alertmanager configuration: used
        more than one Alertmanager configuration: a/alertmanager.yml, b/am.yml; name the one to run
        1 mistake
    "#]],
    );
}

#[test]
fn a_template_that_does_not_parse() {
    let alertmanager = "templates: [bad.tmpl]\nroute: {receiver: a}\nreceivers: [{name: a}]\n";
    let template = "{{ define \"x\" }}\n{{ if .Alerts }}\nno end\n{{ end }}\n";
    check(
        &[("alertmanager.yml", alertmanager), ("bad.tmpl", template)],
        expect![[r#"
            alertmanager.yml: Alertmanager configuration: used
            bad.tmpl: template: used, named by alertmanager.yml
            bad.tmpl:5: unexpected EOF
            1 mistake
        "#]],
    );
}

#[test]
fn paths_that_are_not_there_or_no_file_of_ours() {
    let missing = run(&["check", "/no/such/place"]);
    assert_eq!(missing.status, 1);
    assert!(
        missing.out.contains("/no/such/place: No such file"),
        "{missing:?}"
    );
    let place = Place::with(&[("notes.txt", "hello\n")]);
    let other = run(&["check", text(&place.config().join("notes.txt"))]);
    assert_eq!(other.status, 1);
    assert!(
        other.out.contains("no kind of file that Binnacle knows"),
        "{other:?}"
    );
    assert_eq!(run(&["check"]).status, 2);
    assert_eq!(run(&["no-such-command"]).status, 2);
}

#[test]
fn a_bad_reload_keeps_the_old_configuration() {
    let target = Target::healthy();
    let receivers = Receivers::start();
    let place = story::place(&target, &receivers, "1h");
    let program = Program::start(&place);
    program.wait_for_value("job:requests:sum", "1");
    let names = |program: &Program| {
        let rules = program.json("/api/v1/rules", &[]);
        let list = rules["data"]["groups"][0]["rules"]
            .as_array()
            .expect("rules")
            .clone();
        list.iter()
            .filter_map(|rule| rule["name"].as_str().map(str::to_owned))
            .collect::<Vec<_>>()
    };
    let config = program.json("/api/v1/status/config", &[]);

    place.write(
        "rules.yml",
        "groups:\n  - name: app\n    rules:\n      - alert: New\n        expr: up ==\n",
    );
    let answer = program.post("/-/reload", "text/plain", b"");
    assert_eq!(answer.status(), 500);
    assert!(answer.text().contains("rules.yml:5:"), "{}", answer.text());
    assert_eq!(names(&program), ["job:requests:sum", "AppDown"]);
    assert_eq!(program.json("/api/v1/status/config", &[]), config);
    assert_eq!(
        program.json("/api/v1/status/runtimeinfo", &[])["data"]["reloadConfigSuccess"],
        false
    );
    let doctor = run(&["doctor", &program.url()]);
    assert!(
        doctor.status == 1 && doctor.out.contains("FAIL  configuration is current"),
        "{doctor:?}"
    );
    // The old rules go on.
    let before = program.query("count_over_time(job:requests:sum[1h])")[0]
        .1
        .clone();
    until_true("more evaluations", || {
        program.query("count_over_time(job:requests:sum[1h])")[0].1 != before
    });

    place.write(
        "rules.yml",
        "groups:\n  - name: app\n    rules:\n      - alert: New\n        expr: up == 7\n",
    );
    assert_eq!(program.post("/-/reload", "text/plain", b"").status(), 200);
    assert_eq!(names(&program), ["New"]);
    assert_eq!(
        program.json("/api/v1/status/runtimeinfo", &[])["data"]["reloadConfigSuccess"],
        true
    );
    until("doctor to find nothing", || {
        let doctor = run(&["doctor", &program.url()]);
        let is_well = doctor.status == 0;
        is_well.then_some(()).ok_or_else(|| format!("{doctor:?}"))
    });
}
