//! The files of users: prometheus.yml, targets, rules, alertmanager.yml, web configuration. What is shown of one hides its
//! secrets and can be read again.
#![no_main]

use collect::prometheus_file::{Reading, read, read_target_groups};
use libfuzzer_sys::fuzz_target;
use rules::file::{UnknownFields, parse};
use std::path::Path;

fuzz_target!(|text: &str| {
    let reading = Reading {
        file: "p.yml",
        directory: Path::new("/"),
        environment: &|_| None,
    };
    let _prometheus = read(text, reading);
    let _targets = read_target_groups(text, "t.yml");
    let _rules = parse("r.yml", text, UnknownFields::Refuse);
    let _alertmanager = dispatch::config::Config::parse(text, "a.yml");
    let _web = config::web_config::parse(Path::new("w.yml"), text);
    let mut problems = config::Problems::new("any.yml");
    if let Some(root) = config::yaml::parse_single(text, &mut problems).filter(|_| problems.is_empty()) {
        let shown = config::redact::print(&root);
        config::yaml::parse_single(&shown, &mut problems);
        assert!(problems.is_empty(), "{problems}\n{shown}");
    }
});
