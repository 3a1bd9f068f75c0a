//! Alerts on their way to people: routed, grouped, inhibited, silenced, muted, delivered. Alertmanager, whole.

pub mod config;
pub mod interval;
pub mod matchers;
