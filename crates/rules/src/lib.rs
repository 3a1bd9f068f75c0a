//! Recording and alerting rules, as Prometheus evaluates them.
//!
//! [`mod@file`] reads rule files; [`RuleEngine`] evaluates their groups on a schedule, writes what they
//! record, and hands alerts on. Groups run beside each other, the rules of a group one after another.
//!
//! This crate does not route, silence or deliver alerts, and it knows no wire format: the HTTP answers
//! are made in `api` from [`view`].
//!
//! Key decision: every timer of an alert is a column of a row in the state database, so that a restart
//! continues where the process died. `ALERTS_FOR_STATE` is written and, where rows are missing, read
//! with Prometheus' own rules.

pub mod file;
pub mod packs;
pub mod template;

mod alerts;
pub mod backtest;
mod config;
mod engine;
mod group;
mod metrics;
mod outgoing;
mod restore;
mod rows;
mod schedule;
pub mod unit_test;
pub mod view;

pub use alerts::{AlertState, RESOLVED_KEPT_MS};
pub use config::{Config, Evaluator, RESEND_DELAY_MS};
pub use engine::{Error, Parts, RuleEngine};
pub use restore::Restoring;
