//! The files of users: prometheus.yml, targets, rules, alertmanager.yml.
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
});
