use super::{AlertTemplates, Expander, Surroundings, check};
use model::{Histogram, Labels, MemoryStore, SeriesSamples, Sink, Timestamp, Value};
use promql::{Engine, EngineOptions};
use runtime::SystemClock;
use std::sync::Arc;

const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

fn surroundings() -> Surroundings {
    let store = MemoryStore::new();
    let rows = [("a", 1.5), ("b", 2.0)].map(|(instance, value)| {
        let labels = Labels::from_pairs([("__name__", "load"), ("instance", instance)]);
        SeriesSamples::float(labels, NOW, value)
    });
    store.append(&rows).expect("memory takes all");
    Surroundings {
        engine: Engine::new(EngineOptions::new(SystemClock::shared())),
        source: Arc::new(store),
        external_labels: Labels::from_pairs([("region", "eu")]),
        external_url: "http://binnacle:9090/x".to_owned(),
    }
}

fn expand(text: &str) -> String {
    expand_for(text, &Value::Float(0.25))
}

fn expand_for(text: &str, value: &Value) -> String {
    let annotations = [("text".to_owned(), text.to_owned())];
    let templates = AlertTemplates::parse("A", &[], &annotations);
    let surroundings = surroundings();
    let labels = Labels::from_pairs([("instance", "host:9100"), ("job", "node")]);
    let expander = Expander::new(&templates, &surroundings, NOW);
    let (_, annotations) = expander.expand(&labels, value);
    annotations[0].1.clone()
}

#[test]
fn expands() {
    let check = |text: &str, want: &str| assert_eq!(expand(text), want, "{text}");
    check("plain } text", "plain } text");
    check(
        "{{ $labels.instance }} of {{ .Labels.job }}",
        "host:9100 of node",
    );
    check("{{ $labels.missing }}", "");
    check("{{ $value }} {{ $value | humanizePercentage }}", "0.25 25%");
    check(
        "{{ $externalLabels.region }} {{ $externalURL }}",
        "eu http://binnacle:9090/x",
    );
    check(
        "{{ pathPrefix }} {{ stripPort $labels.instance }}",
        "/x host",
    );
    check(
        "{{ with query \"load\" }}{{ . | first | value }}{{ end }}",
        "1.5",
    );
    check(
        "{{ range query \"sort_desc(load)\" }}{{ .Labels.instance }}={{ .Value }} {{ end }}",
        "b=2 a=1.5 ",
    );
    check("{{ query \"1+1\" | first | value }}", "2");
}

#[test]
fn a_histogram_is_its_text() {
    let histogram = Histogram {
        count: 2.0,
        sum: 0.5,
        zero_count: 2.0,
        zero_threshold: 0.25,
        ..Histogram::default()
    };
    assert_eq!(
        expand_for("{{ $value }}", &Value::Histogram(Arc::new(histogram))),
        "{count:2, sum:0.5, [-0.25,0.25]:2}"
    );
}

#[test]
fn errors_become_the_text() {
    let check = |text: &str, want: &str| assert_eq!(expand(text), want, "{text}");
    check(
        "{{ query \"nosuch\" | first | value }}",
        "<error expanding template: error executing template __alert_A: template: __alert_A:1:132: \
         executing \"__alert_A\" at <first>: error calling first: first() called on vector with no \
         elements>",
    );
    check(
        "{{ $label.x }}",
        "<error expanding template: error parsing template __alert_A: template: __alert_A:1: \
         undefined variable \"$label\">",
    );
}

#[test]
fn checks_only_the_grammar() {
    assert!(check("A", "{{ query \"nosuch(\" | first | value }}").is_ok());
    let error = check("A", "{{ if }}").expect_err("wrong");
    assert_eq!(
        error.to_string(),
        "template: __alert_A:1: missing value for if"
    );
}
