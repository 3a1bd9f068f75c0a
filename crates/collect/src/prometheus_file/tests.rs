mod providers;

use super::{PrometheusFile, Protocol, Reading, read};
use crate::target;
use model::Labels;
use proptest::prelude::*;
use std::path::Path;

fn parse(text: &str) -> Result<PrometheusFile, String> {
    let reading = Reading {
        file: "p.yml",
        directory: Path::new("/etc/p"),
        environment: &|name| (name == "REGION").then(|| "eu".to_owned()),
    };
    read(text, reading).map_err(|problems| {
        let messages = problems
            .list()
            .iter()
            .map(|problem| problem.message.clone());
        messages.collect::<Vec<_>>().join("; ")
    })
}

#[test]
fn fills_in_defaults() {
    let file = parse("").expect("an empty file");
    assert_eq!(file.global.scrape_interval_ms, 60_000);
    assert_eq!(file.global.scrape_timeout_ms, 10_000);
    let file = parse(
        "global: {scrape_interval: 5s, sample_limit: 7, external_labels: {region: $REGION}}\n\
         scrape_configs:\n\
         - job_name: a\n  static_configs: [{targets: ['x:1', 'y:2'], labels: {env: p}}]\n\
         - job_name: b\n  scrape_interval: 30s\n  sample_limit: 9\n  tls_config: {ca_file: ca.pem}\n",
    )
    .expect("valid");
    assert_eq!(file.global.external_labels.to_string(), "{region=\"eu\"}");
    let [a, b] = file.scrape_configs.as_slice() else {
        panic!("two jobs")
    };
    assert_eq!(
        (a.interval_ms, a.timeout_ms, a.limits.samples),
        (5000, 5000, 7)
    );
    assert_eq!(
        (b.interval_ms, b.timeout_ms, b.limits.samples),
        (30_000, 5000, 9)
    );
    assert_eq!(a.protocols, Protocol::DEFAULT);
    assert!(format!("{:?}", b.http.tls.ca).contains("/etc/p/ca.pem"));
}

#[test]
fn refuses_with_upstreams_words() {
    let check = |text: &str, want: &str| assert_eq!(parse(text).expect_err(text), want);
    check("globl: {}", "field \"globl\" not found in config.plain");
    check("scrape_configs: [{job_name: ''}]", "job_name is empty");
    check(
        "global: {scrape_timeout: 2m}",
        "global scrape timeout greater than scrape interval",
    );
    check(
        "rule_files: ['a/*/b.yml']",
        "invalid rule file path \"a/*/b.yml\"",
    );
    check(
        "scrape_configs: [{job_name: a, relabel_configs: [{action: keep, regex: 'a('}]}]",
        "error parsing regexp: missing closing ): `a(`",
    );
    check(
        "scrape_configs: [{job_name: a, http_sd_configs: [{url: 'ftp://a'}], dns_sd_configs: [{names: [a], type: A}]}]",
        "URL scheme must be 'http' or 'https'; a port is required in DNS-SD configs for all record types except SRV",
    );
    check(
        "scrape_configs: [{job_name: a, file_sd_configs: [{files: [a.txt]}]}]",
        "path name \"a.txt\" is not valid for file discovery",
    );
    check(
        "scrape_configs: [{job_name: a, static_configs: [{targets: ['http://a']}]}]",
        "instance 0 in group 0: \"http://a\" is not a valid hostname",
    );
    check(
        "scrape_configs: [{job_name: a, scrape_protocols: [XML]}]",
        "scrape_protocols: unknown scrape protocol XML, supported: [OpenMetricsText0.0.1 OpenMetricsText1.0.0 PrometheusProto PrometheusText0.0.4 PrometheusText1.0.0]",
    );
}

#[test]
fn knows_its_own() {
    let check = |text: &str, want| {
        let mut problems = config::Problems::new("f");
        let root = config::yaml::parse_single(text, &mut problems).expect("yaml");
        assert_eq!(super::is_prometheus_file(&root), want, "{text}");
    };
    check("scrape_configs: []\nwhat: ever\n", true);
    check("otlp: {}\nstorage: {tsdb: {}}\n", true);
    check("global: {resolve_timeout: 5m}\nroute: {}\n", false);
    check("groups: []\n", false);
    check("", false);
}

