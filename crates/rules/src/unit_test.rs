//! Unit tests of rules, in the format of `promtool test rules`.
//!
//! Each test has its own store in memory, loads the rule files, lets time pass from its start to the last
//! moment that is asked for, and compares alerts and the answers of expressions. Texts are promtool's.
//! Key decision: the groups are the real ones (`crate::group`), stepped by hand; nothing of the
//! evaluation is written twice.

mod compare;
mod coverage;
mod format;
mod run;

pub use coverage::Coverage;

use crate::file::UnknownFields;
use config::{Problems, glob, yaml};
use format::TestFile;
use model::regex::Regex;
use runtime::SharedClock;
use std::path::{Path, PathBuf};

/// Bytes of a file at most.
const BYTES_MAX: u64 = 16 << 20;

/// What may be chosen.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Only tests whose name matches; all where absent.
    run: Option<Regex>,
    /// Whether unknown fields of rule files are skipped.
    ignore_unknown_fields: bool,
}

/// What became of a test file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Whether everything was as expected.
    pub passed: bool,
    /// The report, as promtool prints it, without the last line break.
    pub text: String,
    /// What went wrong, one text a failure.
    pub failures: Vec<String>,
}

/// Runs a test file with default options.
#[must_use]
pub fn run_file(file: &Path, clock: &SharedClock) -> Outcome {
    run_file_with(file, clock, &Options::default())
}

/// Runs a test file. Rule files are sought beside it.
#[must_use]
pub fn run_file_with(file: &Path, clock: &SharedClock, options: &Options) -> Outcome {
    let mut text = format!("Unit Testing:  {}\n", file.display());
    let failures = match prepare(file) {
        Err(error) => vec![error],
        Ok(prepared) => {
            for pattern in &prepared.unmatched {
                text.push_str(&format!("  WARNING: no file match pattern {pattern}\n"));
            }
            run::all(&prepared, clock, options)
        }
    };
    if failures.is_empty() {
        text.push_str("  SUCCESS\n");
    } else {
        text.push_str("  FAILED:\n");
        for failure in &failures {
            text.push_str(failure);
            text.push_str("\n\n");
        }
    }
    Outcome {
        passed: failures.is_empty(),
        text,
        failures,
    }
}

/// A test file that was read, with its rule files.
struct Prepared {
    tests: TestFile,
    /// Name and text of each rule file.
    rule_files: Vec<(String, String)>,
    /// Patterns that no file matches.
    unmatched: Vec<String>,
}

impl Options {
    /// Chooses the tests whose name has a part that one of the patterns matches (all where there is no
    /// pattern), and whether unknown fields of rule files are skipped.
    ///
    /// Fails where a pattern is none.
    pub fn new(run: &[String], ignore_unknown_fields: bool) -> Result<Self, String> {
        let run = match run {
            [] => None,
            patterns => Some(Regex::new(&format!(
                "(?s:.*)(?:{})(?s:.*)",
                patterns.join("|")
            ))?),
        };
        Ok(Self {
            run,
            ignore_unknown_fields,
        })
    }

    fn unknown_fields(&self) -> UnknownFields {
        if self.ignore_unknown_fields {
            UnknownFields::Ignore
        } else {
            UnknownFields::Refuse
        }
    }
}

fn prepare(file: &Path) -> Result<Prepared, String> {
    let text = read(file)?;
    let mut problems = Problems::new(&file.display().to_string());
    let tests = yaml::parse_single(&text, &mut problems)
        .and_then(|node| format::read(&node, &mut problems));
    let tests = problems
        .into_result(tests)
        .map_err(|problems| problems.to_string())?;
    let folder = file.parent().unwrap_or(Path::new(""));
    let (mut rule_files, mut unmatched) = (Vec::new(), Vec::new());
    for pattern in &tests.rule_files {
        let pattern = folder.join(pattern).display().to_string();
        let files = expand(&pattern);
        if files.is_empty() {
            unmatched.push(pattern);
        }
        for file in files {
            rule_files.push((file.display().to_string(), read(&file)?));
        }
    }
    Ok(Prepared {
        tests,
        rule_files,
        unmatched,
    })
}

fn expand(pattern: &str) -> Vec<PathBuf> {
    let mut paths = glob::expand(Path::new(pattern));
    paths.retain(|path| path.is_file());
    paths
}

fn read(file: &Path) -> Result<String, String> {
    let failed = |error: std::io::Error| format!("open {}: {error}", file.display());
    let size = std::fs::metadata(file).map_err(failed)?.len();
    if size > BYTES_MAX {
        return Err(format!(
            "{} has {size} bytes, at most {BYTES_MAX} are read",
            file.display()
        ));
    }
    std::fs::read_to_string(file).map_err(failed)
}

#[cfg(test)]
mod tests;
