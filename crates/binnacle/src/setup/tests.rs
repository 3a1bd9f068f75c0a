use super::{Options, read};
use std::path::{Path, PathBuf};

/// Makes a folder with these files, reads it, and gives mistakes and listing without the folder's name.
fn check(files: &[(&str, &str)], want_mistakes: &[&str], want_listing: &[&str]) -> Vec<String> {
    let folder = tempfile::tempdir().expect("folder");
    for (name, text) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap_or(Path::new("/"))).expect("folders");
        #[expect(clippy::disallowed_methods, reason = "a fixture")]
        std::fs::write(path, text).expect("file");
    }
    let (setup, mistakes) = read(&[folder.path().to_path_buf()], Options::default());
    let short = |text: &str| text.replace(&format!("{}/", folder.path().display()), "");
    let mistakes: Vec<String> = mistakes.iter().map(|text| short(text)).collect();
    assert_eq!(mistakes, want_mistakes);
    let line = |(path, kind, status): &(PathBuf, super::Kind, String)| {
        short(&format!("{}: {}: {status}", path.display(), kind.name()))
    };
    let listing: Vec<String> = setup.listing.iter().map(line).collect();
    assert_eq!(listing, want_listing);
    setup.notes.iter().map(|note| short(note)).collect()
}

const RULES: &str = "groups: [{name: a, rules: [{record: x, expr: up}]}]\n";

#[test]
fn loads_only_rule_files_that_are_named() {
    let notes = check(
        &[
            (
                "prometheus.yml",
                "rule_files: [/etc/prometheus/rules/*.yml, gone.yml]\n",
            ),
            ("rules/a.yml", RULES),
            ("other/b.yml", RULES),
            ("notes.txt", "x"),
        ],
        &[],
        &[
            "notes.txt: unknown: skipped",
            "other/b.yml: rules: skipped: rule_files does not name it",
            "prometheus.yml: Prometheus configuration: used",
            "rules/a.yml: rules: used",
        ],
    );
    assert_eq!(
        notes,
        [
            "rule_files: /etc/prometheus/rules/*.yml is not here, rules/*.yml is used instead",
            "rule_files: gone.yml matches no file",
        ]
    );
}

#[test]
fn two_of_a_kind_are_named() {
    check(
        &[
            ("a.yml", "scrape_configs: []\n"),
            ("b.yml", "scrape_configs: []\n"),
        ],
        &["more than one Prometheus configuration: a.yml, b.yml; name the one to run"],
        &[
            "a.yml: Prometheus configuration: used",
            "b.yml: Prometheus configuration: used",
        ],
    );
}

#[test]
fn every_mistake_of_every_file_comes_at_once() {
    let folder = [
        (
            "prometheus.yml",
            "global: {scrape_interval: 5parsecs}\nrule_files: [r.yml]\nfoo: 1\n",
        ),
        (
            "alertmanager.yml",
            "route: {receiver: nobody}\nreceivers: [{name: team}]\n",
        ),
    ];
    let mistakes = [
        "prometheus.yml:1:27: not a valid duration string: \"5parsecs\"\n\
         prometheus.yml:3:1: field \"foo\" not found in config.plain",
        "alertmanager.yml:1:19: undefined receiver \"nobody\" used in route",
    ];
    let listing = [
        "alertmanager.yml: Alertmanager configuration: used",
        "prometheus.yml: Prometheus configuration: used",
    ];
    check(&folder, &mistakes, &listing);
}

#[test]
fn rules_alone_are_loaded() {
    check(&[("a.yml", RULES)], &[], &["a.yml: rules: used"]);
}

#[test]
fn broken_yaml_is_a_mistake_where_it_is_ours() {
    check(
        &[
            ("chart.yaml", "{{ if .Values }}\nfoo: [\n"),
            ("prometheus.yml", "scrape_configs: [\n"),
        ],
        &[
            "prometheus.yml:2:1: not valid YAML: while parsing a node, did not find expected node content",
        ],
        &[
            "chart.yaml: unknown: skipped: not valid YAML",
            "prometheus.yml: Prometheus configuration: cannot be read",
        ],
    );
}
