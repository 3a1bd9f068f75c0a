//! Collecting: reads prometheus.yml, finds targets, scrapes them, and looks at this host.
//!
//! What it deliberately does not do: parse expositions (`ingest`), store samples (whoever implements
//! `model::Sink`), or answer queries about targets over HTTP (`api`).

pub mod alertmanagers;
pub mod collector;
mod discovery;
mod failure_log;
mod features;
pub mod fetch;
pub mod host;
pub mod http_client;
pub mod inside;
mod metrics;
mod pool;
pub mod prometheus_file;
#[cfg(test)]
mod receiver;
pub mod remote_read;
pub mod remote_write;
mod report;
mod schedule;
pub mod series;
pub mod target;
mod target_loop;
mod view;

pub use collector::{Collector, Surroundings};
pub use discovery::answers;
pub use discovery::find as find_targets;
pub use features::Features;
pub use prometheus_file::PrometheusFile;
pub use remote_write::RemoteWriter;
pub use target::Target;
pub use target_loop::{StandIn, StandIns};
pub use view::{DroppedTarget, Health, LastScrape, TargetView};
