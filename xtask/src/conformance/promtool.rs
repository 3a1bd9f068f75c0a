//! `binnacle promtool` on upstream's files: the exit code of each command, as upstream's own tests expect it.

use super::Count;
use crate::process;
use std::path::Path;

/// Exit code and command line; 3 is a lint that was asked to be fatal.
const COMMANDS: [(i32, &str); 37] = [
    (
        0,
        "check config --syntax-only authorization_credentials_file.bad.yml",
    ),
    (1, "check config authorization_credentials_file.bad.yml"),
    (
        0,
        "check config --syntax-only authorization_credentials_file.good.yml",
    ),
    (0, "check config --syntax-only config_with_rule_files.yml"),
    (
        0,
        "check config --syntax-only config_with_service_discovery_files.yml",
    ),
    (0, "check config --syntax-only config_with_tls_files.yml"),
    (1, "check config --syntax-only prometheus-config.bad.yml"),
    (
        0,
        "check config --syntax-only prometheus-aws-sd-empty-region.good.yml",
    ),
    (
        1,
        "check config --syntax-only url_in_alert_targetgroup_with_relabel_config.bad.yml",
    ),
    (
        0,
        "check config --syntax-only url_in_alert_targetgroup_with_relabel_config.good.yml",
    ),
    (
        1,
        "check config --syntax-only url_in_scrape_targetgroup_with_relabel_config.bad.yml",
    ),
    (
        0,
        "check config --syntax-only url_in_scrape_targetgroup_with_relabel_config.good.yml",
    ),
    (
        3,
        "check config --lint=all --lint-fatal prometheus-config.lint.yml",
    ),
    (
        3,
        "check config --lint=too-long-scrape-interval --lint-fatal prometheus-config.lint.too_long_scrape_interval.yml",
    ),
    (0, "check rules rules.yml"),
    (0, "check rules at-modifier.yml"),
    (0, "check rules negative-offset.yml"),
    (0, "check rules features.yml"),
    (1, "check rules rules-bad.yml"),
    (1, "check rules bad-rules-syntax.yml"),
    (1, "check rules rules_extrafields.yml"),
    (
        0,
        "check rules --ignore-unknown-fields rules_extrafields.yml",
    ),
    (3, "check rules --lint-fatal rules_duplicates.yml"),
    (
        3,
        "check rules --lint=all --lint-fatal prometheus-rules.lint.yml",
    ),
    (0, "test rules unittest.yml"),
    (0, "test rules long-period.yml"),
    (0, "test rules at-modifier-test.yml"),
    (0, "test rules negative-offset-test.yml"),
    (0, "test rules start-time-test.yml"),
    (1, "test rules failing.yml"),
    (1, "test rules bad-input-series.yml"),
    (1, "test rules bad-promql.yml"),
    (1, "test rules bad-rules-error-test.yml"),
    (1, "test rules bad-rules-syntax-test.yml"),
    (0, "test rules --run=correct rules_run.yml"),
    (1, "test rules --run=wrong rules_run.yml"),
    (
        0,
        "test rules --ignore-unknown-fields rules_run_extrafields.yml",
    ),
];

pub(super) fn run(folder: &Path) -> anyhow::Result<Count> {
    let mut count = Count::default();
    for (want, line) in COMMANDS {
        let mut command = process::command(process::release_program(), &["promtool"]);
        let output = command.args(line.split(' ')).current_dir(folder).output()?;
        if output.status.code() == Some(want) {
            count.passed += 1;
        } else {
            count
                .failed
                .push(format!("{line}: {}, not {want}", output.status));
        }
    }
    Ok(count)
}
