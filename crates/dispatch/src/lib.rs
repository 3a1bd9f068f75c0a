//! Alerts on their way to people: routed, grouped, inhibited, silenced, muted, delivered. Alertmanager, whole.
//!
//! [`config`] reads alertmanager.yml. [`machine`] decides, without clock or I/O, what is told to whom and when;
//! `rows` are its memory on disk. What it deliberately does not do: evaluate rules, or know incidents; both
//! are tied to it in the binary.

pub mod alert;
pub mod config;
pub mod inhibit;
pub mod interval;
pub mod machine;
pub mod matchers;
pub mod notice;
pub mod route;
pub mod rows;
pub mod silence;