#[test]
fn notes_what_is_not_active_once() {
    let file = parse(
        "scrape_configs:\n\
         - {job_name: a, gce_sd_configs: [{project: a, zone: b}, {project: a, zone: c}]}\n\
         - {job_name: b, gce_sd_configs: [{project: a, zone: b}]}\n\
         remote_write: [{url: http://a}, {url: http://b, sigv4: {}}]\n\
         alerting: {alertmanagers: [{static_configs: [{targets: [a]}]}]}\n\
         tracing: {endpoint: a}\notlp: {}\n",
    )
    .expect("valid");
    let notes: Vec<String> = file.notes.iter().map(ToString::to_string).collect();
    assert_eq!(
        notes,
        [
            "p.yml:2:34: gce_sd_configs is checked but not active yet",
            "p.yml:4:33: remote_write with sigv4 is checked but not active yet",
            "p.yml:6:10: tracing is checked but not active yet",
        ]
    );
}

#[test]
fn reads_otlp() {
    use ingest::otlp::{Promoted, Settings, Strategy};
    let check = |text: &str, want: Settings| {
        assert_eq!(parse(text).expect("valid").otlp, want, "{text}");
    };
    check("scrape_configs: []\n", Settings::default());
    check(
        "otlp: {promote_resource_attributes: [a.b, ' c '], translation_strategy: NoTranslation}\n",
        Settings {
            promoted: Promoted::Only(vec!["a.b".to_owned(), "c".to_owned()]),
            strategy: Strategy::NoTranslation,
            ..Settings::default()
        },
    );
    check(
        "otlp:\n  promote_all_resource_attributes: true\n  ignore_resource_attributes: [x]\n  \
         convert_histograms_to_nhcb: true\n  label_name_underscore_sanitization: false\n",
        Settings {
            promoted: Promoted::AllBut(vec!["x".to_owned()]),
            convert_histograms: true,
            underscore_sanitization: false,
            ..Settings::default()
        },
    );
}

#[test]
fn builds_targets_as_upstream_does() {
    let config = |more: &str| {
        let text = format!("scrape_configs: [{{job_name: j, params: {{m: [a b, c]}}{more}}}]");
        parse(&text).expect("valid").scrape_configs.remove(0)
    };
    let check = |more: &str, labels: &[(&str, &str)], want: Result<Option<&str>, &str>| {
        let labels = Labels::from_pairs(labels.iter().copied());
        let target = target::populate(&labels, &config(more));
        let shown = target.map(|target| target.map(|t| format!("{} {}", t.url, t.labels)));
        let want = want.map(|t| t.map(str::to_owned)).map_err(str::to_owned);
        assert_eq!(shown, want, "{more}");
    };
    let host = [("__address__", "h:1")];
    check(
        "",
        &host,
        Ok(Some(
            "http://h:1/metrics?m=a+b&m=c {instance=\"h:1\", job=\"j\"}",
        )),
    );
    check(
        ", metrics_path: 'p?q', scheme: https",
        &host,
        Ok(Some(
            "https://h:1/p%3Fq?m=a+b&m=c {instance=\"h:1\", job=\"j\"}",
        )),
    );
    check(
        "",
        &[
            ("__address__", "h"),
            ("__param_m", "é"),
            ("job", "k"),
            ("__meta_x", "y"),
            ("__tmp", "z"),
        ],
        Ok(Some(
            "http://h/metrics?m=%C3%A9&m=c {instance=\"h\", job=\"k\"}",
        )),
    );
    check(", relabel_configs: [{action: drop}]", &host, Ok(None));
    check(
        ", relabel_configs: [{target_label: __address__, replacement: ''}]",
        &host,
        Err("no address"),
    );
    check(
        ", relabel_configs: [{target_label: __scrape_timeout__, replacement: 2h}]",
        &host,
        Err("scrape timeout cannot be greater than scrape interval (\"2h\" > \"1m\")"),
    );
    check(
        ", relabel_configs: [{target_label: __scrape_interval__, replacement: often}]",
        &host,
        Err("error parsing scrape interval: not a valid duration string: \"often\""),
    );
}

