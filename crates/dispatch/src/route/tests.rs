use super::Router;
use crate::config::Config;
use model::Labels;

const CONFIG: &str = "
route:
  receiver: root
  group_by: [alertname]
  group_wait: 10s
  routes:
    - receiver: db
      matchers: ['service=~\"mysql|cassandra\"']
      group_by: ['...']
      routes:
        - {matchers: ['owner=x'], receiver: x, continue: true, labels: {team: x}}
        - {match: {owner: x, env: prod}, group_interval: 1m}
    - {match_re: {service: 'web.*'}, receiver: web, group_by: [], repeat_interval: 1h}
receivers: [{name: root}, {name: db}, {name: x}, {name: web}]
";

fn router() -> Router {
    Router::new(&Config::parse(CONFIG, "a.yml").expect("good"))
}

/// The receivers and group keys of an alert with these labels.
fn check(labels: &[(&str, &str)], expected: &[(&str, &str)]) {
    let labels = Labels::from_pairs(labels.iter().copied());
    let router = router();
    let found: Vec<(String, String)> = router
        .matching(&labels)
        .iter()
        .map(|node| {
            (
                node.receiver.clone(),
                node.group_key(&node.group_labels(&labels)),
            )
        })
        .collect();
    let expected: Vec<(String, String)> = expected
        .iter()
        .map(|(receiver, key)| ((*receiver).to_owned(), (*key).to_owned()))
        .collect();
    assert_eq!(found, expected);
}

#[test]
fn alerts_take_upstreams_way_and_have_its_keys() {
    check(
        &[("alertname", "A"), ("job", "j")],
        &[("root", r#"{}:{alertname="A"}"#)],
    );
    check(
        &[("alertname", "A"), ("service", "mysql")],
        &[(
            "db",
            r#"{}/{service=~"mysql|cassandra"}:{alertname="A", service="mysql"}"#,
        )],
    );
    check(
        &[("owner", "x"), ("service", "mysql")],
        &[(
            "x",
            r#"{}/{service=~"mysql|cassandra"}/{owner="x"}:{owner="x", service="mysql"}"#,
        )],
    );
    check(
        &[("env", "prod"), ("owner", "x"), ("service", "mysql")],
        &[
            (
                "x",
                r#"{}/{service=~"mysql|cassandra"}/{owner="x"}:{env="prod", owner="x", service="mysql"}"#,
            ),
            (
                "db",
                r#"{}/{service=~"mysql|cassandra"}/{env="prod",owner="x"}:{env="prod", owner="x", service="mysql"}"#,
            ),
        ],
    );
    check(
        &[("alertname", "A"), ("service", "web1")],
        &[("web", r#"{}/{service=~"^(?:web.*)$"}:{alertname="A"}"#)],
    );
}

#[test]
fn children_inherit_but_for_matchers_and_times() {
    let router = router();
    let find = |id: &str| router.nodes().iter().find(|node| node.id == id).expect(id);
    let x = find(r#"{}/{service=~"mysql|cassandra"}/0/{owner="x"}/0"#);
    assert_eq!(
        (x.group_wait_ms, x.group_interval_ms, x.repeat_interval_ms),
        (10_000, 300_000, 14_400_000)
    );
    assert_eq!(x.labels, [("team".to_owned(), "x".to_owned())]);
    let web = find(r#"{}/{service=~"^(?:web.*)$"}/1"#);
    assert_eq!(web.repeat_interval_ms, 3_600_000);
}
