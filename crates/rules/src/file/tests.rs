use super::{Duplicate, UnknownFields, duplicates, looks_like_rules, parse};
use config::{Problems, yaml};
use model::Labels;
use proptest::prelude::*;
use std::path::{Path, PathBuf};

/// The mistakes of a text, one a line; empty for a good one.
fn mistakes(text: &str) -> String {
    match parse("r.yml", text, UnknownFields::Refuse) {
        Ok(_) => String::new(),
        Err(problems) => problems.to_string(),
    }
}

fn check(rules: &str, want: &str) {
    let text = format!("groups:\n- name: g\n  rules:\n{rules}");
    assert_eq!(mistakes(&text), want, "{text}");
}

#[test]
fn says_what_is_wrong_and_where() {
    check("  - record: a\n    expr: 1\n", "");
    check(
        "  - expr: 1\n",
        "r.yml:4:5: group \"g\", rule 1, \"\": one of 'record' or 'alert' must be set",
    );
    check(
        "  - record: Hi\n    alert: Hello\n    expr: 1\n",
        "r.yml:4:13: group \"g\", rule 1, \"Hello\": only one of 'record' and 'alert' must be set",
    );
    check(
        "  - record: a\n",
        "r.yml:4:5: group \"g\", rule 1, \"a\": field 'expr' must be set in rule",
    );
    check(
        "  - record: a\n    expr: rate(hi)\n",
        "r.yml:5:11: group \"g\", rule 1, \"a\": could not parse expression: 1:6: parse error: \
         expected type range vector in call to function \"rate\", got instant vector",
    );
    check(
        "  - record: a\n    expr: 1\n    for: 1m\n    keep_firing_for: 1m\n    annotations: {x: y}\n",
        "r.yml:4:13: group \"g\", rule 1, \"a\": invalid field 'annotations' in recording rule\n\
         r.yml:4:13: group \"g\", rule 1, \"a\": invalid field 'for' in recording rule\n\
         r.yml:4:13: group \"g\", rule 1, \"a\": invalid field 'keep_firing_for' in recording rule",
    );
    check(
        "  - record: a{b=\"c\"}\n    expr: 1\n",
        "r.yml:4:13: group \"g\", rule 1, \"a{b=\\\"c\\\"}\": braces present in the recording rule name; \
         should it be in expr?: a{b=\"c\"}",
    );
    check(
        "  - record: a\n    expr: 1\n    labels: {__name__: x}\n",
        "r.yml:6:14: group \"g\", rule 1, \"a\": invalid label name: __name__",
    );
    check(
        "  - alert: A\n    expr: 1\n    annotations:\n      d: \"{{ $label.x }}\"\n",
        "r.yml:7:10: group \"g\", rule 1, \"A\": annotation \"d\": template: __alert_A:1: \
         undefined variable \"$label\"",
    );
    check(
        "  - alert: A\n    expr: 1\n    labels:\n      d: \"{{ nosuch 1 }}\"\n",
        "r.yml:7:10: group \"g\", rule 1, \"A\": label \"d\": template: __alert_A:1: \
         function \"nosuch\" not defined",
    );
    check(
        "  - alert: A\n    expr: 1\n    for: 5parsecs\n    annotation: {a: b}\n",
        "r.yml:6:10: not a valid duration string: \"5parsecs\"\n\
         r.yml:7:5: field \"annotation\" not found in rule",
    );
}

#[test]
fn reports_every_mistake_of_a_file_at_once() {
    let text = "groups:
- name: a
  interval: x
  rules:
  - record: m
    expr: 'sum('
- name: a
  rules: []
- rules:
  - alert: A
extra: 1
";
    assert_eq!(
        mistakes(text),
        "r.yml:3:13: not a valid duration string: \"x\"\n\
         r.yml:6:11: group \"a\", rule 1, \"m\": could not parse expression: 1:5: parse error: \
         unclosed left parenthesis\n\
         r.yml:7:3: groupname: \"a\" is repeated in the same file\n\
         r.yml:9:3: Groupname must not be empty\n\
         r.yml:10:5: group \"\", rule 1, \"A\": field 'expr' must be set in rule\n\
         r.yml:11:1: field \"extra\" not found in rule file"
    );
}

