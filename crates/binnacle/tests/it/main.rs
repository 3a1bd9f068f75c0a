//! Starts the real program and asks it what its users would ask.
//!
//! Each module is a story or a table. The program runs on a port of its own with a data folder of its own; what it talks to
//! (targets, receivers, mail) are servers of this process on loopback. Nothing waits for a fixed time: [`waiting`] looks
//! again until it sees what it wants or a deadline passes.
//!
//! `BINNACLE_PROGRAM` names another program to start, such as the release build.
#![expect(
    clippy::panic,
    clippy::print_stdout,
    clippy::needless_pass_by_value,
    reason = "tests outside a crate: what fails panics with what was seen, tables read better by value"
)]

mod capture;
mod http;
mod mail;
mod peer;
mod place;
mod program;
mod server;
mod shape;
mod story;
mod target;
mod tls;
mod waiting;
mod writer;

mod alert_clients;
mod alert_story;
mod alertmanagers;
mod amtool;
mod api_alertmanager;
mod api_prometheus;
mod api_rest;
mod backtest;
mod bad_input;
mod bad_targets;
mod compat_ports;
mod crash;
mod examples;
mod full_disk;
mod lines;
mod listening;
mod moving;
mod openapi;
mod otlp;
mod packs;
mod promtool_tsdb;
mod pushgateway;
mod remote_out;
mod remote_write;
mod self_metrics;
mod starting;
mod this_host;
mod web_config;
