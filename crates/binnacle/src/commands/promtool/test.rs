//! `promtool test rules`, with its options.

use super::failure::Verdict;
use crate::cli::promtool::check::TestRules;
use crate::print;
use rules::unit_test::{self, Coverage, Options, Outcome};
use runtime::SystemClock;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use storage::OperatingSystem;

/// Runs the files; with `--junit` the results also go to a file, with `--coverage` a report to standard error.
pub(super) fn run(test: &TestRules, junit: Option<&Path>) -> anyhow::Result<Verdict> {
    let options =
        Options::new(&test.run, test.ignore_unknown_fields).map_err(anyhow::Error::msg)?;
    let clock = SystemClock::shared();
    let mut outcomes: Vec<(PathBuf, Outcome)> = Vec::new();
    let mut coverage = Coverage::default();
    for file in &test.files {
        let outcome = unit_test::run_file_with(file, &clock, &options);
        print::line(&outcome.text);
        coverage.add(file, &options);
        outcomes.push((file.clone(), outcome));
    }
    let mut sound = outcomes.iter().all(|(_, outcome)| outcome.passed);
    if let Some(path) = junit {
        let file = OperatingSystem::shared().create(path)?;
        file.write(junit_xml(&outcomes).as_bytes())?;
    }
    if test.coverage || test.coverage_threshold > 0.0 {
        let percent = coverage.percent();
        print::note(&format!(
            "Rule test coverage: {percent:.1}% ({} of {} rules)",
            coverage.covered(),
            coverage.rules()
        ));
        for rule in coverage.missing() {
            print::note(&format!("  not covered: {rule}"));
        }
        if percent < test.coverage_threshold {
            print::note(&format!(
                "coverage is below the threshold of {}%",
                test.coverage_threshold
            ));
            sound = false;
        }
    }
    Ok(if sound {
        Verdict::Good
    } else {
        Verdict::Failed
    })
}

/// A suite for each file, a case for it, and a failure for each thing that went wrong.
fn junit_xml(outcomes: &[(PathBuf, Outcome)]) -> String {
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n");
    for (file, outcome) in outcomes {
        let name = escaped(&file.display().to_string());
        let failures = outcome.failures.len();
        // Writing to a String cannot fail.
        let _infallible = write!(
            xml,
            "  <testsuite name=\"{name}\" tests=\"1\" failures=\"{failures}\" errors=\"0\">\n    <testcase name=\"{name}\">\n"
        );
        for failure in &outcome.failures {
            let _infallible = writeln!(
                xml,
                "      <failure message=\"failed\">{}</failure>",
                escaped(failure)
            );
        }
        xml.push_str("    </testcase>\n  </testsuite>\n");
    }
    xml.push_str("</testsuites>\n");
    xml
}

fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c if c.is_control() && !matches!(c, '\n' | '\t') => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::junit_xml;
    use rules::unit_test::Outcome;

    #[test]
    fn writes_junit() {
        let outcome = Outcome {
            passed: false,
            text: String::new(),
            failures: vec!["a < b".to_owned()],
        };
        let xml = junit_xml(&[("t.yml".into(), outcome)]);
        let want = "<failure message=\"failed\">a &lt; b</failure>";
        assert!(
            xml.contains(want) && xml.contains("failures=\"1\""),
            "{xml}"
        );
    }
}