#[test]
fn reads_groups() {
    let text = "groups:
- name: g
  interval: 30s
  query_offset: 1m
  limit: 5
  labels: {team: a, tier: x}
  rules:
  - alert: A
    expr: up   ==   0
    for: 5m
    keep_firing_for: 1m
    labels: {team: b}
    annotations: {summary: s}
";
    let file = parse("r.yml", text, UnknownFields::Refuse).expect("good");
    let group = &file.groups[0];
    assert_eq!(group.interval_ms, Some(30_000));
    assert_eq!((group.query_offset_ms, group.limit), (Some(60_000), 5));
    let rule = &group.rules[0];
    assert_eq!(rule.query, "up == 0");
    assert_eq!(rule.identity(), "A{team=\"b\", tier=\"x\"}");
    assert!(parse("r.yml", "", UnknownFields::Refuse).is_ok());
    let unknown = "groups: [{name: g, owner: me, rules: []}]";
    assert!(parse("r.yml", unknown, UnknownFields::Ignore).is_ok());
}

#[test]
fn tells_rule_files_from_others() {
    let check = |text: &str, want: bool| {
        let node = yaml::parse_single(text, &mut Problems::new("f")).expect("yaml");
        assert_eq!(looks_like_rules(&node), want, "{text}");
    };
    check("groups: [{name: a, rules: []}]", true);
    check("groups: []", true);
    check("scrape_configs: []", false);
    check("groups: [{name: a}]\napiVersion: 1", false);
}

/// A folder of upstream's data, where it is at hand.
fn conformance(folder: &str) -> Option<PathBuf> {
    let root = runtime::environment::var("CONFORMANCE");
    if root.is_none() {
        println!("skipped: {folder}, CONFORMANCE names no folder");
    }
    root.map(|root| Path::new(&root).join(folder))
}

fn yaml_files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("a folder");
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.expect("an entry").path())
        .collect();
    files.retain(|file| {
        let extension = file.extension().and_then(|e| e.to_str());
        matches!(extension, Some("yml" | "yaml"))
    });
    files.sort();
    files
}

/// Files that upstream's own tests expect to be refused, though their names do not say so.
const REFUSED: [&str; 4] = [
    "invalid_rules.yaml",
    "rules_extrafields.yml",
    "bad-rules-syntax.yml",
    "rules-bad.yml",
];

/// A file whose second document upstream never reads; we say so instead.
const MULTI_DOCUMENT: &str = "rules_multi_doc.yaml";

#[test]
fn agrees_with_upstream_on_which_files_are_good() {
    let (mut good, mut bad) = (0, 0);
    for folder in ["rulefmt", "rule-files", "promtool", "alert-generator"] {
        let Some(folder) = conformance(folder) else {
            return;
        };
        for file in yaml_files(&folder) {
            let name = file.file_name().and_then(|n| n.to_str()).expect("a name");
            let text = std::fs::read_to_string(&file).expect("a file");
            let node = yaml::parse_single(&text, &mut Problems::new(name));
            let is_rules = node.as_ref().is_some_and(looks_like_rules);
            if !is_rules || name == MULTI_DOCUMENT {
                continue;
            }
            let result = parse(name, &text, UnknownFields::Refuse);
            let is_bad = name.contains(".bad.") || REFUSED.contains(&name);
            assert_eq!(result.is_err(), is_bad, "{name}: {result:?}");
            if is_bad { bad += 1 } else { good += 1 }
        }
    }
    println!("{good} good and {bad} bad rule files");
    assert!(good >= 20 && bad >= 10, "{good} good, {bad} bad");
}

#[test]
fn finds_duplicates() {
    let text = "groups:
- name: a
  rules:
  - {record: m, expr: 1}
  - {record: m, expr: 2, labels: {x: y}}
- name: b
  rules:
  - {record: m, expr: 3}
";
    let file = parse("r.yml", text, UnknownFields::Refuse).expect("good");
    let want = Duplicate {
        name: "m".to_owned(),
        labels: Labels::default(),
    };
    assert_eq!(duplicates(&[file]), [want]);
}

/// Pieces that rule files are made of, in any order.
const PIECES: [&str; 16] = [
    "groups:\n",
    "- name: g\n",
    "  rules:\n",
    "  - record: r\n",
    "  - alert: A\n",
    "    expr: up == 0\n",
    "    expr: 'sum('\n",
    "    for: 5m\n",
    "    labels: {a: '{{ $x }}'}\n",
    "    annotations:\n",
    "      s: '{{ $value }}'\n",
    "    expr: [1]\n",
    "  limit: -3\n",
    "  interval: 0s\n",
    "  labels: ~\n",
    "x: &a [*a]\n",
];

proptest! {
    #[test]
    fn reads_or_refuses_anything(picks in prop::collection::vec(0..PIECES.len(), 0..12)) {
        let text: String = picks.iter().map(|pick| PIECES[*pick]).collect();
        match parse("r.yml", &text, UnknownFields::Refuse) {
            Ok(file) => prop_assert!(file.groups.iter().all(|group| !group.name.is_empty())),
            Err(problems) => prop_assert!(!problems.is_empty()),
        }
    }
}
