//! Which rules the tests of a file look at: alerts that a test names, and recorded series that an expression of
//! a test selects.

use super::{Options, prepare};
use crate::file::{self, RuleKind};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Rules by file, group and name, and whether a test looks at them.
#[derive(Clone, Debug, Default)]
pub struct Coverage {
    rules: BTreeMap<String, bool>,
}

impl Coverage {
    /// Adds the rules and tests of a test file. What cannot be read adds nothing: running the file said so.
    pub fn add(&mut self, file: &Path, options: &Options) {
        let Ok(prepared) = prepare(file) else {
            return;
        };
        let (mut alerts, mut selected) = (BTreeSet::new(), BTreeSet::new());
        for test in &prepared.tests.tests {
            alerts.extend(test.alert_tests.iter().map(|alert| alert.alertname.clone()));
            for expr in &test.expr_tests {
                if let Ok(expr) = promql::parse(&expr.expr) {
                    let names = expr
                        .selectors()
                        .into_iter()
                        .flat_map(|selector| &selector.matchers);
                    let names = names.filter(|matcher| matcher.name() == model::METRIC_NAME);
                    selected.extend(names.map(|matcher| matcher.value().to_owned()));
                }
            }
        }
        for (path, text) in &prepared.rule_files {
            let Ok(rules) = file::parse(path, text, options.unknown_fields()) else {
                continue;
            };
            for group in &rules.groups {
                for rule in &group.rules {
                    let looked_at = match &rule.kind {
                        RuleKind::Recording => selected.contains(&rule.name),
                        RuleKind::Alerting(_) => alerts.contains(&rule.name),
                    };
                    let name = format!("{path}: group {:?}: {}", group.name, rule.identity());
                    *self.rules.entry(name).or_default() |= looked_at;
                }
            }
        }
    }

    /// How many rules there are.
    #[must_use]
    pub fn rules(&self) -> usize {
        self.rules.len()
    }

    /// How many of them a test looks at.
    #[must_use]
    pub fn covered(&self) -> usize {
        self.rules.values().filter(|covered| **covered).count()
    }

    /// Those that no test looks at, sorted.
    pub fn missing(&self) -> impl Iterator<Item = &str> {
        let missing = self.rules.iter().filter(|(_, covered)| !**covered);
        missing.map(|(rule, _)| rule.as_str())
    }

    /// The share that is covered; 100 where there are no rules.
    #[must_use]
    pub fn percent(&self) -> f64 {
        let float = |count: usize| f64::from(u32::try_from(count).unwrap_or(u32::MAX));
        if self.rules.is_empty() {
            return 100.0;
        }
        float(self.covered()) / float(self.rules()) * 100.0
    }
}

#[cfg(test)]
mod tests {
    use super::Coverage;
    use crate::unit_test::Options;
    use std::io::Write as _;

    #[test]
    fn counts_rules() {
        let folder = tempfile::tempdir().expect("folder");
        let write = |name: &str, text: &str| {
            let mut file = std::fs::File::create(folder.path().join(name)).expect("file");
            file.write_all(text.as_bytes()).expect("written");
        };
        write(
            "rules.yml",
            "groups:\n- name: g\n  rules:\n  - {record: 'a:b', expr: up}\n  - {record: 'c:d', expr: up}\n  \
             - {alert: A, expr: up}\n  - {alert: B, expr: up}\n",
        );
        write(
            "tests.yml",
            "rule_files: [rules.yml]\ntests:\n- promql_expr_test: [{expr: 'sum(a:b)', eval_time: 1m}]\n  \
             alert_rule_test: [{alertname: B, eval_time: 1m}]\n",
        );
        let mut coverage = Coverage::default();
        coverage.add(&folder.path().join("tests.yml"), &Options::default());
        assert_eq!(
            (coverage.covered(), coverage.rules(), coverage.percent()),
            (2, 4, 50.0)
        );
        assert_eq!(coverage.missing().count(), 2);
    }
}
