//! Targets that answer garbage, without end, or not at all: each is down with its reason, and nothing else suffers.

use crate::place::Place;
use crate::program::Program;
use crate::target::{Behaviour, Target};
use crate::waiting::until_within;
use std::time::Duration;

/// Memory that the program may have held at most: an endless answer must not be kept.
const PEAK_MIB_MAX: u64 = 350;

#[test]
fn each_is_down_with_its_reason() {
    let garbage = Target::start(Behaviour::Serve(
        "{{{ <html> this is no metric\n".to_owned(),
    ));
    let endless = Target::start(Behaviour::Stream(1 << 30));
    let limited = Target::start(Behaviour::Stream(1 << 30));
    let hanging = Target::start(Behaviour::Hang);
    let failing = Target::start(Behaviour::Fail(503));
    let mut dead = Target::healthy();
    dead.die();
    let good = Target::healthy();
    let job = |name: &str, target: &Target, more: &str| {
        format!(
            "  - job_name: {name}\n    static_configs: [{{targets: ['{}']}}]\n{more}",
            target.address()
        )
    };
    let config = format!(
        "global: {{scrape_interval: 500ms, scrape_timeout: 500ms}}\nscrape_configs:\n{}{}{}{}{}{}{}",
        job("garbage", &garbage, ""),
        // Long enough for the limit of the program itself to end it.
        job(
            "endless",
            &endless,
            "    scrape_interval: 20s\n    scrape_timeout: 20s\n"
        ),
        job("limited", &limited, "    body_size_limit: 1MB\n"),
        job("hanging", &hanging, ""),
        job("failing", &failing, ""),
        job("dead", &dead, ""),
        job("good", &good, ""),
    );
    let place = Place::with(&[("prometheus.yml", &config)]);
    let program = Program::start(&place);
    let check = |name: &str, health: &str, part: &str| {
        let what = format!("{name} to be {health} with {part:?}");
        // The endless one is asked within 20 s for the first time, and may need another attempt on a busy machine.
        until_within(Duration::from_secs(90), &what, || {
            let targets = program.json("/api/v1/targets", &[])["data"]["activeTargets"].clone();
            let list = targets.as_array().expect("targets");
            let target = list
                .iter()
                .find(|target| target["labels"]["job"] == name)
                .expect("the job");
            let error = target["lastError"].as_str().unwrap_or_default();
            let found = target["health"] == health && error.contains(part);
            found.then_some(()).ok_or_else(|| target.to_string())
        });
        let up = if health == "up" { "1" } else { "0" };
        program.wait_for_value(&format!("up{{job=\"{name}\"}}"), up);
    };
    check("good", "up", "");
    check("garbage", "down", "expected");
    check("limited", "down", "body size limit");
    check("hanging", "down", "deadline");
    check("failing", "down", "503");
    check("dead", "down", "refused");
    check("endless", "down", "limit");
    assert!(program.query("endless_total").is_empty());
    let peak_mib = program.peak_mib();
    assert!(peak_mib < PEAK_MIB_MAX, "{peak_mib} MiB");
    // The scrape's own metrics say how it went.
    program.wait_for_value("scrape_samples_scraped{job=\"garbage\"}", "0");
    println!("at most {peak_mib} MiB");
}
