//! Sentences of the alert generator specification, as stories. Each minute has one evaluation.

use super::{SLOW, Story, check, tell};

fn errors(world: &Story) -> String {
    let groups = world.engine.groups();
    let rules = groups.iter().flat_map(|group| &group.rules);
    let errors = rules.filter_map(|rule| rule.last_error.clone());
    errors.collect::<Vec<_>>().join("; ")
}

/// Results are there for later rules of the group in the same cycle; the name of the alert overrides labels.
#[test]
fn later_rules_see_the_alerts_of_this_evaluation() {
    let rules = "groups:
- name: g
  rules:
  - {alert: First, expr: load > 10, for: 3m, labels: {kind: own}}
  - alert: Second
    expr: 'count without (host) (ALERTS{alertname=\"First\", alertstate=\"firing\"}) == 2'
    labels: {kind: '{{ $labels.kind }} of {{ .Labels.alertname }}'}
    annotations: {text: 'was {{ $labels.alertstate }}'}
";
    let mut world = check(
        rules,
        r#"at 0m  is load{host="a"} 11
           at 1m  is load{host="b"} 12
           at 4m  want sent: First firing since 3m
           at 5m  want sent: First firing since 4m; Second firing since 4m
           at 5m  want alerts: First a firing since 0m; First b firing since 1m; Second  firing since 4m"#,
    );
    let alerts = world.engine.alerts();
    let second = alerts.last().expect("the second");
    assert_eq!(
        second.labels.to_string(),
        r#"{alertname="Second", alertstate="firing", kind="own of First"}"#
    );
    assert_eq!(second.annotations.value("text"), "was firing");
    // The series of the alert has the state of the alert itself.
    tell(
        &mut world,
        r#"at 5m  want query ALERTS{alertname="Second"}: {__name__="ALERTS", alertname="Second", alertstate="firing", kind="own of First"} 1"#,
    );
}

/// Firing begins with an evaluation, never in between.
#[test]
fn a_short_wait_ends_with_the_next_evaluation() {
    let rules = "groups: [{name: g, rules: [{alert: Short, expr: load > 10, for: 15s}]}]\n";
    check(
        rules,
        r#"at 0m  is load{host="a"} 11
           at 1m  want alerts: Short a pending since 0m
           at 1m  want sent:
           at 2m  want alerts: Short a firing since 0m
           at 2m  want sent: Short firing since 1m"#,
    );
}

/// An alert that comes back after it was resolved is a new one, and the old one is told of no more.
#[test]
fn an_alert_that_comes_back_is_new() {
    let rules = "groups: [{name: g, rules: [{alert: Back, expr: load > 10}]}]\n";
    check(
        rules,
        r#"at 0m  is load{host="a"} 11
           at 2m  want sent: Back firing since 0m
           at 2m  is load{host="a"} 1
           at 4m  want sent: Back resolved since 0m
           at 4m  is load{host="a"} 11
           at 5m  want alerts: Back a firing since 4m
           at 5m  want sent: Back firing since 4m
           at 8m  want sent: Back firing since 4m"#,
    );
}

/// Two alerts with the same labels are an error: nothing is sent or written, and what was active stays.
#[test]
fn equal_alerts_are_an_error_and_change_nothing() {
    let rules =
        "groups: [{name: g, rules: [{alert: Same, expr: load > 10, labels: {host: all}}]}]\n";
    let mut world = check(
        rules,
        r#"at 0m  is load{host="a"} 11
           at 1m  want sent: Same firing since 0m
           at 1m  is load{host="b"} 11
           at 4m  want sent:
           at 4m  want alerts: Same all firing since 0m"#,
    );
    let error = "vector contains metrics with the same labelset after applying alert labels";
    assert_eq!(errors(&world), error);
    tell(
        &mut world,
        r#"at 4m  is load{host="b"} 1
           at 5m  want sent: Same firing since 0m"#,
    );
    assert_eq!(errors(&world), "");
}

/// The latest annotations and value are shown at once, also while the alert waits.
#[test]
fn annotations_follow_the_value() {
    let rules = "groups: [{name: g, rules: [{alert: Text, expr: load > 10, for: 2m, \
                 annotations: {text: 'now {{ $value }}'}}]}]\n";
    let mut world = check(rules, r#"at 0m is load{host="a"} 11"#);
    for (minute, value) in [(1, 12), (2, 13), (3, 14)] {
        let line = format!("at {minute}m is load{{host=\"a\"}} {value}");
        tell(&mut world, &line);
        world.advance(minute + 1);
        let alerts = world.engine.alerts();
        let want = format!("now {value}");
        assert_eq!(alerts[0].annotations.value("text"), want);
    }
}

/// `limit` counts active alerts; beyond it the rule fails and forgets them.
#[test]
fn too_many_alerts_fail_the_rule() {
    let rules = "groups: [{name: g, limit: 1, rules: [{alert: Many, expr: load > 10}]}]\n";
    let mut world = check(
        rules,
        r#"at 0m  is load{host="a"} 11
           at 1m  is load{host="b"} 11
           at 2m  want alerts:"#,
    );
    assert_eq!(errors(&world), "exceeded limit of 1 with 2 alerts");
    tell(
        &mut world,
        r#"at 2m  is load{host="b"} 1
           at 3m  want alerts: Many a firing since 2m"#,
    );
}

/// Beyond the specification, which lets rules that wait shortly begin anew: what they waited counts, the outage does not.
#[test]
fn an_outage_is_no_waiting_for_rules_that_wait_shortly() {
    let rules = SLOW.replace("30m", "5m");
    let mut world = check(
        &rules,
        r#"at 0m  is slow{host="a"} 1
           at 2m  want alerts: Slow a pending since 0m"#,
    );
    world.minute = 32;
    tell(
        &mut world,
        r#"at 32m crash
           at 33m want alerts: Slow a pending since 31m
           at 36m want alerts: Slow a pending since 31m
           at 37m want alerts: Slow a firing since 31m"#,
    );
}
