use super::{Report, Store, run};
use model::MemoryStore;
use runtime::{SharedClock, SimulatedClock};
use std::sync::Arc;

fn run_text(text: &str) -> Report {
    let clock: SharedClock = Arc::new(SimulatedClock::new(model::Timestamp::from_millis(0)));
    run("script", text, &clock, &|| {
        Ok(Box::new(MemoryStore::new()) as Box<dyn Store>)
    })
}

fn check(text: &str, passed: usize, failures: &[&str]) {
    let report = run_text(text);
    let found: Vec<String> = report.failures.iter().map(ToString::to_string).collect();
    assert_eq!(report.passed, passed, "{text}\n{found:#?}");
    assert_eq!(found.len(), failures.len(), "{text}\n{found:#?}");
    for (found, wanted) in found.iter().zip(failures) {
        assert!(
            found.contains(wanted),
            "{found}\ndoes not contain\n{wanted}"
        );
    }
}

/// Upstream's scripts. The number may only rise.
const UPSTREAM_PASSED_MIN: usize = 1526;

#[test]
fn upstream_scripts() {
    let Some(folder) = runtime::environment::var("CONFORMANCE") else {
        eprintln!("skipped: CONFORMANCE does not name a folder");
        return;
    };
    let mut total = Report::default();
    let mut paths: Vec<_> = std::fs::read_dir(std::path::Path::new(&folder).join("promqltest"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    for path in paths {
        let clock: SharedClock = Arc::new(SimulatedClock::new(model::Timestamp::from_millis(0)));
        let make_store = || Ok(Box::new(MemoryStore::new()) as Box<dyn Store>);
        let report = super::run_file(&path, &clock, &make_store);
        let name = path.file_name().unwrap_or_default().display();
        eprintln!("{name}: {} passed, {} failed", report.passed, report.failed);
        for failure in &report.failures {
            eprintln!("  {failure}");
        }
        total.passed += report.passed;
        total.failed += report.failed;
    }
    eprintln!("{} passed, {} failed", total.passed, total.failed);
    assert_eq!(total.passed + total.failed, 1576);
    assert!(total.passed >= UPSTREAM_PASSED_MIN);
}