/// Upstream's own files: what their names say must come out. The floor may only rise.
#[test]
fn agrees_with_upstreams_files() {
    const AGREE_MIN: usize = 150;
    let Some(folder) = runtime::environment::var("CONFORMANCE") else {
        println!("skipped: CONFORMANCE names no folder with upstream's files");
        return;
    };
    let (mut agree, mut disagree) = (0, Vec::new());
    let folder = Path::new(&folder);
    let lists = ["prometheus-config", "promtool"].map(|name| std::fs::read_dir(folder.join(name)));
    for entry in lists.into_iter().flatten().flatten() {
        let path = entry.expect("readable").path();
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let is_config = path
            .parent()
            .is_some_and(|parent| parent.ends_with("prometheus-config"))
            || name.contains("config");
        let needs_others = name.starts_with("scrape_config_files_")
            && !name.contains("protocol")
            && !name.contains("_glob.");
        if !name.ends_with(".yml") || !is_config || needs_others || name.contains("rules.good") {
            continue;
        }
        // These two are refused by upstream's tests, though their names do not say so.
        let is_bad = name.contains(".bad.")
            || [
                "otlp_allow_utf8.incompatible.yml",
                "config_with_deprecated_am_api_config.yml",
            ]
            .contains(&name.as_str());
        let text = std::fs::read_to_string(&path).expect("readable");
        match parse(&text) {
            Ok(_) if is_bad => disagree.push(format!("{name}: accepted")),
            Err(message) if !is_bad => disagree.push(format!("{name}: {message}")),
            Err(message) => {
                println!("{name}: {message}");
                agree += 1;
            }
            Ok(_) => agree += 1,
        }
    }
    println!(
        "{agree} passed, {} failed\n{}",
        disagree.len(),
        disagree.join("\n")
    );
    assert!(agree >= AGREE_MIN, "{agree} agree; {}", disagree.join("\n"));
}

/// Upstream's sections in one file: what everyone has, cut off anywhere.
const WHOLE: &str = "global: {scrape_interval: 15s, external_labels: {a: $B}, scrape_protocols: [PrometheusText0.0.4]}
runtime: {gogc: 42}
rule_files: [first.rules, 'my/*.rules']
scrape_configs:
- job_name: service-y
  http_headers: {foo: {values: [foobar], secrets: [bar, foo], files: [password]}}
  consul_sd_configs: [{server: 'localhost:1234', tags: [canary], node_meta: {rack: '123'}}]
  relabel_configs:
  - source_labels: [__meta_sd_consul_tags]
    separator: ','
    regex: label:([^=]+)=([^,]+)
    target_label: ${1}
    replacement: ${2}
  - {regex: , replacement: static, target_label: abc}
  - {action: labelmap, regex: 1}
  - {action: Uppercase, source_labels: [instance], target_label: instance}
  tls_config: {min_version: TLS10, cert_file: a, key_file: b}
  static_configs: [{targets: ['a:1', '[::1]:2'], labels: {my: label}}]
remote_write:
- url: http://remote1/push
  oauth2: {client_id: '123', client_secret: '456', token_url: 'http://remote1/auth', tls_config: {cert_file: a, key_file: b}}
- {url: 'http://remote2/push', protobuf_message: io.prometheus.write.v2.Request, headers: {name: value}}
remote_read: [{url: 'http://remote1/read', read_recent: true, required_matchers: {job: special}}]
storage: {tsdb: {out_of_order_time_window: 30m, stale_series_compaction_threshold: 0.5, retention: {time: 1d, size: 1GB, percentage: 28}}}
tracing: {endpoint: 'localhost:4317', client_type: grpc, headers: {foo: bar}, timeout: 5s, compression: gzip}
otlp: {promote_resource_attributes: [k8s.cluster.name]}
";

#[test]
fn reads_the_whole() {
    let file = parse(WHOLE).expect("valid");
    let notes: Vec<&str> = file
        .notes
        .iter()
        .map(|note| note.message.as_str())
        .collect();
    assert!(
        notes.contains(&"runtime tunes Go's garbage collector; there is none here"),
        "{notes:?}"
    );
    assert_eq!(file.storage.retention_percentage, Some(28.0));
    assert_eq!(file.storage.retention_time_ms, Some(86_400_000));
    assert_eq!(file.storage.retention_size_bytes, Some(1 << 30));
    assert_eq!(file.storage.out_of_order_window_ms, Some(1_800_000));
    assert_eq!(
        file.scrape_configs
            .first()
            .map(|config| config.relabel_configs.len()),
        Some(4)
    );
}

proptest! {
    /// A file cut off or damaged anywhere is read or refused, never a panic; where it is refused it says
    /// where.
    #[test]
    fn never_panics(cut in 0..WHOLE.len(), at in 0..WHOLE.len(), with in "[\\PC\n]{0,6}") {
        let mut text: String = WHOLE.chars().take(cut).collect();
        let at = at.min(text.len());
        text.insert_str(at, &with);
        if let Err(message) = parse(&text) {
            prop_assert!(!message.is_empty());
        }
    }
}
