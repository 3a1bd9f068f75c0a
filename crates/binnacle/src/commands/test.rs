//! `binnacle test`: rule unit tests, and PromQL scripts against the real store.

use crate::cli::{Test, Tested};
use crate::print;
use promql::script;
use runtime::{SharedClock, SystemClock};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Runs what was asked; exit status 1 where something failed.
pub(crate) fn run(test: &Test) -> anyhow::Result<ExitCode> {
    match &test.what {
        Tested::Rules { files } => Ok(rules(files)),
        Tested::Promql { files } => promql(files),
    }
}

fn promql(files: &[PathBuf]) -> anyhow::Result<ExitCode> {
    let folder = tempfile::tempdir()?;
    let clock = SystemClock::shared();
    let made = AtomicUsize::new(0);
    let make_store = || {
        let number = made.fetch_add(1, Ordering::Relaxed);
        open_store(&folder.path().join(number.to_string()), &clock)
    };
    let (mut passed, mut failed) = (0, 0);
    for file in files {
        let report = script::run_file(file, &clock, &make_store);
        for failure in &report.failures {
            print::line(&failure.to_string());
        }
        passed += report.passed;
        failed += report.failed;
    }
    print::line(&format!("{passed} passed, {failed} failed"));
    Ok(if failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(1)
    })
}

/// A store of its own for a script: samples of any time are taken, as scripts begin at 1970.
fn open_store(folder: &Path, clock: &SharedClock) -> Result<Box<dyn script::Store>, String> {
    let options = tsdb::Options {
        retention_ms: None,
        future_window_ms: None,
        clock: Arc::clone(clock),
        ..tsdb::Options::new(folder)
    };
    tsdb::Db::open(options)
        .map(|db| Box::new(db) as Box<dyn script::Store>)
        .map_err(|error| error.to_string())
}

fn rules(files: &[PathBuf]) -> ExitCode {
    let mut sound = true;
    for file in files {
        let outcome = rules::unit_test::run_file(file, &SystemClock::shared());
        print::line(&outcome.text);
        sound &= outcome.passed;
    }
    if sound {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(1)
    }
}
